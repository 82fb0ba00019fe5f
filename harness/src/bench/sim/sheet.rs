//! The figures for people.

use super::{Recording, Speed, random_packets, run};
use crate::dut::Variant;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::{Cell, Section, Sheet, Table};
use crate::sim::{Builder, Model, Supernode};
use crate::workload::kv::{Kv, Layout};
use crate::workload::sample;
use crate::{Failure, FailureKind};
use std::thread;

/// The load of the busy rows, in words a cycle and port: what the anchor's simulator was measured at.
const BUSY: f64 = 0.6;
/// The switch of which there is a model with coverage counters.
const COVERED_PORTS: usize = 8;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Numbers of ports.
    pub ports: Vec<usize>,
    /// Requests of the built-in sample that are served.
    pub requests: usize,
    /// Lines of a block, and the requests that each node works on at once.
    pub layout: Layout,
    /// How often each is measured; the fastest counts, since whatever else the machine does only
    /// takes time.
    pub rounds: u32,
}

/// One way to run the model.
struct Way {
    name: &'static str,
    meaning: &'static str,
    threads: usize,
    kind: Kind,
}

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checked {
    All,
    /// All but the homes' conformance to the specification.
    NoConformance,
    Nothing,
}

enum Kind {
    /// The workload on a supernode.
    Workload { checks: Checked, variant: Variant },
    /// The model alone, with the words of the workload.
    Repeated,
    /// The model alone, with random packets: as many words as the workload has, or so many a port.
    Random(Option<f64>),
}

const fn workload(
    name: &'static str,
    meaning: &'static str,
    threads: usize,
    checks: Checked,
    variant: Variant,
) -> Way {
    Way {
        name,
        meaning,
        threads,
        kind: Kind::Workload { checks, variant },
    }
}

const WAYS: [Way; 9] = [
    Way {
        name: "model_same_words",
        meaning: "model alone, the words of the workload",
        threads: 1,
        kind: Kind::Repeated,
    },
    workload(
        "checks",
        "workload, all checks",
        1,
        Checked::All,
        Variant::Fast,
    ),
    workload(
        "no_conformance",
        "workload, all checks but conformance",
        1,
        Checked::NoConformance,
        Variant::Fast,
    ),
    workload(
        "no_checks",
        "workload, no checks",
        1,
        Checked::Nothing,
        Variant::Fast,
    ),
    workload(
        "two_threads",
        "two such at once, all checks",
        2,
        Checked::All,
        Variant::Fast,
    ),
    workload(
        "wave",
        "workload, all checks, waveform",
        1,
        Checked::All,
        Variant::Wave,
    ),
    workload(
        "coverage",
        "workload, all checks, coverage",
        1,
        Checked::All,
        Variant::Cov,
    ),
    Way {
        name: "model_random",
        meaning: "model alone, as many random words",
        threads: 1,
        kind: Kind::Random(None),
    },
    Way {
        name: "model_busy",
        meaning: "model alone, random words at load 0.6",
        threads: 1,
        kind: Kind::Random(Some(BUSY)),
    },
];

/// Measures everything. `progress` is told the measurements done and how many there are.
///
/// # Errors
/// A sentence if the workload cannot be laid out; a violation or an assertion of the model.
pub fn sheet(
    settings: &Settings,
    command: String,
    mut progress: impl FnMut(u64, u64),
) -> Result<Sheet, Failure> {
    let mut table = Table::new(
        "speed",
        &[
            ("ports", "ports"),
            ("name", ""),
            ("what", "what runs"),
            ("threads", "threads"),
            ("words_per_cycle_port", "load"),
            ("cycles", "cycles"),
            ("seconds", "seconds"),
            ("cycles_per_second", "cycles/s"),
            ("of_same_words", "of same words"),
            ("of_random", "of random"),
        ],
    );
    let mut bars = Vec::new();
    let all = settings.ports.len() * WAYS.len() * settings.rounds as usize;
    let mut done = 0;
    for &ports in &settings.ports {
        let subject = Subject::new(settings, ports)?;
        let mut best: Vec<Option<Speed>> = vec![None; WAYS.len()];
        // Round after round, so that what slows the machine down slows all of them.
        for _ in 0..settings.rounds {
            for (way, best) in WAYS.iter().zip(&mut best) {
                if let Some(speed) = subject.measure(way)? {
                    let faster = |old: &Speed| speed.cycles_per_second() > old.cycles_per_second();
                    if best.as_ref().is_none_or(faster) {
                        *best = Some(speed);
                    }
                }
                done += 1;
                progress(done, all as u64);
            }
        }
        rows(&mut table, &mut bars, &subject, &best);
    }
    Ok(Sheet {
        bench: "sim",
        title: "Cycles per second of the simulation".into(),
        command,
        sections: vec![Section {
            title: "Speed in processor time".into(),
            notes: vec![
                format!(
                    "{} requests of the built-in sample of the key/value workload; the fastest of \
                     {} rounds; waveforms are written to nowhere.",
                    settings.requests, settings.rounds
                ),
                "load: words into the switch a cycle and port; of same words, of random: share of \
                 the speed of those rows; with two threads, two independent supernodes and both \
                 their speeds together."
                    .into(),
            ],
            table,
            charts: vec![Chart::Bars(Bars {
                title: "Cycles a second".into(),
                unit: "cycles a second".into(),
                bars,
            })],
        }],
    })
}

fn rows(table: &mut Table, bars: &mut Vec<Bar>, subject: &Subject, best: &[Option<Speed>]) {
    let speed_of = |name: &str| {
        let index = WAYS.iter().position(|way| way.name == name)?;
        Some(best[index]?.cycles_per_second())
    };
    let (same, random) = (speed_of("model_same_words"), speed_of("model_random"));
    for (way, speed) in WAYS.iter().zip(best) {
        let Some(speed) = speed else { continue };
        let rate = speed.cycles_per_second();
        let share = |of: Option<f64>| Cell::number(of.map(|of| rate / of), 2);
        let load = match way.kind {
            Kind::Random(Some(load)) => load,
            _ => subject.recording.words_per_cycle() / subject.ports as f64,
        };
        table.push([
            Cell::Count(subject.ports as u64),
            way.name.into(),
            way.meaning.into(),
            Cell::Count(way.threads as u64),
            Cell::Number(load, 2),
            Cell::Count(speed.cycles),
            Cell::Number(speed.seconds, 2),
            Cell::Count(rate as u64),
            share(same),
            share(random),
        ]);
        bars.push(Bar {
            name: format!("{} ports: {}", subject.ports, way.meaning),
            value: rate,
        });
    }
}

/// A size of switch, with the workload for it.
struct Subject {
    ports: usize,
    kv: Kv,
    recording: Recording,
}

impl Subject {
    fn new(settings: &Settings, ports: usize) -> Result<Subject, Failure> {
        let trace = sample::chat(settings.requests);
        let builder = builder(ports, SEED);
        let kv = Kv::on(&trace, settings.layout, &builder.clone().build()?)
            .map_err(|text| Failure::new(0, FailureKind::Setup, text))?;
        let recording = Recording::of(&builder, ports, |sys| kv.clone().run(sys, |_| {}))?;
        Ok(Subject {
            ports,
            kv,
            recording,
        })
    }

    /// Runs the model one way; `None` if there is no such model.
    fn measure(&self, way: &Way) -> Result<Option<Speed>, Failure> {
        let Subject {
            ports,
            kv,
            recording,
        } = self;
        let (ports, words) = (*ports, recording.words_per_cycle());
        let cycles = recording.cycles();
        let speed = match way.kind {
            Kind::Workload { variant, .. } if variant == Variant::Cov && ports != COVERED_PORTS => {
                return Ok(None);
            }
            Kind::Workload { checks, variant } => {
                let one = |seed| {
                    let mut builder = builder(ports, seed)
                        .checks(checks != Checked::Nothing)
                        .conformance(checks == Checked::All)
                        .model(Model::Rtl(variant));
                    if variant == Variant::Wave {
                        builder = builder.vcd("/dev/null");
                    }
                    run(&builder, |sys| kv.clone().run(sys, |_| {}))
                };
                several(way.threads as u64, one)?
            }
            Kind::Repeated => recording.repeat()?,
            Kind::Random(None) => random_packets(ports, cycles, words, SEED)?,
            Kind::Random(Some(load)) => random_packets(ports, cycles, load * ports as f64, SEED)?,
        };
        Ok(Some(speed))
    }
}

/// Decides everything random.
const SEED: u64 = 1;

fn builder(ports: usize, seed: u64) -> Builder {
    Supernode::builder().ports(ports).seed(seed)
}

/// The same on each of some threads at once: all cycles, in the mean of the times.
fn several(
    threads: u64,
    one: impl Fn(u64) -> Result<Speed, Failure> + Sync,
) -> Result<Speed, Failure> {
    let one = &one;
    let speeds: Vec<Result<Speed, Failure>> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || one(SEED + index)))
            .collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(speed) => speed,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    });
    let speeds: Vec<Speed> = speeds.into_iter().collect::<Result<_, _>>()?;
    let rate: f64 = speeds.iter().map(Speed::cycles_per_second).sum();
    let cycles: u64 = speeds.iter().map(|speed| speed.cycles).sum();
    Ok(Speed {
        cycles,
        seconds: cycles as f64 / rate,
    })
}
