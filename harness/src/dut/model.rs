//! The Verilated models of the switch.

use super::Switch;
use crate::{Failure, FailureKind};
pub use verilated::Variant;

/// The Verilated switch with `ports` ports.
///
/// # Errors
/// If that model is not built in that variant.
pub fn verilated(ports: usize, variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    let text = format!("the model of {ports} ports, {variant:?}, is not built");
    Err(Failure::new(0, FailureKind::Setup, text))
}
