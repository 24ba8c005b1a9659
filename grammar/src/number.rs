//! Numeric literals: where one ends, and what it is worth.
//!
//! `layout` calls `scan` where logos saw a first digit; the tree builder calls `value` for the same text.
//!
//! Rules:
//! 1. Errors stand where CPython puts them: on the last character that was still right, or on the digit
//!    that does not belong to the base.
//! 2. The value is exact: integers of any size, floats correctly rounded by the standard library.

use crate::ast::Constant;
use num_bigint::BigInt;

/// What is wrong with a numeric literal, and where.
pub struct NumberError {
    pub message: String,
    pub start: usize,
    pub end: usize,
}

/// A literal's end, and the kind of literal if a keyword follows without a space (`1if x`), which is
/// worth a warning.
pub struct Scanned {
    pub end: usize,
    pub glued: Option<&'static str>,
}

struct Scanner<'a> {
    text: &'a [u8],
    pos: usize,
}

type Scan<T> = Result<T, NumberError>;

/// Finds the end of the number that starts at `start`.
pub fn scan(text: &[u8], start: usize) -> Scan<Scanned> {
    let mut s = Scanner { text, pos: start };
    let first = s.peek();
    if first == b'.' {
        s.pos += 1;
        return s.fraction();
    }
    if first != b'0' {
        s.decimal_digits()?;
        return s.after_integer();
    }
    s.pos += 1;
    match s.peek() | 0x20 {
        b'x' => s.radix("hexadecimal", |c| c.is_ascii_hexdigit()),
        b'o' => s.radix("octal", |c| (b'0'..=b'7').contains(&c)),
        b'b' => s.radix("binary", |c| c == b'0' || c == b'1'),
        _ => s.leading_zero(start),
    }
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.pos).copied().unwrap_or(0)
    }

    /// An error on the character before `pos`.
    fn fail<T>(&self, message: impl Into<String>) -> Scan<T> {
        Err(NumberError {
            message: message.into(),
            start: self.pos.saturating_sub(1),
            end: self.pos,
        })
    }

    fn radix(&mut self, kind: &'static str, digit: fn(u8) -> bool) -> Scan<Scanned> {
        self.pos += 1;
        loop {
            if self.peek() == b'_' {
                self.pos += 1;
            }
            let c = self.peek();
            if !digit(c) {
                if c.is_ascii_digit() {
                    self.pos += 1;
                    return self.fail(format!("invalid digit '{}' in {kind} literal", c as char));
                }
                return self.fail(format!("invalid {kind} literal"));
            }
            while digit(self.peek()) {
                self.pos += 1;
            }
            if self.peek() != b'_' {
                break;
            }
        }
        let c = self.peek();
        if c.is_ascii_digit() {
            self.pos += 1;
            return self.fail(format!("invalid digit '{}' in {kind} literal", c as char));
        }
        self.finish(kind)
    }

    fn leading_zero(&mut self, start: usize) -> Scan<Scanned> {
        loop {
            if self.peek() == b'_' {
                self.pos += 1;
                if !self.peek().is_ascii_digit() {
                    return self.fail("invalid decimal literal");
                }
            }
            if self.peek() != b'0' {
                break;
            }
            self.pos += 1;
        }
        let zeros_end = self.pos;
        let nonzero = self.peek().is_ascii_digit();
        if nonzero {
            self.decimal_digits()?;
        }
        match self.peek() {
            b'.' | b'e' | b'E' | b'j' | b'J' => self.after_integer(),
            _ if nonzero => Err(NumberError {
                message: "leading zeros in decimal integer literals are not permitted; \
                          use an 0o prefix for octal integers"
                    .into(),
                start,
                end: zeros_end,
            }),
            _ => self.finish("decimal"),
        }
    }

    /// Digits with single underscores between them.
    fn decimal_digits(&mut self) -> Scan<()> {
        loop {
            while self.peek().is_ascii_digit() {
                self.pos += 1;
            }
            if self.peek() != b'_' {
                return Ok(());
            }
            self.pos += 1;
            if !self.peek().is_ascii_digit() {
                return self.fail("invalid decimal literal");
            }
        }
    }

    fn after_integer(&mut self) -> Scan<Scanned> {
        if self.peek() == b'.' {
            self.pos += 1;
            return self.fraction();
        }
        self.exponent()
    }

    fn fraction(&mut self) -> Scan<Scanned> {
        if self.peek().is_ascii_digit() {
            self.decimal_digits()?;
        }
        self.exponent()
    }

    fn exponent(&mut self) -> Scan<Scanned> {
        if self.peek() | 0x20 == b'e' {
            let before = self.pos;
            self.pos += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.pos += 1;
                if !self.peek().is_ascii_digit() {
                    return self.fail("invalid decimal literal");
                }
            } else if !self.peek().is_ascii_digit() {
                // Not an exponent after all: `1else`.
                self.pos = before;
                return self.finish("decimal");
            }
            self.decimal_digits()?;
        }
        if self.peek() | 0x20 == b'j' {
            self.pos += 1;
            return self.finish("imaginary");
        }
        self.finish("decimal")
    }

    /// A number may not run into a name; before some keywords that is only deprecated.
    fn finish(&mut self, kind: &'static str) -> Scan<Scanned> {
        let rest = &self.text[self.pos..];
        let keyword = ["and", "else", "for", "if", "in", "is", "or", "not"];
        if keyword.iter().any(|k| rest.starts_with(k.as_bytes())) {
            return Ok(Scanned {
                end: self.pos,
                glued: Some(kind),
            });
        }
        let c = self.peek();
        if c.is_ascii_alphanumeric() || c == b'_' {
            return self.fail(format!("invalid {kind} literal"));
        }
        Ok(Scanned {
            end: self.pos,
            glued: None,
        })
    }
}

/// The most decimal digits an integer literal may have, as in CPython: decimal conversion is quadratic.
const MAX_DIGITS: usize = 4300;

/// The value of a literal that `scan` has accepted.
pub fn value(text: &str) -> Result<Constant, String> {
    let plain;
    let text = if text.contains('_') {
        plain = text.replace('_', "");
        plain.as_str()
    } else {
        text
    };
    let bytes = text.as_bytes();
    if bytes.len() > 1 && bytes[0] == b'0' {
        let radix = match bytes[1] | 0x20 {
            b'x' => 16,
            b'o' => 8,
            b'b' => 2,
            _ => 0,
        };
        if radix != 0 {
            let value = BigInt::parse_bytes(&bytes[2..], radix).unwrap_or_default();
            return Ok(Constant::Int(value));
        }
    }
    if let Some(digits) = text.strip_suffix(['j', 'J']) {
        return Ok(Constant::Imaginary(digits.parse().unwrap_or(0.0)));
    }
    if text.contains(['.', 'e', 'E']) {
        return Ok(Constant::Float(text.parse().unwrap_or(0.0)));
    }
    if let Ok(small) = text.parse::<i64>() {
        return Ok(Constant::Int(small.into()));
    }
    if text.len() > MAX_DIGITS {
        return Err(format!(
            "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has {} digits; \
             use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge \
             integer literals to avoid decimal conversion limits.",
            text.len()
        ));
    }
    Ok(Constant::Int(
        BigInt::parse_bytes(bytes, 10).unwrap_or_default(),
    ))
}
