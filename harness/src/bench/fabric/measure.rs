//! The method.

use super::links::{Links, Message};
use super::model::Fabric;
use super::traffic::{Sources, Traffic};
use crate::Failure;
use crate::sim::{Histogram, stream};
use flits::{Class, Flit};
use verilated::Variant;

/// Credits that a receiver grants of each class: more than are ever under way, so that it is always
/// ready.
const SINK_DEPTH: u16 = 64;
/// Cycles until all credits are granted, on both sides.
const SETTLING: u64 = 80;
/// Cycles in which what is in the fabric must come out when nothing follows.
const DRAINING: u64 = 20_000;
/// Cycles between two packets through an idle fabric.
const IDLE: u64 = 24;

/// The cycles of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// All of them.
    pub cycles: u64,
    /// The first, of which nothing is counted.
    pub dropped: u64,
}

impl Window {
    /// 60,000 cycles without the first 10,000: how the figures of the peers were made.
    pub const METHOD: Window = Window {
        cycles: 60_000,
        dropped: 10_000,
    };

    /// A sixth of `cycles` is dropped, as in [`Window::METHOD`].
    pub fn of(cycles: u64) -> Window {
        Window {
            cycles,
            dropped: cycles / 6,
        }
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Cycles counted.
    pub cycles: u64,
    /// Words of each source that came out in them; of those sources that send.
    pub words: Vec<u64>,
    /// Outputs.
    pub ports: usize,
    /// Cycles from the birth of a packet to its last word on the output, of those that came out.
    pub latency: Histogram,
    /// Words compared with what was sent, those outside the window included.
    pub checked: u64,
}

impl Measured {
    /// Words that came out a cycle and port.
    pub fn accepted(&self) -> f64 {
        self.words.iter().sum::<u64>() as f64 / (self.cycles * self.ports as u64) as f64
    }

    /// Jain's index of fairness over the sources: 1 if all got the same, 1/n if one got all.
    pub fn jain(&self) -> f64 {
        let sum: f64 = self.words.iter().map(|&words| words as f64).sum();
        let squares: f64 = self.words.iter().map(|&words| (words as f64).powi(2)).sum();
        sum * sum / (self.words.len() as f64 * squares)
    }

    /// What the source got that got least, as a share of an equal part.
    pub fn smallest_share(&self) -> f64 {
        let least = self.words.iter().min().copied().unwrap_or(0);
        let all: u64 = self.words.iter().sum();
        least as f64 * self.words.len() as f64 / all as f64
    }
}

/// Measures one kind of traffic. Every word is checked, and that none is lost.
///
/// # Errors
/// A word that is not as it must be, or an assertion of the model.
pub fn measure(
    ports: usize,
    traffic: Traffic,
    window: Window,
    seed: u64,
) -> Result<Measured, Failure> {
    let mut links = ready(ports)?;
    let name = format!("fabric of {ports} ports, {traffic:?}");
    let mut sources = Sources::new(traffic, ports, stream(seed, &name));
    let mut words = vec![0; ports];
    let mut latency = Histogram::default();
    let mut checked = 0;
    for cycle in 0..window.cycles {
        sources.act(&mut links);
        let delivered = links.step()?;
        checked += delivered.len() as u64;
        if cycle < window.dropped {
            continue;
        }
        for word in delivered {
            words[word.input] += 1;
            if word.tail {
                latency.record(word.latency);
            }
        }
    }
    checked += links.inside() as u64;
    links.drain(DRAINING)?;
    let sends = |&port: &usize| traffic.pattern.sends(port);
    Ok(Measured {
        cycles: window.cycles - window.dropped,
        words: (0..ports).filter(sends).map(|port| words[port]).collect(),
        ports,
        latency,
        checked,
    })
}

/// Cycles from the one in which a word is on an input of an idle fabric to the one in which it is on
/// the output: the least and the most over all pairs of ports.
///
/// # Errors
/// As [`measure()`].
pub fn zero_load(ports: usize) -> Result<(u64, u64), Failure> {
    let mut links = ready(ports)?;
    let mut latencies = Vec::new();
    for (input, output) in (0..ports).flat_map(|i| (0..ports).map(move |o| (i, o))) {
        let born = links.cycle();
        let message = Message {
            class: Class::Req,
            outputs: 1 << output,
            born,
            flits: vec![Flit::from_u128(((input | output << 8) as u128) << 64)],
        };
        links.begin(input, message);
        for _ in 0..IDLE {
            latencies.extend(links.step()?.iter().map(|word| word.latency));
        }
    }
    links.drain(DRAINING)?;
    let least = latencies.iter().min().copied().unwrap_or(0);
    let most = latencies.iter().max().copied().unwrap_or(0);
    Ok((least, most))
}

/// A fabric whose inputs have granted all credits, and whose receivers are always ready.
fn ready(ports: usize) -> Result<Links, Failure> {
    let mut links = Links::new(Fabric::new(ports, Variant::Fast)?, SINK_DEPTH);
    for _ in 0..SETTLING {
        links.step()?;
    }
    Ok(links)
}
