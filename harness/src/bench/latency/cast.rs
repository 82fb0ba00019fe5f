//! The accesses to measure, and who has to do with each.

use super::Part;
use super::walk::Place;
use crate::sim::Supernode;

/// A unit that an access has to do with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Node 0, which asks.
    Requester,
    /// A node that has a copy.
    Peer,
    /// Another that has one.
    Third,
    Home,
    Memory,
}

use Unit::{Home, Memory, Peer, Requester, Third};

impl Unit {
    /// Its own time on the way of an access: a name, and what it is.
    pub(super) fn stage(self) -> (&'static str, Part) {
        match self {
            Requester => ("node", Part::Node),
            Peer | Third => ("cache of the peer", Part::Cache),
            Home => ("home", Part::Home),
            Memory => ("memory", Part::Memory),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Load,
    Store,
}

/// An access to measure: how the line comes into the state before it, and its way.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) prepare: &'static [(Unit, Act)],
    pub(super) act: Act,
    /// Units after each other; what is between two of them is switch.
    pub(super) way: &'static [Unit],
}

impl Kind {
    /// Whether nobody but the requester has to do with it.
    pub(super) fn hits(&self) -> bool {
        self.way == [Requester]
    }
}

pub(super) const KINDS: [Kind; 9] = [
    Kind {
        name: "load_hit",
        meaning: "load that hits",
        prepare: &[(Requester, Act::Load)],
        act: Act::Load,
        way: &[Requester],
    },
    Kind {
        name: "load_memory",
        meaning: "load that misses, to memory",
        prepare: &[],
        act: Act::Load,
        way: &[Requester, Home, Memory, Requester],
    },
    Kind {
        name: "load_shared",
        meaning: "load of a line that other caches share",
        prepare: &[(Peer, Act::Load), (Third, Act::Load)],
        act: Act::Load,
        way: &[Requester, Home, Memory, Requester],
    },
    Kind {
        name: "load_cache",
        meaning: "load of a line that another cache has written",
        prepare: &[(Peer, Act::Store)],
        act: Act::Load,
        way: &[Requester, Home, Peer, Requester],
    },
    Kind {
        name: "store_hit",
        meaning: "store that hits",
        prepare: &[(Requester, Act::Store)],
        act: Act::Store,
        way: &[Requester],
    },
    Kind {
        name: "store_memory",
        meaning: "store that misses, to memory",
        prepare: &[],
        act: Act::Store,
        way: &[Requester, Home, Memory, Requester],
    },
    Kind {
        name: "store_shared",
        meaning: "store to a line that another cache shares",
        prepare: &[(Requester, Act::Load), (Peer, Act::Load)],
        act: Act::Store,
        way: &[Requester, Home, Peer, Home, Requester],
    },
    Kind {
        name: "store_others",
        meaning: "store to a line that only other caches share",
        prepare: &[(Peer, Act::Load), (Third, Act::Load)],
        act: Act::Store,
        way: &[Requester, Home, Peer, Home, Memory, Requester],
    },
    Kind {
        name: "store_cache",
        meaning: "store to a line that another cache has written",
        prepare: &[(Peer, Act::Store)],
        act: Act::Store,
        way: &[Requester, Home, Peer, Requester],
    },
];

/// A leaf, as the requester sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// The requester's; of one switch, the switch.
    Own,
    /// Another.
    Other,
}

impl Leaf {
    pub(super) fn name(self) -> &'static str {
        match self {
            Leaf::Own => "own",
            Leaf::Other => "other",
        }
    }
}

/// Where the units of an access are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The home.
    pub home: Leaf,
    /// The memory and the other caches on the way. If they and the home are on other leaves than
    /// the requester, they are on different ones, where there are as many.
    pub others: Leaf,
}

impl Placement {
    /// All that a system of so many leaves has, the nearest first.
    pub(super) fn all(leaves: usize) -> impl Iterator<Item = Placement> {
        let choices: &[Leaf] = match leaves {
            1 => &[Leaf::Own],
            _ => &[Leaf::Own, Leaf::Other],
        };
        let each = |&home| {
            choices
                .iter()
                .map(move |&others| Placement { home, others })
        };
        choices.iter().flat_map(each)
    }

    /// Whether nothing is on the requester's leaf.
    pub fn is_farthest(self) -> bool {
        self.home == Leaf::Other && self.others == Leaf::Other
    }
}

/// The line of an access and where its units are.
#[derive(Clone, Copy)]
pub(super) struct Cast {
    pub(super) addr: u64,
    /// Device numbers of the nodes with a copy.
    peer: usize,
    third: usize,
    home: Place,
    /// Device number of the memory.
    memory: usize,
}

impl Cast {
    /// For the first line from `addr` on whose units are as `placement` says.
    pub(super) fn of(sn: &Supernode, kind: &Kind, placement: Placement, addr: u64) -> Option<Cast> {
        let (map, topology) = (sn.address_map(), sn.topology());
        let (leaves, per_chip) = (topology.leaves(), topology.numbering().per_chip());
        let cast = |addr| {
            let (id, (memory, _)) = (map.home_of(addr), map.memory_of(addr)?);
            let chip = usize::from(id.chip());
            let apart = leaves > 2 && placement.home == Leaf::Other;
            let fits = |device: usize| match placement.others {
                Leaf::Own => device / per_chip == 0,
                Leaf::Other => device / per_chip != 0 && !(apart && device / per_chip == chip),
            };
            if (chip == 0) != (placement.home == Leaf::Own)
                || kind.way.contains(&Memory) && !fits(memory)
            {
                return None;
            }
            let mut nodes = sn.processors().iter().copied();
            let mut node = || nodes.find(|&port| port != 0 && fits(port));
            Some(Cast {
                addr,
                peer: node()?,
                third: node()?,
                home: Place {
                    chip,
                    port: topology.chips()[chip].ports + id.as_home()?,
                    device: None,
                },
                memory,
            })
        };
        (0..1 << 12).map(|line| addr + 64 * line).find_map(cast)
    }

    /// The device number of a unit; a home has none.
    pub(super) fn device(&self, unit: Unit) -> Option<usize> {
        match unit {
            Requester => Some(0),
            Peer => Some(self.peer),
            Third => Some(self.third),
            Memory => Some(self.memory),
            Home => None,
        }
    }

    pub(super) fn place(&self, unit: Unit, per_chip: usize) -> Place {
        match self.device(unit) {
            Some(device) => Place {
                chip: device / per_chip,
                port: device % per_chip,
                device: Some(device),
            },
            None => self.home,
        }
    }
}
