//! A caching node's side of one line.

use super::{LineData, Outputs, Violation, violation};
use flits::{CacheState, Opcode, RespErr};

/// One line in a caching node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeLine<D> {
    /// State of the copy in the cache.
    pub state: CacheState,
    /// The copy: `Some` exactly when `state` is not I.
    pub data: Option<D>,
    /// The one request of this line that has not been answered.
    pub pending: Pending<D>,
}

/// A node's unanswered request of a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pending<D> {
    /// None.
    None,
    /// ReadShared, ReadUnique, CleanUnique, ReadOnce, WriteUnique, CleanInvalid or a far atomic.
    Request(Opcode),
    /// MakeUnique, and the new contents the line gets with the answer.
    MakeUnique(D),
    /// WriteBackFull: the write-back buffer, void once a snoop has taken the line.
    WriteBack(Option<D>),
    /// Evict.
    Evict,
}

/// What can happen to a line in a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeIn<D: LineData> {
    /// The node starts ReadShared, ReadUnique, CleanUnique, ReadOnce, CleanInvalid, WriteBackFull or
    /// Evict.
    Issue(Opcode),
    /// The node starts MakeUnique to overwrite the line with these contents.
    IssueMakeUnique(D),
    /// The node starts WriteUnique.
    IssueWriteUnique(D::Write),
    /// The node starts a far atomic: AtomicStore, AtomicLoad, AtomicSwap or AtomicCompare.
    IssueAtomic(Opcode, D::Atomic),
    /// A store commits: the line's contents are now these.
    Store(D),
    /// A snoop arrives.
    Snoop(Opcode),
    /// CompData arrives.
    CompData {
        /// Granted state.
        state: CacheState,
        /// The line.
        data: D,
    },
    /// Comp arrives.
    Comp {
        /// Granted state.
        state: CacheState,
        /// Anything but Ok: the request failed and changed nothing.
        resp: RespErr,
        /// A home waits for CompAck; false when the request never reached one.
        from_home: bool,
    },
}

/// What a node sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeOut<D: LineData> {
    /// A request to the home, with the state of the node's copy before it.
    Request {
        /// Opcode of class REQ.
        op: Opcode,
        /// State of the copy.
        state: CacheState,
        /// Payload.
        data: Option<Payload<D>>,
    },
    /// CompData to the snoop's forward node.
    Forward {
        /// State granted to it.
        state: CacheState,
        /// The line.
        data: D,
    },
    /// The snoop's answer to the home.
    SnoopAnswer {
        /// SnpResp, SnpRespFwded, SnpRespData or SnpRespDataFwded.
        op: Opcode,
        /// State of the node's copy now.
        state: CacheState,
        /// Dirty data for the home.
        data: Option<D>,
    },
    /// CompAck to the home.
    CompAck {
        /// State reached.
        state: CacheState,
    },
}

/// What a write carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload<D: LineData> {
    /// A whole line, of a write-back.
    Line(D),
    /// An uncached store.
    Write(D::Write),
    /// A far atomic.
    Atomic(D::Atomic),
}

impl<D> Default for NodeLine<D> {
    fn default() -> Self {
        Self {
            state: CacheState::I,
            data: None,
            pending: Pending::None,
        }
    }
}

impl<D> NodeLine<D> {
    /// Nothing is held and nothing is in flight: the node may forget the line.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == CacheState::I && matches!(self.pending, Pending::None)
    }

    fn set(&mut self, state: CacheState, data: Option<D>) {
        self.state = state;
        self.data = data;
    }
}

type Step<D> = Result<(NodeLine<D>, Outputs<NodeOut<D>>), Violation>;

/// One step of a node for one line.
///
/// * `Issue*`: a request starts, one of a line at a time. What is asked follows from the state:
///   copies are asked for in I, permission in SC (MakeUnique in either), only what is held can be
///   given up, and what is written or flushed elsewhere is not held. WriteBackFull and Evict empty the cache at once; what is written back stays in a
///   buffer until it is answered.
/// * `Store`: in UC or UD; UC becomes UD without a word.
/// * `Snoop`: see `snoop`.
/// * `CompData`: the answer to a read brings the line and the state to have it in. It is the answer
///   to CleanUnique too if the copy was lost meanwhile (race 2). To a far atomic it brings the old
///   value.
/// * `Comp`: permission for a copy that is still held (CleanUnique), or for the new contents that
///   the node has ready (MakeUnique); otherwise the end of what was given up or written. An error
///   ends the request and leaves the copy as it is.
///
/// Every answer to a request that may change the directory, and to ReadOnce, is acknowledged with
/// the state reached, so that the home can start the line's next transaction.
///
/// # Errors
/// [`Violation`] when the input cannot happen in this state under the protocol.
pub fn node<D: LineData>(line: NodeLine<D>, input: NodeIn<D>) -> Step<D> {
    match input {
        NodeIn::Issue(op) => issue(line, op),
        NodeIn::IssueMakeUnique(new) => {
            if !matches!(line.state, CacheState::I | CacheState::SC) {
                return violation(format_args!("MakeUnique issued in {}", line.state));
            }
            start(line, Opcode::MakeUnique, Pending::MakeUnique(new), None)
        }
        NodeIn::IssueWriteUnique(write) => {
            if line.state != CacheState::I {
                return violation(format_args!("WriteUnique issued in {}", line.state));
            }
            let pending = Pending::Request(Opcode::WriteUnique);
            start(
                line,
                Opcode::WriteUnique,
                pending,
                Some(Payload::Write(write)),
            )
        }
        NodeIn::IssueAtomic(op, atomic) => {
            if !op.is_atomic() || line.state != CacheState::I {
                return violation(format_args!("{op} issued in {}", line.state));
            }
            let data = Some(Payload::Atomic(atomic));
            start(line, op, Pending::Request(op), data)
        }
        NodeIn::Store(data) => store(line, data),
        NodeIn::Snoop(op) => snoop(line, op),
        NodeIn::CompData { state, data } => comp_data(line, state, data),
        NodeIn::Comp {
            state,
            resp: RespErr::Ok,
            ..
        } => comp(line, state),
        NodeIn::Comp { from_home, .. } => failed(line, from_home),
    }
}

fn start<D: LineData>(
    mut line: NodeLine<D>,
    op: Opcode,
    pending: Pending<D>,
    data: Option<Payload<D>>,
) -> Step<D> {
    if !matches!(line.pending, Pending::None) {
        return violation(format_args!("{op} issued while a request is unanswered"));
    }
    let state = line.state;
    line.pending = pending;
    Ok((line, Outputs::one(NodeOut::Request { op, state, data })))
}

/// Starts a request; what is given up leaves the cache at once.
fn issue<D: LineData>(line: NodeLine<D>, op: Opcode) -> Step<D> {
    use CacheState::{I, SC, UC, UD};
    match (op, line.state) {
        (Opcode::ReadShared | Opcode::ReadUnique | Opcode::ReadOnce | Opcode::CleanInvalid, I)
        | (Opcode::CleanUnique, SC) => start(line, op, Pending::Request(op), None),
        (Opcode::Evict, state @ (SC | UC)) => {
            let (mut line, _) = start(line, op, Pending::Evict, None)?;
            line.set(I, None);
            Ok((
                line,
                Outputs::one(NodeOut::Request {
                    op,
                    state,
                    data: None,
                }),
            ))
        }
        (Opcode::WriteBackFull, UD) => {
            let data = line.data.clone();
            let (mut line, out) = start(
                line,
                op,
                Pending::WriteBack(data.clone()),
                data.map(Payload::Line),
            )?;
            line.set(I, None);
            Ok((line, out))
        }
        (op, state) => violation(format_args!("{op} issued in {state}")),
    }
}

fn store<D: LineData>(mut line: NodeLine<D>, data: D) -> Step<D> {
    if !matches!(line.state, CacheState::UC | CacheState::UD) {
        return violation(format_args!("store committed in {}", line.state));
    }
    line.set(CacheState::UD, Some(data));
    Ok((line, Outputs::none()))
}

/// Answers a snoop from the copy, or from the write-back buffer of a line that is leaving.
///
/// The forwarding snoops send the requester its data: with SnpSharedFwd both have SC afterwards and
/// dirty data goes home as well; with SnpUniqueFwd the line moves as it is, dirty or not; with
/// SnpOnceFwd nothing changes here. SnpUnique brings dirty data home, SnpMakeInvalid drops it.
///
/// The buffer of a WriteBackFull answers as UD but never keeps a shared copy; once it has given the
/// line up it is void, for the write-back will be stale (race 1). After an Evict there is nothing
/// to give: SnpResp in I, and the home helps itself from memory (race 3).
fn snoop<D: LineData>(mut line: NodeLine<D>, op: Opcode) -> Step<D> {
    use CacheState::{I, SC, UC, UD};
    let answer = |op, state, data| NodeOut::SnoopAnswer { op, state, data };
    let dropped = || Outputs::one(answer(Opcode::SnpResp, I, None));

    let leaving = match &mut line.pending {
        Pending::WriteBack(buffer) => Some(buffer),
        Pending::Evict => return Ok((line, dropped())),
        _ => None,
    };
    let (state, data) = match &leaving {
        Some(buffer) => (if buffer.is_some() { UD } else { I }, (*buffer).clone()),
        None => (line.state, line.data.clone()),
    };
    let Some(data) = data else {
        return if leaving.is_some() {
            Ok((line, dropped()))
        } else {
            violation(format_args!("{op} for a line that is not held"))
        };
    };

    let (out, after) = match (op, state) {
        (Opcode::SnpSharedFwd, UC | UD) => {
            let after = if leaving.is_some() { I } else { SC };
            let forward = NodeOut::Forward {
                state: SC,
                data: data.clone(),
            };
            let reply = if state == UD {
                answer(Opcode::SnpRespDataFwded, after, Some(data))
            } else {
                answer(Opcode::SnpRespFwded, after, None)
            };
            (Outputs::two(forward, reply), after)
        }
        (Opcode::SnpUniqueFwd, UC | UD) => {
            let forward = NodeOut::Forward { state, data };
            (
                Outputs::two(forward, answer(Opcode::SnpRespFwded, I, None)),
                I,
            )
        }
        (Opcode::SnpOnceFwd, UC | UD) => {
            let forward = NodeOut::Forward { state: I, data };
            (
                Outputs::two(forward, answer(Opcode::SnpRespFwded, state, None)),
                state,
            )
        }
        (Opcode::SnpUnique, UD) => (Outputs::one(answer(Opcode::SnpRespData, I, Some(data))), I),
        (Opcode::SnpUnique, UC) | (Opcode::SnpMakeInvalid, SC | UC | UD) => (dropped(), I),
        (op, state) => return violation(format_args!("{op} to a node in {state}")),
    };
    match leaving {
        Some(buffer) if after == I => *buffer = None,
        Some(_) => {}
        None if after == I => line.set(I, None),
        None => line.state = after,
    }
    Ok((line, out))
}

/// The line arrives with the state to have it in; what ReadOnce brings is not kept. The old value
/// that answers a far atomic is not acknowledged, since its home has done everything before.
fn comp_data<D: LineData>(mut line: NodeLine<D>, granted: CacheState, data: D) -> Step<D> {
    use CacheState::{I, SC, UC, UD};
    let Pending::Request(op) = line.pending else {
        return violation("CompData without a read in flight");
    };
    match (op, granted) {
        (Opcode::ReadShared, SC | UC) | (Opcode::ReadUnique | Opcode::CleanUnique, UC | UD)
            if line.state == I =>
        {
            line.set(granted, Some(data));
        }
        (Opcode::ReadOnce, I) => {}
        (Opcode::AtomicLoad | Opcode::AtomicSwap | Opcode::AtomicCompare, I) => {
            line.pending = Pending::None;
            return Ok((line, Outputs::none()));
        }
        (op, granted) => {
            return violation(format_args!(
                "CompData {granted} answers {op} in {}",
                line.state
            ));
        }
    }
    line.pending = Pending::None;
    Ok((line, Outputs::one(NodeOut::CompAck { state: granted })))
}

/// The answer without data: permission, or the end of what was given up, written or flushed.
fn comp<D: LineData>(mut line: NodeLine<D>, granted: CacheState) -> Step<D> {
    use CacheState::{SC, UC, UD};
    let acknowledged = match (std::mem::replace(&mut line.pending, Pending::None), granted) {
        (Pending::Request(Opcode::CleanUnique), UC) if line.state == SC => {
            line.state = UC;
            true
        }
        (Pending::MakeUnique(new), UD) => {
            line.set(UD, Some(new));
            true
        }
        (Pending::WriteBack(_) | Pending::Evict, _) => false,
        (Pending::Request(Opcode::WriteUnique | Opcode::CleanInvalid | Opcode::AtomicStore), _) => {
            false
        }
        _ => {
            return violation(format_args!(
                "Comp {granted} answers nothing asked in {}",
                line.state
            ));
        }
    };
    let out = if acknowledged {
        Outputs::one(NodeOut::CompAck { state: granted })
    } else {
        Outputs::none()
    };
    Ok((line, out))
}

/// An error ends the request and changes nothing. A home waits for the CompAck of what it would
/// have granted; the way into the switch, where a request may have ended, does not.
fn failed<D: LineData>(mut line: NodeLine<D>, from_home: bool) -> Step<D> {
    let needs_ack = match std::mem::replace(&mut line.pending, Pending::None) {
        Pending::None => return violation("an error Comp without a request in flight"),
        Pending::Request(op) => op.is_acknowledged(),
        Pending::MakeUnique(_) => true,
        Pending::WriteBack(_) | Pending::Evict => false,
    };
    let out = if needs_ack && from_home {
        Outputs::one(NodeOut::CompAck { state: line.state })
    } else {
        Outputs::none()
    };
    Ok((line, out))
}
