//! `supernode bench fabric`.

use clap::value_parser;
use harness::bench::fabric::{Settings, Window, sheet};

use super::{Files, measured};
use crate::output::Stop;
use crate::system::ports;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Numbers of ports: any of 4, 8 and 16, with commas between.
    #[arg(long, value_name = "P", value_delimiter = ',', default_value = "4,8,16", value_parser = ports)]
    ports: Vec<usize>,
    /// Cycles of each measurement; the first sixth is not counted.
    #[arg(long, value_name = "N", default_value_t = Window::METHOD.cycles, value_parser = value_parser!(u64).range(600..=10_000_000))]
    cycles: u64,
    /// The seed that decides everything random; the same seed gives the same figures.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let settings = Settings {
        ports: args.ports.clone(),
        window: Window::of(args.cycles),
        seed: args.seed,
    };
    measured(&args.files, |command, progress| {
        sheet(&settings, command, progress)
    })
}
