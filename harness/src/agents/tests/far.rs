//! Far atomics, CleanInvalid and poison.

use super::*;
use flits::AtomicOp;

/// CompData of a piece: the old value of a far atomic.
fn old_value(txn: u16, addr: u64, size: u8) -> Header {
    Header {
        src: HOME,
        addr,
        size,
        ..comp_data(txn, I)
    }
}

fn io() -> Bench<IoNode> {
    Bench::new(IoNode::new(NODE, 2, NodeSet::from_iter([MEMORY])))
}

/// The one packet sent.
fn only<A: Agent>(bench: &mut Bench<A>) -> Packet {
    let packets = bench.sent();
    assert_eq!(packets.len(), 1, "{packets:?}");
    packets[0].clone()
}

#[test]
fn a_far_atomic_sends_its_operands_and_gives_the_old_value() {
    let mut bench = io();
    let mut operand = [0; 2 * EXPECTED_OFFSET];
    operand[..4].copy_from_slice(&[1, 2, 3, 4]);
    operand[EXPECTED_OFFSET..][..4].copy_from_slice(&[5, 6, 7, 8]);
    let id = bench.submit(OpKind::AtomicCompare, LINE + 12, 4, &operand);
    let packet = only(&mut bench);
    let Header {
        opcode,
        addr,
        size,
        be,
        ..
    } = packet.header;
    assert_eq!(
        (opcode, addr, size, be),
        (AtomicCompare, LINE + 12, 2, 0xf000)
    );
    let lanes = packet.payload[0].to_bytes();
    assert_eq!(
        (&lanes[12..], &lanes[4..8]),
        (&[5, 6, 7, 8][..], &[1, 2, 3, 4][..])
    );
    let mut old = [0; 16];
    old[12..].copy_from_slice(&[9; 4]);
    bench.give(old_value(0, LINE + 12, 2), &[Flit::from_bytes(old)]);
    assert_eq!(bench.status(id), Some(RespErr::Ok));
    assert_eq!(bench.ops[id].bytes(), [9; 4]);
    assert_eq!(bench.headers(), [], "no CompAck");
    assert!(bench.agent.is_idle());
}

#[test]
fn an_atomic_store_is_done_with_comp() {
    let mut bench = io();
    let id = bench.submit(OpKind::AtomicStore(AtomicOp::Umin), LINE + 8, 8, &[7; 8]);
    let packet = only(&mut bench);
    assert_eq!(
        (packet.header.opcode, packet.header.atomic_op),
        (AtomicStore, AtomicOp::Umin)
    );
    bench.give(comp(0, I, RespErr::Ok), &[]);
    assert_eq!(bench.status(id), Some(RespErr::Ok));
    assert_eq!(bench.headers(), [], "no CompAck");
}

#[test]
fn a_cache_gives_its_copy_up_before_a_far_atomic_and_a_clean_invalid() {
    for (kind, opcode) in [
        (OpKind::AtomicSwap, AtomicSwap),
        (OpKind::CleanInvalid, CleanInvalid),
        (OpKind::WritePoison, WriteUnique),
    ] {
        for (state, leaves) in [(UD, WriteBackFull), (UC, Evict), (SC, Evict)] {
            let mut bench = cached(4, 2);
            hold(&mut bench, state);
            let len = if kind == OpKind::CleanInvalid { 64 } else { 8 };
            let id = bench.submit(kind, LINE, len, &[3; 8]);
            let sent = bench.headers();
            assert_eq!(sent.len(), 1);
            assert_eq!((sent[0].0, sent[0].3), (leaves, state));
            bench.give(comp(sent[0].2, I, RespErr::Ok), &[]);
            let sent = bench.headers();
            assert_eq!(sent.len(), 1);
            assert_eq!((sent[0].0, sent[0].3), (opcode, I));
            assert_eq!(bench.status(id), None);
        }
    }
}

#[test]
fn a_line_is_not_asked_for_while_its_far_atomic_is_under_way() {
    let mut bench = cached(4, 2);
    let atomic = bench.submit(OpKind::AtomicLoad(AtomicOp::Add), LINE, 8, &[1; 8]);
    let txn = only(&mut bench).header.txn;
    let load = bench.submit(OpKind::Load, LINE + 8, 8, &[]);
    bench.tick();
    assert_eq!(bench.headers(), []);
    bench.give(old_value(txn, LINE, 3), &[Flit::ZERO]);
    assert_eq!(bench.status(atomic), Some(RespErr::Ok));
    bench.tick();
    assert_eq!(bench.headers(), [(ReadShared, ANY, 0, I)]);
    assert_eq!(bench.status(load), None);
}

/// CompData of a poisoned line.
fn poisoned(txn: u16, state: CacheState) -> Header {
    Header {
        poison: true,
        resp: RespErr::DataError,
        ..comp_data(txn, state)
    }
}

#[test]
fn a_load_of_a_poisoned_line_is_an_error_and_the_copy_is_kept() {
    let mut bench = cached(4, 2);
    let first = bench.submit(OpKind::Load, LINE, 8, &[]);
    bench.sent();
    bench.give(poisoned(0, SC), &data(1));
    assert_eq!(bench.status(first), Some(RespErr::DataError));
    assert_eq!(bench.headers(), [(CompAck, HOME, 77, SC)]);
    let second = bench.submit(OpKind::Load, LINE + 8, 8, &[]);
    assert_eq!(bench.status(second), Some(RespErr::DataError));
    assert_eq!(bench.headers(), [], "a hit");
}

#[test]
fn a_poisoned_line_stays_so_until_all_of_it_is_overwritten() {
    for (len, stays) in [(8, true), (64, false)] {
        let mut bench = cached(1, 2);
        let store = bench.submit(OpKind::Store, LINE, 8, &[2; 8]);
        bench.sent();
        bench.give(poisoned(0, UC), &data(1));
        assert_eq!(bench.status(store), Some(RespErr::Ok));
        bench.submit(OpKind::Store, LINE, len, &[3; 64][..len.into()]);
        let add = bench.submit(OpKind::FetchAdd, LINE, 8, &[0; 8]);
        let status = if stays {
            RespErr::DataError
        } else {
            RespErr::Ok
        };
        assert_eq!(bench.status(add), Some(status));
        bench.sent();
        bench.give(snoop(SnpSharedFwd), &[]);
        for Packet { header, .. } in bench.sent() {
            assert_eq!(header.poison, stays, "{header}");
            let status = if header.opcode == CompData {
                status
            } else {
                RespErr::Ok
            };
            assert_eq!(header.resp, status, "{header}");
        }
        bench.submit(OpKind::Evict, LINE, 64, &[]);
        assert_eq!(only(&mut bench).header.opcode, Evict);
    }
}

#[test]
fn a_write_back_and_the_answer_to_a_snoop_carry_poison() {
    let mut bench = cached(1, 2);
    bench.submit(OpKind::Store, LINE, 8, &[2; 8]);
    bench.sent();
    bench.give(poisoned(0, UC), &data(1));
    bench.sent();
    bench.submit(OpKind::Evict, LINE, 64, &[]);
    let packet = only(&mut bench);
    assert_eq!(
        (packet.header.opcode, packet.header.poison),
        (WriteBackFull, true)
    );
    bench.give(snoop(SnpUnique), &[]);
    let packet = only(&mut bench);
    assert_eq!(
        (packet.header.opcode, packet.header.poison),
        (SnpRespData, true)
    );
}

/// Reads a line of a memory: whether it is poisoned.
fn is_poisoned(bench: &mut Bench<MemoryNode>, addr: u64) -> bool {
    bench.give(mem_read(6, addr), &[]);
    while !bench.agent.is_idle() {
        bench.tick();
    }
    let header = bench.sent().pop().expect("an answer").header;
    assert_eq!(header.resp == RespErr::DataError, header.poison);
    header.poison
}

#[test]
fn a_memory_keeps_poison_by_16_bytes() {
    let write = |addr: u64, size: u8, be: u16, poison: bool| Header {
        src: HOME,
        dst: MEMORY,
        addr,
        size,
        be,
        poison,
        ..Header::new(MemWrite)
    };
    let mut bench = memory(1, 1, 1);
    let piece = [Flit::ZERO];
    bench.give(write(0x48, 3, 0xff00, true), &piece);
    assert!(is_poisoned(&mut bench, 0x40));
    assert!(!is_poisoned(&mut bench, 0x80), "another line");
    bench.give(write(0x40, 4, 0x7fff, false), &piece);
    assert!(is_poisoned(&mut bench, 0x40), "a byte of the piece is left");
    bench.give(write(0x50, 4, 0xffff, true), &piece);
    bench.give(write(0x40, 4, 0xffff, false), &piece);
    assert!(is_poisoned(&mut bench, 0x40), "another piece");
    bench.give(write(0x50, 4, 0xffff, false), &piece);
    assert!(!is_poisoned(&mut bench, 0x40));
    bench.give(write(0x40, 6, 0xffff, true), &data(1));
    assert!(is_poisoned(&mut bench, 0x40));
    bench.give(write(0x40, 6, 0xffff, false), &data(1));
    assert!(!is_poisoned(&mut bench, 0x40));
}
