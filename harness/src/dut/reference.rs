//! The switch of the specification: an ideal fabric around [`crate::protocol::home`].
//!
//! It has the pins of the switch, no registers, a fixed latency, room for everything and a directory
//! that never recalls a line. Devices and checkers run on it without Verilator, and what a program
//! computes on it is what it must compute on the RTL.

use super::{
    AddressMap, CLASSES, Credits, Inputs, NODE_DEPTH, Outputs, Parameters, Region, Switch, Words,
    bits,
};
use crate::agents::{LineAtomic, LineBytes, LineWrite, Outbox};
use crate::protocol::{self, HomeIn, HomeLine, HomeOut, Payload, Violation};
use crate::{Failure, FailureKind};
use flits::{
    Assembler, Atomic, Class, Flit, Header, NodeId, Numbering, Opcode, Packet, RespErr, layout,
};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Cycles from a packet's last word into the switch to the first word out of it.
const LATENCY: u64 = 4;
/// Home slices.
const HOMES: usize = 2;
/// Transactions of all homes.
const TRANSACTIONS: usize = 1 << 10;

/// A line at its home.
#[derive(Default)]
struct Line {
    state: HomeLine<LineBytes>,
    /// Its transaction, while it has one.
    txn: u16,
    /// The requester's transaction, address and size.
    request: (u16, u64, u8),
    /// Requests whose turn has not come.
    waiting: VecDeque<Packet>,
}

/// One port.
#[derive(Default)]
struct Port {
    assembler: Assembler,
    out: Outbox,
    /// Words that may be sent to the node, by class.
    credits: [u16; CLASSES],
    /// Credits to grant to the node, by class.
    owed: [u16; CLASSES],
    last: usize,
}

/// The switch of the specification.
pub struct Reference {
    ports: Vec<Port>,
    map: Option<AddressMap>,
    partitions: Vec<u16>,
    lines: FxHashMap<u64, Line>,
    /// Line of each open transaction.
    open: Vec<Option<u64>>,
    /// Packets on their way through the fabric: when they are through, port, packet.
    fabric: VecDeque<(u64, usize, Header, Vec<Flit>)>,
    cycle: u64,
}

impl Reference {
    /// A switch with `ports` ports and no address map.
    pub fn new(ports: usize) -> Self {
        Reference {
            ports: (0..ports).map(|_| Port::default()).collect(),
            map: None,
            partitions: Vec::new(),
            lines: FxHashMap::default(),
            open: vec![None; TRANSACTIONS],
            fabric: VecDeque::new(),
            cycle: 0,
        }
    }

    /// Sends a packet through the fabric.
    fn route(&mut self, header: Header, payload: &[Flit]) {
        if let Some(port) = header.dst.as_port().filter(|&port| port < self.ports.len()) {
            self.fabric
                .push_back((self.cycle + LATENCY, port, header, payload.to_vec()));
        }
    }

    /// A packet from a node. What is malformed is dropped.
    fn arrive(&mut self, port: usize, packet: Packet) -> Result<(), Violation> {
        let header = &packet.header;
        if header.src.as_port() != Some(port) {
            return Ok(());
        }
        match header.class() {
            Class::Req => self.request(port, packet),
            Class::Rsp | Class::Dat if header.dst.is_home() => self.answer(port, &packet),
            Class::Rsp | Class::Dat => {
                self.route(*header, &packet.payload);
                Ok(())
            }
            Class::Snp | Class::Mem => Ok(()),
        }
    }

    /// What the address map makes of a request.
    fn request(&mut self, port: usize, packet: Packet) -> Result<(), Violation> {
        let Packet { header, payload } = &packet;
        let status = self.allowed(port, header);
        let place = self.map.as_ref().and_then(|map| map.memory_of(header.addr));
        match (status, place) {
            (RespErr::Ok, Some((memory, local))) if !header.opcode.is_coherent() => {
                let dst = NodeId::port(memory as u16);
                self.route(
                    Header {
                        dst,
                        addr: local,
                        ..*header
                    },
                    payload,
                );
                Ok(())
            }
            (RespErr::Ok, _) => {
                let line = header.line();
                self.lines
                    .entry(line)
                    .or_default()
                    .waiting
                    .push_back(packet);
                self.next(line)
            }
            (resp, _) => {
                let src = NodeId::port(port as u16);
                let Header { txn, addr, .. } = *header;
                let refusal = Header {
                    src,
                    dst: src,
                    txn,
                    addr,
                    resp,
                    ..Header::new(Opcode::Comp)
                };
                self.route(refusal, &[]);
                Ok(())
            }
        }
    }

    fn allowed(&self, port: usize, header: &Header) -> RespErr {
        let Some(map) = &self.map else {
            return RespErr::Unmapped;
        };
        let admitted = map.admit(header, self.partitions[port]);
        admitted.err().unwrap_or(RespErr::Ok)
    }

    fn may_write(&self, port: usize, addr: u64) -> bool {
        let region = self.map.as_ref().and_then(|map| map.lookup(addr));
        region.is_some_and(|region| self.partitions[port] & region.write_partitions != 0)
    }

    /// Starts the requests of a line whose turn has come.
    fn next(&mut self, line: u64) -> Result<(), Violation> {
        loop {
            let Some(entry) = self.lines.get_mut(&line) else {
                return Ok(());
            };
            if entry.state.transaction.is_some() {
                return Ok(());
            }
            let Some(packet) = entry.waiting.pop_front() else {
                return Ok(());
            };
            let Some(txn) = self.open.iter().position(Option::is_none) else {
                return Err(Violation("more transactions than the reference has".into()));
            };
            let Packet { header, payload } = &packet;
            entry.txn = txn as u16;
            entry.request = (header.txn, header.addr, header.size);
            self.open[txn] = Some(line);
            let data = carried(header, payload);
            let src = header.src.as_port().unwrap_or_default();
            let may_write = self.may_write(src, line);
            self.step(
                line,
                HomeIn::Request {
                    op: header.opcode,
                    src: src as u8,
                    may_write,
                    data,
                },
            )?;
        }
    }

    /// An answer to a home.
    fn answer(&mut self, port: usize, packet: &Packet) -> Result<(), Violation> {
        let Packet { header, payload } = packet;
        let Some(line) = self.open.get(usize::from(header.txn)).copied().flatten() else {
            return Ok(());
        };
        let (src, state) = (port as u8, header.state);
        let input = match header.opcode {
            Opcode::CompAck => HomeIn::CompAck { src, state },
            Opcode::Comp => HomeIn::MemoryComp { resp: header.resp },
            Opcode::CompData => match LineBytes::from_flits(payload, header.poison) {
                Some(data) => HomeIn::MemoryData { data },
                None => return Ok(()),
            },
            op => HomeIn::SnoopAnswer {
                op,
                src,
                state,
                data: LineBytes::from_flits(payload, header.poison),
            },
        };
        self.step(line, input)?;
        self.next(line)
    }

    /// One step of the home of a line; sends what it sends.
    fn step(&mut self, line: u64, input: HomeIn<LineBytes>) -> Result<(), Violation> {
        let Some(entry) = self.lines.get_mut(&line) else {
            return Ok(());
        };
        let (txn, (request_txn, request_addr, request_size)) = (entry.txn, entry.request);
        let (state, outputs) = protocol::home(std::mem::take(&mut entry.state), input)?;
        entry.state = state;
        if entry.state.transaction.is_none() {
            self.open[usize::from(txn)] = None;
        }
        let Some(map) = &self.map else { return Ok(()) };
        let home = map.home_of(line);
        let Some((memory, local)) = map.memory_of(line) else {
            return Ok(());
        };
        let memory = NodeId::port(memory as u16);
        let node = |port: u8| NodeId::port(port.into());
        let base = |opcode| Header {
            src: home,
            txn,
            addr: line,
            ..Header::new(opcode)
        };
        for message in outputs {
            match message {
                HomeOut::Snoop {
                    op,
                    targets,
                    requester,
                } => {
                    for target in targets.iter() {
                        let header = Header {
                            dst: node(target),
                            forward_node: node(requester),
                            forward_txn: request_txn,
                            targets: targets.0 as u16,
                            ..base(op)
                        };
                        self.route(header, &[]);
                    }
                }
                HomeOut::MemRead { requester, state } => {
                    let header = Header {
                        dst: memory,
                        addr: local,
                        state,
                        return_node: node(requester),
                        return_txn: request_txn,
                        ..base(Opcode::MemRead)
                    };
                    self.route(header, &[]);
                }
                HomeOut::Fetch => {
                    let header = Header {
                        dst: memory,
                        addr: local,
                        return_node: home,
                        return_txn: txn,
                        ..base(Opcode::MemRead)
                    };
                    self.route(header, &[]);
                }
                HomeOut::CompData {
                    requester,
                    data,
                    resp,
                } => {
                    let header = Header {
                        dst: node(requester),
                        txn: request_txn,
                        addr: request_addr,
                        size: request_size,
                        resp,
                        poison: data.poison,
                        home_node: home,
                        home_txn: txn,
                        ..base(Opcode::CompData)
                    };
                    let piece = LineBytes::offset(request_addr) / layout::FLIT_BYTES;
                    self.route(header, &data.to_flits()[piece..=piece]);
                }
                HomeOut::MemWrite(payload) => {
                    let (mask, bytes) = match payload {
                        Payload::Line(bytes) => (u64::MAX, bytes),
                        Payload::Write(write) => (write.mask, write.bytes),
                        Payload::Atomic(_) => {
                            return Err(Violation("a memory does no far atomic".into()));
                        }
                    };
                    let (at, size, be) = LineWrite::piece(mask);
                    let flits = bytes.to_flits();
                    let first = at as usize / layout::FLIT_BYTES;
                    let header = Header {
                        dst: memory,
                        addr: local + at,
                        size,
                        be,
                        poison: bytes.poison,
                        ..base(Opcode::MemWrite)
                    };
                    self.route(header, &flits[first..first + layout::payload_flits(size)]);
                }
                HomeOut::Comp {
                    requester,
                    state,
                    resp,
                } => {
                    let header = Header {
                        dst: node(requester),
                        txn: request_txn,
                        state,
                        resp,
                        home_node: home,
                        home_txn: txn,
                        ..base(Opcode::Comp)
                    };
                    self.route(header, &[]);
                }
            }
        }
        Ok(())
    }
}

/// What a request to a home carries.
pub(crate) fn carried(header: &Header, payload: &[Flit]) -> Option<Payload<LineBytes>> {
    match header.opcode {
        Opcode::WriteBackFull => LineBytes::from_flits(payload, header.poison).map(Payload::Line),
        Opcode::WriteUnique => Some(Payload::Write(write_of(header, payload))),
        opcode if opcode.is_atomic() => atomic_of(header, payload).map(Payload::Atomic),
        _ => None,
    }
}

/// What a WriteUnique or MemWrite writes.
pub(crate) fn write_of(header: &Header, payload: &[Flit]) -> LineWrite {
    if let Some(bytes) = LineBytes::from_flits(payload, header.poison) {
        return LineWrite {
            bytes,
            mask: u64::MAX,
        };
    }
    let first = LineBytes::offset(header.addr) & !(layout::FLIT_BYTES - 1);
    let mut bytes = [0; layout::LINE_BYTES];
    if let Some(flit) = payload.first() {
        bytes[first..first + layout::FLIT_BYTES].copy_from_slice(&flit.to_bytes());
    }
    LineWrite {
        bytes: LineBytes {
            bytes,
            poison: header.poison,
        },
        mask: u64::from(header.be) << first,
    }
}

/// What a far atomic does.
fn atomic_of(header: &Header, payload: &[Flit]) -> Option<LineAtomic> {
    let Header {
        opcode,
        atomic_op,
        addr,
        size,
        poison,
        ..
    } = *header;
    let lanes = payload.first()?.to_bytes();
    let atomic = Atomic::of(opcode, atomic_op, addr, size, &lanes)?;
    Some(LineAtomic {
        atomic,
        addr,
        size,
        poison,
    })
}

impl Switch for Reference {
    fn ports(&self) -> usize {
        self.ports.len()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        let fresh = Reference::new(self.ports.len());
        let old = std::mem::replace(self, fresh);
        (self.map, self.partitions) = (old.map, old.partitions);
        for port in &mut self.ports {
            port.owed = [NODE_DEPTH; CLASSES];
        }
        Ok(())
    }

    fn configure(&mut self, map: &[Region], partitions: &[u16]) -> Option<Parameters> {
        let memories: Vec<usize> = (0..self.ports.len()).collect();
        self.map = AddressMap::new(
            map.to_vec(),
            &memories,
            HOMES,
            Numbering::of_one_chip(self.ports.len()),
        )
        .ok();
        self.partitions = partitions.to_vec();
        Some(Parameters {
            ports: self.ports.len(),
            home_slices: HOMES,
            regions: map.len(),
            class_depth: NODE_DEPTH,
            shared_depth: 0,
            dir_sets: 0,
            dir_ways: 0,
            trackers: TRANSACTIONS,
            nodes: self.ports.len(),
            nodes_per_chip: self.ports.len(),
            chips: 1,
        })
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.cycle += 1;
        let fault = |cycle, text| Failure::new(cycle, FailureKind::Protocol, text);
        for port in bits(inputs.rx.valid) {
            let Some(word) = inputs.rx.get(port) else {
                continue;
            };
            self.ports[port].owed[word.class as usize] += 1;
            if let Ok(Some(packet)) = self.ports[port].assembler.push(word) {
                self.arrive(port, packet)
                    .map_err(|v| fault(self.cycle, v.to_string()))?;
            }
        }
        for (port, classes) in inputs.tx_credit.iter() {
            bits(classes).for_each(|class| self.ports[port].credits[class] += 1);
        }
        while self
            .fabric
            .front()
            .is_some_and(|&(due, ..)| due <= self.cycle)
        {
            if let Some((_, port, header, payload)) = self.fabric.pop_front() {
                self.ports[port].out.send(&header, &payload);
            }
        }
        outputs.tx = Words::default();
        outputs.rx_credit = Credits::default();
        for (index, port) in self.ports.iter_mut().enumerate() {
            for class in Class::ALL {
                let owed = &mut port.owed[class as usize];
                if *owed != 0 {
                    *owed -= 1;
                    outputs.rx_credit.pulse(index, class);
                }
            }
            let words = port.out.classes();
            let class = (1..=CLASSES)
                .map(|step| (port.last + step) % CLASSES)
                .find(|&class| words >> class & 1 != 0 && port.credits[class] != 0);
            if let Some((class, word)) = class.and_then(|c| Some((c, port.out.pop(c)?))) {
                port.credits[class] -= 1;
                port.last = class;
                outputs.tx.put(index, &word);
            }
        }
        Ok(())
    }
}
