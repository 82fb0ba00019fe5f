//! The fabric alone: throughput, fairness, priorities, and what becomes of every word.
//!
//! Counts of cycles are exact, so the figures are gates. `supernode bench fabric` makes the same
//! measurements over more cycles, for more sizes and loads.

use flits::{Class, Flit, Header, NodeId, Opcode, layout};
use harness::bench::fabric::{
    Delivered, Fabric, Links, Measured, Message, Pattern, Traffic, Window, measure, zero_load,
};
use harness::dut::Variant;
use harness::sim::stream;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use testbenches::property;

const PORTS: usize = 8;
/// Enough cycles that a figure stays within a hundredth of that of the whole method.
const WINDOW: Window = Window {
    cycles: 12_000,
    dropped: 2_000,
};
/// Credits that receivers grant of each class: always more than are under way.
const DEEP: u16 = 64;
/// The `qos` of high priority.
const HIGH: u8 = 8;

fn measured(name: &str, traffic: Traffic) -> Measured {
    measure(PORTS, traffic, WINDOW, property::seed(name)).expect("every word arrives as sent")
}

#[test]
fn a_word_is_through_the_idle_fabric_in_two_cycles() {
    for ports in [4, 8, 16] {
        assert_eq!(zero_load(ports), Ok((2, 2)), "{ports} ports");
    }
}

#[test]
fn packets_of_one_word_pass_at_nine_tenths_of_line_rate() {
    let sat = measured("fabric_sat", Traffic::uniform(1.0, 1)).accepted();
    assert!(sat >= 0.90, "{sat:.3}");
}

#[test]
fn packets_of_four_words_pass_at_nine_tenths_of_line_rate() {
    let sat4 = measured("fabric_sat4", Traffic::uniform(1.0, 4)).accepted();
    assert!(sat4 >= 0.88, "{sat4:.3}");
}

#[test]
fn a_permutation_passes_at_line_rate() {
    let pattern = Pattern::Permutation;
    let traffic = Traffic {
        pattern,
        ..Traffic::uniform(1.0, 1)
    };
    let perm = measured("fabric_perm", traffic).accepted();
    assert_eq!(perm, 1.0);
}

#[test]
fn all_sources_of_a_hot_spot_get_the_same() {
    for flits in [1, 4] {
        let traffic = Traffic {
            pattern: Pattern::HotSpot,
            ..Traffic::uniform(1.0, flits)
        };
        let hot = measured("fabric_hot", traffic);
        let (jain, least) = (hot.jain(), hot.smallest_share());
        assert!(
            jain >= 0.99 && least >= 0.9,
            "Jain {jain:.4}, least {least:.3}"
        );
        let accepted = hot.accepted() * PORTS as f64;
        assert!(accepted > 0.99, "the hot output idles: {accepted:.3}");
    }
}

#[test]
fn half_the_load_waits_for_next_to_nothing() {
    let half = measured("fabric_half", Traffic::uniform(0.5, 1));
    let mean = half.latency.sum() as f64 / half.latency.count() as f64;
    assert!(mean < 4.0, "mean latency {mean:.1}");
}

/// A fabric with all credits granted.
fn links(depth: u16) -> Links {
    let fabric = Fabric::new(PORTS, Variant::Fast).expect("the model");
    let mut links = Links::new(fabric, depth);
    for _ in 0..u64::from(depth).max(80) {
        links.step().expect("nothing is on the links");
    }
    links
}

/// Random packets, each unlike all others.
struct Packets {
    rng: Pcg64Mcg,
    count: u64,
}

impl Packets {
    fn new(name: &str) -> Packets {
        Packets {
            rng: stream(property::seed(name), name),
            count: 0,
        }
    }

    /// A packet of any class but SNP.
    fn plain(
        &mut self,
        links: &Links,
        class: Class,
        outputs: u16,
        words: usize,
        qos: u8,
    ) -> Message {
        self.count += 1;
        let count = u128::from(self.count);
        let mut flits: Vec<Flit> = (0..words as u128)
            .map(|index| Flit::from_u128(count << 64 | index << 32))
            .collect();
        flits[0].set(&layout::QOS, qos.into());
        Message {
            class,
            outputs,
            born: links.cycle(),
            flits,
        }
    }

    /// A snoop of the ports whose bits are set.
    fn snoop(&mut self, links: &Links, input: usize, targets: u16) -> Message {
        self.count += 1;
        let header = Header {
            src: NodeId::port(input as u16),
            addr: self.count << 6,
            targets,
            ..Header::new(Opcode::SnpUnique)
        };
        Message {
            class: Class::Snp,
            outputs: targets,
            born: links.cycle(),
            flits: vec![header.encode()],
        }
    }
}

/// How hard a run is on the fabric.
struct Weather {
    /// An input with a credit sends in a cycle, of 100.
    sends: u32,
    /// A receiver returns a credit of a class in a cycle, of 100.
    returns: u32,
    /// Credits of a receiver.
    depth: u16,
    /// A new packet is a snoop of several, of 100.
    snoops: u32,
    cycles: u64,
}

/// Sends packets of all classes, lengths and priorities from everywhere to everywhere. [`Links`]
/// compares all that comes out with what was sent.
fn storm(packets: &mut Packets, weather: &Weather) -> Result<(u64, u64), harness::Failure> {
    let mut links = links(weather.depth);
    let (mut snoops, mut copies) = (0, 0);
    for _ in 0..weather.cycles {
        for port in 0..PORTS {
            if packets.rng.random_range(0..100) >= weather.sends {
                continue;
            }
            let class = Class::ALL[packets.rng.random_range(0..Class::ALL.len())];
            let class = if packets.rng.random_range(0..100) < weather.snoops {
                Class::Snp
            } else {
                class
            };
            if !links.has_credit(port, class) {
                continue;
            }
            if links.is_under_way(port, class) {
                links.proceed(port, class);
            } else if class == Class::Snp {
                let targets = packets.rng.random_range(1..1 << PORTS);
                let message = packets.snoop(&links, port, targets);
                links.begin(port, message);
                snoops += 1;
                copies += u64::from(targets.count_ones());
            } else {
                let outputs = 1 << packets.rng.random_range(0..PORTS);
                let words = [1, 1, 2, 5, 17][packets.rng.random_range(0..5usize)];
                let qos = if packets.rng.random_bool(0.3) {
                    HIGH
                } else {
                    0
                };
                let message = packets.plain(&links, class, outputs, words, qos);
                links.begin(port, message);
            }
        }
        let rng = &mut packets.rng;
        let returned = |rng: &mut Pcg64Mcg| {
            (0..Class::ALL.len()).fold(0u8, |classes, class| {
                classes | u8::from(rng.random_range(0..100) < weather.returns) << class
            })
        };
        links.step_with(|_| returned(rng))?;
    }
    links.drain(50_000)?;
    let full = (0..50).try_for_each(|_| links.step().map(|_| ()));
    full?;
    let credits = |port, class| links.credits(port, class);
    let first = credits(0, Class::Req);
    for port in 0..PORTS {
        for class in Class::ALL {
            assert_eq!(
                credits(port, class),
                first,
                "credits of input {port}, {class}"
            );
        }
    }
    Ok((snoops, copies))
}

#[test]
fn every_word_arrives_once_and_in_order_whatever_the_receivers_do() {
    let mut packets = Packets::new("fabric_storm");
    for (sends, returns, depth) in [(100, 100, 64), (100, 30, 4), (60, 10, 1), (30, 100, 2)] {
        let weather = Weather {
            sends,
            returns,
            depth,
            snoops: 10,
            cycles: 6_000,
        };
        storm(&mut packets, &weather).expect("every word arrives as sent");
    }
}

#[test]
fn every_target_of_a_snoop_gets_one_copy_in_order() {
    let mut packets = Packets::new("fabric_multicast");
    for (sends, returns, depth) in [(100, 100, 64), (100, 15, 1), (70, 40, 3)] {
        let weather = Weather {
            sends,
            returns,
            depth,
            snoops: 80,
            cycles: 6_000,
        };
        let (snoops, copies) = storm(&mut packets, &weather).expect("every copy arrives");
        assert!(
            snoops > 1000 && copies > 3 * snoops,
            "{snoops} snoops, {copies} copies"
        );
    }
}

#[test]
fn a_snoop_goes_to_all_idle_outputs_at_once() {
    let mut links = links(DEEP);
    let mut packets = Packets::new("fabric_broadcast");
    let message = packets.snoop(&links, 3, 0xff);
    links.begin(3, message);
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.extend(
            links
                .step()
                .expect("copies as sent")
                .iter()
                .map(|copy| copy.latency),
        );
    }
    assert_eq!(seen, [2; PORTS]);
}

/// What each of some endless senders to output 0 gets over `cycles`: input, class, `qos`. They send
/// packets of `words` each.
fn shares(
    packets: &mut Packets,
    weights: [u8; 5],
    senders: &[(usize, Class, u8)],
    words: usize,
    cycles: u64,
) -> Vec<f64> {
    let mut fabric = Fabric::new(PORTS, Variant::Fast).expect("the model");
    fabric.set_weights(weights);
    let mut links = Links::new(fabric, DEEP);
    let mut counts = vec![0u64; senders.len()];
    let mut total = 0;
    for cycle in 0..cycles + 200 {
        let mut busy = 0u16;
        for turn in 0..senders.len() {
            let (port, class, qos) = senders[(turn + cycle as usize) % senders.len()];
            if busy >> port & 1 == 0 && links.has_credit(port, class) {
                busy |= 1 << port;
                if links.is_under_way(port, class) {
                    links.proceed(port, class);
                } else {
                    let message = packets.plain(&links, class, 1, words, qos);
                    links.begin(port, message);
                }
            }
        }
        let delivered: Vec<Delivered> = links.step().expect("words as sent").to_vec();
        if cycle < 200 {
            continue;
        }
        for word in delivered {
            total += 1;
            let of =
                |&(port, class, _): &(usize, Class, u8)| (port, class) == (word.input, word.class);
            let sender = senders.iter().position(of).expect("a sender");
            counts[sender] += 1;
        }
    }
    let share = |&count: &u64| count as f64 / total as f64;
    counts.iter().map(share).collect()
}

#[test]
fn classes_share_an_output_by_their_weights() {
    let mut packets = Packets::new("fabric_weights");
    // REQ 3, DAT 1, RSP 2.
    let senders = [(1, Class::Req, 0), (2, Class::Dat, 0), (3, Class::Rsp, 0)];
    let got = shares(&mut packets, [3, 1, 1, 2, 1], &senders, 1, 6_000);
    for (share, want) in got.iter().zip([0.5, 1.0 / 6.0, 1.0 / 3.0]) {
        assert!((share - want).abs() < 0.02, "{got:?}");
    }
}

#[test]
fn high_priority_goes_first_and_starves_nobody() {
    let mut packets = Packets::new("fabric_priority");
    let senders = [
        (1, Class::Dat, HIGH),
        (2, Class::Dat, 0),
        (3, Class::Req, 0),
    ];
    for words in [1, 4] {
        let got = shares(&mut packets, [1; 5], &senders, words, 12_000);
        // After 15 words of high priority, and the packet under way, each class that waits is due
        // with a packet.
        let due = words as f64 / (15 + 3 * words) as f64;
        assert!(got[0] > 0.5, "packets of {words}: {got:?}");
        assert!(
            got[1] > 0.9 * due && got[2] > 0.9 * due,
            "packets of {words}: {got:?}"
        );
    }
}

#[test]
fn no_input_and_no_class_waits_for_ever_at_a_full_output() {
    let mut packets = Packets::new("fabric_starvation");
    let senders: Vec<(usize, Class, u8)> = (1..PORTS)
        .flat_map(|port| [Class::Req, Class::Rsp, Class::Dat].map(|class| (port, class, 0)))
        .collect();
    for words in [1, 4] {
        let got = shares(&mut packets, [1; 5], &senders, words, 21_000);
        let fair = 1.0 / senders.len() as f64;
        for (sender, share) in senders.iter().zip(&got) {
            assert!(
                *share > 0.8 * fair,
                "packets of {words}: {sender:?} gets {share:.4} of {fair:.4}"
            );
        }
    }
}

#[test]
fn a_class_that_is_stuck_takes_the_shared_buffers_and_no_more() {
    // As `fabric_top` has them.
    let (own, shared) = (24, 40);
    let mut links = links(DEEP);
    let mut packets = Packets::new("fabric_pool");
    let (stuck, free) = (Class::Req, Class::Dat);
    let mut sent = 0;
    for _ in 0..1_000 {
        // The receivers return no credit of the class, so output 1 takes DEEP words and then none.
        if links.has_credit(0, stuck) {
            let message = packets.plain(&links, stuck, 1 << 1, 1, 0);
            links.begin(0, message);
            sent += 1;
        }
        links
            .step_with(|_| 0b1_1111 & !(1 << stuck as u8))
            .expect("words as sent");
    }
    assert_eq!(
        sent,
        u64::from(DEEP) + own + shared,
        "words of the stuck class"
    );
    let before = links.cycle();
    let mut passed = 0;
    while links.cycle() < before + 500 {
        if links.has_credit(0, free) {
            let message = packets.plain(&links, free, 1 << 2, 1, 0);
            links.begin(0, message);
        }
        let step = links.step_with(|_| 0b1_1111 & !(1 << stuck as u8));
        passed += step.expect("words as sent").len();
    }
    assert!(
        passed >= 497,
        "another class passes {passed} words in 500 cycles"
    );
}
