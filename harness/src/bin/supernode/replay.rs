//! `supernode replay`.

use std::path::PathBuf;
use std::time::Instant;

use flits::stimulus::Stimulus;
use harness::report::Run;
use harness::sim::Supernode;

use crate::output::Stop;
use crate::simulate::{self, Outputs};

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The stimulus: a system and what its nodes do.
    stimulus: PathBuf,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs the stimulus and reports.
pub fn run(args: &Args) -> Result<(), Stop> {
    let stimulus = Stimulus::read(&args.stimulus).map_err(|e| Stop::Input(e.to_string()))?;
    let tiers = stimulus.config.tiers;
    let chips = tiers.map_or(1, |tiers| tiers.leaves + tiers.spines);
    let files = args.outputs.prepare(chips)?;
    let mut builder = Supernode::builder()
        .config(stimulus.config.clone())
        .seed(stimulus.seed);
    if let Some(paths) = files.vcd() {
        builder = builder.vcds(paths);
    }
    let named = |stop| match stop {
        Stop::Input(why) => Stop::Input(format!("{}: {why}", args.stimulus.display())),
        other => other,
    };
    let built = builder
        .build()
        .map_err(|failure| named(simulate::stop(&failure)));
    let mut supernode = built?;
    let begin = Instant::now();
    let failure = supernode.run_stimulus(&stimulus).err();
    let run = Run {
        command: simulate::command_line(),
        supernode: &mut supernode,
        elapsed: begin.elapsed(),
        kv: None,
        failure: failure.as_ref(),
    };
    simulate::conclude(run, files, &args.outputs)
}
