//! The operations of the language on any value, by the slots of its type: repr, str, hash, truth, length, iteration, items, formatting, conversion
//! to index and float.
//!
//! Rules:
//! 1. Results of special methods are checked here, once, for natives and scripts alike.
//! 2. Loops over containers copy each item out before script code runs.

use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::object::header::{Kind, flag};
use crate::object::num::Int;
use crate::object::seq::{List, Tuple};
use crate::object::str::Str;
use crate::object::types::{CmpOp, TypeObj, tflag};
use crate::object::value::Value;
use crate::text::numhash::hash_i64;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// Most items that a length hint may reserve room for.
const MAX_RESERVE: usize = 1 << 16;

/// True for a str that is not an instance of a script's subclass.
#[inline(always)]
fn is_exact_str(v: &Value) -> bool {
    v.is_kind::<Str>() && v.header().is_some_and(|h| h.flags.get() & flag::SLOTS == 0)
}

impl Vm {
    // ---- text

    /// `repr(v)`.
    pub fn repr(&self, v: &Value) -> Res {
        self.check_native_stack()?;
        let Some(f) = self.type_obj(v).slots().repr else {
            return Ok(self.str(&format!("<{} object>", self.type_name(v))));
        };
        let r = f(self, v)?;
        if r.is_kind::<Str>() {
            Ok(r)
        } else {
            Err(self.type_error(format!(
                "__repr__ returned non-string (type {})",
                self.type_name(&r)
            )))
        }
    }

    /// `str(v)`.
    pub fn str_of(&self, v: &Value) -> Res {
        if is_exact_str(v) {
            return Ok(v.clone());
        }
        self.check_native_stack()?;
        let Some(f) = self.type_obj(v).slots().str else {
            return self.repr(v);
        };
        let r = f(self, v)?;
        if r.is_kind::<Str>() {
            Ok(r)
        } else {
            Err(self.type_error(format!(
                "__str__ returned non-string (type {})",
                self.type_name(&r)
            )))
        }
    }

    pub fn repr_string(&self, v: &Value) -> Res<String> {
        Ok(self.repr(v)?.as_str().unwrap_or("").to_string())
    }
    pub fn str_string(&self, v: &Value) -> Res<String> {
        Ok(self.str_of(v)?.as_str().unwrap_or("").to_string())
    }

    /// `ascii(v)`.
    pub fn ascii(&self, v: &Value) -> Res {
        let r = self.repr(v)?;
        let text = r.as_str().unwrap_or("");
        if text.is_ascii() {
            return Ok(r);
        }
        let mut out = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match c as u32 {
                0..=0x7f => out.push(c),
                n @ 0x80..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ 0x100..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            }
        }
        Ok(self.str(&out))
    }

    /// `format(v, spec)`.
    pub fn format(&self, v: &Value, spec: &Value) -> Res {
        if spec.as_str() == Some("") && (is_exact_str(v) || v.is_small()) {
            return self.str_of(v);
        }
        let r = match self.call_special(v, &self.names.__format__, std::slice::from_ref(spec))? {
            Some(r) => r,
            None => {
                return Err(self.type_error(format!(
                    "Type {} doesn't define __format__",
                    self.type_name(v)
                )));
            }
        };
        if r.is_kind::<Str>() {
            Ok(r)
        } else {
            Err(self.type_error(format!(
                "__format__ must return a str, not {}",
                self.type_name(&r)
            )))
        }
    }

    /// Marks a container whose repr is under way; false if it was marked already (then its repr is `...`).
    pub fn repr_enter(&self, v: &Value) -> bool {
        let mut guard = self.repr_guard.borrow_mut();
        if guard.contains(&v.id()) {
            return false;
        }
        guard.push(v.id());
        true
    }
    pub fn repr_leave(&self, v: &Value) {
        let mut guard = self.repr_guard.borrow_mut();
        if let Some(at) = guard.iter().rposition(|&id| id == v.id()) {
            guard.remove(at);
        }
    }

    // ---- hash, truth, length

    /// `hash(v)`.
    #[inline]
    pub fn hash(&self, v: &Value) -> Res<i64> {
        if let Some(i) = v.as_small() {
            return Ok(hash_i64(i));
        }
        if let Some(s) = v.get::<Str>()
            && is_exact_str(v)
        {
            return Ok(self.hash_str(s));
        }
        match self.type_obj(v).slots().hash {
            Some(f) => {
                self.check_native_stack()?;
                f(self, v)
            }
            None => super::slots::unhashable(self, v),
        }
    }

    /// The truth of a value.
    #[inline]
    pub fn truth(&self, v: &Value) -> Res<bool> {
        match v.bits() {
            Value::TRUE_BITS => return Ok(true),
            Value::FALSE_BITS | Value::NONE_BITS => return Ok(false),
            _ => {}
        }
        if let Some(i) = v.as_small() {
            return Ok(i != 0);
        }
        let s = self.type_obj(v).slots();
        if let Some(f) = s.bool {
            return f(self, v);
        }
        match s.len {
            Some(f) => Ok(f(self, v)? != 0),
            None => Ok(true),
        }
    }

    /// `len(v)`.
    #[inline]
    pub fn len(&self, v: &Value) -> Res<usize> {
        match self.type_obj(v).slots().len {
            Some(f) => f(self, v),
            None => Err(self.type_error(format!(
                "object of type '{}' has no len()",
                self.type_name(v)
            ))),
        }
    }

    /// About how many items an iterable has; 0 if it does not say. Errors of `__length_hint__` count as "does not say".
    pub fn length_hint(&self, v: &Value) -> usize {
        let known = match self.type_obj(v).slots().len {
            Some(f) => f(self, v).ok(),
            None => match self.call_special(v, &self.names.__length_hint__, &[]) {
                Ok(Some(r)) => r.as_small().and_then(|i| usize::try_from(i).ok()),
                _ => None,
            },
        };
        known.unwrap_or(0)
    }

    // ---- iteration

    /// `iter(v)`.
    pub fn iter(&self, v: &Value) -> Res {
        let s = self.type_obj(v).slots();
        if let Some(f) = s.iter {
            let it = f(self, v)?;
            if self.type_obj(&it).slots().next.is_none() {
                return Err(self.type_error(format!(
                    "iter() returned non-iterator of type '{}'",
                    self.type_name(&it)
                )));
            }
            return Ok(it);
        }
        if s.getitem.is_some() && !self.type_obj(v).has(tflag::MAPPING) {
            return Ok(self.sequence_iterator(v));
        }
        Err(self.type_error(format!("'{}' object is not iterable", self.type_name(v))))
    }

    /// The next item, or None at the end.
    #[inline]
    pub fn next(&self, it: &Value) -> Res<Option<Value>> {
        match self.type_obj(it).slots().next {
            Some(f) => match f(self, it) {
                Err(e) if self.is_exc(&e, Exc::StopIteration) => Ok(None),
                r => r,
            },
            None => Err(self.type_error(format!(
                "'{}' object is not an iterator",
                self.type_name(it)
            ))),
        }
    }

    /// Calls `f` with each item.
    pub fn iterate(&self, v: &Value, f: &mut dyn FnMut(Value) -> Res<()>) -> Res<()> {
        if self.is_exact(v, Kind::List)
            && let Some(l) = v.get::<List>()
        {
            let mut i = 0;
            while let Some(item) = l.get(i) {
                f(item)?;
                i += 1;
            }
            return Ok(());
        }
        if self.is_exact(v, Kind::Tuple)
            && let Some(t) = v.get::<Tuple>()
        {
            for item in t.iter() {
                f(item.clone())?;
            }
            return Ok(());
        }
        let it = self.iter(v)?;
        while let Some(item) = self.next(&it)? {
            f(item)?;
        }
        Ok(())
    }

    /// All items of an iterable.
    pub fn collect(&self, v: &Value) -> Res<Vec<Value>> {
        if self.is_exact(v, Kind::List)
            && let Some(l) = v.get::<List>()
        {
            return Ok(l.to_vec());
        }
        if self.is_exact(v, Kind::Tuple)
            && let Some(t) = v.get::<Tuple>()
        {
            return Ok(t.to_vec());
        }
        let it = self.iter(v)?;
        let mut out = Vec::with_capacity(self.length_hint(v).min(MAX_RESERVE));
        while let Some(item) = self.next(&it)? {
            out.push(item);
        }
        Ok(out)
    }

    // ---- items

    /// `o[k]`.
    #[inline]
    pub fn getitem(&self, o: &Value, k: &Value) -> Res {
        match self.type_obj(o).slots().getitem {
            Some(f) => f(self, o, k),
            None => self.class_getitem(o, k),
        }
    }

    /// `C[k]` for a class; the error for anything else.
    #[cold]
    fn class_getitem(&self, o: &Value, k: &Value) -> Res {
        let Some(t) = o.get::<TypeObj>() else {
            return Err(self.type_error(format!(
                "'{}' object is not subscriptable",
                self.type_name(o)
            )));
        };
        if o.is(self.kind_type(Kind::Type)) {
            return self.generic_alias(o, k);
        }
        match self.getattr_opt(o, &self.names.__class_getitem__)? {
            Some(f) if !f.is_none() => self.call(&f, std::slice::from_ref(k)),
            _ => Err(self.type_error(format!("type '{}' is not subscriptable", t.name_str()))),
        }
    }

    /// `o[k] = v`.
    #[inline]
    pub fn setitem(&self, o: &Value, k: &Value, v: &Value) -> Res<()> {
        match self.type_obj(o).slots().setitem {
            Some(f) => f(self, o, k, Some(v)),
            None => Err(self.type_error(format!(
                "'{}' object does not support item assignment",
                self.type_name(o)
            ))),
        }
    }

    /// `del o[k]`.
    pub fn delitem(&self, o: &Value, k: &Value) -> Res<()> {
        match self.type_obj(o).slots().setitem {
            Some(f) => f(self, o, k, None),
            None => Err(self.type_error(format!(
                "'{}' object doesn't support item deletion",
                self.type_name(o)
            ))),
        }
    }

    /// `item in container`.
    #[inline]
    pub fn contains(&self, container: &Value, item: &Value) -> Res<bool> {
        match self.type_obj(container).slots().contains {
            Some(f) => f(self, container, item),
            None => self.contains_by_iteration(container, item),
        }
    }

    /// `in` by going over the items.
    pub fn contains_by_iteration(&self, container: &Value, item: &Value) -> Res<bool> {
        let s = self.type_obj(container).slots();
        if s.iter.is_none() && s.getitem.is_none() {
            return Err(self.type_error(format!(
                "argument of type '{}' is not a container or iterable",
                self.type_name(container)
            )));
        }
        let it = self.iter(container)?;
        while let Some(x) = self.next(&it)? {
            if x.is(item) || self.eq(&x, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    // ---- numbers

    /// The int that a value stands for by `__index__`.
    pub fn index(&self, v: &Value) -> Res {
        if v.is_small() {
            return Ok(v.clone());
        }
        if let Some(b) = v.as_bool() {
            return Ok(Value::small_unchecked(b as i64));
        }
        if let Some(i) = v.get::<Int>() {
            return Ok(if self.is_exact(v, Kind::Int) {
                v.clone()
            } else {
                self.big(i.0.clone())
            });
        }
        let Some(f) = self.type_obj(v).slots().index else {
            return Err(self.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                self.type_name(v)
            )));
        };
        let r = f(self, v)?;
        match r.kind() {
            Kind::Int | Kind::Bool => self.index(&r),
            _ => Err(self.type_error(format!(
                "__index__ returned non-int (type {})",
                self.type_name(&r)
            ))),
        }
    }

    /// A value as an index; IndexError if it is an int beyond 64 bits.
    pub fn as_index(&self, v: &Value) -> Res<i64> {
        if let Some(i) = v.as_small() {
            return Ok(i);
        }
        let i = self.index(v)?;
        match self.small_or_big(&i) {
            Some(i) => Ok(i),
            None => Err(self.index_error(format!(
                "cannot fit '{}' into an index-sized integer",
                self.type_name(v)
            ))),
        }
    }

    /// An int argument; `what` names the C type that it must fit, for the error.
    pub fn as_i64(&self, v: &Value, what: &str) -> Res<i64> {
        if let Some(i) = v.as_small() {
            return Ok(i);
        }
        let i = self.index(v)?;
        match self.small_or_big(&i) {
            Some(i) => Ok(i),
            None => {
                Err(self.overflow_error(format!("Python int too large to convert to C {what}")))
            }
        }
    }

    fn small_or_big(&self, v: &Value) -> Option<i64> {
        v.as_small()
            .or_else(|| v.get::<Int>().and_then(|i| i.0.to_i64()))
    }

    /// An int or bool (or an instance of a subclass) as a BigInt.
    pub fn to_bigint(&self, v: &Value) -> Option<BigInt> {
        if let Some(i) = v.as_small() {
            return Some(BigInt::from(i));
        }
        if let Some(b) = v.as_bool() {
            return Some(BigInt::from(b as u8));
        }
        v.get::<Int>().map(|i| i.0.clone())
    }

    /// A real number as a float.
    pub fn to_f64(&self, v: &Value) -> Res<f64> {
        if let Some(f) = v.as_float() {
            return Ok(f);
        }
        if let Some(i) = v.as_small() {
            return Ok(i as f64);
        }
        let s = *self.type_obj(v).slots();
        if let Some(f) = s
            .float
            .filter(|_| !matches!(v.kind(), Kind::Int | Kind::Bool))
        {
            let r = f(self, v)?;
            return match r.as_float() {
                Some(f) => Ok(f),
                None => Err(self.type_error(format!(
                    "{}.__float__() must return a float, not {}",
                    self.type_name(v),
                    self.type_name(&r)
                ))),
            };
        }
        if matches!(v.kind(), Kind::Int | Kind::Bool) || s.index.is_some() {
            let i = self.index(v)?;
            return match self
                .to_bigint(&i)
                .and_then(|b| crate::vm::arith::big_to_f64(&b))
            {
                Some(f) => Ok(f),
                None => Err(self.overflow_error("int too large to convert to float")),
            };
        }
        Err(self.type_error(format!("must be real number, not {}", self.type_name(v))))
    }

    /// `a == b` as a truth value.
    #[inline]
    pub fn eq(&self, a: &Value, b: &Value) -> Res<bool> {
        if a.is_small() && b.is_small() {
            return Ok(a.is(b));
        }
        if let (Some(x), Some(y)) = (a.get::<Str>(), b.get::<Str>())
            && is_exact_str(a)
            && is_exact_str(b)
        {
            return Ok(x.as_str() == y.as_str());
        }
        let r = self.compare(CmpOp::Eq, a, b)?;
        self.truth(&r)
    }

    /// `a < b` as a truth value.
    #[inline]
    pub fn lt(&self, a: &Value, b: &Value) -> Res<bool> {
        if let (Some(x), Some(y)) = (a.as_small(), b.as_small()) {
            return Ok(x < y);
        }
        if a.is_inline_float()
            && b.is_inline_float()
            && let (Some(x), Some(y)) = (a.as_float(), b.as_float())
        {
            return Ok(x < y);
        }
        if let (Some(x), Some(y)) = (a.get::<Str>(), b.get::<Str>())
            && is_exact_str(a)
            && is_exact_str(b)
        {
            return Ok(x.as_str() < y.as_str());
        }
        let r = self.compare(CmpOp::Lt, a, b)?;
        self.truth(&r)
    }

    /// TypeError for an argument of the wrong type: "f() argument 'x' must be str, not int".
    #[cold]
    pub fn wrong_type(&self, what: &str, expected: &str, v: &Value) -> Raised {
        let got = if v.is_none() {
            "None".to_string()
        } else {
            self.type_name(v)
        };
        self.type_error(format!("{what} must be {expected}, not {got}"))
    }
}
