//! Headers: the codec and its checks.

use crate::layout::{self, Field, FieldValue, Form, field_table};
use crate::{AtomicOp, CacheState, Class, Flit, NodeId, Opcode, RespErr};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a header is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No opcode of the class has this code.
    #[error("{class} has no opcode {code:#04x}")]
    UnknownOpcode {
        /// The class of the packet.
        class: Class,
        /// The code in the header.
        code: u8,
    },
    /// The opcode does not come in this size.
    #[error("{opcode} cannot have size {size} (2^{size} bytes)")]
    BadSize {
        /// The opcode.
        opcode: Opcode,
        /// log2 of the bytes.
        size: u8,
    },
    /// The address is no multiple of the bytes that the packet is about.
    #[error("{opcode} of {bytes} bytes at {addr:#x}: the address must be a multiple of {bytes}")]
    Misaligned {
        /// The opcode.
        opcode: Opcode,
        /// The address.
        addr: u64,
        /// The bytes it is about.
        bytes: u16,
    },
    /// A byte enable is set outside the bytes of the access, or not all are set in a write of more
    /// than 16 bytes.
    #[error("{opcode} of size {size} at {addr:#x} cannot have byte enables {be:#06x}")]
    BadEnables {
        /// The opcode.
        opcode: Opcode,
        /// The address.
        addr: u64,
        /// log2 of the bytes.
        size: u8,
        /// The byte enables.
        be: u16,
    },
    /// The bits of a field are no value of it.
    #[error("{value:#x} is no value of {field} (bits {msb}:{lsb})", field = field.name, msb = field.msb(), lsb = field.lsb)]
    BadValue {
        /// The field.
        field: &'static Field,
        /// The bits.
        value: u64,
    },
    /// The value does not fit the field.
    #[error("{value:#x} does not fit {field}, which has {width} bits", field = field.name, width = field.width)]
    OutOfRange {
        /// The field.
        field: &'static Field,
        /// The value.
        value: u64,
    },
    /// A field is set that headers of this opcode do not have.
    #[error("{opcode} has no field {field}", field = field.name)]
    NoSuchField {
        /// The opcode.
        opcode: Opcode,
        /// The field.
        field: &'static Field,
    },
    /// A bit that no field has is 1.
    #[error("{opcode} with reserved bits set: {bits}")]
    ReservedBits {
        /// The opcode.
        opcode: Opcode,
        /// The offending bits in place.
        bits: Flit,
    },
}

/// Runs an expression with a constant that is the index of a form in [`Form::ALL`]: the choice of
/// fields is then made when compiling, not for every flit.
macro_rules! for_form {
    ($form:expr, $constant:ident => $run:expr) => {
        match $form {
            Form::Req => for_form!(@ $constant, Req, $run),
            Form::Snp => for_form!(@ $constant, Snp, $run),
            Form::MemRead => for_form!(@ $constant, MemRead, $run),
            Form::MemWrite => for_form!(@ $constant, MemWrite, $run),
            Form::Rsp => for_form!(@ $constant, Rsp, $run),
            Form::Dat => for_form!(@ $constant, Dat, $run),
        }
    };
    (@ $constant:ident, $form:ident, $run:expr) => {{
        const $constant: usize = Form::$form as usize;
        $run
    }};
}

macro_rules! declare_header {
    ($( $constant:ident $name:ident: $type:ty = $lsb:literal, $width:literal, [$($form:ident)+], $doc:literal; )+) => {
        /// The header of a packet, one flat structure for all forms.
        ///
        /// Fields that the form of the opcode does not have ([`Form::fields`]) are zero. Make one
        /// with a constructor and [`Header::check`] it, or write the structure out over
        /// [`Header::new`] where the values are known to be legal.
        ///
        /// ```
        /// use flits::{Header, NodeId};
        /// let header = Header::read_shared(NodeId::port(3), 5, 0x1000)?;
        /// assert_eq!(header.to_string(), "REQ ReadShared 3->0 txn 5 addr 0x1000");
        /// assert_eq!(Header::decode(header.class(), header.encode())?, header);
        /// # Ok::<(), flits::HeaderError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Header {
            $( #[doc = concat!(" ", $doc, ".")] pub $name: $type, )+
        }

        impl Header {
            /// The flit of the header.
            ///
            /// Values are cut to the width of their fields and fields that the form does not have
            /// are left out; a legal header ([`Header::check`]) loses nothing, and debug builds
            /// insist on one.
            pub fn encode(&self) -> Flit {
                debug_assert_eq!(self.check(), Ok(()));
                let form = Form::of(self.opcode);
                let mut bits = 0;
                $(
                    if layout::$constant.is_in(form) {
                        bits |= u128::from(self.$name.to_bits() & layout::$constant.max()) << $lsb;
                    }
                )+
                Flit::from_u128(bits)
            }

            /// The header in a flit of a class.
            ///
            /// # Errors
            /// Whatever [`Header::check`] finds, an opcode that the class does not have, a field
            /// whose bits mean nothing, a reserved bit that is set.
            pub fn decode(class: Class, flit: Flit) -> Result<Header, HeaderError> {
                let bits = flit.to_u128();
                let code = (bits as u64 & layout::OPCODE.max()) as u8;
                let opcode = Opcode::from_code(code)
                    .filter(|opcode| opcode.class() == class)
                    .ok_or(HeaderError::UnknownOpcode { class, code })?;
                for_form!(Form::of(opcode), FORM => Header::decode_as::<FORM>(opcode, bits))
            }

            fn decode_as<const FORM: usize>(
                opcode: Opcode,
                bits: u128,
            ) -> Result<Header, HeaderError> {
                let header = Header {
                    $(
                        $name: {
                            let value = if const { layout::$constant.is_in(Form::ALL[FORM]) } {
                                (bits >> $lsb) as u64 & layout::$constant.max()
                            } else {
                                0
                            };
                            <$type>::from_bits(value).ok_or(HeaderError::BadValue {
                                field: &layout::$constant,
                                value,
                            })?
                        },
                    )+
                };
                let reserved = bits & const { Form::ALL[FORM].reserved_mask() };
                if reserved != 0 {
                    let bits = Flit::from_u128(reserved);
                    return Err(HeaderError::ReservedBits { opcode, bits });
                }
                header.check_meaning()?;
                Ok(header)
            }

            /// Whether every field is within its width and belongs to the form.
            fn check_fields(&self) -> Result<(), HeaderError> {
                let form = Form::of(self.opcode);
                $(
                    let value = self.$name.to_bits();
                    if value > layout::$constant.max() {
                        return Err(HeaderError::OutOfRange { field: &layout::$constant, value });
                    }
                    if value != 0 && !layout::$constant.is_in(form) {
                        let opcode = self.opcode;
                        return Err(HeaderError::NoSuchField { opcode, field: &layout::$constant });
                    }
                )+
                Ok(())
            }
        }
    };
}

field_table!(declare_header);

impl Header {
    /// A header with every field 0 but the opcode, and the least size that the opcode may have.
    pub const fn new(opcode: Opcode) -> Header {
        let zero = NodeId::port(0);
        Header {
            opcode,
            qos: 0,
            src: zero,
            dst: zero,
            txn: 0,
            addr: 0,
            size: match opcode.sizes() {
                crate::Sizes::Line => layout::LINE_SIZE,
                crate::Sizes::Word => 2,
                _ => 0,
            },
            state: CacheState::I,
            poison: false,
            resp: RespErr::Ok,
            atomic_op: AtomicOp::Add,
            be: 0,
            return_node: zero,
            return_txn: 0,
            home_node: zero,
            home_txn: 0,
            forward_node: zero,
            forward_txn: 0,
            targets: 0,
        }
    }

    /// The class of the packet.
    pub const fn class(&self) -> Class {
        self.opcode.class()
    }

    /// The form of the header.
    pub const fn form(&self) -> Form {
        Form::of(self.opcode)
    }

    /// The bytes that the packet is about: 2^size, and the whole line for a snoop.
    pub const fn bytes(&self) -> usize {
        match self.form() {
            Form::Snp => layout::LINE_BYTES,
            _ => 1 << self.size,
        }
    }

    /// How many payload flits follow.
    pub const fn payload_flits(&self) -> usize {
        if self.opcode.has_payload() {
            layout::payload_flits(self.size)
        } else {
            0
        }
    }

    /// The address of the line that the packet is about.
    pub const fn line(&self) -> u64 {
        self.addr & !(layout::LINE_BYTES as u64 - 1)
    }

    /// Checks that the header is legal: fields within their widths and of this form, a size that
    /// the opcode may have, an aligned address, byte enables that fit the access.
    ///
    /// # Errors
    /// The first rule that the header breaks.
    pub fn check(&self) -> Result<(), HeaderError> {
        self.check_fields()?;
        self.check_meaning()
    }

    /// The rules across fields.
    fn check_meaning(&self) -> Result<(), HeaderError> {
        let Header {
            opcode,
            addr,
            size,
            be,
            ..
        } = *self;
        if !opcode.sizes().allow(size) {
            return Err(HeaderError::BadSize { opcode, size });
        }
        let bytes = self.bytes() as u64;
        if addr & (bytes - 1) != 0 {
            return Err(HeaderError::Misaligned {
                opcode,
                addr,
                bytes: bytes as u16,
            });
        }
        if self.atomic_op != AtomicOp::Add && !opcode.has_atomic_op() {
            return Err(HeaderError::NoSuchField {
                opcode,
                field: &layout::ATOMIC_OP,
            });
        }
        let enables_fit = match self.form() {
            Form::Req | Form::MemWrite if !opcode.has_payload() => be == 0,
            Form::Req | Form::MemWrite if size > 4 => be == 0xffff,
            Form::Req | Form::MemWrite => be & !layout::lanes(addr, size) == 0,
            _ => true,
        };
        if !enables_fit {
            return Err(HeaderError::BadEnables {
                opcode,
                addr,
                size,
                be,
            });
        }
        Ok(())
    }

    /// The header itself, if it is legal.
    pub(crate) fn checked(self) -> Result<Header, HeaderError> {
        self.check().map(|()| self)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header {
            opcode,
            src,
            dst,
            txn,
            addr,
            ..
        } = self;
        write!(
            f,
            "{} {opcode} {src}->{dst} txn {txn} addr {addr:#x}",
            self.class()
        )?;
        let form = self.form();
        if layout::SIZE.is_in(form) && opcode.sizes() != crate::Sizes::Line {
            write!(f, " bytes {}", 1u32 << self.size)?;
        }
        if opcode.has_atomic_op() {
            write!(f, " {}", self.atomic_op)?;
        }
        if opcode.has_payload() && layout::BE.is_in(form) && self.size <= 4 {
            write!(f, " be {:#06x}", self.be)?;
        }
        if self.state != CacheState::I || matches!(form, Form::Rsp | Form::Dat | Form::MemRead) {
            write!(f, " {}", self.state)?;
        }
        match form {
            Form::MemRead => write!(f, " for {} txn {}", self.return_node, self.return_txn)?,
            Form::Snp => write!(
                f,
                " targets {:#x} forward {} txn {}",
                self.targets, self.forward_node, self.forward_txn
            )?,
            Form::Rsp | Form::Dat => {
                write!(f, " home {} txn {}", self.home_node, self.home_txn)?;
            }
            Form::Req | Form::MemWrite => {}
        }
        if self.resp != RespErr::Ok {
            write!(f, " {}", self.resp)?;
        }
        if self.poison {
            f.write_str(" poison")?;
        }
        if self.qos != 0 {
            write!(f, " qos {}", self.qos)?;
        }
        Ok(())
    }
}
