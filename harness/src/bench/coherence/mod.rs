//! What coherence costs: the latency of loads and stores by situation, writes that many share, requests
//! a cycle of the homes, lines that many nodes write; beside what is aimed at.
//!
//! All figures are counts of cycles or ratios of them, and the same on every machine.

mod contention;
mod rate;
mod sharing;
mod targets;

use super::latency;
use super::shape::Shape;
use crate::Failure;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::Sheet;
use targets::{Bound, Target};

/// The systems of the situations, the nearest first.
const SITUATIONS: [Shape; 2] = [Shape::Single(16), Shape::Tiers(4, 4, 2)];
/// The systems of the writes that many share.
const SHARING: [Shape; 2] = [Shape::Single(16), Shape::Tiers(8, 8, 4)];

/// Measures everything. `progress` is told the measurements done and how many there are.
///
/// # Errors
/// A violation of any check, an assertion of a model, a figure that cannot be read.
pub fn sheet(command: String, mut progress: impl FnMut(u64, u64)) -> Result<Sheet, Failure> {
    let all = SITUATIONS.len() + SHARING.len() + rate::STREAMS.len() + contention::COUNTS.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all as u64);
    };

    let mut receipts = Vec::new();
    for shape in SITUATIONS {
        receipts.push((shape.name(), latency::receipts(shape.config())?));
        step();
    }
    let mut writes = Vec::new();
    for shape in SHARING {
        writes.push((shape, sharing::measure(shape)?));
        step();
    }
    let mut rates = Vec::new();
    for stream in &rate::STREAMS {
        rates.push(rate::measure(stream)?);
        step();
    }
    let mut contended = Vec::new();
    for nodes in contention::COUNTS {
        contended.push(contention::measure(nodes)?);
        step();
    }

    let near = &receipts[0].1;
    let [one, two] = [0, 1].map(|index: usize| sharing::slope(&writes[index].1));
    let targets = [
        Target {
            figure: "load that misses to memory behind the same switch, cycles beyond the memory's own",
            bound: Bound::AtMost(16.0),
            measured: beyond_memory(near) as f64,
        },
        Target {
            figure: "request at the home to snoop or memory read leaving, cycles",
            bound: Bound::AtMost(6.0),
            measured: at_home(near) as f64,
        },
        Target {
            figure: "requests a cycle and home slice, misses to different lines",
            bound: Bound::AtLeast(0.5),
            measured: rate::of_misses(&rates),
        },
        Target {
            figure: "store, 15 sharers against 2 (the writer is one), one switch",
            bound: Bound::AtMost(1.25),
            measured: one,
        },
        Target {
            figure: "store, 63 sharers against 2 (the writer is one), two tiers",
            bound: Bound::AtMost(1.6),
            measured: two,
        },
    ];

    let systems: Vec<(String, &[_])> = (receipts.iter())
        .map(|(system, receipts)| (system.clone(), &receipts[..]))
        .collect();
    let mut situations = latency::summary(&systems);
    situations.charts.push(situation_chart(near));
    Ok(Sheet {
        bench: "coherence",
        title: "What coherence costs".into(),
        command,
        sections: vec![
            targets::section(&targets),
            situations,
            sharing::section(&writes),
            rate::section(&rates),
            contention::section(&contended),
        ],
    })
}

/// The cycles that a load from memory takes beyond the memory's own, at best.
fn beyond_memory(receipts: &[latency::Receipt]) -> u64 {
    let loads = receipts
        .iter()
        .filter(|receipt| receipt.name == "load_memory");
    let beyond = loads.map(|receipt| receipt.total - receipt.memory);
    beyond.min().unwrap_or(u64::MAX)
}

/// The cycles from a request at the home to what it sends for it, at worst.
fn at_home(receipts: &[latency::Receipt]) -> u64 {
    let stages = receipts.iter().filter_map(latency::Receipt::at_home);
    stages.max().unwrap_or(u64::MAX)
}

fn situation_chart(receipts: &[latency::Receipt]) -> Chart {
    let bars = receipts.iter().map(|receipt| Bar {
        name: receipt.meaning.into(),
        value: receipt.total as f64,
    });
    Chart::Bars(Bars {
        title: format!("Loads and stores, {}", SITUATIONS[0].name()),
        unit: "cycles".into(),
        bars: bars.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures that the switch reaches, as gates.
    #[test]
    fn a_home_sends_a_snoop_or_a_memory_read_within_6_cycles() {
        let receipts = latency::receipts(Shape::Single(8).config()).expect("all stages are seen");
        assert!(at_home(&receipts) <= 6, "{receipts:?}");
    }
}
