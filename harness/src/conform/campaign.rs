//! Runs that take homes and nodes of the RTL through as many pairs as they can.

use crate::Failure;
use crate::protocol::pairs::Pairs;
use crate::sim::{Model, NodeHandle, Supernode, System, join_all, stream};
use flits::AtomicOp;
use flits::stimulus::{Config, MemoryTiming, Node, Timing};
use rand::RngExt;

/// How long a campaign is.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Delays of the second operation behind the first, in each situation.
    pub delays: u64,
    /// Random operations of each node in each system.
    pub operations: u64,
    /// Decides everything random.
    pub seed: u64,
}

/// What a node may do to a line.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Load,
    Store,
    StoreLine,
    Evict,
    ReadOnce,
    Write,
    WriteLine,
    Atomic,
    Clean,
}

const DEEDS: [Deed; 9] = [
    Deed::Load,
    Deed::Store,
    Deed::StoreLine,
    Deed::Evict,
    Deed::ReadOnce,
    Deed::Write,
    Deed::WriteLine,
    Deed::Atomic,
    Deed::Clean,
];

/// Who has loaded a line, or stored to it, before the two operations.
const SITUATIONS: [&[(usize, Deed)]; 9] = [
    &[],
    &[(0, Deed::Load)],
    &[(0, Deed::Store)],
    &[(1, Deed::Load)],
    &[(1, Deed::Store)],
    &[(2, Deed::Load)],
    &[(2, Deed::Store)],
    &[(0, Deed::Load), (1, Deed::Load)],
    &[(2, Deed::Load), (1, Deed::Load), (0, Deed::Load)],
];

/// Cycles between two delays.
const STEP: u64 = 7;
/// The lines of a sweep, one after the other.
const LINES: u64 = 1 << 10;
const LINE: u64 = 64;

/// Does it. Each write has a value of its own, as the checkers tell writes apart by their values.
async fn perform(node: &NodeHandle, deed: Deed, line: u64, value: u64) {
    let bytes = value.to_le_bytes();
    let whole: [u8; LINE as usize] = std::array::from_fn(|i| bytes[i % bytes.len()]);
    match deed {
        Deed::Load => drop(node.try_load::<u64>(line).await),
        Deed::Store => drop(node.try_store(line, value).await),
        Deed::StoreLine => node.store_line(line, &whole).await,
        Deed::Evict => node.evict(line).await,
        Deed::ReadOnce => drop(node.read_once(line).await),
        Deed::Write => node.write_unique(line + 8, &bytes).await,
        Deed::WriteLine => node.write_unique(line, &whole).await,
        Deed::Atomic => drop(node.atomic_load(AtomicOp::Add, line, value).await),
        Deed::Clean => node.clean_invalid(line).await,
    }
}

/// Two operations on a line in every situation, the second by a sweep of delays behind the first or
/// before it.
async fn sweep(sys: System, delays: u64) {
    let mut turn = 0;
    for situation in SITUATIONS {
        for first in DEEDS {
            for second in DEEDS {
                for delay in 0..delays {
                    let line = turn % LINES * LINE;
                    turn += 1;
                    perform(&sys.node(3), Deed::Clean, line, 0).await;
                    for &(node, deed) in situation {
                        perform(&sys.node(node), deed, line, 8 * turn + 4 + node as u64).await;
                    }
                    let one = |node: usize, deed, delay| {
                        let sys = sys.clone();
                        async move {
                            sys.idle(1 + delay).await;
                            perform(&sys.node(node), deed, line, 8 * turn + node as u64).await;
                        }
                    };
                    let (before, after) = (delay % 2 * STEP, delay * STEP);
                    let tasks = [one(0, first, before), one(1, second, after)];
                    join_all(tasks.map(|task| sys.spawn(task))).await;
                }
            }
        }
    }
}

/// Random operations of all nodes on a few lines.
async fn scramble(sys: System, seed: u64, operations: u64, lines: u64, deeds: &'static [Deed]) {
    let program = |node: NodeHandle| async move {
        let mut rng = stream(seed, &format!("conform {}", node.port()));
        for _ in 0..operations {
            let line = LINE * rng.random_range(0..lines);
            let deed = deeds[rng.random_range(0..deeds.len())];
            node.idle(rng.random_range(0..40)).await;
            perform(&node, deed, line, rng.random()).await;
        }
    };
    let tasks: Vec<_> = sys.nodes().map(|node| sys.spawn(program(node))).collect();
    join_all(tasks).await;
}

/// A system whose memories take so long.
fn with_memories(mut config: Config, latency: u32) -> Config {
    for node in &mut config.nodes {
        if let Node::Memory { timing } = node {
            *timing = MemoryTiming::Custom(Timing {
                latency,
                channels: 2,
                busy: 2,
            });
        }
    }
    config
}

/// A system whose nodes 0 and 1 may only read.
fn with_readers(mut config: Config) -> Config {
    for region in &mut config.regions {
        region.write_partitions = 2;
    }
    config.port_partitions = (0..config.ports)
        .map(|port| if port < 2 { 1 } else { 3 })
        .collect();
    config
}

/// What nodes may do of whom some may only read.
const READS: [Deed; 4] = [Deed::Load, Deed::Store, Deed::ReadOnce, Deed::Evict];

/// What the nodes of a system do.
#[derive(Clone, Copy)]
enum Program {
    Sweep,
    Random { lines: u64, deeds: &'static [Deed] },
}

async fn perform_all(sys: System, program: Program, effort: Effort) {
    match program {
        Program::Sweep => sweep(sys, effort.delays).await,
        Program::Random { lines, deeds } => {
            scramble(sys, effort.seed, effort.operations, lines, deeds).await
        }
    }
}

/// Runs everything; the pairs that were met. `progress` is told the name of each run and the cycles
/// that it took.
///
/// # Errors
/// The first violation of any check.
pub fn campaign(effort: Effort, mut progress: impl FnMut(&str, u64)) -> Result<Pairs, Failure> {
    let rtl = |config: Config| Supernode::builder().config(config);
    let tight = |latency| rtl(with_memories(Config::new(4), latency)).model(Model::Tight);
    let large = |latency| rtl(with_memories(Config::new(8), latency));
    let all = |lines| Program::Random {
        lines,
        deeds: &DEEDS,
    };
    let reads = Program::Random {
        lines: 4,
        deeds: &READS,
    };
    let runs = [
        ("sweep, fast memories", large(1), Program::Sweep),
        ("sweep, slow memories", large(120), Program::Sweep),
        ("random on 2 lines", large(1), all(2)),
        ("random on 3 lines, slow memories", large(120), all(3)),
        ("random with recalls", tight(1), all(40)),
        ("random with recalls, slow memories", tight(120), all(24)),
        ("readers", rtl(with_readers(Config::new(8))), reads),
    ];
    let mut met = Pairs::default();
    for (name, builder, program) in runs {
        let mut sn = builder.seed(effort.seed).build()?;
        sn.run(|sys| perform_all(sys, program, effort))?;
        met.add(&sn.pairs());
        progress(name, sn.cycle());
    }
    Ok(met)
}
