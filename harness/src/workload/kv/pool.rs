//! Where the pool's blocks lie, and what is in them.

use std::collections::BTreeMap;

use crate::sim::Line;
use crate::workload::trace::Trace;

/// Bytes of a line.
pub(super) const LINE: u64 = flits::layout::LINE_BYTES as u64;
/// Bytes of a block's word in the directory; eight blocks share a line.
const STATE: u64 = 8;
/// Where the pool's directory starts; the tickets are below it.
const DIRECTORY: u64 = 0x1000;
/// The pool's lines start at a multiple of this.
const ALIGN: u64 = 0x1000;

/// Nobody has stored the block.
pub(super) const ABSENT: u64 = 0;
/// Every line of the block is stored.
pub(super) const READY: u64 = 1;

/// The node on `port` is storing the block.
pub(super) fn claimed(port: usize) -> u64 {
    0x100 + port as u64
}

/// The blocks of a trace and the addresses of everything the workload shares: two tickets, a
/// directory of one word a block, and the lines of the blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    base: u64,
    lines_per_block: u64,
    /// The trace's identifier of each block.
    names: Vec<u64>,
}

impl Pool {
    /// Lays the pool out from the address `base` on, a multiple of 4096. Blocks are numbered in the
    /// order in which the trace names them; the second result are the blocks of each request.
    pub fn lay_out(trace: &Trace, lines_per_block: u64, base: u64) -> (Pool, Vec<Vec<usize>>) {
        let mut numbers = BTreeMap::new();
        let mut names = Vec::new();
        let mut number = |&name: &u64| {
            *numbers.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let requests = trace.requests.iter();
        let requests = requests.map(|request| request.hash_ids.iter().map(&mut number).collect());
        let requests = requests.collect();
        (
            Pool {
                base,
                lines_per_block,
                names,
            },
            requests,
        )
    }

    /// Number of different blocks.
    pub fn blocks(&self) -> usize {
        self.names.len()
    }

    /// Bytes of one block.
    pub fn block_bytes(&self) -> u64 {
        self.lines_per_block * LINE
    }

    /// Bytes that the lines of all blocks take.
    pub fn data_bytes(&self) -> u64 {
        self.blocks() as u64 * self.block_bytes()
    }

    /// The first address after everything.
    pub fn end(&self) -> u64 {
        self.data() + self.data_bytes()
    }

    /// The word that hands out requests to the nodes that prefill.
    pub(super) fn prefill_ticket(&self) -> u64 {
        self.base
    }

    /// The word that hands out requests to the nodes that decode.
    pub(super) fn decode_ticket(&self) -> u64 {
        self.base + LINE
    }

    /// The block's word in the directory.
    pub(super) fn state(&self, block: usize) -> u64 {
        self.base + DIRECTORY + block as u64 * STATE
    }

    /// The addresses of the block's lines.
    pub(super) fn lines(&self, block: usize) -> impl Iterator<Item = u64> {
        let first = self.data() + block as u64 * self.block_bytes();
        (0..self.lines_per_block).map(move |line| first + line * LINE)
    }

    /// What the line at `addr` of the block holds: a sequence that its name and place decide, so
    /// that every byte of a wrong block, line or generation shows.
    pub(super) fn content(&self, block: usize, addr: u64) -> Line {
        let mut state = self.names[block].wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ addr;
        let mut line = [0; LINE as usize];
        for word in line.chunks_exact_mut(8) {
            word.copy_from_slice(&split_mix(&mut state).to_le_bytes());
        }
        line
    }

    /// The trace's identifier of the block.
    pub(super) fn name(&self, block: usize) -> u64 {
        self.names[block]
    }

    fn data(&self) -> u64 {
        let directory = self.base + DIRECTORY + self.blocks() as u64 * STATE;
        directory.next_multiple_of(ALIGN)
    }
}

/// The next number of the SplitMix64 generator (Steele, Lea, Flood 2014).
pub(super) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn pool(lines_per_block: u64) -> (Pool, Vec<Vec<usize>>) {
        let text = r#"{"timestamp":0,"input_length":9,"output_length":0,"hash_ids":[7,900,3]}
                      {"timestamp":0,"input_length":9,"output_length":0,"hash_ids":[7,5]}"#;
        let trace = Trace::read("t", text.as_bytes(), 9).expect("good");
        Pool::lay_out(&trace, lines_per_block, 0x8000)
    }

    #[test]
    fn blocks_are_numbered_in_the_order_of_the_trace() {
        let (pool, requests) = pool(2);
        assert_eq!(requests, [vec![0, 1, 2], vec![0, 3]]);
        assert_eq!(
            (0..4).map(|b| pool.name(b)).collect::<Vec<_>>(),
            [7, 900, 3, 5]
        );
    }

    #[test]
    fn nothing_the_workload_shares_overlaps() {
        let (pool, _) = pool(3);
        let mut bytes = BTreeSet::new();
        let words = (0..4).map(|b| (pool.state(b), 8));
        let lines = (0..4).flat_map(|b| pool.lines(b).map(|addr| (addr, LINE)));
        let tickets = [(pool.prefill_ticket(), 8), (pool.decode_ticket(), 8)];
        for (addr, len) in words.chain(lines).chain(tickets) {
            assert!(addr >= 0x8000 && addr + len <= pool.end() && addr % len == 0);
            assert!(
                (addr..addr + len).all(|byte| bytes.insert(byte)),
                "{addr:#x} is taken"
            );
        }
    }

    #[test]
    fn every_line_has_its_own_content() {
        let (pool, _) = pool(8);
        let lines = (0..4).flat_map(|b| pool.lines(b).map(move |addr| (b, addr)));
        let contents: BTreeSet<_> = lines.map(|(b, addr)| pool.content(b, addr)).collect();
        assert_eq!(contents.len(), 32);
    }
}
