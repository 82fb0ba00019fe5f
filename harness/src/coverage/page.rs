//! The figures as one page of HTML.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::report::{BINS, Coverage, LINES, Share, Unreached};
use crate::report::html::{document, escape, table};

impl Coverage {
    /// The page; nothing is fetched and no script runs.
    pub fn page(&self) -> String {
        let title = "Coverage of the suite";
        let body = format!(
            "<h1>{title}</h1>\n{}<h2>RTL, by module</h2>\n{}<h2>On the links</h2>\n{}\
             <h2>Not reached</h2>\n{}<h2>Bits that never went up and down again</h2>\n{}",
            self.tiles(),
            self.module_table(),
            self.group_table(),
            self.unreached_tables(),
            self.still_tables()
        );
        document(title, &body)
    }

    fn tiles(&self) -> String {
        let rtl = self.rtl();
        let tiles = [
            ("lines", rtl.lines, Some(LINES)),
            ("ways of branches", rtl.branches, None),
            ("toggled bits", rtl.toggles, None),
            ("bins", self.bins(), Some(BINS)),
        ];
        let mut out = "<div class=\"tiles\">".to_string();
        for (name, share, gate) in tiles {
            let (class, least) = match gate {
                Some(gate) if share.percent() < gate => ("tile bad", format!(", of {gate} %")),
                Some(gate) => ("tile good", format!(", of {gate} %")),
                None => ("tile", String::new()),
            };
            let percent = match share.all {
                0 => "-".to_string(),
                _ => format!("{:.1} %", share.percent()),
            };
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<div class=\"{class}\"><b>{percent}</b><span>{name}{least}</span></div>"
            );
        }
        out + "</div>\n"
    }

    fn module_table(&self) -> String {
        let all = self.rtl();
        let modules = self
            .modules
            .iter()
            .map(|(name, figures)| (&**name, figures));
        let rows = modules.chain([("all", &all)]).map(|(name, figures)| {
            let shares = [figures.lines, figures.branches, figures.toggles];
            let cells = shares.map(|share| share.to_string());
            [name.to_string()].into_iter().chain(cells).collect()
        });
        table(
            &["module", "lines", "ways of branches", "toggled bits"],
            rows,
        )
    }

    fn group_table(&self) -> String {
        let rows = self.groups.iter().map(|(name, about, share)| {
            vec![name.to_string(), about.to_string(), share.to_string()]
        });
        let all = vec!["all".to_string(), String::new(), self.bins().to_string()];
        table(&["group", "about", "bins"], rows.chain([all]))
    }

    /// A table a file or group of bins.
    fn unreached_tables(&self) -> String {
        let mut of_place: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        for unreached in &self.unreached {
            let Unreached {
                what,
                source,
                reason,
            } = unreached;
            // A file's line or a group's bin.
            let file = what.split_once(".sv:").map(|(file, _)| file.len() + 3);
            let split = file.or_else(|| what.find('/')).unwrap_or_default();
            let (place, what) = what.split_at(split);
            let reason = reason.as_deref().unwrap_or("no reason yet");
            let row = vec![what[1..].to_string(), source.clone(), reason.to_string()];
            of_place.entry(place).or_default().push(row);
        }
        let head = ["", "source", "reason"];
        let tables = of_place.into_iter().map(|(place, rows)| {
            let summary = format!("{place}: {}", rows.len());
            fold(&summary, &table(&head, rows))
        });
        tables.collect()
    }

    fn still_tables(&self) -> String {
        let mut of_file: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        for (still, share) in &self.still {
            let Share { hit, all, .. } = share;
            let row = vec![
                still.signal.clone(),
                still.line.to_string(),
                format!("{hit} of {all}"),
            ];
            of_file.entry(&still.file).or_default().push(row);
        }
        let head = ["signal", "line", "bits that did"];
        let tables = of_file.into_iter().map(|(file, rows)| {
            let summary = format!("{file}: {} signals", rows.len());
            fold(&summary, &table(&head, rows))
        });
        tables.collect()
    }
}

/// Something that a reader opens.
fn fold(summary: &str, inside: &str) -> String {
    let summary = escape(summary);
    format!("<details class=\"text\"><summary>{summary}</summary>\n{inside}</details>\n")
}
