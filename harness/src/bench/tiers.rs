//! Systems of several chips: loads that stay on their leaf and loads that leave it, throughput, and
//! what a write costs that many share.

use crate::agents::OpKind;
use crate::report::grouped;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::{Cell, Section, Sheet, Table};
use crate::sim::{Histogram, Supernode, System, join_all, stream};
use crate::workload::kv::{Kv, Layout};
use crate::workload::sample;
use crate::{Failure, FailureKind};
use flits::stimulus::{Config, Node};
use rand::RngExt;
use std::cell::RefCell;
use std::rc::Rc;

/// Cycles in which everything before an access has come to rest.
const REST: u64 = 1_000;
/// Where the line that many share is, and where the lines are that only one load touches.
const SHARED: u64 = 0x10_0000;
const SPREAD: u64 = 0x100_0000;
/// Lines that the loads of the throughput measurement are spread over.
const LINES: u64 = 1 << 14;

/// A system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One switch with so many ports.
    Single(usize),
    /// So many leaves, devices on each, and spines.
    Tiers(usize, usize, usize),
}

impl Shape {
    fn config(self) -> Config {
        match self {
            Shape::Single(ports) => Config::new(ports),
            Shape::Tiers(leaves, devices, spines) => Config::tiers(leaves, devices, spines),
        }
    }

    fn name(self) -> String {
        match self {
            Shape::Single(ports) => format!("1 switch, {ports} ports"),
            Shape::Tiers(leaves, devices, spines) => {
                format!("{leaves} leaves x {devices}, {spines} spines")
            }
        }
    }
}

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
    let all = 4 * settings.shapes.len() as u64;
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all);
    };
    let mut sections = [
        latency_section(),
        sharing_section(),
        load_section(),
        kv_section(),
    ];
    let mut bars = Vec::new();
    for &shape in &settings.shapes {
        let [latency, sharing, loads, kv] = &mut sections;
        latency_rows(&mut latency.table, shape, settings.seed)?;
        step();
        bars.extend(sharing_rows(&mut sharing.table, shape, settings.seed)?);
        step();
        load_rows(&mut loads.table, shape, settings)?;
        step();
        kv_row(&mut kv.table, shape, settings)?;
        step();
    }
    sections[1].charts.push(Chart::Bars(Bars {
        title: "A store to a line that others share".into(),
        unit: "cycles".into(),
        bars,
    }));
    Ok(Sheet {
        bench: "tiers",
        title: "Systems of one and of several chips".into(),
        command,
        sections: sections.into(),
    })
}

fn build(shape: Shape, seed: u64) -> Result<Supernode, Failure> {
    Supernode::builder()
        .config(shape.config())
        .seed(seed)
        .build()
}

/// The ports of the nodes with caches.
fn cached(config: &Config) -> Vec<usize> {
    let nodes = config.nodes.iter().enumerate();
    nodes
        .filter(|(_, node)| matches!(node, Node::Cached { .. }))
        .map(|(port, _)| port)
        .collect()
}

/// The chip that a port is on.
fn leaf(config: &Config, port: usize) -> usize {
    let leaves = config.tiers.map_or(1, |tiers| tiers.leaves);
    port / (config.ports / leaves)
}

/// Chips other than the node's that a load of a line has to do with: its home's and its memory's.
fn away(sn: &Supernode, port: usize, line: u64) -> Option<usize> {
    let config = sn.config();
    let map = sn.address_map();
    let own = leaf(config, port);
    let home = usize::from(map.home_of(line).chip());
    let (memory, _) = map.memory_of(line)?;
    let memory = leaf(config, memory);
    Some(match (home == own, memory == own) {
        (true, true) => 0,
        (false, false) if home != memory => 2,
        _ => 1,
    })
}

const AWAY: [&str; 3] = [
    "home and memory on the own chip",
    "one or both on one other chip",
    "home and memory on two other chips",
];

fn latency_section() -> Section {
    Section {
        title: "A load that misses, when nothing else moves".into(),
        notes: vec!["Cycles, those of the memory included.".into()],
        table: Table::new(
            "latency",
            &[
                ("system", "system"),
                ("away", "where"),
                ("loads", "loads"),
                ("min", "min"),
                ("mean", "mean"),
                ("max", "max"),
            ],
        ),
        charts: Vec::new(),
    }
}

fn latency_rows(table: &mut Table, shape: Shape, seed: u64) -> Result<(), Failure> {
    const EACH: usize = 8;
    let mut sn = build(shape, seed)?;
    let port = cached(sn.config())[0];
    let mut lines: Vec<Vec<u64>> = vec![Vec::new(); AWAY.len()];
    for line in (0..LINES).map(|line| SPREAD + 64 * line) {
        if let Some(away) = away(&sn, port, line)
            && lines[away].len() < EACH
        {
            lines[away].push(line);
        }
    }
    let histograms = sn.run(|sys| async move {
        let mut histograms = Vec::new();
        for lines in lines {
            let mut histogram = Histogram::default();
            for line in lines {
                let begin = sys.now();
                sys.node(port).load::<u64>(line).await;
                histogram.record(sys.now() - begin);
                sys.idle(REST).await;
            }
            histograms.push(histogram);
        }
        histograms
    })?;
    for (away, histogram) in AWAY.iter().zip(histograms) {
        if let Some((min, ..)) = histogram.buckets().next() {
            table.push([
                Cell::Text(shape.name()),
                (*away).into(),
                Cell::Count(histogram.count()),
                Cell::Count(min),
                Cell::Number(mean(&histogram), 1),
                Cell::Count(histogram.max()),
            ]);
        }
    }
    Ok(())
}

fn mean(histogram: &Histogram) -> f64 {
    histogram.sum() as f64 / histogram.count().max(1) as f64
}

fn sharing_section() -> Section {
    Section {
        title: "A store to a line that others share".into(),
        notes: vec![
            "The writer shares it too; cycles until the store is done, nothing else moving.".into(),
        ],
        table: Table::new(
            "sharing",
            &[
                ("system", "system"),
                ("sharers", "other sharers"),
                ("cycles", "cycles"),
                ("of_one", "of one sharer"),
            ],
        ),
        charts: Vec::new(),
    }
}

fn sharing_rows(table: &mut Table, shape: Shape, seed: u64) -> Result<Vec<Bar>, Failure> {
    let mut sn = build(shape, seed)?;
    let ports = cached(sn.config());
    let most = ports.len() - 1;
    let mut counts: Vec<usize> = [1, 3, 7, 15, 31]
        .into_iter()
        .filter(|&n| n < most)
        .collect();
    counts.push(most);
    let wanted = counts.clone();
    let times = sn.run(|sys| async move {
        let mut times = Vec::new();
        for (index, &sharers) in wanted.iter().enumerate() {
            // The same home each time; the sharers are those farthest from the writer.
            let line = SHARED + 64 * LINES * index as u64;
            for &port in ports.iter().take(1).chain(ports.iter().rev().take(sharers)) {
                sys.node(port).load::<u64>(line).await;
                sys.idle(REST).await;
            }
            let begin = sys.now();
            sys.node(ports[0]).store(line, 1u64).await;
            times.push(sys.now() - begin);
            sys.idle(REST).await;
        }
        times
    })?;
    let mut bars = Vec::new();
    for (&sharers, &cycles) in counts.iter().zip(&times) {
        table.push([
            Cell::Text(shape.name()),
            Cell::Count(sharers as u64),
            Cell::Count(cycles),
            Cell::Number(cycles as f64 / times[0] as f64, 2),
        ]);
        bars.push(Bar {
            name: format!("{}: {sharers} sharers", shape.name()),
            value: cycles as f64,
        });
    }
    Ok(bars)
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
    let mut sn = build(shape, settings.seed)?;
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
        Cell::Number(mean(&latency), 1),
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
    let mut sn = build(shape, settings.seed)?;
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
