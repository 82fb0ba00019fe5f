//! What seldom happens to a message: refused, failed, answered in another name, or sent unasked.

use super::channels::Channel;
use super::{Alone, MEMORY, numbering};
use crate::Failure;
use crate::agents::memory_answer;
use crate::dut::{HOME_PORTS, PortAnswer};
use crate::protocol::model::Agent;
use flits::{Header, NodeId, Opcode, RespErr};

/// The chip itself, which may answer a snoop for all its nodes at once.
const CHIP: u16 = 31;

impl Alone {
    /// A node answers a snoop of this tracker that it never got: the home must drop that. Does nothing
    /// if it has got one.
    pub fn stray(&mut self, node: u8, tracker: u16) {
        let port = usize::from(node);
        // What it has answered by the link it owes until the home has read that.
        let open = self.snooped.contains(&(tracker, node)) || !self.slice.is_still();
        if self.slice.is_free(port) && !open {
            let (src, ack) = (numbering().node(port), None);
            self.slice.stray(port, PortAnswer { src, tracker, ack });
            self.tell(format_args!(
                "node {node} -> home: SnpResp to tracker {tracker}, unasked"
            ));
        }
    }

    /// The chip answers for all nodes that were snooped of a line, as another chip does; not until each
    /// of them has answered, and only if none has more to say.
    pub fn merge(&mut self, line: u64) {
        let answers: Vec<(Channel, u16)> = (self.channels.heads())
            .filter(|(channel, _)| channel.to == Agent::Home && channel.line == line)
            .filter(|(_, packet)| packet.header.opcode == Opcode::SnpResp)
            .map(|(channel, packet)| (channel, packet.header.txn))
            .collect();
        let Some(&(_, tracker)) = answers.first() else {
            return;
        };
        let owed = self.snooped.iter().filter(|snoop| snoop.0 == tracker);
        // Nor does a node speak for itself in the same cycle.
        let free = (0..HOME_PORTS).all(|port| self.slice.is_free(port));
        if owed.count() != answers.len() || !free {
            return;
        }
        for (channel, _) in answers {
            // It is there, as it has just been seen.
            let _ = self.take(channel, ", in the name of the chip");
        }
        self.snooped.retain(|snoop| snoop.0 != tracker);
        let (src, ack) = (NodeId::try_from(CHIP).unwrap_or_default(), None);
        self.slice.answer(0, PortAnswer { src, tracker, ack });
    }

    /// The memory cannot do what the first message of a channel asks.
    ///
    /// # Errors
    /// There is none.
    pub fn fail(&mut self, channel: Channel) -> Result<(), Failure> {
        let asked = self.take(channel, ", which memory cannot do")?.header;
        let done = memory_answer(MEMORY, &asked, false);
        let header = Header {
            src: MEMORY,
            dst: done.dst,
            txn: done.txn,
            addr: asked.addr,
            resp: RespErr::DataError,
            home_node: done.home_node,
            home_txn: done.home_txn,
            ..Header::new(Opcode::Comp)
        };
        self.send(Agent::Memory, header, flits::Payload::new())
    }

    /// The way into the switch refuses the first request of a channel.
    ///
    /// # Errors
    /// There is none.
    pub fn refuse(&mut self, channel: Channel) -> Result<(), Failure> {
        let asked = self.take(channel, ", refused")?.header;
        let header = Header {
            src: asked.src,
            dst: asked.src,
            txn: asked.txn,
            addr: asked.addr,
            resp: RespErr::DataError,
            ..Header::new(Opcode::Comp)
        };
        self.send(Agent::Ingress, header, flits::Payload::new())
    }
}
