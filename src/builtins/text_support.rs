//! What the natives of numbers, str and bytes share: errors of the `text` algorithms as exceptions, the bytes of any bytes-like object, a scratch
//! buffer, arguments of str methods.
//!
//! Rule: a `Buf` of a bytearray holds a borrow of it; drop it before script code can run.

use crate::builtins::support::{clamped, has_index, memory_error};
use crate::object::header::Kind;
use crate::object::seq::{ByteArray, Bytes};
use crate::object::str::{MAX_LEN, Str};
use crate::object::text::MemoryView;
use crate::object::value::Value;
use crate::text::{ErrKind, TextError};
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, Ref};
use std::ops::Deref;

impl Vm {
    /// The exception for an error of the `text` algorithms (Unicode errors: see `unicode_error`).
    #[cold]
    pub fn text_error(&self, e: TextError) -> Raised {
        let exc = match e.kind {
            ErrKind::ValueError => Exc::ValueError,
            ErrKind::OverflowError => Exc::OverflowError,
            ErrKind::TypeError => Exc::TypeError,
            ErrKind::ZeroDivisionError => Exc::ZeroDivisionError,
            ErrKind::LookupError => Exc::LookupError,
            ErrKind::KeyError => Exc::KeyError,
            ErrKind::IndexError => Exc::IndexError,
            ErrKind::MemoryError => return memory_error(self),
            ErrKind::UnicodeEncodeError(_) | ErrKind::UnicodeDecodeError(_) => Exc::UnicodeError,
        };
        self.error(exc, e.message)
    }

    /// As `text_error`, for encoding and decoding: `object` is what was to be converted.
    #[cold]
    pub fn unicode_error(&self, e: TextError, object: &Value) -> Raised {
        let (exc, span) = match &e.kind {
            ErrKind::UnicodeEncodeError(s) => (Exc::UnicodeEncodeError, s),
            ErrKind::UnicodeDecodeError(s) => (Exc::UnicodeDecodeError, s),
            _ => return self.text_error(e),
        };
        let args = [
            self.str(&span.encoding),
            object.clone(),
            self.usize(span.start),
            self.usize(span.end),
            self.str(&span.reason),
        ];
        match self.call(self.exc_type(exc), &args) {
            Ok(v) => Raised(v),
            Err(e) => e,
        }
    }

    /// Part of a str with known ASCIIness.
    #[inline]
    pub fn part(&self, ascii: bool, s: &str) -> Value {
        if ascii && s.len() > 1 {
            self.str_with(s, s.len(), 0)
        } else {
            self.str(s)
        }
    }

    /// MemoryError unless a str or bytes of that size can be had.
    pub fn check_text_room(&self, size: usize) -> Res<()> {
        if size < 1 << 24 {
            return Ok(());
        }
        if size > MAX_LEN || Vec::<u8>::new().try_reserve_exact(size).is_err() {
            return Err(memory_error(self));
        }
        Ok(())
    }

    /// A str of text whose size is not known to be reasonable.
    pub fn str_checked(&self, s: &str) -> Res {
        if s.len() > MAX_LEN {
            Err(memory_error(self))
        } else {
            Ok(self.str(s))
        }
    }
}

thread_local! {
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Largest buffer that is kept for the next use.
const SCRATCH_KEPT: usize = 1 << 16;

/// Makes a str from text written into a buffer that is used again and again, so that the text is allocated once.
#[inline]
pub fn build_str(vm: &Vm, write: impl FnOnce(&mut String) -> Res<()>) -> Res {
    let mut buf = SCRATCH.take();
    buf.clear();
    let done = write(&mut buf);
    let r = match done {
        Ok(()) => vm.str_checked(&buf),
        Err(e) => Err(e),
    };
    if buf.capacity() <= SCRATCH_KEPT {
        SCRATCH.set(buf);
    }
    r
}

/// The bytes of a bytes-like object.
pub enum Buf<'a> {
    Slice(&'a [u8]),
    Borrowed(Ref<'a, Vec<u8>>),
    Owned(Vec<u8>),
}

impl Deref for Buf<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Buf::Slice(s) => s,
            Buf::Borrowed(r) => r,
            Buf::Owned(v) => v,
        }
    }
}

/// The bytes of bytes, bytearray, memoryview and their subclasses; None for anything else.
#[inline]
pub fn buffer(v: &Value) -> Option<Buf<'_>> {
    match v.kind() {
        Kind::Bytes => v.get::<Bytes>().map(|b| Buf::Slice(&b.data)),
        Kind::ByteArray => v.get::<ByteArray>().map(|b| Buf::Borrowed(b.data.borrow())),
        Kind::MemoryView => v.get::<MemoryView>().map(|m| Buf::Owned(view_bytes(m))),
        _ => None,
    }
}

/// A copy of what a view shows (nothing once it is released).
pub fn view_bytes(m: &MemoryView) -> Vec<u8> {
    let obj = m.obj.borrow().clone();
    let Some(data) = (match obj.kind() {
        Kind::Bytes | Kind::ByteArray => buffer(&obj),
        _ => None,
    }) else {
        return Vec::new();
    };
    if m.stride == m.itemsize as isize {
        let start = m.start.max(0) as usize;
        return data
            .get(start..start + m.len * m.itemsize)
            .unwrap_or(&[])
            .to_vec();
    }
    let mut out = Vec::with_capacity(m.len * m.itemsize);
    for i in 0..m.len as isize {
        let at = (m.start + i * m.stride).max(0) as usize;
        out.extend_from_slice(data.get(at..at + m.itemsize).unwrap_or(&[]));
    }
    out
}

/// The bytes of a bytes-like argument, or "a bytes-like object is required, not 'X'".
pub fn need_buffer<'a>(vm: &Vm, v: &'a Value) -> Res<Buf<'a>> {
    buffer(v).ok_or_else(|| {
        vm.type_error(format!(
            "a bytes-like object is required, not '{}'",
            vm.type_name(v)
        ))
    })
}

/// A start or end argument: None for the script's None.
#[inline]
pub fn bound(vm: &Vm, v: &Value) -> Res<Option<i64>> {
    if let Some(i) = v.as_small() {
        return Ok(Some(i));
    }
    if v.non_none().is_none() {
        return Ok(None);
    }
    if !has_index(vm, v) {
        return Err(
            vm.type_error("slice indices must be integers or None or have an __index__ method")
        );
    }
    clamped(vm, v).map(Some)
}

/// The payload of a str argument; `what` begins the error text: "find() argument 1".
#[inline]
pub fn text_arg<'a>(vm: &Vm, v: &'a Value, what: &str) -> Res<&'a Str> {
    match v.get::<Str>() {
        Some(s) => Ok(s),
        None => Err(vm.wrong_type(what, "str", v)),
    }
}

/// The text of an optional str argument.
pub fn opt_text<'a>(vm: &Vm, v: &'a Value, what: &str) -> Res<Option<&'a str>> {
    match v.given() {
        None => Ok(None),
        Some(v) => text_arg(vm, v, what).map(|s| Some(s.as_str())),
    }
}
