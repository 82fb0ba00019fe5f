//! The figures by module and by group, what is not reached, and whether that is good enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::waivers::{Waiver, stale};
use super::{Point, Totals, lcov};
use crate::check::coverage::Group;
use crate::report::grouped;

/// The least share of the lines that is reached or waived, in per cent.
pub const LINES: f64 = 98.0;
/// The same of the bins.
pub const BINS: f64 = 95.0;

/// How much of something is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Reached.
    pub hit: usize,
    /// Not reached, with a reason.
    pub waived: usize,
    /// In all.
    pub all: usize,
}

impl Share {
    fn add(&mut self, hit: bool, waived: bool) {
        self.all += 1;
        self.hit += usize::from(hit);
        self.waived += usize::from(!hit && waived);
    }

    fn join(mut self, other: &Share) -> Share {
        self.hit += other.hit;
        self.waived += other.waived;
        self.all += other.all;
        self
    }

    /// The share that is reached or waived, in per cent; all of nothing.
    pub fn percent(&self) -> f64 {
        match self.all {
            0 => 100.0,
            all => 100.0 * (self.hit + self.waived) as f64 / all as f64,
        }
    }
}

/// `97.3 % (2 of 74 waived)`, or a dash where there is nothing to reach.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.all, self.waived) {
            (0, _) => "-".to_string(),
            (all, 0) => format!("{:.1} % of {}", self.percent(), grouped(all as u64)),
            (all, waived) => {
                format!(
                    "{:.1} % of {}, {waived} waived",
                    self.percent(),
                    grouped(all as u64)
                )
            }
        };
        f.pad(&text)
    }
}

/// A row of the RTL's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lines with a statement.
    pub lines: Share,
    /// Ways of branches.
    pub branches: Share,
    /// Bits of signals that went up and down, where they are counted.
    pub toggles: Share,
}

/// Something that was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// `rtl/home/home_tx.sv:141 case`, or a bin.
    pub what: String,
    /// The source there.
    pub source: String,
    /// Why it need not be.
    pub reason: Option<String>,
}

/// A signal of which some bit never went up and down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Still {
    /// The file that declares it.
    pub file: String,
    /// The line there.
    pub line: u32,
    /// Its name.
    pub signal: String,
}

/// What the coverage of a suite comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// By module.
    pub modules: BTreeMap<String, Figures>,
    /// Of the links: group, what it is about, figures.
    pub groups: Vec<(&'static str, &'static str, Share)>,
    /// Points of the RTL, then bins.
    pub unreached: Vec<Unreached>,
    /// Signals with still bits, and how many of their bits are not.
    pub still: BTreeMap<Still, Share>,
    /// Bins that were reached and are in no group: what was held to be impossible is not.
    pub undeclared: Vec<String>,
    /// Waivers that explain nothing.
    pub stale: Vec<Waiver>,
}

impl Coverage {
    /// Judges totals. `source` gives a line of a file of the RTL, or nothing if it has none.
    pub fn new(
        totals: &Totals,
        groups: &[Group],
        waivers: &[Waiver],
        source: impl Fn(&str, u32) -> String,
    ) -> Coverage {
        let text = |point: &Point| source(&point.file, point.line);
        let mut coverage = Coverage {
            modules: BTreeMap::new(),
            groups: Vec::new(),
            unreached: Vec::new(),
            still: BTreeMap::new(),
            undeclared: Vec::new(),
            stale: Vec::new(),
        };
        coverage.count_points(totals, waivers, &text);
        let unreached = coverage.count_bins(totals, groups, waivers);
        coverage.stale = stale(waivers, totals, &unreached, text)
            .into_iter()
            .cloned()
            .collect();
        coverage
    }

    fn count_points(
        &mut self,
        totals: &Totals,
        waivers: &[Waiver],
        text: &impl Fn(&Point) -> String,
    ) {
        let mut waived_lines: BTreeSet<(&str, u32)> = BTreeSet::new();
        for (point, &count) in &totals.points {
            let hit = count > 0;
            let waiver = match hit {
                true => None,
                false => waivers.iter().find(|w| w.is_for(point, &text(point))),
            };
            let module = self.modules.entry(point.module().to_string()).or_default();
            if point.kind == "v_toggle" {
                module.toggles.add(hit, false);
                self.still.entry(still(point)).or_default().add(hit, false);
                continue;
            }
            if point.is_branch() {
                module.branches.add(hit, waiver.is_some());
            }
            if waiver.is_some() {
                waived_lines.extend(point.all_lines().map(|line| (point.file.as_str(), line)));
            }
            if !hit && (point.has_lines() || point.is_branch()) {
                self.unreached.push(Unreached {
                    what: format!("{}:{} {}", point.file, point.line, point.comment),
                    source: text(point).trim().to_string(),
                    reason: waiver.map(|waiver| waiver.reason.clone()),
                });
            }
        }
        for (file, lines) in lcov::lines(totals) {
            let module = file
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".sv");
            let module = self.modules.entry(module.to_string()).or_default();
            for (line, count) in lines {
                module
                    .lines
                    .add(count > 0, waived_lines.contains(&(file, line)));
            }
        }
        self.still.retain(|_, share| share.hit < share.all);
    }

    /// Answers the bins that were not reached.
    fn count_bins(
        &mut self,
        totals: &Totals,
        groups: &[Group],
        waivers: &[Waiver],
    ) -> Vec<(String, String)> {
        let mut unreached = Vec::new();
        let mut declared = BTreeSet::new();
        for group in groups {
            let mut share = Share::default();
            for bin in &group.bins {
                let name = format!("{}/{bin}", group.name);
                let hit = totals.bins.get(&name).is_some_and(|&count| count > 0);
                let waiver = waivers
                    .iter()
                    .find(|w| !hit && w.is_for_bin(group.name, bin));
                share.add(hit, waiver.is_some());
                if !hit {
                    unreached.push((group.name.to_string(), bin.clone()));
                    self.unreached.push(Unreached {
                        what: name.clone(),
                        source: String::new(),
                        reason: waiver.map(|waiver| waiver.reason.clone()),
                    });
                }
                declared.insert(name);
            }
            self.groups.push((group.name, group.about, share));
        }
        let undeclared = totals.bins.keys().filter(|bin| !declared.contains(*bin));
        self.undeclared = undeclared.cloned().collect();
        unreached
    }

    /// Of all modules together.
    pub fn rtl(&self) -> Figures {
        let join = |all: Figures, one: &Figures| Figures {
            lines: all.lines.join(&one.lines),
            branches: all.branches.join(&one.branches),
            toggles: all.toggles.join(&one.toggles),
        };
        self.modules.values().fold(Figures::default(), join)
    }

    /// Of all groups together.
    pub fn bins(&self) -> Share {
        let shares = self.groups.iter().map(|(_, _, share)| share);
        shares.fold(Share::default(), Share::join)
    }

    /// What is not good enough, a sentence each.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let lines = self.rtl().lines;
        let gates = [("lines", lines, LINES), ("bins", self.bins(), BINS)];
        for (what, share, least) in gates {
            if share.percent() < least {
                complaints.push(format!("{what}: {share}, less than {least} %"));
            }
        }
        for waiver in &self.stale {
            complaints.push(format!(
                "waiver in line {}: {} in {} is reached or gone; remove the waiver",
                waiver.number, waiver.what, waiver.place
            ));
        }
        complaints
    }

    /// The tables, and everything that is neither reached nor waived.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:<24}  {:<28}  {:<28}  {}\n",
            "module", "lines", "ways of branches", "toggled bits"
        );
        let mut row = |name: &str, figures: &Figures| {
            let Figures {
                lines,
                branches,
                toggles,
            } = figures;
            let _ = writeln!(text, "{name:<24}  {lines:<28}  {branches:<28}  {toggles}");
        };
        self.modules
            .iter()
            .for_each(|(name, figures)| row(name, figures));
        row("all", &self.rtl());
        let _ = writeln!(text, "\n{:<24}  {:<28}", "on the links", "bins");
        for (name, about, share) in &self.groups {
            let _ = writeln!(text, "{name:<24}  {share:<28}  {about}");
        }
        let _ = writeln!(text, "{:<24}  {}", "all", self.bins());
        let open: Vec<_> = self
            .unreached
            .iter()
            .filter(|u| u.reason.is_none())
            .collect();
        let _ = writeln!(text, "\nNot reached and not waived: {}", open.len());
        for Unreached { what, source, .. } in open {
            let _ = writeln!(text, "{}", format!("  {what:<44}  {source}").trim_end());
        }
        if !self.undeclared.is_empty() {
            let _ = writeln!(
                text,
                "\nReached, and in no group: {}",
                self.undeclared.len()
            );
            for bin in &self.undeclared {
                let _ = writeln!(text, "  {bin}");
            }
        }
        text
    }
}

/// The signal of a bit.
fn still(point: &Point) -> Still {
    let name = point.comment.split('[').next().unwrap_or_default();
    Still {
        file: point.file.clone(),
        line: point.line,
        signal: name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::totals::tests::point;
    use super::super::waivers::parse;
    use super::*;

    fn example() -> (Totals, Vec<Group>) {
        let points = [
            (point("rtl/a.sv", 1, "v_line", "block"), 3),
            (point("rtl/a.sv", 3, "v_line", "case"), 0),
            (point("rtl/b.sv", 1, "v_branch", "else"), 0),
            (point("rtl/b.sv", 1, "v_branch", "if"), 1),
        ];
        let totals = Totals {
            points: points.into(),
            bins: [("g/one".to_string(), 1), ("g/odd".to_string(), 1)].into(),
        };
        let group = Group {
            name: "g",
            about: "a group",
            bins: vec!["one".to_string(), "two".to_string()],
        };
        (totals, vec![group])
    }

    fn source(file: &str, line: u32) -> String {
        format!("{file} at {line}")
    }

    #[test]
    fn what_is_not_reached_is_named_and_what_is_reached_unforeseen_too() {
        let (totals, groups) = example();
        let coverage = Coverage::new(&totals, &groups, &[], source);
        let named: Vec<_> = coverage.unreached.iter().map(|u| u.what.as_str()).collect();
        assert_eq!(named, ["rtl/a.sv:3 case", "rtl/b.sv:1 else", "g/two"]);
        assert_eq!(coverage.undeclared, ["g/odd"]);
        let lines = coverage.rtl().lines;
        assert_eq!((lines.hit, lines.waived, lines.all), (4, 0, 6));
        assert!(coverage.text().contains("  g/two\n"));
        assert_eq!(
            coverage.complaints().len(),
            2,
            "{:?}",
            coverage.complaints()
        );
    }

    #[test]
    fn a_waiver_counts_for_its_lines_and_a_stale_one_is_a_complaint() {
        let (totals, groups) = example();
        let file = "line | rtl/a.sv | a.sv at 3 | unreachable\nbin | g | two | why\n";
        let waivers = parse("w", file).expect("waivers");
        let coverage = Coverage::new(&totals, &groups, &waivers, source);
        assert_eq!(coverage.complaints(), [""; 0]);
        let lines = coverage.rtl().lines;
        assert_eq!((lines.hit, lines.waived, lines.all), (4, 2, 6));

        let file = "line | rtl/a.sv | a.sv at 1 | it is reached\nbin | g | one | so is this\n";
        let waivers = parse("w", file).expect("waivers");
        let coverage = Coverage::new(&totals, &groups, &waivers, source);
        let stale = coverage.complaints();
        let stale: Vec<_> = stale
            .iter()
            .filter(|c| c.contains("remove the waiver"))
            .collect();
        assert_eq!(stale.len(), 2, "{stale:?}");
    }

    #[test]
    fn a_signal_is_still_while_one_of_its_bits_is() {
        let bit = |signal, up_and_down| (point("rtl/a.sv", 1, "v_toggle", signal), up_and_down);
        let points = [bit("a[0]", 2), bit("a[1]", 0), bit("b[0]", 1)];
        let totals = Totals {
            points: points.into(),
            ..Totals::default()
        };
        let coverage = Coverage::new(&totals, &[], &[], source);
        let still = coverage.still.iter();
        let still: Vec<_> = still
            .map(|(still, share)| (still.signal.as_str(), share.hit, share.all))
            .collect();
        assert_eq!(still, [("a", 1, 2)]);
        assert_eq!(coverage.rtl().toggles.percent().round(), 67.0);
        assert_eq!(coverage.complaints(), [""; 0], "bits have no gate");
    }

    #[test]
    fn lcov_has_every_line_and_every_way_of_a_branch() {
        let (totals, _) = example();
        let text = totals.lcov();
        assert!(
            text.contains("SF:rtl/a.sv\nBRDA:3,3,0,0\nBRF:1\nBRH:0\nDA:1,3\nDA:2,3\n"),
            "{text}"
        );
        assert!(
            text.contains("BRF:2\nBRH:1\nDA:1,1\nDA:2,1\nLF:2\nLH:2\n"),
            "{text}"
        );
    }
}
