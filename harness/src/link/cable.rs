//! A cable: two link ends and the wires between them.

use super::end::{EndInputs, EndOutputs, LinkEnd};
use super::wire::{Wire, WireStats};
use crate::Failure;
use crate::check::coverage::links;
use flits::stimulus::{LinkErrors, Way};
use std::ops::{AddAssign, Range};
use std::{fmt, path::Path};

/// Two link ends and the wires between them. End 0 is the node's, or that of the first switch.
pub struct Cable {
    ends: [Box<dyn LinkEnd>; 2],
    /// By the end that they lead to.
    wires: [Wire; 2],
    number: usize,
    inputs: [EndInputs; 2],
    outputs: [EndOutputs; 2],
    /// Words and credits that have gone in at an end and not come out at the other yet.
    words: [u64; 2],
    credits: [u64; 2],
    counts: CableCounts,
    /// Functional coverage, where it is on.
    coverage: Option<Box<links::Cable>>,
}

/// What happened on a cable, both directions together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CableCounts {
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
    /// Times that an end lost the link and trained it again.
    pub retrainings: u64,
}

impl AddAssign for CableCounts {
    fn add_assign(&mut self, other: CableCounts) {
        self.delivered += other.delivered;
        self.wire += other.wire;
        self.crc_errors += other.crc_errors;
        self.replays += other.replays;
        self.timeouts += other.timeouts;
        self.retrainings += other.retrainings;
    }
}

impl fmt::Display for CableCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = &self.wire;
        write!(
            f,
            "{} words on the wires, of them {} corrupted, {} lost, {} repeated, {} displaced; {} \
             replays, {} of them after a timeout, {} retrainings",
            wire.words,
            wire.corrupted,
            wire.lost,
            wire.repeated,
            wire.displaced,
            self.replays,
            self.timeouts,
            self.retrainings
        )
    }
}

impl Cable {
    /// The cable of that number, on which these errors happen. It has to be reset before use.
    pub fn new(ends: [Box<dyn LinkEnd>; 2], number: usize, errors: &LinkErrors) -> Cable {
        Cable {
            ends,
            wires: wires(number, errors),
            number,
            inputs: Default::default(),
            outputs: Default::default(),
            words: [0; 2],
            credits: [0; 2],
            counts: CableCounts::default(),
            coverage: links::Cable::new(),
        }
    }

    /// Resets both ends and takes new wires, on which these errors happen.
    ///
    /// # Errors
    /// If an assertion of a model fires.
    pub fn reset(&mut self, errors: &LinkErrors) -> Result<(), Failure> {
        self.ends.iter_mut().try_for_each(|end| end.reset())?;
        self.wires = wires(self.number, errors);
        self.inputs = Default::default();
        self.outputs = Default::default();
        (self.words, self.credits) = ([0; 2], [0; 2]);
        self.counts = CableCounts::default();
        self.coverage = links::Cable::new();
        Ok(())
    }

    /// What the core at an end puts on its pins for the next clock edge.
    pub fn takes(&mut self, end: usize) -> &mut EndInputs {
        &mut self.inputs[end]
    }

    /// What an end shows since the last clock edge.
    pub fn shows(&self, end: usize) -> &EndOutputs {
        &self.outputs[end]
    }

    /// One clock edge.
    ///
    /// # Errors
    /// If an assertion of a model fires.
    pub fn clock(&mut self) -> Result<(), Failure> {
        for end in 0..2 {
            let inputs = &mut self.inputs[end];
            inputs.wire = self.wires[end].step(self.outputs[1 - end].wire);
            self.words[end] += u64::from(inputs.tx.is_some());
            self.credits[end] += u64::from(inputs.rx_credit.count_ones());
        }
        for end in 0..2 {
            let outputs = &mut self.outputs[end];
            self.ends[end].clock(&self.inputs[end], outputs)?;
            self.words[1 - end] -= u64::from(outputs.rx.is_some() && !outputs.dead);
            self.credits[1 - end] -= u64::from(outputs.tx_credit.count_ones());
            self.counts.delivered += u64::from(outputs.rx.is_some());
            self.counts.crc_errors += u64::from(outputs.events.crc_error());
            self.counts.replays += u64::from(outputs.events.replay());
            self.counts.timeouts += u64::from(outputs.events.timeout());
            self.counts.retrainings += u64::from(outputs.events.retrain());
        }
        if let Some(coverage) = &mut self.coverage {
            let stats = self.wires.each_ref().map(Wire::stats);
            coverage.step(stats, self.outputs.each_ref());
        }
        Ok(())
    }

    /// Coverage counters of both ends together; empty where none are compiled in.
    pub fn coverage(&self) -> Vec<u32> {
        let [a, b] = self.ends.each_ref().map(|end| end.coverage());
        a.iter().zip(b).map(|(a, b)| a.wrapping_add(*b)).collect()
    }

    /// Writes a VCD file of each end from now on; with a window, only of those cycles from now.
    ///
    /// # Errors
    /// If the variant has no waves or a file cannot be written.
    pub fn trace_open(
        &mut self,
        paths: [&Path; 2],
        window: Option<Range<u64>>,
    ) -> Result<(), Failure> {
        (self.ends.iter_mut().zip(paths))
            .try_for_each(|(end, path)| end.trace_open(path, window.clone()))
    }

    /// Ends the VCD files.
    ///
    /// # Errors
    /// If a file could not be written.
    pub fn trace_close(&mut self) -> Result<(), Failure> {
        (self.ends.iter_mut()).try_for_each(|end| end.trace_close())
    }

    /// Nothing goes wrong on the wires from now on.
    pub fn heal(&mut self) {
        self.wires.iter_mut().for_each(Wire::heal);
    }

    /// Whether everything that has gone in at an end has come out at the other, or never will.
    pub fn is_quiet(&self) -> bool {
        self.dead() || (self.words == [0; 2] && self.credits == [0; 2])
    }

    /// Whether both ends have given the link up.
    pub fn dead(&self) -> bool {
        self.outputs.iter().all(|outputs| outputs.dead)
    }

    /// What has happened since the reset, or since the counts were forgotten.
    pub fn counts(&self) -> CableCounts {
        let mut counts = self.counts;
        for wire in &self.wires {
            counts.wire += *wire.stats();
        }
        counts
    }

    /// Counts from zero again.
    pub fn forget_counts(&mut self) {
        self.counts = CableCounts::default();
        self.wires.iter_mut().for_each(Wire::forget_stats);
    }
}

fn wires(number: usize, errors: &LinkErrors) -> [Wire; 2] {
    [Way::Down, Way::Up].map(|way| Wire::new(errors, number, way))
}
