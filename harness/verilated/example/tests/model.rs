//! Ports, independence, threads, failures.

use verilated::{Clocked, FailureKind, Model};
use verilated_example::RecordQueue;

fn reset<M: Clocked>(model: &mut M, set_reset: impl Fn(&mut M, u8)) {
    set_reset(model, 0);
    model.cycle().unwrap();
    set_reset(model, 1);
}

fn queue() -> RecordQueue {
    let mut queue = RecordQueue::new();
    reset(&mut queue, RecordQueue::set_rst_ni);
    queue
}

fn push(queue: &mut RecordQueue, word: u32) {
    queue.set_word_i(word);
    queue.set_push_i(1);
    queue.cycle().unwrap();
    queue.set_push_i(0);
}

#[test]
fn a_port_of_any_width_carries_its_value() {
    let mut queue = queue();
    let key = [1, 2, 3, 0xffff_ffff];
    let payload = [9, 8, 7, 6, 5, 4, 0xab];
    queue.set_kind_i(0xa5);
    queue.set_tag_i(0xfed);
    queue.set_addr_i(0xfe_dcba_9876);
    queue.set_stamp_i(u64::MAX - 1);
    queue.set_key_i(&key);
    queue.set_payload_i(&payload);
    push(&mut queue, 0xdead_beef);
    assert_eq!(queue.valid_o(), 1);
    assert_eq!(queue.kind_o(), 0xa5);
    assert_eq!(queue.tag_o(), 0xfed);
    assert_eq!(queue.word_o(), 0xdead_beef);
    assert_eq!(queue.addr_o(), 0xfe_dcba_9876);
    assert_eq!(queue.stamp_o(), u64::MAX - 1);
    assert_eq!(queue.key_o(), &key);
    assert_eq!(queue.payload_o(), &payload);
}

#[test]
fn a_failing_assertion_is_an_error_with_file_line_and_text() {
    let mut queue = queue();
    for word in 0..4 {
        push(&mut queue, word);
    }
    queue.set_push_i(1);
    let failure = *queue.cycle().unwrap_err();
    println!("{failure}");
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert_eq!(failure.file, "rtl/record_queue.sv");
    assert_eq!(failure.message, "push into a full queue of 4");
    assert_eq!(failure.scope, "TOP.record_queue");
}
