//! The chips of a system, and what carries words between them.

use super::pins::bits;
use super::{Credits, Inputs, Outputs, Switch};
use crate::Failure;
use crate::link::CableCounts;
use crate::topology::{End, Topology};

/// One chip and its pins.
pub struct Chip {
    /// The model.
    pub switch: Box<dyn Switch>,
    /// What it takes at the next clock edge.
    pub inputs: Inputs,
    /// What it shows since the last one.
    pub outputs: Outputs,
}

/// What carries words and credits from chip to chip.
///
/// Once a cycle, before the clock edge, everything that a chip shows on a port with a cable goes to
/// the inputs of whatever is at the other end. The inputs have been cleared before.
pub trait Cabling {
    /// Forgets everything on the way.
    ///
    /// # Errors
    /// If something on the way is a model and an assertion of it fires.
    fn reset(&mut self) -> Result<(), Failure>;

    /// One clock cycle: `cycle` is the number of the edge that comes.
    ///
    /// # Errors
    /// If something on the way is a model and an assertion of it fires.
    fn carry(&mut self, cycle: u64, chips: &mut [Chip]) -> Result<(), Failure>;

    /// Whether nothing is on the way.
    fn is_quiet(&self) -> bool;

    /// What has happened on the way, where there are links.
    fn link_counts(&self) -> CableCounts {
        CableCounts::default()
    }
}

/// Bare cables: what a chip shows after one edge, the chip at the other end takes at the next.
pub struct Direct {
    /// The ports with cables of each chip, one bit each, and all credits of them.
    cabled: Vec<(u16, Credits)>,
    /// The other end of each of them, by chip and port.
    peers: Vec<[End; super::MAX_PORTS]>,
}

impl Direct {
    /// The cables of a system.
    pub fn new(topology: &Topology) -> Self {
        let nowhere = End { chip: 0, port: 0 };
        let chips = topology.chips().len();
        let mut direct = Direct {
            cabled: vec![(0, Credits::default()); chips],
            peers: vec![[nowhere; super::MAX_PORTS]; chips],
        };
        for &[a, b] in topology.cables() {
            for (from, to) in [(a, b), (b, a)] {
                direct.cabled[from.chip].0 |= 1 << from.port;
                direct.peers[from.chip][from.port] = to;
            }
        }
        for (ports, credits) in &mut direct.cabled {
            *credits = Credits::all_of(*ports);
        }
        direct
    }
}

impl Cabling for Direct {
    fn reset(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn carry(&mut self, _cycle: u64, chips: &mut [Chip]) -> Result<(), Failure> {
        for (from, (&(cabled, all), peers)) in self.cabled.iter().zip(&self.peers).enumerate() {
            for port in bits(chips[from].outputs.tx.valid & cabled) {
                let to = peers[port];
                let [source, target] = two(chips, from, to.chip);
                target.inputs.rx.copy(to.port, &source.outputs.tx, port);
            }
            let credits = chips[from].outputs.rx_credit.among(all);
            for (port, classes) in credits.iter() {
                let to = peers[port];
                chips[to.chip].inputs.tx_credit.pulses(to.port, classes);
            }
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        true
    }
}

/// Two different chips at once.
fn two(chips: &mut [Chip], a: usize, b: usize) -> [&mut Chip; 2] {
    match a < b {
        true => {
            let (low, high) = chips.split_at_mut(b);
            [&mut low[a], &mut high[0]]
        }
        false => {
            let (low, high) = chips.split_at_mut(a);
            [&mut high[0], &mut low[b]]
        }
    }
}

/// Where the devices of a system are.
pub(super) struct Seats {
    /// Chip and port of each device.
    pub(super) of_device: Vec<End>,
    /// The devices of each chip.
    pub(super) of_chip: Vec<Devices>,
}

/// The devices of a chip.
pub(super) struct Devices {
    /// Number of the first.
    pub(super) first: usize,
    /// Their ports, one bit each, and all credits of them.
    pub(super) ports: u16,
    pub(super) credits: Credits,
    /// The same of all other ports.
    pub(super) others: Credits,
}

impl Seats {
    pub(super) fn new(topology: &Topology) -> Self {
        let numbering = topology.numbering();
        let per_chip = numbering.per_chip();
        let seat = |device| End {
            chip: device / per_chip,
            port: device % per_chip,
        };
        let devices = |(number, chip): (usize, &crate::topology::Chip)| {
            let ports = (1u32 << chip.devices).wrapping_sub(1) as u16;
            Devices {
                first: number * per_chip,
                ports,
                credits: Credits::all_of(ports),
                others: Credits::all_of(!ports),
            }
        };
        Seats {
            of_device: (0..numbering.count()).map(seat).collect(),
            of_chip: topology.chips().iter().enumerate().map(devices).collect(),
        }
    }
}
