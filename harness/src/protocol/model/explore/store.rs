//! The states found so far, each once.

use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// The states found so far.
#[derive(Default)]
pub(super) struct Store {
    bytes: Vec<u8>,
    /// Where each state's bytes end.
    ends: Vec<u64>,
    /// The state from which each was found first; the start is its own.
    pub(super) parents: Vec<u32>,
    /// Open addressing: half of the hash, and the number of the state plus one.
    table: Vec<u64>,
}

impl Store {
    pub(super) fn get(&self, state: usize) -> &[u8] {
        let begin = match state {
            0 => 0,
            state => self.ends[state - 1],
        };
        &self.bytes[begin as usize..self.ends[state] as usize]
    }

    /// The hash of a state, and its number or the slot where that will stand.
    pub(super) fn find(&self, state: &[u8]) -> (u64, Result<u32, usize>) {
        let hash = FxBuildHasher.hash_one(state);
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while self.table[slot] != 0 {
            let number = (self.table[slot] as u32) - 1;
            if self.table[slot] >> 32 == hash >> 32 && self.get(number as usize) == state {
                return (hash, Ok(number));
            }
            slot = (slot + 1) & mask;
        }
        (hash, Err(slot))
    }

    /// The number of a state, new or known.
    pub(super) fn insert(&mut self, state: &[u8], parent: u32) -> u32 {
        if (self.ends.len() + 1) * 4 > self.table.len() * 3 {
            self.grow();
        }
        let (hash, found) = self.find(state);
        let slot = match found {
            Ok(number) => return number,
            Err(slot) => slot,
        };
        let number = self.ends.len() as u32;
        self.table[slot] = (hash >> 32) << 32 | u64::from(number + 1);
        self.bytes.extend_from_slice(state);
        self.ends.push(self.bytes.len() as u64);
        self.parents.push(parent);
        number
    }

    /// Number of states.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(1 << 10);
        self.table = Vec::new();
        self.table.resize(size, 0);
        for state in 0..self.ends.len() {
            let hash = FxBuildHasher.hash_one(self.get(state));
            let mut slot = hash as usize & (size - 1);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.table[slot] = (hash >> 32) << 32 | (state as u64 + 1);
        }
    }

    pub(super) fn memory(&self) -> u64 {
        let table = self.table.len() * size_of::<u64>();
        let states = self.ends.len() * (size_of::<u64>() + size_of::<u32>());
        (self.bytes.len() + table + states) as u64
    }
}
