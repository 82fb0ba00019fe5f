//! Whether everything ends.

/// The draining arcs of all states in order of their numbers, and how far each is from its end.
#[derive(Default)]
pub(super) struct Drain {
    pub(super) targets: Vec<u32>,
    pub(super) counts: Vec<u8>,
    /// Most steps to a quiet state, or [`UNKNOWN`].
    pub(super) heights: Vec<u16>,
}

pub(super) const UNKNOWN: u16 = u16::MAX;

impl Drain {
    /// Fills in all heights; the first state that has none.
    pub(super) fn settle(&mut self) -> Option<usize> {
        loop {
            let mut settled = 0usize;
            let mut open = None;
            let mut end = self.targets.len();
            for state in (0..self.heights.len()).rev() {
                let begin = end - usize::from(self.counts[state]);
                if self.heights[state] == UNKNOWN {
                    let targets = &self.targets[begin..end];
                    let heights = targets.iter().map(|&to| self.heights[to as usize]);
                    match heights.max() {
                        Some(most) if most < UNKNOWN - 1 => {
                            self.heights[state] = most + 1;
                            settled += 1;
                        }
                        _ => open = Some(state),
                    }
                }
                end = begin;
            }
            if open.is_none() || settled == 0 {
                return open;
            }
        }
    }

    pub(super) fn memory(&self) -> u64 {
        (self.targets.len() * 4 + self.counts.len() * 3) as u64
    }
}
