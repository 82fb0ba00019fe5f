//! What was reported and has not been judged yet.
//!
//! One cycle of a model is more code than the caches next to a core hold, and so is one cycle of the
//! checkers: in turns, each would find its own gone every time. So during a run reports are kept, in
//! order and with their cycles, and judged some hundreds at a time.

use flits::{CacheState, LinkWord, RespErr};

use super::{Direction, LoadSource};
use crate::agents::OpKind;
use crate::dut::HomeView;
use crate::protocol::pairs::NodePair;
use crate::topology::End;

/// Bytes of a report, in [`Reports::bytes`].
#[derive(Clone, Copy)]
pub(super) struct Bytes {
    at: u32,
    len: u32,
}

/// One call of a hook of [`Checkers`](super::Checkers), which says what the fields are.
pub(super) enum Report {
    Credit {
        port: usize,
        direction: Direction,
        mask: u8,
    },
    Word {
        port: usize,
        direction: Direction,
        word: LinkWord,
    },
    NodeInput(NodePair),
    Home {
        chip: usize,
        slice: usize,
        /// Which of [`Reports::views`].
        view: usize,
    },
    CableCredit {
        end: End,
        mask: u8,
    },
    CableWord {
        end: End,
        word: LinkWord,
    },
    State {
        node: usize,
        line: u64,
        old: CacheState,
        new: CacheState,
    },
    Load {
        access: Access,
        source: LoadSource,
    },
    StoreIssue(Access),
    Store(Access),
    DataOut {
        node: usize,
        line: u64,
        data: Bytes,
    },
    MemRead {
        memory: usize,
        local: u64,
        bytes: Bytes,
    },
    MemWrite {
        memory: usize,
        local: u64,
        bytes: Bytes,
        be: u16,
        poison: bool,
    },
    OpStart {
        node: usize,
        op: u64,
        kind: OpKind,
        addr: u64,
    },
    OpFinish {
        access: Access,
        kind: OpKind,
        status: RespErr,
    },
    /// Time to look whether anything waits too long.
    Progress,
}

/// What an operation of a node reads or writes: the bytes, or where they are kept.
#[derive(Clone, Copy)]
pub(super) struct Access<B = Bytes> {
    pub(super) node: usize,
    pub(super) op: u64,
    pub(super) addr: u64,
    pub(super) bytes: B,
}

/// Reports in the order in which they came.
#[derive(Default)]
pub(super) struct Reports {
    pub(super) list: Vec<(u64, Report)>,
    bytes: Vec<u8>,
    /// The first `viewed` are in use; the others keep their allocations.
    views: Vec<HomeView>,
    viewed: usize,
}

impl Reports {
    /// Keeps bytes.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Bytes {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        let len = bytes.len() as u32;
        Bytes { at, len }
    }

    /// Keeps the bytes of an operation.
    pub(super) fn access(&mut self, node: usize, op: u64, addr: u64, bytes: &[u8]) -> Access {
        let bytes = self.keep(bytes);
        Access {
            node,
            op,
            addr,
            bytes,
        }
    }

    /// Keeps what is seen of a home, which `look` fills in.
    pub(super) fn keep_view(&mut self, look: impl FnOnce(&mut HomeView)) -> usize {
        let view = self.viewed;
        if view == self.views.len() {
            self.views.push(HomeView::default());
        }
        look(&mut self.views[view]);
        self.viewed += 1;
        view
    }

    /// The bytes that were kept.
    pub(super) fn bytes(&self, bytes: Bytes) -> &[u8] {
        &self.bytes[bytes.at as usize..][..bytes.len as usize]
    }

    /// An access, and the bytes that were kept for it.
    pub(super) fn accessed(&self, access: Access) -> Access<&[u8]> {
        let Access { node, op, addr, .. } = access;
        let bytes = self.bytes(access.bytes);
        Access {
            node,
            op,
            addr,
            bytes,
        }
    }

    /// What was seen of a home.
    pub(super) fn view(&self, view: usize) -> &HomeView {
        &self.views[view]
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.bytes.clear();
        self.viewed = 0;
    }
}
