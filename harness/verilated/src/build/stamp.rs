//! Hashes of inputs, to know what is up to date.

use std::hash::{DefaultHasher, Hasher};

/// A hash of a sequence of byte strings. It only has to be the same for the same toolchain: a
/// change of the hash function costs a rebuild, nothing more.
pub struct Stamp([DefaultHasher; 2]);

impl Stamp {
    pub fn new(domain: &str) -> Self {
        let mut stamp = Stamp([DefaultHasher::new(), DefaultHasher::new()]);
        // Two hashers that start apart give 128 bits.
        stamp.0[1].write_u8(1);
        stamp.add(env!("CARGO_PKG_VERSION"));
        stamp.add(domain);
        stamp
    }

    pub fn add(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        for hasher in &mut self.0 {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }

    pub fn finish(&self) -> String {
        format!("{:016x}{:016x}", self.0[0].finish(), self.0[1].finish())
    }
}
