//! Sparse memory in pages, zero where nothing was written.

use rustc_hash::FxHashMap;

/// Bytes in a page.
pub(super) const PAGE: u64 = 4096;

/// Longest access, bytes; an access is naturally aligned, so that none crosses a page.
const LONGEST: usize = 256;

static ZEROS: [u8; LONGEST] = [0; LONGEST];

/// Sparse bytes. An access is at most 256 bytes long and inside one page of 4 KiB.
#[derive(Default)]
pub(super) struct Pages {
    pages: FxHashMap<u64, Box<[u8; PAGE as usize]>>,
}

impl Pages {
    /// `len` bytes at `addr`.
    pub(super) fn get(&self, addr: u64, len: usize) -> &[u8] {
        let at = (addr % PAGE) as usize;
        match self.pages.get(&(addr / PAGE)) {
            Some(page) => &page[at..at + len],
            None => &ZEROS[..len],
        }
    }

    /// The same, to change; makes the page.
    pub(super) fn get_mut(&mut self, addr: u64, len: usize) -> &mut [u8] {
        let at = (addr % PAGE) as usize;
        let page = self
            .pages
            .entry(addr / PAGE)
            .or_insert_with(|| Box::new([0; PAGE as usize]));
        &mut page[at..at + len]
    }

    /// Addresses of the pages ever written, ascending.
    pub(super) fn addresses(&self) -> Vec<u64> {
        let mut addresses: Vec<u64> = self.pages.keys().map(|page| page * PAGE).collect();
        addresses.sort_unstable();
        addresses
    }
}
