//! `supernode bench`.

mod fabric;
mod sim;

use std::path::PathBuf;

use clap::Subcommand;
use harness::report::file::OutFile;
use harness::report::sheet::Sheet;

use crate::output::{self, Stop};

/// The benches.
#[derive(Subcommand)]
pub enum Bench {
    /// The fabric alone: throughput, fairness and latency under synthetic traffic.
    Fabric(fabric::Args),
    /// Cycles per second of the simulation, and their ratio to the model alone.
    Sim(sim::Args),
}

/// Runs one of them.
pub fn run(bench: &Bench) -> Result<(), Stop> {
    match bench {
        Bench::Fabric(args) => fabric::run(args),
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

impl Files {
    /// Makes sure that the files can be written, measures, writes and prints.
    fn publish(&self, measure: impl FnOnce() -> Result<Sheet, Stop>) -> Result<(), Stop> {
        let create = |path: &Option<PathBuf>| {
            let file = path.as_deref().map(OutFile::create);
            file.transpose().map_err(Stop::Input)
        };
        let (json, html) = (create(&self.json)?, create(&self.html)?);
        let sheet = measure()?;
        for (file, render) in [
            (json, Sheet::json as fn(&Sheet) -> String),
            (html, Sheet::page),
        ] {
            if let Some(file) = file {
                file.write(render(&sheet).as_bytes())
                    .map_err(Stop::Failure)?;
            }
        }
        output::print(&sheet.text())
    }
}
