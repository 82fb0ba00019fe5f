//! Requests a cycle of the homes.

use super::super::shape::build;
use crate::report::plot::{Bar, Bars, Chart};
use crate::report::sheet::{Cell, Section, Table};
use crate::sim::{NodeHandle, Supernode, System, join_all};
use crate::{Failure, FailureKind};
use flits::layout::LINE_BYTES;
use flits::stimulus::{Config, MemoryTiming, Node, Timing};
use std::cell::RefCell;
use std::rc::Rc;

/// Ports of the switch; half of them have memories, so that neither they nor the caches are what
/// bounds a home: a line takes five words on its port.
const PORTS: usize = 16;
/// Lines of each home that are asked for, fewer than its directory holds.
const LINES: usize = 384;
/// The first line.
const FIRST: u64 = 0x10_0000;
/// Cycles in which everything before the requests has come to rest.
const REST: u64 = 2_000;
/// A memory that is not what bounds a home.
const QUICK: MemoryTiming = MemoryTiming::Custom(Timing {
    latency: 1,
    channels: 64,
    busy: 1,
});

/// Where the lines of a stream are before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In no cache.
    Memory,
    /// Written by another cache.
    Cache,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Load,
    /// Overwrites the line, so that nobody needs its data.
    StoreLine,
}

/// Requests to lines that are all different, from all nodes at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stream {
    name: &'static str,
    meaning: &'static str,
    state: State,
    act: Act,
    /// Whether all homes are asked, or one.
    all_homes: bool,
    timing: MemoryTiming,
}

const fn stream(name: &'static str, meaning: &'static str, all_homes: bool) -> Stream {
    Stream {
        name,
        meaning,
        state: State::Memory,
        act: Act::Load,
        all_homes,
        timing: QUICK,
    }
}

/// What is measured.
pub const STREAMS: [Stream; 7] = [
    stream(MISSES[0], "loads that miss, quick memory", false),
    stream(MISSES[1], "loads that miss, quick memory", true),
    Stream {
        timing: MemoryTiming::Ddr,
        ..stream(
            "loads_ddr_one",
            "loads that miss, memory of 90 cycles",
            false,
        )
    },
    Stream {
        timing: MemoryTiming::Ddr,
        ..stream(
            "loads_ddr_all",
            "loads that miss, memory of 90 cycles",
            true,
        )
    },
    Stream {
        state: State::Cache,
        ..stream(
            "loads_cache_one",
            "loads of lines that others have written",
            false,
        )
    },
    Stream {
        act: Act::StoreLine,
        ..stream("stores_line_one", "stores of whole lines", false)
    },
    Stream {
        act: Act::StoreLine,
        ..stream("stores_line_all", "stores of whole lines", true)
    },
];

/// The streams that the target speaks of.
const MISSES: [&str; 2] = ["loads_one", "loads_all"];

/// What a stream did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    stream: Stream,
    requests: usize,
    /// Home slices that were asked.
    slices: usize,
    /// Requests a cycle, while half of them are done: without the first and the last quarter.
    pub a_cycle: f64,
}

impl Rate {
    fn a_slice(&self) -> f64 {
        self.a_cycle / self.slices as f64
    }
}

/// Requests a cycle and slice of the streams of the target, the worse of them.
pub fn of_misses(rates: &[Rate]) -> f64 {
    let misses = rates
        .iter()
        .filter(|rate| MISSES.contains(&rate.stream.name));
    misses.map(Rate::a_slice).fold(f64::INFINITY, f64::min)
}

pub fn measure(stream: &Stream) -> Result<Rate, Failure> {
    let mut sn = build(config(stream.timing), 0)?;
    let slices = if stream.all_homes {
        sn.address_map().homes()
    } else {
        1
    };
    let lines = lines(&sn, slices);
    let requests = lines.len();
    let stream = *stream;
    let times = sn.run(|sys| async move {
        if stream.state == State::Cache {
            // Each line by the neighbour of the node that will ask.
            let writes = shares(&sys, &lines, 1).map(|(node, line)| node.store(line, 1u64));
            join_all(writes.collect::<Vec<_>>()).await;
        }
        sys.idle(REST).await;
        let times = Rc::new(RefCell::new(Vec::new()));
        let asking = shares(&sys, &lines, 0).map(|(node, line)| {
            let (sys, times) = (sys.clone(), times.clone());
            async move {
                match stream.act {
                    Act::Load => {
                        node.load::<u64>(line).await;
                    }
                    Act::StoreLine => node.store_line(line, &[1; LINE_BYTES]).await,
                }
                times.borrow_mut().push(sys.now());
            }
        });
        join_all(asking.collect::<Vec<_>>()).await;
        times.take()
    })?;
    let (first, last) = (requests / 4, requests * 3 / 4);
    let cycles = times[last] - times[first];
    if cycles == 0 {
        let text = format!("{}: half of the requests took no time", stream.name);
        return Err(Failure::new(0, FailureKind::Setup, text));
    }
    Ok(Rate {
        stream,
        requests,
        slices,
        a_cycle: (last - first) as f64 / cycles as f64,
    })
}

/// Caches large enough to ask for everything at once and to evict nothing, and as many memories.
fn config(timing: MemoryTiming) -> Config {
    let mut config = Config::new(PORTS);
    let cached = PORTS / 2;
    let node = |port| match port < cached {
        true => Node::Cached {
            sets: 256,
            ways: 8,
            mshrs: 64,
            store_buffer: 0,
        },
        false => Node::Memory { timing },
    };
    config.nodes = (0..PORTS).map(node).collect();
    config.regions.truncate(1);
    config.regions[0].memories = (cached..PORTS).collect();
    // A line each in turn, so that any stretch of lines is spread evenly.
    config.regions[0].granule = LINE_BYTES as u64;
    config
}

/// The first lines of the first `slices` homes, as many of each.
fn lines(sn: &Supernode, slices: usize) -> Vec<u64> {
    let map = sn.address_map();
    let of_slice = |line: &u64| {
        map.home_of(*line)
            .as_home()
            .is_some_and(|home| home < slices)
    };
    let all = (FIRST..).step_by(LINE_BYTES);
    all.filter(of_slice).take(slices * LINES).collect()
}

/// The lines dealt to the nodes in turn, beginning with node `first`.
fn shares<'a>(
    sys: &'a System,
    lines: &'a [u64],
    first: usize,
) -> impl Iterator<Item = (NodeHandle, u64)> + 'a {
    let nodes: Vec<NodeHandle> = sys.nodes().collect();
    let share =
        move |(index, &line): (usize, &u64)| (nodes[(index + first) % nodes.len()].clone(), line);
    lines.iter().enumerate().map(share)
}

pub fn section(rates: &[Rate]) -> Section {
    let mut table = Table::new(
        "rate",
        &[
            ("name", ""),
            ("stream", "requests to different lines"),
            ("slices", "home slices"),
            ("requests", "requests"),
            ("a_cycle", "a cycle"),
            ("a_slice", "a cycle and slice"),
        ],
    );
    let mut bars = Vec::new();
    for rate in rates {
        let stream = rate.stream;
        table.push([
            stream.name.into(),
            stream.meaning.into(),
            Cell::Count(rate.slices as u64),
            Cell::Count(rate.requests as u64),
            Cell::Number(rate.a_cycle, 3),
            Cell::Number(rate.a_slice(), 3),
        ]);
        bars.push(Bar {
            name: format!("{}, {} slices", stream.meaning, rate.slices),
            value: rate.a_slice(),
        });
    }
    Section {
        title: "Requests a cycle, when all nodes ask for all they can".into(),
        notes: vec![format!(
            "One switch of {PORTS} ports, half of them with memories; the middle half of the \
             requests. A request is a word on the one port of a slice, its CompAck is taken at the \
             port where it comes in: 1 is the most, as long as the slice has transactions to spare."
        )],
        table,
        charts: vec![Chart::Bars(Bars {
            title: "Requests a cycle and home slice".into(),
            unit: "requests".into(),
            bars,
        })],
    }
}
