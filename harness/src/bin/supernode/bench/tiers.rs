//! `supernode bench tiers`.

use clap::value_parser;
use harness::bench::shape::Shape;
use harness::bench::tiers::{Settings, sheet};

use super::{Files, measured};
use crate::output::Stop;
use crate::system;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The systems, with commas between: a number of ports for one switch, or leaves, devices on each
    /// and spines, like 4x4x2.
    #[arg(long, value_name = "S", value_delimiter = ',', default_value = "16,4x4x2,8x8x4", value_parser = shape)]
    systems: Vec<Shape>,
    /// Random loads of each node.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = value_parser!(u64).range(1..))]
    loads: u64,
    /// Loads that a node has in flight at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u64).range(1..=64))]
    in_flight: u64,
    /// Requests of the key/value workload.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    requests: u32,
    /// The seed that decides everything random; the same seed gives the same figures.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    files: Files,
}

/// Reads a system.
fn shape(text: &str) -> Result<Shape, String> {
    let numbers: Vec<Result<usize, _>> = text.split('x').map(str::parse).collect();
    match numbers[..] {
        [Ok(_)] => system::ports(text).map(Shape::Single),
        [Ok(leaves), Ok(devices), Ok(spines)] => Ok(Shape::Tiers(leaves, devices, spines)),
        _ => Err("write 16 for a switch, 4x4x2 for 4 leaves with 4 devices and 2 spines".into()),
    }
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let settings = Settings {
        shapes: args.systems.clone(),
        loads: args.loads,
        in_flight: args.in_flight,
        requests: args.requests as usize,
        seed: args.seed,
    };
    measured(&args.files, |command, progress| {
        sheet(&settings, command, progress)
    })
}
