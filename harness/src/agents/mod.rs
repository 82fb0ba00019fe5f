//! The devices on the ports.

mod ops;

pub use ops::{EXPECTED_OFFSET, MAX_ACCESS, Op, OpId, OpKind, OpTable, Status};
