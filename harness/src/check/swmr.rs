//! Single writer or many readers, over all caches, at every change of a line's state.

use flits::CacheState;
use rustc_hash::FxHashMap;

use super::{Verdict, violation};
use crate::FailureKind;

/// Who holds a line.
#[derive(Clone, Copy, Default)]
struct Holders {
    /// One bit a node that holds the line in any state but I.
    any: u64,
    /// The same for UC and UD.
    unique: u64,
}

/// The holders of every line, as the caches report them.
#[derive(Default)]
pub(super) struct Swmr {
    lines: FxHashMap<u64, Holders>,
}

impl Swmr {
    /// `node` changes its state of `line`.
    pub(super) fn change(
        &mut self,
        node: usize,
        line: u64,
        old: CacheState,
        new: CacheState,
    ) -> Verdict {
        let holders = self.lines.entry(line).or_default();
        let bit = 1u64 << node;
        let (held, unique) = (holders.any & bit != 0, holders.unique & bit != 0);
        if held != (old != CacheState::I) || unique != old.is_unique() {
            return Err(violation(
                FailureKind::Coherence,
                format!(
                    "node {node} says that line {line:#x} leaves state {old}, but it last reported \
                     another state"
                ),
            ));
        }
        holders.any = if new == CacheState::I {
            holders.any & !bit
        } else {
            holders.any | bit
        };
        holders.unique = if new.is_unique() {
            holders.unique | bit
        } else {
            holders.unique & !bit
        };
        let (any, unique) = (holders.any, holders.unique);
        if unique != 0 && any & (any - 1) != 0 {
            return Err(violation(
                FailureKind::Coherence,
                format!(
                    "node {node} goes from {old} to {new} in line {line:#x}: held for writing by \
                     {}, and held by {} at once",
                    nodes(unique),
                    nodes(any)
                ),
            ));
        }
        if any == 0 {
            self.lines.remove(&line);
        }
        Ok(())
    }

    /// `node` writes to `line`: it must hold it alone.
    pub(super) fn writes(&self, node: usize, line: u64) -> Verdict {
        if self.holders(line).unique == 1 << node {
            return Ok(());
        }
        Err(violation(
            FailureKind::Coherence,
            format!("node {node} stores to line {line:#x} without holding it for writing"),
        ))
    }

    /// `node` reads `line` in its cache: it must hold it.
    pub(super) fn reads(&self, node: usize, line: u64) -> Verdict {
        if self.holders(line).any & 1 << node != 0 {
            return Ok(());
        }
        Err(violation(
            FailureKind::Coherence,
            format!("node {node} loads from line {line:#x} without holding it"),
        ))
    }

    /// A memory changes `line` behind the caches: none may hold it.
    pub(super) fn written_behind(&self, line: u64) -> Verdict {
        match self.holders(line).any {
            0 => Ok(()),
            any => Err(violation(
                FailureKind::Coherence,
                format!(
                    "a write without caching changes line {line:#x} in memory while {} hold it",
                    nodes(any)
                ),
            )),
        }
    }

    /// Who holds a line, for people.
    pub(super) fn describe(&self, line: u64) -> String {
        let holders = self.holders(line);
        match (holders.any, holders.unique) {
            (0, _) => "held by no cache".into(),
            (any, 0) => format!("held for reading by {}", nodes(any)),
            (_, unique) => format!("held for writing by {}", nodes(unique)),
        }
    }

    fn holders(&self, line: u64) -> Holders {
        self.lines.get(&line).copied().unwrap_or_default()
    }
}

/// `node 3`, `nodes 1, 4`.
fn nodes(mask: u64) -> String {
    let list: Vec<String> = (0..u64::BITS)
        .filter(|n| mask >> n & 1 != 0)
        .map(|n| n.to_string())
        .collect();
    format!(
        "node{} {}",
        if list.len() == 1 { "" } else { "s" },
        list.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use CacheState::{I, SC, UC, UD};

    #[test]
    fn many_readers_or_one_writer() {
        let mut swmr = Swmr::default();
        assert!(swmr.change(0, 0x40, I, SC).is_ok());
        assert!(swmr.change(1, 0x40, I, SC).is_ok());
        assert!(swmr.writes(0, 0x40).is_err());
        assert!(swmr.change(1, 0x40, SC, I).is_ok());
        assert!(swmr.change(0, 0x40, SC, UC).is_ok());
        assert!(swmr.change(0, 0x40, UC, UD).is_ok());
        assert!(swmr.writes(0, 0x40).is_ok());
        assert!(swmr.written_behind(0x40).is_err());
        assert!(swmr.change(1, 0x80, I, UD).is_ok());
        assert_eq!(swmr.describe(0x40), "held for writing by node 0");
    }

    #[test]
    fn a_reader_beside_a_writer_is_found_whoever_comes_second() {
        let mut swmr = Swmr::default();
        assert!(swmr.change(0, 0x40, I, SC).is_ok());
        let found = swmr.change(1, 0x40, I, UC).unwrap_err();
        assert!(
            found.message.contains("held by nodes 0, 1"),
            "{}",
            found.message
        );

        let mut swmr = Swmr::default();
        assert!(swmr.change(1, 0x40, I, UC).is_ok());
        assert!(swmr.change(0, 0x40, I, SC).is_err());
    }

    #[test]
    fn a_state_that_was_never_entered_cannot_be_left() {
        let mut swmr = Swmr::default();
        assert!(swmr.change(0, 0x40, SC, UC).is_err());
        assert!(swmr.reads(0, 0x40).is_err());
    }
}
