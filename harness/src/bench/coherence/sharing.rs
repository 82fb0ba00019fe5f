//! A store to a line that many share.

use super::super::shape::{Shape, build, cached};
use crate::Failure;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::{Cell, Section, Table};
use crate::sim::{System, join_all};
use flits::layout::LINE_BYTES;
use flits::stimulus::Config;

/// Cycles in which everything before a store has come to rest.
const REST: u64 = 1_000;
/// The first line. The others are the next ones with the same home, so that the way is the same.
const SHARED: u64 = 0x10_0000;

/// A store and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    /// Nodes beside the writer that share the line; the writer does too.
    pub others: usize,
    /// Cycles until the store is done, nothing else moving.
    pub cycles: u64,
}

/// Measures numbers of sharers up to the most that a system has.
pub fn measure(shape: Shape) -> Result<Vec<Write>, Failure> {
    let mut sn = build(with_one_memory(shape), 0)?;
    let ports = cached(sn.config());
    let most = ports.len() - 1;
    let mut counts: Vec<usize> = [1, 3, 7, 15, 31]
        .into_iter()
        .filter(|&n| n < most)
        .collect();
    counts.push(most);
    let map = sn.address_map();
    let same_home = |&line: &u64| map.home_of(line) == map.home_of(SHARED);
    let lines: Vec<u64> = (SHARED..)
        .step_by(LINE_BYTES)
        .filter(same_home)
        .take(counts.len())
        .collect();
    sn.run(|sys| async move {
        let mut writes = Vec::new();
        for (&others, &line) in counts.iter().zip(&lines) {
            let cycles = store(&sys, &ports, others, line).await;
            writes.push(Write { others, cycles });
        }
        writes
    })
}

/// As many caches as the ports allow: the last device is the memory, and the only one.
pub(super) fn with_one_memory(shape: Shape) -> Config {
    let mut config = shape.config();
    let last = config.ports - 1;
    let cached = config.nodes[0].clone();
    config.nodes[..last].fill(cached);
    // The region that is not coherent would share the memory's addresses.
    config.regions.truncate(1);
    config.regions[0].memories = vec![last];
    config
}

/// The first node stores to a line that it shares with those farthest from it.
async fn store(sys: &System, ports: &[usize], others: usize, line: u64) -> u64 {
    sys.node(ports[0]).load::<u64>(line).await;
    sys.idle(REST).await;
    let sharers = ports.iter().rev().take(others);
    join_all(sharers.map(|&port| sys.node(port).load::<u64>(line))).await;
    sys.idle(REST).await;
    let begin = sys.now();
    sys.node(ports[0]).store(line, 1u64).await;
    let cycles = sys.now() - begin;
    sys.idle(REST).await;
    cycles
}

/// What the store with the most sharers takes, of that with the fewest.
pub fn slope(writes: &[Write]) -> f64 {
    match (writes.first(), writes.last()) {
        (Some(least), Some(most)) => most.cycles as f64 / least.cycles as f64,
        _ => f64::NAN,
    }
}

pub fn section(systems: &[(Shape, Vec<Write>)]) -> Section {
    let mut table = Table::new(
        "sharing",
        &[
            ("system", "system"),
            ("sharers", "other sharers"),
            ("cycles", "cycles"),
            ("of_one", "of one sharer"),
        ],
    );
    let mut bars = Vec::new();
    for (shape, writes) in systems {
        for (index, write) in writes.iter().enumerate() {
            table.push([
                Cell::Text(shape.name()),
                Cell::Count(write.others as u64),
                Cell::Count(write.cycles),
                Cell::Number(slope(&writes[..=index]), 2),
            ]);
            bars.push(Bar {
                name: format!("{}: {}", shape.name(), write.others),
                value: write.cycles as f64,
            });
        }
    }
    let title = "A store to a line that others share";
    Section {
        title: title.into(),
        notes: vec![
            "The writer shares it too; cycles until the store is done, nothing else moving.".into(),
            "All devices but one have caches.".into(),
        ],
        table,
        charts: vec![Chart::Bars(Bars {
            title: format!("{title}, by other sharers"),
            unit: "cycles".into(),
            bars,
        })],
    }
}
