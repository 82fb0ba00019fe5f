use super::*;
use crate::FailureKind;
use crate::dut::{Entry, HomeAnswer, HomeEvent, PortAnswer};
use flits::layout::LINE_SIZE;
use flits::{CacheState, Header, Opcode, Packet};

const LINE: u64 = 0x1040;

/// A home that does what a test says, between nodes on two chips with four each.
struct Acted(Conformance);

fn numbering() -> Numbering {
    Numbering::new(8, 4)
}

fn node(number: usize) -> NodeId {
    numbering().node(number)
}

fn set(nodes: &[usize]) -> u64 {
    nodes.iter().fold(0, |set, node| set | 1 << node)
}

fn shared(nodes: &[usize]) -> Entry {
    Entry {
        unique: false,
        holders: set(nodes),
    }
}

fn unique(node: usize) -> Entry {
    Entry {
        unique: true,
        holders: set(&[node]),
    }
}

fn home() -> NodeId {
    NodeId::home(0)
}

fn event(tracker: u16, src: usize, txn: u16) -> HomeEvent {
    HomeEvent {
        tracker,
        request: 0,
        src: node(src),
        txn,
        addr: LINE,
        begins: None,
        refused: false,
        answer: None,
        recall_ends: false,
        settles: None,
        ends: None,
    }
}

type Said = Result<(), String>;

impl Acted {
    fn new() -> Self {
        Acted(Conformance::new(numbering(), std::iter::empty()))
    }

    fn see(&mut self, view: &HomeView) -> Said {
        self.0.edge(0, 0, view).map_err(|found| {
            assert_eq!(found.kind, FailureKind::Conformance);
            found.message
        })
    }

    fn words(&mut self, packet: &Packet, comes: bool) -> Said {
        for word in packet.words() {
            let mut view = HomeView::default();
            *(if comes { &mut view.rx } else { &mut view.tx }) = Some(word);
            self.see(&view)?;
        }
        Ok(())
    }

    fn comes(&mut self, header: Header, data: Option<u8>) -> Said {
        let packet = match data {
            Some(byte) => Packet::with_data(header, &[byte; 64]),
            None => Packet::bare(header),
        };
        self.words(&packet.expect("a packet"), true)
    }

    fn sends(&mut self, header: Header) -> Said {
        self.words(&Packet::bare(header).expect("a packet"), false)
    }

    fn does(&mut self, event: HomeEvent) -> Said {
        self.see(&HomeView {
            event: Some(event),
            ..HomeView::default()
        })
    }

    /// A request comes.
    fn asks(&mut self, op: Opcode, src: usize, txn: u16, state: CacheState) -> Said {
        let data = op.has_payload().then_some(7);
        let header = Header {
            src: node(src),
            txn,
            addr: LINE,
            size: LINE_SIZE,
            state,
            be: if data.is_some() { u16::MAX } else { 0 },
            ..Header::new(op)
        };
        self.comes(header, data)
    }

    /// Its turn comes.
    fn begins(&mut self, tracker: u16, src: usize, txn: u16, entry: Entry) -> Said {
        self.does(HomeEvent {
            begins: Some(entry),
            ..event(tracker, src, txn)
        })
    }

    /// Its requester acknowledges, and it ends.
    fn ends(&mut self, tracker: u16, src: usize, state: CacheState, entry: Entry) -> Said {
        self.does(HomeEvent {
            settles: Some(entry),
            ..event(tracker, src, 0)
        })?;
        self.see(&HomeView {
            answers: vec![PortAnswer {
                src: node(src),
                tracker,
                ack: Some(state),
            }],
            ..HomeView::default()
        })?;
        self.see(&HomeView {
            retired: Some(tracker),
            ..HomeView::default()
        })
    }

    fn answers_at_port(&mut self, tracker: u16, src: NodeId) -> Said {
        self.see(&HomeView {
            answers: vec![PortAnswer {
                src,
                tracker,
                ack: None,
            }],
            ..HomeView::default()
        })
    }

    /// A node reads the line that others share, or nobody holds.
    fn reads(&mut self, src: usize, before: &[usize], after: &[usize]) -> Said {
        self.asks(Opcode::ReadShared, src, 5, CacheState::SC)?;
        self.begins(1, src, 5, shared(before))?;
        self.sends(read(1, src, 5, CacheState::SC))?;
        self.ends(1, src, CacheState::SC, shared(after))
    }

    /// Nodes 1, 2 and 6, the last on another chip, share the line, and node 3 asks to own it.
    fn snooping() -> Self {
        let mut home = Acted::new();
        home.reads(1, &[], &[1]).expect("right");
        home.reads(2, &[1], &[1, 2]).expect("right");
        home.reads(6, &[1, 2], &[1, 2, 6]).expect("right");
        home.asks(Opcode::ReadUnique, 3, 9, CacheState::UD)
            .expect("right");
        home.begins(2, 3, 9, shared(&[1, 2, 6])).expect("right");
        home
    }
}

fn read(tracker: u16, requester: usize, txn: u16, state: CacheState) -> Header {
    Header {
        src: home(),
        txn: tracker,
        addr: LINE,
        size: LINE_SIZE,
        state,
        return_node: node(requester),
        return_txn: txn,
        ..Header::new(Opcode::MemRead)
    }
}

fn snoop(tracker: u16, op: Opcode, chip: u16, targets: &[usize], requester: usize) -> Header {
    Header {
        src: home(),
        dst: NodeId::port(0).on_chip(chip),
        txn: tracker,
        addr: LINE,
        forward_node: node(requester),
        forward_txn: 9,
        targets: set(targets) as u16,
        ..Header::new(op)
    }
}

fn fails(said: Said, text: &str) {
    let message = said.expect_err("it differs");
    assert!(message.contains(text), "{message}");
}

const INVALIDATE: Opcode = Opcode::SnpMakeInvalid;

#[test]
fn a_home_that_does_what_the_specification_does_passes() {
    let mut home = Acted::snooping();
    home.sends(snoop(2, INVALIDATE, 0, &[1, 2], 3))
        .expect("right");
    home.answers_at_port(2, node(2)).expect("right");
    home.sends(snoop(2, INVALIDATE, 1, &[2], 3)).expect("right");
    home.answers_at_port(2, node(1)).expect("right");
    home.answers_at_port(2, node(6)).expect("right");
    home.does(HomeEvent {
        answer: Some(HomeAnswer::LastOfPorts),
        ..event(2, 3, 9)
    })
    .expect("right");
    home.sends(read(2, 3, 9, CacheState::UC)).expect("right");
    home.ends(2, 3, CacheState::UC, unique(3)).expect("right");
    home.0.end().map_err(|found| found.message).expect("right");
    assert_eq!(home.0.inputs, 3 * 2 + 1 + 3 + 1);
}

#[test]
fn one_answer_of_a_chip_stands_for_all_its_nodes() {
    let mut home = Acted::snooping();
    home.sends(snoop(2, INVALIDATE, 0, &[1, 2], 3))
        .expect("right");
    home.answers_at_port(2, NodeId::try_from(31).expect("the chip"))
        .expect("right");
    home.sends(snoop(2, INVALIDATE, 1, &[2], 3)).expect("right");
    home.answers_at_port(2, node(6)).expect("right");
    home.sends(read(2, 3, 9, CacheState::UC)).expect("right");
}

#[test]
fn a_wrong_packet_fails() {
    let wrong = [
        (
            snoop(2, INVALIDATE, 0, &[0, 1, 2], 3),
            "sends SnpMakeInvalid to {0, 1, 2}, the spec",
        ),
        (snoop(2, INVALIDATE, 1, &[1], 3), "to {5}"),
        (
            snoop(2, Opcode::SnpUnique, 0, &[1, 2], 3),
            "sends SnpUnique",
        ),
        (snoop(2, INVALIDATE, 0, &[1, 2], 4), "in another's name"),
        (
            read(2, 3, 9, CacheState::UC),
            "sends MemRead UC for 3, the spec",
        ),
        (read(7, 3, 9, CacheState::UC), "not the transaction's"),
    ];
    for (header, text) in wrong {
        fails(Acted::snooping().sends(header), text);
    }
    let mut home = Acted::new();
    home.asks(Opcode::ReadShared, 1, 5, CacheState::SC)
        .expect("right");
    home.begins(1, 1, 5, shared(&[])).expect("right");
    let unique = read(1, 1, 5, CacheState::UC);
    fails(
        home.sends(unique),
        "sends MemRead UC for 1, the specification sends MemRead SC for 1",
    );
    let other = read(1, 1, 6, CacheState::SC);
    fails(home.sends(other), "for another request");
}

#[test]
fn a_packet_that_is_not_sent_fails() {
    let mut home = Acted::snooping();
    home.sends(snoop(2, INVALIDATE, 0, &[1], 3))
        .expect("a part of it");
    home.answers_at_port(2, node(1)).expect("right");
    let ends = home.ends(2, 3, CacheState::UC, unique(3));
    fails(ends, "the specification does not");
    let late = Acted::snooping().0.end().map_err(|found| found.message);
    fails(late, "never sent SnpMakeInvalid to {1, 2, 6}");
}

#[test]
fn a_wrong_directory_fails() {
    let mut home = Acted::new();
    home.reads(1, &[], &[1]).expect("right");
    let late = home.reads(2, &[1], &[2]);
    fails(
        late,
        "with Shared {2} in its directory, the specification with Shared {1, 2}",
    );
    let mut home = Acted::new();
    home.reads(1, &[], &[1]).expect("right");
    let early = home.reads(2, &[0, 1], &[0, 1, 2]);
    fails(
        early,
        "finds Shared {0, 1} in its directory, the specification Shared {1}",
    );
}

#[test]
fn requests_of_a_line_out_of_turn_fail() {
    let mut home = Acted::new();
    home.asks(Opcode::ReadShared, 1, 5, CacheState::SC)
        .expect("right");
    home.asks(Opcode::ReadShared, 2, 6, CacheState::SC)
        .expect("right");
    fails(home.begins(1, 2, 6, shared(&[])), "which came first");
    fails(
        Acted::new().begins(1, 2, 6, shared(&[])),
        "that has not come",
    );
}

#[test]
fn data_is_compared() {
    let owned = || {
        let mut home = Acted::new();
        home.asks(Opcode::MakeUnique, 1, 5, CacheState::UD)
            .expect("right");
        home.begins(1, 1, 5, shared(&[])).expect("right");
        let grant = Header {
            src: self::home(),
            dst: node(1),
            txn: 5,
            addr: LINE,
            state: CacheState::UD,
            home_node: self::home(),
            home_txn: 1,
            ..Header::new(Opcode::Comp)
        };
        home.sends(grant).expect("right");
        home.ends(1, 1, CacheState::UD, unique(1)).expect("right");
        home.asks(Opcode::WriteBackFull, 1, 5, CacheState::UD)
            .expect("right");
        home.begins(3, 1, 5, unique(1)).expect("right");
        home
    };
    let write = |byte: u8| {
        let header = Header {
            src: home(),
            txn: 3,
            addr: LINE,
            size: LINE_SIZE,
            be: u16::MAX,
            ..Header::new(Opcode::MemWrite)
        };
        Packet::with_data(header, &[byte; 64]).expect("a packet")
    };
    owned().words(&write(7), false).expect("right");
    fails(owned().words(&write(8), false), "of the line 0808");
}

#[test]
fn what_is_made_up_is_not_compared_and_the_directory_taken_over() {
    let mut home = Acted::snooping();
    home.sends(snoop(2, INVALIDATE, 0, &[1, 2], 3))
        .expect("right");
    let lost = HomeEvent {
        answer: Some(HomeAnswer::MadeUp),
        ends: Some(shared(&[4])),
        ..event(2, 3, 9)
    };
    home.does(lost).expect("not compared");
    home.reads(1, &[4], &[1, 4]).expect("right again");
}

#[test]
fn a_recall_is_compared() {
    let recalled = |targets: &[usize]| {
        let mut home = Acted::new();
        home.reads(1, &[], &[1])?;
        home.sends(snoop(6, INVALIDATE, 0, targets, 3))?;
        home.answers_at_port(6, node(1))?;
        home.does(HomeEvent {
            answer: Some(HomeAnswer::LastOfPorts),
            recall_ends: true,
            ..event(6, 3, 9)
        })?;
        home.reads(2, &[], &[2])
    };
    recalled(&[1]).expect("right");
    fails(
        recalled(&[1, 2]),
        "sends SnpMakeInvalid to {1, 2}, the specification",
    );
}
