//! The flit format of the supernode switch.
