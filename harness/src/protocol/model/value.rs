//! What the model knows of a line's contents: how old they are.

use super::super::LineData;

/// Age of one half of a line's copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Age {
    /// What the last store left.
    Latest,
    /// Something that a later store has replaced.
    Old,
    /// What a store will leave that is on its way.
    Next,
}

/// Contents of a line: the ages of its two halves.
///
/// Nodes and home never look at data, so it does not matter what a copy contains but only whether
/// a load of it would return the last store. A store makes all other copies of what it replaces
/// [`Age::Old`], and old data never becomes the latest again: a stale copy shows however many
/// stores it has missed, with no bound on the number of values. A line has two halves so that a
/// write of a part that loses the rest shows: cached stores replace the first half, a
/// `WriteUnique` of a part the second. A far atomic reads and replaces the first half, so that one
/// that misses a cached store shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub [Age; 2]);

/// What a write to memory replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Write {
    /// The second half, by a `WriteUnique`.
    Part,
    /// Both halves, by a `WriteUnique`.
    Whole,
    /// The first half, by a far atomic that was computed from the last store.
    Computed,
    /// The first half, by a far atomic that was computed from what a store has replaced.
    Stale,
}

impl Write {
    /// Of the whole line?
    #[must_use]
    pub fn is_whole(self) -> bool {
        self == Write::Whole
    }
}

impl Value {
    /// A copy without anything stale.
    pub const LATEST: Value = Value([Age::Latest; 2]);
    /// What replaces the whole line when it arrives.
    pub const NEXT: Value = Value([Age::Next; 2]);
    /// The half that a cached store replaces.
    pub const STORED: [bool; 2] = [true, false];

    /// Which halves are of a store on its way.
    pub(super) fn coming(self) -> [bool; 2] {
        self.0.map(|age| age == Age::Next)
    }

    /// The halves were replaced elsewhere.
    pub(super) fn grow_old(&mut self, halves: [bool; 2]) {
        for (age, replaced) in self.0.iter_mut().zip(halves) {
            if replaced && *age == Age::Latest {
                *age = Age::Old;
            }
        }
    }

    /// The store has arrived: what was coming is now the latest.
    pub(super) fn arrived(self) -> Self {
        Value(self.0.map(|age| match age {
            Age::Next => Age::Latest,
            age => age,
        }))
    }

    /// 0 to 8.
    pub(super) fn code(self) -> u8 {
        self.0[0] as u8 * 3 + self.0[1] as u8
    }

    /// The inverse of [`Self::code`].
    pub(super) fn from_code(code: u8) -> Self {
        let age = |code| match code {
            0 => Age::Latest,
            1 => Age::Old,
            _ => Age::Next,
        };
        Value([age(code / 3), age(code % 3)])
    }
}

impl LineData for Value {
    type Write = Write;
    /// It does not matter which.
    type Atomic = ();

    fn merged(self, write: &Write) -> Self {
        match write {
            Write::Part => Value([self.0[0], Age::Next]),
            Write::Whole => Value::NEXT,
            Write::Computed => Value([Age::Next, self.0[1]]),
            Write::Stale => Value([Age::Old, self.0[1]]),
        }
    }

    fn whole(write: &Write) -> Option<Self> {
        (*write == Write::Whole).then_some(Value::NEXT)
    }

    fn computed(self, (): &()) -> (Self, Write) {
        match self.0[0] {
            Age::Latest => (self, Write::Computed),
            Age::Old | Age::Next => (self, Write::Stale),
        }
    }

    fn is_poisoned(&self) -> bool {
        false
    }
}
