//! `slice` objects.

use crate::builtins::support::{big_int, positional, push_repr, this};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::Slice;
use crate::object::types::{CmpOp, GetSetDef, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use num_bigint::{BigInt, Sign};
use num_traits::{One, Signed, Zero};

fn new(vm: &Vm, _class: &Value, args: Args) -> Res {
    let a = positional(vm, "slice", args, 1, 3)?;
    let at = |i: usize| a.get(i).cloned().unwrap_or(Value::NONE);
    Ok(if a.len() == 1 {
        vm.slice(Value::NONE, at(0), Value::NONE)
    } else {
        vm.slice(at(0), at(1), at(2))
    })
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let s = this::<Slice>(vm, v)?;
    vm.check_native_stack()?;
    let mut out = String::from("slice(");
    push_repr(vm, &mut out, &s.start)?;
    out.push_str(", ");
    push_repr(vm, &mut out, &s.stop)?;
    out.push_str(", ");
    push_repr(vm, &mut out, &s.step)?;
    out.push(')');
    Ok(vm.str(&out))
}

fn parts(vm: &Vm, s: &Slice) -> Value {
    vm.tuple(vec![s.start.clone(), s.stop.clone(), s.step.clone()])
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Slice>(), b.get::<Slice>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if a.is(b) {
        return Ok(Value::bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
    }
    vm.compare(op, &parts(vm, x), &parts(vm, y))
}

/// The hash that CPython gives: xxHash's rounds over the three parts.
fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let s = this::<Slice>(vm, v)?;
    let mut acc: u64 = 2870177450012600261;
    for part in [&s.start, &s.stop, &s.step] {
        let lane = vm.hash_key(part)? as u64;
        acc = acc
            .wrapping_add(lane.wrapping_mul(14029467366897019727))
            .rotate_left(31)
            .wrapping_mul(11400714785074694791);
    }
    Ok(if acc == u64::MAX {
        1546275796
    } else {
        acc as i64
    })
}

/// A part as an int of any size.
fn part(vm: &Vm, v: &Value) -> Res<Option<BigInt>> {
    if v.is_none() {
        return Ok(None);
    }
    if !crate::builtins::support::has_index(vm, v) {
        return Err(
            vm.type_error("slice indices must be integers or None or have an __index__ method")
        );
    }
    Ok(Some(big_int(&vm.index(v)?)))
}

/// `slice.indices` for ints of any size: start, stop, step.
pub fn long_indices(vm: &Vm, s: &Slice, length: &BigInt) -> Res<(BigInt, BigInt, BigInt)> {
    let step = part(vm, &s.step)?.unwrap_or_else(BigInt::one);
    if step.is_zero() {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let back = step.sign() == Sign::Minus;
    let (low, high) = if back {
        (BigInt::from(-1), length - 1)
    } else {
        (BigInt::zero(), length.clone())
    };
    let fix = |v: Option<BigInt>, default: &BigInt| match v {
        None => default.clone(),
        Some(v) if v.is_negative() => (v + length).max(low.clone()),
        Some(v) => v.min(high.clone()),
    };
    let start = fix(part(vm, &s.start)?, if back { &high } else { &low });
    let stop = fix(part(vm, &s.stop)?, if back { &low } else { &high });
    Ok((start, stop, step))
}

fn indices(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Slice>(vm, &a[0])?;
    let length = big_int(&vm.index(&a[1])?);
    if length.is_negative() {
        return Err(vm.value_error("length should not be negative"));
    }
    let (start, stop, step) = long_indices(vm, s, &length)?;
    Ok(vm.tuple(vec![vm.big(start), vm.big(stop), vm.big(step)]))
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Slice>(vm, &a[0])?;
    Ok(vm.pair(vm.type_of(&a[0]), parts(vm, s)))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "slice",
    kind: Kind::Slice,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.cmp = Some(cmp);
        s.hash = Some(hash);
    },
    methods: &[
        NativeDef {
            sig: "indices(self, object, /)",
            f: indices,
            doc: "S.indices(len) -> (start, stop, stride)\n\nAssuming a sequence of length len, calculate the start and stop\nindices, and the stride length of the extended slice described by\nS. Out of bounds indices are clipped in a manner consistent with the\nhandling of normal slices.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce,
            doc: "Return state information for pickling.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "start",
            get: |vm, v| Ok(this::<Slice>(vm, v)?.start.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "stop",
            get: |vm, v| Ok(this::<Slice>(vm, v)?.stop.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "step",
            get: |vm, v| Ok(this::<Slice>(vm, v)?.step.clone()),
            set: None,
            doc: "",
        },
    ],
    doc: "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing (e.g. a[0:10:2]).",
    ..TypeSpec::EMPTY
};
