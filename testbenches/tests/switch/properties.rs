//! Properties of the address space, on random programs and systems. `P1` to `P11` are numbered as in
//! `testbenches/README.md`; P4 is in `address_map.rs`, P9 in `partitions.rs`, P10 with the links.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::additions::{add, cramped, told_apart};
use flits::stimulus::{Config, Node, Op, OpKind, Stall, Step, Stimulus, Tiers};
use flits::strategies::{Programs, Shape};
use flits::{Class, Opcode};
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

on_one_switch_and_on_two_tiers!(
    p1_a_load_returns_the_latest_store_of_4_ports,
    p1_a_load_returns_the_latest_store_of_8_ports,
    p1_a_load_returns_the_latest_store_of_16_ports,
    p1_a_load_returns_the_latest_store_where_everything_is_scarce,
    p2_single_writer_or_many_readers_under_constant_recalls,
    p2_single_writer_or_many_readers_of_a_hot_line,
    p2_single_writer_or_many_readers_of_a_hot_line_where_everything_is_scarce,
    p2_single_writer_or_many_readers_under_evictions_and_recalls,
    p3_each_node_sees_its_own_stores,
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
    let counted = Cell::new((0, 0));
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
                let (runs, recalls) = counted.get();
                let more: u32 = outcome.homes.iter().map(|home| home.recalls).sum();
                counted.set((runs + 1, recalls + more));
                Ok(())
            },
        );
    }
    let (runs, recalls) = counted.get();
    // On two tiers the lines go over four times as many homes.
    let enough = if tiers.is_some() { runs / 2 } else { 4 * runs };
    assert!(recalls > enough, "only {recalls} recalls in {runs} runs");
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

fn p2_single_writer_or_many_readers_of_a_hot_line_where_everything_is_scarce(tiers: Option<Tiers>) {
    let strategy = Programs::new(4)
        .kinds(&CACHED)
        .shape(Shape::HotLine)
        .steps(20..=120)
        .strategy();
    property::check(
        "p2_tight_hot_line",
        60,
        &property::tight().on(tiers),
        &strategy,
        is_right,
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
            let mut program = cramped(ports, buffer, stall);
            for node in program.cached() {
                program = program.node(node);
                for turn in 0..each {
                    let addr = 0x40 * ((turn * slots) as u64 % 3);
                    program = add(program, OpKind::FetchAdd, addr);
                }
            }
            Stimulus {
                seed,
                ..program.done()
            }
        });
    property::check(
        "p5_atomics",
        40,
        &property::options().on(tiers),
        &strategy,
        |_, outcome| told_apart(&outcome.events),
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
        ..
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
