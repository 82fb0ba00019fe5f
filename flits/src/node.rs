//! Node identifiers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A node's identifier, 10 bits: `{chip[4:0], unit[4:0]}`.
///
/// Units 0 to 15 are the chip's ports, units 16 to 23 its home slices.
///
/// ```
/// use flits::NodeId;
/// assert_eq!(NodeId::port(3).to_string(), "3");
/// assert_eq!(NodeId::home(1).to_string(), "home1");
/// assert_eq!(u16::from(NodeId::home(1)), 17);
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct NodeId(u16);

/// A number too large for a node identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {0} does not fit a node identifier: the largest is {max}", max = NodeId::MAX)]
pub struct NodeIdError(pub u16);

impl NodeId {
    /// The width of an identifier in bits.
    pub const BITS: u32 = 10;
    /// The largest identifier as a number.
    pub const MAX: u16 = (1 << Self::BITS) - 1;
    /// The unit number of home slice 0.
    pub const UNIT_HOME0: u16 = 16;
    /// The largest number of ports of a chip.
    pub const PORTS: u16 = 16;
    /// The largest number of home slices of a chip.
    pub const HOMES: u16 = 8;

    /// The device on port `n` of chip 0.
    ///
    /// # Panics
    /// If `n` is 16 or more.
    pub const fn port(n: u16) -> NodeId {
        assert!(n < Self::PORTS, "a chip has at most 16 ports");
        NodeId(n)
    }

    /// Home slice `k` of chip 0.
    ///
    /// # Panics
    /// If `k` is 8 or more.
    pub const fn home(k: u16) -> NodeId {
        assert!(k < Self::HOMES, "a chip has at most 8 home slices");
        NodeId(Self::UNIT_HOME0 + k)
    }

    /// The chip of the node.
    pub const fn chip(self) -> u16 {
        self.0 >> 5
    }

    /// The unit of the node on its chip.
    pub const fn unit(self) -> u16 {
        self.0 & 31
    }

    /// The port number, if the node is a device on a port.
    pub const fn as_port(self) -> Option<usize> {
        if self.unit() < Self::PORTS {
            Some(self.unit() as usize)
        } else {
            None
        }
    }

    /// The slice number, if the node is a home slice.
    pub const fn as_home(self) -> Option<usize> {
        match self.unit().checked_sub(Self::UNIT_HOME0) {
            Some(slice) if slice < Self::HOMES => Some(slice as usize),
            _ => None,
        }
    }

    /// Whether the node is a home slice.
    pub const fn is_home(self) -> bool {
        self.as_home().is_some()
    }
}

impl TryFrom<u16> for NodeId {
    type Error = NodeIdError;

    fn try_from(id: u16) -> Result<Self, NodeIdError> {
        if id <= Self::MAX {
            Ok(NodeId(id))
        } else {
            Err(NodeIdError(id))
        }
    }
}

impl From<NodeId> for u16 {
    fn from(id: NodeId) -> u16 {
        id.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.chip() != 0 {
            write!(f, "c{}.", self.chip())?;
        }
        match (self.as_port(), self.as_home()) {
            (Some(port), _) => write!(f, "{port}"),
            (_, Some(slice)) => write!(f, "home{slice}"),
            _ => write!(f, "unit{}", self.unit()),
        }
    }
}
