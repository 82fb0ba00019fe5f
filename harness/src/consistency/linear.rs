//! The check with a known order of the stores.

use rustc_hash::FxHashMap;

use super::graph::{Edge, Graph, Label, Why};
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
    match Linear::new(history, models).and_then(|linear| linear.check()) {
        Ok(()) => Verdict::Allowed,
        Err(reason) => Verdict::Forbidden(reason),
    }
}

/// The first and the last version of a place that has some value. Version 0 is what was there at
/// first.
#[derive(Clone, Copy, Default)]
struct Span {
    first: u32,
    last: u32,
}

/// The versions of each place that have each value.
type Values = FxHashMap<(u32, u64), Span>;

struct Linear<'a> {
    history: &'a History,
    models: &'a [Model],
    /// The writer of every version but 0, place by place.
    writers: Vec<u32>,
    /// Where the writers of each place begin; one more at the end.
    places: Vec<u32>,
    /// The version that each access writes, 0 if none.
    written: Vec<u32>,
    /// The versions that each access may have read.
    read: Vec<Span>,
}

impl<'a> Linear<'a> {
    fn new(history: &'a History, models: &'a [Model]) -> Result<Self, Reason> {
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
        let mut values = Values::with_capacity_and_hasher(writes.len(), Default::default());
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
        let mut linear = Linear {
            history,
            models,
            writers,
            places,
            written,
            read: vec![Span::default(); history.all_accesses().len()],
        };
        linear.find_sources(&values)?;
        Ok(linear)
    }

    /// The writers of a place, from version 1 on.
    fn writers(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.writers[self.places[place] as usize..self.places[place + 1] as usize]
    }

    /// Finds which versions each reader may have read: those with its value, and of a place that it
    /// writes itself only earlier ones if there are any.
    fn find_sources(&mut self, values: &Values) -> Result<(), Reason> {
        for op in 0..self.history.operations().len() as u32 {
            for at in self.history.access_range(op) {
                let access = &self.history.all_accesses()[at];
                let (place, Some(value)) = (access.place, access.read) else {
                    continue;
                };
                let initial = self.history.initial()[place as usize] == value;
                let mut span = match (values.get(&(place, value)), initial) {
                    (Some(span), true) => Span { first: 0, ..*span },
                    (Some(span), false) => *span,
                    (None, true) => Span::default(),
                    (None, false) => return Err(Reason::Unwritten { op, place, value }),
                };
                if let Some(earlier) = self.written[at].checked_sub(1) {
                    span.last = span.last.min(earlier).max(span.first);
                }
                self.read[at] = span;
            }
        }
        for &(place, value) in self.history.finals() {
            let last = self.writers(place).len() as u32;
            let is_last = match last {
                0 => self.history.initial()[place as usize] == value,
                _ => values
                    .get(&(place, value))
                    .is_some_and(|span| span.last == last),
            };
            if !is_last {
                return Err(Reason::Final { place, value });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Reason> {
        let mut own_places = OwnPlaces::new(self);
        let graph: Graph<()> = self.graph(&mut own_places);
        own_places.verdict()?;
        if !graph.is_cyclic() {
            return Ok(());
        }
        let graph: Graph<Why> = self.graph(&mut OwnPlaces::new(self));
        let edges = graph.cycle().unwrap_or_default();
        let certain = true;
        Err(Reason::Cycle { edges, certain })
    }

    /// Everything that must come before something else.
    fn graph<L: Label>(&self, own_places: &mut OwnPlaces<'_>) -> Graph<L> {
        let operations = self.history.operations().len();
        let mut graph = Graph::new(operations, 4 * operations);
        program::order(self.history, self.models, &mut graph, |thread, moment| {
            own_places.watch(thread, moment);
        });
        for place in 0..self.history.initial().len() as u32 {
            for pair in self.writers(place).windows(2) {
                graph.add(pair[0], pair[1], Why::Coherence(place));
            }
        }
        for op in 0..operations as u32 {
            for at in self.history.access_range(op) {
                let access = &self.history.all_accesses()[at];
                if access.read.is_some() {
                    self.add_read(op, access.place, self.read[at], &mut graph);
                }
            }
        }
        graph
    }

    fn add_read<L: Label>(&self, op: u32, place: u32, span: Span, graph: &mut Graph<L>) {
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

    /// How far a place had come at an access: twice its version for a write, one more for a read of
    /// that version.
    fn stage(&self, at: usize, bound: Bound) -> u64 {
        let written = 2 * u64::from(self.written[at]);
        let span = self.read[at];
        match (self.history.all_accesses()[at].read, bound) {
            (Some(_), Bound::Earliest) => written.max(2 * u64::from(span.first) + 1),
            (Some(_), Bound::Latest) => 2 * u64::from(span.last) + 1,
            (None, _) => written,
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
        let a_stage = self.stage(a_at, Bound::Earliest);
        let (goal, a_reads) = ((a_stage / 2) as usize, a_stage % 2 == 1);
        // From `b` on to a write of the place that is no later than the one that `a` has got to.
        let b_stage = self.stage(b_at, Bound::Latest);
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

/// Where a thread has got to at a place: stage, and which access of which operation.
#[derive(Clone, Copy)]
struct Reached {
    thread: u32,
    stage: u64,
    op: u32,
    at: usize,
}

/// Under TSO, program order of a store and a later load is not in the graph. At one place it holds
/// all the same: a thread must not see versions of a place go back.
struct OwnPlaces<'a> {
    linear: &'a Linear<'a>,
    /// By place; of the thread that came last.
    reached: Vec<Reached>,
    found: Option<Reason>,
}

impl<'a> OwnPlaces<'a> {
    fn new(linear: &'a Linear<'a>) -> Self {
        let nothing = Reached {
            thread: NOBODY,
            stage: 0,
            op: 0,
            at: 0,
        };
        OwnPlaces {
            linear,
            reached: vec![nothing; linear.history.initial().len()],
            found: None,
        }
    }

    fn watch(&mut self, thread: u32, moment: &Moment) {
        let linear = self.linear;
        if linear.models[thread as usize] == Model::Sc || self.found.is_some() {
            return;
        }
        let &(Moment::Start(op) | Moment::End(op)) = moment;
        for at in linear.history.access_range(op) {
            let place = linear.history.all_accesses()[at].place;
            let reached = &mut self.reached[place as usize];
            let same = reached.thread == thread;
            match moment {
                Moment::Start(_) if same => {
                    if reached.stage > linear.stage(at, Bound::Latest) {
                        self.found = Some(linear.backwards(reached.op, reached.at, op, at));
                        return;
                    }
                }
                Moment::Start(_) => {}
                Moment::End(_) => {
                    let stage = linear.stage(at, Bound::Earliest);
                    if !same || reached.stage < stage {
                        *reached = Reached {
                            thread,
                            stage,
                            op,
                            at,
                        };
                    }
                }
            }
        }
    }

    fn verdict(self) -> Result<(), Reason> {
        self.found.map_or(Ok(()), Err)
    }
}
