//! Words into packets, and a packet against what the specification sends.

use crate::agents::{LineBytes, LineWrite};
use crate::dut::write_of;
use crate::protocol::{HomeOut, LineData, NodeSet, Payload};
use flits::{Class, Flit, Header, LinkWord, NodeId, Opcode, layout};

/// A packet under way into or out of a home. Those of one class do not interleave.
#[derive(Default)]
pub(super) struct Incoming {
    head: Flit,
    payload: flits::Payload,
}

impl Incoming {
    /// Takes a word; with the last one of a packet gives its header flit and leaves its payload.
    pub(super) fn push(&mut self, word: &LinkWord) -> Option<Flit> {
        match word.head {
            true => {
                self.head = word.flit;
                self.payload.clear();
            }
            false => self.payload.push(word.flit),
        }
        word.tail.then_some(self.head)
    }

    /// The payload of the packet that has just ended.
    pub(super) fn payload(&self) -> &[Flit] {
        &self.payload
    }
}

/// A write in one form: all of a line as a line, a piece with zeros wherever it writes nothing.
fn plain(payload: Payload<LineBytes>) -> Payload<LineBytes> {
    match payload {
        Payload::Write(write) if write.mask == u64::MAX => Payload::Line(write.bytes),
        Payload::Write(write) => Payload::Write(LineWrite {
            bytes: LineBytes::new([0; layout::LINE_BYTES]).merged(&write),
            mask: write.mask,
        }),
        line => line,
    }
}

/// The bytes of an access, and zeros everywhere else.
fn accessed(data: &LineBytes, addr: u64, size: u8) -> LineBytes {
    let mut piece = LineBytes {
        bytes: [0; layout::LINE_BYTES],
        poison: data.poison,
    };
    let at = LineBytes::offset(addr);
    let bytes = data.at(addr, 1 << size);
    piece.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    piece
}

/// What the specification sends for a request, in the form in which [`said`] gives what the home
/// sends.
pub(super) fn due(out: HomeOut<LineBytes>, request: Option<&Header>) -> HomeOut<LineBytes> {
    match (out, request) {
        (HomeOut::MemWrite(payload), _) => HomeOut::MemWrite(plain(payload)),
        // Of the line that an atomic found only the word is sent.
        (
            HomeOut::CompData {
                requester,
                data,
                resp,
            },
            Some(request),
        ) => HomeOut::CompData {
            requester,
            data: accessed(&data, request.addr, request.size),
            resp,
        },
        (out, _) => out,
    }
}

/// A packet of a home as the specification would say it: `targets` are those of a snoop, `node` gives
/// the number of the node with an identifier. `None` if it is nothing that a home sends.
pub(super) fn said(
    header: &Header,
    payload: &[Flit],
    targets: NodeSet,
    node: impl Fn(NodeId) -> Option<u8>,
) -> Option<HomeOut<LineBytes>> {
    Some(match header.opcode {
        Opcode::MemRead if header.return_node == header.src => HomeOut::Fetch,
        Opcode::MemRead => HomeOut::MemRead {
            requester: node(header.return_node)?,
            state: header.state,
        },
        Opcode::MemWrite => HomeOut::MemWrite(plain(Payload::Write(write_of(header, payload)))),
        Opcode::Comp => HomeOut::Comp {
            requester: node(header.dst)?,
            state: header.state,
            resp: header.resp,
        },
        Opcode::CompData => {
            let mut data = LineBytes::new([0; layout::LINE_BYTES]);
            let first = LineBytes::offset(header.addr) & !(layout::FLIT_BYTES - 1);
            let flit = payload.first()?.to_bytes();
            data.bytes[first..first + layout::FLIT_BYTES].copy_from_slice(&flit);
            data.poison = header.poison;
            HomeOut::CompData {
                requester: node(header.dst)?,
                data: accessed(&data, header.addr, header.size),
                resp: header.resp,
            }
        }
        op if op.class() == Class::Snp => HomeOut::Snoop {
            op,
            targets,
            requester: node(header.forward_node)?,
        },
        _ => return None,
    })
}
