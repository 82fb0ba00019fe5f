//! Stimuli for a part alone.

use super::class;
use crate::Class;
use crate::stimulus::{
    Config, HOME_LINES, Hit, LinkErrors, MAX_FLIPPED, MAX_LENGTH, Node, Op, Outage, Packet, Part,
    Stall, Step, Stimulus, Turn, Way, WordError,
};
use proptest::prelude::*;
use std::ops::RangeInclusive;

/// Cycles in which wires begin to fail: those in which packets go, and the training before.
const CYCLES: u64 = 300;
/// The longest outage that ends; a link lives through two of them.
const OUTAGE: u64 = 330;
/// Cycles that messages at a home wait: a transaction takes some twenty where nothing does.
const WAIT: u16 = 80;
/// Trackers of a home alone.
const TRACKERS: u8 = 4;

/// Which stimuli to make.
#[derive(Clone, Debug)]
pub struct Parts {
    part: Part,
    steps: RangeInclusive<usize>,
    fixed: Option<Config>,
}

impl Parts {
    /// Stimuli for a part: up to 60 packets, cores that hold much or little, and on wires a few words
    /// hit, sometimes an outage or a cut; or as many turns around a home, whose credits may be scarce.
    pub fn new(part: Part) -> Parts {
        Parts {
            part,
            steps: 1..=60,
            fixed: None,
        }
    }

    /// With so many packets or turns, of all ports together.
    pub fn steps(self, steps: RangeInclusive<usize>) -> Parts {
        Parts { steps, ..self }
    }

    /// In such surroundings instead of any.
    pub fn config(self, config: Config) -> Parts {
        Parts {
            fixed: Some(config),
            ..self
        }
    }

    /// The strategy.
    pub fn strategy(self) -> impl Strategy<Value = Stimulus> {
        let config = match (self.fixed, self.part) {
            (Some(config), _) => Just(config).boxed(),
            (None, Part::Home) => peers().boxed(),
            (None, part) => cores(part).boxed(),
        };
        match self.part {
            Part::Home => stimuli(config, turn(), self.steps, |turn, _| Op::Turn(turn)).boxed(),
            Part::Fabric | Part::Link => {
                let op = |packet, config: &_| Op::Packet(addressed(packet, config));
                stimuli(config, packet(), self.steps, op).boxed()
            }
        }
    }
}

/// Stimuli of such operations, each with any port and the cycles before it.
fn stimuli<T: std::fmt::Debug>(
    config: impl Strategy<Value = Config>,
    op: impl Strategy<Value = (usize, u64, T)>,
    steps: RangeInclusive<usize>,
    finish: fn(T, &Config) -> Op,
) -> impl Strategy<Value = Stimulus> {
    let ops = prop::collection::vec(op, steps);
    (any::<u64>(), config, ops).prop_map(move |(seed, config, ops)| {
        let step = |(node, after, op)| Step {
            node: node % config.ports,
            after,
            op: finish(op, &config),
        };
        Stimulus {
            seed,
            steps: ops.into_iter().map(step).collect(),
            config,
        }
    })
}

/// A home whose credits come back at once or late, among peers of which few only read.
fn peers() -> impl Strategy<Value = Config> {
    let tx_permille = prop_oneof![3 => Just(0u16), 1 => 500..=960u16];
    let config = Config::part(Part::Home, 1);
    let reads_only = prop::collection::vec(prop::bool::weighted(0.1), config.ports);
    (tx_permille, reads_only).prop_map(move |(tx_permille, readers)| {
        let peer = |reads_only| Node::Peer { reads_only };
        Config {
            nodes: readers.into_iter().map(peer).collect(),
            stall: Stall {
                rx_permille: 0,
                tx_permille,
            },
            ..config.clone()
        }
    })
}

fn cores(part: Part) -> impl Strategy<Value = Config> {
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

/// A peer, the cycles before, and a turn; lines are often the same.
fn turn() -> impl Strategy<Value = (usize, u64, Turn)> {
    let after = prop_oneof![2 => Just(0u64), 2 => 0..12u64, 1 => 0..80u64];
    let line = prop_oneof![3 => Just(0u8), 2 => 0..2u8, 2 => 0..HOME_LINES];
    let cycles = || 1..=WAIT;
    let turn = prop_oneof![
        10 => (line, any::<u8>()).prop_map(|(line, choice)| Turn::Ask { line, choice }),
        4 => (class(), cycles()).prop_map(|(class, cycles)| Turn::Hold { class, cycles }),
        1 => Just(Turn::Fail),
        1 => cycles().prop_map(|cycles| Turn::Merge { cycles }),
        1 => (0..TRACKERS).prop_map(|tracker| Turn::Stray { tracker }),
    ];
    (any::<usize>(), after, turn)
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
