//! The nodes that run a program together.

use crate::sim::{NodeHandle, System, stream};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::future::Future;

/// Cycles within which the nodes of a team start.
const SKEW: u64 = 64;

/// Nodes that run a program together.
#[derive(Clone)]
pub struct Team {
    sys: System,
    nodes: Vec<NodeHandle>,
    seed: u64,
}

impl Team {
    /// All nodes of a system. The seed decides when they start, and what programs draw.
    pub fn new(sys: System, seed: u64) -> Team {
        let nodes = sys.nodes().collect();
        Team { sys, nodes, seed }
    }

    /// The first `count` of them.
    pub fn first(&self, count: usize) -> Team {
        let nodes = self.nodes.iter().take(count).cloned().collect();
        Team {
            nodes,
            ..self.clone()
        }
    }

    /// How many they are.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The node that sets up and looks at what the others have done.
    pub fn leader(&self) -> &NodeHandle {
        &self.nodes[0]
    }

    /// Random numbers of a name.
    pub fn random(&self, name: &str) -> Pcg64Mcg {
        stream(self.seed, name)
    }

    /// Runs a program on all nodes, given the node and its place in the team, and waits for their
    /// results. What they have stored is then visible to all.
    pub async fn run<F>(&self, program: impl Fn(usize, NodeHandle) -> F) -> Vec<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut skews = self.random("start");
        // What the leader has set up comes first.
        self.leader().fence().await;
        let start = |(index, node): (usize, &NodeHandle)| {
            let node = node.clone();
            let skew = skews.random_range(0..SKEW);
            let program = program(index, node.clone());
            self.sys.spawn(async move {
                node.idle(skew).await;
                let output = program.await;
                node.fence().await;
                output
            })
        };
        let running: Vec<_> = self.nodes.iter().enumerate().map(start).collect();
        let mut outputs = Vec::with_capacity(running.len());
        for handle in running {
            outputs.push(handle.await);
        }
        outputs
    }
}
