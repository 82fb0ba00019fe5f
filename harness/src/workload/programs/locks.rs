//! Locks, and a counter that is right only if they lock.

use super::shared::{Array, Atomic, Heap};
use super::team::Team;
use super::{Fence, Verdict, compare};
use crate::sim::NodeHandle;
use rand::RngExt;

/// Times that each node counts.
const ROUNDS: usize = 8;
/// Cycles within which a node comes back.
const AWAY: u64 = 64;

/// A lock. `me` is the place of the node in its team.
trait Lock: Copy + 'static {
    async fn acquire(self, node: &NodeHandle, me: usize);
    async fn release(self, node: &NodeHandle, me: usize);
}

/// Every node counts with a load and a store: a count is lost if two are inside at once.
async fn count_under(lock: impl Lock, counter: Atomic<u64>, team: &Team) -> Verdict {
    team.run(|me, node| {
        let mut random = team.random(&format!("away {me}"));
        async move {
            for _ in 0..ROUNDS {
                lock.acquire(&node, me).await;
                let count = counter.load(&node).await;
                counter.store(&node, count + 1).await;
                lock.release(&node, me).await;
                node.idle(random.random_range(0..AWAY)).await;
            }
        }
    })
    .await;
    let count = counter.load(team.leader()).await;
    compare("counter", &count, &((team.size() * ROUNDS) as u64))
}

/// A flag that is swapped until it was clear.
#[derive(Clone, Copy)]
struct Spin {
    taken: Atomic<u32>,
}

impl Lock for Spin {
    async fn acquire(self, node: &NodeHandle, _: usize) {
        while self.taken.swap(node, 1).await != 0 {
            // In the own cache, until the owner writes.
            while self.taken.load(node).await != 0 {}
        }
    }

    async fn release(self, node: &NodeHandle, _: usize) {
        self.taken.store(node, 0).await;
    }
}

/// Counts under a spin lock.
pub async fn spin(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let lock = Spin {
        taken: heap.value(),
    };
    count_under(lock, heap.value(), &team).await
}

/// Who draws a number waits until it is served.
#[derive(Clone, Copy)]
struct Ticket {
    next: Atomic<u32>,
    serving: Atomic<u32>,
}

impl Lock for Ticket {
    async fn acquire(self, node: &NodeHandle, _: usize) {
        let ticket = self.next.fetch_add(node, 1).await;
        while self.serving.load(node).await != ticket {}
    }

    async fn release(self, node: &NodeHandle, _: usize) {
        // Nobody else writes it.
        let ticket = self.serving.load(node).await;
        self.serving.store(node, ticket + 1).await;
    }
}

/// Counts under a ticket lock.
pub async fn ticket(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let lock = Ticket {
        next: heap.value(),
        serving: heap.value(),
    };
    count_under(lock, heap.value(), &team).await
}

/// A queue in which each waits for a word of its own (Mellor-Crummey and Scott, 1991). A node's
/// number in it is its place in the team and 1; 0 is nobody.
#[derive(Clone, Copy)]
struct Mcs {
    tail: Atomic<u32>,
    next: Array<u32>,
    waiting: Array<u32>,
}

impl Lock for Mcs {
    async fn acquire(self, node: &NodeHandle, me: usize) {
        let number = me as u32 + 1;
        self.next.at(me).store(node, 0).await;
        self.waiting.at(me).store(node, 1).await;
        let before = self.tail.swap(node, number).await;
        if before != 0 {
            self.next.at(before as usize - 1).store(node, number).await;
            while self.waiting.at(me).load(node).await != 0 {}
        }
    }

    async fn release(self, node: &NodeHandle, me: usize) {
        let number = me as u32 + 1;
        if self.next.at(me).load(node).await == 0 {
            if self.tail.compare_exchange(node, number, 0).await {
                return;
            }
            // Somebody has queued up and is about to say who.
            while self.next.at(me).load(node).await == 0 {}
        }
        let after = self.next.at(me).load(node).await;
        self.waiting.at(after as usize - 1).store(node, 0).await;
    }
}

/// Counts under an MCS lock.
pub async fn mcs(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let lock = Mcs {
        tail: heap.value(),
        next: heap.lines(team.size()),
        waiting: heap.lines(team.size()),
    };
    count_under(lock, heap.value(), &team).await
}

/// Two nodes, loads and stores only (Peterson, 1981).
#[derive(Clone, Copy)]
struct Peterson {
    wants: Array<u32>,
    turn: Atomic<u32>,
    fence: Fence,
}

impl Lock for Peterson {
    async fn acquire(self, node: &NodeHandle, me: usize) {
        let other = 1 - me;
        self.wants.at(me).store(node, 1).await;
        self.turn.store(node, other as u32).await;
        if self.fence == Fence::Kept {
            // What this node wants has to be seen before it looks at what the other wants.
            node.fence().await;
        }
        while self.wants.at(other).load(node).await == 1
            && self.turn.load(node).await == other as u32
        {}
    }

    async fn release(self, node: &NodeHandle, me: usize) {
        self.wants.at(me).store(node, 0).await;
    }
}

/// Two nodes count under Peterson's lock.
pub async fn peterson(team: Team, fence: Fence) -> Verdict {
    let mut heap = Heap::default();
    let lock = Peterson {
        wants: heap.lines(2),
        turn: heap.value(),
        fence,
    };
    count_under(lock, heap.value(), &team.first(2)).await
}
