//! `memoryview`: one-dimensional views of bytes and bytearray, with `cast` between the native one-letter formats.

use crate::builtins::bytes::cmp as compare_bytes;
use crate::builtins::support::{Key, has_index, position, seq_key, this};
use crate::builtins::text_support::{buffer, view_bytes};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::{ByteArray, Bytes};
use crate::object::text::MemoryView;
use crate::object::types::{CmpOp, GetSetDef, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::RefCell;

/// A view that can be used: not released.
fn live<'a>(vm: &Vm, v: &'a Value) -> Res<&'a MemoryView> {
    let m = this::<MemoryView>(vm, v)?;
    if m.obj.borrow().is_unbound() {
        return Err(vm.value_error("operation forbidden on released memoryview object"));
    }
    Ok(m)
}

/// A new view; a bytearray learns of it.
fn make(
    vm: &Vm,
    obj: &Value,
    shape: (isize, usize, isize),
    like: Option<&MemoryView>,
    format: (u8, usize),
) -> Value {
    if let Some(b) = obj.get::<ByteArray>() {
        b.exports.set(b.exports.get() + 1);
    }
    let readonly = like.map_or(obj.kind() == Kind::Bytes, |m| m.readonly);
    let (start, len, stride) = shape;
    vm.alloc(MemoryView {
        obj: RefCell::new(obj.clone()),
        start,
        len,
        stride,
        readonly,
        format: format.0,
        itemsize: format.1,
    })
}

/// A view of a whole bytes-like object.
pub fn view(vm: &Vm, obj: &Value) -> Res {
    match obj.kind() {
        Kind::Bytes => Ok(make(
            vm,
            obj,
            (0, obj.get::<Bytes>().map_or(0, |b| b.data.len()), 1),
            None,
            (b'B', 1),
        )),
        Kind::ByteArray => Ok(make(
            vm,
            obj,
            (
                0,
                obj.get::<ByteArray>().map_or(0, |b| b.data.borrow().len()),
                1,
            ),
            None,
            (b'B', 1),
        )),
        Kind::MemoryView => {
            let m = live(vm, obj)?;
            let base = m.obj.borrow().clone();
            Ok(make(
                vm,
                &base,
                (m.start, m.len, m.stride),
                Some(m),
                (m.format, m.itemsize),
            ))
        }
        _ => Err(vm.type_error(format!(
            "memoryview: a bytes-like object is required, not '{}'",
            vm.type_name(obj)
        ))),
    }
}

fn new(vm: &Vm, _class: &Value, args: Args) -> Res {
    let a = vm.bind_args("memoryview(object)", args)?;
    view(vm, &a[0])
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let m = this::<MemoryView>(vm, v)?;
    let what = if m.obj.borrow().is_unbound() {
        "released memory"
    } else {
        "memory"
    };
    Ok(vm.str(&format!("<{what} at 0x{:x}>", v.id())))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let m = live(vm, v)?;
    if !m.readonly {
        return Err(vm.value_error("cannot hash writable memoryview object"));
    }
    Ok(vm.hash_bytes(&view_bytes(m)) as i64)
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    if let (Some(x), Some(y)) = (a.get::<MemoryView>(), b.get::<MemoryView>())
        && x.format != y.format
    {
        let (x, y) = (items(vm, x)?, items(vm, y)?);
        let mut equal = x.len() == y.len();
        for (p, q) in x.iter().zip(&y) {
            equal = equal && vm.eq(p, q)?;
        }
        return Ok(Value::bool(equal == (op == CmpOp::Eq)));
    }
    compare_bytes(vm, a, b, op)
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(live(vm, v)?.len)
}

/// Size of an item of a format; None for formats that do not exist.
fn size_of_format(f: u8) -> Option<usize> {
    Some(match f {
        b'B' | b'b' | b'c' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'P' | b'd' => 8,
        _ => return None,
    })
}

/// An item from its bytes.
fn item(vm: &Vm, format: u8, b: &[u8]) -> Value {
    let mut word = [0u8; 8];
    let n = b.len().min(8);
    word[..n].copy_from_slice(&b[..n]);
    let u = u64::from_le_bytes(word);
    match format {
        b'b' => vm.int(u as u8 as i8 as i64),
        b'c' => vm.bytes(b),
        b'?' => Value::bool(u != 0),
        b'h' => vm.int(u as i16 as i64),
        b'i' => vm.int(u as i32 as i64),
        b'l' | b'q' | b'n' => vm.int(u as i64),
        b'f' => vm.float(f32::from_bits(u as u32) as f64),
        b'd' => vm.float(f64::from_bits(u)),
        _ => vm.int_u64(u),
    }
}

/// The bytes of an item, or what is wrong with it.
fn item_bytes(vm: &Vm, format: u8, v: &Value) -> Res<[u8; 8]> {
    let shown = format as char;
    let wrong_type = || vm.type_error(format!("memoryview: invalid type for format '{shown}'"));
    let wrong_value = || vm.value_error(format!("memoryview: invalid value for format '{shown}'"));
    match format {
        b'c' => match buffer(v).filter(|_| v.kind() == Kind::Bytes) {
            Some(b) => match *b {
                [one] => Ok([one, 0, 0, 0, 0, 0, 0, 0]),
                _ => Err(wrong_value()),
            },
            None => Err(wrong_type()),
        },
        b'?' => Ok((vm.truth(v)? as u64).to_le_bytes()),
        b'd' => Ok(vm.to_f64(v).map_err(|_| wrong_type())?.to_le_bytes()),
        b'f' => {
            Ok(u64::from((vm.to_f64(v).map_err(|_| wrong_type())? as f32).to_bits()).to_le_bytes())
        }
        _ => {
            if !has_index(vm, v) {
                return Err(wrong_type());
            }
            let i = vm.index(v)?;
            let bits = size_of_format(format).unwrap_or(1) as u32 * 8;
            let signed = matches!(format, b'b' | b'h' | b'i' | b'l' | b'q' | b'n');
            let value = match vm.to_bigint(&i) {
                Some(b) => i128::try_from(b).map_err(|_| wrong_value())?,
                None => return Err(wrong_type()),
            };
            let (low, high) = if signed {
                (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
            } else {
                (0, (1i128 << bits) - 1)
            };
            if value < low || value > high {
                return Err(wrong_value());
            }
            Ok((value as u64).to_le_bytes())
        }
    }
}

fn items(vm: &Vm, m: &MemoryView) -> Res<Vec<Value>> {
    Ok(view_bytes(m)
        .chunks(m.itemsize.max(1))
        .map(|b| item(vm, m.format, b))
        .collect())
}

fn bad_key(vm: &Vm) -> Raised {
    vm.type_error("memoryview: invalid slice key")
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let m = live(vm, v)?;
    if key.kind() != Kind::Slice && !has_index(vm, key) {
        if key.is(&Value::ELLIPSIS) {
            return Ok(v.clone());
        }
        return Err(bad_key(vm));
    }
    match seq_key(vm, key, "memoryview")? {
        Key::At(i) => {
            let Some(i) = position(i, m.len) else {
                return Err(vm.index_error("index out of bounds on dimension 1"));
            };
            let at = (m.start + i as isize * m.stride).max(0) as usize;
            let obj = m.obj.borrow().clone();
            let Some(data) = buffer(&obj) else {
                return Err(bad_key(vm));
            };
            Ok(item(
                vm,
                m.format,
                data.get(at..at + m.itemsize).unwrap_or(&[]),
            ))
        }
        Key::Slice(bounds) => {
            let s = bounds.of(m.len);
            let obj = m.obj.borrow().clone();
            let shape = (
                m.start + s.start as isize * m.stride,
                s.count,
                m.stride * s.step as isize,
            );
            Ok(make(vm, &obj, shape, Some(m), (m.format, m.itemsize)))
        }
    }
}

fn setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let m = live(vm, v)?;
    if m.readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    let Some(value) = value else {
        return Err(vm.type_error("cannot delete memory"));
    };
    if key.kind() != Kind::Slice && !has_index(vm, key) {
        return Err(bad_key(vm));
    }
    let (first, count, stride, data) = match seq_key(vm, key, "memoryview")? {
        Key::At(i) => {
            let Some(i) = position(i, m.len) else {
                return Err(vm.index_error("index out of bounds on dimension 1"));
            };
            (
                m.start + i as isize * m.stride,
                1,
                m.stride,
                item_bytes(vm, m.format, value)?[..m.itemsize].to_vec(),
            )
        }
        Key::Slice(bounds) => {
            let s = bounds.of(m.len);
            let Some(data) = buffer(value) else {
                return Err(vm.type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    vm.type_name(value)
                )));
            };
            if data.len() != s.count * m.itemsize {
                return Err(vm.value_error(
                    "memoryview assignment: lvalue and rvalue have different structures",
                ));
            }
            (
                m.start + s.start as isize * m.stride,
                s.count,
                m.stride * s.step as isize,
                data.to_vec(),
            )
        }
    };
    let obj = m.obj.borrow().clone();
    if let Some(b) = obj.get::<ByteArray>() {
        let mut target = b.data.borrow_mut();
        for (n, part) in data.chunks(m.itemsize.max(1)).enumerate().take(count) {
            let at = (first + n as isize * stride).max(0) as usize;
            if let Some(place) = target.get_mut(at..at + part.len()) {
                place.copy_from_slice(part);
            }
        }
    }
    Ok(())
}

// ---- methods

fn tobytes(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.bytes_vec(view_bytes(live(vm, &a[0])?)))
}
fn tolist(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.list(items(vm, live(vm, &a[0])?)?))
}
fn release(vm: &Vm, a: &[Value]) -> Res {
    this::<MemoryView>(vm, &a[0])?.release();
    Ok(Value::NONE)
}
fn enter(vm: &Vm, a: &[Value]) -> Res {
    live(vm, &a[0])?;
    Ok(a[0].clone())
}
fn hex(vm: &Vm, a: &[Value]) -> Res {
    live(vm, &a[0])?;
    crate::builtins::bytes_methods::hex(vm, a)
}
fn toreadonly(vm: &Vm, a: &[Value]) -> Res {
    let m = live(vm, &a[0])?;
    let obj = m.obj.borrow().clone();
    if let Some(b) = obj.get::<ByteArray>() {
        b.exports.set(b.exports.get() + 1);
    }
    Ok(vm.alloc(MemoryView {
        obj: RefCell::new(obj),
        readonly: true,
        start: m.start,
        len: m.len,
        stride: m.stride,
        format: m.format,
        itemsize: m.itemsize,
    }))
}
fn cast(vm: &Vm, a: &[Value]) -> Res {
    let m = live(vm, &a[0])?;
    let Some(format) = a[1].as_str() else {
        return Err(vm.wrong_type("cast() argument 'format'", "str", &a[1]));
    };
    let letter = format.strip_prefix('@').unwrap_or(format).as_bytes();
    let size = match letter {
        [f] => size_of_format(*f),
        _ => None,
    };
    let (Some(size), [f]) = (size, letter) else {
        return Err(vm.value_error("memoryview: destination format must be a native single character format prefixed with an optional '@'"));
    };
    if m.stride != m.itemsize as isize {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    if m.itemsize != 1 && size != 1 {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let bytes = m.len * m.itemsize;
    if bytes % size != 0 {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let obj = m.obj.borrow().clone();
    Ok(make(
        vm,
        &obj,
        (m.start, bytes / size, size as isize),
        Some(m),
        (*f, size),
    ))
}
fn index(vm: &Vm, a: &[Value]) -> Res {
    let all = items(vm, live(vm, &a[0])?)?;
    for (i, x) in all.iter().enumerate() {
        if vm.eq(x, &a[1])? {
            return Ok(vm.usize(i));
        }
    }
    Err(vm.value_error("memoryview.index(x): x not found"))
}
fn count(vm: &Vm, a: &[Value]) -> Res {
    let mut n = 0;
    for x in items(vm, live(vm, &a[0])?)? {
        n += vm.eq(&x, &a[1])? as usize;
    }
    Ok(vm.usize(n))
}

fn iter(vm: &Vm, v: &Value) -> Res {
    live(vm, v)?;
    Ok(vm.sequence_iterator(v))
}

fn get_obj(vm: &Vm, v: &Value) -> Res {
    Ok(live(vm, v)?.obj.borrow().clone())
}
fn get_nbytes(vm: &Vm, v: &Value) -> Res {
    let m = live(vm, v)?;
    Ok(vm.usize(m.len * m.itemsize))
}
fn get_readonly(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(live(vm, v)?.readonly))
}
fn get_itemsize(vm: &Vm, v: &Value) -> Res {
    Ok(vm.usize(live(vm, v)?.itemsize))
}
fn get_format(vm: &Vm, v: &Value) -> Res {
    Ok(vm.char(live(vm, v)?.format as char))
}
fn get_ndim(vm: &Vm, v: &Value) -> Res {
    live(vm, v)?;
    Ok(vm.int(1))
}
fn get_shape(vm: &Vm, v: &Value) -> Res {
    let n = vm.usize(live(vm, v)?.len);
    Ok(vm.tuple(vec![n]))
}
fn get_strides(vm: &Vm, v: &Value) -> Res {
    let n = vm.int(live(vm, v)?.stride as i64);
    Ok(vm.tuple(vec![n]))
}
fn get_suboffsets(vm: &Vm, v: &Value) -> Res {
    live(vm, v)?;
    Ok(vm.tuple(vec![]))
}
fn get_contiguous(vm: &Vm, v: &Value) -> Res {
    let m = live(vm, v)?;
    Ok(Value::bool(m.stride == m.itemsize as isize || m.len < 2))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "memoryview",
    kind: Kind::MemoryView,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.cmp = Some(cmp);
        s.iter = Some(iter);
        s.len = Some(len);
        s.getitem = Some(getitem);
        s.setitem = Some(setitem);
    },
    methods: &[
        NativeDef {
            sig: "release(self, /)",
            f: release,
            doc: "Release the underlying buffer exposed by the memoryview object.",
        },
        NativeDef {
            sig: "tobytes(self, /, order='C')",
            f: tobytes,
            doc: "Return the data in the buffer as a byte string.",
        },
        NativeDef {
            sig: "hex(self, /, sep=..., bytes_per_sep=1)",
            f: hex,
            doc: "Return the data in the buffer as a str of hexadecimal numbers.",
        },
        NativeDef {
            sig: "tolist(self, /)",
            f: tolist,
            doc: "Return the data in the buffer as a list of elements.",
        },
        NativeDef {
            sig: "cast(self, /, format, shape=...)",
            f: cast,
            doc: "Cast a memoryview to a new format or shape.",
        },
        NativeDef {
            sig: "toreadonly(self, /)",
            f: toreadonly,
            doc: "Return a readonly version of the memoryview.",
        },
        NativeDef {
            sig: "index(self, value, start=..., stop=..., /)",
            f: index,
            doc: "Return the index of the first occurrence of a value.",
        },
        NativeDef {
            sig: "count(self, value, /)",
            f: count,
            doc: "Count the number of occurrences of a value.",
        },
        NativeDef {
            sig: "__enter__(self, /)",
            f: enter,
            doc: "",
        },
        NativeDef {
            sig: "__exit__(self, /, *exc_info)",
            f: release,
            doc: "Release the underlying buffer exposed by the memoryview object.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "obj",
            get: get_obj,
            set: None,
            doc: "The underlying object of the memoryview.",
        },
        GetSetDef {
            name: "nbytes",
            get: get_nbytes,
            set: None,
            doc: "The amount of space in bytes that the array would use in a contiguous representation.",
        },
        GetSetDef {
            name: "readonly",
            get: get_readonly,
            set: None,
            doc: "A bool indicating whether the memory is read only.",
        },
        GetSetDef {
            name: "itemsize",
            get: get_itemsize,
            set: None,
            doc: "The size in bytes of each element of the memoryview.",
        },
        GetSetDef {
            name: "format",
            get: get_format,
            set: None,
            doc: "A string containing the format (in struct module style)\n for each element in the view.",
        },
        GetSetDef {
            name: "ndim",
            get: get_ndim,
            set: None,
            doc: "An integer indicating how many dimensions of a multi-dimensional\n array the memory represents.",
        },
        GetSetDef {
            name: "shape",
            get: get_shape,
            set: None,
            doc: "A tuple of ndim integers giving the shape of the memory\n as an N-dimensional array.",
        },
        GetSetDef {
            name: "strides",
            get: get_strides,
            set: None,
            doc: "A tuple of ndim integers giving the size in bytes to access\n each element for each dimension of the array.",
        },
        GetSetDef {
            name: "suboffsets",
            get: get_suboffsets,
            set: None,
            doc: "A tuple of integers used internally for PIL-style arrays.",
        },
        GetSetDef {
            name: "contiguous",
            get: get_contiguous,
            set: None,
            doc: "A bool indicating whether the memory is contiguous.",
        },
        GetSetDef {
            name: "c_contiguous",
            get: get_contiguous,
            set: None,
            doc: "A bool indicating whether the memory is C contiguous.",
        },
        GetSetDef {
            name: "f_contiguous",
            get: get_contiguous,
            set: None,
            doc: "A bool indicating whether the memory is Fortran contiguous.",
        },
    ],
    doc: "Create a new memoryview object which references the given object.",
    ..TypeSpec::EMPTY
};
