//! Campaigns: the same again, from where one stopped, and with faults planted in the switch.

use super::draw::Draws;
use super::mutate::{MAX_STEPS, mutate};
use super::*;
use crate::dut::{
    ErrorLog, HomeInputs, HomeOutputs, HomeSlice, HomeView, Inputs, LoggedError, Outputs,
    Parameters, Reference, Region, Switch, Variant, bits, home_alone,
};
use crate::parts::{self, Bench};
use crate::sim::{Model, stream};
use crate::{Failure, FailureKind};
use flits::stimulus::{Config, Node, Op, OpKind, Part, Step, Stimulus, Turn, WordError};
use flits::{Class, Flit, LinkWord};
use rand::RngExt;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

/// A campaign of the switch itself.
fn campaign(settings: &Settings, hostile: bool) -> Report {
    let mut target = System::switch(4, hostile).expect("the tight switch has coverage");
    run(&mut target, settings, |_| true).expect("a campaign")
}

#[test]
fn the_same_seed_gives_the_same_corpus_and_another_seed_another() {
    let [first, second] = [(); 2].map(|()| campaign(&Settings::of(7, 60), false));
    assert_eq!(first.progress, second.progress);
    assert_eq!(first.corpus, second.corpus);
    assert!(first.corpus.len() > 10, "{} inputs", first.corpus.len());
    let other = campaign(&Settings::of(8, 60), false);
    assert_ne!(first.corpus, other.corpus);
    // What the two have in common is that nothing is wrong.
    assert_eq!((first.findings.len(), other.findings.len()), (0, 0));
}

#[test]
fn a_campaign_resumes_from_its_corpus() {
    let folder = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        corpus: Some(folder.path().to_owned()),
        ..Settings::of(7, 60)
    };
    let first = campaign(&settings, false);
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, first.corpus.len());
    // As many inputs as there are files: nothing but what the first campaign has left.
    let again = Settings {
        execs: Some(files as u64),
        seed: 8,
        ..settings
    };
    let second = campaign(&again, false);
    assert_eq!(second.progress.reached, first.progress.reached);
    std::fs::write(folder.path().join("bad.jsonl"), "no stimulus").expect("a file");
    let mut target = System::switch(4, false).expect("the tight switch");
    let error = run(&mut target, &again, |_| true).expect_err("the file is bad");
    assert!(error.contains("bad.jsonl:1"), "{error}");
}

#[test]
fn a_model_that_is_reset_does_what_a_new_one_does() {
    let draws = Draws::new(4, false);
    let mut used = System::switch(4, false).expect("the tight switch");
    for seed in 0..12 {
        let stimulus = draws.stimulus(seed).expect("a stimulus");
        let mut new = System::switch(4, false).expect("the tight switch");
        let (a, b) = (used.run(&stimulus), new.run(&stimulus));
        assert_eq!(a.failure, b.failure);
        assert_eq!(a.cycles, b.cycles, "seed {seed}");
        assert!(
            used.map().bytes() == new.map().bytes(),
            "seed {seed}: it reaches something else"
        );
    }
}

#[test]
fn hostile_words_disturb_no_one_and_the_switch_knows_who_sends_them() {
    let report = campaign(&Settings::of(3, 80), true);
    let text: Vec<String> = report.findings.iter().map(Finding::text).collect();
    assert!(text.is_empty(), "{text:#?}");
    let raw = |stimulus: &Stimulus| {
        let is_raw = |step: &&Step| step.op.kind() == OpKind::Raw;
        stimulus.steps.iter().filter(is_raw).count()
    };
    let words: usize = report.corpus.iter().map(raw).sum();
    assert!(words > 20, "{words} raw operations in the corpus");
}

/// What is wrong with a switch.
#[derive(Clone, Copy)]
enum Plant {
    /// The third piece of data to a node in a run has one bit flipped.
    Data,
    /// Whatever goes to port 2 vanishes once 12 words have gone there.
    Silence,
}

/// The switch of the specification with a fault.
struct Planted {
    switch: Reference,
    plant: Plant,
    data: u32,
    words: u32,
}

impl Planted {
    fn target(plant: Plant) -> System {
        let make = move || {
            Ok(Box::new(Planted {
                switch: Reference::new(4),
                plant,
                data: 0,
                words: 0,
            }) as Box<dyn Switch>)
        };
        System::of(make, None, false).expect("the reference")
    }
}

impl Switch for Planted {
    fn ports(&self) -> usize {
        self.switch.ports()
    }

    fn reset(&mut self) -> Result<(), Failure> {
        (self.data, self.words) = (0, 0);
        self.switch.reset()
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.switch.clock(inputs, outputs)?;
        for port in bits(outputs.tx.valid) {
            let word = outputs.tx.get(port).expect("a class");
            let is_data = word.class == Class::Dat && !word.head;
            self.data += u32::from(is_data && word.tail);
            self.words += u32::from(port == 2);
            match self.plant {
                Plant::Data if is_data && word.tail && self.data == 3 => {
                    let flit = Flit::from_u128(word.flit.to_u128() ^ 1 << 64);
                    outputs.tx.put(port, &LinkWord { flit, ..word });
                }
                Plant::Silence if port == 2 && self.words > 12 => outputs.tx.valid &= !(1 << port),
                _ => {}
            }
        }
        Ok(())
    }

    fn configure(&mut self, map: &[Region], partitions: &[u16]) -> Option<Parameters> {
        self.switch.configure(map, partitions)
    }
}

#[test]
fn a_planted_fault_is_found_and_made_small() {
    for plant in [Plant::Data, Plant::Silence] {
        let folder = tempfile::tempdir().expect("a directory");
        let settings = Settings {
            findings: Some(folder.path().to_owned()),
            ..Settings::of(1, 400)
        };
        let mut target = Planted::target(plant);
        let first = |progress: &Progress| progress.findings == 0;
        let report = run(&mut target, &settings, first).expect("a campaign");
        let [finding] = &report.findings[..] else {
            panic!("{} findings", report.findings.len());
        };
        assert!(
            finding.stimulus.steps.len() < 12,
            "{} operations: {}",
            finding.stimulus.steps.len(),
            finding.stimulus.to_text()
        );
        let path = finding.path.as_ref().expect("it is kept");
        let kept = Stimulus::read(path).expect("a stimulus file");
        assert_eq!(kept, finding.stimulus);
        // The file alone shows the same failure again.
        let again = target.run(&kept).failure.expect("it fails");
        assert_eq!(again, finding.failure);
        assert!(again.kind != FailureKind::Harness, "{again}");
    }
}

#[test]
fn a_failure_that_is_known_is_no_finding_and_adds_nothing_to_the_corpus() {
    let mut target = Planted::target(Plant::Data);
    let report = run(&mut target, &Settings::of(1, 300), |_| true).expect("a campaign");
    let signatures: BTreeSet<String> = report
        .findings
        .iter()
        .map(|finding| signature(&finding.failure))
        .collect();
    assert!(report.progress.failing > report.findings.len() as u64);
    assert!(signatures.len() < 20, "{signatures:#?}");
    for stimulus in &report.corpus {
        assert_eq!(target.run(stimulus).failure, None);
    }
}

#[test]
fn a_mutated_stimulus_can_be_run_and_every_operation_comes_about() {
    for hostile in [false, true] {
        let draws = Draws::new(8, hostile);
        let mut rng = stream(1, "mutants");
        let drawn =
            |rng: &mut rand_pcg::Pcg64Mcg| draws.stimulus(rng.random()).expect("a stimulus");
        let (mut stimulus, other) = (drawn(&mut rng), drawn(&mut rng));
        let mut kinds = BTreeSet::new();
        let mut changed = 0;
        for _ in 0..1500 {
            let before = stimulus.clone();
            mutate(&mut stimulus, Some(&other), &draws, &mut rng);
            assert_eq!(stimulus.check(), Ok(()));
            assert!(stimulus.steps.len() <= MAX_STEPS);
            changed += u32::from(stimulus != before);
            kinds.extend(stimulus.steps.iter().map(|step| step.op.kind()));
        }
        assert!(changed > 1000, "{changed} of 1500 changed something");
        let all = OpKind::ALL.into_iter();
        let expected: BTreeSet<OpKind> = all
            .filter(|kind| kind.is_access() || (hostile && *kind == OpKind::Raw))
            .collect();
        assert_eq!(kinds, expected);
    }
}

/// A hostile device that sends one word of no opcode.
fn offence() -> Stimulus {
    let mut config = Config::new(4);
    config.nodes[2] = Node::Hostile {};
    let word = LinkWord {
        class: Class::Req,
        head: true,
        tail: true,
        flit: Flit::from_u128(0x3f),
    };
    let op = Op::Raw { words: vec![word] };
    let step = Step {
        node: 2,
        after: 0,
        op,
    };
    Stimulus {
        seed: 0,
        config,
        steps: vec![step],
    }
}

#[test]
fn an_offence_that_is_not_logged_or_laid_at_another_s_door_is_a_failure() {
    let logged = |src| ErrorLog {
        count: 1,
        first: Some(LoggedError {
            cause: 4,
            opcode: 0x3f,
            src,
            addr: 0,
        }),
    };
    let judge = |log| hostile::judge(&offence(), &log, 9).map_err(|failure| failure.message);
    assert_eq!(judge(logged(2)), Ok(()));
    assert!(judge(logged(1)).is_err_and(|text| text.contains("node 1, which sends none")));
    assert!(judge(ErrorLog::default()).is_err_and(|text| text.contains("logs no error")));
}

#[test]
fn other_fuzzers_may_bring_bytes_or_text() {
    entry::switch(b"");
    entry::switch(&[0x5a; 300]);
    entry::hostile(&(0..=255).collect::<Vec<u8>>());
    entry::hostile(offence().to_text().as_bytes());
    for part in [entry::fabric, entry::link, entry::home] {
        part(b"");
        part(&[0x5a; 300]);
    }
    let link = Draws::part(Part::Link).stimulus(3).expect("a stimulus");
    entry::link(link.to_text().as_bytes());
}

/// A bench that takes two long packets of a class on their way at once for a violation.
struct Picky(Box<dyn Bench>);

impl Bench for Picky {
    fn run(&mut self, stimulus: &Stimulus, seen: &mut dyn FnMut(parts::Event)) -> parts::Ran {
        let long = |step: &&Step| matches!(&step.op, Op::Packet(packet) if packet.length > 3);
        let mut ran = self.0.run(stimulus, seen);
        if stimulus.steps.iter().filter(long).count() > 1 {
            let failure = Failure::new(ran.cycles, FailureKind::Order, "two long packets");
            ran.failure.get_or_insert(failure);
        }
        ran
    }

    fn coverage(&self) -> Vec<u32> {
        self.0.coverage()
    }

    fn trace(&mut self, path: &Path, window: Option<Range<u64>>) {
        self.0.trace(path, window);
    }
}

const PARTS: [Part; 3] = [Part::Fabric, Part::Link, Part::Home];

#[test]
fn parts_alone_are_fuzzed_by_the_same_loop() {
    for part in PARTS {
        let campaign = |seed| {
            let mut target = Alone::new(part).expect("the model");
            run(&mut target, &Settings::of(seed, 150), |_| true).expect("a campaign")
        };
        let [first, second] = [campaign(1), campaign(1)];
        assert_eq!(first.progress, second.progress, "{part:?}");
        assert_eq!(first.corpus, second.corpus, "{part:?}");
        let text: Vec<String> = first.findings.iter().map(Finding::text).collect();
        assert!(text.is_empty(), "{part:?}: {text:#?}");
        let reached = first.progress.reached;
        assert!(
            reached.points > reached.points_of / 3,
            "{part:?}: {reached:?}"
        );
        assert!(reached.events > 100, "{part:?}: {reached:?}");
        assert_ne!(campaign(2).corpus, first.corpus, "{part:?}");
    }
}

#[test]
fn a_finding_in_a_part_is_made_as_small_as_its_cause() {
    let model = Model::Tight;
    let bench = parts::bench(Part::Fabric, model, Variant::Cov).expect("the model");
    let mut target = Alone::of(Part::Fabric, model, Box::new(Picky(bench)));
    let first = |progress: &Progress| progress.findings == 0;
    let report = run(&mut target, &Settings::of(1, 200), first).expect("a campaign");
    let [finding] = &report.findings[..] else {
        panic!("{} findings", report.findings.len());
    };
    assert_eq!(
        finding.stimulus.steps.len(),
        2,
        "{}",
        finding.stimulus.to_text()
    );
    assert!(!finding.from_power_on, "only the bench has the fault");
}

/// A home whose snoops never leave.
struct Mute(Box<dyn HomeSlice>);

impl HomeSlice for Mute {
    fn reset(&mut self) -> Result<(), Failure> {
        self.0.reset()
    }

    fn clock(&mut self, inputs: &HomeInputs, outputs: &mut HomeOutputs) -> Result<(), Failure> {
        self.0.clock(inputs, outputs)?;
        outputs.tx = outputs.tx.take().filter(|word| word.class != Class::Snp);
        Ok(())
    }

    fn view(&self, view: &mut HomeView) -> bool {
        self.0.view(view)
    }

    fn coverage(&self) -> &[u32] {
        self.0.coverage()
    }

    fn trace_open(&mut self, path: &Path, window: Option<Range<u64>>) -> Result<(), Failure> {
        self.0.trace_open(path, window)
    }

    fn trace_close(&mut self) -> Result<(), Failure> {
        self.0.trace_close()
    }
}

#[test]
fn a_home_that_loses_snoops_is_found_and_takes_two_requests_to_show() {
    let home = home_alone(Variant::Cov).expect("the model");
    let bench = parts::home(Box::new(Mute(home))).expect("a home after reset");
    let mut target = Alone::of(Part::Home, Model::Rtl(Variant::Fast), bench);
    let first = |progress: &Progress| progress.findings == 0;
    let report = run(&mut target, &Settings::of(1, 50), first).expect("a campaign");
    let [finding] = &report.findings[..] else {
        panic!("{} findings", report.findings.len());
    };
    assert_eq!(
        finding.failure.kind,
        FailureKind::Progress,
        "{}",
        finding.failure
    );
    let [one, other] = &finding.stimulus.steps[..] else {
        panic!("{}", finding.stimulus.to_text());
    };
    assert_ne!(one.node, other.node);
    let zero = |step: &Step| matches!(step.op, Op::Turn(Turn::Ask { line: 0, .. }));
    assert!(zero(one) && zero(other), "{}", finding.stimulus.to_text());
    // The story is there, and the file alone shows the same again.
    assert!(
        finding.failure.message.contains("node 0 -> home: REQ Read"),
        "{}",
        finding.failure
    );
    let again = target.run(&finding.stimulus).failure;
    assert_eq!(again.as_ref(), Some(&finding.failure));
    assert!(
        !finding.from_power_on,
        "only the planted home has the fault"
    );
}

#[test]
fn a_mutated_input_of_a_part_can_be_run_and_its_wires_err_in_every_way() {
    for part in PARTS {
        let draws = Draws::part(part);
        let mut rng = stream(2, "mutants");
        let mut stimulus = draws.stimulus(1).expect("a stimulus");
        let other = draws.stimulus(2).expect("a stimulus");
        let (mut errors, mut cut, mut changed) = (BTreeSet::new(), false, 0);
        for _ in 0..1500 {
            let before = stimulus.clone();
            mutate(&mut stimulus, Some(&other), &draws, &mut rng);
            assert_eq!(stimulus.check(), Ok(()));
            changed += u32::from(stimulus != before);
            if let Some(wires) = &stimulus.config.link_errors {
                errors.extend(wires.hits.iter().map(|hit| match hit.error {
                    WordError::Flipped(_) => 0,
                    WordError::Lost => 1,
                    WordError::Repeated => 2,
                    WordError::Displaced(_) => 3,
                }));
                cut |= wires.outages.iter().any(|outage| outage.to.is_none());
            }
        }
        assert!(
            changed > 900,
            "{part:?}: {changed} of 1500 changed something"
        );
        let wires = part == Part::Link;
        assert_eq!(
            (errors.len(), cut),
            if wires { (4, true) } else { (0, false) }
        );
    }
}
