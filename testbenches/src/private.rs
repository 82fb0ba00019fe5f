//! Programs whose every result is fixed, whatever the timing.

use flits::stimulus::{OpKind, Step, Stimulus};
use flits::strategies::Programs;
use flits::{Data, RespErr};
use harness::shrink::edit;
use harness::sim::Outcome;
use proptest::strategy::Strategy;

/// Bytes between the lines of one node and those of the next.
pub const AREA: u64 = 1 << 20;

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
                *step = moved(step, step.node);
            }
            stimulus
        })
}

/// The step on the lines of another node.
pub fn moved(step: &Step, owner: usize) -> Step {
    let place = |(addr, _): (u64, u16)| (addr & !0x3fff_0000) | (owner as u64 * AREA);
    let moved = step
        .op
        .access()
        .map(place)
        .and_then(|addr| edit::at(step, addr));
    moved.unwrap_or_else(|| step.clone())
}

/// What the program of a run got from its operations, in their order.
pub fn results(outcome: &Outcome) -> Vec<(Option<Data>, RespErr)> {
    let events = outcome.events.iter();
    events
        .map(|event| (event.read.clone(), event.status))
        .collect()
}
