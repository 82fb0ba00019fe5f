//! Every final state that a memory model allows, by search over all interleavings.
//!
//! The machine searched is an operational one. Under SC each access takes effect in memory when it is
//! made. Under TSO stores pass through a buffer of the thread, first in first out, which the thread's
//! own loads look into; when they leave it is up to chance. Fences of loads behind stores wait for an
//! empty buffer, and so do atomics. The store of a store-conditional goes through the buffer, on the
//! condition that no other thread writes the variable between what was reserved and it; its result is
//! known at once, but no load depends on it before the store has left the buffer.
//!
//! Putting a store into the buffer and passing a fence with an empty one touch nothing that another
//! thread sees, so they are not branched over.

use super::test::{FinalState, Item, Order, Rmw, Test, Width};
use super::thread::{Access, Next, Processor};
use super::{Error, Wrong};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// A memory model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemoryModel {
    /// Sequential consistency.
    Sc,
    /// Total store order.
    Tso,
}

impl MemoryModel {
    /// Entries of the store buffer that gives a node this model.
    pub const fn store_buffer(self) -> usize {
        match self {
            MemoryModel::Sc => 0,
            MemoryModel::Tso => 8,
        }
    }
}

/// Most states that are searched for one test.
const MOST_STATES: usize = 20_000_000;

/// Every final state of `test` that the model allows.
///
/// # Errors
/// If the test accesses what is no variable, or one variable in two sizes, or is too large.
pub fn allowed(test: &Test, model: MemoryModel) -> Result<BTreeSet<FinalState>, Error> {
    let mut search = Search {
        test,
        model,
        seen: FxHashSet::default(),
        stack: Vec::new(),
        finals: BTreeSet::new(),
        widths: vec![None; test.locations.len()],
    };
    search.run().map_err(|wrong| wrong.at(&test.name, 0))?;
    Ok(search.finals)
}

/// A store in a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Buffered {
    location: usize,
    value: i64,
    /// It belongs to a store-conditional: when what was reserved is in memory, in so many turns, no
    /// other thread may write the variable before this store.
    bound: Option<usize>,
    /// No load takes its value before it has left: a store-conditional, or a store that depends on
    /// one.
    unsettled: bool,
    /// What it is annotated with.
    order: Order,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Core {
    processor: Processor,
    buffer: Vec<Buffered>,
    /// A reserved variable, and in how many turns what was read leaves the buffer.
    reserved: Option<(usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    memory: Vec<i64>,
    cores: Vec<Core>,
}

impl Core {
    /// The youngest store to a variable.
    fn youngest(&self, location: usize) -> Option<usize> {
        self.buffer
            .iter()
            .rposition(|store| store.location == location)
    }

    /// Whether the stores before let a load with these annotations go on.
    fn lets_read(&self, access: Access, order: Order) -> bool {
        let waits = |store: &Buffered| {
            let among_exclusives = access == Access::Reserve && store.bound.is_some();
            let both_annotated = order.is_some() && store.order.is_some();
            order.release || store.order.acquire || (among_exclusives && both_annotated)
        };
        !self.buffer.iter().any(waits)
    }

    /// Whether the variable is not to be written by others now.
    fn holds(&self, location: usize) -> bool {
        let bound = |store: &Buffered| store.location == location && store.bound == Some(0);
        self.buffer.iter().any(bound)
    }
}

/// Who accesses what.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    location: usize,
    width: Width,
}

struct Search<'a> {
    test: &'a Test,
    model: MemoryModel,
    seen: FxHashSet<State>,
    stack: Vec<State>,
    finals: BTreeSet<FinalState>,
    widths: Vec<Option<Width>>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), Wrong> {
        let core = |thread| Core {
            processor: Processor::new(self.test, thread),
            buffer: Vec::new(),
            reserved: None,
        };
        self.visit(State {
            memory: self.test.locations.iter().map(|l| l.init).collect(),
            cores: (0..self.test.threads.len()).map(core).collect(),
        })?;
        while let Some(state) = self.stack.pop() {
            let mut ended = true;
            for index in 0..state.cores.len() {
                ended &= self.turn(&state, index)?;
            }
            if ended {
                let value = |item| match item {
                    Item::Register(thread, register) => {
                        state.cores[thread].processor.register(register)
                    }
                    Item::Location(location) => state.memory[location],
                };
                self.finals.extend(self.test.final_state(&value));
            }
        }
        Ok(())
    }

    /// Enters a state, after what touches nothing shared.
    fn visit(&mut self, mut state: State) -> Result<(), Wrong> {
        for index in 0..state.cores.len() {
            while self.alone(&mut state.cores[index])? {}
        }
        if self.seen.len() >= MOST_STATES {
            return Err(Wrong::unsupported(
                "many states",
                format!("more than {MOST_STATES} states are reached; make the test smaller"),
            ));
        }
        if self.seen.insert(state.clone()) {
            self.stack.push(state);
        }
        Ok(())
    }

    /// Performs what the thread does next, if no other thread can tell when.
    fn alone(&mut self, core: &mut Core) -> Result<bool, Wrong> {
        match core.processor.advance(self.test)? {
            Next::Fence if core.buffer.is_empty() => core.processor.complete(self.test, None),
            Next::Access {
                location,
                width,
                order,
                access: Access::Store(value),
                unsettled,
            } if self.model == MemoryModel::Tso => {
                self.sized(location, width)?;
                core.buffer.push(Buffered {
                    location,
                    value: width.cut(value),
                    bound: None,
                    unsettled,
                    order,
                });
                core.processor.complete(self.test, None);
            }
            Next::Access {
                location,
                access: Access::Conditional(_),
                ..
            } if core
                .reserved
                .is_none_or(|(reserved, _)| reserved != location) =>
            {
                core.reserved = None;
                core.processor.complete(self.test, Some(1));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Everything that one thread can do next. Whether it has ended.
    fn turn(&mut self, state: &State, index: usize) -> Result<bool, Wrong> {
        self.commit(state, index)?;
        let mut core = state.cores[index].clone();
        match core.processor.advance(self.test)? {
            Next::Done => return Ok(core.buffer.is_empty()),
            Next::Fence => {}
            Next::Access {
                location,
                width,
                order,
                access,
                unsettled,
            } => {
                self.sized(location, width)?;
                let place = Place {
                    index,
                    location,
                    width,
                };
                match access {
                    _ if self.model == MemoryModel::Sc => self.at_once(state, place, access)?,
                    // A store goes to the buffer when its state is entered.
                    Access::Store(_) => {}
                    Access::Atomic(..) if core.buffer.is_empty() => {
                        self.at_once(state, place, access)?;
                    }
                    Access::Atomic(..) => {}
                    Access::Conditional(value) => {
                        self.conditional(state, place, value, order)?;
                    }
                    Access::Load | Access::Reserve
                        if !unsettled && core.lets_read(access, order) =>
                    {
                        self.read(state, place, access)?;
                    }
                    Access::Load | Access::Reserve => {}
                }
            }
        }
        Ok(false)
    }

    /// Lets the oldest store of a thread leave its buffer.
    fn commit(&mut self, state: &State, index: usize) -> Result<(), Wrong> {
        let Some(store) = state.cores[index].buffer.first() else {
            return Ok(());
        };
        let location = store.location;
        if state.others(index).any(|core| core.holds(location)) {
            return Ok(());
        }
        let mut after = state.clone();
        let core = &mut after.cores[index];
        let store = core.buffer.remove(0);
        for later in &mut core.buffer {
            later.bound = later.bound.map(|turns| turns.saturating_sub(1));
        }
        if let Some((_, turns)) = &mut core.reserved {
            *turns = turns.saturating_sub(1);
        }
        if core.buffer.iter().all(|store| store.bound.is_none()) {
            core.processor.settle();
            for later in &mut core.buffer {
                later.unsettled = false;
            }
        }
        after.write(index, location, store.value);
        self.visit(after)
    }

    /// An access that takes effect in memory now; the thread's buffer is empty.
    fn at_once(&mut self, state: &State, place: Place, access: Access) -> Result<(), Wrong> {
        let Place {
            index,
            location,
            width,
        } = place;
        let old = width.cut(state.memory[location]);
        let (written, result) = match access {
            Access::Load | Access::Reserve => (None, Some(old)),
            Access::Store(value) => (Some(value), None),
            Access::Atomic(op, value) => (Some(atomic(op, old, value, width)), Some(old)),
            Access::Conditional(value) => (Some(value), Some(0)),
        };
        if matches!(access, Access::Conditional(_)) {
            self.fail_conditional(state, index)?;
        }
        if written.is_some() && state.others(index).any(|core| core.holds(location)) {
            return Ok(());
        }
        let mut after = state.clone();
        if let Some(value) = written {
            after.write(index, location, width.cut(value));
        }
        let core = &mut after.cores[index];
        match access {
            Access::Reserve => core.reserved = Some((location, 0)),
            Access::Conditional(_) => core.reserved = None,
            _ => {}
        }
        core.processor.complete(self.test, result);
        core.processor.settle();
        self.visit(after)
    }

    /// A store-conditional may fail for no reason.
    fn fail_conditional(&mut self, state: &State, index: usize) -> Result<(), Wrong> {
        let mut after = state.clone();
        after.cores[index].reserved = None;
        after.cores[index].processor.complete(self.test, Some(1));
        self.visit(after)
    }

    /// A load, with or without reservation.
    fn read(&mut self, state: &State, place: Place, access: Access) -> Result<(), Wrong> {
        let Place {
            index,
            location,
            width,
        } = place;
        let core = &state.cores[index];
        let youngest = core.youngest(location);
        let value = match youngest.map(|index| &core.buffer[index]) {
            Some(store) if store.unsettled => return Ok(()),
            Some(store) => store.value,
            None => state.memory[location],
        };
        let mut after = state.clone();
        let core = &mut after.cores[index];
        if access == Access::Reserve {
            core.reserved = Some((location, youngest.map_or(0, |index| index + 1)));
        }
        core.processor.complete(self.test, Some(width.cut(value)));
        self.visit(after)
    }

    /// A store-conditional to the variable that is reserved.
    fn conditional(
        &mut self,
        state: &State,
        place: Place,
        value: i64,
        order: Order,
    ) -> Result<(), Wrong> {
        self.fail_conditional(state, place.index)?;
        let mut after = state.clone();
        let core = &mut after.cores[place.index];
        let turns = core.reserved.take().map_or(0, |(_, turns)| turns);
        core.buffer.push(Buffered {
            location: place.location,
            value: place.width.cut(value),
            bound: Some(turns),
            unsettled: true,
            order,
        });
        core.processor.complete(self.test, Some(0));
        self.visit(after)
    }

    /// Notes the size of an access; a variable has one.
    fn sized(&mut self, location: usize, width: Width) -> Result<(), Wrong> {
        match *self.widths[location].get_or_insert(width) {
            known if known == width => Ok(()),
            _ => Err(Wrong::unsupported(
                "accesses of two sizes",
                format!(
                    "{} is accessed with 4 and with 8 bytes; use one size",
                    self.test.locations[location].name
                ),
            )),
        }
    }
}

/// What an atomic writes over `old`.
fn atomic(op: Rmw, old: i64, value: i64, width: Width) -> i64 {
    width.cut(op.of(old, width.cut(value)))
}

impl State {
    fn others(&self, index: usize) -> impl Iterator<Item = &Core> {
        let cores = self.cores.iter().enumerate();
        cores
            .filter(move |&(other, _)| other != index)
            .map(|(_, core)| core)
    }

    /// Writes memory, which breaks the reservations of other threads.
    fn write(&mut self, index: usize, location: usize, value: i64) {
        self.memory[location] = value;
        for (other, core) in self.cores.iter_mut().enumerate() {
            if other != index && core.reserved == Some((location, 0)) {
                core.reserved = None;
            }
        }
    }
}
