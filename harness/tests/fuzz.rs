//! `supernode fuzz`, `supernode shrink` and the window of `supernode replay` from outside.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use flits::Class;
use flits::stimulus::{Config, Op, Packet, Part, Step, Stimulus, Turn};

fn supernode(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_supernode"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// What the command says when it refuses its input.
fn refusal(args: &[&str]) -> String {
    let output = supernode(args);
    let text = text(&output.stderr).to_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(!text.contains("internal error"), "{text}");
    text
}

fn path_of(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Three nodes that store and load by turns.
fn stimulus() -> Stimulus {
    let step = |turn: u64| {
        let addr = turn % 5 * 64;
        let op = match turn % 2 {
            0 => Op::Store {
                addr,
                size: 8,
                value: u128::from(turn) + 1,
            },
            _ => Op::Load { addr, size: 8 },
        };
        Step {
            node: turn as usize % 3,
            after: 5,
            op,
        }
    };
    Stimulus {
        seed: 5,
        config: Config::new(4),
        steps: (0..60).map(step).collect(),
    }
}

#[test]
fn one_seed_gives_one_corpus_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = |name: &str, seed: &str| {
        let corpus = folder.path().join(name);
        let args = ["fuzz", "--execs", "40", "--seed", seed, "--corpus"];
        let output = supernode(&[&args[..], &[path_of(&corpus)]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("findings                      0"));
        let entries = std::fs::read_dir(&corpus).expect("the corpus");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let first = names("a", "3");
    assert_eq!(first, names("b", "3"));
    assert_ne!(first, names("c", "4"));
}

#[test]
fn jobs_share_a_corpus() {
    let folder = tempfile::tempdir().expect("a folder");
    let corpus = path_of(folder.path());
    let output = supernode(&["fuzz", "--execs", "30", "--jobs", "2", "--corpus", corpus]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("60 in "),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_failing_stimulus_is_made_small_and_fails_the_same_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.jsonl");
    stimulus().write(&path).expect("writable");
    let args = [
        "shrink",
        path_of(&path),
        "--max-cycles",
        "400",
        "--runs",
        "400",
    ];
    let output = supernode(&args);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        said.contains("progress: the run is not over after 400 cycles"),
        "{said}"
    );
    let small = folder.path().join("long.small.jsonl");
    let command = format!("see it: supernode replay {}", path_of(&small));
    assert!(said.contains(&command), "{said}");
    let small = Stimulus::read(&small).expect("a stimulus");
    assert!(small.steps.len() < 12, "{}", small.to_text());
    assert!(!small.steps.is_empty());

    let fine = refusal(&["shrink", path_of(&path)]);
    assert!(fine.contains("runs without violations"), "{fine}");
}

/// First and last time in a waveform, in its units.
fn times(path: &Path) -> (u64, u64) {
    let text = std::fs::read_to_string(path).expect("a waveform");
    let times: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.parse().ok())
        .collect();
    (times[0], times[times.len() - 1])
}

#[test]
fn a_window_holds_the_last_cycles_of_the_run_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl");
    stimulus().write(&path).expect("writable");
    let wave = |name: &str, more: &[&str]| {
        let vcd = folder.path().join(name);
        let json = folder.path().join(format!("{name}.json"));
        let files = ["--vcd", path_of(&vcd), "--json", path_of(&json)];
        let args = [&["replay", path_of(&path)], &files[..], more].concat();
        let output = supernode(&args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let report = std::fs::read_to_string(&json).expect("a report");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        (times(&vcd), report["cycles"].clone())
    };
    let ((begin, end), cycles) = wave("all.vcd", &[]);
    let ((late, last), same) = wave("window.vcd", &["--window", "50"]);
    assert!(
        cycles.as_u64().is_some_and(|cycles| cycles > 200),
        "{cycles}"
    );
    assert_eq!(cycles, same, "the waveform changes no cycle");
    assert_eq!(end, last);
    let cycle = (end - begin) as f64 / cycles.as_u64().unwrap_or(1) as f64;
    let window = (last - late) as f64 / cycle;
    assert!(
        begin < end / 20 && (45.0..=55.0).contains(&window),
        "{late} to {last} of {begin} to {end} are {window} cycles"
    );
}

#[test]
fn parts_alone_are_fuzzed_replayed_and_seen_in_waves() {
    let folder = tempfile::tempdir().expect("a folder");
    let packet = |to: &[usize]| {
        Op::Packet(Packet {
            class: Class::Dat,
            to: to.to_vec(),
            length: 7,
            high: false,
        })
    };
    let read = Op::Turn(Turn::Ask { line: 0, choice: 0 });
    for (target, part, model, op, arrives) in [
        ("fabric", Part::Fabric, "tight", packet(&[1]), "7 words"),
        ("link", Part::Link, "rtl", packet(&[]), "7 words"),
        // ReadShared, MemRead, CompData, CompAck.
        ("home", Part::Home, "rtl", read, "4 messages"),
    ] {
        let corpus = folder.path().join(target);
        let args = ["fuzz", "--target", target, "--execs", "60", "--corpus"];
        let output = supernode(&[&args[..], &[path_of(&corpus)]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let stimulus = Stimulus {
            seed: 0,
            config: Config::part(part, 4),
            steps: vec![Step {
                node: 0,
                after: 9,
                op,
            }],
        };
        let path = folder.path().join(format!("{target}.jsonl"));
        stimulus.write(&path).expect("writable");
        let vcd = folder.path().join(format!("{target}.vcd"));
        let replay = ["replay", path_of(&path), "--model", model];
        let waves = ["--vcd", path_of(&vcd), "--window", "20"];
        let output = supernode(&[&replay[..], &waves[..]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.starts_with(&format!("{arrives} arrived")), "{said}");
        let wave = match part {
            Part::Fabric | Part::Home => vcd,
            Part::Link => harness::parts::vcd_of(&vcd, 1),
        };
        let (begin, end) = times(&wave);
        assert!(begin < end, "{begin} to {end}");
        let fine = refusal(&["shrink", path_of(&path), "--model", model]);
        assert!(fine.contains("runs without violations"), "{fine}");
        let no_report = refusal(&[&replay[..], &["--json", "x.json"]].concat());
        assert!(no_report.contains("no report"), "{no_report}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for args in [
        &["fuzz", "--ports", "16"][..],
        &["fuzz", "--jobs", "0"],
        &["fuzz", "--seconds", "1", "--execs", "1"],
        &["fuzz", "--target", "moon"],
        &["fuzz", "--target", "link", "--hostile"],
        &["replay", "x.jsonl", "--window", "5"],
        &["replay", "x.jsonl", "--vcd", "x.vcd", "--window", "0"],
        &["bench", "fuzz", "--ports", "16"],
    ] {
        refusal(args);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").expect("writable");
    let no_folder = refusal(&["fuzz", "--execs", "1", "--corpus", path_of(&file)]);
    assert!(no_folder.starts_with("supernode: "), "{no_folder}");
    assert_eq!(no_folder.lines().count(), 1, "{no_folder}");
    let bad = folder.path().join("bad.jsonl");
    std::fs::write(&bad, "{}\n").expect("writable");
    let bad = refusal(&["shrink", path_of(&bad)]);
    assert!(
        bad.contains("bad.jsonl:1") && bad.lines().count() == 1,
        "{bad}"
    );
}
