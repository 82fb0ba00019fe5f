//! A story in text: a table of the transactions and a sequence chart of their packets.

use std::fmt::Write;

use super::{HEAD, Story};
use crate::report::lanes::{PITCH, arrow, mark};

/// Columns of numbers, which stand to the right.
const NUMBERS: [usize; 2] = [0, 7];

impl Story<'_> {
    /// The table and the chart.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {} transactions\n\n", self.title, self.flows.len());
        if self.flows.len() == 1 {
            text = format!("{}: 1 transaction\n\n", self.title);
        }
        self.table(&mut text);
        text.push('\n');
        self.chart(&mut text);
        text
    }

    fn table(&self, text: &mut String) {
        let rows: Vec<_> = self.flows.iter().map(|flow| self.cells(flow)).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].len());
            cells.chain([HEAD[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
        let mut line = |cells: &[String]| {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let _ = match NUMBERS.contains(&column) {
                    true => write!(line, "  {cell:>width$}"),
                    false => write!(line, "  {cell:<width$}"),
                };
            }
            let _ = writeln!(text, "{}", line.trim_end());
        };
        line(&HEAD.map(str::to_string));
        rows.iter().for_each(|row| line(row));
    }

    fn chart(&self, text: &mut String) {
        let parties = self.parties();
        let lanes = parties.len();
        let lane = |party| parties.iter().position(|&p| p == party);
        let mut head = format!("{:>10}  {:>8}  ", "cycle", "who");
        for party in &parties {
            let _ = write!(head, "{:<PITCH$}", party.to_string());
        }
        let _ = writeln!(text, "{}", head.trim_end());
        for (flow, step) in self.steps() {
            let (from, to) = self.ends(flow, step);
            let label = step.label();
            let note = self.note(flow, step);
            // Who sends to itself, or to nobody that is known, has no arrow.
            let (row, note) = match (lane(from), to.and_then(lane)) {
                (Some(from), Some(to)) if from != to => (arrow(lanes, from, to, &label), note),
                (from, _) => {
                    let said = [label, note].into_iter().filter(|t| !t.is_empty());
                    let said = said.collect::<Vec<_>>().join(", ");
                    (mark(lanes, from.unwrap_or(lanes)), said)
                }
            };
            let who = flow
                .name
                .or(flow.home)
                .map_or(String::new(), |n| n.to_string());
            let line = format!("{:>10}  {who:>8}  {row}  {note}", step.cycle());
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
}
