//! Errors: what a node may not ask is answered with the reason, what is malformed is dropped; both
//! are logged, nothing is changed, and no one else is disturbed.

use flits::stimulus::{Config, Node, Op, OpKind, Step, Stimulus};
use flits::strategies::{self, Fault, Programs};
use flits::{CacheState, Class, Flit, Header, LinkWord, NodeId, Opcode, Packet, RespErr, layout};
use harness::check::Direction;
use harness::dut::{ErrorLog, LoggedError};
use harness::sim::Outcome;
use proptest::prelude::*;
use testbenches::program::Program;
use testbenches::property;
use testbenches::steer::{self, Trace};

/// Port of the device that sends what it likes.
const HOSTILE: usize = 5;
const UNCACHED: u64 = 1 << 32;
/// Causes in the error register.
const UNMAPPED: u8 = 1;
const NO_RIGHT: u8 = 2;
const WRONG_REGION: u8 = 3;
const BAD_OPCODE: u8 = 4;
const BAD_SIZE: u8 = 5;
const WRONG_SOURCE: u8 = 6;
const UNKNOWN_DST: u8 = 7;
const TORN: u8 = 8;
const NO_TRANSACTION: u8 = 9;

/// Work for nodes 0 to 3 that any disturbance would show in.
fn bystanders(mut program: Program) -> Program {
    for node in 0..4u64 {
        program = program.node(node as usize);
        for turn in 0..8u64 {
            let addr = 0x40 * (turn % 3) + 8 * node;
            program = program
                .store(addr, 8, u128::from(100 * node + turn + 1))
                .load(addr ^ 8, 8);
            let (addr, value) = (UNCACHED + 0x100 * node, u128::from(turn) + 1);
            program = program.op(Op::WriteUncached {
                addr,
                size: 128,
                value,
            });
        }
    }
    program
}

/// Node 4 asks for something that it must not; gives the run and the status of its last access.
fn refused(name: &str, program: Program, op: Op) -> (Outcome, RespErr) {
    let outcome = steer::run(name, &bystanders(program.node(4).op(op)).done());
    let status = outcome.events.iter().rev().find(|event| event.node == 4);
    let status = status.expect("an access of node 4").status;
    (outcome, status)
}

/// Checks that one error was logged: this one.
fn logged(outcome: &Outcome, cause: u8, opcode: Opcode, addr: u64) {
    if let Some(log) = steer::errors(outcome) {
        let first = LoggedError {
            cause,
            opcode: opcode.code(),
            src: 4,
            addr,
        };
        assert_eq!(
            log,
            ErrorLog {
                count: 1,
                first: Some(first)
            }
        );
    }
}

#[test]
fn an_unmapped_address_is_answered_so_and_logged() {
    let hole = 1u64 << 40;
    let cases = [
        (
            Op::Load {
                addr: hole,
                size: 8,
            },
            Opcode::ReadShared,
        ),
        (
            Op::Store {
                addr: hole,
                size: 8,
                value: 1,
            },
            Opcode::ReadUnique,
        ),
        (
            Op::StoreLine {
                addr: hole,
                value: 1,
            },
            Opcode::MakeUnique,
        ),
        (Op::ReadOnce { addr: hole }, Opcode::ReadOnce),
        (
            Op::WriteUnique {
                addr: hole,
                size: 64,
                value: 1,
            },
            Opcode::WriteUnique,
        ),
        (
            Op::ReadUncached {
                addr: hole,
                size: 256,
            },
            Opcode::ReadNoSnp,
        ),
        (
            Op::WriteUncached {
                addr: hole,
                size: 256,
                value: 1,
            },
            Opcode::WriteNoSnp,
        ),
    ];
    for (op, opcode) in cases {
        let (outcome, status) = refused("unmapped", Program::new(8), op);
        assert_eq!(status, RespErr::Unmapped);
        logged(&outcome, UNMAPPED, opcode, hole);
        assert_eq!(
            Trace::of(&outcome).sent(4, Opcode::CompAck).len(),
            0,
            "no home waits for one"
        );
    }
}

#[test]
fn a_missing_right_is_answered_so_and_nothing_is_changed() {
    let read_only = |program: Program| {
        program.config(|config| {
            config.port_partitions = vec![3, 3, 3, 3, 1, 3, 3, 3];
            config.regions[0].read_partitions = 2;
            config.regions[0].write_partitions = 2;
            config.regions[1].write_partitions = 2;
        })
    };
    let (outcome, status) = refused(
        "no_right_to_read",
        read_only(Program::new(8)),
        Op::Load {
            addr: 0x40,
            size: 8,
        },
    );
    assert_eq!(status, RespErr::NoRight);
    logged(&outcome, NO_RIGHT, Opcode::ReadShared, 0x40);
    // What node 4 may read, it finds unchanged after its write was refused.
    let addr = UNCACHED + 0x8000;
    let program = read_only(Program::new(8))
        .node(0)
        .op(Op::WriteUncached {
            addr,
            size: 8,
            value: 7,
        })
        .node(4)
        .after(1500)
        .op(Op::WriteUncached {
            addr,
            size: 8,
            value: 8,
        });
    let (outcome, status) = refused(
        "no_right_to_write",
        program,
        Op::ReadUncached { addr, size: 8 },
    );
    assert_eq!(status, RespErr::Ok);
    let read = outcome.events.iter().rev().find(|event| event.node == 4);
    assert_eq!(
        read.and_then(|event| event.read.clone()).as_deref(),
        Some(&7u64.to_le_bytes()[..])
    );
    logged(&outcome, NO_RIGHT, Opcode::WriteNoSnp, addr);
}

/// A copy that may become dirty silently would let it write behind the address map's back.
#[test]
fn a_node_without_the_write_right_is_granted_no_writable_copy() {
    let addr = 0x8000;
    let program = Program::new(8)
        .config(|config| {
            config.port_partitions = vec![3, 3, 3, 3, 1, 3, 3, 3];
            config.regions[0].read_partitions = 1;
            config.regions[0].write_partitions = 2;
        })
        .node(4)
        .load(addr, 8);
    let store = Op::Store {
        addr,
        size: 8,
        value: 7,
    };
    let (outcome, status) = refused("no_right_to_store", program, store);
    assert_eq!(status, RespErr::NoRight);
    logged(&outcome, NO_RIGHT, Opcode::CleanUnique, addr);
}

#[test]
fn a_request_of_the_wrong_kind_of_region_is_answered_so() {
    let cases = [
        (
            Op::Load {
                addr: UNCACHED,
                size: 8,
            },
            Opcode::ReadShared,
            UNCACHED,
        ),
        (
            Op::WriteUnique {
                addr: UNCACHED,
                size: 8,
                value: 1,
            },
            Opcode::WriteUnique,
            UNCACHED,
        ),
        (
            Op::ReadUncached {
                addr: 0x4000,
                size: 8,
            },
            Opcode::ReadNoSnp,
            0x4000,
        ),
        (
            Op::WriteUncached {
                addr: 0x4000,
                size: 128,
                value: 1,
            },
            Opcode::WriteNoSnp,
            0x4000,
        ),
    ];
    for (op, opcode, addr) in cases {
        let (outcome, status) = refused("wrong_region", Program::new(8), op);
        assert_eq!(status, RespErr::WrongRegion);
        logged(&outcome, WRONG_REGION, opcode, addr);
    }
}

/// The default system with a hostile device.
fn invaded() -> Config {
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
    let outcome = attacked(name, words);
    if let Some(log) = steer::errors(&outcome) {
        assert!(log.count >= 1, "{name}: nothing was logged");
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
fn request(opcode: Opcode) -> Header {
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
fn word(header: &Header) -> LinkWord {
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
fn an_unknown_or_reserved_opcode_is_dropped() {
    let read = word(&request(Opcode::ReadShared));
    for code in [0x0a, 0x0b, 0x10, 0x13, 0x20, 0x3f] {
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
    let mut kinds = OpKind::ALL.to_vec();
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

/// The hostile device asks for a line, acknowledges the answer if `acknowledged`, and is silent from
/// then on; node 4 loads from the line much later. Gives the run and the status of that load.
fn deserted(name: &str, acknowledged: bool) -> (Outcome, RespErr) {
    let addr = 0x8000;
    let read = Header {
        addr,
        ..request(Opcode::ReadUnique)
    };
    let config = Config {
        home_timeout_log2: 10,
        ..invaded()
    };
    let mut program = Program::on(config)
        .node(HOSTILE)
        .op(Op::Raw {
            words: vec![word(&read)],
        })
        .after(400);
    if acknowledged {
        // It does not know the home's number of the transaction, so it tries them all.
        let acks = (0..32).map(|n| Header {
            dst: NodeId::home(n % 2),
            txn: n / 2,
            state: CacheState::UC,
            ..request(Opcode::CompAck)
        });
        program = program.op(Op::Raw {
            words: acks.map(|ack| word(&ack)).collect(),
        });
    }
    let program = program.node(4).after(800).op(Op::Load { addr, size: 8 });
    let outcome = steer::run(name, &bystanders(program).done());
    let load = outcome.events.iter().find(|event| event.node == 4);
    let status = load.expect("the load").status;
    (outcome, status)
}

#[test]
fn a_requester_that_never_acknowledges_does_not_hold_its_line_for_ever() {
    let (_, status) = deserted("no_ack", false);
    assert_eq!(status, RespErr::Ok);
}

#[test]
fn a_line_whose_owner_is_silent_is_answered_with_timeout() {
    let (_, status) = deserted("silent_owner", true);
    assert_eq!(status, RespErr::Timeout);
}
