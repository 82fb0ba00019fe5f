//! The history file: what each operation of a run did, in one JSON value a line.
//!
//! The first line names the version; every other is one operation that has completed, in the order
//! of completion.

use crate::lines::{self, FileError, Lines};
use crate::stimulus::OpKind;
use crate::{Data, RespErr, hex};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 1;

/// An operation that has completed.
///
/// Bytes are in the order of their addresses. A compare_swap that did not exchange wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The port of the node.
    pub node: usize,
    /// What it did.
    pub op: OpKind,
    /// The first byte; 0 where the operation has no address.
    #[serde(with = "hex::number")]
    pub addr: u64,
    /// The bytes that it read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_bytes"
    )]
    pub read: Option<Data>,
    /// The bytes that it wrote.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "hex::optional_bytes"
    )]
    pub wrote: Option<Data>,
    /// The place of its write among all writes of the run, in the order in which they became visible
    /// to every node. A write without one left every byte as it was, or nothing is known of the
    /// order of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "is_ok")]
    pub status: RespErr,
    /// The cycle in which it was issued.
    pub start: u64,
    /// The cycle in which it completed.
    pub end: u64,
}

fn is_ok(status: &RespErr) -> bool {
    *status == RespErr::Ok
}

/// Everything that the nodes of a run did.
///
/// ```
/// use flits::{RespErr, history::{Event, History}, stimulus::OpKind};
/// let event = Event {
///     node: 3,
///     op: OpKind::Store,
///     addr: 0x1000,
///     read: None,
///     wrote: Some([0x2a, 0].as_slice().into()),
///     order: Some(5),
///     status: RespErr::Ok,
///     start: 10,
///     end: 57,
/// };
/// let history = History { events: vec![event] };
/// assert_eq!(
///     history.to_text().lines().last(),
///     Some(r#"{"node":3,"op":"store","addr":"0x1000","wrote":"2a00","order":5,"start":10,"end":57}"#)
/// );
/// assert_eq!(History::parse("run.jsonl", &history.to_text())?, history);
/// # Ok::<(), flits::FileError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The operations, in the order of completion.
    pub events: Vec<Event>,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    supernode_history: u32,
}

impl History {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`History::parse`].
    pub fn read(path: &Path) -> Result<History, FileError> {
        History::parse(&path.display().to_string(), &lines::read(path)?)
    }

    /// Reads the text of a file called `file`.
    ///
    /// # Errors
    /// The first line that is not as it should be, and why.
    pub fn parse(file: &str, text: &str) -> Result<History, FileError> {
        let mut lines = Lines::new(file, text);
        lines.expect_version("supernode_history", VERSION)?;
        lines.expect_next::<Head>()?;
        let mut events: Vec<Event> = Vec::new();
        while let Some(event) = lines.next::<Event>()? {
            if event.end < event.start {
                return Err(lines.error("the operation ends before it starts"));
            }
            if events.last().is_some_and(|last| event.end < last.end) {
                return Err(lines.error("the operation ends before the one above it"));
            }
            events.push(event);
        }
        Ok(History { events })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        lines::push(
            &mut text,
            &Head {
                supernode_history: VERSION,
            },
        );
        for event in &self.events {
            lines::push(&mut text, event);
        }
        text
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        fs::write(path, self.to_text()).map_err(|error| FileError::io(path, &error))
    }
}
