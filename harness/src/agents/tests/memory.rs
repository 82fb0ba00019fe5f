//! Memories: their time, their bandwidth, what they write.

use super::*;

/// The cycles in which the answers to requests that arrive together leave, by transaction.
fn answers(bench: &mut Bench<MemoryNode>) -> Vec<(u16, u64)> {
    let mut times = Vec::new();
    while !bench.agent.is_idle() {
        bench.tick();
        let cycle = bench.cycle;
        times.extend(
            bench
                .sent()
                .iter()
                .map(|packet| (packet.header.home_txn, cycle)),
        );
    }
    times
}

#[test]
fn a_memory_answers_after_its_latency_at_its_bandwidth() {
    let mut bench = memory(50, 1, 4);
    (0..3).for_each(|i| bench.give(mem_read(i, 64 * u64::from(i)), &[]));
    assert_eq!(answers(&mut bench), [(0, 50), (1, 54), (2, 58)]);
}

#[test]
fn channels_work_side_by_side_and_may_overtake() {
    let mut bench = memory(50, 2, 8);
    for (txn, addr) in [(0, 0), (1, 128), (2, 64)] {
        bench.give(mem_read(txn, addr), &[]);
    }
    assert_eq!(answers(&mut bench), [(0, 50), (2, 50), (1, 58)]);
}

#[test]
fn a_memory_writes_the_enabled_bytes_and_answers_with_local_addresses() {
    let mut bench = memory(1, 1, 1);
    let base = Header {
        src: HOME,
        dst: MEMORY,
        addr: 0x40,
        ..Header::new(MemWrite)
    };
    let line = Header {
        size: layout::LINE_SIZE,
        be: u16::MAX,
        ..base
    };
    bench.give(line, &data(1));
    let piece = Header {
        addr: 0x50,
        size: 4,
        be: 0x8001,
        ..base
    };
    bench.give(piece, &[Flit::from_bytes([2; 16])]);
    bench.give(mem_read(6, 0x40), &[]);
    while !bench.agent.is_idle() {
        bench.tick();
    }
    let packets = bench.sent();
    let headers: Vec<_> = packets
        .iter()
        .map(|p| (p.header.opcode, p.header.dst))
        .collect();
    assert_eq!(headers, [(Comp, HOME), (Comp, HOME), (CompData, NODE)]);
    let read = &packets[2];
    assert_eq!(
        (read.header.addr, read.header.txn, read.header.state),
        (0x40, 4, UC)
    );
    assert_eq!((read.header.home_node, read.header.home_txn), (HOME, 6));
    let line = read.line().expect("a line");
    let twos: Vec<usize> = (0..64).filter(|&i| line[i] == 2).collect();
    assert_eq!(twos, [16, 31], "only the enabled bytes of the second flit");
    assert!(line.iter().all(|&byte| byte == 1 || byte == 2));
}

#[test]
fn a_full_memory_stops_taking_requests_and_goes_on_when_answers_have_left() {
    let mut bench = memory(10, 1, 1);
    let mut taken = 0;
    while bench.agent.accepts(Class::Mem, &bench.out) {
        bench.give(mem_read(taken, 0), &[]);
        taken += 1;
    }
    assert!(!bench.agent.accepts(Class::Req, &bench.out));
    (0..11).for_each(|_| bench.tick());
    assert!(bench.agent.accepts(Class::Mem, &bench.out));
    let answered = bench.sent().len();
    assert_eq!(answered + answers(&mut bench).len(), usize::from(taken));
}
