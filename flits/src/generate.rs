//! Makes the files that restate the format: `rtl/flit_pkg.sv`, the tables of `docs/protocol.md`
//! and `docs/flit.svg`.
//!
//! `flits-gen` writes them and `flits-gen --check` says which of them are stale.

mod markdown;
mod svg;
mod verilog;

pub use markdown::fill_part;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file of the repository whose content, or part of it, is made from the tables.
struct Target {
    path: &'static str,
    /// The new content, given the present one (empty when the file does not exist).
    make: fn(&str) -> Result<String, String>,
}

const TARGETS: [Target; 3] = [
    Target {
        path: "rtl/flit_pkg.sv",
        make: |_| Ok(verilog::package()),
    },
    Target {
        path: "docs/protocol.md",
        make: markdown::fill,
    },
    Target {
        path: "docs/flit.svg",
        make: |_| Ok(svg::picture()),
    },
];

/// Why the files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A place for generated text is missing in the file.
    #[error("{}: {reason}", path.display())]
    Marker {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
}

/// The generated files below the repository's root `root` whose content is not what the tables
/// make, as (path, content that it should have).
///
/// # Errors
/// A file that cannot be read, or a document that lacks the markers of a generated part.
pub fn stale(root: &Path) -> Result<Vec<(PathBuf, String)>, GenerateError> {
    let mut stale = Vec::new();
    for target in &TARGETS {
        let path = root.join(target.path);
        let present = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(GenerateError::Io { path, source }),
        };
        match (target.make)(&present) {
            Ok(wanted) if wanted == present => {}
            Ok(wanted) => stale.push((path, wanted)),
            Err(reason) => return Err(GenerateError::Marker { path, reason }),
        }
    }
    Ok(stale)
}

/// Writes the stale files and returns their paths.
///
/// # Errors
/// As [`stale`], and a file that cannot be written.
pub fn write(root: &Path) -> Result<Vec<PathBuf>, GenerateError> {
    let mut written = Vec::new();
    for (path, content) in stale(root)? {
        fs::write(&path, content).map_err(|source| GenerateError::Io {
            path: path.clone(),
            source,
        })?;
        written.push(path);
    }
    Ok(written)
}
