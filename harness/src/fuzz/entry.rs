//! Functions of bytes, as libFuzzer and its like call them.
//!
//! ```no_run
//! // fuzz/fuzz_targets/switch.rs of a crate for cargo-fuzz:
//! // libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::fuzz::entry::switch(data));
//! harness::fuzz::entry::switch(b"any bytes");
//! ```
//!
//! Bytes that are the text of a stimulus file are that stimulus. Of all others the first eight are the
//! seed of one, and each eight after them that of a change to it, so that every input is a stimulus, and
//! one with a few bytes more is that stimulus changed once more. A function returns for a run without violations and panics with the failure and the stimulus
//! otherwise. Each thread has a model of its own, which is reset from call to call.

use std::cell::RefCell;

use flits::stimulus::Stimulus;

use super::Target;
use super::mutate::mutate;
use crate::sim::stream;

/// Most changes that bytes can ask for.
const CHANGES: usize = 64;

thread_local! {
    static SWITCH: RefCell<Option<Target>> = const { RefCell::new(None) };
    static HOSTILE: RefCell<Option<Target>> = const { RefCell::new(None) };
}

/// The switch of 4 ports in which everything is scarce.
///
/// # Panics
/// If the run fails, with the failure and the stimulus.
pub fn switch(data: &[u8]) {
    SWITCH.with_borrow_mut(|target| call(target, data, false));
}

/// The same with a device that sends what it likes.
///
/// # Panics
/// As [`switch`].
pub fn hostile(data: &[u8]) {
    HOSTILE.with_borrow_mut(|target| call(target, data, true));
}

fn call(slot: &mut Option<Target>, data: &[u8], hostile: bool) {
    let target = match slot {
        Some(target) => target,
        None => match Target::switch(crate::dut::TIGHT_PORTS, hostile) {
            Ok(target) => slot.insert(target),
            Err(failure) => panic!("{failure}"),
        },
    };
    let Some(stimulus) = stimulus(target, data) else {
        return;
    };
    if let Some(failure) = target.run(&stimulus).failure {
        panic!("{failure}\n{}", stimulus.to_text());
    }
}

/// The stimulus that bytes stand for.
fn stimulus(target: &Target, data: &[u8]) -> Option<Stimulus> {
    let text = std::str::from_utf8(data).ok();
    let written = text.and_then(|text| Stimulus::parse("input", text).ok());
    if let Some(stimulus) = written.filter(|s| s.config.ports == target.ports()) {
        return Some(stimulus);
    }
    let draws = target.draws();
    let mut seeds = data.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    });
    let mut stimulus = draws.stimulus(seeds.next().unwrap_or(0))?;
    for seed in seeds.take(CHANGES) {
        mutate(&mut stimulus, None, &draws, &mut stream(seed, "bytes"));
    }
    Some(stimulus)
}
