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
//! one with a few bytes more is that stimulus changed once more. A function returns for a run without
//! violations and panics with the failure and the stimulus otherwise. Each thread has a model of its own, which is reset from call to call.

use std::cell::RefCell;
use std::thread::LocalKey;

use flits::stimulus::{Part, Stimulus};

use super::{Alone, System, Target};
use crate::Failure;
use crate::dut::TIGHT_PORTS;
use crate::sim::stream;

/// Most changes that bytes can ask for.
const CHANGES: usize = 64;

/// A target of each thread.
type Slot = LocalKey<RefCell<Option<Box<dyn Target>>>>;

macro_rules! entries {
    ($($(#[$doc:meta])+ $name:ident = $target:expr;)+) => { $(
        $(#[$doc])+
        ///
        /// # Panics
        /// If the run fails, with the failure and the stimulus.
        pub fn $name(data: &[u8]) {
            thread_local!(static SLOT: RefCell<Option<Box<dyn Target>>> = const { RefCell::new(None) });
            call(&SLOT, data, || boxed($target));
        }
    )+ };
}

entries! {
    /// The switch of 4 ports in which everything is scarce.
    switch = System::switch(TIGHT_PORTS, false);
    /// The same with a device that sends what it likes.
    hostile = System::switch(TIGHT_PORTS, true);
    /// The fabric alone.
    fabric = Alone::new(Part::Fabric);
    /// A link alone.
    link = Alone::new(Part::Link);
    /// A home alone.
    home = Alone::new(Part::Home);
}

fn boxed(target: Result<impl Target + 'static, Failure>) -> Box<dyn Target> {
    match target {
        Ok(target) => Box::new(target),
        Err(failure) => panic!("{failure}"),
    }
}

fn call(slot: &'static Slot, data: &[u8], make: impl FnOnce() -> Box<dyn Target>) {
    slot.with_borrow_mut(|target| {
        let target = target.get_or_insert_with(make);
        let Some(stimulus) = stimulus(target.as_ref(), data) else {
            return;
        };
        if let Some(failure) = target.run(&stimulus).failure {
            panic!("{failure}\n{}", stimulus.to_text());
        }
    });
}

/// The stimulus that bytes stand for.
fn stimulus(target: &dyn Target, data: &[u8]) -> Option<Stimulus> {
    let text = std::str::from_utf8(data).ok();
    let written = text.and_then(|text| Stimulus::parse("input", text).ok());
    if let Some(stimulus) = written.filter(|s| target.takes(&s.config)) {
        return Some(stimulus);
    }
    let mut seeds = data.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    });
    let mut stimulus = target.draw(seeds.next().unwrap_or(0))?;
    for seed in seeds.take(CHANGES) {
        target.mutate(&mut stimulus, None, &mut stream(seed, "bytes"));
    }
    Some(stimulus)
}
