//! The one table of header fields.
//!
//! The Rust codec ([`crate::Header`]), the SystemVerilog package `rtl/flit_pkg.sv`, the tables of
//! `docs/protocol.md` and the picture `docs/flit.svg` are all made from it.

use crate::{AtomicOp, CacheState, Class, NodeId, Opcode, RespErr};

/// Bits of a flit.
pub const FLIT_BITS: u32 = 128;
/// Bytes of a payload flit.
pub const FLIT_BYTES: usize = 16;
/// Bytes of a cache line.
pub const LINE_BYTES: usize = 64;
/// log2 of the bytes of a cache line: the size of every packet that carries or asks for a line.
pub const LINE_SIZE: u8 = 6;
/// The largest size: log2 of the 256 bytes that a packet may carry.
pub const MAX_SIZE: u8 = 8;
/// The most payload flits that a packet has.
pub const MAX_PAYLOAD: usize = (1 << MAX_SIZE) / FLIT_BYTES;
/// Bits of an address.
pub const ADDR_BITS: u32 = 48;

/// How many payload flits carry 2^`size` bytes.
pub const fn payload_flits(size: u8) -> usize {
    if size <= 4 { 1 } else { 1 << (size - 4) }
}

/// The byte lanes of a payload flit that an access of 2^`size` bytes at `addr` covers, one bit a
/// byte: all of them when the access is 16 bytes or more.
pub const fn lanes(addr: u64, size: u8) -> u16 {
    if size >= 4 {
        0xffff
    } else {
        ((1u16 << (1 << size)) - 1) << (addr & 15)
    }
}

/// A form of header. Forms differ in the bits 88 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// Every packet of class REQ.
    Req,
    /// Every packet of class SNP.
    Snp,
    /// Class MEM without payload.
    MemRead,
    /// Class MEM with payload.
    MemWrite,
    /// Every packet of class RSP.
    Rsp,
    /// Every packet of class DAT.
    Dat,
}

impl Form {
    /// All forms.
    pub const ALL: [Form; 6] = [
        Form::Req,
        Form::Snp,
        Form::MemRead,
        Form::MemWrite,
        Form::Rsp,
        Form::Dat,
    ];

    /// The form of an opcode's header.
    pub const fn of(opcode: Opcode) -> Form {
        match opcode.class() {
            Class::Req => Form::Req,
            Class::Snp => Form::Snp,
            Class::Mem if opcode.has_payload() => Form::MemWrite,
            Class::Mem => Form::MemRead,
            Class::Rsp => Form::Rsp,
            Class::Dat => Form::Dat,
        }
    }

    /// The class of the form's packets.
    pub const fn class(self) -> Class {
        match self {
            Form::Req => Class::Req,
            Form::Snp => Class::Snp,
            Form::MemRead | Form::MemWrite => Class::Mem,
            Form::Rsp => Class::Rsp,
            Form::Dat => Class::Dat,
        }
    }

    /// How documents call it.
    pub const fn title(self) -> &'static str {
        match self {
            Form::Req => "REQ",
            Form::Snp => "SNP",
            Form::MemRead => "MEM reads",
            Form::MemWrite => "MEM writes",
            Form::Rsp => "RSP",
            Form::Dat => "DAT",
        }
    }

    /// The fields of the form, in the order of the table.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(move |field| field.is_in(self))
    }

    /// The bits of the form that no field has: zero in every legal header.
    pub const fn reserved_mask(self) -> u128 {
        let mut used = 0;
        let mut i = 0;
        while i < FIELDS.len() {
            if FIELDS[i].is_in(self) {
                used |= FIELDS[i].mask();
            }
            i += 1;
        }
        !used
    }
}

/// One field of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in Rust, in SystemVerilog and in the documents.
    pub name: &'static str,
    /// The number of its lowest bit in the flit.
    pub lsb: u32,
    /// Its width in bits.
    pub width: u32,
    /// The SystemVerilog type, `None` for a plain vector of `width` bits.
    pub sv_type: Option<&'static str>,
    /// What it means, in Markdown, without a full stop.
    pub doc: &'static str,
    /// The forms that have it, one bit a [`Form`].
    forms: u8,
}

impl Field {
    /// Whether headers of this form have the field.
    pub const fn is_in(&self, form: Form) -> bool {
        self.forms & (1 << form as u8) != 0
    }

    /// Whether headers of every form have the field.
    pub fn is_common(&self) -> bool {
        Form::ALL.iter().all(|&form| self.is_in(form))
    }

    /// Its bits as documents write them: `9:6`, or `94` for a single one.
    pub fn range(&self) -> String {
        match self.width {
            1 => self.lsb.to_string(),
            _ => format!("{}:{}", self.msb(), self.lsb),
        }
    }

    /// The number of its highest bit.
    pub const fn msb(&self) -> u32 {
        self.lsb + self.width - 1
    }

    /// The largest value that it holds.
    pub const fn max(&self) -> u64 {
        (1 << self.width) - 1
    }

    /// Its bits in the flit.
    pub const fn mask(&self) -> u128 {
        (self.max() as u128) << self.lsb
    }
}

/// A Rust type that a field of a header has.
pub(crate) trait FieldValue: Copy {
    /// The SystemVerilog type, `None` for a plain vector.
    const SV_TYPE: Option<&'static str> = None;
    /// The value of the bits, or `None` when they are no value of the type.
    fn from_bits(bits: u64) -> Option<Self>;
    /// The bits of the value.
    fn to_bits(self) -> u64;
}

macro_rules! integer_values {
    ($($int:ty),+) => { $(
        impl FieldValue for $int {
            fn from_bits(bits: u64) -> Option<Self> {
                Some(bits as $int)
            }
            fn to_bits(self) -> u64 {
                self.into()
            }
        }
    )+ };
}

macro_rules! enum_values {
    ($($name:ty => $sv:literal),+) => { $(
        impl FieldValue for $name {
            const SV_TYPE: Option<&'static str> = Some($sv);
            fn from_bits(bits: u64) -> Option<Self> {
                <$name>::from_code(bits as u8)
            }
            fn to_bits(self) -> u64 {
                self.code().into()
            }
        }
    )+ };
}

integer_values!(u8, u16, u64);
enum_values!(
    Opcode => "opcode_e",
    CacheState => "state_e",
    RespErr => "resp_e",
    AtomicOp => "atomic_op_e"
);

impl FieldValue for bool {
    fn from_bits(bits: u64) -> Option<Self> {
        Some(bits != 0)
    }
    fn to_bits(self) -> u64 {
        self.into()
    }
}

impl FieldValue for NodeId {
    fn from_bits(bits: u64) -> Option<Self> {
        NodeId::try_from(bits as u16).ok()
    }
    fn to_bits(self) -> u64 {
        u16::from(self).into()
    }
}

/// The table. A row is `CONSTANT name: Rust type = lsb, width, [forms], document line;`; the table
/// is handed whole to the macro named by the caller.
macro_rules! field_table {
    ($use:ident) => {
        $use! {
            OPCODE opcode: Opcode = 0, 6, [Req Snp MemRead MemWrite Rsp Dat],
                "what the packet asks for or says, see Opcodes";
            QOS qos: u8 = 6, 4, [Req Snp MemRead MemWrite Rsp Dat],
                "priority, 0 lowest (carried; one level so far)";
            SRC src: NodeId = 10, 10, [Req Snp MemRead MemWrite Rsp Dat],
                "sender";
            DST dst: NodeId = 20, 10, [Req Snp MemRead MemWrite Rsp Dat],
                "receiver; in a REQ from a node it is ignored and the address map fills it in";
            TXN txn: u16 = 30, 10, [Req Snp MemRead MemWrite Rsp Dat],
                "transaction identifier, owned by whoever will receive the answer; an answer \
repeats it";
            ADDR addr: u64 = 40, 48, [Req Snp MemRead MemWrite Rsp Dat],
                "byte address: global; local to the memory in MEM and in uncached REQ leaving the \
switch, and in what the memory answers to them";
            SIZE size: u8 = 88, 4, [Req MemRead MemWrite Dat],
                "log2 of the bytes, 0 to 8";
            STATE state: CacheState = 92, 2, [Req MemRead MemWrite Rsp Dat],
                "cache state: requester's own (REQ; the address map puts there the most that its \
rights allow, SC or UD), to grant (MEM, CompData, Comp), after the snoop (SnpResp*), reached (CompAck)";
            POISON poison: bool = 94, 1, [Req MemRead MemWrite Dat],
                "the data is known to be corrupt";
            RESP resp: RespErr = 95, 3, [Rsp Dat],
                "response status";
            ATOMIC_OP atomic_op: AtomicOp = 95, 3, [Req],
                "what an AtomicStore or AtomicLoad does, see Far atomics; 0 in other requests";
            BE be: u16 = 112, 16, [Req MemWrite],
                "byte enables of the one payload flit of a write, size <= 4";
            RETURN_NODE return_node: NodeId = 98, 10, [MemRead],
                "who gets the CompData";
            RETURN_TXN return_txn: u16 = 108, 10, [MemRead],
                "under which txn";
            HOME_NODE home_node: NodeId = 98, 10, [Rsp Dat],
                "whom to send CompAck";
            HOME_TXN home_txn: u16 = 108, 10, [Rsp Dat],
                "under which txn";
            FORWARD_NODE forward_node: NodeId = 88, 10, [Snp],
                "who gets the forwarded CompData";
            FORWARD_TXN forward_txn: u16 = 98, 10, [Snp],
                "under which txn";
            TARGETS targets: u16 = 108, 16, [Snp],
                "the ports to snoop, one bit a port";
        }
    };
}
pub(crate) use field_table;

macro_rules! declare_fields {
    ($( $constant:ident $name:ident: $type:ty = $lsb:literal, $width:literal, [$($form:ident)+], $doc:literal; )+) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: ", $doc, ".")]
            pub const $constant: Field = Field {
                name: stringify!($name),
                lsb: $lsb,
                width: $width,
                sv_type: <$type as FieldValue>::SV_TYPE,
                doc: $doc,
                forms: $( 1 << Form::$form as u8 )|+,
            };
        )+

        /// Every field, in the order of the documents.
        pub const FIELDS: [Field; [$($lsb),+].len()] = [$($constant),+];
    };
}

field_table!(declare_fields);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_form_are_disjoint_and_inside_the_flit() {
        for form in Form::ALL {
            let mut used = 0u128;
            for field in form.fields() {
                assert!(field.msb() < FLIT_BITS, "{} leaves the flit", field.name);
                assert_eq!(
                    used & field.mask(),
                    0,
                    "{} overlaps in {form:?}",
                    field.name
                );
                used |= field.mask();
            }
            assert_eq!(used, !form.reserved_mask());
        }
    }

    #[test]
    fn the_common_fields_are_in_every_form_and_fill_the_bits_below_88() {
        let common: u128 = FIELDS[..6].iter().map(Field::mask).sum();
        assert_eq!(common, (1 << 88) - 1);
        for field in &FIELDS[..6] {
            assert!(
                Form::ALL.iter().all(|&form| field.is_in(form)),
                "{}",
                field.name
            );
        }
        for field in &FIELDS[6..] {
            assert!(field.lsb >= 88, "{}", field.name);
        }
    }

    #[test]
    fn lanes_are_the_bytes_of_the_access() {
        assert_eq!(lanes(0x1000, 0), 0x0001);
        assert_eq!(lanes(0x100f, 0), 0x8000);
        assert_eq!(lanes(0x1008, 3), 0xff00);
        assert_eq!(lanes(0x1010, 4), 0xffff);
        assert_eq!(lanes(0x1000, 6), 0xffff);
    }
}
