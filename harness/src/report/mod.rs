//! What a run reports: the figures, and their forms for the terminal ([`Report::table`]), for
//! machines ([`Report::json`]) and for the browser ([`html::page`]).
//!
//! What a bench measures goes on a [`sheet`] instead, which has the same three forms.
//!
//! The names in the JSON form are those of the fields here. They are stable: a later version may add
//! names, and a change of meaning changes [`VERSION`].

pub(crate) mod chart;
mod figures;
pub mod file;
pub mod html;
pub(crate) mod lanes;
pub mod plot;
pub mod sheet;
mod table;

pub(crate) use table::grouped;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::sim::{Histogram, Supernode};

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
    /// Clock cycles from the start of the programs until nothing moved any more.
    pub cycles: u64,
    /// How fast the simulation ran; the only figures that differ from run to run.
    pub host: HostFigures,
    /// What happened in the address space.
    pub traffic: Traffic,
    /// Latency of each kind of access, from issue to completion.
    pub latency: Vec<Latency>,
    /// The links, in the order of their ports.
    pub ports: Vec<PortFigures>,
    /// What the ports of the chips have counted in their registers.
    #[serde(default)]
    pub counters: Vec<CounterFigures>,
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
    pub lines_per_block: u64,
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
    /// A digest of what each request was given by the loads of its decode node, byte by byte, in 16
    /// hexadecimal digits. It does not depend on which node that was, or on when it loaded.
    #[serde(default)]
    pub decoded_digest: String,
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
    /// Lines read from the memories.
    pub memory_reads: u64,
    /// Lines written to the memories.
    pub memory_writes: u64,
}

/// The latency of one kind of access, in clock cycles from issue to completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// What the program asked for.
    pub operation: String,
    /// Where it was found: a hit in the own cache, another cache, memory and so on.
    pub served_by: String,
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

/// The counters of one port of one chip, as read from its registers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterFigures {
    /// The chip.
    pub chip: String,
    /// Its port.
    pub port: usize,
    /// Flits into the chip.
    pub rx_flits: ByClass,
    /// Flits out of the chip.
    pub tx_flits: ByClass,
    /// Words that went from the port through the crossbar.
    pub grants: u32,
    /// Cycles in which the port's words could go, but those of others went first.
    pub stalls_arbitration: u32,
    /// Cycles in which they waited for a credit at their output.
    pub stalls_credit: u32,
    /// Cycles in which they waited for the end of another port's packet.
    pub stalls_lock: u32,
    /// The most words in the port's buffer.
    pub high_water: ByClass,
    /// Words on the link that were not what had been sent.
    pub crc_errors: u32,
    /// Times that words were sent again on the link.
    pub replays: u32,
    /// Times that this was since no acknowledgement came.
    pub timeouts: u32,
    /// Times that the link was lost and trained again.
    pub retrains: u32,
    /// Times that the link was given up.
    pub deaths: u32,
}

/// A count for each class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByClass {
    /// Requests.
    pub req: u32,
    /// Snoops.
    pub snp: u32,
    /// Memory accesses.
    pub mem: u32,
    /// Answers without data.
    pub rsp: u32,
    /// Data.
    pub dat: u32,
}

impl ByClass {
    /// All counts.
    pub fn all(&self) -> [u32; 5] {
        [self.req, self.snp, self.mem, self.rsp, self.dat]
    }
}

/// One check and how often it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, which stays.
    pub name: String,
    /// What holds each time, for people.
    pub meaning: String,
    /// How often it was made.
    pub count: u64,
}

impl Latency {
    /// Sums up a histogram; `None` when it is empty.
    pub fn of(operation: &str, served_by: &str, histogram: &Histogram) -> Option<Latency> {
        let (min, ..) = histogram.buckets().next()?;
        let count = histogram.count();
        Some(Latency {
            operation: operation.to_string(),
            served_by: served_by.to_string(),
            count,
            min,
            mean: histogram.sum() as f64 / count as f64,
            p50: histogram.quantile(0.5),
            p90: histogram.quantile(0.9),
            p99: histogram.quantile(0.99),
            max: histogram.max(),
            buckets: buckets(histogram.buckets().map(|(_, last, count)| (last, count))),
        })
    }

    /// Operation and where it was served, for headings.
    pub fn name(&self) -> String {
        format!("{}, {}", self.operation, self.served_by)
    }
}

/// Counts in buckets of which two double the latency, from the first that is not empty to the last.
fn buckets(counts: impl Iterator<Item = (u64, u64)>) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut limits = bucket_limits();
    for (cycles, count) in counts {
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

/// A run to report.
pub struct Run<'a> {
    /// The command that makes it again.
    pub command: String,
    /// The supernode that ran; its counters are still to be read.
    pub supernode: &'a mut Supernode,
    /// How long it took.
    pub elapsed: Duration,
    /// What the key/value workload counted, if it was that.
    pub kv: Option<KvFigures>,
    /// What stopped it, if anything did.
    pub failure: Option<&'a Failure>,
}

impl Report {
    /// The report of a run.
    pub fn new(run: Run<'_>) -> Report {
        let Run {
            command,
            supernode,
            elapsed,
            kv,
            failure,
        } = run;
        let stats = supernode.stats();
        let cycles = stats.cycles - stats.started;
        let seconds = elapsed.as_secs_f64();
        let mut checks = figures::checks(&supernode.check_counts());
        if let Some(kv) = &kv {
            checks.push(figures::check(
                "kv_bytes",
                "key/value byte is the one stored",
                kv.bytes_checked,
            ));
        }
        // After a failure the supernode is of no use, and counters that cannot be read are none.
        let counters = match failure {
            None => figures::counters(supernode),
            Some(_) => Vec::new(),
        };
        Report {
            supernode_report: VERSION,
            command,
            counters,
            system: figures::system(supernode),
            kv,
            cycles,
            host: HostFigures {
                seconds,
                cycles_per_second: cycles as f64 / seconds.max(1e-9),
            },
            traffic: figures::traffic(&stats),
            latency: figures::latency(&stats),
            ports: figures::ports(&supernode.config().nodes, &stats, cycles),
            checks,
            violations: failure.is_some().into(),
            violation: failure.map(ToString::to_string),
        }
    }

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
        let spread = |from: u64, n: u64| {
            let each = |i| std::iter::repeat_n(from + i * i / 3, 1 + (n - i) as usize * 7);
            histogram((0..n).flat_map(each))
        };
        let latency = [
            Latency::of("load", "memory", &spread(2, 40)),
            Latency::of("store", "home", &spread(20, 30)),
            Latency::of("swap", "hit", &spread(40, 9)),
        ];
        let port = |p: usize| {
            let device = if p < 6 { "cached node" } else { "memory" };
            let (rx_words, tx_words) = (300_000 + 40_000 * p as u64, 900_000);
            PortFigures {
                port: p,
                device: device.to_string(),
                rx_words,
                tx_words,
                rx_bytes: rx_words * 16,
                tx_bytes: tx_words * 16,
                rx_utilisation: rx_words as f64 / 2e6,
                tx_utilisation: tx_words as f64 / 2e6,
            }
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
                decoded_digest: "0123456789abcdef".into(),
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
            counters: vec![CounterFigures {
                chip: "switch".to_string(),
                port: 3,
                rx_flits: ByClass {
                    req: 7,
                    ..ByClass::default()
                },
                tx_flits: ByClass {
                    dat: 35,
                    ..ByClass::default()
                },
                grants: 1_234_567,
                stalls_arbitration: 40,
                stalls_credit: 30,
                stalls_lock: 20,
                high_water: ByClass {
                    dat: 12,
                    ..ByClass::default()
                },
                crc_errors: 0,
                replays: 0,
                timeouts: 0,
                retrains: 0,
                deaths: 0,
            }],
            checks: vec![
                figures::check("link_words", "link word is legal", 9_700_000),
                figures::check("state_changes", "one writer or many readers", 120_000),
            ],
            violations: 0,
            violation: None,
        }
    }

    fn histogram(latencies: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        latencies
            .into_iter()
            .for_each(|cycles| histogram.record(cycles));
        histogram
    }

    #[test]
    fn a_latency_sums_its_histogram_up() {
        let latency = Latency::of("load", "memory", &histogram(1..=20)).expect("not empty");
        assert_eq!((latency.count, latency.min, latency.max), (20, 1, 20));
        assert_eq!((latency.p50, latency.p90, latency.p99), (10, 18, 20));
        assert_eq!(latency.mean, 10.5);
        assert_eq!(Latency::of("load", "memory", &Histogram::default()), None);
    }

    #[test]
    fn buckets_hold_every_latency_once_below_their_limit() {
        let values = [1, 1, 5, 6, 7, 7, 7, 7, 1000];
        let latency = Latency::of("load", "memory", &histogram(values)).expect("not empty");
        let filled: Vec<_> = latency.buckets.iter().filter(|b| b.count > 0).collect();
        let pairs: Vec<_> = filled.iter().map(|b| (b.up_to, b.count)).collect();
        assert_eq!(pairs, [(1, 2), (6, 2), (8, 4), (1024, 1)]);
        assert!(latency.buckets.is_sorted_by(|a, b| a.up_to < b.up_to));
        let extreme = Latency::of("load", "memory", &histogram([1 << 40])).expect("not empty");
        assert_eq!(extreme.buckets.iter().map(|b| b.count).sum::<u64>(), 1);
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
