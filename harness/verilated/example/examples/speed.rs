//! Prints what an instance and a cycle of the example module cost, in each variant:
//! `cargo run --release -p verilated-example --example speed`.

use std::error::Error;
use std::time::Instant;
use verilated::{Clocked, Model};
use verilated_example::RecordQueue;

const INSTANCES: u32 = 200;
const CYCLES: u32 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    for &variant in RecordQueue::VARIANTS {
        let start = Instant::now();
        for _ in 0..INSTANCES {
            RecordQueue::with_variant(variant)?.eval()?;
        }
        let instance = start.elapsed() / INSTANCES;

        let mut queue = RecordQueue::with_variant(variant)?;
        queue.reset()?;
        let start = Instant::now();
        for cycle in 0..CYCLES {
            let pop = cycle % 2;
            queue.set_word_i(cycle);
            queue.set_push_i(1 - pop as u8);
            queue.set_pop_i(pop as u8);
            queue.cycle()?;
        }
        let rate = f64::from(CYCLES) / start.elapsed().as_secs_f64();
        println!("{variant}: {instance:?} for a new instance, {rate:.0} cycles per second");
    }
    Ok(())
}
