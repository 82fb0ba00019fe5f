//! The chip with its link ends in RTL, `supernode_switch`.

use flits::stimulus::LinkErrors;
use flits::{Class, Header, LinkWord, NodeId, Opcode};
use harness::check::Checkers;
use harness::dut::{Dut, NODE_DEPTH, Stall};
use harness::sim::stream;
use testbenches::linked_chip::ChipWithLinks;

/// A completion from a port to a port; `number` tells it from others.
fn comp(from: u16, to: u16, number: u64) -> LinkWord {
    let mut header = Header::new(Opcode::Comp);
    header.src = NodeId::port(from);
    header.dst = NodeId::port(to);
    header.addr = number;
    LinkWord {
        class: Class::Rsp,
        head: true,
        tail: true,
        flit: header.encode(),
    }
}

/// Sends `count` completions from each port to each, and checks that they arrive once, in order;
/// returns the cycles that the first took from core to core.
fn carry(errors: &LinkErrors, count: u64) -> u64 {
    let chip = ChipWithLinks::new(errors).expect("the models are built");
    let rng = |port| stream(1, &format!("stall {port}"));
    let mut dut = Dut::new(Box::new(chip), NODE_DEPTH, Stall::default(), rng)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let mut checks = Checkers::off();
    // The links train and grant credits first.
    for _ in 0..100 {
        dut.step(&mut checks)
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
    let begin = dut.cycle();
    for number in 0..count {
        for from in 0..2 {
            dut.send(from, comp(from as u16, 1 - from as u16, number));
            dut.send(from, comp(from as u16, from as u16, number));
        }
    }
    let mut next = [[0; 2]; 2];
    let mut first = None;
    while next != [[count; 2]; 2] {
        dut.step(&mut checks)
            .unwrap_or_else(|failure| panic!("{failure}"));
        for (port, next) in next.iter_mut().enumerate() {
            while let Some(word) = dut.recv(port) {
                first.get_or_insert(dut.cycle() - begin);
                let header = Header::decode(word.class, word.flit).expect("a legal header");
                let from = usize::from(header.src == NodeId::port(1));
                let expected = comp(from as u16, port as u16, next[from]);
                assert_eq!(word, expected, "port {port}, from {from}");
                next[from] += 1;
            }
        }
        assert!(
            dut.cycle() < begin + 200 * count + 5000,
            "arrived: {next:?}"
        );
    }
    first.expect("something arrived")
}

#[test]
fn the_chip_with_its_link_ends_takes_five_cycles_from_wire_to_wire() {
    // Two more in the ends of the nodes, and the cycle in which the core at the end sees the word.
    assert_eq!(carry(&LinkErrors::default(), 1), 2 + 5);
}

#[test]
fn the_chip_with_its_link_ends_loses_nothing_to_errors() {
    carry(&LinkErrors::mixed(50_000, 5), 400);
}
