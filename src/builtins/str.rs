//! `str`: construction, operators, iteration. Its methods are in `str_find`, `str_split`, `str_shape`, `str_codec` and `str_format`.

use crate::builtins::int_arith::holds;
use crate::builtins::percent::percent_str;
use crate::builtins::support::{Key, memory_error, position, repeat_count, seq_key, this};
use crate::builtins::text_support::{buffer, build_str};
use crate::object::header::Kind;
use crate::object::heap::Heap;
use crate::object::native::{Args, NativeDef};
use crate::object::str::{MAX_LEN, Str};
use crate::object::text::StrIter;
use crate::object::types::{BinOp, CmpOp, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::chars::{char_at, slice_chars};
use crate::text::repr::push_str_repr;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

// ---- construction

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    if args.pos().len() > 3 {
        return Err(vm.type_error(format!(
            "str expected at most 3 arguments, got {}",
            args.pos().len()
        )));
    }
    let text = match (args.all, args.has_keywords()) {
        ([], _) => vm.names_empty(),
        ([x], false) => vm.str_of(x)?,
        _ => {
            let a = vm.bind_args("str(object=..., encoding=..., errors=...)", args)?;
            let encoding =
                crate::builtins::text_support::opt_text(vm, &a[1], "str() argument 'encoding'")?;
            let errors =
                crate::builtins::text_support::opt_text(vm, &a[2], "str() argument 'errors'")?;
            match (a[0].given(), encoding, errors) {
                (None, ..) => vm.names_empty(),
                (Some(x), None, None) => vm.str_of(x)?,
                (Some(x), encoding, errors) => decoded(vm, x, encoding, errors)?,
            }
        }
    };
    as_class(vm, class, text)
}

/// `str(x, encoding, errors)`.
fn decoded(vm: &Vm, x: &Value, encoding: Option<&str>, errors: Option<&str>) -> Res {
    if x.is_kind::<Str>() {
        return Err(vm.type_error("decoding str is not supported"));
    }
    if buffer(x).is_none() {
        return Err(vm.type_error(format!(
            "decoding to str: need a bytes-like object, {} found",
            vm.type_name(x)
        )));
    }
    crate::builtins::str_codec::decode(
        vm,
        x,
        encoding.unwrap_or("utf-8"),
        errors.unwrap_or("strict"),
    )
}

/// A str as an instance of `class`.
fn as_class(vm: &Vm, class: &Value, text: Value) -> Res {
    if class.is(vm.kind_type(Kind::Str)) {
        return Ok(text);
    }
    let (Some(t), Some(s)) = (class.get::<TypeObj>(), text.get::<Str>()) else {
        return Ok(text);
    };
    if !t.has(tflag::HEAP) {
        return Ok(text);
    }
    let v = Str::alloc_with_slots(
        &vm.heap,
        t.root_shape.get(),
        s.as_str(),
        s.char_len(),
        t.slot_hint.get(),
    );
    Heap::set_finalize(&v, t.slots().del.is_some());
    Ok(v)
}

/// The text as an exact str: the value itself, or a copy of an instance of a subclass.
#[inline]
pub fn exact(vm: &Vm, v: &Value) -> Res {
    if vm.is_exact(v, Kind::Str) {
        return Ok(v.clone());
    }
    let s = this::<Str>(vm, v)?;
    Ok(vm.part(s.is_ascii(), s.as_str()))
}

// ---- text, hash, comparison

pub fn repr(vm: &Vm, v: &Value) -> Res {
    let s = this::<Str>(vm, v)?;
    build_str(vm, |out| {
        push_str_repr(out, s.as_str());
        Ok(())
    })
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    Ok(vm.hash_str(this::<Str>(vm, v)?))
}

fn cmp(_: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Str>(), b.get::<Str>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    // UTF-8 orders as its code points do.
    Ok(Value::bool(match op {
        CmpOp::Eq => x.as_str() == y.as_str(),
        CmpOp::Ne => x.as_str() != y.as_str(),
        _ => holds(op, x.as_str().cmp(y.as_str())),
    }))
}

// ---- sequence

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(this::<Str>(vm, v)?.char_len())
}

/// Character `i` of a str, if there is one.
#[inline]
pub fn char_value(vm: &Vm, s: &Str, i: usize) -> Option<Value> {
    if s.is_ascii() {
        return s.as_str().as_bytes().get(i).map(|b| vm.ascii_char(*b));
    }
    let at = s.byte_offset(i);
    s.as_str()[at..].chars().next().map(|c| vm.char(c))
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let s = this::<Str>(vm, v)?;
    if let Some(i) = key.as_small() {
        return position(i, s.char_len())
            .and_then(|i| char_value(vm, s, i))
            .ok_or_else(|| vm.index_error("string index out of range"));
    }
    if !matches!(key.kind(), Kind::Slice) && !crate::builtins::support::has_index(vm, key) {
        return Err(vm.type_error(format!(
            "string indices must be integers, not '{}'",
            vm.type_name(key)
        )));
    }
    match seq_key(vm, key, "string")? {
        Key::At(i) => position(i, s.char_len())
            .and_then(|i| char_value(vm, s, i))
            .ok_or_else(|| vm.index_error("string index out of range")),
        Key::Slice(bounds) => {
            let r = bounds.of(s.char_len());
            if r.step == 1 {
                if r.count == s.char_len() {
                    return exact(vm, v);
                }
                if r.count == 0 {
                    return Ok(vm.names_empty());
                }
                let start = r.start.max(0) as usize;
                return Ok(vm.part(s.is_ascii(), s.slice(start, start + r.count)));
            }
            Ok(vm.str(&slice_chars(s.as_str(), s.is_ascii(), &r)))
        }
    }
}

fn contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    let Some(needle) = item.as_str() else {
        return Err(vm.type_error(format!(
            "'in <string>' requires string as left operand, not {}",
            vm.type_name(item)
        )));
    };
    let hay = this::<Str>(vm, v)?.as_str().as_bytes();
    Ok(match needle.as_bytes() {
        [] => true,
        [b] => memchr::memchr(*b, hay).is_some(),
        n if n.len() > hay.len() => false,
        n => memchr::memmem::find(hay, n).is_some(),
    })
}

/// `a + b`, allocated once at its size.
pub fn concat(vm: &Vm, x: &Str, y: &Str) -> Res {
    let total = x.as_str().len() + y.as_str().len();
    if total > MAX_LEN {
        return Err(memory_error(vm));
    }
    vm.check_text_room(total)?;
    let v = vm.str_with(x.as_str(), x.char_len(), y.as_str().len());
    if let Some(s) = v.get::<Str>() {
        s.grow_in_place(y);
    }
    Ok(v)
}

fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (Some(x), Some(y)) = (a.get::<Str>(), b.get::<Str>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if x.char_len() == 0 {
        return exact(vm, b);
    }
    if y.char_len() == 0 {
        return exact(vm, a);
    }
    concat(vm, x, y)
}

fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (text, times) = if a.is_kind::<Str>() { (a, b) } else { (b, a) };
    let Some(s) = text.get::<Str>() else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let Some(n) = repeat_count(vm, times)? else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if n == 0 || s.char_len() == 0 {
        return Ok(vm.names_empty());
    }
    if n == 1 {
        return exact(vm, text);
    }
    let total = s
        .as_str()
        .len()
        .checked_mul(n)
        .filter(|t| *t <= MAX_LEN)
        .ok_or_else(|| memory_error(vm))?;
    vm.check_text_room(total)?;
    let shape = vm.kind_shape(Kind::Str);
    if let [b] = s.as_str().as_bytes() {
        return Ok(Str::ascii_with(&vm.heap, shape, n, |buf| buf.fill(*b)));
    }
    Ok(Str::from_parts(
        &vm.heap,
        shape,
        total,
        s.char_len() * n,
        std::iter::repeat_n(s.as_str(), n),
    ))
}

fn rem(vm: &Vm, a: &Value, b: &Value) -> Res {
    match a.get::<Str>() {
        Some(s) => percent_str(vm, s.as_str(), b),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn iter(vm: &Vm, v: &Value) -> Res {
    if this::<Str>(vm, v)?.is_ascii() {
        return Ok(vm.alloc_of(
            &ASCII_ITER,
            StrIter {
                text: RefCell::new(v.clone()),
                byte: Cell::new(0),
                given: Cell::new(0),
            },
        ));
    }
    Ok(vm.alloc(StrIter {
        text: RefCell::new(v.clone()),
        byte: Cell::new(0),
        given: Cell::new(0),
    }))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "str",
    kind: Kind::Str,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.str = Some(exact);
        s.hash = Some(hash);
        s.cmp = Some(cmp);
        s.iter = Some(iter);
        s.len = Some(len);
        s.getitem = Some(getitem);
        s.contains = Some(contains);
        s.binary[BinOp::Add as usize] = Some(add);
        s.binary[BinOp::Mul as usize] = Some(mul);
        s.binary[BinOp::Mod as usize] = Some(rem);
    },
    methods: &crate::builtins::str_methods::METHODS,
    static_methods: &[NativeDef {
        sig: "maketrans(x, y=..., z=..., /)",
        f: crate::builtins::str_shape::maketrans,
        doc: "Return a translation table usable for str.translate().\n\nIf there is only one argument, it must be a dictionary mapping Unicode\nordinals (integers) or characters to Unicode ordinals, strings or None.\nCharacter keys will be then converted to ordinals.\nIf there are two arguments, they must be strings of equal length, and\nin the resulting dictionary, each character in x will be mapped to the\ncharacter at the same position in y. If there is a third argument, it\nmust be a string, whose characters will be mapped to None in the result.",
    }],
    doc: "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\nCreate a new string object from the given object. If encoding or\nerrors is specified, then the object must expose a data buffer\nthat will be decoded using the given encoding and error handler.\nOtherwise, returns the result of object.__str__() (if defined)\nor repr(object).\nencoding defaults to 'utf-8'.\nerrors defaults to 'strict'.",
    ..TypeSpec::EMPTY
};

// ---- iterator

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<StrIter>(vm, v)?;
    let at = it.byte.get();
    let text = it.text.borrow();
    let Some(s) = text.as_str() else {
        return Ok(None);
    };
    match s.as_bytes().get(at) {
        Some(b) if b.is_ascii() => {
            it.byte.set(at + 1);
            it.given.set(it.given.get() + 1);
            Ok(Some(vm.ascii_char(*b)))
        }
        Some(_) => {
            let c = s[at..].chars().next();
            let c = c.unwrap_or('\u{fffd}');
            it.byte.set(at + c.len_utf8());
            it.given.set(it.given.get() + 1);
            Ok(Some(vm.char(c)))
        }
        None => {
            drop(text);
            drop(it.text.replace(Value::UNBOUND));
            Ok(None)
        }
    }
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<StrIter>(vm, &a[0])?;
    let n = it
        .text
        .borrow()
        .get::<Str>()
        .map_or(0, |s| s.char_len().saturating_sub(it.given.get()));
    Ok(vm.usize(n))
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<StrIter>(vm, &a[0])?;
    let text = it.text.borrow().clone();
    let iter = vm.builtin("iter")?;
    if text.is_unbound() {
        return Ok(vm.pair(iter, vm.tuple(vec![vm.names_empty()])));
    }
    Ok(vm.tuple(vec![iter, vm.tuple(vec![text]), vm.usize(it.given.get())]))
}

fn iter_setstate(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<StrIter>(vm, &a[0])?;
    let to = crate::builtins::support::clamped(vm, &a[1])?.max(0) as usize;
    let text = it.text.borrow();
    if let Some(s) = text.get::<Str>() {
        let to = to.min(s.char_len());
        it.byte.set(s.byte_offset(to));
        it.given.set(to);
    }
    Ok(Value::NONE)
}

pub static ITER: TypeSpec = TypeSpec {
    name: "str_iterator",
    kind: Kind::StrIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(iter_next);
    },
    methods: ITER_METHODS,
    ..TypeSpec::EMPTY
};

/// Iterators of ASCII text have a type of their own, as in CPython.
static ASCII_ITER: TypeSpec = TypeSpec {
    name: "str_ascii_iterator",
    kind: Kind::StrIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(iter_next);
    },
    methods: ITER_METHODS,
    ..TypeSpec::EMPTY
};

static ITER_METHODS: &[NativeDef] = &[
    NativeDef {
        sig: "__length_hint__(self, /)",
        f: iter_hint,
        doc: "Private method returning an estimate of len(list(it)).",
    },
    NativeDef {
        sig: "__reduce__(self, /)",
        f: iter_reduce,
        doc: "Return state information for pickling.",
    },
    NativeDef {
        sig: "__setstate__(self, state, /)",
        f: iter_setstate,
        doc: "Set state information for unpickling.",
    },
];

/// The one character of a str argument, if it is one.
pub fn single_char(v: &Value) -> Option<char> {
    let s = v.get::<Str>()?;
    if s.char_len() == 1 {
        char_at(s.as_str(), s.is_ascii(), 0)
    } else {
        None
    }
}
