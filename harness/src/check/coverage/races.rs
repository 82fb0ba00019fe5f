//! Races: each of those that docs/protocol.md lists under "Races that must be right", by its number
//! there, with what tells its cases apart.

use flits::{Class, Opcode};
use rustc_hash::FxHashMap;

use super::{Group, Hits, Seen};
use crate::check::Direction;

const NAME: &str = "races";

const FORWARDING: [Opcode; 3] = [
    Opcode::SnpSharedFwd,
    Opcode::SnpUniqueFwd,
    Opcode::SnpOnceFwd,
];

/// The bins.
pub fn group() -> Group {
    let snoops = || Opcode::ALL.into_iter().filter(|o| o.class() == Class::Snp);
    let mut bins = Vec::new();
    for gives_up in [Opcode::WriteBackFull, Opcode::Evict] {
        bins.extend(snoops().map(|snoop| given_up(gives_up, snoop)));
    }
    bins.push(OVERTAKEN.to_string());
    bins.extend(FORWARDING.map(no_data));
    bins.extend([WAITS_FOR_ACK, WAITS_FOR_WRITE, WAITS_FOR_RECALL].map(str::to_string));
    Group {
        name: NAME,
        about: "races of the protocol, by their number in docs/protocol.md",
        bins,
    }
}

fn given_up(request: Opcode, snoop: Opcode) -> String {
    format!("1 {request} met by {snoop}")
}

fn no_data(snoop: Opcode) -> String {
    format!("3 {snoop} of an owner that has nothing")
}

const OVERTAKEN: &str = "2 CleanUnique answered with data";
const WAITS_FOR_ACK: &str = "4 request while a grant is not acknowledged";
const WAITS_FOR_WRITE: &str = "5 request while the line is written to memory";
const WAITS_FOR_RECALL: &str = "6 request for a line that is recalled";

/// What is under way.
#[derive(Default)]
pub(super) struct Races {
    /// Requests by requester and number: opcode and line.
    requests: FxHashMap<(usize, u16), (Opcode, u64)>,
    /// Snoops by node and line: opcode, and whether of a recall.
    snoops: FxHashMap<(usize, u64), (Opcode, bool)>,
    /// Grants that are not acknowledged, by line.
    granted: FxHashMap<u64, u32>,
    /// Lines that memories have been told to write, by memory and the home's number.
    writes: FxHashMap<(usize, u16, u16), u64>,
}

impl Races {
    pub(super) fn packet(&mut self, seen: &Seen<'_>, hits: &mut Hits) {
        let header = seen.header;
        let (line, opcode) = (header.line(), header.opcode);
        let own = (seen.port, header.txn);
        match (seen.direction, header.class()) {
            (Direction::ToSwitch, Class::Req) => {
                self.asked(line, hits);
                self.requests.insert(own, (opcode, line));
            }
            (Direction::ToNode, Class::Snp) => {
                let gives_up = self.requests.iter().find(|&(&(port, _), &(op, of))| {
                    let gives_up = matches!(op, Opcode::WriteBackFull | Opcode::Evict);
                    port == seen.port && of == line && gives_up
                });
                if let Some((_, &(request, _))) = gives_up {
                    hits.hit(NAME, given_up(request, opcode));
                }
                let asked = seen.requester.and_then(|r| self.requests.get(&r));
                let recall = asked.is_some_and(|&(_, of)| of != line);
                self.snoops.insert((seen.port, line), (opcode, recall));
            }
            (Direction::ToNode, Class::Mem) if opcode.has_payload() => {
                if let Some(global) = seen.global {
                    let global = global & !(flits::layout::LINE_BYTES as u64 - 1);
                    let key = (seen.port, header.src.into(), header.txn);
                    self.writes.insert(key, global);
                }
            }
            (Direction::ToNode, Class::Rsp | Class::Dat) => {
                let Some((request, of)) = self.requests.remove(&own) else {
                    return;
                };
                if request == Opcode::CleanUnique && header.class() == Class::Dat {
                    hits.hit(NAME, OVERTAKEN);
                }
                if header.home_node.is_home() && request.is_acknowledged() {
                    *self.granted.entry(of).or_default() += 1;
                }
            }
            (Direction::ToSwitch, Class::Rsp) if opcode == Opcode::CompAck => {
                if let Some(grants) = self.granted.get_mut(&line) {
                    *grants = grants.saturating_sub(1);
                }
            }
            (Direction::ToSwitch, Class::Rsp) if opcode == Opcode::Comp => {
                let key = (seen.port, header.dst.into(), header.txn);
                self.writes.remove(&key);
            }
            (Direction::ToSwitch, Class::Rsp | Class::Dat) if header.dst.is_home() => {
                let snoop = self.snoops.remove(&(seen.port, line));
                if let Some((snoop, _)) = snoop
                    && opcode == Opcode::SnpResp
                    && FORWARDING.contains(&snoop)
                {
                    hits.hit(NAME, no_data(snoop));
                }
            }
            _ => {}
        }
    }

    /// A request leaves its node.
    fn asked(&self, line: u64, hits: &mut Hits) {
        if self.granted.get(&line).is_some_and(|&grants| grants > 0) {
            hits.hit(NAME, WAITS_FOR_ACK);
        }
        if self.writes.values().any(|&written| written == line) {
            hits.hit(NAME, WAITS_FOR_WRITE);
        }
        let recalled =
            |(&(_, of), &(_, recall)): (&(usize, u64), &(Opcode, bool))| of == line && recall;
        if self.snoops.iter().any(recalled) {
            hits.hit(NAME, WAITS_FOR_RECALL);
        }
    }
}
