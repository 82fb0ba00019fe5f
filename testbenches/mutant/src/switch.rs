//! The tight switch, with devices that keep the rules or with one that keeps none.

use crate::fuzz::Faulty;
use harness::Failure;
use harness::dut::{Variant, rtl};
use harness::fuzz::{Finding, QUIET_CYCLES, System, Target};
use harness::sim::Supernode;
use harness::topology::Topology;
use std::ops::Range;
use std::path::Path;

verilated::model!(mutant_switch);
harness::switch_model!(watched MutantSwitch, 4, |wide| wide as u32);

pub const FAULTY: Faulty = Faulty {
    target: || target(false),
    again: |finding, vcd, window| again(finding, vcd, window).err(),
};

pub const HOSTILE: Faulty = Faulty {
    target: || target(true),
    ..FAULTY
};

fn target(hostile: bool) -> Result<Box<dyn Target>, Failure> {
    let mutant = || rtl::<MutantSwitch>(Variant::Cov);
    Ok(Box::new(System::of(mutant, None, hostile)?))
}

fn again(finding: &Finding, vcd: &Path, window: Range<u64>) -> Result<(), Failure> {
    let stimulus = &finding.stimulus;
    let switch = rtl::<MutantSwitch>(Variant::Wave)?;
    let mut supernode = Supernode::builder()
        .config(stimulus.config.clone())
        .seed(stimulus.seed)
        .quiet_cycles(QUIET_CYCLES)
        .vcd(vcd)
        .vcd_cycles(window)
        .build_on(vec![switch], &Topology::single(4))?;
    supernode.run_stimulus(stimulus).map(drop)
}
