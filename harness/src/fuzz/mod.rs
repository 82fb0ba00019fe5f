//! Coverage-guided fuzzing of the switch and of its parts.
//!
//! An input is a stimulus: a system, or a part of one, and what goes on in it ([`flits::stimulus`]). It
//! is run on a Verilated model that is reset from input to input, with every checker of the harness;
//! what it reached is a [`map::Map`]; what reaches something new is kept and changed again. LibAFL keeps the
//! corpus, judges what is new and draws what comes next; what an input is, how it is changed and what
//! it reached is here:
//!
//! * [`Target`]: what can be fuzzed; `system` is a whole switch, `alone` the fabric, a link or a home;
//! * `start`: how a switch is back after its reset and its address map without running them;
//! * [`map`], [`watch`]: what a run has reached: points of the RTL, and events;
//! * `draw`, `mutate`, `packets`, `turns`: inputs from nothing, and from other inputs, by structure;
//! * `hostile`: words that no rule allows, and what the switch owes the others then;
//! * `campaign`: the loop; `yields`: whether fresh inputs or changed ones pay; `finding`: what it found, made small by [`crate::shrink`];
//! * [`entry`]: functions of bytes, for other fuzzers.
//!
//! One seed and one number of inputs give the same corpus and the same findings.

mod alone;
mod campaign;
mod case;
mod draw;
pub mod entry;
mod finding;
mod hostile;
pub mod map;
mod mutate;
mod packets;
mod start;
mod system;
mod target;
#[cfg(test)]
mod tests;
mod turns;
pub mod watch;
mod yields;

pub use alone::Alone;
pub use campaign::{Progress, Report, Settings, run};
pub use draw::Draws;
pub use finding::{Finding, WINDOW, command, signature};
pub use system::{QUIET_CYCLES, System};
pub use target::{Ran, Target};
