//! Traces of the model checker on a home of the RTL, step by step.

use super::alone::{Alone, Channel};
use super::traces::Trace;
use super::wishes::Wishes;
use crate::dut::{HOME_PORTS, HOME_SETS};
use crate::protocol::model::{Agent, Ask, Packet, Step};
use crate::{Failure, FailureKind};
use flits::{CacheState, Class, Opcode, layout::LINE_BYTES};

/// Where the lines of a trace are, each in a set of its own.
const LINES: u64 = 0x1000;
/// Where the lines are that press others out of the directory, and who asks for them.
const PRESSING: u64 = 0x10_0000;
const PRESSER: u8 = HOME_PORTS as u8 - 1;
const SETS: u64 = HOME_SETS as u64;

fn address(line: u8) -> u64 {
    LINES + u64::from(line) * LINE_BYTES as u64
}

/// A replay under way.
struct Replay<'a> {
    alone: &'a mut Alone,
    wishes: Wishes,
    /// Lines that have pressed.
    pressed: u64,
}

/// Has the home go through a trace, and then come to an end with everything that it left open.
///
/// # Errors
/// The home does something else than the specification; or as [`Alone::cycle`].
pub fn replay(alone: &mut Alone, trace: &Trace) -> Result<(), Failure> {
    alone.restart(1)?;
    alone.readers = trace.config.readers;
    let mut replay = Replay {
        alone,
        wishes: Wishes::new(trace.steps.len() as u64),
        pressed: 0,
    };
    for step in &trace.steps {
        replay.step(step)?;
    }
    alone.finish()
}

impl Replay<'_> {
    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match *step {
            Step::Issue { node, line, ask } => {
                self.wishes.ask(self.alone, node, address(line), ask)?;
            }
            Step::Store { node, line } => self.wishes.store(self.alone, node, address(line))?,
            Step::Recall { line } => self.recall(address(line))?,
            Step::Deliver(packet) => {
                let channel = self.channel(&packet)?;
                self.alone.deliver(channel)?;
            }
            Step::Refuse(packet) => {
                let channel = self.channel(&packet)?;
                self.alone.refuse(channel)?;
            }
            Step::Fail(packet) => {
                let channel = self.channel(&packet)?;
                self.alone.fail(channel)?;
            }
        }
        self.alone.settle()?;
        self.relieve()
    }

    /// The channel of a packet of the model, which must be what comes next there.
    fn channel(&self, packet: &Packet) -> Result<Channel, Failure> {
        let wanted = Channel {
            from: packet.from,
            to: packet.to,
            class: packet.op.class(),
            line: address(packet.line),
        };
        match self.alone.first(|channel| channel == wanted) {
            Some((channel, op)) if op == packet.op => Ok(channel),
            next => {
                let sent = next.map_or("nothing".to_owned(), |(_, op)| op.to_string());
                let Packet { from, to, op, .. } = packet;
                let text = format!("{from} sends {sent} to {to}, the specification {op}");
                Err(self.alone.failure(FailureKind::Conformance, text))
            }
        }
    }

    /// Has the home take a line back: a way of its set is held by a transaction that does not end, and
    /// another line wants one.
    fn recall(&mut self, line: u64) -> Result<(), Failure> {
        for _ in 0..2 {
            let sets = SETS * LINE_BYTES as u64;
            self.pressed += sets;
            let pressing = PRESSING + self.pressed + line % sets;
            let ask = Ask::Plain(Opcode::ReadShared);
            self.wishes.ask(self.alone, PRESSER, pressing, ask)?;
            self.alone.deliver(Channel {
                from: Agent::Node(PRESSER),
                to: Agent::Home,
                class: Class::Req,
                line: pressing,
            })?;
            self.alone.settle()?;
        }
        let snooped = |channel: Channel| channel.class == Class::Snp && channel.line == line;
        if self.alone.first(snooped).is_some() {
            return Ok(());
        }
        let text = format!("the home does not take line {line:#x} back");
        Err(self.alone.failure(FailureKind::Conformance, text))
    }

    /// Has the pressing lines come and go, as far as they can.
    fn relieve(&mut self) -> Result<(), Failure> {
        let presses = |channel: Channel| channel.line >= PRESSING;
        loop {
            let mut worked = false;
            while let Some((channel, _)) = self.alone.first(presses) {
                self.alone.deliver(channel)?;
                self.alone.settle()?;
                worked = true;
            }
            for line in self.alone.lines(PRESSER) {
                let copy = self.alone.copy(PRESSER, line);
                if line >= PRESSING && matches!(copy, Some((CacheState::UC, _))) {
                    let ask = Ask::Plain(Opcode::Evict);
                    self.wishes.ask(self.alone, PRESSER, line, ask)?;
                    worked = true;
                }
            }
            if !worked {
                return Ok(());
            }
        }
    }
}
