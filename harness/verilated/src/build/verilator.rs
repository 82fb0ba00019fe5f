//! Finding and running Verilator.

use super::coverage;
use super::error::Error;
use super::stamp::Stamp;
use super::{Context, Model, Variant};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An installed Verilator that is new enough.
#[derive(Debug)]
pub struct Verilator {
    command: PathBuf,
    /// The whole line that `--version` prints.
    pub version: String,
    /// Directory of the runtime's sources.
    pub include: PathBuf,
}

impl Verilator {
    pub fn find(command: &Path) -> Result<Self, Error> {
        let version = Self::query(command, &["--version"])?;
        if !version_suffices(&version) {
            let path = on_path(command).unwrap_or_else(|| command.into());
            let found = version
                .split_whitespace()
                .nth(1)
                .unwrap_or(&version)
                .to_string();
            return Err(Error::VerilatorTooOld { found, path });
        }
        let root = Self::query(command, &["--getenv", "VERILATOR_ROOT"])?;
        Ok(Verilator {
            command: command.to_path_buf(),
            version,
            include: Path::new(&root).join("include"),
        })
    }

    fn query(command: &Path, args: &[&str]) -> Result<String, Error> {
        let missing = |reason: String| Error::VerilatorMissing {
            command: command.display().to_string(),
            reason,
        };
        let output = Command::new(command)
            .args(args)
            .output()
            .map_err(|e| missing(e.to_string()))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let first = text.lines().next().unwrap_or_default();
            return Err(missing(format!("{} {first}", output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    }
}

/// Whether a line such as `Verilator 5.006 2023-01-22 rev ...` names a version that works.
fn version_suffices(line: &str) -> bool {
    let parse = |text: &str| -> Option<(u32, u32)> {
        let (major, minor) = text.split_once('.')?;
        let digits = minor.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, digits.parse().ok()?))
    };
    let found = line
        .strip_prefix("Verilator ")
        .and_then(|l| parse(l.split_whitespace().next()?));
    found.is_some_and(|found| Some(found) >= parse(Error::MIN_VERILATOR))
}

fn on_path(command: &Path) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(command))
        .find(|path| path.is_file())
}

/// One variant of one model, to be translated into C++.
#[derive(Debug)]
pub struct Job {
    pub model: String,
    pub variant: Variant,
    pub threads: u32,
    /// Class name of the C++ model, unique in the program.
    pub prefix: String,
    /// Directory of the C++ files.
    pub dir: PathBuf,
    package_dir: PathBuf,
    args: Vec<String>,
}

impl Job {
    pub fn new(context: &Context, model: &Model, variant: Variant) -> Self {
        let prefix = format!("V{}_{}_{variant}", context.package, model.name);
        let dir = context.out_dir.join("verilated").join(&prefix);
        let mut args: Vec<String> = Vec::new();
        // Zeros wherever Verilog says X: the same run on every machine, and nothing to draw in the
        // inner loop.
        args.extend(
            [
                "--cc",
                "-O3",
                "--assert",
                "--no-timing",
                "--x-assign",
                "0",
                "--x-initial",
                "0",
            ]
            .map(String::from),
        );
        args.extend(["--top-module".into(), model.top_module().into()]);
        args.extend(["--prefix".into(), prefix.clone()]);
        args.extend(["--Mdir".into(), dir.display().to_string()]);
        args.extend(["--threads".into(), model.threads.to_string()]);
        let covered = ["--coverage-line", "--coverage-user"];
        match variant {
            Variant::Fast => {}
            Variant::Cov => args.extend(covered.map(String::from)),
            Variant::Toggle => {
                args.extend(covered.map(String::from));
                args.push("--coverage-toggle".into());
            }
            Variant::Wave => args.push("--trace".into()),
        }
        args.extend(
            model
                .params
                .iter()
                .map(|(name, value)| format!("-G{name}={value}")),
        );
        args.extend(model.defines.iter().map(|(name, value)| match value {
            Some(value) => format!("+define+{name}={value}"),
            None => format!("+define+{name}"),
        }));
        args.extend(
            model
                .include_dirs
                .iter()
                .map(|dir| format!("+incdir+{}", dir.display())),
        );
        args.extend(model.args.iter().cloned());
        for list in &model.file_lists {
            args.extend(["-F".into(), list.display().to_string()]);
        }
        args.extend(
            model
                .sources
                .iter()
                .map(|source| source.display().to_string()),
        );
        Job {
            model: model.name.clone(),
            variant,
            threads: model.threads,
            prefix,
            dir,
            package_dir: context.package_dir.clone(),
            args,
        }
    }

    /// A file among Verilator's output whose name starts with the prefix.
    pub fn output(&self, suffix: &str) -> PathBuf {
        self.dir.join(format!("{}{suffix}", self.prefix))
    }

    /// The files Verilator read, as it reported them: the RTL and Verilator itself.
    pub fn dependencies(&self) -> Result<Vec<PathBuf>, Error> {
        let path = self.output("__ver.d");
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let (_, after) = text.split_once(" : ").ok_or_else(|| Error::Output {
            file: path,
            reason: "no dependency list".into(),
        })?;
        let mut files: Vec<PathBuf> = split_dependencies(after)
            .map(|f| self.package_dir.join(f))
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The stamp of the present inputs, or nothing if they cannot be read, in which case Verilator
    /// has to run and say why.
    fn stamp(&self, tool: &Verilator) -> Option<String> {
        let mut stamp = Stamp::new("verilator");
        stamp.add(&tool.version);
        // What this crate does to the output is an input too.
        stamp.add(include_str!("verilator.rs"));
        stamp.add(include_str!("coverage.rs"));
        for arg in &self.args {
            stamp.add(arg);
        }
        for file in self.dependencies().ok()? {
            stamp.add(file.to_string_lossy().as_bytes());
            if !is_tool(&file) {
                stamp.add(fs::read(&file).ok()?);
            }
        }
        Some(stamp.finish())
    }

    /// Run Verilator unless its last output is up to date; answers whether it ran.
    fn run(&self, tool: &Verilator) -> Result<bool, Error> {
        let stamp_file = self.dir.join("stamp");
        let last = fs::read_to_string(&stamp_file).ok();
        if last.is_some() && last == self.stamp(tool) {
            return Ok(false);
        }
        // Start clean: output files of a former run must not be taken for part of this one.
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).map_err(Error::io(&self.dir))?;
        }
        fs::create_dir_all(&self.dir).map_err(Error::io(&self.dir))?;
        let output = Command::new(&tool.command)
            .args(&self.args)
            .current_dir(&self.package_dir)
            .output()
            .map_err(Error::io(&tool.command))?;
        let messages = relevant(&String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            return Err(Error::Rejected {
                model: self.model.clone(),
                messages,
            });
        }
        for line in messages.lines() {
            println!("cargo:warning={line}");
        }
        if self.variant.counts() && self.threads == 1 {
            coverage::plain_counters(self)?;
        }
        let stamp = self.stamp(tool).ok_or_else(|| Error::Output {
            file: self.output("__ver.d"),
            reason: "it names files that cannot be read".into(),
        })?;
        fs::write(&stamp_file, stamp).map_err(Error::io(&stamp_file))?;
        Ok(true)
    }
}

/// The words of a makefile's dependency list; a backslash keeps a space in a name.
fn split_dependencies(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\\\n", " ").replace("\\ ", "\u{1}");
    let words: Vec<_> = text
        .split_whitespace()
        .map(|w| w.replace('\u{1}', " "))
        .collect();
    words.into_iter()
}

fn is_tool(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("verilator"))
}

/// Verilator's messages without the lines that say nothing about the source.
fn relevant(text: &str) -> String {
    let noise = [
        "... See the manual",
        "... For error description",
        "%Error: Exiting due to",
    ];
    let lines: Vec<_> = text
        .lines()
        .filter(|l| !noise.iter().any(|n| l.contains(n)) && !l.is_empty())
        .collect();
    lines.join("\n")
}

/// Run Verilator for all jobs that need it; answers how many did.
pub fn run_all(context: &Context, tool: &Verilator, jobs: &[Job]) -> Result<usize, Error> {
    let ran = parallel(context.jobs, jobs, |job| job.run(tool))?;
    Ok(ran.into_iter().filter(|&ran| ran).count())
}

/// Apply `work` to all items on up to `threads` threads. The results are in the order of the items,
/// and so is the error that is returned if several fail.
pub fn parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    if result.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    *results[index].lock().unwrap_or_else(|e| e.into_inner()) = Some(result);
                }
            });
        }
    });
    let mut values = Vec::new();
    for result in results {
        match result.into_inner().unwrap_or_else(|e| e.into_inner()) {
            Some(Ok(value)) => values.push(value),
            Some(Err(error)) => return Err(error),
            None => {} // skipped because another one failed
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let suffices = |version: &str| version_suffices(&format!("Verilator {version} 2023-01-22"));
        assert!(suffices("5.006") && suffices("5.034") && suffices("5.100") && suffices("6.002"));
        assert!(!suffices("5.004") && !suffices("4.228") && !suffices("3.9"));
        assert!(suffices("5.006devel"));
        assert!(!version_suffices("verilog 5.006") && !version_suffices(""));
    }

    #[test]
    fn a_dependency_may_have_a_space_in_its_name() {
        let words: Vec<_> = split_dependencies("a.sv b\\ c.sv \\\n d.sv\n").collect();
        assert_eq!(words, ["a.sv", "b c.sv", "d.sv"]);
    }

    #[test]
    fn work_in_parallel_keeps_its_order_and_the_first_error() {
        let items: Vec<usize> = (0..100).collect();
        let doubled = parallel(3, &items, |&i| Ok(2 * i)).expect("nothing fails");
        assert_eq!(doubled, (0..100).map(|i| 2 * i).collect::<Vec<_>>());
        let failed = parallel(1, &items, |&i| match i {
            7 => Err(Error::NotInBuildScript { variable: "SEVEN" }),
            8.. => panic!("nothing is started after a failure"),
            _ => Ok(()),
        });
        assert!(failed.is_err_and(|error| error.to_string().contains("SEVEN")));
    }
}
