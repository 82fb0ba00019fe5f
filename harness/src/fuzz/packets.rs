//! Mutators of inputs for a fabric or a link alone: packets, and what goes wrong on wires.

use flits::stimulus::{LinkErrors, Op, Packet, Stimulus};
use flits::strategies::{hit, outage};
use rand::RngExt;

use super::draw::drawn;
use super::mutate::{
    Mutation, Mutator, another_device, another_of_part, back_pressure, idle, start_skew,
};

/// Most hits of an input.
const MAX_HITS: usize = 32;
/// Most outages: more in a row may rightly kill a link.
const MAX_OUTAGES: usize = 2;

/// The mutators besides those of steps; those that are there twice are taken twice as often.
pub(super) const MUTATORS: [Mutator; 12] = [
    idle,
    idle,
    back_pressure,
    another_device,
    start_skew,
    another_of_part,
    another_of_part,
    to_one_output,
    longer_wire,
    another_hit,
    another_hit,
    another_outage,
];

fn packet(op: &mut Op) -> Option<&mut Packet> {
    match op {
        Op::Packet(packet) => Some(packet),
        _ => None,
    }
}

/// Some packets to one output, of one length: what makes queues full.
fn to_one_output(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let mut first: Option<Packet> = None;
    for packet in mutation.chosen(stimulus, packet) {
        let first = first.get_or_insert_with(|| packet.clone());
        if packet.class == first.class {
            (packet.to, packet.length) = (first.to.clone(), first.length);
        } else {
            packet.to.truncate(1);
        }
    }
}

/// What goes wrong on the wires, if there are any.
fn wires(stimulus: &mut Stimulus) -> Option<&mut LinkErrors> {
    stimulus.config.link_errors.as_mut()
}

fn longer_wire(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    if let Some(errors) = wires(stimulus) {
        errors.delay = mutation.rng.random_range(0..=20);
    }
}

/// One hit more or less, or one in another cycle; near another one more often than not, since what a
/// link does about one error is disturbed by the next.
fn another_hit(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let Some(errors) = wires(stimulus) else {
        return;
    };
    let hits = &mut errors.hits;
    let some = (!hits.is_empty()).then(|| rng.random_range(0..hits.len()));
    match (some, rng.random_range(0..4)) {
        (Some(at), 0) => drop(hits.remove(at)),
        (Some(at), 1) => hits[at].from = rng.random_range(0..600),
        (near, _) if hits.len() < MAX_HITS => {
            let Some(mut fresh) = drawn(&hit(), rng.random()) else {
                return;
            };
            if let Some(near) = near
                && rng.random_ratio(2, 3)
            {
                fresh.from = hits[near].from + rng.random_range(0..40);
            }
            hits.push(fresh);
        }
        _ => {}
    }
}

/// One outage more or less.
fn another_outage(stimulus: &mut Stimulus, mutation: &mut Mutation<'_>) {
    let rng = &mut *mutation.rng;
    let Some(errors) = wires(stimulus) else {
        return;
    };
    let outages = &mut errors.outages;
    if !outages.is_empty() && rng.random() {
        outages.remove(rng.random_range(0..outages.len()));
    } else if outages.len() < MAX_OUTAGES
        && let Some(fresh) = drawn(&outage(), rng.random())
    {
        outages.push(fresh);
    }
}
