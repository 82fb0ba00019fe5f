//! What the tracks say, and when.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use flits::{Class, Header, NodeId, layout};

use super::super::flow::{Collector, Flow, Flows, Name};
use super::super::scan::{self, Sample, UNITS};
use super::super::{Transaction, WaveError, Way, headers};
use super::{IDLE, Track};

/// The tracks of a file and the changes of each of them.
pub(super) struct Events {
    pub(super) tracks: Vec<Track>,
    /// Time, track and value, in the order of times.
    pub(super) changes: Vec<(u64, usize, String)>,
}

/// From one cycle up to another, and what is said of the time between.
type Span = (u64, u64, String);

/// What is on the wires of a port in one direction: nothing, or a word of the packet whose header
/// was there in this cycle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Of { class: u8, header: Option<u64> },
}

impl Events {
    /// Reads a file whose times `retime` turns into those of the tracks.
    pub(super) fn read(
        name: &str,
        input: impl BufRead,
        retime: impl Fn(u64) -> u64,
    ) -> Result<Events, WaveError> {
        let mut collector = Collector::default();
        let mut packets = BTreeMap::new();
        let mut wires: Vec<Wire> = Vec::new();
        let mut changes = Vec::new();
        let summary = scan::scan(name, input, |sample| {
            let time = retime(sample.time);
            // Words to the switch are there half a cycle before the edge that takes them, those from
            // it half a cycle after the next.
            let cycles = [time.div_ceil(UNITS), time / UNITS];
            wires.resize(2 * sample.signals.ports, Wire::default());
            for (track, wire) in wires.iter_mut().enumerate() {
                let word = wire.word(sample, track, cycles[track % 2]);
                if word != wire.last {
                    wire.last = word;
                    changes.push((time, track, word));
                }
            }
            if sample.edge.is_some() {
                for transaction in headers(sample.signals, time / UNITS) {
                    collector.push(&transaction);
                    packets.insert((transaction.cycle, track_of(&transaction)), transaction);
                }
            }
            ControlFlow::Continue(())
        })?;
        let flows = collector.finish();
        let homes = homes(&flows);
        let mut events = Events {
            tracks: (0..2 * summary.ports).map(port_track).collect(),
            changes: Vec::new(),
        };
        for (time, track, word) in changes {
            let text = match word {
                Word::None => IDLE.to_string(),
                Word::Of { header: None, .. } => "?".to_string(),
                Word::Of {
                    header: Some(at), ..
                } => packets.get(&(at, track)).map_or_else(
                    || "?".to_string(),
                    |t| packet(t, homes.get(&(at, track)).copied()),
                ),
            };
            events.changes.push((time, track, text));
        }
        events.lanes(&flows);
        events
            .changes
            .sort_by_key(|&(time, track, _)| (time, track));
        Ok(events)
    }

    /// Adds the tracks of what nodes wait for and homes work at.
    fn lanes(&mut self, flows: &Flows) {
        let mut by_node: BTreeMap<(bool, NodeId), Vec<Span>> = BTreeMap::new();
        for flow in &flows.flows {
            let asked = flow.request().and_then(|step| step.sent);
            let last = flow.acknowledged().or(flow.answer());
            if let (Some(name), Some(asked), Some(last)) = (flow.name, asked, last) {
                let end = last
                    .sent
                    .into_iter()
                    .chain(last.arrived)
                    .map(|hop| hop.cycle)
                    .max();
                let end = end.unwrap_or(asked.cycle);
                let spans = by_node.entry((false, name.node)).or_default();
                spans.push((asked.cycle, end + 1, waits_for(flow, name)));
            }
            if let Some((home, first, last)) = at_home(flow) {
                let spans = by_node.entry((true, home.node)).or_default();
                spans.push((first, last + 1, works_at(flow, home)));
            }
        }
        for ((is_home, node), spans) in by_node {
            let (kind, lane) = match is_home {
                true => (
                    format!("home{}", node.as_home().unwrap_or_default()),
                    "work",
                ),
                false => (format!("node{}", u16::from(node)), "open"),
            };
            let kind = match node.chip() {
                0 => kind,
                chip if is_home => format!("chip{chip}_{kind}"),
                chip => format!("chip{chip}_node{}", node.unit()),
            };
            self.stack(&kind, lane, spans);
        }
    }

    /// Puts spans that overlap on tracks of their own, each on the first that is free.
    fn stack(&mut self, scope: &str, lane: &str, mut spans: Vec<Span>) {
        spans.sort();
        let mut lanes: Vec<Vec<Span>> = Vec::new();
        for span in spans {
            let free = |lane: &&mut Vec<Span>| lane.last().is_none_or(|last| last.1 <= span.0);
            match lanes.iter_mut().find(free) {
                Some(lane) => lane.push(span),
                None => lanes.push(vec![span]),
            }
        }
        for (number, spans) in lanes.into_iter().enumerate() {
            let track = self.tracks.len();
            self.tracks.push(Track {
                scope: scope.to_string(),
                name: format!("{lane}{number}"),
            });
            let begins: Vec<u64> = spans.iter().skip(1).map(|span| span.0).collect();
            for (number, (from, to, text)) in spans.into_iter().enumerate() {
                self.changes.push((from * UNITS, track, text));
                if begins.get(number) != Some(&to) {
                    self.changes.push((to * UNITS, track, IDLE.to_string()));
                }
            }
        }
    }
}

/// The wires of a port in one direction.
#[derive(Clone)]
struct Wire {
    last: Word,
    /// The cycle of the last header of each class code.
    open: [Option<u64>; 8],
}

impl Default for Wire {
    fn default() -> Self {
        Wire {
            last: Word::None,
            open: [None; 8],
        }
    }
}

impl Wire {
    /// What is on the wires of a track now.
    fn word(&mut self, sample: &Sample<'_>, track: usize, cycle: u64) -> Word {
        let link = match track % 2 {
            0 => &sample.signals.rx,
            _ => &sample.signals.tx,
        };
        let Some((class, head)) = link.word(track / 2) else {
            return Word::None;
        };
        if head {
            self.open[usize::from(class)] = Some(cycle);
        }
        let header = self.open[usize::from(class)];
        Word::Of { class, header }
    }
}

fn port_track(track: usize) -> Track {
    Track {
        scope: format!("port{}", track / 2),
        name: ["in", "out"][track % 2].to_string(),
    }
}

fn track_of(transaction: &Transaction) -> usize {
    2 * transaction.port + usize::from(transaction.way == Way::FromSwitch)
}

/// The home that took up each request, by the cycle and the track of its header.
fn homes(flows: &Flows) -> BTreeMap<(u64, usize), NodeId> {
    let requests = flows.flows.iter().filter_map(|flow| {
        let sent = flow.request()?.sent?;
        Some(((sent.cycle, 2 * sent.port), flow.home?.node))
    });
    requests.collect()
}

/// A packet in words.
fn packet(transaction: &Transaction, home: Option<NodeId>) -> String {
    let header = match &transaction.header {
        Ok(header) => header,
        Err(why) => return why.clone(),
    };
    let asks = header.class() == Class::Req && transaction.way == Way::ToSwitch;
    let to = match (asks, home) {
        (false, _) => short(header.dst),
        (true, Some(home)) => short(home),
        (true, None) => "map".to_string(),
    };
    let mut text = format!(
        "{} {}->{to} {:#x} t{}",
        header.opcode,
        short(header.src),
        header.addr,
        header.txn
    );
    push_state(&mut text, header);
    text
}

/// Adds what a header grants or reports.
fn push_state(text: &mut String, header: &Header) {
    if layout::STATE.is_in(header.form()) && header.class() != Class::Req {
        text.push_str(&format!(" {}", header.state));
    }
    if layout::RESP.is_in(header.form()) && header.resp != flits::RespErr::Ok {
        text.push_str(&format!(" {}", header.resp));
    }
    if header.poison {
        text.push_str(" poisoned");
    }
}

/// `H1` for a home, the number for a device.
fn short(node: NodeId) -> String {
    node.to_string().replace("home", "H")
}

fn line_of(flow: &Flow) -> String {
    flow.line()
        .map_or_else(|| "?".to_string(), |line| format!("{line:#x}"))
}

fn opcode_of(flow: &Flow) -> &'static str {
    flow.request().map_or("?", |step| step.header.opcode.name())
}

/// What a node waits for.
fn waits_for(flow: &Flow, name: Name) -> String {
    let home = flow
        .home
        .map_or_else(String::new, |home| format!("->{}", short(home.node)));
    format!(
        "{} {}{home} {} t{}",
        opcode_of(flow),
        short(name.node),
        line_of(flow),
        name.txn
    )
}

/// What a home works at.
fn works_at(flow: &Flow, home: Name) -> String {
    let who = flow
        .name
        .map_or_else(|| "?".to_string(), |name| short(name.node));
    format!("{} {who} {} t{}", opcode_of(flow), line_of(flow), home.txn)
}

/// The home of a transaction with the first and last cycle of its packets to it and from it, the
/// request aside: it may have waited long before the home took it up.
fn at_home(flow: &Flow) -> Option<(Name, u64, u64)> {
    let home = flow.home?;
    let own = flow.steps.iter().filter(|step| {
        step.header.class() != Class::Req && [step.header.src, step.header.dst].contains(&home.node)
    });
    let cycles: Vec<u64> = own
        .flat_map(|step| [step.sent, step.arrived])
        .flatten()
        .map(|hop| hop.cycle)
        .collect();
    Some((home, *cycles.iter().min()?, *cycles.iter().max()?))
}
