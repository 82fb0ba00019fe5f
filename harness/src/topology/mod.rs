//! Systems of one or several chips: which there are, how they are cabled, and the ways between them.
//!
//! A [`Topology`] is made of [`Chip`]s on levels (devices below, spines above) and cables between
//! their ports. [`Topology::new`] finds the ways: up as far as needed, then down, with all ports that
//! are equally near in use at once, each line of memory on its own. A chip never lets a packet that
//! came down go up again, so such ways cannot form a cycle; [`deadlock_check`] proves that of the
//! tables themselves, whoever wrote them.

mod deadlock;
mod routes;
#[cfg(test)]
mod tests;

pub use deadlock::{CLASS_TABLE, Channel, Cycle, deadlock_check};

use flits::stimulus::Tiers;
use flits::{NodeId, Numbering};
use std::fmt;

/// Slots of a route: a hash of the address chooses one of them for each packet.
pub const SLOTS: usize = 8;

/// The ports by which packets for one chip leave another, one a slot.
pub type Route = [u8; SLOTS];

/// One chip of a system. Its number is its place in [`Topology::chips`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// What sentences call it.
    pub name: String,
    /// Distance from the devices: cables go from level to level.
    pub level: usize,
    /// Ports that it has.
    pub ports: usize,
    /// Ports with devices, from port 0 on.
    pub devices: usize,
    /// Ports to chips below, one bit each.
    pub down: u16,
    /// Ports to chips above, one bit each.
    pub up: u16,
    /// The way to each chip, by number; `None` where none is needed.
    pub routes: Vec<Option<Route>>,
}

impl Chip {
    /// A chip without cables.
    pub fn new(name: impl Into<String>, level: usize, ports: usize, devices: usize) -> Chip {
        Chip {
            name: name.into(),
            level,
            ports,
            devices,
            down: 0,
            up: 0,
            routes: Vec::new(),
        }
    }

    /// Ports by which a packet that came in at `port` may leave to other chips, one bit each.
    /// `None`: it comes from a device or a home of this chip.
    pub fn exits(&self, port: Option<usize>) -> u16 {
        match port {
            None => self.down | self.up,
            Some(port) if self.up >> port & 1 != 0 => self.down,
            Some(port) => (self.down | self.up) & !(1 << port),
        }
    }
}

/// A port of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Number of the chip.
    pub chip: usize,
    /// Its port.
    pub port: usize,
}

/// Why a system is not possible: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("topology: {0}")]
pub struct TopologyError(pub String);

/// A checked system of chips: every device reaches every other, and no table can deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    chips: Vec<Chip>,
    cables: Vec<[End; 2]>,
    numbering: Numbering,
}

impl Topology {
    /// One switch with a device on each port.
    pub fn single(ports: usize) -> Topology {
        Topology {
            chips: vec![Chip::new("switch", 0, ports, ports)],
            cables: Vec::new(),
            numbering: Numbering::of_one_chip(ports),
        }
    }

    /// Two tiers: `ports` devices over the leaves, every leaf cabled to every spine. A leaf has its
    /// devices on the lower half of its ports and its cables on the upper half; a spine has leaf `l`
    /// on port `l` of 8. Leaves with 16 ports are used where 8 do not suffice.
    ///
    /// # Errors
    /// If there are too many of anything.
    pub fn tiers(ports: usize, tiers: Tiers) -> Result<Topology, TopologyError> {
        let devices = ports.checked_div(tiers.leaves).unwrap_or_default();
        let size = if devices.max(tiers.spines) > 4 { 16 } else { 8 };
        Topology::tiers_of(size, ports, tiers)
    }

    /// The same of chips with `size` ports.
    ///
    /// # Errors
    /// If there are too many of anything.
    pub fn tiers_of(size: usize, ports: usize, tiers: Tiers) -> Result<Topology, TopologyError> {
        let Tiers { leaves, spines } = tiers;
        if leaves == 0 || !ports.is_multiple_of(leaves) {
            let text = format!("{ports} devices do not go evenly over {leaves} leaves");
            return Err(TopologyError(text));
        }
        let devices = ports / leaves;
        let spine_size = size.min(8);
        if devices.max(spines) > size / 2 || leaves > spine_size || devices == 0 || spines == 0 {
            return Err(TopologyError(format!(
                "{leaves} leaves with {devices} devices each and {spines} spines; there can be \
                 {spine_size} leaves, and 1 to {} devices on each and spines",
                size / 2
            )));
        }
        let leaf = |l| Chip::new(format!("leaf {l}"), 0, size, devices);
        let spine = |s| Chip::new(format!("spine {s}"), 1, spine_size, 0);
        let chips = (0..leaves).map(leaf).chain((0..spines).map(spine));
        let cable = |l, s| {
            let up = End {
                chip: l,
                port: size / 2 + s,
            };
            let down = End {
                chip: leaves + s,
                port: l,
            };
            [up, down]
        };
        let cables = (0..leaves).flat_map(|l| (0..spines).map(move |s| cable(l, s)));
        Topology::new(chips.collect(), cables.collect())
    }

    /// Any system: finds the ways, up and then down, and checks everything. What the chips say of
    /// directions and ways is overwritten.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong.
    pub fn new(mut chips: Vec<Chip>, cables: Vec<[End; 2]>) -> Result<Topology, TopologyError> {
        check_cables(&chips, &cables)?;
        for chip in &mut chips {
            (chip.down, chip.up) = (0, 0);
        }
        for &[a, b] in &cables {
            let (low, high) = match chips[a.chip].level < chips[b.chip].level {
                true => (a, b),
                false => (b, a),
            };
            if chips[low.chip].level + 1 != chips[high.chip].level {
                let (low, high) = (&chips[low.chip].name, &chips[high.chip].name);
                let text = format!("the cable from {low} to {high} does not go up one level");
                return Err(TopologyError(text));
            }
            chips[low.chip].up |= 1 << low.port;
            chips[high.chip].down |= 1 << high.port;
        }
        routes::up_and_down(&mut chips, &cables);
        Topology::with_routes(chips, cables)
    }

    /// Any system whose chips name their directions and ways themselves, checked as they are.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong; a cycle of channels is named.
    pub fn with_routes(chips: Vec<Chip>, cables: Vec<[End; 2]>) -> Result<Topology, TopologyError> {
        check_cables(&chips, &cables)?;
        let devices = chips.first().map_or(0, |chip| chip.devices);
        let with_devices = chips.iter().take_while(|chip| chip.devices != 0).count();
        let count = with_devices * devices;
        let total: usize = chips.iter().map(|chip| chip.devices).sum();
        if devices == 0 || total != count {
            let text = "the first chips have the devices, each as many, and the others have none";
            return Err(TopologyError(text.into()));
        }
        let topology = Topology {
            numbering: Numbering::new(count, devices),
            chips,
            cables,
        };
        routes::check(&topology)?;
        deadlock_check(&topology, &CLASS_TABLE)
            .map_err(|cycle| TopologyError(cycle.to_string()))?;
        Ok(topology)
    }

    /// The chips, by number. Those with devices come first.
    pub fn chips(&self) -> &[Chip] {
        &self.chips
    }

    /// The cables; each connects two ports.
    pub fn cables(&self) -> &[[End; 2]] {
        &self.cables
    }

    /// How the devices are numbered.
    pub fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// Chips with devices, and so with homes that are in use.
    pub fn leaves(&self) -> usize {
        self.numbering.count() / self.numbering.per_chip()
    }

    /// Where the cable at a port ends.
    pub fn other_end(&self, end: End) -> Option<End> {
        self.cables.iter().find_map(|&[a, b]| match end {
            _ if end == a => Some(b),
            _ if end == b => Some(a),
            _ => None,
        })
    }

    /// The system as a graph in the language of Graphviz.
    pub fn to_dot(&self) -> String {
        use fmt::Write;
        let mut dot = String::from("graph supernode {\n  node [shape=box];\n");
        // Writing to a String cannot fail.
        for (number, chip) in self.chips.iter().enumerate() {
            let _ = writeln!(dot, "  c{number} [label=\"{}\"];", chip.name);
            for port in 0..chip.devices {
                let node = NodeId::port(port as u16).on_chip(number as u16);
                let _ = writeln!(dot, "  n{number}_{port} [shape=circle,label=\"{node}\"];");
                let _ = writeln!(
                    dot,
                    "  n{number}_{port} -- c{number} [headlabel=\"{port}\"];"
                );
            }
        }
        for [a, b] in &self.cables {
            let _ = writeln!(
                dot,
                "  c{} -- c{} [taillabel=\"{}\",headlabel=\"{}\"];",
                a.chip, b.chip, a.port, b.port
            );
        }
        dot + "}\n"
    }
}

/// That every cable connects two ports of chips that are there, which have nothing else on them.
fn check_cables(chips: &[Chip], cables: &[[End; 2]]) -> Result<(), TopologyError> {
    let fail = |text| Err(TopologyError(text));
    let most = usize::from(NodeId::CHIPS);
    if chips.len() > most {
        return fail(format!("{} chips; there can be {most}", chips.len()));
    }
    for chip in chips {
        let Chip { name, ports, .. } = chip;
        if *ports > usize::from(NodeId::PORTS) || chip.devices > *ports {
            return fail(format!(
                "{name} has {ports} ports, {} of them with devices; a chip has at most {}",
                chip.devices,
                NodeId::PORTS
            ));
        }
    }
    let ends: Vec<End> = cables.iter().flatten().copied().collect();
    for (index, end) in ends.iter().enumerate() {
        let Some(chip) = chips.get(end.chip) else {
            return fail(format!(
                "a cable ends at chip {}, which is not there",
                end.chip
            ));
        };
        let (name, port) = (&chip.name, end.port);
        if port >= chip.ports {
            return fail(format!(
                "a cable ends at port {port} of {name}, which has {}",
                chip.ports
            ));
        }
        if port < chip.devices {
            return fail(format!("port {port} of {name} has a device and a cable"));
        }
        if ends[..index].contains(end) {
            return fail(format!("port {port} of {name} has two cables"));
        }
    }
    Ok(())
}
