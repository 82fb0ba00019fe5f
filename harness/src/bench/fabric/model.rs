//! The Verilated fabric.

use crate::coverage::Counted;
use crate::dut::{CLASSES, TIGHT_PORTS};
use crate::link::{trace_failure, trace_from_now};
use crate::{Failure, FailureKind};
use flits::{Class, Flit, LinkWord};
use std::ops::Range;
use std::path::Path;
use verilated::{Clocked, Port, Variant, VariantError};

verilated::model!(fabric4);
verilated::model!(fabric8);
verilated::model!(fabric16);
verilated::model!(small_fabric);

/// Cycles that the reset is held.
const RESET_CYCLES: u32 = 4;

/// A model of the fabric and what is on its pins.
///
/// Inputs keep what they were given until [`Fabric::cycle`], which takes them; outputs are those after
/// the clock edge.
pub struct Fabric {
    pins: Box<dyn Pins>,
    ports: usize,
    valid: u32,
    head: u32,
    tail: u32,
    credits: [u8; 16],
}

impl Fabric {
    /// The fabric with 4, 8 or 16 ports, after reset.
    ///
    /// # Errors
    /// If there is no such model, or an assertion of it fires.
    pub fn new(ports: usize, variant: Variant) -> Result<Fabric, Failure> {
        let pins = match ports {
            4 => boxed(Counted::<Fabric4>::new(variant)),
            8 => boxed(Counted::<Fabric8>::new(variant)),
            16 => boxed(Counted::<Fabric16>::new(variant)),
            _ => Err(format!(
                "there is no model of a fabric with {ports} ports; 4, 8, 16 exist"
            )),
        };
        Fabric::of(pins, ports)
    }

    /// The fabric of the switch in which everything is scarce, after reset.
    ///
    /// # Errors
    /// As [`Fabric::new`].
    pub fn small(variant: Variant) -> Result<Fabric, Failure> {
        Fabric::of(boxed(Counted::<SmallFabric>::new(variant)), TIGHT_PORTS)
    }

    fn of(pins: Result<Box<dyn Pins>, String>, ports: usize) -> Result<Fabric, Failure> {
        let mut fabric = Fabric {
            pins: pins.map_err(|text| Failure::new(0, FailureKind::Setup, text))?,
            ports,
            valid: 0,
            head: 0,
            tail: 0,
            credits: [0; 16],
        };
        fabric.set_weights([8; CLASSES]);
        fabric.reset()?;
        Ok(fabric)
    }

    /// Resets it.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    pub fn reset(&mut self) -> Result<(), Failure> {
        (self.valid, self.credits) = (0, [0; 16]);
        self.pins.set(Pin::RstN, 0, 0);
        for _ in 0..RESET_CYCLES {
            self.cycle()?;
        }
        self.pins.set(Pin::RstN, 0, 1);
        Ok(())
    }

    /// Gives each class the words (1 to 15) that it may send in its turn at an output.
    pub fn set_weights(&mut self, weights: [u8; CLASSES]) {
        let packed = (weights.iter().enumerate()).fold(0, |packed, (class, &weight)| {
            packed | u32::from(weight & 0xf) << (4 * class)
        });
        self.pins.set(Pin::ClassWeights, 0, packed);
    }

    /// Number of ports.
    pub fn ports(&self) -> usize {
        self.ports
    }

    /// Puts a word on an input, for the outputs whose bits are set.
    pub fn put(&mut self, port: usize, word: &LinkWord, outputs: u16) {
        let bit = 1 << port;
        self.valid |= bit;
        self.head = (self.head & !bit) | u32::from(word.head) << port;
        self.tail = (self.tail & !bit) | u32::from(word.tail) << port;
        self.pins.set(Pin::RxClass, port, word.class.code().into());
        self.pins.set(Pin::RxOutputs, port, outputs.into());
        self.pins.set_flit(Pin::RxFlit, port, word.flit);
    }

    /// Returns a credit at an output.
    pub fn credit(&mut self, port: usize, class: Class) {
        self.credits[port] |= 1 << class as u8;
    }

    /// One clock cycle.
    ///
    /// # Errors
    /// If an assertion of the model fires.
    pub fn cycle(&mut self) -> Result<(), Failure> {
        self.pins.set(Pin::RxValid, 0, self.valid);
        self.pins.set(Pin::RxHead, 0, self.head);
        self.pins.set(Pin::RxTail, 0, self.tail);
        for port in 0..self.ports {
            self.pins
                .set(Pin::TxCredit, port, self.credits[port].into());
        }
        self.valid = 0;
        self.credits = [0; 16];
        self.pins.cycle()
    }

    /// The outputs that show a word, one bit each.
    pub fn valid(&self) -> u16 {
        self.pins.get(Pin::TxValid, 0) as u16
    }

    /// The word on an output, if it shows one.
    ///
    /// # Errors
    /// The class code, if it is none.
    pub fn word(&self, port: usize) -> Result<LinkWord, u8> {
        let code = self.pins.get(Pin::TxClass, port) as u8;
        Ok(LinkWord {
            class: Class::from_code(code).ok_or(code)?,
            head: self.pins.get(Pin::TxHead, 0) >> port & 1 != 0,
            tail: self.pins.get(Pin::TxTail, 0) >> port & 1 != 0,
            flit: self.pins.flit(Pin::TxFlit, port),
        })
    }

    /// The classes of which an input gives back a credit, one bit each.
    pub fn credits(&self, port: usize) -> u8 {
        self.pins.get(Pin::RxCredit, port) as u8
    }

    /// Writes a VCD file from now on; with a window, only of those cycles from now.
    ///
    /// # Errors
    /// If the variant has no waves or the file cannot be written.
    pub fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        self.pins.trace_open(path, window)
    }

    /// Ends the VCD file.
    ///
    /// # Errors
    /// If the file could not be written.
    pub fn trace_close(&mut self) -> Result<(), Failure> {
        self.pins.trace_close()
    }

    /// Coverage counters; empty where none are compiled in.
    pub fn coverage(&self) -> &[u32] {
        self.pins.coverage()
    }
}

fn boxed<M: Clocked + 'static>(
    model: Result<Counted<M>, VariantError>,
) -> Result<Box<dyn Pins>, String> {
    let model = model.map_err(|error| error.to_string())?;
    Ok(Box::new(Bound {
        ports: Pin::ALL.map(|pin| index(M::PORTS, pin.name())),
        model,
    }))
}

/// The place of a port in the list of all; the module is part of this package, so it is there.
fn index(ports: &[Port], name: &str) -> usize {
    let found = ports.iter().position(|port| port.name == name);
    found.unwrap_or_else(|| panic!("fabric_top has no port {name}"))
}

/// The pins of `fabric_top`.
#[derive(Clone, Copy)]
enum Pin {
    RstN,
    RxValid,
    RxClass,
    RxHead,
    RxTail,
    RxFlit,
    RxOutputs,
    RxCredit,
    TxValid,
    TxClass,
    TxHead,
    TxTail,
    TxFlit,
    TxCredit,
    ClassWeights,
}

impl Pin {
    const ALL: [Pin; 15] = [
        Pin::RstN,
        Pin::RxValid,
        Pin::RxClass,
        Pin::RxHead,
        Pin::RxTail,
        Pin::RxFlit,
        Pin::RxOutputs,
        Pin::RxCredit,
        Pin::TxValid,
        Pin::TxClass,
        Pin::TxHead,
        Pin::TxTail,
        Pin::TxFlit,
        Pin::TxCredit,
        Pin::ClassWeights,
    ];

    fn name(self) -> &'static str {
        match self {
            Pin::RstN => "rst_ni",
            Pin::RxValid => "rx_valid_i",
            Pin::RxClass => "rx_class_i",
            Pin::RxHead => "rx_head_i",
            Pin::RxTail => "rx_tail_i",
            Pin::RxFlit => "rx_flit_i",
            Pin::RxOutputs => "rx_outputs_i",
            Pin::RxCredit => "rx_credit_o",
            Pin::TxValid => "tx_valid_o",
            Pin::TxClass => "tx_class_o",
            Pin::TxHead => "tx_head_o",
            Pin::TxTail => "tx_tail_o",
            Pin::TxFlit => "tx_flit_o",
            Pin::TxCredit => "tx_credit_i",
            Pin::ClassWeights => "class_weights_i",
        }
    }
}

/// A model with the pins of `fabric_top`, whatever its number of ports. `element` is the port of the
/// fabric where the pin has one element a port, else 0.
trait Pins {
    fn set(&mut self, pin: Pin, element: usize, value: u32);
    fn get(&self, pin: Pin, element: usize) -> u32;
    fn set_flit(&mut self, pin: Pin, element: usize, flit: Flit);
    fn flit(&self, pin: Pin, element: usize) -> Flit;
    fn cycle(&mut self) -> Result<(), Failure>;
    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure>;
    fn trace_close(&mut self) -> Result<(), Failure>;
    fn coverage(&self) -> &[u32];
}

/// A model and where its pins are.
struct Bound<M: Clocked> {
    model: Counted<M>,
    ports: [usize; Pin::ALL.len()],
}

impl<M: Clocked> Pins for Bound<M> {
    fn set(&mut self, pin: Pin, element: usize, value: u32) {
        self.model.poke(self.ports[pin as usize], element, &[value]);
    }

    fn get(&self, pin: Pin, element: usize) -> u32 {
        let mut value = [0];
        self.model
            .peek(self.ports[pin as usize], element, &mut value);
        value[0]
    }

    fn set_flit(&mut self, pin: Pin, element: usize, flit: Flit) {
        self.model
            .poke(self.ports[pin as usize], element, &flit.to_words());
    }

    fn flit(&self, pin: Pin, element: usize) -> Flit {
        let mut words = [0; 4];
        self.model
            .peek(self.ports[pin as usize], element, &mut words);
        Flit::from_words(words)
    }

    fn cycle(&mut self) -> Result<(), Failure> {
        self.model.cycle().map_err(|failure| {
            let cycle = self.model.cycles();
            Failure::new(cycle, FailureKind::Assertion, failure.to_string())
        })
    }

    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        trace_from_now(&mut *self.model, path, window)
    }

    fn trace_close(&mut self) -> Result<(), Failure> {
        self.model.trace_close().map_err(trace_failure)
    }

    fn coverage(&self) -> &[u32] {
        self.model.coverage()
    }
}

/// All classes, one bit each.
pub(super) const ALL_CLASSES: u8 = (1 << CLASSES) - 1;
