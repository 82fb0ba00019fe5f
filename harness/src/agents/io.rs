//! An input/output device: it keeps no copies.

use super::direct::{self, Direct};
use super::{Agent, Context, NodeSet, OpId, OpKind, Outbox, Step};
use crate::sim::stats::Service;
use crate::{Failure, FailureKind};
use flits::{Class, Flit, Header, NodeId, RespErr};
use std::collections::VecDeque;

/// A device without a cache: uncached reads and writes of up to 256 bytes, ReadOnce, WriteUnique, far
/// atomics and CleanInvalid, several in flight.
pub struct IoNode {
    node: NodeId,
    direct: Direct,
    queue: VecDeque<OpId>,
}

impl IoNode {
    /// The device `node` with at most `requests` in flight, in a system with these memories.
    pub fn new(node: NodeId, requests: usize, memories: NodeSet) -> Self {
        IoNode {
            node,
            direct: Direct::new(node, 0, requests, memories),
            queue: VecDeque::new(),
        }
    }
}

impl Agent for IoNode {
    fn submit(&mut self, op: OpId, cx: &mut Context<'_>) -> Step {
        let kind = cx.ops[op].kind;
        if kind.is_cached() && kind != OpKind::Fence {
            let text = format!(
                "node {} has no cache and runs no {kind:?}; use ReadOnce and WriteUnique there",
                self.node
            );
            return Err(Failure::new(cx.cycle, FailureKind::Setup, text));
        }
        self.queue.push_back(op);
        Ok(())
    }

    fn accepts(&self, _class: Class, _out: &Outbox) -> bool {
        true
    }

    fn on_packet(&mut self, header: &Header, payload: &[Flit], cx: &mut Context<'_>) -> Step {
        if matches!(header.class(), Class::Rsp | Class::Dat) && self.direct.owns(header.txn) {
            return self.direct.on_answer(header, payload, cx);
        }
        super::stray(self.node, header, cx)
    }

    fn tick(&mut self, cx: &mut Context<'_>) -> Step {
        let Some(&id) = self.queue.front() else {
            return Ok(());
        };
        // Its writes are visible when they are answered, and a program awaits them.
        if cx.ops[id].kind == OpKind::Fence {
            direct::finish(id, RespErr::Ok, Service::Cache, cx);
        } else {
            self.direct.start(id, cx)?;
        }
        self.queue.pop_front();
        Ok(())
    }

    fn wake(&self) -> u64 {
        if self.queue.is_empty() || self.direct.is_full() {
            u64::MAX
        } else {
            0
        }
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.direct.is_idle()
    }
}
