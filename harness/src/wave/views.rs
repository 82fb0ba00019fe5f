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

/// The kinds of tracks by what is in the names of their scopes, and what heads them.
const KINDS: [(&str, &str); 3] = [
    ("node", "what nodes wait for"),
    ("home", "what homes work at"),
    ("port", "packets on ports"),
];

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
        let mut groups: Vec<Group> = KINDS
            .iter()
            .map(|&(kind, title)| Group {
                title: title.to_string(),
                signals: (scopes(tracks))
                    .filter(|scope| scope.identifier.contains(kind))
                    .flat_map(|scope| {
                        signals(scope, &format!("{SCOPE}.{}", scope.identifier), |_| true)
                    })
                    .collect(),
            })
            .filter(|group| !group.signals.is_empty())
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
             [timestart] 0\n[size] 1600 900\n*-16.000000 0 -1\n[pos] -1 -1\n[treeopen] {SCOPE}.\n[treeopen] {SWITCH}.\n\
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
                // GTKWave shows what is behind the last dot, which all ports have.
                let _ = match name.strip_prefix(SCOPE).and_then(|n| n.strip_prefix('.')) {
                    Some(short) => {
                        let short = short.replace('.', " ");
                        writeln!(text, "@{flags}\n+{{{short}}} {name}")
                    }
                    None => writeln!(text, "@{flags}\n{name}{range}"),
                };
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
        $scope module tracks $end\n\
        $scope module port0 $end\n$var string 1 ! in $end\n$upscope $end\n\
        $scope module node1 $end\n$var string 1 # open0 $end\n$upscope $end\n\
        $upscope $end\n\
        $scope module supernode $end\n$var wire 1 $ clk_i $end\n\
        $var wire 8 % rx_valid_i [7:0] $end\n$var wire 8 & other [7:0] $end\n$upscope $end\n\
        $enddefinitions $end\n";

    #[test]
    fn viewers_are_shown_every_track_and_the_wires_of_the_ports() {
        let view = View::read("a.vcd", HEADER.as_bytes()).expect("readable");
        assert_eq!(
            view.surfer(),
            "divider_add what nodes wait for\nvariable_add tracks.node1.open0\n\
             divider_add packets on ports\nvariable_add tracks.port0.in\n\
             divider_add wires\nvariable_add supernode.clk_i\n\
             variable_add supernode.rx_valid_i\nzoom_fit\n"
        );
        let gtkwave = view.gtkwave(Path::new("a.vcd"));
        assert!(gtkwave.starts_with(OURS) && gtkwave.contains("[dumpfile] \"a.vcd\"\n"));
        assert!(
            gtkwave.contains("@820\n+{port0 in} tracks.port0.in\n"),
            "{gtkwave}"
        );
        assert!(
            gtkwave.contains("@22\nsupernode.rx_valid_i[7:0]\n"),
            "{gtkwave}"
        );
        assert!(!gtkwave.contains("other"));
        assert_eq!(
            gtkwave.matches("@800200").count(),
            gtkwave.matches("@1000200").count()
        );
    }

    #[test]
    fn a_file_without_tracks_is_refused_in_one_sentence() {
        let text = "$scope module top $end $upscope $end $enddefinitions $end\n";
        let error = View::read("a.vcd", text.as_bytes())
            .expect_err("no tracks")
            .to_string();
        assert!(error.starts_with("a.vcd: no transaction tracks"), "{error}");
    }
}
