//! Random messages in random order on a home of the RTL: a function of bytes.
//!
//! Each byte decides one thing: what a node asks for, which message arrives next, how long nothing
//! comes. Every choice is among what the protocol allows, so any bytes are a legal run, and one that
//! is cut short or changed in a place is another; when they end, everything that is open is finished.

use super::alone::{Alone, Channel};
use super::wishes::Wishes;
use crate::Failure;
use crate::dut::HOME_PORTS;
use crate::protocol::NodeSet;
use crate::protocol::model::{ASKS, Agent, Ask};
use flits::{CacheState, Opcode, layout::LINE_BYTES};
use rand::Rng;

/// The bytes of a run, from the first to the last.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    /// The next one, 0 when there is none.
    fn next(&mut self) -> usize {
        self.0.next().map_or(0, |&byte| byte.into())
    }
}

/// Lines of a run: more than the directory has room for, of both sets.
const LINES: [u64; 4] = [1, 2, 4, 8];
/// Cycles after each decision.
const PACES: [usize; 4] = [0, 1, 3, 12];

/// What the first byte decides.
struct Mode {
    lines: u64,
    /// Cycles after each decision.
    pace: usize,
    /// The memory may fail.
    fails: bool,
    /// Nodes may answer what they were not asked.
    strays: bool,
}

/// Runs the home on bytes: the first two decide how many lines there are, how fast messages come, and
/// whether memory may fail, data be corrupt, credits be scarce, node 0 be a reader and nodes answer what
/// they were not asked; the others the steps.
///
/// # Errors
/// The home does something else than the specification; or as [`Alone::cycle`].
pub fn scramble(alone: &mut Alone, bytes: &[u8]) -> Result<(), Failure> {
    let mut bytes = Bytes(bytes.iter());
    let (first, second) = (bytes.next(), bytes.next());
    alone.restart(if first >> 6 & 1 != 0 { 20 } else { 1 })?;
    let mode = Mode {
        lines: LINES[first & 3],
        pace: PACES[first >> 2 & 3],
        fails: first >> 4 & 1 != 0,
        strays: second & 3 == 0,
    };
    let mut wishes = Wishes::new(first as u64);
    wishes.poison = first >> 5 & 1 != 0;
    alone.readers = NodeSet((first >> 7 & 1) as u64);
    while !bytes.0.as_slice().is_empty() {
        step(alone, &mode, &mut wishes, &mut bytes)?;
        for _ in 0..mode.pace {
            alone.cycle()?;
        }
    }
    alone.finish()
}

/// Bytes of a run that a seed decides.
pub fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    crate::sim::stream(seed, "scramble").fill_bytes(&mut bytes);
    bytes
}

fn step(
    alone: &mut Alone,
    mode: &Mode,
    wishes: &mut Wishes,
    bytes: &mut Bytes<'_>,
) -> Result<(), Failure> {
    let byte = bytes.next();
    let (kind, which) = (byte & 7, byte >> 3);
    let all: Vec<Channel> = alone.channels().map(|(channel, _)| channel).collect();
    match kind {
        0..=3 if !all.is_empty() => {
            let channel = all[which % all.len()];
            match mode.fails && channel.to == Agent::Memory && which % 4 == 3 {
                true => alone.fail(channel),
                false => alone.deliver(channel),
            }
        }
        6 if mode.strays && which % 4 == 0 => {
            let node = (bytes.next() % HOME_PORTS) as u8;
            alone.stray(node, (which / 4) as u16);
            Ok(())
        }
        6 if which % 4 == 1 => {
            alone.merge((which / 4) as u64 % mode.lines * LINE_BYTES as u64);
            Ok(())
        }
        // Everything at once.
        4 if which % 2 == 0 => all
            .into_iter()
            .try_for_each(|channel| alone.deliver(channel)),
        5 => (0..=which).try_for_each(|_| alone.cycle()),
        _ => {
            let node = (which % HOME_PORTS) as u8;
            let line = (which / HOME_PORTS) as u64 % mode.lines;
            wish(alone, wishes, node, line * LINE_BYTES as u64, bytes.next())
        }
    }
}

/// A node asks for something that it may ask for, or stores.
pub(crate) fn wish(
    alone: &mut Alone,
    wishes: &mut Wishes,
    node: u8,
    line: u64,
    which: usize,
) -> Result<(), Failure> {
    let Some((state, _)) = alone.copy(node, line) else {
        return Ok(());
    };
    if matches!(state, CacheState::UC | CacheState::UD) && !which.is_multiple_of(3) {
        return wishes.store(alone, node, line);
    }
    let more = [Opcode::AtomicSwap, Opcode::AtomicCompare].map(Ask::Atomic);
    let allowed: Vec<Ask> = (ASKS.into_iter().chain(more))
        .filter(|ask| ask.is_allowed(state))
        .filter(|ask| !(ask.op().needs_write() && alone.readers.has(node)))
        .collect();
    wishes.ask(alone, node, line, allowed[which % allowed.len()])
}
