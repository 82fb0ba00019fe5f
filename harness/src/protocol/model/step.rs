//! What can happen in a state, and what comes of it.

use super::super::{
    Directory, HomeIn, HomeOut, NodeIn, NodeOut, Payload, Pending, Violation, Work,
};
use super::rules::{Broken, Rule};
use super::system::{Agent, Packet, System};
use super::value::{Age, Value, Write};
use super::{Protocol, Recalls, fault};
use crate::topology::CLASS_TABLE;
use flits::{CacheState, Class, Opcode, RespErr};
use std::fmt;

/// What a node may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A request without a choice.
    Plain(Opcode),
    /// WriteUnique.
    Write(Write),
    /// A far atomic.
    Atomic(Opcode),
}

/// One step of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A node starts a request.
    Issue {
        /// Who.
        node: u8,
        /// Of which line.
        line: u8,
        /// What.
        ask: Ask,
    },
    /// A node in UC or UD stores.
    Store {
        /// Who.
        node: u8,
        /// Where.
        line: u8,
    },
    /// The home recalls a line.
    Recall {
        /// Which.
        line: u8,
    },
    /// The oldest packet of a channel arrives.
    Deliver(Packet),
    /// The way into the switch refuses a request.
    Refuse(Packet),
    /// Memory cannot do what this packet asks.
    Fail(Packet),
}

/// AtomicSwap and AtomicCompare are to nodes and home what AtomicLoad is: they differ in what is
/// computed, which the model does not know.
pub(crate) const ASKS: [Ask; 12] = [
    Ask::Plain(Opcode::ReadShared),
    Ask::Plain(Opcode::ReadUnique),
    Ask::Plain(Opcode::CleanUnique),
    Ask::Plain(Opcode::MakeUnique),
    Ask::Plain(Opcode::WriteBackFull),
    Ask::Plain(Opcode::Evict),
    Ask::Plain(Opcode::ReadOnce),
    Ask::Write(Write::Part),
    Ask::Write(Write::Whole),
    Ask::Plain(Opcode::CleanInvalid),
    Ask::Atomic(Opcode::AtomicStore),
    Ask::Atomic(Opcode::AtomicLoad),
];

impl Ask {
    /// The opcode.
    #[must_use]
    pub fn op(self) -> Opcode {
        match self {
            Self::Plain(op) | Self::Atomic(op) => op,
            Self::Write(_) => Opcode::WriteUnique,
        }
    }

    /// Whether a node may ask for it that has the line so.
    pub(crate) fn is_allowed(self, state: CacheState) -> bool {
        use CacheState::{I, SC, UC, UD};
        match self.op() {
            Opcode::CleanUnique => state == SC,
            Opcode::MakeUnique => matches!(state, I | SC),
            Opcode::WriteBackFull => state == UD,
            Opcode::Evict => matches!(state, SC | UC),
            _ => state == I,
        }
    }
}

/// Does it end with an entry in the directory?
fn needs_entry(op: Opcode) -> bool {
    matches!(
        op,
        Opcode::ReadShared | Opcode::ReadUnique | Opcode::CleanUnique | Opcode::MakeUnique
    )
}

/// Everything that can happen.
pub(super) fn steps(p: &Protocol, s: &System, to: &mut Vec<Step>) {
    let config = &p.config;
    for node in 0..config.nodes {
        let lines = &s.nodes[usize::from(node)];
        let waiting = (lines.iter()).filter(|line| line.pending != Pending::None);
        let full = waiting.count() >= usize::from(config.outstanding);
        for line in 0..config.lines {
            let copy = &lines[usize::from(line)];
            if copy.pending != Pending::None {
                continue;
            }
            if copy.state.is_unique() {
                to.push(Step::Store { node, line });
            }
            if full {
                continue;
            }
            let refused =
                |op: Opcode| op.needs_write() && config.readers.has(node) && !config.errors;
            let asks = ASKS
                .into_iter()
                .filter(|ask| ask.is_allowed(copy.state) && !refused(ask.op()));
            to.extend(asks.map(|ask| Step::Issue { node, line, ask }));
        }
    }
    for line in 0..config.lines {
        let home = &s.homes[usize::from(line)];
        if home.transaction.is_none() && home.directory != Directory::Invalid {
            let recalled = match config.recalls {
                Recalls::None => false,
                Recalls::Any => true,
                Recalls::Room(_) => heads(p, s)
                    .any(|head| head.line != line && is_turn(p, s, head) && !has_room(p, s, head)),
            };
            if recalled {
                to.push(Step::Recall { line });
            }
        }
    }
    for &packet in heads(p, s) {
        let refusable = match packet.from {
            Agent::Node(n) if config.errors && packet.op.class() == Class::Req => {
                let leaves = matches!(packet.op, Opcode::WriteBackFull | Opcode::Evict);
                (!leaves).then_some(packet.op.needs_write() && config.readers.has(n))
            }
            _ => None,
        };
        if refusable.is_some() {
            to.push(Step::Refuse(packet));
        }
        if refusable != Some(true) && is_turn(p, s, &packet) && has_room(p, s, &packet) {
            to.push(Step::Deliver(packet));
        }
        // A memory that fails to take the only copy of a store has lost it, whatever the protocol.
        let up_to_date = s.memory[usize::from(packet.line)] == Value::LATEST;
        let harmless = match packet.data {
            None => true,
            Some(Payload::Write(_)) => up_to_date,
            Some(Payload::Line(_) | Payload::Atomic(())) => false,
        };
        if config.errors && packet.to == Agent::Memory && harmless {
            to.push(Step::Fail(packet));
        }
    }
}

/// The oldest packet of each channel.
fn heads<'a>(p: &'a Protocol, s: &'a System) -> impl Iterator<Item = &'a Packet> {
    let channel = |i: usize| p.channel(&s.network[i]);
    (0..s.network.len())
        .filter(move |&i| i == 0 || channel(i) != channel(i - 1))
        .map(|i| &s.network[i])
}

/// A home takes nothing of class REQ for a line whose transaction is open.
fn is_turn(p: &Protocol, s: &System, packet: &Packet) -> bool {
    let open = s.homes[usize::from(packet.line)].transaction.is_some();
    !(packet.to == Agent::Home && p.class(packet.op) == Class::Req && open)
}

/// Has the directory an entry for what the request brings?
fn has_room(p: &Protocol, s: &System, packet: &Packet) -> bool {
    let Recalls::Room(ways) = p.config.recalls else {
        return true;
    };
    let held = s.homes[usize::from(packet.line)].directory != Directory::Invalid;
    if held || !needs_entry(packet.op) {
        return true;
    }
    let taken = s.homes.iter().filter(|home| {
        let coming = (home.transaction.as_ref())
            .is_some_and(|t| matches!(t.work, Work::Request(op) if needs_entry(op)));
        coming || home.directory != Directory::Invalid
    });
    taken.count() < usize::from(ways)
}

/// Does the step happen even if every receiver waits for all that the table of classes lets it
/// wait for: is nothing under way of a class for which the class of this packet may wait?
pub(super) fn is_reluctant(p: &Protocol, s: &System, step: &Step) -> bool {
    let class = match step {
        Step::Issue { .. } | Step::Store { .. } => return false,
        // A recall is part of serving a request, unless it comes out of the blue.
        Step::Recall { .. } if p.config.recalls == Recalls::Any => return false,
        Step::Recall { .. } => Class::Req,
        Step::Deliver(packet) | Step::Refuse(packet) | Step::Fail(packet) => p.class(packet.op),
    };
    let waits_for = (CLASS_TABLE.iter())
        .find(|row| row.0 == class)
        .map_or(&[][..], |row| row.1);
    !(s.network.iter()).any(|packet| waits_for.contains(&p.class(packet.op)))
}

/// What comes of a step.
pub(super) fn apply(p: &Protocol, s: &System, step: &Step) -> Result<System, Broken> {
    let mut to = s.clone();
    match *step {
        Step::Issue { node, line, ask } => {
            let input = match ask {
                Ask::Plain(Opcode::MakeUnique) => NodeIn::IssueMakeUnique(Value::NEXT),
                Ask::Plain(op) => NodeIn::Issue(op),
                Ask::Write(write) => NodeIn::IssueWriteUnique(write),
                Ask::Atomic(op) => NodeIn::IssueAtomic(op, ()),
            };
            step_node(p, &mut to, node, line, input, 0)?;
        }
        Step::Store { node, line } => {
            to.replace(line, Value::STORED);
            let mut new = Value::LATEST;
            if let Some(data) = to.nodes[usize::from(node)][usize::from(line)].data {
                new.0[1] = data.0[1];
            }
            step_node(p, &mut to, node, line, NodeIn::Store(new), 0)?;
        }
        Step::Recall { line } => step_home(p, &mut to, line, HomeIn::Recall)?,
        Step::Deliver(packet) => {
            take(p, &mut to, &packet);
            deliver(p, &mut to, packet)?;
        }
        Step::Refuse(packet) => {
            take(p, &mut to, &packet);
            send(p, &mut to, error(Agent::Ingress, packet.from, packet.line));
        }
        Step::Fail(packet) => {
            take(p, &mut to, &packet);
            let receiver = match packet.op {
                Opcode::MemRead => reader(packet.peer),
                _ => Agent::Home,
            };
            send(p, &mut to, error(Agent::Memory, receiver, packet.line));
        }
    }
    if p.config.unordered {
        // Packets whose data has grown old have another place.
        to.network.sort_by_key(|packet| p.channel(packet));
    }
    Ok(to)
}

/// Who gets what memory reads.
fn reader(peer: u8) -> Agent {
    match peer {
        Packet::HOME => Agent::Home,
        node => Agent::Node(node),
    }
}

fn error(from: Agent, to: Agent, line: u8) -> Packet {
    Packet {
        ok: false,
        ..packet(from, to, line, Opcode::Comp)
    }
}

fn packet(from: Agent, to: Agent, line: u8, op: Opcode) -> Packet {
    Packet {
        from,
        to,
        line,
        op,
        state: CacheState::I,
        data: None,
        peer: 0,
        ok: true,
    }
}

fn take(p: &Protocol, s: &mut System, packet: &Packet) {
    let channel = p.channel(packet);
    if let Some(at) = s.network.iter().position(|p_| p.channel(p_) == channel) {
        s.network.remove(at);
    }
}

fn send(p: &Protocol, s: &mut System, mut packet: Packet) {
    if !packet.has_peer() {
        packet.peer = 0;
    }
    let channel = p.channel(&packet);
    let at = s
        .network
        .partition_point(|other| p.channel(other) <= channel);
    s.network.insert(at, packet);
}

fn stale(data: Option<Value>, who: impl fmt::Display) -> Result<(), Broken> {
    match data {
        Some(data) if data != Value::LATEST => Err(Broken::new(
            Rule::LastStore,
            format_args!("{who} gives an old value"),
        )),
        _ => Ok(()),
    }
}

fn step_node(
    p: &Protocol,
    s: &mut System,
    n: u8,
    line: u8,
    input: NodeIn<Value>,
    peer: u8,
) -> Result<(), Broken> {
    let place = (usize::from(n), usize::from(line));
    let before = std::mem::take(&mut s.nodes[place.0][place.1]);
    p.note(|pairs| pairs.node(&before, &input));
    let (after, outputs) = fault::node(p.fault, before, input)
        .map_err(|Violation(what)| Broken::new(Rule::Expected, format_args!("node {n}: {what}")))?;
    s.nodes[place.0][place.1] = after;
    let me = Agent::Node(n);
    for output in outputs {
        let out = match output {
            NodeOut::Request { op, data, .. } => Packet {
                data,
                ..packet(me, Agent::Home, line, op)
            },
            NodeOut::Forward { state, data } => {
                stale(Some(data), me)?;
                Packet {
                    state,
                    data: Some(Payload::Line(data)),
                    ..packet(me, Agent::Node(peer), line, Opcode::CompData)
                }
            }
            NodeOut::SnoopAnswer { op, state, data } => {
                stale(data, me)?;
                Packet {
                    state,
                    data: data.map(Payload::Line),
                    ..packet(me, Agent::Home, line, op)
                }
            }
            NodeOut::CompAck { state } => Packet {
                state,
                ..packet(me, Agent::Home, line, Opcode::CompAck)
            },
        };
        send(p, s, out);
    }
    Ok(())
}

fn step_home(p: &Protocol, s: &mut System, line: u8, input: HomeIn<Value>) -> Result<(), Broken> {
    let before = std::mem::take(&mut s.homes[usize::from(line)]);
    p.note(|pairs| pairs.home(&before, &input));
    let (after, outputs) = fault::home(p.fault, before, input)
        .map_err(|Violation(what)| Broken::new(Rule::Expected, format_args!("home: {what}")))?;
    s.homes[usize::from(line)] = after;
    for output in outputs {
        match output {
            HomeOut::Snoop {
                op,
                targets,
                requester,
            } => {
                for target in targets.iter() {
                    let snoop = Packet {
                        peer: requester,
                        ..packet(Agent::Home, Agent::Node(target), line, op)
                    };
                    send(p, s, snoop);
                }
            }
            HomeOut::MemRead { requester, state } => {
                let read = Packet {
                    state,
                    peer: requester,
                    ..packet(Agent::Home, Agent::Memory, line, Opcode::MemRead)
                };
                send(p, s, read);
            }
            HomeOut::Fetch => {
                let read = Packet {
                    peer: Packet::HOME,
                    ..packet(Agent::Home, Agent::Memory, line, Opcode::MemRead)
                };
                send(p, s, read);
            }
            HomeOut::CompData {
                requester,
                data,
                resp,
            } => {
                stale(Some(data), Agent::Home)?;
                let answer = Packet {
                    data: Some(Payload::Line(data)),
                    ok: resp == RespErr::Ok,
                    ..packet(Agent::Home, Agent::Node(requester), line, Opcode::CompData)
                };
                send(p, s, answer);
            }
            HomeOut::MemWrite(payload) => {
                let write = Packet {
                    data: Some(payload),
                    ..packet(Agent::Home, Agent::Memory, line, Opcode::MemWrite)
                };
                send(p, s, write);
            }
            HomeOut::Comp {
                requester,
                state,
                resp,
            } => {
                let comp = Packet {
                    state,
                    ok: resp == RespErr::Ok,
                    ..packet(Agent::Home, Agent::Node(requester), line, Opcode::Comp)
                };
                send(p, s, comp);
            }
        }
    }
    Ok(())
}

fn deliver(p: &Protocol, s: &mut System, packet: Packet) -> Result<(), Broken> {
    let Packet {
        from,
        to,
        line,
        op,
        state,
        data,
        peer,
        ok,
    } = packet;
    let resp = if ok { RespErr::Ok } else { RespErr::DataError };
    let whole = match data {
        Some(Payload::Line(value)) => Some(value),
        _ => None,
    };
    match (from, to, op.class()) {
        (Agent::Node(src), Agent::Home, Class::Req) => {
            let may_write = !p.config.readers.has(src);
            let input = HomeIn::Request {
                op,
                src,
                may_write,
                data,
            };
            step_home(p, s, line, input)
        }
        (Agent::Node(src), Agent::Home, _) if op == Opcode::CompAck => {
            step_home(p, s, line, HomeIn::CompAck { src, state })
        }
        (Agent::Node(src), Agent::Home, _) => {
            let input = HomeIn::SnoopAnswer {
                op,
                src,
                state,
                data: whole,
            };
            step_home(p, s, line, input)
        }
        (_, Agent::Home, Class::Dat) => match whole {
            Some(data) => step_home(p, s, line, HomeIn::MemoryData { data }),
            None => Err(without_data(op)),
        },
        (_, Agent::Home, _) => step_home(p, s, line, HomeIn::MemoryComp { resp }),
        (_, Agent::Memory, _) => memory(p, s, &packet),
        (_, Agent::Node(n), Class::Snp) => step_node(p, s, n, line, NodeIn::Snoop(op), peer),
        (_, Agent::Node(n), Class::Dat) => {
            let data = whole.ok_or_else(|| without_data(op))?;
            step_node(p, s, n, line, NodeIn::CompData { state, data }, 0)
        }
        (_, Agent::Node(n), _) => {
            let index = (usize::from(n), usize::from(line));
            if ok && let Pending::MakeUnique(_) = s.nodes[index.0][index.1].pending {
                // The store that replaces the line is performed.
                s.replace(line, [true; 2]);
                s.nodes[index.0][index.1].pending = Pending::MakeUnique(Value::LATEST);
            }
            let input = NodeIn::Comp {
                state,
                resp,
                from_home: from != Agent::Ingress,
            };
            step_node(p, s, n, line, input, 0)
        }
        (_, Agent::Ingress, _) => Err(Broken::new(Rule::Expected, format_args!("{op} to nobody"))),
    }
}

fn without_data(op: Opcode) -> Broken {
    Broken::new(Rule::Expected, format_args!("{op} without data"))
}

/// The memory reads for a requester or the home, or writes; uncached stores and far atomics are
/// performed here, where no copy is left.
fn memory(p: &Protocol, s: &mut System, request: &Packet) -> Result<(), Broken> {
    let Packet {
        line,
        state,
        data,
        peer,
        ..
    } = *request;
    let cell = usize::from(line);
    let answer = match data {
        None => {
            stale(Some(s.memory[cell]), Agent::Memory)?;
            Packet {
                state,
                data: Some(Payload::Line(s.memory[cell])),
                ..packet(Agent::Memory, reader(peer), line, Opcode::CompData)
            }
        }
        Some(payload) => {
            let new = match payload {
                Payload::Line(value) => value,
                Payload::Write(write) => super::super::LineData::merged(s.memory[cell], &write),
                Payload::Atomic(()) => {
                    let what = "memory is asked to do a far atomic";
                    return Err(Broken::new(Rule::Expected, what));
                }
            };
            s.replace(line, new.coming());
            s.memory[cell] = new.arrived();
            if s.memory[cell].0.contains(&Age::Old) {
                let what = "an old value is written to memory";
                return Err(Broken::new(Rule::NoLostStore, what));
            }
            packet(Agent::Memory, Agent::Home, line, Opcode::Comp)
        }
    };
    send(p, s, answer);
    Ok(())
}
