//! A word on the wire, as `rtl/link/link_pkg.sv` lays it out; docs/link.md has the picture.

use flits::Class;

/// Bits of a wire word with its `valid`.
pub const BITS: u32 = 178;

/// Bits of the CRC, which are the lowest of the word.
pub const CRC_BITS: u32 = 24;

/// Generator polynomial of the CRC without its highest term.
pub const CRC_POLYNOMIAL: u32 = 0x10_1dcd;

const VALID: u32 = BITS - 1;
const CRC_MASK: u32 = (1 << CRC_BITS) - 1;
/// Widths of the status word's counts and of `ret`.
const COUNT_BITS: u32 = 9;
const FLIT: u32 = CRC_BITS;
const RET: u32 = FLIT + 128;
const RET_KIND: u32 = RET + COUNT_BITS;
const SEQ: u32 = RET_KIND + 3;
const KIND: u32 = VALID - 3;
const KIND_STATUS: u64 = 5;

/// The word that a wire carries in one cycle: bit 0 is bit 0 of its CRC, the highest is `valid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireWord([u64; 3]);

/// What a wire word is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It carries a flit.
    Flit(Class),
    /// It tells of credits and acknowledgements.
    Status,
    /// It trains the link.
    Training,
}

impl Kind {
    /// A number for each kind, from 0.
    pub fn number(self) -> u64 {
        match self {
            Kind::Flit(class) => class as u64,
            Kind::Status => KIND_STATUS,
            Kind::Training => KIND_STATUS + 1,
        }
    }
}

impl WireWord {
    /// The word in the six 32-bit words of a model's port, lowest first.
    pub fn from_words(words: &[u32; 6]) -> WireWord {
        let pair = |n: usize| u64::from(words[2 * n]) | u64::from(words[2 * n + 1]) << 32;
        WireWord([pair(0), pair(1), pair(2)])
    }

    /// The six 32-bit words of a model's port, lowest first.
    pub fn to_words(self) -> [u32; 6] {
        let half = |n: usize| (self.0[n / 2] >> (32 * (n % 2))) as u32;
        [half(0), half(1), half(2), half(3), half(4), half(5)]
    }

    /// The word of one port of a switch, in the 32-bit words of the pins of all ports.
    pub fn from_port(bits: &[u32], port: usize) -> WireWord {
        let mut word = WireWord::default();
        for bit in 0..BITS {
            let at = BITS as usize * port + bit as usize;
            if bits[at / 32] >> (at % 32) & 1 != 0 {
                word.flip(bit);
            }
        }
        word
    }

    /// Puts the word on one port of a switch, in the 32-bit words of the pins of all ports.
    pub fn to_port(self, bits: &mut [u32], port: usize) {
        for bit in 0..BITS {
            let at = BITS as usize * port + bit as usize;
            let mask = 1 << (at % 32);
            bits[at / 32] = match self.get(bit, 1) {
                0 => bits[at / 32] & !mask,
                _ => bits[at / 32] | mask,
            };
        }
    }

    /// Whether there is a word at all.
    pub fn valid(self) -> bool {
        self.0[2] >> (VALID - 128) & 1 != 0
    }

    /// What it is for; only of words that are what was sent.
    pub fn kind(self) -> Kind {
        let kind = self.get(KIND, 3);
        match Class::from_code(kind as u8) {
            Some(class) => Kind::Flit(class),
            None if kind == KIND_STATUS => Kind::Status,
            None => Kind::Training,
        }
    }

    /// The number of its flit, or of the flit that would come next.
    pub fn sequence(self) -> u8 {
        self.get(SEQ, 8) as u8
    }

    /// The count of credits of a class that the word tells, if it does.
    pub fn count(self, class: Class) -> Option<u16> {
        let value = match self.kind() {
            Kind::Status => self.get(FLIT + COUNT_BITS * class as u32, COUNT_BITS),
            Kind::Flit(_) if self.get(RET_KIND, 3) == class as u64 => self.get(RET, COUNT_BITS),
            _ => return None,
        };
        Some(value as u16)
    }

    /// The word telling another count of credits of a class, with the CRC that belongs to it; words
    /// that tell none stay as they are.
    pub fn with_count(mut self, class: Class, count: u16) -> WireWord {
        if self.count(class).is_none() {
            return self;
        }
        let lsb = match self.kind() {
            Kind::Status => FLIT + COUNT_BITS * class as u32,
            _ => RET,
        };
        self.set(lsb, COUNT_BITS, count.into());
        self.set(0, CRC_BITS, self.expected_crc().into());
        self
    }

    /// Flips one bit.
    pub fn flip(&mut self, bit: u32) {
        self.0[bit as usize / 64] ^= 1 << (bit % 64);
    }

    /// Whether the CRC is that of the rest of the word.
    pub fn intact(self) -> bool {
        self.get(0, CRC_BITS) == u64::from(self.expected_crc())
    }

    /// The CRC that belongs to the rest of the word: bit by bit, highest first, as a textbook has
    /// it, and inverted.
    fn expected_crc(self) -> u32 {
        let mut crc = 0;
        for bit in (CRC_BITS..VALID).rev() {
            let out = (crc >> (CRC_BITS - 1) & 1) as u64 ^ self.get(bit, 1);
            crc = (crc << 1) & CRC_MASK;
            if out != 0 {
                crc ^= CRC_POLYNOMIAL;
            }
        }
        !crc & CRC_MASK
    }

    fn get(self, lsb: u32, width: u32) -> u64 {
        let (word, shift) = (lsb as usize / 64, lsb % 64);
        let mut value = self.0[word] >> shift;
        if shift + width > 64 {
            value |= self.0[word + 1] << (64 - shift);
        }
        value & ((1 << width) - 1)
    }

    fn set(&mut self, lsb: u32, width: u32, value: u64) {
        for bit in 0..width {
            if self.get(lsb + bit, 1) != value >> bit & 1 {
                self.flip(lsb + bit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The remainder that a single flipped bit leaves, by bit.
    fn syndromes() -> Vec<u32> {
        let mut power = 1;
        (0..BITS - 1)
            .map(|_| {
                let syndrome = power;
                power <<= 1;
                if power >> CRC_BITS != 0 {
                    power = (power & CRC_MASK) ^ CRC_POLYNOMIAL;
                }
                syndrome
            })
            .collect()
    }

    #[test]
    fn no_six_flipped_bits_make_another_word() {
        // Up to six flips go unseen only if two different sets of up to three leave the same
        // remainder.
        let single = syndromes();
        let mut sets = vec![0];
        for (a, &x) in single.iter().enumerate() {
            sets.push(x);
            for (b, &y) in single[..a].iter().enumerate() {
                sets.push(x ^ y);
                sets.extend(single[..b].iter().map(|&z| x ^ y ^ z));
            }
        }
        let distinct: BTreeSet<_> = sets.iter().collect();
        assert_eq!(distinct.len(), sets.len());
    }

    #[test]
    fn no_burst_of_the_length_of_the_crc_goes_unseen() {
        // A burst is a polynomial of degree below that of the generator times a power of x, so it is
        // seen if no shift turns a remainder that is not zero into zero: the generator has a term
        // without x.
        assert_eq!(CRC_POLYNOMIAL & 1, 1);
        assert_eq!(flits::stimulus::MAX_BURST, CRC_BITS);
    }

    #[test]
    fn silence_is_no_word_even_if_its_valid_bit_flips() {
        let mut word = WireWord::default();
        assert!(!word.valid());
        word.flip(VALID);
        assert!(word.valid() && !word.intact());
    }

    #[test]
    fn a_changed_count_leaves_an_intact_word() {
        let mut word = WireWord::default();
        word.set(VALID, 1, 1);
        word.set(KIND, 3, KIND_STATUS);
        word = word.with_count(Class::Dat, 0x155);
        assert!(word.intact());
        assert_eq!(word.count(Class::Dat), Some(0x155));
        assert_eq!(word.count(Class::Req), Some(0));
        assert_eq!(WireWord::from_words(&word.to_words()), word);
        let mut bits = [u32::MAX; 17];
        word.to_port(&mut bits, 1);
        assert_eq!(WireWord::from_port(&bits, 1), word);
        assert!(
            WireWord::from_port(&bits, 0).valid(),
            "other ports are left alone"
        );
    }
}
