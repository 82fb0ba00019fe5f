//! States as bytes, one to one, and what they look like with other node numbers.
//!
//! A stored state is exact, not a fingerprint: two states are the same if and only if their bytes
//! are. `decode` is the inverse, and a test walks every state of a small model through both.

use super::super::{Directory, HomeLine, NodeLine, NodeSet, Payload, Pending, Transaction, Work};
use super::Config;
use super::system::{Agent, MAX_NODES, Packet, System};
use super::value::{Value, Write};
use flits::{CacheState, Opcode};

/// Appends the bytes of a state.
pub(super) fn encode(config: &Config, s: &System, out: &mut Vec<u8>) {
    let (nodes, lines) = (usize::from(config.nodes), usize::from(config.lines));
    for node in &s.nodes[..nodes] {
        for line in &node[..lines] {
            out.extend(copy(line));
        }
    }
    for home in &s.homes[..lines] {
        let open = u8::from(home.transaction.is_some()) << 6;
        out.push(directory(home.directory) | open);
        if let Some(t) = &home.transaction {
            let flags = u8::from(t.may_write) << 6 | u8::from(t.ack) << 7;
            out.push(work(&t.work) | t.requester << 4 | flags);
            let flags =
                u8::from(t.memory) << 4 | u8::from(t.forwarded) << 5 | u8::from(t.fetch) << 6;
            out.push(t.snoops.0 as u8 | flags);
            out.push(optional(t.dirty) | optional(t.old) << 4);
        }
    }
    out.extend(s.memory[..lines].iter().map(|value| value.code()));
    out.extend(s.network.iter().flat_map(packet));
}

/// The bytes of a packet.
pub(super) fn packet(p: &Packet) -> [u8; 3] {
    let data = match p.data {
        None => 0,
        Some(Payload::Line(value)) => 1 + value.code(),
        Some(Payload::Write(Write::Part)) => 10,
        Some(Payload::Write(Write::Whole)) => 11,
        Some(Payload::Write(Write::Computed)) => 12,
        Some(Payload::Write(Write::Stale)) => 13,
        Some(Payload::Atomic(())) => 14,
    };
    [
        p.from.code() | p.to.code() << 3 | p.line << 6,
        p.op.code() | (p.state as u8) << 6,
        data | p.peer << 4 | u8::from(p.ok) << 7,
    ]
}

/// The bytes of a node's line.
fn copy(line: &NodeLine<Value>) -> [u8; 2] {
    let held = line.state as u8 | optional(line.data) << 2;
    [held, pending(&line.pending)]
}

/// The state of bytes that [`encode`] made.
pub(super) fn decode(config: &Config, bytes: &[u8]) -> System {
    let (nodes, lines) = (usize::from(config.nodes), usize::from(config.lines));
    let mut bytes = bytes.iter().copied();
    let mut next = || bytes.next();
    let mut byte = || next().unwrap_or_default();
    let mut s = System::default();
    for node in &mut s.nodes[..nodes] {
        for line in &mut node[..lines] {
            let first = byte();
            *line = NodeLine {
                state: state(first & 3),
                data: from_optional(first >> 2),
                pending: from_pending(byte()),
            };
        }
    }
    for home in &mut s.homes[..lines] {
        let first = byte();
        *home = HomeLine {
            directory: from_directory(first & 0x3f),
            transaction: (first >> 6 != 0).then(|| {
                let (kind, awaited, dirty) = (byte(), byte(), byte());
                Transaction {
                    work: from_work(kind & 15),
                    requester: kind >> 4 & 3,
                    may_write: kind >> 6 & 1 != 0,
                    snoops: NodeSet(u64::from(awaited & 15)),
                    ack: kind >> 7 != 0,
                    memory: awaited >> 4 & 1 != 0,
                    forwarded: awaited >> 5 & 1 != 0,
                    fetch: awaited >> 6 & 1 != 0,
                    dirty: from_optional(dirty & 15),
                    old: from_optional(dirty >> 4),
                }
            }),
        };
    }
    for value in &mut s.memory[..lines] {
        *value = Value::from_code(byte());
    }
    while let Some(way) = next() {
        let (kind, rest) = (next().unwrap_or_default(), next().unwrap_or_default());
        let Some(op) = Opcode::from_code(kind & 0x3f) else {
            break;
        };
        s.network.push(Packet {
            from: Agent::from_code(way & 7),
            to: Agent::from_code(way >> 3 & 7),
            line: way >> 6,
            op,
            state: state(kind >> 6),
            data: match rest & 15 {
                0 => None,
                10 => Some(Payload::Write(Write::Part)),
                11 => Some(Payload::Write(Write::Whole)),
                12 => Some(Payload::Write(Write::Computed)),
                13 => Some(Payload::Write(Write::Stale)),
                14 => Some(Payload::Atomic(())),
                code => Some(Payload::Line(Value::from_code(code - 1))),
            },
            peer: rest >> 4 & 7,
            ok: rest >> 7 != 0,
        });
    }
    s
}

fn state(code: u8) -> CacheState {
    match code {
        0 => CacheState::I,
        1 => CacheState::SC,
        2 => CacheState::UC,
        _ => CacheState::UD,
    }
}

fn optional(value: Option<Value>) -> u8 {
    value.map_or(0, |value| 1 + value.code())
}

fn from_optional(code: u8) -> Option<Value> {
    (code > 0).then(|| Value::from_code(code - 1))
}

/// What a node may be waiting for, and a home may be working on.
const REQUESTS: [Opcode; 9] = [
    Opcode::ReadShared,
    Opcode::ReadUnique,
    Opcode::CleanUnique,
    Opcode::MakeUnique,
    Opcode::ReadOnce,
    Opcode::WriteUnique,
    Opcode::CleanInvalid,
    Opcode::AtomicStore,
    Opcode::AtomicLoad,
];

fn request(op: Opcode) -> u8 {
    (0..).zip(REQUESTS).find(|r| r.1 == op).map_or(15, |r| r.0)
}

fn from_request(code: u8) -> Opcode {
    REQUESTS[usize::from(code) % REQUESTS.len()]
}

fn pending(pending: &Pending<Value>) -> u8 {
    match pending {
        Pending::None => 0,
        Pending::Request(op) => 1 + request(*op),
        Pending::MakeUnique(value) => 10 | optional(Some(*value)) << 4,
        Pending::WriteBack(value) => 11 | optional(*value) << 4,
        Pending::Evict => 12,
    }
}

fn from_pending(code: u8) -> Pending<Value> {
    match (code & 15, from_optional(code >> 4)) {
        (0, _) => Pending::None,
        (10, Some(value)) => Pending::MakeUnique(value),
        (11, value) => Pending::WriteBack(value),
        (12, _) => Pending::Evict,
        (op, _) => Pending::Request(from_request(op - 1)),
    }
}

fn directory(directory: Directory) -> u8 {
    let kind = match directory {
        Directory::Invalid => 0,
        Directory::Shared(_) => 1,
        Directory::Unique(_) => 2,
    };
    kind | (directory.holders().0 as u8) << 2
}

fn from_directory(code: u8) -> Directory {
    let holders = NodeSet(u64::from(code >> 2));
    match code & 3 {
        0 => Directory::Invalid,
        1 => Directory::Shared(holders),
        _ => Directory::Unique(holders.0.trailing_zeros() as u8),
    }
}

/// What a home may be working on but for requests without data.
const WORKS: [Work<Value>; 7] = [
    Work::WriteUnique(Write::Part),
    Work::WriteUnique(Write::Whole),
    Work::WriteBack,
    Work::Recall,
    Work::CleanInvalid,
    Work::Atomic {
        op: Opcode::AtomicStore,
        atomic: (),
    },
    Work::Atomic {
        op: Opcode::AtomicLoad,
        atomic: (),
    },
];

fn work(work: &Work<Value>) -> u8 {
    match work {
        Work::Request(op) => request(*op),
        work => (9..).zip(WORKS).find(|w| w.1 == *work).map_or(8, |w| w.0),
    }
}

fn from_work(code: u8) -> Work<Value> {
    match code {
        0..9 => Work::Request(from_request(code)),
        code => WORKS[usize::from(code - 9) % WORKS.len()].clone(),
    }
}

/// New numbers of the nodes: node n becomes the nth entry.
pub(super) type Renaming = [u8; MAX_NODES];

/// All renamings that leave the nodes in `fixed` among themselves, the identity first.
pub(super) fn renamings(config: &Config) -> Vec<Renaming> {
    let mut all = vec![Vec::new()];
    for n in 0..config.nodes {
        all = all
            .into_iter()
            .flat_map(|names: Vec<u8>| {
                (0..config.nodes)
                    .filter(|m| config.readers.has(n) == config.readers.has(*m))
                    .filter(|m| !names.contains(m))
                    .map(|m| names.iter().copied().chain([m]).collect())
                    .collect::<Vec<Vec<u8>>>()
            })
            .collect();
    }
    let full = |names: Vec<u8>| std::array::from_fn(|n| names.get(n).map_or(n as u8, |&m| m));
    all.into_iter().map(full).collect()
}

/// What the encoding of each node's lines is compared by.
pub(super) fn keys(s: &System) -> [u32; MAX_NODES] {
    std::array::from_fn(|n| {
        (s.nodes[n].iter()).fold(0, |key, line| {
            key << 16 | u32::from(u16::from_be_bytes(copy(line)))
        })
    })
}

/// The keys of the nodes that stand first, second and so on after a renaming.
pub(super) fn reordered(keys: &[u32; MAX_NODES], names: &Renaming) -> [u32; MAX_NODES] {
    let mut to = [0; MAX_NODES];
    for (&key, &name) in keys.iter().zip(names) {
        to[usize::from(name)] = key;
    }
    to
}

/// The state with the nodes' numbers changed; the order of the network is the caller's to mend.
pub(super) fn renamed(s: &System, names: &Renaming) -> System {
    let node = |n: u8| names[usize::from(n)];
    let set = |set: NodeSet| {
        set.iter()
            .fold(NodeSet::default(), |to, n| to.with(node(n)))
    };
    let agent = |agent: Agent| match agent {
        Agent::Node(n) => Agent::Node(node(n)),
        other => other,
    };
    let mut to = s.clone();
    for (from, &name) in s.nodes.iter().zip(names) {
        to.nodes[usize::from(name)].clone_from(from);
    }
    for home in &mut to.homes {
        home.directory = match home.directory {
            Directory::Invalid => Directory::Invalid,
            Directory::Shared(sharers) => Directory::Shared(set(sharers)),
            Directory::Unique(owner) => Directory::Unique(node(owner)),
        };
        if let Some(t) = &mut home.transaction {
            t.snoops = set(t.snoops);
            if t.work != Work::Recall {
                t.requester = node(t.requester);
            }
        }
    }
    for p in &mut to.network {
        (p.from, p.to) = (agent(p.from), agent(p.to));
        if p.has_peer() && p.peer != Packet::HOME {
            p.peer = node(p.peer);
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::super::{Protocol, Recalls};
    use super::*;

    /// Whatever two states differ in, their bytes do: every state comes back from its own.
    #[test]
    fn every_state_of_small_models_survives_encoding() {
        let models = [
            Config {
                recalls: Recalls::Any,
                errors: true,
                ..Config::default()
            },
            Config {
                nodes: 1,
                lines: 2,
                outstanding: 2,
                recalls: Recalls::Room(1),
                ..Config::default()
            },
        ];
        for config in models {
            let protocol = Protocol::new(config, None).expect("a model");
            let mut states = 0;
            protocol.each_step(&mut |_, _, state| {
                let mut bytes = Vec::new();
                encode(&config, state, &mut bytes);
                assert_eq!(decode(&config, &bytes), *state);
                states += 1;
            });
            assert!(states > 1_000);
        }
    }
}
