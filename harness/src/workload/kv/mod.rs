//! The key/value cache of an LLM service in one global address space.
//!
//! A pool of blocks lies in the coherent region; a block of the trace is a run of consecutive lines.
//! Half of the nodes with caches prefill: for each request they load the leading blocks that are
//! stored already and store the rest. The other half decode: they load all blocks of a request as
//! soon as they are ready. Nodes take the requests in the order of the trace, as fast as they can;
//! the time stamps only give the order.
//!
//! All agreement between the nodes goes through the address space: requests are handed out by
//! fetch-and-add on a ticket word, a block is claimed by compare-and-swap on its directory word,
//! and the same word says that the block is ready once its lines are stored. What a block holds is
//! a function of its name and address, so every byte that a node loads is compared.

mod pool;
mod program;

use std::rc::Rc;

pub use pool::Pool;
use program::{Tally, Work};

use flits::stimulus::Node;

use crate::Failure;
use crate::report::{KvFigures, ProgressPoint};
use crate::sim::{Supernode, System};
use crate::workload::trace::Trace;

/// How the workload is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Lines of the pool that hold a block.
    pub lines_per_block: u64,
    /// Requests that each node works on at once.
    pub in_flight: usize,
}

/// 16 lines a block, two requests at once.
impl Default for Layout {
    fn default() -> Layout {
        Layout {
            lines_per_block: 16,
            in_flight: 2,
        }
    }
}

/// A trace made ready to run on nodes and a region.
#[derive(Debug, Clone)]
pub struct Kv {
    pool: Pool,
    requests: Vec<Vec<usize>>,
    prefill: Vec<usize>,
    decode: Vec<usize>,
    in_flight: usize,
    figures: KvFigures,
}

/// Points kept of the progress over the run.
const PROGRESS_POINTS: usize = 100;

impl Kv {
    /// Lays the trace out over the first coherent region of a supernode and its nodes with caches.
    ///
    /// # Errors
    ///
    /// As [`Kv::new`], and if there is no coherent region.
    pub fn on(trace: &Trace, layout: Layout, supernode: &Supernode) -> Result<Kv, String> {
        let nodes = supernode.config().nodes.iter().enumerate();
        let cached = nodes.filter(|(_, node)| matches!(node, Node::Cached { .. }));
        let cached: Vec<usize> = cached.map(|(port, _)| port).collect();
        let regions = supernode.address_map().regions();
        let region = regions.iter().find(|region| region.coherent);
        let region = region.ok_or("the address map has no coherent region")?;
        let end = region.base + region.size;
        Kv::new(trace, layout, &cached, region.base, end)
    }

    /// Lays the trace out over the bytes from `base` to `end` of a coherent region, for the nodes
    /// with caches on the ports `nodes`.
    ///
    /// # Errors
    ///
    /// One sentence, when the blocks do not fit or there are less than two nodes.
    pub fn new(
        trace: &Trace,
        layout: Layout,
        nodes: &[usize],
        base: u64,
        end: u64,
    ) -> Result<Kv, String> {
        if nodes.len() < 2 {
            return Err("the key/value pool needs at least two nodes with caches".to_string());
        }
        let (pool, requests) = Pool::lay_out(trace, layout.lines_per_block, base);
        if pool.end() > end {
            return Err(format!(
                "{} blocks of {} lines need {} bytes, and the region has {}; \
                 take fewer requests or lines per block",
                pool.blocks(),
                layout.lines_per_block,
                pool.end() - base,
                end - base
            ));
        }
        let (prefill, decode) = nodes.split_at(nodes.len() / 2);
        let references = trace.block_references() as u64;
        let figures = KvFigures {
            trace: trace.name.clone(),
            prefill_nodes: prefill.len(),
            decode_nodes: decode.len(),
            requests_in_flight: layout.in_flight,
            tokens_per_block: trace.tokens_per_block,
            lines_per_block: layout.lines_per_block,
            bytes_per_block: pool.block_bytes(),
            pool_bytes: pool.data_bytes(),
            sequential_hit_rate: rate(trace.sequential_hits() as u64, references),
            ..KvFigures::default()
        };
        Ok(Kv {
            pool,
            requests,
            prefill: prefill.to_vec(),
            decode: decode.to_vec(),
            in_flight: layout.in_flight,
            figures,
        })
    }

    /// The program of the whole run, for [`crate::sim::Supernode::run`]. `on_request` is told the
    /// number of requests served so far.
    ///
    /// # Errors
    ///
    /// The first byte that was not what it should be.
    pub async fn run(
        self,
        sys: System,
        on_request: impl Fn(u64) + 'static,
    ) -> Result<KvFigures, Failure> {
        let work = Rc::new(Work {
            pool: self.pool,
            requests: self.requests,
            tally: Default::default(),
            on_request: Box::new(on_request),
        });
        program::run(&sys, &work, &self.prefill, &self.decode, self.in_flight).await;
        let tally = work.tally.take();
        match tally.failure {
            Some(failure) => Err(failure),
            None => Ok(figures(self.figures, &tally, work.pool.block_bytes())),
        }
    }
}

/// Puts what was counted into the figures.
fn figures(planned: KvFigures, tally: &Tally, block_bytes: u64) -> KvFigures {
    KvFigures {
        requests: tally.decoded,
        block_references: tally.references,
        blocks_stored: tally.stored,
        prefix_hits: tally.hits,
        prefix_hit_rate: rate(tally.hits, tally.references),
        blocks_found_late: tally.found_late,
        blocks_decoded: tally.blocks_decoded,
        bytes_checked: tally.bytes_checked,
        decoded_digest: format!("{:016x}", tally.digest),
        bytes_stored: tally.stored * block_bytes,
        progress: thin_out(&tally.progress),
        ..planned
    }
}

fn rate(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// At most [`PROGRESS_POINTS`] points, evenly chosen, the last among them.
fn thin_out(points: &[ProgressPoint]) -> Vec<ProgressPoint> {
    let step = points.len().div_ceil(PROGRESS_POINTS).max(1);
    let skip = points.len().saturating_sub(1) % step;
    points.iter().skip(skip).step_by(step).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;
    use crate::sim::Model;
    use crate::workload::sample;

    const LAYOUT: Layout = Layout {
        lines_per_block: 2,
        in_flight: 3,
    };
    const NODES: [usize; 3] = [0, 1, 2];
    const END: u64 = 1 << 30;

    fn supernode() -> Supernode {
        let builder = Supernode::builder().ports(4).model(Model::Reference);
        builder.build().expect("the default system")
    }

    fn kv(requests: usize) -> Kv {
        Kv::new(&sample::chat(requests), LAYOUT, &NODES, 0, END).expect("fits")
    }

    fn run(supernode: &mut Supernode, kv: Kv) -> Result<KvFigures, Failure> {
        supernode.run(|sys| kv.run(sys, |_| {}))?
    }

    #[test]
    fn every_block_is_stored_once_and_every_named_block_is_decoded() {
        let figures = run(&mut supernode(), kv(20)).expect("no violation");
        let trace = sample::chat(20);
        let references = trace.block_references() as u64;
        let different = kv(20).pool.blocks() as u64;
        assert_eq!(figures.requests, 20);
        assert_eq!(figures.blocks_stored, different);
        assert_eq!(
            (figures.block_references, figures.blocks_decoded),
            (references, references)
        );
        let found = figures.prefix_hits + figures.blocks_found_late;
        assert_eq!(found + figures.blocks_stored, references);
        assert!(figures.prefix_hits > 0 && figures.prefix_hits <= trace.sequential_hits() as u64);
        assert_eq!(
            figures.bytes_checked,
            (figures.prefix_hits + references) * 2 * 64
        );
        assert_eq!(
            figures.progress.last().map(|point| point.requests),
            Some(20)
        );
    }

    #[test]
    fn requests_one_by_one_hit_all_that_the_trace_allows() {
        let layout = Layout {
            in_flight: 1,
            ..LAYOUT
        };
        let trace = sample::chat(20);
        // One node prefills and one decodes.
        let kv = Kv::new(&trace, layout, &NODES[..2], 0, END).expect("fits");
        let figures = run(&mut supernode(), kv).expect("no violation");
        assert_eq!(figures.prefix_hits, trace.sequential_hits() as u64);
        assert_eq!(figures.prefix_hit_rate, figures.sequential_hit_rate);
        assert_eq!(figures.blocks_found_late, 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_cycles() {
        let once = || {
            let mut supernode = supernode();
            let figures = run(&mut supernode, kv(10)).expect("no violation");
            (figures, supernode.stats())
        };
        assert_eq!(once(), once());
    }

    #[test]
    fn a_block_that_is_not_what_was_stored_stops_the_run() {
        let mut supernode = supernode();
        let kv = kv(5);
        let ready = kv.pool.state(0);
        let lie = |sys: System| async move { sys.node(0).store(ready, pool::READY).await };
        supernode.run(lie).expect("no violation");
        let failure = run(&mut supernode, kv).expect_err("block 0 was never stored");
        assert_eq!(failure.kind, FailureKind::Data);
        let text = failure.to_string();
        assert!(
            text.contains("loaded block 0 of the trace: the byte at 0x"),
            "{text}"
        );
    }

    #[test]
    fn a_pool_that_does_not_fit_is_refused() {
        let refusal = |nodes, end| {
            let made = Kv::new(&sample::chat(5), LAYOUT, nodes, 0, end);
            made.map(|_| ()).expect_err("more than fits")
        };
        assert!(refusal(&NODES, 0x2000).contains("take fewer requests"));
        assert!(refusal(&NODES[..1], END).contains("at least two nodes"));
    }

    #[test]
    fn progress_is_thinned_to_its_last_point() {
        let point = |requests| ProgressPoint {
            cycle: 0,
            requests,
            block_references: 0,
            prefix_hits: 0,
        };
        let all: Vec<_> = (1..=257).map(point).collect();
        let kept = thin_out(&all);
        assert!(kept.len() <= PROGRESS_POINTS && kept.len() > PROGRESS_POINTS / 2);
        assert_eq!(kept.last(), all.last());
        assert_eq!(thin_out(&all[..3]), all[..3]);
        assert_eq!(thin_out(&[]), []);
    }
}
