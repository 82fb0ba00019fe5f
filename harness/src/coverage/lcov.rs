//! Lines and branches in the format of lcov, for `genhtml` and editors.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Point, Totals};

/// How often each line was reached: as often as the point on it that was reached most.
pub(super) fn lines(totals: &Totals) -> BTreeMap<&str, BTreeMap<u32, u64>> {
    let mut files: BTreeMap<&str, BTreeMap<u32, u64>> = BTreeMap::new();
    for (point, &count) in totals.points.iter().filter(|(point, _)| point.has_lines()) {
        let lines = files.entry(&point.file).or_default();
        for line in point.all_lines() {
            let most = lines.entry(line).or_default();
            *most = count.max(*most);
        }
    }
    files
}

impl Totals {
    /// One record a file: `DA` for a line, `BRDA` for a way of a branch.
    pub fn lcov(&self) -> String {
        let mut text = String::from("TN:\n");
        for (file, lines) in lines(self) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "SF:{file}");
            let branches: Vec<(&Point, &u64)> = (self.points.iter())
                .filter(|(point, _)| point.file == file && point.is_branch())
                .collect();
            for (way, (point, count)) in branches.iter().enumerate() {
                let _ = writeln!(text, "BRDA:{},{},{way},{count}", point.line, point.column);
            }
            let taken = branches.iter().filter(|(_, count)| **count > 0).count();
            let _ = writeln!(text, "BRF:{}\nBRH:{taken}", branches.len());
            for (line, count) in &lines {
                let _ = writeln!(text, "DA:{line},{count}");
            }
            let hit = lines.values().filter(|&&count| count > 0).count();
            let _ = writeln!(text, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
        }
        text
    }
}
