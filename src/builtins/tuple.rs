//! `tuple`: its operations and methods, and its iterator.

use crate::builtins::list::{
    CLASS_GETITEM, cannot_repeat, compare_items, compare_len, find, repeated,
};
use crate::builtins::support::{
    Key, check_room, clamped, memory_error, pick, position, positional, push_repr, repeat_count,
    right_operand_first, same, seq_key, this,
};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::{Tuple, TupleIter};
use crate::object::types::{BinOp, CmpOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::numhash::hash_tuple;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let exact = class.is(vm.kind_type(Kind::Tuple));
    // A subclass may take keywords in its `__init__`.
    let args = if exact {
        positional(vm, "tuple", args, 0, 1)?
    } else {
        positional(vm, "tuple", Args::positional(args.pos()), 0, 1)?
    };
    let items = match args.first() {
        None => Vec::new(),
        Some(t) if exact && vm.is_exact(t, Kind::Tuple) => return Ok(t.clone()),
        Some(from) => vm.collect(from)?,
    };
    Ok(vm.tuple_as(class, items))
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let t = this::<Tuple>(vm, v)?;
    if t.is_empty() {
        return Ok(vm.str("()"));
    }
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str("(...)"));
    }
    let mut out = String::from("(");
    let mut done = Ok(());
    for (i, item) in t.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        done = push_repr(vm, &mut out, item);
        if done.is_err() {
            break;
        }
    }
    vm.repr_leave(v);
    done?;
    out.push_str(if t.len() == 1 { ",)" } else { ")" });
    Ok(vm.str(&out))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let t = this::<Tuple>(vm, v)?;
    vm.check_native_stack()?;
    let mut hashes = [0i64; 8];
    if t.len() <= hashes.len() {
        for (h, item) in hashes.iter_mut().zip(t.iter()) {
            *h = vm.hash_key(item)?;
        }
        return Ok(hash_tuple(hashes[..t.len()].iter().copied()));
    }
    let hashes = t
        .iter()
        .map(|item| vm.hash_key(item))
        .collect::<Res<Vec<i64>>>()?;
    Ok(hash_tuple(hashes.into_iter()))
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Tuple>(), b.get::<Tuple>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if x.is_empty() || y.is_empty() {
        return Ok(Value::bool(compare_len(op, x.len(), y.len())));
    }
    compare_items(
        vm,
        op,
        &|i| x.get(i).cloned(),
        &|i| y.get(i).cloned(),
        &|| (x.len(), y.len()),
    )
}

fn iter(vm: &Vm, v: &Value) -> Res {
    Ok(vm.alloc(TupleIter {
        tuple: RefCell::new(v.clone()),
        next: Cell::new(0),
    }))
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(this::<Tuple>(vm, v)?.len())
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let t = this::<Tuple>(vm, v)?;
    match seq_key(vm, key, "tuple")? {
        Key::At(i) => position(i, t.len())
            .map(|i| t[i].clone())
            .ok_or_else(|| vm.index_error("tuple index out of range")),
        Key::Slice(b) => {
            let s = b.of(t.len());
            if s.step == 1 && s.count == t.len() && vm.is_exact(v, Kind::Tuple) {
                return Ok(v.clone());
            }
            Ok(vm.tuple(pick(t, &s)))
        }
    }
}

fn contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    for x in this::<Tuple>(vm, v)?.iter() {
        if same(vm, x, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    let Some(x) = a.get::<Tuple>() else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let Some(y) = b.get::<Tuple>() else {
        return match right_operand_first(vm, BinOp::Add, a, b)? {
            Some(r) => Ok(r),
            None => Err(vm.type_error(format!(
                "can only concatenate tuple (not \"{}\") to tuple",
                vm.type_name(b)
            ))),
        };
    };
    if x.is_empty() && vm.is_exact(b, Kind::Tuple) {
        return Ok(b.clone());
    }
    if y.is_empty() && vm.is_exact(a, Kind::Tuple) {
        return Ok(a.clone());
    }
    check_room(vm, x.len() + y.len())?;
    Ok(vm.tuple([&x[..], &y[..]].concat()))
}

fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (seq, times) = if a.is_kind::<Tuple>() { (a, b) } else { (b, a) };
    let t = this::<Tuple>(vm, seq)?;
    let Some(n) = repeat_count(vm, times)? else {
        return cannot_repeat(vm, a, b, times);
    };
    if vm.is_exact(seq, Kind::Tuple) && (n == 1 || t.is_empty()) {
        return Ok(seq.clone());
    }
    // The items and the tuple itself are there at once for a moment.
    check_room(
        vm,
        t.len()
            .checked_mul(n)
            .and_then(|n| n.checked_mul(2))
            .ok_or_else(|| memory_error(vm))?,
    )?;
    Ok(vm.tuple(repeated(vm, t, n)?))
}

fn index(vm: &Vm, a: &[Value]) -> Res {
    let t = this::<Tuple>(vm, &a[0])?;
    match find(vm, &a[1], &a[2..], &|i| t.get(i).cloned(), t.len())? {
        Some(i) => Ok(vm.usize(i)),
        None => Err(vm.value_error("tuple.index(x): x not in tuple")),
    }
}

fn count(vm: &Vm, a: &[Value]) -> Res {
    let mut n = 0;
    for x in this::<Tuple>(vm, &a[0])?.iter() {
        n += same(vm, x, &a[1])? as usize;
    }
    Ok(vm.usize(n))
}

fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let items = this::<Tuple>(vm, &a[0])?.to_vec();
    let plain = vm.tuple(items);
    Ok(vm.tuple(vec![plain]))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "tuple",
    kind: Kind::Tuple,
    flags: tflag::BASETYPE | tflag::SEQUENCE | tflag::MATCH_SELF,
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
    },
    methods: &[
        NativeDef {
            sig: "index(self, value, start=..., stop=..., /)",
            f: index,
            doc: "Return first index of value.",
        },
        NativeDef {
            sig: "count(self, value, /)",
            f: count,
            doc: "Return number of occurrences of value.",
        },
        NativeDef {
            sig: "__getnewargs__(self, /)",
            f: getnewargs,
            doc: "",
        },
    ],
    class_methods: CLASS_GETITEM,
    doc: "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\nIf iterable is specified the tuple is initialized from iterable's items.\n\nIf the argument is a tuple, the return value is the same object.",
    ..TypeSpec::EMPTY
};

// ---- iterator

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<TupleIter>(vm, v)?;
    let i = it.next.get();
    let item = it
        .tuple
        .borrow()
        .get::<Tuple>()
        .and_then(|t| t.get(i).cloned());
    match item {
        Some(x) => {
            it.next.set(i + 1);
            Ok(Some(x))
        }
        None => {
            let old = it.tuple.replace(Value::UNBOUND);
            drop(old);
            Ok(None)
        }
    }
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<TupleIter>(vm, &a[0])?;
    let n = it
        .tuple
        .borrow()
        .get::<Tuple>()
        .map_or(0, |t| t.len().saturating_sub(it.next.get()));
    Ok(vm.usize(n))
}

fn iter_setstate(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<TupleIter>(vm, &a[0])?;
    let n = it.tuple.borrow().get::<Tuple>().map_or(0, |t| t.len()) as i64;
    it.next.set(clamped(vm, &a[1])?.clamp(0, n) as usize);
    Ok(Value::NONE)
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<TupleIter>(vm, &a[0])?;
    let tuple = it.tuple.borrow().clone();
    let iter = vm.builtin("iter")?;
    if tuple.is_unbound() {
        let empty = vm.tuple(vec![]);
        return Ok(vm.pair(iter, vm.tuple(vec![empty])));
    }
    Ok(vm.tuple(vec![iter, vm.tuple(vec![tuple]), vm.usize(it.next.get())]))
}

pub static ITER: TypeSpec = TypeSpec {
    name: "tuple_iterator",
    kind: Kind::TupleIter,
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
