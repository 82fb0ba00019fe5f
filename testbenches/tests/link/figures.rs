//! What a link costs when nothing goes wrong.

use harness::dut::Variant;
use harness::link::{Pair, Run, Traffic};

#[test]
fn nine_of_ten_link_words_are_payload_in_transfers_of_256_bytes() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    // A header and 16 words of payload, in both directions at once, of one class and of all.
    for classes in [1 << 4, 0x1f] {
        let run = Run {
            seed: 1,
            traffic: Traffic {
                packet_words: 17,
                classes,
                ..Traffic::default()
            },
            cycles: 3000,
            warmup: 500,
            ..Run::default()
        };
        let counts = pair.run(&run).unwrap_or_else(|failure| panic!("{failure}"));
        let slots = 2 * counts.cycles;
        let payload = counts.cable.delivered * 16 / 17;
        assert!(
            payload * 10 >= slots * 9,
            "{payload} of {slots} words, classes {classes:#x}"
        );
    }
}

#[test]
fn a_word_takes_one_cycle_in_each_end() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    assert_eq!(pair.latency(0).expect("the link works"), 2);
    assert_eq!(pair.latency(7).expect("the link works"), 9);
}
