//! Native functions: how Rust code is made callable from scripts.
//!
//! A definition names the script-level signature once, as text; binding (keywords, defaults, errors) is done by `vm::native_call` from it,
//! and the function always gets one value per parameter: the argument, or the default written in the signature, or unbound if there is
//! none. `*args` arrives as a tuple, `**kwargs` as a dict.
//!
//! Example: `NativeDef { sig: "sorted(iterable, /, *, key=None, reverse=False)", f: sorted, doc: "..." }`.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::seq::Tuple;
use super::value::Value;
use crate::vm::{Res, Vm};
use std::cell::OnceCell;
use std::rc::Rc;

/// What a native gets: one value per parameter of its signature.
pub type NativeFn = fn(&Vm, &[Value]) -> Res;

/// One row of a table of native functions.
pub struct NativeDef {
    /// `name(parameters)` with `/`, `*`, `*args`, `**kw` and defaults (None, True, False, ints, strings, `...` for "no value"). Methods name `self` first.
    pub sig: &'static str,
    pub f: NativeFn,
    pub doc: &'static str,
}

impl NativeDef {
    /// The function's name: the signature up to the parenthesis.
    pub fn name(&self) -> &'static str {
        self.sig.split('(').next().unwrap_or(self.sig)
    }
}

/// A parsed parameter.
pub struct Param {
    pub name: Value,
    /// Unbound if the parameter is required or has no default value.
    pub default: Value,
    pub required: bool,
}

/// A parsed signature.
pub struct Signature {
    /// Positional-only, then positional-or-keyword, then keyword-only parameters.
    pub params: Vec<Param>,
    pub posonly: usize,
    /// Positional parameters in all.
    pub positional: usize,
    /// Required positional parameters.
    pub required: usize,
    pub varargs: bool,
    pub varkw: bool,
}

/// The payload of builtin functions and methods.
pub struct Native {
    pub def: &'static NativeDef,
    /// The bound object, or unbound.
    pub self_: Value,
    /// The class for methods of types (before binding), or unbound. Calls check `self` against it.
    pub owner: Value,
    /// `__module__` name or unbound.
    pub module: Value,
    /// Parsed on the first call; bound methods share that of the function they were made from.
    pub sig: OnceCell<Rc<Signature>>,
}

// SAFETY: one type per kind; each value is visited once (signature defaults are immediates and strs).
unsafe impl Payload for Native {
    const KIND: Kind = Kind::Native;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.self_);
        visit(&self.owner);
        visit(&self.module);
    }
}

/// The arguments of a call: positionals, then the values of the keywords.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    pub all: &'a [Value],
    /// Names of the last `names.len()` values of `all` (strs).
    pub names: &'a [Value],
}

impl<'a> Args<'a> {
    pub const EMPTY: Args<'static> = Args {
        all: &[],
        names: &[],
    };

    /// Positional arguments only.
    pub fn positional(all: &'a [Value]) -> Args<'a> {
        Args { all, names: &[] }
    }
    pub fn pos(&self) -> &'a [Value] {
        &self.all[..self.all.len() - self.names.len()]
    }
    /// Keywords as pairs.
    pub fn keywords(&self) -> impl Iterator<Item = (&'a Value, &'a Value)> {
        self.names
            .iter()
            .zip(&self.all[self.all.len() - self.names.len()..])
    }
    pub fn has_keywords(&self) -> bool {
        !self.names.is_empty()
    }
}

/// The items of a tuple value, or nothing.
pub fn tuple_items(v: &Value) -> &[Value] {
    v.get::<Tuple>().map_or(&[], |t| t)
}
