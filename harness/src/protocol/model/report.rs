//! What an exploration has shown, for people and as JSON.

use super::explore::{Options, OutcomeOf, Progress, explore};
use super::{Config, Fault, Protocol, Race, Recalls, Rule};
use serde::Serialize;
use std::fmt;

/// What is known of a model after it was explored.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the model, or what it is.
    pub name: String,
    /// What it is.
    pub model: String,
    /// The fault put into the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// States.
    pub states: u64,
    /// States kept; fewer with symmetry.
    pub stored: u64,
    /// Steps between states.
    pub transitions: u64,
    /// The most steps from the start to a state.
    pub depth: u32,
    /// States in which nothing is under way.
    pub quiet: u64,
    /// The most steps from a state to a quiet one when nothing new begins.
    pub longest_end: u32,
    /// Each race and the number of transitions that run into it.
    pub races: Vec<Seen>,
    /// Bytes of states and arcs.
    pub memory_bytes: u64,
    /// Seconds.
    pub seconds: f64,
    /// The rule that does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Finding>,
}

/// How often a race was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// The race.
    pub race: &'static str,
    /// Transitions that run into it.
    pub transitions: u64,
    /// Explorations of this kind must see it.
    pub expected: bool,
}

/// A broken rule.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// How.
    pub what: String,
    /// The length of the shortest way there.
    pub steps: usize,
    /// That way, as a sequence chart.
    pub chart: String,
}

/// Explores a model and says what it shows.
///
/// # Errors
/// A configuration that cannot be, or too little memory; one sentence.
pub fn prove(
    name: &str,
    config: Config,
    fault: Option<Fault>,
    options: Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, String> {
    let protocol = Protocol::new(config, fault)?;
    let outcome = explore(&protocol, options, progress).map_err(|e| format!("{name}: {e}"))?;
    Ok(Report::new(name, &protocol, fault, &outcome))
}

impl Report {
    fn new(
        name: &str,
        protocol: &Protocol,
        fault: Option<Fault>,
        outcome: &OutcomeOf<Protocol>,
    ) -> Self {
        let seen = |race: Race| Seen {
            race: race.doc(),
            transitions: outcome.marks[race as usize],
            expected: race.is_expected(protocol.config()),
        };
        Report {
            name: name.to_owned(),
            model: protocol.config().to_string(),
            fault: fault.map(Fault::name),
            states: outcome.states,
            stored: outcome.stored,
            transitions: outcome.transitions,
            depth: outcome.depth,
            quiet: outcome.quiet,
            longest_end: outcome.longest_end,
            races: Race::ALL.into_iter().map(seen).collect(),
            memory_bytes: outcome.memory,
            seconds: outcome.elapsed.as_secs_f64(),
            broken: outcome.trace.as_ref().map(|trace| Finding {
                rule: trace.broken.rule,
                what: trace.broken.what.clone(),
                steps: trace.steps.len(),
                chart: protocol.chart(trace),
            }),
        }
    }

    /// Races that had to be seen and were not.
    pub fn missed(&self) -> impl Iterator<Item = &Seen> {
        (self.races.iter()).filter(|seen| seen.expected && seen.transitions == 0)
    }

    /// Everything holds and every race was seen.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.broken.is_none() && self.missed().next().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.model)?;
        if let Some(Finding { chart, .. }) = &self.broken {
            let stored = grouped(self.stored);
            writeln!(f, "  {stored} states in {:.1} s to here:", self.seconds)?;
            return write!(f, "{chart}");
        }
        let kept = match self.stored == self.states {
            true => String::new(),
            false => format!(" ({} kept)", grouped(self.stored)),
        };
        writeln!(
            f,
            "  {} states{kept}, {} transitions, depth {}",
            grouped(self.states),
            grouped(self.transitions),
            self.depth
        )?;
        writeln!(
            f,
            "  {:.1} s, {} states/s, {:.1} MB",
            self.seconds,
            grouped((self.stored as f64 / self.seconds.max(1e-9)) as u64),
            self.memory_bytes as f64 / 1e6
        )?;
        writeln!(f, "  {:>13}  races", "transitions")?;
        for seen in self
            .races
            .iter()
            .filter(|seen| seen.expected || seen.transitions > 0)
        {
            writeln!(f, "  {:>13}  {}", grouped(seen.transitions), seen.race)?;
        }
        for seen in self.missed() {
            writeln!(f, "  NEVER SEEN: {}", seen.race)?;
        }
        writeln!(
            f,
            "  every rule holds; every state ends, within {} steps, in one of {} quiet states",
            self.longest_end,
            grouped(self.quiet)
        )
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: u8| if n == 1 { "" } else { "s" };
        let Config {
            nodes,
            lines,
            outstanding,
            ..
        } = *self;
        write!(f, "{nodes} node{}, {lines} line{}", s(nodes), s(lines))?;
        if lines > 1 {
            let order = if self.apart { "apart" } else { "in one block" };
            write!(
                f,
                " {order}, {outstanding} request{} a node",
                s(outstanding)
            )?;
        }
        match self.recalls {
            Recalls::None => {}
            Recalls::Any => write!(f, ", recalls at any time")?,
            Recalls::Room(ways) => write!(f, ", directory of {ways}")?,
        }
        if !self.readers.is_empty() {
            write!(f, ", nodes {:?} only read", self.readers)?;
        }
        if self.errors {
            write!(f, ", errors")?;
        }
        if self.unordered {
            write!(f, ", without order")?;
        }
        if self.symmetry {
            write!(f, ", symmetry")?;
        }
        Ok(())
    }
}

/// A number with a comma every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
