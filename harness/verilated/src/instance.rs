//! Ownership of a C++ model and the calls into it.

use crate::Variant;
use crate::error::{Failure, FailureKind, TraceError};
use crate::ffi::{ModelTable, RawFailure, RawInstance, StateFunction};
use crate::port::Port;
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// Instances made so far.
static INSTANCES: AtomicU64 = AtomicU64::new(0);

/// An instance of a model; generated structs hold one beside the pointers into it.
pub struct Instance {
    raw: NonNull<RawInstance>,
    table: &'static ModelTable,
    model: &'static str,
    ports: &'static [Port],
    pointers: Box<[*mut c_void]>,
    variant: Variant,
    counters: usize,
    points: &'static str,
    state: Option<StateFunction>,
    /// Tells it from all others of the process.
    number: u64,
    trace: Option<Trace>,
}

/// What an instance held when it was saved; of use for that instance only.
pub struct Snapshot {
    bytes: Box<[MaybeUninit<u8>]>,
    /// Number of the instance. An address would not do: another instance may get it later.
    instance: u64,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} bytes)", self.bytes.len())
    }
}

/// An open VCD file and the span of time that goes into it.
struct Trace {
    path: PathBuf,
    window: Option<Range<u64>>,
}

// SAFETY: a model and its Verilator context are reached through this owner only, and Verilator
// keeps no per-thread state for a context between two calls (the C++ side names the context to the
// calling thread on every entry).
unsafe impl Send for Instance {}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: `raw` came from `create` of the same table and is destroyed only here.
        unsafe { (self.table.destroy)(self.raw.as_ptr()) }
    }
}

/// What is known of a model when it is built; written by generated code.
pub struct Description {
    /// Name of the model.
    pub model: &'static str,
    /// Variant of the table.
    pub variant: Variant,
    /// Ports in the order of the C++ shim.
    pub ports: &'static [Port],
    /// Number of coverage counters.
    pub counters: usize,
    /// Coverage points, one line each, in the order of the counters.
    pub points: &'static str,
    /// Where the state is, if the model can be saved.
    pub state: Option<StateFunction>,
}

impl Instance {
    /// # Safety
    /// `table` must come from the C++ shim that was generated together with `about`.
    ///
    /// # Panics
    /// If the C++ side is out of memory.
    pub unsafe fn new(table: &'static ModelTable, about: Description) -> Self {
        // SAFETY: `create` takes nothing and answers with an instance or null.
        let raw = NonNull::new(unsafe { (table.create)() }).unwrap_or_else(|| {
            panic!("model `{}`: not enough memory for an instance", about.model)
        });
        let mut pointers = vec![std::ptr::null_mut(); about.ports.len()].into_boxed_slice();
        // SAFETY: the shim writes one pointer per port, in the order of `about.ports`.
        unsafe { (table.ports)(raw.as_ptr(), pointers.as_mut_ptr()) };
        let mut instance = Instance {
            raw,
            table,
            model: about.model,
            ports: about.ports,
            pointers,
            variant: about.variant,
            counters: about.counters,
            points: about.points,
            state: about.state,
            number: INSTANCES.fetch_add(1, Ordering::Relaxed),
            trace: None,
        };
        // Verilator clears only the counters it names.
        Handle::exclusive(&mut instance).coverage_clear();
        instance
    }

    /// Address of a port's storage.
    pub fn port(&self, index: usize) -> *mut c_void {
        self.pointers[index]
    }
}

/// A borrowed [`Instance`]: what the generated struct shows to [`Model`](crate::Model). Its methods
/// are the crate's own, so nobody else can exchange the instance below a struct of port pointers.
pub struct Handle<T>(T);

impl<'a> Handle<&'a Instance> {
    /// Borrow for reading.
    pub fn shared(instance: &'a Instance) -> Self {
        Handle(instance)
    }

    pub(crate) fn variant(&self) -> Variant {
        self.0.variant
    }

    pub(crate) fn points(&self) -> &'static str {
        self.0.points
    }

    pub(crate) fn time(&self) -> u64 {
        // SAFETY: the instance is alive.
        unsafe { (self.0.table.get_time)(self.0.raw.as_ptr()) }
    }

    pub(crate) fn finished(&self) -> bool {
        // SAFETY: the instance is alive.
        unsafe { (self.0.table.finished)(self.0.raw.as_ptr()) != 0 }
    }

    pub(crate) fn coverage(&self) -> &'a [u32] {
        if self.0.counters == 0 {
            return &[];
        }
        // SAFETY: the shim checks that the model holds this many 32-bit counters; nothing changes
        // them while the instance is borrowed.
        unsafe {
            let first = (self.0.table.coverage)(self.0.raw.as_ptr());
            std::slice::from_raw_parts(first, self.0.counters)
        }
    }

    pub(crate) fn words(&self, port: usize, element: usize) -> &'a [u32] {
        let (about, from) = self.0.wide(port, element);
        // SAFETY: `wide` checked the bounds, and that the port is stored in words; nothing changes
        // them while the instance is borrowed.
        unsafe { std::slice::from_raw_parts(from, about.words()) }
    }

    pub(crate) fn save(&self) -> Option<Snapshot> {
        let (begin, bytes) = self.0.state()?;
        // SAFETY: the state is that many bytes of the living instance, which nothing changes while
        // it is borrowed; padding among them may be uninitialised, as the type says.
        let state = unsafe { std::slice::from_raw_parts(begin, bytes) };
        Some(Snapshot {
            bytes: state.into(),
            instance: self.0.number,
        })
    }

    pub(crate) fn peek(&self, port: usize, element: usize, out: &mut [u32]) {
        let (about, from) = self.0.element(port, element);
        assert_eq!(
            out.len(),
            about.words(),
            "port `{}` has another number of words",
            about.name
        );
        // SAFETY: `element` checked the bounds; Verilator stores little-endian words in host order,
        // and a scalar is the integer type of its stride.
        unsafe {
            match about.stride() {
                1 => out[0] = u32::from(from.read()),
                2 => out[0] = u32::from(from.cast::<u16>().read()),
                8 => {
                    let value = from.cast::<u64>().read();
                    out[0] = value as u32;
                    out[1] = (value >> 32) as u32;
                }
                _ => out.copy_from_slice(std::slice::from_raw_parts(from.cast::<u32>(), out.len())),
            }
        }
    }
}

impl Instance {
    /// The bytes that hold the state, if the model was built to be saved.
    fn state(&self) -> Option<(*mut MaybeUninit<u8>, usize)> {
        let (mut begin, mut bytes) = (std::ptr::null_mut(), 0);
        // SAFETY: the instance is alive, and the function writes a pointer into it and a size.
        unsafe { (self.state?)(self.raw.as_ptr(), &mut begin, &mut bytes) };
        Some((begin.cast(), bytes))
    }

    fn element(&self, port: usize, element: usize) -> (&'static Port, *mut u8) {
        let about = &self.ports[port];
        assert!(
            element < about.elements(),
            "port `{}` has {} elements, not {}",
            about.name,
            about.elements(),
            element + 1
        );
        // SAFETY: the element is within the port's storage.
        (about, unsafe {
            self.pointers[port]
                .cast::<u8>()
                .add(element * about.stride())
        })
    }
}

impl Instance {
    fn wide(&self, port: usize, element: usize) -> (&'static Port, *mut u32) {
        let (about, at) = self.element(port, element);
        assert!(
            about.width() > 64,
            "port `{}` has {} bits; words are for ports of more than 64",
            about.name,
            about.width()
        );
        (about, at.cast())
    }
}

/// Clears the bits above a port's width when it goes, even if the change of the port panicked.
struct Mask<'a>(&'a mut [u32], u32);

impl Drop for Mask<'_> {
    fn drop(&mut self) {
        if let Some(last) = self.0.last_mut() {
            *last &= self.1;
        }
    }
}

impl<'a> Handle<&'a mut Instance> {
    /// Borrow for everything.
    pub fn exclusive(instance: &'a mut Instance) -> Self {
        Handle(instance)
    }

    #[inline(always)]
    pub(crate) fn eval(self) -> Result<(), Box<Failure>> {
        // SAFETY: the instance is alive and borrowed exclusively.
        if unsafe { (self.0.table.eval)(self.0.raw.as_ptr()) } == 0 {
            return Ok(());
        }
        Err(self.failure())
    }

    /// A whole clock cycle in one evaluation; `None` if the model needs two.
    #[inline(always)]
    pub(crate) fn cycle(self) -> Option<Result<(), Box<Failure>>> {
        let cycle = self.0.table.cycle?;
        // SAFETY: as for `eval`.
        if unsafe { cycle(self.0.raw.as_ptr()) } == 0 {
            return Some(Ok(()));
        }
        Some(Err(self.failure()))
    }

    pub(crate) fn finish(self) -> Result<(), Box<Failure>> {
        // SAFETY: as for `eval`.
        if unsafe { (self.0.table.finish)(self.0.raw.as_ptr()) } == 0 {
            return Ok(());
        }
        Err(self.failure())
    }

    #[cold]
    fn failure(self) -> Box<Failure> {
        let mut raw = RawFailure {
            kind: 0,
            line: 0,
            time: 0,
            file: std::ptr::null(),
            text: std::ptr::null(),
        };
        // SAFETY: `raw` is ours to fill; the strings it points to then live until the next call.
        let (file, text) = unsafe {
            (self.0.table.take_failure)(self.0.raw.as_ptr(), &mut raw);
            (string(raw.file), string(raw.text))
        };
        let kind = match raw.kind {
            0 => FailureKind::Assertion,
            1 => FailureKind::Stop,
            _ => FailureKind::Runtime,
        };
        Box::new(Failure::parse(kind, file, raw.line, raw.time, &text))
    }

    pub(crate) fn set_time(self, time: u64) {
        // SAFETY: the instance is alive and borrowed exclusively.
        unsafe { (self.0.table.set_time)(self.0.raw.as_ptr(), time) }
    }

    pub(crate) fn restore(self, snapshot: &Snapshot) {
        let state = self.0.state();
        let Some((begin, bytes)) = state.filter(|_| snapshot.instance == self.0.number) else {
            panic!("model `{}`: a snapshot of another instance", self.0.model);
        };
        assert_eq!(bytes, snapshot.bytes.len(), "size of a snapshot");
        // SAFETY: both are that many bytes, and the instance is borrowed exclusively. What is
        // written is what this very object held before; the build has seen that no member owns
        // memory elsewhere, so every pointer among the bytes still leads where it led then.
        unsafe { std::ptr::copy_nonoverlapping(snapshot.bytes.as_ptr(), begin, bytes) };
    }

    pub(crate) fn coverage_clear(self) {
        if self.0.counters != 0 {
            // SAFETY: as for `coverage`, with the instance borrowed exclusively.
            unsafe {
                let first = (self.0.table.coverage)(self.0.raw.as_ptr());
                std::slice::from_raw_parts_mut(first, self.0.counters).fill(0);
            }
        }
    }

    pub(crate) fn update_words<R>(
        self,
        port: usize,
        element: usize,
        change: impl FnOnce(&mut [u32]) -> R,
    ) -> R {
        let (about, at) = self.0.wide(port, element);
        // SAFETY: as for `words`, with the instance borrowed exclusively.
        let words = unsafe { std::slice::from_raw_parts_mut(at, about.words()) };
        let mask = Mask(words, about.top_mask());
        change(&mut *mask.0)
    }

    pub(crate) fn poke(self, port: usize, element: usize, value: &[u32]) {
        let (about, to) = self.0.element(port, element);
        assert_eq!(
            value.len(),
            about.words(),
            "port `{}` has another number of words",
            about.name
        );
        let top = value[value.len() - 1] & about.top_mask();
        // SAFETY: as for `peek`, with the instance borrowed exclusively; the upper bits are masked.
        unsafe {
            match about.stride() {
                1 => to.write(top as u8),
                2 => to.cast::<u16>().write(top as u16),
                8 => to
                    .cast::<u64>()
                    .write(u64::from(value[0]) | u64::from(top) << 32),
                _ => {
                    let words = std::slice::from_raw_parts_mut(to.cast::<u32>(), value.len());
                    words.copy_from_slice(value);
                    words[value.len() - 1] = top;
                }
            }
        }
    }

    pub(crate) fn trace_open(
        self,
        path: &Path,
        window: Option<Range<u64>>,
    ) -> Result<(), TraceError> {
        let Some(open) = self.0.table.trace_open else {
            return Err(TraceError::NotBuilt {
                model: self.0.model,
                variant: self.0.variant,
            });
        };
        let file = |reason: &str| TraceError::File {
            path: path.into(),
            reason: reason.into(),
        };
        let c_path = path
            .to_str()
            .and_then(|p| CString::new(p).ok())
            .ok_or_else(|| file("the name is not plain UTF-8"))?;
        // SAFETY: the instance is alive and borrowed exclusively; the path is a C string.
        if unsafe { open(self.0.raw.as_ptr(), c_path.as_ptr()) } != 0 {
            return Err(file(&self.0.trace_text()));
        }
        self.0.trace = Some(Trace {
            path: path.into(),
            window,
        });
        Ok(())
    }

    #[inline]
    pub(crate) fn trace_dump(self, time: u64) -> Result<(), TraceError> {
        match &self.0.trace {
            None => Ok(()),
            Some(Trace {
                window: Some(window),
                ..
            }) if !window.contains(&time) => Ok(()),
            Some(_) => self.0.trace_write(time),
        }
    }

    pub(crate) fn trace_close(self) -> Result<(), TraceError> {
        let Some(trace) = self.0.trace.take() else {
            return Ok(());
        };
        // SAFETY: the instance is alive and borrowed exclusively.
        match self
            .0
            .table
            .trace_close
            .map(|close| unsafe { close(self.0.raw.as_ptr()) })
        {
            None | Some(0) => Ok(()),
            Some(_) => Err(TraceError::File {
                path: trace.path,
                reason: self.0.trace_text(),
            }),
        }
    }
}

impl Instance {
    fn trace_write(&mut self, time: u64) -> Result<(), TraceError> {
        // SAFETY: the instance is alive and borrowed exclusively, and a file is open.
        match self
            .table
            .trace_dump
            .map(|dump| unsafe { dump(self.raw.as_ptr(), time) })
        {
            None | Some(0) => Ok(()),
            Some(_) => {
                let path = self
                    .trace
                    .as_ref()
                    .map(|t| t.path.clone())
                    .unwrap_or_default();
                Err(TraceError::File {
                    path,
                    reason: self.trace_text(),
                })
            }
        }
    }

    fn trace_text(&self) -> String {
        // SAFETY: the C++ side answers with a string that lives until the next trace call.
        unsafe { string((self.table.trace_error)(self.raw.as_ptr())) }
    }
}

/// # Safety
/// `text` must be null or a C string.
unsafe fn string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller promises a C string.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
