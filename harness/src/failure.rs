//! Why a run stopped.

use std::fmt;

/// What stopped a run: the first violation found, with the cycle in which it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cycle {cycle}: {kind}: {message}")]
pub struct Failure {
    /// Clock cycles since reset.
    pub cycle: u64,
    /// Which of the checks found it.
    pub kind: FailureKind,
    /// One or more sentences for a person: what, where, and what was expected.
    pub message: String,
}

impl Failure {
    /// A failure of `kind` found in `cycle`.
    pub fn new(cycle: u64, kind: FailureKind, message: impl Into<String>) -> Self {
        Failure {
            cycle,
            kind,
            message: message.into(),
        }
    }
}

/// The family of checks that a [`Failure`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A link word that is illegal where and when it was seen.
    Link,
    /// A device met a packet that the protocol has no transition for.
    Protocol,
    /// Not single writer or many readers.
    Coherence,
    /// A load, a forward or a memory read returned other bytes than the last store's.
    Data,
    /// A node's own accesses took effect in another order than its program has.
    Order,
    /// What all nodes saw together is not what the memory model allows.
    Consistency,
    /// Something did not finish.
    Progress,
    /// An access the program made without allowing for errors was answered with one.
    Access,
    /// An assertion of the model fired.
    Assertion,
    /// The harness itself panicked.
    Harness,
    /// The run could not start: configuration, address map, or trace file.
    Setup,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Link => "link",
            FailureKind::Protocol => "protocol",
            FailureKind::Coherence => "coherence",
            FailureKind::Data => "data",
            FailureKind::Order => "order",
            FailureKind::Consistency => "consistency",
            FailureKind::Progress => "progress",
            FailureKind::Access => "access",
            FailureKind::Assertion => "assertion",
            FailureKind::Harness => "harness",
            FailureKind::Setup => "setup",
        })
    }
}
