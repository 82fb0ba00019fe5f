//! What can go wrong while a model runs.

use crate::Variant;
use std::fmt;
use std::path::PathBuf;

/// What kind of event ended an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A failing assertion, `$error` or `$fatal`.
    Assertion,
    /// `$stop`.
    Stop,
    /// Verilator's runtime gave up, for example because combinational logic did not settle. The
    /// instance cannot be evaluated any further.
    Runtime,
}

/// A failure the model reported during an evaluation; the first one if there were several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub kind: FailureKind,
    /// Source file as it was named to Verilator; empty if unknown.
    pub file: String,
    /// Line in that file; 0 if unknown.
    pub line: u32,
    /// Instance path such as `TOP.fifo.ctrl`; empty if unknown.
    pub scope: String,
    /// The text of the assertion.
    pub message: String,
    /// Simulation time at which it happened.
    pub time: u64,
}

impl Failure {
    /// Build a failure from the text that Verilator prints for it:
    /// `[7] %Error: fifo.sv:31: Assertion failed in TOP.fifo: overflow`.
    pub(crate) fn parse(kind: FailureKind, file: String, line: u32, time: u64, text: &str) -> Self {
        let mut message = ["%Error: ", "%Fatal: "]
            .iter()
            .find_map(|mark| text.split_once(mark))
            .map_or(text, |(_, rest)| rest)
            .trim();
        // The text names the file without its directory.
        let base = file.rsplit('/').next().unwrap_or_default();
        if let Some(rest) = message.strip_prefix(&format!("{base}:{line}: ")) {
            message = rest;
        }
        let mut scope = "";
        if let Some(rest) = message.strip_prefix("Assertion failed in ") {
            (scope, message) = rest
                .split_once(": ")
                .unwrap_or((rest.trim_end_matches(':'), ""));
        }
        let message = match (message, kind) {
            ("", FailureKind::Stop) => "$stop",
            ("", _) => "assertion failed",
            (text, _) => text,
        };
        Failure {
            kind,
            file,
            line,
            scope: scope.to_string(),
            message: message.to_string(),
            time,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:{}: ", self.file, self.line)?;
        }
        write!(f, "{}", self.message)?;
        if !self.scope.is_empty() {
            write!(f, " (in {})", self.scope)?;
        }
        write!(f, " at time {}", self.time)
    }
}

impl std::error::Error for Failure {}

/// Why waves could not be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceError {
    /// The instance is of a variant without waves.
    NotBuilt {
        /// Name of the model.
        model: &'static str,
        /// Variant of the instance.
        variant: Variant,
    },
    /// The file could not be opened, written or closed.
    File {
        /// The VCD file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::NotBuilt { model, variant } => write!(
                f,
                "model `{model}` records no waves in variant {variant}; create it with Variant::Wave"
            ),
            TraceError::File { path, reason } => write!(f, "VCD file {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for TraceError {}

/// A variant was asked for that the build script did not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantError {
    /// Name of the model.
    pub model: &'static str,
    /// The variant asked for.
    pub wanted: Variant,
    /// The variants that exist.
    pub built: &'static [Variant],
}

impl fmt::Display for VariantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let built: Vec<_> = self.built.iter().map(|v| v.name()).collect();
        write!(
            f,
            "model `{}` was built as {}, not as {}; add it to `.variants(..)` in build.rs",
            self.model,
            built.join(", "),
            self.wanted
        )
    }
}

impl std::error::Error for VariantError {}
