//! P4, the address map: it is a function, refuses holes and missing rights, and never lets two
//! addresses meet. Numbered as those of `properties.rs`.

use flits::RespErr;
use flits::stimulus::{Config, Op, Region, Step, Stimulus, Tiers};
use flits::strategies::number_values;
use proptest::prelude::*;
use testbenches::property;

on_one_switch_and_on_two_tiers!(
    p4_the_map_is_a_function_and_refuses_holes_and_missing_rights,
    p4_distinct_addresses_never_alias_and_one_address_never_splits,
);

/// A system with random regions, granules, rights and interleaving, with holes between.
fn any_map() -> impl Strategy<Value = Config> {
    // Of few partitions: masks of many nearly always have one in common.
    let few = || prop_oneof![3 => 1u16..=3, 1 => any::<u16>()];
    let rights = move || prop_oneof![3 => Just(u16::MAX), 2 => few()];
    let region = (
        (0u64..4, 1u64..4, any::<bool>(), 6u32..=16, any::<bool>()),
        (rights(), rights()),
    );
    let partitions = prop::collection::vec(prop_oneof![2 => Just(u16::MAX), 1 => few()], 8);
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
                write_partitions: write,
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
    let (may_read, may_write) = (
        member & region.read_partitions != 0,
        member & region.write_partitions != 0,
    );
    // A store of part of a line is one into a copy of all of it.
    let (reads, writes) = match step.op {
        Op::Store { .. } => (true, true),
        Op::WriteUncached { .. } | Op::WriteUnique { .. } => (false, true),
        _ => (true, false),
    };
    if (reads && !may_read) || (writes && !may_write) {
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
