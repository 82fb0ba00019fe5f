//! Mistakes in the protocol that the exploration must find.
//!
//! The text of the protocol is one; a fault wraps its functions and changes what goes in, what
//! comes out or what is kept, the way a wrong line in the text would.

use super::super::{
    Directory, HomeIn, HomeLine, HomeOut, NodeIn, NodeLine, NodeOut, NodeSet, Outputs, Payload,
    Pending, Transaction, Violation, Work, home as right_home, node as right_node,
};
use super::rules::Rule;
use super::value::{Value, Write};
use super::{Config, Recalls};
use flits::{CacheState, Class, Opcode};
use std::fmt;

type HomeStep = Result<(HomeLine<Value>, Outputs<HomeOut<Value>>), Violation>;
type NodeStep = Result<(NodeLine<Value>, Outputs<NodeOut<Value>>), Violation>;

macro_rules! faults {
    ($($(#[doc = $doc:expr])+ $name:ident = $text:literal, $rule:ident, $config:expr;)+) => {
        /// A mistake in the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: [Fault; [$(Fault::$name),+].len()] = [$(Fault::$name),+];

            /// Its name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Fault::$name => $text,)+ }
            }

            /// What is wrong, in a few words.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Fault::$name => concat!($($doc),+),)+ }.trim().trim_end_matches('.')
            }

            /// The rule that it breaks first.
            #[must_use]
            pub fn rule(self) -> Rule {
                match self { $(Fault::$name => Rule::$rule,)+ }
            }

            /// The smallest model in which it shows.
            #[must_use]
            pub fn config(self) -> Config {
                match self { $(Fault::$name => $config,)+ }
            }
        }
    };
}

fn two() -> Config {
    Config::default()
}

fn three() -> Config {
    Config { nodes: 3, ..two() }
}

fn with_recalls() -> Config {
    Config {
        recalls: Recalls::Any,
        ..two()
    }
}

fn with_a_reader() -> Config {
    Config {
        readers: NodeSet::one(0),
        ..two()
    }
}

faults! {
    /// The home does not snoop the first of several sharers.
    ForgetsASharer = "forgets-a-sharer", SingleWriter, three();
    /// The home ends a transaction without waiting for CompAck.
    EndsBeforeAck = "ends-before-ack", SnoopAfterGrant, two();
    /// The home writes a stale write-back to memory.
    TakesStaleWriteBack = "takes-stale-write-back", NoLostStore, two();
    /// The home grants CleanUnique without data to a node that has lost its copy.
    CleanUniqueWithoutData = "clean-unique-without-data", Expected, two();
    /// The home recalls a line without waiting for the answers.
    RecallsWithoutWaiting = "recalls-without-waiting", NoLostStore, with_recalls();
    /// The home still takes an owner that has forwarded a shared copy for the owner.
    OwnerStaysOwner = "owner-stays-owner", Exact, two();
    /// The home ends a write to memory, and says so, before memory has done it.
    CompletesWriteEarly = "completes-write-early", ReadAfterWrite, two();
    /// The home takes an Evict for that of every sharer.
    EvictClearsOthers = "evict-clears-others", Exact, two();
    /// The home serves WriteUnique without invalidating the sharers.
    WriteUniqueKeepsCopies = "write-unique-keeps-copies", LastStore, two();
    /// The home does not write memory when a dirty owner has forwarded a shared copy.
    DropsDirtyData = "drops-dirty-data", NoLostStore, two();
    /// The home grants UC to a reader though others have copies.
    GrantsUniqueBesideSharers = "grants-unique-beside-sharers", SingleWriter, two();
    /// The home does not look at the requester's rights.
    IgnoresRights = "ignores-rights", Rights, with_a_reader();
    /// The home does not read memory when the owner could not forward.
    WaitsForAnEvictedOwner = "waits-for-an-evicted-owner", NotStuck, two();
    /// The home asks an owner again that could not forward.
    AsksTheOwnerAgain = "asks-the-owner-again", Ends, two();
    /// The home writes a WriteUnique to memory without the owner's dirty data.
    WritesBesideOwner = "writes-beside-owner", NoLostStore, two();
    /// The home does not answer an Evict that comes too late.
    IgnoresStaleEvict = "ignores-stale-evict", NotStuck, two();
    /// A node keeps its copy when it is invalidated.
    KeepsInvalidatedCopy = "keeps-invalidated-copy", SingleWriter, two();
    /// A node answers snoops from the cache while the line is in its write-back buffer.
    ForgetsWriteBackBuffer = "forgets-write-back-buffer", LastStore, two();
    /// An owner keeps its right to write when it forwards a shared copy.
    OwnerStaysUnique = "owner-stays-unique", SingleWriter, two();
    /// A node acknowledges a grant as if it had got nothing.
    AcksNothing = "acks-nothing", Exact, two();
    /// A node forwards a dirty line as UC and forgets that memory is old.
    ForwardsDirtyAsClean = "forwards-dirty-as-clean", NoLostStore, two();
    /// The home computes a far atomic on memory without asking the owner.
    AtomicBesideOwner = "atomic-beside-owner", LastStore, two();
    /// The home computes a far atomic on memory although the owner sent dirty data.
    AtomicDropsDirtyData = "atomic-drops-dirty-data", LastStore, two();
    /// The home serves a far atomic without invalidating the sharers.
    AtomicKeepsCopies = "atomic-keeps-copies", LastStore, two();
    /// The home answers a far atomic, and ends it, before memory has it.
    AtomicAnswersEarly = "atomic-answers-early", ReadAfterWrite, two();
    /// The home writes what a far atomic changes of a dirty line, and not the rest of it.
    AtomicForgetsTheRest = "atomic-forgets-the-rest", NoLostStore, two();
    /// The home waits for the CompAck of a far atomic, which has none.
    AtomicAwaitsAck = "atomic-awaits-ack", NotStuck, two();
    /// The home drops the dirty data that a CleanInvalid brings.
    CleanDropsDirtyData = "clean-drops-dirty-data", NoLostStore, two();
    /// Answers to snoops travel in the class of requests.
    AnswersAsRequests = "answers-as-requests", NotStuck, two();
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The class of an opcode.
pub(super) fn class(fault: Option<Fault>, op: Opcode) -> Class {
    match (fault, op) {
        (Some(Fault::AnswersAsRequests), Opcode::SnpResp) => Class::Req,
        _ => op.class(),
    }
}

/// One step of the home.
pub(super) fn home(
    fault: Option<Fault>,
    mut line: HomeLine<Value>,
    mut input: HomeIn<Value>,
) -> HomeStep {
    let Some(fault) = fault else {
        return right_home(line, input);
    };
    let directory = line.directory;
    let open = line.transaction.clone();
    match (fault, &mut input) {
        (
            Fault::TakesStaleWriteBack,
            HomeIn::Request {
                op: Opcode::WriteBackFull,
                src,
                ..
            },
        ) => line.directory = Directory::Unique(*src),
        (
            Fault::CleanUniqueWithoutData,
            HomeIn::Request {
                op: Opcode::CleanUnique,
                src,
                ..
            },
        ) if !directory.holders().has(*src) => {
            line.directory = Directory::Shared(directory.holders().with(*src));
        }
        (
            Fault::EvictClearsOthers,
            HomeIn::Request {
                op: Opcode::Evict, ..
            },
        ) => line.directory = Directory::Invalid,
        (
            Fault::IgnoresStaleEvict,
            HomeIn::Request {
                op: Opcode::Evict,
                src,
                ..
            },
        ) if !directory.holders().has(*src) => return Ok((line, Outputs::none())),
        (
            Fault::WriteUniqueKeepsCopies,
            HomeIn::Request {
                op: Opcode::WriteUnique,
                ..
            },
        ) if matches!(directory, Directory::Shared(_)) => line.directory = Directory::Invalid,
        (Fault::WritesBesideOwner, HomeIn::SnoopAnswer { data, .. })
            if open
                .as_ref()
                .is_some_and(|t| matches!(t.work, Work::WriteUnique(_))) =>
        {
            *data = None
        }
        (Fault::AtomicBesideOwner, HomeIn::Request { op, .. })
            if op.is_atomic() && matches!(directory, Directory::Unique(_)) =>
        {
            line.directory = Directory::Invalid;
        }
        (Fault::AtomicKeepsCopies, HomeIn::Request { op, .. })
            if op.is_atomic() && matches!(directory, Directory::Shared(_)) =>
        {
            line.directory = Directory::Invalid;
        }
        (Fault::AtomicDropsDirtyData, HomeIn::SnoopAnswer { data, .. }) if is_atomic(&open) => {
            *data = None;
        }
        (Fault::CleanDropsDirtyData, HomeIn::SnoopAnswer { data, .. })
            if open.as_ref().is_some_and(|t| t.work == Work::CleanInvalid) =>
        {
            *data = None;
        }
        (Fault::AtomicAnswersEarly, HomeIn::MemoryComp { .. }) if open.is_none() => {
            return Ok((line, Outputs::none()));
        }
        (Fault::DropsDirtyData, HomeIn::SnoopAnswer { op, data, .. })
            if *op == Opcode::SnpRespDataFwded =>
        {
            *data = None;
        }
        (Fault::IgnoresRights, HomeIn::Request { may_write, .. }) => *may_write = true,
        // What comes after a transaction that was ended too early finds nothing to end.
        (Fault::EndsBeforeAck, HomeIn::CompAck { .. }) if open.is_none() => {
            return Ok((line, Outputs::none()));
        }
        (Fault::CompletesWriteEarly, HomeIn::MemoryComp { .. }) if open.is_none() => {
            return Ok((line, Outputs::none()));
        }
        (Fault::RecallsWithoutWaiting, HomeIn::SnoopAnswer { .. })
            if open.as_ref().is_none_or(|t| t.work != Work::Recall)
                && directory == Directory::Invalid =>
        {
            return Ok((line, Outputs::none()));
        }
        _ => {}
    }
    let recall = matches!(input, HomeIn::Recall);
    let answer = matches!(input, HomeIn::SnoopAnswer { .. });
    let (mut line, mut out) = right_home(line, input)?;
    match fault {
        Fault::ForgetsASharer => out = out.map(|message| forget_first(&mut line, message)),
        Fault::EndsBeforeAck => {
            if let Some(t) = &line.transaction
                && t.work != Work::Request(Opcode::ReadOnce)
                && t.ack
                && t.snoops.is_empty()
                && !t.memory
            {
                line.directory = Directory::Unique(t.requester);
                line.transaction = None;
            }
        }
        Fault::RecallsWithoutWaiting if recall => {
            line.directory = Directory::Invalid;
            line.transaction = None;
        }
        Fault::OwnerStaysOwner => {
            let shared = open.is_some_and(|t| t.work == Work::Request(Opcode::ReadShared));
            if let (true, Directory::Unique(_), Directory::Shared(_)) =
                (shared, directory, line.directory)
            {
                line.directory = directory;
            }
        }
        Fault::CompletesWriteEarly => {
            if let Some(t) = &line.transaction
                && t.memory
            {
                let comp = HomeOut::Comp {
                    requester: t.requester,
                    state: CacheState::I,
                    resp: flits::RespErr::Ok,
                };
                let answered = matches!(t.work, Work::WriteBack | Work::WriteUnique(_));
                let mut sent = out.clone().into_iter();
                if let (Some(first), true) = (sent.next(), answered) {
                    out = Outputs::two(first, comp);
                    line.transaction = None;
                }
            }
        }
        Fault::AtomicAnswersEarly => {
            if let Some(t) = line.transaction.clone()
                && t.memory
                && let Work::Atomic { op, .. } = t.work
                && let Some(write) = out.clone().into_iter().next()
            {
                let (requester, resp) = (t.requester, flits::RespErr::Ok);
                let answer = match t.old {
                    Some(data) if op == Opcode::AtomicLoad => HomeOut::CompData {
                        requester,
                        data,
                        resp,
                    },
                    _ => HomeOut::Comp {
                        requester,
                        state: CacheState::I,
                        resp,
                    },
                };
                out = Outputs::two(write, answer);
                line.transaction = None;
            }
        }
        Fault::AtomicForgetsTheRest if is_atomic(&open) => {
            out = out.map(|message| match message {
                HomeOut::MemWrite(Payload::Line(_)) => {
                    HomeOut::MemWrite(Payload::Write(Write::Computed))
                }
                other => other,
            });
        }
        Fault::AtomicAwaitsAck => {
            if let Some(t) = &mut line.transaction
                && open.is_none()
                && matches!(t.work, Work::Atomic { .. })
            {
                t.ack = true;
            }
        }
        Fault::GrantsUniqueBesideSharers => {
            out = out.map(|message| match message {
                HomeOut::MemRead {
                    requester,
                    state: CacheState::SC,
                } => HomeOut::MemRead {
                    requester,
                    state: CacheState::UC,
                },
                other => other,
            });
        }
        Fault::WaitsForAnEvictedOwner if answer && reads(&out) => out = Outputs::none(),
        Fault::AsksTheOwnerAgain => {
            if let (true, Directory::Unique(owner), Some(t)) =
                (answer && reads(&out), directory, &mut line.transaction)
            {
                line.directory = directory;
                t.snoops = NodeSet::one(owner);
                out = Outputs::one(HomeOut::Snoop {
                    op: match t.work {
                        Work::Request(Opcode::ReadShared) => Opcode::SnpSharedFwd,
                        Work::Request(Opcode::ReadOnce) => Opcode::SnpOnceFwd,
                        _ => Opcode::SnpUniqueFwd,
                    },
                    targets: t.snoops,
                    requester: t.requester,
                });
            }
        }
        _ => {}
    }
    Ok((line, out))
}

fn is_atomic(open: &Option<Transaction<Value>>) -> bool {
    (open.as_ref()).is_some_and(|t| matches!(t.work, Work::Atomic { .. }))
}

/// Is memory asked to read?
fn reads(out: &Outputs<HomeOut<Value>>) -> bool {
    let mut out = out.clone().into_iter();
    out.any(|message| matches!(message, HomeOut::MemRead { .. }))
}

fn forget_first(line: &mut HomeLine<Value>, message: HomeOut<Value>) -> HomeOut<Value> {
    match message {
        HomeOut::Snoop {
            op: op @ Opcode::SnpMakeInvalid,
            targets,
            requester,
        } if targets.iter().count() > 1 => {
            let forgotten = targets.iter().next().unwrap_or_default();
            if let Some(t) = &mut line.transaction {
                t.snoops = t.snoops.without(forgotten);
            }
            let targets = targets.without(forgotten);
            HomeOut::Snoop {
                op,
                targets,
                requester,
            }
        }
        other => other,
    }
}

/// One step of a node.
pub(super) fn node(
    fault: Option<Fault>,
    mut line: NodeLine<Value>,
    input: NodeIn<Value>,
) -> NodeStep {
    let snoop = match input {
        NodeIn::Snoop(op) => Some(op),
        _ => None,
    };
    let kept = line.clone();
    if fault == Some(Fault::ForgetsWriteBackBuffer)
        && snoop.is_some()
        && matches!(line.pending, Pending::WriteBack(_))
    {
        line.pending = Pending::WriteBack(None);
    }
    let (mut line, mut out) = right_node(line, input)?;
    match fault {
        Some(Fault::KeepsInvalidatedCopy)
            if snoop == Some(Opcode::SnpMakeInvalid) && kept.state == CacheState::SC =>
        {
            line = kept;
        }
        Some(Fault::OwnerStaysUnique) if snoop == Some(Opcode::SnpSharedFwd) => {
            line.state = kept.state;
        }
        Some(Fault::AcksNothing) => {
            out = out.map(|message| match message {
                NodeOut::CompAck { .. } => NodeOut::CompAck {
                    state: CacheState::I,
                },
                other => other,
            });
        }
        Some(Fault::ForwardsDirtyAsClean) => {
            out = out.map(|message| match message {
                NodeOut::Forward {
                    state: CacheState::UD,
                    data,
                } => NodeOut::Forward {
                    state: CacheState::UC,
                    data,
                },
                other => other,
            });
        }
        _ => {}
    }
    Ok((line, out))
}
