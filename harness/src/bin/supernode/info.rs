//! `supernode info`.

use std::fmt::Write;

use flits::stimulus::Node;
use harness::dut::csr_map;
use harness::sim::Supernode;

use crate::output::{self, Stop};
use crate::simulate;
use crate::system::ports;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// Ports of the switch: 4, 8 or 16.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = ports)]
    ports: usize,
}

/// Prints what the switch says of itself and the default system around it.
pub fn run(args: &Args) -> Result<(), Stop> {
    let built = Supernode::builder().ports(args.ports).build();
    let mut supernode = built.map_err(|failure| simulate::stop(&failure))?;
    let version = supernode
        .csr_read(csr_map::VERSION)
        .map_err(|failure| simulate::stop(&failure))?;
    let p = *supernode.parameters();
    let rows = [
        ("ports", p.ports),
        ("home slices", p.home_slices),
        ("directory of a slice, sets", p.dir_sets),
        ("directory of a slice, ways", p.dir_ways),
        ("transactions of a slice", p.trackers),
        ("words buffered of each class", p.class_depth.into()),
        ("words buffered of any class", p.shared_depth.into()),
        ("regions of the address map", p.regions),
    ];
    let mut text = format!("supernode {}\n\nSwitch\n", env!("CARGO_PKG_VERSION"));
    let (major, minor) = (
        csr_map::VERSION_MAJOR.get(version),
        csr_map::VERSION_MINOR.get(version),
    );
    let _ = writeln!(text, "  {:<30}{major}.{minor}", "version");
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<30}{value}");
    }
    text.push_str("\nDevices\n");
    for (port, node) in supernode.config().nodes.iter().enumerate() {
        let _ = writeln!(text, "  port {port:<25}{}", device(node));
    }
    let _ = write!(text, "\nAddress map\n{}", supernode.address_map());
    output::print(&text)
}

fn device(node: &Node) -> String {
    match node {
        Node::Cached {
            sets,
            ways,
            mshrs,
            store_buffer,
        } => {
            let core = match store_buffer {
                0 => "in order".to_string(),
                n => format!("{n} buffered stores"),
            };
            format!("node with cache: {sets} sets of {ways} lines, {mshrs} misses, {core}")
        }
        Node::Memory { timing } => format!("memory: {timing:?}"),
        other => other.described().to_string(),
    }
}
