//! What coherence costs: the latency of loads and stores by situation, writes that many share, requests
//! a cycle of the homes, lines that many nodes write; beside what is aimed at.
//!
//! All figures are counts of cycles or ratios of them, and the same on every machine.

mod contention;
mod rate;
mod sharing;
mod targets;

use super::latency::{self, Receipt};
use super::shape::Shape;
use crate::Failure;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::Sheet;
use targets::{Bound, Target};

/// The systems of the situations, the nearest first.
const SITUATIONS: [Shape; 2] = [Shape::Single(16), Shape::Tiers(4, 4, 2)];
/// The systems of the writes that many share.
const SHARING: [Shape; 2] = [Shape::Single(16), Shape::Tiers(8, 8, 4)];

/// Everything that was measured.
struct Figures {
    receipts: Vec<(String, Vec<Receipt>)>,
    writes: Vec<(Shape, Vec<sharing::Write>)>,
    rates: Vec<rate::Rate>,
    contended: Vec<contention::Contended>,
}

/// Measures everything. `progress` is told the measurements done and how many there are.
///
/// # Errors
/// A violation of any check, an assertion of a model, a figure that cannot be read.
pub fn sheet(command: String, progress: impl FnMut(u64, u64)) -> Result<Sheet, Failure> {
    let figures = measure(progress)?;
    let systems: Vec<(String, &[_])> = (figures.receipts.iter())
        .map(|(system, receipts)| (system.clone(), &receipts[..]))
        .collect();
    let mut situations = latency::summary(&systems);
    situations.charts.push(situation_chart(&figures));
    Ok(Sheet {
        bench: "coherence",
        title: "What coherence costs".into(),
        command,
        sections: vec![
            targets::section(&targets(&figures)),
            situations,
            sharing::section(&figures.writes),
            rate::section(&figures.rates),
            contention::section(&figures.contended),
        ],
    })
}

fn measure(mut progress: impl FnMut(u64, u64)) -> Result<Figures, Failure> {
    let all = SITUATIONS.len() + SHARING.len() + rate::STREAMS.len() + contention::COUNTS.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all as u64);
    };
    let mut figures = Figures {
        receipts: Vec::new(),
        writes: Vec::new(),
        rates: Vec::new(),
        contended: Vec::new(),
    };
    for shape in SITUATIONS {
        let receipts = latency::receipts(shape.config())?;
        figures.receipts.push((shape.name(), receipts));
        step();
    }
    for shape in SHARING {
        figures.writes.push((shape, sharing::measure(shape)?));
        step();
    }
    for stream in &rate::STREAMS {
        figures.rates.push(rate::measure(stream)?);
        step();
    }
    for nodes in contention::COUNTS {
        figures.contended.push(contention::measure(nodes)?);
        step();
    }
    Ok(figures)
}

/// The figures that there is an aim for.
fn targets(figures: &Figures) -> [Target; 5] {
    let near = &figures.receipts[0].1;
    let slope = |index: usize| sharing::slope(&figures.writes[index].1);
    [
        Target {
            name: "load_memory",
            figure: "load that misses to memory, one switch, cycles beyond the memory's own",
            bound: Bound::AtMost(16.0),
            measured: beyond_memory(near) as f64,
        },
        Target {
            name: "at_home",
            figure: "request at the home to snoop or memory read leaving, cycles",
            bound: Bound::AtMost(6.0),
            measured: at_home(near) as f64,
        },
        Target {
            name: "rate",
            figure: "requests a cycle and home slice, loads that miss different lines",
            bound: Bound::AtLeast(0.5),
            measured: rate::of_misses(&figures.rates),
        },
        Target {
            name: "sharers_15",
            figure: "store, 15 sharers against 2 (the writer is one), one switch",
            bound: Bound::AtMost(1.25),
            measured: slope(0),
        },
        Target {
            name: "sharers_63",
            figure: "store, 63 sharers against 2 (the writer is one), two tiers",
            bound: Bound::AtMost(1.6),
            measured: slope(1),
        },
    ]
}

/// The cycles that a load from memory takes beyond the memory's own, at best.
fn beyond_memory(receipts: &[Receipt]) -> u64 {
    let loads = receipts
        .iter()
        .filter(|receipt| receipt.name == "load_memory");
    let beyond = loads.map(|receipt| receipt.total - receipt.memory);
    beyond.min().unwrap_or(u64::MAX)
}

/// The cycles from a request at the home to what it sends for it, at worst.
fn at_home(receipts: &[Receipt]) -> u64 {
    let stages = receipts.iter().filter_map(Receipt::at_home);
    stages.max().unwrap_or(u64::MAX)
}

fn situation_chart(figures: &Figures) -> Chart {
    let (system, receipts) = &figures.receipts[0];
    let bars = receipts.iter().map(|receipt| Bar {
        name: receipt.meaning.into(),
        value: receipt.total as f64,
    });
    Chart::Bars(Bars {
        title: format!("Loads and stores, {system}"),
        unit: "cycles".into(),
        bars: bars.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The targets that the switch reaches. One that it comes to reach belongs here.
    const MET: [&str; 5] = ["load_memory", "at_home", "rate", "sharers_15", "sharers_63"];

    #[test]
    fn the_targets_that_were_met_are_met() {
        let targets = targets(&measure(|_, _| {}).expect("everything can be measured"));
        let mut gates = targets.iter().filter(|target| MET.contains(&target.name));
        assert_eq!(gates.clone().count(), MET.len());
        assert!(gates.all(Target::is_met), "{targets:#?}");
    }
}
