//! What the protocol functions send, as packets.

use super::line::{LineAtomic, LineBytes, LineWrite};
use super::{Context, Step, protocol_failure};
use crate::protocol::{NodeOut, Payload};
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
    let base = |opcode| Header {
        src: node,
        addr: line,
        ..Header::new(opcode)
    };
    let answered =
        || cause.ok_or_else(|| protocol_failure(cx.cycle, node, "an answer to no packet is due"));
    match message {
        NodeOut::Request { op, state, data } => {
            let header = Header {
                txn,
                state,
                ..base(op)
            };
            match data {
                None => cx.out.send(
                    &Header {
                        size: layout::LINE_SIZE,
                        ..header
                    },
                    &[],
                ),
                Some(Payload::Line(data)) => {
                    cx.stats.write_backs += 1;
                    let header = Header {
                        size: layout::LINE_SIZE,
                        be: u16::MAX,
                        poison: data.poison,
                        ..header
                    };
                    cx.out.send(&header, &data.to_flits());
                    data_out(line, &data, cx);
                }
                Some(Payload::Write(write)) => {
                    let (at, size, be) = LineWrite::piece(write.mask);
                    let flits = write.bytes.to_flits();
                    let first = at as usize / layout::FLIT_BYTES;
                    let count = layout::payload_flits(size);
                    let header = Header {
                        addr: line + at,
                        size,
                        be,
                        poison: write.bytes.poison,
                        ..header
                    };
                    cx.out.send(&header, &flits[first..first + count]);
                }
                Some(Payload::Atomic(LineAtomic {
                    atomic,
                    addr,
                    size,
                    poison,
                })) => {
                    let atomic_op = match atomic {
                        Atomic::Modify { op, .. } => op,
                        Atomic::Swap { .. } | Atomic::Compare { .. } => AtomicOp::Add,
                    };
                    let header = Header {
                        addr,
                        size,
                        be: layout::lanes(addr, size),
                        atomic_op,
                        poison,
                        ..header
                    };
                    cx.out
                        .send(&header, &[Flit::from_bytes(atomic.lanes(addr, size))]);
                }
            }
        }
        NodeOut::Forward { state, data } => {
            let snoop = answered()?;
            let header = Header {
                dst: snoop.forward_node,
                txn: snoop.forward_txn,
                size: layout::LINE_SIZE,
                state,
                poison: data.poison,
                resp: status_with(data.poison),
                home_node: snoop.src,
                home_txn: snoop.txn,
                ..base(Opcode::CompData)
            };
            cx.out.send(&header, &data.to_flits());
            cx.stats.forwards += 1;
            data_out(line, &data, cx);
        }
        NodeOut::SnoopAnswer { op, state, data } => {
            let snoop = answered()?;
            let header = Header {
                dst: snoop.src,
                txn: snoop.txn,
                state,
                ..base(op)
            };
            match data {
                None => cx.out.send(&header, &[]),
                Some(data) => {
                    let poison = data.poison;
                    let header = Header { poison, ..header };
                    cx.out.send(&header, &data.to_flits());
                    data_out(line, &data, cx);
                }
            }
        }
        NodeOut::CompAck { state } => {
            let answer = answered()?;
            let header = Header {
                dst: answer.home_node,
                txn: answer.home_txn,
                state,
                ..base(Opcode::CompAck)
            };
            cx.out.send(&header, &[]);
        }
    }
    Ok(())
}

fn data_out(line: u64, data: &LineBytes, cx: &mut Context<'_>) {
    cx.checks.on_data_out(cx.cycle, cx.port, line, &data.bytes);
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
fn is_poisoned(header: &Header) -> bool {
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
