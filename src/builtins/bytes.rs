//! `bytes`: construction, operators, iteration; the operators that it shares with bytearray. The methods of both are in `bytes_methods`.

use crate::builtins::bytes_methods::bytes_methods;
use crate::builtins::bytes_new::{BYTE_RANGE, byte, contents};
use crate::builtins::int_arith::holds;
use crate::builtins::percent::percent_bytes;
use crate::builtins::support::{
    Key, alloc_as, clamped, has_index, memory_error, position, repeat_count, seq_key, this,
    wrong_self,
};
use crate::builtins::text_support::{Buf, buffer, need_buffer};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::{ByteArray, Bytes};
use crate::object::text::BytesIter;
use crate::object::types::{BinOp, CmpOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::byte_ops::repeat_bytes;
use crate::text::repr::bytes_repr;
use crate::text::slice::Slice as Resolved;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

/// The bytes of a method's self.
#[inline]
pub fn own<'a>(vm: &Vm, v: &'a Value) -> Res<Buf<'a>> {
    buffer(v).ok_or_else(|| wrong_self(vm, v))
}

/// A bytes or bytearray, as `like` is.
pub fn made(vm: &Vm, like: &Value, data: Vec<u8>) -> Value {
    if like.kind() == Kind::ByteArray {
        vm.bytearray(data)
    } else {
        vm.bytes_vec(data)
    }
}

/// `made` for a part of the data.
pub fn made_of(vm: &Vm, like: &Value, data: &[u8]) -> Value {
    if like.kind() == Kind::ByteArray {
        vm.bytearray(data.to_vec())
    } else {
        vm.bytes(data)
    }
}

/// The object itself if it is an exact bytes, else a copy of the same kind.
pub fn unchanged(vm: &Vm, v: &Value) -> Res {
    if vm.is_exact(v, Kind::Bytes) {
        return Ok(v.clone());
    }
    let data = own(vm, v)?.to_vec();
    Ok(made(vm, v, data))
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let exact = class.is(vm.kind_type(Kind::Bytes));
    let data = match contents(vm, args, true)? {
        Err(v) if exact => return Ok(v),
        Err(v) => own(vm, &v)?.to_vec(),
        Ok(data) => data,
    };
    if exact {
        return Ok(vm.bytes_vec(data));
    }
    Ok(alloc_as(
        vm,
        class,
        Bytes {
            data: data.into_boxed_slice(),
            hash: Cell::new(0),
        },
    ))
}

fn repr(vm: &Vm, v: &Value) -> Res {
    Ok(vm.str(&bytes_repr(&this::<Bytes>(vm, v)?.data)))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let b = this::<Bytes>(vm, v)?;
    if b.hash.get() == 0 {
        b.hash.set(vm.hash_bytes(&b.data) as i64 as _);
    }
    Ok(b.hash.get() as i64)
}

/// Comparison of bytes-like objects.
pub fn cmp(_: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (buffer(a), buffer(b)) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(match op {
        CmpOp::Eq => *x == *y,
        CmpOp::Ne => *x != *y,
        _ => holds(op, x.cmp(&*y)),
    }))
}

pub fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(own(vm, v)?.len())
}

/// The bytes that a slice takes.
pub fn pick(data: &[u8], s: &Resolved) -> Vec<u8> {
    if s.step == 1 {
        let start = s.start.max(0) as usize;
        return data.get(start..start + s.count).unwrap_or(&[]).to_vec();
    }
    (0..s.count as i64)
        .filter_map(|n| data.get((s.start + n * s.step) as usize).copied())
        .collect()
}

pub fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let (what, out_of_range) = match v.kind() {
        Kind::ByteArray => ("bytearray", "bytearray index out of range"),
        _ => ("byte", "index out of range"),
    };
    let key = seq_key(vm, key, what)?;
    let data = own(vm, v)?;
    match key {
        Key::At(i) => match position(i, data.len()) {
            Some(i) => Ok(vm.int(data[i] as i64)),
            None => Err(vm.index_error(out_of_range)),
        },
        Key::Slice(bounds) => {
            let s = bounds.of(data.len());
            if s.step == 1 && s.count == data.len() && vm.is_exact(v, Kind::Bytes) {
                return Ok(v.clone());
            }
            Ok(made(vm, v, pick(&data, &s)))
        }
    }
}

pub fn contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    if has_index(vm, item) {
        let b = byte(vm, item, BYTE_RANGE)?;
        return Ok(memchr::memchr(b, &own(vm, v)?).is_some());
    }
    let needle = need_buffer(vm, item)?;
    Ok(memchr::memmem::find(&own(vm, v)?, &needle).is_some())
}

pub fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    if !matches!(a.kind(), Kind::Bytes | Kind::ByteArray) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (Some(x), Some(y)) = (buffer(a), buffer(b)) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if y.is_empty() && vm.is_exact(a, Kind::Bytes) {
        return Ok(a.clone());
    }
    if x.is_empty() && vm.is_exact(a, Kind::Bytes) && vm.is_exact(b, Kind::Bytes) {
        return Ok(b.clone());
    }
    vm.check_text_room(x.len().saturating_add(y.len()))?;
    Ok(made(vm, a, [&*x, &*y].concat()))
}

pub fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let is_bytes = |v: &Value| matches!(v.kind(), Kind::Bytes | Kind::ByteArray);
    let (seq, times) = if is_bytes(a) { (a, b) } else { (b, a) };
    if !is_bytes(seq) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let Some(n) = repeat_count(vm, times)? else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if n == 1 && vm.is_exact(seq, Kind::Bytes) {
        return Ok(seq.clone());
    }
    let data = own(vm, seq)?;
    let n = i64::try_from(n).map_err(|_| memory_error(vm))?;
    let out = repeat_bytes(&data, n).map_err(|e| vm.text_error(e))?;
    Ok(made(vm, seq, out))
}

pub fn rem(vm: &Vm, a: &Value, b: &Value) -> Res {
    if !matches!(a.kind(), Kind::Bytes | Kind::ByteArray) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    // Conversions run script code, so a bytearray is copied out.
    let out = match a.get::<Bytes>() {
        Some(t) => percent_bytes(vm, &t.data, b)?,
        None => percent_bytes(vm, &own(vm, a)?, b)?,
    };
    Ok(made(vm, a, out))
}

pub fn iter(vm: &Vm, v: &Value) -> Res {
    Ok(vm.alloc(BytesIter {
        data: RefCell::new(v.clone()),
        next: Cell::new(0),
    }))
}

fn to_bytes(vm: &Vm, a: &[Value]) -> Res {
    unchanged(vm, &a[0])
}
fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let b = unchanged(vm, &a[0])?;
    Ok(vm.tuple(vec![b]))
}
fn sizeof(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(33 + own(vm, &a[0])?.len()))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "bytes",
    kind: Kind::Bytes,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
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
    methods: bytes_methods![
        NativeDef {
            sig: "__bytes__(self, /)",
            f: to_bytes,
            doc: "Convert this value to exact type bytes."
        },
        NativeDef {
            sig: "__getnewargs__(self, /)",
            f: getnewargs,
            doc: ""
        },
        NativeDef {
            sig: "__sizeof__(self, /)",
            f: sizeof,
            doc: "Returns the size of the bytes object in memory, in bytes."
        },
    ],
    class_methods: &[crate::builtins::bytes_methods::FROMHEX],
    static_methods: &[crate::builtins::bytes_methods::MAKETRANS],
    doc: "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object\n\nConstruct an immutable array of bytes from:\n  - an iterable yielding integers in range(256)\n  - a text string encoded using the specified encoding\n  - any object implementing the buffer API.\n  - an integer",
    ..TypeSpec::EMPTY
};

// ---- iterator of bytes and bytearray

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<BytesIter>(vm, v)?;
    let i = it.next.get();
    let data = it.data.borrow();
    let found = match data.kind() {
        Kind::Bytes => data.get::<Bytes>().and_then(|b| b.data.get(i).copied()),
        Kind::ByteArray => data
            .get::<ByteArray>()
            .and_then(|b| b.data.borrow().get(i).copied()),
        _ => None,
    };
    match found {
        Some(b) => {
            it.next.set(i + 1);
            Ok(Some(Value::small_unchecked(b as i64)))
        }
        None => {
            drop(data);
            drop(it.data.replace(Value::UNBOUND));
            Ok(None)
        }
    }
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<BytesIter>(vm, &a[0])?;
    let n = buffer(&it.data.borrow()).map_or(0, |b| b.len().saturating_sub(it.next.get()));
    Ok(vm.usize(n))
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<BytesIter>(vm, &a[0])?;
    let data = it.data.borrow().clone();
    let iter = vm.builtin("iter")?;
    if data.is_unbound() {
        let empty = vm.tuple(vec![]);
        return Ok(vm.pair(iter, vm.tuple(vec![empty])));
    }
    Ok(vm.tuple(vec![iter, vm.tuple(vec![data]), vm.usize(it.next.get())]))
}

fn iter_setstate(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<BytesIter>(vm, &a[0])?;
    it.next.set(clamped(vm, &a[1])?.max(0) as usize);
    Ok(Value::NONE)
}

pub static ITER: TypeSpec = TypeSpec {
    name: "bytes_iterator",
    kind: Kind::BytesIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(iter_next);
    },
    methods: &[
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
    ],
    ..TypeSpec::EMPTY
};
