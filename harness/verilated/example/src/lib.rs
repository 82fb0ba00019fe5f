//! A queue of records in SystemVerilog, as Rust structs.

verilated::model!(record_queue);
verilated::model!(deep_queue);
