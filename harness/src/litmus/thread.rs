//! A processor in order: from one memory access to the next.

use super::Wrong;
use super::test::{Branch, Instr, Operand, Order, Rmw, Test, Width};

/// An access as the memory sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Load,
    Store(i64),
    Atomic(Rmw, i64),
    Reserve,
    Conditional(i64),
}

/// A processor that runs a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Processor {
    thread: usize,
    pc: usize,
    registers: Vec<i64>,
    /// Registers with the result of a store-conditional, or with what was computed from it, one bit
    /// each; see [`Processor::settle`].
    unsettled: u64,
}

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing any more.
    Done,
    /// Waits until its stores are visible.
    Fence,
    /// Accesses a variable.
    Access {
        location: usize,
        width: Width,
        order: Order,
        access: Access,
        /// The address or the value depends on a store-conditional that has not settled.
        unsettled: bool,
    },
}

impl Processor {
    /// A processor at the beginning of a thread.
    pub(super) fn new(test: &Test, thread: usize) -> Self {
        Processor {
            thread,
            pc: 0,
            registers: test.threads[thread].init.clone(),
            unsettled: 0,
        }
    }

    /// The value of a register.
    pub(super) fn register(&self, register: usize) -> i64 {
        self.registers[register]
    }

    /// The index of the instruction that comes next.
    pub(super) fn pc(&self) -> usize {
        self.pc
    }

    /// What the store-conditionals so far came to is known to all.
    pub(super) fn settle(&mut self) {
        self.unsettled = 0;
    }

    fn value(&self, operand: Operand) -> i64 {
        match operand {
            Operand::Register(register) => self.registers[register],
            Operand::Value(value) => value,
        }
    }

    fn is_unsettled(&self, operand: Operand) -> bool {
        matches!(operand, Operand::Register(register) if self.unsettled >> register & 1 != 0)
    }

    fn set(&mut self, to: Option<usize>, value: i64, unsettled: bool) {
        if let Some(to) = to {
            self.registers[to] = value;
            self.unsettled = self.unsettled & !(1 << to) | u64::from(unsettled) << to;
        }
    }

    /// Goes on through everything that is not memory. The access or fence that it gives stays to be
    /// [completed](Processor::complete).
    ///
    /// # Errors
    /// If the thread accesses what is no variable.
    pub(super) fn advance(&mut self, test: &Test) -> Result<Next, Wrong> {
        loop {
            let Some(&instr) = test.threads[self.thread].code.get(self.pc) else {
                return Ok(Next::Done);
            };
            let (at, access, operand) = match instr {
                Instr::Compute { to, op, a, b } => {
                    let unsettled = self.is_unsettled(a) || self.is_unsettled(b);
                    self.set(to, op.of(self.value(a), self.value(b)), unsettled);
                    self.pc += 1;
                    continue;
                }
                Instr::Branch { when, a, b, target } => {
                    let equal = self.value(a) == self.value(b);
                    let taken = match when {
                        Branch::Equal => equal,
                        Branch::NotEqual => !equal,
                        Branch::Always => true,
                    };
                    self.pc = if taken { target } else { self.pc + 1 };
                    continue;
                }
                Instr::Fence => return Ok(Next::Fence),
                Instr::Load { at, .. } => (at, Access::Load, None),
                Instr::Reserve { at, .. } => (at, Access::Reserve, None),
                Instr::Store { at, value } => (at, Access::Store(self.value(value)), Some(value)),
                Instr::Atomic { at, op, value, .. } => {
                    (at, Access::Atomic(op, self.value(value)), Some(value))
                }
                Instr::Conditional { at, value, .. } => {
                    (at, Access::Conditional(self.value(value)), Some(value))
                }
            };
            let address = self.value(at.base).wrapping_add(at.offset);
            let Some(location) = test.location_at(address) else {
                let thread = self.thread;
                return Err(Wrong::unsupported(
                    "accesses beside the variables",
                    format!(
                        "thread {thread} accesses the address {address}, where no variable is; \
                         compute addresses from those of variables only"
                    ),
                ));
            };
            return Ok(Next::Access {
                location,
                width: at.width,
                order: at.order,
                access,
                unsettled: self.is_unsettled(at.base)
                    || operand.is_some_and(|operand| self.is_unsettled(operand)),
            });
        }
    }

    /// Ends the instruction that [`Processor::advance`] has stopped at, with what it gives to its
    /// destination.
    pub(super) fn complete(&mut self, test: &Test, result: Option<i64>) {
        let (to, unsettled) = match test.threads[self.thread].code[self.pc] {
            Instr::Load { to, .. } | Instr::Atomic { to, .. } | Instr::Reserve { to, .. } => {
                (to, false)
            }
            Instr::Conditional { to, .. } => (to, result == Some(0)),
            _ => (None, false),
        };
        if let Some(result) = result {
            self.set(to, result, unsettled);
        }
        self.pc += 1;
    }
}
