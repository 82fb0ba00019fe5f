//! Conformance: every home of the switch beside the home of the specification.
//!
//! What a home takes, in the order in which it takes it, is given to [`crate::protocol::home`], and
//! what that sends must be what the home sends. `dut/view.rs` says what is seen of a home:
//!
//! * words that come: requests, line by line in the order of their arrival, and the data of answers;
//! * the action stage: whose turn has come and what the directory says of the line, which answer is
//!   taken, and what the directory says when the transaction ends;
//! * each SnpResp and CompAck that is taken at a port, where the SnpResp of a chip speaks for all its
//!   nodes;
//! * words that leave: a recall is known by its snoop, all others are compared.
//!
//! A request must be served in its turn; each packet must be the next that the specification sends
//! for that transaction, to the same nodes, with the same state, status and data; when a transaction
//! ends the specification's must be over, everything sent, and the directory the same.
//!
//! * `home`: one home, its lines and its transactions; `nodes`: how directories number the nodes;
//! * `packet`: words into packets, and a packet against what the specification sends;
//! * `text`: inputs, outputs and directories in a failure.
//!
//! Not compared are transactions with an answer that the home made up because a link is dead, which
//! the specification does not know of, and those with a hostile device, which may say anything; their
//! directory is taken over at the end.

mod home;
mod nodes;
mod packet;
#[cfg(test)]
mod tests;
mod text;

use super::Verdict;
use crate::dut::HomeView;
use crate::protocol::pairs::Pairs;
use flits::{NodeId, Numbering};
use home::Home;
use nodes::Nodes;
use std::collections::BTreeMap;

/// All homes of a system.
pub(crate) struct Conformance {
    nodes: Nodes,
    homes: BTreeMap<NodeId, Home>,
    /// Inputs given to the specification.
    pub(crate) inputs: u64,
}

impl Conformance {
    /// Homes that have just been reset, whose directories number the nodes so; `hostile` are those
    /// that may send anything.
    pub(crate) fn new(numbering: Numbering, hostile: impl Iterator<Item = NodeId>) -> Self {
        Conformance {
            nodes: Nodes::new(numbering, hostile),
            homes: BTreeMap::new(),
            inputs: 0,
        }
    }

    /// What home slice `slice` of a chip took and sent at one clock edge.
    pub(crate) fn edge(&mut self, chip: usize, slice: usize, view: &HomeView) -> Verdict {
        let id = NodeId::home(slice as u16).on_chip(chip as u16);
        let home = self.homes.entry(id).or_insert_with(|| Home::new(id));
        let before = home.inputs;
        let verdict = home.edge(&self.nodes, view);
        self.inputs += home.inputs - before;
        verdict
    }

    /// Which states met which inputs.
    pub(crate) fn pairs(&self) -> Pairs {
        let mut all = Pairs::default();
        self.homes.values().for_each(|home| all.add(&home.pairs));
        all
    }

    /// The run has ended and the switch is quiet: the specification has sent nothing more.
    pub(crate) fn end(&self) -> Verdict {
        // A hostile device may keep a home from sending.
        match self.nodes.trusted() {
            true => self.homes.values().try_for_each(Home::end),
            false => Ok(()),
        }
    }
}
