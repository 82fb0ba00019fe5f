//! Exhaustive exploration, breadth first, of anything that has states and steps.
//!
//! States are kept whole, as bytes, and told apart by all of them: unlike with fingerprints no two
//! states can be mistaken for one, so "explored" needs no "with probability". States are numbered
//! in the order in which they are found, which depends neither on the number of threads nor on
//! hashing, so the trace to the first broken rule is shortest and always the same.
//!
//! Besides what holds in each state and step, the exploration finds out whether everything ends:
//! whether from every state every way along the steps that *drain* (those that finish what was
//! begun) leads to a quiet state. It keeps the draining steps as arcs and goes through the states
//! backwards, marking those whose arcs all lead to marked ones, until no more are marked. A state
//! that stays unmarked can go on for ever.

mod drain;
mod store;
#[cfg(test)]
mod tests;
mod trace;
mod ways;

use drain::{Drain, UNKNOWN};
use std::time::{Duration, Instant};
use store::Store;
use trace::{round, way};
pub use ways::ways_to_news;

/// Something to explore.
pub trait Space: Sync {
    /// A state.
    type State;
    /// A step from a state to another.
    type Step: Clone;
    /// A broken rule.
    type Broken: Clone + Send;

    /// Where everything begins.
    fn start(&self) -> Self::State;
    /// Appends the bytes of a state: the same for two states exactly if they count as one.
    fn encode(&self, state: &Self::State, out: &mut Vec<u8>);
    /// What can happen.
    fn steps(&self, state: &Self::State) -> Vec<Self::Step>;
    /// What comes of it.
    ///
    /// # Errors
    /// The rule that the step breaks.
    fn apply(&self, state: &Self::State, step: &Self::Step) -> Result<Self::State, Self::Broken>;
    /// All about the state of these bytes, into an empty `to`.
    fn expand(&self, state: &[u8], to: &mut Expansion<Self::Broken>);
    /// Does a step only finish what was begun?
    fn drains(&self, state: &Self::State, step: &Self::Step) -> bool;
    /// The rule that is broken if draining can go on for ever: after the last step of a trace as
    /// after the first `steps` of it.
    fn endless(&self, steps: usize) -> Self::Broken;
}

/// What [`Space::expand`] says of a state.
pub struct Expansion<B> {
    /// The bytes of all successors.
    pub bytes: Vec<u8>,
    /// One for each step that breaks no rule.
    pub arcs: Vec<Arc>,
    /// How many states it stands for.
    pub weight: u64,
    /// Nothing is begun that is not finished.
    pub quiet: bool,
    /// The rule that the state breaks.
    pub broken: Option<B>,
    /// The rule that the first bad step from here breaks.
    pub broken_step: Option<B>,
}

/// A step to a successor.
pub struct Arc {
    /// Where the successor's bytes end.
    end: usize,
    /// The step drains.
    pub drains: bool,
    /// What the step met, one bit each.
    marks: u32,
}

impl<B> Expansion<B> {
    fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            arcs: Vec::new(),
            weight: 1,
            quiet: false,
            broken: None,
            broken_step: None,
        }
    }

    /// Adds the step to the state whose bytes have just been appended.
    pub fn arc(&mut self, drains: bool, marks: u32) {
        let end = self.bytes.len();
        self.arcs.push(Arc { end, drains, marks });
    }
}

/// How to explore.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads.
    pub jobs: usize,
    /// Bytes that the states and arcs may take.
    pub memory: u64,
}

/// How far an exploration has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// States found.
    pub states: u64,
    /// Of these, the ones whose successors are known.
    pub expanded: u64,
    /// Steps from the start to the states that are being expanded.
    pub depth: u32,
    /// Bytes taken.
    pub memory: u64,
    /// Since the beginning.
    pub elapsed: Duration,
}

/// What an exploration has found.
#[derive(Clone, Debug)]
pub struct Outcome<S, T, B> {
    /// States kept.
    pub stored: u64,
    /// States that these stand for; the same number without symmetry.
    pub states: u64,
    /// Steps between the states stood for.
    pub transitions: u64,
    /// The most steps that a state is away from the start.
    pub depth: u32,
    /// Of the states stood for, the quiet ones.
    pub quiet: u64,
    /// The most draining steps from a state to a quiet one.
    pub longest_end: u32,
    /// For each mark, how many of the transitions have it.
    pub marks: [u64; 32],
    /// Bytes taken by states and arcs.
    pub memory: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The rule that is broken and the shortest way there.
    pub trace: Option<Trace<S, T, B>>,
}

/// The way to a broken rule.
#[derive(Clone, Debug)]
pub struct Trace<S, T, B> {
    /// The rule.
    pub broken: B,
    /// The steps, each with the state before it.
    pub steps: Vec<(S, T)>,
    /// The state after the last step; `None` if that step broke the rule.
    pub end: Option<S>,
}

/// Steps, each with the state before it.
pub type Steps<P> = Vec<(<P as Space>::State, <P as Space>::Step)>;

/// The outcome of exploring `P`.
pub type OutcomeOf<P> = Outcome<<P as Space>::State, <P as Space>::Step, <P as Space>::Broken>;

/// What a thread finds out about some states.
struct Batch<B> {
    expansion: Expansion<B>,
    heads: Vec<Head<B>>,
}

struct Head<B> {
    arcs: usize,
    weight: u64,
    quiet: bool,
    broken: Option<B>,
    broken_step: Option<B>,
}

/// States that one thread expands before their successors are stored.
const BATCH: usize = 4096;

fn expand<P: Space>(space: &P, store: &Store, states: std::ops::Range<usize>) -> Batch<P::Broken> {
    let mut expansion = Expansion::empty();
    let mut heads = Vec::with_capacity(states.len());
    for state in states {
        (expansion.weight, expansion.quiet) = (1, false);
        let begun = expansion.arcs.len();
        space.expand(store.get(state), &mut expansion);
        heads.push(Head {
            arcs: expansion.arcs.len() - begun,
            weight: expansion.weight,
            quiet: expansion.quiet,
            broken: expansion.broken.take(),
            broken_step: expansion.broken_step.take(),
        });
    }
    Batch { expansion, heads }
}

/// Explores everything, or up to the first broken rule; says how far it is from time to time.
///
/// # Errors
/// The memory does not suffice.
pub fn explore<P: Space>(
    space: &P,
    options: Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<OutcomeOf<P>, String> {
    let begin = Instant::now();
    let mut store = Store::default();
    let mut drain = Drain::default();
    let mut start = Vec::new();
    space.encode(&space.start(), &mut start);
    store.insert(&start, 0);
    let mut outcome = Outcome {
        stored: 0,
        states: 0,
        transitions: 0,
        depth: 0,
        quiet: 0,
        longest_end: 0,
        marks: [0; 32],
        memory: 0,
        elapsed: Duration::ZERO,
        trace: None,
    };
    // The state that breaks a rule, or whose step does; by itself is the shorter way.
    let mut broken: Option<(usize, P::Broken)> = None;
    let mut broken_step: Option<(usize, P::Broken)> = None;
    let mut level = 0..1;
    while !level.is_empty() && broken.is_none() && broken_step.is_none() {
        let mut next = level.start;
        while next < level.end {
            let pieces: Vec<_> = (0..options.jobs.max(1))
                .map(|job| (next + job * BATCH).min(level.end))
                .map(|from| from..(from + BATCH).min(level.end))
                .collect();
            let batches = in_parallel(space, &store, &pieces);
            for (piece, batch) in pieces.iter().zip(batches) {
                let mut arcs = batch.expansion.arcs.iter();
                let mut from = 0;
                for (state, head) in piece.clone().zip(batch.heads) {
                    let mut drains = 0u8;
                    for arc in arcs.by_ref().take(head.arcs) {
                        let to = store.insert(&batch.expansion.bytes[from..arc.end], state as u32);
                        from = arc.end;
                        if arc.drains {
                            drain.targets.push(to);
                            drains += 1;
                        }
                        let mut marks = arc.marks;
                        while marks != 0 {
                            outcome.marks[marks.trailing_zeros() as usize] += head.weight;
                            marks &= marks - 1;
                        }
                    }
                    drain.counts.push(drains);
                    drain.heights.push(if head.quiet { 0 } else { UNKNOWN });
                    outcome.states += head.weight;
                    outcome.transitions += head.weight * head.arcs as u64;
                    outcome.quiet += head.weight * u64::from(head.quiet);
                    if broken.is_none() {
                        broken = head.broken.map(|broken| (state, broken));
                    }
                    if broken_step.is_none() {
                        broken_step = head.broken_step.map(|broken| (state, broken));
                    }
                }
            }
            next = pieces.last().map_or(level.end, |piece| piece.end);
            outcome.memory = store.memory() + drain.memory();
            if outcome.memory > options.memory || store.len() >= u32::MAX as usize / 2 {
                return Err(format!(
                    "{} states at depth {} take {} MB and there are more: allow more memory",
                    store.len(),
                    outcome.depth,
                    outcome.memory >> 20
                ));
            }
            progress(Progress {
                states: store.len() as u64,
                expanded: next as u64,
                depth: outcome.depth,
                memory: outcome.memory,
                elapsed: begin.elapsed(),
            });
        }
        level = level.end..store.len();
        outcome.depth += u32::from(!level.is_empty());
    }
    outcome.stored = store.len() as u64;
    outcome.trace = match (broken, broken_step) {
        (Some((state, broken)), _) => {
            let (steps, end) = way(space, &store, state);
            let end = Some(end);
            Some(Trace { broken, steps, end })
        }
        (None, Some((state, broken))) => {
            let (mut steps, end) = way(space, &store, state);
            let bad = |step: &P::Step| space.apply(&end, step).is_err();
            if let Some(step) = space.steps(&end).into_iter().find(bad) {
                steps.push((end, step));
            }
            let end = None;
            Some(Trace { broken, steps, end })
        }
        (None, None) => (drain.settle()).map(|state| round(space, &store, &drain, state)),
    };
    let heights = drain.heights.iter().filter(|&&height| height != UNKNOWN);
    outcome.longest_end = heights.max().map_or(0, |&most| u32::from(most));
    outcome.elapsed = begin.elapsed();
    Ok(outcome)
}

fn in_parallel<P: Space>(
    space: &P,
    store: &Store,
    pieces: &[std::ops::Range<usize>],
) -> Vec<Batch<P::Broken>> {
    let (first, others) = (&pieces[0], &pieces[1..]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (others.iter().filter(|piece| !piece.is_empty()))
            .map(|piece| scope.spawn(|| expand(space, store, piece.clone())))
            .collect();
        let mut batches = vec![expand(space, store, first.clone())];
        for thread in threads {
            match thread.join() {
                Ok(batch) => batches.push(batch),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        batches
    })
}
