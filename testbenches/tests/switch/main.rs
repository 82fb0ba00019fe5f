//! Tests of the Verilated switch among simulated devices. One binary, because each links the models.

/// Tests of functions that take the tiers: each on one switch, and with its ports spread over the
/// leaves of two tiers.
macro_rules! on_one_switch_and_on_two_tiers {
    ($($property:ident),* $(,)?) => { $(
        mod $property {
            #[test]
            fn on_one_switch() {
                super::$property(None);
            }

            #[test]
            fn on_two_tiers() {
                super::$property(Some(testbenches::property::TIERS));
            }
        }
    )* };
}

mod additions;
mod address_map;
mod atomics;
mod cabled;
mod determinism;
mod errors;
mod fabric;
mod hostile;
mod litmus;
mod opcodes;
mod partitions;
mod poison;
mod programs;
mod properties;
mod races;
mod regressions;
mod scarce;
mod sharing;
mod silent;
mod situations;
mod tiers;
mod unfinished;
