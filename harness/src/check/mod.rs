//! Checkers of a running simulation.
//!
//! The links and the agents report what happens through the `on_` hooks of [`Checkers`]; each
//! checker is a module of its own and judges only what it is told:
//!
//! * `link`: every word: framing, legal headers, who may send what, credits;
//! * `cable`: every word between chips: framing, legal headers, credits;
//! * `delivery`: what goes from port to port arrives once, whole, unchanged, in order;
//! * `transactions`: every packet fits its transaction, and every transaction ends in time;
//! * `swmr`: single writer or many readers, at every change of a line's state;
//! * `golden`: every load, forward and memory read gives the bytes last stored;
//! * `poison`: data written as corrupt is read as corrupt, and no other;
//! * `order`: each node sees its own stores, in program order;
//! * [`coverage`]: not a check: what of all that may happen has happened;
//! * `conformance`: every home does what the specification's home does;
//! * `recorder`: what all programs saw together is what the memory model of their nodes allows.
//!
//! Nothing here ends the run: the first [`Failure`] is kept for whoever owns the clock.

mod cable;
pub(crate) mod conformance;
pub mod coverage;
mod delivery;
mod golden;
mod link;
mod order;
mod pages;
mod poison;
mod recorder;
mod suite;
mod swmr;
mod transactions;

use std::fmt;

use flits::layout::LINE_BYTES;
use flits::{CacheState, Data, LinkWord, Numbering, Packet, RespErr};

use crate::agents::{LineBytes, OpKind};
use crate::consistency::Model;
use crate::dut::{AddressMap, HomeView};
use crate::protocol::pairs::Pairs;
use crate::protocol::{NodeIn, NodeLine};
use crate::topology::{End, Topology};
use crate::{Failure, FailureKind};
use suite::Suite;

/// Cycles that a request may stay unanswered, unless configured.
pub const STUCK_AFTER: u64 = 20_000;

/// Which way a word travels on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the device into the switch.
    ToSwitch,
    /// Out of the switch to the device.
    ToNode,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Direction; 2] = [Direction::ToSwitch, Direction::ToNode];
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::ToSwitch => "to the switch",
            Direction::ToNode => "to the node",
        })
    }
}

/// What is connected to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortKind {
    /// A processor with a coherent cache.
    Cached,
    /// A device that caches nothing.
    Io,
    /// A memory.
    Memory,
    /// A device that may send illegal words: what it sends is not judged, only that it disturbs no
    /// one else.
    Hostile,
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PortKind::Cached => "node with a cache",
            PortKind::Io => "node without a cache",
            PortKind::Memory => "memory",
            PortKind::Hostile => "hostile device",
        })
    }
}

/// Where a load found its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadSource {
    /// All bytes come from the cache.
    Cache,
    /// Some bytes come from the node's own stores that are not visible yet.
    StoreBuffer,
}

/// What the checkers must know of the system beforehand.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// What is connected to each port.
    pub kinds: Vec<PortKind>,
    /// The memory model that the programs on each port may count on.
    pub models: Vec<Model>,
    /// The address map in the switch.
    pub map: AddressMap,
    /// The chips and their cables; `None` if there are links on the cables.
    pub cables: Option<Topology>,
    /// The partitions that each port is a member of.
    pub partitions: Vec<u16>,
    /// Credits that the switch grants for each class.
    pub switch_depth: u32,
    /// Credits that a device grants for each class.
    pub node_depth: u32,
    /// Cycles that a request may stay unanswered.
    pub stuck_after: u64,
    /// How the directories of the homes number the nodes; `None` if homes are not compared with the
    /// specification.
    pub directories: Option<Numbering>,
    /// Keep every packet for [`Checkers::packets`].
    pub log_packets: bool,
}

/// A packet that passed a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPacket {
    /// Cycle of its header.
    pub begin: u64,
    /// Cycle of its last word.
    pub cycle: u64,
    /// The port.
    pub port: usize,
    /// Which way.
    pub direction: Direction,
    /// The packet.
    pub packet: Packet,
}

/// Is shown a line in a cache: node, address, state, data.
pub type LineVisitor<'a> = dyn FnMut(usize, u64, CacheState, &[u8; LINE_BYTES]) + 'a;

/// How much was checked: evidence that checks were at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// Link words seen.
    pub words: u64,
    /// Packets whose delivery or transaction was checked.
    pub packets: u64,
    /// Changes of a line's state in a cache.
    pub state_changes: u64,
    /// Loads compared with the last store.
    pub loads: u64,
    /// Stores performed in a cache.
    pub stores: u64,
    /// Lines that left a cache, compared with the last store.
    pub lines_out: u64,
    /// Reads and writes at memories, compared with the last store.
    pub memory_accesses: u64,
    /// Lines compared with the last store at the end.
    pub final_lines: u64,
    /// Operations judged by the memory model.
    pub operations: u64,
    /// Inputs of homes compared with the specification.
    pub home_inputs: u64,
}

/// All checkers of one run.
///
/// A node is named by its port, a line by its byte address, an operation by its running number on
/// its node. Hooks return nothing; ask [`Checkers::failed`] once a cycle.
pub struct Checkers {
    suite: Option<Box<Suite>>,
    failure: Option<Failure>,
}

/// The place of a violation is known to the checker, the cycle to the facade.
pub(crate) struct Violation {
    kind: FailureKind,
    message: String,
}

impl Violation {
    /// The failure, found in this cycle.
    pub(crate) fn at(self, cycle: u64) -> Failure {
        Failure::new(cycle, self.kind, self.message)
    }
}

/// Nothing wrong, or what is.
pub(crate) type Verdict = Result<(), Box<Violation>>;

fn violation(kind: FailureKind, message: String) -> Box<Violation> {
    Box::new(Violation { kind, message })
}

impl Checkers {
    /// Checkers of a system that has just been reset.
    pub fn new(config: CheckConfig) -> Self {
        Checkers {
            suite: Some(Box::new(Suite::new(config))),
            failure: None,
        }
    }

    /// Checkers that check nothing, for measurements of speed.
    pub fn off() -> Self {
        Checkers {
            suite: None,
            failure: None,
        }
    }

    /// Whether a violation was found.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The first violation found, taken out.
    pub fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// How much was checked so far.
    pub fn counts(&self) -> CheckCounts {
        let counts = |suite: &Suite| CheckCounts {
            operations: suite.recorder.judged(),
            home_inputs: suite.home_inputs(),
            ..suite.counts
        };
        self.suite.as_deref().map_or(CheckCounts::default(), counts)
    }

    /// Keeps the order of all writes from now on.
    pub fn keep_order(&mut self) {
        if let Some(suite) = &mut self.suite {
            suite.recorder.keep_order();
        }
    }

    /// The writes since [`Checkers::keep_order`] in the order in which they became visible: node and
    /// operation. Without checks there are none.
    pub fn take_order(&mut self) -> Vec<(usize, u64)> {
        let suite = self.suite.as_mut();
        suite.map_or(Vec::new(), |suite| suite.recorder.take_order())
    }

    /// What far atomics that gave their programs no value have left in memory since
    /// [`Checkers::keep_order`]: node, operation, bytes. Those that changed nothing are not among
    /// them, and without checks there are none.
    pub fn take_computed(&mut self) -> Vec<(usize, u64, Data)> {
        let suite = self.suite.as_mut();
        suite.map_or(Vec::new(), |suite| suite.recorder.take_computed())
    }

    /// Every packet so far, in the order of their last words; empty unless
    /// [`CheckConfig::log_packets`] is set.
    pub fn packets(&self) -> &[SeenPacket] {
        self.suite.as_ref().map_or(&[], |suite| &suite.log)
    }

    /// The receiver of `direction` on `port` grants a credit for each class whose bit is set.
    #[inline]
    pub fn on_credit(&mut self, cycle: u64, port: usize, direction: Direction, mask: u8) {
        self.run(cycle, |suite| suite.credit(port, direction, mask));
    }

    /// A word passes `port`.
    #[inline]
    pub fn on_word(&mut self, cycle: u64, port: usize, direction: Direction, word: &LinkWord) {
        self.run(cycle, |suite| suite.word(cycle, port, direction, word));
    }

    /// A line in a node gets an input of the protocol.
    #[inline]
    pub fn on_node_input(&mut self, line: &NodeLine<LineBytes>, input: &NodeIn<LineBytes>) {
        if let Some(suite) = &mut self.suite {
            suite.node_input(line, input);
        }
    }

    /// Which states of homes and nodes met which inputs, so far.
    pub fn pairs(&self) -> Pairs {
        let pairs = |suite: &Suite| suite.pairs();
        self.suite.as_deref().map_or(Pairs::default(), pairs)
    }

    /// Whether homes are compared with the specification.
    #[inline]
    pub fn wants_homes(&self) -> bool {
        self.suite.as_ref().is_some_and(|suite| suite.wants_homes())
    }

    /// A home slice of a chip takes and sends something.
    #[inline]
    pub fn on_home(&mut self, cycle: u64, chip: usize, slice: usize, view: &HomeView) {
        self.run(cycle, |suite| suite.home(chip, slice, view));
    }

    /// The chip at the `end` of a cable grants the other end a credit for each class whose bit is
    /// set.
    #[inline]
    pub fn on_cable_credit(&mut self, cycle: u64, end: End, mask: u8) {
        self.run(cycle, |suite| suite.cables.credit(end, mask));
    }

    /// The chip at the `end` of a cable sends a word.
    #[inline]
    pub fn on_cable_word(&mut self, cycle: u64, end: End, word: &LinkWord) {
        self.run(cycle, |suite| suite.cables.word(end, word));
    }

    /// A cache changes its state of a line.
    #[inline]
    pub fn on_state(
        &mut self,
        cycle: u64,
        node: usize,
        line: u64,
        old: CacheState,
        new: CacheState,
    ) {
        self.run(cycle, |suite| suite.state(node, line, old, new));
    }

    /// A load takes its value.
    #[inline]
    pub fn on_load(
        &mut self,
        cycle: u64,
        node: usize,
        op: u64,
        addr: u64,
        bytes: &[u8],
        source: LoadSource,
    ) {
        self.run(cycle, |suite| suite.load(node, op, addr, bytes, source));
    }

    /// A store enters the store buffer of its node.
    #[inline]
    pub fn on_store_issue(&mut self, cycle: u64, node: usize, op: u64, addr: u64, bytes: &[u8]) {
        self.run(cycle, |suite| suite.store_issue(node, op, addr, bytes));
    }

    /// A store becomes visible in a line that its node holds alone. An atomic is a load and then a
    /// store with the same number in the same cycle.
    #[inline]
    pub fn on_store(&mut self, cycle: u64, node: usize, op: u64, addr: u64, bytes: &[u8]) {
        self.run(cycle, |suite| suite.store(node, op, addr, bytes));
    }

    /// Data leaves a cache: forwarded, as the answer to a snoop, or written back.
    #[inline]
    pub fn on_data_out(&mut self, cycle: u64, node: usize, line: u64, data: &[u8; LINE_BYTES]) {
        self.run(cycle, |suite| suite.data_out(node, line, data));
    }

    /// The memory on port `memory` reads `bytes` at its local address.
    #[inline]
    pub fn on_mem_read(&mut self, cycle: u64, memory: usize, local: u64, bytes: &[u8]) {
        self.run(cycle, |suite| suite.mem_read(memory, local, bytes));
    }

    /// The memory on port `memory` performs a write at its local address: of more than 16 bytes, or
    /// of those bytes of one 16-byte beat whose bit in `be` is set.
    #[inline]
    pub fn on_mem_write(
        &mut self,
        cycle: u64,
        memory: usize,
        local: u64,
        bytes: &[u8],
        be: u16,
        poison: bool,
    ) {
        self.run(cycle, |suite| {
            suite.mem_write(memory, local, bytes, be, poison)
        });
    }

    /// A program submits an operation.
    #[inline]
    pub fn on_op_start(
        &mut self,
        cycle: u64,
        node: usize,
        op: u64,
        kind: OpKind,
        addr: u64,
        _operand: &[u8],
    ) {
        self.run(cycle, |suite| suite.op_start(cycle, node, op, kind, addr));
    }

    /// An operation ends with `status` and gives `bytes` to its program.
    #[inline]
    #[expect(
        clippy::too_many_arguments,
        reason = "what an operation is and how it ended"
    )]
    pub fn on_op_finish(
        &mut self,
        cycle: u64,
        node: usize,
        op: u64,
        kind: OpKind,
        addr: u64,
        status: RespErr,
        bytes: &[u8],
    ) {
        self.run(cycle, |suite| {
            suite.op_finish(cycle, node, op, kind, addr, status, bytes)
        });
    }

    /// Once a cycle: whether anything waits too long.
    #[inline]
    pub fn tick(&mut self, cycle: u64) {
        if cycle.is_multiple_of(suite::PROGRESS_PERIOD) {
            self.run(cycle, |suite| suite.progress(cycle));
        }
    }

    /// The run has ended and the links are quiet: nothing may be open, every credit is home, and
    /// caches and memories hold the last stores.
    ///
    /// `cached` shows every line in a cache to its argument; `memory` reads a line of the memory on
    /// a port at a local address.
    ///
    /// # Errors
    /// The first violation, here or before.
    pub fn finish(
        &mut self,
        cycle: u64,
        cached: &mut dyn FnMut(&mut LineVisitor<'_>),
        memory: &dyn Fn(usize, u64) -> [u8; LINE_BYTES],
    ) -> Result<CheckCounts, Failure> {
        self.run(cycle, |suite| suite.end(cached, memory));
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.counts()),
        }
    }

    /// Runs one hook and keeps the first violation.
    #[inline]
    fn run(&mut self, cycle: u64, hook: impl FnOnce(&mut Suite) -> Verdict) {
        if let Some(suite) = &mut self.suite
            && let Err(found) = hook(suite)
            && self.failure.is_none()
        {
            self.failure = Some(found.at(cycle));
        }
    }
}
