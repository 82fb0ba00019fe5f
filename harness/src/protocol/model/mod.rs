//! The protocol as a model that is explored exhaustively: `supernode prove`.
//!
//! Up to four nodes, one home with one or two lines and a memory, over channels that are ordered
//! only as the fabric promises: per (source, destination, class). Every node may at any time start
//! any request that its state allows. [`Config`] says how large a model is and what may happen in
//! it, [`Rule`] what must always hold, [`Race`] which meetings an exploration must have seen, and
//! [`Fault`] which mistakes, put into the functions, must be found.
//!
//! * `value`: the age of data, in place of data; `system`: a state; `encode`: a state as bytes;
//! * `step`: what can happen in a state and what comes of it; `rules`: rules and races;
//! * [`explore`]: breadth-first search over any [`explore::Space`], and whether everything ends;
//! * `fault`: the mistakes; `chart`: a trace as a sequence chart; `configs`: the named models;
//!   `report`: what an exploration has shown.

mod chart;
mod configs;
mod encode;
pub mod explore;
mod fault;
mod report;
mod rules;
mod step;
mod system;
mod value;

pub use configs::{CONFIGS, Effort, Named};
pub use fault::Fault;
pub use report::{Finding, Report, Seen, prove};
pub use rules::{Broken, Race, Rule};
pub(crate) use step::ASKS;
pub use step::{Ask, Step};
pub use system::{Agent, MAX_LINES, MAX_NODES, Packet, System};
pub use value::{Age, Value, Write};

use super::NodeSet;
use super::pairs::Pairs;
use explore::{Expansion, Space};
use flits::{Class, Opcode};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// What the home may take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalls {
    /// Nothing: the directory has room for all lines.
    None,
    /// Any line at any time, as if other lines pressed on its directory.
    Any,
    /// With so many entries in the directory, a line when another needs its entry.
    Room(u8),
}

/// How large a model is and what may happen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Number of caching nodes, 1 to [`MAX_NODES`].
    pub nodes: u8,
    /// Number of lines, 1 to [`MAX_LINES`].
    pub lines: u8,
    /// How many requests a node may have unanswered, over all lines.
    pub outstanding: u8,
    /// Nodes that may read but not write.
    pub readers: NodeSet,
    /// What the home may take back.
    pub recalls: Recalls,
    /// Requests may be refused on their way in, memory may fail to read.
    pub errors: bool,
    /// The lines lie in different blocks: packets of one do not keep the order of the other.
    pub apart: bool,
    /// Packets arrive in any order: more than the fabric may do.
    pub unordered: bool,
    /// States that differ only in the numbers of nodes count as one.
    pub symmetry: bool,
}

impl Default for Config {
    /// Two nodes, one line, nothing else.
    fn default() -> Self {
        Self {
            nodes: 2,
            lines: 1,
            outstanding: 1,
            readers: NodeSet::default(),
            recalls: Recalls::None,
            errors: false,
            apart: false,
            unordered: false,
            symmetry: false,
        }
    }
}

impl Config {
    /// Whether a model of this size can be made.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<(), String> {
        let within = |what: &str, n: u8, most: usize| {
            if n == 0 || usize::from(n) > most {
                return Err(format!("a model has 1 to {most} {what}, not {n}"));
            }
            Ok(())
        };
        within("nodes", self.nodes, MAX_NODES)?;
        within("lines", self.lines, MAX_LINES)?;
        within("requests a node under way", self.outstanding, MAX_LINES)?;
        if let Recalls::Room(ways) = self.recalls {
            within("directory entries", ways, MAX_LINES)?;
        }
        match self.readers.iter().find(|&n| n >= self.nodes) {
            Some(n) => Err(format!(
                "node {n} cannot be a reader, there is no such node"
            )),
            None => Ok(()),
        }
    }
}

impl Packet {
    /// Does it name a third node?
    fn has_peer(&self) -> bool {
        matches!(
            self.op,
            Opcode::SnpSharedFwd | Opcode::SnpUniqueFwd | Opcode::SnpOnceFwd | Opcode::MemRead
        )
    }
}

/// The protocol, as specified or with a fault.
#[derive(Clone, Debug)]
pub struct Protocol {
    config: Config,
    fault: Option<Fault>,
    renamings: Vec<encode::Renaming>,
    /// Where to note which states meet which inputs.
    pairs: Option<Arc<Mutex<Pairs>>>,
}

impl Protocol {
    /// A model of the protocol.
    ///
    /// # Errors
    /// What is wrong with the configuration, in one sentence.
    pub fn new(config: Config, fault: Option<Fault>) -> Result<Self, String> {
        config.check()?;
        let renamings = if config.symmetry {
            encode::renamings(&config)
        } else {
            Vec::new()
        };
        Ok(Self {
            config,
            fault,
            renamings,
            pairs: None,
        })
    }

    /// The same, and where it notes which states meet which inputs.
    #[must_use]
    pub fn noting(self) -> (Self, Arc<Mutex<Pairs>>) {
        let pairs = Arc::default();
        let noting = Self {
            pairs: Some(Arc::clone(&pairs)),
            ..self
        };
        (noting, pairs)
    }

    fn note(&self, note: impl FnOnce(&mut Pairs)) {
        if let Some(pairs) = &self.pairs
            && let Ok(mut pairs) = pairs.lock()
        {
            note(&mut pairs);
        }
    }

    /// A trace as a sequence chart in text.
    #[must_use]
    pub fn chart(&self, trace: &explore::Trace<System, Step, Broken>) -> String {
        chart::chart(&self.config, trace)
    }

    /// What is explored.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Calls `f` with every step there is, up to symmetry, and the states before and after it: for
    /// models small enough to go through one by one.
    pub fn each_step(&self, f: &mut dyn FnMut(&System, &Step, &System)) {
        let mut seen = BTreeSet::new();
        let mut open = vec![System::default()];
        while let Some(state) = open.pop() {
            let mut bytes = Vec::new();
            self.store(&state, &mut bytes);
            if !seen.insert(bytes) {
                continue;
            }
            for step in self.steps(&state) {
                if let Ok(after) = self.apply(&state, &step) {
                    f(&state, &step, &after);
                    open.push(after);
                }
            }
        }
    }

    /// The class that carries an opcode.
    fn class(&self, op: Opcode) -> Class {
        fault::class(self.fault, op)
    }

    /// Packets of one channel arrive in the order sent; all others in any order.
    fn channel(&self, p: &Packet) -> (u8, u8, Class, u8, [u8; 3]) {
        let line = if self.config.apart { p.line } else { 0 };
        // Without order every packet is a channel of its own.
        let alone = match self.config.unordered {
            true => encode::packet(p),
            false => [0; 3],
        };
        (p.from.code(), p.to.code(), self.class(p.op), line, alone)
    }

    /// The state with other numbers of nodes.
    fn renamed(&self, s: &System, names: &encode::Renaming) -> System {
        let mut s = encode::renamed(s, names);
        s.network.sort_by_key(|p| self.channel(p));
        s
    }

    /// The state as bytes; with symmetry, the least of those that other numbers of nodes give.
    fn store(&self, s: &System, out: &mut Vec<u8>) {
        // The bytes of the nodes come first, so the least begins with the least order of these,
        // and only renamings that give it need a closer look.
        let keys = encode::keys(s);
        let order = |names: &encode::Renaming| encode::reordered(&keys, names);
        let Some(least) = self.renamings.iter().map(order).min() else {
            return encode::encode(&self.config, s, out);
        };
        let mut best: Vec<u8> = Vec::new();
        for names in self.renamings.iter().filter(|names| order(names) == least) {
            let begin = out.len();
            encode::encode(&self.config, &self.renamed(s, names), out);
            // All have one length, since they have the same packets and transactions.
            if best.is_empty() || out[begin..] < best[..] {
                best.clear();
                best.extend_from_slice(&out[begin..]);
            }
            out.truncate(begin);
        }
        out.append(&mut best);
    }

    /// How many different states renaming the nodes makes of this one.
    fn orbit(&self, s: &System, bytes: &[u8]) -> u64 {
        let keys = encode::keys(s);
        let mut other = Vec::new();
        let same = |names: &&encode::Renaming| {
            encode::reordered(&keys, names) == keys && {
                other.clear();
                encode::encode(&self.config, &self.renamed(s, names), &mut other);
                other == bytes
            }
        };
        let all = self.renamings.len().max(1);
        (all / self.renamings.iter().filter(same).count().max(1)) as u64
    }
}

impl Space for Protocol {
    type State = System;
    type Step = Step;
    type Broken = Broken;

    fn start(&self) -> System {
        System::default()
    }

    fn encode(&self, state: &System, out: &mut Vec<u8>) {
        self.store(state, out);
    }

    fn steps(&self, state: &System) -> Vec<Step> {
        let mut steps = Vec::new();
        step::steps(self, state, &mut steps);
        steps
    }

    fn apply(&self, state: &System, step: &Step) -> Result<System, Broken> {
        step::apply(self, state, step)
    }

    fn drains(&self, state: &System, step: &Step) -> bool {
        step::is_reluctant(self, state, step)
    }

    fn endless(&self, steps: usize) -> Broken {
        let what = format_args!("what follows step {steps} can go round for ever");
        Broken::new(Rule::Ends, what)
    }

    fn expand(&self, bytes: &[u8], to: &mut Expansion<Broken>) {
        let s = encode::decode(&self.config, bytes);
        to.weight = self.orbit(&s, bytes);
        to.broken = rules::broken(&self.config, &s);
        to.quiet = s.is_quiet();
        let begun = to.arcs.len();
        for step in &self.steps(&s) {
            match step::apply(self, &s, step) {
                Ok(after) => {
                    let met = rules::races(&s, step, &after);
                    self.store(&after, &mut to.bytes);
                    to.arc(self.drains(&s, step), met);
                }
                Err(broken) => {
                    to.broken_step.get_or_insert(broken);
                }
            }
        }
        let stuck = !to.quiet && !to.arcs[begun..].iter().any(|arc| arc.drains);
        if stuck && to.broken_step.is_none() {
            let what = match s.network.first() {
                None => "requests are unanswered and nothing is under way".to_owned(),
                Some(p) => format!("{} to {} is never taken", p.op, p.to),
            };
            to.broken.get_or_insert(Broken::new(Rule::NotStuck, what));
        }
    }
}
