//! Tests of the transactions on their own.

use super::*;

const LINE: u64 = 0x1000;

fn home() -> NodeId {
    NodeId::home(0)
}

fn request(opcode: Opcode, node: u16, txn: u16) -> Header {
    Header {
        src: NodeId::port(node),
        txn,
        addr: LINE,
        ..Header::new(opcode)
    }
}

fn snoop(opcode: Opcode, target: u16, forward: (u16, u16)) -> Header {
    let dst = NodeId::port(target);
    let forward = (NodeId::port(forward.0), forward.1);
    Header::snoop(opcode, home(), dst, 7, LINE, forward).expect("a legal snoop")
}

fn granted(dst: u16, txn: u16) -> Header {
    Header {
        dst: NodeId::port(dst),
        txn,
        addr: LINE,
        state: CacheState::SC,
        home_node: home(),
        home_txn: 7,
        ..Header::new(Opcode::CompData)
    }
}

fn to_home(opcode: Opcode, node: u16, state: CacheState) -> Header {
    Header {
        src: NodeId::port(node),
        dst: home(),
        txn: 7,
        addr: LINE,
        state,
        ..Header::new(opcode)
    }
}

/// Node 1 has asked for the line and node 0 was told to forward it.
fn forwarding() -> Transactions {
    let mut open = Transactions::new(Numbering::of_one_chip(4));
    assert!(
        open.request(10, 1, &request(Opcode::ReadShared, 1, 5))
            .is_ok()
    );
    assert!(
        open.snoop(20, 0, &snoop(Opcode::SnpSharedFwd, 0, (1, 5)))
            .is_ok()
    );
    open
}

#[test]
fn a_read_served_by_the_owner_is_followed_to_its_end() {
    let mut open = forwarding();
    assert!(open.end(|_| true).is_err());
    assert!(open.forward(0, &granted(1, 5)).is_ok());
    let answer = to_home(Opcode::SnpRespDataFwded, 0, CacheState::SC);
    assert!(open.snoop_answer(0, &answer).is_ok());
    assert_eq!(
        open.answer(1, &granted(1, 5)).ok(),
        Some((Opcode::ReadShared, LINE))
    );
    assert!(open.end(|_| true).is_err(), "the CompAck is owed");
    assert!(
        open.acknowledge(1, &to_home(Opcode::CompAck, 1, CacheState::SC))
            .is_ok()
    );
    assert!(open.end(|_| true).is_ok());
}

#[test]
fn an_answer_that_nobody_waits_for_or_that_does_not_fit_is_found() {
    let mut open = forwarding();
    assert!(open.answer(1, &granted(1, 6)).is_err(), "another number");
    assert!(open.answer(2, &granted(2, 5)).is_err(), "another node");
    let dirty = Header {
        state: CacheState::UD,
        ..granted(1, 5)
    };
    assert!(
        open.answer(1, &dirty).is_err(),
        "a state that was not asked for"
    );
    assert!(open.answer(1, &granted(1, 5)).is_ok());
    assert!(open.answer(1, &granted(1, 5)).is_err(), "a second time");
}

#[test]
fn a_snoop_answer_must_fit_its_snoop() {
    let unasked = to_home(Opcode::SnpResp, 2, CacheState::I);
    assert!(forwarding().snoop_answer(2, &unasked).is_err());
    let invalidated = to_home(Opcode::SnpRespData, 0, CacheState::I);
    assert!(forwarding().snoop_answer(0, &invalidated).is_err());
    let mut open = forwarding();
    assert!(open.forward(0, &granted(1, 5)).is_ok());
    let denied = to_home(Opcode::SnpResp, 0, CacheState::I);
    assert!(
        open.snoop_answer(0, &denied).is_err(),
        "forwarded and denied"
    );
    assert!(
        forwarding().forward(0, &granted(2, 5)).is_err(),
        "to a node that did not ask"
    );
}

#[test]
fn a_snoop_must_be_for_an_open_request_and_may_not_overtake_a_grant() {
    let mut open = forwarding();
    assert!(
        open.snoop(21, 2, &snoop(Opcode::SnpSharedFwd, 2, (1, 5)))
            .is_err(),
        "asked twice"
    );
    assert!(
        open.snoop(21, 2, &snoop(Opcode::SnpSharedFwd, 2, (3, 5)))
            .is_err(),
        "not asked"
    );
    assert!(
        open.snoop(21, 0, &snoop(Opcode::SnpMakeInvalid, 0, (0, 0)))
            .is_err(),
        "still open"
    );
    assert!(open.answer(1, &granted(1, 5)).is_ok());
    let early = snoop(Opcode::SnpMakeInvalid, 1, (0, 0));
    assert!(open.snoop(30, 1, &early).is_err(), "before the CompAck");
}

#[test]
fn a_request_under_a_number_in_use_and_one_before_its_write_back_ended_are_found() {
    let mut open = Transactions::new(Numbering::of_one_chip(4));
    let evict = request(Opcode::Evict, 1, 5);
    assert!(open.request(1, 1, &evict).is_ok());
    assert!(
        open.request(
            2,
            1,
            &Header {
                addr: 0x40,
                ..evict
            }
        )
        .is_err()
    );
    assert!(
        open.request(2, 1, &request(Opcode::ReadShared, 1, 6))
            .is_err()
    );
    assert!(
        open.request(2, 2, &request(Opcode::ReadShared, 2, 5))
            .is_ok()
    );
}

#[test]
fn what_waits_too_long_is_named_oldest_first() {
    let open = forwarding();
    assert!(open.oldest(1000, 995).is_none());
    let (since, what) = open.oldest(1000, 900).expect("stuck");
    assert_eq!(since, 10);
    assert_eq!(
        what,
        "node 1 waits for the answer to ReadShared 0x1000 txn 5 since cycle 10"
    );
    assert_eq!(
        open.waiting(),
        [
            what,
            "node 0 owes home0 an answer to SnpSharedFwd 0x1000 txn 7 since cycle 20".into()
        ]
    );
}
