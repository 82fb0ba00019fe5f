//! Where a run happens, and when: addresses, nodes, what caches hold before, delays.

use crate::litmus::Test;
use flits::layout::LINE_BYTES;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The first address of the first lane.
const BASE: u64 = 0x10_0000;
/// Bytes of a lane: its runs use lines in here, again and again.
const LANE: u64 = 0x1_0000;
/// Bytes after which lines fall into the same set of a cache of 64 sets, and to the same home.
const SAME_SET: u64 = 64 * LINE_BYTES as u64;
/// Bytes of a variable.
const SLOT: u64 = 8;

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
    /// Cycles that each thread waits before it begins, at most.
    pub(super) skews: Vec<u64>,
    /// Cycles that each thread waits before an access, at most.
    pub(super) gaps: Vec<u64>,
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
        let variables = test.locations.len();
        let mut shuffled = processors.to_vec();
        shuffled.shuffle(rng);
        let any = |rng: &mut Pcg64Mcg| processors[rng.random_range(0..processors.len())];
        let nodes: Vec<usize> = shuffled[..test.threads.len()].to_vec();
        let addresses = addresses(variables, BASE + lane as u64 * LANE, rng);
        // A variable set by one of the threads is dirty there; by another node, far away.
        let setters = (0..variables)
            .map(|_| match rng.random_range(0..3) {
                0 => any(rng),
                _ => nodes[rng.random_range(0..nodes.len())],
            })
            .collect();
        // Held by all, by some, by nobody.
        let share = [1.0, 1.0, 0.5, 0.25, 0.0][rng.random_range(0..5)];
        let warm = nodes
            .iter()
            .map(|_| (0..variables).filter(|_| rng.random_bool(share)).collect())
            .collect();
        let limit = |rng: &mut Pcg64Mcg| DELAYS[rng.random_range(0..DELAYS.len())];
        let skews = vec![limit(rng); nodes.len()];
        let gaps = nodes.iter().map(|_| limit(rng)).collect();
        let reader = any(rng);
        Place {
            addresses,
            setters,
            nodes,
            warm,
            skews,
            gaps,
            reader,
        }
    }
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
