//! The project's litmus tests on the switch.

use flits::stimulus::Config;
use harness::dut::Variant;
use harness::litmus::{Campaign, Collection, MemoryModel, Prepared, Quantifier, Setup, Summary};
use harness::sim::Model;
use std::path::{Path, PathBuf};
use testbenches::property;

/// Runs of each test on one switch, and on two tiers.
const RUNS: u32 = 120;
const RUNS_ON_TIERS: u32 = 48;

/// The files, in the order of their names.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("litmus");
    let entries = folder.read_dir().expect("the folder of the tests");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "litmus")
    });
    files.sort();
    files
}

fn tests() -> Vec<Prepared> {
    let mut collection = Collection::default();
    for file in files() {
        collection
            .read(&file)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let (tests, refused) = collection.prepare(|| ());
    assert!(refused.is_empty(), "{refused:?}");
    tests
}

fn setup(name: &str, config: Config, nodes: MemoryModel, runs: u32) -> Setup {
    Setup {
        config,
        nodes,
        model: nodes,
        switch: Model::Rtl(Variant::Fast),
        runs,
        seed: property::seed(name),
        checks: true,
    }
}

fn run(tests: &[Prepared], setup: Setup) -> Summary {
    let campaign = Campaign::new(tests, setup).expect("enough processors");
    let batches = (0..campaign.batches()).map(|batch| {
        campaign
            .run(batch)
            .unwrap_or_else(|failure| panic!("batch {batch}: {failure}"))
    });
    let batches = batches.collect();
    let summary = Summary::new(&campaign, &[], batches);
    print!("{}{}", summary.lines(), summary.totals());
    summary
}

/// Nothing forbidden is seen, and in-order nodes have nothing of TSO only.
fn none_forbidden(summary: &Summary) {
    assert!(summary.violations.is_empty(), "{:#?}", summary.violations);
    assert!(summary.tests.iter().all(|test| test.runs > 0));
    if summary.nodes == "sc" {
        assert_eq!(summary.tso_only(None).0, 0);
    }
}

/// Every test of the set that has a final state of TSO only shows it.
fn all_relaxed(summary: &Summary) {
    let silent = summary
        .tests
        .iter()
        .filter(|test| test.tso_only > 0 && test.tso_only_seen == 0);
    let silent: Vec<_> = silent.map(|test| &test.name).collect();
    assert!(silent.is_empty(), "no state of TSO only seen: {silent:?}");
    assert!(summary.tso_only(Some(2)).1 >= 4);
}

#[test]
fn the_set_says_of_itself_what_the_models_allow() {
    for Prepared { test, sc, tso, .. } in &tests() {
        let holds = |state: &Vec<i64>| {
            let value = |item| {
                let at = test.observed.iter().position(|&observed| observed == item);
                state[at.expect("conditions are observed")]
            };
            test.condition.holds(&value)
        };
        let name = &test.name;
        match test.quantifier {
            Quantifier::Exists => assert!(tso.iter().any(holds), "{name}"),
            Quantifier::NotExists => assert!(!tso.iter().any(holds), "{name}"),
            Quantifier::Forall => assert!(tso.iter().all(holds), "{name}"),
        }
        assert!(sc.is_subset(tso), "{name}");
    }
}

#[test]
fn nodes_in_order_are_sequentially_consistent() {
    let setup = setup("litmus_sc", Config::new(8), MemoryModel::Sc, RUNS);
    none_forbidden(&run(&tests(), setup));
}

#[test]
fn nodes_with_store_buffers_show_tso_and_all_of_it() {
    let setup = setup("litmus_tso", Config::new(8), MemoryModel::Tso, RUNS);
    let summary = run(&tests(), setup);
    none_forbidden(&summary);
    all_relaxed(&summary);
}

#[test]
fn nodes_in_order_are_sequentially_consistent_over_two_tiers() {
    let config = Config::tiers(4, 4, 2);
    let setup = setup("litmus_sc_tiers", config, MemoryModel::Sc, RUNS_ON_TIERS);
    none_forbidden(&run(&tests(), setup));
}

#[test]
fn nodes_with_store_buffers_show_tso_over_two_tiers() {
    let config = Config::tiers(4, 4, 2);
    let setup = setup("litmus_tso_tiers", config, MemoryModel::Tso, RUNS_ON_TIERS);
    let summary = run(&tests(), setup);
    none_forbidden(&summary);
    let buffering = summary.tests.iter().find(|test| test.name == "SB");
    assert!(buffering.is_some_and(|test| test.tso_only_seen == 1));
}

#[test]
fn a_forbidden_state_is_found_and_its_batch_shows_it_again() {
    let mut tests = tests();
    tests.retain(|test| ["SB", "SB+mfences"].contains(&&*test.test.name));
    let setup = Setup {
        model: MemoryModel::Sc,
        ..setup("litmus_power", Config::new(8), MemoryModel::Tso, RUNS)
    };
    let summary = run(&tests, setup.clone());
    let [fenced, buffering] = &summary.tests[..] else {
        panic!("two tests, in the order of their names");
    };
    assert!(buffering.forbidden > 0 && fenced.forbidden == 0);
    let seen = summary.violations.first().expect("a violation");
    assert_eq!((&*seen.test, &*seen.state), ("SB", "0:rax=0; 1:rax=0"));
    assert!(
        seen.story
            .iter()
            .any(|line| line.contains("load y gives 0"))
    );

    let campaign = Campaign::new(&tests, setup).expect("enough processors");
    let again = campaign.run(seen.batch).expect("no other violation");
    let again = Summary::new(&campaign, &[], vec![again]);
    let first = again.violations.first().expect("the same violation");
    assert_eq!((&first.state, &first.story), (&seen.state, &seen.story));
}
