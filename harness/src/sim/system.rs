//! What a program sees of the supernode: [`System`], [`NodeHandle`] and the futures of its accesses.

use super::executor::Task;
use crate::agents::{self, MAX_ACCESS, OpId, OpKind, OpTable, Status};
use crate::dut::MAX_PORTS;
use crate::{Failure, FailureKind};
use flits::LinkWord;
use flits::layout::{ADDR_BITS, LINE_BYTES};
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A value of a fixed size that a program loads and stores: an unsigned or signed integer. Little
/// endian in memory.
pub trait Word: Copy + 'static {
    /// Bytes, a power of two, at most 16.
    const BYTES: usize;
    /// Writes the value to the first [`Word::BYTES`] of `out`.
    fn put(self, out: &mut [u8]);
    /// Reads the value from the first [`Word::BYTES`] of `bytes`.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! words {
    ($($int:ty),+) => { $(
        impl Word for $int {
            const BYTES: usize = size_of::<$int>();
            fn put(self, out: &mut [u8]) {
                out[..Self::BYTES].copy_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$int>()];
                raw.copy_from_slice(&bytes[..Self::BYTES]);
                <$int>::from_le_bytes(raw)
            }
        }
    )+ };
}

words!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);

/// One cache line.
pub type Line = [u8; LINE_BYTES];

/// What programs and the simulation share: operations on their way, timers, the first failure.
#[derive(Default)]
pub(crate) struct Mailbox {
    pub(crate) ops: OpTable,
    /// Operations submitted since the last cycle, in order.
    pub(crate) submitted: Vec<(usize, OpId)>,
    /// Link words to send as they are.
    pub(crate) raw: Vec<(usize, LinkWord)>,
    /// Operations submitted so far, by port.
    counts: [u64; MAX_PORTS],
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

/// The supernode as a program sees it. Clones are handles to the same one.
#[derive(Clone)]
pub struct System {
    mailbox: Rc<RefCell<Mailbox>>,
    processors: Rc<[usize]>,
}

impl System {
    pub(crate) fn new(mailbox: Rc<RefCell<Mailbox>>, processors: Rc<[usize]>) -> Self {
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
    pub(crate) fn any_node(&self, port: usize) -> NodeHandle {
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
        self.mailbox.borrow_mut().spawned.push(Box::pin(async move {
            join.output.set(Some(program.await));
            if let Some(waker) = join.waker.take() {
                waker.wake();
            }
        }));
        handle
    }

    /// Waits for `cycles` clock cycles.
    pub fn idle(&self, cycles: u64) -> Idle {
        Idle {
            mailbox: self.mailbox.clone(),
            cycles,
            until: None,
        }
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

/// A node that runs programs. Every method gives a future that submits the operation when it is first
/// polled: accesses awaited one after the other are in program order, accesses joined or issued by
/// several tasks of one node may overlap.
///
/// An access that is answered with an error ends the run with a [`Failure`] that names the address
/// and the status; [`Access::result`] gives the error to the program instead. Accesses are naturally
/// aligned; one that is not ends the run too.
#[derive(Clone)]
pub struct NodeHandle {
    mailbox: Rc<RefCell<Mailbox>>,
    port: usize,
}

impl NodeHandle {
    /// The port of the node.
    pub fn port(&self) -> usize {
        self.port
    }

    pub(crate) fn access<T>(
        &self,
        kind: OpKind,
        addr: u64,
        len: usize,
        operand: Operand,
        read: fn(&[u8]) -> T,
    ) -> Access<T> {
        Access {
            inner: TryAccess {
                mailbox: self.mailbox.clone(),
                request: Request {
                    port: self.port,
                    kind,
                    addr,
                    len,
                    operand,
                },
                id: None,
                read,
            },
        }
    }

    /// Loads a value.
    pub fn load<T: Word>(&self, addr: u64) -> Access<T> {
        self.access(OpKind::Load, addr, T::BYTES, Operand::None, T::get)
    }

    /// Stores a value.
    pub fn store<T: Word>(&self, addr: u64, value: T) -> Access<()> {
        self.access(
            OpKind::Store,
            addr,
            T::BYTES,
            Operand::words([value]),
            |_| (),
        )
    }

    /// Loads a value, or gives the error.
    pub fn try_load<T: Word>(&self, addr: u64) -> TryAccess<T> {
        self.load(addr).result()
    }

    /// Stores a value, or gives the error.
    pub fn try_store<T: Word>(&self, addr: u64, value: T) -> TryAccess<()> {
        self.store(addr, value).result()
    }

    /// Loads the 64 bytes of a line.
    pub fn load_line(&self, addr: u64) -> Access<Line> {
        self.access(OpKind::Load, addr, LINE_BYTES, Operand::None, line)
    }

    /// Overwrites the 64 bytes of a line.
    pub fn store_line(&self, addr: u64, value: &Line) -> Access<()> {
        self.access(
            OpKind::Store,
            addr,
            LINE_BYTES,
            Operand::bytes(value),
            |_| (),
        )
    }

    /// Adds `value`, wrapping, and gives the old value.
    pub fn fetch_add<T: Word>(&self, addr: u64, value: T) -> Access<T> {
        self.access(
            OpKind::FetchAdd,
            addr,
            T::BYTES,
            Operand::words([value]),
            T::get,
        )
    }

    /// Exchanges the value and gives the old one.
    pub fn swap<T: Word>(&self, addr: u64, value: T) -> Access<T> {
        self.access(
            OpKind::Swap,
            addr,
            T::BYTES,
            Operand::words([value]),
            T::get,
        )
    }

    /// Stores `new` if memory holds `expected`, and gives the old value: it is `expected` if the
    /// exchange took place.
    pub fn compare_swap<T: Word>(&self, addr: u64, expected: T, new: T) -> Access<T> {
        let operand = Operand::words([new, expected]);
        self.access(OpKind::CompareSwap, addr, T::BYTES, operand, T::get)
    }

    /// Waits until all earlier stores of the node are visible to all.
    pub fn fence(&self) -> Access<()> {
        self.access(OpKind::Fence, 0, 0, Operand::None, |_| ())
    }

    /// Gives the line that holds `addr` up, written back if dirty.
    pub fn evict(&self, addr: u64) -> Access<()> {
        let line = addr & !(LINE_BYTES as u64 - 1);
        self.access(OpKind::Evict, line, LINE_BYTES, Operand::None, |_| ())
    }

    /// Reads `len` bytes of an uncached region: a power of two up to 256.
    pub fn read_uncached(&self, addr: u64, len: usize) -> Access<Vec<u8>> {
        self.access(
            OpKind::ReadUncached,
            addr,
            len,
            Operand::None,
            <[u8]>::to_vec,
        )
    }

    /// Writes bytes to an uncached region: a power of two of them, up to 256.
    pub fn write_uncached(&self, addr: u64, bytes: &[u8]) -> Access<()> {
        self.access(
            OpKind::WriteUncached,
            addr,
            bytes.len(),
            Operand::bytes(bytes),
            |_| (),
        )
    }

    /// Reads the line that holds `addr` as it is now, without caching it.
    pub fn read_once(&self, addr: u64) -> Access<Line> {
        let first = addr & !(LINE_BYTES as u64 - 1);
        self.access(OpKind::ReadOnce, first, LINE_BYTES, Operand::None, line)
    }

    /// Stores coherently without caching: a power of two of bytes up to 16, or a whole line.
    pub fn write_unique(&self, addr: u64, bytes: &[u8]) -> Access<()> {
        self.access(
            OpKind::WriteUnique,
            addr,
            bytes.len(),
            Operand::bytes(bytes),
            |_| (),
        )
    }

    /// Sends a link word as it is, from a hostile device.
    pub(crate) fn send_raw(&self, word: LinkWord) {
        self.mailbox.borrow_mut().raw.push((self.port, word));
    }

    /// Waits for `cycles` clock cycles.
    pub fn idle(&self, cycles: u64) -> Idle {
        Idle {
            mailbox: self.mailbox.clone(),
            cycles,
            until: None,
        }
    }
}

fn line(bytes: &[u8]) -> Line {
    let mut line = [0; LINE_BYTES];
    line.copy_from_slice(&bytes[..LINE_BYTES]);
    line
}

/// The operand of an access until it is submitted.
pub(crate) enum Operand {
    None,
    /// One word, or two of them [`crate::agents::EXPECTED_OFFSET`] bytes apart.
    Short([u8; 2 * crate::agents::EXPECTED_OFFSET]),
    Long(Vec<u8>),
}

impl Operand {
    pub(crate) fn words<T: Word, const N: usize>(values: [T; N]) -> Self {
        let mut bytes = [0; 2 * crate::agents::EXPECTED_OFFSET];
        for (value, slot) in values
            .into_iter()
            .zip(bytes.chunks_exact_mut(crate::agents::EXPECTED_OFFSET))
        {
            value.put(slot);
        }
        Operand::Short(bytes)
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Operand::Long(bytes.to_vec())
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Operand::None => &[],
            Operand::Short(bytes) => bytes,
            Operand::Long(bytes) => bytes,
        }
    }
}

struct Request {
    port: usize,
    kind: OpKind,
    addr: u64,
    len: usize,
    operand: Operand,
}

impl Request {
    /// What is wrong with the access itself, whatever the address map says.
    fn malformed(&self) -> Option<String> {
        let limit = match self.kind {
            OpKind::ReadUncached | OpKind::WriteUncached => MAX_ACCESS,
            _ => LINE_BYTES,
        };
        let fits = match self.kind {
            OpKind::Fence => return None,
            OpKind::WriteUnique => self.len <= 16 || self.len == LINE_BYTES,
            _ => self.len <= limit,
        };
        if !self.len.is_power_of_two() || !fits {
            Some(format!("{} bytes at once are not possible", self.len))
        } else if self.addr % self.len as u64 != 0 {
            Some(format!(
                "the address is not a multiple of the {} bytes accessed",
                self.len
            ))
        } else if self.addr >> ADDR_BITS != 0 {
            Some(format!("the address has more than {} bits", ADDR_BITS))
        } else {
            None
        }
    }
}

/// An access that was answered with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("node {port}: {kind:?} at {addr:#x} was answered with {status}")]
pub struct AccessError {
    /// Port of the node.
    pub port: usize,
    /// What was asked.
    pub kind: OpKind,
    /// Where.
    pub addr: u64,
    /// The answer.
    pub status: Status,
}

/// An access on its way; an error ends the run.
#[must_use = "an access does nothing until it is awaited"]
pub struct Access<T> {
    inner: TryAccess<T>,
}

impl<T> Access<T> {
    /// Gives an error to the program instead of ending the run.
    pub fn result(self) -> TryAccess<T> {
        self.inner
    }
}

impl<T> Future for Access<T> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match Pin::new(&mut self.inner).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(value)) => Poll::Ready(value),
            Poll::Ready(Err(error)) => {
                let mut mailbox = self.inner.mailbox.borrow_mut();
                let now = mailbox.now;
                mailbox.fail(Failure::new(now, FailureKind::Access, error.to_string()));
                Poll::Pending
            }
        }
    }
}

/// An access on its way; an error is given to the program.
#[must_use = "an access does nothing until it is awaited"]
pub struct TryAccess<T> {
    mailbox: Rc<RefCell<Mailbox>>,
    request: Request,
    id: Option<OpId>,
    read: fn(&[u8]) -> T,
}

impl<T> Future for TryAccess<T> {
    type Output = Result<T, AccessError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut mailbox = this.mailbox.borrow_mut();
        let mailbox = &mut *mailbox;
        let Some(id) = this.id else {
            let Request {
                port,
                kind,
                addr,
                len,
                ref operand,
            } = this.request;
            if let Some(why) = this.request.malformed() {
                let text = format!("node {port}: {kind:?} at {addr:#x}: {why}");
                mailbox.fail(Failure::new(mailbox.now, FailureKind::Access, text));
                return Poll::Pending;
            }
            let id = mailbox.ops.enter(agents::Request {
                kind,
                addr,
                len: len as u16,
                operand: operand.as_slice(),
                index: mailbox.counts[port],
                now: mailbox.now,
            });
            mailbox.counts[port] += 1;
            mailbox.ops.watch(id, cx.waker());
            mailbox.submitted.push((port, id));
            this.id = Some(id);
            return Poll::Pending;
        };
        let op = &mailbox.ops[id];
        let answer = match op.status() {
            None => {
                mailbox.ops.watch(id, cx.waker());
                return Poll::Pending;
            }
            Some(Status::Ok) => Ok((this.read)(op.bytes())),
            Some(status) => {
                let Request {
                    port, kind, addr, ..
                } = this.request;
                Err(AccessError {
                    port,
                    kind,
                    addr,
                    status,
                })
            }
        };
        mailbox.ops.release(id);
        this.id = None;
        Poll::Ready(answer)
    }
}

impl<T> Drop for TryAccess<T> {
    fn drop(&mut self) {
        if let (Some(id), Ok(mut mailbox)) = (self.id, self.mailbox.try_borrow_mut()) {
            mailbox.ops.release(id);
        }
    }
}

/// Waits for a number of cycles.
#[must_use = "waiting needs an await"]
pub struct Idle {
    mailbox: Rc<RefCell<Mailbox>>,
    /// From the first poll on.
    cycles: u64,
    until: Option<u64>,
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
        let order = mailbox.timer_count;
        mailbox.timer_count += 1;
        mailbox.timers.push(Reverse(Timer {
            at: until,
            order,
            waker: cx.waker().clone(),
        }));
        Poll::Pending
    }
}
