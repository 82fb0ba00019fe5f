//! The contents of a cache line, as the protocol functions handle them.

use crate::protocol::LineData;
use flits::{Atomic, Flit, layout, layout::lanes};

const FLITS: usize = layout::LINE_BYTES / layout::FLIT_BYTES;

/// The bytes of a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LineBytes {
    /// The bytes.
    pub bytes: [u8; layout::LINE_BYTES],
    /// Some of them are known to be corrupt.
    pub poison: bool,
}

/// A far atomic and where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineAtomic {
    /// What it does.
    pub atomic: Atomic,
    /// Byte address of the word.
    pub addr: u64,
    /// log2 of the word's bytes: 2 or 3.
    pub size: u8,
    /// The operand is known to be corrupt.
    pub poison: bool,
}

/// Some bytes of a line, or all: what a WriteUnique and a store carry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LineWrite {
    /// The new bytes in their places; poisoned if they are known to be corrupt.
    pub bytes: LineBytes,
    /// Which bytes are new, one bit each.
    pub mask: u64,
}

impl LineWrite {
    /// The write of `bytes` at `addr`; they do not leave the line.
    pub fn new(addr: u64, bytes: &[u8]) -> Self {
        let at = LineBytes::offset(addr);
        let mut line = LineBytes::new([0; layout::LINE_BYTES]);
        line.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        LineWrite {
            bytes: line,
            mask: mask(addr, bytes.len()),
        }
    }

    /// Place in the line, size and byte enables of the packet that writes the bytes in `mask`: a
    /// naturally aligned piece where they are one, else the 16 bytes around them with enables. The
    /// bytes are within 16 aligned ones, or are the whole line.
    pub fn piece(mask: u64) -> (u64, u8, u16) {
        if mask == u64::MAX {
            return (0, layout::LINE_SIZE, u16::MAX);
        }
        let first = u64::from(mask.trailing_zeros());
        let count = mask.count_ones();
        let lane = first % layout::FLIT_BYTES as u64;
        let be = (mask >> (first - lane)) as u16;
        let size = count.trailing_zeros() as u8;
        if count.is_power_of_two() && first.is_multiple_of(count.into()) && be == lanes(first, size)
        {
            (first, size, be)
        } else {
            (first - lane, 4, be)
        }
    }
}

/// The bytes of a line that an access of `len` bytes at `addr` covers, one bit each.
pub(super) fn mask(addr: u64, len: usize) -> u64 {
    (u64::MAX >> (layout::LINE_BYTES - len)) << LineBytes::offset(addr)
}

impl LineBytes {
    /// Good bytes.
    pub fn new(bytes: [u8; layout::LINE_BYTES]) -> Self {
        let poison = false;
        LineBytes { bytes, poison }
    }

    /// Place of a byte in its line.
    pub fn offset(addr: u64) -> usize {
        addr as usize % layout::LINE_BYTES
    }

    /// The `len` bytes at `addr`.
    pub fn at(&self, addr: u64, len: usize) -> &[u8] {
        let start = Self::offset(addr);
        &self.bytes[start..start + len]
    }

    /// The four payload flits.
    pub fn to_flits(&self) -> [Flit; FLITS] {
        std::array::from_fn(|i| {
            let mut lanes = [0; layout::FLIT_BYTES];
            lanes.copy_from_slice(&self.bytes[i * layout::FLIT_BYTES..][..layout::FLIT_BYTES]);
            Flit::from_bytes(lanes)
        })
    }

    /// The line in the payload flits of a packet, poisoned or not; `None` unless there are four.
    pub fn from_flits(flits: &[Flit], poison: bool) -> Option<Self> {
        if flits.len() != FLITS {
            return None;
        }
        let mut line = [0; layout::LINE_BYTES];
        for (lanes, flit) in line.chunks_exact_mut(layout::FLIT_BYTES).zip(flits) {
            lanes.copy_from_slice(&flit.to_bytes());
        }
        let bytes = line;
        Some(LineBytes { bytes, poison })
    }
}

impl LineData for LineBytes {
    type Write = LineWrite;
    type Atomic = LineAtomic;

    fn merged(mut self, write: &LineWrite) -> Self {
        for (i, byte) in self.bytes.iter_mut().enumerate() {
            if write.mask >> i & 1 != 0 {
                *byte = write.bytes.bytes[i];
            }
        }
        self.poison = write.bytes.poison || self.poison && write.mask != u64::MAX;
        self
    }

    fn whole(write: &LineWrite) -> Option<Self> {
        (write.mask == u64::MAX).then(|| write.bytes.clone())
    }

    fn computed(mut self, atomic: &LineAtomic) -> (Self, LineWrite) {
        let LineAtomic {
            atomic,
            addr,
            size,
            poison,
        } = *atomic;
        let len = 1 << size;
        let mut word = [0; 8];
        word[..len].copy_from_slice(self.at(addr, len));
        let new = atomic.apply(u64::from_le_bytes(word), size);
        self.poison |= poison;
        let mut write = LineWrite::new(addr, &new.to_le_bytes()[..len]);
        write.bytes.poison = self.poison;
        (self, write)
    }

    fn is_poisoned(&self) -> bool {
        self.poison
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flits_hold_the_bytes_in_order() {
        let line = LineBytes::new(std::array::from_fn(|i| i as u8));
        let flits = line.to_flits();
        assert_eq!(flits[1].to_bytes()[3], 19);
        assert_eq!(LineBytes::from_flits(&flits, false), Some(line));
        assert_eq!(LineBytes::from_flits(&flits[..3], false), None);
    }

    #[test]
    fn an_aligned_piece_is_written_as_such_and_others_with_enables() {
        let of = |addr: u64, len: usize| LineWrite::piece(LineWrite::new(addr, &vec![0; len]).mask);
        assert_eq!(of(0x1018, 8), (0x18, 3, 0xff00));
        assert_eq!(of(0x1021, 1), (0x21, 0, 0x0002));
        assert_eq!(of(0x1030, 16), (0x30, 4, 0xffff));
        assert_eq!(of(0x1000, 64), (0, 6, 0xffff));
        assert_eq!(LineWrite::piece(0b101 << 20), (0x10, 4, 0b101 << 4));
    }

    #[test]
    fn a_write_changes_its_bytes_and_no_others() {
        let old = LineBytes::new([0xee; 64]);
        let write = LineWrite::new(0x1038, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(write.mask, 0xff << 56);
        let new = old.clone().merged(&write);
        assert_eq!(new.at(0x1038, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(new.bytes[..56], old.bytes[..56]);
        assert_eq!(LineBytes::whole(&write), None);
        let all = LineWrite::new(0x1000, &[7; 64]);
        assert_eq!(LineBytes::whole(&all), Some(LineBytes::new([7; 64])));
    }

    #[test]
    fn poison_stays_until_the_whole_line_is_overwritten() {
        let poisoned = |bytes| LineBytes {
            bytes,
            poison: true,
        };
        let (part, all) = (
            LineWrite::new(0x1000, &[1; 16]),
            LineWrite::new(0x1000, &[1; 64]),
        );
        assert!(poisoned([0; 64]).merged(&part).poison);
        assert!(!poisoned([0; 64]).merged(&all).poison);
        let bytes = poisoned(part.bytes.bytes);
        let bad = LineWrite { bytes, ..part };
        assert!(LineBytes::new([0; 64]).merged(&bad).poison);
    }

    #[test]
    fn an_atomic_answers_the_old_line_and_writes_its_word() {
        let (op, operand) = (flits::AtomicOp::Add, 0x0101_0101);
        let atomic = LineAtomic {
            atomic: Atomic::Modify { op, operand },
            addr: 0x1024,
            size: 2,
            poison: false,
        };
        let line = LineBytes::new([7; 64]);
        let (old, write) = line.clone().computed(&atomic);
        assert_eq!(old, line);
        assert_eq!(write.mask, 0xf << 0x24);
        assert_eq!(
            line.merged(&write).at(0x1020, 12),
            [7, 7, 7, 7, 8, 8, 8, 8, 7, 7, 7, 7]
        );
        let bad = LineAtomic {
            poison: true,
            ..atomic
        };
        let (old, write) = LineBytes::new([7; 64]).computed(&bad);
        assert!(old.poison && write.bytes.poison);
    }
}
