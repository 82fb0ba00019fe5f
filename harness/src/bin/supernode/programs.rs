//! `supernode run programs`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use harness::litmus::MemoryModel;
use harness::report::sheet::{Cell, Section, Sheet, Table};
use harness::sim::{Histogram, Supernode};
use harness::workload::programs::{self, PROGRAMS, Program, Verdict};

use crate::output::{self, Stop};
use crate::simulate::{self, Checks};
use crate::system::{NodeKind, System};

/// Cycles after which a program has gone astray.
const MOST_CYCLES: u64 = 10_000_000;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The programs; all, if none is named.
    #[arg(value_parser = PossibleValuesParser::new(PROGRAMS.map(|program| program.name)))]
    names: Vec<String>,
    #[command(flatten)]
    system: System,
    /// The nodes: in order (sc), or with a store buffer (tso).
    #[arg(long, value_enum, default_value_t = NodeKind::Sc)]
    node: NodeKind,
    /// The seed that decides everything random; the same seed gives the same cycles.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Write a waveform of the one program that is named. Of several chips, a file each: run.vcd
    /// becomes run.chip0.vcd and so on.
    #[arg(long, value_name = "FILE")]
    vcd: Option<PathBuf>,
    #[command(flatten)]
    checks: Checks,
}

/// Runs the programs, prints what they took, and fails if a result is not plain Rust's.
pub fn run(args: &Args) -> Result<(), Stop> {
    let named = args.names.iter().filter_map(|name| programs::find(name));
    let chosen: Vec<&Program> = match args.names[..] {
        [] => PROGRAMS.iter().collect(),
        _ => named.collect(),
    };
    if args.vcd.is_some() && chosen.len() != 1 {
        let text = "a waveform is of one program; name it before --vcd, like mcs-lock";
        return Err(Stop::Input(text.into()));
    }
    let mut table = Table::new(
        "programs",
        &[
            ("name", "program"),
            ("meaning", "what it is"),
            ("cycles", "cycles"),
            ("operations", "operations"),
            ("mean", "mean cycles"),
            ("cache_to_cache", "cache to cache"),
            ("invalidations", "invalidations"),
            ("result", "result"),
        ],
    );
    let mut wrong = Vec::new();
    for program in chosen {
        let (row, verdict) = run_one(program, args)?;
        table.push(row);
        if let Err(text) = verdict {
            wrong.push(format!("{}: {text}", program.name));
        }
    }
    let sheet = Sheet {
        bench: "programs",
        title: "Parallel programs in one address space".into(),
        command: simulate::command_line(),
        sections: vec![Section {
            title: format!("Nodes: {}", MemoryModel::from(args.node).name()),
            notes: vec!["All checks on; \"right\" is what plain Rust works out.".into()],
            table,
            charts: Vec::new(),
        }],
    };
    output::print(&sheet.text())?;
    match wrong[..] {
        [] => Ok(()),
        _ => Err(Stop::Failure(wrong.join("\n"))),
    }
}

fn run_one(program: &Program, args: &Args) -> Result<(Vec<Cell>, Verdict), Stop> {
    let entries = MemoryModel::from(args.node).store_buffer();
    let config = args.system.config().with_store_buffers(entries);
    let builder = Supernode::builder()
        .config(config)
        .seed(args.seed)
        .max_cycles(MOST_CYCLES);
    let builder = match &args.vcd {
        Some(path) => builder.vcd(path),
        None => builder,
    };
    let mut sn = (args.checks)
        .on(builder)
        .build()
        .map_err(|failure| simulate::stop(&failure))?;
    let verdict = program.run(&mut sn);
    let verdict = verdict.map_err(|failure| simulate::stop(&failure))?;
    sn.close_vcd().map_err(|failure| simulate::stop(&failure))?;

    let stats = sn.stats();
    let mut latency = Histogram::default();
    for histogram in stats.latencies().values() {
        latency.merge(histogram);
    }
    let row = vec![
        program.name.into(),
        program.meaning.into(),
        Cell::Count(stats.cycles - stats.started),
        Cell::Count(latency.count()),
        Cell::Number(latency.mean(), 1),
        Cell::Count(stats.cache_to_cache()),
        Cell::Count(stats.invalidations()),
        if verdict.is_ok() { "right" } else { "wrong" }.into(),
    ];
    Ok((row, verdict))
}
