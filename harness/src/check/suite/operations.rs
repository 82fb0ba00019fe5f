//! The agents' side: operations of programs, states of lines, data in caches and memories. Each kind
//! of [`Report`](crate::check::reports::Report) about them has its function.

use std::collections::VecDeque;

use flits::layout::{FLIT_BYTES, LINE_BYTES};
use flits::{CacheState, RespErr};

use super::Suite;
use crate::FailureKind;
use crate::agents::OpKind;
use crate::check::golden::{AtMemory, Written};
use crate::check::reports::Access;
use crate::check::{LoadSource, Verdict, Violation, violation};

/// An operation that has not ended.
pub(super) struct Open {
    pub(super) op: u64,
    pub(super) kind: OpKind,
    pub(super) addr: u64,
    /// When it began, for [`Poison`].
    moment: u64,
}

/// The operations of one node that have not ended.
#[derive(Default)]
pub(super) struct Operations {
    pub(super) open: VecDeque<Open>,
    /// When the last one ended, or the first one began after a pause.
    pub(super) moved: u64,
}

impl Suite {
    pub(super) fn state(
        &mut self,
        node: usize,
        line: u64,
        old: CacheState,
        new: CacheState,
    ) -> Verdict {
        self.counts.state_changes += 1;
        self.swmr.change(node, line, old, new)
    }

    pub(super) fn load(&mut self, access: Access<&[u8]>, source: LoadSource) -> Verdict {
        let Access { node, op, addr, .. } = access;
        let bytes = access.bytes;
        self.counts.loads += 1;
        if source == LoadSource::Cache {
            self.swmr.reads(node, line_of(addr))?;
            self.golden
                .expect(addr, bytes, || format!("load {op} of node {node}"))?;
        }
        let memory = self.golden.get(addr, bytes.len());
        self.orders[node].load(node, op, addr, bytes, source, memory)
    }

    pub(super) fn buffer(&mut self, store: Access<&[u8]>) -> Verdict {
        self.orders[store.node].buffer(store.op, store.addr, store.bytes);
        Ok(())
    }

    pub(super) fn store(&mut self, access: Access<&[u8]>) -> Verdict {
        let Access { node, op, addr, .. } = access;
        let bytes = access.bytes;
        self.counts.stores += 1;
        self.swmr.writes(node, line_of(addr))?;
        self.orders[node].store(node, op, addr, bytes)?;
        self.golden.store(addr, bytes);
        if bytes.len() == LINE_BYTES {
            self.poison.replaced(addr);
        }
        self.recorder.visible(node, op, addr, bytes);
        Ok(())
    }

    pub(super) fn data_out(&mut self, node: usize, line: u64, data: &[u8]) -> Verdict {
        self.counts.lines_out += 1;
        self.golden
            .expect(line, data, || format!("line sent by node {node}"))
    }

    pub(super) fn mem_read(&mut self, memory: usize, local: u64, bytes: &[u8]) -> Verdict {
        self.counts.memory_accesses += 1;
        let addr = self.global(memory, local)?;
        self.golden
            .expect(addr, bytes, || format!("read at memory {memory}"))
    }

    pub(super) fn mem_write(
        &mut self,
        memory: usize,
        local: u64,
        bytes: &[u8],
        be: u16,
        poison: bool,
    ) -> Verdict {
        self.counts.memory_accesses += 1;
        let addr = self.global(memory, local)? & !(FLIT_BYTES as u64 - 1);
        let written = Written {
            addr,
            data: bytes,
            be,
        };
        let seen = self
            .golden
            .memory_write(written, poison, || format!("memory {memory}"))?;
        match seen {
            AtMemory::Performed {
                owner: (node, txn),
                written,
                poison,
            } => {
                self.poison.performed(written, poison);
                self.recorder.performed(node, txn, written);
                self.swmr.written_behind(line_of(addr))?;
            }
            AtMemory::Unchanged { .. } if poison => self.poison.expect(addr),
            AtMemory::Unchanged { replaces: true } => self.poison.performed(written, false),
            AtMemory::Unchanged { replaces: false } => {}
        }
        Ok(())
    }

    pub(super) fn op_start(
        &mut self,
        cycle: u64,
        node: usize,
        op: u64,
        kind: OpKind,
        addr: u64,
    ) -> Verdict {
        if let Some(coverage) = &mut self.coverage {
            coverage.access(node, addr);
        }
        let operations = &mut self.operations[node];
        if operations.open.is_empty() {
            operations.moved = cycle;
        }
        let moment = self.poison.now();
        operations.open.push_back(Open {
            op,
            kind,
            addr,
            moment,
        });
        self.recorder.start(cycle, node, op);
        Ok(())
    }

    pub(super) fn op_finish(
        &mut self,
        cycle: u64,
        access: Access<&[u8]>,
        kind: OpKind,
        status: RespErr,
    ) -> Verdict {
        let Access { node, op, addr, .. } = access;
        let bytes = access.bytes;
        let operations = &mut self.operations[node];
        operations.moved = cycle;
        let at = operations.open.iter().position(|open| open.op == op);
        let open = at.and_then(|at| operations.open.remove(at));
        let judged = reads(kind) || status == RespErr::DataError;
        if let Some(Open { moment, .. }) = open
            && judged
            && !self.orders[node].took_own(op)
        {
            let who = || format!("operation {op} of node {node}, {kind:?},");
            self.poison.read(moment, addr, bytes.len(), status, who)?;
        }
        self.recorder.finish(cycle, access, kind, status)?;
        if status != RespErr::Ok {
            return Ok(());
        }
        let order = &mut self.orders[node];
        match kind {
            OpKind::Load | OpKind::LoadReserved => order.result(node, op, addr, bytes),
            OpKind::FetchAdd | OpKind::Swap | OpKind::CompareSwap => {
                order.fence(node, op)?;
                order.result(node, op, addr, bytes)
            }
            OpKind::Fence | OpKind::StoreConditional => order.fence(node, op),
            OpKind::ReadOnce | OpKind::ReadUncached => order.taken(node, op, addr, bytes),
            OpKind::AtomicLoad(_) | OpKind::AtomicSwap | OpKind::AtomicCompare => {
                order.fence(node, op)?;
                order.taken(node, op, addr, bytes)
            }
            OpKind::AtomicStore(_) => order.fence(node, op),
            _ => Ok(()),
        }
    }

    fn global(&self, memory: usize, local: u64) -> Result<u64, Box<Violation>> {
        self.config.map.global_of(memory, local).ok_or_else(|| {
            violation(
                FailureKind::Data,
                format!("memory {memory}: no region has local address {local:#x}"),
            )
        })
    }
}

/// Whether an operation gives a value.
fn reads(kind: OpKind) -> bool {
    match kind {
        OpKind::Load | OpKind::LoadReserved | OpKind::ReadOnce | OpKind::ReadUncached => true,
        OpKind::AtomicLoad(_) | OpKind::AtomicSwap | OpKind::AtomicCompare => true,
        kind => kind.is_atomic(),
    }
}

fn line_of(addr: u64) -> u64 {
    addr & !(LINE_BYTES as u64 - 1)
}
