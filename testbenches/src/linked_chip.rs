//! The chip with its link ends in RTL, and nodes at the other ends of the links.

use flits::stimulus::{LinkErrors, Way};
use harness::dut::{Inputs, Outputs, Switch, Variant};
use harness::link::{EndInputs, EndOutputs, LinkEnd, Wire, WireWord, verilated as link_end};
use harness::{Failure, FailureKind};
use verilated::{Clocked, Model};

verilated::model!(small_linked_switch);

/// Ports of the model.
const PORTS: usize = 2;
/// Cycles that the reset is held.
const RESET_CYCLES: u32 = 4;

/// The Verilated `supernode_switch`, as small as it can be, with a link end for a node at each of
/// its two ports: the pins are those of the nodes' cores.
pub struct ChipWithLinks {
    chip: SmallLinkedSwitch,
    nodes: Vec<Node>,
    errors: LinkErrors,
}

/// The node's end of a link, and the wires to and from the chip.
struct Node {
    end: Box<dyn LinkEnd>,
    outputs: EndOutputs,
    up: Wire,
    down: Wire,
}

impl ChipWithLinks {
    /// The chip, with errors on its wires.
    ///
    /// # Errors
    /// If a model is not built.
    pub fn new(errors: &LinkErrors) -> Result<ChipWithLinks, Failure> {
        let node = |port| {
            Ok(Node {
                end: link_end(Variant::Fast)?,
                outputs: EndOutputs::default(),
                up: Wire::new(errors, port, Way::Up),
                down: Wire::new(errors, port, Way::Down),
            })
        };
        let chip = SmallLinkedSwitch::with_variant(Variant::Fast);
        Ok(ChipWithLinks {
            chip: chip.map_err(|e| Failure::new(0, FailureKind::Setup, e.to_string()))?,
            nodes: (0..PORTS).map(node).collect::<Result<_, Failure>>()?,
            errors: errors.clone(),
        })
    }

    fn cycle(&mut self) -> Result<(), Failure> {
        (self.chip.cycle())
            .map_err(|error| Failure::new(0, FailureKind::Assertion, error.to_string()))
    }
}

impl Switch for ChipWithLinks {
    fn ports(&self) -> usize {
        PORTS
    }

    fn reset(&mut self) -> Result<(), Failure> {
        for (port, node) in self.nodes.iter_mut().enumerate() {
            node.end.reset()?;
            node.outputs = EndOutputs::default();
            node.up = Wire::new(&self.errors, port, Way::Up);
            node.down = Wire::new(&self.errors, port, Way::Down);
        }
        self.chip.set_rst_ni(0);
        self.chip.set_psel_i(0);
        self.chip.set_penable_i(0);
        self.chip.update_wire_i(|bits| bits.fill(0));
        for _ in 0..RESET_CYCLES {
            self.cycle()?;
        }
        self.chip.set_rst_ni(1);
        Ok(())
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        *outputs = Outputs::default();
        for (port, node) in self.nodes.iter_mut().enumerate() {
            let to_node = node
                .down
                .step(WireWord::from_port(self.chip.wire_o(), port));
            let to_chip = node.up.step(node.outputs.wire);
            self.chip.update_wire_i(|bits| to_chip.to_port(bits, port));
            let pins = EndInputs {
                tx: match inputs.rx.valid >> port & 1 {
                    0 => None,
                    _ => inputs.rx.get(port),
                },
                rx_credit: inputs.tx_credit.on(port),
                wire: to_node,
            };
            node.end.clock(&pins, &mut node.outputs)?;
            if let Some(word) = &node.outputs.rx {
                outputs.tx.put(port, word);
            }
            outputs.rx_credit.pulses(port, node.outputs.tx_credit);
        }
        self.cycle()
    }
}
