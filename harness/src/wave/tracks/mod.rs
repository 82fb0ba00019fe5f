//! Transaction tracks: string-valued signals that say in words what the wires of a waveform carry.
//!
//! Made from the wires of a VCD file that the simulation has written, and merged into the same file
//! ([`add`]), so that a viewer shows both against one time line:
//!
//! * `tracks.port3.in` and `.out`: the packet whose words are on the wires in each cycle, like
//!   `ReadShared 3->H1 0x1000 t5`;
//! * `tracks.node3.open0`, `open1`, ...: the transactions that node 3 waits for, from the request to
//!   the acknowledgement; as many as were ever open at once;
//! * `tracks.home1.work0`, ...: the same of what a home works at.
//!
//! Nothing of the simulation is touched: a run has the same cycles with and without them.

mod events;
mod merge;

use std::io;
use std::path::Path;

use events::Events;

/// The scope of the tracks, a top one.
pub const SCOPE: &str = "tracks";
/// The scope of the switch, which has the tracks' neighbours: wires and modules.
pub const SWITCH: &str = "supernode";
/// What a track says when there is nothing to say: one blank.
pub const IDLE: &str = " ";

/// A name below [`SCOPE`] and the values that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Track {
    scope: String,
    name: String,
}

/// Merges the tracks into the VCD file of a switch as Verilator has written it, and gives the file
/// the cycles of the switch for times: 1 ns a cycle. `first` is the number of model cycles before
/// cycle 1. What is no plain file, a pipe for instance, stays as it is.
///
/// # Errors
/// If the file cannot be read or written, or is no waveform of the switch.
pub fn add(path: &Path, first: u64) -> io::Result<()> {
    if !path.is_file() {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let open = || std::fs::File::open(path).map(|file| io::BufReader::with_capacity(1 << 20, file));
    let events = Events::read(&path.display().to_string(), open()?, |time| {
        retime(time, first)
    })
    .map_err(|error| io::Error::other(error.to_string()))?;
    let merged = tempfile::NamedTempFile::new_in(folder)?;
    merge::merge(
        open()?,
        io::BufWriter::new(merged.as_file()),
        &events,
        first,
    )?;
    merged
        .as_file()
        .set_permissions(std::fs::metadata(path)?.permissions())?;
    merged.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A time of Verilator's, two units a model cycle with the edge at the second, in units of
/// [`scan::UNITS`](super::scan::UNITS) a cycle of the switch with the edge at the cycle's number.
fn retime(time: u64, first: u64) -> u64 {
    let half = super::scan::UNITS / 2;
    ((time + 1) * half).saturating_sub(2 * first * half)
}

/// A value as VCD has it: no blanks, those and the rest outside of plain text in octal. Both GTKWave
/// and Surfer read it so.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
