//! What can be fuzzed.

use std::panic::{self, AssertUnwindSafe};

use flits::stimulus::{Config, Stimulus};
use rand_pcg::Pcg64Mcg;

use super::draw::Draws;
use super::map::Map;
use super::mutate::mutate;
use crate::sim::{Model, RunOptions};
use crate::{Failure, FailureKind};

/// What came of an input.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Clock cycles that the input took.
    pub cycles: u64,
    /// What was found.
    pub failure: Option<Failure>,
}

/// Something that is fed with stimuli, one after the other, each after a reset.
pub trait Target {
    /// What people call it.
    fn name(&self) -> String;

    /// What draws inputs for it.
    fn draws(&self) -> &Draws;

    /// Runs an input. What it has reached is in the map then.
    fn run(&mut self, stimulus: &Stimulus) -> Ran;

    /// What the last input has reached.
    fn map(&self) -> &Map;

    /// The model that `supernode replay` takes to see a failure again; `None` where it cannot.
    fn model(&self) -> Option<Model>;

    /// Whether an input for such a system can be run on it.
    fn takes(&self, config: &Config) -> bool {
        self.draws().are_for(config)
    }

    /// An input from nothing.
    fn draw(&self, seed: u64) -> Option<Stimulus> {
        self.draws().stimulus(seed)
    }

    /// Changes an input; `other` is another one of the corpus.
    fn mutate(&self, input: &mut Stimulus, other: Option<&Stimulus>, rng: &mut Pcg64Mcg) {
        mutate(input, other, self.draws(), rng);
    }

    /// How an input is run from power-on.
    fn options(&self) -> Option<RunOptions> {
        Some(RunOptions {
            model: self.model()?,
            max_cycles: MAX_CYCLES,
            ..RunOptions::default()
        })
    }
}

/// Cycles that one input may take; those that wait for nothing stop long before.
pub(super) const MAX_CYCLES: u64 = 200_000;

/// What comes of a run; a panic of the harness is a failure as well. What the run was about to change
/// is thrown away with it: the target makes a new model then.
pub(super) fn judged(run: impl FnOnce() -> Result<Ran, Failure>) -> Ran {
    let ran = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = (panic.downcast_ref::<String>().map(String::as_str))
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no text");
        let text = format!("the harness panics: {text}");
        Err(Failure::new(0, FailureKind::Harness, text))
    });
    ran.unwrap_or_else(|failure| Ran {
        cycles: failure.cycle,
        failure: Some(failure),
    })
}
