//! Charts as SVG text. Colours come from the page's style sheet by class.

use std::fmt::Write;

use super::table::{bytes, grouped};
use super::{KvFigures, Latency, PortFigures};

/// Room around a plot for its labels.
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 28.0;

/// A chart in the making, in user units; the page scales it to its column.
pub(crate) struct Svg {
    pub(super) width: f64,
    pub(super) height: f64,
    body: String,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Svg {
        Svg {
            width,
            height,
            body: String::new(),
        }
    }

    pub(crate) fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), tip: &str) {
        let ((x, y), (w, h)) = (at, size);
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" \
             rx=\"1.5\"><title>{}</title></rect>",
            escape(tip)
        );
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    /// Text whose `anchor` (start, middle or end) is at `at`.
    pub(crate) fn text(&mut self, anchor: &str, at: (f64, f64), text: &str) {
        let _ = write!(
            self.body,
            "<text text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escape(text)
        );
    }

    pub(crate) fn path(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let mut data = String::new();
        for (i, (x, y)) in points.into_iter().enumerate() {
            let _ = write!(data, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
        }
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}\"/>");
    }

    pub(crate) fn finish(self, label: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {:.0} {:.0}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            self.width,
            self.height,
            escape(label),
            self.body
        )
    }
}

impl Svg {
    /// The chart as a file of its own, with the style that a page has for all.
    pub(super) fn finish_alone(self, label: &str) -> String {
        let style = include_str!("style.css");
        let svg = self.finish(label);
        let (begin, rest) = svg.split_once('>').unwrap_or((&svg, ""));
        let begin = begin.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
        format!("{begin}><style>\n{style}</style>\n{rest}\n")
    }
}

/// Makes text safe inside an element and inside a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

/// The histogram of one kind of access: a bar a bucket, the percentiles as marks above.
pub(super) fn latency(latency: &Latency) -> String {
    let mut svg = Svg::new(420.0, 170.0);
    let plot = (svg.width - LEFT - 24.0, svg.height - TOP - BOTTOM);
    let floor = TOP + plot.1;
    let step = plot.0 / latency.buckets.len().max(1) as f64;
    let highest = latency
        .buckets
        .iter()
        .map(|b| b.count)
        .max()
        .unwrap_or(1)
        .max(1);
    svg.line("axis", (LEFT, floor), (LEFT + plot.0, floor));
    svg.text("end", (LEFT - 5.0, TOP + 4.0), &short(highest));
    svg.text("end", (LEFT - 5.0, floor), "0");
    let every = latency.buckets.len().div_ceil(10).max(1);
    let mut above = 0;
    for (i, bucket) in latency.buckets.iter().enumerate() {
        let x = LEFT + i as f64 * step;
        if bucket.count > 0 {
            let height = (plot.1 * bucket.count as f64 / highest as f64).max(1.0);
            let tip = format!(
                "{} to {} cycles: {} accesses",
                grouped(above + 1),
                grouped(bucket.up_to),
                grouped(bucket.count)
            );
            svg.rect(
                "bar",
                (x + 0.5, floor - height),
                ((step - 1.0).max(0.5), height),
                &tip,
            );
        }
        if i % every == 0 {
            svg.text(
                "middle",
                (x + step / 2.0, floor + 14.0),
                &short(bucket.up_to),
            );
        }
        above = bucket.up_to;
    }
    // Percentiles in one bucket share a mark.
    let mut marks: Vec<(usize, String)> = Vec::new();
    for (name, cycles) in [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
    ] {
        let Some(at) = latency.buckets.iter().position(|b| b.up_to >= cycles) else {
            continue;
        };
        match marks.last_mut() {
            Some((last, names)) if *last == at => *names = format!("{names} {name}"),
            _ => marks.push((at, name.to_string())),
        }
    }
    for (i, (at, names)) in marks.iter().enumerate() {
        let x = LEFT + (*at as f64 + 0.5) * step;
        svg.line("mark", (x, TOP), (x, floor));
        // On two rows, so that neighbours stay apart.
        let row = if i % 2 == 0 { 4.0 } else { 15.0 };
        svg.text("middle", (x, TOP - row), names);
    }
    svg.finish(&format!("Histogram of the latency of {}", latency.name()))
}

/// Utilisation of the links: two bars a port, to the switch and from it.
pub(super) fn utilisation(ports: &[PortFigures]) -> String {
    let (label, row) = (150.0, 34.0);
    let mut svg = Svg::new(640.0, row * ports.len() as f64 + BOTTOM + 6.0);
    let width = svg.width - label - 60.0;
    let floor = row * ports.len() as f64;
    for percent in [0, 25, 50, 75, 100] {
        let x = label + width * f64::from(percent) / 100.0;
        svg.line(
            if percent == 0 { "axis" } else { "grid" },
            (x, 2.0),
            (x, floor),
        );
        svg.text("middle", (x, floor + 15.0), &format!("{percent} %"));
    }
    for (i, port) in ports.iter().enumerate() {
        let y = row * i as f64 + 4.0;
        let name = format!("{} {}", port.port, port.device);
        svg.text("end", (label - 8.0, y + 16.0), &name);
        let flows = [
            ("bar", "to the switch", port.rx_utilisation, port.rx_bytes),
            (
                "bar2",
                "from the switch",
                port.tx_utilisation,
                port.tx_bytes,
            ),
        ];
        for (k, (class, way, share, count)) in flows.into_iter().enumerate() {
            let top = y + 12.0 * k as f64;
            let tip = format!(
                "{name}, {way}: {} in {:.1} % of the cycles",
                bytes(count),
                100.0 * share
            );
            svg.rect(class, (label, top), ((width * share).max(0.5), 10.5), &tip);
            let at = (label + width * share + 5.0, top + 9.0);
            svg.text("start", at, &format!("{:.1} %", 100.0 * share));
        }
    }
    svg.finish("Utilisation of the links by port")
}

/// The prefix hit rate over the requests, with the rate of requests that run one by one.
pub(super) fn hit_rate(kv: &KvFigures) -> String {
    let mut svg = Svg::new(640.0, 220.0);
    let plot = (svg.width - LEFT - 8.0, svg.height - TOP - BOTTOM);
    let y = |rate: f64| TOP + plot.1 * (1.0 - rate);
    for percent in [0, 25, 50, 75, 100] {
        let level = y(f64::from(percent) / 100.0);
        let class = if percent == 0 { "axis" } else { "grid" };
        svg.line(class, (LEFT, level), (LEFT + plot.0, level));
        svg.text("end", (LEFT - 5.0, level + 4.0), &format!("{percent} %"));
    }
    let last = kv.requests.max(1) as f64;
    for quarter in 0..=4 {
        let request = kv.requests * quarter / 4;
        let anchor = ["start", "middle", "middle", "middle", "end"][quarter as usize];
        let x = LEFT + plot.0 * request as f64 / last;
        svg.text(anchor, (x, TOP + plot.1 + 15.0), &grouped(request));
    }
    let limit = y(kv.sequential_hit_rate);
    svg.line("mark", (LEFT, limit), (LEFT + plot.0, limit));
    let points = kv.progress.iter().map(|point| {
        let rate = point.prefix_hits as f64 / point.block_references.max(1) as f64;
        (LEFT + plot.0 * point.requests as f64 / last, y(rate))
    });
    svg.path("curve", points);
    svg.finish("Prefix hit rate over the requests")
}

/// A number in at most four characters or so.
fn short(number: u64) -> String {
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_999 => format!("{}k", number / 1000),
        1_000_000..=9_999_999 => format!("{:.1}M", number as f64 / 1e6),
        _ => format!("{}M", number / 1_000_000),
    }
}
