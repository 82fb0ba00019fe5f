//! A line in the situations that the tables of the protocol name, and whoever comes next.

use flits::stimulus::Tiers;
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::steer;

/// A line whose memory and home are of no importance.
pub const A: u64 = 0x1_0040;
/// Cycles after which everything before has surely ended.
pub const LATER: u64 = 600;

/// Runs a program on the default system of as many ports, or with its devices on two tiers.
pub fn run(name: &str, tiers: Option<Tiers>, program: Program) -> Outcome {
    steer::run(name, &program.on_tiers(tiers).done())
}

/// Node 0 has [`A`] alone and clean; goes on with node 1.
pub fn owned() -> Program {
    let program = Program::new(8).node(0).load(A, 8);
    program.node(1).after(LATER)
}

/// Node 0 has stored 8 bytes at [`A`]; goes on with node 1.
pub fn dirty(value: u128) -> Program {
    let program = Program::new(8).node(0).store(A, 8, value);
    program.node(1).after(LATER)
}

/// Nodes 0 and 1 share [`A`]; goes on with node 2.
pub fn shared() -> Program {
    owned().load(A, 8).node(2).after(2 * LATER)
}
