//! Links whose receivers have room for one word and seldom say so: buffers fill up and every word
//! waits for the last credit, and nothing comes of it but delay.

use flits::Class;
use flits::stimulus::{Config, Node, Stall};
use harness::sim::{Supernode, join_all};
use testbenches::property;

/// Nodes with caches of the switch with 8 ports; the two others have memories.
const NODES: usize = 6;
/// The sizes of the switch: words of a class that an input holds in its own slots and in lent ones.
const FULL: u32 = 24 + 40;

/// The system, on which each node may have many lines and misses.
fn system(name: &str) -> Supernode {
    let mut config = Config::new(8);
    for node in &mut config.nodes {
        if let Node::Cached { mshrs, .. } = node {
            *mshrs = 32;
        }
    }
    config.stall = Stall {
        rx_permille: 0,
        tx_permille: 900,
    };
    let supernode = Supernode::builder().config(config).node_depth(1);
    let built = supernode.seed(property::seed(name)).build();
    built.unwrap_or_else(|failure| panic!("{failure}"))
}

/// The most words of a class that waited at each of some ports.
fn most_waiting(
    supernode: &mut Supernode,
    ports: std::ops::Range<usize>,
    class: Class,
) -> Vec<u32> {
    let counters = supernode.port_counters().expect("counters").swap_remove(0);
    let waiting = counters[ports].iter();
    waiting
        .map(|port| port.high_water[class as usize])
        .collect()
}

#[test]
fn lines_that_are_written_back_are_right_where_memories_have_room_for_one_word() {
    /// Lines that each node writes back.
    const EACH: usize = 32;
    let addr = |n: usize| n as u64 * 64;
    let mut supernode = system("scarce_memories");
    let ran = supernode.run(|sys| async move {
        let all = 0..NODES * EACH;
        let node = |n: usize| sys.node(n % NODES);
        join_all(all.clone().map(|n| node(n).store(addr(n), n as u64))).await;
        join_all(all.clone().map(|n| node(n).evict(addr(n)))).await;
        let loads = all.map(|n| {
            let node = node(n + 1);
            async move { assert_eq!(node.load::<u64>(addr(n)).await, n as u64) }
        });
        join_all(loads).await;
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(
        most_waiting(&mut supernode, 0..NODES, Class::Req),
        [FULL; NODES]
    );
}

#[test]
fn lines_of_other_caches_are_right_where_nodes_have_room_for_one_word() {
    /// Lines that a node gives to each other.
    const EACH: usize = 16;
    let line = |owner: usize, n: usize| (owner * NODES * EACH + n) as u64 * 64;
    let mut supernode = system("scarce_caches");
    for owner in 0..NODES {
        let ran = supernode.run(|sys| async move {
            let store = |n| {
                let addr = line(owner, n);
                sys.node(owner).store(addr, addr + 1)
            };
            join_all((0..NODES * EACH).map(store)).await;
            let load = |n| {
                let (node, addr) = (sys.node(n / EACH), line(owner, n));
                async move { assert_eq!(node.load::<u64>(addr).await, addr + 1) }
            };
            join_all((0..NODES * EACH).map(load)).await;
        });
        ran.unwrap_or_else(|failure| panic!("{failure}"));
    }
    assert_eq!(
        most_waiting(&mut supernode, 0..NODES, Class::Dat),
        [FULL; NODES]
    );
}
