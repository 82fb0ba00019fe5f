//! Compiling the C++ and putting it into one static library.

use super::Context;
use super::cache;
use super::error::Error;
use super::generate::shim_file;
use super::stamp::Stamp;
use super::verilator::{Job, Verilator, parallel};
use crate::Variant;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that was made.
pub struct Library {
    pub name: String,
    pub path: PathBuf,
    pub standard_library: &'static str,
    /// Number of files compiled.
    pub count: usize,
}

const SEAM_HEADER: &str = include_str!("../../cpp/verilated_rs.h");
/// How a shim, alone of all generated files, takes in the seam's header.
pub const SEAM_INCLUDE: &str = "#include \"verilated_rs.h\"";
const SEAM_HOOKS: &str = include_str!("../../cpp/verilated_rs_hooks.h");
const SEAM_SOURCE: &str = include_str!("../../cpp/verilated_rs.cpp");

/// Hot code: what an evaluation executes, straight-line logic on single words, once from end to end
/// and more of it than the nearest cache holds. Vectorising it takes an eighth of the time to compile
/// and gains nothing; what is inserted to align jumps, and parts moved elsewhere, only cost room.
const OPT_FAST: &[&str] = &[
    "-O2",
    "-fno-tree-vectorize",
    "-fno-tree-slp-vectorize",
    "-fno-align-jumps",
    "-fno-align-labels",
    "-fno-align-loops",
    "-fno-reorder-blocks-and-partition",
];
/// Hot code of the variant that writes waves: it runs for the failure that someone looks at, and then
/// most of its time goes into the file. It compiles in less than half the time.
const OPT_WAVE: &[&str] = &["-O1"];
/// Code that runs once per instance: constructors, the first settling, names of signals.
const OPT_SLOW: &[&str] = &["-O0"];

/// Generated files are put together up to this many bytes per compiler run, because each run spends
/// more time on Verilator's headers than on a small file; more would leave cores idle.
const GROUP_BYTES: usize = 150_000;

/// A C++ file and the text that it stands for.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn read(dir: &Path, name: String) -> Result<Self, Error> {
        let path = dir.join(&name);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        Ok(Source { name, text })
    }
}

/// Gather generated files into files that include them, as Verilator's own makefile does when it is
/// not asked for parallel builds.
fn groups(job: &Job, speed: &str, names: Vec<String>) -> Result<Vec<Source>, Error> {
    let mut groups: Vec<Source> = Vec::new();
    let mut includes: Vec<String> = Vec::new();
    for name in names {
        let file = Source::read(&job.dir, name)?;
        let full = groups
            .last()
            .is_none_or(|group| group.text.len() + file.text.len() > GROUP_BYTES);
        if full {
            let name = format!("{}__{speed}{}.cpp", job.prefix, groups.len());
            groups.push(Source {
                name,
                text: String::new(),
            });
            includes.push(String::new());
        }
        if let (Some(group), Some(include)) = (groups.last_mut(), includes.last_mut()) {
            *include += &format!("#include \"{}\"\n", file.name);
            group.text += &file.text;
        }
    }
    for (group, include) in groups.iter().zip(&includes) {
        write(&job.dir.join(&group.name), include)?;
    }
    Ok(groups)
}

/// A C++ file to compile.
struct Unit {
    /// Working directory, which generated files include their headers from.
    dir: PathBuf,
    file: PathBuf,
    flags: Vec<String>,
    /// Where the object goes; the name tells the content it was made of.
    object: PathBuf,
    size: usize,
}

/// Compile all jobs and archive them together with Verilator's runtime.
pub fn library(context: &Context, tool: &Verilator, jobs: &[Job]) -> Result<Library, Error> {
    let compiler = Compiler::find(context)?;
    let seam = context.out_dir.join("verilated").join("seam");
    write(&seam.join("verilated_rs.h"), SEAM_HEADER)?;
    write(&seam.join("verilated_rs_hooks.h"), SEAM_HOOKS)?;
    write(&seam.join("verilated_rs.cpp"), SEAM_SOURCE)?;
    let mut units = Vec::new();
    let mut runtime = BTreeSet::new();
    for job in jobs {
        let files = Files::of(job)?;
        runtime.extend(files.runtime);
        let headers = headers(&job.dir)?;
        let mut fast = files.fast;
        fast.push(shim_file(job));
        let hot = match job.variant {
            Variant::Wave => OPT_WAVE,
            _ => OPT_FAST,
        };
        for (speed, names, opt) in [("fast", fast, hot), ("slow", files.slow, OPT_SLOW)] {
            let flags = flags(tool, &seam, opt, job.variant);
            for group in groups(job, speed, names)? {
                let mut headers = headers.clone();
                if group.text.contains(SEAM_INCLUDE) {
                    headers += SEAM_HEADER;
                }
                units.push(compiler.unit(tool, &job.dir, group, flags.clone(), &headers));
            }
        }
    }
    // The runtime is one for all, so it has to know of everything a variant may use.
    let flags = flags(tool, &seam, OPT_FAST, Variant::Wave);
    for name in runtime {
        let source = Source::read(&tool.include, format!("{name}.cpp"))?;
        units.push(compiler.unit(tool, &tool.include, source, flags.clone(), ""));
    }
    let source = Source::read(&seam, "verilated_rs.cpp".into())?;
    units.push(compiler.unit(tool, &seam, source, flags, SEAM_HEADER));

    let objects: Vec<_> = units.iter().map(|unit| unit.object.clone()).collect();
    units.retain(|unit| !unit.object.exists());
    // The largest first, so that no long one is left for the end.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.size));
    parallel(context.jobs, &units, |unit| compiler.compile(unit))?;

    let name = format!("verilated_{}", context.package);
    let path = context.out_dir.join(format!("lib{name}.a"));
    archive(&context.archiver, &path, &objects)?;
    cache::used(&compiler.cache, &objects)?;
    let standard_library = if cfg!(target_os = "macos") {
        "c++"
    } else {
        "stdc++"
    };
    Ok(Library {
        name,
        path,
        standard_library,
        count: units.len(),
    })
}

fn flags(tool: &Verilator, seam: &Path, opt: &[&str], variant: Variant) -> Vec<String> {
    let mut flags: Vec<String> = opt.iter().map(|s| s.to_string()).collect();
    flags.extend(
        [
            "-std=gnu++17",
            "-fPIC",
            // All callers are in the same library: calls need no detour through a table.
            "-fvisibility=hidden",
            "-fvisibility-inlines-hidden",
            "-pthread",
            "-w",
            "-I.",
            "-DVM_SC=0",
            "-DVM_TRACE_FST=0",
            "-include",
            "verilated_rs_hooks.h",
        ]
        .map(String::from),
    );
    let wave = u8::from(variant == Variant::Wave);
    flags.push(format!("-DVM_TRACE={wave}"));
    flags.push(format!("-DVM_TRACE_VCD={wave}"));
    flags.push(format!("-DVM_COVERAGE={}", u8::from(variant.counts())));
    flags.push(format!("-I{}", tool.include.display()));
    flags.push(format!("-I{}", tool.include.join("vltstd").display()));
    flags.push(format!("-I{}", seam.display()));
    flags
}

/// The C++ files of a model, as its `_classes.mk` lists them.
pub struct Files {
    pub fast: Vec<String>,
    pub slow: Vec<String>,
    pub runtime: Vec<String>,
}

impl Files {
    pub fn of(job: &Job) -> Result<Self, Error> {
        let path = job.output("_classes.mk");
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let list = |variables: &[&str]| -> Vec<String> {
            let mut names = Vec::new();
            let mut inside = false;
            for line in text.lines() {
                match line.split_once("+=") {
                    Some((variable, _)) => inside = variables.contains(&variable.trim()),
                    None if inside => {
                        let name = line.trim().trim_end_matches('\\').trim();
                        if name.is_empty() || name.starts_with('#') {
                            inside = false;
                        } else {
                            names.push(name.to_string());
                        }
                    }
                    None => {}
                }
            }
            names
        };
        let cpp = |names: Vec<String>| names.into_iter().map(|n| format!("{n}.cpp")).collect();
        let files = Files {
            fast: cpp(list(&["VM_CLASSES_FAST", "VM_SUPPORT_FAST"])),
            slow: cpp(list(&["VM_CLASSES_SLOW", "VM_SUPPORT_SLOW"])),
            runtime: list(&["VM_GLOBAL_FAST", "VM_GLOBAL_SLOW"]),
        };
        if files.fast.is_empty() || files.runtime.is_empty() {
            let reason = "it lists no files to compile".into();
            return Err(Error::Output { file: path, reason });
        }
        Ok(files)
    }
}

/// All headers of a directory in one text, as input of the objects' stamps.
fn headers(dir: &Path) -> Result<String, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        if path.extension() == Some(OsStr::new("h")) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut text = String::new();
    for path in paths {
        text += &fs::read_to_string(&path).map_err(Error::io(&path))?;
    }
    Ok(text)
}

struct Compiler {
    command: String,
    /// What `--version` prints, as input of the objects' stamps.
    version: String,
    cache: PathBuf,
}

impl Compiler {
    fn find(context: &Context) -> Result<Self, Error> {
        let cache = context.cache.clone();
        fs::create_dir_all(&cache).map_err(Error::io(&cache))?;
        let mut reason = String::new();
        for command in &context.compilers {
            match Command::new(command).arg("--version").output() {
                Ok(output) if output.status.success() => {
                    let version = String::from_utf8_lossy(&output.stdout).into_owned();
                    return Ok(Compiler {
                        command: command.to_string(),
                        version,
                        cache,
                    });
                }
                Ok(output) => reason = output.status.to_string(),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(Error::CompilerMissing {
            tried: context.compilers.join(", "),
            reason,
        })
    }

    fn unit(
        &self,
        tool: &Verilator,
        dir: &Path,
        source: Source,
        flags: Vec<String>,
        headers: &str,
    ) -> Unit {
        let mut stamp = Stamp::new("object");
        for part in [
            &self.command,
            &self.version,
            &tool.version,
            SEAM_HOOKS,
            headers,
        ] {
            stamp.add(part);
        }
        for flag in &flags {
            // The seam's directory differs between packages and profiles, its content does not.
            if !flag.ends_with("seam") {
                stamp.add(flag);
            }
        }
        stamp.add(&source.text);
        let stem = source.name.trim_end_matches(".cpp");
        let object = cache::object(&self.cache, stem, &stamp.finish());
        Unit {
            dir: dir.into(),
            file: source.name.into(),
            flags,
            object,
            size: source.text.len(),
        }
    }

    fn compile(&self, unit: &Unit) -> Result<(), Error> {
        // Written aside and renamed: an interrupted or a concurrent build leaves no half object.
        let aside = unit
            .object
            .with_extension(format!("{}.tmp", std::process::id()));
        let output = Command::new(&self.command)
            .current_dir(&unit.dir)
            .args(&unit.flags)
            .arg("-c")
            .arg(&unit.file)
            .arg("-o")
            .arg(&aside)
            .output()
            .map_err(Error::io(&self.command))?;
        if !output.status.success() {
            // Nothing was written, or nothing worth keeping.
            let _ = fs::remove_file(&aside);
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Compiler {
                command: self.command.clone(),
                file: unit.dir.join(&unit.file),
                messages: text.lines().take(20).collect::<Vec<_>>().join("\n"),
            });
        }
        fs::rename(&aside, &unit.object).map_err(Error::io(&unit.object))
    }
}

/// Put the objects into a static library, unless it already holds exactly these.
fn archive(archiver: &str, path: &Path, objects: &[PathBuf]) -> Result<(), Error> {
    let list: String = objects
        .iter()
        .map(|object| format!("{}\n", object.display()))
        .collect();
    let list_file = path.with_extension("objects");
    if path.exists() && fs::read_to_string(&list_file).is_ok_and(|last| last == list) {
        return Ok(());
    }
    if path.exists() {
        fs::remove_file(path).map_err(Error::io(path))?;
    }
    let output = Command::new(archiver)
        .arg("crs")
        .arg(path)
        .args(objects)
        .output()
        .map_err(Error::io(archiver))?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Compiler {
            command: archiver.into(),
            file: path.into(),
            messages,
        });
    }
    write(&list_file, &list)
}

/// Write a file unless it has this content already.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
    }
    fs::write(path, text).map_err(Error::io(path))
}
