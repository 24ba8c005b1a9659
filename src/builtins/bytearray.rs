//! `bytearray`: what changes it. Reading is shared with bytes.
//!
//! Rule: while memory views are open (`exports`), its size must not change.

use crate::builtins::bytes::{add, cmp, contains, getitem, iter, len, mul, own, rem};
use crate::builtins::bytes_methods::bytes_methods;
use crate::builtins::bytes_new::{BYTE_RANGE, byte, contents, from_ints};
use crate::builtins::support::{
    Key, alloc_as, memory_error, position, repeat_count, seq_key, ssize, this,
};
use crate::builtins::text_support::buffer;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::ByteArray;
use crate::object::str::Str;
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::byte_ops::repeat_bytes;
use crate::text::repr::bytearray_repr;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell, RefMut};

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(
        vm,
        class,
        ByteArray {
            data: RefCell::new(Vec::new()),
            exports: Cell::new(0),
        },
    ))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let data = match contents(vm, args, false)? {
        Ok(data) => data,
        Err(b) => own(vm, &b)?.to_vec(),
    };
    *resizable(vm, this(vm, v)?)? = data;
    Ok(())
}

/// The bytes for a change of size; BufferError while views are open.
fn resizable<'a>(vm: &Vm, b: &'a ByteArray) -> Res<RefMut<'a, Vec<u8>>> {
    if b.exports.get() > 0 {
        return Err(vm.error(
            Exc::BufferError,
            "Existing exports of data: object cannot be re-sized",
        ));
    }
    Ok(b.data.borrow_mut())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let data = this::<ByteArray>(vm, v)?.data.borrow();
    let text = bytearray_repr(&data);
    if vm.is_exact(v, Kind::ByteArray) {
        return Ok(vm.str(&text));
    }
    Ok(vm.str(&text.replacen("bytearray", &vm.type_name(v), 1)))
}

/// The bytes to put in place of a slice.
fn new_bytes(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    if let Some(b) = buffer(v) {
        return Ok(b.to_vec());
    }
    let slots = vm.type_obj(v).slots();
    if v.is_kind::<Str>() || (slots.iter.is_none() && slots.getitem.is_none()) {
        return Err(
            vm.type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)")
        );
    }
    from_ints(vm, v, BYTE_RANGE)
}

fn setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let b = this::<ByteArray>(vm, v)?;
    match seq_key(vm, key, "bytearray")? {
        Key::At(i) => {
            let new = match value {
                Some(x) => {
                    if position(i, b.data.borrow().len()).is_none() {
                        return Err(vm.index_error("bytearray index out of range"));
                    }
                    Some(byte(vm, x, BYTE_RANGE)?)
                }
                None => None,
            };
            let at = position(i, b.data.borrow().len())
                .ok_or_else(|| vm.index_error("bytearray index out of range"))?;
            match new {
                Some(x) => b.data.borrow_mut()[at] = x,
                None => drop(resizable(vm, b)?.remove(at)),
            }
            Ok(())
        }
        Key::Slice(bounds) => {
            let new = match value {
                Some(x) => new_bytes(vm, x)?,
                None => Vec::new(),
            };
            let s = bounds.of(b.data.borrow().len());
            if s.step == 1 {
                let start = s.start.max(0) as usize;
                if s.count == new.len() {
                    b.data.borrow_mut()[start..start + s.count].copy_from_slice(&new);
                } else {
                    resizable(vm, b)?.splice(start..start + s.count, new);
                }
                return Ok(());
            }
            if value.is_none() {
                let mut places: Vec<usize> = (0..s.count as i64)
                    .map(|n| (s.start + n * s.step) as usize)
                    .collect();
                places.sort_unstable();
                let mut data = resizable(vm, b)?;
                let mut at = 0;
                data.retain(|_| {
                    at += 1;
                    places.binary_search(&(at - 1)).is_err()
                });
                return Ok(());
            }
            if new.len() != s.count {
                return Err(vm.value_error(format!(
                    "attempt to assign bytes of size {} to extended slice of size {}",
                    new.len(),
                    s.count
                )));
            }
            let mut data = b.data.borrow_mut();
            for (n, x) in new.into_iter().enumerate() {
                data[(s.start + n as i64 * s.step) as usize] = x;
            }
            Ok(())
        }
    }
}

fn iadd(vm: &Vm, a: &Value, b: &Value) -> Res {
    let more = match buffer(b) {
        Some(more) => more.to_vec(),
        None => {
            return Err(vm.type_error(format!(
                "can't concat {} to {}",
                vm.type_name(b),
                vm.type_name(a)
            )));
        }
    };
    append_all(vm, this(vm, a)?, &more)?;
    Ok(a.clone())
}

fn append_all(vm: &Vm, b: &ByteArray, more: &[u8]) -> Res<()> {
    if !more.is_empty() {
        let mut data = resizable(vm, b)?;
        data.try_reserve(more.len()).map_err(|_| memory_error(vm))?;
        data.extend_from_slice(more);
    }
    Ok(())
}

fn imul(vm: &Vm, a: &Value, n: &Value) -> Res {
    let Some(n) = repeat_count(vm, n)? else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let b = this::<ByteArray>(vm, a)?;
    let out = repeat_bytes(&b.data.borrow(), i64::try_from(n).unwrap_or(i64::MAX))
        .map_err(|e| vm.text_error(e))?;
    *resizable(vm, b)? = out;
    Ok(a.clone())
}

// ---- methods

fn append(vm: &Vm, a: &[Value]) -> Res {
    let x = byte(vm, &a[1], BYTE_RANGE)?;
    resizable(vm, this(vm, &a[0])?)?.push(x);
    Ok(Value::NONE)
}
fn clear(vm: &Vm, a: &[Value]) -> Res {
    resizable(vm, this(vm, &a[0])?)?.clear();
    Ok(Value::NONE)
}
fn copy(vm: &Vm, a: &[Value]) -> Res {
    let data = own(vm, &a[0])?.to_vec();
    Ok(vm.bytearray(data))
}
fn extend(vm: &Vm, a: &[Value]) -> Res {
    let b = this::<ByteArray>(vm, &a[0])?;
    let more = match buffer(&a[1]) {
        Some(m) => m.to_vec(),
        None => {
            if a[1].is_kind::<Str>() {
                return Err(vm.type_error("expected iterable of integers; got: 'str'"));
            }
            let slots = vm.type_obj(&a[1]).slots();
            if slots.iter.is_none() && slots.getitem.is_none() {
                return Err(vm.type_error(format!(
                    "can't extend bytearray with {}",
                    vm.type_name(&a[1])
                )));
            }
            from_ints(vm, &a[1], BYTE_RANGE)?
        }
    };
    append_all(vm, b, &more)?;
    Ok(Value::NONE)
}
fn insert(vm: &Vm, a: &[Value]) -> Res {
    let i = ssize(vm, &a[1])?;
    let x = byte(vm, &a[2], BYTE_RANGE)?;
    let mut data = resizable(vm, this(vm, &a[0])?)?;
    let n = data.len() as i64;
    let at = if i < 0 { (i + n).max(0) } else { i.min(n) };
    data.insert(at as usize, x);
    Ok(Value::NONE)
}
fn pop(vm: &Vm, a: &[Value]) -> Res {
    let i = ssize(vm, &a[1])?;
    let mut data = resizable(vm, this(vm, &a[0])?)?;
    if data.is_empty() {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    match position(i, data.len()) {
        Some(at) => Ok(vm.int(data.remove(at) as i64)),
        None => Err(vm.index_error("pop index out of range")),
    }
}
fn remove(vm: &Vm, a: &[Value]) -> Res {
    let x = byte(vm, &a[1], BYTE_RANGE)?;
    let mut data = resizable(vm, this(vm, &a[0])?)?;
    match memchr::memchr(x, &data) {
        Some(at) => {
            data.remove(at);
            Ok(Value::NONE)
        }
        None => Err(vm.value_error("value not found in bytearray")),
    }
}
fn reverse(vm: &Vm, a: &[Value]) -> Res {
    this::<ByteArray>(vm, &a[0])?.data.borrow_mut().reverse();
    Ok(Value::NONE)
}
fn resize(vm: &Vm, a: &[Value]) -> Res {
    let n = ssize(vm, &a[1])?;
    let Ok(n) = usize::try_from(n) else {
        return Err(vm.value_error(format!(
            "bytearray.resize(): new size must be >= 0, got {n}"
        )));
    };
    vm.check_text_room(n)?;
    resizable(vm, this(vm, &a[0])?)?.resize(n, 0);
    Ok(Value::NONE)
}
fn alloc(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(this::<ByteArray>(vm, &a[0])?.data.borrow().capacity()))
}
fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let text: String = own(vm, &a[0])?.iter().map(|b| *b as char).collect();
    let args = vm.pair(vm.str(&text), vm.str("latin-1"));
    let dict = vm
        .getattr_opt(&a[0], &vm.names.__dict__)?
        .unwrap_or(Value::NONE);
    Ok(vm.tuple(vec![vm.type_of(&a[0]), args, dict]))
}
fn sizeof(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(56 + this::<ByteArray>(vm, &a[0])?.data.borrow().capacity()))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "bytearray",
    kind: Kind::ByteArray,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.cmp = Some(cmp);
        s.iter = Some(iter);
        s.len = Some(len);
        s.getitem = Some(getitem);
        s.setitem = Some(setitem);
        s.contains = Some(contains);
        s.binary[BinOp::Add as usize] = Some(add);
        s.binary[BinOp::Mul as usize] = Some(mul);
        s.binary[BinOp::Mod as usize] = Some(rem);
        s.inplace[BinOp::Add as usize] = Some(iadd);
        s.inplace[BinOp::Mul as usize] = Some(imul);
    },
    methods: bytes_methods![
        NativeDef {
            sig: "append(self, item, /)",
            f: append,
            doc: "Append a single item to the end of the bytearray."
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Remove all items from the bytearray."
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "Return a copy of B."
        },
        NativeDef {
            sig: "extend(self, iterable_of_ints, /)",
            f: extend,
            doc: "Append all the items from the iterator or sequence to the end of the bytearray."
        },
        NativeDef {
            sig: "insert(self, index, item, /)",
            f: insert,
            doc: "Insert a single item into the bytearray before the given index."
        },
        NativeDef {
            sig: "pop(self, index=-1, /)",
            f: pop,
            doc: "Remove and return a single item from B.\n\nIf no index argument is given, will pop the last item."
        },
        NativeDef {
            sig: "remove(self, value, /)",
            f: remove,
            doc: "Remove the first occurrence of a value in the bytearray."
        },
        NativeDef {
            sig: "reverse(self, /)",
            f: reverse,
            doc: "Reverse the order of the values in B in place."
        },
        NativeDef {
            sig: "resize(self, size, /)",
            f: resize,
            doc: "Resize the internal buffer of bytearray to len."
        },
        NativeDef {
            sig: "__alloc__(self, /)",
            f: alloc,
            doc: "B.__alloc__() -> int\n\nReturn the number of bytes actually allocated."
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce,
            doc: "Return state information for pickling."
        },
        NativeDef {
            sig: "__sizeof__(self, /)",
            f: sizeof,
            doc: "Returns the size of the bytearray object in memory, in bytes."
        },
    ],
    class_methods: &[crate::builtins::bytes_methods::FROMHEX],
    static_methods: &[crate::builtins::bytes_methods::MAKETRANS],
    doc: "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\nbytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array\n\nConstruct a mutable bytearray object from:\n  - an iterable yielding integers in range(256)\n  - a text string encoded using the specified encoding\n  - a bytes or a buffer object\n  - any object implementing the buffer API.\n  - an integer",
    ..TypeSpec::EMPTY
};
