//! `supernode coverage`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness::check::coverage::groups;
use harness::coverage::report::Coverage;
use harness::coverage::{Totals, waivers};
use harness::report::file::OutFile;

use crate::output::{self, Stop};

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// The directory that SUPERNODE_COVERAGE named in the covered runs.
    directory: PathBuf,
    /// The top of the repository, for the source of the RTL.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,
    /// What need not be reached, and why.
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
    /// Write lines and branches of the RTL in lcov's format.
    #[arg(long, value_name = "FILE")]
    lcov: Option<PathBuf>,
    /// Write everything as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Report only; too little coverage and stale waivers are no failure.
    #[arg(long)]
    no_gate: bool,
}

/// Merges, reports and judges.
pub fn run(args: &Args) -> Result<(), Stop> {
    let prepare = |path: &Option<PathBuf>| path.as_deref().map(OutFile::create).transpose();
    let lcov = prepare(&args.lcov).map_err(Stop::Input)?;
    let html = prepare(&args.html).map_err(Stop::Input)?;
    let totals = merged(&args.directory).map_err(Stop::Input)?;
    let waivers = match &args.waivers {
        Some(path) => read(path)
            .and_then(|text| waivers::parse(&path.display().to_string(), &text))
            .map_err(Stop::Input)?,
        None => Vec::new(),
    };
    let source = source(&args.source, &totals).map_err(Stop::Input)?;
    let line = |file: &str, line: u32| {
        let lines: Option<&Vec<String>> = source.get(file);
        let text = lines.and_then(|lines| lines.get(line as usize - 1));
        text.cloned().unwrap_or_default()
    };
    let coverage = Coverage::new(&totals, &groups(), &waivers, line);
    if let Some(file) = lcov {
        file.write(totals.lcov().as_bytes())
            .map_err(Stop::Failure)?;
    }
    if let Some(file) = html {
        file.write(coverage.page().as_bytes())
            .map_err(Stop::Failure)?;
    }
    output::print(&coverage.text())?;
    let complaints = coverage.complaints();
    match complaints.is_empty() || args.no_gate {
        true => Ok(()),
        false => Err(Stop::Failure(complaints.join("\n"))),
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))
}

/// What all processes have left, together.
fn merged(directory: &Path) -> Result<Totals, String> {
    let entries = std::fs::read_dir(directory)
        .map_err(|e| format!("{}: cannot be read: {e}", directory.display()))?;
    let mut totals = Totals::default();
    let mut any = false;
    for entry in entries {
        let path = entry
            .map_err(|e| format!("{}: cannot be read: {e}", directory.display()))?
            .path();
        if path.extension().is_some_and(|end| end == "cov") {
            let name = path.display().to_string();
            totals.merge(&Totals::parse(&name, &read(&path)?)?);
            any = true;
        }
    }
    match any {
        true => Ok(totals),
        false => Err(format!(
            "{}: no coverage files; run tests with SUPERNODE_COVERAGE={0}",
            directory.display()
        )),
    }
}

/// The lines of every file that is counted.
fn source(top: &Path, totals: &Totals) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut files = BTreeMap::new();
    for point in totals.points.keys() {
        if !files.contains_key(&point.file) {
            let text = read(&top.join(&point.file))?;
            let lines = text.lines().map(str::to_string).collect();
            files.insert(point.file.clone(), lines);
        }
    }
    Ok(files)
}
