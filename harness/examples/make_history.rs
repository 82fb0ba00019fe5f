//! Writes a large history to standard output, to measure `supernode check` with:
//!
//!     cargo run --release -p harness --example make_history -- 1000000 > large.jsonl
//!
//! 16 nodes load, store and add 8-byte words, a quarter of them in 8 hot lines and the rest in 1024
//! others. Each operation takes effect at one moment; with a second argument, the number of stores
//! that each node may buffer, stores do so later, in order. Every stored value is stored once.

use std::collections::VecDeque;
use std::io::Write;

use flits::history::{Event, History};
use flits::stimulus::OpKind;
use flits::{Data, RespErr};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const NODES: usize = 16;
const HOT_LINES: u64 = 8;
const LINES: u64 = 1024;
const WORDS: u64 = 8;

#[derive(Default)]
struct Memory {
    words: std::collections::BTreeMap<u64, u64>,
    order: u64,
}

impl Memory {
    /// Makes the write of an event visible.
    fn write(&mut self, event: &mut Event, value: u64) {
        self.words.insert(event.addr, value);
        event.order = Some(self.order);
        self.order += 1;
    }
}

fn bytes(value: u64) -> Option<Data> {
    Some(Data::from_slice(&value.to_le_bytes()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let operations: usize = arguments.next().ok_or("how many operations?")?.parse()?;
    let buffer: usize = arguments.next().as_deref().unwrap_or("0").parse()?;
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut memory = Memory::default();
    // Index of the event and value, oldest first.
    let mut buffers = vec![VecDeque::<(usize, u64)>::new(); NODES];
    let mut events: Vec<Event> = Vec::with_capacity(operations);
    while events.len() < operations {
        let index = events.len();
        let node = rng.random_range(0..NODES);
        let line = match rng.random_bool(0.25) {
            true => rng.random_range(0..HOT_LINES),
            false => HOT_LINES + rng.random_range(0..LINES),
        };
        let op = match rng.random_range(0..100) {
            0..55 => OpKind::Load,
            55..90 => OpKind::Store,
            90..97 => OpKind::Swap,
            _ => OpKind::Fence,
        };
        let waits = matches!(op, OpKind::Swap | OpKind::Fence) || buffers[node].len() == buffer;
        while let Some(&(store, value)) = buffers[node].front()
            && (waits || rng.random_bool(0.3))
        {
            memory.write(&mut events[store], value);
            buffers[node].pop_front();
        }
        let time = index as u64;
        let mut event = Event {
            node,
            op,
            addr: 64 * line + 8 * rng.random_range(0..WORDS),
            read: None,
            wrote: None,
            order: None,
            status: RespErr::Ok,
            start: time,
            end: time + 1,
        };
        let own = buffers[node].iter().rev();
        let own = own
            .clone()
            .find(|&&(store, _)| events[store].addr == event.addr);
        let held = own.map_or_else(
            || memory.words.get(&event.addr).copied().unwrap_or(0),
            |&(_, value)| value,
        );
        let value = time + 1;
        match op {
            OpKind::Load => event.read = bytes(held),
            OpKind::Fence => event.addr = 0,
            OpKind::Swap => {
                (event.read, event.wrote) = (bytes(held), bytes(value));
                memory.write(&mut event, value);
            }
            _ => {
                event.wrote = bytes(value);
                match buffer {
                    0 => memory.write(&mut event, value),
                    _ => buffers[node].push_back((index, value)),
                }
            }
        }
        events.push(event);
    }
    for (store, value) in buffers.into_iter().flatten() {
        memory.write(&mut events[store], value);
    }
    std::io::stdout()
        .lock()
        .write_all(History { events }.to_text().as_bytes())?;
    Ok(())
}
