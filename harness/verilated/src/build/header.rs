//! The ports of a model, from the header that Verilator writes.
//!
//! The lines look like `VL_IN8(&valid_i,0,0);`, `VL_OUTW(&data_o,199,0,7);` or, for an unpacked
//! array, `VL_IN16((&lane_i)[4][2],11,0);` and are the same in all of Verilator 5.

use super::error::Error;
use crate::port::{Dir, Port};
use std::path::Path;

/// One port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPort {
    /// Name in the source.
    pub name: String,
    /// Name of the C++ member, in which Verilator encodes unusual characters.
    pub member: String,
    pub dir: Dir,
    pub msb: u32,
    pub lsb: u32,
    pub dims: Vec<usize>,
}

impl HeaderPort {
    /// Width, words and stride are those of [`Port`].
    pub fn shape(&self) -> Port {
        Port {
            name: "",
            dir: self.dir,
            msb: self.msb,
            lsb: self.lsb,
            dims: &[],
        }
    }

    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }
}

/// Read the ports from the text of a model's header.
pub fn ports(text: &str, file: &Path) -> Result<Vec<HeaderPort>, Error> {
    let wrong = |reason: String| Error::Output {
        file: file.to_path_buf(),
        reason,
    };
    let section = text
        .split_once("// PORTS")
        .and_then(|(_, rest)| rest.split_once("// CELLS"))
        .ok_or_else(|| wrong("it has no section of ports".into()))?
        .0;
    section
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| port(line).ok_or_else(|| wrong(format!("a port of unsupported type: {line}"))))
        .collect()
}

fn port(line: &str) -> Option<HeaderPort> {
    let (kind, rest) = line.strip_prefix("VL_")?.split_once('(')?;
    let dir = match kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W') {
        "IN" => Dir::In,
        "OUT" => Dir::Out,
        "INOUT" => Dir::InOut,
        _ => return None,
    };
    let mut fields = rest.strip_suffix(");")?.split(',');
    let declarator = fields.next()?.replace(['(', ')', '&', ' '], "");
    let (a, b): (u32, u32) = (
        fields.next()?.trim().parse().ok()?,
        fields.next()?.trim().parse().ok()?,
    );
    let mut parts = declarator.split('[');
    let member = parts.next()?.to_string();
    let dims = parts
        .map(|part| part.strip_suffix(']')?.parse().ok())
        .collect::<Option<Vec<usize>>>()?;
    Some(HeaderPort {
        name: decode(&member),
        member,
        dir,
        msb: a.max(b),
        lsb: a.min(b),
        dims,
    })
}

/// Undo Verilator's encoding of characters as `__0` and two hexadecimal digits.
fn decode(member: &str) -> String {
    let mut name = String::new();
    let mut rest = member;
    while let Some((before, after)) = rest.split_once("__0") {
        name.push_str(before);
        match after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(code) => {
                name.push(char::from(code));
                rest = &after[2..];
            }
            None => {
                name.push_str("__0");
                rest = after;
            }
        }
    }
    name.push_str(rest);
    name
}
