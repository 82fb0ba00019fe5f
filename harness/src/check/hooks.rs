//! The hooks by which links and agents report what happens.
//!
//! A node is named by its port, a line by its byte address, an operation by its running number on
//! its node.

use super::reports::Report;
use super::{Checkers, Direction, LoadSource};
use crate::agents::{LineBytes, Op};
use crate::dut::HomeView;
use crate::protocol::pairs::NodePair;
use crate::protocol::{NodeIn, NodeLine};
use crate::topology::End;
use flits::layout::LINE_BYTES;
use flits::{CacheState, LinkWord, RespErr};

/// Cycles between two looks at what waits.
const PROGRESS_PERIOD: u64 = 256;

impl Checkers {
    /// The receiver of `direction` on `port` grants a credit for each class whose bit is set.
    #[inline]
    pub fn on_credit(&mut self, cycle: u64, port: usize, direction: Direction, mask: u8) {
        self.report(cycle, |_| Report::Credit {
            port,
            direction,
            mask,
        });
    }

    /// A word passes `port`.
    #[inline]
    pub fn on_word(&mut self, cycle: u64, port: usize, direction: Direction, word: &LinkWord) {
        let word = *word;
        self.report(cycle, |_| Report::Word {
            port,
            direction,
            word,
        });
    }

    /// A line in a node gets an input of the protocol.
    #[inline]
    pub fn on_node_input(&mut self, line: &NodeLine<LineBytes>, input: &NodeIn<LineBytes>) {
        // Only counted, so of no cycle.
        self.report(0, |_| Report::NodeInput(NodePair::of(line, input)));
    }

    /// A home slice of a chip takes and sends something, which `look` shows.
    #[inline]
    pub fn on_home(
        &mut self,
        cycle: u64,
        chip: usize,
        slice: usize,
        look: impl FnOnce(&mut HomeView),
    ) {
        self.report(cycle, |reports| Report::Home {
            chip,
            slice,
            view: reports.keep_view(look),
        });
    }

    /// The chip at the `end` of a cable grants the other end a credit for each class whose bit is
    /// set.
    #[inline]
    pub fn on_cable_credit(&mut self, cycle: u64, end: End, mask: u8) {
        self.report(cycle, |_| Report::CableCredit { end, mask });
    }

    /// The chip at the `end` of a cable sends a word.
    #[inline]
    pub fn on_cable_word(&mut self, cycle: u64, end: End, word: &LinkWord) {
        let word = *word;
        self.report(cycle, |_| Report::CableWord { end, word });
    }

    /// A cache changes its state of a line.
    #[inline]
    pub fn on_state(
        &mut self,
        cycle: u64,
        node: usize,
        line: u64,
        old: CacheState,
        new: CacheState,
    ) {
        self.report(cycle, |_| Report::State {
            node,
            line,
            old,
            new,
        });
    }

    /// A load takes its value.
    #[inline]
    pub fn on_load(
        &mut self,
        cycle: u64,
        node: usize,
        op: u64,
        addr: u64,
        bytes: &[u8],
        source: LoadSource,
    ) {
        self.report(cycle, |reports| Report::Load {
            access: reports.access(node, op, addr, bytes),
            source,
        });
    }

    /// A store enters the store buffer of its node.
    #[inline]
    pub fn on_store_issue(&mut self, cycle: u64, node: usize, op: u64, addr: u64, bytes: &[u8]) {
        self.report(cycle, |reports| {
            Report::StoreIssue(reports.access(node, op, addr, bytes))
        });
    }

    /// A store becomes visible in a line that its node holds alone. An atomic is a load and then a
    /// store with the same number in the same cycle.
    #[inline]
    pub fn on_store(&mut self, cycle: u64, node: usize, op: u64, addr: u64, bytes: &[u8]) {
        self.report(cycle, |reports| {
            Report::Store(reports.access(node, op, addr, bytes))
        });
    }

    /// Data leaves a cache: forwarded, as the answer to a snoop, or written back.
    #[inline]
    pub fn on_data_out(&mut self, cycle: u64, node: usize, line: u64, data: &[u8; LINE_BYTES]) {
        self.report(cycle, |reports| Report::DataOut {
            node,
            line,
            data: reports.keep(data),
        });
    }

    /// The memory on port `memory` reads `bytes` at its local address.
    #[inline]
    pub fn on_mem_read(&mut self, cycle: u64, memory: usize, local: u64, bytes: &[u8]) {
        self.report(cycle, |reports| Report::MemRead {
            memory,
            local,
            bytes: reports.keep(bytes),
        });
    }

    /// The memory on port `memory` performs a write at its local address: of more than 16 bytes, or
    /// of those bytes of one 16-byte beat whose bit in `be` is set.
    #[inline]
    pub fn on_mem_write(
        &mut self,
        cycle: u64,
        memory: usize,
        local: u64,
        bytes: &[u8],
        be: u16,
        poison: bool,
    ) {
        self.report(cycle, |reports| Report::MemWrite {
            memory,
            local,
            bytes: reports.keep(bytes),
            be,
            poison,
        });
    }

    /// A program submits an operation.
    #[inline]
    pub fn on_op_start(&mut self, cycle: u64, node: usize, op: &Op) {
        self.report(cycle, |_| Report::OpStart {
            node,
            op: op.index,
            kind: op.kind,
            addr: op.addr,
        });
    }

    /// An operation ends with `status`; its bytes are what its program gets, or what it has written.
    #[inline]
    pub fn on_op_finish(&mut self, cycle: u64, node: usize, op: &Op, status: RespErr) {
        self.report(cycle, |reports| Report::OpFinish {
            access: reports.access(node, op.index, op.addr, op.bytes()),
            kind: op.kind,
            status,
        });
    }

    /// Once a cycle: whether anything waits too long.
    #[inline]
    pub fn tick(&mut self, cycle: u64) {
        if cycle.is_multiple_of(PROGRESS_PERIOD) {
            self.report(cycle, |_| Report::Progress);
        }
    }
}
