//! Instructions of X86_64, as AT&T writes them: source before destination.

use super::Wrong;
use super::lexer::number;
use super::test::{Address, Arithmetic, Instr, Operand, Order, Rmw, Test, Width};
use super::text::{Code, Scope};

/// The registers by their 64-bit names, with the 32-bit names of the first eight.
const NAMED: [(&str, &str); 8] = [
    ("rax", "eax"),
    ("rbx", "ebx"),
    ("rcx", "ecx"),
    ("rdx", "edx"),
    ("rsi", "esi"),
    ("rdi", "edi"),
    ("rbp", "ebp"),
    ("rsp", "esp"),
];

/// The name of a register that stands for all its names.
pub(super) fn register(name: &str) -> Option<String> {
    let name = name.strip_prefix('%').unwrap_or(name).to_ascii_lowercase();
    let of_eight = |&&(wide, narrow): &&(&str, &str)| name == wide || name == narrow;
    if let Some((wide, _)) = NAMED.iter().find(of_eight) {
        return Some((*wide).to_owned());
    }
    let digits = name.strip_prefix('r')?;
    let digits = digits.strip_suffix('d').unwrap_or(digits);
    let index: u32 = digits.parse().ok()?;
    (8..16).contains(&index).then(|| format!("r{index}"))
}

/// What an instruction works on.
enum Place {
    Register(String),
    Value(i64),
    Memory(Operand, i64),
}

/// Reads an instruction.
pub(super) fn instruction(
    scope: &mut Scope,
    thread: usize,
    code: &mut Code,
    text: &str,
) -> Result<(), Wrong> {
    let (locked, text) = match text.strip_prefix("lock") {
        Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim_start()),
        _ => (false, text),
    };
    let (mnemonic, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let operands = operands(rest);
    if operands.is_empty() {
        match mnemonic {
            "mfence" => code.instrs.push(Instr::Fence),
            // Loads and stores keep these orders without them.
            "lfence" | "sfence" | "nop" => {}
            _ => return Err(unknown(mnemonic)),
        }
        return Ok(());
    }
    let (stem, width) = match mnemonic.strip_suffix(['q', 'l']) {
        Some(stem) if STEMS.contains(&stem) => (
            stem,
            match mnemonic.ends_with('q') {
                true => Width::Double,
                false => Width::Word,
            },
        ),
        _ if STEMS.contains(&mnemonic) => (mnemonic, width_of(&operands)?),
        _ => return Err(unknown(mnemonic)),
    };
    let mut places = Vec::new();
    for operand in &operands {
        places.push(place(scope, thread, operand)?);
    }
    let full = |base, offset| Address {
        base,
        offset,
        width,
        order: Order::FULL,
    };
    let arithmetic = ARITHMETIC.iter().find(|(name, _)| *name == stem);
    let instr = match (stem, &places[..]) {
        ("mov", [from, to]) if !locked => return moved(scope, thread, code, from, to, width),
        // An exchange with memory is atomic with and without the prefix.
        ("xchg", [Place::Register(name), Place::Memory(base, offset)])
        | ("xchg", [Place::Memory(base, offset), Place::Register(name)]) => Instr::Atomic {
            to: scope.destination(thread, name)?,
            at: full(*base, *offset),
            op: Rmw::Swap,
            value: scope.register(thread, name)?,
        },
        ("xadd", [Place::Register(name), Place::Memory(base, offset)]) if locked => Instr::Atomic {
            to: scope.destination(thread, name)?,
            at: full(*base, *offset),
            op: Rmw::Of(Arithmetic::Add),
            value: scope.register(thread, name)?,
        },
        ("inc" | "dec", [Place::Memory(base, offset)]) if locked => Instr::Atomic {
            to: None,
            at: full(*base, *offset),
            op: Rmw::Of(match stem {
                "inc" => Arithmetic::Add,
                _ => Arithmetic::Sub,
            }),
            value: Operand::Value(1),
        },
        (_, [from, Place::Memory(base, offset)]) if locked && arithmetic.is_some() => {
            Instr::Atomic {
                to: None,
                at: full(*base, *offset),
                op: Rmw::Of(arithmetic.map_or(Arithmetic::Add, |&(_, op)| op)),
                value: value(scope, thread, from)?,
            }
        }
        (_, [from, Place::Register(name)]) if !locked && arithmetic.is_some() => Instr::Compute {
            to: scope.destination(thread, name)?,
            op: arithmetic.map_or(Arithmetic::Add, |&(_, op)| op),
            a: scope.register(thread, name)?,
            b: value(scope, thread, from)?,
        },
        _ => {
            let lock = if locked { "lock " } else { "" };
            return Err(Wrong::unsupported(
                format!("instruction {lock}{stem} with these operands"),
                format!("`{lock}{text}` is not supported in this form"),
            ));
        }
    };
    code.instrs.push(instr);
    Ok(())
}

const STEMS: [&str; 10] = [
    "mov", "xchg", "xadd", "inc", "dec", "add", "sub", "and", "or", "xor",
];

const ARITHMETIC: [(&str, Arithmetic); 5] = [
    ("add", Arithmetic::Add),
    ("sub", Arithmetic::Sub),
    ("and", Arithmetic::And),
    ("or", Arithmetic::Or),
    ("xor", Arithmetic::Xor),
];

fn unknown(mnemonic: &str) -> Wrong {
    Wrong::unsupported(
        format!("instruction {mnemonic}"),
        format!(
            "the instruction {mnemonic} is not supported; use mov, mfence, xchg or lock xadd, add, inc and the like"
        ),
    )
}

/// Operands, split at the commas that are not in parentheses.
fn operands(text: &str) -> Vec<String> {
    let mut depth = 0;
    text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .map(|operand| operand.trim().to_owned())
    .filter(|operand| !operand.is_empty())
    .collect()
}

/// The width that registers say, for a mnemonic that does not.
fn width_of(operands: &[String]) -> Result<Width, Wrong> {
    let register = operands
        .iter()
        .find_map(|operand| operand.strip_prefix('%'));
    match register {
        Some(name) if name.starts_with('e') || name.ends_with('d') => Ok(Width::Word),
        Some(_) => Ok(Width::Double),
        None => Err(Wrong::malformed(
            "the size of the access is not said; add the suffix q or l to the instruction",
        )),
    }
}

fn place(scope: &mut Scope, thread: usize, text: &str) -> Result<Place, Wrong> {
    if let Some(value) = text.strip_prefix('$') {
        return Ok(Place::Value(immediate(scope, value)?));
    }
    if let Some(name) = text.strip_prefix('%') {
        scope.register(thread, name)?;
        return Ok(Place::Register(name.to_owned()));
    }
    if let Some((offset, base)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let name = base.trim();
        return match (name, offset.trim()) {
            ("%rip", location) => Ok(Place::Memory(
                Operand::Value(Test::address(scope.location(location))),
                0,
            )),
            (_, offset) => {
                let offset = match offset {
                    "" => 0,
                    offset => number(offset)?,
                };
                let base = match name.strip_prefix('%') {
                    Some(register) => scope.register(thread, register)?,
                    None => Operand::Value(Test::address(scope.location(name))),
                };
                Ok(Place::Memory(base, offset))
            }
        };
    }
    if let Some(name) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        let base = Operand::Value(Test::address(scope.location(name)));
        return Ok(Place::Memory(base, 0));
    }
    Err(Wrong::malformed(format!(
        "`{text}` is no operand; write $1, %rax or (x)"
    )))
}

fn immediate(scope: &mut Scope, text: &str) -> Result<i64, Wrong> {
    match text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        true => number(text),
        false => Ok(Test::address(scope.location(text))),
    }
}

fn value(scope: &mut Scope, thread: usize, place: &Place) -> Result<Operand, Wrong> {
    match place {
        Place::Register(name) => scope.register(thread, name),
        Place::Value(value) => Ok(Operand::Value(*value)),
        Place::Memory(..) => Err(Wrong::unsupported(
            "arithmetic on memory",
            "arithmetic reads memory here without a lock; load into a register first",
        )),
    }
}

fn moved(
    scope: &mut Scope,
    thread: usize,
    code: &mut Code,
    from: &Place,
    to: &Place,
    width: Width,
) -> Result<(), Wrong> {
    let at = |base, offset| Address {
        base,
        offset,
        width,
        order: Order::default(),
    };
    code.instrs.push(match (from, to) {
        (Place::Memory(base, offset), Place::Register(name)) => Instr::Load {
            to: scope.destination(thread, name)?,
            at: at(*base, *offset),
        },
        (Place::Memory(..), Place::Memory(..)) | (_, Place::Value(_)) => {
            return Err(Wrong::malformed(
                "mov has a register or a value before the comma, or a register behind it; mend the operands",
            ));
        }
        (from, Place::Memory(base, offset)) => Instr::Store {
            at: at(*base, *offset),
            value: value(scope, thread, from)?,
        },
        (from, Place::Register(name)) => Instr::Compute {
            to: scope.destination(thread, name)?,
            op: Arithmetic::Add,
            a: value(scope, thread, from)?,
            b: Operand::Value(0),
        },
    });
    Ok(())
}
