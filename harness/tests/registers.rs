//! The registers of the Verilated switch, over APB: what they hold, keep, refuse and count.

use flits::{CacheState, Class, Header, NodeId, Packet};
use harness::check::Checkers;
use harness::dut::{self, Dut, Parameters, Stall, Variant, csr_map as csr};
use rand_pcg::Pcg64Mcg;

const PORTS: usize = 8;
const REGIONS: u32 = 8;

/// A switch just out of reset, whose links nobody checks.
struct Bench {
    dut: Dut,
    checks: Checkers,
}

impl Bench {
    fn new() -> Self {
        let switch = dut::verilated(PORTS, Variant::Fast).expect("a model");
        let stalls = |port| Pcg64Mcg::new(port as u128);
        let dut = Dut::new(switch, dut::NODE_DEPTH, Stall::default(), stalls).expect("a reset");
        let checks = Checkers::off();
        Bench { dut, checks }
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
    assert_eq!(csr::VERSION_MINOR.get(version), 3);
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
    let nothing_there = [0x03c, 0x080, 0x0fc, 0x180, 0x1fc, 0xd00, 0xffc];
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
    assert_eq!(bench.read(csr::port_partitions(15)), 0);
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

#[test]
fn every_flit_is_counted_once_at_its_port_class_and_direction() {
    const MEMORY: usize = 6;
    let mut bench = Bench::new();
    // One uncached region of 64 KiB in one memory.
    bench.write(
        csr::region_mem_node(0, 0),
        csr::REGION_MEM_NODE_EVEN.put(MEMORY as u32),
    );
    let ctrl = csr::REGION_CTRL_VALID.put(1) | csr::REGION_CTRL_GRANULE_LOG2.put(12);
    bench.write(csr::region_ctrl(0), ctrl);

    // Port p sends p + 1 writes of 64 bytes (a header and 4 flits), the memory answers each.
    const REQ: usize = Class::Req as usize;
    const RSP: usize = Class::Rsp as usize;
    let mut expected = Traffic::default();
    for port in 0..4 {
        let node = NodeId::port(port as u16);
        for txn in 0..=port as u16 {
            let write = Header::write_no_snp(node, txn, 0x40 * u64::from(txn), 6).unwrap();
            bench.send(port, &Packet::with_data(write, &[port as u8; 64]).unwrap());
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
