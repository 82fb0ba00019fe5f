//! The receipts for people.

use super::{Leaf, Part, Placement, Receipt, receipts};
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
            "{} nodes on {leaves} leaves below {spines} spines",
            config.ports
        ),
    };
    let links = match config.link_errors {
        Some(_) => ", links on all cables",
        None => "",
    };
    let leaves = config.tiers.map_or(1, |tiers| tiers.leaves);
    let title = format!("Cycles of an access when nothing else moves, {system}{links}");
    let receipts = receipts(config)?;
    let mut sections = vec![summary(&[(system, &receipts)])];
    // Stage by stage, those that go farthest.
    let farthest = Placement::all(leaves).last();
    let shown = |receipt: &&Receipt| receipt.placement.is_some() && receipt.placement == farthest;
    sections.extend(receipts.iter().filter(shown).map(itemised));
    Ok(Sheet {
        bench: "latency",
        title,
        command,
        sections,
    })
}

/// What each access took on some systems, and in what.
pub fn summary(systems: &[(String, &[Receipt])]) -> Section {
    const HEADINGS: [(&str, &str); Part::ALL.len()] = [
        ("node", "node"),
        ("links", "links"),
        ("fabric", "fabric"),
        ("homes", "home"),
        ("cache", "cache"),
        ("memories", "memory"),
        ("words", "words"),
    ];
    let mut columns = vec![
        ("system", if systems.len() > 1 { "system" } else { "" }),
        ("name", ""),
        ("access", "access"),
        ("home", "home on"),
        ("others", "others on"),
    ];
    columns.extend(HEADINGS);
    columns.extend([
        ("total", "cycles"),
        ("memory", "the memory's own"),
        ("beyond", "beyond it"),
    ]);
    let mut table = Table::new("accesses", &columns);
    for (system, receipts) in systems {
        for receipt in *receipts {
            table.push(row(system, receipt));
        }
    }
    Section {
        title: "Loads and stores when nothing else moves".into(),
        notes: vec![
            "From the cycle in which the program asks to the one in which it has the answer; \
             node to words add up to cycles."
                .into(),
            "Home, memory and other caches are on the requester's own leaf or on another.".into(),
        ],
        table,
        charts: Vec::new(),
    }
}

fn row(system: &str, receipt: &Receipt) -> Vec<Cell> {
    let leaf = |of: fn(Placement) -> Leaf| match receipt.placement {
        Some(placement) => of(placement).name().into(),
        None => Cell::Nothing,
    };
    let mut row = vec![
        system.into(),
        receipt.name.into(),
        receipt.meaning.into(),
        leaf(|placement| placement.home),
        leaf(|placement| placement.others),
    ];
    row.extend(Part::ALL.map(|part| Cell::Count(receipt.of(part))));
    row.extend([
        Cell::Count(receipt.total),
        Cell::Count(receipt.memory),
        Cell::Count(receipt.total - receipt.memory),
    ]);
    row
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
