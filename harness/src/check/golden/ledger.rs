//! Which write has made which change of memory.
//!
//! Writes that would have done the same cannot be told apart before the answers come: each change
//! is laid at the door of one that could have made it, and given to another when an answer asks
//! for that. Only if no distribution of the changes fits all answers is something wrong.

use flits::{Data, Packet};

use super::write::{Change, PendingWrite};
use super::{Exchange, Owner, Written};
use crate::check::Violation;

/// The writes without caching and who is taken to have made which change.
#[derive(Default)]
pub(super) struct Ledger {
    /// Counts what happens.
    now: u64,
    /// Writes that are not answered yet.
    pending: Vec<PendingWrite>,
    /// Answered ones whose change could be one of those', and so theirs another.
    ended: Vec<PendingWrite>,
}

impl Ledger {
    /// `node` sends a write.
    pub(super) fn issue(&mut self, node: usize, packet: &Packet) {
        self.now += 1;
        let write = PendingWrite::new(node, packet, self.now);
        self.pending.push(write);
    }

    /// A memory performs a write that changes nothing: `seen`, where `before` is. Whether a pending
    /// write of good bytes may be it.
    pub(super) fn unchanged(&mut self, seen: Written<'_>, before: &[u8]) -> bool {
        let mut replaces = false;
        for write in &mut self.pending {
            if let Some(before) = write.explains(seen, before) {
                write.unchanged.push(before);
                replaces |= !write.poison;
            }
        }
        replaces
    }

    /// A memory changes `before` to `seen`. Gives the pending write that is taken to have done it, if
    /// there is one that can have: of writes of the same bytes one that is as corrupt as this, and of
    /// those one that cannot have been performed already.
    pub(super) fn changed(
        &mut self,
        seen: Written<'_>,
        poison: bool,
        before: &[u8],
    ) -> Option<&PendingWrite> {
        let write = (self.pending.iter_mut())
            .filter(|write| write.done.is_none() && write.explains(seen, before).is_some())
            .min_by_key(|write| (write.poison != poison, !write.unchanged.is_empty()))?;
        self.now += 1;
        write.done = Some(Change {
            at: self.now,
            addr: seen.addr,
            data: Data::from_slice(seen.data),
            be: seen.be,
            before: Data::from_slice(before),
            poison: write.poison,
        });
        Some(write)
    }

    /// The write of `owner` is answered; see [`super::Golden::complete`].
    pub(super) fn complete(
        &mut self,
        owner: Owner,
        performed: bool,
        old: Option<&[u8]>,
    ) -> Result<Exchange, Box<Violation>> {
        let Some(at) = self.pending.iter().position(|w| w.owner() == owner) else {
            return Ok(Exchange::default());
        };
        let mut write = self.pending.remove(at);
        write.old = old.map(Data::from_slice);
        let fits = match &write.done {
            Some(change) => performed && write.could_do(change),
            None => !performed || write.changed_nothing(),
        };
        let exchange = match fits {
            true => {
                self.ended.push(write);
                Exchange::default()
            }
            false => self.exchange(write, performed)?,
        };
        self.forget();
        Ok(exchange)
    }

    /// Finds a distribution of the changes that fits also the answer of `write`, which has a change
    /// that it cannot have made, or lacks one.
    fn exchange(
        &mut self,
        mut write: PendingWrite,
        performed: bool,
    ) -> Result<Exchange, Box<Violation>> {
        let owner = write.owner();
        let mut spare = write.done.take();
        let thought: Vec<_> = (self.pending.iter())
            .filter_map(|w| Some((w.done.as_ref()?.at, w.owner())))
            .chain(spare.as_ref().map(|change| (change.at, owner)))
            .collect();
        let wrong = match performed {
            true => write.never_performed(),
            false => write.refused(),
        };
        let needs = performed && !write.changed_nothing();
        let open = self.pending.len();
        let mut writes = std::mem::take(&mut self.pending);
        writes.append(&mut self.ended);
        writes.extend(performed.then_some(write));
        let own = writes.len() - usize::from(performed);
        let mut tried = vec![false; writes.len()];
        if needs && !take(own, &mut writes, open, &mut spare, &mut tried) {
            return Err(wrong);
        }
        tried.fill(false);
        if spare.is_some_and(|change| give(change, &mut writes, &mut tried).is_some()) {
            return Err(wrong);
        }
        self.ended = writes.split_off(open);
        self.pending = writes;

        let mut exchange = Exchange::default();
        for (number, write) in self.pending.iter_mut().chain(&mut self.ended).enumerate() {
            let to = write.owner();
            let Some(change) = &mut write.done else {
                continue;
            };
            let before = thought.iter().find(|&&(at, _)| at == change.at);
            if let Some(&(_, from)) = before.filter(|&&(_, from)| from != to) {
                let lives = number < open || number == own;
                exchange.moves.push((from, lives.then_some(to)));
            }
            if change.poison != write.poison {
                change.poison = write.poison;
                exchange.doubts.push((write.addr, write.data.len()));
            }
        }
        Ok(exchange)
    }

    /// Forgets the answered writes that no open one could be taken for, however changes are exchanged.
    fn forget(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        let mut known = std::mem::take(&mut self.ended);
        while let Some(at) = known.iter().position(|write| {
            let others = self.pending.iter().chain(&self.ended);
            let could_be = |change| others.clone().any(|other| other.could_do(change));
            write.done.as_ref().is_some_and(could_be)
        }) {
            self.ended.push(known.swap_remove(at));
        }
    }
}

/// Gives the write at `at` a change that it could have made: `spare`, or that of another. Of the
/// others those from `open` on are answered, and one that has changed something gets another then.
fn take(
    at: usize,
    writes: &mut [PendingWrite],
    open: usize,
    spare: &mut Option<Change>,
    tried: &mut [bool],
) -> bool {
    tried[at] = true;
    if (spare.as_ref()).is_some_and(|change| writes[at].could_do(change)) {
        writes[at].done = spare.take();
        return true;
    }
    for other in 0..writes.len() {
        let wanted = |change| writes[at].could_do(change);
        if tried[other] || !writes[other].done.as_ref().is_some_and(wanted) {
            continue;
        }
        let change = writes[other].done.take();
        let spared = other < open || writes[other].changed_nothing();
        if spared || take(other, writes, open, spare, tried) {
            writes[at].done = change;
            return true;
        }
        writes[other].done = change;
    }
    false
}

/// Lays a change at the door of a write that could have made it, whose own goes on to another; gives it
/// back if there is none.
fn give(change: Change, writes: &mut [PendingWrite], tried: &mut [bool]) -> Option<Change> {
    for at in 0..writes.len() {
        if tried[at] || !writes[at].could_do(&change) {
            continue;
        }
        tried[at] = true;
        if let Some(own) = writes[at].done.take()
            && let Some(own) = give(own, writes, tried)
        {
            writes[at].done = Some(own);
            continue;
        }
        writes[at].done = Some(change);
        return None;
    }
    Some(change)
}
