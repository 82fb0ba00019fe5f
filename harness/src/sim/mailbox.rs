//! What programs and the simulation share.

use super::executor::Task;
use crate::Failure;
use crate::agents::{OpId, OpTable, Request};
use flits::LinkWord;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

/// Operations on their way, timers, the first failure.
#[derive(Default)]
pub(crate) struct Mailbox {
    pub(crate) ops: OpTable,
    /// Operations submitted since the last cycle, in order.
    pub(crate) submitted: Vec<(usize, OpId)>,
    /// Link words to send as they are.
    pub(crate) raw: Vec<(usize, LinkWord)>,
    /// Operations submitted so far, by port.
    counts: Vec<u64>,
    /// Programs that sleep: cycle, order of arrival, whom to wake.
    timers: BinaryHeap<Reverse<Timer>>,
    timer_count: u64,
    spawned: Vec<Task>,
    pub(crate) failure: Option<Failure>,
    pub(crate) now: u64,
}

struct Timer {
    at: u64,
    order: u64,
    waker: Waker,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl Mailbox {
    /// Wakes the programs whose time has come.
    pub(crate) fn wake_timers(&mut self) {
        while self
            .timers
            .peek()
            .is_some_and(|Reverse(timer)| timer.at <= self.now)
        {
            if let Some(Reverse(timer)) = self.timers.pop() {
                timer.waker.wake();
            }
        }
    }

    /// Wakes a program in a cycle to come.
    pub(super) fn set_timer(&mut self, at: u64, waker: Waker) {
        let order = self.timer_count;
        self.timer_count += 1;
        self.timers.push(Reverse(Timer { at, order, waker }));
    }

    /// How many operations the node on a port has submitted.
    pub(super) fn submitted_by(&self, port: usize) -> u64 {
        self.counts.get(port).copied().unwrap_or(0)
    }

    /// Enters an operation of the node on a port; the request's number and cycle are filled in.
    pub(super) fn submit(&mut self, port: usize, request: Request<'_>, waker: &Waker) -> OpId {
        if port >= self.counts.len() {
            self.counts.resize(port + 1, 0);
        }
        let index = self.counts[port];
        self.counts[port] += 1;
        let id = self.ops.enter(Request {
            index,
            now: self.now,
            ..request
        });
        self.ops.watch(id, waker);
        self.submitted.push((port, id));
        id
    }

    /// Starts a task with the next poll.
    pub(super) fn spawn(&mut self, task: Task) {
        self.spawned.push(task);
    }

    /// Takes the tasks that programs spawned.
    pub(crate) fn take_spawned(&mut self) -> Vec<Task> {
        std::mem::take(&mut self.spawned)
    }

    /// Whether nothing that a program waits for is on its way.
    pub(crate) fn is_dead(&self) -> bool {
        self.timers.is_empty() && self.ops.live() == 0
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }
}
