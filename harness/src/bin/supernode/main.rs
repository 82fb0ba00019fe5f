//! The `supernode` command.
//!
//! Exit codes: 0 for a good run, 1 for a violation or a failure, 2 for input that cannot be used.

mod bench;
mod check;
mod coverage;
mod fuzz;
mod info;
mod kv;
mod litmus;
mod output;
mod programs;
mod prove;
mod replay;
mod shrink;
mod simulate;
mod system;
mod wave;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use output::Stop;

/// One address space behind a simulated switch: run workloads on it, replay, look inside.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  supernode run kv                                 the built-in requests on 8 ports
  supernode run kv --trace t.jsonl --requests 200 --html report.html
  supernode run kv --requests 2 --vcd run.vcd      a waveform as well
  supernode run kv --leaves 4 --spines 2           16 nodes on six chips in two tiers
  supernode run programs --node tso                locks and queues on nodes with store buffers
  supernode wave run.vcd --addr 0x1000             the story of one line in it
  supernode replay failure.jsonl --vcd failure.vcd a failing test's stimulus, again
  supernode shrink failure.jsonl                   the same failure with fewer operations
  supernode fuzz --seconds 60 --hostile            look for failures among illegal words
  supernode litmus mp.litmus --node tso            every final state that a litmus test shows
  supernode check run.jsonl --model sc             whether a memory model allows a history
  supernode prove --fault ends-before-ack          how a mistake in the protocol would show
  supernode bench fabric --html fabric.html        throughput and latency, with curves";

#[derive(Subcommand)]
enum Command {
    /// Run a workload.
    #[command(subcommand)]
    Run(Workload),
    /// Run a stimulus file, for instance one that a failing test has written.
    Replay(replay::Args),
    /// Make a failing stimulus small.
    Shrink(shrink::Args),
    /// Look for failures: run stimuli, and change those that reach something new.
    Fuzz(fuzz::Args),
    /// Say whether a memory model allows what threads saw.
    Check(check::Args),
    /// Print the packets in a waveform as a table.
    Wave(wave::Args),
    /// Print versions, parameters and the address map.
    Info(info::Args),
    /// Run litmus tests on the switch and compare the final states with a memory model.
    Litmus(litmus::Args),
    /// Explore every state of small models of the protocol and check its rules.
    Prove(prove::Args),
    /// Merge and judge what covered runs have reached.
    Coverage(coverage::Args),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Subcommand)]
enum Workload {
    /// The key/value cache of an LLM service in one global address space.
    ///
    /// Prefill nodes load the leading blocks of each request that are stored already and store the
    /// rest; decode nodes load them all. Every byte that is loaded is compared.
    Kv(kv::Args),
    /// Parallel programs: locks, a barrier, queues, a search, a sum; compared with plain Rust.
    Programs(programs::Args),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("supernode: internal error at {place}; please report it with the command line");
    }));
    let outcome = match Cli::parse().command {
        Command::Run(Workload::Kv(args)) => kv::run(&args),
        Command::Run(Workload::Programs(args)) => programs::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Shrink(args) => shrink::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Wave(args) => wave::run(&args),
        Command::Litmus(args) => litmus::run(&args),
        Command::Prove(args) => prove::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Bench(bench) => bench::run(&bench),
        Command::Completions { shell } => completions(shell),
    };
    match outcome {
        Ok(()) | Err(Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Input(message)) => {
            eprintln!("supernode: {message}");
            ExitCode::from(2)
        }
        Err(Stop::Failure(message)) => {
            eprintln!("supernode: {message}");
            ExitCode::from(1)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), Stop> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "supernode", &mut text);
    output::print(&String::from_utf8_lossy(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
