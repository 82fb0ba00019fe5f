//! Is what the threads saw allowed by the memory model?
//!
//! A [`History`] is what each thread did and saw; nothing here knows where it comes from. Three
//! questions can be asked of it:
//!
//! * [`linear`]: the order in which the stores to each place became visible is known. Program
//!   order, reads-from, coherence order and from-reads must then have no cycle. Takes a time that
//!   is linear in the number of operations.
//! * [`search`]: nothing is known but what the threads saw. Looks for an order of the stores that
//!   explains it: whatever must hold is derived until nothing more follows, the rest is tried.
//! * [`linearizable`]: each operation of a register must take effect at one moment between its
//!   start and its end.
//!
//! A verdict "forbidden" comes with its [`Reason`]: a cycle, edge by edge.
//!
//! Around them: [`bytes`] makes a history of reads and writes of any bytes; [`file`](mod@file) reads the text
//! formats ([`axe`], [`jepsen`], and the history of a run in [`events`]); [`text`] puts a reason in
//! words. Definitions and their sources: `docs/consistency.md`.

pub mod axe;
pub mod bytes;
mod closure;
pub mod events;
pub mod file;
mod graph;
mod history;
pub mod jepsen;
mod linear;
pub mod linearizable;
mod program;
mod search;
#[cfg(test)]
mod tests;
pub mod text;

pub use graph::{Edge, Why};
pub use history::{Access, History, Kind, Model, NOBODY, Operation, Written};
pub use linear::linear;
pub use search::{Effort, MAX_SEARCHED, Searched, search};

/// What a check says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The model allows it.
    Allowed,
    /// The model forbids it.
    Forbidden(Reason),
}

/// Why a history is forbidden. Operations are indices into [`History::operations`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Each operation must come before the next, and the last before the first.
    Cycle {
        /// The edges, each beginning where the one before ends.
        edges: Vec<Edge>,
        /// The cycle follows from the history alone; otherwise every order of the stores leads to a
        /// cycle, and this is one of them.
        certain: bool,
    },
    /// An operation read a value that was neither there at first nor stored by anyone.
    Unwritten {
        /// The operation.
        op: u32,
        /// The place that it read.
        place: u32,
        /// The value.
        value: u64,
    },
    /// The value at the end is not that of the last store.
    Final {
        /// The place.
        place: u32,
        /// Its value at the end.
        value: u64,
    },
}
