//! Tests of the link layer: Verilated link ends, and wires on which everything goes wrong.

mod chip;
mod dead;
mod figures;
mod patterns;
mod programs;
