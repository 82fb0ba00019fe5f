//! A home alone. [`conform::Alone`] compares it with the specification and has it end with nothing due;
//! turns decide what peers ask for and which messages wait.

use super::{Bench, Event, Ran, due};
use crate::Failure;
use crate::conform::{self, Channel, Wishes, wish};
use crate::dut::{CLASSES, HOME_PORTS, HomeSlice};
use crate::protocol::NodeSet;
use crate::protocol::model::Agent;
use flits::Opcode;
use flits::layout::LINE_BYTES;
use flits::stimulus::{HOME_LINES, Node, Op, Stimulus, Turn};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A home and how it is to be run.
pub(super) struct Alone {
    home: conform::Alone,
    trace: Option<(PathBuf, Option<Range<u64>>)>,
}

impl Alone {
    pub fn new(home: Box<dyn HomeSlice>) -> Result<Alone, Failure> {
        Ok(Alone {
            home: conform::Alone::new(home)?,
            trace: None,
        })
    }

    fn start(&mut self, stimulus: &Stimulus) -> Result<(), Failure> {
        let config = &stimulus.config;
        // A credit that is kept so often comes back once in so many cycles.
        let pace = 1000 / (1000 - u64::from(config.stall.tx_permille));
        self.home.restart(pace)?;
        let reads_only = |port: &usize| config.nodes[*port] == Node::Peer { reads_only: true };
        let readers = (0..config.nodes.len()).filter(reads_only);
        self.home.readers = NodeSet(readers.map(|port| 1 << port).sum());
        let Some((path, window)) = self.trace.take() else {
            return Ok(());
        };
        let gone = self.home.cycles();
        let from_now = |cycle: u64| cycle.saturating_sub(gone);
        let window = window.map(|window| from_now(window.start)..from_now(window.end));
        self.home.trace_open(&path, window)
    }
}

impl Bench for Alone {
    fn run(&mut self, stimulus: &Stimulus, seen: &mut dyn FnMut(Event)) -> Ran {
        let done = self.start(stimulus).and_then(|()| {
            let ran = Run::new(&mut self.home, stimulus).all(stimulus);
            ran.map_err(|failure| Failure {
                message: format!(
                    "{}\nafter\n{}",
                    failure.message,
                    self.home.story().trim_end()
                ),
                ..failure
            })
        });
        let closed = self.home.trace_close();
        let pairs = self.home.pairs_of_run();
        pairs.numbers().for_each(|pair| seen([pair, 0, 0, 0]));
        Ran {
            cycles: self.home.cycles(),
            words: self.home.messages(),
            failure: done.and(closed).err(),
        }
    }

    fn coverage(&self) -> Vec<u32> {
        self.home.coverage().to_vec()
    }

    fn trace(&mut self, path: &Path, window: Option<Range<u64>>) {
        self.trace = Some((path.to_path_buf(), window));
    }
}

/// One run. Cycles are those since the start.
struct Run<'a> {
    home: &'a mut conform::Alone,
    wishes: Wishes,
    begin: u64,
    /// Until when the messages of each peer and class wait.
    held: [[u64; CLASSES]; HOME_PORTS],
    /// Until when the chip answers for all.
    merged: u64,
    /// The memory cannot do what comes next.
    fails: bool,
}

impl<'a> Run<'a> {
    fn new(home: &'a mut conform::Alone, stimulus: &Stimulus) -> Run<'a> {
        let mut wishes = Wishes::new(stimulus.seed);
        wishes.poison = stimulus.seed & 1 != 0;
        Run {
            begin: home.cycles(),
            home,
            wishes,
            held: Default::default(),
            merged: 0,
            fails: false,
        }
    }

    fn all(mut self, stimulus: &Stimulus) -> Result<(), Failure> {
        let turns = |port| due(stimulus, port).map(move |(cycle, op)| (cycle, port, op));
        let mut turns: Vec<_> = (0..HOME_PORTS).flat_map(turns).collect();
        turns.sort_by_key(|&(cycle, ..)| cycle);
        let mut turns = turns.into_iter().peekable();
        while turns.peek().is_some() || self.waits() {
            let now = self.now();
            while let Some((_, port, op)) = turns.next_if(|&(cycle, ..)| cycle <= now) {
                if let Op::Turn(turn) = *op {
                    self.turn(port, turn)?;
                }
            }
            self.deliver()?;
            self.home.cycle()?;
        }
        self.home.finish()
    }

    fn now(&self) -> u64 {
        self.home.cycles() - self.begin
    }

    /// Whether messages may still wait.
    fn waits(&self) -> bool {
        let ends = self.held.as_flattened().iter().chain([&self.merged]);
        ends.max().is_some_and(|&end| end > self.now())
    }

    fn turn(&mut self, port: usize, turn: Turn) -> Result<(), Failure> {
        let node = port as u8;
        let until = |cycles: u16| self.now() + u64::from(cycles);
        match turn {
            Turn::Ask { line, choice } => {
                let (line, choice) = (address(line), choice.into());
                wish(self.home, &mut self.wishes, node, line, choice)?;
            }
            Turn::Hold { class, cycles } => self.held[port][class as usize] = until(cycles),
            Turn::Merge { cycles } => self.merged = until(cycles),
            Turn::Fail => self.fails = true,
            Turn::Stray { tracker } => self.home.stray(node, tracker.into()),
        }
        Ok(())
    }

    /// The first message of every channel arrives, unless it waits.
    fn deliver(&mut self) -> Result<(), Failure> {
        let merges = self.merged > self.now();
        let heads: Vec<_> = self.home.channels().collect();
        for (channel, op) in heads {
            let merged = merges && channel.to == Agent::Home && op == Opcode::SnpResp;
            if merged || self.is_held(channel) {
                continue;
            }
            match channel.to == Agent::Memory && std::mem::take(&mut self.fails) {
                true => self.home.fail(channel)?,
                false => self.home.deliver(channel)?,
            }
        }
        if merges {
            (0..HOME_LINES).for_each(|line| self.home.merge(address(line)));
        }
        Ok(())
    }

    fn is_held(&self, channel: Channel) -> bool {
        let ends = [channel.from, channel.to];
        let concerns = |port: &usize| {
            let none = !ends.iter().any(|end| matches!(end, Agent::Node(_)));
            none || ends.contains(&Agent::Node(*port as u8))
        };
        let until = |port: usize| self.held[port][channel.class as usize];
        (0..HOME_PORTS)
            .filter(concerns)
            .any(|port| until(port) > self.now())
    }
}

fn address(line: u8) -> u64 {
    u64::from(line) * LINE_BYTES as u64
}
