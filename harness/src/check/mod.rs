//! Checkers of a running simulation.
//!
//! The links and the agents report what happens through the `on_` hooks of [`Checkers`] (`hooks`); each
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
//! Nothing here ends the run: the first [`Failure`] is kept for whoever owns the clock. During a run
//! it is found some cycles late, since what was reported is judged in batches (`reports`).

mod cable;
pub(crate) mod conformance;
pub mod coverage;
mod delivery;
mod golden;
mod hooks;
mod link;
mod order;
mod pages;
mod poison;
mod recorder;
mod reports;
mod suite;
mod swmr;
mod transactions;

use std::fmt;

use flits::layout::LINE_BYTES;
use flits::{CacheState, Data, Numbering, Packet};

use crate::consistency::Model;
use crate::dut::AddressMap;
use crate::protocol::pairs::Pairs;
use crate::topology::Topology;
use crate::{Failure, FailureKind};
use reports::{Report, Reports};
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
    /// What was reported and is not judged yet.
    reports: Reports,
    /// How many reports may wait.
    patience: usize,
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

/// Reports that are judged together while judgement is put off.
const BATCH: usize = 512;

impl Checkers {
    /// Checkers of a system that has just been reset.
    pub fn new(config: CheckConfig) -> Self {
        Checkers {
            suite: Some(Box::new(Suite::new(config))),
            ..Checkers::off()
        }
    }

    /// Checkers that check nothing, for measurements of speed.
    pub fn off() -> Self {
        Checkers {
            suite: None,
            failure: None,
            reports: Reports::default(),
            patience: 1,
        }
    }

    /// Whether a violation was found.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The first violation found, taken out; what was reported after it is forgotten.
    pub fn take_failure(&mut self) -> Option<Failure> {
        let failure = self.failure.take()?;
        self.reports.clear();
        Some(failure)
    }

    /// From now on a violation may be found some cycles late, until [`Checkers::catch_up`].
    pub(crate) fn put_off(&mut self) {
        self.patience = BATCH;
    }

    /// Judges all that was reported; from now on each report is judged at once.
    pub(crate) fn catch_up(&mut self) {
        self.patience = 1;
        self.judge();
    }

    /// Judges what was reported, up to the cycle of the first violation.
    #[inline(never)]
    fn judge(&mut self) {
        if let Some(suite) = &mut self.suite {
            for (cycle, report) in &self.reports.list {
                if self
                    .failure
                    .as_ref()
                    .is_some_and(|failure| failure.cycle < *cycle)
                {
                    break;
                }
                if let Err(found) = suite.judge(*cycle, report, &self.reports)
                    && self.failure.is_none()
                {
                    self.failure = Some(found.at(*cycle));
                }
            }
        }
        self.reports.clear();
    }

    /// Keeps a report, if anything is checked at all.
    #[inline]
    fn report(&mut self, cycle: u64, report: impl FnOnce(&mut Reports) -> Report) {
        if self.suite.is_none() {
            return;
        }
        let report = report(&mut self.reports);
        self.reports.list.push((cycle, report));
        if self.reports.list.len() >= self.patience {
            self.judge();
        }
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
        self.judge();
        if let Some(suite) = &mut self.suite
            && self.failure.is_none()
            && let Err(found) = suite.end(cached, memory)
        {
            self.failure = Some(found.at(cycle));
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.counts()),
        }
    }
}
