//! The trace format of the Axe memory-consistency checker.
//!
//! ```text
//! # name of the trace
//! 0: M[1] := 5                        thread 0 stores 5 at address 1; v1 is short for M[1]
//! 1: M[1] == 5                        thread 1 loads it
//! 1: { M[1] == 5; M[1] := 6 }         an atomic read and write
//! 0: sync                             a fence
//! final M[1] == 6                     what is there after all operations
//! check                               ends the trace
//! ```
//!
//! The lines of a thread are in program order. An operation may end in `@ begin:end`, two times that
//! are of no use to the models here. Every address holds 0 at first.

use std::collections::BTreeMap;

use flits::FileError;

use super::text::Labels;
use super::{Access, History, Kind, Written};

/// One trace of a file.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The last comment before it, or empty.
    pub name: String,
    /// What was done.
    pub history: History,
    /// The number of each thread in the file.
    threads: Vec<u64>,
    /// The address of each place.
    addresses: Vec<u64>,
}

/// The traces of a text, one after the other.
pub struct Traces<'a> {
    file: &'a str,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
}

impl<'a> Traces<'a> {
    /// The traces in the text of a file called `file`.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Traces {
            file,
            lines: text.lines().enumerate(),
        }
    }

    /// The next trace; `None` at the end.
    ///
    /// # Errors
    /// A line that is not as it should be, or operations without a `check` after them.
    pub fn next_trace(&mut self) -> Result<Option<Trace>, FileError> {
        let mut reader = Reader::default();
        let mut started = 0;
        for (index, line) in self.lines.by_ref() {
            let error = |reason| FileError {
                file: self.file.to_string(),
                line: Some(index + 1),
                reason,
            };
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                if started == 0 {
                    reader.trace.name = comment.trim().to_string();
                }
                continue;
            }
            if line == "check" {
                return reader.finish().map(Some).map_err(error);
            }
            if !line.is_empty() {
                started = index + 1;
                reader.line(line).map_err(error)?;
            }
        }
        match started {
            0 => Ok(None),
            last => Err(FileError {
                file: self.file.to_string(),
                line: Some(last),
                reason: "the file ends without a line \"check\" after this operation".into(),
            }),
        }
    }
}

#[derive(Default)]
struct Reader {
    trace: Trace,
    threads: BTreeMap<u64, u32>,
    places: BTreeMap<u64, u32>,
    /// How many operations each thread has.
    programs: Vec<u64>,
    finals: Vec<(u64, u64)>,
}

/// What one access of a line says.
struct Said {
    addr: u64,
    value: u64,
    stores: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("final ") {
            let Said {
                addr,
                value,
                stores,
            } = said(rest)?;
            if stores {
                return Err("write what is there at the end with ==, like: final M[0] == 1".into());
            }
            self.finals.push((addr, value));
            return Ok(());
        }
        let Some((thread, rest)) = line.split_once(':') else {
            return Err(format!(
                "\"{line}\" is no operation: write one like 0: M[0] := 1, a line \"final M[0] == \
                 1\", \"check\", or a comment after #"
            ));
        };
        let thread = number(thread)
            .ok_or_else(|| format!("\"{}\" is no number of a thread", thread.trim()))?;
        let operation = without_times(rest)?.trim();
        if operation == "sync" {
            self.enter(thread, Kind::Fence, &[]);
            return Ok(());
        }
        if let Some(inner) = operation.strip_prefix('{') {
            let read_write = inner
                .strip_suffix('}')
                .and_then(|inner| inner.split_once(';'))
                .ok_or("an atomic operation looks like { M[0] == 0; M[0] := 1 }")?;
            let (read, write) = (said(read_write.0)?, said(read_write.1)?);
            if read.stores || !write.stores || read.addr != write.addr {
                return Err(
                    "an atomic operation first loads with == and then stores with := at the same \
                     address"
                        .into(),
                );
            }
            let access = Access {
                place: self.place(read.addr),
                read: Some(read.value),
                written: Some(written(write.value)),
            };
            self.enter(thread, Kind::Atomic, &[access]);
            return Ok(());
        }
        let Said {
            addr,
            value,
            stores,
        } = said(operation)?;
        let access = Access {
            place: self.place(addr),
            read: (!stores).then_some(value),
            written: stores.then(|| written(value)),
        };
        let kind = if stores { Kind::Store } else { Kind::Load };
        self.enter(thread, kind, &[access]);
        Ok(())
    }

    fn place(&mut self, addr: u64) -> u32 {
        *self.places.entry(addr).or_insert_with(|| {
            self.trace.addresses.push(addr);
            self.trace.history.place(0)
        })
    }

    fn enter(&mut self, thread: u64, kind: Kind, accesses: &[Access]) {
        let next = self.threads.len() as u32;
        let index = *self.threads.entry(thread).or_insert(next);
        if index == next {
            self.trace.threads.push(thread);
            self.programs.push(0);
        }
        let at = &mut self.programs[index as usize];
        self.trace.history.push(index, kind, *at..*at + 1, accesses);
        *at += 1;
    }

    fn finish(mut self) -> Result<Trace, String> {
        for (addr, value) in std::mem::take(&mut self.finals) {
            let place = self.place(addr);
            self.trace.history.set_final(place, value);
        }
        Ok(self.trace)
    }
}

fn written(value: u64) -> Written {
    // The format does not say in which order stores became visible.
    Written { value, rank: 0 }
}

/// `M[a] := v`, `M[a] == v`, or the same with `va` for the address.
fn said(text: &str) -> Result<Said, String> {
    let wrong = || {
        format!(
            "\"{}\" is no access: write one like M[0] := 1 or M[0] == 1",
            text.trim()
        )
    };
    let (place, value, stores) = match (text.split_once(":="), text.split_once("==")) {
        (Some((place, value)), None) => (place, value, true),
        (None, Some((place, value))) => (place, value, false),
        _ => return Err(wrong()),
    };
    let place = place.trim();
    let addr = match place.strip_prefix("M[") {
        Some(rest) => rest.strip_suffix(']'),
        None => place.strip_prefix('v'),
    };
    Ok(Said {
        addr: addr.and_then(number).ok_or_else(wrong)?,
        value: number(value).ok_or_else(wrong)?,
        stores,
    })
}

/// The operation without `@ begin:end`.
fn without_times(text: &str) -> Result<&str, String> {
    let Some((operation, times)) = text.split_once('@') else {
        return Ok(text);
    };
    let time = |text: &str| text.trim().is_empty() || number(text).is_some();
    match times.split_once(':') {
        Some((begin, end)) if time(begin) && time(end) => Ok(operation),
        None if number(times).is_some() => Ok(operation),
        _ => Err(format!(
            "\"@{times}\" are no times: write them like @ 2:5, either may be left out"
        )),
    }
}

/// A number, in decimal or after 0x in hexadecimal.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

impl Labels for Trace {
    fn operation(&self, op: u32) -> String {
        let operation = self.history.operation(op);
        let thread = self.threads[operation.thread as usize];
        let Some(access) = self.history.accesses(op).first() else {
            return format!("{thread}: sync");
        };
        let place = self.place(access.place);
        match (access.read, access.written) {
            (Some(read), Some(Written { value, .. })) => {
                format!("{thread}: {{ {place} == {read}; {place} := {value} }}")
            }
            (Some(read), None) => format!("{thread}: {place} == {read}"),
            (None, Some(Written { value, .. })) => format!("{thread}: {place} := {value}"),
            (None, None) => format!("{thread}: {place}"),
        }
    }

    fn place(&self, place: u32) -> String {
        format!("M[{}]", self.addresses[place as usize])
    }

    fn value(&self, _place: u32, value: u64) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Traces::new("t.axe", text)
            .next_trace()
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn every_form_is_read() {
        let text = "# a name\n0: v1 := 0x5 @ 1:\n 7 : M[1]==5 @ :9\n7: { M[1] == 5; v1 := 6 }\n\
                    0: sync\nfinal v1 == 6\ncheck\n\n# next\ncheck\n";
        let mut traces = Traces::new("t.axe", text);
        let trace = traces.next_trace().expect("good").expect("one");
        assert_eq!(trace.name, "a name");
        let told: Vec<String> = (0..4).map(|op| trace.operation(op)).collect();
        assert_eq!(
            told,
            [
                "0: M[1] := 5",
                "7: M[1] == 5",
                "7: { M[1] == 5; M[1] := 6 }",
                "0: sync"
            ]
        );
        assert_eq!(trace.history.finals(), [(0, 6)]);
        let next = traces.next_trace().expect("good").expect("another");
        assert_eq!(next.name, "next");
        assert!(traces.next_trace().expect("good").is_none());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert!(error("0: M[0] := 1\n").contains("t.axe:1: the file ends without"));
        assert!(error("# x\n0; sync\ncheck").contains("t.axe:2: \"0; sync\" is no operation"));
        assert!(error("a: M[0] := 1\ncheck").contains("no number of a thread"));
        assert!(error("0: M[0] = 1\ncheck").contains("is no access"));
        assert!(error("0: M[-1] == 1\ncheck").contains("is no access"));
        assert!(error("0: { M[0] == 1; M[1] := 2 }\ncheck").contains("the same address"));
        assert!(error("0: { M[0] == 1 }\ncheck").contains("looks like"));
        assert!(error("0: sync @ now\ncheck").contains("are no times"));
        assert!(error("final M[0] := 1\ncheck").contains("with =="));
    }
}
