//! Violations that are found some cycles late, on a switch with a fault.

use super::Supernode;
use crate::dut::{Inputs, Outputs, Parameters, Reference, Region, Switch, bits};
use crate::topology::Topology;
use crate::{Failure, FailureKind};
use flits::{Class, Flit};

/// The switch of the specification, which flips a bit of every piece of data to port 1.
struct Flipping(Reference);

impl Switch for Flipping {
    fn ports(&self) -> usize {
        self.0.ports()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.0.reset()
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.0.clock(inputs, outputs)?;
        for port in bits(outputs.tx.valid & 1 << 1) {
            let word = outputs.tx.get(port).expect("a class");
            if word.class == Class::Dat && !word.head {
                let flit = &mut outputs.tx.flit[port];
                *flit = Flit::from_u128(flit.to_u128() ^ 1);
            }
        }
        Ok(())
    }

    fn configure(&mut self, map: &[Region], partitions: &[u16]) -> Option<Parameters> {
        self.0.configure(map, partitions)
    }
}

/// The failure of a program that loads what another node has stored, and does `with` the value.
fn failure(with: fn(u64)) -> Failure {
    let switch = Box::new(Flipping(Reference::new(8)));
    let topology = Topology::single(8);
    let built = Supernode::builder()
        .ports(8)
        .build_on(vec![switch], &topology);
    let mut sn = built.expect("a system");
    sn.run(move |sys| async move {
        sys.node(0).store(0x1000, 42u64).await;
        with(sys.node(1).load(0x1000).await);
        sys.idle(1000).await;
    })
    .expect_err("the data is wrong")
}

#[test]
fn a_violation_is_told_before_what_a_program_makes_of_it() {
    let found = failure(|_| ());
    assert_eq!(found.kind, FailureKind::Link, "{found}");
    assert!(found.cycle < 1000, "{found}: the cycle in which it arrived");
    assert_eq!(failure(|value| assert_eq!(value, 42)), found);
}
