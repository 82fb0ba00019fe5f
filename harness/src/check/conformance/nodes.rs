//! The nodes of a system, as the directories number them.

use crate::protocol::NodeSet;
use flits::{NodeId, Numbering};

/// The nodes of a system.
pub(super) struct Nodes {
    pub(super) numbering: Numbering,
    pub(super) hostile: NodeSet,
}

impl Nodes {
    /// `numbering` is that of the directories.
    pub(super) fn new(numbering: Numbering, hostile: impl Iterator<Item = NodeId>) -> Self {
        let numbers = hostile.filter_map(|id| numbering.port(id));
        Nodes {
            numbering,
            hostile: numbers.fold(NodeSet::default(), |set, node| set.with(node as u8)),
        }
    }

    /// Whether no device is hostile.
    pub(super) fn trusted(&self) -> bool {
        self.hostile.is_empty()
    }

    /// The number of the node with an identifier.
    pub(super) fn number(&self, id: NodeId) -> Option<u8> {
        self.numbering.port(id).map(|port| port as u8)
    }

    /// Those of a chip.
    pub(super) fn of_chip(&self, chip: u16) -> NodeSet {
        let per_chip = self.numbering.per_chip();
        let first = usize::from(chip) * per_chip;
        (first..first + per_chip).fold(NodeSet::default(), |set, port| set.with(port as u8))
    }
}
