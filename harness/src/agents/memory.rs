//! A memory: bytes by local address, poison by 16 bytes, latency and bandwidth.

use super::packets;
use super::{Agent, Context, OpId, Outbox, Step};
use crate::{Failure, FailureKind};
use flits::{Class, Flit, Header, NodeId, Opcode, layout};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Words of answers that may wait for the link before the memory holds the next one back.
const ANSWER_ROOM: usize = 2 * (layout::MAX_PAYLOAD + 1);
/// Requests held at once; when full, the memory stops taking more.
const QUEUE: usize = 64;
/// Bytes that one entry of the store holds.
const PAGE: u64 = 4096;

/// How fast a memory is, in cycles of the switch. The presets take a cycle as 1 ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryTiming {
    /// Cycles from a request's last word to the answer's first, when the memory is idle.
    pub latency: u32,
    /// Channels, to which lines go round in turn.
    pub channels: u32,
    /// Cycles that a channel is busy with 64 bytes.
    pub busy: u32,
}

impl MemoryTiming {
    /// HBM2, both stacks of an Alveo U280: 122 ns with the row closed, 425 GB/s over 32
    /// pseudo-channels (Wang et al., "Shuhai: Benchmarking High Bandwidth Memory on FPGAs", FCCM
    /// 2020).
    pub const HBM: MemoryTiming = MemoryTiming {
        latency: 122,
        channels: 32,
        busy: 5,
    };

    /// One channel of DDR4-2400: 90 ns with the row closed, 18 GB/s (same source).
    pub const DDR: MemoryTiming = MemoryTiming {
        latency: 90,
        channels: 1,
        busy: 4,
    };
}

/// An answer and when it is due.
struct Answer {
    due: u64,
    header: Header,
    payload: [Flit; layout::MAX_PAYLOAD],
}

/// A memory on a port. It executes requests in the order in which they arrive; answers of different
/// channels may overtake each other. Bytes never written are zero.
pub struct MemoryNode {
    node: NodeId,
    timing: MemoryTiming,
    pages: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
    /// Local addresses, in pieces of 16 bytes, of what is known to be corrupt.
    poison: BTreeSet<u64>,
    /// In the order in which they are due.
    answers: VecDeque<Answer>,
    /// When each channel is free again.
    free_at: Vec<u64>,
}

impl MemoryNode {
    /// The memory `node`.
    pub fn new(node: NodeId, timing: MemoryTiming) -> Self {
        MemoryNode {
            node,
            timing,
            pages: BTreeMap::new(),
            poison: BTreeSet::new(),
            answers: VecDeque::new(),
            free_at: vec![0; timing.channels as usize],
        }
    }

    /// Copies bytes out; they do not cross a page.
    pub fn read(&self, local: u64, bytes: &mut [u8]) {
        match self.pages.get(&(local / PAGE)) {
            Some(page) => bytes.copy_from_slice(&page[(local % PAGE) as usize..][..bytes.len()]),
            None => bytes.fill(0),
        }
    }

    /// Whether any 16-byte piece of the bytes is known to be corrupt.
    fn is_poisoned(&self, local: u64, len: usize) -> bool {
        let piece = layout::FLIT_BYTES as u64;
        let last = local + len as u64 - 1;
        !self.poison.is_empty()
            && (self.poison.range(local / piece..=last / piece).next()).is_some()
    }

    /// Every line of the pages that were written: local byte address and bytes.
    pub fn lines(&self) -> impl Iterator<Item = (u64, [u8; layout::LINE_BYTES])> {
        self.pages.iter().flat_map(|(&number, page)| {
            page.chunks_exact(layout::LINE_BYTES)
                .enumerate()
                .map(move |(index, chunk)| {
                    let mut line = [0; layout::LINE_BYTES];
                    line.copy_from_slice(chunk);
                    (number * PAGE + (index * layout::LINE_BYTES) as u64, line)
                })
        })
    }

    /// Writes the enabled bytes of a packet. A piece of which all bytes are written is as poisoned as
    /// the packet, another that was poisoned stays so.
    fn write(&mut self, header: &Header, payload: &[Flit]) {
        // A packet of at most 16 bytes is a flit with enables, a larger one is whole flits.
        let first = header.addr & !(layout::FLIT_BYTES as u64 - 1);
        let page = self
            .pages
            .entry(first / PAGE)
            .or_insert_with(|| Box::new([0; PAGE as usize]));
        let at = (first % PAGE) as usize;
        let first_piece = first / layout::FLIT_BYTES as u64;
        let pages = page[at..].chunks_exact_mut(layout::FLIT_BYTES);
        for ((lanes, flit), piece) in pages.zip(payload).zip(first_piece..) {
            if header.poison {
                self.poison.insert(piece);
            } else if header.be == u16::MAX && !self.poison.is_empty() {
                self.poison.remove(&piece);
            }
            for (lane, (byte, new)) in lanes.iter_mut().zip(flit.to_bytes()).enumerate() {
                if header.be >> lane & 1 != 0 {
                    *byte = new;
                }
            }
        }
    }

    /// The cycle in which an access that arrives now is answered.
    fn due(&mut self, header: &Header, cycle: u64) -> u64 {
        let lines = header.bytes().div_ceil(layout::LINE_BYTES) as u64;
        let channels = self.free_at.len() as u64;
        let channel = header.line() / layout::LINE_BYTES as u64 % channels;
        let free_at = &mut self.free_at[channel as usize];
        let start = cycle.max(*free_at);
        *free_at = start + lines * u64::from(self.timing.busy);
        start + u64::from(self.timing.latency)
    }
}

/// The header of what a memory answers a request when it has done it; `poison` is of what it read.
pub(crate) fn answer(memory: NodeId, request: &Header, poison: bool) -> Header {
    let base = |opcode, dst, txn| Header {
        src: memory,
        dst,
        txn,
        addr: request.addr,
        ..Header::new(opcode)
    };
    let data = |dst, txn| Header {
        size: request.size,
        poison,
        resp: packets::status_with(poison),
        ..base(Opcode::CompData, dst, txn)
    };
    match request.opcode {
        Opcode::MemRead => Header {
            state: request.state,
            home_node: request.src,
            home_txn: request.txn,
            ..data(request.return_node, request.return_txn)
        },
        Opcode::ReadNoSnp => data(request.src, request.txn),
        _ => base(Opcode::Comp, request.src, request.txn),
    }
}

impl Agent for MemoryNode {
    fn submit(&mut self, op: OpId, cx: &mut Context<'_>) -> Step {
        let text = format!(
            "node {} is a memory and runs no {:?}",
            self.node, cx.ops[op].kind
        );
        Err(Failure::new(cx.cycle, FailureKind::Setup, text))
    }

    fn accepts(&self, class: Class, _out: &Outbox) -> bool {
        matches!(class, Class::Rsp | Class::Dat) || self.answers.len() < QUEUE
    }

    fn on_packet(&mut self, header: &Header, payload: &[Flit], cx: &mut Context<'_>) -> Step {
        match header.opcode {
            Opcode::MemRead | Opcode::ReadNoSnp => cx.stats.memory_reads += 1,
            Opcode::MemWrite | Opcode::WriteNoSnp => cx.stats.memory_writes += 1,
            _ => return super::stray(self.node, header, cx),
        }
        let due = self.due(header, cx.cycle);
        let mut data = [Flit::ZERO; layout::MAX_PAYLOAD];
        let answer = match header.opcode {
            Opcode::MemRead | Opcode::ReadNoSnp => {
                let mut bytes = [0; 1 << layout::MAX_SIZE];
                let bytes = &mut bytes[..header.bytes()];
                self.read(header.addr, bytes);
                let poison = self.is_poisoned(header.addr, bytes.len());
                cx.checks.on_mem_read(cx.cycle, cx.port, header.addr, bytes);
                packets::put_bytes(
                    &mut data[..layout::payload_flits(header.size)],
                    header.addr,
                    bytes,
                );
                answer(self.node, header, poison)
            }
            _ => {
                self.write(header, payload);
                let mut bytes = [0; 1 << layout::MAX_SIZE];
                let bytes = &mut bytes[..payload.len() * layout::FLIT_BYTES];
                packets::get_bytes(payload, 0, bytes);
                let Header {
                    addr, be, poison, ..
                } = *header;
                cx.checks
                    .on_mem_write(cx.cycle, cx.port, addr, bytes, be, poison);
                answer(self.node, header, false)
            }
        };
        let after = self.answers.iter().rposition(|earlier| earlier.due <= due);
        let place = after.map_or(0, |index| index + 1);
        self.answers.insert(
            place,
            Answer {
                due,
                header: answer,
                payload: data,
            },
        );
        Ok(())
    }

    fn tick(&mut self, cx: &mut Context<'_>) -> Step {
        while let Some(answer) = self.answers.front() {
            if answer.due > cx.cycle || cx.out.len(answer.header.class()) > ANSWER_ROOM {
                break;
            }
            cx.out.send(
                &answer.header,
                &answer.payload[..answer.header.payload_flits()],
            );
            self.answers.pop_front();
        }
        Ok(())
    }

    fn wake(&self) -> u64 {
        self.answers.front().map_or(u64::MAX, |answer| answer.due)
    }

    fn is_idle(&self) -> bool {
        self.answers.is_empty()
    }
}
