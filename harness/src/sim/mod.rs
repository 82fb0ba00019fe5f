//! The deterministic clocked executor and the facade over it.

pub mod bench;
mod builder;
mod executor;
mod machine;
#[cfg(test)]
mod rtl_tests;
mod seed;
pub mod stats;
mod stimulus;
mod system;
#[cfg(test)]
mod tests;

pub use builder::{Builder, Model, Supernode};
pub use seed::stream;
pub use stats::{Histogram, NodeStats, Service, Stats};
pub use stimulus::{Outcome, RunOptions, run_stimulus, run_stimulus_with};
pub use system::{
    Access, AccessError, Idle, JoinHandle, Line, NodeHandle, System, TryAccess, Word, join_all,
};
