//! P10 of whole systems: errors on the links change timing only.

use crate::patterns::errors;
use flits::stimulus::{LinkErrors, Op, OpKind, Stimulus, Tiers};
use flits::strategies::{Programs, Shape};
use harness::sim::{RunOptions, Supernode};
use harness::workload::kv::{Kv, Layout};
use harness::workload::sample;
use proptest::prelude::*;
use testbenches::{private, property};

/// Cycles in which outages begin; programs take some thousand.
const CYCLES: u64 = 3000;

/// Leaves with two devices each, and a spine.
const TIERS: Tiers = Tiers {
    leaves: 2,
    spines: 1,
};

fn with_links(
    programs: impl Strategy<Value = Stimulus>,
    errors: impl Strategy<Value = LinkErrors>,
) -> impl Strategy<Value = Stimulus> {
    (programs, errors).prop_map(|(mut stimulus, errors)| {
        stimulus.config.link_errors = Some(errors);
        stimulus
    })
}

/// Every result of a program whose results are fixed is the same without links.
fn check_results(name: &str, count: u32, options: &RunOptions) {
    let strategy = with_links(private::programs(), errors(CYCLES));
    property::check(name, count, options, &strategy, |stimulus, outcome| {
        let mut bare = stimulus.clone();
        bare.config.link_errors = None;
        let without = private::results(&property::run(&bare, options)?);
        let with = private::results(outcome);
        match (0..with.len()).find(|&at| with[at] != without[at]) {
            None => Ok(()),
            Some(at) => Err(format!(
                "{} gives {:?} with errors on the links, and {:?} without links",
                stimulus.steps[at], with[at], without[at]
            )),
        }
    });
}

#[test]
fn p10_link_errors_change_no_result_that_the_program_fixes() {
    let name = "p10_link_errors_change_no_result_that_the_program_fixes";
    check_results(name, 60, &property::tight());
}

#[test]
fn p10_link_errors_change_no_result_on_two_tiers() {
    let name = "p10_link_errors_change_no_result_on_two_tiers";
    check_results(name, 30, &property::tight().on(Some(TIERS)));
}

#[test]
fn p10_memory_stays_one_memory_whatever_the_links_do() {
    property::check(
        "p10_memory_stays_one_memory_whatever_the_links_do",
        100,
        &property::tight(),
        &with_links(Programs::new(4).steps(1..=120).strategy(), errors(CYCLES)),
        |_, _| Ok(()),
    );
}

#[test]
fn p10_a_hot_line_has_one_writer_or_many_readers_whatever_the_links_do() {
    let kinds = [OpKind::Load, OpKind::Store, OpKind::FetchAdd, OpKind::Evict];
    let programs = Programs::new(4)
        .kinds(&kinds)
        .shape(Shape::HotLine)
        .steps(20..=120);
    property::check(
        "p10_a_hot_line_has_one_writer_or_many_readers_whatever_the_links_do",
        40,
        &property::tight(),
        &with_links(programs.strategy(), errors(CYCLES)),
        |_, _| Ok(()),
    );
}

#[test]
fn p10_the_key_value_cache_on_two_tiers_loads_the_same_values_with_errors() {
    let layout = Layout {
        lines_per_block: 2,
        ..Layout::default()
    };
    let run = |errors: Option<LinkErrors>| {
        let mut config = flits::stimulus::Config::tiers(4, 4, 2);
        config.link_errors = errors;
        let built = Supernode::builder().config(config).build();
        let mut supernode = built.unwrap_or_else(|failure| panic!("{failure}"));
        let kv = Kv::on(&sample::chat(3), layout, &supernode).expect("it fits");
        let figures = supernode
            .run(|sys| kv.run(sys, |_| {}))
            .and_then(|figures| figures)
            .unwrap_or_else(|failure| panic!("{failure}"));
        (figures, supernode.cycle(), supernode.link_counts())
    };
    let (bare, bare_cycles, _) = run(None);
    let (linked, cycles, links) = run(Some(LinkErrors::mixed(1_000, 1)));
    assert!(links.wire.corrupted > 0 && links.replays > 0, "{links}");
    assert_ne!(cycles, bare_cycles, "the errors changed nothing at all");
    assert_eq!(linked.decoded_digest, bare.decoded_digest);
    assert_eq!(linked.blocks_decoded, bare.blocks_decoded);
}

#[test]
fn a_link_costs_two_cycles_each_way() {
    let run = |stimulus: &Stimulus| {
        property::run(stimulus, &property::tight()).unwrap_or_else(|reason| panic!("{reason}"))
    };
    let mut stimulus = testbenches::program::Program::new(4)
        .node(0)
        .after(200)
        .op(Op::ReadUncached {
            addr: 4 << 30,
            size: 8,
        })
        .done();
    let bare = run(&stimulus).events[0].clone();
    stimulus.config.link_errors = Some(LinkErrors::default());
    let linked = run(&stimulus).events[0].clone();
    // Node to switch to memory and back: four links with two ends each.
    let took = |event: &flits::history::Event| event.end - event.start;
    assert_eq!(took(&linked), took(&bare) + 8);
}
