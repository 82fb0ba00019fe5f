//! `supernode run kv`.

use std::path::PathBuf;
use std::time::Instant;

use clap::value_parser;
use flits::stimulus::LinkErrors;
use harness::Failure;
use harness::report::{KvFigures, Run};
use harness::sim::Supernode;
use harness::workload::kv::{Kv, Layout};
use harness::workload::sample;
use harness::workload::trace::Trace;

use crate::output::Stop;
use crate::simulate::{self, Checks, Outputs};
use crate::system::System;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Requests in the Mooncake format, one JSON object a line; without it the built-in sample.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Serve only the first N requests.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    requests: Option<u32>,
    #[command(flatten)]
    system: System,
    /// Lines of 64 bytes that stand for a block.
    #[arg(long, value_name = "L", default_value_t = Layout::default().lines_per_block as u32, value_parser = value_parser!(u32).range(1..=65536))]
    lines_per_block: u32,
    /// Requests that each node works on at once.
    #[arg(long, value_name = "N", default_value_t = Layout::default().in_flight as u32, value_parser = value_parser!(u32).range(1..=64))]
    in_flight: u32,
    /// Put a link with CRC and replay on every cable.
    #[arg(long)]
    links: bool,
    /// The share of the words on the wires that is hit by an error of some kind, like 1e-4.
    #[arg(long, value_name = "R", requires = "links", value_parser = rate)]
    word_error_rate: Option<f64>,
    /// The seed that decides everything random; the same seed gives the same cycles.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    outputs: Outputs,
}

/// Reads a share of words.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=0.3).contains(rate));
    rate.ok_or_else(|| "give a number from 0 to 0.3, like 1e-4".to_string())
}

/// Runs the workload and reports.
pub fn run(args: &Args) -> Result<(), Stop> {
    let limit = args.requests.map_or(usize::MAX, |n| n as usize);
    let trace = match &args.trace {
        Some(path) => Trace::open(path, limit).map_err(|e| Stop::Input(e.to_string()))?,
        None => sample::chat(limit),
    };
    let mut config = args.system.config();
    if args.links {
        let ppm = (args.word_error_rate.unwrap_or(0.0) * 1e6).round() as u32;
        config.link_errors = Some(LinkErrors::mixed(ppm, args.seed));
    }
    config.check().map_err(Stop::Input)?;
    let files = args.outputs.prepare(args.system.chips())?;
    let builder = Supernode::builder().config(config).seed(args.seed);
    let mut supernode = (args.checks)
        .on(files.with_waves(builder))
        .build()
        .map_err(|failure| simulate::stop(&failure))?;
    let layout = Layout {
        lines_per_block: args.lines_per_block.into(),
        in_flight: args.in_flight as usize,
    };
    let kv = Kv::on(&trace, layout, &supernode).map_err(Stop::Input)?;

    let begin = Instant::now();
    let outcome = simulate_requests(&mut supernode, kv, trace.requests.len() as u64);
    let (figures, failure) = match outcome {
        Ok(figures) => (Some(figures), None),
        Err(failure) => (None, Some(failure)),
    };
    if args.links {
        println!("links: {}", supernode.link_counts());
    }
    let run = Run {
        command: simulate::command_line(),
        supernode: &mut supernode,
        elapsed: begin.elapsed(),
        kv: figures,
        failure: failure.as_ref(),
    };
    simulate::conclude(run, files, &args.outputs)
}

/// Runs the programs with a progress bar over the requests.
fn simulate_requests(
    supernode: &mut Supernode,
    kv: Kv,
    requests: u64,
) -> Result<KvFigures, Failure> {
    let bar = simulate::progress(requests, "requests");
    let shown = bar.clone();
    let outcome = supernode.run(|sys| kv.run(sys, move |served| shown.set_position(served)));
    bar.finish_and_clear();
    let figures = outcome??;
    supernode.close_vcd()?;
    Ok(figures)
}
