//! A node as its program sees it.

use super::access::{Access, Line, Operand, Request, TryAccess, Word};
use super::mailbox::Mailbox;
use super::system::Idle;
use crate::agents::OpKind;
use flits::layout::LINE_BYTES;
use flits::{AtomicOp, LinkWord};
use std::cell::RefCell;
use std::rc::Rc;

/// A node that runs programs. Every method gives a future that submits the operation when it is first
/// polled: accesses awaited one after the other are in program order, accesses joined or issued by
/// several tasks of one node may overlap.
///
/// An access that is answered with an error ends the run with a [`Failure`](crate::Failure) that names the address
/// and the status; [`Access::result`] gives the error to the program instead. Accesses are naturally
/// aligned; one that is not ends the run too.
#[derive(Clone)]
pub struct NodeHandle {
    pub(super) mailbox: Rc<RefCell<Mailbox>>,
    pub(super) port: usize,
}

impl NodeHandle {
    /// The port of the node.
    pub fn port(&self) -> usize {
        self.port
    }

    pub(super) fn access<T>(
        &self,
        kind: OpKind,
        addr: u64,
        len: usize,
        operand: Operand,
        read: fn(&[u8]) -> T,
    ) -> Access<T> {
        let port = self.port;
        let request = Request {
            port,
            kind,
            addr,
            len,
            operand,
        };
        Access::new(TryAccess::new(self.mailbox.clone(), request, read))
    }

    /// Loads a value.
    pub fn load<T: Word>(&self, addr: u64) -> Access<T> {
        self.access(OpKind::Load, addr, T::BYTES, Operand::None, T::get)
    }

    /// Stores a value.
    pub fn store<T: Word>(&self, addr: u64, value: T) -> Access<()> {
        self.access(
            OpKind::Store,
            addr,
            T::BYTES,
            Operand::words([value]),
            |_| (),
        )
    }

    /// Loads a value, or gives the error.
    pub fn try_load<T: Word>(&self, addr: u64) -> TryAccess<T> {
        self.load(addr).result()
    }

    /// Stores a value, or gives the error.
    pub fn try_store<T: Word>(&self, addr: u64, value: T) -> TryAccess<()> {
        self.store(addr, value).result()
    }

    /// Loads the 64 bytes of a line.
    pub fn load_line(&self, addr: u64) -> Access<Line> {
        self.access(OpKind::Load, addr, LINE_BYTES, Operand::None, line)
    }

    /// Overwrites the 64 bytes of a line.
    pub fn store_line(&self, addr: u64, value: &Line) -> Access<()> {
        self.access(
            OpKind::Store,
            addr,
            LINE_BYTES,
            Operand::bytes(value),
            |_| (),
        )
    }

    /// Adds `value`, wrapping, and gives the old value.
    pub fn fetch_add<T: Word>(&self, addr: u64, value: T) -> Access<T> {
        self.access(
            OpKind::FetchAdd,
            addr,
            T::BYTES,
            Operand::words([value]),
            T::get,
        )
    }

    /// Exchanges the value and gives the old one.
    pub fn swap<T: Word>(&self, addr: u64, value: T) -> Access<T> {
        self.access(
            OpKind::Swap,
            addr,
            T::BYTES,
            Operand::words([value]),
            T::get,
        )
    }

    /// Stores `new` if memory holds `expected`, and gives the old value: it is `expected` if the
    /// exchange took place.
    pub fn compare_swap<T: Word>(&self, addr: u64, expected: T, new: T) -> Access<T> {
        let operand = Operand::words([new, expected]);
        self.access(OpKind::CompareSwap, addr, T::BYTES, operand, T::get)
    }

    /// Loads a value and reserves it for [`NodeHandle::store_conditional`]. A node has one
    /// reservation, which it loses when another node takes the line.
    pub fn load_reserved<T: Word>(&self, addr: u64) -> Access<T> {
        self.access(OpKind::LoadReserved, addr, T::BYTES, Operand::None, T::get)
    }

    /// Stores a value if the node's last reservation, of this address, still holds; whether it did.
    pub fn store_conditional<T: Word>(&self, addr: u64, value: T) -> Access<bool> {
        let stored = |bytes: &[u8]| bytes.first() == Some(&0);
        self.access(
            OpKind::StoreConditional,
            addr,
            T::BYTES,
            Operand::words([value]),
            stored,
        )
    }

    /// Waits until all earlier stores of the node are visible to all.
    pub fn fence(&self) -> Access<()> {
        self.access(OpKind::Fence, 0, 0, Operand::None, |_| ())
    }

    /// Gives the line that holds `addr` up, written back if dirty.
    pub fn evict(&self, addr: u64) -> Access<()> {
        let line = addr & !(LINE_BYTES as u64 - 1);
        self.access(OpKind::Evict, line, LINE_BYTES, Operand::None, |_| ())
    }

    /// Reads `len` bytes of an uncached region: a power of two up to 256.
    pub fn read_uncached(&self, addr: u64, len: usize) -> Access<Vec<u8>> {
        self.access(
            OpKind::ReadUncached,
            addr,
            len,
            Operand::None,
            <[u8]>::to_vec,
        )
    }

    /// Writes bytes to an uncached region: a power of two of them, up to 256.
    pub fn write_uncached(&self, addr: u64, bytes: &[u8]) -> Access<()> {
        self.access(
            OpKind::WriteUncached,
            addr,
            bytes.len(),
            Operand::bytes(bytes),
            |_| (),
        )
    }

    /// Reads the line that holds `addr` as it is now, without caching it.
    pub fn read_once(&self, addr: u64) -> Access<Line> {
        let first = addr & !(LINE_BYTES as u64 - 1);
        self.access(OpKind::ReadOnce, first, LINE_BYTES, Operand::None, line)
    }

    /// Stores coherently without caching: a power of two of bytes up to 16, or a whole line.
    pub fn write_unique(&self, addr: u64, bytes: &[u8]) -> Access<()> {
        self.access(
            OpKind::WriteUnique,
            addr,
            bytes.len(),
            Operand::bytes(bytes),
            |_| (),
        )
    }

    /// Stores coherently, without caching, bytes that are known to be corrupt: who loads them is
    /// answered with [`Status::DataError`](crate::agents::Status).
    pub fn write_poison(&self, addr: u64, bytes: &[u8]) -> Access<()> {
        self.access(
            OpKind::WritePoison,
            addr,
            bytes.len(),
            Operand::bytes(bytes),
            |_| (),
        )
    }

    /// Modifies 4 or 8 bytes at their home.
    pub fn atomic_store<T: Word>(&self, op: AtomicOp, addr: u64, value: T) -> Access<()> {
        let kind = OpKind::AtomicStore(op);
        self.access(kind, addr, T::BYTES, Operand::words([value]), |_| ())
    }

    /// Modifies 4 or 8 bytes at their home and gives the old value.
    pub fn atomic_load<T: Word>(&self, op: AtomicOp, addr: u64, value: T) -> Access<T> {
        let kind = OpKind::AtomicLoad(op);
        self.access(kind, addr, T::BYTES, Operand::words([value]), T::get)
    }

    /// Exchanges 4 or 8 bytes at their home and gives the old value.
    pub fn atomic_swap<T: Word>(&self, addr: u64, value: T) -> Access<T> {
        let operand = Operand::words([value]);
        self.access(OpKind::AtomicSwap, addr, T::BYTES, operand, T::get)
    }

    /// Stores `new` in 4 or 8 bytes at their home if they hold `expected`, and gives the old value.
    pub fn atomic_compare<T: Word>(&self, addr: u64, expected: T, new: T) -> Access<T> {
        let operand = Operand::words([new, expected]);
        self.access(OpKind::AtomicCompare, addr, T::BYTES, operand, T::get)
    }

    /// Has the line that holds `addr` in memory and in no cache.
    pub fn clean_invalid(&self, addr: u64) -> Access<()> {
        let line = addr & !(LINE_BYTES as u64 - 1);
        self.access(
            OpKind::CleanInvalid,
            line,
            LINE_BYTES,
            Operand::None,
            |_| (),
        )
    }

    /// Sends a link word as it is, from a hostile device.
    pub(super) fn send_raw(&self, word: LinkWord) {
        self.mailbox.borrow_mut().raw.push((self.port, word));
    }

    /// Waits for `cycles` clock cycles.
    pub fn idle(&self, cycles: u64) -> Idle {
        Idle::new(self.mailbox.clone(), cycles)
    }
}

fn line(bytes: &[u8]) -> Line {
    let mut line = [0; LINE_BYTES];
    line.copy_from_slice(&bytes[..LINE_BYTES]);
    line
}
