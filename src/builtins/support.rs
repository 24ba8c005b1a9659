//! Small helpers that the natives of containers and iterators share: self, indices and slices, argument counts, instances of subclasses.
//!
//! Rule: error texts are CPython's; those that several natives share live here once.

use crate::object::header::Payload;
use crate::object::native::Args;
use crate::object::seq::Slice;
use crate::object::types::{BinOp, tflag};
use crate::object::value::Value;
use crate::text::slice::{Slice as Resolved, slice_indices};
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

/// The payload of a method's `self`. Calls check it before; so this fails only for a Rust caller's mistake.
#[inline(always)]
pub fn this<'a, T: Payload>(vm: &Vm, v: &'a Value) -> Res<&'a T> {
    match v.get::<T>() {
        Some(t) => Ok(t),
        None => Err(wrong_self(vm, v)),
    }
}

#[cold]
pub fn wrong_self(vm: &Vm, v: &Value) -> Raised {
    vm.type_error(format!(
        "descriptor requires another type, not '{}'",
        vm.type_name(v)
    ))
}

/// `MemoryError` without text.
#[cold]
pub fn memory_error(vm: &Vm) -> Raised {
    vm.error_args(Exc::MemoryError, vec![])
}

/// A vector with room for `n` values, or MemoryError.
pub fn vec_for(vm: &Vm, n: usize) -> Res<Vec<Value>> {
    let mut v = Vec::new();
    v.try_reserve_exact(n).map_err(|_| memory_error(vm))?;
    Ok(v)
}

/// Fails unless a block for `n` values can be had. (A tuple is one block with its object, which the heap cannot refuse politely; so huge ones are
/// tried first.)
pub fn check_room(vm: &Vm, n: usize) -> Res<()> {
    if n > 1 << 20 {
        vec_for(vm, n.saturating_add(8)).map(drop)
    } else {
        Ok(())
    }
}

/// `a is b or a == b`.
#[inline(always)]
pub fn same(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if a.is_small() && b.is_small() {
        return Ok(false);
    }
    vm.eq(a, b)
}

/// True if the value can be an index (has `__index__`).
pub fn has_index(vm: &Vm, v: &Value) -> bool {
    v.is_small() || v.as_bool().is_some() || vm.type_obj(v).slots().index.is_some()
}

/// An int Value as i64, if it fits.
pub fn small_int(v: &Value) -> Option<i64> {
    if let Some(i) = v.as_small() {
        return Some(i);
    }
    if let Some(b) = v.as_bool() {
        return Some(b as i64);
    }
    v.get::<crate::object::num::Int>()
        .and_then(|i| i.0.to_i64())
}

/// An int Value (or bool) as a BigInt.
pub fn big_int(v: &Value) -> BigInt {
    match v.as_small() {
        Some(i) => BigInt::from(i),
        None => match v.as_bool() {
            Some(b) => BigInt::from(b as u8),
            None => v
                .get::<crate::object::num::Int>()
                .map_or_else(BigInt::default, |i| i.0.clone()),
        },
    }
}

/// The int that `__index__` gives, clamped to a word.
pub fn clamped(vm: &Vm, v: &Value) -> Res<i64> {
    if let Some(i) = v.as_small() {
        return Ok(i);
    }
    let i = vm.index(v)?;
    Ok(small_int(&i).unwrap_or_else(|| {
        if big_int(&i).sign() == Sign::Minus {
            i64::MIN
        } else {
            i64::MAX
        }
    }))
}

/// A native's argument of C type `Py_ssize_t`.
pub fn ssize(vm: &Vm, v: &Value) -> Res<i64> {
    if let Some(i) = v.as_small() {
        return Ok(i);
    }
    let i = vm.index(v)?;
    small_int(&i).ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
}

/// A native's argument of C type `int`.
pub fn c_int(vm: &Vm, v: &Value) -> Res<i32> {
    let i = vm.index(v)?;
    match small_int(&i) {
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
        Some(n) => i32::try_from(n).map_err(|_| {
            vm.overflow_error(if n > 0 {
                "signed integer is greater than maximum"
            } else {
                "signed integer is less than minimum"
            })
        }),
    }
}

/// A start or stop argument of `index`-like methods: clamped, with the wording of slices.
pub fn slice_bound(vm: &Vm, v: &Value) -> Res<i64> {
    if !has_index(vm, v) {
        return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
    }
    clamped(vm, v)
}

/// How often a sequence is to be repeated, or None if the value is no integer.
pub fn repeat_count(vm: &Vm, v: &Value) -> Res<Option<usize>> {
    if let Some(i) = v.as_small() {
        return Ok(Some(i.max(0) as usize));
    }
    if !has_index(vm, v) {
        return Ok(None);
    }
    let i = vm.index(v)?;
    match small_int(&i) {
        Some(i) => Ok(Some(i.max(0) as usize)),
        None if big_int(&i).sign() == Sign::Minus => Ok(Some(0)),
        None => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer")),
    }
}

/// A subscript of a sequence.
pub enum Key {
    At(i64),
    Slice(Bounds),
}

/// The parts of a slice as words.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub start: Option<i64>,
    pub stop: Option<i64>,
    pub step: Option<i64>,
}

impl Bounds {
    /// Resolves the bounds against a length. The step is not 0.
    pub fn of(self, len: usize) -> Resolved {
        slice_indices(self.start, self.stop, self.step, len).unwrap_or(Resolved {
            start: 0,
            stop: 0,
            step: 1,
            count: 0,
        })
    }
}

/// The parts of a slice object; `__index__` may run script code.
pub fn slice_bounds(vm: &Vm, s: &Slice) -> Res<Bounds> {
    let part = |v: &Value| -> Res<Option<i64>> {
        if v.is_none() {
            return Ok(None);
        }
        if !has_index(vm, v) {
            return Err(
                vm.type_error("slice indices must be integers or None or have an __index__ method")
            );
        }
        clamped(vm, v).map(Some)
    };
    let step = part(&s.step)?;
    if step == Some(0) {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    Ok(Bounds {
        start: part(&s.start)?,
        stop: part(&s.stop)?,
        step,
    })
}

/// What a subscript of a `what` (list, tuple, ...) means.
#[inline]
pub fn seq_key(vm: &Vm, key: &Value, what: &str) -> Res<Key> {
    if let Some(i) = key.as_small() {
        return Ok(Key::At(i));
    }
    if let Some(s) = key.get::<Slice>() {
        return Ok(Key::Slice(slice_bounds(vm, s)?));
    }
    if !has_index(vm, key) {
        return Err(vm.type_error(format!(
            "{what} indices must be integers or slices, not {}",
            vm.type_name(key)
        )));
    }
    let i = vm.index(key)?;
    match small_int(&i) {
        Some(i) => Ok(Key::At(i)),
        None => Err(vm.index_error(format!(
            "cannot fit '{}' into an index-sized integer",
            vm.type_name(key)
        ))),
    }
}

/// The position that index `i` means, if it lies inside.
#[inline(always)]
pub fn position(i: i64, len: usize) -> Option<usize> {
    let at = if i < 0 { i.wrapping_add(len as i64) } else { i };
    if at >= 0 && (at as u64) < len as u64 {
        Some(at as usize)
    } else {
        None
    }
}

/// The items that a resolved slice takes.
pub fn pick(items: &[Value], s: &Resolved) -> Vec<Value> {
    if s.step == 1 {
        return items
            .get(s.start.max(0) as usize..(s.start.max(0) as usize + s.count).min(items.len()))
            .unwrap_or(&[])
            .to_vec();
    }
    (0..s.count as i64)
        .filter_map(|n| items.get((s.start + n * s.step) as usize).cloned())
        .collect()
}

/// The positional arguments of a constructor that takes none by keyword, at least `min` and at most `max`.
pub fn positional<'a>(
    vm: &Vm,
    name: &str,
    args: Args<'a>,
    min: usize,
    max: usize,
) -> Res<&'a [Value]> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    count_args(vm, name, args.all.len(), min, max)?;
    Ok(args.all)
}

/// CPython's `_PyArg_CheckPositional`.
pub fn count_args(vm: &Vm, name: &str, n: usize, min: usize, max: usize) -> Res<()> {
    let (limit, how) = if n < min {
        (min, if min == max { "" } else { "at least " })
    } else if n > max {
        (max, if min == max { "" } else { "at most " })
    } else {
        return Ok(());
    };
    let s = if limit == 1 { "" } else { "s" };
    Err(vm.type_error(format!("{name} expected {how}{limit} argument{s}, got {n}")))
}

/// An instance of `class`, which is the native type of the payload or derives from it.
#[inline]
pub fn alloc_as<T: Payload>(vm: &Vm, class: &Value, data: T) -> Value {
    vm.alloc_as(class, data)
}

/// For `a op b` where `a` is a native sequence that cannot take `b`: a script class on the right gets its say before the TypeError that
/// the sequence would give (in CPython the number slots of both operands come before the sequence slots).
pub fn right_operand_first(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Option<Value>> {
    let t = vm.type_obj(b);
    if t.has(tflag::HEAP)
        && let Some(f) = t.slots().binary[op as usize]
    {
        let r = f(vm, a, b)?;
        if !r.is_not_implemented() {
            return Ok(Some(r));
        }
    }
    Ok(None)
}

/// `repr` of the items between brackets, with commas.
pub fn push_items(
    vm: &Vm,
    out: &mut String,
    mut item: impl FnMut(usize) -> Option<Value>,
) -> Res<()> {
    let mut i = 0;
    while let Some(v) = item(i) {
        if i > 0 {
            out.push_str(", ");
        }
        push_repr(vm, out, &v)?;
        i += 1;
    }
    Ok(())
}

/// Appends `repr(v)`.
pub fn push_repr(vm: &Vm, out: &mut String, v: &Value) -> Res<()> {
    if let Some(i) = v.as_small() {
        crate::text::int_text::push_i64(out, i);
        return Ok(());
    }
    let r = vm.repr(v)?;
    out.push_str(r.as_str().unwrap_or(""));
    Ok(())
}

/// The value of a `key=` argument or another optional callable: None if it was not given or is None.
pub fn optional(v: &Value) -> Option<&Value> {
    v.non_none()
}
