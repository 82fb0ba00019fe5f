//! `supernode conform`.

use clap::value_parser;
use harness::conform::{Alone, Effort, Run, Tour, campaign, compare, small, traces};
use harness::dut::{Variant, home_alone};
use std::collections::BTreeSet;
use std::fmt::Write;

use crate::output::{self, Stop};
use crate::simulate;

/// Bytes of a random run on the home alone.
const BYTES: usize = 400;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Random runs of the home alone.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    runs: u64,
    /// Delays of one operation behind another that are tried in each situation in the switch.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u64).range(1..=1000))]
    delays: u64,
    /// Random operations of each node in each system.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    operations: u64,
    /// The seed that decides everything random.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Leave out the runs of the whole switch.
    #[arg(long)]
    alone: bool,
    /// Print only the pairs that are reachable and were not met.
    #[arg(long)]
    missing: bool,
}

/// Replays the traces, runs the rest, and prints each pair of state and input and how often it was met.
pub fn run(args: &Args) -> Result<(), Stop> {
    let traces = traces(small()).map_err(Stop::Failure)?;
    let reachable: BTreeSet<_> = traces
        .iter()
        .flat_map(|trace| trace.pairs.clone())
        .collect();
    let stop = |failure| simulate::stop(&failure);
    let mut alone = home_alone(Variant::Fast)
        .and_then(Alone::new)
        .map_err(stop)?;
    let first = args.seed.wrapping_mul(args.runs);
    let random = (0..args.runs).map(|run| Run::Random {
        seed: first.wrapping_add(run),
        length: BYTES,
    });
    let count = traces.len();
    go(
        &mut alone,
        &format!("{count} traces"),
        traces.into_iter().map(Run::Trace),
    )?;
    go(&mut alone, &format!("{} random runs", args.runs), random)?;
    let effort = Effort {
        delays: args.delays,
        operations: args.operations,
        seed: args.seed,
    };
    let ran = |name: &str, cycles| eprintln!("in the switch, {name}: {cycles} cycles");
    let switch = match args.alone {
        true => Default::default(),
        false => campaign(effort, ran).map_err(stop)?,
    };
    let pairs = compare(&reachable, &alone.pairs(), &switch);
    let mut text =
        String::from("| of | state | input | home alone | switch |\n|---|---|---|---|---|\n");
    for (pair, about) in &pairs {
        if args.missing && (about.is_met() || !about.reachable) {
            continue;
        }
        let beyond = if about.reachable {
            ""
        } else {
            ", beyond the models"
        };
        let how = match about.is_met() {
            true => format!("{} | {}{beyond}", about.alone, about.switch),
            false => "never | never".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {how} |",
            pair.agent, pair.state, pair.input
        );
    }
    for agent in ["home", "node"] {
        let of = |wanted: fn(&harness::conform::Met) -> bool| {
            let pairs = pairs
                .iter()
                .filter(|(pair, about)| pair.agent == agent && about.reachable && wanted(about));
            pairs.count()
        };
        let (met, all) = (of(|about| about.is_met()), of(|_| true));
        let switch = of(|about| about.switch > 0);
        let _ = writeln!(
            text,
            "{agent}: {met} of {all} reachable pairs met on the RTL, {switch} of them in the switch"
        );
    }
    output::print(&text)
}

/// Takes the home through runs; what it finds goes to standard error with the messages before it.
fn go(alone: &mut Alone, what: &str, runs: impl Iterator<Item = Run>) -> Result<(), Stop> {
    let mut tour = Tour::default();
    if let Err(found) = tour.go(alone, runs) {
        eprintln!("in {}, after\n{}", found.run, found.story);
        return Err(simulate::stop(&found.failure));
    }
    eprintln!("on the home alone, {what}: {} cycles", tour.cycles);
    Ok(())
}
