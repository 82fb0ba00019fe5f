//! The exploration of small graphs.

use super::*;

/// A graph: for each state its successors, each with whether the step drains; quiet states
/// are those without any that does.
struct Graph {
    arcs: &'static [&'static [(u8, bool)]],
    bad: Option<u8>,
}

impl Space for Graph {
    type State = u8;
    type Step = (u8, bool);
    type Broken = String;

    fn start(&self) -> u8 {
        0
    }

    fn encode(&self, state: &u8, out: &mut Vec<u8>) {
        out.push(*state);
    }

    fn steps(&self, state: &u8) -> Vec<(u8, bool)> {
        self.arcs[usize::from(*state)].to_vec()
    }

    fn apply(&self, _: &u8, step: &(u8, bool)) -> Result<u8, String> {
        match usize::from(step.0) < self.arcs.len() {
            true => Ok(step.0),
            false => Err("out".to_owned()),
        }
    }

    fn drains(&self, _: &u8, step: &(u8, bool)) -> bool {
        step.1
    }

    fn endless(&self, steps: usize) -> String {
        format!("round from {steps}")
    }

    fn expand(&self, state: &[u8], to: &mut Expansion<String>) {
        let state = state[0];
        to.broken = (self.bad == Some(state)).then(|| "bad".to_owned());
        to.quiet = !self.steps(&state).iter().any(|step| step.1);
        for step in self.steps(&state) {
            match self.apply(&state, &step) {
                Ok(after) => {
                    self.encode(&after, &mut to.bytes);
                    to.arc(step.1, 1 << after);
                }
                Err(broken) => to.broken_step = Some(broken),
            }
        }
    }
}

fn explored(arcs: &'static [&'static [(u8, bool)]], bad: Option<u8>) -> OutcomeOf<Graph> {
    let options = Options {
        jobs: 2,
        memory: 1 << 20,
    };
    explore(&Graph { arcs, bad }, options, &mut |_| {}).expect("enough memory")
}

/// What is broken, and the states on the way there.
fn found(outcome: &OutcomeOf<Graph>) -> Option<(&str, Vec<u8>)> {
    let trace = outcome.trace.as_ref()?;
    let way = trace.steps.iter().map(|step| step.0).chain(trace.end);
    Some((&trace.broken, way.collect()))
}

#[test]
fn everything_is_counted_once() {
    let outcome = explored(
        &[&[(1, false), (2, false)], &[(3, true)], &[(3, true)], &[]],
        None,
    );
    let counts = (outcome.states, outcome.transitions, outcome.depth);
    assert_eq!(counts, (4, 4, 2));
    assert_eq!((outcome.quiet, outcome.longest_end), (2, 1));
    assert_eq!(outcome.marks[..4], [0, 1, 1, 2]);
    assert_eq!(found(&outcome), None);
}

#[test]
fn the_way_to_a_bad_state_is_a_shortest_one() {
    let arcs: &[&[(u8, bool)]] = &[
        &[(1, false), (2, false)],
        &[(3, false)],
        &[(4, false)],
        &[(4, false)],
        &[],
    ];
    assert_eq!(
        found(&explored(arcs, Some(4))),
        Some(("bad", vec![0, 2, 4]))
    );
}

#[test]
fn a_bad_state_is_nearer_than_a_bad_step_from_its_level() {
    let arcs: &[&[(u8, bool)]] = &[&[(1, false), (2, false)], &[(9, false)], &[]];
    assert_eq!(found(&explored(arcs, None)), Some(("out", vec![0, 1])));
    assert_eq!(found(&explored(arcs, Some(2))), Some(("bad", vec![0, 2])));
}

#[test]
fn a_round_of_draining_steps_is_found_though_it_can_be_left() {
    let arcs: &[&[(u8, bool)]] = &[&[(1, false)], &[(2, true)], &[(1, true), (3, true)], &[]];
    let round = Some(("round from 1", vec![0, 1, 2, 1]));
    assert_eq!(found(&explored(arcs, None)), round);
}

#[test]
fn a_round_with_a_step_that_does_not_drain_is_none() {
    let arcs: &[&[(u8, bool)]] = &[&[(1, false)], &[(2, true)], &[(1, false), (3, true)], &[]];
    assert_eq!(found(&explored(arcs, None)), None);
}

#[test]
fn too_little_memory_is_said() {
    let options = Options { jobs: 1, memory: 8 };
    let graph = Graph {
        arcs: &[&[(1, false)], &[]],
        bad: None,
    };
    let error = explore(&graph, options, &mut |_| {}).expect_err("no memory");
    assert!(error.contains("allow more memory"), "{error}");
}
