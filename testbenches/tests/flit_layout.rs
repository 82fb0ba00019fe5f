//! `rtl/flit_pkg.sv`, as Verilator reads it, and the crate `flits` mean the same by every bit.

// Links the models that this package builds.
use testbenches as _;

use flits::layout::{self, FIELDS, FLIT_BITS, Field, Form};
use flits::{Class, Flit, Header, Opcode, strategies};
use proptest::prelude::*;
use std::cell::RefCell;
use verilated::Model;

verilated::model!(flit_pkg_probe);

/// Words of 32 bits that hold the values of all fields, 48 bits each.
const VALUE_WORDS: usize = (FIELDS.len() * 48).div_ceil(32);

/// The values of all fields of a flit as the table places them; 0 where the form has none.
fn values(form: Form, flit: Flit) -> Vec<u64> {
    let value = |field: &Field| {
        if field.is_in(form) {
            flit.get(field)
        } else {
            0
        }
    };
    FIELDS.iter().map(value).collect()
}

/// Values in the words of a port.
fn to_port(values: &[u64]) -> [u32; VALUE_WORDS] {
    let mut words = [0; VALUE_WORDS];
    for bit in 0..values.len() * 48 {
        words[bit / 32] |= ((values[bit / 48] >> (bit % 48) & 1) as u32) << (bit % 32);
    }
    words
}

/// Values from the words of a port.
fn from_port(words: &[u32; VALUE_WORDS]) -> Vec<u64> {
    let bit = |bit: usize| u64::from(words[bit / 32] >> (bit % 32) & 1);
    (0..FIELDS.len())
        .map(|i| (0..48).map(|b| bit(i * 48 + b) << b).sum())
        .collect()
}

impl FlitPkgProbe {
    fn unpack(&mut self, form: Form, flit: Flit) -> Vec<u64> {
        self.set_form_i(form as u8);
        self.set_flit_i(&flit.to_words());
        self.eval().expect("the module has no assertion");
        from_port(self.value_o())
    }

    fn pack(&mut self, form: Form, values: &[u64]) -> Flit {
        self.set_form_i(form as u8);
        self.set_value_i(&to_port(values));
        self.eval().expect("the module has no assertion");
        Flit::from_words(*self.flit_o())
    }

    /// Whether a packet of a class may have a header, by the package's function.
    fn is_legal(&mut self, class: Class, flit: Flit) -> bool {
        self.set_class_i(class.code());
        self.set_flit_i(&flit.to_words());
        self.eval().expect("the module has no assertion");
        self.legal_o() == 1
    }
}

#[test]
fn every_bit_of_every_form_is_the_same_field_on_both_sides() {
    let mut probe = FlitPkgProbe::new();
    for form in Form::ALL {
        for bit in 0..FLIT_BITS {
            let flit = Flit::from_u128(1 << bit);
            let wanted = values(form, flit);
            assert_eq!(probe.unpack(form, flit), wanted, "{form:?} bit {bit}");
            let field = flit.to_u128() & !form.reserved_mask();
            assert_eq!(
                probe.pack(form, &wanted).to_u128(),
                field,
                "{form:?} bit {bit}"
            );
        }
    }
}

#[test]
fn every_header_structure_has_the_bits_of_a_flit() {
    let mut probe = FlitPkgProbe::new();
    probe.eval().expect("the module has no assertion");
    let bits = probe.bits_o().to_le_bytes();
    assert_eq!(bits[..Form::ALL.len()], [FLIT_BITS as u8; Form::ALL.len()]);
}

#[test]
fn headers_pack_and_unpack_alike() {
    let probe = RefCell::new(FlitPkgProbe::new());
    proptest!(strategies::repeatable(2000), |(header in strategies::header())| {
        let probe = &mut *probe.borrow_mut();
        let flit = header.encode();
        let values = values(header.form(), flit);
        prop_assert_eq!(probe.unpack(header.form(), flit), &values[..]);
        prop_assert_eq!(probe.pack(header.form(), &values), flit);
    });
}

#[test]
fn both_sides_call_the_same_opcodes_sizes_addresses_and_enables_legal() {
    let mut probe = FlitPkgProbe::new();
    for class in Class::ALL {
        for code in 0..64u8 {
            for size in 0..16u8 {
                for low in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
                    for be in [0, 1, 0x00f0, 0xff00, 0xffff] {
                        let mut flit = Flit::ZERO;
                        flit.set(&layout::OPCODE, code.into());
                        flit.set(&layout::SIZE, size.into());
                        flit.set(&layout::ADDR, 0xabcd_0000_0000 + low);
                        flit.set(&layout::BE, be);
                        let legal = Header::decode(class, flit);
                        assert_eq!(probe.is_legal(class, flit), legal.is_ok(), "{legal:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn both_sides_call_the_same_spoilt_headers_legal() {
    let probe = RefCell::new(FlitPkgProbe::new());
    let mask = prop_oneof![
        Just(0u128),
        (0..FLIT_BITS).prop_map(|bit| 1 << bit),
        any::<u128>()
    ];
    let spoilt = (strategies::header(), mask, 0..Class::ALL.len());
    proptest!(strategies::repeatable(20_000), |((header, mask, class) in spoilt)| {
        let flit = Flit::from_u128(header.encode().to_u128() ^ mask);
        for class in [header.class(), Class::ALL[class]] {
            let legal = Header::decode(class, flit);
            prop_assert_eq!(probe.borrow_mut().is_legal(class, flit), legal.is_ok(), "{:?}", legal);
        }
    });
}

#[test]
fn both_sides_count_the_same_payload() {
    let mut probe = FlitPkgProbe::new();
    for opcode in Opcode::ALL {
        probe.is_legal(opcode.class(), Flit::from_u128(opcode.code().into()));
        assert_eq!(probe.payload_o() == 1, opcode.has_payload(), "{opcode}");
    }
    for size in 0..=layout::MAX_SIZE {
        let mut flit = Flit::ZERO;
        flit.set(&layout::SIZE, size.into());
        probe.is_legal(Class::Req, flit);
        assert_eq!(
            usize::from(probe.payload_flits_o()),
            layout::payload_flits(size)
        );
    }
}
