//! `format(v, spec)` of the builtin types: the mini-language behind `__format__`, f-strings and `str.format`.
//!
//! Specs repeat: a program formats with a handful of them, so the parsed forms of short ones are remembered by their text.
//!
//! Rule: exact ints, floats and strs are formatted here without looking `__format__` up; everything else goes through the method.

use crate::builtins::num::IntRef;
use crate::builtins::support::wrong_self;
use crate::builtins::text_support::build_str;
use crate::object::header::{Kind, flag};
use crate::object::num::Complex;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::TextError;
use crate::text::float_repr::push_float_repr;
use crate::text::format_complex::push_complex;
use crate::text::format_num::{push_big, push_float, push_int};
use crate::text::format_str::push_str;
use crate::text::int_text::push_i64;
use crate::text::spec::Spec;
use crate::vm::{Res, Vm};
use std::cell::RefCell;

/// Entries of the memory of parsed specs; a power of two.
const REMEMBERED: usize = 64;
/// Longest spec text that is remembered.
const KEY_BYTES: usize = 15;

/// Which defaults a spec was parsed with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Str = 1,
    Int = 2,
    Float = 3,
}

thread_local! {
    /// (key, spec): the key holds the text and, in its last byte, length and `For`; 0 marks an empty entry.
    static SPECS: RefCell<Vec<(u128, Option<Spec>)>> = const { RefCell::new(Vec::new()) };
}

fn key_of(text: &str, what: For) -> Option<u128> {
    let b = text.as_bytes();
    if b.len() > KEY_BYTES {
        return None;
    }
    let mut key = [0u8; 16];
    key[..b.len()].copy_from_slice(b);
    key[15] = (b.len() as u8) << 2 | what as u8;
    Some(u128::from_le_bytes(key))
}

/// Calls `f` with the parsed spec.
#[inline]
fn with_spec<R>(
    text: &str,
    type_name: &str,
    what: For,
    f: impl FnOnce(&Spec) -> Result<R, TextError>,
) -> Result<R, TextError> {
    let parse = || match what {
        For::Str => Spec::for_str(text, type_name),
        For::Int => Spec::for_int(text, type_name),
        For::Float => Spec::for_float(text, type_name),
    };
    let Some(key) = key_of(text, what) else {
        return f(&parse()?);
    };
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let at = (mixed >> 58) as usize & (REMEMBERED - 1);
    SPECS.with_borrow_mut(|specs| {
        if specs.is_empty() {
            specs.resize(REMEMBERED, (0, None));
        }
        let entry = &mut specs[at];
        if entry.0 != key || entry.1.is_none() {
            *entry = (key, Some(parse()?));
        }
        match &entry.1 {
            Some(spec) => f(spec),
            None => f(&parse()?),
        }
    })
}

/// True for values that are formatted here without asking a method: no subclasses.
#[inline]
fn is_plain(v: &Value) -> bool {
    match v.header() {
        None => v.is_small() || v.is_inline_float(),
        Some(h) => {
            matches!(h.kind, Kind::Str | Kind::Int | Kind::Float)
                && h.flags.get() & flag::SLOTS == 0
        }
    }
}

/// Appends `str(v)` of a plain value.
fn push_plain(vm: &Vm, out: &mut String, v: &Value) -> Res<()> {
    if let Some(i) = v.as_small() {
        push_i64(out, i);
    } else if let Some(s) = v.as_str() {
        out.push_str(s);
    } else if let Some(f) = v.as_float() {
        push_float_repr(out, f);
    } else {
        let s = vm.str_of(v)?;
        out.push_str(s.as_str().unwrap_or(""));
    }
    Ok(())
}

/// Appends `str(v)`.
pub fn push_display(vm: &Vm, out: &mut String, v: &Value) -> Res<()> {
    if is_plain(v) {
        return push_plain(vm, out, v);
    }
    let s = vm.str_of(v)?;
    out.push_str(s.as_str().unwrap_or(""));
    Ok(())
}

/// Appends the formatted number or str by a spec that is not empty.
fn push_with(vm: &Vm, out: &mut String, v: &Value, spec: &str, type_name: &str) -> Res<()> {
    let done = if let Some(s) = v.as_str() {
        with_spec(spec, type_name, For::Str, |p| {
            push_str(out, s, p, type_name)
        })
    } else if let Some(i) = IntRef::of(v) {
        with_spec(spec, type_name, For::Int, |p| match i {
            IntRef::Small(i) => push_int(out, i, p, type_name),
            IntRef::Big(b) => push_big(out, b, p, type_name, vm.max_digits()),
        })
    } else if let Some(f) = v.as_float() {
        with_spec(spec, type_name, For::Float, |p| {
            push_float(out, f, p, type_name)
        })
    } else if let Some(c) = v.get::<Complex>() {
        with_spec(spec, type_name, For::Float, |p| {
            push_complex(out, c.re, c.im, p, type_name)
        })
    } else {
        return Err(wrong_self(vm, v));
    };
    done.map_err(|e| vm.text_error(e))
}

fn plain_name(v: &Value) -> &'static str {
    match v.kind() {
        Kind::Str => "str",
        Kind::Float => "float",
        _ => "int",
    }
}

/// `__format__` of the builtin types.
pub fn format_method(vm: &Vm, v: &Value, spec: &Value) -> Res {
    let Some(text) = spec.as_str() else {
        return Err(vm.wrong_type("__format__() argument", "str", spec));
    };
    if text.is_empty() {
        return vm.str_of(v);
    }
    if is_plain(v) {
        return build_str(vm, |out| push_with(vm, out, v, text, plain_name(v)));
    }
    let name = vm.type_name(v);
    build_str(vm, |out| push_with(vm, out, v, text, &name))
}

impl Vm {
    /// `format(v, spec)` of exact ints, floats and strs; None for everything else.
    #[inline]
    pub fn format_plain(&self, v: &Value, spec: &Value) -> Option<Res> {
        if !is_plain(v) {
            return None;
        }
        let text = spec.as_str()?;
        if text.is_empty() {
            return Some(match v.kind() {
                Kind::Str => Ok(v.clone()),
                Kind::Float => crate::builtins::float::repr(self, v),
                _ => crate::builtins::int::repr(self, v),
            });
        }
        Some(build_str(self, |out| {
            push_with(self, out, v, text, plain_name(v))
        }))
    }

    /// Appends `format(v, spec)`.
    pub fn push_formatted(&self, out: &mut String, v: &Value, spec: &str) -> Res<()> {
        if is_plain(v) {
            return if spec.is_empty() {
                push_plain(self, out, v)
            } else {
                push_with(self, out, v, spec, plain_name(v))
            };
        }
        let spec = self.str(spec);
        let r = self.format(v, &spec)?;
        if let Some(s) = r.get::<Str>() {
            out.push_str(s.as_str());
        }
        Ok(())
    }
}
