use super::*;
use flits::{Atomic, Header, NodeId};

fn line(addr: u64, data: &[u8]) -> Written<'_> {
    Written {
        addr,
        data,
        be: 0xffff,
    }
}

fn write(node: u16, txn: u16, addr: u64, data: &[u8]) -> Packet {
    let size = data.len().trailing_zeros() as u8;
    let header = Header::write_unique(NodeId::port(node), txn, addr, size);
    Packet::with_data(header.expect("a legal header"), data).expect("a legal packet")
}

fn here() -> String {
    "memory 6".into()
}

/// Whether a write at a memory that is right changes anything.
fn changes(golden: &mut Golden, seen: Written<'_>) -> Option<bool> {
    let write = golden.memory_write(seen, false, here).ok()?;
    Some(matches!(write, AtMemory::Performed { .. }))
}

#[test]
fn a_load_of_an_old_value_is_found() {
    let mut golden = Golden::default();
    golden.store(0x1008, &[1, 2, 3, 4]);
    golden.store(0x1009, &[9]);
    assert!(golden.expect(0x1008, &[1, 9, 3, 4], here).is_ok());
    let found = golden.expect(0x1008, &[1, 2, 3, 4], here).unwrap_err();
    assert!(
        found.message.contains("first at 0x1009"),
        "{}",
        found.message
    );
}

#[test]
fn a_write_back_is_what_was_stored_and_nothing_else() {
    let mut golden = Golden::default();
    golden.store(0x40, &[7; 8]);
    let mut data = [0; 64];
    assert!(golden.memory_write(line(0x40, &data), false, here).is_err());
    data[..8].fill(7);
    assert_eq!(changes(&mut golden, line(0x40, &data)), Some(false));
}

#[test]
fn a_write_without_caching_is_performed_once_and_before_its_completion() {
    let mut golden = Golden::default();
    golden.store(0x40, &[7; 64]);
    let mut beat = [0; 16];
    beat[4..8].fill(5);
    let piece = Written {
        addr: 0x50,
        data: &beat,
        be: 0x00f0,
    };
    golden.issue(2, &write(2, 9, 0x54, &[5; 4]));
    assert!(golden.complete((2, 9), true, None).is_err());

    // Merged into the line of a dirty owner by the home.
    golden.issue(2, &write(2, 9, 0x54, &[5; 4]));
    let mut merged = [7; 64];
    merged[20..24].fill(5);
    assert_eq!(changes(&mut golden, line(0x40, &merged)), Some(true));
    assert!(golden.complete((2, 9), true, None).is_ok());
    assert_eq!(golden.get(0x50, 16)[4..8], [5; 4]);

    // Not a second time, and not torn.
    golden.store(0x54, &[8; 4]);
    assert!(golden.memory_write(piece, false, here).is_err());
    golden.issue(2, &write(2, 10, 0x54, &[5; 4]));
    beat[7] = 8;
    assert!(
        golden
            .memory_write(
                Written {
                    addr: 0x50,
                    data: &beat,
                    be: 0x00f0
                },
                false,
                here
            )
            .is_err()
    );
}

#[test]
fn a_write_that_changes_nothing_may_have_been_performed() {
    let mut golden = Golden::default();
    golden.issue(1, &write(1, 0, 0x80, &[0; 64]));
    golden.issue(2, &write(2, 0, 0x80, &[0; 64]));
    assert_eq!(changes(&mut golden, line(0x80, &[0; 64])), Some(false));
    assert!(golden.complete((1, 0), true, None).is_ok());
    assert!(golden.complete((2, 0), true, None).is_ok());
}

#[test]
fn of_two_writes_of_the_same_bytes_the_corrupt_one_is_told_by_its_mark() {
    let mut golden = Golden::default();
    let mut corrupt = write(2, 0, 0x80, &[3; 64]);
    corrupt.header.poison = true;
    golden.issue(1, &write(1, 0, 0x80, &[3; 64]));
    golden.issue(2, &corrupt);
    let seen = line(0x80, &[3; 64]);
    let first = golden.memory_write(seen, true, here).ok();
    assert!(matches!(
        first,
        Some(AtMemory::Performed { poison: true, .. })
    ));
    let second = golden.memory_write(seen, false, here).ok();
    assert!(matches!(
        second,
        Some(AtMemory::Unchanged { replaces: true })
    ));
}

fn far_add(node: u16, txn: u16, addr: u64, operand: u64) -> Packet {
    let (opcode, op) = (flits::Opcode::AtomicLoad, flits::AtomicOp::Add);
    let header = Header::atomic(opcode, op, NodeId::port(node), txn, addr, 3);
    let lanes = Atomic::Modify { op, operand }.lanes(addr, 3);
    let payload = [flits::Flit::from_bytes(lanes)];
    let payload = payload.into_iter().collect();
    Packet::new(header.expect("a legal header"), payload).expect("a legal packet")
}

/// A memory gets `bytes` at 0x40, of which it changes those of `be`; whose write that is
/// taken to be.
fn performed(golden: &mut Golden, bytes: [u8; 16], be: u16) -> Option<Owner> {
    let seen = Written {
        addr: 0x40,
        data: &bytes,
        be,
    };
    match golden.memory_write(seen, false, here).ok()? {
        AtMemory::Performed { owner, .. } => Some(owner),
        AtMemory::Unchanged { .. } => None,
    }
}

/// A memory gets `value` at 0x48.
fn word(golden: &mut Golden, value: u64) -> Option<Owner> {
    let mut beat = [0; 16];
    beat[8..].copy_from_slice(&value.to_le_bytes());
    performed(golden, beat, 0xff00)
}

#[test]
fn a_far_atomic_answers_what_memory_held_when_it_was_done() {
    let mut golden = Golden::default();
    golden.issue(1, &far_add(1, 7, 0x48, 5));
    assert_eq!(word(&mut golden, 6), None, "another sum");
    assert_eq!(word(&mut golden, 5), Some((1, 7)));
    let old = 1u64.to_le_bytes();
    assert!(golden.complete((1, 7), true, Some(&old)).is_err());
    golden.issue(1, &far_add(1, 7, 0x48, 5));
    assert_eq!(word(&mut golden, 10), Some((1, 7)));
    let old = 5u64.to_le_bytes();
    assert!(golden.complete((1, 7), true, Some(&old)).is_ok());
}

#[test]
fn far_atomics_that_do_the_same_are_told_apart_by_their_answers() {
    let mut golden = Golden::default();
    golden.issue(1, &far_add(1, 7, 0x48, 5));
    golden.issue(2, &far_add(2, 8, 0x48, 5));
    assert_eq!(word(&mut golden, 5), Some((1, 7)), "for all that is known");
    assert_eq!(word(&mut golden, 10), Some((2, 8)));
    let first = golden.complete((2, 8), true, Some(&0u64.to_le_bytes()));
    let mut moves = first.ok().expect("one order fits").moves;
    moves.sort();
    let swapped = vec![((1, 7), Some((2, 8))), ((2, 8), Some((1, 7)))];
    assert_eq!(moves, swapped);
    let second = golden.complete((1, 7), true, Some(&5u64.to_le_bytes()));
    assert_eq!(second.ok().expect("the other").moves, Vec::new());
}

fn ends(golden: &mut Golden, owner: Owner) -> bool {
    golden.complete(owner, true, None).is_ok()
}

const THREES: [u8; 16] = [3; 16];

#[test]
fn writes_of_the_same_bytes_are_told_apart_by_their_answers() {
    for first in 1..=3 {
        let mut golden = Golden::default();
        for node in 1..=3 {
            golden.issue(node, &write(node as u16, 0, 0x40, &THREES));
        }
        assert_eq!(performed(&mut golden, THREES, 0xffff), Some((1, 0)));
        assert!(ends(&mut golden, (first, 0)), "node {first} was first");
        // Of the others none has been performed.
        let next = if first == 1 { 2 } else { 1 };
        assert!(!ends(&mut golden, (next, 0)));
    }
}

#[test]
fn of_the_same_writes_as_many_are_answered_as_memories_have_performed() {
    let mut golden = Golden::default();
    for node in 1..=3 {
        golden.issue(node, &write(node as u16, 0, 0x40, &THREES));
    }
    for owner in [(1, 0), (2, 0)] {
        assert_eq!(performed(&mut golden, THREES, 0xffff), Some(owner));
        golden.store(0x40, &[0; 16]);
    }
    assert!(ends(&mut golden, (3, 0)));
    assert!(ends(&mut golden, (2, 0)));
    assert!(!ends(&mut golden, (1, 0)));
}

#[test]
fn a_change_goes_round_through_writes_that_are_answered_already() {
    // A piece and two halves of it; where the other half is as it was, each could be the piece.
    let half = |node, at: usize| {
        let bytes: [u8; 8] = THREES[8..].try_into().expect("8 bytes");
        write(node, 0, 0x40 + at as u64, &bytes)
    };
    let merged = |golden: &mut Golden| performed(golden, THREES, 0xffff);
    let mut golden = Golden::default();
    golden.store(0x48, &[3; 8]);
    golden.issue(1, &write(1, 0, 0x40, &THREES));
    golden.issue(2, &half(2, 0));
    assert_eq!(merged(&mut golden), Some((1, 0)), "the low half changes");
    golden.issue(3, &half(3, 8));
    golden.store(0x48, &[0; 8]);
    assert_eq!(merged(&mut golden), Some((3, 0)), "the high half changes");
    assert!(ends(&mut golden, (3, 0)));
    assert!(ends(&mut golden, (2, 0)), "it was the first, not the piece");
    assert!(!ends(&mut golden, (1, 0)), "of which none is left");
}

#[test]
fn a_write_has_not_done_what_was_done_before_it_set_out() {
    let mut golden = Golden::default();
    golden.issue(1, &write(1, 0, 0x40, &THREES));
    assert_eq!(performed(&mut golden, THREES, 0xffff), Some((1, 0)));
    golden.issue(2, &write(2, 0, 0x40, &THREES));
    assert!(!ends(&mut golden, (2, 0)));
}
