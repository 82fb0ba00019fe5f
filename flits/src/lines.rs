//! Files of one JSON value a line.

use serde::de::DeserializeOwned;
use std::{fmt, fs, io, path::Path};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file's name.
    pub file: String,
    /// The line, from 1; `None` when it is not about a line.
    pub line: Option<usize>,
    /// What is wrong, in one sentence without its full stop.
    pub reason: String,
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl FileError {
    pub(crate) fn io(path: &Path, error: &io::Error) -> FileError {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::InvalidData => "the file is not text in UTF-8".to_owned(),
            _ => error.to_string(),
        };
        FileError {
            file: path.display().to_string(),
            line: None,
            reason,
        }
    }
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| FileError::io(path, &error))
}

/// The lines of a text that are not blank, with their numbers.
pub(crate) struct Lines<'a> {
    file: &'a str,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    /// The number of the last line given.
    last: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Lines<'a> {
        Lines {
            file,
            lines: text.lines().enumerate(),
            last: 0,
        }
    }

    /// The value of the next line; `None` at the end.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FileError> {
        let Some((index, line)) = self.lines.find(|(_, line)| !line.trim().is_empty()) else {
            return Ok(None);
        };
        self.last = index + 1;
        serde_json::from_str(line)
            .map(Some)
            .map_err(|error| self.error(describe(&error)))
    }

    /// The value of the next line, which there must be.
    pub(crate) fn expect_next<T: DeserializeOwned>(&mut self) -> Result<T, FileError> {
        self.next()?
            .ok_or_else(|| self.error("the file ends too early"))
    }

    /// Checks that the next line, which stays the next one, names a version of the format `key`
    /// that is known.
    pub(crate) fn expect_version(&mut self, key: &str, version: u32) -> Result<(), FileError> {
        let mut ahead = Lines {
            file: self.file,
            lines: self.lines.clone(),
            last: self.last,
        };
        let Some(head) = ahead.next::<serde_json::Value>()? else {
            return Err(self.error(format!(
                "the file is empty; it begins with {{\"{key}\":{version}"
            )));
        };
        match head.get(key).map(serde_json::Value::as_u64) {
            Some(Some(found)) if found == u64::from(version) => Ok(()),
            Some(found) => Err(ahead.error(format!(
                "version {} of the format is not known; this program reads version {version}",
                found.map_or("without a number".to_owned(), |found| found.to_string())
            ))),
            None => Err(ahead.error(format!(
                "the first line must begin with {{\"{key}\":{version}"
            ))),
        }
    }

    /// An error in the last line given.
    pub(crate) fn error(&self, reason: impl Into<String>) -> FileError {
        let line = Some(self.last).filter(|&line| line != 0);
        FileError {
            file: self.file.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

/// The reason of a JSON error, its place in the line first.
fn describe(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&place).unwrap_or(&text);
    match error.classify() {
        serde_json::error::Category::Eof => {
            format!("the line ends before its JSON value does ({reason})")
        }
        // Column 0: the reason is about the value as a whole.
        _ if error.column() == 0 => reason.to_owned(),
        _ => format!("column {}: {reason}", error.column()),
    }
}

/// Adds a value as one line.
pub(crate) fn push<T: serde::Serialize>(text: &mut String, value: &T) {
    let line = serde_json::to_string(value).expect("the file's types have a JSON form");
    text.push_str(&line);
    text.push('\n');
}
