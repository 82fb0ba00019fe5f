//! The model alone.
//!
//! One loop repeats, pin for pin, what a program's run put on the switch: the model does exactly the
//! same work, so the ratio of the speeds is the share of the time that is not the harness's. The other
//! sends random packets.

use super::watch::{Speed, Watch};
use crate::check::Checkers;
use crate::dut::{
    CLASSES, Dut, Inputs, MAX_PORTS, NODE_DEPTH, Outputs, Stall, Switch, Variant, Words, bits,
    verilated,
};
use crate::sim::{Builder, System, stream};
use crate::topology::Topology;
use crate::{Failure, FailureKind};
use flits::{CacheState, Flit, Header, LinkWord, NodeId, Opcode, Packet, Payload, layout};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

/// Where the uncached region of the default system begins.
const UNCACHED: u64 = 1 << 32;

/// Everything that a program's run put on the input pins of the switch.
pub struct Recording {
    ports: usize,
    log: Log,
}

impl Recording {
    /// Runs a program without checks and records it.
    ///
    /// # Errors
    /// As [`super::run`].
    pub fn of<F, Fut, T>(builder: &Builder, ports: usize, program: F) -> Result<Recording, Failure>
    where
        F: FnOnce(System) -> Fut,
        Fut: Future<Output = Result<T, Failure>> + 'static,
        T: 'static,
    {
        let log = Rc::new(RefCell::new(Log::default()));
        let recorder = Recorder {
            switch: verilated(ports, Variant::Fast)?,
            log: log.clone(),
        };
        let builder = builder.clone().checks(false);
        builder
            .build_on(vec![Box::new(recorder)], &Topology::single(ports))?
            .run(program)??;
        Ok(Recording {
            ports,
            log: log.take(),
        })
    }

    /// Its cycles.
    pub fn cycles(&self) -> u64 {
        self.log.cycles.len() as u64
    }

    /// Words that came into the switch, a cycle.
    pub fn words_per_cycle(&self) -> f64 {
        self.log.flits.len() as f64 / self.log.cycles.len() as f64
    }

    /// Puts the same on the pins of a model, cycle by cycle.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    pub fn repeat(&self) -> Result<Speed, Failure> {
        repeat(self.ports, &self.log)
    }
}

/// What was on the input pins: one entry a cycle, and all flits one after the other.
#[derive(Default)]
struct Log {
    cycles: Vec<Inputs<()>>,
    flits: Vec<Flit>,
}

/// A switch whose inputs are recorded from the last reset on.
struct Recorder {
    switch: Box<dyn Switch>,
    log: Rc<RefCell<Log>>,
}

impl Switch for Recorder {
    fn ports(&self) -> usize {
        self.switch.ports()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        *self.log.borrow_mut() = Log::default();
        self.switch.reset()
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        let mut log = self.log.borrow_mut();
        let Words {
            valid,
            class,
            head,
            tail,
            flit,
        } = &inputs.rx;
        log.flits.extend(bits(*valid).map(|port| flit[port]));
        let rx = Words {
            valid: *valid,
            class: *class,
            head: *head,
            tail: *tail,
            flit: (),
        };
        log.cycles.push(Inputs {
            rx,
            tx_credit: inputs.tx_credit,
            dead: 0,
            link_events: 0,
            apb: inputs.apb,
        });
        self.switch.clock(inputs, outputs)
    }
}

/// Repeats what was recorded.
fn repeat(ports: usize, log: &Log) -> Result<Speed, Failure> {
    let mut switch = verilated(ports, Variant::Fast)?;
    switch.reset()?;
    let (mut inputs, mut outputs): (Inputs, _) = (Inputs::default(), Outputs::default());
    let mut flits = log.flits.iter();
    let watch = Watch::start();
    for cycle in &log.cycles {
        let rx = &cycle.rx;
        (inputs.tx_credit, inputs.apb) = (cycle.tx_credit, cycle.apb);
        (inputs.rx.valid, inputs.rx.class) = (rx.valid, rx.class);
        (inputs.rx.head, inputs.rx.tail) = (rx.head, rx.tail);
        for (port, &flit) in bits(rx.valid).zip(&mut flits) {
            inputs.rx.flit[port] = flit;
        }
        switch.clock(&inputs, &mut outputs)?;
    }
    Ok(watch.stop(log.cycles.len() as u64))
}

/// Clocks the fast model of a switch with random legal packets that need no answer, under the
/// credits of the links, at an average of `words` words a cycle as far as there are credits.
///
/// # Errors
/// If there is no such model, or an assertion of it fires.
pub fn random_packets(ports: usize, cycles: u64, words: f64, seed: u64) -> Result<Speed, Failure> {
    let mut rng = stream(seed, "random packets");
    let (mut switch, depth) = programmed(ports)?;
    // Made beforehand: making them is not what is measured.
    let mut queues: Vec<VecDeque<LinkWord>> = (0..ports)
        .map(|port| {
            let packets = (0..256).map(|_| packet(port, ports, &mut rng));
            packets
                .flat_map(|packet| packet.words().collect::<Vec<_>>())
                .collect()
        })
        .collect();
    let mut credits = [[depth; CLASSES]; MAX_PORTS];
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    let (mut due, mut next) = (0.0, 0);
    let watch = Watch::start();
    for _ in 0..cycles {
        inputs.rx.valid = 0;
        due = f64::min(due + words, ports as f64);
        for _ in 0..ports {
            next = (next + 1) % ports;
            let (queue, credits) = (&mut queues[next], &mut credits[next]);
            if let Some(&word) = queue.front()
                && due >= 1.0
                && credits[word.class as usize] != 0
            {
                due -= 1.0;
                credits[word.class as usize] -= 1;
                inputs.rx.put(next, &word);
                queue.rotate_left(1);
            }
        }
        switch.clock(&inputs, &mut outputs)?;
        for (port, classes) in outputs.rx_credit.iter() {
            bits(classes).for_each(|class| credits[port][class] += 1);
        }
        inputs.tx_credit = Default::default();
        for port in bits(outputs.tx.valid) {
            if let Some(word) = outputs.tx.get(port) {
                inputs.tx_credit.pulse(port, word.class);
            }
        }
    }
    Ok(watch.stop(cycles))
}

/// The fast model with the default address map, and the credits of each class that it has granted to
/// each port: all that it grants.
fn programmed(ports: usize) -> Result<(Box<dyn Switch>, u16), Failure> {
    let still = |port: usize| Pcg64Mcg::new(port as u128);
    let switch = verilated(ports, Variant::Fast)?;
    let mut dut = Dut::new(switch, NODE_DEPTH, Stall::default(), still)?;
    let mut checks = Checkers::off();
    let sn = Builder::default().ports(ports).build()?;
    let partitions = vec![u16::MAX; ports];
    let (topology, map) = (sn.topology(), sn.address_map());
    dut.program(topology, map, &partitions, sn.parameters(), &mut checks)?;
    let depth = sn.parameters().class_depth;
    if !dut.credits_home(depth) {
        let text = "the switch has not granted all its credits while it was programmed";
        return Err(Failure::new(dut.cycle(), FailureKind::Setup, text));
    }
    Ok((dut.into_switch(), depth))
}

/// A random packet that the switch carries and nobody has to answer: uncached requests, data and
/// completions from node to node, and give-ups of lines that the home does not believe.
fn packet(port: usize, ports: usize, rng: &mut Pcg64Mcg) -> Packet {
    let opcodes = [
        Opcode::ReadNoSnp,
        Opcode::WriteNoSnp,
        Opcode::WriteBackFull,
        Opcode::Evict,
        Opcode::CompData,
        Opcode::Comp,
    ];
    let mut header = Header::new(opcodes[rng.random_range(0..opcodes.len())]);
    header.src = NodeId::port(port as u16);
    header.txn = rng.random_range(0..1 << 10);
    header.addr = 64 * rng.random_range(0..1 << 20);
    if header.opcode != Opcode::Comp {
        header.size = layout::LINE_SIZE;
    }
    match header.opcode {
        Opcode::Comp | Opcode::CompData => {
            header.dst = NodeId::port(rng.random_range(0..ports as u16));
        }
        Opcode::ReadNoSnp => header.addr += UNCACHED,
        Opcode::WriteNoSnp => {
            header.addr += UNCACHED;
            header.be = u16::MAX;
        }
        Opcode::WriteBackFull => {
            header.be = u16::MAX;
            header.state = CacheState::UD;
        }
        _ => header.state = CacheState::UC,
    }
    let flits = (0..header.payload_flits()).map(|_| Flit::from_u128(rng.random()));
    let payload: Payload = flits.collect();
    Packet { header, payload }
}
