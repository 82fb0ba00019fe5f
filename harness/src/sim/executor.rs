//! Runs async programs in a fixed order, on one thread.
//!
//! A task is polled when it was woken, in the order of the wakes; the simulation wakes tasks in an
//! order that its seed decides, so the whole run is a function of the seed.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A program's future, without result.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Tasks that were woken and not yet polled. `Waker` must be `Send`, hence the lock; it is never
/// contended.
#[derive(Default)]
struct Ready(Mutex<VecDeque<usize>>);

impl Ready {
    fn push(&self, task: usize) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(task);
    }

    fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn pop(&self) -> Option<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

struct TaskWaker {
    task: usize,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.push(self.task);
    }
}

/// The tasks of one run.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: Vec<Option<(Task, Waker)>>,
    ready: Arc<Ready>,
    live: usize,
}

impl Executor {
    /// Adds a task; it is polled at the next [`Executor::poll`].
    pub(crate) fn spawn(&mut self, task: Task) {
        let id = self.tasks.len();
        let waker = Waker::from(Arc::new(TaskWaker {
            task: id,
            ready: self.ready.clone(),
        }));
        self.tasks.push(Some((task, waker)));
        self.live += 1;
        self.ready.push(id);
    }

    /// Polls every woken task, including those spawned or woken meanwhile; `spawned` hands over new
    /// tasks.
    pub(crate) fn poll(&mut self, mut spawned: impl FnMut() -> Vec<Task>) {
        loop {
            for task in spawned() {
                self.spawn(task);
            }
            let Some(id) = self.ready.pop() else { return };
            let Some((task, waker)) = &mut self.tasks[id] else {
                continue;
            };
            let waker = waker.clone();
            if let Poll::Ready(()) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.tasks[id] = None;
                self.live -= 1;
            }
        }
    }

    /// Whether a task was woken and not yet polled.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Number of tasks that have not finished.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Pending `n` times, waking itself at once.
    struct Yield(u32);

    impl Future for Yield {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if self.0 == 0 {
                return Poll::Ready(());
            }
            self.0 -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }

    #[test]
    fn tasks_are_polled_in_the_order_of_their_wakes() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let mut executor = Executor::default();
        for id in 0..3u32 {
            let log = log.clone();
            executor.spawn(Box::pin(async move {
                for step in 0..=id {
                    log.borrow_mut().push((id, step));
                    Yield(1).await;
                }
            }));
        }
        executor.poll(Vec::new);
        assert_eq!(executor.live(), 0);
        assert_eq!(
            *log.borrow(),
            [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)]
        );
    }

    #[test]
    fn tasks_spawned_by_a_task_run_in_the_same_poll() {
        let done = Rc::new(RefCell::new(0));
        let mut executor = Executor::default();
        let mut children: Vec<Task> = (0..4)
            .map(|_| {
                let done = done.clone();
                Box::pin(async move {
                    Yield(2).await;
                    *done.borrow_mut() += 1;
                }) as Task
            })
            .collect();
        executor.poll(|| std::mem::take(&mut children));
        assert_eq!((*done.borrow(), executor.live()), (4, 0));
    }

    #[test]
    fn a_waiting_task_stays_live() {
        let mut executor = Executor::default();
        executor.spawn(Box::pin(std::future::pending()));
        executor.poll(Vec::new);
        assert_eq!(executor.live(), 1);
    }
}
