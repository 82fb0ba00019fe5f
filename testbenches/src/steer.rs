//! Steering a run into a race: timings are searched until the packets on the links show that it was
//! met.

use flits::stimulus::Stimulus;
use flits::{CacheState, Opcode, Packet};
use harness::check::{Direction, SeenPacket};
use harness::dut::ErrorLog;
use harness::sim::{Outcome, RunOptions};

use crate::property;

/// The packets of a run, to be asked what happened.
pub struct Trace<'a> {
    packets: &'a [SeenPacket],
}

impl<'a> Trace<'a> {
    /// The packets of a run with [`RunOptions::log_packets`].
    pub fn of(outcome: &'a Outcome) -> Self {
        Trace {
            packets: &outcome.packets,
        }
    }

    /// Cycle and packet of everything of an opcode that port `port` sent or got, in order.
    pub fn all(
        &self,
        port: usize,
        direction: Direction,
        opcode: Opcode,
    ) -> impl Iterator<Item = (u64, &'a Packet)> {
        self.packets
            .iter()
            .filter(move |seen| {
                seen.port == port
                    && seen.direction == direction
                    && seen.packet.header.opcode == opcode
            })
            .map(|seen| (seen.cycle, &seen.packet))
    }

    /// Cycles in which `port` sent the opcode.
    pub fn sent(&self, port: usize, opcode: Opcode) -> Vec<u64> {
        self.all(port, Direction::ToSwitch, opcode)
            .map(|(cycle, _)| cycle)
            .collect()
    }

    /// Cycles in which `port` got the opcode.
    pub fn got(&self, port: usize, opcode: Opcode) -> Vec<u64> {
        self.all(port, Direction::ToNode, opcode)
            .map(|(cycle, _)| cycle)
            .collect()
    }

    /// States that `port` was granted with the opcode, in order.
    pub fn granted(&self, port: usize, opcode: Opcode) -> Vec<CacheState> {
        self.states(port, Direction::ToNode, opcode)
    }

    /// States that `port` answered with the opcode, in order.
    pub fn answered(&self, port: usize, opcode: Opcode) -> Vec<CacheState> {
        self.states(port, Direction::ToSwitch, opcode)
    }

    fn states(&self, port: usize, direction: Direction, opcode: Opcode) -> Vec<CacheState> {
        let packets = self.all(port, direction, opcode);
        packets.map(|(_, packet)| packet.header.state).collect()
    }

    /// How many packets of the opcode all ports got.
    pub fn count(&self, opcode: Opcode) -> usize {
        let got = |seen: &&SeenPacket| {
            seen.direction == Direction::ToNode && seen.packet.header.opcode == opcode
        };
        self.packets.iter().filter(got).count()
    }
}

/// Write-backs and evictions that the homes dropped as stale; `None` of a switch that has no
/// registers.
pub fn stale(outcome: &Outcome) -> Option<u32> {
    outcome
        .homes
        .iter()
        .map(|home| home.stale)
        .reduce(|a, b| a + b)
}

/// The first error that the switch logged and how many there were; `None` of a switch that has no
/// registers.
pub fn errors(outcome: &Outcome) -> Option<ErrorLog> {
    (!outcome.homes.is_empty()).then_some(outcome.errors)
}

/// Runs a stimulus with every checker, the packet log and the oracle.
///
/// # Panics
/// With what was found, leaving the stimulus in `target/failures`.
pub fn run(name: &str, stimulus: &Stimulus) -> Outcome {
    let options = RunOptions {
        log_packets: true,
        ..property::options()
    };
    property::run(stimulus, &options)
        .unwrap_or_else(|reason| property::fail(name, &options, &reason, stimulus))
}

/// Runs `make(0)`, `make(1)` and so on, below `tries`, until `met` says that the race took place.
/// Every run on the way must be right too.
///
/// # Panics
/// If a run is wrong or the race is never met.
pub fn until_met(
    name: &str,
    tries: u64,
    make: impl Fn(u64) -> Stimulus,
    met: impl Fn(&Trace<'_>) -> bool,
) -> Outcome {
    for skew in 0..tries {
        let outcome = run(name, &make(skew));
        if met(&Trace::of(&outcome)) {
            println!("{name}: met with skew {skew}");
            return outcome;
        }
    }
    panic!("{name}: none of {tries} timings led to the race that the test is about");
}
