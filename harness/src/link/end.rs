//! The Verilated end of a link.

use super::word::WireWord;
use crate::coverage::Counted;
use crate::dut::Variant;
use crate::{Failure, FailureKind};
use flits::{Class, Flit, LinkWord};
use std::ops::Range;
use std::path::Path;
use verilated::{Clocked, Model};

verilated::model!(plain_link_end);
verilated::model!(tight_link_end);

/// Cycles that the reset is held.
pub(super) const RESET_CYCLES: u32 = 4;

/// What goes into a link end in one cycle.
#[derive(Debug, Clone, Default)]
pub struct EndInputs {
    /// A word of the core.
    pub tx: Option<LinkWord>,
    /// Credits of the core for words to it, one bit a class.
    pub rx_credit: u8,
    /// From the wire.
    pub wire: WireWord,
}

/// What a link end shows after a clock edge.
#[derive(Debug, Clone, Default)]
pub struct EndOutputs {
    /// A word for the core.
    pub rx: Option<LinkWord>,
    /// Credits for words of the core, one bit a class.
    pub tx_credit: u8,
    /// To the wire.
    pub wire: WireWord,
    /// The link is trained.
    pub up: bool,
    /// The link has been given up.
    pub dead: bool,
    /// What happened in this cycle.
    pub events: Events,
}

/// The event pins of a link end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events(u8);

/// Event pins of a link end.
pub const EVENTS: usize = 5;

impl Events {
    /// The pins as a number: dead, retrain, timeout, replay, crc_error from bit 0.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// A word was not what had been sent.
    pub fn crc_error(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Flits are sent again.
    pub fn replay(self) -> bool {
        self.0 & 8 != 0
    }

    /// Flits are sent again because no acknowledgement came.
    pub fn timeout(self) -> bool {
        self.0 & 4 != 0
    }

    /// The link was lost and is trained.
    pub fn retrain(self) -> bool {
        self.0 & 2 != 0
    }
}

/// Something with the pins of `link_end`.
pub trait LinkEnd {
    /// Asserts the reset for a few cycles and releases it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn reset(&mut self) -> Result<(), Failure>;

    /// One clock cycle: `inputs` are stable around the rising edge, `outputs` are those after it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn clock(&mut self, inputs: &EndInputs, outputs: &mut EndOutputs) -> Result<(), Failure>;

    /// Coverage counters; empty where none are compiled in.
    fn coverage(&self) -> &[u32];

    /// Writes a VCD file from now on; with a window, only of those cycles from now.
    ///
    /// # Errors
    /// If the variant has no waves or the file cannot be written.
    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure>;

    /// Ends the VCD file.
    ///
    /// # Errors
    /// If the file could not be written.
    fn trace_close(&mut self) -> Result<(), Failure>;
}

/// The link end of the switch.
///
/// # Errors
/// If it is not built in that variant.
pub fn verilated(variant: Variant) -> Result<Box<dyn LinkEnd>, Failure> {
    match Counted::<PlainLinkEnd>::new(variant) {
        Ok(model) => Ok(Box::new(Rtl(model))),
        Err(error) => Err(Failure::new(0, FailureKind::Setup, error.to_string())),
    }
}

/// A link end whose sequence numbers have three bits and whose window is the largest for that, with
/// short timeouts: numbers wrap all the time.
///
/// # Errors
/// If it is not built in that variant.
pub fn tight(variant: Variant) -> Result<Box<dyn LinkEnd>, Failure> {
    match Counted::<TightLinkEnd>::new(variant) {
        Ok(model) => Ok(Box::new(Rtl(model))),
        Err(error) => Err(Failure::new(0, FailureKind::Setup, error.to_string())),
    }
}

struct Rtl<M: Clocked>(Counted<M>);

impl<M: Clocked> Rtl<M> {
    fn cycle(&mut self) -> Result<(), Failure> {
        (self.0.cycle()).map_err(|error| Failure::new(0, FailureKind::Assertion, error.to_string()))
    }
}

/// Writes waves of a model from now on; with a window, only of those cycles from now.
pub(crate) fn trace_from_now(
    model: &mut impl Clocked,
    path: &Path,
    window: Option<Range<u64>>,
) -> Result<(), Failure> {
    let begin = model.cycles();
    let opened = match window {
        None => model.trace_open(path),
        Some(cycles) => model.trace_open_cycles(path, cycles.start + begin..cycles.end + begin),
    };
    opened.map_err(trace_failure)
}

pub(crate) fn trace_failure(error: verilated::TraceError) -> Failure {
    Failure::new(0, FailureKind::Setup, error.to_string())
}

macro_rules! rtl_link_end {
    ($model:ty) => {
        impl LinkEnd for Rtl<$model> {
            fn reset(&mut self) -> Result<(), Failure> {
                self.0.set_rst_ni(0);
                self.0.set_tx_i(&[0; 5]);
                self.0.set_wire_i(&[0; 6]);
                self.0.set_rx_credit_i(0);
                for _ in 0..RESET_CYCLES {
                    self.cycle()?;
                }
                self.0.set_rst_ni(1);
                Ok(())
            }

            fn clock(
                &mut self,
                inputs: &EndInputs,
                outputs: &mut EndOutputs,
            ) -> Result<(), Failure> {
                let model = &mut self.0;
                match &inputs.tx {
                    Some(word) => model.set_tx_i(&to_words(word)),
                    None => model.update_tx_i(|words| words[4] = 0),
                }
                model.set_rx_credit_i(inputs.rx_credit);
                if inputs.wire.valid() {
                    model.set_wire_i(&inputs.wire.to_words());
                } else {
                    model.update_wire_i(|words| words[5] = 0);
                }
                self.cycle()?;
                let model = &self.0;
                outputs.rx = from_words(model.rx_o());
                outputs.tx_credit = model.tx_credit_o();
                outputs.wire = if model.wire_o()[5] >> 17 & 1 != 0 {
                    WireWord::from_words(model.wire_o())
                } else {
                    WireWord::default()
                };
                outputs.up = model.up_o() != 0;
                outputs.dead = model.dead_o() != 0;
                outputs.events = Events(model.events_o());
                Ok(())
            }

            fn coverage(&self) -> &[u32] {
                self.0.coverage()
            }

            fn trace_open(
                &mut self,
                path: &Path,
                window: Option<Range<u64>>,
            ) -> Result<(), Failure> {
                trace_from_now(&mut *self.0, path, window)
            }

            fn trace_close(&mut self) -> Result<(), Failure> {
                self.0.trace_close().map_err(trace_failure)
            }
        }
    };
}

rtl_link_end!(PlainLinkEnd);
rtl_link_end!(TightLinkEnd);

/// A word as the packed `link_word_t`: the flit, then tail, head, class and valid.
fn to_words(word: &LinkWord) -> [u32; 5] {
    let [a, b, c, d] = word.flit.to_words();
    let class = u32::from(word.class.code());
    let sideband = u32::from(word.tail) | u32::from(word.head) << 1 | class << 2 | 1 << 5;
    [a, b, c, d, sideband]
}

/// The word of a packed `link_word_t`, if it is valid.
fn from_words(words: &[u32; 5]) -> Option<LinkWord> {
    let [a, b, c, d, sideband] = *words;
    if sideband >> 5 & 1 == 0 {
        return None;
    }
    Some(LinkWord {
        class: Class::from_code(sideband as u8 >> 2 & 7)?,
        head: sideband >> 1 & 1 != 0,
        tail: sideband & 1 != 0,
        flit: Flit::from_words([a, b, c, d]),
    })
}
