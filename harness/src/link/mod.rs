//! Links: words on wires, what goes wrong there, and the Verilated ends that make up for it.
//!
//! * [`WireWord`]: what a wire carries, with the CRC computed a second time, in Rust;
//! * [`Wire`]: one direction of a cable, with delay and errors ([`LinkErrors`]);
//! * [`LinkEnd`]: a Verilated end;
//! * [`Cable`]: two ends and the wires between them;
//! * [`Pair`]: a cable and a core at each end: the bench of the link alone.

mod cable;
mod core;
mod end;
mod pair;
mod wire;
mod word;

pub use cable::{Cable, CableCounts};
pub use core::Traffic;
pub use end::{EndInputs, EndOutputs, Events, LinkEnd, tight, verilated};
pub use flits::stimulus::LinkErrors;
pub use pair::{Counts, Pair, Run};
pub use wire::{Wire, WireStats};
pub use word::{BITS, CRC_BITS, CRC_POLYNOMIAL, Kind, WireWord};
