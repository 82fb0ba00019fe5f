//! The executor, the devices and the facade together, on the switch of the specification.

use super::*;
use crate::{FailureKind, consistency};
use flits::RespErr;
use flits::stimulus::{self, Config, Node, Op, Stimulus};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::cell::RefCell;
use std::rc::Rc;

fn builder(ports: usize) -> Builder {
    Supernode::builder().ports(ports).model(Model::Reference)
}

fn build(ports: usize) -> Supernode {
    builder(ports).build().expect("the default system")
}

/// A supernode whose caches have room for `sets` times `ways` lines.
fn small(sets: usize, ways: usize, mshrs: usize, store_buffer: usize) -> Supernode {
    let mut config = Config::new(4);
    for node in &mut config.nodes {
        if let Node::Cached { .. } = node {
            *node = Node::Cached {
                sets,
                ways,
                mshrs,
                store_buffer,
            };
        }
    }
    builder(4).config(config).build().expect("a small system")
}

/// A supernode whose node 1 has no cache.
fn with_io() -> Supernode {
    let mut config = Config::new(4);
    config.nodes[1] = Node::Io {};
    builder(4).config(config).build().expect("a system")
}

#[test]
fn a_store_is_seen_by_another_node() {
    let mut sn = build(8);
    sn.run(|sys| async move {
        sys.node(0).store(0x1000, 42u64).await;
        assert_eq!(sys.node(1).load::<u64>(0x1000).await, 42);
    })
    .expect("no violation");
    assert_eq!(sn.stats().cache_to_cache(), 1);
}

#[test]
fn values_survive_from_run_to_run_and_through_eviction() {
    let mut sn = small(1, 1, 2, 0);
    sn.run(|sys| async move {
        for i in 0..20u64 {
            sys.node(0).store(64 * i, i + 1).await;
        }
    })
    .expect("no violation");
    let sum = sn.run(|sys| async move {
        let loads = (0..20u64)
            .map(|i| sys.node(2).load::<u64>(64 * i))
            .collect::<Vec<_>>();
        join_all(loads).await.into_iter().sum::<u64>()
    });
    assert_eq!(sum, Ok(210));
    let stats = sn.stats();
    assert_eq!(stats.nodes[0].write_backs + stats.nodes[0].forwards, 20);
}

#[test]
fn every_width_is_loaded_as_it_was_stored() {
    build(4)
        .run(|sys| async move {
            let cpu = sys.node(0);
            cpu.store(0x103, 0x11u8).await;
            cpu.store(0x108, 0x2233_4455_6677_8899u64).await;
            cpu.store(0x110, -3i32).await;
            cpu.store(0x120, u128::MAX - 1).await;
            cpu.store_line(0x140, &[7; 64]).await;
            let other = sys.node(1);
            assert_eq!(other.load::<u32>(0x100).await, 0x1100_0000);
            assert_eq!(other.load::<u16>(0x10e).await, 0x2233);
            assert_eq!(other.load::<i32>(0x110).await, -3);
            assert_eq!(other.load::<u128>(0x120).await, u128::MAX - 1);
            assert_eq!(other.load_line(0x140).await, [7; 64]);
        })
        .expect("no violation");
}

#[test]
fn atomics_of_all_nodes_add_up() {
    let mut sn = build(8);
    let olds = sn
        .run(|sys| async move {
            let add = |node: NodeHandle| async move {
                let mut olds = Vec::new();
                for _ in 0..25 {
                    olds.push(node.fetch_add(0x40, 1u32).await);
                }
                olds
            };
            let tasks: Vec<_> = sys.nodes().map(|node| sys.spawn(add(node))).collect();
            join_all(tasks).await.concat()
        })
        .expect("no violation");
    let mut sorted = olds;
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        (0..150).collect::<Vec<u32>>(),
        "each old value exactly once"
    );
}

#[test]
fn a_compare_swap_exchanges_only_on_the_expected_value() {
    build(4)
        .run(|sys| async move {
            let cpu = sys.node(0);
            cpu.store(0x80, 5u64).await;
            assert_eq!(cpu.compare_swap(0x80, 4u64, 9).await, 5);
            assert_eq!(cpu.load::<u64>(0x80).await, 5);
            assert_eq!(cpu.compare_swap(0x80, 5u64, 9).await, 5);
            assert_eq!(cpu.swap(0x80, 1u64).await, 9);
            assert_eq!(sys.node(1).load::<u64>(0x80).await, 1);
        })
        .expect("no violation");
}

#[test]
fn misses_of_one_node_overlap_up_to_its_miss_registers() {
    let cycles = |mshrs| {
        let mut sn = small(64, 4, mshrs, 0);
        sn.run(|sys| async move {
            let start = sys.now();
            let cpu = sys.node(0);
            join_all(
                (0..8u64)
                    .map(|i| cpu.load::<u64>(64 * i))
                    .collect::<Vec<_>>(),
            )
            .await;
            sys.now() - start
        })
        .expect("no violation")
    };
    let (one, four, eight) = (cycles(1), cycles(4), cycles(8));
    assert!(
        one > 3 * four && four > 3 * eight / 2,
        "{one} {four} {eight}"
    );
}

#[test]
fn accesses_awaited_one_after_the_other_do_not_overlap() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let log = order.clone();
    build(4)
        .run(|sys| async move {
            let cpu = sys.node(0);
            let before = sys.now();
            cpu.load::<u64>(0).await;
            let miss = sys.now() - before;
            cpu.load::<u64>(8).await;
            let hit = sys.now() - before - miss;
            log.borrow_mut().extend([miss, hit]);
        })
        .expect("no violation");
    let order = order.borrow();
    assert!(
        order[0] > 90,
        "a miss takes the memory's latency: {order:?}"
    );
    assert_eq!(order[1], 1, "a hit takes a cycle");
}

/// Dekker: each node stores to one flag and loads the other.
fn both_loads_are_zero(store_buffer: usize) -> bool {
    let mut sn = small(16, 2, 4, store_buffer);
    sn.run(|sys| async move {
        // Both lines are shared first, so that each store has to wait for the other's copy.
        for node in sys.nodes() {
            node.load::<u64>(0x1000).await;
            node.load::<u64>(0x2000).await;
        }
        let side = |node: NodeHandle, mine: u64, other: u64| async move {
            node.store(mine, 1u64).await;
            node.load::<u64>(other).await
        };
        let a = sys.spawn(side(sys.node(0), 0x1000, 0x2000));
        let b = sys.spawn(side(sys.node(1), 0x2000, 0x1000));
        (a.await, b.await) == (0, 0)
    })
    .expect("no violation")
}

#[test]
fn only_a_store_buffer_lets_a_load_overtake_an_older_store() {
    assert!(
        !both_loads_are_zero(0),
        "an in-order node is sequentially consistent"
    );
    assert!(both_loads_are_zero(4), "a node with a store buffer is TSO");
}

#[test]
fn a_fence_restores_the_order() {
    let mut sn = small(16, 2, 4, 4);
    let loaded = sn.run(|sys| async move {
        for node in sys.nodes() {
            node.load::<u64>(0x1000).await;
            node.load::<u64>(0x2000).await;
        }
        let side = |node: NodeHandle, mine: u64, other: u64| async move {
            node.store(mine, 1u64).await;
            node.fence().await;
            node.load::<u64>(other).await
        };
        let a = sys.spawn(side(sys.node(0), 0x1000, 0x2000));
        let b = sys.spawn(side(sys.node(1), 0x2000, 0x1000));
        (a.await, b.await)
    });
    assert_ne!(loaded, Ok((0, 0)));
}

#[test]
fn a_load_sees_the_nodes_own_buffered_stores() {
    small(16, 2, 4, 4)
        .run(|sys| async move {
            let cpu = sys.node(0);
            cpu.store(0x100, 0x0101_0101_0101_0101u64).await;
            cpu.store(0x104, 0x0202_0202u32).await;
            assert_eq!(cpu.load::<u32>(0x104).await, 0x0202_0202, "forwarded");
            assert_eq!(
                cpu.load::<u64>(0x100).await,
                0x0202_0202_0101_0101,
                "after both drained"
            );
            for i in 0..10 {
                cpu.store(0x200 + 64 * i, i).await;
            }
            assert_eq!(cpu.fetch_add(0x200, 1u64).await, 0);
        })
        .expect("no violation");
}

#[test]
fn uncached_accesses_of_every_size_reach_the_memory() {
    const UNCACHED: u64 = 1 << 32;
    with_io()
        .run(|sys| async move {
            let (cpu, io) = (sys.node(0), sys.node(1));
            for log2 in 0..=8 {
                let len = 1usize << log2;
                let bytes: Vec<u8> = (0..len).map(|i| (i + log2) as u8).collect();
                let addr = UNCACHED + 0x1000 * log2 as u64 + len as u64;
                io.write_uncached(addr, &bytes).await;
                assert_eq!(cpu.read_uncached(addr, len).await, bytes);
            }
        })
        .expect("no violation");
}

#[test]
fn coherent_accesses_without_caching_see_and_change_cached_lines() {
    with_io()
        .run(|sys| async move {
            let (cpu, io) = (sys.node(0), sys.node(1));
            cpu.store(0x1000, 1u64).await;
            assert_eq!(io.read_once(0x1000).await[..8], 1u64.to_le_bytes());
            io.write_unique(0x1008, &2u64.to_le_bytes()).await;
            assert_eq!(cpu.load::<u128>(0x1000).await, 1 | 2 << 64);
            io.write_unique(0x1000, &[9; 64]).await;
            assert_eq!(cpu.read_once(0x1000).await, [9; 64]);
            cpu.write_unique(0x1004, &[8; 4]).await;
            assert_eq!(cpu.load::<u64>(0x1000).await, 0x0808_0808_0909_0909);
            // Now the line is in the node's own cache.
            cpu.store(0x1000, 3u8).await;
            assert_eq!(cpu.read_once(0x1000).await[0], 3);
            cpu.write_unique(0x1000, &[4]).await;
            assert_eq!(io.read_once(0x1000).await[0], 4);
        })
        .expect("no violation");
}

#[test]
fn an_eviction_ends_when_the_line_is_gone() {
    let mut sn = build(4);
    sn.run(|sys| async move {
        let cpu = sys.node(0);
        cpu.store(0x40, 7u64).await;
        cpu.evict(0x48).await;
        cpu.evict(0x40).await;
        cpu.load::<u64>(0x80).await;
        cpu.evict(0x80).await;
        assert_eq!(sys.node(1).load::<u64>(0x40).await, 7);
    })
    .expect("no violation");
    let stats = sn.stats();
    assert_eq!((stats.nodes[0].write_backs, stats.cache_to_cache()), (1, 0));
}

#[test]
fn an_error_ends_the_run_unless_the_program_asks_for_it() {
    const HOLE: u64 = 1 << 40;
    let mut sn = build(4);
    let seen = sn.run(|sys| async move {
        let error = sys.node(0).try_load::<u64>(HOLE).await.expect_err("a hole");
        assert_eq!(
            sys.node(0)
                .store(1 << 32, 1u8)
                .result()
                .await
                .map_err(|e| e.status),
            Err(RespErr::WrongRegion)
        );
        error.status
    });
    assert_eq!(seen, Ok(RespErr::Unmapped));

    let failure = sn
        .run(|sys| async move { sys.node(1).load::<u64>(HOLE).await })
        .expect_err("nobody asked for the error");
    assert_eq!(failure.kind, FailureKind::Access);
    assert!(failure.message.contains("0x10000000000") && failure.message.contains("Unmapped"));
    assert_eq!(sn.run(|_| async {}), Err(failure), "and stays");
}

#[test]
fn a_misaligned_access_ends_the_run() {
    let failure = build(4)
        .run(|sys| async move { sys.node(0).load::<u64>(0x1004).await })
        .expect_err("misaligned");
    assert!(
        failure.message.contains("not a multiple of the 8 bytes"),
        "{failure}"
    );
}

#[test]
#[should_panic(expected = "the program's own")]
fn a_panic_in_a_program_is_the_runs() {
    let _ = build(4).run(|sys| async move {
        sys.node(0).load::<u64>(0).await;
        panic!("the program's own");
    });
}

#[test]
fn programs_that_wait_for_each_other_alone_are_a_failure() {
    let failure = build(4)
        .run(|sys| async move {
            let never = sys.spawn(std::future::pending::<()>());
            never.await;
        })
        .expect_err("nothing will come");
    assert_eq!(failure.kind, FailureKind::Progress);
}

#[test]
fn idling_takes_as_many_cycles_as_asked() {
    let waited = build(4).run(|sys| async move {
        let start = sys.now();
        let other = sys.clone();
        let nap = sys.spawn(async move {
            other.idle(100).await;
            other.now()
        });
        sys.idle(7).await;
        (sys.now() - start, nap.await - start)
    });
    assert_eq!(waited, Ok((7, 100)));
}

/// Everybody writes and reads lines below `span` at random.
pub(super) async fn scramble(sys: System, seed: u64, span: u64) {
    let program = |node: NodeHandle| async move {
        let mut rng = stream(seed, &format!("program {}", node.port()));
        for _ in 0..200 {
            let addr = 8 * rng.random_range(0..span / 8);
            match rng.random_range(0..6) {
                0 => drop(node.load::<u64>(addr).await),
                1 => node.store(addr, rng.random::<u64>()).await,
                2 => drop(node.fetch_add(addr, 1u64).await),
                3 => node.evict(addr).await,
                4 => node.store_line(addr & !63, &[rng.random(); 64]).await,
                _ => node.idle(rng.random_range(0..20)).await,
            }
        }
    };
    let tasks: Vec<_> = sys.nodes().map(|node| sys.spawn(program(node))).collect();
    join_all(tasks).await;
}

#[test]
fn random_programs_on_small_caches_violate_nothing() {
    for store_buffer in [0, 3] {
        for seed in 0..8 {
            let mut sn = small(2, 1, 2, store_buffer);
            sn.run(|sys| scramble(sys, seed, 512))
                .unwrap_or_else(|f| panic!("seed {seed}: {f}"));
        }
    }
}

#[test]
fn stalled_links_change_time_only() {
    let run = |permille| {
        let mut config = Config::new(4);
        config.stall.rx_permille = permille;
        config.stall.tx_permille = permille;
        let mut sn = builder(4).config(config).seed(3).build().expect("a system");
        let sum = sn
            .run(|sys| async move {
                for i in 0..30u64 {
                    sys.node((i % 3) as usize).fetch_add(64 * (i % 4), i).await;
                }
                let mut sum = 0;
                for i in 0..4 {
                    sum += sys.node(0).load::<u64>(64 * i).await;
                }
                sum
            })
            .expect("no violation");
        (sum, sn.cycle())
    };
    let (free, stalled) = (run(0), run(700));
    assert_eq!(free.0, stalled.0);
    assert!(stalled.1 > free.1, "{free:?} {stalled:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut config = Config::new(8);
        config.stall.rx_permille = 100;
        let mut sn = builder(8)
            .config(config)
            .seed(seed)
            .log_packets(true)
            .build()
            .expect("a system");
        sn.run(|sys| scramble(sys, seed, 512))
            .expect("no violation");
        (sn.packets().to_vec(), sn.stats())
    };
    assert_eq!(run(11), run(11));
    assert_ne!(run(11), run(12));
}

#[test]
fn a_stimulus_gives_an_event_for_each_step() {
    let text = r#"
{"supernode_stimulus":1,"seed":7,"config":{"ports":4,"nodes":[{"kind":"cached","sets":4,"ways":2,"mshrs":2,"store_buffer":0},{"kind":"io"},{"kind":"memory","timing":"ddr"}],"regions":[{"base":"0x0","size":"0x100000","coherent":true,"memories":[2],"granule":4096,"local_base":"0x0"}],"start_skew":[5]}}
{"node":0,"op":"store","addr":"0x1000","size":8,"value":"0x2a"}
{"node":1,"after":400,"op":"read_once","addr":"0x1000"}
{"node":0,"after":3,"op":"compare_swap","addr":"0x1000","size":8,"expected":"0x1","value":"0x2"}
{"node":0,"op":"fetch_add","addr":"0x1000","size":1,"value":"0xff"}
{"node":1,"op":"write_unique","addr":"0x200000","size":4,"value":"0x1"}
{"node":0,"op":"store_line","addr":"0x1040","value":"0x5"}
"#;
    let stimulus = Stimulus::parse("test", text).expect("a stimulus");
    let options = RunOptions {
        model: Model::Reference,
        ..RunOptions::default()
    };
    let outcome = run_stimulus_with(&stimulus, &options).expect("no violation");
    let event = |index: usize| &outcome.events[index];
    assert_eq!(event(0).wrote.as_deref(), Some(&42u64.to_le_bytes()[..]));
    assert_eq!(
        event(1).read.as_deref().map(|line| line[0]),
        Some(0x29),
        "after the addition"
    );
    assert_eq!(
        (event(2).read.as_deref(), &event(2).wrote),
        (Some(&42u64.to_le_bytes()[..]), &None)
    );
    assert_eq!(
        event(3).wrote.as_deref(),
        Some(&[0x29][..]),
        "0x2a + 0xff in a byte"
    );
    assert_eq!(event(4).status, RespErr::Unmapped);
    assert_eq!(
        event(5).wrote.as_deref().map(|w| w[8..16].to_vec()),
        Some(6u64.to_le_bytes().into())
    );
    assert_eq!(event(0).start, 5, "the start is skewed");
    let ends: Vec<u64> = outcome
        .history
        .events
        .iter()
        .map(|event| event.end)
        .collect();
    assert!(ends.is_sorted());
    assert_eq!(ends.len(), 6);
}

#[test]
fn the_history_has_the_order_of_its_writes_and_the_model_allows_it() {
    let mut config = Config::new(4);
    for (port, store_buffer) in [(0, 0), (1, 4)] {
        config.nodes[port] = Node::Cached {
            sets: 2,
            ways: 1,
            mshrs: 2,
            store_buffer,
        };
    }
    config.nodes[2] = Node::Io {};
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    let step = |index: u64| {
        let node = rng.random_range(0..3usize);
        let addr = 0x1000 + 64 * rng.random_range(0..4) + 8 * rng.random_range(0..2);
        let (size, value) = (8, u128::from(index) + 1);
        let op = match rng.random_range(0..6) {
            _ if node == 2 && index.is_multiple_of(2) => Op::WriteUnique { addr, size, value },
            _ if node == 2 => Op::ReadOnce { addr: addr & !0x3f },
            0 => Op::Swap { addr, size, value },
            1 => Op::Evict { addr: addr & !0x3f },
            2 | 3 => Op::Store { addr, size, value },
            _ => Op::Load { addr, size },
        };
        let after = rng.random_range(0..4);
        stimulus::Step { node, after, op }
    };
    let stimulus = Stimulus {
        seed: 5,
        config,
        steps: (0..300).map(step).collect(),
    };
    let options = RunOptions {
        model: Model::Reference,
        ..RunOptions::default()
    };
    let outcome = run_stimulus_with(&stimulus, &options).expect("no violation");
    let events = &outcome.history.events;
    assert!(outcome.counts.operations > 200, "{:?}", outcome.counts);
    let ordered = events.iter().filter(|event| event.order.is_some());
    let wrote = events.iter().filter(|event| event.wrote.is_some());
    assert_eq!(ordered.count(), wrote.count(), "each stored value is new");
    let (tso, sc) = (consistency::Model::Tso, consistency::Model::Sc);
    let models = [sc, tso, sc];
    for ordered in [true, false] {
        let (history, _) = consistency::events::log(events, ordered).history(|_| [0; 64]);
        let effort = consistency::Effort::default();
        let verdict = match ordered {
            true => consistency::Searched::Decided(consistency::linear(&history, &models)),
            false => consistency::search(&history, &models, effort),
        };
        let allowed = consistency::Searched::Decided(consistency::Verdict::Allowed);
        assert_eq!(verdict, allowed);
    }
}

#[test]
fn a_configuration_that_is_not_possible_is_a_sentence() {
    let failure = |config: Config| match builder(8).config(config).build() {
        Ok(_) => panic!("accepted"),
        Err(failure) => failure.to_string(),
    };
    let mut many = Config::new(8);
    many.nodes[0] = Node::Cached {
        sets: 1,
        ways: 1,
        mshrs: 65,
        store_buffer: 0,
    };
    assert!(failure(many).contains("node 0: a cache has 1 to 64 misses in flight"));
    let mut overlap = Config::new(8);
    overlap.regions[1].base = 0;
    assert!(failure(overlap).contains("overlaps region 0"));
}
