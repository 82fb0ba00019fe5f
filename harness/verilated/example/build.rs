//! Builds models of two modules: the queue in all variants, and larger with two threads; and one
//! that the simulator has to give up on.

use verilated::build::{self, Error, Model, Variant};

fn main() -> Result<(), Error> {
    let queue = Model::new("record_queue")
        .source("rtl/record_queue.sv")
        .clock("clk_i");
    let deep = queue
        .renamed("deep_queue")
        .top("record_queue")
        .param("Depth", 9);
    build::build_all(&[
        queue
            .snapshots()
            .variant_arg(Variant::Toggle, "--coverage-max-width")
            .variant_arg(Variant::Toggle, "32")
            .variants([Variant::Fast, Variant::Cov, Variant::Toggle, Variant::Wave]),
        deep.param("PayloadWidth", 320).threads(2),
        Model::new("oscillator").source("rtl/oscillator.sv"),
    ])?;
    Ok(())
}
