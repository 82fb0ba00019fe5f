//! Parallel programs whose results plain Rust knows: on nodes in order and with store buffers, on one
//! switch and on two tiers, with and without stalls.

use flits::stimulus::{Config, MemoryTiming, Node, Stall, Timing};
use harness::litmus::MemoryModel;
use harness::sim::{Supernode, System};
use harness::workload::programs::team::Team;
use harness::workload::programs::{self, Fence, Verdict, deque, locks};
use testbenches::property::{self, TIERS};

/// Runs of a program in each system.
const RUNS: u64 = 2;
/// Cycles after which a program does not end any more.
const MOST_CYCLES: u64 = 1_000_000;
const QUICK: MemoryTiming = MemoryTiming::Custom(Timing {
    latency: 8,
    channels: 16,
    busy: 1,
});
/// Runs in which a fence that is missing has to show.
const TRIES: u64 = 1_000;

/// 8 devices with quick memories, so that nodes meet more often than they wait.
fn system(nodes: MemoryModel, seed: u64) -> Config {
    let mut config = Config::new(8).with_store_buffers(nodes.store_buffer());
    for node in &mut config.nodes {
        if let Node::Memory { timing } = node {
            *timing = QUICK;
        }
    }
    // Every other seed with stalls.
    let permille = if seed & 1 == 0 { 0 } else { 150 };
    config.stall = Stall {
        rx_permille: permille,
        tx_permille: permille,
    };
    config
}

fn build(config: Config, seed: u64) -> Supernode {
    let builder = Supernode::builder().config(config).seed(seed);
    let built = builder.max_cycles(MOST_CYCLES).build();
    built.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs a program of the list in every system.
fn gives_what_plain_rust_gives(name: &str) {
    let program = programs::find(name).expect("a program of that name");
    let seed = property::seed(name);
    for nodes in [MemoryModel::Sc, MemoryModel::Tso] {
        for tiers in [None, Some(TIERS)] {
            for seed in (0..RUNS).map(|run| seed.wrapping_add(run)) {
                let mut config = system(nodes, seed);
                config.tiers = tiers;
                let verdict = program.run(&mut build(config, seed));
                let verdict = verdict.unwrap_or_else(|failure| panic!("seed {seed:#x}: {failure}"));
                assert_eq!(verdict, Ok(()), "{nodes:?}, {tiers:?}, seed {seed:#x}");
            }
        }
    }
}

macro_rules! programs {
    ($($test:ident: $name:literal),* $(,)?) => { $(
        #[test]
        fn $test() {
            gives_what_plain_rust_gives($name);
        }
    )*

        #[test]
        fn every_program_is_tested() {
            let tested = [$($name),*];
            assert_eq!(programs::PROGRAMS.map(|program| program.name), tested);
        }
    };
}

programs! {
    a_spin_lock_keeps_counts: "spin-lock",
    a_ticket_lock_keeps_counts: "ticket-lock",
    an_mcs_lock_keeps_counts: "mcs-lock",
    petersons_lock_keeps_counts: "peterson-lock",
    a_barrier_keeps_generations_apart: "barrier",
    a_ring_keeps_messages_in_order: "ring",
    a_queue_loses_and_repeats_nothing: "queue",
    every_task_of_a_deque_is_done_once: "deque",
    a_search_finds_the_levels: "search",
    a_prefix_sum_is_right: "prefix-sum",
}

/// The first of some runs whose result is wrong.
fn first_wrong<F>(
    name: &str,
    nodes: MemoryModel,
    runs: u64,
    program: impl Fn(Team) -> F,
) -> Option<u64>
where
    F: Future<Output = Verdict> + 'static,
{
    let seed = property::seed(name);
    let is_wrong = |run: &u64| {
        let seed = seed.wrapping_add(*run);
        let mut sn = build(system(nodes, seed), seed);
        let verdict = sn.run(|sys: System| program(Team::new(sys, seed)));
        let verdict = verdict.unwrap_or_else(|failure| panic!("seed {seed:#x}: {failure}"));
        verdict.is_err()
    };
    (0..runs).find(is_wrong)
}

/// Without a fence the result is wrong in some run on nodes with store buffers, and on nodes in order
/// in none of as many.
fn needs_its_fence<F>(name: &str, without: impl Fn(Team) -> F)
where
    F: Future<Output = Verdict> + 'static,
{
    let Some(wrong) = first_wrong(name, MemoryModel::Tso, TRIES, &without) else {
        panic!("right in {TRIES} runs");
    };
    println!("{name}: wrong in run {wrong}");
    let in_order = first_wrong(name, MemoryModel::Sc, wrong.max(RUNS) + 1, &without);
    assert_eq!(in_order, None);
}

#[test]
fn petersons_lock_needs_its_fence_on_nodes_with_store_buffers_and_on_no_others() {
    needs_its_fence("peterson", |team| locks::peterson(team, Fence::LeftOut));
}

#[test]
fn a_deque_needs_its_fence_on_nodes_with_store_buffers_and_on_no_others() {
    needs_its_fence("deque", |team| deque::steal(team, Fence::LeftOut));
}
