//! Properties of stimulus and history files, and what bad ones are told.

use flits::history::{Event, History};
use flits::stimulus::{
    Config, MemoryTiming, Node, Op, OpKind, Part, Region, Step, Stimulus, value_bytes,
};
use flits::strategies::{Fault, Parts, Programs, Shape};
use flits::{Class, Header, NodeId, RespErr, strategies};
use proptest::prelude::*;
use std::collections::BTreeSet;

const HEAD: &str = r#"{"supernode_stimulus":1,"seed":7,"config":{"ports":4,"nodes":[
{"kind":"cached","sets":4,"ways":2,"mshrs":2,"store_buffer":0},{"kind":"io"},{"kind":"hostile"},
{"kind":"memory","timing":{"latency":20,"channels":2,"busy":4}}],"regions":[
{"base":"0x0","size":"0x10000","coherent":true,"memories":[3],"granule":4096,"local_base":"0x0"}],
"stall":{"rx_permille":100,"tx_permille":0},"start_skew":[0,5]}}"#;

/// The error of a stimulus of a good first line and one other line.
fn error_of_step(step: &str) -> String {
    let text = format!("{}\n\n{step}\n", HEAD.replace('\n', ""));
    Stimulus::parse("bad.jsonl", &text).unwrap_err().to_string()
}

/// The error of a stimulus whose first line has one text replaced.
fn error_of_head(from: &str, to: &str) -> String {
    let text = HEAD.replace('\n', "");
    assert!(text.contains(from), "{from}");
    Stimulus::parse("bad.jsonl", &text.replace(from, to))
        .unwrap_err()
        .to_string()
}

fn event() -> impl Strategy<Value = Event> {
    let bytes = || {
        let some = prop::collection::vec(any::<u8>(), 1..=256);
        prop::option::of(some.prop_map(|bytes| bytes.into_iter().collect()))
    };
    let what = (
        0..16usize,
        prop::sample::select(OpKind::ALL.as_slice()),
        any::<u64>(),
    );
    let status = prop::sample::select(RespErr::ALL.as_slice());
    let order = prop::option::of(any::<u64>());
    (what, bytes(), bytes(), order, status, 0..1000u64).prop_map(
        |((node, op, addr), read, wrote, order, status, start)| Event {
            node,
            op,
            addr,
            read,
            wrote,
            order,
            status,
            start,
            end: start,
        },
    )
}

proptest! {
    #![proptest_config(strategies::repeatable(256))]

    #[test]
    fn a_stimulus_comes_back_from_its_text(
        stimulus in Programs::new(8).strategy(),
    ) {
        let text = stimulus.to_text();
        prop_assert_eq!(Stimulus::parse("x", &text), Ok(stimulus.clone()));
        prop_assert_eq!(text.lines().count(), 1 + stimulus.steps.len());
    }

    #[test]
    fn a_stimulus_of_a_part_is_legal_and_comes_back_from_its_text(
        stimulus in prop_oneof![
            Parts::new(Part::Fabric).strategy(),
            Parts::new(Part::Link).strategy(),
            Parts::new(Part::Home).strategy(),
        ],
    ) {
        prop_assert_eq!(stimulus.check(), Ok(()));
        prop_assert_eq!(Stimulus::parse("x", &stimulus.to_text()), Ok(stimulus));
    }

    #[test]
    fn programs_are_legal_and_of_the_kinds_asked_for(
        stimulus in Programs::new(4).kinds(&[OpKind::Load, OpKind::Swap]).strategy(),
    ) {
        prop_assert_eq!(stimulus.check(), Ok(()));
        for step in &stimulus.steps {
            prop_assert!(matches!(step.op.kind(), OpKind::Load | OpKind::Swap));
        }
    }

    #[test]
    fn hostile_devices_send_only_the_faults_asked_for(
        stimulus in Programs::new(8)
            .kinds(&[OpKind::Raw])
            .faults(&[Fault::Unasked, Fault::Source])
            .strategy(),
    ) {
        prop_assert_eq!(stimulus.check(), Ok(()));
        for step in &stimulus.steps {
            let Op::Raw { words } = &step.op else { panic!("{step}") };
            prop_assert_eq!(&stimulus.config.nodes[step.node], &Node::Hostile {});
            let header = Header::decode(words[0].class, words[0].flit).unwrap();
            let own = header.src == NodeId::port(step.node as u16);
            prop_assert!(!own || matches!(header.class(), Class::Rsp | Class::Dat), "{header}");
        }
    }

    #[test]
    fn no_two_writes_of_a_program_write_the_same_word(
        stimulus in Programs::new(8).steps(1..=200).strategy(),
    ) {
        let mut words = BTreeSet::new();
        for step in &stimulus.steps {
            let (Some((_, size)), Some(value)) = (step.op.access(), step.op.value()) else {
                continue;
            };
            for word in value_bytes(value, size).chunks(8).filter(|_| matches!(size, 4 | 8 | 64..)) {
                prop_assert!(words.insert(word.to_vec()), "{}", step);
            }
        }
    }

    #[test]
    fn raw_words_come_back(words in prop::collection::vec(strategies::link_word(), 1..20)) {
        let mut stimulus = Stimulus::parse("x", &HEAD.replace('\n', "")).unwrap();
        stimulus.steps.push(Step { node: 2, after: 0, op: Op::Raw { words } });
        prop_assert_eq!(Stimulus::parse("x", &stimulus.to_text()), Ok(stimulus));
    }

    #[test]
    fn a_history_comes_back_from_its_text(mut events in prop::collection::vec(event(), 0..30)) {
        events.sort_by_key(|event| event.end);
        let history = History { events };
        prop_assert_eq!(History::parse("x", &history.to_text()), Ok(history));
    }

    #[test]
    fn a_cut_stimulus_is_shorter_or_refused_with_its_last_line(
        stimulus in Programs::new(4).steps(2..=5).strategy(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = stimulus.to_text();
        let cut = &text[..cut.index(text.len())];
        match Stimulus::parse("cut.jsonl", cut) {
            Ok(shorter) => prop_assert!(stimulus.steps.starts_with(&shorter.steps)),
            Err(error) if cut.is_empty() => prop_assert_eq!(error.line, None),
            Err(error) => prop_assert_eq!(error.line, Some(cut.lines().count())),
        }
    }
}

#[test]
fn shapes_put_addresses_where_they_say() {
    let lines = |shape: Shape| {
        (0..4096u32)
            .map(|draw| shape.line(draw, draw as usize, 1 << 24))
            .collect::<BTreeSet<_>>()
    };
    let sets = |lines: &BTreeSet<u64>| lines.iter().map(|line| line % 64).collect::<BTreeSet<_>>();
    assert_eq!(lines(Shape::HotLine).len(), 1);
    assert_eq!(lines(Shape::FalseSharing).len(), 2);
    assert_eq!(sets(&lines(Shape::FewSetsManyTags)).len(), 2);
    assert!(lines(Shape::FewSetsManyTags).len() > 40);
    assert_eq!(sets(&lines(Shape::ManySetsFewTags)).len(), 64);
    assert_eq!(lines(Shape::Streaming).len(), 4096);
    let offsets: BTreeSet<_> = (0..8)
        .map(|node| Shape::FalseSharing.offset(99, node, 8, true))
        .collect();
    assert_eq!(offsets.len(), 8, "each node writes bytes of its own");
}

#[test]
fn the_example_in_the_default_system_is_legal() {
    for ports in [4, 8, 16] {
        let config = Config::new(ports);
        assert_eq!(config.check(), Ok(()));
        let memories = config
            .nodes
            .iter()
            .filter(|node| matches!(node, Node::Memory { .. }));
        assert_eq!(memories.count(), ports / 4);
    }
}

#[test]
fn a_whole_file_reads_as_written() {
    let text = format!(
        "{}\n{}\n{}\n",
        HEAD.replace('\n', ""),
        r#"{"node":0,"after":3,"op":"store","addr":"0x1000","size":8,"value":"0x2a"}"#,
        r#"{"node":1,"op":"compare_swap","addr":"0x40","size":4,"expected":"0x0","value":"0x1"}"#
    )
    .replace("\"node\":1", "\"node\":0");
    let stimulus = Stimulus::parse("good.jsonl", &text).unwrap();
    assert_eq!(stimulus.seed, 7);
    assert_eq!(
        stimulus.steps[0],
        Step {
            node: 0,
            after: 3,
            op: Op::Store {
                addr: 0x1000,
                size: 8,
                value: 42
            }
        }
    );
    let Config {
        regions,
        nodes,
        start_skew,
        link_errors,
        ..
    } = &stimulus.config;
    assert_eq!(
        regions[..],
        [Region {
            base: 0,
            size: 0x10000,
            coherent: true,
            memories: vec![3],
            granule: 4096,
            local_base: 0,
            read_partitions: 0xffff,
            write_partitions: 0xffff,
        }]
    );
    let Node::Memory {
        timing: MemoryTiming::Custom(timing),
    } = nodes[3]
    else {
        panic!("{:?}", nodes[3]);
    };
    assert_eq!((timing.latency, timing.channels, timing.busy), (20, 2, 4));
    assert_eq!(start_skew[..], [0, 5]);
    assert!(link_errors.is_none());
    assert_eq!(
        stimulus.to_text().lines().skip(1).collect::<Vec<_>>(),
        text.lines().skip(1).collect::<Vec<_>>()
    );
}

#[test]
fn a_bad_step_is_told_with_file_and_line() {
    for (step, reason) in [
        (
            r#"{"node":7,"op":"fence"}"#,
            "there is no node 7; the system has 4 nodes",
        ),
        (
            r#"{"node":3,"op":"load","addr":"0x0","size":8}"#,
            "node 3 is a memory, which cannot load",
        ),
        (
            r#"{"node":1,"op":"store","addr":"0x0","size":8,"value":"0x1"}"#,
            "node 1 is an io node, which cannot store",
        ),
        (
            r#"{"node":0,"op":"raw","words":[]}"#,
            "node 0 is a cached node, which cannot raw",
        ),
        (r#"{"node":2,"op":"raw","words":[]}"#, "raw has no words"),
        (
            r#"{"node":0,"op":"load","addr":"0x1004","size":8}"#,
            "load of 8 bytes at 0x1004 is not aligned: the address must be a multiple of 8",
        ),
        (
            r#"{"node":0,"op":"load","addr":"0x103c","size":8}"#,
            "load of 8 bytes at 0x103c is not aligned (it would straddle two lines): \
             the address must be a multiple of 8",
        ),
        (
            r#"{"node":0,"op":"store","addr":"0x0","size":3,"value":"0x1"}"#,
            "store of 3 bytes; the size can be 1, 2, 4, 8 or 16",
        ),
        (
            r#"{"node":0,"op":"store","addr":"0x0","size":0,"value":"0x1"}"#,
            "store of 0 bytes; the size can be 1, 2, 4, 8 or 16",
        ),
        (
            r#"{"node":0,"op":"store","addr":"0x0","size":1,"value":"0x100"}"#,
            "value 0x100 does not fit in 1 bytes",
        ),
        (
            r#"{"node":0,"op":"read_uncached","addr":"0x0","size":512}"#,
            "read_uncached of 512 bytes; the size can be a power of two up to 256",
        ),
        (
            r#"{"node":0,"op":"evict","addr":"0x1000000000000"}"#,
            "address 0x1000000000000 has more than 48 bits",
        ),
        (
            r#"{"node":0,"op":"store","addr":"0x0","size":8}"#,
            "store needs `value`",
        ),
        (
            r#"{"node":0,"op":"fence","addr":"0x0"}"#,
            "fence has no `addr`",
        ),
        (
            r#"{"node":0,"op":"evict","addr":"4096"}"#,
            "column 37: \"4096\" is no number: write it like \"0x1000\"",
        ),
        (
            r#"{"node":0,"op":"evict","addr":"0x"}"#,
            "column 35: \"0x\" is no number: write it like \"0x1000\"",
        ),
        (
            r#"{"node":0,"op":"fence","colour":1}"#,
            "column 31: unknown field `colour`, expected one of `node`, `after`, `op`, `addr`, \
             `size`, `atomic`, `expected`, `value`, `words`, `class`, `to`, `length`, `high`, `what`",
        ),
        (
            r#"{"node":1,"op":"atomic_load","addr":"0x0","size":8,"value":"0x1"}"#,
            "atomic_load needs `atomic`",
        ),
        (
            r#"{"node":1,"op":"atomic_swap","addr":"0x0","size":4,"value":"0x1","atomic":"add"}"#,
            "atomic_swap has no `atomic`",
        ),
        (
            r#"{"node":1,"op":"atomic_compare","addr":"0x0","size":4,"value":"0x1"}"#,
            "atomic_compare needs `expected`",
        ),
        (
            r#"{"node":1,"op":"atomic_store","addr":"0x0","size":2,"value":"0x1","atomic":"smax"}"#,
            "atomic_store of 2 bytes; the size can be 4 or 8",
        ),
    ] {
        assert_eq!(
            error_of_step(step),
            format!("bad.jsonl:3: {reason}"),
            "{step}"
        );
    }
    let unknown = error_of_step(r#"{"node":0,"op":"jump"}"#);
    assert!(
        unknown.starts_with("bad.jsonl:3: column 21: unknown variant `jump`"),
        "{unknown}"
    );
    let cut = error_of_step(r#"{"node":0,"op":"#);
    assert!(
        cut.starts_with("bad.jsonl:3: the line ends before its JSON value does"),
        "{cut}"
    );
}

#[test]
fn a_bad_turn_is_told_with_file_and_line() {
    let head = Stimulus {
        seed: 0,
        config: Config::part(Part::Home, 1),
        steps: Vec::new(),
    };
    for (step, reason) in [
        (r#""op":"turn""#, "turn needs `what`"),
        (r#""op":"fence""#, "node 0 is a peer, which cannot fence"),
        (
            r#""op":"turn","what":{"ask":{"line":8,"choice":0}}"#,
            "there is no line 8; a home alone has 8 lines",
        ),
        (
            r#""op":"turn","what":{"merge":{"cycles":0}}"#,
            "messages wait 0 cycles; it can be 1 to 500",
        ),
        (
            r#""op":"turn","what":{"stray":{"node":1}}"#,
            "column 45: unknown field `node`, expected `tracker`",
        ),
    ] {
        let text = format!("{}{{\"node\":0,{step}}}\n", head.to_text());
        let error = Stimulus::parse("bad.jsonl", &text).unwrap_err().to_string();
        assert_eq!(error, format!("bad.jsonl:2: {reason}"));
    }
}

#[test]
fn a_bad_system_is_told_with_file_and_line() {
    for (from, to, reason) in [
        (
            "\"ports\":4",
            "\"ports\":5",
            "ports is 5; it can be 4, 8 or 16",
        ),
        (
            "\"sets\":4",
            "\"sets\":3",
            "node 0: a cache of 3 sets; make it a power of two",
        ),
        (
            "\"ways\":2",
            "\"ways\":0",
            "node 0: a cache needs at least one way and one mshr",
        ),
        (
            "\"busy\":4",
            "\"busy\":0",
            "node 3: a memory needs at least one channel, busy for one cycle",
        ),
        (
            "\"memories\":[3]",
            "\"memories\":[0]",
            "region 0: the node on port 0 is no memory",
        ),
        (
            "[0,5]",
            "[0,0,0,0,0]",
            "start_skew has 5 entries for 4 ports",
        ),
        (
            "\"rx_permille\":100",
            "\"rx_permille\":1000",
            "stall takes all cycles: give less than 1000 permille",
        ),
        (
            "_stimulus\":1",
            "_stimulus\":2",
            "version 2 of the format is not known; this program reads version 1",
        ),
        (
            "supernode_stimulus",
            "stimulus",
            "the first line must begin with {\"supernode_stimulus\":1",
        ),
    ] {
        assert_eq!(
            error_of_head(from, to),
            format!("bad.jsonl:1: {reason}"),
            "{to}"
        );
    }
    for (from, to, reason) in [
        (
            "{\"kind\":\"io\"}",
            "{\"kind\":\"io\",\"sets\":1}",
            "unknown field `sets`",
        ),
        (
            "\"seed\":7",
            "\"seed\":-7",
            "invalid value: integer `-7`, expected u64",
        ),
        ("\"granule\":4096,", "", "missing field `granule`"),
    ] {
        let error = error_of_head(from, to);
        assert!(
            error.starts_with("bad.jsonl:1: column ") && error.contains(reason),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_told_with_the_file() {
    let error = Stimulus::parse("empty.jsonl", " \n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "empty.jsonl: the file is empty; it begins with {\"supernode_stimulus\":1"
    );
    let error = Stimulus::read(std::path::Path::new("no/such.jsonl")).unwrap_err();
    assert_eq!(error.to_string(), "no/such.jsonl: there is no such file");
}

#[test]
fn a_bad_history_is_told_with_file_and_line() {
    let head = "{\"supernode_history\":1}\n";
    let event = |start, end| {
        format!(r#"{{"node":0,"op":"fence","addr":"0x0","start":{start},"end":{end}}}"#) + "\n"
    };
    let error = |text: &str| History::parse("run.jsonl", text).unwrap_err().to_string();
    assert_eq!(
        error(&(head.to_owned() + &event(5, 4))),
        "run.jsonl:2: the operation ends before it starts"
    );
    assert_eq!(
        error(&(head.to_owned() + &event(5, 9) + &event(1, 8))),
        "run.jsonl:3: the operation ends before the one above it"
    );
    let odd = event(5, 9).replace("\"start\"", "\"read\":\"2a0\",\"start\"");
    assert!(error(&(head.to_owned() + &odd)).contains("\"2a0\" are no bytes"));
    assert!(error(&event(1, 2)).starts_with("run.jsonl:1: the first line must begin with"));
}
