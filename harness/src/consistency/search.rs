//! The check that does not know the order of the stores.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::closure::Closure;
use super::graph::{Edge, Graph, Why};
use super::history::{History, Kind, Model, NOBODY};
use super::{Reason, Verdict, program};

/// The largest history that is searched, in operations: what must come before what takes a bit a
/// pair of them.
pub const MAX_SEARCHED: usize = 16_384;

/// How long to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How many times something may be tried.
    pub tries: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { tries: 100_000 }
    }
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Searched {
    /// The answer.
    Decided(Verdict),
    /// None within the effort.
    GaveUp,
    /// The history has more than [`MAX_SEARCHED`] operations.
    TooLarge,
}

/// Whether there is any order of the stores that the history is allowed with; `models` has the model
/// of each thread. Values may be stored more than once.
///
/// # Panics
/// If there are fewer models than threads.
pub fn search(history: &History, models: &[Model], effort: Effort) -> Searched {
    assert!(history.threads() <= models.len(), "each thread has a model");
    if history.operations().len() > MAX_SEARCHED {
        return Searched::TooLarge;
    }
    let mut search = match Search::new(history, models) {
        Ok(search) => search,
        Err(reason) => return Searched::Decided(Verdict::Forbidden(reason)),
    };
    search.run(effort)
}

/// What cannot be all true: the edges of a cycle.
type Conflict = Vec<Edge>;

/// A read, or a value at the end, whose store is to be found.
struct Read {
    /// `None` for the value at the end.
    op: Option<u32>,
    place: u32,
    /// The stores that it may come from; `None` for what was there at first.
    candidates: Vec<Option<u32>>,
    decided: bool,
}

/// Something that may hold.
#[derive(Clone, Copy)]
enum Alternative {
    Source(usize, Option<u32>),
    Order(u32, u32, u32),
}

/// Alternatives that are left, and where to go back to for them.
struct Level {
    left: Vec<Alternative>,
    edges: usize,
    closure: usize,
    decided: usize,
}

struct Search<'a> {
    history: &'a History,
    models: &'a [Model],
    edges: Vec<Edge>,
    /// The edges that leave each node.
    outgoing: Vec<Vec<u32>>,
    closure: Closure,
    writers: Vec<Vec<u32>>,
    reads: Vec<Read>,
    /// Each decided read: its index and its store.
    decided: Vec<(usize, Option<u32>)>,
    /// Reader and store of the decided reads of each place, but for those of what was there at first.
    readers: Vec<Vec<(u32, u32)>>,
}

impl<'a> Search<'a> {
    fn new(history: &'a History, models: &'a [Model]) -> Result<Self, Reason> {
        let places = history.initial().len();
        let operations = history.operations().len() as u32;
        let mut writers = vec![Vec::new(); places];
        let mut values: FxHashMap<(u32, u64), Vec<Option<u32>>> = FxHashMap::default();
        for (place, &value) in history.initial().iter().enumerate() {
            values.insert((place as u32, value), vec![None]);
        }
        for op in 0..operations {
            for access in history.accesses(op) {
                if let Some(written) = access.written {
                    writers[access.place as usize].push(op);
                    let key = (access.place, written.value);
                    values.entry(key).or_default().push(Some(op));
                }
            }
        }
        let mut reads = Vec::new();
        for op in 0..operations {
            for access in history.accesses(op) {
                let (place, Some(value)) = (access.place, access.read) else {
                    continue;
                };
                let sources = values.get(&(place, value)).into_iter().flatten();
                let candidates: Vec<_> = sources.copied().filter(|&w| w != Some(op)).collect();
                if candidates.is_empty() {
                    return Err(Reason::Unwritten { op, place, value });
                }
                reads.push(Read {
                    op: Some(op),
                    place,
                    candidates,
                    decided: false,
                });
            }
        }
        for &(place, value) in history.finals() {
            let mut candidates = values.get(&(place, value)).cloned().unwrap_or_default();
            if !writers[place as usize].is_empty() {
                candidates.retain(Option::is_some);
            }
            if candidates.is_empty() {
                return Err(Reason::Final { place, value });
            }
            reads.push(Read {
                op: None,
                place,
                candidates,
                decided: false,
            });
        }
        let mut graph: Graph<Why> = Graph::new(operations as usize, 0);
        program::order(history, models, &mut graph, |_, _| ());
        let nodes = graph.nodes();
        let mut search = Search {
            history,
            models,
            edges: Vec::new(),
            outgoing: vec![Vec::new(); nodes],
            closure: Closure::new(nodes),
            writers,
            reads,
            decided: Vec::new(),
            readers: vec![Vec::new(); places],
        };
        for edge in graph.edges() {
            search.insert(edge);
        }
        Ok(search)
    }

    fn run(&mut self, effort: Effort) -> Searched {
        let mut levels: Vec<Level> = Vec::new();
        let mut first = None;
        let mut tries = 0;
        let mut outcome = self.begin();
        loop {
            match outcome {
                Ok(()) => match self.alternatives() {
                    Some(left) => levels.push(Level {
                        left,
                        edges: self.edges.len(),
                        closure: self.closure.mark(),
                        decided: self.decided.len(),
                    }),
                    None => return Searched::Decided(Verdict::Allowed),
                },
                Err(edges) => {
                    let certain = levels.is_empty();
                    first.get_or_insert(Reason::Cycle { edges, certain });
                }
            }
            let alternative = loop {
                let Some(level) = levels.last_mut() else {
                    let reason = first.expect("there are levels until there is a conflict");
                    return Searched::Decided(Verdict::Forbidden(reason));
                };
                let next = level.left.pop();
                let marks = (level.edges, level.closure, level.decided);
                self.undo(marks);
                match next {
                    Some(alternative) => break alternative,
                    None => levels.pop(),
                };
            };
            tries += 1;
            if tries > effort.tries {
                return Searched::GaveUp;
            }
            outcome = self.apply(alternative).and_then(|()| self.saturate());
        }
    }

    /// Everything that is known from the start.
    fn begin(&mut self) -> Result<(), Conflict> {
        for read in 0..self.reads.len() {
            if let [source] = self.reads[read].candidates[..] {
                self.assign(read, source)?;
            }
        }
        self.saturate()
    }

    fn undo(&mut self, (edges, closure, decided): (usize, usize, usize)) {
        for edge in self.edges.drain(edges..).rev() {
            self.outgoing[edge.from as usize].pop();
        }
        self.closure.undo(closure);
        for (read, source) in self.decided.drain(decided..).rev() {
            let read = &mut self.reads[read];
            read.decided = false;
            if read.op.is_some() && source.is_some() {
                self.readers[read.place as usize].pop();
            }
        }
    }

    fn insert(&mut self, edge: Edge) {
        self.outgoing[edge.from as usize].push(self.edges.len() as u32);
        self.edges.push(edge);
        self.closure.add(edge.from, edge.to);
    }

    /// Adds an edge, unless it is implied.
    fn add(&mut self, from: u32, to: u32, why: Why) -> Result<(), Conflict> {
        let edge = Edge { from, to, why };
        if from == to {
            return Err(vec![edge]);
        }
        if self.closure.reaches(to, from) {
            let mut cycle = self.path(to, from);
            cycle.push(edge);
            return Err(cycle);
        }
        if !self.closure.reaches(from, to) {
            self.insert(edge);
        }
        Ok(())
    }

    /// A shortest path; there is one.
    fn path(&self, from: u32, to: u32) -> Vec<Edge> {
        let mut via = vec![u32::MAX; self.outgoing.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for &edge in &self.outgoing[node as usize] {
                let next = self.edges[edge as usize].to;
                if next != from && via[next as usize] == u32::MAX {
                    via[next as usize] = edge;
                    queue.push_back(next);
                }
            }
        }
        let mut path = Vec::new();
        let mut node = to;
        while node != from {
            let edge = self.edges[via[node as usize] as usize];
            path.push(edge);
            node = edge.from;
        }
        path.reverse();
        path
    }

    fn apply(&mut self, alternative: Alternative) -> Result<(), Conflict> {
        match alternative {
            Alternative::Source(read, source) => self.assign(read, source),
            Alternative::Order(first, second, place) => self.add(first, second, Why::Tried(place)),
        }
    }

    /// A read takes its value from `source`.
    fn assign(&mut self, read: usize, source: Option<u32>) -> Result<(), Conflict> {
        let Read { op, place, .. } = self.reads[read];
        self.reads[read].decided = true;
        self.decided.push((read, source));
        let Some(op) = op else {
            let others = self.writers[place as usize].clone();
            return match source {
                Some(last) => (others.into_iter().filter(|&other| other != last))
                    .try_for_each(|other| self.add(other, last, Why::Last(place))),
                None => Ok(()),
            };
        };
        let edge = |from, to, why| Edge { from, to, why };
        if let Some(writer) = source {
            self.readers[place as usize].push((op, writer));
            if self.history.precedes(op, writer) {
                return Err(vec![
                    edge(op, writer, Why::Program),
                    edge(writer, op, Why::ReadsFrom(place)),
                ]);
            }
            if !self.forwards(writer, op) {
                self.add(writer, op, Why::ReadsFrom(place))?;
            }
        }
        for other in self.writers[place as usize].clone() {
            if other == op || Some(other) == source {
                continue;
            }
            let own = self.history.precedes(other, op);
            match source {
                // A thread sees its own stores, be they visible or not.
                Some(writer) if own => self.add(other, writer, Why::Forced(place))?,
                Some(_) => {}
                None if own => {
                    return Err(vec![
                        edge(other, op, Why::Program),
                        edge(op, other, Why::FromReads(place)),
                    ]);
                }
                None => self.add(op, other, Why::FromReads(place))?,
            }
        }
        Ok(())
    }

    /// Whether a store may reach a reader before it is visible.
    fn forwards(&self, writer: u32, reader: u32) -> bool {
        let (from, to) = (
            self.history.operation(writer),
            self.history.operation(reader),
        );
        from.kind == Kind::Store
            && from.thread == to.thread
            && from.thread != NOBODY
            && self.models[from.thread as usize] == Model::Tso
    }

    /// Adds what follows until nothing more does: between a store and a read of it no other store
    /// of the place is visible, and a read for which only one store is left reads that.
    fn saturate(&mut self) -> Result<(), Conflict> {
        loop {
            let before = (self.edges.len(), self.decided.len());
            for place in 0..self.readers.len() {
                let why = (Why::Forced(place as u32), Why::FromReads(place as u32));
                for at in 0..self.readers[place].len() {
                    let (reader, writer) = self.readers[place][at];
                    for other in 0..self.writers[place].len() {
                        let other = self.writers[place][other];
                        if other == writer || other == reader {
                            continue;
                        }
                        if self.closure.reaches(other, reader)
                            && !self.closure.reaches(other, writer)
                        {
                            self.add(other, writer, why.0)?;
                        }
                        if self.closure.reaches(writer, other)
                            && !self.closure.reaches(reader, other)
                        {
                            self.add(reader, other, why.1)?;
                        }
                    }
                }
            }
            for read in 0..self.reads.len() {
                if self.reads[read].decided {
                    continue;
                }
                let mut left = self.sources(read);
                let (first, second) = (left.next(), left.next());
                drop(left);
                if second.is_none() {
                    // If there is none, any leads to the contradiction.
                    let source = first.unwrap_or(self.reads[read].candidates[0]);
                    self.assign(read, source)?;
                }
            }
            if (self.edges.len(), self.decided.len()) == before {
                return Ok(());
            }
        }
    }

    /// The stores that a read may still come from.
    fn sources(&self, read: usize) -> impl Iterator<Item = Option<u32>> {
        let Read {
            op,
            place,
            ref candidates,
            ..
        } = self.reads[read];
        let writers = &self.writers[place as usize];
        candidates.iter().copied().filter(move |&source| {
            let later = |other: u32| {
                Some(other) != source
                    && Some(other) != op
                    && source.is_none_or(|source| self.closure.reaches(source, other))
            };
            let Some(op) = op else {
                return !writers.iter().any(|&other| later(other));
            };
            let too_late =
                source.is_some_and(|w| self.closure.reaches(op, w) && !self.forwards(w, op));
            let hidden = |&other: &u32| later(other) && self.closure.reaches(other, op);
            !too_late && !writers.iter().any(hidden)
        })
    }

    /// What can be tried next, the likeliest last; nothing if an order is found that explains all.
    fn alternatives(&self) -> Option<Vec<Alternative>> {
        let open = (0..self.reads.len()).filter(|&read| !self.reads[read].decided);
        if let Some(read) = open.min_by_key(|&read| self.sources(read).count()) {
            let sources = self.sources(read);
            let mut left: Vec<_> = sources.map(|s| Alternative::Source(read, s)).collect();
            left.reverse();
            return Some(left);
        }
        let (place, writer, other) = self.misplaced(&self.greedy_order())?;
        Some(vec![
            Alternative::Order(writer, other, place),
            Alternative::Order(other, writer, place),
        ])
    }

    /// Of an order of all nodes: place, store and another store that is between the first and a
    /// read of it.
    fn misplaced(&self, order: &[u32]) -> Option<(u32, u32, u32)> {
        let mut position = vec![0; order.len()];
        for (at, &node) in order.iter().enumerate() {
            position[node as usize] = at;
        }
        let at = |op: u32| position[op as usize];
        for (place, readers) in self.readers.iter().enumerate() {
            let mut writers = self.writers[place].clone();
            writers.sort_unstable_by_key(|&op| at(op));
            for &(reader, writer) in readers {
                let next = writers.partition_point(|&op| at(op) <= at(writer));
                if let Some(&next) = writers.get(next)
                    && next != reader
                    && at(next) < at(reader)
                {
                    return Some((place as u32, writer, next));
                }
            }
        }
        None
    }

    /// All nodes in an order that keeps every edge, chosen so that no store hides another one that
    /// is still to be read, where that is possible.
    fn greedy_order(&self) -> Vec<u32> {
        let nodes = self.outgoing.len();
        let mut waits = vec![0u32; nodes];
        for edge in &self.edges {
            waits[edge.to as usize] += 1;
        }
        let mut unread: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut source: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (place, readers) in self.readers.iter().enumerate() {
            for &(reader, writer) in readers {
                *unread.entry((place as u32, writer)).or_default() += 1;
                source.insert((place as u32, reader), writer);
            }
        }
        let mut current = vec![None; self.writers.len()];
        let mut ready: Vec<u32> = (0..nodes as u32)
            .filter(|&node| waits[node as usize] == 0)
            .collect();
        let mut order = Vec::with_capacity(nodes);
        while !ready.is_empty() {
            let cost = |node: u32| {
                self.accesses(node)
                    .iter()
                    .map(|access| {
                        let held = current[access.place as usize];
                        let from = source.get(&(access.place, node)).copied();
                        let hides = access.written.is_some()
                            && held.is_some_and(|held| {
                                let left = unread.get(&(access.place, held)).copied().unwrap_or(0);
                                left > u32::from(from == Some(held))
                            });
                        let early = from.is_some() && from != held;
                        u32::from(access.written.is_some())
                            + 2 * u32::from(early)
                            + 4 * u32::from(hides)
                    })
                    .max()
                    .unwrap_or(0)
            };
            let best = (0..ready.len())
                .min_by_key(|&at| (cost(ready[at]), ready[at]))
                .unwrap_or(0);
            let node = ready.swap_remove(best);
            order.push(node);
            for access in self.accesses(node) {
                if let Some(&from) = source.get(&(access.place, node))
                    && let Some(left) = unread.get_mut(&(access.place, from))
                {
                    *left -= 1;
                }
                if access.written.is_some() {
                    current[access.place as usize] = Some(node);
                }
            }
            for &edge in &self.outgoing[node as usize] {
                let to = self.edges[edge as usize].to;
                waits[to as usize] -= 1;
                if waits[to as usize] == 0 {
                    ready.push(to);
                }
            }
        }
        order
    }

    fn accesses(&self, node: u32) -> &[super::Access] {
        match (node as usize) < self.history.operations().len() {
            true => self.history.accesses(node),
            false => &[],
        }
    }
}
