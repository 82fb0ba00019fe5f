//! Delivery: what goes from port to port arrives once, whole, unchanged, and in the order sent.
//!
//! Between chips there are several paths, and the order is that of each 256-byte block of addresses.
//!
//! Covers every packet that the switch only carries: RSP and DAT between devices, and uncached REQ
//! with the destination and the address that the address map gives it. What begins or ends in a
//! home is the business of [`super::transactions`].

use std::collections::VecDeque;

use flits::{Class, Flit, Header, Numbering, RespErr};

use super::{Verdict, violation};
use crate::FailureKind;

/// A packet inside the switch.
struct Carried {
    header: Header,
    payload: u64,
}

/// Everything inside the switch that should come out of a port as it went in.
pub(super) struct Delivery {
    ports: usize,
    /// Ports of each chip: within one, all packets keep their order.
    per_chip: usize,
    /// Indexed by source port, destination port and class.
    carried: Vec<VecDeque<Carried>>,
    /// Error completions that the switch owes each port: `txn` and status.
    refusals: Vec<VecDeque<(u16, RespErr)>>,
}

impl Delivery {
    pub(super) fn new(numbering: Numbering) -> Self {
        let ports = numbering.count();
        let lanes = ports * ports * Class::ALL.len();
        Delivery {
            ports,
            per_chip: numbering.per_chip(),
            carried: (0..lanes).map(|_| VecDeque::new()).collect(),
            refusals: (0..ports).map(|_| VecDeque::new()).collect(),
        }
    }

    /// A packet enters, to come out of port `to` with this header.
    pub(super) fn enter(&mut self, from: usize, to: usize, header: Header, payload: &[Flit]) {
        let lane = self.lane(from, to, header.class());
        let payload = digest(payload);
        self.carried[lane].push_back(Carried { header, payload });
    }

    /// The switch must refuse request `txn` of `port` with `status`.
    pub(super) fn refuse(&mut self, port: usize, txn: u16, status: RespErr) {
        self.refusals[port].push_back((txn, status));
    }

    /// Whether the switch owes this refusal; it does so no longer.
    pub(super) fn refused(&mut self, port: usize, header: &Header) -> Verdict {
        let owed = &mut self.refusals[port];
        match owed
            .iter()
            .position(|&(txn, status)| (txn, status) == (header.txn, header.resp))
        {
            Some(at) => {
                owed.remove(at);
                Ok(())
            }
            None => Err(violation(
                FailureKind::Link,
                format!(
                    "port {port}: the switch answers txn {} with {}, but the request of that \
                     number is not one to be refused so",
                    header.txn, header.resp
                ),
            )),
        }
    }

    /// A packet of device `from` leaves at port `to`.
    pub(super) fn leave(
        &mut self,
        from: usize,
        to: usize,
        header: &Header,
        payload: &[Flit],
    ) -> Verdict {
        let lane = self.lane(from, to, header.class());
        let digest = digest(payload);
        let wrong = |what: String| Err(violation(FailureKind::Link, format!("port {to}: {what}")));
        let near = from / self.per_chip == to / self.per_chip;
        let carried = &mut self.carried[lane];
        let block = |header: &Header| header.addr / BLOCK_BYTES;
        let next = match near {
            true => carried.pop_front(),
            false => carried
                .iter()
                .position(|packet| block(&packet.header) == block(header))
                .and_then(|at| carried.remove(at)),
        };
        match next {
            None => wrong(format!(
                "{header} comes out of the switch, but it was never put in (or was already \
                 delivered)"
            )),
            Some(first) if first.header != *header => wrong(format!(
                "{header} comes out where the next in order is {}",
                first.header
            )),
            Some(first) if first.payload != digest => {
                wrong(format!("the payload of {header} is not what was sent"))
            }
            Some(_) => Ok(()),
        }
    }

    /// At the end: nothing is left inside.
    pub(super) fn end(&self) -> Verdict {
        for (port, owed) in self.refusals.iter().enumerate() {
            if let Some((txn, status)) = owed.front() {
                return Err(violation(
                    FailureKind::Link,
                    format!("port {port}: request txn {txn} should have been refused ({status})"),
                ));
            }
        }
        let lost = self.carried.iter().flatten().next();
        lost.map_or(Ok(()), |packet| {
            Err(violation(
                FailureKind::Link,
                format!(
                    "all is quiet, but {} never came out of the switch",
                    packet.header
                ),
            ))
        })
    }

    fn lane(&self, from: usize, to: usize, class: Class) -> usize {
        (from * self.ports + to) * Class::ALL.len() + class as usize
    }
}

/// Packets of different blocks of this many bytes may overtake each other between chips.
const BLOCK_BYTES: u64 = 256;

/// 64 bits that tell payloads apart.
fn digest(payload: &[Flit]) -> u64 {
    payload.iter().fold(payload.len() as u64, |hash, flit| {
        let [low, high] = [flit.to_u128() as u64, (flit.to_u128() >> 64) as u64];
        let hash = (hash.rotate_left(23) ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash.rotate_left(29) ^ high).wrapping_mul(0xd6e8_feb8_6659_fd93)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flits::{NodeId, Opcode};

    fn data(txn: u16) -> Header {
        let (src, dst) = (NodeId::port(6), NodeId::port(1));
        Header {
            src,
            dst,
            txn,
            size: 6,
            ..Header::new(Opcode::CompData)
        }
    }

    #[test]
    fn what_goes_in_comes_out_once_in_order_and_unchanged() {
        let flits = [1u128, 2, 3, 4].map(Flit::from_u128);
        let mut torn = flits;
        torn.swap(1, 2);
        let sent = || {
            let mut delivery = Delivery::new(Numbering::of_one_chip(8));
            delivery.enter(6, 1, data(1), &flits);
            delivery.enter(6, 1, data(2), &flits);
            delivery
        };
        let mut delivery = sent();
        assert!(delivery.leave(6, 1, &data(1), &flits).is_ok());
        assert!(delivery.end().is_err(), "one is lost");
        assert!(delivery.leave(6, 1, &data(2), &flits).is_ok());
        assert!(delivery.end().is_ok());
        assert!(delivery.leave(6, 1, &data(2), &flits).is_err(), "repeated");
        assert!(sent().leave(6, 1, &data(2), &flits).is_err(), "overtaken");
        assert!(sent().leave(6, 1, &data(1), &torn).is_err(), "torn");
        assert!(
            sent().leave(6, 2, &data(1), &flits).is_err(),
            "at another port"
        );
    }

    #[test]
    fn between_chips_packets_of_different_blocks_may_overtake() {
        let at = |txn, addr| Header { addr, ..data(txn) };
        let mut delivery = Delivery::new(Numbering::new(8, 2));
        delivery.enter(6, 1, at(1, 0x100), &[]);
        delivery.enter(6, 1, at(2, 0x180), &[]);
        delivery.enter(6, 1, at(3, 0x200), &[]);
        assert!(delivery.leave(6, 1, &at(3, 0x200), &[]).is_ok());
        assert!(delivery.leave(6, 1, &at(2, 0x180), &[]).is_err());
    }

    #[test]
    fn a_refusal_is_owed_once() {
        let mut delivery = Delivery::new(Numbering::of_one_chip(8));
        delivery.refuse(2, 7, RespErr::Unmapped);
        let answer = Header {
            txn: 7,
            resp: RespErr::Unmapped,
            ..Header::new(Opcode::Comp)
        };
        assert!(
            delivery
                .refused(
                    2,
                    &Header {
                        resp: RespErr::NoRight,
                        ..answer
                    }
                )
                .is_err()
        );
        assert!(delivery.end().is_err());
        assert!(delivery.refused(2, &answer).is_ok());
        assert!(delivery.end().is_ok());
        assert!(delivery.refused(2, &answer).is_err());
    }
}
