//! The ways between chips: making them, and following them.

use super::{Chip, End, Route, Topology, TopologyError};
use std::collections::BTreeMap;

/// The other end of each port with a cable.
fn ends(cables: &[[End; 2]]) -> BTreeMap<End, End> {
    let both = cables.iter().flat_map(|&[a, b]| [(a, b), (b, a)]);
    both.collect()
}

/// Gives every chip its ways to the chips with devices: down where that leads there, else up to
/// where it soonest does. All ports that are equally near take turns in the slots.
pub(super) fn up_and_down(chips: &mut [Chip], cables: &[[End; 2]]) {
    let ends = ends(cables);
    let neighbours: Vec<Vec<(u8, usize)>> = (0..chips.len())
        .map(|chip| {
            let ports = 0..chips[chip].ports;
            let next = |port| Some((port as u8, ends.get(&End { chip, port })?.chip));
            ports.filter_map(next).collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..chips.len()).collect();
    order.sort_by_key(|&chip| chips[chip].level);
    let count = chips.len();
    for chip in chips.iter_mut() {
        chip.routes = vec![None; count];
    }
    let targets: Vec<usize> = (0..count).filter(|&c| chips[c].devices != 0).collect();
    for target in targets {
        let mut cost = vec![None; count];
        cost[target] = Some(0usize);
        let mut ways: Vec<Vec<u8>> = vec![Vec::new(); count];
        // Ways down first, from the target's level upwards; then for the rest, from the top, ways up.
        let up = order.iter().map(|&chip| (chip, false));
        let down = order.iter().rev().map(|&chip| (chip, true));
        for (chip, goes_up) in up.chain(down) {
            if cost[chip].is_some() {
                continue;
            }
            let mask = match goes_up {
                true => chips[chip].up,
                false => chips[chip].down,
            };
            let open = neighbours[chip]
                .iter()
                .filter(|&&(port, _)| mask >> port & 1 != 0);
            let near: Vec<(usize, u8)> = open
                .filter_map(|&(port, next)| Some((cost[next]?, port)))
                .collect();
            let Some(least) = near.iter().map(|&(cost, _)| cost).min() else {
                continue;
            };
            cost[chip] = Some(least + 1);
            let least = near.iter().filter(|&&(cost, _)| cost == least);
            ways[chip] = least.map(|&(_, port)| port).collect();
        }
        for (chip, ports) in ways.iter().enumerate() {
            if !ports.is_empty() {
                let slot = |slot: usize| ports[slot % ports.len()];
                chips[chip].routes[target] = Some(std::array::from_fn(slot));
            }
        }
    }
}

/// The distinct ports of a route.
pub(super) fn ports_of(route: &Route) -> Vec<usize> {
    let mut ports: Vec<usize> = route.iter().map(|&port| usize::from(port)).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// One step of a packet for `target` that came in at `at.1`: the ports it may leave by, which the
/// hardware lets it, and whether there are others in the route.
fn steps(
    topology: &Topology,
    (chip, from): (usize, Option<usize>),
    target: usize,
) -> (Vec<usize>, bool) {
    let chip = &topology.chips[chip];
    let Some(route) = chip.routes.get(target).copied().flatten() else {
        return (Vec::new(), true);
    };
    let exits = chip.exits(from);
    let all = ports_of(&route);
    let open: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&port| exits >> port & 1 != 0)
        .collect();
    let lost = open.len() != all.len();
    (open, lost)
}

/// Follows the packets from chip `source` to chip `target` over all ways, each place once. `visit`
/// is told each step: the port by which the packet came to the chip, if from a cable, and the one by
/// which it leaves. Gives the ends at which it arrives, and the first place where it cannot go on.
pub(super) fn follow(
    topology: &Topology,
    ends: &BTreeMap<End, End>,
    (source, target): (usize, usize),
    mut visit: impl FnMut(Option<End>, End),
) -> (Vec<End>, Option<usize>) {
    let (mut arrived, mut stuck) = (Vec::new(), None);
    let mut seen = Vec::new();
    let mut open = vec![(source, None)];
    while let Some((chip, from)) = open.pop() {
        if seen.contains(&(chip, from)) {
            continue;
        }
        seen.push((chip, from));
        if chip == target {
            arrived.extend(from.map(|port| End { chip, port }));
            continue;
        }
        let (ports, lost) = steps(topology, (chip, from), target);
        if lost {
            stuck.get_or_insert(chip);
        }
        for port in ports {
            let out = End { chip, port };
            visit(from.map(|port| End { chip, port }), out);
            match ends.get(&out) {
                Some(next) => open.push((next.chip, Some(next.port))),
                None => {
                    stuck.get_or_insert(chip);
                }
            }
        }
    }
    (arrived, stuck)
}

/// The other end of each port with a cable.
pub(super) fn ends_of(topology: &Topology) -> BTreeMap<End, End> {
    ends(&topology.cables)
}

/// That each device reaches each other by every slot of every table on the way. That no packet goes
/// round for ever follows from the absence of cycles, which is checked elsewhere.
pub(super) fn check(topology: &Topology) -> Result<(), TopologyError> {
    let ends = ends_of(topology);
    for (number, chip) in topology.chips.iter().enumerate() {
        for port in 0..chip.ports {
            let cabled = ends.contains_key(&End { chip: number, port });
            let (down, up) = (chip.down >> port & 1 != 0, chip.up >> port & 1 != 0);
            if cabled != (down || up) || (down && up) {
                let text = format!(
                    "port {port} of {} must be said to lead down or up if it has a cable, and else \
                     not",
                    chip.name
                );
                return Err(TopologyError(text));
            }
        }
    }
    let leaves = topology.leaves();
    for source in 0..leaves {
        for target in (0..leaves).filter(|&target| target != source) {
            let (_, stuck) = follow(topology, &ends, (source, target), |_, _| {});
            if let Some(chip) = stuck {
                let name = |chip: usize| &topology.chips[chip].name;
                let text = format!(
                    "a packet from {} to {} can come to {}, whose route does not let it go on in \
                     every slot",
                    name(source),
                    name(target),
                    name(chip)
                );
                return Err(TopologyError(text));
            }
        }
    }
    Ok(())
}
