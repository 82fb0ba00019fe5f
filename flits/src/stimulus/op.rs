//! Operations.

use super::{Node, Packet, Turn};
use crate::layout::{ADDR_BITS, LINE_BYTES, LINE_SIZE, MAX_SIZE};
use crate::{AtomicOp, Data, LinkWord};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// Read of 1 to 16 bytes or of a line, through the cache.
    Load,
    /// Write of 1 to 16 bytes, through the cache.
    Store,
    /// Write of a whole line, through the cache.
    StoreLine,
    /// Add to 1 to 16 bytes and give the old value, through the cache.
    FetchAdd,
    /// Exchange 1 to 16 bytes, through the cache.
    Swap,
    /// Exchange 1 to 16 bytes if they are as expected, and give the old value, through the cache.
    CompareSwap,
    /// Wait until all earlier stores of the node are visible to all.
    Fence,
    /// Give a line up.
    Evict,
    /// Read of a line's value now, not cached.
    ReadOnce,
    /// Coherent write of 1 to 16 bytes or of a line, not cached.
    WriteUnique,
    /// The same of data known to be corrupt.
    WritePoison,
    /// Modify 4 or 8 bytes, at the home.
    AtomicStore,
    /// Modify 4 or 8 bytes and give the old value, at the home.
    AtomicLoad,
    /// Exchange 4 or 8 bytes, at the home.
    AtomicSwap,
    /// Exchange 4 or 8 bytes if they are as expected, and give the old value, at the home.
    AtomicCompare,
    /// Have a line in memory and in no cache.
    CleanInvalid,
    /// Read of 1 to 256 bytes of an uncached region.
    ReadUncached,
    /// Write of 1 to 256 bytes of an uncached region.
    WriteUncached,
    /// Send link words as they are.
    Raw,
    /// Send a packet whose content says nothing, through the fabric or a link alone.
    Packet,
    /// Do something around a home alone.
    Turn,
}

/// Which sizes an operation may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Widths {
    /// The operation has no size of its own: nothing, or a line.
    Fixed,
    /// 4 or 8 bytes.
    Far,
    /// 1 to 16 bytes.
    Word,
    /// 1 to 16 bytes or a line.
    WordOrLine,
    /// 1 to 256 bytes.
    Any,
}

impl OpKind {
    /// Every kind.
    pub const ALL: [OpKind; 21] = [
        OpKind::Load,
        OpKind::Store,
        OpKind::StoreLine,
        OpKind::FetchAdd,
        OpKind::Swap,
        OpKind::CompareSwap,
        OpKind::Fence,
        OpKind::Evict,
        OpKind::ReadOnce,
        OpKind::WriteUnique,
        OpKind::WritePoison,
        OpKind::AtomicStore,
        OpKind::AtomicLoad,
        OpKind::AtomicSwap,
        OpKind::AtomicCompare,
        OpKind::CleanInvalid,
        OpKind::ReadUncached,
        OpKind::WriteUncached,
        OpKind::Raw,
        OpKind::Packet,
        OpKind::Turn,
    ];

    /// What the file calls it.
    pub const fn name(self) -> &'static str {
        match self {
            OpKind::Load => "load",
            OpKind::Store => "store",
            OpKind::StoreLine => "store_line",
            OpKind::FetchAdd => "fetch_add",
            OpKind::Swap => "swap",
            OpKind::CompareSwap => "compare_swap",
            OpKind::Fence => "fence",
            OpKind::Evict => "evict",
            OpKind::ReadOnce => "read_once",
            OpKind::WriteUnique => "write_unique",
            OpKind::WritePoison => "write_poison",
            OpKind::AtomicStore => "atomic_store",
            OpKind::AtomicLoad => "atomic_load",
            OpKind::AtomicSwap => "atomic_swap",
            OpKind::AtomicCompare => "atomic_compare",
            OpKind::CleanInvalid => "clean_invalid",
            OpKind::ReadUncached => "read_uncached",
            OpKind::WriteUncached => "write_uncached",
            OpKind::Raw => "raw",
            OpKind::Packet => "packet",
            OpKind::Turn => "turn",
        }
    }

    /// Whether it is one of a program, and not words that are sent as they are or one for a part alone.
    pub const fn is_access(self) -> bool {
        !matches!(self, OpKind::Raw | OpKind::Packet | OpKind::Turn)
    }

    /// Whether the home computes what memory then holds.
    pub const fn is_far(self) -> bool {
        matches!(
            self,
            OpKind::AtomicStore | OpKind::AtomicLoad | OpKind::AtomicSwap | OpKind::AtomicCompare
        )
    }

    /// Whether it may change memory.
    pub const fn writes(self) -> bool {
        self.is_far()
            || matches!(
                self,
                OpKind::WritePoison
                    | OpKind::Store
                    | OpKind::StoreLine
                    | OpKind::FetchAdd
                    | OpKind::Swap
                    | OpKind::CompareSwap
                    | OpKind::WriteUnique
                    | OpKind::WriteUncached
            )
    }

    /// Whether it gives a value.
    pub const fn reads(self) -> bool {
        matches!(
            self,
            OpKind::Load
                | OpKind::FetchAdd
                | OpKind::Swap
                | OpKind::CompareSwap
                | OpKind::AtomicLoad
                | OpKind::AtomicSwap
                | OpKind::AtomicCompare
                | OpKind::ReadOnce
                | OpKind::ReadUncached
        )
    }

    /// Whether a node can do it.
    pub const fn possible_on(self, node: &Node) -> bool {
        match node {
            Node::Cached { .. } => self.is_access(),
            Node::Io {} => {
                self.is_far()
                    || matches!(
                        self,
                        OpKind::Fence
                            | OpKind::WritePoison
                            | OpKind::CleanInvalid
                            | OpKind::ReadOnce
                            | OpKind::WriteUnique
                            | OpKind::ReadUncached
                            | OpKind::WriteUncached
                    )
            }
            Node::Hostile {} => matches!(self, OpKind::Raw),
            Node::Core { .. } => matches!(self, OpKind::Packet),
            Node::Peer { .. } => matches!(self, OpKind::Turn),
            Node::Memory { .. } => false,
        }
    }

    /// Whether an operation of this kind says how many bytes it is about.
    pub(super) fn is_sized(self) -> bool {
        self.widths() != Widths::Fixed
    }

    const fn widths(self) -> Widths {
        match self {
            OpKind::Store | OpKind::FetchAdd | OpKind::Swap | OpKind::CompareSwap => Widths::Word,
            OpKind::AtomicStore
            | OpKind::AtomicLoad
            | OpKind::AtomicSwap
            | OpKind::AtomicCompare => Widths::Far,
            OpKind::Load | OpKind::WriteUnique | OpKind::WritePoison => Widths::WordOrLine,
            OpKind::ReadUncached | OpKind::WriteUncached => Widths::Any,
            OpKind::StoreLine | OpKind::ReadOnce | OpKind::Evict | OpKind::CleanInvalid => {
                Widths::Fixed
            }
            OpKind::Fence | OpKind::Raw | OpKind::Packet | OpKind::Turn => Widths::Fixed,
        }
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One operation. Sizes are in bytes; values are little-endian numbers, see [`value_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields mean the same in every operation")]
pub enum Op {
    /// See [`OpKind::Load`].
    Load { addr: u64, size: u16 },
    /// See [`OpKind::Store`].
    Store { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::StoreLine`].
    StoreLine { addr: u64, value: u128 },
    /// See [`OpKind::FetchAdd`].
    FetchAdd { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::Swap`].
    Swap { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::CompareSwap`].
    CompareSwap {
        addr: u64,
        size: u16,
        expected: u128,
        value: u128,
    },
    /// See [`OpKind::Fence`].
    Fence,
    /// See [`OpKind::Evict`].
    Evict { addr: u64 },
    /// See [`OpKind::ReadOnce`].
    ReadOnce { addr: u64 },
    /// See [`OpKind::WriteUnique`].
    WriteUnique { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::WritePoison`].
    WritePoison { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::AtomicStore`].
    AtomicStore {
        addr: u64,
        size: u16,
        atomic: AtomicOp,
        value: u128,
    },
    /// See [`OpKind::AtomicLoad`].
    AtomicLoad {
        addr: u64,
        size: u16,
        atomic: AtomicOp,
        value: u128,
    },
    /// See [`OpKind::AtomicSwap`].
    AtomicSwap { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::AtomicCompare`].
    AtomicCompare {
        addr: u64,
        size: u16,
        expected: u128,
        value: u128,
    },
    /// See [`OpKind::CleanInvalid`].
    CleanInvalid { addr: u64 },
    /// See [`OpKind::ReadUncached`].
    ReadUncached { addr: u64, size: u16 },
    /// See [`OpKind::WriteUncached`].
    WriteUncached { addr: u64, size: u16, value: u128 },
    /// See [`OpKind::Raw`].
    Raw { words: Vec<LinkWord> },
    /// See [`OpKind::Packet`].
    Packet(Packet),
    /// See [`OpKind::Turn`].
    Turn(Turn),
}
/// The bytes that a write of `size` bytes of `value` leaves in memory: up to 16 bytes the number,
/// little-endian; in a longer write the 8-byte words `value`, `value` + 1, `value` + 2 and so on,
/// so that every word of it is known by its content.
///
/// ```
/// use flits::stimulus::value_bytes;
/// assert_eq!(value_bytes(0x1234, 2)[..], [0x34, 0x12]);
/// assert_eq!(value_bytes(7, 64)[8..16], 8u64.to_le_bytes());
/// ```
pub fn value_bytes(value: u128, size: u16) -> Data {
    let size = usize::from(size);
    if size <= 16 {
        return value.to_le_bytes()[..size].into();
    }
    (0..size as u64 / 8)
        .flat_map(|i| (value as u64).wrapping_add(i).to_le_bytes())
        .collect()
}

impl Op {
    /// What it does.
    pub const fn kind(&self) -> OpKind {
        match self {
            Op::Load { .. } => OpKind::Load,
            Op::Store { .. } => OpKind::Store,
            Op::StoreLine { .. } => OpKind::StoreLine,
            Op::FetchAdd { .. } => OpKind::FetchAdd,
            Op::Swap { .. } => OpKind::Swap,
            Op::CompareSwap { .. } => OpKind::CompareSwap,
            Op::Fence => OpKind::Fence,
            Op::Evict { .. } => OpKind::Evict,
            Op::ReadOnce { .. } => OpKind::ReadOnce,
            Op::WriteUnique { .. } => OpKind::WriteUnique,
            Op::WritePoison { .. } => OpKind::WritePoison,
            Op::AtomicStore { .. } => OpKind::AtomicStore,
            Op::AtomicLoad { .. } => OpKind::AtomicLoad,
            Op::AtomicSwap { .. } => OpKind::AtomicSwap,
            Op::AtomicCompare { .. } => OpKind::AtomicCompare,
            Op::CleanInvalid { .. } => OpKind::CleanInvalid,
            Op::ReadUncached { .. } => OpKind::ReadUncached,
            Op::WriteUncached { .. } => OpKind::WriteUncached,
            Op::Raw { .. } => OpKind::Raw,
            Op::Packet(_) => OpKind::Packet,
            Op::Turn(_) => OpKind::Turn,
        }
    }

    /// The address and the bytes that it is about, if it is about any.
    pub const fn access(&self) -> Option<(u64, u16)> {
        match *self {
            Op::Load { addr, size }
            | Op::Store { addr, size, .. }
            | Op::FetchAdd { addr, size, .. }
            | Op::Swap { addr, size, .. }
            | Op::CompareSwap { addr, size, .. }
            | Op::WriteUnique { addr, size, .. }
            | Op::WritePoison { addr, size, .. }
            | Op::AtomicStore { addr, size, .. }
            | Op::AtomicLoad { addr, size, .. }
            | Op::AtomicSwap { addr, size, .. }
            | Op::AtomicCompare { addr, size, .. }
            | Op::ReadUncached { addr, size }
            | Op::WriteUncached { addr, size, .. } => Some((addr, size)),
            Op::StoreLine { addr, .. }
            | Op::Evict { addr }
            | Op::ReadOnce { addr }
            | Op::CleanInvalid { addr } => Some((addr, LINE_BYTES as u16)),
            Op::Fence | Op::Raw { .. } | Op::Packet(_) | Op::Turn(_) => None,
        }
    }

    /// The value that it writes, exchanges or operates with.
    pub const fn value(&self) -> Option<u128> {
        match *self {
            Op::Store { value, .. }
            | Op::StoreLine { value, .. }
            | Op::FetchAdd { value, .. }
            | Op::Swap { value, .. }
            | Op::CompareSwap { value, .. }
            | Op::WriteUnique { value, .. }
            | Op::WritePoison { value, .. }
            | Op::AtomicStore { value, .. }
            | Op::AtomicLoad { value, .. }
            | Op::AtomicSwap { value, .. }
            | Op::AtomicCompare { value, .. }
            | Op::WriteUncached { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub const fn value_mut(&mut self) -> Option<&mut u128> {
        match self {
            Op::Store { value, .. }
            | Op::StoreLine { value, .. }
            | Op::FetchAdd { value, .. }
            | Op::Swap { value, .. }
            | Op::CompareSwap { value, .. }
            | Op::WriteUnique { value, .. }
            | Op::WritePoison { value, .. }
            | Op::AtomicStore { value, .. }
            | Op::AtomicLoad { value, .. }
            | Op::AtomicSwap { value, .. }
            | Op::AtomicCompare { value, .. }
            | Op::WriteUncached { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The value that memory must hold for an exchange.
    pub const fn expected(&self) -> Option<u128> {
        match *self {
            Op::CompareSwap { expected, .. } | Op::AtomicCompare { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// What an atomic_store or atomic_load does.
    pub const fn atomic(&self) -> Option<AtomicOp> {
        match *self {
            Op::AtomicStore { atomic, .. } | Op::AtomicLoad { atomic, .. } => Some(atomic),
            _ => None,
        }
    }

    /// Checks the operation by itself: its size, its alignment, and that its values fit.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong.
    pub fn check(&self) -> Result<(), String> {
        let kind = self.kind();
        if let Op::Raw { words } = self {
            return match words.is_empty() {
                true => Err("raw has no words".to_owned()),
                false => Ok(()),
            };
        }
        if let Op::Packet(packet) = self {
            return packet.check();
        }
        if let Op::Turn(turn) = self {
            return turn.check();
        }
        let Some((addr, size)) = self.access() else {
            return Ok(());
        };
        let log2 = size.checked_ilog2().filter(|_| size.is_power_of_two());
        let log2 = log2.map_or(u8::MAX, |log2| log2 as u8);
        let (fits, wanted) = match kind.widths() {
            Widths::Fixed => (true, ""),
            Widths::Far => (matches!(log2, 2 | 3), "4 or 8"),
            Widths::Word => (log2 <= 4, "1, 2, 4, 8 or 16"),
            Widths::WordOrLine => (log2 <= 4 || log2 == LINE_SIZE, "1, 2, 4, 8, 16 or 64"),
            Widths::Any => (log2 <= MAX_SIZE, "a power of two up to 256"),
        };
        if !fits {
            return Err(format!("{kind} of {size} bytes; the size can be {wanted}"));
        }
        if addr >> ADDR_BITS != 0 {
            return Err(format!("address {addr:#x} has more than {ADDR_BITS} bits"));
        }
        let offset = addr % u64::from(size);
        // An access of at most a line that is aligned cannot straddle; say it where it would.
        if offset != 0 {
            let in_line = addr % LINE_BYTES as u64 + u64::from(size) <= LINE_BYTES as u64;
            let straddles = if in_line {
                ""
            } else {
                " (it would straddle two lines)"
            };
            return Err(format!(
                "{kind} of {size} bytes at {addr:#x} is not aligned{straddles}: \
                 the address must be a multiple of {size}"
            ));
        }
        // The words of a longer write count up from a 64-bit number.
        let bytes = if size <= 16 { u32::from(size) } else { 8 };
        for value in self.value().into_iter().chain(self.expected()) {
            if value.checked_shr(8 * bytes).is_some_and(|rest| rest != 0) {
                return Err(format!("value {value:#x} does not fit in {bytes} bytes"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        if let Some((addr, size)) = self.access() {
            write!(f, " {addr:#x}")?;
            if self.kind().is_sized() {
                write!(f, " bytes {size}")?;
            }
        }
        if let Some(atomic) = self.atomic() {
            write!(f, " {atomic}")?;
        }
        if let Some(expected) = self.expected() {
            write!(f, " expected {expected:#x}")?;
        }
        if let Some(value) = self.value() {
            write!(f, " value {value:#x}")?;
        }
        if let Op::Raw { words } = self {
            write!(f, " words {}", words.len())?;
        }
        match self {
            Op::Packet(packet) => write!(f, " {packet}"),
            Op::Turn(turn) => write!(f, " {turn}"),
            _ => Ok(()),
        }
    }
}
