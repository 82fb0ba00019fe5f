//! `supernode bench latency`.

use harness::bench::latency::sheet;

use super::{Files, measured};
use crate::kv::ports;
use crate::output::Stop;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Ports of the switch: 4, 8 or 16.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = ports)]
    ports: usize,
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    measured(&args.files, |command, _| sheet(args.ports, command))
}
