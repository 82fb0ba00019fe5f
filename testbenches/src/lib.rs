//! Test benches of the supernode switch.
