//! A litmus test in typed form.

use super::condition::{Prop, Quantifier};

/// What a test is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// `X86_64`.
    X86,
    /// `RISCV`, 64 bits.
    Riscv,
}

/// The address of the first variable, as programs see it. Programs keep addresses in registers and
/// variables; where a variable really lies is another matter, see [`Test::address`].
const FIRST_ADDRESS: i64 = 0x1000_0000;
/// Bytes from one variable to the next, as programs see it.
const ADDRESS_STEP: i64 = 0x1000;

/// A litmus test.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// What it is written in.
    pub isa: Isa,
    /// The shared variables.
    pub locations: Vec<Location>,
    /// The threads, one processor each.
    pub threads: Vec<Thread>,
    /// What a final state is made of: everything that the condition speaks of, and what the test
    /// lists beside; registers first.
    pub observed: Vec<Item>,
    /// Final states of which this does not hold do not count.
    pub filter: Option<Prop>,
    /// How often the condition is meant to hold.
    pub quantifier: Quantifier,
    /// What the test asks of final states.
    pub condition: Prop,
}

/// A shared variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its name.
    pub name: String,
    /// Its value at the start.
    pub init: i64,
}

/// A thread.
#[derive(Debug, Clone, Default)]
pub struct Thread {
    /// The names of its registers.
    pub registers: Vec<String>,
    /// Their values at the start.
    pub init: Vec<i64>,
    /// What it does; branches go forward only.
    pub code: Vec<Instr>,
}

/// A part of a final state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A register, by the index of its thread and in [`Thread::registers`].
    Register(usize, usize),
    /// A variable, by its index in [`Test::locations`].
    Location(usize),
}

/// The values of [`Test::observed`] at the end of a run.
pub type FinalState = Vec<i64>;

/// A value that an instruction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Of a register.
    Register(usize),
    /// Itself.
    Value(i64),
}

/// Bytes of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// 4 bytes, sign-extended in registers.
    Word,
    /// 8 bytes.
    Double,
}

impl Width {
    /// What is left of a value.
    pub fn cut(self, value: i64) -> i64 {
        match self {
            Width::Word => i64::from(value as i32),
            Width::Double => value,
        }
    }
}

/// Where and how memory is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address without the offset.
    pub base: Operand,
    /// What is added to it.
    pub offset: i64,
    /// Bytes.
    pub width: Width,
    /// The annotations of the access.
    pub order: Order,
}

/// Annotations of an access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Order {
    /// Nothing after it comes before it.
    pub acquire: bool,
    /// Nothing before it comes after it.
    pub release: bool,
}

impl Order {
    /// Both.
    pub const FULL: Order = Order {
        acquire: true,
        release: true,
    };

    /// Whether there is any.
    pub fn is_some(self) -> bool {
        self.acquire || self.release
    }
}

/// An operation on registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
}

impl Arithmetic {
    /// Its result.
    pub fn of(self, a: i64, b: i64) -> i64 {
        match self {
            Arithmetic::Add => a.wrapping_add(b),
            Arithmetic::Sub => a.wrapping_sub(b),
            Arithmetic::And => a & b,
            Arithmetic::Or => a | b,
            Arithmetic::Xor => a ^ b,
        }
    }
}

/// What an atomic makes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rmw {
    /// The operand.
    Swap,
    /// An operation on what was there and the operand.
    Of(Arithmetic),
    /// The smaller of the two, signed.
    Min,
    /// The larger of the two, signed.
    Max,
    /// The smaller of the two, unsigned.
    MinUnsigned,
    /// The larger of the two, unsigned.
    MaxUnsigned,
}

impl Rmw {
    /// What it makes of `old` with the operand `value`.
    pub fn of(self, old: i64, value: i64) -> i64 {
        match self {
            Rmw::Swap => value,
            Rmw::Of(op) => op.of(old, value),
            Rmw::Min => old.min(value),
            Rmw::Max => old.max(value),
            Rmw::MinUnsigned => (old as u64).min(value as u64) as i64,
            Rmw::MaxUnsigned => (old as u64).max(value as u64) as i64,
        }
    }
}

/// When a branch is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// Both operands are equal.
    Equal,
    /// They are not.
    NotEqual,
    /// Always.
    Always,
}

/// An instruction. Results go to the register `to`, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instr {
    /// `to` becomes the result of the operation.
    Compute {
        /// Destination.
        to: Option<usize>,
        /// The operation.
        op: Arithmetic,
        /// First operand.
        a: Operand,
        /// Second operand.
        b: Operand,
    },
    /// `to` becomes what memory holds.
    Load {
        /// Destination.
        to: Option<usize>,
        /// Where.
        at: Address,
    },
    /// Memory becomes `value`.
    Store {
        /// Where.
        at: Address,
        /// The new value.
        value: Operand,
    },
    /// Memory is read and written in one; `to` becomes what it was.
    Atomic {
        /// Destination.
        to: Option<usize>,
        /// Where.
        at: Address,
        /// What it does.
        op: Rmw,
        /// Its operand.
        value: Operand,
    },
    /// As a load, and reserves what was read.
    Reserve {
        /// Destination.
        to: Option<usize>,
        /// Where.
        at: Address,
    },
    /// Stores if the reservation still holds; `to` becomes 0 then, else 1.
    Conditional {
        /// Destination.
        to: Option<usize>,
        /// Where.
        at: Address,
        /// The new value.
        value: Operand,
    },
    /// Loads after it wait for the stores before it; fences that order anything less do nothing in
    /// the models of this crate and are left out.
    Fence,
    /// Goes on at the instruction `target`, or after it.
    Branch {
        /// When it goes there.
        when: Branch,
        /// First operand.
        a: Operand,
        /// Second operand.
        b: Operand,
        /// An instruction behind this one.
        target: usize,
    },
}

impl Test {
    /// The address of a variable, as programs see it.
    pub fn address(location: usize) -> i64 {
        FIRST_ADDRESS + location as i64 * ADDRESS_STEP
    }

    /// The variable at an address that programs see.
    pub fn location_at(&self, address: i64) -> Option<usize> {
        let offset = address.checked_sub(FIRST_ADDRESS)?;
        let index = usize::try_from(offset / ADDRESS_STEP).ok()?;
        (offset >= 0 && offset % ADDRESS_STEP == 0 && index < self.locations.len()).then_some(index)
    }

    /// A value as people write it: addresses by the name of the variable.
    pub fn value(&self, value: i64) -> String {
        match self.location_at(value) {
            Some(location) => self.locations[location].name.clone(),
            None => value.to_string(),
        }
    }

    /// What a part of a final state is called: `1:x5` or `[x]`.
    pub fn item(&self, item: Item) -> String {
        match item {
            Item::Register(thread, register) => {
                format!("{thread}:{}", self.threads[thread].registers[register])
            }
            Item::Location(location) => format!("[{}]", self.locations[location].name),
        }
    }

    /// A final state in one line: `0:x5=1; [x]=2`.
    pub fn state(&self, state: &FinalState) -> String {
        let parts: Vec<String> = (self.observed.iter().zip(state))
            .map(|(&item, &value)| format!("{}={}", self.item(item), self.value(value)))
            .collect();
        match parts.is_empty() {
            true => "(nothing observed)".to_owned(),
            false => parts.join("; "),
        }
    }
}
