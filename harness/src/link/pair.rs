//! Two link ends and the cable between them, with a core at each end that checks what arrives.

use super::cable::{Cable, CableCounts};
use super::core::{Core, Traffic};
use super::end::{self, LinkEnd};
use crate::dut::Variant;
use crate::sim::stream;
use crate::{Failure, FailureKind};
use flits::stimulus::LinkErrors;
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

/// What a run counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Cycles, in each of which each of the two wires could carry a word.
    pub cycles: u64,
    /// What happened in them.
    pub cable: CableCounts,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.cycles += other.cycles;
        self.cable += other.cable;
    }
}

/// Two link ends.
pub struct Pair {
    cable: Cable,
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
            cable: Cable::new(ends, 0, &LinkErrors::default()),
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
        self.reset(&run.errors)?;
        let mut cores = cores(run);
        while self.cycle < run.cycles {
            if self.cycle == run.warmup {
                self.cable.forget_counts();
            }
            self.step(&mut cores, false)?;
        }
        let counts = Counts {
            cycles: run.cycles - run.warmup,
            cable: self.cable.counts(),
        };
        self.cable.heal();
        let credits = run.traffic.depth.min(self.share);
        let mut quiet = 0;
        while quiet < QUIET_CYCLES {
            if self.cycle == run.cycles + SETTLE_CYCLES {
                return Err(self.failure(unsettled(&cores)));
            }
            self.step(&mut cores, true)?;
            let settled = (0..2).all(|end| {
                cores[end].settled(credits) && cores[end].sent == cores[1 - end].received
            });
            quiet = if settled { quiet + 1 } else { 0 };
        }
        Ok(counts)
    }

    /// Resets both ends and runs, with errors, until both have given the link up; the cycle of each
    /// is returned, or `None` if it did not within `limit` cycles.
    ///
    /// # Errors
    /// What arrived until then was wrong; an assertion of the model fires.
    pub fn run_until_dead(&mut self, run: &Run, limit: u64) -> Result<[Option<u64>; 2], Failure> {
        self.reset(&run.errors)?;
        let mut cores = cores(run);
        let mut dead = [None; 2];
        while self.cycle < limit && dead.contains(&None) {
            self.clock_with(&mut cores, |_, core| core.send(false))?;
            for (end, cycle) in dead.iter_mut().enumerate() {
                if self.cable.shows(end).dead {
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
        self.reset(&run.errors)?;
        let mut cores = cores(&run);
        let mut sent = 0;
        while self.cycle < SETTLE_CYCLES {
            // Nothing is sent but one word of the first core, when the link is at rest.
            let sends = self.cycle == TRAINED;
            self.clock_with(&mut cores, |end, core| {
                (sends && end == 0).then(|| core.send(false)).flatten()
            })?;
            if sends {
                sent = self.cycle;
            }
            (0..2).try_for_each(|end| self.check_end(&mut cores, end))?;
            if self.cable.shows(1).rx.is_some() {
                // The word was on the pins before the edge that ended cycle `sent`.
                return Ok(self.cycle - sent + 1);
            }
        }
        Err(self.failure("the word does not arrive".to_owned()))
    }

    fn reset(&mut self, errors: &LinkErrors) -> Result<(), Failure> {
        self.cycle = 0;
        self.cable.reset(errors)
    }

    /// One cycle of a link that has to live.
    fn step(&mut self, cores: &mut [Core; 2], finishing: bool) -> Result<(), Failure> {
        self.clock_with(cores, |_, core| core.send(finishing))?;
        for end in 0..2 {
            if self.cable.shows(end).dead {
                return Err(self.failure(format!("end {end} has given the link up")));
            }
            self.check_end(cores, end)?;
        }
        Ok(())
    }

    /// Hands the outputs of an end to its core.
    fn check_end(&self, cores: &mut [Core; 2], end: usize) -> Result<(), Failure> {
        let outputs = self.cable.shows(end);
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
        mut send: impl FnMut(usize, &mut Core) -> Option<LinkWord>,
    ) -> Result<(), Failure> {
        for (end, core) in cores.iter_mut().enumerate() {
            let pins = self.cable.takes(end);
            pins.tx = send(end, core);
            pins.rx_credit = core.grant();
        }
        self.cycle += 1;
        self.cable.clock().map_err(|failure| Failure {
            cycle: self.cycle,
            ..failure
        })
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
