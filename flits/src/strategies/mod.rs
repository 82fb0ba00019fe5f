//! Strategies for property tests: flits, headers, packets ([`header`], [`packet`], ...), addresses
//! ([`Shape`]) and whole stimuli ([`Programs`], and for parts alone [`Parts`]).
//!
//! Everything shrinks towards what is simplest to read: field values towards 0, programs towards
//! fewer steps on fewer and nearer addresses.

mod hostile;
mod parts;
mod program;
mod shape;

pub use hostile::{Fault, faulty_words};
pub use parts::{Parts, hit, outage};
pub use program::{Programs, number_values, usual_kinds};
pub use shape::Shape;

use crate::layout::{self, Form, LINE_BYTES};
use crate::{Class, Flit, Header, LinkWord, NodeId, Opcode, Packet, Payload, RespErr};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// A configuration of `cases` cases that are the same in every run, or others with another number
/// in the environment variable `PROPTEST_RNG_SEED`.
pub fn repeatable(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::with_cases(cases);
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0),
        fixed => fixed,
    };
    // A repeated case needs no file to remember it.
    ProptestConfig {
        rng_seed,
        failure_persistence: None,
        ..config
    }
}

/// Any node identifier.
pub fn node_id() -> impl Strategy<Value = NodeId> {
    (0..=NodeId::MAX).prop_map(|id| NodeId::try_from(id).expect("the range is that of identifiers"))
}

/// Any 128 bits.
pub fn flit() -> impl Strategy<Value = Flit> {
    any::<u128>().prop_map(Flit::from_u128)
}

/// Any opcode.
pub fn opcode() -> impl Strategy<Value = Opcode> {
    select(Opcode::ALL.as_slice())
}

/// Any class.
pub fn class() -> impl Strategy<Value = Class> {
    select(Class::ALL.as_slice())
}

/// Any legal header.
pub fn header() -> impl Strategy<Value = Header> {
    opcode().prop_flat_map(header_of)
}

/// Any legal header of an opcode.
pub fn header_of(opcode: Opcode) -> impl Strategy<Value = Header> {
    let sizes: Vec<u8> = (0..16).filter(|&size| opcode.sizes().allow(size)).collect();
    (
        any::<u128>(),
        select(sizes),
        select(RespErr::ALL.as_slice()),
    )
        .prop_map(move |(bits, size, resp)| {
            let form = Form::of(opcode);
            let mut flit = Flit::from_u128(bits & !form.reserved_mask());
            flit.set(&layout::OPCODE, opcode.code().into());
            let mut align = if form == Form::Snp {
                LINE_BYTES as u64
            } else {
                1
            };
            if layout::SIZE.is_in(form) {
                flit.set(&layout::SIZE, size.into());
                align = 1 << size;
            }
            let addr = flit.get(&layout::ADDR) & !(align - 1);
            flit.set(&layout::ADDR, addr);
            if layout::RESP.is_in(form) {
                flit.set(&layout::RESP, resp.code().into());
            }
            if layout::ATOMIC_OP.is_in(form) && !opcode.has_atomic_op() {
                flit.set(&layout::ATOMIC_OP, 0);
            }
            if layout::BE.is_in(form) {
                let be = match (opcode.has_payload(), size) {
                    (false, _) => 0,
                    (true, 0..=4) => flit.get(&layout::BE) & u64::from(layout::lanes(addr, size)),
                    (true, _) => 0xffff,
                };
                flit.set(&layout::BE, be);
            }
            Header::decode(opcode.class(), flit).expect("every rule of headers is kept")
        })
}

/// Any legal packet.
pub fn packet() -> impl Strategy<Value = Packet> {
    header().prop_flat_map(packet_with)
}

/// Any legal packet of one of the opcodes.
pub fn packet_of(opcodes: &'static [Opcode]) -> impl Strategy<Value = Packet> {
    select(opcodes)
        .prop_flat_map(header_of)
        .prop_flat_map(packet_with)
}

/// Any packet of a header.
fn packet_with(header: Header) -> impl Strategy<Value = Packet> {
    prop::collection::vec(flit(), header.payload_flits()).prop_map(move |payload| Packet {
        header,
        payload: Payload::from_vec(payload),
    })
}

/// Any link word, legal or not: half of them have the opcode of a legal header, so that more than
/// the first check is reached.
pub fn link_word() -> impl Strategy<Value = LinkWord> {
    let word = (class(), any::<bool>(), any::<bool>(), flit());
    (word, any::<bool>(), opcode()).prop_map(|((class, head, tail, mut flit), known, opcode)| {
        if known {
            flit.set(&layout::OPCODE, opcode.code().into());
        }
        LinkWord {
            class: if known { opcode.class() } else { class },
            head,
            tail,
            flit,
        }
    })
}
