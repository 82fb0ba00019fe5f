//! The story of a line or of a transaction: who asked, who was snooped, who answered, when.
//!
//! Told from the transactions of a waveform ([`Flows`]): [`Story::text`] for the terminal, a table
//! and a sequence chart; [`Story::page`] for the browser, the same with the chart drawn to time.

mod page;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use flits::{Class, NodeId, Opcode};

use super::flow::{Flow, Flows, Name, Place, Step};

/// Which transactions are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Those about the lines of these addresses.
    pub addresses: Option<RangeInclusive<u64>>,
    /// Those of this requester's number, or of this home's tracker.
    pub follow: Option<Name>,
    /// Those with a packet on one of these ports; empty for all.
    pub ports: Vec<usize>,
    /// Those with a packet in one of these cycles.
    pub cycles: Option<RangeInclusive<u64>>,
}

impl Choice {
    fn wants(&self, flow: &Flow) -> bool {
        let (first, last) = flow.cycles();
        let when = |cycles: &RangeInclusive<u64>| first <= *cycles.end() && *cycles.start() <= last;
        let names = [flow.name, flow.home];
        let on_ports = |step: &Step| {
            let hops = [step.sent, step.arrived];
            hops.iter()
                .flatten()
                .any(|hop| self.ports.contains(&hop.port))
        };
        let about = |a: &RangeInclusive<u64>| flow.touches(*a.start(), *a.end());
        self.addresses.as_ref().is_none_or(about)
            && self.follow.is_none_or(|name| names.contains(&Some(name)))
            && self.cycles.as_ref().is_none_or(when)
            && (self.ports.is_empty() || flow.steps.iter().any(on_ports))
    }
}

/// Who takes part, each with a lane in the chart: requesters and other nodes, homes, memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Node(NodeId),
    Home(NodeId),
    Memory(NodeId),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Node(node) => write!(f, "node {node}"),
            Party::Home(node) => write!(f, "{node}"),
            Party::Memory(node) => write!(f, "memory {node}"),
        }
    }
}

/// Some transactions of a waveform.
pub struct Story<'a> {
    title: String,
    flows: Vec<&'a Flow>,
    memories: &'a BTreeSet<NodeId>,
}

impl<'a> Story<'a> {
    /// The story of the transactions that are wanted.
    pub fn new(flows: &'a Flows, choice: &Choice) -> Story<'a> {
        let about = choice
            .addresses
            .as_ref()
            .map(|a| match a.start() == a.end() {
                true => format!(
                    "line {:#x}",
                    a.start() & !(flits::layout::LINE_BYTES as u64 - 1)
                ),
                false => format!("addresses {:#x} to {:#x}", a.start(), a.end()),
            });
        let follow = choice.follow.map(|name| format!("transaction {name}"));
        let parts: Vec<_> = about.into_iter().chain(follow).collect();
        Story {
            title: match parts.is_empty() {
                true => "all transactions".to_string(),
                false => parts.join(", "),
            },
            flows: flows
                .flows
                .iter()
                .filter(|flow| choice.wants(flow))
                .collect(),
            memories: &flows.memories,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    fn party(&self, node: NodeId) -> Party {
        match node.is_home() {
            true => Party::Home(node),
            false if self.memories.contains(&node) => Party::Memory(node),
            false => Party::Node(node),
        }
    }

    /// Sender and receiver of a step. A request of a node names no receiver: it is the home that
    /// took it up, or the memory that it arrived at.
    fn ends(&self, flow: &Flow, step: &Step) -> (Party, Option<Party>) {
        let from = self.party(step.header.src);
        let to = match (step.header.class(), flow.home, step.arrived) {
            (Class::Req, Some(home), _) => Some(Party::Home(home.node)),
            (Class::Req, None, _) => self.memory_of(flow),
            _ => Some(self.party(step.header.dst)),
        };
        (from, to)
    }

    /// The memory that answered an uncached request.
    fn memory_of(&self, flow: &Flow) -> Option<Party> {
        let from = flow.answer().map(|step| self.party(step.header.src));
        from.filter(|party| matches!(party, Party::Memory(_)))
    }

    /// Those who take part, in the order of their lanes.
    fn parties(&self) -> Vec<Party> {
        let ends = self.flows.iter().flat_map(|flow| {
            flow.steps.iter().flat_map(|step| {
                let (from, to) = self.ends(flow, step);
                [Some(from), to]
            })
        });
        ends.flatten()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// What the table says of a transaction, cell by cell; see [`HEAD`].
    fn cells(&self, flow: &Flow) -> [String; HEAD.len()] {
        let dash = || "-".to_string();
        let asked = flow.request();
        let (first, _) = flow.cycles();
        let stages = flow.stages();
        let took: u64 = stages.iter().map(|stage| stage.cycles()).sum();
        let snooped = flow.steps.iter().filter(|step| {
            let to_device = step.arrived.is_some();
            step.header.class() == Class::Snp && to_device
        });
        let snooped: Vec<_> = snooped.map(|step| step.header.dst.to_string()).collect();
        let answered = flow
            .answer()
            .map(|step| self.party(step.header.src).to_string());
        let parts = stages.iter().map(|stage| {
            let place = match stage.place {
                Place::Switch => "switch".to_string(),
                Place::Home(node) | Place::Device(node) => self.party(node).to_string(),
            };
            format!("{place} {}", stage.cycles())
        });
        let parts: Vec<_> = parts.collect();
        let or_dash = |text: String| if text.is_empty() { dash() } else { text };
        [
            first.to_string(),
            flow.name.map_or_else(dash, |name| name.to_string()),
            asked.map_or_else(dash, |step| step.header.opcode.name().to_string()),
            flow.line().map_or_else(dash, |line| format!("{line:#x}")),
            flow.home.map_or_else(dash, |home| home.to_string()),
            or_dash(snooped.join(" ")),
            answered.unwrap_or_else(dash),
            if stages.is_empty() {
                dash()
            } else {
                took.to_string()
            },
            or_dash(parts.join(", ")),
        ]
    }

    /// The steps of all transactions in the order of their cycles.
    fn steps(&self) -> Vec<(&'a Flow, &'a Step)> {
        let mut steps: Vec<_> = (self.flows.iter())
            .flat_map(|flow| flow.steps.iter().map(move |step| (*flow, step)))
            .collect();
        steps.sort_by_key(|(_, step)| step.cycle());
        steps
    }

    /// What is to be said beside a step.
    fn note(&self, flow: &Flow, step: &Step) -> String {
        let header = &step.header;
        let mut notes = Vec::new();
        if let (Some(sent), Some(arrived)) = (step.sent, step.arrived) {
            notes.push(format!("there in {}", arrived.cycle.max(sent.cycle)));
        }
        if header.class() == Class::Snp
            && flow.request().is_some()
            && flow.line() != Some(header.line())
        {
            notes.push(format!("recalls {:#x}", header.line()));
        }
        let last = match header.opcode {
            Opcode::CompAck => None,
            _ => flow.answer().filter(|answer| std::ptr::eq(*answer, step)),
        };
        if let (Some(_), Some(asked)) = (last, flow.request().and_then(|step| step.sent))
            && let Some(arrived) = step.arrived
        {
            notes.push(format!("answered after {}", arrived.cycle - asked.cycle));
        }
        if header.poison {
            notes.push("poisoned".to_string());
        }
        notes.join(", ")
    }
}

/// The columns of the table.
const HEAD: [&str; 9] = [
    "cycle",
    "who",
    "asks",
    "line",
    "home",
    "snooped",
    "answered by",
    "cycles",
    "of these at",
];

#[cfg(test)]
mod tests;
