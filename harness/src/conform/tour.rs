//! A home alone through traces and random runs, up to the first failure.

use super::alone::Alone;
use super::replay::replay;
use super::scramble::{bytes_of, scramble};
use super::traces::Trace;
use crate::Failure;
use std::fmt;

/// One of the runs of a home alone.
#[derive(Clone, Debug)]
pub enum Run {
    /// A trace to a pair.
    Trace(Trace),
    /// Bytes that a seed decides.
    Random {
        /// The seed.
        seed: u64,
        /// How many bytes.
        length: usize,
    },
}

/// A failure, and the run that shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The run.
    pub run: Run,
    /// What it shows.
    pub failure: Failure,
    /// The last messages before it.
    pub story: String,
}

/// How far a home has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    /// Runs that it has begun.
    pub runs: u64,
    /// Clock cycles of all of them, without resets.
    pub cycles: u64,
}

impl Tour {
    /// Goes on with these runs.
    ///
    /// # Errors
    /// The first failure.
    pub fn go(
        &mut self,
        alone: &mut Alone,
        runs: impl IntoIterator<Item = Run>,
    ) -> Result<(), Box<Found>> {
        for run in runs {
            self.runs += 1;
            let ran = run.on(alone);
            self.cycles += alone.cycles();
            if let Err(failure) = ran {
                let story = alone.story();
                return Err(Box::new(Found {
                    run,
                    failure,
                    story,
                }));
            }
        }
        Ok(())
    }
}

impl Run {
    /// Performs it.
    ///
    /// # Errors
    /// As [`replay`] and [`scramble`].
    pub fn on(&self, alone: &mut Alone) -> Result<(), Failure> {
        match self {
            Run::Trace(trace) => replay(alone, trace),
            Run::Random { seed, length } => scramble(alone, &bytes_of(*seed, *length)),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Run::Trace(trace) => {
                let (steps, model) = (trace.steps.len(), trace.model);
                write!(f, "a trace of {steps} steps in {model}")?;
                (trace.pairs.iter().next()).map_or(Ok(()), |pair| write!(f, " to {pair}"))
            }
            Run::Random { seed, length } => write!(f, "seed {seed}, {length} bytes"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found {
            run,
            failure,
            story,
        } = self;
        write!(f, "{failure}\nin {run}, after\n{story}")
    }
}
