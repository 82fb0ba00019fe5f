//! P10 of one link: whatever happens on the wires, short of a dead link, each core sees the words
//! and credits of the other, in order, once.

use flits::Class;
use flits::stimulus::{MAX_BURST, MAX_DISPLACED, MAX_FLIPPED, Outage, Way};
use harness::dut::Variant;
use harness::link::{Counts, LinkErrors, OUTAGE, Pair, Run, Traffic};
use proptest::prelude::*;
use std::cell::RefCell;
use testbenches::property::first_broken;

/// Cycles of errors in a run.
const CYCLES: u64 = 700;

/// A rate: mostly small or none, sometimes one word in eight.
fn ppm() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0u32), 2 => 0..5_000u32, 1 => 0..125_000u32]
}

fn outage(cycles: u64) -> impl Strategy<Value = Outage> {
    let way = prop_oneof![Just(None), Just(Some(Way::Up)), Just(Some(Way::Down))];
    let class = prop::option::of(prop::sample::select(&Class::ALL[..]));
    (way, class, 0..cycles, 1..=OUTAGE).prop_map(|(way, stuck_credit, from, length)| Outage {
        stuck_credit,
        cable: None,
        way,
        from,
        to: Some(from + length),
    })
}

/// Everything that can go wrong on wires, short of a dead link; outages begin in the first `cycles`.
pub fn errors(cycles: u64) -> impl Strategy<Value = LinkErrors> {
    let flips = (ppm(), 1..=MAX_FLIPPED, ppm(), 1..=MAX_BURST);
    let places = (ppm(), ppm(), ppm(), 1..=MAX_DISPLACED);
    let outages = prop::collection::vec(outage(cycles), 0..=2);
    (any::<u64>(), 0..=20u32, flips, places, outages).prop_map(
        |(seed, delay, flips, places, outages)| LinkErrors {
            seed,
            delay,
            flipped_ppm: flips.0,
            flipped_bits: flips.1,
            burst_ppm: flips.2,
            burst_bits: flips.3,
            lost_ppm: places.0,
            repeated_ppm: places.1,
            displaced_ppm: places.2,
            displaced_words: places.3,
            outages,
            hits: Vec::new(),
        },
    )
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let permille = || prop_oneof![1 => Just(1000u16), 1 => 20..1000u16];
    let classes = prop_oneof![2 => Just(0x1fu8), 1 => 1..0x20u8];
    let words = prop_oneof![2 => Just(0u32), 1 => 1..=17u32];
    (1..=32u16, permille(), permille(), classes, words).prop_map(
        |(depth, send_permille, take_permille, classes, packet_words)| Traffic {
            depth,
            send_permille,
            take_permille,
            classes,
            packet_words,
        },
    )
}

fn runs() -> impl Strategy<Value = Run> {
    (any::<u64>(), traffic(), errors(CYCLES)).prop_map(|(seed, traffic, errors)| Run {
        seed,
        traffic,
        errors,
        cycles: CYCLES,
        warmup: 0,
    })
}

/// Runs `count` patterns on `pair`.
fn check(name: &str, count: u32, pair: Pair, runs: &impl Strategy<Value = Run>) -> Counts {
    let state = RefCell::new((pair, Counts::default()));
    let broken = first_broken(name, count, runs, |run| {
        let (pair, sum) = &mut *state.borrow_mut();
        *sum += pair.run(run).map_err(|failure| failure.to_string())?;
        Ok(())
    });
    if let Some((reason, run)) = broken {
        panic!("{name}: {reason}\n{run:#?}");
    }
    let (_, sum) = state.into_inner();
    println!("{name}: {sum:?}");
    sum
}

#[test]
fn p10_no_pattern_of_errors_loses_repeats_or_tears_anything() {
    let pair = Pair::new(Variant::Fast).expect("the model is built");
    let name = "p10_no_pattern_of_errors_loses_repeats_or_tears_anything";
    let sum = check(name, 2000, pair, &runs());
    // The patterns have met everything that the link has to make up for.
    let met = [
        sum.cable.wire.corrupted,
        sum.cable.wire.lost,
        sum.cable.wire.repeated,
        sum.cable.wire.displaced,
        sum.cable.crc_errors,
        sum.cable.replays,
        sum.cable.timeouts,
        sum.cable.retrainings,
    ];
    assert!(!met.contains(&0), "{sum:?}");
}

#[test]
fn p10_holds_when_sequence_numbers_wrap_all_the_time() {
    // The window is the modulus less one, so that the wire must keep the order of words.
    let runs = runs().prop_map(|mut run| {
        run.errors.displaced_ppm = 0;
        run
    });
    let pair = Pair::tight(Variant::Fast).expect("the model is built");
    let name = "p10_holds_when_sequence_numbers_wrap_all_the_time";
    let sum = check(name, 1000, pair, &runs);
    assert!(sum.cable.replays != 0 && sum.cable.timeouts != 0, "{sum:?}");
}
