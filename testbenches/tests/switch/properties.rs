//! Properties of the address space, on random programs and systems. `P1` to `P11` are numbered as
//! in the verification plan; those that this system does not have yet are not here.

use std::collections::BTreeMap;

use flits::stimulus::{Config, Node, Op, OpKind, Region, Stall, Step, Stimulus, Tiers};
use flits::strategies::{Programs, Shape, number_values};
use flits::{Class, Opcode, RespErr};
use harness::check::{Direction, SeenPacket};
use harness::sim::{Outcome, RunOptions};
use proptest::prelude::*;
use testbenches::private::{programs as private_programs, results};
use testbenches::property;

/// Operations through the caches, loads and stores most.
const CACHED: [OpKind; 8] = [
    OpKind::Load,
    OpKind::Load,
    OpKind::Load,
    OpKind::Store,
    OpKind::Store,
    OpKind::StoreLine,
    OpKind::Evict,
    OpKind::CompareSwap,
];

/// The tests: each property on one switch, and with its ports spread over the leaves of two tiers.
macro_rules! on_one_switch_and_on_two_tiers {
    ($($property:ident),* $(,)?) => { $(
        mod $property {
            #[test]
            fn on_one_switch() {
                super::$property(None);
            }

            #[test]
            fn on_two_tiers() {
                super::$property(Some(super::property::TIERS));
            }
        }
    )* };
}

on_one_switch_and_on_two_tiers!(
    p1_a_load_returns_the_latest_store_of_4_ports,
    p1_a_load_returns_the_latest_store_of_8_ports,
    p1_a_load_returns_the_latest_store_of_16_ports,
    p1_a_load_returns_the_latest_store_where_everything_is_scarce,
    p2_single_writer_or_many_readers_under_constant_recalls,
    p2_single_writer_or_many_readers_of_a_hot_line,
    p2_single_writer_or_many_readers_under_evictions_and_recalls,
    p3_each_node_sees_its_own_stores,
    p4_the_map_is_a_function_and_refuses_holes_and_missing_rights,
    p4_distinct_addresses_never_alias_and_one_address_never_splits,
    p5_atomics_are_atomic,
    p6_nothing_is_lost_repeated_or_torn_between_ports,
    p7_packets_of_one_source_destination_and_class_stay_in_order,
    p8_everything_finishes_and_no_one_starves,
    p11_timing_and_topology_change_no_result_that_the_program_fixes,
);

/// A property that holds if no checker and no oracle objects.
fn is_right(_: &Stimulus, _: &Outcome) -> Result<(), String> {
    Ok(())
}

fn p1_a_load_returns_the_latest_store_of_4_ports(tiers: Option<Tiers>) {
    property::check(
        "p1_4_ports",
        150,
        &property::options().on(tiers),
        &Programs::new(4).strategy(),
        is_right,
    );
}

fn p1_a_load_returns_the_latest_store_of_8_ports(tiers: Option<Tiers>) {
    let strategy = Programs::new(8).steps(1..=120).strategy();
    property::check(
        "p1_8_ports",
        150,
        &property::options().on(tiers),
        &strategy,
        is_right,
    );
}

fn p1_a_load_returns_the_latest_store_of_16_ports(tiers: Option<Tiers>) {
    let strategy = Programs::new(16).steps(1..=160).strategy();
    property::check(
        "p1_16_ports",
        40,
        &property::options().on(tiers),
        &strategy,
        is_right,
    );
}

fn p1_a_load_returns_the_latest_store_where_everything_is_scarce(tiers: Option<Tiers>) {
    let strategy = Programs::new(4).steps(1..=150).strategy();
    property::check(
        "p1_tight",
        250,
        &property::tight().on(tiers),
        &strategy,
        is_right,
    );
}

fn p2_single_writer_or_many_readers_under_constant_recalls(tiers: Option<Tiers>) {
    let mut recalls = 0;
    let counted = std::cell::RefCell::new(&mut recalls);
    for shape in [
        Shape::FewSetsManyTags,
        Shape::ManySetsFewTags,
        Shape::Uniform,
    ] {
        let strategy = Programs::new(4)
            .kinds(&CACHED)
            .shape(shape)
            .steps(40..=200)
            .strategy();
        let name = format!("p2_tight_{shape:?}");
        property::check(
            &name,
            80,
            &property::tight().on(tiers),
            &strategy,
            |_, outcome| {
                **counted.borrow_mut() +=
                    outcome.homes.iter().map(|home| home.recalls).sum::<u32>();
                Ok(())
            },
        );
    }
    // On two tiers the lines go over four times as many homes.
    let enough = if tiers.is_some() { 100 } else { 1000 };
    assert!(recalls > enough, "only {recalls} recalls in all runs");
}

fn p2_single_writer_or_many_readers_of_a_hot_line(tiers: Option<Tiers>) {
    let strategy = Programs::new(8)
        .kinds(&CACHED)
        .shape(Shape::HotLine)
        .steps(1..=120)
        .strategy();
    property::check(
        "p2_hot_line",
        80,
        &property::options().on(tiers),
        &strategy,
        |stimulus, outcome| {
            let wrote = stimulus
                .steps
                .iter()
                .any(|step| matches!(step.op, Op::Store { .. }));
            match wrote && outcome.counts.state_changes == 0 {
                true => Err("stores took place, but no cache changed a state".into()),
                false => Ok(()),
            }
        },
    );
}

fn p2_single_writer_or_many_readers_under_evictions_and_recalls(tiers: Option<Tiers>) {
    let strategy = Programs::new(8)
        .kinds(&CACHED)
        .shape(Shape::FewSetsManyTags)
        .steps(40..=250)
        .strategy();
    property::check(
        "p2_few_sets",
        80,
        &property::options().on(tiers),
        &strategy,
        is_right,
    );
}

fn p3_each_node_sees_its_own_stores(tiers: Option<Tiers>) {
    let kinds = [
        OpKind::Store,
        OpKind::Load,
        OpKind::Load,
        OpKind::FetchAdd,
        OpKind::Fence,
    ];
    let mut config = Config::new(8);
    for node in &mut config.nodes {
        if let Node::Cached {
            sets,
            ways,
            store_buffer,
            ..
        } = node
        {
            (*sets, *ways, *store_buffer) = (2, 1, 4);
        }
    }
    for (name, shape) in [
        ("p3_false_sharing", Shape::FalseSharing),
        ("p3_hot_line", Shape::HotLine),
    ] {
        let strategy = Programs::new(8)
            .kinds(&kinds)
            .shape(shape)
            .config(config.clone())
            .steps(1..=120)
            .strategy();
        property::check(
            name,
            50,
            &property::options().on(tiers),
            &strategy,
            is_right,
        );
    }
}

/// A system with random regions, granules, rights and interleaving, with holes between.
fn any_map() -> impl Strategy<Value = Config> {
    let rights = || prop_oneof![3 => Just(u16::MAX), 1 => any::<u16>()];
    let region = (
        (0u64..4, 1u64..4, any::<bool>(), 6u32..=16, any::<bool>()),
        (rights(), rights()),
    );
    let partitions = prop::collection::vec(prop_oneof![2 => Just(u16::MAX), 1 => any::<u16>()], 8);
    (prop::collection::vec(region, 1..=4), partitions).prop_map(|(draws, port_partitions)| {
        let mut config = Config {
            port_partitions,
            regions: Vec::new(),
            ..Config::new(8)
        };
        let (mut next, mut local) = (0u64, 0u64);
        for ((gap, units, coherent, granule, both), (read, write)) in draws {
            let memories = if both { vec![7, 6] } else { vec![6] };
            let size = units << 17;
            let base = next + (gap << 16);
            config.regions.push(Region {
                base,
                size,
                coherent,
                memories,
                granule: 1 << granule,
                local_base: local,
                read_partitions: read,
                // Who may read a coherent line may be granted it unique, and then writes it without
                // asking again.
                write_partitions: if coherent { read } else { write },
            });
            (next, local) = (base + size, local + size);
        }
        config
    })
}

/// Accesses near the edges of regions and granules, where a map goes wrong, with the status that
/// each must get.
fn any_accesses() -> impl Strategy<Value = Stimulus> {
    let access = (
        0usize..6,
        any::<u8>(),
        0usize..5,
        any::<u8>(),
        any::<bool>(),
        any::<bool>(),
    );
    (any_map(), prop::collection::vec(access, 1..60)).prop_map(|(config, draws)| {
        let mut steps: Vec<Step> = draws
            .iter()
            .map(|&(node, kind, edge, offset, before, far)| {
                let region = &config.regions[edge % config.regions.len()];
                let edge = match edge {
                    0 => region.base,
                    1 => region.base + region.size,
                    2 => region.base + region.granule,
                    3 => region.base + 2 * region.granule,
                    _ => region.base | if far { 1 << 40 } else { 0 },
                };
                let offset = u64::from(offset % 4) * 64;
                let addr = if before {
                    edge.wrapping_sub(64 + offset)
                } else {
                    edge + offset
                };
                let addr = addr & ((1 << 48) - 1);
                let op = match kind % 6 {
                    0 => Op::Load { addr, size: 8 },
                    1 => Op::Store {
                        addr,
                        size: 8,
                        value: 0,
                    },
                    2 => Op::ReadUncached { addr, size: 64 },
                    3 => Op::WriteUncached {
                        addr,
                        size: 64,
                        value: 0,
                    },
                    4 => Op::ReadOnce { addr },
                    _ => Op::WriteUnique {
                        addr,
                        size: 8,
                        value: 0,
                    },
                };
                Step { node, after: 0, op }
            })
            .collect();
        number_values(&mut steps);
        Stimulus {
            seed: 0,
            config,
            steps,
        }
    })
}

/// The status that the address map of the configuration gives an access.
fn expected(config: &Config, step: &Step) -> RespErr {
    let (addr, _) = step.op.access().unwrap_or_default();
    let inside = |region: &&Region| (region.base..region.base + region.size).contains(&addr);
    let Some(region) = config.regions.iter().find(inside) else {
        return RespErr::Unmapped;
    };
    let member = config.port_partitions[step.node];
    let allowed = if step.op.kind().writes() {
        region.write_partitions
    } else {
        region.read_partitions
    };
    if member & allowed == 0 {
        return RespErr::NoRight;
    }
    let uncached = matches!(step.op, Op::ReadUncached { .. } | Op::WriteUncached { .. });
    if uncached == region.coherent {
        RespErr::WrongRegion
    } else {
        RespErr::Ok
    }
}

fn p4_the_map_is_a_function_and_refuses_holes_and_missing_rights(tiers: Option<Tiers>) {
    property::check(
        "p4_map",
        120,
        &property::options().on(tiers),
        &any_accesses(),
        |stimulus, outcome| {
            for (step, event) in stimulus.steps.iter().zip(&outcome.events) {
                let expected = expected(&stimulus.config, step);
                if event.status != expected {
                    return Err(format!(
                        "{step} ends with {}, and should with {expected}",
                        event.status
                    ));
                }
            }
            Ok(())
        },
    );
}

fn p4_distinct_addresses_never_alias_and_one_address_never_splits(tiers: Option<Tiers>) {
    // Every line of all granules around every power of two of both regions, written by one node and
    // read by another.
    for (region, uncached) in [(0u64, false), (1 << 32, true)] {
        let mut addrs: Vec<u64> = (6..30)
            .flat_map(|bit| [1u64 << bit, (1 << bit) + 64, (1u64 << bit).wrapping_sub(64)])
            .filter(|&offset| offset < 1 << 30)
            .map(|offset| region + offset)
            .collect();
        addrs.sort_unstable();
        addrs.dedup();
        let write = |addr| match uncached {
            false => Op::Store {
                addr,
                size: 8,
                value: 0,
            },
            true => Op::WriteUncached {
                addr,
                size: 8,
                value: 0,
            },
        };
        let read = |addr| match uncached {
            false => Op::Load { addr, size: 8 },
            true => Op::ReadUncached { addr, size: 8 },
        };
        let mut steps: Vec<Step> = addrs
            .iter()
            .map(|&addr| Step {
                node: 0,
                after: 0,
                op: write(addr),
            })
            .collect();
        number_values(&mut steps);
        let written: Vec<u128> = steps.iter().filter_map(|step| step.op.value()).collect();
        let reads = addrs.iter().map(|&addr| Step {
            node: 1,
            after: 0,
            op: read(addr),
        });
        steps.extend(reads);
        steps[addrs.len()].after = 200 * addrs.len() as u64;
        let stimulus = Stimulus {
            seed: 0,
            config: Config::new(8),
            steps,
        };
        let options = property::options().on(tiers);
        let outcome = property::run(&stimulus, &options)
            .unwrap_or_else(|reason| property::fail("p4_alias", &options, &reason, &stimulus));
        for (value, event) in written.iter().zip(&outcome.events[addrs.len()..]) {
            let read = event.read.as_ref().expect("a read");
            assert_eq!(
                read[..],
                (*value as u64).to_le_bytes(),
                "at {:#x}",
                event.addr
            );
        }
    }
}

fn p5_atomics_are_atomic(tiers: Option<Tiers>) {
    let config = prop_oneof![Just(4usize), Just(8), Just(16)];
    let strategy = (
        config,
        0..4usize,
        1..12usize,
        0..500u16,
        any::<u64>(),
        0..12usize,
    )
        .prop_map(|(ports, buffer, each, stall, seed, slots)| {
            let mut config = Config::new(ports);
            config.stall = Stall {
                rx_permille: stall,
                tx_permille: stall,
            };
            let mut steps = Vec::new();
            for (node, kind) in config.nodes.iter_mut().enumerate() {
                let Node::Cached {
                    store_buffer,
                    sets,
                    ways,
                    ..
                } = kind
                else {
                    continue;
                };
                (*store_buffer, *sets, *ways) = (buffer, 1, 1);
                for turn in 0..each {
                    let addr = 0x40 * ((turn * slots) as u64 % 3);
                    let op = Op::FetchAdd {
                        addr,
                        size: 8,
                        value: 1,
                    };
                    steps.push(Step { node, after: 0, op });
                }
            }
            Stimulus {
                seed,
                config,
                steps,
            }
        });
    property::check(
        "p5_atomics",
        40,
        &property::options().on(tiers),
        &strategy,
        |_, outcome| {
            let mut seen: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            for event in &outcome.events {
                let old = event.read.as_deref().and_then(|old| old.try_into().ok());
                let old = old
                    .map(u64::from_le_bytes)
                    .ok_or("an addition gave no old value")?;
                seen.entry(event.addr).or_default().push(old);
            }
            for (addr, mut old) in seen {
                old.sort_unstable();
                if old.iter().copied().ne(0..old.len() as u64) {
                    return Err(format!("additions of 1 at {addr:#x} saw {old:?}"));
                }
            }
            Ok(())
        },
    );
}

fn p6_nothing_is_lost_repeated_or_torn_between_ports(tiers: Option<Tiers>) {
    let kinds = [OpKind::ReadUncached, OpKind::WriteUncached];
    let strategy = Programs::new(8).kinds(&kinds).steps(1..=150).strategy();
    property::check(
        "p6_uncached",
        60,
        &property::options().on(tiers),
        &strategy,
        is_right,
    );
}

fn p7_packets_of_one_source_destination_and_class_stay_in_order(tiers: Option<Tiers>) {
    use harness::sim::{Supernode, join_all};
    for seed in 0..4u64 {
        let seed = seed + property::seed("p7_order");
        let stall = Stall {
            rx_permille: 100 * (seed % 4) as u16,
            tx_permille: 200,
        };
        let config = Config {
            stall,
            tiers,
            ..Config::new(8)
        };
        let supernode = Supernode::builder().config(config).seed(seed).build();
        let mut supernode = supernode.expect("the default system");
        // Eight streams from every node to both memories, their answers crossing on the way back.
        let ran = supernode.run(|sys| async move {
            let streams = (0..48u64).map(|stream| {
                let node = sys.node(stream as usize % 6);
                async move {
                    let base = (1 << 32) + stream * 0x1_1000;
                    for turn in 0..12u64 {
                        let len = 1usize << ((turn + stream) % 9);
                        let bytes: Vec<u8> =
                            (0..len).map(|i| (i as u64 + turn + stream) as u8).collect();
                        let addr = base + turn % 3 * 256;
                        node.write_uncached(addr, &bytes).await;
                        assert_eq!(node.read_uncached(addr, len).await, bytes);
                    }
                }
            });
            join_all(streams).await;
        });
        if let Err(failure) = ran {
            panic!("seed {seed:#x}: {failure}");
        }
        // A write and a read a turn, each of them two packets that go in and come out.
        assert_eq!(supernode.check_counts().packets, 48 * 12 * 2 * 4);
    }
}

/// How often one node may be served a line twice or more while another waits for its first turn.
const OVERTAKEN: usize = 3;

fn p8_everything_finishes_and_no_one_starves(tiers: Option<Tiers>) {
    // All nodes of 16 ports fight for one line.
    let strategy =
        (0..700u16, 0..700u16, any::<u64>(), 12..20usize).prop_map(|(rx, tx, seed, each)| {
            let mut config = Config::new(16);
            config.stall = Stall {
                rx_permille: rx,
                tx_permille: tx,
            };
            let steps = (0..12 * each).map(|i| {
                let (node, value) = (i % 12, 1);
                let op = match i % 5 {
                    0 => Op::Load {
                        addr: 0x40,
                        size: 8,
                    },
                    1 => Op::Evict { addr: 0x40 },
                    _ => Op::FetchAdd {
                        addr: 0x40,
                        size: 8,
                        value,
                    },
                };
                Step { node, after: 0, op }
            });
            let steps = steps.collect();
            Stimulus {
                seed,
                config,
                steps,
            }
        });
    let options = RunOptions {
        log_packets: true,
        ..property::options().on(tiers)
    };
    property::check("p8_progress", 30, &options, &strategy, |_, outcome| {
        let turns = turns(outcome);
        for (node, sent, served) in &turns {
            let overtaking = turns
                .iter()
                .filter(|(_, later, earlier)| later > sent && earlier < served);
            let mut count = [0; 16];
            overtaking.for_each(|(other, ..)| count[*other] += 1);
            if let Some(other) = count.iter().position(|&count| count > OVERTAKEN) {
                return Err(format!(
                    "node {node} asks in cycle {sent} and is served in {served}; node {other} asked \
                     later and was served earlier {} times",
                    count[other]
                ));
            }
        }
        Ok(())
    });
}

/// Every request of a run: node, cycle of its sending, cycle of its answer.
fn turns(outcome: &Outcome) -> Vec<(usize, u64, u64)> {
    let mut turns = Vec::new();
    let mut open: BTreeMap<(usize, u16), u64> = BTreeMap::new();
    for SeenPacket {
        cycle,
        port,
        direction,
        packet,
    } in &outcome.packets
    {
        let key = (*port, packet.header.txn);
        match (direction, packet.header.opcode) {
            (Direction::ToSwitch, opcode) if opcode.class() == Class::Req => {
                open.insert(key, *cycle);
            }
            (Direction::ToNode, Opcode::Comp | Opcode::CompData) => {
                turns.extend(open.remove(&key).map(|sent| (*port, sent, *cycle)));
            }
            _ => {}
        }
    }
    turns
}

fn p11_timing_and_topology_change_no_result_that_the_program_fixes(tiers: Option<Tiers>) {
    let options = property::options().on(tiers);
    let strategy = private_programs();
    property::check(
        "p11_topology",
        40,
        &options,
        &strategy,
        |stimulus, outcome| {
            let fixed = results(outcome);
            let (tight, alone) = (property::tight().on(tiers), property::options());
            let systems = [
                (4, &tight),
                (4, &options),
                (8, &options),
                (16, &options),
                (4, &alone),
            ];
            for (ports, options) in systems {
                for permille in [0, 500] {
                    let mut other = stimulus.clone();
                    other.config = Config::new(ports);
                    other.config.stall = Stall {
                        rx_permille: permille,
                        tx_permille: permille,
                    };
                    let found = results(&property::run(&other, options)?);
                    if let Some(at) = (0..fixed.len()).find(|&at| found[at] != fixed[at]) {
                        return Err(format!(
                            "{} gives {:?} on {ports} ports ({:?}) with {permille} permille of \
                         stalls, and {:?} without",
                            stimulus.steps[at], found[at], options.model, fixed[at]
                        ));
                    }
                }
            }
            Ok(())
        },
    );
}
