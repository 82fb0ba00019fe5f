//! Waveforms in GTKWave's format FST, a tenth of the size of VCD or less.
//!
//! The conversion is GTKWave's own `vcd2fst`: it keeps strings, and a second variant of every model
//! that writes FST itself would have to be compiled for something that is wanted now and then.

use std::path::Path;
use std::process::Command;

use crate::report::file::OutFile;

/// The tool.
const TOOL: &str = "vcd2fst";

/// Writes `fst` with the content of `vcd`.
///
/// # Errors
/// One sentence if the tool is not there, or does not take the file.
pub fn convert(vcd: &Path, fst: &Path) -> Result<(), String> {
    let out = OutFile::create(fst)?;
    let missing = |e| format!("{TOOL} cannot be run: {e}; it comes with GTKWave, install that");
    let run = Command::new(TOOL)
        .arg("-v")
        .arg(vcd)
        .arg("-f")
        .arg(out.working_path())
        .output()
        .map_err(missing)?;
    if !run.status.success() {
        let text = String::from_utf8_lossy(&run.stderr);
        let why = text.lines().next().unwrap_or("it does not say why").trim();
        return Err(format!("{}: {TOOL} does not take it: {why}", vcd.display()));
    }
    out.publish()
}
