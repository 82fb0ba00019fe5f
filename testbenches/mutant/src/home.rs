//! A home alone: the traces of the model checker's smallest models, then random runs.

use harness::conform::{Alone, Run, Tour, small, traces};
use harness::dut::{Variant, home_of};

verilated::model!(mutant_home);
harness::home_model!(MutantHome);

/// Random runs after the traces, and the bytes of each.
const RUNS: u64 = 5_000;
const BYTES: usize = 400;

/// Prints a row of docs/mutants.md; that nothing is found is an error.
pub fn search(name: &str) -> Result<(), String> {
    let models = small().filter(|named| named.config.lines == 1 && named.config.nodes == 2);
    let random = (0..RUNS).map(|seed| Run::Random {
        seed,
        length: BYTES,
    });
    let traced = traces(models)?.into_iter().map(Run::Trace);
    let home = home_of::<MutantHome>(Variant::Fast).and_then(Alone::new);
    let mut alone = home.map_err(|failure| failure.to_string())?;
    let mut tour = Tour::default();
    let Err(found) = tour.go(&mut alone, traced.chain(random)) else {
        println!(
            "| {name} | - | - | {} | not found in {} runs |",
            tour.cycles, tour.runs
        );
        return Err(format!("{name}: not found"));
    };
    let run = match &found.run {
        Run::Trace(trace) => format!("trace, {} steps", trace.steps.len()),
        Run::Random { seed, .. } => format!("random run {seed}"),
    };
    let (kind, cycle) = (found.failure.kind, found.failure.cycle);
    println!("| {name} | {run} | {kind} | {cycle} | {} |", tour.cycles);
    eprintln!("{}", found.failure);
    Ok(())
}
