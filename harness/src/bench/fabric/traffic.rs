//! What the sources send.

use super::links::{Links, Message};
use flits::{Class, Flit, layout};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;

/// The quality of service that the fabric takes for high priority.
const HIGH: u64 = 8;

/// Where packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Any other port, all alike; the own one too if `own`.
    Uniform {
        /// Whether a source also sends to the port of its own number.
        own: bool,
    },
    /// From each port to the next.
    Permutation,
    /// All others to port 0.
    HotSpot,
}

impl Pattern {
    /// Whether the source at a port sends.
    pub fn sends(self, port: usize) -> bool {
        self != Pattern::HotSpot || port != 0
    }

    fn destination(self, port: usize, ports: usize, rng: &mut Pcg64Mcg) -> usize {
        match self {
            Pattern::Uniform { own: true } => rng.random_range(0..ports),
            Pattern::Uniform { own: false } => (port + 1 + rng.random_range(0..ports - 1)) % ports,
            Pattern::Permutation => (port + 1) % ports,
            Pattern::HotSpot => 0,
        }
    }
}

/// How packets wait at a source. The queues have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queues {
    /// In one queue.
    Single,
    /// In one queue for each destination, which take turns.
    PerDestination,
}

/// Synthetic traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Where packets go.
    pub pattern: Pattern,
    /// Words offered a cycle and source, 0 to 1; a packet begins by the toss of a coin each cycle.
    pub load: f64,
    /// Words of a packet.
    pub flits: usize,
    /// How packets wait.
    pub queues: Queues,
    /// The class of all packets.
    pub class: Class,
    /// The share of packets of high priority.
    pub high: f64,
}

impl Traffic {
    /// Packets of `flits` words to any other port, out of one queue a source.
    pub fn uniform(load: f64, flits: usize) -> Traffic {
        Traffic {
            pattern: Pattern::Uniform { own: false },
            load,
            flits,
            queues: Queues::Single,
            class: Class::Req,
            high: 0.0,
        }
    }
}

/// A packet that waits.
struct Waiting {
    output: usize,
    born: u64,
}

/// The sources of all ports.
pub struct Sources {
    traffic: Traffic,
    rng: Pcg64Mcg,
    /// By source, then by destination if there is a queue for each.
    queues: Vec<Vec<VecDeque<Waiting>>>,
    /// The queue of each source whose turn it is.
    turn: Vec<usize>,
    sent: u64,
}

impl Sources {
    /// Sources that are empty.
    pub fn new(traffic: Traffic, ports: usize, rng: Pcg64Mcg) -> Sources {
        let queues = match traffic.queues {
            Queues::Single => 1,
            Queues::PerDestination => ports,
        };
        Sources {
            traffic,
            rng,
            queues: (0..ports)
                .map(|_| (0..queues).map(|_| VecDeque::new()).collect())
                .collect(),
            turn: vec![0; ports],
            sent: 0,
        }
    }

    /// What the sources do in one cycle.
    pub fn act(&mut self, links: &mut Links) {
        let Traffic {
            pattern,
            load,
            flits,
            class,
            ..
        } = self.traffic;
        let ports = links.ports();
        for port in (0..ports).filter(|&port| pattern.sends(port)) {
            if self.rng.random_bool(load / flits as f64) {
                let output = pattern.destination(port, ports, &mut self.rng);
                let queues = &mut self.queues[port];
                let queue = output % queues.len();
                let born = links.cycle();
                queues[queue].push_back(Waiting { output, born });
            }
            if !links.has_credit(port, class) {
                continue;
            }
            if links.is_under_way(port, class) {
                links.proceed(port, class);
            } else if let Some(Waiting { output, born }) = self.next(port) {
                let message = Message {
                    class,
                    outputs: 1 << output,
                    born,
                    flits: self.content(port, output),
                };
                links.begin(port, message);
            }
        }
    }

    /// Takes the packet whose turn it is.
    fn next(&mut self, port: usize) -> Option<Waiting> {
        let (queues, turn) = (&mut self.queues[port], &mut self.turn[port]);
        for _ in 0..queues.len() {
            *turn = (*turn + 1) % queues.len();
            if let Some(packet) = queues[*turn].pop_front() {
                return Some(packet);
            }
        }
        None
    }

    /// Words that no other packet has.
    fn content(&mut self, port: usize, output: usize) -> Vec<Flit> {
        self.sent += 1;
        let qos = if self.rng.random_bool(self.traffic.high) {
            HIGH
        } else {
            0
        };
        let word = |index: usize, noise: u64| {
            let name = (port | output << 8 | index << 16) as u64 | self.sent << 24;
            let bits = u128::from(noise & 0xffff) << 16 | u128::from(name) << 64;
            let mut flit = Flit::from_u128(bits);
            flit.set(&layout::QOS, qos);
            flit
        };
        (0..self.traffic.flits)
            .map(|index| word(index, self.rng.random()))
            .collect()
    }
}
