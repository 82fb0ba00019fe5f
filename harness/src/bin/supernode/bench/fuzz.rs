//! `supernode bench fuzz`.

use std::path::PathBuf;

use clap::value_parser;
use harness::bench::fuzz::{Settings, sheet};
use harness::report::file::OutFile;

use super::{Files, measured};
use crate::fuzz::ports;
use crate::output::Stop;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Ports of the switch: 4, where everything is scarce, or 8.
    #[arg(long, value_name = "P", default_value_t = 4, value_parser = ports)]
    ports: usize,
    /// Inputs of each campaign.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = value_parser!(u64).range(1..))]
    execs: u64,
    /// Campaigns of each kind; their seeds count from 1.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// One device sends what no rule allows.
    #[arg(long)]
    hostile: bool,
    /// Write the chart of the events reached as an SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let settings = Settings {
        ports: args.ports,
        execs: args.execs,
        seeds: args.seeds,
        hostile: args.hostile,
    };
    let svg = args.svg.as_deref().map(OutFile::create).transpose();
    let svg = svg.map_err(Stop::Input)?;
    let mut chart = None;
    measured(&args.files, |command, progress| {
        let sheet = sheet(&settings, command, progress)?;
        chart = sheet.svg();
        Ok(sheet)
    })?;
    match (svg, chart) {
        (Some(file), Some(chart)) => file.write(chart.as_bytes()).map_err(Stop::Failure),
        _ => Ok(()),
    }
}
