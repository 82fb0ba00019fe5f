//! `supernode wave`.

use std::fmt::Write;
use std::fs::File;
use std::io::BufReader;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::PathBuf;

use flits::NodeId;
use harness::report::file::OutFile;
use harness::wave::flow::{Collector, Name};
use harness::wave::story::{Choice, Story};
use harness::wave::views::View;
use harness::wave::{self, HEADING, Transaction, fst};

use crate::output::{self, Stop};

/// Arguments of the command.
#[derive(clap::Args)]
pub struct Args {
    /// A VCD file of the switch, as written with --vcd.
    file: PathBuf,
    /// Only what is on this port; may be given several times.
    #[arg(long, value_name = "PORT")]
    port: Vec<usize>,
    /// The story of the line of this address, or of the lines in FROM..TO.
    #[arg(long, value_name = "ADDR", value_parser = addresses)]
    addr: Option<RangeInclusive<u64>>,
    /// The story of the transactions of this number of a node, like 1:0, or of this tracker of a
    /// home, like home1:3.
    #[arg(long, value_name = "NODE:TXN", value_parser = name)]
    follow: Option<Name>,
    /// Only from this cycle on.
    #[arg(long, value_name = "CYCLE")]
    from: Option<u64>,
    /// Only up to this cycle.
    #[arg(long, value_name = "CYCLE")]
    to: Option<u64>,
    /// Write the story as one HTML page with the sequence drawn.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what GTKWave is to show of the file, to be opened with it.
    #[arg(long, value_name = "FILE")]
    gtkw: Option<PathBuf>,
    /// Write what Surfer is to show of the file, for its --command-file.
    #[arg(long, value_name = "FILE")]
    surfer: Option<PathBuf>,
    /// Write the waveform in the small format FST; needs GTKWave's vcd2fst.
    #[arg(long, value_name = "FILE")]
    fst: Option<PathBuf>,
}

/// Bytes gathered before they are printed.
const BATCH: usize = 1 << 16;

/// Prints the table or the story, and writes what else is asked for.
pub fn run(args: &Args) -> Result<(), Stop> {
    let cycles = args.cycles()?;
    let shows = args.views()?;
    match (&args.addr, args.follow, &args.html) {
        // A command that only makes other files prints none.
        (None, None, None) if shows => Ok(()),
        (None, None, None) => args.table(&cycles),
        _ => args.story(cycles),
    }
}

impl Args {
    fn open(&self) -> Result<(String, BufReader<File>), Stop> {
        let name = self.file.display().to_string();
        let file = File::open(&self.file)
            .map_err(|e| Stop::Input(format!("{name}: cannot be opened: {e}")))?;
        Ok((name, BufReader::with_capacity(1 << 20, file)))
    }

    fn cycles(&self) -> Result<RangeInclusive<u64>, Stop> {
        let (from, to) = (self.from.unwrap_or(0), self.to.unwrap_or(u64::MAX));
        if from > to {
            let text = format!("--from {from} is after --to {to}; give the earlier cycle first");
            return Err(Stop::Input(text));
        }
        Ok(from..=to)
    }

    /// Every packet, one a row.
    fn table(&self, cycles: &RangeInclusive<u64>) -> Result<(), Stop> {
        let (name, input) = self.open()?;
        let mut text = format!("{HEADING}\n");
        let mut stopped = None;
        let mut shown = 0u64;
        let summary = wave::read(&name, input, |transaction| {
            let on_port = self.port.is_empty() || self.port.contains(&transaction.port);
            if !(on_port && cycles.contains(&transaction.cycle)) {
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

    /// The transactions of a line, or of one name.
    fn story(&self, cycles: RangeInclusive<u64>) -> Result<(), Stop> {
        let html = self.html.as_deref().map(OutFile::create).transpose();
        let html = html.map_err(Stop::Input)?;
        let (name, input) = self.open()?;
        let mut collector = Collector::default();
        let each = |transaction: &Transaction| {
            collector.push(transaction);
            ControlFlow::Continue(())
        };
        wave::read(&name, input, each).map_err(|e| Stop::Input(e.to_string()))?;
        let flows = collector.finish();
        let choice = Choice {
            addresses: self.addr.clone(),
            follow: self.follow,
            ports: self.port.clone(),
            cycles: Some(cycles),
        };
        let story = Story::new(&flows, &choice);
        if story.is_empty() {
            let text = format!(
                "{name}: no transaction is like that; without options every packet is shown"
            );
            return Err(Stop::Input(text));
        }
        if let Some(file) = html {
            file.write(story.page().as_bytes()).map_err(Stop::Failure)?;
        }
        output::print(&story.text())
    }

    /// Writes the files for viewers; answers whether any was asked for.
    fn views(&self) -> Result<bool, Stop> {
        let gtkw = self.gtkw.as_deref().map(OutFile::create).transpose();
        let surfer = self.surfer.as_deref().map(OutFile::create).transpose();
        let (gtkw, surfer) = (gtkw.map_err(Stop::Input)?, surfer.map_err(Stop::Input)?);
        let any = gtkw.is_some() || surfer.is_some() || self.fst.is_some();
        if gtkw.is_some() || surfer.is_some() {
            let (name, input) = self.open()?;
            let view = View::read(&name, input).map_err(|e| Stop::Input(e.to_string()))?;
            let files = [(gtkw, view.gtkwave(&self.file)), (surfer, view.surfer())];
            for (file, text) in files {
                if let Some(file) = file {
                    file.write(text.as_bytes()).map_err(Stop::Failure)?;
                }
            }
        }
        if let Some(path) = &self.fst {
            fst::convert(&self.file, path).map_err(Stop::Input)?;
        }
        Ok(any)
    }
}

/// `NODE:TXN`, the node as it is printed everywhere: 3, home1, c2.3.
fn name(text: &str) -> Result<Name, String> {
    let wrong = || format!("{text} is no transaction; write a node and its number, like 1:0");
    let (node, txn) = text.split_once(':').ok_or_else(wrong)?;
    let (chip, unit) = match node.strip_prefix('c').and_then(|rest| rest.split_once('.')) {
        Some((chip, unit)) => (chip.parse().ok(), unit),
        None => (Some(0), node),
    };
    let number = |text: &str, most: u16| text.parse().ok().filter(|&n: &u16| n < most);
    let node = match unit.strip_prefix("home") {
        Some(slice) => number(slice, NodeId::HOMES).map(NodeId::home),
        None => number(unit, NodeId::PORTS).map(NodeId::port),
    };
    match (node, chip.filter(|&chip| chip < NodeId::CHIPS), txn.parse()) {
        (Some(node), Some(chip), Ok(txn)) => Ok(Name {
            node: node.on_chip(chip),
            txn,
        }),
        _ => Err(wrong()),
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
    use super::{addresses, name};

    #[test]
    fn addresses_are_one_or_a_range_with_an_exclusive_end() {
        assert_eq!(addresses("0x40"), Ok(0x40..=0x40));
        assert_eq!(addresses("64..0x80"), Ok(0x40..=0x7f));
        assert!(addresses("0x80..0x80").is_err());
        assert!(addresses("1x").is_err());
        assert!(addresses("5..0").is_err());
    }

    #[test]
    fn names_are_read_as_they_are_printed() {
        for text in ["1:0", "home1:3", "c2.3:17", "c1.home0:5"] {
            assert_eq!(
                name(text).map(|name| name.to_string()),
                Ok(text.to_string())
            );
        }
        for text in ["1", "16:0", "home9:0", "c40.1:0", "node1:0", "1:x", ":"] {
            assert!(name(text).is_err_and(|why| why.starts_with(text)), "{text}");
        }
    }
}
