//! `supernode shrink`.

use std::path::PathBuf;

use flits::stimulus::Stimulus;
use harness::shrink::{RUNS, shrink_failure};
use harness::sim::RunOptions;
use harness::{fuzz, report::file::OutFile};

use crate::output::{self, Stop};
use crate::replay::Choice;
use crate::simulate;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The stimulus that fails.
    stimulus: PathBuf,
    /// What stands in for the switch, as in `supernode replay`.
    #[arg(long, value_name = "M", value_enum, default_value_t)]
    model: Choice,
    /// Where the small one goes; by default beside the other: run.jsonl becomes run.small.jsonl.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Runs that it may take.
    #[arg(long, value_name = "N", default_value_t = RUNS)]
    runs: usize,
    /// A run that takes more cycles than this has failed.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    max_cycles: u64,
}

/// Makes the stimulus small; what is wrong stays of the same family.
pub fn run(args: &Args) -> Result<(), Stop> {
    let stimulus = Stimulus::read(&args.stimulus).map_err(|e| Stop::Input(e.to_string()))?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => args.stimulus.with_extension("small.jsonl"),
    };
    let file = OutFile::create(&path).map_err(Stop::Input)?;
    let options = RunOptions {
        model: args.model.model(),
        max_cycles: args.max_cycles,
        ..RunOptions::default()
    };
    let found = shrink_failure(&stimulus, &options, args.runs);
    let found = found.map_err(|failure| match simulate::stop(&failure) {
        Stop::Input(why) => Stop::Input(format!("{}: {why}", args.stimulus.display())),
        other => other,
    })?;
    let Some((shrunk, failure)) = found else {
        return Err(Stop::Input(format!(
            "{}: runs without violations, so there is nothing to shrink",
            args.stimulus.display()
        )));
    };
    file.write(shrunk.stimulus.to_text().as_bytes())
        .map_err(Stop::Failure)?;
    let rest = match shrunk.done {
        true => "",
        false => "; more --runs may make it smaller",
    };
    output::print(&format!(
        "{failure}\n\
         shrunk from {} to {} operations in {} runs{rest}: {}\n\
         see it: {}\n",
        stimulus.steps.len(),
        shrunk.stimulus.steps.len(),
        shrunk.runs,
        path.display(),
        fuzz::command(&path, options.model)
    ))
}
