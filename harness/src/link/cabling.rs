//! Links between chips.

use super::cable::{Cable, CableCounts};
use super::linked::{ends, from_switch, to_switch};
use crate::Failure;
use crate::dut::{Cabling, Chip};
use crate::topology::{End, Topology};
use flits::stimulus::LinkErrors;

/// Links on all cables between the chips of a system.
pub struct Links {
    /// End 0 of a cable is at the first of its chips.
    cables: Vec<(Cable, [End; 2])>,
    errors: LinkErrors,
}

impl Links {
    /// Links on the cables of a system; they are numbered after those of the devices.
    ///
    /// # Errors
    /// If the model of a link end is not built.
    pub fn new(topology: &Topology, errors: &LinkErrors) -> Result<Links, Failure> {
        let first = topology.numbering().count();
        let cable = |(index, &places): (usize, &[End; 2])| {
            Ok((Cable::new(ends()?, first + index, errors), places))
        };
        let cables: Result<_, Failure> = topology.cables().iter().enumerate().map(cable).collect();
        Ok(Links {
            cables: cables?,
            errors: errors.clone(),
        })
    }
}

impl Cabling for Links {
    fn reset(&mut self) -> Result<(), Failure> {
        (self.cables.iter_mut()).try_for_each(|(cable, _)| cable.reset(&self.errors))
    }

    fn carry(&mut self, _cycle: u64, chips: &mut [Chip]) -> Result<(), Failure> {
        for (cable, places) in &mut self.cables {
            for (end, place) in places.iter().enumerate() {
                let chip = &mut chips[place.chip];
                to_switch(cable, end, &mut chip.inputs, place.port);
                from_switch(cable, end, &chip.outputs, place.port)?;
            }
            cable.clock()?;
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.cables.iter().all(|(cable, _)| cable.is_quiet())
    }

    fn link_counts(&self) -> CableCounts {
        let mut sum = CableCounts::default();
        self.cables
            .iter()
            .for_each(|(cable, _)| sum += cable.counts());
        sum
    }
}
