//! Instructions of RISC-V: loads, stores, fences, atomics, and what dependencies are made of.

use super::Wrong;
use super::lexer::number;
use super::test::{Address, Arithmetic, Branch, Instr, Operand, Order, Rmw, Width};
use super::text::{Code, Scope};

/// The register that is always 0.
pub(super) const ZERO: &str = "x0";

/// The name of a register that stands for all its names.
pub(super) fn register(name: &str) -> Option<String> {
    let numbered = |prefix: &str, first: u32, offset: u32, last: u32| {
        let digits = name.strip_prefix(prefix)?;
        let number: u32 = digits.parse().ok()?;
        (first..=last).contains(&number).then(|| number + offset)
    };
    let number = match name {
        "zero" => Some(0),
        "ra" => Some(1),
        "sp" => Some(2),
        "gp" => Some(3),
        "tp" => Some(4),
        "fp" => Some(8),
        _ => numbered("x", 0, 0, 31)
            .or_else(|| numbered("t", 0, 5, 2))
            .or_else(|| numbered("t", 3, 25, 6))
            .or_else(|| numbered("s", 0, 8, 1))
            .or_else(|| numbered("s", 2, 16, 11))
            .or_else(|| numbered("a", 0, 10, 7)),
    };
    number.map(|number| format!("x{number}"))
}

/// Reads an instruction.
pub(super) fn instruction(
    scope: &mut Scope,
    thread: usize,
    code: &mut Code,
    text: &str,
) -> Result<(), Wrong> {
    let (mnemonic, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let operands: Vec<&str> = rest
        .split(',')
        .map(str::trim)
        .filter(|operand| !operand.is_empty())
        .collect();
    let (stem, order) = annotated(mnemonic);
    let plain = !order.is_some();
    let mut line = Line {
        scope,
        thread,
        text,
        order,
    };
    let instr = match (stem, &operands[..]) {
        ("fence.i" | "fence.tso" | "nop", []) => return Ok(()),
        ("fence", []) if plain => Instr::Fence,
        ("fence", [before, after]) if plain => {
            let kinds = |kinds: &str| kinds.chars().all(|kind| "iorw".contains(kind));
            if !kinds(before) || !kinds(after) {
                return Err(Wrong::malformed(format!(
                    "`{text}` is no fence; write r, w or rw on both sides"
                )));
            }
            // Only a load can overtake anything in the models, and only stores before it.
            match before.contains('w') && after.contains('r') {
                true => Instr::Fence,
                false => return Ok(()),
            }
        }
        ("li", [to, value]) if plain => Instr::Compute {
            to: line.destination(to)?,
            op: Arithmetic::Add,
            a: Operand::Value(0),
            b: Operand::Value(number(value)?),
        },
        ("mv", [to, from]) if plain => Instr::Compute {
            to: line.destination(to)?,
            op: Arithmetic::Add,
            a: line.register(from)?,
            b: Operand::Value(0),
        },
        ("beq" | "bne", [a, b, label]) if plain => {
            let when = match stem {
                "beq" => Branch::Equal,
                _ => Branch::NotEqual,
            };
            let (a, b) = (line.register(a)?, line.register(b)?);
            code.branch(when, a, b, label);
            return Ok(());
        }
        ("beqz" | "bnez", [a, label]) if plain => {
            let when = match stem {
                "beqz" => Branch::Equal,
                _ => Branch::NotEqual,
            };
            let a = line.register(a)?;
            code.branch(when, a, Operand::Value(0), label);
            return Ok(());
        }
        ("j", [label]) if plain => {
            code.branch(Branch::Always, Operand::Value(0), Operand::Value(0), label);
            return Ok(());
        }
        ("lw" | "ld", [to, at]) => Instr::Load {
            to: line.destination(to)?,
            at: line.address(at, stem.ends_with('d'))?,
        },
        ("sw" | "sd", [value, at]) => Instr::Store {
            at: line.address(at, stem.ends_with('d'))?,
            value: line.register(value)?,
        },
        ("lr.w" | "lr.d", [to, at]) => Instr::Reserve {
            to: line.destination(to)?,
            at: line.address(at, stem.ends_with('d'))?,
        },
        ("sc.w" | "sc.d", [to, value, at]) => Instr::Conditional {
            to: line.destination(to)?,
            at: line.address(at, stem.ends_with('d'))?,
            value: line.register(value)?,
        },
        (_, [to, a, b]) if plain && arithmetic(stem).is_some() => {
            let (op, immediate) = arithmetic(stem).unwrap_or((Arithmetic::Add, false));
            Instr::Compute {
                to: line.destination(to)?,
                op,
                a: line.register(a)?,
                b: match immediate {
                    true => Operand::Value(number(b)?),
                    false => line.register(b)?,
                },
            }
        }
        (_, [to, value, at]) if atomic(stem).is_some() => Instr::Atomic {
            to: line.destination(to)?,
            at: line.address(at, stem.ends_with('d'))?,
            op: atomic(stem).unwrap_or(Rmw::Swap),
            value: line.register(value)?,
        },
        _ => {
            return Err(Wrong::unsupported(
                format!("instruction {mnemonic}"),
                format!("`{text}` is not supported: the instruction or its operands are unknown"),
            ));
        }
    };
    code.instrs.push(instr);
    Ok(())
}

/// An instruction without `.aq` and `.rl`, and whether it had them.
fn annotated(mnemonic: &str) -> (&str, Order) {
    let mut order = Order::default();
    let mut stem = mnemonic;
    if let Some(rest) = stem.strip_suffix(".aqrl") {
        return (rest, Order::FULL);
    }
    if let Some(rest) = stem.strip_suffix(".rl") {
        (stem, order.release) = (rest, true);
    }
    if let Some(rest) = stem.strip_suffix(".aq") {
        (stem, order.acquire) = (rest, true);
    }
    (stem, order)
}

/// An operation on registers, and whether its last operand is a number.
fn arithmetic(stem: &str) -> Option<(Arithmetic, bool)> {
    Some(match stem {
        "add" => (Arithmetic::Add, false),
        "sub" => (Arithmetic::Sub, false),
        "and" => (Arithmetic::And, false),
        "or" => (Arithmetic::Or, false),
        "xor" => (Arithmetic::Xor, false),
        "addi" => (Arithmetic::Add, true),
        "andi" => (Arithmetic::And, true),
        "ori" => (Arithmetic::Or, true),
        "xori" => (Arithmetic::Xor, true),
        _ => return None,
    })
}

fn atomic(stem: &str) -> Option<Rmw> {
    let name = stem.strip_prefix("amo")?;
    let name = name
        .strip_suffix(".w")
        .or_else(|| name.strip_suffix(".d"))?;
    Some(match name {
        "swap" => Rmw::Swap,
        "add" => Rmw::Of(Arithmetic::Add),
        "and" => Rmw::Of(Arithmetic::And),
        "or" => Rmw::Of(Arithmetic::Or),
        "xor" => Rmw::Of(Arithmetic::Xor),
        "min" => Rmw::Min,
        "max" => Rmw::Max,
        "minu" => Rmw::MinUnsigned,
        "maxu" => Rmw::MaxUnsigned,
        _ => return None,
    })
}

/// The instruction whose operands are read.
struct Line<'a> {
    scope: &'a mut Scope,
    thread: usize,
    text: &'a str,
    order: Order,
}

impl Line<'_> {
    fn register(&mut self, name: &str) -> Result<Operand, Wrong> {
        self.scope.register(self.thread, name)
    }

    fn destination(&mut self, name: &str) -> Result<Option<usize>, Wrong> {
        self.scope.destination(self.thread, name)
    }

    /// Reads `0(x6)` or `(x6)`.
    fn address(&mut self, text: &str, double: bool) -> Result<Address, Wrong> {
        let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
        let Some((offset, base)) = parts else {
            return Err(Wrong::malformed(format!(
                "`{}` accesses `{text}`, which is no address; write 0(x6)",
                self.text
            )));
        };
        Ok(Address {
            base: self.register(base.trim())?,
            offset: match offset.trim() {
                "" => 0,
                offset => number(offset)?,
            },
            width: match double {
                true => Width::Double,
                false => Width::Word,
            },
            order: self.order,
        })
    }
}
