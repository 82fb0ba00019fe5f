//! Accesses of programs, as futures.

use super::mailbox::Mailbox;
use crate::agents::{self, EXPECTED_OFFSET, MAX_ACCESS, OpId, OpKind, Status};
use crate::{Failure, FailureKind};
use flits::layout::{ADDR_BITS, LINE_BYTES};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

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

/// The operand of an access until it is submitted.
pub(super) enum Operand {
    None,
    /// One word, or two of them [`EXPECTED_OFFSET`] bytes apart.
    Short([u8; 2 * EXPECTED_OFFSET]),
    Long(Vec<u8>),
}

impl Operand {
    pub(super) fn words<T: Word, const N: usize>(values: [T; N]) -> Self {
        let mut bytes = [0; 2 * EXPECTED_OFFSET];
        for (value, slot) in values
            .into_iter()
            .zip(bytes.chunks_exact_mut(EXPECTED_OFFSET))
        {
            value.put(slot);
        }
        Operand::Short(bytes)
    }

    pub(super) fn bytes(bytes: &[u8]) -> Self {
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

/// An access as its program wants it.
pub(super) struct Request {
    pub(super) port: usize,
    pub(super) kind: OpKind,
    pub(super) addr: u64,
    pub(super) len: usize,
    pub(super) operand: Operand,
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
            OpKind::WriteUnique | OpKind::WritePoison => self.len <= 16 || self.len == LINE_BYTES,
            kind if kind.is_far() => matches!(self.len, 4 | 8),
            _ => self.len <= limit,
        };
        if !self.len.is_power_of_two() || !fits {
            Some(format!("{} bytes at once are not possible", self.len))
        } else if !self.addr.is_multiple_of(self.len as u64) {
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
    pub(super) fn new(inner: TryAccess<T>) -> Self {
        Access { inner }
    }

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

impl<T> TryAccess<T> {
    pub(super) fn new(
        mailbox: Rc<RefCell<Mailbox>>,
        request: Request,
        read: fn(&[u8]) -> T,
    ) -> Self {
        TryAccess {
            mailbox,
            request,
            id: None,
            read,
        }
    }
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
            let request = agents::Request {
                kind,
                addr,
                len: len as u16,
                operand: operand.as_slice(),
                index: 0,
                now: 0,
            };
            this.id = Some(mailbox.submit(port, request, cx.waker()));
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
