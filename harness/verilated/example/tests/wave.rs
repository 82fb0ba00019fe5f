//! Waves: VCD files, their window, and what goes wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::PathBuf;
use verilated::{Clocked, Model, TraceError, Variant};
use verilated_example::RecordQueue;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// A file of this test, in the directory Cargo keeps for tests.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Ten cycles: reset, then a push of `3 * cycle` and a pop in turn.
fn run(queue: &mut RecordQueue) -> Result {
    queue.reset()?;
    while queue.cycles() < 9 {
        let word = 3 * queue.cycles() as u32;
        queue.push(word)?;
        queue.pop()?;
    }
    queue.cycle()?;
    Ok(())
}

fn record(
    name: &str,
    window: Option<std::ops::Range<u64>>,
) -> std::result::Result<PathBuf, Box<dyn std::error::Error>> {
    let path = file(name);
    let mut queue = RecordQueue::with_variant(Variant::Wave)?;
    match window {
        Some(window) => queue.trace_open_cycles(&path, window)?,
        None => queue.trace_open(&path)?,
    }
    run(&mut queue)?;
    queue.trace_close()?;
    Ok(path)
}

/// Times in a VCD file, and the value of `TOP.<signal>` after each.
fn read(
    path: &PathBuf,
    signal: &str,
) -> std::result::Result<BTreeMap<u64, Option<u64>>, Box<dyn std::error::Error>> {
    let mut parser = vcd::Parser::new(BufReader::new(fs::File::open(path)?));
    let header = parser.parse_header()?;
    let code = header
        .find_var(&["TOP", signal])
        .ok_or("the signal is in the file")?
        .code;
    let (mut values, mut time, mut value) = (BTreeMap::new(), 0, None);
    for command in parser {
        match command? {
            vcd::Command::Timestamp(now) => time = now,
            vcd::Command::ChangeScalar(id, bit) if id == code => {
                value = Some(u64::from(bit == vcd::Value::V1));
            }
            vcd::Command::ChangeVector(id, bits) if id == code => {
                value = Some(
                    bits.iter()
                        .fold(0, |n, bit| n << 1 | u64::from(bit == vcd::Value::V1)),
                );
            }
            _ => {}
        }
        values.insert(time, value);
    }
    Ok(values)
}

#[test]
fn a_vcd_file_holds_the_values_of_every_half_cycle() -> Result {
    let path = record("whole.vcd", None)?;
    let clock = read(&path, "clk_i")?;
    assert_eq!(
        clock.keys().copied().collect::<Vec<_>>(),
        (0..20).collect::<Vec<_>>()
    );
    assert!(clock.iter().all(|(time, level)| *level == Some(time % 2)));
    let valid = read(&path, "valid_o")?;
    assert_eq!(
        (valid[&2], valid[&3], valid[&5]),
        (Some(0), Some(1), Some(0))
    );
    let word = read(&path, "word_o")?;
    assert_eq!(
        (word[&3], word[&7]),
        (Some(3), Some(9)),
        "pushed in cycles 1 and 3"
    );
    Ok(())
}

#[test]
fn equal_runs_write_equal_bytes() -> Result {
    let (first, second) = (record("first.vcd", None)?, record("second.vcd", None)?);
    let bytes = fs::read(first)?;
    assert!(bytes.len() > 1000);
    assert_eq!(bytes, fs::read(second)?);
    Ok(())
}

#[test]
fn a_window_holds_its_cycles_only_and_the_same_values() -> Result {
    let whole = read(&record("around.vcd", None)?, "word_o")?;
    let part = read(&record("window.vcd", Some(4..7))?, "word_o")?;
    let expected: BTreeMap<_, _> = whole.range(8..14).map(|(t, v)| (*t, *v)).collect();
    let part: BTreeMap<_, _> = part.into_iter().filter(|(time, _)| *time > 0).collect();
    assert_eq!(part, expected);
    assert!(
        expected.values().any(|v| *v != expected[&8]),
        "something happens in the window"
    );
    Ok(())
}

#[test]
fn a_second_file_starts_anew() -> Result {
    let mut queue = RecordQueue::with_variant(Variant::Wave)?;
    queue.trace_open(file("one.vcd"))?;
    queue.reset()?;
    queue.trace_open(file("two.vcd"))?;
    queue.push(5)?;
    queue.trace_close()?;
    queue.trace_close()?; // nothing is open, nothing to do
    queue.cycle()?; // not recorded
    let two = read(&file("two.vcd"), "word_o")?;
    assert_eq!((two.keys().copied().max(), two[&3]), (Some(3), Some(5)));
    assert_eq!(
        read(&file("one.vcd"), "clk_i")?.keys().copied().max(),
        Some(1)
    );
    Ok(())
}

#[test]
fn a_dropped_model_leaves_a_whole_file() -> Result {
    let path = file("dropped.vcd");
    let mut queue = RecordQueue::with_variant(Variant::Wave)?;
    queue.trace_open(&path)?;
    run(&mut queue)?;
    drop(queue);
    assert_eq!(fs::read(path)?, fs::read(record("closed.vcd", None)?)?);
    Ok(())
}

#[test]
fn a_variant_without_waves_says_so() {
    let mut queue = RecordQueue::new();
    let error = queue
        .trace_open(file("never.vcd"))
        .expect_err("the variant is fast");
    assert_eq!(
        error.to_string(),
        "model `record_queue` records no waves in variant fast; create it with Variant::Wave"
    );
    assert!(!file("never.vcd").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() -> Result {
    let mut queue = RecordQueue::with_variant(Variant::Wave)?;
    let error = queue
        .trace_open(file("no/such/dir/x.vcd"))
        .expect_err("there is no directory");
    assert!(
        error.to_string().contains("cannot open: No such file"),
        "{error}"
    );
    queue.trace_open("/dev/full")?;
    run(&mut queue)?;
    let error = queue.trace_close().expect_err("the device is full");
    assert!(matches!(&error, TraceError::File { reason, .. } if reason.contains("No space")));
    queue.cycle()?; // the model itself is unharmed
    Ok(())
}
