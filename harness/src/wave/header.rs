//! Headers that the `vcd` crate refuses although simulators write them.

use std::io::{self, BufRead, Cursor, Read};

/// Longest header taken, in bytes; that of the largest switch has about 1 MB.
const MAX_HEADER: u64 = 1 << 26;
/// The kinds of scopes of IEEE 1364, which the crate knows.
const KNOWN: [&str; 5] = ["module", "task", "function", "begin", "fork"];

/// The same file with scopes of other kinds (Verilator writes `struct`, for instance) as modules.
pub(crate) fn plain<R: BufRead>(mut input: R) -> io::Result<impl BufRead> {
    let mut header = String::new();
    let mut line = Vec::new();
    let mut limited = input.by_ref().take(MAX_HEADER);
    loop {
        line.clear();
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        header.push_str(&known_scope(&text));
        if text.contains("$enddefinitions") {
            break;
        }
    }
    Ok(Cursor::new(header.into_bytes()).chain(input))
}

/// The line with the kind of scope that it opens, if it does, made one that is known.
fn known_scope(line: &str) -> String {
    let mut words = line.split_whitespace();
    match (words.next(), words.next()) {
        (Some("$scope"), Some(kind)) if !KNOWN.contains(&kind) => line.replacen(kind, "module", 1),
        _ => line.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_other_kinds_become_modules_and_the_rest_stays() {
        let text = "$scope module top $end\n\t$scope struct s $end\n$upscope $end\n\
                    $enddefinitions $end\n$scope struct t\n\u{e9}";
        let mut read = String::new();
        plain(text.as_bytes())
            .and_then(|mut r| r.read_to_string(&mut read))
            .expect("in memory");
        assert_eq!(read, text.replacen("struct", "module", 1));
    }
}
