//! Coverage counters and lcov.

use verilated::{Clocked, Model, Variant};
use verilated_example::RecordQueue;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn covered() -> std::result::Result<RecordQueue, Box<dyn std::error::Error>> {
    let mut queue = RecordQueue::with_variant(Variant::Cov)?;
    queue.reset()?;
    Ok(queue)
}

/// Count of the cover statement `cover (full)`.
fn full(queue: &RecordQueue) -> u32 {
    let points = queue.cover_points();
    let index = points.iter().position(|point| {
        point
            .as_ref()
            .is_some_and(|p| p.page == "v_user/record_queue")
    });
    queue.coverage()[index.expect("there is one cover statement")]
}

#[test]
fn counters_count_what_was_executed() -> Result {
    let mut queue = covered()?;
    assert_eq!(queue.cover_points().len(), queue.coverage().len());
    for word in 0..4 {
        queue.push(word)?;
    }
    assert_eq!(full(&queue), 0);
    for _ in 0..3 {
        queue.cycle()?;
    }
    assert_eq!(full(&queue), 3);
    Ok(())
}

#[test]
fn cleared_counters_start_at_zero() -> Result {
    let mut queue = covered()?;
    queue.push(1)?;
    assert!(queue.coverage().iter().any(|&count| count > 0));
    queue.coverage_clear();
    assert!(queue.coverage().iter().all(|&count| count == 0));
    queue.push(2)?;
    assert!(queue.coverage().iter().any(|&count| count > 0));
    Ok(())
}

#[test]
fn counters_of_two_instances_are_separate() -> Result {
    let (mut first, second) = (covered()?, covered()?);
    let before = second.coverage().to_vec();
    first.push(1)?;
    assert_eq!(second.coverage(), before);
    assert_ne!(first.coverage(), before);
    Ok(())
}

#[test]
fn lcov_has_a_count_for_each_line_of_the_file() -> Result {
    let mut queue = covered()?;
    let line = |text: &str| {
        let source = include_str!("../rtl/record_queue.sv");
        source
            .lines()
            .position(|l| l.contains(text))
            .expect("the source has it")
            + 1
    };
    let write = line("mem[write_q] <= ");
    let cover = line("cover (full);");
    queue.push(1)?;
    queue.push(2)?;
    let lcov = queue.lcov();
    assert!(lcov.contains("SF:rtl/record_queue.sv\n"), "{lcov}");
    assert!(lcov.contains(&format!("DA:{write},2\n")), "{lcov}");
    assert!(lcov.contains(&format!("DA:{cover},0\n")), "{lcov}");
    assert!(lcov.ends_with("end_of_record\n"), "{lcov}");
    for word in 3..5 {
        queue.push(word)?;
    }
    queue.cycle()?;
    assert!(queue.lcov().contains(&format!("DA:{cover},1\n")));
    Ok(())
}

#[test]
fn a_bit_counts_its_changes_unless_its_signal_is_too_wide() -> Result {
    let mut queue = RecordQueue::with_variant(Variant::Toggle)?;
    queue.reset()?;
    for word in [0b101, 0b001, 0b101] {
        queue.push(word)?;
    }
    let points = queue.cover_points();
    let changes = |bit: &str| {
        let is_bit =
            |p: &verilated::CoverPoint| p.page.starts_with("v_toggle/") && p.comment == bit;
        let index = points.iter().position(|p| p.as_ref().is_some_and(is_bit));
        index.map(|index| queue.coverage()[index])
    };
    let word = ["word_i[0]", "word_i[1]", "word_i[2]"].map(changes);
    assert_eq!(word, [Some(1), Some(0), Some(3)]);
    assert_eq!(changes("stamp_i[0]"), None);
    Ok(())
}

#[test]
fn other_variants_have_no_counters() {
    let queue = RecordQueue::new();
    assert!(queue.coverage().is_empty());
    assert!(queue.cover_points().is_empty());
}
