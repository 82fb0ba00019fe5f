//! The figures as one page of HTML.

use super::report::Coverage;
use crate::report::html::{document, table};

impl Coverage {
    /// The page; nothing is fetched and no script runs.
    pub fn page(&self) -> String {
        let rtl = (self
            .modules
            .iter()
            .map(|(name, figures)| (name.as_str(), figures.clone())))
        .chain([("all", self.rtl())])
        .map(|(name, figures)| {
            let shares = [figures.lines, figures.branches, figures.toggles];
            let cells = shares.map(|share| share.to_string());
            [name.to_string()].into_iter().chain(cells).collect()
        });
        let groups = self.groups.iter().map(|(name, about, share)| {
            vec![name.to_string(), share.to_string(), about.to_string()]
        });
        let unreached = self.unreached.iter().map(|unreached| {
            let reason = unreached.reason.as_deref().unwrap_or("none yet");
            vec![
                unreached.what.clone(),
                unreached.source.clone(),
                reason.to_string(),
            ]
        });
        let title = "Coverage of the suite";
        let body = format!(
            "<h1>{title}</h1>\n<h2>RTL, by module</h2>\n{}\n<h2>On the links</h2>\n{}\n\
             <h2>Not reached</h2>\n{}\n",
            table(
                &["module", "lines", "ways of branches", "toggled bits"],
                rtl
            ),
            table(&["group", "bins", "about"], groups),
            table(&["what", "source", "reason"], unreached)
        );
        document(title, &body)
    }
}
