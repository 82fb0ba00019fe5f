//! The tables of node and home in `docs/protocol.md`, made from the functions.
//!
//! What the functions are asked is what can happen: the states, inputs and requests are those of
//! all steps of a small model ([`Protocol::each_step`]), what they answer is what they do.

use super::model::{Agent, Config, Packet, Protocol, Recalls, Step, System, Value, Write};
use super::{
    Directory, HomeIn, HomeLine, HomeOut, NodeIn, NodeLine, NodeOut, NodeSet, Outputs, Payload,
    Pending, Violation, home, node,
};
use flits::{CacheState, Class, Opcode, RespErr};
use std::collections::{BTreeMap, BTreeSet};

/// The document with both tables between their markers made anew.
///
/// # Errors
/// The markers that the document lacks, or what the functions refuse.
pub fn fill(document: &str) -> Result<String, String> {
    let protocol = Protocol::new(MODEL, None)?;
    let document = flits::generate::fill_part(document, "node", &node_table(&protocol))?;
    let table = home_table(&protocol).map_err(|Violation(what)| what)?;
    flits::generate::fill_part(&document, "home", &table)
}

/// With three nodes a line can be shared by two others while a requester's own copy is lost.
const MODEL: Config = Config {
    nodes: 3,
    lines: 1,
    outstanding: 1,
    readers: NodeSet(0),
    recalls: Recalls::Any,
    errors: true,
    apart: false,
    unordered: false,
    symmetry: true,
};

fn row(cells: &[&str]) -> String {
    let cell = |text: &&str| match text.is_empty() {
        true => " |".to_owned(),
        false => format!(" {text} |"),
    };
    format!("|{}\n", cells.iter().map(cell).collect::<String>())
}

/// The rows with equal cells but for the first made one, in the order of the first of them.
fn merged(rows: Vec<[String; 6]>) -> Vec<[String; 6]> {
    let mut merged: Vec<[String; 6]> = Vec::new();
    for row in rows {
        match merged.iter_mut().find(|other| other[1..] == row[1..]) {
            Some(other) => other[0] = format!("{}, {}", other[0], row[0]),
            None => merged.push(row),
        }
    }
    merged
}

fn node_table(protocol: &Protocol) -> String {
    // Ordered by what happens, then by the state; UD first, which is the fullest case.
    let mut rows: BTreeMap<_, [String; 6]> = BTreeMap::new();
    protocol.each_step(&mut |before, step, after| {
        let (n, order, input) = match step {
            Step::Issue { node, ask, .. } => (*node, 0, format!("starts {}", ask.op())),
            Step::Store { node, .. } => (*node, 1, "stores".to_owned()),
            Step::Deliver(
                p @ Packet {
                    to: Agent::Node(n), ..
                },
            ) => {
                let order = 2 + u8::from(p.op.class() != Class::Snp);
                (*n, order, packet_in(p))
            }
            _ => return,
        };
        let [was, is] = [before, after].map(|s| &s.nodes[usize::from(n)][0]);
        let kept = |state: CacheState| match state == was.state {
            true => "unchanged".to_owned(),
            false => state.to_string(),
        };
        let sends: Vec<_> = sent(before, step, after).iter().map(packet_out).collect();
        let key = (
            order,
            input.clone(),
            waits(&was.pending),
            3 - was.state as u8,
        );
        rows.entry(key).or_insert_with(|| {
            [
                was.state.to_string(),
                waits(&was.pending).to_owned(),
                input,
                sends.join(", "),
                kept(is.state),
                waits(&is.pending).to_owned(),
            ]
        });
    });
    let mut text = row(&[
        "state",
        "waits for",
        "what happens",
        "sends",
        "state after",
        "waits for",
    ]);
    text += "|---|---|---|---|---|---|\n";
    for cells in merged(rows.into_values().collect()) {
        text += &row(&cells.each_ref().map(String::as_str));
    }
    text
}

/// What the step has sent: the packets that were not there before it.
fn sent(before: &System, step: &Step, after: &System) -> Vec<Packet> {
    let mut old = before.network.clone();
    if let Step::Deliver(p) = step
        && let Some(at) = old.iter().position(|other| other == p)
    {
        old.remove(at);
    }
    let mut sent = Vec::new();
    for p in &after.network {
        match old
            .iter()
            .position(|other| (other.from, other.to, other.op) == (p.from, p.to, p.op))
        {
            Some(at) => drop(old.remove(at)),
            None => sent.push(*p),
        }
    }
    // Data before the answer that speaks of it.
    sent.sort_by_key(|p| p.to == Agent::Home);
    sent
}

fn packet_in(p: &Packet) -> String {
    match (p.ok, p.from) {
        (true, _) => p.to_string(),
        (false, Agent::Ingress) => "Comp, failed, not from a home".to_owned(),
        (false, _) => "Comp, failed".to_owned(),
    }
}

fn packet_out(p: &Packet) -> String {
    match p.op {
        Opcode::CompData => format!("{p} to the requester"),
        _ => p.to_string(),
    }
}

/// What a node waits for.
fn waits(pending: &Pending<Value>) -> &'static str {
    match pending {
        Pending::None => "",
        Pending::Request(op) => op.name(),
        Pending::MakeUnique(_) => Opcode::MakeUnique.name(),
        Pending::WriteBack(Some(_)) => Opcode::WriteBackFull.name(),
        Pending::WriteBack(None) => "WriteBackFull, void",
        Pending::Evict => Opcode::Evict.name(),
    }
}

/// The requester in the home's table; the others are nodes 1 and 2.
const R: u8 = 0;

/// The directory as the requester sees it, each with an entry that stands for all of the kind.
const DIRECTORIES: [(&str, Directory); 5] = [
    ("I", Directory::Invalid),
    ("Shared S", Directory::Shared(NodeSet(0b110))),
    ("Shared S + r", Directory::Shared(NodeSet(0b111))),
    ("Unique r", Directory::Unique(R)),
    ("Unique o", Directory::Unique(1)),
];

/// Which of [`DIRECTORIES`] an entry is.
fn kind(directory: Directory, requester: Option<u8>) -> usize {
    match directory {
        Directory::Invalid => 0,
        Directory::Shared(set) => 1 + usize::from(requester.is_some_and(|r| set.has(r))),
        Directory::Unique(owner) => 4 - usize::from(requester == Some(owner)),
    }
}

/// What a home may be asked, in the order of the table.
const REQUESTS: [(&str, Opcode, Option<Payload<Value>>); 12] = [
    ("ReadShared", Opcode::ReadShared, None),
    ("ReadUnique", Opcode::ReadUnique, None),
    ("CleanUnique", Opcode::CleanUnique, None),
    ("MakeUnique", Opcode::MakeUnique, None),
    (
        "WriteBackFull",
        Opcode::WriteBackFull,
        Some(Payload::Line(Value::LATEST)),
    ),
    ("Evict", Opcode::Evict, None),
    ("ReadOnce", Opcode::ReadOnce, None),
    (
        "WriteUnique of a piece",
        Opcode::WriteUnique,
        Some(Payload::Write(Write::Part)),
    ),
    (
        "WriteUnique of the line",
        Opcode::WriteUnique,
        Some(Payload::Write(Write::Whole)),
    ),
    ("CleanInvalid", Opcode::CleanInvalid, None),
    (
        "AtomicStore",
        Opcode::AtomicStore,
        Some(Payload::Atomic(())),
    ),
    (
        "AtomicLoad, -Swap, -Compare",
        Opcode::AtomicLoad,
        Some(Payload::Atomic(())),
    ),
];

fn home_table(protocol: &Protocol) -> Result<String, Violation> {
    let mut possible = BTreeSet::new();
    protocol.each_step(&mut |before, step, _| match step {
        Step::Deliver(Packet {
            from: Agent::Node(r),
            to: Agent::Home,
            op,
            ..
        }) => {
            possible.insert((Some(op.code()), kind(before.homes[0].directory, Some(*r))));
        }
        Step::Recall { .. } => {
            possible.insert((None, kind(before.homes[0].directory, None)));
        }
        _ => {}
    });
    let mut text = row(&[
        "request from r",
        "directory",
        "sends",
        "snoops answered",
        "sends then",
        "memory done",
        "directory after",
    ]);
    text += "|---|---|---|---|---|---|---|\n";
    let mut add = |name: &str, at: usize, ways: Vec<Way>| {
        for (i, way) in ways.into_iter().enumerate() {
            let (name, directory) = if i == 0 {
                (name, DIRECTORIES[at].0)
            } else {
                ("", "")
            };
            text += &row(&[
                name,
                directory,
                &way.first,
                &way.answer,
                &way.then,
                &way.end,
                &way.after,
            ]);
        }
    };
    for (name, op, data) in REQUESTS {
        for (at, (_, directory)) in DIRECTORIES.into_iter().enumerate() {
            if !possible.contains(&(Some(op.code()), at)) {
                continue;
            }
            let request = |may_write| HomeIn::Request {
                op,
                src: R,
                may_write,
                data,
            };
            let usual = ways(directory, request(true))?;
            let mut restricted = ways(directory, request(false))?;
            restricted.retain(|way| !usual.contains(way));
            if let (Some(way), Some(usual)) = (restricted.first_mut(), usual.first())
                && !way.answer.is_empty()
            {
                way.first.clone_from(&usual.first);
            }
            add(name, at, usual);
            add(&format!("{name}, r may not write"), at, restricted);
        }
    }
    for (at, (_, directory)) in DIRECTORIES.into_iter().enumerate() {
        if possible.contains(&(None, at)) {
            add("(recall)", at, ways(directory, HomeIn::Recall)?);
        }
    }
    Ok(text)
}

/// How one request goes, from its turn to its end.
#[derive(PartialEq, Eq)]
struct Way {
    first: String,
    answer: String,
    then: String,
    end: String,
    after: String,
}

fn ways(directory: Directory, input: HomeIn<Value>) -> Result<Vec<Way>, Violation> {
    let start = HomeLine {
        directory,
        transaction: None,
    };
    let (line, out) = home(start, input)?;
    let said = |out: &Outputs<HomeOut<Value>>| {
        let words: Vec<_> = out
            .clone()
            .into_iter()
            .map(|message| words(&message))
            .collect();
        words.join(", ")
    };
    let snoop = out.clone().into_iter().find_map(|message| match message {
        HomeOut::Snoop { op, targets, .. } => Some((op, targets)),
        _ => None,
    });
    let Some((op, targets)) = snoop else {
        let (end, after) = finish(line, &out, None)?;
        return Ok(vec![Way {
            first: said(&out),
            answer: String::new(),
            then: String::new(),
            end,
            after,
        }]);
    };
    let mut ways = Vec::new();
    for (answer, forwarded) in answers(directory, op)? {
        let mut line = line.clone();
        let mut then = Outputs::none();
        let mut label = String::new();
        for src in targets.iter() {
            let (op, state, data) = answer;
            label = format!("{op} {state}");
            (line, then) = home(
                line,
                HomeIn::SnoopAnswer {
                    op,
                    src,
                    state,
                    data,
                },
            )?;
        }
        let (end, after) = finish(line, &then, forwarded)?;
        ways.push(Way {
            first: if ways.is_empty() {
                said(&out)
            } else {
                String::new()
            },
            answer: label,
            then: said(&then),
            end,
            after,
        });
    }
    Ok(ways)
}

type Answer = (Opcode, CacheState, Option<Value>);

/// What the holders may answer, each with the state that they grant the requester.
fn answers(
    directory: Directory,
    snoop: Opcode,
) -> Result<Vec<(Answer, Option<CacheState>)>, Violation> {
    let held = |state| NodeLine {
        state,
        data: Some(Value::LATEST),
        pending: Pending::None,
    };
    let leaving = |pending| NodeLine {
        pending,
        ..NodeLine::default()
    };
    let holders = match directory {
        Directory::Unique(_) => vec![
            held(CacheState::UC),
            held(CacheState::UD),
            leaving(Pending::WriteBack(Some(Value::LATEST))),
            leaving(Pending::Evict),
        ],
        _ => vec![held(CacheState::SC), leaving(Pending::Evict)],
    };
    let mut answers = Vec::new();
    for holder in holders {
        let (_, out) = node(holder, NodeIn::Snoop(snoop))?;
        let (mut answer, mut granted) = (None, None);
        for message in out {
            match message {
                NodeOut::SnoopAnswer { op, state, data } => answer = Some((op, state, data)),
                NodeOut::Forward { state, .. } => granted = Some(state),
                _ => {}
            }
        }
        if let Some(answer) = answer
            && !answers.iter().any(|(other, _)| *other == answer)
        {
            answers.push((answer, granted));
        }
    }
    Ok(answers)
}

/// The rest of a transaction: memory answers, the requester acknowledges what it was granted.
fn finish(
    mut line: HomeLine<Value>,
    sent: &Outputs<HomeOut<Value>>,
    forwarded: Option<CacheState>,
) -> Result<(String, String), Violation> {
    let granted = sent.clone().into_iter().find_map(|message| match message {
        HomeOut::MemRead { state, .. } | HomeOut::Comp { state, .. } => Some(state),
        _ => None,
    });
    let mut end = Vec::new();
    let mut memory = |line: HomeLine<Value>, input| -> Result<_, Violation> {
        let (line, out) = home(line, input)?;
        end.extend(out.into_iter().map(|message| words(&message)));
        Ok(line)
    };
    if line.transaction.as_ref().is_some_and(|t| t.fetch) {
        let data = Value::LATEST;
        line = memory(line, HomeIn::MemoryData { data })?;
    }
    if line.transaction.as_ref().is_some_and(|t| t.memory) {
        line = memory(line, HomeIn::MemoryComp { resp: RespErr::Ok })?;
    }
    if line.transaction.as_ref().is_some_and(|t| t.ack) {
        let state = granted.or(forwarded).unwrap_or(CacheState::I);
        (line, _) = home(line, HomeIn::CompAck { src: R, state })?;
    }
    match line.transaction {
        Some(open) => Err(Violation(format!("a transaction does not end: {open:?}"))),
        None => Ok((end.join(", then "), entry(line.directory))),
    }
}

fn words(message: &HomeOut<Value>) -> String {
    match message {
        HomeOut::Snoop { op, targets, .. } => format!("{op} to {}", set(*targets)),
        HomeOut::MemRead { state, .. } => format!("MemRead, {state} to r"),
        HomeOut::Fetch => "MemRead for the home".to_owned(),
        HomeOut::MemWrite(Payload::Write(Write::Computed)) => {
            "MemWrite of what is computed".to_owned()
        }
        HomeOut::MemWrite(Payload::Write(_) | Payload::Atomic(())) => "MemWrite".to_owned(),
        HomeOut::MemWrite(Payload::Line(Value::LATEST)) => "MemWrite of the dirty line".to_owned(),
        HomeOut::MemWrite(Payload::Line(_)) => "MemWrite, merged with the dirty line".to_owned(),
        HomeOut::Comp {
            state: CacheState::I,
            ..
        } => "Comp".to_owned(),
        HomeOut::Comp { state, .. } => format!("Comp {state}"),
        HomeOut::CompData { .. } => "CompData".to_owned(),
    }
}

fn entry(directory: Directory) -> String {
    match directory {
        Directory::Invalid => "I".to_owned(),
        Directory::Shared(sharers) => format!("Shared {}", set(sharers)),
        Directory::Unique(owner) => format!("Unique {}", set(NodeSet::one(owner))),
    }
}

/// Nodes 1 and 2 together are S; node 1 alone is the owner.
fn set(nodes: NodeSet) -> &'static str {
    match nodes.0 {
        0b001 => "r",
        0b010 => "o",
        0b011 => "o + r",
        0b110 => "S",
        0b111 => "S + r",
        _ => "nobody",
    }
}
