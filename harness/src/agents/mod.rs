//! The devices on the ports: cached nodes, memories, input/output devices.
//!
//! A device is an [`Agent`]. It sees packets, operations of programs and clock cycles, and answers
//! into an [`Outbox`]; it knows neither links nor the simulator. How the state of a line changes is
//! decided by [`crate::protocol`] alone.

mod cache;
mod cached;
mod direct;
mod io;
mod line;
mod lines;
mod memory;
mod ops;
mod outbox;
mod packets;
mod store_buffer;
#[cfg(test)]
mod tests;

pub use cached::{CachedConfig, CachedNode};
pub use io::IoNode;
pub use line::{LineAtomic, LineBytes, LineWrite};
pub(crate) use memory::answer as memory_answer;
pub use memory::{MemoryNode, MemoryTiming};
pub use ops::{EXPECTED_OFFSET, MAX_ACCESS, Op, OpId, OpKind, OpTable, Request, Status};
pub use outbox::Outbox;
pub(crate) use packets::{answer_of, is_poisoned, packet};

use crate::check::Checkers;
use crate::sim::stats::NodeStats;
use crate::{Failure, FailureKind};
use flits::{Class, Flit, Header, NodeId};

/// What an agent works with while it acts.
pub struct Context<'a> {
    /// Clock cycles since reset, the running one included.
    pub cycle: u64,
    /// The port that the agent is on.
    pub port: usize,
    /// Where the agent's packets go.
    pub out: &'a mut Outbox,
    /// The operations of programs.
    pub ops: &'a mut OpTable,
    /// The checkers.
    pub checks: &'a mut Checkers,
    /// What is counted for this agent.
    pub stats: &'a mut NodeStats,
    /// Some device sends what it wants: packets that fit nothing are dropped and no failure.
    pub hostile: bool,
}

/// Some of the nodes of a system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeSet([u64; 1 << NodeId::BITS >> 6]);

impl NodeSet {
    /// Whether the node is one of them.
    pub fn has(&self, node: NodeId) -> bool {
        let id = usize::from(u16::from(node));
        self.0[id / 64] >> (id % 64) & 1 != 0
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut set = NodeSet::default();
        for node in nodes {
            let id = usize::from(u16::from(node));
            set.0[id / 64] |= 1 << (id % 64);
        }
        set
    }
}

/// Outcome of an agent's action.
pub type Step = Result<(), Failure>;

/// A device on a port.
pub trait Agent {
    /// A program asks for an operation.
    ///
    /// # Errors
    /// If the device has no such operation.
    fn submit(&mut self, op: OpId, cx: &mut Context<'_>) -> Step;

    /// Whether a packet of the class can be taken now. The packet is then taken whole.
    fn accepts(&self, class: Class, out: &Outbox) -> bool;

    /// A packet has arrived.
    ///
    /// # Errors
    /// If the protocol has no transition for it.
    fn on_packet(&mut self, header: &Header, payload: &[Flit], cx: &mut Context<'_>) -> Step;

    /// One clock cycle, called in the cycles that [`Agent::wake`] names.
    ///
    /// # Errors
    /// If the device breaks the protocol.
    fn tick(&mut self, cx: &mut Context<'_>) -> Step;

    /// The next cycle in which the device has something to do by itself; `u64::MAX` if it waits
    /// for a packet or an operation.
    fn wake(&self) -> u64;

    /// Whether nothing is in flight.
    fn is_idle(&self) -> bool;
}

/// A packet that fits nothing that the device on a port has in flight.
fn stray(node: NodeId, header: &Header, cx: &mut Context<'_>) -> Step {
    cx.stats.strays += 1;
    match cx.hostile {
        true => Ok(()),
        false => Err(protocol_failure(
            cx.cycle,
            node,
            format!("{header} fits nothing in flight here"),
        )),
    }
}

/// A failure of the protocol seen by the device on a port.
fn protocol_failure(cycle: u64, node: NodeId, what: impl std::fmt::Display) -> Failure {
    Failure::new(cycle, FailureKind::Protocol, format!("node {node}: {what}"))
}
