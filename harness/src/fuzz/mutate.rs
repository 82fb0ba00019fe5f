//! Mutators: each makes another stimulus of one, of its structure and never of its bytes.

use flits::LinkWord;
use flits::layout::LINE_BYTES;
use flits::stimulus::{MemoryTiming, Node, Op, Part, Step, Stimulus, Timing};
use flits::strategies::Shape;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::draw::Draws;
use super::{hostile, packets, turns};
use crate::shrink::edit;

/// Most operations of a stimulus.
pub const MAX_STEPS: usize = 64;
/// Most words of one raw operation.
const MAX_WORDS: usize = 24;
/// Mutators one after the other, at most.
const STACKED: u32 = 4;
/// Lines between two lines in the same set of any cache or directory here.
const SET_STRIDE: u64 = 1024;

/// What a mutator works with.
pub(super) struct Mutation<'a> {
    pub rng: &'a mut Pcg64Mcg,
    draws: &'a Draws,
    /// Another stimulus of the corpus.
    other: Option<&'a Stimulus>,
}

/// Changes a stimulus in place, or leaves it if there is nothing to change.
pub(super) type Mutator = fn(&mut Stimulus, &mut Mutation<'_>);

/// The mutators of steps, whatever these do; those that are there twice are taken twice as often.
const OF_STEPS: [Mutator; 8] = [
    insert,
    insert,
    drop_steps,
    drop_steps,
    repeat,
    swap,
    splice,
    to_another_node,
];

/// Those of programs on a switch besides.
const OF_PROGRAMS: [Mutator; 13] = [
    to_another_line,
    to_another_line,
    to_another_home,
    within_the_line,
    another_operation,
    another_operation,
    idle,
    expect_what_is_written,
    back_pressure,
    another_device,
    start_skew,
    rights,
    spoil_words,
];

/// Mutates a stimulus, in place; what comes out can be run.
pub fn mutate(
    stimulus: &mut Stimulus,
    other: Option<&Stimulus>,
    draws: &Draws,
    rng: &mut Pcg64Mcg,
) {
    let before = stimulus.clone();
    let besides = match draws.of_part() {
        None => &OF_PROGRAMS[..],
        Some(Part::Fabric | Part::Link) => &packets::MUTATORS[..],
        Some(Part::Home) => &turns::MUTATORS[..],
    };
    let times = 1 << rng.random_range(0..=STACKED.ilog2());
    let mut mutation = Mutation { rng, draws, other };
    for _ in 0..times {
        let at = mutation.rng.random_range(0..OF_STEPS.len() + besides.len());
        let mutator = (OF_STEPS.get(at)).unwrap_or_else(|| &besides[at - OF_STEPS.len()]);
        mutator(stimulus, &mut mutation);
    }
    stimulus.steps.truncate(MAX_STEPS);
    entitle(stimulus);
    super::draw::outlaw(stimulus);
    if stimulus.check().is_err() {
        *stimulus = before;
    }
}

impl Mutation<'_> {
    /// The place of a step, if there is any.
    fn place(&mut self, stimulus: &Stimulus) -> Option<usize> {
        let len = stimulus.steps.len();
        (len > 0).then(|| self.rng.random_range(0..len))
    }

    /// A few neighbouring steps.
    fn range(&mut self, stimulus: &Stimulus) -> std::ops::Range<usize> {
        let Some(begin) = self.place(stimulus) else {
            return 0..0;
        };
        let len = self.rng.random_range(1..=8);
        begin..(begin + len).min(stimulus.steps.len())
    }

    /// What is in a few neighbouring steps, of those that have it.
    pub fn chosen<'a, T: 'a>(
        &mut self,
        stimulus: &'a mut Stimulus,
        content: fn(&mut Op) -> Option<&mut T>,
    ) -> impl Iterator<Item = &'a mut T> {
        let range = self.range(stimulus);
        (stimulus.steps[range].iter_mut()).filter_map(move |step| content(&mut step.op))
    }

    /// Fresh steps of one shape for the system of a stimulus.
    fn fresh(&mut self, stimulus: &Stimulus) -> Vec<Step> {
        let shape = Shape::ALL[self.rng.random_range(0..Shape::ALL.len())];
        self.draws.steps(self.rng.random(), &stimulus.config, shape)
    }
}

fn insert(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let fresh = mutation.fresh(stimulus);
    let at = mutation.rng.random_range(0..=stimulus.steps.len());
    stimulus.steps.splice(at..at, fresh);
}

fn drop_steps(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let range = mutation.range(stimulus);
    stimulus.steps.drain(range);
}

fn repeat(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let copies = stimulus.steps[mutation.range(stimulus)].to_vec();
    let at = mutation.rng.random_range(0..=stimulus.steps.len());
    stimulus.steps.splice(at..at, copies);
}

fn swap(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    if let (Some(a), Some(b)) = (mutation.place(stimulus), mutation.place(stimulus)) {
        stimulus.steps.swap(a, b);
    }
}

/// Goes on with the steps of another stimulus, those that nodes of this system can do.
fn splice(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let Some(other) = mutation.other else {
        return;
    };
    let at = mutation.rng.random_range(0..=stimulus.steps.len());
    let from = mutation.rng.random_range(0..=other.steps.len());
    stimulus.steps.truncate(at);
    let nodes = &stimulus.config.nodes;
    let possible = |step: &&Step| {
        let node = nodes.get(step.node);
        node.is_some_and(|node| step.op.kind().possible_on(node))
    };
    let rest = other.steps[from..].iter().filter(possible).cloned();
    stimulus.steps.extend(rest);
}

fn to_another_node(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let node = mutation.rng.random_range(0..stimulus.config.nodes.len());
    for at in mutation.range(stimulus) {
        let step = &mut stimulus.steps[at];
        if step.op.kind().possible_on(&stimulus.config.nodes[node]) {
            step.node = node;
        }
    }
}

/// The line that a step is about.
fn line_of(step: &Step) -> Option<u64> {
    step.op
        .access()
        .map(|(addr, _)| addr - addr % LINE_BYTES as u64)
}

/// Moves some neighbouring steps to other lines, where their regions allow it.
fn move_lines(
    stimulus: &mut Stimulus,
    mutation: &mut Mutation<'_>,
    mut place: impl FnMut(u64) -> u64,
) {
    for at in mutation.range(stimulus) {
        let step = &stimulus.steps[at];
        let (Some((addr, _)), Some(line)) = (step.op.access(), line_of(step)) else {
            continue;
        };
        if let Some(moved) = edit::at(step, place(line) + (addr - line)) {
            stimulus.steps[at] = moved;
        }
    }
}

/// The line of some other step, or one that falls into the same set of caches and directories.
fn to_another_line(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let target = mutation
        .place(stimulus)
        .and_then(|at| line_of(&stimulus.steps[at]));
    let tags = mutation.rng.random_range(0..6u64);
    match target.filter(|_| mutation.rng.random_range(0..3) > 0) {
        Some(target) => move_lines(stimulus, mutation, |line| {
            // What is uncached stays uncached.
            match (line ^ target) >> 32 {
                0 => target,
                _ => line,
            }
        }),
        None => move_lines(stimulus, mutation, |line| {
            line ^ (tags * SET_STRIDE * LINE_BYTES as u64)
        }),
    }
}

/// A neighbouring line, whose home is another.
fn to_another_home(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let difference = mutation.rng.random_range(1..8u64) * LINE_BYTES as u64;
    move_lines(stimulus, mutation, |line| line ^ difference);
}

/// Another part of the line, or another size.
fn within_the_line(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    for at in mutation.range(stimulus) {
        let size = 1u16 << mutation.rng.random_range(0..=8);
        let offset = mutation.rng.random_range(0..LINE_BYTES as u64);
        let mut step = stimulus.steps[at].clone();
        if let Some(line) = line_of(&step) {
            step = edit::at(&step, line).unwrap_or(step);
            step = edit::sized(&step, size).unwrap_or(step);
            let bytes = step.op.access().map_or(1, |(_, size)| u64::from(size));
            step = edit::at(&step, line + offset - offset % bytes).unwrap_or(step);
            stimulus.steps[at] = step;
        }
    }
}

/// Another operation of the same node on the same line.
fn another_operation(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let Some(at) = mutation.place(stimulus) else {
        return;
    };
    let old = stimulus.steps[at].clone();
    let fresh = mutation.fresh(stimulus);
    let Some(mut step) = fresh.into_iter().next() else {
        return;
    };
    let possible = |step: &Step| {
        let kind = step.op.kind();
        kind.possible_on(&stimulus.config.nodes[old.node])
    };
    if let Some(line) = line_of(&old)
        && step
            .op
            .access()
            .is_some_and(|(addr, _)| (addr ^ line) >> 32 == 0)
    {
        let offset = step
            .op
            .access()
            .map_or(0, |(addr, _)| addr % LINE_BYTES as u64);
        step = edit::at(&step, line + offset).unwrap_or(step);
    }
    if possible(&step) {
        step.node = old.node;
    }
    step.after = old.after;
    stimulus.steps[at] = step;
}

/// Another packet or turn of the same port, in the place of some.
pub(super) fn another_of_part(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let fresh = mutation.fresh(stimulus);
    let range = mutation.range(stimulus);
    for (step, fresh) in stimulus.steps[range].iter_mut().zip(fresh) {
        step.op = fresh.op;
    }
}

pub(super) fn idle(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    for at in mutation.range(stimulus) {
        let after = &mut stimulus.steps[at].after;
        *after = match mutation.rng.random_range(0..4) {
            0 => 0,
            1 => *after + mutation.rng.random_range(0..4),
            2 => after.saturating_sub(mutation.rng.random_range(0..4)),
            _ => mutation.rng.random_range(0..64),
        };
    }
}

/// Lets an exchange succeed that waits for a value, and lets two writes be of one value.
fn expect_what_is_written(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let (Some(at), Some(from)) = (mutation.place(stimulus), mutation.place(stimulus)) else {
        return;
    };
    let value = stimulus.steps[from].op.value().unwrap_or(0);
    if let Some(step) = edit::expecting(&stimulus.steps[at], value) {
        stimulus.steps[at] = step;
    }
}

pub(super) fn back_pressure(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let permille = match rng.random_range(0..4) {
        0 | 1 => 0,
        2 => rng.random_range(0..200),
        _ => rng.random_range(200..800),
    };
    let stall = &mut stimulus.config.stall;
    match rng.random_range(0..3) {
        0 => stall.rx_permille = permille,
        1 => stall.tx_permille = permille,
        _ => stimulus.seed = rng.random(),
    }
}

/// A cache, a store buffer or a memory of other figures, a peer of another right.
pub(super) fn another_device(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let port = rng.random_range(0..stimulus.config.nodes.len());
    match &mut stimulus.config.nodes[port] {
        Node::Cached {
            sets,
            ways,
            mshrs,
            store_buffer,
        } => match rng.random_range(0..4) {
            0 => *sets = 1 << rng.random_range(0..4),
            1 => *ways = rng.random_range(1..=4),
            2 => *mshrs = rng.random_range(1..=8),
            _ => *store_buffer = [0, 0, 1, 2, 4][rng.random_range(0..5)],
        },
        Node::Memory { timing } => {
            *timing = MemoryTiming::Custom(Timing {
                latency: 1 << rng.random_range(0..7),
                channels: rng.random_range(1..=4),
                busy: rng.random_range(1..=8),
            });
        }
        Node::Core { depth } => *depth = 1 << rng.random_range(0..6),
        Node::Peer { reads_only } => *reads_only = rng.random(),
        Node::Io {} | Node::Hostile {} => {}
    }
}

pub(super) fn start_skew(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let ports = stimulus.config.ports;
    let skew = &mut stimulus.config.start_skew;
    skew.resize(ports, 0);
    skew[mutation.rng.random_range(0..ports)] = mutation.rng.random_range(0..48);
}

/// A node in one or both of two partitions, and a region that one or both may read and write.
fn rights(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let mut partitions = || rng.random_range(1..=3);
    let (node, read, write) = (partitions(), partitions(), partitions());
    let config = &mut stimulus.config;
    config.port_partitions.resize(config.ports, u16::MAX);
    config.port_partitions[rng.random_range(0..config.ports)] = node;
    let region = rng.random_range(0..config.regions.len().max(1));
    if let Some(region) = config.regions.get_mut(region) {
        (region.read_partitions, region.write_partitions) = (read, write);
    }
}

/// Puts whoever buffers stores into every partition: when one of its stores is refused, the program
/// has gone on and nobody is there to be told.
fn entitle(stimulus: &mut Stimulus) {
    let config = &mut stimulus.config;
    for (partitions, node) in config.port_partitions.iter_mut().zip(&config.nodes) {
        if matches!(
            node,
            Node::Cached {
                store_buffer: 1..,
                ..
            }
        ) {
            *partitions = u16::MAX;
        }
    }
}

/// Flips bits of a word of a hostile device, tears its packet, or sends it in another class.
fn spoil_words(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let Some(at) = mutation.place(stimulus) else {
        return;
    };
    let words: &mut Vec<LinkWord> = match &mut stimulus.steps[at].op {
        Op::Raw { words } if !words.is_empty() => words,
        _ => return,
    };
    hostile::spoil(words, mutation.rng);
    words.truncate(MAX_WORDS);
}
