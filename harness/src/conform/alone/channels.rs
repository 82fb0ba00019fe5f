//! Messages under way.

use crate::protocol::model::Agent;
use flits::{Class, Packet};
use std::collections::{BTreeMap, VecDeque};

/// Messages of one line from one to another, in one class: they arrive in the order sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// Who sends.
    pub from: Agent,
    /// Who receives.
    pub to: Agent,
    /// In which class.
    pub class: Class,
    /// Byte address of the line.
    pub line: u64,
}

/// The channels of a system.
#[derive(Default)]
pub(super) struct Channels(BTreeMap<Channel, VecDeque<Packet>>);

impl Channels {
    /// The channels with a message, and the first of each.
    pub(super) fn heads(&self) -> impl Iterator<Item = (Channel, &Packet)> {
        (self.0.iter()).filter_map(|(&channel, queue)| Some((channel, queue.front()?)))
    }

    /// A message sets out.
    pub(super) fn push(&mut self, from: Agent, to: Agent, packet: Packet) {
        let channel = Channel {
            from,
            to,
            class: packet.header.class(),
            line: packet.header.line(),
        };
        self.0.entry(channel).or_default().push_back(packet);
    }

    /// The first message of a channel, taken out.
    pub(super) fn pop(&mut self, channel: Channel) -> Option<Packet> {
        self.0.get_mut(&channel)?.pop_front()
    }
}
