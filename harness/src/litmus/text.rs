//! The `.litmus` text: a head, the initial state in braces, the threads in columns, the condition.

use super::condition::{self, Prop, Quantifier};
use super::lexer::{Token, Tokens};
use super::test::{Branch, FinalState, Instr, Isa, Item, Location, Operand, Test, Thread};
use super::{Error, Wrong, riscv, x86};
use std::collections::BTreeMap;

/// Most threads of a test, and most variables.
const MOST: usize = 32;

/// Words with which the part behind the threads begins.
const TRAILERS: [&str; 5] = ["exists", "~exists", "forall", "locations", "filter"];

/// The names of a test while it is read.
pub(super) struct Scope {
    isa: Isa,
    locations: Vec<Location>,
    threads: Vec<Thread>,
}

impl Scope {
    /// The variable of this name, new if need be.
    pub(super) fn location(&mut self, name: &str) -> usize {
        let known = self.locations.iter().position(|known| known.name == name);
        known.unwrap_or_else(|| {
            let name = name.to_owned();
            self.locations.push(Location { name, init: 0 });
            self.locations.len() - 1
        })
    }

    /// The thread of this number.
    pub(super) fn thread(&mut self, number: i64) -> Result<usize, Wrong> {
        match usize::try_from(number) {
            Ok(thread) if thread < MOST => {
                let threads = self.threads.len().max(thread + 1);
                self.threads.resize(threads, Thread::default());
                Ok(thread)
            }
            _ => Err(Wrong::unsupported(
                "many threads",
                format!("there is no thread {number}; a test has at most {MOST}"),
            )),
        }
    }

    /// The register of this name, or the value that it always has.
    pub(super) fn register(&mut self, thread: usize, name: &str) -> Result<Operand, Wrong> {
        let canonical = match self.isa {
            Isa::X86 => x86::register(name),
            Isa::Riscv => riscv::register(name),
        };
        let Some(canonical) = canonical else {
            return Err(Wrong::malformed(format!(
                "{name} is no register of 64 or 32 bits; name one of the architecture's"
            )));
        };
        if canonical == riscv::ZERO {
            return Ok(Operand::Value(0));
        }
        let Thread {
            registers, init, ..
        } = &mut self.threads[thread];
        let known = registers.iter().position(|known| *known == canonical);
        Ok(Operand::Register(known.unwrap_or_else(|| {
            registers.push(canonical);
            init.push(0);
            registers.len() - 1
        })))
    }

    /// The register of this name as a destination; `None` for one that is always 0.
    pub(super) fn destination(
        &mut self,
        thread: usize,
        name: &str,
    ) -> Result<Option<usize>, Wrong> {
        Ok(match self.register(thread, name)? {
            Operand::Register(register) => Some(register),
            Operand::Value(_) => None,
        })
    }
}

/// Code of a thread while it is read.
#[derive(Default)]
pub(super) struct Code {
    pub(super) instrs: Vec<Instr>,
    labels: BTreeMap<String, usize>,
    /// Branches whose label comes later: instruction, label, line.
    open: Vec<(usize, String, usize)>,
}

impl Code {
    /// Adds a branch to a label.
    pub(super) fn branch(&mut self, when: Branch, a: Operand, b: Operand, label: &str) {
        self.open.push((self.instrs.len(), label.to_owned(), 0));
        self.instrs.push(Instr::Branch {
            when,
            a,
            b,
            target: usize::MAX,
        });
    }

    fn close(mut self) -> Result<Vec<Instr>, (Wrong, usize)> {
        for (index, label, line) in self.open {
            let Some(&place) = self.labels.get(&label) else {
                let reason = format!("there is no label {label} in this thread; add one");
                return Err((Wrong::malformed(reason), line));
            };
            if place <= index {
                let reason = format!(
                    "the branch to {label} goes back: a loop has no bound; write its turns out"
                );
                return Err((Wrong::unsupported("loops", reason), line));
            }
            if let Instr::Branch { target, .. } = &mut self.instrs[index] {
                *target = place;
            }
        }
        Ok(self.instrs)
    }
}

/// Reads the `.litmus` text of a file called `file`.
///
/// # Errors
/// The first thing that is wrong, or is not supported.
pub fn parse(file: &str, text: &str) -> Result<Test, Error> {
    parse_text(text).map_err(|(wrong, line)| wrong.at(file, line))
}

fn parse_text(text: &str) -> Result<Test, (Wrong, usize)> {
    let (isa, name) = head(text)?;
    let open = state_begins(text)?;
    let text = &format!("{}{}", &text[..open], without_comments(text, open)?);
    let close = text[open..]
        .find('}')
        .ok_or_else(|| (Wrong::malformed(NO_STATE), line_of(text, open)))?
        + open;
    let mut scope = Scope {
        isa,
        locations: Vec::new(),
        threads: Vec::new(),
    };
    initial_state(&mut scope, &text[open + 1..close], line_of(text, open))?;
    let threads_end = trailer(text, close + 1)?;
    let threads = &text[close + 1..threads_end];
    columns(&mut scope, threads, line_of(text, close))?;

    let mut tokens = Tokens::new(&text[threads_end..], line_of(text, threads_end))?;
    let asked = asked(&mut scope, &mut tokens).map_err(|wrong| (wrong, tokens.line()))?;
    if scope.threads.iter().any(|thread| thread.code.is_empty()) {
        let reason = "the initial state or the condition speaks of a thread that has no column; \
                      remove that or add the column";
        return Err((Wrong::malformed(reason), 0));
    }
    if scope.locations.len() > MOST {
        let reason = format!("the test has more than {MOST} variables");
        return Err((Wrong::unsupported("many variables", reason), 0));
    }
    let mut test = Test {
        name,
        isa,
        locations: scope.locations,
        threads: scope.threads,
        observed: asked.observed,
        filter: asked.filter,
        quantifier: asked.quantifier,
        condition: asked.condition,
    };
    let mut observed = std::mem::take(&mut test.observed);
    observed.sort_by_cached_key(|&item| match item {
        Item::Register(thread, _) => (0, thread, natural(&test.item(item))),
        Item::Location(_) => (1, 0, natural(&test.item(item))),
    });
    observed.dedup();
    test.observed = observed;
    Ok(test)
}

const NO_STATE: &str = "the test has no initial state in braces; give one, if only { }";

/// A name in an order in which x10 comes after x9.
fn natural(name: &str) -> (String, u64, String) {
    let digits = name.trim_end_matches(']');
    let start = digits.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let number = digits[start..].parse().unwrap_or(0);
    (digits[..start].to_owned(), number, name.to_owned())
}

/// Where the initial state begins: lines before it say what they want.
fn state_begins(text: &str) -> Result<usize, (Wrong, usize)> {
    let lines = text.split_inclusive('\n').scan(0, |at, line| {
        let begin = *at;
        *at += line.len();
        Some((begin, line))
    });
    let opens = |(at, line): (usize, &str)| line.trim_start().starts_with('{').then_some(at);
    lines
        .filter_map(opens)
        .next()
        .map(|at| at + text[at..].find('{').unwrap_or(0))
        .ok_or_else(|| (Wrong::malformed(NO_STATE), line_of(text, text.len())))
}

/// The text behind the head, with blanks for comments `(* ... *)`, which nest.
fn without_comments(text: &str, from: usize) -> Result<String, (Wrong, usize)> {
    let (mut out, mut depth, mut begin) = (String::with_capacity(text.len()), 0, 0);
    let mut chars = text[from..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let (opens, closes) = (c == '(' && next == Some('*'), c == '*' && next == Some(')'));
        if opens || (closes && depth > 0) {
            if opens && depth == 0 {
                begin = from + at;
            }
            depth = if opens { depth + 1 } else { depth - 1 };
            chars.next();
            out.push_str("  ");
        } else if depth > 0 && c != '\n' {
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    match depth {
        0 => Ok(out),
        _ => Err((
            Wrong::malformed("the comment that begins here has no end; add `*)`"),
            line_of(text, begin),
        )),
    }
}

/// The number of the line that holds a byte.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text[..byte].matches('\n').count()
}

fn head(text: &str) -> Result<(Isa, String), (Wrong, usize)> {
    let first = text.lines().position(|line| !line.trim().is_empty());
    let line = first.unwrap_or(0);
    let mut words = text.lines().nth(line).unwrap_or("").split_whitespace();
    let fail = |wrong| Err((wrong, line + 1));
    let isa = match words.next() {
        Some("X86_64") => Isa::X86,
        Some("RISCV") => Isa::Riscv,
        Some(other @ ("X86" | "AArch64" | "ARM" | "PPC" | "MIPS" | "LISA" | "C" | "Bell")) => {
            return fail(Wrong::unsupported(
                format!("architecture {other}"),
                format!("tests of {other} are not read; give one of X86_64 or RISCV"),
            ));
        }
        _ => {
            let reason = "a litmus test begins with its architecture and name, like `X86_64 SB` or `RISCV SB`";
            return fail(Wrong::malformed(reason));
        }
    };
    match words.next() {
        Some(name) => Ok((isa, name.to_owned())),
        None => fail(Wrong::malformed(
            "the test has no name; write one behind the architecture",
        )),
    }
}

/// Where the condition and what belongs to it begin.
fn trailer(text: &str, from: usize) -> Result<usize, (Wrong, usize)> {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        let word = line.trim_start();
        let begins = |trailer: &&str| {
            word.strip_prefix(*trailer)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == ':'))
        };
        if TRAILERS.iter().any(begins) {
            return Ok(at);
        }
        at += line.len();
    }
    Err((
        Wrong::malformed("the test has no condition; end it with exists, ~exists or forall"),
        line_of(text, text.len()),
    ))
}

/// Reads `uint64_t x; int *p = &z; 0:x5=x; y=1;`.
fn initial_state(scope: &mut Scope, text: &str, line: usize) -> Result<(), (Wrong, usize)> {
    let mut tokens = Tokens::new(text, line)?;
    while tokens.peek().is_some() {
        if !tokens.take(";") {
            let line = tokens.line();
            declaration(scope, &mut tokens).map_err(|wrong| (wrong, line))?;
        }
    }
    Ok(())
}

fn declaration(scope: &mut Scope, tokens: &mut Tokens) -> Result<(), Wrong> {
    // A type: names and stars before the last name, which is what is declared.
    let mut last = None;
    let item = loop {
        match tokens.peek() {
            Some(Token::Name(name)) => {
                last = Some(name.clone());
                tokens.next();
            }
            Some(Token::Sign("*")) => {
                last = None;
                tokens.next();
            }
            Some(Token::Sign("[")) if last.is_some() => {
                return Err(Wrong::unsupported(
                    "arrays",
                    "arrays are not supported; use variables",
                ));
            }
            Some(Token::Number(_) | Token::Sign("[")) => break condition::item(tokens, scope)?,
            _ => match last {
                Some(name) => break Item::Location(scope.location(&name)),
                None => return Err(tokens.unexpected("a variable or a register like 0:x5")),
            },
        }
    };
    let value = match tokens.take("=") {
        true => condition::value(tokens, scope)?,
        false => 0,
    };
    match item {
        Item::Register(thread, register) => scope.threads[thread].init[register] = value,
        Item::Location(location) => scope.locations[location].init = value,
    }
    match tokens.peek() {
        None | Some(Token::Sign(";")) => Ok(()),
        Some(_) => Err(tokens.unexpected("`;`")),
    }
}

/// Reads the threads, which stand side by side.
fn columns(scope: &mut Scope, text: &str, line: usize) -> Result<(), (Wrong, usize)> {
    let mut line = line;
    let mut codes: Vec<Code> = Vec::new();
    for row in text.split_inclusive(';') {
        let Some(cells) = row.strip_suffix(';') else {
            if row.trim().is_empty() {
                break;
            }
            return Err((
                Wrong::malformed("a row of instructions ends with `;`; add it"),
                line + row.trim_end().matches('\n').count(),
            ));
        };
        line += cells.matches('\n').count();
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        if codes.is_empty() {
            for (index, cell) in cells.iter().enumerate() {
                if *cell != format!("P{index}") {
                    let reason = format!(
                        "`{cell}` where the column of thread {index} begins; head it with P{index}"
                    );
                    return Err((Wrong::malformed(reason), line));
                }
                scope.thread(index as i64).map_err(|wrong| (wrong, line))?;
                codes.push(Code::default());
            }
            continue;
        }
        if cells.len() != codes.len() {
            let (has, wants) = (cells.len(), codes.len());
            let reason = format!("a row of {has} columns among {wants}; write one cell a thread");
            return Err((Wrong::malformed(reason), line));
        }
        for (thread, cell) in cells.into_iter().enumerate() {
            instruction(scope, thread, &mut codes[thread], cell, line)
                .map_err(|wrong| (wrong, line))?;
        }
    }
    if codes.is_empty() {
        let reason = "the test has no threads; head their columns with P0 | P1 ;";
        return Err((Wrong::malformed(reason), line));
    }
    for (thread, code) in codes.into_iter().enumerate() {
        scope.threads[thread].code = code.close()?;
    }
    Ok(())
}

/// Reads a cell: labels and an instruction, each if any.
fn instruction(
    scope: &mut Scope,
    thread: usize,
    code: &mut Code,
    cell: &str,
    line: usize,
) -> Result<(), Wrong> {
    let mut cell = cell;
    while let Some((label, rest)) = cell.split_once(':') {
        let label = label.trim().to_owned();
        if code
            .labels
            .insert(label.clone(), code.instrs.len())
            .is_some()
        {
            return Err(Wrong::malformed(format!(
                "the label {label} stands twice in this thread; rename one"
            )));
        }
        cell = rest.trim();
    }
    if cell.is_empty() {
        return Ok(());
    }
    let open = code.open.len();
    match scope.isa {
        Isa::X86 => x86::instruction(scope, thread, code, cell)?,
        Isa::Riscv => riscv::instruction(scope, thread, code, cell)?,
    }
    code.open[open..]
        .iter_mut()
        .for_each(|branch| branch.2 = line);
    Ok(())
}

/// What a test asks.
struct Asked {
    observed: Vec<Item>,
    filter: Option<Prop>,
    quantifier: Quantifier,
    condition: Prop,
}

fn asked(scope: &mut Scope, tokens: &mut Tokens) -> Result<Asked, Wrong> {
    let (mut observed, mut filter) = (Vec::new(), None);
    let quantifier = loop {
        if tokens.take_name("locations") {
            tokens.expect("[")?;
            while !tokens.take("]") {
                observed.push(condition::item(tokens, scope)?);
                let _ = tokens.take(";");
            }
        } else if tokens.take_name("filter") {
            filter = Some(Prop::read(tokens, scope)?);
        } else if tokens.take_name("exists") {
            break Quantifier::Exists;
        } else if tokens.take_name("forall") {
            break Quantifier::Forall;
        } else if tokens.take("~") && tokens.take_name("exists") {
            break Quantifier::NotExists;
        } else {
            return Err(tokens.unexpected("exists, ~exists or forall"));
        }
    };
    let condition = Prop::read(tokens, scope)?;
    if tokens.peek().is_some() {
        return Err(tokens.unexpected("the end of the condition"));
    }
    observed.extend(condition.items());
    Ok(Asked {
        observed,
        filter,
        quantifier,
        condition,
    })
}

impl Test {
    /// The final state of registers and variables; `None` if the test's filter leaves it out.
    pub(super) fn final_state(&self, value: &impl Fn(Item) -> i64) -> Option<FinalState> {
        let counts = self
            .filter
            .as_ref()
            .is_none_or(|filter| filter.holds(value));
        counts.then(|| self.observed.iter().map(|&item| value(item)).collect())
    }
}
