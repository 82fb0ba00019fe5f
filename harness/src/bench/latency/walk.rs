//! The way of an access from unit to unit, and when it was where.

use super::probe::{self, Place as Signal};
use super::{Part, Stage};
use crate::check::Direction;
use crate::sim::Supernode;
use crate::topology::{End, Topology};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a unit is: on a port of the crossbar of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub chip: usize,
    pub port: usize,
    /// Its number, if it is a device.
    pub device: Option<usize>,
}

/// When words were where. Cycle 1 ends with the first rising edge of the clock outside of reset, and
/// what shows in a cycle is what its edge takes.
pub struct Seen {
    /// In each chip.
    chips: Vec<probe::Seen>,
    /// Headers at the devices' own ends of their links, by device; nothing where there are no links.
    devices: BTreeMap<(usize, Direction), Vec<u64>>,
}

impl Seen {
    /// Reads the waveform of each chip, and the packets that the checkers saw.
    ///
    /// # Errors
    /// One sentence: a file cannot be read, or has no such signals.
    pub fn read(sn: &Supernode, files: &[&Path]) -> Result<Seen, String> {
        let slices = sn.parameters().home_slices;
        let chips = sn.topology().chips().iter().zip(files);
        let chips = chips.map(|(chip, file)| {
            let pins = (0..chip.ports).map(Signal::Rx);
            let inside = (0..chip.ports + slices)
                .flat_map(|x| [Signal::Checked(x), Signal::Routed(x), Signal::Tx(x)]);
            probe::read(file, &pins.chain(inside).collect::<Vec<_>>())
        });
        let mut devices: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        let linked = sn.config().link_errors.is_some();
        for seen in sn.packets().iter().filter(|_| linked) {
            // What a node gets shows on the pins after an edge.
            let shown = seen.begin + u64::from(seen.direction == Direction::ToNode);
            let cycles = devices.entry((seen.port, seen.direction)).or_default();
            cycles.push(shown);
        }
        // Packets were logged in the order of their last words.
        devices
            .values_mut()
            .for_each(|cycles| cycles.sort_unstable());
        Ok(Seen {
            chips: chips.collect::<Result<_, _>>()?,
            devices,
        })
    }
}

/// Follows an access and charges its stages.
pub struct Walk<'a> {
    topology: &'a Topology,
    seen: &'a Seen,
    now: u64,
    stages: Vec<Stage>,
}

impl<'a> Walk<'a> {
    /// Starts in cycle `now`.
    pub fn new(topology: &'a Topology, seen: &'a Seen, now: u64) -> Walk<'a> {
        Walk {
            topology,
            seen,
            now,
            stages: Vec::new(),
        }
    }

    /// From one unit, whose own time is the stage `own`, to another. If it is an answer that homes
    /// take at the ports, it ends at the port by which it enters the home's chip.
    ///
    /// # Errors
    /// The stage that is not seen.
    pub fn through(
        &mut self,
        own: (&str, Part),
        from: Place,
        to: Place,
        at_port: bool,
    ) -> Result<(), String> {
        let linked = !self.seen.devices.is_empty();
        let mut at = End {
            chip: from.chip,
            port: from.port,
        };
        match from.device {
            None => self.signal(own, at.chip, Signal::Checked(at.port))?,
            Some(device) => {
                if linked {
                    self.device(own, device, Direction::ToSwitch)?;
                    self.link_to(at)?;
                } else {
                    self.reach(own.0.into(), own.1, at.chip, Signal::Rx(at.port))?;
                }
                self.fabric("check of the header", at.chip, Signal::Checked(at.port))?;
            }
        }
        loop {
            if at_port && at.chip == to.chip {
                return Ok(());
            }
            self.fabric("route", at.chip, Signal::Routed(at.port))?;
            if at.chip == to.chip {
                break;
            }
            let port = self
                .exit(at.chip, to.chip)
                .ok_or("no way to the other chip")?;
            self.fabric("buffer and crossbar", at.chip, Signal::Tx(port))?;
            let end = End {
                chip: at.chip,
                port,
            };
            at = (self.topology.other_end(end)).ok_or("a way ends without a cable")?;
            if linked {
                self.link_to(at)?;
            }
            self.fabric("check of the header", at.chip, Signal::Checked(at.port))?;
        }
        self.fabric("buffer and crossbar", to.chip, Signal::Tx(to.port))?;
        match to.device {
            Some(device) if linked => {
                self.device(("link to the node", Part::Link), device, Direction::ToNode)
            }
            _ => Ok(()),
        }
    }

    /// Ends in cycle `end` with what is left; `None` if that is already over.
    pub fn end(mut self, name: &str, part: Part, end: u64) -> Option<Vec<Stage>> {
        self.stages.push(Stage {
            name: name.into(),
            part,
            cycles: end.checked_sub(self.now)?,
        });
        Some(self.stages)
    }

    /// The port by which the access leaves a chip for another: the first of those on its route that
    /// shows a word, for nothing else moves.
    fn exit(&self, chip: usize, target: usize) -> Option<usize> {
        let route = self.topology.chips()[chip].routes.get(target).copied()??;
        let next = |&port: &u8| {
            let port = usize::from(port);
            Some((
                self.next(self.seen.chips[chip].get(&Signal::Tx(port))?)?,
                port,
            ))
        };
        route.iter().filter_map(next).min().map(|(_, port)| port)
    }

    fn link_to(&mut self, end: End) -> Result<(), String> {
        let name = match self.topology.chips() {
            [_] => "link to the switch".into(),
            chips => format!("link to {}", chips[end.chip].name),
        };
        self.reach(name, Part::Link, end.chip, Signal::Rx(end.port))
    }

    fn fabric(&mut self, name: &str, chip: usize, signal: Signal) -> Result<(), String> {
        self.signal((name, Part::Fabric), chip, signal)
    }

    /// A stage within a chip.
    fn signal(
        &mut self,
        (name, part): (&str, Part),
        chip: usize,
        signal: Signal,
    ) -> Result<(), String> {
        let name = match self.topology.chips() {
            [_] => name.into(),
            chips => format!("{}: {name}", chips[chip].name),
        };
        self.reach(name, part, chip, signal)
    }

    fn reach(
        &mut self,
        name: String,
        part: Part,
        chip: usize,
        signal: Signal,
    ) -> Result<(), String> {
        let seen = self.seen.chips[chip].get(&signal);
        let reached = seen.and_then(|cycles| self.next(cycles));
        self.charge(name, part, reached)
    }

    fn device(
        &mut self,
        (name, part): (&str, Part),
        device: usize,
        way: Direction,
    ) -> Result<(), String> {
        let seen = self.seen.devices.get(&(device, way));
        let reached = seen.and_then(|cycles| self.next(cycles));
        self.charge(name.into(), part, reached)
    }

    /// The first of some cycles that is not over.
    fn next(&self, cycles: &[u64]) -> Option<u64> {
        cycles.iter().copied().find(|&cycle| cycle >= self.now)
    }

    fn charge(&mut self, name: String, part: Part, reached: Option<u64>) -> Result<(), String> {
        let reached = reached.ok_or_else(|| format!("stage {name:?} is not seen"))?;
        self.stages.push(Stage {
            name,
            part,
            cycles: reached - self.now,
        });
        self.now = reached;
        Ok(())
    }
}
