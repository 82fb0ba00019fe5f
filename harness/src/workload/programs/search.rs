//! Breadth-first search of a graph in shared memory, level by level.

use super::barrier::Barrier;
use super::shared::{Array, Heap};
use super::team::Team;
use super::{Verdict, compare};
use crate::sim::NodeHandle;
use rand::RngExt;
use std::collections::VecDeque;

/// Vertices, and edges from each.
const VERTICES: usize = 96;
const EDGES: usize = 3;
/// Where the search begins.
const START: usize = 0;

/// For each vertex the vertices that it leads to.
type Graph = Vec<[u32; EDGES]>;

/// The level of each vertex, from 1 at the start; 0 if it is not reached.
fn plain(graph: &Graph) -> Vec<u32> {
    let mut levels = vec![0; graph.len()];
    levels[START] = 1;
    let mut found = VecDeque::from([START]);
    while let Some(vertex) = found.pop_front() {
        for next in graph[vertex].map(|next| next as usize) {
            if levels[next] == 0 {
                levels[next] = levels[vertex] + 1;
                found.push_back(next);
            }
        }
    }
    levels
}

/// What is shared. Of the two lists of vertices one is of the level that is looked at, and the other
/// is written.
#[derive(Clone, Copy)]
struct Search {
    barrier: Barrier,
    edges: Array<u32>,
    levels: Array<u32>,
    lists: [Array<u32>; 2],
    /// By level, the vertices found, and those that somebody has looked at.
    found: Array<u32>,
    taken: Array<u32>,
}

impl Search {
    async fn run(self, node: &NodeHandle) {
        let mut level = 1;
        loop {
            let count = self.found.at(level).load(node).await;
            if count == 0 {
                return;
            }
            loop {
                let index = self.taken.at(level).fetch_add(node, 1).await;
                if index >= count {
                    break;
                }
                let vertex = self.lists[level % 2].at(index as usize).load(node).await;
                self.look_at(node, vertex as usize, level).await;
            }
            self.barrier.wait(node).await;
            level += 1;
        }
    }

    /// Puts those neighbours of a vertex that nobody has found on the list of the next level.
    async fn look_at(self, node: &NodeHandle, vertex: usize, level: usize) {
        let next = level + 1;
        for edge in EDGES * vertex..EDGES * (vertex + 1) {
            let neighbour = self.edges.at(edge).load(node).await;
            let its_level = self.levels.at(neighbour as usize);
            if its_level.compare_exchange(node, 0, next as u32).await {
                let index = self.found.at(next).fetch_add(node, 1).await;
                self.lists[next % 2]
                    .at(index as usize)
                    .store(node, neighbour)
                    .await;
            }
        }
    }
}

/// All nodes search a random graph together.
pub async fn levels(team: Team) -> Verdict {
    let mut random = team.random("graph");
    let mut vertex = || random.random_range(0..VERTICES as u32);
    let graph: Graph = (0..VERTICES)
        .map(|_| [(); EDGES].map(|()| vertex()))
        .collect();
    let mut heap = Heap::default();
    let search = Search {
        barrier: Barrier::new(&mut heap, &team),
        edges: heap.array(VERTICES * EDGES),
        levels: heap.array(VERTICES),
        lists: [heap.array(VERTICES), heap.array(VERTICES)],
        found: heap.array(VERTICES + 2),
        taken: heap.array(VERTICES + 2),
    };
    let leader = team.leader();
    search.edges.fill(leader, &graph.concat()).await;
    search.levels.at(START).store(leader, 1).await;
    search.lists[1].at(0).store(leader, START as u32).await;
    search.found.at(1).store(leader, 1).await;
    team.run(move |_, node| async move { search.run(&node).await })
        .await;
    let found = search.levels.read(leader).await;
    compare("levels", &found, &plain(&graph))
}
