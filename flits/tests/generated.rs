//! The generated files in the repository are those that the tables make.

use std::path::Path;

#[test]
fn generated_files_are_what_the_tables_make() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let stale = flits::generate::stale(&root).expect("generated files can be compared");
    let paths: Vec<_> = stale.iter().map(|(path, _)| path).collect();
    assert!(
        paths.is_empty(),
        "run `cargo run -p flits`; stale: {paths:?}"
    );
}
