//! The module `_functools`: partial, reduce, cmp_to_key; the cache of `lru_cache` is in `lru_cache`.

#![allow(unsafe_code)]

use crate::builtins::support::{push_repr, this};
use crate::modules::lru_cache;
use crate::object::dict::Dict;
use crate::object::func::{BoundMethod, Object};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{CmpOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

// ---- Placeholder

static PLACEHOLDER: TypeSpec = TypeSpec {
    name: "functools._PlaceholderType",
    kind: Kind::Object,
    slots: |s| {
        s.repr = Some(|vm, _| Ok(vm.str("Placeholder")));
        s.new = Some(|vm, _, args| {
            crate::builtins::support::positional(vm, "_PlaceholderType", args, 0, 0)?;
            Ok(placeholder(vm))
        });
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: |vm, _| Ok(vm.str("Placeholder")),
        doc: "",
    }],
    doc: "The type of the Placeholder singleton.\n\nUsed as a placeholder for partial arguments.",
    ..TypeSpec::EMPTY
};

/// The singleton, once made.
struct Single(RefCell<Value>);
impl Default for Single {
    fn default() -> Single {
        Single(RefCell::new(Value::UNBOUND))
    }
}

fn placeholder(vm: &Vm) -> Value {
    let single = vm.extension::<Single>();
    if single.0.borrow().is_unbound() {
        let v = vm.alloc_of(&PLACEHOLDER, Object);
        single.0.replace(v);
    }

    single.0.borrow().clone()
}

// ---- partial

/// A function with some arguments supplied.
pub struct Partial {
    func: RefCell<Value>,
    /// Tuple; may contain placeholders.
    args: RefCell<Value>,
    /// Dict.
    keywords: RefCell<Value>,
    /// How many placeholders `args` contains.
    holes: Cell<usize>,
}
// SAFETY: one type per kind; each value is visited once, at safe points when no borrow is held.
unsafe impl Payload for Partial {
    const KIND: Kind = Kind::Partial;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        unsafe {
            visit(&*self.func.as_ptr());
            visit(&*self.args.as_ptr());
            visit(&*self.keywords.as_ptr());
        }
    }
}

fn count_holes(vm: &Vm, args: &[Value]) -> usize {
    let hole = placeholder(vm);
    args.iter().filter(|a| a.is(&hole)).count()
}

/// Puts the leading `given` values into the placeholders of `template`; the rest follows.
fn fill(vm: &Vm, template: &[Value], given: &[Value]) -> Vec<Value> {
    let hole = placeholder(vm);
    let mut given = given.iter();
    let mut out = Vec::with_capacity(template.len() + given.len());
    for t in template {
        match given.as_slice().first() {
            Some(g) if t.is(&hole) => {
                out.push(g.clone());
                given.next();
            }
            _ => out.push(t.clone()),
        }
    }
    out.extend(given.cloned());
    out
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let Some((func, rest)) = args.pos().split_first() else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    if !vm.is_callable(func) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let hole = placeholder(vm);
    if rest.last().is_some_and(|a| a.is(&hole)) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    if args.keywords().any(|(_, v)| v.is(&hole)) {
        return Err(vm.type_error("Placeholder cannot be passed as a keyword argument"));
    }
    // A partial of a partial is flattened, unless it is of a subclass or has attributes.
    let inner = func
        .get::<Partial>()
        .filter(|_| vm.is_exact(func, Kind::Partial));
    let (func, items, keywords) = match inner {
        None => (func.clone(), rest.to_vec(), Dict::default()),
        Some(p) => {
            let template = p.args.borrow().clone();
            let keywords = p
                .keywords
                .borrow()
                .get::<Dict>()
                .map(Dict::copy)
                .unwrap_or_default();
            (
                p.func.borrow().clone(),
                fill(vm, tuple_items(&template), rest),
                keywords,
            )
        }
    };
    for (name, value) in args.keywords() {
        vm.dict_set(&keywords, name.clone(), value.clone())?;
    }
    let holes = count_holes(vm, &items);
    let data = Partial {
        func: RefCell::new(func),
        args: RefCell::new(vm.tuple(items)),
        keywords: RefCell::new(vm.alloc(keywords)),
        holes: Cell::new(holes),
    };
    Ok(vm.alloc_as(class, data))
}

fn call(vm: &Vm, v: &Value, args: Args) -> Res {
    let p = this::<Partial>(vm, v)?;
    let (func, stored, keywords) = (
        p.func.borrow().clone(),
        p.args.borrow().clone(),
        p.keywords.borrow().clone(),
    );
    let stored = tuple_items(&stored);
    let pos = args.pos();
    let holes = p.holes.get();
    let mut all = if holes > 0 {
        if pos.len() < holes {
            return Err(vm.type_error(format!(
                "missing positional arguments in 'partial' call; expected at least {holes}, got {}",
                pos.len()
            )));
        }
        fill(vm, stored, pos)
    } else {
        [stored, pos].concat()
    };
    let Some(kw) = keywords.get::<Dict>().filter(|k| !k.is_empty()) else {
        all.extend_from_slice(&args.all[pos.len()..]);
        return vm.call_args(
            &func,
            Args {
                all: &all,
                names: args.names,
            },
        );
    };
    let merged = kw.copy();
    for (name, value) in args.keywords() {
        vm.dict_set(&merged, name.clone(), value.clone())?;
    }
    let (names, values): (Vec<Value>, Vec<Value>) = merged.items().into_iter().unzip();
    all.extend(values);
    vm.call_args(
        &func,
        Args {
            all: &all,
            names: &names,
        },
    )
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let p = this::<Partial>(vm, v)?;
    let class = vm.type_of(v);
    let module = vm.getattr(&class, &vm.names.__module__)?;
    let name = vm.getattr(&class, &vm.names.__qualname__)?;
    let full = format!("{}.{}", vm.str_string(&module)?, vm.str_string(&name)?);
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str(&format!("{full}(...)")));
    }
    let mut out = format!("{full}(");
    let r = push_parts(vm, &mut out, p);
    vm.repr_leave(v);
    r?;
    out.push(')');
    Ok(vm.str(&out))
}

fn push_parts(vm: &Vm, out: &mut String, p: &Partial) -> Res<()> {
    let (func, args, keywords) = (
        p.func.borrow().clone(),
        p.args.borrow().clone(),
        p.keywords.borrow().clone(),
    );
    push_repr(vm, out, &func)?;
    for a in tuple_items(&args) {
        out.push_str(", ");
        push_repr(vm, out, a)?;
    }
    for (k, v) in keywords.get::<Dict>().map(Dict::items).unwrap_or_default() {
        out.push_str(", ");
        out.push_str(&vm.str_string(&k)?);
        out.push('=');
        push_repr(vm, out, &v)?;
    }
    Ok(())
}

fn reduce_partial(vm: &Vm, a: &[Value]) -> Res {
    let p = this::<Partial>(vm, &a[0])?;
    let dict = vm
        .getattr_opt(&a[0], &vm.names.__dict__)?
        .unwrap_or(Value::NONE);
    let func = p.func.borrow().clone();
    let state = vm.tuple(vec![
        func.clone(),
        p.args.borrow().clone(),
        p.keywords.borrow().clone(),
        dict,
    ]);
    Ok(vm.tuple(vec![vm.type_of(&a[0]), vm.tuple(vec![func]), state]))
}

fn setstate(vm: &Vm, a: &[Value]) -> Res {
    let p = this::<Partial>(vm, &a[0])?;
    let invalid = || vm.type_error("invalid partial state");
    let [func, args, keywords, dict] = tuple_items(&a[1]) else {
        return Err(invalid());
    };
    if !vm.is_callable(func)
        || args.kind() != Kind::Tuple
        || !(keywords.is_none() || keywords.is_kind::<Dict>())
    {
        return Err(invalid());
    }
    let hole = placeholder(vm);
    if tuple_items(args).last().is_some_and(|a| a.is(&hole)) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    let old = (
        p.func.replace(func.clone()),
        p.args.replace(args.clone()),
        p.keywords.replace(
            keywords
                .get::<Dict>()
                .map_or_else(|| vm.dict(), |d| vm.alloc(d.copy())),
        ),
    );
    drop(old);
    p.holes.set(count_holes(vm, tuple_items(args)));
    if !dict.is_none() {
        let own = vm.getattr(&a[0], &vm.names.__dict__)?;
        vm.call_method(&own, &vm.names.update, std::slice::from_ref(dict))?;
    }
    Ok(Value::NONE)
}

/// Functions become methods when reached through an instance; so do partials (since 3.14).
fn bind(vm: &Vm, d: &Value, obj: Option<&Value>, _: &Value) -> Res {
    Ok(match obj {
        None => d.clone(),
        Some(o) => vm.alloc(BoundMethod {
            func: d.clone(),
            self_: o.clone(),
        }),
    })
}

static PARTIAL: TypeSpec = TypeSpec {
    name: "functools.partial",
    kind: Kind::Partial,
    flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(new);
        s.call = Some(call);
        s.repr = Some(repr);
        s.descr_get = Some(bind);
    },
    methods: &[
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce_partial,
            doc: "",
        },
        NativeDef {
            sig: "__setstate__(self, state, /)",
            f: setstate,
            doc: "",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: crate::builtins::list::class_getitem,
        doc: "See PEP 585",
    }],
    getset: &[
        GetSetDef {
            name: "func",
            get: |vm, v| Ok(this::<Partial>(vm, v)?.func.borrow().clone()),
            set: None,
            doc: "function object to use in future partial calls",
        },
        GetSetDef {
            name: "args",
            get: |vm, v| Ok(this::<Partial>(vm, v)?.args.borrow().clone()),
            set: None,
            doc: "tuple of arguments to future partial calls",
        },
        GetSetDef {
            name: "keywords",
            get: |vm, v| Ok(this::<Partial>(vm, v)?.keywords.borrow().clone()),
            set: None,
            doc: "dictionary of keyword arguments to future partial calls",
        },
    ],
    doc: "Create a new function with partial application of the given arguments and keywords.",
    ..TypeSpec::EMPTY
};

// ---- cmp_to_key

/// A sort key that compares by a three-way function; `obj` is unbound in the factory.
pub struct CmpKey {
    cmp: Value,
    obj: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for CmpKey {
    const KIND: Kind = Kind::CmpKey;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.cmp);
        visit(&self.obj);
    }
}

fn compare_keys(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<CmpKey>(), b.get::<CmpKey>()) else {
        return Err(vm.type_error("other argument must be K instance"));
    };
    if x.obj.is_unbound() || y.obj.is_unbound() {
        return Err(vm.error(Exc::AttributeError, "object"));
    }
    let r = vm.call(&x.cmp, &[x.obj.clone(), y.obj.clone()])?;
    vm.compare(op, &r, &Value::small_unchecked(0))
}

static KEY: TypeSpec = TypeSpec {
    name: "functools.KeyWrapper",
    kind: Kind::CmpKey,
    slots: |s| {
        s.cmp = Some(compare_keys);
        s.hash = Some(crate::vm::slots::unhashable);
        s.call = Some(|vm, v, args| {
            let a = vm.bind_args("K(obj)", args)?;
            let cmp = this::<CmpKey>(vm, v)?.cmp.clone();
            Ok(vm.alloc_of(
                &KEY,
                CmpKey {
                    cmp,
                    obj: a[0].clone(),
                },
            ))
        });
    },
    getset: &[GetSetDef {
        name: "obj",
        get: |vm, v| {
            let k = this::<CmpKey>(vm, v)?;
            k.obj
                .given()
                .cloned()
                .ok_or_else(|| vm.error(Exc::AttributeError, "object"))
        },
        set: None,
        doc: "Value wrapped by a key function.",
    }],
    ..TypeSpec::EMPTY
};

fn cmp_to_key(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.alloc_of(
        &KEY,
        CmpKey {
            cmp: a[0].clone(),
            obj: Value::UNBOUND,
        },
    ))
}

// ---- reduce

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = match vm.iter(&a[1]) {
        Ok(it) => it,
        Err(e) if vm.is_exc(&e, Exc::TypeError) => {
            return Err(vm.type_error("reduce() arg 2 must support iteration"));
        }
        Err(e) => return Err(e),
    };
    let mut total = match a[2].given() {
        Some(v) => v.clone(),
        None => match vm.next(&it)? {
            Some(v) => v,
            None => return Err(vm.type_error("reduce() of empty iterable with no initial value")),
        },
    };
    while let Some(item) = vm.next(&it)? {
        total = vm.call(&a[0], &[total, item])?;
    }
    Ok(total)
}

static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "cmp_to_key(mycmp)",
        f: cmp_to_key,
        doc: "Convert a cmp= function into a key= function.",
    },
    NativeDef {
        sig: "reduce(function, iterable, /, initial=...)",
        f: reduce,
        doc: "Apply a function of two arguments cumulatively to the items of an iterable, from left to right.\n\nThis effectively reduces the iterable to a single value.",
    },
];

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "_functools",
        "Tools that operate on functions.",
        &[FUNCTIONS],
    );
    vm.module_types(&m, &[&PARTIAL, &PLACEHOLDER, &lru_cache::TYPE]);
    vm.module_set(&m, "Placeholder", placeholder(vm));
    Ok(m)
}
