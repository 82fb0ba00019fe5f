//! Devices one at a time, packet by packet.

mod far;
mod memory;

use super::*;
use flits::{CacheState, Opcode, Packet, RespErr, layout};

/// A device and what it works with.
struct Bench<A> {
    agent: A,
    cycle: u64,
    out: Outbox,
    ops: OpTable,
    checks: Checkers,
    stats: NodeStats,
}

const NODE: NodeId = NodeId::port(0);
const MEMORY: NodeId = NodeId::port(3);
const HOME: NodeId = NodeId::home(1);
const LINE: u64 = 0x1000;

impl<A: Agent> Bench<A> {
    fn new(agent: A) -> Self {
        Bench {
            agent,
            cycle: 0,
            out: Outbox::default(),
            ops: OpTable::default(),
            checks: Checkers::off(),
            stats: NodeStats::default(),
        }
    }

    fn with(&mut self, action: impl FnOnce(&mut A, &mut Context<'_>) -> Step) -> Step {
        let mut cx = Context {
            port: 0,
            cycle: self.cycle,
            out: &mut self.out,
            ops: &mut self.ops,
            checks: &mut self.checks,
            stats: &mut self.stats,
            hostile: false,
        };
        action(&mut self.agent, &mut cx)
    }

    /// Submits an operation and gives the device a cycle to start it.
    fn submit(&mut self, kind: OpKind, addr: u64, len: u16, operand: &[u8]) -> OpId {
        let request = Request {
            kind,
            addr,
            len,
            operand,
            index: 0,
            now: self.cycle,
        };
        let id = self.ops.enter(request);
        self.with(|agent, cx| agent.submit(id, cx))
            .expect("the device has the operation");
        self.tick();
        id
    }

    fn tick(&mut self) {
        self.cycle += 1;
        if self.agent.wake() <= self.cycle {
            self.with(|agent, cx| agent.tick(cx)).expect("no violation");
        }
    }

    fn give(&mut self, header: Header, payload: &[Flit]) {
        self.with(|agent, cx| agent.on_packet(&header, payload, cx))
            .expect("no violation");
    }

    fn status(&self, id: OpId) -> Option<Status> {
        self.ops[id].status()
    }

    /// Everything sent so far, class by class.
    fn sent(&mut self) -> Vec<Packet> {
        let mut assembler = flits::Assembler::new();
        let mut packets = Vec::new();
        for class in 0..Class::ALL.len() {
            while let Some(word) = self.out.pop(class) {
                packets.extend(assembler.push(word).expect("whole packets"));
            }
        }
        packets
    }

    /// The headers sent so far, as opcode, receiver, transaction and state.
    fn headers(&mut self) -> Vec<(Opcode, NodeId, u16, CacheState)> {
        let headers = self.sent().into_iter().map(|packet| packet.header);
        headers.map(|h| (h.opcode, h.dst, h.txn, h.state)).collect()
    }
}

use CacheState::{I, SC, UC, UD};
use Opcode::*;

/// The destination of a request is filled in by the switch.
const ANY: NodeId = NodeId::port(0);

fn cached(sets: usize, mshrs: usize) -> Bench<CachedNode> {
    let config = CachedConfig {
        sets,
        ways: 1,
        mshrs,
        store_buffer: 0,
    };
    Bench::new(CachedNode::new(NODE, config, NodeSet::from_iter([MEMORY])))
}

fn data(byte: u8) -> [Flit; 4] {
    [Flit::from_bytes([byte; 16]); 4]
}

fn comp_data(txn: u16, state: CacheState) -> Header {
    let header = Header {
        src: MEMORY,
        dst: NODE,
        txn,
        state,
        ..Header::new(CompData)
    };
    Header {
        size: layout::LINE_SIZE,
        home_node: HOME,
        home_txn: 77,
        ..header
    }
}

fn comp(txn: u16, state: CacheState, resp: RespErr) -> Header {
    let header = Header {
        src: HOME,
        dst: NODE,
        txn,
        state,
        resp,
        ..Header::new(Comp)
    };
    Header {
        home_node: HOME,
        home_txn: 77,
        ..header
    }
}

fn snoop(opcode: Opcode) -> Header {
    let header = Header {
        src: HOME,
        dst: NODE,
        txn: 9,
        addr: LINE,
        ..Header::new(opcode)
    };
    Header {
        targets: 1,
        forward_node: NodeId::port(2),
        forward_txn: 5,
        ..header
    }
}

/// Brings [`LINE`] into the cache in a state.
fn hold(bench: &mut Bench<CachedNode>, state: CacheState) {
    let id = bench.submit(OpKind::Load, LINE, 8, &[]);
    bench.give(comp_data(0, if state == UD { UC } else { state }), &data(1));
    assert_eq!(bench.status(id), Some(RespErr::Ok));
    if state == UD {
        bench.submit(OpKind::Store, LINE, 8, &[2; 8]);
    }
    bench.sent();
}

fn memory(latency: u32, channels: u32, busy: u32) -> Bench<MemoryNode> {
    Bench::new(MemoryNode::new(
        MEMORY,
        MemoryTiming {
            latency,
            channels,
            busy,
        },
    ))
}

fn mem_read(txn: u16, addr: u64) -> Header {
    let header = Header {
        src: HOME,
        dst: MEMORY,
        txn,
        addr,
        state: UC,
        ..Header::new(MemRead)
    };
    Header {
        return_node: NODE,
        return_txn: 4,
        ..header
    }
}

#[test]
fn a_miss_asks_the_home_and_acknowledges_the_answer() {
    let mut bench = cached(4, 2);
    let id = bench.submit(OpKind::Load, LINE + 8, 8, &[]);
    assert_eq!(bench.headers(), [(ReadShared, ANY, 0, I)]);
    assert_eq!(bench.status(id), None);
    bench.give(comp_data(0, SC), &data(7));
    assert_eq!(bench.headers(), [(CompAck, HOME, 77, SC)]);
    assert_eq!(
        (bench.status(id), bench.ops[id].bytes()),
        (Some(RespErr::Ok), &[7; 8][..])
    );
    assert!(bench.agent.is_idle());
}

#[test]
fn accesses_to_a_line_on_its_way_wait_for_it_in_order() {
    let mut bench = cached(4, 2);
    let ids = [
        bench.submit(OpKind::Load, LINE, 1, &[]),
        bench.submit(OpKind::Store, LINE, 1, &[5]),
        bench.submit(OpKind::Load, LINE, 1, &[]),
    ];
    assert_eq!(
        bench.headers(),
        [(ReadShared, ANY, 0, I)],
        "one request for all"
    );
    bench.give(comp_data(0, UC), &data(7));
    assert_eq!(bench.ops[ids[0]].bytes(), [7]);
    assert_eq!(bench.ops[ids[2]].bytes(), [5]);
    assert_eq!(
        bench.headers(),
        [(CompAck, HOME, 77, UC)],
        "the unique line is written silently"
    );
}

#[test]
fn a_store_to_a_shared_line_asks_for_permission_and_loads_go_on_meanwhile() {
    let mut bench = cached(4, 2);
    hold(&mut bench, SC);
    let store = bench.submit(OpKind::Store, LINE, 1, &[5]);
    assert_eq!(bench.headers(), [(CleanUnique, ANY, 0, SC)]);
    let load = bench.submit(OpKind::Load, LINE + 1, 1, &[]);
    assert_eq!(
        (bench.status(store), bench.status(load)),
        (None, Some(RespErr::Ok))
    );
    bench.give(comp(0, UC, RespErr::Ok), &[]);
    assert_eq!(bench.headers(), [(CompAck, HOME, 77, UC)]);
    assert_eq!(bench.status(store), Some(RespErr::Ok));
}

#[test]
fn race_2_permission_overtaken_by_another_writer_comes_with_data() {
    let mut bench = cached(4, 2);
    hold(&mut bench, SC);
    let store = bench.submit(OpKind::Store, LINE, 1, &[5]);
    bench.sent();
    bench.give(snoop(SnpMakeInvalid), &[]);
    assert_eq!(bench.headers(), [(SnpResp, HOME, 9, I)]);
    assert_eq!(bench.stats.invalidations, 1);
    bench.give(comp_data(0, UC), &data(8));
    assert_eq!(bench.status(store), Some(RespErr::Ok));
    let load = bench.submit(OpKind::Load, LINE, 2, &[]);
    assert_eq!(
        bench.ops[load].bytes(),
        [5, 8],
        "the store changed the other's data"
    );
}

#[test]
fn a_store_conditional_takes_place_only_while_the_reserved_line_has_not_left() {
    // What happens between the two, and the result.
    type Between = fn(&mut Bench<CachedNode>);
    let cases: [(Between, u8); 4] = [
        (|_| (), 0),
        (
            |bench| {
                bench.submit(OpKind::Store, LINE + 8, 8, &[7; 8]);
            },
            0,
        ),
        (
            |bench| {
                bench.give(snoop(SnpMakeInvalid), &[]);
                hold(bench, UC);
            },
            1,
        ),
        (
            |bench| {
                bench.submit(OpKind::LoadReserved, LINE + 8, 8, &[]);
            },
            1,
        ),
    ];
    for (between, result) in cases {
        let mut bench = cached(4, 2);
        hold(&mut bench, UC);
        let reserve = bench.submit(OpKind::LoadReserved, LINE, 8, &[]);
        assert_eq!(bench.ops[reserve].bytes(), [1; 8]);
        between(&mut bench);
        let store = bench.submit(OpKind::StoreConditional, LINE, 8, &[9; 8]);
        assert_eq!(bench.status(store), Some(RespErr::Ok));
        assert_eq!(bench.ops[store].bytes(), [result, 0, 0, 0, 0, 0, 0, 0]);
        let again = bench.submit(OpKind::StoreConditional, LINE, 8, &[9; 8]);
        assert_eq!(bench.ops[again].bytes()[0], 1, "a reservation is used once");
        let load = bench.submit(OpKind::Load, LINE, 8, &[]);
        assert_eq!(bench.ops[load].bytes() == [9; 8], result == 0);
    }
}

#[test]
fn a_store_conditional_fails_if_its_permission_is_overtaken_by_another_writer() {
    let mut bench = cached(4, 2);
    hold(&mut bench, SC);
    bench.submit(OpKind::LoadReserved, LINE, 8, &[]);
    let store = bench.submit(OpKind::StoreConditional, LINE, 8, &[9; 8]);
    assert_eq!(bench.headers(), [(CleanUnique, ANY, 0, SC)]);
    bench.give(snoop(SnpMakeInvalid), &[]);
    bench.give(comp_data(0, UC), &data(8));
    assert_eq!(bench.status(store), Some(RespErr::Ok));
    assert_eq!(bench.ops[store].bytes()[0], 1);
    let load = bench.submit(OpKind::Load, LINE, 8, &[]);
    assert_eq!(bench.ops[load].bytes(), [8; 8]);
}

#[test]
fn overwriting_a_line_needs_no_data() {
    let mut bench = cached(4, 2);
    let store = bench.submit(OpKind::Store, LINE, 64, &[9; 64]);
    assert_eq!(bench.headers(), [(MakeUnique, ANY, 0, I)]);
    bench.give(comp(0, UD, RespErr::Ok), &[]);
    assert_eq!(bench.headers(), [(CompAck, HOME, 77, UD)]);
    assert_eq!(bench.status(store), Some(RespErr::Ok));
    assert_eq!(
        bench
            .agent
            .held()
            .map(|(_, state, data)| (state, data.bytes))
            .next(),
        Some((UD, [9; 64]))
    );
}

#[test]
fn race_1_a_snoop_is_answered_from_the_write_back_buffer() {
    let mut bench = cached(1, 2);
    hold(&mut bench, UD);
    bench.submit(OpKind::Load, LINE + 64, 8, &[]);
    let sent = bench.headers();
    assert_eq!(sent, [(WriteBackFull, ANY, 2, UD), (ReadShared, ANY, 0, I)]);
    bench.give(snoop(SnpUniqueFwd), &[]);
    let packets = bench.sent();
    assert_eq!(packets[1].header.opcode, CompData);
    assert_eq!(
        (packets[1].header.dst, packets[1].header.txn),
        (NodeId::port(2), 5)
    );
    assert_eq!(
        packets[1].line().map(|line| line[0]),
        Some(2),
        "the dirty data"
    );
    assert_eq!(
        (packets[0].header.opcode, packets[0].header.state),
        (SnpRespFwded, I)
    );
    // A second snoop finds nothing, and the write-back ends as it began.
    bench.give(snoop(SnpMakeInvalid), &[]);
    assert_eq!(bench.headers(), [(SnpResp, HOME, 9, I)]);
    bench.give(comp(2, I, RespErr::Ok), &[]);
    bench.give(comp_data(0, SC), &data(1));
    assert!(bench.agent.is_idle());
}

#[test]
fn race_3_an_evicted_line_is_not_forwarded() {
    let mut bench = cached(4, 2);
    hold(&mut bench, UC);
    let evict = bench.submit(OpKind::Evict, LINE, 64, &[]);
    assert_eq!(bench.headers(), [(Evict, ANY, 2, UC)]);
    bench.give(snoop(SnpSharedFwd), &[]);
    assert_eq!(bench.headers(), [(SnpResp, HOME, 9, I)]);
    assert_eq!(bench.status(evict), None);
    bench.give(comp(2, I, RespErr::Ok), &[]);
    assert_eq!(bench.status(evict), Some(RespErr::Ok));
}

#[test]
fn a_line_that_leaves_is_not_asked_for_before_it_has_left() {
    let mut bench = cached(4, 2);
    hold(&mut bench, UC);
    bench.submit(OpKind::Evict, LINE, 64, &[]);
    bench.sent();
    let load = bench.submit(OpKind::Load, LINE, 8, &[]);
    bench.tick();
    assert_eq!(bench.headers(), []);
    bench.give(comp(2, I, RespErr::Ok), &[]);
    bench.tick();
    assert_eq!(bench.headers(), [(ReadShared, ANY, 0, I)]);
    assert_eq!(bench.status(load), None);
}

#[test]
fn an_owner_forwards_and_says_what_it_keeps() {
    for (opcode, granted, answer, keeps) in [
        (SnpSharedFwd, SC, SnpRespDataFwded, SC),
        (SnpUniqueFwd, UD, SnpRespFwded, I),
        (SnpOnceFwd, I, SnpRespFwded, UD),
    ] {
        let mut bench = cached(4, 2);
        hold(&mut bench, UD);
        bench.give(snoop(opcode), &[]);
        let mut headers = bench.headers();
        headers.sort_by_key(|&(opcode, ..)| opcode != CompData);
        assert_eq!(
            headers,
            [
                (CompData, NodeId::port(2), 5, granted),
                (answer, HOME, 9, keeps)
            ]
        );
        assert_eq!(bench.stats.forwards, 1);
    }
}

#[test]
fn no_more_misses_are_in_flight_than_there_are_registers() {
    let mut bench = cached(16, 2);
    for i in 0..3 {
        bench.submit(OpKind::Load, LINE + 64 * i, 8, &[]);
    }
    assert_eq!(bench.headers().len(), 2);
    bench.give(comp_data(1, SC), &data(0));
    bench.tick();
    let headers = bench.headers();
    assert!(headers.contains(&(ReadShared, ANY, 1, I)), "{headers:?}");
}

#[test]
fn an_error_belongs_to_the_access_that_asked() {
    let mut bench = cached(4, 2);
    let first = bench.submit(OpKind::Store, LINE, 8, &[0; 8]);
    let second = bench.submit(OpKind::Load, LINE, 8, &[]);
    bench.sent();
    let refusal = Header {
        src: NODE,
        resp: RespErr::NoRight,
        ..Header::new(Comp)
    };
    bench.give(refusal, &[]);
    assert_eq!(bench.status(first), Some(RespErr::NoRight));
    assert_eq!(
        bench.headers(),
        [(ReadShared, ANY, 0, I)],
        "the other tries for itself"
    );
    bench.give(comp_data(0, SC), &data(3));
    assert_eq!(bench.status(second), Some(RespErr::Ok));
}

#[test]
fn snoops_wait_while_answers_pile_up_and_answers_never_wait() {
    let mut bench = cached(4, 2);
    assert!(bench.agent.accepts(Class::Snp, &bench.out));
    for _ in 0..8 {
        bench.out.send(&comp_data(0, SC), &data(0));
    }
    assert!(!bench.agent.accepts(Class::Snp, &bench.out));
    assert!(bench.agent.accepts(Class::Dat, &bench.out));
}

#[test]
fn a_packet_that_fits_nothing_is_a_failure() {
    for header in [
        comp(0, UC, RespErr::Ok),
        comp(3, I, RespErr::Ok),
        comp(5, I, RespErr::Ok),
    ] {
        let mut bench = cached(4, 2);
        let failure = bench.with(|agent, cx| agent.on_packet(&header, &[], cx));
        assert!(failure.is_err_and(|f| f.message.contains("fits nothing")));
        assert_eq!(bench.stats.strays, 1);
    }
}

#[test]
fn an_io_device_has_only_so_many_requests_in_flight() {
    let mut bench = Bench::new(IoNode::new(NODE, 2, NodeSet::from_iter([MEMORY])));
    for i in 0..3 {
        bench.submit(OpKind::ReadUncached, LINE + 256 * i, 256, &[]);
    }
    assert_eq!(
        bench.headers(),
        [(ReadNoSnp, ANY, 0, I), (ReadNoSnp, ANY, 1, I)]
    );
    let size = Header {
        size: 8,
        home_node: ANY,
        home_txn: 0,
        ..comp_data(0, I)
    };
    bench.give(size, &[Flit::from_bytes([4; 16]); 16]);
    bench.tick();
    assert_eq!(
        bench.headers(),
        [(ReadNoSnp, ANY, 0, I)],
        "uncached reads have no CompAck"
    );
}
