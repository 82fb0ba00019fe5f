//! The stimulus file: a system and what its nodes do.
//!
//! Random tests, litmus tests, regressions and bug reports are all this file. It is one JSON value a
//! line: the first names the version, the seed and the system, every other is one operation of one
//! node. The operations of a node run one after the other, in the order of their lines; those of
//! different nodes run side by side. Numbers that are addresses or memory contents are hexadecimal
//! strings.
//!
//! ```
//! use flits::stimulus::Stimulus;
//! let text = r#"
//! {"supernode_stimulus":1,"seed":7,"config":{"ports":4,"nodes":[{"kind":"io"},{"kind":"memory","timing":"ddr"}],"regions":[]}}
//! {"node":0,"after":3,"op":"write_unique","addr":"0x1000","size":8,"value":"0x2a"}
//! {"node":0,"op":"read_once","addr":"0x1000"}
//! "#;
//! let stimulus = Stimulus::parse("example.jsonl", text)?;
//! assert_eq!(stimulus.steps[1].to_string(), "node 0: read_once 0x1000");
//! assert_eq!(Stimulus::parse("again", &stimulus.to_text())?, stimulus);
//!
//! let error = Stimulus::parse("example.jsonl", &text.replace("0x1000\",\"size", "0x1004\",\"size"));
//! assert_eq!(
//!     error.unwrap_err().to_string(),
//!     "example.jsonl:3: write_unique of 8 bytes at 0x1004 is not aligned: the address must be a \
//!      multiple of 8"
//! );
//! # Ok::<(), flits::FileError>(())
//! ```

mod config;
mod link_errors;
mod op;
mod packet;
mod step;
mod turn;

pub use config::{
    Config, LEAVES, MAX_PER_LEAF, MemoryTiming, Node, PORTS, Part, Region, Stall, Tiers, Timing,
};
pub use link_errors::{
    Hit, LinkErrors, MAX_BURST, MAX_DELAY, MAX_DISPLACED, MAX_FLIPPED, Outage, Way, WordError,
};
pub use op::{Op, OpKind, value_bytes};
pub use packet::{MAX_LENGTH, Packet};
pub use step::Step;
pub use turn::{HOME_LINES, MAX_WAIT, Turn};

use crate::lines::{self, FileError, Lines};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 1;

/// A whole stimulus: everything that a run depends on besides the switch itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stimulus {
    /// Decides everything that is left to chance: stalls and their lengths.
    pub seed: u64,
    /// The system.
    pub config: Config,
    /// What the nodes do.
    pub steps: Vec<Step>,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    supernode_stimulus: u32,
    seed: u64,
    config: Config,
}

impl Stimulus {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Stimulus::parse`].
    pub fn read(path: &Path) -> Result<Stimulus, FileError> {
        Stimulus::parse(&path.display().to_string(), &lines::read(path)?)
    }

    /// Reads the text of a file called `file`.
    ///
    /// # Errors
    /// The first line that is not as it should be, and why.
    pub fn parse(file: &str, text: &str) -> Result<Stimulus, FileError> {
        let mut lines = Lines::new(file, text);
        lines.expect_version("supernode_stimulus", VERSION)?;
        let head: Head = lines.expect_next()?;
        head.config.check().map_err(|reason| lines.error(reason))?;
        let mut stimulus = Stimulus {
            seed: head.seed,
            config: head.config,
            steps: Vec::new(),
        };
        while let Some(step) = lines.next()? {
            stimulus
                .check_step(&step)
                .map_err(|reason| lines.error(reason))?;
            stimulus.steps.push(step);
        }
        Ok(stimulus)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let Stimulus {
            seed,
            config,
            steps,
        } = self;
        let mut text = String::new();
        let config = config.clone();
        lines::push(
            &mut text,
            &Head {
                supernode_stimulus: VERSION,
                seed: *seed,
                config,
            },
        );
        for step in steps {
            lines::push(&mut text, step);
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

    /// Checks what [`Stimulus::parse`] checks, for a stimulus that was not read from a file.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.config.check()?;
        self.steps.iter().enumerate().try_for_each(|(index, step)| {
            self.check_step(step)
                .map_err(|reason| format!("step {index}: {reason}"))
        })
    }

    /// The steps of the node on a port, in order.
    pub fn steps_of(&self, port: usize) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.node == port)
    }

    fn check_step(&self, step: &Step) -> Result<(), String> {
        let kind = step.op.kind();
        let Some(node) = self.config.nodes.get(step.node) else {
            let count = self.config.nodes.len();
            return Err(format!(
                "there is no node {}; the system has {count} nodes",
                step.node
            ));
        };
        if !kind.possible_on(node) {
            return Err(format!(
                "node {} is {}, which cannot {kind}",
                step.node,
                node.described()
            ));
        }
        if let Op::Packet(packet) = &step.op {
            self.config.check_packet(packet)?;
        }
        step.op.check()
    }
}
