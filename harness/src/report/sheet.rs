//! What a bench shows: tables and charts, for the terminal, for machines and for the browser.
//!
//! The JSON form holds the tables only: a list of objects each, by the names of the columns. The
//! names are stable: a later version may add some, and a change of meaning changes [`VERSION`].

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt::Write;

use super::html;
use super::plot::{self, Chart};
use super::table::grouped;

/// The version of the JSON form, in its field `supernode_bench`.
pub const VERSION: u32 = 1;

/// Everything a bench shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// The name of the bench.
    pub bench: &'static str,
    /// What it is, as a heading.
    pub title: String,
    /// The command that makes it again.
    pub command: String,
    /// Its parts, in order.
    pub sections: Vec<Section>,
}

/// One table, with the charts that show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Sentences: what was measured, and how.
    pub notes: Vec<String>,
    /// The figures.
    pub table: Table,
    /// The figures to look at.
    pub charts: Vec<Chart>,
}

/// Figures in columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name in the JSON form.
    pub name: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name in the JSON form.
    pub name: &'static str,
    /// The name for people; empty for what only machines are to see.
    pub heading: &'static str,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A number, and the decimals with which people see it.
    Number(f64, usize),
    /// Not known, or without meaning here.
    Nothing,
}

impl Cell {
    /// A number if there is one.
    pub fn number(value: Option<f64>, decimals: usize) -> Cell {
        value.map_or(Cell::Nothing, |value| Cell::Number(value, decimals))
    }

    /// A whole number if there is one.
    pub fn count(value: Option<u64>) -> Cell {
        value.map_or(Cell::Nothing, Cell::Count)
    }

    pub(super) fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => grouped(*count),
            Cell::Number(value, decimals) => format!("{value:.decimals$}"),
            Cell::Nothing => "-".to_string(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_string())
    }
}

impl Table {
    /// A table without rows; columns as name for machines and heading for people.
    pub fn new(name: &'static str, columns: &[(&'static str, &'static str)]) -> Table {
        Table {
            name,
            columns: columns
                .iter()
                .map(|&(name, heading)| Column { name, heading })
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not one cell for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        let row: Vec<Cell> = row.into_iter().collect();
        assert_eq!(
            row.len(),
            self.columns.len(),
            "cells of table {}",
            self.name
        );
        self.rows.push(row);
    }

    /// The columns that people see.
    fn shown(&self) -> Vec<usize> {
        let heading = |&column: &usize| !self.columns[column].heading.is_empty();
        (0..self.columns.len()).filter(heading).collect()
    }

    /// Headings and cells as text, aligned: words to the left, numbers to the right.
    fn render(&self, out: &mut String) {
        let shown = self.shown();
        let headings = shown
            .iter()
            .map(|&column| self.columns[column].heading.to_string());
        let mut lines: Vec<Vec<String>> = vec![headings.collect()];
        for row in &self.rows {
            lines.push(shown.iter().map(|&column| row[column].text()).collect());
        }
        let width = |column: usize| {
            let lengths = lines.iter().map(|line| line[column].chars().count());
            lengths.max().unwrap_or(0)
        };
        let is_text = |column: usize| {
            let text = |row: &Vec<Cell>| matches!(row[shown[column]], Cell::Text(_));
            self.rows.iter().any(text)
        };
        let widths: Vec<(usize, bool)> = (0..shown.len())
            .map(|column| (width(column), is_text(column)))
            .collect();
        for line in &lines {
            let mut text = String::new();
            for (cell, (width, left)) in line.iter().zip(&widths) {
                let _ = match left {
                    true => write!(text, "  {cell:<width$}"),
                    false => write!(text, "  {cell:>width$}"),
                };
            }
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }
}

/// A row as an object.
struct Row<'a>(&'a [Column], &'a [Cell]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, cell) in self.0.iter().zip(self.1) {
            match cell {
                Cell::Text(text) => map.serialize_entry(column.name, text)?,
                Cell::Count(count) => map.serialize_entry(column.name, count)?,
                Cell::Number(value, _) => map.serialize_entry(column.name, value)?,
                Cell::Nothing => map.serialize_entry(column.name, &None::<f64>)?,
            }
        }
        map.end()
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| Row(&self.columns, row)))
    }
}

impl Serialize for Sheet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("supernode_bench", &VERSION)?;
        map.serialize_entry("bench", self.bench)?;
        map.serialize_entry("command", &self.command)?;
        for Section { table, .. } in &self.sections {
            map.serialize_entry(table.name, table)?;
        }
        map.end()
    }
}

impl Sheet {
    /// For the terminal.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for section in &self.sections {
            let _ = writeln!(out, "\n{}", section.title);
            section.table.render(&mut out);
            for note in &section.notes {
                let _ = writeln!(out, "  {note}");
            }
        }
        out
    }

    /// For machines, one JSON object over several lines.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("strings and finite numbers have a JSON form");
        text.push('\n');
        text
    }

    /// The first plot as an SVG file, if there is any.
    pub fn svg(&self) -> Option<String> {
        let mut charts = self.sections.iter().flat_map(|section| &section.charts);
        charts.find_map(|chart| match chart {
            plot::Chart::Plot(plot) => Some(plot::file(plot)),
            plot::Chart::Bars(_) => None,
        })
    }

    /// For the browser: one page, without script, that fetches nothing.
    pub fn page(&self) -> String {
        let mut body = format!(
            "<h1>{}</h1>\n<p><code>{}</code></p>\n",
            html::escape(&self.title),
            html::escape(&self.command)
        );
        for section in &self.sections {
            let _ = writeln!(body, "<h2>{}</h2>", html::escape(&section.title));
            for note in &section.notes {
                let _ = writeln!(body, "<p>{}</p>", html::escape(note));
            }
            for chart in &section.charts {
                body.push_str(&plot::figure(chart));
            }
            let table = &section.table;
            let shown = table.shown();
            let headings: Vec<&str> = shown.iter().map(|&c| table.columns[c].heading).collect();
            let row = |row: &Vec<Cell>| shown.iter().map(|&c| row[c].text()).collect();
            let rows: Vec<Vec<String>> = table.rows.iter().map(row).collect();
            body.push_str(&html::table(&headings, rows));
        }
        html::document(&self.title, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Bar, Bars, Curve, Level, Plot};
    use super::*;

    fn example() -> Sheet {
        let mut table = Table::new(
            "points",
            &[
                ("name", "what"),
                ("id", ""),
                ("load", "load"),
                ("n", "count"),
            ],
        );
        table.push([
            "one <b>".into(),
            "first".into(),
            Cell::Number(0.25, 2),
            Cell::Count(1234),
        ]);
        table.push([
            "other".into(),
            "second".into(),
            Cell::Nothing,
            Cell::Count(7),
        ]);
        let plot = Plot {
            title: "Load".into(),
            x: ("offered".into(), 1.0),
            y: ("accepted".into(), 1.0),
            curves: vec![Curve {
                name: "one".into(),
                points: vec![(0.0, 0.0), (1.0, 0.9), (1.5, 3.0)],
            }],
            levels: vec![Level {
                name: "bound".into(),
                value: 0.586,
            }],
        };
        let bars = Bars {
            title: "Counts".into(),
            unit: "times".into(),
            bars: vec![Bar {
                name: "one".into(),
                value: 1234.0,
            }],
        };
        Sheet {
            bench: "example",
            title: "An example".into(),
            command: "supernode bench example".into(),
            sections: vec![Section {
                title: "Points".into(),
                notes: vec!["Measured by hand.".into()],
                table,
                charts: vec![Chart::Plot(plot), Chart::Bars(bars)],
            }],
        }
    }

    #[test]
    fn a_table_is_aligned_in_the_terminal() {
        let text = example().text();
        assert!(text.contains("  what     load  count\n"), "{text}");
        assert!(text.contains("  one <b>  0.25  1,234\n"), "{text}");
        assert!(text.contains("  other       -      7\n"), "{text}");
    }

    #[test]
    fn machines_find_figures_by_name() {
        let value: serde_json::Value = serde_json::from_str(&example().json()).expect("JSON");
        assert_eq!(value["supernode_bench"], 1);
        assert_eq!(value["points"][0]["load"], 0.25);
        assert_eq!(value["points"][0]["n"], 1234);
        assert_eq!(value["points"][1]["id"], "second");
        assert!(value["points"][1]["load"].is_null());
    }

    #[test]
    fn the_page_is_one_file_and_what_is_off_the_plot_stays_inside() {
        let page = example().page();
        assert!(!page.contains("http"), "nothing may be fetched");
        assert!(page.contains("one &lt;b&gt;") && !page.contains("one <b>"));
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains(">1,234</text>"));
        assert!(page.contains("bound"));
        assert!(!page.contains("-0.0") && !page.contains("NaN"));
    }
}
