//! The switch's pins over the times of a VCD file.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::signals::{self, Lookup, Signals};
use super::{Summary, WaveError, header};

/// The comment of a file whose times are made of cycles: 1 ns is a cycle, and the clock edge of
/// cycle n is at n ns. Such a file may begin in any cycle.
pub(super) const CYCLES: &str = "supernode: the clock edge of cycle N is at N ns";
/// Units of time from one clock edge to the next in a file with that comment.
pub(super) const UNITS: u64 = 10;

/// The pins at one time, all changes of which are in.
pub(super) struct Sample<'a> {
    pub(super) signals: &'a Signals,
    /// In units of the file.
    pub(super) time: u64,
    /// The cycle whose clock edge this is, if it is one outside of reset.
    pub(super) edge: Option<u64>,
}

/// Goes through a VCD file and shows the pins at each time, until the end or until `each` breaks.
/// The packets of the summary are for the caller to count.
pub(super) fn scan(
    name: &str,
    input: impl BufRead,
    mut each: impl FnMut(&Sample<'_>) -> ControlFlow<()>,
) -> Result<Summary, WaveError> {
    let not_vcd = |e: std::io::Error| {
        WaveError(format!(
            "{name}: not a VCD file: {e}; give a file written with --vcd"
        ))
    };
    let mut parser = vcd::Parser::new(header::plain(input).map_err(not_vcd)?);
    let header = parser.parse_header().map_err(not_vcd)?;
    let (mut signals, lookup) = signals::find(&header).map_err(|e| {
        WaveError(format!(
            "{name}: no switch in this VCD file: {e}; give a file written with --vcd"
        ))
    })?;
    let in_cycles =
        (header.items.iter()).any(|item| matches!(item, vcd::ScopeItem::Comment(c) if c == CYCLES));
    let mut summary = Summary {
        ports: signals.ports,
        cycles: 0,
        packets: 0,
    };
    let (mut time, mut clock_was_high) = (0, true);
    loop {
        let command = parser.next().transpose().map_err(|e| {
            WaveError(format!(
                "{name}:{}: damaged VCD file: {e}; write it again",
                parser.line()
            ))
        })?;
        match command {
            Some(vcd::Command::ChangeScalar(id, value)) => {
                set(&mut signals, &lookup, id, &[value].into());
            }
            Some(vcd::Command::ChangeVector(id, ref value)) => {
                set(&mut signals, &lookup, id, value);
            }
            // All changes of a point in time are in: look at it.
            Some(vcd::Command::Timestamp(_)) | None => {
                let high = signals.clock.bit(0);
                let rises = high && !clock_was_high && signals.reset_n.bit(0);
                clock_was_high = high;
                summary.cycles += u64::from(rises);
                let cycle = if in_cycles {
                    time / UNITS
                } else {
                    summary.cycles
                };
                let sample = Sample {
                    signals: &signals,
                    time,
                    edge: rises.then_some(cycle),
                };
                if each(&sample).is_break() {
                    return Ok(summary);
                }
                match command {
                    Some(vcd::Command::Timestamp(next)) => time = next,
                    _ => return Ok(summary),
                }
            }
            Some(_) => {}
        }
    }
}

/// Puts a change into the signals it belongs to.
fn set(signals: &mut Signals, lookup: &Lookup, id: vcd::IdCode, value: &vcd::Vector) {
    for &pin in lookup.get(&id).into_iter().flatten() {
        signals.pin(pin).set(value);
    }
}
