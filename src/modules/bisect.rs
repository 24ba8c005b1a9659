//! The module `_bisect`: places in sorted sequences.

use crate::builtins::support::{optional, ssize};
use crate::modules::math::rows;
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::seq::List;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The place of `x` in the arguments (a, x, lo, hi, key): the first one not before it (left) or after it.
fn place(vm: &Vm, a: &[Value], x: &Value, right: bool) -> Res<i64> {
    let key = optional(&a[4]);
    let mut low = ssize(vm, &a[2])?;
    if low < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let mut high = match a[3].non_none() {
        Some(h) => ssize(vm, h)?,
        None => vm.len(&a[0])? as i64,
    };
    let list = if vm.is_exact(&a[0], Kind::List) {
        a[0].get::<List>()
    } else {
        None
    };
    while low < high {
        let mid = low + (high - low) / 2;
        let item = match list {
            Some(l) => l
                .get(mid as usize)
                .ok_or_else(|| vm.index_error("list index out of range"))?,
            None => vm.getitem(&a[0], &vm.int(mid))?,
        };
        let item = match key {
            Some(k) => vm.call(k, &[item])?,
            None => item,
        };
        let go_left = if right {
            vm.lt(x, &item)?
        } else {
            !vm.lt(&item, x)?
        };
        if go_left {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    Ok(low)
}

fn bisect_left(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(place(vm, a, &a[1], false)?))
}
fn bisect_right(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(place(vm, a, &a[1], true)?))
}

fn insort(vm: &Vm, a: &[Value], right: bool) -> Res {
    let x = match optional(&a[4]) {
        Some(k) => vm.call(k, std::slice::from_ref(&a[1]))?,
        None => a[1].clone(),
    };
    let at = place(vm, a, &x, right)?;
    if vm.is_exact(&a[0], Kind::List)
        && let Some(l) = a[0].get::<List>()
    {
        let mut items = l.0.borrow_mut();
        let at = (at as usize).min(items.len());
        items.insert(at, a[1].clone());
        return Ok(Value::NONE);
    }
    vm.call_method(&a[0], &vm.intern("insert"), &[vm.int(at), a[1].clone()])?;
    Ok(Value::NONE)
}

static FUNCTIONS: &[NativeDef] = rows! {
    "bisect_left(a, x, lo=0, hi=None, *, key=None)" bisect_left, "Return the index where to insert item x in list a, assuming a is sorted, before equal items.";
    "bisect_right(a, x, lo=0, hi=None, *, key=None)" bisect_right, "Return the index where to insert item x in list a, assuming a is sorted, after equal items.";
    "bisect(a, x, lo=0, hi=None, *, key=None)" bisect_right, "Return the index where to insert item x in list a, assuming a is sorted, after equal items.";
    "insort_left(a, x, lo=0, hi=None, *, key=None)" |vm, a| insort(vm, a, false), "Insert item x in list a, and keep it sorted assuming a is sorted, before equal items.";
    "insort_right(a, x, lo=0, hi=None, *, key=None)" |vm, a| insort(vm, a, true), "Insert item x in list a, and keep it sorted assuming a is sorted, after equal items.";
    "insort(a, x, lo=0, hi=None, *, key=None)" |vm, a| insort(vm, a, true), "Insert item x in list a, and keep it sorted assuming a is sorted, after equal items.";
};

pub fn init(vm: &Vm) -> Res {
    Ok(vm.native_module("_bisect", "Bisection algorithms.", &[FUNCTIONS]))
}
