//! Stored stimuli, each of which has found a bug or guards against a known kind.
//!
//! Every file of `testbenches/regressions` is run with all checkers. A shrunk failure is kept by
//! copying it there.

use std::path::{Path, PathBuf};

use flits::stimulus::{Node, Stimulus};
use testbenches::property;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let entries = std::fs::read_dir(&folder).expect("testbenches/regressions");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

fn read(name: &str) -> Stimulus {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("regressions")
        .join(name);
    Stimulus::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_stored_stimulus_runs_without_violations_on_one_switch_and_on_two_tiers() {
    let files = files();
    assert!(files.len() >= 4, "only {} files", files.len());
    for path in files {
        let stimulus = Stimulus::read(&path).unwrap_or_else(|error| panic!("{error}"));
        for tiers in [None, Some(property::TIERS)] {
            if let Err(reason) = property::run(&stimulus, &property::options().on(tiers)) {
                panic!("{} on {tiers:?}: {reason}", path.display());
            }
        }
    }
}

/// The values read by the last operation of nodes 0 and 1, over starts that differ by `skew`.
fn last_reads(stimulus: &Stimulus, skew: i64) -> [u64; 2] {
    let mut stimulus = stimulus.clone();
    stimulus.config.start_skew = vec![0, 0];
    stimulus.config.start_skew[usize::from(skew < 0)] = skew.unsigned_abs();
    let outcome = property::run(&stimulus, &property::options()).unwrap_or_else(|reason| {
        property::fail("regression", &property::options(), &reason, &stimulus)
    });
    [0, 1].map(|node| {
        let reads = outcome.events.iter().filter(|event| event.node == node);
        let last = reads
            .filter_map(|event| event.read.as_ref())
            .next_back()
            .expect("a read");
        u64::from_le_bytes(last[..].try_into().expect("8 bytes"))
    })
}

#[test]
fn message_passing_never_shows_the_flag_without_the_data() {
    let stimulus = read("message_passing.jsonl");
    let mut both = [false; 2];
    for skew in (-300..300).step_by(4) {
        let mut stimulus = stimulus.clone();
        stimulus.config.start_skew = vec![0, 0];
        stimulus.config.start_skew[usize::from(skew < 0)] = i64::unsigned_abs(skew);
        let outcome = property::run(&stimulus, &property::options()).unwrap_or_else(|reason| {
            property::fail("message_passing", &property::options(), &reason, &stimulus)
        });
        let reads: Vec<u8> = outcome
            .events
            .iter()
            .filter_map(|e| e.read.as_ref())
            .map(|r| r[0])
            .collect();
        let [_, _, flag, data] = reads[..] else {
            panic!("four reads, not {reads:?}")
        };
        assert!(
            flag == 0 || data == 42,
            "skew {skew}: flag {flag}, data {data}"
        );
        both[usize::from(flag != 0)] = true;
    }
    assert_eq!(both, [true; 2], "the flag must be seen down and up");
}

#[test]
fn store_buffering_shows_both_old_values_only_with_store_buffers() {
    let in_order = read("store_buffering.jsonl");
    let mut buffered = in_order.clone();
    for node in &mut buffered.config.nodes {
        if let Node::Cached { store_buffer, .. } = node {
            *store_buffer = 4;
        }
    }
    let shown = |stimulus: &Stimulus| (-40..40).any(|skew| last_reads(stimulus, skew) == [0, 0]);
    assert!(
        !shown(&in_order),
        "nodes in order show an outcome that no order of theirs explains"
    );
    assert!(
        shown(&buffered),
        "no store buffer ever let a load pass a store"
    );
}
