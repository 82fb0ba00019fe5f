//! Data value: the bytes that every location must hold now.
//!
//! The reference changes when a store commits in a unique line and when a memory performs a write
//! that takes part in no cache (`WriteUnique`, `WriteNoSnp`, far atomics): `write` says what such a
//! write does, `ledger` which one has made which change. Data is compared where it is made: a load in
//! a cache, data that leaves a cache, a read at a memory. That nothing happens to it on the way is the
//! business of [`super::delivery`].

mod ledger;
#[cfg(test)]
mod tests;
mod write;

use std::ops::Range;

use flits::Packet;
use flits::layout::LINE_BYTES;

use super::pages::{PAGE, Pages};
use super::{Verdict, Violation, violation};
use crate::FailureKind;
use crate::hex::{count, hex};
use ledger::Ledger;

/// Bytes that a write changes: byte `i` of `data` lands at `addr + i` where `enabled(i)`.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) addr: u64,
    pub(super) data: &'a [u8],
    /// One bit a byte for pieces of up to 16 bytes; longer writes change every byte.
    pub(super) be: u16,
}

impl Written<'_> {
    fn enabled(&self, i: usize) -> bool {
        self.data.len() > 16 || self.be >> i & 1 != 0
    }

    /// The bytes that it changes, in as few runs as there are.
    pub(super) fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = (at..self.data.len()).find(|&i| self.enabled(i))?;
            let end = (start..self.data.len()).find(|&i| !self.enabled(i));
            at = end.unwrap_or(self.data.len());
            Some(start..at)
        })
    }
}

/// Who is taken to have made a change of memory: a node and its transaction.
pub(super) type Owner = (usize, u16);

/// What a write at a memory is.
pub(super) enum AtMemory<'a> {
    /// It changes no byte; it may be a device's write of good bytes.
    Unchanged { replaces: bool },
    /// A device's write without caching.
    Performed {
        owner: Owner,
        written: Written<'a>,
        poison: bool,
    },
}

/// How changes of memory have come about, other than thought.
#[derive(Default)]
pub(super) struct Exchange {
    /// Who has made them: the old owner and the new, none if that write has been answered before.
    pub(super) moves: Vec<(Owner, Option<Owner>)>,
    /// What may be corrupt or not: the address and the length.
    pub(super) doubts: Vec<(u64, usize)>,
}

/// The bytes of the whole address space as of the last store, and the writes on their way.
#[derive(Default)]
pub(super) struct Golden {
    bytes: Pages,
    ledger: Ledger,
}

impl Golden {
    /// The bytes that a reader must find.
    pub(super) fn get(&self, addr: u64, len: usize) -> &[u8] {
        self.bytes.get(addr, len)
    }

    /// Every line that may ever have been written, ascending.
    pub(super) fn lines(&self) -> impl Iterator<Item = u64> {
        let pages = self.bytes.addresses().into_iter();
        pages.flat_map(|page| (page..page + PAGE).step_by(LINE_BYTES))
    }

    /// Data made or read at `place` must be the last stored.
    pub(super) fn expect(&self, addr: u64, found: &[u8], place: impl Fn() -> String) -> Verdict {
        let golden = self.bytes.get(addr, found.len());
        if golden == found {
            return Ok(());
        }
        let first = (0..found.len())
            .find(|&i| golden[i] != found[i])
            .unwrap_or(0);
        Err(violation(
            FailureKind::Data,
            format!(
                "{}: {} at {addr:#x} differ from the last store, first at {:#x}: found {:#04x}, \
                 last stored {:#04x} (found {}, expected {})",
                place(),
                count(found.len()),
                addr + first as u64,
                found[first],
                golden[first],
                hex(found, LINE_BYTES),
                hex(golden, LINE_BYTES),
            ),
        ))
    }

    /// A store commits in a unique line.
    pub(super) fn store(&mut self, addr: u64, data: &[u8]) {
        self.bytes.get_mut(addr, data.len()).copy_from_slice(data);
    }

    /// `node` sends a write without caching.
    pub(super) fn issue(&mut self, node: usize, packet: &Packet) {
        self.ledger.issue(node, packet);
    }

    /// The write of `owner` is answered; with `performed` it must have been done at a memory, and have
    /// found `old` there if that is its answer.
    pub(super) fn complete(
        &mut self,
        owner: Owner,
        performed: bool,
        old: Option<&[u8]>,
    ) -> Result<Exchange, Box<Violation>> {
        self.ledger.complete(owner, performed, old)
    }

    /// A memory performs a write: a write-back of what is there already, or exactly one pending
    /// write. Returns that write if it changed anything.
    pub(super) fn memory_write(
        &mut self,
        seen: Written<'_>,
        poison: bool,
        place: impl Fn() -> String,
    ) -> Result<AtMemory<'_>, Box<Violation>> {
        let before = self.bytes.get(seen.addr, seen.data.len());
        let changes = (0..seen.data.len()).any(|i| seen.enabled(i) && seen.data[i] != before[i]);
        if !changes {
            let replaces = self.ledger.unchanged(seen, before);
            return Ok(AtMemory::Unchanged { replaces });
        }
        let Some(write) = self.ledger.changed(seen, poison, before) else {
            return Err(violation(
                FailureKind::Data,
                format!(
                    "{}: a write of {} at {:#x} is neither what was last stored nor one write \
                     under way (written {}, last stored {})",
                    place(),
                    count(seen.data.len()),
                    seen.addr,
                    hex(seen.data, LINE_BYTES),
                    hex(before, LINE_BYTES),
                ),
            ));
        };
        let target = self.bytes.get_mut(seen.addr, seen.data.len());
        for i in (0..seen.data.len()).filter(|&i| seen.enabled(i)) {
            target[i] = seen.data[i];
        }
        Ok(AtMemory::Performed {
            owner: write.owner(),
            written: Written {
                addr: write.addr,
                data: self.bytes.get(write.addr, write.data.len()),
                be: write.be,
            },
            poison: write.poison,
        })
    }
}
