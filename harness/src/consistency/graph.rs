//! Edges between operations, and cycles of them.

use std::collections::VecDeque;

/// Why an operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Its thread performs it first.
    Program,
    /// The other reads, at this place, what it wrote.
    ReadsFrom(u32),
    /// Its write of this place became visible first.
    Coherence(u32),
    /// It reads this place as it was before the other wrote there.
    FromReads(u32),
    /// Both write this place, and the other one first would contradict a read.
    Forced(u32),
    /// Both write this place; tried, not known.
    Tried(u32),
    /// The last write of this place is known.
    Last(u32),
}

/// `from` comes before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The earlier operation.
    pub from: u32,
    /// The later operation.
    pub to: u32,
    /// Why.
    pub why: Why,
}

/// How many edges are looked at in search of a short cycle.
const SHORTEN_EDGES: usize = 20_000_000;
/// From how many nodes a short cycle is looked for.
const SHORTEN_STARTS: usize = 256;

/// What a graph keeps of the reason for an edge.
pub(super) trait Label: Copy {
    fn of(why: Why) -> Self;
}

impl Label for Why {
    fn of(why: Why) -> Self {
        why
    }
}

/// Nothing: half the size, and enough to see whether there is a cycle.
impl Label for () {
    fn of(_: Why) -> Self {}
}

/// Operations, and nodes that stand for none, with edges between them.
pub(super) struct Graph<L> {
    nodes: usize,
    edges: Vec<(u32, u32, L)>,
}

/// The edges ordered by the node that they leave.
struct Outgoing {
    first: Vec<u32>,
    edges: Vec<u32>,
}

impl Outgoing {
    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.edges[self.first[node] as usize..self.first[node + 1] as usize]
    }
}

impl<L: Label> Graph<L> {
    /// A graph of that many nodes, with room for edges.
    pub(super) fn new(nodes: usize, edges: usize) -> Self {
        Graph {
            nodes,
            edges: Vec::with_capacity(edges),
        }
    }

    /// Another node; it stands for no operation.
    pub(super) fn add_node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes as u32 - 1
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    pub(super) fn add(&mut self, from: u32, to: u32, why: Why) {
        self.edges.push((from, to, L::of(why)));
    }

    fn outgoing(&self) -> Outgoing {
        let mut first = vec![0u32; self.nodes + 2];
        for &(from, ..) in &self.edges {
            first[from as usize + 2] += 1;
        }
        for node in 2..first.len() {
            first[node] += first[node - 1];
        }
        let mut edges = vec![0; self.edges.len()];
        for (index, &(from, ..)) in self.edges.iter().enumerate() {
            let at = &mut first[from as usize + 1];
            edges[*at as usize] = index as u32;
            *at += 1;
        }
        Outgoing { first, edges }
    }

    /// For each node, how many of those before it cannot be put in an order; `None` if all can.
    fn waiting(&self, outgoing: &Outgoing) -> Option<Vec<u32>> {
        let mut waits = vec![0u32; self.nodes];
        for &(_, to, _) in &self.edges {
            waits[to as usize] += 1;
        }
        let nodes = 0..self.nodes as u32;
        let mut order = Vec::with_capacity(self.nodes);
        order.extend(nodes.filter(|&node| waits[node as usize] == 0));
        let mut done = 0;
        while let Some(&node) = order.get(done) {
            done += 1;
            for &edge in outgoing.of(node) {
                let to = self.edges[edge as usize].1;
                waits[to as usize] -= 1;
                if waits[to as usize] == 0 {
                    order.push(to);
                }
            }
        }
        (done < self.nodes).then_some(waits)
    }

    /// Whether there is a cycle.
    pub(super) fn is_cyclic(&self) -> bool {
        self.waiting(&self.outgoing()).is_some()
    }
}

impl Graph<Why> {
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge> {
        (self.edges.iter()).map(|&(from, to, why)| Edge { from, to, why })
    }

    fn edge(&self, index: u32) -> Edge {
        let (from, to, why) = self.edges[index as usize];
        Edge { from, to, why }
    }

    /// A short cycle, if there is any.
    pub(super) fn cycle(&self) -> Option<Vec<Edge>> {
        let outgoing = self.outgoing();
        let waits = self.waiting(&outgoing)?;
        Some(self.short_cycle(&outgoing, &waits))
    }

    /// A cycle among the nodes that wait for another of them, of as few edges that are not program
    /// order as can be found in a limited time.
    fn short_cycle(&self, outgoing: &Outgoing, waits: &[u32]) -> Vec<Edge> {
        let waiting: Vec<u32> = (0..self.nodes as u32)
            .filter(|&node| waits[node as usize] != 0)
            .collect();
        let edges: usize = waiting.iter().map(|&node| outgoing.of(node).len()).sum();
        let starts = (SHORTEN_EDGES / edges.max(1)).clamp(1, SHORTEN_STARTS);
        let stride = waiting.len().div_ceil(starts);
        let on_cycle = self.node_on_cycle(waits, waiting[0]);
        let mut best: Option<(u32, Vec<Edge>)> = None;
        let mut cost = vec![u32::MAX; self.nodes];
        let mut via = vec![u32::MAX; self.nodes];
        for start in std::iter::once(on_cycle).chain(waiting.iter().copied().step_by(stride)) {
            let found = self.cheapest_cycle(outgoing, waits, start, &mut cost, &mut via);
            if let Some(found) = found
                && best
                    .as_ref()
                    .is_none_or(|(cost, cycle)| (found.0, found.1.len()) < (*cost, cycle.len()))
            {
                best = Some(found);
            }
        }
        best.map(|(_, cycle)| cycle).unwrap_or_default()
    }

    /// Steps back from a waiting node until one comes again.
    fn node_on_cycle(&self, waits: &[u32], from: u32) -> u32 {
        let mut before = vec![u32::MAX; self.nodes];
        for &(from, to, _) in &self.edges {
            if waits[from as usize] != 0 {
                before[to as usize] = from;
            }
        }
        let mut seen = vec![false; self.nodes];
        let mut node = from;
        while !std::mem::replace(&mut seen[node as usize], true) {
            node = before[node as usize];
        }
        node
    }

    /// The cheapest cycle through `start`: program order is free, other edges cost one.
    fn cheapest_cycle(
        &self,
        outgoing: &Outgoing,
        waits: &[u32],
        start: u32,
        cost: &mut [u32],
        via: &mut [u32],
    ) -> Option<(u32, Vec<Edge>)> {
        cost.fill(u32::MAX);
        let mut queue = VecDeque::from([(start, 0)]);
        let mut closing: Option<(u32, u32)> = None;
        while let Some((node, so_far)) = queue.pop_front() {
            if node != start && so_far > cost[node as usize] {
                continue;
            }
            for &index in outgoing.of(node) {
                let edge = self.edge(index);
                let free = edge.why == Why::Program;
                let next = so_far + u32::from(!free);
                if edge.to == start {
                    if closing.is_none_or(|(best, _)| next < best) {
                        closing = Some((next, index));
                    }
                } else if waits[edge.to as usize] != 0 && next < cost[edge.to as usize] {
                    cost[edge.to as usize] = next;
                    via[edge.to as usize] = index;
                    match free {
                        true => queue.push_front((edge.to, next)),
                        false => queue.push_back((edge.to, next)),
                    }
                }
            }
        }
        let (total, last) = closing?;
        let mut cycle = vec![self.edge(last)];
        while cycle[cycle.len() - 1].from != start {
            let at = cycle[cycle.len() - 1].from;
            cycle.push(self.edge(via[at as usize]));
        }
        cycle.reverse();
        Some((total, cycle))
    }
}
