//! Mutators of inputs for a home alone: what peers ask for, and how long messages wait.

use flits::stimulus::{HOME_LINES, MAX_WAIT, Op, Stimulus, Turn};
use rand::RngExt;

use super::mutate::{Mutation, Mutator, another_device, another_of_part, idle, start_skew};

/// The mutators besides those of steps; those that are there twice are taken twice as often.
pub(super) const MUTATORS: [Mutator; 10] = [
    idle,
    idle,
    another_device,
    start_skew,
    another_of_part,
    another_choice,
    another_choice,
    to_one_line,
    to_one_line,
    credits_and_data,
];

fn turn(op: &mut Op) -> Option<&mut Turn> {
    match op {
        Op::Turn(turn) => Some(turn),
        _ => None,
    }
}

/// Something else of the same line, or a wait of another length.
fn another_choice(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let (other, longer) = (mutation.rng.random(), mutation.rng.random());
    for turn in mutation.chosen(stimulus, turn) {
        match turn {
            Turn::Ask { choice, .. } => *choice = choice.wrapping_add(other),
            Turn::Hold { cycles, .. } | Turn::Merge { cycles } => {
                *cycles = match longer {
                    true => (*cycles * 2).min(MAX_WAIT),
                    false => cycles.div_ceil(2),
                }
            }
            Turn::Fail | Turn::Stray { .. } => {}
        }
    }
}

/// Some requests of one line.
fn to_one_line(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let one = mutation.rng.random_range(0..HOME_LINES);
    for turn in mutation.chosen(stimulus, turn) {
        if let Turn::Ask { line, .. } = turn {
            *line = one;
        }
    }
}

/// The home's credits come back sooner or later, and data is other data.
fn credits_and_data(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let stall = &mut stimulus.config.stall;
    match rng.random_range(0..3) {
        0 => stall.tx_permille = 0,
        1 => stall.tx_permille = rng.random_range(500..=960),
        _ => stimulus.seed = rng.random(),
    }
}
