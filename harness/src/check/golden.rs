//! Data value: the bytes that every location must hold now.
//!
//! The reference changes when a store commits in a unique line and when a memory performs a write
//! that takes part in no cache (`WriteUnique`, `WriteNoSnp`, far atomics). Data is compared where it is made: a
//! load in a cache, data that leaves a cache, a read at a memory. That nothing happens to it on the
//! way is the business of [`super::delivery`].

use std::ops::Range;

use flits::layout::{FLIT_BYTES, LINE_BYTES};
use flits::{Atomic, Data, Header, Packet};

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

/// A write without caching, between its issue and its completion. How far it has come can be told
/// only from what memories do; see [`Golden::memory_write`].
struct PendingWrite {
    node: usize,
    txn: u16,
    addr: u64,
    /// What it writes; of a far atomic, nothing yet.
    data: Data,
    be: u16,
    poison: bool,
    /// What a far atomic does, and at which byte of `data`.
    atomic: Option<(Atomic, Range<usize>)>,
    /// The change of memory that is its.
    done: Option<Change>,
    /// What memory held at its place each time that a write was seen which changed nothing and looks
    /// the same with and without this one.
    unchanged: Vec<Data>,
}

/// What a write does to the bytes at its place.
#[derive(Clone)]
struct Change {
    before: Data,
    after: Data,
}

impl PendingWrite {
    /// What it leaves at its place; `before` is what was there.
    fn result(&self, before: &[u8]) -> Data {
        let Some((atomic, lanes)) = &self.atomic else {
            return self.data.clone();
        };
        let mut word = [0; 8];
        word[..lanes.len()].copy_from_slice(&before[lanes.clone()]);
        let size = lanes.len().trailing_zeros() as u8;
        let new = atomic.apply(u64::from_le_bytes(word), size);
        let mut after = Data::from_slice(before);
        after[lanes.clone()].copy_from_slice(&new.to_le_bytes()[..lanes.len()]);
        after
    }

    /// Its place in what a memory is seen to write, if it is within.
    fn place(&self, seen: Written<'_>) -> Option<Range<usize>> {
        let offset = self.addr.checked_sub(seen.addr)? as usize;
        (offset + self.data.len() <= seen.data.len()).then(|| offset..offset + self.data.len())
    }

    /// What it does if `seen` is what a memory gets when exactly this write is done to `before`, the
    /// bytes at `seen.addr` until now.
    fn explains(&self, seen: Written<'_>, before: &[u8]) -> Option<Change> {
        let place = self.place(seen)?;
        let own = self.result(&before[place.clone()]);
        let written = Written {
            addr: self.addr,
            data: &own,
            be: self.be,
        };
        let fits = (0..seen.data.len()).all(|i| match i.checked_sub(place.start) {
            Some(j) if j < own.len() && written.enabled(j) => {
                seen.enabled(i) && seen.data[i] == own[j]
            }
            _ => !seen.enabled(i) || seen.data[i] == before[i],
        });
        fits.then(|| Change {
            before: Data::from_slice(&before[place]),
            after: own,
        })
    }

    /// Whether a change could as well be this write's.
    fn could_do(&self, change: &Change, addr: u64) -> bool {
        self.atomic.is_some() && self.addr == addr && self.result(&change.before) == change.after
    }

    /// Whether it could have been answered with `old` if memory held `before`.
    fn answers(&self, before: &[u8], old: Option<&[u8]>) -> bool {
        match (&self.atomic, old) {
            (Some((_, lanes)), Some(old)) => before[lanes.clone()] == *old,
            _ => true,
        }
    }
}

/// Who is taken to have made a change of memory: a node and its transaction.
pub(super) type Owner = (usize, u16);

/// A write without caching that a memory has performed.
pub(super) struct Performed<'a> {
    pub(super) owner: Owner,
    pub(super) written: Written<'a>,
    pub(super) poison: bool,
}

/// The bytes of the whole address space as of the last store, and the writes on their way.
/// What a write at a memory is.
pub(super) enum AtMemory<'a> {
    /// It changes no byte; it may be a device's write of good bytes.
    Unchanged { replaces: bool },
    /// The write of a device.
    Performed(Performed<'a>),
}

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
        let beats = packet.payload.iter().flat_map(|flit| flit.to_bytes());
        let data: Data = beats.collect();
        let lanes = <[u8; FLIT_BYTES]>::try_from(&data[..]).unwrap_or_default();
        let Header {
            opcode,
            atomic_op,
            addr,
            size,
            ..
        } = *header;
        let first = addr as usize % FLIT_BYTES;
        let atomic = Atomic::of(opcode, atomic_op, addr, size, &lanes);
        self.pending.push(PendingWrite {
            node,
            txn: header.txn,
            addr: header.addr & !(FLIT_BYTES as u64 - 1),
            data,
            be: header.be,
            poison: header.poison,
            atomic: atomic.map(|atomic| (atomic, first..first + header.bytes())),
            done: None,
            unchanged: Vec::new(),
        });
    }

    /// The write `txn` of `node` is answered; with `performed` it must have been done at a memory,
    /// and have found `old` there if that is its answer.
    ///
    /// Far atomics that would have done the same cannot be told apart before the answers come. Gives
    /// who, other than thought, has made which change: pairs of the old owner and the new.
    pub(super) fn complete(
        &mut self,
        (node, txn): Owner,
        performed: bool,
        old: Option<&[u8]>,
    ) -> Result<Vec<(Owner, Owner)>, Box<super::Violation>> {
        let Some(at) = self
            .pending
            .iter()
            .position(|w| w.node == node && w.txn == txn)
        else {
            return Ok(Vec::new());
        };
        let write = self.pending.remove(at);
        let unchanged = || {
            write
                .unchanged
                .iter()
                .any(|before| write.answers(before, old))
        };
        let fits = match &write.done {
            Some(change) => performed && write.answers(&change.before, old),
            None => !performed || unchanged(),
        };
        if fits {
            return Ok(Vec::new());
        }
        let mut moves = Vec::new();
        let owner = |w: &PendingWrite| (w.node, w.txn);
        // Another's change is its, unless it changed nothing.
        if performed && !unchanged() {
            let other = self.pending.iter_mut().find(|other| {
                let done = other.done.as_ref();
                done.is_some_and(|change| {
                    write.could_do(change, other.addr) && write.answers(&change.before, old)
                })
            });
            let Some(other) = other else {
                return Err(write.never_performed(old));
            };
            other.done = None;
            moves.push((owner(other), (node, txn)));
        }
        // Its change, if it was thought to have made one, is another's.
        if let Some(change) = &write.done {
            let free = |other: &&mut PendingWrite| {
                other.done.is_none() && other.could_do(change, write.addr)
            };
            let Some(other) = self.pending.iter_mut().find(free) else {
                return Err(match performed {
                    true => write.never_performed(old),
                    false => write.refused(),
                });
            };
            other.done = Some(change.clone());
            moves.push(((node, txn), owner(other)));
        }
        Ok(moves)
    }

    /// A memory performs a write: a write-back of what is there already, or exactly one pending
    /// write. Returns that write if it changed anything.
    pub(super) fn memory_write(
        &mut self,
        seen: Written<'_>,
        poison: bool,
        place: impl Fn() -> String,
    ) -> Result<AtMemory<'_>, Box<super::Violation>> {
        let before = self.bytes.get(seen.addr, seen.data.len());
        let changes = (0..seen.data.len()).any(|i| seen.enabled(i) && seen.data[i] != before[i]);
        if !changes {
            let mut replaces = false;
            for write in &mut self.pending {
                if let Some(change) = write.explains(seen, before) {
                    write.unchanged.push(change.before);
                    replaces |= !write.poison;
                }
            }
            return Ok(AtMemory::Unchanged { replaces });
        }
        // Of writes of the same bytes, the one that is as corrupt as this.
        let explained = |same: bool, perhaps: bool| {
            let mut pending = self.pending.iter().enumerate();
            pending.find_map(|(at, write)| {
                let waits = write.done.is_none() && write.unchanged.is_empty() != perhaps;
                let fits = waits && (write.poison == poison) == same;
                Some((at, write.explains(seen, before).filter(|_| fits)?))
            })
        };
        let found = [(true, false), (true, true), (false, false), (false, true)]
            .into_iter()
            .find_map(|(same, perhaps)| explained(same, perhaps));
        let Some((at, change)) = found else {
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
        let target = self.bytes.get_mut(seen.addr, seen.data.len());
        for i in (0..seen.data.len()).filter(|&i| seen.enabled(i)) {
            target[i] = seen.data[i];
        }
        let write = &mut self.pending[at];
        let owner = (write.node, write.txn);
        let written = Written {
            addr: write.addr,
            data: &write.done.insert(change).after,
            be: write.be,
        };
        Ok(AtMemory::Performed(Performed {
            owner,
            written,
            poison: write.poison,
        }))
    }
}

impl PendingWrite {
    fn never_performed(&self, old: Option<&[u8]>) -> Box<super::Violation> {
        let PendingWrite {
            node, txn, addr, ..
        } = self;
        let len = self.data.len();
        let text = match (&self.atomic, old) {
            (Some((_, lanes)), Some(old)) => format!(
                "node {node} has {} as the old value of its atomic at {:#x} (txn {txn}), but no \
                 memory has performed that on such a value",
                hex(old, LINE_BYTES),
                addr + lanes.start as u64
            ),
            _ => format!(
                "node {node} has a completion for its write of {} at {addr:#x} (txn {txn}), but no \
                 memory has performed it",
                count(len, "byte")
            ),
        };
        violation(FailureKind::Data, text)
    }

    fn refused(&self) -> Box<super::Violation> {
        let PendingWrite {
            node, txn, addr, ..
        } = self;
        let text = format!(
            "node {node}'s write at {addr:#x} (txn {txn}) was refused, but a memory has performed it"
        );
        violation(FailureKind::Data, text)
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
        let write = golden.memory_write(seen, false, here).ok()?;
        Some(matches!(write, AtMemory::Performed(_)))
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
        assert!(golden.memory_write(line(0x40, &data), false, here).is_err());
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
        assert!(golden.complete((2, 9), true, None).is_err());

        // Merged into the line of a dirty owner by the home.
        golden.issue(2, &write(2, 9, 0x54, &[5; 4]));
        let mut merged = [7; 64];
        merged[20..24].fill(5);
        assert_eq!(changes(&mut golden, line(0x40, &merged)), Some(true));
        assert!(golden.complete((2, 9), true, None).is_ok());
        assert_eq!(golden.get(0x50, 16)[4..8], [5; 4]);

        // Not a second time, and not torn.
        golden.store(0x54, &[8; 4]);
        assert!(golden.memory_write(piece, false, here).is_err());
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
                    false,
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
        assert!(golden.complete((1, 0), true, None).is_ok());
        assert!(golden.complete((2, 0), true, None).is_ok());
    }

    #[test]
    fn of_two_writes_of_the_same_bytes_the_corrupt_one_is_told_by_its_mark() {
        let mut golden = Golden::default();
        let mut corrupt = write(2, 0, 0x80, &[3; 64]);
        corrupt.header.poison = true;
        golden.issue(1, &write(1, 0, 0x80, &[3; 64]));
        golden.issue(2, &corrupt);
        let seen = line(0x80, &[3; 64]);
        let first = golden.memory_write(seen, true, here).ok();
        assert!(matches!(first, Some(AtMemory::Performed(write)) if write.poison));
        let second = golden.memory_write(seen, false, here).ok();
        assert!(matches!(
            second,
            Some(AtMemory::Unchanged { replaces: true })
        ));
    }

    fn far_add(node: u16, txn: u16, addr: u64, operand: u64) -> Packet {
        let (opcode, op) = (flits::Opcode::AtomicLoad, flits::AtomicOp::Add);
        let header = Header::atomic(opcode, op, NodeId::port(node), txn, addr, 3);
        let lanes = Atomic::Modify { op, operand }.lanes(addr, 3);
        let payload = [flits::Flit::from_bytes(lanes)];
        let payload = payload.into_iter().collect();
        Packet::new(header.expect("a legal header"), payload).expect("a legal packet")
    }

    /// A memory gets `value` at 0x48.
    fn word(golden: &mut Golden, value: u64) -> Option<Owner> {
        let mut beat = [0; 16];
        beat[8..].copy_from_slice(&value.to_le_bytes());
        let seen = Written {
            addr: 0x40,
            data: &beat,
            be: 0xff00,
        };
        match golden.memory_write(seen, false, here).ok()? {
            AtMemory::Performed(write) => Some(write.owner),
            AtMemory::Unchanged { .. } => None,
        }
    }

    #[test]
    fn a_far_atomic_answers_what_memory_held_when_it_was_done() {
        let mut golden = Golden::default();
        golden.issue(1, &far_add(1, 7, 0x48, 5));
        assert_eq!(word(&mut golden, 6), None, "another sum");
        assert_eq!(word(&mut golden, 5), Some((1, 7)));
        let old = 1u64.to_le_bytes();
        assert!(golden.complete((1, 7), true, Some(&old)).is_err());
        golden.issue(1, &far_add(1, 7, 0x48, 5));
        assert_eq!(word(&mut golden, 10), Some((1, 7)));
        let old = 5u64.to_le_bytes();
        assert!(golden.complete((1, 7), true, Some(&old)).is_ok());
    }

    #[test]
    fn far_atomics_that_do_the_same_are_told_apart_by_their_answers() {
        let mut golden = Golden::default();
        golden.issue(1, &far_add(1, 7, 0x48, 5));
        golden.issue(2, &far_add(2, 8, 0x48, 5));
        assert_eq!(word(&mut golden, 5), Some((1, 7)), "for all that is known");
        assert_eq!(word(&mut golden, 10), Some((2, 8)));
        let first = golden
            .complete((2, 8), true, Some(&0u64.to_le_bytes()))
            .ok();
        assert_eq!(first, Some(vec![((1, 7), (2, 8)), ((2, 8), (1, 7))]));
        let second = golden
            .complete((1, 7), true, Some(&5u64.to_le_bytes()))
            .ok();
        assert_eq!(second, Some(Vec::new()));
    }
}
