//! Operations and their line of the file.

use super::{Node, Turn};
use crate::layout::{ADDR_BITS, LINE_BYTES, LINE_SIZE, MAX_SIZE};
use crate::{AtomicOp, Class, Data, LinkWord, hex};
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
    fn check(&self) -> Result<(), String> {
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
            if !matches!(self.kind().widths(), Widths::Fixed) {
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
        if let Op::Packet(packet) = self {
            write!(f, " {} words {}", packet.class, packet.length)?;
            if !packet.to.is_empty() {
                write!(f, " to {:?}", packet.to)?;
            }
            if packet.high {
                write!(f, " of high priority")?;
            }
        }
        Ok(())
    }
}

/// An operation of a node, and the cycles that the node idles before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StepLine", into = "StepLine")]
pub struct Step {
    /// The port of the node.
    pub node: usize,
    /// Cycles between the end of the node's last operation and the start of this one.
    pub after: u64,
    /// The operation.
    pub op: Op,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}: {}", self.node, self.op)?;
        if self.after != 0 {
            write!(f, " after {}", self.after)?;
        }
        Ok(())
    }
}

/// A step as its line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepLine {
    node: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    after: u64,
    op: OpKind,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    addr: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    atomic: Option<AtomicOp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    expected: Option<u128>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    value: Option<u128>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<Vec<LinkWord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    what: Option<Turn>,
}

fn is_zero(cycles: &u64) -> bool {
    *cycles == 0
}

impl From<Step> for StepLine {
    fn from(step: Step) -> StepLine {
        let Step { node, after, op } = step;
        let kind = op.kind();
        let (addr, size) = op.access().unzip();
        let packet = match &op {
            Op::Packet(packet) => Some(packet.clone()),
            _ => None,
        };
        StepLine {
            node,
            after,
            op: kind,
            addr,
            size: size.filter(|_| !matches!(kind.widths(), Widths::Fixed)),
            atomic: op.atomic(),
            expected: op.expected(),
            value: op.value(),
            what: match op {
                Op::Turn(turn) => Some(turn),
                _ => None,
            },
            words: match op {
                Op::Raw { words } => Some(words),
                _ => None,
            },
            class: packet.as_ref().map(|packet| packet.class),
            length: packet.as_ref().map(|packet| packet.length),
            high: (packet.as_ref()).and_then(|packet| packet.high.then_some(true)),
            to: packet.map(|packet| packet.to).filter(|to| !to.is_empty()),
        }
    }
}

impl TryFrom<StepLine> for Step {
    type Error = String;

    fn try_from(mut line: StepLine) -> Result<Step, String> {
        let kind = line.op;
        let op = match kind {
            OpKind::Load => Op::Load {
                addr: line.addr()?,
                size: line.size()?,
            },
            OpKind::Store => Op::Store {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::StoreLine => Op::StoreLine {
                addr: line.addr()?,
                value: line.value()?,
            },
            OpKind::FetchAdd => Op::FetchAdd {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::Swap => Op::Swap {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::CompareSwap => Op::CompareSwap {
                addr: line.addr()?,
                size: line.size()?,
                expected: line.expected()?,
                value: line.value()?,
            },
            OpKind::Fence => Op::Fence,
            OpKind::Evict => Op::Evict { addr: line.addr()? },
            OpKind::ReadOnce => Op::ReadOnce { addr: line.addr()? },
            OpKind::WriteUnique => Op::WriteUnique {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::WritePoison => Op::WritePoison {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::AtomicStore => Op::AtomicStore {
                addr: line.addr()?,
                size: line.size()?,
                atomic: line.atomic()?,
                value: line.value()?,
            },
            OpKind::AtomicLoad => Op::AtomicLoad {
                addr: line.addr()?,
                size: line.size()?,
                atomic: line.atomic()?,
                value: line.value()?,
            },
            OpKind::AtomicSwap => Op::AtomicSwap {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::AtomicCompare => Op::AtomicCompare {
                addr: line.addr()?,
                size: line.size()?,
                expected: line.expected()?,
                value: line.value()?,
            },
            OpKind::CleanInvalid => Op::CleanInvalid { addr: line.addr()? },
            OpKind::ReadUncached => Op::ReadUncached {
                addr: line.addr()?,
                size: line.size()?,
            },
            OpKind::WriteUncached => Op::WriteUncached {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::Raw => Op::Raw {
                words: line.words.take().ok_or_else(|| lacks(kind, "words"))?,
            },
            OpKind::Packet => Op::Packet(Packet {
                class: line.class.take().ok_or_else(|| lacks(kind, "class"))?,
                to: line.to.take().unwrap_or_default(),
                length: line.length.take().ok_or_else(|| lacks(kind, "length"))?,
                high: line.high.take().unwrap_or_default(),
            }),
            OpKind::Turn => Op::Turn(line.what.take().ok_or_else(|| lacks(kind, "what"))?),
        };
        let left = [
            ("addr", line.addr.is_some()),
            ("size", line.size.is_some()),
            ("atomic", line.atomic.is_some()),
            ("expected", line.expected.is_some()),
            ("value", line.value.is_some()),
            ("words", line.words.is_some()),
            ("class", line.class.is_some()),
            ("to", line.to.is_some()),
            ("length", line.length.is_some()),
            ("high", line.high.is_some()),
            ("what", line.what.is_some()),
        ];
        if let Some((field, _)) = left.into_iter().find(|&(_, is_left)| is_left) {
            return Err(format!("{kind} has no `{field}`"));
        }
        Ok(Step {
            node: line.node,
            after: line.after,
            op,
        })
    }
}

fn lacks(kind: OpKind, field: &str) -> String {
    format!("{kind} needs `{field}`")
}

impl StepLine {
    fn addr(&mut self) -> Result<u64, String> {
        self.addr.take().ok_or_else(|| lacks(self.op, "addr"))
    }

    fn size(&mut self) -> Result<u16, String> {
        self.size.take().ok_or_else(|| lacks(self.op, "size"))
    }

    fn atomic(&mut self) -> Result<AtomicOp, String> {
        self.atomic.take().ok_or_else(|| lacks(self.op, "atomic"))
    }

    fn expected(&mut self) -> Result<u128, String> {
        self.expected
            .take()
            .ok_or_else(|| lacks(self.op, "expected"))
    }

    fn value(&mut self) -> Result<u128, String> {
        self.value.take().ok_or_else(|| lacks(self.op, "value"))
    }
}
