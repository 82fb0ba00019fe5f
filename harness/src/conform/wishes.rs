//! What nodes ask for, in bytes.

use super::alone::Alone;
use crate::Failure;
use crate::agents::{LineAtomic, LineBytes, LineWrite};
use crate::protocol::model::Ask;
use crate::protocol::{LineData, NodeIn};
use flits::{Atomic, AtomicOp, Opcode, layout};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// Draws the data of requests and stores.
pub(crate) struct Wishes {
    rng: Pcg64Mcg,
    /// Some of it is known to be corrupt.
    pub(crate) poison: bool,
}

impl Wishes {
    pub(crate) fn new(seed: u64) -> Wishes {
        Wishes {
            rng: crate::sim::stream(seed, "wishes"),
            poison: false,
        }
    }

    fn line(&mut self) -> LineBytes {
        LineBytes {
            bytes: self.rng.random(),
            poison: self.is_corrupt(),
        }
    }

    fn is_corrupt(&mut self) -> bool {
        self.poison && self.rng.random_ratio(1, 4)
    }

    /// A node asks for something.
    pub(super) fn ask(
        &mut self,
        alone: &mut Alone,
        node: u8,
        line: u64,
        ask: Ask,
    ) -> Result<(), Failure> {
        let input = match ask {
            Ask::Plain(Opcode::MakeUnique) => NodeIn::IssueMakeUnique(self.line()),
            Ask::Plain(op) => NodeIn::Issue(op),
            Ask::Write(write) => NodeIn::IssueWriteUnique(self.write(line, write.is_whole())),
            Ask::Atomic(op) => NodeIn::IssueAtomic(op, self.atomic(alone, line, op)),
        };
        alone.start(node, line, input)
    }

    /// A node that has the line in UC or UD stores to it.
    pub(super) fn store(&mut self, alone: &mut Alone, node: u8, line: u64) -> Result<(), Failure> {
        let write = self.write(line, false);
        let old = alone.copy(node, line).and_then(|(_, data)| data.cloned());
        let new = old.unwrap_or_else(|| self.line()).merged(&write);
        alone.start(node, line, NodeIn::Store(new))
    }

    /// The whole line; or a piece of it, or some of 16 bytes.
    fn write(&mut self, line: u64, whole: bool) -> LineWrite {
        let mut bytes = self.line();
        let poison = std::mem::take(&mut bytes.poison);
        let size = match whole {
            true => layout::LINE_SIZE,
            false => self.rng.random_range(0..=4),
        };
        let at = self.rng.random_range(0..layout::LINE_BYTES >> size) << size;
        let mut write = LineWrite::new(line + at as u64, bytes.at(at as u64, 1 << size));
        let some: u64 = write.mask & self.rng.random::<u64>();
        if size == 4 && some != 0 {
            write.mask = some;
        }
        write.bytes.poison = poison;
        write
    }

    /// Of every kind, size and place; one that compares often meets what it expects.
    fn atomic(&mut self, alone: &Alone, line: u64, op: Opcode) -> LineAtomic {
        let size: u8 = self.rng.random_range(2..=3);
        let at = self.rng.random_range(0..layout::LINE_BYTES as u64 >> size) << size;
        let word = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(byte))
        };
        let cut = u64::MAX >> (64 - (8 << size));
        let (operand, new) = (
            self.rng.random::<u64>() & cut,
            self.rng.random::<u64>() & cut,
        );
        let atomic = match op {
            Opcode::AtomicSwap => Atomic::Swap { new },
            Opcode::AtomicCompare => Atomic::Compare {
                expected: match self.rng.random() {
                    true => word(alone.in_memory(line).at(at, 1 << size)),
                    false => operand,
                },
                new,
            },
            _ => {
                let op = AtomicOp::ALL[self.rng.random_range(0..AtomicOp::ALL.len())];
                Atomic::Modify { op, operand }
            }
        };
        LineAtomic {
            atomic,
            addr: line + at,
            size,
            poison: self.is_corrupt(),
        }
    }
}
