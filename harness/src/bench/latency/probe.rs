//! When something was where inside the switch, out of a waveform.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use vcd::{Command, IdCode, ScopeItem, Value};

/// A place that a word passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The pins from the node on a port.
    Rx(usize),
    /// Behind the check of framing and header, by crossbar port.
    Checked(usize),
    /// The way into the buffer of the crossbar, by crossbar port: the route is known.
    Routed(usize),
    /// The register behind the crossbar, which is the pins to a node or the way into a home.
    Tx(usize),
}

impl Place {
    /// The signal that shows it, and its bit; no bit is the highest, where words have their `valid`.
    fn signal(self) -> (String, Option<usize>) {
        match self {
            Place::Rx(port) => ("rx_valid_i".into(), Some(port)),
            Place::Checked(x) => (format!("checked[{x}]"), None),
            Place::Routed(x) => ("write".into(), Some(x)),
            Place::Tx(x) => (format!("tx[{x}]"), None),
        }
    }
}

/// The cycles in which words were in some places, in ascending order. Cycle 1 ends with the first
/// rising edge of the clock outside of reset.
pub type Seen = BTreeMap<Place, Vec<u64>>;

/// A signal that is looked for.
struct Probe {
    width: usize,
    bits: Vec<(Place, usize)>,
    /// Places whose bit is set now.
    set: Vec<bool>,
}

/// Reads a waveform of the switch.
///
/// # Errors
/// One sentence: the file cannot be read, or has no such signals.
pub fn read(path: &Path, places: &[Place]) -> Result<Seen, String> {
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    look(BufReader::new(file), places)
}

fn look(input: impl BufRead, places: &[Place]) -> Result<Seen, String> {
    let plain = crate::wave::header::plain(input).map_err(|e| e.to_string())?;
    let mut parser = vcd::Parser::new(plain);
    let header = parser.parse_header().map_err(|e| e.to_string())?;
    let signals = switch(&header.items).ok_or("no scope of the waveform is a switch")?;
    let code = |name: &str| {
        let var = signals.iter().find_map(|item| match item {
            ScopeItem::Var(var) if var.reference == name => Some(var),
            _ => None,
        });
        var.map(|var| (var.code, var.size as usize))
            .ok_or(format!("the switch has no signal {name}"))
    };
    let (clock, reset) = (code("clk_i")?.0, code("rst_ni")?.0);
    let mut probes: BTreeMap<IdCode, Probe> = BTreeMap::new();
    for &place in places {
        let (name, bit) = place.signal();
        let (code, width) = code(&name)?;
        let probe = probes.entry(code).or_insert(Probe {
            width,
            bits: Vec::new(),
            set: Vec::new(),
        });
        probe.bits.push((place, bit.unwrap_or(width - 1)));
        probe.set.push(false);
    }
    let mut seen: Seen = places.iter().map(|&place| (place, Vec::new())).collect();
    let (mut high, mut was_high, mut running, mut cycle) = (false, true, false, 0);
    loop {
        let command = parser.next().transpose().map_err(|e| e.to_string())?;
        match command {
            Some(Command::ChangeScalar(id, value)) => {
                let value = value == Value::V1;
                if id == clock {
                    high = value;
                }
                if id == reset {
                    running = value;
                }
                if let Some(probe) = probes.get_mut(&id) {
                    probe.set.fill(value);
                }
            }
            Some(Command::ChangeVector(id, ref value)) => {
                if let Some(probe) = probes.get_mut(&id) {
                    let values: Vec<Value> = value.iter().collect();
                    for ((_, bit), set) in probe.bits.iter().zip(&mut probe.set) {
                        debug_assert!(*bit < probe.width);
                        let index = values.len().checked_sub(1 + bit);
                        *set = index.is_some_and(|index| values[index] == Value::V1);
                    }
                }
            }
            Some(Command::Timestamp(_)) | None => {
                if running {
                    // The half of a cycle before its rising edge shows what the edge takes.
                    if was_high && !high {
                        cycle += 1;
                        note(&probes, cycle, &mut seen);
                    }
                    was_high = high;
                }
            }
            Some(_) => {}
        }
        if command.is_none() {
            return Ok(seen);
        }
    }
}

/// Puts down what is where in a cycle.
fn note(probes: &BTreeMap<IdCode, Probe>, cycle: u64, seen: &mut Seen) {
    for probe in probes.values() {
        for ((place, _), &set) in probe.bits.iter().zip(&probe.set) {
            if set && let Some(cycles) = seen.get_mut(place) {
                cycles.push(cycle);
            }
        }
    }
}

/// The signals of the first scope, outer before inner, that is a switch.
fn switch(items: &[ScopeItem]) -> Option<&[ScopeItem]> {
    let mut scopes = std::collections::VecDeque::from([items]);
    while let Some(items) = scopes.pop_front() {
        let has = |name: &str| {
            items
                .iter()
                .any(|item| matches!(item, ScopeItem::Var(var) if var.reference == name))
        };
        if has("rx_valid_i") && has("write") {
            return Some(items);
        }
        scopes.extend(items.iter().filter_map(|item| match item {
            ScopeItem::Scope(scope) => Some(&scope.items[..]),
            _ => None,
        }));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_seen_in_the_cycles_in_which_their_bit_is_set() {
        let file = "$scope module top $end
$var wire 1 c clk_i $end
$var wire 1 r rst_ni $end
$var wire 2 v rx_valid_i [1:0] $end
$var wire 2 w write [1:0] $end
$var wire 3 t tx[1] [2:0] $end
$upscope $end
$enddefinitions $end
#0
0c 0r b00 v b00 w b011 t
#1
1c
#2
0c 1r b10 v
#3
1c
#4
0c b00 v b10 w
#5
1c
#6
0c b00 w b100 t
#7
";
        let places = [Place::Rx(1), Place::Rx(0), Place::Routed(1), Place::Tx(1)];
        let seen = look(file.as_bytes(), &places).expect("a switch");
        let cycles: Vec<&[u64]> = places.iter().map(|place| &seen[place][..]).collect();
        assert_eq!(cycles, [&[1][..], &[], &[2], &[3]]);
        let missing = look(file.as_bytes(), &[Place::Checked(0)]);
        assert_eq!(missing, Err("the switch has no signal checked[0]".into()));
    }
}
