//! Litmus tests: small parallel programs whose final states say which memory model a machine has.
//!
//! * [`Test`] is a test in one typed form, whatever it was written in; [`parse`] reads the `.litmus`
//!   texts of X86_64 and RISCV, [`Collection`] files and collections of them;
//! * [`allowed`] enumerates every final state that a [`MemoryModel`] allows;
//! * [`Campaign`] runs tests many times on a simulated supernode and compares what it saw with that;
//!   [`Summary`] is what people read of it.
//!
//! The parts: `text` splits a file, `x86` and `riscv` read its instructions, `condition` what it
//! asks; `thread` steps a processor from one memory access to the next, for `explore` (all
//! interleavings) and `run` (the switch) alike.

mod collection;
mod condition;
mod explore;
mod lexer;
mod riscv;
mod run;
mod summary;
mod test;
#[cfg(test)]
mod tests;
mod text;
mod thread;
mod x86;

pub use collection::{Collection, Expected, Prepared, Refused};
pub use condition::{Prop, Quantifier};
pub use explore::{MemoryModel, allowed};
pub use run::{Batch, Campaign, Setup, Tally, Violation};
pub use summary::{Summary, TestLine};
pub use test::{
    Address, Arithmetic, Branch, FinalState, Instr, Isa, Item, Location, Operand, Order, Rmw, Test,
    Thread, Width,
};
pub use text::parse;

use std::fmt;

/// Why a test cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where no single line is to blame.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: String,
    /// The class that it is counted in, if the text is well formed and asks for something that is
    /// not supported.
    pub unsupported: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.reason),
            line => write!(f, "{}:{line}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for Error {}

/// What is wrong in a place that the caller knows; becomes an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    reason: String,
    unsupported: Option<String>,
}

impl Wrong {
    /// The text is not as it should be.
    fn malformed(reason: impl Into<String>) -> Self {
        Wrong {
            reason: reason.into(),
            unsupported: None,
        }
    }

    /// The text asks for something of a class that is not supported.
    fn unsupported(class: impl Into<String>, reason: impl Into<String>) -> Self {
        Wrong {
            reason: reason.into(),
            unsupported: Some(class.into()),
        }
    }

    fn at(self, file: &str, line: usize) -> Error {
        Error {
            file: file.to_owned(),
            line,
            reason: self.reason,
            unsupported: self.unsupported,
        }
    }
}
