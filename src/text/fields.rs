//! `str.format` templates: literal text, replacement fields, field names.
//!
//! `Markup` yields pieces lazily, so errors come in CPython's order. A
//! format spec that itself holds fields is handed back unexpanded; the caller
//! runs `Markup` over it again, at most `MAX_DEPTH` deep, with the same
//! `AutoNumber`.

use super::error::TextError;
use super::spec::too_many_digits;
use super::unidata;

/// How deep templates nest: the template itself and the specs inside it.
pub const MAX_DEPTH: usize = 2;

/// What nesting deeper than `MAX_DEPTH` raises.
pub fn too_deep() -> TextError {
    TextError::value("Max string recursion exceeded")
}

/// A replacement field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldMarkup<'a> {
    /// The whole name with its attributes and indexes: see `FieldName`.
    pub name: &'a str,
    pub conversion: Option<char>,
    pub spec: &'a str,
    /// The spec holds fields of its own.
    pub nested: bool,
}

/// A step through a template: literal text (perhaps empty), then perhaps a
/// field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    pub literal: &'a str,
    pub field: Option<FieldMarkup<'a>>,
}

/// Iterates over a template.
#[derive(Debug, Clone)]
pub struct Markup<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Markup<'a> {
    pub fn new(text: &'a str) -> Markup<'a> {
        Markup { text, at: 0 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn step(&mut self) -> Result<Step<'a>, TextError> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let Some(found) = memchr::memchr2(b'{', b'}', rest) else {
            self.at = self.text.len();
            return Ok(Step {
                literal: &self.text[start..],
                field: None,
            });
        };
        let brace = start + found;
        if self.byte(brace + 1) == self.byte(brace) {
            // A doubled brace: the literal takes in the first of the two.
            self.at = brace + 2;
            return Ok(Step {
                literal: &self.text[start..brace + 1],
                field: None,
            });
        }
        if self.byte(brace) == Some(b'}') {
            return Err(TextError::value("Single '}' encountered in format string"));
        }
        if brace + 1 == self.text.len() {
            return Err(TextError::value("Single '{' encountered in format string"));
        }
        self.at = brace + 1;
        let field = self.field()?;
        Ok(Step {
            literal: &self.text[start..brace],
            field: Some(field),
        })
    }

    /// Reads a field after its opening brace.
    fn field(&mut self) -> Result<FieldMarkup<'a>, TextError> {
        let start = self.at;
        let mut at = start;
        let stop = loop {
            match self.byte(at) {
                None => return Err(TextError::value("expected '}' before end of string")),
                Some(b'{') => return Err(TextError::value("unexpected '{' in field name")),
                Some(b'[') => {
                    at += 1;
                    while self.byte(at).is_some_and(|b| b != b']') {
                        at += 1;
                    }
                }
                Some(stop @ (b'}' | b':' | b'!')) => break stop,
                Some(_) => at += 1,
            }
        };
        let name = &self.text[start..at];
        at += 1;
        let mut conversion = None;
        if stop == b'}' {
            self.at = at;
            return Ok(FieldMarkup {
                name,
                conversion,
                spec: "",
                nested: false,
            });
        }
        if stop == b'!' {
            let Some(c) = self.text[at..].chars().next() else {
                return Err(TextError::value(
                    "end of string while looking for conversion specifier",
                ));
            };
            conversion = Some(c);
            at += c.len_utf8();
            match self.byte(at) {
                Some(b'}') => {
                    self.at = at + 1;
                    return Ok(FieldMarkup {
                        name,
                        conversion,
                        spec: "",
                        nested: false,
                    });
                }
                Some(b':') => at += 1,
                Some(_) => {
                    return Err(TextError::value("expected ':' after conversion specifier"));
                }
                None => {}
            }
        }
        let spec_start = at;
        let mut depth = 1;
        let mut nested = false;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'{' => {
                    nested = true;
                    depth += 1;
                }
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = at + 1;
                let spec = &self.text[spec_start..at];
                return Ok(FieldMarkup {
                    name,
                    conversion,
                    spec,
                    nested,
                });
            }
            at += 1;
        }
        Err(TextError::value("unmatched '{' in format spec"))
    }
}

impl<'a> Iterator for Markup<'a> {
    type Item = Result<Step<'a>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.at = self.text.len();
        }
        Some(step)
    }
}

/// The error for a conversion other than r, s and a.
pub fn unknown_conversion(conversion: char) -> TextError {
    let code = conversion as u32;
    TextError::value(if code > 32 && code < 127 {
        format!("Unknown conversion specifier {conversion}")
    } else {
        format!("Unknown conversion specifier \\x{code:x}")
    })
}

/// Whether a template numbers its fields by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AutoNumber {
    #[default]
    Undecided,
    Manual,
    /// The next number.
    Auto(usize),
}

/// What a field name starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First<'a> {
    Index(usize),
    Name(&'a str),
}

/// A step from an object to what the field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access<'a> {
    Attribute(&'a str),
    Index(usize),
    Item(&'a str),
}

/// A number, if the text is all decimal digits.
fn index_of(text: &str) -> Result<Option<usize>, TextError> {
    let mut value = 0usize;
    for c in text.chars() {
        let Some(digit) = unidata::decimal_value(c) else {
            return Ok(None);
        };
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(digit as usize))
            .filter(|v| *v <= isize::MAX as usize)
            .ok_or_else(too_many_digits)?;
    }
    Ok((!text.is_empty()).then_some(value))
}

/// Splits a field name into its start and the accesses that follow, numbering
/// an empty start. `auto` is `None` for `string.Formatter`-like splitting,
/// where an empty start stays a name.
pub fn split_name<'a>(
    name: &'a str,
    auto: Option<&mut AutoNumber>,
) -> Result<(First<'a>, Accesses<'a>), TextError> {
    let end = name
        .bytes()
        .position(|b| matches!(b, b'.' | b'['))
        .unwrap_or(name.len());
    let (first, rest) = name.split_at(end);
    let mut index = index_of(first)?;
    if let Some(auto) = auto
        && (first.is_empty() || index.is_some())
    {
        let switch = |from: &str, to: &str| {
            Err(TextError::value(format!(
                "cannot switch from {from} to {to}"
            )))
        };
        const MANUAL: &str = "manual field specification";
        const AUTO: &str = "automatic field numbering";
        match (*auto, first.is_empty()) {
            (AutoNumber::Undecided, true) => *auto = AutoNumber::Auto(0),
            (AutoNumber::Undecided, false) => *auto = AutoNumber::Manual,
            (AutoNumber::Manual, true) => return switch(MANUAL, AUTO),
            (AutoNumber::Auto(_), false) => return switch(AUTO, MANUAL),
            _ => {}
        }
        if let AutoNumber::Auto(next) = auto {
            index = Some(*next);
            *next += 1;
        }
    }
    let first = index.map_or(First::Name(first), First::Index);
    Ok((first, Accesses { rest }))
}

/// Iterates over the attributes and indexes after a field's start.
#[derive(Debug, Clone)]
pub struct Accesses<'a> {
    rest: &'a str,
}

impl<'a> Accesses<'a> {
    fn access(&mut self) -> Result<Access<'a>, TextError> {
        let empty = || TextError::value("Empty attribute in format string");
        if let Some(tail) = self.rest.strip_prefix('.') {
            let end = tail
                .bytes()
                .position(|b| matches!(b, b'.' | b'['))
                .unwrap_or(tail.len());
            let (name, rest) = tail.split_at(end);
            self.rest = rest;
            return if name.is_empty() {
                Err(empty())
            } else {
                Ok(Access::Attribute(name))
            };
        }
        let Some(tail) = self.rest.strip_prefix('[') else {
            return Err(TextError::value(
                "Only '.' or '[' may follow ']' in format field specifier",
            ));
        };
        let Some((name, rest)) = tail.split_once(']') else {
            return Err(TextError::value("Missing ']' in format string"));
        };
        self.rest = rest;
        if name.is_empty() {
            return Err(empty());
        }
        Ok(index_of(name)?.map_or(Access::Item(name), Access::Index))
    }
}

impl<'a> Iterator for Accesses<'a> {
    type Item = Result<Access<'a>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let access = self.access();
        if access.is_err() {
            self.rest = "";
        }
        Some(access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let mut auto = AutoNumber::default();
        for step in Markup::new(text) {
            match step {
                Err(e) => return e.message,
                Ok(Step {
                    field: Some(field), ..
                }) => match split_name(field.name, Some(&mut auto)) {
                    Err(e) => return e.message,
                    Ok((_, accesses)) => {
                        for access in accesses {
                            if let Err(e) = access {
                                return e.message;
                            }
                        }
                    }
                },
                Ok(_) => {}
            }
        }
        String::new()
    }

    #[test]
    fn markup() {
        let steps: Vec<_> = Markup::new("a{{b{0.x[y]!r:>{w}}c}}")
            .collect::<Result<_, _>>()
            .expect("valid");
        assert_eq!(
            steps[0],
            Step {
                literal: "a{",
                field: None
            }
        );
        let field = steps[1].field.expect("field");
        assert_eq!(
            (steps[1].literal, field.name, field.spec),
            ("b", "0.x[y]", ">{w}")
        );
        assert!(field.nested && field.conversion == Some('r'));
        assert_eq!(steps[2].literal, "c}");
        let (first, rest) = split_name("0.x[y][7]", None).expect("valid");
        assert_eq!(first, First::Index(0));
        let rest: Vec<_> = rest.collect::<Result<_, _>>().expect("valid");
        assert_eq!(
            rest,
            [Access::Attribute("x"), Access::Item("y"), Access::Index(7)]
        );
    }

    #[test]
    fn errors() {
        for (text, want) in [
            ("{", "Single '{' encountered in format string"),
            ("}", "Single '}' encountered in format string"),
            ("{}}", "Single '}' encountered in format string"),
            ("{0!}", "unmatched '{' in format spec"),
            ("{0!r", "unmatched '{' in format spec"),
            ("{0!rx}", "expected ':' after conversion specifier"),
            (
                "{0!",
                "end of string while looking for conversion specifier",
            ),
            ("{0.}", "Empty attribute in format string"),
            ("{0[}", "expected '}' before end of string"),
            (
                "{0[a]b}",
                "Only '.' or '[' may follow ']' in format field specifier",
            ),
            ("{0[]}", "Empty attribute in format string"),
            (
                "{}{0}",
                "cannot switch from automatic field numbering to manual field specification",
            ),
            (
                "{0}{}",
                "cannot switch from manual field specification to automatic field numbering",
            ),
            ("{a{}", "unexpected '{' in field name"),
            ("{a", "expected '}' before end of string"),
            ("{:{}", "unmatched '{' in format spec"),
            (
                "{99999999999999999999}",
                "Too many decimal digits in format string",
            ),
        ] {
            assert_eq!(error(text), want, "{text}");
        }
        assert_eq!(
            unknown_conversion('x').message,
            "Unknown conversion specifier x"
        );
    }
}
