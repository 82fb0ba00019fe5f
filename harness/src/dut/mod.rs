//! The switch as channels of link words, over a Verilated model chosen at run time.
