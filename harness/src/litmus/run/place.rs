//! Where a run happens, and when: addresses, nodes, what caches hold before, delays.

use crate::litmus::{Instr, Operand, Test, Thread};
use flits::layout::LINE_BYTES;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The first address of the first lane.
const BASE: u64 = 0x10_0000;
/// Bytes of a lane: its runs use lines in here, again and again.
const LANE: u64 = 0x2000;
/// Bytes after which lines fall to the same home, and into the same set of a small cache.
const SAME_SET: u64 = 16 * LINE_BYTES as u64;
/// Bytes of a variable.
const SLOT: u64 = 8;

/// The first address of decoys.
const DECOYS: u64 = 0x8_0000;
/// Lines of decoys.
const DECOY_LINES: u64 = 256;

/// How long the longest delays are, in cycles.
const DELAYS: [u64; 6] = [0, 0, 2, 8, 30, 120];

/// The place of a run.
pub(super) struct Place {
    /// Address of each variable.
    pub(super) addresses: Vec<u64>,
    /// The node that sets each variable before.
    pub(super) setters: Vec<usize>,
    /// The node of each thread.
    pub(super) nodes: Vec<usize>,
    /// Variables that each thread's node loads before.
    pub(super) warm: Vec<Vec<usize>>,
    /// Cycles that each thread waits before it begins, at least, and by how many it may be more.
    pub(super) starts: Vec<(u64, u64)>,
    /// Cycles that each thread waits before an access, at most.
    pub(super) gaps: Vec<u64>,
    /// Stores beside the test that each thread makes before it begins, and the share of its accesses
    /// before which it makes one: whatever it stores then waits behind them.
    pub(super) decoys: Vec<(usize, f64)>,
    /// The node that reads the variables afterwards.
    pub(super) reader: usize,
}

impl Place {
    /// A random place for a test in a lane.
    pub(super) fn random(
        test: &Test,
        processors: &[usize],
        lane: usize,
        rng: &mut Pcg64Mcg,
    ) -> Self {
        let mut shuffled = processors.to_vec();
        shuffled.shuffle(rng);
        let place = Place {
            addresses: addresses(test.locations.len(), BASE + lane as u64 * LANE, rng),
            setters: Vec::new(),
            nodes: shuffled[..test.threads.len()].to_vec(),
            warm: Vec::new(),
            starts: Vec::new(),
            gaps: Vec::new(),
            decoys: Vec::new(),
            reader: processors[rng.random_range(0..processors.len())],
        };
        match rng.random_bool(0.5) {
            true => place.any(test, processors, rng),
            false => place.one_late(test, rng),
        }
    }

    /// Anything may happen.
    fn any(mut self, test: &Test, processors: &[usize], rng: &mut Pcg64Mcg) -> Self {
        let variables = 0..test.locations.len();
        // A variable set by one of the threads is dirty there; by another node, far away.
        let setter = |rng: &mut Pcg64Mcg| match rng.random_range(0..3) {
            0 => processors[rng.random_range(0..processors.len())],
            _ => self.nodes[rng.random_range(0..self.nodes.len())],
        };
        self.setters = variables.clone().map(|_| setter(rng)).collect();
        // Held by all, by some, by nobody.
        let share = [1.0, 1.0, 0.5, 0.25, 0.0][rng.random_range(0..5)];
        let delay = |rng: &mut Pcg64Mcg| DELAYS[rng.random_range(0..DELAYS.len())];
        let skew = delay(rng);
        for turn in turns(self.nodes.len(), rng) {
            let held = variables.clone().filter(|_| rng.random_bool(share));
            self.warm.push(held.collect());
            self.starts.push((turn, skew));
            self.gaps.push(delay(rng));
            let before = [0, 0, 1, 2][rng.random_range(0..4)];
            let between = [0.0, 0.0, 0.5][rng.random_range(0..3)];
            self.decoys.push((before, between));
        }
        self
    }

    /// The stores of one thread are late, its loads are not; the others own what they store.
    fn one_late(mut self, test: &Test, rng: &mut Pcg64Mcg) -> Self {
        let threads = self.nodes.len();
        let late = rng.random_range(0..threads);
        let mut turns = turns(threads, rng);
        turns[late] = 0;
        for location in 0..test.locations.len() {
            let thread = rng.random_range(0..threads);
            let storing = (0..threads)
                .map(|at| (thread + at) % threads)
                .find(|&thread| {
                    thread != late && accesses(test, thread, false).contains(&location)
                });
            self.setters.push(self.nodes[storing.unwrap_or(thread)]);
        }
        for (thread, turn) in turns.into_iter().enumerate() {
            let is_late = thread == late;
            let held = match is_late || rng.random_bool(0.5) {
                true => accesses(test, thread, true),
                false => Vec::new(),
            };
            self.warm.push(held);
            self.starts.push((turn, rng.random_range(0..30)));
            self.gaps.push(rng.random_range(0..3));
            let before = if is_late { rng.random_range(1..7) } else { 0 };
            self.decoys.push((before, 0.0));
        }
        self
    }
}

/// When each thread begins: all at once, or one after the other in some order.
fn turns(threads: usize, rng: &mut Pcg64Mcg) -> Vec<u64> {
    let step = [0, 0, 10, 25, 50][rng.random_range(0..5)];
    let mut turns: Vec<u64> = (0..threads as u64).map(|turn| turn * step).collect();
    turns.shuffle(rng);
    turns
}

/// The variables that a thread loads, or those that it writes, as far as its code says so by itself.
fn accesses(test: &Test, thread: usize, loads: bool) -> Vec<usize> {
    let Thread { init, code, .. } = &test.threads[thread];
    let accessed = code.iter().filter_map(|instr| match instr {
        Instr::Load { at, .. } | Instr::Reserve { at, .. } if loads => Some(at),
        Instr::Store { at, .. } | Instr::Atomic { at, .. } | Instr::Conditional { at, .. }
            if !loads =>
        {
            Some(at)
        }
        _ => None,
    });
    let address = |base| match base {
        Operand::Register(register) => init[register],
        Operand::Value(value) => value,
    };
    accessed
        .filter_map(|at| test.location_at(address(at.base).wrapping_add(at.offset)))
        .collect()
}

/// Somewhere in the lines that decoys of all runs contend for.
pub(super) fn decoy(rng: &mut Pcg64Mcg) -> u64 {
    DECOYS + rng.random_range(0..DECOY_LINES * LINE_BYTES as u64 / SLOT) * SLOT
}

/// Addresses of variables in a lane: all in lines of their own, in two lines, in one, or in lines
/// that meet in one cache set and home.
fn addresses(variables: usize, base: u64, rng: &mut Pcg64Mcg) -> Vec<u64> {
    let line = LINE_BYTES as u64;
    let slots = line / SLOT;
    let packed = |lines: u64, rng: &mut Pcg64Mcg| {
        let offset = rng.random_range(0..LANE / line - lines) * line;
        let at = |place| base + offset + place % lines * line + place / lines * SLOT;
        distinct(variables, lines * slots, rng)
            .into_iter()
            .map(at)
            .collect()
    };
    let few = |places: u64| variables as u64 <= places;
    match rng.random_range(0..6) {
        0 if few(slots) => packed(1, rng),
        1 if few(2 * slots) => packed(2, rng),
        2 if few(LANE / SAME_SET) => {
            let offset = rng.random_range(0..SAME_SET / line) * line;
            let at = |place| base + offset + place * SAME_SET;
            distinct(variables, LANE / SAME_SET, rng)
                .into_iter()
                .map(at)
                .collect()
        }
        _ => {
            let places = distinct(variables, LANE / line, rng).into_iter();
            places
                .map(|place| base + place * line + rng.random_range(0..slots) * SLOT)
                .collect()
        }
    }
}

/// So many different numbers below `limit`.
fn distinct(count: usize, limit: u64, rng: &mut Pcg64Mcg) -> Vec<u64> {
    let mut all: Vec<u64> = (0..limit).collect();
    for i in 0..count {
        let j = rng.random_range(i..all.len());
        all.swap(i, j);
    }
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::stream;
    use std::collections::BTreeSet;

    #[test]
    fn variables_never_overlap_and_stay_in_their_lane() {
        let mut rng = stream(1, "addresses");
        for variables in 0..12 {
            for _ in 0..200 {
                let found = addresses(variables, 3 * LANE, &mut rng);
                let distinct: BTreeSet<u64> = found.iter().copied().collect();
                assert_eq!(distinct.len(), variables);
                for address in found {
                    assert_eq!(address % SLOT, 0);
                    assert!((3 * LANE..4 * LANE).contains(&address), "{address:#x}");
                }
            }
        }
    }
}
