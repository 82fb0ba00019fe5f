//! The C side of a model, as declared in `cpp/verilated_rs.h`. Used by generated code only.

use std::ffi::{c_char, c_void};

/// An instance of some model, owned by the C++ side.
#[repr(C)]
pub struct RawInstance {
    _opaque: [u8; 0],
}

/// A recorded failure; the strings live until the next one is taken.
#[repr(C)]
pub struct RawFailure {
    pub(crate) kind: u32,
    pub(crate) line: u32,
    pub(crate) time: u64,
    pub(crate) file: *const c_char,
    pub(crate) text: *const c_char,
}

/// Tells where the state of an instance begins and how many bytes it has.
pub type StateFunction = unsafe extern "C" fn(*mut RawInstance, *mut *mut c_void, *mut usize);

/// The functions of one variant of one model.
#[repr(C)]
pub struct ModelTable {
    pub(crate) create: unsafe extern "C" fn() -> *mut RawInstance,
    pub(crate) destroy: unsafe extern "C" fn(*mut RawInstance),
    pub(crate) eval: unsafe extern "C" fn(*mut RawInstance) -> u32,
    pub(crate) cycle: Option<unsafe extern "C" fn(*mut RawInstance) -> u32>,
    pub(crate) finish: unsafe extern "C" fn(*mut RawInstance) -> u32,
    pub(crate) ports: unsafe extern "C" fn(*mut RawInstance, *mut *mut c_void),
    pub(crate) coverage: unsafe extern "C" fn(*mut RawInstance) -> *mut u32,
    pub(crate) get_time: unsafe extern "C" fn(*const RawInstance) -> u64,
    pub(crate) set_time: unsafe extern "C" fn(*mut RawInstance, u64),
    pub(crate) finished: unsafe extern "C" fn(*const RawInstance) -> u32,
    pub(crate) take_failure: unsafe extern "C" fn(*mut RawInstance, *mut RawFailure) -> u32,
    pub(crate) trace_open: Option<unsafe extern "C" fn(*mut RawInstance, *const c_char) -> u32>,
    pub(crate) trace_dump: Option<unsafe extern "C" fn(*mut RawInstance, u64) -> u32>,
    pub(crate) trace_close: Option<unsafe extern "C" fn(*mut RawInstance) -> u32>,
    pub(crate) trace_error: unsafe extern "C" fn(*const RawInstance) -> *const c_char,
}
