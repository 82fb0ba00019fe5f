//! Translates the modules that are here for tests alone.

use verilated::build::{self, Error, Model};

/// The chip with its link ends, as small as it can be.
const SMALL_LINKED: [(&str, u32); 8] = [
    ("Ports", 2),
    ("HomeSlices", 1),
    ("DirSets", 2),
    ("DirWays", 2),
    ("Trackers", 2),
    ("ClassDepth", 4),
    ("SharedDepth", 0),
    ("Regions", 1),
];

/// Chips cabled in RTL: two leaves with two devices each, and a spine, all as the tight chip of
/// `harness/build.rs`.
const TIGHT_FABRIC: [(&str, u32); 11] = [
    ("HomeSlices", 4),
    ("DirSets", 2),
    ("DirWays", 2),
    ("Trackers", 2),
    ("ClassDepth", 4),
    ("SharedDepth", 2),
    ("Leaves", 2),
    ("NodesPerLeaf", 2),
    ("Spines", 1),
    ("LeafPorts", 4),
    ("SpinePorts", 4),
];

fn main() -> Result<(), Error> {
    let model = |name, top, parameters: &[(&str, u32)]| {
        let model = Model::new(name)
            .top(top)
            .clock("clk_i")
            .file_list("../rtl/supernode.f");
        let set = |model: Model, &(name, value): &(&str, u32)| model.param(name, value);
        parameters.iter().fold(model, set)
    };
    build::build_all(&[
        Model::new("flit_pkg_probe").sources(["../rtl/flit_pkg.sv", "rtl/flit_pkg_probe.sv"]),
        model("small_linked_switch", "supernode_switch", &SMALL_LINKED),
        model("tight_fabric", "supernode_fabric", &TIGHT_FABRIC),
    ])?;
    Ok(())
}
