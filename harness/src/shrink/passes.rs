//! What shrinking tries.

use std::collections::BTreeMap;

use flits::layout::LINE_BYTES;
use flits::stimulus::{
    Config, HOME_LINES, LinkErrors, MemoryTiming, Node, Op, Packet, Stall, Step, Timing, Turn,
    WordError,
};

use super::{Tries, edit};

/// Things that a peer of a home may ask for in some state, at most: choices beyond are those again.
const CHOICES: u8 = 14;

/// A pass: proposes what could be smaller.
pub(super) type Pass = fn(&mut dyn Tries);

/// Every pass, those first that take most away for a run.
pub(super) const ALL: [Pass; 13] = [
    whole_nodes,
    operations,
    surroundings,
    idle_nodes,
    fewer_nodes,
    fewer_lines,
    words,
    packets,
    turns,
    timing,
    devices,
    offsets,
    values,
];

/// All operations of a node at once.
fn whole_nodes(search: &mut dyn Tries) {
    for port in 0..search.best().config.nodes.len() {
        search.change(&mut |stimulus| stimulus.steps.retain(|step| step.node != port));
    }
}

/// Removes runs of elements of a list, first long ones, then short ones.
fn fewer(
    search: &mut dyn Tries,
    len: impl Fn(&dyn Tries) -> usize,
    remove: impl Fn(&mut dyn Tries, usize, usize) -> bool,
) {
    let mut chunk = len(search).div_ceil(2);
    while chunk > 0 {
        // From the end, where what happened after the failure is.
        let mut end = len(search);
        while end > 0 {
            let begin = end.saturating_sub(chunk);
            remove(search, begin, end);
            end = begin.min(len(search));
        }
        chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
    }
}

/// Operations, any of them.
fn operations(search: &mut dyn Tries) {
    fewer(
        search,
        |search| search.best().steps.len(),
        |search, begin, end| {
            search.change(&mut |stimulus| {
                stimulus.steps.drain(begin..end);
            })
        },
    );
}

/// Link words of raw operations.
fn words(search: &mut dyn Tries) {
    for index in 0..search.best().steps.len() {
        let len = |search: &dyn Tries| match &search.best().steps[index].op {
            Op::Raw { words } => words.len(),
            _ => 0,
        };
        fewer(search, len, |search, begin, end| {
            search.change(&mut |stimulus| {
                if let Op::Raw { words } = &mut stimulus.steps[index].op {
                    words.drain(begin..end);
                }
            })
        });
    }
}

/// The words, outputs and priority of packets, and what hits say beyond that a word is wrong.
fn packets(search: &mut dyn Tries) {
    let simpler: [fn(&mut Packet); 4] = [
        |packet| packet.length = 1,
        |packet| packet.length = packet.length.div_ceil(2),
        |packet| packet.to.truncate(1),
        |packet| packet.high = false,
    ];
    for index in 0..search.best().steps.len() {
        for simpler in simpler {
            search.change(&mut |stimulus| {
                if let Op::Packet(packet) = &mut stimulus.steps[index].op {
                    simpler(packet);
                }
            });
        }
    }
    search.change(&mut |stimulus| {
        if let Some(errors) = &mut stimulus.config.link_errors {
            errors.delay = 0;
        }
    });
    let hits = search.best().config.link_errors.as_ref();
    for index in 0..hits.map_or(0, |errors| errors.hits.len()) {
        search.change(&mut |stimulus| {
            if let Some(errors) = &mut stimulus.config.link_errors {
                errors.hits[index].error = WordError::Lost;
            }
        });
    }
}

/// Turns on fewer lines, with the first choice, that hold for less long.
fn turns(search: &mut dyn Tries) {
    let lines = (0..HOME_LINES).flat_map(|from| (0..from).map(move |to| (from, to)));
    for (from, to) in lines {
        search.change(&mut |stimulus| {
            for step in &mut stimulus.steps {
                if let Op::Turn(Turn::Ask { line, .. }) = &mut step.op
                    && *line == from
                {
                    *line = to;
                }
            }
        });
    }
    for index in 0..search.best().steps.len() {
        let smaller = match search.best().steps[index].op {
            Op::Turn(turn) => smaller(turn),
            _ => Vec::new(),
        };
        (smaller.into_iter())
            .any(|turn| search.change(&mut |stimulus| stimulus.steps[index].op = Op::Turn(turn)));
    }
}

/// Turns that are tried for one.
fn smaller(turn: Turn) -> Vec<Turn> {
    let shorter = |cycles: u16| [1, cycles.div_ceil(2), cycles.max(2) - 1].into_iter();
    match turn {
        Turn::Ask { line, choice } => (0..choice.min(CHOICES))
            .map(|choice| Turn::Ask { line, choice })
            .collect(),
        Turn::Hold { class, cycles } => shorter(cycles)
            .map(|cycles| Turn::Hold { class, cycles })
            .collect(),
        Turn::Merge { cycles } => shorter(cycles)
            .map(|cycles| Turn::Merge { cycles })
            .collect(),
        Turn::Fail | Turn::Stray { .. } => Vec::new(),
    }
}

/// What is around the nodes: links, chips, partitions, stalls, time-outs.
fn surroundings(search: &mut dyn Tries) {
    let simpler: [fn(&mut Config); 9] = [
        |config| config.link_errors = None,
        |config| config.tiers = None,
        |config| config.port_partitions.clear(),
        |config| {
            for region in &mut config.regions {
                (region.read_partitions, region.write_partitions) = (u16::MAX, u16::MAX);
            }
        },
        |config| config.home_timeout_log2 = 0,
        |config| config.packet_timeout_log2 = None,
        |config| config.start_skew.clear(),
        |config| config.stall = Stall::default(),
        |config| config.regions.truncate(1),
    ];
    for simpler in simpler {
        search.change(&mut |stimulus| simpler(&mut stimulus.config));
    }
    search.change(&mut |stimulus| stimulus.seed = 0);
    without_each(search, |errors| &mut errors.outages);
    without_each(search, |errors| &mut errors.hits);
}

/// Link errors without some of those in a list.
fn without_each<T>(search: &mut dyn Tries, list: fn(&mut LinkErrors) -> &mut Vec<T>) {
    let len = |search: &dyn Tries| {
        let errors = search.best().config.link_errors.clone();
        errors.map_or(0, |mut errors| list(&mut errors).len())
    };
    fewer(search, len, |search, begin, end| {
        search.change(&mut |stimulus| {
            if let Some(errors) = &mut stimulus.config.link_errors {
                list(errors).drain(begin..end);
            }
        })
    });
}

/// Nodes that do nothing become devices without a cache, which tells a reader that they do not matter.
fn idle_nodes(search: &mut dyn Tries) {
    for port in 0..search.best().config.nodes.len() {
        let best = search.best();
        let idle = best.steps.iter().all(|step| step.node != port);
        let node = &best.config.nodes[port];
        if idle && matches!(node, Node::Cached { .. } | Node::Hostile {}) {
            search.change(&mut |stimulus| stimulus.config.nodes[port] = Node::Io {});
        }
    }
}

/// Operations of one node done by another.
fn fewer_nodes(search: &mut dyn Tries) {
    let nodes = search.best().config.nodes.len();
    for (from, to) in (0..nodes).flat_map(|from| (0..from).map(move |to| (from, to))) {
        search.change(&mut |stimulus| {
            for step in stimulus.steps.iter_mut().filter(|step| step.node == from) {
                step.node = to;
            }
        });
    }
}

fn line_of(addr: u64) -> u64 {
    addr - addr % LINE_BYTES as u64
}

/// The lines of the operations, each once.
fn lines(steps: &[Step]) -> Vec<u64> {
    let mut lines: Vec<u64> = steps
        .iter()
        .filter_map(|step| Some(line_of(step.op.access()?.0)))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Moves all operations on one line to another.
fn move_line(search: &mut dyn Tries, from: u64, to: u64) -> bool {
    search.change(&mut |stimulus| {
        for step in &mut stimulus.steps {
            let Some((addr, _)) = step.op.access() else {
                continue;
            };
            if line_of(addr) == from
                && let Some(moved) = edit::at(step, to + (addr - from))
            {
                *step = moved;
            }
        }
    })
}

/// Operations on one line done on another, and lines nearer to the begin of their region.
fn fewer_lines(search: &mut dyn Tries) {
    for line in lines(&search.best().steps).into_iter().rev() {
        let others = lines(&search.best().steps);
        let joined = others
            .into_iter()
            .filter(|&other| other < line)
            .any(|other| move_line(search, line, other));
        if joined {
            continue;
        }
        let region = (search.best().config.regions.iter())
            .find(|region| (region.base..region.base + region.size).contains(&line));
        let Some(base) = region.map(|region| region.base) else {
            continue;
        };
        let taken = lines(&search.best().steps);
        let nearer = (0..4u64).map(|n| base + n * LINE_BYTES as u64);
        let free: Vec<u64> = nearer
            .filter(|near| *near < line && !taken.contains(near))
            .collect();
        free.into_iter().any(|near| move_line(search, line, near));
    }
}

/// Cycles that nodes idle before operations.
fn timing(search: &mut dyn Tries) {
    search.change(&mut |stimulus| stimulus.steps.iter_mut().for_each(|step| step.after = 0));
    for index in 0..search.best().steps.len() {
        let mut after = search.best().steps[index].after;
        while after > 0 {
            let less = [0, after / 2, after - 1];
            let kept = less
                .into_iter()
                .find(|&less| search.change(&mut |stimulus| stimulus.steps[index].after = less));
            match kept {
                Some(less) => after = less,
                None => break,
            }
        }
    }
    for port in 0..search.best().config.start_skew.len() {
        for part in [0, 2] {
            search.change(&mut |stimulus| {
                let skew = &mut stimulus.config.start_skew[port];
                *skew = skew.checked_div(part).unwrap_or(0);
            });
        }
    }
    for part in [0, 2] {
        search.change(&mut |stimulus| {
            let stall = &mut stimulus.config.stall;
            stall.rx_permille = stall.rx_permille.checked_div(part).unwrap_or(0);
        });
        search.change(&mut |stimulus| {
            let stall = &mut stimulus.config.stall;
            stall.tx_permille = stall.tx_permille.checked_div(part).unwrap_or(0);
        });
    }
}

/// The smallest cache of a processor in order, the fastest memory, and peers that may write.
fn devices(search: &mut dyn Tries) {
    const FASTEST: Timing = Timing {
        latency: 1,
        channels: 1,
        busy: 1,
    };
    for port in 0..search.best().config.nodes.len() {
        let simpler: [fn(&mut Node); 6] = [
            |node| {
                if let Node::Cached { store_buffer, .. } = node {
                    *store_buffer = 0;
                }
            },
            |node| {
                if let Node::Cached { mshrs, .. } = node {
                    *mshrs = 1;
                }
            },
            |node| {
                if let Node::Cached { sets, .. } = node {
                    *sets = 1;
                }
            },
            |node| {
                if let Node::Cached { ways, .. } = node {
                    *ways = 1;
                }
            },
            |node| {
                if let Node::Memory { timing } = node {
                    *timing = MemoryTiming::Custom(FASTEST);
                }
            },
            |node| {
                if let Node::Peer { reads_only } = node {
                    *reads_only = false;
                }
            },
        ];
        for simpler in simpler {
            search.change(&mut |stimulus| simpler(&mut stimulus.config.nodes[port]));
        }
    }
}

/// Accesses at the begin of their lines.
fn offsets(search: &mut dyn Tries) {
    for index in 0..search.best().steps.len() {
        let step = search.best().steps[index].clone();
        let begin = step.op.access().map(|(addr, _)| line_of(addr));
        if let Some(moved) = begin.and_then(|line| edit::at(&step, line)) {
            search.change(&mut |stimulus| stimulus.steps[index] = moved.clone());
        }
    }
}

/// Values in the order of the operations, 1, 2, 3: writes of one value stay writes of one value.
fn values(search: &mut dyn Tries) {
    search.change(&mut |stimulus| {
        let mut numbers = BTreeMap::from([(0, 0)]);
        let mut number = |value: Option<u128>| {
            let value = value?;
            let next = numbers.len() as u128;
            Some(*numbers.entry(value).or_insert(next))
        };
        for step in &mut stimulus.steps {
            if let Some(value) = number(step.op.value())
                && let Some(renumbered) = edit::writing(step, value)
            {
                *step = renumbered;
            }
        }
    });
}
