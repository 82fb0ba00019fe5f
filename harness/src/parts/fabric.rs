//! The fabric alone. [`Links`] compares every word that comes out with those that went in.

use super::sender::Sender;
use super::{Bench, Event, Ran, SETTLE_CYCLES, depth, no_reference, size};
use crate::bench::fabric::{Delivered, Fabric, Links, Message};
use crate::dut::{CLASSES, Variant};
use crate::sim::Model;
use crate::{Failure, FailureKind};
use flits::Class;
use flits::stimulus::Stimulus;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Cycles after reset in which the fabric gives out all its credits.
const FILL_CYCLES: u64 = 32;
/// Cycles at the end in which the last credits come back, and nothing else any more.
const REST_CYCLES: u64 = 16;

/// What an event is about.
#[derive(Clone, Copy)]
enum Kind {
    /// A word comes out: from where to where, of which class, and who had the output before.
    Turn,
    /// How long a word of a class was inside, and how many are.
    Inside,
    /// Words that go in and come out in one cycle.
    Ports,
    /// A word waits at an input that has no credit for it.
    Full,
}

/// A fabric and how it is to be run.
pub(super) struct Alone {
    model: Model,
    variant: Variant,
    /// `None` until a stimulus says how many ports it has to have.
    fabric: Option<Fabric>,
    trace: Option<(PathBuf, Option<Range<u64>>)>,
}

impl Alone {
    pub fn new(model: Model, variant: Variant) -> Result<Alone, Failure> {
        let fabric = match model {
            Model::Tight => Some(Fabric::small(variant)?),
            Model::Rtl(_) => None,
            Model::Reference => return Err(no_reference()),
        };
        Ok(Alone {
            model,
            variant,
            fabric,
            trace: None,
        })
    }

    /// The model after a reset, with as many ports as the stimulus says.
    fn fabric(&mut self, ports: usize) -> Result<Fabric, Failure> {
        let fits = self.fabric.take().filter(|fabric| fabric.ports() == ports);
        let mut fabric = match (fits, self.model) {
            (Some(mut fabric), _) => {
                fabric.reset()?;
                fabric
            }
            (None, Model::Tight) if ports == 4 => Fabric::small(self.variant)?,
            (None, Model::Tight) => {
                return Err(super::setup("the tight fabric has 4 ports".into()));
            }
            (None, _) => Fabric::new(ports, self.variant)?,
        };
        if let Some((path, window)) = self.trace.take() {
            fabric.trace_open(&path, window)?;
        }
        Ok(fabric)
    }
}

impl Bench for Alone {
    fn run(&mut self, stimulus: &Stimulus, seen: &mut dyn FnMut(Event)) -> Ran {
        let config = &stimulus.config;
        let depths: Vec<u16> = (0..config.ports).map(|port| depth(config, port)).collect();
        let mut run = match self.fabric(config.ports) {
            Ok(fabric) => Run {
                links: Links::with_depths(fabric, &depths),
                words: 0,
                before: vec![[0; CLASSES]; config.ports],
                seen,
            },
            Err(failure) => {
                return Ran {
                    cycles: 0,
                    words: 0,
                    failure: Some(failure),
                };
            }
        };
        let failure = run.all(stimulus).err();
        let (cycles, words) = (run.links.cycle(), run.words);
        let mut fabric = run.links.into_fabric();
        let closed = fabric.trace_close().err();
        self.fabric = Some(fabric);
        Ran {
            cycles,
            words,
            failure: failure.or(closed),
        }
    }

    fn coverage(&self) -> Vec<u32> {
        let fabric = self.fabric.as_ref();
        fabric.map_or(Vec::new(), |fabric| fabric.coverage().to_vec())
    }

    fn trace(&mut self, path: &Path, window: Option<Range<u64>>) {
        self.trace = Some((path.to_path_buf(), window));
    }
}

/// One run.
struct Run<'a> {
    links: Links,
    words: u64,
    /// The input whose word came last out of each output, by class.
    before: Vec<[usize; CLASSES]>,
    seen: &'a mut dyn FnMut(Event),
}

impl Run<'_> {
    fn all(&mut self, stimulus: &Stimulus) -> Result<(), Failure> {
        for _ in 0..FILL_CYCLES {
            self.links.step()?;
        }
        let ports = self.links.ports();
        let credits = |links: &Links, port| Class::ALL.map(|class| links.credits(port, class));
        let full: Vec<_> = (0..ports).map(|port| credits(&self.links, port)).collect();
        let mut cores: Vec<Sender> = (0..ports).map(|port| Sender::new(stimulus, port)).collect();
        let last = cores.iter().map(Sender::last_due).max().unwrap_or(0);
        let begin = self.links.cycle();
        while !cores.iter().all(Sender::is_done) || self.links.inside() != 0 {
            let cycle = self.links.cycle() - begin;
            if cycle > last + SETTLE_CYCLES {
                return Err(self.stuck(&cores));
            }
            self.cycle(cycle, &mut cores)?;
        }
        for _ in 0..REST_CYCLES {
            self.links.step()?;
        }
        for (port, full) in full.iter().enumerate() {
            for (class, &full) in full.iter().enumerate() {
                let class = Class::ALL[class];
                let has = self.links.credits(port, class);
                if has != full {
                    let text = format!(
                        "nothing is under way, and input {port} has {has} of {full} {class} credits"
                    );
                    return Err(self.fail(FailureKind::Link, text));
                }
            }
        }
        Ok(())
    }

    fn cycle(&mut self, cycle: u64, cores: &mut [Sender]) -> Result<(), Failure> {
        let mut come = 0;
        for (port, core) in cores.iter_mut().enumerate() {
            let links = &self.links;
            let sent = core.next(cycle, |class| links.has_credit(port, class));
            let Some(sent) = sent else {
                if !core.is_done() {
                    (self.seen)([Kind::Full as u64, port as u64, 0, 0]);
                }
                continue;
            };
            come += 1;
            let packet = &sent.packet;
            if sent.index > 0 {
                self.links.proceed(port, packet.class);
                continue;
            }
            let message = Message {
                class: packet.class,
                outputs: packet.to.iter().fold(0, |outputs, to| outputs | 1 << to),
                born: self.links.cycle(),
                flits: (0..packet.length).map(|index| sent.flit(index)).collect(),
            };
            self.links.begin(port, message);
        }
        let delivered = self.links.step_with(|port| cores[port].gives())?.to_vec();
        self.words += delivered.len() as u64;
        if come + delivered.len() > 0 {
            (self.seen)([Kind::Ports as u64, come as u64, delivered.len() as u64, 0]);
        }
        delivered.iter().for_each(|word| self.note(word));
        Ok(())
    }

    fn note(&mut self, word: &Delivered) {
        let class = word.class as usize;
        let before = std::mem::replace(&mut self.before[word.output][class], word.input);
        let path = word.input | word.output << 4 | class << 8 | usize::from(word.tail) << 12;
        (self.seen)([Kind::Turn as u64, path as u64, before as u64, 0]);
        let (waited, inside) = (size(word.latency), size(self.links.inside() as u64));
        (self.seen)([Kind::Inside as u64, class as u64, waited, inside]);
    }

    fn stuck(&self, cores: &[Sender]) -> Failure {
        let waiting: Vec<usize> = (0..cores.len())
            .filter(|&port| !cores[port].is_done())
            .collect();
        let inside = self.links.inside();
        let text = format!(
            "{SETTLE_CYCLES} cycles after the last packet {inside} words are inside, and inputs \
             {waiting:?} have more to send"
        );
        self.fail(FailureKind::Progress, text)
    }

    fn fail(&self, kind: FailureKind, text: String) -> Failure {
        Failure::new(self.links.cycle(), kind, text)
    }
}
