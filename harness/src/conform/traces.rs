//! Traces of the model checker: a shortest way to each pair of state and input.

use super::{Pair, named};
use crate::protocol::model::explore::{Space, ways_to_news};
use crate::protocol::model::{Config, Effort, Named, Protocol, Step};
use std::collections::BTreeSet;

/// Bytes that the states of a model may take.
const MEMORY: u64 = 2 << 30;

/// A way from the start to a pair that no shorter one meets.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The model.
    pub model: &'static str,
    /// Its configuration.
    pub config: Config,
    /// The steps; the last one meets the pairs.
    pub steps: Vec<Step>,
    /// The pairs.
    pub pairs: BTreeSet<Pair>,
}

/// The small models, as they are told apart by `supernode prove`.
pub fn small() -> impl Iterator<Item = Named> {
    let all = crate::protocol::model::CONFIGS.into_iter();
    all.filter(|named| named.effort == Effort::Small)
}

/// Traces that meet every pair that these models reach, in the order of models and then of length.
///
/// # Errors
/// If a model cannot be explored; one sentence.
pub fn traces(models: impl IntoIterator<Item = Named>) -> Result<Vec<Trace>, String> {
    let mut traces = Vec::new();
    let mut known = BTreeSet::new();
    for Named { name, config, .. } in models {
        // With states as they are there are more of them, and each is cheaper.
        let config = Config {
            symmetry: false,
            ..config
        };
        let (protocol, met) = Protocol::new(config, None)?.noting();
        let mut count = 0;
        let mut news = || {
            let met = met.lock().map_or(0, |met| met.count());
            std::mem::replace(&mut count, met) != met
        };
        for (way, state) in ways_to_news(&protocol, MEMORY, &mut news)? {
            for step in protocol.steps(&state) {
                let (protocol, met) = Protocol::new(config, None)?.noting();
                // A step that the protocol forbids is none of a trace.
                if protocol.apply(&state, &step).is_err() {
                    continue;
                }
                let met = met.lock().map_err(|error| error.to_string())?;
                let pairs: BTreeSet<Pair> = named(&met)
                    .into_keys()
                    .filter(|pair| !known.contains(pair))
                    .collect();
                if pairs.is_empty() {
                    continue;
                }
                known.extend(pairs.iter().cloned());
                let steps = way.iter().map(|(_, step)| *step).chain([step]).collect();
                traces.push(Trace {
                    model: name,
                    config,
                    steps,
                    pairs,
                });
            }
        }
    }
    Ok(traces)
}
