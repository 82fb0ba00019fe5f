//! What the protocol functions send, as packets.

use super::line::{LineAtomic, LineBytes, LineWrite};
use super::{Context, Step, protocol_failure};
use crate::protocol::{NodeIn, NodeOut, Payload};
use flits::{Atomic, AtomicOp, Flit, Header, NodeId, Opcode, RespErr, layout};

/// Sends what a step of the line at `line` sends. `txn` names the node's own request, `cause` is the
/// packet that is being answered, if any.
pub(super) fn send(
    node: NodeId,
    line: u64,
    txn: u16,
    cause: Option<&Header>,
    message: NodeOut<LineBytes>,
    cx: &mut Context<'_>,
) -> Step {
    let Some((header, flits)) = packet(node, line, txn, cause, &message) else {
        return Err(protocol_failure(
            cx.cycle,
            node,
            "an answer to no packet is due",
        ));
    };
    cx.out.send(&header, &flits);
    let whole = match &message {
        NodeOut::Request {
            data: Some(Payload::Line(data)),
            ..
        } => {
            cx.stats.write_backs += 1;
            Some(data)
        }
        NodeOut::Forward { data, .. } => {
            cx.stats.forwards += 1;
            Some(data)
        }
        NodeOut::SnoopAnswer { data, .. } => data.as_ref(),
        _ => None,
    };
    if let Some(data) = whole {
        cx.checks.on_data_out(cx.cycle, cx.port, line, &data.bytes);
    }
    Ok(())
}

/// The packet that says what a step sends, arguments as of [`send`]; `None` if it answers a packet and
/// there is none.
pub(crate) fn packet(
    node: NodeId,
    line: u64,
    txn: u16,
    cause: Option<&Header>,
    message: &NodeOut<LineBytes>,
) -> Option<(Header, flits::Payload)> {
    let base = |opcode| Header {
        src: node,
        addr: line,
        ..Header::new(opcode)
    };
    let whole = |data: &LineBytes| flits::Payload::from(data.to_flits());
    let none = flits::Payload::new;
    Some(match message {
        NodeOut::Request { op, state, data } => {
            let header = Header {
                txn,
                state: *state,
                ..base(*op)
            };
            match data {
                None => {
                    let size = layout::LINE_SIZE;
                    (Header { size, ..header }, none())
                }
                Some(Payload::Line(data)) => {
                    let header = Header {
                        size: layout::LINE_SIZE,
                        be: u16::MAX,
                        poison: data.poison,
                        ..header
                    };
                    (header, whole(data))
                }
                Some(Payload::Write(write)) => {
                    let (at, size, be) = LineWrite::piece(write.mask);
                    let first = at as usize / layout::FLIT_BYTES;
                    let count = layout::payload_flits(size);
                    let header = Header {
                        addr: line + at,
                        size,
                        be,
                        poison: write.bytes.poison,
                        ..header
                    };
                    let flits = &write.bytes.to_flits()[first..first + count];
                    (header, flits::Payload::from_slice(flits))
                }
                Some(Payload::Atomic(LineAtomic {
                    atomic,
                    addr,
                    size,
                    poison,
                })) => {
                    let atomic_op = match atomic {
                        Atomic::Modify { op, .. } => *op,
                        Atomic::Swap { .. } | Atomic::Compare { .. } => AtomicOp::Add,
                    };
                    let header = Header {
                        addr: *addr,
                        size: *size,
                        be: layout::lanes(*addr, *size),
                        atomic_op,
                        poison: *poison,
                        ..header
                    };
                    let lanes = Flit::from_bytes(atomic.lanes(*addr, *size));
                    (header, flits::Payload::from_slice(&[lanes]))
                }
            }
        }
        NodeOut::Forward { state, data } => {
            let snoop = cause?;
            let header = Header {
                dst: snoop.forward_node,
                txn: snoop.forward_txn,
                size: layout::LINE_SIZE,
                state: *state,
                poison: data.poison,
                resp: status_with(data.poison),
                home_node: snoop.src,
                home_txn: snoop.txn,
                ..base(Opcode::CompData)
            };
            (header, whole(data))
        }
        NodeOut::SnoopAnswer { op, state, data } => {
            let snoop = cause?;
            let header = Header {
                dst: snoop.src,
                txn: snoop.txn,
                state: *state,
                poison: data.as_ref().is_some_and(|data| data.poison),
                ..base(*op)
            };
            (header, data.as_ref().map_or_else(none, whole))
        }
        NodeOut::CompAck { state } => {
            let answer = cause?;
            let header = Header {
                dst: answer.home_node,
                txn: answer.home_txn,
                state: *state,
                ..base(Opcode::CompAck)
            };
            (header, none())
        }
    })
}

/// Puts the bytes of an access at `addr` into their lanes.
pub(super) fn put_bytes(flits: &mut [Flit], addr: u64, bytes: &[u8]) {
    let lane = if bytes.len() < layout::FLIT_BYTES {
        addr as usize % layout::FLIT_BYTES
    } else {
        0
    };
    for (flit, chunk) in flits.iter_mut().zip(bytes.chunks(layout::FLIT_BYTES)) {
        let mut lanes = [0; layout::FLIT_BYTES];
        lanes[lane..lane + chunk.len()].copy_from_slice(chunk);
        *flit = Flit::from_bytes(lanes);
    }
}

/// Takes the bytes of an access at `addr` from their lanes.
pub(super) fn get_bytes(flits: &[Flit], addr: u64, bytes: &mut [u8]) {
    let lane = if bytes.len() < layout::FLIT_BYTES {
        addr as usize % layout::FLIT_BYTES
    } else {
        0
    };
    for (flit, chunk) in flits.iter().zip(bytes.chunks_mut(layout::FLIT_BYTES)) {
        chunk.copy_from_slice(&flit.to_bytes()[lane..lane + chunk.len()]);
    }
}

/// What an answer is to the node that asked: with the line, if it brings that. One that memory could not
/// read comes from the memory, and the home that it names waits for the CompAck.
pub(crate) fn answer_of(header: &Header, data: Option<LineBytes>) -> NodeIn<LineBytes> {
    let state = header.state;
    match data {
        Some(data) => NodeIn::CompData { state, data },
        None => NodeIn::Comp {
            state,
            resp: header.resp,
            from_home: header.home_node.is_home(),
        },
    }
}

/// The line in an answer's payload.
pub(super) fn line_of(
    node: NodeId,
    header: &Header,
    payload: &[Flit],
    cycle: u64,
) -> Result<LineBytes, crate::Failure> {
    LineBytes::from_flits(payload, is_poisoned(header))
        .ok_or_else(|| protocol_failure(cycle, node, format!("{header} carries no whole line")))
}

/// Whether the data that a packet carries is known to be corrupt.
pub(crate) fn is_poisoned(header: &Header) -> bool {
    header.poison || header.resp == RespErr::DataError
}

/// The status of data, poisoned or not.
pub(super) fn status_with(poison: bool) -> RespErr {
    match poison {
        true => RespErr::DataError,
        false => RespErr::Ok,
    }
}

/// How an answer ends the operation that it answers: its status, and poisoned data is an error.
pub(super) fn status_of(header: &Header) -> RespErr {
    match header.resp {
        RespErr::Ok => status_with(header.poison),
        status => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sit_in_their_natural_lanes() {
        for (addr, len) in [
            (0x1003u64, 1usize),
            (0x100c, 4),
            (0x1008, 8),
            (0x1010, 16),
            (0x1000, 256),
        ] {
            let bytes: Vec<u8> = (1..=len).map(|i| i as u8).collect();
            let mut flits = vec![Flit::ZERO; len.div_ceil(16)];
            put_bytes(&mut flits, addr, &bytes);
            assert_eq!(flits[0].to_bytes()[addr as usize % 16], 1);
            let mut back = vec![0; len];
            get_bytes(&flits, addr, &mut back);
            assert_eq!(back, bytes);
        }
    }
}
