//! A ring buffer of one producer and one consumer.

use super::shared::{Array, Atomic, Heap};
use super::team::Team;
use super::{Verdict, compare};
use crate::sim::NodeHandle;
use rand::RngExt;

/// Slots of a ring, and messages through each.
const SLOTS: usize = 4;
const MESSAGES: usize = 24;

/// Messages in order. Only the consumer writes `head` and only the producer `tail`; both count
/// messages, and stores of a node become visible in order, so no fence is needed.
#[derive(Clone, Copy)]
struct Ring {
    head: Atomic<u64>,
    tail: Atomic<u64>,
    slots: Array<u64>,
}

impl Ring {
    fn new(heap: &mut Heap) -> Ring {
        Ring {
            head: heap.value(),
            tail: heap.value(),
            slots: heap.array(SLOTS),
        }
    }

    async fn send(self, node: &NodeHandle, message: u64) {
        let tail = self.tail.load(node).await;
        while tail - self.head.load(node).await == SLOTS as u64 {}
        self.slots
            .at(tail as usize % SLOTS)
            .store(node, message)
            .await;
        self.tail.store(node, tail + 1).await;
    }

    async fn receive(self, node: &NodeHandle) -> u64 {
        let head = self.head.load(node).await;
        while self.tail.load(node).await == head {}
        let message = self.slots.at(head as usize % SLOTS).load(node).await;
        self.head.store(node, head + 1).await;
        message
    }
}

/// Every node sends to the next one around: each is the producer of one ring and the consumer of
/// another.
pub async fn pairs(team: Team) -> Verdict {
    let mut heap = Heap::default();
    let size = team.size();
    let rings: Vec<Ring> = (0..size).map(|_| Ring::new(&mut heap)).collect();
    let mut random = team.random("messages");
    let mut messages = || (0..MESSAGES).map(|_| random.random()).collect();
    let sent: Vec<Vec<u64>> = (0..size).map(|_| messages()).collect();
    let received = team
        .run(|me, node| {
            let (to, from) = (rings[me], rings[(me + size - 1) % size]);
            let messages = sent[me].clone();
            async move {
                let mut received = Vec::new();
                for message in messages {
                    to.send(&node, message).await;
                    received.push(from.receive(&node).await);
                }
                received
            }
        })
        .await;
    let expected: Vec<Vec<u64>> = (0..size)
        .map(|me| sent[(me + size - 1) % size].clone())
        .collect();
    compare("messages", &received, &expected)
}
