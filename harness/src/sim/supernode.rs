//! The facade: a supernode runs programs.

use super::builder::Builder;
use super::executor::Executor;
use super::machine::Machine;
use super::mailbox::Mailbox;
use super::stats::Stats;
use super::system::System;
use crate::check::{CheckCounts, SeenPacket};
use crate::dut::{AddressMap, ErrorLog, HomeCounters, Parameters, PortCounters, Switch};
use crate::link::CableCounts;
use crate::protocol::pairs::Pairs;
use crate::topology::Topology;
use crate::{Failure, FailureKind};
use flits::stimulus::Config;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

/// Cycles between two looks at whether the programs still wait for anything.
const DEAD_PERIOD: u64 = 1024;

/// A simulated supernode: a switch or several, devices on their ports, and checkers of all they do.
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
    pub(super) machine: Machine,
    pub(super) mailbox: Rc<RefCell<Mailbox>>,
    pub(super) processors: Rc<[usize]>,
    pub(super) parameters: Parameters,
    pub(super) topology: Topology,
    pub(super) has_registers: bool,
    pub(super) max_cycles: u64,
    pub(super) failed: Option<Failure>,
    pub(super) config: Config,
    pub(super) seed: u64,
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
        self.machine.checks.put_off();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.drive(&mut executor)));
        // A program may have got what is no value, and stumbled over it, before that was judged.
        let outcome = self
            .machine
            .judged()
            .and_then(|()| outcome.unwrap_or_else(|panic| panic::resume_unwind(panic)));
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
            let _ = self.machine.dut.trace_close();
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
                if mailbox.now.is_multiple_of(DEAD_PERIOD)
                    && mailbox.is_dead()
                    && !executor.is_ready()
                {
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

    /// The one switch without anything around it, to be reset and used again.
    pub(crate) fn into_switch(self) -> Box<dyn Switch> {
        self.machine.dut.into_switch()
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

    /// Which states of homes and nodes met which inputs, so far.
    pub fn pairs(&self) -> Pairs {
        self.machine.checks.pairs()
    }

    /// Every packet so far; empty unless [`Builder::log_packets`] was set.
    pub fn packets(&self) -> &[SeenPacket] {
        self.machine.checks.packets()
    }

    /// The address map.
    pub fn address_map(&self) -> &AddressMap {
        &self.machine.map
    }

    /// The chips and how they are cabled.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What the switch says of itself; of several chips, the first.
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

    /// Reads a register of the switch; of several chips, of the first.
    ///
    /// # Errors
    /// If the switch refuses the access or has no registers.
    pub fn csr_read(&mut self, addr: u32) -> Result<u32, Failure> {
        let value = self.machine.dut.csr_read(addr, &mut self.machine.checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(value)
    }

    /// Writes a register of the switch; of several chips, of the first.
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

    /// Reads a register of a chip.
    ///
    /// # Errors
    /// If the switch refuses the access or has no registers.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn csr_read_of(&mut self, chip: usize, addr: u32) -> Result<u32, Failure> {
        let Machine { dut, checks, .. } = &mut self.machine;
        let value = dut.csr_read_of(chip, addr, checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(value)
    }

    /// Writes a register of a chip.
    ///
    /// # Errors
    /// If the switch refuses the access or has no registers.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn csr_write_of(&mut self, chip: usize, addr: u32, value: u32) -> Result<(), Failure> {
        let Machine { dut, checks, .. } = &mut self.machine;
        let mut lists = vec![Vec::new(); dut.chips()];
        lists[chip].push((addr, value));
        dut.csr_write_all(&lists, checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(())
    }

    /// What the switch has logged of errors, all chips together; nothing where it has no registers.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn error_log(&mut self) -> Result<ErrorLog, Failure> {
        if !self.has_registers {
            return Ok(ErrorLog::default());
        }
        let Machine { dut, checks, .. } = &mut self.machine;
        let mut all = ErrorLog::default();
        for chip in 0..dut.chips() {
            let log = dut.error_log(chip, checks)?;
            all.count += log.count;
            all.first = all.first.or(log.first);
        }
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(all)
    }

    /// What each home slice has counted, chip by chip; nothing where the switch has no registers.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn home_counters(&mut self) -> Result<Vec<HomeCounters>, Failure> {
        if !self.has_registers {
            return Ok(Vec::new());
        }
        let Machine { dut, checks, .. } = &mut self.machine;
        let slices = self.parameters.home_slices as u32;
        let leaves = 0..self.topology.leaves();
        let counters = leaves
            .flat_map(|chip| (0..slices).map(move |slice| (chip, slice)))
            .map(|(chip, slice)| dut.home_counters(chip, slice, checks))
            .collect();
        self.mailbox.borrow_mut().now = self.cycle();
        counters
    }

    /// What has happened on all links; nothing where there are none.
    pub fn link_counts(&self) -> CableCounts {
        self.machine.dut.link_counts()
    }

    /// What the ports of every chip have counted, chip by chip; nothing where the switch has no
    /// registers.
    ///
    /// # Errors
    /// If a register access fails.
    pub fn port_counters(&mut self) -> Result<Vec<Vec<PortCounters>>, Failure> {
        if !self.has_registers {
            return Ok(Vec::new());
        }
        let Machine { dut, checks, .. } = &mut self.machine;
        let counters = dut.port_counters(checks);
        self.mailbox.borrow_mut().now = self.cycle();
        counters
    }

    /// Sets how long the homes of all chips wait for an answer before they make one up: 2 to the
    /// power of `log2` cycles, 0 for ever.
    ///
    /// # Errors
    /// If a register access fails or the switch has no registers.
    pub fn set_home_timeout(&mut self, log2: u8) -> Result<(), Failure> {
        let Machine { dut, checks, .. } = &mut self.machine;
        dut.set_home_timeout(log2, checks)?;
        self.mailbox.borrow_mut().now = self.cycle();
        Ok(())
    }

    /// Coverage counters of the model; empty unless it is [`Variant::Cov`](crate::dut::Variant::Cov).
    pub fn coverage(&mut self) -> &[u32] {
        self.machine.dut.switch(0).coverage()
    }

    /// Coverage in the format of lcov; empty unless the model is [`Variant::Cov`](crate::dut::Variant::Cov).
    pub fn lcov(&mut self) -> String {
        self.machine.dut.switch(0).lcov()
    }

    /// Ends the VCD file, if one is written, and says whether it is whole.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn close_vcd(&mut self) -> Result<(), Failure> {
        self.machine.dut.trace_close()
    }
}
