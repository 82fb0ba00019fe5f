//! The fabric, a link or a home alone as a target.

use flits::stimulus::{Part, Stimulus};

use super::draw::Draws;
use super::map::Map;
use super::target::{Ran, Target, judged};
use crate::Failure;
use crate::dut::Variant;
use crate::parts::{self, Bench};
use crate::sim::Model;

/// A part of the switch that is fed with packets, or with turns of what is around it.
pub struct Alone {
    part: Part,
    model: Model,
    bench: Box<dyn Bench>,
    draws: Draws,
    before: Vec<u32>,
    map: Map,
}

impl Alone {
    /// The part, with the coverage of the RTL: the fabric in which everything is scarce, the link of the
    /// switch, or a home.
    ///
    /// # Errors
    /// If the model is not there.
    pub fn new(part: Part) -> Result<Alone, Failure> {
        let model = match part {
            Part::Fabric => Model::Tight,
            Part::Link | Part::Home => Model::Rtl(Variant::Fast),
        };
        let bench = parts::bench(part, model, Variant::Cov)?;
        Ok(Alone::of(part, model, bench))
    }

    /// Any bench of the part, which `model` replays.
    pub fn of(part: Part, model: Model, bench: Box<dyn Bench>) -> Alone {
        let before = bench.coverage();
        Alone {
            part,
            model,
            bench,
            draws: Draws::part(part),
            map: Map::new(before.len()),
            before,
        }
    }
}

impl Target for Alone {
    fn name(&self) -> String {
        match self.part {
            Part::Fabric => "fabric of 4 ports alone".into(),
            Part::Link => "link alone".into(),
            Part::Home => "home of 4 ports alone".into(),
        }
    }

    fn draws(&self) -> &Draws {
        &self.draws
    }

    fn run(&mut self, stimulus: &Stimulus) -> Ran {
        self.map.clear();
        judged(|| {
            let map = &mut self.map;
            let ran = (self.bench).run(stimulus, &mut |event| map.event(event));
            let after = self.bench.coverage();
            map.count(&self.before, &after);
            self.before = after;
            Ok(Ran {
                cycles: ran.cycles,
                failure: ran.failure,
            })
        })
    }

    fn map(&self) -> &Map {
        &self.map
    }

    fn model(&self) -> Option<Model> {
        Some(self.model)
    }
}
