//! Where the cycles of a transaction go.

use flits::{Class, NodeId, Opcode};

use super::{Flow, Hop, Step};

/// Who had a transaction in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The switch carried a packet from port to port.
    Switch,
    /// A home, with the way of packets to it and from it.
    Home(NodeId),
    /// A device: a memory, or a cache that was snooped.
    Device(NodeId),
}

/// A part of the time from the request to its answer; parts join without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Who had it in hand.
    pub place: Place,
    /// From this cycle
    pub from: u64,
    /// to this one.
    pub to: u64,
}

impl Stage {
    /// How long it took.
    pub fn cycles(&self) -> u64 {
        self.to - self.from
    }
}

impl Flow {
    /// From the request to the answer at the requester, back along what each party waited for last.
    /// Empty if one of the two was not seen.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        let asked = self.request().and_then(|step| step.sent);
        if let (Some(asked), Some(answer)) = (asked, self.answer()) {
            self.walk(asked, answer, &mut stages);
            stages.reverse();
        }
        stages
    }

    fn walk(&self, asked: Hop, answer: &Step, stages: &mut Vec<Stage>) {
        let mut push = |place, from, to| {
            if from < to {
                stages.push(Stage { place, from, to });
            }
        };
        let mut step = answer;
        // Each round goes back in time or ends; a file of a broken run may have circles.
        for _ in 0..=2 * self.steps.len() {
            if let (Some(sent), Some(arrived)) = (step.sent, step.arrived) {
                push(Place::Switch, sent.cycle, arrived.cycle);
            }
            let Some(sent) = step.sent else {
                let made = step.arrived.map_or(asked.cycle, |hop| hop.cycle);
                let home = Place::Home(step.header.src);
                let Some((cause, came)) = self.last_at_home(step.header.src, made) else {
                    push(home, asked.cycle, made);
                    return;
                };
                push(home, came, made);
                step = cause;
                continue;
            };
            let Some((cause, came)) = self.last_at_device(step, sent) else {
                return;
            };
            push(Place::Device(step.header.src), came, sent.cycle);
            step = cause;
        }
    }

    /// The last answer that reached a home before a cycle.
    fn last_at_home(&self, home: NodeId, before: u64) -> Option<(&Step, u64)> {
        let answers = self.steps.iter().filter_map(|step| {
            let answers = matches!(step.header.class(), Class::Rsp | Class::Dat)
                && step.header.dst == home
                && step.header.opcode != Opcode::CompAck;
            let came = step.sent.filter(|hop| answers && hop.cycle < before)?;
            Some((step, came.cycle))
        });
        answers.max_by_key(|&(_, came)| came)
    }

    /// The last packet that had asked the sender of a step for it.
    fn last_at_device(&self, sent: &Step, at: Hop) -> Option<(&Step, u64)> {
        let asked = self.steps.iter().filter_map(|step| {
            let asks = match step.header.class() {
                Class::Mem => step.header.opcode.has_payload() != sent.header.opcode.has_payload(),
                Class::Snp | Class::Req => true,
                _ => false,
            };
            let came = step.arrived?;
            (asks && came.port == at.port && came.cycle <= at.cycle).then_some((step, came.cycle))
        });
        asked.max_by_key(|&(_, came)| came)
    }
}
