//! The executable specification of the coherence protocol.
//!
//! [`node`] and [`home`] are pure functions of one cache line,
//! `(state, input) -> (state, outputs)`. The same text is model-checked
//! exhaustively ([`model`]), runs inside the harness's agents, and is what the
//! switch's RTL is held to. `docs/protocol.md` is its prose.
//!
//! Both are generic over the line's contents ([`LineData`]): the agents use 64
//! bytes, the model checker a few bits.

mod home;
pub mod model;
mod node;
pub mod pairs;
pub mod tables;

pub use home::{Directory, HomeIn, HomeLine, HomeOut, Transaction, Work, home};
pub use node::{NodeIn, NodeLine, NodeOut, Payload, Pending, node};

use std::{fmt, hash::Hash};

/// Contents of a cache line, and how uncached stores and far atomics change them.
pub trait LineData: Clone + fmt::Debug + Eq + Hash {
    /// What a `WriteUnique` carries: some bytes of the line, or all.
    type Write: Clone + fmt::Debug + Eq + Hash;

    /// What a far atomic does, where, and its operands.
    type Atomic: Clone + fmt::Debug + Eq + Hash;

    /// The line after `write`.
    fn merged(self, write: &Self::Write) -> Self;

    /// The whole line if `write` replaces every byte of it.
    fn whole(write: &Self::Write) -> Option<Self>;

    /// What a far atomic answers with and what it writes, this being the line before it. Either is
    /// poisoned if the line or the operand is.
    fn computed(self, atomic: &Self::Atomic) -> (Self, Self::Write);

    /// Whether the data is known to be corrupt.
    fn is_poisoned(&self) -> bool;
}

/// An input that the protocol says cannot happen in this state: somebody else broke the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

pub(crate) fn violation<T>(message: impl fmt::Display) -> Result<T, Violation> {
    Err(Violation(message.to_string()))
}

/// What one step sends: at most two messages, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outputs<T>([Option<T>; 2]);

impl<T> Default for Outputs<T> {
    fn default() -> Self {
        Self([None, None])
    }
}

impl<T> Outputs<T> {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn one(first: T) -> Self {
        Self([Some(first), None])
    }

    pub(crate) fn two(first: T, second: T) -> Self {
        Self([Some(first), Some(second)])
    }

    /// Replaces each message by what `f` makes of it.
    #[must_use]
    pub fn map(self, mut f: impl FnMut(T) -> T) -> Self {
        Self(self.0.map(|message| message.map(&mut f)))
    }
}

impl<T> IntoIterator for Outputs<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<T>, 2>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// A set of nodes, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NodeSet(pub u64);

impl NodeSet {
    /// The set of one node.
    #[must_use]
    pub fn one(node: u8) -> Self {
        Self(1 << node)
    }

    /// Is the set empty?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Is `node` in the set?
    #[must_use]
    pub fn has(self, node: u8) -> bool {
        self.0 >> node & 1 == 1
    }

    /// The set and `node`.
    #[must_use]
    pub fn with(self, node: u8) -> Self {
        Self(self.0 | 1 << node)
    }

    /// The set but for `node`.
    #[must_use]
    pub fn without(self, node: u8) -> Self {
        Self(self.0 & !(1 << node))
    }

    /// The nodes in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |&p| self.has(p))
    }
}

impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
