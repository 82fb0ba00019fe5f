//! Steps: an operation, who does it and when, and the line of the file that says so.

use super::{Op, OpKind, Packet, Turn};
use crate::{AtomicOp, Class, LinkWord, hex};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An operation of a node, and the cycles that the node idles before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StepLine", into = "StepLine")]
pub struct Step {
    /// The port of the node.
    pub node: usize,
    /// Cycles between the end of the node's last operation and the start of this one.
    pub after: u64,
    /// The operation.
    pub op: Op,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}: {}", self.node, self.op)?;
        if self.after != 0 {
            write!(f, " after {}", self.after)?;
        }
        Ok(())
    }
}

/// A step as its line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepLine {
    node: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    after: u64,
    op: OpKind,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    addr: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    atomic: Option<AtomicOp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    expected: Option<u128>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_number"
    )]
    value: Option<u128>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<Vec<LinkWord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    what: Option<Turn>,
}

fn is_zero(cycles: &u64) -> bool {
    *cycles == 0
}

impl From<Step> for StepLine {
    fn from(step: Step) -> StepLine {
        let Step { node, after, op } = step;
        let kind = op.kind();
        let (addr, size) = op.access().unzip();
        let packet = match &op {
            Op::Packet(packet) => Some(packet.clone()),
            _ => None,
        };
        StepLine {
            node,
            after,
            op: kind,
            addr,
            size: size.filter(|_| kind.is_sized()),
            atomic: op.atomic(),
            expected: op.expected(),
            value: op.value(),
            what: match op {
                Op::Turn(turn) => Some(turn),
                _ => None,
            },
            words: match op {
                Op::Raw { words } => Some(words),
                _ => None,
            },
            class: packet.as_ref().map(|packet| packet.class),
            length: packet.as_ref().map(|packet| packet.length),
            high: (packet.as_ref()).and_then(|packet| packet.high.then_some(true)),
            to: packet.map(|packet| packet.to).filter(|to| !to.is_empty()),
        }
    }
}

impl TryFrom<StepLine> for Step {
    type Error = String;

    fn try_from(mut line: StepLine) -> Result<Step, String> {
        let kind = line.op;
        let op = match kind {
            OpKind::Load => Op::Load {
                addr: line.addr()?,
                size: line.size()?,
            },
            OpKind::Store => Op::Store {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::StoreLine => Op::StoreLine {
                addr: line.addr()?,
                value: line.value()?,
            },
            OpKind::FetchAdd => Op::FetchAdd {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::Swap => Op::Swap {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::CompareSwap => Op::CompareSwap {
                addr: line.addr()?,
                size: line.size()?,
                expected: line.expected()?,
                value: line.value()?,
            },
            OpKind::Fence => Op::Fence,
            OpKind::Evict => Op::Evict { addr: line.addr()? },
            OpKind::ReadOnce => Op::ReadOnce { addr: line.addr()? },
            OpKind::WriteUnique => Op::WriteUnique {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::WritePoison => Op::WritePoison {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::AtomicStore => Op::AtomicStore {
                addr: line.addr()?,
                size: line.size()?,
                atomic: line.atomic()?,
                value: line.value()?,
            },
            OpKind::AtomicLoad => Op::AtomicLoad {
                addr: line.addr()?,
                size: line.size()?,
                atomic: line.atomic()?,
                value: line.value()?,
            },
            OpKind::AtomicSwap => Op::AtomicSwap {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::AtomicCompare => Op::AtomicCompare {
                addr: line.addr()?,
                size: line.size()?,
                expected: line.expected()?,
                value: line.value()?,
            },
            OpKind::CleanInvalid => Op::CleanInvalid { addr: line.addr()? },
            OpKind::ReadUncached => Op::ReadUncached {
                addr: line.addr()?,
                size: line.size()?,
            },
            OpKind::WriteUncached => Op::WriteUncached {
                addr: line.addr()?,
                size: line.size()?,
                value: line.value()?,
            },
            OpKind::Raw => Op::Raw {
                words: line.words.take().ok_or_else(|| lacks(kind, "words"))?,
            },
            OpKind::Packet => Op::Packet(Packet {
                class: line.class.take().ok_or_else(|| lacks(kind, "class"))?,
                to: line.to.take().unwrap_or_default(),
                length: line.length.take().ok_or_else(|| lacks(kind, "length"))?,
                high: line.high.take().unwrap_or_default(),
            }),
            OpKind::Turn => Op::Turn(line.what.take().ok_or_else(|| lacks(kind, "what"))?),
        };
        let left = [
            ("addr", line.addr.is_some()),
            ("size", line.size.is_some()),
            ("atomic", line.atomic.is_some()),
            ("expected", line.expected.is_some()),
            ("value", line.value.is_some()),
            ("words", line.words.is_some()),
            ("class", line.class.is_some()),
            ("to", line.to.is_some()),
            ("length", line.length.is_some()),
            ("high", line.high.is_some()),
            ("what", line.what.is_some()),
        ];
        if let Some((field, _)) = left.into_iter().find(|&(_, is_left)| is_left) {
            return Err(format!("{kind} has no `{field}`"));
        }
        Ok(Step {
            node: line.node,
            after: line.after,
            op,
        })
    }
}

fn lacks(kind: OpKind, field: &str) -> String {
    format!("{kind} needs `{field}`")
}

impl StepLine {
    fn addr(&mut self) -> Result<u64, String> {
        self.addr.take().ok_or_else(|| lacks(self.op, "addr"))
    }

    fn size(&mut self) -> Result<u16, String> {
        self.size.take().ok_or_else(|| lacks(self.op, "size"))
    }

    fn atomic(&mut self) -> Result<AtomicOp, String> {
        self.atomic.take().ok_or_else(|| lacks(self.op, "atomic"))
    }

    fn expected(&mut self) -> Result<u128, String> {
        self.expected
            .take()
            .ok_or_else(|| lacks(self.op, "expected"))
    }

    fn value(&mut self) -> Result<u128, String> {
        self.value.take().ok_or_else(|| lacks(self.op, "value"))
    }
}
