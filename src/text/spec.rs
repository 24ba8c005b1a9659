//! The format mini-language: `[[fill]align][sign][z][#][0][width][,_][.prec[,_]][type]`.
//!
//! Parsing needs only the kind of object formatted (its default type letter
//! and alignment, and its name for messages), so a parsed `Spec` may be kept
//! and used again for every value of that kind.

use super::error::TextError;
use super::unidata;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    Center,
    /// Padding between the sign and the digits.
    AfterSign,
}

/// A thousands separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    Comma,
    Underscore,
}

impl Grouping {
    pub fn as_char(self) -> char {
        match self {
            Grouping::Comma => ',',
            Grouping::Underscore => '_',
        }
    }
}

/// A parsed specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub fill: char,
    pub align: Align,
    /// '+', '-', ' ' or none.
    pub sign: Option<char>,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub width: usize,
    pub grouping: Option<Grouping>,
    pub precision: Option<usize>,
    pub fraction_grouping: Option<Grouping>,
    /// The type letter, '\0' where omitted and the kind has no default.
    pub kind: char,
}

fn align_of(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::AfterSign),
        _ => None,
    }
}

/// The characters of a specification not yet read.
struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn accept(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A run of decimal digits of any script, if there is one.
    fn number(&mut self) -> Result<Option<usize>, TextError> {
        let mut value: Option<usize> = None;
        while let Some(digit) = self.peek().and_then(unidata::decimal_value) {
            let next = value
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit as usize))
                .filter(|v| *v <= isize::MAX as usize);
            value = Some(next.ok_or_else(too_many_digits)?);
            let mut chars = self.rest.chars();
            chars.next();
            self.rest = chars.as_str();
        }
        Ok(value)
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, TextError> {
        let both = || TextError::value("Cannot specify both ',' and '_'.");
        let comma = self.accept(',');
        let underscore = self.accept('_');
        match (comma, underscore) {
            (true, true) => Err(both()),
            (false, true) if self.peek() == Some(',') => Err(both()),
            (false, true) => Ok(Some(Grouping::Underscore)),
            (true, false) => Ok(Some(Grouping::Comma)),
            (false, false) => Ok(None),
        }
    }
}

pub(super) fn too_many_digits() -> TextError {
    TextError::value("Too many decimal digits in format string")
}

impl Spec {
    /// For a str: default type 's', to the left.
    pub fn for_str(text: &str, type_name: &str) -> Result<Spec, TextError> {
        Spec::parse(text, type_name, 's', Align::Left)
    }

    /// For an int or a bool: default type 'd', to the right.
    pub fn for_int(text: &str, type_name: &str) -> Result<Spec, TextError> {
        Spec::parse(text, type_name, 'd', Align::Right)
    }

    /// For a float or a complex: no default type, to the right.
    pub fn for_float(text: &str, type_name: &str) -> Result<Spec, TextError> {
        Spec::parse(text, type_name, '\0', Align::Right)
    }

    /// Parses `text` for an object of the named type.
    pub fn parse(text: &str, type_name: &str, kind: char, align: Align) -> Result<Spec, TextError> {
        let mut spec = Spec {
            fill: ' ',
            align,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            fraction_grouping: None,
            kind,
        };
        let mut cursor = Cursor { rest: text };
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        let mut fill_given = false;
        let mut align_given = true;
        if let (Some(fill), Some(align)) = (first, second.and_then(align_of)) {
            spec.fill = fill;
            spec.align = align;
            fill_given = true;
            cursor.rest = chars.as_str();
        } else if let Some(align) = first.and_then(align_of) {
            spec.align = align;
            cursor.rest = &text[1..];
        } else {
            align_given = false;
        }
        if let Some(sign @ (' ' | '+' | '-')) = cursor.peek() {
            spec.sign = Some(sign);
            cursor.rest = &cursor.rest[1..];
        }
        spec.no_negative_zero = cursor.accept('z');
        spec.alternate = cursor.accept('#');
        // After an explicit fill a zero is just the first digit of the width.
        if !fill_given && cursor.accept('0') {
            spec.fill = '0';
            if !align_given && align == Align::Right {
                spec.align = Align::AfterSign;
            }
        }
        spec.width = cursor.number()?.unwrap_or(0);
        spec.grouping = cursor.grouping()?;
        if cursor.accept('.') {
            spec.precision = cursor.number()?;
            spec.fraction_grouping = cursor.grouping()?;
            if spec.precision.is_none() && spec.fraction_grouping.is_none() {
                return Err(TextError::value("Format specifier missing precision"));
            }
        }
        let mut tail = cursor.rest.chars();
        if let Some(letter) = tail.next() {
            if tail.next().is_some() {
                return Err(TextError::value(format!(
                    "Invalid format specifier '{text}' for object of type '{type_name}'"
                )));
            }
            spec.kind = letter;
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), TextError> {
        if let Some(grouping) = self.grouping {
            let fits = match self.kind {
                'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0' => true,
                'b' | 'o' | 'x' | 'X' => grouping == Grouping::Underscore,
                _ => false,
            };
            if !fits {
                return Err(wrong_grouping(grouping, self.kind));
            }
        }
        match self.fraction_grouping {
            Some(grouping) if self.kind == 'n' => Err(wrong_grouping(grouping, self.kind)),
            _ => Ok(()),
        }
    }

    /// "Unknown format code" for this specification's type letter.
    pub fn unknown_code(&self, type_name: &str) -> TextError {
        let code = shown_code(self.kind);
        TextError::value(format!(
            "Unknown format code '{code}' for object of type '{type_name}'"
        ))
    }
}

fn wrong_grouping(grouping: Grouping, kind: char) -> TextError {
    let mark = grouping.as_char();
    TextError::value(format!(
        "Cannot specify '{mark}' with '{}'.",
        shown_code(kind)
    ))
}

/// A type letter in a message: itself when visible ASCII, else in hex.
pub(super) fn shown_code(kind: char) -> String {
    if kind > ' ' && (kind as u32) < 128 {
        kind.to_string()
    } else {
        format!("\\x{:x}", kind as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Spec::for_int(text, "int")
            .err()
            .map(|e| e.message)
            .unwrap_or_default()
    }

    #[test]
    fn parses() {
        let spec = Spec::for_float("*^+z#12,.3_f", "float").expect("valid");
        assert_eq!(spec.fill, '*');
        assert_eq!(spec.align, Align::Center);
        assert_eq!(spec.sign, Some('+'));
        assert!(spec.no_negative_zero && spec.alternate);
        assert_eq!((spec.width, spec.precision), (12, Some(3)));
        assert_eq!(spec.grouping, Some(Grouping::Comma));
        assert_eq!(spec.fraction_grouping, Some(Grouping::Underscore));
        assert_eq!(spec.kind, 'f');
        let spec = Spec::for_int("08d", "int").expect("valid");
        assert_eq!(
            (spec.fill, spec.align, spec.width),
            ('0', Align::AfterSign, 8)
        );
    }

    #[test]
    fn refuses() {
        assert_eq!(
            error("dd"),
            "Invalid format specifier 'dd' for object of type 'int'"
        );
        assert_eq!(error(",_"), "Cannot specify both ',' and '_'.");
        assert_eq!(error("_,"), "Cannot specify both ',' and '_'.");
        assert_eq!(error(",x"), "Cannot specify ',' with 'x'.");
        assert_eq!(error("."), "Format specifier missing precision");
        assert_eq!(error(",é"), "Cannot specify ',' with '\\xe9'.");
        assert_eq!(
            error("99999999999999999999"),
            "Too many decimal digits in format string"
        );
    }
}
