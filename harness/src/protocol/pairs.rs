//! Which state meets which input, with data and the numbers of nodes left out: what an exploration
//! reaches and a simulation may be compared by.

use super::{Directory, HomeIn, HomeLine, LineData, NodeIn, NodeLine, NodeSet, Pending, Work};
use flits::{CacheState, Opcode, RespErr};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasher;

/// Pairs, and how often each was met.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    homes: FxHashMap<HomePair, u64>,
    nodes: FxHashMap<NodePair, u64>,
}

impl Pairs {
    /// A home in this state gets this input.
    pub fn home<D: LineData>(&mut self, line: &HomeLine<D>, input: &HomeIn<D>) {
        *self.homes.entry(HomePair::of(line, input)).or_default() += 1;
    }

    /// A node in this state gets this input.
    pub fn node<D: LineData>(&mut self, line: &NodeLine<D>, input: &NodeIn<D>) {
        self.met(NodePair::of(line, input));
    }

    /// A node is in such a state and gets such an input.
    pub fn met(&mut self, pair: NodePair) {
        *self.nodes.entry(pair).or_default() += 1;
    }

    /// Adds what others have met.
    pub fn add(&mut self, other: &Pairs) {
        for (&pair, count) in &other.homes {
            *self.homes.entry(pair).or_default() += count;
        }
        for (&pair, count) in &other.nodes {
            *self.nodes.entry(pair).or_default() += count;
        }
    }

    /// How many different ones there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.homes.len() + self.nodes.len()
    }

    /// A number for each pair that was met, the same in every run.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        let homes = self.homes.keys().map(|pair| FxBuildHasher.hash_one(pair));
        homes.chain(self.nodes.keys().map(|pair| FxBuildHasher.hash_one(pair)))
    }

    /// Those of homes, in order.
    #[must_use]
    pub fn homes(&self) -> BTreeMap<HomePair, u64> {
        self.homes
            .iter()
            .map(|(&pair, &count)| (pair, count))
            .collect()
    }

    /// Those of nodes, in order.
    #[must_use]
    pub fn nodes(&self) -> BTreeMap<NodePair, u64> {
        self.nodes
            .iter()
            .map(|(&pair, &count)| (pair, count))
            .collect()
    }
}

/// A state of a home's line and an input to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HomePair {
    /// The transaction in flight.
    pub transaction: Option<Phase>,
    /// Who holds the line, seen from the requester.
    pub held: Held,
    /// What comes.
    pub input: HomeInput,
}

/// Who holds a line, seen from a requester r.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// Nobody.
    Nobody,
    /// Shared by others.
    Others,
    /// Shared by r alone.
    Requester,
    /// Shared by r and others.
    All,
    /// r is the owner.
    Owner,
    /// Another is the owner.
    OtherOwner,
}

/// What is asked of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asked {
    /// A request.
    Request {
        /// Its opcode.
        op: Opcode,
        /// A WriteUnique of the whole line.
        whole: bool,
        /// A ReadShared whose sender may not write the line.
        read_only: bool,
    },
    /// To free the directory entry.
    Recall,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phase {
    /// What it does.
    pub asked: Asked,
    /// Nodes that owe an answer to a snoop: none, one, or 2 for several.
    pub snoops: u8,
    /// The requester owes a CompAck.
    pub ack: bool,
    /// The memory owes a Comp.
    pub memory: bool,
    /// The memory owes the line, for a far atomic.
    pub fetch: bool,
    /// The owner has forwarded the data.
    pub forwarded: bool,
    /// Dirty data has come home.
    pub dirty: bool,
}

/// An input of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HomeInput {
    /// The turn of a request, or a recall.
    Begin(Asked),
    /// The answer to a snoop.
    SnoopAnswer(Opcode, CacheState),
    /// CompAck.
    CompAck(CacheState),
    /// Comp of memory; whether it is Ok.
    MemoryComp(bool),
    /// CompData of memory.
    MemoryData,
}

fn asked(op: Opcode, whole: bool, may_write: bool) -> Asked {
    Asked::Request {
        op,
        whole,
        read_only: op == Opcode::ReadShared && !may_write,
    }
}

fn held(directory: Directory, requester: Option<u8>) -> Held {
    let is = |node| requester == Some(node);
    match directory {
        Directory::Invalid => Held::Nobody,
        Directory::Unique(owner) if is(owner) => Held::Owner,
        Directory::Unique(_) => Held::OtherOwner,
        Directory::Shared(sharers) => match requester.filter(|&node| sharers.has(node)) {
            Some(node) if sharers == NodeSet::one(node) => Held::Requester,
            Some(_) => Held::All,
            None => Held::Others,
        },
    }
}

impl HomePair {
    /// The pair of a state and an input.
    pub fn of<D: LineData>(line: &HomeLine<D>, input: &HomeIn<D>) -> HomePair {
        let transaction = line.transaction.as_ref();
        let phase = transaction.map(|t| Phase {
            asked: match &t.work {
                Work::Request(op) => asked(*op, false, t.may_write),
                Work::WriteUnique(write) => {
                    asked(Opcode::WriteUnique, D::whole(write).is_some(), t.may_write)
                }
                Work::Atomic { op, .. } => asked(*op, false, t.may_write),
                Work::CleanInvalid => asked(Opcode::CleanInvalid, false, t.may_write),
                Work::WriteBack => asked(Opcode::WriteBackFull, true, t.may_write),
                Work::Recall => Asked::Recall,
            },
            snoops: t.snoops.iter().take(2).count() as u8,
            ack: t.ack,
            memory: t.memory,
            fetch: t.fetch,
            forwarded: t.forwarded,
            dirty: t.dirty.is_some(),
        });
        let (input, requester) = match input {
            HomeIn::Request {
                op,
                src,
                may_write,
                data,
            } => {
                let whole = match data {
                    Some(super::Payload::Write(write)) => D::whole(write).is_some(),
                    Some(super::Payload::Line(_)) => true,
                    Some(super::Payload::Atomic(_)) => false,
                    None => false,
                };
                (HomeInput::Begin(asked(*op, whole, *may_write)), Some(*src))
            }
            HomeIn::Recall => (HomeInput::Begin(Asked::Recall), None),
            HomeIn::SnoopAnswer { op, state, .. } => (HomeInput::SnoopAnswer(*op, *state), None),
            HomeIn::CompAck { state, .. } => (HomeInput::CompAck(*state), None),
            HomeIn::MemoryData { .. } => (HomeInput::MemoryData, None),
            HomeIn::MemoryComp { resp } => (HomeInput::MemoryComp(*resp == RespErr::Ok), None),
        };
        let own = transaction
            .filter(|t| !matches!(t.work, Work::Recall))
            .map(|t| t.requester);
        HomePair {
            transaction: phase,
            held: held(line.directory, requester.or(own)),
            input,
        }
    }
}

/// A state of a node's line and an input to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodePair {
    /// State of the copy.
    pub state: CacheState,
    /// The unanswered request.
    pub pending: Option<Opcode>,
    /// It is a WriteBackFull whose buffer a snoop has taken.
    pub void: bool,
    /// What comes.
    pub input: NodeInput,
}

/// An input of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeInput {
    /// It starts a request; whether of the whole line, if it is a WriteUnique.
    Issue(Opcode, bool),
    /// A store commits.
    Store,
    /// A snoop.
    Snoop(Opcode),
    /// CompData.
    CompData(CacheState),
    /// Comp: granted state, whether it is Ok, whether a home sent it.
    Comp(CacheState, bool, bool),
}

impl NodePair {
    /// The pair of a state and an input.
    pub fn of<D: LineData>(line: &NodeLine<D>, input: &NodeIn<D>) -> NodePair {
        let (pending, void) = match &line.pending {
            Pending::None => (None, false),
            Pending::Request(op) => (Some(*op), false),
            Pending::MakeUnique(_) => (Some(Opcode::MakeUnique), false),
            Pending::WriteBack(buffer) => (Some(Opcode::WriteBackFull), buffer.is_none()),
            Pending::Evict => (Some(Opcode::Evict), false),
        };
        let input = match input {
            NodeIn::Issue(op) => NodeInput::Issue(*op, false),
            NodeIn::IssueMakeUnique(_) => NodeInput::Issue(Opcode::MakeUnique, false),
            NodeIn::IssueAtomic(op, _) => NodeInput::Issue(*op, false),
            NodeIn::IssueWriteUnique(write) => {
                NodeInput::Issue(Opcode::WriteUnique, D::whole(write).is_some())
            }
            NodeIn::Store(_) => NodeInput::Store,
            NodeIn::Snoop(op) => NodeInput::Snoop(*op),
            NodeIn::CompData { state, .. } => NodeInput::CompData(*state),
            NodeIn::Comp {
                state,
                resp,
                from_home,
            } => NodeInput::Comp(*state, *resp == RespErr::Ok, *from_home),
        };
        NodePair {
            state: line.state,
            pending,
            void,
            input,
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Held::Nobody => "I",
            Held::Others => "Shared S",
            Held::Requester => "Shared r",
            Held::All => "Shared S + r",
            Held::Owner => "Unique r",
            Held::OtherOwner => "Unique o",
        })
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Recall => write!(f, "(recall)"),
            Asked::Request {
                op,
                whole,
                read_only,
            } => {
                write!(f, "{op}")?;
                match (op, whole, read_only) {
                    (Opcode::WriteUnique, true, _) => write!(f, " of the line"),
                    (Opcode::WriteUnique, false, _) => write!(f, " of a piece"),
                    (_, _, true) => write!(f, ", r may not write"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.asked)?;
        let mut between = ": ";
        let mut add = |f: &mut fmt::Formatter<'_>, is: bool, what: &str| {
            if is {
                write!(f, "{}{what}", std::mem::replace(&mut between, ", "))?;
            }
            Ok(())
        };
        add(f, self.forwarded, "forwarded")?;
        add(f, self.dirty, "dirty data came")?;
        add(f, self.snoops == 1, "waits for a snooped node")?;
        add(f, self.snoops > 1, "waits for snooped nodes")?;
        add(f, self.memory, "waits for memory")?;
        add(f, self.fetch, "waits for the line from memory")?;
        add(f, self.ack, "waits for CompAck")
    }
}

impl fmt::Display for HomeInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HomeInput::Begin(asked) => write!(f, "{asked}"),
            HomeInput::SnoopAnswer(op, state) => write!(f, "{op} {state}"),
            HomeInput::CompAck(state) => write!(f, "CompAck {state}"),
            HomeInput::MemoryData => write!(f, "CompData of memory"),
            HomeInput::MemoryComp(true) => write!(f, "Comp of memory"),
            HomeInput::MemoryComp(false) => write!(f, "Comp of memory, failed"),
        }
    }
}

impl fmt::Display for NodeInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeInput::Issue(op, whole) => {
                write!(f, "starts {op}")?;
                match (op, whole) {
                    (Opcode::WriteUnique, true) => write!(f, " of the line"),
                    (Opcode::WriteUnique, false) => write!(f, " of a piece"),
                    _ => Ok(()),
                }
            }
            NodeInput::Store => write!(f, "stores"),
            NodeInput::Snoop(op) => write!(f, "{op}"),
            NodeInput::CompData(state) => write!(f, "CompData {state}"),
            NodeInput::Comp(state, ok, from_home) => {
                write!(f, "Comp")?;
                if *state != CacheState::I {
                    write!(f, " {state}")?;
                }
                match (ok, from_home) {
                    (true, _) => Ok(()),
                    (false, true) => write!(f, ", failed"),
                    (false, false) => write!(f, ", refused"),
                }
            }
        }
    }
}

impl fmt::Display for NodePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(op) = self.pending {
            write!(f, ", {op} unanswered")?;
        }
        if self.void {
            write!(f, ", its buffer taken")?;
        }
        Ok(())
    }
}
