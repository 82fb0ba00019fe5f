//! Curves over an axis.

use std::fmt::Write;

use super::chart::{Svg, escape};

/// Room around the plot for its labels.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 36.0;
/// The colours that the style sheet has for curves.
const COLOURS: usize = 6;

/// A chart of curves from the origin. What lies beyond the axes is cut off.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// What is to the right, and where the axis ends.
    pub x: (String, f64),
    /// What is upwards, and where the axis ends.
    pub y: (String, f64),
    /// The curves.
    pub curves: Vec<Curve>,
    /// Heights to compare with.
    pub levels: Vec<Level>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// A height that is marked over the whole width.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// The height.
    pub value: f64,
}

/// The plot with its legend.
pub(super) fn figure(plot: &Plot) -> String {
    let mut legend = String::new();
    for (i, curve) in plot.curves.iter().enumerate() {
        let _ = write!(
            legend,
            "<span class=\"key c{}\"></span>{}",
            i % COLOURS,
            escape(&curve.name)
        );
    }
    format!(
        "<figure><h3>{}</h3>{}<figcaption>{legend}</figcaption></figure>\n",
        escape(&plot.title),
        draw(plot)
    )
}

fn draw(plot: &Plot) -> String {
    let mut svg = Svg::new(640.0, 320.0);
    let (width, height) = (svg.width - LEFT - RIGHT, svg.height - TOP - BOTTOM);
    let x = |value: f64| LEFT + width * (value / plot.x.1).clamp(0.0, 1.0);
    let y = |value: f64| TOP + height * (1.0 - (value / plot.y.1).clamp(0.0, 1.0));
    for value in ticks(plot.y.1) {
        let class = if value == 0.0 { "axis" } else { "grid" };
        svg.line(class, (LEFT, y(value)), (LEFT + width, y(value)));
        svg.text("end", (LEFT - 5.0, y(value) + 4.0), &label(value));
    }
    for value in ticks(plot.x.1) {
        svg.text("middle", (x(value), TOP + height + 15.0), &label(value));
    }
    svg.text("end", (LEFT + width, TOP + height + 30.0), &plot.x.0);
    svg.text("start", (LEFT, TOP - 10.0), &plot.y.0);
    for level in plot.levels.iter().filter(|level| level.value <= plot.y.1) {
        svg.line(
            "mark",
            (LEFT, y(level.value)),
            (LEFT + width, y(level.value)),
        );
        let at = (LEFT + 6.0, y(level.value) - 3.0);
        svg.text("start", at, &level.name);
    }
    for (i, curve) in plot.curves.iter().enumerate() {
        let inside = |point: &&(f64, f64)| point.1 <= plot.y.1;
        let end = curve.points.iter().take_while(inside).count();
        // The first point beyond the top shows in which direction the curve leaves.
        let shown = &curve.points[..(end + 1).min(curve.points.len())];
        let points = shown.iter().map(|&(h, v)| (x(h), y(v)));
        svg.path(&format!("curve c{}", i % COLOURS), points);
    }
    svg.finish(&plot.title)
}

/// Steps of 1, 2 or 5 times a power of ten, four to ten of them.
fn ticks(end: f64) -> impl Iterator<Item = f64> {
    let power = 10f64.powf((end / 4.0).log10().floor());
    let factor = [5.0, 2.0, 1.0]
        .into_iter()
        .find(|f| end / (power * f) >= 4.0);
    let step = power * factor.unwrap_or(1.0);
    let count = (end / step + 1e-9) as u32;
    (0..=count).map(move |i| f64::from(i) * step)
}

fn label(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        let labels = |end| ticks(end).map(label).collect::<Vec<_>>();
        assert_eq!(labels(1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels(60.0).last().map(String::as_str), Some("60"));
        for end in [0.3, 2.0, 7.0, 128.0, 3000.0] {
            assert!((4..=11).contains(&labels(end).len()), "{:?}", labels(end));
        }
    }
}
