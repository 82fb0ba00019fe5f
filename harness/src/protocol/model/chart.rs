//! A trace as a sequence chart in text: a lane for each node, the home and the memory, a row for
//! each step.

use super::super::{Directory, Pending, Work};
use super::explore::Trace;
use super::system::{Agent, System};
use super::{Broken, Config, Step};
use crate::report::lanes::{PITCH, arrow, mark};
use std::fmt::Write;

/// The chart, a line a row.
pub(super) fn chart(config: &Config, trace: &Trace<System, Step, Broken>) -> String {
    let mut text = String::new();
    let lanes = usize::from(config.nodes) + 2;
    let title = |lane: usize| match lane {
        n if n < usize::from(config.nodes) => format!("node {n}"),
        n if n == usize::from(config.nodes) => "home".to_owned(),
        _ => "memory".to_owned(),
    };
    let mut head = String::from("      ");
    for lane in 0..lanes {
        let _ = write!(head, "{:<PITCH$}", title(lane));
    }
    let _ = writeln!(text, "{}", head.trim_end());
    for (number, (before, step)) in (1..).zip(&trace.steps) {
        let after = match trace.steps.get(number) {
            Some((after, _)) => Some(after),
            None => trace.end.as_ref(),
        };
        let (row, said) = row(config, lanes, step);
        let changes = after.map_or(String::new(), |after| changes(config, before, after));
        let notes: Vec<_> = [said, changes]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect();
        let line = format!("{number:>3}   {row}  {}", notes.join("; "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let Broken { rule, what } = &trace.broken;
    let _ = writeln!(text, "      ==> \"{rule}\" is broken: {what}");
    text
}

/// The picture of a step, and what it does if there is no arrow to say so.
fn row(config: &Config, lanes: usize, step: &Step) -> (String, String) {
    let lane = |agent: Agent| match agent {
        Agent::Node(n) => usize::from(n),
        Agent::Home => lanes - 2,
        Agent::Memory => lanes - 1,
        // It stands between the nodes and the home; its answers start at the home's lane.
        Agent::Ingress => lanes - 2,
    };
    let of = |line: u8| match config.lines {
        1 => String::new(),
        _ => format!(" {}", name(line)),
    };
    match *step {
        Step::Issue { node, line, ask } => {
            let asks = match ask {
                super::Ask::Plain(op) | super::Ask::Atomic(op) => op.to_string(),
                super::Ask::Write(super::Write::Whole) => format!("{} of the whole", ask.op()),
                super::Ask::Write(_) => format!("{} of a part", ask.op()),
            };
            let said = format!("node {node} asks: {asks}{}", of(line));
            (mark(lanes, lane(Agent::Node(node))), said)
        }
        Step::Store { node, line } => {
            let said = format!("node {node} stores{}", of(line));
            (mark(lanes, lane(Agent::Node(node))), said)
        }
        Step::Recall { line } => {
            let said = format!("the home recalls{}", of(line));
            (mark(lanes, lane(Agent::Home)), said)
        }
        Step::Deliver(p) => {
            let label = format!("{p}{}", of(p.line));
            (
                arrow(lanes, lane(p.from), lane(p.to), &label),
                String::new(),
            )
        }
        Step::Refuse(p) => {
            let said = format!("{}{} is refused on its way in", p.op, of(p.line));
            (mark(lanes, lane(p.from)), said)
        }
        Step::Fail(p) => {
            let said = format!("memory fails at {}{}", p.op, of(p.line));
            (mark(lanes, lane(Agent::Memory)), said)
        }
    }
}

fn name(line: u8) -> char {
    char::from(b'A' + line)
}

/// What changes in nodes and home.
fn changes(config: &Config, before: &System, after: &System) -> String {
    let mut text = Vec::new();
    for line in 0..config.lines {
        let index = usize::from(line);
        let of = match config.lines {
            1 => String::new(),
            _ => format!("{}: ", name(line)),
        };
        for n in 0..config.nodes {
            let copies = [before, after].map(|s| &s.nodes[usize::from(n)][index]);
            if copies[0].state != copies[1].state {
                text.push(format!(
                    "{of}node {n} {} -> {}",
                    copies[0].state, copies[1].state
                ));
            }
            if copies.map(|copy| matches!(copy.pending, Pending::WriteBack(Some(_))))
                == [true, false]
                && matches!(copies[1].pending, Pending::WriteBack(None))
            {
                text.push(format!("{of}node {n} gives up its write-back buffer"));
            }
        }
        let homes = [before, after].map(|s| &s.homes[index]);
        let directories = homes.map(|home| directory(home.directory));
        if directories[0] != directories[1] {
            text.push(format!(
                "{of}directory {} -> {}",
                directories[0], directories[1]
            ));
        }
        match homes.map(|home| home.transaction.as_ref().map(|t| &t.work)) {
            [None, Some(Work::Recall)] => text.push(format!("{of}home begins a recall")),
            [None, Some(_)] => text.push(format!("{of}home begins")),
            [Some(_), None] => text.push(format!("{of}home ends")),
            _ => {}
        }
    }
    text.join(", ")
}

fn directory(directory: Directory) -> String {
    match directory {
        Directory::Invalid => "I".to_owned(),
        Directory::Shared(sharers) => format!("Shared{sharers:?}"),
        Directory::Unique(owner) => format!("Unique {owner}"),
    }
}
