//! `supernode fuzz`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flits::stimulus::Part;
use harness::Failure;
use harness::fuzz::{self, Alone, Progress, Report, Settings, System, Target};

use crate::output::{self, Stop};
use crate::simulate;

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// What is fuzzed.
    #[arg(long, value_name = "T", value_enum, default_value_t)]
    target: What,
    /// Ports of the switch: 4, where everything is scarce, or 8; by default 4.
    #[arg(long, value_name = "P", value_parser = ports)]
    ports: Option<usize>,
    /// Stop after so many seconds; by default after 60, unless --execs is given.
    #[arg(long, value_name = "S", conflicts_with = "execs", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Stop after so many inputs of each job.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    execs: Option<u64>,
    /// Jobs side by side, each with a model of its own; they share the corpus.
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Where inputs that reach something new are kept, and taken up again; findings go to the folder
    /// `findings` in it.
    #[arg(long, value_name = "DIR", default_value = "target/fuzz")]
    corpus: PathBuf,
    /// One device sends what no rule allows; the others must not notice.
    #[arg(long)]
    hostile: bool,
    /// Stop at the first finding.
    #[arg(long)]
    first: bool,
    /// Draw every input afresh instead of changing those that reached something new.
    #[arg(long)]
    random: bool,
    /// Decides everything random; with one job and --execs, the same corpus and findings.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// What can be fuzzed.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum What {
    /// A whole switch: programs of caches and devices, or hostile words.
    #[default]
    Switch,
    /// The fabric alone: packets from all inputs, and receivers that stall.
    Fabric,
    /// A link alone: packets both ways, and wires that err or are cut.
    Link,
    /// A home alone: requests of nodes, and messages that come in any order.
    Home,
}

impl What {
    /// The target, with its model.
    fn target(self, args: &Args) -> Result<Box<dyn Target>, Failure> {
        Ok(match self {
            What::Switch => Box::new(System::switch(args.ports.unwrap_or(4), args.hostile)?),
            What::Fabric => Box::new(Alone::new(Part::Fabric)?),
            What::Link => Box::new(Alone::new(Part::Link)?),
            What::Home => Box::new(Alone::new(Part::Home)?),
        })
    }
}

/// Reads a number of ports.
pub fn ports(text: &str) -> Result<usize, String> {
    let ports = text.parse().ok().filter(|ports| [4, 8].contains(ports));
    ports.ok_or_else(|| "models with coverage have 4 or 8 ports".to_string())
}

/// Seconds without --seconds and --execs.
const SECONDS: u64 = 60;
/// Time between two status lines on a terminal, and elsewhere.
const STATUS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];

/// Fuzzes until the time is over, all inputs are run, or Ctrl-C.
pub fn run(args: &Args) -> Result<(), Stop> {
    let part = !matches!(args.target, What::Switch);
    if part && args.hostile {
        let text = "--hostile needs a whole switch: no device is on a part alone";
        return Err(Stop::Input(text.into()));
    }
    if part && args.ports.is_some() {
        let text = "--ports needs a whole switch: a part alone is of one size";
        return Err(Stop::Input(text.into()));
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stopped);
    ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))
        .map_err(|error| Stop::Failure(format!("Ctrl-C cannot be caught: {error}")))?;
    let deadline = match (args.seconds, args.execs) {
        (None, Some(_)) => None,
        (seconds, _) => Some(Duration::from_secs(seconds.unwrap_or(SECONDS))),
    };
    let status = Status {
        begin: Instant::now(),
        deadline,
        stopped,
        jobs: Mutex::new(vec![Progress::default(); args.jobs.into()]),
        shown: Mutex::new(Instant::now()),
        live: std::io::stderr().is_terminal(),
        first: args.first,
    };
    let reports: Vec<Result<(String, Report), Stop>> = std::thread::scope(|scope| {
        let job = |number| {
            let status = &status;
            scope.spawn(move || work(args, number, status))
        };
        let jobs: Vec<_> = (0..args.jobs).map(job).collect();
        let join = |job: std::thread::ScopedJoinHandle<'_, _>| {
            job.join().unwrap_or_else(|_| {
                let text = "a job has ended without a result";
                Err(Stop::Failure(text.into()))
            })
        };
        jobs.into_iter().map(join).collect()
    });
    status.clear();
    let reports: Vec<_> = reports.into_iter().collect::<Result<_, _>>()?;
    let (names, reports): (Vec<_>, Vec<_>) = reports.into_iter().unzip();
    conclude(args, &status, &names[0], &reports)
}

/// One job: what it has fuzzed, and what came of it.
fn work(args: &Args, number: u8, status: &Status) -> Result<(String, Report), Stop> {
    let target = args.target.target(args);
    let mut target = target.map_err(|failure| simulate::stop(&failure))?;
    let settings = Settings {
        seed: args.seed.wrapping_add(number.into()),
        execs: args.execs,
        corpus: Some(args.corpus.clone()),
        findings: Some(findings(&args.corpus)),
        guided: !args.random,
        shared: args.jobs > 1,
    };
    let go_on = |progress: &Progress| status.report(number.into(), progress);
    let report = fuzz::run(target.as_mut(), &settings, go_on).map_err(Stop::Input)?;
    Ok((target.name(), report))
}

fn findings(corpus: &Path) -> PathBuf {
    corpus.join("findings")
}

/// What all jobs tell, and when they stop.
struct Status {
    begin: Instant,
    deadline: Option<Duration>,
    stopped: Arc<AtomicBool>,
    jobs: Mutex<Vec<Progress>>,
    shown: Mutex<Instant>,
    live: bool,
    first: bool,
}

impl Status {
    /// Takes what a job tells; whether it should go on.
    fn report(&self, job: usize, progress: &Progress) -> bool {
        let elapsed = self.begin.elapsed();
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs[job] = *progress;
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let period = STATUS[usize::from(!self.live)];
        if shown.elapsed() >= period {
            *shown = Instant::now();
            let line = self.line(&jobs);
            let (begin, end) = if self.live {
                ("\r\x1b[K", "")
            } else {
                ("", "\n")
            };
            eprint!("{begin}{line}{end}");
            // A status line that cannot be shown stops nothing.
            let _ = std::io::stderr().flush();
        }
        if self.first && progress.findings > 0 {
            self.stopped.store(true, Ordering::Relaxed);
        }
        !self.stopped.load(Ordering::Relaxed)
            && self.deadline.is_none_or(|deadline| elapsed < deadline)
    }

    /// All jobs in one line.
    fn line(&self, jobs: &[Progress]) -> String {
        let seconds = self.begin.elapsed().as_secs_f64();
        let execs: u64 = jobs.iter().map(|job| job.execs).sum();
        let best = best(jobs);
        let findings: usize = jobs.iter().map(|job| job.findings).sum();
        let since: u64 = jobs
            .iter()
            .map(|job| job.execs - job.newest)
            .min()
            .unwrap_or(0);
        format!(
            "{seconds:.0} s, {execs} inputs, {:.0} a second, reached {} of {} points and {} events, \
             corpus {}, findings {findings}, {since} inputs since something new",
            execs as f64 / seconds,
            best.reached.points,
            best.reached.points_of,
            best.reached.events,
            best.corpus,
        )
    }

    /// Takes the live line away.
    fn clear(&self) {
        if self.live {
            eprint!("\r\x1b[K");
        }
    }
}

/// The job that has reached most; jobs share their corpus, so the others have reached little else.
fn best(jobs: &[Progress]) -> Progress {
    let most = jobs.iter().max_by_key(|job| job.reached.places());
    most.copied().unwrap_or_default()
}

/// Prints what came out; findings are a failure of the command.
fn conclude(args: &Args, status: &Status, name: &str, reports: &[Report]) -> Result<(), Stop> {
    let seconds = status.begin.elapsed().as_secs_f64();
    let jobs: Vec<Progress> = reports.iter().map(|report| report.progress).collect();
    let sum = |of: fn(&Progress) -> u64| jobs.iter().map(of).sum::<u64>();
    let (execs, cycles) = (sum(|job| job.execs), sum(|job| job.cycles));
    let best = best(&jobs);
    let mut text = String::new();
    let mut row = |name: &str, value: String| text += &format!("  {name:<30}{value}\n");
    row("target", format!("{name}; seed {}", args.seed));
    row(
        "inputs",
        format!(
            "{execs} in {seconds:.1} s, {:.0} a second",
            execs as f64 / seconds
        ),
    );
    row(
        "cycles an input",
        format!("{:.1}", cycles as f64 / execs.max(1) as f64),
    );
    let reached = best.reached;
    let share = 100.0 * reached.points as f64 / reached.points_of.max(1) as f64;
    row(
        "points of the RTL reached",
        format!("{} of {} ({share:.1} %)", reached.points, reached.points_of),
    );
    row("events reached", reached.events.to_string());
    row(
        "corpus",
        format!("{} inputs in {}", best.corpus, args.corpus.display()),
    );
    row("inputs that failed", sum(|job| job.failing).to_string());
    let findings: Vec<_> = reports.iter().flat_map(|report| &report.findings).collect();
    row("findings", findings.len().to_string());
    output::print(&format!("Fuzzing\n{text}"))?;
    for finding in &findings {
        output::print(&format!(
            "\nafter {} inputs: {}\n",
            finding.execs,
            finding.text()
        ))?;
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Stop::Failure("1 finding".into())),
        count => Err(Stop::Failure(format!("{count} findings"))),
    }
}
