//! A state of the whole system: nodes, home, memory, and the packets under way.

use super::super::{HomeLine, NodeLine, Payload, Pending};
use super::value::{Age, Value, Write};
use flits::{CacheState, Class, Opcode};
use std::fmt;

/// The most nodes that a model can have.
pub const MAX_NODES: usize = 4;
/// The most lines that a model can have.
pub const MAX_LINES: usize = 2;

/// Who sends and receives packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Agent {
    /// A caching node, by port.
    Node(u8),
    /// The home.
    Home,
    /// The memory behind it.
    Memory,
    /// The way into the switch, which refuses requests that have no right.
    Ingress,
}

/// A packet under way: what the protocol's functions put into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// Sender.
    pub from: Agent,
    /// Receiver.
    pub to: Agent,
    /// Which line.
    pub line: u8,
    /// Opcode; it determines the class.
    pub op: Opcode,
    /// State granted or reached.
    pub state: CacheState,
    /// Payload.
    pub data: Option<Payload<Value>>,
    /// Forward or return node, 0 where there is none; [`Packet::HOME`] for the home itself.
    pub peer: u8,
    /// The response status is Ok.
    pub ok: bool,
}

impl Packet {
    /// The return node of what the home reads for itself.
    pub const HOME: u8 = MAX_NODES as u8;
}

/// A state of the whole system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    /// Each node's lines; those beyond the model's size stay as they began.
    pub nodes: [[NodeLine<Value>; MAX_LINES]; MAX_NODES],
    /// The home's lines.
    pub homes: [HomeLine<Value>; MAX_LINES],
    /// The memory's.
    pub memory: [Value; MAX_LINES],
    /// All packets under way, ordered by channel and, in a channel, by age.
    pub network: Vec<Packet>,
}

impl Agent {
    /// 0 to 6.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Node(n) => n,
            Self::Home => 4,
            Self::Memory => 5,
            Self::Ingress => 6,
        }
    }

    pub(super) fn from_code(code: u8) -> Self {
        match code {
            4 => Self::Home,
            5 => Self::Memory,
            6 => Self::Ingress,
            node => Self::Node(node),
        }
    }
}

impl Default for System {
    fn default() -> Self {
        Self {
            nodes: Default::default(),
            homes: Default::default(),
            memory: [Value::LATEST; MAX_LINES],
            network: Vec::new(),
        }
    }
}

impl System {
    /// Nothing is asked for and nothing is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.network.is_empty()
            && self.homes.iter().all(|home| home.transaction.is_none())
            && (self.nodes.iter().flatten()).all(|line| matches!(line.pending, Pending::None))
    }

    /// A store replaced `halves` of the line: every copy of them there is has become old, and so has
    /// what a far atomic makes of one; but not what a ReadOnce or a far atomic is being brought,
    /// which is a load already performed.
    pub(super) fn replace(&mut self, line: u8, halves: [bool; 2]) {
        if halves == [false; 2] {
            return;
        }
        let index = usize::from(line);
        for node in &mut self.nodes {
            let NodeLine { data, pending, .. } = &mut node[index];
            if let Some(data) = data {
                data.grow_old(halves);
            }
            if let Pending::WriteBack(Some(buffer)) = pending {
                buffer.grow_old(halves);
            }
        }
        if let Some(t) = &mut self.homes[index].transaction
            && let Some(dirty) = &mut t.dirty
        {
            dirty.grow_old(halves);
        }
        self.memory[index].grow_old(halves);
        for packet in self.network.iter_mut().filter(|p| p.line == line) {
            let performed = packet.op == Opcode::CompData
                && packet.state == CacheState::I
                && packet.to != Agent::Home;
            match &mut packet.data {
                Some(Payload::Line(data)) if !performed => {
                    data.grow_old(halves);
                    // Only a far atomic merged with dirty data brings a new first half like this.
                    if halves[0] && data.0[0] == Age::Next {
                        data.0[0] = Age::Old;
                    }
                }
                Some(Payload::Write(write @ Write::Computed)) if halves[0] => *write = Write::Stale,
                _ => {}
            }
        }
    }

    /// The packets to a node about a line.
    pub(super) fn to_node(&self, node: u8, line: u8) -> impl Iterator<Item = &Packet> {
        (self.network.iter()).filter(move |p| p.to == Agent::Node(node) && p.line == line)
    }

    /// Is a request of the line waiting for its turn?
    pub(super) fn request_waits(&self, line: u8) -> bool {
        (self.network.iter()).any(|p| p.line == line && p.op.class() == Class::Req)
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(n) => write!(f, "node {n}"),
            Self::Home => write!(f, "home"),
            Self::Memory => write!(f, "memory"),
            Self::Ingress => write!(f, "ingress"),
        }
    }
}

impl fmt::Display for Packet {
    /// The opcode, with the state where the packet carries one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.op)?;
        if self.op == Opcode::MemRead && self.peer == Packet::HOME {
            return write!(f, " for the home");
        }
        let stateful = match self.op {
            Opcode::Comp => self.state != CacheState::I,
            Opcode::MemRead => true,
            Opcode::MemWrite => false,
            op => matches!(op.class(), Class::Rsp | Class::Dat),
        };
        if stateful {
            write!(f, " {}", self.state)?;
        }
        match self.ok {
            true => Ok(()),
            false => write!(f, " failed"),
        }
    }
}
