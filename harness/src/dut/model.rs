//! The Verilated models of the switch.

use super::{HomeView, Inputs, Outputs, Saved, Switch};
use crate::coverage::Counted;
use crate::wave::tracks;
use crate::{Failure, FailureKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use verilated::Clocked;
pub use verilated::Variant;

verilated::model!(switch4);
verilated::model!(switch8);
verilated::model!(switch16);
verilated::model!(tight_switch);
verilated::model!(chip8);
verilated::model!(chip16);
verilated::model!(tight_chip);

/// Cycles that the reset is held.
const RESET_CYCLES: u32 = 4;

/// The Verilated switch with `ports` ports.
///
/// # Errors
/// If that model is not built in that variant.
pub fn verilated(ports: usize, variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    match ports {
        4 => rtl::<Switch4>(variant),
        8 => rtl::<Switch8>(variant),
        16 => rtl::<Switch16>(variant),
        _ => Err(setup(format!(
            "there is no model of a switch with {ports} ports; 4, 8, 16 exist"
        ))),
    }
}

/// The Verilated switch with 4 ports in which buffers, trackers and directory are as small as they
/// can be, and the homes are four.
///
/// # Errors
/// If it is not built in that variant.
pub fn tight(variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    rtl::<TightSwitch>(variant)
}

/// A chip of a system of several, with 8 or 16 ports: half of them for devices, of 64 in all.
///
/// # Errors
/// If that model is not built in that variant.
pub fn chip_of_system(ports: usize, variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    match ports {
        8 => rtl::<Chip8>(variant),
        16 => rtl::<Chip16>(variant),
        _ => Err(setup(format!(
            "there is no model of a chip with {ports} ports; 8, 16 exist"
        ))),
    }
}

/// As [`tight`], but a chip of a system of several: two ports are for devices.
///
/// # Errors
/// If it is not built in that variant.
pub fn tight_chip_of_system(variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    rtl::<TightChip>(variant)
}

/// Ports of [`tight`].
pub const TIGHT_PORTS: usize = 4;

/// A model with the pins of `switch_core`; [`switch_model!`](crate::switch_model) implements it.
pub trait SwitchModel: Clocked + 'static {
    /// Number of ports.
    const SIZE: usize;

    /// Puts the model in reset, or takes it out, with nothing on the other pins that matters.
    fn set_reset(&mut self, reset: bool);

    /// Sets the pins for the next clock edge.
    fn set_inputs(&mut self, inputs: &Inputs);

    /// Reads what the pins show; the answer to a register access only if there is one.
    fn get_outputs(&self, apb: bool, outputs: &mut Outputs);

    /// See [`Switch::homes_at_work`].
    fn homes_at_work(&self) -> u8 {
        0
    }

    /// See [`Switch::view_home`].
    fn view_home(&self, _slice: usize, _view: &mut HomeView) {}
}

/// A Verilated model as a switch.
///
/// # Errors
/// If it is not built in that variant.
pub fn rtl<M: SwitchModel>(variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    match Counted::<M>::new(variant) {
        Ok(model) => Ok(Box::new(Rtl {
            model,
            offset: 0,
            trace: None,
        })),
        Err(error) => Err(setup(error.to_string())),
    }
}

/// A model and when its reset ended.
struct Rtl<M: SwitchModel> {
    model: Counted<M>,
    /// Cycles of the model before cycle 0 of the switch.
    offset: u64,
    /// The VCD file that is being written, and the offset when it began.
    trace: Option<(PathBuf, u64)>,
}

/// A waveform that nobody has closed still gets its tracks.
impl<M: SwitchModel> Drop for Rtl<M> {
    fn drop(&mut self) {
        // Nobody is left to be told of an error.
        let _ = self.trace_close();
    }
}

impl<M: SwitchModel> Rtl<M> {
    fn cycle(&mut self) -> Result<(), Failure> {
        self.model.cycle().map_err(|failure| {
            let cycle = self.model.cycles().saturating_sub(self.offset);
            Failure::new(cycle, FailureKind::Assertion, failure.to_string())
        })
    }
}

impl<M: SwitchModel> Switch for Rtl<M> {
    fn ports(&self) -> usize {
        M::SIZE
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.model.set_reset(true);
        for _ in 0..RESET_CYCLES {
            self.cycle()?;
        }
        self.model.set_reset(false);
        self.offset = self.model.cycles();
        Ok(())
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.model.set_inputs(inputs);
        self.cycle()?;
        self.model.get_outputs(inputs.apb.is_some(), outputs);
        Ok(())
    }

    fn homes_at_work(&self) -> u8 {
        self.model.homes_at_work()
    }

    fn view_home(&self, slice: usize, view: &mut HomeView) {
        self.model.view_home(slice, view);
    }

    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        let opened = match window {
            None => self.model.trace_open(path),
            Some(cycles) => {
                let cycles = cycles.start + self.offset..cycles.end + self.offset;
                self.model.trace_open_cycles(path, cycles)
            }
        };
        opened.map_err(|error| setup(error.to_string()))?;
        self.trace = Some((path.to_path_buf(), self.offset));
        Ok(())
    }

    fn trace_close(&mut self) -> Result<(), Failure> {
        self.model
            .trace_close()
            .map_err(|error| setup(error.to_string()))?;
        let Some((path, offset)) = self.trace.take() else {
            return Ok(());
        };
        tracks::add(&path, offset)
            .map_err(|error| setup(format!("{}: no tracks: {error}", path.display())))
    }

    fn save(&self) -> Option<Saved> {
        Some(Saved {
            state: self.model.save()?,
            cycles: self.model.cycles() - self.offset,
        })
    }

    fn restore(&mut self, saved: &Saved) {
        self.model.restore(&saved.state);
        self.offset = self.model.cycles().saturating_sub(saved.cycles);
    }

    fn coverage(&self) -> &[u32] {
        self.model.coverage()
    }

    fn lcov(&self) -> String {
        self.model.lcov()
    }
}

/// A number in the form in which a port of a model holds it.
#[doc(hidden)]
pub trait Pins {
    fn to_wide(self) -> u128;
}

macro_rules! scalar_pins {
    ($($int:ty),+) => { $(
        impl Pins for $int {
            fn to_wide(self) -> u128 {
                self.into()
            }
        }
    )+ };
}
scalar_pins!(u8, u16, u32, u64);

impl<const N: usize> Pins for &[u32; N] {
    fn to_wide(self) -> u128 {
        self.iter()
            .rev()
            .fold(0, |wide, &word| (wide << 32) | u128::from(word))
    }
}

/// What both kinds of models with a view of homes have: the functions that read it.
#[doc(hidden)]
#[macro_export]
macro_rules! home_view {
    ($ports:expr) => {
        #[inline]
        fn homes_at_work(&self) -> u8 {
            self.home_rx_valid_o()
                | self.home_tx_valid_o()
                | self.home_answers_valid_o()
                | self.home_event_valid_o()
                | self.home_retire_valid_o()
        }

        #[inline]
        fn view_home(&self, slice: usize, view: &mut $crate::dut::HomeView) {
            use $crate::dut::{HomeEvent, PortAnswer, word_from_pins};
            let has = |pins: u8| pins >> slice & 1 != 0;
            view.rx = match has(self.home_rx_valid_o()) {
                true => word_from_pins(self.home_rx_o(slice)),
                false => None,
            };
            view.tx = match has(self.home_tx_valid_o()) {
                true => word_from_pins(self.home_tx_o(slice)),
                false => None,
            };
            view.event = has(self.home_event_valid_o())
                .then(|| HomeEvent::from_pins(self.home_event_o(slice)));
            view.retired = has(self.home_retire_valid_o()).then(|| self.home_retire_o(slice));
            view.answers.clear();
            if has(self.home_answers_valid_o()) {
                let ports = u64::from(self.home_answers_o(slice));
                let taken = (0..$ports).filter(|port| ports >> port & 1 != 0);
                let answer = |port| PortAnswer::from_pins(self.port_answer_o(port));
                view.answers.extend(taken.map(answer));
            }
        }
    };
}

/// Implements [`SwitchModel`](crate::dut::SwitchModel) for a model with the pins of `switch_core`:
/// how many ports it has, and a closure that turns credit pulses, or events of links, into what the
/// setter of their pins takes; with `watched` before, for one with the pins of `watched_switch`.
#[macro_export]
macro_rules! switch_model {
    (watched $model:ty, $ports:expr, |$wide:ident| $credit:expr) => {
        $crate::switch_model! { @ $model, $ports, |$wide| $credit,
            $crate::home_view! { $ports }
        }
    };
    ($model:ty, $ports:expr, |$wide:ident| $credit:expr) => {
        $crate::switch_model! { @ $model, $ports, |$wide| $credit, }
    };
    (@ $model:ty, $ports:expr, |$wide:ident| $credit:expr, $($view:tt)*) => {
        impl $crate::dut::SwitchModel for $model {
            const SIZE: usize = $ports;

            fn set_reset(&mut self, reset: bool) {
                self.set_rst_ni(u8::from(!reset));
                self.set_rx_valid_i(0);
                self.set_output_dead_i(0);
                let $wide = 0u128;
                self.set_tx_credit_i($credit);
                self.set_link_events_i($credit);
                self.set_psel_i(0);
                self.set_penable_i(0);
            }

            #[inline]
            fn set_inputs(&mut self, inputs: &$crate::dut::Inputs) {
                let rx = &inputs.rx;
                self.set_rx_valid_i(rx.valid as _);
                if rx.valid != 0 {
                    self.set_rx_class_i(rx.class as _);
                    self.set_rx_head_i(rx.head as _);
                    self.set_rx_tail_i(rx.tail as _);
                    self.update_rx_flit_i(|words| rx.flits_to(words));
                }
                let $wide = inputs.tx_credit.0;
                self.set_tx_credit_i($credit);
                self.set_output_dead_i(inputs.dead as _);
                let $wide = inputs.link_events;
                self.set_link_events_i($credit);
                if let Some(request) = inputs.apb {
                    self.set_psel_i(1);
                    self.set_penable_i(request.enable.into());
                    self.set_paddr_i(request.addr);
                    self.set_pwrite_i(request.write.is_some().into());
                    self.set_pwdata_i(request.write.unwrap_or(0));
                    self.set_pstrb_i(0xf);
                } else {
                    self.set_psel_i(0);
                    self.set_penable_i(0);
                }
            }

            #[inline]
            fn get_outputs(&self, apb: bool, outputs: &mut $crate::dut::Outputs) {
                use $crate::dut::Pins;
                outputs.rx_credit.0 = self.rx_credit_o().to_wide();
                let tx = &mut outputs.tx;
                tx.valid = self.tx_valid_o().into();
                if tx.valid != 0 {
                    tx.class = self.tx_class_o().into();
                    tx.head = self.tx_head_o().into();
                    tx.tail = self.tx_tail_o().into();
                    tx.flits_from(self.tx_flit_o());
                }
                if apb {
                    outputs.apb.ready = self.pready_o() != 0;
                    outputs.apb.data = self.prdata_o();
                    outputs.apb.error = self.pslverr_o() != 0;
                }
            }

            $($view)*
        }
    };
}

switch_model!(watched Switch4, 4, |wide| wide as u32);
switch_model!(watched TightSwitch, TIGHT_PORTS, |wide| wide as u32);
switch_model!(watched TightChip, TIGHT_PORTS, |wide| wide as u32);
switch_model!(watched Switch8, 8, |wide| wide as u64);
switch_model!(watched Switch16, 16, |wide| &[
    wide as u32,
    (wide >> 32) as u32,
    (wide >> 64) as u32
]);
switch_model!(watched Chip8, 8, |wide| wide as u64);
switch_model!(watched Chip16, 16, |wide| &[
    wide as u32,
    (wide >> 32) as u32,
    (wide >> 64) as u32
]);

fn setup(text: String) -> Failure {
    Failure::new(0, FailureKind::Setup, text)
}
