//! `supernode check`.

use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;

use clap::ValueEnum;
use flits::FileError;
use harness::consistency::file::{self, Answer, Format, Options, Outcome, Question};
use harness::consistency::{Effort, Model};

use crate::output::{self, Stop};

/// Bytes gathered before they are printed.
const BATCH: usize = 1 << 16;

/// What the traces are to be.
#[derive(Clone, Copy, ValueEnum)]
enum Asked {
    /// Sequentially consistent.
    Sc,
    /// As processors with store buffers may behave.
    Tso,
    /// Linearizable: each line of a history, or the register of a log.
    Linearizable,
}

/// The formats that are read.
#[derive(Clone, Copy, ValueEnum)]
enum Written {
    /// The history of a run.
    History,
    /// Traces of the Axe checker.
    Axe,
    /// Logs of Jepsen's register test.
    Jepsen,
}

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// A history, traces, or logs; - for standard input.
    file: PathBuf,
    /// What the traces are to be; sc, and linearizable for logs, unless given.
    #[arg(long, value_name = "MODEL")]
    model: Option<Asked>,
    /// The format of the file; what it looks like, unless given.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Written>,
    /// Do not believe the order of the stores that a history gives: search for one.
    #[arg(long)]
    black_box: bool,
    /// How much a search tries before it gives up.
    #[arg(long, value_name = "N", default_value_t = Effort::default().tries)]
    tries: u64,
    /// Say why in several lines, one a step.
    #[arg(long)]
    explain: bool,
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Stop::Input(error.to_string())
    }
}

/// Checks every trace and prints the verdicts. Any NO ends the command with a failure.
pub fn run(args: &Args) -> Result<(), Stop> {
    let (name, text) = read(args)?;
    let options = Options {
        format: args.format.map(|format| match format {
            Written::History => Format::History,
            Written::Axe => Format::Axe,
            Written::Jepsen => Format::Jepsen,
        }),
        question: args.model.map(|model| match model {
            Asked::Sc => Question::Memory(Model::Sc),
            Asked::Tso => Question::Memory(Model::Tso),
            Asked::Linearizable => Question::Linearizable,
        }),
        black_box: args.black_box,
        effort: Effort { tries: args.tries },
    };
    let mut printed = String::new();
    let totals = file::check(&name, &text, &options, &mut |answer| {
        add(&mut printed, answer, args.explain);
        match printed.len() < BATCH {
            true => Ok(()),
            false => output::print(&std::mem::take(&mut printed)),
        }
    });
    // What was found before a bad line is printed too.
    output::print(&printed)?;
    let totals = totals?;
    let seconds = totals.time.as_secs_f64();
    let speed = totals.operations as f64 / seconds.max(1e-9);
    output::print(&format!(
        "{} OK, {} NO{}; {} operations in {seconds:.3} s, {speed:.0} operations/s\n",
        totals.ok,
        totals.no,
        match totals.unknown {
            0 => String::new(),
            unknown => format!(", {unknown} without an answer"),
        },
        totals.operations,
    ))?;
    match (totals.no, totals.unknown) {
        (0, 0) => Ok(()),
        (0, unknown) => Err(Stop::Failure(format!("{unknown} traces have no answer"))),
        (no, _) => Err(Stop::Failure(format!("{no} traces are forbidden"))),
    }
}

/// Name and text of the file.
fn read(args: &Args) -> Result<(String, String), Stop> {
    let mut bytes = Vec::new();
    let (name, result) = if args.file.as_os_str() == "-" {
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("standard input".to_string(), read)
    } else {
        let open = std::fs::File::open(&args.file);
        let read = open.and_then(|mut file| file.read_to_end(&mut bytes));
        (args.file.display().to_string(), read)
    };
    result.map_err(|error| Stop::Input(format!("{name}: cannot be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Stop::Input(format!("{name}: the file is not text in UTF-8")))?;
    Ok((name, text))
}

fn add(text: &mut String, answer: Answer, explain: bool) {
    let Answer { name, outcome } = answer;
    let _ = match outcome {
        Outcome::Ok => writeln!(text, "OK {name}"),
        Outcome::Unknown(why) => writeln!(text, "?? {name}: {why}"),
        Outcome::No { lines, .. } if explain => {
            writeln!(text, "NO {name}:\n  {}", lines.join("\n  "))
        }
        Outcome::No { why, .. } => writeln!(text, "NO {name}: {why}"),
    };
}
