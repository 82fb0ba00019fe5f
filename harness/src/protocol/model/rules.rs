//! What must always hold, and the races that an exploration must have seen.

use super::super::{Directory, NodeSet, Pending, Work};
use super::system::{Agent, Packet, System};
use super::value::Value;
use super::{Config, Recalls, Step};
use flits::{CacheState, Class, Opcode};
use std::fmt;

/// What must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Node and home get no input that their functions refuse.
    Expected,
    /// One node has a writable copy and no other has any, or none has a writable one.
    SingleWriter,
    /// Every copy that a load can read, and every answer to one, has the last store.
    LastStore,
    /// Memory never takes what a later store has replaced.
    NoLostStore,
    /// Who may not write has no writable copy.
    Rights,
    /// When nothing is under way the directory is exact, and memory up to date but for a UD copy.
    Exact,
    /// No snoop is under way to a node together with its grant of the line (race 4).
    SnoopAfterGrant,
    /// A read and a write of a line are never under way to memory together (race 5).
    ReadAfterWrite,
    /// While something is unanswered, something can be taken, by receivers as reluctant as the
    /// table of classes lets them be.
    NotStuck,
    /// With no further request everything ends, in whatever order such receivers take packets.
    Ends,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 10] = [
        Rule::Expected,
        Rule::SingleWriter,
        Rule::LastStore,
        Rule::NoLostStore,
        Rule::Rights,
        Rule::Exact,
        Rule::SnoopAfterGrant,
        Rule::ReadAfterWrite,
        Rule::NotStuck,
        Rule::Ends,
    ];
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Expected => "no unexpected input",
            Self::SingleWriter => "single writer or many readers",
            Self::LastStore => "a load sees the last store",
            Self::NoLostStore => "no store is lost",
            Self::Rights => "no writable copy without the right",
            Self::Exact => "an exact directory when quiet",
            Self::SnoopAfterGrant => "no snoop before the grant",
            Self::ReadAfterWrite => "no read beside a write to memory",
            Self::NotStuck => "nothing is stuck",
            Self::Ends => "everything ends",
        })
    }
}

/// A rule that does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: Rule,
    /// What happened.
    pub what: String,
}

impl Broken {
    pub(super) fn new(rule: Rule, what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self { rule, what }
    }
}

/// The first rule that a state breaks by itself.
pub(super) fn broken(config: &Config, s: &System) -> Option<Broken> {
    let quiet = s.is_quiet();
    (0..config.lines).find_map(|line| {
        let index = usize::from(line);
        let copies = || {
            (0..config.nodes).filter_map(|n| {
                let copy = &s.nodes[usize::from(n)][index];
                (copy.state != CacheState::I).then_some((n, copy))
            })
        };
        let writer = copies().find(|(_, copy)| copy.state.is_unique());
        if let Some((n, copy)) = writer {
            if let Some((other, too)) = copies().find(|&(m, _)| m != n) {
                let what = format!(
                    "node {n} is {} while node {other} is {}",
                    copy.state, too.state
                );
                return Some(Broken::new(Rule::SingleWriter, what));
            }
            if config.readers.has(n) {
                let what = format!("node {n} may not write and is {}", copy.state);
                return Some(Broken::new(Rule::Rights, what));
            }
        }
        if let Some((n, _)) = copies().find(|(_, copy)| copy.data != Some(Value::LATEST)) {
            let what = format!("node {n} would load an old value");
            return Some(Broken::new(Rule::LastStore, what));
        }
        for n in 0..config.nodes {
            let has = |f: fn(&Packet) -> bool| s.to_node(n, line).any(f);
            if has(|p| p.op.class() == Class::Snp) && has(is_grant) {
                let what = format!("a snoop and a grant are on their way to node {n}");
                return Some(Broken::new(Rule::SnoopAfterGrant, what));
            }
        }
        let under_way = |op| s.network.iter().any(|p| p.line == line && p.op == op);
        if under_way(Opcode::MemRead) && under_way(Opcode::MemWrite) {
            let what = "memory is asked to read and to write the line";
            return Some(Broken::new(Rule::ReadAfterWrite, what));
        }
        if quiet {
            let holders = copies().fold(NodeSet::default(), |set, (n, _)| set.with(n));
            let directory = s.homes[index].directory;
            let owned = matches!(directory, Directory::Unique(_));
            if directory.holders() != holders || owned != writer.is_some() {
                let what = format!("the directory says {directory:?}, holders are {holders:?}");
                return Some(Broken::new(Rule::Exact, what));
            }
            let dirty = copies().any(|(_, copy)| copy.state == CacheState::UD);
            if !dirty && s.memory[index] != Value::LATEST {
                let what = "memory is old and nobody has the line dirty";
                return Some(Broken::new(Rule::NoLostStore, what));
            }
        }
        None
    })
}

fn is_grant(p: &Packet) -> bool {
    p.op == Opcode::CompData || (p.op == Opcode::Comp && p.state != CacheState::I)
}

macro_rules! races {
    ($($(#[doc = $doc:expr])+ $name:ident,)+) => {
        /// Meetings of packets that the protocol must get right; the numbers are those of
        /// `docs/protocol.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Race {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Race {
            /// Every race.
            pub const ALL: [Race; [$(Race::$name),+].len()] = [$(Race::$name),+];

            /// What meets.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Race::$name => concat!($($doc),+),)+ }.trim().trim_end_matches('.')
            }
        }
    };
}

races! {
    /// 1: a snoop meets a write-back buffer and takes the line.
    WriteBackSnooped,
    /// 1: SnpOnceFwd meets a write-back buffer and leaves it the line.
    WriteBackRead,
    /// 1: a snoop meets an Evict.
    EvictSnooped,
    /// 1: the home drops a stale write-back.
    StaleWriteBack,
    /// 1: the home gets the Evict of a copy that a snoop took.
    StaleEvict,
    /// 2: CleanUnique reaches the home after its copy is lost.
    CleanUniqueLate,
    /// 2: a node that waits for CleanUnique is invalidated.
    CleanUniqueInvalidated,
    /// 3: an owner asked to forward has evicted.
    OwnerEvicted,
    /// 4: a CompAck ends a transaction for which another request waits.
    AckAwaited,
    /// 4: a CompAck reaches the home before the owner's answer to the snoop.
    AckBeforeAnswer,
    /// 5: memory completes a write of a line for which a request waits.
    WriteAwaited,
    /// 6: a recall ends for which a request of its line waits.
    RecallAwaited,
    /// 6: a recall meets a write-back buffer.
    RecallMeetsWriteBack,
    /// 6: a line is recalled to make room for another.
    RecallForRoom,
    /// Two lines have transactions at the same time.
    LinesOverlap,
    /// 1: a far atomic takes the line from a write-back buffer.
    AtomicMeetsWriteBack,
    /// 3: a far atomic asks an owner that has evicted.
    AtomicMeetsEvict,
    /// 5: memory completes the read or the write of a far atomic for which a request waits.
    AtomicAwaited,
    /// 1: a CleanInvalid takes the line from a write-back buffer.
    CleanMeetsWriteBack,
    /// A memory fails to read for a request.
    ReadFails,
    /// A request is refused before it reaches the home while the node holds a copy.
    RefusedWithCopy,
}

impl Race {
    /// Whether explorations of this kind must see it.
    #[must_use]
    pub fn is_expected(self, config: &Config) -> bool {
        match self {
            Self::RecallAwaited | Self::RecallMeetsWriteBack => config.recalls != Recalls::None,
            Self::RecallForRoom => matches!(config.recalls, Recalls::Room(_)),
            Self::LinesOverlap => config.lines > 1,
            Self::ReadFails | Self::RefusedWithCopy => config.errors,
            _ => true,
        }
    }
}

/// The races, one bit each, that a step runs into.
pub(super) fn races(s: &System, step: &Step, after: &System) -> u32 {
    let bit = |race: Race, met: bool| u32::from(met) << race as u32;
    match *step {
        Step::Deliver(p) => delivery(s, &p, after),
        Step::Fail(_) => bit(Race::ReadFails, true),
        Step::Refuse(Packet {
            from: Agent::Node(n),
            line,
            ..
        }) => bit(
            Race::RefusedWithCopy,
            s.nodes[usize::from(n)][usize::from(line)].state != CacheState::I,
        ),
        Step::Recall { line } => bit(
            Race::RecallForRoom,
            (s.network.iter()).any(|p| p.line != line && p.op.class() == Class::Req),
        ),
        _ => 0,
    }
}

fn delivery(s: &System, p: &Packet, after: &System) -> u32 {
    let index = usize::from(p.line);
    let (home, home_after) = (&s.homes[index], &after.homes[index]);
    let mut met = 0;
    let mut see = |race: Race, seen: bool| met |= u32::from(seen) << race as u32;
    let works = |h: &super::super::HomeLine<Value>, is: fn(&Work<Value>) -> bool| {
        (h.transaction.as_ref()).is_some_and(|t| is(&t.work))
    };
    let recalling = |h: &_| works(h, |work| *work == Work::Recall);
    let atomic = |h: &_| works(h, |work| matches!(work, Work::Atomic { .. }));
    let cleaning = |h: &_| works(h, |work| *work == Work::CleanInvalid);
    match (p.from, p.to, p.op.class()) {
        (_, Agent::Node(n), Class::Snp) => {
            let copy = &s.nodes[usize::from(n)][index];
            let leaving = matches!(copy.pending, Pending::WriteBack(Some(_)));
            let forward = matches!(
                p.op,
                Opcode::SnpSharedFwd | Opcode::SnpUniqueFwd | Opcode::SnpOnceFwd
            );
            let evicted = copy.pending == Pending::Evict;
            see(
                Race::WriteBackSnooped,
                leaving && p.op != Opcode::SnpOnceFwd,
            );
            see(Race::WriteBackRead, leaving && p.op == Opcode::SnpOnceFwd);
            see(Race::RecallMeetsWriteBack, leaving && recalling(home));
            let owned = p.op == Opcode::SnpUnique;
            see(Race::AtomicMeetsWriteBack, leaving && atomic(home));
            see(Race::AtomicMeetsEvict, owned && evicted && atomic(home));
            see(Race::CleanMeetsWriteBack, leaving && cleaning(home));
            see(Race::EvictSnooped, evicted);
            see(Race::OwnerEvicted, evicted && forward);
            see(
                Race::CleanUniqueInvalidated,
                copy.pending == Pending::Request(Opcode::CleanUnique)
                    && copy.state == CacheState::SC,
            );
        }
        (Agent::Node(n), Agent::Home, Class::Req) => {
            let holds = home.directory.holders().has(n);
            see(
                Race::StaleWriteBack,
                p.op == Opcode::WriteBackFull && home.directory != Directory::Unique(n),
            );
            see(Race::StaleEvict, p.op == Opcode::Evict && !holds);
            see(Race::CleanUniqueLate, p.op == Opcode::CleanUnique && !holds);
            let open = |s: &System| s.homes.iter().all(|home| home.transaction.is_some());
            see(Race::LinesOverlap, open(after) && !open(s));
        }
        (_, Agent::Home, _) => {
            let waits = s.request_waits(p.line);
            let ended = home_after.transaction.is_none();
            let answered = (home.transaction.as_ref()).is_none_or(|t| t.snoops.is_empty());
            let ack = p.op == Opcode::CompAck;
            see(Race::AckAwaited, ack && ended && waits);
            see(Race::AckBeforeAnswer, ack && !answered);
            see(Race::WriteAwaited, p.from == Agent::Memory && waits);
            let memory = p.from == Agent::Memory;
            see(Race::AtomicAwaited, memory && waits && atomic(home));
            see(Race::RecallAwaited, recalling(home) && ended && waits);
        }
        _ => {}
    }
    met
}
