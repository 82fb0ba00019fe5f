//! Throughput of systems of one and of several chips.

use super::shape::{Shape, build, cached};
use crate::agents::OpKind;
use crate::report::grouped;
use crate::report::sheet::{Cell, Section, Sheet, Table};
use crate::sim::{Histogram, System, join_all, stream};
use crate::workload::kv::{Kv, Layout};
use crate::workload::sample;
use crate::{Failure, FailureKind};
use rand::RngExt;
use std::cell::RefCell;
use std::rc::Rc;

/// Where the lines are that are loaded.
const SPREAD: u64 = 0x100_0000;
/// Lines that the loads are spread over.
const LINES: u64 = 1 << 14;

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The systems.
    pub shapes: Vec<Shape>,
    /// Loads of each node in the measurement of throughput.
    pub loads: u64,
    /// Loads that a node has in flight at once there.
    pub in_flight: u64,
    /// Requests of the key/value workload.
    pub requests: usize,
    /// Decides everything random.
    pub seed: u64,
}

/// Measures everything. `progress` is told the measurements done and how many there are.
///
/// # Errors
/// A violation of any check, an assertion of a model, a system that is not possible.
pub fn sheet(
    settings: &Settings,
    command: String,
    mut progress: impl FnMut(u64, u64),
) -> Result<Sheet, Failure> {
    let all = 2 * settings.shapes.len() as u64;
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all);
    };
    let mut sections = [load_section(), kv_section()];
    for &shape in &settings.shapes {
        let [loads, kv] = &mut sections;
        load_rows(&mut loads.table, shape, settings)?;
        step();
        kv_row(&mut kv.table, shape, settings)?;
        step();
    }
    Ok(Sheet {
        bench: "tiers",
        title: "Systems of one and of several chips".into(),
        command,
        sections: sections.into(),
    })
}

fn load_section() -> Section {
    Section {
        title: "Random loads from all nodes at once".into(),
        notes: vec![format!(
            "Every node loads random lines out of {}; a load may hit its cache or find the line in \
             another.",
            grouped(LINES)
        )],
        table: Table::new(
            "loads",
            &[
                ("system", "system"),
                ("nodes", "nodes"),
                ("loads", "loads"),
                ("cycles", "cycles"),
                ("loads_a_cycle", "loads a cycle"),
                ("loads_a_cycle_node", "and node"),
                ("mean", "mean latency"),
                ("p99", "p99"),
                ("cycles_per_second", "cycles/s"),
            ],
        ),
        charts: Vec::new(),
    }
}

fn load_rows(table: &mut Table, shape: Shape, settings: &Settings) -> Result<(), Failure> {
    let mut sn = build(shape.config(), settings.seed)?;
    let ports = cached(sn.config());
    let nodes = ports.len() as u64;
    let (seed, loads, in_flight) = (settings.seed, settings.loads, settings.in_flight);
    let begin = sn.cycle();
    let time = Rc::new(RefCell::new(begin));
    let ended = time.clone();
    let watch = super::sim::Watch::start();
    sn.run(|sys| async move {
        let programs = ports.into_iter().flat_map(|port| {
            let sys = sys.clone();
            (0..in_flight)
                .map(move |task| loading(sys.clone(), port, task, seed, loads / in_flight))
        });
        join_all(programs).await;
        *ended.borrow_mut() = sys.now();
    })?;
    let speed = watch.stop(sn.cycle() - begin);
    let cycles = *time.borrow() - begin;
    let stats = sn.stats();
    let mut latency = Histogram::default();
    for ((kind, _), histogram) in stats.latencies() {
        if kind == OpKind::Load {
            latency.merge(&histogram);
        }
    }
    let rate = latency.count() as f64 / cycles as f64;
    table.push([
        Cell::Text(shape.name()),
        Cell::Count(nodes),
        Cell::Count(latency.count()),
        Cell::Count(cycles),
        Cell::Number(rate, 3),
        Cell::Number(rate / nodes as f64, 4),
        Cell::Number(latency.mean(), 1),
        Cell::Count(latency.quantile(0.99)),
        Cell::Count(speed.cycles_per_second() as u64),
    ]);
    Ok(())
}

/// A program that loads random lines, one after the other.
async fn loading(sys: System, port: usize, task: u64, seed: u64, loads: u64) {
    let mut rng = stream(seed, &format!("loads of node {port}, {task}"));
    for _ in 0..loads {
        let line = SPREAD + 64 * rng.random_range(0..LINES);
        sys.node(port).load::<u64>(line).await;
    }
}

fn kv_section() -> Section {
    Section {
        title: "The key/value workload".into(),
        notes: vec!["All checks on; every byte compared.".into()],
        table: Table::new(
            "kv",
            &[
                ("system", "system"),
                ("requests", "requests"),
                ("cycles", "cycles"),
                ("bytes", "bytes compared"),
                ("bytes_a_cycle", "bytes a cycle"),
            ],
        ),
        charts: Vec::new(),
    }
}

fn kv_row(table: &mut Table, shape: Shape, settings: &Settings) -> Result<(), Failure> {
    let mut sn = build(shape.config(), settings.seed)?;
    let trace = sample::chat(settings.requests);
    let kv = Kv::on(&trace, Layout::default(), &sn)
        .map_err(|text| Failure::new(0, FailureKind::Setup, text))?;
    let begin = sn.cycle();
    let figures = sn.run(|sys| kv.run(sys, |_| {}))??;
    let cycles = sn.cycle() - begin;
    let bytes = figures.bytes_checked;
    table.push([
        Cell::Text(shape.name()),
        Cell::Count(figures.requests),
        Cell::Count(cycles),
        Cell::Count(bytes),
        Cell::Number(bytes as f64 / cycles as f64, 2),
    ]);
    Ok(())
}
