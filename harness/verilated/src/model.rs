//! What every model can do.

use crate::Variant;
use crate::coverage::{self, CoverPoint};
use crate::error::{Failure, TraceError, VariantError};
use crate::instance::{Handle, Instance, Snapshot};
use crate::port::Port;
use std::ops::Range;
use std::path::Path;

/// A Verilated model. Implemented by the structs that the build side generates.
///
/// Dropping a model and making a new one is the way back to power-on; it costs about as much as
/// clearing the module's memories.
pub trait Model: Send + Sized {
    /// The name given to [`build::Model::new`](crate::build::Model::new).
    const NAME: &'static str;
    /// The ports of the top module.
    const PORTS: &'static [Port];
    /// The variants this model was built in.
    const VARIANTS: &'static [Variant];

    /// An instance of the given variant, at power-on, with all inputs zero and time 0.
    ///
    /// # Errors
    /// If the build script did not list the variant.
    fn with_variant(variant: Variant) -> Result<Self, VariantError>;

    #[doc(hidden)]
    fn shared(&self) -> Handle<&Instance>;
    #[doc(hidden)]
    fn exclusive(&mut self) -> Handle<&mut Instance>;

    /// An instance of the first variant of [`Model::VARIANTS`].
    fn new() -> Self {
        Self::with_variant(Self::VARIANTS[0]).expect("the first variant listed exists")
    }

    /// The variant of this instance.
    fn variant(&self) -> Variant {
        self.shared().variant()
    }

    /// Let the model react to its inputs.
    ///
    /// # Errors
    /// The first failure the RTL reported (failing assertion, `$error`, `$fatal`, `$stop`), or
    /// that of Verilator's runtime. Except after [`FailureKind::Runtime`](crate::FailureKind) the
    /// evaluation was completed and the model can go on.
    #[inline(always)]
    fn eval(&mut self) -> Result<(), Box<Failure>> {
        self.exclusive().eval()
    }

    /// Run the `final` blocks.
    ///
    /// # Errors
    /// As [`Model::eval`].
    fn finish(&mut self) -> Result<(), Box<Failure>> {
        self.exclusive().finish()
    }

    /// Whether the RTL called `$finish`.
    fn finished(&self) -> bool {
        self.shared().finished()
    }

    /// Simulation time, in units of the top's time precision; what `$time` sees.
    fn time(&self) -> u64 {
        self.shared().time()
    }

    /// Set the simulation time.
    fn set_time(&mut self, time: u64) {
        self.exclusive().set_time(time);
    }

    /// Read an element of a port into `out`, least significant word first. `port` is an index into
    /// [`Model::PORTS`]; `element` is 0 unless the port is an unpacked array.
    ///
    /// # Panics
    /// If the indices are out of range or `out` has another length than [`Port::words`].
    fn peek(&self, port: usize, element: usize, out: &mut [u32]) {
        self.shared().peek(port, element, out);
    }

    /// Write an element of a port; bits above its width are ignored. Indices as [`Model::peek`].
    ///
    /// # Panics
    /// If the indices are out of range or `value` has another length than [`Port::words`].
    fn poke(&mut self, port: usize, element: usize, value: &[u32]) {
        self.exclusive().poke(port, element, value);
    }

    /// The words of an element of a port of more than 64 bits, least significant first; for code
    /// that is generic over the widths of a module. Indices as [`Model::peek`].
    ///
    /// # Panics
    /// If the indices are out of range or the port is narrower.
    fn words(&self, port: usize, element: usize) -> &[u32] {
        self.shared().words(port, element)
    }

    /// Change the words of an element of a port of more than 64 bits in place; bits above its width
    /// are cleared afterwards. Indices as [`Model::peek`].
    ///
    /// # Panics
    /// If the indices are out of range or the port is narrower.
    fn update_words<R>(
        &mut self,
        port: usize,
        element: usize,
        change: impl FnOnce(&mut [u32]) -> R,
    ) -> R {
        self.exclusive().update_words(port, element, change)
    }

    /// What registers, memories and ports hold, for [`Model::restore`]; `None` unless the model was
    /// built with [`build::Model::snapshots`](crate::build::Model::snapshots). It has to have been
    /// evaluated before. Time, coverage counters and waves are no part of it.
    fn save(&self) -> Option<Snapshot> {
        self.shared().save()
    }

    /// Put back what this instance held when it was saved. It costs a copy of as many bytes as the
    /// module's memories and registers have.
    ///
    /// # Panics
    /// If another instance was saved.
    fn restore(&mut self, snapshot: &Snapshot) {
        self.exclusive().restore(snapshot);
    }

    /// Start to record waves in a new VCD file, closing the one before.
    ///
    /// # Errors
    /// If the variant has no waves or the file cannot be created.
    fn trace_open(&mut self, path: impl AsRef<Path>) -> Result<(), TraceError> {
        self.exclusive().trace_open(path.as_ref(), None)
    }

    /// As [`Model::trace_open`], but only dumps whose time lies in `window` are written. Outside
    /// of it a dump costs a comparison.
    ///
    /// # Errors
    /// As [`Model::trace_open`].
    fn trace_open_window(
        &mut self,
        path: impl AsRef<Path>,
        window: Range<u64>,
    ) -> Result<(), TraceError> {
        self.exclusive().trace_open(path.as_ref(), Some(window))
    }

    /// Record the signals as they are, at the current time. Does nothing if no file is open.
    ///
    /// # Errors
    /// If writing fails.
    #[inline]
    fn trace_dump(&mut self) -> Result<(), TraceError> {
        let time = self.time();
        self.exclusive().trace_dump(time)
    }

    /// Finish the VCD file. Does nothing if no file is open. A model that is dropped closes its
    /// file too, but cannot report an error.
    ///
    /// # Errors
    /// If anything since the opening could not be written.
    fn trace_close(&mut self) -> Result<(), TraceError> {
        self.exclusive().trace_close()
    }

    /// The coverage counters; empty unless the variant [counts](Variant::counts). They wrap at 2^32.
    fn coverage(&self) -> &[u32] {
        self.shared().coverage()
    }

    /// Set the coverage counters to zero.
    fn coverage_clear(&mut self) {
        self.exclusive().coverage_clear();
    }

    /// What each counter of [`Model::coverage`] counts, in the same order. Verilator leaves some
    /// open: 5.006 does not say it for most points in packages.
    fn cover_points(&self) -> Vec<Option<CoverPoint>> {
        coverage::points(self.shared().points())
    }

    /// The coverage as lcov text: one record per source file, the count of a line being the
    /// largest of its points, summed over instances of the module.
    fn lcov(&self) -> String {
        coverage::lcov(&self.cover_points(), self.coverage())
    }
}

/// A model whose clock was named with [`build::Model::clock`](crate::build::Model::clock).
///
/// A cycle has a low and a high half of one time unit each: cycle `n` is low at time `2n` and has
/// its rising edge at `2n + 1`. Inputs set before a cycle therefore change at the falling edge in
/// the waves, and registers at the rising one.
pub trait Clocked: Model {
    #[doc(hidden)]
    fn set_clock(&mut self, level: bool);

    /// Number of whole cycles run.
    fn cycles(&self) -> u64 {
        self.time() / 2
    }

    /// First half of a cycle: inputs take effect and combinational outputs settle.
    ///
    /// # Errors
    /// A failure of the model; see [`Model::eval`].
    #[inline(always)]
    fn low(&mut self) -> Result<(), Box<Failure>> {
        self.half(false)
    }

    /// Second half of a cycle: registers take their new values.
    ///
    /// # Errors
    /// A failure of the model; see [`Model::eval`].
    #[inline(always)]
    fn high(&mut self) -> Result<(), Box<Failure>> {
        self.half(true)
    }

    /// A whole cycle: what [`Clocked::low`] and then [`Clocked::high`] do. Inputs set before it are
    /// seen by its edge; afterwards registers have their new values, and outputs that depend on inputs
    /// follow from both. To see such outputs *before* the edge, look between the two halves.
    ///
    /// Of a model in which nothing but the rising edge of the clock is an event, and which has no
    /// waves, it is one evaluation instead of two.
    ///
    /// # Errors
    /// A failure of the model; see [`Model::eval`].
    #[inline(always)]
    fn cycle(&mut self) -> Result<(), Box<Failure>> {
        if let Some(result) = self.exclusive().cycle() {
            return result;
        }
        self.low()?;
        self.high()
    }

    #[doc(hidden)]
    #[inline(always)]
    fn half(&mut self, level: bool) -> Result<(), Box<Failure>> {
        self.set_clock(level);
        let result = self.eval();
        // A VCD error is kept by the trace and reported when the file is closed.
        let _ = self.trace_dump();
        self.set_time(self.time() + 1);
        result
    }

    /// Record waves of the cycles in `window` only; see [`Model::trace_open_window`].
    ///
    /// # Errors
    /// As [`Model::trace_open`].
    fn trace_open_cycles(
        &mut self,
        path: impl AsRef<Path>,
        window: Range<u64>,
    ) -> Result<(), TraceError> {
        self.trace_open_window(
            path,
            window.start.saturating_mul(2)..window.end.saturating_mul(2),
        )
    }
}
