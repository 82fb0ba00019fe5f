//! Traces of LLM-serving requests in the public Mooncake format.
//!
//! A trace is a text file with one JSON object a line:
//!
//! ```json
//! {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2353]}
//! ```
//!
//! `timestamp` is in milliseconds from the start of the trace and never goes back, the lengths are
//! in tokens, and `hash_ids` names the key/value blocks of the prompt in order. Equal identifiers
//! mean equal prompts up to and including that block, so the leading identifiers that are already
//! stored are what a prefix cache reads instead of computing. Traces of agents add a `session`,
//! which is allowed and not used; any other field is refused.
//!
//! The format is that of the traces published with Mooncake (Qin et al., FAST 2025).

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};

/// One request of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Arrival, in milliseconds from the start of the trace.
    pub timestamp: u64,
    /// The agent session that sent it, in traces that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
    /// Tokens of the prompt.
    pub input_length: u64,
    /// Tokens of the answer.
    pub output_length: u64,
    /// The key/value blocks of the prompt, in order.
    pub hash_ids: Vec<u64>,
}

/// A trace read and checked, cut to the first requests asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Where it came from, as shown to the user.
    pub name: String,
    /// The requests, in order of arrival; never empty.
    pub requests: Vec<Request>,
    /// Tokens in a whole block, if all requests agree on one size.
    pub tokens_per_block: Option<u64>,
}

/// A trace that cannot be used: where, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceError {
    file: String,
    line: Option<usize>,
    message: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for TraceError {}

/// Longest line taken, in bytes: ten times the longest request of the published traces.
const MAX_LINE: u64 = 1 << 20;
/// Most tokens in a prompt or an answer; above it the number is taken for a slip.
const MAX_TOKENS: u64 = 100_000_000;
/// Latest arrival: a hundred years, in milliseconds.
const MAX_TIMESTAMP: u64 = 100 * 365 * 86_400_000;

impl Trace {
    /// Reads a whole trace from `input` and keeps its first `limit` requests. Every line is
    /// checked, also those that are not kept. `name` is the file's name for messages.
    ///
    /// # Errors
    ///
    /// The first line that is not a request: cut or misspelt JSON, a field that is unknown,
    /// missing, negative or beyond reason, a time that goes back, more blocks than tokens; and a
    /// file that cannot be read or holds no request.
    pub fn read(name: &str, mut input: impl BufRead, limit: usize) -> Result<Trace, TraceError> {
        let at = |line, message| TraceError {
            file: name.to_string(),
            line,
            message,
        };
        let mut requests = Vec::new();
        let mut block_size = BlockSize::default();
        let mut previous = 0;
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let taken = input
                .by_ref()
                .take(MAX_LINE + 1)
                .read_until(b'\n', &mut text)
                .map_err(|e| at(Some(line), format!("cannot be read: {e}")))?;
            if taken == 0 {
                break;
            }
            let request = parse_line(&text).map_err(|message| at(Some(line), message))?;
            let Some(request) = request else { continue };
            if request.timestamp < previous {
                let message = format!(
                    "timestamp {} is before the previous request's {previous}; \
                     sort the trace by timestamp",
                    request.timestamp
                );
                return Err(at(Some(line), message));
            }
            previous = request.timestamp;
            block_size.narrow(&request);
            if requests.len() < limit {
                requests.push(request);
            }
        }
        if requests.is_empty() {
            let message = "holds no request; give a trace with one JSON object a line".to_string();
            return Err(at(None, message));
        }
        Ok(Trace {
            name: name.to_string(),
            requests,
            tokens_per_block: block_size.tokens(),
        })
    }

    /// Opens and reads the trace at `path`, as [`Trace::read`].
    ///
    /// # Errors
    ///
    /// As [`Trace::read`], and a file that cannot be opened.
    pub fn open(path: &std::path::Path, limit: usize) -> Result<Trace, TraceError> {
        let name = path.display().to_string();
        let fail = |message| TraceError {
            file: name.clone(),
            line: None,
            message,
        };
        if path.is_dir() {
            return Err(fail("is a directory; give a trace file".to_string()));
        }
        let file = std::fs::File::open(path).map_err(|e| fail(format!("cannot be opened: {e}")))?;
        Trace::read(&name, std::io::BufReader::new(file), limit)
    }

    /// Blocks named by all requests, counted as often as they are named.
    pub fn block_references(&self) -> usize {
        self.requests.iter().map(|r| r.hash_ids.len()).sum()
    }

    /// Leading blocks that a prefix cache without limits would hold if the requests ran strictly
    /// one after another: what a run with requests in flight together can reach at most.
    pub fn sequential_hits(&self) -> usize {
        let mut stored: BTreeSet<u64> = BTreeSet::new();
        let mut hits = 0;
        for request in &self.requests {
            hits += request
                .hash_ids
                .iter()
                .take_while(|&id| stored.contains(id))
                .count();
            stored.extend(&request.hash_ids);
        }
        hits
    }
}

/// One line to a request; `None` for a blank line.
fn parse_line(text: &[u8]) -> Result<Option<Request>, String> {
    if text.len() as u64 > MAX_LINE {
        return Err(format!(
            "the line is longer than {MAX_LINE} bytes; a request is one JSON object a line"
        ));
    }
    let text = std::str::from_utf8(text)
        .map_err(|_| "the line is not UTF-8 text; is this a trace file?".to_string())?
        .trim();
    if text.is_empty() {
        return Ok(None);
    }
    let request: Request = serde_json::from_str(text).map_err(|e| explain(text, &e))?;
    check_numbers(&request)?;
    Ok(Some(request))
}

/// Says in one sentence what serde_json found, with its column and the format expected.
fn explain(text: &str, error: &serde_json::Error) -> String {
    let full = error.to_string();
    let what = full.split(" at line ").next().unwrap_or(&full);
    let column = error.column();
    match error.classify() {
        serde_json::error::Category::Eof => format!(
            "the JSON object ends too early, in column {}; the line is cut, restore it or remove it",
            text.chars().count()
        ),
        serde_json::error::Category::Syntax => {
            format!("not JSON in column {column} ({what}); a request is one JSON object a line")
        }
        _ => format!(
            "{what} (column {column}); a request is {{\"timestamp\", \"input_length\", \
             \"output_length\", \"hash_ids\"}} in whole numbers that are not negative"
        ),
    }
}

/// Refuses numbers that no real request has.
fn check_numbers(request: &Request) -> Result<(), String> {
    let limits = [
        ("timestamp", request.timestamp, MAX_TIMESTAMP),
        ("input_length", request.input_length, MAX_TOKENS),
        ("output_length", request.output_length, MAX_TOKENS),
    ];
    for (name, value, limit) in limits {
        if value > limit {
            return Err(format!(
                "{name} {value} is beyond reason (at most {limit}); correct the number"
            ));
        }
    }
    let blocks = request.hash_ids.len() as u64;
    if blocks > request.input_length {
        return Err(format!(
            "{blocks} hash_ids for {} tokens of input_length; a block holds at least one token",
            request.input_length
        ));
    }
    Ok(())
}

/// The block sizes that fit all requests seen, when `blocks = ceil(input_length / size)`.
struct BlockSize {
    least: u64,
    most: u64,
}

impl Default for BlockSize {
    fn default() -> Self {
        BlockSize {
            least: 1,
            most: u64::MAX,
        }
    }
}

impl BlockSize {
    fn narrow(&mut self, request: &Request) {
        let blocks = request.hash_ids.len() as u64;
        if blocks > 0 {
            self.least = self.least.max(request.input_length.div_ceil(blocks));
        }
        if blocks > 1 {
            self.most = self.most.min((request.input_length - 1) / (blocks - 1));
        }
    }

    /// The size, if the requests pin it down or a power of two fits them.
    fn tokens(&self) -> Option<u64> {
        if self.least == self.most {
            return Some(self.least);
        }
        let power = self.least.checked_next_power_of_two()?;
        (power <= self.most && self.most != u64::MAX).then_some(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"timestamp":5,"input_length":40,"output_length":7,"hash_ids":[3,4,9]}"#;

    fn read(text: &str) -> Result<Trace, TraceError> {
        Trace::read("t.jsonl", text.as_bytes(), usize::MAX)
    }

    fn refusal(text: &str) -> String {
        read(text).expect_err("the trace is bad").to_string()
    }

    #[test]
    fn a_request_is_read_field_by_field() {
        let trace = read(GOOD).expect("good");
        let expected = Request {
            timestamp: 5,
            session: None,
            input_length: 40,
            output_length: 7,
            hash_ids: vec![3, 4, 9],
        };
        assert_eq!(trace.requests, [expected]);
    }

    #[test]
    fn a_session_is_allowed_and_blank_lines_are_skipped() {
        let line =
            r#"{"timestamp":9,"session":2,"input_length":1,"output_length":0,"hash_ids":[1]}"#;
        let trace = read(&format!("\n{line}\r\n\n")).expect("good");
        assert_eq!(trace.requests[0].session, Some(2));
    }

    #[test]
    fn the_limit_keeps_the_first_requests_but_checks_every_line() {
        let trace = Trace::read("t", format!("{GOOD}\n{GOOD}\n").as_bytes(), 1).expect("good");
        assert_eq!(trace.requests.len(), 1);
        let bad = Trace::read("t", format!("{GOOD}\n{{\n").as_bytes(), 1).expect_err("bad");
        assert!(bad.to_string().starts_with("t:2: "), "{bad}");
    }

    #[test]
    fn a_bad_line_is_refused_with_file_line_and_cause() {
        let cases = [
            (&GOOD[..40], "cut"),
            (&GOOD.replace("40", "-40"), "invalid value: integer `-40`"),
            (&GOOD.replace("40", "4.5"), "floating point"),
            (&GOOD.replace("40", "99999999999"), "beyond reason"),
            (
                &GOOD.replace(":7", ":99999999999999999999999"),
                "invalid type",
            ),
            (&GOOD.replace("[3,4,9]", "[3,-4,9]"), "integer `-4`"),
            (&GOOD.replace("[3,4,9]", "3"), "expected a sequence"),
            (&GOOD.replace(":40", ":2"), "3 hash_ids for 2 tokens"),
            (&GOOD.replace("timestamp", "time"), "unknown field `time`"),
            (
                &GOOD.replace(r#""output_length":7,"#, ""),
                "missing field `output_length`",
            ),
            (
                &GOOD.replace("output_length", "input_length"),
                "duplicate field",
            ),
            (&GOOD.replace('{', "("), "not JSON"),
            (&format!("{GOOD} {GOOD}"), "not JSON"),
            (&GOOD.replace(":5", ":4"), "before the previous request's 5"),
        ] as [(&str, &str); 14];
        for (line, cause) in cases {
            let message = refusal(&format!("{GOOD}\n{line}\n"));
            assert!(message.starts_with("t.jsonl:2: "), "{message}");
            assert!(message.contains(cause), "{message} does not say {cause}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn a_file_without_requests_or_without_text_is_refused() {
        assert!(refusal("").contains("holds no request"));
        assert!(refusal("\n \n").contains("holds no request"));
        let binary = Trace::read("t", &[0xff_u8, 0xfe, b'\n'][..], 9).expect_err("bad");
        assert!(binary.to_string().contains("t:1: the line is not UTF-8"));
        let endless = Trace::read("t", std::io::BufReader::new(std::io::repeat(b'{')), 9);
        assert!(
            endless
                .expect_err("bad")
                .to_string()
                .contains("longer than")
        );
    }

    #[test]
    fn the_block_size_is_found_where_all_requests_agree() {
        let line = |input, blocks: usize| {
            let ids = (0..blocks).collect::<Vec<_>>();
            format!(
                r#"{{"timestamp":0,"input_length":{input},"output_length":0,"hash_ids":{ids:?}}}"#
            )
        };
        let size = |text: &str| read(text).expect("good").tokens_per_block;
        assert_eq!(size(&line(33, 3)), Some(16));
        assert_eq!(size(&format!("{}\n{}", line(33, 3), line(16, 1))), Some(16));
        assert_eq!(size(&line(3, 1)), None);
        assert_eq!(size(&format!("{}\n{}", line(100, 2), line(100, 50))), None);
    }

    #[test]
    fn sequential_hits_count_only_leading_blocks() {
        let line = |ids: &str| {
            format!(r#"{{"timestamp":0,"input_length":9,"output_length":0,"hash_ids":{ids}}}"#)
        };
        let text = [line("[1,2,3]"), line("[1,2,4,3]"), line("[9,2]")].join("\n");
        assert_eq!(read(&text).expect("good").sequential_hits(), 2);
    }
}
