//! `supernode bench latency`.

use clap::value_parser;
use flits::stimulus::{Config, LinkErrors};
use harness::bench::latency::sheet;

use super::{Files, measured};
use crate::output::Stop;
use crate::system::ports;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Ports of the switch: 4, 8 or 16.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = ports)]
    ports: usize,
    /// Several chips in two tiers, with this many leaves (2, 4 or 8) of 4 nodes, and 2 spines.
    #[arg(long, value_name = "N", conflicts_with = "ports", value_parser = value_parser!(u8).range(2..=8))]
    leaves: Option<u8>,
    /// Put a link with CRC and replay on every cable.
    #[arg(long)]
    links: bool,
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let mut config = match args.leaves {
        Some(leaves) => Config::tiers(leaves.into(), 4, 2),
        None => Config::new(args.ports),
    };
    config.link_errors = args.links.then(LinkErrors::default);
    config.check().map_err(Stop::Input)?;
    measured(&args.files, |command, _| sheet(config, command))
}
