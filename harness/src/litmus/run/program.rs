//! One run of a test: set up, let the threads go, look.

use super::place::{self, Place};
use crate::litmus::test::{FinalState, Instr, Item, Rmw, Test, Width};
use crate::litmus::thread::{Access, Next, Processor};
use crate::litmus::{Arithmetic, Wrong};
use crate::sim::{NodeHandle, System, join_all};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::rc::Rc;

/// Cycles between the time at which all is set up and the first access.
const START: u64 = 4;

/// How a run has ended.
pub(super) struct Ended {
    /// The final state, `None` if the test's filter leaves it out; else what is wrong.
    pub(super) state: Result<Option<FinalState>, String>,
    place: Place,
    done: Vec<Vec<Done>>,
}

/// An instruction that was performed.
struct Done {
    pc: usize,
    access: Option<(usize, Width)>,
    result: Option<i64>,
    start: u64,
    end: u64,
}

/// Runs a test once.
pub(super) async fn run(sys: &System, test: Rc<Test>, place: Place, seed: u64) -> Ended {
    let place = Rc::new(place);
    let variables = 0..test.locations.len();
    let set = |location: usize| {
        let node = sys.node(place.setters[location]);
        let (address, value) = (place.addresses[location], test.locations[location].init);
        async move {
            node.store(address, value).await;
            node.fence().await;
        }
    };
    join_all(variables.clone().map(set)).await;
    let warm = place.nodes.iter().zip(&place.warm);
    let loads = warm.flat_map(|(&node, variables)| {
        let (node, place) = (sys.node(node), place.clone());
        let load = move |&location: &usize| node.load::<i64>(place.addresses[location]);
        variables.iter().map(load)
    });
    join_all(loads).await;

    let start = sys.now() + START;
    let threads = (0..test.threads.len()).map(|thread| {
        let (sys, test, place) = (sys.clone(), test.clone(), place.clone());
        let seed = seed.wrapping_add(thread as u64);
        async move { execute(&sys, &test, &place, thread, start, seed).await }
    });
    let mut processors = Vec::new();
    let mut done = Vec::new();
    let mut wrong = None;
    for (processor, did, error) in join_all(threads).await {
        processors.push(processor);
        done.push(did);
        wrong = wrong.or(error);
    }
    let reader = sys.node(place.reader);
    // A variable is as wide as the accesses to it.
    let accesses = || done.iter().flatten().filter_map(|did: &Done| did.access);
    let look = |location: usize| {
        let width = accesses().find(|&(accessed, _)| accessed == location);
        let width = width.map_or(Width::Double, |(_, width)| width);
        load(&reader, width, place.addresses[location])
    };
    let memory = join_all(variables.map(look)).await;
    let value = |item| match item {
        Item::Register(thread, register) => {
            let processor: &Processor = &processors[thread];
            processor.register(register)
        }
        Item::Location(location) => memory[location],
    };
    let state = match wrong {
        None => Ok(test.final_state(&value)),
        Some(wrong) => Err(wrong.reason),
    };
    Ended {
        state,
        place: Rc::into_inner(place).expect("all programs of the run have ended"),
        done,
    }
}

/// Runs a thread to its end, and until its stores are visible.
async fn execute(
    sys: &System,
    test: &Test,
    place: &Place,
    thread: usize,
    start: u64,
    seed: u64,
) -> (Processor, Vec<Done>, Option<Wrong>) {
    let node = sys.node(place.nodes[thread]);
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut processor = Processor::new(test, thread);
    let mut done = Vec::new();
    let mut wrong = None;
    let (least, more) = place.starts[thread];
    let start = start + least + rng.random_range(0..=more);
    node.idle(start.saturating_sub(sys.now())).await;
    let (before, between) = place.decoys[thread];
    for _ in 0..before {
        node.store(place::decoy(&mut rng), 0u64).await;
    }
    loop {
        let next = match processor.advance(test) {
            Ok(next) => next,
            Err(error) => {
                wrong = Some(error);
                break;
            }
        };
        if next == Next::Done {
            break;
        }
        let gap = rng.random_range(0..=place.gaps[thread]);
        if gap > 0 && !done.is_empty() {
            node.idle(gap).await;
        }
        if between > 0.0 && rng.random_bool(between) {
            node.store(place::decoy(&mut rng), 0u64).await;
        }
        let (pc, start) = (processor.pc(), sys.now());
        let (access, result) = match next {
            Next::Access {
                location,
                width,
                access,
                ..
            } => {
                let result = perform(&node, width, place.addresses[location], access).await;
                (Some((location, width)), result)
            }
            Next::Fence | Next::Done => {
                node.fence().await;
                (None, None)
            }
        };
        processor.complete(test, result);
        done.push(Done {
            pc,
            access,
            result,
            start,
            end: sys.now(),
        });
    }
    node.fence().await;
    (processor, done, wrong)
}

/// Performs an access; what it gives to its destination.
async fn perform(node: &NodeHandle, width: Width, address: u64, access: Access) -> Option<i64> {
    match access {
        Access::Load => Some(load(node, width, address).await),
        Access::Store(value) => {
            match width {
                Width::Word => node.store(address, value as i32).await,
                Width::Double => node.store(address, value).await,
            }
            None
        }
        Access::Reserve => Some(match width {
            Width::Word => node.load_reserved::<i32>(address).await.into(),
            Width::Double => node.load_reserved(address).await,
        }),
        Access::Conditional(value) => {
            let stored = match width {
                Width::Word => node.store_conditional(address, value as i32).await,
                Width::Double => node.store_conditional(address, value).await,
            };
            Some(i64::from(!stored))
        }
        Access::Atomic(op, value) => Some(match (op, width) {
            (Rmw::Swap, Width::Word) => node.swap(address, value as i32).await.into(),
            (Rmw::Swap, Width::Double) => node.swap(address, value).await,
            (Rmw::Of(Arithmetic::Add), Width::Word) => {
                node.fetch_add(address, value as i32).await.into()
            }
            (Rmw::Of(Arithmetic::Add), Width::Double) => node.fetch_add(address, value).await,
            _ => exchange(node, width, address, op, value).await,
        }),
    }
}

async fn load(node: &NodeHandle, width: Width, address: u64) -> i64 {
    match width {
        Width::Word => node.load::<i32>(address).await.into(),
        Width::Double => node.load(address).await,
    }
}

/// An atomic that the nodes do not have, made of compare-and-swap.
async fn exchange(node: &NodeHandle, width: Width, address: u64, op: Rmw, value: i64) -> i64 {
    let mut old = load(node, width, address).await;
    loop {
        let new = op.of(old, width.cut(value));
        let found = match width {
            Width::Word => {
                let found = node.compare_swap(address, old as i32, new as i32).await;
                i64::from(found)
            }
            Width::Double => node.compare_swap(address, old, new).await,
        };
        if found == old {
            return old;
        }
        old = found;
    }
}

impl Ended {
    /// What each node did, a line each.
    pub(super) fn story(&self, test: &Test) -> Vec<String> {
        let mut lines: Vec<(u64, String)> = Vec::new();
        for (thread, done) in self.done.iter().enumerate() {
            let node = self.place.nodes[thread];
            for did in done {
                let what = describe(test, thread, did);
                let Done { start, end, .. } = did;
                let text =
                    format!("cycle {start} to {end}: thread {thread} on port {node}: {what}");
                lines.push((*start, text));
            }
        }
        lines.sort_by_key(|&(start, _)| start);
        let places = (test.locations.iter().zip(&self.place.addresses))
            .map(|(location, address)| format!("{} at {address:#x}", location.name));
        std::iter::once(places.collect::<Vec<_>>().join(", "))
            .chain(lines.into_iter().map(|(_, text)| text))
            .collect()
    }
}

fn describe(test: &Test, thread: usize, did: &Done) -> String {
    let name = did.access.map_or("", |(at, _)| &test.locations[at].name);
    let what = match test.threads[thread].code[did.pc] {
        Instr::Load { .. } => "load",
        Instr::Store { .. } => "store",
        Instr::Atomic { .. } => "atomic",
        Instr::Reserve { .. } => "load reserved",
        Instr::Conditional { .. } => "store conditional",
        _ => "fence",
    };
    match did.result {
        Some(result) => format!("{what} {name} gives {}", test.value(result)),
        None => format!("{what} {name}"),
    }
}
