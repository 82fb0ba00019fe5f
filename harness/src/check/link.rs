//! Link monitor: every word of every port and direction.
//!
//! Packets are whole and not mixed within a class, headers are legal, opcodes are those that may
//! travel this way, source and destination are right, and no word is sent without a credit.

use flits::layout::MAX_PAYLOAD;
use flits::{Class, Flit, Header, LinkWord, NodeId, Opcode};

use super::{Direction, PortKind, Verdict, Violation, violation};
use crate::FailureKind;

/// A packet whose last word was just seen.
pub(super) struct Seen {
    pub(super) header: Header,
    /// How many of [`Lane::payload`] belong to it.
    flits: usize,
}

/// One class on one direction of one port.
struct Lane {
    /// Credits the sender holds.
    credits: u32,
    /// The most that it may hold: what the receiver granted after reset.
    depth: u32,
    /// The packet whose words are passing.
    open: Option<Open>,
    payload: [Flit; MAX_PAYLOAD],
}

#[derive(Clone, Copy)]
struct Open {
    /// `None` for an illegal packet of a port that may send such.
    header: Option<Header>,
    flits: usize,
    wanted: usize,
}

/// Both directions of one port.
pub(super) struct Port {
    port: usize,
    kind: PortKind,
    /// The device sends what it likes: its words are not judged.
    hostile: bool,
    lanes: [[Lane; Class::ALL.len()]; 2],
}

impl Port {
    /// `depths`: credits that the switch and the device grant for each class.
    pub(super) fn new(port: usize, kind: PortKind, hostile: bool, depths: [u32; 2]) -> Self {
        let lane = |depth| Lane {
            credits: 0,
            depth,
            open: None,
            payload: [Flit::ZERO; MAX_PAYLOAD],
        };
        let lanes = depths.map(|depth| Class::ALL.map(|_| lane(depth)));
        Port {
            port,
            kind,
            hostile,
            lanes,
        }
    }

    /// The receiver of `direction` grants a credit for each class whose bit is set.
    pub(super) fn credit(&mut self, direction: Direction, mask: u8) -> Verdict {
        for class in Class::ALL
            .into_iter()
            .filter(|class| mask >> class.code() & 1 != 0)
        {
            let lane = &mut self.lanes[direction as usize][class as usize];
            lane.credits += 1;
            if lane.credits > lane.depth {
                return Err(violation(
                    FailureKind::Link,
                    format!(
                        "port {} {direction}: {class} has {} credits, more than the receiver's \
                         {} buffers",
                        self.port, lane.credits, lane.depth
                    ),
                ));
            }
        }
        Ok(())
    }

    /// A word passes. Answers the packet that it completes.
    pub(super) fn word(
        &mut self,
        direction: Direction,
        word: &LinkWord,
    ) -> Result<Option<Seen>, Box<Violation>> {
        let Port {
            port,
            kind,
            hostile,
            ..
        } = *self;
        let lane = &mut self.lanes[direction as usize][word.class as usize];
        let lenient = hostile && direction == Direction::ToSwitch;
        let wrong = |what: String| {
            Err(violation(
                FailureKind::Link,
                format!("port {port} {direction}: {what} ({word})"),
            ))
        };
        lane.credits = match lane.credits.checked_sub(1) {
            Some(left) => left,
            None => return wrong(format!("a word of {} without a credit", word.class)),
        };
        if word.head {
            if lane.open.is_some() && !lenient {
                return wrong("a packet begins before the last one of its class ended".into());
            }
            let checked = Header::decode(word.class, word.flit)
                .map_err(|error| format!("illegal header: {error}"))
                .and_then(|header| match fault(port, kind, direction, &header) {
                    Some(fault) => Err(format!("{fault}: {header}")),
                    None => Ok(header),
                });
            let header = match checked {
                Ok(header) => Some(header),
                Err(_) if lenient => None,
                Err(what) => return wrong(what),
            };
            let wanted = header.map_or(0, |header| header.payload_flits());
            lane.open = Some(Open {
                header,
                flits: 0,
                wanted,
            });
        } else if let Some(open) = &mut lane.open {
            if let Some(slot) = lane.payload.get_mut(open.flits) {
                *slot = word.flit;
            }
            open.flits += 1;
        } else if !lenient {
            return wrong("payload that belongs to no packet".into());
        }
        let Some(open) = lane.open else {
            return Ok(None);
        };
        let whole = open.flits == open.wanted;
        if word.tail != whole && !lenient {
            let header = open
                .header
                .map_or_else(String::new, |header| header.to_string());
            let is = if word.tail { "is" } else { "is not" };
            return wrong(format!(
                "{header} has {} payload words when its tail {is} seen",
                open.flits
            ));
        }
        if !word.tail {
            return Ok(None);
        }
        lane.open = None;
        Ok(open.header.filter(|_| whole).map(|header| Seen {
            header,
            flits: open.flits,
        }))
    }

    /// The payload of the packet that [`Port::word`] just completed.
    pub(super) fn payload(&self, direction: Direction, seen: &Seen) -> &[Flit] {
        let lane = &self.lanes[direction as usize][seen.header.class() as usize];
        &lane.payload[..seen.flits]
    }

    /// Credits in the hands of the sender, for people.
    pub(super) fn credits(&self, direction: Direction) -> String {
        let lanes = &self.lanes[direction as usize];
        let list = Class::ALL.map(|class| {
            format!(
                "{class} {}/{}",
                lanes[class as usize].credits, lanes[class as usize].depth
            )
        });
        list.join(", ")
    }

    /// At the end: no packet is cut and every credit is with its sender.
    pub(super) fn end(&self) -> Verdict {
        for direction in Direction::ALL {
            for class in Class::ALL {
                let lane = &self.lanes[direction as usize][class as usize];
                let lenient = self.hostile && direction == Direction::ToSwitch;
                if lane.open.is_some() && !lenient {
                    return Err(violation(
                        FailureKind::Link,
                        format!(
                            "port {} {direction}: a {class} packet has no end",
                            self.port
                        ),
                    ));
                }
                if lane.credits != lane.depth {
                    return Err(violation(
                        FailureKind::Link,
                        format!(
                            "port {} {direction}: all is quiet, but only {} of {} {class} credits \
                             came back",
                            self.port, lane.credits, lane.depth
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a legal header in this place.
fn fault(port: usize, kind: PortKind, direction: Direction, header: &Header) -> Option<String> {
    let own = NodeId::port(port as u16);
    let opcode = header.opcode;
    match direction {
        Direction::ToSwitch if header.src != own => Some("the source is not the sender".into()),
        Direction::ToSwitch if !may_send(kind, opcode) => {
            Some(format!("a {kind} may not send {opcode}"))
        }
        Direction::ToNode if header.dst != own => Some("the destination is not this port".into()),
        Direction::ToNode if !may_receive(kind, opcode) => {
            Some(format!("a {kind} may not get {opcode}"))
        }
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
    }
}

/// What a kind of device may get.
fn may_receive(kind: PortKind, opcode: Opcode) -> bool {
    use Opcode::*;
    match kind {
        PortKind::Cached => opcode.class() == Class::Snp || matches!(opcode, Comp | CompData),
        PortKind::Io => matches!(opcode, Comp | CompData),
        PortKind::Memory => {
            opcode.class() == Class::Mem || matches!(opcode, ReadNoSnp | WriteNoSnp)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(kind: PortKind) -> Port {
        let mut port = Port::new(3, kind, false, [2, 2]);
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
        assert_eq!(seen.map(|seen| seen.header), Some(read()));
        let second = port.word(Direction::ToSwitch, &only(&read()));
        assert!(message(second).contains("REQ without a credit"));
    }

    #[test]
    fn more_credits_than_buffers_are_found() {
        let mut port = port(PortKind::Cached);
        assert!(port.credit(Direction::ToNode, 1).is_ok());
        assert!(message(port.credit(Direction::ToNode, 1)).contains("more than the receiver's 2"));
    }

    #[test]
    fn a_foreign_source_a_foreign_destination_and_a_forbidden_opcode_are_found() {
        let foreign = Header {
            src: NodeId::port(4),
            ..read()
        };
        let result = port(PortKind::Cached).word(Direction::ToSwitch, &only(&foreign));
        assert!(message(result).contains("not the sender"));
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
        assert!(message(result).contains("has 0 payload words"));
        let body = LinkWord {
            head: false,
            tail: false,
            ..only(&header)
        };
        let result = port(PortKind::Cached).word(Direction::ToSwitch, &body);
        assert!(message(result).contains("belongs to no packet"));
        let mut port = port(PortKind::Cached);
        port.lanes[0][0].credits = 2;
        let head = LinkWord {
            tail: false,
            ..only(&header)
        };
        assert!(port.word(Direction::ToSwitch, &head).is_ok());
        assert!(message(port.word(Direction::ToSwitch, &head)).contains("begins before"));
    }

    #[test]
    fn a_credit_that_never_came_back_is_found_at_the_end() {
        let port = port(PortKind::Cached);
        assert!(message(port.end()).contains("only 1 of 2 REQ credits"));
    }
}
