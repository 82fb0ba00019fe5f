//! The receipts for people.

use super::{Receipt, receipts};
use crate::Failure;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::{Cell, Section, Sheet, Table};
use flits::stimulus::{Config, Tiers};

/// Measures everything.
///
/// # Errors
/// As [`receipts`].
pub fn sheet(config: Config, command: String) -> Result<Sheet, Failure> {
    let system = match config.tiers {
        None => format!("{} ports", config.ports),
        Some(Tiers { leaves, spines }) => format!(
            "{} nodes on {leaves} leaves below {spines} spines; homes, memories and other caches on \
             other leaves",
            config.ports
        ),
    };
    let links = match config.link_errors {
        Some(_) => ", links on all cables",
        None => "",
    };
    let receipts = receipts(config)?;
    let mut sections = vec![summary(&receipts)];
    sections.extend(receipts.iter().map(itemised));
    Ok(Sheet {
        bench: "latency",
        title: format!("Cycles of an access when nothing else moves, {system}{links}"),
        command,
        sections,
    })
}

fn summary(receipts: &[Receipt]) -> Section {
    let mut table = Table::new(
        "accesses",
        &[
            ("name", ""),
            ("access", "access"),
            ("total", "cycles"),
            ("memory", "the memory's own"),
            ("beyond", "beyond it"),
        ],
    );
    for receipt in receipts {
        table.push([
            receipt.name.into(),
            receipt.meaning.into(),
            Cell::Count(receipt.total),
            Cell::Count(receipt.memory),
            Cell::Count(receipt.total - receipt.memory),
        ]);
    }
    Section {
        title: "All".into(),
        notes: vec![
            "From the cycle in which the program asks to the one in which it has the answer."
                .into(),
        ],
        table,
        charts: Vec::new(),
    }
}

fn itemised(receipt: &Receipt) -> Section {
    let mut table = Table::new(
        receipt.name,
        &[("stage", "stage"), ("cycles", "cycles"), ("sum", "so far")],
    );
    let mut sum = 0;
    for stage in &receipt.stages {
        sum += stage.cycles;
        table.push([
            stage.name.as_str().into(),
            Cell::Count(stage.cycles),
            Cell::Count(sum),
        ]);
    }
    let bars = receipt.stages.iter().map(|stage| Bar {
        name: stage.name.clone(),
        value: stage.cycles as f64,
    });
    Section {
        title: format!("A {}", receipt.meaning),
        notes: Vec::new(),
        table,
        charts: vec![Chart::Bars(Bars {
            title: receipt.meaning.into(),
            unit: "cycles".into(),
            bars: bars.collect(),
        })],
    }
}
