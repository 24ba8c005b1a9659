//! `dict`: its operations and methods. Views and iterators are in `dict_views`.
//!
//! Rule: entries are read by index, one at a time, with the key and value copied out before anything that can run script code.

use crate::builtins::dict_views;
use crate::builtins::list::compare_len;
use crate::builtins::support::{alloc_as, count_args, push_repr, same, this};
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{BinOp, CmpOp, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

fn new(vm: &Vm, class: &Value, _args: Args) -> Res {
    Ok(alloc_as(vm, class, Dict::default()))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    update_args(vm, v, "dict", args)
}

/// `dict(...)` and `update(...)`: at most one mapping or iterable of pairs, then keywords.
fn update_args(vm: &Vm, v: &Value, name: &str, args: Args) -> Res<()> {
    count_args(vm, name, args.pos().len(), 0, 1)?;
    if let Some(from) = args.pos().first() {
        update(vm, v, from)?;
    }
    let d = this::<Dict>(vm, v)?;
    for (name, value) in args.keywords() {
        vm.dict_set(d, name.clone(), value.clone())?;
    }
    Ok(())
}

/// True if the items of this dict can be read directly: its class does not redefine iteration.
pub fn plain_items(vm: &Vm, v: &Value) -> bool {
    v.is_kind::<Dict>()
        && vm
            .type_obj(v)
            .slots()
            .iter
            .is_some_and(|f| std::ptr::fn_addr_eq(f, iter as fn(&Vm, &Value) -> Res))
}

/// `d.update(from)` for a mapping or an iterable of pairs.
pub fn update(vm: &Vm, v: &Value, from: &Value) -> Res<()> {
    let d = this::<Dict>(vm, v)?;
    if let Some(other) = from.get::<Dict>()
        && plain_items(vm, from)
    {
        return vm.dict_update_dict(d, other);
    }
    if vm.getattr_opt(from, &vm.names.keys)?.is_some() {
        let keys = vm.call_method(from, &vm.names.keys, &[])?;
        return vm.iterate(&keys, &mut |key| {
            let value = vm.getitem(from, &key)?;
            vm.dict_set(d, key, value)
        });
    }
    update_pairs(vm, d, from)
}

fn update_pairs(vm: &Vm, d: &Dict, from: &Value) -> Res<()> {
    let mut i = 0usize;
    vm.iterate(from, &mut |pair| {
        let slots = vm.type_obj(&pair).slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            let e = vm.type_error("object is not iterable");
            let note = vm.str(&format!(
                "Cannot convert dictionary update sequence element #{i} to a sequence"
            ));
            vm.call_method(&e.0, &vm.intern("add_note"), &[note])?;
            return Err(e);
        }
        let items = vm.collect(&pair)?;
        let n = items.len();
        let Ok([key, value]) = <[Value; 2]>::try_from(items) else {
            return Err(vm.value_error(format!(
                "dictionary update sequence element #{i} has length {n}; 2 is required"
            )));
        };
        i += 1;
        vm.dict_set(d, key, value)
    })
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let d = this::<Dict>(vm, v)?;
    if d.is_empty() {
        return Ok(vm.str("{}"));
    }
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str("{...}"));
    }
    let mut out = String::from("{");
    let r = push_entries(vm, &mut out, d);
    vm.repr_leave(v);
    r?;
    out.push('}');
    Ok(vm.str(&out))
}

fn push_entries(vm: &Vm, out: &mut String, d: &Dict) -> Res<()> {
    let mut at = 0;
    while let Some((i, key, value)) = d.next_entry(at) {
        if at > 0 {
            out.push_str(", ");
        }
        push_repr(vm, out, &key)?;
        out.push_str(": ");
        push_repr(vm, out, &value)?;
        at = i + 1;
    }
    Ok(())
}

/// `a == b` for two dicts.
pub fn equal(vm: &Vm, a: &Dict, b: &Dict) -> Res<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    vm.check_native_stack()?;
    let mut at = 0;
    while let Some((i, key, value)) = a.next_entry(at) {
        let hash = a.entries()[i].hash;
        let Some(j) = vm.dict_find(b, &key, hash)? else {
            return Ok(false);
        };
        let other = b.value_at(j);
        if !same(vm, &value, &other)? {
            return Ok(false);
        }
        at = i + 1;
    }
    Ok(true)
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) = (a.get::<Dict>(), b.get::<Dict>(), op) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let eq = equal(vm, x, y)?;
    Ok(Value::bool(compare_len(op, 0, !eq as usize)))
}

pub fn iter(vm: &Vm, v: &Value) -> Res {
    let d = this::<Dict>(vm, v)?;
    Ok(vm.alloc(dict_views::new_iter::<0>(v, d)))
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(this::<Dict>(vm, v)?.len())
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let d = this::<Dict>(vm, v)?;
    match vm.dict_get(d, key)? {
        Some(value) => Ok(value),
        None => missing(vm, v, key),
    }
}

/// What a dict gives for a key that it lacks: `__missing__` of a subclass, or KeyError.
#[cold]
pub fn missing(vm: &Vm, v: &Value, key: &Value) -> Res {
    if !vm.is_exact(v, Kind::Dict)
        && let Some(r) = vm.call_special(v, &vm.names.__missing__, std::slice::from_ref(key))?
    {
        return Ok(r);
    }
    Err(vm.key_error(key))
}

fn setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let d = this::<Dict>(vm, v)?;
    match value {
        Some(value) => vm.dict_set(d, key.clone(), value.clone()),
        None => match vm.dict_del(d, key)? {
            Some(_) => Ok(()),
            None => Err(vm.key_error(key)),
        },
    }
}

fn contains(vm: &Vm, v: &Value, key: &Value) -> Res<bool> {
    vm.dict_contains(this::<Dict>(vm, v)?, key)
}

fn or(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (Some(x), Some(_)) = (a.get::<Dict>(), b.get::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let out = vm.alloc(x.copy());
    update(vm, &out, b)?;
    Ok(out)
}

fn inplace_or(vm: &Vm, a: &Value, b: &Value) -> Res {
    update(vm, a, b)?;
    Ok(a.clone())
}

fn get(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm
        .dict_get(this::<Dict>(vm, &a[0])?, &a[1])?
        .unwrap_or_else(|| a[2].clone()))
}

fn setdefault(vm: &Vm, a: &[Value]) -> Res {
    vm.dict_setdefault(this::<Dict>(vm, &a[0])?, &a[1], a[2].clone())
}

fn pop(vm: &Vm, a: &[Value]) -> Res {
    let d = this::<Dict>(vm, &a[0])?;
    if d.is_empty() {
        // Not even the hash is asked for.
        return a[2].given().cloned().ok_or_else(|| vm.key_error(&a[1]));
    }
    match (vm.dict_del(d, &a[1])?, a[2].given()) {
        (Some(v), _) => Ok(v),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.key_error(&a[1])),
    }
}

fn popitem(vm: &Vm, a: &[Value]) -> Res {
    let d = this::<Dict>(vm, &a[0])?;
    match d.prev_entry(d.end()) {
        Some((i, ..)) => {
            let (key, value) = d.remove_at(i);
            Ok(vm.pair(key, value))
        }
        None => Err(vm.error(Exc::KeyError, "popitem(): dictionary is empty")),
    }
}

fn update_method(vm: &Vm, a: &[Value]) -> Res {
    let positional = crate::object::native::tuple_items(&a[1]);
    count_args(vm, "update", positional.len(), 0, 1)?;
    if let Some(from) = positional.first() {
        update(vm, &a[0], from)?;
    }
    if let Some(kw) = a[2].get::<Dict>()
        && !kw.is_empty()
    {
        vm.dict_update_dict(this::<Dict>(vm, &a[0])?, kw)?;
    }
    Ok(Value::NONE)
}

fn clear(vm: &Vm, a: &[Value]) -> Res {
    this::<Dict>(vm, &a[0])?.clear();
    Ok(Value::NONE)
}

fn copy(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.alloc(this::<Dict>(vm, &a[0])?.copy()))
}

fn fromkeys(vm: &Vm, a: &[Value]) -> Res {
    let out = vm.call(&a[0], &[])?;
    if vm.is_exact(&out, Kind::Dict)
        && let Some(d) = out.get::<Dict>()
    {
        vm.iterate(&a[1], &mut |key| vm.dict_set(d, key, a[2].clone()))?;
    } else {
        vm.iterate(&a[1], &mut |key| vm.setitem(&out, &key, &a[2]))?;
    }
    Ok(out)
}

fn keys(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.alloc(crate::object::iter::DictKeys { dict: a[0].clone() }))
}
fn values(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.alloc(crate::object::iter::DictValues { dict: a[0].clone() }))
}
fn items(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.alloc(crate::object::iter::DictItems { dict: a[0].clone() }))
}

fn reversed(vm: &Vm, a: &[Value]) -> Res {
    let d = this::<Dict>(vm, &a[0])?;
    Ok(vm.alloc(dict_views::new_iter::<3>(&a[0], d)))
}

/// True if the class is dict or derives from it (for callers outside).
pub fn is_dict_class(vm: &Vm, class: &Value) -> bool {
    class
        .get::<TypeObj>()
        .is_some_and(|t| t.is_subtype(vm.kind_type(Kind::Dict)))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "dict",
    kind: Kind::Dict,
    flags: tflag::BASETYPE | tflag::MAPPING | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.hash = Some(crate::vm::slots::unhashable);
        s.cmp = Some(cmp);
        s.iter = Some(iter);
        s.len = Some(len);
        s.getitem = Some(getitem);
        s.setitem = Some(setitem);
        s.contains = Some(contains);
        s.binary[BinOp::Or as usize] = Some(or);
        s.inplace[BinOp::Or as usize] = Some(inplace_or);
    },
    methods: &[
        NativeDef {
            sig: "get(self, key, default=None, /)",
            f: get,
            doc: "Return the value for key if key is in the dictionary, else default.",
        },
        NativeDef {
            sig: "setdefault(self, key, default=None, /)",
            f: setdefault,
            doc: "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key if key is in the dictionary, else default.",
        },
        NativeDef {
            sig: "pop(self, key, default=..., /)",
            f: pop,
            doc: "D.pop(k[,d]) -> v, remove specified key and return the corresponding value.\n\nIf the key is not found, return the default if given; otherwise,\nraise a KeyError.",
        },
        NativeDef {
            sig: "popitem(self, /)",
            f: popitem,
            doc: "Remove and return a (key, value) pair as a 2-tuple.\n\nPairs are returned in LIFO (last-in, first-out) order.\nRaises KeyError if the dict is empty.",
        },
        NativeDef {
            sig: "keys(self, /)",
            f: keys,
            doc: "Return a set-like object providing a view on the dict's keys.",
        },
        NativeDef {
            sig: "items(self, /)",
            f: items,
            doc: "Return a set-like object providing a view on the dict's items.",
        },
        NativeDef {
            sig: "values(self, /)",
            f: values,
            doc: "Return an object providing a view on the dict's values.",
        },
        NativeDef {
            sig: "update(self, /, *args, **kwargs)",
            f: update_method,
            doc: "D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.",
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Remove all items from the dict.",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "Return a shallow copy of the dict.",
        },
        NativeDef {
            sig: "__reversed__(self, /)",
            f: reversed,
            doc: "Return a reverse iterator over the dict keys.",
        },
    ],
    class_methods: &[
        NativeDef {
            sig: "fromkeys(cls, iterable, value=None, /)",
            f: fromkeys,
            doc: "Create a new dictionary with keys from iterable and values set to value.",
        },
        NativeDef {
            sig: "__class_getitem__(cls, object, /)",
            f: crate::builtins::list::class_getitem,
            doc: "See PEP 585",
        },
    ],
    doc: "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n    (key, value) pairs\ndict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n        d[k] = v\ndict(**kwargs) -> new dictionary initialized with the name=value pairs\n    in the keyword argument list.  For example:  dict(one=1, two=2)",
    ..TypeSpec::EMPTY
};
