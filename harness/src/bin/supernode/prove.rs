//! `supernode prove`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ValueEnum, value_parser};
use harness::protocol::model::explore::{Options, Progress};
use harness::protocol::model::{CONFIGS, Config, Effort, Fault, Recalls, Report, prove};
use harness::protocol::{NodeSet, tables};
use harness::report::file::OutFile;

use crate::output::{self, Stop};

/// Time between two lines about how far it is.
const PERIOD: Duration = Duration::from_secs(3);

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// A model by name, or all that are `small` or `large`; may be repeated. Small, unless given.
    #[arg(long, value_name = "NAME")]
    config: Vec<String>,
    /// List the models and the faults.
    #[arg(long)]
    list: bool,
    /// Make the tables of node and home in this document anew and explore nothing.
    #[arg(long, value_name = "FILE")]
    tables: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
    /// Put this fault into the protocol: it must be found.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    fault: Option<String>,
    /// Each fault in turn.
    #[arg(long, conflicts_with_all = ["fault", "config"])]
    faults: bool,
    /// Threads; the result is the same with any number.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Megabytes that states may take.
    #[arg(long, value_name = "MB", default_value_t = 4000)]
    memory: u64,
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A model of one's own.
#[derive(clap::Args)]
#[group(id = "shape", multiple = true, conflicts_with = "config")]
struct Shape {
    /// Caching nodes; this and the next eight describe a model of one's own.
    #[arg(long, value_name = "N")]
    nodes: Option<u8>,
    /// Lines.
    #[arg(long, value_name = "N")]
    lines: Option<u8>,
    /// Requests that a node may have unanswered.
    #[arg(long, value_name = "N")]
    outstanding: Option<u8>,
    /// How many of the nodes may only read.
    #[arg(long, value_name = "N")]
    readers: Option<u8>,
    /// What the home may take back.
    #[arg(long, value_name = "WHAT")]
    recalls: Option<What>,
    /// Requests may be refused, memory may fail to read.
    #[arg(long)]
    errors: bool,
    /// Packets of one line need not keep the order of the other's.
    #[arg(long)]
    apart: bool,
    /// Packets arrive in any order, which is more than the fabric may do.
    #[arg(long)]
    unordered: bool,
    /// States that differ only in the numbers of nodes count as one.
    #[arg(long)]
    symmetry: bool,
}

/// What the home may take back.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Nothing.
    None,
    /// Any line at any time.
    Any,
    /// A line when another needs the only entry of the directory.
    Room,
}

impl Shape {
    /// The model, if any is described.
    fn config(&self) -> Option<Config> {
        let any = [self.nodes, self.lines, self.outstanding, self.readers];
        let given = any.iter().any(Option::is_some)
            || self.recalls.is_some()
            || self.errors
            || self.apart
            || self.unordered
            || self.symmetry;
        let base = Config::default();
        given.then(|| Config {
            nodes: self.nodes.unwrap_or(base.nodes),
            lines: self.lines.unwrap_or(base.lines),
            outstanding: self.outstanding.unwrap_or(base.outstanding),
            readers: (0..self.readers.unwrap_or(0).min(64))
                .fold(NodeSet::default(), |set, n| set.with(n)),
            recalls: match self.recalls {
                None | Some(What::None) => Recalls::None,
                Some(What::Any) => Recalls::Any,
                Some(What::Room) => Recalls::Room(1),
            },
            errors: self.errors,
            apart: self.apart,
            unordered: self.unordered,
            symmetry: self.symmetry,
        })
    }
}

/// Explores and reports; a broken rule, a race that was not seen or a fault that was not found ends
/// the command with a failure.
pub fn run(args: &Args) -> Result<(), Stop> {
    if args.list {
        return output::print(&list());
    }
    if let Some(document) = &args.tables {
        return tables(document);
    }
    let json = args.json.as_deref().map(OutFile::create).transpose();
    let json = json.map_err(Stop::Input)?;
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    for (name, config, fault) in wanted(args)? {
        let report = explore(args, &name, config, fault)?;
        output::print(&format!("{report}\n"))?;
        failures.extend(complaint(&report, fault));
        reports.push(report);
    }
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&reports);
        let text = text.map_err(|e| Stop::Failure(e.to_string()))?;
        file.write(text.as_bytes()).map_err(Stop::Failure)?;
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Stop::Failure(failures.join("; "))),
    }
}

type Wanted = (String, Config, Option<Fault>);

fn wanted(args: &Args) -> Result<Vec<Wanted>, Stop> {
    let own = args.shape.config();
    let with = |fault: Fault| {
        let config = own.unwrap_or_else(|| fault.config());
        (fault.name().to_owned(), config, Some(fault))
    };
    if args.faults {
        return Ok(Fault::ALL.into_iter().map(with).collect());
    }
    if let Some(name) = &args.fault {
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
        return match fault {
            Some(fault) => Ok(vec![with(fault)]),
            None => Err(Stop::Input(format!("there is no fault {name}; see --list"))),
        };
    }
    if let Some(config) = own {
        config.check().map_err(Stop::Input)?;
        return Ok(vec![("own".to_owned(), config, None)]);
    }
    let small = ["small".to_owned()];
    let names = match args.config.is_empty() {
        true => &small[..],
        false => &args.config[..],
    };
    let mut wanted = Vec::new();
    for name in names {
        let chosen = CONFIGS.iter().filter(|named| match name.as_str() {
            "small" => named.effort == Effort::Small,
            "large" => named.effort == Effort::Large,
            name => named.name == name,
        });
        let before = wanted.len();
        wanted.extend(chosen.map(|named| (named.name.to_owned(), named.config, None)));
        if wanted.len() == before {
            let message = format!("there is no model {name}; see --list");
            return Err(Stop::Input(message));
        }
    }
    Ok(wanted)
}

fn explore(args: &Args, name: &str, config: Config, fault: Option<Fault>) -> Result<Report, Stop> {
    let options = Options {
        jobs: usize::from(args.jobs),
        memory: args.memory.saturating_mul(1_000_000),
    };
    let mut said = Duration::ZERO;
    let mut say = |progress: Progress| {
        if progress.elapsed < said + PERIOD {
            return;
        }
        said = progress.elapsed;
        eprintln!(
            "{name}: {:.0} s, depth {}, {} states, {} to do, {} MB",
            progress.elapsed.as_secs_f64(),
            progress.depth,
            progress.states,
            progress.states - progress.expanded,
            progress.memory / 1_000_000
        );
    };
    prove(name, config, fault, options, &mut say).map_err(Stop::Input)
}

/// What is wrong with an outcome.
fn complaint(report: &Report, fault: Option<Fault>) -> Option<String> {
    let name = &report.name;
    match (&report.broken, fault) {
        (Some(finding), Some(fault)) if finding.rule == fault.rule() => None,
        (Some(finding), _) => Some(format!("{name} breaks \"{}\"", finding.rule)),
        (None, Some(_)) => Some(format!("{name} is not found")),
        (None, None) => {
            let missed = report.missed().next()?;
            Some(format!("{name} never sees \"{}\"", missed.race))
        }
    }
}

/// Writes the generated tables of a document.
fn tables(document: &Path) -> Result<(), Stop> {
    let name = document.display();
    let input = |error: &dyn std::fmt::Display| Stop::Input(format!("{name}: {error}"));
    let old = std::fs::read_to_string(document).map_err(|error| input(&error))?;
    let new = tables::fill(&old).map_err(|error| input(&error))?;
    if new == old {
        return output::print(&format!("{name} is up to date\n"));
    }
    std::fs::write(document, new).map_err(|error| input(&error))?;
    output::print(&format!("wrote {name}\n"))
}

fn list() -> String {
    let mut text = String::from("models (--config):\n");
    for named in CONFIGS {
        let effort = match named.effort {
            Effort::Small => "small",
            Effort::Large => "large",
        };
        text += &format!("  {:<16} {effort}  {}\n", named.name, named.config);
    }
    text += "faults (--fault):\n";
    for fault in Fault::ALL {
        text += &format!("  {:<28} {}\n", fault.name(), fault.doc());
    }
    text
}
