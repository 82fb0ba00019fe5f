//! The protocol as a model for exhaustive exploration with `stateright`.
//!
//! N nodes, one home with one line and one memory, over message channels that
//! are ordered only as the fabric promises: per (source, destination, class).
//! Every node may at any time start any request its state allows. With
//! `recalls`, the home may also take the line back at any time, as it does when
//! other lines press on its directory.

mod properties;

use super::{
    Directory, HomeIn, HomeLine, HomeOut, LineData, NodeIn, NodeLine, NodeOut, NodeSet, Outputs,
    Payload, Pending, Violation, Work,
};
use flits::{CacheState, Class, Opcode, RespErr};
use stateright::{Model, Property};
use std::collections::BTreeMap;
use std::fmt;

/// A line of two halves, so that a partial write that loses the other half shows.
/// Cached stores flip `stored`; an uncached store puts its writer in `written`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Value {
    stored: bool,
    written: u8,
}

impl LineData for Value {
    type Write = u8;

    fn merged(self, writer: &u8) -> Self {
        Self {
            written: *writer,
            ..self
        }
    }

    fn whole(_: &u8) -> Option<Self> {
        None
    }
}

/// Who sends and receives messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Agent {
    /// A caching node, by port.
    Node(u8),
    /// The home of the line.
    Home,
    /// The memory behind it.
    Memory,
}

/// A message in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Node to home, class REQ.
    Request(Opcode, Option<Payload<Value>>),
    /// Home to node, class SNP, and the requester to forward to.
    Snoop(Opcode, u8),
    /// Node to home, class RSP or DAT.
    SnoopAnswer(Opcode, CacheState, Option<Value>),
    /// Home to memory: read for a requester.
    MemRead(u8, CacheState),
    /// Home to memory.
    MemWrite(Payload<Value>),
    /// To a requester, class DAT.
    CompData(CacheState, Value),
    /// To a requester or from the memory, class RSP.
    Comp(CacheState),
    /// Requester to home.
    CompAck(CacheState),
}

type Channel = (Agent, Agent, Class);

/// A state of the whole system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    nodes: Vec<NodeLine<Value>>,
    home: HomeLine<Value>,
    memory: Value,
    /// What a load must return: the last value written, by anyone.
    latest: Value,
    channels: BTreeMap<Channel, Vec<Message>>,
    /// The first broken rule.
    fault: Option<String>,
}

/// One step of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A node starts a request.
    Issue(u8, Opcode),
    /// A node in UC or UD stores.
    Store(u8),
    /// The home recalls the line.
    Recall,
    /// The oldest message of a channel arrives.
    Deliver(Channel),
}

/// A node's step function, [`super::node`] or a faulty one.
pub type NodeFn = fn(
    NodeLine<Value>,
    NodeIn<Value>,
) -> Result<(NodeLine<Value>, Outputs<NodeOut<Value>>), Violation>;
/// A home's step function, [`super::home`] or a faulty one.
pub type HomeFn = fn(
    HomeLine<Value>,
    HomeIn<Value>,
) -> Result<(HomeLine<Value>, Outputs<HomeOut<Value>>), Violation>;

/// What to explore.
#[derive(Clone)]
pub struct Protocol {
    /// Number of caching nodes.
    pub nodes: u8,
    /// Those that may read the line but not write it.
    pub readers: NodeSet,
    /// The home may recall the line at any time.
    pub recalls: bool,
    /// The node's step function.
    pub node: NodeFn,
    /// The home's step function.
    pub home: HomeFn,
}

impl Protocol {
    /// The protocol as specified, with `nodes` nodes.
    #[must_use]
    pub fn new(nodes: u8, recalls: bool) -> Self {
        Self {
            nodes,
            readers: NodeSet::default(),
            recalls,
            node: super::node,
            home: super::home,
        }
    }

    fn step_node(&self, s: &mut System, n: u8, input: NodeIn<Value>, snoop_for: Option<u8>) {
        let line = std::mem::take(&mut s.nodes[usize::from(n)]);
        match (self.node)(line, input) {
            Err(Violation(rule)) => s.broken(format!("node {n}: {rule}")),
            Ok((line, out)) => {
                s.nodes[usize::from(n)] = line;
                for message in out {
                    let (to, class, message) = match message {
                        NodeOut::Request { op, data, .. } => {
                            (Agent::Home, Class::Req, Message::Request(op, data))
                        }
                        NodeOut::Forward { state, data } => {
                            if data != s.latest {
                                s.broken(format!("node {n} forwards a stale value"));
                            }
                            let Some(requester) = snoop_for else {
                                s.broken(format!("node {n} forwards without a snoop"));
                                continue;
                            };
                            (
                                Agent::Node(requester),
                                Class::Dat,
                                Message::CompData(state, data),
                            )
                        }
                        NodeOut::SnoopAnswer { op, state, data } => {
                            let class = if data.is_some() {
                                Class::Dat
                            } else {
                                Class::Rsp
                            };
                            (Agent::Home, class, Message::SnoopAnswer(op, state, data))
                        }
                        NodeOut::CompAck { state } => {
                            (Agent::Home, Class::Rsp, Message::CompAck(state))
                        }
                    };
                    s.send(Agent::Node(n), to, class, message);
                }
            }
        }
    }

    fn step_home(&self, s: &mut System, input: HomeIn<Value>) {
        let line = std::mem::take(&mut s.home);
        match (self.home)(line, input) {
            Err(Violation(rule)) => s.broken(format!("home: {rule}")),
            Ok((line, out)) => {
                s.home = line;
                for message in out {
                    match message {
                        HomeOut::Snoop {
                            op,
                            targets,
                            requester,
                        } => {
                            for target in targets.iter() {
                                let snoop = Message::Snoop(op, requester);
                                s.send(Agent::Home, Agent::Node(target), Class::Snp, snoop);
                            }
                        }
                        HomeOut::MemRead { requester, state } => {
                            let read = Message::MemRead(requester, state);
                            s.send(Agent::Home, Agent::Memory, Class::Mem, read);
                        }
                        HomeOut::MemWrite(payload) => {
                            s.send(
                                Agent::Home,
                                Agent::Memory,
                                Class::Mem,
                                Message::MemWrite(payload),
                            );
                        }
                        HomeOut::Comp {
                            requester, state, ..
                        } => {
                            s.send(
                                Agent::Home,
                                Agent::Node(requester),
                                Class::Rsp,
                                Message::Comp(state),
                            );
                        }
                    }
                }
            }
        }
    }

    fn deliver(&self, s: &mut System, from: Agent, to: Agent, message: Message) {
        match (from, to, message) {
            (Agent::Node(src), Agent::Home, Message::Request(op, data)) => {
                let may_write = !self.readers.has(src);
                self.step_home(
                    s,
                    HomeIn::Request {
                        op,
                        src,
                        may_write,
                        data,
                    },
                );
            }
            (Agent::Node(src), Agent::Home, Message::SnoopAnswer(op, state, data)) => {
                if data.is_some_and(|d| d != s.latest) {
                    s.broken(format!("node {src} returns a stale value"));
                }
                self.step_home(
                    s,
                    HomeIn::SnoopAnswer {
                        op,
                        src,
                        state,
                        data,
                    },
                );
            }
            (Agent::Node(src), Agent::Home, Message::CompAck(state)) => {
                self.step_home(s, HomeIn::CompAck { src, state });
            }
            (Agent::Memory, Agent::Home, Message::Comp(_)) => {
                self.step_home(s, HomeIn::MemoryComp { resp: RespErr::Ok });
            }
            (_, Agent::Node(n), Message::Snoop(op, requester)) => {
                self.step_node(s, n, NodeIn::Snoop(op), Some(requester));
            }
            (_, Agent::Node(n), Message::CompData(state, data)) => {
                self.step_node(s, n, NodeIn::CompData { state, data }, None);
            }
            (_, Agent::Node(n), Message::Comp(state)) => {
                if let Pending::MakeUnique(new) = s.nodes[usize::from(n)].pending {
                    s.latest = new;
                }
                let input = NodeIn::Comp {
                    state,
                    resp: RespErr::Ok,
                    from_home: true,
                };
                self.step_node(s, n, input, None);
            }
            (_, Agent::Memory, Message::MemRead(requester, state)) => {
                if s.memory != s.latest {
                    s.broken("the memory is read while it is stale".into());
                }
                let data = Message::CompData(state, s.memory);
                s.send(Agent::Memory, Agent::Node(requester), Class::Dat, data);
            }
            (_, Agent::Memory, Message::MemWrite(payload)) => {
                // An uncached store is performed here, where no copy is left.
                let store = match &s.home.transaction {
                    Some(t) => match t.work {
                        Work::WriteUnique(writer) => Some(writer),
                        _ => None,
                    },
                    None => None,
                };
                s.memory = match payload {
                    Payload::Line(data) => data,
                    Payload::Write(writer) => s.memory.merged(&writer),
                };
                if let Some(writer) = store {
                    s.latest = s.latest.merged(&writer);
                }
                if s.memory != s.latest {
                    s.broken("a stale value is written to memory".into());
                }
                s.send(
                    Agent::Memory,
                    Agent::Home,
                    Class::Rsp,
                    Message::Comp(CacheState::I),
                );
            }
            (from, to, message) => s.broken(format!("{message:?} from {from:?} to {to:?}")),
        }
    }
}

impl System {
    fn broken(&mut self, rule: String) {
        self.fault.get_or_insert(rule);
    }

    fn send(&mut self, from: Agent, to: Agent, class: Class, message: Message) {
        self.channels
            .entry((from, to, class))
            .or_default()
            .push(message);
    }

    fn messages(&self) -> impl Iterator<Item = (&Channel, &Message)> {
        self.channels
            .iter()
            .flat_map(|(c, q)| q.iter().map(move |m| (c, m)))
    }

    /// Can the oldest message of `channel` be taken? Only a request waits, for its turn.
    fn deliverable(&self, &(_, to, class): &Channel) -> bool {
        !(to == Agent::Home && class == Class::Req) || self.home.transaction.is_none()
    }
}

/// The requests of a node, as far as its line's state may allow them.
const REQUESTS: [Opcode; 8] = [
    Opcode::ReadShared,
    Opcode::ReadUnique,
    Opcode::CleanUnique,
    Opcode::MakeUnique,
    Opcode::WriteBackFull,
    Opcode::Evict,
    Opcode::ReadOnce,
    Opcode::WriteUnique,
];

/// Is the request refused where the line may only be read?
fn writes(op: Opcode) -> bool {
    matches!(
        op,
        Opcode::ReadUnique | Opcode::CleanUnique | Opcode::MakeUnique | Opcode::WriteUnique
    )
}

impl Model for Protocol {
    type State = System;
    type Action = Step;

    fn init_states(&self) -> Vec<System> {
        vec![System {
            nodes: vec![NodeLine::default(); usize::from(self.nodes)],
            home: HomeLine::default(),
            memory: Value::default(),
            latest: Value::default(),
            channels: BTreeMap::new(),
            fault: None,
        }]
    }

    fn actions(&self, s: &System, actions: &mut Vec<Step>) {
        use CacheState::{I, SC, UC, UD};
        if s.fault.is_some() {
            return;
        }
        for (n, line) in (0u8..).zip(&s.nodes) {
            if !matches!(line.pending, Pending::None) {
                continue;
            }
            if matches!(line.state, UC | UD) {
                actions.push(Step::Store(n));
            }
            actions.extend(REQUESTS.into_iter().filter_map(|op| {
                let allowed = match op {
                    Opcode::CleanUnique => line.state == SC,
                    Opcode::MakeUnique => matches!(line.state, I | SC),
                    Opcode::WriteBackFull => line.state == UD,
                    Opcode::Evict => matches!(line.state, SC | UC),
                    _ => line.state == I,
                } && !(writes(op) && self.readers.has(n));
                allowed.then_some(Step::Issue(n, op))
            }));
        }
        if self.recalls && s.home.transaction.is_none() && s.home.directory != Directory::Invalid {
            actions.push(Step::Recall);
        }
        actions.extend(
            s.channels
                .keys()
                .filter(|c| s.deliverable(c))
                .map(|c| Step::Deliver(*c)),
        );
    }

    fn next_state(&self, last: &System, step: Step) -> Option<System> {
        let mut s = last.clone();
        let flipped = Value {
            stored: !s.latest.stored,
            ..s.latest
        };
        match step {
            Step::Issue(n, op) => {
                let input = match op {
                    Opcode::MakeUnique => NodeIn::IssueMakeUnique(Value {
                        written: n,
                        ..flipped
                    }),
                    Opcode::WriteUnique => NodeIn::IssueWriteUnique(n),
                    op => NodeIn::Issue(op),
                };
                self.step_node(&mut s, n, input, None);
            }
            Step::Store(n) => {
                s.latest = flipped;
                self.step_node(&mut s, n, NodeIn::Store(flipped), None);
            }
            Step::Recall => self.step_home(&mut s, HomeIn::Recall),
            Step::Deliver(channel) => {
                let queue = s.channels.get_mut(&channel)?;
                let message = queue.remove(0);
                if queue.is_empty() {
                    s.channels.remove(&channel);
                }
                self.deliver(&mut s, channel.0, channel.1, message);
            }
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self.recalls)
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.nodes.iter().enumerate() {
            write!(f, "node {n} {}, ", line.state)?;
        }
        write!(f, "directory {:?}", self.home.directory)?;
        match &self.fault {
            Some(rule) => write!(f, "; {rule}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issue(n, op) => write!(f, "node {n} issues {op}"),
            Self::Store(n) => write!(f, "node {n} stores"),
            Self::Recall => write!(f, "the home recalls the line"),
            Self::Deliver((from, to, class)) => write!(f, "{class} from {from} reaches {to}"),
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(n) => write!(f, "node {n}"),
            Self::Home => write!(f, "home"),
            Self::Memory => write!(f, "memory"),
        }
    }
}
