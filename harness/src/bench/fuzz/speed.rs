//! How many short inputs a second, and where the time goes.

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

use flits::stimulus::Stimulus;

use crate::bench::sim::Watch;
use crate::dut::{Inputs, Outputs, Saved, Switch, Variant, through, verilated};
use crate::fuzz::{System, Target};
use crate::report::sheet::{Cell as Figure, Section, Table};
use crate::{Failure, FailureKind};

/// Cycles of the inputs, from the start of their programs until nothing moves any more.
const CYCLES: RangeInclusive<u64> = 56..=72;
/// Different inputs.
const INPUTS: usize = 50;
/// Seeds among which there are as many.
const SEEDS: u64 = 20_000;
/// How often each is run.
const ROUNDS: u32 = 10;

/// A switch that notes the time spent in its model.
struct Timed {
    switch: Box<dyn Switch>,
    spent: Rc<Cell<Duration>>,
}

impl Timed {
    fn time<T>(&mut self, run: impl FnOnce(&mut dyn Switch) -> T) -> T {
        let begin = Instant::now();
        let result = run(self.switch.as_mut());
        self.spent.set(self.spent.get() + begin.elapsed());
        result
    }
}

impl Switch for Timed {
    through!();

    fn reset(&mut self) -> Result<(), Failure> {
        self.time(|switch| switch.reset())
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.time(|switch| switch.clock(inputs, outputs))
    }

    fn homes_at_work(&self) -> u8 {
        self.switch.homes_at_work()
    }

    fn save(&self) -> Option<Saved> {
        self.switch.save()
    }

    fn restore(&mut self, saved: &Saved) {
        self.time(|switch| switch.restore(saved));
    }
}

/// Short inputs on a switch of `ports` ports, with the coverage of the RTL and without.
///
/// # Errors
/// If the switch is not there, or an input fails.
pub fn section(ports: usize) -> Result<Section, Failure> {
    let columns = [
        ("model", "model"),
        ("cycles", "cycles an input"),
        ("rate", "inputs a second"),
        ("whole", "microseconds an input"),
        ("in_model", "in the model"),
        ("in_harness", "in the harness"),
        ("harness", "share of the harness, %"),
    ];
    let mut table = Table::new("speed", &columns);
    let mut inputs = Vec::new();
    for (name, variant) in [("with counters", Variant::Cov), ("without", Variant::Fast)] {
        let spent = Rc::new(Cell::new(Duration::ZERO));
        let in_model = Rc::clone(&spent);
        let make = move || -> Result<Box<dyn Switch>, Failure> {
            Ok(Box::new(Timed {
                switch: verilated(ports, variant)?,
                spent: Rc::clone(&in_model),
            }))
        };
        let mut system = System::of(make, None, false)?;
        if inputs.is_empty() {
            inputs = short_inputs(&mut system)?;
        }
        // Once to begin with, so that starts are known.
        let mut cycles = 0;
        for input in &inputs {
            cycles += system.run(input).cycles;
        }
        spent.set(Duration::ZERO);
        let (begin, watch) = (Instant::now(), Watch::start());
        for input in (0..ROUNDS).flat_map(|_| &inputs) {
            system.run(input);
        }
        // Whoever else uses the processor slows model and harness alike.
        let share = spent.get().as_secs_f64() / begin.elapsed().as_secs_f64();
        let count = f64::from(ROUNDS) * inputs.len() as f64;
        let whole = watch.stop(cycles).seconds * 1e6 / count;
        let model = whole * share;
        table.push([
            name.into(),
            Figure::Number(cycles as f64 / inputs.len() as f64, 1),
            Figure::Number(1e6 / whole, 0),
            Figure::Number(whole, 0),
            Figure::Number(model, 0),
            Figure::Number(whole - model, 0),
            Figure::Number(100.0 * (whole - model) / whole, 0),
        ]);
    }
    Ok(Section {
        title: format!("Speed: inputs of about 64 cycles on {ports} ports"),
        notes: vec![format!(
            "{INPUTS} random inputs of {} to {} cycles, each run {ROUNDS} times, with all checks; seconds \
             are of processor time; the target is 2,000 a second",
            CYCLES.start(),
            CYCLES.end()
        )],
        table,
        charts: Vec::new(),
    })
}

/// Random inputs that are as short, without back-pressure so that no time goes by idly.
fn short_inputs(system: &mut System) -> Result<Vec<Stimulus>, Failure> {
    let mut inputs = Vec::new();
    for seed in 0..SEEDS {
        let Some(input) = system.draw(seed) else {
            continue;
        };
        let ran = system.run(&input);
        if let Some(failure) = ran.failure {
            return Err(failure);
        }
        if CYCLES.contains(&ran.cycles) {
            inputs.push(input);
            if inputs.len() == INPUTS {
                return Ok(inputs);
            }
        }
    }
    let text = format!("only {} of {SEEDS} inputs are as short", inputs.len());
    Err(Failure::new(0, FailureKind::Setup, text))
}
