//! Builds the models that the command needs: of the switch, one a number of ports, of its fabric
//! alone, of a link end and of a home alone. Those that only tests need are built in `testbenches`.

use std::env;

use verilated::build::{self, Error, Model, Variant};

/// Ports and the variants that are built of that model. A failure of any size can be looked at.
const MODELS: [(u32, &[Variant]); 3] = [
    (4, &[Variant::Fast, Variant::Wave]),
    (8, &[Variant::Fast, Variant::Cov, Variant::Wave]),
    (16, &[Variant::Fast, Variant::Wave]),
];

/// A link end whose sequence numbers wrap all the time.
const TIGHT_LINK: [(&str, u32); 4] = [
    ("SeqBits", 3),
    ("Window", 7),
    ("ReplayTimeout", 40),
    ("LossTimeout", 100),
];

/// A switch in which everything is scarce: full buffers and trackers, and directory recalls, are
/// everyday events there.
const TIGHT: [(&str, u32); 7] = [
    ("Ports", 4),
    ("HomeSlices", 4),
    ("DirSets", 2),
    ("DirWays", 2),
    ("Trackers", 2),
    ("ClassDepth", 4),
    ("SharedDepth", 2),
];

/// Ports of the fabric alone, for the bench and the properties of it.
const FABRICS: [u32; 3] = [4, 8, 16];
/// The one of them that its properties are about.
const COVERED_FABRIC: u32 = 8;

/// The fabric of the tight switch alone, where queues are full all the time.
const SMALL_FABRIC: [(&str, u32); 3] = [("Ports", 4), ("ClassDepth", 4), ("SharedDepth", 2)];

/// What a tight switch has more to be one of four chips.
const TIGHT_SYSTEM: [(&str, u32); 3] = [("Nodes", 8), ("NodesPerChip", 2), ("Chips", 4)];

/// Set for the variants that only the figures of coverage need (`ci/coverage.sh`).
const COVERAGE: &str = "SUPERNODE_COVERAGE_MODELS";

/// Signals wider than this have no counters of their bits: those are words, lines and addresses, whose
/// bits are data.
const TOGGLE_WIDTH: u32 = 32;

fn with(model: Model, parameters: &[(&str, u32)]) -> Model {
    let set = |model: Model, &(name, value): &(&str, u32)| model.param(name, value);
    parameters.iter().fold(model, set)
}

/// Without counters of the bits of wide signals, and of those that Verilator cannot count.
fn narrow(model: Model) -> Model {
    model
        .variant_arg(Variant::Toggle, "rtl/toggle.vlt")
        .variant_arg(Variant::Toggle, "--coverage-max-width")
        .variant_arg(Variant::Toggle, TOGGLE_WIDTH.to_string())
}

fn main() -> Result<(), Error> {
    println!("cargo:rerun-if-env-changed={COVERAGE}");
    let covers = env::var_os(COVERAGE).is_some_and(|value| !value.is_empty());
    let counted = |variants: &[Variant], counting: Variant| {
        let more = covers.then_some(counting);
        variants.iter().copied().chain(more).collect::<Vec<_>>()
    };
    let switch = Model::new("switch")
        .top("watched_switch")
        .clock("clk_i")
        .file_list("../rtl/supernode.f")
        .include_dir("rtl")
        .source("rtl/watched_switch.sv");
    let mut models: Vec<Model> = MODELS
        .iter()
        .map(|&(ports, variants)| {
            let model = switch
                .renamed(format!("switch{ports}"))
                .param("Ports", ports)
                .variants(variants.iter().copied());
            // What is fuzzed goes back to its start again and again.
            match variants.contains(&Variant::Cov) {
                true => model.snapshots(),
                false => model,
            }
        })
        .collect();
    let tight = with(switch.renamed("tight_switch"), &TIGHT);
    // The same chips with the route tables and the width of a system of several.
    let chip = |ports: u32| {
        let chip = switch.renamed(format!("chip{ports}")).param("Ports", ports);
        with(
            chip,
            &[("Nodes", 64), ("NodesPerChip", ports / 2), ("Chips", 8)],
        )
    };
    models.push(chip(8).variants(counted(&[Variant::Fast, Variant::Wave], Variant::Cov)));
    models.push(chip(16).variants([Variant::Fast]));
    let tight_chip = with(tight.renamed("tight_chip"), &TIGHT_SYSTEM);
    models.push(tight_chip.variants([Variant::Fast]));
    let variants = [Variant::Fast, Variant::Cov, Variant::Wave];
    models.push(narrow(tight.snapshots()).variants(counted(&variants, Variant::Toggle)));
    let fabric = Model::new("fabric")
        .top("fabric_top")
        .clock("clk_i")
        .file_list("../rtl/supernode.f")
        .source("rtl/fabric_top.sv");
    models.extend(FABRICS.iter().map(|&ports| {
        let fabric = fabric.renamed(format!("fabric{ports}"));
        let variants = match ports {
            COVERED_FABRIC => counted(&[Variant::Fast], Variant::Toggle),
            _ => vec![Variant::Fast],
        };
        narrow(fabric).param("Ports", ports).variants(variants)
    }));
    let small_fabric = with(fabric.renamed("small_fabric"), &SMALL_FABRIC);
    models.push(small_fabric.variants([Variant::Cov, Variant::Wave]));
    let link_end = Model::new("plain_link_end")
        .top("link_end")
        .clock("clk_i")
        .file_list("../rtl/supernode.f")
        .variants(counted(
            &[Variant::Fast, Variant::Cov, Variant::Wave],
            Variant::Toggle,
        ));
    let link_end = narrow(link_end);
    let tight_link_end = TIGHT_LINK.into_iter().fold(
        link_end.renamed("tight_link_end"),
        |model, (name, value)| model.param(name, value),
    );
    models.extend([link_end, tight_link_end]);
    let home = Model::new("home4")
        .top("home_top")
        .clock("clk_i")
        .file_list("../rtl/supernode.f")
        .include_dir("rtl")
        .source("rtl/home_top.sv");
    models.push(home.variants([Variant::Fast, Variant::Cov, Variant::Wave]));
    build::build_all(&models)?;
    Ok(())
}
