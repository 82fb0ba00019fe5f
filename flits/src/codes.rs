//! The small enumerations of the format: classes, cache states and response status.

use serde::{Deserialize, Serialize};

/// Declares an enumeration whose codes travel in a flit: the value, its code, how it prints.
/// The first value is the default.
macro_rules! coded_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $text:literal; )+ }
    ) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        $(#[$meta])*
        #[repr(u8)]
        pub enum $name {
            $( $(#[doc = $doc])+ $variant = $code, )+
        }

        impl $name {
            /// Every value, in the order of the codes.
            pub const ALL: [$name; [$($code),+].len()] = [$($name::$variant),+];

            /// The value of a code, or `None` when no value has it.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $( $code => Some($name::$variant), )+
                    _ => None,
                }
            }

            /// The code in the flit.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The name of the value as it is spelled in Rust and, after a prefix, in
            /// SystemVerilog.
            pub const fn name(self) -> &'static str {
                match self { $( $name::$variant => stringify!($variant), )+ }
            }

            /// What the value means, without a full stop.
            pub fn doc(self) -> &'static str {
                let text = match self { $( $name::$variant => concat!($($doc),+), )+ };
                text.trim().trim_end_matches('.')
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $name::ALL[0]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self { $( $name::$variant => $text, )+ })
            }
        }
    };
}

coded_enum! {
    /// A class of packets: a virtual network with buffers and credits of its own.
    ///
    /// A receiver may stop taking a class only to wait for classes with a higher number; `Rsp` and
    /// `Dat` are always taken.
    Class {
        /// Requester to home (coherent) or to memory (uncached).
        Req = 0, "REQ";
        /// Home to caches.
        Snp = 1, "SNP";
        /// Home to memory.
        Mem = 2, "MEM";
        /// Completions and acknowledgements without data.
        Rsp = 3, "RSP";
        /// Packets with data.
        Dat = 4, "DAT";
    }
}

coded_enum! {
    /// The state of a line in a cache.
    CacheState {
        /// Invalid: no copy.
        I = 0, "I";
        /// Shared clean: one of possibly many readable copies.
        SC = 1, "SC";
        /// Unique clean: the only copy, equal to memory; may become `UD` silently.
        UC = 2, "UC";
        /// Unique dirty: the only copy, newer than memory.
        UD = 3, "UD";
    }
}

coded_enum! {
    /// The response status of a completion.
    RespErr {
        /// Success.
        Ok = 0, "Ok";
        /// The data is poisoned.
        DataError = 1, "DataError";
        /// No region of the address map holds the address.
        Unmapped = 2, "Unmapped";
        /// The source has no right to the region.
        NoRight = 3, "NoRight";
        /// A coherent request to an uncached region, or the reverse.
        WrongRegion = 4, "WrongRegion";
        /// The answer did not come in time.
        Timeout = 5, "Timeout";
    }
}

coded_enum! {
    /// What AtomicStore and AtomicLoad do to memory: it holds what this makes of the old value and
    /// the operand.
    #[serde(rename_all = "snake_case")]
    AtomicOp {
        /// Sum, without carry out.
        Add = 0, "add";
        /// Bits that both have.
        And = 1, "and";
        /// Bits that one of them has.
        Xor = 2, "xor";
        /// Bits that any of them has.
        Or = 3, "or";
        /// The greater, signed.
        Smax = 4, "smax";
        /// The less, signed.
        Smin = 5, "smin";
        /// The greater, unsigned.
        Umax = 6, "umax";
        /// The less, unsigned.
        Umin = 7, "umin";
    }
}

impl CacheState {
    /// Whether the holder may write: `UC` or `UD`.
    pub const fn is_unique(self) -> bool {
        matches!(self, CacheState::UC | CacheState::UD)
    }
}
