//! Inputs, outputs and directories in a failure.

use crate::agents::{LineBytes, LineWrite};
use crate::protocol::{Directory, HomeIn, HomeOut, Payload};
use flits::{CacheState, RespErr};
use std::fmt;

/// Shows a thing to a person.
pub(super) struct Text<'a, T>(pub &'a T);

fn payload(f: &mut fmt::Formatter<'_>, payload: &Payload<LineBytes>) -> fmt::Result {
    match payload {
        Payload::Line(bytes) => write!(f, " of the line {}", hex(bytes)),
        Payload::Write(LineWrite { bytes, mask }) => {
            write!(f, " of bytes {mask:#x} of {}", hex(bytes))
        }
        Payload::Atomic(atomic) => write!(f, " {atomic:?}"),
    }
}

fn hex(data: &LineBytes) -> String {
    let bytes = data.bytes.iter().map(|byte| format!("{byte:02x}"));
    let corrupt = data.poison.then(|| " (poisoned)".to_owned());
    bytes.chain(corrupt).collect()
}

fn failed(f: &mut fmt::Formatter<'_>, resp: RespErr) -> fmt::Result {
    match resp {
        RespErr::Ok => Ok(()),
        resp => write!(f, " ({resp:?})"),
    }
}

impl fmt::Display for Text<'_, Directory> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Directory::Invalid => write!(f, "I"),
            Directory::Shared(sharers) => write!(f, "Shared {sharers:?}"),
            Directory::Unique(owner) => write!(f, "Unique {owner}"),
        }
    }
}

impl fmt::Display for Text<'_, HomeIn<LineBytes>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HomeIn::Request {
                op,
                src,
                may_write,
                data,
            } => {
                write!(f, "{op} from {src}")?;
                if !may_write {
                    write!(f, ", who may not write")?;
                }
                data.as_ref().map_or(Ok(()), |data| payload(f, data))
            }
            HomeIn::Recall => write!(f, "recall"),
            HomeIn::SnoopAnswer {
                op,
                src,
                state,
                data,
            } => {
                write!(f, "{op} {state} from {src}")?;
                match data {
                    Some(data) => write!(f, " with {}", hex(data)),
                    None => Ok(()),
                }
            }
            HomeIn::CompAck { src, state } => write!(f, "CompAck {state} from {src}"),
            HomeIn::MemoryData { data } => write!(f, "CompData of memory with {}", hex(data)),
            HomeIn::MemoryComp { resp } => {
                write!(f, "Comp of memory")?;
                failed(f, *resp)
            }
        }
    }
}

impl fmt::Display for Text<'_, HomeOut<LineBytes>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HomeOut::Snoop { op, targets, .. } => write!(f, "{op} to {targets:?}"),
            HomeOut::MemRead { requester, state } => write!(f, "MemRead {state} for {requester}"),
            HomeOut::Fetch => write!(f, "MemRead for itself"),
            HomeOut::CompData {
                requester,
                data,
                resp,
            } => {
                write!(f, "CompData of {}", hex(data))?;
                failed(f, *resp)?;
                write!(f, " to {requester}")
            }
            HomeOut::MemWrite(written) => {
                write!(f, "MemWrite")?;
                payload(f, written)
            }
            HomeOut::Comp {
                requester,
                state,
                resp,
            } => {
                write!(f, "Comp")?;
                if *state != CacheState::I {
                    write!(f, " {state}")?;
                }
                failed(f, *resp)?;
                write!(f, " to {requester}")
            }
        }
    }
}
