use super::*;
use flits::{CacheState, Opcode};

const HOME: NodeId = NodeId::home(1);
const MEMORY: NodeId = NodeId::port(7);

/// A packet of line 0x1000 on a link; `edit` fills in the rest of its header.
pub(in crate::wave) fn packet(
    (cycle, port, way): (u64, usize, Way),
    (src, dst, txn): (NodeId, NodeId, u16),
    opcode: Opcode,
    edit: impl FnOnce(&mut Header),
) -> Transaction {
    let mut header = Header {
        src,
        dst,
        txn,
        addr: 0x1000,
        ..Header::new(opcode)
    };
    edit(&mut header);
    Transaction {
        cycle,
        port,
        way,
        class: Some(opcode.class()),
        header: Ok(header),
    }
}

/// Node 1 reads line 0x1000, which node 0 has dirty; home 1 works with tracker 3.
pub(in crate::wave) fn read_of_a_dirty_line() -> Vec<Transaction> {
    let (owner, reader) = (NodeId::port(0), NodeId::port(1));
    let (to, from) = (Way::ToSwitch, Way::FromSwitch);
    let state = |state| move |header: &mut Header| header.state = state;
    let forward = |header: &mut Header| (header.forward_node, header.forward_txn) = (reader, 5);
    let at_home = |header: &mut Header| {
        header.state = CacheState::SC;
        (header.home_node, header.home_txn) = (HOME, 3);
    };
    vec![
        packet(
            (10, 1, to),
            (reader, MEMORY, 5),
            Opcode::ReadShared,
            state(CacheState::I),
        ),
        packet(
            (19, 0, from),
            (HOME, owner, 3),
            Opcode::SnpSharedFwd,
            forward,
        ),
        packet((20, 0, to), (owner, reader, 5), Opcode::CompData, at_home),
        packet((22, 1, from), (owner, reader, 5), Opcode::CompData, at_home),
        packet(
            (25, 0, to),
            (owner, HOME, 3),
            Opcode::SnpRespDataFwded,
            state(CacheState::SC),
        ),
        packet(
            (27, 1, to),
            (reader, HOME, 3),
            Opcode::CompAck,
            state(CacheState::SC),
        ),
        packet((37, 7, from), (HOME, MEMORY, 3), Opcode::MemWrite, |h| {
            h.addr = 0
        }),
        packet((99, 7, to), (MEMORY, HOME, 3), Opcode::Comp, |h| h.addr = 0),
    ]
}

/// Node 2 gives up line 0x40; the same tracker, which says so only in its answer.
fn write_back() -> Vec<Transaction> {
    let node = NodeId::port(2);
    let (to, from) = (Way::ToSwitch, Way::FromSwitch);
    vec![
        packet((120, 2, to), (node, HOME, 9), Opcode::WriteBackFull, |h| {
            h.addr = 0x40
        }),
        packet((130, 7, from), (HOME, MEMORY, 3), Opcode::MemWrite, |h| {
            h.addr = 0
        }),
        packet((190, 7, to), (MEMORY, HOME, 3), Opcode::Comp, |h| {
            h.addr = 0
        }),
        packet((200, 2, from), (HOME, node, 9), Opcode::Comp, |h| {
            (h.addr, h.home_node, h.home_txn) = (0x40, HOME, 3);
        }),
    ]
}

pub(in crate::wave) fn collect(packets: &[Transaction]) -> Flows {
    let mut collector = Collector::default();
    packets.iter().for_each(|packet| collector.push(packet));
    collector.finish()
}

#[test]
fn all_packets_of_a_read_are_one_transaction_and_one_that_passes_is_one_step() {
    let found = collect(&read_of_a_dirty_line());
    let [flow] = &found.flows[..] else {
        panic!("{:?}", found.flows);
    };
    assert_eq!(
        flow.name.map(|name| name.to_string()),
        Some("1:5".to_string())
    );
    assert_eq!(
        flow.home.map(|name| name.to_string()),
        Some("home1:3".to_string())
    );
    assert_eq!(flow.line(), Some(0x1000));
    assert_eq!(flow.steps.len(), 7, "CompData is seen twice and is one");
    assert_eq!(flow.cycles(), (10, 99));
    assert_eq!(found.memories, [MEMORY].into());
}

#[test]
fn the_stages_join_from_the_request_to_the_answer() {
    let found = collect(&read_of_a_dirty_line());
    let stage = |place, from, to| Stage { place, from, to };
    assert_eq!(
        found.flows[0].stages(),
        [
            stage(Place::Home(HOME), 10, 19),
            stage(Place::Device(NodeId::port(0)), 19, 20),
            stage(Place::Switch, 20, 22),
        ]
    );
    let found = collect(&write_back());
    assert_eq!(
        found.flows[0].stages(),
        [
            stage(Place::Home(HOME), 120, 130),
            stage(Place::Device(MEMORY), 130, 190),
            stage(Place::Home(HOME), 190, 200),
        ]
    );
}

#[test]
fn a_write_to_memory_belongs_to_the_next_user_of_the_tracker_when_the_last_has_ended() {
    let found = collect(&[read_of_a_dirty_line(), write_back()].concat());
    let steps: Vec<_> = found.flows.iter().map(|flow| flow.steps.len()).collect();
    assert_eq!(steps, [7, 4]);
    assert!(found.flows[1].touches(0x40, 0x40) && !found.flows[1].touches(0x1000, 0x1000));
}

#[test]
fn a_recall_is_a_step_of_the_request_that_needs_room_and_touches_both_lines() {
    let (node, owner) = (NodeId::port(1), NodeId::port(4));
    let (to, from) = (Way::ToSwitch, Way::FromSwitch);
    let found = collect(&[
        packet((5, 1, to), (node, HOME, 0), Opcode::ReadShared, |_| ()),
        packet((14, 4, from), (HOME, owner, 6), Opcode::SnpUnique, |h| {
            (h.addr, h.forward_node) = (0x2000, node);
        }),
        packet((16, 4, to), (owner, HOME, 6), Opcode::SnpResp, |h| {
            h.addr = 0x2000
        }),
    ]);
    assert_eq!(found.flows.len(), 1);
    let flow = &found.flows[0];
    assert!(flow.touches(0x1000, 0x1000) && flow.touches(0x2010, 0x2010));
    assert!(!flow.touches(0x3000, 0x3000));
}

#[test]
fn packets_of_transactions_that_began_before_the_file_are_kept() {
    let read = read_of_a_dirty_line();
    let found = collect(&read[4..]);
    let steps: usize = found.flows.iter().map(|flow| flow.steps.len()).sum();
    assert_eq!(steps, 4, "{:?}", found.flows);
    assert!(found.flows.iter().all(|flow| flow.stages().is_empty()));
}
