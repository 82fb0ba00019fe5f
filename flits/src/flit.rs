//! Flits and link words.

use crate::{Class, layout::Field};
use bitvec::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// 128 bits that travel in one cycle; bit 0 is the first bit of a header and of byte lane 0.
///
/// In a file a flit is a string of 32 hexadecimal digits after `0x`, bit 127 first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flit(BitArray<[u64; 2], Lsb0>);

impl Flit {
    /// The flit with all bits 0.
    pub const ZERO: Flit = Flit(BitArray::ZERO);

    /// The flit whose bits are those of a number.
    pub const fn from_u128(bits: u128) -> Flit {
        let mut flit = Flit::ZERO;
        flit.0.data = [bits as u64, (bits >> 64) as u64];
        flit
    }

    /// The bits as a number.
    pub const fn to_u128(self) -> u128 {
        self.0.data[0] as u128 | (self.0.data[1] as u128) << 64
    }

    /// The bits in four words of 32, lowest first: how a Verilated model holds a 128-bit port.
    pub const fn to_words(self) -> [u32; 4] {
        let bits = self.to_u128();
        [
            bits as u32,
            (bits >> 32) as u32,
            (bits >> 64) as u32,
            (bits >> 96) as u32,
        ]
    }

    /// The flit of four words of 32 bits, lowest first.
    pub const fn from_words(words: [u32; 4]) -> Flit {
        Flit::from_u128(
            words[0] as u128
                | (words[1] as u128) << 32
                | (words[2] as u128) << 64
                | (words[3] as u128) << 96,
        )
    }

    /// The byte lanes, lane 0 first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.to_u128().to_le_bytes()
    }

    /// The flit of its byte lanes, lane 0 first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Flit {
        Flit::from_u128(u128::from_le_bytes(bytes))
    }

    /// The bits as a slice.
    pub fn bits(&self) -> &BitSlice<u64, Lsb0> {
        self.0.as_bitslice()
    }

    /// The bits of a field as a number.
    pub fn get(&self, field: &Field) -> u64 {
        self.0[field.lsb as usize..=field.msb() as usize].load_le()
    }

    /// Puts a number into the bits of a field; bits of the number beyond the field's width are
    /// dropped.
    pub fn set(&mut self, field: &Field, value: u64) {
        self.0[field.lsb as usize..=field.msb() as usize].store_le(value);
    }
}

impl From<u128> for Flit {
    fn from(bits: u128) -> Flit {
        Flit::from_u128(bits)
    }
}

impl From<Flit> for u128 {
    fn from(flit: Flit) -> u128 {
        flit.to_u128()
    }
}

impl fmt::Display for Flit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#034x}", self.to_u128())
    }
}

impl fmt::Debug for Flit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flit({self})")
    }
}

impl Serialize for Flit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Flit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Flit, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .map(Flit::from_u128)
            .ok_or_else(|| {
                D::Error::custom(format!(
                    "\"{text}\" is not a flit: write up to 32 hexadecimal digits after 0x"
                ))
            })
    }
}

/// What a link carries in one cycle: a flit and its sideband.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkWord {
    /// The class of the packet that the flit belongs to.
    pub class: Class,
    /// The flit is the header.
    pub head: bool,
    /// The flit is the packet's last.
    pub tail: bool,
    /// The flit.
    pub flit: Flit,
}

impl fmt::Display for LinkWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (self.head, self.tail) {
            (true, true) => "only",
            (true, false) => "head",
            (false, true) => "tail",
            (false, false) => "body",
        };
        write!(f, "{} {place} {}", self.class, self.flit)
    }
}
