//! Runs stimulus files.

use super::access::Operand;
use super::builder::{Builder, Model};
use super::node::NodeHandle;
use super::stats::Stats;
use super::supernode::Supernode;
use super::system::System;
use crate::agents::OpKind;
use crate::check::{self, CheckCounts, SeenPacket};
use crate::dut::{ErrorLog, HomeCounters, Variant};
use crate::protocol::pairs::Pairs;
use crate::{Failure, FailureKind};
use flits::history::{Event, History};
use flits::stimulus::{Op, Step, Stimulus, Tiers, value_bytes};
use flits::{AtomicOp, Data, RespErr};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

/// How a stimulus is run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What stands in for the switch.
    pub model: Model,
    /// Spreads the ports over the leaves of a system of several chips, whatever the stimulus says.
    pub tiers: Option<Tiers>,
    /// Writes a VCD file; the model's variant is then [`Variant::Wave`].
    pub vcd: Option<PathBuf>,
    /// Keeps every packet for [`Outcome::packets`].
    pub log_packets: bool,
    /// Whether everything is checked, or nothing for measurements of speed.
    pub checks: bool,
    /// Whether, among the checks, the homes are compared with the specification.
    pub conformance: bool,
    /// Cycles that a request may stay unanswered.
    pub stuck_after: u64,
    /// Cycles that the run may take.
    pub max_cycles: u64,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            model: Model::Rtl(Variant::Fast),
            tiers: None,
            vcd: None,
            log_packets: false,
            checks: true,
            conformance: true,
            stuck_after: check::STUCK_AFTER,
            max_cycles: u64::MAX,
        }
    }
}

impl RunOptions {
    /// The same on a system of several chips, or as the stimulus says.
    pub fn on(self, tiers: Option<Tiers>) -> Self {
        RunOptions { tiers, ..self }
    }

    /// A stimulus as it will be run.
    pub fn place(&self, mut stimulus: Stimulus) -> Stimulus {
        stimulus.config.tiers = self.tiers.or(stimulus.config.tiers);
        stimulus
    }
}

/// What came of a stimulus.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What each step did, in the order of [`Stimulus::steps`].
    pub events: Vec<Event>,
    /// The same in the order of the ends.
    pub history: History,
    /// Clock cycles since reset.
    pub cycles: u64,
    /// What was counted.
    pub stats: Stats,
    /// How much was checked.
    pub counts: CheckCounts,
    /// Every packet, if [`RunOptions::log_packets`] was set.
    pub packets: Vec<SeenPacket>,
    /// Which states of homes and nodes met which inputs.
    pub pairs: Pairs,
    /// What the switch has logged of errors.
    pub errors: ErrorLog,
    /// What each home slice has counted.
    pub homes: Vec<HomeCounters>,
}

/// Runs a stimulus on the fast model.
///
/// # Errors
/// As [`run_stimulus_with`].
pub fn run_stimulus(stimulus: &Stimulus) -> Result<Outcome, Failure> {
    run_stimulus_with(stimulus, &RunOptions::default())
}

/// Runs a stimulus.
///
/// # Errors
/// The first violation of any check; what is wrong with the stimulus itself. An access that is
/// answered with an error is an [`Event`] with that status and no failure.
pub fn run_stimulus_with(stimulus: &Stimulus, options: &RunOptions) -> Result<Outcome, Failure> {
    let stimulus = &options.place(stimulus.clone());
    let mut builder = Builder::default()
        .config(stimulus.config.clone())
        .seed(stimulus.seed)
        .model(options.model)
        .log_packets(options.log_packets)
        .checks(options.checks)
        .conformance(options.conformance)
        .stuck_after(options.stuck_after)
        .max_cycles(options.max_cycles);
    if let Some(path) = &options.vcd {
        builder = builder.vcd(path);
    }
    builder.build()?.run_stimulus(stimulus)
}

impl Supernode {
    /// Runs the steps of a stimulus whose configuration is that of this supernode.
    ///
    /// # Errors
    /// As [`run_stimulus_with`]; also if the configurations differ.
    pub fn run_stimulus(&mut self, stimulus: &Stimulus) -> Result<Outcome, Failure> {
        let events = self.perform(stimulus)?;
        self.close_vcd()?;
        let mut history = History {
            events: events.clone(),
        };
        history.events.sort_by_key(|event| event.end);
        let (cycles, stats) = (self.cycle(), self.stats());
        let (errors, homes) = (self.error_log()?, self.home_counters()?);
        let (counts, packets) = (self.check_counts(), self.packets().to_vec());
        Ok(Outcome {
            events,
            history,
            cycles,
            stats,
            counts,
            packets,
            pairs: self.pairs(),
            errors,
            homes,
        })
    }

    /// Runs the steps of a stimulus and gives what each did.
    ///
    /// # Errors
    /// As [`Supernode::run_stimulus`].
    pub(crate) fn perform(&mut self, stimulus: &Stimulus) -> Result<Vec<Event>, Failure> {
        let fail = |text: String| Err(Failure::new(0, FailureKind::Setup, text));
        if let Err(reason) = stimulus.check() {
            return fail(format!("stimulus: {reason}"));
        }
        if stimulus.config != *self.config() {
            return fail("the stimulus is for another system than this one".into());
        }
        let events: Rc<RefCell<Vec<Option<Event>>>> =
            Rc::new(RefCell::new(vec![None; stimulus.steps.len()]));
        let results = events.clone();
        let first: Vec<u64> = (0..stimulus.config.ports)
            .map(|port| self.mailbox.borrow().submitted_by(port))
            .collect();
        self.machine.checks.keep_order();
        self.run(|sys| {
            for (port, steps) in steps_by_port(stimulus) {
                let skew = stimulus.config.start_skew.get(port).copied().unwrap_or(0);
                let (sys, events) = (sys.clone(), events.clone());
                sys.clone().spawn(async move {
                    sys.idle(skew).await;
                    let node = sys.any_node(port);
                    for (index, step) in steps {
                        let event = perform(&sys, &node, &step).await;
                        events.borrow_mut()[index] = Some(event);
                    }
                });
            }
            std::future::ready(())
        })?;
        let mut events: Vec<Event> = results.take().into_iter().flatten().collect();
        let order = self.machine.checks.take_order();
        let computed = self.machine.checks.take_computed();
        note_order(&mut events, &first, &order, &computed);
        Ok(events)
    }
}

/// The steps of each port with any, with their indices.
fn steps_by_port(stimulus: &Stimulus) -> Vec<(usize, Vec<(usize, Step)>)> {
    (0..stimulus.config.ports)
        .map(|port| {
            let steps = stimulus.steps.iter().enumerate();
            let own = steps.filter(|(_, step)| step.node == port);
            (
                port,
                own.map(|(index, step)| (index, step.clone()))
                    .collect::<Vec<_>>(),
            )
        })
        .filter(|(_, steps)| !steps.is_empty())
        .collect()
}

/// Notes at each event the place of its write, and what an atomic_store has left, which its node is
/// not told. The operations of a node have running numbers, its first is `first` there; words sent
/// as they are have none.
fn note_order(
    events: &mut [Event],
    first: &[u64],
    order: &[(usize, u64)],
    computed: &[(usize, u64, Data)],
) {
    let mut own = vec![Vec::new(); first.len()];
    for (index, event) in events.iter().enumerate() {
        if event.op.is_access() {
            own[event.node].push(index);
        }
    }
    let find = |node: usize, op: u64| {
        let at = op.checked_sub(first[node]).map(|at| at as usize);
        at.and_then(|at| own[node].get(at)).copied()
    };
    for (place, &(node, op)) in order.iter().enumerate() {
        if let Some(index) = find(node, op) {
            events[index].order = Some(place as u64);
        }
    }
    for (node, op, wrote) in computed {
        if let Some(index) = find(*node, *op).filter(|&index| events[index].status == RespErr::Ok) {
            events[index].wrote = Some(wrote.clone());
        }
    }
}

/// Waits and performs one step.
async fn perform(sys: &System, node: &NodeHandle, step: &Step) -> Event {
    node.idle(step.after).await;
    let start = sys.now();
    let (addr, size) = step.op.access().unwrap_or((0, 0));
    let mut event = Event {
        node: step.node,
        op: step.op.kind(),
        addr,
        read: None,
        wrote: None,
        order: None,
        status: RespErr::Ok,
        start,
        end: start,
    };
    let data = |value| value_bytes(value, size);
    let (kind, operand, wrote) = match step.op {
        Op::Raw { ref words } => {
            words.iter().for_each(|&word| node.send_raw(word));
            return event;
        }
        // Only cores and peers do that, and no system has any.
        Op::Packet(_) | Op::Turn(_) => return event,
        Op::Load { .. } => (OpKind::Load, Operand::None, None),
        Op::Store { value, .. } | Op::StoreLine { value, .. } => (
            OpKind::Store,
            Operand::bytes(&data(value)),
            Some(data(value)),
        ),
        Op::FetchAdd { value, .. } => (OpKind::FetchAdd, Operand::words([value]), None),
        Op::Swap { value, .. } => (OpKind::Swap, Operand::words([value]), Some(data(value))),
        Op::CompareSwap {
            expected, value, ..
        } => (
            OpKind::CompareSwap,
            Operand::words([value, expected]),
            Some(data(value)),
        ),
        Op::Fence => (OpKind::Fence, Operand::None, None),
        Op::Evict { .. } => (OpKind::Evict, Operand::None, None),
        Op::ReadOnce { .. } => (OpKind::ReadOnce, Operand::None, None),
        Op::WriteUnique { value, .. } => (
            OpKind::WriteUnique,
            Operand::bytes(&data(value)),
            Some(data(value)),
        ),
        Op::WritePoison { value, .. } => (
            OpKind::WritePoison,
            Operand::bytes(&data(value)),
            Some(data(value)),
        ),
        Op::AtomicStore { atomic, value, .. } => {
            (OpKind::AtomicStore(atomic), Operand::words([value]), None)
        }
        Op::AtomicLoad { atomic, value, .. } => {
            (OpKind::AtomicLoad(atomic), Operand::words([value]), None)
        }
        Op::AtomicSwap { value, .. } => (
            OpKind::AtomicSwap,
            Operand::words([value]),
            Some(data(value)),
        ),
        Op::AtomicCompare {
            expected, value, ..
        } => (
            OpKind::AtomicCompare,
            Operand::words([value, expected]),
            Some(data(value)),
        ),
        Op::CleanInvalid { .. } => (OpKind::CleanInvalid, Operand::None, None),
        Op::ReadUncached { .. } => (OpKind::ReadUncached, Operand::None, None),
        Op::WriteUncached { value, .. } => (
            OpKind::WriteUncached,
            Operand::bytes(&data(value)),
            Some(data(value)),
        ),
    };
    let answer = node
        .access(kind, addr, size.into(), operand, Data::from_slice)
        .result()
        .await;
    event.end = sys.now();
    match answer {
        Ok(bytes) => {
            event.wrote = match step.op {
                Op::FetchAdd { value, .. } => Some(sum(&bytes, value)),
                Op::AtomicLoad { atomic, value, .. } => Some(modified(&bytes, atomic, value)),
                Op::CompareSwap { expected, .. } | Op::AtomicCompare { expected, .. }
                    if bytes != data(expected) =>
                {
                    None
                }
                _ => wrote,
            };
            event.read = step.op.kind().reads().then_some(bytes);
        }
        Err(error) => event.status = error.status,
    }
    event
}

/// What an addition leaves in memory.
fn sum(old: &[u8], value: u128) -> Data {
    let mut wide = [0; 16];
    wide[..old.len()].copy_from_slice(old);
    let new = u128::from_le_bytes(wide).wrapping_add(value).to_le_bytes();
    Data::from_slice(&new[..old.len()])
}

/// What a far atomic leaves in memory.
fn modified(old: &[u8], atomic: AtomicOp, value: u128) -> Data {
    let mut word = [0; 8];
    word[..old.len()].copy_from_slice(old);
    let size = old.len().trailing_zeros() as u8;
    let new = atomic.apply(u64::from_le_bytes(word), value as u64, size);
    Data::from_slice(&new.to_le_bytes()[..old.len()])
}
