//! A home of the RTL alone among nodes and a memory that are the specification's.
//!
//! Messages wait in channels, ordered as the fabric promises, until whoever drives the home has one
//! delivered: so each order in which messages can reach a home can be had, on purpose
//! ([`super::replay`]) or at random ([`super::scramble`]). What the home takes and sends is compared
//! with the specification as in every simulation. Data is real, and the memory may fail.

use super::slice::Slice;
use crate::agents::{LineBytes, answer_of, is_poisoned, memory_answer, packet};
use crate::dut::{HOME_PORTS, HomeSlice, PortAnswer, bits, write_of};
use crate::protocol::model::Agent;
use crate::protocol::pairs::Pairs;
use crate::protocol::{LineData, NodeIn, NodeLine, NodeSet, Pending, node};
use crate::{Failure, FailureKind};
use flits::{CacheState, Class, Header, NodeId, Numbering, Opcode, Packet, RespErr, layout};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The memory: a unit that is no node.
const MEMORY: NodeId = NodeId::port(15);
/// The chip itself, which may answer a snoop for all its nodes at once.
const CHIP: u16 = 31;
/// Cycles in which something must happen while something is to be done.
const STUCK: u64 = 1_000;
/// Messages of which the story is kept.
const STORY: usize = 80;

/// Messages of one line from one to another, in one class: they arrive in the order sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// Who sends.
    pub from: Agent,
    /// Who receives.
    pub to: Agent,
    /// In which class.
    pub class: Class,
    /// Byte address of the line.
    pub line: u64,
}

/// A line at a node.
#[derive(Default)]
struct Copy {
    line: NodeLine<LineBytes>,
    /// Of the unanswered request.
    txn: u16,
}

/// A home and what is around it.
pub struct Alone {
    slice: Slice,
    nodes: [BTreeMap<u64, Copy>; HOME_PORTS],
    memory: BTreeMap<u64, LineBytes>,
    channels: BTreeMap<Channel, VecDeque<Packet>>,
    /// Snoops that have left and are not answered: tracker and node.
    snooped: BTreeSet<(u16, u8)>,
    next_txn: u16,
    /// Of runs before this one.
    met: Pairs,
    node_pairs: Pairs,
    story: VecDeque<String>,
    /// Nodes that may only read.
    pub readers: NodeSet,
}

/// How the nodes are numbered.
pub(super) fn numbering() -> Numbering {
    Numbering::of_one_chip(HOME_PORTS)
}

/// What memory holds of a line before the first write to it.
fn original(line: u64) -> LineBytes {
    let byte = |at: usize| (line / 64 * 37 + at as u64 * 101 + 0x80) as u8;
    LineBytes::new(std::array::from_fn(byte))
}

impl Alone {
    /// A home, after reset.
    ///
    /// # Errors
    /// An assertion of the model fires.
    pub fn new(home: Box<dyn HomeSlice>) -> Result<Alone, Failure> {
        Ok(Alone {
            slice: Slice::new(home, MEMORY)?,
            nodes: Default::default(),
            memory: BTreeMap::new(),
            channels: BTreeMap::new(),
            snooped: BTreeSet::new(),
            next_txn: 0,
            met: Pairs::default(),
            node_pairs: Pairs::default(),
            story: VecDeque::new(),
            readers: NodeSet::default(),
        })
    }

    /// Resets the home and forgets everything but the pairs that were met; credits come back to the
    /// home `pace` cycles apart.
    ///
    /// # Errors
    /// An assertion of the model fires.
    pub fn restart(&mut self, pace: u64) -> Result<(), Failure> {
        self.met = self.pairs();
        self.node_pairs = Pairs::default();
        (self.nodes, self.memory, self.channels) = Default::default();
        (self.snooped, self.story, self.next_txn) = Default::default();
        self.readers = NodeSet::default();
        self.slice.restart(pace)
    }

    /// Clock cycles since the reset.
    pub fn cycles(&self) -> u64 {
        self.slice.cycles()
    }

    /// The pairs that were met so far.
    pub fn pairs(&self) -> Pairs {
        let mut all = self.met.clone();
        all.add(&self.node_pairs);
        all.add(&self.slice.pairs());
        all
    }

    /// The last messages that were delivered, a line each.
    pub fn story(&self) -> String {
        self.story.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Coverage counters of the model.
    pub fn coverage(&self) -> &[u32] {
        self.slice.coverage()
    }

    /// The copy that a node has, unless its request of the line is unanswered.
    pub fn copy(&self, node: u8, line: u64) -> Option<(CacheState, Option<&LineBytes>)> {
        match self.nodes[usize::from(node)]
            .get(&line)
            .map(|copy| &copy.line)
        {
            None => Some((CacheState::I, None)),
            Some(copy) if copy.pending == Pending::None => Some((copy.state, copy.data.as_ref())),
            Some(_) => None,
        }
    }

    /// The lines that a node has met.
    pub fn lines(&self, node: u8) -> Vec<u64> {
        self.nodes[usize::from(node)].keys().copied().collect()
    }

    /// What memory holds of a line.
    pub fn in_memory(&self, line: u64) -> LineBytes {
        self.memory
            .get(&line)
            .cloned()
            .unwrap_or_else(|| original(line))
    }

    /// The channels with a message, and the opcode of the first.
    pub fn channels(&self) -> impl Iterator<Item = (Channel, Opcode)> {
        let head = |queue: &VecDeque<Packet>| queue.front().map(|packet| packet.header.opcode);
        self.channels
            .iter()
            .filter_map(move |(&channel, queue)| Some((channel, head(queue)?)))
    }

    /// The first of these channels with a message, and the opcode of that.
    pub fn first(&self, wanted: impl Fn(Channel) -> bool) -> Option<(Channel, Opcode)> {
        self.channels().find(|&(channel, _)| wanted(channel))
    }

    /// A node starts a request, or stores.
    ///
    /// # Errors
    /// The protocol does not allow it.
    pub fn start(&mut self, node: u8, line: u64, input: NodeIn<LineBytes>) -> Result<(), Failure> {
        let what = match &input {
            NodeIn::Store(_) => "stores to",
            _ => "asks for",
        };
        self.tell(format_args!("node {node} {what} {line:#x}"));
        self.step(node, line, input, None)
    }

    /// The first message of a channel arrives.
    ///
    /// # Errors
    /// Its receiver cannot take it.
    pub fn deliver(&mut self, channel: Channel) -> Result<(), Failure> {
        let Packet { header, payload } = self.take(channel, "")?;
        match channel.to {
            Agent::Node(node) => {
                let data = match header.class() {
                    // The old value of a far atomic is no line and stays with nobody.
                    Class::Dat => LineBytes::from_flits(&payload, is_poisoned(&header))
                        .or_else(|| Some(LineBytes::new([0; layout::LINE_BYTES]))),
                    _ => None,
                };
                let input = match header.class() {
                    Class::Snp => NodeIn::Snoop(header.opcode),
                    _ if self.txn(node, channel.line) != Some(header.txn) => {
                        let text = format!("node {node}: {header} answers what nobody asked");
                        return Err(self.failure(FailureKind::Protocol, text));
                    }
                    _ => answer_of(&header, data),
                };
                self.step(node, channel.line, input, Some(&header))
            }
            Agent::Memory => {
                let mut data = self.in_memory(channel.line);
                let payload = match header.opcode {
                    Opcode::MemRead => data.to_flits().into(),
                    _ => {
                        data = data.merged(&write_of(&header, &payload));
                        self.memory.insert(channel.line, data.clone());
                        flits::Payload::new()
                    }
                };
                let header = memory_answer(MEMORY, &header, data.poison);
                self.send(Agent::Memory, header, payload)
            }
            _ => {
                self.give_home(header, payload);
                Ok(())
            }
        }
    }

    /// A node answers a snoop of this tracker that it never got: the home must drop that. Does nothing
    /// if it has got one.
    pub fn stray(&mut self, node: u8, tracker: u16) {
        let port = usize::from(node);
        // What it has answered by the link it owes until the home has read that.
        let open = self.snooped.contains(&(tracker, node)) || !self.slice.is_still();
        if self.slice.is_free(port) && !open {
            let (src, ack) = (numbering().node(port), None);
            self.slice.stray(port, PortAnswer { src, tracker, ack });
            self.tell(format_args!(
                "node {node} -> home: SnpResp to tracker {tracker}, unasked"
            ));
        }
    }

    /// The chip answers for all nodes that were snooped of a line, as another chip does; not until each
    /// of them has answered, and only if none has more to say.
    pub fn merge(&mut self, line: u64) {
        let answers = |channel: Channel, op: Opcode| {
            channel.to == Agent::Home && channel.line == line && op == Opcode::SnpResp
        };
        let waiting: Vec<Channel> = (self.channels())
            .filter(|&(channel, op)| answers(channel, op))
            .map(|(channel, _)| channel)
            .collect();
        let tracker = |channel: &Channel| Some(self.channels.get(channel)?.front()?.header.txn);
        let Some(tracker) = waiting.first().and_then(tracker) else {
            return;
        };
        let owed = self.snooped.iter().filter(|snoop| snoop.0 == tracker);
        // Nor does a node speak for itself in the same cycle.
        let free = (0..HOME_PORTS).all(|port| self.slice.is_free(port));
        if owed.count() != waiting.len() || !free {
            return;
        }
        for channel in waiting {
            // It is there, as it has just been seen.
            let _ = self.take(channel, ", in the name of the chip");
        }
        self.snooped.retain(|snoop| snoop.0 != tracker);
        let (src, ack) = (NodeId::try_from(CHIP).unwrap_or_default(), None);
        self.slice.answer(0, PortAnswer { src, tracker, ack });
    }

    /// The memory cannot do what the first message of a channel asks.
    ///
    /// # Errors
    /// There is none.
    pub fn fail(&mut self, channel: Channel) -> Result<(), Failure> {
        let asked = self.take(channel, ", which memory cannot do")?.header;
        let done = memory_answer(MEMORY, &asked, false);
        let header = Header {
            src: MEMORY,
            dst: done.dst,
            txn: done.txn,
            addr: asked.addr,
            resp: RespErr::DataError,
            home_node: done.home_node,
            home_txn: done.home_txn,
            ..Header::new(Opcode::Comp)
        };
        self.send(Agent::Memory, header, flits::Payload::new())
    }

    /// The way into the switch refuses the first request of a channel.
    ///
    /// # Errors
    /// There is none.
    pub fn refuse(&mut self, channel: Channel) -> Result<(), Failure> {
        let asked = self.take(channel, ", refused")?.header;
        let header = Header {
            src: asked.src,
            dst: asked.src,
            txn: asked.txn,
            addr: asked.addr,
            resp: RespErr::DataError,
            ..Header::new(Opcode::Comp)
        };
        self.send(Agent::Ingress, header, flits::Payload::new())
    }

    fn take(&mut self, channel: Channel, how: &str) -> Result<Packet, Failure> {
        let queue = self.channels.get_mut(&channel);
        let Some(packet) = queue.and_then(VecDeque::pop_front) else {
            let Channel {
                from,
                to,
                class,
                line,
            } = channel;
            let text = format!("{from} sends nothing in {class} to {to}, line {line:#x}");
            return Err(self.failure(FailureKind::Progress, text));
        };
        let Channel { from, to, .. } = channel;
        self.tell(format_args!("{from} -> {to}: {}{how}", packet.header));
        Ok(packet)
    }

    /// A step of a node, as the answer to a packet or of its own.
    fn step(
        &mut self,
        number: u8,
        line: u64,
        input: NodeIn<LineBytes>,
        cause: Option<&Header>,
    ) -> Result<(), Failure> {
        let copy = self.nodes[usize::from(number)].entry(line).or_default();
        self.node_pairs.node(&copy.line, &input);
        let stepped = node(std::mem::take(&mut copy.line), input);
        let (after, messages) = match stepped {
            Ok(stepped) => stepped,
            Err(reason) => {
                let text = format!("node {number}, line {line:#x}: {reason}");
                return Err(self.failure(FailureKind::Protocol, text));
            }
        };
        copy.line = after;
        if cause.is_none() {
            copy.txn = self.next_txn;
            self.next_txn = (self.next_txn + 1) % (1 << layout::TXN.width);
        }
        let txn = copy.txn;
        let id = numbering().node(number.into());
        for message in messages {
            let Some((header, payload)) = packet(id, line, txn, cause, &message) else {
                let text = format!("node {number}: an answer to no packet is due");
                return Err(self.failure(FailureKind::Harness, text));
            };
            self.send(Agent::Node(number), header, payload)?;
        }
        Ok(())
    }

    fn txn(&self, node: u8, line: u64) -> Option<u16> {
        self.nodes[usize::from(node)]
            .get(&line)
            .map(|copy| copy.txn)
    }

    /// A message is on its way.
    fn send(
        &mut self,
        from: Agent,
        header: Header,
        payload: flits::Payload,
    ) -> Result<(), Failure> {
        let packet = Packet::new(header, payload)
            .map_err(|error| self.failure(FailureKind::Link, format!("{from}: {error}")))?;
        let node = |id| numbering().port(id).map(|port| Agent::Node(port as u8));
        let to = match header.class() {
            Class::Req => Some(Agent::Home),
            Class::Mem => Some(Agent::Memory),
            Class::Snp => {
                // That a home snoops somebody who is not there is found by the comparison.
                for target in bits(header.targets).filter(|&target| target < HOME_PORTS) {
                    self.snooped.insert((header.txn, target as u8));
                    self.push(from, Agent::Node(target as u8), packet.clone());
                }
                return Ok(());
            }
            _ if header.dst.is_home() => Some(Agent::Home),
            _ => node(header.dst),
        };
        match to {
            Some(to) => {
                self.push(from, to, packet);
                Ok(())
            }
            None => Err(self.failure(FailureKind::Protocol, format!("{from}: {header} to nobody"))),
        }
    }

    fn push(&mut self, from: Agent, to: Agent, packet: Packet) {
        let channel = Channel {
            from,
            to,
            class: packet.header.class(),
            line: packet.header.line(),
        };
        self.channels.entry(channel).or_default().push_back(packet);
    }

    /// A message is at the home: a SnpResp or CompAck at its sender's port, others on the home's link.
    fn give_home(&mut self, header: Header, payload: flits::Payload) {
        let port = numbering().port(header.src);
        let is_answer = header.opcode != Opcode::CompAck && header.class() != Class::Req;
        if let Some(node) = port.filter(|_| is_answer) {
            self.snooped.remove(&(header.txn, node as u8));
        }
        let ack = match header.opcode {
            Opcode::CompAck => Some(Some(header.state)),
            Opcode::SnpResp => Some(None),
            _ => None,
        };
        if let (Some(ack), Some(port)) = (ack, port) {
            let (src, tracker) = (header.src, header.txn);
            self.slice.answer(port, PortAnswer { src, tracker, ack });
            return;
        }
        let state = match (header.class(), port) {
            // The way into the switch says whether the sender may write.
            (Class::Req, Some(port)) if self.readers.has(port as u8) => CacheState::SC,
            (Class::Req, _) => CacheState::UD,
            _ => header.state,
        };
        let header = Header { state, ..header };
        self.slice.push(&Packet { header, payload });
    }

    /// One clock cycle.
    ///
    /// # Errors
    /// The home does something else than the specification, breaks a rule of its link, drops what it is
    /// sent, or an assertion of the model fires.
    pub fn cycle(&mut self) -> Result<(), Failure> {
        match self.slice.cycle()? {
            Some(Packet { header, payload }) => self.send(Agent::Home, header, payload),
            None => Ok(()),
        }
    }

    /// Goes on until the home has taken everything that was delivered, and waits.
    ///
    /// # Errors
    /// As [`Alone::cycle`]; or it does not.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let end = self.cycles() + STUCK;
        self.cycle()?;
        while !self.slice.waits() {
            if self.cycles() > end {
                let text = format!("the home does not take all in {STUCK} cycles");
                return Err(self.failure(FailureKind::Progress, text));
            }
            self.cycle()?;
        }
        Ok(())
    }

    /// Delivers everything until nothing is asked for, nothing is under way and the home is as after
    /// reset but for its directory.
    ///
    /// # Errors
    /// As [`Alone::cycle`]; or that never comes.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let mut last = self.cycles();
        loop {
            let heads: Vec<_> = self.channels().collect();
            if !heads.is_empty() || self.slice.acted() {
                last = self.cycles();
            }
            for (channel, _) in heads {
                self.deliver(channel)?;
            }
            self.cycle()?;
            let copies = self.nodes.iter().flat_map(BTreeMap::values);
            let waiting = copies.filter(|copy| copy.line.pending != Pending::None);
            let waiting = waiting.count();
            if waiting == 0 && self.channels().next().is_none() && self.slice.waits() {
                return self.slice.end();
            }
            if self.cycles() > last + STUCK {
                let text = format!("{waiting} requests are not answered and nothing is under way");
                return Err(self.failure(FailureKind::Progress, text));
            }
        }
    }

    fn tell(&mut self, what: std::fmt::Arguments<'_>) {
        if self.story.len() == STORY {
            self.story.pop_front();
        }
        self.story
            .push_back(format!("{:>6}  {what}", self.cycles()));
    }

    /// A failure in this cycle.
    pub fn failure(&self, kind: FailureKind, text: String) -> Failure {
        Failure::new(self.cycles(), kind, text)
    }
}
