//! The tight switch: fuzzing, guided and at random.

use harness::dut::{Variant, rtl};
use harness::fuzz::{Finding, Progress, Settings, Target, run};

verilated::model!(mutant_switch);
harness::switch_model!(watched MutantSwitch, 4, |wide| wide as u32);

/// Says after how many inputs each search of each seed found the fault, and what the smallest is.
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
        }
    }
    Ok(())
}

/// The first finding of a campaign.
fn first(seed: u64, execs: u64, guided: bool) -> Result<Option<Finding>, String> {
    let mutant = || rtl::<MutantSwitch>(Variant::Cov);
    let mut target = Target::of(mutant, None, false).map_err(|failure| failure.to_string())?;
    let settings = Settings {
        guided,
        ..Settings::of(seed, execs)
    };
    let none = |progress: &Progress| progress.findings == 0;
    Ok(run(&mut target, &settings, none)?.findings.pop())
}
