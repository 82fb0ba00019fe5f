//! The checkers together: who is told what.

use std::collections::VecDeque;

use flits::layout::{FLIT_BYTES, LINE_BYTES};
use flits::{CacheState, Class, Header, LinkWord, Opcode, Packet, RespErr};
use rustc_hash::FxHashSet;

use super::cable::Cables;
use super::conformance::Conformance;
use super::coverage::{Counters, Seen};
use super::delivery::Delivery;
use super::golden::{AtMemory, Golden, Performed, Written};
use super::link::{Port, may_receive};
use super::order::ProgramOrder;
use super::poison::{Poison, is_whole};
use super::recorder::Recorder;
use super::reports::{Access, Report, Reports};
use super::swmr::Swmr;
use super::transactions::Transactions;
use super::{
    CheckConfig, CheckCounts, Direction, LineVisitor, LoadSource, PortKind, SeenPacket, Verdict,
    violation,
};
use crate::FailureKind;
use crate::agents::OpKind;
use crate::dut::HomeView;
use crate::protocol::pairs::Pairs;

/// Cycles between two looks at what waits.
pub(super) const PROGRESS_PERIOD: u64 = 256;

/// An operation that has not ended.
struct Open {
    op: u64,
    kind: OpKind,
    addr: u64,
    /// When it began, for [`Poison`].
    moment: u64,
}

/// The operations of one node that have not ended.
#[derive(Default)]
struct Operations {
    open: VecDeque<Open>,
    /// When the last one ended, or the first one began after a pause.
    moved: u64,
}

/// All checkers and what they share.
pub(super) struct Suite {
    config: CheckConfig,
    links: Vec<Port>,
    cables: Cables,
    delivery: Delivery,
    transactions: Transactions,
    conformance: Option<Conformance>,
    swmr: Swmr,
    golden: Golden,
    poison: Poison,
    orders: Vec<ProgramOrder>,
    pub(super) recorder: Recorder,
    operations: Vec<Operations>,
    pub(super) counts: CheckCounts,
    /// Functional coverage, where it is on.
    coverage: Option<Box<Counters>>,
    /// Which states of nodes met which inputs.
    node_pairs: Pairs,
    /// Cycle of the last header of each class, by direction, of each port.
    begins: Vec<[[u64; Class::ALL.len()]; 2]>,
    pub(super) log: Vec<SeenPacket>,
}

/// Where the address map sends a request.
enum Route {
    Home,
    Memory(usize, u64),
}

impl Suite {
    pub(super) fn new(config: CheckConfig) -> Self {
        let ports = config.kinds.len();
        let depths = [config.switch_depth, config.node_depth];
        let numbering = config.map.numbering();
        let link = |(port, &kind)| Port::new(port, numbering.node(port), kind, depths);
        Suite {
            cables: Cables::new(config.cables.as_ref(), config.switch_depth),
            links: config.kinds.iter().enumerate().map(link).collect(),
            delivery: Delivery::new(numbering),
            transactions: Transactions::new(numbering),
            conformance: config.directories.map(|directories| {
                let hostile = (0..ports).filter(|&port| config.kinds[port] == PortKind::Hostile);
                Conformance::new(directories, hostile.map(|port| numbering.node(port)))
            }),
            swmr: Swmr::default(),
            golden: Golden::default(),
            poison: Poison::default(),
            orders: (0..ports).map(|_| ProgramOrder::default()).collect(),
            recorder: Recorder::new(config.models.clone()),
            operations: (0..ports).map(|_| Operations::default()).collect(),
            counts: CheckCounts::default(),
            coverage: Counters::new(&config),
            node_pairs: Pairs::default(),
            begins: vec![Default::default(); ports],
            log: Vec::new(),
            config,
        }
    }

    pub(super) fn wants_homes(&self) -> bool {
        self.conformance.is_some()
    }

    /// Inputs of homes compared with the specification.
    pub(super) fn home_inputs(&self) -> u64 {
        (self.conformance.as_ref()).map_or(0, |conformance| conformance.inputs)
    }

    /// Judges what was reported.
    pub(super) fn judge(&mut self, cycle: u64, report: &Report, all: &Reports) -> Verdict {
        match *report {
            Report::Credit {
                port,
                direction,
                mask,
            } => self.links[port].credit(direction, mask),
            Report::Word {
                port,
                direction,
                ref word,
            } => self.word(cycle, port, direction, word),
            Report::NodeInput(pair) => {
                self.node_pairs.met(pair);
                Ok(())
            }
            Report::Home { chip, slice, view } => self.home(chip, slice, all.view(view)),
            Report::CableCredit { end, mask } => self.cables.credit(end, mask),
            Report::CableWord { end, ref word } => self.cables.word(end, word),
            Report::State {
                node,
                line,
                old,
                new,
            } => self.state(node, line, old, new),
            Report::Load { access, source } => self.load(access, all.bytes(access.bytes), source),
            Report::StoreIssue(Access {
                node,
                op,
                addr,
                bytes,
            }) => {
                self.orders[node].buffer(op, addr, all.bytes(bytes));
                Ok(())
            }
            Report::Store(access) => self.store(access, all.bytes(access.bytes)),
            Report::DataOut { node, line, data } => self.data_out(node, line, all.bytes(data)),
            Report::MemRead {
                memory,
                local,
                bytes,
            } => self.mem_read(memory, local, all.bytes(bytes)),
            Report::MemWrite {
                memory,
                local,
                bytes,
                be,
                poison,
            } => self.mem_write(memory, local, all.bytes(bytes), be, poison),
            Report::OpStart {
                node,
                op,
                kind,
                addr,
            } => self.op_start(cycle, node, op, kind, addr),
            Report::OpFinish {
                access,
                kind,
                status,
            } => self.op_finish(cycle, access, kind, status, all.bytes(access.bytes)),
            Report::Progress => self.progress(cycle),
        }
    }

    /// Which states of homes and nodes met which inputs.
    pub(super) fn pairs(&self) -> Pairs {
        let mut all = self.node_pairs.clone();
        if let Some(conformance) = &self.conformance {
            all.add(&conformance.pairs());
        }
        all
    }

    fn home(&mut self, chip: usize, slice: usize, view: &HomeView) -> Verdict {
        match &mut self.conformance {
            Some(conformance) => conformance.edge(chip, slice, view),
            None => Ok(()),
        }
    }

    fn word(&mut self, cycle: u64, port: usize, direction: Direction, word: &LinkWord) -> Verdict {
        self.counts.words += 1;
        let packet = self.links[port].word(direction, word)?;
        if self.coverage.is_some() {
            self.cover(port, direction, word, packet.as_ref());
        }
        let begin = &mut self.begins[port][direction as usize][word.class as usize];
        if word.head {
            *begin = cycle;
        }
        let begin = *begin;
        let request = word.head && word.class == Class::Req && direction == Direction::ToSwitch;
        if request && !self.is_hostile(port) {
            let header = match &packet {
                Some(packet) => Ok(packet.header),
                None => Header::decode(word.class, word.flit),
            };
            if let Ok(header) = header {
                self.requested(cycle, port, &header)?;
            }
        }
        let Some(packet) = packet else {
            return Ok(());
        };
        self.counts.packets += 1;
        let verdict = match direction {
            _ if self.is_hostile(port) => {
                self.hostile(cycle, port, direction, &packet);
                Ok(())
            }
            Direction::ToSwitch => self.sent(port, &packet),
            Direction::ToNode => match self.config.map.port(packet.header.src) {
                Some(from) if self.is_hostile(from) => {
                    self.got_from_hostile(cycle, from, port, &packet)
                }
                _ => self.got(cycle, port, &packet),
            },
        };
        if self.config.log_packets {
            self.log.push(SeenPacket {
                begin,
                cycle,
                port,
                direction,
                packet,
            });
        }
        verdict
    }

    /// Tells functional coverage of a word and of the packet that it completes.
    #[cold]
    fn cover(
        &mut self,
        port: usize,
        direction: Direction,
        word: &LinkWord,
        packet: Option<&Packet>,
    ) {
        let Some(coverage) = &mut self.coverage else {
            return;
        };
        let left = self.links[port].left(direction, word.class);
        coverage.word(port, direction, word.class as usize, left);
        let Some(Packet { header, .. }) = packet else {
            return;
        };
        let map = &self.config.map;
        let requester = match header.class() {
            Class::Snp => map
                .port(header.forward_node)
                .map(|port| (port, header.forward_txn)),
            Class::Mem => map
                .port(header.return_node)
                .map(|port| (port, header.return_txn)),
            _ => None,
        };
        coverage.packet(&Seen {
            port,
            direction,
            header,
            global: match header.class() {
                Class::Mem => map.global_of(port, header.addr),
                _ => None,
            },
            requester: requester.filter(|_| header.form() != flits::layout::Form::MemWrite),
        });
    }

    /// Device `port` has sent the header of a request. The switch may refuse it before the rest of
    /// the packet has come.
    fn requested(&mut self, cycle: u64, port: usize, header: &Header) -> Verdict {
        if let Err(status) = self.route(port, header) {
            self.delivery.refuse(port, header.txn, status);
        }
        self.transactions.request(cycle, port, header)
    }

    /// Device `port` has sent a packet.
    fn sent(&mut self, port: usize, packet: &Packet) -> Verdict {
        let Packet { header, payload } = packet;
        if header.class() == Class::Req {
            let Ok(route) = self.route(port, header) else {
                return Ok(());
            };
            if let Route::Memory(memory, local) = route {
                let dst = self.config.map.node(memory);
                let translated = Header {
                    dst,
                    addr: local,
                    ..*header
                };
                self.delivery.enter(port, memory, translated, payload);
            }
            if is_write_behind(header.opcode) {
                self.issue(port, packet);
            }
            return Ok(());
        }
        match self.config.map.port(header.dst) {
            Some(to) => self.delivery.enter(port, to, *header, payload),
            None if self.config.map.has_home(header.dst) => {}
            _ => {
                return Err(violation(
                    FailureKind::Link,
                    format!("node {port} sends {header}, but there is no such destination"),
                ));
            }
        }
        let memory = self.config.kinds[port] == PortKind::Memory;
        match header.opcode {
            Opcode::Comp | Opcode::CompData if memory => {
                self.transactions.access_answer(port, header)
            }
            Opcode::CompData => self.transactions.forward(port, header),
            Opcode::CompAck => self.transactions.acknowledge(port, header),
            _ => self.transactions.snoop_answer(port, header),
        }
    }

    /// Device `port` has got a packet.
    fn got(&mut self, cycle: u64, port: usize, packet: &Packet) -> Verdict {
        let Packet { header, payload } = packet;
        let kind = self.config.kinds[port];
        if !may_receive(kind, header.opcode) {
            return Err(violation(
                FailureKind::Link,
                format!("port {port}: a {kind} may not get {header}"),
            ));
        }
        let refused = matches!(
            header.resp,
            RespErr::Unmapped | RespErr::NoRight | RespErr::WrongRegion
        );
        let from = self.config.map.port(header.src);
        if refused {
            self.delivery.refused(port, header)?;
        } else if let Some(from) = from {
            self.delivery.leave(from, port, header, payload)?;
        } else if !self.config.map.has_home(header.src) {
            return Err(violation(
                FailureKind::Link,
                format!("node {port} gets {header}, whose source does not exist"),
            ));
        }
        match header.class() {
            Class::Snp => {
                self.at_home(header, Some(header.line()))?;
                self.transactions.snoop(cycle, port, header)
            }
            Class::Mem | Class::Req => {
                let global = self.config.map.global_of(port, header.addr);
                self.at_home(header, global.filter(|_| header.class() == Class::Mem))?;
                self.transactions.access(cycle, port, header, global)
            }
            Class::Rsp | Class::Dat => {
                let (opcode, addr) = self.transactions.answer(port, header)?;
                self.answered(port, packet, opcode, addr)
            }
        }
    }

    /// A hostile device has sent or got a legal packet. It is judged by no rule, but what it asked
    /// for must be known where others answer it.
    fn hostile(&mut self, cycle: u64, port: usize, direction: Direction, packet: &Packet) {
        let Packet { header, payload } = packet;
        let from = self.config.map.port(header.src);
        // The verdicts are those on a device that may do anything.
        let _ = match (direction, header.class(), from) {
            (Direction::ToSwitch, Class::Req, _) => {
                if header.opcode != Opcode::WriteNoSnp && is_write_behind(header.opcode) {
                    self.issue(port, packet);
                }
                self.transactions.request(cycle, port, header)
            }
            (Direction::ToSwitch, ..) => self.transactions.acknowledge(port, header),
            (Direction::ToNode, _, Some(from)) if from != port => {
                let _ = self.delivery.leave(from, port, header, payload);
                self.transactions.answer(port, header).map(|_| ())
            }
            (Direction::ToNode, ..) => self.transactions.answer(port, header).map(|_| ()),
        };
    }

    /// Device `port` has got a packet of the hostile device `from`. The switch completes a torn one
    /// with words that were never sent, so that what arrives is what counts.
    fn got_from_hostile(
        &mut self,
        cycle: u64,
        from: usize,
        port: usize,
        packet: &Packet,
    ) -> Verdict {
        if packet.header.class() != Class::Req {
            // A stray answer is its receiver's to drop.
            return Ok(());
        }
        let global = self.config.map.global_of(port, packet.header.addr);
        if let (Opcode::WriteNoSnp, Some(addr)) = (packet.header.opcode, global) {
            let mut packet = packet.clone();
            packet.header.addr = addr;
            self.issue(from, &packet);
        }
        self.transactions
            .access(cycle, port, &packet.header, global)
    }

    /// Device `port` has got the answer to its request `opcode` of `addr`.
    fn answered(&mut self, port: usize, packet: &Packet, opcode: Opcode, addr: u64) -> Verdict {
        let header = &packet.header;
        match opcode {
            _ if is_write_behind(opcode) => {
                let performed = matches!(header.resp, RespErr::Ok | RespErr::DataError);
                let old = (header.opcode == Opcode::CompData).then(|| packet.data());
                let owner = (port, header.txn);
                let exchange = self.golden.complete(owner, performed, old.as_deref())?;
                self.recorder.reassign(&exchange.moves);
                for (addr, len) in exchange.doubts {
                    self.poison.doubt(addr, len);
                }
                self.recorder.answered(port, header.txn);
                if let (Some(old), RespErr::Ok) = (old, header.resp) {
                    self.orders[port].answer(addr, old);
                }
                Ok(())
            }
            Opcode::ReadOnce | Opcode::ReadNoSnp
                if header.opcode == Opcode::CompData && !header.poison =>
            {
                self.orders[port].answer(addr, packet.data());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A device sends a write that no cache takes part in.
    fn issue(&mut self, port: usize, packet: &Packet) {
        let header = &packet.header;
        let (addr, len) = (header.addr, header.bytes());
        match header.poison {
            true => self.poison.expect(addr),
            false if is_whole(header.be, len) => self.poison.cleaned(addr, len),
            false => {}
        }
        self.golden.issue(port, packet);
    }

    /// What a home sends about a line must come from the home of that line.
    fn at_home(&self, header: &Header, global: Option<u64>) -> Verdict {
        match global {
            Some(line) if self.config.map.home_of(line) != header.src => Err(violation(
                FailureKind::Protocol,
                format!(
                    "{header} is about line {line:#x}, whose home is {}",
                    self.config.map.home_of(line)
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What the address map says about a request.
    fn route(&self, port: usize, header: &Header) -> Result<Route, RespErr> {
        let map = &self.config.map;
        let region = map.lookup(header.addr).ok_or(RespErr::Unmapped)?;
        if !region.allows(header.opcode, self.config.partitions[port]) {
            return Err(RespErr::NoRight);
        }
        if super::transactions::is_coherent(header.opcode) != region.coherent {
            return Err(RespErr::WrongRegion);
        }
        match map.memory_of(header.addr) {
            Some((memory, local)) if !region.coherent => Ok(Route::Memory(memory, local)),
            _ => Ok(Route::Home),
        }
    }

    fn state(&mut self, node: usize, line: u64, old: CacheState, new: CacheState) -> Verdict {
        self.counts.state_changes += 1;
        self.swmr.change(node, line, old, new)
    }

    fn load(&mut self, access: Access, bytes: &[u8], source: LoadSource) -> Verdict {
        let Access { node, op, addr, .. } = access;
        self.counts.loads += 1;
        if source == LoadSource::Cache {
            self.swmr.reads(node, line_of(addr))?;
            self.golden
                .expect(addr, bytes, || format!("load {op} of node {node}"))?;
        }
        let memory = self.golden.get(addr, bytes.len());
        self.orders[node].load(node, op, addr, bytes, source, memory)
    }

    fn store(&mut self, access: Access, bytes: &[u8]) -> Verdict {
        let Access { node, op, addr, .. } = access;
        self.counts.stores += 1;
        self.swmr.writes(node, line_of(addr))?;
        self.orders[node].store(node, op, addr, bytes)?;
        self.golden.store(addr, bytes);
        if bytes.len() == LINE_BYTES {
            self.poison.replaced(addr);
        }
        self.recorder.visible(node, op, addr, bytes);
        Ok(())
    }

    fn data_out(&mut self, node: usize, line: u64, data: &[u8]) -> Verdict {
        self.counts.lines_out += 1;
        self.golden
            .expect(line, data, || format!("line sent by node {node}"))
    }

    fn mem_read(&mut self, memory: usize, local: u64, bytes: &[u8]) -> Verdict {
        self.counts.memory_accesses += 1;
        let addr = self.global(memory, local)?;
        self.golden
            .expect(addr, bytes, || format!("read at memory {memory}"))
    }

    fn mem_write(
        &mut self,
        memory: usize,
        local: u64,
        bytes: &[u8],
        be: u16,
        poison: bool,
    ) -> Verdict {
        self.counts.memory_accesses += 1;
        let addr = self.global(memory, local)? & !(FLIT_BYTES as u64 - 1);
        let written = Written {
            addr,
            data: bytes,
            be,
        };
        let seen = self
            .golden
            .memory_write(written, poison, || format!("memory {memory}"))?;
        match seen {
            AtMemory::Performed(Performed {
                owner: (node, txn),
                written,
                poison,
            }) => {
                self.poison.performed(written, poison);
                self.recorder.performed(node, txn, written);
                self.swmr.written_behind(line_of(addr))?;
            }
            AtMemory::Unchanged { .. } if poison => self.poison.expect(addr),
            AtMemory::Unchanged { replaces: true } => self.poison.performed(written, false),
            AtMemory::Unchanged { replaces: false } => {}
        }
        Ok(())
    }

    fn op_start(&mut self, cycle: u64, node: usize, op: u64, kind: OpKind, addr: u64) -> Verdict {
        if let Some(coverage) = &mut self.coverage {
            coverage.access(node, addr);
        }
        let operations = &mut self.operations[node];
        if operations.open.is_empty() {
            operations.moved = cycle;
        }
        let moment = self.poison.now();
        operations.open.push_back(Open {
            op,
            kind,
            addr,
            moment,
        });
        self.recorder.start(cycle, node, op);
        Ok(())
    }

    fn op_finish(
        &mut self,
        cycle: u64,
        access: Access,
        kind: OpKind,
        status: RespErr,
        bytes: &[u8],
    ) -> Verdict {
        let Access { node, op, addr, .. } = access;
        let operations = &mut self.operations[node];
        operations.moved = cycle;
        let at = operations.open.iter().position(|open| open.op == op);
        let open = at.and_then(|at| operations.open.remove(at));
        let judged = reads(kind) || status == RespErr::DataError;
        if let Some(Open { moment, .. }) = open
            && judged
            && !self.orders[node].took_own(op)
        {
            let who = || format!("operation {op} of node {node}, {kind:?},");
            self.poison.read(moment, addr, bytes.len(), status, who)?;
        }
        self.recorder
            .finish(cycle, node, op, kind, addr, status, bytes)?;
        if status != RespErr::Ok {
            return Ok(());
        }
        let order = &mut self.orders[node];
        match kind {
            OpKind::Load | OpKind::LoadReserved => order.result(node, op, addr, bytes),
            OpKind::FetchAdd | OpKind::Swap | OpKind::CompareSwap => {
                order.fence(node, op)?;
                order.result(node, op, addr, bytes)
            }
            OpKind::Fence | OpKind::StoreConditional => order.fence(node, op),
            OpKind::ReadOnce | OpKind::ReadUncached => order.taken(node, op, addr, bytes),
            OpKind::AtomicLoad(_) | OpKind::AtomicSwap | OpKind::AtomicCompare => {
                order.fence(node, op)?;
                order.taken(node, op, addr, bytes)
            }
            OpKind::AtomicStore(_) => order.fence(node, op),
            _ => Ok(()),
        }
    }

    /// Whether anything waits too long.
    fn progress(&mut self, cycle: u64) -> Verdict {
        let limit = self.config.stuck_after;
        if let Some((since, what)) = self.transactions.oldest(cycle, limit) {
            return self.stuck(format!(
                "nothing has come of this for {} cycles: {what}",
                cycle - since
            ));
        }
        for (node, operations) in self.operations.iter().enumerate() {
            let waited = cycle.saturating_sub(operations.moved);
            if let Some(Open { op, kind, addr, .. }) = operations.open.front()
                && waited > limit
            {
                return self.stuck(format!(
                    "node {node} has ended no operation for {waited} cycles: operation {op}, \
                     {kind:?} of {addr:#x}, is its oldest"
                ));
            }
        }
        Ok(())
    }

    /// The failure `what`, and after it who waits for whom.
    fn stuck(&self, what: String) -> Verdict {
        let mut text = what;
        let mut add = |line: String| {
            text.push_str("\n  ");
            text.push_str(&line);
        };
        self.transactions.waiting().into_iter().for_each(&mut add);
        for line in self.transactions.lines_asked() {
            let home = self.config.map.home_of(line);
            add(format!(
                "line {line:#x} of {home} is {}",
                self.swmr.describe(line)
            ));
        }
        for (port, link) in self.links.iter().enumerate() {
            for direction in Direction::ALL {
                add(format!(
                    "credits of port {port} {direction}: {}",
                    link.credits(direction)
                ));
            }
        }
        Err(violation(FailureKind::Progress, text))
    }

    /// The end of the run.
    pub(super) fn end(
        &mut self,
        cached: &mut dyn FnMut(&mut LineVisitor<'_>),
        memory: &dyn Fn(usize, u64) -> [u8; LINE_BYTES],
    ) -> Verdict {
        self.transactions.end(|port| !self.is_hostile(port))?;
        self.delivery.end()?;
        for link in &self.links {
            link.end()?;
        }
        self.cables.end()?;
        if let Some(conformance) = &self.conformance {
            conformance.end()?;
        }
        for (node, order) in self.orders.iter().enumerate() {
            order.end(node)?;
        }
        self.recorder.judge(true)?;
        let mut dirty = FxHashSet::default();
        let mut verdict = Ok(());
        let (golden, counts) = (&self.golden, &mut self.counts);
        cached(&mut |node, line, state, data| {
            counts.final_lines += 1;
            if state == CacheState::UD {
                dirty.insert(line);
            }
            if verdict.is_ok() && state != CacheState::I {
                verdict = golden.expect(line, data, || {
                    format!("at the end, the cache of node {node}")
                });
            }
        });
        verdict?;
        for line in golden.lines().filter(|line| !dirty.contains(line)) {
            let Some((port, local)) = self.config.map.memory_of(line) else {
                continue;
            };
            counts.final_lines += 1;
            golden.expect(line, &memory(port, local), || {
                format!("at the end, memory {port}")
            })?;
        }
        Ok(())
    }

    fn global(&self, memory: usize, local: u64) -> Result<u64, Box<super::Violation>> {
        self.config.map.global_of(memory, local).ok_or_else(|| {
            violation(
                FailureKind::Data,
                format!("memory {memory}: no region has local address {local:#x}"),
            )
        })
    }

    fn is_hostile(&self, port: usize) -> bool {
        self.config.kinds[port] == PortKind::Hostile
    }
}

/// Whether a request changes memory without a cache taking part.
fn is_write_behind(opcode: Opcode) -> bool {
    opcode.is_atomic() || matches!(opcode, Opcode::WriteUnique | Opcode::WriteNoSnp)
}

/// Whether an operation gives a value.
fn reads(kind: OpKind) -> bool {
    match kind {
        OpKind::Load | OpKind::LoadReserved | OpKind::ReadOnce | OpKind::ReadUncached => true,
        OpKind::AtomicLoad(_) | OpKind::AtomicSwap | OpKind::AtomicCompare => true,
        kind => kind.is_atomic(),
    }
}

fn line_of(addr: u64) -> u64 {
    addr & !(LINE_BYTES as u64 - 1)
}
