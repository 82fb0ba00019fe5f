//! `supernode bench coherence`.

use harness::bench::coherence::sheet;

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
    measured(&args.files, |command, progress| sheet(command, progress))
}
