//! A home alone: the traces of the model checker's smallest models, then random runs; or fuzzing.

use crate::fuzz::Faulty;
use flits::stimulus::Part;
use harness::conform::{Alone, Run, Tour, small, traces};
use harness::dut::{Variant, home_of};
use harness::parts::{self, Bench};
use harness::sim::Model;
use harness::{Failure, fuzz};

verilated::model!(mutant_home);
harness::home_model!(MutantHome);

/// Random runs after the traces, and the bytes of each.
const RUNS: u64 = 5_000;
const BYTES: usize = 400;

pub const FAULTY: Faulty = Faulty {
    target: || {
        let model = Model::Rtl(Variant::Fast);
        Ok(Box::new(fuzz::Alone::of(
            Part::Home,
            model,
            bench(Variant::Cov)?,
        )))
    },
    again: |finding, vcd, window| match bench(Variant::Wave) {
        Ok(mut bench) => {
            bench.trace(vcd, Some(window));
            bench.run(&finding.stimulus, &mut |_| {}).failure
        }
        Err(failure) => Some(failure),
    },
};

fn bench(variant: Variant) -> Result<Box<dyn Bench>, Failure> {
    parts::home(home_of::<MutantHome>(variant)?)
}

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
