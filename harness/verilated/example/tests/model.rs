//! Instances beside each other, on threads, and what the RTL reports.

use verilated::{Clocked, Dir, FailureKind, Model, Variant};
use verilated_example::{DeepQueue, Oscillator, RecordQueue};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn line_of(text: &str) -> u32 {
    let source = include_str!("../rtl/record_queue.sv");
    let line = source.lines().position(|line| line.contains(text));
    line.map_or_else(|| panic!("the source has {text}"), |line| line as u32 + 1)
}

#[test]
fn models_with_other_parameters_live_beside_each_other() -> Result {
    let mut small = RecordQueue::ready()?;
    let mut deep = DeepQueue::new();
    deep.cycle()?;
    deep.set_rst_ni(1);
    deep.set_push_i(1);
    for word in 0..9 {
        deep.set_word_i(100 + word);
        deep.cycle()?;
        if word < 4 {
            small.push(word)?;
        }
    }
    assert!(deep.cycle().is_err(), "the tenth record is too much for 9");
    assert!(small.push(9).is_err(), "the fifth record is too much for 4");
    assert_eq!((small.word_o(), deep.word_o()), (0, 100));
    assert_eq!(deep.payload_o().len(), 10);
    Ok(())
}

#[test]
fn instances_of_one_model_are_independent() -> Result {
    let mut first = RecordQueue::ready()?;
    let mut second = RecordQueue::ready()?;
    first.push(1)?;
    second.push(2)?;
    second.push(3)?;
    assert_eq!(first.pop()?, Some(1));
    assert_eq!(first.pop()?, None);
    assert_eq!(second.pop()?, Some(2));
    assert_eq!(second.pop()?, Some(3));
    assert_ne!(first.time(), second.time());
    Ok(())
}

#[test]
fn a_model_that_is_put_back_goes_on_as_it_did_then() -> Result {
    for variant in [Variant::Fast, Variant::Cov, Variant::Wave] {
        let mut queue = RecordQueue::with_variant(variant)?;
        queue.reset()?;
        queue.push(1)?;
        queue.push(2)?;
        let saved = queue.save().expect("it is built to be saved");
        let after =
            |queue: &mut RecordQueue| -> std::result::Result<_, Box<dyn std::error::Error>> {
                queue.push(3)?;
                Ok([queue.pop()?, queue.pop()?, queue.pop()?, queue.pop()?])
            };
        let first = after(&mut queue)?;
        assert_eq!(first, [Some(1), Some(2), Some(3), None]);
        let (time, counted) = (queue.time(), queue.coverage().to_vec());
        queue.restore(&saved);
        assert_eq!((queue.time(), queue.coverage()), (time, &counted[..]));
        assert_eq!(after(&mut queue)?, first, "{variant}");
    }
    assert!(DeepQueue::new().save().is_none(), "it is not");
    Ok(())
}

#[test]
#[should_panic(expected = "a snapshot of another instance")]
fn a_snapshot_is_of_use_for_its_instance_only() {
    let saved = RecordQueue::ready().expect("a queue").save();
    let mut other = RecordQueue::ready().expect("a queue");
    other.restore(&saved.expect("it is built to be saved"));
}

#[test]
fn a_model_goes_on_where_it_was_on_another_thread() -> Result {
    let mut queue = RecordQueue::ready()?;
    queue.push(1)?;
    let mut queue = std::thread::spawn(move || {
        queue.push(2).expect("there is room");
        queue
    })
    .join()
    .expect("the thread ends well");
    queue.push(3)?;
    assert_eq!(
        [queue.pop()?, queue.pop()?, queue.pop()?],
        [Some(1), Some(2), Some(3)]
    );
    Ok(())
}

#[test]
fn models_on_many_threads_do_not_disturb_each_other() {
    const THREADS: u32 = 4;
    let start = std::sync::Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for round in 0..100 {
                    let mut queue = RecordQueue::ready().expect("reset");
                    let word = |n| thread * 1000 + round * 10 + n;
                    for n in 0..4 {
                        queue.push(word(n)).expect("there is room");
                    }
                    // Failures are what models could get wrong: Verilator reports them to the
                    // thread, not to the model.
                    for _ in 0..500 {
                        let failure = queue.push(0).expect_err("the queue is full");
                        assert_eq!(failure.time, queue.time() - 1);
                    }
                    for n in 0..4 {
                        assert_eq!(queue.pop().expect("not empty"), Some(word(n)));
                    }
                }
            });
        }
    });
}

#[test]
fn a_failing_assertion_is_an_error_with_place_text_and_time() -> Result {
    let mut queue = RecordQueue::ready()?;
    for word in 0..4 {
        queue.push(word)?;
    }
    let failure = *queue.push(4).expect_err("the queue is full");
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert_eq!(failure.file, "rtl/record_queue.sv");
    assert_eq!(failure.line, line_of("push into a full queue"));
    assert_eq!(failure.scope, "TOP.record_queue");
    assert_eq!(failure.message, "push into a full queue of 4");
    assert_eq!(failure.time, 11, "rising edge of the sixth cycle");
    assert_eq!(
        failure.to_string(),
        format!(
            "rtl/record_queue.sv:{}: push into a full queue of 4 (in TOP.record_queue) at time 11",
            failure.line
        )
    );
    Ok(())
}

#[test]
fn an_assertion_without_a_text_names_its_place() -> Result {
    let mut queue = RecordQueue::ready()?;
    queue.set_pop_i(1);
    let failure = queue.cycle().expect_err("the queue is empty");
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert_eq!(failure.line, line_of("assert (!(pop_i && empty));"));
    assert!(failure.message.contains("assert"), "{failure}");
    Ok(())
}

#[test]
fn a_model_goes_on_after_a_failing_assertion() -> Result {
    let mut queue = RecordQueue::ready()?;
    for word in 0..4 {
        queue.push(word)?;
    }
    assert!(queue.push(4).is_err());
    assert!(queue.push(4).is_err(), "each evaluation reports anew");
    for word in 0..4 {
        assert_eq!(queue.pop()?, Some(word));
    }
    Ok(())
}

#[test]
fn stop_is_an_error_of_its_own_kind() -> Result {
    let mut queue = RecordQueue::ready()?;
    queue.set_stop_i(1);
    let failure = queue.cycle().expect_err("$stop was called");
    assert_eq!(
        (failure.kind, failure.line),
        (FailureKind::Stop, line_of("$stop"))
    );
    assert_eq!(failure.message, "$stop");
    Ok(())
}

#[test]
fn finish_is_a_flag_and_not_an_error() -> Result {
    let mut queue = RecordQueue::ready()?;
    assert!(!queue.finished());
    queue.set_finish_i(1);
    queue.cycle()?;
    queue.cycle()?;
    assert!(queue.finished());
    queue.finish()?;
    Ok(())
}

#[test]
fn logic_that_does_not_settle_is_an_error_and_ends_the_model() -> Result {
    let mut oscillator = Oscillator::new();
    oscillator.eval()?;
    oscillator.set_enable_i(1);
    let failure = oscillator.eval().expect_err("it oscillates");
    assert_eq!(failure.kind, FailureKind::Runtime);
    assert!(failure.message.contains("did not converge"), "{failure}");
    oscillator.set_enable_i(0);
    let failure = oscillator
        .eval()
        .expect_err("it is undefined where it stopped");
    assert!(failure.message.contains("cannot continue"), "{failure}");
    Oscillator::new().eval()?;
    Ok(())
}

#[test]
fn a_cycle_in_one_evaluation_is_the_same_as_its_two_halves() -> Result {
    let mut whole = RecordQueue::with_variant(Variant::Fast)?;
    let mut halves = RecordQueue::with_variant(Variant::Fast)?;
    let mut waves = RecordQueue::with_variant(Variant::Wave)?;
    let values = |model: &RecordQueue| -> Vec<Vec<u32>> {
        let outputs = RecordQueue::PORTS.iter().enumerate();
        let outputs = outputs.filter(|(_, port)| port.dir == Dir::Out);
        outputs
            .flat_map(|(index, port)| (0..port.elements()).map(move |e| (index, port, e)))
            .map(|(index, port, element)| {
                let mut words = vec![0; port.words()];
                model.peek(index, element, &mut words);
                words
            })
            .collect()
    };
    let mut state = 1u32;
    for cycle in 0..300 {
        for (index, port) in RecordQueue::PORTS.iter().enumerate() {
            if port.dir != Dir::In || port.name == "clk_i" {
                continue;
            }
            for element in 0..port.elements() {
                let mut words = vec![0; port.words()];
                for word in &mut words {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *word = state >> 7;
                }
                if port.name == "rst_ni" {
                    words[0] = u32::from(cycle > 3);
                }
                for model in [&mut whole, &mut halves, &mut waves] {
                    model.poke(index, element, &words);
                }
            }
        }
        // Halves between whole cycles change nothing.
        let mixed = match cycle % 5 {
            3 => whole.low().and_then(|()| whole.high()),
            _ => whole.cycle(),
        };
        let failed = [mixed.is_err(), waves.cycle().is_err()];
        let failed_halves = halves.low().and_then(|()| halves.high()).is_err();
        assert_eq!(failed, [failed_halves; 2], "cycle {cycle}");
        assert_eq!(values(&whole), values(&halves), "cycle {cycle}");
        assert_eq!(values(&whole), values(&waves), "cycle {cycle}");
        assert_eq!(whole.cycles(), halves.cycles());
    }
    Ok(())
}

#[test]
fn a_new_instance_is_at_power_on() -> Result {
    let mut used = RecordQueue::ready()?;
    used.set_kind_i(7);
    used.push(1)?;
    drop(used);
    let mut queue = RecordQueue::new();
    assert_eq!((queue.time(), queue.cycles(), queue.kind_i()), (0, 0, 0));
    queue.cycle()?;
    assert_eq!((queue.valid_o(), queue.word_o(), queue.kind_o()), (0, 0, 0));
    Ok(())
}

#[test]
fn only_variants_that_were_built_can_be_made() -> Result {
    assert_eq!(RecordQueue::new().variant(), Variant::Fast);
    for variant in [Variant::Fast, Variant::Cov, Variant::Wave] {
        assert_eq!(RecordQueue::with_variant(variant)?.variant(), variant);
    }
    let error = DeepQueue::with_variant(Variant::Wave).expect_err("not listed");
    assert_eq!(
        error.to_string(),
        "model `deep_queue` was built as fast, not as wave; add it to `.variants(..)` in build.rs"
    );
    Ok(())
}
