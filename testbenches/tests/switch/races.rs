//! The six races of the protocol. Each test searches timings until the packets on the links prove
//! that the race took place, and fails if it never does; every run on the way must be right.

use super::situations::{A, LATER, shared};
use flits::CacheState::{I, UC};
use flits::Opcode::{self, *};
use flits::Packet;
use flits::stimulus::{MemoryTiming, Node, Op, Stimulus, Tiers, Timing};
use harness::check::Direction::{ToNode, ToSwitch};
use testbenches::program::Program;
use testbenches::steer::{self, Trace};

on_one_switch_and_on_two_tiers!(
    race_1_a_write_back_in_flight_answers_every_snoop_and_is_dropped_as_stale,
    race_1_an_eviction_in_flight_answers_a_snoop_with_nothing,
    race_2_a_clean_unique_overtaken_by_another_is_served_with_data,
    race_3_an_owner_that_has_evicted_cannot_forward_and_memory_answers,
    race_4_a_snoop_waits_until_the_grant_before_it_is_acknowledged,
    race_5_a_memory_write_is_answered_before_the_line_is_read_again,
);

/// Timings to try.
const TRIES: u64 = 150;

/// A memory slow enough to keep a transaction open for a while.
fn slow_memories(program: Program) -> Program {
    program.config(|config| {
        for node in &mut config.nodes {
            if let Node::Memory { timing } = node {
                *timing = MemoryTiming::Custom(Timing {
                    latency: 60,
                    channels: 1,
                    busy: 4,
                });
            }
        }
    })
}

/// The cycle in which `port` first got `opcode` between the sending of `request` and its answer.
fn caught(trace: &Trace<'_>, port: usize, request: Opcode, opcode: Opcode) -> Option<u64> {
    let sent = *trace.sent(port, request).first()?;
    let answered = trace
        .got(port, Comp)
        .into_iter()
        .find(|&cycle| cycle > sent)?;
    trace
        .got(port, opcode)
        .into_iter()
        .find(|&cycle| sent < cycle && cycle < answered)
}

fn race_1_a_write_back_in_flight_answers_every_snoop_and_is_dropped_as_stale(tiers: Option<Tiers>) {
    type Other = fn(Program) -> Program;
    let cases: [(Opcode, Opcode, u32, Other); 5] = [
        (SnpSharedFwd, SnpRespDataFwded, 1, |program| {
            program.load(A, 8)
        }),
        (SnpUniqueFwd, SnpRespFwded, 1, |program| {
            program.store(A + 8, 8, 2)
        }),
        (SnpOnceFwd, SnpRespFwded, 0, |program| program.read_once(A)),
        (SnpUnique, SnpRespData, 1, |program| {
            program.write_unique(A + 8, 8, 2)
        }),
        (SnpMakeInvalid, SnpResp, 1, |program| {
            program.store_line(A, 2)
        }),
    ];
    for (snoop, answer, taken, other) in cases {
        let name = format!("race_1_{snoop}");
        let outcome = steer::until_met(
            &name,
            TRIES,
            |skew| {
                let owner = Program::new(8)
                    .on_tiers(tiers)
                    .node(0)
                    .store(A, 8, 1)
                    .after(LATER)
                    .evict(A);
                other(owner.node(1).after(LATER + 2 * skew))
                    .node(2)
                    .after(4 * LATER)
                    .load(A, 16)
                    .done()
            },
            |trace| caught(trace, 0, WriteBackFull, snoop).is_some(),
        );
        let trace = Trace::of(&outcome);
        assert_eq!(
            trace.sent(0, answer).len(),
            1,
            "{name}: answered from the write-back buffer"
        );
        if snoop == SnpSharedFwd {
            assert_eq!(
                trace.answered(0, answer),
                [I],
                "{name}: the line is not kept"
            );
        }
        let stale = steer::stale(&outcome).unwrap_or(taken);
        assert_eq!(
            stale, taken,
            "{name}: the home drops it if the snoop took the line"
        );
    }
}

fn race_1_an_eviction_in_flight_answers_a_snoop_with_nothing(tiers: Option<Tiers>) {
    let outcome = steer::until_met(
        "race_1_evict",
        TRIES,
        |skew| {
            shared()
                .on_tiers(tiers)
                .after(2 * skew)
                .store(A, 8, 2)
                .node(0)
                .after(2 * LATER)
                .evict(A)
                .done()
        },
        |trace| caught(trace, 0, Evict, SnpMakeInvalid).is_some(),
    );
    let trace = Trace::of(&outcome);
    assert_eq!(trace.answered(0, SnpResp), [I]);
    assert_eq!(steer::stale(&outcome).unwrap_or(1), 1, "the home drops it");
}

fn race_2_a_clean_unique_overtaken_by_another_is_served_with_data(tiers: Option<Tiers>) {
    let both = |skew: u64| {
        shared()
            .on_tiers(tiers)
            .node(0)
            .after(2 * LATER)
            .store(A, 8, 1)
            .load(A, 16)
            .node(1)
            .after(LATER - 200 + 4 * skew)
            .store(A + 8, 8, 2)
            .load(A, 16)
            .done()
    };
    let stranger = |skew: u64| {
        shared()
            .on_tiers(tiers)
            .after(2 * skew)
            .store(A + 8, 8, 2)
            .load(A, 16)
            .node(0)
            .after(2 * LATER)
            .store(A, 8, 1)
            .load(A, 16)
            .done()
    };
    for (name, make) in [
        ("race_2_clean_unique", &both as &dyn Fn(u64) -> Stimulus),
        ("race_2_read_unique", &stranger),
    ] {
        let overtaken = |trace: &Trace<'_>, node: usize| {
            let Some(&asked) = trace.sent(node, CleanUnique).first() else {
                return false;
            };
            let lost = trace
                .got(node, SnpMakeInvalid)
                .into_iter()
                .find(|&cycle| cycle > asked);
            let data = trace
                .got(node, CompData)
                .into_iter()
                .find(|&cycle| cycle > asked);
            matches!((lost, data), (Some(lost), Some(data)) if lost < data)
        };
        let met = |trace: &Trace<'_>| overtaken(trace, 0) || overtaken(trace, 1);
        let outcome = steer::until_met(name, TRIES, make, met);
        let trace = Trace::of(&outcome);
        let loser = if overtaken(&trace, 0) { 0 } else { 1 };
        let asked = trace.sent(loser, CleanUnique)[0];
        assert!(
            trace.got(loser, Comp).iter().all(|&cycle| cycle < asked),
            "no Comp but data"
        );
    }
}

fn race_3_an_owner_that_has_evicted_cannot_forward_and_memory_answers(tiers: Option<Tiers>) {
    type Other = fn(Program) -> Program;
    let cases: [(Opcode, Other); 3] = [
        (SnpSharedFwd, |program| program.load(A, 8)),
        (SnpUniqueFwd, |program| program.store(A, 8, 2)),
        (SnpOnceFwd, |program| program.read_once(A)),
    ];
    for (snoop, other) in cases {
        let outcome = steer::until_met(
            &format!("race_3_{snoop}"),
            TRIES,
            |skew| {
                let owner = Program::new(8)
                    .on_tiers(tiers)
                    .node(0)
                    .load(A, 8)
                    .after(LATER)
                    .evict(A);
                other(owner.node(1).after(LATER + 2 * skew)).done()
            },
            |trace| caught(trace, 0, Evict, snoop).is_some(),
        );
        let trace = Trace::of(&outcome);
        assert_eq!(
            (trace.sent(0, CompData).len(), trace.answered(0, SnpResp)),
            (0, vec![I])
        );
        assert_eq!(
            trace.count(MemRead),
            2,
            "the second for the node that could not be served"
        );
        let state = if snoop == SnpOnceFwd { I } else { UC };
        assert_eq!(trace.granted(1, CompData), [state]);
    }
}

fn race_4_a_snoop_waits_until_the_grant_before_it_is_acknowledged(tiers: Option<Tiers>) {
    let outcome = steer::until_met(
        "race_4",
        TRIES,
        |skew| {
            slow_memories(Program::new(8).on_tiers(tiers))
                .node(0)
                .store(A, 8, 1)
                .node(1)
                .after(skew)
                .store(A, 8, 2)
                .node(2)
                .after(2 * skew)
                .load(A, 8)
                .done()
        },
        |trace| {
            // Another's request was at the home while the grant was on its way.
            let (Some(&grant), Some(&ack)) = (
                trace.got(0, CompData).first(),
                trace.sent(0, CompAck).first(),
            ) else {
                return false;
            };
            let waiting = trace
                .sent(1, ReadUnique)
                .first()
                .is_some_and(|&sent| sent + 20 < grant);
            let snooped = trace.got(0, SnpUniqueFwd).first().copied();
            waiting && snooped.is_some_and(|snooped| snooped > ack)
        },
    );
    let trace = Trace::of(&outcome);
    assert!(trace.got(0, SnpUniqueFwd)[0] > trace.sent(0, CompAck)[0]);
}

fn race_5_a_memory_write_is_answered_before_the_line_is_read_again(tiers: Option<Tiers>) {
    let outcome = steer::until_met(
        "race_5",
        TRIES,
        |skew| {
            slow_memories(Program::new(8).on_tiers(tiers))
                .node(0)
                .store(A, 8, 1)
                .node(1)
                .after(LATER)
                .load(A, 8)
                .node(2)
                .after(LATER + 2 * skew)
                .load(A, 8)
                .done()
        },
        |trace| {
            // Node 2 asks while the write of node 0's data is under way.
            let Some((memory, write)) = first_at_memory(trace, MemWrite) else {
                return false;
            };
            let Some(&done) = trace.sent(memory, Comp).first() else {
                return false;
            };
            trace
                .sent(2, ReadShared)
                .first()
                .is_some_and(|&asked| asked < done && asked + 20 > write)
        },
    );
    let trace = Trace::of(&outcome);
    let (memory, write) = first_at_memory(&trace, MemWrite).expect("a write");
    let done = trace.sent(memory, Comp)[0];
    let reads = trace.got(memory, MemRead);
    assert_eq!(reads.len(), 2, "for nodes 0 and 2");
    assert!(
        write < done && done < reads[1],
        "written {write}, answered {done}, read {reads:?}"
    );
}

/// The memory that first got `opcode`, and when.
fn first_at_memory(trace: &Trace<'_>, opcode: Opcode) -> Option<(usize, u64)> {
    [6, 7]
        .into_iter()
        .find_map(|port| Some((port, *trace.got(port, opcode).first()?)))
}

/// More lines than the directory has room for.
const LINES: u64 = 1300;

#[test]
fn race_6_a_request_for_a_line_under_recall_waits_for_the_recall() {
    // Nodes other than 1 store to more lines than the directory has room for.
    let filling = || {
        let mut program = Program::new(8).caches(512, 8);
        for node in [0, 2, 3, 4, 5] {
            program = program.node(node);
            for line in (0..LINES).filter(|line| line % 6 == node as u64) {
                program = program.store(line * 64, 8, 1 + u128::from(line));
            }
        }
        program.node(1)
    };
    // The first recall takes place in the same cycle of every run, as long as node 1 is silent.
    let quiet = steer::run("race_6_quiet", &filling().done());
    let (recall, line) = first_recall(&Trace::of(&quiet)).expect("a recall");
    let begin = recall - quiet.stats.started;
    let outcome = steer::until_met(
        "race_6",
        TRIES,
        |skew| filling().after(begin - 60 + skew).load(line, 8).done(),
        |trace| under_recall(trace, line).is_some(),
    );
    let trace = Trace::of(&outcome);
    let answered = under_recall(&trace, line).expect("met");
    let granted = trace.got(1, CompData);
    assert!(granted[0] > answered, "granted after the recall");
}

/// The first snoop that takes a line back for no one's request: cycle and line.
fn first_recall(trace: &Trace<'_>) -> Option<(u64, u64)> {
    let recalls = (0..6).filter_map(|node| trace.all(node, ToNode, SnpUnique).next());
    recalls
        .map(|(cycle, snoop)| (cycle, snoop.header.addr))
        .min()
}

/// The cycle in which the holder of `line` answers a recall, if node 1 asked for the line between
/// the recall and that.
fn under_recall(trace: &Trace<'_>, line: u64) -> Option<u64> {
    let of_line = |&(_, packet): &(u64, &Packet)| packet.header.addr == line;
    let asked = *trace.sent(1, ReadShared).first()?;
    (0..6).find_map(|node| {
        let (snooped, _) = trace.all(node, ToNode, SnpUnique).find(of_line)?;
        let (answered, _) = trace.all(node, ToSwitch, SnpRespData).find(of_line)?;
        (snooped < asked && asked < answered).then_some(answered)
    })
}

/// The searches above say something only if a timing that cannot race is not taken for one.
#[test]
fn a_timing_without_a_race_is_not_taken_for_one() {
    let stimulus = Program::new(8)
        .node(0)
        .store(A, 8, 1)
        .after(LATER)
        .op(Op::Evict { addr: A })
        .node(1)
        .after(4 * LATER)
        .load(A, 8)
        .done();
    let outcome = steer::run("no_race", &stimulus);
    assert_eq!(
        caught(&Trace::of(&outcome), 0, WriteBackFull, SnpSharedFwd),
        None
    );
}
