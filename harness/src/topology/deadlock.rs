//! Whether packets can wait for each other in a circle.
//!
//! After W. J. Dally and C. L. Seitz, "Deadlock-free message routing in multiprocessor
//! interconnection networks", IEEE Trans. Computers C-36(5), 1987: a network in which packets wait
//! for channels does not deadlock if the graph of channels, with an edge from each to those that a
//! packet in it may wait for, has no cycle. A channel here is one class in one direction of a cable,
//! since each has buffers and credits of its own. A packet waits for the next channel of its route;
//! at its destination, for the channels of the classes that its receiver may have to send first.

use super::{End, Topology, routes};
use flits::Class;
use std::collections::BTreeMap;
use std::fmt;

/// The classes that a receiver of each class may wait for before it takes a packet, from the table
/// of docs/protocol.md.
pub const CLASS_TABLE: [(Class, &[Class]); 5] = [
    (
        Class::Req,
        &[Class::Snp, Class::Mem, Class::Rsp, Class::Dat],
    ),
    (Class::Snp, &[Class::Rsp, Class::Dat]),
    (Class::Mem, &[Class::Rsp, Class::Dat]),
    (Class::Rsp, &[]),
    (Class::Dat, &[]),
];

/// The buffers of one class at the end of one direction of a cable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// Its class.
    pub class: Class,
    /// From where to where, for people.
    names: [String; 2],
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = &self.names;
        write!(f, "{} from {from} to {to}", self.class)
    }
}

/// Channels each of which waits for the next, and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Cycle {
    /// The channels, each once.
    pub channels: Vec<Channel>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.channels.iter().map(Channel::to_string).collect();
        write!(
            f,
            "packets can wait for each other in a circle: {} waits for the first of these",
            list.join(", which waits for ")
        )
    }
}

/// A channel in the graph: where it begins and its place in the class table.
type Vertex = (End, usize);

/// Checks that the routes of a system and the table of what each class waits for let no channels
/// wait for each other in a circle.
///
/// # Errors
/// The channels of a cycle.
pub fn deadlock_check(topology: &Topology, classes: &[(Class, &[Class])]) -> Result<(), Cycle> {
    let graph = dependencies(topology, classes);
    let Some(vertices) = cycle(&graph) else {
        return Ok(());
    };
    let ends = routes::ends_of(topology);
    let name = |end: End| format!("{} port {}", topology.chips()[end.chip].name, end.port);
    let channel = |(from, class): Vertex| {
        let to = ends.get(&from).copied().unwrap_or(from);
        Channel {
            from,
            to,
            class: classes[class].0,
            names: [from, to].map(name),
        }
    };
    Err(Cycle {
        channels: vertices.into_iter().map(channel).collect(),
    })
}

/// What each channel may wait for.
fn dependencies(
    topology: &Topology,
    classes: &[(Class, &[Class])],
) -> BTreeMap<Vertex, Vec<Vertex>> {
    let ends = routes::ends_of(topology);
    let mut graph: BTreeMap<Vertex, Vec<Vertex>> = BTreeMap::new();
    let mut depend = |from: Option<Vertex>, to: Vertex| {
        graph.entry(to).or_default();
        if let Some(from) = from {
            let list = graph.entry(from).or_default();
            if !list.contains(&to) {
                list.push(to);
            }
        }
    };
    let leaves = topology.leaves();
    let pairs = (0..leaves).flat_map(|a| (0..leaves).map(move |b| (a, b)));
    // By which channels packets come to each chip with devices, and by which they first leave it.
    let mut arrivals = vec![Vec::new(); leaves];
    let mut departures = vec![Vec::new(); leaves];
    for (source, target) in pairs.filter(|(a, b)| a != b) {
        let (arrived, _) = routes::follow(topology, &ends, (source, target), |came, out| {
            let before = came.and_then(|end| ends.get(&end)).copied();
            if before.is_none() {
                departures[source].push(out);
            }
            for class in 0..classes.len() {
                depend(before.map(|end| (end, class)), (out, class));
            }
        });
        let arrived = arrived.iter().filter_map(|end| ends.get(end)).copied();
        arrivals[target].extend(arrived);
    }
    for chip in 0..leaves {
        for (class, (_, waits)) in classes.iter().enumerate() {
            let waits = (0..classes.len()).filter(|&other| waits.contains(&classes[other].0));
            for other in waits {
                for &came in &arrivals[chip] {
                    for &out in &departures[chip] {
                        depend(Some((came, class)), (out, other));
                    }
                }
            }
        }
    }
    graph
}

/// Some cycle of the graph, if it has one: depth first, each vertex once.
fn cycle(graph: &BTreeMap<Vertex, Vec<Vertex>>) -> Option<Vec<Vertex>> {
    let mut done: BTreeMap<Vertex, bool> = BTreeMap::new();
    for &start in graph.keys() {
        if done.contains_key(&start) {
            continue;
        }
        // The way here, each with the index of the next edge to follow.
        let mut path = vec![(start, 0)];
        done.insert(start, false);
        while let Some((vertex, edge)) = path.last_mut() {
            let Some(&next) = graph[vertex].get(*edge) else {
                done.insert(*vertex, true);
                path.pop();
                continue;
            };
            *edge += 1;
            match done.get(&next) {
                Some(true) => {}
                Some(false) => {
                    let from = path.iter().position(|&(vertex, _)| vertex == next)?;
                    return Some(path[from..].iter().map(|&(vertex, _)| vertex).collect());
                }
                None => {
                    done.insert(next, false);
                    path.push((next, 0));
                }
            }
        }
    }
    None
}
