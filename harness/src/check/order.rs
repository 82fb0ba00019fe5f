//! Program order of one node: stores become visible in the order issued, a node sees its own
//! stores, and a program gets the value that its device read.

use std::collections::VecDeque;

use flits::Data;

use super::{LoadSource, Verdict, violation};
use crate::FailureKind;

/// A store in a node's store buffer.
struct Buffered {
    op: u64,
    addr: u64,
    len: usize,
    bytes: [u8; 64],
}

impl Buffered {
    fn byte(&self, addr: u64) -> Option<u8> {
        let at = addr.checked_sub(self.addr)? as usize;
        (at < self.len).then(|| self.bytes[at])
    }
}

/// What one node has issued and not yet performed.
#[derive(Default)]
pub(super) struct ProgramOrder {
    buffered: VecDeque<Buffered>,
    /// The last load performed: number, length, bytes and where they come from.
    loaded: Option<(u64, usize, [u8; 64], LoadSource)>,
    /// Answers to reads without caching that no operation has taken yet: address and bytes.
    answers: Vec<(u64, Data)>,
}

impl ProgramOrder {
    /// A store enters the store buffer.
    pub(super) fn buffer(&mut self, op: u64, addr: u64, data: &[u8]) {
        let mut bytes = [0; 64];
        bytes[..data.len()].copy_from_slice(data);
        self.buffered.push_back(Buffered {
            op,
            addr,
            len: data.len(),
            bytes,
        });
    }

    /// A store is performed: the oldest of the buffer, or one that was never in it.
    pub(super) fn store(&mut self, node: usize, op: u64, addr: u64, data: &[u8]) -> Verdict {
        let Some(first) = self.buffered.pop_front() else {
            return Ok(());
        };
        if (first.op, first.addr, &first.bytes[..first.len]) == (op, addr, data) {
            return Ok(());
        }
        Err(violation(
            FailureKind::Order,
            format!(
                "node {node}: store {op} at {addr:#x} becomes visible while store {} at {:#x} is \
                 the oldest in the store buffer",
                first.op, first.addr
            ),
        ))
    }

    /// A load takes its value: every byte from the youngest older store of the buffer that has it,
    /// and `memory` where there is none.
    pub(super) fn load(
        &mut self,
        node: usize,
        op: u64,
        addr: u64,
        found: &[u8],
        source: LoadSource,
        memory: &[u8],
    ) -> Verdict {
        let mut bytes = [0; 64];
        bytes[..found.len()].copy_from_slice(found);
        self.loaded = Some((op, found.len(), bytes, source));
        if self.buffered.is_empty() && source == LoadSource::Cache {
            return Ok(());
        }
        for (i, &byte) in found.iter().enumerate() {
            let at = addr + i as u64;
            let own = self
                .buffered
                .iter()
                .rev()
                .filter(|s| s.op < op)
                .find_map(|s| s.byte(at));
            if byte != own.unwrap_or(memory[i]) {
                return Err(violation(
                    FailureKind::Order,
                    format!(
                        "node {node}: load {op} finds {byte:#04x} at {at:#x}, but {}",
                        match own {
                            Some(own) => format!("the node's own last store there is {own:#04x}"),
                            None => format!("the last store there is {:#04x}", memory[i]),
                        }
                    ),
                ));
            }
        }
        Ok(())
    }

    /// A fence or an atomic ends: nothing older may be in the buffer.
    pub(super) fn fence(&self, node: usize, op: u64) -> Verdict {
        match self.buffered.front() {
            Some(first) if first.op < op => Err(violation(
                FailureKind::Order,
                format!(
                    "node {node}: operation {op} ends before the older store {} at {:#x} is visible",
                    first.op, first.addr
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The program gets the result of a load.
    pub(super) fn result(&self, node: usize, op: u64, addr: u64, bytes: &[u8]) -> Verdict {
        match &self.loaded {
            Some((loaded, len, found, _)) if *loaded == op && found[..*len] == *bytes => Ok(()),
            _ => Err(violation(
                FailureKind::Order,
                format!("node {node}: the result of load {op} at {addr:#x} is not what was loaded"),
            )),
        }
    }

    /// Whether a load was given what its own node has stored and nobody else can see.
    pub(super) fn took_own(&self, op: u64) -> bool {
        matches!(self.loaded, Some((loaded, .., LoadSource::StoreBuffer)) if loaded == op)
    }

    /// Data for a read without caching arrives.
    pub(super) fn answer(&mut self, addr: u64, bytes: Data) {
        self.answers.push((addr, bytes));
    }

    /// The program gets the result of a read without caching.
    pub(super) fn taken(&mut self, node: usize, op: u64, addr: u64, bytes: &[u8]) -> Verdict {
        let found = self
            .answers
            .iter()
            .position(|(at, data)| *at == addr && data[..] == *bytes);
        match found {
            Some(at) => {
                self.answers.remove(at);
                Ok(())
            }
            None => Err(violation(
                FailureKind::Order,
                format!("node {node}: the result of read {op} at {addr:#x} is not what arrived"),
            )),
        }
    }

    /// At the end: every store is visible.
    pub(super) fn end(&self, node: usize) -> Verdict {
        self.fence(node, u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LoadSource::{Cache, StoreBuffer};

    #[test]
    fn a_node_sees_its_own_stores() {
        let mut order = ProgramOrder::default();
        order.buffer(0, 0x40, &[1; 8]);
        order.buffer(1, 0x44, &[2; 4]);
        let own = [1, 1, 1, 1, 2, 2, 2, 2];
        assert!(order.load(0, 2, 0x40, &own, StoreBuffer, &[0; 8]).is_ok());
        assert!(order.result(0, 2, 0x40, &own).is_ok());
        assert!(order.result(0, 2, 0x40, &[0; 8]).is_err());
        assert!(order.load(0, 3, 0x40, &[0; 8], Cache, &[0; 8]).is_err());
        assert!(order.load(0, 3, 0x80, &[0; 8], Cache, &[0; 8]).is_ok());
    }

    #[test]
    fn stores_become_visible_in_the_order_issued() {
        let mut order = ProgramOrder::default();
        order.buffer(0, 0x40, &[1; 8]);
        order.buffer(1, 0x80, &[2; 8]);
        assert!(order.fence(0, 2).is_err());
        assert!(order.store(0, 0, 0x40, &[1; 8]).is_ok());
        assert!(order.store(0, 1, 0x80, &[2; 8]).is_ok());
        assert!(order.fence(0, 2).is_ok());
        order.buffer(3, 0x40, &[1; 8]);
        order.buffer(4, 0x80, &[2; 8]);
        assert!(order.store(0, 4, 0x80, &[2; 8]).is_err());
    }

    #[test]
    fn a_read_without_caching_gives_what_arrived() {
        let mut order = ProgramOrder::default();
        order.answer(0x40, Data::from([1; 64]));
        assert!(order.taken(0, 0, 0x40, &[2; 64]).is_err());
        assert!(order.taken(0, 0, 0x40, &[1; 64]).is_ok());
        assert!(order.taken(0, 0, 0x40, &[1; 64]).is_err());
    }
}
