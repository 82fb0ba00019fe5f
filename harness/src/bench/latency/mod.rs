//! Where the cycles of an access go when nothing else moves: a receipt, stage by stage, read from the
//! signals of the model and adding up to what the program waited.

mod probe;
mod sheet;

pub use probe::Place;
pub use sheet::sheet;

use crate::agents::MemoryTiming;
use crate::dut::Variant;
use crate::sim::{Model, Supernode, System};
use crate::{Failure, FailureKind};
use flits::stimulus::{Config, Node};
use probe::Seen;
use std::path::Path;

/// Cycles in which everything before an access has come to rest.
const REST: u64 = 400;

/// A part of an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What the cycles go to.
    pub name: &'static str,
    /// Where the stage ends; `None` at the node that asked.
    pub place: Option<Place>,
    /// Cycles that it takes.
    pub cycles: u64,
}

/// An access and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// A name that stays.
    pub name: &'static str,
    /// The access, for people.
    pub meaning: &'static str,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// Cycles that the program waited: the sum of the stages.
    pub total: u64,
    /// Cycles of these that are the memory's own.
    pub memory: u64,
}

/// An access to measure: how the line comes into the state before it, and its way.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    meaning: &'static str,
    addr: u64,
    prepare: &'static [(usize, Act)],
    /// Whether node 0 stores; else it loads.
    stores: bool,
    way: &'static [Leg],
}

#[derive(Clone, Copy)]
enum Act {
    Load,
    Store,
}

/// From one unit of the switch to another.
#[derive(Clone, Copy)]
enum Leg {
    /// Through the crossbar, and what the unit there then does with it.
    Through(Unit, Unit),
}

/// What is on a port of the crossbar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Node 0, which asks.
    Requester,
    /// Node 1, which has a copy.
    Peer,
    Home,
    Memory,
}

use Leg::Through;
use Unit::{Home, Memory, Peer, Requester};

const KINDS: [Kind; 3] = [
    Kind {
        name: "load_memory",
        meaning: "load that misses, to memory behind the same switch",
        addr: 0x1_0000,
        prepare: &[],
        stores: false,
        way: &[
            Through(Requester, Home),
            Through(Home, Memory),
            Through(Memory, Requester),
        ],
    },
    Kind {
        name: "load_cache",
        meaning: "load of a line that another cache has written",
        addr: 0x2_0000,
        prepare: &[(1, Act::Store)],
        stores: false,
        way: &[
            Through(Requester, Home),
            Through(Home, Peer),
            Through(Peer, Requester),
        ],
    },
    Kind {
        name: "store_shared",
        meaning: "store to a line that another cache shares",
        addr: 0x3_0000,
        prepare: &[(0, Act::Load), (1, Act::Load)],
        stores: true,
        way: &[
            Through(Requester, Home),
            Through(Home, Peer),
            Through(Peer, Home),
            Through(Home, Requester),
        ],
    },
];

/// Measures all kinds on a switch with some ports.
///
/// # Errors
/// As [`Supernode::run`]; if a signal is missing or a stage is not seen.
pub fn receipts(ports: usize) -> Result<Vec<Receipt>, Failure> {
    let setup = |text: String| Failure::new(0, FailureKind::Setup, text);
    let folder = tempfile::tempdir().map_err(|e| setup(e.to_string()))?;
    let file = folder.path().join("latency.vcd");
    let mut sn = Supernode::builder()
        .config(Config::new(ports))
        .model(Model::Rtl(Variant::Wave))
        .vcd(&file)
        .build()?;
    let times = sn.run(|sys| async move {
        let mut times = Vec::new();
        for kind in KINDS {
            times.push(access(&sys, kind).await);
        }
        times
    })?;
    sn.close_vcd()?;
    let each = KINDS.iter().zip(times);
    each.map(|(kind, time)| receipt(&sn, &file, kind, time).map_err(&setup))
        .collect()
}

/// Makes an access when all is at rest: the cycles in which it began and ended.
async fn access(sys: &System, kind: Kind) -> (u64, u64) {
    for &(node, act) in kind.prepare {
        match act {
            Act::Load => {
                sys.node(node).load::<u64>(kind.addr).await;
            }
            Act::Store => sys.node(node).store(kind.addr, 1u64).await,
        }
        sys.idle(REST).await;
    }
    let begin = sys.now();
    if kind.stores {
        sys.node(0).store(kind.addr, 2u64).await;
    } else {
        sys.node(0).load::<u64>(kind.addr).await;
    }
    let end = sys.now();
    sys.idle(REST).await;
    (begin, end)
}

fn receipt(
    sn: &Supernode,
    file: &Path,
    kind: &Kind,
    (begin, end): (u64, u64),
) -> Result<Receipt, String> {
    let stages = way(sn, kind)?;
    let places: Vec<Place> = stages.iter().filter_map(|stage| stage.place).collect();
    let seen = probe::read(file, &places)?;
    let stages = charge(stages, &seen, begin + 1, end + 1)
        .ok_or_else(|| format!("{}: a stage is not in the waveform", kind.name))?;
    let memory = match kind.way.iter().any(|Through(_, to)| *to == Memory) {
        true => own_time(sn, kind)?.into(),
        false => 0,
    };
    Ok(Receipt {
        name: kind.name,
        meaning: kind.meaning,
        stages,
        total: end - begin,
        memory,
    })
}

/// The stages of an access, in order, not measured yet.
fn way(sn: &Supernode, kind: &Kind) -> Result<Vec<Stage>, String> {
    let ports = sn.config().ports;
    let map = sn.address_map();
    let no_place = || format!("{:#x} has no home or no memory", kind.addr);
    let memory = map.memory_of(kind.addr).ok_or_else(no_place)?.0;
    let home = map.home_of(kind.addr).as_home().ok_or_else(no_place)?;
    let index = |unit| match unit {
        Requester => 0,
        Peer => 1,
        Memory => memory,
        Home => ports + home,
    };
    let mut stages = Vec::new();
    let mut stage = |name, place| {
        stages.push(Stage {
            name,
            place,
            cycles: 0,
        });
    };
    for &Through(from, to) in kind.way {
        let (x, y) = (index(from), index(to));
        match from {
            Home => stage("home", Some(Place::Checked(x))),
            unit => {
                let name = match unit {
                    Memory => "memory",
                    Peer => "cache of the peer",
                    _ => "node",
                };
                stage(name, Some(Place::Rx(x)));
                stage("check of the header", Some(Place::Checked(x)));
            }
        }
        stage("route", Some(Place::Routed(x)));
        stage("buffer and crossbar", Some(Place::Tx(y)));
    }
    stage("words after the header", None);
    Ok(stages)
}

/// Gives each stage its cycles, between `begin` and `end`.
fn charge(mut stages: Vec<Stage>, seen: &Seen, begin: u64, end: u64) -> Option<Vec<Stage>> {
    let mut now = begin;
    for stage in &mut stages {
        let reached = match stage.place {
            Some(place) => *seen[&place].iter().find(|&&cycle| cycle >= now)?,
            None => end,
        };
        stage.cycles = reached.checked_sub(now)?;
        now = reached;
    }
    (now == end).then_some(stages)
}

/// The latency of the memory of a line by itself.
fn own_time(sn: &Supernode, kind: &Kind) -> Result<u32, String> {
    let memory = sn.address_map().memory_of(kind.addr).map(|(port, _)| port);
    match memory.and_then(|port| sn.config().nodes.get(port)) {
        Some(Node::Memory { timing }) => Ok(MemoryTiming::from(*timing).latency),
        _ => Err(format!("{:#x} is in no memory", kind.addr)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_adds_up_to_what_the_program_waited() {
        for receipt in receipts(8).expect("all stages are seen") {
            let sum: u64 = receipt.stages.iter().map(|stage| stage.cycles).sum();
            assert_eq!(sum, receipt.total, "{}", receipt.name);
            let rest = receipt.stages.last().expect("stages").cycles;
            assert_eq!(rest, if receipt.name == "store_shared" { 0 } else { 4 });
        }
    }

    #[test]
    fn a_load_from_memory_takes_16_cycles_beyond_the_memory_s_own() {
        let receipts = receipts(8).expect("all stages are seen");
        let load = receipts
            .iter()
            .find(|receipt| receipt.name == "load_memory");
        let load = load.expect("measured");
        assert!(load.total - load.memory <= 16, "{load:?}");
    }
}
