//! Workloads: what a user runs on a simulated supernode, and the traces that feed them.

pub mod kv;
pub mod programs;
pub mod sample;
pub mod trace;
