//! What the threads did and saw.

use std::ops::Range;

/// The thread of an operation that belongs to no thread's program.
pub const NOBODY: u32 = u32::MAX;

/// How an operation stands in the program order of its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Reads.
    Load,
    /// Writes; under TSO it may wait in a store buffer while later loads are performed.
    Store,
    /// Reads and writes in one, or an access of a device: never in a store buffer, and ordered with
    /// everything before and after.
    Atomic,
    /// Accesses nothing; ordered with everything before and after.
    Fence,
}

/// What a thread may see of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// Sequential consistency: every operation takes effect in program order.
    Sc,
    /// Total store order: a store takes effect after it has left the store buffer of its thread,
    /// which sees it at once.
    Tso,
}

impl Model {
    /// What users call it.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Sc => "sc",
            Model::Tso => "tso",
        }
    }
}

/// What an operation writes to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The value that is there afterwards.
    pub value: u64,
    /// Among the writes of one place, the one with the smaller rank became visible first. Only
    /// [`linear`](super::linear) looks at it.
    pub rank: u64,
}

/// What an operation does to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The place, as [`History::place`] has given it.
    pub place: u32,
    /// The value that it found, if it read.
    pub read: Option<u64>,
    /// What it wrote, if it did.
    pub written: Option<Written>,
}

/// One operation: all its accesses take place at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose program it is part of; [`NOBODY`] for none.
    pub thread: u32,
    /// How it is ordered.
    pub kind: Kind,
    /// When it began, on the thread's own clock.
    pub start: u64,
    /// When it ended: it precedes, in program order, the operations that start then or later.
    pub end: u64,
    first: u32,
    count: u32,
}

/// What the threads did and saw.
///
/// Operations of one thread are entered in program order. Values stand for what a place holds; two
/// values are the same if the numbers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    operations: Vec<Operation>,
    accesses: Vec<Access>,
    initial: Vec<u64>,
    finals: Vec<(u32, u64)>,
    threads: u32,
}

impl History {
    /// Another place, which holds `initial` at first.
    pub fn place(&mut self, initial: u64) -> u32 {
        self.initial.push(initial);
        self.initial.len() as u32 - 1
    }

    /// Enters an operation; gives its index. The accesses are to different places.
    pub fn push(&mut self, thread: u32, kind: Kind, time: Range<u64>, accesses: &[Access]) -> u32 {
        debug_assert!(
            accesses
                .iter()
                .all(|a| (a.place as usize) < self.initial.len())
        );
        if thread != NOBODY {
            self.threads = self.threads.max(thread + 1);
        }
        self.operations.push(Operation {
            thread,
            kind,
            start: time.start,
            end: time.end,
            first: self.accesses.len() as u32,
            count: accesses.len() as u32,
        });
        self.accesses.extend_from_slice(accesses);
        self.operations.len() as u32 - 1
    }

    /// Says what a place holds after all operations.
    pub fn set_final(&mut self, place: u32, value: u64) {
        self.finals.push((place, value));
    }

    /// All operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// One operation.
    pub fn operation(&self, op: u32) -> &Operation {
        &self.operations[op as usize]
    }

    /// What an operation accesses.
    pub fn accesses(&self, op: u32) -> &[Access] {
        &self.accesses[self.access_range(op)]
    }

    /// The same as indices into all accesses.
    pub(super) fn access_range(&self, op: u32) -> Range<usize> {
        let Operation { first, count, .. } = self.operations[op as usize];
        first as usize..(first + count) as usize
    }

    pub(super) fn all_accesses(&self) -> &[Access] {
        &self.accesses
    }

    /// What each place holds at first.
    pub fn initial(&self) -> &[u64] {
        &self.initial
    }

    /// What places hold after all operations, as far as it is said.
    pub fn finals(&self) -> &[(u32, u64)] {
        &self.finals
    }

    /// One more than the largest thread.
    pub fn threads(&self) -> usize {
        self.threads as usize
    }

    /// Whether `a` precedes `b` in program order.
    pub(super) fn precedes(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.operation(a), self.operation(b));
        x.thread == y.thread
            && x.thread != NOBODY
            && x.end <= y.start
            && (x.start, a) < (y.start, b)
    }
}
