//! Writes a VCD file again with tracks in it.

use std::io::{self, BufRead, Write};

use vcd::IdCode;

use super::super::scan::CYCLES;
use super::{Events, SCOPE, SWITCH, Track, escaped, retime};

/// The scope that Verilator puts around the design.
const TOP: &str = "TOP";
/// Where the constants of packages go, which Verilator puts before everything else.
const PACKAGES: &str = "packages";

/// Copies `input` to `output` with the tracks, and with times in cycles.
pub(super) fn merge(
    mut input: impl BufRead,
    mut output: impl Write,
    events: &Events,
    first: u64,
) -> io::Result<()> {
    let codes = header(&mut input, &mut output, &events.tracks)?;
    let mut changes = events.changes.iter().peekable();
    let mut line = Vec::new();
    let mut begun = false;
    while {
        line.clear();
        input.read_until(b'\n', &mut line)? != 0
    } {
        let Some(time) = line.strip_prefix(b"#").and_then(number) else {
            output.write_all(&line)?;
            continue;
        };
        let time = retime(time, first);
        writeln!(output, "#{time}")?;
        if !begun {
            for code in &codes {
                writeln!(output, "s{} {code}", escaped(super::IDLE))?;
            }
            begun = true;
        }
        while let Some((_, track, value)) = changes.next_if(|change| change.0 <= time) {
            writeln!(output, "s{} {}", escaped(value), codes[*track])?;
        }
    }
    output.flush()
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

/// Copies the header: the tracks first, then the design under a name of its own, its packages last.
/// Answers with the tracks' identifiers.
fn header(
    input: &mut impl BufRead,
    output: &mut impl Write,
    tracks: &[Track],
) -> io::Result<Vec<IdCode>> {
    let mut lines = Vec::new();
    let mut line = String::new();
    while input.read_line(&mut line)? != 0 {
        let end = line.contains("$enddefinitions");
        lines.push(std::mem::take(&mut line));
        if end {
            break;
        }
    }
    let used = lines.iter().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("$var")).then(|| words.nth(2)?.parse::<IdCode>().ok())?
    });
    let mut next = used.max().map_or(IdCode::FIRST, |last| last.next());
    let codes: Vec<IdCode> = (tracks.iter())
        .map(|_| {
            let code = next;
            next = next.next();
            code
        })
        .collect();

    let mut packages = String::new();
    let mut depth = 0;
    let mut in_package = false;
    for line in &lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["$timescale", ..] => {
                writeln!(output, "$timescale 100ps $end\n$comment {CYCLES} $end")?;
                scopes(output, tracks, &codes)?;
                continue;
            }
            ["$scope", _, name, ..] => {
                depth += 1;
                if depth == 1 && name == TOP {
                    writeln!(output, " $scope module {SWITCH} $end")?;
                    continue;
                }
                in_package |= depth == 2 && name.ends_with("_pkg");
            }
            ["$upscope", ..] => {
                depth -= 1;
                if depth == 0 && !packages.is_empty() {
                    write!(
                        output,
                        "  $scope module {PACKAGES} $end\n{packages}  $upscope $end\n"
                    )?;
                    packages.clear();
                }
            }
            _ => {}
        }
        if in_package {
            packages.push_str(line);
            in_package = !(depth == 1 && words.first() == Some(&"$upscope"));
        } else {
            output.write_all(line.as_bytes())?;
        }
    }
    Ok(codes)
}

/// Declares the tracks, those of one scope together.
fn scopes(output: &mut impl Write, tracks: &[Track], codes: &[IdCode]) -> io::Result<()> {
    writeln!(output, " $scope module {SCOPE} $end")?;
    let mut open: Option<&str> = None;
    for (track, code) in tracks.iter().zip(codes) {
        if open != Some(&track.scope) {
            if open.is_some() {
                writeln!(output, "  $upscope $end")?;
            }
            writeln!(output, "  $scope module {} $end", track.scope)?;
            open = Some(&track.scope);
        }
        writeln!(output, "   $var string 1 {code} {} $end", track.name)?;
    }
    if open.is_some() {
        writeln!(output, "  $upscope $end")?;
    }
    writeln!(output, " $upscope $end")
}
