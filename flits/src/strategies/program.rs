//! Whole stimuli.

use super::hostile::sent_from;
use super::{Fault, Shape, faulty_words};
use crate::layout::LINE_BYTES;
use crate::stimulus::{Config, MemoryTiming, Node, Op, OpKind, Stall, Step, Stimulus, Timing};
use crate::{AtomicOp, LinkWord, NodeId};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Which stimuli to make.
///
/// ```
/// use flits::strategies::{Programs, Shape};
/// let strategy = Programs::new(4).steps(1..=40).shape(Shape::HotLine).strategy();
/// ```
#[derive(Clone, Debug)]
pub struct Programs {
    ports: usize,
    steps: RangeInclusive<usize>,
    kinds: Vec<OpKind>,
    shape: Option<Shape>,
    faults: Vec<Fault>,
    fixed: Option<Config>,
}

/// What is drawn for a step. `Shape` makes the address of it.
#[derive(Clone, Debug)]
struct Draw {
    node: usize,
    after: u64,
    kind: usize,
    line: u32,
    offset: u32,
    size: u32,
    expected: u32,
    /// What a hostile device on port 0 would send.
    words: Vec<LinkWord>,
}

/// The operations of random programs: all that devices of a system do but `raw`.
pub fn usual_kinds() -> Vec<OpKind> {
    let is_usual = |kind: &OpKind| kind.is_access();
    OpKind::ALL.into_iter().filter(is_usual).collect()
}

impl Programs {
    /// Stimuli for a switch of `ports` ports (4, 8 or 16): up to 60 steps of all operations but
    /// `raw`, of any shape, on small caches that evict soon.
    pub fn new(ports: usize) -> Programs {
        Programs {
            ports,
            steps: 1..=60,
            kinds: usual_kinds(),
            shape: None,
            faults: Fault::ALL.to_vec(),
            fixed: None,
        }
    }

    /// With so many steps, of all nodes together.
    pub fn steps(self, steps: RangeInclusive<usize>) -> Programs {
        Programs { steps, ..self }
    }

    /// With these operations; one named twice comes twice as often. With `raw` among them, the
    /// system has a hostile device in place of its last cached node.
    pub fn kinds(self, kinds: &[OpKind]) -> Programs {
        Programs {
            kinds: kinds.to_vec(),
            ..self
        }
    }

    /// With addresses of one shape.
    pub fn shape(self, shape: Shape) -> Programs {
        Programs {
            shape: Some(shape),
            ..self
        }
    }

    /// With these faults in what hostile devices send.
    pub fn faults(self, faults: &[Fault]) -> Programs {
        Programs {
            faults: faults.to_vec(),
            ..self
        }
    }

    /// On one system instead of any.
    pub fn config(self, config: Config) -> Programs {
        Programs {
            ports: config.ports,
            fixed: Some(config),
            ..self
        }
    }

    /// The strategy.
    ///
    /// # Panics
    /// If no node of the system can do any of the operations.
    pub fn strategy(self) -> impl Strategy<Value = Stimulus> {
        let config = match self.fixed {
            Some(config) => Just(config).boxed(),
            None => config(self.ports, self.kinds.contains(&OpKind::Raw)).boxed(),
        };
        let shape = match self.shape {
            Some(shape) => Just(shape).boxed(),
            None => Shape::any().boxed(),
        };
        let words = match self.kinds.contains(&OpKind::Raw) {
            true => select(self.faults)
                .prop_flat_map(|fault| faulty_words(fault, NodeId::port(0)))
                .boxed(),
            false => Just(Vec::new()).boxed(),
        };
        let draws = prop::collection::vec(draw(words), self.steps);
        let kinds = self.kinds;
        (any::<u64>(), config, shape, draws).prop_map(move |(seed, config, shape, draws)| {
            let steps = steps(&config, &kinds, shape, &draws);
            Stimulus {
                seed,
                config,
                steps,
            }
        })
    }
}

/// A system of the default address map whose caches, store buffers, memories, stalls and start
/// times vary.
fn config(ports: usize, hostile: bool) -> impl Strategy<Value = Config> {
    let cached = (
        0..3u32,
        1..=2usize,
        1..=4usize,
        prop_oneof![Just(0), 1..=4usize],
    )
        .prop_map(|(sets, ways, mshrs, store_buffer)| Node::Cached {
            sets: 1 << sets,
            ways,
            mshrs,
            store_buffer,
        });
    let custom = (1..=60u32, 1..=4u32, 1..=8u32).prop_map(|(latency, channels, busy)| {
        MemoryTiming::Custom(Timing {
            latency,
            channels,
            busy,
        })
    });
    let timing = prop_oneof![Just(MemoryTiming::Ddr), Just(MemoryTiming::Hbm), custom];
    let permille = || prop_oneof![Just(0u16), 0..=700u16];
    let skew = prop::collection::vec(0..40u64, ports);
    (cached, timing, permille(), permille(), skew).prop_map(
        move |(cached, timing, rx_permille, tx_permille, start_skew)| {
            let mut config = Config::new(ports);
            for node in &mut config.nodes {
                *node = match node {
                    Node::Memory { .. } => Node::Memory { timing },
                    _ => cached.clone(),
                };
            }
            let is_cached = |node: &Node| matches!(node, Node::Cached { .. });
            if let Some(last) = config.nodes.iter().rposition(is_cached).filter(|_| hostile) {
                config.nodes[last] = Node::Hostile {};
            }
            Config {
                stall: Stall {
                    rx_permille,
                    tx_permille,
                },
                start_skew,
                ..config
            }
        },
    )
}

fn draw(words: BoxedStrategy<Vec<LinkWord>>) -> impl Strategy<Value = Draw> {
    let after = prop_oneof![3 => Just(0u64), 1 => 0..30u64];
    let place = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (any::<usize>(), after, any::<usize>(), place, words).prop_map(
        |(node, after, kind, (line, offset, size, expected), words)| Draw {
            node,
            after,
            kind,
            line,
            offset,
            size,
            expected,
            words,
        },
    )
}

fn steps(config: &Config, kinds: &[OpKind], shape: Shape, draws: &[Draw]) -> Vec<Step> {
    let doers: Vec<(usize, Vec<OpKind>)> = (0..config.nodes.len())
        .map(|port| {
            let possible = |kind: &&OpKind| kind.possible_on(&config.nodes[port]);
            (
                port,
                kinds.iter().filter(possible).copied().collect::<Vec<_>>(),
            )
        })
        .filter(|(_, possible)| !possible.is_empty())
        .collect();
    assert!(
        !doers.is_empty(),
        "no node of the system can do any of {kinds:?}"
    );
    let mut turns = vec![0; config.nodes.len()];
    let mut steps: Vec<Step> = draws
        .iter()
        .map(|draw| {
            let (node, possible) = &doers[draw.node % doers.len()];
            let kind = possible[draw.kind % possible.len()];
            let turn = &mut turns[*node];
            let op = op(config, kind, shape, draw, *node, *turn);
            *turn += 1;
            Step {
                node: *node,
                after: draw.after,
                op,
            }
        })
        .collect();
    let choices: Vec<u32> = draws.iter().map(|draw| draw.expected).collect();
    number_values(&mut steps);
    choose_expected(&mut steps, &choices);
    steps
}

/// An operation whose values are still 0.
fn op(config: &Config, kind: OpKind, shape: Shape, draw: &Draw, node: usize, turn: usize) -> Op {
    let uncached = matches!(kind, OpKind::ReadUncached | OpKind::WriteUncached);
    let region = config
        .regions
        .iter()
        .find(|region| region.coherent != uncached);
    let (base, lines) = region.map_or((0, 1), |r| (r.base, r.size / LINE_BYTES as u64));
    let sizes: &[u16] = match kind {
        kind if kind.is_far() => &[8, 4],
        OpKind::Load | OpKind::WriteUnique | OpKind::WritePoison => &[8, 1, 2, 4, 16, 64],
        OpKind::ReadUncached | OpKind::WriteUncached => &[8, 1, 2, 4, 16, 32, 64, 128, 256],
        _ => &[8, 1, 2, 4, 16],
    };
    let size = sizes[draw.size as usize % sizes.len()];
    let line = base + shape.line(draw.line, turn, lines) * LINE_BYTES as u64;
    let offset = shape.offset(draw.offset, node, size, kind.writes());
    let addr = (line + offset) & !(u64::from(size) - 1);
    let value = 0;
    let atomic = AtomicOp::ALL[draw.expected as usize % AtomicOp::ALL.len()];
    match kind {
        OpKind::Load => Op::Load { addr, size },
        OpKind::Store => Op::Store { addr, size, value },
        OpKind::StoreLine => Op::StoreLine { addr: line, value },
        OpKind::FetchAdd => Op::FetchAdd { addr, size, value },
        OpKind::Swap => Op::Swap { addr, size, value },
        OpKind::CompareSwap => Op::CompareSwap {
            addr,
            size,
            expected: 0,
            value,
        },
        OpKind::Fence => Op::Fence,
        OpKind::Evict => Op::Evict { addr: line },
        OpKind::ReadOnce => Op::ReadOnce { addr: line },
        OpKind::WriteUnique => Op::WriteUnique { addr, size, value },
        OpKind::WritePoison => Op::WritePoison { addr, size, value },
        OpKind::AtomicStore => Op::AtomicStore {
            addr,
            size,
            atomic,
            value,
        },
        OpKind::AtomicLoad => Op::AtomicLoad {
            addr,
            size,
            atomic,
            value,
        },
        OpKind::AtomicSwap => Op::AtomicSwap { addr, size, value },
        OpKind::AtomicCompare => Op::AtomicCompare {
            addr,
            size,
            expected: 0,
            value,
        },
        OpKind::CleanInvalid => Op::CleanInvalid { addr: line },
        OpKind::ReadUncached => Op::ReadUncached { addr, size },
        OpKind::WriteUncached => Op::WriteUncached { addr, size, value },
        OpKind::Raw => Op::Raw {
            words: sent_from(config.node_id(node), draw.words.clone()),
        },
        OpKind::Packet | OpKind::Turn => unreachable!("no system has any node for it"),
    }
}

/// Gives every write of the steps a value of its own, never 0: of 4 bytes and more, no two words
/// that the steps write are alike; of 1 and 2 bytes values come round again after 255 and 65535
/// writes.
pub fn number_values(steps: &mut [Step]) {
    /// Words of the longest write, which counts up from its value.
    const WORDS: u128 = 32;
    for (index, step) in steps.iter_mut().enumerate() {
        let size = step.op.access().map_or(0, |(_, size)| size);
        let index = index as u128;
        let number = match size {
            1 => index % 0xff + 1,
            2 => index % 0xffff + 1,
            _ => (index + 1) * WORDS,
        };
        if let Some(value) = step.op.value_mut() {
            *value = number;
        }
    }
}

/// Lets compare_swap and atomic_compare expect what memory held at first or what some step of the same address and
/// size writes, so that some of them exchange.
fn choose_expected(steps: &mut [Step], choices: &[u32]) {
    let mut written: BTreeMap<(u64, u16), Vec<u128>> = BTreeMap::new();
    for step in steps.iter() {
        if let (Some(access), Some(value)) = (step.op.access(), step.op.value()) {
            written.entry(access).or_insert_with(|| vec![0]).push(value);
        }
    }
    for (step, &choice) in steps.iter_mut().zip(choices) {
        let access = step.op.access();
        if let (
            Op::CompareSwap { expected, .. } | Op::AtomicCompare { expected, .. },
            Some(access),
        ) = (&mut step.op, access)
        {
            let values = &written[&access];
            *expected = values[choice as usize % values.len()];
        }
    }
}
