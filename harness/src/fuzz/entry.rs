//! Functions of bytes, as libFuzzer and its like call them.
//!
//! ```no_run
//! // fuzz/fuzz_targets/switch.rs of a crate for cargo-fuzz:
//! // libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::fuzz::entry::switch(data));
//! harness::fuzz::entry::switch(b"any bytes");
//! ```
//!
//! Bytes that are the text of a stimulus file are that stimulus; all others are what chance is drawn
//! from, so that every input is a stimulus and small changes of it are small changes of that. A
//! function returns for a run without violations and panics with the failure and the stimulus
//! otherwise. Each thread has a model of its own, which is reset from call to call.

use std::cell::RefCell;

use flits::stimulus::Stimulus;

use super::{Source, Target};

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
    written
        .filter(|stimulus| stimulus.config.ports == target.ports())
        .or_else(|| target.draws().stimulus(Source::Bytes(data)))
}
