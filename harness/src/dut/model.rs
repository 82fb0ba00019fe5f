//! The Verilated models of the switch.

use super::{Inputs, Outputs, Switch};
use crate::{Failure, FailureKind};
use flits::Flit;
use std::ops::Range;
use std::path::Path;
pub use verilated::Variant;
use verilated::{Clocked, Model};

verilated::model!(switch4);
verilated::model!(switch8);
verilated::model!(switch16);
verilated::model!(tight_switch);
verilated::model!(chip8);
verilated::model!(chip16);
verilated::model!(tight_chip);
verilated::model!(tight_fabric);

/// Cycles that the reset is held.
const RESET_CYCLES: u32 = 4;

/// The Verilated switch with `ports` ports.
///
/// # Errors
/// If that model is not built in that variant.
pub fn verilated(ports: usize, variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    let model: Result<Box<dyn Switch>, _> = match ports {
        4 => Switch4::with_variant(variant).map(|model| Box::new(Rtl::new(model)) as _),
        8 => Switch8::with_variant(variant).map(|model| Box::new(Rtl::new(model)) as _),
        16 => Switch16::with_variant(variant).map(|model| Box::new(Rtl::new(model)) as _),
        _ => {
            let text = format!("there is no model of a switch with {ports} ports; 4, 8, 16 exist");
            return Err(setup(text));
        }
    };
    model.map_err(|error| setup(error.to_string()))
}

/// The Verilated switch with 4 ports in which buffers, trackers and directory are as small as they
/// can be, and the homes are four.
///
/// # Errors
/// If it is not built in that variant.
pub fn tight(variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    match TightSwitch::with_variant(variant) {
        Ok(model) => Ok(Box::new(Rtl::new(model))),
        Err(error) => Err(setup(error.to_string())),
    }
}

/// A chip of a system of several, with 8 or 16 ports: half of them for devices, of 64 in all.
///
/// # Errors
/// If that model is not built in that variant.
pub fn chip_of_system(ports: usize, variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    let model: Result<Box<dyn Switch>, _> = match ports {
        8 => Chip8::with_variant(variant).map(|model| Box::new(Rtl::new(model)) as _),
        16 => Chip16::with_variant(variant).map(|model| Box::new(Rtl::new(model)) as _),
        _ => {
            let text = format!("there is no model of a chip with {ports} ports; 8, 16 exist");
            return Err(setup(text));
        }
    };
    model.map_err(|error| setup(error.to_string()))
}

/// As [`tight`], but a chip of a system of several: two ports are for devices.
///
/// # Errors
/// If it is not built in that variant.
pub fn tight_chip_of_system(variant: Variant) -> Result<Box<dyn Switch>, Failure> {
    match TightChip::with_variant(variant) {
        Ok(model) => Ok(Box::new(Rtl::new(model))),
        Err(error) => Err(setup(error.to_string())),
    }
}

/// Chips as [`tight_chip_of_system`] cabled in RTL: two leaves with two devices each and a spine.
/// The registers of chip c begin at c * 4096.
///
/// # Errors
/// If it is not built.
pub fn tight_fabric() -> Result<Box<dyn Switch>, Failure> {
    match TightFabric::with_variant(Variant::Fast) {
        Ok(model) => Ok(Box::new(Rtl::new(model))),
        Err(error) => Err(setup(error.to_string())),
    }
}

/// Ports of [`tight`].
pub const TIGHT_PORTS: usize = 4;

/// A model and when its reset ended.
struct Rtl<M> {
    model: M,
    /// Cycles of the model before cycle 0 of the switch.
    offset: u64,
}

impl<M: Clocked> Rtl<M> {
    fn new(model: M) -> Self {
        Rtl { model, offset: 0 }
    }

    fn cycle(&mut self) -> Result<(), Failure> {
        self.model.cycle().map_err(|failure| {
            let cycle = self.model.cycles().saturating_sub(self.offset);
            Failure::new(cycle, FailureKind::Assertion, failure.to_string())
        })
    }
}

/// A number in the form in which a port holds it.
trait Pins {
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

/// `$credit` turns credit pulses, or events of links, into what the setter of their pins takes.
macro_rules! rtl_switch {
    ($model:ty, $ports:expr, |$wide:ident| $credit:expr) => {
        impl Switch for Rtl<$model> {
            fn ports(&self) -> usize {
                $ports
            }

            fn reset(&mut self) -> Result<(), Failure> {
                let model = &mut self.model;
                model.set_rst_ni(0);
                model.set_rx_valid_i(0);
                model.set_output_dead_i(0);
                let $wide = 0u128;
                model.set_tx_credit_i($credit);
                model.set_link_events_i($credit);
                model.set_psel_i(0);
                model.set_penable_i(0);
                for _ in 0..RESET_CYCLES {
                    self.cycle()?;
                }
                self.model.set_rst_ni(1);
                self.offset = self.model.cycles();
                Ok(())
            }

            fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
                let model = &mut self.model;
                let rx = &inputs.rx;
                model.set_rx_valid_i(rx.valid as _);
                if rx.valid != 0 {
                    model.set_rx_class_i(rx.class as _);
                    model.set_rx_head_i(rx.head as _);
                    model.set_rx_tail_i(rx.tail as _);
                    model.update_rx_flit_i(|words| {
                        for port in super::bits(rx.valid) {
                            words[4 * port..4 * port + 4]
                                .copy_from_slice(&rx.flit[port].to_words());
                        }
                    });
                }
                let $wide = inputs.tx_credit.0;
                model.set_tx_credit_i($credit);
                model.set_output_dead_i(inputs.dead as _);
                let $wide = inputs.link_events;
                model.set_link_events_i($credit);
                if let Some(request) = inputs.apb {
                    model.set_psel_i(1);
                    model.set_penable_i(request.enable.into());
                    model.set_paddr_i(request.addr);
                    model.set_pwrite_i(request.write.is_some().into());
                    model.set_pwdata_i(request.write.unwrap_or(0));
                    model.set_pstrb_i(0xf);
                } else {
                    model.set_psel_i(0);
                    model.set_penable_i(0);
                }
                self.cycle()?;
                let model = &self.model;
                outputs.rx_credit.0 = model.rx_credit_o().to_wide();
                let tx = &mut outputs.tx;
                tx.valid = model.tx_valid_o().into();
                if tx.valid != 0 {
                    tx.class = model.tx_class_o().into();
                    tx.head = model.tx_head_o().into();
                    tx.tail = model.tx_tail_o().into();
                    let words = model.tx_flit_o();
                    for port in super::bits(tx.valid) {
                        let w = &words[4 * port..4 * port + 4];
                        tx.flit[port] = Flit::from_words([w[0], w[1], w[2], w[3]]);
                    }
                }
                if inputs.apb.is_some() {
                    outputs.apb.ready = model.pready_o() != 0;
                    outputs.apb.data = model.prdata_o();
                    outputs.apb.error = model.pslverr_o() != 0;
                }
                Ok(())
            }

            fn trace_open(
                &mut self,
                path: &Path,
                window: Option<Range<u64>>,
            ) -> Result<(), Failure> {
                let opened = match window {
                    None => self.model.trace_open(path),
                    Some(cycles) => {
                        let cycles = cycles.start + self.offset..cycles.end + self.offset;
                        self.model.trace_open_cycles(path, cycles)
                    }
                };
                opened.map_err(|error| setup(error.to_string()))
            }

            fn trace_close(&mut self) -> Result<(), Failure> {
                self.model
                    .trace_close()
                    .map_err(|error| setup(error.to_string()))
            }

            fn coverage(&self) -> &[u32] {
                self.model.coverage()
            }

            fn lcov(&self) -> String {
                self.model.lcov()
            }
        }
    };
}

rtl_switch!(Switch4, 4, |wide| wide as u32);
rtl_switch!(TightSwitch, TIGHT_PORTS, |wide| wide as u32);
rtl_switch!(TightChip, TIGHT_PORTS, |wide| wide as u32);
rtl_switch!(TightFabric, TIGHT_PORTS, |wide| wide as u32);
rtl_switch!(Switch8, 8, |wide| wide as u64);
rtl_switch!(Switch16, 16, |wide| &[
    wide as u32,
    (wide >> 32) as u32,
    (wide >> 64) as u32
]);
rtl_switch!(Chip8, 8, |wide| wide as u64);
rtl_switch!(Chip16, 16, |wide| &[
    wide as u32,
    (wide >> 32) as u32,
    (wide >> 64) as u32
]);

fn setup(text: String) -> Failure {
    Failure::new(0, FailureKind::Setup, text)
}
