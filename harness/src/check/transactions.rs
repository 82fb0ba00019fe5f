//! Transactions: every packet must be legal for the transaction that it belongs to, and every
//! transaction must end.
//!
//! Requests, snoops and memory accesses are followed from the word that opens them to the word that
//! closes them, on the links only: neither the agents nor the inside of the switch are asked.

use flits::layout::LINE_BYTES;
use flits::{CacheState, Header, NodeId, Numbering, Opcode, RespErr};

use super::{Verdict, violation};
use crate::FailureKind;

/// Where a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Sent; no answer has arrived.
    Asked,
    /// Answered; the home waits for CompAck.
    Granted { home: NodeId, home_txn: u16 },
}

/// A request of a device.
struct Request {
    txn: u16,
    opcode: Opcode,
    addr: u64,
    since: u64,
    phase: Phase,
    /// A memory was asked to answer it, or a cache was.
    sources: u8,
}

/// A snoop that a device has to answer.
struct Snoop {
    home: NodeId,
    txn: u16,
    opcode: Opcode,
    line: u64,
    forward: (NodeId, u16),
    since: u64,
    /// The forwarded data has been sent.
    forwarded: bool,
    /// The answer to the home, once sent.
    answer: Option<Opcode>,
}

/// An access that a memory has to answer.
struct Access {
    /// Whom the answer goes to, and under which number.
    to: (NodeId, u16),
    opcode: Opcode,
    addr: u64,
    since: u64,
}

/// What is open at one port.
#[derive(Default)]
struct Port {
    requests: Vec<Request>,
    snoops: Vec<Snoop>,
    accesses: Vec<Access>,
}

/// Everything open, by port.
pub(super) struct Transactions {
    ports: Vec<Port>,
    numbering: Numbering,
}

impl Transactions {
    pub(super) fn new(numbering: Numbering) -> Self {
        let ports = 0..numbering.count();
        Transactions {
            ports: ports.map(|_| Port::default()).collect(),
            numbering,
        }
    }

    /// Device `port` sends a request.
    pub(super) fn request(&mut self, cycle: u64, port: usize, header: &Header) -> Verdict {
        let requests = &mut self.ports[port].requests;
        for open in requests.iter() {
            if open.phase == Phase::Asked && open.txn == header.txn {
                return protocol(format!(
                    "node {port} sends {header} while its {} of {:#x} under the same number is open",
                    open.opcode, open.addr
                ));
            }
            let gives_up = matches!(open.opcode, Opcode::WriteBackFull | Opcode::Evict);
            if gives_up && header.opcode.is_coherent() && open.addr == header.line() {
                return protocol(format!(
                    "node {port} sends {header} while its {} of that line is unanswered",
                    open.opcode
                ));
            }
        }
        requests.push(Request {
            txn: header.txn,
            opcode: header.opcode,
            addr: header.addr,
            since: cycle,
            phase: Phase::Asked,
            sources: 0,
        });
        Ok(())
    }

    /// Device `port` gets a snoop.
    pub(super) fn snoop(&mut self, cycle: u64, port: usize, header: &Header) -> Verdict {
        let unit = port % self.numbering.per_chip();
        if header.targets >> unit & 1 == 0 {
            return protocol(format!(
                "node {port} gets {header}, whose targets it is not among"
            ));
        }
        let line = header.line();
        let here = &self.ports[port];
        if let Some(other) = here.snoops.iter().find(|snoop| snoop.line == line) {
            return protocol(format!(
                "node {port} gets {header} while {} of the same line is unanswered",
                other.opcode
            ));
        }
        let granted = |request: &&Request| {
            request.phase != Phase::Asked && request.addr == line && request.opcode.is_coherent()
        };
        if let Some(request) = here.requests.iter().find(granted) {
            return protocol(format!(
                "node {port} gets {header} before it acknowledged the answer to its {}",
                request.opcode
            ));
        }
        let forward = (header.forward_node, header.forward_txn);
        if forwards(header.opcode) {
            if header.forward_node == self.numbering.node(port) {
                return protocol(format!(
                    "node {port} gets {header} for a request of its own"
                ));
            }
            self.source(header, forward, line, |request| match header.opcode {
                Opcode::SnpSharedFwd => request == Opcode::ReadShared,
                Opcode::SnpUniqueFwd => matches!(request, Opcode::ReadUnique | Opcode::CleanUnique),
                _ => request == Opcode::ReadOnce,
            })?;
        }
        self.ports[port].snoops.push(Snoop {
            home: header.src,
            txn: header.txn,
            opcode: header.opcode,
            line,
            forward,
            since: cycle,
            forwarded: false,
            answer: None,
        });
        Ok(())
    }

    /// Device `port` answers a snoop.
    pub(super) fn snoop_answer(&mut self, port: usize, header: &Header) -> Verdict {
        let snoops = &mut self.ports[port].snoops;
        let asked = |snoop: &Snoop| {
            snoop.home == header.dst && snoop.txn == header.txn && snoop.answer.is_none()
        };
        let Some(at) = snoops.iter().position(asked) else {
            return protocol(format!(
                "node {port} sends {header}, but no snoop asks for it"
            ));
        };
        let snoop = &mut snoops[at];
        if header.line() != snoop.line || !answers(snoop.opcode, header) {
            return protocol(format!(
                "node {port} sends {header} as its answer to {} of line {:#x}",
                snoop.opcode, snoop.line
            ));
        }
        snoop.answer = Some(header.opcode);
        self.close_snoop(port, at)
    }

    /// Device `port`, no memory, sends data to another.
    pub(super) fn forward(&mut self, port: usize, header: &Header) -> Verdict {
        let snoops = &mut self.ports[port].snoops;
        let asked = |snoop: &Snoop| {
            forwards(snoop.opcode)
                && snoop.forward == (header.dst, header.txn)
                && snoop.line == header.addr
                && !snoop.forwarded
        };
        let Some(at) = snoops.iter().position(asked) else {
            return protocol(format!(
                "node {port} sends {header}, but no snoop asks for it"
            ));
        };
        snoops[at].forwarded = true;
        self.close_snoop(port, at)
    }

    /// Memory `port` gets an access; `global` is its global address, if the address map has one.
    pub(super) fn access(
        &mut self,
        cycle: u64,
        port: usize,
        header: &Header,
        global: Option<u64>,
    ) -> Verdict {
        let Some(global) = global else {
            return protocol(format!(
                "memory {port} gets {header}, an address that no region keeps in it"
            ));
        };
        let mut to = (header.src, header.txn);
        if header.opcode == Opcode::MemRead && header.return_node == header.src {
            to = (header.return_node, header.return_txn);
            self.fetch(header, global)?;
        } else if header.opcode == Opcode::MemRead {
            to = (header.return_node, header.return_txn);
            self.source(header, to, global, |request| {
                use Opcode::*;
                matches!(request, ReadShared | ReadUnique | CleanUnique | ReadOnce)
            })?;
        }
        self.ports[port].accesses.push(Access {
            to,
            opcode: header.opcode,
            addr: header.addr,
            since: cycle,
        });
        Ok(())
    }

    /// Memory `port` answers an access.
    pub(super) fn access_answer(&mut self, port: usize, header: &Header) -> Verdict {
        let accesses = &mut self.ports[port].accesses;
        let asked = |access: &Access| {
            access.to == (header.dst, header.txn)
                && access.addr == header.addr
                && access.opcode.has_payload() == (header.opcode == Opcode::Comp)
        };
        match accesses.iter().position(asked) {
            Some(at) => {
                accesses.remove(at);
                Ok(())
            }
            None => protocol(format!(
                "memory {port} sends {header}, but nothing asks for it"
            )),
        }
    }

    /// Device `port` gets the answer to a request: what was asked, and the address asked for. An
    /// answer that must be acknowledged leaves the request open until then.
    pub(super) fn answer(
        &mut self,
        port: usize,
        header: &Header,
    ) -> Result<(Opcode, u64), Box<super::Violation>> {
        let requests = &mut self.ports[port].requests;
        let asked = |request: &Request| request.txn == header.txn && request.phase == Phase::Asked;
        let Some(at) = requests.iter().position(asked) else {
            return protocol(format!(
                "node {port} gets {header}, but no request waits for it"
            ));
        };
        let request = &mut requests[at];
        if !completes(request.opcode, header) {
            return protocol(format!(
                "node {port} gets {header} as the answer to its {} of {:#x}",
                request.opcode, request.addr
            ));
        }
        let answered = (request.opcode, request.addr);
        if request.opcode.is_acknowledged() && header.home_node.is_home() {
            request.phase = Phase::Granted {
                home: header.home_node,
                home_txn: header.home_txn,
            };
        } else if request.opcode.is_acknowledged() && header.resp == RespErr::Ok {
            return protocol(format!(
                "node {port} gets {header}, which names no home to answer"
            ));
        } else {
            requests.remove(at);
        }
        Ok(answered)
    }

    /// Device `port` acknowledges an answer.
    pub(super) fn acknowledge(&mut self, port: usize, header: &Header) -> Verdict {
        let requests = &mut self.ports[port].requests;
        let granted = Phase::Granted {
            home: header.dst,
            home_txn: header.txn,
        };
        match requests.iter().position(|request| request.phase == granted) {
            Some(at) => {
                requests.remove(at);
                Ok(())
            }
            None => protocol(format!(
                "node {port} sends {header}, but got no answer to it"
            )),
        }
    }

    /// The longest-open entry that is older than `limit` cycles: since when, and what.
    pub(super) fn oldest(&self, cycle: u64, limit: u64) -> Option<(u64, String)> {
        let (since, port) = (self.ports.iter().enumerate())
            .flat_map(|(port, open)| {
                let requests = open.requests.iter().map(|request| request.since);
                let snoops = open.snoops.iter().map(|snoop| snoop.since);
                let accesses = open.accesses.iter().map(|access| access.since);
                requests
                    .chain(snoops)
                    .chain(accesses)
                    .map(move |since| (since, port))
            })
            .min()?;
        (cycle.saturating_sub(since) > limit).then(|| {
            let lines = self.ports[port].lines(port);
            let first = lines.into_iter().min_by_key(|&(since, _)| since);
            (since, first.map_or_else(String::new, |(_, line)| line))
        })
    }

    /// Who waits for whom: one line for each open entry, oldest first.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.waiting_at(|_| true)
    }

    fn waiting_at(&self, counts: impl Fn(usize) -> bool) -> Vec<String> {
        let ports = self.ports.iter().enumerate();
        let mut lines: Vec<(u64, String)> = ports
            .filter(|&(port, _)| counts(port))
            .flat_map(|(port, open)| open.lines(port))
            .collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The lines that requests are open for, ascending, each once.
    pub(super) fn lines_asked(&self) -> Vec<u64> {
        let requests = self.ports.iter().flat_map(|open| &open.requests);
        let mut lines: Vec<u64> = requests
            .filter(|request| request.opcode.is_coherent())
            .map(|request| request.addr & !63)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// At the end: nothing is open where it counts.
    pub(super) fn end(&self, counts: impl Fn(usize) -> bool) -> Verdict {
        match self.waiting_at(counts).first() {
            None => Ok(()),
            Some(first) => Err(violation(
                FailureKind::Progress,
                format!("the run has ended, but {first}"),
            )),
        }
    }

    /// `header` makes someone send data for the request `(node, txn)` of `line`.
    fn source(
        &mut self,
        header: &Header,
        (node, txn): (NodeId, u16),
        line: u64,
        may_ask: impl Fn(Opcode) -> bool,
    ) -> Verdict {
        let port = self.numbering.port(node);
        let requests = port.map(|port| &mut self.ports[port].requests);
        let asked = |request: &&mut Request| {
            request.txn == txn
                && request.addr == line
                && request.phase == Phase::Asked
                && may_ask(request.opcode)
        };
        match requests.and_then(|requests| requests.iter_mut().find(asked)) {
            Some(request) if request.sources == 0 || header.opcode == Opcode::MemRead => {
                request.sources += 1;
                Ok(())
            }
            Some(_) => protocol(format!(
                "{header} asks a second time for data for node {node}"
            )),
            None => protocol(format!(
                "{header} asks for data of line {line:#x} for node {node} txn {txn}, which has no \
                 such request open"
            )),
        }
    }

    /// A home reads `line` for itself.
    fn fetch(&self, header: &Header, line: u64) -> Verdict {
        let asked = |request: &Request| {
            request.opcode.is_atomic() && request.addr & !(LINE_BYTES as u64 - 1) == line
        };
        let mut requests = self.ports.iter().flat_map(|port| &port.requests);
        match requests.any(asked) {
            true => Ok(()),
            false => protocol(format!(
                "{header} reads line {line:#x} for a far atomic, but none is open"
            )),
        }
    }

    /// Removes a snoop whose every part has been sent.
    fn close_snoop(&mut self, port: usize, at: usize) -> Verdict {
        let snoops = &mut self.ports[port].snoops;
        let snoop = &snoops[at];
        match (snoop.answer, snoop.forwarded) {
            (Some(Opcode::SnpResp), true) => protocol(format!(
                "node {port} forwards line {:#x} and says that it did not",
                snoop.line
            )),
            (Some(Opcode::SnpRespFwded | Opcode::SnpRespDataFwded), false) | (None, _) => Ok(()),
            (Some(_), _) => {
                snoops.remove(at);
                Ok(())
            }
        }
    }
}

impl Port {
    /// One line for each open entry, with the cycle in which it was opened.
    fn lines(&self, port: usize) -> Vec<(u64, String)> {
        let requests = self.requests.iter().map(|r| {
            let state = match r.phase {
                Phase::Asked => "waits for the answer to".to_string(),
                Phase::Granted { home, .. } => format!("owes {home} the CompAck of"),
            };
            let Request {
                opcode,
                addr,
                txn,
                since,
                ..
            } = r;
            let text =
                format!("node {port} {state} {opcode} {addr:#x} txn {txn} since cycle {since}");
            (r.since, text)
        });
        let snoops = self.snoops.iter().map(|s| {
            let Snoop {
                home,
                txn,
                opcode,
                line,
                since,
                ..
            } = s;
            let owes = match s.answer {
                None => "an answer to",
                Some(_) => "the forwarded data of",
            };
            let text = format!(
                "node {port} owes {home} {owes} {opcode} {line:#x} txn {txn} since cycle {since}"
            );
            (s.since, text)
        });
        let accesses = self.accesses.iter().map(|a| {
            let Access {
                to: (node, txn),
                opcode,
                addr,
                since,
            } = a;
            let text = format!(
                "memory {port} owes {node} an answer to {opcode} {addr:#x} (local) txn {txn} since \
                 cycle {since}"
            );
            (a.since, text)
        });
        requests.chain(snoops).chain(accesses).collect()
    }
}

fn protocol<T>(message: String) -> Result<T, Box<super::Violation>> {
    Err(violation(FailureKind::Protocol, message))
}

/// Whether the snoop asks for data to be sent to a requester.
fn forwards(opcode: Opcode) -> bool {
    use Opcode::*;
    matches!(opcode, SnpSharedFwd | SnpUniqueFwd | SnpOnceFwd)
}

/// Whether `answer` is a legal answer to the snoop, by opcode and state.
fn answers(snoop: Opcode, answer: &Header) -> bool {
    use CacheState::{I, SC};
    use Opcode::*;
    match (snoop, answer.opcode) {
        (_, SnpResp) => answer.state == I,
        (SnpSharedFwd, SnpRespFwded) => matches!(answer.state, SC | I),
        (SnpSharedFwd, SnpRespDataFwded) => matches!(answer.state, SC | I),
        (SnpUniqueFwd, SnpRespFwded) => answer.state == I,
        (SnpOnceFwd, SnpRespFwded) => answer.state.is_unique(),
        (SnpUnique, SnpRespData) => answer.state == I,
        _ => false,
    }
}

/// Whether `answer` is a legal answer to the request, by opcode, status and granted state.
fn completes(request: Opcode, answer: &Header) -> bool {
    use CacheState::{I, SC, UC, UD};
    use Opcode::*;
    if answer.opcode == Comp && answer.resp != RespErr::Ok {
        return true;
    }
    match (request, answer.opcode) {
        (ReadNoSnp | ReadOnce, CompData) => answer.state == I,
        (ReadShared, CompData) => matches!(answer.state, SC | UC),
        (ReadUnique | CleanUnique, CompData) => matches!(answer.state, UC | UD),
        (CleanUnique, Comp) => answer.state == UC,
        (MakeUnique, Comp) => answer.state == UD,
        (WriteNoSnp | WriteUnique | WriteBackFull | Evict, Comp) => true,
        (CleanInvalid | AtomicStore, Comp) => answer.state == I,
        (AtomicLoad | AtomicSwap | AtomicCompare, CompData) => answer.state == I,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
