//! Whether anything waits too long, and who waits for whom.

use super::Suite;
use super::operations::Open;
use crate::FailureKind;
use crate::check::{Direction, Verdict, violation};

impl Suite {
    /// Whether anything waits too long.
    pub(super) fn progress(&mut self, cycle: u64) -> Verdict {
        let limit = self.config.stuck_after;
        if let Some((since, what)) = self.transactions.oldest(cycle, limit) {
            return self.stuck(format!(
                "nothing has come of this for {} cycles: {what}",
                cycle - since
            ));
        }
        for (node, operations) in self.operations.iter().enumerate() {
            let waited = cycle.saturating_sub(operations.moved);
            if let Some(Open { op, kind, addr, .. }) = operations.open.front()
                && waited > limit
            {
                return self.stuck(format!(
                    "node {node} has ended no operation for {waited} cycles: operation {op}, \
                     {kind:?} of {addr:#x}, is its oldest"
                ));
            }
        }
        Ok(())
    }

    /// The failure `what`, and after it who waits for whom.
    fn stuck(&self, what: String) -> Verdict {
        let mut text = what;
        let mut add = |line: String| {
            text.push_str("\n  ");
            text.push_str(&line);
        };
        self.transactions.waiting().into_iter().for_each(&mut add);
        for line in self.transactions.lines_asked() {
            let home = self.config.map.home_of(line);
            add(format!(
                "line {line:#x} of {home} is {}",
                self.swmr.describe(line)
            ));
        }
        for (port, link) in self.links.iter().enumerate() {
            for direction in Direction::ALL {
                add(format!(
                    "credits of port {port} {direction}: {}",
                    link.credits(direction)
                ));
            }
        }
        Err(violation(FailureKind::Progress, text))
    }
}
