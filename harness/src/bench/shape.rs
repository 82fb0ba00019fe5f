//! The systems that benches run on.

use crate::Failure;
use crate::sim::Supernode;
use flits::stimulus::{Config, Node};

/// A system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One switch with so many ports.
    Single(usize),
    /// So many leaves, devices on each, and spines.
    Tiers(usize, usize, usize),
}

impl Shape {
    /// The default devices on it.
    pub fn config(self) -> Config {
        match self {
            Shape::Single(ports) => Config::new(ports),
            Shape::Tiers(leaves, devices, spines) => Config::tiers(leaves, devices, spines),
        }
    }

    /// What people call it.
    pub fn name(self) -> String {
        match self {
            Shape::Single(ports) => format!("1 switch, {ports} ports"),
            Shape::Tiers(leaves, devices, spines) => {
                format!("{leaves} leaves x {devices}, {spines} spines")
            }
        }
    }
}

/// Builds a system with the fast model and all checks.
pub(super) fn build(config: Config, seed: u64) -> Result<Supernode, Failure> {
    Supernode::builder().config(config).seed(seed).build()
}

/// The ports of the nodes with caches.
pub(super) fn cached(config: &Config) -> Vec<usize> {
    let nodes = config.nodes.iter().enumerate();
    nodes
        .filter(|(_, node)| matches!(node, Node::Cached { .. }))
        .map(|(port, _)| port)
        .collect()
}
