//! Several chips: paths, order, what crosses between chips and what does not.

use flits::stimulus::{Config, Node, Op, Stimulus, Tiers};
use flits::{Class, Header, LinkWord, NodeId, Opcode, RespErr};
use harness::dut::csr_map as csr;
use harness::sim::{Supernode, join_all};
use testbenches::program::Program;
use testbenches::{property, steer};

/// The base of the uncached region.
const UNCACHED: u64 = 1 << 32;
/// Causes in the error register.
const WRONG_SOURCE: u8 = 6;
const NO_ROUTE: u8 = 12;

/// Four leaves with four devices each, the last a memory, below two spines.
fn sixteen() -> Supernode {
    let supernode = Supernode::builder().tiers(4, 4, 2).build();
    supernode.expect("the default system of two tiers")
}

#[test]
fn accesses_of_one_block_keep_their_order_between_chips() {
    // Each node keeps eight accesses of one 256-byte block in flight, which a checker of every
    // packet wants to see arrive in the order sent; the memory is on another leaf.
    let mut supernode = sixteen();
    let ran = supernode.run(|sys| async move {
        let nodes = [0usize, 1, 4, 5, 8, 9, 12, 13];
        let streams = nodes.map(|port| {
            let node = sys.node(port);
            async move {
                for round in 0..24u64 {
                    // Granules of 4 KiB go round the memories: this one is on the next leaf.
                    let memory = (port as u64 / 4 + 1) % 4;
                    let block = UNCACHED + 0x1_0000 * port as u64 + 0x1000 * memory + 0x100 * round;
                    let writes = (0..8u64).map(|i| {
                        let node = node.clone();
                        async move {
                            let bytes = vec![(round + i) as u8 + 1; 32];
                            node.write_uncached(block + 32 * i, &bytes).await;
                        }
                    });
                    join_all(writes).await;
                    let read = node.read_uncached(block, 256).await;
                    let last: Vec<u8> = (0..256).map(|b| (round + b / 32) as u8 + 1).collect();
                    assert_eq!(read, last);
                }
            }
        });
        join_all(streams).await;
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}

#[test]
fn every_path_between_two_leaves_carries_its_share() {
    let mut supernode = sixteen();
    let ran = supernode.run(|sys| async move {
        let streams = sys.nodes().collect::<Vec<_>>().into_iter().enumerate();
        let streams = streams.map(|(n, node)| async move {
            for turn in 0..200u64 {
                node.store(0x40 * (turn * 12 + n as u64), turn).await;
            }
        });
        join_all(streams).await;
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let counters = supernode.port_counters().expect("counters");
    for (leaf, ports) in counters[..4].iter().enumerate() {
        let carried: Vec<u32> = [4, 5]
            .map(|up: usize| ports[up].tx_flits.iter().chain(&ports[up].rx_flits).sum())
            .to_vec();
        let (least, most) = (carried[0].min(carried[1]), carried[0].max(carried[1]));
        assert!(
            least > 1000 && most - least < most / 4,
            "leaf {leaf} has sent and got {carried:?} words on its two paths"
        );
        assert!(ports[4].grants > 0 && ports[4].high_water[Class::Dat as usize] > 0);
        assert_eq!((ports[4].crc_errors, ports[6].grants), (0, 0));
    }
}

#[test]
fn a_node_cannot_speak_in_the_name_of_a_node_of_another_chip() {
    let mut config = Config::tiers(4, 4, 2);
    config.nodes[2] = Node::Hostile {};
    let foreign = NodeId::port(1).on_chip(3);
    let header = Header {
        src: foreign,
        dst: NodeId::port(0).on_chip(1),
        ..Header::new(Opcode::Comp)
    };
    let word = LinkWord {
        class: Class::Rsp,
        head: true,
        tail: true,
        flit: header.encode(),
    };
    let program = Program::on(config)
        .node(2)
        .after(50)
        .op(Op::Raw { words: vec![word] })
        .node(4)
        .store(0x40, 8, 7)
        .load(0x40, 8);
    let outcome = steer::run("tiers_foreign_source", &program.done());
    let first = outcome.errors.first.expect("an error");
    assert_eq!((outcome.errors.count, first.cause), (1, WRONG_SOURCE));
    let got = outcome
        .packets
        .iter()
        .filter(|seen| seen.packet.header.src == foreign);
    assert_eq!(got.count(), 0, "nobody sees it");
}

/// The status of an uncached read of node 8 (leaf 2) from the memory of leaf 1, after a change of
/// registers, and how often each chip has logged that there was no way.
fn read_after(change: impl FnOnce(&mut Supernode)) -> (Option<RespErr>, u32) {
    let mut supernode = Supernode::builder().tiers(4, 4, 2).checks(false).build();
    let supernode = supernode.as_mut().expect("the default system of two tiers");
    change(supernode);
    let answer = supernode.run(|sys| async move {
        let node = sys.node(8);
        let read = node.read_uncached(UNCACHED + 0x1000, 64).result().await;
        read.err().map(|error| error.status)
    });
    let answer = answer.unwrap_or_else(|failure| panic!("{failure}"));
    let log = supernode.error_log().expect("a log");
    if let Some(first) = log.first {
        assert_eq!(first.cause, NO_ROUTE);
    }
    (answer, log.count)
}

#[test]
fn a_request_without_a_way_is_answered_and_logged() {
    assert_eq!(read_after(|_| {}), (None, 0));
    // Leaf 2 knows no way to leaf 1.
    let cut = |supernode: &mut Supernode| {
        supernode
            .csr_write_of(2, csr::route(1), 0)
            .expect("a register");
    };
    assert_eq!(read_after(cut), (Some(RespErr::Unmapped), 1));
}

#[test]
fn what_came_down_never_goes_up_again() {
    // Both spines send what is for leaf 1 to leaf 0, which knows a way to leaf 1: up.
    let lead_astray = |supernode: &mut Supernode| {
        for spine in [4, 5] {
            let register = csr::route(1);
            supernode
                .csr_write_of(spine, register, 0)
                .expect("a register");
        }
    };
    assert_eq!(read_after(lead_astray), (Some(RespErr::Unmapped), 1));
}

#[test]
fn what_would_turn_back_is_refused() {
    // Both spines send what is for leaf 1 to leaf 2, where it comes from.
    let send_back = |supernode: &mut Supernode| {
        for spine in [4, 5] {
            let (register, to_leaf_2) = (csr::route(1), 0x2222_2222);
            supernode
                .csr_write_of(spine, register, to_leaf_2)
                .expect("a register");
        }
    };
    assert_eq!(read_after(send_back), (Some(RespErr::Unmapped), 1));
}

#[test]
fn the_registers_hold_the_routes_that_were_checked() {
    let mut supernode = sixteen();
    let topology = supernode.topology().clone();
    for (number, chip) in topology.chips().iter().enumerate() {
        let id = supernode
            .csr_read_of(number, csr::CHIP_ID)
            .expect("a register");
        assert_eq!(id as usize, number);
        for target in 0..topology.leaves() {
            let word = supernode.csr_read_of(number, csr::route(target as u32));
            let slots = word.expect("a register");
            let held: Vec<u8> = (0..8)
                .map(|slot| (slots >> (4 * slot) & 15) as u8)
                .collect();
            let route = chip.routes[target].unwrap_or_default();
            assert_eq!(held, route, "{} to chip {target}", chip.name);
        }
    }
}

#[test]
fn one_seed_gives_one_run_on_several_chips() {
    let stimulus = Stimulus {
        seed: 5,
        ..Program::new(8)
            .node(0)
            .store(0x40, 8, 1)
            .load(0x80, 8)
            .node(1)
            .store(0x80, 8, 2)
            .load(0x40, 8)
            .node(5)
            .store(0x48, 8, 3)
            .load(0x40, 16)
            .done()
    };
    let tiers = Tiers {
        leaves: 2,
        spines: 1,
    };
    let options = property::options().on(Some(tiers));
    let run = || property::run(&stimulus, &options).expect("no violation");
    let (first, second) = (run(), run());
    assert_eq!((first.cycles, first.stats), (second.cycles, second.stats));
    assert_eq!(first.events, second.events);
}
