//! `%` formatting: reading a template, and laying single values out.
//!
//! The template reader goes by bytes, so it serves str and bytes alike, and
//! yields its pieces one at a time: CPython raises what the arguments cause
//! before it looks at what stands further on.

use super::error::{ErrKind, TextError, reserve};
use super::float_fmt::{Style, push_body};
use super::format_str::push_fill;
use super::int_text::big_to_str;
use num_bigint::{BigInt, Sign};
use std::ops::Range;

/// A width or a precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    None,
    /// `*`: taken from the arguments.
    Star,
    Given(usize),
}

/// The flags before the width.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    pub left: bool,
    pub plus: bool,
    pub blank: bool,
    pub alternate: bool,
    pub zero: bool,
}

/// One conversion: `%(key)-5.2f`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Byte range of the mapping key inside the template.
    pub key: Option<Range<usize>>,
    pub flags: Flags,
    pub width: Size,
    pub precision: Size,
    /// The conversion letter, unchecked: CPython fetches the argument first
    /// and refuses an unknown letter after that (`unsupported`).
    pub kind: char,
    /// Where the letter stands, in characters (bytes for bytes).
    pub index: usize,
}

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Byte range of text that stands for itself.
    Literal(Range<usize>),
    Field(Field),
}

/// Reads a template piece by piece.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    data: &'a [u8],
    text: Option<&'a str>,
    at: usize,
}

impl<'a> Template<'a> {
    pub fn of_str(text: &'a str) -> Template<'a> {
        Template {
            data: text.as_bytes(),
            text: Some(text),
            at: 0,
        }
    }

    pub fn of_bytes(data: &'a [u8]) -> Template<'a> {
        Template {
            data,
            text: None,
            at: 0,
        }
    }

    fn peek(&self) -> Result<u8, TextError> {
        self.data
            .get(self.at)
            .copied()
            .ok_or_else(|| TextError::value("incomplete format"))
    }

    fn key(&mut self) -> Result<Option<Range<usize>>, TextError> {
        if self.data.get(self.at) != Some(&b'(') {
            return Ok(None);
        }
        let start = self.at + 1;
        let mut depth = 1;
        for (at, byte) in self.data.iter().enumerate().skip(start) {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = at + 1;
                return Ok(Some(start..at));
            }
        }
        Err(TextError::value("incomplete format key"))
    }

    fn size(&mut self, limit: usize, message: &str) -> Result<Size, TextError> {
        if self.peek()? == b'*' {
            self.at += 1;
            return Ok(Size::Star);
        }
        let mut value: Option<usize> = None;
        while let digit @ b'0'..=b'9' = self.peek()? {
            let digit = usize::from(digit - b'0');
            let next = value
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit));
            value = Some(
                next.filter(|v| *v <= limit)
                    .ok_or_else(|| TextError::value(message))?,
            );
            self.at += 1;
        }
        Ok(value.map_or(Size::None, Size::Given))
    }

    fn field(&mut self) -> Result<Field, TextError> {
        let key = self.key()?;
        let mut flags = Flags::default();
        loop {
            match self.peek()? {
                b'-' => flags.left = true,
                b'+' => flags.plus = true,
                b' ' => flags.blank = true,
                b'#' => flags.alternate = true,
                b'0' => flags.zero = true,
                _ => break,
            }
            self.at += 1;
        }
        let width = self.size(isize::MAX as usize, "width too big")?;
        let mut precision = Size::None;
        if self.peek()? == b'.' {
            self.at += 1;
            precision = match self.size(i32::MAX as usize, "precision too big")? {
                Size::None => Size::Given(0),
                size => size,
            };
        }
        if matches!(self.peek()?, b'h' | b'l' | b'L') {
            self.at += 1;
        }
        let byte = self.peek()?;
        let kind = match self.text.and_then(|text| text.get(self.at..)) {
            Some(rest) => rest.chars().next().unwrap_or('\0'),
            None => byte as char,
        };
        let before = &self.data[..self.at];
        let index = match self.text {
            // Bytes that continue a character do not count.
            Some(_) => before.iter().filter(|b| **b & 0xc0 != 0x80).count(),
            None => self.at,
        };
        self.at += if self.text.is_some() {
            kind.len_utf8()
        } else {
            1
        };
        Ok(Field {
            key,
            flags,
            width,
            precision,
            kind,
            index,
        })
    }
}

impl Iterator for Template<'_> {
    type Item = Result<Piece, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.data.get(start..).filter(|rest| !rest.is_empty())?;
        match memchr::memchr(b'%', rest) {
            // "%%" is text: its second half.
            Some(0) if rest.get(1) == Some(&b'%') => {
                self.at += 2;
                Some(Ok(Piece::Literal(start + 1..start + 2)))
            }
            Some(0) => {
                self.at += 1;
                let field = self.field();
                if field.is_err() {
                    self.at = self.data.len();
                }
                Some(field.map(Piece::Field))
            }
            found => {
                self.at = start + found.unwrap_or(rest.len());
                Some(Ok(Piece::Literal(start..self.at)))
            }
        }
    }
}

/// The error for a conversion letter nobody knows.
pub fn unsupported(field: &Field) -> TextError {
    let shown = if (' '..='~').contains(&field.kind) {
        field.kind
    } else {
        '?'
    };
    TextError::value(format!(
        "unsupported format character '{shown}' (0x{:x}) at index {}",
        field.kind as u32, field.index
    ))
}

/// A field's layout once `*` has been resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub flags: Flags,
    pub width: usize,
    pub precision: Option<usize>,
}

impl Layout {
    /// `width` and `precision` are what the arguments gave for `*`. A negative
    /// width means left alignment; a negative precision counts as 0.
    pub fn new(field: &Field, width: Option<i64>, precision: Option<i64>) -> Layout {
        let mut flags = field.flags;
        let width = match (field.width, width) {
            (Size::Given(width), _) => width,
            (Size::Star, Some(width)) => {
                flags.left |= width < 0;
                width.unsigned_abs() as usize
            }
            _ => 0,
        };
        let precision = match (field.precision, precision) {
            (Size::Given(precision), _) => Some(precision),
            (Size::Star, Some(precision)) => Some(usize::try_from(precision).unwrap_or(0)),
            _ => None,
        };
        Layout {
            flags,
            width,
            precision,
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match self.flags {
            _ if negative => "-",
            Flags { plus: true, .. } => "+",
            Flags { blank: true, .. } => " ",
            _ => "",
        }
    }
}

/// Appends text under `%s`, `%r`, `%a` or `%c` (which passes no precision).
pub fn push_text(out: &mut String, text: &str, layout: &Layout) -> Result<(), TextError> {
    let text = match layout.precision {
        Some(limit) if limit < text.len() => {
            &text[..text
                .char_indices()
                .nth(limit)
                .map_or(text.len(), |(at, _)| at)]
        }
        _ => text,
    };
    if layout.width == 0 {
        out.push_str(text);
        return Ok(());
    }
    push_laid_out(out, "", text, text.chars().count(), layout, false)
}

/// Appends `sign` and `text`, padded; zeros go between the two.
fn push_laid_out(
    out: &mut String,
    sign: &str,
    text: &str,
    length: usize,
    layout: &Layout,
    zero: bool,
) -> Result<(), TextError> {
    let padding = layout.width.saturating_sub(sign.len() + length);
    reserve(out, padding.saturating_add(sign.len() + text.len()))?;
    let zero = zero && !layout.flags.left;
    if !zero && !layout.flags.left {
        push_fill(out, ' ', padding);
    }
    out.push_str(sign);
    if zero {
        push_fill(out, '0', padding);
    }
    out.push_str(text);
    if layout.flags.left {
        push_fill(out, ' ', padding);
    }
    Ok(())
}

/// Appends an integer under `%d`, `%i`, `%u`, `%x`, `%X` or `%o`.
pub fn push_i64(
    out: &mut String,
    value: i64,
    kind: char,
    layout: &Layout,
) -> Result<(), TextError> {
    let size = value.unsigned_abs();
    let digits = match kind {
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'o' => format!("{size:o}"),
        _ => size.to_string(),
    };
    push_digits(out, value < 0, &digits, kind, layout)
}

/// As `push_i64` for a big integer.
pub fn push_big(
    out: &mut String,
    value: &BigInt,
    kind: char,
    layout: &Layout,
    max_digits: usize,
) -> Result<(), TextError> {
    let size = value.magnitude();
    let digits = match kind {
        'x' => size.to_str_radix(16),
        'X' => size.to_str_radix(16).to_ascii_uppercase(),
        'o' => size.to_str_radix(8),
        _ => big_to_str(&BigInt::from(size.clone()), max_digits)?,
    };
    push_digits(out, value.sign() == Sign::Minus, &digits, kind, layout)
}

fn push_digits(
    out: &mut String,
    negative: bool,
    digits: &str,
    kind: char,
    layout: &Layout,
) -> Result<(), TextError> {
    let mut lead = layout.sign(negative).to_owned();
    if layout.flags.alternate {
        lead.push_str(match kind {
            'x' => "0x",
            'X' => "0X",
            'o' => "0o",
            _ => "",
        });
    }
    let missing = layout.precision.unwrap_or(0).saturating_sub(digits.len());
    if missing == 0 {
        return push_laid_out(out, &lead, digits, digits.len(), layout, layout.flags.zero);
    }
    let mut padded = String::new();
    reserve(&mut padded, missing.saturating_add(digits.len()))?;
    push_fill(&mut padded, '0', missing);
    padded.push_str(digits);
    push_laid_out(out, &lead, &padded, padded.len(), layout, layout.flags.zero)
}

/// Appends a float under `%e`, `%f`, `%g` or their capitals.
pub fn push_float(
    out: &mut String,
    value: f64,
    kind: char,
    layout: &Layout,
) -> Result<(), TextError> {
    let style = match kind {
        'e' | 'E' => Style::Exponent,
        'f' | 'F' => Style::Fixed,
        _ => Style::General,
    };
    let precision = layout.precision.unwrap_or(6);
    let mut body = String::new();
    reserve(&mut body, precision.saturating_add(32))?;
    push_body(
        &mut body,
        value,
        style,
        precision,
        layout.flags.alternate,
        false,
    );
    if kind.is_ascii_uppercase() {
        body.make_ascii_uppercase();
    }
    let sign = layout.sign(value.is_sign_negative() && !value.is_nan());
    push_laid_out(out, sign, &body, body.len(), layout, layout.flags.zero)
}

/// Appends the character `%c` makes of an integer.
pub fn push_char(out: &mut String, code: Option<u32>, layout: &Layout) -> Result<(), TextError> {
    let c = code
        .and_then(char::from_u32)
        .ok_or_else(|| TextError::new(ErrKind::OverflowError, "%c arg not in range(0x110000)"))?;
    let mut buffer = [0; 4];
    let text = c.encode_utf8(&mut buffer);
    push_text(
        out,
        text,
        &Layout {
            precision: None,
            ..*layout
        },
    )
}
