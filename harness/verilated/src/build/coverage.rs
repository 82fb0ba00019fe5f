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
    pub table: String,
}

pub fn counters(job: &Job, sources: &[String]) -> Result<Counters, Error> {
    let header = job.output("__Syms.h");
    let text = fs::read_to_string(&header).map_err(Error::io(&header))?;
    let Some(count) = between(&text, "__Vcoverage[", "]").and_then(|n| n.parse().ok()) else {
        return Ok(Counters::default());
    };
    let mut points = vec![None; count];
    for source in sources {
        let path = job.dir.join(source);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        for call in text
            .split("__vlCoverInsert(&(vlSymsp->__Vcoverage[")
            .skip(1)
        {
            if let Some((index, point)) = insertion(call)
                && let Some(place) = points.get_mut(index)
            {
                *place = Some(point);
            }
        }
    }
    let points: Option<Vec<String>> = points.into_iter().collect();
    let points = points.ok_or_else(|| Error::Output {
        file: job.dir.clone(),
        reason: "it does not say what each coverage counter counts".into(),
    })?;
    Ok(Counters {
        count,
        table: points.concat(),
    })
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
    Some((index.parse().ok()?, format!("{}\n", fields.join("\t"))))
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
