//! What was reached how often, and its form as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use verilated::CoverPoint;

/// The first line of a file.
const HEAD: &str = "supernode coverage 1";

/// A place in the RTL that is counted; all instances of a module, in all models, share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Source file from the top of the repository, like `rtl/home/home_tx.sv`.
    pub file: String,
    /// Its line there.
    pub line: u32,
    /// Its column there.
    pub column: u32,
    /// What of: `v_line`, `v_branch`, `v_toggle`, `v_user`.
    pub kind: String,
    /// Verilator's comment: `block`, `if`, `else`, `case`, or a signal.
    pub comment: String,
    /// The lines that are reached with it: first and last of each stretch.
    pub lines: Vec<(u32, u32)>,
}

impl Point {
    /// The point, if it is in the design; what the harness puts around it has none.
    fn new(point: &CoverPoint) -> Option<Point> {
        let file = point.file.strip_prefix("../")?;
        Some(Point {
            file: file.to_string(),
            line: point.line,
            column: point.column,
            kind: point.page.split('/').next().unwrap_or_default().to_string(),
            comment: point.comment.clone(),
            lines: point.lines.iter().map(|l| (*l.start(), *l.end())).collect(),
        })
    }

    /// Whether it is one of the ways that a branch goes.
    pub fn is_branch(&self) -> bool {
        self.kind == "v_branch" || (self.kind == "v_line" && self.comment != "block")
    }

    /// Whether lines are reached with it.
    pub fn has_lines(&self) -> bool {
        matches!(self.kind.as_str(), "v_line" | "v_branch")
    }

    /// The module: the name of the file, which holds one.
    pub fn module(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".sv")
    }

    /// Every line that is reached with it.
    pub fn all_lines(&self) -> impl Iterator<Item = u32> {
        let own = (self.line, self.line);
        let stretches = self.lines.iter().copied().chain([own]);
        stretches.flat_map(|(from, to)| from..=to)
    }
}

/// How often each point and each bin was reached; of a bit, how often it went up and down again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// The RTL.
    pub points: BTreeMap<Point, u64>,
    /// What may happen on the links, by group and name: `races/...`.
    pub bins: BTreeMap<String, u64>,
}

impl Totals {
    /// Adds the counters of a model.
    pub fn add_points(&mut self, points: &[Option<CoverPoint>], counts: &[u64]) {
        for (point, count) in points.iter().zip(counts) {
            if let Some(point) = point.as_ref().and_then(Point::new) {
                *self.points.entry(point).or_default() += count;
            }
        }
    }

    /// Adds what another process has reached.
    pub fn merge(&mut self, other: &Totals) {
        for (point, count) in &other.points {
            *self.points.entry(point.clone()).or_default() += count;
        }
        for (bin, count) in &other.bins {
            *self.bins.entry(bin.clone()).or_default() += count;
        }
    }

    /// As text, one point or bin a line, fields split by tabs.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for (point, count) in &self.points {
            let Point {
                file,
                line,
                column,
                kind,
                comment,
                ..
            } = point;
            let lines = point.lines.iter().map(|(from, to)| format!("{from}-{to}"));
            let lines = lines.collect::<Vec<_>>().join(",");
            let _ = writeln!(
                text,
                "point\t{file}\t{line}\t{column}\t{kind}\t{comment}\t{lines}\t{count}"
            );
        }
        for (bin, count) in &self.bins {
            let _ = writeln!(text, "bin\t{bin}\t{count}");
        }
        text
    }

    /// Reads what [`Totals::to_text`] has written; `name` is the file's for messages.
    ///
    /// # Errors
    /// One sentence about the first line that is none.
    pub fn parse(name: &str, text: &str) -> Result<Totals, String> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line) != Some(HEAD) {
            return Err(format!(
                "{name}: not a coverage file; give a directory of a covered run"
            ));
        }
        let mut totals = Totals::default();
        for (number, line) in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            let read = match fields[..] {
                ["point", file, at, column, kind, comment, lines, count] => (|| {
                    let point = Point {
                        file: file.to_string(),
                        line: at.parse().ok()?,
                        column: column.parse().ok()?,
                        kind: kind.to_string(),
                        comment: comment.to_string(),
                        lines: spans(lines)?,
                    };
                    *totals.points.entry(point).or_default() += count.parse::<u64>().ok()?;
                    Some(())
                })(),
                ["bin", bin, count] => count.parse::<u64>().ok().map(|count| {
                    *totals.bins.entry(bin.to_string()).or_default() += count;
                }),
                _ => None,
            };
            if read.is_none() {
                return Err(format!(
                    "{name}:{number}: damaged; remove the file and run again"
                ));
            }
        }
        Ok(totals)
    }
}

fn spans(text: &str) -> Option<Vec<(u32, u32)>> {
    let spans = text.split(',').filter(|span| !span.is_empty()).map(|span| {
        let (from, to) = span.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    });
    spans.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::coverage) fn point(file: &str, line: u32, kind: &str, comment: &str) -> Point {
        Point {
            file: file.to_string(),
            line,
            column: 3,
            kind: kind.to_string(),
            comment: comment.to_string(),
            lines: vec![(line, line + 1)],
        }
    }

    fn totals(points: &[(Point, u64)], bins: &[(&str, u64)]) -> Totals {
        Totals {
            points: points.iter().cloned().collect(),
            bins: bins
                .iter()
                .map(|&(bin, count)| (bin.to_string(), count))
                .collect(),
        }
    }

    #[test]
    fn merging_is_the_union_of_what_was_reached() {
        let [a, b, c] = [1, 2, 3].map(|line| point("rtl/a.sv", line, "v_line", "block"));
        let mut one = totals(&[(a.clone(), 2), (b.clone(), 0)], &[("x/1", 1)]);
        let other = totals(&[(b.clone(), 5), (c.clone(), 0)], &[("x/1", 2), ("x/2", 3)]);
        one.merge(&other);
        assert_eq!(
            one,
            totals(&[(a, 2), (b, 5), (c, 0)], &[("x/1", 3), ("x/2", 3)])
        );
    }

    #[test]
    fn a_file_gives_back_what_was_written() {
        let mut wide = point("rtl/a.sv", 7, "v_toggle", "flit[3]");
        wide.lines = vec![(7, 7), (9, 12)];
        let bare = Point {
            lines: Vec::new(),
            ..wide.clone()
        };
        let written = totals(&[(wide, 2), (bare, 0)], &[("races/4 a grant", 1)]);
        assert_eq!(Totals::parse("a", &written.to_text()), Ok(written));
    }

    #[test]
    fn a_damaged_file_is_named_with_its_line() {
        let error = Totals::parse("a.cov", "hello").expect_err("no coverage");
        assert!(error.starts_with("a.cov: not a coverage file"), "{error}");
        let text = format!("{HEAD}\nbin\tx\t1\nbin\tx\tmany\n");
        let error = Totals::parse("a.cov", &text).expect_err("damaged");
        assert!(error.starts_with("a.cov:3: damaged"), "{error}");
    }
}
