//! Files of litmus tests.

use super::explore::{MemoryModel, allowed};
use super::test::{FinalState, Test};
use super::{Error, Wrong, text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Tests of some files.
#[derive(Debug, Default)]
pub struct Collection {
    /// The tests that can be used, with the final states that the files say are allowed.
    pub tests: Vec<(Test, Option<Expected>)>,
    /// The tests that cannot.
    pub refused: Vec<Refused>,
}

/// A test that cannot be used.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Its name, or its file's.
    pub name: String,
    /// What is not supported.
    pub class: String,
    /// Why, in a sentence.
    pub error: Error,
}

/// The allowed final states that a file states, as sets of `0:x5=1` and `[x]=2`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Under sequential consistency.
    pub sc: BTreeSet<BTreeSet<String>>,
    /// Under total store order.
    pub tso: BTreeSet<BTreeSet<String>>,
}

/// A test with the final states that the models allow.
#[derive(Debug)]
pub struct Prepared {
    /// The test.
    pub test: Test,
    /// Allowed by sequential consistency.
    pub sc: BTreeSet<FinalState>,
    /// Allowed by total store order.
    pub tso: BTreeSet<FinalState>,
    /// Whether both are what the file states; `None` if it states nothing.
    pub as_expected: Option<bool>,
}

/// A line of a collection; other fields are ignored.
#[derive(Deserialize)]
struct Line {
    name: String,
    source: Option<String>,
    sc: Option<States>,
    tso: Option<States>,
    model: Option<Models>,
}

#[derive(Deserialize)]
struct Models {
    sc: States,
    tso: States,
}

#[derive(Deserialize)]
struct States {
    states: Vec<String>,
}

impl Collection {
    /// Reads a file: `.jsonl` is a collection, one test a line with `name`, `source` (the `.litmus`
    /// text) and, if known, the allowed states as `sc` and `tso` or `model.sc` and `model.tso`;
    /// anything else is the text of one test.
    ///
    /// # Errors
    /// If the file cannot be read, or a text is not well formed. What is well formed and not
    /// supported is [refused](Self::refused).
    pub fn read(&mut self, path: &Path) -> Result<(), Error> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Wrong::malformed(format!("the file cannot be read: {error}")).at(&file, 0)
        })?;
        match path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            true => self.read_lines(&file, &text),
            false => self.add(&file, &file, &text, None),
        }
    }

    /// Reads the text of a collection called `file`.
    ///
    /// # Errors
    /// As [`Collection::read`].
    pub fn read_lines(&mut self, file: &str, text: &str) -> Result<(), Error> {
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |reason: String| Wrong::malformed(reason).at(file, index + 1);
            let line: Line = serde_json::from_str(line)
                .map_err(|error| wrong(format!("not a line of a collection: {error}")))?;
            let Some(source) = &line.source else {
                let name = &line.name;
                return Err(wrong(format!(
                    "{name} has no `source`; give the text of the test"
                )));
            };
            let expected = match (line.sc, line.tso, line.model) {
                (Some(sc), Some(tso), _) | (_, _, Some(Models { sc, tso })) => Some(Expected {
                    sc: sc.sets(),
                    tso: tso.sets(),
                }),
                _ => None,
            };
            let place = format!("{file}:{} ({})", index + 1, line.name);
            self.add(&place, &line.name, source, expected)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        file: &str,
        name: &str,
        source: &str,
        expected: Option<Expected>,
    ) -> Result<(), Error> {
        match text::parse(file, source) {
            Ok(test) => self.tests.push((test, expected)),
            Err(error) => match error.unsupported.clone() {
                Some(class) => self.refused.push(Refused {
                    name: name.to_owned(),
                    class,
                    error,
                }),
                None => return Err(error),
            },
        }
        Ok(())
    }

    /// Enumerates the final states of every test; what cannot be enumerated is refused too. Calls
    /// `progress` for each.
    pub fn prepare(self, mut progress: impl FnMut()) -> (Vec<Prepared>, Vec<Refused>) {
        let Collection { tests, mut refused } = self;
        let mut prepared = Vec::with_capacity(tests.len());
        for (test, expected) in tests {
            progress();
            let sets = allowed(&test, MemoryModel::Sc)
                .and_then(|sc| Ok((sc, allowed(&test, MemoryModel::Tso)?)));
            match sets {
                Ok((sc, tso)) => prepared.push(Prepared {
                    as_expected: expected.map(|expected| {
                        test.sets(&sc) == expected.sc && test.sets(&tso) == expected.tso
                    }),
                    test,
                    sc,
                    tso,
                }),
                Err(error) => refused.push(Refused {
                    name: test.name.clone(),
                    class: error.unsupported.clone().unwrap_or_default(),
                    error,
                }),
            }
        }
        (prepared, refused)
    }
}

impl Refused {
    /// How many tests are refused for each reason.
    pub fn classes(refused: &[Refused]) -> BTreeMap<String, usize> {
        let mut classes = BTreeMap::new();
        for Refused { class, .. } in refused {
            *classes.entry(class.clone()).or_default() += 1;
        }
        classes
    }
}

impl States {
    fn sets(&self) -> BTreeSet<BTreeSet<String>> {
        let parts = |state: &String| {
            let parts = state.split(';').map(|part| part.trim().to_owned());
            parts.filter(|part| !part.is_empty()).collect()
        };
        self.states.iter().map(parts).collect()
    }
}

impl Test {
    /// Final states as the files have them.
    fn sets(&self, states: &BTreeSet<FinalState>) -> BTreeSet<BTreeSet<String>> {
        let part = |item, value| format!("{}={}", self.item(item), self.value(value));
        let parts = |state: &FinalState| {
            let items = self.observed.iter().zip(state);
            items.map(|(&item, &value)| part(item, value)).collect()
        };
        states.iter().map(parts).collect()
    }
}
