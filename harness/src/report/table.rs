//! The report as text of at most 120 columns, unless the name of the trace is longer.

use std::fmt::Write;

use super::{CounterFigures, KvFigures, Report};

/// Bytes of key and value a token takes in a model people know: Llama 3 8B in 16 bits, which is
/// 2 (key, value) x 32 layers x 8 heads x 128 numbers x 2 bytes (Llama Team, 2024, table 3).
const REAL_BYTES_PER_TOKEN: u64 = 2 * 32 * 8 * 128 * 2;

/// The whole report.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let system = &report.system;
    section(&mut out, "System");
    row(
        &mut out,
        "switch",
        &format!(
            "{} ports: {} nodes with caches, {} memories; seed {}",
            system.ports, system.cached_nodes, system.memory_nodes, system.seed
        ),
    );
    if let Some(kv) = &report.kv {
        render_kv(&mut out, kv);
    }
    section(&mut out, "Address space");
    let traffic = &report.traffic;
    let memory = format!(
        "{}, {}",
        grouped(traffic.memory_reads),
        grouped(traffic.memory_writes)
    );
    for (name, count) in [
        ("loads", grouped(traffic.loads)),
        ("stores", grouped(traffic.stores)),
        ("atomics", grouped(traffic.atomics)),
        ("answered by the own cache", grouped(traffic.cache_hits)),
        ("cache to cache transfers", grouped(traffic.cache_to_cache)),
        ("invalidations", grouped(traffic.invalidations)),
        ("write-backs", grouped(traffic.write_backs)),
        ("memory reads, writes (lines)", memory),
    ] {
        row(&mut out, name, &count);
    }
    render_latency(&mut out, report);
    render_ports(&mut out, report);
    render_counters(&mut out, &report.counters);
    section(&mut out, "Simulation");
    row(&mut out, "cycles", &grouped(report.cycles));
    row(
        &mut out,
        "speed",
        &format!(
            "{} cycles a second ({:.1} s)",
            grouped(report.host.cycles_per_second as u64),
            report.host.seconds
        ),
    );
    section(&mut out, "Checks");
    for check in &report.checks {
        let _ = writeln!(out, "  {:>14}  {}", grouped(check.count), check.meaning);
    }
    let violations = match report.violations {
        1 => "1 violation".to_string(),
        n => format!("{n} violations"),
    };
    let _ = writeln!(out, "\n{violations}");
    if let Some(violation) = &report.violation {
        let _ = writeln!(out, "{violation}");
    }
    out
}

fn render_kv(out: &mut String, kv: &KvFigures) {
    section(out, "Key/value pool");
    row(out, "trace", &kv.trace);
    row(out, "requests", &grouped(kv.requests));
    let nodes = format!(
        "{} prefill, {} decode; {} requests in flight on each",
        kv.prefill_nodes, kv.decode_nodes, kv.requests_in_flight
    );
    row(out, "nodes", &nodes);
    row(out, "scale", &scale(kv));
    let pool = format!(
        "{} blocks in {} of the global address space",
        grouped(kv.blocks_stored),
        bytes(kv.pool_bytes)
    );
    row(out, "pool", &pool);
    let hits = format!(
        "{:.1} % ({} of {} blocks; {:.1} % if requests ran one by one)",
        100.0 * kv.prefix_hit_rate,
        grouped(kv.prefix_hits),
        grouped(kv.block_references),
        100.0 * kv.sequential_hit_rate
    );
    row(out, "prefix hit rate", &hits);
    let moved = format!(
        "{} stored, {} loaded, every byte compared",
        bytes(kv.bytes_stored),
        bytes(kv.bytes_checked)
    );
    row(out, "key/value bytes", &moved);
    row(out, "digest of the decoded", &kv.decoded_digest);
}

/// What a block is here and what it is in a serving system.
pub(super) fn scale(kv: &KvFigures) -> String {
    let here = format!(
        "{} lines ({})",
        kv.lines_per_block,
        bytes(kv.bytes_per_block)
    );
    match kv.tokens_per_block {
        Some(tokens) => {
            let real = tokens * REAL_BYTES_PER_TOKEN;
            format!(
                "a block of {tokens} tokens is {here}; at {} a token it would be {}, 1:{}",
                bytes(REAL_BYTES_PER_TOKEN),
                bytes(real),
                grouped(real / kv.bytes_per_block.max(1))
            )
        }
        None => format!("a block is {here}; the trace does not tell its tokens"),
    }
}

fn render_latency(out: &mut String, report: &Report) {
    if report.latency.is_empty() {
        return;
    }
    section(out, "Latency in cycles");
    let head = ["", "count", "min", "p50", "p90", "p99", "max", "mean"];
    columns(out, head.map(str::to_string));
    for l in &report.latency {
        columns(
            out,
            [
                l.name(),
                grouped(l.count),
                grouped(l.min),
                grouped(l.p50),
                grouped(l.p90),
                grouped(l.p99),
                grouped(l.max),
                format!("{:.1}", l.mean),
            ],
        );
    }
}

fn render_ports(out: &mut String, report: &Report) {
    section(out, "Links");
    let _ = writeln!(
        out,
        "  {:<28}{:>24}{:>24}",
        "port", "to the switch", "from the switch"
    );
    for port in &report.ports {
        let flow = |count, share: f64| format!("{} {:>6.1} %", bytes(count), 100.0 * share);
        let _ = writeln!(
            out,
            "  {:<28}{:>24}{:>24}",
            format!("{:>2}  {}", port.port, port.device),
            flow(port.rx_bytes, port.rx_utilisation),
            flow(port.tx_bytes, port.tx_utilisation)
        );
    }
}

/// Rows of the counters: a port each, or of several chips a chip each.
pub(super) const COUNTERS: [&str; 9] = [
    "",
    "words",
    "to others",
    "no credit",
    "behind",
    "most waiting",
    "CRC errors",
    "replays",
    "retrained",
];

/// The counters of a port, or of several taken together, as cells under [`COUNTERS`].
pub(super) fn counter_cells(name: String, ports: &[&CounterFigures]) -> [String; 9] {
    let sum = |of: fn(&CounterFigures) -> u32| {
        grouped(ports.iter().map(|port| u64::from(of(port))).sum())
    };
    let high = |class: usize| ports.iter().map(|port| port.high_water.all()[class]).max();
    let high: Vec<String> = (0..5)
        .map(|class| high(class).unwrap_or(0).to_string())
        .collect();
    [
        name,
        sum(|port| port.grants),
        sum(|port| port.stalls_arbitration),
        sum(|port| port.stalls_credit),
        sum(|port| port.stalls_lock),
        high.join("/"),
        sum(|port| port.crc_errors),
        sum(|port| port.replays),
        sum(|port| port.retrains),
    ]
}

fn render_counters(out: &mut String, counters: &[CounterFigures]) {
    let mut chips: Vec<(&str, Vec<&CounterFigures>)> = Vec::new();
    for port in counters {
        match chips.last_mut() {
            Some((chip, ports)) if *chip == port.chip => ports.push(port),
            _ => chips.push((&port.chip, vec![port])),
        }
    }
    if chips.is_empty() {
        return;
    }
    section(
        out,
        "Crossbar (cycles lost to others, without a credit, behind a packet; most words waiting in \
         REQ/SNP/MEM/RSP/DAT)",
    );
    let mut line = |cells: [String; 9]| {
        let [name, numbers @ ..] = cells;
        let _ = write!(out, "  {name:<10}");
        for (cell, width) in numbers.iter().zip([12, 13, 10, 10, 18, 12, 9, 11]) {
            let _ = write!(out, "{cell:>width$}");
        }
        out.push('\n');
    };
    line(COUNTERS.map(str::to_string));
    match &chips[..] {
        [(_, ports)] => {
            for port in ports {
                line(counter_cells(format!("port {}", port.port), &[port]));
            }
        }
        _ => {
            for (chip, ports) in &chips {
                line(counter_cells((*chip).to_string(), ports));
            }
        }
    }
}

fn section(out: &mut String, title: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{title}");
}

fn row(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "  {name:<30}{value}");
}

fn columns(out: &mut String, cells: [String; 8]) {
    let [name, numbers @ ..] = cells;
    let _ = write!(out, "  {name:<28}");
    for cell in numbers {
        let _ = write!(out, "{cell:>10}");
    }
    out.push('\n');
}

/// A number in groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in the unit that keeps it short.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            let whole = unit == "B" || value.fract() == 0.0;
            return if whole {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} PiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_bytes_have_units() {
        assert_eq!(
            [0, 999, 1000, 1234567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        let sizes = [512, 2048, 1536, 5 << 30].map(bytes);
        assert_eq!(sizes, ["512 B", "2 KiB", "1.5 KiB", "5 GiB"]);
    }

    #[test]
    fn the_table_says_the_scale_and_ends_with_the_verdict() {
        let mut report = crate::report::tests::example();
        let text = render(&report);
        let scale = "a block of 16 tokens is 8 lines (512 B); \
                     at 128 KiB a token it would be 2 MiB, 1:4,096";
        assert!(text.contains(scale), "{text}");
        assert!(text.ends_with("\n0 violations\n"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
        report.violations = 1;
        report.violation = Some("cycle 3: data: it is wrong".to_string());
        assert!(render(&report).ends_with("\n1 violation\ncycle 3: data: it is wrong\n"));
    }
}
