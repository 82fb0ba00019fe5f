//! Checks the traces of a file, whatever its format.

use std::time::{Duration, Instant};

use flits::FileError;
use flits::history::{Event, History};

use super::linearizable::{Linearized, linearizable};
use super::text::{self, Labels};
use super::{Effort, MAX_SEARCHED, Model, Reason, Searched, Verdict};
use super::{axe, events, jepsen, linear, search};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The history of a run, see [`flits::history`].
    History,
    /// See [`axe`].
    Axe,
    /// See [`jepsen`].
    Jepsen,
}

impl Format {
    /// The format that a text looks like.
    pub fn of(text: &str) -> Format {
        let first = text.lines().find(|line| !line.trim().is_empty());
        match first.map(str::trim).unwrap_or_default() {
            line if line.starts_with('{') && line.contains("\"supernode_history\"") => {
                Format::History
            }
            line if line.starts_with('{') || line.contains(":invoke") => Format::Jepsen,
            _ => Format::Axe,
        }
    }
}

/// What is asked of each trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Whether a memory model allows it.
    Memory(Model),
    /// Whether each line, or the register, is linearizable.
    Linearizable,
}

/// How to check a file.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The file's format; `None` for what it looks like.
    pub format: Option<Format>,
    /// The question; `None` for sequential consistency, and for linearizability of logs that have
    /// nothing else.
    pub question: Option<Question>,
    /// Does not believe the order of the stores that a history gives.
    pub black_box: bool,
    /// How long to search.
    pub effort: Effort,
}

/// What came of one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is allowed.
    Ok,
    /// It is forbidden.
    No {
        /// Why, in one line.
        why: String,
        /// Why, in several.
        lines: Vec<String>,
    },
    /// There is no answer, and why not.
    Unknown(String),
}

/// One trace and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The trace's name.
    pub name: String,
    /// The verdict.
    pub outcome: Outcome,
}

/// What was done in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Traces that are allowed.
    pub ok: usize,
    /// Traces that are forbidden.
    pub no: usize,
    /// Traces without an answer.
    pub unknown: usize,
    /// Operations in all traces.
    pub operations: usize,
    /// The time that the checks took; reading the file is not in it.
    pub time: Duration,
}

/// Checks every trace of the text of a file called `file` and shows each answer.
///
/// # Errors
/// What is wrong with the file; an error that `show` gives.
pub fn check<E: From<FileError>>(
    file: &str,
    text: &str,
    options: &Options,
    show: &mut dyn FnMut(Answer) -> Result<(), E>,
) -> Result<Totals, E> {
    let mut checker = Checker {
        options,
        totals: Totals::default(),
        show,
    };
    let format = options.format.unwrap_or_else(|| Format::of(text));
    match (format, options.question) {
        (Format::Axe, Some(Question::Linearizable)) => Err(about(
            file,
            "the trace format says nothing of time: ask for sc or tso",
        )
        .into()),
        (Format::Jepsen, Some(Question::Memory(_))) => Err(about(
            file,
            "a log of a register is checked with --model linearizable",
        )
        .into()),
        (Format::Axe, question) => checker.axe(file, text, model_of(question)),
        (Format::Jepsen, _) => checker.jepsen(file, text),
        (Format::History, question) => {
            let history = History::parse(file, text)?;
            match question {
                Some(Question::Linearizable) => checker.lines(file, &history.events),
                question => checker.history(file, &history.events, model_of(question)),
            }
        }
    }?;
    Ok(checker.totals)
}

fn model_of(question: Option<Question>) -> Model {
    match question {
        Some(Question::Memory(model)) => model,
        _ => Model::Sc,
    }
}

fn about(file: &str, reason: &str) -> FileError {
    FileError {
        file: file.to_string(),
        line: None,
        reason: reason.to_string(),
    }
}

struct Checker<'a, E> {
    options: &'a Options,
    totals: Totals,
    show: &'a mut dyn FnMut(Answer) -> Result<(), E>,
}

impl<E: From<FileError>> Checker<'_, E> {
    fn answer(&mut self, name: String, outcome: Outcome) -> Result<(), E> {
        match outcome {
            Outcome::Ok => self.totals.ok += 1,
            Outcome::No { .. } => self.totals.no += 1,
            Outcome::Unknown(_) => self.totals.unknown += 1,
        }
        (self.show)(Answer { name, outcome })
    }

    /// Runs a check of so many operations against the clock.
    fn timed<T>(&mut self, operations: usize, check: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = check();
        self.totals.time += begin.elapsed();
        self.totals.operations += operations;
        result
    }

    fn axe(&mut self, file: &str, text: &str, model: Model) -> Result<(), E> {
        let mut traces = axe::Traces::new(file, text);
        let mut number = 0;
        while let Some(trace) = traces.next_trace()? {
            number += 1;
            let searched = self.search(&trace.history, model);
            let name = match &trace.name[..] {
                "" => format!("trace {number}"),
                name => name.to_string(),
            };
            let outcome = outcome(searched, &trace.history, &trace);
            self.answer(name, outcome)?;
        }
        match number {
            0 => Err(about(file, "there is no trace in the file").into()),
            _ => Ok(()),
        }
    }

    fn search(&mut self, history: &super::History, model: Model) -> Searched {
        let models = vec![model; history.threads()];
        let effort = self.options.effort;
        self.timed(history.operations().len(), || {
            search(history, &models, effort)
        })
    }

    fn history(&mut self, file: &str, events: &[Event], model: Model) -> Result<(), E> {
        let ordered = events::is_ordered(events) && !self.options.black_box;
        let log = events::log(events, ordered);
        let begin = Instant::now();
        let (history, places) = log.history(|_| [0; 64]);
        self.totals.time += begin.elapsed();
        let searched = match ordered {
            true => {
                let models = vec![model; history.threads()];
                let verdict = self.timed(log.len(), || linear(&history, &models));
                Searched::Decided(verdict)
            }
            false => self.search(&history, model),
        };
        let outcome = outcome(searched, &history, &log.labels(&places));
        self.answer(file.to_string(), outcome)
    }

    fn lines(&mut self, file: &str, events: &[Event]) -> Result<(), E> {
        let effort = self.options.effort;
        let lines = events::lines(events);
        let count = lines.values().map(Vec::len).sum();
        let found = self.timed(count, || {
            lines.iter().find_map(|(line, calls)| {
                let (calls, indices): (Vec<_>, Vec<usize>) = calls.iter().cloned().unzip();
                let result = linearizable(&calls, [0; 64], effort);
                (!matches!(result, Linearized::Yes(_))).then_some((*line, indices, result))
            })
        });
        let Some((line, indices, result)) = found else {
            return self.answer(file.to_string(), Outcome::Ok);
        };
        let log = events::log(events, false);
        let (_, places) = log.history(|_| [0; 64]);
        let labels = log.labels(&places);
        // The log leaves some events out.
        let position = |index: usize| events::log(&events[..index], false).len() as u32;
        let describe = |call: u32| labels.operation(position(indices[call as usize]));
        let outcome = not_linearizable(&format!("line {line:#x}"), &result, &describe);
        self.answer(file.to_string(), outcome)
    }

    fn jepsen(&mut self, file: &str, text: &str) -> Result<(), E> {
        let effort = self.options.effort;
        for (index, log) in jepsen::parse(file, text)?.into_iter().enumerate() {
            let calls = &log.calls;
            let result = self.timed(calls.len(), || linearizable(calls, None, effort));
            let outcome = match result {
                Linearized::Yes(_) => Outcome::Ok,
                result => not_linearizable("the register", &result, &|call| log.describe(call)),
            };
            let name = match &log.name[..] {
                "" => format!("log {}", index + 1),
                name => name.to_string(),
            };
            self.answer(name, outcome)?;
        }
        Ok(())
    }
}

fn outcome(searched: Searched, history: &super::History, labels: &dyn Labels) -> Outcome {
    match searched {
        Searched::Decided(Verdict::Allowed) => Outcome::Ok,
        Searched::Decided(Verdict::Forbidden(reason)) => forbidden(&reason, history, labels),
        Searched::GaveUp => Outcome::Unknown("no answer within the limit; see --tries".into()),
        Searched::TooLarge => Outcome::Unknown(format!(
            "{} operations are too many to search an order of the stores; the limit is \
             {MAX_SEARCHED}",
            history.operations().len()
        )),
    }
}

fn forbidden(reason: &Reason, history: &super::History, labels: &dyn Labels) -> Outcome {
    Outcome::No {
        why: text::line(reason, history, labels),
        lines: text::lines(reason, history, labels),
    }
}

fn not_linearizable(what: &str, result: &Linearized, describe: &dyn Fn(u32) -> String) -> Outcome {
    let Linearized::No { order, stuck } = result else {
        return Outcome::Unknown(format!(
            "no answer for {what} within the limit; see --tries"
        ));
    };
    let why = format!(
        "{what}: {} cannot take effect before it ends, in any order; {} calls can be ordered at most",
        describe(*stuck),
        order.len()
    );
    let mut lines = vec![format!(
        "the longest order of {what} that explains what was seen:"
    )];
    lines.extend(order.iter().map(|&call| format!("  {}", describe(call))));
    lines.push(format!(
        "and then there is no place for {}",
        describe(*stuck)
    ));
    Outcome::No { why, lines }
}
