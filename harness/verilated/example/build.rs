//! Builds two models of one module: all variants of the default one, and a larger one.

use verilated::build::{self, Error, Model, Variant};

fn main() -> Result<(), Error> {
    let queue = Model::new("record_queue")
        .source("rtl/record_queue.sv")
        .clock("clk_i");
    build::build_all(&[
        queue
            .clone()
            .variants([Variant::Fast, Variant::Cov, Variant::Wave]),
        queue
            .renamed("deep_queue")
            .top("record_queue")
            .param("Depth", 9)
            .param("PayloadWidth", 320),
    ])?;
    Ok(())
}
