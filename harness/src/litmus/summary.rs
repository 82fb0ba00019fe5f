//! What people read of a campaign.

use super::collection::{Prepared, Refused};
use super::explore::MemoryModel;
use super::run::{Batch, Campaign, Tally, Violation};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What was seen in a campaign.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The nodes: `sc` in order, `tso` with store buffers.
    pub nodes: &'static str,
    /// The model whose final states are allowed.
    pub model: &'static str,
    /// The seed.
    pub seed: u64,
    /// Runs of each test.
    pub runs_per_test: u32,
    /// Runs made.
    pub runs: u64,
    /// Clock cycles simulated, of all systems.
    pub cycles: u64,
    /// Each test.
    pub tests: Vec<TestLine>,
    /// Tests that are not supported, by reason.
    pub refused: BTreeMap<String, usize>,
    /// Everything forbidden that was seen.
    pub violations: Vec<Seen>,
}

/// What was seen of a test.
#[derive(Debug, Clone, Serialize)]
pub struct TestLine {
    /// Its name.
    pub name: String,
    /// Its threads.
    pub threads: usize,
    /// Runs whose final state counts.
    pub runs: u64,
    /// Final states that the model allows.
    pub allowed: usize,
    /// Allowed final states that were seen.
    pub seen: usize,
    /// Runs that ended in a state that is not allowed.
    pub forbidden: u64,
    /// Final states that total store order allows and sequential consistency does not.
    pub tso_only: usize,
    /// Those of them that were seen.
    pub tso_only_seen: usize,
    /// Whether the file states the same allowed sets; absent if it states none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_expected: Option<bool>,
    /// Runs that ended in each state.
    pub states: BTreeMap<String, u64>,
}

/// A final state that is not allowed.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// The test.
    pub test: String,
    /// The final state.
    pub state: String,
    /// The batch that shows it again.
    pub batch: usize,
    /// What each node did, a line each.
    pub story: Vec<String>,
}

impl MemoryModel {
    /// Its name in commands: `sc` or `tso`.
    pub fn name(self) -> &'static str {
        match self {
            MemoryModel::Sc => "sc",
            MemoryModel::Tso => "tso",
        }
    }
}

impl Summary {
    /// The summary of a campaign's batches, in any order; `refused` tests are counted.
    pub fn new(campaign: &Campaign<'_>, refused: &[Refused], batches: Vec<Batch>) -> Self {
        let (mut runs, mut cycles) = (0, 0);
        let mut tallies = vec![Tally::default(); campaign.tests().len()];
        for batch in batches {
            runs += batch.runs;
            cycles += batch.cycles;
            for (index, tally) in batch.tallies {
                tallies[index].add(tally);
            }
        }
        let setup = campaign.setup();
        let tests = campaign.tests().iter().zip(&tallies);
        let violations = tests.clone().flat_map(|(prepared, tally)| {
            let seen = |violation: &Violation| Seen {
                test: prepared.test.name.clone(),
                state: violation.state.clone(),
                batch: violation.batch,
                story: violation.story.clone(),
            };
            tally.violations.iter().map(seen)
        });
        Summary {
            nodes: setup.nodes.name(),
            model: setup.model.name(),
            seed: setup.seed,
            runs_per_test: setup.runs,
            runs,
            cycles,
            violations: violations.collect(),
            tests: tests
                .map(|(prepared, tally)| TestLine::new(prepared, tally, setup.model))
                .collect(),
            refused: Refused::classes(refused),
        }
    }

    /// Runs that ended in a state that is not allowed.
    pub fn forbidden(&self) -> u64 {
        self.tests.iter().map(|test| test.forbidden).sum()
    }

    /// Tests of which a state was seen that only total store order allows, and tests that have one;
    /// of tests with `threads` threads, or of all.
    pub fn tso_only(&self, threads: Option<usize>) -> (usize, usize) {
        let having = |test: &&TestLine| {
            test.tso_only > 0 && threads.is_none_or(|threads| test.threads == threads)
        };
        let tests = self.tests.iter().filter(having);
        let seen = tests.clone().filter(|test| test.tso_only_seen > 0).count();
        (seen, tests.count())
    }

    /// A line for each test.
    pub fn lines(&self) -> String {
        let width = self.tests.iter().map(|test| test.name.len()).max();
        let width = width.unwrap_or(0).max("test".len());
        let mut text = format!(
            "{:width$}  threads   runs  seen/allowed  TSO-only seen  forbidden\n",
            "test"
        );
        for test in &self.tests {
            let seen = format!("{}/{}", test.seen, test.allowed);
            let only = match test.tso_only {
                0 => "-".to_owned(),
                all => format!("{}/{all}", test.tso_only_seen),
            };
            let _ = writeln!(
                text,
                "{:width$}  {:7}  {:5}  {seen:>12}  {only:>13}  {:9}",
                test.name, test.threads, test.runs, test.forbidden
            );
        }
        text
    }

    /// The totals, a line each.
    pub fn totals(&self) -> String {
        let sum = |of: fn(&TestLine) -> usize| -> usize { self.tests.iter().map(of).sum() };
        let mut text = format!(
            "{} tests run {} times each on {} nodes, compared with {}: {} runs in {} cycles\n",
            self.tests.len(),
            self.runs_per_test,
            self.nodes,
            self.model,
            self.runs,
            self.cycles
        );
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "  {name:<42} {value}");
        };
        for (class, count) in &self.refused {
            line("not supported", format!("{count} ({class})"));
        }
        let stated = self.tests.iter().filter_map(|test| test.as_expected);
        if stated.clone().count() > 0 {
            let equal = stated.clone().filter(|&equal| equal).count();
            let differ = stated.count() - equal;
            line(
                "allowed sets equal to those in the files",
                format!("{equal}, {differ} differ"),
            );
        }
        if self.runs > 0 {
            let (seen, allowed) = (sum(|test| test.seen), sum(|test| test.allowed));
            line("allowed final states seen", share(seen, allowed));
            let (seen, only) = (sum(|test| test.tso_only_seen), sum(|test| test.tso_only));
            line("final states of TSO only, seen", share(seen, only));
            let (seen, having) = self.tso_only(None);
            line(
                "tests that showed one, of those with any",
                share(seen, having),
            );
            let (seen, having) = self.tso_only(Some(2));
            line("  those of two threads", share(seen, having));
            line("forbidden final states", self.forbidden().to_string());
        }
        text
    }
}

fn share(part: usize, all: usize) -> String {
    match all {
        0 => "none there".to_owned(),
        _ => {
            let percent = 100.0 * part as f64 / all as f64;
            format!("{part} of {all} ({percent:.1} %)")
        }
    }
}

impl TestLine {
    fn new(prepared: &Prepared, tally: &Tally, model: MemoryModel) -> Self {
        let Prepared {
            test,
            sc,
            tso,
            as_expected,
        } = prepared;
        let allowed = match model {
            MemoryModel::Sc => sc,
            MemoryModel::Tso => tso,
        };
        let seen: BTreeSet<_> = tally.seen.keys().collect();
        let only = || tso.difference(sc);
        TestLine {
            name: test.name.clone(),
            threads: test.threads.len(),
            runs: tally.seen.values().sum(),
            allowed: allowed.len(),
            seen: allowed.iter().filter(|state| seen.contains(state)).count(),
            forbidden: tally.forbidden,
            tso_only: only().count(),
            tso_only_seen: only().filter(|state| seen.contains(state)).count(),
            as_expected: *as_expected,
            states: (tally.seen.iter())
                .map(|(state, runs)| (test.state(state), *runs))
                .collect(),
        }
    }
}

impl Tally {
    /// Adds what another batch has seen.
    fn add(&mut self, other: Tally) {
        for (state, runs) in other.seen {
            *self.seen.entry(state).or_default() += runs;
        }
        self.forbidden += other.forbidden;
        self.violations.extend(other.violations);
    }
}
