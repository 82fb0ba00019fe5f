//! Owners that fall silent: what they hold is given up after the homes' time-out.

use crate::errors::bystanders;
use crate::hostile::{HOSTILE, invaded, request, word};
use flits::stimulus::{Config, Op};
use flits::{CacheState, Header, NodeId, Opcode, RespErr};
use harness::sim::Outcome;
use testbenches::program::Program;
use testbenches::steer;

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
