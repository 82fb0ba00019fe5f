//! The flit format of the supernode switch.
//!
//! Everything that crosses a link or is kept in a file is here, and nothing of the simulator is:
//! the table of header fields ([`layout`]), opcodes, [`Header`] and [`Packet`] codecs, the generator
//! of `rtl/flit_pkg.sv` and of the documents' tables and pictures ([`generate`]), and the files that
//! drive a run ([`stimulus`]) and record one ([`history`]).
//! With the feature `proptest` there are strategies for property tests of all of it.

mod atomic;
mod codes;
mod construct;
mod flit;
pub mod generate;
mod header;
mod hex;
pub mod history;
pub mod layout;
mod lines;
mod node;
mod opcode;
mod packet;
pub mod stimulus;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use atomic::Atomic;
pub use codes::{AtomicOp, CacheState, Class, RespErr};
pub use flit::{Flit, LinkWord};
pub use header::{Header, HeaderError};
pub use layout::{ADDR_BITS, Form, LINE_BYTES};
pub use lines::FileError;
pub use node::{NodeId, NodeIdError, Numbering};
pub use opcode::{Opcode, Sizes};
pub use packet::{Assembler, Data, Packet, PacketError, Payload};
