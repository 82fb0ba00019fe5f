//! What happens around a home alone.

use crate::Class;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lines around a home alone, from 0: more than its directory has room for.
pub const HOME_LINES: u8 = 8;
/// Most cycles that messages are held or merged.
pub const MAX_WAIT: u16 = 500;

/// Something that a peer of a home alone does, or that befalls its messages. A message arrives in the
/// cycle after it was sent, unless it is held; all that the protocol does not allow just now does not
/// happen, so that every file of turns is a legal run.
///
/// ```
/// use flits::stimulus::{Op, Turn};
/// let ask = Op::Turn(Turn::Ask { line: 2, choice: 1 });
/// assert_eq!(ask.to_string(), "turn ask line 2 choice 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Turn {
    /// The peer asks for something of a line, or stores to it.
    Ask {
        /// The line.
        line: u8,
        /// Which of the things that it may do with its copy: counted round.
        choice: u8,
    },
    /// The messages of a class from and to the peer, and between home and memory, wait.
    Hold {
        /// The class.
        class: Class,
        /// For so many cycles.
        cycles: u16,
    },
    /// The memory cannot do what it is asked next.
    Fail,
    /// The chip answers snoops of all peers as one, as another chip does, where none has data to send.
    Merge {
        /// For so many cycles; answers wait in them for those that are still due.
        cycles: u16,
    },
    /// The peer answers a snoop that it never got.
    Stray {
        /// Of this tracker of the home.
        tracker: u8,
    },
}

impl Turn {
    pub(super) fn check(&self) -> Result<(), String> {
        match *self {
            Turn::Ask { line, .. } if line >= HOME_LINES => Err(format!(
                "there is no line {line}; a home alone has {HOME_LINES} lines"
            )),
            Turn::Hold { cycles, .. } | Turn::Merge { cycles }
                if !(1..=MAX_WAIT).contains(&cycles) =>
            {
                Err(format!(
                    "messages wait {cycles} cycles; it can be 1 to {MAX_WAIT}"
                ))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Turn::Ask { line, choice } => write!(f, "ask line {line} choice {choice}"),
            Turn::Hold { class, cycles } => write!(f, "hold {class} cycles {cycles}"),
            Turn::Fail => f.write_str("fail"),
            Turn::Merge { cycles } => write!(f, "merge cycles {cycles}"),
            Turn::Stray { tracker } => write!(f, "stray tracker {tracker}"),
        }
    }
}
