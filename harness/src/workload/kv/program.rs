//! The programs of the nodes.
//!
//! Nodes agree through the address space alone: a ticket counter hands out the requests, and a
//! word a block says whether the block is absent, claimed by a node that stores it, or ready.

use std::cell::RefCell;
use std::rc::Rc;

use super::pool::{ABSENT, Pool, READY, claimed, split_mix};
use crate::report::ProgressPoint;
use crate::sim::{Line, NodeHandle, System, join_all};
use crate::{Failure, FailureKind};

/// Least and most cycles between two looks at a block that is not ready yet.
const POLL_CYCLES: (u64, u64) = (16, 512);

/// Cycles until each node starts on one more request, so that no node takes the first tickets all at
/// once.
const START_CYCLES: u64 = 512;

/// Lines of a block that a program accesses at once. With two requests in flight that makes as many
/// as a node of [`flits::stimulus::Config::new`] has miss registers: more would only wait in the node
/// and add to the latencies.
const LINES_AT_ONCE: usize = 4;

/// What all programs of a run work on. The tally counts; no program takes a decision from it,
/// except to stop after a failure.
pub(super) struct Work {
    pub(super) pool: Pool,
    /// The blocks of each request.
    pub(super) requests: Vec<Vec<usize>>,
    pub(super) tally: RefCell<Tally>,
    /// Told the number of requests decoded so far.
    pub(super) on_request: Box<dyn Fn(u64)>,
}

/// What the programs counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) prefilled: u64,
    pub(super) decoded: u64,
    pub(super) references: u64,
    pub(super) hits: u64,
    pub(super) stored: u64,
    pub(super) found_late: u64,
    pub(super) blocks_decoded: u64,
    pub(super) bytes_checked: u64,
    /// Sum of the [`digest`]s of all lines that were decoded.
    pub(super) digest: u64,
    pub(super) progress: Vec<ProgressPoint>,
    pub(super) failure: Option<Failure>,
}

/// Runs the programs, `in_flight` of them on each node, so that each works on that many requests at
/// once, until all requests are served.
pub(super) async fn run(
    sys: &System,
    work: &Rc<Work>,
    prefill: &[usize],
    decode: &[usize],
    in_flight: usize,
) {
    let mut programs = Vec::new();
    for _ in 0..in_flight {
        for &port in prefill {
            programs.push(sys.spawn(prefill_requests(sys.clone(), sys.node(port), work.clone())));
        }
        for &port in decode {
            programs.push(sys.spawn(decode_requests(sys.clone(), sys.node(port), work.clone())));
        }
        sys.idle(START_CYCLES).await;
    }
    for program in programs {
        program.await;
    }
}

/// Takes requests and makes sure that their blocks get stored.
async fn prefill_requests(sys: System, node: NodeHandle, work: Rc<Work>) {
    let pool = &work.pool;
    while let Some((_, blocks)) = work.next(&node, pool.prefill_ticket()).await {
        let mut leading = 0;
        while leading < blocks.len() && work.is_ready(&node, blocks[leading]).await {
            work.load(&sys, &node, blocks[leading], |_, _| 0).await;
            leading += 1;
        }
        let mut found_late = 0;
        for &block in &blocks[leading..] {
            let claim = claimed(node.port());
            if node.compare_swap(pool.state(block), ABSENT, claim).await == ABSENT {
                work.store(&node, block).await;
            } else {
                found_late += 1;
            }
        }
        let mut tally = work.tally.borrow_mut();
        tally.prefilled += 1;
        tally.references += blocks.len() as u64;
        tally.hits += leading as u64;
        tally.found_late += found_late;
        let point = ProgressPoint {
            cycle: sys.now(),
            requests: tally.prefilled,
            block_references: tally.references,
            prefix_hits: tally.hits,
        };
        tally.progress.push(point);
    }
}

/// Takes requests and loads all their blocks, each as soon as it is ready.
async fn decode_requests(sys: System, node: NodeHandle, work: Rc<Work>) {
    while let Some((request, blocks)) = work.next(&node, work.pool.decode_ticket()).await {
        for &block in blocks {
            let mut pause = POLL_CYCLES.0;
            while !work.is_ready(&node, block).await {
                if work.stopped() {
                    return;
                }
                sys.idle(pause).await;
                pause = (2 * pause).min(POLL_CYCLES.1);
            }
            let of_request = |addr, line: &Line| digest(request, addr, line);
            work.load(&sys, &node, block, of_request).await;
        }
        let decoded = {
            let mut tally = work.tally.borrow_mut();
            tally.blocks_decoded += blocks.len() as u64;
            tally.decoded += 1;
            tally.decoded
        };
        (work.on_request)(decoded);
    }
}

impl Work {
    /// The next request by the ticket and its blocks, until there is none or the run has failed.
    async fn next(&self, node: &NodeHandle, ticket: u64) -> Option<(u64, &[usize])> {
        if self.stopped() {
            return None;
        }
        let ticket: u64 = node.fetch_add(ticket, 1).await;
        let blocks = self.requests.get(usize::try_from(ticket).ok()?)?;
        Some((ticket, blocks))
    }

    fn stopped(&self) -> bool {
        self.tally.borrow().failure.is_some()
    }

    async fn is_ready(&self, node: &NodeHandle, block: usize) -> bool {
        node.load::<u64>(self.pool.state(block)).await == READY
    }

    /// Stores all lines of a claimed block, then says that it is ready.
    async fn store(&self, node: &NodeHandle, block: usize) {
        let pool = &self.pool;
        self.each_line(block, async |addr| {
            node.store_line(addr, &pool.content(block, addr)).await;
        })
        .await;
        // No fence: the stores are done or, with a store buffer, reach the cache in this order.
        node.store(pool.state(block), READY).await;
        self.tally.borrow_mut().stored += 1;
    }

    /// Loads all lines of a ready block and compares every byte. The digest of each adds to that of
    /// the run.
    async fn load(
        &self,
        sys: &System,
        node: &NodeHandle,
        block: usize,
        digest: impl Fn(u64, &Line) -> u64,
    ) {
        self.each_line(block, async |addr| {
            let line = node.load_line(addr).await;
            let expected = self.pool.content(block, addr);
            let mut tally = self.tally.borrow_mut();
            tally.digest = tally.digest.wrapping_add(digest(addr, &line));
            tally.bytes_checked += line.len() as u64;
            if let Some(at) = (0..line.len()).find(|&at| line[at] != expected[at]) {
                let message = format!(
                    "node {} loaded block {} of the trace: the byte at {:#x} is {:#04x} instead \
                     of {:#04x}",
                    node.port(),
                    self.pool.name(block),
                    addr + at as u64,
                    line[at],
                    expected[at]
                );
                let failure = Failure::new(sys.now(), FailureKind::Data, message);
                tally.failure.get_or_insert(failure);
            }
        })
        .await;
    }

    /// Does something with the address of each line of a block, [`LINES_AT_ONCE`] at a time.
    async fn each_line(&self, block: usize, act: impl AsyncFn(u64)) {
        let act = &act;
        let streams = (0..LINES_AT_ONCE).map(|stream| async move {
            for addr in self.pool.lines(block).skip(stream).step_by(LINES_AT_ONCE) {
                act(addr).await;
            }
        });
        join_all(streams).await;
    }
}

/// 64 bits that tell apart what a request found at an address. Their sum over a run says what each
/// request was given, and nothing of when, or by which node.
fn digest(request: u64, addr: u64, line: &Line) -> u64 {
    let mut state = request;
    let mut hash = split_mix(&mut state) ^ addr;
    for word in line.as_chunks().0 {
        state = hash ^ u64::from_le_bytes(*word);
        hash = split_mix(&mut state);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_request_address_and_every_byte() {
        let line = [7; 64];
        let mut digests = vec![
            digest(1, 0x40, &line),
            digest(2, 0x40, &line),
            digest(1, 0x80, &line),
        ];
        for byte in 0..64 {
            let mut other = line;
            other[byte] ^= 1;
            digests.push(digest(1, 0x40, &other));
        }
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
