//! The coverage map: what a run has reached.
//!
//! Two kinds of places. *Points* are the counters that Verilator puts into the RTL: blocks, branches
//! and cover statements. *Events* are what the pins show, see the module `watch`; they are numbers of any
//! size that are folded into a table, as are the pairs of states and inputs that the homes and nodes of
//! the specification went through beside the RTL. A place is reached or not; how often does not count, since in
//! hardware everything grows with time, and a fuzzer that collects long runs is slow.

use crate::parts::Event;

/// Places for events. About a thousand are ever reached, so few share a place.
pub const EVENTS: usize = 1 << 14;

/// What one run has reached, one byte a place: the points, then the events.
#[derive(Debug, Clone)]
pub struct Map {
    bytes: Vec<u8>,
    points: usize,
}

impl Map {
    /// A map of so many points, nothing reached.
    pub fn new(points: usize) -> Map {
        Map {
            bytes: vec![0; points + EVENTS],
            points,
        }
    }

    /// Forgets what was reached.
    pub fn clear(&mut self) {
        self.bytes.fill(0);
    }

    /// Notes the points whose counters differ from what they were.
    pub fn count(&mut self, before: &[u32], after: &[u32]) {
        for (byte, (before, after)) in self.bytes.iter_mut().zip(before.iter().zip(after)) {
            *byte |= u8::from(before != after);
        }
    }

    /// Notes an event: what it is about, and what it was.
    pub fn event(&mut self, event: Event) {
        let number = event.into_iter().fold(0u64, |number, part| {
            (number.rotate_left(21) ^ part).wrapping_mul(0x517c_c1b7_2722_0a95)
        });
        // The multiplier of Fibonacci hashing spreads neighbours.
        let place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - EVENTS.ilog2());
        self.bytes[self.points + place as usize] = 1;
    }

    /// One byte a place.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.points
    }
}

/// What all runs together have reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Points of the RTL.
    pub points: usize,
    /// Points that there are.
    pub points_of: usize,
    /// Events.
    pub events: usize,
}

impl Reached {
    /// Counts the places of a map of `points` points.
    pub fn of(bytes: &[u8], points: usize) -> Reached {
        let count = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte != 0).count();
        Reached {
            points: count(&bytes[..points]),
            points_of: points,
            events: count(&bytes[points..]),
        }
    }

    /// Places of both kinds.
    pub fn places(&self) -> usize {
        self.points + self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_reached_or_not() {
        let mut map = Map::new(4);
        map.count(&[0, 5, u32::MAX, 0], &[0, 6, 0, 0]);
        map.event([7, 0, 0, 0]);
        map.event([7, 0, 0, 0]);
        let reached = Reached::of(map.bytes(), map.points());
        let expected = Reached {
            points: 2,
            points_of: 4,
            events: 1,
        };
        assert_eq!(reached, expected);
        map.clear();
        assert_eq!(Reached::of(map.bytes(), 4).places(), 0);
    }

    #[test]
    fn few_events_share_a_place() {
        let mut map = Map::new(0);
        (0..1000).for_each(|number| map.event([number & 7, number, 0, number >> 5]));
        assert!(Reached::of(map.bytes(), 0).events > 950);
    }
}
