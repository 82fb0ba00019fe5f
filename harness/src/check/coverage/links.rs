//! Links: what goes wrong on a wire x what its receiving end is doing.

use super::{Group, Hits};
use crate::coverage;
use crate::link::{EndOutputs, WireStats};

const NAME: &str = "link errors";

/// What can happen to a word.
const ERRORS: [&str; 4] = ["corrupted", "lost", "repeated", "displaced"];
/// What an end does: it trains, carries flits, or has asked for flits again or sends them again.
const STATES: [&str; 3] = ["training", "up", "replaying"];

/// Cycles after a replay has begun that count as replaying: about a round trip.
const REPLAY: u64 = 32;

/// The bins.
pub fn group() -> Group {
    let bins = ERRORS
        .iter()
        .flat_map(|error| STATES.map(|state| format!("{error} while {state}")));
    Group {
        name: NAME,
        about: "error of the wire x state of the end that gets the word",
        bins: bins.collect(),
    }
}

/// The counter of a cable.
#[derive(Default)]
pub(crate) struct Cable {
    hits: Hits,
    wires: [WireStats; 2],
    cycle: u64,
    /// The last cycle in which a replay began at either end.
    replay: Option<u64>,
}

impl Cable {
    /// The counter, if coverage is on.
    pub(crate) fn new() -> Option<Box<Cable>> {
        coverage::is_on().then(Box::default)
    }

    /// Once a cycle: the wires by the end that they lead to, and what the ends show.
    pub(crate) fn step(&mut self, wires: [&WireStats; 2], ends: [&EndOutputs; 2]) {
        self.cycle += 1;
        if ends.iter().any(|end| end.events.replay()) {
            self.replay = Some(self.cycle);
        }
        let replaying = self.replay.is_some_and(|since| self.cycle - since < REPLAY);
        for (end, (now, before)) in wires.into_iter().zip(&mut self.wires).enumerate() {
            let state = match (ends[end].up, replaying) {
                (false, _) => "training",
                (true, false) => "up",
                (true, true) => "replaying",
            };
            let counts = |w: &WireStats| [w.corrupted, w.lost, w.repeated, w.displaced];
            for (error, (new, old)) in ERRORS
                .iter()
                .zip(counts(now).into_iter().zip(counts(before)))
            {
                if new > old {
                    self.hits.hit(NAME, format_args!("{error} while {state}"));
                }
            }
            *before = *now;
        }
    }
}
