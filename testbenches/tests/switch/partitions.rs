//! P9: partitions do not leak. Numbered as those of `properties.rs`.

use flits::stimulus::{Config, Op, Region, Step, Stimulus, Tiers};
use flits::{Class, RespErr};
use harness::check::Direction;
use harness::sim::RunOptions;
use proptest::prelude::*;
use testbenches::private::{self, AREA};
use testbenches::property;

on_one_switch_and_on_two_tiers!(
    p9_what_belongs_to_one_partition_is_neither_read_nor_changed_nor_noticed_from_another,
);

/// The system of the private programs, of which each node's lines belong to the node's partition. It
/// has no store buffers, whose stores are refused when the program has gone on.
fn divided(config: &Config, partitions: &[u16]) -> Config {
    let mut divided = config.clone().with_store_buffers(0);
    divided.port_partitions = partitions.to_vec();
    let areas = |region: &Region| {
        let region = region.clone();
        partitions
            .iter()
            .zip(0..)
            .map(move |(&partition, node)| Region {
                base: region.base + node * AREA,
                size: AREA,
                local_base: region.local_base + node * AREA,
                read_partitions: partition,
                write_partitions: partition,
                ..region.clone()
            })
    };
    divided.regions = config.regions.iter().flat_map(areas).collect();
    divided
}

/// Private programs of nodes in two partitions, and between their operations others on the lines of
/// nodes of the other partition.
fn intruded() -> impl Strategy<Value = Stimulus> {
    let third = prop_oneof![Just(1u16), Just(2)];
    (private::programs(), private::programs(), third).prop_map(|(own, others, third)| {
        let partitions = [1, 2, third];
        let intrusion = |step: &Step| {
            let foreign = |&owner: &usize| partitions[owner] != partitions[step.node];
            let owner = (0..partitions.len()).rev().find(foreign)?;
            Some(private::moved(step, owner))
        };
        let mut intrusions = others.steps.iter().filter_map(intrusion);
        let mut steps = Vec::new();
        for step in own.steps {
            steps.push(step);
            steps.extend(intrusions.next());
        }
        Stimulus {
            config: divided(&own.config, &partitions),
            steps,
            ..own
        }
    })
}

/// The partitions of a port.
fn partitions(config: &Config, port: usize) -> u16 {
    config
        .port_partitions
        .get(port)
        .copied()
        .unwrap_or(u16::MAX)
}

/// Whether a port is in a partition to which an address belongs.
fn belongs(config: &Config, port: usize, addr: u64) -> bool {
    let owns = |region: &&Region| (region.base..region.base + region.size).contains(&addr);
    let region = config.regions.iter().find(owns);
    region.is_some_and(|region| partitions(config, port) & region.read_partitions != 0)
}

fn p9_what_belongs_to_one_partition_is_neither_read_nor_changed_nor_noticed_from_another(
    tiers: Option<Tiers>,
) {
    let options = RunOptions {
        log_packets: true,
        ..property::options().on(tiers)
    };
    property::check(
        "p9_partitions",
        60,
        &options,
        &intruded(),
        |stimulus, outcome| {
            let config = &stimulus.config;
            let is_own = |step: &Step| {
                let addr = step.op.access().map(|(addr, _)| addr);
                addr.is_none_or(|addr| belongs(config, step.node, addr))
            };
            for (step, event) in stimulus.steps.iter().zip(&outcome.events) {
                // A line that a node does not have is given up without asking anyone.
                if is_own(step) || matches!(step.op, Op::Evict { .. }) {
                    continue;
                }
                if event.status != RespErr::NoRight || event.read.is_some() {
                    return Err(format!(
                        "{step} ends with {} and {:?}",
                        event.status, event.read
                    ));
                }
            }
            for seen in &outcome.packets {
                let header = &seen.packet.header;
                let is_node = config.port_partitions.len() > seen.port;
                if seen.direction == Direction::ToNode
                    && header.opcode.class() == Class::Snp
                    && is_node
                    && !belongs(config, seen.port, header.addr)
                {
                    return Err(format!(
                        "node {} is asked for {:#x}",
                        seen.port, header.addr
                    ));
                }
            }
            // Each partition's own results, when all is as before and when it has the system to itself.
            let results = private::results(outcome);
            for partition in [1, 2] {
                let of_partition =
                    |step: &Step| is_own(step) && partitions(config, step.node) == partition;
                let steps = stimulus.steps.iter().zip(&results);
                let (steps, found): (Vec<_>, Vec<_>) =
                    steps.filter(|(step, _)| of_partition(step)).unzip();
                let alone = Stimulus {
                    steps: steps.into_iter().cloned().collect(),
                    ..stimulus.clone()
                };
                let undisturbed = private::results(&property::run(&alone, &options)?);
                let mut pairs = alone.steps.iter().zip(found.into_iter().zip(&undisturbed));
                if let Some((step, (found, alone))) =
                    pairs.find(|(_, (found, alone))| found != alone)
                {
                    return Err(format!(
                        "{step} gives {found:?} beside another partition, and {alone:?} without"
                    ));
                }
            }
            Ok(())
        },
    );
}
