//! Stimuli for a part alone.

use super::class;
use crate::Class;
use crate::stimulus::{
    Config, Hit, LinkErrors, MAX_FLIPPED, MAX_LENGTH, Node, Op, Outage, Packet, Part, Stall, Step,
    Stimulus, Way, WordError,
};
use proptest::prelude::*;
use std::ops::RangeInclusive;

/// Cycles in which wires begin to fail: those in which packets go, and the training before.
const CYCLES: u64 = 300;
/// The longest outage that ends; a link lives through two of them.
const OUTAGE: u64 = 330;

/// Which stimuli to make.
#[derive(Clone, Debug)]
pub struct Packets {
    part: Part,
    steps: RangeInclusive<usize>,
    fixed: Option<Config>,
}

impl Packets {
    /// Stimuli for a part: up to 60 packets, cores that hold much or little, and on wires a few words
    /// hit, sometimes an outage or a cut.
    pub fn new(part: Part) -> Packets {
        Packets {
            part,
            steps: 1..=60,
            fixed: None,
        }
    }

    /// With so many packets, of all cores together.
    pub fn steps(self, steps: RangeInclusive<usize>) -> Packets {
        Packets { steps, ..self }
    }

    /// Between such cores and on such wires instead of any.
    pub fn config(self, config: Config) -> Packets {
        Packets {
            fixed: Some(config),
            ..self
        }
    }

    /// The strategy.
    pub fn strategy(self) -> impl Strategy<Value = Stimulus> {
        let config = match self.fixed {
            Some(config) => Just(config).boxed(),
            None => config(self.part).boxed(),
        };
        let packets = prop::collection::vec(packet(), self.steps);
        (any::<u64>(), config, packets).prop_map(|(seed, config, packets)| {
            let step = |(node, after, packet)| Step {
                node: node % config.ports,
                after,
                op: Op::Packet(addressed(packet, &config)),
            };
            Stimulus {
                seed,
                steps: packets.into_iter().map(step).collect(),
                config,
            }
        })
    }
}

fn config(part: Part) -> impl Strategy<Value = Config> {
    let permille = || prop_oneof![2 => Just(0u16), 1 => 0..=700u16];
    let depths = prop::collection::vec(
        prop_oneof![1..=4u16, 1..=32u16],
        Config::part(part, 1).ports,
    );
    (depths, permille(), permille(), errors()).prop_map(
        move |(depths, rx_permille, tx_permille, errors)| {
            let config = Config::part(part, 1);
            Config {
                nodes: depths
                    .into_iter()
                    .map(|depth| Node::Core { depth })
                    .collect(),
                stall: Stall {
                    rx_permille,
                    tx_permille,
                },
                link_errors: config.link_errors.clone().map(|_| errors),
                ..config
            }
        },
    )
}

fn way() -> impl Strategy<Value = Option<Way>> {
    prop_oneof![Just(None), Just(Some(Way::Up)), Just(Some(Way::Down))]
}

/// A word that is hit.
pub fn hit() -> impl Strategy<Value = Hit> {
    let bits = prop::collection::vec(any::<u32>(), 1..=MAX_FLIPPED as usize);
    let error = prop_oneof![
        bits.prop_map(WordError::Flipped),
        Just(WordError::Lost),
        Just(WordError::Repeated),
        (1..=4u32).prop_map(WordError::Displaced),
    ];
    (way(), 0..CYCLES, error).prop_map(|(way, from, error)| Hit {
        cable: None,
        way,
        from,
        error,
    })
}

/// A time in which wires fail; for ever only if they are cut.
pub fn outage() -> impl Strategy<Value = Outage> {
    let stuck = prop_oneof![2 => Just(None), 1 => class().prop_map(Some)];
    let length = prop_oneof![3 => (1..=OUTAGE).prop_map(Some), 1 => Just(None)];
    (way(), stuck, 0..CYCLES, length).prop_map(|(way, stuck_credit, from, length)| {
        let length = length.or(stuck_credit.map(|_| OUTAGE));
        Outage {
            stuck_credit,
            cable: None,
            way,
            from,
            to: length.map(|length| from + length),
        }
    })
}

fn errors() -> impl Strategy<Value = LinkErrors> {
    let outages = prop_oneof![
        4 => Just(Vec::new()),
        1 => prop::collection::vec(outage(), 1..=2),
    ];
    let hits = prop::collection::vec(hit(), 0..=4);
    (0..=8u32, hits, outages).prop_map(|(delay, hits, outages)| LinkErrors {
        delay,
        hits,
        outages,
        ..LinkErrors::default()
    })
}

/// A core, the cycles before, and a packet to any outputs, one bit each.
fn packet() -> impl Strategy<Value = (usize, u64, (Class, u16, u16, bool))> {
    let after = prop_oneof![3 => Just(0u64), 1 => 0..30u64];
    let length = prop_oneof![4 => Just(1u16), 2 => 2..=5u16, 1 => 1..=MAX_LENGTH];
    let high = prop_oneof![3 => Just(false), 1 => Just(true)];
    (any::<usize>(), after, (class(), any::<u16>(), length, high))
}

/// The packet to outputs that there are: some if it may, else the first of them.
fn addressed((class, bits, length, high): (Class, u16, u16, bool), config: &Config) -> Packet {
    let to = match (config.part, class) {
        (Some(Part::Fabric), Class::Snp) => {
            let set: Vec<usize> = (0..config.ports)
                .filter(|port| bits >> port & 1 != 0)
                .collect();
            if set.is_empty() { vec![0] } else { set }
        }
        (Some(Part::Fabric), _) => vec![usize::from(bits) % config.ports],
        _ => Vec::new(),
    };
    Packet {
        class,
        // A snoop is one word.
        length: if class == Class::Snp { 1 } else { length },
        to,
        high,
    }
}
