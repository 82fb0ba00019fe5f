//! The pins of the switch in one clock cycle, and the trait of everything that has them.

use super::{HomeView, Parameters, Region};
use crate::Failure;
use crate::link::CableCounts;
use flits::{Class, Flit, LinkWord};
use std::ops::Range;
use std::path::Path;

/// Largest number of ports of a switch.
pub const MAX_PORTS: usize = 16;
/// Number of classes.
pub const CLASSES: usize = Class::ALL.len();

/// Words on all ports in one direction, packed as the pins are: valid, head and tail one bit a port,
/// class three bits a port.
#[derive(Debug, Clone, Default)]
pub struct Words<Flits = [Flit; MAX_PORTS]> {
    /// Ports with a word.
    pub valid: u16,
    /// Class of each port's word, three bits a port.
    pub class: u64,
    /// Ports whose word begins a packet.
    pub head: u16,
    /// Ports whose word ends a packet.
    pub tail: u16,
    /// The flit of each port's word.
    pub flit: Flits,
}

impl Words {
    /// Puts a word on a port.
    pub fn put(&mut self, port: usize, word: &LinkWord) {
        let bit = 1u16 << port;
        let shift = 3 * port;
        self.valid |= bit;
        self.class = (self.class & !(7 << shift)) | (u64::from(word.class.code()) << shift);
        self.head = (self.head & !bit) | (u16::from(word.head) << port);
        self.tail = (self.tail & !bit) | (u16::from(word.tail) << port);
        self.flit[port] = word.flit;
    }

    /// Copies the word on port `from` of others to port `port`.
    pub fn copy(&mut self, port: usize, others: &Words, from: usize) {
        let bit = 1u16 << port;
        let shift = 3 * port;
        self.valid |= bit;
        self.class = (self.class & !(7 << shift)) | (others.class >> (3 * from) & 7) << shift;
        self.head = (self.head & !bit) | (others.head >> from & 1) << port;
        self.tail = (self.tail & !bit) | (others.tail >> from & 1) << port;
        self.flit[port] = others.flit[from];
    }

    /// Writes the flits of the ports with a word to where the pins hold them: four words a port.
    #[inline]
    pub fn flits_to(&self, pins: &mut [u32]) {
        for port in bits(self.valid) {
            pins[4 * port..4 * port + 4].copy_from_slice(&self.flit[port].to_words());
        }
    }

    /// Reads the flits of the ports with a word from where the pins hold them.
    #[inline]
    pub fn flits_from(&mut self, pins: &[u32]) {
        for port in bits(self.valid) {
            let w = &pins[4 * port..4 * port + 4];
            self.flit[port] = Flit::from_words([w[0], w[1], w[2], w[3]]);
        }
    }

    /// The word on a port, whether valid or not; `None` if its class code is no class.
    pub fn get(&self, port: usize) -> Option<LinkWord> {
        Some(LinkWord {
            class: Class::from_code((self.class >> (3 * port)) as u8 & 7)?,
            head: self.head >> port & 1 != 0,
            tail: self.tail >> port & 1 != 0,
            flit: self.flit[port],
        })
    }
}

/// Credit pulses of all ports, one bit a class, [`CLASSES`] bits a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credits(pub u128);

impl Credits {
    /// Adds a pulse.
    pub fn pulse(&mut self, port: usize, class: Class) {
        self.0 |= 1 << (port * CLASSES + class as usize);
    }

    /// Adds a pulse of each class whose bit is set.
    pub fn pulses(&mut self, port: usize, classes: u8) {
        self.0 |= u128::from(classes) << (port * CLASSES);
    }

    /// A pulse of each class on each of the ports, one bit a port.
    pub fn all_of(ports: u16) -> Credits {
        let mut all = Credits::default();
        bits(ports).for_each(|port| all.pulses(port, (1 << CLASSES) - 1));
        all
    }

    /// The pulses of some ports only, one bit a port.
    pub fn of(self, ports: u16) -> Credits {
        self.among(Credits::all_of(ports))
    }

    /// Those pulses that are also among the others.
    pub fn among(self, others: Credits) -> Credits {
        Credits(self.0 & others.0)
    }

    /// The pulses of one port, one bit a class.
    pub fn on(self, port: usize) -> u8 {
        (self.0 >> (port * CLASSES)) as u8 & ((1 << CLASSES) - 1)
    }

    /// The ports with pulses, and the classes of each, one bit a class.
    pub fn iter(self) -> impl Iterator<Item = (usize, u8)> {
        const MASK: u128 = (1 << CLASSES) - 1;
        let mut left = self.0;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let port = left.trailing_zeros() as usize / CLASSES;
            let classes = (left >> (port * CLASSES) & MASK) as u8;
            left &= !(MASK << (port * CLASSES));
            Some((port, classes))
        })
    }
}

/// One step of an APB4 transfer, 32-bit words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApbRequest {
    /// Second and later cycles of the transfer.
    pub enable: bool,
    /// Byte offset of the register.
    pub addr: u16,
    /// What to write; `None` reads.
    pub write: Option<u32>,
}

/// What the APB slave shows in the cycle of a request with `enable`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApbResponse {
    /// The transfer ends in this cycle.
    pub ready: bool,
    /// The register, when reading.
    pub data: u32,
    /// The transfer failed.
    pub error: bool,
}

/// All inputs of the switch in one cycle.
#[derive(Debug, Clone, Default)]
pub struct Inputs<Flits = [Flit; MAX_PORTS]> {
    /// Words from the nodes.
    pub rx: Words<Flits>,
    /// Credits from the nodes for words to them.
    pub tx_credit: Credits,
    /// Ports whose link is down, one bit each.
    pub dead: u16,
    /// What the link ends of the ports noticed, [`EVENTS`](crate::link::EVENTS) bits a port.
    pub link_events: u128,
    /// Register access.
    pub apb: Option<ApbRequest>,
}

/// All outputs of the switch after a clock edge.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Words to the nodes.
    pub tx: Words,
    /// Credits to the nodes for words from them.
    pub rx_credit: Credits,
    /// Answer to the register access whose request was on the pins at the edge.
    pub apb: ApbResponse,
}

/// What a switch held when it was saved; see [`Switch::save`].
#[derive(Debug)]
pub struct Saved {
    pub(super) state: verilated::Snapshot,
    /// Cycles since its reset.
    pub(super) cycles: u64,
}

/// Something with the pins of a switch.
pub trait Switch {
    /// Number of ports.
    fn ports(&self) -> usize;

    /// Asserts the reset for a few cycles and releases it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn reset(&mut self) -> Result<(), Failure>;

    /// One clock cycle: `inputs` are stable around the rising edge, `outputs` are those after it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure>;

    /// The home slices that took or sent something at the last clock edge, one bit each, as far as
    /// that can be seen.
    fn homes_at_work(&self) -> u8 {
        0
    }

    /// What a home slice took and sent at the last clock edge.
    fn view_home(&self, _slice: usize, _view: &mut HomeView) {}

    /// Whether nothing is on its way on the links that belong to it.
    fn is_quiet(&self) -> bool {
        true
    }

    /// Ports whose link has been given up, one bit each.
    fn lost(&self) -> u16 {
        0
    }

    /// What has happened on the links that belong to it.
    fn link_counts(&self) -> CableCounts {
        CableCounts::default()
    }

    /// Takes the address map and the partitions of each port, where there are no registers for it.
    /// `None` if there are; else what the registers would say.
    fn configure(&mut self, _map: &[Region], _partitions: &[u16]) -> Option<Parameters> {
        None
    }

    /// Writes a VCD file from now on; with a window, only of those cycles since reset.
    ///
    /// # Errors
    /// If the switch has no waves to show, or the file cannot be written.
    fn trace_open(&mut self, _path: &Path, _window: Option<Range<u64>>) -> Result<(), Failure> {
        let text = "this switch is no Verilated model and has no waves";
        Err(Failure::new(0, crate::FailureKind::Setup, text))
    }

    /// Ends the VCD file.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn trace_close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// What it holds, for [`Switch::restore`]; `None` where that cannot be had.
    fn save(&self) -> Option<Saved> {
        None
    }

    /// Puts back what it held when it was saved; waves are not to be written meanwhile.
    ///
    /// # Panics
    /// If another switch was saved.
    fn restore(&mut self, _saved: &Saved) {
        panic!("this switch cannot be saved");
    }

    /// Coverage counters; empty where none are compiled in.
    fn coverage(&self) -> &[u32] {
        &[]
    }

    /// Coverage in the format of lcov; empty where none is compiled in.
    fn lcov(&self) -> String {
        String::new()
    }
}

/// The methods of a [`Switch`] that stands before another, `self.switch`, and hands through what is
/// neither the reset nor the clock.
macro_rules! through {
    () => {
        fn ports(&self) -> usize {
            self.switch.ports()
        }

        fn view_home(&self, slice: usize, view: &mut $crate::dut::HomeView) {
            self.switch.view_home(slice, view);
        }

        fn is_quiet(&self) -> bool {
            self.switch.is_quiet()
        }

        fn lost(&self) -> u16 {
            self.switch.lost()
        }

        fn link_counts(&self) -> $crate::link::CableCounts {
            self.switch.link_counts()
        }

        fn configure(
            &mut self,
            map: &[$crate::dut::Region],
            partitions: &[u16],
        ) -> Option<$crate::dut::Parameters> {
            self.switch.configure(map, partitions)
        }

        fn coverage(&self) -> &[u32] {
            self.switch.coverage()
        }

        fn lcov(&self) -> String {
            self.switch.lcov()
        }
    };
}
pub(crate) use through;

/// The numbers of the bits that are set, lowest first.
#[inline]
pub(crate) fn bits(mask: impl Into<u64>) -> impl Iterator<Item = usize> {
    let mut left: u64 = mask.into();
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let bit = left.trailing_zeros() as usize;
        left &= left - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_put_on_a_port_is_got_from_it_and_disturbs_no_other() {
        let mut words = Words::default();
        let word = |n: usize| LinkWord {
            class: Class::ALL[n % CLASSES],
            head: n.is_multiple_of(2),
            tail: n.is_multiple_of(3),
            flit: Flit::from_u128(n as u128 * 0x1234_5678_9abc_def1),
        };
        for port in 0..MAX_PORTS {
            words.put(port, &word(port + 7));
        }
        for port in 0..MAX_PORTS {
            words.put(port, &word(port));
        }
        for port in 0..MAX_PORTS {
            assert_eq!(words.get(port), Some(word(port)));
        }
        assert_eq!(words.valid, u16::MAX);
    }

    #[test]
    fn every_credit_pulse_is_found() {
        let mut credits = Credits::default();
        credits.pulse(15, Class::Dat);
        credits.pulse(0, Class::Req);
        credits.pulse(7, Class::Mem);
        credits.pulse(7, Class::Req);
        assert_eq!(
            credits.iter().collect::<Vec<_>>(),
            [(0, 1), (7, 0b101), (15, 0b10000)]
        );
    }

    #[test]
    fn bits_are_listed_lowest_first() {
        assert_eq!(
            bits(0b1010_0000_0000_0001u16).collect::<Vec<_>>(),
            [0, 13, 15]
        );
    }
}
