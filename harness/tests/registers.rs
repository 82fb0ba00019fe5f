//! The registers of the Verilated switch, over APB: what they hold, keep, refuse and count.

use std::collections::VecDeque;

use flits::{CacheState, Class, Header, NodeId, Numbering, Opcode, Packet, RespErr};
use harness::Failure;
use harness::check::Checkers;
use harness::dut::{
    self, AddressMap, Cabling, Chip, Dut, Parameters, PortCounters, Region, Stall, Variant,
    csr_map as csr,
};
use harness::link::EVENTS;
use harness::topology::Topology;
use rand_pcg::Pcg64Mcg;

const PORTS: usize = 8;
const REGIONS: u32 = 8;
/// The port with a memory, where there is one.
const MEMORY: usize = 6;

/// What the link ends of the ports show, where there are none.
#[derive(Default)]
struct Shown {
    /// Cycle by cycle.
    events: VecDeque<u128>,
    /// Ports whose link is given up, one bit each.
    dead: u16,
}

impl Cabling for Shown {
    fn reset(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn carry(&mut self, _cycle: u64, chips: &mut [Chip]) -> Result<(), Failure> {
        chips[0].inputs.link_events = self.events.pop_front().unwrap_or_default();
        chips[0].inputs.dead = self.dead;
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.events.is_empty()
    }
}

/// A switch just out of reset, whose links nobody checks.
struct Bench {
    dut: Dut,
    checks: Checkers,
}

impl Bench {
    fn new() -> Self {
        Bench::with(Shown::default())
    }

    fn with(shown: Shown) -> Self {
        let switch = dut::verilated(PORTS, Variant::Fast).expect("a model");
        let stalls = |port| Pcg64Mcg::new(port as u128);
        let dut = Dut::cabled(
            vec![switch],
            Box::new(shown),
            &Topology::single(PORTS),
            dut::NODE_DEPTH,
            Stall::default(),
            stalls,
        );
        Bench {
            dut: dut.expect("a reset"),
            checks: Checkers::off(),
        }
    }

    /// One uncached region of 64 KiB in [`MEMORY`], with granules of so many bytes.
    fn map_granules(&mut self, log2: u32) {
        let node = csr::REGION_MEM_NODE_EVEN.put(MEMORY as u32);
        self.write(csr::region_mem_node(0, 0), node);
        let ctrl = csr::REGION_CTRL_VALID.put(1) | csr::REGION_CTRL_GRANULE_LOG2.put(log2);
        self.write(csr::region_ctrl(0), ctrl);
    }

    fn map(&mut self) {
        self.map_granules(12);
    }

    fn port_counters(&mut self) -> Vec<PortCounters> {
        let chips = self.dut.port_counters(&mut self.checks);
        chips.expect("reads").swap_remove(0)
    }

    fn read(&mut self, addr: u32) -> u32 {
        self.dut.csr_read(addr, &mut self.checks).expect("a read")
    }

    fn write(&mut self, addr: u32, value: u32) {
        let done = self.dut.csr_write(addr, value, &mut self.checks);
        done.expect("a write");
    }

    fn send(&mut self, port: usize, packet: &Packet) {
        for word in packet.words() {
            self.dut.send(port, word);
        }
    }

    fn steps(&mut self, cycles: u32) {
        for _ in 0..cycles {
            self.dut.step(&mut self.checks).expect("a step");
        }
    }
}

/// The registers that software writes and the bits they keep.
fn writable() -> Vec<(u32, u32)> {
    let full = u32::MAX;
    let fields = |fields: &[csr::Field]| fields.iter().fold(0, |mask, f| mask | f.put(full));
    let mut all: Vec<_> = (0..PORTS as u32)
        .map(|port| (csr::port_partitions(port), 0xffff))
        .collect();
    let fabric_ports = [csr::FABRIC_PORTS_DOWN, csr::FABRIC_PORTS_UP];
    all.extend([
        (csr::FABRIC_PORTS, fields(&fabric_ports)),
        (csr::CHIP_ID, 0x1f),
        (csr::HOME_TIMEOUT, 0x1f),
        (csr::PACKET_TIMEOUT, 0x1f),
        (csr::route(0), full),
    ]);
    for r in 0..REGIONS {
        let ctrl = [
            csr::REGION_CTRL_VALID,
            csr::REGION_CTRL_COHERENT,
            csr::REGION_CTRL_MEM_LOG2,
            csr::REGION_CTRL_GRANULE_LOG2,
            csr::REGION_CTRL_HOME_LOG2,
            csr::REGION_CTRL_HOME_CHIPS_LOG2,
        ];
        let mem_node = fields(&[csr::REGION_MEM_NODE_EVEN, csr::REGION_MEM_NODE_ODD]);
        all.extend([
            (csr::region_base(r), full),
            (csr::region_limit(r), full),
            (csr::region_ctrl(r), fields(&ctrl)),
            (csr::region_local_base(r), full),
            (csr::region_rights(r), full),
            (csr::region_home(r), fields(&[csr::REGION_HOME_FIRST])),
        ]);
        all.extend((0..4).map(|pair| (csr::region_mem_node(r, pair), mem_node)));
    }
    all
}

/// A different pattern for each register and round.
fn pattern(addr: u32, round: u32) -> u32 {
    (addr + round + 1)
        .wrapping_mul(0x9e37_79b9)
        .rotate_left(addr % 31)
}

#[test]
fn a_switch_says_what_it_is() {
    let mut bench = Bench::new();
    assert_eq!(bench.read(csr::ID).to_be_bytes(), *b"SNOD");
    let version = bench.read(csr::VERSION);
    assert_eq!(csr::VERSION_MAJOR.get(version), 0);
    assert_eq!(csr::VERSION_MINOR.get(version), 4);
    let expected = Parameters {
        ports: PORTS,
        home_slices: 2,
        regions: REGIONS as usize,
        class_depth: 24,
        shared_depth: 40,
        dir_sets: 64,
        dir_ways: 8,
        trackers: 32,
        nodes: PORTS,
        nodes_per_chip: PORTS,
        chips: 1,
    };
    assert_eq!(
        bench.dut.parameters(0, &mut bench.checks).unwrap(),
        expected
    );
}

#[test]
fn after_reset_no_region_is_valid_and_every_port_has_every_right() {
    let mut bench = Bench::new();
    for (addr, _) in writable() {
        let rights = (0..REGIONS).any(|r| addr == csr::region_rights(r));
        let partitions = (0..PORTS as u32).any(|p| addr == csr::port_partitions(p));
        let expected = match (rights, partitions) {
            (true, _) => u32::MAX,
            (_, true) => 0xffff,
            _ if addr == csr::PACKET_TIMEOUT => 13,
            _ => 0,
        };
        assert_eq!(bench.read(addr), expected, "register {addr:#05x}");
    }
}

#[test]
fn a_register_keeps_its_fields_and_touches_no_other_register() {
    let mut bench = Bench::new();
    for round in 0..3 {
        for (addr, _) in writable() {
            bench.write(addr, pattern(addr, round));
        }
        for (addr, mask) in writable() {
            let expected = pattern(addr, round) & mask;
            assert_eq!(bench.read(addr), expected, "register {addr:#05x}");
        }
    }
}

#[test]
fn an_access_that_no_register_allows_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    let nothing_there = [0x080, 0x0fc, 0x180, 0x1fc, 0xd00, 0xffc];
    let read_only = [
        csr::ID,
        csr::VERSION,
        csr::PARAMS0,
        csr::ERROR_COUNT,
        csr::ERROR_INFO,
    ];
    for addr in nothing_there {
        let refused = bench.dut.csr_read(addr, &mut bench.checks);
        assert!(refused.is_err(), "{addr:#05x} is read");
    }
    let before: Vec<_> = read_only.iter().map(|&addr| bench.read(addr)).collect();
    for addr in nothing_there.into_iter().chain(read_only) {
        let refused = bench.dut.csr_write(addr, 0xdead_beef, &mut bench.checks);
        assert!(refused.is_err(), "{addr:#05x} is written");
    }
    let after: Vec<_> = read_only.iter().map(|&addr| bench.read(addr)).collect();
    assert_eq!(before, after);
    // Counters are only read; a write to one is ignored, and so is one beyond what there is.
    bench.write(csr::port_rx_flits(0, 0), 5);
    assert_eq!(bench.read(csr::port_rx_flits(0, 0)), 0);
    bench.write(csr::port_partitions(15), 5);
    let beyond = [
        csr::port_partitions(15),
        csr::port_rx_flits(15, 0),
        csr::port_events_grants(15),
    ];
    assert_eq!(beyond.map(|addr| bench.read(addr)), [0; 3]);
}

/// Flits of each port and class, from the node and to it.
type Traffic = [[[u32; Class::ALL.len()]; 2]; PORTS];

fn traffic(bench: &mut Bench) -> Traffic {
    std::array::from_fn(|port| {
        let registers = [csr::port_rx_flits, csr::port_tx_flits];
        registers.map(|register| {
            std::array::from_fn(|class| bench.read(register(port as u32, class as u32)))
        })
    })
}

/// Words of [`write_of`].
const WORDS: u32 = 5;

/// A write of 64 bytes by a port.
fn write_of(port: usize, txn: u16) -> Packet {
    let node = NodeId::port(port as u16);
    let write = Header::write_no_snp(node, txn, 0x40 * u64::from(txn), 6).unwrap();
    Packet::with_data(write, &[port as u8; 64]).unwrap()
}

#[test]
fn every_flit_is_counted_once_at_its_port_class_and_direction() {
    let mut bench = Bench::new();
    bench.map();

    // Port p sends p + 1 writes of 64 bytes (a header and 4 flits), the memory answers each.
    const REQ: usize = Class::Req as usize;
    const RSP: usize = Class::Rsp as usize;
    let mut expected = Traffic::default();
    for port in 0..4 {
        for txn in 0..=port as u16 {
            bench.send(port, &write_of(port, txn));
            bench.steps(20);
            let request = bench.dut.take(MEMORY, REQ).expect("the request");
            while bench.dut.take(MEMORY, REQ).is_some() {}
            let request = Header::decode(Class::Req, request.flit).unwrap();
            let answer = Header::comp(&request, CacheState::I, 0).unwrap();
            bench.send(MEMORY, &Packet::bare(answer).unwrap());
            bench.steps(20);
            assert!(bench.dut.take(port, RSP).is_some(), "port {port} waits");
            expected[port][0][REQ] += 5;
            expected[MEMORY][1][REQ] += 5;
            expected[MEMORY][0][RSP] += 1;
            expected[port][1][RSP] += 1;
        }
    }
    assert_eq!(traffic(&mut bench), expected);

    bench.write(csr::CTRL, csr::CTRL_CLEAR_COUNTERS.put(1));
    assert_eq!(traffic(&mut bench), Traffic::default());
}

#[test]
fn every_event_of_a_link_is_counted_once_at_its_port_and_kind() {
    // Each event as often as no other, and once all of them in one cycle.
    let all = PORTS * EVENTS;
    let mut events: VecDeque<u128> = (0..all)
        .flat_map(|event| vec![1 << event; event + 1])
        .collect();
    events.push_back((1 << all) - 1);
    let cycles = events.len() as u32;
    let mut bench = Bench::with(Shown { events, dead: 0 });
    bench.steps(cycles + 1);

    let counted = bench.port_counters();
    for (port, counters) in counted.iter().enumerate() {
        let times = |kind: usize| (port * EVENTS + kind + 2) as u32;
        let expected = PortCounters {
            deaths: times(0),
            retrains: times(1),
            timeouts: times(2),
            replays: times(3),
            crc_errors: times(4),
            ..PortCounters::default()
        };
        assert_eq!(*counters, expected, "port {port}");
    }
    bench.write(csr::CTRL, csr::CTRL_CLEAR_COUNTERS.put(1));
    assert_eq!(bench.port_counters(), [PortCounters::default(); PORTS]);
}

/// Takes all words from a port for so many cycles, and counts them.
fn drain(bench: &mut Bench, port: usize, cycles: u32) -> u32 {
    let mut words = 0;
    for _ in 0..cycles {
        bench.steps(1);
        while bench.dut.recv(port).is_some() {
            words += 1;
        }
    }
    words
}

#[test]
fn a_word_that_waits_for_a_credit_is_counted_at_its_port_and_in_its_buffer() {
    const IDLE: u32 = 300;
    let room = u32::from(dut::NODE_DEPTH);
    let mut bench = Bench::new();
    bench.map();
    for txn in 0..4 {
        bench.send(0, &write_of(0, txn));
    }
    // The memory takes nothing.
    bench.steps(IDLE);
    let waiting = bench.port_counters()[0];
    assert_eq!(waiting.grants, room);
    assert!(waiting.stalls_credit > IDLE / 2, "{waiting:?}");
    assert_eq!((waiting.stalls_arbitration, waiting.stalls_lock), (0, 0));

    assert_eq!(drain(&mut bench, MEMORY, 50), 4 * WORDS);
    let counted = bench.port_counters();
    assert_eq!(counted[0].grants, 4 * WORDS);
    let most = counted[0].high_water[Class::Req as usize];
    assert!((4 * WORDS - room..4 * WORDS).contains(&most), "{most}");
    let at_memory = PortCounters {
        tx_flits: [4 * WORDS, 0, 0, 0, 0],
        ..PortCounters::default()
    };
    assert_eq!(counted[MEMORY], at_memory);
}

#[test]
fn words_that_others_go_before_are_counted_at_every_port_that_wants_the_output() {
    let mut bench = Bench::new();
    bench.map();
    for port in 0..4 {
        for txn in 0..4 {
            bench.send(port, &write_of(port, txn));
        }
    }
    assert_eq!(drain(&mut bench, MEMORY, 150), 16 * WORDS);
    let counted = bench.port_counters();
    for (port, counters) in counted[..4].iter().enumerate() {
        assert_eq!(counters.grants, 4 * WORDS, "port {port}");
        assert!(
            counters.stalls_arbitration + counters.stalls_lock > 2 * WORDS,
            "port {port}: {counters:?}"
        );
    }
    assert_eq!(counted[4], PortCounters::default());
}

#[test]
fn a_word_behind_the_packet_of_another_is_counted_as_kept_back() {
    const PAUSE: u32 = 100;
    let mut bench = Bench::new();
    bench.map();
    // Port 0 stops in the middle of a packet.
    let words: Vec<_> = write_of(0, 0).words().collect();
    let (begin, rest) = words.split_at(2);
    for word in begin {
        bench.dut.send(0, *word);
    }
    bench.steps(20);
    bench.send(1, &write_of(1, 1));
    assert_eq!(drain(&mut bench, MEMORY, PAUSE), 2);
    for word in rest {
        bench.dut.send(0, *word);
    }
    assert_eq!(drain(&mut bench, MEMORY, 50), 2 * WORDS - 2);

    let counted = bench.port_counters();
    assert_eq!((counted[0].grants, counted[1].grants), (WORDS, WORDS));
    assert!(counted[1].stalls_lock > PAUSE / 2, "{:?}", counted[1]);
    assert_eq!(counted[0].stalls_lock, 0);
}

#[test]
fn a_line_has_the_home_of_the_address_map_among_any_number_of_homes() {
    let everything = Region {
        base: 0,
        size: 1 << 47,
        coherent: true,
        memories: vec![MEMORY],
        granule: 4096,
        local_base: 0,
        read_partitions: u16::MAX,
        write_partitions: u16::MAX,
    };
    for (homes, chips) in [(1, 1), (2, 1), (2, 2), (2, 4), (2, 8), (4, 8), (8, 8)] {
        let numbering = Numbering::new(PORTS * chips, PORTS);
        let map = AddressMap::new(vec![everything.clone()], &[MEMORY], homes, numbering);
        let map = map.expect("a map");
        let mut bench = Bench::new();
        let registers = Dut::registers(&Topology::single(PORTS), &map, &[u16::MAX; PORTS]);
        for &(register, value) in &registers[0] {
            bench.write(register, value);
        }
        // Few of many homes are in this switch, so that lines of them are looked for.
        let lines = || (1..).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17 & !63);
        let is_here = |line: &u64| [0, 1].map(NodeId::home).contains(&map.home_of(*line));
        let here = lines().filter(is_here).take(12);
        let away = lines().filter(|line| !is_here(line));
        let away = away.take(if homes * chips > 2 { 12 } else { 0 });
        for (txn, addr) in (0..).zip(here.chain(away)) {
            let read = Header {
                addr,
                size: 6,
                src: NodeId::port(0),
                txn,
                ..Header::new(Opcode::ReadOnce)
            };
            bench.send(0, &Packet::bare(read).unwrap());
            bench.steps(40);
            let at_memory = bench.dut.take(MEMORY, Class::Mem as usize);
            let refusal = bench.dut.take(0, Class::Rsp as usize);
            let home = at_memory.map(|word| Header::decode(Class::Mem, word.flit).unwrap().src);
            let status = refusal.map(|word| Header::decode(Class::Rsp, word.flit).unwrap().resp);
            let expected = match is_here(&addr) {
                true => (Some(map.home_of(addr)), None),
                false => (None, Some(RespErr::Unmapped)),
            };
            assert_eq!(
                (home, status),
                expected,
                "{addr:#x}, {homes} homes of {chips} chips"
            );
        }
    }
}

#[test]
fn every_class_has_a_weight_of_its_own() {
    let weights = [
        csr::CLASS_WEIGHTS_REQUEST,
        csr::CLASS_WEIGHTS_SNOOP,
        csr::CLASS_WEIGHTS_MEMORY,
        csr::CLASS_WEIGHTS_RESPONSE,
        csr::CLASS_WEIGHTS_DATA,
    ];
    let mut bench = Bench::new();
    let of_class = |bench: &mut Bench| {
        let value = bench.read(csr::CLASS_WEIGHTS);
        weights.map(|weight| weight.get(value))
    };
    assert!(!of_class(&mut bench).contains(&0), "a turn of no word");
    for written in [[1, 2, 4, 8, 15], [14, 13, 11, 7, 1]] {
        let fields = weights.iter().zip(written);
        let value = fields.fold(0, |value, (weight, of)| value | weight.put(of));
        bench.write(csr::CLASS_WEIGHTS, value);
        assert_eq!(of_class(&mut bench), written);
    }
}

#[test]
fn a_request_to_a_port_whose_link_is_given_up_ends_with_a_time_out() {
    let mut bench = Bench::with(Shown {
        dead: 1 << MEMORY,
        ..Shown::default()
    });
    bench.map();
    bench.send(0, &write_of(0, 3));
    bench.steps(20);
    let answer = bench.dut.take(0, Class::Rsp as usize).expect("an answer");
    let answer = Header::decode(Class::Rsp, answer.flit).unwrap();
    assert_eq!((answer.txn, answer.resp), (3, RespErr::Timeout));
    assert_eq!(bench.dut.recv(MEMORY), None);
}

#[test]
fn a_request_larger_than_the_granule_goes_nowhere_and_is_logged() {
    /// Cause in the error register: a size that cannot be.
    const BAD_SIZE: u8 = 5;
    let mut bench = Bench::new();
    bench.map_granules(6);
    let write = Header::write_no_snp(NodeId::port(0), 0, 0, 7).unwrap();
    bench.send(0, &Packet::with_data(write, &[0; 128]).unwrap());
    // One that fits follows.
    bench.send(0, &write_of(0, 1));
    assert_eq!(drain(&mut bench, MEMORY, 40), WORDS);
    let log = bench.dut.error_log(0, &mut bench.checks).expect("reads");
    let first = log.first.map(|first| first.cause);
    assert_eq!((log.count, first), (1, Some(BAD_SIZE)));
}
