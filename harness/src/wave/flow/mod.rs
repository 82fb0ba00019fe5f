//! The packets of a waveform put together to transactions.
//!
//! A transaction is what a requester asked for under one of its numbers and all that followed from
//! it on the ports: the home's snoops, accesses to memory, answers, the acknowledgement. Packets
//! name it in one of two ways: by the requester and its number, or by the home and the number of
//! its tracker. Where a home writes to memory before it has said for whom, the packet waits for the
//! answer that tells.

mod stages;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flits::layout::{self, Form};
use flits::{Class, Header, NodeId};

use super::{Transaction, Way};
pub use stages::{Place, Stage};

/// Where and when a packet was on a link: in the cycle of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The cycle.
    pub cycle: u64,
    /// The port.
    pub port: usize,
}

/// A packet of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its header, as it was seen first.
    pub header: Header,
    /// Into the switch; not for what a home sends.
    pub sent: Option<Hop>,
    /// Out of the switch; not for what a home gets.
    pub arrived: Option<Hop>,
}

impl Step {
    /// The cycle in which it was seen first.
    pub fn cycle(&self) -> u64 {
        let hop = self.sent.or(self.arrived);
        hop.map_or(0, |hop| hop.cycle)
    }

    /// The opcode and, where the packet has one, the state: `CompData SC`; with what went wrong.
    pub fn label(&self) -> String {
        let header = &self.header;
        let mut label = header.opcode.name().to_string();
        if layout::STATE.is_in(header.form()) {
            label = format!("{label} {}", header.state);
        }
        if layout::RESP.is_in(header.form()) && header.resp != flits::RespErr::Ok {
            label = format!("{label} {}", header.resp);
        }
        label
    }
}

/// The name of a transaction: a node and the number under which that node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Requester or home.
    pub node: NodeId,
    /// Its number there.
    pub txn: u16,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.node, self.txn))
    }
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Requester and number; `None` for packets of a home whose requester was not seen.
    pub name: Option<Name>,
    /// The home, once it has shown itself, and its tracker.
    pub home: Option<Name>,
    /// The packets in the order in which they were seen first.
    pub steps: Vec<Step>,
    /// Answers owed to the home for snoops and for accesses to memory.
    owed: u32,
    /// The home got data, which it will write to memory.
    write_due: bool,
    /// The last packet of the requester's side has been seen.
    closed: bool,
}

impl Flow {
    fn new(name: Option<Name>) -> Flow {
        Flow {
            name,
            home: None,
            steps: Vec::new(),
            owed: 0,
            write_due: false,
            closed: false,
        }
    }

    /// The request, if it was seen.
    pub fn request(&self) -> Option<&Step> {
        self.steps.iter().find(|s| s.header.class() == Class::Req)
    }

    /// What answered the requester.
    pub fn answer(&self) -> Option<&Step> {
        self.steps.iter().find(|step| self.is_answer(&step.header))
    }

    /// The acknowledgement of the requester.
    pub fn acknowledged(&self) -> Option<&Step> {
        let from = self.name.map(|name| name.node);
        self.steps.iter().find(|step| {
            step.header.opcode == flits::Opcode::CompAck && Some(step.header.src) == from
        })
    }

    /// The line that it is about, if one of its packets says so.
    pub fn line(&self) -> Option<u64> {
        let mut steps = self.steps.iter().map(|step| &step.header);
        let request = self.request().map(|step| step.header.line());
        request.or_else(|| steps.find(|h| h.class() == Class::Snp).map(Header::line))
    }

    /// Whether a line is asked for, or recalled to make room.
    pub fn touches(&self, first: u64, last: u64) -> bool {
        let end = layout::LINE_BYTES as u64 - 1;
        let about = |line: u64| first <= line + end && line <= last;
        self.line().is_some_and(about)
            || (self.steps.iter())
                .any(|step| step.header.class() == Class::Snp && about(step.header.line()))
    }

    /// First and last cycle of its packets.
    pub fn cycles(&self) -> (u64, u64) {
        let hops = (self.steps.iter()).flat_map(|step| [step.sent, step.arrived]);
        hops.flatten().fold((u64::MAX, 0), |(first, last), hop| {
            (first.min(hop.cycle), last.max(hop.cycle))
        })
    }

    /// Whether the home still has work that is its own.
    fn is_open(&self) -> bool {
        !self.closed || self.owed > 0 || self.write_due
    }

    fn is_answer(&self, header: &Header) -> bool {
        let name = self.name.map(|name| (name.node, name.txn));
        matches!(header.class(), Class::Rsp | Class::Dat) && name == Some((header.dst, header.txn))
    }

    /// Adds a packet on a link: to the step that it is the second half of, or as a step.
    fn add(&mut self, way: Way, hop: Hop, header: &Header) {
        let to_home = header.dst.is_home() && matches!(header.class(), Class::Rsp | Class::Dat);
        match way {
            Way::FromSwitch if matches!(header.class(), Class::Snp | Class::Mem) => {
                let answered = header.form() == Form::MemRead && !header.return_node.is_home();
                self.owed += u32::from(!answered);
                self.write_due &= header.form() != Form::MemWrite;
            }
            Way::ToSwitch if header.opcode == flits::Opcode::CompAck => self.closed = true,
            Way::ToSwitch if to_home => {
                self.owed = self.owed.saturating_sub(1);
                self.write_due |= header.class() == Class::Dat;
            }
            // Where the home waits for no acknowledgement the answer is the end.
            Way::FromSwitch if self.is_answer(header) => {
                self.closed |= !header.home_node.is_home() || !self.is_acknowledged();
            }
            _ => {}
        }
        // The switch changes the destination and the address of some requests.
        let same = |step: &&mut Step| {
            let (a, b) = (&step.header, header);
            step.arrived.is_none()
                && (a.opcode, a.src, a.txn) == (b.opcode, b.src, b.txn)
                && (a.dst == b.dst || a.class() == Class::Req)
        };
        let first = (self.steps.iter_mut()).find(|step| way == Way::FromSwitch && same(step));
        match (first, way) {
            (Some(step), _) => step.arrived = Some(hop),
            (None, Way::ToSwitch) => self.steps.push(Step {
                header: *header,
                sent: Some(hop),
                arrived: None,
            }),
            (None, Way::FromSwitch) => self.steps.push(Step {
                header: *header,
                sent: None,
                arrived: Some(hop),
            }),
        }
    }

    /// Whether requests like this one end with an acknowledgement.
    fn is_acknowledged(&self) -> bool {
        self.request()
            .is_none_or(|step| step.header.opcode.is_acknowledged())
    }
}

/// All transactions of a waveform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flows {
    /// In the order of their first packets.
    pub flows: Vec<Flow>,
    /// The nodes that were asked as memories.
    pub memories: BTreeSet<NodeId>,
}

/// Puts the packets of a waveform together, one after the other.
#[derive(Default)]
pub struct Collector {
    found: Flows,
    /// The youngest transaction of each requester's number, and of each home's tracker.
    open: BTreeMap<Name, usize>,
    trackers: BTreeMap<Name, usize>,
    /// Packets of a tracker whose transaction has not shown itself.
    waiting: BTreeMap<Name, Vec<(Way, Hop, Header)>>,
}

impl Collector {
    /// Takes the next packet; what is none is left out.
    pub fn push(&mut self, transaction: &Transaction) {
        let Ok(header) = &transaction.header else {
            return;
        };
        let way = transaction.way;
        let hop = Hop {
            cycle: transaction.cycle,
            port: transaction.port,
        };
        let by = |node, txn| Name { node, txn };
        let asks_memory = match header.class() {
            Class::Mem => true,
            Class::Req => !header.dst.is_home(),
            _ => false,
        };
        if way == Way::FromSwitch && asks_memory {
            self.found.memories.insert(header.dst);
        }
        let sender = by(header.src, header.txn);
        let receiver = by(header.dst, header.txn);
        let flow = match header.form() {
            Form::Req if way == Way::ToSwitch => self.begin(sender),
            Form::Req => self.of(sender),
            Form::Snp => {
                let flow = self.of(by(header.forward_node, header.forward_txn));
                self.bind(flow, sender);
                flow
            }
            Form::MemRead if !header.return_node.is_home() => {
                let flow = self.of(by(header.return_node, header.return_txn));
                self.bind(flow, sender);
                flow
            }
            Form::MemRead | Form::MemWrite => match self.at_home(sender, false) {
                Some(flow) => flow,
                None => return self.wait(sender, way, hop, header),
            },
            Form::Rsp | Form::Dat if header.dst.is_home() => match self.at_home(receiver, true) {
                Some(flow) => flow,
                None => return self.wait(receiver, way, hop, header),
            },
            Form::Rsp | Form::Dat => {
                let flow = self.of(receiver);
                if header.home_node.is_home() {
                    self.bind(flow, by(header.home_node, header.home_txn));
                }
                flow
            }
        };
        self.found.flows[flow].add(way, hop, header);
    }

    /// All that was found.
    pub fn finish(mut self) -> Flows {
        for (home, packets) in std::mem::take(&mut self.waiting) {
            let mut flow = Flow::new(None);
            flow.home = Some(home);
            for (way, hop, header) in packets {
                flow.add(way, hop, &header);
            }
            self.found.flows.push(flow);
        }
        for flow in &mut self.found.flows {
            flow.steps.sort_by_key(Step::cycle);
        }
        self.found.flows.sort_by_key(|flow| flow.cycles());
        self.found
    }

    fn begin(&mut self, name: Name) -> usize {
        let flow = self.found.flows.len();
        self.found.flows.push(Flow::new(Some(name)));
        self.open.insert(name, flow);
        flow
    }

    /// The transaction of a requester's number, also where its request came before the file began.
    fn of(&mut self, name: Name) -> usize {
        match self.open.get(&name) {
            Some(&flow) => flow,
            None => self.begin(name),
        }
    }

    /// The tracker works for this transaction; what waited for it to say so belongs to it too.
    fn bind(&mut self, flow: usize, tracker: Name) {
        self.found.flows[flow].home = Some(tracker);
        self.trackers.insert(tracker, flow);
        for (way, hop, header) in self.waiting.remove(&tracker).into_iter().flatten() {
            self.found.flows[flow].add(way, hop, &header);
        }
    }

    /// The transaction of a tracker, if it is known. An answer belongs to the last one; a new access
    /// to memory may be the first that is seen of the next.
    fn at_home(&self, tracker: Name, answer: bool) -> Option<usize> {
        if self.waiting.contains_key(&tracker) {
            return None;
        }
        let flow = *self.trackers.get(&tracker)?;
        (answer || self.found.flows[flow].is_open()).then_some(flow)
    }

    fn wait(&mut self, tracker: Name, way: Way, hop: Hop, header: &Header) {
        let packets = self.waiting.entry(tracker).or_default();
        packets.push((way, hop, *header));
    }
}

#[cfg(test)]
pub(super) mod tests;
