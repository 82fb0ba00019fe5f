//! The deque of Chase and Lev (2005): its owner works at one end, others steal at the other.

use super::shared::{Array, Atomic, Heap};
use super::team::Team;
use super::{Fence, Verdict, compare};
use crate::sim::NodeHandle;
use rand::RngExt;

/// Places of the deque; the owner never has as many tasks waiting.
const PLACES: usize = 16;
/// Tasks in all, and the most that the owner pushes before it takes them back.
const TASKS: u32 = 60;
const BURST: u32 = 4;

/// Tasks in a ring of places. Both ends count tasks, `top` those that are gone.
#[derive(Clone, Copy)]
struct Deque {
    top: Atomic<i64>,
    bottom: Atomic<i64>,
    places: Array<u32>,
    fence: Fence,
}

impl Deque {
    fn place(self, index: i64) -> Atomic<u32> {
        self.places.at(index as usize % PLACES)
    }

    /// The owner adds a task at the bottom.
    async fn push(self, node: &NodeHandle, task: u32) {
        let bottom = self.bottom.load(node).await;
        self.place(bottom).store(node, task).await;
        self.bottom.store(node, bottom + 1).await;
    }

    /// The owner takes the last task.
    async fn take(self, node: &NodeHandle) -> Option<u32> {
        let bottom = self.bottom.load(node).await - 1;
        self.bottom.store(node, bottom).await;
        if self.fence == Fence::Kept {
            // Thieves have to see what is left before the owner sees what they have taken.
            node.fence().await;
        }
        let top = self.top.load(node).await;
        if top < bottom {
            return Some(self.place(bottom).load(node).await);
        }
        // At most one is left, and a thief may be after it too.
        let won = top == bottom && self.top.compare_exchange(node, top, top + 1).await;
        self.bottom.store(node, bottom + 1).await;
        match won {
            true => Some(self.place(bottom).load(node).await),
            false => None,
        }
    }

    /// Anybody takes the first task; nothing if there is none, or another was faster.
    async fn steal(self, node: &NodeHandle) -> Option<u32> {
        let top = self.top.load(node).await;
        let bottom = self.bottom.load(node).await;
        if top >= bottom {
            return None;
        }
        let task = self.place(top).load(node).await;
        let won = self.top.compare_exchange(node, top, top + 1).await;
        won.then_some(task)
    }
}

/// The leader pushes tasks, a few at a time, and takes what the others leave: every task is done
/// once.
pub async fn steal(team: Team, fence: Fence) -> Verdict {
    let mut heap = Heap::default();
    let deque = Deque {
        top: heap.value(),
        bottom: heap.value(),
        places: heap.array(PLACES),
        fence,
    };
    let over: Atomic<u32> = heap.value();
    let random = team.random("bursts");
    let done = team
        .run(|me, node| {
            let mut random = random.clone();
            async move {
                let mut done = Vec::new();
                if me == 0 {
                    let mut tasks = 0..TASKS;
                    while !tasks.is_empty() {
                        for task in tasks.by_ref().take(random.random_range(1..=BURST) as usize) {
                            deque.push(&node, task).await;
                        }
                        while let Some(task) = deque.take(&node).await {
                            done.push(task);
                        }
                    }
                    over.store(&node, 1).await;
                } else {
                    while over.load(&node).await == 0 {
                        done.extend(deque.steal(&node).await);
                    }
                }
                done
            }
        })
        .await;
    let mut done = done.concat();
    done.sort_unstable();
    compare("tasks done", &done, &(0..TASKS).collect())
}
