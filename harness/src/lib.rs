//! Drives and checks a simulated supernode: one address space behind a Verilated switch.
//!
//! * [`protocol`]: node and home of the coherence protocol as pure functions;
//! * [`dut`]: the switch as channels of link words, over a model chosen at run time;
//! * [`link`]: wires that fail, and the link ends that make up for it;
//! * [`agents`]: the devices on the ports, driven by [`protocol`];
//! * [`topology`]: systems of several chips, their ways and whether these can deadlock;
//! * [`sim`]: the deterministic clocked executor and the facade, [`sim::Supernode`];
//! * [`check`]: link monitors, the coherence scoreboard, progress;
//! * [`mod@coverage`]: what of RTL and protocol the suite reaches;
//! * [`consistency`]: whether a memory model allows what threads saw;
//! * [`litmus`]: litmus tests on the switch, beside what a memory model allows;
//! * [`conform`]: how much of the protocol the RTL is taken through;
//! * [`mod@bench`]: what is measured, of the switch and of the simulation;
//! * [`parts`]: the fabric or a link alone, between cores;
//! * [`fuzz`], [`shrink`]: stimuli that look for failures, and failures made small;
//! * [`workload`], [`report`], [`wave`]: what people run and what they see of it.

mod failure;
mod hex;

pub mod agents;
pub mod bench;
pub mod check;
pub mod conform;
pub mod consistency;
pub mod coverage;
pub mod dut;
pub mod fuzz;
pub mod link;
pub mod litmus;
pub mod parts;
pub mod protocol;
pub mod report;
pub mod shrink;
pub mod sim;
pub mod topology;
pub mod wave;
pub mod workload;

pub use failure::{Failure, FailureKind};
