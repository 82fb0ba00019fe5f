//! A switch with links on its ports to devices.

use super::cable::{Cable, CableCounts};
use super::end::{self, EVENTS};
use crate::dut::{HomeView, Inputs, Outputs, Parameters, Region, Switch, Variant};
use crate::{Failure, FailureKind};
use flits::stimulus::LinkErrors;
use std::ops::Range;
use std::path::Path;

/// A switch with links on its first ports: the pins of a port are those of the core at the node's
/// end, and the switch is at the other.
pub struct Linked {
    switch: Box<dyn Switch>,
    cables: Vec<Cable>,
    errors: LinkErrors,
    inputs: Inputs,
    /// What the switch itself shows.
    shown: Outputs,
}

impl Linked {
    /// Puts links on the first `ports` ports of a switch. Their cables are numbered from `first`.
    ///
    /// # Errors
    /// If the model of a link end is not built.
    pub fn new(
        switch: Box<dyn Switch>,
        ports: usize,
        first: usize,
        errors: &LinkErrors,
    ) -> Result<Linked, Failure> {
        let cable = |port| Ok(Cable::new(ends()?, first + port, errors));
        Ok(Linked {
            switch,
            cables: (0..ports).map(cable).collect::<Result<_, Failure>>()?,
            errors: errors.clone(),
            inputs: Inputs::default(),
            shown: Outputs::default(),
        })
    }
}

/// Two ends for a cable.
pub(super) fn ends() -> Result<[Box<dyn end::LinkEnd>; 2], Failure> {
    Ok([
        end::verilated(Variant::Fast)?,
        end::verilated(Variant::Fast)?,
    ])
}

/// Hands what an end of a cable shows to the pins of the port of a switch.
pub(super) fn to_switch(cable: &Cable, end: usize, inputs: &mut Inputs, port: usize) {
    let shown = cable.shows(end);
    if let Some(word) = &shown.rx {
        inputs.rx.put(port, word);
    }
    if shown.tx_credit != 0 {
        inputs.tx_credit.pulses(port, shown.tx_credit);
    }
    inputs.dead |= u16::from(shown.dead) << port;
    inputs.link_events |= u128::from(shown.events.bits()) << (port * EVENTS);
}

/// Hands what a switch shows on a port to an end of a cable.
///
/// # Errors
/// If it is a word of no class.
pub(super) fn from_switch(
    cable: &mut Cable,
    end: usize,
    shown: &Outputs,
    port: usize,
) -> Result<(), Failure> {
    let pins = cable.takes(end);
    pins.tx = None;
    if shown.tx.valid >> port & 1 != 0 {
        pins.tx = shown.tx.get(port);
        if pins.tx.is_none() {
            let text = format!("port {port}: the switch sends a word of no class");
            return Err(Failure::new(0, FailureKind::Link, text));
        }
    }
    pins.rx_credit = shown.rx_credit.on(port);
    Ok(())
}

impl Switch for Linked {
    fn ports(&self) -> usize {
        self.switch.ports()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.inputs = Inputs::default();
        self.shown = Outputs::default();
        self.switch.reset()?;
        (self.cables.iter_mut()).try_for_each(|cable| cable.reset(&self.errors))
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        // Ports without a link are the switch's own.
        self.inputs.clone_from(inputs);
        let linked = (1u32 << self.cables.len()).wrapping_sub(1) as u16;
        self.inputs.rx.valid &= !linked;
        self.inputs.tx_credit = inputs.tx_credit.of(!linked);
        for (port, cable) in self.cables.iter_mut().enumerate() {
            to_switch(cable, 1, &mut self.inputs, port);
            from_switch(cable, 1, &self.shown, port)?;
            let node = cable.takes(0);
            node.tx = match inputs.rx.valid >> port & 1 {
                0 => None,
                _ => inputs.rx.get(port),
            };
            node.rx_credit = inputs.tx_credit.on(port);
            cable.clock()?;
        }
        self.switch.clock(&self.inputs, &mut self.shown)?;

        outputs.clone_from(&self.shown);
        outputs.tx.valid &= !linked;
        outputs.rx_credit = self.shown.rx_credit.of(!linked);
        for (port, cable) in self.cables.iter().enumerate() {
            let shown = cable.shows(0);
            if let Some(word) = &shown.rx {
                outputs.tx.put(port, word);
            }
            if shown.tx_credit != 0 {
                outputs.rx_credit.pulses(port, shown.tx_credit);
            }
        }
        Ok(())
    }

    fn homes_at_work(&self) -> u8 {
        self.switch.homes_at_work()
    }

    fn view_home(&self, slice: usize, view: &mut HomeView) {
        self.switch.view_home(slice, view);
    }

    fn is_quiet(&self) -> bool {
        self.switch.is_quiet() && self.cables.iter().all(Cable::is_quiet)
    }

    fn lost(&self) -> u16 {
        let lost = self.cables.iter().map(|cable| u16::from(cable.dead()));
        (lost.enumerate()).fold(0, |mask, (port, lost)| mask | lost << port)
    }

    fn link_counts(&self) -> CableCounts {
        let mut sum = self.switch.link_counts();
        self.cables.iter().for_each(|cable| sum += cable.counts());
        sum
    }

    fn configure(&mut self, map: &[Region], partitions: &[u16]) -> Option<Parameters> {
        self.switch.configure(map, partitions)
    }

    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        self.switch.trace_open(path, window)
    }

    fn trace_close(&mut self) -> Result<(), Failure> {
        self.switch.trace_close()
    }

    fn coverage(&self) -> &[u32] {
        self.switch.coverage()
    }

    fn lcov(&self) -> String {
        self.switch.lcov()
    }
}
