//! Far atomics and CleanInvalid: what they compute, whom they disturb, and that they are atomic.

use super::additions::{add, cramped, told_apart};
use super::situations::{A, LATER, dirty, owned, run, shared};
use flits::CacheState::{I, UC};
use flits::Opcode::*;
use flits::stimulus::{Config, Op, OpKind, Stimulus, Tiers};
use flits::strategies::{Programs, Shape};
use flits::{AtomicOp, RespErr};
use harness::sim::Outcome;
use proptest::prelude::*;
use testbenches::program::Program;
use testbenches::property;
use testbenches::steer::Trace;

on_one_switch_and_on_two_tiers!(
    far_operations_leave_and_answer_what_rust_computes,
    exchanges_leave_and_answer_what_rust_computes,
    an_atomic_of_an_idle_line_reads_memory_for_the_home_and_writes_its_word,
    an_atomic_of_a_shared_line_invalidates_every_sharer_first,
    an_atomic_of_a_dirty_line_is_computed_on_the_owners_data,
    an_atomic_of_a_clean_owned_line_reads_memory,
    a_cache_gives_its_own_copy_up_before_an_atomic,
    clean_invalid_leaves_the_line_in_memory_and_nowhere_else,
    clean_invalid_of_a_dirty_line_writes_it_to_memory,
    an_atomic_needs_the_right_to_read_and_to_write,
    of_many_far_exchanges_on_one_value_one_takes_place,
    p5_far_atomics_are_atomic_among_near_ones,
    p5_far_atomics_without_answers_are_not_lost,
    random_programs_with_far_operations_are_right,
);

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The value that the `n`th operation gave.
fn read(outcome: &Outcome, n: usize) -> u64 {
    let bytes = outcome.events[n].read.as_deref();
    word(bytes.unwrap_or_else(|| panic!("operation {n} gave no value")))
}

/// What Rust's integers make of two words of so many bytes.
fn computed(op: AtomicOp, size: u16, old: u64, operand: u64) -> u64 {
    if size == 4 {
        let (a, b) = (old as u32, operand as u32);
        let result = match op {
            AtomicOp::Add => a.wrapping_add(b),
            AtomicOp::And => a & b,
            AtomicOp::Xor => a ^ b,
            AtomicOp::Or => a | b,
            AtomicOp::Smax => (a as i32).max(b as i32) as u32,
            AtomicOp::Smin => (a as i32).min(b as i32) as u32,
            AtomicOp::Umax => a.max(b),
            AtomicOp::Umin => a.min(b),
        };
        return result.into();
    }
    match op {
        AtomicOp::Add => old.wrapping_add(operand),
        AtomicOp::And => old & operand,
        AtomicOp::Xor => old ^ operand,
        AtomicOp::Or => old | operand,
        AtomicOp::Smax => (old as i64).max(operand as i64) as u64,
        AtomicOp::Smin => (old as i64).min(operand as i64) as u64,
        AtomicOp::Umax => old.max(operand),
        AtomicOp::Umin => old.min(operand),
    }
}

/// Pairs of words in which sign, carry and every bit matter.
const PAIRS: [(u64, u64); 6] = [
    (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
    (0xffff_ffff_ffff_fffe, 0x0000_0000_0000_0003),
    (0x7fff_ffff_7fff_ffff, 0x8000_0000_8000_0000),
    (0x8000_0000_8000_0000, 0x7fff_ffff_7fff_ffff),
    (0x0000_0001_ffff_ffff, 0x0000_0000_0000_0001),
    (0x5555_5555_5555_5555, 0x5555_5555_5555_5555),
];

/// Each operation, in both sizes and every lane of a line, in memory and on a dirty line.
fn far_operations_leave_and_answer_what_rust_computes(tiers: Option<Tiers>) {
    for dirty in [false, true] {
        let mut program = Program::new(4).node(0);
        let mut wanted = Vec::new();
        let mut slot = 0u64;
        for op in AtomicOp::ALL {
            for size in [8u16, 4] {
                let mask = if size == 4 { 0xffff_ffff } else { u64::MAX };
                for (old, operand) in PAIRS.map(|(a, b)| (a & mask, b & mask)) {
                    let addr = A + 64 * (slot / 8) + 8 * (slot % 8);
                    let addr = if size == 4 {
                        addr + 4 * (slot / 3 % 2)
                    } else {
                        addr
                    };
                    slot += 1;
                    program = match dirty {
                        true => program
                            .node(1)
                            .store(addr, size, old.into())
                            .node(0)
                            .after(LATER),
                        false => program.write_unique(addr, size, old.into()),
                    };
                    // The new value is the old one of the second.
                    let next = !operand & mask;
                    program = program
                        .atomic_load(op, addr, size, operand.into())
                        .atomic_store(op, addr, size, next.into())
                        .load(addr, size)
                        .evict(addr & !63);
                    let between = computed(op, size, old, operand);
                    wanted.push((old, computed(op, size, between, next)));
                    if dirty {
                        program = program.node(1).after(4 * LATER);
                    }
                }
            }
        }
        let outcome = run("far_operations", tiers, program);
        let values = |kind: OpKind| {
            let events = outcome.events.iter().filter(move |event| event.op == kind);
            events.map(|event| word(event.read.as_deref().unwrap_or_default()))
        };
        let got: Vec<_> = values(OpKind::AtomicLoad)
            .zip(values(OpKind::Load))
            .collect();
        assert_eq!(got, wanted);
        let trace = Trace::of(&outcome);
        assert_eq!(trace.sent(0, AtomicLoad).len(), wanted.len());
        assert_eq!(trace.sent(0, AtomicStore).len(), wanted.len());
    }
}

fn exchanges_leave_and_answer_what_rust_computes(tiers: Option<Tiers>) {
    for size in [8u16, 4] {
        for lane in [0, 8, 4, 12].into_iter().filter(|lane| lane % size == 0) {
            let addr = A + 16 + u64::from(lane);
            let compare = |expected, value| Op::AtomicCompare {
                addr,
                size,
                expected,
                value,
            };
            let value = 0x1111_2222;
            let program = Program::new(4)
                .node(0)
                .op(Op::AtomicSwap { addr, size, value })
                .op(compare(0x1111_2222, 0x8765_4321))
                .op(compare(0x1111_2222, 0x7777_7777))
                .load(addr, size)
                .load(A, 64);
            let outcome = run("exchanges", tiers, program);
            let values = [0, 1, 2, 3].map(|n| read(&outcome, n));
            assert_eq!(values, [0, 0x1111_2222, 0x8765_4321, 0x8765_4321]);
            let line = outcome.events[4].read.as_deref().expect("a line");
            let others: u64 = line.iter().map(|&byte| u64::from(byte)).sum();
            let own: u64 = 0x8765_4321u32.to_le_bytes().map(u64::from).iter().sum();
            assert_eq!(others, own, "bytes beside the word have changed");
        }
    }
}

fn an_atomic_of_an_idle_line_reads_memory_for_the_home_and_writes_its_word(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .atomic_load(AtomicOp::Add, A + 8, 8, 5)
        .node(1)
        .after(LATER)
        .load(A + 8, 8);
    let outcome = run("atomic_idle", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.sent(0, AtomicLoad).len(), trace.granted(0, CompData)),
        (1, vec![I])
    );
    assert_eq!(trace.sent(0, CompAck).len(), 0);
    // One read for the home, one for the load.
    assert_eq!((trace.count(MemRead), trace.count(MemWrite)), (2, 1));
    assert_eq!(
        trace.granted(1, CompData),
        [UC],
        "the directory has no holder"
    );
    assert_eq!(read(&outcome, 1), 5);
}

fn an_atomic_of_a_shared_line_invalidates_every_sharer_first(tiers: Option<Tiers>) {
    let program = shared()
        .atomic_load(AtomicOp::Or, A, 4, 0xf0)
        .node(0)
        .after(3 * LATER)
        .load(A, 8);
    let outcome = run("atomic_shared", tiers, program);
    let trace = Trace::of(&outcome);
    let snooped = [0, 1].map(|node| trace.got(node, SnpMakeInvalid).len());
    assert_eq!(snooped, [1, 1]);
    let answer = trace.got(2, CompData)[0];
    assert!(
        [0, 1]
            .iter()
            .all(|&node| trace.sent(node, SnpResp)[0] < answer)
    );
    assert_eq!(read(&outcome, 3), 0xf0, "the first sharer's second load");
}

fn an_atomic_of_a_dirty_line_is_computed_on_the_owners_data(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .store(A, 8, 40)
        .store(A + 8, 8, 7)
        .after(2 * LATER)
        .load(A, 16)
        .node(1)
        .after(LATER)
        .atomic_load(AtomicOp::Add, A, 8, 2);
    let outcome = run("atomic_dirty", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.got(0, SnpUnique).len(), 1);
    assert_eq!(trace.answered(0, SnpRespData), [I]);
    // The store's miss and the load's; the atomic needs no read.
    assert_eq!((trace.count(MemRead), trace.count(MemWrite)), (2, 1));
    assert_eq!(read(&outcome, 3), 40);
    let pair = outcome.events[2].read.as_deref().expect("16 bytes");
    assert_eq!((word(&pair[..8]), word(&pair[8..])), (42, 7));
}

fn an_atomic_of_a_clean_owned_line_reads_memory(tiers: Option<Tiers>) {
    let program = owned()
        .atomic_store(AtomicOp::Smin, A, 8, u64::MAX.into())
        .node(0)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("atomic_clean", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.got(0, SnpUnique).len(), trace.sent(0, SnpResp).len()),
        (1, 1)
    );
    assert_eq!((trace.count(MemRead), trace.count(MemWrite)), (3, 1));
    assert_eq!(trace.got(1, Comp).len(), 1);
    assert_eq!(read(&outcome, 2), u64::MAX);
}

fn a_cache_gives_its_own_copy_up_before_an_atomic(tiers: Option<Tiers>) {
    let program = Program::new(4)
        .node(0)
        .store(A, 8, 9)
        .atomic_load(AtomicOp::Xor, A, 8, 3)
        .load(A, 8);
    let outcome = run("atomic_own_copy", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(0, WriteBackFull).len(), 1);
    assert_eq!([1, 2].map(|n| read(&outcome, n)), [9, 10]);
}

fn clean_invalid_leaves_the_line_in_memory_and_nowhere_else(tiers: Option<Tiers>) {
    let program = shared()
        .clean_invalid(A)
        .node(0)
        .after(3 * LATER)
        .load(A, 8);
    let outcome = run("clean_invalid", tiers, program);
    let trace = Trace::of(&outcome);
    let snooped = [0, 1].map(|node| trace.got(node, SnpMakeInvalid).len());
    assert_eq!(snooped, [1, 1]);
    let ended = (trace.got(2, Comp).len(), trace.sent(2, CompAck).len());
    assert_eq!(ended, (1, 0));
    assert_eq!(trace.count(MemWrite), 0, "memory is up to date");
    assert_eq!(
        trace.granted(0, CompData).last(),
        Some(&UC),
        "nobody has a copy"
    );
}

fn clean_invalid_of_a_dirty_line_writes_it_to_memory(tiers: Option<Tiers>) {
    let program = dirty(77)
        .clean_invalid(A)
        .node(2)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("clean_invalid_dirty", tiers, program);
    let trace = Trace::of(&outcome);
    assert_eq!(
        (trace.got(0, SnpUnique).len(), trace.count(MemWrite)),
        (1, 1)
    );
    let written = trace.sent(0, SnpRespData)[0];
    assert!(written < trace.got(1, Comp)[0]);
    assert_eq!(trace.granted(2, CompData), [UC]);
    assert_eq!(read(&outcome, 2), 77);
}

fn an_atomic_needs_the_right_to_read_and_to_write(tiers: Option<Tiers>) {
    let mut config = Config::new(8);
    config.port_partitions = vec![1, 2, 3, 3, 3, 3, 3, 3];
    (
        config.regions[0].read_partitions,
        config.regions[0].write_partitions,
    ) = (1, 2);
    let program = [0, 1, 2]
        .into_iter()
        .fold(Program::on(config), |program, node| {
            let program = program.node(node).after(LATER * node as u64);
            program.atomic_load(AtomicOp::Add, A, 8, 1).clean_invalid(A)
        });
    let outcome = run("atomic_rights", tiers, program);
    let statuses: Vec<_> = outcome.events.iter().map(|event| event.status).collect();
    let (ok, no) = (RespErr::Ok, RespErr::NoRight);
    assert_eq!(statuses, [no, ok, no, no, ok, ok]);
    assert_eq!(read(&outcome, 4), 0, "the refused have changed nothing");
}

/// Every node offers its own value for the value 0; the one that is told 0 has won, and the others
/// are told its value.
fn of_many_far_exchanges_on_one_value_one_takes_place(tiers: Option<Tiers>) {
    for skew in 0..8 {
        let mut program = Program::new(8);
        let nodes = program.cached();
        for &node in &nodes {
            program = program
                .node(node)
                .after(node as u64 * skew % 13)
                .op(Op::AtomicCompare {
                    addr: A,
                    size: 8,
                    expected: 0,
                    value: 100 + node as u128,
                });
        }
        let outcome = run("far_race", tiers, program);
        let told: Vec<u64> = (0..nodes.len()).map(|n| read(&outcome, n)).collect();
        let winners: Vec<_> = (0..nodes.len()).filter(|&n| told[n] == 0).collect();
        assert_eq!(winners.len(), 1, "skew {skew}: {told:?}");
        let value = 100 + nodes[winners[0]] as u64;
        assert!(
            told.iter().all(|&old| old == 0 || old == value),
            "skew {skew}: {told:?}"
        );
    }
}

/// Programs in which every node adds 1 so many times to a few words that share lines, each time
/// with one of the operations.
fn additions(operations: &'static [OpKind]) -> impl Strategy<Value = Stimulus> {
    let ports = prop_oneof![Just(4usize), Just(8), Just(16)];
    let choices = prop::collection::vec(0..operations.len(), 1..12);
    (ports, 0..4usize, choices, 0..500u16, any::<u64>(), 1..4u64).prop_map(
        move |(ports, buffer, choices, stall, seed, words)| {
            let mut program = cramped(ports, buffer, stall);
            for node in program.cached() {
                program = program.node(node);
                for (turn, &choice) in choices.iter().enumerate() {
                    let addr = A + 8 * (turn as u64 % words) + 64 * (turn as u64 % 2);
                    let how = operations[(choice + node) % operations.len()];
                    program = add(program, how, addr);
                }
            }
            Stimulus {
                seed,
                ..program.done()
            }
        },
    )
}

fn p5_far_atomics_are_atomic_among_near_ones(tiers: Option<Tiers>) {
    property::check(
        "p5_far",
        40,
        &property::options().on(tiers),
        &additions(&[OpKind::AtomicLoad, OpKind::FetchAdd]),
        |_, outcome| told_apart(&outcome.events),
    );
}

/// N nodes that add 1 k times leave N * k: a last node reads it when all have ended.
fn p5_far_atomics_without_answers_are_not_lost(tiers: Option<Tiers>) {
    let operations = [OpKind::AtomicStore, OpKind::AtomicLoad, OpKind::FetchAdd];
    for (ports, each) in [(4, 20), (8, 12), (16, 6)] {
        let mut program = Program::new(ports);
        let nodes = program.cached();
        let count = nodes.len() * each;
        for node in nodes {
            program = program.node(node);
            for turn in 0..each {
                program = add(program, operations[(node + turn) % operations.len()], A);
            }
        }
        program = program.node(0).after(100 * LATER).load(A, 8);
        let outcome = run("p5_far_stores", tiers, program);
        assert_eq!(read(&outcome, count), count as u64, "{ports} ports");
    }
}

/// Everything at once, on few lines.
fn random_programs_with_far_operations_are_right(tiers: Option<Tiers>) {
    let kinds: Vec<OpKind> = OpKind::ALL
        .into_iter()
        .filter(|&kind| kind != OpKind::Raw)
        .collect();
    for shape in [Shape::HotLine, Shape::FalseSharing, Shape::FewSetsManyTags] {
        let programs = Programs::new(4).kinds(&kinds).shape(shape);
        let name = format!("far_{shape:?}");
        property::check(
            &name,
            60,
            &property::options().on(tiers),
            &programs.steps(1..=120).strategy(),
            |_, outcome| {
                let odd = |event: &&flits::history::Event| {
                    !matches!(event.status, RespErr::Ok | RespErr::DataError)
                };
                match outcome.events.iter().find(odd) {
                    Some(event) => Err(format!("{} ended with {}", event.op, event.status)),
                    None => Ok(()),
                }
            },
        );
    }
}
