//! What patterns are matched against, and running the matcher on it.

use super::matcher::{Bytes, Text, Want};
use super::pattern::Pattern;
use crate::builtins::support::memory_error;
use crate::builtins::text_support::{Buf, buffer};
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::chars::{byte_offset, char_position};
use crate::vm::{Res, Vm};

/// The text or bytes of a subject. Places are byte offsets; scripts see code points.
pub enum Subject<'a> {
    Ascii(&'a str),
    Text(&'a str),
    Bytes(Buf<'a>),
}

/// Where a match must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// At the place.
    Match,
    /// At the place, to the end.
    Full,
    /// From the place on.
    Search,
}

impl<'a> Subject<'a> {
    /// The subject in a value; TypeError unless it fits the pattern.
    pub fn of(vm: &Vm, p: &Pattern, v: &'a Value) -> Res<Subject<'a>> {
        let s = Subject::any(v).ok_or_else(|| {
            vm.type_error(format!(
                "expected string or bytes-like object, got '{}'",
                vm.type_name(v)
            ))
        })?;
        match (p.text, matches!(s, Subject::Bytes(_))) {
            (true, true) => {
                Err(vm.type_error("cannot use a string pattern on a bytes-like object"))
            }
            (false, false) => {
                Err(vm.type_error("cannot use a bytes pattern on a string-like object"))
            }
            _ => Ok(s),
        }
    }

    pub fn any(v: &'a Value) -> Option<Subject<'a>> {
        match v.get::<Str>() {
            Some(s) if s.is_ascii() => Some(Subject::Ascii(s.as_str())),
            Some(s) => Some(Subject::Text(s.as_str())),
            None => buffer(v).map(Subject::Bytes),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Subject::Ascii(s) | Subject::Text(s) => s.len(),
            Subject::Bytes(b) => b.len(),
        }
    }
    /// Length in code points.
    pub fn char_len(&self) -> usize {
        self.to_char(self.len())
    }
    pub fn to_char(&self, byte: usize) -> usize {
        match self {
            Subject::Text(s) => char_position(s, false, byte),
            _ => byte,
        }
    }
    pub fn to_byte(&self, at: usize) -> usize {
        match self {
            Subject::Text(s) => byte_offset(s, false, at),
            _ => at.min(self.len()),
        }
    }

    /// The part between two places as a str or bytes.
    pub fn part(&self, vm: &Vm, a: usize, b: usize) -> Value {
        match self {
            Subject::Ascii(s) => vm.part(true, s.get(a..b).unwrap_or("")),
            Subject::Text(s) => vm.str(s.get(a..b).unwrap_or("")),
            Subject::Bytes(data) => vm.bytes(data.get(a..b).unwrap_or(b"")),
        }
    }

    /// The bytes between two places.
    pub fn raw(&self, a: usize, b: usize) -> &[u8] {
        match self {
            Subject::Ascii(s) | Subject::Text(s) => s.as_bytes().get(a..b).unwrap_or(b""),
            Subject::Bytes(data) => data.get(a..b).unwrap_or(b""),
        }
    }

    /// Runs the pattern on the first `end` bytes. True if it matches; then the pattern's machine has the places.
    pub fn run(
        &self,
        vm: &Vm,
        p: &Pattern,
        how: How,
        from: usize,
        end: usize,
        not_end: Option<usize>,
    ) -> Res<bool> {
        if from > end {
            return Ok(false);
        }
        let mut m = p.machine.borrow_mut();
        let want = Want {
            full: how == How::Full,
            not_end,
        };
        let done = match (self, how) {
            (Subject::Text(s), How::Search) => {
                m.search(&p.program, Text(s.get(..end).unwrap_or(s)), from, want)
            }
            (Subject::Text(s), _) => {
                m.match_at(&p.program, Text(s.get(..end).unwrap_or(s)), from, want)
            }
            (s, How::Search) => m.search(&p.program, Bytes(s.raw(0, end)), from, want),
            (s, _) => m.match_at(&p.program, Bytes(s.raw(0, end)), from, want),
        };
        done.map_err(|_| memory_error(vm))
    }
}
