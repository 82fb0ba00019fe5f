//! Additions of 1 by many nodes, and what each must be told if they are atomic.

use flits::stimulus::{Op, OpKind, Stall};
use flits::{AtomicOp, history::Event};
use std::collections::BTreeMap;
use testbenches::program::Program;

/// A program for nodes with caches of one line, on links that stall so often.
pub fn cramped(ports: usize, store_buffer: usize, stall_permille: u16) -> Program {
    let program = Program::new(ports).caches(1, 1).store_buffers(store_buffer);
    program.config(|config| {
        config.stall = Stall {
            rx_permille: stall_permille,
            tx_permille: stall_permille,
        }
    })
}

/// Adds 1 to the 8 bytes at `addr`: near, or far with or without an answer.
pub fn add(program: Program, how: OpKind, addr: u64) -> Program {
    let (size, value, atomic) = (8, 1, AtomicOp::Add);
    match how {
        OpKind::FetchAdd => program.op(Op::FetchAdd { addr, size, value }),
        OpKind::AtomicStore => program.atomic_store(atomic, addr, size, value),
        _ => program.atomic_load(atomic, addr, size, value),
    }
}

/// Checks that of the additions at each address one was told 0, one 1 and so on.
pub fn told_apart(events: &[Event]) -> Result<(), String> {
    let mut told: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for event in events {
        let old = event.read.as_deref().and_then(|old| old.try_into().ok());
        let old = old.ok_or("an addition gave no old value")?;
        let told = told.entry(event.addr).or_default();
        told.push(u64::from_le_bytes(old));
    }
    for (addr, mut old) in told {
        old.sort_unstable();
        if !old.iter().copied().eq(0..old.len() as u64) {
            return Err(format!("the additions of 1 at {addr:#x} gave {old:?}"));
        }
    }
    Ok(())
}
