use std::collections::{BTreeMap, BTreeSet};

use flits::{CacheState, Class, Header, NodeId, Opcode};

use super::*;

#[test]
fn bins_are_named_once_and_every_request_of_a_home_has_some() {
    let all: Vec<String> = (groups().iter())
        .flat_map(|group| {
            group
                .bins
                .iter()
                .map(move |bin| format!("{}/{bin}", group.name))
        })
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for opcode in Opcode::ALL.into_iter().filter(|o| o.class() == Class::Req) {
        let has = all
            .iter()
            .any(|bin| bin.starts_with(&format!("requests/{opcode} ")));
        let uncached = matches!(opcode, Opcode::ReadNoSnp | Opcode::WriteNoSnp);
        assert_eq!(has, !uncached, "{opcode}");
    }
}

const HOME: NodeId = NodeId::home(0);

struct Bench {
    hits: Hits,
    requests: requests::Requests,
    races: races::Races,
}

impl Bench {
    fn packet(&mut self, port: usize, direction: Direction, header: Header) {
        let requester = match header.class() {
            Class::Snp => header
                .forward_node
                .as_port()
                .map(|p| (p, header.forward_txn)),
            Class::Mem => header.return_node.as_port().map(|p| (p, header.return_txn)),
            _ => None,
        };
        let seen = Seen {
            port,
            direction,
            header: &header,
            global: Some(header.addr).filter(|_| header.class() == Class::Mem),
            requester,
        };
        self.races.packet(&seen, &mut self.hits);
        self.requests.packet(&seen, &mut self.hits);
    }

    /// Node `port` asks, the home answers at once, the node is then in `state`.
    fn granted(&mut self, port: usize, opcode: Opcode, state: CacheState) {
        self.packet(
            port,
            Direction::ToSwitch,
            request(port, opcode, CacheState::I),
        );
        self.packet(port, Direction::ToNode, answer(port, Opcode::Comp));
        self.packet(
            port,
            Direction::ToSwitch,
            told(port, Opcode::CompAck, state),
        );
    }

    fn reached(&self) -> Vec<&str> {
        self.hits.0.keys().map(String::as_str).collect()
    }
}

fn bench() -> Bench {
    Bench {
        hits: Hits::default(),
        requests: requests::Requests::default(),
        races: races::Races::default(),
    }
}

fn node(port: usize) -> NodeId {
    NodeId::port(port as u16)
}

fn request(port: usize, opcode: Opcode, state: CacheState) -> Header {
    Header {
        src: node(port),
        state,
        ..Header::new(opcode)
    }
}

fn answer(port: usize, opcode: Opcode) -> Header {
    Header {
        src: HOME,
        dst: node(port),
        home_node: HOME,
        ..Header::new(opcode)
    }
}

fn told(port: usize, opcode: Opcode, state: CacheState) -> Header {
    Header {
        src: node(port),
        dst: HOME,
        state,
        ..Header::new(opcode)
    }
}

fn snoop(requester: usize, opcode: Opcode) -> Header {
    Header {
        src: HOME,
        forward_node: node(requester),
        ..Header::new(opcode)
    }
}

#[test]
fn the_directory_is_what_nodes_have_told_the_home() {
    use CacheState::{I, SC, UC};
    let mut b = bench();
    b.granted(1, Opcode::ReadUnique, UC);
    b.packet(2, Direction::ToSwitch, request(2, Opcode::ReadShared, I));
    b.packet(1, Direction::ToNode, snoop(2, Opcode::SnpSharedFwd));
    b.packet(1, Direction::ToSwitch, told(1, Opcode::SnpRespFwded, SC));
    b.packet(2, Direction::ToNode, answer(2, Opcode::CompData));
    b.packet(2, Direction::ToSwitch, told(2, Opcode::CompAck, SC));
    b.packet(1, Direction::ToSwitch, request(1, Opcode::CleanUnique, SC));
    b.packet(2, Direction::ToNode, snoop(1, Opcode::SnpMakeInvalid));
    b.packet(2, Direction::ToSwitch, told(2, Opcode::SnpResp, I));
    b.packet(1, Direction::ToNode, answer(1, Opcode::Comp));
    assert_eq!(
        b.reached(),
        [
            "requests/CleanUnique S+r SC",
            "requests/ReadShared Uo I",
            "requests/ReadUnique I I",
        ]
    );
    let declared = requests::group().bins;
    for bin in b.reached() {
        assert!(
            declared.iter().any(|d| bin == format!("requests/{d}")),
            "{bin}"
        );
    }
}

#[test]
fn races_are_seen_and_what_is_none_is_not() {
    use CacheState::{I, SC, UC};
    let mut b = bench();
    // A grant on its way, and another's request.
    b.packet(1, Direction::ToSwitch, request(1, Opcode::ReadUnique, I));
    b.packet(1, Direction::ToNode, answer(1, Opcode::CompData));
    b.packet(2, Direction::ToSwitch, request(2, Opcode::ReadShared, I));
    b.packet(1, Direction::ToSwitch, told(1, Opcode::CompAck, UC));
    // The owner gives the line up while it is asked for it.
    b.packet(1, Direction::ToSwitch, request(1, Opcode::Evict, UC));
    b.packet(1, Direction::ToNode, snoop(2, Opcode::SnpSharedFwd));
    b.packet(1, Direction::ToSwitch, told(1, Opcode::SnpResp, I));
    let races: Vec<_> = b
        .reached()
        .into_iter()
        .filter(|bin| bin.starts_with("races"))
        .collect();
    assert_eq!(
        races,
        [
            "races/1 Evict met by SnpSharedFwd",
            "races/3 SnpSharedFwd of an owner that has nothing",
            "races/4 request while a grant is not acknowledged",
        ]
    );
    let mut quiet = bench();
    quiet.granted(1, Opcode::ReadShared, SC);
    quiet.granted(2, Opcode::ReadShared, SC);
    assert!(
        quiet.reached().iter().all(|bin| !bin.starts_with("races")),
        "{:?}",
        quiet.reached()
    );
}

#[test]
fn shapes_are_read_off_the_addresses() {
    let of = |line: &dyn Fn(u64, u64) -> u64| {
        let by_node: BTreeMap<usize, Vec<u64>> = (0..3)
            .map(|node| {
                (
                    node as usize,
                    (0..40).map(|turn| line(node, turn)).collect(),
                )
            })
            .collect();
        shapes::shape(&by_node)
    };
    assert_eq!(of(&|_, _| 7), Some("hot line"));
    assert_eq!(of(&|_, turn| turn * 7 % 2), Some("false sharing"));
    assert_eq!(
        of(&|node, turn| (turn * 5 + node) % 24 * 1024 + turn % 2),
        Some("few sets, many tags")
    );
    assert_eq!(
        of(&|node, turn| turn / 20 * 1024 + (turn * 13 + node) % 16),
        Some("many sets, few tags")
    );
    assert_eq!(of(&|_, turn| turn), Some("streaming"));
    assert_eq!(
        of(&|node, turn| (turn * 37 + node * 11) % 101),
        Some("uniform")
    );
    assert_eq!(shapes::shape(&BTreeMap::from([(0, vec![1; 100])])), None);
}
