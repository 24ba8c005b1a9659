//! `contextvars`: variables with a value per context. The contexts themselves are in `event::context`, where tasks enter them.

#![allow(unsafe_code)]

use crate::builtins::support::this;
use crate::event::context::{self, Context, ContextVar};
use crate::object::header::{Kind, Payload};
use crate::object::heap::Heap;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{CmpOp, GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::Cell;

/// The payload of Token: how to undo one `set()`.
pub struct Token {
    var: Value,
    context: Value,
    /// Unbound: the variable had no value.
    old: Value,
    used: Cell<bool>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Token {
    const KIND: Kind = Kind::ContextToken;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.var);
        visit(&self.context);
        visit(&self.old);
    }
}

/// Tells the heap about the payloads of this file.
pub fn register(heap: &Heap) {
    heap.register::<Context>();
    heap.register::<ContextVar>();
    heap.register::<Token>();
}

// ---- ContextVar

fn var_new(vm: &Vm, _: &Value, args: Args) -> Res {
    let a = vm.bind_args("ContextVar(name, /, *, default=...)", args)?;
    if a[0].as_str().is_none() {
        return Err(vm.type_error("context variable name must be a str"));
    }
    Ok(vm.alloc(ContextVar {
        id: context::next_id(vm),
        name: a[0].clone(),
        default: a[1].clone(),
    }))
}
fn var_repr(vm: &Vm, v: &Value) -> Res {
    let x = this::<ContextVar>(vm, v)?;
    let default = match x.default.given() {
        Some(d) => format!(" default={}", vm.repr_string(d)?),
        None => String::new(),
    };
    Ok(vm.str(&format!(
        "<ContextVar name={}{default} at {:#x}>",
        vm.repr_string(&x.name)?,
        v.id()
    )))
}
fn var_get(vm: &Vm, a: &[Value]) -> Res {
    let x = this::<ContextVar>(vm, &a[0])?;
    if let Some(v) = context::lookup(vm, x.id) {
        return Ok(v);
    }
    match a[1].given().or(x.default.given()) {
        Some(v) => Ok(v.clone()),
        None => Err(vm.error_args(Exc::LookupError, vec![a[0].clone()])),
    }
}
fn var_set(vm: &Vm, a: &[Value]) -> Res {
    let x = this::<ContextVar>(vm, &a[0])?;
    let old = context::set(vm, x.id, &a[0], a[1].clone()).unwrap_or(Value::UNBOUND);
    Ok(vm.alloc(Token {
        var: a[0].clone(),
        context: context::current(vm),
        old,
        used: Cell::new(false),
    }))
}
fn var_reset(vm: &Vm, a: &[Value]) -> Res {
    let x = this::<ContextVar>(vm, &a[0])?;
    let Some(t) = a[1].get::<Token>() else {
        return Err(vm.type_error(format!(
            "expected an instance of Token, got {}",
            vm.repr_string(&a[1])?
        )));
    };
    if t.used.get() {
        return Err(vm.runtime_error(format!(
            "{} has already been used once",
            vm.repr_string(&a[1])?
        )));
    }
    if !t.var.is(&a[0]) {
        return Err(vm.value_error(format!(
            "{} was created by a different ContextVar",
            vm.repr_string(&a[1])?
        )));
    }
    if !t.context.is(&context::current(vm)) {
        return Err(vm.value_error(format!(
            "{} was created in a different Context",
            vm.repr_string(&a[1])?
        )));
    }
    t.used.set(true);
    let gone = context::set(vm, x.id, &a[0], t.old.clone());
    drop(gone);
    Ok(Value::NONE)
}
fn var_name(vm: &Vm, v: &Value) -> Res {
    Ok(this::<ContextVar>(vm, v)?.name.clone())
}

pub static CONTEXT_VAR: TypeSpec = TypeSpec {
    name: "_contextvars.ContextVar",
    kind: Kind::ContextVar,
    flags: tflag::WEAKREF,
    slots: |s: &mut Slots| {
        s.new = Some(var_new);
        s.init = Some(|_, _, _| Ok(()));
        s.repr = Some(var_repr);
    },
    methods: &[
        NativeDef {
            sig: "get(self, default=..., /)",
            f: var_get,
            doc: "Return a value for the context variable for the current context.",
        },
        NativeDef {
            sig: "set(self, value, /)",
            f: var_set,
            doc: "Call to set a new value for the context variable in the current context.",
        },
        NativeDef {
            sig: "reset(self, token, /)",
            f: var_reset,
            doc: "Reset the context variable.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: crate::builtins::list::class_getitem,
        doc: "See PEP 585",
    }],
    getset: &[GetSetDef {
        name: "name",
        get: var_name,
        set: None,
        doc: "",
    }],
    doc: "A variable with a value per context.",
    ..TypeSpec::EMPTY
};

// ---- Token

/// `Token.MISSING`: one object per VM.
#[derive(Default)]
struct Missing(std::cell::OnceCell<Value>);
fn missing(vm: &Vm) -> Value {
    vm.extension::<Missing>()
        .0
        .get_or_init(|| vm.alloc_of(&MISSING, crate::object::func::Object))
        .clone()
}
static MISSING: TypeSpec = TypeSpec {
    name: "Token.MISSING",
    kind: Kind::Object,
    slots: |s: &mut Slots| s.repr = Some(|vm, _| Ok(vm.str("<Token.MISSING>"))),
    ..TypeSpec::EMPTY
};
fn token_repr(vm: &Vm, v: &Value) -> Res {
    let t = this::<Token>(vm, v)?;
    let used = if t.used.get() { " used" } else { "" };
    Ok(vm.str(&format!(
        "<Token{used} var={} at {:#x}>",
        vm.repr_string(&t.var)?,
        v.id()
    )))
}
fn token_exit(vm: &Vm, a: &[Value]) -> Res {
    let t = this::<Token>(vm, &a[0])?;
    var_reset(vm, &[t.var.clone(), a[0].clone()])
}
pub static TOKEN: TypeSpec = TypeSpec {
    name: "_contextvars.Token",
    kind: Kind::ContextToken,
    slots: |s: &mut Slots| {
        s.repr = Some(token_repr);
        s.new = Some(|vm, _, _| Err(vm.runtime_error("Tokens can only be created by ContextVars")));
    },
    methods: &[
        NativeDef {
            sig: "__enter__(self, /)",
            f: |_, a| Ok(a[0].clone()),
            doc: "Enter into Token context manager.",
        },
        NativeDef {
            sig: "__exit__(self, type, val, tb, /)",
            f: token_exit,
            doc: "Exit from Token context manager, restore the linked ContextVar.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: crate::builtins::list::class_getitem,
        doc: "See PEP 585",
    }],
    getset: &[
        GetSetDef {
            name: "var",
            get: |vm, v| Ok(this::<Token>(vm, v)?.var.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "old_value",
            get: |vm, v| {
                let t = this::<Token>(vm, v)?;
                Ok(t.old.given().cloned().unwrap_or_else(|| missing(vm)))
            },
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

// ---- Context

fn ctx<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Context> {
    this::<Context>(vm, v)
}
fn pairs(c: &Context) -> Vec<(Value, Value)> {
    c.vars
        .borrow()
        .iter()
        .map(|b| (b.var.clone(), b.value.clone()))
        .collect()
}
fn var_id(vm: &Vm, key: &Value) -> Res<u64> {
    match key.get::<ContextVar>() {
        Some(v) => Ok(v.id),
        None => Err(vm.type_error(format!(
            "a ContextVar key was expected, got {}",
            vm.repr_string(key)?
        ))),
    }
}
fn run(vm: &Vm, a: &[Value]) -> Res {
    let c = ctx(vm, &a[0])?;
    if c.entered.replace(true) {
        return Err(vm.runtime_error(format!(
            "cannot enter context: {} is already entered",
            vm.repr_string(&a[0])?
        )));
    }
    let slot = context::slot_of(&a[0]);
    let before = context::enter(vm, &slot);
    let kw = a[3]
        .get::<crate::object::dict::Dict>()
        .map(|d| d.items())
        .unwrap_or_default();
    let r = vm.call_kw(&a[1], crate::object::native::tuple_items(&a[2]), &kw);
    context::leave(vm, before);
    c.entered.set(false);
    r
}
fn copy(vm: &Vm, a: &[Value]) -> Res {
    Ok(context::copy_object(vm, ctx(vm, &a[0])?))
}
fn get(vm: &Vm, a: &[Value]) -> Res {
    let id = var_id(vm, &a[1])?;
    Ok(context::lookup_in(ctx(vm, &a[0])?, id).unwrap_or_else(|| a[2].clone()))
}
fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let id = var_id(vm, key)?;
    context::lookup_in(ctx(vm, v)?, id).ok_or_else(|| vm.key_error(key))
}
fn contains(vm: &Vm, v: &Value, key: &Value) -> Res<bool> {
    let id = var_id(vm, key)?;
    Ok(context::lookup_in(ctx(vm, v)?, id).is_some())
}
fn keys(vm: &Vm, a: &[Value]) -> Res {
    let l = vm.list(pairs(ctx(vm, &a[0])?).into_iter().map(|p| p.0).collect());
    vm.iter(&l)
}
fn values(vm: &Vm, a: &[Value]) -> Res {
    let l = vm.list(pairs(ctx(vm, &a[0])?).into_iter().map(|p| p.1).collect());
    vm.iter(&l)
}
fn items(vm: &Vm, a: &[Value]) -> Res {
    let l = vm.list(
        pairs(ctx(vm, &a[0])?)
            .into_iter()
            .map(|(k, v)| vm.pair(k, v))
            .collect(),
    );
    vm.iter(&l)
}
fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Context>(), b.get::<Context>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (p, q) = (pairs(x), pairs(y));
    let mut same = p.len() == q.len();
    for ((k, v), (k2, v2)) in p.iter().zip(&q) {
        same = same && k.is(k2) && vm.eq(v, v2)?;
    }
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

pub static CONTEXT: TypeSpec = TypeSpec {
    name: "_contextvars.Context",
    kind: Kind::Context,
    flags: tflag::WEAKREF | tflag::MAPPING,
    slots: |s: &mut Slots| {
        s.new = Some(|vm, _, args| {
            vm.bind_args("Context()", args)?;
            Ok(context::new_context(vm))
        });
        s.init = Some(|_, _, _| Ok(()));
        s.iter = Some(|vm, v| keys(vm, std::slice::from_ref(v)));
        s.len = Some(|vm, v| Ok(ctx(vm, v)?.vars.borrow().len()));
        s.getitem = Some(getitem);
        s.contains = Some(contains);
        s.cmp = Some(cmp);
        s.hash = Some(crate::vm::slots::unhashable);
    },
    methods: &[
        NativeDef {
            sig: "run(self, callable, /, *args, **kwargs)",
            f: run,
            doc: "Run callable in this context.",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "Return a shallow copy of the context object.",
        },
        NativeDef {
            sig: "get(self, key, default=None, /)",
            f: get,
            doc: "Return the value for `key` if `key` has the value in the context object.",
        },
        NativeDef {
            sig: "keys(self, /)",
            f: keys,
            doc: "Return a list of all variables in the context object.",
        },
        NativeDef {
            sig: "values(self, /)",
            f: values,
            doc: "Return a list of all variables' values in the context object.",
        },
        NativeDef {
            sig: "items(self, /)",
            f: items,
            doc: "Return all variables and their values in the context object.",
        },
    ],
    doc: "A mapping of context variables to their values.",
    ..TypeSpec::EMPTY
};

fn copy_context(vm: &Vm, _: &[Value]) -> Res {
    let c = context::current(vm);
    Ok(context::copy_object(vm, ctx(vm, &c)?))
}
static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "copy_context()",
    f: copy_context,
    doc: "",
}];

/// Makes `contextvars`.
pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "contextvars",
        "Variables with a value per context.",
        &[FUNCTIONS],
    );
    vm.module_types(&m, &[&CONTEXT_VAR, &CONTEXT, &TOKEN]);
    let token = vm.native_type(&TOKEN);
    if let Some(t) = token.get::<crate::object::types::TypeObj>()
        && let Some(d) = t.dict.get::<crate::object::dict::Dict>()
    {
        vm.dict_set_str(d, &vm.intern("MISSING"), missing(vm));
        vm.type_modified(t);
    }
    Ok(m)
}
