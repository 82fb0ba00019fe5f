//! Charts of a sheet: curves over an axis, and bars.

use std::fmt::Write;

use super::chart::{Svg, escape};
use super::table::grouped;

/// Room around the plot for its labels.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 36.0;
/// The colours that the style sheet has for curves.
const COLOURS: usize = 6;

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Curves.
    Plot(Plot),
    /// Bars.
    Bars(Bars),
}

/// Lengths side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What they show.
    pub title: String,
    /// What they are measured in.
    pub unit: String,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its length, 0 or more.
    pub value: f64,
}

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

/// A chart with its title and legend.
pub(super) fn figure(chart: &Chart) -> String {
    match chart {
        Chart::Plot(plot) => plotted(plot),
        Chart::Bars(bars) => format!(
            "<figure><h3>{}</h3>{}</figure>\n",
            escape(&bars.title),
            draw_bars(bars)
        ),
    }
}

fn draw_bars(chart: &Bars) -> String {
    const ROW: f64 = 20.0;
    const NAMES: f64 = 270.0;
    let mut svg = Svg::new(640.0, ROW * chart.bars.len() as f64 + BOTTOM);
    let width = svg.width - NAMES - 64.0;
    let floor = svg.height - BOTTOM;
    let highest = chart
        .bars
        .iter()
        .fold(0.0, |top, bar| f64::max(top, bar.value));
    let highest = if highest > 0.0 { highest } else { 1.0 };
    for value in ticks(highest) {
        let x = NAMES + width * value / highest;
        let class = if value == 0.0 { "axis" } else { "grid" };
        svg.line(class, (x, 2.0), (x, floor));
        svg.text("middle", (x, floor + 14.0), &label(value));
    }
    svg.text("end", (svg.width - 4.0, floor + 30.0), &chart.unit);
    for (i, bar) in chart.bars.iter().enumerate() {
        let y = ROW * i as f64;
        let length = width * bar.value / highest;
        let text = label((bar.value * 100.0).round() / 100.0);
        svg.text("end", (NAMES - 6.0, y + 14.0), &bar.name);
        let size = (length.max(0.5), ROW - 6.0);
        svg.rect(
            "bar",
            (NAMES, y + 3.0),
            size,
            &format!("{}: {text}", bar.name),
        );
        let shown = if bar.value >= 1000.0 {
            grouped(bar.value as u64)
        } else {
            text
        };
        svg.text("start", (NAMES + length + 5.0, y + 14.0), &shown);
    }
    svg.finish(&chart.title)
}

/// The plot with its legend.
fn plotted(plot: &Plot) -> String {
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
        draw(plot).finish(&plot.title)
    )
}

/// The plot as a file of its own, with the name of each curve at its end.
pub(super) fn file(plot: &Plot) -> String {
    let mut svg = draw(plot);
    for curve in &plot.curves {
        if let Some(&(x, y)) = curve.points.last() {
            let width = svg.width - LEFT - RIGHT;
            let height = svg.height - TOP - BOTTOM;
            let at = (
                LEFT + width * (x / plot.x.1).min(1.0) - 4.0,
                TOP + height * (1.0 - y / plot.y.1) + 14.0,
            );
            svg.text("end", at, &curve.name);
        }
    }
    svg.finish_alone(&plot.title)
}

fn draw(plot: &Plot) -> Svg {
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
    svg
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
