//! The facade: a supernode is built, and runs programs.

use super::executor::Executor;
use super::machine::{Device, Machine};
use super::seed;
use super::stats::Stats;
use super::system::{Mailbox, System};
use crate::agents::{CachedConfig, CachedNode, IoNode, MemoryNode, MemoryTiming};
use crate::check::{self, CheckConfig, CheckCounts, Checkers, PortKind, SeenPacket};
use crate::dut::{
    AddressMap, Dut, ErrorLog, HomeCounters, NODE_DEPTH, Parameters, Reference, Region, Stall,
    Switch, Variant, verilated,
};
use crate::{Failure, FailureKind};
use flits::NodeId;
use flits::stimulus::{self, Config, Node};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

/// Requests that a device without a cache has in flight.
const IO_REQUESTS: usize = 8;
/// Cycles between two looks at whether the programs still wait for anything.
const DEAD_PERIOD: u64 = 1024;

/// What stands in for the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The Verilated RTL.
    Rtl(Variant),
    /// The Verilated RTL with 4 ports, 4 homes and very little room; see [`tight`].
    Tight,
    /// The switch of the specification: an ideal fabric around [`crate::protocol::home`].
    Reference,
}

/// Collects what a [`Supernode`] is made of. The default is the 8-port system of
/// [`Config::new`], seed 0, the fast model, all checks on.
#[derive(Debug, Clone)]
pub struct Builder {
    config: Config,
    seed: u64,
    model: Model,
    vcd: Option<(PathBuf, Option<Range<u64>>)>,
    checks: bool,
    log_packets: bool,
    stuck_after: u64,
    node_depth: u16,
    max_cycles: u64,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            config: Config::new(8),
            seed: 0,
            model: Model::Rtl(Variant::Fast),
            vcd: None,
            checks: true,
            log_packets: false,
            stuck_after: check::STUCK_AFTER,
            node_depth: NODE_DEPTH,
            max_cycles: u64::MAX,
        }
    }
}

impl Builder {
    /// The default system of a switch with 4, 8 or 16 ports, see [`Config::new`].
    pub fn ports(self, ports: usize) -> Self {
        self.config(Config::new(ports))
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

    /// Writes a VCD file, on the model that can.
    pub fn vcd(self, path: impl Into<PathBuf>) -> Self {
        Builder {
            vcd: Some((path.into(), None)),
            model: Model::Rtl(Variant::Wave),
            ..self
        }
    }

    /// Writes a VCD file of these cycles only, on the model that can.
    pub fn vcd_window(self, path: impl Into<PathBuf>, cycles: Range<u64>) -> Self {
        let vcd = Some((path.into(), Some(cycles)));
        Builder {
            vcd,
            model: Model::Rtl(Variant::Wave),
            ..self
        }
    }

    /// Whether everything is checked, or nothing for measurements of speed.
    pub fn checks(self, checks: bool) -> Self {
        Builder { checks, ..self }
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

    /// Words of each class that a node's receive buffer holds.
    pub fn node_depth(self, node_depth: u16) -> Self {
        Builder { node_depth, ..self }
    }

    /// Builds the system, resets the switch and programs its address map.
    ///
    /// # Errors
    /// One sentence about a configuration that is not possible.
    pub fn build(self) -> Result<Supernode, Failure> {
        let switch: Box<dyn Switch> = match self.model {
            Model::Rtl(variant) => verilated(self.config.ports, variant)?,
            Model::Tight if self.config.ports == TIGHT_PORTS => tight(),
            Model::Tight => {
                let text = format!("the tight switch has {TIGHT_PORTS} ports and no others");
                return Err(setup(text));
            }
            Model::Reference => Box::new(Reference::new(self.config.ports)),
        };
        self.build_on(switch)
    }

    /// Builds the system around a switch.
    pub(crate) fn build_on(self, mut switch: Box<dyn Switch>) -> Result<Supernode, Failure> {
        let Builder { config, seed, .. } = &self;
        config.check().map_err(setup)?;
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

        let direct = switch.configure(&regions, &partitions);
        let stall = Stall {
            rx_permille: config.stall.rx_permille,
            tx_permille: config.stall.tx_permille,
        };
        let stalls = |port| seed::stream(*seed, &format!("stall {port}"));
        let mut dut = Dut::new(switch, self.node_depth, stall, stalls)?;
        let parameters = match direct {
            Some(parameters) => parameters,
            None => dut.parameters(&mut Checkers::off())?,
        };
        if parameters.ports != ports {
            let has = parameters.ports;
            return Err(setup(format!("the switch has {has} ports and not {ports}")));
        }
        let memories: Vec<usize> = (0..ports)
            .filter(|&port| matches!(config.nodes.get(port), Some(Node::Memory { .. })))
            .collect();
        let map = AddressMap::new(regions, &memories, parameters.home_slices)
            .map_err(|error| setup(error.to_string()))?;
        let mut checks = match self.checks {
            true => Checkers::new(self.check_config(&map, &partitions, &parameters)),
            false => Checkers::off(),
        };

        // The parameters were read unwatched; the checkers see everything from this reset on.
        dut.reset()?;
        if let Some((path, window)) = &self.vcd {
            dut.switch().trace_open(path, window.clone())?;
        }
        if direct.is_none() {
            dut.program(&map, &partitions, &parameters, &mut checks)?;
        }
        let devices = (0..ports).map(|port| device(port, config.nodes.get(port), &memories));
        let devices = devices.collect();
        let processors = (0..ports)
            .filter(|&p| matches!(config.nodes.get(p), Some(Node::Cached { .. } | Node::Io {})))
            .collect();
        let mut mailbox = Mailbox::default();
        mailbox.now = dut.cycle();
        Ok(Supernode {
            machine: Machine::new(dut, devices, map, parameters.class_depth, checks),
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
        map: &AddressMap,
        partitions: &[u16],
        parameters: &Parameters,
    ) -> CheckConfig {
        let kind = |port| match self.config.nodes.get(port) {
            Some(Node::Cached { .. }) => PortKind::Cached,
            Some(Node::Memory { .. }) => PortKind::Memory,
            Some(Node::Hostile {}) => PortKind::Hostile,
            Some(Node::Io {}) | None => PortKind::Io,
        };
        CheckConfig {
            kinds: (0..self.config.ports).map(kind).collect(),
            map: map.clone(),
            partitions: partitions.to_vec(),
            switch_depth: parameters.class_depth.into(),
            node_depth: self.node_depth.into(),
            stuck_after: self.stuck_after,
            log_packets: self.log_packets,
        }
    }
}

/// Whether a device of these sizes can be made; the rest is checked by [`Config::check`].
fn possible(node: &Node) -> bool {
    !matches!(node, Node::Cached { mshrs, .. } if !(1..=64).contains(mshrs))
}

fn device(port: usize, node: Option<&Node>, memories: &[usize]) -> Device {
    let id = NodeId::port(port as u16);
    let memories = memories.iter().fold(0, |mask, &memory| mask | 1 << memory);
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
        None => Device::None,
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

/// A simulated supernode: a switch, devices on its ports, and checkers of all they do.
///
/// ```no_run
/// use harness::sim::Supernode;
/// let mut sn = Supernode::builder().ports(8).seed(7).build()?;
/// sn.run(|sys| async move {
///     sys.node(0).store(0x1000, 42u64).await;
///     assert_eq!(sys.node(1).load::<u64>(0x1000).await, 42);
/// })?;
/// # Ok::<(), harness::Failure>(())
/// ```
pub struct Supernode {
    machine: Machine,
    mailbox: Rc<RefCell<Mailbox>>,
    processors: Rc<[usize]>,
    parameters: Parameters,
    has_registers: bool,
    max_cycles: u64,
    failed: Option<Failure>,
    config: Config,
    seed: u64,
}

impl Supernode {
    /// Starts from the default system.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs a program, and those that it spawns, to their ends; then waits until nothing moves any
    /// more and makes the checks that need a system at rest. Caches, memories and time stay as they
    /// are for the next run.
    ///
    /// # Errors
    /// The first violation of any check, or an access that was answered with an error that no
    /// program asked for. The supernode is of no use afterwards and answers with the same failure.
    ///
    /// # Panics
    /// If the program panics: with that panic.
    pub fn run<F, Fut>(&mut self, program: F) -> Result<Fut::Output, Failure>
    where
        F: FnOnce(System) -> Fut,
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let output = Rc::new(Cell::new(None));
        let result = output.clone();
        let future = program(System::new(self.mailbox.clone(), self.processors.clone()));
        let mut executor = Executor::default();
        executor.spawn(Box::pin(async move { result.set(Some(future.await)) }));
        let outcome = self.drive(&mut executor);
        // Programs that did not end hold the mailbox.
        drop(executor);
        self.mailbox.borrow_mut().take_spawned();
        let outcome = outcome.and_then(|()| {
            let unfinished = "the program ended without a result";
            output
                .take()
                .ok_or_else(|| self.failure(FailureKind::Progress, unfinished))
        });
        if let Err(failure) = &outcome {
            self.failed = Some(failure.clone());
            // The failure to report is the one found; one of the file would hide it.
            let _ = self.machine.dut.switch().trace_close();
        }
        outcome
    }

    fn drive(&mut self, executor: &mut Executor) -> Result<(), Failure> {
        let mailbox = self.mailbox.clone();
        loop {
            executor.poll(|| mailbox.borrow_mut().take_spawned());
            let mut mailbox = mailbox.borrow_mut();
            if let Some(failure) = mailbox.failure.take() {
                return Err(failure);
            }
            if executor.live() == 0 {
                break;
            }
            while !executor.is_ready() {
                self.machine.step(&mut mailbox)?;
                if mailbox.now >= self.max_cycles {
                    let limit = self.max_cycles;
                    let text = format!("the run is not over after {limit} cycles");
                    return Err(self.failure(FailureKind::Progress, &text));
                }
                if mailbox.now % DEAD_PERIOD == 0 && mailbox.is_dead() && !executor.is_ready() {
                    let text = format!(
                        "{} programs wait for each other and for nothing in the supernode",
                        executor.live()
                    );
                    return Err(self.failure(FailureKind::Progress, &text));
                }
            }
        }
        let mut mailbox = mailbox.borrow_mut();
        self.machine.settle(&mut mailbox)?;
        self.machine.check_end().map(|_| ())
    }

    fn failure(&self, kind: FailureKind, text: &str) -> Failure {
        Failure::new(self.cycle(), kind, text)
    }

    /// Clock cycles since reset.
    pub fn cycle(&self) -> u64 {
        self.machine.dut.cycle()
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.machine.stats()
    }

    /// How much was checked so far.
    pub fn check_counts(&self) -> CheckCounts {
        self.machine.checks.counts()
    }

    /// Every packet so far; empty unless [`Builder::log_packets`] was set.
    pub fn packets(&self) -> &[SeenPacket] {
        self.machine.checks.packets()
    }

    /// The address map.
    pub fn address_map(&self) -> &AddressMap {
        &self.machine.map
    }

    /// What the switch says of itself.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Devices, address map and stalls.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Ports whose nodes run programs.
    pub fn processors(&self) -> &[usize] {
        &self.processors
    }

    /// Reads a register of the switch.
    ///
    /// # Errors
    /// If the switch refuses the access or has no registers.
    pub fn csr_read(&mut self, addr: u32) -> Result<u32, Failure> {
        let value = self.machine.dut.csr_read(addr, &mut self.machine.checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(value)
    }

    /// Writes a register of the switch.
    ///
    /// # Errors
    /// If the switch refuses the access or has no registers.
    pub fn csr_write(&mut self, addr: u32, value: u32) -> Result<(), Failure> {
        self.machine
            .dut
            .csr_write(addr, value, &mut self.machine.checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(())
    }

    /// What the switch has logged of errors; nothing where it has no registers.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn error_log(&mut self) -> Result<ErrorLog, Failure> {
        if !self.has_registers {
            return Ok(ErrorLog::default());
        }
        let log = self.machine.dut.error_log(&mut self.machine.checks);
        self.mailbox.borrow_mut().now = self.cycle();
        log
    }

    /// What each home slice has counted; nothing where the switch has no registers.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn home_counters(&mut self) -> Result<Vec<HomeCounters>, Failure> {
        if !self.has_registers {
            return Ok(Vec::new());
        }
        let Machine { dut, checks, .. } = &mut self.machine;
        let slices = 0..self.parameters.home_slices as u32;
        let counters = slices
            .map(|slice| dut.home_counters(slice, checks))
            .collect();
        self.mailbox.borrow_mut().now = self.cycle();
        counters
    }

    /// Coverage counters of the model; empty unless it is [`Variant::Cov`].
    pub fn coverage(&mut self) -> &[u32] {
        self.machine.dut.switch().coverage()
    }

    /// Coverage in the format of lcov; empty unless the model is [`Variant::Cov`].
    pub fn lcov(&mut self) -> String {
        self.machine.dut.switch().lcov()
    }

    /// Ends the VCD file, if one is written, and says whether it is whole.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn close_vcd(&mut self) -> Result<(), Failure> {
        self.machine.dut.switch().trace_close()
    }
}
