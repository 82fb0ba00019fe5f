//! The store buffer of a TSO core: stores wait in it, in program order, until their line is writable.

use super::line::{self, LineWrite};
use flits::layout::LINE_BYTES;
use std::collections::VecDeque;

/// A store that is done for its program and not yet visible to others.
#[derive(Debug, Clone)]
pub(super) struct Buffered {
    /// Byte address.
    pub(super) addr: u64,
    /// Bytes.
    pub(super) len: u16,
    /// Number of the operation on its node.
    pub(super) index: u64,
    /// What it writes, in place.
    pub(super) write: LineWrite,
}

impl Buffered {
    /// Byte address of the line.
    pub(super) fn line(&self) -> u64 {
        self.addr & !(LINE_BYTES as u64 - 1)
    }

    /// The bytes written.
    pub(super) fn bytes(&self) -> &[u8] {
        self.write.bytes.at(self.addr, self.len as usize)
    }
}

/// What the buffer knows of a load's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup<'a> {
    /// No buffered store touches them.
    Miss,
    /// The youngest store that touches them has all of them.
    Hit(&'a [u8]),
    /// A store has some of them: the load must wait until it is visible.
    Partial,
}

/// Stores in program order, oldest first.
#[derive(Debug, Default)]
pub(super) struct StoreBuffer {
    entries: VecDeque<Buffered>,
    capacity: usize,
}

impl StoreBuffer {
    /// A buffer of `capacity` stores; with none, stores go to the cache directly.
    pub(super) fn new(capacity: usize) -> Self {
        StoreBuffer {
            entries: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.capacity != 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() == self.capacity
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn push(&mut self, store: Buffered) {
        self.entries.push_back(store);
    }

    /// The oldest store.
    pub(super) fn front(&self) -> Option<&Buffered> {
        self.entries.front()
    }

    pub(super) fn pop(&mut self) -> Option<Buffered> {
        self.entries.pop_front()
    }

    /// The bytes of a load, if stores before it have them.
    pub(super) fn lookup(&self, addr: u64, len: usize) -> Lookup<'_> {
        let line = addr & !(LINE_BYTES as u64 - 1);
        let wanted = line::mask(addr, len);
        for store in self.entries.iter().rev() {
            if store.line() == line && store.write.mask & wanted != 0 {
                return if store.write.mask & wanted == wanted {
                    Lookup::Hit(store.write.bytes.at(addr, len))
                } else {
                    Lookup::Partial
                };
            }
        }
        Lookup::Miss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(addr: u64, bytes: &[u8]) -> Buffered {
        Buffered {
            addr,
            len: bytes.len() as u16,
            index: 0,
            write: LineWrite::new(addr, bytes),
        }
    }

    #[test]
    fn a_load_sees_the_youngest_store_to_its_bytes() {
        let mut buffer = StoreBuffer::new(4);
        buffer.push(store(0x100, &[1; 8]));
        buffer.push(store(0x104, &[2; 4]));
        assert_eq!(buffer.lookup(0x104, 4), Lookup::Hit(&[2; 4]));
        assert_eq!(buffer.lookup(0x100, 4), Lookup::Hit(&[1; 4]));
        assert_eq!(buffer.lookup(0x100, 8), Lookup::Partial);
        assert_eq!(buffer.lookup(0x108, 8), Lookup::Miss);
        assert_eq!(buffer.lookup(0x140, 8), Lookup::Miss);
        assert_eq!(buffer.pop().map(|s| s.addr), Some(0x100), "oldest first");
    }
}
