//! What a home slice takes and sends: the pins of `rtl/home_view.svh`.

use flits::{CacheState, Class, Flit, LinkWord, NodeId, Opcode, RespErr};

/// What one home slice took and sent at a clock edge, in the order of the fields.
#[derive(Debug, Clone, Default)]
pub struct HomeView {
    /// A word that came.
    pub rx: Option<LinkWord>,
    /// Every SnpResp and CompAck that it took at a port.
    pub answers: Vec<PortAnswer>,
    /// Tracker of a transaction that ended beside the action stage.
    pub retired: Option<u16>,
    /// What its action stage did.
    pub event: Option<HomeEvent>,
    /// A word that leaves.
    pub tx: Option<LinkWord>,
}

/// A SnpResp or CompAck taken at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortAnswer {
    /// Who speaks; the chip's own unit speaks for all its nodes.
    pub src: NodeId,
    /// Tracker that it is for.
    pub tracker: u16,
    /// The state that a CompAck says.
    pub ack: Option<CacheState>,
}

/// What the action stage of a home did with one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeEvent {
    /// Tracker of the transaction.
    pub tracker: u16,
    /// Code of the opcode of its request.
    pub request: u8,
    /// Its requester.
    pub src: NodeId,
    /// The requester's transaction.
    pub txn: u16,
    /// Address of its request.
    pub addr: u64,
    /// What the directory said of the line, if its turn came.
    pub begins: Option<Entry>,
    /// The home does not serve such a request.
    pub refused: bool,
    /// The answer that was taken.
    pub answer: Option<HomeAnswer>,
    /// The recall before the transaction is over.
    pub recall_ends: bool,
    /// What the directory will say, if nothing is waited for any more but the CompAck.
    pub settles: Option<Entry>,
    /// What the directory says from now on, if the transaction is over.
    pub ends: Option<Entry>,
}

/// An entry of a directory, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The one holder is the owner.
    pub unique: bool,
    /// The holders, one bit each.
    pub holders: u64,
}

/// An answer that the action stage took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeAnswer {
    /// Everybody who was snooped, or is to acknowledge, has answered at a port.
    LastOfPorts,
    /// It is made up, because it did not come.
    MadeUp,
    /// A packet to the home.
    Packet {
        /// Its opcode; `None` if the code is none.
        opcode: Option<Opcode>,
        /// Who sends it.
        src: NodeId,
        /// State that it says.
        state: CacheState,
        /// Its status.
        resp: RespErr,
    },
}

/// `width` bits from bit `from`, at most 64.
fn field(words: &[u32; 8], from: usize, width: usize) -> u64 {
    let word = |i: usize| u128::from(words.get(i).copied().unwrap_or(0));
    let first = from / 32;
    let wide = word(first) | word(first + 1) << 32 | word(first + 2) << 64;
    (wide >> (from % 32)) as u64 & (u64::MAX >> (64 - width))
}

fn node(words: &[u32; 8], from: usize) -> NodeId {
    let id = field(words, from, 10) as u16;
    NodeId::try_from(id).unwrap_or_default()
}

impl HomeEvent {
    /// Reads the pins `home_event_o` of a home.
    pub fn from_pins(pins: &[u32; 8]) -> HomeEvent {
        let flag = |bit: usize| pins[0] >> bit & 1 != 0;
        let entry = |unique: usize, holders: usize| Entry {
            unique: flag(unique),
            holders: field(pins, holders, 64),
        };
        let answer = || match (flag(6), flag(5)) {
            (true, _) => HomeAnswer::LastOfPorts,
            (_, true) => HomeAnswer::MadeUp,
            _ => HomeAnswer::Packet {
                opcode: Opcode::from_code(field(pins, 112, 6) as u8),
                src: node(pins, 102),
                state: CacheState::from_code(field(pins, 118, 2) as u8).unwrap_or_default(),
                resp: RespErr::from_code(field(pins, 120, 3) as u8).unwrap_or(RespErr::DataError),
            },
        };
        HomeEvent {
            tracker: field(pins, 84, 12) as u16,
            request: field(pins, 96, 6) as u8,
            src: node(pins, 64),
            txn: field(pins, 74, 10) as u16,
            addr: field(pins, 16, 48),
            begins: flag(0).then(|| entry(7, 128)),
            refused: flag(2),
            answer: flag(1).then(answer),
            recall_ends: flag(3),
            settles: flag(9).then(|| entry(8, 192)),
            ends: flag(4).then(|| entry(8, 192)),
        }
    }
}

impl PortAnswer {
    /// Reads the pins `port_answer_o` of a port.
    pub fn from_pins(pins: u32) -> PortAnswer {
        PortAnswer {
            src: NodeId::try_from(pins as u16 & 0x3ff).unwrap_or_default(),
            tracker: (pins >> 10) as u16 & 0x3ff,
            ack: (pins >> 22 & 1 != 0)
                .then(|| CacheState::from_code((pins >> 20) as u8 & 3).unwrap_or_default()),
        }
    }

    /// The pins that say so.
    pub fn to_pins(self) -> u32 {
        let ack = self
            .ack
            .map_or(0, |state| 1 << 22 | u32::from(state.code()) << 20);
        ack | u32::from(self.tracker) << 10 | u32::from(u16::from(self.src))
    }
}

/// Reads the pins of a word into or out of a home; `None` if its class code is no class.
pub fn word_from_pins(pins: &[u32; 5]) -> Option<LinkWord> {
    Some(LinkWord {
        class: Class::from_code(pins[4] as u8 >> 2 & 7)?,
        head: pins[4] >> 1 & 1 != 0,
        tail: pins[4] & 1 != 0,
        flit: Flit::from_words([pins[0], pins[1], pins[2], pins[3]]),
    })
}

/// The pins of a word.
pub fn word_to_pins(word: &LinkWord) -> [u32; 5] {
    let [a, b, c, d] = word.flit.to_words();
    let (class, head, tail) = (word.class.code(), word.head, word.tail);
    let rest = u32::from(class) << 2 | u32::from(head) << 1 | u32::from(tail);
    [a, b, c, d, rest]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a value at a bit.
    fn put(pins: &mut [u32; 8], from: usize, value: u64) {
        for bit in (0..64).filter(|bit| value >> bit & 1 != 0) {
            pins[(from + bit) / 32] |= 1 << ((from + bit) % 32);
        }
    }

    #[test]
    fn an_event_is_read_field_by_field() {
        let mut pins = [0; 8];
        put(&mut pins, 0, 0b1_0001_0011);
        put(&mut pins, 16, 0x8765_4321_0fc0);
        put(&mut pins, 64, 0x3ff);
        put(&mut pins, 84, 0xabc);
        put(&mut pins, 96, Opcode::Evict.code().into());
        put(&mut pins, 102, 0x25);
        put(&mut pins, 112, Opcode::CompAck.code().into());
        put(&mut pins, 118, CacheState::UC.code().into());
        put(&mut pins, 128, 1 << 63 | 1);
        put(&mut pins, 192, 0xf0f0);
        let event = HomeEvent::from_pins(&pins);
        assert_eq!((event.tracker, event.txn), (0xabc, 0));
        assert_eq!(event.addr, 0x8765_4321_0fc0);
        assert_eq!(u16::from(event.src), 0x3ff);
        assert_eq!(event.request, Opcode::Evict.code());
        let (unique, holders) = (false, 1 << 63 | 1);
        assert_eq!(event.begins, Some(Entry { unique, holders }));
        let (unique, holders) = (true, 0xf0f0);
        assert_eq!(event.ends, Some(Entry { unique, holders }));
        let Some(HomeAnswer::Packet {
            opcode, src, state, ..
        }) = event.answer
        else {
            panic!("{event:?}");
        };
        assert_eq!((opcode, state), (Some(Opcode::CompAck), CacheState::UC));
        assert_eq!(u16::from(src), 0x25);
        assert!(!event.refused && !event.recall_ends && event.settles.is_none());
    }

    #[test]
    fn an_answer_at_a_port_is_read_as_it_was_written() {
        for ack in [None, Some(CacheState::I), Some(CacheState::UD)] {
            let (src, tracker) = (NodeId::port(5).on_chip(9), 0x2a5);
            let answer = PortAnswer { src, tracker, ack };
            assert_eq!(PortAnswer::from_pins(answer.to_pins()), answer);
        }
    }

    #[test]
    fn a_word_is_read_as_it_was_written() {
        let pins = [1, 2, 3, 4, Class::Dat as u32 * 4 + 1];
        let word = word_from_pins(&pins).expect("a class");
        assert_eq!(
            (word.class, word.head, word.tail),
            (Class::Dat, false, true)
        );
        assert_eq!(word.flit.to_words(), [1, 2, 3, 4]);
        assert_eq!(word_to_pins(&word), pins);
        assert_eq!(word_from_pins(&[0, 0, 0, 0, 7 << 2]), None);
    }
}
