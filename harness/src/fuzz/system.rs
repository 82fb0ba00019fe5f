//! A whole switch as a target, with devices on its ports.

use std::cell::RefCell;
use std::rc::Rc;

use flits::stimulus::{Node, Stimulus};

use super::draw::Draws;
use super::hostile;
use super::map::Map;
use super::start::Remembering;
use super::target::{MAX_CYCLES, Ran, Target, judged};
use super::watch::{Events, Watched};
use crate::Failure;
use crate::dut::{Switch, TIGHT_PORTS, Variant, tight, verilated};
use crate::sim::{Model, Supernode};
use crate::topology::Topology;

/// Cycles without any word after which an input is over. When no device wants anything and all credits
/// are back, a switch holds nothing that long.
pub const QUIET_CYCLES: u64 = 16;

/// A pair of the protocol, as an event; the pins' own have smaller numbers.
const PAIR: u64 = 100;

/// Makes a model at power-on.
type Make = Box<dyn Fn() -> Result<Box<dyn Switch>, Failure>>;

/// A switch that is fed with inputs.
pub struct System {
    make: Make,
    ports: usize,
    /// Replays what is found; `None` where no command can.
    model: Option<Model>,
    draws: Draws,
    /// The model, unless the last run has lost it.
    switch: Option<Box<dyn Switch>>,
    events: Rc<RefCell<Events>>,
    before: Vec<u32>,
    map: Map,
}

impl System {
    /// The switch of 4 ports in which everything is scarce, or the switch of 8 ports, with the
    /// coverage of the RTL; with a device that sends what it likes, or without.
    ///
    /// # Errors
    /// If there is no such switch with coverage.
    pub fn switch(ports: usize, hostile: bool) -> Result<System, Failure> {
        System::of_variant(ports, hostile, Variant::Cov)
    }

    /// The same, with the coverage of the RTL or without.
    ///
    /// # Errors
    /// If there is no such switch in that variant.
    pub fn of_variant(ports: usize, hostile: bool, variant: Variant) -> Result<System, Failure> {
        let (model, make): (_, Make) = match ports {
            TIGHT_PORTS => (Model::Tight, Box::new(move || tight(variant))),
            _ => (
                Model::Rtl(Variant::Fast),
                Box::new(move || verilated(ports, variant)),
            ),
        };
        System::of(make, Some(model), hostile)
    }

    /// Any switch: with a fault planted in it, or of the specification.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn of(
        make: impl Fn() -> Result<Box<dyn Switch>, Failure> + 'static,
        model: Option<Model>,
        hostile: bool,
    ) -> Result<System, Failure> {
        let switch = make()?;
        let events = Rc::default();
        Ok(System {
            make: Box::new(make),
            ports: switch.ports(),
            model,
            draws: Draws::new(switch.ports(), hostile),
            map: Map::new(switch.coverage().len()),
            switch: Some(watched(switch, &events)),
            events,
            before: Vec::new(),
        })
    }

    fn try_run(&mut self, stimulus: &Stimulus) -> Result<Ran, Failure> {
        let switch = match self.switch.take() {
            Some(switch) => switch,
            None => watched((self.make)()?, &self.events),
        };
        let mut supernode = Supernode::builder()
            .config(stimulus.config.clone())
            .seed(stimulus.seed)
            .max_cycles(MAX_CYCLES)
            .quiet_cycles(QUIET_CYCLES)
            .build_on(vec![switch], &Topology::single(self.ports))?;
        let begin = supernode.cycle();
        self.before.clear();
        self.before.extend_from_slice(supernode.coverage());
        let mut failure = supernode.perform(stimulus).err();
        let cycles = supernode.cycle() - begin;
        self.map.count(&self.before, supernode.coverage());
        let map = &mut self.map;
        self.events.borrow_mut().drain(|event| map.event(event));
        let pairs = supernode.pairs();
        pairs
            .numbers()
            .for_each(|pair| map.event([PAIR, pair, 0, 0]));
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

/// A switch that remembers its starts, with its pins watched.
fn watched(switch: Box<dyn Switch>, events: &Rc<RefCell<Events>>) -> Box<dyn Switch> {
    let switch = Box::new(Remembering::new(switch));
    Box::new(Watched::new(switch, Rc::clone(events)))
}

impl Target for System {
    fn name(&self) -> String {
        let hostile = match self.draws.hostile() {
            true => ", one device hostile",
            false => "",
        };
        format!("switch of {} ports{hostile}", self.ports)
    }

    fn draws(&self) -> &Draws {
        &self.draws
    }

    fn run(&mut self, stimulus: &Stimulus) -> Ran {
        self.map.clear();
        judged(|| self.try_run(stimulus))
    }

    fn map(&self) -> &Map {
        &self.map
    }

    fn model(&self) -> Option<Model> {
        self.model
    }
}
