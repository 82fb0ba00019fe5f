//! Parallel programs in the shared address space: locks, a barrier, queues, searches and sums.
//!
//! A program is an async function that every node runs. All that nodes share is in the global address
//! space, reached by the loads, stores and atomics of [`shared::Atomic`]; what a program works out is
//! compared with what plain Rust works out. Memory is zero before a program, so each takes a fresh
//! [`Supernode`].
//!
//! * [`shared`]: typed addresses, and who hands them out;
//! * [`team`]: the nodes that run a program together;
//! * [`locks`], [`barrier`], [`ring`], [`queue`], [`deque`], [`search`], [`sum`]: the programs.

pub mod barrier;
pub mod deque;
pub mod locks;
pub mod queue;
pub mod ring;
pub mod search;
pub mod shared;
pub mod sum;
pub mod team;

use crate::Failure;
use crate::sim::Supernode;
use std::future::Future;
use std::pin::Pin;
use team::Team;

/// What came of a program: nothing, if it is what plain Rust works out, else one sentence.
pub type Verdict = Result<(), String>;

/// A fence that a program needs on nodes with store buffers, and what it is without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// Where it belongs.
    Kept,
    /// Left out, to see what then happens.
    LeftOut,
}

/// A program in the list of all.
#[derive(Clone, Copy)]
pub struct Program {
    /// A name that stays.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    start: fn(Team) -> Pin<Box<dyn Future<Output = Verdict>>>,
}

impl Program {
    /// Runs it on all nodes of a fresh supernode.
    ///
    /// # Errors
    /// As [`Supernode::run`]; inside, a result that is not plain Rust's.
    pub fn run(&self, sn: &mut Supernode) -> Result<Verdict, Failure> {
        let (start, seed) = (self.start, sn.seed());
        sn.run(|sys| start(Team::new(sys, seed)))
    }
}

/// All programs.
pub const PROGRAMS: [Program; 10] = [
    Program {
        name: "spin-lock",
        meaning: "counter under a lock made of swap",
        start: |team| Box::pin(locks::spin(team)),
    },
    Program {
        name: "ticket-lock",
        meaning: "counter under a lock made of fetch-add",
        start: |team| Box::pin(locks::ticket(team)),
    },
    Program {
        name: "mcs-lock",
        meaning: "counter under a queue of waiting nodes",
        start: |team| Box::pin(locks::mcs(team)),
    },
    Program {
        name: "peterson-lock",
        meaning: "counter of two nodes under a lock of loads and stores",
        start: |team| Box::pin(locks::peterson(team, Fence::Kept)),
    },
    Program {
        name: "barrier",
        meaning: "cellular automaton, a barrier a generation",
        start: |team| Box::pin(barrier::automaton(team)),
    },
    Program {
        name: "ring",
        meaning: "messages through rings of one producer and one consumer",
        start: |team| Box::pin(ring::pairs(team)),
    },
    Program {
        name: "queue",
        meaning: "Michael and Scott's queue of many producers and consumers",
        start: |team| Box::pin(queue::exchange(team)),
    },
    Program {
        name: "deque",
        meaning: "Chase and Lev's deque: an owner works, the others steal",
        start: |team| Box::pin(deque::steal(team, Fence::Kept)),
    },
    Program {
        name: "search",
        meaning: "breadth-first search of a graph",
        start: |team| Box::pin(search::levels(team)),
    },
    Program {
        name: "prefix-sum",
        meaning: "prefix sum of an array",
        start: |team| Box::pin(sum::prefix(team)),
    },
];

/// The program of a name.
pub fn find(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// Whether the nodes have worked out what plain Rust has.
fn compare<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found:?} instead of {expected:?}")),
    }
}
