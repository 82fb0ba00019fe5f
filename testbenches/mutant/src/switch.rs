//! The tight switch: fuzzing, guided and at random.

use harness::Failure;
use harness::dut::{Variant, rtl};
use harness::fuzz::{Finding, Progress, QUIET_CYCLES, Settings, System, WINDOW, run};
use harness::sim::Supernode;
use harness::topology::Topology;
use std::path::Path;

verilated::model!(mutant_switch);
harness::switch_model!(watched MutantSwitch, 4, |wide| wide as u32);

/// Says after how many inputs each search of each seed found the fault, and what the smallest is. In the
/// folder that SUPERNODE_MUTANT_WAVES names goes the smallest finding of the guided search with the
/// waveform of the cycles before it.
pub fn search(name: &str, execs: &str, seeds: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let (execs, seeds) = (number(execs)?, number(seeds)?);
    for guided in [true, false] {
        let mut inputs = Vec::new();
        let mut smallest = None;
        for seed in 1..=seeds {
            let found = first(seed, execs, guided)?;
            inputs.push(found.as_ref().map_or("-".into(), |f| f.execs.to_string()));
            let size = |finding: &Finding| finding.stimulus.steps.len();
            smallest = smallest.into_iter().chain(found).min_by_key(size);
        }
        let kind = if guided { "guided" } else { "random" };
        let what = smallest.as_ref().map_or("nothing".into(), |finding| {
            let steps = finding.stimulus.steps.len();
            format!("{steps} operations: {}", finding.failure)
        });
        println!("{name:<36} {kind:<7} {:<30} {what}", inputs.join(" "));
        if let Some(finding) = smallest {
            println!("{}", finding.stimulus.to_text());
            if let Some(folder) = std::env::var_os("SUPERNODE_MUTANT_WAVES").filter(|_| guided) {
                show(&finding, &Path::new(&folder).join(name))?;
            }
        }
    }
    Ok(())
}

/// Writes the stimulus of a finding, and the waveform of the cycles before it on the broken RTL, to
/// `path` with the endings of both.
fn show(finding: &Finding, path: &Path) -> Result<(), String> {
    let end = finding.failure.cycle + 1;
    let stimulus = &finding.stimulus;
    let file = path.with_extension("jsonl");
    stimulus.write(&file).map_err(|error| error.to_string())?;
    let switch = rtl::<MutantSwitch>(Variant::Wave).map_err(|error| error.to_string())?;
    let supernode = Supernode::builder()
        .config(stimulus.config.clone())
        .seed(stimulus.seed)
        .quiet_cycles(QUIET_CYCLES)
        .vcd(path.with_extension("vcd"))
        .vcd_cycles(end.saturating_sub(WINDOW)..end)
        .build_on(vec![switch], &Topology::single(4));
    let at = |failure: &Failure| (failure.kind, failure.cycle);
    let seen = supernode.and_then(|mut supernode| supernode.run_stimulus(stimulus));
    match seen {
        // An assertion is named by where it stands in the model, and models differ in that.
        Err(failure) if at(&failure) == at(&finding.failure) => Ok(()),
        Err(other) => Err(format!("with waves it is another failure: {other}")),
        Ok(_) => Err("with waves it does not fail".into()),
    }
}

/// The first finding of a campaign.
fn first(seed: u64, execs: u64, guided: bool) -> Result<Option<Finding>, String> {
    let mutant = || rtl::<MutantSwitch>(Variant::Cov);
    let mut target = System::of(mutant, None, false).map_err(|failure| failure.to_string())?;
    let settings = Settings {
        guided,
        ..Settings::of(seed, execs)
    };
    let none = |progress: &Progress| progress.findings == 0;
    Ok(run(&mut target, &settings, none)?.findings.pop())
}
