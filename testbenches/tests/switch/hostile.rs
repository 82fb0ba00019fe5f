//! A device that sends what it likes: what is malformed is dropped and logged, nothing is changed, and
//! no one else is disturbed.

use crate::errors::{UNCACHED, UNMAPPED, WRONG_REGION, bystanders};
use flits::stimulus::{Config, Node, Op, OpKind, Step, Stimulus};
use flits::strategies::{self, Fault, Programs};
use flits::{Class, Flit, Header, LinkWord, NodeId, Opcode, Packet, layout};
use harness::check::Direction;
use harness::sim::Outcome;
use proptest::prelude::*;
use testbenches::program::Program;
use testbenches::property;
use testbenches::steer::{self, Trace};

/// Port of the device that sends what it likes.
pub const HOSTILE: usize = 5;
/// Causes in the error register.
const BAD_OPCODE: u8 = 4;
const BAD_SIZE: u8 = 5;
const WRONG_SOURCE: u8 = 6;
const UNKNOWN_DST: u8 = 7;
pub const TORN: u8 = 8;
const NO_TRANSACTION: u8 = 9;
const BAD_FIELD: u8 = 14;

/// The default system with a hostile device.
pub fn invaded() -> Config {
    let mut config = Config::new(8);
    config.nodes[HOSTILE] = Node::Hostile {};
    config
}

/// The hostile device sends words while others work; gives the run.
fn attacked(name: &str, words: Vec<LinkWord>) -> Outcome {
    let program = Program::on(invaded())
        .node(HOSTILE)
        .after(60)
        .op(Op::Raw { words });
    steer::run(name, &bystanders(program).done())
}

/// Checks that the words are dropped: the first error has this cause, and no other port sees them.
fn dropped(name: &str, words: Vec<LinkWord>, cause: u8) {
    all_dropped(name, vec![words], cause);
}

/// Checks that each of these packets is dropped and logged, with this cause the first of them.
fn all_dropped(name: &str, packets: Vec<Vec<LinkWord>>, cause: u8) {
    let count = packets.len();
    let outcome = attacked(name, packets.concat());
    if let Some(log) = steer::errors(&outcome) {
        assert!(log.count as usize >= count, "{name}: {log:?}");
        let first = log.first.expect("the first error");
        assert_eq!((first.cause, first.src), (cause, HOSTILE as u16), "{name}");
    }
    let hostile = NodeId::port(HOSTILE as u16);
    let leaked = outcome
        .packets
        .iter()
        .find(|seen| seen.direction == Direction::ToNode && seen.packet.header.src == hostile);
    assert!(leaked.is_none(), "{name}: {leaked:?} got through");
}

/// A request of the hostile device, before it is spoilt.
pub fn request(opcode: Opcode) -> Header {
    let mut header = Header {
        src: NodeId::port(HOSTILE as u16),
        txn: 9,
        ..Header::new(opcode)
    };
    header.addr = match opcode {
        Opcode::ReadNoSnp | Opcode::WriteNoSnp => UNCACHED + 0x40,
        _ => 0x40,
    };
    if opcode.has_payload() && header.class() == Class::Req {
        (header.size, header.be) = (6, 0xffff);
    }
    header
}

/// A packet of one word.
pub fn word(header: &Header) -> LinkWord {
    LinkWord {
        class: header.class(),
        head: true,
        tail: true,
        flit: header.encode(),
    }
}

/// The word with some bits of its header replaced.
fn spoilt(mut word: LinkWord, field: &layout::Field, value: u64) -> LinkWord {
    word.flit.set(field, value);
    word
}

#[test]
fn an_unknown_opcode_is_dropped() {
    let read = word(&request(Opcode::ReadShared));
    for code in [0x0b, 0x0f, 0x14, 0x1f, 0x20, 0x3f] {
        dropped(
            "opcode_req",
            vec![spoilt(read, &layout::OPCODE, code)],
            BAD_OPCODE,
        );
    }
    let ack = Header {
        dst: NodeId::home(0),
        ..request(Opcode::CompAck)
    };
    dropped(
        "opcode_rsp",
        vec![spoilt(word(&ack), &layout::OPCODE, 0x38)],
        BAD_OPCODE,
    );
    let data = Header {
        dst: NodeId::port(0),
        ..request(Opcode::CompData)
    };
    dropped(
        "opcode_dat",
        vec![spoilt(word(&data), &layout::OPCODE, 0x30)],
        BAD_OPCODE,
    );
}

#[test]
fn a_class_that_devices_may_not_send_is_dropped() {
    let home = Header {
        dst: NodeId::port(1),
        targets: 2,
        ..request(Opcode::SnpMakeInvalid)
    };
    dropped("class_snp", vec![word(&home)], BAD_OPCODE);
    let memory = Header {
        dst: NodeId::port(6),
        ..request(Opcode::MemRead)
    };
    dropped("class_mem", vec![word(&memory)], BAD_OPCODE);
}

#[test]
fn a_bad_size_or_alignment_is_dropped() {
    let read = word(&request(Opcode::ReadShared));
    dropped(
        "size_of_line",
        vec![spoilt(read, &layout::SIZE, 5)],
        BAD_SIZE,
    );
    dropped(
        "misaligned_line",
        vec![spoilt(read, &layout::ADDR, 0x48)],
        BAD_SIZE,
    );
    let wide = Header {
        size: 8,
        addr: UNCACHED,
        ..request(Opcode::ReadNoSnp)
    };
    dropped(
        "size_too_large",
        vec![spoilt(word(&wide), &layout::SIZE, 9)],
        BAD_SIZE,
    );
    dropped(
        "misaligned_wide",
        vec![spoilt(word(&wide), &layout::ADDR, UNCACHED + 128)],
        BAD_SIZE,
    );
}

/// Packets of the hostile device, whole and legal, that others would take.
fn answers() -> [Packet; 3] {
    let to = |opcode, size| Header {
        dst: NodeId::port(0),
        txn: 0x209,
        size,
        ..request(opcode)
    };
    [
        Packet::bare(request(Opcode::ReadNoSnp)),
        Packet::bare(to(Opcode::Comp, 0)),
        Packet::with_data(to(Opcode::CompData, 6), &[0xee; 64]),
    ]
    .map(|packet| packet.expect("a legal packet"))
}

#[test]
fn a_header_with_a_bit_that_no_field_has_is_dropped() {
    for packet in answers() {
        let reserved = packet.header.form().reserved_mask();
        let bits = (0..layout::FLIT_BITS).filter(|bit| reserved >> bit & 1 == 1);
        let packets = bits.map(|bit| {
            let mut words: Vec<_> = packet.words().collect();
            words[0].flit = Flit::from_u128(words[0].flit.to_u128() | 1 << bit);
            words
        });
        all_dropped("reserved_bit", packets.collect(), BAD_FIELD);
    }
}

#[test]
fn a_value_that_the_opcode_does_not_have_is_dropped() {
    let [read, comp, data] = answers();
    let narrow = Header {
        size: 2,
        be: 0x000f,
        ..request(Opcode::WriteNoSnp)
    };
    let narrow = Packet::with_data(narrow, &[1; 4]).expect("a legal packet");
    let wide = Packet::with_data(request(Opcode::WriteNoSnp), &[1; 64]).expect("a legal packet");
    let cases = [
        (&read, &layout::ATOMIC_OP, 1),
        (&read, &layout::BE, 1),
        (&narrow, &layout::BE, 0x001f),
        (&wide, &layout::BE, 0xfffe),
        (&comp, &layout::RESP, 6),
        (&data, &layout::RESP, 7),
    ];
    let packets = cases.map(|(packet, field, value)| {
        let mut words: Vec<_> = packet.words().collect();
        words[0] = spoilt(words[0], field, value);
        words
    });
    all_dropped("bad_value", packets.to_vec(), BAD_FIELD);
}

#[test]
fn a_foreign_source_is_dropped() {
    for foreign in [NodeId::port(0), NodeId::port(15), NodeId::home(0)] {
        let read = Header {
            src: foreign,
            ..request(Opcode::ReadShared)
        };
        dropped("wrong_source", vec![word(&read)], WRONG_SOURCE);
    }
}

#[test]
fn an_unknown_destination_is_dropped() {
    for unknown in [8u16, 15, 18, 23, 24, 32, 1023] {
        let dst = NodeId::try_from(unknown).expect("10 bits");
        let ack = Header {
            dst,
            ..request(Opcode::CompAck)
        };
        dropped("unknown_destination", vec![word(&ack)], UNKNOWN_DST);
    }
}

#[test]
fn a_torn_packet_arrives_whole_or_not_at_all_and_the_next_one_is_served() {
    let write = request(Opcode::WriteNoSnp);
    let head = LinkWord {
        tail: false,
        ..word(&write)
    };
    let body = LinkWord {
        head: false,
        tail: false,
        flit: Flit::from_u128(7),
        ..head
    };
    let tail = LinkWord { tail: true, ..body };
    dropped("payload_without_head", vec![tail], TORN);
    dropped("tail_at_once", vec![LinkWord { tail: true, ..head }], TORN);
    let bare = LinkWord {
        tail: false,
        ..word(&request(Opcode::ReadNoSnp))
    };
    dropped("payload_after_bare_head", vec![bare, tail], TORN);
    // Of these the header may have left when the tear shows; what arrives must be whole all the
    // same, and a whole packet behind the wreck is served.
    let whole = Packet::with_data(write, &[9; 64]).expect("a legal packet");
    for wreck in [
        vec![head, body, tail],
        vec![head, body],
        vec![head, body, body, body, body, body, tail],
    ] {
        let words = wreck
            .into_iter()
            .chain(whole.words())
            .chain(whole.words())
            .collect();
        let outcome = attacked("torn_then_whole", words);
        if let Some(log) = steer::errors(&outcome) {
            assert_eq!(log.first.map(|first| first.cause), Some(TORN));
        }
        let arrived: Vec<_> = (6..8)
            .flat_map(|port| {
                Trace::of(&outcome)
                    .all(port, Direction::ToNode, Opcode::WriteNoSnp)
                    .map(|(_, packet)| packet.clone())
                    .collect::<Vec<_>>()
            })
            .filter(|packet| packet.header.src == NodeId::port(HOSTILE as u16))
            .collect();
        assert_eq!(
            arrived.last().map(|packet| packet.payload.clone()),
            Some(whole.payload.clone())
        );
    }
}

#[test]
fn answers_that_nobody_waits_for_are_dropped_by_the_homes() {
    for opcode in [Opcode::CompAck, Opcode::SnpResp, Opcode::SnpRespFwded] {
        for txn in [0, 3, 1023] {
            let stray = Header {
                dst: NodeId::home(txn % 2),
                txn,
                ..request(opcode)
            };
            dropped("stray_answer", vec![word(&stray)], NO_TRANSACTION);
        }
    }
    for opcode in [Opcode::SnpRespData, Opcode::SnpRespDataFwded] {
        let stray = Header {
            dst: NodeId::home(1),
            ..request(opcode)
        };
        let packet = Packet::with_data(stray, &[1; 64]).expect("a legal packet");
        dropped("stray_data", packet.words().collect(), NO_TRANSACTION);
    }
}

#[test]
fn strays_from_one_device_do_not_disturb_another() {
    for to in [0, 1, 6] {
        let data = Header {
            dst: NodeId::port(to),
            size: 6,
            ..request(Opcode::CompData)
        };
        let packet = Packet::with_data(data, &[0xee; 64]).expect("a legal packet");
        let comp = Header {
            dst: NodeId::port(to),
            ..request(Opcode::Comp)
        };
        attacked(
            "stray_to_a_node",
            packet.words().chain([word(&comp)]).collect(),
        );
    }
}

/// Words that ask for nothing: whatever the switch makes of them, it owes no one a transaction.
fn hostile_word() -> impl Strategy<Value = LinkWord> {
    (strategies::link_word(), any::<bool>(), any::<bool>()).prop_map(|(mut word, own, home)| {
        if own {
            word.flit.set(&layout::SRC, HOSTILE as u64);
        }
        // A stray under a number that its receiver uses would be taken for the answer.
        let txn = word.flit.get(&layout::TXN);
        word.flit.set(&layout::TXN, txn | 0x200);
        if home {
            word.flit.set(&layout::DST, 16 + txn % 2);
        }
        // A legal coherent request would rightly keep its line waiting for an acknowledgement.
        if word.class == Class::Req && word.head {
            word.flit.set(&layout::OPCODE, 0x0a);
        }
        word
    })
}

#[test]
fn no_words_of_one_device_disturb_the_others() {
    let strategy = prop::collection::vec(hostile_word(), 1..200).prop_map(|words| {
        let program = bystanders(Program::on(invaded())).done();
        let mut steps = program.steps.clone();
        let raw = words.into_iter().map(|word| vec![word]);
        steps.extend(raw.map(|words| Step {
            node: HOSTILE,
            after: 0,
            op: Op::Raw { words },
        }));
        Stimulus { steps, ..program }
    });
    property::check(
        "hostile_words",
        60,
        &property::options(),
        &strategy,
        |_, _| Ok(()),
    );
}

/// Programs in which one device sends packets with one kind of fault while the others work.
fn faulty_programs(fault: Fault) -> impl Strategy<Value = Stimulus> {
    let mut kinds = strategies::usual_kinds();
    kinds.extend([OpKind::Raw; 12]);
    let programs = Programs::new(8).kinds(&kinds).faults(&[fault]);
    programs
        .steps(1..=120)
        .strategy()
        .prop_map(move |mut stimulus| {
            for step in &mut stimulus.steps {
                let Op::Raw { words } = &mut step.op else {
                    continue;
                };
                for word in words.iter_mut().filter(|word| word.head) {
                    if fault == Fault::Unasked {
                        // Under a number that its receiver uses it would be taken for the answer.
                        let txn = word.flit.get(&layout::TXN);
                        word.flit.set(&layout::TXN, txn | 0x200);
                    }
                    // The switch completes a torn write, and this one would rightly change a line.
                    let code = word.flit.get(&layout::OPCODE);
                    if fault == Fault::Torn && code == u64::from(Opcode::WriteUnique.code()) {
                        word.flit
                            .set(&layout::OPCODE, Opcode::WriteNoSnp.code().into());
                    }
                }
            }
            stimulus
        })
}

#[test]
fn every_faulty_packet_is_logged_with_its_cause_and_disturbs_no_one() {
    for fault in Fault::ALL {
        let causes: &[u8] = match fault {
            Fault::Opcode | Fault::Class | Fault::HomeOnly => &[BAD_OPCODE],
            Fault::Size | Fault::Alignment => &[BAD_SIZE],
            Fault::Source => &[WRONG_SOURCE],
            // Beside the fault itself, the address map may refuse a request, and a stray may go to
            // nowhere.
            Fault::Torn => &[TORN, UNMAPPED, WRONG_REGION, UNKNOWN_DST, NO_TRANSACTION],
            Fault::Unasked => &[NO_TRANSACTION, UNKNOWN_DST],
        };
        let certain = !matches!(fault, Fault::Torn | Fault::Unasked);
        let name = format!("fault_{fault:?}");
        let options = property::options();
        property::check(
            &name,
            25,
            &options,
            &faulty_programs(fault),
            |stimulus, outcome| {
                let Some(log) = steer::errors(outcome) else {
                    return Ok(());
                };
                let raw = |step: &&Step| matches!(step.op, Op::Raw { .. });
                let sent = stimulus.steps.iter().filter(raw).count();
                if certain && log.count as usize != sent {
                    return Err(format!("{sent} faulty packets, but {} errors", log.count));
                }
                match log.first {
                    Some(first) if !causes.contains(&first.cause) => {
                        Err(format!("{fault:?} was logged with cause {}", first.cause))
                    }
                    _ => Ok(()),
                }
            },
        );
    }
}
