//! `supernode bench fuzz`.

use clap::value_parser;
use harness::bench::fuzz::{Settings, sheet};

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
    measured(&args.files, |command, progress| {
        sheet(&settings, command, progress)
    })
}
