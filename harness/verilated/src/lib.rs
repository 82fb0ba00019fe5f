//! Verilator 5 for Rust.
