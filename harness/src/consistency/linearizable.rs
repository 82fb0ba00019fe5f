//! Linearizability of one object: every call takes effect at one moment between its start and its end.

use rustc_hash::FxHashSet;

use super::Effort;

/// What a call does to an object, and what it saw.
pub trait Action {
    /// What the object holds.
    type Value: Clone + Eq + std::hash::Hash;

    /// What it holds afterwards; `None` if what was seen contradicts `held`.
    fn apply(&self, held: &Self::Value) -> Option<Self::Value>;
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<A> {
    /// What it does.
    pub action: A,
    /// When it began.
    pub start: u64,
    /// When it ended: it precedes what starts later. `u64::MAX` if that is not known: it may take
    /// effect at any time, or not at all.
    pub end: u64,
}

/// Calls looked at that cost about as much as one try of [`search`](super::search).
const CALLS_A_TRY: u64 = 100;

/// What came of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linearized {
    /// There is an order: of the calls, by index.
    Yes(Vec<u32>),
    /// There is none.
    No {
        /// The longest order found.
        order: Vec<u32>,
        /// The call that ended first without a place after it.
        stuck: u32,
    },
    /// No answer within the effort.
    GaveUp,
}

/// A call begins (its index, `true`) or ends, as nodes of a list with ways to take a call out and put
/// it back.
struct Moments {
    call: Vec<(u32, bool)>,
    next: Vec<u32>,
    before: Vec<u32>,
    /// The end of each call.
    end_of: Vec<u32>,
}

impl Moments {
    /// The moments in order; node 0 is the head, and `0` ends the list.
    fn new<A>(calls: &[Call<A>]) -> Self {
        let mut times: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * calls.len());
        for (index, call) in calls.iter().enumerate() {
            // Of one time, starts come first: an end precedes only what starts later.
            times.push((call.start, false, index as u32));
            times.push((call.end, true, index as u32));
        }
        times.sort_unstable();
        let mut moments = Moments {
            call: vec![(u32::MAX, false)],
            next: Vec::new(),
            before: vec![0],
            end_of: vec![0; calls.len()],
        };
        for (at, &(_, end, call)) in times.iter().enumerate() {
            moments.call.push((call, !end));
            moments.before.push(at as u32);
            if end {
                moments.end_of[call as usize] = at as u32 + 1;
            }
        }
        moments.next = (1..=times.len() as u32).chain([0]).collect();
        moments
    }

    fn unlink(&mut self, node: u32) {
        let (before, next) = (self.before[node as usize], self.next[node as usize]);
        self.next[before as usize] = next;
        self.before[next as usize] = before;
    }

    fn relink(&mut self, node: u32) {
        let (before, next) = (self.before[node as usize], self.next[node as usize]);
        self.next[before as usize] = node;
        self.before[next as usize] = node;
    }
}

/// Whether the calls are linearizable for an object that holds `initial` at first.
///
/// The search of Wing and Gong with Lowe's memory of the states that were seen: a set of calls and
/// the value that the object holds after them are never tried twice.
pub fn linearizable<A: Action>(calls: &[Call<A>], initial: A::Value, effort: Effort) -> Linearized {
    let mut moments = Moments::new(calls);
    let mut done = vec![0u64; calls.len().div_ceil(64)];
    let mut seen: FxHashSet<(Box<[u64]>, A::Value)> = FxHashSet::default();
    // Start node of each call in the order, and what the object held before it.
    let mut order: Vec<(u32, A::Value)> = Vec::new();
    let mut held = initial;
    let mut best: Option<(Vec<u32>, u32)> = None;
    let mut tries = 0;
    let names = |order: &[(u32, A::Value)], moments: &Moments| -> Vec<u32> {
        order
            .iter()
            .map(|&(node, _)| moments.call[node as usize].0)
            .collect()
    };
    let mut at = moments.next[0];
    loop {
        if at == 0 {
            // Only when nothing is left.
            return Linearized::Yes(names(&order, &moments));
        }
        let (call, start) = moments.call[at as usize];
        if start {
            tries += 1;
            if tries > effort.tries.saturating_mul(CALLS_A_TRY) {
                return Linearized::GaveUp;
            }
            if let Some(after) = calls[call as usize].action.apply(&held) {
                done[call as usize / 64] |= 1 << (call % 64);
                if seen.insert((done.clone().into_boxed_slice(), after.clone())) {
                    order.push((at, std::mem::replace(&mut held, after)));
                    moments.unlink(moments.end_of[call as usize]);
                    moments.unlink(at);
                    at = moments.next[0];
                    continue;
                }
                done[call as usize / 64] &= !(1 << (call % 64));
            }
            at = moments.next[at as usize];
            continue;
        }
        if calls[call as usize].end == u64::MAX {
            // Whatever is left may as well never take effect.
            return Linearized::Yes(names(&order, &moments));
        }
        // This call ends without having taken effect: something before it must be done otherwise.
        if best
            .as_ref()
            .is_none_or(|(best, _)| best.len() < order.len())
        {
            best = Some((names(&order, &moments), call));
        }
        let Some((node, before)) = order.pop() else {
            let (order, stuck) = best.unwrap_or((Vec::new(), call));
            return Linearized::No { order, stuck };
        };
        held = before;
        let call = moments.call[node as usize].0;
        done[call as usize / 64] &= !(1 << (call % 64));
        moments.relink(node);
        moments.relink(moments.end_of[call as usize]);
        at = moments.next[node as usize];
    }
}
