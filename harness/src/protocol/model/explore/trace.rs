//! The way to a broken rule.

use super::drain::{Drain, UNKNOWN};
use super::store::Store;
use super::{Space, Steps, Trace};

/// The way from the start to a state, in states as they are and not as they are kept: those may
/// have other numbers of nodes from one to the next.
pub(super) fn way<P: Space>(space: &P, store: &Store, state: usize) -> (Steps<P>, P::State) {
    let mut numbers = vec![state];
    let mut at = state;
    while at != 0 {
        at = store.parents[at] as usize;
        numbers.push(at);
    }
    let mut steps = Vec::new();
    let mut now = space.start();
    for &wanted in numbers.iter().rev().skip(1) {
        let found = space.steps(&now).into_iter().find_map(|step| {
            let after = space.apply(&now, &step).ok()?;
            let mut bytes = Vec::new();
            space.encode(&after, &mut bytes);
            (bytes == store.get(wanted)).then_some((step, after))
        });
        let Some((step, after)) = found else { break };
        steps.push((std::mem::replace(&mut now, after), step));
    }
    (steps, now)
}

/// The way to a state that has no height, and on from there to such states only, until one comes
/// again.
pub(super) fn round<P: Space>(
    space: &P,
    store: &Store,
    drain: &Drain,
    state: usize,
) -> Trace<P::State, P::Step, P::Broken> {
    let (mut steps, mut now) = way(space, store, state);
    let mut visited = vec![state];
    let first = steps.len();
    loop {
        let next = space.steps(&now).into_iter().find_map(|step| {
            let after = (space.drains(&now, &step))
                .then(|| space.apply(&now, &step).ok())
                .flatten()?;
            let mut bytes = Vec::new();
            space.encode(&after, &mut bytes);
            let number = store.find(&bytes).1.ok()? as usize;
            (drain.heights[number] == UNKNOWN).then_some((step, after, number))
        });
        let mut again = steps.len();
        if let Some((step, after, number)) = next {
            steps.push((std::mem::replace(&mut now, after), step));
            match visited.iter().position(|&other| other == number) {
                Some(at) => again = first + at,
                None => {
                    visited.push(number);
                    continue;
                }
            }
        }
        let (broken, end) = (space.endless(again), Some(now));
        return Trace { broken, steps, end };
    }
}
