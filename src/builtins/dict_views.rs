//! The views of dicts (`keys()`, `values()`, `items()`) and their iterators, forward and reversed.
//!
//! Keys and items views are sets to the operators `& | - ^` and the comparisons; values are not.

use crate::builtins::list::compare_len;
use crate::builtins::support::{push_repr, same, this, wrong_self};
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::iter::{DictIter, ViewOf};
use crate::object::native::NativeDef;
use crate::object::seq::Tuple;
use crate::object::set::SetTable;
use crate::object::types::{BinOp, CmpOp, GetSetDef, Slots, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

/// An iterator over a dict from its start (K < 3) or its end.
pub fn new_iter<const K: usize>(v: &Value, d: &Dict) -> DictIter<K> {
    let start = if K < 3 { 0 } else { d.end() };
    DictIter {
        dict: RefCell::new(v.clone()),
        next: Cell::new(start),
        size: Cell::new(d.len()),
        left: Cell::new(d.len()),
    }
}

fn view<'a>(vm: &Vm, v: &'a Value) -> Res<(&'a Value, &'a Dict, ViewOf)> {
    match v.as_dict_view() {
        Some((dict, of)) => Ok((dict, this::<Dict>(vm, dict)?, of)),
        None => Err(wrong_self(vm, v)),
    }
}

fn iter(vm: &Vm, v: &Value) -> Res {
    let (dict, d, of) = view(vm, v)?;
    Ok(match of {
        ViewOf::Keys => vm.alloc(new_iter::<0>(dict, d)),
        ViewOf::Values => vm.alloc(new_iter::<1>(dict, d)),
        ViewOf::Items => vm.alloc(new_iter::<2>(dict, d)),
    })
}

fn reversed(vm: &Vm, a: &[Value]) -> Res {
    let (dict, d, of) = view(vm, &a[0])?;
    Ok(match of {
        ViewOf::Keys => vm.alloc(new_iter::<3>(dict, d)),
        ViewOf::Values => vm.alloc(new_iter::<4>(dict, d)),
        ViewOf::Items => vm.alloc(new_iter::<5>(dict, d)),
    })
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(view(vm, v)?.1.len())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let (_, d, of) = view(vm, v)?;
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str("..."));
    }
    let mut out = format!("{}([", vm.type_name(v));
    let r = push_entries(vm, &mut out, d, of);
    vm.repr_leave(v);
    r?;
    out.push_str("])");
    Ok(vm.str(&out))
}

fn push_entries(vm: &Vm, out: &mut String, d: &Dict, of: ViewOf) -> Res<()> {
    for (n, (key, value)) in d.items().into_iter().enumerate() {
        if n > 0 {
            out.push_str(", ");
        }
        match of {
            ViewOf::Keys => push_repr(vm, out, &key)?,
            ViewOf::Values => push_repr(vm, out, &value)?,
            ViewOf::Items => push_repr(vm, out, &vm.pair(key, value))?,
        }
    }
    Ok(())
}

fn contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    let (_, d, of) = view(vm, v)?;
    if of == ViewOf::Keys {
        return vm.dict_contains(d, item);
    }
    let Some([key, value]) = item.get::<Tuple>().map(|t| &t[..]) else {
        return Ok(false);
    };
    match vm.dict_get(d, key)? {
        Some(found) => same(vm, &found, value),
        None => Ok(false),
    }
}

/// True for keys and items views, sets and frozensets.
fn is_setlike(v: &Value) -> bool {
    v.as_set().is_some() || matches!(v.as_dict_view(), Some((_, ViewOf::Keys | ViewOf::Items)))
}

/// True if every item of `a` is in `b`.
fn all_in(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
    for item in vm.collect(a)? {
        if !vm.contains(b, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !is_setlike(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (n, m) = (vm.len(a)?, vm.len(b)?);
    let ok = match op {
        CmpOp::Eq => n == m && all_in(vm, a, b)?,
        CmpOp::Ne => !(n == m && all_in(vm, a, b)?),
        CmpOp::Lt | CmpOp::Le => compare_len(op, n, m) && all_in(vm, a, b)?,
        CmpOp::Gt | CmpOp::Ge => compare_len(op, n, m) && all_in(vm, b, a)?,
    };
    Ok(Value::bool(ok))
}

fn table(vm: &Vm, v: &Value) -> Res<SetTable> {
    vm.set_table(v)
}

fn and(vm: &Vm, a: &Value, b: &Value) -> Res {
    // The view may stand on either side; the longer operand is searched, the shorter walked.
    let (mut look, mut walk) = if a.as_dict_view().is_some() {
        (a, b)
    } else {
        (b, a)
    };
    let out = SetTable::default();
    if is_setlike(walk) && vm.len(walk)? > vm.len(look)? {
        (look, walk) = (walk, look);
    }
    vm.iterate(walk, &mut |item| {
        if vm.contains(look, &item)? {
            vm.set_add(&out, item)?;
        }
        Ok(())
    })?;
    Ok(vm.set(out))
}

fn or(vm: &Vm, a: &Value, b: &Value) -> Res {
    let out = table(vm, a)?;
    vm.set_update(&out, b)?;
    Ok(vm.set(out))
}

fn sub(vm: &Vm, a: &Value, b: &Value) -> Res {
    let out = table(vm, a)?;
    vm.iterate(b, &mut |item| vm.set_discard(&out, &item).map(drop))?;
    Ok(vm.set(out))
}

fn xor(vm: &Vm, a: &Value, b: &Value) -> Res {
    let out = table(vm, a)?;
    let other = table(vm, b)?;
    for (hash, key) in other.hashed_keys() {
        if !vm.set_discard_hashed(&out, &key, hash)? {
            vm.set_add_hashed(&out, key, hash)?;
        }
    }
    Ok(vm.set(out))
}

fn isdisjoint(vm: &Vm, a: &[Value]) -> Res {
    if a[0].is(&a[1]) {
        return Ok(Value::bool(vm.len(&a[0])? == 0));
    }
    for item in vm.collect(&a[1])? {
        if vm.contains(&a[0], &item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn mapping(vm: &Vm, v: &Value) -> Res {
    let dict = view(vm, v)?.0.clone();
    Ok(vm.mapping_proxy(&dict))
}

fn set_slots(s: &mut Slots) {
    value_slots(s);
    s.cmp = Some(cmp);
    s.hash = Some(crate::vm::slots::unhashable);
    s.contains = Some(contains);
    s.binary[BinOp::And as usize] = Some(and);
    s.binary[BinOp::Or as usize] = Some(or);
    s.binary[BinOp::Sub as usize] = Some(sub);
    s.binary[BinOp::Xor as usize] = Some(xor);
}

fn value_slots(s: &mut Slots) {
    s.iter = Some(iter);
    s.len = Some(len);
    s.repr = Some(repr);
}

const REVERSED: NativeDef = NativeDef {
    sig: "__reversed__(self, /)",
    f: reversed,
    doc: "Return a reverse iterator over the dict view.",
};
const DISJOINT: NativeDef = NativeDef {
    sig: "isdisjoint(self, other, /)",
    f: isdisjoint,
    doc: "Return True if the view and the given iterable have a null intersection.",
};
static GETSET: &[GetSetDef] = &[GetSetDef {
    name: "mapping",
    get: mapping,
    set: None,
    doc: "dictionary that this view refers to",
}];
static SET_METHODS: &[NativeDef] = &[REVERSED, DISJOINT];
static VALUE_METHODS: &[NativeDef] = &[REVERSED];

pub static KEYS: TypeSpec = TypeSpec {
    name: "dict_keys",
    kind: Kind::DictView,
    slots: set_slots,
    methods: SET_METHODS,
    getset: GETSET,
    ..TypeSpec::EMPTY
};
pub static VALUES: TypeSpec = TypeSpec {
    name: "dict_values",
    kind: Kind::DictValues,
    slots: value_slots,
    methods: VALUE_METHODS,
    getset: GETSET,
    ..TypeSpec::EMPTY
};
pub static ITEMS: TypeSpec = TypeSpec {
    name: "dict_items",
    kind: Kind::DictItems,
    slots: set_slots,
    methods: SET_METHODS,
    getset: GETSET,
    ..TypeSpec::EMPTY
};

// ---- iterators

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next<const K: usize>(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<DictIter<K>>(vm, v)?;
    let entry = {
        let dict = it.dict.borrow();
        let Some(d) = dict.get::<Dict>() else {
            return Ok(None);
        };
        if d.len() != it.size.get() {
            it.size.set(usize::MAX);
            return Err(vm.runtime_error("dictionary changed size during iteration"));
        }
        if K < 3 {
            d.next_entry(it.next.get())
        } else {
            d.prev_entry(it.next.get())
        }
    };
    match entry {
        Some(_) if it.left.get() == 0 => {
            Err(vm.runtime_error("dictionary keys changed during iteration"))
        }
        Some((i, key, value)) => {
            it.left.set(it.left.get() - 1);
            it.next.set(if K < 3 { i + 1 } else { i });
            Ok(Some(match K % 3 {
                0 => key,
                1 => value,
                _ => vm.pair(key, value),
            }))
        }
        None => {
            let old = it.dict.replace(Value::UNBOUND);
            drop(old);
            Ok(None)
        }
    }
}

fn iter_hint<const K: usize>(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<DictIter<K>>(vm, &a[0])?;
    let n = match it.dict.borrow().get::<Dict>() {
        Some(d) if d.len() == it.size.get() => it.left.get(),
        _ => 0,
    };
    Ok(vm.usize(n))
}

/// Pickled as the list of what is left.
fn iter_reduce<const K: usize>(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<DictIter<K>>(vm, &a[0])?;
    let copy = DictIter::<K> {
        dict: RefCell::new(it.dict.borrow().clone()),
        next: Cell::new(it.next.get()),
        size: Cell::new(it.size.get()),
        left: Cell::new(it.left.get()),
    };
    let copy = vm.alloc(copy);
    let mut left = Vec::new();
    while let Some(item) = iter_next::<K>(vm, &copy)? {
        left.push(item);
    }
    let left = vm.list(left);
    Ok(vm.pair(vm.builtin("iter")?, vm.tuple(vec![left])))
}

macro_rules! iter_type {
    ($name:ident $k:literal $kind:ident $text:literal) => {
        pub static $name: TypeSpec = TypeSpec {
            name: $text,
            kind: Kind::$kind,
            slots: |s| {
                s.iter = Some(iter_self);
                s.next = Some(iter_next::<$k>);
            },
            methods: &[
                NativeDef {
                    sig: "__length_hint__(self, /)",
                    f: iter_hint::<$k>,
                    doc: "Private method returning an estimate of len(list(it)).",
                },
                NativeDef {
                    sig: "__reduce__(self, /)",
                    f: iter_reduce::<$k>,
                    doc: "Return state information for pickling.",
                },
            ],
            ..TypeSpec::EMPTY
        };
    };
}
iter_type!(KEY_ITER 0 DictIter "dict_keyiterator");
iter_type!(VALUE_ITER 1 DictValueIter "dict_valueiterator");
iter_type!(ITEM_ITER 2 DictItemIter "dict_itemiterator");
iter_type!(REV_KEY_ITER 3 DictRevKeyIter "dict_reversekeyiterator");
iter_type!(REV_VALUE_ITER 4 DictRevValueIter "dict_reversevalueiterator");
iter_type!(REV_ITEM_ITER 5 DictRevItemIter "dict_reverseitemiterator");
