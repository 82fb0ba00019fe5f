//! Program order, as far as a model keeps it.

use super::graph::{Graph, Label, Why};
use super::history::{History, Kind, Model, NOBODY};

/// An operation begins or has ended.
pub(super) enum Moment {
    Start(u32),
    End(u32),
}

/// Goes through the program of each thread, one thread after the other. What precedes an operation
/// in program order has ended when it starts, and nothing else has.
fn walk(history: &History, mut visit: impl FnMut(u32, Moment)) {
    let mut programs: Vec<Vec<u32>> = vec![Vec::new(); history.threads()];
    for (index, op) in history.operations().iter().enumerate() {
        if op.thread != NOBODY {
            programs[op.thread as usize].push(index as u32);
        }
    }
    for (thread, program) in programs.into_iter().enumerate() {
        let thread = thread as u32;
        let one_by_one = program
            .windows(2)
            .all(|pair| history.operation(pair[0]).end <= history.operation(pair[1]).start);
        if !one_by_one {
            walk_overlapping(history, program, |moment| visit(thread, moment));
            continue;
        }
        let mut last = None;
        for op in program {
            if let Some(last) = last.replace(op) {
                visit(thread, Moment::End(last));
            }
            visit(thread, Moment::Start(op));
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
    let mut current = NOBODY;
    // Stores that may be buffered, and everything else.
    let (mut stores, mut others) = (Frontier::default(), Frontier::default());
    let mut started = vec![0; history.operations().len()];
    let mut now = 0;
    walk(history, |thread, moment| {
        watch(thread, &moment);
        if thread != current {
            current = thread;
            stores.0.clear();
            others.0.clear();
        }
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
