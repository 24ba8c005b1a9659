//! Replacement templates: `\1`, `\g<name>` and escapes.

use super::matcher::UNSET;
use super::parse::{ReError, digit, shown};
use super::pattern::Pattern;
use super::program::push_char;
use super::subject::Subject;
use crate::builtins::text_support::buffer;
use crate::object::value::Value;
use crate::text::case::is_identifier;
use crate::text::repr::{bytes_repr, str_repr};
use crate::vm::{Res, Vm};
use std::rc::Rc;

enum Piece {
    Literal(Vec<u8>),
    Group(usize),
}

pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Appends what the template makes of a match.
    pub fn push(&self, out: &mut Vec<u8>, s: &Subject, slots: &[usize]) {
        for p in &self.pieces {
            match p {
                Piece::Literal(b) => out.extend_from_slice(b),
                Piece::Group(g) => {
                    if let (Some(a), Some(b)) = (slots.get(g * 2), slots.get(g * 2 + 1))
                        && *a != UNSET
                        && *b != UNSET
                    {
                        out.extend_from_slice(s.raw(*a, *b));
                    }
                }
            }
        }
    }
}

/// The output of a substitution as a str or bytes.
pub fn finish(vm: &Vm, p: &Pattern, out: Vec<u8>) -> Value {
    if !p.text {
        return vm.bytes_vec(out);
    }
    match String::from_utf8(out) {
        Ok(s) => vm.str(&s),
        Err(e) => vm.str(&String::from_utf8_lossy(e.as_bytes())),
    }
}

struct Reader<'a> {
    src: &'a [u32],
    pos: usize,
    pattern: &'a Pattern,
    out: Vec<Piece>,
    literal: Vec<u8>,
}

enum TemplateError {
    Re(ReError),
    UnknownName(String),
}

impl From<ReError> for TemplateError {
    fn from(e: ReError) -> TemplateError {
        TemplateError::Re(e)
    }
}

fn error<T>(message: String, at: usize) -> Result<T, TemplateError> {
    Err(TemplateError::Re(ReError::Pattern(message, Some(at))))
}

impl Reader<'_> {
    fn char(&mut self, c: u32) {
        push_char(&mut self.literal, c, self.pattern.text);
    }
    fn group(&mut self, g: usize, at: usize) -> Result<(), TemplateError> {
        if g > self.pattern.groups {
            return error(format!("invalid group reference {g}"), at);
        }
        if !self.literal.is_empty() {
            self.out
                .push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
        self.out.push(Piece::Group(g));
        Ok(())
    }
    fn peek_digit(&self, base: u32) -> Option<u32> {
        self.src.get(self.pos).and_then(|c| digit(*c, base))
    }

    /// `\g<...>`; the letter is read.
    fn named(&mut self) -> Result<(), TemplateError> {
        if self.src.get(self.pos) != Some(&('<' as u32)) {
            return error("missing <".into(), self.pos);
        }
        self.pos += 1;
        let start = self.pos;
        let Some(len) = self.src[start..].iter().position(|c| *c == '>' as u32) else {
            return if start == self.src.len() {
                error("missing group name".into(), start)
            } else {
                error("missing >, unterminated name".into(), start)
            };
        };
        if len == 0 {
            return error("missing group name".into(), start);
        }
        let name = shown(&self.src[start..start + len]);
        self.pos = start + len + 1;
        if name.bytes().all(|b| b.is_ascii_digit()) {
            return match name.parse::<usize>() {
                Ok(g) => self.group(g, start),
                Err(_) => error(format!("invalid group reference {name}"), start),
            };
        }
        if !self.pattern.text && !name.is_ascii() {
            let raw: Vec<u8> = name.chars().map(|c| c as u32 as u8).collect();
            return error(
                format!("bad character in group name {}", bytes_repr(&raw)),
                start,
            );
        }
        if !is_identifier(&name) {
            return error(
                format!("bad character in group name {}", str_repr(&name)),
                start,
            );
        }
        match self
            .pattern
            .names
            .iter()
            .find(|n| n.0.as_str() == Some(&name))
        {
            Some(&(_, g)) => self.group(g, start),
            None => Err(TemplateError::UnknownName(name)),
        }
    }

    fn number(&mut self, first: u32, start: usize) -> Result<(), TemplateError> {
        let mut g = first;
        if let Some(d) = self.peek_digit(10) {
            self.pos += 1;
            if first < 8
                && d < 8
                && let Some(third) = self.peek_digit(8)
            {
                self.pos += 1;
                let value = first * 64 + d * 8 + third;
                if value > 0o377 {
                    let escape = shown(&self.src[start..self.pos]);
                    return error(
                        format!("octal escape value {escape} outside of range 0-0o377"),
                        start,
                    );
                }
                self.char(value);
                return Ok(());
            }
            g = g * 10 + d;
        }
        self.group(g as usize, start + 1)
    }

    fn read(&mut self) -> Result<(), TemplateError> {
        while let Some(c) = self.src.get(self.pos).copied() {
            let start = self.pos;
            self.pos += 1;
            if c != '\\' as u32 {
                self.char(c);
                continue;
            }
            let Some(code) = self.src.get(self.pos).copied() else {
                return error("bad escape (end of pattern)".into(), start);
            };
            self.pos += 1;
            match char::from_u32(code).unwrap_or('\u{fffd}') {
                'g' => self.named()?,
                '0' => {
                    let mut value = 0;
                    for _ in 0..2 {
                        if let Some(d) = self.peek_digit(8) {
                            value = value * 8 + d;
                            self.pos += 1;
                        }
                    }
                    self.char(value);
                }
                d @ '1'..='9' => self.number(d as u32 - '0' as u32, start)?,
                'a' => self.char(7),
                'b' => self.char(8),
                'f' => self.char(12),
                'n' => self.char(10),
                'r' => self.char(13),
                't' => self.char(9),
                'v' => self.char(11),
                '\\' => self.char(92),
                c if c.is_ascii_alphabetic() => return error(format!("bad escape \\{c}"), start),
                _ => {
                    self.char(92);
                    self.char(code);
                }
            }
        }
        if !self.literal.is_empty() {
            self.out
                .push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
        Ok(())
    }
}

/// The parsed form of a template value; the last one is remembered with the pattern.
pub fn parse_value(vm: &Vm, p: &Pattern, _pattern: &Value, v: &Value) -> Res<Rc<Template>> {
    if let Some((known, t)) = &*p.template.borrow()
        && known.is(v)
    {
        return Ok(t.clone());
    }
    let src: Vec<u32> = if let Some(s) = v.as_str().filter(|_| p.text) {
        s.chars().map(|c| c as u32).collect()
    } else if let Some(b) = buffer(v).filter(|_| !p.text) {
        b.iter().map(|b| *b as u32).collect()
    } else if p.text {
        return Err(vm.type_error(format!("expected str instance, {} found", vm.type_name(v))));
    } else {
        return Err(vm.type_error(format!(
            "expected a bytes-like object, {} found",
            vm.type_name(v)
        )));
    };
    let mut r = Reader {
        src: &src,
        pos: 0,
        pattern: p,
        out: Vec::new(),
        literal: Vec::new(),
    };
    match r.read() {
        Ok(()) => {}
        Err(TemplateError::Re(e)) => return Err(super::re_error(vm, e, v)),
        Err(TemplateError::UnknownName(n)) => {
            return Err(vm.index_error(format!("unknown group name {}", str_repr(&n))));
        }
    }
    let t = Rc::new(Template { pieces: r.out });
    let old = p.template.replace(Some((v.clone(), t.clone())));
    drop(old);
    Ok(t)
}
