//! The harness on the Verilated switch.

use super::*;
use crate::dut::Variant;
use crate::dut::csr_map as csr;
use flits::stimulus::Config;
use rand::RngExt;
use std::path::Path;

fn build(ports: usize) -> Supernode {
    Supernode::builder()
        .ports(ports)
        .build()
        .expect("the default system")
}

/// Every node in turn changes and reads a few lines; only one operation is in flight, so the results
/// are those of the program alone.
async fn one_at_a_time(sys: System, steps: u32) -> Vec<u64> {
    let nodes: Vec<NodeHandle> = sys.nodes().collect();
    let mut rng = stream(5, "one at a time");
    let mut seen = Vec::new();
    for _ in 0..steps {
        let node = &nodes[rng.random_range(0..nodes.len())];
        let addr = 0x4000 * rng.random_range(0..3u64) + 8 * rng.random_range(0..16u64);
        match rng.random_range(0..7) {
            0 => node.store(addr, rng.random::<u64>()).await,
            1 => seen.push(node.fetch_add(addr, 3u64).await),
            2 => node.store_line(addr & !63, &[rng.random(); 64]).await,
            3 => node.evict(addr).await,
            4 => node.write_unique(addr, &rng.random::<[u8; 8]>()).await,
            5 => seen.push(u64::get(&node.read_once(addr).await)),
            _ => seen.push(node.load::<u64>(addr).await),
        }
    }
    seen
}

#[test]
fn every_size_of_the_switch_computes_what_the_specification_does() {
    let expected = Supernode::builder()
        .ports(4)
        .model(Model::Reference)
        .build()
        .expect("the reference")
        .run(|sys| one_at_a_time(sys, 300));
    let four = build(4).run(|sys| one_at_a_time(sys, 300));
    assert_eq!(four, expected);
    for ports in [8, 16] {
        let reference = Supernode::builder()
            .ports(ports)
            .model(Model::Reference)
            .build()
            .expect("the reference")
            .run(|sys| one_at_a_time(sys, 300));
        assert_eq!(
            build(ports).run(|sys| one_at_a_time(sys, 300)),
            reference,
            "{ports} ports"
        );
    }
}

#[test]
fn the_switch_says_what_it_is_and_holds_the_address_map() {
    let mut sn = build(8);
    let parameters = *sn.parameters();
    assert_eq!((parameters.ports, parameters.home_slices), (8, 2));
    let region = |sn: &mut Supernode, r| {
        [
            csr::region_base(r),
            csr::region_limit(r),
            csr::region_local_base(r),
        ]
        .map(|register| sn.csr_read(register).expect("a register"))
    };
    assert_eq!(region(&mut sn, 0), [0, 0x3fff, 0]);
    assert_eq!(region(&mut sn, 1), [0x1_0000, 0x1_3fff, 0x2000]);
    let refused = sn.csr_read(0xffc).expect_err("there is no such register");
    assert!(refused.message.contains("0xffc"), "{refused}");
}

#[test]
fn the_switch_counts_what_the_links_carried() {
    let mut sn = build(8);
    sn.run(|sys| one_at_a_time(sys, 100)).expect("no violation");
    let ports = sn.stats().ports;
    for (port, stats) in ports.iter().enumerate() {
        for class in 0..5 {
            let to_switch = sn
                .csr_read(csr::port_rx_flits(port as u32, class))
                .expect("counter");
            let to_node = sn
                .csr_read(csr::port_tx_flits(port as u32, class))
                .expect("counter");
            let class = class as usize;
            assert_eq!(
                u64::from(to_switch),
                stats.to_switch[class],
                "port {port} class {class}"
            );
            assert_eq!(
                u64::from(to_node),
                stats.to_node[class],
                "port {port} class {class}"
            );
        }
    }
}

#[test]
fn a_tight_switch_computes_the_same_and_recalls_lines() {
    let build = |model| {
        Supernode::builder()
            .ports(4)
            .model(model)
            .build()
            .expect("a model")
    };
    let mut tight = build(Model::Tight);
    let found = tight.run(|sys| one_at_a_time(sys, 300));
    assert_eq!(
        found,
        build(Model::Reference).run(|sys| one_at_a_time(sys, 300))
    );
    assert_eq!(
        (tight.parameters().home_slices, tight.parameters().trackers),
        (4, 2)
    );
    let random = tight.run(|sys| super::tests::scramble(sys, 1, 1 << 12));
    random.expect("no violation");
    let recalls: u32 = tight
        .home_counters()
        .expect("counters")
        .iter()
        .map(|h| h.recalls)
        .sum();
    assert!(recalls > 0);
}

/// Systems of several chips: leaves, devices on each, spines, model.
const TIERS: [(usize, usize, usize, Model); 3] = [
    (4, 4, 2, Model::Rtl(Variant::Fast)),
    (2, 2, 1, Model::Tight),
    (4, 2, 2, Model::Tight),
];

#[test]
fn two_tiers_compute_what_one_switch_does() {
    for (leaves, per_leaf, spines, model) in TIERS {
        let mut sn = Supernode::builder()
            .tiers(leaves, per_leaf, spines)
            .model(model)
            .build()
            .expect("a system");
        let mut alone = Config::tiers(leaves, per_leaf, spines);
        alone.tiers = None;
        let one = Supernode::builder().config(alone).model(Model::Reference);
        let expected = one
            .build()
            .expect("the reference")
            .run(|sys| one_at_a_time(sys, 300));
        let found = sn.run(|sys| one_at_a_time(sys, 300));
        assert_eq!(found, expected, "{leaves} leaves");
    }
}

#[test]
fn random_programs_on_two_tiers_violate_nothing() {
    for (leaves, per_leaf, spines, model) in TIERS {
        for seed in 0..4 {
            let mut sn = Supernode::builder()
                .tiers(leaves, per_leaf, spines)
                .model(model)
                .seed(seed)
                .build()
                .expect("a system");
            let span = 1 << (9 + seed);
            sn.run(|sys| super::tests::scramble(sys, seed, span))
                .unwrap_or_else(|failure| panic!("{leaves} leaves, seed {seed}: {failure}"));
        }
    }
}

#[test]
fn random_programs_on_the_switch_violate_nothing() {
    for seed in 0..4 {
        let mut sn = build(8);
        let span = 1 << (9 + seed);
        sn.run(|sys| super::tests::scramble(sys, seed, span))
            .unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

fn waves(path: &Path, seed: u64) -> Vec<u8> {
    let mut config = Config::new(8);
    config.stall.rx_permille = 200;
    let mut sn = Supernode::builder()
        .config(config)
        .seed(seed)
        .vcd(path)
        .build()
        .expect("the wave model");
    sn.run(|sys| one_at_a_time(sys, 20)).expect("no violation");
    sn.close_vcd().expect("a whole file");
    std::fs::read(path).expect("the file is there")
}

#[test]
fn the_same_seed_gives_the_same_waves() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = waves(&dir.path().join("a.vcd"), 1);
    assert!(
        first == waves(&dir.path().join("b.vcd"), 1),
        "two runs of a seed differ"
    );
    assert!(
        first != waves(&dir.path().join("c.vcd"), 2),
        "the seed has no effect"
    );
}

#[test]
fn a_switch_without_waves_says_so() {
    let build = Supernode::builder()
        .vcd("unused.vcd")
        .model(Model::Reference)
        .build();
    let failure = build.err().expect("no file can be written");
    assert!(failure.message.contains("has no waves"), "{failure}");
}

#[test]
fn a_run_of_the_coverage_model_moves_its_counters() {
    let mut sn = Supernode::builder()
        .model(Model::Rtl(Variant::Cov))
        .build()
        .expect("the model");
    let before: u64 = sn.coverage().iter().map(|&count| u64::from(count)).sum();
    sn.run(|sys| one_at_a_time(sys, 10)).expect("no violation");
    let after: u64 = sn.coverage().iter().map(|&count| u64::from(count)).sum();
    assert!(after > before);
    assert!(sn.lcov().contains("home"), "{}", sn.lcov());
}
