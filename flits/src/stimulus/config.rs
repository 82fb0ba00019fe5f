//! The system that a stimulus runs on.

use super::{LinkErrors, Packet};
use crate::{NodeId, Numbering, hex};
use serde::{Deserialize, Serialize};

/// The ports that a switch standing alone may have.
pub const PORTS: [usize; 3] = [4, 8, 16];
/// The leaves that a system of several chips may have.
pub const LEAVES: [usize; 3] = [2, 4, 8];
/// Longest time-out, as a power of 2 of cycles.
const MAX_TIMEOUT_LOG2: u8 = 31;
/// Most devices on a leaf, and most spines.
pub const MAX_PER_LEAF: usize = 8;

/// Words of each class that the largest buffer of a core holds.
const MAX_DEPTH: u16 = 64;
/// Ends of a link.
const ENDS: usize = 2;

fn is_zero(value: &u8) -> bool {
    *value == 0
}

/// The switch, what is attached to it, its address map and how its links stall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Ports for devices: 4, 8 or 16 of one switch, or those of all leaves together.
    pub ports: usize,
    /// What is run, if it is not a whole system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The chips, where they are several; else one switch has all the ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Tiers>,
    /// The device on each port, from port 0; ports beyond have none.
    pub nodes: Vec<Node>,
    /// The regions of the address map.
    pub regions: Vec<Region>,
    /// The partitions that each port is in, one bit a partition, from port 0; ports beyond are in
    /// all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port_partitions: Vec<u16>,
    /// How often links stall.
    #[serde(default)]
    pub stall: Stall,
    /// The homes give an answer up that has not come in 2 to this power cycles; 0: never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub home_timeout_log2: u8,
    /// The switch ends a packet that its device has not gone on with for 2 to this power cycles,
    /// though it could; 0: never; without it the switch does as after reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_timeout_log2: Option<u8>,
    /// The cycles that each port waits before its first operation, from port 0; 0 for ports beyond.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_skew: Vec<u64>,
    /// Puts a link on every cable, and these errors on its wires; without it nodes and switches are
    /// joined as if they were one chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_errors: Option<LinkErrors>,
}

/// A part of the system that runs alone. Around a fabric or a link are cores: their packets go in on
/// one side and must come out on the other. Around a home are peers: nodes as the specification has
/// them, and a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The crossbar of a switch with the buffers at its inputs: a core on each port.
    Fabric,
    /// Two link ends and the wires between them: a core at each end.
    Link,
    /// A home slice: a peer on each of 4 ports.
    Home,
}

/// A system of several chips in two tiers: every leaf is cabled to every spine, and the ports for
/// devices are numbered through the leaves, as many on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    /// Chips with devices and homes: 2, 4 or 8.
    pub leaves: usize,
    /// Chips between them: 1 to 8.
    pub spines: usize,
}

/// A device on a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// A processor with a cache.
    Cached {
        /// Sets of its cache, a power of two.
        sets: usize,
        /// Ways of its cache.
        ways: usize,
        /// Misses that may be in flight at once.
        mshrs: usize,
        /// Entries of its store buffer; 0 for a processor in order.
        store_buffer: usize,
    },
    /// A memory.
    Memory {
        /// How fast it answers.
        timing: MemoryTiming,
    },
    /// A device without a cache.
    Io {},
    /// A port that sends raw link words, legal or not, and takes whatever comes.
    Hostile {},
    /// What is around a fabric or a link alone: sends packets, and takes words into a buffer.
    Core {
        /// Words of each class that the buffer holds.
        depth: u16,
    },
    /// A node around a home alone, with a copy of each line or none.
    Peer {
        /// It has no right to write.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reads_only: bool,
    },
}

impl Node {
    /// What a sentence calls it.
    pub const fn described(&self) -> &'static str {
        match self {
            Node::Cached { .. } => "a cached node",
            Node::Memory { .. } => "a memory",
            Node::Io {} => "an io node",
            Node::Hostile {} => "a hostile node",
            Node::Core { .. } => "a core",
            Node::Peer { .. } => "a peer",
        }
    }
}

/// How fast a memory answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryTiming {
    /// High-bandwidth memory: many channels.
    Hbm,
    /// Double-data-rate memory: one channel.
    Ddr,
    /// Figures of one's own.
    #[serde(untagged)]
    Custom(Timing),
}

/// The figures of a memory, in clock cycles of the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Cycles from a request's last flit to its answer's first, when the memory is idle.
    pub latency: u32,
    /// Channels, to which lines go round in turn.
    pub channels: u32,
    /// Cycles that a channel is busy with 64 bytes.
    pub busy: u32,
}

/// A region of the address map. Homes interleave by line over all slices of a coherent region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First byte address.
    #[serde(with = "hex::number")]
    pub base: u64,
    /// Bytes.
    #[serde(with = "hex::number")]
    pub size: u64,
    /// Kept coherent by the homes, or left to the memory.
    pub coherent: bool,
    /// Ports of the memories that it is interleaved over.
    pub memories: Vec<usize>,
    /// Bytes in one memory before the next has its turn.
    pub granule: u64,
    /// First byte of the region in each of its memories.
    #[serde(with = "hex::number")]
    pub local_base: u64,
    /// Partitions that may read, one bit a partition.
    #[serde(default = "all_partitions")]
    pub read_partitions: u16,
    /// Partitions that may write.
    #[serde(default = "all_partitions")]
    pub write_partitions: u16,
}

fn all_partitions() -> u16 {
    u16::MAX
}

/// How often links stall, in thousandths of the cycles, drawn from the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// A device that has a word to send does not send it.
    pub rx_permille: u16,
    /// A device keeps a credit that it could return.
    pub tx_permille: u16,
}

impl Config {
    /// The default system of `ports` ports: three quarters of them cached nodes, the rest
    /// memories; 1 GiB coherent at 0 and 1 GiB uncached at 4 GiB, both over all memories.
    pub fn new(ports: usize) -> Config {
        const GIB: u64 = 1 << 30;
        let cached = ports * 3 / 4;
        let memories: Vec<_> = (cached..ports).collect();
        let share = GIB / memories.len().max(1) as u64;
        let node = |port| match port {
            port if port < cached => Node::Cached {
                sets: 64,
                ways: 4,
                mshrs: 8,
                store_buffer: 0,
            },
            _ => Node::Memory {
                timing: MemoryTiming::Ddr,
            },
        };
        let region = |base, coherent, local_base| Region {
            base,
            size: GIB,
            coherent,
            memories: memories.clone(),
            granule: 4096,
            local_base,
            read_partitions: u16::MAX,
            write_partitions: u16::MAX,
        };
        Config {
            ports,
            part: None,
            tiers: None,
            nodes: (0..ports).map(node).collect(),
            regions: vec![region(0, true, 0), region(4 * GIB, false, share)],
            port_partitions: Vec::new(),
            stall: Stall::default(),
            home_timeout_log2: 0,
            packet_timeout_log2: None,
            start_skew: Vec::new(),
            link_errors: None,
        }
    }

    /// The default system of several chips: `per_leaf` ports for devices on each of `leaves` leaves,
    /// below `spines` spines. The last port of each leaf has a memory, all others have cached nodes;
    /// the regions are those of [`Config::new`].
    pub fn tiers(leaves: usize, per_leaf: usize, spines: usize) -> Config {
        let ports = leaves * per_leaf;
        let mut config = Config::new(ports);
        let (Some(cached), Some(memory)) = (config.nodes.first(), config.nodes.last()) else {
            return config;
        };
        let (cached, memory) = (cached.clone(), memory.clone());
        let is_memory = |port: usize| port % per_leaf == per_leaf - 1;
        config.nodes = (0..ports)
            .map(|port| match is_memory(port) {
                true => memory.clone(),
                false => cached.clone(),
            })
            .collect();
        for region in &mut config.regions {
            region.memories = (0..ports).filter(|&port| is_memory(port)).collect();
            region.local_base = match region.coherent {
                true => 0,
                false => region.size / leaves as u64,
            };
        }
        config.tiers = Some(Tiers { leaves, spines });
        config
    }

    /// A part alone, between cores whose buffers hold `depth` words of each class: a fabric of 4 ports,
    /// or a link with wires on which nothing goes wrong; or a home among peers that may write.
    pub fn part(part: Part, depth: u16) -> Config {
        let core = Node::Core { depth };
        let (ports, node, link_errors) = match part {
            Part::Fabric => (PORTS[0], core, None),
            Part::Link => (ENDS, core, Some(LinkErrors::default())),
            Part::Home => (PORTS[0], Node::Peer { reads_only: false }, None),
        };
        Config {
            ports,
            part: Some(part),
            nodes: vec![node; ports],
            regions: Vec::new(),
            link_errors,
            ..Config::new(ports)
        }
    }

    /// Gives every cached node a store buffer of `entries` stores; 0 for none.
    pub fn with_store_buffers(mut self, entries: usize) -> Config {
        for node in &mut self.nodes {
            if let Node::Cached { store_buffer, .. } = node {
                *store_buffer = entries;
            }
        }
        self
    }

    /// How the devices are numbered.
    pub fn numbering(&self) -> Numbering {
        let leaves = self.tiers.map_or(1, |tiers| tiers.leaves);
        Numbering::new(self.ports, self.ports / leaves)
    }

    /// The identifier of the device on a port.
    ///
    /// # Panics
    /// If there is no such port.
    pub fn node_id(&self, port: usize) -> NodeId {
        self.numbering().node(port)
    }

    /// Checks what the file alone can tell; the address map is checked as a whole where it is
    /// programmed.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong.
    pub fn check(&self) -> Result<(), String> {
        let ports = self.ports;
        match self.tiers {
            None if self.part == Some(Part::Link) => {}
            None if !PORTS.contains(&ports) => {
                return Err(format!("ports is {ports}; it can be 4, 8 or 16"));
            }
            None => {}
            Some(tiers) => tiers.check(ports)?,
        }
        let lists = [
            ("nodes", self.nodes.len()),
            ("port_partitions", self.port_partitions.len()),
            ("start_skew", self.start_skew.len()),
        ];
        if let Some((name, len)) = lists.into_iter().find(|&(_, len)| len > ports) {
            return Err(format!("{name} has {len} entries for {ports} ports"));
        }
        for (port, node) in self.nodes.iter().enumerate() {
            node.check()
                .map_err(|reason| format!("node {port}: {reason}"))?;
        }
        for (index, region) in self.regions.iter().enumerate() {
            let is_memory =
                |&port: &usize| matches!(self.nodes.get(port), Some(Node::Memory { .. }));
            if let Some(port) = region.memories.iter().find(|port| !is_memory(port)) {
                return Err(format!(
                    "region {index}: the node on port {port} is no memory"
                ));
            }
        }
        self.check_part()?;
        let Stall {
            rx_permille,
            tx_permille,
        } = self.stall;
        if rx_permille.max(tx_permille) >= 1000 {
            return Err("stall takes all cycles: give less than 1000 permille".to_owned());
        }
        let timeouts = [
            ("home_timeout_log2", Some(self.home_timeout_log2)),
            ("packet_timeout_log2", self.packet_timeout_log2),
        ];
        for (name, log2) in timeouts {
            if let Some(log2) = log2.filter(|&log2| log2 > MAX_TIMEOUT_LOG2) {
                return Err(format!("{name} is {log2}, at most {MAX_TIMEOUT_LOG2}"));
            }
        }
        self.link_errors.as_ref().map_or(Ok(()), LinkErrors::check)
    }

    /// A part has cores or peers around it and nothing else, and nothing else has any.
    fn check_part(&self) -> Result<(), String> {
        let is_core = |node: &Node| matches!(node, Node::Core { .. });
        let is_peer = |node: &Node| matches!(node, Node::Peer { .. });
        let Some(part) = self.part else {
            let alien = self.nodes.iter().position(|n| is_core(n) || is_peer(n));
            return alien.map_or(Ok(()), |port| {
                let what = self.nodes[port].described();
                Err(format!("node {port}: {what} belongs to a part alone"))
            });
        };
        let (fits, wanted): (fn(&Node) -> bool, _) = match part {
            Part::Fabric | Part::Link => (is_core, "a part alone has a core on every port"),
            Part::Home => (is_peer, "a home alone has a peer on every port"),
        };
        if self.nodes.len() != self.ports || !self.nodes.iter().all(fits) {
            return Err(wanted.to_owned());
        }
        if !self.regions.is_empty() || self.tiers.is_some() {
            return Err("a part alone has no regions and no tiers".to_owned());
        }
        match part {
            Part::Link if self.ports != ENDS => Err("a link has 2 ends".to_owned()),
            Part::Home if self.ports != PORTS[0] => Err("a home alone has 4 ports".to_owned()),
            Part::Fabric if self.link_errors.is_some() => {
                Err("the fabric alone has no link_errors".to_owned())
            }
            Part::Home if self.link_errors.is_some() || self.stall.rx_permille != 0 => {
                Err("a home alone has no link_errors and no rx_permille".to_owned())
            }
            Part::Link
                if self
                    .link_errors
                    .as_ref()
                    .is_some_and(LinkErrors::never_moves) =>
            {
                Err("on a link alone stuck credits must be told again".to_owned())
            }
            Part::Fabric | Part::Link | Part::Home => Ok(()),
        }
    }

    /// Whether a packet has somewhere to go.
    pub(super) fn check_packet(&self, packet: &Packet) -> Result<(), String> {
        match (self.part, packet.to.iter().max()) {
            (Some(Part::Fabric), None) => Err("packet goes to no output".to_owned()),
            (Some(Part::Fabric), Some(&to)) if to >= self.ports => {
                Err(format!("there is no output {to}"))
            }
            (Some(Part::Link), Some(_)) => Err("packet names an output, on a link".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Tiers {
    fn check(&self, ports: usize) -> Result<(), String> {
        let Tiers { leaves, spines } = *self;
        if !LEAVES.contains(&leaves) {
            return Err(format!("tiers of {leaves} leaves; there can be 2, 4 or 8"));
        }
        if !(1..=MAX_PER_LEAF).contains(&spines) {
            return Err(format!(
                "tiers of {spines} spines; there can be 1 to {MAX_PER_LEAF}"
            ));
        }
        if !ports.is_multiple_of(leaves) || !(1..=MAX_PER_LEAF).contains(&(ports / leaves)) {
            return Err(format!(
                "ports is {ports} for {leaves} leaves; give each leaf 1 to {MAX_PER_LEAF}"
            ));
        }
        Ok(())
    }
}

impl Node {
    fn check(&self) -> Result<(), String> {
        match *self {
            Node::Cached {
                sets, ways, mshrs, ..
            } => {
                if !sets.is_power_of_two() {
                    return Err(format!("a cache of {sets} sets; make it a power of two"));
                }
                if ways == 0 || mshrs == 0 {
                    return Err("a cache needs at least one way and one mshr".to_owned());
                }
            }
            Node::Memory {
                timing: MemoryTiming::Custom(timing),
            } => {
                if timing.channels == 0 || timing.busy == 0 {
                    return Err(
                        "a memory needs at least one channel, busy for one cycle".to_owned()
                    );
                }
            }
            Node::Core { depth } if !(1..=MAX_DEPTH).contains(&depth) => {
                return Err(format!(
                    "a core of {depth} words; it can have 1 to {MAX_DEPTH}"
                ));
            }
            Node::Memory { .. }
            | Node::Io {}
            | Node::Hostile {}
            | Node::Core { .. }
            | Node::Peer { .. } => {}
        }
        Ok(())
    }
}
