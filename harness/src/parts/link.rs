//! A link alone: two ends, the wires between them, and what goes wrong there.
//!
//! Whatever happens on the wires, each core sees the words and credits of the other in order, once; or
//! both ends give the link up in bounded time, which they may only do where wires failed for long.

use super::sender::Sender;
use super::{Bench, Event, Ran, SETTLE_CYCLES, depth, no_reference, size, vcd_of};
use crate::dut::{CLASSES, Variant, bits};
use crate::link::{Cable, DEAD_BOUND, OUTAGE, verilated};
use crate::sim::Model;
use crate::{Failure, FailureKind};
use flits::stimulus::{LinkErrors, Stimulus};
use flits::{Class, LinkWord};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Credits of one class that an end lets its core hold.
const SHARE: u16 = 32;
/// The same of the link whose sequence numbers wrap all the time.
const TIGHT_SHARE: u16 = 1;
/// Cycles in which nothing more happens once everything has settled.
const QUIET_CYCLES: u64 = 40;

/// What an event is about.
#[derive(Clone, Copy)]
enum Kind {
    /// An end notices something, or goes up or down: what it was, what it notices, what the other is.
    End,
    /// A word on the wire: what it is for, and what the one before was.
    Wire,
    /// How many words are between the cores when something is noticed.
    Between,
    /// Credits of a class that a core holds.
    Credit,
}

/// A link and how it is to be run.
pub(super) struct Alone {
    cable: Cable,
    share: u16,
    trace: Option<(PathBuf, Option<Range<u64>>)>,
}

impl Alone {
    pub fn new(model: Model, variant: Variant) -> Result<Alone, Failure> {
        let (end, share): (fn(_) -> _, _) = match model {
            Model::Tight => (crate::link::tight, TIGHT_SHARE),
            Model::Rtl(_) => (verilated, SHARE),
            Model::Reference => return Err(no_reference()),
        };
        let ends = [end(variant)?, end(variant)?];
        Ok(Alone {
            cable: Cable::new(ends, 0, &LinkErrors::default()),
            share,
            trace: None,
        })
    }

    fn start(&mut self, errors: &LinkErrors) -> Result<(), Failure> {
        self.cable.reset(errors)?;
        match self.trace.take() {
            None => Ok(()),
            Some((path, window)) => {
                let paths = [0, 1].map(|end| vcd_of(&path, end));
                self.cable.trace_open([&paths[0], &paths[1]], window)
            }
        }
    }
}

impl Bench for Alone {
    fn run(&mut self, stimulus: &Stimulus, seen: &mut dyn FnMut(Event)) -> Ran {
        let errors = stimulus.config.link_errors.clone().unwrap_or_default();
        let mut run = Run {
            cores: [0, 1].map(|end| Core::new(stimulus, end)),
            share: self.share,
            cycle: 0,
            dead: [None; 2],
            before: Default::default(),
            seen,
        };
        let started = self.start(&errors);
        let done = started.and_then(|()| run.all(&mut self.cable, &errors));
        let closed = self.cable.trace_close();
        Ran {
            cycles: run.cycle,
            words: run.cores.iter().map(|core| core.received).sum(),
            failure: done.and(closed).err(),
        }
    }

    fn coverage(&self) -> Vec<u32> {
        self.cable.coverage()
    }

    fn trace(&mut self, path: &Path, window: Option<Range<u64>>) {
        self.trace = Some((path.to_path_buf(), window));
    }
}

/// The core at one end.
struct Core {
    sender: Sender,
    /// Words on their way to the other core, by class.
    sent: [VecDeque<LinkWord>; CLASSES],
    /// Words in its buffer, and credits that it has still to give, by class.
    held: [u16; CLASSES],
    owed: [u16; CLASSES],
    depth: u16,
    credits: [u16; CLASSES],
    received: u64,
}

impl Core {
    fn new(stimulus: &Stimulus, end: usize) -> Core {
        let depth = depth(&stimulus.config, end);
        Core {
            sender: Sender::new(stimulus, end),
            sent: Default::default(),
            held: [0; CLASSES],
            owed: [depth; CLASSES],
            depth,
            credits: [0; CLASSES],
            received: 0,
        }
    }

    /// Puts its word of this cycle, if it has any, on the way.
    fn send(&mut self, cycle: u64) -> Option<LinkWord> {
        let credits = &self.credits;
        let sent = self
            .sender
            .next(cycle, |class| credits[class as usize] != 0)?;
        let word = sent.word();
        self.credits[word.class as usize] -= 1;
        self.sent[word.class as usize].push_back(word);
        Some(word)
    }

    /// The credits that it gives in this cycle, after taking words out of its buffer.
    fn give(&mut self) -> u8 {
        let mut pulses = 0;
        let taken = self.sender.gives();
        for class in 0..CLASSES {
            if taken >> class & 1 != 0 && self.held[class] != 0 {
                self.held[class] -= 1;
                self.owed[class] += 1;
            }
            if self.owed[class] != 0 {
                self.owed[class] -= 1;
                pulses |= 1 << class;
            }
        }
        pulses
    }

    /// Words between it and the other core.
    fn between(&self) -> usize {
        self.sent.iter().map(VecDeque::len).sum()
    }
}

/// One run.
struct Run<'a> {
    cores: [Core; 2],
    share: u16,
    cycle: u64,
    /// When each end gave the link up.
    dead: [Option<u64>; 2],
    /// What each end was, and the word before on its wire.
    before: [(u64, u64); 2],
    seen: &'a mut dyn FnMut(Event),
}

impl Run<'_> {
    fn all(&mut self, cable: &mut Cable, errors: &LinkErrors) -> Result<(), Failure> {
        let cuts = errors.outages.iter().filter(|o| o.stuck_credit.is_none());
        let mut lengths = cuts
            .clone()
            .map(|o| o.to.map(|to| to.saturating_sub(o.from)));
        // Two outages in a row that are short enough must not kill a link.
        let sum = lengths.try_fold(0u64, |sum, length| sum.checked_add(length?));
        let may_die = sum.is_none_or(|sum| sum > 2 * OUTAGE);
        let cut = cuts.filter(|o| o.to.is_none()).map(|o| o.from).min();
        let ends = errors.outages.iter().filter_map(|outage| outage.to);
        let hits = errors.hits.iter().map(|hit| hit.from);
        let last_due = self.cores.iter().map(|core| core.sender.last_due());
        let calm = ends.chain(hits).chain(last_due).max().unwrap_or(0);
        let mut quiet = 0;
        while quiet < QUIET_CYCLES || cut.is_some() {
            if cut.is_none() && self.cycle == calm + 1 {
                cable.heal();
            }
            self.clock(cable)?;
            match (self.dead, may_die) {
                ([Some(_), Some(_)], true) => return Ok(()),
                ([None, None], _) => {}
                (_, true) => {}
                (_, false) => {
                    return Err(self.fail("the link is given up, and nothing was wrong for long"));
                }
            }
            let first = self.dead.into_iter().flatten().min();
            let bound = cut.into_iter().chain(first).min();
            if bound.is_some_and(|from| self.cycle > from + DEAD_BOUND) {
                let lives = self.dead.iter().position(Option::is_none).unwrap_or(0);
                let text = format!("end {lives} of a cut link lives after {DEAD_BOUND} cycles");
                return Err(self.fail(&text));
            }
            quiet = if self.settled() { quiet + 1 } else { 0 };
            if cut.is_none() && first.is_none() && self.cycle > calm + SETTLE_CYCLES {
                return Err(self.unsettled());
            }
        }
        Ok(())
    }

    fn clock(&mut self, cable: &mut Cable) -> Result<(), Failure> {
        for (end, core) in self.cores.iter_mut().enumerate() {
            let pins = cable.takes(end);
            pins.tx = core.send(self.cycle);
            pins.rx_credit = core.give();
        }
        self.cycle += 1;
        cable.clock().map_err(|failure| Failure {
            cycle: self.cycle,
            ..failure
        })?;
        for end in 0..2 {
            self.note(cable, end);
            if cable.shows(end).dead {
                self.dead[end].get_or_insert(self.cycle);
            } else {
                self.take(cable, end)?;
            }
        }
        Ok(())
    }

    /// Hands what an end shows to its core.
    fn take(&mut self, cable: &Cable, end: usize) -> Result<(), Failure> {
        let shows = cable.shows(end);
        if let Some(word) = &shows.rx {
            let class = word.class as usize;
            let expected = self.cores[1 - end].sent[class].pop_front();
            if expected.as_ref() != Some(word) {
                let expected = expected.map_or("nothing".into(), |word| format!("\"{word}\""));
                let text = format!("core {end} gets \"{word}\" and should get {expected}");
                return Err(self.fail(&text));
            }
            let core = &mut self.cores[end];
            core.received += 1;
            core.held[class] += 1;
            if core.held[class] > core.depth {
                let text = format!("core {end} gets a word of {} without a credit", word.class);
                return Err(self.fail(&text));
            }
        }
        for class in bits(shows.tx_credit) {
            let most = self.cores[1 - end].depth;
            let credits = &mut self.cores[end].credits[class];
            *credits += 1;
            let held = *credits;
            (self.seen)([Kind::Credit as u64, class as u64, size(held.into()), 0]);
            if held > most {
                let class = Class::ALL[class];
                return Err(self.fail(&format!("core {end} is told a credit of {class} twice")));
            }
        }
        Ok(())
    }

    /// All words have been received and taken, and all credits for them have come back.
    fn settled(&self) -> bool {
        self.cores.iter().enumerate().all(|(end, core)| {
            let credits = self.cores[1 - end].depth.min(self.share);
            core.sender.is_done() && core.between() == 0 && core.credits == [credits; CLASSES]
        })
    }

    fn note(&mut self, cable: &Cable, end: usize) {
        let state = |end: usize| {
            let shows = cable.shows(end);
            u64::from(shows.up) | u64::from(shows.dead) << 1
        };
        let shows = cable.shows(end);
        let noticed = u64::from(shows.events.bits());
        let (was, word) = self.before[end];
        let now = state(end) | noticed << 2;
        if noticed != 0 || was & 3 != now & 3 {
            let other = state(1 - end) | (self.before[1 - end].0 >> 2) << 2;
            (self.seen)([Kind::End as u64, was, now, other]);
            let between = self
                .cores
                .each_ref()
                .map(|core| size(core.between() as u64));
            (self.seen)([Kind::Between as u64, now, between[end], between[1 - end]]);
        }
        let next = match shows.wire.valid() {
            true => 1 + shows.wire.kind().number(),
            false => 0,
        };
        if next != word {
            (self.seen)([Kind::Wire as u64, word, next, state(end)]);
        }
        self.before[end] = (now, next);
    }

    fn unsettled(&self) -> Failure {
        let cores = self.cores.each_ref().map(|core| {
            let (between, credits) = (core.between(), core.credits);
            format!("{between} words on their way, credits held {credits:?}")
        });
        let text = format!(
            "the link has not settled {SETTLE_CYCLES} cycles after the last packet and error: from \
             core 0 {}; from core 1 {}",
            cores[0], cores[1]
        );
        Failure::new(self.cycle, FailureKind::Progress, text)
    }

    fn fail(&self, text: &str) -> Failure {
        Failure::new(self.cycle, FailureKind::Link, text)
    }
}
