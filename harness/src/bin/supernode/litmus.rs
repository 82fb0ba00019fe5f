//! `supernode litmus`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::value_parser;
use harness::Failure;
use harness::dut::Variant;
use harness::litmus::{Batch, Campaign, Collection, MemoryModel, Setup, Summary};
use harness::report::file::OutFile;
use harness::sim::Model;

use crate::output::{self, Stop};
use crate::simulate;
use crate::system::{NodeKind, System};

/// Tests up to which each has its line without `--each`.
const EACH: usize = 50;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Litmus tests: `.litmus` texts of X86_64 or RISCV, or `.jsonl` collections of them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The nodes: in order (sc), or with a store buffer (tso).
    #[arg(long, value_enum, default_value_t = NodeKind::Sc)]
    node: NodeKind,
    /// The model whose final states are allowed; by default that of the nodes.
    #[arg(long, value_enum)]
    model: Option<NodeKind>,
    /// Runs of each test; with 0 the allowed final states are enumerated and nothing is run.
    #[arg(long, value_name = "N", default_value_t = 100)]
    runs: u32,
    /// Only tests whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only tests of so many threads.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    system: System,
    /// The seed that decides everything random; the same seed gives the same runs.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Make the runs of one batch only, for instance one that has shown a violation.
    #[arg(long, value_name = "B")]
    batch: Option<usize>,
    /// Batches to run side by side, each in a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    jobs: u32,
    /// Leave the checkers of protocol and data out; final states are compared all the same.
    #[arg(long)]
    no_checks: bool,
    /// Print a line for each test, however many they are, and each that is not supported.
    #[arg(long)]
    each: bool,
    /// Write what was seen of each test as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the tests and reports.
pub fn run(args: &Args) -> Result<(), Stop> {
    let mut collection = Collection::default();
    for file in &args.files {
        let read = collection.read(file);
        read.map_err(|error| Stop::Input(error.to_string()))?;
    }
    if let Some(only) = &args.only {
        let tests = &mut collection.tests;
        tests.retain(|(test, _)| test.name.contains(only));
        collection
            .refused
            .retain(|refused| refused.name.contains(only));
    }
    if let Some(threads) = args.threads {
        let tests = &mut collection.tests;
        tests.retain(|(test, _)| test.threads.len() == threads);
    }
    let json = args.json.as_deref().map(OutFile::create).transpose();
    let json = json.map_err(Stop::Input)?;
    let bar = simulate::progress(collection.tests.len() as u64, "tests enumerated");
    let (tests, refused) = collection.prepare(|| bar.inc(1));
    bar.finish_and_clear();

    let nodes: MemoryModel = args.node.into();
    let config = args.system.config();
    config.check().map_err(Stop::Input)?;
    let setup = Setup {
        config,
        nodes,
        model: args.model.map_or(nodes, MemoryModel::from),
        switch: Model::Rtl(Variant::Fast),
        runs: args.runs,
        seed: args.seed,
        checks: !args.no_checks,
    };
    let campaign = Campaign::new(&tests, setup).map_err(Stop::Input)?;
    let begin = Instant::now();
    let batches = simulate_batches(&campaign, args)?;
    let elapsed = begin.elapsed();

    let summary = Summary::new(&campaign, &refused, batches);
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&summary).map_err(|e| Stop::Failure(e.to_string()));
        file.write(text?.as_bytes()).map_err(Stop::Failure)?;
    }
    let mut text = String::new();
    if args.each || summary.tests.len() <= EACH {
        text += &summary.lines();
        for refused in &refused {
            text += &format!("not supported: {}\n", refused.error);
        }
    }
    text += &summary.totals();
    if summary.runs > 0 {
        let rate = summary.runs as f64 / elapsed.as_secs_f64();
        text += &format!("{:.1} s, {rate:.0} runs a second\n", elapsed.as_secs_f64());
    }
    output::print(&text)?;
    conclude(&summary, args)
}

/// Runs the batches, side by side if that is wanted, and gives their results in order.
fn simulate_batches(campaign: &Campaign<'_>, args: &Args) -> Result<Vec<Batch>, Stop> {
    let wanted: Vec<usize> = match args.batch {
        Some(batch) if batch >= campaign.batches() => {
            return Err(Stop::Input(format!(
                "there is no batch {batch}; these tests make batches 0 to {}",
                campaign.batches().saturating_sub(1)
            )));
        }
        Some(batch) => vec![batch],
        None => (0..campaign.batches()).collect(),
    };
    let bar = simulate::progress(campaign.runs(), "runs");
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Batch, Failure>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                while let Some(&batch) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = campaign.run(batch);
                    bar.inc(result.as_ref().map_or(0, |batch| batch.runs));
                    if result.is_err() {
                        next.store(wanted.len(), Ordering::Relaxed);
                    }
                    if let Ok(mut results) = results.lock() {
                        results.push((batch, result));
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|&(batch, _)| batch);
    let fail = |batch: usize, failure: &Failure| match simulate::stop(failure) {
        Stop::Failure(text) => {
            let again = replay(args, batch);
            Stop::Failure(format!("batch {batch}: {text}\nto see it again: {again}"))
        }
        other => other,
    };
    (results.into_iter())
        .map(|(batch, result)| result.map_err(|failure| fail(batch, &failure)))
        .collect()
}

/// The command that makes the runs of a batch again.
fn replay(args: &Args, batch: usize) -> String {
    match args.batch {
        Some(_) => simulate::command_line(),
        None => format!("{} --batch {batch}", simulate::command_line()),
    }
}

/// What the command says of forbidden states, and of sets that differ from those in the files.
fn conclude(summary: &Summary, args: &Args) -> Result<(), Stop> {
    if let Some(seen) = summary.violations.first() {
        let mut text = format!(
            "{}: the final state {} is forbidden\n",
            seen.test, seen.state
        );
        for line in &seen.story {
            text += &format!("  {line}\n");
        }
        let others = summary.violations.len() - 1;
        if others > 0 {
            text += &format!("and {others} more, of which each batch names the first of a test\n");
        }
        let again = replay(args, seen.batch);
        return Err(Stop::Failure(format!("{text}to see it again: {again}")));
    }
    let differs = |test: &&harness::litmus::TestLine| test.as_expected == Some(false);
    match summary.tests.iter().find(differs) {
        None => Ok(()),
        Some(test) => Err(Stop::Failure(format!(
            "{}: the allowed final states are others than the file states",
            test.name
        ))),
    }
}
