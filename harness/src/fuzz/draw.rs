//! Stimuli drawn at random: the seed of a corpus, what mutators insert, and the pure random search
//! that fuzzing is compared with.
//!
//! Everything comes from the strategies of [`flits::strategies`], which the property tests use too, so
//! an operation that joins the format joins both.

use flits::stimulus::{Config, MemoryTiming, Node, OpKind, Part, Step, Stimulus, Timing};
use flits::strategies::{Parts, Programs, Shape, usual_kinds};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Settings, RngAlgorithm, TestRng, TestRunner};

/// Operations of a stimulus drawn at once.
const STEPS: std::ops::RangeInclusive<usize> = 1..=8;
/// Packets or turns of a stimulus for a part, drawn at once.
const PART_STEPS: std::ops::RangeInclusive<usize> = 1..=12;
/// Operations that a mutator inserts at once.
const INSERTED: std::ops::RangeInclusive<usize> = 1..=4;
/// How often words of a hostile device are drawn, beside each other operation once.
const RAW_WEIGHT: usize = 10;
/// The latency of a memory at first, in cycles; mutators may give it another. Waiting for a slow
/// memory reaches nothing new and takes most of an input's time.
const LATENCY: u32 = 4;
/// How long the switch waits for the rest of a packet of a hostile device, as a power of 2 of cycles:
/// longer than any device keeps one waiting, and soon enough for the others to go on.
const PATIENCE_LOG2: u8 = 8;
/// The partition of hostile devices, which has no right anywhere; all others are for the rest.
const OUTCASTS: u16 = 1 << 15;

/// Draws whole stimuli and single operations.
#[derive(Debug, Clone)]
pub struct Draws {
    ports: usize,
    what: What,
}

/// What inputs are for.
#[derive(Debug, Clone)]
enum What {
    /// A whole switch: these operations.
    System(Vec<OpKind>),
    /// A part alone: packets or turns.
    Part(Part),
}

impl Draws {
    /// For a switch of so many ports, with a device that sends what it likes or without.
    pub fn new(ports: usize, hostile: bool) -> Draws {
        let mut kinds = usual_kinds();
        if hostile {
            kinds.extend([OpKind::Raw; RAW_WEIGHT]);
        }
        let what = What::System(kinds);
        Draws { ports, what }
    }

    /// For a part alone.
    pub fn part(part: Part) -> Draws {
        Draws {
            ports: Config::part(part, 1).ports,
            what: What::Part(part),
        }
    }

    /// Whether one device sends what it likes.
    pub fn hostile(&self) -> bool {
        matches!(&self.what, What::System(kinds) if kinds.contains(&OpKind::Raw))
    }

    /// The part that they are for, if it is one.
    pub fn of_part(&self) -> Option<Part> {
        match self.what {
            What::System(_) => None,
            What::Part(part) => Some(part),
        }
    }

    /// Whether they are for such a system.
    pub fn are_for(&self, config: &Config) -> bool {
        config.ports == self.ports && config.part == self.of_part()
    }

    /// A stimulus.
    pub fn stimulus(&self, seed: u64) -> Option<Stimulus> {
        let kinds = match &self.what {
            What::System(kinds) => kinds,
            What::Part(part) => {
                return drawn(&Parts::new(*part).steps(PART_STEPS).strategy(), seed);
            }
        };
        let programs = Programs::new(self.ports).kinds(kinds).steps(STEPS);
        let mut stimulus = drawn(&programs.strategy(), seed)?;
        for node in &mut stimulus.config.nodes {
            if let Node::Memory { timing } = node {
                *timing = MemoryTiming::Custom(Timing {
                    latency: LATENCY,
                    channels: 1,
                    busy: 1,
                });
            }
        }
        outlaw(&mut stimulus);
        Some(stimulus)
    }

    /// A few operations of addresses of one shape, for a system.
    pub fn steps(&self, seed: u64, config: &Config, shape: Shape) -> Vec<Step> {
        let config = config.clone();
        let stimulus = match &self.what {
            What::System(kinds) => {
                let programs = Programs::new(self.ports).kinds(kinds).config(config);
                drawn(&programs.shape(shape).steps(INSERTED).strategy(), seed)
            }
            What::Part(part) => {
                let parts = Parts::new(*part).config(config);
                drawn(&parts.steps(INSERTED).strategy(), seed)
            }
        };
        let Some(mut stimulus) = stimulus else {
            return Vec::new();
        };
        outlaw(&mut stimulus);
        stimulus.steps
    }
}

/// What a strategy gives for a seed.
pub(super) fn drawn<S: Strategy>(strategy: &S, seed: u64) -> Option<S::Value> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let settings = Settings {
        failure_persistence: None,
        ..Settings::default()
    };
    let mut runner = TestRunner::new_with_rng(settings, rng);
    Some(strategy.new_tree(&mut runner).ok()?.current())
}

/// Takes every right from hostile devices, and from their words what others would rightly take for
/// an answer. A request that the switch must serve would rightly change memory or keep its line
/// waiting; without a right every request is refused, and whatever reaches another node is a fault.
pub fn outlaw(stimulus: &mut Stimulus) {
    let Stimulus { config, steps, .. } = stimulus;
    if !config.nodes.contains(&Node::Hostile {}) {
        return;
    }
    let partitions = |port: usize| match config.nodes.get(port) {
        Some(Node::Hostile {}) => OUTCASTS,
        _ => !OUTCASTS,
    };
    config.packet_timeout_log2 = Some(PATIENCE_LOG2);
    config.port_partitions = (0..config.ports).map(partitions).collect();
    for region in &mut config.regions {
        region.read_partitions &= !OUTCASTS;
        region.write_partitions &= !OUTCASTS;
    }
    let ports = config.ports as u64;
    super::hostile::words_of(steps).for_each(|word| super::hostile::to_no_open_number(word, ports));
}
