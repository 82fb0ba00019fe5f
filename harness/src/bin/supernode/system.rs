//! Options that say what system a command runs on.

use clap::{Args, ValueEnum, value_parser};
use flits::stimulus::{Config, PORTS};
use harness::litmus::MemoryModel;

/// One switch, or chips in two tiers.
#[derive(Args)]
pub struct System {
    /// Ports of the switch: 4, 8 or 16.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = ports)]
    ports: usize,
    /// Run on several chips in two tiers, with this many leaves (2, 4 or 8).
    #[arg(long, value_name = "N", conflicts_with = "ports", value_parser = value_parser!(u8).range(2..=8))]
    leaves: Option<u8>,
    /// Nodes on each leaf, one of them a memory (2 to 8).
    #[arg(long, value_name = "N", default_value_t = 4, requires = "leaves", value_parser = value_parser!(u8).range(2..=8))]
    nodes_per_leaf: u8,
    /// Chips between the leaves (1 to 8).
    #[arg(long, value_name = "N", default_value_t = 2, requires = "leaves", value_parser = value_parser!(u8).range(1..=8))]
    spines: u8,
}

impl System {
    /// Its configuration.
    pub fn config(&self) -> Config {
        match self.leaves {
            Some(leaves) => {
                let sizes = [leaves, self.nodes_per_leaf, self.spines];
                let [leaves, per_leaf, spines] = sizes.map(usize::from);
                Config::tiers(leaves, per_leaf, spines)
            }
            None => Config::new(self.ports),
        }
    }

    /// Number of its chips.
    pub fn chips(&self) -> usize {
        let tiers = |leaves| usize::from(leaves) + usize::from(self.spines);
        self.leaves.map_or(1, tiers)
    }
}

/// A kind of node, or the memory model that it has.
#[derive(Clone, Copy, ValueEnum)]
pub enum NodeKind {
    /// In order: sequential consistency.
    Sc,
    /// With a store buffer: total store order.
    Tso,
}

impl From<NodeKind> for MemoryModel {
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Sc => MemoryModel::Sc,
            NodeKind::Tso => MemoryModel::Tso,
        }
    }
}

/// Reads a number of ports.
pub fn ports(text: &str) -> Result<usize, String> {
    let ports = text.parse().ok().filter(|ports| PORTS.contains(ports));
    ports.ok_or_else(|| "a switch has 4, 8 or 16 ports".to_string())
}
