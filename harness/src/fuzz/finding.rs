//! Findings: told apart, made small, kept, and how to see them again.

use std::path::{Path, PathBuf};

use flits::stimulus::Stimulus;

use super::case::{Case, hash};
use super::target::Target;
use crate::sim::{Model, RunOptions};
use crate::{Failure, FailureKind, shrink};

/// Runs for making a finding small.
const RUNS: usize = 2_000;
/// Cycles of waveform before the failure that the replay line asks for.
pub const WINDOW: u64 = 500;

/// An input that fails.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What is wrong, with the small input.
    pub failure: Failure,
    /// The small input.
    pub stimulus: Stimulus,
    /// Operations of the input that was found.
    pub found_with: usize,
    /// Inputs run before it.
    pub execs: u64,
    /// Whether a model at power-on fails too; else what earlier inputs left behind has a part in it.
    pub from_power_on: bool,
    /// Its file, if it is kept.
    pub path: Option<PathBuf>,
    options: Option<RunOptions>,
}

impl Finding {
    /// Makes an input that fails on the target small.
    pub fn shrunk(target: &mut dyn Target, stimulus: &Stimulus, failure: &Failure) -> Finding {
        let same = |stimulus: &Stimulus| {
            let found = target.run(stimulus).failure;
            found.is_some_and(|found| found.kind == failure.kind)
        };
        let small = shrink::shrink(stimulus, RUNS, same).stimulus;
        let options = target.options();
        // What a replay shows: it may end later than an input, so a check at the end fails later.
        let afresh = options
            .as_ref()
            .and_then(|options| shrink::failure_of(&small, options))
            .filter(|afresh| afresh.kind == failure.kind);
        let from_power_on = options.is_none() || afresh.is_some();
        let seen = afresh.or_else(|| target.run(&small).failure);
        Finding {
            failure: seen.unwrap_or_else(|| failure.clone()),
            stimulus: small,
            found_with: stimulus.steps.len(),
            execs: 0,
            from_power_on,
            path: None,
            options,
        }
    }

    /// Writes it into a folder, under a name that says what it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self, folder: &Path) -> Result<(), String> {
        let text = self.stimulus.to_text();
        let name = format!("{}-{:08x}.jsonl", self.failure.kind, hash(&text) as u32);
        let path = folder.join(name);
        write(&self.stimulus, &path)?;
        self.path = Some(path);
        Ok(())
    }

    /// The command that shows the cycles before the failure, if it is kept.
    pub fn command(&self) -> Option<String> {
        let model = self.options.as_ref()?.model;
        Some(command(self.path.as_ref()?, model))
    }

    /// What a person is told: what broke, how small it is, how to see it.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}\nshrunk from {} to {} operations",
            self.failure,
            self.found_with,
            self.stimulus.steps.len()
        );
        if let Some(path) = &self.path {
            text += &format!(": {}", path.display());
        }
        if !self.from_power_on {
            text += "\nnot seen again from power-on: what earlier inputs left has a part in it";
        } else if let Some(command) = self.command() {
            text += &format!("\nsee it: {command}");
        }
        text
    }
}

/// The command that replays a stimulus file and writes the cycles before its failure.
pub fn command(path: &Path, model: Model) -> String {
    let model = match model {
        Model::Tight => " --model tight",
        Model::Reference => " --model reference",
        Model::Rtl(_) => "",
    };
    let vcd = path.with_extension("vcd");
    format!(
        "supernode replay {}{model} --vcd {} --window {WINDOW}",
        path.display(),
        vcd.display()
    )
}

/// Tells failures apart: the family, and the text without numbers.
pub fn signature(failure: &Failure) -> String {
    let first = failure
        .message
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end();
    let mut signature = failure.kind.to_string();
    signature.push(' ');
    let mut number = false;
    for c in first.chars() {
        let digit = c.is_ascii_digit() || (number && (c.is_ascii_hexdigit() || c == 'x'));
        // Lines of the RTL tell assertions apart.
        let keep = failure.kind == FailureKind::Assertion && signature.ends_with(".sv:");
        if !digit || keep {
            signature.push(c);
        } else if !number {
            signature.push('#');
        }
        number = digit && !keep;
    }
    signature
}

/// Writes a stimulus whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(stimulus: &Stimulus, path: &Path) -> Result<(), String> {
    crate::report::file::OutFile::create(path)?.write(Case(stimulus.clone()).0.to_text().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_their_text_and_not_by_its_numbers() {
        let failure = |kind, text: &str| signature(&Failure::new(9, kind, text));
        let data = |text| failure(FailureKind::Data, text);
        assert_eq!(
            data("node 1 loads 0x12ab"),
            data("node 3 loads 0x7 \nand more")
        );
        assert_ne!(data("node 1 loads 0x7"), data("node 1 stores 0x7"));
        assert_ne!(
            failure(FailureKind::Data, "x"),
            failure(FailureKind::Link, "x")
        );
    }
}
