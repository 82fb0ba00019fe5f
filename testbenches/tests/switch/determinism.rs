//! One seed, one run: bit for bit, and into a wave file that others can read.

use std::path::Path;

use flits::stimulus::{Config, Stall, Stimulus};
use harness::check::{Direction, SeenPacket};
use harness::sim::{Outcome, RunOptions, run_stimulus_with};
use testbenches::program::Program;

fn stimulus(seed: u64) -> Stimulus {
    let stall = Stall {
        rx_permille: 300,
        tx_permille: 300,
    };
    let config = Config {
        stall,
        ..Config::new(8)
    };
    let mut program = Program::on(config).node(0);
    for node in 0..3u64 {
        program = program.node(node as usize);
        for turn in 0..20 {
            let addr = (turn * 7 + node) % 5 * 64 + node * 8;
            program = program
                .store(addr, 8, u128::from(turn) + 1)
                .load(addr ^ 8, 8);
        }
    }
    Stimulus {
        seed,
        ..program.done()
    }
}

fn traced(stimulus: &Stimulus, vcd: &Path) -> (Outcome, Vec<u8>) {
    let options = RunOptions {
        vcd: Some(vcd.to_owned()),
        ..RunOptions::default()
    };
    let outcome = run_stimulus_with(stimulus, &options).expect("a run without violations");
    (outcome, std::fs::read(vcd).expect("a wave file"))
}

#[test]
fn the_same_seed_gives_the_same_wave_file_and_the_same_figures() {
    let dir = tempfile::tempdir().expect("a directory");
    let vcd = dir.path().join("run.vcd");
    let (first, first_wave) = traced(&stimulus(1), &vcd);
    let (second, second_wave) = traced(&stimulus(1), &vcd);
    assert!(first_wave == second_wave, "the wave files differ");
    assert_eq!((first.stats, first.events), (second.stats, second.events));
    let (other, other_wave) = traced(&stimulus(2), &vcd);
    assert!(
        first_wave != other_wave,
        "another seed gives the same wave file"
    );
    assert_ne!(other.stats.cycles, 0);
}

#[test]
fn a_run_on_the_wave_model_takes_the_cycles_of_the_fast_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let (traced, _) = traced(&stimulus(1), &dir.path().join("run.vcd"));
    let fast = run_stimulus_with(&stimulus(1), &RunOptions::default()).expect("no violations");
    assert_eq!((fast.stats, fast.events), (traced.stats, traced.events));
}

#[test]
fn an_independent_reader_finds_the_links_in_the_wave_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let vcd = dir.path().join("run.vcd");
    let (outcome, _) = traced(&stimulus(1), &vcd);
    let mut wave = wellen::simple::read(&vcd).expect("a wave file that wellen reads");
    assert!(
        wave.time_table().len() as u64 >= outcome.stats.cycles,
        "an entry for each cycle"
    );
    let names = [
        "rx_valid_i",
        "rx_class_i",
        "rx_flit_i",
        "rx_credit_o",
        "tx_valid_o",
        "tx_flit_o",
    ];
    for name in names {
        let hierarchy = wave.hierarchy();
        let found = hierarchy
            .all_vars()
            .map(|var| &hierarchy[var])
            .find(|var| var.name(hierarchy) == name);
        let signal = found
            .unwrap_or_else(|| panic!("the wave file has no {name}"))
            .signal_ref();
        wave.load_signals(&[signal]);
        let changes = wave
            .get_signal(signal)
            .map_or(0, |signal| signal.time_indices().len());
        assert!(changes > 10, "{name} changes {changes} times");
    }
}

/// The values of a string signal, each with the time from which on it holds.
fn text_of(wave: &mut wellen::simple::Waveform, name: &str) -> Vec<(u64, String)> {
    let hierarchy = wave.hierarchy();
    let found = hierarchy
        .all_vars()
        .map(|var| &hierarchy[var])
        .find(|var| var.full_name(hierarchy) == name);
    let signal = found
        .unwrap_or_else(|| panic!("the wave file has no {name}"))
        .signal_ref();
    wave.load_signals(&[signal]);
    let times = wave.time_table();
    let signal = wave.get_signal(signal).expect("loaded");
    let changes = signal.iter_changes();
    changes
        .map(|(at, value)| (times[at as usize], value.to_string()))
        .collect()
}

#[test]
fn the_tracks_of_a_wave_file_say_what_the_link_monitors_have_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let vcd = dir.path().join("run.vcd");
    let options = RunOptions {
        vcd: Some(vcd.clone()),
        log_packets: true,
        ..RunOptions::default()
    };
    let outcome = run_stimulus_with(&stimulus(1), &options).expect("a run without violations");
    assert!(outcome.packets.len() > 100);
    let mut wave = wellen::simple::read(&vcd).expect("a wave file that wellen reads");
    for port in 0..8 {
        for (direction, name) in [(Direction::ToSwitch, "in"), (Direction::ToNode, "out")] {
            let track = text_of(&mut wave, &format!("tracks.port{port}.{name}"));
            let seen = outcome.packets.iter();
            let mut seen: Vec<_> = seen
                .filter(|seen| (seen.port, seen.direction) == (port, direction))
                .collect();
            seen.sort_by_key(|seen| seen.begin);
            for seen in &seen {
                // One cycle is ten units; words to the switch are there before its edge.
                let after = track.partition_point(|&(time, _)| time <= 10 * seen.begin);
                let said = &track[after - 1].1;
                let h = &seen.packet.header;
                let begin = format!("{} {}->", h.opcode, h.src).replace("home", "H");
                let end = format!(" {:#x} t{}", h.addr, h.txn);
                assert!(
                    said.starts_with(&begin) && said.contains(&end),
                    "{said}: {seen:?}"
                );
            }
            // What is said is said of one of them.
            for (time, said) in track.iter().filter(|(_, text)| text != " ") {
                let told = |seen: &&&SeenPacket| {
                    let (begin, end) = (10 * seen.begin - 5, 10 * seen.cycle + 5);
                    (begin..=end).contains(time)
                        && said.starts_with(&format!("{} ", seen.packet.header.opcode))
                };
                assert!(seen.iter().any(|seen| told(&seen)), "{time}: {said}");
            }
        }
    }
}
