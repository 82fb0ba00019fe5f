//! Translates the modules that are here for tests alone.

use verilated::build::{self, Error, Model};

fn main() -> Result<(), Error> {
    build::build_all(&[
        Model::new("flit_pkg_probe").sources(["../rtl/flit_pkg.sv", "rtl/flit_pkg_probe.sv"])
    ])?;
    Ok(())
}
