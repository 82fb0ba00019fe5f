//! Shrinking with oracles that need no switch.

use super::{edit, shrink};
use flits::Class;
use flits::stimulus::{Config, Node, Op, OpKind, Part, Stall, Step, Stimulus, Turn};

fn step(node: usize, op: Op) -> Step {
    Step { node, after: 9, op }
}

/// Three nodes that load and store all over the place, in a system that stalls.
fn large() -> Stimulus {
    let mut config = Config::new(4);
    config.stall = Stall {
        rx_permille: 300,
        tx_permille: 200,
    };
    config.start_skew = vec![7, 8, 9];
    let steps = (0..120u64).map(|turn| {
        let addr = turn * 7 % 40 * 64 + turn % 8 * 8;
        let value = u128::from(turn) + 1;
        let op = match turn % 3 {
            0 => Op::Store {
                addr,
                size: 8,
                value,
            },
            1 => Op::Load { addr, size: 8 },
            _ => Op::Evict { addr: addr & !63 },
        };
        step(turn as usize % 3, op)
    });
    Stimulus {
        seed: 77,
        config,
        steps: steps.collect(),
    }
}

/// Whether node 1 or higher loads a line that node 0 has stored to before.
fn shared(stimulus: &Stimulus) -> bool {
    let line = |step: &Step| step.op.access().map(|(addr, _)| addr / 64);
    stimulus.steps.iter().enumerate().any(|(at, load)| {
        load.op.kind() == OpKind::Load
            && load.node > 0
            && stimulus.steps[..at].iter().any(|store| {
                store.node == 0 && store.op.kind() == OpKind::Store && line(store) == line(load)
            })
    })
}

#[test]
fn what_does_not_matter_goes() {
    assert!(shared(&large()));
    let shrunk = shrink(&large(), 2_000, shared);
    assert!(shrunk.done, "{} runs", shrunk.runs);
    let Stimulus {
        seed,
        config,
        steps,
    } = shrunk.stimulus;
    let expected = [
        Op::Store {
            addr: 0,
            size: 8,
            value: 1,
        },
        Op::Load { addr: 0, size: 8 },
    ];
    assert_eq!(
        steps.iter().map(|step| step.op.clone()).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        steps
            .iter()
            .map(|step| (step.node, step.after))
            .collect::<Vec<_>>(),
        [(0, 0), (1, 0)]
    );
    assert_eq!((seed, config.stall), (0, Stall::default()));
    assert!(config.start_skew.is_empty());
    assert_eq!(config.nodes[2], Node::Io {}, "the third node does nothing");
}

#[test]
fn what_matters_stays_and_every_stimulus_tried_can_be_run() {
    // 37 operations, some idling and a stall are needed: nothing of that may go.
    let needs = |stimulus: &Stimulus| {
        assert_eq!(stimulus.check(), Ok(()));
        let idle: u64 = stimulus.steps.iter().map(|step| step.after).sum();
        stimulus.steps.len() >= 37 && idle >= 20 && stimulus.config.stall.rx_permille >= 100
    };
    let shrunk = shrink(&large(), 5_000, needs);
    assert!(needs(&shrunk.stimulus));
    assert_eq!(shrunk.stimulus.steps.len(), 37);
    assert_eq!(shrunk.stimulus.config.stall.tx_permille, 0);
    assert!(shrunk.stimulus.config.stall.rx_permille < 200);
}

#[test]
fn the_runs_are_a_limit() {
    let mut runs = 0;
    let shrunk = shrink(&large(), 10, |stimulus| {
        runs += 1;
        shared(stimulus)
    });
    assert_eq!((runs, shrunk.runs, shrunk.done), (10, 10, false));
}

#[test]
fn a_step_is_edited_in_the_fields_that_it_has() {
    let store = step(
        1,
        Op::Store {
            addr: 0x48,
            size: 8,
            value: 5,
        },
    );
    let moved = edit::at(&store, 0x1000).expect("a store has an address");
    assert_eq!(moved.op.access(), Some((0x1000, 8)));
    assert_eq!((moved.node, moved.after), (1, 9));
    assert_eq!(edit::at(&store, 0x1001), None, "it would not be aligned");
    let narrow = edit::sized(&store, 2).expect("2 bytes");
    let written = edit::writing(&narrow, 0x1_2345).expect("a value");
    assert_eq!(written.op.value(), Some(0x2345));
    assert_eq!(edit::expecting(&store, 1), None);
    assert_eq!(edit::at(&step(0, Op::Fence), 0), None);
}

#[test]
fn turns_around_a_home_get_the_first_lines_and_choices() {
    let mut config = Config::part(Part::Home, 1);
    config.nodes[2] = Node::Peer { reads_only: true };
    let turns = (0..40u8).map(|number| {
        let turn = match number % 3 {
            0 => Turn::Hold {
                class: Class::Snp,
                cycles: 40,
            },
            _ => Turn::Ask {
                line: number % 7,
                choice: 3 * number,
            },
        };
        step(usize::from(number % 4), Op::Turn(turn))
    });
    let stimulus = Stimulus {
        seed: 5,
        config,
        steps: turns.collect(),
    };
    // Two requests of one line, the first of an odd choice, and messages that wait ten cycles.
    let fails = |stimulus: &Stimulus| {
        let turns = || stimulus.steps.iter().map(|step| &step.op);
        let held = turns().any(|op| matches!(op, Op::Turn(Turn::Hold { cycles: 10.., .. })));
        let lines: Vec<_> = turns()
            .filter_map(|op| match op {
                Op::Turn(Turn::Ask { line, choice }) => Some((line, choice % 2)),
                _ => None,
            })
            .collect();
        let again = |at: usize| lines[at + 1..].iter().any(|(line, _)| *line == lines[at].0);
        held && (0..lines.len()).any(|at| lines[at].1 == 1 && again(at))
    };
    assert!(fails(&stimulus));
    let shrunk = shrink(&stimulus, 2_000, fails);
    assert!(shrunk.done, "{} runs", shrunk.runs);
    let text = shrunk.stimulus.to_text();
    let steps: Vec<&str> = text.lines().skip(1).collect();
    let mut expected = vec![
        r#"{"node":0,"op":"turn","what":{"ask":{"line":0,"choice":1}}}"#,
        r#"{"node":0,"op":"turn","what":{"ask":{"line":0,"choice":0}}}"#,
    ];
    let held = r#"{"node":0,"op":"turn","what":{"hold":{"class":"Snp","cycles":10}}}"#;
    let at = steps
        .iter()
        .position(|step| *step == held)
        .expect("it is held");
    expected.insert(at, held);
    assert_eq!(steps, expected);
    assert_eq!(shrunk.stimulus.config, Config::part(Part::Home, 1));
}
