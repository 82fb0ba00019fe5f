//! Words of the declarations and conditions of a litmus test.

use super::Wrong;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name.
    Name(String),
    /// A number.
    Number(i64),
    /// A sign; `/\` and `\/` are one each.
    Sign(&'static str),
}

impl Token {
    /// As it was written.
    pub(super) fn text(&self) -> String {
        match self {
            Token::Name(name) => name.clone(),
            Token::Number(number) => number.to_string(),
            Token::Sign(sign) => (*sign).to_owned(),
        }
    }
}

/// Signs; a longer one stands before its beginning.
const SIGNS: [&str; 16] = [
    "/\\", "\\/", "!=", "==", "=", "~", "(", ")", "[", "]", ":", ";", ",", "&", "*", "-",
];

/// Words in order, each with its line.
pub(super) struct Tokens {
    tokens: Vec<(Token, usize)>,
    next: usize,
    last_line: usize,
}

impl Tokens {
    /// The words of a text whose first line has the number `line`; else the line of what is no word.
    pub(super) fn new(text: &str, line: usize) -> Result<Self, (Wrong, usize)> {
        let (mut tokens, mut line, mut rest) = (Vec::new(), line, text);
        while let Some(first) = rest.chars().next() {
            if first.is_whitespace() {
                line += usize::from(first == '\n');
                rest = &rest[first.len_utf8()..];
            } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
                tokens.push((Token::Sign(sign), line));
                rest = &rest[sign.len()..];
            } else if is_name(first) {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                let token = match first.is_ascii_digit() {
                    true => Token::Number(number(word).map_err(|wrong| (wrong, line))?),
                    false => Token::Name(word.to_owned()),
                };
                tokens.push((token, line));
                rest = after;
            } else {
                let reason = format!("`{first}` has no meaning here; remove it");
                return Err((Wrong::malformed(reason), line));
            }
        }
        Ok(Tokens {
            tokens,
            next: 0,
            last_line: line,
        })
    }

    /// The line of the next word.
    pub(super) fn line(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.last_line, |&(_, line)| line)
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    /// Takes the next word if it is this sign.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(is);
        is
    }

    /// Takes the next word if it is this name.
    pub(super) fn take_name(&mut self, name: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Name(next)) if next == name);
        self.next += usize::from(is);
        is
    }

    /// Takes this sign.
    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Wrong> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{sign}`"))),
        }
    }

    /// What stands here is not what is wanted.
    pub(super) fn unexpected(&self, wanted: &str) -> Wrong {
        Wrong::malformed(match self.peek() {
            Some(token) => format!("`{}` where {wanted} is expected", token.text()),
            None => format!("the text ends where {wanted} is expected"),
        })
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '%'
}

/// Reads a number, decimal or hexadecimal after `0x`, with or without a sign.
pub(super) fn number(text: &str) -> Result<i64, Wrong> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map(|value| value as i64),
        None => digits.parse(),
    };
    match value {
        Ok(value) if negative => Ok(value.wrapping_neg()),
        Ok(value) => Ok(value),
        Err(_) => Err(Wrong::malformed(format!(
            "`{text}` is no number of 64 bits; write one in decimal, or in hexadecimal after 0x"
        ))),
    }
}
