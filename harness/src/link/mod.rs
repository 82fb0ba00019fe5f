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

/// Cycles until both ends have given a cut link up: loss is noticed, training is in vain. At worst one
/// end trains in vain first and is silent from then on, and only then the other end notices. For the
/// link end of the switch; see `rtl/link/link_end.sv` for its time-outs.
pub const DEAD_BOUND: u64 = 256 + 2 * 1024 + 64;

/// The longest outage that a link may live through twice, one after the other: it leaves time for
/// training before the link is given up.
pub const OUTAGE: u64 = 330;

pub use cable::{Cable, CableCounts};
pub use cabling::Links;
pub use core::Traffic;
pub use end::{EVENTS, EndInputs, EndOutputs, Events, LinkEnd, tight, verilated};
pub(crate) use end::{trace_failure, trace_from_now};
pub use flits::stimulus::LinkErrors;
pub use linked::Linked;
pub use pair::{Counts, Pair, Run};
pub use wire::{Wire, WireStats};
pub use word::{BITS, CRC_BITS, CRC_POLYNOMIAL, Kind, WireWord};
