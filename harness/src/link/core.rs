//! What stands in for the cores at both ends of a link: random packets in, and out again by class.

use crate::dut::{CLASSES, bits};
use flits::{Class, Flit, LinkWord};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;

/// How a core sends and takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Words of each class that a core's buffer holds.
    pub depth: u16,
    /// Cycles, of a thousand, in which a core that could send does so.
    pub send_permille: u16,
    /// Cycles, of a thousand, in which a core takes a word of each class out of its buffer.
    pub take_permille: u16,
    /// Classes that are sent, one bit each.
    pub classes: u8,
    /// Words of every packet; 0 stands for 1 to 17 at random.
    pub packet_words: u32,
}

impl Default for Traffic {
    fn default() -> Self {
        Traffic {
            depth: 16,
            send_permille: 1000,
            take_permille: 1000,
            classes: (1 << CLASSES) - 1,
            packet_words: 0,
        }
    }
}

/// The words of one class in one direction, in order; the receiver draws them again.
#[derive(Debug, Clone)]
struct Script {
    class: Class,
    packet_words: u32,
    rng: Pcg64Mcg,
    /// Words of the packet under way that are still to come.
    left: u32,
}

impl Script {
    fn next(&mut self) -> LinkWord {
        let head = self.left == 0;
        if head {
            self.left = match self.packet_words {
                0 => self.rng.random_range(1..=17),
                words => words,
            };
        }
        self.left -= 1;
        LinkWord {
            class: self.class,
            head,
            tail: self.left == 0,
            flit: Flit::from_u128(self.rng.random()),
        }
    }

    fn between_packets(&self) -> bool {
        self.left == 0
    }
}

/// One core.
#[derive(Debug)]
pub(super) struct Core {
    traffic: Traffic,
    rng: Pcg64Mcg,
    sends: Vec<Script>,
    expects: Vec<Script>,
    credits: [u16; CLASSES],
    buffers: [VecDeque<LinkWord>; CLASSES],
    /// Credits to grant, by class.
    owed: [u16; CLASSES],
    /// Words sent and words received.
    pub sent: u64,
    pub received: u64,
}

impl Core {
    /// A core that sends what `sends` draws and expects what `expects` draws, by class.
    pub fn new(
        traffic: &Traffic,
        rng: Pcg64Mcg,
        sends: impl Fn(Class) -> Pcg64Mcg,
        expects: impl Fn(Class) -> Pcg64Mcg,
    ) -> Core {
        let script = |class, rng| Script {
            class,
            packet_words: traffic.packet_words,
            rng,
            left: 0,
        };
        Core {
            rng,
            sends: Class::ALL.map(|class| script(class, sends(class))).into(),
            expects: Class::ALL.map(|class| script(class, expects(class))).into(),
            credits: [0; CLASSES],
            buffers: Default::default(),
            owed: [traffic.depth; CLASSES],
            sent: 0,
            received: 0,
            traffic: traffic.clone(),
        }
    }

    /// The word that the core sends in this cycle. With `finishing` only packets under way go on.
    pub fn send(&mut self, finishing: bool) -> Option<LinkWord> {
        if !finishing && !self.chance(self.traffic.send_permille) {
            return None;
        }
        let mut able = 0u8;
        for class in bits(self.traffic.classes) {
            let wanted = !finishing || !self.sends[class].between_packets();
            able |= u8::from(wanted && self.credits[class] != 0) << class;
        }
        if able == 0 {
            return None;
        }
        let turn = self.rng.random_range(0..able.count_ones()) as usize;
        let class = bits(able).nth(turn)?;
        self.credits[class] -= 1;
        self.sent += 1;
        Some(self.sends[class].next())
    }

    /// The credits that the core grants in this cycle, after taking words out of its buffers.
    pub fn grant(&mut self) -> u8 {
        let mut pulses = 0;
        for class in 0..CLASSES {
            if !self.buffers[class].is_empty() && self.chance(self.traffic.take_permille) {
                self.buffers[class].pop_front();
                self.owed[class] += 1;
            }
            if self.owed[class] != 0 {
                self.owed[class] -= 1;
                pulses |= 1 << class;
            }
        }
        pulses
    }

    /// A word from the link.
    ///
    /// # Errors
    /// It is not the next one of its class, or nobody granted a credit for it.
    pub fn receive(&mut self, word: &LinkWord) -> Result<(), String> {
        let class = word.class as usize;
        let expected = self.expects[class].next();
        if *word != expected {
            return Err(format!(
                "word {} is \"{word}\" and should be \"{expected}\"",
                self.received
            ));
        }
        self.received += 1;
        self.buffers[class].push_back(*word);
        if self.buffers[class].len() > usize::from(self.traffic.depth) {
            return Err(format!(
                "a word of {} came without a credit for it",
                word.class
            ));
        }
        Ok(())
    }

    /// Credits from the link.
    ///
    /// # Errors
    /// There are more than the other core has granted.
    pub fn credit(&mut self, pulses: u8) -> Result<(), String> {
        for class in bits(pulses) {
            self.credits[class] += 1;
            if self.credits[class] > self.traffic.depth {
                let class = Class::ALL[class];
                return Err(format!("a credit of {class} was told twice"));
            }
        }
        Ok(())
    }

    /// No packet is under way, and the core holds that many credits of each class: all words sent
    /// have been received and taken, and all credits for them have come back.
    pub fn settled(&self, credits: u16) -> bool {
        self.sends.iter().all(Script::between_packets) && self.credits == [credits; CLASSES]
    }

    /// The credits that the core holds, by class.
    pub fn credits(&self) -> &[u16; CLASSES] {
        &self.credits
    }

    fn chance(&mut self, permille: u16) -> bool {
        permille >= 1000 || self.rng.random_range(0..1000u16) < permille
    }
}
