//! Where a process leaves what it has reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use verilated::{Model, Variant};

use super::Totals;

/// The environment variable that turns coverage on: the directory for the files.
pub const DIRECTORY: &str = "SUPERNODE_COVERAGE";

/// The directory, if coverage is on.
fn directory() -> Option<&'static Path> {
    static DIR: OnceLock<Option<PathBuf>> = OnceLock::new();
    let read = || std::env::var_os(DIRECTORY).filter(|dir| !dir.is_empty());
    DIR.get_or_init(|| read().map(PathBuf::from)).as_deref()
}

/// Whether coverage is on.
pub fn is_on() -> bool {
    directory().is_some()
}

/// The variant of a model to take where `asked` is asked for: with counters in place of the fast
/// one, if coverage is on and that is built.
pub fn variant<M: Model>(asked: Variant) -> Variant {
    let counts = asked == Variant::Fast && is_on() && M::VARIANTS.contains(&Variant::Cov);
    if counts { Variant::Cov } else { asked }
}

/// Keeps the counters of a model that goes; of one without counters there is nothing to keep.
pub fn add_points<M: Model>(model: &M) {
    if is_on() && !model.coverage().is_empty() {
        keep(|totals| totals.add_points(&model.cover_points(), model.coverage()));
    }
}

/// Keeps the bins that a run has reached.
pub fn add_bins(bins: &BTreeMap<String, u64>) {
    if is_on() && !bins.is_empty() {
        let bins = Totals {
            bins: bins.clone(),
            ..Totals::default()
        };
        keep(|totals| totals.merge(&bins));
    }
}

/// Changes the totals of this process and writes them to its file.
fn keep(change: impl FnOnce(&mut Totals)) {
    static TOTALS: Mutex<Option<(PathBuf, Totals)>> = Mutex::new(None);
    let Some(directory) = directory() else {
        return;
    };
    let mut place = TOTALS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let written = match &mut *place {
        Some((path, totals)) => {
            change(totals);
            std::fs::write(path, totals.to_text())
        }
        none => own_file(directory).and_then(|path| {
            let (path, totals) = none.insert((path, Totals::default()));
            change(totals);
            std::fs::write(path, totals.to_text())
        }),
    };
    if let Err(error) = written {
        // Coverage that is silently less than it was would be a wrong figure.
        panic!(
            "{DIRECTORY} is {}: cannot be written: {error}",
            directory.display()
        );
    }
}

/// A file that no other process has, not even one before of the same number.
fn own_file(directory: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(directory)?;
    for turn in 0u32.. {
        let path = directory.join(format!("{}-{turn}.cov", std::process::id()));
        match std::fs::File::create_new(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::other("it is full"))
}
