//! The loop: take an input, change it, run it, keep what reaches something new, and make small what
//! fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flits::stimulus::Stimulus;
use libafl::corpus::{Corpus, InMemoryCorpus};
use libafl::events::NopEventManager;
use libafl::executors::{Executor, ExitKind, HasObservers};
use libafl::feedbacks::{CrashFeedback, MapFeedbackMetadata, MaxMapFeedback};
use libafl::fuzzer::{Evaluator, ExecuteInputResult, HasScheduler, StdFuzzer};
use libafl::observers::StdMapObserver;
use libafl::schedulers::Scheduler;
use libafl::state::{HasCorpus, HasExecutions, StdState};
use libafl::{Error, HasNamedMetadata};
use libafl_bolts::rands::StdRand;
use libafl_bolts::tuples::RefIndexable;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::case::{Case, NewestFirst};
use super::finding::{self, Finding};
use super::map::Reached;
use super::target::{Ran, Target};
use super::yields::Yields;
use crate::FailureKind;
use crate::sim::stream;

/// Inputs drawn for an empty corpus.
const SEEDS: usize = 8;
/// Inputs between two looks at what other jobs have added to the corpus.
const EXCHANGE: u64 = 512;
/// Name of the map, for LibAFL.
const MAP: &str = "map";

/// How to fuzz.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides everything random.
    pub seed: u64,
    /// Inputs to run; `None` for as many as time allows.
    pub execs: Option<u64>,
    /// Where inputs that reach something new are kept, and taken up again. A file in it is a
    /// stimulus.
    pub corpus: Option<PathBuf>,
    /// Where findings go.
    pub findings: Option<PathBuf>,
    /// Guided by what is reached, or drawn afresh each time: the search to compare with.
    pub guided: bool,
    /// Whether others add to the same corpus meanwhile.
    pub shared: bool,
}

impl Settings {
    /// Guided, with nothing kept on disk.
    pub fn of(seed: u64, execs: u64) -> Settings {
        Settings {
            seed,
            execs: Some(execs),
            corpus: None,
            findings: None,
            guided: true,
            shared: false,
        }
    }
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Inputs run, those of shrinking not counted.
    pub execs: u64,
    /// Clock cycles of their programs.
    pub cycles: u64,
    /// What they have reached.
    pub reached: Reached,
    /// Inputs that reached something new.
    pub corpus: usize,
    /// Inputs run when the last of these was found.
    pub newest: u64,
    /// Inputs that failed.
    pub failing: u64,
    /// Findings of different kinds.
    pub findings: usize,
}

/// What a campaign leaves.
#[derive(Debug, Clone)]
pub struct Report {
    /// How far it came.
    pub progress: Progress,
    /// What it found.
    pub findings: Vec<Finding>,
    /// The inputs that reached something new, in the order in which they were found.
    pub corpus: Vec<Stimulus>,
}

/// Runs inputs on a target until `go_on` says no, which is asked after every input, or all are run.
///
/// # Errors
/// One sentence if a file cannot be read or written.
pub fn run(
    target: &mut dyn Target,
    settings: &Settings,
    mut go_on: impl FnMut(&Progress) -> bool,
) -> Result<Report, String> {
    let mut campaign = Campaign::new(target, settings)?;
    campaign.begin(&mut go_on)?;
    while campaign.wants_more() && go_on(&campaign.progress) {
        campaign.turn()?;
    }
    campaign.end()
}

type Map = StdMapObserver<'static, u8, false>;
type State = StdState<InMemoryCorpus<Case>, Case, StdRand, InMemoryCorpus<Case>>;
type Guide = MaxMapFeedback<Map, Map>;

/// A target as LibAFL knows it.
struct Runner<'a> {
    target: &'a mut dyn Target,
    observers: (Map, ()),
    last: Ran,
    failing: u64,
    /// The kinds of failures that are known.
    known: BTreeSet<String>,
}

impl HasObservers for Runner<'_> {
    type Observers = (Map, ());

    fn observers(&self) -> RefIndexable<&Self::Observers, Self::Observers> {
        RefIndexable::from(&self.observers)
    }

    fn observers_mut(&mut self) -> RefIndexable<&mut Self::Observers, Self::Observers> {
        RefIndexable::from(&mut self.observers)
    }
}

impl<EM, S: HasExecutions, Z> Executor<EM, Case, S, Z> for Runner<'_> {
    fn run_target(
        &mut self,
        _fuzzer: &mut Z,
        state: &mut S,
        _mgr: &mut EM,
        input: &Case,
    ) -> Result<ExitKind, Error> {
        *state.executions_mut() += 1;
        self.last = self.target.run(&input.0);
        let Some(failure) = &self.last.failure else {
            self.observers.0.copy_from_slice(self.target.map().bytes());
            return Ok(ExitKind::Ok);
        };
        // An input that cannot be run is none, and a failure that is known has reached nothing new.
        if failure.kind == FailureKind::Setup {
            return Ok(ExitKind::Ok);
        }
        self.failing += 1;
        match self.known.insert(finding::signature(failure)) {
            true => Ok(ExitKind::Crash),
            false => Ok(ExitKind::Ok),
        }
    }
}

struct Campaign<'a> {
    runner: Runner<'a>,
    fuzzer: StdFuzzer<
        NewestFirst,
        Guide,
        libafl::inputs::NopToTargetBytes,
        libafl::fuzzer::NopInputFilter,
        CrashFeedback,
    >,
    state: State,
    manager: NopEventManager,
    rng: Pcg64Mcg,
    yields: Yields,
    settings: &'a Settings,
    /// Files of the corpus that have been read or written.
    files: BTreeSet<PathBuf>,
    findings: Vec<Finding>,
    progress: Progress,
}

impl<'a> Campaign<'a> {
    fn new(target: &'a mut dyn Target, settings: &'a Settings) -> Result<Self, String> {
        let map = StdMapObserver::owned(MAP, target.map().bytes().to_vec());
        let mut feedback = MaxMapFeedback::with_name(MAP, &map);
        let mut objective = CrashFeedback::new();
        let state = StdState::new(
            StdRand::with_seed(settings.seed),
            InMemoryCorpus::new(),
            InMemoryCorpus::new(),
            &mut feedback,
            &mut objective,
        );
        for folder in [&settings.corpus, &settings.findings].into_iter().flatten() {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
        }
        Ok(Campaign {
            runner: Runner {
                target,
                observers: (map, ()),
                last: Ran {
                    cycles: 0,
                    failure: None,
                },
                failing: 0,
                known: BTreeSet::new(),
            },
            fuzzer: StdFuzzer::new(NewestFirst, feedback, objective),
            state: state.map_err(internal)?,
            manager: NopEventManager::new(),
            rng: stream(settings.seed, "fuzz"),
            yields: Yields::default(),
            settings,
            files: BTreeSet::new(),
            findings: Vec::new(),
            progress: Progress::default(),
        })
    }

    fn wants_more(&self) -> bool {
        let limit = self.settings.execs;
        limit.is_none_or(|limit| self.progress.execs < limit)
    }

    /// Runs what the corpus holds, or a few inputs if it is empty.
    fn begin(&mut self, go_on: &mut impl FnMut(&Progress) -> bool) -> Result<(), String> {
        for stimulus in self.added_files()? {
            if !self.wants_more() || !go_on(&self.progress) {
                return Ok(());
            }
            self.evaluate(stimulus)?;
        }
        let mut tries = 0;
        while self.state.corpus().count() == 0
            && tries < SEEDS
            && self.wants_more()
            && go_on(&self.progress)
        {
            tries += 1;
            let drawn = self.runner.target.draw(self.rng.random());
            drawn.map_or(Ok(()), |stimulus| self.evaluate(stimulus))?;
        }
        Ok(())
    }

    /// One input.
    fn turn(&mut self) -> Result<(), String> {
        if self.settings.shared && self.progress.execs.is_multiple_of(EXCHANGE) {
            for stimulus in self.added_files()? {
                self.evaluate(stimulus)?;
            }
        }
        let seed = self.rng.random();
        let afresh = !self.settings.guided
            || self.rng.random_bool(self.yields.share_of_fresh())
            || self.state.corpus().count() == 0;
        let stimulus = match afresh {
            true => self.runner.target.draw(seed),
            false => Some(self.mutated()?),
        };
        let stimulus = stimulus.ok_or("no input can be drawn for this target")?;
        let before = self.progress.reached.places();
        self.evaluate(stimulus)?;
        let new = self.progress.reached.places() - before;
        self.yields.note(afresh, new);
        Ok(())
    }

    /// An input of the corpus, changed.
    fn mutated(&mut self) -> Result<Stimulus, String> {
        let mut taken = || {
            let scheduler: &mut NewestFirst =
                HasScheduler::<Case, State>::scheduler_mut(&mut self.fuzzer);
            let id =
                Scheduler::<Case, State>::next(scheduler, &mut self.state).map_err(internal)?;
            let case = self.state.corpus().cloned_input_for_id(id);
            case.map_err(internal).map(|case| case.0)
        };
        let (mut stimulus, mut other) = (taken()?, taken()?);
        // Of two the shorter one, more often: it takes less time and leaves more to be added.
        if stimulus.steps.len() > other.steps.len() && self.rng.random_ratio(3, 4) {
            std::mem::swap(&mut stimulus, &mut other);
        }
        let target = &self.runner.target;
        target.mutate(&mut stimulus, Some(&other), &mut self.rng);
        Ok(stimulus)
    }

    fn evaluate(&mut self, stimulus: Stimulus) -> Result<(), String> {
        let case = Case(stimulus);
        let (fuzzer, runner) = (&mut self.fuzzer, &mut self.runner);
        let result = fuzzer.evaluate_input(&mut self.state, runner, &mut self.manager, &case);
        let (result, _) = result.map_err(internal)?;
        let progress = &mut self.progress;
        progress.execs += 1;
        progress.cycles += self.runner.last.cycles;
        progress.failing = self.runner.failing;
        match result {
            ExecuteInputResult::None => Ok(()),
            ExecuteInputResult::Corpus => {
                progress.newest = progress.execs;
                progress.corpus = self.state.corpus().count();
                let map = (self.state)
                    .named_metadata::<MapFeedbackMetadata<u8>>(MAP)
                    .map_err(internal)?;
                let points = self.runner.target.map().points();
                progress.reached = Reached::of(&map.history_map, points);
                self.keep(&case)
            }
            ExecuteInputResult::Solution => self.found(&case.0),
        }
    }

    /// Writes an input that reached something new into the corpus.
    fn keep(&mut self, case: &Case) -> Result<(), String> {
        let Some(folder) = &self.settings.corpus else {
            return Ok(());
        };
        let path = folder.join(case.file_name());
        if self.files.insert(path.clone()) && !path.exists() {
            finding::write(&case.0, &path)?;
        }
        Ok(())
    }

    /// The inputs in the folder of the corpus that have not been read or written, by name.
    fn added_files(&mut self) -> Result<Vec<Stimulus>, String> {
        let Some(folder) = &self.settings.corpus else {
            return Ok(Vec::new());
        };
        let mut paths = stimuli_in(folder)?;
        paths.retain(|path| !self.files.contains(path));
        self.files.extend(paths.iter().cloned());
        let stimuli: Result<Vec<Stimulus>, String> = (paths.iter())
            .map(|path| Stimulus::read(path).map_err(|error| error.to_string()))
            .collect();
        let mut stimuli = stimuli?;
        stimuli.retain(|stimulus| self.runner.target.takes(&stimulus.config));
        Ok(stimuli)
    }

    /// Makes a finding small and keeps it.
    fn found(&mut self, stimulus: &Stimulus) -> Result<(), String> {
        let Some(failure) = self.runner.last.failure.take() else {
            return Ok(());
        };
        let mut finding = Finding::shrunk(self.runner.target, stimulus, &failure);
        finding.execs = self.progress.execs;
        if let Some(folder) = &self.settings.findings {
            finding.keep(folder)?;
        }
        self.findings.push(finding);
        self.progress.findings = self.findings.len();
        Ok(())
    }

    fn end(self) -> Result<Report, String> {
        let corpus = self.state.corpus();
        let cases = corpus.ids().map(|id| corpus.cloned_input_for_id(id));
        let cases: Result<Vec<Case>, Error> = cases.collect();
        let cases = cases.map_err(internal)?;
        Ok(Report {
            progress: self.progress,
            findings: self.findings,
            corpus: cases.into_iter().map(|case| case.0).collect(),
        })
    }
}

/// The stimulus files in a folder, by name.
///
/// # Errors
/// If the folder cannot be read.
fn stimuli_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error| format!("{}: cannot be read: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// LibAFL's own errors have no cause in the user's input.
fn internal(error: Error) -> String {
    format!("the fuzzer stops: {error}")
}
