//! `range` and its iterators.
//!
//! The parts are ints of any size; arithmetic is done in i128 when all are inline (the common case), else with big ints.

use crate::builtins::slice::long_indices;
use crate::builtins::support::{big_int, clamped, positional, same, small_int, this};
use crate::object::header::Kind;
use crate::object::iter::LongRangeIter;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::{Range, RangeIter, Slice};
use crate::object::types::{CmpOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::numhash::hash_tuple;
use crate::vm::{Res, Vm};
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cell::{Cell, RefCell};

fn new(vm: &Vm, _class: &Value, args: Args) -> Res {
    let a = positional(vm, "range", args, 1, 3)?;
    let int = |v: &Value| {
        if v.is_small() {
            Ok(v.clone())
        } else {
            vm.index(v)
        }
    };
    let (start, stop) = if a.len() == 1 {
        (Value::small_unchecked(0), int(&a[0])?)
    } else {
        (int(&a[0])?, int(&a[1])?)
    };
    let step = match a.get(2) {
        Some(s) => int(s)?,
        None => Value::small_unchecked(1),
    };
    if big_is_zero(&step) {
        return Err(vm.value_error("range() arg 3 must not be zero"));
    }
    Ok(vm.range(start, stop, step))
}

fn big_is_zero(v: &Value) -> bool {
    small_int(v) == Some(0)
}

impl Vm {
    /// A range; the step is not 0.
    pub fn range(&self, start: Value, stop: Value, step: Value) -> Value {
        self.alloc(Range { start, stop, step })
    }
}

/// The parts, if all are inline.
#[inline]
fn small_parts(r: &Range) -> Option<(i64, i64, i64)> {
    Some((r.start.as_small()?, r.stop.as_small()?, r.step.as_small()?))
}

/// Number of items of a range of inline ints.
#[inline]
pub fn small_count(start: i64, stop: i64, step: i64) -> u64 {
    // Inline ints have 63 bits, so the difference fits.
    if step > 0 && start < stop {
        ((stop - start - 1) as u64) / step as u64 + 1
    } else if step < 0 && start > stop {
        ((start - stop - 1) as u64) / step.unsigned_abs() + 1
    } else {
        0
    }
}

fn big_count(start: &BigInt, stop: &BigInt, step: &BigInt) -> BigInt {
    let (low, high) = if step.is_positive() {
        (start, stop)
    } else {
        (stop, start)
    };
    if low >= high {
        BigInt::zero()
    } else {
        (high - low - 1u8).div_floor(&step.abs()) + 1u8
    }
}

/// Number of items, of any size.
fn count_of(r: &Range) -> BigInt {
    match small_parts(r) {
        Some((a, b, c)) => BigInt::from(small_count(a, b, c)),
        None => big_count(&big_int(&r.start), &big_int(&r.stop), &big_int(&r.step)),
    }
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    let r = this::<Range>(vm, v)?;
    let n = count_of(r)
        .to_i64()
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))?;
    Ok(n as usize)
}

fn truth(vm: &Vm, v: &Value) -> Res<bool> {
    Ok(!count_of(this::<Range>(vm, v)?).is_zero())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let r = this::<Range>(vm, v)?;
    let (a, b) = (vm.repr_string(&r.start)?, vm.repr_string(&r.stop)?);
    Ok(vm.str(&if r.step.as_small() == Some(1) {
        format!("range({a}, {b})")
    } else {
        format!("range({a}, {b}, {})", vm.repr_string(&r.step)?)
    }))
}

/// Item `i`, which is within the range.
fn item(vm: &Vm, r: &Range, i: &BigInt) -> Value {
    vm.big(big_int(&r.start) + i * big_int(&r.step))
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let r = this::<Range>(vm, v)?;
    if let (Some(i), Some((start, stop, step))) = (key.as_small(), small_parts(r)) {
        let n = small_count(start, stop, step) as i128;
        let at = if i < 0 { i as i128 + n } else { i as i128 };
        if at < 0 || at >= n {
            return Err(vm.index_error("range object index out of range"));
        }
        return Ok(vm.int_i128(start as i128 + at * step as i128));
    }
    if let Some(s) = key.get::<Slice>() {
        let (start, stop, step) = long_indices(vm, s, &count_of(r))?;
        return Ok(vm.range(
            item(vm, r, &start),
            item(vm, r, &stop),
            vm.big(step * big_int(&r.step)),
        ));
    }
    if !crate::builtins::support::has_index(vm, key) {
        return Err(vm.type_error(format!(
            "range indices must be integers or slices, not {}",
            vm.type_name(key)
        )));
    }
    let n = count_of(r);
    let mut i = big_int(&vm.index(key)?);
    if i.is_negative() {
        i += &n;
    }
    if i.is_negative() || i >= n {
        return Err(vm.index_error("range object index out of range"));
    }
    Ok(item(vm, r, &i))
}

/// True for ints and bools proper, whose equality needs no script code.
fn is_plain_int(vm: &Vm, v: &Value) -> bool {
    v.is_small() || v.as_bool().is_some() || vm.is_exact(v, Kind::Int)
}

/// The position of an int in the range.
fn position_of(r: &Range, v: &Value) -> Option<BigInt> {
    if let (Some(x), Some((start, stop, step))) = (v.as_small(), small_parts(r)) {
        let inside = if step > 0 {
            start <= x && x < stop
        } else {
            stop < x && x <= start
        };
        let d = x - start;
        return if inside && d % step == 0 {
            Some(BigInt::from(d / step))
        } else {
            None
        };
    }
    let (x, start, stop, step) = (
        big_int(v),
        big_int(&r.start),
        big_int(&r.stop),
        big_int(&r.step),
    );
    let inside = if step.sign() == Sign::Plus {
        start <= x && x < stop
    } else {
        stop < x && x <= start
    };
    let (q, rest) = (x - start).div_rem(&step);
    if inside && rest.is_zero() {
        Some(q)
    } else {
        None
    }
}

fn contains(vm: &Vm, v: &Value, x: &Value) -> Res<bool> {
    if is_plain_int(vm, x) {
        return Ok(position_of(this::<Range>(vm, v)?, x).is_some());
    }
    let it = iter(vm, v)?;
    while let Some(item) = vm.next(&it)? {
        if same(vm, &item, x)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What equality and hash look at: length, start unless empty, step unless shorter than 2.
fn identity(vm: &Vm, r: &Range) -> [Value; 3] {
    let n = count_of(r);
    let start = if n.is_zero() {
        Value::NONE
    } else {
        r.start.clone()
    };
    let step = if n <= BigInt::from(1) {
        Value::NONE
    } else {
        r.step.clone()
    };
    [vm.big(n), start, step]
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) = (a.get::<Range>(), b.get::<Range>(), op) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (x, y) = (identity(vm, x), identity(vm, y));
    let equal = x
        .iter()
        .zip(&y)
        .all(|(p, q)| p.is(q) || (!p.is_none() && !q.is_none() && big_int(p) == big_int(q)));
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let parts = identity(vm, this::<Range>(vm, v)?);
    let hashes = parts
        .iter()
        .map(|p| vm.hash_key(p))
        .collect::<Res<Vec<i64>>>()?;
    Ok(hash_tuple(hashes.into_iter()))
}

fn iter(vm: &Vm, v: &Value) -> Res {
    let r = this::<Range>(vm, v)?;
    if let Some((start, stop, step)) = small_parts(r) {
        return Ok(vm.alloc(RangeIter {
            next: Cell::new(start),
            left: Cell::new(small_count(start, stop, step)),
            step,
        }));
    }
    Ok(long_iter(
        vm,
        big_int(&r.start),
        big_int(&r.step),
        count_of(r),
    ))
}

fn long_iter(vm: &Vm, start: BigInt, step: BigInt, count: BigInt) -> Value {
    vm.alloc(LongRangeIter {
        start,
        step,
        count,
        next: RefCell::new(BigInt::zero()),
    })
}

fn reversed(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Range>(vm, &a[0])?;
    if let Some((start, stop, step)) = small_parts(r) {
        let n = small_count(start, stop, step);
        let last = if n == 0 {
            start
        } else {
            (start as i128 + (n as i128 - 1) * step as i128) as i64
        };
        return Ok(vm.alloc(RangeIter {
            next: Cell::new(last),
            left: Cell::new(n),
            step: -step,
        }));
    }
    let n = count_of(r);
    let step = big_int(&r.step);
    let last = big_int(&r.start) + (&n - 1u8) * &step;
    Ok(long_iter(vm, last, -step, n))
}

fn count(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Range>(vm, &a[0])?;
    if is_plain_int(vm, &a[1]) {
        return Ok(vm.int(position_of(r, &a[1]).is_some() as i64));
    }
    let it = iter(vm, &a[0])?;
    let mut n = 0;
    while let Some(item) = vm.next(&it)? {
        n += same(vm, &item, &a[1])? as i64;
    }
    Ok(vm.int(n))
}

fn index(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Range>(vm, &a[0])?;
    if is_plain_int(vm, &a[1]) {
        return match position_of(r, &a[1]) {
            Some(i) => Ok(vm.big(i)),
            None => Err(vm.value_error("range.index(x): x not in range")),
        };
    }
    let it = iter(vm, &a[0])?;
    let mut n = 0;
    while let Some(item) = vm.next(&it)? {
        if same(vm, &item, &a[1])? {
            return Ok(vm.int(n));
        }
        n += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence"))
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Range>(vm, &a[0])?;
    Ok(vm.pair(
        vm.type_of(&a[0]),
        vm.tuple(vec![r.start.clone(), r.stop.clone(), r.step.clone()]),
    ))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "range",
    kind: Kind::Range,
    flags: tflag::SEQUENCE,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.len = Some(len);
        s.bool = Some(truth);
        s.getitem = Some(getitem);
        s.contains = Some(contains);
        s.cmp = Some(cmp);
        s.hash = Some(hash);
        s.iter = Some(iter);
    },
    methods: &[
        NativeDef {
            sig: "count(self, object, /)",
            f: count,
            doc: "rangeobject.count(value) -> integer -- return number of occurrences of value",
        },
        NativeDef {
            sig: "index(self, object, /)",
            f: index,
            doc: "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present.",
        },
        NativeDef {
            sig: "__reversed__(self, /)",
            f: reversed,
            doc: "Return a reverse iterator.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce,
            doc: "",
        },
    ],
    getset: &[
        GetSetDef {
            name: "start",
            get: |vm, v| Ok(this::<Range>(vm, v)?.start.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "stop",
            get: |vm, v| Ok(this::<Range>(vm, v)?.stop.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "step",
            get: |vm, v| Ok(this::<Range>(vm, v)?.step.clone()),
            set: None,
            doc: "",
        },
    ],
    doc: "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nReturn an object that produces a sequence of integers from start (inclusive)\nto stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\nstart defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\nThese are exactly the valid indices for a list of 4 elements.\nWhen step is given, it specifies the increment (or decrement).",
    ..TypeSpec::EMPTY
};

// ---- iterators

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<RangeIter>(vm, v)?;
    let left = it.left.get();
    if left == 0 {
        return Ok(None);
    }
    let i = it.next.get();
    it.left.set(left - 1);
    it.next.set(i.wrapping_add(it.step));
    Ok(Some(Value::small_unchecked(i)))
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int_u64(this::<RangeIter>(vm, &a[0])?.left.get()))
}

fn iter_setstate(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<RangeIter>(vm, &a[0])?;
    let n = clamped(vm, &a[1])?.clamp(0, it.left.get().min(i64::MAX as u64) as i64);
    it.next
        .set((it.next.get() as i128 + n as i128 * it.step as i128) as i64);
    it.left.set(it.left.get() - n as u64);
    Ok(Value::NONE)
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<RangeIter>(vm, &a[0])?;
    let stop = it.next.get() as i128 + it.left.get() as i128 * it.step as i128;
    let rest = vm.range(vm.int(it.next.get()), vm.int_i128(stop), vm.int(it.step));
    Ok(vm.tuple(vec![vm.builtin("iter")?, vm.tuple(vec![rest]), Value::NONE]))
}

pub static ITER: TypeSpec = TypeSpec {
    name: "range_iterator",
    kind: Kind::RangeIter,
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
            sig: "__setstate__(self, state, /)",
            f: iter_setstate,
            doc: "Set state information for unpickling.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: iter_reduce,
            doc: "Return state information for pickling.",
        },
    ],
    ..TypeSpec::EMPTY
};

fn long_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<LongRangeIter>(vm, v)?;
    let mut next = it.next.borrow_mut();
    if *next >= it.count {
        return Ok(None);
    }
    let value = &it.start + &it.step * &*next;
    *next += 1u8;
    drop(next);
    Ok(Some(vm.big(value)))
}

fn long_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<LongRangeIter>(vm, &a[0])?;
    let left = &it.count - &*it.next.borrow();
    Ok(vm.big(left))
}

pub static LONG_ITER: TypeSpec = TypeSpec {
    name: "longrange_iterator",
    kind: Kind::LongRangeIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(long_next);
    },
    methods: &[NativeDef {
        sig: "__length_hint__(self, /)",
        f: long_hint,
        doc: "Private method returning an estimate of len(list(it)).",
    }],
    ..TypeSpec::EMPTY
};
