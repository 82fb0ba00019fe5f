//! The table of opcodes: code, class, payload, sizes, meaning.

use crate::Class;
use serde::{Deserialize, Serialize};

/// Which sizes (log2 of the bytes) a packet of an opcode may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// The header has no size.
    None,
    /// One 64-byte line: 6.
    Line,
    /// An operand of 4 or 8 bytes: 2 or 3.
    Word,
    /// A piece of up to 16 bytes or one line: 0 to 4, or 6.
    PieceOrLine,
    /// 1 to 256 bytes: 0 to 8.
    Any,
}

impl Sizes {
    /// Whether `size` is one of these.
    pub const fn allow(self, size: u8) -> bool {
        match self {
            Sizes::None => size == 0,
            Sizes::Line => size == 6,
            Sizes::Word => size == 2 || size == 3,
            Sizes::PieceOrLine => size <= 4 || size == 6,
            Sizes::Any => size <= crate::layout::MAX_SIZE,
        }
    }
}

/// Declares the opcodes: `Name = code, class, payload, sizes;`.
macro_rules! opcodes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $class:ident, $payload:literal, $sizes:ident; )+) => {
        /// What a packet asks for or says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Opcode {
            $( $(#[doc = $doc])+ $variant = $code, )+
        }

        impl Opcode {
            /// Every opcode in use, in the order of the codes.
            pub const ALL: [Opcode; [$($code),+].len()] = [$(Opcode::$variant),+];

            /// The opcode of a code; `None` for free codes.
            pub const fn from_code(code: u8) -> Option<Opcode> {
                match code {
                    $( $code => Some(Opcode::$variant), )+
                    _ => None,
                }
            }

            /// The name, as it is spelled in Rust and, after `Op`, in SystemVerilog.
            pub const fn name(self) -> &'static str {
                match self { $( Opcode::$variant => stringify!($variant), )+ }
            }

            /// The class that carries it.
            pub const fn class(self) -> Class {
                match self { $( Opcode::$variant => Class::$class, )+ }
            }

            /// Whether payload flits follow the header.
            pub const fn has_payload(self) -> bool {
                match self { $( Opcode::$variant => $payload, )+ }
            }

            /// The sizes that its packets may have.
            pub const fn sizes(self) -> Sizes {
                match self { $( Opcode::$variant => Sizes::$sizes, )+ }
            }

            /// What it asks for or says, without a full stop.
            pub fn doc(self) -> &'static str {
                let text = match self { $( Opcode::$variant => concat!($($doc),+), )+ };
                text.trim().trim_end_matches('.')
            }
        }
    };
}

opcodes! {
    /// Read of an uncached region, 1 to 256 bytes; the memory answers CompData.
    ReadNoSnp = 0x00, Req, false, Any;
    /// Write of an uncached region, 1 to 256 bytes; the memory answers Comp.
    WriteNoSnp = 0x01, Req, true, Any;
    /// The line's value now, not cached.
    ReadOnce = 0x02, Req, false, Line;
    /// A coherent store without caching: up to 16 bytes with byte enables, or a whole line.
    WriteUnique = 0x03, Req, true, PieceOrLine;
    /// A readable copy.
    ReadShared = 0x04, Req, false, Line;
    /// A writable copy with data.
    ReadUnique = 0x05, Req, false, Line;
    /// Write permission for a held SC line.
    CleanUnique = 0x06, Req, false, Line;
    /// Write permission for a line that will be overwritten whole.
    MakeUnique = 0x07, Req, false, Line;
    /// Gives up a UD line.
    WriteBackFull = 0x08, Req, true, Line;
    /// Gives up an SC or UC line.
    Evict = 0x09, Req, false, Line;
    /// The line in memory and in no cache.
    CleanInvalid = 0x0a, Req, false, Line;
    /// A far atomic of 4 or 8 bytes; Comp.
    AtomicStore = 0x10, Req, true, Word;
    /// A far atomic of 4 or 8 bytes; CompData with the old value.
    AtomicLoad = 0x11, Req, true, Word;
    /// Exchange of 4 or 8 bytes at the home; CompData with the old value.
    AtomicSwap = 0x12, Req, true, Word;
    /// Exchange of 4 or 8 bytes at the home if they are as expected; CompData with the old value.
    AtomicCompare = 0x13, Req, true, Word;
    /// To the owner: send the requester an SC copy.
    SnpSharedFwd = 0x20, Snp, false, None;
    /// To the owner: send the requester the line and give it up.
    SnpUniqueFwd = 0x21, Snp, false, None;
    /// To the owner: send the requester the value, keep the line.
    SnpOnceFwd = 0x22, Snp, false, None;
    /// Give the line up; dirty data to the home.
    SnpUnique = 0x23, Snp, false, None;
    /// Drop the line, dirty or not.
    SnpMakeInvalid = 0x24, Snp, false, None;
    /// Read a line; CompData goes to the return node.
    MemRead = 0x28, Mem, false, Line;
    /// Write a line or, with byte enables, up to 16 bytes; Comp goes to the home.
    MemWrite = 0x29, Mem, true, PieceOrLine;
    /// Done without data; with `resp` not Ok, failed.
    Comp = 0x30, Rsp, false, None;
    /// The requester has its answer and is in `state`.
    CompAck = 0x31, Rsp, false, None;
    /// Snoop answered, no data, nothing forwarded.
    SnpResp = 0x32, Rsp, false, None;
    /// Snoop answered, data forwarded.
    SnpRespFwded = 0x33, Rsp, false, None;
    /// Data for a requester, granting `state`.
    CompData = 0x38, Dat, true, Any;
    /// Snoop answered with dirty data, nothing forwarded.
    SnpRespData = 0x39, Dat, true, Line;
    /// Snoop answered with dirty data, data forwarded too.
    SnpRespDataFwded = 0x3a, Dat, true, Line;
}

impl Opcode {
    /// The code in the flit.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether it is a far atomic.
    pub const fn is_atomic(self) -> bool {
        matches!(self.sizes(), Sizes::Word)
    }

    /// Whether a request is one that homes serve; the others go straight to a memory.
    pub const fn is_coherent(self) -> bool {
        !matches!(self, Opcode::ReadNoSnp | Opcode::WriteNoSnp)
    }

    /// Whether the requester acknowledges the answer of its home, with CompAck.
    pub const fn is_acknowledged(self) -> bool {
        use Opcode::{CleanUnique, MakeUnique, ReadOnce, ReadShared, ReadUnique};
        matches!(
            self,
            ReadShared | ReadUnique | CleanUnique | MakeUnique | ReadOnce
        )
    }

    /// Whether the requester needs the right to read: it learns what memory holds, or has it change
    /// by what it was.
    pub const fn needs_read(self) -> bool {
        use Opcode::{CleanInvalid, CleanUnique, ReadNoSnp, ReadOnce, ReadShared, ReadUnique};
        let reads = matches!(
            self,
            ReadNoSnp | ReadOnce | ReadShared | ReadUnique | CleanUnique | CleanInvalid
        );
        reads || self.is_atomic()
    }

    /// Whether the requester needs the right to write: it changes what memory holds, or is granted a
    /// copy in which it may. Giving back what was granted, by WriteBackFull or Evict, needs no right.
    pub const fn needs_write(self) -> bool {
        use Opcode::{CleanUnique, MakeUnique, ReadUnique, WriteNoSnp, WriteUnique};
        let writes = matches!(
            self,
            WriteNoSnp | WriteUnique | ReadUnique | CleanUnique | MakeUnique
        );
        writes || self.is_atomic()
    }

    /// Whether the header's `atomic_op` says what it does.
    pub const fn has_atomic_op(self) -> bool {
        matches!(self, Opcode::AtomicStore | Opcode::AtomicLoad)
    }
}

impl std::fmt::Display for Opcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
