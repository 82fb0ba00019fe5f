//! Packets that a switch must drop without harm to anyone else.

use super::{flit, header_of};
use crate::layout;
use crate::{Class, Flit, Header, LinkWord, NodeId, Opcode};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What is wrong with a packet; nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// No opcode has the code.
    Opcode,
    /// The opcode belongs to another class than the one that carries it.
    Class,
    /// The opcode does not come in the size.
    Size,
    /// The address is not aligned to the size.
    Alignment,
    /// The source is another node.
    Source,
    /// It is too short or too long for its header, or begins without one.
    Torn,
    /// Only homes send the class.
    HomeOnly,
    /// It answers something that was not asked.
    Unasked,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 8] = [
        Fault::Opcode,
        Fault::Class,
        Fault::Size,
        Fault::Alignment,
        Fault::Source,
        Fault::Torn,
        Fault::HomeOnly,
        Fault::Unasked,
    ];

    /// The opcodes of packets that can have the fault.
    fn opcodes(self) -> Vec<Opcode> {
        let can = |opcode: &Opcode| match (self, opcode.class()) {
            (Fault::HomeOnly, class) => matches!(class, Class::Snp | Class::Mem),
            (Fault::Unasked, class) => matches!(class, Class::Rsp | Class::Dat),
            (_, Class::Snp | Class::Mem) => false,
            (Fault::Size, Class::Rsp) => false,
            // At a size above 1 byte an odd address is not aligned.
            (Fault::Alignment, Class::Rsp) => false,
            _ => true,
        };
        Opcode::ALL.into_iter().filter(can).collect()
    }
}

/// The words of a packet with a fault, sent by the device on `port`. Answers go to any unit of
/// chip 0.
pub fn faulty_words(fault: Fault, port: NodeId) -> impl Strategy<Value = Vec<LinkWord>> {
    let header = select(fault.opcodes()).prop_flat_map(header_of);
    let payload = prop::collection::vec(flit(), layout::MAX_PAYLOAD + 1);
    let draws = (0..24u16, any::<Index>(), any::<Index>());
    (header, payload, draws).prop_map(move |(header, payload, (unit, choice, other))| {
        let dst = NodeId::try_from(unit).expect("a unit fits an identifier");
        let mut header = Header {
            src: port,
            dst,
            ..header
        };
        let mut class = header.class();
        let mut len = header.payload_flits();
        let mut head = true;
        let mut replaced = None;
        match fault {
            Fault::Opcode => {
                let free = (0..64).filter(|&code| Opcode::from_code(code).is_none());
                let free: Vec<u8> = free.collect();
                replaced = Some((layout::OPCODE, free[choice.index(free.len())].into()));
            }
            Fault::Class => {
                let others = Class::ALL.into_iter().filter(|&other| other != class);
                let others: Vec<_> = others.collect();
                class = others[choice.index(others.len())];
            }
            Fault::Size => {
                let bad = (0..16).filter(|&size| !header.opcode.sizes().allow(size));
                let bad: Vec<u8> = bad.collect();
                replaced = Some((layout::SIZE, bad[choice.index(bad.len())].into()));
            }
            Fault::Alignment => {
                // One byte is aligned everywhere: ask for two.
                if header.size == 0 {
                    header = Header {
                        size: 1,
                        addr: header.addr & !1,
                        be: 0,
                        ..header
                    };
                }
                replaced = Some((layout::ADDR, header.addr | 1));
            }
            Fault::Source => header.src = moved(port, 1 + choice.index(NodeId::MAX.into())),
            Fault::Torn => {
                head = choice.index(4) != 0;
                let lens = (0..=layout::MAX_PAYLOAD + 1).filter(|&other| other != len);
                let lens: Vec<_> = lens.collect();
                len = lens[other.index(lens.len())].max(usize::from(!head));
            }
            Fault::HomeOnly | Fault::Unasked => {}
        }
        let mut first = header.encode();
        if let Some((field, value)) = replaced {
            first.set(&field, value);
        }
        words(class, head.then_some(first), &payload[..len])
    })
}

/// The node whose identifier differs from `node`'s in the bits of `difference`.
fn moved(node: NodeId, difference: usize) -> NodeId {
    let id = u16::from(node) ^ (difference as u16 & NodeId::MAX);
    NodeId::try_from(id).expect("no bit beyond an identifier is set")
}

/// What the device on `port` sends, of words with the same fault from port 0.
pub(super) fn sent_from(port: NodeId, mut words: Vec<LinkWord>) -> Vec<LinkWord> {
    for word in words.iter_mut().filter(|word| word.head) {
        let src = word.flit.get(&layout::SRC) ^ u64::from(u16::from(port));
        word.flit.set(&layout::SRC, src);
    }
    words
}

/// The words of a packet; without a first flit the head is missing.
fn words(class: Class, first: Option<Flit>, payload: &[Flit]) -> Vec<LinkWord> {
    let flits: Vec<_> = first.into_iter().chain(payload.iter().copied()).collect();
    let last = flits.len() - 1;
    flits
        .into_iter()
        .enumerate()
        .map(|(i, flit)| LinkWord {
            class,
            head: first.is_some() && i == 0,
            tail: i == last,
            flit,
        })
        .collect()
}
