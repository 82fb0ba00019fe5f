//! What goes wrong on the wires of links.

use crate::Class;
use serde::{Deserialize, Serialize};

/// Length and errors of the wires. Rates are in millionths of the words on a wire; which words are
/// hit is drawn from the seed, the wire's number and its direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkErrors {
    /// Decides which words are hit.
    pub seed: u64,
    /// Cycles that a word takes beyond the registers at both ends.
    pub delay: u32,
    /// Words in which single bits are flipped.
    pub flipped_ppm: u32,
    /// The most bits that are flipped in one word; 0 stands for 1.
    pub flipped_bits: u32,
    /// Words hit by a burst: neighbouring bits, of which the first and the last are flipped and
    /// each other one or not.
    pub burst_ppm: u32,
    /// The most bits from the first to the last of a burst; 0 stands for 1.
    pub burst_bits: u32,
    /// Words that vanish.
    pub lost_ppm: u32,
    /// Words that come a second time, in place of whatever comes next.
    pub repeated_ppm: u32,
    /// Words that change places with one before them.
    pub displaced_ppm: u32,
    /// The most cycles between the two; 0 stands for 1. A wire that displaces is longer by that.
    pub displaced_words: u32,
    /// Times in which wires fail as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// Words that are hit whatever the rates are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hits: Vec<Hit>,
}

/// A word that is hit: the first on the wire from a cycle on, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hit {
    /// Number of the cable, as in [`Outage`]; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cable: Option<usize>,
    /// Direction; `None` is both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The first cycle.
    pub from: u64,
    /// What happens to the word.
    pub error: WordError,
}

/// What can happen to a word on a wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordError {
    /// These bits are flipped; a number beyond the word comes round again.
    Flipped(Vec<u32>),
    /// It vanishes.
    Lost,
    /// It comes a second time, in place of whatever comes next.
    Repeated,
    /// It changes places with the word so many cycles before it. The wire is longer by the most.
    Displaced(u32),
}

/// A wire that fails for a time: nothing arrives, or the credits of one class are stuck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// The class of which words tell the same count of credits as before, whatever has been granted
    /// meanwhile; `None` cuts the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck_credit: Option<Class>,
    /// Number of the cable: that of the node's port, then those between switches; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cable: Option<usize>,
    /// Direction; `None` is both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The first cycle.
    pub from: u64,
    /// The first cycle after it; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// A direction of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the node to its switch, or from the first switch of a cable to the second.
    Up,
    /// Back.
    Down,
}

impl Hit {
    /// Whether it is on that wire.
    pub fn is_on(&self, cable: usize, way: Way) -> bool {
        self.cable.is_none_or(|c| c == cable) && self.way.is_none_or(|w| w == way)
    }

    /// How far the word is displaced.
    pub fn displaced(&self) -> u32 {
        match self.error {
            WordError::Displaced(words) => words,
            _ => 0,
        }
    }

    fn check(&self) -> Result<(), String> {
        match &self.error {
            WordError::Flipped(bits) if bits.is_empty() || bits.len() > MAX_FLIPPED as usize => {
                Err(format!(
                    "flips {} bits, and can flip 1 to {MAX_FLIPPED}",
                    bits.len()
                ))
            }
            WordError::Displaced(0) => Err("displaces a word by nothing".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Outage {
    /// Whether it is on that wire.
    pub fn is_on(&self, cable: usize, way: Way) -> bool {
        self.cable.is_none_or(|c| c == cable) && self.way.is_none_or(|w| w == way)
    }

    /// Whether it holds in that cycle.
    pub fn holds(&self, cycle: u64) -> bool {
        self.from <= cycle && self.to.is_none_or(|to| cycle < to)
    }
}

/// The longest burst, in bits, that the CRC of a link finds for certain.
pub const MAX_BURST: u32 = 24;
/// The most flipped bits in one word that the CRC of a link finds for certain.
pub const MAX_FLIPPED: u32 = 6;
/// The farthest that a word may be displaced; a link takes older words for new ones.
pub const MAX_DISPLACED: u32 = 32;
/// The longest wire, in cycles.
pub const MAX_DELAY: u32 = 64;

impl LinkErrors {
    /// Errors of every kind: that share of the words, in millionths, is hit by one.
    pub fn mixed(ppm: u32, seed: u64) -> LinkErrors {
        let share = ppm / 5;
        LinkErrors {
            seed,
            flipped_ppm: ppm - 4 * share,
            flipped_bits: 4,
            burst_ppm: share,
            burst_bits: MAX_BURST,
            lost_ppm: share,
            repeated_ppm: share,
            displaced_ppm: share,
            displaced_words: 4,
            ..LinkErrors::default()
        }
    }

    /// Whether credits are stuck for ever, so that words wait without end on a link that lives.
    pub(super) fn never_moves(&self) -> bool {
        let stuck = |outage: &Outage| outage.stuck_credit.is_some() && outage.to.is_none();
        self.outages.iter().any(stuck)
    }

    /// Checks the figures.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong.
    pub fn check(&self) -> Result<(), String> {
        let limits = [
            ("flipped_bits", self.flipped_bits, MAX_FLIPPED),
            ("burst_bits", self.burst_bits, MAX_BURST),
            ("displaced_words", self.displaced_words, MAX_DISPLACED),
            ("delay", self.delay, MAX_DELAY),
        ];
        if let Some((name, value, most)) = limits.into_iter().find(|(_, v, most)| v > most) {
            return Err(format!("link_errors: {name} is {value}, at most {most}"));
        }
        let hit = [
            self.flipped_ppm,
            self.burst_ppm,
            self.lost_ppm,
            self.repeated_ppm,
            self.displaced_ppm,
        ];
        if hit.into_iter().map(u64::from).sum::<u64>() > 1_000_000 {
            return Err("link_errors: the rates add up to more than 1000000".to_owned());
        }
        // A word may be displaced again and again.
        let displaced: u64 = self.hits.iter().map(|hit| u64::from(hit.displaced())).sum();
        if displaced > MAX_DISPLACED.into() {
            return Err(format!(
                "link_errors: hits displace words by {displaced} in all, at most {MAX_DISPLACED}"
            ));
        }
        (self.hits.iter().enumerate()).try_for_each(|(index, hit)| {
            hit.check()
                .map_err(|reason| format!("link_errors: hit {index} {reason}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_only_what_it_means() {
        let errors: LinkErrors = serde_json::from_str(
            r#"{"lost_ppm":7,"outages":[{"cable":2,"way":"up","from":10,"to":20},
                {"stuck_credit":"Dat","from":5}]}"#,
        )
        .expect("the text is right");
        assert_eq!(errors.lost_ppm, 7);
        let [first, second] = errors.outages[..] else {
            panic!("two outages")
        };
        assert!(first.is_on(2, Way::Up) && !first.is_on(2, Way::Down) && !first.is_on(1, Way::Up));
        assert!(first.holds(10) && !first.holds(20) && !first.holds(9));
        assert!(second.is_on(9, Way::Down) && second.holds(u64::MAX));
        assert_eq!(second.stuck_credit, Some(Class::Dat));
        let again = serde_json::to_string(&errors).expect("serialises");
        assert_eq!(
            serde_json::from_str::<LinkErrors>(&again).expect("reads"),
            errors
        );
    }

    #[test]
    fn what_no_link_can_bear_is_refused_by_name() {
        let mut errors = LinkErrors::mixed(1000, 1);
        assert_eq!(errors.check(), Ok(()));
        errors.burst_bits = 25;
        assert_eq!(
            errors.check(),
            Err("link_errors: burst_bits is 25, at most 24".to_owned())
        );
        errors = LinkErrors::mixed(1_000_001, 1);
        assert!(errors.check().is_err());
    }
}
