//! Where the cycles of an access go when nothing else moves: a receipt, stage by stage, read from the
//! signals of the model and adding up to what the program waited.

mod cast;
mod probe;
mod sheet;
mod walk;

pub use cast::{Leaf, Placement};
pub use sheet::{sheet, summary};

use crate::Failure;
use crate::FailureKind;
use crate::agents::MemoryTiming;
use crate::dut::{Variant, vcd_of};
use crate::sim::{Model, Supernode, System};
use cast::{Act, Cast, KINDS, Kind, Unit};
use flits::stimulus::{Config, Node};
use std::path::Path;
use walk::{Seen, Walk};

/// Cycles in which links train.
const TRAINING: u64 = 1_000;
/// Cycles in which everything before an access has come to rest.
const REST: u64 = 400;
/// Bytes between the lines of two accesses, so that no access finds another's.
const SPACING: u64 = 0x1_0000;

/// What the cycles of a stage are spent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The requester itself.
    Node,
    /// Links with CRC and replay.
    Link,
    /// Checks, routes, buffers and crossbars.
    Fabric,
    /// The home.
    Home,
    /// The cache of another node.
    Cache,
    /// The memory.
    Memory,
    /// The words of a line after its header.
    Words,
}

impl Part {
    /// All, in the order in which they are shown.
    pub const ALL: [Part; 7] = [
        Part::Node,
        Part::Link,
        Part::Fabric,
        Part::Home,
        Part::Cache,
        Part::Memory,
        Part::Words,
    ];
}

/// A stretch of an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What the cycles go to; of several chips, on which.
    pub name: String,
    /// The same, roughly.
    pub part: Part,
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
    /// Where its units are; of a hit, where nobody but the requester has to do with it, nothing.
    pub placement: Option<Placement>,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// Cycles that the program waited: the sum of the stages.
    pub total: u64,
    /// Cycles of these that are the memory's own.
    pub memory: u64,
}

impl Receipt {
    /// Cycles of all stages of a kind.
    pub fn of(&self, part: Part) -> u64 {
        let stages = self.stages.iter().filter(|stage| stage.part == part);
        stages.map(|stage| stage.cycles).sum()
    }

    /// Cycles from the request at the home to the first packet that the home sends because of it.
    pub fn at_home(&self) -> Option<u64> {
        let home = self.stages.iter().find(|stage| stage.part == Part::Home);
        home.map(|stage| stage.cycles)
    }
}

/// Measures all accesses on a system whose nodes are those of [`Config::new`] or [`Config::tiers`]:
/// those that leave the cache once for each [`Placement`].
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
    let leaves = sn.topology().leaves();
    let each = |kind: &'static Kind| {
        let count = if kind.hits() { 1 } else { usize::MAX };
        let placements = Placement::all(leaves).take(count);
        placements.map(move |placement| (kind, placement))
    };
    let mut cases = Vec::new();
    for (case, (kind, placement)) in (1..).zip(KINDS.iter().flat_map(each)) {
        let cast = Cast::of(&sn, kind, placement, SPACING * case)
            .ok_or_else(|| setup(format!("{}: no line has its units there", kind.name)))?;
        cases.push((kind, placement, cast));
    }
    let times = {
        let cases = cases.clone();
        sn.run(|sys| async move {
            sys.idle(TRAINING).await;
            let mut times = Vec::new();
            for (kind, _, cast) in &cases {
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
    let receipt = |((kind, placement, cast), (begin, end)): ((&'static Kind, _, Cast), _)| {
        let stages = stages(&sn, &seen, kind, &cast, begin, end).map_err(setup)?;
        let memory = match kind.way.contains(&Unit::Memory) {
            true => own_time(&sn, cast.device(Unit::Memory)).map_err(setup)?,
            false => 0,
        };
        Ok(Receipt {
            name: kind.name,
            meaning: kind.meaning,
            placement: (!kind.hits()).then_some(placement),
            stages,
            total: end - begin,
            memory,
        })
    };
    cases.into_iter().zip(times).map(receipt).collect()
}

/// Makes an access when all is at rest, and undoes it: the cycles in which it began and ended.
async fn access(sys: &System, kind: &Kind, cast: &Cast) -> (u64, u64) {
    for &(unit, act) in kind.prepare {
        perform(sys, unit, act, cast).await;
        sys.idle(REST).await;
    }
    let begin = sys.now();
    perform(sys, Unit::Requester, kind.act, cast).await;
    let end = sys.now();
    sys.idle(REST).await;
    for unit in [Unit::Requester, Unit::Peer, Unit::Third] {
        let node = sys.node(cast.device(unit).unwrap_or(0));
        node.evict(cast.addr).await;
    }
    sys.idle(REST).await;
    (begin, end)
}

async fn perform(sys: &System, unit: Unit, act: Act, cast: &Cast) {
    let node = sys.node(cast.device(unit).unwrap_or(0));
    match act {
        Act::Load => {
            node.load::<u64>(cast.addr).await;
        }
        Act::Store => node.store(cast.addr, 1u64).await,
    }
}

/// The stages of an access.
fn stages(
    sn: &Supernode,
    seen: &Seen,
    kind: &Kind,
    cast: &Cast,
    begin: u64,
    end: u64,
) -> Result<Vec<Stage>, String> {
    let per_chip = sn.topology().numbering().per_chip();
    // The first cycle that the switch sees of it is the one after it was asked.
    let mut walk = Walk::new(sn.topology(), seen, begin + 1);
    for leg in kind.way.windows(2) {
        let (from, to) = (cast.place(leg[0], per_chip), cast.place(leg[1], per_chip));
        // On these ways a node tells the home only that it holds the line no more.
        let at_port = leg[1] == Unit::Home && leg[0] != Unit::Requester;
        walk.through(leg[0].stage(), from, to, at_port)
            .map_err(|what| format!("{}: {what}", kind.name))?;
    }
    let (last, part) = match kind.hits() {
        true => ("own cache", Part::Node),
        false => ("words after the header", Part::Words),
    };
    walk.end(last, part, end + 1)
        .ok_or_else(|| format!("{}: the stages take longer than the access", kind.name))
}

/// The latency of a memory by itself.
fn own_time(sn: &Supernode, memory: Option<usize>) -> Result<u64, String> {
    match memory.and_then(|memory| sn.config().nodes.get(memory)) {
        Some(Node::Memory { timing }) => Ok(MemoryTiming::from(*timing).latency.into()),
        _ => Err(format!("device {memory:?} is no memory")),
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
            // A line has four words after its header; a permission and a hit bring none. An owner
            // that gives a line up puts its answer to the home between them.
            let words = match receipt.name {
                "load_hit" | "store_hit" | "store_shared" => 0,
                "store_cache" => 5,
                _ => 4,
            };
            assert_eq!(receipt.of(Part::Words), words, "{}", receipt.name);
        }
    }

    #[test]
    fn a_receipt_over_two_tiers_and_links_names_every_chip_and_link_and_adds_up() {
        let mut config = Config::tiers(4, 4, 2);
        config.link_errors = Some(LinkErrors::default());
        let receipts = receipts(config).expect("all stages are seen");
        for receipt in &receipts {
            assert_eq!(sum(receipt), receipt.total, "{receipt:?}");
        }
        let farthest = |placement: Option<Placement>| placement.is_some_and(Placement::is_farthest);
        let far = receipts
            .iter()
            .filter(|receipt| farthest(receipt.placement));
        for receipt in far {
            let count = |part: &str| {
                let stages = receipt.stages.iter();
                stages.filter(|stage| stage.name.contains(part)).count()
            };
            // Requester to home, home to the other, and back: each over a spine, and to or from
            // the devices' own links.
            let legs = match receipt.name {
                "store_shared" => 4,
                "store_others" => 5,
                _ => 3,
            };
            assert_eq!(
                count("spine") - count("link to spine"),
                3 * legs,
                "{receipt:?}"
            );
            // Each leg has two links between chips, and every device two of its own.
            let devices = if receipt.name == "store_others" { 3 } else { 2 };
            assert_eq!(count("link"), 2 * legs + 2 * devices, "{receipt:?}");
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
