//! The report as one page of HTML: no script, nothing fetched, readable in light and dark.

use std::fmt::Write;

use super::chart;
pub(crate) use super::chart::escape;
use super::table::{COUNTERS, bytes, counter_cells, grouped, scale};
use super::{CounterFigures, KvFigures, Latency, Report};

/// The page.
pub fn page(report: &Report) -> String {
    let title = match &report.kv {
        Some(_) => "Key/value pool in one address space",
        None => "Simulated supernode",
    };
    let mut body = format!("<h1>{title}</h1>\n");
    let _ = writeln!(body, "<p><code>{}</code></p>", escape(&report.command));
    if let Some(violation) = &report.violation {
        let _ = writeln!(body, "<p class=\"violation\">{}</p>", escape(violation));
    }
    body.push_str(&tiles(report));
    if let Some(kv) = &report.kv {
        body.push_str(&pool(kv));
    }
    body.push_str(&latency(&report.latency));
    body.push_str(&links(report));
    body.push_str(&counters(&report.counters));
    body.push_str(&traffic(report));
    body.push_str(&checks(report));
    document(title, &body)
}

/// A page around its body.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title),
        include_str!("style.css")
    )
}

fn tiles(report: &Report) -> String {
    let violations = report.violations.to_string();
    let verdict = if report.violations == 0 {
        "tile good"
    } else {
        "tile bad"
    };
    let mut tiles = vec![(verdict, violations, "violations")];
    if let Some(kv) = &report.kv {
        tiles.push(("tile", grouped(kv.requests), "requests"));
        tiles.push((
            "tile",
            format!("{:.1} %", 100.0 * kv.prefix_hit_rate),
            "prefix hit rate",
        ));
        tiles.push(("tile", bytes(kv.bytes_checked), "loaded and compared"));
    }
    tiles.push(("tile", grouped(report.cycles), "cycles"));
    let speed = grouped(report.host.cycles_per_second as u64);
    tiles.push(("tile", speed, "cycles a second"));
    let mut out = "<div class=\"tiles\">".to_string();
    for (class, value, name) in tiles {
        let _ = write!(
            out,
            "<div class=\"{class}\"><b>{value}</b><span>{name}</span></div>"
        );
    }
    out.push_str("</div>\n");
    let system = &report.system;
    let _ = writeln!(
        out,
        "<p>{} ports: {} nodes with caches, {} memories; seed {}.</p>",
        system.ports, system.cached_nodes, system.memory_nodes, system.seed
    );
    out
}

fn pool(kv: &KvFigures) -> String {
    format!(
        "<h2>Prefix hit rate</h2>\n<p>{} of {} blocks named by the requests of {} were found \
         stored and loaded instead of computed; {} prefill and {} decode nodes work on {} requests \
         each; {}.</p>\n\
         <figure>{}<figcaption>over the requests prefilled <span class=\"key one\"></span>this run \
         <span class=\"key note\"></span>requests one by one: {:.1} %</figcaption></figure>\n",
        grouped(kv.prefix_hits),
        grouped(kv.block_references),
        escape(&kv.trace),
        kv.prefill_nodes,
        kv.decode_nodes,
        kv.requests_in_flight,
        escape(&scale(kv)),
        chart::hit_rate(kv),
        100.0 * kv.sequential_hit_rate
    )
}

fn latency(latencies: &[Latency]) -> String {
    if latencies.is_empty() {
        return String::new();
    }
    let mut out = "<h2>Latency</h2>\n<p>Cycles from issue to completion; two bars double the \
                   latency. Kinds with less than one in a hundred accesses are only in the \
                   table.</p>\n<div class=\"pair\">\n"
        .to_string();
    let all: u64 = latencies.iter().map(|latency| latency.count).sum();
    for latency in latencies.iter().filter(|l| l.count * 100 >= all) {
        let _ = writeln!(
            out,
            "<figure><h3>{}</h3>{}</figure>",
            escape(&latency.name()),
            chart::latency(latency)
        );
    }
    out.push_str("</div>\n");
    let head = ["", "count", "min", "p50", "p90", "p99", "max", "mean"];
    let rows = latencies.iter().map(|l| {
        let counts = [l.count, l.min, l.p50, l.p90, l.p99, l.max].map(grouped);
        let mean = format!("{:.1}", l.mean);
        [l.name()].into_iter().chain(counts).chain([mean]).collect()
    });
    out.push_str(&table(&head, rows));
    out
}

fn links(report: &Report) -> String {
    format!(
        "<h2>Links</h2>\n<figure>{}<figcaption>share of the cycles with a word on the link\
         <span class=\"key one\"></span>to the switch<span class=\"key two\"></span>from the \
         switch</figcaption></figure>\n",
        chart::utilisation(&report.ports)
    )
}

fn counters(counters: &[CounterFigures]) -> String {
    if counters.is_empty() {
        return String::new();
    }
    let rows = counters.iter().map(|port| {
        let name = format!("{}, port {}", port.chip, port.port);
        counter_cells(name, &[port]).to_vec()
    });
    "<h2>Crossbar</h2>\n<p>Words that went through it from each port; cycles in which words of the \
     port waited for others, for a credit, for the end of a packet; the most words waiting in \
     REQ/SNP/MEM/RSP/DAT; the link. Read from the registers of the chips.</p>\n"
        .to_string()
        + &table(&COUNTERS, rows)
}

fn traffic(report: &Report) -> String {
    let t = &report.traffic;
    let counts = [
        ("loads", t.loads),
        ("stores", t.stores),
        ("atomics", t.atomics),
        ("answered by the own cache", t.cache_hits),
        ("cache to cache transfers", t.cache_to_cache),
        ("invalidations", t.invalidations),
        ("write-backs", t.write_backs),
        ("lines read from the memories", t.memory_reads),
        ("lines written to the memories", t.memory_writes),
    ];
    let rows = counts.map(|(name, count)| vec![name.to_string(), grouped(count)]);
    "<h2>Address space</h2>\n".to_string() + &table(&["", "count"], rows)
}

fn checks(report: &Report) -> String {
    let rows = report
        .checks
        .iter()
        .map(|c| vec![c.meaning.clone(), grouped(c.count)]);
    "<h2>Checks</h2>\n".to_string() + &table(&["each time", "times checked"], rows)
}

/// A table; cells become safe text here.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = "<div class=\"scroll\"><table><thead><tr>".to_string();
    for cell in head {
        let _ = write!(out, "<th>{}</th>", escape(cell));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}</td>", escape(&cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::example;

    #[test]
    fn the_page_is_one_file_with_three_kinds_of_charts() {
        let text = page(&example());
        assert!(!text.contains("http"), "nothing may be fetched");
        assert!(!text.contains("<script"));
        for label in [
            "Histogram of the latency of load, memory",
            "by port",
            "Prefix hit rate over",
        ] {
            assert!(text.contains(label), "{label}");
        }
        assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
        assert_eq!(
            text.matches("<rect").count(),
            text.matches("</rect>").count()
        );
    }

    #[test]
    fn names_from_outside_cannot_break_the_page() {
        let text = page(&example());
        assert!(text.contains("the built-in sample &lt;&amp; more&gt;"));
        assert!(!text.contains("<& more>"));
    }

    #[test]
    fn a_violation_stands_on_the_page() {
        let mut report = example();
        report.violations = 1;
        report.violation = Some("cycle 9: data: lost".to_string());
        assert!(page(&report).contains("cycle 9: data: lost"));
    }
}
