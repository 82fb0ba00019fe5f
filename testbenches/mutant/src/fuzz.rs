//! Fuzzing a model with a fault, guided and at random.

use harness::Failure;
use harness::fuzz::{Finding, Progress, Settings, Target, WINDOW, run};
use std::ops::Range;
use std::path::Path;

/// What has the fault.
pub struct Faulty {
    /// It, to be fuzzed.
    pub target: fn() -> Result<Box<dyn Target>, Failure>,
    /// What is wrong with a finding on the model with waves, of which these cycles go to a file.
    pub again: fn(&Finding, &Path, Range<u64>) -> Option<Failure>,
}

/// Says after how many inputs each search of each seed found the fault, and what the smallest is. In the
/// folder that SUPERNODE_MUTANT_WAVES names goes the smallest finding of the guided search with the
/// waveform of the cycles before it.
pub fn search(faulty: &Faulty, name: &str, execs: &str, seeds: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let (execs, seeds) = (number(execs)?, number(seeds)?);
    for guided in [true, false] {
        let mut inputs = Vec::new();
        let mut smallest = None;
        for seed in 1..=seeds {
            let found = first(faulty, seed, execs, guided)?;
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
                show(faulty, &finding, &Path::new(&folder).join(name))?;
            }
        }
    }
    Ok(())
}

/// Writes the stimulus of a finding, and the waveform of the cycles before it on the broken RTL, to
/// `path` with the endings of both.
fn show(faulty: &Faulty, finding: &Finding, path: &Path) -> Result<(), String> {
    let end = finding.failure.cycle + 1;
    let file = path.with_extension("jsonl");
    let written = finding.stimulus.write(&file);
    written.map_err(|error| error.to_string())?;
    let window = end.saturating_sub(WINDOW)..end;
    let at = |failure: &Failure| (failure.kind, failure.cycle);
    match (faulty.again)(finding, &path.with_extension("vcd"), window) {
        // An assertion is named by where it stands in the model, and models differ in that.
        Some(failure) if at(&failure) == at(&finding.failure) => Ok(()),
        Some(other) => Err(format!("with waves it is another failure: {other}")),
        None => Err("with waves it does not fail".into()),
    }
}

/// The first finding of a campaign.
fn first(faulty: &Faulty, seed: u64, execs: u64, guided: bool) -> Result<Option<Finding>, String> {
    let mut target = (faulty.target)().map_err(|failure| failure.to_string())?;
    let settings = Settings {
        guided,
        ..Settings::of(seed, execs)
    };
    let none = |progress: &Progress| progress.findings == 0;
    Ok(run(target.as_mut(), &settings, none)?.findings.pop())
}
