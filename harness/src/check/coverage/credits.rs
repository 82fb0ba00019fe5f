//! Links at their limits: class x port x direction x whether a word took the last credit, after
//! which its sender stalls until the receiver has room again.

use flits::Class;

use super::{Group, Hits};
use crate::check::{CheckConfig, Direction, PortKind};

const NAME: &str = "stalls";

/// Ports that are told apart: those of the switch that most tests are about.
const PORTS: usize = 8;
/// Its last ports, which have memories.
const MEMORIES: usize = 2;

/// What a port of a kind can carry in a direction.
fn carried(kind: PortKind, direction: Direction) -> &'static [Class] {
    match (kind, direction) {
        (PortKind::Memory, Direction::ToSwitch) => &[Class::Rsp, Class::Dat],
        (PortKind::Memory, Direction::ToNode) => &[Class::Req, Class::Mem],
        (_, Direction::ToSwitch) => &[Class::Req, Class::Rsp, Class::Dat],
        (_, Direction::ToNode) => &[Class::Snp, Class::Rsp, Class::Dat],
    }
}

fn name(kind: PortKind, port: usize, direction: Direction, class: Class, last: bool) -> String {
    let kind = if kind == PortKind::Memory {
        "memory"
    } else {
        "node"
    };
    let what = if last { "last credit" } else { "word" };
    format!("{kind} {port} {direction} {class} {what}")
}

/// The bins.
pub fn group() -> Group {
    let bins = (0..PORTS).flat_map(|port| {
        let kind = match port < PORTS - MEMORIES {
            true => PortKind::Cached,
            false => PortKind::Memory,
        };
        Direction::ALL.into_iter().flat_map(move |direction| {
            let classes = carried(kind, direction).iter();
            classes.flat_map(move |&class| {
                [false, true].map(|last| name(kind, port, direction, class, last))
            })
        })
    });
    Group {
        name: NAME,
        about: "class x port x direction x a word, or the last credit",
        bins: bins.collect(),
    }
}

/// What is on the ports.
pub(super) struct Credits {
    /// Empty if this is another system than the bins are about.
    kinds: Vec<PortKind>,
    /// What was reached, so that a name is made once.
    reached: Vec<[[[bool; 2]; Class::ALL.len()]; 2]>,
}

impl Credits {
    pub(super) fn new(config: &CheckConfig) -> Credits {
        let kind = |port| match port < PORTS - MEMORIES {
            true => PortKind::Cached,
            false => PortKind::Memory,
        };
        let same = config.kinds.len() == PORTS
            && (config.kinds.iter().enumerate()).all(|(port, &k)| k == kind(port));
        let kinds = if same {
            config.kinds.clone()
        } else {
            Vec::new()
        };
        Credits {
            reached: vec![Default::default(); kinds.len()],
            kinds,
        }
    }

    pub(super) fn word(
        &mut self,
        port: usize,
        direction: Direction,
        class: usize,
        left: u32,
        hits: &mut Hits,
    ) {
        let Some(&kind) = self.kinds.get(port) else {
            return;
        };
        let last = left == 0;
        let reached = &mut self.reached[port][direction as usize][class][usize::from(last)];
        if !std::mem::replace(reached, true) {
            hits.hit(NAME, name(kind, port, direction, Class::ALL[class], last));
        }
    }
}
