//! Tests of the Verilated switch among simulated devices. One binary, because each links the models.

mod cabled;
mod determinism;
mod errors;
mod fabric;
mod litmus;
mod opcodes;
mod properties;
mod races;
mod regressions;
mod tiers;
