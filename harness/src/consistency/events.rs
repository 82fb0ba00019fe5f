//! The history of a run, as [`flits::history`] has it in files.

use std::collections::BTreeMap;

use flits::RespErr;
use flits::history::Event;
use flits::stimulus::OpKind;

use super::Kind;
use super::bytes::ByteLog;
use super::linearizable::{self, Call};

/// Bytes of a line.
const LINE: usize = 64;

/// How an operation of a node with a store buffer is ordered; `None` if it is of no concern. A
/// coherent write that finds its line in the cache is a store like any other.
fn kind(op: OpKind) -> Option<Kind> {
    match op {
        OpKind::Load => Some(Kind::Load),
        OpKind::Store | OpKind::StoreLine | OpKind::WriteUnique => Some(Kind::Store),
        OpKind::WritePoison
        | OpKind::AtomicStore
        | OpKind::AtomicLoad
        | OpKind::AtomicSwap
        | OpKind::AtomicCompare
        | OpKind::FetchAdd
        | OpKind::Swap
        | OpKind::CompareSwap
        | OpKind::ReadOnce
        | OpKind::ReadUncached
        | OpKind::WriteUncached => Some(Kind::Atomic),
        OpKind::Fence => Some(Kind::Fence),
        OpKind::Evict | OpKind::CleanInvalid | OpKind::Raw | OpKind::Packet | OpKind::Turn => None,
    }
}

/// The operations that ended well and what they did to bytes. With `ordered` a write counts only if
/// its place among the writes is known: one without left everything as it was.
pub fn log(events: &[Event], ordered: bool) -> ByteLog {
    let mut log = ByteLog::default();
    for event in events {
        let Some(kind) = kind(event.op).filter(|_| event.status == RespErr::Ok) else {
            continue;
        };
        let op = log.push(event.node as u32, kind, event.start..event.end);
        if let Some(bytes) = &event.read {
            log.read(op, event.addr, bytes);
        }
        match (&event.wrote, event.order) {
            (Some(bytes), Some(order)) => log.wrote(op, event.addr, bytes, order),
            (Some(bytes), None) if !ordered => log.wrote(op, event.addr, bytes, 0),
            _ => {}
        }
    }
    log
}

/// Whether the history says in which order the writes became visible.
pub fn is_ordered(events: &[Event]) -> bool {
    events.iter().any(|event| event.order.is_some())
}

/// What an operation does to the bytes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineAction<'a> {
    offset: usize,
    read: Option<&'a [u8]>,
    wrote: Option<&'a [u8]>,
}

impl linearizable::Action for LineAction<'_> {
    type Value = [u8; LINE];

    fn apply(&self, held: &[u8; LINE]) -> Option<[u8; LINE]> {
        let range = |bytes: &[u8]| self.offset..self.offset + bytes.len();
        if self.read.is_some_and(|read| held[range(read)] != *read) {
            return None;
        }
        let mut after = *held;
        if let Some(wrote) = self.wrote {
            after[range(wrote)].copy_from_slice(wrote);
        }
        Some(after)
    }
}

/// The operations on each line: each is an object. The second of a pair is the event's index.
pub fn lines(events: &[Event]) -> BTreeMap<u64, Vec<(Call<LineAction<'_>>, usize)>> {
    let mut lines: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if event.status != RespErr::Ok || (event.read.is_none() && event.wrote.is_none()) {
            continue;
        }
        let (read, wrote) = (event.read.as_deref(), event.wrote.as_deref());
        let len = read.or(wrote).map_or(0, <[u8]>::len);
        let mut done = 0;
        while done < len {
            let addr = event.addr + done as u64;
            let offset = addr as usize % LINE;
            let part = done..len.min(done + LINE - offset);
            // An operation that starts in the cycle in which another has ended comes after it.
            let start = 2 * event.start + 1;
            let call = Call {
                action: LineAction {
                    offset,
                    read: read.map(|bytes| &bytes[part.clone()]),
                    wrote: wrote.map(|bytes| &bytes[part.clone()]),
                },
                start,
                end: (2 * event.end).max(start),
            };
            let line = addr - offset as u64;
            lines.entry(line).or_default().push((call, index));
            done = part.end;
        }
    }
    lines
}
