//! Packets whose content says nothing, for a fabric or a link alone.

use crate::Class;
use std::fmt;

/// Words of the longest packet: a header and 256 bytes.
pub const MAX_LENGTH: u16 = 17;

/// A packet whose content says nothing; whoever sends it makes no two words alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its class.
    pub class: Class,
    /// The outputs of the fabric that it is for, several only for a SNP of one word; empty on a link.
    pub to: Vec<usize>,
    /// Words.
    pub length: u16,
    /// Whether the fabric gives it high priority.
    pub high: bool,
}

impl Packet {
    pub(super) fn check(&self) -> Result<(), String> {
        let Packet {
            class, to, length, ..
        } = self;
        if !(1..=MAX_LENGTH).contains(length) {
            return Err(format!(
                "packet of {length} words; it can have 1 to {MAX_LENGTH}"
            ));
        }
        let mut outputs = to.clone();
        outputs.sort_unstable();
        outputs.dedup();
        if outputs.len() < to.len() {
            return Err("packet goes to one output twice".to_owned());
        }
        if to.len() > 1 && (*class != Class::Snp || *length != 1) {
            return Err("only a SNP packet of one word goes to several outputs".to_owned());
        }
        Ok(())
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} words {}", self.class, self.length)?;
        if !self.to.is_empty() {
            write!(f, " to {:?}", self.to)?;
        }
        if self.high {
            write!(f, " of high priority")?;
        }
        Ok(())
    }
}
