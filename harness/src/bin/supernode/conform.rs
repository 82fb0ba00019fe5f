//! `supernode conform`.

use clap::value_parser;
use harness::conform::{Effort, campaign, compare, reachable};
use std::fmt::Write;

use crate::output::{self, Stop};
use crate::simulate;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Delays of one operation behind another that are tried in each situation.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u64).range(1..=1000))]
    delays: u64,
    /// Random operations of each node in each system.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    operations: u64,
    /// The seed that decides everything random.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Threads that explore the models.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Print only the pairs that are reachable and were not met.
    #[arg(long)]
    missing: bool,
}

/// Runs the campaign and prints each pair of state and input, and how often it was met.
pub fn run(args: &Args) -> Result<(), Stop> {
    let reachable = reachable(args.jobs.into()).map_err(Stop::Failure)?;
    let effort = Effort {
        delays: args.delays,
        operations: args.operations,
        seed: args.seed,
    };
    let ran = |name: &str, cycles| eprintln!("{name}: {cycles} cycles");
    let met = campaign(effort, ran).map_err(|failure| simulate::stop(&failure))?;
    let pairs = compare(&reachable, &met);
    let mut text = String::from("| of | state | input | met |\n|---|---|---|---|\n");
    for (pair, about) in &pairs {
        if args.missing && (about.times > 0 || !about.reachable) {
            continue;
        }
        let how = match (about.times, about.reason, about.reachable) {
            (0, Some(reason), _) => format!("never: {reason}"),
            (0, None, _) => "never".to_owned(),
            (times, _, true) => times.to_string(),
            (times, _, false) => format!("{times}, beyond the models"),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {how} |",
            pair.agent, pair.state, pair.input
        );
    }
    for agent in ["home", "node"] {
        let of = |wanted: fn(u64) -> bool| {
            let pairs = pairs.iter().filter(|(pair, about)| {
                pair.agent == agent && about.reachable && wanted(about.times)
            });
            pairs.count()
        };
        let (met, all) = (of(|times| times > 0), of(|_| true));
        let _ = writeln!(
            text,
            "{agent}: {met} of {all} reachable pairs met on the RTL"
        );
    }
    output::print(&text)
}
