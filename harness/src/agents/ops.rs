//! Operations: what programs ask of the device they run on.
//!
//! An [`Op`] lives in one [`OpTable`] from the moment a program submits it to the moment the program
//! has taken its result; devices work on it in place, so nothing is copied or allocated on the way.

use flits::{Atomic, AtomicOp};
use std::task::Waker;

/// Largest access, in bytes.
pub const MAX_ACCESS: usize = 256;

/// Where the expected value of a [`OpKind::CompareSwap`] or [`OpKind::AtomicCompare`] starts in
/// [`Op::data`].
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
    /// A load that reserves its line for the node, until another takes the line away.
    LoadReserved,
    /// A store if the node still has its last reservation, of the same address; the result is 0 then
    /// and else 1.
    StoreConditional,
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
    /// The same, of data known to be corrupt.
    WritePoison,
    /// Modify 4 or 8 bytes of memory; far, at the home.
    AtomicStore(AtomicOp),
    /// Modify 4 or 8 bytes of memory, answer the old value; far.
    AtomicLoad(AtomicOp),
    /// Exchange 4 or 8 bytes with memory; far.
    AtomicSwap,
    /// Exchange 4 or 8 bytes with memory if it holds the expected value, answer the old one; far.
    AtomicCompare,
    /// The line in memory and in no cache.
    CleanInvalid,
}

impl OpKind {
    /// Whether the home computes what memory then holds.
    pub fn is_far(self) -> bool {
        matches!(
            self,
            OpKind::AtomicStore(_)
                | OpKind::AtomicLoad(_)
                | OpKind::AtomicSwap
                | OpKind::AtomicCompare
        )
    }

    /// Whether a cache must have given the line up before.
    pub fn leaves_no_copy(self) -> bool {
        self.is_far() || matches!(self, OpKind::WritePoison | OpKind::CleanInvalid)
    }

    /// Whether the operation reads and writes in one, through the cache.
    pub fn is_atomic(self) -> bool {
        matches!(self, OpKind::FetchAdd | OpKind::Swap | OpKind::CompareSwap)
    }

    /// Whether the operation goes through the cache.
    pub fn is_cached(self) -> bool {
        !self.leaves_no_copy()
            && !matches!(
                self,
                OpKind::ReadUncached
                    | OpKind::WriteUncached
                    | OpKind::ReadOnce
                    | OpKind::WriteUnique
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
    /// Running number of the operation on its node, from 0.
    pub index: u64,
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

    /// The expected value of a compare-and-swap, near or far.
    pub fn expected(&self) -> &[u8] {
        &self.data[EXPECTED_OFFSET..EXPECTED_OFFSET + self.len as usize]
    }

    /// What a far atomic does.
    pub fn atomic(&self) -> Option<Atomic> {
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        };
        let operand = || word(self.bytes());
        Some(match self.kind {
            OpKind::AtomicStore(op) | OpKind::AtomicLoad(op) => Atomic::Modify {
                op,
                operand: operand(),
            },
            OpKind::AtomicSwap => Atomic::Swap { new: operand() },
            OpKind::AtomicCompare => Atomic::Compare {
                expected: word(self.expected()),
                new: operand(),
            },
            _ => return None,
        })
    }

    /// What a write makes of the old bytes in memory; `None` if it leaves them.
    pub fn updated(&self, old: &[u8]) -> Option<[u8; flits::layout::LINE_BYTES]> {
        let mut new = [0; flits::layout::LINE_BYTES];
        let len = self.len as usize;
        match self.kind {
            OpKind::FetchAdd => {
                let mut carry = 0;
                for ((new, &old), &add) in new.iter_mut().zip(old).zip(self.bytes()) {
                    let sum = u16::from(old) + u16::from(add) + carry;
                    *new = sum as u8;
                    carry = sum >> 8;
                }
            }
            OpKind::CompareSwap if old != self.expected() => return None,
            _ => new[..len].copy_from_slice(self.bytes()),
        }
        Some(new)
    }

    /// Status, once the operation has ended.
    pub fn status(&self) -> Option<Status> {
        self.status
    }
}

/// What [`OpTable::enter`] needs to know of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What it does.
    pub kind: OpKind,
    /// Global byte address.
    pub addr: u64,
    /// Bytes.
    pub len: u16,
    /// The operand: `len` bytes for a write; for a compare-and-swap the new value, and the expected
    /// one at [`EXPECTED_OFFSET`].
    pub operand: &'a [u8],
    /// Running number of the operation on its node.
    pub index: u64,
    /// The running cycle.
    pub now: u64,
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
    pub fn enter(&mut self, request: Request<'_>) -> OpId {
        let Request {
            kind,
            addr,
            len,
            operand,
            index,
            now,
        } = request;
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Op {
                kind,
                addr,
                len,
                data: [0; MAX_ACCESS],
                index,
                issued: now,
                status: None,
                waker: None,
                abandoned: false,
            });
            self.slots.len() as u32 - 1
        });
        let op = &mut self.slots[id as usize];
        (op.kind, op.addr, op.len, op.index, op.issued) = (kind, addr, len, index, now);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn op(kind: OpKind, operand: &[u8]) -> (OpTable, OpId) {
        let mut table = OpTable::default();
        let request = Request {
            kind,
            addr: 0,
            len: 4,
            operand,
            index: 0,
            now: 0,
        };
        let id = table.enter(request);
        (table, id)
    }

    #[test]
    fn an_addition_carries_and_wraps() {
        let (table, id) = op(OpKind::FetchAdd, &1u32.to_le_bytes());
        let sum = |old: u32| {
            table[id]
                .updated(&old.to_le_bytes())
                .map(|new| new[..4].to_vec())
        };
        assert_eq!(
            sum(0x00ff_ffff),
            Some(0x0100_0000u32.to_le_bytes().to_vec())
        );
        assert_eq!(sum(u32::MAX), Some(vec![0; 4]));
    }

    #[test]
    fn an_exchange_takes_place_only_on_the_expected_value() {
        let mut operand = [0; 2 * EXPECTED_OFFSET];
        operand[0] = 7;
        operand[EXPECTED_OFFSET] = 5;
        let (table, id) = op(OpKind::CompareSwap, &operand);
        assert_eq!(table[id].updated(&[4, 0, 0, 0]), None);
        assert_eq!(table[id].updated(&[5, 0, 0, 0]).map(|new| new[0]), Some(7));
    }

    #[test]
    fn a_slot_is_reused_only_after_its_operation_ended_and_was_released() {
        let (mut table, first) = op(OpKind::Load, &[]);
        let request = Request {
            kind: OpKind::Load,
            addr: 0,
            len: 4,
            operand: &[],
            index: 1,
            now: 0,
        };
        table.release(first);
        let second = table.enter(request);
        assert_ne!(first, second, "abandoned, but still in flight");
        table.finish(first, Status::Ok);
        assert_eq!(table.enter(request), first);
        assert_eq!(table.live(), 2);
    }
}
