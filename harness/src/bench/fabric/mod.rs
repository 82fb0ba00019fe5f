//! The fabric alone under synthetic traffic.
//!
//! [`Fabric`] is a Verilated model of it, [`Links`] the senders, the receivers and the check of every
//! word, [`Traffic`] what is sent, [`measure()`] the method by which switches are compared here, and
//! [`sheet`] all of it for people.

mod links;
mod measure;
mod model;
mod peers;
mod sheet;
mod traffic;

pub use links::{Delivered, Links, Message};
pub use measure::{Measured, Window, measure, zero_load};
pub use model::Fabric;
pub use peers::{PEERS, Peer, SINGLE_FIFO_BOUND};
pub use sheet::{PORTS, Settings, sheet};
pub use traffic::{Pattern, Queues, Sources, Traffic};
