//! Makes a failing stimulus small.
//!
//! Delta debugging over everything that a stimulus has: operations, nodes, lines, words of raw
//! operations, timing, configuration, values. Each pass proposes smaller stimuli; one is kept if it
//! still fails in the same way, and the passes go round until none of them finds anything or the
//! runs are used up. What "fails in the same way" means is the caller's: see [`shrink`]; a stimulus
//! is never judged by its file or by how it was found, so this works on failures of any source.
//!
//! * `passes`: what is tried, in the order in which it helps most;
//! * [`edit`]: operations with another address, size or node, whatever their kind.

pub mod edit;
mod passes;
#[cfg(test)]
mod tests;

use crate::sim::{RunOptions, run_stimulus_with};
use crate::{Failure, FailureKind, parts};
use flits::stimulus::Stimulus;

/// Runs that shrinking takes at most, unless told otherwise.
pub const RUNS: usize = 3_000;

/// A stimulus that has been made small.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// It.
    pub stimulus: Stimulus,
    /// How often a stimulus was run for it.
    pub runs: usize,
    /// Whether nothing was left to try; else the runs were used up.
    pub done: bool,
}

/// Makes `stimulus` small, for which `fails` must hold, in at most `runs` runs. Every stimulus that
/// is tried passes [`Stimulus::check`].
pub fn shrink(stimulus: &Stimulus, runs: usize, fails: impl FnMut(&Stimulus) -> bool) -> Shrunk {
    let mut search = Search {
        best: stimulus.clone(),
        fails,
        left: runs,
    };
    let mut done = false;
    while !done && search.left > 0 {
        let before = search.best.clone();
        for pass in passes::ALL {
            pass(&mut search);
        }
        done = search.left > 0 && search.best == before;
    }
    Shrunk {
        stimulus: search.best,
        runs: runs - search.left,
        done,
    }
}

/// Runs a stimulus, and if it fails makes it small: the family of the failure stays the same.
/// `None` if it does not fail.
///
/// # Errors
/// If the stimulus cannot be run at all.
pub fn shrink_failure(
    stimulus: &Stimulus,
    options: &RunOptions,
    runs: usize,
) -> Result<Option<(Shrunk, Failure)>, Failure> {
    let run = |stimulus: &Stimulus| failure_of(stimulus, options);
    let stimulus = options.place(stimulus.clone());
    let Some(found) = run(&stimulus) else {
        return Ok(None);
    };
    if found.kind == FailureKind::Setup {
        return Err(found);
    }
    let same = |other: &Stimulus| run(other).is_some_and(|failure| failure.kind == found.kind);
    let shrunk = shrink(&stimulus, runs, same);
    let failure = run(&shrunk.stimulus).unwrap_or(found);
    Ok(Some((shrunk, failure)))
}

/// What is wrong with a run of a stimulus from power-on, of a system or of a part alone.
pub fn failure_of(stimulus: &Stimulus, options: &RunOptions) -> Option<Failure> {
    match stimulus.config.part {
        None => run_stimulus_with(stimulus, options).err(),
        Some(_) => match parts::replay(stimulus, options.model, None, None) {
            Ok(ran) => ran.failure,
            Err(failure) => Some(failure),
        },
    }
}

/// The smallest failing stimulus so far.
struct Search<F> {
    best: Stimulus,
    fails: F,
    left: usize,
}

/// What a pass works on.
trait Tries {
    /// The smallest failing stimulus so far.
    fn best(&self) -> &Stimulus;

    /// Keeps the stimulus if it is another than the best, can be run, and still fails; whether it
    /// was kept.
    fn try_this(&mut self, candidate: Stimulus) -> bool;

    /// As [`Tries::try_this`], of the best one changed.
    fn change(&mut self, change: &mut dyn FnMut(&mut Stimulus)) -> bool {
        let mut candidate = self.best().clone();
        change(&mut candidate);
        self.try_this(candidate)
    }
}

impl<F: FnMut(&Stimulus) -> bool> Tries for Search<F> {
    fn best(&self) -> &Stimulus {
        &self.best
    }

    fn try_this(&mut self, candidate: Stimulus) -> bool {
        if self.left == 0 || candidate == self.best || candidate.check().is_err() {
            return false;
        }
        self.left -= 1;
        let kept = (self.fails)(&candidate);
        if kept {
            self.best = candidate;
        }
        kept
    }
}
