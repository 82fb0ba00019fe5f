//! What is fuzzed: a model that is reset from input to input, and the judgement of each run.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

use flits::stimulus::{Node, Stimulus};

use super::draw::Draws;
use super::hostile;
use super::map::Map;
use super::watch::{Events, Watched};
use crate::dut::{Switch, TIGHT_PORTS, Variant, tight, verilated};
use crate::sim::{Model, RunOptions, Supernode};
use crate::topology::Topology;
use crate::{Failure, FailureKind};

/// Cycles that one input may take; those that wait for nothing stop long before.
const MAX_CYCLES: u64 = 200_000;

/// Makes a model at power-on.
type Make = Box<dyn Fn() -> Result<Box<dyn Switch>, Failure>>;

/// What came of an input.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Clock cycles of the programs, from the first one's start until nothing moved any more.
    pub cycles: u64,
    /// What was found.
    pub failure: Option<Failure>,
}

/// A switch that is fed with inputs.
pub struct Target {
    make: Make,
    ports: usize,
    /// Replays what is found; `None` where no command can.
    model: Option<Model>,
    hostile: bool,
    /// The model, unless the last run has lost it.
    switch: Option<Box<dyn Switch>>,
    events: Rc<RefCell<Events>>,
    before: Vec<u32>,
    map: Map,
}

impl Target {
    /// The switch of 4 ports in which everything is scarce, or the switch of 8 ports, with the
    /// coverage of the RTL; with a device that sends what it likes, or without.
    ///
    /// # Errors
    /// If there is no such switch with coverage.
    pub fn switch(ports: usize, hostile: bool) -> Result<Target, Failure> {
        let (model, make): (_, Make) = match ports {
            TIGHT_PORTS => (Model::Tight, Box::new(|| tight(Variant::Cov))),
            _ => (
                Model::Rtl(Variant::Fast),
                Box::new(move || verilated(ports, Variant::Cov)),
            ),
        };
        Target::of(make, Some(model), hostile)
    }

    /// Any switch: with a fault planted in it, or of the specification.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn of(
        make: impl Fn() -> Result<Box<dyn Switch>, Failure> + 'static,
        model: Option<Model>,
        hostile: bool,
    ) -> Result<Target, Failure> {
        let switch = make()?;
        let events = Rc::default();
        Ok(Target {
            make: Box::new(make),
            ports: switch.ports(),
            model,
            hostile,
            map: Map::new(switch.coverage().len()),
            switch: Some(Box::new(Watched::new(switch, Rc::clone(&events)))),
            events,
            before: Vec::new(),
        })
    }

    /// What draws inputs for it.
    pub fn draws(&self) -> Draws {
        Draws::new(self.ports, self.hostile)
    }

    /// Number of ports.
    pub fn ports(&self) -> usize {
        self.ports
    }

    /// What the last run has reached.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// What replays an input.
    pub fn options(&self) -> Option<RunOptions> {
        Some(RunOptions {
            model: self.model?,
            max_cycles: MAX_CYCLES,
            ..RunOptions::default()
        })
    }

    /// Runs an input on the model, after a reset. A panic of the harness is a failure as well.
    pub fn run(&mut self, stimulus: &Stimulus) -> Ran {
        self.map.clear();
        let run = AssertUnwindSafe(|| self.try_run(stimulus));
        // What the run was about to change is thrown away with it: the next one makes a new model.
        let ran = panic::catch_unwind(run).unwrap_or_else(|panic| {
            let text = (panic.downcast_ref::<String>().map(String::as_str))
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no text");
            let text = format!("the harness panics: {text}");
            Err(Failure::new(0, FailureKind::Harness, text))
        });
        match ran {
            Ok(ran) => ran,
            Err(failure) => Ran {
                cycles: failure.cycle,
                failure: Some(failure),
            },
        }
    }

    fn try_run(&mut self, stimulus: &Stimulus) -> Result<Ran, Failure> {
        let switch = match self.switch.take() {
            Some(switch) => switch,
            None => Box::new(Watched::new((self.make)()?, self.events.clone())),
        };
        let mut supernode = Supernode::builder()
            .config(stimulus.config.clone())
            .seed(stimulus.seed)
            .max_cycles(MAX_CYCLES)
            .build_on(vec![switch], &Topology::single(self.ports))?;
        let begin = supernode.cycle();
        self.before.clear();
        self.before.extend_from_slice(supernode.coverage());
        let mut failure = supernode.perform(stimulus).err();
        let cycles = supernode.cycle() - begin;
        self.map.count(&self.before, supernode.coverage());
        let map = &mut self.map;
        self.events.borrow_mut().drain(|event| map.event(event));
        let hostile = stimulus.config.nodes.contains(&Node::Hostile {});
        if failure.is_none() && hostile {
            let log = supernode.error_log()?;
            failure = hostile::judge(stimulus, &log, supernode.cycle()).err();
        }
        // A model whose assertion has fired goes on after a reset like any other.
        self.switch = Some(supernode.into_switch());
        Ok(Ran { cycles, failure })
    }
}
