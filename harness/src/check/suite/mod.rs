//! The checkers together: who is told what.

mod operations;
mod packets;
mod progress;

use flits::layout::LINE_BYTES;
use flits::{CacheState, Class};
use rustc_hash::FxHashSet;

use super::cable::Cables;
use super::conformance::Conformance;
use super::coverage::Counters;
use super::delivery::Delivery;
use super::golden::Golden;
use super::link::Port;
use super::order::ProgramOrder;
use super::poison::Poison;
use super::recorder::Recorder;
use super::reports::{Report, Reports};
use super::swmr::Swmr;
use super::transactions::Transactions;
use super::{CheckConfig, CheckCounts, LineVisitor, PortKind, SeenPacket, Verdict};
use crate::dut::HomeView;
use crate::protocol::pairs::Pairs;
use operations::Operations;

/// All checkers and what they share.
pub(super) struct Suite {
    config: CheckConfig,
    links: Vec<Port>,
    cables: Cables,
    delivery: Delivery,
    transactions: Transactions,
    conformance: Option<Conformance>,
    swmr: Swmr,
    golden: Golden,
    poison: Poison,
    orders: Vec<ProgramOrder>,
    pub(super) recorder: Recorder,
    operations: Vec<Operations>,
    pub(super) counts: CheckCounts,
    /// Functional coverage, where it is on.
    coverage: Option<Box<Counters>>,
    /// Which states of nodes met which inputs.
    node_pairs: Pairs,
    /// Cycle of the last header of each class, by direction, of each port.
    begins: Vec<[[u64; Class::ALL.len()]; 2]>,
    pub(super) log: Vec<SeenPacket>,
}

impl Suite {
    pub(super) fn new(config: CheckConfig) -> Self {
        let ports = config.kinds.len();
        let depths = [config.switch_depth, config.node_depth];
        let numbering = config.map.numbering();
        let link = |(port, &kind)| Port::new(port, numbering.node(port), kind, depths);
        Suite {
            cables: Cables::new(config.cables.as_ref(), config.switch_depth),
            links: config.kinds.iter().enumerate().map(link).collect(),
            delivery: Delivery::new(numbering),
            transactions: Transactions::new(numbering),
            conformance: config.directories.map(|directories| {
                let hostile = (0..ports).filter(|&port| config.kinds[port] == PortKind::Hostile);
                Conformance::new(directories, hostile.map(|port| numbering.node(port)))
            }),
            swmr: Swmr::default(),
            golden: Golden::default(),
            poison: Poison::default(),
            orders: (0..ports).map(|_| ProgramOrder::default()).collect(),
            recorder: Recorder::new(config.models.clone()),
            operations: (0..ports).map(|_| Operations::default()).collect(),
            counts: CheckCounts::default(),
            coverage: Counters::new(&config),
            node_pairs: Pairs::default(),
            begins: vec![Default::default(); ports],
            log: Vec::new(),
            config,
        }
    }

    pub(super) fn wants_homes(&self) -> bool {
        self.conformance.is_some()
    }

    /// Inputs of homes compared with the specification.
    pub(super) fn home_inputs(&self) -> u64 {
        (self.conformance.as_ref()).map_or(0, |conformance| conformance.inputs)
    }

    /// Judges what was reported.
    pub(super) fn judge(&mut self, cycle: u64, report: &Report, all: &Reports) -> Verdict {
        match *report {
            Report::Credit {
                port,
                direction,
                mask,
            } => self.links[port].credit(direction, mask),
            Report::Word {
                port,
                direction,
                ref word,
            } => self.word(cycle, port, direction, word),
            Report::NodeInput(pair) => {
                self.node_pairs.met(pair);
                Ok(())
            }
            Report::Home { chip, slice, view } => self.home(chip, slice, all.view(view)),
            Report::CableCredit { end, mask } => self.cables.credit(end, mask),
            Report::CableWord { end, ref word } => self.cables.word(end, word),
            Report::State {
                node,
                line,
                old,
                new,
            } => self.state(node, line, old, new),
            Report::Load { access, source } => self.load(all.accessed(access), source),
            Report::StoreIssue(access) => self.buffer(all.accessed(access)),
            Report::Store(access) => self.store(all.accessed(access)),
            Report::DataOut { node, line, data } => self.data_out(node, line, all.bytes(data)),
            Report::MemRead {
                memory,
                local,
                bytes,
            } => self.mem_read(memory, local, all.bytes(bytes)),
            Report::MemWrite {
                memory,
                local,
                bytes,
                be,
                poison,
            } => self.mem_write(memory, local, all.bytes(bytes), be, poison),
            Report::OpStart {
                node,
                op,
                kind,
                addr,
            } => self.op_start(cycle, node, op, kind, addr),
            Report::OpFinish {
                access,
                kind,
                status,
            } => self.op_finish(cycle, all.accessed(access), kind, status),
            Report::Progress => self.progress(cycle),
        }
    }

    /// Which states of homes and nodes met which inputs.
    pub(super) fn pairs(&self) -> Pairs {
        let mut all = self.node_pairs.clone();
        if let Some(conformance) = &self.conformance {
            all.add(&conformance.pairs());
        }
        all
    }

    fn home(&mut self, chip: usize, slice: usize, view: &HomeView) -> Verdict {
        match &mut self.conformance {
            Some(conformance) => conformance.edge(chip, slice, view),
            None => Ok(()),
        }
    }

    /// The end of the run.
    pub(super) fn end(
        &mut self,
        cached: &mut dyn FnMut(&mut LineVisitor<'_>),
        memory: &dyn Fn(usize, u64) -> [u8; LINE_BYTES],
    ) -> Verdict {
        self.transactions.end(|port| !self.is_hostile(port))?;
        self.delivery.end()?;
        for link in &self.links {
            link.end()?;
        }
        self.cables.end()?;
        if let Some(conformance) = &self.conformance {
            conformance.end()?;
        }
        for (node, order) in self.orders.iter().enumerate() {
            order.end(node)?;
        }
        self.recorder.judge(true)?;
        let mut dirty = FxHashSet::default();
        let mut verdict = Ok(());
        let (golden, counts) = (&self.golden, &mut self.counts);
        cached(&mut |node, line, state, data| {
            counts.final_lines += 1;
            if state == CacheState::UD {
                dirty.insert(line);
            }
            if verdict.is_ok() && state != CacheState::I {
                verdict = golden.expect(line, data, || {
                    format!("at the end, the cache of node {node}")
                });
            }
        });
        verdict?;
        for line in golden.lines().filter(|line| !dirty.contains(line)) {
            let Some((port, local)) = self.config.map.memory_of(line) else {
                continue;
            };
            counts.final_lines += 1;
            golden.expect(line, &memory(port, local), || {
                format!("at the end, memory {port}")
            })?;
        }
        Ok(())
    }

    fn is_hostile(&self, port: usize) -> bool {
        self.config.kinds[port] == PortKind::Hostile
    }
}
