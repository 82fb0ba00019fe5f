//! Runs litmus tests on a simulated supernode.
//!
//! A [`Campaign`] is split into [batches](Campaign::batches): some tests, under one of a few
//! conditions of the system (stalling links, tiny caches). A batch builds one system and makes all its
//! runs on it, several at a time: each lane takes the next run, places its variables and threads by
//! chance, sets the variables, has caches hold some of them, lets the threads go, and reads the
//! variables when all have ended. Runs beside it are traffic for each other; they share nodes, homes
//! and links, and no line. Everything follows from the seed and the number of the batch.

mod place;
mod program;

use super::collection::Prepared;
use super::explore::MemoryModel;
use super::test::FinalState;
use crate::Failure;
use crate::sim::{Builder, Model, System, stream};
use flits::stimulus::{Config, MemoryTiming, Node, Stall, Timing};
use place::Place;
use rand::RngExt;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Tests of one batch.
const TESTS: usize = 32;
/// Runs at a time, for each node that runs programs.
const LANES_PER_NODE: usize = 2;
/// A memory so fast that most cycles of a run are races of nodes.
const FAST_MEMORY: Timing = Timing {
    latency: 8,
    channels: 16,
    busy: 1,
};
/// Violations that are kept for each test and batch.
const KEPT: usize = 3;

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Devices and address map; store buffers, caches and stalls are set by the campaign.
    pub config: Config,
    /// The nodes: in order without a store buffer, or with one.
    pub nodes: MemoryModel,
    /// What the final states are compared with.
    pub model: MemoryModel,
    /// What stands in for the switch.
    pub switch: Model,
    /// Runs of each test.
    pub runs: u32,
    /// Decides everything random.
    pub seed: u64,
    /// Whether all checkers watch.
    pub checks: bool,
}

/// Conditions of the system that the runs of a test are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Fast memories.
    Fast,
    /// Fast memories; links stall now and then.
    Stalls,
    /// Memories as configured; caches have two sets, so that lines come and go.
    TinyCaches,
    /// Fast memories; links stall half of the time.
    Congested,
}

impl Condition {
    const ALL: [Condition; 4] = [
        Condition::Fast,
        Condition::Stalls,
        Condition::TinyCaches,
        Condition::Congested,
    ];

    fn apply(self, config: &mut Config) {
        let permille = match self {
            Condition::Fast | Condition::TinyCaches => 0,
            Condition::Stalls => 150,
            Condition::Congested => 500,
        };
        config.stall = Stall {
            rx_permille: permille,
            tx_permille: permille,
        };
        for node in &mut config.nodes {
            match node {
                Node::Cached { sets, ways, .. } if self == Condition::TinyCaches => {
                    (*sets, *ways) = (2, 4);
                }
                Node::Memory { timing } if self != Condition::TinyCaches => {
                    *timing = MemoryTiming::Custom(FAST_MEMORY);
                }
                _ => {}
            }
        }
    }
}

/// Tests, and how they are run.
pub struct Campaign<'a> {
    tests: &'a [Prepared],
    setup: Setup,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// What was seen of each test, by its index in the campaign.
    pub tallies: BTreeMap<usize, Tally>,
    /// Runs made.
    pub runs: u64,
    /// Clock cycles simulated.
    pub cycles: u64,
}

/// What was seen of a test.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Runs that ended in each final state.
    pub seen: BTreeMap<FinalState, u64>,
    /// Final states that are not allowed, the first few of each batch.
    pub violations: Vec<Violation>,
    /// How many there were in all.
    pub forbidden: u64,
}

/// A final state that is not allowed.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The final state, in words.
    pub state: String,
    /// The batch, for [`Campaign::run`].
    pub batch: usize,
    /// What each node did in which cycles, a line each.
    pub story: Vec<String>,
}

impl<'a> Campaign<'a> {
    /// A campaign of these tests.
    ///
    /// # Errors
    /// If a test has more threads than the system has processors.
    pub fn new(tests: &'a [Prepared], setup: Setup) -> Result<Self, String> {
        let processors = |node: &&Node| matches!(node, Node::Cached { .. });
        let processors = setup.config.nodes.iter().filter(processors).count();
        let large = |prepared: &&Prepared| prepared.test.threads.len() > processors;
        match tests.iter().find(large) {
            None => Ok(Campaign { tests, setup }),
            Some(Prepared { test, .. }) => Err(format!(
                "{} has {} threads and the system {processors} processors; give it more ports",
                test.name,
                test.threads.len()
            )),
        }
    }

    /// The tests.
    pub fn tests(&self) -> &'a [Prepared] {
        self.tests
    }

    /// How it is run.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Number of batches.
    pub fn batches(&self) -> usize {
        self.tests.len().div_ceil(TESTS) * Condition::ALL.len()
    }

    /// Number of runs.
    pub fn runs(&self) -> u64 {
        self.tests.len() as u64 * u64::from(self.setup.runs)
    }

    /// Makes the runs of a batch.
    ///
    /// # Errors
    /// The first violation of any check of the harness, or a configuration that is not possible.
    pub fn run(&self, batch: usize) -> Result<Batch, Failure> {
        let (chunk, part) = (batch / Condition::ALL.len(), batch % Condition::ALL.len());
        let first = chunk * TESTS;
        let tests = first..self.tests.len().min(first + TESTS);
        // The runs of a test go to the conditions in turn.
        let conditions = Condition::ALL.len() as u32;
        let runs = (self.setup.runs + conditions - 1 - part as u32) / conditions;
        let total = tests.len() as u64 * u64::from(runs);
        if total == 0 {
            return Ok(Batch::default());
        }

        let mut config = self.setup.config.clone();
        Condition::ALL[part].apply(&mut config);
        config = config.with_store_buffers(self.setup.nodes.store_buffer());
        let mut supernode = Builder::default()
            .config(config)
            .seed(self.setup.seed ^ (batch as u64) << 32)
            .model(self.setup.switch)
            .checks(self.setup.checks)
            .build()?;
        let started = supernode.cycle();
        let lanes = LANES_PER_NODE * supernode.processors().len();
        let processors: Rc<[usize]> = supernode.processors().into();
        let next = Rc::new(Cell::new(0u64));
        // Programs live as long as the supernode wants, so they own what they need.
        let programs: Rc<[Rc<super::Test>]> = (self.tests[tests.clone()].iter())
            .map(|prepared| Rc::new(prepared.test.clone()))
            .collect();
        let seed = self.setup.seed;
        let finished: Rc<RefCell<Vec<(usize, program::Ended)>>> = Rc::default();
        let collected = finished.clone();
        supernode.run(move |sys: System| {
            for lane in 0..lanes {
                let (system, next, processors) = (sys.clone(), next.clone(), processors.clone());
                let (programs, collected) = (programs.clone(), collected.clone());
                sys.spawn(async move {
                    while next.get() < total {
                        let run = next.replace(next.get() + 1);
                        let index = (run % programs.len() as u64) as usize;
                        let mut rng = stream(seed, &format!("batch {batch} run {run}"));
                        let test = programs[index].clone();
                        let place = Place::random(&test, &processors, lane, &mut rng);
                        let ended = program::run(&system, test, place, rng.random()).await;
                        collected.borrow_mut().push((index, ended));
                    }
                });
            }
            std::future::ready(())
        })?;
        let mut tallies = BTreeMap::new();
        for (index, ended) in finished.take() {
            self.judge(first + index, batch, ended, &mut tallies);
        }
        Ok(Batch {
            tallies,
            runs: total,
            cycles: supernode.cycle() - started,
        })
    }

    /// Enters how a run has ended.
    fn judge(
        &self,
        index: usize,
        batch: usize,
        ended: program::Ended,
        tallies: &mut BTreeMap<usize, Tally>,
    ) {
        let Prepared { test, sc, tso, .. } = &self.tests[index];
        let allowed = match self.setup.model {
            MemoryModel::Sc => sc,
            MemoryModel::Tso => tso,
        };
        let tally = tallies.entry(index).or_default();
        let state = match &ended.state {
            // Filtered out by the test itself.
            Ok(None) => return,
            Ok(Some(state)) => {
                *tally.seen.entry(state.clone()).or_default() += 1;
                if allowed.contains(state) {
                    return;
                }
                test.state(state)
            }
            Err(wrong) => wrong.clone(),
        };
        tally.forbidden += 1;
        if tally.violations.len() < KEPT {
            tally.violations.push(Violation {
                state,
                batch,
                story: ended.story(test),
            });
        }
    }
}
