//! How the command ends and how it prints.

use std::io::{ErrorKind, Write};
use std::path::Path;

use harness::report::file::OutFile;

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

/// Prepares an output file that may have been asked for.
#[allow(dead_code)]
pub fn prepare(path: Option<&Path>) -> Result<Option<OutFile>, Stop> {
    path.map(OutFile::create).transpose().map_err(Stop::Input)
}

/// Writes an output file that may have been asked for, whole.
#[allow(dead_code)]
pub fn write(file: Option<OutFile>, content: impl FnOnce() -> String) -> Result<(), Stop> {
    match file {
        Some(file) => file.write(content().as_bytes()).map_err(Stop::Failure),
        None => Ok(()),
    }
}
