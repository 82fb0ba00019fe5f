//! Far atomics: what they do to the word that memory holds.

use crate::{AtomicOp, Opcode};

impl AtomicOp {
    /// What it makes of the old value and the operand, words of 2^`size` bytes, 4 or 8.
    ///
    /// ```
    /// use flits::AtomicOp;
    /// assert_eq!(AtomicOp::Add.apply(0xffff_ffff, 2, 2), 1);
    /// assert_eq!(AtomicOp::Smax.apply(0xffff_ffff, 2, 2), 2);
    /// assert_eq!(AtomicOp::Umax.apply(0xffff_ffff, 2, 2), 0xffff_ffff);
    /// ```
    pub const fn apply(self, old: u64, operand: u64, size: u8) -> u64 {
        let unused = 64 - (8 << size);
        // With the sign bit at the top, 64-bit operations do for both widths.
        let (a, b) = (old << unused, operand << unused);
        let result = match self {
            AtomicOp::Add => a.wrapping_add(b),
            AtomicOp::And => a & b,
            AtomicOp::Xor => a ^ b,
            AtomicOp::Or => a | b,
            AtomicOp::Smax if a as i64 >= b as i64 => a,
            AtomicOp::Smin if a as i64 <= b as i64 => a,
            AtomicOp::Umax if a >= b => a,
            AtomicOp::Umin if a <= b => a,
            AtomicOp::Smax | AtomicOp::Smin | AtomicOp::Umax | AtomicOp::Umin => b,
        };
        result >> unused
    }
}

/// What a far atomic does to a word, with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Atomic {
    /// AtomicStore and AtomicLoad.
    Modify {
        /// What.
        op: AtomicOp,
        /// The operand.
        operand: u64,
    },
    /// AtomicSwap.
    Swap {
        /// The new value.
        new: u64,
    },
    /// AtomicCompare.
    Compare {
        /// The value that memory must hold.
        expected: u64,
        /// The value that it then gets.
        new: u64,
    },
}

impl Atomic {
    /// The atomic of a request at `addr` of 2^`size` bytes, taken from its one payload flit; `None`
    /// for other opcodes.
    ///
    /// The operand sits at its natural byte lane; the new value of an AtomicCompare at that lane
    /// with bit 3 flipped.
    pub fn of(
        opcode: Opcode,
        op: AtomicOp,
        addr: u64,
        size: u8,
        lanes: &[u8; 16],
    ) -> Option<Atomic> {
        let lane = addr as usize % lanes.len();
        let word = |lane: usize| word(&lanes[lane..], size);
        Some(match opcode {
            Opcode::AtomicStore | Opcode::AtomicLoad => Atomic::Modify {
                op,
                operand: word(lane),
            },
            Opcode::AtomicSwap => Atomic::Swap { new: word(lane) },
            Opcode::AtomicCompare => Atomic::Compare {
                expected: word(lane),
                new: word(lane ^ 8),
            },
            _ => return None,
        })
    }

    /// The payload flit that [`Atomic::of`] takes it from.
    pub fn lanes(self, addr: u64, size: u8) -> [u8; 16] {
        let mut lanes = [0; 16];
        let lane = addr as usize % lanes.len();
        let mut put = |lane: usize, value: u64| {
            let bytes = 1 << size;
            lanes[lane..lane + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        };
        match self {
            Atomic::Modify { operand, .. } => put(lane, operand),
            Atomic::Swap { new } => put(lane, new),
            Atomic::Compare { expected, new } => {
                put(lane, expected);
                put(lane ^ 8, new);
            }
        }
        lanes
    }

    /// What memory holds afterwards, words of 2^`size` bytes.
    pub const fn apply(self, old: u64, size: u8) -> u64 {
        match self {
            Atomic::Modify { op, operand } => op.apply(old, operand, size),
            Atomic::Swap { new } => new,
            Atomic::Compare { expected, new } if old == expected => new,
            Atomic::Compare { .. } => old,
        }
    }
}

/// The little-endian word of 2^`size` bytes, 4 or 8, at the front of `bytes`.
fn word(bytes: &[u8], size: u8) -> u64 {
    let mut word = [0; 8];
    let len = 1 << size;
    word[..len].copy_from_slice(&bytes[..len]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on words whose bits are all or no ones, against Rust's own.
    #[test]
    fn operations_are_those_of_the_integers() {
        let words = [
            0u64,
            1,
            5,
            u64::MAX,
            1 << 63,
            i64::MAX as u64,
            0x8000_0000,
            0x7fff_ffff,
        ];
        for a in words {
            for b in words {
                let wide = [
                    a.wrapping_add(b),
                    a & b,
                    a ^ b,
                    a | b,
                    (a as i64).max(b as i64) as u64,
                    (a as i64).min(b as i64) as u64,
                    a.max(b),
                    a.min(b),
                ];
                let (c, d) = (a as u32, b as u32);
                let narrow = [
                    c.wrapping_add(d),
                    c & d,
                    c ^ d,
                    c | d,
                    (c as i32).max(d as i32) as u32,
                    (c as i32).min(d as i32) as u32,
                    c.max(d),
                    c.min(d),
                ];
                for (i, op) in AtomicOp::ALL.into_iter().enumerate() {
                    assert_eq!(op.apply(a, b, 3), wide[i], "{op} of {a:#x} and {b:#x}");
                    let result = op.apply(c.into(), d.into(), 2);
                    assert_eq!(result, u64::from(narrow[i]), "{op} of {c:#x} and {d:#x}");
                }
            }
        }
    }

    #[test]
    fn operands_come_back_from_their_lanes() {
        let compare = Atomic::Compare {
            expected: 0x1122_3344,
            new: 0x5566_7788,
        };
        let lanes = compare.lanes(0x100c, 2);
        assert_eq!(lanes[12..], 0x1122_3344u32.to_le_bytes());
        assert_eq!(lanes[4..8], 0x5566_7788u32.to_le_bytes());
        let of = |opcode| Atomic::of(opcode, AtomicOp::Xor, 0x100c, 2, &lanes);
        assert_eq!(of(Opcode::AtomicCompare), Some(compare));
        let new = 0x1122_3344;
        assert_eq!(of(Opcode::AtomicSwap), Some(Atomic::Swap { new }));
        let (op, operand) = (AtomicOp::Xor, new);
        assert_eq!(of(Opcode::AtomicLoad), Some(Atomic::Modify { op, operand }));
        assert_eq!(of(Opcode::WriteUnique), None);
    }

    #[test]
    fn an_exchange_takes_place_only_on_the_expected_value() {
        let compare = Atomic::Compare {
            expected: 5,
            new: 7,
        };
        assert_eq!([4, 5].map(|old| compare.apply(old, 3)), [4, 7]);
        assert_eq!(Atomic::Swap { new: 7 }.apply(4, 3), 7);
    }
}
