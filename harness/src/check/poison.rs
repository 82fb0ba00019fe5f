//! Poison: data written as corrupt is read as corrupt, until it is overwritten, and no other is.
//!
//! Memory keeps poison by 16 bytes and a cache by line, so what of a line is poisoned depends on
//! where it has been. Judged is what holds everywhere: a piece written as corrupt is, until all of it
//! is overwritten, and a line in which nothing was ever written as corrupt since all of it was
//! overwritten is not.

use std::collections::BTreeMap;

use flits::RespErr;
use flits::layout::{FLIT_BYTES, LINE_BYTES};

use super::golden::Written;
use super::{Verdict, violation};
use crate::FailureKind;

const PIECE: u64 = FLIT_BYTES as u64;
const LINE: u64 = LINE_BYTES as u64;

/// What of a line may be corrupt.
#[derive(Clone, Copy)]
enum Line {
    /// Something.
    Perhaps,
    /// Nothing since this moment.
    Clean(u64),
}

/// What is known to be corrupt.
#[derive(Default)]
pub(super) struct Poison {
    /// Counts what is written.
    now: u64,
    /// The pieces that are, by address, and since when.
    pieces: BTreeMap<u64, u64>,
    /// The lines in which something ever was.
    lines: BTreeMap<u64, Line>,
}

impl Poison {
    /// The present moment.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// A write of corrupt bytes sets out.
    pub(super) fn expect(&mut self, addr: u64) {
        self.lines.insert(addr & !(LINE - 1), Line::Perhaps);
    }

    /// Corrupt bytes, in whole pieces or in one of them, have reached memory.
    pub(super) fn written(&mut self, addr: u64, len: usize) {
        self.now += 1;
        self.expect(addr);
        let now = self.now;
        let pieces = (addr & !(PIECE - 1)..addr + len as u64).step_by(FLIT_BYTES);
        self.pieces.extend(pieces.map(|piece| (piece, now)));
    }

    /// A device's write has reached memory.
    pub(super) fn performed(&mut self, written: Written<'_>, poison: bool) {
        match (poison, written.data.len()) {
            (true, len) => self.written(written.addr, len),
            (false, LINE_BYTES) => self.replaced(written.addr),
            (false, len) if is_whole(written.be, len) => self.cleaned(written.addr, len),
            (false, _) => {}
        }
    }

    /// What has reached memory may have been good or corrupt.
    pub(super) fn doubt(&mut self, addr: u64, len: usize) {
        let lines = addr & !(LINE - 1)..addr + len as u64;
        lines.step_by(LINE_BYTES).for_each(|line| self.expect(line));
        self.cleaned(addr, len);
    }

    /// Good bytes replace all bytes of some pieces, or will.
    pub(super) fn cleaned(&mut self, addr: u64, len: usize) {
        if self.lines.is_empty() {
            return;
        }
        self.now += 1;
        self.pieces
            .retain(|piece, _| !(addr..addr + len as u64).contains(piece));
    }

    /// Good bytes have replaced a whole line.
    pub(super) fn replaced(&mut self, line: u64) {
        self.cleaned(line, LINE_BYTES);
        if let Some(state) = self.lines.get_mut(&line) {
            *state = Line::Clean(self.now);
        }
    }

    /// An operation that began at the moment `start` has read `len` bytes, with this status.
    pub(super) fn read(
        &self,
        start: u64,
        addr: u64,
        len: usize,
        status: RespErr,
        who: impl Fn() -> String,
    ) -> Verdict {
        let fail = |what: &str| {
            let text = format!("{} {what} at {addr:#x}", who());
            Err(violation(FailureKind::Data, text))
        };
        let mut bad = self.pieces.range(addr & !(PIECE - 1)..addr + len as u64);
        let before = |since: u64| since <= start;
        match status {
            RespErr::Ok if bad.any(|(_, &since)| before(since)) => {
                fail("reads corrupt data as good")
            }
            RespErr::DataError => match self.lines.get(&(addr & !(LINE - 1))) {
                Some(Line::Perhaps) => Ok(()),
                Some(&Line::Clean(since)) if !before(since) => Ok(()),
                _ => fail("reads good data as corrupt"),
            },
            _ => Ok(()),
        }
    }
}

/// Whether a write replaces every byte of each 16-byte piece that it is about.
pub(super) fn is_whole(be: u16, len: usize) -> bool {
    be == u16::MAX && len >= FLIT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(poison: &Poison, start: u64, addr: u64, status: RespErr) -> Option<String> {
        let who = || "node 1".to_owned();
        let found = poison.read(start, addr, 8, status, who).err()?;
        Some(found.message)
    }

    #[test]
    fn corrupt_data_read_as_good_is_found() {
        let mut poison = Poison::default();
        let before = poison.now();
        poison.expect(0x48);
        poison.written(0x48, 8);
        let (good, bad) = (RespErr::Ok, RespErr::DataError);
        assert_eq!(
            read(&poison, poison.now(), 0x40, good).as_deref(),
            Some("node 1 reads corrupt data as good at 0x40")
        );
        assert_eq!(
            read(&poison, before, 0x40, good),
            None,
            "it may have been earlier"
        );
        assert_eq!(
            read(&poison, poison.now(), 0x50, good),
            None,
            "another piece"
        );
        assert_eq!(read(&poison, poison.now(), 0x50, bad), None, "of the line");
        poison.cleaned(0x40, 16);
        assert_eq!(read(&poison, poison.now(), 0x40, good), None);
    }

    #[test]
    fn good_data_read_as_corrupt_is_found() {
        let mut poison = Poison::default();
        let bad = RespErr::DataError;
        assert!(read(&poison, 0, 0x40, bad).is_some());
        poison.written(0x40, 64);
        let since = poison.now();
        poison.replaced(0x40);
        assert_eq!(
            read(&poison, since, 0x40, bad),
            None,
            "it was corrupt meanwhile"
        );
        assert!(read(&poison, poison.now(), 0x40, bad).is_some());
    }
}
