//! Operations: what programs ask of the device they run on.
//!
//! An [`Op`] lives in one [`OpTable`] from the moment a program submits it to the moment the program
//! has taken its result; devices work on it in place, so nothing is copied or allocated on the way.

use std::task::Waker;

/// Largest access, in bytes.
pub const MAX_ACCESS: usize = 256;

/// Where the expected value of a [`OpKind::CompareSwap`] starts in [`Op::data`].
pub const EXPECTED_OFFSET: usize = 16;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpKind {
    /// Read through the cache.
    Load,
    /// Write through the cache.
    Store,
    /// Add to memory, answer the old value; near, in a unique line.
    FetchAdd,
    /// Exchange with memory; near, in a unique line.
    Swap,
    /// Exchange with memory if it holds the expected value, answer the old one; near.
    CompareSwap,
    /// Done when all earlier stores of the node are visible.
    Fence,
    /// Give the line up, written back if dirty.
    Evict,
    /// Read of an uncached region.
    ReadUncached,
    /// Write to an uncached region.
    WriteUncached,
    /// The coherent value now, not cached.
    ReadOnce,
    /// A coherent store that is not cached.
    WriteUnique,
}

impl OpKind {
    /// Whether the operation reads and writes in one.
    pub fn is_atomic(self) -> bool {
        matches!(self, OpKind::FetchAdd | OpKind::Swap | OpKind::CompareSwap)
    }

    /// Whether the operation goes through the cache.
    pub fn is_cached(self) -> bool {
        !matches!(
            self,
            OpKind::ReadUncached | OpKind::WriteUncached | OpKind::ReadOnce | OpKind::WriteUnique
        )
    }
}

/// Name of an operation in its [`OpTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(u32);

/// How an operation ended: [`flits::RespErr::Ok`] or the status of the error completion.
pub type Status = flits::RespErr;

/// One operation.
#[derive(Debug)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// Global byte address, naturally aligned to `len`.
    pub addr: u64,
    /// Bytes: a power of two, at most 64 through the cache and [`MAX_ACCESS`] otherwise.
    pub len: u16,
    /// First `len` bytes: the operand, and after the end the result.
    pub data: [u8; MAX_ACCESS],
    /// Cycle in which the program submitted it.
    pub issued: u64,
    status: Option<Status>,
    waker: Option<Waker>,
    abandoned: bool,
}

impl Op {
    /// The bytes of the access: operand before, result after.
    pub fn bytes(&self) -> &[u8] {
        &self.data[..self.len as usize]
    }

    /// The expected value of a compare-and-swap.
    pub fn expected(&self) -> &[u8] {
        &self.data[EXPECTED_OFFSET..EXPECTED_OFFSET + self.len as usize]
    }

    /// Status, once the operation has ended.
    pub fn status(&self) -> Option<Status> {
        self.status
    }
}

/// All operations in flight, reused slot by slot.
#[derive(Debug, Default)]
pub struct OpTable {
    slots: Vec<Op>,
    free: Vec<u32>,
}

impl OpTable {
    /// Enters an operation; `operand` is copied to the front of [`Op::data`].
    ///
    /// # Panics
    /// If `operand` is longer than [`MAX_ACCESS`].
    pub fn enter(&mut self, kind: OpKind, addr: u64, len: u16, operand: &[u8], now: u64) -> OpId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Op {
                kind,
                addr,
                len,
                data: [0; MAX_ACCESS],
                issued: now,
                status: None,
                waker: None,
                abandoned: false,
            });
            self.slots.len() as u32 - 1
        });
        let op = &mut self.slots[id as usize];
        (op.kind, op.addr, op.len, op.issued) = (kind, addr, len, now);
        (op.status, op.waker, op.abandoned) = (None, None, false);
        op.data[..operand.len()].copy_from_slice(operand);
        OpId(id)
    }

    /// Sets whom to wake when the operation ends.
    pub fn watch(&mut self, id: OpId, waker: &Waker) {
        let slot = &mut self.slots[id.0 as usize].waker;
        match slot {
            Some(old) if old.will_wake(waker) => {}
            _ => *slot = Some(waker.clone()),
        }
    }

    /// Ends an operation and wakes its program.
    pub fn finish(&mut self, id: OpId, status: Status) {
        let op = &mut self.slots[id.0 as usize];
        op.status = Some(status);
        if op.abandoned {
            self.free.push(id.0);
        } else if let Some(waker) = op.waker.take() {
            waker.wake();
        }
    }

    /// Gives the slot back; an operation still in flight gives it back when it ends.
    pub fn release(&mut self, id: OpId) {
        let op = &mut self.slots[id.0 as usize];
        match op.status {
            Some(_) => self.free.push(id.0),
            None => op.abandoned = true,
        }
    }

    /// Number of operations not yet released.
    pub fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl std::ops::Index<OpId> for OpTable {
    type Output = Op;
    fn index(&self, id: OpId) -> &Op {
        &self.slots[id.0 as usize]
    }
}

impl std::ops::IndexMut<OpId> for OpTable {
    fn index_mut(&mut self, id: OpId) -> &mut Op {
        &mut self.slots[id.0 as usize]
    }
}
