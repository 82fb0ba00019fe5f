//! Nanoseconds that the codec takes, as it runs for every flit of a simulation, the best of many
//! batches: `cargo bench -p flits`.

use flits::{Assembler, CacheState, Class, Flit, Header, NodeId, Packet};
use std::{hint::black_box, time::Instant};

const BATCHES: u32 = 200;
const ROUNDS: u32 = 20_000;

fn main() -> Result<(), flits::PacketError> {
    let read = Header::read_no_snp(NodeId::port(3), 5, 0x1000, 6)?;
    let header = Header::comp_data(NodeId::port(7), &read, CacheState::SC)?;
    let packet = Packet::with_data(header, &[0x5a; 64])?;
    let flit = header.encode();
    measure("header decode", || {
        Header::decode(black_box(Class::Dat), black_box(flit))
    });
    measure("header encode", || black_box(&header).encode());
    measure("flit field get (bitvec)", || {
        black_box(&flit).get(&flits::layout::ADDR)
    });
    let mut field = Flit::ZERO;
    measure("flit field set (bitvec)", || {
        black_box(&mut field).set(&flits::layout::ADDR, 0x1000)
    });
    let words: Vec<_> = packet.words().collect();
    let mut assembler = Assembler::new();
    measure("assemble a 64-byte packet", || {
        words
            .iter()
            .map(|&word| assembler.push(black_box(word)))
            .last()
    });
    measure("words of a 64-byte packet", || {
        black_box(&packet)
            .words()
            .fold(0, |sum, word| sum ^ word.flit.to_u128())
    });
    Ok(())
}

fn measure<T>(what: &str, mut run: impl FnMut() -> T) {
    let batch = || {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(run());
        }
        start.elapsed()
    };
    // Whatever else the machine does can only make a batch slower.
    let best = std::iter::repeat_with(batch)
        .take(BATCHES as usize)
        .min()
        .unwrap_or_default();
    let nanoseconds = best.as_secs_f64() * 1e9 / f64::from(ROUNDS);
    println!("{what:<28} {nanoseconds:7.1} ns");
}
