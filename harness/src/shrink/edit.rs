//! Operations with another address, size or value.
//!
//! An operation is changed as the line of the file that it is, so that this knows no kinds: one that
//! joins the format can be changed at once, in the fields that it has.

use flits::stimulus::{Step, value_bytes};
use serde_json::{Map, Value};

/// The step with its fields changed; `None` if that makes no step.
fn edited(step: &Step, change: impl FnOnce(&mut Map<String, Value>) -> Option<()>) -> Option<Step> {
    let mut line = serde_json::to_value(step).ok()?;
    change(line.as_object_mut()?)?;
    let step: Step = serde_json::from_value(line).ok()?;
    step.op.check().ok().map(|()| step)
}

/// Replaces a field that the step has.
fn replace(fields: &mut Map<String, Value>, name: &str, value: Value) -> Option<()> {
    *fields.get_mut(name)? = value;
    Some(())
}

/// A number as the file writes addresses and values.
fn number(value: u128) -> Value {
    Value::String(format!("{value:#x}"))
}

/// The step at another address; `None` if it has none, or may not be there.
pub fn at(step: &Step, addr: u64) -> Option<Step> {
    edited(step, |line| replace(line, "addr", number(addr.into())))
}

/// The step with another size; `None` if it has none, or cannot have that one.
pub fn sized(step: &Step, size: u16) -> Option<Step> {
    edited(step, |line| replace(line, "size", size.into()))
}

/// The step writing another value, cut to its size; `None` if it writes none.
pub fn writing(step: &Step, value: u128) -> Option<Step> {
    valued(step, "value", value)
}

/// The step expecting another value, cut to its size; `None` if it expects none.
pub fn expecting(step: &Step, value: u128) -> Option<Step> {
    valued(step, "expected", value)
}

fn valued(step: &Step, field: &str, value: u128) -> Option<Step> {
    let (_, size) = step.op.access()?;
    let mut bytes = [0; 16];
    let cut = value_bytes(value, size.min(16));
    bytes[..cut.len()].copy_from_slice(&cut);
    edited(step, |line| {
        replace(line, field, number(u128::from_le_bytes(bytes)))
    })
}
