//! A story as one page of HTML: the table, and the chart with time running down.

use super::{HEAD, Story};
use crate::report::chart::Svg;
use crate::report::html::{document, escape, table};

/// Pixels from lane to lane, from row to row, and to the first of each.
const LANE: f64 = 190.0;
const ROW: f64 = 26.0;
const LEFT: f64 = 110.0;
const TOP: f64 = 34.0;

impl Story<'_> {
    /// The page; nothing is fetched and no script runs.
    pub fn page(&self) -> String {
        let rows = self.flows.iter().map(|flow| self.cells(flow).to_vec());
        let title = format!("Story of {}", self.title);
        let body = format!(
            "<h1>{}</h1>\n<p>Who asked, who was snooped, who answered: the packets on the ports, each \
             from the cycle in which it was first seen to the one in which it left the switch. Homes \
             are in the switch.</p>\n<h2>Transactions</h2>\n{}\n<h2>Sequence</h2>\n<figure>{}\
             </figure>\n",
            escape(&title),
            table(&HEAD, rows),
            self.drawing()
        );
        document(&title, &body)
    }

    /// Every cycle in which something happens has a row of its own.
    fn drawing(&self) -> String {
        let parties = self.parties();
        let steps = self.steps();
        let hops = steps.iter().flat_map(|(_, step)| [step.sent, step.arrived]);
        let mut cycles: Vec<u64> = hops.flatten().map(|hop| hop.cycle).collect();
        cycles.sort_unstable();
        cycles.dedup();
        let x = |party| {
            let lane = parties.iter().position(|&p| p == party);
            lane.map(|lane| LEFT + LANE * lane as f64)
        };
        let row = |cycle: u64| TOP + ROW * (1.0 + cycles.partition_point(|&c| c < cycle) as f64);
        let width = LEFT + LANE * parties.len() as f64;
        let bottom = TOP + ROW * (cycles.len() as f64 + 1.0);
        let mut svg = Svg::new(width, bottom + ROW);
        for &party in &parties {
            let at = x(party).unwrap_or(LEFT);
            svg.text("middle", (at, TOP - 8.0), &party.to_string());
            svg.line("axis", (at, TOP), (at, bottom));
        }
        for &cycle in &cycles {
            svg.text("end", (LEFT - 40.0, row(cycle) + 4.0), &cycle.to_string());
            svg.line(
                "grid",
                (LEFT - 32.0, row(cycle)),
                (width - LANE / 2.0, row(cycle)),
            );
        }
        for (flow, step) in steps {
            let (from, to) = self.ends(flow, step);
            let hops = [step.sent.or(step.arrived), step.arrived.or(step.sent)];
            let (Some(from), [Some(begin), Some(end)]) = (x(from), hops) else {
                continue;
            };
            let to = to.and_then(x).unwrap_or(from);
            let (begin, end) = ((from, row(begin.cycle)), (to, row(end.cycle)));
            svg.line("flow", begin, end);
            let back = if to < from { 8.0 } else { -8.0 };
            svg.line("flow", (to + back, end.1 - 4.0), end);
            svg.line("flow", (to + back, end.1 + 4.0), end);
            let who = flow
                .name
                .or(flow.home)
                .map_or(String::new(), |n| format!(" {n}"));
            let (anchor, at) = match to < from {
                true => ("end", from - 8.0),
                false => ("start", from + 8.0),
            };
            svg.text(
                anchor,
                (at, begin.1 - 4.0),
                &format!("{}{who}", step.label()),
            );
        }
        svg.finish(&format!("Sequence of packets of {}", self.title))
    }
}
