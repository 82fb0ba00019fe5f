//! A barrier, and a cellular automaton that needs it.

use super::shared::{Array, Atomic, Heap};
use super::team::Team;
use super::{Verdict, compare};
use crate::sim::NodeHandle;
use rand::RngExt;

/// Nobody leaves before all have come.
#[derive(Clone, Copy)]
pub struct Barrier {
    size: u32,
    arrived: Atomic<u32>,
    phase: Atomic<u32>,
}

impl Barrier {
    /// A barrier of a team.
    pub fn new(heap: &mut Heap, team: &Team) -> Barrier {
        Barrier {
            size: team.size() as u32,
            arrived: heap.value(),
            phase: heap.value(),
        }
    }

    /// Waits for the others. What any node has stored before is visible to all after.
    pub async fn wait(self, node: &NodeHandle) {
        let phase = self.phase.load(node).await;
        // An atomic is performed after all older stores of its node.
        if self.arrived.fetch_add(node, 1).await + 1 == self.size {
            self.arrived.store(node, 0).await;
            self.phase.store(node, phase + 1).await;
        } else {
            while self.phase.load(node).await == phase {}
        }
    }
}

/// Cells of each node, a byte each: several nodes write in one line.
const CELLS: usize = 8;
const GENERATIONS: usize = 6;

/// Rule 110: what a cell becomes from its left neighbour, itself and its right neighbour.
fn rule(left: u8, cell: u8, right: u8) -> u8 {
    110 >> (left << 2 | cell << 1 | right) & 1
}

/// The cells of a ring, some generations later.
fn plain(mut cells: Vec<u8>) -> Vec<u8> {
    for _ in 0..GENERATIONS {
        let len = cells.len();
        let next = |i: usize| rule(cells[(i + len - 1) % len], cells[i], cells[(i + 1) % len]);
        cells = (0..len).map(next).collect();
    }
    cells
}

/// Every node brings forward its own cells, all together generation by generation.
pub async fn automaton(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let len = CELLS * team.size();
    let barrier = Barrier::new(&mut heap, &team);
    let rows: [Array<u8>; 2] = [heap.array(len), heap.array(len)];
    let mut random = team.random("cells");
    let cells: Vec<u8> = (0..len).map(|_| random.random_range(0..2)).collect();
    rows[0].fill(team.leader(), &cells).await;
    team.run(move |me, node| async move {
        for generation in 0..GENERATIONS {
            let [now, next] = [0, 1].map(|row| rows[(generation + row) % 2]);
            for i in CELLS * me..CELLS * (me + 1) {
                let left = now.at((i + len - 1) % len).load(&node).await;
                let cell = now.at(i).load(&node).await;
                let right = now.at((i + 1) % len).load(&node).await;
                next.at(i).store(&node, rule(left, cell, right)).await;
            }
            barrier.wait(&node).await;
        }
    })
    .await;
    let found = rows[GENERATIONS % 2].read(team.leader()).await;
    compare("cells", &found, &plain(cells))
}
