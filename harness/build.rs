//! Builds the models of the switch: one a number of ports, from the sources that `rtl/supernode.f`
//! lists.

use std::error::Error;
use std::fs;
use std::path::Path;
use verilated::build::{self, Model, Variant};

const RTL: &str = "../rtl";

/// Ports and the variants that are built of that model.
const MODELS: [(u32, &[Variant]); 3] = [
    (4, &[Variant::Fast]),
    (8, &[Variant::Fast, Variant::Wave]),
    (16, &[Variant::Fast]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let sources = sources()?;
    let models: Vec<Model> = MODELS
        .iter()
        .map(|&(ports, variants)| {
            Model::new(format!("switch{ports}"))
                .top("supernode_switch")
                .clock("clk_i")
                .sources(&sources)
                .param("Ports", ports)
                .variants(variants.iter().copied())
        })
        .collect();
    build::build_all(&models)?;
    Ok(())
}

/// The files of the list, relative to this package.
fn sources() -> Result<Vec<String>, String> {
    let list = Path::new(RTL).join("supernode.f");
    println!("cargo::rerun-if-changed={}", list.display());
    let text = fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim());
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(|line| format!("{RTL}/{line}"))
        .collect())
}
