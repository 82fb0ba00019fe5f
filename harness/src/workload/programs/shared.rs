//! Typed addresses in the global address space.

use crate::sim::{Access, NodeHandle, Word};
use flits::layout::LINE_BYTES;
use std::marker::PhantomData;

/// A value in memory that any node may use; an address, and nothing is kept here.
///
/// It is named and used like an atomic of `std`, but for the node that does it.
#[derive(Debug)]
pub struct Atomic<T> {
    addr: u64,
    of: PhantomData<T>,
}

impl<T> Clone for Atomic<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Atomic<T> {}

impl<T: Word> Atomic<T> {
    /// Where it is.
    pub fn addr(self) -> u64 {
        self.addr
    }

    /// Loads it.
    pub fn load(self, node: &NodeHandle) -> Access<T> {
        node.load(self.addr)
    }

    /// Stores it.
    pub fn store(self, node: &NodeHandle, value: T) -> Access<()> {
        node.store(self.addr, value)
    }

    /// Exchanges it and gives the old value.
    pub fn swap(self, node: &NodeHandle, value: T) -> Access<T> {
        node.swap(self.addr, value)
    }

    /// Adds to it, wrapping, and gives the old value.
    pub fn fetch_add(self, node: &NodeHandle, value: T) -> Access<T> {
        node.fetch_add(self.addr, value)
    }
}

impl<T: Word + PartialEq> Atomic<T> {
    /// Stores `new` if it is `expected`; whether it was.
    pub async fn compare_exchange(self, node: &NodeHandle, expected: T, new: T) -> bool {
        node.compare_swap(self.addr, expected, new).await == expected
    }
}

/// Values of one type after each other.
#[derive(Debug)]
pub struct Array<T> {
    base: u64,
    stride: u64,
    len: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Array<T> {}

impl<T: Word> Array<T> {
    /// One of them.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn at(self, index: usize) -> Atomic<T> {
        assert!(index < self.len, "{index} in an array of {}", self.len);
        Atomic {
            addr: self.base + self.stride * index as u64,
            of: PhantomData,
        }
    }

    /// How many they are.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Stores all of them.
    pub async fn fill(self, node: &NodeHandle, values: &[T]) {
        for (index, &value) in values.iter().enumerate() {
            self.at(index).store(node, value).await;
        }
    }

    /// Loads all of them.
    pub async fn read(self, node: &NodeHandle) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len);
        for index in 0..self.len {
            values.push(self.at(index).load(node).await);
        }
        values
    }
}

/// Hands out addresses. Whatever it hands out begins with a line of its own.
#[derive(Debug)]
pub struct Heap {
    next: u64,
}

impl Default for Heap {
    fn default() -> Self {
        Heap { next: 0x1000 }
    }
}

impl Heap {
    /// A value.
    pub fn value<T: Word>(&mut self) -> Atomic<T> {
        self.array(1).at(0)
    }

    /// Values side by side: some lie in one line.
    pub fn array<T: Word>(&mut self, len: usize) -> Array<T> {
        self.strided(len, T::BYTES)
    }

    /// Values each in a line of its own.
    pub fn lines<T: Word>(&mut self, len: usize) -> Array<T> {
        self.strided(len, LINE_BYTES)
    }

    fn strided<T: Word>(&mut self, len: usize, stride: usize) -> Array<T> {
        let base = self.next;
        self.next += (len * stride).next_multiple_of(LINE_BYTES) as u64;
        Array {
            base,
            stride: stride as u64,
            len,
            of: PhantomData,
        }
    }
}
