//! Memory model: what the programs saw, against the order in which the homes serialised the writes.
//!
//! Every operation is recorded from its start to its end, with the bytes that the program got, and
//! every write with its place among all writes, given when it becomes visible: in a line that its
//! node holds alone, or at a memory. From time to time, and at the end,
//! [`consistency::linear`](crate::consistency::linear) judges what has ended; of that only the
//! contents of memory are kept.

use std::collections::VecDeque;

use flits::layout::LINE_BYTES;
use flits::{Data, RespErr};

use super::golden::{Owner, Written};
use super::pages::Pages;
use super::reports::Access;
use super::{Verdict, violation};
use crate::FailureKind;
use crate::agents::OpKind;
use crate::consistency::bytes::ByteLog;
use crate::consistency::{self, Kind, Model, NOBODY, text};

/// Operations that are recorded before the first are judged.
const WINDOW: usize = 1 << 17;
/// The moments of a cycle are told apart by this many bits.
const CYCLE_SHIFT: u32 = 20;

/// The operations of one node that are in the log.
#[derive(Default)]
struct Node {
    /// The number of the first.
    first: u64,
    /// Their places in the log; `None` for what has ended without effect.
    log: VecDeque<Option<u32>>,
    /// Writes at memories that were answered, and whose operations have not ended.
    answered: Vec<u32>,
}

impl Node {
    fn find(&self, op: u64) -> Option<u32> {
        let at = op.checked_sub(self.first)?;
        self.log.get(at as usize).copied().flatten()
    }
}

/// Records and judges.
pub(super) struct Recorder {
    models: Vec<Model>,
    nodes: Vec<Node>,
    log: ByteLog,
    /// What memory held before everything in the log.
    before: Pages,
    /// The last moment: a cycle, and the count of what has happened in it.
    now: u64,
    window: usize,
    /// Writes at memories that were not answered: node, transaction, place in the log.
    performed: Vec<(usize, u16, u32)>,
    judged: u64,
    /// Node, operation and moment of each write, if they are wanted.
    order: Option<Vec<(usize, u64, u64)>>,
    /// Node and operation of each far atomic that gave no value, and what it left.
    computed: Vec<(usize, u64, Data)>,
}

impl Recorder {
    /// A recorder of nodes of these models.
    pub(super) fn new(models: Vec<Model>) -> Self {
        Recorder {
            nodes: models.iter().map(|_| Node::default()).collect(),
            models,
            log: ByteLog::new(CYCLE_SHIFT),
            before: Pages::default(),
            now: 0,
            window: WINDOW,
            performed: Vec::new(),
            judged: 0,
            order: None,
            computed: Vec::new(),
        }
    }

    /// Operations judged so far.
    pub(super) fn judged(&self) -> u64 {
        self.judged
    }

    /// Keeps the order of all writes from now on.
    pub(super) fn keep_order(&mut self) {
        self.order = Some(Vec::new());
    }

    /// The writes kept, in their order: node and operation.
    pub(super) fn take_order(&mut self) -> Vec<(usize, u64)> {
        let mut order = self.order.take().unwrap_or_default();
        order.sort_unstable_by_key(|&(.., moment)| moment);
        order.into_iter().map(|(node, op, _)| (node, op)).collect()
    }

    fn tick(&mut self, cycle: u64) -> u64 {
        self.now = (self.now + 1).max(cycle << CYCLE_SHIFT);
        self.now
    }

    /// A program submits an operation.
    pub(super) fn start(&mut self, cycle: u64, node: usize, op: u64) {
        let now = self.tick(cycle);
        let index = self.log.push(node as u32, Kind::Atomic, now..u64::MAX);
        let node = &mut self.nodes[node];
        if node.log.is_empty() {
            node.first = op;
        }
        node.log.push_back(Some(index));
    }

    /// The write of an operation becomes visible in a cache.
    pub(super) fn visible(&mut self, node: usize, op: u64, addr: u64, bytes: &[u8]) {
        let now = self.tick(0);
        if let Some(index) = self.nodes[node].find(op) {
            self.log.wrote(index, addr, bytes, now);
            self.note(node, op, now);
        }
    }

    fn note(&mut self, node: usize, op: u64, moment: u64) {
        if let Some(order) = &mut self.order {
            order.push((node, op, moment));
        }
    }

    /// A memory performs a write without caching.
    pub(super) fn performed(&mut self, node: usize, txn: u16, written: Written<'_>) {
        let now = self.tick(0);
        // The bytes of a write are in one piece, but for those of a device that obeys no rule.
        for run in written.runs() {
            let index = self.log.push(NOBODY, Kind::Store, now..now);
            let addr = written.addr + run.start as u64;
            self.log.wrote(index, addr, &written.data[run], now);
            self.performed.push((node, txn, index));
        }
    }

    /// Writes at memories were made by others than thought: the old and the new owner of each, none
    /// if that one has been answered before.
    pub(super) fn reassign(&mut self, moves: &[(Owner, Option<Owner>)]) {
        if moves.is_empty() {
            return;
        }
        self.performed.retain_mut(|(node, txn, _)| {
            let owner = (*node, *txn);
            match moves.iter().find(|(from, _)| *from == owner) {
                Some(&(_, Some(to))) => (*node, *txn) = to,
                Some((_, None)) => return false,
                None => {}
            }
            true
        });
    }

    /// What far atomics that gave no value have left in memory: node, operation, bytes. Those that
    /// changed nothing are not among them.
    pub(super) fn take_computed(&mut self) -> Vec<(usize, u64, Data)> {
        std::mem::take(&mut self.computed)
    }

    /// A write without caching is answered.
    pub(super) fn answered(&mut self, node: usize, txn: u16) {
        let answered = &mut self.nodes[node].answered;
        self.performed.retain(|&(by, its, index)| {
            let this = (by, its) == (node, txn);
            if this {
                answered.push(index);
            }
            !this
        });
    }

    /// An operation ends and gives its bytes to its program, or has written them.
    pub(super) fn finish(
        &mut self,
        cycle: u64,
        access: Access<&[u8]>,
        kind: OpKind,
        status: RespErr,
    ) -> Verdict {
        let Access { node, op, addr, .. } = access;
        let bytes = access.bytes;
        let now = self.tick(cycle);
        let Some(index) = self.nodes[node].find(op) else {
            return Ok(());
        };
        // What is read as corrupt is no value, but what goes with it is written.
        let is_good = status == RespErr::Ok;
        let is_done =
            is_good || status == RespErr::DataError && (kind.is_atomic() || kind.is_far());
        let order = match kind {
            _ if !is_done => None,
            OpKind::Evict | OpKind::CleanInvalid => None,
            OpKind::Load | OpKind::LoadReserved => Some(Kind::Load),
            OpKind::Store => Some(Kind::Store),
            OpKind::Fence => Some(Kind::Fence),
            _ => Some(Kind::Atomic),
        };
        let Some(order) = order else {
            self.log.cancel(index);
            let node = &mut self.nodes[node];
            let at = (op - node.first) as usize;
            node.log[at] = None;
            return Ok(());
        };
        self.log.end(index, order, now);
        match kind {
            OpKind::AtomicLoad(_) | OpKind::AtomicSwap | OpKind::AtomicCompare => {
                if is_good {
                    self.log.read(index, addr, bytes);
                }
                self.adopt(node, op, index, addr, bytes.len(), None);
            }
            OpKind::AtomicStore(_) => {
                let wrote = self.adopt(node, op, index, addr, bytes.len(), None);
                if let (Some(wrote), true) = (wrote, self.order.is_some()) {
                    self.computed.push((node, op, wrote));
                }
            }
            OpKind::WriteUnique | OpKind::WriteUncached | OpKind::WritePoison => {
                self.adopt(node, op, index, addr, bytes.len(), Some(bytes));
            }
            OpKind::Load
            | OpKind::LoadReserved
            | OpKind::FetchAdd
            | OpKind::Swap
            | OpKind::CompareSwap
            | OpKind::ReadOnce
            | OpKind::ReadUncached => {
                if is_good {
                    self.log.read(index, addr, bytes);
                }
            }
            // What they write is seen when it becomes visible.
            OpKind::Store | OpKind::StoreConditional | OpKind::Fence => {}
            OpKind::Evict | OpKind::CleanInvalid => {}
        }
        match self.log.len() < self.window {
            true => Ok(()),
            false => self.judge(false),
        }
    }

    /// Finds the write at a memory that an operation has caused, of certain bytes if it says which,
    /// and gives what was written. One that changed nothing was not told from what was there.
    fn adopt(
        &mut self,
        node: usize,
        op: u64,
        index: u32,
        addr: u64,
        len: usize,
        bytes: Option<&[u8]>,
    ) -> Option<Data> {
        let answered = &mut self.nodes[node].answered;
        let own = |&write: &u32| {
            let written = self.log.written(write);
            written.is_some_and(|(at, wrote)| {
                (at, wrote.len()) == (addr, len) && bytes.is_none_or(|bytes| wrote == bytes)
            })
        };
        let at = answered.iter().position(own)?;
        let write = answered.remove(at);
        let wrote = (self.log.written(write)).map(|(_, wrote)| Data::from_slice(wrote));
        if let Some(moment) = self.log.hand_over(write, index) {
            self.note(node, op, moment);
        }
        wrote
    }

    /// Judges what has ended; at the end of a run everything has.
    pub(super) fn judge(&mut self, end: bool) -> Verdict {
        let horizon = match end {
            true => u64::MAX,
            false => self.log.horizon(),
        };
        let before = &self.before;
        let line = |addr: u64| {
            let mut line = [0; LINE_BYTES];
            line.copy_from_slice(before.get(addr, LINE_BYTES));
            line
        };
        let (history, places) = self.log.history_until(horizon, line);
        let verdict = consistency::linear(&history, &self.models);
        if let consistency::Verdict::Forbidden(reason) = verdict {
            let labels = self.log.labels(&places);
            let lines = text::lines(&reason, &history, &labels).join("\n  ");
            return Err(violation(FailureKind::Consistency, lines));
        }
        self.forget(horizon);
        Ok(())
    }

    /// Forgets what has ended by `horizon`, but for its effect.
    fn forget(&mut self, horizon: u64) {
        let before = &mut self.before;
        let (moved, judged) = self.log.forget(horizon, |mut addr, mut bytes| {
            while !bytes.is_empty() {
                let len = bytes.len().min(LINE_BYTES - addr as usize % LINE_BYTES);
                before.get_mut(addr, len).copy_from_slice(&bytes[..len]);
                (addr, bytes) = (addr + len as u64, &bytes[len..]);
            }
        });
        self.judged += judged;
        for node in &mut self.nodes {
            for index in &mut node.log {
                *index = index.and_then(|index| moved[index as usize]);
            }
            while let Some(None) = node.log.front() {
                node.log.pop_front();
                node.first += 1;
            }
            node.answered.retain_mut(|index| renamed(index, &moved));
        }
        self.performed
            .retain_mut(|(.., index)| renamed(index, &moved));
        self.window = WINDOW.max(2 * self.log.len());
    }
}

/// Gives an entry its new index; `false` if it is gone.
fn renamed(index: &mut u32, moved: &[Option<u32>]) -> bool {
    moved[*index as usize].is_some_and(|new| {
        *index = new;
        true
    })
}

#[cfg(test)]
mod tests;
