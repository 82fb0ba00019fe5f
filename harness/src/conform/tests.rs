use super::*;
use crate::dut::{Variant, home_alone};
use crate::protocol::{Directory, HomeIn, HomeLine, NodeSet};
use flits::Opcode;

/// A campaign short enough for a test.
const SHORT: Effort = Effort {
    delays: 2,
    operations: 400,
    seed: 1,
};

/// Pairs of homes and nodes that this campaign meets: the same every time, and never fewer.
const LEAST: usize = 176;

fn home() -> Alone {
    Alone::new(home_alone(Variant::Fast).expect("a model")).expect("a home after reset")
}

#[test]
fn the_pairs_that_the_models_reach_are_met_in_the_switch() {
    let met = named(&campaign(SHORT, |_, _| {}).expect("no violation"));
    assert!(met.len() >= LEAST, "{} pairs are met", met.len());
}

#[test]
fn every_pair_that_models_of_a_line_reach_is_met_on_the_home_alone() {
    let models = small().filter(|named| named.config.lines == 1);
    let traces = traces(models).expect("models that can be explored");
    let reachable = traces
        .iter()
        .flat_map(|trace| trace.pairs.clone())
        .collect();
    let mut alone = home();
    let runs = traces.into_iter().map(Run::Trace);
    if let Err(found) = Tour::default().go(&mut alone, runs) {
        panic!("{found}");
    }
    let pairs = compare(&reachable, &alone.pairs(), &Pairs::default());
    for (pair, about) in pairs {
        assert!(about.is_met(), "never: {pair}");
    }
}

#[test]
fn random_messages_in_random_order_are_taken_as_the_specification_takes_them() {
    let mut alone = home();
    let runs = (0..300).map(|seed| Run::Random { seed, length: 400 });
    if let Err(found) = Tour::default().go(&mut alone, runs) {
        panic!("{found}");
    }
}

#[test]
fn the_same_bytes_are_the_same_run() {
    let run = |alone: &mut Alone| {
        scramble(alone, &bytes_of(7, 500)).expect("no failure");
        (alone.cycles(), alone.story())
    };
    let mut alone = home();
    let first = run(&mut alone);
    scramble(&mut alone, &bytes_of(8, 100)).expect("no failure");
    assert_eq!(run(&mut alone), first);
    assert_eq!(run(&mut home()), first);
}

#[test]
fn a_pair_is_seen_from_the_requester() {
    use crate::agents::LineBytes;
    let mut met = Pairs::default();
    let line: HomeLine<LineBytes> = HomeLine {
        directory: Directory::Shared(NodeSet(0b110)),
        transaction: None,
    };
    for src in [0, 1, 2] {
        let input = HomeIn::Request {
            op: Opcode::CleanUnique,
            src,
            may_write: true,
            data: None,
        };
        met.home(&line, &input);
    }
    let seen: Vec<String> = (named(&met).into_iter())
        .map(|(pair, times)| format!("{pair}: {times}"))
        .collect();
    assert_eq!(
        seen,
        [
            "home | Shared S | CleanUnique: 1",
            "home | Shared S + r | CleanUnique: 2"
        ]
    );
}
