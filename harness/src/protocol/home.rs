//! The home's side of one line.

use super::{LineData, NodeSet, Outputs, Payload, Violation, violation};
use flits::{CacheState, Opcode, RespErr};

/// One line at its home.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HomeLine<D: LineData> {
    /// Who holds the line.
    pub directory: Directory,
    /// The transaction in flight. A request that arrives meanwhile waits outside.
    pub transaction: Option<Transaction<D>>,
}

/// Directory entry of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Directory {
    /// No copy.
    #[default]
    Invalid,
    /// Clean copies, memory is up to date. Never empty.
    Shared(NodeSet),
    /// One copy, perhaps dirty.
    Unique(u8),
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Work<D: LineData> {
    /// A request without data of a node.
    Request(Opcode),
    /// WriteUnique and what it writes.
    WriteUnique(D::Write),
    /// A far atomic.
    Atomic {
        /// AtomicStore, AtomicLoad, AtomicSwap or AtomicCompare.
        op: Opcode,
        /// What it does.
        atomic: D::Atomic,
    },
    /// CleanInvalid.
    CleanInvalid,
    /// WriteBackFull.
    WriteBack,
    /// The home takes the line back to free its directory entry.
    Recall,
}

/// A transaction in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction<D: LineData> {
    /// What it does.
    pub work: Work<D>,
    /// The requester; meaningless for a recall.
    pub requester: u8,
    /// Its rights let it write the line.
    pub may_write: bool,
    /// Nodes whose snoop answer is awaited.
    pub snoops: NodeSet,
    /// A CompAck is awaited.
    pub ack: bool,
    /// A Comp of the memory is awaited.
    pub memory: bool,
    /// The owner has forwarded the data to the requester.
    pub forwarded: bool,
    /// Dirty data a snoop brought home, not yet written.
    pub dirty: Option<D>,
    /// The line is awaited from memory, for a far atomic.
    pub fetch: bool,
    /// What a far atomic answers with, while memory does its write.
    pub old: Option<D>,
}

/// What can happen to a line at its home.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HomeIn<D: LineData> {
    /// A request's turn has come.
    Request {
        /// Opcode of class REQ.
        op: Opcode,
        /// Requester.
        src: u8,
        /// Its rights let it write the line.
        may_write: bool,
        /// Payload of WriteBackFull, WriteUnique and far atomics.
        data: Option<Payload<D>>,
    },
    /// The directory needs this line's entry.
    Recall,
    /// A snoop is answered.
    SnoopAnswer {
        /// SnpResp, SnpRespFwded, SnpRespData or SnpRespDataFwded.
        op: Opcode,
        /// Who answers.
        src: u8,
        /// State of its copy now.
        state: CacheState,
        /// Dirty data.
        data: Option<D>,
    },
    /// The requester has its answer.
    CompAck {
        /// Requester.
        src: u8,
        /// State it reached.
        state: CacheState,
    },
    /// The memory has done a write, or has failed to read for a far atomic.
    MemoryComp {
        /// Its status.
        resp: RespErr,
    },
    /// The memory has read the line for a far atomic.
    MemoryData {
        /// The line.
        data: D,
    },
}

/// What a home sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HomeOut<D: LineData> {
    /// A snoop to each target.
    Snoop {
        /// Opcode of class SNP.
        op: Opcode,
        /// To whom.
        targets: NodeSet,
        /// Whom forwarded data is for.
        requester: u8,
    },
    /// A line read; the memory answers the requester.
    MemRead {
        /// Return node.
        requester: u8,
        /// State to grant.
        state: CacheState,
    },
    /// A line read; the memory answers the home.
    Fetch,
    /// A write to memory.
    MemWrite(Payload<D>),
    /// Comp to the requester.
    Comp {
        /// Requester.
        requester: u8,
        /// Granted state.
        state: CacheState,
        /// Status.
        resp: RespErr,
    },
    /// CompData to the requester: the old value of its far atomic, granting nothing.
    CompData {
        /// Requester.
        requester: u8,
        /// The line that holds the old value.
        data: D,
        /// Status.
        resp: RespErr,
    },
}

impl<D: LineData> Default for HomeLine<D> {
    fn default() -> Self {
        Self {
            directory: Directory::Invalid,
            transaction: None,
        }
    }
}

impl Directory {
    /// Everyone who holds a copy.
    #[must_use]
    pub fn holders(self) -> NodeSet {
        match self {
            Self::Invalid => NodeSet::default(),
            Self::Shared(sharers) => sharers,
            Self::Unique(owner) => NodeSet::one(owner),
        }
    }

    /// The entry after `port` has come to `state`. Who comes to UC or UD is alone; who comes to SC
    /// joins the others, and an owner among them has just been downgraded to a sharer.
    fn moved(self, port: u8, state: CacheState) -> Self {
        let others = self.holders().without(port);
        match state {
            CacheState::UC | CacheState::UD => Self::Unique(port),
            CacheState::SC => Self::Shared(others.with(port)),
            CacheState::I if others.is_empty() => Self::Invalid,
            // Only a requester that is no owner leaves others behind: the entry's kind stays.
            CacheState::I => match self {
                Self::Unique(owner) => Self::Unique(owner),
                _ => Self::Shared(others),
            },
        }
    }
}

type Step<D> = Result<(HomeLine<D>, Outputs<HomeOut<D>>), Violation>;

/// One step of the home for one line.
///
/// * `Request`: its turn has come. WriteBackFull and Evict say what their sender gives up and
///   snoop nobody (`write_back`, `evict`); all others open a transaction and snoop first whoever
///   holds what they need or may not keep (`begin`), then go on to memory or straight to the answer
///   (`proceed`).
/// * `Recall`: as a request of nobody that leaves no copy.
/// * `SnoopAnswer`: the directory follows what the answer says its sender has now; the last one
///   lets the transaction go on.
/// * `CompAck`: the requester has reached a state, and only now does the directory say so. With I,
///   after an error or a ReadOnce, it says nothing.
/// * `MemoryComp`: memory has done the write, and whoever wrote is told; of a far atomic, with the
///   old value. One for which memory cannot read is told so, and nothing is written.
/// * `MemoryData`: memory has read for a far atomic, which now can be computed.
///
/// The transaction is over when `transaction` is `None` again: when every snoop is answered, the
/// CompAck is here and memory has done what it was asked to do. Not earlier: a next transaction
/// could snoop a node whose grant is under way (race 4) or read what memory has not yet (race 5).
///
/// # Errors
/// [`Violation`] when the input cannot happen in this state under the protocol.
pub fn home<D: LineData>(mut line: HomeLine<D>, input: HomeIn<D>) -> Step<D> {
    match input {
        HomeIn::Request {
            op,
            src,
            may_write,
            data,
        } => {
            let work = match (op, data) {
                (Opcode::WriteBackFull, Some(Payload::Line(data))) => {
                    return write_back(line, src, data);
                }
                (Opcode::WriteUnique, Some(Payload::Write(write))) => Work::WriteUnique(write),
                (op, Some(Payload::Atomic(atomic))) if op.is_atomic() => {
                    Work::Atomic { op, atomic }
                }
                (Opcode::CleanInvalid, None) => Work::CleanInvalid,
                (Opcode::Evict, None) => return evict(line, src),
                (
                    Opcode::ReadShared
                    | Opcode::ReadUnique
                    | Opcode::CleanUnique
                    | Opcode::MakeUnique
                    | Opcode::ReadOnce,
                    None,
                ) => Work::Request(op),
                (op, _) => return violation(format_args!("{op} is no request to a home")),
            };
            begin(line, work, src, may_write)
        }
        HomeIn::Recall => begin(line, Work::Recall, 0, false),
        HomeIn::SnoopAnswer {
            op,
            src,
            state,
            data,
        } => {
            let Some(t) = line.transaction.as_mut().filter(|t| t.snoops.has(src)) else {
                return violation(format_args!("{op} from {src}, which was not snooped"));
            };
            t.snoops = t.snoops.without(src);
            t.forwarded |= matches!(op, Opcode::SnpRespFwded | Opcode::SnpRespDataFwded);
            if data.is_some() {
                t.dirty = data;
            }
            line.directory = line.directory.moved(src, state);
            proceed(line)
        }
        HomeIn::CompAck { src, state } => {
            let Some(t) = line
                .transaction
                .as_mut()
                .filter(|t| t.ack && t.requester == src)
            else {
                return violation(format_args!("CompAck from {src}, which owes none"));
            };
            t.ack = false;
            if state != CacheState::I && !matches!(t.work, Work::Request(Opcode::ReadOnce)) {
                line.directory = line.directory.moved(src, state);
            }
            Ok((finish(line), Outputs::none()))
        }
        HomeIn::MemoryComp { resp } => {
            let Some(t) = line.transaction.as_mut().filter(|t| t.memory || t.fetch) else {
                return violation("the memory completes what it was not asked for");
            };
            if t.fetch && resp == RespErr::Ok {
                return violation("the memory answers a read without data");
            }
            (t.memory, t.fetch) = (false, false);
            let out = match &t.work {
                Work::Atomic { op, .. } => {
                    Outputs::one(atomic_answer(t.requester, *op, t.old.take(), resp))
                }
                Work::WriteUnique(_) | Work::CleanInvalid | Work::WriteBack => {
                    Outputs::one(comp(t.requester, CacheState::I, resp))
                }
                Work::Request(_) | Work::Recall => Outputs::none(),
            };
            Ok((finish(line), out))
        }
        HomeIn::MemoryData { data } => {
            let Some(t) = line.transaction.as_mut().filter(|t| t.fetch) else {
                return violation("the memory reads what it was not asked for");
            };
            t.fetch = false;
            let Work::Atomic { atomic, .. } = &t.work else {
                return violation("data for no far atomic");
            };
            let (old, new) = data.computed(atomic);
            t.old = Some(old);
            write(line, Payload::Write(new))
        }
    }
}

/// The answer to a far atomic when memory has done its write, or, without an old value, could not
/// read. An AtomicStore is not told the old value, only whether it was corrupt.
fn atomic_answer<D: LineData>(
    requester: u8,
    op: Opcode,
    old: Option<D>,
    resp: RespErr,
) -> HomeOut<D> {
    let resp = match (resp, &old) {
        (RespErr::Ok, Some(old)) if old.is_poisoned() => RespErr::DataError,
        _ => resp,
    };
    match old {
        Some(data) if op != Opcode::AtomicStore => HomeOut::CompData {
            requester,
            data,
            resp,
        },
        _ => comp(requester, CacheState::I, resp),
    }
}

fn comp<D: LineData>(requester: u8, state: CacheState, resp: RespErr) -> HomeOut<D> {
    HomeOut::Comp {
        requester,
        state,
        resp,
    }
}

fn finish<D: LineData>(mut line: HomeLine<D>) -> HomeLine<D> {
    if let Some(t) = &line.transaction
        && t.snoops.is_empty()
        && !t.ack
        && !t.memory
        && !t.fetch
    {
        line.transaction = None;
    }
    line
}

/// The owner gives up its dirty line. If a snoop has taken the line from the write-back buffer
/// meanwhile, whether for another node or into a recall, the sender is not the owner any more: what
/// it sends is old and is dropped (race 1). It gets its Comp in either case.
fn write_back<D: LineData>(mut line: HomeLine<D>, src: u8, data: D) -> Step<D> {
    if line.directory != Directory::Unique(src) {
        return Ok((line, Outputs::one(comp(src, CacheState::I, RespErr::Ok))));
    }
    (line, _) = open(line, Work::WriteBack, src, true)?;
    line.directory = Directory::Invalid;
    write(line, Payload::Line(data))
}

/// A holder gives up its clean copy; nothing to wait for, since memory is up to date. One that a
/// snoop has invalidated meanwhile is no holder any more, and another's copies are not its to clear.
fn evict<D: LineData>(mut line: HomeLine<D>, src: u8) -> Step<D> {
    if line.directory.holders().has(src) {
        line.directory = line.directory.moved(src, CacheState::I);
    }
    Ok((line, Outputs::one(comp(src, CacheState::I, RespErr::Ok))))
}

fn open<D: LineData>(
    mut line: HomeLine<D>,
    work: Work<D>,
    requester: u8,
    may_write: bool,
) -> Step<D> {
    if line.transaction.is_some() {
        return violation("two transactions of one line at once");
    }
    line.transaction = Some(Transaction {
        // A requester that was forwarded the data may acknowledge before the owner has answered.
        ack: matches!(work, Work::Request(_)),
        work,
        requester,
        may_write,
        snoops: NodeSet::default(),
        memory: false,
        forwarded: false,
        dirty: None,
        fetch: false,
        old: None,
    });
    Ok((line, Outputs::none()))
}

/// Opens a transaction and snoops whom it must, but never the requester.
///
/// From sharers nothing is needed, memory being up to date: they are left alone by reads and
/// invalidated by everything else. An owner may be dirty, so it is asked for what is needed: to
/// forward the data to the requester (`Snp*Fwd`), or to bring it home where the home is to write it
/// or merge it (`SnpUnique`); if the whole line will be overwritten its data is needed by nobody
/// (`SnpMakeInvalid`).
fn begin<D: LineData>(line: HomeLine<D>, work: Work<D>, requester: u8, may_write: bool) -> Step<D> {
    let holders = match work {
        Work::Recall => line.directory.holders(),
        _ => line.directory.holders().without(requester),
    };
    let snoop = match (line.directory, &work) {
        (Directory::Invalid, _) => None,
        (Directory::Shared(_), Work::Request(Opcode::ReadShared | Opcode::ReadOnce)) => None,
        (Directory::Shared(_), _) | (_, Work::Request(Opcode::MakeUnique)) => {
            Some(Opcode::SnpMakeInvalid)
        }
        (Directory::Unique(_), Work::WriteUnique(w)) if D::whole(w).is_some() => {
            Some(Opcode::SnpMakeInvalid)
        }
        (Directory::Unique(_), Work::Request(Opcode::ReadShared)) => Some(Opcode::SnpSharedFwd),
        (Directory::Unique(_), Work::Request(Opcode::ReadOnce)) => Some(Opcode::SnpOnceFwd),
        (Directory::Unique(_), Work::Request(_)) => Some(Opcode::SnpUniqueFwd),
        (Directory::Unique(_), _) => Some(Opcode::SnpUnique),
    };
    let (mut line, _) = open(line, work, requester, may_write)?;
    match (snoop, &mut line.transaction) {
        (Some(op), Some(t)) if !holders.is_empty() => {
            t.snoops = holders;
            Ok((
                line,
                Outputs::one(HomeOut::Snoop {
                    op,
                    targets: holders,
                    requester,
                }),
            ))
        }
        _ => proceed(line),
    }
}

/// What follows when a snoop is answered, or none was needed; nothing while others are awaited.
///
/// * A read whose data was forwarded is served; dirty data that came home with the answer goes to
///   memory, since an owner that shares becomes clean.
/// * MakeUnique and the CleanUnique of one that still has its copy need permission only: Comp. The
///   CleanUnique of one that has lost it (race 2) is served as ReadUnique.
/// * All other reads go to memory, which answers the requester. That includes those whose owner had
///   nothing to forward, because its Evict is under way (race 3). Only a ReadShared that finds no
///   copy at all is granted UC, if its sender may write.
/// * A WriteUnique, merged with the owner's data if that was dirty, and a dirty line that is recalled
///   or cleaned go to memory.
/// * A far atomic is computed on the owner's data if that was dirty, and the whole line is written;
///   otherwise the home asks memory for the line, and then writes what the atomic makes of it.
fn proceed<D: LineData>(mut line: HomeLine<D>) -> Step<D> {
    let directory = line.directory;
    let Some(t) = &mut line.transaction else {
        return violation("no transaction to go on with");
    };
    if !t.snoops.is_empty() {
        return Ok((line, Outputs::none()));
    }
    let requester = t.requester;
    let dirty = t.dirty.take();
    match &t.work {
        Work::Request(op) => {
            if t.forwarded {
                return match dirty {
                    Some(data) => write(line, Payload::Line(data)),
                    None => Ok((finish(line), Outputs::none())),
                };
            }
            let out = match op {
                Opcode::MakeUnique => comp(requester, CacheState::UD, RespErr::Ok),
                Opcode::CleanUnique if directory.holders().has(requester) => {
                    comp(requester, CacheState::UC, RespErr::Ok)
                }
                op => HomeOut::MemRead {
                    requester,
                    state: match op {
                        Opcode::ReadOnce => CacheState::I,
                        Opcode::ReadShared if directory != Directory::Invalid || !t.may_write => {
                            CacheState::SC
                        }
                        _ => CacheState::UC,
                    },
                },
            };
            Ok((line, Outputs::one(out)))
        }
        Work::WriteUnique(w) => {
            let payload = match dirty {
                Some(data) => Payload::Line(data.merged(w)),
                None => Payload::Write(w.clone()),
            };
            line.directory = Directory::Invalid;
            write(line, payload)
        }
        Work::Atomic { atomic, .. } => {
            line.directory = Directory::Invalid;
            let Some(dirty) = dirty else {
                t.fetch = true;
                return Ok((line, Outputs::one(HomeOut::Fetch)));
            };
            let (old, new) = dirty.clone().computed(atomic);
            t.old = Some(old);
            write(line, Payload::Line(dirty.merged(&new)))
        }
        Work::CleanInvalid => {
            line.directory = Directory::Invalid;
            match dirty {
                Some(data) => write(line, Payload::Line(data)),
                None => {
                    let out = comp(requester, CacheState::I, RespErr::Ok);
                    Ok((finish(line), Outputs::one(out)))
                }
            }
        }
        Work::Recall => match dirty {
            Some(data) => write(line, Payload::Line(data)),
            None => Ok((finish(line), Outputs::none())),
        },
        Work::WriteBack => violation("a write-back snoops nobody"),
    }
}

fn write<D: LineData>(mut line: HomeLine<D>, payload: Payload<D>) -> Step<D> {
    if let Some(t) = &mut line.transaction {
        t.memory = true;
    }
    Ok((line, Outputs::one(HomeOut::MemWrite(payload))))
}
