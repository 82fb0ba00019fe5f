//! What a supernode is made of.

use super::machine::{Device, Machine, QUIET_CYCLES};
use super::mailbox::Mailbox;
use super::seed;
use super::supernode::Supernode;
use crate::agents::{CachedConfig, CachedNode, IoNode, MemoryNode, MemoryTiming, NodeSet};
use crate::check::{self, CheckConfig, Checkers, PortKind};
use crate::consistency;
use crate::dut::{
    AddressMap, Cabling, Direct, Dut, NODE_DEPTH, Parameters, Reference, Region, Stall, Switch,
    TIGHT_PORTS, Variant, chip_of_system, tight, tight_chip_of_system, vcd_of, verilated,
};
use crate::link::{LinkErrors, Linked, Links};
use crate::topology::{self, Topology};
use crate::{Failure, FailureKind};
use flits::stimulus::{self, Config, Node};
use flits::{NodeId, Numbering};
use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

/// Requests that a device without a cache has in flight.
const IO_REQUESTS: usize = 8;

/// What stands in for the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The Verilated RTL.
    Rtl(Variant),
    /// The Verilated RTL with 4 ports, 4 homes and very little room; see [`tight`]. In a system of
    /// several chips each has 4 ports, two of them for devices or, of a spine, four for leaves.
    Tight,
    /// The switch of the specification: an ideal fabric around [`crate::protocol::home`]. It stands
    /// alone.
    Reference,
}

/// Collects what a [`Supernode`] is made of. The default is the 8-port system of
/// [`Config::new`], seed 0, the fast model, all checks on.
#[derive(Debug, Clone)]
pub struct Builder {
    config: Config,
    seed: u64,
    model: Model,
    vcd: Vec<PathBuf>,
    vcd_cycles: Option<Range<u64>>,
    checks: bool,
    conformance: bool,
    log_packets: bool,
    stuck_after: u64,
    node_depth: u16,
    max_cycles: u64,
    quiet_cycles: u64,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            config: Config::new(8),
            seed: 0,
            model: Model::Rtl(Variant::Fast),
            vcd: Vec::new(),
            vcd_cycles: None,
            checks: true,
            conformance: true,
            log_packets: false,
            stuck_after: check::STUCK_AFTER,
            node_depth: NODE_DEPTH,
            max_cycles: u64::MAX,
            quiet_cycles: QUIET_CYCLES,
        }
    }
}

impl Builder {
    /// The default system of a switch with 4, 8 or 16 ports, see [`Config::new`].
    pub fn ports(self, ports: usize) -> Self {
        self.config(Config::new(ports))
    }

    /// The default system of several chips in two tiers, see [`Config::tiers`].
    pub fn tiers(self, leaves: usize, nodes_per_leaf: usize, spines: usize) -> Self {
        self.config(Config::tiers(leaves, nodes_per_leaf, spines))
    }

    /// Devices, address map and stalls.
    pub fn config(self, config: Config) -> Self {
        Builder { config, ..self }
    }

    /// The seed that decides everything random.
    pub fn seed(self, seed: u64) -> Self {
        Builder { seed, ..self }
    }

    /// What stands in for the switch.
    pub fn model(self, model: Model) -> Self {
        Builder { model, ..self }
    }

    /// Writes a VCD file; the model's variant is then [`Variant::Wave`]. Of several chips, one file
    /// each, see [`vcd_of`].
    pub fn vcd(self, path: impl Into<PathBuf>) -> Self {
        self.vcds(vec![path.into()])
    }

    /// Writes a VCD file of each chip to a path of its own.
    pub fn vcds(self, paths: Vec<PathBuf>) -> Self {
        Builder { vcd: paths, ..self }
    }

    /// Only these cycles go into the VCD files.
    pub fn vcd_cycles(self, cycles: Range<u64>) -> Self {
        Builder {
            vcd_cycles: Some(cycles),
            ..self
        }
    }

    /// Whether everything is checked, or nothing for measurements of speed.
    pub fn checks(self, checks: bool) -> Self {
        Builder { checks, ..self }
    }

    /// Whether, among the checks, the homes are compared with the specification.
    pub fn conformance(self, conformance: bool) -> Self {
        Builder {
            conformance,
            ..self
        }
    }

    /// Keeps every packet for [`Supernode::packets`].
    pub fn log_packets(self, log_packets: bool) -> Self {
        Builder {
            log_packets,
            ..self
        }
    }

    /// Cycles that a request may stay unanswered.
    pub fn stuck_after(self, stuck_after: u64) -> Self {
        Builder {
            stuck_after,
            ..self
        }
    }

    /// Cycles that the whole run may take.
    pub fn max_cycles(self, max_cycles: u64) -> Self {
        Builder { max_cycles, ..self }
    }

    /// Cycles without any word, when nobody wants anything, after which a run is over.
    pub fn quiet_cycles(self, quiet_cycles: u64) -> Self {
        Builder {
            quiet_cycles,
            ..self
        }
    }

    /// Words of each class that a node's receive buffer holds.
    pub fn node_depth(self, node_depth: u16) -> Self {
        Builder { node_depth, ..self }
    }

    /// Builds the system, resets the switch and programs its address map.
    ///
    /// # Errors
    /// One sentence about a configuration that is not possible.
    pub fn build(self) -> Result<Supernode, Failure> {
        let ports = self.config.ports;
        let variant = |variant| match self.vcd[..] {
            [] => variant,
            _ => Variant::Wave,
        };
        self.config.check().map_err(setup)?;
        if let Some(tiers) = self.config.tiers {
            let topology = match self.model {
                Model::Tight => Topology::tiers_of(TIGHT_PORTS, ports, tiers),
                _ => Topology::tiers(ports, tiers),
            };
            let topology = topology.map_err(|error| setup(error.to_string()))?;
            let chip = |chip: &crate::topology::Chip| match self.model {
                Model::Rtl(asked) => chip_of_system(chip.ports, variant(asked)),
                Model::Tight => tight_chip_of_system(variant(Variant::Fast)),
                Model::Reference => Err(setup("the reference is one switch, not several".into())),
            };
            let chips: Result<Vec<_>, _> = topology.chips().iter().map(chip).collect();
            return self.build_on(chips?, &topology);
        }
        let switch: Box<dyn Switch> = match self.model {
            Model::Rtl(asked) => verilated(ports, variant(asked))?,
            Model::Tight if ports == TIGHT_PORTS => tight(variant(Variant::Fast))?,
            Model::Tight => {
                let text = format!("the tight switch has {TIGHT_PORTS} ports and no others");
                return Err(setup(text));
            }
            Model::Reference => Box::new(Reference::new(ports)),
        };
        self.build_on(vec![switch], &Topology::single(ports))
    }

    /// Builds the system around chips of the caller's, cabled as `topology` says: recorded ones, or
    /// models of other parameters.
    ///
    /// # Errors
    /// As [`Builder::build`]; also if the chips are not those of the topology.
    pub fn build_on(
        self,
        mut chips: Vec<Box<dyn Switch>>,
        topology: &Topology,
    ) -> Result<Supernode, Failure> {
        let Builder { config, seed, .. } = &self;
        config.check().map_err(setup)?;
        if config.part.is_some() {
            return Err(setup("a part alone is no system".into()));
        }
        if let Some(port) = config.nodes.iter().position(|node| !possible(node)) {
            return Err(setup(format!(
                "node {port}: a cache has 1 to 64 misses in flight"
            )));
        }
        let ports = config.ports;
        let partitions: Vec<u16> = (0..ports)
            .map(|port| {
                config
                    .port_partitions
                    .get(port)
                    .copied()
                    .unwrap_or(u16::MAX)
            })
            .collect();
        let regions: Vec<Region> = config.regions.iter().map(Region::from).collect();

        let cabling: Box<dyn Cabling> = match &config.link_errors {
            None => Box::new(Direct::new(topology)),
            Some(errors) => {
                chips = linked(chips, topology, errors)?;
                Box::new(Links::new(topology, errors)?)
            }
        };
        let direct = match &mut chips[..] {
            [switch] => switch.configure(&regions, &partitions),
            _ => None,
        };
        let stall = Stall {
            rx_permille: config.stall.rx_permille,
            tx_permille: config.stall.tx_permille,
        };
        let stalls = |port| seed::stream(*seed, &format!("stall {port}"));
        let mut dut = Dut::cabled(chips, cabling, topology, self.node_depth, stall, stalls)?;
        let parameters = match direct {
            Some(parameters) => parameters,
            None => dut.parameters(0, &mut Checkers::off())?,
        };
        if parameters.ports != topology.chips()[0].ports {
            let (has, wants) = (parameters.ports, topology.chips()[0].ports);
            return Err(setup(format!("the switch has {has} ports and not {wants}")));
        }
        let memories: Vec<usize> = (0..ports)
            .filter(|&port| matches!(config.nodes.get(port), Some(Node::Memory { .. })))
            .collect();
        let numbering = topology.numbering();
        let map = AddressMap::new(regions, &memories, parameters.home_slices, numbering)
            .map_err(|error| setup(error.to_string()))?;
        let mut checks = match self.checks {
            true => Checkers::new(self.check_config(topology, &map, &partitions, &parameters)),
            false => Checkers::off(),
        };

        // The parameters were read unwatched; the checkers see everything from this reset on.
        dut.reset()?;
        if !self.vcd.is_empty() {
            let paths = match &self.vcd[..] {
                [path] if dut.chips() > 1 => (0..dut.chips()).map(|c| vcd_of(path, c)).collect(),
                paths => paths.to_vec(),
            };
            dut.trace_open(&paths, self.vcd_cycles.clone())?;
        }
        if direct.is_none() {
            dut.program(topology, &map, &partitions, &parameters, &mut checks)?;
            dut.set_home_timeout(config.home_timeout_log2, &mut checks)?;
            if let Some(log2) = config.packet_timeout_log2 {
                dut.set_packet_timeout(log2, &mut checks)?;
            }
        }
        let set: NodeSet = memories.iter().map(|&port| numbering.node(port)).collect();
        let devices =
            (0..ports).map(|port| device(numbering.node(port), config.nodes.get(port), set));
        let devices = devices.collect();
        let processors = (0..ports)
            .filter(|&p| matches!(config.nodes.get(p), Some(Node::Cached { .. } | Node::Io {})))
            .collect();
        let mut mailbox = Mailbox::default();
        mailbox.now = dut.cycle();
        Ok(Supernode {
            machine: Machine::new(
                dut,
                devices,
                map,
                parameters.class_depth,
                checks,
                self.quiet_cycles,
            ),
            topology: topology.clone(),
            mailbox: Rc::new(RefCell::new(mailbox)),
            processors,
            parameters,
            has_registers: direct.is_none(),
            max_cycles: self.max_cycles,
            failed: None,
            config: self.config,
            seed: self.seed,
        })
    }

    fn check_config(
        &self,
        topology: &Topology,
        map: &AddressMap,
        partitions: &[u16],
        parameters: &Parameters,
    ) -> CheckConfig {
        let kind = |port| match self.config.nodes.get(port) {
            Some(Node::Cached { .. }) => PortKind::Cached,
            Some(Node::Memory { .. }) => PortKind::Memory,
            Some(Node::Hostile {}) => PortKind::Hostile,
            Some(Node::Io {} | Node::Core { .. } | Node::Peer { .. }) | None => PortKind::Io,
        };
        let model = |port| match self.config.nodes.get(port) {
            Some(Node::Cached { store_buffer, .. }) if *store_buffer > 0 => consistency::Model::Tso,
            _ => consistency::Model::Sc,
        };
        CheckConfig {
            kinds: (0..self.config.ports).map(kind).collect(),
            models: (0..self.config.ports).map(model).collect(),
            map: map.clone(),
            cables: (self.config.link_errors.is_none()).then(|| topology.clone()),
            partitions: partitions.to_vec(),
            switch_depth: parameters.class_depth.into(),
            node_depth: self.node_depth.into(),
            stuck_after: self.stuck_after,
            directories: (self.conformance)
                .then(|| Numbering::new(parameters.nodes, parameters.nodes_per_chip)),
            log_packets: self.log_packets,
        }
    }
}

/// The chips with links on the ports of their devices.
fn linked(
    chips: Vec<Box<dyn Switch>>,
    topology: &Topology,
    errors: &LinkErrors,
) -> Result<Vec<Box<dyn Switch>>, Failure> {
    let mut first = 0;
    let chips = chips.into_iter().zip(topology.chips());
    let link = |(switch, chip): (_, &topology::Chip)| {
        let linked = Linked::new(switch, chip.devices, first, errors)?;
        first += chip.devices;
        Ok(Box::new(linked) as Box<dyn Switch>)
    };
    chips.map(link).collect()
}

/// Whether a device of these sizes can be made; the rest is checked by [`Config::check`].
fn possible(node: &Node) -> bool {
    !matches!(node, Node::Cached { mshrs, .. } if !(1..=64).contains(mshrs))
}

fn device(id: NodeId, node: Option<&Node>, memories: NodeSet) -> Device {
    match node {
        Some(&Node::Cached {
            sets,
            ways,
            mshrs,
            store_buffer,
        }) => {
            let config = CachedConfig {
                sets,
                ways,
                mshrs,
                store_buffer,
            };
            Device::Cached(Box::new(CachedNode::new(id, config, memories)))
        }
        Some(Node::Memory { timing }) => {
            Device::Memory(Box::new(MemoryNode::new(id, (*timing).into())))
        }
        Some(Node::Io {}) => Device::Io(Box::new(IoNode::new(id, IO_REQUESTS, memories))),
        Some(Node::Hostile {}) => Device::Hostile,
        Some(Node::Core { .. } | Node::Peer { .. }) | None => Device::None,
    }
}

impl From<stimulus::MemoryTiming> for MemoryTiming {
    fn from(timing: stimulus::MemoryTiming) -> Self {
        match timing {
            stimulus::MemoryTiming::Hbm => MemoryTiming::HBM,
            stimulus::MemoryTiming::Ddr => MemoryTiming::DDR,
            stimulus::MemoryTiming::Custom(stimulus::Timing {
                latency,
                channels,
                busy,
            }) => MemoryTiming {
                latency,
                channels,
                busy,
            },
        }
    }
}

impl From<&stimulus::Region> for Region {
    fn from(region: &stimulus::Region) -> Self {
        Region {
            base: region.base,
            size: region.size,
            coherent: region.coherent,
            memories: region.memories.clone(),
            granule: region.granule,
            local_base: region.local_base,
            read_partitions: region.read_partitions,
            write_partitions: region.write_partitions,
        }
    }
}

fn setup(reason: String) -> Failure {
    Failure::new(0, FailureKind::Setup, reason)
}
