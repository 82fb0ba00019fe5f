//! The switch, the devices and the checkers, cycle by cycle.

use super::mailbox::Mailbox;
use super::stats::{NodeStats, Stats};
use crate::agents::{Agent, CachedNode, Context, IoNode, MemoryNode, OpId};
use crate::check::{CheckCounts, Checkers, LineVisitor};
use crate::dut::{AddressMap, Dut, bits};
use crate::{Failure, FailureKind};
use flits::layout::LINE_BYTES;
use flits::{Assembler, Class, Packet};

/// Cycles without any word after which the switch counts as quiet: what it holds back, it does not
/// hold this long.
pub(super) const QUIET_CYCLES: u64 = 64;
/// Cycles that the switch may take to become quiet when nobody wants anything any more.
const QUIET_LIMIT: u64 = 20_000;

/// What is on a port.
pub(crate) enum Device {
    Cached(Box<CachedNode>),
    Memory(Box<MemoryNode>),
    Io(Box<IoNode>),
    /// Sends words as they are, and takes whatever comes.
    Hostile,
    /// Nothing: the port is never sent anything.
    None,
}

impl Device {
    fn agent(&self) -> Option<&dyn Agent> {
        match self {
            Device::Cached(node) => Some(node.as_ref()),
            Device::Memory(node) => Some(node.as_ref()),
            Device::Io(node) => Some(node.as_ref()),
            Device::Hostile | Device::None => None,
        }
    }

    fn agent_mut(&mut self) -> Option<&mut dyn Agent> {
        match self {
            Device::Cached(node) => Some(node.as_mut()),
            Device::Memory(node) => Some(node.as_mut()),
            Device::Io(node) => Some(node.as_mut()),
            Device::Hostile | Device::None => None,
        }
    }
}

/// A port's device and what the machine keeps beside it.
struct Station {
    device: Device,
    assembler: Assembler,
    stats: NodeStats,
}

/// The simulated system.
pub(crate) struct Machine {
    pub(crate) dut: Dut,
    pub(crate) checks: Checkers,
    pub(crate) map: AddressMap,
    stations: Vec<Station>,
    /// The next cycle in which each device wants to act by itself.
    wake: Vec<u64>,
    /// Credits that the switch grants for each class.
    switch_depth: u16,
    /// Whether some device is [`Device::Hostile`].
    hostile: bool,
    /// Cycles without any word after which a run is over.
    quiet_cycles: u64,
    /// The cycle in which the first program started.
    pub(crate) started: u64,
}

impl Machine {
    pub(crate) fn new(
        dut: Dut,
        devices: Vec<Device>,
        map: AddressMap,
        switch_depth: u16,
        checks: Checkers,
        quiet_cycles: u64,
    ) -> Self {
        let station = |device| Station {
            device,
            assembler: Assembler::new(),
            stats: NodeStats::default(),
        };
        Machine {
            hostile: devices
                .iter()
                .any(|device| matches!(device, Device::Hostile)),
            quiet_cycles,
            started: dut.cycle(),
            dut,
            checks,
            map,
            wake: vec![u64::MAX; devices.len()],
            stations: devices.into_iter().map(station).collect(),
            switch_depth,
        }
    }

    /// One clock cycle. A violation may be found some cycles late; another failure is preceded by
    /// those of the cycles before.
    pub(crate) fn step(&mut self, mailbox: &mut Mailbox) -> Result<(), Failure> {
        let cycle = self.dut.cycle() + 1;
        self.advance(cycle, mailbox).map_err(|failure| {
            let earlier = self.judged().err();
            earlier
                .filter(|found| found.cycle < cycle)
                .unwrap_or(failure)
        })?;
        self.checks.take_failure().map_or(Ok(()), Err)
    }

    /// The first violation so far.
    pub(crate) fn judged(&mut self) -> Result<(), Failure> {
        self.checks.catch_up();
        self.checks.take_failure().map_or(Ok(()), Err)
    }

    fn advance(&mut self, cycle: u64, mailbox: &mut Mailbox) -> Result<(), Failure> {
        if !mailbox.submitted.is_empty() {
            let mut submitted = std::mem::take(&mut mailbox.submitted);
            for (port, id) in submitted.drain(..) {
                self.submit(cycle, port, id, mailbox)?;
            }
            mailbox.submitted = submitted;
        }
        for (port, word) in mailbox.raw.drain(..) {
            self.dut.send(port, word);
        }
        for port in 0..self.stations.len() {
            if self.wake[port] <= cycle {
                self.act(port, mailbox, |agent, cx| agent.tick(cx))?;
            }
        }
        self.dut.step(&mut self.checks)?;
        for port in bits(self.dut.received()) {
            self.receive(port, mailbox)?;
        }
        self.checks.tick(cycle);
        mailbox.now = cycle;
        mailbox.wake_timers();
        Ok(())
    }

    fn submit(
        &mut self,
        cycle: u64,
        port: usize,
        id: OpId,
        mailbox: &mut Mailbox,
    ) -> Result<(), Failure> {
        self.checks.on_op_start(cycle, port, &mailbox.ops[id]);
        self.act(port, mailbox, |agent, cx| agent.submit(id, cx))
    }

    /// Lets the device on a port act, and notes what it wants next.
    fn act(
        &mut self,
        port: usize,
        mailbox: &mut Mailbox,
        action: impl FnOnce(&mut dyn Agent, &mut Context<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let station = &mut self.stations[port];
        let Some(agent) = station.device.agent_mut() else {
            return Ok(());
        };
        let cycle = mailbox.now + 1;
        let mut cx = Context {
            cycle,
            port,
            out: self.dut.outbox(port),
            ops: &mut mailbox.ops,
            checks: &mut self.checks,
            stats: &mut station.stats,
            hostile: self.hostile,
        };
        action(agent, &mut cx)?;
        self.wake[port] = agent.wake();
        self.dut.sends(port);
        Ok(())
    }

    /// Hands over what has arrived on a port, as far as the device takes it.
    fn receive(&mut self, port: usize, mailbox: &mut Mailbox) -> Result<(), Failure> {
        for class in bits(self.dut.received_classes(port)) {
            while let Some(word) = self.dut.peek(port, class) {
                let station = &mut self.stations[port];
                let Some(agent) = station.device.agent() else {
                    self.receive_nobody(port, class)?;
                    continue;
                };
                if word.head && !agent.accepts(word.class, self.dut.outbox(port)) {
                    break;
                }
                let Some(word) = self.dut.take(port, class) else {
                    break;
                };
                let packet = station.assembler.push(word).map_err(|error| {
                    let text = format!("port {port}: the switch sends no packet: {error}");
                    Failure::new(mailbox.now + 1, FailureKind::Link, text)
                })?;
                if let Some(Packet { header, payload }) = packet {
                    self.act(port, mailbox, |agent, cx| {
                        agent.on_packet(&header, &payload, cx)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A word arrives where no device is, or one that takes whatever comes.
    fn receive_nobody(&mut self, port: usize, class: usize) -> Result<(), Failure> {
        let Some(word) = self.dut.take(port, class) else {
            return Ok(());
        };
        let station = &mut self.stations[port];
        let what = match station.device {
            Device::None => format!("port {port} has no device and is sent {word}"),
            _ => match station.assembler.push(word) {
                Ok(_) => return Ok(()),
                Err(error) => format!("port {port}: the switch sends no packet: {error}"),
            },
        };
        Err(Failure::new(self.dut.cycle(), FailureKind::Link, what))
    }

    /// Whether no device wants anything, nothing is on the links or waits in the switch's inputs, and
    /// no device has got part of a packet.
    fn is_quiet(&self) -> bool {
        let lost = self.dut.lost();
        self.dut.is_quiet()
            && self.dut.credits_home(self.switch_depth)
            && (self.stations.iter().enumerate())
                .filter(|&(port, _)| lost >> port & 1 == 0)
                .all(|(_, station)| {
                    let agent = station.device.agent();
                    agent.is_none_or(|agent| agent.is_idle()) && !station.assembler.is_inside()
                })
    }

    /// Goes on until nothing moves any more.
    pub(crate) fn settle(&mut self, mailbox: &mut Mailbox) -> Result<(), Failure> {
        let begin = self.dut.cycle();
        let mut quiet = 0;
        while quiet < self.quiet_cycles {
            self.step(mailbox)?;
            quiet = if self.is_quiet() { quiet + 1 } else { 0 };
            if self.dut.cycle() - begin > QUIET_LIMIT {
                let text = format!(
                    "all programs have ended and the switch is not quiet after {QUIET_LIMIT} \
                     cycles; {}",
                    self.restless()
                );
                return Err(Failure::new(self.dut.cycle(), FailureKind::Progress, text));
            }
        }
        Ok(())
    }

    /// Who keeps the system from being quiet.
    fn restless(&self) -> String {
        let busy: Vec<usize> = (0..self.stations.len())
            .filter(|&p| {
                self.stations[p]
                    .device
                    .agent()
                    .is_some_and(|agent| !agent.is_idle())
            })
            .collect();
        if !busy.is_empty() {
            return format!("devices on ports {busy:?} wait");
        }
        let missing: Vec<String> = (0..self.dut.ports())
            .flat_map(|port| Class::ALL.map(|class| (port, class)))
            .filter(|&(port, class)| self.dut.credits(port, class) != self.switch_depth)
            .map(|(port, class)| {
                let credits = self.dut.credits(port, class);
                format!(
                    "port {port} has {credits} of {} {class} credits",
                    self.switch_depth
                )
            })
            .collect();
        match missing.is_empty() {
            true => "words keep coming".into(),
            false => missing.join(", "),
        }
    }

    /// The checks that need the whole system at rest.
    pub(crate) fn check_end(&mut self) -> Result<CheckCounts, Failure> {
        let stations = &self.stations;
        let mut cached = |visit: &mut LineVisitor<'_>| {
            for (port, station) in stations.iter().enumerate() {
                if let Device::Cached(node) = &station.device {
                    node.held()
                        .for_each(|(line, state, data)| visit(port, line, state, &data.bytes));
                }
            }
        };
        let memory = |port: usize, local: u64| {
            let mut line = [0; LINE_BYTES];
            if let Some(Device::Memory(node)) = stations.get(port).map(|s| &s.device) {
                node.read(local, &mut line);
            }
            line
        };
        self.checks.finish(self.dut.cycle(), &mut cached, &memory)
    }

    /// What was counted so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            cycles: self.dut.cycle(),
            started: self.started,
            nodes: self
                .stations
                .iter()
                .map(|station| station.stats.clone())
                .collect(),
            ports: (0..self.dut.ports())
                .map(|port| *self.dut.stats(port))
                .collect(),
        }
    }
}
