//! The link alone: what share of its words is payload, what errors cost, and why its words are framed
//! as they are.

use crate::Failure;
use crate::dut::Variant;
use crate::link::{CRC_BITS, Counts, LinkErrors, Pair, Run, Traffic};
use crate::report::plot::{Chart, Curve, Plot};
use crate::report::sheet::{Cell, Section, Sheet, Table};
use flits::layout::FLIT_BYTES;

/// Bytes of a transfer.
const TRANSFER: u32 = 256;
/// Words of a transfer: the header and the payload.
const WORDS: u32 = 1 + PAYLOAD_WORDS;
const PAYLOAD_WORDS: u32 = TRANSFER / FLIT_BYTES as u32;
/// Cycles of a run, and those at its beginning that are not counted.
const CYCLES: u64 = 120_000;
const WARMUP: u64 = 2_000;
/// Shares of the words on a wire that are hit, in millionths.
const RATES: [u32; 8] = [0, 10, 100, 1_000, 10_000, 30_000, 100_000, 200_000];
/// Cycles that a word is on the wire, beyond the registers at its ends.
const DELAYS: [u32; 6] = [0, 2, 4, 8, 16, 32];
/// Credits of each class at the receivers: what a switch grants.
const DEPTH: u16 = 32;

/// One run of transfers of 256 bytes in both directions at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Words on the wires that are hit by an error, in millionths.
    pub error_ppm: u32,
    /// Cycles on the wire beyond the registers.
    pub delay: u32,
    /// What was counted, both directions together.
    pub counts: Counts,
}

impl Point {
    /// The share of the cycles of both wires in which payload was delivered.
    pub fn payload(&self) -> f64 {
        let delivered = self.counts.cable.delivered as f64;
        delivered * f64::from(PAYLOAD_WORDS) / f64::from(WORDS) / (2 * self.counts.cycles) as f64
    }

    /// Words on the wires for each word delivered.
    pub fn words_per_delivered(&self) -> f64 {
        self.counts.cable.wire.words as f64 / self.counts.cable.delivered as f64
    }
}

/// Runs transfers in both directions over a link on which these shares of words are hit.
///
/// # Errors
/// If the link does anything wrong.
pub fn point(pair: &mut Pair, error_ppm: u32, delay: u32) -> Result<Point, Failure> {
    let errors = LinkErrors {
        delay,
        ..LinkErrors::mixed(error_ppm, 1)
    };
    let counts = pair.run(&Run {
        seed: 1,
        traffic: Traffic {
            depth: DEPTH,
            packet_words: WORDS,
            ..Traffic::default()
        },
        errors,
        cycles: CYCLES,
        warmup: WARMUP,
    })?;
    Ok(Point {
        error_ppm,
        delay,
        counts,
    })
}

/// A way to put flits into units that share a CRC, a sequence number and a field for the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// Flits that share them.
    pub flits: u32,
    /// Bits of the CRC.
    pub crc: u32,
    /// Its Hamming distance at this length.
    pub distance: u32,
}

/// What was considered; the second is what the link does. Distances: Koopman's tables of best CRC
/// polynomials, for 0xac9a, 0x880ee6, 0x9960034c and 0x9960034c.
pub const FRAMINGS: [Framing; 4] = [
    Framing {
        flits: 1,
        crc: 16,
        distance: 5,
    },
    Framing {
        flits: 1,
        crc: CRC_BITS,
        distance: 7,
    },
    Framing {
        flits: 4,
        crc: 32,
        distance: 6,
    },
    Framing {
        flits: 16,
        crc: 32,
        distance: 6,
    },
];

impl Framing {
    /// Bits of a unit. Each flit has its class, head and tail; the unit has a sequence number, what
    /// it tells of the way back, and `valid`.
    pub fn bits(&self) -> u32 {
        const FLIT: u32 = 8 * FLIT_BYTES as u32 + 5;
        const UNIT: u32 = 8 + 12 + 1;
        self.flits * FLIT + UNIT + self.crc
    }

    /// The share of the bits that is payload, in transfers of 256 bytes one after the other.
    pub fn payload_of_bits(&self) -> f64 {
        let flits = f64::from(PAYLOAD_WORDS) / f64::from(WORDS);
        flits * f64::from(self.flits * 8 * FLIT_BYTES as u32) / f64::from(self.bits())
    }

    /// The share of the words that is payload where one transfer comes alone and fills its last unit
    /// with nothing.
    pub fn payload_alone(&self) -> f64 {
        f64::from(PAYLOAD_WORDS) / f64::from(WORDS.next_multiple_of(self.flits))
    }

    /// Cycles from a flit at one core to the same flit at the other, at one flit a cycle: no flit is
    /// let through before the CRC of its unit has been checked.
    pub fn latency(&self) -> u32 {
        2 + self.flits - 1
    }
}

/// Measures and shows everything; `told` hears of the measurements done and their number.
///
/// # Errors
/// If the link does anything wrong.
pub fn sheet(command: String, told: &mut dyn FnMut(u64, u64)) -> Result<Sheet, Failure> {
    let mut pair = Pair::new(Variant::Fast)?;
    let all = (RATES.len() + DELAYS.len()) as u64;
    let mut done = 0;
    let mut measure = |ppm, delay| {
        let point = point(&mut pair, ppm, delay);
        done += 1;
        told(done, all);
        point
    };
    let by_rate: Result<Vec<_>, _> = RATES.iter().map(|&ppm| measure(ppm, 2)).collect();
    let by_delay: Result<Vec<_>, _> = DELAYS.iter().map(|&delay| measure(0, delay)).collect();
    let latency = pair.latency(0)?;
    Ok(Sheet {
        bench: "link",
        title: "The link alone: payload, errors, framing".into(),
        command,
        sections: vec![errors(&by_rate?), delays(&by_delay?), framings(latency)],
    })
}

fn errors(points: &[Point]) -> Section {
    let mut table = Table::new(
        "errors",
        &[
            ("word_error_rate", "words hit"),
            ("payload", "payload of all words"),
            ("words_per_delivered", "words sent for each delivered"),
            ("replays", "replays"),
            ("timeouts", "after timeout"),
            ("retrainings", "retrainings"),
        ],
    );
    for point in points {
        let cable = &point.counts.cable;
        table.push([
            Cell::Text(format!("{:e}", f64::from(point.error_ppm) / 1e6)),
            Cell::Number(point.payload(), 4),
            Cell::Number(point.words_per_delivered(), 4),
            Cell::Count(cable.replays),
            Cell::Count(cable.timeouts),
            Cell::Count(cable.retrainings),
        ]);
    }
    let curve = |point: &Point| (f64::from(point.error_ppm) / 1e6, point.payload());
    Section {
        title: "Errors".into(),
        notes: vec![format!(
            "Transfers of {TRANSFER} bytes in all classes, {CYCLES} cycles, both directions at once, \
             {DEPTH} credits a class, 2 cycles on the wire. A fifth of the words that are hit has up \
             to 4 flipped bits, a fifth each a burst, is lost, comes twice, or is displaced by up to \
             4 words. Every word is checked at the other end."
        )],
        table,
        charts: vec![Chart::Plot(Plot {
            title: "Payload against errors".into(),
            x: ("share of words hit".into(), 0.2),
            y: ("payload of all words".into(), 1.0),
            curves: vec![Curve {
                name: "go back N".into(),
                points: points.iter().map(curve).collect(),
            }],
            levels: Vec::new(),
        })],
    }
}

fn delays(points: &[Point]) -> Section {
    let mut table = Table::new(
        "delays",
        &[
            ("delay", "cycles on the wire"),
            ("payload", "payload of all words"),
        ],
    );
    for point in points {
        table.push([
            Cell::Count(point.delay.into()),
            Cell::Number(point.payload(), 4),
        ]);
    }
    Section {
        title: "Length of the wire".into(),
        notes: vec![format!(
            "The same without errors. {DEPTH} credits in each of five classes keep a wire busy over \
             a round trip."
        )],
        table,
        charts: Vec::new(),
    }
}

fn framings(measured: u64) -> Section {
    let mut table = Table::new(
        "framings",
        &[
            ("flits", "flits a CRC"),
            ("crc_bits", "bits of it"),
            ("distance", "Hamming distance"),
            ("bits_per_flit", "bits a flit"),
            ("payload_of_bits", "payload of bits"),
            ("payload_alone", "payload of words, alone"),
            ("latency", "cycles"),
        ],
    );
    for framing in FRAMINGS {
        table.push([
            Cell::Count(framing.flits.into()),
            Cell::Count(framing.crc.into()),
            Cell::Count(framing.distance.into()),
            Cell::Number(f64::from(framing.bits()) / f64::from(framing.flits), 1),
            Cell::Number(framing.payload_of_bits(), 3),
            Cell::Number(framing.payload_alone(), 3),
            Cell::Count(framing.latency().into()),
        ]);
    }
    Section {
        title: "Framing".into(),
        notes: vec![format!(
            "Computed for transfers of {TRANSFER} bytes, of which {PAYLOAD_WORDS} of {WORDS} flits \
             are payload; the second line is the link as it is, whose latency was measured: \
             {measured} cycles."
        )],
        table,
        charts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::BITS;

    #[test]
    fn the_framing_of_the_link_is_the_one_considered() {
        assert_eq!(FRAMINGS[1].bits(), BITS);
    }

    #[test]
    fn errors_cost_payload_and_nothing_else() {
        let mut pair = Pair::new(Variant::Fast).expect("the model is built");
        let mut last = 1.0;
        for ppm in [0, 1_000, 100_000] {
            let point = point(&mut pair, ppm, 2).expect("the link works");
            assert!(point.payload() < last, "{point:?}");
            last = point.payload();
        }
    }
}
