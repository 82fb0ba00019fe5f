//! Data value: the bytes that every location must hold now.
//!
//! The reference changes when a store commits in a unique line and when a memory performs a write
//! that takes part in no cache (`WriteUnique`, `WriteNoSnp`). Data is compared where it is made: a
//! load in a cache, data that leaves a cache, a read at a memory. That nothing happens to it on the
//! way is the business of [`super::delivery`].

use std::ops::Range;

use flits::layout::{FLIT_BYTES, LINE_BYTES};
use flits::{Data, Packet};

use super::pages::{PAGE, Pages};
use super::{Verdict, violation};
use crate::FailureKind;
use crate::hex::hex;

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

/// How far a write without caching has come, as far as one can tell from the outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// No write seen at a memory can be this one.
    Issued,
    /// It would change nothing, so that a memory write that was seen looks the same with and
    /// without it.
    Perhaps,
    /// A memory has performed it.
    Performed,
}

/// A write without caching, between its issue and its completion.
struct PendingWrite {
    node: usize,
    txn: u16,
    addr: u64,
    data: Data,
    be: u16,
    progress: Progress,
}

impl PendingWrite {
    fn written(&self) -> Written<'_> {
        Written {
            addr: self.addr,
            data: &self.data,
            be: self.be,
        }
    }

    /// Whether `seen` is what a memory gets when exactly this write is done to `before`, the bytes
    /// at `seen.addr` until now.
    fn explains(&self, seen: Written<'_>, before: &[u8]) -> bool {
        let own = self.written();
        let Some(offset) = own
            .addr
            .checked_sub(seen.addr)
            .map(|offset| offset as usize)
        else {
            return false;
        };
        if offset + own.data.len() > seen.data.len() {
            return false;
        }
        (0..seen.data.len()).all(|i| match i.checked_sub(offset) {
            Some(j) if j < own.data.len() && own.enabled(j) => {
                seen.enabled(i) && seen.data[i] == own.data[j]
            }
            _ => !seen.enabled(i) || seen.data[i] == before[i],
        })
    }
}

/// The bytes of the whole address space as of the last store, and the writes on their way.
#[derive(Default)]
pub(super) struct Golden {
    bytes: Pages,
    pending: Vec<PendingWrite>,
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
                count(found.len(), "byte"),
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
        let header = &packet.header;
        self.pending.push(PendingWrite {
            node,
            txn: header.txn,
            addr: header.addr & !(FLIT_BYTES as u64 - 1),
            data: packet
                .payload
                .iter()
                .flat_map(|flit| flit.to_bytes())
                .collect(),
            be: header.be,
            progress: Progress::Issued,
        });
    }

    /// The write `txn` of `node` is answered; with `performed` it must have been done at a memory.
    pub(super) fn complete(&mut self, node: usize, txn: u16, performed: bool) -> Verdict {
        let Some(at) = self
            .pending
            .iter()
            .position(|w| w.node == node && w.txn == txn)
        else {
            return Ok(());
        };
        let write = self.pending.swap_remove(at);
        match (performed, write.progress) {
            (true, Progress::Issued) => Err(violation(
                FailureKind::Data,
                format!(
                    "node {node} has a completion for its write of {} at {:#x} (txn {txn}), but no \
                     memory has performed it",
                    count(write.data.len(), "byte"),
                    write.addr
                ),
            )),
            (false, Progress::Performed) => Err(violation(
                FailureKind::Data,
                format!(
                    "node {node}'s write at {:#x} (txn {txn}) was refused, but a memory has \
                     performed it",
                    write.addr
                ),
            )),
            _ => Ok(()),
        }
    }

    /// A memory performs a write: a write-back of what is there already, or exactly one pending
    /// write. Returns that write if it changed anything: node, transaction and what it wrote.
    pub(super) fn memory_write(
        &mut self,
        seen: Written<'_>,
        place: impl Fn() -> String,
    ) -> Result<Option<(usize, u16, Written<'_>)>, Box<super::Violation>> {
        let before = self.bytes.get(seen.addr, seen.data.len());
        let changes = (0..seen.data.len()).any(|i| seen.enabled(i) && seen.data[i] != before[i]);
        if !changes {
            for write in &mut self.pending {
                if write.progress == Progress::Issued && write.explains(seen, before) {
                    write.progress = Progress::Perhaps;
                }
            }
            return Ok(None);
        }
        let explained = |wanted: Progress| {
            self.pending
                .iter()
                .position(|w| w.progress == wanted && w.explains(seen, before))
        };
        let Some(at) = explained(Progress::Issued).or_else(|| explained(Progress::Perhaps)) else {
            return Err(violation(
                FailureKind::Data,
                format!(
                    "{}: a write of {} at {:#x} is neither what was last stored nor one write \
                     under way (written {}, last stored {})",
                    place(),
                    count(seen.data.len(), "byte"),
                    seen.addr,
                    hex(seen.data, LINE_BYTES),
                    hex(before, LINE_BYTES),
                ),
            ));
        };
        self.pending[at].progress = Progress::Performed;
        let target = self.bytes.get_mut(seen.addr, seen.data.len());
        for i in (0..seen.data.len()).filter(|&i| seen.enabled(i)) {
            target[i] = seen.data[i];
        }
        let write = &self.pending[at];
        Ok(Some((write.node, write.txn, write.written())))
    }
}

/// `3 bytes`, `1 byte`.
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flits::{Header, NodeId};

    fn line(addr: u64, data: &[u8]) -> Written<'_> {
        Written {
            addr,
            data,
            be: 0xffff,
        }
    }

    fn write(node: u16, txn: u16, addr: u64, data: &[u8]) -> Packet {
        let size = data.len().trailing_zeros() as u8;
        let header = Header::write_unique(NodeId::port(node), txn, addr, size);
        Packet::with_data(header.expect("a legal header"), data).expect("a legal packet")
    }

    fn here() -> String {
        "memory 6".into()
    }

    /// Whether a write at a memory that is right changes anything.
    fn changes(golden: &mut Golden, seen: Written<'_>) -> Option<bool> {
        let write = golden.memory_write(seen, here).ok()?;
        Some(write.is_some())
    }

    #[test]
    fn a_load_of_an_old_value_is_found() {
        let mut golden = Golden::default();
        golden.store(0x1008, &[1, 2, 3, 4]);
        golden.store(0x1009, &[9]);
        assert!(golden.expect(0x1008, &[1, 9, 3, 4], here).is_ok());
        let found = golden.expect(0x1008, &[1, 2, 3, 4], here).unwrap_err();
        assert!(
            found.message.contains("first at 0x1009"),
            "{}",
            found.message
        );
    }

    #[test]
    fn a_write_back_is_what_was_stored_and_nothing_else() {
        let mut golden = Golden::default();
        golden.store(0x40, &[7; 8]);
        let mut data = [0; 64];
        assert!(golden.memory_write(line(0x40, &data), here).is_err());
        data[..8].fill(7);
        assert_eq!(changes(&mut golden, line(0x40, &data)), Some(false));
    }

    #[test]
    fn a_write_without_caching_is_performed_once_and_before_its_completion() {
        let mut golden = Golden::default();
        golden.store(0x40, &[7; 64]);
        let mut beat = [0; 16];
        beat[4..8].fill(5);
        let piece = Written {
            addr: 0x50,
            data: &beat,
            be: 0x00f0,
        };
        golden.issue(2, &write(2, 9, 0x54, &[5; 4]));
        assert!(golden.complete(2, 9, true).is_err());

        // Merged into the line of a dirty owner by the home.
        golden.issue(2, &write(2, 9, 0x54, &[5; 4]));
        let mut merged = [7; 64];
        merged[20..24].fill(5);
        assert_eq!(changes(&mut golden, line(0x40, &merged)), Some(true));
        assert!(golden.complete(2, 9, true).is_ok());
        assert_eq!(golden.get(0x50, 16)[4..8], [5; 4]);

        // Not a second time, and not torn.
        golden.store(0x54, &[8; 4]);
        assert!(golden.memory_write(piece, here).is_err());
        golden.issue(2, &write(2, 10, 0x54, &[5; 4]));
        beat[7] = 8;
        assert!(
            golden
                .memory_write(
                    Written {
                        addr: 0x50,
                        data: &beat,
                        be: 0x00f0
                    },
                    here
                )
                .is_err()
        );
    }

    #[test]
    fn a_write_that_changes_nothing_may_have_been_performed() {
        let mut golden = Golden::default();
        golden.issue(1, &write(1, 0, 0x80, &[0; 64]));
        golden.issue(2, &write(2, 0, 0x80, &[0; 64]));
        assert_eq!(changes(&mut golden, line(0x80, &[0; 64])), Some(false));
        assert!(golden.complete(1, 0, true).is_ok());
        assert!(golden.complete(2, 0, true).is_ok());
    }
}
