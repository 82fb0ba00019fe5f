//! What the commands that simulate have in common.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use harness::dut::vcd_of;
use harness::report::file::OutFile;
use harness::report::{Report, Run, html};
use harness::sim::Builder;
use harness::wave::views;
use harness::{Failure, FailureKind};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{self, Stop};

/// The files that a run may write.
#[derive(clap::Args)]
pub struct Outputs {
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as one HTML page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a waveform of all cycles, with run.gtkw and run.sucl for GTKWave and Surfer beside
    /// run.vcd; the run is then slower and the file large. Of several chips, a file each: run.vcd
    /// becomes run.chip0.vcd and so on.
    #[arg(long, value_name = "FILE")]
    pub vcd: Option<PathBuf>,
    /// Write only these cycles of the waveform, like 5000..7000; the rest runs as fast as without.
    #[arg(long, value_name = "FROM..TO", requires = "vcd", value_parser = cycles)]
    vcd_cycles: Option<Range<u64>>,
}

/// What a run is not checked for.
#[derive(clap::Args)]
pub struct Checks {
    /// Do not compare what the homes do with the specification; the run is then a little faster.
    #[arg(long)]
    no_conformance: bool,
}

impl Checks {
    /// The system with these checks.
    pub fn on(&self, builder: Builder) -> Builder {
        builder.conformance(!self.no_conformance)
    }
}

/// Reads a range of cycles.
fn cycles(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..");
    let range = ends.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let range = range.filter(|range: &Range<u64>| !range.is_empty());
    range.ok_or_else(|| "give the first cycle and the one after the last, like 5000..7000".into())
}

/// Cycles before a violation in which one looks for its cause first.
const BEFORE: u64 = 2_000;

/// The same files, known to be writable.
pub struct Prepared {
    json: Option<OutFile>,
    html: Option<OutFile>,
    vcd: Vec<OutFile>,
    vcd_cycles: Option<Range<u64>>,
}

impl Outputs {
    /// Whether more is to be written than the waveform of all cycles.
    pub fn beyond_waves(&self) -> bool {
        self.json.is_some() || self.html.is_some() || self.vcd_cycles.is_some()
    }

    /// Makes sure before the run of a system of `chips` chips that the files can be written.
    pub fn prepare(&self, chips: usize) -> Result<Prepared, Stop> {
        let prepare = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(OutFile::create)
                .transpose()
                .map_err(Stop::Input)
        };
        let waves = self.vcd.as_deref();
        let vcd = (0..chips).filter_map(|chip| {
            let path = waves?;
            Some(match chips {
                1 => OutFile::create(path),
                _ => OutFile::create(&vcd_of(path, chip)),
            })
        });
        Ok(Prepared {
            json: prepare(&self.json)?,
            html: prepare(&self.html)?,
            vcd: vcd.collect::<Result<_, _>>().map_err(Stop::Input)?,
            vcd_cycles: self.vcd_cycles.clone(),
        })
    }
}

impl Prepared {
    /// The system with the waveform of each chip, if it is wanted.
    pub fn with_waves(&self, builder: Builder) -> Builder {
        let paths = self.vcd.iter().map(|file| file.working_path().into());
        let builder = builder.vcds(paths.collect());
        match &self.vcd_cycles {
            Some(cycles) => builder.vcd_cycles(cycles.clone()),
            None => builder,
        }
    }

    /// Prints the report and gives the files their content and names.
    fn publish(self, report: &Report) -> Result<(), Stop> {
        let files = [
            (self.json, Report::json as fn(&Report) -> String),
            (self.html, html::page),
        ];
        for (file, render) in files {
            if let Some(file) = file {
                file.write(render(report).as_bytes())
                    .map_err(Stop::Failure)?;
            }
        }
        for file in self.vcd {
            let path = file.path().to_path_buf();
            file.publish().map_err(Stop::Failure)?;
            views::write_beside(&path).map_err(Stop::Failure)?;
        }
        output::print(&report.table())
    }
}

/// A configuration that is not possible is the user's input; anything else is a finding.
pub fn stop(failure: &Failure) -> Stop {
    match failure.kind {
        FailureKind::Setup => Stop::Input(failure.message.clone()),
        _ => Stop::Failure(failure.to_string()),
    }
}

/// Reports a run that has ended, well or with a violation. A file that could not be written is
/// neither, and stops the command before there is a report.
pub fn conclude(run: Run<'_>, files: Prepared, outputs: &Outputs) -> Result<(), Stop> {
    let failure = run.failure;
    if let Some(failure) = failure.filter(|failure| failure.kind == FailureKind::Setup) {
        return Err(stop(failure));
    }
    files.publish(&Report::new(run))?;
    failure.map_or(Ok(()), |failure| Err(violation(failure, outputs)))
}

/// What the command says after a violation: what it was, and how to see it again. The same command
/// line always runs the same cycles.
fn violation(failure: &Failure, outputs: &Outputs) -> Stop {
    let command = command_line();
    let again = match &outputs.vcd {
        Some(path) => format!("supernode wave {}", quote(&path.display().to_string())),
        None => {
            let (from, to) = (failure.cycle.saturating_sub(BEFORE), failure.cycle + 1);
            format!("{command} --vcd violation.vcd --vcd-cycles {from}..{to}")
        }
    };
    Stop::Failure(format!("{failure}\nto look at it: {again}"))
}

/// The command line as one could type it again.
pub fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|argument| quote(&argument));
    std::iter::once("supernode".to_string())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// An argument as a shell reads it back.
fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_string();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

/// A progress bar on a terminal; nothing elsewhere.
pub fn progress(total: u64, unit: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(unit);
    let style = "{bar:40} {pos}/{len} {msg}, {elapsed} of about {duration}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is constant"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quote("--trace=a.jsonl"), "--trace=a.jsonl");
        assert_eq!(quote("a b's"), r"'a b'\''s'");
        assert_eq!(quote(""), "''");
    }
}
