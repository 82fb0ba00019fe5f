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

    /// Whether a store may reach a reader before it is visible. It never reaches one that comes
    /// before it.
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
            && !self.history.precedes(reader, writer)
    }

    /// The cycle when a load, which comes after the store in the program, reads an older version.
    fn backwards(&self, store: u32, load: u32, at: usize) -> Reason {
        let place = self.history.all_accesses()[at].place;
        let next = self.writers(place)[self.read[at].last as usize];
        let edge = |from, to, why| Edge { from, to, why };
        let mut edges = vec![
            edge(store, load, Why::Program),
            edge(load, next, Why::FromReads(place)),
        ];
        if next != store {
            edges.push(edge(next, store, Why::Coherence(place)));
        }
        let certain = true;
        Reason::Cycle { edges, certain }
    }
}

/// Under TSO, program order of a store and a later load is not in the graph. At one place it holds
/// all the same: a thread never sees less than it has stored itself.
struct OwnPlaces<'a> {
    linear: &'a Linear<'a>,
    /// The last version of each place that each thread has stored, and which store that was.
    stored: FxHashMap<(u32, u32), (u32, u32)>,
    found: Option<Reason>,
}

impl<'a> OwnPlaces<'a> {
    fn new(linear: &'a Linear<'a>) -> Self {
        OwnPlaces {
            linear,
            stored: FxHashMap::default(),
            found: None,
        }
    }

    fn watch(&mut self, thread: u32, moment: &Moment) {
        let linear = self.linear;
        if linear.models[thread as usize] == Model::Sc || self.found.is_some() {
            return;
        }
        let &(Moment::Start(op) | Moment::End(op)) = moment;
        let key = |at: usize| (thread, linear.history.all_accesses()[at].place);
        match (linear.history.operation(op).kind, moment) {
            (Kind::Load, Moment::Start(_)) => {
                for at in linear.history.access_range(op) {
                    if let Some(&(version, store)) = self.stored.get(&key(at))
                        && version > linear.read[at].last
                    {
                        self.found = Some(linear.backwards(store, op, at));
                        return;
                    }
                }
            }
            (Kind::Store, Moment::End(_)) => {
                for at in linear.history.access_range(op) {
                    let newest = self.stored.entry(key(at)).or_default();
                    *newest = (*newest).max((linear.written[at], op));
                }
            }
            _ => {}
        }
    }

    fn verdict(self) -> Result<(), Reason> {
        self.found.map_or(Ok(()), Err)
    }
}
