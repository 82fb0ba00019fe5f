//! Systems that are possible, those that are not, and circles.

use super::*;
use flits::Class;
use proptest::prelude::*;

fn tiers(ports: usize, leaves: usize, spines: usize) -> Topology {
    Topology::tiers(ports, Tiers { leaves, spines }).expect("a system")
}

/// Four chips with one device each; packets go round one way only: to port 2, from port 1.
fn ring() -> (Vec<Chip>, Vec<[End; 2]>) {
    let chip = |n: usize| Chip {
        down: 0b110,
        routes: (0..4).map(|to| (to != n).then_some([2; SLOTS])).collect(),
        ..Chip::new(format!("chip {n}"), 0, 4, 1)
    };
    let cable = |n: usize| {
        let next = End {
            chip: (n + 1) % 4,
            port: 1,
        };
        [End { chip: n, port: 2 }, next]
    };
    ((0..4).map(chip).collect(), (0..4).map(cable).collect())
}

#[test]
fn a_ring_is_rejected_and_its_circle_named() {
    let (chips, cables) = ring();
    let error = Topology::with_routes(chips, cables).expect_err("a circle");
    let text = error.to_string();
    for chip in 0..4 {
        let next = (chip + 1) % 4;
        let channel = format!("REQ from chip {chip} port 2 to chip {next} port 1");
        assert!(text.contains(&channel), "{text}");
    }
    assert!(text.contains("waits for the first"), "{text}");
}

#[test]
fn a_ring_cut_open_is_accepted() {
    // Nobody goes from chip 3 to chip 0, so all go the other way there.
    let (mut chips, cables) = ring();
    for (number, chip) in chips.iter_mut().enumerate() {
        let port = |to| if to > number { 2 } else { 1 };
        chip.routes = (0..4)
            .map(|to| (to != number).then_some([port(to); SLOTS]))
            .collect();
    }
    Topology::with_routes(chips, cables).expect("no circle");
}

#[test]
fn a_class_that_waits_for_its_answer_on_the_way_of_its_question_is_a_circle() {
    let topology = tiers(4, 2, 1);
    deadlock_check(&topology, &CLASS_TABLE).expect("the protocol's classes");
    let wrong: [(Class, &[Class]); 2] = [(Class::Req, &[Class::Rsp]), (Class::Rsp, &[Class::Req])];
    let cycle = deadlock_check(&topology, &wrong).expect_err("a circle of two classes");
    let classes: Vec<Class> = cycle.channels.iter().map(|channel| channel.class).collect();
    assert!(
        classes.contains(&Class::Req) && classes.contains(&Class::Rsp),
        "{cycle}"
    );
}

#[test]
fn two_tiers_use_every_spine_and_every_slot() {
    let topology = tiers(16, 4, 2);
    assert_eq!((topology.chips().len(), topology.cables().len()), (6, 8));
    let leaf = &topology.chips()[1];
    assert_eq!(
        (leaf.ports, leaf.devices, leaf.up, leaf.down),
        (8, 4, 0b11_0000, 0)
    );
    assert_eq!(leaf.routes[0], Some([4, 5, 4, 5, 4, 5, 4, 5]));
    assert_eq!(leaf.routes[1], None);
    let spine = &topology.chips()[4];
    assert_eq!((spine.up, spine.down), (0, 0b1111));
    assert_eq!(spine.routes[3], Some([3; SLOTS]));
    let large = tiers(64, 8, 8);
    assert_eq!(large.chips()[0].ports, 16);
    let paths = large.chips()[7].routes[0].expect("a way");
    assert_eq!(paths, [8, 9, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn what_cannot_be_built_is_named() {
    let error = |ports, leaves, spines| {
        let tiers = Topology::tiers(ports, Tiers { leaves, spines });
        tiers.expect_err("impossible").to_string()
    };
    assert!(error(10, 4, 2).contains("10 devices do not go evenly over 4 leaves"));
    assert!(error(40, 4, 2).contains("10 devices each"));
    assert!(error(16, 4, 9).contains("9 spines"));
    let chips = || vec![Chip::new("a", 0, 4, 2), Chip::new("b", 1, 4, 0)];
    let with = |cables: &[(usize, usize)]| {
        let cable = |&(a, b): &(usize, usize)| [End { chip: 0, port: a }, End { chip: 1, port: b }];
        Topology::new(chips(), cables.iter().map(cable).collect())
            .expect_err("impossible")
            .to_string()
    };
    assert!(with(&[(1, 0)]).contains("port 1 of a has a device and a cable"));
    assert!(with(&[(2, 0), (2, 1)]).contains("port 2 of a has two cables"));
    assert!(with(&[(2, 4)]).contains("port 4 of b, which has 4"));
    let far = vec![Chip::new("a", 0, 4, 2), Chip::new("b", 2, 4, 0)];
    let cable = [End { chip: 0, port: 2 }, End { chip: 1, port: 0 }];
    let text = Topology::new(far, vec![cable])
        .expect_err("two levels")
        .to_string();
    assert!(text.contains("does not go up one level"), "{text}");
    let islands = vec![Chip::new("a", 0, 4, 2), Chip::new("b", 0, 4, 2)];
    let text = Topology::new(islands, Vec::new())
        .expect_err("no cables")
        .to_string();
    assert!(
        text.contains("a packet from a to b can come to a"),
        "{text}"
    );
}

#[test]
fn a_route_that_would_turn_back_or_go_up_again_is_rejected() {
    let topology = tiers(4, 2, 2);
    let change = |chip: usize, to: usize, route: Route| {
        let mut chips = topology.chips().to_vec();
        chips[chip].routes[to] = Some(route);
        let error = Topology::with_routes(chips, topology.cables().to_vec());
        error.expect_err("a wrong route").to_string()
    };
    // Spine 0 (chip 2) sends what is for leaf 1 back to leaf 0, where it came from.
    assert!(
        change(2, 1, [0; SLOTS]).contains("a packet from leaf 0 to leaf 1 can come to spine 0")
    );
    // One slot of leaf 0 names a port with a device.
    assert!(change(0, 1, [4, 5, 4, 5, 1, 5, 4, 5]).contains("can come to leaf 0"));
    // Leaf 0 names a port without anything.
    assert!(change(0, 1, [7; SLOTS]).contains("can come to leaf 0"));
}

#[test]
fn the_graph_names_every_chip_device_and_cable() {
    let dot = tiers(4, 2, 1).to_dot();
    assert_eq!(dot.matches("shape=circle").count(), 4);
    assert_eq!(dot.matches("taillabel").count(), 2);
    assert!(dot.contains("\"leaf 1\"") && dot.contains("\"spine 0\"") && dot.contains("\"c1.1\""));
}

/// Leaves below one or two levels of spines, cabled at random but so that each chip has a way up.
fn any_levels() -> impl Strategy<Value = (Vec<Chip>, Vec<[End; 2]>)> {
    let levels = prop_oneof![
        (2..=6usize, 1..=4usize).prop_map(|(a, b)| vec![a, b]),
        (2..=5usize, 2..=4usize, 1..=2usize).prop_map(|(a, b, c)| vec![a, b, c]),
    ];
    (levels, prop::collection::vec(any::<bool>(), 64)).prop_map(|(levels, draws)| {
        let mut chips = Vec::new();
        for (level, &count) in levels.iter().enumerate() {
            let devices = if level == 0 { 2 } else { 0 };
            let name = |n| format!("level {level} chip {n}");
            chips.extend((0..count).map(|n| Chip::new(name(n), level, 16, devices)));
        }
        let mut free: Vec<usize> = chips.iter().map(|chip| chip.devices).collect();
        let mut cables = Vec::new();
        let mut draws = draws.into_iter().cycle();
        let mut first = 0;
        for pair in levels.windows(2) {
            let above = first + pair[0];
            for low in first..above {
                for high in above..above + pair[1] {
                    // The first chip above is everyone's, so that all are connected.
                    if high == above || draws.next() == Some(true) {
                        let mut end = |chip: usize| {
                            free[chip] += 1;
                            End {
                                chip,
                                port: free[chip] - 1,
                            }
                        };
                        cables.push([end(low), end(high)]);
                    }
                }
            }
            first = above;
        }
        (chips, cables)
    })
}

proptest! {
    #[test]
    fn ways_up_and_down_reach_everything_and_never_form_a_circle((chips, cables) in any_levels()) {
        let topology = Topology::new(chips, cables).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let ends = routes::ends_of(&topology);
        for source in 0..topology.leaves() {
            for target in (0..topology.leaves()).filter(|&target| target != source) {
                let mut came_down = false;
                let (arrived, stuck) = routes::follow(&topology, &ends, (source, target), |came, out| {
                    let chip = &topology.chips()[out.chip];
                    let up = |port: usize| chip.up >> port & 1 != 0;
                    came_down |= came.is_some_and(|end| up(end.port)) && up(out.port);
                });
                prop_assert!(!arrived.is_empty() && stuck.is_none());
                prop_assert!(!came_down, "what came down goes up again");
            }
        }
    }
}
