//! The command from outside: what it prints, what it refuses and with which exit code.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use flits::stimulus::{Config, MemoryTiming, Node, Op, Step, Stimulus, Timing};
use harness::report::Report;

fn supernode(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_supernode"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What the command says when it refuses its input: exit code 2, nothing on standard output, and
/// one line without the words of a panic.
fn refusal(args: &[&str]) -> String {
    let output = supernode(args);
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert_eq!(output.stdout, b"", "{args:?}");
    assert!(
        !text.contains("panicked") && !text.contains("internal error"),
        "{text}"
    );
    text
}

/// As [`refusal`] of what the command itself finds wrong, in a single line.
fn sentence(args: &[&str]) -> String {
    let text = refusal(args);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("supernode: "), "{text}");
    text
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn help_shows_every_command_and_examples() {
    let output = supernode(&["--help"]);
    assert!(output.status.success());
    let text = stdout(&output);
    for word in [
        "run",
        "replay",
        "check",
        "wave",
        "litmus",
        "info",
        "completions",
        "Examples:",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn completions_come_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = supernode(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        assert!(stdout(&output).contains("supernode"), "{shell}");
    }
    assert!(refusal(&["completions", "tcsh"]).contains("tcsh"));
}

#[test]
fn a_waveform_that_is_not_ours_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("other.vcd");
    assert!(sentence(&["wave", text_of(&path)]).contains("cannot be opened"));
    std::fs::write(&path, "this is no waveform").expect("writable");
    assert!(sentence(&["wave", text_of(&path)]).contains("not a VCD file"));
    let other =
        "$scope module top $end $var wire 1 a clk $end $upscope $end $enddefinitions $end\n";
    std::fs::write(&path, other).expect("writable");
    assert!(sentence(&["wave", text_of(&path)]).contains("no switch in this VCD file"));
    assert!(refusal(&["wave", text_of(&path), "--addr", "here"]).contains("no address"));
}

const REQUEST: &str = r#"{"timestamp":0,"input_length":40,"output_length":7,"hash_ids":[3,4,9]}"#;

#[test]
fn a_trace_that_cannot_be_used_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("t.jsonl");
    let with_second_line = |line: &str| {
        std::fs::write(&path, format!("{REQUEST}\n{line}\n")).expect("writable");
        let text = sentence(&["run", "kv", "--trace", text_of(&path)]);
        assert!(text.contains("t.jsonl:2: "), "{text}");
        text
    };
    assert!(with_second_line(&REQUEST[..50]).contains("ends too early"));
    assert!(with_second_line(&REQUEST.replace("40", "-40")).contains("-40"));
    assert!(with_second_line(&REQUEST.replace("output", "input")).contains("duplicate field"));
    assert!(with_second_line(&REQUEST.replace("timestamp", "when")).contains("unknown field"));
    assert!(with_second_line(&REQUEST.replace(":7", ":7777777777")).contains("beyond reason"));
    std::fs::write(&path, "").expect("writable");
    assert!(sentence(&["run", "kv", "--trace", text_of(&path)]).contains("holds no request"));
    let missing = folder.path().join("no.jsonl");
    assert!(sentence(&["run", "kv", "--trace", text_of(&missing)]).contains("cannot be opened"));
    assert!(sentence(&["run", "kv", "--trace", text_of(folder.path())]).contains("directory"));
}

#[test]
fn options_out_of_range_are_refused() {
    for (option, value, why) in [
        ("--ports", "5", "4, 8 or 16 ports"),
        ("--ports", "0", "4, 8 or 16 ports"),
        ("--requests", "0", "0 is not in"),
        ("--lines-per-block", "0", "0 is not in"),
        ("--in-flight", "65", "65 is not in"),
        ("--seed", "x", "invalid digit"),
        ("--vcd-cycles", "7..7", "like 5000..7000"),
    ] {
        let text = refusal(&["run", "kv", option, value]);
        assert!(text.contains(why), "{option} {value}: {text}");
    }
    let large = ["run", "kv", "--lines-per-block", "65536"];
    assert!(sentence(&large).contains("take fewer requests or lines per block"));
}

#[test]
fn output_that_cannot_be_written_is_refused_before_the_run() {
    let folder = tempfile::tempdir().expect("folder");
    let lost = folder.path().join("no/such/out");
    for option in ["--json", "--html", "--vcd"] {
        let text = sentence(&["run", "kv", option, text_of(&lost)]);
        assert!(text.contains("there is no folder"), "{text}");
        let text = sentence(&["run", "kv", option, text_of(folder.path())]);
        assert!(text.contains("is a directory"), "{text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
}

#[test]
fn a_stimulus_that_cannot_be_used_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("s.jsonl");
    let replay = ["replay", text_of(&path)];
    assert!(sentence(&replay).contains("s.jsonl: there is no such file"));
    std::fs::write(&path, "{\"supernode_stim").expect("writable");
    assert!(sentence(&replay).contains("s.jsonl:1: "));
    let head = Stimulus {
        seed: 7,
        config: Config::new(4),
        steps: Vec::new(),
    }
    .to_text();
    std::fs::write(&path, format!("{head}{{\"node\":3,\"op\":\"load\"}}\n")).expect("writable");
    assert!(sentence(&replay).contains("s.jsonl:2: "));
    let text = head.replace("\"granule\":4096", "\"granule\":4095");
    std::fs::write(&path, text).expect("writable");
    assert!(sentence(&replay).contains("granule"));
}

#[test]
fn a_run_reports_the_same_figures_in_table_json_and_page() {
    let folder = tempfile::tempdir().expect("folder");
    let (json, html) = (folder.path().join("r.json"), folder.path().join("r.html"));
    let output = supernode(&[
        "run",
        "kv",
        "--requests",
        "3",
        "--ports",
        "4",
        "--lines-per-block",
        "2",
        "--json",
        text_of(&json),
        "--html",
        text_of(&html),
    ]);
    let table = stdout(&output);
    assert!(
        output.status.success(),
        "{table}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(table.ends_with("\n0 violations\n"), "{table}");
    assert_eq!(
        output.stderr, b"",
        "quiet when standard error is no terminal"
    );
    let text = std::fs::read_to_string(&json).expect("written");
    let report: Report = serde_json::from_str(&text).expect("the documented form");
    assert_eq!((report.violations, report.system.ports), (0, 4));
    let kv = report.kv.as_ref().expect("a key/value run");
    assert_eq!(kv.requests, 3);
    assert!(kv.bytes_checked > 0 && report.cycles > 0);
    assert!(
        report.checks.iter().all(|check| check.count > 0),
        "{:?}",
        report.checks
    );
    assert_eq!(report.table(), table);
    assert_eq!(
        std::fs::read_to_string(&html).expect("written"),
        harness::report::html::page(&report)
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 2);
}

#[test]
fn a_waveform_holds_the_packets_of_its_run() {
    let folder = tempfile::tempdir().expect("folder");
    let (stimulus, vcd) = (folder.path().join("s.jsonl"), folder.path().join("s.vcd"));
    let config = Config::new(8);
    let step = |node, op| Step { node, after: 0, op };
    let steps = vec![
        step(
            0,
            Op::Store {
                addr: 0x1240,
                size: 8,
                value: 42,
            },
        ),
        step(
            1,
            Op::Load {
                addr: 0x1240,
                size: 8,
            },
        ),
    ];
    Stimulus {
        seed: 7,
        config,
        steps,
    }
    .write(&stimulus)
    .expect("writable");
    let output = supernode(&["replay", text_of(&stimulus), "--vcd", text_of(&vcd)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stdout(&output).ends_with("\n0 violations\n"));
    let wave = |args: &[&str]| {
        let output = supernode(&[&["wave", text_of(&vcd)], args].concat());
        assert!(output.status.success(), "{args:?}");
        stdout(&output)
    };
    let table = wave(&["--port", "0"]);
    let rows: Vec<_> = table.lines().collect();
    assert!(rows[0].contains("opcode") && rows.last().is_some_and(|l| l.contains("packets in")));
    assert!(rows[1].contains("in   REQ    ReadUnique"), "{table}");
    let acks = rows.iter().filter(|row| row.contains("RSP    CompAck"));
    assert_eq!(acks.count(), 1, "{table}");
    let first: u64 = rows[1]
        .split_whitespace()
        .next()
        .and_then(|c| c.parse().ok())
        .expect("cycle");
    let later = wave(&["--port", "0", "--from", &(first + 1).to_string()]);
    assert_eq!(later.lines().count() + 1, rows.len(), "{later}");

    // The line's story: both transactions with all their packets, memory's address or not.
    let story = wave(&["--addr", "0x1250"]);
    assert!(
        story.starts_with("line 0x1240: 2 transactions\n"),
        "{story}"
    );
    for word in [
        "ReadUnique",
        "ReadShared",
        "MemRead UC",
        "SnpSharedFwd",
        "memory",
        "switch 2",
    ] {
        assert!(story.contains(word), "{word} in {story}");
    }
    let page = folder.path().join("story.html");
    let one = wave(&["--follow", "1:0", "--html", text_of(&page)]);
    assert!(one.starts_with("transaction 1:0: 1 transaction\n"), "{one}");
    assert!(!one.contains("ReadUnique"), "{one}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("<svg") && page.contains("SnpRespDataFwded SC 1:0"));

    // What the viewers are to show lies beside it, and can be made again.
    let [gtkw, sucl] = ["gtkw", "sucl"].map(|end| vcd.with_extension(end));
    let again = folder.path().join("again");
    assert_eq!(wave(&["--surfer", text_of(&again)]), "");
    let [beside, again] = [&sucl, &again].map(|path| std::fs::read_to_string(path).expect("text"));
    assert_eq!(beside, again);
    let save = std::fs::read_to_string(gtkw).expect("a save file");
    for track in [
        "tracks.port0.in",
        "tracks.port7.out",
        "tracks.node1.open0",
        ".work0",
    ] {
        assert!(
            save.contains(track) && beside.contains(track),
            "{track} in {save}"
        );
    }
    let refused = |args: &[&str]| sentence(&[&["wave", text_of(&vcd)], args].concat());
    assert!(refused(&["--from", "9", "--to", "3"]).contains("give the earlier cycle first"));
    assert!(refused(&["--addr", "0x777000"]).contains("no transaction is like that"));
    let unnamed = refusal(&["wave", text_of(&vcd), "--follow", "node1"]);
    assert!(
        unnamed.contains("write a node and its number, like 1:0"),
        "{unnamed}"
    );
}

#[test]
fn a_violation_names_the_command_that_shows_the_cycles_before_it() {
    let folder = tempfile::tempdir().expect("folder");
    let (stimulus, vcd) = (folder.path().join("s.jsonl"), folder.path().join("s.vcd"));
    let mut config = Config::new(8);
    // Slower than anyone may be.
    let timing = MemoryTiming::Custom(Timing {
        latency: 40_000,
        channels: 1,
        busy: 1,
    });
    for node in &mut config.nodes {
        if matches!(node, Node::Memory { .. }) {
            *node = Node::Memory { timing };
        }
    }
    let load = Step {
        node: 0,
        after: 0,
        op: Op::Load {
            addr: 0x40,
            size: 8,
        },
    };
    let steps = vec![load];
    let written = Stimulus {
        seed: 7,
        config,
        steps,
    };
    written.write(&stimulus).expect("writable");
    let violation = |args: &[&str]| {
        let output = supernode(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let text = violation(&["replay", text_of(&stimulus)]);
    let (_, again) = text.split_once("to look at it: ").expect("a command");
    let (same, cycles) = again.trim().split_once(" --vcd-cycles ").expect("cycles");
    assert_eq!(
        same,
        format!(
            "supernode replay {} --vcd violation.vcd",
            stimulus.display()
        )
    );
    let (from, to) = cycles.split_once("..").expect("a range");
    let [from, to]: [u64; 2] = [from, to].map(|end| end.parse().expect("a number"));
    assert!(from > 15_000 && to - from < 3_000, "{cycles}");

    let replay = ["replay", text_of(&stimulus), "--vcd", text_of(&vcd)];
    violation(&[&replay[..], &["--vcd-cycles", cycles]].concat());
    let waves = std::fs::read_to_string(&vcd).expect("a waveform");
    let times = waves.lines().filter(|line| line.starts_with('#')).count() as u64;
    assert!((1..=2 * (to - from)).contains(&times), "{times} times");
}

#[test]
fn info_shows_switch_devices_and_address_map() {
    let output = supernode(&["info", "--ports", "4"]);
    assert!(output.status.success());
    let text = stdout(&output);
    for word in ["supernode 0.", "home slices", "memory", "region 0"] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supernode"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    assert_eq!(output.stderr, b"");
}

#[test]
fn the_bench_of_the_fabric_gives_the_same_figures_in_table_json_and_page() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (json, html) = (folder.path().join("f.json"), folder.path().join("f.html"));
    let files = ["--json", text_of(&json), "--html", text_of(&html)];
    let args = ["bench", "fabric", "--ports", "4", "--cycles", "600"];
    let output = supernode(&[&args[..], &files].concat());
    let text = stdout(&output);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json).expect("written")).expect("JSON");
    let page = std::fs::read_to_string(html).expect("written");
    let row = &json["saturation"][0];
    assert_eq!(row["ports"], 4);
    let sat = format!("{:.3}", row["sat"].as_f64().expect("a number"));
    assert!(
        text.contains(&sat) && page.contains(&sat),
        "{sat} in {text}"
    );
    assert_eq!(json["bench"], "fabric");
    assert_eq!(page.matches("<svg").count(), 2, "throughput and latency");
    assert!(page.contains("many ports: 0.586") && page.contains("measured elsewhere"));
}

#[test]
fn the_bench_of_the_simulation_prints_speeds_and_ratios() {
    let args = ["bench", "sim", "--requests", "2", "--ports", "4"];
    let output = supernode(&[&args[..], &["--rounds", "1"]].concat());
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    for line in [
        "model alone, the words of the workload",
        "workload, all checks",
        "two such at once",
        "waveform",
        "load 0.6",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(
        !text.contains("coverage"),
        "only 8 ports have counters: {text}"
    );
}

#[test]
fn the_bench_of_latency_itemises_a_load() {
    let output = supernode(&["bench", "latency", "--ports", "4"]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    for line in [
        "beyond it",
        "check of the header",
        "buffer and crossbar",
        "home",
        "memory",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn parallel_programs_say_whether_they_are_right() {
    let output = supernode(&["run", "programs", "ring", "prefix-sum", "--ports", "4"]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    let right = |name: &&str| {
        let mut lines = text.lines().map(str::trim);
        lines.any(|line| line.starts_with(name) && line.ends_with("right"))
    };
    assert!(["ring", "prefix-sum"].iter().all(right), "{text}");

    let unnamed = ["run", "programs", "--vcd", "all.vcd"];
    assert!(sentence(&unnamed).contains("a waveform is of one program"));
}

#[test]
fn the_key_value_cache_runs_on_several_chips() {
    let output = supernode(&[
        "run",
        "kv",
        "--requests",
        "4",
        "--leaves",
        "4",
        "--spines",
        "2",
        "--seed",
        "3",
    ]);
    let text = String::from_utf8(output.stderr.clone()).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(stdout(&output).contains("12 nodes with caches, 4 memories"));
    assert!(sentence(&["run", "kv", "--leaves", "3"]).contains("there can be 2, 4 or 8"));
    assert!(refusal(&["run", "kv", "--leaves", "4", "--spines", "9"]).contains("9 is not in"));
    assert!(refusal(&["run", "kv", "--spines", "2"]).contains("--leaves"));
}

/// A litmus test of the project.
fn litmus(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testbenches/litmus");
    text_of(&folder.join(name)).to_owned()
}

#[test]
fn litmus_shows_what_a_node_with_a_store_buffer_does_and_nothing_forbidden() {
    let folder = tempfile::tempdir().expect("folder");
    let json = folder.path().join("litmus.json");
    let (file, json) = (litmus("SB.litmus"), text_of(&json).to_owned());
    let output = supernode(&[
        "litmus", &file, "--node", "tso", "--runs", "320", "--json", &json,
    ]);
    assert!(output.status.success(), "{output:?}");
    let text = stdout(&output);
    let line = text.lines().find(|line| line.starts_with("SB "));
    let words: Vec<_> = line.expect("a line a test").split_whitespace().collect();
    assert_eq!(words, ["SB", "2", "320", "4/4", "1/1", "0"]);
    let json = std::fs::read_to_string(json).expect("the file");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["tests"][0]["tso_only_seen"], 1);
    assert_eq!(json["runs"], 320);
}

#[test]
fn litmus_ends_with_the_command_that_shows_a_forbidden_state_again() {
    let file = litmus("SB.litmus");
    let arguments = ["litmus", &file, "--node", "tso", "--model", "sc"];
    let output = supernode(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(
        text.starts_with("supernode: SB: the final state 0:rax=0; 1:rax=0 is forbidden"),
        "{text}"
    );
    let again = text.lines().last().expect("a last line");
    let (_, batch) = again.rsplit_once(' ').expect("a batch");
    assert!(
        again.starts_with("to see it again: supernode litmus"),
        "{text}"
    );
    let again = supernode(&[&arguments[..], &["--batch", batch]].concat());
    let story = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("  "));
        lines.map(str::to_owned).collect()
    };
    let repeated = String::from_utf8(again.stderr).expect("text");
    assert_eq!(story(&repeated), story(&text));
    assert!(story(&text).len() >= 5, "{text}");
}

#[test]
fn litmus_says_what_is_wrong_with_a_test() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("bad.litmus");
    let file = text_of(&path);
    std::fs::write(&path, "X86_64 T\n{ }\n P0 ;\n movq 1,(x) ;\nexists (x=1)\n").expect("write");
    let text = sentence(&["litmus", file]);
    assert!(text.contains("bad.litmus:4: `1` is no operand"), "{text}");
    let text = sentence(&["litmus", "absent.litmus"]);
    assert!(
        text.contains("absent.litmus: the file cannot be read"),
        "{text}"
    );
    let text = sentence(&["litmus", &litmus("SB.litmus"), "--batch", "9"]);
    assert!(text.contains("there is no batch 9"), "{text}");

    std::fs::write(
        &path,
        "X86_64 T\n{ }\n P0 ;\n clflush (x) ;\nexists (x=1)\n",
    )
    .expect("write");
    let output = supernode(&["litmus", file, "--runs", "0"]);
    let text = stdout(&output);
    assert!(text.contains("1 (instruction clflush)"), "{text}");
}
