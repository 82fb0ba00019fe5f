//! Checked constructors of headers.
//!
//! Each returns the legal header or says which rule the arguments break. `dst` of a request is 0:
//! the address map fills it in.

use crate::layout::LINE_SIZE;
use crate::{AtomicOp, CacheState, Form, Header, HeaderError, NodeId, Opcode, layout};

/// A constructor's outcome.
type Made = Result<Header, HeaderError>;

impl Header {
    /// A request for a line, `state` being the requester's own state of it.
    fn line_request(opcode: Opcode, src: NodeId, txn: u16, addr: u64, state: CacheState) -> Made {
        Header {
            src,
            txn,
            addr,
            state,
            ..Header::new(opcode)
        }
        .checked()
    }

    /// ReadShared of the line at `addr` by a node that has no copy.
    ///
    /// # Errors
    /// As [`Header::check`], like all constructors.
    pub fn read_shared(src: NodeId, txn: u16, addr: u64) -> Made {
        Header::line_request(Opcode::ReadShared, src, txn, addr, CacheState::I)
    }

    /// ReadUnique of the line at `addr` by a node that has no copy.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn read_unique(src: NodeId, txn: u16, addr: u64) -> Made {
        Header::line_request(Opcode::ReadUnique, src, txn, addr, CacheState::I)
    }

    /// CleanUnique of the line at `addr` by a node that holds it shared.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn clean_unique(src: NodeId, txn: u16, addr: u64) -> Made {
        Header::line_request(Opcode::CleanUnique, src, txn, addr, CacheState::SC)
    }

    /// MakeUnique of the line at `addr` by a node in `state`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn make_unique(src: NodeId, txn: u16, addr: u64, state: CacheState) -> Made {
        Header::line_request(Opcode::MakeUnique, src, txn, addr, state)
    }

    /// WriteBackFull of the dirty line at `addr`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn write_back_full(src: NodeId, txn: u16, addr: u64) -> Made {
        let state = CacheState::UD;
        Header {
            be: 0xffff,
            src,
            txn,
            addr,
            state,
            ..Header::new(Opcode::WriteBackFull)
        }
        .checked()
    }

    /// Evict of the clean line at `addr`, held in `state`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn evict(src: NodeId, txn: u16, addr: u64, state: CacheState) -> Made {
        Header::line_request(Opcode::Evict, src, txn, addr, state)
    }

    /// ReadOnce of the line at `addr`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn read_once(src: NodeId, txn: u16, addr: u64) -> Made {
        Header::line_request(Opcode::ReadOnce, src, txn, addr, CacheState::I)
    }

    /// CleanInvalid of the line at `addr` by a node that has no copy.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn clean_invalid(src: NodeId, txn: u16, addr: u64) -> Made {
        Header::line_request(Opcode::CleanInvalid, src, txn, addr, CacheState::I)
    }

    /// The far atomic `opcode` of the 2^`size` bytes at `addr`, 4 or 8, by a node that has no copy of
    /// the line. `op` says what an AtomicStore or AtomicLoad does and is `Add` for the others. The
    /// payload is that of [`crate::Atomic::lanes`].
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn atomic(
        opcode: Opcode,
        op: AtomicOp,
        src: NodeId,
        txn: u16,
        addr: u64,
        size: u8,
    ) -> Made {
        let be = layout::lanes(addr, size);
        Header {
            src,
            txn,
            addr,
            size,
            be,
            atomic_op: op,
            ..Header::new(opcode)
        }
        .checked()
    }

    /// WriteUnique of all 2^`size` bytes at `addr`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn write_unique(src: NodeId, txn: u16, addr: u64, size: u8) -> Made {
        let be = layout::lanes(addr, size);
        Header {
            src,
            txn,
            addr,
            size,
            be,
            ..Header::new(Opcode::WriteUnique)
        }
        .checked()
    }

    /// ReadNoSnp of 2^`size` bytes at `addr`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn read_no_snp(src: NodeId, txn: u16, addr: u64, size: u8) -> Made {
        Header {
            src,
            txn,
            addr,
            size,
            ..Header::new(Opcode::ReadNoSnp)
        }
        .checked()
    }

    /// WriteNoSnp of all 2^`size` bytes at `addr`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn write_no_snp(src: NodeId, txn: u16, addr: u64, size: u8) -> Made {
        let be = layout::lanes(addr, size);
        Header {
            src,
            txn,
            addr,
            size,
            be,
            ..Header::new(Opcode::WriteNoSnp)
        }
        .checked()
    }

    /// A snoop of `dst` by the home `src`; data, if the opcode forwards any, goes to
    /// `forward.0` under txn `forward.1`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn snoop(
        opcode: Opcode,
        src: NodeId,
        dst: NodeId,
        txn: u16,
        addr: u64,
        forward: (NodeId, u16),
    ) -> Made {
        let targets = dst.as_port().map_or(0, |port| 1 << port);
        let (forward_node, forward_txn) = forward;
        let fields = Header {
            forward_node,
            forward_txn,
            targets,
            ..Header::new(opcode)
        };
        Header {
            src,
            dst,
            txn,
            addr,
            ..fields
        }
        .checked()
    }

    /// MemRead of the line at `addr` by the home `src`; the memory sends CompData granting `state`
    /// to `return_to.0` under txn `return_to.1`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn mem_read(
        src: NodeId,
        txn: u16,
        addr: u64,
        state: CacheState,
        return_to: (NodeId, u16),
    ) -> Made {
        let (return_node, return_txn) = return_to;
        let fields = Header {
            return_node,
            return_txn,
            ..Header::new(Opcode::MemRead)
        };
        Header {
            src,
            txn,
            addr,
            state,
            ..fields
        }
        .checked()
    }

    /// MemWrite by the home `src` of the bytes of `be` at `addr`; of all of them when the size is
    /// a line.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn mem_write(src: NodeId, txn: u16, addr: u64, size: u8, be: u16) -> Made {
        Header {
            src,
            txn,
            addr,
            size,
            be,
            ..Header::new(Opcode::MemWrite)
        }
        .checked()
    }

    /// The Comp that answers a request, granting `state`. The sender and the home that waits for
    /// CompAck are the request's receiver; requests that end without CompAck do not care.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn comp(request: &Header, state: CacheState, home_txn: u16) -> Made {
        let Header {
            src,
            dst,
            txn,
            addr,
            ..
        } = *request;
        let fields = Header {
            home_node: dst,
            home_txn,
            ..Header::new(Opcode::Comp)
        };
        Header {
            src: dst,
            dst: src,
            txn,
            addr,
            state,
            ..fields
        }
        .checked()
    }

    /// The CompData that answers a read at `responder`: to the requester of a ReadNoSnp, to the
    /// return node of a MemRead (naming the home for its CompAck), to the node named in a
    /// forwarding snoop, granting `state`.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn comp_data(responder: NodeId, read: &Header, state: CacheState) -> Made {
        let (dst, txn, size, home_node, home_txn) = match read.form() {
            Form::MemRead => (
                read.return_node,
                read.return_txn,
                read.size,
                read.src,
                read.txn,
            ),
            Form::Snp => (
                read.forward_node,
                read.forward_txn,
                LINE_SIZE,
                read.src,
                read.txn,
            ),
            _ => (read.src, read.txn, read.size, NodeId::default(), 0),
        };
        let fields = Header {
            size,
            home_node,
            home_txn,
            ..Header::new(Opcode::CompData)
        };
        Header {
            src: responder,
            dst,
            txn,
            addr: read.addr,
            state,
            ..fields
        }
        .checked()
    }

    /// The CompAck that answers a Comp or CompData: to the home it names, in the `state` reached.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn comp_ack(answer: &Header, state: CacheState) -> Made {
        let Header {
            dst,
            addr,
            home_node,
            home_txn,
            ..
        } = *answer;
        let fields = Header::new(Opcode::CompAck);
        Header {
            src: dst,
            dst: home_node,
            txn: home_txn,
            addr,
            state,
            ..fields
        }
        .checked()
    }

    /// The answer `opcode` (SnpResp, SnpRespFwded, SnpRespData, SnpRespDataFwded) to a snoop, in
    /// the `state` after it.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn snoop_response(opcode: Opcode, snoop: &Header, state: CacheState) -> Made {
        let Header {
            src,
            dst,
            txn,
            addr,
            ..
        } = *snoop;
        Header {
            src: dst,
            dst: src,
            txn,
            addr,
            state,
            ..Header::new(opcode)
        }
        .checked()
    }
}
