//! `supernode bench`.

mod coherence;
mod fabric;
mod fuzz;
mod latency;
mod link;
mod sim;
mod tiers;

use std::path::PathBuf;

use clap::Subcommand;
use harness::Failure;
use harness::report::file::OutFile;
use harness::report::sheet::Sheet;

use crate::output::{self, Stop};
use crate::simulate;

/// The benches.
#[derive(Subcommand)]
pub enum Bench {
    /// What coherence costs: latency by situation, sharers, requests a cycle, contention.
    Coherence(coherence::Args),
    /// The fabric alone: throughput, fairness and latency under synthetic traffic.
    Fabric(fabric::Args),
    /// Guided fuzzing against pure random inputs.
    Fuzz(fuzz::Args),
    /// Where the cycles of an access go when nothing else moves.
    Latency(latency::Args),
    /// Throughput of systems of one and of several chips.
    Tiers(tiers::Args),
    /// The link alone: payload, cost of errors, framing.
    Link(link::Args),
    /// Cycles per second of the simulation, and their ratio to the model alone.
    Sim(sim::Args),
}

/// Runs one of them.
pub fn run(bench: &Bench) -> Result<(), Stop> {
    match bench {
        Bench::Coherence(args) => coherence::run(args),
        Bench::Fabric(args) => fabric::run(args),
        Bench::Fuzz(args) => fuzz::run(args),
        Bench::Latency(args) => latency::run(args),
        Bench::Tiers(args) => tiers::run(args),
        Bench::Link(args) => link::run(args),
        Bench::Sim(args) => sim::run(args),
    }
}

/// The files that a bench may write.
#[derive(clap::Args)]
struct Files {
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the figures as one HTML page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Makes sure that the files can be written, measures with a progress bar, writes and prints. The
/// bench is given the command line and whom to tell the measurements done and their number.
fn measured(
    files: &Files,
    bench: impl FnOnce(String, &mut dyn FnMut(u64, u64)) -> Result<Sheet, Failure>,
) -> Result<(), Stop> {
    let create = |path: &Option<PathBuf>| {
        let file = path.as_deref().map(OutFile::create);
        file.transpose().map_err(Stop::Input)
    };
    let (json, html) = (create(&files.json)?, create(&files.html)?);
    let bar = simulate::progress(0, "measurements");
    let mut shown = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let sheet = bench(simulate::command_line(), &mut shown);
    bar.finish_and_clear();
    let sheet = sheet.map_err(|failure| simulate::stop(&failure))?;
    let forms = [
        (json, Sheet::json as fn(&Sheet) -> String),
        (html, Sheet::page),
    ];
    for (file, render) in forms {
        if let Some(file) = file {
            file.write(render(&sheet).as_bytes())
                .map_err(Stop::Failure)?;
        }
    }
    output::print(&sheet.text())
}
