//! Conformance, the other way round: how much of the protocol the RTL is taken through. What counts are
//! the pairs of state and input that the model checker reaches.
//!
//! * [`traces`]: a shortest way to every pair of the small models of [`crate::protocol::model`];
//! * [`Alone`]: a home of the RTL among nodes and a memory that are the specification's, and whoever
//!   drives it decides in which order messages reach it;
//! * [`replay`]: the traces on that home; [`scramble`]: random messages in random order, as a function
//!   of bytes; `tour`: both, one after the other;
//! * [`campaign`]: runs of the whole switch that steer for pairs by timing: every two operations on a
//!   line in every situation, the second by a sweep of delays behind the first; and random operations
//!   on few lines, among others with memories slow and fast and directories that recall.
//!
//! Every run is compared with the specification; the campaign is checked in every other way, too.

mod alone;
mod campaign;
mod replay;
mod scramble;
mod slice;
#[cfg(test)]
mod tests;
mod tour;
mod traces;
mod wishes;

pub use alone::{Alone, Channel};
pub use campaign::{Effort, campaign};
pub use replay::replay;
pub(crate) use scramble::wish;
pub use scramble::{bytes_of, scramble};
pub use tour::{Found, Run, Tour};
pub use traces::{Trace, small, traces};
pub(crate) use wishes::Wishes;

use crate::protocol::pairs::Pairs;
use std::collections::{BTreeMap, BTreeSet};

/// A pair, of which what it is comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// `home` or `node`.
    pub agent: &'static str,
    /// The state, in words.
    pub state: String,
    /// The input, in words.
    pub input: String,
}

/// How often a pair was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// On the home alone.
    pub alone: u64,
    /// In the switch.
    pub switch: u64,
    /// Whether the models reach it.
    pub reachable: bool,
}

impl Met {
    /// Whether it was met anywhere.
    pub fn is_met(&self) -> bool {
        self.alone + self.switch > 0
    }
}

/// Pairs by what they are.
pub fn named(pairs: &Pairs) -> BTreeMap<Pair, u64> {
    let homes = pairs.homes().into_iter().map(|(pair, count)| {
        let state = match pair.transaction {
            Some(phase) => format!("{}; {phase}", pair.held),
            None => pair.held.to_string(),
        };
        let (agent, input) = ("home", pair.input.to_string());
        (
            Pair {
                agent,
                state,
                input,
            },
            count,
        )
    });
    let nodes = pairs.nodes().into_iter().map(|(pair, count)| {
        let (agent, state, input) = ("node", pair.to_string(), pair.input.to_string());
        (
            Pair {
                agent,
                state,
                input,
            },
            count,
        )
    });
    homes.chain(nodes).collect()
}

/// Puts what is reachable beside what was met on the home alone and in the switch.
pub fn compare(reachable: &BTreeSet<Pair>, alone: &Pairs, switch: &Pairs) -> BTreeMap<Pair, Met> {
    let (alone, switch) = (named(alone), named(switch));
    let all = reachable.iter().chain(alone.keys()).chain(switch.keys());
    all.map(|pair| {
        let times = |met: &BTreeMap<Pair, u64>| met.get(pair).copied().unwrap_or(0);
        let about = Met {
            alone: times(&alone),
            switch: times(&switch),
            reachable: reachable.contains(pair),
        };
        (pair.clone(), about)
    })
    .collect()
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} | {} | {}", self.agent, self.state, self.input)
    }
}
