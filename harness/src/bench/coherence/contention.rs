//! Lines that many nodes write: one counter for all, and counters of their own.

use super::super::shape::{Shape, build, cached};
use super::sharing::with_one_memory;
use crate::report::plot::{Chart, Curve, Plot};
use crate::report::sheet::{Cell, Section, Table};
use crate::sim::{NodeHandle, join_all};
use crate::{Failure, FailureKind};
use flits::AtomicOp;
use flits::layout::LINE_BYTES;
use std::collections::BTreeSet;

/// Ports of the switch.
const PORTS: usize = 16;
/// Nodes that write.
pub const COUNTS: [usize; 5] = [1, 2, 4, 8, 15];
/// Times that each node counts.
const TIMES: u64 = 64;
/// Cycles of a pause: in it the line goes to whoever wants it.
const PAUSE: u64 = 32;
/// The counters.
const COUNTERS: u64 = 0x10_0000;
/// Bytes of a counter: as many as there are nodes lie in one line.
const BYTES: u64 = 4;

/// Who counts where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// All in one counter, by fetch-add.
    Shared,
    /// The same, and a pause after each.
    Paused,
    /// All in one counter, by fetch-add at its home.
    Far,
    /// Each in its own, all in one line, by load and store.
    Packed,
    /// Each in its own, in a line of its own, by load and store.
    Padded,
}

impl Layout {
    fn counter(self, index: usize) -> u64 {
        let stride = match self {
            Layout::Shared | Layout::Paused | Layout::Far => 0,
            Layout::Packed => BYTES,
            Layout::Padded => LINE_BYTES as u64,
        };
        COUNTERS + stride * index as u64
    }
}

/// Cycles from one count of all nodes together to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contended {
    nodes: usize,
    shared: f64,
    paused: f64,
    far: f64,
    packed: f64,
    padded: f64,
}

pub fn measure(nodes: usize) -> Result<Contended, Failure> {
    Ok(Contended {
        nodes,
        shared: cycles(nodes, Layout::Shared)?,
        paused: cycles(nodes, Layout::Paused)?,
        far: cycles(nodes, Layout::Far)?,
        packed: cycles(nodes, Layout::Packed)?,
        padded: cycles(nodes, Layout::Padded)?,
    })
}

fn cycles(nodes: usize, layout: Layout) -> Result<f64, Failure> {
    let mut sn = build(with_one_memory(Shape::Single(PORTS)), 0)?;
    let ports = cached(sn.config());
    let (cycles, sum) = sn.run(|sys| async move {
        let begin = sys.now();
        let handles = ports.iter().take(nodes).map(|&port| sys.node(port));
        join_all(
            handles
                .enumerate()
                .map(|(index, node)| count(node, layout, index)),
        )
        .await;
        let cycles = sys.now() - begin;
        let mut sum = 0;
        let counters: BTreeSet<u64> = (0..nodes).map(|index| layout.counter(index)).collect();
        for counter in counters {
            sum += u64::from(sys.node(ports[0]).load::<u32>(counter).await);
        }
        (cycles, sum)
    })?;
    let all = nodes as u64 * TIMES;
    if sum != all {
        let text = format!("{nodes} nodes counted {all} times and got to {sum}: {layout:?}");
        return Err(Failure::new(0, FailureKind::Access, text));
    }
    Ok(cycles as f64 / all as f64)
}

async fn count(node: NodeHandle, layout: Layout, index: usize) {
    let counter = layout.counter(index);
    for _ in 0..TIMES {
        match layout {
            Layout::Shared => {
                node.fetch_add(counter, 1u32).await;
            }
            Layout::Paused => {
                node.fetch_add(counter, 1u32).await;
                node.idle(PAUSE).await;
            }
            Layout::Far => {
                node.atomic_load(AtomicOp::Add, counter, 1u32).await;
            }
            Layout::Packed | Layout::Padded => {
                let value = node.load::<u32>(counter).await;
                node.store(counter, value + 1).await;
            }
        }
    }
}

pub fn section(contended: &[Contended]) -> Section {
    let mut table = Table::new(
        "contention",
        &[
            ("nodes", "nodes"),
            ("shared", "one counter, fetch-add"),
            ("paused", "with pauses"),
            ("far", "far fetch-add"),
            ("packed", "own counters, one line"),
            ("padded", "own counters, own lines"),
            ("false_sharing", "one line of own lines"),
        ],
    );
    for &Contended {
        nodes,
        shared,
        paused,
        far,
        packed,
        padded,
    } in contended
    {
        table.push([
            Cell::Count(nodes as u64),
            Cell::Number(shared, 2),
            Cell::Number(paused, 2),
            Cell::Number(far, 2),
            Cell::Number(packed, 2),
            Cell::Number(padded, 2),
            Cell::Number(packed / padded, 1),
        ]);
    }
    let curve = |name: &str, of: fn(&Contended) -> f64| Curve {
        name: name.into(),
        points: contended.iter().map(|c| (c.nodes as f64, of(c))).collect(),
    };
    let most = contended
        .iter()
        .flat_map(|c| [c.shared, c.paused, c.far, c.packed, c.padded]);
    Section {
        title: "Cycles a count, when several nodes count".into(),
        notes: vec![
            format!(
                "One switch of {PORTS} ports; each node counts {TIMES} times, and all counts \
                 together share the cycles."
            ),
            format!(
                "Without pauses a node that has the line counts until it is taken away; a pause \
                 of {PAUSE} cycles after each count lets it go."
            ),
            "A far fetch-add is done at the home, which reads and writes memory for each; near \
             ones are done in a cache that owns the line."
                .into(),
        ],
        table,
        charts: vec![Chart::Plot(Plot {
            title: "Cycles a count".into(),
            x: ("nodes".into(), PORTS as f64),
            y: ("cycles".into(), most.fold(1.0, f64::max).ceil()),
            curves: vec![
                curve("one counter, fetch-add", |c| c.shared),
                curve("one counter, with pauses", |c| c.paused),
                curve("one counter, far", |c| c.far),
                curve("own counters, one line", |c| c.packed),
                curve("own counters, own lines", |c| c.padded),
            ],
            levels: Vec::new(),
        })],
    }
}
