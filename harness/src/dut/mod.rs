//! The switch, or several of them, as channels of link words, over Verilated models chosen at run
//! time.
//!
//! [`Dut`] keeps the rules of a link on the nodes' side: words leave only against credits, one a
//! cycle and port; words that arrive wait in a buffer whose depth was granted as credits, and taking
//! them returns the credits. Below it is anything with the pins of a switch ([`Switch`]): a Verilated
//! model or the [`Reference`] switch; or several of them and what carries words between
//! ([`Cabling`]). Ports are then those of all chips with devices, one chip after the other.

mod address;
mod cluster;
pub mod csr_map;
mod home;
mod model;
mod pins;
mod reference;
mod registers;
mod view;

pub use address::{AddressMap, AddressMapError, MAX_INTERLEAVE, REGION_UNIT, Region};
pub use cluster::{Cabling, Chip, Direct};
pub use home::{
    HOME_PORTS, HOME_SETS, HomeInputs, HomeModel, HomeOutputs, HomeSlice, home_alone, home_of,
};
pub use pins::{
    ApbRequest, ApbResponse, CLASSES, Credits, Inputs, MAX_PORTS, Outputs, Saved, Switch, Words,
};
pub(crate) use pins::{bits, through};

#[doc(hidden)]
pub use model::Pins;
pub use model::{
    SwitchModel, TIGHT_PORTS, Variant, chip_of_system, rtl, tight, tight_chip_of_system, verilated,
};
pub use reference::Reference;
pub(crate) use reference::{carried, write_of};
pub use registers::{ErrorLog, HomeCounters, LoggedError, Parameters, PortCounters};
pub use view::{Entry, HomeAnswer, HomeEvent, HomeView, PortAnswer};
#[doc(hidden)]
pub use view::{word_from_pins, word_to_pins};

use crate::agents::Outbox;
use crate::check::{Checkers, Direction};
use crate::link::CableCounts;
use crate::topology::{End, Topology};
use crate::{Failure, FailureKind};
use cluster::Seats;
use flits::{Class, LinkWord};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Words of each class that a node's receive buffer holds, unless configured.
pub const NODE_DEPTH: u16 = 16;

/// Random stalls of the links, per thousand cycles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stall {
    /// A node with a word to send waits.
    pub rx_permille: u16,
    /// A node with credits to return waits.
    pub tx_permille: u16,
}

/// What one link carried, in each direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Link words from the node, by class.
    pub to_switch: [u64; CLASSES],
    /// Link words to the node, by class.
    pub to_node: [u64; CLASSES],
}

/// One port as the node sees it.
struct Channel {
    outbox: Outbox,
    /// Words that may be sent, by class.
    credits: [u16; CLASSES],
    /// Classes with credits, one bit each.
    ready: u8,
    /// Class of the last word sent: the next has its turn first.
    last: u8,
    inbox: [VecDeque<LinkWord>; CLASSES],
    /// Classes with received words, one bit each.
    received: u8,
    /// Credits to return, by class.
    owed: [u16; CLASSES],
    /// Classes with credits to return, one bit each.
    owing: u8,
    stalls: Pcg64Mcg,
    stats: PortStats,
}

/// The chips and the links to them.
pub struct Dut {
    chips: Vec<Chip>,
    cabling: Box<dyn Cabling>,
    seats: Seats,
    channels: Vec<Channel>,
    stall: Stall,
    /// Ports with words to send, with credits to return, with words received: one bit each.
    sending: u64,
    owing: u64,
    received: u64,
    depth: u16,
    cycle: u64,
}

impl Dut {
    /// Links to a switch standing alone, in reset and then ready. `depth` is the receive buffer of
    /// each class at a node, in words; `stalls` gives the generator of random stalls of each port.
    ///
    /// # Errors
    /// As [`Dut::reset`].
    pub fn new(
        switch: Box<dyn Switch>,
        depth: u16,
        stall: Stall,
        stalls: impl Fn(usize) -> Pcg64Mcg,
    ) -> Result<Self, Failure> {
        let topology = Topology::single(switch.ports());
        let cabling = Box::new(Direct::new(&topology));
        Dut::cabled(vec![switch], cabling, &topology, depth, stall, stalls)
    }

    /// Links to the devices' ports of the chips of a system, which `cabling` connects; else as
    /// [`Dut::new`].
    ///
    /// # Errors
    /// As [`Dut::reset`]; also if there are other chips than in the topology.
    pub fn cabled(
        switches: Vec<Box<dyn Switch>>,
        cabling: Box<dyn Cabling>,
        topology: &Topology,
        depth: u16,
        stall: Stall,
        stalls: impl Fn(usize) -> Pcg64Mcg,
    ) -> Result<Self, Failure> {
        let sizes: Vec<usize> = switches.iter().map(|switch| switch.ports()).collect();
        let wanted: Vec<usize> = topology.chips().iter().map(|chip| chip.ports).collect();
        if sizes != wanted {
            let text = format!("the chips have {sizes:?} ports, and should have {wanted:?}");
            return Err(Failure::new(0, FailureKind::Setup, text));
        }
        let chip = |switch| Chip {
            switch,
            inputs: Inputs::default(),
            outputs: Outputs::default(),
        };
        let channels = (0..topology.numbering().count())
            .map(|port| Channel::new(depth, stalls(port)))
            .collect();
        let mut dut = Dut {
            chips: switches.into_iter().map(chip).collect(),
            cabling,
            seats: Seats::new(topology),
            channels,
            stall,
            sending: 0,
            owing: 0,
            received: 0,
            depth,
            cycle: 0,
        };
        dut.reset()?;
        Ok(dut)
    }

    /// Resets the chips and the links; cycles count from 0 again.
    ///
    /// # Errors
    /// If an assertion of a model fires.
    pub fn reset(&mut self) -> Result<(), Failure> {
        for chip in &mut self.chips {
            chip.switch.reset()?;
            (chip.inputs, chip.outputs) = (Inputs::default(), Outputs::default());
        }
        self.cabling.reset()?;
        for channel in &mut self.channels {
            *channel = Channel::new(self.depth, channel.stalls.clone());
        }
        (self.sending, self.received, self.cycle) = (0, 0, 0);
        self.owing = u64::MAX >> (u64::BITS as usize - self.ports());
        Ok(())
    }

    /// The one switch without the links.
    pub(crate) fn into_switch(mut self) -> Box<dyn Switch> {
        self.chips.swap_remove(0).switch
    }

    /// A chip itself.
    ///
    /// # Panics
    /// If there is no such chip.
    pub fn switch(&mut self, chip: usize) -> &mut dyn Switch {
        self.chips[chip].switch.as_mut()
    }

    /// Number of chips.
    pub fn chips(&self) -> usize {
        self.chips.len()
    }

    /// Number of ports with devices.
    pub fn ports(&self) -> usize {
        self.channels.len()
    }

    /// Clock cycles since reset.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Queues a word for sending.
    pub fn send(&mut self, port: usize, word: LinkWord) {
        self.channels[port].outbox.push(word);
        self.sending |= 1 << port;
    }

    /// The send queues of a port; [`Dut::sends`] must be told when they have been filled.
    pub fn outbox(&mut self, port: usize) -> &mut Outbox {
        &mut self.channels[port].outbox
    }

    /// Notes that the port may have words to send.
    pub fn sends(&mut self, port: usize) {
        self.sending |= u64::from(!self.channels[port].outbox.is_empty()) << port;
    }

    /// Ports with received words, one bit each.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Classes in which a port has received words, one bit each.
    pub fn received_classes(&self, port: usize) -> u8 {
        self.channels[port].received
    }

    /// The next received word of a class, left where it is.
    pub fn peek(&self, port: usize, class: usize) -> Option<&LinkWord> {
        self.channels[port].inbox[class].front()
    }

    /// Takes the next received word of a class; its credit goes back to the switch.
    pub fn take(&mut self, port: usize, class: usize) -> Option<LinkWord> {
        let channel = &mut self.channels[port];
        let word = channel.inbox[class].pop_front()?;
        channel.owed[class] += 1;
        channel.owing |= 1 << class;
        self.owing |= 1 << port;
        channel.received &= !(u8::from(channel.inbox[class].is_empty()) << class);
        self.received &= !(u64::from(channel.received == 0) << port);
        Some(word)
    }

    /// Takes the next received word of any class, the classes others wait for first.
    pub fn recv(&mut self, port: usize) -> Option<LinkWord> {
        (0..CLASSES).rev().find_map(|class| self.take(port, class))
    }

    /// Words that a port may still send in a class before the switch gives another credit.
    pub fn credits(&self, port: usize, class: Class) -> u16 {
        self.channels[port].credits[class as usize]
    }

    /// Ports whose link has been given up, one bit each: what is there does not count any more.
    pub fn lost(&self) -> u64 {
        let mut lost = 0;
        for (chip, devices) in self.chips.iter().zip(&self.seats.of_chip) {
            lost |= match chip.switch.lost() {
                0 => 0,
                ports => u64::from(ports) << devices.first,
            };
        }
        lost
    }

    /// Whether no word waits at the nodes or on a cable and no credit is owed to the switch.
    pub fn is_quiet(&self) -> bool {
        (self.sending | self.owing | self.received) & !self.lost() == 0
            && self.cabling.is_quiet()
            && self.chips.iter().all(|chip| chip.switch.is_quiet())
    }

    /// What has happened on all links.
    pub fn link_counts(&self) -> CableCounts {
        let mut sum = self.cabling.link_counts();
        for chip in &self.chips {
            sum += chip.switch.link_counts();
        }
        sum
    }

    /// Whether the switch has given back every credit of a buffer of `depth` words a class.
    pub fn credits_home(&self, depth: u16) -> bool {
        let lost = self.lost();
        (self.channels.iter().enumerate())
            .filter(|&(port, _)| lost >> port & 1 == 0)
            .all(|(_, channel)| channel.credits.iter().all(|&c| c == depth))
    }

    /// What the link of a port has carried.
    pub fn stats(&self, port: usize) -> &PortStats {
        &self.channels[port].stats
    }

    /// Words of each class that a node's receive buffer holds.
    pub fn depth(&self) -> u16 {
        self.depth
    }

    /// One clock cycle.
    ///
    /// # Errors
    /// A fired assertion of a model, or a word whose class code is none.
    pub fn step(&mut self, checks: &mut Checkers) -> Result<(), Failure> {
        self.cycle += 1;
        for chip in &mut self.chips {
            chip.inputs.rx.valid = 0;
            chip.inputs.tx_credit = Credits::default();
            (chip.inputs.dead, chip.inputs.link_events) = (0, 0);
        }
        self.drive(checks);
        self.cabling.carry(self.cycle, &mut self.chips)?;
        for chip in &mut self.chips {
            chip.switch.clock(&chip.inputs, &mut chip.outputs)?;
        }
        if checks.wants_homes() {
            self.watch_homes(checks);
        }
        self.sample(checks)
    }

    /// Shows the checkers what the homes took and sent.
    fn watch_homes(&mut self, checks: &mut Checkers) {
        for (number, chip) in self.chips.iter().enumerate() {
            for slice in bits(chip.switch.homes_at_work()) {
                checks.on_home(self.cycle, number, slice, |view| {
                    chip.switch.view_home(slice, view);
                });
            }
        }
    }

    /// Puts words and credits on the inputs.
    fn drive(&mut self, checks: &mut Checkers) {
        for port in bits(self.sending) {
            let channel = &mut self.channels[port];
            if stalled(&mut channel.stalls, self.stall.rx_permille) {
                continue;
            }
            let Some(class) = channel.next_class() else {
                continue;
            };
            let Some(word) = channel.outbox.pop(class) else {
                continue;
            };
            channel.credits[class] -= 1;
            channel.ready &= !(u8::from(channel.credits[class] == 0) << class);
            channel.last = class as u8;
            channel.stats.to_switch[class] += 1;
            let seat = self.seats.of_device[port];
            self.chips[seat.chip].inputs.rx.put(seat.port, &word);
            checks.on_word(self.cycle, port, Direction::ToSwitch, &word);
            self.sending &= !(u64::from(channel.outbox.is_empty()) << port);
        }
        for port in bits(self.owing) {
            let channel = &mut self.channels[port];
            if stalled(&mut channel.stalls, self.stall.tx_permille) {
                continue;
            }
            let pulses = channel.owing;
            for class in bits(pulses) {
                let owed = &mut channel.owed[class];
                *owed -= 1;
                channel.owing &= !(u8::from(*owed == 0) << class);
            }
            let seat = self.seats.of_device[port];
            self.chips[seat.chip]
                .inputs
                .tx_credit
                .pulses(seat.port, pulses);
            checks.on_credit(self.cycle, port, Direction::ToNode, pulses);
            self.owing &= !(u64::from(channel.owing == 0) << port);
        }
    }

    /// Takes words and credits from the outputs, and shows the checkers what goes to other chips.
    fn sample(&mut self, checks: &mut Checkers) -> Result<(), Failure> {
        let chips = self.chips.iter().zip(&self.seats.of_chip);
        for (number, (chip, devices)) in chips.enumerate() {
            for port in bits(chip.outputs.tx.valid & !devices.ports) {
                let end = End { chip: number, port };
                let Some(word) = chip.outputs.tx.get(port) else {
                    let text = format!("{end:?}: the switch sends a word of no class");
                    return Err(Failure::new(self.cycle, FailureKind::Link, text));
                };
                checks.on_cable_word(self.cycle, end, &word);
            }
            for (port, classes) in chip.outputs.rx_credit.among(devices.others).iter() {
                checks.on_cable_credit(self.cycle, End { chip: number, port }, classes);
            }
            for unit in bits(chip.outputs.tx.valid & devices.ports) {
                let port = devices.first + unit;
                let Some(word) = chip.outputs.tx.get(unit) else {
                    let text = format!("port {port}: the switch sends a word of no class");
                    return Err(Failure::new(self.cycle, FailureKind::Link, text));
                };
                checks.on_word(self.cycle, port, Direction::ToNode, &word);
                let channel = &mut self.channels[port];
                channel.stats.to_node[word.class as usize] += 1;
                channel.inbox[word.class as usize].push_back(word);
                channel.received |= 1 << word.class as u8;
                self.received |= 1 << port;
            }
            for (unit, classes) in chip.outputs.rx_credit.among(devices.credits).iter() {
                let port = devices.first + unit;
                let channel = &mut self.channels[port];
                bits(classes).for_each(|class| channel.credits[class] += 1);
                channel.ready |= classes;
                checks.on_credit(self.cycle, port, Direction::ToSwitch, classes);
            }
        }
        Ok(())
    }

    /// Writes VCD files from now on, one a chip; with a window only of those cycles since reset.
    ///
    /// # Errors
    /// If the models have no waves to show, or a file cannot be written.
    pub fn trace_open(
        &mut self,
        paths: &[PathBuf],
        window: Option<Range<u64>>,
    ) -> Result<(), Failure> {
        if paths.len() != self.chips.len() {
            let text = format!("{} wave files for {} chips", paths.len(), self.chips.len());
            return Err(Failure::new(self.cycle, FailureKind::Setup, text));
        }
        for (chip, path) in self.chips.iter_mut().zip(paths) {
            chip.switch.trace_open(path, window.clone())?;
        }
        Ok(())
    }

    /// Ends the VCD files.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn trace_close(&mut self) -> Result<(), Failure> {
        self.chips
            .iter_mut()
            .try_for_each(|chip| chip.switch.trace_close())
    }
}

/// The VCD file of one of several chips: of `run.vcd` and chip 2, `run.chip2.vcd`.
pub fn vcd_of(path: &Path, chip: usize) -> PathBuf {
    let extension = path
        .extension()
        .map_or("vcd".into(), |e| e.to_string_lossy());
    path.with_extension(format!("chip{chip}.{extension}"))
}

impl Channel {
    fn new(depth: u16, stalls: Pcg64Mcg) -> Self {
        Channel {
            outbox: Outbox::default(),
            credits: [0; CLASSES],
            ready: 0,
            last: 0,
            inbox: Default::default(),
            received: 0,
            owed: [depth; CLASSES],
            owing: (1 << CLASSES) - 1,
            stalls,
            stats: PortStats::default(),
        }
    }

    /// The class that sends next: after the last one in turn, among those with a word and a credit.
    fn next_class(&self) -> Option<usize> {
        let able = self.outbox.classes() & self.ready;
        let after = able & (u8::MAX << (self.last + 1));
        let turn = if after != 0 { after } else { able };
        (turn != 0).then(|| turn.trailing_zeros() as usize)
    }
}

fn stalled(rng: &mut Pcg64Mcg, permille: u16) -> bool {
    permille != 0 && rng.random_range(0..1000u16) < permille
}
