//! The command from outside: what it prints, what it refuses and with which exit code.

use std::path::Path;
use std::process::{Command, Output, Stdio};

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
    for word in ["wave", "completions", "Examples:"] {
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
