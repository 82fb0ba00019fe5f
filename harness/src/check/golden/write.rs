//! Writes without caching, and what can be told of one from what a memory does.

use std::ops::Range;

use flits::layout::{FLIT_BYTES, LINE_BYTES};
use flits::{Atomic, Data, Header, Packet};

use super::{Owner, Written};
use crate::FailureKind;
use crate::check::{Violation, violation};
use crate::hex::{count, hex};

/// A write without caching, between its issue and its completion. How far it has come can be told
/// only from what memories do; see [`super::Golden::memory_write`].
pub(super) struct PendingWrite {
    node: usize,
    txn: u16,
    pub(super) addr: u64,
    /// What it writes; of a far atomic, nothing yet.
    pub(super) data: Data,
    pub(super) be: u16,
    pub(super) poison: bool,
    /// What a far atomic does, and at which byte of `data`.
    atomic: Option<(Atomic, Range<usize>)>,
    /// When it set out.
    issued: u64,
    /// The old value that it is answered with, if it is answered and with one.
    pub(super) old: Option<Data>,
    /// The change of memory that is its, for all that is known.
    pub(super) done: Option<Change>,
    /// What memory held at its place each time that a write was seen which changed nothing and looks
    /// the same with and without this one.
    pub(super) unchanged: Vec<Data>,
}

/// A write at a memory that changed something.
pub(super) struct Change {
    /// When it was seen.
    pub(super) at: u64,
    pub(super) addr: u64,
    pub(super) data: Data,
    pub(super) be: u16,
    pub(super) before: Data,
    /// What was made of it: corrupt bytes.
    pub(super) poison: bool,
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
    /// What `node` sends at the moment `issued`.
    pub(super) fn new(node: usize, packet: &Packet, issued: u64) -> Self {
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
        PendingWrite {
            node,
            txn: header.txn,
            addr: addr & !(FLIT_BYTES as u64 - 1),
            data,
            be: header.be,
            poison: header.poison,
            atomic: atomic.map(|atomic| (atomic, first..first + header.bytes())),
            issued,
            old: None,
            done: None,
            unchanged: Vec::new(),
        }
    }

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
    pub(super) fn explains(&self, seen: Written<'_>, before: &[u8]) -> Option<Data> {
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
    pub(super) fn could_do(&self, change: &Change) -> bool {
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
    pub(super) fn changed_nothing(&self) -> bool {
        self.unchanged.iter().any(|before| self.answers(before))
    }

    /// Its node and transaction.
    pub(super) fn owner(&self) -> Owner {
        (self.node, self.txn)
    }

    /// It is answered as done, but no memory has done it.
    pub(super) fn never_performed(&self) -> Box<Violation> {
        let PendingWrite {
            node, txn, addr, ..
        } = self;
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
                count(self.data.len())
            ),
        };
        violation(FailureKind::Data, text)
    }

    /// It is answered as refused, but a memory has done it.
    pub(super) fn refused(&self) -> Box<Violation> {
        let PendingWrite {
            node, txn, addr, ..
        } = self;
        let text = format!(
            "node {node}'s write at {addr:#x} (txn {txn}) was refused, but a memory has performed it"
        );
        violation(FailureKind::Data, text)
    }
}
