//! The cabling in RTL, `rtl/supernode_fabric.sv`, against that of the harness.

use flits::stimulus::Tiers;
use harness::dut::{
    ApbRequest, Credits, Dut, Inputs, Outputs, Switch, TIGHT_PORTS, Variant, rtl,
    tight_chip_of_system,
};
use harness::sim::{NodeHandle, Supernode, System, join_all, stream};
use harness::topology::Topology;
use harness::{Failure, switch_model};
use rand::RngExt;
use std::cell::RefCell;
use std::rc::Rc;

verilated::model!(tight_fabric);
switch_model!(TightFabric, TIGHT_PORTS, |wide| wide as u32);

const LEAVES: usize = 2;
const PER_LEAF: usize = 2;

/// What was on the pins of a chip in each cycle since its reset.
type Log = Rc<RefCell<Vec<(Inputs, Outputs)>>>;

/// A chip whose pins are recorded.
struct Spy {
    switch: Box<dyn Switch>,
    log: Log,
}

impl Switch for Spy {
    fn ports(&self) -> usize {
        self.switch.ports()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.log.borrow_mut().clear();
        self.switch.reset()
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.switch.clock(inputs, outputs)?;
        self.log
            .borrow_mut()
            .push((inputs.clone(), outputs.clone()));
        Ok(())
    }
}

/// Writes a register of a switch whose links are idle.
fn write(switch: &mut dyn Switch, addr: u16, value: u32) {
    let mut outputs = Outputs::default();
    for enable in [false, true, true, true, true, true, true, true] {
        let ends = enable && outputs.apb.ready;
        let apb = Some(ApbRequest {
            enable,
            addr,
            write: Some(value),
        });
        let inputs = Inputs {
            apb,
            ..Inputs::default()
        };
        switch.clock(&inputs, &mut outputs).expect("no assertion");
        if ends {
            switch
                .clock(&Inputs::default(), &mut outputs)
                .expect("no assertion");
            return;
        }
    }
    panic!("register {addr:#06x} does not answer");
}

/// The pins of the leaves' devices, side by side.
fn of_devices(logs: &[Log], cycle: usize) -> (Inputs, Outputs) {
    let (mut inputs, mut outputs) = (Inputs::default(), Outputs::default());
    for (leaf, log) in logs[..LEAVES].iter().enumerate() {
        let (from, to) = &log.borrow()[cycle];
        for unit in 0..PER_LEAF {
            let port = leaf * PER_LEAF + unit;
            if from.rx.valid >> unit & 1 != 0 {
                inputs.rx.copy(port, &from.rx, unit);
            }
            if to.tx.valid >> unit & 1 != 0 {
                outputs.tx.copy(port, &to.tx, unit);
            }
        }
        for (unit, classes) in from.tx_credit.among(Credits::all_of(0b11)).iter() {
            inputs.tx_credit.pulses(leaf * PER_LEAF + unit, classes);
        }
        for (unit, classes) in to.rx_credit.among(Credits::all_of(0b11)).iter() {
            outputs.rx_credit.pulses(leaf * PER_LEAF + unit, classes);
        }
    }
    (inputs, outputs)
}

/// Everybody writes and reads some lines at random.
async fn scramble(sys: System) {
    let program = |node: NodeHandle| async move {
        let mut rng = stream(3, &format!("program {}", node.port()));
        for _ in 0..200 {
            let addr = 8 * rng.random_range(0..512);
            match rng.random_range(0..4) {
                0 => drop(node.load::<u64>(addr).await),
                1 => node.store(addr, rng.random::<u64>()).await,
                2 => drop(node.fetch_add(addr, 1u64).await),
                _ => node.evict(addr).await,
            }
        }
    };
    let tasks: Vec<_> = sys.nodes().map(|node| sys.spawn(program(node))).collect();
    join_all(tasks).await;
}

#[test]
fn the_cabling_in_rtl_gives_the_same_words_in_the_same_cycles() {
    let tiers = Tiers {
        leaves: LEAVES,
        spines: 1,
    };
    let topology = Topology::tiers_of(4, LEAVES * PER_LEAF, tiers).expect("a system");
    let logs: Vec<Log> = topology.chips().iter().map(|_| Log::default()).collect();
    let spy = |log: &Log| -> Box<dyn Switch> {
        Box::new(Spy {
            switch: tight_chip_of_system(Variant::Fast).expect("a model"),
            log: log.clone(),
        })
    };
    let chips = logs.iter().map(spy).collect();
    let builder = Supernode::builder().tiers(LEAVES, PER_LEAF, 1).seed(3);
    let mut sn = builder.build_on(chips, &topology).expect("a system");
    let started = sn.stats().started as usize;
    sn.run(scramble).expect("no violation");

    let mut fabric = rtl::<TightFabric>(Variant::Fast).expect("a model");
    fabric.reset().expect("no assertion");
    let partitions = vec![u16::MAX; LEAVES * PER_LEAF];
    let lists = Dut::registers(&topology, sn.address_map(), &partitions);
    for (chip, list) in lists.iter().enumerate() {
        for &(addr, value) in list {
            write(fabric.as_mut(), addr as u16 | (chip as u16) << 12, value);
        }
    }
    let cycles = logs[0].borrow().len();
    let (mut outputs, mut words) = (Outputs::default(), 0);
    for cycle in 0..cycles {
        let (inputs, expected) = of_devices(&logs, cycle);
        fabric.clock(&inputs, &mut outputs).expect("no assertion");
        if cycle < started {
            continue;
        }
        let (found, wanted) = (&outputs.tx, &expected.tx);
        assert_eq!(found.valid, wanted.valid, "cycle {cycle}");
        for port in (0..TIGHT_PORTS).filter(|port| found.valid >> port & 1 != 0) {
            assert_eq!(
                found.get(port),
                wanted.get(port),
                "cycle {cycle}, port {port}"
            );
            words += 1;
        }
        assert_eq!(outputs.rx_credit, expected.rx_credit, "cycle {cycle}");
    }
    assert!(words > 1000, "only {words} words were compared");
}
