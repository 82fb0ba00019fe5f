//! Register access over APB, and the address map in the registers.

use super::csr_map as csr;
use super::{AddressMap, ApbRequest, CLASSES, Dut};
use crate::check::Checkers;
use crate::topology::Topology;
use crate::{Failure, FailureKind};

/// Cycles that a register access may take.
const APB_LIMIT: u32 = 64;

/// What a switch says of itself in its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Ports.
    pub ports: usize,
    /// Home slices.
    pub home_slices: usize,
    /// Regions of the address map.
    pub regions: usize,
    /// Words of each class that an input buffers.
    pub class_depth: u16,
    /// Words of any class that it buffers beyond those.
    pub shared_depth: u16,
    /// Sets of each slice's directory.
    pub dir_sets: usize,
    /// Ways of each slice's directory.
    pub dir_ways: usize,
    /// Transactions in flight in each slice.
    pub trackers: usize,
    /// Nodes that a directory tells apart.
    pub nodes: usize,
    /// Most devices on each chip of a system.
    pub nodes_per_chip: usize,
    /// Chips that it can have a way to.
    pub chips: usize,
}

/// What the switch has logged of errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrorLog {
    /// Errors so far.
    pub count: u32,
    /// The first of them.
    pub first: Option<LoggedError>,
}

/// An error that the switch has logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedError {
    /// Code of the cause, as in `rtl/supernode_pkg.sv`.
    pub cause: u8,
    /// Code of the opcode.
    pub opcode: u8,
    /// Node that sent the packet.
    pub src: u16,
    /// Its address.
    pub addr: u64,
}

/// What a home slice has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HomeCounters {
    /// Requests taken up.
    pub requests: u32,
    /// Snoops sent.
    pub snoops: u32,
    /// Lines taken back to make room in the directory.
    pub recalls: u32,
    /// Memory reads sent.
    pub mem_reads: u32,
    /// Memory writes sent.
    pub mem_writes: u32,
    /// Write-backs and evicts of lines that the sender no longer held.
    pub stale: u32,
}

/// What a port of a chip has counted since the counters were cleared: its flits, and what happened at
/// its way in and on its link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PortCounters {
    /// Flits taken from the node or the other chip, by class.
    pub rx_flits: [u32; CLASSES],
    /// Flits sent to it, by class.
    pub tx_flits: [u32; CLASSES],
    /// Words that the port has sent through the crossbar.
    pub grants: u32,
    /// Cycles in which its words could go, but those of others went first.
    pub stalls_arbitration: u32,
    /// Cycles in which its words waited for a credit at their output.
    pub stalls_credit: u32,
    /// Cycles in which its words waited for the end of another's packet.
    pub stalls_lock: u32,
    /// Most words of each class in its buffer since reset.
    pub high_water: [u32; CLASSES],
    /// Words on the link that were not what had been sent.
    pub crc_errors: u32,
    /// Times that words were sent again on the link.
    pub replays: u32,
    /// Times that this was since no acknowledgement came.
    pub timeouts: u32,
    /// Times that the link was lost and trained again.
    pub retrains: u32,
    /// Times that the link was given up.
    pub deaths: u32,
}

/// A register access on one of the chips.
#[derive(Clone, Copy)]
struct Access {
    chip: usize,
    addr: u16,
    /// What to write; `None` reads.
    write: Option<u32>,
}

impl Access {
    fn request(&self, enable: bool) -> ApbRequest {
        let &Access { addr, write, .. } = self;
        ApbRequest {
            enable,
            addr,
            write,
        }
    }
}

impl Dut {
    /// Reads a register of chip 0; takes a few cycles, in which the links go on.
    ///
    /// # Errors
    /// If the switch refuses the access or does not end it.
    pub fn csr_read(&mut self, addr: u32, checks: &mut Checkers) -> Result<u32, Failure> {
        self.csr_read_of(0, addr, checks)
    }

    /// Writes a register of chip 0; takes a few cycles, in which the links go on.
    ///
    /// # Errors
    /// If the switch refuses the access or does not end it.
    pub fn csr_write(
        &mut self,
        addr: u32,
        value: u32,
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        let (addr, write) = (addr as u16, Some(value));
        self.apb(
            &[Access {
                chip: 0,
                addr,
                write,
            }],
            checks,
        )
        .map(|_| ())
    }

    /// Reads a register of a chip.
    ///
    /// # Errors
    /// As [`Dut::csr_read`].
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn csr_read_of(
        &mut self,
        chip: usize,
        addr: u32,
        checks: &mut Checkers,
    ) -> Result<u32, Failure> {
        let (addr, write) = (addr as u16, None);
        let data = self.apb(&[Access { chip, addr, write }], checks)?;
        Ok(data[0])
    }

    /// Writes lists of registers, one for each chip from chip 0 on, side by side.
    ///
    /// # Errors
    /// If a switch refuses an access or does not end it.
    pub fn csr_write_all(
        &mut self,
        lists: &[Vec<(u32, u32)>],
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        for turn in 0..longest {
            let access = |(chip, list): (usize, &Vec<(u32, u32)>)| {
                let &(addr, value) = list.get(turn)?;
                let (addr, write) = (addr as u16, Some(value));
                Some(Access { chip, addr, write })
            };
            let accesses: Vec<Access> = lists.iter().enumerate().filter_map(access).collect();
            self.apb(&accesses, checks)?;
        }
        Ok(())
    }

    /// Transfers on different chips, begun in one cycle. Gives what each has read.
    fn apb(&mut self, accesses: &[Access], checks: &mut Checkers) -> Result<Vec<u32>, Failure> {
        for access in accesses {
            self.chips[access.chip].inputs.apb = Some(access.request(false));
        }
        self.step(checks)?;
        for access in accesses {
            self.chips[access.chip].inputs.apb = Some(access.request(true));
        }
        let mut results = vec![None; accesses.len()];
        for _ in 0..APB_LIMIT {
            // The edge of a step ends a transfer if the slave was ready before it.
            let responses: Vec<_> = accesses
                .iter()
                .map(|access| self.chips[access.chip].outputs.apb)
                .collect();
            self.step(checks)?;
            for ((access, response), result) in accesses.iter().zip(responses).zip(&mut results) {
                if response.ready && result.is_none() {
                    self.chips[access.chip].inputs.apb = None;
                    *result = Some(response);
                }
            }
            if results.iter().all(Option::is_some) {
                break;
            }
        }
        let mut data = Vec::with_capacity(accesses.len());
        for (access, result) in accesses.iter().zip(results) {
            let Access { chip, addr, write } = *access;
            self.chips[chip].inputs.apb = None;
            let what = if write.is_some() { "write" } else { "read" };
            match result {
                Some(response) if !response.error => data.push(response.data),
                Some(_) => {
                    let text = format!("the switch refuses to {what} register {addr:#05x}");
                    return Err(Failure::new(self.cycle, FailureKind::Setup, text));
                }
                None => {
                    let text =
                        format!("the {what} of register {addr:#05x} takes over {APB_LIMIT} cycles");
                    return Err(Failure::new(self.cycle, FailureKind::Progress, text));
                }
            }
        }
        Ok(data)
    }

    /// Reads the parameters of a chip.
    ///
    /// # Errors
    /// If the registers are not those of this switch.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn parameters(
        &mut self,
        chip: usize,
        checks: &mut Checkers,
    ) -> Result<Parameters, Failure> {
        let id = self.csr_read_of(chip, csr::ID, checks)?;
        if id != u32::from_be_bytes(*b"SNOD") {
            let text = format!("the identification register holds {id:#010x}, which is no switch");
            return Err(Failure::new(self.cycle, FailureKind::Setup, text));
        }
        let first = self.csr_read_of(chip, csr::PARAMS0, checks)?;
        let second = self.csr_read_of(chip, csr::PARAMS1, checks)?;
        let third = self.csr_read_of(chip, csr::PARAMS2, checks)?;
        let fourth = self.csr_read_of(chip, csr::PARAMS3, checks)?;
        Ok(Parameters {
            ports: csr::PARAMS0_PORTS.get(first) as usize,
            home_slices: csr::PARAMS0_HOME_SLICES.get(first) as usize,
            regions: csr::PARAMS0_REGIONS.get(first) as usize,
            class_depth: csr::PARAMS0_CLASS_DEPTH.get(first) as u16,
            shared_depth: csr::PARAMS3_SHARED_DEPTH.get(fourth) as u16,
            dir_sets: csr::PARAMS1_DIR_SETS.get(second) as usize,
            dir_ways: csr::PARAMS1_DIR_WAYS.get(second) as usize,
            trackers: csr::PARAMS1_TRACKERS.get(second) as usize,
            nodes: csr::PARAMS2_NODES.get(third) as usize,
            nodes_per_chip: csr::PARAMS2_NODES_PER_CHIP.get(third) as usize,
            chips: csr::PARAMS2_CHIPS.get(third) as usize,
        })
    }

    /// Writes the chips' places and ways, the address map and the partitions of each port into the
    /// registers of all chips.
    ///
    /// # Errors
    /// If the system does not fit the chips, or a register access fails.
    pub fn program(
        &mut self,
        topology: &Topology,
        map: &AddressMap,
        partitions: &[u16],
        parameters: &Parameters,
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        let fail = |text| Err(Failure::new(0, FailureKind::Setup, text));
        let (regions, chips) = (map.regions().len(), topology.chips().len());
        let per_chip = topology.numbering().per_chip();
        if regions > parameters.regions {
            return fail(format!(
                "the address map has {regions} regions and the switch {}",
                parameters.regions
            ));
        }
        if chips > 1
            && (topology.leaves() > parameters.chips || per_chip > parameters.nodes_per_chip)
        {
            return fail(format!(
                "the switch is made for {} chips with {} devices each, and not for {} with                  {per_chip}",
                parameters.chips,
                parameters.nodes_per_chip,
                topology.leaves()
            ));
        }
        let lists = Dut::registers(topology, map, partitions);
        self.csr_write_all(&lists, checks)
    }

    /// Lets the homes give an answer up that has not come in 2 to the power `log2` cycles; 0: never.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn set_home_timeout(&mut self, log2: u8, checks: &mut Checkers) -> Result<(), Failure> {
        self.set_everywhere(&[(csr::HOME_TIMEOUT, log2.into())], checks)
    }

    /// Lets the switches end a packet that its device has not gone on with for 2 to the power `log2`
    /// cycles, though it could; 0: never.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn set_packet_timeout(&mut self, log2: u8, checks: &mut Checkers) -> Result<(), Failure> {
        // The interval under way would go on to its end; without any, the new one begins at once.
        let writes = [0, log2.into()].map(|value| (csr::PACKET_TIMEOUT, value));
        self.set_everywhere(&writes, checks)
    }

    /// Writes the same registers and values on all chips.
    fn set_everywhere(
        &mut self,
        writes: &[(u32, u32)],
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        let lists = vec![writes.to_vec(); self.chips()];
        self.csr_write_all(&lists, checks)
    }

    /// What [`Dut::program`] writes: for each chip, registers and their values.
    pub fn registers(
        topology: &Topology,
        map: &AddressMap,
        partitions: &[u16],
    ) -> Vec<Vec<(u32, u32)>> {
        let per_chip = topology.numbering().per_chip();
        let of_chip = |chip: usize| {
            let mut list = place(topology, chip);
            let ports = 0..topology.chips()[chip].devices;
            let mask = |port: usize| partitions[chip * per_chip + port];
            list.extend(ports.map(|port| (csr::port_partitions(port as u32), mask(port).into())));
            list.extend(regions_of(map));
            list
        };
        (0..topology.chips().len()).map(of_chip).collect()
    }

    /// Reads the error log of a chip.
    ///
    /// # Errors
    /// If a register access fails.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn error_log(&mut self, chip: usize, checks: &mut Checkers) -> Result<ErrorLog, Failure> {
        let count = self.csr_read_of(chip, csr::ERROR_COUNT, checks)?;
        let info = self.csr_read_of(chip, csr::ERROR_INFO, checks)?;
        if csr::ERROR_INFO_VALID.get(info) == 0 {
            return Ok(ErrorLog { count, first: None });
        }
        let low = self.csr_read_of(chip, csr::ERROR_ADDR_LO, checks)?;
        let high = self.csr_read_of(chip, csr::ERROR_ADDR_HI, checks)?;
        let first = Some(LoggedError {
            cause: csr::ERROR_INFO_CAUSE.get(info) as u8,
            opcode: csr::ERROR_INFO_OPCODE.get(info) as u8,
            src: csr::ERROR_INFO_SRC.get(info) as u16,
            addr: (u64::from(high) << 32) | u64::from(low),
        });
        Ok(ErrorLog { count, first })
    }

    /// Reads the counters of a home slice of a chip.
    ///
    /// # Errors
    /// If a register access fails.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn home_counters(
        &mut self,
        chip: usize,
        slice: u32,
        checks: &mut Checkers,
    ) -> Result<HomeCounters, Failure> {
        Ok(HomeCounters {
            requests: self.csr_read_of(chip, csr::home_requests(slice), checks)?,
            snoops: self.csr_read_of(chip, csr::home_snoops(slice), checks)?,
            recalls: self.csr_read_of(chip, csr::home_recalls(slice), checks)?,
            mem_reads: self.csr_read_of(chip, csr::home_mem_reads(slice), checks)?,
            mem_writes: self.csr_read_of(chip, csr::home_mem_writes(slice), checks)?,
            stale: self.csr_read_of(chip, csr::home_stale(slice), checks)?,
        })
    }
}

impl Dut {
    /// Reads the counters of every port of every chip, chip by chip; chips side by side.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn port_counters(
        &mut self,
        checks: &mut Checkers,
    ) -> Result<Vec<Vec<PortCounters>>, Failure> {
        let sizes: Vec<usize> = self.chips.iter().map(|chip| chip.switch.ports()).collect();
        let most = sizes.iter().copied().max().unwrap_or(0);
        let mut all: Vec<Vec<PortCounters>> = vec![Vec::new(); sizes.len()];
        for port in 0..most {
            let chips: Vec<usize> = (0..sizes.len())
                .filter(|&chip| port < sizes[chip])
                .collect();
            let mut of_port = vec![PortCounters::default(); chips.len()];
            for (addr, slot) in counters(port as u32) {
                let access = |&chip: &usize| Access {
                    chip,
                    addr: addr as u16,
                    write: None,
                };
                let accesses: Vec<Access> = chips.iter().map(access).collect();
                let values = self.apb(&accesses, checks)?;
                for (counters, value) in of_port.iter_mut().zip(values) {
                    *slot(counters) = value;
                }
            }
            for (&chip, counters) in chips.iter().zip(of_port) {
                all[chip].push(counters);
            }
        }
        Ok(all)
    }
}

/// Where a counter of a port is kept.
type Slot = Box<dyn Fn(&mut PortCounters) -> &mut u32>;

/// The registers of a port's counters.
fn counters(port: u32) -> Vec<(u32, Slot)> {
    let mut list: Vec<(u32, Slot)> = vec![
        (csr::port_events_grants(port), Box::new(|c| &mut c.grants)),
        (
            csr::port_events_stalls_arbitration(port),
            Box::new(|c| &mut c.stalls_arbitration),
        ),
        (
            csr::port_events_stalls_credit(port),
            Box::new(|c| &mut c.stalls_credit),
        ),
        (
            csr::port_events_stalls_lock(port),
            Box::new(|c| &mut c.stalls_lock),
        ),
        (
            csr::port_events_crc_errors(port),
            Box::new(|c| &mut c.crc_errors),
        ),
        (csr::port_events_replays(port), Box::new(|c| &mut c.replays)),
        (
            csr::port_events_timeouts(port),
            Box::new(|c| &mut c.timeouts),
        ),
        (
            csr::port_events_retrains(port),
            Box::new(|c| &mut c.retrains),
        ),
        (csr::port_events_deaths(port), Box::new(|c| &mut c.deaths)),
    ];
    for class in 0..CLASSES {
        let code = class as u32;
        list.push((
            csr::port_rx_flits(port, code),
            Box::new(move |c| &mut c.rx_flits[class]),
        ));
        list.push((
            csr::port_tx_flits(port, code),
            Box::new(move |c| &mut c.tx_flits[class]),
        ));
        list.push((
            csr::port_events_high_water(port, code),
            Box::new(move |c| &mut c.high_water[class]),
        ));
    }
    list
}

/// What the registers of a chip say of its place among the others. A switch standing alone is left
/// as it is after reset.
fn place(topology: &Topology, number: usize) -> Vec<(u32, u32)> {
    let chip = &topology.chips()[number];
    if topology.chips().len() == 1 {
        return Vec::new();
    }
    let fabric_ports =
        csr::FABRIC_PORTS_DOWN.put(chip.down.into()) | csr::FABRIC_PORTS_UP.put(chip.up.into());
    let mut list = vec![
        (csr::CHIP_ID, number as u32),
        (csr::FABRIC_PORTS, fabric_ports),
    ];
    for (target, route) in chip.routes.iter().enumerate() {
        if let Some(route) = route {
            let slots = route.iter().enumerate();
            let word = slots.fold(0, |word, (slot, &port)| {
                word | u32::from(port) << (4 * slot)
            });
            list.push((csr::route(target as u32), word));
        }
    }
    list
}

/// The registers of the address map.
fn regions_of(map: &AddressMap) -> Vec<(u32, u32)> {
    let unit = |addr: u64| (addr >> 16) as u32;
    let mut list = Vec::new();
    for (index, region) in map.regions().iter().enumerate() {
        let r = index as u32;
        list.push((csr::region_base(r), unit(region.base)));
        list.push((csr::region_limit(r), unit(region.last())));
        list.push((csr::region_local_base(r), unit(region.local_base)));
        for (pair, memories) in region.memories.chunks(2).enumerate() {
            let node = |at: usize| {
                memories
                    .get(at)
                    .map_or(0, |&port| u16::from(map.node(port)).into())
            };
            let even = csr::REGION_MEM_NODE_EVEN.put(node(0));
            let odd = csr::REGION_MEM_NODE_ODD.put(node(1));
            list.push((csr::region_mem_node(r, pair as u32), even | odd));
        }
        let rights = csr::REGION_RIGHTS_READ.put(region.read_partitions.into())
            | csr::REGION_RIGHTS_WRITE.put(region.write_partitions.into());
        list.push((csr::region_rights(r), rights));
        let first_home = csr::REGION_HOME_FIRST.put(u16::from(map.first_home()).into());
        list.push((csr::region_home(r), first_home));
        let ctrl = csr::REGION_CTRL_VALID.put(1)
            | csr::REGION_CTRL_COHERENT.put(region.coherent.into())
            | csr::REGION_CTRL_MEM_LOG2.put(region.memories.len().trailing_zeros())
            | csr::REGION_CTRL_GRANULE_LOG2.put(region.granule.trailing_zeros())
            | csr::REGION_CTRL_HOME_LOG2.put(map.homes().trailing_zeros())
            | csr::REGION_CTRL_HOME_CHIPS_LOG2.put(map.home_chips().trailing_zeros());
        list.push((csr::region_ctrl(r), ctrl));
    }
    list
}
