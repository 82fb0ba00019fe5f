//! Where a process leaves what it has reached.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use verilated::{CoverPoint, Model, Variant, VariantError};

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

/// A model whose counters are kept when it goes.
#[derive(Debug)]
pub struct Counted<M: Model>(M);

impl<M: Model> Counted<M> {
    /// The model in the variant that is asked for; if coverage is on and that is the fast one, the
    /// one with the most counters.
    ///
    /// # Errors
    /// If the model is not built in that variant.
    pub fn new(asked: Variant) -> Result<Self, VariantError> {
        let counting = [Variant::Toggle, Variant::Cov];
        let built = counting.into_iter().find(|v| M::VARIANTS.contains(v));
        let instead = built.filter(|_| asked == Variant::Fast && is_on());
        M::with_variant(instead.unwrap_or(asked)).map(Counted)
    }
}

impl<M: Model> Deref for Counted<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0
    }
}

impl<M: Model> DerefMut for Counted<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.0
    }
}

impl<M: Model> Drop for Counted<M> {
    fn drop(&mut self) {
        if is_on() && !self.0.coverage().is_empty() {
            let points = || self.0.cover_points();
            let model = (M::NAME, self.0.variant());
            keep(|reached| reached.count(model, points, self.0.coverage()));
        }
    }
}

/// Keeps the bins that a run has reached.
pub fn add_bins(bins: &BTreeMap<String, u64>) {
    if is_on() && !bins.is_empty() {
        keep(|reached| reached.bins(bins));
    }
}

/// What the models of this process and its runs have reached.
#[derive(Default)]
struct Reached {
    models: BTreeMap<(&'static str, Variant), Counts>,
    bins: BTreeMap<String, u64>,
}

/// The counters of all instances of a model.
struct Counts {
    points: Vec<Option<CoverPoint>>,
    counts: Vec<u64>,
}

impl Reached {
    /// Adds the counters of an instance; answers whether something is reached for the first time.
    fn count(
        &mut self,
        model: (&'static str, Variant),
        points: impl Fn() -> Vec<Option<CoverPoint>>,
        counters: &[u32],
    ) -> bool {
        let mut new = !self.models.contains_key(&model);
        let of_model = self.models.entry(model).or_insert_with(|| Counts {
            points: points(),
            counts: vec![0; counters.len()],
        });
        let counts = of_model.points.iter().zip(&mut of_model.counts);
        for ((point, count), &more) in counts.zip(counters) {
            // A bit begins at 0 and counts its changes: two of them are up and down again.
            let toggles = point
                .as_ref()
                .is_some_and(|p| p.page.starts_with("v_toggle"));
            new |= add(count, u64::from(if toggles { more / 2 } else { more }));
        }
        new
    }

    /// The same of bins.
    fn bins(&mut self, bins: &BTreeMap<String, u64>) -> bool {
        bins.iter().fold(false, |new, (bin, &more)| {
            add(self.bins.entry(bin.clone()).or_default(), more) | new
        })
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals {
            bins: self.bins.clone(),
            ..Totals::default()
        };
        for model in self.models.values() {
            totals.add_points(&model.points, &model.counts);
        }
        totals
    }
}

/// Answers whether it was 0 before.
fn add(count: &mut u64, more: u64) -> bool {
    let new = *count == 0 && more > 0;
    *count += more;
    new
}

/// Changes what this process has reached, and writes its file if something is new. Counts alone are
/// not worth it, of which the file has as many as there were when it was written.
fn keep(change: impl FnOnce(&mut Reached) -> bool) {
    static REACHED: Mutex<Option<(PathBuf, Reached)>> = Mutex::new(None);
    let Some(directory) = directory() else {
        return;
    };
    let mut place = REACHED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let opened = match place.take() {
        Some(opened) => Ok(opened),
        None => own_file(directory).map(|path| (path, Reached::default())),
    };
    let written = opened.and_then(|opened| {
        let (path, reached) = place.insert(opened);
        match change(reached) {
            true => std::fs::write(path, reached.totals().to_text()),
            false => Ok(()),
        }
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn point(page: &str) -> Option<CoverPoint> {
        Some(CoverPoint {
            file: "../rtl/a.sv".to_string(),
            line: 1,
            column: 1,
            hier: String::new(),
            page: page.to_string(),
            comment: page.to_string(),
            lines: Vec::new(),
        })
    }

    #[test]
    fn a_bit_is_reached_where_one_instance_takes_it_up_and_down() {
        let mut reached = Reached::default();
        let points = || vec![point("v_line/a"), point("v_toggle/a")];
        let model = ("a", Variant::Toggle);
        assert!(reached.count(model, points, &[0, 1]), "a new model");
        // Up in this instance too, and down in none.
        assert!(!reached.count(model, points, &[0, 1]));
        assert!(reached.count(model, points, &[1, 3]));
        assert!(!reached.count(model, points, &[5, 3]), "only more of it");
        let totals = reached.totals();
        assert_eq!(totals.points.values().copied().collect::<Vec<_>>(), [6, 2]);
    }
}
