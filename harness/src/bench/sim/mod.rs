//! How fast the simulation runs: the model alone, and with more and more around it.

mod alone;
mod sheet;
mod watch;

pub use alone::{Recording, random_packets};
pub use sheet::{Settings, sheet};
pub use watch::Speed;

use crate::Failure;
use crate::sim::{Builder, System};
use std::future::Future;
pub(super) use watch::Watch;

/// Runs a program; the time to build the supernode does not count.
///
/// # Errors
/// As [`Builder::build`] and [`crate::sim::Supernode::run`], and those of the program.
pub fn run<F, Fut, T>(builder: &Builder, program: F) -> Result<Speed, Failure>
where
    F: FnOnce(System) -> Fut,
    Fut: Future<Output = Result<T, Failure>> + 'static,
    T: 'static,
{
    let mut sn = builder.clone().build()?;
    let before = sn.cycle();
    let watch = Watch::start();
    sn.run(program)??;
    let speed = watch.stop(sn.cycle() - before);
    sn.close_vcd()?;
    Ok(speed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Supernode;

    #[test]
    fn a_recording_repeats_the_run() {
        let program = |sys: System| async move {
            for i in 0..100u64 {
                sys.node(i as usize % 6).store(0x1000 + 64 * i, i).await;
            }
            Ok(())
        };
        let builder = Supernode::builder();
        let speed = run(&builder, program).expect("no violation");
        let recording = Recording::of(&builder, 8, program).expect("no violation");
        let repeated = recording.repeat().expect("no assertion");
        // The repeated run begins with the programming of the address map.
        assert!(repeated.cycles > speed.cycles);
        assert!(recording.words_per_cycle() > 0.0);
        let random = random_packets(8, 500, 2.0, 1).expect("no assertion");
        assert_eq!(random.cycles, 500);
    }
}
