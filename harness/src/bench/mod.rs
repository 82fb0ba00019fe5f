//! What is measured: the switch in cycles, which are exact, and the simulation in time.
//!
//! Each bench has a function that measures and gives typed figures, and one that puts them on a
//! [`Sheet`](crate::report::sheet::Sheet) for the terminal, for machines and for the browser.

pub mod coherence;
pub mod fabric;
pub mod fuzz;
pub mod latency;
pub mod link;
pub mod shape;
pub mod sim;
pub mod tiers;
