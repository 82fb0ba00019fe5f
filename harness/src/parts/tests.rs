//! Parts under all that can go on around them; and what is wrong with them is seen.

use super::*;
use flits::Class;
use flits::stimulus::{Hit, LinkErrors, Op, Outage, Packet, Step, Turn, Way, WordError};
use flits::strategies::Parts;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Settings, RngAlgorithm, TestRng, TestRunner};

fn drawn(part: Part, count: usize) -> Vec<Stimulus> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Settings::default(), rng);
    let strategy = Parts::new(part).strategy();
    let one = |_| {
        strategy
            .new_tree(&mut runner)
            .expect("a stimulus")
            .current()
    };
    (0..count).map(one).collect()
}

fn runs_without_violation(part: Part, model: Model, variant: Variant, stimuli: &[Stimulus]) -> u64 {
    let mut bench = bench(part, model, variant).expect("the model");
    let mut words = 0;
    for stimulus in stimuli {
        assert_eq!(stimulus.check(), Ok(()));
        let ran = bench.run(stimulus, &mut |_| {});
        assert_eq!(ran.failure, None, "{}", stimulus.to_text());
        words += ran.words;
    }
    words
}

#[test]
fn every_packet_is_out_of_the_fabric_once_in_order_and_where_it_was_sent() {
    let stimuli = drawn(Part::Fabric, 60);
    for model in [Model::Tight, Model::Rtl(Variant::Fast)] {
        let variant = match model {
            Model::Tight => Variant::Cov,
            _ => Variant::Fast,
        };
        let words = runs_without_violation(Part::Fabric, model, variant, &stimuli);
        assert!(words > 2_000, "{words} words");
    }
}

#[test]
fn every_packet_is_over_the_link_once_in_order_or_the_link_is_given_up_in_time() {
    let stimuli = drawn(Part::Link, 120);
    let model = Model::Rtl(Variant::Fast);
    let words = runs_without_violation(Part::Link, model, Variant::Fast, &stimuli);
    assert!(words > 2_000, "{words} words");
}

#[test]
fn turns_around_a_home_are_taken_as_the_specification_takes_them() {
    let stimuli = drawn(Part::Home, 200);
    let model = Model::Rtl(Variant::Fast);
    let messages = runs_without_violation(Part::Home, model, Variant::Fast, &stimuli);
    assert!(messages > 5_000, "{messages} messages");
}

#[test]
fn a_run_after_others_is_as_one_from_power_on() {
    for (part, model, variant) in [
        (Part::Fabric, Model::Tight, Variant::Cov),
        (Part::Link, Model::Rtl(Variant::Fast), Variant::Fast),
        (Part::Home, Model::Rtl(Variant::Fast), Variant::Fast),
    ] {
        let mut used = bench(part, model, variant).expect("the model");
        for stimulus in drawn(part, 8) {
            let fresh = replay(&stimulus, model, None, None).expect("it runs");
            assert_eq!(used.run(&stimulus, &mut |_| {}), fresh);
        }
    }
}

fn packet(node: usize, to: Vec<usize>) -> Step {
    let packet = Packet {
        class: Class::Dat,
        to,
        length: 5,
        high: false,
    };
    let op = Op::Packet(packet);
    Step { node, after: 0, op }
}

fn on_a_link(errors: LinkErrors) -> Stimulus {
    let mut config = Config::part(Part::Link, 8);
    config.link_errors = Some(errors);
    Stimulus {
        seed: 0,
        config,
        steps: vec![packet(0, vec![]), packet(1, vec![])],
    }
}

#[test]
fn a_hit_strikes_the_word_in_its_cycle_and_costs_time_only() {
    let run = |errors| {
        let model = Model::Rtl(Variant::Fast);
        let ran = replay(&on_a_link(errors), model, None, None).expect("it runs");
        assert_eq!((ran.failure, ran.words), (None, 10));
        ran.cycles
    };
    let calm = run(LinkErrors::default());
    for error in [WordError::Flipped(vec![40, 99]), WordError::Lost] {
        let hit = |from| Hit {
            cable: None,
            way: Some(Way::Up),
            from,
            error: error.clone(),
        };
        let struck = |from| LinkErrors {
            hits: vec![hit(from)],
            ..LinkErrors::default()
        };
        // A word that nobody needs is lost for nothing.
        let slower = (0..calm).filter(|&from| run(struck(from)) > calm).count();
        assert!(slower > 0, "{error:?}: in none of {calm} cycles");
    }
}

#[test]
fn a_link_may_be_given_up_where_it_is_cut_and_nowhere_else() {
    let cut = |to| LinkErrors {
        outages: vec![Outage {
            from: 100,
            to,
            ..Outage::default()
        }],
        ..LinkErrors::default()
    };
    let run = |errors| {
        replay(&on_a_link(errors), Model::Rtl(Variant::Fast), None, None).expect("it runs")
    };
    assert_eq!(run(cut(None)).failure, None);
    // Short enough, so that the rule is at work; and the link lives.
    assert_eq!(run(cut(Some(300))).failure, None);
    // Rates that leave nothing are no outage: the link dies, and nobody said that it may.
    let noise = LinkErrors {
        lost_ppm: 1_000_000,
        outages: vec![Outage {
            stuck_credit: Some(Class::Req),
            to: Some(4_000),
            ..Outage::default()
        }],
        ..LinkErrors::default()
    };
    let failure = run(noise).failure.expect("the link is given up");
    assert!(failure.message.contains("given up"), "{failure}");
}

/// Turns of peers, each with its cycle.
fn around_a_home(turns: &[(usize, u64, Turn)]) -> Stimulus {
    let step = |&(node, after, turn)| Step {
        node,
        after,
        op: Op::Turn(turn),
    };
    Stimulus {
        seed: 0,
        config: Config::part(Part::Home, 1),
        steps: turns.iter().map(step).collect(),
    }
}

fn run_around_a_home(turns: &[(usize, u64, Turn)]) -> Ran {
    let stimulus = around_a_home(turns);
    let ran = replay(&stimulus, Model::Rtl(Variant::Fast), None, None).expect("it runs");
    assert_eq!(ran.failure, None, "{turns:?}");
    ran
}

/// ReadShared of a line that nobody has.
const READ: Turn = Turn::Ask { line: 0, choice: 0 };

#[test]
fn messages_that_are_held_wait_as_long_and_others_do_not() {
    let cycles = |node, class| {
        let hold = Turn::Hold { class, cycles: 100 };
        run_around_a_home(&[(node, 0, hold), (1, 0, READ)]).cycles
    };
    let calm = run_around_a_home(&[(1, 0, READ)]).cycles;
    // Nothing goes on until the request is there: the rest is as long then.
    assert_eq!(cycles(1, Class::Req), calm + 100);
    // The line waits, and then only its acknowledgement is to come.
    assert!((calm + 50..calm + 100).contains(&cycles(1, Class::Dat)));
    // The read of memory is no peer's, so that each of them holds it.
    assert_eq!(cycles(0, Class::Mem), cycles(1, Class::Mem));
    assert!((calm + 50..calm + 100).contains(&cycles(0, Class::Mem)));
    // Nothing of this peer is under way: the run is over with the hold.
    assert!(cycles(0, Class::Req) < cycles(1, Class::Req));
}

#[test]
fn a_peer_whose_read_memory_fails_asks_again_where_it_would_store() {
    // A store if it has the line alone, ReadUnique if it has none.
    let then = (1, 90, Turn::Ask { line: 0, choice: 1 });
    let messages = |turns: &[_]| run_around_a_home(turns).words;
    assert_eq!(messages(&[(1, 0, READ), then]), 4);
    assert_eq!(messages(&[(0, 0, Turn::Fail), (1, 0, READ), then]), 8);
}

#[test]
fn what_is_no_part_is_refused_in_one_sentence() {
    let system = Stimulus {
        seed: 0,
        config: Config::new(4),
        steps: Vec::new(),
    };
    let refused = |stimulus: &Stimulus, model| {
        let failure = replay(stimulus, model, None, None).expect_err("it is refused");
        failure.message
    };
    assert!(refused(&system, Model::Tight).contains("whole system"));
    let mut alone = on_a_link(LinkErrors::default());
    assert!(refused(&alone, Model::Reference).contains("no reference"));
    alone.steps[0] = packet(0, vec![1]);
    assert!(refused(&alone, Model::Tight).contains("names an output"));
    alone.steps.clear();
    alone.config.nodes[0] = flits::stimulus::Node::Io {};
    assert!(refused(&alone, Model::Tight).contains("core on every port"));
    let mut home = around_a_home(&[(0, 0, READ)]);
    assert!(refused(&home, Model::Reference).contains("no reference"));
    home.config.stall.rx_permille = 1;
    assert!(refused(&home, Model::Tight).contains("no rx_permille"));
    home.config.nodes[3] = flits::stimulus::Node::Io {};
    assert!(refused(&home, Model::Tight).contains("peer on every port"));
}
