//! The supernode as a program sees it.

use super::mailbox::Mailbox;
use super::node::NodeHandle;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The supernode as a program sees it. Clones are handles to the same one.
#[derive(Clone)]
pub struct System {
    mailbox: Rc<RefCell<Mailbox>>,
    processors: Rc<[usize]>,
}

impl System {
    pub(super) fn new(mailbox: Rc<RefCell<Mailbox>>, processors: Rc<[usize]>) -> Self {
        System {
            mailbox,
            processors,
        }
    }

    /// The node on port `port`.
    ///
    /// # Panics
    /// If that port has no node that runs programs (it has a memory, nothing, or does not exist).
    pub fn node(&self, port: usize) -> NodeHandle {
        assert!(
            self.processors.contains(&port),
            "port {port} has no node that runs programs; those are on ports {:?}",
            self.processors
        );
        NodeHandle {
            mailbox: self.mailbox.clone(),
            port,
        }
    }

    /// Whatever is on a port.
    pub(super) fn any_node(&self, port: usize) -> NodeHandle {
        NodeHandle {
            mailbox: self.mailbox.clone(),
            port,
        }
    }

    /// The nodes that run programs, in the order of their ports.
    pub fn nodes(&self) -> impl Iterator<Item = NodeHandle> + '_ {
        self.processors.iter().map(|&port| NodeHandle {
            mailbox: self.mailbox.clone(),
            port,
        })
    }

    /// Clock cycles since reset.
    pub fn now(&self) -> u64 {
        self.mailbox.borrow().now
    }

    /// Starts another program beside the running one. The run ends when all have finished, awaited
    /// or not.
    pub fn spawn<F>(&self, program: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let join = Rc::new(Join {
            output: Cell::new(None),
            waker: Cell::new(None),
        });
        let handle = JoinHandle { join: join.clone() };
        let task = async move {
            join.output.set(Some(program.await));
            if let Some(waker) = join.waker.take() {
                waker.wake();
            }
        };
        self.mailbox.borrow_mut().spawn(Box::pin(task));
        handle
    }

    /// Waits for `cycles` clock cycles.
    pub fn idle(&self, cycles: u64) -> Idle {
        Idle::new(self.mailbox.clone(), cycles)
    }
}

struct Join<T> {
    output: Cell<Option<T>>,
    waker: Cell<Option<Waker>>,
}

/// Waits for a program started with [`System::spawn`] and gives its result.
pub struct JoinHandle<T> {
    join: Rc<Join<T>>,
}

impl<T> Future for JoinHandle<T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.join.output.take() {
            Some(output) => Poll::Ready(output),
            None => {
                self.join.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

/// Runs futures side by side and gives their results in order; operations that do not depend on each
/// other so overlap, as far as the node's miss registers allow.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    enum Slot<F: Future> {
        Running(Pin<Box<F>>),
        Done(F::Output),
    }
    let mut slots: Vec<_> = futures
        .into_iter()
        .map(|f| Slot::Running(Box::pin(f)))
        .collect();
    std::future::poll_fn(|cx| {
        let mut running = false;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *slot = Slot::Done(output),
                    Poll::Pending => running = true,
                }
            }
        }
        if running {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    let output = |slot| match slot {
        Slot::Done(output) => Some(output),
        Slot::Running(_) => None,
    };
    slots.into_iter().filter_map(output).collect()
}

/// Waits for a number of cycles.
#[must_use = "waiting needs an await"]
pub struct Idle {
    mailbox: Rc<RefCell<Mailbox>>,
    /// From the first poll on.
    cycles: u64,
    until: Option<u64>,
}

impl Idle {
    pub(super) fn new(mailbox: Rc<RefCell<Mailbox>>, cycles: u64) -> Self {
        Idle {
            mailbox,
            cycles,
            until: None,
        }
    }
}

impl Future for Idle {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut mailbox = this.mailbox.borrow_mut();
        let until = *this.until.get_or_insert(mailbox.now + this.cycles);
        if mailbox.now >= until {
            return Poll::Ready(());
        }
        mailbox.set_timer(until, cx.waker().clone());
        Poll::Pending
    }
}
