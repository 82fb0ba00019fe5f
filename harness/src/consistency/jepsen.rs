//! Logs of Jepsen's test of a register: reads, writes and compare-and-swaps of one value.
//!
//! A line of a log is `INFO jepsen.util - 3 :invoke :cas [1 2]`: process, `:invoke`, `:ok`, `:fail`
//! or `:info`, what it did, and the value; `nil` is the value of a register that was never written.
//! A file is one log, or one JSON object `{"name": .., "log": ..}` a line.

use std::collections::BTreeMap;

use flits::FileError;

use super::linearizable::{self, Call};

/// The value of a register; `None` is `nil`.
pub type Value = Option<i64>;

/// What a call does to the register, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It reads this value; `None` if nobody knows what it saw.
    Read(Option<Value>),
    /// It writes this value.
    Write(Value),
    /// It writes `new` if the register holds `expected`.
    CompareSwap {
        /// What must be there.
        expected: Value,
        /// What is there afterwards.
        new: Value,
        /// Whether it was; `None` if nobody knows.
        done: Option<bool>,
    },
}

impl linearizable::Action for Action {
    type Value = Value;

    fn apply(&self, held: &Value) -> Option<Value> {
        match *self {
            Action::Read(seen) => seen.is_none_or(|seen| seen == *held).then_some(*held),
            Action::Write(value) => Some(value),
            Action::CompareSwap {
                expected,
                new,
                done,
            } => {
                let does = *held == expected;
                let fits = done.is_none_or(|done| done == does);
                fits.then_some(if does { new } else { *held })
            }
        }
    }
}

/// One log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Its name, or empty.
    pub name: String,
    /// Its calls.
    pub calls: Vec<Call<Action>>,
    /// The process of each call.
    pub processes: Vec<u64>,
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
    log: String,
}

/// Reads all logs of a file.
///
/// # Errors
/// The first line that is not as it should be, and why.
pub fn parse(file: &str, text: &str) -> Result<Vec<Log>, FileError> {
    if !text.trim_start().starts_with('{') {
        let log = log(text).map_err(|(line, reason)| error(file, line, reason))?;
        return Ok(vec![log]);
    }
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let named: Named = serde_json::from_str(line).map_err(|why| {
                let reason = format!("this is no JSON object with \"name\" and \"log\": {why}");
                error(file, index + 1, reason)
            })?;
            let log = log(&named.log).map_err(|(line, reason)| {
                let reason = format!("line {line} of the log {}: {reason}", named.name);
                error(file, index + 1, reason)
            })?;
            Ok(Log {
                name: named.name,
                ..log
            })
        })
        .collect()
}

fn error(file: &str, line: usize, reason: String) -> FileError {
    FileError {
        file: file.to_string(),
        line: Some(line),
        reason,
    }
}

/// Reads one log; an error names its line.
fn log(text: &str) -> Result<Log, (usize, String)> {
    let mut log = Log::default();
    // The call of each process that has not ended.
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    let mut dropped = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = |reason: String| (index + 1, reason);
        let moment = Moment::parse(line).map_err(at)?;
        let time = index as u64;
        if moment.event == ":invoke" {
            let action = invoked(&moment).map_err(at)?;
            if open.insert(moment.process, log.calls.len()).is_some() {
                let process = moment.process;
                let reason = format!("process {process} begins before its last call has ended");
                return Err(at(reason));
            }
            log.calls.push(Call {
                action,
                start: time,
                end: u64::MAX,
            });
            log.processes.push(moment.process);
            continue;
        }
        let Some(call) = open.remove(&moment.process) else {
            let reason = format!("process {} has begun no call", moment.process);
            return Err(at(reason));
        };
        let entry = &mut log.calls[call];
        match (moment.event, &mut entry.action) {
            (":ok", Action::Read(seen)) => {
                *seen = Some(value(moment.value).map_err(at)?);
                entry.end = time;
            }
            (":ok", Action::CompareSwap { done, .. }) => {
                *done = Some(true);
                entry.end = time;
            }
            (":fail", Action::CompareSwap { done, .. }) => {
                *done = Some(false);
                entry.end = time;
            }
            (":ok", Action::Write(_)) => entry.end = time,
            // It had no effect, or nobody saw what it read.
            (":fail", _) | (":info", Action::Read(_)) => dropped.push(call),
            (":info", _) => {}
            (other, _) => {
                let reason = format!("\"{other}\" is none of :invoke, :ok, :fail and :info");
                return Err(at(reason));
            }
        }
    }
    for call in dropped {
        // What never ends and reads nothing known says nothing.
        log.calls[call].action = Action::Read(None);
    }
    Ok(log)
}

struct Moment<'a> {
    process: u64,
    event: &'a str,
    function: &'a str,
    value: &'a str,
}

impl<'a> Moment<'a> {
    fn parse(line: &'a str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{}\" is no line of a log: they look like INFO jepsen.util - 3 :invoke :write 5",
                line.trim()
            )
        };
        let (_, rest) = line.split_once(" - ").ok_or_else(wrong)?;
        let mut words = rest.trim().splitn(2, char::is_whitespace);
        let process = words.next().and_then(|word| word.parse().ok());
        let rest = words.next().ok_or_else(wrong)?.trim_start();
        let (event, rest) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let rest = rest.trim_start();
        let (function, value) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
        Ok(Moment {
            process: process.ok_or_else(wrong)?,
            event,
            function,
            value: value.trim(),
        })
    }
}

fn invoked(moment: &Moment<'_>) -> Result<Action, String> {
    match moment.function {
        ":read" => Ok(Action::Read(None)),
        ":write" => Ok(Action::Write(value(moment.value)?)),
        ":cas" => {
            let pair = moment
                .value
                .strip_prefix('[')
                .and_then(|pair| pair.strip_suffix(']'))
                .and_then(|pair| pair.split_once(' '))
                .ok_or_else(|| format!("\"{}\" is no pair like [1 2]", moment.value))?;
            Ok(Action::CompareSwap {
                expected: value(pair.0)?,
                new: value(pair.1)?,
                done: None,
            })
        }
        other => Err(format!("\"{other}\" is none of :read, :write and :cas")),
    }
}

fn value(text: &str) -> Result<Value, String> {
    match text.trim() {
        "nil" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| format!("\"{number}\" is neither a number nor nil")),
    }
}

impl Log {
    /// A call, for a person.
    pub fn describe(&self, call: u32) -> String {
        let show = |value: &Value| value.map_or("nil".to_string(), |value| value.to_string());
        let entry = &self.calls[call as usize];
        let what = match &entry.action {
            Action::Read(seen) => match seen {
                Some(seen) => format!("read {}", show(seen)),
                None => "read".into(),
            },
            Action::Write(value) => format!("write {}", show(value)),
            Action::CompareSwap {
                expected,
                new,
                done,
            } => format!(
                "cas {} to {}{}",
                show(expected),
                show(new),
                match done {
                    Some(true) => "",
                    Some(false) => ", refused",
                    None => ", outcome unknown",
                }
            ),
        };
        // Lines are counted from 1.
        format!(
            "process {}: {what} (line {})",
            self.processes[call as usize],
            entry.start + 1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Effort;
    use super::super::linearizable::{Linearized, linearizable};
    use super::*;

    fn judge(lines: &[&str]) -> bool {
        let text: Vec<String> = (lines.iter().map(|line| format!("INFO  util - {line}"))).collect();
        let logs = parse("log", &text.join("\n")).expect("a good log");
        match linearizable(&logs[0].calls, None, Effort::default()) {
            Linearized::Yes(_) => true,
            Linearized::No { .. } => false,
            Linearized::GaveUp => panic!("a small log"),
        }
    }

    #[test]
    fn a_read_must_not_go_back_after_a_write_has_ended() {
        let write = ["0 :invoke :write 1", "0 :ok :write 1"];
        let read = ["1 :invoke :read nil", "1 :ok :read nil"];
        assert!(judge(&[read[0], read[1], write[0], write[1]]));
        assert!(judge(&[write[0], read[0], read[1], write[1]]));
        assert!(!judge(&[write[0], write[1], read[0], read[1]]));
    }

    #[test]
    fn an_unknown_outcome_may_be_either() {
        let lost = ["0 :invoke :write 1", "0 :info :write :timed-out"];
        let nil = ["1 :invoke :read nil", "1 :ok :read nil"];
        let one = ["1 :invoke :read nil", "1 :ok :read 1"];
        assert!(judge(&[&lost[..], &nil[..], &one[..]].concat()));
        assert!(!judge(&[&lost[..], &one[..], &nil[..]].concat()));
    }

    #[test]
    fn a_swap_succeeds_only_on_what_it_expects() {
        let write = ["0 :invoke :write 1", "0 :ok :write 1"];
        let swap = |end| ["1 :invoke :cas [1 2]", end];
        let (done, refused) = (swap("1 :ok :cas [1 2]"), swap("1 :fail :cas [1 2]"));
        assert!(judge(&[write, done].concat()));
        assert!(!judge(&[write, refused].concat()));
        assert!(judge(&[refused, write].concat()));
        assert!(!judge(&[write, done, done].concat()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = |text: &str| parse("l", text).expect_err("refused").to_string();
        assert!(error("INFO x\n").contains("l:1: \"INFO x\" is no line"));
        assert!(error("I - 0 :ok :read 1").contains("has begun no call"));
        assert!(error("I - 0 :invoke :read nil\nI - 0 :invoke :read nil").contains("l:2: "));
        assert!(error("I - 0 :invoke :cas 1").contains("no pair"));
        assert!(error("I - 0 :invoke :write x").contains("neither"));
        assert!(error("{\"name\": 1}").contains("l:1: this is no JSON object"));
    }
}
