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
    /// The largest number of chips.
    pub const CHIPS: u16 = 32;

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

    /// The same unit of another chip.
    ///
    /// # Panics
    /// If `chip` is 32 or more.
    pub const fn on_chip(self, chip: u16) -> NodeId {
        assert!(chip < Self::CHIPS, "there are at most 32 chips");
        NodeId(chip << 5 | self.unit())
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

/// How the devices of a system are numbered: through the ports of one chip after the other.
///
/// ```
/// use flits::{NodeId, Numbering};
/// let four_leaves = Numbering::new(16, 4);
/// assert_eq!(four_leaves.node(6), NodeId::port(2).on_chip(1));
/// assert_eq!(four_leaves.port(NodeId::port(2).on_chip(1)), Some(6));
/// assert_eq!(four_leaves.port(NodeId::port(4)), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    count: usize,
    per_chip: usize,
}

impl Numbering {
    /// `count` devices, the first `per_chip` of them on chip 0, from its port 0 on.
    ///
    /// # Panics
    /// If a chip or the identifier has no room for that many.
    pub const fn new(count: usize, per_chip: usize) -> Numbering {
        assert!(per_chip > 0 && per_chip <= NodeId::PORTS as usize);
        assert!(count.div_ceil(per_chip) <= NodeId::CHIPS as usize);
        Numbering { count, per_chip }
    }

    /// The devices of one chip, on all its ports.
    pub const fn of_one_chip(ports: usize) -> Numbering {
        Numbering::new(ports, ports)
    }

    /// How many devices there are.
    pub const fn count(self) -> usize {
        self.count
    }

    /// How many of them each chip has.
    pub const fn per_chip(self) -> usize {
        self.per_chip
    }

    /// The identifier of device `port`.
    ///
    /// # Panics
    /// If there is no such device.
    pub const fn node(self, port: usize) -> NodeId {
        assert!(port < self.count, "there is no device of that number");
        NodeId::port((port % self.per_chip) as u16).on_chip((port / self.per_chip) as u16)
    }

    /// The number of a device; `None` if the identifier names none.
    pub fn port(self, node: NodeId) -> Option<usize> {
        let unit = node.as_port().filter(|&unit| unit < self.per_chip)?;
        let port = usize::from(node.chip()) * self.per_chip + unit;
        (port < self.count).then_some(port)
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
