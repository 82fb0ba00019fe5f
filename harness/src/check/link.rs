//! Link monitor: every word of every port and direction.
//!
//! Packets are whole and not mixed within a class, headers are legal, opcodes are those that may
//! travel this way, source and destination are right, and no word is sent without a credit.

use flits::{Assembler, Class, Header, LinkWord, NodeId, Opcode, Packet};

use super::{Direction, PortKind, Verdict, Violation, violation};
use crate::FailureKind;
use crate::dut::bits;

/// One direction of one port.
struct Lane {
    /// Credits that the sender holds, by class.
    credits: [u32; Class::ALL.len()],
    /// The most that it may hold of a class: what the receiver granted after reset.
    depth: u32,
    assembler: Assembler,
}

/// Both directions of one port.
pub(super) struct Port {
    port: usize,
    node: NodeId,
    kind: PortKind,
    lanes: [Lane; 2],
}

impl Port {
    /// `depths`: credits that the switch and the device grant for each class.
    pub(super) fn new(port: usize, node: NodeId, kind: PortKind, depths: [u32; 2]) -> Self {
        let lane = |depth| Lane {
            credits: [0; Class::ALL.len()],
            depth,
            assembler: Assembler::new(),
        };
        Port {
            port,
            node,
            kind,
            lanes: depths.map(lane),
        }
    }

    /// The receiver of `direction` grants a credit for each class whose bit is set.
    pub(super) fn credit(&mut self, direction: Direction, mask: u8) -> Verdict {
        let Lane { credits, depth, .. } = &mut self.lanes[direction as usize];
        for class in bits(mask) {
            let credits = &mut credits[class];
            *credits += 1;
            if *credits > *depth {
                let class = Class::ALL[class];
                let what = format!("{class} has {credits} credits for {depth} buffers");
                return self.wrong(direction, what);
            }
        }
        Ok(())
    }

    /// A word passes. Answers the packet that it completes.
    pub(super) fn word(
        &mut self,
        direction: Direction,
        word: &LinkWord,
    ) -> Result<Option<Packet>, Box<Violation>> {
        let lane = &mut self.lanes[direction as usize];
        let credits = &mut lane.credits[word.class as usize];
        match credits.checked_sub(1) {
            Some(left) => *credits = left,
            None => return self.wrong(direction, format!("a word without a credit: {word}")),
        }
        let what = match lane.assembler.push(*word) {
            Ok(None) => return Ok(None),
            Ok(Some(packet)) => match fault(self.node, self.kind, direction, &packet.header) {
                None => return Ok(Some(packet)),
                Some(fault) => format!("{fault}: {}", packet.header),
            },
            Err(error) => format!("{error} ({word})"),
        };
        if self.is_lenient(direction) {
            return Ok(None);
        }
        self.wrong(direction, what)
    }

    /// Credits of a class in the hands of the sender.
    pub(super) fn left(&self, direction: Direction, class: Class) -> u32 {
        self.lanes[direction as usize].credits[class as usize]
    }

    /// Credits in the hands of the sender, for people.
    pub(super) fn credits(&self, direction: Direction) -> String {
        let Lane { credits, depth, .. } = &self.lanes[direction as usize];
        let list = Class::ALL.map(|class| format!("{class} {}/{depth}", credits[class as usize]));
        list.join(", ")
    }

    /// At the end: no packet is cut and every credit is with its sender.
    pub(super) fn end(&self) -> Verdict {
        for direction in Direction::ALL {
            let Lane {
                credits,
                depth,
                assembler,
            } = &self.lanes[direction as usize];
            if assembler.is_inside() && !self.is_lenient(direction) {
                return self.wrong(direction, "a packet has no end".into());
            }
            if credits.iter().any(|have| have != depth) {
                let have = self.credits(direction);
                return self.wrong(direction, format!("not all credits came back: {have}"));
            }
        }
        Ok(())
    }

    fn is_lenient(&self, direction: Direction) -> bool {
        self.kind == PortKind::Hostile && direction == Direction::ToSwitch
    }

    fn wrong<T>(&self, direction: Direction, what: String) -> Result<T, Box<Violation>> {
        let text = format!("port {} {direction}: {what}", self.port);
        Err(violation(FailureKind::Link, text))
    }
}

/// What is wrong with a legal header in this place.
fn fault(own: NodeId, kind: PortKind, direction: Direction, header: &Header) -> Option<String> {
    let opcode = header.opcode;
    match direction {
        Direction::ToSwitch if header.src != own => Some("the source is not the sender".into()),
        Direction::ToSwitch if !may_send(kind, opcode) => {
            Some(format!("a {kind} may not send {opcode}"))
        }
        Direction::ToNode if header.dst != own => Some("the destination is not this port".into()),
        Direction::ToNode if wants_home(opcode) && !header.src.is_home() => Some(format!(
            "{opcode} comes from {}, which is no home",
            header.src
        )),
        _ => None,
    }
}

/// Opcodes that only a home sends.
fn wants_home(opcode: Opcode) -> bool {
    matches!(opcode.class(), Class::Snp | Class::Mem)
}

/// What a kind of device may send.
fn may_send(kind: PortKind, opcode: Opcode) -> bool {
    use Opcode::*;
    match kind {
        PortKind::Cached => !matches!(opcode.class(), Class::Snp | Class::Mem) && opcode != Comp,
        PortKind::Io => {
            matches!(
                opcode,
                ReadNoSnp | WriteNoSnp | ReadOnce | WriteUnique | CompAck
            )
        }
        PortKind::Memory => matches!(opcode, Comp | CompData),
        PortKind::Hostile => !matches!(opcode.class(), Class::Snp | Class::Mem),
    }
}

/// What a kind of device may get.
pub(super) fn may_receive(kind: PortKind, opcode: Opcode) -> bool {
    use Opcode::*;
    match kind {
        PortKind::Cached => opcode.class() == Class::Snp || matches!(opcode, Comp | CompData),
        PortKind::Io => matches!(opcode, Comp | CompData),
        PortKind::Memory => {
            opcode.class() == Class::Mem || matches!(opcode, ReadNoSnp | WriteNoSnp)
        }
        PortKind::Hostile => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(kind: PortKind) -> Port {
        let mut port = Port::new(3, NodeId::port(3), kind, [2, 2]);
        assert!(port.credit(Direction::ToSwitch, 0b11111).is_ok());
        assert!(port.credit(Direction::ToNode, 0b11111).is_ok());
        port
    }

    fn only(header: &Header) -> LinkWord {
        LinkWord {
            class: header.class(),
            head: true,
            tail: true,
            flit: header.encode(),
        }
    }

    fn read() -> Header {
        Header {
            src: NodeId::port(3),
            addr: 0x40,
            ..Header::new(Opcode::ReadShared)
        }
    }

    fn message<T>(result: Result<T, Box<Violation>>) -> String {
        result.map(|_| ()).unwrap_err().message
    }

    #[test]
    fn a_legal_packet_passes_once_for_each_credit() {
        let mut port = port(PortKind::Cached);
        let seen = port
            .word(Direction::ToSwitch, &only(&read()))
            .ok()
            .flatten();
        assert_eq!(seen.map(|packet| packet.header), Some(read()));
        let second = port.word(Direction::ToSwitch, &only(&read()));
        assert!(message(second).contains("a word without a credit: REQ"));
    }

    #[test]
    fn more_credits_than_buffers_are_found() {
        let mut port = port(PortKind::Cached);
        assert!(port.credit(Direction::ToNode, 1).is_ok());
        assert!(message(port.credit(Direction::ToNode, 1)).contains("3 credits for 2 buffers"));
    }

    #[test]
    fn a_foreign_source_a_foreign_destination_and_a_forbidden_opcode_are_found() {
        let foreign = Header {
            src: NodeId::port(4),
            ..read()
        };
        let result = port(PortKind::Cached).word(Direction::ToSwitch, &only(&foreign));
        assert!(message(result).contains("is not the sender"));
        let lost = Header {
            dst: NodeId::port(4),
            src: NodeId::home(0),
            ..Header::new(Opcode::Comp)
        };
        let result = port(PortKind::Cached).word(Direction::ToNode, &only(&lost));
        assert!(message(result).contains("not this port"));
        let result = port(PortKind::Memory).word(Direction::ToSwitch, &only(&read()));
        assert!(message(result).contains("may not send ReadShared"));
    }

    #[test]
    fn a_torn_packet_is_found() {
        let header = Header {
            src: NodeId::port(3),
            be: 0xffff,
            ..Header::new(Opcode::WriteBackFull)
        };
        let result = port(PortKind::Cached).word(Direction::ToSwitch, &only(&header));
        assert!(message(result).contains("ends after 0 payload flits"));
        let body = LinkWord {
            head: false,
            tail: false,
            ..only(&header)
        };
        let result = port(PortKind::Cached).word(Direction::ToSwitch, &body);
        assert!(message(result).contains("without a head"));
        let mut port = port(PortKind::Cached);
        port.lanes[0].credits[0] = 2;
        let head = LinkWord {
            tail: false,
            ..only(&header)
        };
        assert!(port.word(Direction::ToSwitch, &head).is_ok());
        assert!(message(port.word(Direction::ToSwitch, &head)).contains("inside another packet"));
    }

    #[test]
    fn a_credit_that_never_came_back_is_found_at_the_end() {
        let port = port(PortKind::Cached);
        assert!(message(port.end()).contains("REQ 1/2"));
    }
}
