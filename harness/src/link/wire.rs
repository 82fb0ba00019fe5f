//! One direction of a cable, and what goes wrong on it.

use super::word::{BITS, WireWord};
use crate::sim::stream;
use flits::stimulus::{Hit, LinkErrors, Outage, Way, WordError};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;
use std::ops::AddAssign;

/// What has gone wrong on a wire so far, in words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WireStats {
    /// Words sent.
    pub words: u64,
    /// Words with flipped bits, bursts included.
    pub corrupted: u64,
    /// Words that vanished: lost, cut off, or overwritten by a repeated one.
    pub lost: u64,
    /// Words that came twice.
    pub repeated: u64,
    /// Words that changed places.
    pub displaced: u64,
}

impl AddAssign for WireStats {
    fn add_assign(&mut self, other: WireStats) {
        self.words += other.words;
        self.corrupted += other.corrupted;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.displaced += other.displaced;
    }
}

/// A wire: a word goes in each cycle, and one comes out `delay` cycles later.
#[derive(Debug, Clone)]
pub struct Wire {
    errors: LinkErrors,
    /// Any of the rates is not zero.
    rates: bool,
    rng: Pcg64Mcg,
    outages: Vec<Outage>,
    /// Hits that are still to come.
    hits: VecDeque<Hit>,
    /// The counts of credits that are told while they are stuck, by outage.
    stuck: Vec<Option<u16>>,
    cycle: u64,
    /// Words on their way, the next to arrive in front.
    line: VecDeque<WireWord>,
    /// A word that comes again.
    again: Option<WireWord>,
    stats: WireStats,
}

impl Wire {
    /// The wire of cable number `cable` in one direction.
    pub fn new(errors: &LinkErrors, cable: usize, way: Way) -> Wire {
        let outages: Vec<_> = (errors.outages.iter().copied())
            .filter(|outage| outage.is_on(cable, way))
            .collect();
        let hits: VecDeque<_> = (errors.hits.iter())
            .filter(|hit| hit.is_on(cable, way))
            .cloned()
            .collect();
        let drawn = if errors.displaced_ppm == 0 {
            0
        } else {
            errors.displaced_words.max(1)
        };
        let spare = (hits.iter().map(Hit::displaced)).fold(drawn, u32::max);
        Wire {
            rates: errors.flipped_ppm != 0
                || errors.burst_ppm != 0
                || errors.lost_ppm != 0
                || errors.repeated_ppm != 0
                || errors.displaced_ppm != 0,
            rng: stream(errors.seed, &format!("wire {cable} {way:?}")),
            stuck: vec![None; outages.len()],
            outages,
            hits,
            cycle: 0,
            line: VecDeque::from(vec![WireWord::default(); (errors.delay + spare) as usize]),
            again: None,
            stats: WireStats::default(),
            errors: errors.clone(),
        }
    }

    /// Nothing goes wrong from now on.
    pub fn heal(&mut self) {
        self.rates = false;
        self.outages.clear();
        self.hits.clear();
        self.again = None;
    }

    /// What has gone wrong so far.
    pub fn stats(&self) -> &WireStats {
        &self.stats
    }

    /// Counts from zero again.
    pub fn forget_stats(&mut self) {
        self.stats = WireStats::default();
    }

    /// One cycle: what goes in, and what comes out.
    pub fn step(&mut self, word: WireWord) -> WireWord {
        self.stats.words += u64::from(word.valid());
        let mut word = word;
        if word.valid() && !self.outages.is_empty() {
            word = self.fail(word);
        }
        if let Some(copy) = self.again.take() {
            self.stats.lost += u64::from(word.valid());
            word = copy;
        } else if word.valid()
            && let Some(error) = self.due().or_else(|| self.drawn())
        {
            word = self.strike(word, error);
        }
        self.cycle += 1;
        if self.line.is_empty() {
            return word;
        }
        self.line.push_back(word);
        self.line.pop_front().unwrap_or_default()
    }

    /// The word as outages let it through.
    fn fail(&mut self, mut word: WireWord) -> WireWord {
        for (outage, stuck) in self.outages.iter().zip(&mut self.stuck) {
            let holds = outage.holds(self.cycle);
            match outage.stuck_credit {
                None if holds => {
                    self.stats.lost += 1;
                    return WireWord::default();
                }
                None => {}
                Some(class) => match *stuck {
                    Some(count) if holds => word = word.with_count(class, count),
                    _ => *stuck = word.count(class).or(*stuck),
                },
            }
        }
        word
    }

    /// The hit whose turn it is.
    fn due(&mut self) -> Option<WordError> {
        let cycle = self.cycle;
        let hit = self.hits.pop_front_if(|hit| hit.from <= cycle)?;
        Some(hit.error)
    }

    /// What the rates do to a word, if anything.
    fn drawn(&mut self) -> Option<WordError> {
        if !self.rates {
            return None;
        }
        let Wire { errors, rng, .. } = self;
        let mut draw = rng.random_range(0..1_000_000u32);
        let mut drawn = |ppm: u32| {
            let hit = draw < ppm;
            draw = if hit { u32::MAX } else { draw - ppm };
            hit
        };
        if drawn(errors.flipped_ppm) {
            let count = rng.random_range(1..=errors.flipped_bits.max(1));
            let bits = (0..count).map(|_| rng.random_range(0..BITS)).collect();
            Some(WordError::Flipped(bits))
        } else if drawn(errors.burst_ppm) {
            let length = rng.random_range(1..=errors.burst_bits.max(1));
            // Bursts are on the bits of the code; `valid` is not one of them.
            let first = rng.random_range(0..BITS - length);
            let mut bits = vec![first];
            bits.extend(
                (first + 1..first + length)
                    .filter(|&bit| bit == first + length - 1 || rng.random()),
            );
            Some(WordError::Flipped(bits))
        } else if drawn(errors.lost_ppm) {
            Some(WordError::Lost)
        } else if drawn(errors.repeated_ppm) {
            Some(WordError::Repeated)
        } else if drawn(errors.displaced_ppm) {
            let most = errors.displaced_words.max(1);
            Some(WordError::Displaced(rng.random_range(1..=most)))
        } else {
            None
        }
    }

    /// The word as an error lets it through.
    fn strike(&mut self, mut word: WireWord, error: WordError) -> WireWord {
        match error {
            WordError::Flipped(bits) => {
                self.stats.corrupted += 1;
                bits.into_iter().for_each(|bit| word.flip(bit % BITS));
            }
            WordError::Lost => {
                self.stats.lost += 1;
                word = WireWord::default();
            }
            WordError::Repeated => {
                self.stats.repeated += 1;
                self.again = Some(word);
            }
            WordError::Displaced(words) => {
                self.stats.displaced += 1;
                let earlier = self.line.len() - words as usize;
                std::mem::swap(&mut word, &mut self.line[earlier]);
            }
        }
        word
    }
}
