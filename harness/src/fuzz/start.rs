//! A switch that remembers how it starts.
//!
//! Before the programs of an input begin, the switch is reset and its address map is written, register
//! by register: some 90 cycles that are the same from input to input. What a switch does is a function
//! of its pins since reset. So as long as the pins are those of an earlier start, what they showed then
//! is shown again and the model stands still; when that start is over, or the pins become others, the
//! model is put where it would be. Whoever is on the pins sees no difference.
//!
//! Every reset leads to the state after the first reset of the model, whatever has happened since, also
//! in memories that a reset does not clear.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::Failure;
use crate::dut::{Inputs, Outputs, Saved, Switch, through};

/// Starts that are remembered: a few address maps and partitions.
const STARTS: usize = 32;
/// Cycles of the longest start that is remembered.
const LONGEST: usize = 512;

/// What was on the pins in one cycle.
type Cycle = (Inputs, Outputs);

/// A start that is over.
struct Start {
    cycles: Vec<Cycle>,
    after: Saved,
}

/// Where the switch is.
enum Place {
    /// As far in an earlier start; the model has not moved.
    Following(Rc<Start>, usize),
    /// In a start that is new, with what was on the pins.
    Noting(Vec<Cycle>),
    /// Beyond its start.
    Beyond,
}

/// The switch.
pub struct Remembering {
    switch: Box<dyn Switch>,
    /// The model after its first reset; `None` if it cannot be saved.
    fresh: Option<Saved>,
    starts: VecDeque<Rc<Start>>,
    place: Place,
}

impl Remembering {
    /// A switch at power-on.
    pub fn new(switch: Box<dyn Switch>) -> Remembering {
        Remembering {
            switch,
            fresh: None,
            starts: VecDeque::new(),
            place: Place::Beyond,
        }
    }

    /// The start that goes on as the first cycles of `start` and then with these inputs.
    fn other(&self, start: &Start, cycles: usize, inputs: &Inputs) -> Option<Rc<Start>> {
        let goes_on = |other: &&Rc<Start>| {
            other.cycles.len() > cycles
                && same(&other.cycles[cycles].0, inputs)
                && (other.cycles.iter().zip(&start.cycles[..cycles]))
                    .all(|(other, cycle)| same(&other.0, &cycle.0))
        };
        self.starts.iter().find(goes_on).cloned()
    }

    /// Notes that a start was used: those used last are remembered.
    fn used(&mut self, start: &Rc<Start>) {
        if let Some(at) = self.starts.iter().position(|s| Rc::ptr_eq(s, start))
            && let Some(start) = self.starts.remove(at)
        {
            self.starts.push_front(start);
        }
    }

    /// Ends the start that is being noted.
    fn over(&mut self) {
        let Place::Noting(cycles) = std::mem::replace(&mut self.place, Place::Beyond) else {
            return;
        };
        if let Some(after) = self.switch.save() {
            self.starts.truncate(STARTS - 1);
            self.starts.push_front(Rc::new(Start { cycles, after }));
        }
    }

    /// Takes the model to where `start` is after some cycles.
    fn catch_up(&mut self, start: &Rc<Start>, cycles: usize) -> Result<(), Failure> {
        self.place = Place::Beyond;
        if cycles == start.cycles.len() {
            self.switch.restore(&start.after);
            self.used(start);
            return Ok(());
        }
        if let Some(fresh) = &self.fresh {
            self.switch.restore(fresh);
        }
        let noted = start.cycles[..cycles].to_vec();
        for (inputs, outputs) in &noted {
            self.switch.clock(inputs, &mut outputs.clone())?;
        }
        self.place = Place::Noting(noted);
        Ok(())
    }
}

/// Whether a switch cannot tell the inputs of two cycles apart, in neither of which a word comes.
fn same(a: &Inputs, b: &Inputs) -> bool {
    let pins = |i: &Inputs| (i.rx.valid, i.tx_credit, i.dead, i.link_events, i.apb);
    pins(a) == pins(b)
}

impl Switch for Remembering {
    through!();

    fn reset(&mut self) -> Result<(), Failure> {
        match &self.place {
            Place::Noting(cycles) if !cycles.is_empty() => self.over(),
            Place::Following(start, _) => self.used(&Rc::clone(start)),
            Place::Noting(_) | Place::Beyond => {}
        }
        if self.fresh.is_none() {
            self.switch.reset()?;
            self.fresh = self.switch.save();
        }
        self.place = match (&self.fresh, self.starts.front()) {
            (None, _) => Place::Beyond,
            (Some(fresh), None) => {
                self.switch.restore(fresh);
                Place::Noting(Vec::new())
            }
            (Some(_), Some(start)) => Place::Following(Rc::clone(start), 0),
        };
        Ok(())
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        if let Place::Following(start, cycles) = &mut self.place {
            let (mut start, at) = (Rc::clone(start), *cycles);
            let is_next = |start: &Start| start.cycles.get(at).is_some_and(|c| same(&c.0, inputs));
            if !is_next(&start)
                && let Some(other) = self.other(&start, at, inputs)
            {
                start = other;
            }
            if is_next(&start) {
                outputs.clone_from(&start.cycles[at].1);
                self.place = Place::Following(start, at + 1);
                return Ok(());
            }
            self.catch_up(&start, at)?;
        }
        if let Place::Noting(cycles) = &self.place {
            let registers = |inputs: &Inputs| inputs.apb.is_some();
            let written = cycles.last().is_some_and(|cycle| registers(&cycle.0));
            if written && !registers(inputs) {
                self.over();
            } else if inputs.rx.valid != 0 || cycles.len() == LONGEST {
                self.place = Place::Beyond;
            }
        }
        let clocked = self.switch.clock(inputs, outputs);
        match &mut self.place {
            Place::Noting(cycles) if clocked.is_ok() && self.switch.homes_at_work() == 0 => {
                cycles.push((inputs.clone(), outputs.clone()));
            }
            place => *place = Place::Beyond,
        }
        clocked
    }

    fn homes_at_work(&self) -> u8 {
        match self.place {
            // They have not begun.
            Place::Following(..) => 0,
            Place::Noting(_) | Place::Beyond => self.switch.homes_at_work(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dut::{ApbRequest, Variant, tight};

    /// What the switch shows in some cycles after a reset: registers are written at first, those of
    /// one of two address maps, and credits are given meanwhile.
    fn shows(switch: &mut dyn Switch, map: u32, cycles: u32) -> Vec<String> {
        switch.reset().expect("a reset");
        let mut outputs = Outputs::default();
        let cycle = |cycle: u32| {
            let mut inputs = Inputs::default();
            inputs.tx_credit.0 = u128::from(cycle < 4);
            let write = (cycle > 0 && cycle <= 30).then_some(if cycle > 9 { map } else { 0 });
            inputs.apb = write.map(|value| ApbRequest {
                enable: cycle.is_multiple_of(2),
                addr: 0x100 + 4 * ((cycle - 1) / 2) as u16,
                write: Some(value),
            });
            switch.clock(&inputs, &mut outputs).expect("a cycle");
            format!("{:?} {:?}", outputs.rx_credit, outputs.tx.valid)
        };
        (0..cycles).map(cycle).collect()
    }

    #[test]
    fn what_is_remembered_is_what_would_happen() {
        let model = || tight(Variant::Cov).expect("the tight switch");
        let mut remembering = Remembering::new(model());
        // Whole starts, one that ends early, and one that becomes another in the middle.
        for (map, cycles) in [
            (0, 60),
            (7, 60),
            (0, 60),
            (0, 20),
            (7, 15),
            (9, 60),
            (7, 90),
        ] {
            let mut plain = model();
            assert_eq!(
                shows(&mut remembering, map, cycles),
                shows(plain.as_mut(), map, cycles),
                "map {map}, {cycles} cycles"
            );
        }
        assert_eq!(remembering.starts.len(), 3);
    }
}
