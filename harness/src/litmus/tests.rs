//! Tests of what is read and of what is allowed.

use super::*;
use std::collections::BTreeSet;
use std::path::Path;

/// The text of an X86_64 test of two threads.
fn x86(p0: &[&str], p1: &[&str], condition: &str) -> String {
    let mut text = "X86_64 T\n{ }\n P0 | P1 ;\n".to_owned();
    for row in 0..p0.len().max(p1.len()) {
        let cell = |column: &[&str]| column.get(row).copied().unwrap_or("").to_owned();
        text += &format!(" {} | {} ;\n", cell(p0), cell(p1));
    }
    text + condition
}

fn states(text: &str, model: MemoryModel) -> BTreeSet<String> {
    let test = parse("test", text).expect("a test");
    let states = allowed(&test, model).expect("a small test");
    states.iter().map(|state| test.state(state)).collect()
}

fn both(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    (
        states(text, MemoryModel::Sc),
        states(text, MemoryModel::Tso),
    )
}

fn set<const N: usize>(states: [&str; N]) -> BTreeSet<String> {
    states.map(str::to_owned).into()
}

#[test]
fn store_buffering_shows_both_old_values_under_tso_only() {
    let p0 = ["movq $1,(x)", "movq (y),%rax"];
    let p1 = ["movq $1,(y)", "movq (x),%rax"];
    let (sc, tso) = both(&x86(&p0, &p1, "exists (0:rax=0 /\\ 1:rax=0)"));
    let common = set(["0:rax=0; 1:rax=1", "0:rax=1; 1:rax=0", "0:rax=1; 1:rax=1"]);
    assert_eq!(sc, common);
    let only: Vec<_> = tso.difference(&sc).collect();
    assert_eq!(only, ["0:rax=0; 1:rax=0"]);
}

#[test]
fn a_fence_or_an_exchange_in_both_threads_forbids_it() {
    for between in ["mfence", "xchgq %rcx,(z)", "lock xaddq %rcx,(z)"] {
        let p0 = ["movq $1,(x)", between, "movq (y),%rax"];
        let p1 = ["movq $1,(y)", between, "movq (x),%rax"];
        let (sc, tso) = both(&x86(&p0, &p1, "exists (0:rax=0 /\\ 1:rax=0)"));
        assert_eq!(sc, tso, "{between}");
    }
    for between in ["sfence", "lfence"] {
        let p0 = ["movq $1,(x)", between, "movq (y),%rax"];
        let p1 = ["movq $1,(y)", between, "movq (x),%rax"];
        let (sc, tso) = both(&x86(&p0, &p1, "exists (0:rax=0 /\\ 1:rax=0)"));
        assert_ne!(sc, tso, "{between}");
    }
}

#[test]
fn a_thread_sees_its_own_store_before_others_do() {
    let p0 = ["movq $1,(x)", "movq (x),%rax", "movq (y),%rbx"];
    let p1 = ["movq $1,(y)", "movq (x),%rax"];
    let condition = "exists (0:rax=1 /\\ 0:rbx=0 /\\ 1:rax=0)";
    let (sc, tso) = both(&x86(&p0, &p1, condition));
    let early = "0:rax=1; 0:rbx=0; 1:rax=0";
    assert!(!sc.contains(early) && tso.contains(early));
    assert!(
        tso.iter().all(|state| state.starts_with("0:rax=1")),
        "{tso:?}"
    );
}

#[test]
fn tso_keeps_stores_and_loads_in_order() {
    let p0 = ["movq $1,(x)", "movq $1,(y)"];
    let p1 = ["movq (y),%rax", "movq (x),%rbx"];
    let (sc, tso) = both(&x86(&p0, &p1, "exists (1:rax=1 /\\ 1:rbx=0)"));
    assert_eq!(sc, tso);
    assert!(!tso.contains("1:rax=1; 1:rbx=0"));
}

#[test]
fn a_conditional_store_fails_after_another_thread_wrote_the_same_value() {
    let text = "RISCV T\n{ 0:x5=x; 1:x5=x; }\n\
                P0               | P1          ;\n\
                lr.w x6,0(x5)    | sw x0,0(x5) ;\n\
                ori x7,x0,1      |             ;\n\
                sc.w x8,x7,0(x5) |             ;\n\
                exists (0:x8=0 /\\ [x]=0)";
    for model in [MemoryModel::Sc, MemoryModel::Tso] {
        // Had it succeeded before the store, x would be 0; after the reservation it cannot.
        let expected = ["0:x8=0; [x]=0", "0:x8=0; [x]=1", "0:x8=1; [x]=0"];
        assert_eq!(states(text, model), set(expected));
    }
    let again = "RISCV T\n{ 0:x5=x; 1:x5=x; }\n\
                 P0               | P1               ;\n\
                 lr.w x6,0(x5)    | lr.w x6,0(x5)    ;\n\
                 ori x7,x0,1      | sc.w x8,x6,0(x5) ;\n\
                 sc.w x8,x7,0(x5) |                  ;\n\
                 exists (0:x8=0 /\\ 1:x8=0 /\\ 0:x6=0 /\\ 1:x6=0 /\\ [x]=0)";
    // P1 before P0 leaves 1; P0 before P1 has P1 read 1.
    let states = states(again, MemoryModel::Tso);
    assert!(
        !states.contains("0:x6=0; 0:x8=0; 1:x6=0; 1:x8=0; [x]=0"),
        "{states:?}"
    );
    assert!(
        states.contains("0:x6=0; 0:x8=0; 1:x6=0; 1:x8=0; [x]=1"),
        "{states:?}"
    );
}

#[test]
fn a_branch_and_a_dependency_do_what_they_say() {
    let text = "RISCV T\n{ int *p = &y; 0:x5=p; z=7; 0:x9=z; }\n\
                P0            ;\n\
                ld x6,0(x5)   ;\n\
                ori x7,x0,3   ;\n\
                sw x7,0(x6)   ;\n\
                bne x7,x0,LC00 ;\n\
                lw x8,0(x9)   ;\n\
                LC00:         ;\n\
                addi x7,x7,-4 ;\n\
                forall (y=3 /\\ 0:x8=0 /\\ 0:x7=-1 /\\ p=y)";
    assert_eq!(
        states(text, MemoryModel::Sc),
        set(["0:x7=-1; 0:x8=0; [p]=y; [y]=3"])
    );
    let test = parse("test", text).expect("a test");
    assert_eq!(test.quantifier, Quantifier::Forall);
}

#[test]
fn a_filter_leaves_final_states_out() {
    let text = "RISCV T\n{ 0:x5=x; }\n P0 ;\n lr.w x6,0(x5) ;\n sc.w x7,x5,0(x5) ;\n\
                filter (0:x7=0)\nexists (0:x6=0)";
    assert_eq!(states(text, MemoryModel::Sc), set(["0:x6=0"]));
    let test = parse(
        "test",
        &text.replace("filter (0:x7=0)", "locations [0:x7;]"),
    );
    let sets = allowed(&test.expect("a test"), MemoryModel::Sc).expect("small");
    assert_eq!(sets.len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let good = x86(&["movq $1,(x)"], &["movq (x),%rax"], "exists (1:rax=1)");
    let wrong = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        parse("t.litmus", &text).expect_err(to).to_string()
    };
    let cases = [
        (
            "X86_64 T",
            "T",
            "t.litmus:1: a litmus test begins with its architecture and name",
        ),
        ("X86_64 T", "X86_64", "t.litmus:1: the test has no name"),
        (
            "{ }",
            "",
            "t.litmus:5: the test has no initial state in braces",
        ),
        (
            "{ }",
            "{ x=1 y=2 }",
            "t.litmus:2: `y` where `;` is expected",
        ),
        ("{ }", "{ 0:eip=2 }", "t.litmus:2: eip is no register"),
        (
            "{ }",
            "{ 2:rax=2 }",
            "t.litmus: the initial state or the condition speaks of a thread",
        ),
        (
            "P1",
            "P2",
            "t.litmus:3: `P2` where the column of thread 1 begins; head it with P1",
        ),
        (
            "$1,(x) |",
            "$1,(x) | |",
            "t.litmus:4: a row of 3 columns among 2",
        ),
        (
            "movq $1",
            "movq 1",
            "t.litmus:4: `1` is no operand; write $1, %rax or (x)",
        ),
        (
            "exists (1:rax=1)",
            "",
            "t.litmus:5: the test has no condition",
        ),
        (
            "(1:rax=1)",
            "(1:rax)",
            "t.litmus:5: `)` where `=` is expected",
        ),
        (
            "(1:rax=1)",
            "(1:rax=1",
            "t.litmus:5: the text ends where `)` is expected",
        ),
        (
            "(1:rax=1)",
            "(1:rax=#)",
            "t.litmus:5: `#` has no meaning here; remove it",
        ),
        (
            "P0",
            "(* P0",
            "t.litmus:3: the comment that begins here has no end",
        ),
    ];
    for (from, to, expected) in cases {
        let found = wrong(from, to);
        assert!(
            found.starts_with(expected),
            "{found}\n  expected {expected}"
        );
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let class = |text: &str| {
        let error = parse("t.litmus", text).expect_err("not supported");
        error.unsupported.expect("well formed")
    };
    let one = |instruction| x86(&[instruction], &["mfence"], "exists (x=1)");
    assert_eq!(class(&one("clflush (x)")), "instruction clflush");
    assert_eq!(
        class(&one("lock xchgq $1,(x)")),
        "instruction lock xchg with these operands"
    );
    assert_eq!(class("AArch64 T\n{}\n"), "architecture AArch64");
    let riscv = |code: &str| format!("RISCV T\n{{ 0:x5=x; }}\n P0 ;\n {code} ;\nexists (x=1)");
    assert_eq!(class(&riscv("lb x6,0(x5)")), "instruction lb");
    assert_eq!(class(&riscv("L: nop ;\n bne x5,x0,L")), "loops");

    let refuses = |code| {
        let test = parse("t.litmus", &riscv(code)).expect("well formed");
        allowed(&test, MemoryModel::Sc)
            .expect_err("not supported")
            .unsupported
    };
    assert_eq!(
        refuses("addi x5,x5,4 ;\n lw x6,0(x5)").as_deref(),
        Some("accesses beside the variables")
    );
    assert_eq!(
        refuses("sw x0,0(x5) ;\n ld x6,0(x5)").as_deref(),
        Some("accesses of two sizes")
    );
}

/// Reads a file of tests that others wrote, if it is there.
fn foreign(name: &str) -> Option<(Vec<Prepared>, Vec<Refused>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/litmus")
        .join(name);
    if !path.exists() {
        println!("{name} is not in ../shared/data/litmus: nothing compared");
        return None;
    }
    let mut collection = Collection::default();
    collection.read(&path).expect("every test is well formed");
    let all = collection.tests.len() + collection.refused.len();
    let (tests, refused) = collection.prepare(|| ());
    println!(
        "{name}: {} of {all} supported; not: {:?}",
        tests.len(),
        Refused::classes(&refused)
    );
    Some((tests, refused))
}

fn equal_all(tests: &[Prepared]) {
    let differ = tests.iter().filter(|test| test.as_expected != Some(true));
    let names: Vec<_> = differ.map(|test| &test.test.name).collect();
    assert!(names.is_empty(), "{} differ: {names:?}", names.len());
}

#[test]
fn the_allowed_states_of_x86_tests_are_those_of_herd7() {
    let Some((tests, refused)) = foreign("x86_litmus.jsonl") else {
        return;
    };
    assert_eq!((tests.len(), refused.len()), (1540, 0));
    equal_all(&tests);
    let only = tests.iter().filter(|test| test.tso != test.sc).count();
    assert_eq!(only, 464, "tests with a state of TSO only");
}

#[test]
fn the_allowed_states_of_riscv_tests_are_those_of_herd7() {
    let Some((tests, refused)) = foreign("riscv_litmus.jsonl") else {
        return;
    };
    assert_eq!((tests.len(), refused.len()), (983, 0));
    equal_all(&tests);
}
