//! Writes the files made from the format's tables; with `--check`, only says which are stale.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => flits::generate::write(&root).map(|paths| {
            for path in paths {
                println!("wrote {}", path.display());
            }
            ExitCode::SUCCESS
        }),
        ["--check"] => flits::generate::stale(&root).map(|stale| {
            for (path, _) in &stale {
                eprintln!("{} is stale: run `cargo run -p flits`", path.display());
            }
            if stale.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }),
        _ => {
            eprintln!("usage: flits-gen [--check]");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("flits-gen: {error}");
        ExitCode::FAILURE
    })
}
