//! `set` and `frozenset`: operations, methods, and their iterator.
//!
//! The order in which results are filled follows CPython's `setobject.c`, since the iteration order of int sets shows it.
//!
//! Rule: tables are walked by place, each key copied out before anything that can run script code.

use crate::builtins::list::CLASS_GETITEM;
use crate::builtins::support::{alloc_as, positional, push_items, this, wrong_self};
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::iter::SetIter;
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::set::{FrozenSet, Set, SetTable};
use crate::object::types::{BinOp, CmpOp, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::set_ops::frozenset_hash;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

fn table<'a>(vm: &Vm, v: &'a Value) -> Res<&'a SetTable> {
    v.as_set().ok_or_else(|| wrong_self(vm, v))
}

/// A set of the same base type (set or frozenset) as `like`.
fn same_base(vm: &Vm, like: &Value, t: SetTable) -> Value {
    if like.kind() == Kind::Set {
        vm.set(t)
    } else {
        vm.frozenset(t)
    }
}

fn new_set(vm: &Vm, class: &Value, _args: Args) -> Res {
    Ok(alloc_as(vm, class, Set(SetTable::default())))
}

fn init_set(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let args = positional(vm, "set", args, 0, 1)?;
    let t = table(vm, v)?;
    t.clear();
    match args.first() {
        Some(from) => vm.set_update(t, from),
        None => Ok(()),
    }
}

fn new_frozenset(vm: &Vm, class: &Value, args: Args) -> Res {
    let exact = class.is(vm.kind_type(Kind::FrozenSet));
    let args = positional(
        vm,
        "frozenset",
        if exact {
            args
        } else {
            Args::positional(args.pos())
        },
        0,
        1,
    )?;
    match args.first() {
        Some(f) if exact && vm.is_exact(f, Kind::FrozenSet) => Ok(f.clone()),
        Some(from) => {
            let t = vm.set_table(from)?;
            Ok(alloc_as(vm, class, FrozenSet(t)))
        }
        None => Ok(alloc_as(vm, class, FrozenSet(SetTable::default()))),
    }
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let t = table(vm, v)?;
    let name = vm.type_name(v);
    if t.is_empty() {
        return Ok(vm.str(&format!("{name}()")));
    }
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str(&format!("{name}(...)")));
    }
    let keys = t.keys();
    let plain = vm.is_exact(v, Kind::Set);
    let mut out = if plain {
        String::from("{")
    } else {
        format!("{name}({{")
    };
    let r = push_items(vm, &mut out, |i| keys.get(i).cloned());
    vm.repr_leave(v);
    r?;
    out.push_str(if plain { "}" } else { "})" });
    Ok(vm.str(&out))
}

fn hash_frozen(vm: &Vm, v: &Value) -> Res<i64> {
    let t = table(vm, v)?;
    if t.hash.get() == -1 {
        t.hash.set(frozenset_hash(t));
    }
    Ok(t.hash.get())
}

/// True if every key of `a` is in `b`.
fn subset(vm: &Vm, a: &SetTable, b: &SetTable) -> Res<bool> {
    if a.len() > b.len() {
        return Ok(false);
    }
    vm.check_native_stack()?;
    let mut at = 0;
    while let Some((i, key, hash)) = a.next_hashed(at) {
        if !vm.set_has_hashed(b, &key, hash)? {
            return Ok(false);
        }
        at = i + 1;
    }
    Ok(true)
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.as_set(), b.as_set()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let equal = || -> Res<bool> {
        let hashes_differ =
            x.hash.get() != -1 && y.hash.get() != -1 && x.hash.get() != y.hash.get();
        Ok(x.len() == y.len() && !hashes_differ && subset(vm, x, y)?)
    };
    Ok(Value::bool(match op {
        CmpOp::Eq => equal()?,
        CmpOp::Ne => !equal()?,
        CmpOp::Le => subset(vm, x, y)?,
        CmpOp::Ge => subset(vm, y, x)?,
        CmpOp::Lt => x.len() < y.len() && subset(vm, x, y)?,
        CmpOp::Gt => x.len() > y.len() && subset(vm, y, x)?,
    }))
}

fn iter(vm: &Vm, v: &Value) -> Res {
    let n = table(vm, v)?.len();
    Ok(vm.alloc(SetIter {
        set: RefCell::new(v.clone()),
        next: Cell::new(0),
        size: Cell::new(n),
        left: Cell::new(n),
    }))
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(table(vm, v)?.len())
}

fn contains(vm: &Vm, v: &Value, key: &Value) -> Res<bool> {
    vm.set_contains(table(vm, v)?, key)
}

// ---- the four operations on tables

fn intersection(vm: &Vm, so: &SetTable, other: &Value) -> Res<SetTable> {
    let out = SetTable::default();
    if let Some(other) = other.as_set() {
        // The smaller one is walked.
        let (walk, look) = if other.len() > so.len() {
            (so, other)
        } else {
            (other, so)
        };
        let mut at = 0;
        while let Some((i, key, hash)) = walk.next_hashed(at) {
            if vm.set_has_hashed(look, &key, hash)? {
                vm.set_add_hashed(&out, key, hash)?;
            }
            at = i + 1;
        }
        return Ok(out);
    }
    vm.iterate(other, &mut |key| {
        let hash = vm.hash_set_key(&key)?;
        if vm.set_has_hashed(so, &key, hash)? {
            vm.set_add_hashed(&out, key, hash)?;
        }
        Ok(())
    })?;
    Ok(out)
}

/// Removes the keys of `other` from `so`.
fn difference_update(vm: &Vm, so: &SetTable, other: &Value) -> Res<()> {
    if let Some(other) = other.as_set() {
        if std::ptr::eq(so, other) {
            so.clear();
            return Ok(());
        }
        // A much larger set is better walked from this side.
        let walk = if other.len() >> 3 > so.len() {
            Some(intersection_of(vm, so, other)?)
        } else {
            None
        };
        let walk = walk.as_ref().unwrap_or(other);
        let mut at = 0;
        while let Some((i, key, hash)) = walk.next_hashed(at) {
            vm.set_discard_hashed(so, &key, hash)?;
            at = i + 1;
        }
    } else {
        vm.iterate(other, &mut |key| {
            let hash = vm.hash_set_key(&key)?;
            vm.set_discard_hashed(so, &key, hash).map(drop)
        })?;
    }
    so.tidy();
    Ok(())
}

fn intersection_of(vm: &Vm, a: &SetTable, b: &SetTable) -> Res<SetTable> {
    let out = SetTable::default();
    let mut at = 0;
    while let Some((i, key, hash)) = a.next_hashed(at) {
        if vm.set_has_hashed(b, &key, hash)? {
            vm.set_add_hashed(&out, key, hash)?;
        }
        at = i + 1;
    }
    Ok(out)
}

fn difference(vm: &Vm, so: &SetTable, other: &Value) -> Res<SetTable> {
    let dict = if vm.is_exact(other, Kind::Dict) {
        other.get::<Dict>()
    } else {
        None
    };
    let size = other.as_set().map(SetTable::len).or(dict.map(Dict::len));
    let Some(size) = size.filter(|&n| so.len() >> 2 <= n) else {
        let out = so.copy();
        difference_update(vm, &out, other)?;
        return Ok(out);
    };
    let _ = size;
    let out = SetTable::default();
    let mut at = 0;
    while let Some((i, key, hash)) = so.next_hashed(at) {
        let found = match (other.as_set(), dict) {
            (Some(t), _) => vm.set_has_hashed(t, &key, hash)?,
            (None, Some(d)) => vm.dict_find(d, &key, hash)?.is_some(),
            (None, None) => false,
        };
        if !found {
            vm.set_add_hashed(&out, key, hash)?;
        }
        at = i + 1;
    }
    Ok(out)
}

/// Adds the keys of `other` that `so` lacks, and removes those that it has.
fn symmetric_update(vm: &Vm, so: &SetTable, other: &SetTable) -> Res<()> {
    for (hash, key) in other.hashed_keys() {
        if !vm.set_discard_hashed(so, &key, hash)? {
            vm.set_add_hashed(so, key, hash)?;
        }
    }
    Ok(())
}

/// A set of `other`'s keys, with `so`'s keys toggled in it.
fn symmetric_difference(vm: &Vm, so: &SetTable, other: &Value) -> Res<SetTable> {
    let out = vm.set_table(other)?;
    symmetric_update(vm, &out, so)?;
    Ok(out)
}

// ---- operators

/// Both operands as sets, or NotImplemented.
fn operators(s: &mut Slots) {
    s.binary[BinOp::Or as usize] = Some(|vm, a, b| match (a.as_set(), b.as_set()) {
        (Some(x), Some(_)) => {
            let out = x.copy();
            vm.set_update(&out, b)?;
            Ok(same_base(vm, a, out))
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    });
    s.binary[BinOp::And as usize] = Some(|vm, a, b| match (a.as_set(), b.as_set()) {
        (Some(x), Some(_)) => Ok(same_base(vm, a, intersection(vm, x, b)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    });
    s.binary[BinOp::Sub as usize] = Some(|vm, a, b| match (a.as_set(), b.as_set()) {
        (Some(x), Some(_)) => Ok(same_base(vm, a, difference(vm, x, b)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    });
    s.binary[BinOp::Xor as usize] = Some(|vm, a, b| match (a.as_set(), b.as_set()) {
        (Some(x), Some(_)) => Ok(same_base(vm, a, symmetric_difference(vm, x, b)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    });
}

fn inplace_operators(s: &mut Slots) {
    s.inplace[BinOp::Or as usize] = Some(|vm, a, b| {
        if b.as_set().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        vm.set_update(table(vm, a)?, b)?;
        Ok(a.clone())
    });
    s.inplace[BinOp::And as usize] = Some(|vm, a, b| {
        if b.as_set().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let t = table(vm, a)?;
        t.take_from(intersection(vm, t, b)?);
        Ok(a.clone())
    });
    s.inplace[BinOp::Sub as usize] = Some(|vm, a, b| {
        if b.as_set().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        difference_update(vm, table(vm, a)?, b)?;
        Ok(a.clone())
    });
    s.inplace[BinOp::Xor as usize] = Some(|vm, a, b| {
        if b.as_set().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        symmetric_update_any(vm, table(vm, a)?, b)?;
        Ok(a.clone())
    });
}

fn symmetric_update_any(vm: &Vm, t: &SetTable, other: &Value) -> Res<()> {
    match other.as_set() {
        Some(o) if std::ptr::eq(t, o) => {
            t.clear();
            Ok(())
        }
        Some(o) => symmetric_update(vm, t, o),
        None => {
            let o = vm.set_table(other)?;
            symmetric_update(vm, t, &o)
        }
    }
}

// ---- methods

fn add(vm: &Vm, a: &[Value]) -> Res {
    vm.set_add(table(vm, &a[0])?, a[1].clone())?;
    Ok(Value::NONE)
}

fn discard(vm: &Vm, a: &[Value]) -> Res {
    vm.set_discard(table(vm, &a[0])?, &a[1])?;
    Ok(Value::NONE)
}

fn remove(vm: &Vm, a: &[Value]) -> Res {
    if vm.set_discard(table(vm, &a[0])?, &a[1])? {
        Ok(Value::NONE)
    } else {
        Err(vm.key_error(&a[1]))
    }
}

fn pop(vm: &Vm, a: &[Value]) -> Res {
    table(vm, &a[0])?
        .pop()
        .ok_or_else(|| vm.error(Exc::KeyError, "pop from an empty set"))
}

fn clear(vm: &Vm, a: &[Value]) -> Res {
    table(vm, &a[0])?.clear();
    Ok(Value::NONE)
}

fn copy(vm: &Vm, a: &[Value]) -> Res {
    if vm.is_exact(&a[0], Kind::FrozenSet) {
        return Ok(a[0].clone());
    }
    Ok(same_base(vm, &a[0], table(vm, &a[0])?.copy()))
}

fn update(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    for from in tuple_items(&a[1]) {
        vm.set_update(t, from)?;
    }
    Ok(Value::NONE)
}

fn union(vm: &Vm, a: &[Value]) -> Res {
    let out = table(vm, &a[0])?.copy();
    for from in tuple_items(&a[1]) {
        vm.set_update(&out, from)?;
    }
    Ok(same_base(vm, &a[0], out))
}

fn intersect_all(vm: &Vm, a: &[Value]) -> Res<SetTable> {
    let t = table(vm, &a[0])?;
    let mut out: Option<SetTable> = None;
    for from in tuple_items(&a[1]) {
        out = Some(intersection(vm, out.as_ref().unwrap_or(t), from)?);
    }
    Ok(out.unwrap_or_else(|| t.copy()))
}

fn intersection_method(vm: &Vm, a: &[Value]) -> Res {
    Ok(same_base(vm, &a[0], intersect_all(vm, a)?))
}

fn intersection_update(vm: &Vm, a: &[Value]) -> Res {
    let out = intersect_all(vm, a)?;
    table(vm, &a[0])?.take_from(out);
    Ok(Value::NONE)
}

fn difference_method(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    let Some((first, rest)) = tuple_items(&a[1]).split_first() else {
        return Ok(same_base(vm, &a[0], t.copy()));
    };
    let out = difference(vm, t, first)?;
    for from in rest {
        difference_update(vm, &out, from)?;
    }
    Ok(same_base(vm, &a[0], out))
}

fn difference_update_method(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    for from in tuple_items(&a[1]) {
        difference_update(vm, t, from)?;
    }
    Ok(Value::NONE)
}

fn symmetric_difference_method(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    Ok(same_base(vm, &a[0], symmetric_difference(vm, t, &a[1])?))
}

fn symmetric_difference_update(vm: &Vm, a: &[Value]) -> Res {
    symmetric_update_any(vm, table(vm, &a[0])?, &a[1])?;
    Ok(Value::NONE)
}

fn isdisjoint(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    if let Some(other) = a[1].as_set() {
        let (walk, look) = if other.len() > t.len() {
            (t, other)
        } else {
            (other, t)
        };
        let mut at = 0;
        while let Some((i, key, hash)) = walk.next_hashed(at) {
            if vm.set_has_hashed(look, &key, hash)? {
                return Ok(Value::FALSE);
            }
            at = i + 1;
        }
        return Ok(Value::TRUE);
    }
    let it = vm.iter(&a[1])?;
    while let Some(key) = vm.next(&it)? {
        let hash = vm.hash_set_key(&key)?;
        if vm.set_has_hashed(t, &key, hash)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn issubset(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    if let Some(other) = a[1].as_set() {
        return Ok(Value::bool(subset(vm, t, other)?));
    }
    let common = intersection(vm, t, &a[1])?;
    Ok(Value::bool(common.len() == t.len()))
}

fn issuperset(vm: &Vm, a: &[Value]) -> Res {
    let t = table(vm, &a[0])?;
    if let Some(other) = a[1].as_set() {
        return Ok(Value::bool(subset(vm, other, t)?));
    }
    let it = vm.iter(&a[1])?;
    while let Some(key) = vm.next(&it)? {
        let hash = vm.hash_set_key(&key)?;
        if !vm.set_has_hashed(t, &key, hash)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

/// (type, ([keys],), state), for copy and pickle.
fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let keys = vm.list(table(vm, &a[0])?.keys());
    let state = vm
        .getattr_opt(&a[0], &vm.names.__dict__)?
        .unwrap_or(Value::NONE);
    Ok(vm.tuple(vec![vm.type_of(&a[0]), vm.tuple(vec![keys]), state]))
}

macro_rules! shared_methods {
    ($($own:expr,)*) => {
        &[
            $($own,)*
            NativeDef { sig: "copy(self, /)", f: copy, doc: "Return a shallow copy of a set." },
            NativeDef { sig: "union(self, /, *others)", f: union, doc: "Return a new set with elements from the set and all others." },
            NativeDef { sig: "intersection(self, /, *others)", f: intersection_method, doc: "Return a new set with elements common to the set and all others." },
            NativeDef { sig: "difference(self, /, *others)", f: difference_method, doc: "Return a new set with elements in the set that are not in the others." },
            NativeDef { sig: "symmetric_difference(self, other, /)", f: symmetric_difference_method, doc: "Return a new set with elements in either the set or other but not both." },
            NativeDef { sig: "isdisjoint(self, other, /)", f: isdisjoint, doc: "Return True if two sets have a null intersection." },
            NativeDef { sig: "issubset(self, other, /)", f: issubset, doc: "Report whether another set contains this set." },
            NativeDef { sig: "issuperset(self, other, /)", f: issuperset, doc: "Report whether this set contains another set." },
            NativeDef { sig: "__reduce__(self, /)", f: reduce, doc: "Return state information for pickling." },
        ]
    };
}

fn common(s: &mut Slots) {
    s.repr = Some(repr);
    s.cmp = Some(cmp);
    s.iter = Some(iter);
    s.len = Some(len);
    s.contains = Some(contains);
    operators(s);
}

pub static SET: TypeSpec = TypeSpec {
    name: "set",
    kind: Kind::Set,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        common(s);
        inplace_operators(s);
        s.new = Some(new_set);
        s.init = Some(init_set);
        s.hash = Some(crate::vm::slots::unhashable);
    },
    methods: shared_methods![
        NativeDef {
            sig: "add(self, object, /)",
            f: add,
            doc: "Add an element to a set.\n\nThis has no effect if the element is already present."
        },
        NativeDef {
            sig: "discard(self, object, /)",
            f: discard,
            doc: "Remove an element from a set if it is a member.\n\nUnlike set.remove(), the discard() method does not raise\nan exception when an element is missing from the set."
        },
        NativeDef {
            sig: "remove(self, object, /)",
            f: remove,
            doc: "Remove an element from a set; it must be a member.\n\nIf the element is not a member, raise a KeyError."
        },
        NativeDef {
            sig: "pop(self, /)",
            f: pop,
            doc: "Remove and return an arbitrary set element.\n\nRaises KeyError if the set is empty."
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Remove all elements from this set."
        },
        NativeDef {
            sig: "update(self, /, *others)",
            f: update,
            doc: "Update the set, adding elements from all others."
        },
        NativeDef {
            sig: "intersection_update(self, /, *others)",
            f: intersection_update,
            doc: "Update the set, keeping only elements found in it and all others."
        },
        NativeDef {
            sig: "difference_update(self, /, *others)",
            f: difference_update_method,
            doc: "Update the set, removing elements found in others."
        },
        NativeDef {
            sig: "symmetric_difference_update(self, other, /)",
            f: symmetric_difference_update,
            doc: "Update the set, keeping only elements found in either set, but not in both."
        },
    ],
    class_methods: CLASS_GETITEM,
    doc: "Build an unordered collection of unique elements.",
    ..TypeSpec::EMPTY
};

pub static FROZENSET: TypeSpec = TypeSpec {
    name: "frozenset",
    kind: Kind::FrozenSet,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        common(s);
        s.new = Some(new_frozenset);
        s.hash = Some(hash_frozen);
    },
    methods: shared_methods![],
    class_methods: CLASS_GETITEM,
    doc: "Build an immutable unordered collection of unique elements.",
    ..TypeSpec::EMPTY
};

// ---- iterator

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<SetIter>(vm, v)?;
    let entry = {
        let set = it.set.borrow();
        let Some(t) = set.as_set() else {
            return Ok(None);
        };
        if t.len() != it.size.get() {
            it.size.set(usize::MAX);
            return Err(vm.runtime_error("Set changed size during iteration"));
        }
        t.next_entry(it.next.get())
    };
    match entry {
        Some((i, key)) => {
            it.next.set(i + 1);
            it.left.set(it.left.get().saturating_sub(1));
            Ok(Some(key))
        }
        None => {
            let old = it.set.replace(Value::UNBOUND);
            drop(old);
            Ok(None)
        }
    }
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<SetIter>(vm, &a[0])?;
    let n = match it.set.borrow().as_set() {
        Some(t) if t.len() == it.size.get() => it.left.get(),
        _ => 0,
    };
    Ok(vm.usize(n))
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<SetIter>(vm, &a[0])?;
    let copy = SetIter {
        set: RefCell::new(it.set.borrow().clone()),
        next: Cell::new(it.next.get()),
        size: Cell::new(it.size.get()),
        left: Cell::new(it.left.get()),
    };
    let copy = vm.alloc(copy);
    let mut left = Vec::new();
    while let Some(item) = iter_next(vm, &copy)? {
        left.push(item);
    }
    let left = vm.list(left);
    Ok(vm.pair(vm.builtin("iter")?, vm.tuple(vec![left])))
}

pub static ITER: TypeSpec = TypeSpec {
    name: "set_iterator",
    kind: Kind::SetIter,
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
    ],
    ..TypeSpec::EMPTY
};
