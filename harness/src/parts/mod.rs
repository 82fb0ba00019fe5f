//! Parts of the switch alone: the fabric, or a link, between cores that send packets and take words; or a
//! home among nodes and a memory that are the specification's.
//!
//! A stimulus says what a part is ([`Part`]) and what is around it. Around a fabric or a link it says how
//! many words each core's buffer holds, how often cores stall, what goes wrong on wires, and which packets
//! go where. A core is handed a packet `after` cycles after the one before; it sends the packets of a class
//! in that order and the words of different classes by turns, a word a cycle. What comes out must be what
//! went in: every word once, unchanged, in order and where it was sent; at the end every credit is back
//! where it was. Around a home it says what nodes ask for when, and which messages wait how long.
//!
//! * [`Bench`]: a part that runs stimuli; [`bench()`] makes one, [`replay`] runs one stimulus from
//!   power-on;
//! * `sender`: which word a core sends when;
//! * `fabric`, `link`, `home`: the parts.

mod fabric;
mod home;
mod link;
mod sender;
#[cfg(test)]
mod tests;

use crate::dut::{HomeSlice, Variant, home_alone};
use crate::sim::Model;
use crate::{Failure, FailureKind};
use flits::stimulus::{Config, Node, Op, Part, Stimulus};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Cycles in which a part must have come to rest once nothing new is sent and nothing goes wrong.
const SETTLE_CYCLES: u64 = 20_000;

/// What happened, as numbers that together name one event.
pub type Event = [u64; 4];

/// What came of a stimulus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Clock cycles since reset.
    pub cycles: u64,
    /// Words that came out where they had to; of a home, messages that arrived there and around it.
    pub words: u64,
    /// What was found.
    pub failure: Option<Failure>,
}

/// A part of the switch that runs stimuli, each after a reset.
pub trait Bench {
    /// Runs a stimulus for this part; `seen` is told what happens on the pins.
    fn run(&mut self, stimulus: &Stimulus, seen: &mut dyn FnMut(Event)) -> Ran;

    /// Coverage counters, of all models of the part together; empty where none are compiled in.
    fn coverage(&self) -> Vec<u32>;

    /// Writes VCD files of the next run: all of it, or these cycles since its reset.
    fn trace(&mut self, path: &Path, window: Option<Range<u64>>);
}

/// The part, at power-on. [`Model::Tight`] is a fabric whose buffers are as small as they can be, and a
/// link whose sequence numbers wrap all the time; of the home there is only a small one.
///
/// # Errors
/// If it is not built in that variant; of the reference there are no parts.
pub fn bench(part: Part, model: Model, variant: Variant) -> Result<Box<dyn Bench>, Failure> {
    Ok(match part {
        Part::Fabric => Box::new(fabric::Alone::new(model, variant)?),
        Part::Link => Box::new(link::Alone::new(model, variant)?),
        Part::Home if model == Model::Reference => return Err(no_reference()),
        Part::Home => home(home_alone(variant)?)?,
    })
}

/// Any home alone.
///
/// # Errors
/// If an assertion of it fires in reset.
pub fn home(home: Box<dyn HomeSlice>) -> Result<Box<dyn Bench>, Failure> {
    Ok(Box::new(home::Alone::new(home)?))
}

/// Runs one stimulus for a part from power-on, twice if only a window of its waveform is to be written.
///
/// # Errors
/// If the stimulus is not right or is for no part, or the model is not there.
pub fn replay(
    stimulus: &Stimulus,
    model: Model,
    vcd: Option<&Path>,
    window: Option<u64>,
) -> Result<Ran, Failure> {
    stimulus.check().map_err(setup)?;
    let Some(part) = stimulus.config.part else {
        return Err(setup("the stimulus is for a whole system".into()));
    };
    let run = |vcd: Option<(&Path, Option<Range<u64>>)>| {
        let variant = match (vcd.is_some(), part, model) {
            (true, _, _) => Variant::Wave,
            // Of the small fabric there is no faster one.
            (false, Part::Fabric, Model::Tight) => Variant::Cov,
            (false, _, _) => Variant::Fast,
        };
        let mut bench = bench(part, model, variant)?;
        if let Some((path, window)) = vcd {
            bench.trace(path, window);
        }
        Ok(bench.run(stimulus, &mut |_| {}))
    };
    match (vcd, window) {
        (None, _) => run(None),
        (Some(path), None) => run(Some((path, None))),
        (Some(path), Some(window)) => {
            let end = run(None)?.cycles + 1;
            run(Some((path, Some(end.saturating_sub(window)..end))))
        }
    }
}

/// The VCD file of an end of a link: of `run.vcd` and end 1, `run.end1.vcd`.
pub fn vcd_of(path: &Path, end: usize) -> PathBuf {
    path.with_extension(format!("end{end}.vcd"))
}

/// The operations of a port, with the cycle in which each is due.
fn due(stimulus: &Stimulus, port: usize) -> impl Iterator<Item = (u64, &Op)> {
    let begin = stimulus.config.start_skew.get(port).copied();
    let mut cycle = begin.unwrap_or(0);
    stimulus.steps_of(port).map(move |step| {
        cycle = cycle.saturating_add(step.after);
        (cycle, &step.op)
    })
}

/// Words of each class that the core on a port holds.
fn depth(config: &Config, port: usize) -> u16 {
    match config.nodes.get(port) {
        Some(&Node::Core { depth }) => depth,
        _ => 0,
    }
}

/// The bits of a number: numbers in few groups.
fn size(number: u64) -> u64 {
    u64::from(u64::BITS - number.leading_zeros())
}

fn setup(text: String) -> Failure {
    Failure::new(0, FailureKind::Setup, text)
}

fn no_reference() -> Failure {
    setup("there is no reference of a part alone".into())
}
