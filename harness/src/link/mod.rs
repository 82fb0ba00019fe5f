//! Links: words on wires, what goes wrong there, and the Verilated ends that make up for it.
//!
//! * [`WireWord`]: what a wire carries, with the CRC computed a second time, in Rust;
//! * [`Wire`]: one direction of a cable, with delay and errors ([`LinkErrors`]);
//! * [`LinkEnd`]: a Verilated end;
//! * [`Cable`]: two ends and the wires between them;
//! * [`Linked`]: a switch with links on the ports of its devices; [`Links`]: links between switches;
//! * [`Pair`]: a cable and a core at each end: the bench of the link alone.

mod cable;
mod cabling;
mod core;
mod end;
mod linked;
mod pair;
mod wire;
mod word;

pub use cable::{Cable, CableCounts};
pub use cabling::Links;
pub use core::Traffic;
pub use end::{EVENTS, EndInputs, EndOutputs, Events, LinkEnd, tight, verilated};
pub use flits::stimulus::LinkErrors;
pub use linked::Linked;
pub use pair::{Counts, Pair, Run};
pub use wire::{Wire, WireStats};
pub use word::{BITS, CRC_BITS, CRC_POLYNOMIAL, Kind, WireWord};
