//! The pins of a home slice alone: `rtl/home_top.sv`.

use super::{HomeView, PortAnswer, Variant};
use crate::coverage::Counted;
use crate::link::{trace_failure, trace_from_now};
use crate::{Failure, FailureKind};
use flits::{LinkWord, NodeId};
use std::ops::Range;
use std::path::Path;
use verilated::Clocked;

verilated::model!(home4);
crate::home_model!(Home4);

/// Ports of the chip that the home alone believes to be on, each with a node.
pub const HOME_PORTS: usize = 4;
/// Sets of its directory; the set of a line is its address in lines, modulo this.
pub const HOME_SETS: usize = 2;

/// Cycles that the reset is held.
const RESET_CYCLES: u32 = 4;

/// All inputs of a home in one cycle.
#[derive(Debug, Clone, Default)]
pub struct HomeInputs {
    /// A word on its link: REQ, RSP or DAT, against a credit.
    pub rx: Option<LinkWord>,
    /// The SnpResp or CompAck that comes in at each port.
    pub answers: [Option<PortAnswer>; HOME_PORTS],
    /// Credits for words of the home, one bit a class.
    pub tx_credit: u8,
    /// The memory that its MEM packets go to.
    pub memory: NodeId,
}

/// All outputs of a home after a clock edge.
#[derive(Debug, Clone, Default)]
pub struct HomeOutputs {
    /// The word that leaves.
    pub tx: Option<LinkWord>,
    /// Credits for words to the home, one bit a class.
    pub rx_credit: u8,
    /// The home has dropped something that nobody waits for.
    pub dropped: bool,
}

/// A home slice alone.
pub trait HomeSlice {
    /// Asserts the reset for a few cycles and releases it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn reset(&mut self) -> Result<(), Failure>;

    /// One clock cycle: `inputs` are stable around the rising edge, `outputs` are those after it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    fn clock(&mut self, inputs: &HomeInputs, outputs: &mut HomeOutputs) -> Result<(), Failure>;

    /// What it took and sent at the last clock edge; `false` if that was nothing.
    fn view(&self, view: &mut HomeView) -> bool;

    /// Coverage counters; empty where none are compiled in.
    fn coverage(&self) -> &[u32];

    /// Writes a VCD file from now on; with a window, only of those cycles from now.
    ///
    /// # Errors
    /// If the variant has no waves or the file cannot be written.
    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure>;

    /// Ends the VCD file, if one is being written.
    ///
    /// # Errors
    /// If it could not be written.
    fn trace_close(&mut self) -> Result<(), Failure>;
}

/// A model with the pins of `home_top`; [`home_model!`](crate::home_model) implements it.
pub trait HomeModel: Clocked + 'static {
    /// Puts the model in reset, or takes it out.
    fn set_reset(&mut self, reset: bool);
    /// Sets the pins for the next clock edge.
    fn set_inputs(&mut self, inputs: &HomeInputs);
    /// Reads what the pins show.
    fn get_outputs(&self, outputs: &mut HomeOutputs);
    /// Not 0 if there is something to see.
    fn homes_at_work(&self) -> u8;
    /// What is to be seen of home `slice`, which is 0.
    fn view_home(&self, slice: usize, view: &mut HomeView);
}

/// The Verilated home with 4 ports, 2 sets of 2 ways and 4 trackers.
///
/// # Errors
/// If it is not built in that variant.
pub fn home_alone(variant: Variant) -> Result<Box<dyn HomeSlice>, Failure> {
    home_of::<Home4>(variant)
}

/// A Verilated model as a home.
///
/// # Errors
/// If it is not built in that variant.
pub fn home_of<M: HomeModel>(variant: Variant) -> Result<Box<dyn HomeSlice>, Failure> {
    match Counted::<M>::new(variant) {
        Ok(model) => Ok(Box::new(Rtl(model))),
        Err(error) => Err(Failure::new(0, FailureKind::Setup, error.to_string())),
    }
}

struct Rtl<M: HomeModel>(Counted<M>);

impl<M: HomeModel> Rtl<M> {
    fn cycle(&mut self) -> Result<(), Failure> {
        (self.0.cycle()).map_err(|failure| {
            Failure::new(self.0.cycles(), FailureKind::Assertion, failure.to_string())
        })
    }
}

impl<M: HomeModel> HomeSlice for Rtl<M> {
    fn reset(&mut self) -> Result<(), Failure> {
        self.0.set_reset(true);
        self.0.set_inputs(&HomeInputs::default());
        for _ in 0..RESET_CYCLES {
            self.cycle()?;
        }
        self.0.set_reset(false);
        Ok(())
    }

    fn clock(&mut self, inputs: &HomeInputs, outputs: &mut HomeOutputs) -> Result<(), Failure> {
        self.0.set_inputs(inputs);
        self.cycle()?;
        self.0.get_outputs(outputs);
        Ok(())
    }

    fn view(&self, view: &mut HomeView) -> bool {
        let works = self.0.homes_at_work() != 0;
        if works {
            self.0.view_home(0, view);
        }
        works
    }

    fn coverage(&self) -> &[u32] {
        self.0.coverage()
    }

    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        trace_from_now(&mut *self.0, path, window)
    }

    fn trace_close(&mut self) -> Result<(), Failure> {
        self.0.trace_close().map_err(trace_failure)
    }
}

/// Implements [`HomeModel`](crate::dut::HomeModel) for a model with the pins of `home_top`.
#[macro_export]
macro_rules! home_model {
    ($model:ty) => {
        impl $crate::dut::HomeModel for $model {
            fn set_reset(&mut self, reset: bool) {
                self.set_rst_ni(u8::from(!reset));
            }

            #[inline]
            fn set_inputs(&mut self, inputs: &$crate::dut::HomeInputs) {
                self.set_rx_valid_i(inputs.rx.is_some().into());
                if let Some(word) = &inputs.rx {
                    self.set_rx_i(&$crate::dut::word_to_pins(word));
                }
                let mut valid = 0;
                for (port, answer) in inputs.answers.iter().enumerate() {
                    if let Some(answer) = answer {
                        valid |= 1 << port;
                        self.set_answer_i(port, answer.to_pins());
                    }
                }
                self.set_answer_valid_i(valid);
                self.set_tx_credit_i(inputs.tx_credit);
                self.set_memory_i(inputs.memory.into());
            }

            #[inline]
            fn get_outputs(&self, outputs: &mut $crate::dut::HomeOutputs) {
                outputs.tx = match self.tx_valid_o() {
                    0 => None,
                    _ => $crate::dut::word_from_pins(self.tx_o()),
                };
                outputs.rx_credit = self.rx_credit_o();
                outputs.dropped = self.dropped_o() != 0;
            }

            $crate::home_view! { $crate::dut::HOME_PORTS }
        }
    };
}
