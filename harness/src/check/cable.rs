//! Monitor of the cables between chips: every word in each direction.
//!
//! Packets are whole and not mixed within a class, headers are legal, none is in the name of a node
//! of the chip that it comes to, and no word is sent without a credit.

use std::collections::BTreeMap;

use flits::{Assembler, Class, LinkWord};

use super::{Verdict, violation};
use crate::FailureKind;
use crate::topology::{End, Topology};

/// One direction of a cable.
struct Lane {
    /// From where to where, for people.
    name: String,
    /// Number of the chip that it leads to.
    to: u16,
    /// Credits that the sender holds, by class.
    credits: [u32; Class::ALL.len()],
    assembler: Assembler,
}

/// Both directions of every cable, by the port that sends.
pub(super) struct Cables {
    lanes: BTreeMap<End, Lane>,
    /// Who sends to each port.
    senders: BTreeMap<End, End>,
    /// Credits that a chip grants for each class.
    depth: u32,
}

impl Cables {
    /// `topology` is `None` where links are on the cables, which see to all of this themselves.
    pub(super) fn new(topology: Option<&Topology>, depth: u32) -> Self {
        let cables = topology.map_or(&[][..], Topology::cables);
        let both = cables.iter().flat_map(|&[a, b]| [(a, b), (b, a)]);
        let chip = |end: End| topology.map_or("", |topology| &topology.chips()[end.chip].name);
        let name = |end: End| format!("{} port {}", chip(end), end.port);
        let lane = |(from, to): (End, End)| {
            let lane = Lane {
                name: format!("cable from {} to {}", name(from), name(to)),
                to: to.chip as u16,
                credits: [0; Class::ALL.len()],
                assembler: Assembler::new(),
            };
            (from, lane)
        };
        Cables {
            lanes: both.clone().map(lane).collect(),
            senders: both.map(|(from, to)| (to, from)).collect(),
            depth,
        }
    }

    /// The chip at `end` grants the other end a credit for each class whose bit is set.
    pub(super) fn credit(&mut self, end: End, mask: u8) -> Verdict {
        // A port with nothing on it grants its credits to nobody.
        let Some(lane) = self
            .senders
            .get(&end)
            .and_then(|from| self.lanes.get_mut(from))
        else {
            return Ok(());
        };
        for class in Class::ALL {
            let credits = &mut lane.credits[class as usize];
            *credits += u32::from(mask >> class.code() & 1);
            if *credits > self.depth {
                let what = format!("{class} has {credits} credits for {} buffers", self.depth);
                return wrong(&lane.name, &what);
            }
        }
        Ok(())
    }

    /// The chip at `end` sends a word.
    pub(super) fn word(&mut self, end: End, word: &LinkWord) -> Verdict {
        let Some(lane) = self.lanes.get_mut(&end) else {
            if self.lanes.is_empty() {
                return Ok(());
            }
            return wrong(
                &format!("{end:?}"),
                &format!("{word}, but no cable is here"),
            );
        };
        let credits = &mut lane.credits[word.class as usize];
        match credits.checked_sub(1) {
            Some(left) => *credits = left,
            None => return wrong(&lane.name, &format!("a word without a credit: {word}")),
        }
        match lane.assembler.push(*word) {
            Ok(None) => Ok(()),
            Ok(Some(packet)) if packet.header.src.chip() == lane.to => {
                let what = format!("{} comes back to the chip of its source", packet.header);
                wrong(&lane.name, &what)
            }
            Ok(Some(_)) => Ok(()),
            Err(error) => wrong(&lane.name, &format!("{error} ({word})")),
        }
    }

    /// At the end: no packet is cut and every credit is with its sender.
    pub(super) fn end(&self) -> Verdict {
        for lane in self.lanes.values() {
            if lane.assembler.is_inside() {
                return wrong(&lane.name, "a packet has no end");
            }
            if lane.credits.iter().any(|&have| have != self.depth) {
                let what = format!("not all credits came back: {:?}", lane.credits);
                return wrong(&lane.name, &what);
            }
        }
        Ok(())
    }
}

fn wrong(name: &str, what: &str) -> Verdict {
    Err(violation(FailureKind::Link, format!("{name}: {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flits::stimulus::Tiers;
    use flits::{Header, NodeId, Opcode};

    const UP: End = End { chip: 0, port: 4 };
    const SPINE: End = End { chip: 2, port: 0 };

    fn cables() -> Cables {
        let tiers = Tiers {
            leaves: 2,
            spines: 1,
        };
        let topology = Topology::tiers(4, tiers).expect("a system");
        let mut cables = Cables::new(Some(&topology), 1);
        for end in [SPINE, UP] {
            assert!(cables.credit(end, 0b1_1111).is_ok());
        }
        cables
    }

    fn comp(from_chip: u16) -> LinkWord {
        let header = Header {
            src: NodeId::port(0).on_chip(from_chip),
            ..Header::new(Opcode::Comp)
        };
        LinkWord {
            class: Class::Rsp,
            head: true,
            tail: true,
            flit: header.encode(),
        }
    }

    #[test]
    fn words_without_credits_and_credits_without_buffers_are_found() {
        let mut cables = cables();
        assert!(cables.word(UP, &comp(0)).is_ok());
        assert!(cables.word(UP, &comp(0)).is_err());
        assert!(cables.credit(UP, 1).is_err());
    }

    #[test]
    fn a_packet_that_comes_back_and_one_that_is_torn_are_found() {
        assert!(cables().word(SPINE, &comp(1)).is_ok());
        assert!(cables().word(SPINE, &comp(0)).is_err());
        let body = LinkWord {
            head: false,
            ..comp(1)
        };
        assert!(cables().word(SPINE, &body).is_err());
        assert!(cables().word(End { chip: 0, port: 7 }, &comp(1)).is_err());
    }
}
