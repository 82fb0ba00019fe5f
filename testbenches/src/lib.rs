//! What the tests of the switch have in common.
//!
//! * [`property`]: random stimuli, shrinking, and the file that a failing one leaves;
//! * [`program`]: stimuli written by hand;
//! * [`private`]: random programs whose every result is fixed;
//! * [`oracle`]: judges a history by itself, without the harness's checkers;
//! * [`linked_chip`]: the chip with its link ends in RTL, as a switch;
//! * [`steer`]: searches timings until a race is met, and reads the packets that prove it.
//!
//! Every test takes its seed from `SUPERNODE_SEED`, or from its own name where that is not set, and
//! prints it.

pub mod linked_chip;
pub mod oracle;
pub mod private;
pub mod program;
pub mod property;
pub mod steer;
