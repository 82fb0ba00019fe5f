//! Errors: what a node may not ask is answered with the reason and logged; nothing is changed, and no
//! one else is disturbed. What hostile devices send is in `hostile.rs`.

use flits::stimulus::{Op, Tiers};
use flits::{Numbering, Opcode, RespErr};
use harness::dut::{ErrorLog, LoggedError};
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::steer::{self, Trace};

pub const UNCACHED: u64 = 1 << 32;
/// Causes in the error register.
pub const UNMAPPED: u8 = 1;
const NO_RIGHT: u8 = 2;
pub const WRONG_REGION: u8 = 3;

on_one_switch_and_on_two_tiers!(
    an_unmapped_address_is_answered_so_and_logged,
    a_missing_right_is_answered_so_and_nothing_is_changed,
    a_node_without_the_write_right_is_granted_no_writable_copy,
    a_node_that_may_write_and_not_read_gets_no_data_and_loses_no_store,
    a_request_of_the_wrong_kind_of_region_is_answered_so,
);

/// Work for nodes 0 to 3 that any disturbance would show in.
pub fn bystanders(mut program: Program) -> Program {
    for node in 0..4u64 {
        program = program.node(node as usize);
        for turn in 0..8u64 {
            let addr = 0x40 * (turn % 3) + 8 * node;
            program = program
                .store(addr, 8, u128::from(100 * node + turn + 1))
                .load(addr ^ 8, 8);
            let (addr, value) = (UNCACHED + 0x100 * node, u128::from(turn) + 1);
            program = program.op(Op::WriteUncached {
                addr,
                size: 128,
                value,
            });
        }
    }
    program
}

/// Node 4 asks for something that it must not; gives the run and the status of its last access.
fn refused(name: &str, program: Program, op: Op) -> (Outcome, RespErr) {
    let outcome = steer::run(name, &bystanders(program.node(4).op(op)).done());
    let status = outcome.events.iter().rev().find(|event| event.node == 4);
    let status = status.expect("an access of node 4").status;
    (outcome, status)
}

/// Checks that one error was logged: this one.
fn logged(outcome: &Outcome, tiers: Option<Tiers>, cause: u8, opcode: Opcode, addr: u64) {
    let leaves = tiers.map_or(1, |tiers| tiers.leaves);
    if let Some(log) = steer::errors(outcome) {
        let first = LoggedError {
            cause,
            opcode: opcode.code(),
            src: Numbering::new(8, 8 / leaves).node(4).into(),
            addr,
        };
        assert_eq!(
            log,
            ErrorLog {
                count: 1,
                first: Some(first)
            }
        );
    }
}

fn an_unmapped_address_is_answered_so_and_logged(tiers: Option<Tiers>) {
    let hole = 1u64 << 40;
    let cases = [
        (
            Op::Load {
                addr: hole,
                size: 8,
            },
            Opcode::ReadShared,
        ),
        (
            Op::Store {
                addr: hole,
                size: 8,
                value: 1,
            },
            Opcode::ReadUnique,
        ),
        (
            Op::StoreLine {
                addr: hole,
                value: 1,
            },
            Opcode::MakeUnique,
        ),
        (Op::ReadOnce { addr: hole }, Opcode::ReadOnce),
        (
            Op::WriteUnique {
                addr: hole,
                size: 64,
                value: 1,
            },
            Opcode::WriteUnique,
        ),
        (
            Op::ReadUncached {
                addr: hole,
                size: 256,
            },
            Opcode::ReadNoSnp,
        ),
        (
            Op::WriteUncached {
                addr: hole,
                size: 256,
                value: 1,
            },
            Opcode::WriteNoSnp,
        ),
    ];
    for (op, opcode) in cases {
        let (outcome, status) = refused("unmapped", Program::new(8).on_tiers(tiers), op);
        assert_eq!(status, RespErr::Unmapped);
        logged(&outcome, tiers, UNMAPPED, opcode, hole);
        assert_eq!(
            Trace::of(&outcome).sent(4, Opcode::CompAck).len(),
            0,
            "no home waits for one"
        );
    }
}

/// Node 4 may read or write the coherent region, or not; the others may do both.
fn restricted(tiers: Option<Tiers>, may_read: bool, may_write: bool) -> Program {
    let partition = |may| if may { 1 } else { 2 };
    Program::new(8).on_tiers(tiers).config(|config| {
        config.port_partitions = vec![3, 3, 3, 3, 1, 3, 3, 3];
        config.regions[0].read_partitions = partition(may_read);
        config.regions[0].write_partitions = partition(may_write);
    })
}

fn a_missing_right_is_answered_so_and_nothing_is_changed(tiers: Option<Tiers>) {
    let program = restricted(tiers, false, false);
    let read_only = program.config(|config| config.regions[1].write_partitions = 2);
    let (outcome, status) = refused(
        "no_right_to_read",
        read_only.clone(),
        Op::Load {
            addr: 0x40,
            size: 8,
        },
    );
    assert_eq!(status, RespErr::NoRight);
    logged(&outcome, tiers, NO_RIGHT, Opcode::ReadShared, 0x40);
    // What node 4 may read, it finds unchanged after its write was refused.
    let addr = UNCACHED + 0x8000;
    let program = read_only
        .node(0)
        .op(Op::WriteUncached {
            addr,
            size: 8,
            value: 7,
        })
        .node(4)
        .after(1500)
        .op(Op::WriteUncached {
            addr,
            size: 8,
            value: 8,
        });
    let (outcome, status) = refused(
        "no_right_to_write",
        program,
        Op::ReadUncached { addr, size: 8 },
    );
    assert_eq!(status, RespErr::Ok);
    let read = outcome.events.iter().rev().find(|event| event.node == 4);
    assert_eq!(
        read.and_then(|event| event.read.clone()).as_deref(),
        Some(&7u64.to_le_bytes()[..])
    );
    logged(&outcome, tiers, NO_RIGHT, Opcode::WriteNoSnp, addr);
}

/// A copy that may become dirty silently would let it write behind the address map's back.
fn a_node_without_the_write_right_is_granted_no_writable_copy(tiers: Option<Tiers>) {
    let addr = 0x8000;
    let program = restricted(tiers, true, false).node(4).load(addr, 8);
    let store = Op::Store {
        addr,
        size: 8,
        value: 7,
    };
    let (outcome, status) = refused("no_right_to_store", program, store);
    assert_eq!(status, RespErr::NoRight);
    logged(&outcome, tiers, NO_RIGHT, Opcode::CleanUnique, addr);
}

/// It overwrites a line, keeps it and gives it back; what it would have to read first it may not store.
fn a_node_that_may_write_and_not_read_gets_no_data_and_loses_no_store(tiers: Option<Tiers>) {
    let (addr, part) = (0x8000, 0x9000);
    let program = restricted(tiers, false, true)
        .node(4)
        .op(Op::StoreLine { addr, value: 7 })
        .op(Op::Evict { addr })
        .node(5)
        .after(1500)
        .load(addr, 8);
    let store = Op::Store {
        addr: part,
        size: 8,
        value: 8,
    };
    let (outcome, status) = refused("no_right_to_read_what_is_stored", program, store);
    assert_eq!(status, RespErr::NoRight);
    logged(&outcome, tiers, NO_RIGHT, Opcode::ReadUnique, part);
    let trace = Trace::of(&outcome);
    assert_eq!(trace.sent(4, Opcode::WriteBackFull).len(), 1);
    let load = outcome.events.iter().find(|event| event.node == 5);
    let told = load.and_then(|event| event.read.clone());
    assert_eq!(told.as_deref(), Some(&7u64.to_le_bytes()[..]));
}

fn a_request_of_the_wrong_kind_of_region_is_answered_so(tiers: Option<Tiers>) {
    let cases = [
        (
            Op::Load {
                addr: UNCACHED,
                size: 8,
            },
            Opcode::ReadShared,
            UNCACHED,
        ),
        (
            Op::WriteUnique {
                addr: UNCACHED,
                size: 8,
                value: 1,
            },
            Opcode::WriteUnique,
            UNCACHED,
        ),
        (
            Op::ReadUncached {
                addr: 0x4000,
                size: 8,
            },
            Opcode::ReadNoSnp,
            0x4000,
        ),
        (
            Op::WriteUncached {
                addr: 0x4000,
                size: 128,
                value: 1,
            },
            Opcode::WriteNoSnp,
            0x4000,
        ),
    ];
    for (op, opcode, addr) in cases {
        let (outcome, status) = refused("wrong_region", Program::new(8).on_tiers(tiers), op);
        assert_eq!(status, RespErr::WrongRegion);
        logged(&outcome, tiers, WRONG_REGION, opcode, addr);
    }
}
