//! The ways to whatever is new on the way through all states.

use super::store::Store;
use super::trace::way;
use super::{Expansion, Space, Steps};

/// Steps from the start, and the state that they lead to.
pub type Way<P> = (Steps<P>, <P as Space>::State);

/// Expands every state, breadth first, and asks each time whether that brought news; the shortest way
/// to each state that did, and the state.
///
/// # Errors
/// The states take more than `memory` bytes.
pub fn ways_to_news<P: Space>(
    space: &P,
    memory: u64,
    news: &mut dyn FnMut() -> bool,
) -> Result<Vec<Way<P>>, String> {
    let mut store = Store::default();
    let mut bytes = Vec::new();
    space.encode(&space.start(), &mut bytes);
    store.insert(&bytes, 0);
    let (mut state, mut found) = (0, Vec::new());
    while state < store.len() {
        let mut expansion = Expansion::empty();
        space.expand(store.get(state), &mut expansion);
        if news() {
            found.push(state);
        }
        let mut from = 0;
        for arc in &expansion.arcs {
            store.insert(&expansion.bytes[from..arc.end], state as u32);
            from = arc.end;
        }
        state += 1;
        if store.memory() > memory {
            let (states, megabytes) = (store.len(), memory >> 20);
            return Err(format!(
                "{states} states take {megabytes} MB and there are more"
            ));
        }
    }
    let way = |state: usize| way(space, &store, state);
    Ok(found.into_iter().map(way).collect())
}
