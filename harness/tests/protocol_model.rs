//! The protocol explored exhaustively in small models, and shown to be explored well enough:
//! every race is seen and every fault is found.

use harness::protocol::NodeSet;
use harness::protocol::model::explore::Options;
use harness::protocol::model::{
    CONFIGS, Config, Effort, Fault, Named, Recalls, Report, Rule, prove,
};

fn explored(name: &str, config: Config, fault: Option<Fault>, jobs: usize) -> Report {
    let options = Options {
        jobs,
        memory: 2_000_000_000,
    };
    let report = prove(name, config, fault, options, &mut |_| {});
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    println!("{report}");
    report
}

fn small() -> impl Iterator<Item = Named> {
    (CONFIGS.into_iter()).filter(|named| named.effort == Effort::Small)
}

#[test]
fn every_rule_holds_in_small_models_and_every_race_is_seen() {
    for Named { name, config, .. } in small() {
        let report = explored(name, config, None, 1);
        assert!(report.is_proof(), "{report}");
    }
}

#[test]
fn every_fault_breaks_its_rule() {
    for fault in Fault::ALL {
        let report = explored(fault.name(), fault.config(), Some(fault), 1);
        let found = report.broken.as_ref().map(|finding| finding.rule);
        assert_eq!(found, Some(fault.rule()), "{report}");
    }
}

#[test]
fn the_model_of_every_fault_is_right_without_it() {
    let mut models: Vec<Config> = Fault::ALL.into_iter().map(Fault::config).collect();
    models.dedup();
    for config in models {
        let report = explored("no fault", config, None, 1);
        assert!(report.broken.is_none(), "{report}");
    }
}

/// A rule that no fault breaks might as well not be there.
#[test]
fn every_rule_is_broken_by_a_fault() {
    let broken: Vec<Rule> = Fault::ALL.into_iter().map(Fault::rule).collect();
    for rule in Rule::ALL {
        assert!(broken.contains(&rule), "no fault breaks \"{rule}\"");
    }
}

#[test]
fn symmetry_gives_the_same_verdict_and_stands_for_the_same_numbers() {
    let full = Config {
        recalls: Recalls::Any,
        errors: true,
        ..Config::default()
    };
    let right = Config {
        errors: false,
        ..full
    };
    let models = [
        full,
        Config { nodes: 3, ..right },
        Config {
            nodes: 3,
            readers: NodeSet::one(1),
            ..right
        },
        Config {
            lines: 2,
            recalls: Recalls::Room(1),
            ..right
        },
    ];
    for config in models {
        let plain = explored("plain", config, None, 1);
        let folded = explored(
            "folded",
            Config {
                symmetry: true,
                ..config
            },
            None,
            1,
        );
        let numbers = |report: &Report| {
            let races: Vec<_> = report.races.iter().map(|seen| seen.transitions).collect();
            let Report {
                states,
                transitions,
                depth,
                quiet,
                longest_end,
                ..
            } = *report;
            (
                report.is_proof(),
                states,
                transitions,
                depth,
                quiet,
                longest_end,
                races,
            )
        };
        assert_eq!(numbers(&plain), numbers(&folded));
        assert!(folded.stored < plain.stored);
    }
}

/// Of one line no two packets are ever under way in one channel, so the order that the fabric
/// promises is more than the protocol needs.
#[test]
fn a_line_needs_no_order_of_packets() {
    let ordered = Config {
        nodes: 3,
        recalls: Recalls::Any,
        symmetry: true,
        ..Config::default()
    };
    let unordered = Config {
        unordered: true,
        ..ordered
    };
    let [ordered, unordered] =
        [ordered, unordered].map(|config| explored("order", config, None, 1));
    assert!(unordered.is_proof());
    let numbers = |report: &Report| (report.states, report.transitions, report.depth);
    assert_eq!(numbers(&ordered), numbers(&unordered));
}

#[test]
fn two_threads_find_what_one_finds() {
    let config = Config {
        nodes: 3,
        symmetry: true,
        ..Config::default()
    };
    let text = |jobs| {
        let report = Report {
            seconds: 1.0,
            ..explored("jobs", config, None, jobs)
        };
        report.to_string()
    };
    assert_eq!(text(1), text(2));
    let chart = |jobs| {
        let fault = Fault::ForgetsASharer;
        let report = explored("jobs", fault.config(), Some(fault), jobs);
        report.broken.map(|finding| finding.chart)
    };
    assert_eq!(chart(1), chart(2));
}

/// The tables of node and home in the document are what the functions do.
#[test]
fn the_tables_in_the_document_are_those_of_the_functions() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    let document = std::fs::read_to_string(path).expect("docs/protocol.md");
    let fresh = harness::protocol::tables::fill(&document).expect("its markers");
    assert!(
        fresh == document,
        "docs/protocol.md is stale: run `supernode prove --tables docs/protocol.md`"
    );
}
