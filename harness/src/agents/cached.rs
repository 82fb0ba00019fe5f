//! A processor with a coherent cache.
//!
//! The core performs one operation a cycle, in the order in which programs submit them. A miss takes
//! a miss register and the core goes on; what hits or misses another line overtakes it, since two
//! operations in flight at once are never in program order (a program awaits the first before it
//! submits the second). With a store buffer the core is TSO: stores are done when they are in the
//! buffer, loads see them there, and they reach the cache in order.

use super::cache::{Cache, Got, Want};
use super::direct::{self, Direct};
use super::line::{LineBytes, LineWrite};
use super::lines::Place;
use super::packets;
use super::store_buffer::{Buffered, Lookup, StoreBuffer};
use super::{Agent, Context, NodeSet, OpId, OpKind, Outbox, Status, Step};
use crate::check::LoadSource;
use crate::sim::stats::Service;
use crate::{Failure, FailureKind};
use flits::{CacheState, Class, Flit, Header, NodeId, Opcode, RespErr, layout};
use std::collections::VecDeque;

/// Requests in flight at once that leave nothing in the cache.
const DIRECT_REQUESTS: usize = 8;
/// Words of answers that may wait for the link before the node stops taking snoops.
const ANSWER_ROOM: usize = 32;

/// Sizes of a cached node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachedConfig {
    /// Sets, a power of two.
    pub sets: usize,
    /// Ways, at least 1.
    pub ways: usize,
    /// Misses in flight at once, 1 to 64; as many lines may be leaving.
    pub mshrs: usize,
    /// Stores that the store buffer holds; 0 for none.
    pub store_buffer: usize,
}

/// Who waits for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiter {
    Op(OpId),
    /// The oldest store of the store buffer.
    Drain,
}

/// Outcome of trying an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Done,
    /// It waits in a transaction.
    Waiting,
    /// Not before something else ends.
    Blocked,
}

/// A processor with a coherent cache.
pub struct CachedNode {
    node: NodeId,
    cache: Cache,
    direct: Direct,
    store_buffer: StoreBuffer,
    /// The address of the last [`OpKind::LoadReserved`], while its line has not left since.
    reserved: Option<u64>,
    /// Operations that have not been performed, in order.
    queue: VecDeque<OpId>,
    /// The first of the queue cannot go on before something ends.
    queue_blocked: bool,
    /// The oldest store waits in a transaction.
    draining: bool,
    /// The oldest store cannot go on before something ends.
    drain_blocked: bool,
    /// Who waits for each transaction of the cache.
    waiters: Vec<Vec<Waiter>>,
    /// Room for the waiters of the transaction that ends.
    ending: Vec<Waiter>,
}

impl CachedNode {
    /// The node `node`, in a system with these memories.
    pub fn new(node: NodeId, config: CachedConfig, memories: NodeSet) -> Self {
        let CachedConfig {
            sets,
            ways,
            mshrs,
            store_buffer,
        } = config;
        let cache = Cache::new(node, sets, ways, mshrs, memories);
        CachedNode {
            node,
            waiters: vec![Vec::new(); cache.transactions()],
            direct: Direct::new(node, cache.transactions() as u16, DIRECT_REQUESTS, memories),
            cache,
            store_buffer: StoreBuffer::new(store_buffer),
            reserved: None,
            queue: VecDeque::new(),
            queue_blocked: false,
            draining: false,
            drain_blocked: false,
            ending: Vec::new(),
        }
    }

    /// Every line that the cache holds: byte address, state, bytes.
    pub fn held(&self) -> impl Iterator<Item = (u64, CacheState, &LineBytes)> {
        self.cache.held()
    }

    /// Has the line readable or writable, or starts what makes it so.
    fn get(&mut self, line: u64, want: Want, cx: &mut Context<'_>) -> Result<Got, Failure> {
        if self.direct.touches(line) {
            return Ok(Got::Blocked);
        }
        self.cache.get(line, want, cx)
    }

    /// Performs an operation if it can be.
    fn attempt(
        &mut self,
        id: OpId,
        service: Service,
        cx: &mut Context<'_>,
    ) -> Result<Attempt, Failure> {
        let op = &cx.ops[id];
        let line = op.addr & !(layout::LINE_BYTES as u64 - 1);
        match op.kind {
            OpKind::Load => return self.load(id, line, service, cx),
            // What is reserved is what memory holds.
            OpKind::LoadReserved
                if self.store_buffer.lookup(op.addr, op.len as usize) == Lookup::Miss =>
            {
                return self.load(id, line, service, cx);
            }
            OpKind::Store if self.store_buffer.exists() => return Ok(self.buffer_store(id, cx)),
            // Whatever is no plain load or store waits for the stores before it.
            _ if !self.store_buffer.is_empty() => return Ok(Attempt::Blocked),
            _ => {}
        }
        match op.kind {
            OpKind::Load | OpKind::LoadReserved => self.load(id, line, service, cx),
            OpKind::StoreConditional if self.reserved != Some(op.addr) => {
                self.conclude(id, false, service, cx);
                Ok(Attempt::Done)
            }
            OpKind::Store
            | OpKind::FetchAdd
            | OpKind::Swap
            | OpKind::CompareSwap
            | OpKind::StoreConditional => self.write(id, line, service, cx),
            OpKind::Fence => {
                self.finish(id, RespErr::Ok, service, cx);
                Ok(Attempt::Done)
            }
            OpKind::Evict => self.evict(id, line, service, cx),
            // A line that is here, or on its way, is loaded and stored, or else it leaves first: the
            // home does not snoop the requester.
            OpKind::ReadOnce | OpKind::WriteUnique
                if matches!(self.cache.find(line), Some(Place::Way(_))) =>
            {
                let op = &mut cx.ops[id];
                op.kind = if op.kind == OpKind::ReadOnce {
                    OpKind::Load
                } else {
                    OpKind::Store
                };
                self.attempt(id, service, cx)
            }
            kind if kind.leaves_no_copy()
                && let Some(place) = self.cache.find(line) =>
            {
                self.leave(id, place, cx)
            }
            OpKind::ReadOnce | OpKind::WriteUnique
                if self.cache.find(line).is_some() || self.direct.touches(line) =>
            {
                Ok(Attempt::Blocked)
            }
            kind if kind.leaves_no_copy() && self.direct.touches(line) => Ok(Attempt::Blocked),
            _ if self.direct.is_full() => Ok(Attempt::Blocked),
            _ => {
                self.direct.start(id, cx)?;
                Ok(Attempt::Waiting)
            }
        }
    }

    fn load(
        &mut self,
        id: OpId,
        line: u64,
        service: Service,
        cx: &mut Context<'_>,
    ) -> Result<Attempt, Failure> {
        let (addr, len) = (cx.ops[id].addr, cx.ops[id].len as usize);
        let (service, source, status) = match self.store_buffer.lookup(addr, len) {
            Lookup::Partial => return Ok(Attempt::Blocked),
            Lookup::Hit(bytes) => {
                cx.ops[id].data[..len].copy_from_slice(bytes);
                (Service::StoreBuffer, LoadSource::StoreBuffer, RespErr::Ok)
            }
            Lookup::Miss => {
                let place = match self.get(line, Want::Read, cx)? {
                    Got::Line(place) => place,
                    Got::Later(txn) => return Ok(self.wait(txn, id)),
                    Got::Blocked => return Ok(Attempt::Blocked),
                };
                let data = self.cache.data(place, cx.cycle)?;
                cx.ops[id].data[..len].copy_from_slice(data.at(addr, len));
                let status = packets::status_with(data.poison);
                if cx.ops[id].kind == OpKind::LoadReserved {
                    self.reserved = Some(addr);
                }
                (service, LoadSource::Cache, status)
            }
        };
        let op = &cx.ops[id];
        cx.checks
            .on_load(cx.cycle, cx.port, op.index, addr, op.bytes(), source);
        self.finish(id, status, service, cx);
        Ok(Attempt::Done)
    }

    /// Stores and atomics, in a unique line.
    fn write(
        &mut self,
        id: OpId,
        line: u64,
        service: Service,
        cx: &mut Context<'_>,
    ) -> Result<Attempt, Failure> {
        let op = &cx.ops[id];
        let want = match <[u8; layout::LINE_BYTES]>::try_from(op.bytes()) {
            Ok(bytes) if !op.kind.is_atomic() => Want::Overwrite(LineBytes::new(bytes)),
            _ => Want::Write,
        };
        let place = match self.get(line, want, cx)? {
            Got::Line(place) => place,
            Got::Later(txn) => return Ok(self.wait(txn, id)),
            Got::Blocked => return Ok(Attempt::Blocked),
        };
        let op = &mut cx.ops[id];
        let (addr, len, index) = (op.addr, op.len as usize, op.index);
        let data = self.cache.data(place, cx.cycle)?;
        let old = data.at(addr, len);
        let new = op.updated(old);
        let status = packets::status_with(data.poison && op.kind.is_atomic());
        if op.kind.is_atomic() {
            op.data[..len].copy_from_slice(old);
            cx.checks
                .on_load(cx.cycle, cx.port, index, addr, old, LoadSource::Cache);
        }
        if let Some(new) = new {
            self.cache.write(place, addr, index, &new[..len], cx)?;
        }
        match cx.ops[id].kind {
            OpKind::StoreConditional => self.conclude(id, true, service, cx),
            _ => self.finish(id, status, service, cx),
        }
        Ok(Attempt::Done)
    }

    /// Ends a store-conditional, and the reservation with it.
    fn conclude(&mut self, id: OpId, stored: bool, service: Service, cx: &mut Context<'_>) {
        self.reserved = None;
        let op = &mut cx.ops[id];
        let len = op.len as usize;
        op.data[..len].fill(0);
        op.data[0] = u8::from(!stored);
        self.finish(id, RespErr::Ok, service, cx);
    }

    /// A reservation ends when its line leaves. Looked at after everything that a line can leave by.
    fn keep_reservation(&mut self) {
        let line_of = |addr| addr & !(layout::LINE_BYTES as u64 - 1);
        self.reserved = self
            .reserved
            .filter(|&addr| self.cache.holds(line_of(addr)));
    }

    fn buffer_store(&mut self, id: OpId, cx: &mut Context<'_>) -> Attempt {
        if self.store_buffer.is_full() {
            return Attempt::Blocked;
        }
        let op = &cx.ops[id];
        let (addr, index) = (op.addr, op.index);
        let write = LineWrite::new(addr, op.bytes());
        cx.checks
            .on_store_issue(cx.cycle, cx.port, index, addr, op.bytes());
        self.store_buffer.push(Buffered {
            addr,
            len: op.len,
            index,
            write,
        });
        self.finish(id, RespErr::Ok, Service::StoreBuffer, cx);
        Attempt::Done
    }

    /// Brings the oldest store of the store buffer to the cache.
    fn drain(&mut self, cx: &mut Context<'_>) -> Step {
        let Some(store) = self.store_buffer.front() else {
            return Ok(());
        };
        let (line, addr, index) = (store.line(), store.addr, store.index);
        let want = match store.write.mask {
            u64::MAX => Want::Overwrite(store.write.bytes.clone()),
            _ => Want::Write,
        };
        match self.get(line, want, cx)? {
            Got::Line(place) => {
                if let Some(store) = self.store_buffer.pop() {
                    self.cache.write(place, addr, index, store.bytes(), cx)?;
                }
                self.queue_blocked = false;
            }
            Got::Later(txn) => {
                self.waiters[usize::from(txn)].push(Waiter::Drain);
                self.draining = true;
            }
            Got::Blocked => self.drain_blocked = true,
        }
        Ok(())
    }

    fn can_drain(&self) -> bool {
        !self.store_buffer.is_empty() && !self.draining && !self.drain_blocked
    }

    fn evict(
        &mut self,
        id: OpId,
        line: u64,
        service: Service,
        cx: &mut Context<'_>,
    ) -> Result<Attempt, Failure> {
        match self.cache.find(line) {
            None => {
                self.finish(id, RespErr::Ok, service, cx);
                Ok(Attempt::Done)
            }
            Some(place) => self.leave(id, place, cx),
        }
    }

    /// Has a line that is here leave, and the operation wait for that.
    fn leave(&mut self, id: OpId, place: Place, cx: &mut Context<'_>) -> Result<Attempt, Failure> {
        let txn = match self.cache.pending(place) {
            Some(txn) => Some(txn),
            None => self.cache.give_up(place, cx)?,
        };
        Ok(txn.map_or(Attempt::Blocked, |txn| self.wait(txn, id)))
    }

    fn wait(&mut self, txn: u16, id: OpId) -> Attempt {
        self.waiters[usize::from(txn)].push(Waiter::Op(id));
        Attempt::Waiting
    }

    fn finish(&self, id: OpId, status: Status, service: Service, cx: &mut Context<'_>) {
        direct::finish(id, status, service, cx);
    }

    /// Goes on with everything that waited for a transaction. An error belongs to whoever caused the
    /// request, the first; the others try for themselves. A line that came is no error, poisoned or
    /// not: who loads from it will see.
    fn resume(&mut self, answer: &Header, service: Service, cx: &mut Context<'_>) -> Step {
        let status = match answer.class() {
            Class::Dat => RespErr::Ok,
            _ => answer.resp,
        };
        self.queue_blocked = false;
        self.drain_blocked = false;
        let mut ending = std::mem::take(&mut self.ending);
        std::mem::swap(&mut ending, &mut self.waiters[usize::from(answer.txn)]);
        let mut waiting = ending.drain(..);
        if status != RespErr::Ok {
            match waiting.next() {
                Some(Waiter::Op(id)) => self.finish(id, status, service, cx),
                Some(Waiter::Drain) => return Err(self.lost_store(status, cx.cycle)),
                None => {}
            }
        }
        let mut blocked = 0;
        for waiter in waiting {
            match waiter {
                Waiter::Drain => {
                    self.draining = false;
                    self.drain(cx)?;
                }
                Waiter::Op(id) => {
                    if self.attempt(id, service, cx)? == Attempt::Blocked {
                        self.queue.insert(blocked, id);
                        blocked += 1;
                    }
                }
            }
        }
        self.ending = ending;
        Ok(())
    }

    /// Acts on a packet.
    fn take_packet(&mut self, header: &Header, payload: &[Flit], cx: &mut Context<'_>) -> Step {
        match header.opcode {
            opcode if opcode.class() == Class::Snp => self.cache.on_snoop(header, cx),
            Opcode::Comp | Opcode::CompData if self.direct.owns(header.txn) => {
                self.queue_blocked = false;
                self.drain_blocked = false;
                self.direct.on_answer(header, payload, cx)
            }
            Opcode::Comp | Opcode::CompData if usize::from(header.txn) < self.waiters.len() => {
                match self.cache.on_answer(header, payload, cx)? {
                    Some(service) => self.resume(header, service, cx),
                    None => super::stray(self.node, header, cx),
                }
            }
            _ => super::stray(self.node, header, cx),
        }
    }

    /// One cycle of the core and of the store buffer.
    fn go_on(&mut self, cx: &mut Context<'_>) -> Step {
        if self.can_drain() {
            self.drain(cx)?;
        }
        if self.queue_blocked {
            return Ok(());
        }
        if let Some(&id) = self.queue.front() {
            match self.attempt(id, Service::Cache, cx)? {
                Attempt::Done | Attempt::Waiting => {
                    self.queue.pop_front();
                }
                Attempt::Blocked => self.queue_blocked = true,
            }
        }
        Ok(())
    }

    /// A store that its program believes done was refused.
    fn lost_store(&self, status: Status, cycle: u64) -> Failure {
        let addr = self.store_buffer.front().map_or(0, |store| store.addr);
        let text = format!(
            "node {}: a buffered store at {addr:#x} was answered with {status}, after its program \
             went on",
            self.node
        );
        Failure::new(cycle, FailureKind::Access, text)
    }
}

impl Agent for CachedNode {
    fn submit(&mut self, op: OpId, _cx: &mut Context<'_>) -> Step {
        self.queue.push_back(op);
        Ok(())
    }

    fn accepts(&self, class: Class, out: &Outbox) -> bool {
        class != Class::Snp || out.len(Class::Rsp) + out.len(Class::Dat) <= ANSWER_ROOM
    }

    fn on_packet(&mut self, header: &Header, payload: &[Flit], cx: &mut Context<'_>) -> Step {
        self.take_packet(header, payload, cx)?;
        self.keep_reservation();
        Ok(())
    }

    fn tick(&mut self, cx: &mut Context<'_>) -> Step {
        self.go_on(cx)?;
        self.keep_reservation();
        Ok(())
    }

    fn wake(&self) -> u64 {
        let core = !self.queue.is_empty() && !self.queue_blocked;
        if core || self.can_drain() {
            0
        } else {
            u64::MAX
        }
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.store_buffer.is_empty()
            && self.direct.is_idle()
            && self.cache.is_idle()
    }
}
