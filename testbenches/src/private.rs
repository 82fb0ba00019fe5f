//! Programs whose every result is fixed, whatever the timing.

use flits::stimulus::{Op, OpKind, Stimulus};
use flits::strategies::Programs;
use flits::{Data, RespErr};
use harness::sim::Outcome;
use proptest::strategy::Strategy;

/// Programs whose every result is fixed: each of three nodes writes only lines of its own and reads
/// only those, before and after giving them up.
pub fn programs() -> impl Strategy<Value = Stimulus> {
    // Of what is poisoned more than was written so, timing decides.
    let kinds = [
        OpKind::Load,
        OpKind::Store,
        OpKind::StoreLine,
        OpKind::Evict,
        OpKind::FetchAdd,
        OpKind::Swap,
        OpKind::ReadOnce,
        OpKind::WriteUnique,
        OpKind::ReadUncached,
        OpKind::WriteUncached,
        OpKind::AtomicStore,
        OpKind::AtomicLoad,
        OpKind::AtomicSwap,
        OpKind::CleanInvalid,
    ];
    Programs::new(4)
        .kinds(&kinds)
        .steps(1..=60)
        .strategy()
        .prop_map(|mut stimulus| {
            for step in &mut stimulus.steps {
                let own = (step.node as u64) << 20;
                let place = |addr: &mut u64| *addr = (*addr & !0xfff_0000) | own;
                match &mut step.op {
                    Op::Load { addr, .. }
                    | Op::Store { addr, .. }
                    | Op::StoreLine { addr, .. }
                    | Op::FetchAdd { addr, .. }
                    | Op::Swap { addr, .. }
                    | Op::CompareSwap { addr, .. }
                    | Op::Evict { addr }
                    | Op::ReadOnce { addr }
                    | Op::WriteUnique { addr, .. }
                    | Op::WritePoison { addr, .. }
                    | Op::AtomicStore { addr, .. }
                    | Op::AtomicLoad { addr, .. }
                    | Op::AtomicSwap { addr, .. }
                    | Op::AtomicCompare { addr, .. }
                    | Op::CleanInvalid { addr }
                    | Op::ReadUncached { addr, .. }
                    | Op::WriteUncached { addr, .. } => place(addr),
                    Op::Fence | Op::Raw { .. } => {}
                }
            }
            stimulus
        })
}

/// What the program of a run got from its operations, in their order.
pub fn results(outcome: &Outcome) -> Vec<(Option<Data>, RespErr)> {
    let events = outcome.events.iter();
    events
        .map(|event| (event.read.clone(), event.status))
        .collect()
}
