//! `supernode bench sim`.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use clap::value_parser;
use harness::Failure;
use harness::sim::Supernode;
use harness::sim::bench::{Speed, bench};
use harness::workload::sample;

use crate::kv::{self, ports};
use crate::output::{self, Stop};
use crate::simulate;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Requests of the built-in sample that are served.
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = value_parser!(u32).range(1..))]
    requests: u32,
    /// Ports of the switch: 4, 8 or 16.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = ports)]
    ports: usize,
    /// Without the checkers.
    #[arg(long)]
    no_checks: bool,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Stop> {
    let builder = Supernode::builder()
        .ports(args.ports)
        .seed(1)
        .checks(!args.no_checks);
    let planned = builder
        .clone()
        .build()
        .map_err(|failure| simulate::stop(&failure))?;
    let trace = sample::chat(args.requests as usize);
    let workload = kv::plan(&trace, kv::LAYOUT, &planned).map_err(Stop::Input)?;
    drop(planned);

    let wrong: Rc<RefCell<Option<Failure>>> = Rc::default();
    let compared = bench(&builder, |sys| {
        let (workload, wrong) = (workload.clone(), wrong.clone());
        async move {
            if let Err(failure) = workload.run(sys, |_| {}).await {
                wrong.borrow_mut().get_or_insert(failure);
            }
        }
    });
    let compared = compared.map_err(|failure| simulate::stop(&failure))?;
    if let Some(failure) = wrong.take() {
        return Err(Stop::Failure(failure.to_string()));
    }

    let checks = if args.no_checks {
        "no checks"
    } else {
        "all checks"
    };
    let program = format!("key/value workload, {checks}");
    let mut text = format!(
        "{} requests on {} ports, processor time\n",
        trace.requests.len(),
        args.ports
    );
    for (name, Speed { cycles, seconds }) in [
        (program.as_str(), compared.program),
        ("model alone, the same words", compared.repeated),
        ("model alone, random packets", compared.random),
    ] {
        let speed = cycles as f64 / seconds;
        let _ = writeln!(
            text,
            "  {name:<34}{speed:>10.0} cycles/s  ({cycles} in {seconds:.2} s)"
        );
    }
    for (name, ratio) in [
        ("ratio to the same words", compared.of_repeated()),
        ("ratio to random packets", compared.of_random()),
    ] {
        let _ = writeln!(text, "  {name:<34}{ratio:>10.2}");
    }
    output::print(&text)
}
