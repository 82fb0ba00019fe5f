//! Ports: their description, and direct access to their storage inside the model.

use std::ffi::c_void;
use std::ptr::NonNull;

/// Direction of a port, seen from the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// Driven from outside.
    In,
    /// Driven by the module.
    Out,
    /// Both.
    InOut,
}

/// Description of one port of the top module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the source.
    pub name: &'static str,
    /// Direction.
    pub dir: Dir,
    /// Index of the most significant bit as declared.
    pub msb: u32,
    /// Index of the least significant bit as declared.
    pub lsb: u32,
    /// Sizes of the unpacked dimensions, outermost first; empty for an ordinary port.
    pub dims: &'static [usize],
}

impl Port {
    /// Width in bits of one element.
    pub const fn width(&self) -> usize {
        (self.msb - self.lsb + 1) as usize
    }

    /// Number of 32-bit words that hold one element.
    pub const fn words(&self) -> usize {
        self.width().div_ceil(32)
    }

    /// Number of elements: the product of the unpacked dimensions, 1 for an ordinary port.
    pub const fn elements(&self) -> usize {
        let mut n = 1;
        let mut i = 0;
        while i < self.dims.len() {
            n *= self.dims[i];
            i += 1;
        }
        n
    }

    /// The bits of the most significant word that belong to the port.
    pub(crate) const fn top_mask(&self) -> u32 {
        u32::MAX >> ((32 - self.width() % 32) % 32)
    }

    /// Bytes Verilator stores for one element: 1, 2, 4 or 8, or whole words above 64 bits.
    pub(crate) const fn stride(&self) -> usize {
        match self.width() {
            0..=8 => 1,
            9..=16 => 2,
            17..=32 => 4,
            33..=64 => 8,
            _ => 4 * self.words(),
        }
    }
}

/// The storage of a port: `T` is the unsigned integer of up to 64 bits that Verilator keeps it in, or
/// an array of words above that. Unpacked arrays are stored element after element.
pub struct Scalar<T>(NonNull<T>);

// SAFETY: the storage belongs to the instance that sits in the same generated struct, and moves to
// another thread together with it.
unsafe impl<T: Send> Send for Scalar<T> {}

impl<T: Copy> Scalar<T> {
    /// # Safety
    /// `raw` must point to a `T` (or an array of them) inside a model that outlives all accesses.
    pub unsafe fn new(raw: *mut c_void) -> Self {
        // SAFETY: the caller promises a pointer into a model, which is not null.
        Scalar(unsafe { NonNull::new_unchecked(raw.cast()) })
    }

    /// # Safety
    /// The model must be alive, and `index` less than the port's number of elements.
    #[inline(always)]
    pub unsafe fn get(&self, index: usize) -> T {
        // SAFETY: see `new` and the contract of this function.
        unsafe { self.0.add(index).read() }
    }

    /// # Safety
    /// As for [`Scalar::get`]; the model must be borrowed exclusively.
    #[inline(always)]
    pub unsafe fn set(&mut self, index: usize, value: T) {
        // SAFETY: see `new` and the contract of this function.
        unsafe { self.0.add(index).write(value) }
    }

    /// # Safety
    /// As for [`Scalar::get`]; the model must be borrowed for as long as the result lives.
    #[inline(always)]
    pub unsafe fn as_ref<'a>(&self, index: usize) -> &'a T {
        // SAFETY: see `new` and the contract of this function.
        unsafe { self.0.add(index).as_ref() }
    }

    /// # Safety
    /// As for [`Scalar::get`]; the model must be borrowed exclusively for as long as the result
    /// lives.
    #[inline(always)]
    pub unsafe fn as_mut<'a>(&mut self, index: usize) -> &'a mut T {
        // SAFETY: see `new` and the contract of this function.
        unsafe { self.0.add(index).as_mut() }
    }
}
