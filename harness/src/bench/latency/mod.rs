//! Where the cycles of an access go when nothing else moves: a receipt, stage by stage, read from the
//! signals of the model and adding up to what the program waited.

mod probe;
mod sheet;
mod walk;

pub use sheet::sheet;

use crate::Failure;
use crate::FailureKind;
use crate::agents::MemoryTiming;
use crate::dut::{Variant, vcd_of};
use crate::sim::{Model, Supernode, System};
use flits::stimulus::{Config, Node};
use std::path::Path;
use walk::{Place, Seen, Walk};

/// Cycles in which everything before an access has come to rest.
const REST: u64 = 1_000;

/// A part of an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What the cycles go to; of several chips, on which.
    pub name: String,
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
    /// The first line that may be the one.
    addr: u64,
    prepare: &'static [(Unit, Act)],
    /// Whether the requester stores; else it loads.
    stores: bool,
    /// Units after each other; what is between two of them is switch.
    way: &'static [Unit],
}

#[derive(Clone, Copy)]
enum Act {
    Load,
    Store,
}

/// Who has to do with an access.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Node 0, which asks.
    Requester,
    /// A node that has a copy.
    Peer,
    Home,
    Memory,
}

use Unit::{Home, Memory, Peer, Requester};

const KINDS: [Kind; 3] = [
    Kind {
        name: "load_memory",
        meaning: "load that misses, to memory",
        addr: 0x1_0000,
        prepare: &[],
        stores: false,
        way: &[Requester, Home, Memory, Requester],
    },
    Kind {
        name: "load_cache",
        meaning: "load of a line that another cache has written",
        addr: 0x2_0000,
        prepare: &[(Peer, Act::Store)],
        stores: false,
        way: &[Requester, Home, Peer, Requester],
    },
    Kind {
        name: "store_shared",
        meaning: "store to a line that another cache shares",
        addr: 0x3_0000,
        prepare: &[(Requester, Act::Load), (Peer, Act::Load)],
        stores: true,
        way: &[Requester, Home, Peer, Home, Requester],
    },
];

/// The line of an access and where its units are.
#[derive(Clone, Copy)]
struct Cast {
    addr: u64,
    /// Device number of the node with a copy.
    peer: usize,
    home: Place,
    /// Device number of the memory.
    memory: usize,
}

impl Cast {
    /// Of one switch, the kind's own line. Of several, the first line after it whose home and memory
    /// are on chips that are neither the requester's nor, with enough chips, the same; the peer is
    /// on one more.
    fn of(sn: &Supernode, kind: &Kind) -> Option<Cast> {
        let (map, topology) = (sn.address_map(), sn.topology());
        let leaves = topology.leaves();
        let per_chip = topology.numbering().per_chip();
        let apart = |chips: &[usize]| {
            let least = leaves.min(chips.len());
            let mut different = chips.to_vec();
            different.sort_unstable();
            different.dedup();
            chips[1..]
                .iter()
                .all(|&chip| leaves == 1 || chip != chips[0])
                && different.len() >= least
        };
        (0..1 << 12)
            .map(|line| kind.addr + 64 * line)
            .find_map(|addr| {
                let (id, (memory, _)) = (map.home_of(addr), map.memory_of(addr)?);
                let chip = usize::from(id.chip());
                let peer = *(sn.processors().iter())
                    .find(|&&port| port != 0 && apart(&[0, chip, port / per_chip]))?;
                apart(&[0, chip, memory / per_chip]).then_some(Cast {
                    addr,
                    peer,
                    home: Place {
                        chip,
                        port: topology.chips()[chip].ports + id.as_home()?,
                        device: None,
                    },
                    memory,
                })
            })
    }

    /// The device number of a unit; a home has none.
    fn device(&self, unit: Unit) -> Option<usize> {
        match unit {
            Requester => Some(0),
            Peer => Some(self.peer),
            Memory => Some(self.memory),
            Home => None,
        }
    }

    fn place(&self, unit: Unit, per_chip: usize) -> Place {
        match self.device(unit) {
            Some(device) => Place {
                chip: device / per_chip,
                port: device % per_chip,
                device: Some(device),
            },
            None => self.home,
        }
    }
}

/// Measures all kinds on a system whose nodes are those of [`Config::new`] or [`Config::tiers`].
///
/// # Errors
/// As [`Supernode::run`]; if a signal is missing or a stage is not seen.
pub fn receipts(config: Config) -> Result<Vec<Receipt>, Failure> {
    let setup = |text: String| Failure::new(0, FailureKind::Setup, text);
    let folder = tempfile::tempdir().map_err(|e| setup(e.to_string()))?;
    let file = folder.path().join("latency.vcd");
    let mut sn = Supernode::builder()
        .config(config)
        .model(Model::Rtl(Variant::Wave))
        .log_packets(true)
        .vcd(&file)
        .build()?;
    let cast = |kind| Cast::of(&sn, kind).ok_or_else(|| setup("no line is far enough away".into()));
    let casts: Vec<Cast> = KINDS.iter().map(cast).collect::<Result<_, _>>()?;
    let times = {
        let casts = casts.clone();
        sn.run(|sys| async move {
            // Links train first.
            sys.idle(REST).await;
            let mut times = Vec::new();
            for (kind, cast) in KINDS.iter().zip(&casts) {
                times.push(access(&sys, kind, cast).await);
            }
            times
        })?
    };
    sn.close_vcd()?;
    let files: Vec<_> = match sn.topology().chips().len() {
        1 => vec![file],
        chips => (0..chips).map(|chip| vcd_of(&file, chip)).collect(),
    };
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let seen = Seen::read(&sn, &files).map_err(setup)?;
    let each = KINDS.iter().zip(casts.iter().zip(times));
    each.map(|(kind, (cast, time))| receipt(&sn, &seen, kind, cast, time).map_err(setup))
        .collect()
}

/// Makes an access when all is at rest: the cycles in which it began and ended.
async fn access(sys: &System, kind: &Kind, cast: &Cast) -> (u64, u64) {
    for &(unit, act) in kind.prepare {
        let node = sys.node(cast.device(unit).unwrap_or(0));
        match act {
            Act::Load => {
                node.load::<u64>(cast.addr).await;
            }
            Act::Store => node.store(cast.addr, 1u64).await,
        }
        sys.idle(REST).await;
    }
    let begin = sys.now();
    if kind.stores {
        sys.node(0).store(cast.addr, 2u64).await;
    } else {
        sys.node(0).load::<u64>(cast.addr).await;
    }
    let end = sys.now();
    sys.idle(REST).await;
    (begin, end)
}

fn receipt(
    sn: &Supernode,
    seen: &Seen,
    kind: &Kind,
    cast: &Cast,
    (begin, end): (u64, u64),
) -> Result<Receipt, String> {
    let per_chip = sn.topology().numbering().per_chip();
    // The first cycle that the switch sees of it is the one after it was asked.
    let mut walk = Walk::new(sn.topology(), seen, begin + 1);
    for leg in kind.way.windows(2) {
        let (from, to) = (cast.place(leg[0], per_chip), cast.place(leg[1], per_chip));
        let name = match leg[0] {
            Memory => "memory",
            Peer => "cache of the peer",
            Requester => "node",
            Home => "home",
        };
        walk.through(name, from, to)
            .map_err(|what| format!("{}: {what}", kind.name))?;
    }
    let stages = (walk.end("words after the header", end + 1))
        .ok_or_else(|| format!("{}: the stages take longer than the access", kind.name))?;
    let memory = match kind.way.contains(&Memory) {
        true => own_time(sn, cast.memory)?.into(),
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

/// The latency of a memory by itself.
fn own_time(sn: &Supernode, memory: usize) -> Result<u32, String> {
    match sn.config().nodes.get(memory) {
        Some(Node::Memory { timing }) => Ok(MemoryTiming::from(*timing).latency),
        _ => Err(format!("device {memory} is no memory")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flits::stimulus::LinkErrors;

    fn sum(receipt: &Receipt) -> u64 {
        receipt.stages.iter().map(|stage| stage.cycles).sum()
    }

    #[test]
    fn a_receipt_adds_up_to_what_the_program_waited() {
        for receipt in receipts(Config::new(8)).expect("all stages are seen") {
            assert_eq!(sum(&receipt), receipt.total, "{}", receipt.name);
            let rest = receipt.stages.last().expect("stages").cycles;
            assert_eq!(rest, if receipt.name == "store_shared" { 0 } else { 4 });
        }
    }

    #[test]
    fn a_receipt_over_two_tiers_and_links_names_every_chip_and_link_and_adds_up() {
        let mut config = Config::tiers(4, 4, 2);
        config.link_errors = Some(LinkErrors::default());
        for receipt in receipts(config).expect("all stages are seen") {
            assert_eq!(sum(&receipt), receipt.total, "{receipt:?}");
            let count = |part: &str| {
                let stages = receipt.stages.iter();
                stages.filter(|stage| stage.name.contains(part)).count()
            };
            // Requester to home, home to the other, and back: each over a spine, and to or from
            // the devices' own links.
            let legs = if receipt.name == "store_shared" { 4 } else { 3 };
            assert_eq!(
                count("spine") - count("link to spine"),
                3 * legs,
                "{receipt:?}"
            );
            assert_eq!(count("link"), 2 * legs + 4, "{receipt:?}");
            for stage in receipt
                .stages
                .iter()
                .filter(|stage| stage.name.contains("link"))
            {
                assert_eq!(stage.cycles, 2, "{receipt:?}");
            }
        }
    }

    #[test]
    fn a_load_from_memory_takes_16_cycles_beyond_the_memory_s_own() {
        let receipts = receipts(Config::new(8)).expect("all stages are seen");
        let load = receipts
            .iter()
            .find(|receipt| receipt.name == "load_memory");
        let load = load.expect("measured");
        assert!(load.total - load.memory <= 16, "{load:?}");
    }
}
