//! Which word a core sends when.

use super::due;
use crate::dut::{CLASSES, bits};
use crate::sim::stream;
use flits::layout;
use flits::stimulus::{Op, Packet, Stimulus};
use flits::{Class, Flit, Header, LinkWord, NodeId, Opcode};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;

/// The `qos` that the fabric takes for high priority.
const HIGH: u64 = 8;

/// What a core has to send, and its stalls.
pub(super) struct Sender {
    /// Packets to be handed over, with the cycle of each.
    due: VecDeque<(u64, usize, Packet)>,
    /// Packets that wait or are under way, and their number among those of the core.
    queues: [VecDeque<(usize, Packet)>; CLASSES],
    /// Words of the packet under way that have been sent.
    sent: [u16; CLASSES],
    /// Class of the last word: the next has its turn first.
    last: usize,
    port: usize,
    rng: Pcg64Mcg,
    rx_permille: u16,
    tx_permille: u16,
}

impl Sender {
    /// The core on a port.
    pub fn new(stimulus: &Stimulus, port: usize) -> Sender {
        let config = &stimulus.config;
        let packet = |(index, (cycle, op)): (usize, (u64, &Op))| match op {
            Op::Packet(packet) => Some((cycle, index, packet.clone())),
            _ => None,
        };
        Sender {
            due: (due(stimulus, port).enumerate())
                .filter_map(packet)
                .collect(),
            queues: Default::default(),
            sent: [0; CLASSES],
            last: 0,
            port,
            rng: stream(stimulus.seed, &format!("core {port}")),
            rx_permille: config.stall.rx_permille,
            tx_permille: config.stall.tx_permille,
        }
    }

    /// The cycle in which the last packet is handed over.
    pub fn last_due(&self) -> u64 {
        self.due.back().map_or(0, |&(cycle, ..)| cycle)
    }

    /// Whether everything has been sent.
    pub fn is_done(&self) -> bool {
        self.due.is_empty() && self.queues.iter().all(VecDeque::is_empty)
    }

    /// The packet whose next word goes in this cycle, and whether that word is its first; `credit` says
    /// of which classes a word may go.
    pub fn next(&mut self, cycle: u64, credit: impl Fn(Class) -> bool) -> Option<Sent> {
        while let Some(&(due, ..)) = self.due.front()
            && due <= cycle
            && let Some((_, number, packet)) = self.due.pop_front()
        {
            self.queues[packet.class as usize].push_back((number, packet));
        }
        let able = |&class: &usize| !self.queues[class].is_empty() && credit(Class::ALL[class]);
        let mut turns = (1..=CLASSES).map(|turn| (self.last + turn) % CLASSES);
        let class = turns.find(able)?;
        if self.stalls(self.rx_permille) {
            return None;
        }
        self.last = class;
        let (number, packet) = self.queues[class].front()?.clone();
        let index = self.sent[class];
        self.sent[class] += 1;
        if self.sent[class] == packet.length {
            self.sent[class] = 0;
            self.queues[class].pop_front();
        }
        Some(Sent {
            port: self.port,
            number,
            packet,
            index,
        })
    }

    /// The classes, one bit each, of which the core gives a credit in this cycle if it has one to give.
    pub fn gives(&mut self) -> u8 {
        let all = (1 << CLASSES) - 1;
        match self.tx_permille {
            0 => all,
            permille => bits(u64::from(all))
                .filter(|_| !self.stalls(permille))
                .fold(0, |classes, class| classes | 1 << class),
        }
    }

    fn stalls(&mut self, permille: u16) -> bool {
        permille != 0 && self.rng.random_range(0..1000) < permille
    }
}

/// A word that a core sends.
pub(super) struct Sent {
    port: usize,
    number: usize,
    /// Its packet.
    pub packet: Packet,
    /// Its place in the packet.
    pub index: u16,
}

impl Sent {
    /// The content of a word of the packet; no two words of a run are alike.
    pub fn flit(&self, index: u16) -> Flit {
        let Packet {
            class, to, high, ..
        } = &self.packet;
        let name = (self.port as u64) << 24 | self.number as u64;
        if *class == Class::Snp && index == 0 {
            let header = Header {
                src: NodeId::port(self.port as u16),
                addr: name << 6,
                targets: to.iter().fold(0, |targets, port| targets | 1 << port),
                ..Header::new(Opcode::SnpUnique)
            };
            return header.encode();
        }
        let mut flit = Flit::from_u128(u128::from(name) << 64 | u128::from(index) << 32);
        if *high {
            flit.set(&layout::QOS, HIGH);
        }
        flit
    }

    /// The word.
    pub fn word(&self) -> LinkWord {
        LinkWord {
            class: self.packet.class,
            head: self.index == 0,
            tail: self.index + 1 == self.packet.length,
            flit: self.flit(self.index),
        }
    }
}
