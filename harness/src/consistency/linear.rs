//! The check with a known order of the stores.

use rustc_hash::FxHashMap;

use super::graph::{Edge, Graph, Why};
use super::history::{History, Kind, Model, NOBODY};
use super::program::{self, Moment};
use super::{Reason, Verdict};

/// Whether the history is allowed when the stores of each place became visible in the order of their
/// [ranks](super::Written::rank); `models` has the model of each thread.
///
/// A value that was stored in a place more than once constrains the reads of it to lie after the
/// first and before the end of the last, which is right for histories without such values, and
/// never wrong about an allowed one.
///
/// # Panics
/// If there are fewer models than threads.
pub fn linear(history: &History, models: &[Model]) -> Verdict {
    assert!(history.threads() <= models.len(), "each thread has a model");
    match Linear::new(history, models).check() {
        Ok(()) => Verdict::Allowed,
        Err(reason) => Verdict::Forbidden(reason),
    }
}

/// The first and the last version of a place that has some value. Version 0 is what was there at
/// first.
#[derive(Clone, Copy)]
struct Span {
    first: u32,
    last: u32,
}

struct Linear<'a> {
    history: &'a History,
    models: &'a [Model],
    /// The writer of every version but 0, place by place.
    writers: Vec<u32>,
    /// Where the writers of each place begin; one more at the end.
    places: Vec<u32>,
    /// The version that each access writes, 0 if none.
    written: Vec<u32>,
    values: FxHashMap<(u32, u64), Span>,
}

impl<'a> Linear<'a> {
    fn new(history: &'a History, models: &'a [Model]) -> Self {
        // Rank, access, operation.
        let mut writes: Vec<(u64, u32, u32)> = Vec::with_capacity(history.operations().len());
        for op in 0..history.operations().len() as u32 {
            for at in history.access_range(op) {
                if let Some(written) = history.all_accesses()[at].written {
                    writes.push((written.rank, at as u32, op));
                }
            }
        }
        writes.sort_unstable();
        let mut places = vec![0u32; history.initial().len() + 2];
        for &(_, at, _) in &writes {
            places[history.all_accesses()[at as usize].place as usize + 2] += 1;
        }
        for place in 2..places.len() {
            places[place] += places[place - 1];
        }
        let begins = places.clone();
        let mut writers = vec![0; writes.len()];
        let mut written = vec![0; history.all_accesses().len()];
        let mut values = FxHashMap::with_capacity_and_hasher(writes.len(), Default::default());
        for (_, at, op) in writes {
            let access = &history.all_accesses()[at as usize];
            let slot = &mut places[access.place as usize + 1];
            writers[*slot as usize] = op;
            *slot += 1;
            let version = *slot - begins[access.place as usize + 1];
            written[at as usize] = version;
            let value = access.written.map_or(0, |written| written.value);
            values
                .entry((access.place, value))
                .and_modify(|span: &mut Span| span.last = version)
                .or_insert(Span {
                    first: version,
                    last: version,
                });
        }
        Linear {
            history,
            models,
            writers,
            places,
            written,
            values,
        }
    }

    /// The writers of a place, from version 1 on.
    fn writers(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.writers[self.places[place] as usize..self.places[place + 1] as usize]
    }

    /// Which versions a reader may have read: those with its value, and of a place that it writes
    /// itself only earlier ones if there are any.
    fn read(&self, op: u32, at: usize, value: u64) -> Result<Span, Reason> {
        let place = self.history.all_accesses()[at].place;
        let initial = self.history.initial()[place as usize] == value;
        let span = match (self.values.get(&(place, value)), initial) {
            (Some(span), true) => Span { first: 0, ..*span },
            (Some(span), false) => *span,
            (None, true) => Span { first: 0, last: 0 },
            (None, false) => return Err(Reason::Unwritten { op, place, value }),
        };
        let own = self.written[at];
        match own {
            0 => Ok(span),
            _ => Ok(Span {
                last: span.last.min(own - 1).max(span.first),
                ..span
            }),
        }
    }

    fn check(&self) -> Result<(), Reason> {
        for &(place, value) in self.history.finals() {
            let last = self.writers(place).len() as u32;
            let span = self.values.get(&(place, value));
            let initial = last == 0 && self.history.initial()[place as usize] == value;
            if !initial && span.is_none_or(|span| span.last != last) {
                return Err(Reason::Final { place, value });
            }
        }
        let operations = self.history.operations().len();
        let mut graph = Graph::new(operations, 4 * operations);
        program::order(self.history, self.models, &mut graph);
        for place in 0..self.history.initial().len() as u32 {
            for pair in self.writers(place).windows(2) {
                graph.add(pair[0], pair[1], Why::Coherence(place));
            }
        }
        for op in 0..operations as u32 {
            for at in self.history.access_range(op) {
                let access = &self.history.all_accesses()[at];
                if let Some(value) = access.read {
                    self.add_read(op, access.place, self.read(op, at, value)?, &mut graph);
                }
            }
        }
        match graph.cycle() {
            Some(edges) => Err(Reason::Cycle {
                edges,
                certain: true,
            }),
            None => self.check_own_places(),
        }
    }

    fn add_read(&self, op: u32, place: u32, span: Span, graph: &mut Graph) {
        let writers = self.writers(place);
        if let Some(version) = span.first.checked_sub(1) {
            let writer = writers[version as usize];
            if !self.forwards(writer, op) {
                graph.add(writer, op, Why::ReadsFrom(place));
            }
        }
        if let Some(&next) = writers.get(span.last as usize)
            && next != op
        {
            graph.add(op, next, Why::FromReads(place));
        }
    }

    /// Whether a store may reach a reader before it is visible.
    fn forwards(&self, writer: u32, reader: u32) -> bool {
        let (from, to) = (
            self.history.operation(writer),
            self.history.operation(reader),
        );
        writer != reader
            && from.kind == Kind::Store
            && from.thread == to.thread
            && from.thread != NOBODY
            && self.models[from.thread as usize] == Model::Tso
    }

    /// Under TSO, program order of a store and a later load is not in the graph. At one place it
    /// holds all the same: a thread must not see versions of a place go back.
    fn check_own_places(&self) -> Result<(), Reason> {
        if self.models.iter().all(|&model| model == Model::Sc) {
            return Ok(());
        }
        // What the thread has got to at each place: stage, and which access of which operation.
        let mut latest: FxHashMap<u32, (u64, u32, usize)> = FxHashMap::default();
        let mut current = NOBODY;
        let mut found = None;
        program::walk(self.history, |thread, moment| {
            if self.models[thread as usize] == Model::Sc || found.is_some() {
                return;
            }
            if thread != current {
                current = thread;
                latest.clear();
            }
            match moment {
                Moment::Start(op) => {
                    for at in self.history.access_range(op) {
                        let place = self.history.all_accesses()[at].place;
                        if let Some(&(stage, before, its)) = latest.get(&place)
                            && stage > self.stage(op, at, Bound::Latest)
                        {
                            found = found.take().or(Some((before, its, op, at)));
                        }
                    }
                }
                Moment::End(op) => {
                    for at in self.history.access_range(op) {
                        let place = self.history.all_accesses()[at].place;
                        let stage = self.stage(op, at, Bound::Earliest);
                        let entry = latest.entry(place).or_insert((stage, op, at));
                        if entry.0 < stage {
                            *entry = (stage, op, at);
                        }
                    }
                }
            }
        });
        match found {
            Some((a, a_at, b, b_at)) => Err(self.backwards(a, a_at, b, b_at)),
            None => Ok(()),
        }
    }

    /// How far a place had come when an operation accessed it: twice its version for a write, one
    /// more for a read of that version.
    fn stage(&self, op: u32, at: usize, bound: Bound) -> u64 {
        let access = &self.history.all_accesses()[at];
        let written = 2 * u64::from(self.written[at]);
        let span = access.read.map(|value| self.read(op, at, value));
        match (span, bound) {
            (Some(Ok(span)), Bound::Earliest) => written.max(2 * u64::from(span.first) + 1),
            (Some(Ok(span)), Bound::Latest) => 2 * u64::from(span.last) + 1,
            _ => written,
        }
    }

    /// The cycle when `b`, which comes after `a` in the program, is at an earlier stage of a place.
    fn backwards(&self, a: u32, a_at: usize, b: u32, b_at: usize) -> Reason {
        let place = self.history.all_accesses()[a_at].place;
        let writers = self.writers(place);
        let program = Edge {
            from: a,
            to: b,
            why: Why::Program,
        };
        let mut edges = vec![program];
        let mut go = |to: u32, why: Why| {
            let from = edges[edges.len() - 1].to;
            if from != to {
                edges.push(Edge { from, to, why });
            }
        };
        let a_stage = self.stage(a, a_at, Bound::Earliest);
        let (goal, a_reads) = ((a_stage / 2) as usize, a_stage % 2 == 1);
        // From `b` on to a write of the place that is no later than the one that `a` has got to.
        let b_stage = self.stage(b, b_at, Bound::Latest);
        let mut version = (b_stage / 2) as usize;
        if b_stage % 2 == 1 {
            go(writers[version], Why::FromReads(place));
            version += 1;
        }
        if version < goal {
            go(writers[goal - 1], Why::Coherence(place));
        }
        if a_reads {
            go(a, Why::ReadsFrom(place));
        }
        Reason::Cycle {
            edges,
            certain: true,
        }
    }
}

#[derive(Clone, Copy)]
enum Bound {
    Earliest,
    Latest,
}
