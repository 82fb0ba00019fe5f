//! Lines that many share: what a store to one costs.

use super::situations::{A, LATER};
use flits::Opcode;
use harness::sim::Supernode;
use testbenches::program::Program;
use testbenches::steer::{self, Trace};

/// Cycles that a store to a line takes that so many others share, for each of `counts`; nothing else
/// moves. The first of `ports` stores and shares it too, the others are the last of `ports`.
fn store_times(mut supernode: Supernode, ports: &[usize], counts: &[usize]) -> Vec<u64> {
    let (ports, counts) = (ports.to_vec(), counts.to_vec());
    let ran = supernode.run(|sys| async move {
        let mut times = Vec::new();
        for sharers in counts {
            for &port in ports.iter().take(1).chain(ports.iter().rev().take(sharers)) {
                sys.node(port).load::<u64>(A).await;
                sys.idle(LATER).await;
            }
            let begin = sys.now();
            sys.node(ports[0]).store(A, sharers as u64).await;
            times.push(sys.now() - begin);
            sys.idle(LATER).await;
        }
        times
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn on_one_switch_a_store_takes_the_same_time_whether_one_or_five_others_share_the_line() {
    let supernode = Supernode::builder().ports(8).build();
    let supernode = supernode.expect("the default system of 8 ports");
    let times = store_times(supernode, &[0, 1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]);
    assert!(times.iter().all(|&time| time == times[0]), "{times:?}");
}

#[test]
fn answers_of_all_sharers_that_come_in_one_cycle_are_taken_in_that_cycle() {
    let waited = [1, 5].map(|sharers| {
        let mut program = Program::new(8).node(0).load(A, 8);
        for sharer in 1..=sharers {
            let wait = LATER * sharer as u64;
            program = program.node(sharer).after(wait).load(A, 8);
        }
        let program = program.node(0).after(LATER * 7).store(A, 8, 7);
        let outcome = steer::run("answers_in_one_cycle", &program.done());
        let trace = Trace::of(&outcome);
        let answers: Vec<u64> = (1..=sharers)
            .flat_map(|sharer| trace.sent(sharer, Opcode::SnpResp))
            .collect();
        assert_eq!(answers.len(), sharers);
        assert!(
            answers.iter().all(|&cycle| cycle == answers[0]),
            "{answers:?}"
        );
        let grants = trace.got(0, Opcode::Comp);
        assert_eq!(grants.len(), 1);
        grants[0] - answers[0]
    });
    assert_eq!(waited[0], waited[1]);
}

#[test]
fn on_two_tiers_a_leaf_answers_once_however_many_of_its_nodes_share_the_line() {
    let supernode = Supernode::builder().tiers(4, 4, 2).build();
    let supernode = supernode.expect("the default system of two tiers");
    // Nodes 12 to 14 are on the last leaf, and 8 to 10 on the one before it.
    let ports = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14];
    let times = store_times(supernode, &ports, &[1, 2, 3, 4, 5, 6]);
    assert!(times[..3].iter().all(|&time| time == times[0]), "{times:?}");
    assert!(times[3..].iter().all(|&time| time == times[3]), "{times:?}");
}
