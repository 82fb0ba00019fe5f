//! `supernode check` against the verdicts of others, where their files are beside the project.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flits::stimulus::{Config, Op, Step, Stimulus};

/// Where the files of others are, seen from this crate.
const SHARED: &str = "../../shared/data/litmus";

/// A file of others; says so if it is absent.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(SHARED)
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is absent", path.display());
    None
}

/// What the command prints when it gets `text` to read.
fn check(text: &[u8], options: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supernode"))
        .args(["check", "-"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    let text = text.to_vec();
    // A command that is refused for its options reads nothing and closes the pipe.
    let writer = std::thread::spawn(move || input.write_all(&text).ok());
    let output = child.wait_with_output().expect("the command ends");
    writer.join().expect("no panic");
    output
}

/// The verdict lines of the command; the last line has the totals.
fn verdicts(text: &[u8], options: &[&str]) -> Vec<String> {
    let output = check(text, options);
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let totals = lines.pop().expect("totals");
    assert!(totals.contains("operations/s"), "{totals}");
    let any_no = lines.iter().any(|line| line.starts_with("NO"));
    assert_eq!(output.status.code(), Some(i32::from(any_no)));
    lines
}

/// Runs a file of traces under both models against the files with the verdicts beside it.
fn agrees(folder: &str, traces: &[u8], count: usize) {
    for (model, name) in [("sc", "SC.txt"), ("tso", "TSO.txt")] {
        let Some(path) = shared(&format!("{folder}/{name}")) else {
            return;
        };
        let expected = std::fs::read_to_string(path).expect("readable");
        let lines = verdicts(traces, &["--model", model]);
        assert_eq!(lines.len(), count);
        assert_eq!(expected.lines().count(), count);
        for (line, expected) in lines.iter().zip(expected.lines()) {
            // Some files have names after the verdicts, others nothing.
            let same = line.split(':').next() == Some(expected) || line[..2] == *expected;
            assert!(same, "{model}: {line}, but others say {expected}");
        }
    }
}

#[test]
fn the_verdicts_on_axes_litmus_traces_are_axes() {
    if let Some(path) = shared("axe/litmus/tests.axe") {
        agrees("axe/litmus", &std::fs::read(path).expect("readable"), 199);
    }
}

#[test]
fn the_verdicts_on_axes_random_traces_are_axes() {
    let Some(path) = shared("axe/random/tests.axe.gz") else {
        return;
    };
    let Ok(output) = Command::new("gzip").arg("-dc").arg(&path).output() else {
        println!("skipped: there is no gzip to open {}", path.display());
        return;
    };
    assert!(output.status.success());
    agrees("axe/random", &output.stdout, 5000);
}

#[test]
fn the_verdicts_on_logs_of_a_real_register_are_those_known() {
    let Some(path) = shared("linearizability/jepsen_etcd_register.jsonl") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("readable");
    let lines = verdicts(text.as_bytes(), &["--model", "linearizable"]);
    assert_eq!(lines.len(), 52);
    for (line, log) in lines.iter().zip(text.lines()) {
        let log: serde_json::Value = serde_json::from_str(log).expect("JSON");
        let verdict = match log["linearizable"].as_bool() {
            Some(true) => "OK",
            Some(false) => "NO",
            None => panic!("{log} has no verdict"),
        };
        assert_eq!(&line[..2], verdict, "{line}");
    }
}

const MESSAGE: &str = "# message\n0: v0 := 1\n0: v1 := 1\n1: v1 == 1\n1: v0 == 0\ncheck\n";

#[test]
fn a_verdict_says_why_in_one_line_or_step_by_step() {
    let lines = verdicts(MESSAGE.as_bytes(), &[]);
    let cycle = "NO message: cycle: 0: M[0] := 1 -po-> 0: M[1] := 1 -rf-> 1: M[1] == 1 -po-> \
                 1: M[0] == 0 -fr-> 0: M[0] := 1";
    assert_eq!(lines, [cycle]);
    let lines = verdicts(MESSAGE.as_bytes(), &["--explain", "--model", "tso"]);
    assert_eq!(lines[0], "NO message:");
    assert_eq!(lines[2], "    0: M[0] := 1");
    assert!(lines[3].ends_with("in program order"));
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_its_line() {
    let refused = |text: &str, options: &[&str]| {
        let output = check(text.as_bytes(), options);
        assert_eq!(output.status.code(), Some(2), "{text}");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(refused("0: v0 = 1\ncheck\n", &[]).contains("standard input:1: "));
    assert!(refused("", &[]).contains("no trace"));
    assert!(refused("{\"supernode_history\":9}\n", &[]).contains(":1: version 9"));
    assert!(refused("{\"supernode_history\":1}\n{}\n", &[]).contains("standard input:2: "));
    assert!(refused(MESSAGE, &["--model", "linearizable"]).contains("nothing of time"));
    assert!(refused(MESSAGE, &["--format", "jepsen"]).contains("standard input:1: "));
    assert!(refused(MESSAGE, &["--model", "pso"]).contains("pso"));
}

/// A history of one store by each of two nodes and a load by each of what the other stored.
fn history(loads: [u8; 2], with_order: bool) -> String {
    let order = |at: u64| match with_order {
        true => format!(",\"order\":{at}"),
        false => String::new(),
    };
    let mut text = "{\"supernode_history\":1}\n".to_string();
    for node in 0..2 {
        text += &format!(
            "{{\"node\":{node},\"op\":\"store\",\"addr\":\"{:#x}\",\"wrote\":\"01\"{},\"start\":{node},\
             \"end\":5}}\n",
            64 * node,
            order(node)
        );
    }
    for (node, value) in loads.into_iter().enumerate() {
        text += &format!(
            "{{\"node\":{node},\"op\":\"load\",\"addr\":\"{:#x}\",\"read\":\"0{value}\",\"start\":6,\"end\":9}}\n",
            64 * (1 - node),
        );
    }
    text
}

#[test]
fn a_history_is_judged_with_the_order_of_its_writes_and_without() {
    let verdict = |text: &str, options: &[&str]| {
        let lines = verdicts(text.as_bytes(), options);
        lines[0][..2].to_string()
    };
    for with_order in [true, false] {
        for more in [&[][..], &["--black-box"]] {
            let judge = |loads, model| {
                let options = [&["--model", model], more].concat();
                verdict(&history(loads, with_order), &options)
            };
            assert_eq!(judge([0, 0], "sc"), "NO");
            assert_eq!(judge([0, 0], "tso"), "OK");
            assert_eq!(judge([0, 1], "sc"), "OK");
            assert_eq!(judge([0, 2], "tso"), "NO");
            assert_eq!(judge([1, 1], "linearizable"), "OK");
            assert_eq!(judge([0, 1], "linearizable"), "NO");
        }
    }
}

#[test]
fn the_history_that_replay_writes_can_be_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (stimulus, history) = (path("s.jsonl"), path("h.jsonl"));
    let (addr, size) = (0x1000, 8);
    let step = |node, after, op| Step { node, after, op };
    let value = 7;
    Stimulus {
        seed: 1,
        config: Config::new(4),
        steps: vec![
            step(0, 0, Op::Store { addr, size, value }),
            step(1, 100, Op::Load { addr, size }),
        ],
    }
    .write(Path::new(&stimulus))
    .expect("writable");
    let status = Command::new(env!("CARGO_BIN_EXE_supernode"))
        .args(["replay", &stimulus, "--model", "reference"])
        .args(["--history", &history])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("the command starts").success());
    let text = std::fs::read_to_string(&history).expect("readable");
    assert!(text.contains("\"order\":0"), "{text}");
    assert_eq!(
        verdicts(text.as_bytes(), &["--model", "sc"]),
        ["OK standard input"]
    );
    // With another value in the load nothing explains it.
    let (load, seen) = (
        text.rfind("\"read\":\"07").expect("a load"),
        "\"read\":\"08",
    );
    let wrong = format!("{}{seen}{}", &text[..load], &text[load + seen.len()..]);
    let lines = verdicts(wrong.as_bytes(), &["--model", "tso"]);
    assert!(
        lines[0].contains("nobody else stored 0800000000000000"),
        "{lines:?}"
    );
}
