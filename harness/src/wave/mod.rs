//! Transactions read back from a VCD file of the switch.
//!
//! [`read`] finds the switch's port signals in whatever scope they are and hands over one
//! [`Transaction`] for each header on a link. Cycles are those of the link monitors and of failures,
//! if the file starts at reset: the first rising edge of the clock outside of reset is cycle 1, takes
//! the words to the switch that were presented before it, and shows those from the switch after it.

pub mod flow;
pub mod fst;
pub(crate) mod header;
mod scan;
mod signals;
pub mod story;
pub mod tracks;
pub mod views;

use std::fmt;
use std::io::BufRead;
use std::ops::ControlFlow;

use flits::{Class, Header, layout};
use signals::Signals;

/// Which way a packet goes on its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From the device to the switch (`rx`).
    ToSwitch,
    /// From the switch to the device (`tx`).
    FromSwitch,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Way::ToSwitch => "in",
            Way::FromSwitch => "out",
        })
    }
}

/// A packet on a link. Its `Display` form is a row of the table that [`HEADING`] heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Cycle of its header, the first of the file being 1.
    pub cycle: u64,
    /// The port.
    pub port: usize,
    /// The way it goes.
    pub way: Way,
    /// Its class, if the code on the link is one.
    pub class: Option<Class>,
    /// Its header, or why the first flit is none.
    pub header: Result<Header, String>,
}

/// The names of the columns of a [`Transaction`]'s row.
pub const HEADING: &str = "     cycle  port  way  class  opcode            from->to        txn  address         state  more";

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transaction {
            cycle,
            port,
            way,
            class,
            header,
        } = self;
        let name = class.map_or("?", Class::name);
        write!(
            f,
            "{cycle:>10}  {port:>4}  {way:<3}  {:<5}  ",
            name.to_uppercase()
        )?;
        let header = match header {
            Ok(header) => header,
            Err(why) => return write!(f, "not a packet: {why}"),
        };
        let has = |field: &layout::Field| field.is_in(header.form());
        // The address map decides where a request goes; the device leaves that open.
        let ends = match (way, class) {
            (Way::ToSwitch, Some(Class::Req)) => format!("{}->(map)", header.src),
            _ => format!("{}->{}", header.src, header.dst),
        };
        let state = if has(&layout::STATE) {
            header.state.to_string()
        } else {
            "-".to_string()
        };
        write!(
            f,
            "{:<16}  {ends:<14}  {:>3}  {:<#14x}  {state:<5}",
            header.opcode.name(),
            header.txn,
            header.addr
        )?;
        if has(&layout::SIZE) && header.bytes() != layout::LINE_BYTES {
            write!(f, "  {} bytes", header.bytes())?;
        }
        if has(&layout::RESP) && header.resp != flits::RespErr::Ok {
            write!(f, "  {}", header.resp)?;
        }
        if header.poison {
            write!(f, "  poisoned")?;
        }
        Ok(())
    }
}

/// What [`read`] found over the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Ports of the switch in the file.
    pub ports: usize,
    /// Clock cycles outside of reset.
    pub cycles: u64,
    /// Packets.
    pub packets: u64,
}

/// A VCD file that cannot be read as one of the switch: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveError(String);

impl fmt::Display for WaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WaveError {}

/// Reads the VCD in `input` and hands its packets to `each` in the order of their headers, until
/// the end or until `each` breaks. `name` is the file's name for messages.
///
/// # Errors
///
/// A file that is not VCD, that has no switch in it, or that is damaged further on; packets before
/// the damage have then been handed over.
pub fn read(
    name: &str,
    input: impl BufRead,
    mut each: impl FnMut(&Transaction) -> ControlFlow<()>,
) -> Result<Summary, WaveError> {
    let mut packets = 0;
    let summary = scan::scan(name, input, |sample| {
        let Some(cycle) = sample.edge else {
            return ControlFlow::Continue(());
        };
        headers(sample.signals, cycle).try_for_each(|transaction| {
            packets += 1;
            each(&transaction)
        })
    })?;
    Ok(Summary { packets, ..summary })
}

/// The packets whose headers are on the links in a cycle.
fn headers(signals: &Signals, cycle: u64) -> impl Iterator<Item = Transaction> {
    let links = [(Way::ToSwitch, &signals.rx), (Way::FromSwitch, &signals.tx)];
    links.into_iter().flat_map(move |(way, link)| {
        (0..signals.ports).filter_map(move |port| {
            let (class, flit) = link.header(port)?;
            let class = Class::from_code(class).ok_or(class);
            let header = match class {
                Ok(class) => Header::decode(class, flit).map_err(|e| e.to_string()),
                Err(code) => Err(format!("no class has code {code}")),
            };
            Some(Transaction {
                cycle,
                port,
                way,
                class: class.ok(),
                header,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::signals::PINS;
    use super::*;
    use flits::{CacheState, NodeId, Opcode};
    use vcd::{IdCode, Value, Writer};

    const PORTS: usize = 4;

    /// Writes a VCD of a switch with the given pin widths, one scope below the top.
    struct Recorder {
        writer: Writer<Vec<u8>>,
        pins: Vec<(IdCode, usize)>,
        time: u64,
    }

    impl Recorder {
        fn new(widths: [usize; 10]) -> Recorder {
            let mut writer = Writer::new(Vec::new());
            writer.add_module("bench").expect("in memory");
            writer.add_wire(8, "counter").expect("in memory");
            writer.add_module("dut").expect("in memory");
            let pins = PINS.iter().zip(widths).map(|(name, width)| {
                (
                    writer.add_wire(width as u32, name).expect("in memory"),
                    width,
                )
            });
            let pins = pins.collect();
            writer.upscope().expect("in memory");
            writer.upscope().expect("in memory");
            writer.enddefinitions().expect("in memory");
            Recorder {
                writer,
                pins,
                time: 0,
            }
        }

        fn put(&mut self, pin: usize, bits: impl Fn(usize) -> bool) {
            let (code, width) = self.pins[pin];
            let value = |i| Value::from(bits(i));
            if width == 1 {
                self.writer
                    .change_scalar(code, value(0))
                    .expect("in memory");
            } else {
                self.writer
                    .change_vector(code, (0..width).rev().map(value))
                    .expect("in memory");
            }
        }

        /// One cycle with at most one header to the switch and one from it.
        fn cycle(
            &mut self,
            running: bool,
            rx: Option<(usize, Header)>,
            tx: Option<(usize, Header)>,
        ) {
            self.writer.timestamp(self.time).expect("in memory");
            self.put(0, |_| true);
            self.put(1, |_| running);
            for (first, word) in [(2, rx), (6, tx)] {
                let (port, class, flit) = match &word {
                    Some((port, header)) => {
                        (*port, header.class().code(), header.encode().to_u128())
                    }
                    None => (PORTS, 0, 0),
                };
                self.put(first, |i| i == port);
                self.put(first + 1, |i| i / 3 == port && class >> (i % 3) & 1 != 0);
                self.put(first + 2, |i| i == port);
                self.put(first + 3, |i| i / 128 == port && flit >> (i % 128) & 1 != 0);
            }
            self.writer.timestamp(self.time + 1).expect("in memory");
            self.put(0, |_| false);
            self.time += 2;
        }

        fn text(mut self) -> Vec<u8> {
            self.writer.writer().clone()
        }
    }

    fn widths() -> [usize; 10] {
        [
            1,
            1,
            PORTS,
            3 * PORTS,
            PORTS,
            128 * PORTS,
            PORTS,
            3 * PORTS,
            PORTS,
            128 * PORTS,
        ]
    }

    fn request() -> Header {
        Header::read_shared(NodeId::port(3), 5, 0x1000).expect("legal")
    }

    fn all(text: &[u8]) -> (Vec<Transaction>, Summary) {
        let mut found = Vec::new();
        let keep = |t: &Transaction| {
            found.push(t.clone());
            ControlFlow::Continue(())
        };
        let summary = read("a.vcd", text, keep).expect("readable");
        (found, summary)
    }

    #[test]
    fn packets_are_found_with_cycle_port_way_and_header() {
        let answer = Header {
            state: CacheState::SC,
            txn: 9,
            ..Header::new(Opcode::CompData)
        };
        let mut recorder = Recorder::new(widths());
        recorder.cycle(false, Some((0, request())), None);
        recorder.cycle(true, None, None);
        recorder.cycle(true, Some((3, request())), None);
        recorder.cycle(true, None, Some((2, answer)));
        let (found, summary) = all(&recorder.text());
        assert_eq!(
            summary,
            Summary {
                ports: PORTS,
                cycles: 3,
                packets: 2
            }
        );
        let (req, dat) = (&found[0], &found[1]);
        assert_eq!((req.cycle, req.port, req.way), (2, 3, Way::ToSwitch));
        assert_eq!(req.header, Ok(request()));
        assert_eq!((dat.cycle, dat.port, dat.way), (3, 2, Way::FromSwitch));
        assert_eq!(dat.header, Ok(answer));
    }

    #[test]
    fn rows_stand_under_their_headings() {
        let transaction = Transaction {
            cycle: 12,
            port: 3,
            way: Way::ToSwitch,
            class: Some(Class::Req),
            header: Ok(request()),
        };
        let row = transaction.to_string();
        for (name, value) in [
            ("way", "in "),
            ("class", "REQ"),
            ("opcode", "ReadShared"),
            ("from->to", "3->(map)"),
            ("address", "0x1000"),
            ("state", "I"),
        ] {
            let at = HEADING.find(name).expect("a column");
            assert!(row[at..].starts_with(value), "{name}\n{HEADING}\n{row}");
        }
        let end = HEADING.find("txn").expect("a column") + 3;
        assert_eq!(&row[end - 3..end], "  5");
    }

    #[test]
    fn a_flit_that_is_no_header_is_shown_as_such() {
        let broken = Transaction {
            cycle: 0,
            port: 0,
            way: Way::FromSwitch,
            class: None,
            header: Err("no class has code 7".to_string()),
        };
        assert!(
            broken
                .to_string()
                .ends_with("not a packet: no class has code 7")
        );
    }

    #[test]
    fn files_that_are_not_ours_are_refused_in_one_sentence() {
        let refusal = |text: &[u8]| {
            let error = read("a.vcd", text, |_| ControlFlow::Continue(())).expect_err("not ours");
            let text = error.to_string();
            assert!(
                text.starts_with("a.vcd") && text.lines().count() == 1,
                "{text}"
            );
            text
        };
        assert!(refusal(b"hello").contains("not a VCD file"));
        assert!(refusal(b"").contains("not a VCD file"));
        let other = b"$scope module top $end $var wire 1 a clk $end $upscope $end \
                      $enddefinitions $end #0 1a";
        assert!(refusal(other).contains("no switch in this VCD file"));
        let mut narrow = widths();
        narrow[5] = 64;
        let text = refusal(&Recorder::new(narrow).text());
        assert!(
            text.contains("scope dut has rx_flit_i 64 bits wide instead of 512"),
            "{text}"
        );
        let mut damaged = Recorder::new(widths());
        damaged.cycle(true, None, None);
        let mut text = damaged.text();
        text.extend_from_slice(b"?? !\n");
        assert!(refusal(&text).contains("damaged"));
    }

    #[test]
    fn reading_stops_when_asked() {
        let mut recorder = Recorder::new(widths());
        for _ in 0..5 {
            recorder.cycle(true, Some((1, request())), None);
        }
        let summary = read("a.vcd", &recorder.text()[..], |_| ControlFlow::Break(()));
        assert_eq!(summary.expect("readable").packets, 1);
    }
}
