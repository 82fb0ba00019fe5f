//! The queue of Michael and Scott (1996): a list that any node may append to and take from.

use super::shared::{Array, Atomic, Heap};
use super::team::Team;
use super::{Verdict, compare};
use crate::sim::NodeHandle;

/// Values that each node puts in, and takes out.
const VALUES: usize = 10;

/// A list of cells; a cell is named by its number, and 0 is none. Cells are used once, so a number
/// that is still there is still the same cell.
#[derive(Clone, Copy)]
struct Queue {
    /// The cell before the first.
    head: Atomic<u32>,
    /// The last cell, or one shortly before it.
    tail: Atomic<u32>,
    next: Array<u32>,
    value: Array<u64>,
}

impl Queue {
    const BEFORE_FIRST: u32 = 1;

    async fn new(heap: &mut Heap, cells: usize, node: &NodeHandle) -> Queue {
        let queue = Queue {
            head: heap.value(),
            tail: heap.value(),
            next: heap.array(cells + 2),
            value: heap.array(cells + 2),
        };
        queue.head.store(node, Self::BEFORE_FIRST).await;
        queue.tail.store(node, Self::BEFORE_FIRST).await;
        queue
    }

    /// Appends a value in a fresh cell.
    async fn put(self, node: &NodeHandle, cell: u32, value: u64) {
        self.value.at(cell as usize).store(node, value).await;
        loop {
            let tail = self.tail.load(node).await;
            let last = self.next.at(tail as usize);
            match last.load(node).await {
                0 if last.compare_exchange(node, 0, cell).await => {
                    // If it fails, somebody else has moved it on.
                    self.tail.compare_exchange(node, tail, cell).await;
                    return;
                }
                0 => {}
                next => {
                    self.tail.compare_exchange(node, tail, next).await;
                }
            }
        }
    }

    /// Takes the first value, if there is one.
    async fn take(self, node: &NodeHandle) -> Option<u64> {
        loop {
            let head = self.head.load(node).await;
            let tail = self.tail.load(node).await;
            match self.next.at(head as usize).load(node).await {
                0 => return None,
                next if head == tail => {
                    self.tail.compare_exchange(node, tail, next).await;
                }
                next => {
                    let value = self.value.at(next as usize).load(node).await;
                    if self.head.compare_exchange(node, head, next).await {
                        return Some(value);
                    }
                }
            }
        }
    }
}

/// Every node puts values in and takes as many out: all come out, once, and those of one node in
/// order to whoever takes several.
pub async fn exchange(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let all = VALUES * team.size();
    let queue = Queue::new(&mut heap, all, team.leader()).await;
    let taken = team
        .run(move |me, node| async move {
            let mut taken = Vec::new();
            for index in VALUES * me..VALUES * (me + 1) {
                let cell = Queue::BEFORE_FIRST + 1 + index as u32;
                queue.put(&node, cell, index as u64).await;
                while taken.len() <= index - VALUES * me {
                    taken.extend(queue.take(&node).await);
                }
            }
            taken
        })
        .await;
    for (consumer, taken) in taken.iter().enumerate() {
        for producer in 0..team.size() {
            let from = |value: &&u64| **value as usize / VALUES == producer;
            let of_producer: Vec<&u64> = taken.iter().filter(from).collect();
            if !of_producer.is_sorted() {
                return Err(format!("{consumer} took of {producer} {of_producer:?}"));
            }
        }
    }
    let mut found = taken.concat();
    found.sort_unstable();
    compare("values", &found, &(0..all as u64).collect())
}
