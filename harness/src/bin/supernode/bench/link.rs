//! `supernode bench link`.

use harness::bench::link::sheet;

use super::{Files, measured};
use crate::output::Stop;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    measured(&args.files, sheet)
}
