//! A reason in words.

use super::{Edge, History, Kind, Reason, Why};

/// Names of the operations, places and values of a history.
pub trait Labels {
    /// An operation: thread, and what it did.
    fn operation(&self, op: u32) -> String;
    /// A place.
    fn place(&self, place: u32) -> String;
    /// A value of a place.
    fn value(&self, place: u32, value: u64) -> String;
}

/// The reason in one line.
pub fn line(reason: &Reason, history: &History, labels: &dyn Labels) -> String {
    match reason {
        Reason::Cycle { edges, certain } => {
            let steps = steps(edges, history);
            let mut text = match certain {
                true => "cycle: ".to_string(),
                false => "every order of the stores has a cycle, for instance: ".to_string(),
            };
            for edge in &steps {
                text.push_str(&labels.operation(edge.from));
                text.push_str(match edge.why {
                    Why::Program => " -po-> ",
                    Why::ReadsFrom(_) => " -rf-> ",
                    Why::Coherence(_) | Why::Forced(_) | Why::Tried(_) | Why::Last(_) => " -co-> ",
                    Why::FromReads(_) => " -fr-> ",
                });
            }
            text + &labels.operation(steps[0].from)
        }
        Reason::Unwritten { op, place, value } => format!(
            "{}: nobody else stored {} in {}",
            labels.operation(*op),
            labels.value(*place, *value),
            labels.place(*place)
        ),
        Reason::Final { place, value } => format!(
            "at the end {} has {}, which is not what the last store left there",
            labels.place(*place),
            labels.value(*place, *value)
        ),
    }
}

/// The reason in several lines: of a cycle, each operation and why it comes before the next.
pub fn lines(reason: &Reason, history: &History, labels: &dyn Labels) -> Vec<String> {
    let Reason::Cycle { edges, certain } = reason else {
        return vec![line(reason, history, labels)];
    };
    let steps = steps(edges, history);
    let mut lines = vec![match certain {
        true => "these operations cannot be put in any order:".to_string(),
        false => "every order of the stores is contradictory; in one of them:".to_string(),
    }];
    for edge in &steps {
        lines.push(format!("  {}", labels.operation(edge.from)));
        let place = |place: u32| labels.place(place);
        lines.push(format!(
            "    comes before the next, {}",
            match edge.why {
                Why::Program => "in program order".into(),
                Why::ReadsFrom(at) => format!("which reads {} from it", place(at)),
                Why::Coherence(at) => format!("whose store of {} became visible later", place(at)),
                Why::FromReads(at) => format!("since it read {} before that store", place(at)),
                Why::Forced(at) =>
                    format!("since the other way round a read of {} fails", place(at)),
                Why::Tried(at) => format!("if the stores of {} are in this order", place(at)),
                Why::Last(at) => format!("which stored the last value of {}", place(at)),
            }
        ));
    }
    lines.push(format!(
        "  {}: the first again",
        labels.operation(steps[0].from)
    ));
    lines
}

/// The edges of a cycle with as few steps in program order as tell it, from a first operation on.
fn steps(edges: &[Edge], history: &History) -> Vec<Edge> {
    let real = |node: u32| (node as usize) < history.operations().len();
    let kind = |node: u32| history.operation(node).kind;
    // Begins where the order of the program is entered, so that no run of it is cut in two.
    let first = (0..edges.len())
        .find(|&at| {
            let before = &edges[(at + edges.len() - 1) % edges.len()];
            before.why != Why::Program && edges[at].why == Why::Program
        })
        .unwrap_or(0);
    let mut steps: Vec<Edge> = Vec::new();
    for at in 0..edges.len() {
        let edge = edges[(first + at) % edges.len()];
        if let Some(last) = steps.last_mut()
            && (last.why, edge.why) == (Why::Program, Why::Program)
        {
            // What keeps a store before a load is worth a line.
            let needed = real(last.to)
                && real(edge.to)
                && matches!(kind(last.to), Kind::Fence | Kind::Atomic)
                && (kind(last.from), kind(edge.to)) == (Kind::Store, Kind::Load);
            if !needed {
                last.to = edge.to;
                continue;
            }
        }
        steps.push(edge);
    }
    steps
}
