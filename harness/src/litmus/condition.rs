//! Conditions on final states.

use super::Wrong;
use super::lexer::{Token, Tokens};
use super::test::{Item, Operand, Test};
use super::text::Scope;

/// How often a condition is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least once: `exists`.
    Exists,
    /// Never: `~exists`.
    NotExists,
    /// Always: `forall`.
    Forall,
}

/// A proposition about a final state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prop {
    /// Always true.
    True,
    /// A register or variable has this value.
    Equals(Item, i64),
    /// Two parts of the state have the same value.
    Same(Item, Item),
    /// It does not hold.
    Not(Box<Prop>),
    /// All hold.
    And(Vec<Prop>),
    /// One of them holds.
    Or(Vec<Prop>),
}

impl Prop {
    /// Whether it holds of a state whose parts have these values.
    pub fn holds(&self, value: &impl Fn(Item) -> i64) -> bool {
        match self {
            Prop::True => true,
            Prop::Equals(item, wanted) => value(*item) == *wanted,
            Prop::Same(a, b) => value(*a) == value(*b),
            Prop::Not(prop) => !prop.holds(value),
            Prop::And(props) => props.iter().all(|prop| prop.holds(value)),
            Prop::Or(props) => props.iter().any(|prop| prop.holds(value)),
        }
    }

    /// Every part of the state that it speaks of, again and again if it does.
    pub fn items(&self) -> Vec<Item> {
        match self {
            Prop::True => Vec::new(),
            Prop::Equals(item, _) => vec![*item],
            Prop::Same(a, b) => vec![*a, *b],
            Prop::Not(prop) => prop.items(),
            Prop::And(props) | Prop::Or(props) => props.iter().flat_map(Prop::items).collect(),
        }
    }

    /// Reads a proposition; `\/` binds less than `/\`.
    pub(super) fn read(tokens: &mut Tokens, scope: &mut Scope) -> Result<Prop, Wrong> {
        let mut props = vec![Self::conjunction(tokens, scope)?];
        while tokens.take("\\/") {
            props.push(Self::conjunction(tokens, scope)?);
        }
        Ok(one_or(props, Prop::Or))
    }

    fn conjunction(tokens: &mut Tokens, scope: &mut Scope) -> Result<Prop, Wrong> {
        let mut props = vec![Self::term(tokens, scope)?];
        while tokens.take("/\\") {
            props.push(Self::term(tokens, scope)?);
        }
        Ok(one_or(props, Prop::And))
    }

    fn term(tokens: &mut Tokens, scope: &mut Scope) -> Result<Prop, Wrong> {
        if tokens.take("~") || tokens.take_name("not") {
            return Ok(Prop::Not(Box::new(Self::term(tokens, scope)?)));
        }
        if tokens.take("(") {
            let prop = Self::read(tokens, scope)?;
            tokens.expect(")")?;
            return Ok(prop);
        }
        if tokens.take_name("true") {
            return Ok(Prop::True);
        }
        let item = item(tokens, scope)?;
        let negated = tokens.take("!=");
        if !negated && !tokens.take("=") && !tokens.take("==") {
            return Err(tokens.unexpected("`=`"));
        }
        let prop = match tokens.peek() {
            Some(Token::Sign("[")) => Prop::Same(item, self::item(tokens, scope)?),
            _ => Prop::Equals(item, value(tokens, scope)?),
        };
        Ok(match negated {
            true => Prop::Not(Box::new(prop)),
            false => prop,
        })
    }
}

fn one_or(mut props: Vec<Prop>, many: fn(Vec<Prop>) -> Prop) -> Prop {
    match props.len() {
        1 => props.swap_remove(0),
        _ => many(props),
    }
}

/// Reads `1:x5`, `[x]` or `x`.
pub(super) fn item(tokens: &mut Tokens, scope: &mut Scope) -> Result<Item, Wrong> {
    let wanted = "a register like 0:x5 or a variable";
    match tokens.next() {
        Some(Token::Number(thread)) => {
            tokens.expect(":")?;
            let Some(Token::Name(name)) = tokens.next() else {
                return Err(Wrong::malformed(format!(
                    "no register behind `{thread}:`; name one"
                )));
            };
            let thread = scope.thread(thread)?;
            match scope.register(thread, &name)? {
                Operand::Register(register) => Ok(Item::Register(thread, register)),
                Operand::Value(_) => Err(Wrong::malformed(format!(
                    "{name} is always 0; ask for another register"
                ))),
            }
        }
        Some(Token::Name(name)) => Ok(Item::Location(scope.location(&name))),
        Some(Token::Sign("[")) => {
            let Some(Token::Name(name)) = tokens.next() else {
                return Err(Wrong::malformed("no variable behind `[`; name one"));
            };
            tokens.expect("]")?;
            Ok(Item::Location(scope.location(&name)))
        }
        Some(token) => Err(Wrong::malformed(format!(
            "`{}` where {wanted} is expected",
            token.text()
        ))),
        None => Err(tokens.unexpected(wanted)),
    }
}

/// Reads a number, or the name of a variable for its address, with or without `&`.
pub(super) fn value(tokens: &mut Tokens, scope: &mut Scope) -> Result<i64, Wrong> {
    if tokens.take("-") {
        return Ok(value(tokens, scope)?.wrapping_neg());
    }
    let _ = tokens.take("&");
    match tokens.next() {
        Some(Token::Number(number)) => Ok(number),
        Some(Token::Name(name)) => Ok(Test::address(scope.location(&name))),
        Some(token) => Err(Wrong::malformed(format!(
            "`{}` where a value is expected: a number or the name of a variable",
            token.text()
        ))),
        None => Err(tokens.unexpected("a value")),
    }
}
