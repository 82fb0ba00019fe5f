//! A home of the RTL alone among nodes and a memory that are the specification's.
//!
//! Messages wait in channels, ordered as the fabric promises, until whoever drives the home has one
//! delivered: so each order in which messages can reach a home can be had, on purpose
//! ([`super::replay`]) or at random ([`super::scramble`]). What the home takes and sends is compared
//! with the specification as in every simulation. Data is real, and the memory may fail.

mod channels;
mod delivery;
mod mishaps;

use super::slice::Slice;
use crate::agents::LineBytes;
use crate::dut::{HOME_PORTS, HomeSlice};
use crate::protocol::model::Agent;
use crate::protocol::pairs::Pairs;
use crate::protocol::{NodeIn, NodeLine, NodeSet, Pending};
use crate::{Failure, FailureKind};
pub use channels::Channel;
use channels::Channels;
use flits::{CacheState, NodeId, Numbering, Opcode, Packet};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::path::Path;

/// The memory: a unit that is no node.
const MEMORY: NodeId = NodeId::port(15);
/// Cycles in which something must happen while something is to be done.
const STUCK: u64 = 1_000;
/// Messages of which the story is kept.
const STORY: usize = 80;

/// A line at a node.
#[derive(Default)]
struct Copy {
    line: NodeLine<LineBytes>,
    /// Of the unanswered request.
    txn: u16,
}

/// A home and what is around it.
pub struct Alone {
    slice: Slice,
    nodes: [BTreeMap<u64, Copy>; HOME_PORTS],
    memory: BTreeMap<u64, LineBytes>,
    channels: Channels,
    /// Snoops that have left and are not answered: tracker and node.
    snooped: BTreeSet<(u16, u8)>,
    next_txn: u16,
    /// Of runs before this one.
    met: Pairs,
    node_pairs: Pairs,
    story: VecDeque<String>,
    messages: u64,
    /// Nodes that may only read.
    pub readers: NodeSet,
}

/// How the nodes are numbered.
pub(super) fn numbering() -> Numbering {
    Numbering::of_one_chip(HOME_PORTS)
}

/// What memory holds of a line before the first write to it.
fn original(line: u64) -> LineBytes {
    let byte = |at: usize| (line / 64 * 37 + at as u64 * 101 + 0x80) as u8;
    LineBytes::new(std::array::from_fn(byte))
}

impl Alone {
    /// A home, after reset.
    ///
    /// # Errors
    /// An assertion of the model fires.
    pub fn new(home: Box<dyn HomeSlice>) -> Result<Alone, Failure> {
        Ok(Alone {
            slice: Slice::new(home, MEMORY)?,
            nodes: Default::default(),
            memory: BTreeMap::new(),
            channels: Channels::default(),
            snooped: BTreeSet::new(),
            next_txn: 0,
            met: Pairs::default(),
            node_pairs: Pairs::default(),
            story: VecDeque::new(),
            messages: 0,
            readers: NodeSet::default(),
        })
    }

    /// Resets the home and forgets everything but the pairs that were met; credits come back to the
    /// home `pace` cycles apart.
    ///
    /// # Errors
    /// An assertion of the model fires.
    pub fn restart(&mut self, pace: u64) -> Result<(), Failure> {
        self.met.add(&self.pairs_of_run());
        self.node_pairs = Pairs::default();
        (self.nodes, self.memory, self.channels) = Default::default();
        (self.snooped, self.story, self.next_txn, self.messages) = Default::default();
        self.readers = NodeSet::default();
        self.slice.restart(pace)
    }

    /// Clock cycles since the reset.
    pub fn cycles(&self) -> u64 {
        self.slice.cycles()
    }

    /// The pairs that were met so far.
    pub fn pairs(&self) -> Pairs {
        let mut all = self.met.clone();
        all.add(&self.pairs_of_run());
        all
    }

    /// The pairs that were met since the reset.
    pub fn pairs_of_run(&self) -> Pairs {
        let mut all = self.slice.pairs();
        all.add(&self.node_pairs);
        all
    }

    /// Messages that have arrived since the reset, at the home, at nodes and at the memory.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Writes a VCD file from now on; with a window, only of those cycles from now.
    ///
    /// # Errors
    /// If the variant has no waves or the file cannot be written.
    pub fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        self.slice.home.trace_open(path, window)
    }

    /// Ends the VCD file, if one is being written.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn trace_close(&mut self) -> Result<(), Failure> {
        self.slice.home.trace_close()
    }

    /// The last messages that were delivered, a line each.
    pub fn story(&self) -> String {
        self.story.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Coverage counters of the model.
    pub fn coverage(&self) -> &[u32] {
        self.slice.coverage()
    }

    /// The copy that a node has, unless its request of the line is unanswered.
    pub fn copy(&self, node: u8, line: u64) -> Option<(CacheState, Option<&LineBytes>)> {
        match self.nodes[usize::from(node)]
            .get(&line)
            .map(|copy| &copy.line)
        {
            None => Some((CacheState::I, None)),
            Some(copy) if copy.pending == Pending::None => Some((copy.state, copy.data.as_ref())),
            Some(_) => None,
        }
    }

    /// The lines that a node has met.
    pub fn lines(&self, node: u8) -> Vec<u64> {
        self.nodes[usize::from(node)].keys().copied().collect()
    }

    /// What memory holds of a line.
    pub fn in_memory(&self, line: u64) -> LineBytes {
        self.memory
            .get(&line)
            .cloned()
            .unwrap_or_else(|| original(line))
    }

    /// The channels with a message, and the opcode of the first.
    pub fn channels(&self) -> impl Iterator<Item = (Channel, Opcode)> {
        let heads = self.channels.heads();
        heads.map(|(channel, packet)| (channel, packet.header.opcode))
    }

    /// The first of these channels with a message, and the opcode of that.
    pub fn first(&self, wanted: impl Fn(Channel) -> bool) -> Option<(Channel, Opcode)> {
        self.channels().find(|&(channel, _)| wanted(channel))
    }

    /// A node starts a request, or stores.
    ///
    /// # Errors
    /// The protocol does not allow it.
    pub fn start(&mut self, node: u8, line: u64, input: NodeIn<LineBytes>) -> Result<(), Failure> {
        let what = match &input {
            NodeIn::Store(_) => "stores to",
            _ => "asks for",
        };
        self.tell(format_args!("node {node} {what} {line:#x}"));
        self.step(node, line, input, None)
    }

    /// One clock cycle.
    ///
    /// # Errors
    /// The home does something else than the specification, breaks a rule of its link, drops what it is
    /// sent, or an assertion of the model fires.
    pub fn cycle(&mut self) -> Result<(), Failure> {
        match self.slice.cycle()? {
            Some(Packet { header, payload }) => self.send(Agent::Home, header, payload),
            None => Ok(()),
        }
    }

    /// Goes on until the home has taken everything that was delivered, and waits.
    ///
    /// # Errors
    /// As [`Alone::cycle`]; or it does not.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let end = self.cycles() + STUCK;
        self.cycle()?;
        while !self.slice.waits() {
            if self.cycles() > end {
                let text = format!("the home does not take all in {STUCK} cycles");
                return Err(self.failure(FailureKind::Progress, text));
            }
            self.cycle()?;
        }
        Ok(())
    }

    /// Delivers everything until nothing is asked for, nothing is under way and the home is as after
    /// reset but for its directory.
    ///
    /// # Errors
    /// As [`Alone::cycle`]; or that never comes.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let mut last = self.cycles();
        loop {
            let heads: Vec<_> = self.channels().collect();
            if !heads.is_empty() || self.slice.acted() {
                last = self.cycles();
            }
            for (channel, _) in heads {
                self.deliver(channel)?;
            }
            self.cycle()?;
            let copies = self.nodes.iter().flat_map(BTreeMap::values);
            let waiting = copies.filter(|copy| copy.line.pending != Pending::None);
            let waiting = waiting.count();
            if waiting == 0 && self.channels().next().is_none() && self.slice.waits() {
                return self.slice.end();
            }
            if self.cycles() > last + STUCK {
                let text = format!("{waiting} requests are not answered and nothing is under way");
                return Err(self.failure(FailureKind::Progress, text));
            }
        }
    }

    fn tell(&mut self, what: std::fmt::Arguments<'_>) {
        if self.story.len() == STORY {
            self.story.pop_front();
        }
        self.story
            .push_back(format!("{:>6}  {what}", self.cycles()));
    }

    /// A failure in this cycle.
    pub fn failure(&self, kind: FailureKind, text: String) -> Failure {
        Failure::new(self.cycles(), kind, text)
    }
}
