//! Random stimuli: seeds, cases, shrinking, and what a failure leaves behind.

use std::path::{Path, PathBuf};

use flits::stimulus::{Stimulus, Tiers};
use harness::dut::Variant;
use harness::fuzz::WINDOW;
use harness::shrink;
use harness::sim::{Model, Outcome, RunOptions, run_stimulus_with};
use proptest::strategy::Strategy;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::oracle;

/// Cycles that a run may take; stalls and hot lines stretch runs, but none this far.
const MAX_CYCLES: u64 = 2_000_000;

/// The system of several chips that tests spread their ports over; 16 ports are four on each leaf.
pub const TIERS: Tiers = Tiers {
    leaves: 4,
    spines: 2,
};

/// Runs that shrinking may take to make a failing stimulus small.
const SHRINK_RUNS: usize = 1500;

/// The seed of the test `name`: `SUPERNODE_SEED`, decimal or hexadecimal after `0x`, or a hash of
/// the name.
///
/// # Panics
/// If `SUPERNODE_SEED` is no number.
pub fn seed(name: &str) -> u64 {
    let seed = match std::env::var("SUPERNODE_SEED") {
        Ok(text) => number(&text).unwrap_or_else(|| {
            panic!("SUPERNODE_SEED is \"{text}\"; give a number, like 7 or 0x7")
        }),
        Err(_) => hash(name),
    };
    println!("{name}: SUPERNODE_SEED={seed:#x}");
    seed
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// FNV-1a, which gives a name the same seed on every machine.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Random cases to try: `cases`, or what `SUPERNODE_CASES` makes of them where that is set.
///
/// # Panics
/// If it is neither a number nor a share.
fn cases(cases: u32) -> u32 {
    match std::env::var("SUPERNODE_CASES") {
        Ok(text) => cases_of(cases, &text).unwrap_or_else(|| {
            panic!("SUPERNODE_CASES is \"{text}\"; give a number, like 500, or a share, like 20%")
        }),
        Err(_) => cases,
    }
}

/// A number of cases, or a share of those that a test has.
fn cases_of(cases: u32, text: &str) -> Option<u32> {
    match text.strip_suffix('%') {
        Some(share) => Some((share.parse::<u32>().ok()?.checked_mul(cases)? / 100).max(1)),
        None => text.parse().ok(),
    }
}

/// Where failing stimuli go.
fn failures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/failures")
}

/// Runs on the switch that the tests are about: the Verilated one, or where `SUPERNODE_MODEL` is
/// `reference` that of the specification.
pub fn options() -> RunOptions {
    let model = match std::env::var("SUPERNODE_MODEL").as_deref() {
        Ok("reference") => Model::Reference,
        _ => Model::Rtl(Variant::Fast),
    };
    RunOptions {
        model,
        max_cycles: MAX_CYCLES,
        ..RunOptions::default()
    }
}

/// Runs on the Verilated switch of 4 ports in which everything is scarce.
pub fn tight() -> RunOptions {
    RunOptions {
        model: Model::Tight,
        ..options()
    }
}

/// Runs a stimulus with every checker, and judges its history with the [oracle].
///
/// # Errors
/// What was found.
pub fn run(stimulus: &Stimulus, options: &RunOptions) -> Result<Outcome, String> {
    let outcome = run_stimulus_with(stimulus, options).map_err(|failure| failure.to_string())?;
    oracle::one_memory(stimulus, &outcome.history)?;
    oracle::some_order(stimulus, &outcome.history)?;
    Ok(outcome)
}

/// Runs `count` stimuli drawn from `strategy` with every checker and the [oracle], and asks
/// `property` of each.
///
/// # Panics
/// With the message of the first failure, after shrinking the stimulus and writing it to
/// `target/failures/NAME.jsonl`.
pub fn check<S: Strategy<Value = Stimulus>>(
    name: &str,
    count: u32,
    options: &RunOptions,
    strategy: &S,
    property: impl Fn(&Stimulus, &Outcome) -> Result<(), String>,
) {
    // A system of six chips takes its time.
    let (name, count) = match options.tiers {
        Some(_) => (format!("{name}_on_two_tiers"), count.div_ceil(2)),
        None => (name.to_owned(), count),
    };
    let judge = |stimulus: &Stimulus| {
        let stimulus = &options.place(stimulus.clone());
        stimulus
            .check()
            .and_then(|()| run(stimulus, options))
            .and_then(|outcome| property(stimulus, &outcome))
    };
    // Stimuli are shrunk as those of any other source.
    let broken = broken(&name, count, 0, strategy, judge);
    if let Some((reason, stimulus)) = broken {
        let same =
            |other: &Stimulus| judge(other).is_err_and(|other| family(&other) == family(&reason));
        let small = shrink::shrink(&options.place(stimulus), SHRINK_RUNS, same).stimulus;
        let reason = judge(&small).err().unwrap_or(reason);
        fail(&name, options, &reason, &small);
    }
}

/// The family of the check that a sentence comes from; empty for a property's own.
fn family(reason: &str) -> &str {
    let of_check = reason.strip_prefix("cycle ");
    let family = of_check.and_then(|reason| reason.split(": ").nth(1));
    family.unwrap_or_default()
}

/// Asks `property` of `count` values drawn from `strategy`, or of as many as `SUPERNODE_CASES` says.
/// The first for which it does not hold is returned, shrunk, with the reason.
///
/// # Panics
/// If the strategy gives up.
pub fn first_broken<S: Strategy>(
    name: &str,
    count: u32,
    strategy: &S,
    property: impl Fn(&S::Value) -> Result<(), String>,
) -> Option<(String, S::Value)> {
    broken(name, count, SHRINK_RUNS as u32, strategy, property)
}

fn broken<S: Strategy>(
    name: &str,
    count: u32,
    shrink_runs: u32,
    strategy: &S,
    property: impl Fn(&S::Value) -> Result<(), String>,
) -> Option<(String, S::Value)> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed(name).to_le_bytes());
    let config = Config {
        cases: cases(count),
        max_shrink_iters: shrink_runs,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        property(&value).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
        Err(TestError::Fail(reason, value)) => Some((reason.message().to_owned(), value)),
    }
}

/// Ends the test `name`: writes the stimulus and says what broke and how to see it again.
///
/// # Panics
/// Always.
pub fn fail(name: &str, options: &RunOptions, reason: &str, stimulus: &Stimulus) -> ! {
    let file = format!("target/failures/{name}.jsonl");
    let path = failures().join(format!("{name}.jsonl"));
    let kept = std::fs::create_dir_all(failures())
        .map_err(|error| error.to_string())
        .and_then(|()| stimulus.write(&path).map_err(|error| error.to_string()));
    if let Err(error) = kept {
        panic!(
            "{name}: {reason}\n(the stimulus could not be kept: {error})\n{}",
            stimulus.to_text()
        );
    }
    let how = match options.model {
        // Of the tight chips of two tiers, no model has waves.
        Model::Tight if stimulus.config.tiers.is_some() => "--model tight".to_owned(),
        Model::Tight => format!("--model tight --vcd {name}.vcd --window {WINDOW}"),
        Model::Reference => "--model reference".to_owned(),
        Model::Rtl(_) => format!("--vcd {name}.vcd --window {WINDOW}"),
    };
    panic!(
        "{name}: {reason}\n\
         shrunk to {} operations: {file}\n\
         see it: supernode replay {file} {how}",
        stimulus.steps.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_of_a_name_is_the_same_everywhere() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(
            (number("12"), number("0xc"), number("c")),
            (Some(12), Some(12), None)
        );
    }

    #[test]
    fn cases_are_a_number_or_a_share() {
        let texts = ["500", "20%", "1%", "", "20 %", "%"];
        assert_eq!(
            texts.map(|text| cases_of(60, text)),
            [Some(500), Some(12), Some(1), None, None, None]
        );
    }

    #[test]
    fn the_family_of_a_failure_is_that_of_its_check() {
        assert_eq!(family("cycle 310: coherence: node 1: I to UD"), "coherence");
        assert_eq!(family("3 faulty packets, but 2 errors: no"), "");
    }
}
