//! `supernode replay`.

use std::path::PathBuf;
use std::time::Instant;

use flits::stimulus::{Part, Stimulus};
use harness::Failure;
use harness::dut::Variant;
use harness::parts;
use harness::report::Run;
use harness::report::file::OutFile;
use harness::sim::{Builder, Model, Supernode};

use crate::output::{self, Stop};
use crate::simulate::{self, Checks, Outputs};

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The stimulus: a system and what its nodes do.
    stimulus: PathBuf,
    /// What stands in for the switch: the RTL, the RTL of 4 ports in which everything is scarce, or
    /// the switch of the specification.
    #[arg(long, value_name = "M", value_enum, default_value_t)]
    model: Choice,
    /// Write only so many cycles of the waveform: those up to the violation, or to the end. The
    /// stimulus runs twice for it.
    #[arg(long, value_name = "N", requires = "vcd", conflicts_with = "vcd_cycles", value_parser = clap::value_parser!(u64).range(1..))]
    window: Option<u64>,
    /// Write what every operation did, for `supernode check`.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    outputs: Outputs,
}

impl Args {
    /// The stimulus is no good, and why.
    fn refuse(&self, why: &str) -> Stop {
        Stop::Input(format!("{}: {why}", self.stimulus.display()))
    }

    /// How the command ends with a failure; what is wrong with the stimulus is said with its name.
    fn stop(&self, failure: &Failure) -> Stop {
        match simulate::stop(failure) {
            Stop::Input(why) => self.refuse(&why),
            other => other,
        }
    }
}

/// What can be chosen with `--model`.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub enum Choice {
    #[default]
    Rtl,
    Tight,
    Reference,
}

impl Choice {
    /// The model.
    pub fn model(self) -> Model {
        match self {
            Choice::Rtl => Model::Rtl(Variant::Fast),
            Choice::Tight => Model::Tight,
            Choice::Reference => Model::Reference,
        }
    }
}

/// Runs the stimulus and reports.
pub fn run(args: &Args) -> Result<(), Stop> {
    let stimulus = Stimulus::read(&args.stimulus).map_err(|e| Stop::Input(e.to_string()))?;
    if stimulus.config.part.is_some() {
        return run_part(args, &stimulus);
    }
    let tiers = stimulus.config.tiers;
    let chips = tiers.map_or(1, |tiers| tiers.leaves + tiers.spines);
    let files = args.outputs.prepare(chips)?;
    let history = args.history.as_deref().map(OutFile::create).transpose();
    let history = history.map_err(Stop::Input)?;
    let builder = Supernode::builder()
        .config(stimulus.config.clone())
        .seed(stimulus.seed)
        .model(args.model.model());
    let build = |builder: Builder| builder.build().map_err(|failure| args.stop(&failure));
    let builder = args.checks.on(builder);
    let mut traced = files.with_waves(builder.clone());
    if let Some(window) = args.window {
        let mut fast = build(builder)?;
        let end = match fast.run_stimulus(&stimulus) {
            Ok(outcome) => outcome.cycles,
            Err(failure) => failure.cycle,
        };
        traced = traced.vcd_cycles((end + 1).saturating_sub(window)..end + 1);
    }
    let mut supernode = build(traced)?;
    let begin = Instant::now();
    let outcome = supernode.run_stimulus(&stimulus);
    let elapsed = begin.elapsed();
    if let (Some(file), Ok(outcome)) = (history, &outcome) {
        let text = outcome.history.to_text();
        file.write(text.as_bytes()).map_err(Stop::Failure)?;
    }
    let failure = outcome.err();
    let run = Run {
        command: simulate::command_line(),
        supernode: &mut supernode,
        elapsed,
        kv: None,
        failure: failure.as_ref(),
    };
    simulate::conclude(run, files, &args.outputs)
}

/// A part alone has no caches of the harness and no history: what it says is how many words arrived, or
/// messages at a home and its peers, and what is wrong.
fn run_part(args: &Args, stimulus: &Stimulus) -> Result<(), Stop> {
    if args.history.is_some() || args.outputs.beyond_waves() {
        let text = "a part alone leaves a waveform and no report, no history";
        return Err(args.refuse(text));
    }
    let vcd = args.outputs.vcd.as_deref();
    let ran = parts::replay(stimulus, args.model.model(), vcd, args.window);
    let ran = ran.map_err(|failure| args.stop(&failure))?;
    let what = match stimulus.config.part {
        Some(Part::Home) => "messages",
        _ => "words",
    };
    output::print(&format!(
        "{} {what} arrived in {} cycles\n",
        ran.words, ran.cycles
    ))?;
    match &ran.failure {
        None => Ok(()),
        Some(failure) => Err(simulate::stop(failure)),
    }
}
