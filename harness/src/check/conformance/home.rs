//! One home, its lines and its transactions.

use super::nodes::Nodes;
use super::packet::{self, Incoming};
use super::text::Text;
use crate::FailureKind;
use crate::agents::LineBytes;
use crate::check::{Verdict, Violation, violation};
use crate::dut::{Entry, HomeAnswer, HomeEvent, HomeView, PortAnswer, carried};
use crate::protocol::pairs::Pairs;
use crate::protocol::{Directory, HomeIn, HomeLine, HomeOut, NodeSet, home};
use flits::{CacheState, Class, Flit, Header, LinkWord, NodeId, Opcode, layout};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::fmt;

/// A line at the home.
#[derive(Default)]
struct Line {
    state: HomeLine<LineBytes>,
    /// Requests that have come and whose turn has not.
    waiting: VecDeque<Request>,
}

/// A request that has come.
struct Request {
    head: Flit,
    payload: flits::Payload,
}

/// A transaction of the home.
#[derive(Default)]
struct Tracker {
    /// Its request, whose turn has come; its last packet may leave after the end.
    request: Option<Header>,
    open: bool,
    /// The line that it takes back before.
    recalls: Option<u64>,
    /// What the specification sends and the home has not sent.
    due: VecDeque<HomeOut<LineBytes>>,
    /// The data of the last answer to it.
    data: Option<LineBytes>,
    /// The last input.
    input: Option<HomeIn<LineBytes>>,
    /// What the directory says when the CompAck has come, the last that is waited for.
    settled: Option<Entry>,
    /// It is not compared.
    excused: bool,
}

/// A home slice and the specification beside it.
pub(super) struct Home {
    id: NodeId,
    lines: FxHashMap<u64, Line>,
    trackers: Vec<Tracker>,
    request: Incoming,
    data: Incoming,
    /// To memory, and to the requester of a far atomic.
    written: Incoming,
    returned: Incoming,
    /// Inputs given to the specification.
    pub(super) inputs: u64,
    /// And in which states.
    pub(super) pairs: Pairs,
}

/// Transactions that a home can number.
const TRACKERS: usize = 1 << 10;

impl Home {
    pub(super) fn new(id: NodeId) -> Self {
        Home {
            id,
            lines: FxHashMap::default(),
            trackers: Vec::new(),
            request: Incoming::default(),
            data: Incoming::default(),
            written: Incoming::default(),
            returned: Incoming::default(),
            inputs: 0,
            pairs: Pairs::default(),
        }
    }

    /// What it took and sent at one clock edge.
    pub(super) fn edge(&mut self, nodes: &Nodes, view: &HomeView) -> Verdict {
        if let Some(word) = &view.rx {
            self.came(word)?;
        }
        for answer in &view.answers {
            self.answered_at_port(nodes, answer)?;
        }
        if let Some(tracker) = view.retired {
            self.retires(tracker.into())?;
        }
        if let Some(event) = &view.event {
            self.acted(nodes, event)?;
        }
        match &view.tx {
            Some(word) => self.leaves(nodes, word),
            None => Ok(()),
        }
    }

    /// A word has come. Of answers only the data is taken here, the rest with the action.
    fn came(&mut self, word: &LinkWord) -> Verdict {
        match word.class {
            Class::Req => {
                if let Some(head) = self.request.push(word) {
                    let line = line_of(address(head));
                    let payload = self.request.payload().into();
                    let waiting = &mut self.lines.entry(line).or_default().waiting;
                    waiting.push_back(Request { head, payload });
                }
            }
            Class::Dat => {
                if let Some(head) = self.data.push(word)
                    && let Ok(header) = Header::decode(Class::Dat, head)
                {
                    let data = LineBytes::from_flits(self.data.payload(), header.poison);
                    self.tracker(header.txn.into()).data = data;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A SnpResp or CompAck is taken at a port.
    fn answered_at_port(&mut self, nodes: &Nodes, answer: &PortAnswer) -> Verdict {
        let index = answer.tracker.into();
        let Some(line) = self.line_of_answer(index) else {
            return Ok(());
        };
        let snooped = |lines: &FxHashMap<u64, Line>| {
            let transaction = lines.get(&line)?.state.transaction.as_ref()?;
            Some(transaction.snoops)
        };
        let speakers = match nodes.number(answer.src) {
            Some(node) => NodeSet::one(node),
            // One answer for all nodes of a chip that owe one.
            None => {
                let of_chip = nodes.of_chip(answer.src.chip()).0;
                NodeSet(of_chip & snooped(&self.lines).unwrap_or_default().0)
            }
        };
        for src in speakers.iter() {
            if let Some(state) = answer.ack {
                self.step(nodes, index, line, HomeIn::CompAck { src, state })?;
                continue;
            }
            let input = HomeIn::SnoopAnswer {
                op: Opcode::SnpResp,
                src,
                state: CacheState::I,
                data: None,
            };
            self.step(nodes, index, line, input)?;
        }
        Ok(())
    }

    /// What the action stage did.
    fn acted(&mut self, nodes: &Nodes, event: &HomeEvent) -> Verdict {
        let index = event.tracker.into();
        if let Some(entry) = event.begins {
            self.begins(nodes, event, entry)?;
        } else if event.refused {
            self.next_request(event)?;
        }
        if let Some(answer) = event.answer {
            self.answered(nodes, index, answer)?;
        }
        if event.recall_ends {
            self.recall_ends(index)?;
        }
        if let Some(entry) = event.settles {
            self.tracker(index).settled = Some(entry);
        }
        match event.ends {
            Some(entry) => self.ends(index, line_of(event.addr), entry),
            None => Ok(()),
        }
    }

    /// The request whose turn it is on the line, which must be the one that the home takes.
    fn next_request(&mut self, event: &HomeEvent) -> Result<Request, Box<Violation>> {
        let line = line_of(event.addr);
        let waiting = self.lines.get_mut(&line).map(|line| &mut line.waiting);
        let next = waiting.and_then(VecDeque::pop_front);
        let wrong = match next {
            Some(next) if sender(next.head) == (event.src, event.txn) => return Ok(next),
            Some(next) => {
                let (src, txn) = sender(next.head);
                format!("before the one of {src} with txn {txn}, which came first")
            }
            None => "that has not come".to_owned(),
        };
        let HomeEvent { src, txn, .. } = event;
        let text = format!("serves a request of {src} with txn {txn} {wrong}");
        Err(self.differs(line, event.tracker.into(), text))
    }

    /// The turn of a request has come.
    fn begins(&mut self, nodes: &Nodes, event: &HomeEvent, entry: Entry) -> Verdict {
        let (index, line) = (usize::from(event.tracker), line_of(event.addr));
        self.tracker(index).input = None;
        let Request { head, payload } = self.next_request(event)?;
        if let Some(due) = self.tracker(index).due.front() {
            let text = format!("takes another request and never sent {}", Text(due));
            return Err(self.differs(line, index, text));
        }
        let header = Header::decode(Class::Req, head);
        let src = header.ok().and_then(|header| nodes.number(header.src));
        let tracker = self.tracker(index);
        tracker.open = true;
        tracker.request = header.ok();
        tracker.excused = false;
        let (Ok(header), Some(src)) = (header, src) else {
            tracker.excused = true;
            return Ok(());
        };
        let input = HomeIn::Request {
            op: header.opcode,
            src,
            may_write: header.state != CacheState::SC,
            data: carried(&header, &payload),
        };
        let said = directory_of(entry);
        let directory = self.lines.entry(line).or_default().state.directory;
        if said != directory {
            let (said, directory) = (Text(&said), Text(&directory));
            self.tracker(index).input = Some(input);
            let text = format!("finds {said} in its directory, the specification {directory}");
            return Err(self.differs(line, index, text));
        }
        self.tracker(index).excused = nodes.hostile.has(src);
        self.step(nodes, index, line, input)
    }

    /// The home takes an answer.
    fn answered(&mut self, nodes: &Nodes, index: usize, answer: HomeAnswer) -> Verdict {
        let (opcode, src, state, resp) = match answer {
            // Each of them has been counted when it came.
            HomeAnswer::LastOfPorts => return Ok(()),
            HomeAnswer::MadeUp => {
                self.excuse(index);
                return Ok(());
            }
            HomeAnswer::Packet {
                opcode,
                src,
                state,
                resp,
            } => (opcode, src, state, resp),
        };
        let Some(line) = self.line_of_answer(index) else {
            return Ok(());
        };
        // A CompAck may come before the data that came first is taken.
        let data = opcode
            .filter(|op| op.has_payload())
            .and_then(|_| self.tracker(index).data.take());
        let input = match (opcode, nodes.number(src), data) {
            (Some(Opcode::CompAck), Some(src), _) => HomeIn::CompAck { src, state },
            (Some(Opcode::Comp), ..) => HomeIn::MemoryComp { resp },
            (Some(Opcode::CompData), _, Some(data)) => HomeIn::MemoryData { data },
            (Some(op), Some(src), data) if is_snoop_answer(op) => HomeIn::SnoopAnswer {
                op,
                src,
                state,
                data,
            },
            _ => {
                let text = format!("takes {opcode:?} from {src}, which is no answer to a home");
                return Err(self.differs(line, index, text));
            }
        };
        self.step(nodes, index, line, input)
    }

    /// The line that an answer to a transaction is about, if it is compared.
    fn line_of_answer(&mut self, index: usize) -> Option<u64> {
        let tracker = self.tracker(index);
        if tracker.excused {
            return None;
        }
        let own = tracker.request.filter(|_| tracker.open);
        tracker.recalls.or(own.map(|header| header.line()))
    }

    /// Gives the specification an input of a line.
    fn step(
        &mut self,
        nodes: &Nodes,
        index: usize,
        line: u64,
        input: HomeIn<LineBytes>,
    ) -> Verdict {
        self.tracker(index).input = Some(input.clone());
        if self.tracker(index).excused {
            return Ok(());
        }
        self.inputs += 1;
        let entry = self.lines.entry(line).or_default();
        self.pairs.home(&entry.state, &input);
        match home(std::mem::take(&mut entry.state), input) {
            Ok((state, outputs)) => {
                entry.state = state;
                for output in outputs {
                    if let HomeOut::Snoop { targets, .. } = output
                        && targets.0 & nodes.hostile.0 != 0
                    {
                        self.excuse(index);
                        return Ok(());
                    }
                    let tracker = self.tracker(index);
                    let due = packet::due(output, tracker.request.as_ref());
                    tracker.due.push_back(due);
                }
                Ok(())
            }
            Err(reason) => {
                let text = format!("takes it, and the specification cannot: {reason}");
                Err(self.differs(line, index, text))
            }
        }
    }

    /// Compares nothing more of the transaction.
    fn excuse(&mut self, index: usize) {
        let tracker = self.tracker(index);
        tracker.excused = true;
        tracker.due.clear();
    }

    /// The recall before a transaction is over.
    fn recall_ends(&mut self, index: usize) -> Verdict {
        let Some(line) = self.tracker(index).recalls.take() else {
            let text = "ends a recall that it has not begun".to_owned();
            return Err(self.differs(0, index, text));
        };
        self.over(index, line, Directory::Invalid, "the recall")
    }

    /// A transaction is over with its CompAck.
    fn retires(&mut self, index: usize) -> Verdict {
        let tracker = self.tracker(index);
        match (tracker.request, tracker.settled) {
            (Some(request), Some(entry)) => self.ends(index, request.line(), entry),
            _ => {
                let text = "ends a transaction that waits for more than its CompAck".to_owned();
                Err(self.differs(0, index, text))
            }
        }
    }

    /// A transaction is over.
    fn ends(&mut self, index: usize, line: u64, entry: Entry) -> Verdict {
        let tracker = self.tracker(index);
        (tracker.open, tracker.settled) = (false, None);
        self.over(index, line, directory_of(entry), "the transaction")
    }

    /// The specification must be as far, and the directory the same.
    fn over(&mut self, index: usize, line: u64, said: Directory, what: &str) -> Verdict {
        let entry = self.lines.entry(line).or_default();
        if self.trackers[index].excused {
            entry.state = HomeLine {
                directory: said,
                transaction: None,
            };
        }
        let HomeLine {
            directory,
            transaction,
        } = &entry.state;
        // What nobody acknowledges is sent last.
        let last =
            |out: &HomeOut<_>| matches!(out, HomeOut::Comp { .. } | HomeOut::CompData { .. });
        let unsent = |out: &&HomeOut<LineBytes>| !last(out);
        let text = if let Some(transaction) = transaction {
            format!("ends {what}, and the specification does not: {transaction:?}")
        } else if let Some(due) = self.trackers[index].due.iter().find(unsent) {
            format!("ends {what} and never sent {}", Text(due))
        } else if *directory != said {
            let (said, directory) = (Text(&said), Text(directory));
            format!("ends {what} with {said} in its directory, the specification with {directory}")
        } else {
            if said == Directory::Invalid && entry.waiting.is_empty() {
                self.lines.remove(&line);
            }
            return Ok(());
        };
        Err(self.differs(line, index, text))
    }

    /// A word leaves.
    fn leaves(&mut self, nodes: &Nodes, word: &LinkWord) -> Verdict {
        // Packets of other classes may come between the words of one to memory.
        let head = match word.class {
            Class::Mem => match self.written.push(word) {
                Some(head) => head,
                None => return Ok(()),
            },
            Class::Dat => match self.returned.push(word) {
                Some(head) => head,
                None => return Ok(()),
            },
            _ => word.flit,
        };
        let Ok(header) = Header::decode(word.class, head) else {
            let text = format!("sends what is no packet of {}: {head}", word.class);
            return Err(self.differs(line_of(address(head)), 0, text));
        };
        let index = usize::from(match header.class() {
            Class::Rsp | Class::Dat => header.home_txn,
            _ => header.txn,
        });
        let (line, tracker) = (header.line(), self.tracker(index));
        if header.class() == Class::Snp && !tracker.open && tracker.recalls.is_none() {
            (tracker.recalls, tracker.excused) = (Some(line), false);
            self.step(nodes, index, line, HomeIn::Recall)?;
        }
        if self.tracker(index).excused {
            return Ok(());
        }
        let targets = header.targets;
        let first = usize::from(header.dst.chip()) * nodes.numbering.per_chip();
        let targets = NodeSet(u64::from(targets).checked_shl(first as u32).unwrap_or(0));
        let payload = match word.class {
            Class::Mem => self.written.payload(),
            Class::Dat => self.returned.payload(),
            _ => &[],
        };
        let sent = packet::said(&header, payload, targets, |id| nodes.number(id));
        let wrong = self.is_wrong(index, &header, sent.as_ref());
        match wrong {
            None => Ok(()),
            Some(wrong) => {
                let sent = match &sent {
                    Some(sent) => Text(sent).to_string(),
                    None => header.to_string(),
                };
                let due = match self.tracker(index).due.front() {
                    Some(due) => format!("sends {}", Text(due)),
                    None => "sends nothing".into(),
                };
                let text = format!("sends {sent}{wrong}, the specification {due}");
                Err(self.differs(line, index, text))
            }
        }
    }

    /// Takes a packet off what is due; what is wrong with it if it is not that.
    fn is_wrong(
        &mut self,
        index: usize,
        header: &Header,
        sent: Option<&HomeOut<LineBytes>>,
    ) -> Option<&'static str> {
        let tracker = self.tracker(index);
        let recall = tracker.recalls;
        let own = tracker.request.map(|request| (request.line(), request.txn));
        let line = recall.or(own.map(|(line, _)| line));
        if line != Some(header.line()) {
            return Some(" of a line that is not the transaction's");
        }
        let (txn, named) = (own.map(|(_, txn)| txn), recall.is_none());
        let (Some(due), Some(sent)) = (tracker.due.front_mut(), sent) else {
            return Some("");
        };
        match (due, sent) {
            (
                HomeOut::Snoop {
                    op,
                    targets,
                    requester,
                },
                HomeOut::Snoop {
                    op: sent_op,
                    targets: sent_targets,
                    requester: sent_requester,
                },
            ) => {
                // One packet a chip.
                let more = sent_targets.0 & !targets.0 != 0;
                if op != sent_op || more || sent_targets.is_empty() {
                    return Some("");
                }
                if named && (requester != sent_requester || Some(header.forward_txn) != txn) {
                    return Some(" in another's name");
                }
                targets.0 &= !sent_targets.0;
                if targets.is_empty() {
                    tracker.due.pop_front();
                }
                None
            }
            (due, sent) if due == sent => {
                tracker.due.pop_front();
                let answers = match sent {
                    HomeOut::MemRead { .. } => Some(header.return_txn),
                    HomeOut::Comp { .. } | HomeOut::CompData { .. } => Some(header.txn),
                    // The answer comes back under the number of the transaction itself.
                    HomeOut::Fetch if usize::from(header.return_txn) != index => None,
                    _ => txn,
                };
                (answers != txn).then_some(" for another request")
            }
            _ => Some(""),
        }
    }

    /// The run has ended: nothing is due.
    pub(super) fn end(&self) -> Verdict {
        for (index, tracker) in self.trackers.iter().enumerate() {
            if let Some(due) = tracker.due.front() {
                let line = tracker.request.map_or(0, |request| request.line());
                let text = format!("never sent {}", Text(due));
                return Err(self.differs(line, index, text));
            }
        }
        Ok(())
    }

    fn tracker(&mut self, index: usize) -> &mut Tracker {
        let index = index % TRACKERS;
        if index >= self.trackers.len() {
            self.trackers.resize_with(index + 1, Tracker::default);
        }
        &mut self.trackers[index]
    }

    /// The failure that the home is not the specification's.
    #[cold]
    fn differs(&self, line: u64, index: usize, what: String) -> Box<Violation> {
        let input = self.trackers.get(index).and_then(|t| t.input.as_ref());
        let after = |f: &mut fmt::Formatter<'_>| match input {
            Some(input) => write!(f, ", on {}", Text(input)),
            None => Ok(()),
        };
        let after = fmt::from_fn(after);
        let text = format!(
            "home {}, line {line:#x}, tracker {index}{after}: {what}",
            self.id
        );
        violation(FailureKind::Conformance, text)
    }
}

fn is_snoop_answer(op: Opcode) -> bool {
    matches!(
        op,
        Opcode::SnpResp | Opcode::SnpRespFwded | Opcode::SnpRespData | Opcode::SnpRespDataFwded
    )
}

fn directory_of(entry: Entry) -> Directory {
    match NodeSet(entry.holders) {
        holders if holders.is_empty() => Directory::Invalid,
        _ if entry.unique => Directory::Unique(entry.holders.trailing_zeros() as u8),
        holders => Directory::Shared(holders),
    }
}

fn line_of(addr: u64) -> u64 {
    addr & !(layout::LINE_BYTES as u64 - 1)
}

/// The address in a header.
fn address(head: Flit) -> u64 {
    field(head, &layout::ADDR)
}

/// Who sends a request, and under which number.
fn sender(head: Flit) -> (NodeId, u16) {
    let src = NodeId::try_from(field(head, &layout::SRC) as u16).unwrap_or_default();
    (src, field(head, &layout::TXN) as u16)
}

/// A field of a header that need not be legal.
fn field(head: Flit, field: &layout::Field) -> u64 {
    ((head.to_u128() & field.mask()) >> field.lsb) as u64
}
