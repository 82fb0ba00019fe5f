//! Histories of reads and writes of bytes, of any size and overlapping.
//!
//! Each 64-byte line is cut into the finest pieces that the accesses of the history tell apart; a
//! piece is a [place](super::Access::place). An operation is one moment for all its bytes.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::text::Labels;
use super::{Access, History, Kind, NOBODY, Written};
use crate::hex::{count, hex};

/// Bytes of a line: no piece is longer.
const LINE: usize = 64;
/// How many bytes of an access a person is shown.
const SHOWN: usize = 16;

/// Some bytes at an address.
#[derive(Clone, Copy)]
struct Span {
    addr: u64,
    /// Where they are in [`ByteLog::data`].
    at: usize,
    len: u32,
}

impl Span {
    /// The parts of the span in each line: line, offset in the line, offset in the span, length.
    fn parts(self) -> impl Iterator<Item = (u64, usize, usize, usize)> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let left = self.len as usize - done;
            if left == 0 {
                return None;
            }
            let addr = self.addr + done as u64;
            let offset = addr as usize % LINE;
            let part = (addr - offset as u64, offset, done, left.min(LINE - offset));
            done += part.3;
            Some(part)
        })
    }
}

struct Entry {
    thread: u32,
    kind: Kind,
    start: u64,
    end: u64,
    read: Option<Span>,
    wrote: Option<(Span, u64)>,
}

/// Operations on bytes, in the order of each thread's program.
#[derive(Default)]
pub struct ByteLog {
    entries: Vec<Entry>,
    data: Vec<u8>,
    cycle_shift: u32,
}

impl ByteLog {
    /// An empty log, whose times are cycles shifted by so many bits.
    pub fn new(cycle_shift: u32) -> Self {
        ByteLog {
            cycle_shift,
            ..ByteLog::default()
        }
    }

    /// Enters an operation; gives its index, the same as in the [`History`].
    pub fn push(&mut self, thread: u32, kind: Kind, time: Range<u64>) -> u32 {
        self.entries.push(Entry {
            thread,
            kind,
            start: time.start,
            end: time.end,
            read: None,
            wrote: None,
        });
        self.entries.len() as u32 - 1
    }

    fn span(&mut self, addr: u64, bytes: &[u8]) -> Span {
        let at = self.data.len();
        self.data.extend_from_slice(bytes);
        Span {
            addr,
            at,
            len: bytes.len() as u32,
        }
    }

    /// Operation `op` read these bytes.
    pub fn read(&mut self, op: u32, addr: u64, bytes: &[u8]) {
        let span = self.span(addr, bytes);
        self.entries[op as usize].read = Some(span);
    }

    /// Operation `op` wrote these bytes; see [`Written::rank`].
    pub fn wrote(&mut self, op: u32, addr: u64, bytes: &[u8], rank: u64) {
        let span = self.span(addr, bytes);
        self.entries[op as usize].wrote = Some((span, rank));
    }

    /// Operation `op` ends; before, it was one that had not.
    pub fn end(&mut self, op: u32, kind: Kind, end: u64) {
        let entry = &mut self.entries[op as usize];
        (entry.kind, entry.end) = (kind, end);
    }

    /// Operation `op` had no effect.
    pub fn cancel(&mut self, op: u32) {
        let entry = &mut self.entries[op as usize];
        (entry.thread, entry.end) = (NOBODY, entry.start);
        (entry.read, entry.wrote) = (None, None);
    }

    /// What operation `op` wrote, and where.
    pub fn written(&self, op: u32) -> Option<(u64, &[u8])> {
        let (span, _) = self.entries[op as usize].wrote?;
        Some((span.addr, self.bytes(span)))
    }

    /// What `from` wrote, `to` wrote; gives its rank.
    pub fn hand_over(&mut self, from: u32, to: u32) -> Option<u64> {
        let wrote = self.entries[from as usize].wrote.take();
        self.entries[to as usize].wrote = wrote;
        wrote.map(|(_, rank)| rank)
    }

    /// The time by which everything that had started before had ended, and was visible. Here ranks
    /// are times, and a store that has no write is one that is not yet visible.
    pub fn horizon(&self) -> u64 {
        let open = self.entries.iter().filter(|entry| {
            let waits = entry.kind == Kind::Store && entry.wrote.is_none();
            entry.thread != NOBODY && (entry.end == u64::MAX || waits)
        });
        open.map(|entry| entry.start).min().unwrap_or(u64::MAX)
    }

    /// Forgets what had ended by the time `horizon`. Of what it wrote, that is kept as nobody's which
    /// an operation that stays may still have seen overwritten; the rest is shown, in order. Gives
    /// the new index of each operation, and how many of threads were forgotten.
    pub fn forget(
        &mut self,
        horizon: u64,
        mut show: impl FnMut(u64, &[u8]),
    ) -> (Vec<Option<u32>>, u64) {
        let stays = |entry: &Entry| entry.thread != NOBODY && entry.end > horizon;
        let kept = self.entries.iter().filter(|entry| stays(entry));
        let oldest = kept.map(|entry| entry.start).min().unwrap_or(u64::MAX);
        let mut past: Vec<(u64, Span)> = (self.entries.iter())
            .filter_map(|entry| entry.wrote.map(|(span, rank)| (rank, span)))
            .filter(|&(rank, _)| rank < oldest)
            .collect();
        past.sort_unstable_by_key(|&(rank, _)| rank);
        for (_, span) in past {
            show(span.addr, self.bytes(span));
        }
        let (old, data) = (
            std::mem::take(&mut self.entries),
            std::mem::take(&mut self.data),
        );
        let mut forgotten = 0;
        let mut moved = Vec::with_capacity(old.len());
        for entry in old {
            let stays = stays(&entry);
            forgotten += u64::from(!stays && entry.thread != NOBODY);
            let wrote = entry.wrote.filter(|&(_, rank)| rank >= oldest);
            if !stays && wrote.is_none() {
                moved.push(None);
                continue;
            }
            let thread = if stays { entry.thread } else { NOBODY };
            let op = self.push(thread, entry.kind, entry.start..entry.end);
            let bytes = |span: Span| &data[span.at..span.at + span.len as usize];
            if let Some(span) = entry.read.filter(|_| stays) {
                self.read(op, span.addr, bytes(span));
            }
            if let Some((span, rank)) = wrote {
                self.wrote(op, span.addr, bytes(span), rank);
            }
            moved.push(Some(op));
        }
        (moved, forgotten)
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn bytes(&self, span: Span) -> &[u8] {
        &self.data[span.at..span.at + span.len as usize]
    }

    /// The history, and where its places are. `initial` gives the bytes of a line as they were at
    /// first.
    pub fn history(&self, initial: impl Fn(u64) -> [u8; LINE]) -> (History, Places) {
        self.history_until(u64::MAX, initial)
    }

    /// The same of what had ended by the time `horizon`. Of later operations only what they wrote is
    /// in it, and nobody's.
    pub fn history_until(
        &self,
        horizon: u64,
        initial: impl Fn(u64) -> [u8; LINE],
    ) -> (History, Places) {
        let mut places = Places::default();
        let mut lines_of: Vec<u32> = Vec::with_capacity(self.entries.len());
        for span in self.entries.iter().flat_map(|entry| entry.spans(horizon)) {
            for (line, offset, _, len) in span.parts() {
                lines_of.push(places.cut(line, offset, len));
            }
        }
        let mut history = History::default();
        for line in &mut places.lines {
            let bytes = initial(line.addr);
            for piece in line.pieces() {
                let place = history.place(value(&bytes[piece.clone()]));
                if piece.start == 0 {
                    line.first = place;
                }
            }
        }
        let mut lines_of = lines_of.into_iter();
        let mut accesses: Vec<Access> = Vec::new();
        for entry in &self.entries {
            accesses.clear();
            for span in entry.spans(horizon) {
                let rank = entry.wrote.filter(|(wrote, _)| wrote.at == span.at);
                for (part, line) in span.parts().zip(&mut lines_of) {
                    let bytes = &self.bytes(span)[part.2..part.2 + part.3];
                    places.lines[line as usize].split(part.1, bytes, |place, value| {
                        add(&mut accesses, place, value, rank.map(|(_, rank)| rank));
                    });
                }
            }
            let thread = if entry.end > horizon {
                NOBODY
            } else {
                entry.thread
            };
            history.push(thread, entry.kind, entry.start..entry.end, &accesses);
        }
        (history, places)
    }

    /// What a person reads of the operations.
    pub fn labels<'a>(&'a self, places: &'a Places) -> ByteLabels<'a> {
        ByteLabels { log: self, places }
    }
}

impl Entry {
    /// What it accesses, the read first; if it ended after `horizon`, only what it wrote.
    fn spans(&self, horizon: u64) -> impl Iterator<Item = Span> + use<> {
        self.read
            .filter(|_| self.end <= horizon)
            .into_iter()
            .chain(self.wrote.map(|(span, _)| span))
    }
}

fn add(accesses: &mut Vec<Access>, place: u32, value: u64, rank: Option<u64>) {
    let written = rank.map(|rank| Written { value, rank });
    match accesses.iter_mut().find(|access| access.place == place) {
        Some(access) if written.is_some() => access.written = written,
        Some(access) => access.read = Some(value),
        None => accesses.push(Access {
            place,
            read: written.is_none().then_some(value),
            written,
        }),
    }
}

/// A number for some bytes: up to 8 the number itself, else a hash. Two different values of a place
/// with the same hash count as one that was stored twice.
fn value(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    if words.is_empty() {
        return u64::from_le_bytes(last);
    }
    if let ([word], []) = (words, rest) {
        return u64::from_le_bytes(*word);
    }
    let mix = |hash: u64, word: &[u8; 8]| {
        let wide = u128::from(hash ^ u64::from_le_bytes(*word)) * 0x9e37_79b9_7f4a_7c15_f39c_c060;
        (wide as u64) ^ (wide >> 64) as u64
    };
    words.iter().chain([&last]).fold(0x2545_f491_4f6c_dd1d, mix)
}

struct Line {
    addr: u64,
    /// Bit `i` is set where a piece begins at byte `i`; bit 0 always is.
    cuts: u64,
    /// The place of its first piece.
    first: u32,
}

impl Line {
    /// The bytes of each piece.
    fn pieces(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let cuts = self.cuts;
        (0..LINE)
            .filter(move |&at| cuts >> at & 1 != 0)
            .map(move |start| start..end_of(cuts, start))
    }

    /// Shows the place and the value of each piece of some bytes.
    fn split(&self, offset: usize, bytes: &[u8], mut show: impl FnMut(u32, u64)) {
        let below = self.cuts & !(u64::MAX << offset);
        let mut place = self.first + below.count_ones();
        let mut at = offset;
        while at < offset + bytes.len() {
            let end = end_of(self.cuts, at);
            show(place, value(&bytes[at - offset..end - offset]));
            place += 1;
            at = end;
        }
    }
}

/// Where the piece that begins at `start` ends.
fn end_of(cuts: u64, start: usize) -> usize {
    let later = cuts & !(1 << start) & (u64::MAX << start);
    (later.trailing_zeros() as usize).min(LINE)
}

/// Where places are.
#[derive(Default)]
pub struct Places {
    lines: Vec<Line>,
    index: FxHashMap<u64, u32>,
}

impl Places {
    /// Makes sure that pieces begin and end where these bytes do; gives the index of the line.
    fn cut(&mut self, line: u64, offset: usize, len: usize) -> u32 {
        let index = *self.index.entry(line).or_insert_with(|| {
            self.lines.push(Line {
                addr: line,
                cuts: 1,
                first: 0,
            });
            self.lines.len() as u32 - 1
        });
        let cuts = &mut self.lines[index as usize].cuts;
        *cuts |= 1 << offset;
        if offset + len < LINE {
            *cuts |= 1 << (offset + len);
        }
        index
    }

    /// Address and bytes of a place.
    pub fn locate(&self, place: u32) -> (u64, usize) {
        let line = self.lines.partition_point(|line| line.first <= place) - 1;
        let line = &self.lines[line];
        let piece = line.pieces().nth((place - line.first) as usize);
        piece.map_or((line.addr, 0), |piece| {
            (line.addr + piece.start as u64, piece.len())
        })
    }
}

/// What a person reads of a [`ByteLog`].
pub struct ByteLabels<'a> {
    log: &'a ByteLog,
    places: &'a Places,
}

impl Labels for ByteLabels<'_> {
    fn operation(&self, op: u32) -> String {
        let entry = &self.log.entries[op as usize];
        let who = match entry.thread {
            NOBODY => "a device".to_string(),
            thread => format!("node {thread}"),
        };
        let access = match (entry.read, entry.wrote) {
            (Some(read), Some((wrote, _))) => {
                let (old, new) = (
                    hex(self.log.bytes(read), SHOWN),
                    hex(self.log.bytes(wrote), SHOWN),
                );
                format!(
                    "{} at {:#x} from {old} to {new}",
                    count(read.len as usize),
                    read.addr
                )
            }
            (Some(read), None) => {
                let value = hex(self.log.bytes(read), SHOWN);
                format!(
                    "{} at {:#x} == {value}",
                    count(read.len as usize),
                    read.addr
                )
            }
            (None, Some((wrote, _))) => {
                let value = hex(self.log.bytes(wrote), SHOWN);
                format!(
                    "{} at {:#x} := {value}",
                    count(wrote.len as usize),
                    wrote.addr
                )
            }
            (None, None) => "fence".into(),
        };
        let cycle = |time: u64| time >> self.log.cycle_shift;
        match entry.end {
            u64::MAX => format!("{who}: {access} (from cycle {} on)", cycle(entry.start)),
            end => format!(
                "{who}: {access} (cycles {} to {})",
                cycle(entry.start),
                cycle(end)
            ),
        }
    }

    fn place(&self, place: u32) -> String {
        let (addr, len) = self.places.locate(place);
        match len {
            1 => format!("byte {addr:#x}"),
            _ => format!("{len} bytes at {addr:#x}"),
        }
    }

    fn value(&self, place: u32, value: u64) -> String {
        match self.places.locate(place).1 {
            len @ 0..=8 => hex(&value.to_le_bytes()[..len], SHOWN),
            len => format!("these {len} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_accesses_begin_and_end() {
        let mut log = ByteLog::default();
        let store = log.push(0, Kind::Store, 0..1);
        log.wrote(store, 0x1008, &[1, 2, 3, 4, 5, 6, 7, 8], 1);
        let load = log.push(1, Kind::Load, 0..1);
        log.read(load, 0x100c, &[5, 6]);
        let (history, places) = log.history(|_| [0; 64]);
        let of = |op| -> Vec<(u64, usize, u64)> {
            let accesses = history.accesses(op).iter();
            accesses
                .map(|access| {
                    let (addr, len) = places.locate(access.place);
                    let value = access.read.or(access.written.map(|w| w.value));
                    (addr, len, value.expect("an access"))
                })
                .collect()
        };
        assert_eq!(
            of(store),
            [
                (0x1008, 4, 0x0403_0201),
                (0x100c, 2, 0x0605),
                (0x100e, 2, 0x0807)
            ]
        );
        assert_eq!(of(load), [(0x100c, 2, 0x0605)]);
    }

    #[test]
    fn an_access_of_several_lines_has_a_piece_in_each() {
        let mut log = ByteLog::default();
        let store = log.push(0, Kind::Store, 0..1);
        log.wrote(store, 0x1000, &[7; 256], 1);
        let load = log.push(0, Kind::Atomic, 1..2);
        log.read(load, 0x1040, &[7; 64]);
        log.wrote(load, 0x1040, &[8; 64], 2);
        let (history, places) = log.history(|_| [0; 64]);
        assert_eq!(history.accesses(store).len(), 4);
        let [access] = history.accesses(load) else {
            panic!("one piece");
        };
        assert_eq!(places.locate(access.place), (0x1040, 64));
        assert_eq!(
            access.read,
            history.accesses(store)[1].written.map(|w| w.value)
        );
        assert!(access.written.is_some_and(|w| Some(w.value) != access.read));
    }
}
