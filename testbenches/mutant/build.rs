//! Builds the tight switch of the RTL in `SUPERNODE_MUTANT`, a tree with a fault in it; without that
//! variable nothing, so that the crate costs nobody anything.

use verilated::build::{self, Error, Model, Variant};

/// The parameters of `tight_switch` in `harness/build.rs`.
const TIGHT: [(&str, u32); 7] = [
    ("Ports", 4),
    ("HomeSlices", 4),
    ("DirSets", 2),
    ("DirWays", 2),
    ("Trackers", 2),
    ("ClassDepth", 4),
    ("SharedDepth", 2),
];

fn main() -> Result<(), Error> {
    println!("cargo::rerun-if-env-changed=SUPERNODE_MUTANT");
    println!("cargo::rustc-check-cfg=cfg(mutant)");
    let Ok(tree) = std::env::var("SUPERNODE_MUTANT") else {
        return Ok(());
    };
    println!("cargo::rustc-cfg=mutant");
    let switch = Model::new("mutant_switch")
        .top("switch_core")
        .clock("clk_i")
        .file_list(format!("{tree}/rtl/supernode.f"))
        .variants([Variant::Cov]);
    let set = |model: Model, (name, value): (&str, u32)| model.param(name, value);
    build::build_all(&[TIGHT.into_iter().fold(switch, set)])?;
    Ok(())
}
