//! Builds the models of the switch: one a number of ports.

use verilated::build::{self, Error, Model, Variant};

/// Ports and the variants that are built of that model. A failure of any size can be looked at.
const MODELS: [(u32, &[Variant]); 3] = [
    (4, &[Variant::Fast, Variant::Wave]),
    (8, &[Variant::Fast, Variant::Cov, Variant::Wave]),
    (16, &[Variant::Fast, Variant::Wave]),
];

/// A switch in which everything is scarce: full buffers and trackers, and directory recalls, are
/// everyday events there.
const TIGHT: [(&str, u32); 6] = [
    ("Ports", 4),
    ("HomeSlices", 4),
    ("DirSets", 2),
    ("DirWays", 2),
    ("Trackers", 2),
    ("ClassDepth", 4),
];

fn main() -> Result<(), Error> {
    let switch = Model::new("switch")
        .top("switch_core")
        .clock("clk_i")
        .file_list("../rtl/supernode.f");
    let mut models: Vec<Model> = MODELS
        .iter()
        .map(|&(ports, variants)| {
            switch
                .renamed(format!("switch{ports}"))
                .param("Ports", ports)
                .variants(variants.iter().copied())
        })
        .collect();
    let tight = TIGHT
        .into_iter()
        .fold(switch.renamed("tight_switch"), |model, (name, value)| {
            model.param(name, value)
        });
    models.push(tight.variants([Variant::Fast, Variant::Wave]));
    build::build_all(&models)?;
    Ok(())
}
