//! The protocol functions, explored exhaustively, and shown to be explored well
//! enough: faults put into them are found.

use flits::{CacheState, Opcode};
use harness::protocol::model::{Protocol, Value};
use harness::protocol::{
    Directory, HomeIn, HomeLine, HomeOut, NodeIn, NodeLine, NodeOut, NodeSet, Outputs, Pending,
    Violation, Work, home, node,
};
use stateright::{Checker, HasDiscoveries, Model};

/// Explores breadth first to the end or to the first broken rule, and prints what was seen.
fn explore(name: &str, protocol: Protocol) -> impl Checker<Protocol> {
    let checker = protocol
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!(
        "{name}: {} states ({} generated), depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker
}

/// Every `always` holds in every reachable state, and every race is reached.
#[test]
fn two_nodes_one_line_keep_every_rule_and_reach_every_race() {
    explore("2 nodes", Protocol::new(2, false)).assert_properties();
}

#[test]
fn two_nodes_one_line_with_recalls_keep_every_rule_and_reach_every_race() {
    explore("2 nodes, recalls", Protocol::new(2, true)).assert_properties();
}

#[test]
fn three_nodes_one_line_keep_every_rule_and_reach_every_race() {
    explore("3 nodes", Protocol::new(3, false)).assert_properties();
}

#[test]
fn three_nodes_one_line_with_recalls_keep_every_rule_and_reach_every_race() {
    explore("3 nodes, recalls", Protocol::new(3, true)).assert_properties();
}

/// The races that writes of both nodes make are not reached when one only reads, so only what must
/// always hold is asked for.
#[test]
fn a_node_that_may_only_read_never_gets_a_writable_copy() {
    for (nodes, recalls) in [(2, true), (3, false)] {
        let protocol = Protocol {
            readers: NodeSet::one(0),
            ..Protocol::new(nodes, recalls)
        };
        let broken = finds(&format!("{nodes} nodes, node 0 only reads"), protocol);
        assert!(broken.is_empty(), "{broken:?}");
    }
}

#[test]
fn a_home_that_ignores_a_missing_right_is_found() {
    fn generous(line: HomeLine<Value>, input: HomeIn<Value>) -> HomeStep {
        let input = match input {
            HomeIn::Request { op, src, data, .. } => HomeIn::Request {
                op,
                src,
                may_write: true,
                data,
            },
            other => other,
        };
        home(line, input)
    }
    let broken = finds(
        "ignores a missing right",
        Protocol {
            readers: NodeSet::one(0),
            home: generous,
            ..Protocol::new(2, false)
        },
    );
    assert!(
        broken.contains(&"who may not write has no writable copy"),
        "{broken:?}"
    );
}

type NodeStep = Result<(NodeLine<Value>, Outputs<NodeOut<Value>>), Violation>;
type HomeStep = Result<(HomeLine<Value>, Outputs<HomeOut<Value>>), Violation>;

/// Explores a faulty protocol, prints the shortest way to the first broken property, and
/// returns the names of the broken ones.
fn finds(fault: &str, protocol: Protocol) -> Vec<&'static str> {
    let checker = explore(fault, protocol);
    let mut broken: Vec<_> = checker
        .discoveries()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("race") || name.contains(": no "))
        .map(|(name, path)| (path.into_vec(), name))
        .collect();
    broken.sort_by_key(|(path, _)| path.len());
    if let Some((path, name)) = broken.first() {
        println!("  breaks \"{name}\" in {} steps:", path.len() - 1);
        for step in path.iter().filter_map(|(_, step)| step.as_ref()) {
            println!("    {step}");
        }
        println!("    => {}", path[path.len() - 1].0);
    }
    broken.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn a_home_that_forgets_one_sharer_is_found() {
    fn forgetful(line: HomeLine<Value>, input: HomeIn<Value>) -> HomeStep {
        let (mut line, out) = home(line, input)?;
        let out = out.map(|message| match message {
            HomeOut::Snoop {
                op: Opcode::SnpMakeInvalid,
                targets,
                requester,
            } if targets.iter().count() > 1 => {
                let forgotten = targets.iter().next().unwrap_or_default();
                if let Some(t) = &mut line.transaction {
                    t.snoops = t.snoops.without(forgotten);
                }
                let targets = targets.without(forgotten);
                HomeOut::Snoop {
                    op: Opcode::SnpMakeInvalid,
                    targets,
                    requester,
                }
            }
            other => other,
        });
        Ok((line, out))
    }
    let broken = finds(
        "forgets one sharer",
        Protocol {
            home: forgetful,
            ..Protocol::new(3, false)
        },
    );
    assert!(
        broken.contains(&"single writer or many readers"),
        "{broken:?}"
    );
}

#[test]
fn a_home_that_takes_a_stale_write_back_is_found() {
    fn gullible(mut line: HomeLine<Value>, input: HomeIn<Value>) -> HomeStep {
        if let HomeIn::Request {
            op: Opcode::WriteBackFull,
            src,
            ..
        } = input
        {
            line.directory = Directory::Unique(src);
        }
        home(line, input)
    }
    let broken = finds(
        "takes a stale write-back",
        Protocol {
            home: gullible,
            ..Protocol::new(2, false)
        },
    );
    assert!(broken.contains(&"no rule is broken"), "{broken:?}");
}

#[test]
fn a_node_that_keeps_an_invalidated_line_is_found() {
    fn stubborn(line: NodeLine<Value>, input: NodeIn<Value>) -> NodeStep {
        let kept = line.clone();
        let invalidated =
            input == NodeIn::Snoop(Opcode::SnpMakeInvalid) && line.state == CacheState::SC;
        let (line, out) = node(line, input)?;
        Ok((if invalidated { kept } else { line }, out))
    }
    let broken = finds(
        "keeps an invalidated line",
        Protocol {
            node: stubborn,
            ..Protocol::new(2, false)
        },
    );
    assert!(
        broken.contains(&"single writer or many readers"),
        "{broken:?}"
    );
}

#[test]
fn a_node_that_ignores_its_write_back_buffer_is_found() {
    fn forgetful(mut line: NodeLine<Value>, input: NodeIn<Value>) -> NodeStep {
        if matches!(input, NodeIn::Snoop(_)) && matches!(line.pending, Pending::WriteBack(_)) {
            line.pending = Pending::WriteBack(None);
        }
        node(line, input)
    }
    let broken = finds(
        "ignores its write-back buffer",
        Protocol {
            node: forgetful,
            ..Protocol::new(2, false)
        },
    );
    assert!(broken.contains(&"no rule is broken"), "{broken:?}");
}

#[test]
fn a_home_that_does_not_wait_for_comp_ack_is_found() {
    fn hasty(line: HomeLine<Value>, input: HomeIn<Value>) -> HomeStep {
        let late = matches!(input, HomeIn::CompAck { .. }) && line.transaction.is_none();
        if late {
            return Ok((line, Outputs::default()));
        }
        let (mut line, out) = home(line, input)?;
        if let Some(t) = &line.transaction
            && t.work != Work::Request(Opcode::ReadOnce)
            && t.ack
            && t.snoops.is_empty()
            && !t.memory
        {
            line.directory = Directory::Unique(t.requester);
            line.transaction = None;
        }
        Ok((line, out))
    }
    let broken = finds(
        "does not wait for CompAck",
        Protocol {
            home: hasty,
            ..Protocol::new(2, false)
        },
    );
    assert!(
        broken.contains(&"race 4: no snoop while the node's grant is on its way"),
        "{broken:?}"
    );
}
