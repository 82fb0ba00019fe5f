//! The checks on small histories, written out.

mod machine;

use super::axe::Traces;
use super::*;

const EFFORT: Effort = Effort { tries: 100_000 };

/// The history of a trace in the format of Axe; at each place smaller values became visible first.
fn told(text: &str) -> History {
    let text = format!("{text}\ncheck");
    let trace = Traces::new("test", &text).next_trace();
    let history = trace.expect("a good trace").expect("one trace").history;
    with_ranks(&history, |_, written| written.value)
}

fn with_ranks(history: &History, rank: impl Fn(u32, Written) -> u64) -> History {
    let mut ranked = History::default();
    for &value in history.initial() {
        ranked.place(value);
    }
    for (index, op) in history.operations().iter().enumerate() {
        let accesses: Vec<Access> = history
            .accesses(index as u32)
            .iter()
            .map(|access| Access {
                written: access.written.map(|written| Written {
                    rank: rank(index as u32, written),
                    ..written
                }),
                ..*access
            })
            .collect();
        ranked.push(op.thread, op.kind, op.start..op.end, &accesses);
    }
    for &(place, value) in history.finals() {
        ranked.set_final(place, value);
    }
    ranked
}

fn allowed(history: &History, models: &[Model]) -> bool {
    linear(history, models) == Verdict::Allowed
}

fn found(history: &History, models: &[Model]) -> bool {
    match search(history, models, EFFORT) {
        Searched::Decided(verdict) => verdict == Verdict::Allowed,
        other => panic!("{other:?} of a small history"),
    }
}

/// Both checks of a trace in which smaller values became visible first, under both models: whether
/// SC allows it and whether TSO does.
fn judged(text: &str) -> (bool, bool) {
    let history = told(text);
    let [sc, tso] = [Model::Sc, Model::Tso].map(|model| {
        let models = vec![model; history.threads()];
        let verdict = allowed(&history, &models);
        assert_eq!(found(&history, &models), verdict, "{model:?}: {text}");
        verdict
    });
    (sc, tso)
}

const BOTH: (bool, bool) = (true, true);
const ONLY_TSO: (bool, bool) = (false, true);
const NEITHER: (bool, bool) = (false, false);

#[test]
fn a_store_may_be_late_for_others_under_tso_only() {
    let stores = "0: v0 := 1\n0: v1 == 0\n1: v1 := 1\n1: v0 == ";
    assert_eq!(judged(&format!("{stores}0")), ONLY_TSO);
    assert_eq!(judged(&format!("{stores}1")), BOTH);
}

#[test]
fn a_fence_or_an_atomic_empties_the_store_buffer() {
    let with = |one: &str, two: &str| {
        let one = format!("0: v0 := 1\n{one}\n0: v1 == 0");
        judged(&format!("{one}\n1: v1 := 1\n{two}\n1: v0 == 0"))
    };
    assert_eq!(with("0: sync", "1: sync"), NEITHER);
    assert_eq!(with("0: sync", ""), ONLY_TSO);
    let swap = |thread| format!("{thread}: {{ v{} == 0; v{0} := 1 }}", 2 + thread);
    assert_eq!(with(&swap(0), &swap(1)), NEITHER);
    assert_eq!(with(&swap(0), "1: v4 := 1"), ONLY_TSO);
}

#[test]
fn a_thread_sees_its_own_stores_before_they_are_visible() {
    let text = "0: v0 := 1\n0: v0 == 1\n0: v1 == 0\n1: v1 := 1\n1: v1 == 1\n1: v0 == 0";
    assert_eq!(judged(text), ONLY_TSO);
    // But never an older value after its own.
    assert_eq!(judged("0: v0 := 1\n0: v0 == 0"), NEITHER);
    assert_eq!(
        judged("0: v0 := 2\n0: v0 == 1\n1: v0 := 1\nfinal v0 == 2"),
        NEITHER
    );
    assert_eq!(judged("0: v0 == 1\n0: v0 := 1"), NEITHER);
}

#[test]
fn stores_become_visible_in_order_and_to_all_at_once() {
    let message = "0: v0 := 1\n0: v1 := 1\n1: v1 == 1\n1: v0 == ";
    assert_eq!(judged(&format!("{message}0")), NEITHER);
    assert_eq!(judged(&format!("{message}1")), BOTH);
    let independent = "0: v0 := 1\n1: v1 := 1\n2: v0 == 1\n2: v1 == 0\n3: v1 == 1\n3: v0 == ";
    assert_eq!(judged(&format!("{independent}0")), NEITHER);
    assert_eq!(judged(&format!("{independent}1")), BOTH);
    assert_eq!(
        judged("0: v0 == 1\n0: v1 := 1\n1: v1 == 1\n1: v0 := 1"),
        NEITHER
    );
}

#[test]
fn the_last_store_decides_what_is_there_at_the_end() {
    let stores = "0: v0 := 1\n0: v0 := 2\nfinal v0 == ";
    assert_eq!(judged(&format!("{stores}2")), BOTH);
    assert_eq!(judged(&format!("{stores}1")), NEITHER);
    assert_eq!(judged(&format!("{stores}0")), NEITHER);
    assert_eq!(judged("final v0 == 0"), BOTH);
}

#[test]
fn nothing_comes_between_the_halves_of_an_atomic() {
    let adds = "0: { v0 == 0; v0 := 1 }\n1: { v0 == ";
    assert_eq!(judged(&format!("{adds}0; v0 := 2 }}")), NEITHER);
    assert_eq!(judged(&format!("{adds}1; v0 := 2 }}")), BOTH);
    // The store of 1 was visible first; in the other order all is well.
    let history = told("0: { v0 == 0; v0 := 2 }\n1: v0 := 1");
    assert!(!allowed(&history, &[Model::Tso; 2]));
    assert!(found(&history, &[Model::Tso; 2]));
}

#[test]
fn a_value_that_nobody_stored_is_named() {
    let history = told("0: v0 := 1\n1: v0 == 7");
    let reason = Reason::Unwritten {
        op: 1,
        place: 0,
        value: 7,
    };
    let verdict = Verdict::Forbidden(reason);
    assert_eq!(linear(&history, &[Model::Tso; 2]), verdict);
    let searched = search(&history, &[Model::Tso; 2], EFFORT);
    assert_eq!(searched, Searched::Decided(verdict));
}

#[test]
fn a_node_without_a_store_buffer_stays_sequential_beside_one_with() {
    let history = told("0: v0 := 1\n0: v1 == 0\n1: v1 := 1\n1: v0 == 0");
    for (models, expected) in [
        ([Model::Sc, Model::Sc], false),
        ([Model::Sc, Model::Tso], true),
        ([Model::Tso, Model::Sc], true),
    ] {
        assert_eq!(allowed(&history, &models), expected, "{models:?}");
        assert_eq!(found(&history, &models), expected, "{models:?}");
    }
}

/// A history of loads of one thread that read places in the opposite order to that in which another
/// stored them.
fn reversed(times: [std::ops::Range<u64>; 2]) -> History {
    let mut history = History::default();
    let (x, y) = (history.place(0), history.place(0));
    let store = |place, rank| Access {
        place,
        read: None,
        written: Some(Written { value: 1, rank }),
    };
    history.push(0, Kind::Store, 0..1, &[store(x, 0)]);
    history.push(0, Kind::Store, 1..2, &[store(y, 1)]);
    for (time, (place, value)) in times.into_iter().zip([(y, 1), (x, 0)]) {
        let access = Access {
            place,
            read: Some(value),
            written: None,
        };
        history.push(1, Kind::Load, time, &[access]);
    }
    history
}

#[test]
fn operations_of_a_thread_that_overlap_are_not_in_program_order() {
    for model in [Model::Sc, Model::Tso] {
        let (apart, together) = (reversed([0..5, 5..9]), reversed([0..6, 5..9]));
        assert!(!allowed(&apart, &[model; 2]) && !found(&apart, &[model; 2]));
        assert!(allowed(&together, &[model; 2]) && found(&together, &[model; 2]));
    }
}

#[test]
fn many_overlapping_operations_come_before_what_starts_after_them() {
    let mut history = History::default();
    let (x, y) = (history.place(0), history.place(0));
    let load = |place, value| Access {
        place,
        read: Some(value),
        written: None,
    };
    let written = Some(Written { value: 1, rank: 0 });
    for place in [x, y] {
        let read = None;
        let store = Access {
            place,
            read,
            written,
        };
        history.push(
            0,
            Kind::Store,
            2 * u64::from(place)..2 * u64::from(place) + 1,
            &[store],
        );
    }
    for at in 0..20 {
        let value = u64::from(at == 13);
        history.push(1, Kind::Load, at..at + 20, &[load(y, value)]);
    }
    // The one that saw y has ended at 33.
    for (start, expected) in [(32, true), (33, false)] {
        let mut history = history.clone();
        history.push(1, Kind::Load, start..50, &[load(x, 0)]);
        assert_eq!(allowed(&history, &[Model::Sc; 2]), expected);
        assert_eq!(found(&history, &[Model::Sc; 2]), expected);
    }
}

#[test]
fn the_cycle_is_told_step_by_step() {
    let text = "0: v0 := 1\n0: v1 := 1\n1: v1 == 1\n1: v0 == 0\ncheck";
    let trace = Traces::new("t", text)
        .next_trace()
        .expect("good")
        .expect("one");
    let Verdict::Forbidden(reason) = linear(&trace.history, &[Model::Tso; 2]) else {
        panic!("message passing must not fail");
    };
    assert_eq!(
        text::line(&reason, &trace.history, &trace),
        "cycle: 0: M[0] := 1 -po-> 0: M[1] := 1 -rf-> 1: M[1] == 1 -po-> 1: M[0] == 0 -fr-> \
         0: M[0] := 1"
    );
    assert_eq!(
        text::lines(&reason, &trace.history, &trace),
        [
            "these operations cannot be put in any order:",
            "  0: M[0] := 1",
            "    comes before the next, in program order",
            "  0: M[1] := 1",
            "    comes before the next, which reads M[1] from it",
            "  1: M[1] == 1",
            "    comes before the next, in program order",
            "  1: M[0] == 0",
            "    comes before the next, since it read M[0] before that store",
            "  0: M[0] := 1: the first again",
        ]
    );
}
