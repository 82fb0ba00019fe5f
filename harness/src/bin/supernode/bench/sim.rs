//! `supernode bench sim`.

use clap::value_parser;
use harness::bench::sim::{Settings, sheet};
use harness::workload::kv::Layout;

use super::{Files, measured};
use crate::output::Stop;
use crate::system::ports;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Numbers of ports: any of 4, 8 and 16, with commas between.
    #[arg(long, value_name = "P", value_delimiter = ',', default_value = "8,16", value_parser = ports)]
    ports: Vec<usize>,
    /// Requests of the built-in sample that are served.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = value_parser!(u32).range(1..))]
    requests: u32,
    /// Requests that each node works on at once.
    #[arg(long, value_name = "N", default_value_t = Layout::default().in_flight as u32, value_parser = value_parser!(u32).range(1..=64))]
    in_flight: u32,
    /// Rounds, of which the fastest counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let settings = Settings {
        ports: args.ports.clone(),
        requests: args.requests as usize,
        layout: Layout {
            in_flight: args.in_flight as usize,
            ..Layout::default()
        },
        rounds: args.rounds,
    };
    measured(&args.files, |command, progress| {
        sheet(&settings, command, progress)
    })
}
