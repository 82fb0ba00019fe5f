//! Addresses: the shape of what the programs of a run ask for x the configuration.
//!
//! The shape is read off the addresses themselves, so that it does not matter who has drawn them; the
//! names are those of `flits::strategies::Shape`.

use std::collections::{BTreeMap, BTreeSet};

use flits::layout::LINE_BYTES;

use super::{Group, Hits};
use crate::check::{CheckConfig, PortKind};
use crate::dut::TIGHT_PORTS;

const NAME: &str = "shapes";

const SHAPES: [&str; 6] = [
    "hot line",
    "false sharing",
    "few sets, many tags",
    "many sets, few tags",
    "streaming",
    "uniform",
];
const CONFIGURATIONS: [&str; 6] = ["4 ports", "tight", "8 ports", "16 ports", "tiers", "links"];

/// Lines that are this far apart share a set of every cache and directory.
const SET_STRIDE: u64 = 1024;
/// Lines that are kept; a run of more is uniform or streams.
const MOST: usize = 4096;

/// The bins.
pub fn group() -> Group {
    let bins = SHAPES
        .iter()
        .flat_map(|shape| CONFIGURATIONS.map(|config| format!("{shape} on {config}")));
    Group {
        name: NAME,
        about: "shape of the addresses of a run x configuration",
        bins: bins.collect(),
    }
}

/// What the nodes have asked for.
pub(super) struct Shapes {
    configuration: Option<&'static str>,
    /// By node, in order, as far as they are kept.
    lines: BTreeMap<usize, Vec<u64>>,
    kept: usize,
}

impl Shapes {
    pub(super) fn new(config: &CheckConfig) -> Shapes {
        let caches = config.kinds.contains(&PortKind::Cached);
        let chips = config
            .cables
            .as_ref()
            .map(|topology| topology.chips().len());
        let tight = config.switch_depth <= 4;
        let configuration = match (chips, config.kinds.len()) {
            (None, _) => Some("links"),
            (Some(2..), _) => Some("tiers"),
            (Some(_), TIGHT_PORTS) if tight => Some("tight"),
            (Some(_), 4) => Some("4 ports"),
            (Some(_), 8) => Some("8 ports"),
            (Some(_), 16) => Some("16 ports"),
            _ => None,
        };
        Shapes {
            configuration: configuration.filter(|_| caches),
            lines: BTreeMap::new(),
            kept: 0,
        }
    }

    pub(super) fn access(&mut self, node: usize, addr: u64) {
        if self.configuration.is_some() && self.kept < MOST {
            self.kept += 1;
            self.lines
                .entry(node)
                .or_default()
                .push(addr / LINE_BYTES as u64);
        }
    }

    pub(super) fn finish(&mut self, hits: &mut Hits) {
        if let (Some(configuration), Some(shape)) = (self.configuration, shape(&self.lines)) {
            hits.hit(NAME, format_args!("{shape} on {configuration}"));
        }
    }
}

/// The shape of the lines of a run; of a few accesses, or of one node only, there is none.
pub(super) fn shape(by_node: &BTreeMap<usize, Vec<u64>>) -> Option<&'static str> {
    let count: usize = by_node.values().map(Vec::len).sum();
    let lines: BTreeSet<u64> = by_node.values().flatten().copied().collect();
    if count < 8 || by_node.len() < 2 {
        return None;
    }
    let sets: BTreeSet<u64> = lines.iter().map(|line| line % SET_STRIDE).collect();
    let ascends = |lines: &Vec<u64>| lines.windows(2).filter(|w| w[0] <= w[1]).count();
    let rising: usize = by_node.values().map(ascends).sum();
    let pairs = count - by_node.len();
    let index = match (lines.len(), sets.len()) {
        (1, _) => 0,
        (2, _) => 1,
        // Nearly every access goes on from the last, line by line.
        _ if 10 * rising >= 9 * pairs && lines.len() >= 4 => 4,
        (lines, sets) if sets <= 2 || 4 * sets <= lines => 2,
        (lines, sets) if lines > sets && 2 * sets >= lines => 3,
        _ => 5,
    };
    Some(SHAPES[index])
}
