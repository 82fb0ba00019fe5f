//! Owners and sharers that fall silent: what they hold is given up after the homes' time-out.

use crate::errors::bystanders;
use crate::hostile::{HOSTILE, invaded, request, word};
use flits::stimulus::{Config, Op};
use flits::{CacheState, Header, NodeId, Opcode, RespErr};
use harness::check::Direction;
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::property;
use testbenches::steer::{self, Trace};

/// Cause in the error register: an answer that did not come.
const TIMEOUT: u8 = 11;

/// The hostile device asks for a line, acknowledges the answer if `acknowledged`, and is silent from
/// then on; node 4 loads from the line much later. Gives the run and the status of that load.
fn deserted(name: &str, acknowledged: bool) -> (Outcome, RespErr) {
    let addr = 0x8000;
    let read = Header {
        addr,
        ..request(Opcode::ReadUnique)
    };
    let config = Config {
        home_timeout_log2: 10,
        ..invaded()
    };
    let mut program = Program::on(config)
        .node(HOSTILE)
        .op(Op::Raw {
            words: vec![word(&read)],
        })
        .after(400);
    if acknowledged {
        // It does not know the home's number of the transaction, so it tries them all.
        let acks = (0..32).map(|n| Header {
            dst: NodeId::home(n % 2),
            txn: n / 2,
            state: CacheState::UC,
            ..request(Opcode::CompAck)
        });
        program = program.op(Op::Raw {
            words: acks.map(|ack| word(&ack)).collect(),
        });
    }
    let program = program.node(4).after(800).op(Op::Load { addr, size: 8 });
    let outcome = steer::run(name, &bystanders(program).done());
    let load = outcome.events.iter().find(|event| event.node == 4);
    let status = load.expect("the load").status;
    (outcome, status)
}

#[test]
fn a_requester_that_never_acknowledges_does_not_hold_its_line_for_ever() {
    let (_, status) = deserted("no_ack", false);
    assert_eq!(status, RespErr::Ok);
}

#[test]
fn a_line_whose_owner_is_silent_is_answered_with_timeout() {
    let (_, status) = deserted("silent_owner", true);
    assert_eq!(status, RespErr::Timeout);
}

/// The hostile device and node 4, its neighbour on a leaf of two tiers, share a line; the device is
/// silent when node 0, on another leaf, stores to it twice. With `ack`, home and number of the
/// transaction, it acknowledges its copy.
fn silent_sharer(ack: Option<(NodeId, u16)>) -> Outcome {
    let addr = 0x8040;
    let mut config = invaded();
    config.home_timeout_log2 = 10;
    config.tiers = Some(property::TIERS);
    let silent = config.node_id(HOSTILE);
    let read = Header {
        addr,
        src: silent,
        ..request(Opcode::ReadShared)
    };
    let mut program = Program::on(config)
        .node(4)
        .load(addr, 8)
        .node(HOSTILE)
        .after(400)
        .op(Op::Raw {
            words: vec![word(&read)],
        });
    if let Some((home, txn)) = ack {
        let ack = Header {
            addr,
            src: silent,
            dst: home,
            txn,
            state: CacheState::SC,
            ..request(Opcode::CompAck)
        };
        program = program.after(400).op(Op::Raw {
            words: vec![word(&ack)],
        });
    }
    let program = program
        .node(0)
        .after(1200)
        .store(addr, 8, 1)
        .after(3000)
        .store(addr, 8, 2)
        .node(4)
        .after(1200 + 2 * 2048)
        .load(addr, 8);
    steer::run("silent_sharer", &program.done())
}

#[test]
fn a_silent_sharer_behind_another_chip_costs_one_time_out_though_its_neighbour_has_answered() {
    let probe = silent_sharer(None);
    let (_, granted) = Trace::of(&probe)
        .all(HOSTILE, Direction::ToNode, Opcode::CompData)
        .next()
        .expect("data for the device");
    let (home, txn) = (granted.header.home_node, granted.header.home_txn);
    let leaf = granted.header.dst.chip();
    assert_ne!(home.chip(), leaf, "the home is to be on another leaf");

    let outcome = silent_sharer(Some((home, txn)));
    let trace = Trace::of(&outcome);
    let statuses = outcome.events.iter().map(|event| event.status);
    assert!(statuses.into_iter().all(|status| status == RespErr::Ok));
    // One interval is 1024 cycles; it may have been under way for almost another.
    let store = outcome.events.iter().find(|event| event.node == 0);
    let store = store.expect("the first store");
    let answers = trace.sent(4, Opcode::SnpResp);
    assert!(
        (store.start..store.end).contains(&answers[0]),
        "{answers:?}"
    );
    assert!(store.end - store.start < 2048 + 200, "{store:?}");
    if let Some(log) = steer::errors(&outcome) {
        let first = log.first.expect("the first error");
        assert_eq!((log.count, first.cause), (1, TIMEOUT));
    }
}
