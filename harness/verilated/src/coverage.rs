//! Coverage points and lcov.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// What one coverage counter counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverPoint {
    /// Source file as it was named to Verilator.
    pub file: String,
    /// Line of the block or statement.
    pub line: u32,
    /// Column of the block or statement.
    pub column: u32,
    /// Instance path below the top, such as `.fifo.ctrl`.
    pub hier: String,
    /// Verilator's page, such as `v_line/fifo` (line coverage of module `fifo`) or `v_user/fifo`
    /// (cover statements).
    pub page: String,
    /// Verilator's comment: `block`, `if`, `else`, `case`, or the name of a cover statement.
    pub comment: String,
    /// The lines the block covers.
    pub lines: Vec<RangeInclusive<u32>>,
}

/// Read the table the build side wrote: one line per counter, fields split by tabs.
pub(crate) fn points(table: &str) -> Vec<Option<CoverPoint>> {
    table.lines().map(point).collect()
}

fn point(text: &str) -> Option<CoverPoint> {
    let mut fields = text.split('\t');
    let mut next = || fields.next();
    let (file, line, column) = (next()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (hier, page, comment) = (next()?, next()?, next()?);
    let lines = next()
        .unwrap_or_default()
        .split(',')
        .filter_map(span)
        .collect();
    Some(CoverPoint {
        file: file.into(),
        line,
        column,
        hier: hier.into(),
        page: page.into(),
        comment: comment.into(),
        lines,
    })
}

/// `7` or `9-12`.
fn span(text: &str) -> Option<RangeInclusive<u32>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
}

pub(crate) fn lcov(points: &[Option<CoverPoint>], counters: &[u32]) -> String {
    // Instances of one module share their points: sum those first, so that a line's count is that
    // of its busiest point and not inflated by the number of points on it.
    let mut sums: BTreeMap<_, u64> = BTreeMap::new();
    for (point, &count) in points.iter().zip(counters) {
        let Some(point) = point else { continue };
        let key = (
            &point.file,
            point.line,
            point.column,
            &point.page,
            &point.comment,
        );
        let sum = sums.entry(key).or_default();
        *sum += u64::from(count);
    }
    let mut files: BTreeMap<&str, BTreeMap<u32, u64>> = BTreeMap::new();
    for point in points.iter().flatten() {
        let key = (
            &point.file,
            point.line,
            point.column,
            &point.page,
            &point.comment,
        );
        let sum = sums.get(&key).copied().unwrap_or_default();
        let lines = files.entry(&point.file).or_default();
        let own = point.line..=point.line;
        for line in point.lines.iter().cloned().chain([own]).flatten() {
            let count = lines.entry(line).or_default();
            *count = sum.max(*count);
        }
    }
    let mut text = String::from("TN:\n");
    for (file, lines) in files {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "SF:{file}");
        for (line, count) in &lines {
            let _ = writeln!(text, "DA:{line},{count}");
        }
        let hit = lines.values().filter(|&&count| count > 0).count();
        let _ = writeln!(text, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
    }
    text
}
