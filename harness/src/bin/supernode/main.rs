//! The `supernode` command.
//!
//! Exit codes: 0 for a good run, 1 for a violation or a failure, 2 for input that cannot be used.

mod output;
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
  supernode wave run.vcd                 every packet in a waveform
  supernode wave run.vcd --addr 0x1000   those about one line";

#[derive(Subcommand)]
enum Command {
    /// Print the packets in a waveform as a table.
    Wave(wave::Args),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("supernode: internal error at {place}; please report it with the command line");
    }));
    let outcome = match Cli::parse().command {
        Command::Wave(args) => wave::run(&args),
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
