//! How much of the protocol the RTL is taken through: the pairs of state and input that the model
//! checker reaches, and those that homes and nodes meet on the RTL.
//!
//! * [`reachable`]: all pairs of the small models of [`crate::protocol::model`];
//! * `campaign`: runs that steer for them: every two operations on a line in every situation, the
//!   second by a sweep of delays behind the first; and random operations on few lines, among others
//!   with memories slow and fast and directories that recall;
//! * `unreached.txt`: the pairs that no run meets, each with the reason.
//!
//! Every run is compared with the specification and checked in every other way, too.

mod campaign;
#[cfg(test)]
mod tests;

pub use campaign::{Effort, campaign};

use crate::protocol::model::explore::{Options, explore};
use crate::protocol::model::{self, CONFIGS, Protocol};
use crate::protocol::pairs::Pairs;
use std::collections::BTreeMap;

/// Why pairs are not met: a pair or the end of it, a colon, the reason.
const UNREACHED: &str = include_str!("unreached.txt");

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
    /// On the RTL.
    pub times: u64,
    /// Whether the models reach it.
    pub reachable: bool,
    /// Why it is not met, if that is known.
    pub reason: Option<&'static str>,
}

/// All pairs that the small models reach.
///
/// # Errors
/// If a model cannot be explored; one sentence.
pub fn reachable(jobs: usize) -> Result<Pairs, String> {
    let options = Options {
        jobs,
        memory: 4 << 30,
    };
    let mut all = Pairs::default();
    let small = CONFIGS
        .iter()
        .filter(|named| named.effort == model::Effort::Small);
    for named in small {
        let (protocol, pairs) = Protocol::new(named.config, None)?.noting();
        explore(&protocol, options, &mut |_| {})?;
        let pairs = pairs.lock().map_err(|error| error.to_string())?;
        all.add(&pairs);
    }
    Ok(all)
}

/// Pairs by what they are.
fn named(pairs: &Pairs) -> BTreeMap<Pair, u64> {
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

/// Puts what is reachable beside what was met.
pub fn compare(reachable: &Pairs, met: &Pairs) -> BTreeMap<Pair, Met> {
    let (reachable, met) = (named(reachable), named(met));
    let all = reachable.keys().chain(met.keys());
    all.map(|pair| {
        let times = met.get(pair).copied().unwrap_or(0);
        let about = Met {
            times,
            reachable: reachable.contains_key(pair),
            reason: if times == 0 { reason(pair) } else { None },
        };
        (pair.clone(), about)
    })
    .collect()
}

/// Why a pair is not met, if the list says so.
fn reason(pair: &Pair) -> Option<&'static str> {
    let text = pair.to_string();
    let line = |line: &'static str| {
        let (pattern, reason) = line.split_once(" : ")?;
        let matches = match pattern.strip_prefix("* ") {
            Some(end) => text.ends_with(end),
            None => text == pattern,
        };
        matches.then_some(reason)
    };
    UNREACHED.lines().find_map(line)
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} | {} | {}", self.agent, self.state, self.input)
    }
}
