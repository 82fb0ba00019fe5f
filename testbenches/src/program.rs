//! Stimuli written by hand.

use flits::AtomicOp;
use flits::stimulus::{Config, Node, Op, Step, Stimulus, Tiers};

/// A stimulus in the making: operations are added to the node named last.
///
/// ```
/// use testbenches::program::Program;
/// let stimulus = Program::new(8)
///     .node(0).store(0x1000, 8, 42).store(0x1040, 8, 1)
///     .node(1).after(30).load(0x1040, 8).load(0x1000, 8)
///     .done();
/// assert_eq!(stimulus.steps.len(), 4);
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    stimulus: Stimulus,
    node: usize,
    after: u64,
}

impl Program {
    /// A program for the default system of `ports` ports.
    pub fn new(ports: usize) -> Self {
        Program::on(Config::new(ports))
    }

    /// A program for a system.
    pub fn on(config: Config) -> Self {
        Program {
            stimulus: Stimulus {
                seed: 1,
                config,
                steps: Vec::new(),
            },
            node: 0,
            after: 0,
        }
    }

    /// Changes the system.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.stimulus.config);
        self
    }

    /// The same devices, spread over the leaves of several chips; or as they are.
    pub fn on_tiers(self, tiers: Option<Tiers>) -> Self {
        self.config(|config| config.tiers = tiers.or(config.tiers))
    }

    /// Gives every cached node a cache of `sets` times `ways` lines.
    pub fn caches(self, new_sets: usize, new_ways: usize) -> Self {
        self.config(|config| {
            for node in &mut config.nodes {
                if let Node::Cached { sets, ways, .. } = node {
                    (*sets, *ways) = (new_sets, new_ways);
                }
            }
        })
    }

    /// Gives every cached node a store buffer.
    pub fn store_buffers(self, entries: usize) -> Self {
        self.config(|config| *config = config.clone().with_store_buffers(entries))
    }

    /// The ports of the cached nodes.
    pub fn cached(&self) -> Vec<usize> {
        let nodes = self.stimulus.config.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| matches!(node, Node::Cached { .. }))
            .map(|(port, _)| port)
            .collect()
    }

    /// Goes on with the node on `port`.
    pub fn node(mut self, port: usize) -> Self {
        self.node = port;
        self.after = 0;
        self
    }

    /// Idles for `cycles` before the next operation.
    pub fn after(mut self, cycles: u64) -> Self {
        self.after += cycles;
        self
    }

    /// Adds any operation.
    pub fn op(mut self, op: Op) -> Self {
        let after = std::mem::take(&mut self.after);
        self.stimulus.steps.push(Step {
            node: self.node,
            after,
            op,
        });
        self
    }

    /// Loads `size` bytes.
    pub fn load(self, addr: u64, size: u16) -> Self {
        self.op(Op::Load { addr, size })
    }

    /// Stores `size` bytes.
    pub fn store(self, addr: u64, size: u16, value: u128) -> Self {
        self.op(Op::Store { addr, size, value })
    }

    /// Stores a line.
    pub fn store_line(self, addr: u64, value: u128) -> Self {
        self.op(Op::StoreLine { addr, value })
    }

    /// Gives a line up.
    pub fn evict(self, addr: u64) -> Self {
        self.op(Op::Evict { addr })
    }

    /// Reads a line without caching it.
    pub fn read_once(self, addr: u64) -> Self {
        self.op(Op::ReadOnce { addr })
    }

    /// Writes coherently without caching.
    pub fn write_unique(self, addr: u64, size: u16, value: u128) -> Self {
        self.op(Op::WriteUnique { addr, size, value })
    }

    /// Writes coherently without caching, as corrupt.
    pub fn write_poison(self, addr: u64, size: u16, value: u128) -> Self {
        self.op(Op::WritePoison { addr, size, value })
    }

    /// Modifies at the home.
    pub fn atomic_store(self, atomic: AtomicOp, addr: u64, size: u16, value: u128) -> Self {
        self.op(Op::AtomicStore {
            addr,
            size,
            atomic,
            value,
        })
    }

    /// Modifies at the home and gives the old value.
    pub fn atomic_load(self, atomic: AtomicOp, addr: u64, size: u16, value: u128) -> Self {
        self.op(Op::AtomicLoad {
            addr,
            size,
            atomic,
            value,
        })
    }

    /// Has a line in memory and in no cache.
    pub fn clean_invalid(self, addr: u64) -> Self {
        self.op(Op::CleanInvalid { addr })
    }

    /// The stimulus.
    ///
    /// # Panics
    /// If an operation is not possible.
    pub fn done(self) -> Stimulus {
        if let Err(reason) = self.stimulus.check() {
            panic!("{reason}");
        }
        self.stimulus
    }
}
