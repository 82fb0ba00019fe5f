//! Verilator 5 for Rust: hardware modules as Rust structs.
//!
//! The crate has two sides. [`build`] runs in a `build.rs`: it lets Verilator translate a module,
//! compiles the result, links it statically and writes a Rust struct with one accessor per port.
//! The rest of the crate runs in the simulation: [`Model`] evaluates, records waves and coverage
//! and turns a failing assertion into an [`Err`], and [`Clocked`] drives a clock.
//!
//! ```no_run
//! // build.rs
//! use verilated::build::{Error, Model, Variant};
//!
//! fn main() -> Result<(), Error> {
//!     Model::new("counter")
//!         .source("rtl/counter.sv")
//!         .param("Width", 12)
//!         .clock("clk_i")
//!         .variants([Variant::Fast, Variant::Wave])
//!         .build()?;
//!     Ok(())
//! }
//! ```
//!
//! ```ignore
//! // src/lib.rs, src/main.rs or a test
//! verilated::model!(counter); // brings in `struct Counter`
//! use verilated::{Clocked, Model, Variant};
//!
//! let mut counter = Counter::with_variant(Variant::Wave)?;
//! counter.trace_open("counter.vcd")?;
//! counter.set_rst_ni(0);
//! counter.cycle()?;
//! counter.set_rst_ni(1);
//! counter.set_enable_i(1);
//! for _ in 0..10 {
//!     counter.cycle()?; // a failing assertion of the RTL ends up here
//! }
//! assert_eq!(counter.count_o(), 10);
//! counter.trace_close()?;
//! ```
//!
//! The package in `example/` does this with a module that has ports of all kinds.
//!
//! # Choices a user should know
//!
//! * **Power-on state is all zeros.** Models are built with `--x-assign 0 --x-initial 0`: every
//!   instance starts equal, on every machine, at no cost in the inner loop.
//! * **Assertions are on in every variant** (`--assert`). `$error`, `$fatal`, `$stop` and failing
//!   assertions make [`Model::eval`] return a [`Failure`]; nothing aborts the process.
//! * **Instances are independent.** Each has its own Verilator context, so many can live in one
//!   process, and each may move to another thread ([`Send`], not [`Sync`]).
//! * **Port writes are masked** to the width of the port: Verilator's generated code indexes memory
//!   with ports and relies on their unused upper bits being zero.

pub mod build;
mod coverage;
mod error;
#[doc(hidden)]
pub mod ffi;
mod instance;
mod model;
mod port;

pub use coverage::CoverPoint;
pub use error::{Failure, FailureKind, TraceError, VariantError};
pub use instance::Snapshot;
#[doc(hidden)]
pub use instance::{Description, Handle, Instance};
pub use model::{Clocked, Model};
#[doc(hidden)]
pub use port::Scalar;
pub use port::{Dir, Port};

use std::fmt;

/// What a model is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Nothing but simulation.
    Fast,
    /// With counters of line and cover-statement coverage.
    Cov,
    /// As [`Variant::Cov`], and with counters of every bit that changes: several times as large and as
    /// slow to compile; `--coverage-max-width` as a [`variant_arg`](build::Model::variant_arg) leaves out
    /// what is wider.
    Toggle,
    /// Able to record waves.
    Wave,
}

impl Variant {
    /// The name used in files and symbols: `fast`, `cov`, `toggle` or `wave`.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Fast => "fast",
            Variant::Cov => "cov",
            Variant::Toggle => "toggle",
            Variant::Wave => "wave",
        }
    }

    /// Whether a model of it has coverage counters.
    pub fn counts(self) -> bool {
        matches!(self, Variant::Cov | Variant::Toggle)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bring in the struct that `build.rs` generated for the model of this name.
#[macro_export]
macro_rules! model {
    ($name:ident) => {
        include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
    };
}
