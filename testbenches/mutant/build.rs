//! Builds models of the RTL in `SUPERNODE_MUTANT`, a tree with a fault in it: a home alone, and the
//! tight switch unless `SUPERNODE_MUTANT_HOME` is set, both with waves if `SUPERNODE_MUTANT_WAVES` is.
//! Without the first variable nothing is built, so that the crate costs nobody anything.

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

/// Where the tops are.
const TOPS: &str = "../../harness/rtl";

fn main() -> Result<(), Error> {
    println!("cargo::rerun-if-env-changed=SUPERNODE_MUTANT");
    println!("cargo::rerun-if-env-changed=SUPERNODE_MUTANT_HOME");
    println!("cargo::rerun-if-env-changed=SUPERNODE_MUTANT_WAVES");
    println!("cargo::rustc-check-cfg=cfg(mutant)");
    println!("cargo::rustc-check-cfg=cfg(mutant_switch)");
    let Ok(tree) = std::env::var("SUPERNODE_MUTANT") else {
        return Ok(());
    };
    println!("cargo::rustc-cfg=mutant");
    let model = |name, top: &str| {
        Model::new(name)
            .top(top)
            .clock("clk_i")
            .file_list(format!("{tree}/rtl/supernode.f"))
            .include_dir(TOPS)
            .source(format!("{TOPS}/{top}.sv"))
    };
    let waves = std::env::var_os("SUPERNODE_MUTANT_WAVES").map(|_| Variant::Wave);
    let fuzzed = || [Variant::Cov].into_iter().chain(waves);
    let home = model("mutant_home", "home_top");
    let mut models = vec![home.variants([Variant::Fast].into_iter().chain(fuzzed()))];
    if std::env::var_os("SUPERNODE_MUTANT_HOME").is_none() {
        println!("cargo::rustc-cfg=mutant_switch");
        let set = |model: Model, (name, value): (&str, u32)| model.param(name, value);
        let switch = model("mutant_switch", "watched_switch").snapshots();
        models.push(TIGHT.into_iter().fold(switch.variants(fuzzed()), set));
    }
    build::build_all(&models)?;
    Ok(())
}
