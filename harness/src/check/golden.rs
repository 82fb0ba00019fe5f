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
    /// When it set out.
    issued: u64,
    /// The old value that it is answered with, if it is answered and with one.
    old: Option<Data>,
    /// The change of memory that is its, for all that is known.
    done: Option<Change>,
    /// What memory held at its place each time that a write was seen which changed nothing and looks
    /// the same with and without this one.
    unchanged: Vec<Data>,
}

/// A write at a memory that changed something.
struct Change {
    /// When it was seen.
    at: u64,
    addr: u64,
    data: Data,
    be: u16,
    before: Data,
    /// What was made of it: corrupt bytes.
    poison: bool,
}

impl Change {
    fn seen(&self) -> Written<'_> {
        Written {
            addr: self.addr,
            data: &self.data,
            be: self.be,
        }
    }
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

    /// What was at its place if `seen` is what a memory gets when exactly this write is done to
    /// `before`, the bytes at `seen.addr` until now.
    fn explains(&self, seen: Written<'_>, before: &[u8]) -> Option<Data> {
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
        fits.then(|| Data::from_slice(&before[place]))
    }

    /// Whether a change could be this write's.
    fn could_do(&self, change: &Change) -> bool {
        let before = || self.explains(change.seen(), &change.before);
        self.issued < change.at && before().is_some_and(|before| self.answers(&before))
    }

    /// Whether it could have been answered as it is if memory held `before` at its place.
    fn answers(&self, before: &[u8]) -> bool {
        match (&self.atomic, &self.old) {
            (Some((_, lanes)), Some(old)) => before[lanes.clone()] == **old,
            _ => true,
        }
    }

    /// Whether it may have been performed without changing anything.
    fn changed_nothing(&self) -> bool {
        self.unchanged.iter().any(|before| self.answers(before))
    }

    fn owner(&self) -> Owner {
        (self.node, self.txn)
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

/// What a write at a memory is.
pub(super) enum AtMemory<'a> {
    /// It changes no byte; it may be a device's write of good bytes.
    Unchanged { replaces: bool },
    /// The write of a device.
    Performed(Performed<'a>),
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
    /// Counts what happens.
    now: u64,
    /// Writes that are not answered yet.
    pending: Vec<PendingWrite>,
    /// Answered ones whose change could be one of those', and so theirs another.
    ended: Vec<PendingWrite>,
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
        self.now += 1;
        self.pending.push(PendingWrite {
            node,
            txn: header.txn,
            addr: header.addr & !(FLIT_BYTES as u64 - 1),
            data,
            be: header.be,
            poison: header.poison,
            atomic: atomic.map(|atomic| (atomic, first..first + header.bytes())),
            issued: self.now,
            old: None,
            done: None,
            unchanged: Vec::new(),
        });
    }

    /// The write `txn` of `node` is answered; with `performed` it must have been done at a memory,
    /// and have found `old` there if that is its answer.
    ///
    /// Writes that would have done the same cannot be told apart before the answers come: each change
    /// is laid at the door of one that could have made it, and given to another when an answer asks
    /// for that. Only if no distribution of the changes fits all answers is something wrong.
    pub(super) fn complete(
        &mut self,
        owner: Owner,
        performed: bool,
        old: Option<&[u8]>,
    ) -> Result<Exchange, Box<super::Violation>> {
        let Some(at) = self.pending.iter().position(|w| w.owner() == owner) else {
            return Ok(Exchange::default());
        };
        let mut write = self.pending.remove(at);
        write.old = old.map(Data::from_slice);
        let fits = match &write.done {
            Some(change) => performed && write.could_do(change),
            None => !performed || write.changed_nothing(),
        };
        let exchange = match fits {
            true => {
                self.ended.push(write);
                Exchange::default()
            }
            false => self.exchange(write, performed)?,
        };
        self.forget();
        Ok(exchange)
    }

    /// Finds a distribution of the changes that fits also the answer of `write`, which has a change
    /// that it cannot have made, or lacks one.
    fn exchange(
        &mut self,
        mut write: PendingWrite,
        performed: bool,
    ) -> Result<Exchange, Box<super::Violation>> {
        let owner = write.owner();
        let mut spare = write.done.take();
        let thought: Vec<_> = (self.pending.iter())
            .filter_map(|w| Some((w.done.as_ref()?.at, w.owner())))
            .chain(spare.as_ref().map(|change| (change.at, owner)))
            .collect();
        let wrong = match performed {
            true => write.never_performed(),
            false => write.refused(),
        };
        let needs = performed && !write.changed_nothing();
        let open = self.pending.len();
        let mut writes = std::mem::take(&mut self.pending);
        writes.append(&mut self.ended);
        writes.extend(performed.then_some(write));
        let own = writes.len() - usize::from(performed);
        let mut tried = vec![false; writes.len()];
        if needs && !take(own, &mut writes, open, &mut spare, &mut tried) {
            return Err(wrong);
        }
        tried.fill(false);
        if spare.is_some_and(|change| give(change, &mut writes, &mut tried).is_some()) {
            return Err(wrong);
        }
        self.ended = writes.split_off(open);
        self.pending = writes;

        let mut exchange = Exchange::default();
        for (number, write) in self.pending.iter_mut().chain(&mut self.ended).enumerate() {
            let to = write.owner();
            let Some(change) = &mut write.done else {
                continue;
            };
            let before = thought.iter().find(|&&(at, _)| at == change.at);
            if let Some(&(_, from)) = before.filter(|&&(_, from)| from != to) {
                let lives = number < open || number == own;
                exchange.moves.push((from, lives.then_some(to)));
            }
            if change.poison != write.poison {
                change.poison = write.poison;
                exchange.doubts.push((write.addr, write.data.len()));
            }
        }
        Ok(exchange)
    }

    /// Forgets the answered writes that no open one could be taken for, however changes are exchanged.
    fn forget(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        let mut known = std::mem::take(&mut self.ended);
        while let Some(at) = known.iter().position(|write| {
            let others = self.pending.iter().chain(&self.ended);
            let could_be = |change| others.clone().any(|other| other.could_do(change));
            write.done.as_ref().is_some_and(could_be)
        }) {
            self.ended.push(known.swap_remove(at));
        }
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
                if let Some(before) = write.explains(seen, before) {
                    write.unchanged.push(before);
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
                (fits && write.explains(seen, before).is_some()).then_some(at)
            })
        };
        let found = [(true, false), (true, true), (false, false), (false, true)]
            .into_iter()
            .find_map(|(same, perhaps)| explained(same, perhaps));
        let Some(at) = found else {
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
        self.now += 1;
        let write = &mut self.pending[at];
        write.done = Some(Change {
            at: self.now,
            addr: seen.addr,
            data: Data::from_slice(seen.data),
            be: seen.be,
            before: Data::from_slice(before),
            poison: write.poison,
        });
        let target = self.bytes.get_mut(seen.addr, seen.data.len());
        for i in (0..seen.data.len()).filter(|&i| seen.enabled(i)) {
            target[i] = seen.data[i];
        }
        Ok(AtMemory::Performed(Performed {
            owner: write.owner(),
            written: Written {
                addr: write.addr,
                data: self.bytes.get(write.addr, write.data.len()),
                be: write.be,
            },
            poison: write.poison,
        }))
    }
}

/// Gives the write at `at` a change that it could have made: `spare`, or that of another. Of the
/// others those from `open` on are answered, and one that has changed something gets another then.
fn take(
    at: usize,
    writes: &mut [PendingWrite],
    open: usize,
    spare: &mut Option<Change>,
    tried: &mut [bool],
) -> bool {
    tried[at] = true;
    if (spare.as_ref()).is_some_and(|change| writes[at].could_do(change)) {
        writes[at].done = spare.take();
        return true;
    }
    for other in 0..writes.len() {
        let wanted = |change| writes[at].could_do(change);
        if tried[other] || !writes[other].done.as_ref().is_some_and(wanted) {
            continue;
        }
        let change = writes[other].done.take();
        let spared = other < open || writes[other].changed_nothing();
        if spared || take(other, writes, open, spare, tried) {
            writes[at].done = change;
            return true;
        }
        writes[other].done = change;
    }
    false
}

/// Lays a change at the door of a write that could have made it, whose own goes on to another; gives it
/// back if there is none.
fn give(change: Change, writes: &mut [PendingWrite], tried: &mut [bool]) -> Option<Change> {
    for at in 0..writes.len() {
        if tried[at] || !writes[at].could_do(&change) {
            continue;
        }
        tried[at] = true;
        if let Some(own) = writes[at].done.take()
            && let Some(own) = give(own, writes, tried)
        {
            writes[at].done = Some(own);
            continue;
        }
        writes[at].done = Some(change);
        return None;
    }
    Some(change)
}

impl PendingWrite {
    fn never_performed(&self) -> Box<super::Violation> {
        let PendingWrite {
            node, txn, addr, ..
        } = self;
        let len = self.data.len();
        let text = match (&self.atomic, &self.old) {
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
        let first = golden.complete((2, 8), true, Some(&0u64.to_le_bytes()));
        let mut moves = first.ok().expect("one order fits").moves;
        moves.sort();
        let swapped = vec![((1, 7), Some((2, 8))), ((2, 8), Some((1, 7)))];
        assert_eq!(moves, swapped);
        let second = golden.complete((1, 7), true, Some(&5u64.to_le_bytes()));
        assert_eq!(second.ok().expect("the other").moves, Vec::new());
    }

    /// A memory gets `bytes` at 0x40, all of them changed or `be` of them; whose write that is taken
    /// to be.
    fn performed(golden: &mut Golden, bytes: [u8; 16], be: u16) -> Option<Owner> {
        let seen = Written {
            addr: 0x40,
            data: &bytes,
            be,
        };
        match golden.memory_write(seen, false, here).ok()? {
            AtMemory::Performed(write) => Some(write.owner),
            AtMemory::Unchanged { .. } => None,
        }
    }

    fn ends(golden: &mut Golden, owner: Owner) -> bool {
        golden.complete(owner, true, None).is_ok()
    }

    const THREES: [u8; 16] = [3; 16];

    #[test]
    fn writes_of_the_same_bytes_are_told_apart_by_their_answers() {
        for first in 1..=3 {
            let mut golden = Golden::default();
            for node in 1..=3 {
                golden.issue(node, &write(node as u16, 0, 0x40, &THREES));
            }
            assert_eq!(performed(&mut golden, THREES, 0xffff), Some((1, 0)));
            assert!(ends(&mut golden, (first, 0)), "node {first} was first");
            // Of the others none has been performed.
            let next = if first == 1 { 2 } else { 1 };
            assert!(!ends(&mut golden, (next, 0)));
        }
    }

    #[test]
    fn of_the_same_writes_as_many_are_answered_as_memories_have_performed() {
        let mut golden = Golden::default();
        for node in 1..=3 {
            golden.issue(node, &write(node as u16, 0, 0x40, &THREES));
        }
        for owner in [(1, 0), (2, 0)] {
            assert_eq!(performed(&mut golden, THREES, 0xffff), Some(owner));
            golden.store(0x40, &[0; 16]);
        }
        assert!(ends(&mut golden, (3, 0)));
        assert!(ends(&mut golden, (2, 0)));
        assert!(!ends(&mut golden, (1, 0)));
    }

    #[test]
    fn a_change_goes_round_through_writes_that_are_answered_already() {
        // A piece and two halves of it; where the other half is as it was, each could be the piece.
        let half = |node, at: usize| {
            let bytes: [u8; 8] = THREES[8..].try_into().expect("8 bytes");
            write(node, 0, 0x40 + at as u64, &bytes)
        };
        let merged = |golden: &mut Golden| performed(golden, THREES, 0xffff);
        let mut golden = Golden::default();
        golden.store(0x48, &[3; 8]);
        golden.issue(1, &write(1, 0, 0x40, &THREES));
        golden.issue(2, &half(2, 0));
        assert_eq!(merged(&mut golden), Some((1, 0)), "the low half changes");
        golden.issue(3, &half(3, 8));
        golden.store(0x48, &[0; 8]);
        assert_eq!(merged(&mut golden), Some((3, 0)), "the high half changes");
        assert!(ends(&mut golden, (3, 0)));
        assert!(ends(&mut golden, (2, 0)), "it was the first, not the piece");
        assert!(!ends(&mut golden, (1, 0)), "of which none is left");
    }

    #[test]
    fn a_write_has_not_done_what_was_done_before_it_set_out() {
        let mut golden = Golden::default();
        golden.issue(1, &write(1, 0, 0x40, &THREES));
        assert_eq!(performed(&mut golden, THREES, 0xffff), Some((1, 0)));
        golden.issue(2, &write(2, 0, 0x40, &THREES));
        assert!(!ends(&mut golden, (2, 0)));
    }
}
