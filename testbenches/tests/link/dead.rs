//! Cut wires: a short cut is made up for, a long one is found in bounded time at both ends.

use flits::stimulus::{Outage, Way};
use harness::dut::Variant;
use harness::link::{LinkErrors, Pair, Run};

/// Cycles until both ends have given a cut link up: loss is noticed, training is in vain. At worst
/// one end trains in vain first and is silent from then on, and only then the other end notices.
const BOUND: u64 = 256 + 2 * 1024 + 64;

fn cut(way: Option<Way>, from: u64, to: Option<u64>) -> Run {
    Run {
        seed: 3,
        cycles: 4000,
        errors: LinkErrors {
            outages: vec![Outage {
                way,
                from,
                to,
                ..Outage::default()
            }],
            ..LinkErrors::default()
        },
        ..Run::default()
    }
}

#[test]
fn a_cut_link_is_dead_at_both_ends_in_bounded_time() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    for way in [None, Some(Way::Up), Some(Way::Down)] {
        // From the first cycle, in training, and in the middle of everything.
        for from in [0, 2, 500] {
            let run = cut(way, from, None);
            let dead = pair
                .run_until_dead(&run, 5000)
                .unwrap_or_else(|failure| panic!("{failure}"));
            for (end, cycle) in dead.into_iter().enumerate() {
                let cycle = cycle.unwrap_or_else(|| panic!("end {end} lives, {way:?} {from}"));
                assert!(
                    cycle <= from + BOUND,
                    "end {end} in cycle {cycle}, {way:?} {from}"
                );
            }
        }
    }
}

#[test]
fn a_cut_that_ends_in_time_costs_nothing_but_time() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    for way in [None, Some(Way::Up), Some(Way::Down)] {
        for length in [1, 10, 100, 300, 1000] {
            let counts = pair
                .run(&cut(way, 500, Some(500 + length)))
                .unwrap_or_else(|failure| panic!("{way:?} for {length} cycles: {failure}"));
            let lost = length > 256;
            assert_eq!(
                counts.cable.retrainings != 0,
                lost,
                "{way:?} for {length} cycles"
            );
        }
    }
}
