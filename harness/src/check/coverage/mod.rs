//! Functional coverage: what may happen on the links, declared as bins and counted where it happens.
//!
//! Each module has one group: [`requests`], [`races`], [`credits`], [`links`], [`shapes`]. Its
//! `group` declares the bins; its counter watches what the checkers and the links see anyway, asks
//! nothing of the inside of the switch and changes nothing. Counting is on in processes that
//! [`crate::coverage`] has turned on, which adds up the bins of all of them.

pub mod credits;
pub mod links;
pub mod races;
pub mod requests;
pub mod shapes;

use std::collections::BTreeMap;

use flits::Header;

use super::{CheckConfig, Direction};
use crate::coverage;

/// What one kind of event can be, every way of it a bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The first part of its bins' names.
    pub name: &'static str,
    /// What is combined.
    pub about: &'static str,
    /// The bins that can be reached.
    pub bins: Vec<String>,
}

/// All groups.
pub fn groups() -> Vec<Group> {
    vec![
        requests::group(),
        races::group(),
        credits::group(),
        links::group(),
        shapes::group(),
    ]
}

/// How often each bin was reached; kept for the process when it goes.
#[derive(Debug, Default)]
pub(crate) struct Hits(BTreeMap<String, u64>);

impl Hits {
    pub(crate) fn hit(&mut self, group: &str, bin: impl std::fmt::Display) {
        *self.0.entry(format!("{group}/{bin}")).or_default() += 1;
    }
}

impl Drop for Hits {
    fn drop(&mut self) {
        coverage::add_bins(&self.0);
    }
}

/// A packet at a port, as the counters are told of it.
pub(super) struct Seen<'a> {
    pub(super) port: usize,
    pub(super) direction: Direction,
    pub(super) header: &'a Header,
    /// The global address of an access to memory, where the address map knows it.
    pub(super) global: Option<u64>,
    /// Whom a snoop is for and a read from memory is answered to: port and number.
    pub(super) requester: Option<(usize, u16)>,
}

/// The counters of one run.
pub(super) struct Counters {
    hits: Hits,
    requests: requests::Requests,
    races: races::Races,
    credits: credits::Credits,
    shapes: shapes::Shapes,
}

impl Counters {
    /// The counters, if coverage is on.
    pub(super) fn new(config: &CheckConfig) -> Option<Box<Counters>> {
        coverage::is_on().then(|| {
            Box::new(Counters {
                hits: Hits::default(),
                requests: requests::Requests::default(),
                races: races::Races::default(),
                credits: credits::Credits::new(config),
                shapes: shapes::Shapes::new(config),
            })
        })
    }

    /// A packet has passed a port.
    pub(super) fn packet(&mut self, seen: &Seen<'_>) {
        self.races.packet(seen, &mut self.hits);
        self.requests.packet(seen, &mut self.hits);
    }

    /// A word has passed a port and left its sender so many credits of the class.
    pub(super) fn word(&mut self, port: usize, direction: Direction, class: usize, left: u32) {
        self.credits
            .word(port, direction, class, left, &mut self.hits);
    }

    /// A program asks for an address.
    pub(super) fn access(&mut self, node: usize, addr: u64) {
        self.shapes.access(node, addr);
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        self.shapes.finish(&mut self.hits);
    }
}

#[cfg(test)]
mod tests;
