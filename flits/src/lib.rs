//! The flit format of the supernode switch.
//!
//! Everything that crosses a link or is kept in a file is here, and nothing of the simulator is:
//! the table of header fields ([`layout`]), opcodes, [`Header`] and [`Packet`] codecs, and the
//! generator of `rtl/flit_pkg.sv` and of the documents' tables and pictures ([`generate`]).

mod codes;
mod construct;
mod flit;
pub mod generate;
mod header;
pub mod layout;
mod node;
mod opcode;
mod packet;

pub use codes::{CacheState, Class, RespErr};
pub use flit::{Flit, LinkWord};
pub use header::{Header, HeaderError};
pub use layout::Form;
pub use node::{NodeId, NodeIdError};
pub use opcode::{Opcode, RESERVED, Sizes};
pub use packet::{Assembler, Data, Packet, PacketError, Payload};
