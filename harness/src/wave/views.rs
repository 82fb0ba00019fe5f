//! What viewers are told to show of a waveform: a save file for GTKWave, a command file for Surfer.
//!
//! Both name the tracks ([`super::tracks`]) port by port, node by node and home by home, and after
//! them clock, reset and the wires of the ports.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use vcd::{Scope, ScopeItem, VarType};

use super::tracks::{SCOPE, SWITCH};
use super::{WaveError, header};
use crate::report::file::OutFile;

/// The signals of a waveform that one looks at first, with their names in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    groups: Vec<Group>,
}

/// Signals of one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    title: String,
    /// Name in full, bits, and whether it is a string.
    signals: Vec<(String, u32, bool)>,
}

/// How GTKWave's files begin that this project has made.
const OURS: &str = "[*] Supernode";

/// Writes what viewers are to show of a VCD file beside it: of `run.vcd`, `run.gtkw` and `run.sucl`.
/// A `run.gtkw` that GTKWave has saved stays. What is no plain file has nothing beside it.
///
/// # Errors
/// One sentence if the waveform cannot be read or a file cannot be written.
pub fn write_beside(vcd: &Path) -> Result<(), String> {
    if !vcd.is_file() {
        return Ok(());
    }
    let name = vcd.display().to_string();
    let input = File::open(vcd).map_err(|e| format!("{name}: cannot be opened: {e}"))?;
    let view = View::read(&name, BufReader::new(input)).map_err(|error| error.to_string())?;
    let gtkw = vcd.with_extension("gtkw");
    let kept = std::fs::read_to_string(&gtkw).is_ok_and(|text| !text.starts_with(OURS));
    if !kept {
        OutFile::create(&gtkw)?.write(view.gtkwave(vcd).as_bytes())?;
    }
    OutFile::create(&vcd.with_extension("sucl"))?.write(view.surfer().as_bytes())
}

/// The wires that are shown, of those of the switch.
const WIRES: [&str; 10] = [
    "clk_i",
    "rst_ni",
    "rx_valid_i",
    "rx_class_i",
    "rx_head_i",
    "rx_credit_o",
    "tx_valid_o",
    "tx_class_o",
    "tx_head_o",
    "tx_credit_i",
];

impl View {
    /// Looks at the header of a VCD file; `name` is the file's name for messages.
    ///
    /// # Errors
    /// If it is no VCD file, or one without tracks.
    pub fn read(name: &str, input: impl BufRead) -> Result<View, WaveError> {
        let not_vcd = |e: std::io::Error| {
            WaveError(format!(
                "{name}: not a VCD file: {e}; give a file written with --vcd"
            ))
        };
        let mut parser = vcd::Parser::new(header::plain(input).map_err(not_vcd)?);
        let header = parser.parse_header().map_err(not_vcd)?;
        let scope = |name: &str| {
            header.items.iter().find_map(|item| match item {
                ScopeItem::Scope(scope) if scope.identifier == name => Some(scope),
                _ => None,
            })
        };
        let (Some(tracks), Some(switch)) = (scope(SCOPE), scope(SWITCH)) else {
            return Err(WaveError(format!(
                "{name}: no transaction tracks in this VCD file; give a file written with --vcd"
            )));
        };
        let mut groups: Vec<Group> = scopes(tracks)
            .map(|scope| Group {
                title: title(&scope.identifier),
                signals: signals(scope, &format!("{SCOPE}.{}", scope.identifier), |_| true),
            })
            .collect();
        groups.push(Group {
            title: "wires".to_string(),
            signals: signals(switch, SWITCH, |name| WIRES.contains(&name)),
        });
        Ok(View { groups })
    }

    /// The save file for GTKWave; `vcd` is what it opens.
    pub fn gtkwave(&self, vcd: &Path) -> String {
        let mut text = format!(
            "{OURS}: transaction tracks and wires; 1 ns is one cycle\n[dumpfile] \"{}\"\n\
             [timestart] 0\n[size] 1600 900\n[pos] -1 -1\n[treeopen] {SCOPE}.\n[treeopen] {SWITCH}.\n\
             [sst_width] 180\n[signals_width] 190\n[sst_expanded] 1\n",
            vcd.display()
        );
        for group in &self.groups {
            let _ = writeln!(text, "@800200\n-{}", group.title);
            for (name, bits, is_string) in &group.signals {
                // Strings as text, single wires in binary, the rest in hexadecimal.
                let (flags, range) = match (is_string, bits) {
                    (true, _) => ("820", String::new()),
                    (false, 1) => ("28", String::new()),
                    (false, bits) => ("22", format!("[{}:0]", bits - 1)),
                };
                let _ = writeln!(text, "@{flags}\n{name}{range}");
            }
            let _ = writeln!(text, "@1000200\n-{}", group.title);
        }
        text
    }

    /// The command file for Surfer, which opens the waveform itself.
    pub fn surfer(&self) -> String {
        let mut text = String::new();
        for group in &self.groups {
            let _ = writeln!(text, "divider_add {}", group.title);
            for (name, ..) in &group.signals {
                let _ = writeln!(text, "variable_add {name}");
            }
        }
        text.push_str("zoom_fit\n");
        text
    }
}

fn scopes(scope: &Scope) -> impl Iterator<Item = &Scope> {
    scope.items.iter().filter_map(|item| match item {
        ScopeItem::Scope(scope) => Some(scope),
        _ => None,
    })
}

fn signals(scope: &Scope, path: &str, wanted: impl Fn(&str) -> bool) -> Vec<(String, u32, bool)> {
    let variables = scope.items.iter().filter_map(|item| match item {
        ScopeItem::Var(var) if wanted(&var.reference) => Some((
            format!("{path}.{}", var.reference),
            var.size,
            var.var_type == VarType::String,
        )),
        _ => None,
    });
    variables.collect()
}

/// `port 3` of `port3`.
fn title(scope: &str) -> String {
    match scope.find(|c: char| c.is_ascii_digit()) {
        Some(at) if !scope.contains('_') => format!("{} {}", &scope[..at], &scope[at..]),
        _ => scope.to_string(),
    }
}
