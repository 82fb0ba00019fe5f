//! Poison: corrupt data is an error to whoever reads it, wherever it has been meanwhile, until it is
//! overwritten.

use super::situations::{A, LATER, run};
use flits::Opcode::{self, *};
use flits::stimulus::{Op, Tiers};
use flits::{AtomicOp, RespErr};
use harness::check::Direction::{self, ToNode, ToSwitch};
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::steer::Trace;

on_one_switch_and_on_two_tiers!(
    poison_in_memory_reaches_every_reader,
    poison_goes_with_a_line_from_cache_to_cache,
    poison_goes_with_a_write_back,
    poison_of_a_dirty_line_survives_a_merge,
    poison_goes_with_a_dirty_line_that_becomes_shared_or_is_cleaned,
    a_poisoned_write_poisons_the_line_that_it_is_merged_with,
    a_whole_overwrite_ends_poison,
    an_atomic_on_poison_answers_it_and_leaves_it,
    poison_of_one_line_harms_no_other,
);

/// Node 0 has stored to a line of which a piece is corrupt; goes on with node 1.
fn corrupt() -> Program {
    let program = Program::new(8).node(0).write_poison(A, 16, 5);
    program.store(A + 32, 8, 9).node(1).after(2 * LATER)
}

/// How each operation ended.
fn statuses(outcome: &Outcome) -> Vec<RespErr> {
    outcome.events.iter().map(|event| event.status).collect()
}

/// The poison bit of every packet of an opcode at a port.
fn poisons(trace: &Trace<'_>, port: usize, way: Direction, opcode: Opcode) -> Vec<bool> {
    let packets = trace.all(port, way, opcode);
    packets.map(|(_, packet)| packet.header.poison).collect()
}

const OK: RespErr = RespErr::Ok;
const BAD: RespErr = RespErr::DataError;

fn poison_in_memory_reaches_every_reader(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .write_poison(A + 8, 8, 5)
        .after(LATER)
        .load(A + 8, 8)
        .load(A + 40, 8)
        .node(1)
        .after(3 * LATER)
        .load(A + 8, 4)
        .node(2)
        .after(4 * LATER)
        .read_once(A)
        .node(2)
        .after(LATER)
        .atomic_load(AtomicOp::Add, A + 8, 8, 1);
    let outcome = run("poison_memory", tiers, program);
    assert_eq!(statuses(&outcome), [OK, BAD, BAD, BAD, BAD, BAD]);
    let trace = Trace::of(&outcome);
    for node in [0, 1, 2] {
        let seen = poisons(&trace, node, ToNode, CompData);
        assert!(seen.iter().all(|&poison| poison), "node {node}: {seen:?}");
        for (_, packet) in trace.all(node, ToNode, CompData) {
            assert_eq!(packet.header.resp, BAD);
        }
    }
}

fn poison_goes_with_a_line_from_cache_to_cache(tiers: Option<Tiers>) {
    let program = corrupt()
        .store(A + 40, 8, 9)
        .load(A + 40, 8)
        .node(2)
        .after(4 * LATER)
        .load(A + 40, 8);
    let outcome = run("poison_forward", tiers, program);
    assert_eq!(statuses(&outcome), [OK, OK, OK, BAD, BAD]);
    let trace = Trace::of(&outcome);
    for node in [0, 1] {
        assert_eq!(
            poisons(&trace, node, ToSwitch, CompData),
            [true],
            "node {node}"
        );
    }
    assert_eq!(trace.count(MemRead), 1);
}

fn poison_goes_with_a_write_back(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .write_poison(A, 16, 5)
        .store(A + 32, 8, 9)
        .evict(A)
        .node(1)
        .after(2 * LATER)
        .load(A + 48, 8);
    let outcome = run("poison_write_back", tiers, program);
    assert_eq!(statuses(&outcome), [OK, OK, OK, BAD]);
    let trace = Trace::of(&outcome);
    assert_eq!(poisons(&trace, 0, ToSwitch, WriteBackFull), [true]);
}

fn poison_of_a_dirty_line_survives_a_merge(tiers: Option<Tiers>) {
    let program = corrupt().write_unique(A + 48, 16, 7).load(A + 48, 8);
    let outcome = run("poison_merge", tiers, program);
    assert_eq!(statuses(&outcome), [OK, OK, OK, BAD]);
    assert_eq!(
        poisons(&Trace::of(&outcome), 0, ToSwitch, SnpRespData),
        [true]
    );
}

fn poison_goes_with_a_dirty_line_that_becomes_shared_or_is_cleaned(tiers: Option<Tiers>) {
    let shared = corrupt().load(A + 32, 8);
    let cleaned = corrupt().clean_invalid(A);
    for (name, program, opcode, status) in [
        ("poison_shared", shared, SnpRespDataFwded, BAD),
        ("poison_cleaned", cleaned, SnpRespData, OK),
    ] {
        // Where nobody has a copy any more, memory has it.
        let program = program
            .clean_invalid(A)
            .node(2)
            .after(6 * LATER)
            .load(A + 32, 8);
        let outcome = run(name, tiers, program);
        assert_eq!(statuses(&outcome), [OK, OK, status, OK, BAD], "{name}");
        let trace = Trace::of(&outcome);
        assert_eq!(poisons(&trace, 0, ToSwitch, opcode), [true], "{name}");
    }
}

fn a_poisoned_write_poisons_the_line_that_it_is_merged_with(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .store(A, 8, 9)
        .node(1)
        .after(LATER)
        .write_poison(A + 16, 8, 7)
        .node(0)
        .after(2 * LATER)
        .load(A, 8);
    let outcome = run("poison_merged", tiers, program);
    assert_eq!(statuses(&outcome), [OK, OK, BAD]);
}

fn a_whole_overwrite_ends_poison(tiers: Option<Tiers>) {
    // By 16 bytes in memory; and of the line, in a cache, with and without a copy before.
    let piece = Program::new(8)
        .node(0)
        .write_poison(A, 4, 5)
        .write_unique(A, 16, 1);
    let line = Program::new(8)
        .node(0)
        .write_poison(A, 4, 5)
        .write_unique(A, 64, 1);
    let made = Program::new(8)
        .node(0)
        .write_poison(A, 4, 5)
        .store_line(A, 0x100);
    let held = Program::new(8)
        .node(0)
        .write_poison(A, 4, 5)
        .store(A, 8, 1)
        .store_line(A, 0x100);
    for (name, program) in [
        ("piece", piece),
        ("line", line),
        ("made", made),
        ("held", held),
    ] {
        let program = program
            .load(A, 8)
            .node(1)
            .after(3 * LATER)
            .load(A + 8, 8)
            .clean_invalid(A)
            .load(A + 8, 8);
        let outcome = run(&format!("poison_ends_{name}"), tiers, program);
        let statuses = statuses(&outcome);
        assert!(
            statuses.iter().all(|&status| status == OK),
            "{name}: {statuses:?}"
        );
    }
    // Part of a piece does not end it.
    let part = Program::new(8)
        .node(0)
        .write_poison(A, 16, 5)
        .write_unique(A, 8, 1)
        .load(A, 8);
    assert_eq!(statuses(&run("poison_part", tiers, part)), [OK, OK, BAD]);
}

fn an_atomic_on_poison_answers_it_and_leaves_it(tiers: Option<Tiers>) {
    let swap = Op::AtomicSwap {
        addr: A + 48,
        size: 8,
        value: 3,
    };
    let program = Program::new(8)
        .node(0)
        .write_poison(A, 16, 5)
        .op(swap)
        .atomic_store(AtomicOp::Add, A + 32, 4, 1)
        // The first piece is good again, what the atomics wrote is not.
        .write_unique(A, 16, 1)
        .write_unique(A + 48, 16, 1)
        .load(A + 32, 4);
    let outcome = run("poison_atomic", tiers, program);
    assert_eq!(statuses(&outcome), [OK, BAD, BAD, OK, OK, BAD]);
}

fn poison_of_one_line_harms_no_other(tiers: Option<Tiers>) {
    let program = Program::new(8)
        .node(0)
        .store(A - 64, 8, 1)
        .store(A + 64, 8, 1)
        .write_poison(A, 64, 5)
        .load(A - 64, 8)
        .load(A + 64, 8)
        .node(1)
        .after(3 * LATER)
        .load(A - 64, 8)
        .atomic_load(AtomicOp::Add, A + 64, 8, 1)
        .load(A + 64, 8)
        .load(A, 8);
    let outcome = run("poison_neighbours", tiers, program);
    let (last, others) = statuses(&outcome)
        .split_last()
        .map(|(l, o)| (*l, o.to_vec()))
        .unzip();
    assert_eq!(last, Some(BAD));
    assert!(
        others
            .into_iter()
            .flatten()
            .all(|status: RespErr| status == OK)
    );
}
