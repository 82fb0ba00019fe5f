//! The coherent cache of a node: lines, misses in flight, and the protocol's steps on them.

use super::line::LineBytes;
use super::lines::{Lines, Place};
use super::packets;
use super::{Context, NodeSet, Step, protocol_failure};
use crate::Failure;
use crate::protocol::{NodeIn, NodeLine, Pending, node};
use crate::sim::stats::Service;
use flits::{CacheState, Class, Flit, Header, NodeId, Opcode};

/// What an operation wants of its line.
pub(super) enum Want {
    Read,
    Write,
    /// To replace all of it with these bytes.
    Overwrite(LineBytes),
}

/// Whether it has that.
pub(super) enum Got {
    /// Yes.
    Line(Place),
    /// When the transaction ends.
    Later(u16),
    /// Not before something else ends.
    Blocked,
}

/// The cache. Its transactions are numbered: the misses first, then the lines that are leaving.
pub(super) struct Cache {
    node: NodeId,
    memories: NodeSet,
    lines: Lines,
    /// Line of each miss in flight.
    misses: Vec<Option<Place>>,
}

impl Cache {
    pub(super) fn new(
        node: NodeId,
        sets: usize,
        ways: usize,
        mshrs: usize,
        memories: NodeSet,
    ) -> Self {
        Cache {
            node,
            memories,
            lines: Lines::new(sets, ways, mshrs),
            misses: vec![None; mshrs],
        }
    }

    /// How many transaction numbers there are.
    pub(super) fn transactions(&self) -> usize {
        2 * self.misses.len()
    }

    /// Every line that is held: byte address, state, bytes.
    pub(super) fn held(&self) -> impl Iterator<Item = (u64, CacheState, &LineBytes)> {
        self.lines.held()
    }

    /// Where the line is, if anywhere.
    pub(super) fn find(&self, line: u64) -> Option<Place> {
        self.lines.find(line)
    }

    /// Whether the line can be read here.
    pub(super) fn holds(&self, line: u64) -> bool {
        match self.lines.find(line) {
            Some(place @ Place::Way(_)) => self.lines.slot(place).node.state != CacheState::I,
            _ => false,
        }
    }

    /// The transaction that a line waits for.
    pub(super) fn pending(&self, place: Place) -> Option<u16> {
        self.lines
            .is_pending(place)
            .then(|| self.lines.slot(place).txn)
    }

    /// Whether no request is unanswered.
    pub(super) fn is_idle(&self) -> bool {
        self.misses.iter().all(Option::is_none) && self.lines.is_idle()
    }

    /// One step of the protocol for the line at `place`; sends what it sends.
    fn step(
        &mut self,
        place: Place,
        input: NodeIn<LineBytes>,
        cause: Option<&Header>,
        cx: &mut Context<'_>,
    ) -> Step {
        let slot = self.lines.slot_mut(place);
        let (line, txn) = (slot.addr(), slot.txn);
        let old = slot.node.state;
        cx.checks.on_node_input(&slot.node, &input);
        let (new, outputs) = node(std::mem::take(&mut slot.node), input)
            .map_err(|violation| at_line(cx.cycle, self.node, line, violation))?;
        slot.node = new;
        let state = slot.node.state;
        if state != old {
            cx.checks.on_state(cx.cycle, cx.port, line, old, state);
        }
        for message in outputs {
            packets::send(self.node, line, txn, cause, message, cx)?;
        }
        Ok(())
    }

    /// Has the line readable or writable, or starts what makes it so.
    pub(super) fn get(
        &mut self,
        line: u64,
        want: Want,
        cx: &mut Context<'_>,
    ) -> Result<Got, Failure> {
        let found = self.lines.find(line);
        if let Some(Place::Leaving(_)) = found {
            return Ok(Got::Blocked);
        }
        if let Some(place) = found {
            let slot = self.lines.slot(place);
            let ready = match want {
                Want::Read => slot.node.state != CacheState::I,
                Want::Write | Want::Overwrite(_) => slot.node.state.is_unique(),
            };
            if ready {
                self.lines.touch(place);
                return Ok(Got::Line(place));
            }
            if !matches!(slot.node.pending, Pending::None) {
                return Ok(Got::Later(slot.txn));
            }
        }
        let Some(miss) = self.misses.iter().position(Option::is_none) else {
            return Ok(Got::Blocked);
        };
        let place = match found {
            Some(place) => place,
            None => match self.make_room(line, cx)? {
                Some(place) => place,
                None => return Ok(Got::Blocked),
            },
        };
        let input = match want {
            Want::Read => NodeIn::Issue(Opcode::ReadShared),
            Want::Write if found.is_some() => NodeIn::Issue(Opcode::CleanUnique),
            Want::Write => NodeIn::Issue(Opcode::ReadUnique),
            Want::Overwrite(bytes) => NodeIn::IssueMakeUnique(bytes),
        };
        self.misses[miss] = Some(place);
        self.lines.slot_mut(place).txn = miss as u16;
        self.step(place, input, None, cx)?;
        Ok(Got::Later(miss as u16))
    }

    /// Gives the line a place in the cache, and evicts another if it must.
    fn make_room(&mut self, line: u64, cx: &mut Context<'_>) -> Result<Option<Place>, Failure> {
        let Some(place) = self.lines.victim(line) else {
            return Ok(None);
        };
        if self.lines.slot(place).node.state != CacheState::I && self.give_up(place, cx)?.is_none()
        {
            return Ok(None);
        }
        self.lines.occupy(place, line);
        Ok(Some(place))
    }

    /// Starts to give a held line up. `None` while too many lines are leaving, else the transaction.
    pub(super) fn give_up(
        &mut self,
        place: Place,
        cx: &mut Context<'_>,
    ) -> Result<Option<u16>, Failure> {
        let Some(exit) = self.lines.exit() else {
            return Ok(None);
        };
        let Place::Leaving(entry) = exit else {
            return Ok(None);
        };
        let txn = self.misses.len() as u16 + entry as u16;
        self.lines.move_line(place, exit);
        let slot = self.lines.slot_mut(exit);
        slot.txn = txn;
        let opcode = match slot.node.state {
            CacheState::UD => Opcode::WriteBackFull,
            _ => Opcode::Evict,
        };
        self.step(exit, NodeIn::Issue(opcode), None, cx)?;
        Ok(Some(txn))
    }

    /// Writes bytes into a unique line.
    pub(super) fn write(
        &mut self,
        place: Place,
        addr: u64,
        index: u64,
        bytes: &[u8],
        cx: &mut Context<'_>,
    ) -> Step {
        let mut data = self.data(place, cx.cycle)?.clone();
        let at = LineBytes::offset(addr);
        data.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        data.poison &= bytes.len() != data.bytes.len();
        self.step(place, NodeIn::Store(data), None, cx)?;
        cx.checks.on_store(cx.cycle, cx.port, index, addr, bytes);
        Ok(())
    }

    /// The bytes of a held line.
    pub(super) fn data(&self, place: Place, cycle: u64) -> Result<&LineBytes, Failure> {
        let slot = self.lines.slot(place);
        let text = "a line that is held has no data";
        slot.node
            .data
            .as_ref()
            .ok_or_else(|| at_line(cycle, self.node, slot.addr(), text))
    }

    /// Answers a snoop.
    pub(super) fn on_snoop(&mut self, header: &Header, cx: &mut Context<'_>) -> Step {
        let line = header.line();
        let Some(place) = self.lines.find(line) else {
            // The protocol decides about lines that are not held, too.
            let (state, input) = (NodeLine::default(), NodeIn::Snoop(header.opcode));
            cx.checks.on_node_input(&state, &input);
            let (_, outputs) = node(state, input)
                .map_err(|violation| at_line(cx.cycle, self.node, line, violation))?;
            for message in outputs {
                packets::send(self.node, line, 0, Some(header), message, cx)?;
            }
            return Ok(());
        };
        let held = self.lines.slot(place).node.state != CacheState::I;
        self.step(place, NodeIn::Snoop(header.opcode), Some(header), cx)?;
        if held && self.lines.slot(place).node.state == CacheState::I {
            cx.stats.invalidations += 1;
        }
        self.lines.tidy(place);
        Ok(())
    }

    /// Takes the answer to a miss, or to a line that leaves: who gave it, or `None` if nobody asked.
    pub(super) fn on_answer(
        &mut self,
        header: &Header,
        payload: &[Flit],
        cx: &mut Context<'_>,
    ) -> Result<Option<Service>, Failure> {
        let txn = usize::from(header.txn);
        let place = match self.misses.get_mut(txn) {
            Some(miss) => miss.take(),
            None => Some(Place::Leaving((txn - self.misses.len()) as u32)),
        };
        let Some(place) = place.filter(|&place| self.lines.is_pending(place)) else {
            return Ok(None);
        };
        let data = match header.class() {
            Class::Dat => Some(packets::line_of(self.node, header, payload, cx.cycle)?),
            _ => None,
        };
        let input = packets::answer_of(header, data);
        self.step(place, input, Some(header), cx)?;
        self.lines.tidy(place);
        Ok(Some(match header.class() {
            Class::Dat if self.memories.has(header.src) => Service::Memory,
            Class::Dat => Service::Peer,
            _ => Service::Home,
        }))
    }
}

fn at_line(cycle: u64, node: NodeId, line: u64, what: impl std::fmt::Display) -> Failure {
    protocol_failure(cycle, node, format!("line {line:#x}: {what}"))
}
