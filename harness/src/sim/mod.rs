//! The deterministic clocked executor and the facade over it.
