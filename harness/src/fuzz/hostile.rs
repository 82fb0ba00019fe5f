//! Words that no rule of the protocol allows, and what is demanded when a device sends them.

use flits::stimulus::{Config, Node, Op, Step, Stimulus};
use flits::{Class, Flit, LinkWord, Opcode, layout};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::dut::{ErrorLog, LoggedError};
use crate::{Failure, FailureKind};

/// Bit of a transaction number that no node of this harness uses for its own.
const UNUSED: u64 = 0x200;
/// Causes in the error register that speak of a packet and not of the address it asks for: an
/// opcode, a size, a source, a destination, a frame or a field that is not allowed, an answer nobody
/// waits for. `rtl/supernode_pkg.sv` has the list.
const BAD_PACKET: [u8; 7] = [4, 5, 6, 7, 8, 9, 14];
/// Of them, an opcode that is none, or not one that a device may send.
const BAD_OPCODE: u8 = 4;

/// The words that hostile devices send.
pub(super) fn words_of(steps: &mut [Step]) -> impl Iterator<Item = &mut LinkWord> {
    steps.iter_mut().flat_map(|step| match &mut step.op {
        Op::Raw { words } => words.iter_mut(),
        _ => [].iter_mut(),
    })
}

/// Keeps an answer to another device from the number of something that it has asked for: a device
/// knows its answers by their numbers alone, and would rightly take it.
pub(super) fn to_no_open_number(word: &mut LinkWord, ports: u64) {
    let answers = matches!(word.class, Class::Rsp | Class::Dat);
    if word.head && answers && word.flit.get(&layout::DST) < ports.max(16) {
        let txn = word.flit.get(&layout::TXN);
        word.flit.set(&layout::TXN, txn | UNUSED);
    }
}

/// Judges what the switch has logged after a run in which hostile devices took part and nobody else
/// was disturbed.
///
/// # Errors
/// A bad packet laid at the door of a device that sends none, or one that went unnoticed.
pub(super) fn judge(stimulus: &Stimulus, log: &ErrorLog, cycle: u64) -> Result<(), Failure> {
    let fail = |text: String| Err(Failure::new(cycle, FailureKind::Link, text));
    let config = &stimulus.config;
    let is_hostile = |node: u16| {
        let port = (0..config.nodes.len()).find(|&port| u16::from(config.node_id(port)) == node);
        port.is_some_and(|port| config.nodes[port] == Node::Hostile {})
    };
    match log.first {
        Some(LoggedError { cause, src, .. }) if BAD_PACKET.contains(&cause) && !is_hostile(src) => {
            return fail(format!(
                "the switch logs a bad packet (cause {cause}) of node {src}, which sends none"
            ));
        }
        _ => {}
    }
    let bad = certainly_bad(config, &stimulus.steps);
    match log.count {
        0 if bad > 0 => fail(format!(
            "a hostile device has sent {bad} packets of no opcode, and the switch logs no error \
             (cause {BAD_OPCODE})"
        )),
        _ => Ok(()),
    }
}

/// Packets of hostile devices that are whole, by themselves, and of an opcode that does not exist:
/// whatever else they sent, the switch must have noticed those.
fn certainly_bad(config: &Config, steps: &[Step]) -> usize {
    let mut bad = 0;
    for port in 0..config.nodes.len() {
        let mut inside = [false; Class::ALL.len()];
        let own = steps.iter().filter(|step| step.node == port);
        for step in own {
            let Op::Raw { words } = &step.op else {
                continue;
            };
            for word in words {
                let inside = &mut inside[word.class as usize];
                let code = word.flit.get(&layout::OPCODE) as u8;
                bad += usize::from(
                    !*inside && word.head && word.tail && Opcode::from_code(code).is_none(),
                );
                // A torn packet may swallow what follows.
                *inside = *inside || !word.head || !word.tail;
            }
        }
    }
    bad
}

/// Spoils one of some words: its bits, its frame, its class, or its place.
pub(super) fn spoil(words: &mut Vec<LinkWord>, rng: &mut Pcg64Mcg) {
    let at = rng.random_range(0..words.len());
    let several = words.len() > 1;
    let word = &mut words[at];
    match rng.random_range(0..8) {
        0 => word.head = !word.head,
        1 => word.tail = !word.tail,
        2 => word.class = Class::ALL[rng.random_range(0..Class::ALL.len())],
        3 => {
            let copy = *word;
            words.insert(at, copy);
        }
        4 if several => drop(words.remove(at)),
        5 => {
            let fields = [&layout::OPCODE, &layout::SIZE, &layout::SRC, &layout::DST];
            let field = fields[rng.random_range(0..fields.len())];
            word.flit.set(field, rng.random_range(0..64));
        }
        6 => word.flit.set(&layout::TXN, rng.random_range(0..16)),
        _ => {
            let bit = 1u128 << rng.random_range(0..128);
            word.flit = Flit::from_u128(word.flit.to_u128() ^ bit);
        }
    }
}
