//! Register access over APB, and the address map in the registers.

use super::csr_map as csr;
use super::{AddressMap, ApbRequest, Dut};
use crate::check::Checkers;
use crate::{Failure, FailureKind};
use flits::NodeId;

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
    /// Sets of each slice's directory.
    pub dir_sets: usize,
    /// Ways of each slice's directory.
    pub dir_ways: usize,
    /// Transactions in flight in each slice.
    pub trackers: usize,
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

impl Dut {
    /// Reads a register; takes a few cycles, in which the links go on.
    ///
    /// # Errors
    /// If the switch refuses the access or does not end it.
    pub fn csr_read(&mut self, addr: u32, checks: &mut Checkers) -> Result<u32, Failure> {
        self.apb(addr, None, checks)
    }

    /// Writes a register; takes a few cycles, in which the links go on.
    ///
    /// # Errors
    /// If the switch refuses the access or does not end it.
    pub fn csr_write(
        &mut self,
        addr: u32,
        value: u32,
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        self.apb(addr, Some(value), checks).map(|_| ())
    }

    fn apb(
        &mut self,
        addr: u32,
        write: Option<u32>,
        checks: &mut Checkers,
    ) -> Result<u32, Failure> {
        let request = ApbRequest {
            enable: false,
            addr: addr as u16,
            write,
        };
        self.inputs.apb = Some(request);
        self.step(checks)?;
        self.inputs.apb = Some(ApbRequest {
            enable: true,
            ..request
        });
        let what = if write.is_some() { "write" } else { "read" };
        for _ in 0..APB_LIMIT {
            // The edge of this step ends the transfer if the slave was ready before it.
            let response = self.outputs.apb;
            self.step(checks)?;
            if response.ready {
                self.inputs.apb = None;
                if response.error {
                    let text = format!("the switch refuses to {what} register {addr:#05x}");
                    return Err(Failure::new(self.cycle, FailureKind::Setup, text));
                }
                return Ok(response.data);
            }
        }
        self.inputs.apb = None;
        let text = format!("the {what} of register {addr:#05x} takes over {APB_LIMIT} cycles");
        Err(Failure::new(self.cycle, FailureKind::Progress, text))
    }

    /// Reads the parameters of the switch.
    ///
    /// # Errors
    /// If the registers are not those of this switch.
    pub fn parameters(&mut self, checks: &mut Checkers) -> Result<Parameters, Failure> {
        let id = self.csr_read(csr::ID, checks)?;
        if id != u32::from_be_bytes(*b"SNOD") {
            let text = format!("the identification register holds {id:#010x}, which is no switch");
            return Err(Failure::new(self.cycle, FailureKind::Setup, text));
        }
        let first = self.csr_read(csr::PARAMS0, checks)?;
        let second = self.csr_read(csr::PARAMS1, checks)?;
        Ok(Parameters {
            ports: csr::PARAMS0_PORTS.get(first) as usize,
            home_slices: csr::PARAMS0_HOME_SLICES.get(first) as usize,
            regions: csr::PARAMS0_REGIONS.get(first) as usize,
            class_depth: csr::PARAMS0_CLASS_DEPTH.get(first) as u16,
            dir_sets: csr::PARAMS1_DIR_SETS.get(second) as usize,
            dir_ways: csr::PARAMS1_DIR_WAYS.get(second) as usize,
            trackers: csr::PARAMS1_TRACKERS.get(second) as usize,
        })
    }

    /// Writes the address map and the partitions of each port into the registers.
    ///
    /// # Errors
    /// If the map has more regions than the switch, or a register access fails.
    pub fn program(
        &mut self,
        map: &AddressMap,
        partitions: &[u16],
        parameters: &Parameters,
        checks: &mut Checkers,
    ) -> Result<(), Failure> {
        if map.regions().len() > parameters.regions {
            let text = format!(
                "the address map has {} regions and the switch {}",
                map.regions().len(),
                parameters.regions
            );
            return Err(Failure::new(self.cycle, FailureKind::Setup, text));
        }
        for (port, &mask) in partitions.iter().enumerate() {
            self.csr_write(csr::port_partitions(port as u32), mask.into(), checks)?;
        }
        for (index, region) in map.regions().iter().enumerate() {
            let r = index as u32;
            let unit = |addr: u64| (addr >> 16) as u32;
            self.csr_write(csr::region_base(r), unit(region.base), checks)?;
            self.csr_write(csr::region_limit(r), unit(region.last()), checks)?;
            self.csr_write(csr::region_local_base(r), unit(region.local_base), checks)?;
            for (pair, memories) in region.memories.chunks(2).enumerate() {
                let even = csr::REGION_MEM_NODE_EVEN.put(memories[0] as u32);
                let odd = memories
                    .get(1)
                    .map_or(0, |&m| csr::REGION_MEM_NODE_ODD.put(m as u32));
                self.csr_write(csr::region_mem_node(r, pair as u32), even | odd, checks)?;
            }
            let rights = csr::REGION_RIGHTS_READ.put(region.read_partitions.into())
                | csr::REGION_RIGHTS_WRITE.put(region.write_partitions.into());
            self.csr_write(csr::region_rights(r), rights, checks)?;
            let first_home = csr::REGION_HOME_FIRST.put(u16::from(NodeId::home(0)).into());
            self.csr_write(csr::region_home(r), first_home, checks)?;
            let ctrl = csr::REGION_CTRL_VALID.put(1)
                | csr::REGION_CTRL_COHERENT.put(region.coherent.into())
                | csr::REGION_CTRL_MEM_LOG2.put(region.memories.len().trailing_zeros())
                | csr::REGION_CTRL_GRANULE_LOG2.put(region.granule.trailing_zeros())
                | csr::REGION_CTRL_HOME_LOG2.put(map.homes().trailing_zeros());
            self.csr_write(csr::region_ctrl(r), ctrl, checks)?;
        }
        Ok(())
    }

    /// Reads the error log.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn error_log(&mut self, checks: &mut Checkers) -> Result<ErrorLog, Failure> {
        let count = self.csr_read(csr::ERROR_COUNT, checks)?;
        let info = self.csr_read(csr::ERROR_INFO, checks)?;
        if csr::ERROR_INFO_VALID.get(info) == 0 {
            return Ok(ErrorLog { count, first: None });
        }
        let low = self.csr_read(csr::ERROR_ADDR_LO, checks)?;
        let high = self.csr_read(csr::ERROR_ADDR_HI, checks)?;
        let first = Some(LoggedError {
            cause: csr::ERROR_INFO_CAUSE.get(info) as u8,
            opcode: csr::ERROR_INFO_OPCODE.get(info) as u8,
            src: csr::ERROR_INFO_SRC.get(info) as u16,
            addr: (u64::from(high) << 32) | u64::from(low),
        });
        Ok(ErrorLog { count, first })
    }

    /// Reads the counters of a home slice.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn home_counters(
        &mut self,
        slice: u32,
        checks: &mut Checkers,
    ) -> Result<HomeCounters, Failure> {
        Ok(HomeCounters {
            requests: self.csr_read(csr::home_requests(slice), checks)?,
            snoops: self.csr_read(csr::home_snoops(slice), checks)?,
            recalls: self.csr_read(csr::home_recalls(slice), checks)?,
            mem_reads: self.csr_read(csr::home_mem_reads(slice), checks)?,
            mem_writes: self.csr_read(csr::home_mem_writes(slice), checks)?,
            stale: self.csr_read(csr::home_stale(slice), checks)?,
        })
    }
}
