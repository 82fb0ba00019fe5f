//! What can be reached from what, with a way back.

/// The transitive closure of a growing graph, one bit a pair of nodes.
pub(super) struct Closure {
    nodes: usize,
    words: usize,
    bits: Vec<u64>,
    /// The words that were changed, with what they were.
    trail: Vec<(u32, u64)>,
    /// A copy of the row that is being added to others.
    row: Vec<u64>,
}

impl Closure {
    pub(super) fn new(nodes: usize) -> Self {
        let words = nodes.div_ceil(64);
        Closure {
            nodes,
            words,
            bits: vec![0; nodes * words],
            trail: Vec::new(),
            row: vec![0; words],
        }
    }

    /// Whether a path leads from one node to the other.
    pub(super) fn reaches(&self, from: u32, to: u32) -> bool {
        self.bits[from as usize * self.words + to as usize / 64] >> (to % 64) & 1 != 0
    }

    /// Adds an edge that closes no cycle.
    pub(super) fn add(&mut self, from: u32, to: u32) {
        if self.reaches(from, to) {
            return;
        }
        let at = to as usize * self.words;
        self.row.copy_from_slice(&self.bits[at..at + self.words]);
        self.row[to as usize / 64] |= 1 << (to % 64);
        for node in 0..self.nodes as u32 {
            if (node == from || self.reaches(node, from)) && !self.reaches(node, to) {
                let first = node as usize * self.words;
                for (word, &more) in self.row.iter().enumerate() {
                    let old = self.bits[first + word];
                    if old | more != old {
                        self.trail.push(((first + word) as u32, old));
                        self.bits[first + word] = old | more;
                    }
                }
            }
        }
    }

    /// A mark to come [back](Closure::undo) to.
    pub(super) fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Takes back everything since the mark.
    pub(super) fn undo(&mut self, mark: usize) {
        for (word, old) in self.trail.drain(mark..).rev() {
            self.bits[word as usize] = old;
        }
    }
}
