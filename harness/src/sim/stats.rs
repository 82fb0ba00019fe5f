//! What is counted while a supernode runs.

use crate::agents::OpKind;
use crate::dut::PortStats;
use std::collections::BTreeMap;

/// Where an operation found what it wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// In the node's own cache.
    Cache,
    /// In the node's store buffer.
    StoreBuffer,
    /// The home alone: permission without data, or a completion.
    Home,
    /// In another node's cache.
    Peer,
    /// In a memory.
    Memory,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 5] = [
        Service::Cache,
        Service::StoreBuffer,
        Service::Home,
        Service::Peer,
        Service::Memory,
    ];

    /// A lower-case name for reports.
    pub fn name(self) -> &'static str {
        match self {
            Service::Cache => "hit",
            Service::StoreBuffer => "store buffer",
            Service::Home => "home",
            Service::Peer => "cache to cache",
            Service::Memory => "memory",
        }
    }
}

/// Buckets of one octave of a histogram: a value is known to one part in this many.
const STEPS: u64 = 16;

/// Latencies in cycles, exact below 32 and to about 6 % above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u64,
    max: u64,
}

impl Histogram {
    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        let bucket = bucket(value);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.sum += value;
        self.max = self.max.max(value);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: &Histogram) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of the values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The mean; 0 if there are no values.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// The largest value.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value that `share` (0 to 1) of all values do not exceed, rounded up to its bucket's end;
    /// 0 if there are none.
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return last_of(bucket).min(self.max);
            }
        }
        0
    }

    /// First and last value and count of each bucket that is not empty.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count != 0)
            .map(|(bucket, &count)| (first_of(bucket), last_of(bucket), count))
    }
}

/// Values below 2 * STEPS have a bucket each; above, each octave has STEPS buckets.
fn bucket(value: u64) -> usize {
    if value < 2 * STEPS {
        return value as usize;
    }
    let octave = u64::from(63 - value.leading_zeros()) - u64::from(STEPS.trailing_zeros());
    (octave * STEPS + (value >> octave)) as usize
}

fn first_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let octave = bucket / STEPS - 1;
    (bucket - octave * STEPS) << octave
}

fn last_of(bucket: usize) -> u64 {
    first_of(bucket + 1) - 1
}

/// What one device did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeStats {
    /// Copies that a snoop took from the cache.
    pub invalidations: u64,
    /// Lines sent to other caches.
    pub forwards: u64,
    /// Packets that fitted nothing and were dropped.
    pub strays: u64,
    /// Dirty lines written back.
    pub write_backs: u64,
    /// Lines read and written, where the device is a memory.
    pub memory_reads: u64,
    /// As [`NodeStats::memory_reads`].
    pub memory_writes: u64,
    latencies: Vec<((OpKind, Service), Histogram)>,
}

impl NodeStats {
    /// Counts an operation that ended after `cycles`.
    pub fn record(&mut self, kind: OpKind, service: Service, cycles: u64) {
        let key = (kind, service);
        let histogram = match self.latencies.iter_mut().position(|(k, _)| *k == key) {
            Some(index) => &mut self.latencies[index].1,
            None => {
                self.latencies.push((key, Histogram::default()));
                let last = self.latencies.len() - 1;
                &mut self.latencies[last].1
            }
        };
        histogram.record(cycles);
    }

    /// Latencies by kind of operation and where it was served.
    pub fn latencies(&self) -> impl Iterator<Item = (OpKind, Service, &Histogram)> {
        self.latencies
            .iter()
            .map(|((kind, service), histogram)| (*kind, *service, histogram))
    }
}

/// What a supernode did since it was built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Clock cycles since reset, the programming of the address map included.
    pub cycles: u64,
    /// The cycle in which the first program started: what lies before is set-up.
    pub started: u64,
    /// Devices by port.
    pub nodes: Vec<NodeStats>,
    /// Links by port.
    pub ports: Vec<PortStats>,
}

impl Stats {
    /// Latencies of all nodes, by kind of operation and where it was served.
    pub fn latencies(&self) -> BTreeMap<(OpKind, Service), Histogram> {
        let mut all = BTreeMap::new();
        for (kind, service, histogram) in self.nodes.iter().flat_map(NodeStats::latencies) {
            all.entry((kind, service))
                .or_insert_with(Histogram::default)
                .merge(histogram);
        }
        all
    }

    /// Operations that ended, of one kind.
    pub fn operations(&self, kind: OpKind) -> u64 {
        self.nodes
            .iter()
            .flat_map(NodeStats::latencies)
            .filter(|(k, ..)| *k == kind)
            .map(|(.., histogram)| histogram.count())
            .sum()
    }

    /// Copies that snoops took from caches.
    pub fn invalidations(&self) -> u64 {
        self.nodes.iter().map(|node| node.invalidations).sum()
    }

    /// Lines that one cache sent to another.
    pub fn cache_to_cache(&self) -> u64 {
        self.nodes.iter().map(|node| node.forwards).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap() {
        for value in (0..5000).chain([u64::from(u32::MAX), 1 << 40]) {
            let bucket = bucket(value);
            assert!(
                first_of(bucket) <= value && value <= last_of(bucket),
                "{value}"
            );
            let width = last_of(bucket) - first_of(bucket) + 1;
            assert!(
                width == 1 || width <= value / STEPS,
                "{value} in a bucket of {width}"
            );
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::default();
        (1..=20).for_each(|value| histogram.record(value));
        assert_eq!(histogram.quantile(0.5), 10);
        assert_eq!(histogram.quantile(0.99), 20);
        assert_eq!(histogram.quantile(0.0), 1);
        assert_eq!(
            (histogram.count(), histogram.sum(), histogram.max()),
            (20, 210, 20)
        );
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }

    #[test]
    fn merging_is_counting_both() {
        let values = [3u64, 70, 5000, 3];
        let (mut one, mut two, mut all) = (
            Histogram::default(),
            Histogram::default(),
            Histogram::default(),
        );
        for (index, &value) in values.iter().enumerate() {
            if index == 0 {
                one.record(value)
            } else {
                two.record(value)
            }
            all.record(value);
        }
        one.merge(&two);
        assert_eq!(one, all);
    }
}
