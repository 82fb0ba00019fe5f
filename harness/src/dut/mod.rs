//! The switch as channels of link words, over a model chosen at run time.

mod address;

pub use address::{AddressMap, AddressMapError, MAX_INTERLEAVE, REGION_UNIT, Region};
