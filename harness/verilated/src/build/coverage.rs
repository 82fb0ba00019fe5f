//! The coverage points of a model, from the C++ that registers them.
//!
//! Verilator writes one call per counter, wrapped over lines as it sees fit:
//! `__vlCoverInsert(&(vlSymsp->__Vcoverage[2]), first, "a.sv", 7, 2, ".a", "v_line/a", "block", "7-9");`

use super::error::Error;
use super::verilator::Job;
use std::fs;

/// Number of counters, and the table that [`crate::CoverPoint`] is read from.
#[derive(Debug, Default)]
pub struct Counters {
    pub count: usize,
    /// A line per counter; empty where Verilator does not say what it counts, as 5.006 does for
    /// all points but one of a package.
    pub table: String,
}

/// Replace the atomic counters that Verilator 5.006 uses even for a model of one thread. The name is
/// used for nothing else in what it generates.
pub fn plain_counters(job: &Job) -> Result<(), Error> {
    for entry in fs::read_dir(&job.dir).map_err(Error::io(&job.dir))? {
        let path = entry.map_err(Error::io(&job.dir))?.path();
        if path.extension().is_some_and(|e| e == "cpp" || e == "h") {
            let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
            let plain = text.replace("std::atomic<uint32_t>", "vrs::Counter");
            if plain != text {
                fs::write(&path, plain).map_err(Error::io(&path))?;
            }
        }
    }
    Ok(())
}

pub fn counters(job: &Job, sources: &[String]) -> Result<Counters, Error> {
    let header = job.output("__Syms.h");
    let text = fs::read_to_string(&header).map_err(Error::io(&header))?;
    let Some(count) = between(&text, "__Vcoverage[", "]").and_then(|n| n.parse().ok()) else {
        return Ok(Counters::default());
    };
    let mut points = vec![String::new(); count];
    for source in sources {
        let path = job.dir.join(source);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        for call in text
            .split("__vlCoverInsert(&(vlSymsp->__Vcoverage[")
            .skip(1)
        {
            let (index, point) = insertion(call).ok_or_else(|| Error::Output {
                file: path.clone(),
                reason: "a call of __vlCoverInsert of unknown form".into(),
            })?;
            if let Some(place) = points.get_mut(index) {
                *place = point;
            }
        }
    }
    let table = points.iter().flat_map(|point| [point, "\n"]).collect();
    Ok(Counters { count, table })
}

/// Read one call, from behind `__Vcoverage[`: the index, and the line of the table.
fn insertion(call: &str) -> Option<(usize, String)> {
    let (index, rest) = call.split_once("]),")?;
    let args = arguments(rest)?;
    // first, file, line, column, hierarchy, page, comment, lines
    let fields: Vec<_> = args
        .iter()
        .skip(1)
        .map(|a| a.replace(['\t', '\n'], " "))
        .collect();
    (fields.len() == 7).then_some(())?;
    Some((index.parse().ok()?, fields.join("\t")))
}

/// The arguments of a call up to its closing parenthesis, strings without their quotes.
fn arguments(text: &str) -> Option<Vec<String>> {
    let mut args = vec![String::new()];
    let mut chars = text.chars();
    loop {
        let arg = args.last_mut()?;
        match chars.next()? {
            '"' => loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => arg.push(chars.next()?),
                    c => arg.push(c),
                }
            },
            ',' => args.push(String::new()),
            ')' => return Some(args),
            c if c.is_whitespace() => {}
            c => arg.push(c),
        }
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
