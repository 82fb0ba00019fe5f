//! Requests: opcode x directory x requester's state.
//!
//! The directory is what the home has been told: states reached by CompAck, given up in answers to
//! snoops and with the answer to WriteBackFull and Evict. It is looked at when the home first acts
//! for the request on a port, which is when it has begun its turn.

use flits::{CacheState, Class, Opcode};
use rustc_hash::FxHashMap;

use super::{Group, Hits, Seen};
use crate::check::Direction;

const NAME: &str = "requests";

/// The line as the home knows it, seen from the requester r: `I`, shared by others, by r and perhaps
/// others, owned by r, owned by another.
const DIRECTORY: [&str; 5] = ["I", "S", "S+r", "Ur", "Uo"];
/// Those in which the requester has nothing.
const WITHOUT: &[&str] = &["I", "S", "Uo"];

/// The opcodes that a home serves, with the directories and the requester's states that they can
/// meet.
fn legal(opcode: Opcode) -> Vec<(&'static str, CacheState)> {
    use CacheState::{I, SC, UC, UD};
    let with = |directories: &[&'static str], states: &[CacheState]| {
        let pairs = directories
            .iter()
            .flat_map(|&d| states.iter().map(move |&s| (d, s)));
        pairs.collect::<Vec<_>>()
    };
    match opcode {
        Opcode::ReadNoSnp | Opcode::WriteNoSnp => Vec::new(),
        // The copy may be lost on the way.
        Opcode::CleanUnique => with(&["I", "S", "S+r", "Uo"], &[SC]),
        Opcode::MakeUnique => [with(WITHOUT, &[I]), with(&["I", "S", "S+r", "Uo"], &[SC])].concat(),
        Opcode::WriteBackFull => with(&["I", "S", "Ur", "Uo"], &[UD]),
        Opcode::Evict => [
            with(&["I", "S", "S+r", "Uo"], &[SC]),
            with(&["Ur", "I", "S", "Uo"], &[UC]),
        ]
        .concat(),
        // What leaves no copy is asked for by who has none.
        _ => with(WITHOUT, &[I]),
    }
}

/// The bins.
pub fn group() -> Group {
    let opcodes = Opcode::ALL.into_iter().filter(|o| o.class() == Class::Req);
    let bins = opcodes.flat_map(|opcode| {
        let legal = legal(opcode).into_iter();
        legal.map(move |(directory, state)| format!("{opcode} {directory} {state}"))
    });
    Group {
        name: NAME,
        about: "opcode x directory x requester's state",
        bins: bins.collect(),
    }
}

/// A request that the home has not begun, or not answered.
struct Open {
    opcode: Opcode,
    line: u64,
    state: CacheState,
    begun: bool,
}

/// What the home has been told of each line, and who waits for it.
#[derive(Default)]
pub(super) struct Requests {
    /// Holders, and whether alone.
    lines: FxHashMap<u64, Vec<(usize, bool)>>,
    open: FxHashMap<(usize, u16), Open>,
}

impl Requests {
    pub(super) fn packet(&mut self, seen: &Seen<'_>, hits: &mut Hits) {
        let header = seen.header;
        let line = header.line();
        match (seen.direction, header.class()) {
            (Direction::ToSwitch, Class::Req) => {
                let open = Open {
                    opcode: header.opcode,
                    line,
                    state: header.state,
                    begun: false,
                };
                self.open.insert((seen.port, header.txn), open);
            }
            (Direction::ToNode, Class::Snp | Class::Mem) => {
                if let Some(requester) = seen.requester {
                    self.begin(requester, hits);
                }
            }
            (Direction::ToNode, Class::Rsp | Class::Dat) => {
                let requester = (seen.port, header.txn);
                // A refusal comes from where there is no home.
                if header.home_node.is_home() {
                    self.begin(requester, hits);
                }
                if let Some(open) = self.open.remove(&requester)
                    && matches!(open.opcode, Opcode::WriteBackFull | Opcode::Evict)
                {
                    self.lose(open.line, seen.port);
                }
            }
            (Direction::ToSwitch, Class::Rsp | Class::Dat) if header.dst.is_home() => {
                self.told(seen.port, header.opcode, line, header.state);
            }
            _ => {}
        }
    }

    /// The home works for a request.
    fn begin(&mut self, requester: (usize, u16), hits: &mut Hits) {
        let Some(open) = self.open.get_mut(&requester).filter(|open| !open.begun) else {
            return;
        };
        open.begun = true;
        let r = requester.0;
        let holders = self.lines.get(&open.line).map_or(&[][..], Vec::as_slice);
        let directory = match (holders, holders.iter().any(|&(holder, _)| holder == r)) {
            ([], _) => 0,
            ([(_, true), ..], true) => 3,
            ([(_, true), ..], false) => 4,
            (_, true) => 2,
            (_, false) => 1,
        };
        if !matches!(open.opcode, Opcode::ReadNoSnp | Opcode::WriteNoSnp) {
            let text = format!("{} {} {}", open.opcode, DIRECTORY[directory], open.state);
            hits.hit(NAME, text);
        }
    }

    /// A node tells a home which state it is in now.
    fn told(&mut self, port: usize, opcode: Opcode, line: u64, state: CacheState) {
        let snooped = !matches!(opcode, Opcode::CompAck | Opcode::Comp | Opcode::CompData);
        match (opcode, state) {
            // What memories answer names no line.
            (Opcode::Comp | Opcode::CompData, _) => {}
            (Opcode::CompAck, CacheState::I) => {}
            (_, CacheState::I) => self.lose(line, port),
            (_, CacheState::SC) => {
                self.lose(line, port);
                self.lines.entry(line).or_default().push((port, false));
            }
            (Opcode::CompAck, _) => {
                self.lines.insert(line, vec![(port, true)]);
            }
            (..) => debug_assert!(
                snooped,
                "an owner that was asked for the value keeps the line"
            ),
        }
    }

    fn lose(&mut self, line: u64, port: usize) {
        if let Some(holders) = self.lines.get_mut(&line) {
            holders.retain(|&(holder, _)| holder != port);
            if holders.is_empty() {
                self.lines.remove(&line);
            }
        }
    }
}
