//! Packets that a device begins and does not go on with: the switch ends them for it, so that no one
//! waits longer than the register says, and drops what the device sends of them later.

use crate::errors::{UNCACHED, bystanders};
use crate::hostile::{HOSTILE, TORN, invaded, request, word};
use flits::stimulus::{Config, Node, Op, Stimulus};
use flits::{Flit, Header, LinkWord, NodeId, Opcode, Packet};
use harness::check::Direction;
use harness::link::DEAD_BOUND;
use harness::sim::Outcome;
use proptest::prelude::*;
use testbenches::program::Program;
use testbenches::property;
use testbenches::steer::{self, Trace};

/// The switch's patience in these tests, as a power of 2 of cycles. A packet is ended after one to
/// two such intervals.
const PATIENCE_LOG2: u8 = 8;
const INTERVAL: u64 = 1 << PATIENCE_LOG2;
/// More than a write to a memory takes when nothing is in its way.
const WRITE: u64 = 250;
/// The patience after reset, likewise.
const RESET_LOG2: u8 = 13;

fn patient(log2: u8) -> Config {
    Config {
        packet_timeout_log2: Some(log2),
        ..invaded()
    }
}

/// A write to a memory.
fn write() -> Packet {
    Packet::with_data(request(Opcode::WriteNoSnp), &[7; 64]).expect("a legal packet")
}

fn send(program: Program, words: impl IntoIterator<Item = LinkWord>) -> Program {
    let words = words.into_iter().collect();
    program.op(Op::Raw { words })
}

/// Node 0 writes to the memory to which the hostile device writes.
fn neighbour(program: Program, after: u64) -> Program {
    program.node(0).after(after).op(Op::WriteUncached {
        addr: UNCACHED + 0x100,
        size: 64,
        value: 1,
    })
}

/// How long the last operation of node 0 took.
fn waited(outcome: &Outcome) -> u64 {
    let mut own = outcome.events.iter().filter(|event| event.node == 0);
    let last = own.next_back().expect("an operation of node 0");
    last.end - last.start
}

/// Checks that the last operation of node 0 had to wait, and for no more than so many intervals.
fn had_to_wait(outcome: &Outcome, intervals: u64) {
    let waited = waited(outcome);
    assert!(waited > INTERVAL - 60, "nobody was in the way");
    assert!(waited < intervals * INTERVAL + WRITE, "{waited}");
}

/// The payloads of the writes of the hostile device that memories got.
fn arrived(outcome: &Outcome) -> Vec<Vec<Flit>> {
    let trace = Trace::of(outcome);
    let writes = (6..8).flat_map(|port| trace.all(port, Direction::ToNode, Opcode::WriteNoSnp));
    writes
        .filter(|(_, packet)| packet.header.src == NodeId::port(HOSTILE as u16))
        .map(|(_, packet)| packet.payload.iter().copied().collect())
        .collect()
}

/// Checks that so many errors were logged, the first of them a packet of the hostile device that its
/// words do not make up.
fn logged(outcome: &Outcome, count: u32) {
    if let Some(log) = steer::errors(outcome) {
        let first = log.first.map(|first| (first.cause, first.src));
        let wanted = (count > 0).then_some((TORN, HOSTILE as u16));
        assert_eq!((log.count, first), (count, wanted));
    }
}

#[test]
fn a_write_that_is_never_ended_is_ended_and_its_rest_is_dropped() {
    let packet = write();
    let words: Vec<_> = packet.words().collect();
    for sent in 1..words.len() {
        let (begin, rest) = words.split_at(sent);
        let program = send(
            Program::on(patient(PATIENCE_LOG2)).node(HOSTILE),
            begin.to_vec(),
        );
        let program = send(
            program.after(4 * INTERVAL),
            rest.iter().copied().chain(packet.words()),
        );
        let outcome = steer::run("unfinished_write", &neighbour(program, 30).done());
        had_to_wait(&outcome, 2);
        logged(&outcome, 1);
        let mut filled = packet.payload.clone();
        filled[sent - 1..].fill(Flit::ZERO);
        let wanted = [filled, packet.payload.clone()].map(|payload| payload.to_vec());
        assert_eq!(arrived(&outcome), wanted, "{sent} words");
    }
}

#[test]
fn data_that_is_never_ended_holds_back_no_one_else() {
    let stray = Header {
        dst: NodeId::port(0),
        txn: 0x209,
        size: 6,
        ..request(Opcode::CompData)
    };
    let stray = Packet::with_data(stray, &[0xee; 64]).expect("a legal packet");
    let program = Program::on(patient(PATIENCE_LOG2)).node(HOSTILE);
    let program = send(program, stray.words().take(2))
        .node(0)
        .after(30)
        .load(0x40, 8);
    let outcome = steer::run("unfinished_data", &program.done());
    had_to_wait(&outcome, 2);
    logged(&outcome, 1);
}

#[test]
fn a_device_that_never_stops_sending_other_packets_cannot_keep_one_open() {
    let stray = Header {
        dst: NodeId::port(15),
        ..request(Opcode::CompAck)
    };
    let open = write().words().next().expect("a header");
    let flood = std::iter::repeat_n(word(&stray), 5 * INTERVAL as usize);
    let program = send(Program::on(patient(PATIENCE_LOG2)).node(HOSTILE), [open]);
    let outcome = steer::run("flood", &neighbour(send(program, flood), 30).done());
    had_to_wait(&outcome, 3);
    if let Some(log) = steer::errors(&outcome) {
        // One of the other words had to make way.
        assert_eq!(log.count, 5 * INTERVAL as u32);
    }
}

#[test]
fn a_pause_shorter_than_the_interval_is_no_error() {
    let packet = write();
    for (log2, pause) in [(PATIENCE_LOG2, INTERVAL - 16), (0, 8 * INTERVAL)] {
        let program = Program::on(patient(log2)).node(HOSTILE);
        let after_a_pause = |program: Program, word| send(program.after(pause), [word]);
        let program = packet.words().fold(program, after_a_pause);
        let outcome = steer::run("pause", &bystanders(program).done());
        logged(&outcome, 0);
        assert_eq!(arrived(&outcome), [packet.payload.to_vec()]);
    }
}

#[test]
fn after_reset_the_patience_is_longer_than_a_link_takes_to_come_back_and_has_an_end() {
    let program = Program::on(invaded()).node(HOSTILE);
    let program = send(program, write().words().take(1));
    let outcome = steer::run("reset", &neighbour(program, 30).done());
    let interval = 1 << RESET_LOG2;
    assert!(interval > DEAD_BOUND);
    assert!((interval - 60..2 * interval + WRITE).contains(&waited(&outcome)));
    logged(&outcome, 1);
}

/// Programs for the tight switch in which one device stops in the middle of packets, goes on later or
/// begins others, and receivers are slow, so that buffers are full when packets are ended.
fn stopping() -> impl Strategy<Value = Stimulus> {
    let opcode = prop_oneof![Just(Opcode::WriteNoSnp), Just(Opcode::CompData)];
    let packet = (opcode, 4u8..=7, 1usize..=9, 0..3u16, 0..200u64);
    let packets = prop::collection::vec(packet, 1..=12);
    (packets, 4u8..=8, 0..900u16).prop_map(|(packets, patience, slow)| {
        let mut config = Config::new(4);
        config.nodes[2] = Node::Hostile {};
        config.packet_timeout_log2 = Some(patience);
        config.stall.tx_permille = slow;
        let mut program = Program::on(config);
        for turn in 0..6u128 {
            for node in 0..2u64 {
                let addr = UNCACHED + 0x1000 + 0x100 * node;
                let write = Op::WriteUncached {
                    addr,
                    size: 64,
                    value: turn,
                };
                program = program.node(node as usize).store(0x40, 8, turn).op(write);
            }
        }
        program = program.node(2);
        for (opcode, size, sent, to, after) in packets {
            let header = Header {
                src: NodeId::port(2),
                dst: NodeId::port(to),
                txn: 0x209,
                addr: UNCACHED,
                size,
                be: if opcode == Opcode::WriteNoSnp {
                    0xffff
                } else {
                    0
                },
                ..Header::new(opcode)
            };
            let data = vec![size; 1 << size];
            let packet = Packet::with_data(header, &data).expect("a legal packet");
            program = send(program.after(after), packet.words().take(sent));
        }
        program.done()
    })
}

/// How many errors the tight switch logs when a device has sent `lead` short writes, stops in the middle of
/// a longer one until that is ended, and goes on with one more, while its memory takes next to nothing.
fn logged_at_a_slow_memory(lead: usize) -> u32 {
    let mut config = Config::new(4);
    config.nodes[2] = Node::Hostile {};
    config.packet_timeout_log2 = Some(4);
    config.stall.tx_permille = 990;
    let words = |bytes: usize| {
        let header = Header {
            src: NodeId::port(2),
            addr: UNCACHED,
            size: bytes.ilog2() as u8,
            ..request(Opcode::WriteNoSnp)
        };
        let packet = Packet::with_data(header, &vec![7; bytes]).expect("a legal packet");
        packet.words().collect::<Vec<_>>()
    };
    let mut program = Program::on(config);
    for node in 0..2 {
        for value in 0..6 {
            program = program.node(node).op(Op::WriteUncached {
                addr: UNCACHED + 0x1000,
                size: 64,
                value,
            });
        }
    }
    program = program.node(2).after(60);
    for _ in 0..lead {
        program = send(program, words(16));
    }
    program = send(program, words(64).into_iter().take(1));
    program = send(program.after(40), words(128));
    let outcome = property::run(&program.done(), &property::tight());
    let outcome = outcome.unwrap_or_else(|failure| panic!("{failure}"));
    steer::errors(&outcome).map_or(0, |log| log.count)
}

#[test]
fn a_word_for_which_an_ended_packet_has_left_no_slot_is_ignored_and_logged() {
    // The ended packet; with less room, also the word, and the packet that lacks it.
    assert_eq!([0, 1].map(logged_at_a_slow_memory), [1, 3]);
}

#[test]
fn no_packet_that_stops_makes_or_loses_a_credit_or_disturbs_another_device() {
    let from_hostile = |outcome: &Outcome| match steer::errors(outcome).and_then(|log| log.first) {
        Some(first) if first.src != 2 => Err(format!("an error of node {}", first.src)),
        _ => Ok(()),
    };
    property::check(
        "stopping",
        200,
        &property::tight(),
        &stopping(),
        |_, outcome| from_hostile(outcome),
    );
}
