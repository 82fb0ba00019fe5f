//! A home of the RTL on its link, beside the specification.

use super::alone::numbering;
use crate::check::conformance::Conformance;
use crate::dut::bits;
use crate::dut::{CLASSES, HOME_PORTS, HomeInputs, HomeOutputs, HomeSlice, HomeView, PortAnswer};
use crate::protocol::pairs::Pairs;
use crate::{Failure, FailureKind};
use flits::{Assembler, LinkWord, NodeId, Packet};
use std::collections::VecDeque;

/// Words of each class that the home may send before one is taken.
const DEPTH: u8 = 8;
/// Cycles without a sign of the home after which it waits for something.
const SETTLED: u64 = 10;

/// A home, and what is on its way to its pins.
pub(super) struct Slice {
    pub(super) home: Box<dyn HomeSlice>,
    inputs: HomeInputs,
    outputs: HomeOutputs,
    view: HomeView,
    conformance: Conformance,
    /// On the home's link, by class, and at the ports.
    words: [VecDeque<LinkWord>; CLASSES],
    answers: [VecDeque<PortAnswer>; HOME_PORTS],
    /// The class that has sent last.
    turn: usize,
    /// For words to the home; how many there are when it is idle; and those that it has coming.
    credits: [u8; CLASSES],
    all_credits: [u8; CLASSES],
    owed: [u8; CLASSES],
    /// Cycles between two returns of credits to the home.
    pace: u64,
    assembler: Assembler,
    /// The packet of the last cycle: nobody answers it before the view has shown it.
    left: Option<Packet>,
    /// Something was sent that the home must drop.
    strayed: bool,
    cycle: u64,
    /// When a word came last.
    last_word: u64,
    /// Cycles since the last sign of the home.
    idle: u64,
}

fn conformance() -> Conformance {
    Conformance::new(numbering(), std::iter::empty())
}

impl Slice {
    /// A home after reset, whose MEM packets go to `memory`.
    pub(super) fn new(home: Box<dyn HomeSlice>, memory: NodeId) -> Result<Slice, Failure> {
        let mut slice = Slice {
            home,
            inputs: HomeInputs {
                memory,
                ..HomeInputs::default()
            },
            outputs: HomeOutputs::default(),
            view: HomeView::default(),
            conformance: conformance(),
            words: Default::default(),
            answers: Default::default(),
            turn: 0,
            credits: [0; CLASSES],
            all_credits: [0; CLASSES],
            owed: [0; CLASSES],
            pace: 1,
            assembler: Assembler::new(),
            left: None,
            strayed: false,
            cycle: 0,
            last_word: 0,
            idle: 0,
        };
        slice.restart(1)?;
        Ok(slice)
    }

    /// Resets the home; credits come back to it `pace` cycles apart.
    pub(super) fn restart(&mut self, pace: u64) -> Result<(), Failure> {
        self.home.reset()?;
        self.conformance = conformance();
        (self.words, self.answers) = Default::default();
        (self.credits, self.owed) = ([0; CLASSES], [DEPTH; CLASSES]);
        (self.turn, self.strayed, self.left) = Default::default();
        (self.cycle, self.last_word, self.idle) = Default::default();
        (self.pace, self.assembler) = (1, Assembler::new());
        // Until all credits are there.
        for _ in 0..2 * DEPTH + 8 {
            self.cycle()?;
        }
        (self.all_credits, self.pace) = (self.credits, pace);
        Ok(())
    }

    /// Clock cycles since the reset.
    pub(super) fn cycles(&self) -> u64 {
        self.cycle
    }

    /// The pairs that were met since the reset.
    pub(super) fn pairs(&self) -> Pairs {
        self.conformance.pairs()
    }

    /// Coverage counters of the model.
    pub(super) fn coverage(&self) -> &[u32] {
        self.home.coverage()
    }

    /// A packet comes on the link.
    pub(super) fn push(&mut self, packet: &Packet) {
        self.words[packet.header.class() as usize].extend(packet.words());
    }

    /// An answer comes at a port.
    pub(super) fn answer(&mut self, port: usize, answer: PortAnswer) {
        self.answers[port].push_back(answer);
    }

    /// An answer comes at a port that the home must drop.
    pub(super) fn stray(&mut self, port: usize, answer: PortAnswer) {
        self.strayed = true;
        self.answer(port, answer);
    }

    /// Whether what comes at a port is there in the next cycle.
    pub(super) fn is_free(&self, port: usize) -> bool {
        self.answers[port].is_empty()
    }

    /// Whether the home has worked off every word of its link, and has sent nothing just now.
    pub(super) fn is_still(&self) -> bool {
        self.left.is_none()
            && self.words.iter().all(VecDeque::is_empty)
            && self.cycle >= self.last_word + SETTLED
    }

    /// Whether the home took or did something in the last cycle.
    pub(super) fn acted(&self) -> bool {
        self.idle == 0
    }

    /// Whether the home has taken everything and does nothing more by itself, not even when it gets
    /// credits.
    pub(super) fn waits(&self) -> bool {
        self.idle >= SETTLED
            && self.owed == [0; CLASSES]
            && self.words.iter().all(VecDeque::is_empty)
            && self.answers.iter().all(VecDeque::is_empty)
    }

    /// One clock cycle; the packet that the home had sent with the one before.
    pub(super) fn cycle(&mut self) -> Result<Option<Packet>, Failure> {
        self.cycle += 1;
        let ready = |&class: &usize| self.credits[class] > 0 && !self.words[class].is_empty();
        let mut turns = (1..=CLASSES).map(|after| (self.turn + after) % CLASSES);
        let next = turns.find(ready);
        self.inputs.rx = None;
        if let Some(class) = next {
            (self.turn, self.last_word) = (class, self.cycle);
            self.credits[class] -= 1;
            self.inputs.rx = self.words[class].pop_front();
        }
        for (pin, queue) in self.inputs.answers.iter_mut().zip(&mut self.answers) {
            *pin = queue.pop_front();
        }
        self.inputs.tx_credit = 0;
        if self.cycle.is_multiple_of(self.pace) {
            for (class, owed) in self.owed.iter_mut().enumerate() {
                self.inputs.tx_credit |= u8::from(*owed > 0) << class;
                *owed = owed.saturating_sub(1);
            }
        }
        let clocked = self.home.clock(&self.inputs, &mut self.outputs);
        clocked.map_err(|failure| Failure {
            cycle: self.cycle,
            ..failure
        })?;
        bits(self.outputs.rx_credit).for_each(|class| self.credits[class] += 1);
        self.idle += 1;
        if self.home.view(&mut self.view) {
            self.idle = 0;
            let verdict = self.conformance.edge(0, 0, &self.view);
            verdict.map_err(|found| found.at(self.cycle))?;
        }
        if self.outputs.dropped && !self.strayed {
            let text = "the home drops what it was sent, and waits for it";
            return Err(Failure::new(self.cycle, FailureKind::Protocol, text));
        }
        let left = self.left.take();
        if let Some(word) = self.outputs.tx.take() {
            self.owed[word.class as usize] += 1;
            self.left = self.assembler.push(word).map_err(|error| {
                Failure::new(self.cycle, FailureKind::Link, format!("home: {error}"))
            })?;
        }
        Ok(left)
    }

    /// The run is over: nothing is due, and all credits are back.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let verdict = self.conformance.end();
        verdict.map_err(|found| found.at(self.cycle))?;
        match self.credits == self.all_credits {
            true => Ok(()),
            false => {
                let (now, all) = (self.credits, self.all_credits);
                let text = format!("the home is idle and has given {now:?} of {all:?} credits");
                Err(Failure::new(self.cycle, FailureKind::Link, text))
            }
        }
    }
}
