//! Where a node keeps its lines: a set-associative cache, and beside it the lines that are leaving.

use super::line::LineBytes;
use crate::protocol::{NodeLine, Pending};
use flits::{CacheState, layout};

/// Marks a slot that holds no line: no line address has its low bits set.
const EMPTY: u64 = u64::MAX;

/// A line and its address.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Byte address of the line, or [`EMPTY`].
    addr: u64,
    /// When the line was last used; the victim of a set is the one used longest ago.
    used: u64,
    /// The protocol's side of it.
    pub(super) node: NodeLine<LineBytes>,
    /// The transaction of `node.pending`.
    pub(super) txn: u16,
}

impl Slot {
    fn empty() -> Self {
        Slot {
            addr: EMPTY,
            used: 0,
            node: NodeLine::default(),
            txn: 0,
        }
    }

    pub(super) fn addr(&self) -> u64 {
        self.addr
    }

    fn is_pending(&self) -> bool {
        !matches!(self.node.pending, Pending::None)
    }
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the cache.
    Way(u32),
    /// Leaving: a write-back or an evict is unanswered.
    Leaving(u32),
}

/// The lines of a node.
pub(super) struct Lines {
    slots: Vec<Slot>,
    ways: usize,
    set_mask: u64,
    leaving: Vec<Slot>,
    clock: u64,
}

impl Lines {
    /// An empty cache; `sets` is a power of two. At most `leaving` lines leave at a time.
    pub(super) fn new(sets: usize, ways: usize, leaving: usize) -> Self {
        Lines {
            slots: vec![Slot::empty(); sets * ways],
            ways,
            set_mask: sets as u64 - 1,
            leaving: vec![Slot::empty(); leaving],
            clock: 0,
        }
    }

    fn set(&self, line: u64) -> std::ops::Range<usize> {
        let set = ((line / layout::LINE_BYTES as u64) & self.set_mask) as usize;
        set * self.ways..(set + 1) * self.ways
    }

    /// Where the line is, if anywhere.
    pub(super) fn find(&self, line: u64) -> Option<Place> {
        let set = self.set(line);
        let first = set.start;
        if let Some(way) = self.slots[set].iter().position(|slot| slot.addr == line) {
            return Some(Place::Way((first + way) as u32));
        }
        let leaving = self.leaving.iter().position(|slot| slot.addr == line)?;
        Some(Place::Leaving(leaving as u32))
    }

    pub(super) fn slot(&self, place: Place) -> &Slot {
        match place {
            Place::Way(way) => &self.slots[way as usize],
            Place::Leaving(entry) => &self.leaving[entry as usize],
        }
    }

    pub(super) fn slot_mut(&mut self, place: Place) -> &mut Slot {
        match place {
            Place::Way(way) => &mut self.slots[way as usize],
            Place::Leaving(entry) => &mut self.leaving[entry as usize],
        }
    }

    /// Whether a request of the line in a place is unanswered.
    pub(super) fn is_pending(&self, place: Place) -> bool {
        self.slot(place).is_pending()
    }

    /// Notes that the line is used.
    pub(super) fn touch(&mut self, place: Place) {
        self.clock += 1;
        let now = self.clock;
        self.slot_mut(place).used = now;
    }

    /// A way of the line's set to bring it into: an empty one, else the one used longest ago.
    /// `None` while requests for all of them are unanswered.
    pub(super) fn victim(&self, line: u64) -> Option<Place> {
        let set = self.set(line);
        let first = set.start;
        self.slots[set]
            .iter()
            .enumerate()
            .filter(|(_, slot)| !slot.is_pending())
            .min_by_key(|(_, slot)| if slot.addr == EMPTY { 0 } else { slot.used })
            .map(|(way, _)| Place::Way((first + way) as u32))
    }

    /// An entry for a line that leaves; `None` while all are in use.
    pub(super) fn exit(&self) -> Option<Place> {
        let entry = self.leaving.iter().position(|slot| slot.addr == EMPTY)?;
        Some(Place::Leaving(entry as u32))
    }

    /// Moves the line of one place to another, empty one.
    pub(super) fn move_line(&mut self, from: Place, to: Place) {
        let slot = std::mem::replace(self.slot_mut(from), Slot::empty());
        debug_assert_eq!(self.slot(to).addr, EMPTY);
        *self.slot_mut(to) = slot;
    }

    /// Puts a line into an empty place, invalid as yet.
    pub(super) fn occupy(&mut self, place: Place, line: u64) {
        debug_assert_eq!(self.slot(place).addr, EMPTY);
        self.slot_mut(place).addr = line;
        self.touch(place);
    }

    /// Frees the place if nothing is held and nothing unanswered.
    pub(super) fn tidy(&mut self, place: Place) {
        let slot = self.slot_mut(place);
        if slot.node.is_idle() {
            *slot = Slot::empty();
        }
    }

    /// Whether no request is unanswered.
    pub(super) fn is_idle(&self) -> bool {
        self.leaving.iter().all(|slot| slot.addr == EMPTY)
            && !self.slots.iter().any(Slot::is_pending)
    }

    /// Every line that is held, with its state and data.
    pub(super) fn held(&self) -> impl Iterator<Item = (u64, CacheState, &LineBytes)> {
        self.slots.iter().filter_map(|slot| {
            let data = slot.node.data.as_ref()?;
            Some((slot.addr, slot.node.state, data))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(lines: &mut Lines, line: u64) -> Place {
        let place = lines.victim(line).expect("a way is free of requests");
        *lines.slot_mut(place) = Slot::empty();
        lines.occupy(place, line);
        lines.slot_mut(place).node.state = CacheState::SC;
        lines.slot_mut(place).node.data = Some(LineBytes::new([0; 64]));
        place
    }

    #[test]
    fn the_victim_is_an_empty_way_and_then_the_one_used_longest_ago() {
        let mut lines = Lines::new(4, 2, 1);
        let a = hold(&mut lines, 0x1000);
        let b = hold(&mut lines, 0x2000);
        assert_ne!(a, b);
        assert_eq!(lines.find(0x1000), Some(a));
        lines.touch(a);
        assert_eq!(lines.victim(0x3000), Some(b));
        assert!(
            matches!(lines.victim(0x3040), Some(Place::Way(2 | 3))),
            "another set"
        );
    }

    #[test]
    fn a_way_with_an_unanswered_request_is_no_victim() {
        let mut lines = Lines::new(1, 2, 1);
        let a = hold(&mut lines, 0);
        let b = hold(&mut lines, 64);
        lines.slot_mut(a).node.pending = Pending::Request(flits::Opcode::CleanUnique);
        assert_eq!(lines.victim(128), Some(b));
        lines.slot_mut(b).node.pending = Pending::Request(flits::Opcode::CleanUnique);
        assert_eq!(lines.victim(128), None);
        assert!(!lines.is_idle());
    }

    #[test]
    fn a_line_that_left_is_found_until_tidied() {
        let mut lines = Lines::new(1, 1, 1);
        let way = hold(&mut lines, 64);
        let exit = lines.exit().expect("an entry is free");
        lines.move_line(way, exit);
        lines.slot_mut(exit).node = NodeLine {
            pending: Pending::Evict,
            ..NodeLine::default()
        };
        assert_eq!((lines.find(64), lines.exit()), (Some(exit), None));
        lines.tidy(exit);
        assert_eq!(lines.find(64), Some(exit), "still pending");
        lines.slot_mut(exit).node.pending = Pending::None;
        lines.tidy(exit);
        assert_eq!((lines.find(64), lines.exit()), (None, Some(exit)));
    }
}
