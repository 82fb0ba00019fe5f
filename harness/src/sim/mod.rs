//! The deterministic clocked executor and the facade over it.

mod access;
mod builder;
mod executor;
#[cfg(test)]
mod late_tests;
mod machine;
mod mailbox;
mod node;
#[cfg(test)]
mod rtl_tests;
mod seed;
pub mod stats;
mod stimulus;
mod supernode;
mod system;
#[cfg(test)]
mod tests;

pub use access::{Access, AccessError, Line, TryAccess, Word};
pub use builder::{Builder, Model};
pub use node::NodeHandle;
pub use seed::stream;
pub use stats::{Histogram, NodeStats, Service, Stats};
pub use stimulus::{Outcome, RunOptions, run_stimulus, run_stimulus_with};
pub use supernode::Supernode;
pub use system::{Idle, JoinHandle, System, join_all};
