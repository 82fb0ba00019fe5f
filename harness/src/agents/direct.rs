//! Requests that leave nothing in a cache: uncached accesses, ReadOnce, WriteUnique, far atomics and
//! CleanInvalid.

use super::line::{LineAtomic, LineBytes, LineWrite};
use super::packets;
use super::{Context, NodeSet, OpId, OpKind, Status, Step, protocol_failure};
use crate::protocol::{NodeIn, NodeLine, node};
use crate::sim::stats::Service;
use flits::{Class, Flit, Header, NodeId, Opcode, RespErr, layout};

/// One request in flight.
struct Entry {
    op: OpId,
    /// Its line and the protocol's side of it, where the request is coherent.
    line: Option<(u64, NodeLine<LineBytes>)>,
}

/// The requests in flight of one device.
pub(super) struct Direct {
    node: NodeId,
    /// Transaction of entry 0.
    first_txn: u16,
    memories: NodeSet,
    entries: Vec<Option<Entry>>,
    /// How many of them are coherent.
    coherent: usize,
}

impl Direct {
    pub(super) fn new(node: NodeId, first_txn: u16, count: usize, memories: NodeSet) -> Self {
        let entries = std::iter::repeat_with(|| None).take(count).collect();
        Direct {
            node,
            first_txn,
            memories,
            entries,
            coherent: 0,
        }
    }

    /// Whether the transaction is one of these.
    pub(super) fn owns(&self, txn: u16) -> bool {
        usize::from(txn.wrapping_sub(self.first_txn)) < self.entries.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.iter().all(Option::is_some)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.entries.iter().all(Option::is_none)
    }

    /// Whether a coherent request of the line is in flight.
    pub(super) fn touches(&self, line: u64) -> bool {
        self.coherent != 0
            && self
                .entries
                .iter()
                .flatten()
                .any(|entry| entry.line.as_ref().is_some_and(|&(addr, _)| addr == line))
    }

    /// Sends the request of an operation. There must be room.
    pub(super) fn start(&mut self, op: OpId, cx: &mut Context<'_>) -> Step {
        let Some(index) = self.entries.iter().position(Option::is_none) else {
            return Err(protocol_failure(
                cx.cycle,
                self.node,
                "too many requests in flight",
            ));
        };
        let txn = self.first_txn + index as u16;
        let access = &cx.ops[op];
        let (kind, addr) = (access.kind, access.addr);
        let line = match kind {
            OpKind::ReadOnce => self.coherent(addr, txn, NodeIn::Issue(Opcode::ReadOnce), cx)?,
            OpKind::WriteUnique => {
                let write = LineWrite::new(addr, access.bytes());
                self.coherent(addr, txn, NodeIn::IssueWriteUnique(write), cx)?
            }
            OpKind::WritePoison => {
                let mut write = LineWrite::new(addr, access.bytes());
                write.bytes.poison = true;
                self.coherent(addr, txn, NodeIn::IssueWriteUnique(write), cx)?
            }
            OpKind::CleanInvalid => {
                self.coherent(addr, txn, NodeIn::Issue(Opcode::CleanInvalid), cx)?
            }
            _ if let Some(atomic) = access.atomic() => {
                let atomic = LineAtomic {
                    atomic,
                    addr,
                    size: access.len.trailing_zeros() as u8,
                    poison: false,
                };
                let input = NodeIn::IssueAtomic(opcode_of(kind), atomic);
                self.coherent(addr, txn, input, cx)?
            }
            _ => {
                self.uncached(op, txn, cx);
                None
            }
        };
        self.coherent += usize::from(line.is_some());
        self.entries[index] = Some(Entry { op, line });
        Ok(())
    }

    fn coherent(
        &self,
        addr: u64,
        txn: u16,
        input: NodeIn<LineBytes>,
        cx: &mut Context<'_>,
    ) -> Result<Option<(u64, NodeLine<LineBytes>)>, crate::Failure> {
        let line = addr & !(layout::LINE_BYTES as u64 - 1);
        let state = NodeLine::default();
        cx.checks.on_node_input(&state, &input);
        let (state, outputs) = node(state, input)
            .map_err(|violation| protocol_failure(cx.cycle, self.node, violation))?;
        for message in outputs {
            packets::send(self.node, line, txn, None, message, cx)?;
        }
        Ok(Some((line, state)))
    }

    fn uncached(&self, id: OpId, txn: u16, cx: &mut Context<'_>) {
        let op = &cx.ops[id];
        let size = op.len.trailing_zeros() as u8;
        let header = |opcode| Header {
            src: self.node,
            txn,
            addr: op.addr,
            size,
            ..Header::new(opcode)
        };
        if op.kind == OpKind::ReadUncached {
            cx.out.send(&header(Opcode::ReadNoSnp), &[]);
            return;
        }
        let mut flits = [Flit::ZERO; layout::MAX_PAYLOAD];
        let count = layout::payload_flits(size);
        packets::put_bytes(&mut flits[..count], op.addr, op.bytes());
        let be = layout::lanes(op.addr, size);
        cx.out.send(
            &Header {
                be,
                ..header(Opcode::WriteNoSnp)
            },
            &flits[..count],
        );
    }

    /// Takes the answer to one of these requests.
    pub(super) fn on_answer(
        &mut self,
        header: &Header,
        payload: &[Flit],
        cx: &mut Context<'_>,
    ) -> Step {
        let index = usize::from(header.txn.wrapping_sub(self.first_txn));
        let Some(Entry { op, line }) = self.entries.get_mut(index).and_then(Option::take) else {
            return super::stray(self.node, header, cx);
        };
        let carries_data = header.class() == Class::Dat;
        let kind = cx.ops[op].kind;
        let wants_data = match kind {
            OpKind::ReadUncached | OpKind::ReadOnce => true,
            kind => kind.is_far() && !matches!(kind, OpKind::AtomicStore(_)),
        };
        let failed = packets::status_of(header) != RespErr::Ok;
        if carries_data != wants_data && (carries_data || !failed) {
            let what = format!("{header} answers {:?}", cx.ops[op].kind);
            return Err(protocol_failure(cx.cycle, self.node, what));
        }
        if let Some((line, state)) = line {
            self.coherent -= 1;
            let data = match carries_data {
                // The old value is its operation's; the line stays as it is here, with no copy.
                true if kind.is_far() => Some(LineBytes::new([0; layout::LINE_BYTES])),
                true => Some(packets::line_of(self.node, header, payload, cx.cycle)?),
                false => None,
            };
            let input = packets::answer_of(header, data);
            cx.checks.on_node_input(&state, &input);
            let (_, outputs) = node(state, input)
                .map_err(|violation| protocol_failure(cx.cycle, self.node, violation))?;
            for message in outputs {
                packets::send(self.node, line, header.txn, Some(header), message, cx)?;
            }
        }
        if carries_data && wants_data {
            let access = &mut cx.ops[op];
            let (addr, len) = (access.addr, access.len as usize);
            if payload.len() != layout::payload_flits(access.len.trailing_zeros() as u8) {
                let what = format!("{header} answers a read of {len} bytes");
                return Err(protocol_failure(cx.cycle, self.node, what));
            }
            packets::get_bytes(payload, addr, &mut access.data[..len]);
        }
        let from_memory = self.memories.has(header.src);
        let service = match carries_data {
            true if !from_memory => Service::Peer,
            true => Service::Memory,
            false if from_memory => Service::Memory,
            false => Service::Home,
        };
        finish(op, packets::status_of(header), service, cx);
        Ok(())
    }
}

/// The request of a far atomic.
fn opcode_of(kind: OpKind) -> Opcode {
    match kind {
        OpKind::AtomicLoad(_) => Opcode::AtomicLoad,
        OpKind::AtomicSwap => Opcode::AtomicSwap,
        OpKind::AtomicCompare => Opcode::AtomicCompare,
        _ => Opcode::AtomicStore,
    }
}

/// Ends an operation: counted, seen by the checkers, its program woken.
pub(super) fn finish(id: OpId, status: Status, service: Service, cx: &mut Context<'_>) {
    let op = &cx.ops[id];
    cx.stats.record(op.kind, service, cx.cycle - op.issued);
    cx.checks.on_op_finish(cx.cycle, cx.port, op, status);
    cx.ops.finish(id, status);
}
