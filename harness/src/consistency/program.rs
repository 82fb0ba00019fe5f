//! Program order, as far as a model keeps it.

use super::graph::{Graph, Label, Why};
use super::history::{History, Kind, Model, NOBODY};

/// An operation begins or has ended.
pub(super) enum Moment {
    Start(u32),
    End(u32),
}

/// Goes through the programs of all threads. What precedes an operation in program order has ended
/// when it starts, and nothing else of its thread has.
fn walk(history: &History, mut visit: impl FnMut(u32, Moment)) {
    let mut last: Vec<Option<u32>> = vec![None; history.threads()];
    let mut overlapping: Vec<Option<Vec<u32>>> = vec![None; history.threads()];
    for (index, op) in history.operations().iter().enumerate() {
        if op.thread != NOBODY {
            let last = last[op.thread as usize].replace(index as u32);
            if last.is_some_and(|last| history.operation(last).end > op.start) {
                overlapping[op.thread as usize] = Some(Vec::new());
            }
        }
    }
    last.fill(None);
    // The threads take turns as in the history, which is how it lies in memory.
    for (index, op) in (0..).zip(history.operations()) {
        if op.thread == NOBODY {
            continue;
        }
        match &mut overlapping[op.thread as usize] {
            Some(program) => program.push(index),
            None => {
                if let Some(last) = last[op.thread as usize].replace(index) {
                    visit(op.thread, Moment::End(last));
                }
                visit(op.thread, Moment::Start(index));
            }
        }
    }
    for (thread, program) in (0..).zip(overlapping) {
        if let Some(program) = program {
            walk_overlapping(history, program, |moment| visit(thread, moment));
        }
    }
}

/// Goes through one program whose operations may overlap.
fn walk_overlapping(history: &History, mut starts: Vec<u32>, mut visit: impl FnMut(Moment)) {
    // Nearly sorted already; the sort is stable and keeps the order of entry.
    starts.sort_by_key(|&op| history.operation(op).start);
    let mut ends: Vec<(u64, u32)> = (0..starts.len() as u32)
        .map(|at| (history.operation(starts[at as usize]).end, at))
        .collect();
    ends.sort_unstable();
    let mut ended = 0;
    for (at, &op) in starts.iter().enumerate() {
        let now = history.operation(op).start;
        while let Some(&(end, place)) = ends.get(ended)
            && end <= now
            && (place as usize) < at
        {
            visit(Moment::End(starts[place as usize]));
            ended += 1;
        }
        visit(Moment::Start(op));
    }
}

/// More nodes than this that all precede what comes next are joined in one.
const WIDTH: usize = 4;

/// The last nodes that whatever starts now comes after; each with the moment from which on it does.
#[derive(Default)]
struct Frontier(Vec<(u32, usize)>);

impl Frontier {
    fn lead_to<L: Label>(&mut self, op: u32, now: usize, graph: &mut Graph<L>) {
        if self.0.len() > WIDTH {
            let join = graph.add_node();
            for (node, _) in self.0.drain(..) {
                graph.add(node, join, Why::Program);
            }
            self.0.push((join, now));
        }
        for &(node, _) in &self.0 {
            graph.add(node, op, Why::Program);
        }
    }

    /// Leaves out what comes before something that started at `start`.
    fn forget(&mut self, start: usize) {
        self.0.retain(|&(_, since)| since > start);
    }
}

/// Adds the edges that follow from the programs: all pairs in program order under SC, all but a
/// store and a later load under TSO. Shows every moment of the [walk] to `watch`.
pub(super) fn order<L: Label>(
    history: &History,
    models: &[Model],
    graph: &mut Graph<L>,
    mut watch: impl FnMut(u32, &Moment),
) {
    // Of each thread: stores that may be buffered, and everything else.
    let mut frontiers: Vec<(Frontier, Frontier)> = Vec::new();
    frontiers.resize_with(history.threads(), Default::default);
    let mut started = vec![0; history.operations().len()];
    let mut now = 0;
    walk(history, |thread, moment| {
        watch(thread, &moment);
        let (stores, others) = &mut frontiers[thread as usize];
        now += 1;
        match moment {
            Moment::Start(op) => {
                started[op as usize] = now;
                others.lead_to(op, now, graph);
                if history.operation(op).kind != Kind::Load {
                    stores.lead_to(op, now, graph);
                }
            }
            Moment::End(op) => {
                let kind = history.operation(op).kind;
                let start = started[op as usize];
                if kind != Kind::Load {
                    stores.forget(start);
                }
                if kind == Kind::Store && models[thread as usize] == Model::Tso {
                    stores.0.push((op, now));
                } else {
                    others.forget(start);
                    others.0.push((op, now));
                }
            }
        }
    });
}
