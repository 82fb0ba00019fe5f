//! What a run reports: the figures, and their forms for the terminal ([`Report::table`]), for
//! machines ([`Report::json`]) and for the browser ([`html::page`]).
//!
//! The names in the JSON form are those of the fields here. They are stable: a later version may add
//! names, and a change of meaning changes [`VERSION`].

mod chart;
pub mod file;
pub mod html;
mod table;

use serde::{Deserialize, Serialize};

/// The version of the JSON form, in its field `supernode_report`.
pub const VERSION: u32 = 1;

/// Everything a run reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub supernode_report: u32,
    /// The command that makes this report again.
    pub command: String,
    /// The simulated system.
    pub system: SystemFigures,
    /// The key/value workload, in runs of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv: Option<KvFigures>,
    /// Clock cycles from the end of reset to the last completion.
    pub cycles: u64,
    /// How fast the simulation ran; the only figures that differ from run to run.
    pub host: HostFigures,
    /// What happened in the address space.
    pub traffic: Traffic,
    /// Latency of each kind of access, from issue to completion.
    pub latency: Vec<Latency>,
    /// The links, in the order of their ports.
    pub ports: Vec<PortFigures>,
    /// The checks that watched the run, and how often each was made.
    pub checks: Vec<Check>,
    /// Violations found: 0 or 1, since a run stops at the first.
    pub violations: u64,
    /// The violation in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
}

/// The simulated system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFigures {
    /// Ports of the switch.
    pub ports: usize,
    /// Nodes with a cache.
    pub cached_nodes: usize,
    /// Memories.
    pub memory_nodes: usize,
    /// The seed that decides everything random.
    pub seed: u64,
}

/// The key/value workload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KvFigures {
    /// Where the requests came from.
    pub trace: String,
    /// Requests served.
    pub requests: u64,
    /// Nodes that prefill.
    pub prefill_nodes: usize,
    /// Nodes that decode.
    pub decode_nodes: usize,
    /// Requests that a node works on at a time.
    pub requests_in_flight: usize,
    /// Tokens a block stands for, if the trace tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_block: Option<u64>,
    /// Lines of the pool that hold a block.
    pub lines_per_block: usize,
    /// Bytes of the pool that hold a block.
    pub bytes_per_block: u64,
    /// Bytes of the pool region that the blocks of the trace take.
    pub pool_bytes: u64,
    /// Blocks named by the requests, as often as they are named.
    pub block_references: u64,
    /// Different blocks among them, each stored once.
    pub blocks_stored: u64,
    /// Leading blocks that a prefill node found stored, and loaded.
    pub prefix_hits: u64,
    /// `prefix_hits / block_references`.
    pub prefix_hit_rate: f64,
    /// The rate if the requests ran strictly one after another.
    pub sequential_hit_rate: f64,
    /// Blocks past the leading ones that another request had stored or was storing.
    pub blocks_found_late: u64,
    /// Blocks that a decode node loaded and compared.
    pub blocks_decoded: u64,
    /// Bytes loaded and compared with what was stored.
    pub bytes_checked: u64,
    /// Bytes stored.
    pub bytes_stored: u64,
    /// How the figures grew, at most 100 points.
    pub progress: Vec<ProgressPoint>,
}

/// The state of the workload when a prefill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressPoint {
    /// Cycle.
    pub cycle: u64,
    /// Requests prefilled so far.
    pub requests: u64,
    /// Blocks named by them.
    pub block_references: u64,
    /// Hits among them.
    pub prefix_hits: u64,
}

/// The speed of the simulation on the machine it ran on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HostFigures {
    /// Wall-clock seconds of the simulation.
    pub seconds: f64,
    /// Simulated clock cycles a second.
    pub cycles_per_second: f64,
}

/// What happened in the address space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Loads that the programs made.
    pub loads: u64,
    /// Stores that the programs made.
    pub stores: u64,
    /// Atomic operations that the programs made.
    pub atomics: u64,
    /// Accesses that a cache answered without the switch.
    pub cache_hits: u64,
    /// Copies that the switch told a cache to give up.
    pub invalidations: u64,
    /// Lines that one cache sent to another.
    pub cache_to_cache: u64,
    /// Dirty lines that a cache gave back.
    pub write_backs: u64,
    /// Lines that the directory took back to make room.
    pub recalls: u64,
    /// Lines read from the memories.
    pub memory_reads: u64,
    /// Lines written to the memories.
    pub memory_writes: u64,
}

/// The latency of one kind of access, in clock cycles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Which accesses.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// The fastest.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// Half of them took at most this long.
    pub p50: u64,
    /// Nine of ten took at most this long.
    pub p90: u64,
    /// 99 of 100 took at most this long.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
    /// The histogram: how many took at most so many cycles and more than the bucket before.
    pub buckets: Vec<Bucket>,
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The longest latency it counts, in cycles.
    pub up_to: u64,
    /// How many accesses it counts.
    pub count: u64,
}

/// One link of the switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortFigures {
    /// The port.
    pub port: usize,
    /// What is attached to it.
    pub device: String,
    /// Link words from the device to the switch.
    pub rx_words: u64,
    /// Link words from the switch to the device.
    pub tx_words: u64,
    /// Bytes from the device to the switch, headers included.
    pub rx_bytes: u64,
    /// Bytes from the switch to the device, headers included.
    pub tx_bytes: u64,
    /// Share of the cycles in which a word came from the device.
    pub rx_utilisation: f64,
    /// Share of the cycles in which a word went to the device.
    pub tx_utilisation: f64,
}

/// One check and how often it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How often it was made.
    pub count: u64,
}

/// Bytes of a link word's flit.
const FLIT_BYTES: u64 = 16;

impl Latency {
    /// Sums up latencies given as (cycles, how many), in any order; `None` when there are none.
    pub fn of(kind: &str, counts: impl IntoIterator<Item = (u64, u64)>) -> Option<Latency> {
        let mut sorted: Vec<_> = counts.into_iter().filter(|&(_, count)| count > 0).collect();
        sorted.sort_unstable();
        let count: u64 = sorted.iter().map(|&(_, count)| count).sum();
        let sum: u128 = sorted
            .iter()
            .map(|&(c, n)| u128::from(c) * u128::from(n))
            .sum();
        let (min, max) = (sorted.first()?.0, sorted.last()?.0);
        let percentile = |percent: u64| {
            let rank = (count * percent).div_ceil(100);
            let mut below = 0;
            let reaches = |&&(_, count): &&(u64, u64)| {
                below += count;
                below >= rank
            };
            sorted
                .iter()
                .find(reaches)
                .map_or(max, |&(cycles, _)| cycles)
        };
        Some(Latency {
            kind: kind.to_string(),
            count,
            min,
            mean: sum as f64 / count as f64,
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
            buckets: buckets(&sorted),
        })
    }
}

/// Counts in buckets of which two double the latency, from the first that is not empty to the last.
fn buckets(sorted: &[(u64, u64)]) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut limits = bucket_limits();
    for &(cycles, count) in sorted {
        while buckets.last().is_none_or(|bucket| bucket.up_to < cycles) {
            let Some(up_to) = limits.next() else { break };
            if up_to >= cycles || !buckets.is_empty() {
                buckets.push(Bucket { up_to, count: 0 });
            }
        }
        if let Some(bucket) = buckets.last_mut() {
            bucket.count += count;
        }
    }
    buckets
}

/// 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
fn bucket_limits() -> impl Iterator<Item = u64> {
    let powers = (1..63).flat_map(|n| [1 << n, 3 << (n - 1)]);
    std::iter::once(1).chain(powers).chain([u64::MAX])
}

impl PortFigures {
    /// The figures of a link that carried so many words in a run of so many cycles.
    pub fn of(port: usize, device: String, rx_words: u64, tx_words: u64, cycles: u64) -> Self {
        let share = |words: u64| words as f64 / cycles.max(1) as f64;
        PortFigures {
            port,
            device,
            rx_words,
            tx_words,
            rx_bytes: rx_words * FLIT_BYTES,
            tx_bytes: tx_words * FLIT_BYTES,
            rx_utilisation: share(rx_words),
            tx_utilisation: share(tx_words),
        }
    }
}

impl HostFigures {
    /// The speed of so many cycles in so long.
    pub fn of(cycles: u64, elapsed: std::time::Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        HostFigures {
            seconds,
            cycles_per_second: cycles as f64 / seconds.max(1e-9),
        }
    }
}

impl Report {
    /// The report for machines, one JSON object over several lines.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("strings and finite numbers have a JSON form");
        text.push('\n');
        text
    }

    /// The report for the terminal.
    pub fn table(&self) -> String {
        table::render(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Report {
        let spread = |from: u64, n: u64| (0..n).map(move |i| (from + i * i / 3, 1 + (n - i) * 7));
        let latency = [
            Latency::of("load", spread(2, 40)),
            Latency::of("store", spread(20, 30)),
            Latency::of("atomic", spread(40, 9)),
        ];
        let port = |p: usize| {
            let device = if p < 6 { "cached node" } else { "memory" };
            PortFigures::of(
                p,
                device.to_string(),
                300_000 + 40_000 * p as u64,
                900_000,
                2_000_000,
            )
        };
        Report {
            supernode_report: VERSION,
            command: "supernode run kv".to_string(),
            system: SystemFigures {
                ports: 8,
                cached_nodes: 6,
                memory_nodes: 2,
                seed: 1,
            },
            kv: Some(KvFigures {
                trace: "the built-in sample <& more>".to_string(),
                requests: 261,
                prefill_nodes: 3,
                decode_nodes: 3,
                requests_in_flight: 4,
                tokens_per_block: Some(16),
                lines_per_block: 8,
                bytes_per_block: 512,
                pool_bytes: 1108 * 512,
                block_references: 6222,
                blocks_stored: 1108,
                prefix_hits: 5000,
                prefix_hit_rate: 5000.0 / 6222.0,
                sequential_hit_rate: 5114.0 / 6222.0,
                blocks_found_late: 114,
                blocks_decoded: 6222,
                bytes_checked: 11222 * 512,
                bytes_stored: 1108 * 512,
                progress: (1..=50)
                    .map(|i| ProgressPoint {
                        cycle: i * 40_000,
                        requests: i * 5,
                        block_references: i * 120,
                        prefix_hits: i * 100 - 60,
                    })
                    .collect(),
            }),
            cycles: 2_000_000,
            host: HostFigures {
                seconds: 16.0,
                cycles_per_second: 125_000.0,
            },
            traffic: Traffic {
                loads: 90_000,
                stores: 9_000,
                ..Traffic::default()
            },
            latency: latency.into_iter().flatten().collect(),
            ports: (0..8).map(port).collect(),
            checks: vec![
                Check {
                    name: "link word is legal".to_string(),
                    count: 9_700_000,
                },
                Check {
                    name: "single writer or many readers".to_string(),
                    count: 120_000,
                },
            ],
            violations: 0,
            violation: None,
        }
    }

    #[test]
    fn percentiles_are_the_least_latency_that_covers_the_share() {
        let hundred = Latency::of("load", (1..=100).map(|c| (c, 1))).expect("not empty");
        assert_eq!((hundred.p50, hundred.p90, hundred.p99), (50, 90, 99));
        assert_eq!((hundred.min, hundred.max, hundred.mean), (1, 100, 50.5));
        let one = Latency::of("load", [(7, 3)]).expect("not empty");
        assert_eq!((one.p50, one.p99, one.mean), (7, 7, 7.0));
        assert_eq!(Latency::of("load", [(7, 0)]), None);
    }

    #[test]
    fn buckets_hold_every_latency_once_below_their_limit() {
        let latencies = [(1, 2), (5, 1), (6, 1), (7, 4), (1000, 1)];
        let latency = Latency::of("load", latencies).expect("not empty");
        let filled: Vec<_> = latency.buckets.iter().filter(|b| b.count > 0).collect();
        let pairs: Vec<_> = filled.iter().map(|b| (b.up_to, b.count)).collect();
        assert_eq!(pairs, [(1, 2), (6, 2), (8, 4), (1024, 1)]);
        let total: u64 = latency.buckets.iter().map(|b| b.count).sum();
        assert_eq!(total, latency.count);
        assert!(latency.buckets.is_sorted_by(|a, b| a.up_to < b.up_to));
        let extreme = Latency::of("load", [(u64::MAX, 1)]).expect("not empty");
        assert_eq!(extreme.buckets.last().map(|b| b.count), Some(1));
    }

    #[test]
    fn the_json_form_reads_back_and_keeps_its_names() {
        let report = example();
        let json = report.json();
        assert_eq!(
            serde_json::from_str::<Report>(&json).expect("own form"),
            report
        );
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        for name in ["supernode_report", "command", "cycles", "violations"] {
            assert!(!value[name].is_null(), "{name}");
        }
        for path in [
            "/system/ports",
            "/kv/prefix_hit_rate",
            "/host/cycles_per_second",
            "/traffic/cache_to_cache",
            "/traffic/invalidations",
            "/latency/0/p99",
            "/ports/7/tx_utilisation",
            "/checks/0/count",
        ] {
            assert!(value.pointer(path).is_some(), "{path}");
        }
    }
}
