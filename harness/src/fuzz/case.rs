//! A stimulus as LibAFL knows inputs, and which of the corpus is taken next.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use flits::stimulus::Stimulus;
use libafl::Error;
use libafl::corpus::{Corpus, CorpusId};
use libafl::inputs::Input;
use libafl::schedulers::Scheduler;
use libafl::state::{HasCorpus, HasRand};
use libafl_bolts::rands::Rand;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An input: a stimulus, which is its text wherever it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case(pub Stimulus);

impl Case {
    /// The name of its file: a hash of its text.
    pub fn file_name(&self) -> String {
        format!("{:016x}.jsonl", hash(&self.0.to_text()))
    }
}

/// FNV-1a, which is the same everywhere.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

impl Hash for Case {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_text().hash(state);
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stimulus = Stimulus::parse("input", &text).map_err(de::Error::custom)?;
        Ok(Case(stimulus))
    }
}

impl Input for Case {}

/// Inputs that count as new.
const NEW: usize = 24;

/// Takes one of the newest inputs every second time, and any of them else: what has just reached
/// something new is nearest to the next new thing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewestFirst;

impl<I, S: HasCorpus<I> + HasRand> Scheduler<I, S> for NewestFirst {
    fn on_add(&mut self, _state: &mut S, _id: CorpusId) -> Result<(), Error> {
        Ok(())
    }

    fn next(&mut self, state: &mut S) -> Result<CorpusId, Error> {
        let count = state.corpus().count();
        let Some(all) = NonZeroUsize::new(count) else {
            return Err(Error::empty("the corpus is empty"));
        };
        let window = match state.rand_mut().coinflip(0.5) {
            true => all.min(NonZeroUsize::MIN.saturating_add(NEW - 1)),
            false => all,
        };
        let back = state.rand_mut().below(window);
        let id = state.corpus().nth(count - 1 - back);
        self.set_current_scheduled(state, Some(id))?;
        Ok(id)
    }

    fn set_current_scheduled(&mut self, state: &mut S, id: Option<CorpusId>) -> Result<(), Error> {
        *state.corpus_mut().current_mut() = id;
        Ok(())
    }
}
