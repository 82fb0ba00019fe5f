//! The build side: RTL in, static library and Rust struct out. For use in a `build.rs`.
//!
//! Put the crate under `[build-dependencies]` (this side) and `[dependencies]` (the run side), then
//! describe the models:
//!
//! ```no_run
//! use verilated::build::{self, Error, Model, Variant};
//!
//! fn main() -> Result<(), Error> {
//!     let fifo = Model::new("fifo").sources(["rtl/pkg.sv", "rtl/fifo.sv"]).clock("clk_i");
//!     build::build_all(&[
//!         fifo.clone().variants([Variant::Fast, Variant::Cov, Variant::Wave]),
//!         fifo.renamed("wide_fifo").top("fifo").param("Width", 512),
//!     ])?;
//!     Ok(())
//! }
//! ```
//!
//! Call [`build_all`] once per build script: the library it makes holds Verilator's runtime.
//!
//! # What is rebuilt when
//!
//! Verilator runs again for a model if its sources (as Verilator itself reported them), its options
//! or the Verilator binary changed. Compiled objects are kept by content in
//! `<target>/verilated-cache`, so that debug and release builds share them, and going back to an
//! earlier state of the sources compiles nothing. The last few versions of each object are kept.
//!
//! # Environment
//!
//! | variable | meaning |
//! |---|---|
//! | `VERILATOR` | the Verilator binary; `verilator` on the `PATH` if unset |
//! | `CXX`, `AR` | C++ compiler and archiver; `c++`/`g++`/`clang++` and `ar` if unset |
//! | `VERILATED_CACHE` | where to keep compiled objects |

mod cache;
mod compile;
mod coverage;
mod edge;
mod error;
mod generate;
mod header;
mod snapshot;
mod stamp;
#[cfg(test)]
mod tests;
mod verilator;

pub use crate::Variant;
pub use error::Error;

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Description of a model to build.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    top: Option<String>,
    clock: Option<String>,
    sources: Vec<PathBuf>,
    file_lists: Vec<PathBuf>,
    include_dirs: Vec<PathBuf>,
    params: Vec<(String, String)>,
    defines: Vec<(String, Option<String>)>,
    variants: Vec<Variant>,
    threads: u32,
    snapshots: bool,
    args: Vec<String>,
    variant_args: Vec<(Variant, String)>,
}

impl Model {
    /// A model of this name: a Rust identifier in snake case. The generated struct is the name in
    /// camel case, the generated file `<name>.rs`, and the top module has this name unless
    /// [`Model::top`] says otherwise.
    pub fn new(name: impl Into<String>) -> Self {
        Model {
            name: name.into(),
            top: None,
            clock: None,
            sources: Vec::new(),
            file_lists: Vec::new(),
            include_dirs: Vec::new(),
            params: Vec::new(),
            defines: Vec::new(),
            variants: vec![Variant::Fast],
            threads: 1,
            snapshots: false,
            args: Vec::new(),
            variant_args: Vec::new(),
        }
    }

    /// The same description under another name.
    pub fn renamed(&self, name: impl Into<String>) -> Self {
        Model {
            name: name.into(),
            ..self.clone()
        }
    }

    /// The top module.
    pub fn top(mut self, module: impl Into<String>) -> Self {
        self.top = Some(module.into());
        self
    }

    /// The one-bit input that is the clock; makes the struct [`Clocked`](crate::Clocked).
    pub fn clock(mut self, port: impl Into<String>) -> Self {
        self.clock = Some(port.into());
        self
    }

    /// Add a source file. Packages come before the modules that import them. Relative paths are
    /// relative to the package's directory; failures and coverage name the file as given here.
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(path.into());
        self
    }

    /// Add several source files.
    pub fn sources<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.sources.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Add the sources that a file list (`.f`) names, one path a line, relative to the list. It may
    /// hold other arguments of Verilator too. Its sources come before those of [`Model::source`].
    pub fn file_list(mut self, path: impl Into<PathBuf>) -> Self {
        self.file_lists.push(path.into());
        self
    }

    /// Add a directory to search for modules and include files.
    pub fn include_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.include_dirs.push(path.into());
        self
    }

    /// Set a parameter of the top module. A string parameter needs its Verilog quotes:
    /// `.param("Name", "\"abc\"")`.
    pub fn param(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.params.push((name.into(), value.to_string()));
        self
    }

    /// Define a preprocessor macro with a value.
    pub fn define(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.defines.push((name.into(), Some(value.to_string())));
        self
    }

    /// Define a preprocessor macro without a value.
    pub fn define_flag(mut self, name: impl Into<String>) -> Self {
        self.defines.push((name.into(), None));
        self
    }

    /// Build one variant only; [`Variant::Fast`] is the default.
    pub fn variant(self, variant: Variant) -> Self {
        self.variants([variant])
    }

    /// Build these variants; the first is what `new` makes.
    pub fn variants(mut self, variants: impl IntoIterator<Item = Variant>) -> Self {
        self.variants.clear();
        for variant in variants {
            if !self.variants.contains(&variant) {
                self.variants.push(variant);
            }
        }
        self
    }

    /// Let an evaluation use this many threads. 1 is the default and best for small designs.
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Let instances be saved and put back; see [`Model::save`](crate::Model::save).
    pub fn snapshots(mut self) -> Self {
        self.snapshots = true;
        self
    }

    /// Pass an argument to Verilator as it is, for example `-Wno-UNUSED` or `--trace-structs`.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Pass an argument to Verilator for one variant only.
    pub fn variant_arg(mut self, variant: Variant, arg: impl Into<String>) -> Self {
        self.variant_args.push((variant, arg.into()));
        self
    }

    /// What Verilator is told of one variant.
    fn of(&self, variant: Variant) -> Self {
        let own = self.variant_args.iter().filter(|(of, _)| *of == variant);
        own.fold(self.clone(), |model, (_, arg)| model.arg(arg))
    }

    /// Build this model alone.
    ///
    /// # Errors
    /// As [`build_all`].
    pub fn build(&self) -> Result<Artifacts, Error> {
        build_all(std::slice::from_ref(self))
    }

    fn top_module(&self) -> &str {
        self.top.as_deref().unwrap_or(&self.name)
    }

    fn check(&self) -> Result<(), Error> {
        let bad = |reason: &str| {
            Err(Error::Description {
                model: self.name.clone(),
                reason: reason.to_string(),
            })
        };
        let mut chars = self.name.chars();
        let starts_well = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if !starts_well || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            return bad("the name must be a Rust identifier in snake case, such as `fifo_8`");
        }
        if self.variants.is_empty() {
            return bad("at least one variant is needed");
        }
        if self.sources.is_empty() && self.file_lists.is_empty() {
            return bad("no source given; call `.source(..)` or `.file_list(..)`");
        }
        Ok(())
    }
}

/// What a build made.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// The static library.
    pub library: PathBuf,
    /// The generated Rust files, one per model.
    pub rust: Vec<PathBuf>,
    /// How many models and variants Verilator had to translate; 0 if all were up to date.
    pub verilated: usize,
    /// How many C++ files had to be compiled; 0 if all were up to date.
    pub compiled: usize,
}

/// Where and how to build; from the environment that Cargo gives a build script.
struct Context {
    /// Directory of the package; relative paths start here.
    package_dir: PathBuf,
    out_dir: PathBuf,
    /// Name of the package as part of a symbol.
    package: String,
    jobs: usize,
    verilator: PathBuf,
    /// C++ compilers to try.
    compilers: Vec<String>,
    archiver: String,
    /// Where objects are kept.
    cache: PathBuf,
}

impl Context {
    fn from_cargo() -> Result<Self, Error> {
        let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| var(name).map(|value| value.to_string_lossy().into_owned());
        let missing = |variable| Error::NotInBuildScript { variable };
        let package = text("CARGO_PKG_NAME").ok_or(missing("CARGO_PKG_NAME"))?;
        let package_dir =
            PathBuf::from(var("CARGO_MANIFEST_DIR").ok_or(missing("CARGO_MANIFEST_DIR"))?);
        let out_dir = PathBuf::from(var("OUT_DIR").ok_or(missing("OUT_DIR"))?);
        let cache = match var("VERILATED_CACHE") {
            Some(dir) => package_dir.join(dir),
            None => default_cache(&out_dir),
        };
        Ok(Context {
            package_dir,
            out_dir,
            package: package.replace(|c: char| !c.is_ascii_alphanumeric(), "_"),
            jobs: text("NUM_JOBS").and_then(|n| n.parse().ok()).unwrap_or(1),
            verilator: var("VERILATOR").map_or_else(|| "verilator".into(), PathBuf::from),
            compilers: match text("CXX") {
                Some(command) => vec![command],
                None => ["c++", "g++", "clang++"].map(String::from).to_vec(),
            },
            archiver: text("AR").unwrap_or_else(|| "ar".into()),
            cache,
        })
    }
}

/// Objects are kept beside the profiles in Cargo's target directory, of which `below` is a part: what
/// carries Cargo's tag file, or, where the directory was there before Cargo and so has none, what
/// holds the profile's `build` or `deps`; in `below` itself if there is neither.
fn default_cache(below: &Path) -> PathBuf {
    let tagged = below
        .ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").is_file());
    let of_profile = || {
        let part = below
            .ancestors()
            .find(|dir| dir.ends_with("build") || dir.ends_with("deps"))?;
        part.parent()?.parent()
    };
    tagged
        .or_else(of_profile)
        .unwrap_or(below)
        .join("verilated-cache")
}

/// Build several models into one static library, tell Cargo to link it, and write `<name>.rs` for
/// each into `OUT_DIR`.
///
/// # Errors
/// A readable sentence (both `Display` and `Debug`, so that `main` may return it) if Verilator is
/// missing or too old, rejects the RTL, or a generated file does not compile.
pub fn build_all(models: &[Model]) -> Result<Artifacts, Error> {
    build_in(&Context::from_cargo()?, models)
}

fn build_in(context: &Context, models: &[Model]) -> Result<Artifacts, Error> {
    for variable in ["VERILATOR", "CXX", "AR", "VERILATED_CACHE"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    for (i, model) in models.iter().enumerate() {
        model.check()?;
        for source in model.sources.iter().chain(&model.file_lists) {
            println!("cargo:rerun-if-changed={}", source.display());
        }
        if models[..i].iter().any(|m| m.name == model.name) {
            return Err(Error::Description {
                model: model.name.clone(),
                reason: "two models have this name; use `.renamed(..)`".to_string(),
            });
        }
    }
    let tool = verilator::Verilator::find(&context.verilator)?;
    let mut translations = Vec::new();
    for model in models {
        for &variant in &model.variants {
            translations.push(verilator::Job::new(context, &model.of(variant), variant));
        }
    }
    let verilated = verilator::run_all(context, &tool, &translations)?;
    let mut rust = Vec::new();
    let mut jobs = translations.iter();
    for model in models {
        let outputs = jobs.by_ref().take(model.variants.len()).collect::<Vec<_>>();
        rust.push(generate::model(context, model, &outputs)?);
    }
    let compiled = compile::library(context, &tool, &translations)?;
    for job in &translations {
        for file in job.dependencies()? {
            println!("cargo:rerun-if-changed={}", file.display());
        }
    }
    println!(
        "cargo:rustc-link-search=native={}",
        context.out_dir.display()
    );
    println!("cargo:rustc-link-lib=static={}", compiled.name);
    println!("cargo:rustc-link-lib={}", compiled.standard_library);
    Ok(Artifacts {
        library: compiled.path,
        rust,
        verilated,
        compiled: compiled.count,
    })
}
