use super::*;
use crate::protocol::NodeSet;

/// A campaign short enough for a test.
const SHORT: Effort = Effort {
    delays: 2,
    operations: 400,
    seed: 1,
};

/// Pairs of homes and nodes that this campaign meets: the same every time, and never fewer.
const LEAST: usize = 176;

#[test]
fn the_pairs_that_the_models_reach_are_met_on_the_rtl() {
    let reachable = reachable(1).expect("models that can be explored");
    let met = campaign(SHORT, |_, _| {}).expect("no violation");
    let pairs = compare(&reachable, &met);
    let count = pairs.values().filter(|about| about.times > 0).count();
    assert!(count >= LEAST, "{count} pairs are met");
}

#[test]
fn a_pair_is_seen_from_the_requester() {
    use crate::agents::LineBytes;
    use crate::protocol::{Directory, HomeIn, HomeLine};
    use flits::Opcode;
    let mut met = Pairs::default();
    let line: HomeLine<LineBytes> = HomeLine {
        directory: Directory::Shared(NodeSet(0b110)),
        transaction: None,
    };
    for src in [0, 1, 2] {
        let input = HomeIn::Request {
            op: Opcode::CleanUnique,
            src,
            may_write: true,
            data: None,
        };
        met.home(&line, &input);
    }
    let seen: Vec<String> = compare(&Pairs::default(), &met)
        .into_iter()
        .map(|(pair, about)| format!("{pair}: {}", about.times))
        .collect();
    assert_eq!(
        seen,
        [
            "home | Shared S | CleanUnique: 1",
            "home | Shared S + r | CleanUnique: 2"
        ]
    );
}
