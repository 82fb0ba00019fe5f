//! Guided fuzzing against pure random inputs, with the same budget; and its speed.

mod speed;

use crate::fuzz::{self, Progress, Settings as Campaign, System};
use crate::report::plot::{Chart, Curve, Plot};
use crate::report::sheet::{Cell, Section, Sheet, Table};
use crate::{Failure, FailureKind};

/// Ports of the switch whose speed is measured.
const SPEED_PORTS: usize = 8;
/// Points of a curve.
const POINTS: u64 = 40;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Ports of the switch: 4, where everything is scarce, or 8.
    pub ports: usize,
    /// Inputs of each campaign.
    pub execs: u64,
    /// Campaigns of each kind; their seeds count from 1.
    pub seeds: u64,
    /// Whether one device sends what no rule allows.
    pub hostile: bool,
}

/// What one campaign has reached after some inputs.
type Samples = Vec<Progress>;

/// Runs all campaigns, by turns. `progress` is told the campaigns done and how many there are.
///
/// # Errors
/// If the switch is not there, or a campaign cannot go on.
pub fn sheet(
    settings: &Settings,
    command: String,
    mut progress: impl FnMut(u64, u64),
) -> Result<Sheet, Failure> {
    let mut sampled = [Vec::new(), Vec::new()];
    for seed in 1..=settings.seeds {
        for (kind, samples) in sampled.iter_mut().enumerate() {
            samples.push(campaign(settings, seed, kind == 0)?);
            progress(2 * (seed - 1) + kind as u64 + 1, 2 * settings.seeds);
        }
    }
    Ok(Sheet {
        bench: "fuzz",
        title: "Guided fuzzing against pure random inputs".into(),
        command,
        sections: vec![
            ends(&sampled),
            curves(settings, &sampled),
            speed::section(SPEED_PORTS)?,
        ],
    })
}

/// One campaign, sampled at even steps.
fn campaign(settings: &Settings, seed: u64, guided: bool) -> Result<Samples, Failure> {
    let mut target = System::switch(settings.ports, settings.hostile)?;
    let campaign = Campaign {
        guided,
        ..Campaign::of(seed, settings.execs)
    };
    let mut samples = Vec::new();
    let report = fuzz::run(&mut target, &campaign, |progress| {
        if progress.execs * POINTS >= samples.len() as u64 * settings.execs {
            samples.push(*progress);
        }
        true
    });
    let stopped = |text| Failure::new(0, FailureKind::Setup, text);
    samples.push(report.map_err(stopped)?.progress);
    Ok(samples)
}

const KINDS: [&str; 2] = ["guided", "random"];

/// What each campaign has reached at its end.
fn ends(sampled: &[Vec<Samples>; 2]) -> Section {
    let columns = [
        ("search", "search"),
        ("seed", "seed"),
        ("inputs", "inputs"),
        ("cycles", "cycles"),
        ("points", "points of the RTL"),
        ("points_of", "of"),
        ("events", "events"),
        ("corpus", "corpus"),
        ("findings", "findings"),
        ("to_random", "inputs to the other's end"),
    ];
    let mut table = Table::new("campaigns", &columns);
    for (kind, campaigns) in sampled.iter().enumerate() {
        for (seed, samples) in campaigns.iter().enumerate() {
            let Some(end) = samples.last() else { continue };
            // With the same seed, how soon it had reached what the other has reached in the end.
            let other = sampled[1 - kind][seed].last();
            let goal = other.map_or(0, |other| other.reached.places());
            let overtakes = samples.iter().find(|at| at.reached.places() >= goal);
            table.push([
                KINDS[kind].into(),
                Cell::Count(seed as u64 + 1),
                Cell::Count(end.execs),
                Cell::Count(end.cycles),
                Cell::Count(end.reached.points as u64),
                Cell::Count(end.reached.points_of as u64),
                Cell::Count(end.reached.events as u64),
                Cell::Count(end.corpus as u64),
                Cell::Count(end.findings as u64),
                Cell::count(overtakes.map(|at| at.execs)),
            ]);
        }
    }
    Section {
        title: "What each campaign has reached".into(),
        notes: vec![
            "random: every input drawn afresh; guided: inputs that reached something new are changed, or \
             inputs drawn afresh, whichever brings more of late"
                .into(),
        ],
        table,
        charts: Vec::new(),
    }
}

/// Means over the seeds, along the inputs.
fn curves(settings: &Settings, sampled: &[Vec<Samples>; 2]) -> Section {
    let columns = [
        ("inputs", "inputs"),
        ("guided_points", "guided: points"),
        ("guided_events", "events"),
        ("random_points", "random: points"),
        ("random_events", "events"),
    ];
    let mut table = Table::new("means", &columns);
    let shortest = sampled.iter().flatten().map(Vec::len).min().unwrap_or(0);
    let mean = |kind: usize, at: usize, of: fn(&Progress) -> usize| {
        let campaigns = &sampled[kind];
        let sum: usize = campaigns.iter().map(|samples| of(&samples[at])).sum();
        sum as f64 / campaigns.len().max(1) as f64
    };
    let [points, events]: [fn(&Progress) -> usize; 2] =
        [|p| p.reached.points, |p| p.reached.events];
    let inputs = |at: usize| sampled[0].first().map_or(0, |samples| samples[at].execs);
    for at in 0..shortest {
        table.push([
            Cell::Count(inputs(at)),
            Cell::Number(mean(0, at, points), 1),
            Cell::Number(mean(0, at, events), 1),
            Cell::Number(mean(1, at, points), 1),
            Cell::Number(mean(1, at, events), 1),
        ]);
    }
    let plot = |title: &str, of: fn(&Progress) -> usize| {
        let curve = |kind: usize| Curve {
            name: KINDS[kind].into(),
            points: (0..shortest)
                .map(|at| (inputs(at) as f64, mean(kind, at, of)))
                .collect(),
        };
        let curves: Vec<Curve> = (0..KINDS.len()).map(curve).collect();
        let heights = curves.iter().flat_map(|curve| &curve.points);
        let top = heights.fold(1.0, |top: f64, &(_, y)| top.max(y));
        Chart::Plot(Plot {
            title: title.into(),
            x: ("inputs".into(), settings.execs as f64),
            y: ("reached".into(), top * 1.05),
            curves,
            levels: Vec::new(),
        })
    };
    Section {
        title: format!("Means over {} seeds", settings.seeds),
        notes: Vec::new(),
        table,
        charts: vec![
            plot("Events on the pins", events),
            plot("Points of the RTL", points),
        ],
    }
}
