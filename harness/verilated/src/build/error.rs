//! What can go wrong while building a model.

use std::fmt;
use std::path::PathBuf;

/// Why a model could not be built. `Debug` prints the same sentence as `Display`, so that a build
/// script whose `main` returns the error shows it readably.
pub enum Error {
    /// The model was described wrongly.
    Description {
        /// Name of the model.
        model: String,
        /// What is wrong.
        reason: String,
    },
    /// The build side was called outside of a build script.
    NotInBuildScript {
        /// The variable that Cargo would have set.
        variable: &'static str,
    },
    /// Verilator does not run.
    VerilatorMissing {
        /// The command that was tried.
        command: String,
        /// What the system said.
        reason: String,
    },
    /// Verilator is older than [`Error::MIN_VERILATOR`].
    VerilatorTooOld {
        /// The version found.
        found: String,
        /// Where.
        path: PathBuf,
    },
    /// Verilator rejected the RTL.
    Rejected {
        /// Name of the model.
        model: String,
        /// Verilator's messages.
        messages: String,
    },
    /// No C++ compiler runs.
    CompilerMissing {
        /// The commands that were tried.
        tried: String,
        /// What the system said of the last one.
        reason: String,
    },
    /// The C++ compiler or the archiver failed.
    Compiler {
        /// The command.
        command: String,
        /// The file it worked on.
        file: PathBuf,
        /// Its messages.
        messages: String,
    },
    /// Verilator's output is not of the form this crate knows.
    Output {
        /// The file.
        file: PathBuf,
        /// What was not understood.
        reason: String,
    },
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// The oldest Verilator that works.
    pub const MIN_VERILATOR: &'static str = "5.006";

    /// For `map_err`: an I/O error of this file.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let min = Error::MIN_VERILATOR;
        match self {
            Error::Description { model, reason } => write!(f, "model `{model}`: {reason}"),
            Error::NotInBuildScript { variable } => write!(
                f,
                "{variable} is not set: models are built from a build script (build.rs) run by Cargo"
            ),
            Error::VerilatorMissing { command, reason } => write!(
                f,
                "verilator not found: install Verilator >= {min}, e.g. `apt-get install \
                 verilator`, or set VERILATOR to its path (tried `{command}`: {reason})"
            ),
            Error::VerilatorTooOld { found, path } => write!(
                f,
                "verilator too old: needs >= {min}, found {found} at {}; install a newer one or \
                 set VERILATOR to its path",
                path.display()
            ),
            Error::Rejected { model, messages } => {
                write!(f, "verilator rejected model `{model}`:\n{messages}")
            }
            Error::CompilerMissing { tried, reason } => write!(
                f,
                "no C++ compiler found: install one, e.g. `apt-get install g++`, or set CXX to its \
                 path (tried {tried}: {reason})"
            ),
            Error::Compiler {
                command,
                file,
                messages,
            } => {
                write!(f, "`{command}` failed on {}:\n{messages}", file.display())
            }
            Error::Output { file, reason } => write!(
                f,
                "cannot use what verilator wrote to {}: {reason}",
                file.display()
            ),
            Error::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
