//! Two link ends and the cable between them, with a core at each end that checks what arrives.

use super::core::{Core, Traffic};
use super::end::{self, EndInputs, EndOutputs, LinkEnd};
use super::wire::{Wire, WireStats};
use crate::dut::Variant;
use crate::sim::stream;
use crate::{Failure, FailureKind};
use flits::stimulus::{LinkErrors, Way};
use flits::{Class, LinkWord};
use std::ops::AddAssign;

/// Cycles after the last error in which everything must have settled.
const SETTLE_CYCLES: u64 = 20_000;

/// Cycles in which nothing more happens once everything has settled.
const QUIET_CYCLES: u64 = 100;

/// A run of two link ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Decides what the cores do.
    pub seed: u64,
    /// What they do.
    pub traffic: Traffic,
    /// What goes wrong on the wires, until `cycles` have passed.
    pub errors: LinkErrors,
    /// Cycles in which the cores begin new packets.
    pub cycles: u64,
    /// Cycles at the beginning of them that are not counted.
    pub warmup: u64,
}

/// What a run counted, both directions together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Cycles, in each of which each wire could carry a word.
    pub cycles: u64,
    /// Words delivered to the cores.
    pub delivered: u64,
    /// Words on the wires, and what went wrong with them.
    pub wire: WireStats,
    /// Words of which the CRC was wrong.
    pub crc_errors: u64,
    /// Times that flits were sent again from the oldest that was not acknowledged.
    pub replays: u64,
    /// ... because no acknowledgement came.
    pub timeouts: u64,
    /// Times that the link was lost and trained again.
    pub retrainings: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.cycles += other.cycles;
        self.delivered += other.delivered;
        self.wire += other.wire;
        self.crc_errors += other.crc_errors;
        self.replays += other.replays;
        self.timeouts += other.timeouts;
        self.retrainings += other.retrainings;
    }
}

/// Two link ends.
pub struct Pair {
    ends: [Box<dyn LinkEnd>; 2],
    inputs: [EndInputs; 2],
    outputs: [EndOutputs; 2],
    /// Credits of one class that an end lets its core hold.
    share: u16,
    cycle: u64,
}

impl Pair {
    /// Two ends of the switch.
    ///
    /// # Errors
    /// If that model is not built in that variant.
    pub fn new(variant: Variant) -> Result<Pair, Failure> {
        let ends = [end::verilated(variant)?, end::verilated(variant)?];
        Ok(Pair::of(ends, 32))
    }

    /// Two ends whose numbers wrap all the time.
    ///
    /// # Errors
    /// If that model is not built in that variant.
    pub fn tight(variant: Variant) -> Result<Pair, Failure> {
        Ok(Pair::of([end::tight(variant)?, end::tight(variant)?], 1))
    }

    fn of(ends: [Box<dyn LinkEnd>; 2], share: u16) -> Pair {
        Pair {
            ends,
            inputs: Default::default(),
            outputs: Default::default(),
            share,
            cycle: 0,
        }
    }

    /// Resets both ends and runs: for `run.cycles` the cores begin packets and errors happen; then
    /// errors end, packets are finished, and everything has to settle.
    ///
    /// # Errors
    /// A word is lost, repeated, changed or out of order; a credit is lost or told twice; the link
    /// is given up; not everything settles; an assertion of the model fires.
    pub fn run(&mut self, run: &Run) -> Result<Counts, Failure> {
        self.reset()?;
        let mut cores = cores(run);
        let mut wires = wires(&run.errors);
        let mut counts = Counts::default();
        while self.cycle < run.cycles {
            if self.cycle == run.warmup {
                counts = Counts::default();
                wires.iter_mut().for_each(Wire::forget_stats);
            }
            self.step(&mut cores, &mut wires, &mut counts, false)?;
        }
        for wire in &mut wires {
            counts.wire += *wire.stats();
            wire.heal();
        }
        let measured = counts;
        let credits = run.traffic.depth.min(self.share);
        let mut quiet = 0;
        while quiet < QUIET_CYCLES {
            if self.cycle == run.cycles + SETTLE_CYCLES {
                return Err(self.failure(unsettled(&cores)));
            }
            self.step(&mut cores, &mut wires, &mut counts, true)?;
            let settled = (0..2).all(|end| {
                cores[end].settled(credits) && cores[end].sent == cores[1 - end].received
            });
            quiet = if settled { quiet + 1 } else { 0 };
        }
        Ok(measured)
    }

    /// Resets both ends and runs, with errors, until both have given the link up; the cycle of each
    /// is returned, or `None` if it did not within `limit` cycles.
    ///
    /// # Errors
    /// What arrived until then was wrong; an assertion of the model fires.
    pub fn run_until_dead(&mut self, run: &Run, limit: u64) -> Result<[Option<u64>; 2], Failure> {
        self.reset()?;
        let mut cores = cores(run);
        let mut wires = wires(&run.errors);
        let mut dead = [None; 2];
        while self.cycle < limit && dead.contains(&None) {
            self.clock_with(&mut cores, &mut wires, |_, core| core.send(false))?;
            for (end, cycle) in dead.iter_mut().enumerate() {
                if self.outputs[end].dead {
                    cycle.get_or_insert(self.cycle);
                } else {
                    self.check_end(&mut cores, end)?;
                }
            }
        }
        Ok(dead)
    }

    /// Cycles from a word on the pins of one core to the same word on the pins of the other, on an
    /// idle link whose wire takes `delay` cycles.
    ///
    /// # Errors
    /// The word does not arrive; an assertion of the model fires.
    pub fn latency(&mut self, delay: u32) -> Result<u64, Failure> {
        const TRAINED: u64 = 200;
        self.reset()?;
        let run = Run {
            traffic: Traffic {
                packet_words: 1,
                ..Traffic::default()
            },
            errors: LinkErrors {
                delay,
                ..LinkErrors::default()
            },
            ..Run::default()
        };
        let mut wires = wires(&run.errors);
        let mut cores = cores(&run);
        let mut sent = 0;
        while self.cycle < SETTLE_CYCLES {
            // Nothing is sent but one word of the first core, when the link is at rest.
            let sends = self.cycle == TRAINED;
            self.clock_with(&mut cores, &mut wires, |end, core| {
                (sends && end == 0).then(|| core.send(false)).flatten()
            })?;
            if sends {
                sent = self.cycle;
            }
            (0..2).try_for_each(|end| self.check_end(&mut cores, end))?;
            if self.outputs[1].rx.is_some() {
                // The word was on the pins before the edge that ended cycle `sent`.
                return Ok(self.cycle - sent + 1);
            }
        }
        Err(self.failure("the word does not arrive".to_owned()))
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.ends.iter_mut().try_for_each(|end| end.reset())?;
        self.inputs = Default::default();
        self.outputs = Default::default();
        self.cycle = 0;
        Ok(())
    }

    fn step(
        &mut self,
        cores: &mut [Core; 2],
        wires: &mut [Wire; 2],
        counts: &mut Counts,
        finishing: bool,
    ) -> Result<(), Failure> {
        self.clock_with(cores, wires, |_, core| core.send(finishing))?;
        counts.cycles += 1;
        for end in 0..2 {
            let EndOutputs {
                rx, dead, events, ..
            } = &self.outputs[end];
            if *dead {
                return Err(self.failure(format!("end {end} has given the link up")));
            }
            counts.delivered += u64::from(rx.is_some());
            counts.crc_errors += u64::from(events.crc_error());
            counts.replays += u64::from(events.replay());
            counts.timeouts += u64::from(events.timeout());
            counts.retrainings += u64::from(events.retrain());
            self.check_end(cores, end)?;
        }
        Ok(())
    }

    /// Hands the outputs of an end to its core.
    fn check_end(&self, cores: &mut [Core; 2], end: usize) -> Result<(), Failure> {
        let outputs = &self.outputs[end];
        let core = &mut cores[end];
        let judged = core
            .credit(outputs.tx_credit)
            .and_then(|()| outputs.rx.iter().try_for_each(|word| core.receive(word)));
        judged.map_err(|reason| self.failure(format!("core {end}: {reason}")))
    }

    /// One clock edge of everything; `send` is asked for the word of each core.
    fn clock_with(
        &mut self,
        cores: &mut [Core; 2],
        wires: &mut [Wire; 2],
        mut send: impl FnMut(usize, &mut Core) -> Option<LinkWord>,
    ) -> Result<(), Failure> {
        for end in 0..2 {
            let inputs = &mut self.inputs[end];
            inputs.wire = wires[end].step(self.outputs[1 - end].wire);
            inputs.tx = send(end, &mut cores[end]);
            inputs.rx_credit = cores[end].grant();
        }
        self.cycle += 1;
        for end in 0..2 {
            self.ends[end]
                .clock(&self.inputs[end], &mut self.outputs[end])
                .map_err(|failure| Failure {
                    cycle: self.cycle,
                    ..failure
                })?;
        }
        Ok(())
    }

    fn failure(&self, reason: String) -> Failure {
        Failure::new(self.cycle, FailureKind::Link, reason)
    }
}

fn cores(run: &Run) -> [Core; 2] {
    let script = |from: usize| {
        move |class: Class| stream(run.seed, &format!("words of {class} from core {from}"))
    };
    [0, 1].map(|end| {
        let rng = stream(run.seed, &format!("core {end}"));
        Core::new(&run.traffic, rng, script(end), script(1 - end))
    })
}

/// The wires, by the end that they lead to.
fn wires(errors: &LinkErrors) -> [Wire; 2] {
    [
        Wire::new(errors, 0, Way::Down),
        Wire::new(errors, 0, Way::Up),
    ]
}

fn unsettled(cores: &[Core; 2]) -> String {
    let held = |core: &Core| {
        let credits = core.credits();
        let (sent, received) = (core.sent, core.received);
        format!("{sent} words sent, {received} received, credits held {credits:?}")
    };
    format!(
        "the link has not settled {SETTLE_CYCLES} cycles after the last error: core 0: {}; core 1: \
         {}",
        held(&cores[0]),
        held(&cores[1])
    )
}
