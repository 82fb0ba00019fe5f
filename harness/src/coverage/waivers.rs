//! What need not be reached, each with the reason, in one file.
//!
//! A line is `KIND | WHERE | WHAT | REASON`; `#` begins a comment. Kinds: `line` and `branch` (WHERE
//! is a file, WHAT a piece of the source at the point, for a branch with the way it goes, `if` or
//! `else`, in front and a colon), `bin` (WHERE is a group, WHAT the bin). `*` for WHAT is all of WHERE. A waiver for
//! something that is reached, or that is not there any more, is an error: reasons must not outlive
//! what they explain.

use super::{Point, Totals};

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its line in the file.
    pub number: usize,
    /// What is waived.
    pub kind: Kind,
    /// A file or a group.
    pub place: String,
    /// A piece of the source, or a bin.
    pub what: String,
    /// Why it need not be reached.
    pub reason: String,
}

/// What a waiver is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The lines of a point.
    Line,
    /// A way of a branch.
    Branch,
    /// A bin.
    Bin,
}

/// Reads the file; `name` is its name for messages.
///
/// # Errors
/// One sentence about the first line that is no waiver.
pub fn parse(name: &str, text: &str) -> Result<Vec<Waiver>, String> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let fields: Vec<&str> = line.splitn(4, " | ").map(str::trim).collect();
            let wrong = |what: &str| {
                format!("{name}:{number}: {what}; a waiver is KIND | WHERE | WHAT | REASON")
            };
            let [kind, place, what, reason] = fields[..] else {
                return Err(wrong("a field is missing"));
            };
            if [place, what, reason].iter().any(|field| field.is_empty()) {
                return Err(wrong("a field is empty"));
            }
            Ok(Waiver {
                number,
                kind: match kind {
                    "line" => Kind::Line,
                    "branch" => Kind::Branch,
                    "bin" => Kind::Bin,
                    _ => return Err(wrong("the kind is none of line, branch, bin")),
                },
                place: place.to_string(),
                what: what.to_string(),
                reason: reason.to_string(),
            })
        })
        .collect()
}

impl Waiver {
    /// Whether it explains that a point is not reached; `source` is the line of the point.
    pub fn is_for(&self, point: &Point, source: &str) -> bool {
        let what = match self.kind {
            Kind::Line => self.what.as_str(),
            Kind::Branch if self.what == "*" => "*",
            Kind::Branch => match self.what.split_once(':') {
                Some((way, what)) if way == point.comment => what.trim(),
                _ => return false,
            },
            Kind::Bin => return false,
        };
        let kind = match self.kind {
            Kind::Line => point.has_lines(),
            _ => point.is_branch(),
        };
        kind && self.place == point.file && (what == "*" || source.contains(what))
    }

    /// Whether it explains that a bin is not reached.
    pub fn is_for_bin(&self, group: &str, bin: &str) -> bool {
        self.kind == Kind::Bin && self.place == group && (self.what == "*" || self.what == bin)
    }
}

/// The waivers that explain nothing: what they are about is reached, or gone.
pub(super) fn stale<'a>(
    waivers: &'a [Waiver],
    totals: &Totals,
    unreached: &[(String, String)],
    source: impl Fn(&Point) -> String,
) -> Vec<&'a Waiver> {
    let applies = |waiver: &&Waiver| {
        let points = totals.points.iter().filter(|&(_, &count)| count == 0);
        let mut points = points.map(|(point, _)| point);
        points.any(|point| waiver.is_for(point, &source(point)))
            || unreached
                .iter()
                .any(|(group, bin)| waiver.is_for_bin(group, bin))
    };
    waivers.iter().filter(|waiver| !applies(waiver)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::totals::tests::point;
    use super::*;

    #[test]
    fn a_waiver_is_for_what_it_names_only() {
        let file = "# why\nline | rtl/a.sv | default: | unreachable\n\
                    branch | rtl/a.sv | else: if (x) | always so\n\
                    bin | races | 4 a grant | needs more chips\n";
        let waivers = parse("w", file).expect("waivers");
        let [line, branch, bin] = &waivers[..] else {
            panic!("{waivers:?}");
        };
        let at = |kind, comment| point("rtl/a.sv", 7, kind, comment);
        assert!(line.is_for(&at("v_line", "case"), "  default: begin"));
        assert!(!line.is_for(&at("v_line", "case"), "  StIdle: begin"));
        assert!(!line.is_for(&point("rtl/b.sv", 7, "v_line", "case"), "default:"));
        assert!(branch.is_for(&at("v_branch", "else"), "if (x) begin"));
        assert!(!branch.is_for(&at("v_branch", "if"), "if (x) begin"));
        assert!(bin.is_for_bin("races", "4 a grant") && !bin.is_for_bin("races", "5"));
    }

    #[test]
    fn a_line_that_is_no_waiver_is_refused_in_one_sentence() {
        for (line, why) in [
            ("line | rtl/a.sv | x", "a field is missing"),
            ("lines | rtl/a.sv | x | y", "the kind is none of"),
            ("bin |  | x | y", "a field is empty"),
        ] {
            let error = parse("w", &format!("# c\n{line}\n")).expect_err(line);
            assert!(error.starts_with("w:2: ") && error.contains(why), "{error}");
        }
    }
}
