//! Judges the history of a run by itself: by the intervals in which operations took place and the
//! values they gave, byte by byte, with no help from the harness's checkers.
//!
//! The rules are necessary, never sufficient: whatever breaks one is wrong for certain.

use std::collections::BTreeMap;

use flits::RespErr;
use flits::history::{Event, History};
use flits::layout::LINE_BYTES;
use flits::stimulus::{Config, Node, OpKind, Stimulus};
use harness::consistency::{Effort, Model, Searched, Verdict, events, search, text};

/// A write of one byte.
#[derive(Clone, Copy)]
struct Write {
    value: u8,
    /// Node and number in its program; `None` for what memory held at first.
    by: Option<(usize, usize)>,
    /// It takes effect somewhere between these cycles.
    start: u64,
    end: u64,
}

/// A read of one byte.
struct Read {
    value: u8,
    by: (usize, usize),
    start: u64,
    end: u64,
}

#[derive(Default)]
struct Location {
    writes: Vec<Write>,
    reads: Vec<Read>,
}

/// Checks that the history of `stimulus` could be that of one memory: every read gives a byte that
/// was written, that no later write had certainly replaced, and that is no older than what its node
/// wrote or read there before.
///
/// # Errors
/// The first read that cannot be.
pub fn one_memory(stimulus: &Stimulus, history: &History) -> Result<(), String> {
    let mut locations: BTreeMap<u64, Location> = BTreeMap::new();
    let mut counts = vec![0usize; stimulus.config.nodes.len()];
    for event in by_start(history) {
        let by = (event.node, counts[event.node]);
        counts[event.node] += 1;
        if event.status != RespErr::Ok {
            continue;
        }
        let (start, end) = (event.start, event.end);
        for (addr, &value) in bytes(event, &event.read) {
            locations.entry(addr).or_default().reads.push(Read {
                value,
                by,
                start,
                end,
            });
        }
        let end = visible_by(&stimulus.config, history, event);
        for (addr, &value) in bytes(event, &event.wrote) {
            let write = Write {
                value,
                by: Some(by),
                start,
                end,
            };
            locations.entry(addr).or_default().writes.push(write);
        }
    }
    locations
        .into_iter()
        .try_for_each(|(addr, location)| location.check(addr))
}

/// How often a search may try something. A history that would take more is left to the other
/// checks.
const TRIES: Effort = Effort { tries: 200 };

/// Checks that some order of the writes explains the history of `stimulus` by the memory model of
/// each node, whatever order the run says that there was. What a device without rules writes is not
/// in the history, and such a one is not judged.
///
/// # Errors
/// Why there is none.
pub fn some_order(stimulus: &Stimulus, history: &History) -> Result<(), String> {
    let nodes = &stimulus.config.nodes;
    if nodes.iter().any(|node| matches!(node, Node::Hostile {})) {
        return Ok(());
    }
    let model = |node: &Node| match node {
        Node::Cached { store_buffer, .. } if *store_buffer > 0 => Model::Tso,
        _ => Model::Sc,
    };
    let models: Vec<Model> = nodes.iter().map(model).collect();
    let log = events::log(&history.events, false);
    let (history, places) = log.history(|_| [0; LINE_BYTES]);
    match search(&history, &models, TRIES) {
        Searched::Decided(Verdict::Forbidden(reason)) => {
            let lines = text::lines(&reason, &history, &log.labels(&places));
            Err(format!(
                "no order of the writes explains the history: {}",
                lines.join("\n  ")
            ))
        }
        Searched::Decided(Verdict::Allowed) | Searched::GaveUp | Searched::TooLarge => Ok(()),
    }
}

/// The operations in the order of their beginnings; those of one node are in program order.
fn by_start(history: &History) -> Vec<&Event> {
    let mut events: Vec<&Event> = history.events.iter().collect();
    events.sort_by_key(|event| (event.start, event.end));
    events
}

fn bytes<'a>(
    event: &Event,
    data: &'a Option<flits::Data>,
) -> impl Iterator<Item = (u64, &'a u8)> + use<'a> {
    let addr = event.addr;
    data.iter()
        .flat_map(|data| data.iter())
        .zip(addr..)
        .map(|(byte, addr)| (addr, byte))
}

/// The cycle by which all nodes see what `event` wrote: its end, or where the node has a store
/// buffer the end of the next operation that empties it.
fn visible_by(config: &Config, history: &History, event: &Event) -> u64 {
    let buffered = matches!(config.nodes[event.node], Node::Cached { store_buffer, .. } if store_buffer > 0)
        && matches!(
            event.op,
            OpKind::Store | OpKind::StoreLine | OpKind::WriteUnique
        );
    if !buffered {
        return event.end;
    }
    let empties = |later: &&Event| {
        use OpKind::{CompareSwap, Fence, FetchAdd, Swap};
        later.node == event.node
            && later.start >= event.end
            && (later.op.is_far() || matches!(later.op, Fence | FetchAdd | Swap | CompareSwap))
    };
    history
        .events
        .iter()
        .find(empties)
        .map_or(u64::MAX, |later| later.end)
}

impl Location {
    fn check(mut self, addr: u64) -> Result<(), String> {
        let first = Write {
            value: 0,
            by: None,
            start: 0,
            end: 0,
        };
        self.writes.insert(0, first);
        for read in &self.reads {
            let possible = |write: &&Write| {
                write.value == read.value && write.start <= read.end && write.by != Some(read.by)
            };
            if !self.writes.iter().any(|write| possible(&write)) {
                return Err(read.wrong(addr, "a value that nobody had written"));
            }
            let fresh = |write: &&Write| possible(write) && !self.is_stale(write, read);
            if !self.writes.iter().any(|write| fresh(&write)) {
                return Err(read.wrong(addr, "a value that a later store had replaced"));
            }
        }
        self.reads_go_forward(addr)
    }

    /// Whether `write` had certainly been replaced when `read` took place.
    fn is_stale(&self, write: &Write, read: &Read) -> bool {
        self.writes.iter().any(|later| {
            let own = later.by.filter(|by| by.0 == read.by.0 && by.1 < read.by.1);
            let after = match (write.by, later.by) {
                (Some(a), Some(b)) if a.0 == b.0 => a.1 < b.1,
                (None, Some(_)) => true,
                _ => write.end < later.start,
            };
            after && (own.is_some() || later.end < read.start)
        })
    }

    /// Of two reads of one node, the second never sees an older write than the first.
    fn reads_go_forward(&self, addr: u64) -> Result<(), String> {
        for (i, second) in self.reads.iter().enumerate() {
            for first in self.reads[..i]
                .iter()
                .filter(|first| first.by.0 == second.by.0)
            {
                let seen = |read: &Read| {
                    let writes = self.writes.iter().filter(|write| write.value == read.value);
                    writes.copied().collect::<Vec<_>>()
                };
                let (newer, older) = (seen(first), seen(second));
                let ([newer], [older]) = (&newer[..], &older[..]) else {
                    continue;
                };
                let backwards = match (older.by, newer.by) {
                    (None, Some(_)) => true,
                    (Some(a), Some(b)) if a.0 == b.0 => a.1 < b.1,
                    _ => older.end < newer.start,
                };
                if backwards {
                    return Err(second.wrong(addr, "an older value than its node read before"));
                }
            }
        }
        Ok(())
    }
}

impl Read {
    fn wrong(&self, addr: u64, what: &str) -> String {
        format!(
            "node {} reads {:#04x} at {addr:#x} in cycles {} to {}: {what}",
            self.by.0, self.value, self.start, self.end
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Program;

    fn event(node: usize, op: OpKind, start: u64, end: u64, value: u8) -> Event {
        let data = Some([value].as_slice().into());
        let (read, wrote) = if op == OpKind::Load {
            (data, None)
        } else {
            (None, data)
        };
        Event {
            node,
            op,
            addr: 0x40,
            read,
            wrote,
            order: None,
            status: RespErr::Ok,
            start,
            end,
        }
    }

    fn judge(events: Vec<Event>) -> Result<(), String> {
        one_memory(&Program::new(4).done(), &History { events })
    }

    #[test]
    fn reads_give_a_value_that_could_be_the_last() {
        use OpKind::{Load, Store};
        let store = event(0, Store, 10, 20, 1);
        assert!(judge(vec![store.clone(), event(1, Load, 15, 30, 1)]).is_ok());
        assert!(
            judge(vec![store.clone(), event(1, Load, 15, 30, 0)]).is_ok(),
            "overlaps"
        );
        assert!(
            judge(vec![event(1, Load, 1, 5, 1), store.clone()]).is_err(),
            "from the future"
        );
        assert!(
            judge(vec![store.clone(), event(1, Load, 25, 30, 0)]).is_err(),
            "replaced"
        );
        assert!(
            judge(vec![store.clone(), event(1, Load, 25, 30, 9)]).is_err(),
            "never written"
        );
        assert!(
            judge(vec![store, event(0, Load, 25, 30, 0)]).is_err(),
            "own store not seen"
        );
    }

    #[test]
    fn reads_of_a_node_do_not_go_back() {
        use OpKind::{Load, Store};
        let long = event(0, Store, 10, 100, 1);
        let (new, old) = (event(1, Load, 20, 30, 1), event(1, Load, 40, 50, 0));
        assert!(judge(vec![new.clone(), old, long.clone()]).is_err());
        assert!(
            judge(vec![new, event(2, Load, 40, 50, 0), long]).is_ok(),
            "two nodes may differ"
        );
    }

    #[test]
    fn two_nodes_that_miss_each_others_stores_have_store_buffers() {
        use OpKind::{Load, Store};
        let at = |addr, event: Event| Event { addr, ..event };
        let events = vec![
            at(0x80, event(0, Store, 10, 11, 1)),
            at(0xc0, event(1, Store, 10, 11, 1)),
            at(0xc0, event(0, Load, 12, 13, 0)),
            at(0x80, event(1, Load, 12, 13, 0)),
        ];
        let history = History { events };
        let plain = Program::new(4).done();
        assert!(some_order(&plain, &history).is_err());
        let buffered = Program::new(4).store_buffers(4).done();
        assert!(some_order(&buffered, &history).is_ok());
    }

    #[test]
    fn a_buffered_store_is_visible_to_others_late_and_to_its_node_at_once() {
        use OpKind::{Fence, Load, Store};
        let stimulus = Program::new(4).store_buffers(4).done();
        let fence = Event {
            wrote: None,
            ..event(0, Fence, 30, 60, 0)
        };
        let history = |load: Event| History {
            events: vec![event(0, Store, 10, 11, 1), load],
        };
        let judge = |history: &History| one_memory(&stimulus, history);
        assert!(judge(&history(event(1, Load, 20, 25, 0))).is_ok());
        assert!(judge(&history(event(0, Load, 20, 25, 0))).is_err());
        let mut fenced = history(fence);
        fenced.events.push(event(1, Load, 70, 75, 0));
        assert!(judge(&fenced).is_err());
    }
}
