//! Cut wires: a short cut is made up for, a long one is found in bounded time at both ends.

use flits::stimulus::{Config, Outage, Region, Way};
use harness::dut::Variant;
use harness::link::{DEAD_BOUND, LinkErrors, Pair, Run};
use harness::sim::{Model, Supernode};

fn cut(way: Option<Way>, from: u64, to: Option<u64>) -> Run {
    Run {
        seed: 3,
        cycles: 4000,
        errors: LinkErrors {
            outages: vec![Outage {
                way,
                from,
                to,
                ..Outage::default()
            }],
            ..LinkErrors::default()
        },
        ..Run::default()
    }
}

#[test]
fn a_cut_link_is_dead_at_both_ends_in_bounded_time() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    for way in [None, Some(Way::Up), Some(Way::Down)] {
        // From the first cycle, in training, and in the middle of everything.
        for from in [0, 2, 500] {
            let run = cut(way, from, None);
            let dead = pair
                .run_until_dead(&run, 5000)
                .unwrap_or_else(|failure| panic!("{failure}"));
            for (end, cycle) in dead.into_iter().enumerate() {
                let cycle = cycle.unwrap_or_else(|| panic!("end {end} lives, {way:?} {from}"));
                assert!(
                    cycle <= from + DEAD_BOUND,
                    "end {end} in cycle {cycle}, {way:?} {from}"
                );
            }
        }
    }
}

#[test]
fn a_cut_that_ends_in_time_costs_nothing_but_time() {
    let mut pair = Pair::new(Variant::Fast).expect("the model is built");
    for way in [None, Some(Way::Up), Some(Way::Down)] {
        for length in [1, 10, 100, 300, 1000] {
            let counts = pair
                .run(&cut(way, 500, Some(500 + length)))
                .unwrap_or_else(|failure| panic!("{way:?} for {length} cycles: {failure}"));
            let lost = length > 256;
            assert_eq!(
                counts.cable.retrainings != 0,
                lost,
                "{way:?} for {length} cycles"
            );
        }
    }
}

/// Two processors, and a coherent region in each of two memories.
fn two_memories() -> Config {
    let mut config = Config::new(4);
    config.nodes[1] = config.nodes[0].clone();
    config.nodes[2] = config.nodes[3].clone();
    let region = |port: usize| Region {
        base: (port as u64) << 30,
        size: 1 << 20,
        memories: vec![port],
        local_base: 0,
        ..config.regions[0].clone()
    };
    config.regions = vec![region(2), region(3)];
    config
}

#[test]
fn a_dead_link_ends_in_errors_in_bounded_time_and_the_rest_goes_on() {
    /// The cycle in which the cable of the second memory is cut.
    const CUT: u64 = 3000;
    /// The homes' patience, from one to two times 2 to this power: longer than a link takes until it
    /// is up again or given up, so that a link that comes back is no error.
    const PATIENCE_LOG2: u8 = 11;
    let mut config = two_memories();
    config.link_errors = Some(LinkErrors {
        outages: vec![Outage {
            cable: Some(3),
            from: CUT,
            ..Outage::default()
        }],
        ..LinkErrors::default()
    });
    let mut supernode = Supernode::builder()
        .config(config)
        .model(Model::Tight)
        .checks(false)
        .max_cycles(200_000)
        .build()
        .unwrap_or_else(|failure| panic!("{failure}"));
    supernode
        .set_home_timeout(PATIENCE_LOG2)
        .unwrap_or_else(|failure| panic!("{failure}"));

    let [good, bad, errors, slowest] = supernode
        .run(|sys| async move {
            let healthy = sys.node(0);
            let living = sys.clone();
            let rest = sys.spawn(async move {
                let mut right = 0;
                while living.now() < CUT + 60_000 {
                    let addr = (2 << 30) + right % 500 * 64;
                    healthy.store(addr, right).await;
                    healthy.evict(addr).await;
                    assert_eq!(healthy.load::<u64>(addr).await, right);
                    right += 1;
                }
                right
            });
            let cut_off = sys.node(1);
            let (mut good, mut bad, mut errors, mut slowest) = (0, 0, 0, 0);
            for line in 0.. {
                let begin = sys.now();
                if begin > CUT + 40_000 {
                    break;
                }
                let answer = cut_off
                    .try_load::<u64>((3 << 30) + line % 16_000 * 64)
                    .await;
                slowest = slowest.max(sys.now() - begin);
                match answer {
                    Ok(_) if sys.now() < CUT => good += 1,
                    Ok(_) => bad += 1,
                    Err(_) => errors += 1,
                }
            }
            println!("{} stores and loads beside it", rest.await);
            [good, bad, errors, slowest]
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    println!("{good} loads before the cut, {bad} after it, {errors} errors, slowest {slowest}");
    assert!(good > 10, "{good} loads before the cut");
    assert!(bad <= 1, "{bad} loads of a memory that is cut off");
    assert!(errors >= 8, "{errors} errors");
    assert!(slowest < (2 << PATIENCE_LOG2) + 100, "{slowest} cycles");
}
