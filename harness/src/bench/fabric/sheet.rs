//! The figures for people.

use super::measure::{Measured, Window, measure, zero_load};
use super::peers::{PEERS, SINGLE_FIFO_BOUND};
use super::traffic::{Pattern, Queues, Traffic};
use crate::Failure;
use crate::report::grouped;
use crate::report::plot::{Chart, Curve, Level, Plot};
use crate::report::sheet::{Cell, Section, Sheet, Table};

/// Numbers of ports of which there are models.
pub const PORTS: [usize; 3] = [4, 8, 16];

/// What a source offers in the points of the curves.
const LOADS: [f64; 14] = [
    0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0,
];

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Numbers of ports.
    pub ports: Vec<usize>,
    /// Cycles of each measurement.
    pub window: Window,
    /// Decides everything random.
    pub seed: u64,
}

/// The points of a size that the table of saturation has.
fn points() -> Vec<(&'static str, Traffic)> {
    let full = Traffic::uniform(1.0, 1);
    let with = |pattern| Traffic { pattern, ..full };
    let queues = Queues::PerDestination;
    let own = Pattern::Uniform { own: true };
    vec![
        ("sat", full),
        ("sat4", Traffic { flits: 4, ..full }),
        ("perm", with(Pattern::Permutation)),
        ("hot", with(Pattern::HotSpot)),
        ("sat_queues", Traffic { queues, ..full }),
        (
            "sat4_queues",
            Traffic {
                queues,
                flits: 4,
                ..full
            },
        ),
        ("sat_mixed", Traffic { high: 0.5, ..full }),
        (
            "sat4_mixed",
            Traffic {
                high: 0.5,
                flits: 4,
                ..full
            },
        ),
        ("sat_own", with(own)),
        (
            "sat4_own",
            Traffic {
                flits: 4,
                ..with(own)
            },
        ),
    ]
}

/// Measures everything. `progress` is told the measurements done and how many there are.
///
/// # Errors
/// As [`measure()`].
pub fn sheet(
    settings: &Settings,
    command: String,
    mut progress: impl FnMut(u64, u64),
) -> Result<Sheet, Failure> {
    let all = settings.ports.len() * (points().len() + LOADS.len());
    let mut done = 0;
    let mut point = |ports, traffic| {
        let measured = measure(ports, traffic, settings.window, settings.seed);
        done += 1;
        progress(done, all as u64);
        measured
    };
    let mut saturation = saturation_table();
    let mut curves = Vec::new();
    let mut checked = 0;
    for &ports in &settings.ports {
        let (least, most) = zero_load(ports)?;
        let mut measured = Vec::new();
        for (_, traffic) in points() {
            measured.push(point(ports, traffic)?);
        }
        saturation.push(saturation_row(ports, least, most, &measured));
        let mut curve = Vec::new();
        for load in LOADS {
            curve.push((load, point(ports, Traffic::uniform(load, 1))?));
        }
        checked += measured.iter().map(|m| m.checked).sum::<u64>();
        checked += curve.iter().map(|(_, m)| m.checked).sum::<u64>();
        curves.push((ports, curve));
    }
    let Window { cycles, dropped } = settings.window;
    let method = format!(
        "Coin-toss sources with one endless queue, receivers always ready, one class, {} cycles \
         without the first {}, seed {}; {} words out, each compared with what was sent.",
        grouped(cycles),
        grouped(dropped),
        settings.seed,
        grouped(checked)
    );
    Ok(Sheet {
        bench: "fabric",
        title: "The fabric alone under synthetic traffic".into(),
        command,
        sections: vec![
            Section {
                title: "Words a cycle and port, when all that can be offered is offered".into(),
                notes: vec![
                    method,
                    "sat, sat4: packets of one and of four words to any other port; perm: port i \
                     to i + 1; hot: all to port 0;"
                        .into(),
                    "queues: each source has a queue for each destination; own: the own port is a \
                     destination too."
                        .into(),
                ],
                table: saturation,
                charts: vec![Chart::Plot(throughput_plot(&curves))],
            },
            curve_section(&curves),
            peers_section(),
        ],
    })
}

fn saturation_table() -> Table {
    Table::new(
        "saturation",
        &[
            ("ports", "ports"),
            ("zero_load", "zero load"),
            ("zero_load_worst", "worst"),
            ("sat", "sat"),
            ("sat4", "sat4"),
            ("perm", "perm"),
            ("hot_jain", "hot, Jain"),
            ("hot_smallest_share", "least share"),
            ("sat_queues", "sat, queues"),
            ("sat4_queues", "sat4, queues"),
            ("sat_mixed", "sat, mixed"),
            ("sat4_mixed", "sat4, mixed"),
            ("sat_own", "sat, own"),
            ("sat4_own", "sat4, own"),
        ],
    )
}

fn saturation_row(ports: usize, least: u64, most: u64, measured: &[Measured]) -> Vec<Cell> {
    let mut row = [ports as u64, least, most].map(Cell::Count).to_vec();
    for ((name, _), measured) in points().iter().zip(measured) {
        if *name == "hot" {
            row.push(Cell::Number(measured.jain(), 4));
            row.push(Cell::Number(measured.smallest_share(), 3));
        } else {
            row.push(Cell::Number(measured.accepted(), 3));
        }
    }
    row
}

/// The measured points of each size, by offered load.
type Curves = [(usize, Vec<(f64, Measured)>)];

fn curve_section(curves: &Curves) -> Section {
    let mut table = Table::new(
        "curve",
        &[
            ("ports", "ports"),
            ("offered", "offered"),
            ("accepted", "accepted"),
            ("latency_mean", "mean latency"),
            ("latency_p50", "p50"),
            ("latency_p99", "p99"),
            ("latency_max", "max"),
        ],
    );
    for (ports, points) in curves {
        for (load, measured) in points {
            let latency = &measured.latency;
            table.push([
                Cell::Count(*ports as u64),
                Cell::Number(*load, 2),
                Cell::Number(measured.accepted(), 3),
                Cell::Number(measured.latency.mean(), 1),
                Cell::Count(latency.quantile(0.5)),
                Cell::Count(latency.quantile(0.99)),
                Cell::Count(latency.max()),
            ]);
        }
    }
    Section {
        title: "Cycles from the birth of a one-word packet to its output, by offered load".into(),
        notes: vec![
            "The time in the queue of the source counts. Packets to any other port.".into(),
        ],
        table,
        charts: vec![Chart::Plot(latency_plot(curves))],
    }
}

fn throughput_plot(curves: &Curves) -> Plot {
    let curve = |(ports, points): &(usize, Vec<(f64, Measured)>)| Curve {
        name: format!("{ports} ports"),
        points: points.iter().map(|(x, m)| (*x, m.accepted())).collect(),
    };
    let mut levels = peer_levels();
    levels.push(Level {
        name: format!("one FIFO an input, many ports: {SINGLE_FIFO_BOUND}"),
        value: SINGLE_FIFO_BOUND,
    });
    Plot {
        title: "Throughput against offered load".into(),
        x: ("words offered a cycle and port".into(), 1.0),
        y: ("words accepted a cycle and port".into(), 1.0),
        curves: curves.iter().map(curve).collect(),
        levels,
    }
}

/// The peers as heights to compare with. Those so close that their names would lie on each other
/// share the height of the best; the table has all.
fn peer_levels() -> Vec<Level> {
    const APART: f64 = 0.05;
    let mut peers = PEERS.to_vec();
    peers.sort_by(|a, b| b.sat.total_cmp(&a.sat));
    let mut levels = Vec::new();
    while let Some(best) = peers.first().copied() {
        let close = peers.iter().take_while(|peer| peer.sat > best.sat - APART);
        let close = close.count();
        peers.drain(..close);
        let others = match close - 1 {
            0 => String::new(),
            n => format!(" and {n} others little below"),
        };
        levels.push(Level {
            name: format!("{}: {}{others} (measured elsewhere)", best.name, best.sat),
            value: best.sat,
        });
    }
    levels
}

fn latency_plot(curves: &Curves) -> Plot {
    let curve = |ports: usize, kind: &str, points: Vec<(f64, f64)>| Curve {
        name: format!("{ports} ports, {kind}"),
        points,
    };
    let each = curves.iter().flat_map(|(ports, points)| {
        let means = points.iter().map(|(x, m)| (*x, m.latency.mean()));
        let tails = points
            .iter()
            .map(|(x, m)| (*x, m.latency.quantile(0.99) as f64));
        [
            curve(*ports, "mean", means.collect()),
            curve(*ports, "p99", tails.collect()),
        ]
    });
    Plot {
        title: "Latency against offered load".into(),
        x: ("words offered a cycle and port".into(), 1.0),
        y: ("cycles".into(), 60.0),
        curves: each.collect(),
        levels: Vec::new(),
    }
}

fn peers_section() -> Section {
    let mut table = Table::new(
        "peers",
        &[
            ("name", "8 ports of 64 bits, measured elsewhere"),
            ("zero_load", "zero load"),
            ("sat", "sat"),
            ("sat4", "sat4"),
            ("perm", "perm"),
            ("hot_jain", "hot, Jain"),
        ],
    );
    for peer in PEERS {
        table.push([
            peer.name.into(),
            Cell::count(peer.zero_load),
            Cell::Number(peer.sat, 3),
            Cell::number(peer.sat4, 3),
            Cell::number(peer.perm, 2),
            Cell::number(peer.hot_jain, 2),
        ]);
    }
    Section {
        title: "Other open switches".into(),
        notes: vec!["Measured elsewhere by the same method.".into()],
        table,
        charts: Vec::new(),
    }
}
