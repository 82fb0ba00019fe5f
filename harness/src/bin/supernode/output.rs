//! How the command ends and how it prints.

use std::io::{ErrorKind, Write};

/// Why a command ends early.
pub enum Stop {
    /// The input cannot be used: one sentence, exit code 2.
    Input(String),
    /// A violation or failure: exit code 1.
    Failure(String),
    /// The reader of the output has closed it; nothing is wrong.
    Closed,
}

/// Prints to standard output; a reader that has gone away is no error.
pub fn print(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Err(Stop::Closed),
        Err(e) => Err(Stop::Failure(format!(
            "standard output cannot be written: {e}"
        ))),
    }
}
