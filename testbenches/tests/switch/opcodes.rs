//! Every opcode, one test for each row of the home's and the node's tables, named after the row.
//! The packets on the links are the evidence.

use super::situations::{A, LATER, dirty, owned, run, shared};
use flits::CacheState::{I, SC, UC, UD};
use flits::Opcode::*;
use flits::stimulus::{Op, Tiers};
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::steer::Trace;

on_one_switch_and_on_two_tiers!(
    read_shared_of_an_idle_line_grants_unique_clean_from_memory,
    read_shared_of_a_shared_line_adds_a_sharer_from_memory,
    read_shared_of_a_dirty_line_is_forwarded_and_written_to_memory,
    read_shared_of_a_clean_owned_line_is_forwarded_and_not_written,
    read_unique_of_an_idle_line_grants_unique_clean_from_memory,
    read_unique_of_a_shared_line_invalidates_every_sharer_first,
    read_unique_of_an_owned_line_moves_it_from_cache_to_cache,
    clean_unique_of_a_holder_invalidates_the_others_and_brings_no_data,
    make_unique_takes_the_line_from_everyone_without_data,
    write_back_full_puts_the_line_into_memory,
    evict_of_an_owned_line_leaves_it_idle,
    evict_of_a_shared_line_takes_one_sharer_off,
    read_once_of_an_idle_or_shared_line_reads_memory_and_leaves_the_directory,
    read_once_of_an_owned_line_is_forwarded_and_the_owner_keeps_it,
    write_unique_of_an_idle_line_writes_the_enabled_bytes_in_memory,
    write_unique_of_a_shared_line_invalidates_every_sharer_first,
    write_unique_of_a_dirty_line_merges_with_the_owners_data,
    write_unique_of_a_clean_owned_line_needs_no_data_from_the_owner,
    write_unique_of_a_whole_line_drops_the_owners_dirty_data,
    read_no_snp_and_write_no_snp_of_every_size_reach_the_memory_whole,
);

/// The base of the uncached region.
const UNCACHED: u64 = 1 << 32;

/// How many snoops of any kind all nodes got.
fn snoops(trace: &Trace<'_>) -> usize {
    [
        SnpSharedFwd,
        SnpUniqueFwd,
        SnpOnceFwd,
        SnpUnique,
        SnpMakeInvalid,
    ]
    .into_iter()
    .map(|opcode| trace.count(opcode))
    .sum()
}

/// What the last operation of a node read.
fn last_read(outcome: &Outcome, node: usize) -> Vec<u8> {
    let reads = outcome.events.iter().filter(|event| event.node == node);
    reads
        .filter_map(|event| event.read.as_ref())
        .next_back()
        .map(|data| data.to_vec())
        .expect("a read")
}

fn read_shared_of_an_idle_line_grants_unique_clean_from_memory(tiers: Option<Tiers>) {
    let outcome = run(
        "read_shared_idle",
        tiers,
        Program::new(8).node(0).load(A, 8),
    );
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, ReadShared).len(), 1);
    assert_eq!((trace.count(MemRead), snoops(&trace)), (1, 0));
    assert_eq!(trace.granted(0, CompData), [UC]);
    assert_eq!(trace.answered(0, CompAck), [UC]);
}

fn read_shared_of_a_shared_line_adds_a_sharer_from_memory(tiers: Option<Tiers>) {
    let program = shared().load(A, 8);
    let outcome = run("read_shared_shared", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.count(SnpSharedFwd), snoops(&trace)),
        (1, 1),
        "only the first owner is asked"
    );
    assert_eq!(trace.granted(2, CompData), [SC]);
    assert_eq!(trace.count(MemRead), 2);
}

fn read_shared_of_a_dirty_line_is_forwarded_and_written_to_memory(tiers: Option<Tiers>) {
    let program = dirty(42).load(A, 8);
    let outcome = run("read_shared_dirty", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.got(0, SnpSharedFwd).len(), 1);
    assert_eq!(trace.answered(0, SnpRespDataFwded), [SC]);
    assert_eq!(trace.sent(0, CompData).len(), 1, "the owner sends the data");
    assert_eq!(trace.granted(1, CompData), [SC]);
    assert_eq!(trace.count(MemWrite), 1);
    assert_eq!(last_read(&outcome, 1), 42u64.to_le_bytes());
}

fn read_shared_of_a_clean_owned_line_is_forwarded_and_not_written(tiers: Option<Tiers>) {
    let program = owned().load(A, 8);
    let outcome = run("read_shared_clean", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.answered(0, SnpRespFwded), [SC]);
    assert_eq!(trace.granted(1, CompData), [SC]);
    assert_eq!((trace.count(MemRead), trace.count(MemWrite)), (1, 0));
}

fn read_unique_of_an_idle_line_grants_unique_clean_from_memory(tiers: Option<Tiers>) {
    let outcome = run(
        "read_unique_idle",
        tiers,
        Program::new(8).node(0).store(A, 8, 1),
    );
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, ReadUnique).len(), 1);
    assert_eq!((trace.count(MemRead), snoops(&trace)), (1, 0));
    assert_eq!(trace.granted(0, CompData), [UC]);
}

fn read_unique_of_a_shared_line_invalidates_every_sharer_first(tiers: Option<Tiers>) {
    let program = shared().store(A, 8, 7).node(3).after(3 * LATER).load(A, 8);
    let outcome = run("read_unique_shared", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(2, ReadUnique).len(), 1);
    assert_eq!(trace.granted(2, CompData), [UC]);
    let grant = trace.got(2, CompData)[0];
    for sharer in [0, 1] {
        assert_eq!(
            trace.got(sharer, SnpMakeInvalid).len(),
            1,
            "sharer {sharer}"
        );
        assert_eq!(trace.answered(sharer, SnpResp), [I]);
        assert!(trace.sent(sharer, SnpResp)[0] < grant);
    }
    assert_eq!(last_read(&outcome, 3), 7u64.to_le_bytes());
}

fn read_unique_of_an_owned_line_moves_it_from_cache_to_cache(tiers: Option<Tiers>) {
    for (before, after) in [(dirty(5), UD), (owned(), UC)] {
        let program = before.store(A + 8, 8, 6).load(A, 16);
        let outcome = run("read_unique_owned", tiers, program);
        let trace = Trace::of(&outcome);
        assert_eq!(trace.got(0, SnpUniqueFwd).len(), 1);
        assert_eq!(trace.answered(0, SnpRespFwded), [I]);
        assert_eq!(trace.granted(1, CompData), [after]);
        assert_eq!((trace.count(MemRead), trace.count(MemWrite)), (1, 0));
    }
}

fn clean_unique_of_a_holder_invalidates_the_others_and_brings_no_data(tiers: Option<Tiers>) {
    let program = shared()
        .load(A, 8)
        .node(0)
        .after(3 * LATER)
        .store(A, 8, 9)
        .load(A, 8);
    let outcome = run("clean_unique", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, CleanUnique).len(), 1);
    assert_eq!(trace.granted(0, Comp), [UC]);
    assert_eq!(
        trace.got(0, SnpMakeInvalid).len(),
        0,
        "the requester is not snooped"
    );
    assert_eq!(
        [1, 2].map(|node| trace.got(node, SnpMakeInvalid).len()),
        [1, 1]
    );
    assert_eq!(
        trace.got(0, CompData).len(),
        1,
        "only that of the first load"
    );
}

fn make_unique_takes_the_line_from_everyone_without_data(tiers: Option<Tiers>) {
    let holders = [
        Program::new(8),
        Program::new(8).node(1).load(A, 8),
        Program::new(8).node(1).store(A, 8, 1),
        Program::new(8)
            .node(1)
            .load(A, 8)
            .node(2)
            .after(LATER)
            .load(A, 8),
    ];
    for (snooped, program) in [0, 1, 1, 2].into_iter().zip(holders) {
        let program = program
            .node(0)
            .after(2 * LATER)
            .store_line(A, 0x100)
            .node(3)
            .after(3 * LATER)
            .load(A, 64);
        let outcome = run("make_unique", tiers, program);
        let trace = Trace::of(&outcome);
        assert_eq!(trace.sent(0, MakeUnique).len(), 1);
        assert_eq!(trace.granted(0, Comp), [UD]);
        assert_eq!(trace.count(SnpMakeInvalid), snooped);
        assert_eq!(trace.got(0, CompData).len(), 0);
        assert_eq!(
            last_read(&outcome, 3),
            flits::stimulus::value_bytes(0x100, 64).to_vec()
        );
    }
}

fn write_back_full_puts_the_line_into_memory(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .store(A, 8, 3)
        .evict(A)
        .node(1)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("write_back_full", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.sent(0, WriteBackFull).len(), trace.count(MemWrite)),
        (1, 1)
    );
    assert_eq!(trace.got(0, Comp).len(), 1);
    assert_eq!(snoops(&trace), 0, "the directory has forgotten the owner");
    assert_eq!(trace.granted(1, CompData), [UC]);
    assert_eq!(last_read(&outcome, 1), 3u64.to_le_bytes());
}

fn evict_of_an_owned_line_leaves_it_idle(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .load(A, 8)
        .evict(A)
        .node(1)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("evict_owned", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.sent(0, Evict).len(), trace.got(0, Comp).len()),
        (1, 1)
    );
    assert_eq!((trace.count(MemWrite), snoops(&trace)), (0, 0));
    assert_eq!(trace.granted(1, CompData), [UC]);
}

fn evict_of_a_shared_line_takes_one_sharer_off(tiers: Option<Tiers>) {
    let program = shared()
        .after(2 * LATER)
        .store(A, 8, 1)
        .node(0)
        .after(2 * LATER)
        .evict(A);
    let outcome = run("evict_shared", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, Evict).len(), 1);
    assert_eq!(
        [0, 1].map(|node| trace.got(node, SnpMakeInvalid).len()),
        [0, 1]
    );
}

fn read_once_of_an_idle_or_shared_line_reads_memory_and_leaves_the_directory(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .read_once(A)
        .node(1)
        .after(LATER)
        .load(A, 8);
    let outcome = run("read_once_idle", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, ReadOnce).len(), 1);
    assert_eq!(trace.granted(0, CompData), [I]);
    assert_eq!(snoops(&trace), 0, "the reader holds nothing");
    assert_eq!(trace.granted(1, CompData), [UC]);

    let outcome = run("read_once_shared", tiers, shared().read_once(A));
    let trace = Trace::of(&outcome);
    assert_eq!((trace.count(SnpOnceFwd), trace.count(MemRead)), (0, 2));
}

fn read_once_of_an_owned_line_is_forwarded_and_the_owner_keeps_it(tiers: Option<Tiers>) {
    let program = dirty(8)
        .read_once(A)
        .node(0)
        .after(2 * LATER)
        .store(A, 8, 9);
    let outcome = run("read_once_owned", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.answered(0, SnpRespFwded), [UD]);
    assert_eq!(
        (trace.got(0, SnpOnceFwd).len(), trace.count(MemRead)),
        (1, 1)
    );
    assert_eq!(
        trace.sent(0, ReadUnique).len(),
        1,
        "the second store needs no permission"
    );
    assert_eq!(last_read(&outcome, 1)[..8], 8u64.to_le_bytes());
}

fn write_unique_of_an_idle_line_writes_the_enabled_bytes_in_memory(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .write_unique(A, 64, 0x1000)
        .write_unique(A + 4, 4, 0xffff_ffff)
        .node(1)
        .after(2 * LATER)
        .load(A, 16);
    let outcome = run("write_unique_idle", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.sent(0, WriteUnique).len(), trace.count(MemWrite)),
        (2, 2)
    );
    assert_eq!((trace.got(0, Comp).len(), snoops(&trace)), (2, 0));
    assert_eq!(
        last_read(&outcome, 1)[..8],
        0xffff_ffff_0000_1000u64.to_le_bytes()
    );
}

fn write_unique_of_a_shared_line_invalidates_every_sharer_first(tiers: Option<Tiers>) {
    let program = shared()
        .write_unique(A, 8, 4)
        .node(0)
        .after(3 * LATER)
        .load(A, 8);
    let outcome = run("write_unique_shared", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        [0, 1].map(|node| trace.got(node, SnpMakeInvalid).len()),
        [1, 1]
    );
    assert_eq!(trace.count(MemWrite), 1);
    assert_eq!(last_read(&outcome, 0), 4u64.to_le_bytes());
}

fn write_unique_of_a_dirty_line_merges_with_the_owners_data(tiers: Option<Tiers>) {
    let program = dirty(0x1111_1111_1111_1111)
        .write_unique(A + 2, 2, 0x2222)
        .node(0)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("write_unique_dirty", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.got(0, SnpUnique).len(), 1);
    assert_eq!(trace.answered(0, SnpRespData), [I]);
    assert_eq!(trace.count(MemWrite), 1);
    assert_eq!(
        last_read(&outcome, 0),
        0x1111_1111_2222_1111u64.to_le_bytes()
    );
}

fn write_unique_of_a_clean_owned_line_needs_no_data_from_the_owner(tiers: Option<Tiers>) {
    let program = owned()
        .write_unique(A, 8, 6)
        .node(0)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("write_unique_clean", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.got(0, SnpUnique).len(), trace.answered(0, SnpResp)),
        (1, vec![I])
    );
    assert_eq!(last_read(&outcome, 0), 6u64.to_le_bytes());
}

fn write_unique_of_a_whole_line_drops_the_owners_dirty_data(tiers: Option<Tiers>) {
    let program = dirty(1)
        .write_unique(A, 64, 0x77)
        .node(0)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("write_unique_line", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (
            trace.got(0, SnpMakeInvalid).len(),
            trace.got(0, SnpUnique).len()
        ),
        (1, 0)
    );
    assert_eq!(
        (trace.count(MemWrite), trace.answered(0, SnpResp)),
        (1, vec![I])
    );
    assert_eq!(last_read(&outcome, 0), 0x77u64.to_le_bytes());
}

fn read_no_snp_and_write_no_snp_of_every_size_reach_the_memory_whole(tiers: Option<Tiers>) {
    for log2 in 0..=8u16 {
        let size = 1 << log2;
        let addr = UNCACHED + 0x2100 + u64::from(if size < 16 { size } else { 0 });
        let value = if size < 16 {
            (1u128 << (8 * size)) - 2
        } else {
            0x1234_5678
        };
        let write = Op::WriteUncached { addr, size, value };
        let read = Op::ReadUncached { addr, size };
        let program = Program::new(8)
            .node(0)
            .op(write)
            .node(5)
            .after(LATER)
            .op(read);
        let outcome = run("read_write_no_snp", tiers, program);
        let trace = Trace::of(&outcome);
        assert_eq!((trace.count(WriteNoSnp), trace.count(ReadNoSnp)), (1, 1));
        assert_eq!(
            (trace.got(0, Comp).len(), trace.got(5, CompData).len()),
            (1, 1)
        );
        assert_eq!(
            last_read(&outcome, 5),
            flits::stimulus::value_bytes(value, size).to_vec()
        );
    }
}

/// Loads or stores more lines than the directory has room for, from caches that have the room.
fn overflow(ports: usize, touch: impl Fn(Program, u64) -> Program) -> Program {
    let program = Program::new(ports).caches(512, 8).node(0);
    (0..1200u64).fold(program, |program, line| touch(program, line * 64))
}

// On one switch only: two tiers have four times the directories.
#[test]
fn recall_of_an_owned_line_takes_it_back_and_writes_it_if_dirty() {
    let program = overflow(4, |program, addr| {
        program.store(addr, 8, 1 + u128::from(addr))
    });
    let outcome = run("recall_dirty", None, program);
    let trace = Trace::of(&outcome);
    let recalled = trace.got(0, SnpUnique).len();
    assert!(recalled > 0, "no recall");
    assert_eq!(trace.sent(0, SnpRespData).len(), recalled);
    assert_eq!(trace.count(MemWrite), recalled);

    let program = overflow(4, |program, addr| program.load(addr, 8));
    let outcome = run("recall_clean", None, program);
    let trace = Trace::of(&outcome);
    let recalled = trace.got(0, SnpUnique).len();
    assert!(recalled > 0, "no recall");
    assert_eq!(
        (trace.sent(0, SnpResp).len(), trace.count(MemWrite)),
        (recalled, 0)
    );
}

#[test]
fn recall_of_a_shared_line_invalidates_every_sharer() {
    let mut program = overflow(4, |program, addr| program.load(addr, 8))
        .node(1)
        .after(LATER);
    for line in 0..1200u64 {
        program = program.load(line * 64, 8);
    }
    let outcome = run("recall_shared", None, program);
    let trace = Trace::of(&outcome);
    let recalled = [0, 1].map(|node| trace.got(node, SnpMakeInvalid).len());
    assert!(
        recalled.iter().all(|&count| count > 0),
        "recalled {recalled:?}"
    );
}
