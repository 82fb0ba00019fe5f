//! What is aimed at, beside what was measured.

use crate::report::sheet::{Cell, Section, Table};

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A figure and its aim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// A name that stays.
    pub name: &'static str,
    pub figure: &'static str,
    pub bound: Bound,
    pub measured: f64,
}

impl Target {
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.measured <= most,
            Bound::AtLeast(least) => self.measured >= least,
        }
    }
}

pub fn section(targets: &[Target]) -> Section {
    let mut table = Table::new(
        "targets",
        &[
            ("name", ""),
            ("figure", "figure"),
            ("target", "target"),
            ("measured", "measured"),
            ("met", "met"),
        ],
    );
    for target in targets {
        let bound = match target.bound {
            Bound::AtMost(most) => format!("<= {most}"),
            Bound::AtLeast(least) => format!(">= {least}"),
        };
        let decimals = if target.measured.fract() == 0.0 { 0 } else { 3 };
        table.push([
            target.name.into(),
            target.figure.into(),
            Cell::Text(bound),
            Cell::Number(target.measured, decimals),
            if target.is_met() { "yes" } else { "no" }.into(),
        ]);
    }
    Section {
        title: "Beside the targets".into(),
        notes: vec!["The sections below have each figure with its system.".into()],
        table,
        charts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_up_to_its_bound_and_not_beyond() {
        let met = |bound, measured| {
            let target = Target {
                name: "",
                figure: "",
                bound,
                measured,
            };
            target.is_met()
        };
        assert!(met(Bound::AtMost(6.0), 6.0) && !met(Bound::AtMost(6.0), 6.1));
        assert!(met(Bound::AtLeast(0.5), 0.5) && !met(Bound::AtLeast(0.5), 0.49));
    }
}
