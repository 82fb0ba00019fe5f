//! `supernode wave`.

use std::fmt::Write;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::PathBuf;

use harness::wave::{self, HEADING, Transaction};

use crate::output::{self, Stop};

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// A VCD file of the switch, as written with --vcd.
    file: PathBuf,
    /// Only packets on this port; may be given several times.
    #[arg(long, value_name = "PORT")]
    port: Vec<usize>,
    /// Only packets about the line of this address, or of an address in FROM..TO.
    #[arg(long, value_name = "ADDR", value_parser = addresses)]
    addr: Option<RangeInclusive<u64>>,
}

/// Bytes gathered before they are printed.
const BATCH: usize = 1 << 16;

/// Prints the table.
pub fn run(args: &Args) -> Result<(), Stop> {
    let name = args.file.display().to_string();
    let file = std::fs::File::open(&args.file)
        .map_err(|e| Stop::Input(format!("{name}: cannot be opened: {e}")))?;
    let mut text = format!("{HEADING}\n");
    let mut stopped = None;
    let mut shown = 0u64;
    let input = std::io::BufReader::with_capacity(1 << 20, file);
    let summary = wave::read(&name, input, |transaction| {
        if !args.wants(transaction) {
            return ControlFlow::Continue(());
        }
        shown += 1;
        let _ = writeln!(text, "{transaction}");
        if text.len() >= BATCH {
            stopped = output::print(&std::mem::take(&mut text)).err();
        }
        match stopped {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    });
    if let Some(stop) = stopped {
        return Err(stop);
    }
    let summary = summary.map_err(|e| Stop::Input(e.to_string()))?;
    let _ = writeln!(
        text,
        "{shown} of {} packets in {} cycles on {} ports",
        summary.packets, summary.cycles, summary.ports
    );
    output::print(&text)
}

impl Args {
    fn wants(&self, transaction: &Transaction) -> bool {
        let on_port = self.port.is_empty() || self.port.contains(&transaction.port);
        let about = match (&self.addr, &transaction.header) {
            (None, _) => true,
            (Some(range), Ok(header)) => {
                let last = header.line() + flits::layout::LINE_BYTES as u64 - 1;
                *range.start() <= last && header.line() <= *range.end()
            }
            (Some(_), Err(_)) => false,
        };
        on_port && about
    }
}

/// `ADDR` or `FROM..TO`, in decimal or after 0x in hexadecimal.
fn addresses(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| {
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        parsed.map_err(|_| format!("{text} is no address; write one like 0x1000"))
    };
    match text.split_once("..") {
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            match to.checked_sub(1) {
                Some(last) if last >= from => Ok(from..=last),
                _ => Err(format!("{text} is empty; the second address is the end")),
            }
        }
        None => number(text).map(|addr| addr..=addr),
    }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn addresses_are_one_or_a_range_with_an_exclusive_end() {
        assert_eq!(addresses("0x40"), Ok(0x40..=0x40));
        assert_eq!(addresses("64..0x80"), Ok(0x40..=0x7f));
        assert!(addresses("0x80..0x80").is_err());
        assert!(addresses("1x").is_err());
        assert!(addresses("5..0").is_err());
    }
}
