//! The properties that the exploration checks, and the races that it must reach.

use super::super::{Directory, NodeLine, NodeSet, Pending, Work};
use super::{Agent, Message, Protocol, System, Value};
use flits::{CacheState, Class, Opcode};
use stateright::Property;

/// What always holds, and what must be reached for the exploration to mean something.
pub(super) fn all(recalls: bool) -> Vec<Property<Protocol>> {
    let mut properties = vec![
        Property::always("no rule is broken", |_, s: &System| s.fault.is_none()),
        Property::always("single writer or many readers", |_, s: &System| {
            s.single_writer_or_many_readers()
        }),
        Property::always(
            "who may not write has no writable copy",
            |p: &Protocol, s: &System| {
                p.readers
                    .iter()
                    .all(|n| !s.nodes[usize::from(n)].state.is_unique())
            },
        ),
        Property::always("every copy has the latest value", |_, s: &System| {
            s.nodes.iter().all(|n| n.data.is_none_or(|d| d == s.latest))
        }),
        Property::always("nothing is stuck", |_, s: &System| {
            s.is_quiet() || s.fault.is_some() || s.channels.keys().any(|c| s.deliverable(c))
        }),
        Property::always(
            "quiet: the directory is exact, memory is up to date",
            |_, s: &System| {
                let held = |f: fn(CacheState) -> bool| {
                    (0u8..)
                        .zip(&s.nodes)
                        .filter(|(_, n)| f(n.state))
                        .fold(NodeSet::default(), |set, (n, _)| set.with(n))
                };
                let dirty = !held(|state| state == CacheState::UD).is_empty();
                !s.is_quiet()
                    || s.fault.is_some()
                    || (s.home.directory.holders() == held(|state| state != CacheState::I)
                        && (dirty || s.memory == s.latest))
            },
        ),
        Property::always(
            "race 4: no snoop while the node's grant is on its way",
            |_, s: &System| {
                !s.node_where(|n, _| {
                    s.snooped(n)
                        && s.messages().any(|(&(_, to, _), m)| {
                            to == Agent::Node(n) && matches!(m, Message::CompData(..))
                        })
                })
            },
        ),
        Property::always(
            "race 5: no read while a write to memory is on its way",
            |_, s: &System| {
                let has = |f: fn(&Message) -> bool| s.messages().any(|(_, m)| f(m));
                !(has(|m| matches!(m, Message::MemWrite(_)))
                    && has(|m| matches!(m, Message::MemRead(..))))
            },
        ),
        Property::sometimes(
            "race 1: a snoop meets a write-back buffer",
            |_, s: &System| {
                s.node_where(|n, line| {
                    s.snooped(n) && matches!(line.pending, Pending::WriteBack(Some(_)))
                })
            },
        ),
        Property::sometimes("race 1: a snoop meets an Evict", |_, s: &System| {
            s.node_where(|n, line| s.snooped(n) && matches!(line.pending, Pending::Evict))
        }),
        Property::sometimes(
            "race 1: a stale write-back reaches the home",
            |_, s: &System| {
                s.home.transaction.is_none()
                    && s.waiting_requests().any(|(n, op)| {
                        op == Opcode::WriteBackFull && s.home.directory != Directory::Unique(n)
                    })
            },
        ),
        Property::sometimes("race 2: CleanUnique has lost its copy", |_, s: &System| {
            s.home.transaction.is_none()
                && s.waiting_requests()
                    .any(|(n, op)| op == Opcode::CleanUnique && !s.home.directory.holders().has(n))
        }),
        Property::sometimes(
            "race 3: an owner asked to forward has evicted",
            |_, s: &System| {
                s.node_where(|n, line| {
                    matches!(line.pending, Pending::Evict)
                        && s.messages().any(|(&(_, to, _), m)| {
                            to == Agent::Node(n)
                                && matches!(
                                    m,
                                    Message::Snoop(Opcode::SnpSharedFwd | Opcode::SnpUniqueFwd, _)
                                )
                        })
                })
            },
        ),
        Property::sometimes(
            "race 4: a request waits for another's CompAck",
            |_, s: &System| {
                s.home.transaction.as_ref().is_some_and(|t| t.ack)
                    && s.waiting_requests().next().is_some()
            },
        ),
    ];
    if recalls {
        properties.push(Property::sometimes(
            "race 6: a request waits for a recall of its line",
            |_, s: &System| {
                s.home
                    .transaction
                    .as_ref()
                    .is_some_and(|t| matches!(t.work, Work::Recall))
                    && s.waiting_requests().next().is_some()
            },
        ));
    }
    properties
}

impl System {
    fn is_quiet(&self) -> bool {
        self.home.transaction.is_none()
            && self
                .nodes
                .iter()
                .all(|n| matches!(n.pending, Pending::None))
    }

    fn single_writer_or_many_readers(&self) -> bool {
        let readers = self
            .nodes
            .iter()
            .filter(|n| n.state != CacheState::I)
            .count();
        let writers = self
            .nodes
            .iter()
            .filter(|n| matches!(n.state, CacheState::UC | CacheState::UD))
            .count();
        writers == 0 || readers == 1
    }

    fn waiting_requests(&self) -> impl Iterator<Item = (u8, Opcode)> {
        self.channels
            .iter()
            .filter_map(
                |(&(from, _, class), queue)| match (from, class, &queue[0]) {
                    (Agent::Node(n), Class::Req, Message::Request(op, _)) => Some((n, *op)),
                    _ => None,
                },
            )
    }

    fn snooped(&self, n: u8) -> bool {
        self.channels
            .contains_key(&(Agent::Home, Agent::Node(n), Class::Snp))
    }

    fn node_where(&self, f: impl Fn(u8, &NodeLine<Value>) -> bool) -> bool {
        (0u8..).zip(&self.nodes).any(|(n, line)| f(n, line))
    }
}
