//! From what a supernode counted to the figures of a report.

use flits::layout::FLIT_BYTES;
use flits::stimulus::Node;

use super::{ByClass, Check, CounterFigures, Latency, PortFigures, SystemFigures, Traffic};
use crate::agents::OpKind;
use crate::check::CheckCounts;
use crate::dut::{CLASSES, PortCounters};
use crate::sim::{NodeStats, Service, Stats, Supernode};

pub(super) fn system(supernode: &Supernode) -> SystemFigures {
    let config = supernode.config();
    let count = |wanted: fn(&Node) -> bool| config.nodes.iter().filter(|node| wanted(node)).count();
    SystemFigures {
        ports: config.ports,
        cached_nodes: count(|node| matches!(node, Node::Cached { .. })),
        memory_nodes: count(|node| matches!(node, Node::Memory { .. })),
        seed: supernode.seed(),
    }
}

pub(super) fn traffic(stats: &Stats) -> Traffic {
    let sum = |of: fn(&NodeStats) -> u64| stats.nodes.iter().map(of).sum();
    let latencies = stats.latencies();
    let operations = |wanted: &dyn Fn(OpKind, Service) -> bool| {
        let chosen = latencies
            .iter()
            .filter(|((kind, service), _)| wanted(*kind, *service));
        chosen.map(|(_, histogram)| histogram.count()).sum()
    };
    Traffic {
        loads: stats.operations(OpKind::Load),
        stores: stats.operations(OpKind::Store),
        atomics: operations(&|kind, _| kind.is_atomic()),
        cache_hits: operations(&|_, service| {
            matches!(service, Service::Cache | Service::StoreBuffer)
        }),
        invalidations: stats.invalidations(),
        cache_to_cache: stats.cache_to_cache(),
        write_backs: sum(|node| node.write_backs),
        memory_reads: sum(|node| node.memory_reads),
        memory_writes: sum(|node| node.memory_writes),
    }
}

pub(super) fn latency(stats: &Stats) -> Vec<Latency> {
    let all = stats.latencies();
    let each = all.iter().filter_map(|((kind, service), histogram)| {
        Latency::of(operation(*kind), service.name(), histogram)
    });
    each.collect()
}

/// The name of an operation, in small letters.
fn operation(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Load => "load",
        OpKind::Store => "store",
        OpKind::FetchAdd => "fetch and add",
        OpKind::Swap => "swap",
        OpKind::CompareSwap => "compare and swap",
        OpKind::LoadReserved => "load reserved",
        OpKind::StoreConditional => "store conditional",
        OpKind::Fence => "fence",
        OpKind::Evict => "evict",
        OpKind::ReadUncached => "uncached read",
        OpKind::WriteUncached => "uncached write",
        OpKind::ReadOnce => "read once",
        OpKind::WriteUnique => "write unique",
        OpKind::WritePoison => "write of poison",
        OpKind::AtomicStore(_) => "far store",
        OpKind::AtomicLoad(_) => "far fetch",
        OpKind::AtomicSwap => "far swap",
        OpKind::AtomicCompare => "far compare and swap",
        OpKind::CleanInvalid => "clean invalid",
    }
}

pub(super) fn ports(nodes: &[Node], stats: &Stats, cycles: u64) -> Vec<PortFigures> {
    let each = stats.ports.iter().enumerate().map(|(port, counts)| {
        let rx_words: u64 = counts.to_switch.iter().sum();
        let tx_words: u64 = counts.to_node.iter().sum();
        let share = |words: u64| words as f64 / cycles.max(1) as f64;
        PortFigures {
            port,
            device: device(nodes.get(port)).to_string(),
            rx_words,
            tx_words,
            rx_bytes: rx_words * FLIT_BYTES as u64,
            tx_bytes: tx_words * FLIT_BYTES as u64,
            rx_utilisation: share(rx_words),
            tx_utilisation: share(tx_words),
        }
    });
    each.collect()
}

/// Reads the counters of all chips. A switch without registers has none.
pub(super) fn counters(supernode: &mut Supernode) -> Vec<CounterFigures> {
    let names: Vec<String> = supernode
        .topology()
        .chips()
        .iter()
        .map(|chip| chip.name.clone())
        .collect();
    let by_class = |[req, snp, mem, rsp, dat]: [u32; CLASSES]| ByClass {
        req,
        snp,
        mem,
        rsp,
        dat,
    };
    let chips = supernode.port_counters().unwrap_or_default();
    let each = names.iter().zip(chips).flat_map(|(chip, ports)| {
        ports.into_iter().enumerate().map(move |(port, counted)| {
            let PortCounters {
                grants,
                stalls_arbitration,
                stalls_credit,
                stalls_lock,
                crc_errors,
                replays,
                timeouts,
                retrains,
                deaths,
                ..
            } = counted;
            CounterFigures {
                chip: chip.clone(),
                port,
                rx_flits: by_class(counted.rx_flits),
                tx_flits: by_class(counted.tx_flits),
                grants,
                stalls_arbitration,
                stalls_credit,
                stalls_lock,
                high_water: by_class(counted.high_water),
                crc_errors,
                replays,
                timeouts,
                retrains,
                deaths,
            }
        })
    });
    each.collect()
}

fn device(node: Option<&Node>) -> &'static str {
    match node {
        Some(Node::Cached { .. }) => "node with cache",
        Some(Node::Memory { .. }) => "memory",
        Some(Node::Io {}) => "node without cache",
        Some(Node::Hostile {}) => "hostile node",
        Some(Node::Core { .. }) => "core",
        Some(Node::Peer { .. }) => "peer",
        None => "nothing",
    }
}

pub(super) fn check(name: &str, meaning: &str, count: u64) -> Check {
    Check {
        name: name.to_string(),
        meaning: meaning.to_string(),
        count,
    }
}

pub(super) fn checks(counts: &CheckCounts) -> Vec<Check> {
    vec![
        check(
            "link_words",
            "link word is legal, in its place and against a credit",
            counts.words,
        ),
        check(
            "packets",
            "packet arrives once, unchanged, in order and fits its transaction",
            counts.packets,
        ),
        check(
            "state_changes",
            "line has one writer or many readers",
            counts.state_changes,
        ),
        check("loads", "load gives the last store", counts.loads),
        check("stores", "store has the right to write", counts.stores),
        check(
            "lines_out",
            "line that leaves a cache holds the last store",
            counts.lines_out,
        ),
        check(
            "memory_accesses",
            "memory reads and writes the last store",
            counts.memory_accesses,
        ),
        check(
            "final_lines",
            "line holds the last store at the end",
            counts.final_lines,
        ),
        check(
            "operations",
            "operation is one that the memory model allows",
            counts.operations,
        ),
    ]
}
