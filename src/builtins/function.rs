//! Callables: script functions, bound methods, native functions, and the wrappers of native slots; with the descriptors of native attributes and of
//! `__slots__`.

use crate::builtins::object::full_name;
use crate::object::dict::Dict;
use crate::object::func::{BoundMethod, Cell_, CodeObj, Function};
use crate::object::header::{Kind, flag};
use crate::object::instance::{get_slot, set_slot};
use crate::object::native::{Args, Native, NativeDef, tuple_items};
use crate::object::seq::Tuple;
use crate::object::types::{CmpOp, GetSet, GetSetDef, SlotDescr, Slots, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::attr::getset_owner;
use crate::vm::class::{Parts, is_native_new};
use crate::vm::raise::Exc;
use crate::vm::slot_wrappers::SlotWrapper;
use crate::vm::type_state::Extra;
use crate::vm::{Raised, Res, Vm};
use std::cell::RefCell;

fn text(v: &Value) -> String {
    v.as_str().unwrap_or("?").to_string()
}

// ---- script functions

fn function(vm: &Vm, v: &Value) -> Res<&'static Function> {
    let _ = v;
    Err(vm.type_error("a function was expected"))
}

/// The payload of a `self` that is known to be a function.
macro_rules! f {
    ($vm:expr, $v:expr) => {
        match $v.get::<Function>() {
            Some(f) => f,
            None => return function($vm, $v).map(|_| Value::NONE),
        }
    };
    ($vm:expr, $v:expr, unit) => {
        match $v.get::<Function>() {
            Some(f) => f,
            None => return function($vm, $v).map(drop),
        }
    };
}

fn function_repr(vm: &Vm, v: &Value) -> Res {
    let f = f!(vm, v);
    let name = text(&f.qualname.borrow());
    Ok(vm.str(&format!("<function {name} at {:#x}>", v.id())))
}

fn function_get(vm: &Vm, f: &Value, obj: Option<&Value>, _: &Value) -> Res {
    match obj {
        Some(o) if !o.is_none() => Ok(vm.alloc(BoundMethod {
            func: f.clone(),
            self_: o.clone(),
        })),
        _ => Ok(f.clone()),
    }
}

/// `types.FunctionType(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)`.
fn function_new(vm: &Vm, _: &Value, args: Args) -> Res {
    let a = vm.bind_args(
        "function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
        args,
    )?;
    let Some(code) = a[0].get::<CodeObj>() else {
        return Err(vm.wrong_type("function() argument 'code'", "code", &a[0]));
    };
    if !a[1].is_kind::<Dict>() {
        return Err(vm.wrong_type("function() argument 'globals'", "dict", &a[1]));
    }
    let need = code.code.freevars.len();
    let cells = tuple_items(&a[4]);
    if need > 0 && a[4].is_none() {
        return Err(vm.type_error("arg 5 (closure) must be tuple"));
    }
    if cells.len() != need {
        return Err(vm.value_error(format!(
            "{} requires closure of length {need}, not {}",
            text(&code.name),
            cells.len()
        )));
    }
    if let Some(c) = cells.iter().find(|c| !c.is_kind::<Cell_>()) {
        return Err(vm.type_error(format!(
            "arg 5 (closure) expected cell, found {}",
            vm.type_name(c)
        )));
    }
    let v = vm.new_function(
        a[0].clone(),
        a[1].clone(),
        vm.builtins.clone(),
        a[4].clone(),
    );
    if let Some(f) = v.get::<Function>() {
        if !a[2].is_none() {
            f.name.replace(a[2].clone());
        }
        f.defaults.replace(a[3].clone());
        f.kwdefaults.replace(a[5].clone());
    }
    Ok(v)
}

fn set_code(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = f!(vm, v, unit);
    let Some(code) = new.and_then(|n| n.get::<CodeObj>()) else {
        return Err(vm.type_error("__code__ must be set to a code object"));
    };
    let cells = tuple_items(&f.closure).len();
    if code.code.freevars.len() != cells {
        let name = text(&f.name.borrow());
        return Err(vm.value_error(format!(
            "{name}() requires a code object with {cells} free vars, not {}",
            code.code.freevars.len()
        )));
    }
    f.simple_argc.set(u32::MAX);
    if code.flags
        & (crate::bytecode::flags::GENERATOR
            | crate::bytecode::flags::COROUTINE
            | crate::bytecode::flags::ASYNC_GENERATOR)
        == 0
    {
        f.simple_argc.set(code.simple_argc);
    }
    drop(f.code.replace(new.cloned().unwrap_or(Value::NONE)));
    Ok(())
}

fn set_defaults(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = f!(vm, v, unit);
    let new = new.cloned().unwrap_or(Value::NONE);
    if !new.is_none() && !new.is_kind::<Tuple>() {
        return Err(vm.type_error("__defaults__ must be set to a tuple object"));
    }
    drop(f.defaults.replace(new));
    Ok(())
}

fn set_kwdefaults(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = f!(vm, v, unit);
    let new = new.cloned().unwrap_or(Value::NONE);
    if !new.is_none() && !new.is_kind::<Dict>() {
        return Err(vm.type_error("__kwdefaults__ must be set to a dict object"));
    }
    drop(f.kwdefaults.replace(new));
    Ok(())
}

fn set_str(vm: &Vm, cell: &RefCell<Value>, name: &str, new: Option<&Value>) -> Res<()> {
    match new.filter(|n| n.as_str().is_some()) {
        Some(n) => {
            drop(cell.replace(n.clone()));
            Ok(())
        }
        None => Err(vm.type_error(format!("{name} must be set to a string object"))),
    }
}

fn get_function_annotations(vm: &Vm, v: &Value) -> Res {
    let f = f!(vm, v);
    let known = f.annotations.borrow().clone();
    if !known.is_unbound() {
        return Ok(known);
    }
    let annotate = f.annotate.borrow().clone();
    let a = vm.compute_annotations(&annotate)?;
    drop(f.annotations.replace(a.clone()));
    Ok(a)
}

fn set_function_annotations(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = f!(vm, v, unit);
    match new {
        Some(n) if !n.is_none() && !n.is_kind::<Dict>() => {
            Err(vm.type_error("__annotations__ must be set to a dict object"))
        }
        Some(n) if !n.is_none() => {
            drop((
                f.annotations.replace(n.clone()),
                f.annotate.replace(Value::NONE),
            ));
            Ok(())
        }
        _ => {
            drop((
                f.annotations.replace(Value::UNBOUND),
                f.annotate.replace(Value::NONE),
            ));
            Ok(())
        }
    }
}

fn set_function_annotate(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = f!(vm, v, unit);
    let Some(n) = new else {
        return Err(vm.type_error("__annotate__ cannot be deleted"));
    };
    if !n.is_none() && !vm.is_callable(n) {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    drop(f.annotate.replace(n.clone()));
    if !n.is_none() {
        drop(f.annotations.replace(Value::UNBOUND));
    }
    Ok(())
}

fn or_none(v: Value) -> Value {
    if v.is_unbound() { Value::NONE } else { v }
}

pub static FUNCTION: TypeSpec = TypeSpec {
    name: "function",
    kind: Kind::Function,
    flags: tflag::WEAKREF,
    slots: |s| {
        s.repr = Some(function_repr);
        s.call = Some(|vm, f, args| vm.run_function(f, args));
        s.descr_get = Some(function_get);
        s.new = Some(function_new);
    },
    getset: &[
        GetSetDef {
            name: "__code__",
            get: |vm, v| Ok(f!(vm, v).code.borrow().clone()),
            set: Some(set_code),
            doc: "",
        },
        GetSetDef {
            name: "__defaults__",
            get: |vm, v| Ok(f!(vm, v).defaults.borrow().clone()),
            set: Some(set_defaults),
            doc: "",
        },
        GetSetDef {
            name: "__kwdefaults__",
            get: |vm, v| Ok(f!(vm, v).kwdefaults.borrow().clone()),
            set: Some(set_kwdefaults),
            doc: "",
        },
        GetSetDef {
            name: "__closure__",
            get: |vm, v| Ok(or_none(f!(vm, v).closure.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__globals__",
            get: |vm, v| Ok(f!(vm, v).globals.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__builtins__",
            get: |vm, v| Ok(f!(vm, v).builtins.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__name__",
            get: |vm, v| Ok(f!(vm, v).name.borrow().clone()),
            set: Some(|vm, v, n| set_str(vm, &f!(vm, v, unit).name, "__name__", n)),
            doc: "",
        },
        GetSetDef {
            name: "__qualname__",
            get: |vm, v| Ok(f!(vm, v).qualname.borrow().clone()),
            set: Some(|vm, v, n| set_str(vm, &f!(vm, v, unit).qualname, "__qualname__", n)),
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: |vm, v| Ok(f!(vm, v).doc.borrow().clone()),
            set: Some(|vm, v, n| {
                drop(
                    f!(vm, v, unit)
                        .doc
                        .replace(n.cloned().unwrap_or(Value::NONE)),
                );
                Ok(())
            }),
            doc: "",
        },
        GetSetDef {
            name: "__module__",
            get: |vm, v| Ok(f!(vm, v).module.borrow().clone()),
            set: Some(|vm, v, n| {
                drop(
                    f!(vm, v, unit)
                        .module
                        .replace(n.cloned().unwrap_or(Value::NONE)),
                );
                Ok(())
            }),
            doc: "",
        },
        crate::builtins::object::DICT_GETSET_CONST,
        GetSetDef {
            name: "__annotations__",
            get: get_function_annotations,
            set: Some(set_function_annotations),
            doc: "",
        },
        GetSetDef {
            name: "__annotate__",
            get: |vm, v| Ok(f!(vm, v).annotate.borrow().clone()),
            set: Some(set_function_annotate),
            doc: "",
        },
        GetSetDef {
            name: "__type_params__",
            get: |vm, v| {
                let p = f!(vm, v).type_params.borrow().clone();
                Ok(if p.is_unbound() { vm.tuple(vec![]) } else { p })
            },
            set: Some(|vm, v, n| match n.filter(|n| n.is_kind::<Tuple>()) {
                Some(n) => {
                    drop(f!(vm, v, unit).type_params.replace(n.clone()));
                    Ok(())
                }
                None => Err(vm.type_error("__type_params__ must be set to a tuple")),
            }),
            doc: "",
        },
    ],
    doc: "Create a function object.\n\n  code\n    a code object\n  globals\n    the globals dictionary\n  name\n    a string that overrides the name from the code object\n  argdefs\n    a tuple that specifies the default argument values\n  closure\n    a tuple that supplies the bindings for free variables\n  kwdefaults\n    a dictionary that specifies the default keyword argument values",
    ..TypeSpec::EMPTY
};

// ---- bound methods

fn method_repr(vm: &Vm, v: &Value) -> Res {
    let Some(m) = v.get::<BoundMethod>() else {
        return Ok(Value::NONE);
    };
    let name = match vm.getattr_opt(&m.func, &vm.names.__qualname__)? {
        Some(n) => n,
        None => vm
            .getattr_opt(&m.func, &vm.names.__name__)?
            .unwrap_or_else(|| vm.str("?")),
    };
    let name = name.as_str().unwrap_or("?").to_string();
    Ok(vm.str(&format!(
        "<bound method {name} of {}>",
        vm.repr_string(&m.self_)?
    )))
}

fn method_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<BoundMethod>(), b.get::<BoundMethod>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = x.self_.is(&y.self_) && vm.eq(&x.func, &y.func)?;
    match op {
        CmpOp::Eq => Ok(Value::bool(same)),
        CmpOp::Ne => Ok(Value::bool(!same)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn method_hash(vm: &Vm, v: &Value) -> Res<i64> {
    let Some(m) = v.get::<BoundMethod>() else {
        return Ok(0);
    };
    let h = crate::builtins::object::object_hash(vm, &m.self_)? ^ vm.hash(&m.func)?;
    Ok(if h == -1 { -2 } else { h })
}

fn method_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    if let Some(r) = vm.generic_lookup(v, name)? {
        return Ok(r);
    }
    match v.get::<BoundMethod>() {
        Some(m) => vm.getattr(&m.func, name),
        None => Err(vm.no_attribute(v, name)),
    }
}

fn method_new(vm: &Vm, _: &Value, args: Args) -> Res {
    let a = vm.bind_args("method(function, instance, /)", args)?;
    if !vm.is_callable(&a[0]) {
        return Err(vm.type_error("first argument must be callable"));
    }
    if a[1].is_none() {
        return Err(vm.type_error("instance must not be None"));
    }
    Ok(vm.alloc(BoundMethod {
        func: a[0].clone(),
        self_: a[1].clone(),
    }))
}

fn method_part(vm: &Vm, v: &Value, func: bool) -> Res {
    match v.get::<BoundMethod>() {
        Some(m) => Ok(if func {
            m.func.clone()
        } else {
            m.self_.clone()
        }),
        None => Err(vm.type_error("a method was expected")),
    }
}

fn method_reduce(vm: &Vm, a: &[Value]) -> Res {
    let name = vm.getattr(&method_part(vm, &a[0], true)?, &vm.names.__name__)?;
    let this = method_part(vm, &a[0], false)?;
    Ok(vm.pair(vm.builtin("getattr")?, vm.pair(this, name)))
}

pub static METHOD: TypeSpec = TypeSpec {
    name: "method",
    kind: Kind::BoundMethod,
    flags: tflag::WEAKREF,
    slots: |s| {
        s.repr = Some(method_repr);
        s.call = Some(|vm, f, args| vm.call_args(f, args));
        s.cmp = Some(method_cmp);
        s.hash = Some(method_hash);
        s.getattr = Some(method_getattr);
        s.descr_get = Some(|_, m, _, _| Ok(m.clone()));
        s.new = Some(method_new);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: method_reduce,
        doc: "",
    }],
    getset: &[
        GetSetDef {
            name: "__func__",
            get: |vm, v| method_part(vm, v, true),
            set: None,
            doc: "the function (or other callable) implementing a method",
        },
        GetSetDef {
            name: "__self__",
            get: |vm, v| method_part(vm, v, false),
            set: None,
            doc: "the instance to which a method is bound",
        },
        GetSetDef {
            name: "__doc__",
            get: |vm, v| {
                Ok(vm
                    .getattr_opt(&method_part(vm, v, true)?, &vm.names.__doc__)?
                    .unwrap_or(Value::NONE))
            },
            set: None,
            doc: "",
        },
    ],
    doc: "Create a bound instance method object.",
    ..TypeSpec::EMPTY
};

// ---- native functions

fn native_repr(vm: &Vm, v: &Value) -> Res {
    let Some(n) = v.get::<Native>() else {
        return Ok(Value::NONE);
    };
    let name = n.def.name();
    Ok(vm.str(&if n.self_.is_unbound() {
        if n.owner.is_unbound() {
            format!("<built-in function {name}>")
        } else {
            format!("<method '{name}' of '{}' objects>", vm.class_name(&n.owner))
        }
    } else {
        format!(
            "<built-in method {name} of {} object at {:#x}>",
            vm.type_name(&n.self_),
            n.self_.id()
        )
    }))
}

fn native_cmp(_: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Native>(), b.get::<Native>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = std::ptr::eq(x.def, y.def) && x.self_.is(&y.self_) && x.owner.is(&y.owner);
    match op {
        CmpOp::Eq => Ok(Value::bool(same)),
        CmpOp::Ne => Ok(Value::bool(!same)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn native_hash(_: &Vm, v: &Value) -> Res<i64> {
    let Some(n) = v.get::<Native>() else {
        return Ok(0);
    };
    Ok(
        ((n.def as *const NativeDef as u64).rotate_right(4) ^ n.self_.id().rotate_right(9)) as i64
            >> 1,
    )
}

fn native_of<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Native> {
    v.get::<Native>()
        .ok_or_else(|| vm.type_error("a builtin function was expected"))
}

fn native_qualname(vm: &Vm, v: &Value) -> Res {
    let n = native_of(vm, v)?;
    let name = n.def.name();
    if let Some(t) = n.self_.get::<TypeObj>() {
        return Ok(vm.str(&format!("{}.{name}", t.name_str())));
    }
    match n.owner.get::<TypeObj>() {
        Some(t) => Ok(vm.str(&format!("{}.{name}", t.name_str()))),
        None => Ok(vm.intern(name)),
    }
}

fn native_self(vm: &Vm, v: &Value) -> Res {
    let n = native_of(vm, v)?;
    if !n.self_.is_unbound() {
        return Ok(n.self_.clone());
    }
    // Functions of a module have the module as self.
    let module = vm
        .modules
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &or_none(n.module.clone())));
    Ok(module.unwrap_or(Value::NONE))
}

fn text_signature(vm: &Vm, v: &Value) -> Res {
    let n = native_of(vm, v)?;
    let sig = &n.def.sig[n.def.name().len()..];
    let shown = if let Some(rest) = sig.strip_prefix("(self") {
        format!("($self{rest}")
    } else if let Some(rest) = sig.strip_prefix("(cls") {
        format!("($type{rest}")
    } else if !n.module.is_unbound() {
        format!("($module, {}", sig.strip_prefix('(').unwrap_or(sig))
    } else {
        sig.to_string()
    };
    if shown.contains("...") {
        Ok(Value::NONE)
    } else {
        Ok(vm.str(&shown))
    }
}

fn native_doc(vm: &Vm, v: &Value) -> Res {
    let n = native_of(vm, v)?;
    Ok(if n.def.doc.is_empty() {
        Value::NONE
    } else {
        vm.str(n.def.doc)
    })
}

fn native_name(vm: &Vm, v: &Value) -> Res {
    Ok(vm.intern(native_of(vm, v)?.def.name()))
}

fn native_reduce(vm: &Vm, a: &[Value]) -> Res {
    let n = native_of(vm, &a[0])?;
    if n.self_.is_unbound() || n.self_.is_kind::<crate::object::func::Module>() {
        return Ok(vm.intern(n.def.name()));
    }
    Ok(vm.pair(
        vm.builtin("getattr")?,
        vm.pair(n.self_.clone(), vm.intern(n.def.name())),
    ))
}

pub static NATIVE: TypeSpec = TypeSpec {
    name: "builtin_function_or_method",
    kind: Kind::Native,
    flags: tflag::WEAKREF,
    slots: |s| {
        s.repr = Some(native_repr);
        s.call = Some(|vm, f, args| vm.call_args(f, args));
        s.cmp = Some(native_cmp);
        s.hash = Some(native_hash);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: native_reduce,
        doc: "",
    }],
    getset: &[
        GetSetDef {
            name: "__name__",
            get: native_name,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__qualname__",
            get: native_qualname,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: native_doc,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__self__",
            get: native_self,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__module__",
            get: |vm, v| Ok(or_none(native_of(vm, v)?.module.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__text_signature__",
            get: text_signature,
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

static METHOD_DESCRIPTOR_GETSET: [GetSetDef; 5] = [
    GetSetDef {
        name: "__name__",
        get: native_name,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__qualname__",
        get: native_qualname,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__doc__",
        get: native_doc,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__objclass__",
        get: |vm, v| Ok(or_none(native_of(vm, v)?.owner.clone())),
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__text_signature__",
        get: text_signature,
        set: None,
        doc: "",
    },
];

fn native_get(vm: &Vm, f: &Value, obj: Option<&Value>, owner: &Value) -> Res {
    let Some(o) = obj else { return Ok(f.clone()) };
    let n = native_of(vm, f)?;
    if !vm.type_obj(o).is_subtype(&n.owner) {
        let _ = owner;
        return Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            n.def.name(),
            vm.class_name(&n.owner),
            vm.type_name(o)
        )));
    }
    Ok(vm.bind_native(n, o))
}

// ---- slot wrappers

fn wrapper_of<'a>(vm: &Vm, v: &'a Value) -> Res<&'a SlotWrapper> {
    v.get::<SlotWrapper>()
        .ok_or_else(|| vm.type_error("a slot wrapper was expected"))
}

fn wrapper_repr(vm: &Vm, v: &Value) -> Res {
    let w = wrapper_of(vm, v)?;
    let name = w.row.name;
    Ok(vm.str(&if w.self_.is_unbound() {
        format!(
            "<slot wrapper '{name}' of '{}' objects>",
            vm.class_name(&w.owner)
        )
    } else {
        format!(
            "<method-wrapper '{name}' of {} object at {:#x}>",
            vm.type_name(&w.self_),
            w.self_.id()
        )
    }))
}

fn wrapper_get(vm: &Vm, f: &Value, obj: Option<&Value>, _: &Value) -> Res {
    let w = wrapper_of(vm, f)?;
    match obj {
        Some(o) if w.self_.is_unbound() => {
            if !vm.type_obj(o).is_subtype(&w.owner) {
                return Err(vm.type_error(format!(
                    "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
                    w.row.name,
                    vm.class_name(&w.owner),
                    vm.type_name(o)
                )));
            }
            Ok(vm.bind_slot_wrapper(w, o))
        }
        _ => Ok(f.clone()),
    }
}

fn wrapper_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<SlotWrapper>(), b.get::<SlotWrapper>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let _ = vm;
    let same = std::ptr::eq(x.row, y.row) && x.self_.is(&y.self_) && x.owner.is(&y.owner);
    match op {
        CmpOp::Eq => Ok(Value::bool(same)),
        CmpOp::Ne => Ok(Value::bool(!same)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn wrapper_hash(_: &Vm, v: &Value) -> Res<i64> {
    let Some(w) = v.get::<SlotWrapper>() else {
        return Ok(0);
    };
    Ok(
        ((w.row as *const _ as u64).rotate_right(4) ^ w.self_.id().rotate_right(9) ^ w.owner.id())
            as i64
            >> 1,
    )
}

fn wrapper_slots(s: &mut Slots) {
    s.repr = Some(wrapper_repr);
    s.call = Some(|vm, f, args| vm.call_slot_wrapper(wrapper_of(vm, f)?, args));
    s.descr_get = Some(wrapper_get);
    s.cmp = Some(wrapper_cmp);
    s.hash = Some(wrapper_hash);
}

static WRAPPER_GETSET: [GetSetDef; 6] = [
    GetSetDef {
        name: "__name__",
        get: |vm, v| Ok(vm.intern(wrapper_of(vm, v)?.row.name)),
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__qualname__",
        get: |vm, v| {
            let w = wrapper_of(vm, v)?;
            Ok(vm.str(&format!("{}.{}", vm.class_name(&w.owner), w.row.name)))
        },
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__doc__",
        get: |vm, v| Ok(vm.str(wrapper_of(vm, v)?.row.doc)),
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__objclass__",
        get: |vm, v| Ok(wrapper_of(vm, v)?.owner.clone()),
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__self__",
        get: wrapper_self,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__text_signature__",
        get: wrapper_signature,
        set: None,
        doc: "",
    },
];

fn wrapper_self(vm: &Vm, v: &Value) -> Res {
    let w = wrapper_of(vm, v)?;
    if w.self_.is_unbound() {
        Err(vm.no_attribute(v, &vm.names.__self__))
    } else {
        Ok(w.self_.clone())
    }
}

fn wrapper_signature(vm: &Vm, v: &Value) -> Res {
    let w = wrapper_of(vm, v)?;
    let args = match w.row.name {
        "__init__" | "__call__" | "__new__" => "($self, /, *args, **kwargs)",
        "__getattribute__" | "__delattr__" => "($self, name, /)",
        "__setattr__" => "($self, name, value, /)",
        "__getitem__" | "__delitem__" | "__contains__" => "($self, key, /)",
        "__setitem__" => "($self, key, value, /)",
        "__get__" => "($self, instance, owner=None, /)",
        "__set__" => "($self, instance, value, /)",
        "__delete__" => "($self, instance, /)",
        n if w.row.doc.contains("value") || n.starts_with("__r") && n != "__repr__" => {
            "($self, value, /)"
        }
        _ => "($self, /)",
    };
    Ok(vm.str(args))
}

pub static SLOT_WRAPPER: TypeSpec = TypeSpec {
    name: "wrapper_descriptor",
    kind: Kind::SlotWrapper,
    slots: wrapper_slots,
    getset: &WRAPPER_GETSET,
    ..TypeSpec::EMPTY
};

// ---- attributes of native types, and of __slots__

fn check_owner(vm: &Vm, name: &str, owner: &Value, obj: &Value) -> Res<()> {
    if vm.type_ref(obj).is(owner) || vm.type_obj(obj).is_subtype(owner) {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
        vm.class_name(owner),
        vm.type_name(obj)
    )))
}

fn getset_get(vm: &Vm, d: &Value, obj: Option<&Value>, _: &Value) -> Res {
    let (Some(o), Some(g)) = (obj, d.get::<GetSet>()) else {
        return Ok(d.clone());
    };
    check_owner(vm, g.def.name, &g.owner, o)?;
    (g.def.get)(vm, o)
}

fn getset_set(vm: &Vm, d: &Value, obj: &Value, value: Option<&Value>) -> Res<()> {
    let Some(g) = d.get::<GetSet>() else {
        return Ok(());
    };
    check_owner(vm, g.def.name, &g.owner, obj)?;
    match g.def.set {
        Some(set) => set(vm, obj, value),
        None => {
            let message = format!(
                "attribute '{}' of '{}' objects is not writable",
                g.def.name,
                getset_owner(g)
            );
            Err(vm.attribute_error(&message, obj, &vm.intern(g.def.name)))
        }
    }
}

pub static GETSET: TypeSpec = TypeSpec {
    name: "getset_descriptor",
    kind: Kind::GetSet,
    slots: |s| {
        s.repr = Some(|vm, v| match v.get::<GetSet>() {
            Some(g) => Ok(vm.str(&format!(
                "<attribute '{}' of '{}' objects>",
                g.def.name,
                getset_owner(g)
            ))),
            None => Ok(Value::NONE),
        });
        s.descr_get = Some(getset_get);
        s.descr_set = Some(getset_set);
    },
    getset: &[
        GetSetDef {
            name: "__name__",
            get: |vm, v| {
                Ok(v.get::<GetSet>()
                    .map_or(Value::NONE, |g| vm.intern(g.def.name)))
            },
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__qualname__",
            get: |vm, v| {
                Ok(v.get::<GetSet>().map_or(Value::NONE, |g| {
                    vm.str(&format!("{}.{}", getset_owner(g), g.def.name))
                }))
            },
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__objclass__",
            get: |_, v| Ok(v.get::<GetSet>().map_or(Value::NONE, |g| g.owner.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: |vm, v| {
                Ok(v.get::<GetSet>()
                    .filter(|g| !g.def.doc.is_empty())
                    .map_or(Value::NONE, |g| vm.str(g.def.doc)))
            },
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

/// A slot that holds nothing: CPython says only its name.
#[cold]
fn unset(vm: &Vm, s: &SlotDescr) -> Raised {
    vm.error(Exc::AttributeError, text(&s.name))
}

fn slot_get(vm: &Vm, d: &Value, obj: Option<&Value>, _: &Value) -> Res {
    let (Some(o), Some(s)) = (obj, d.get::<SlotDescr>()) else {
        return Ok(d.clone());
    };
    check_owner(vm, &text(&s.name), &s.owner, o)?;
    let v = get_slot(&vm.heap, o, s.slot);
    if v.is_unbound() {
        Err(vm.no_attribute(o, &s.name))
    } else {
        Ok(v)
    }
}

fn slot_set(vm: &Vm, d: &Value, obj: &Value, value: Option<&Value>) -> Res<()> {
    let Some(s) = d.get::<SlotDescr>() else {
        return Ok(());
    };
    check_owner(vm, &text(&s.name), &s.owner, obj)?;
    if obj
        .header()
        .is_none_or(|h| h.flags.get() & flag::SLOTS == 0)
    {
        return Ok(());
    }
    let old = set_slot(
        &vm.heap,
        obj,
        s.slot,
        value.cloned().unwrap_or(Value::UNBOUND),
    );
    if value.is_none() && old.is_unbound() {
        return Err(unset(vm, s));
    }
    drop(old);
    Ok(())
}

pub static MEMBER: TypeSpec = TypeSpec {
    name: "member_descriptor",
    kind: Kind::SlotDescr,
    slots: |s| {
        s.repr = Some(|vm, v| match v.get::<SlotDescr>() {
            Some(s) => Ok(vm.str(&format!(
                "<member '{}' of '{}' objects>",
                text(&s.name),
                vm.class_name(&s.owner)
            ))),
            None => Ok(Value::NONE),
        });
        s.descr_get = Some(slot_get);
        s.descr_set = Some(slot_set);
    },
    getset: &[
        GetSetDef {
            name: "__name__",
            get: |_, v| Ok(v.get::<SlotDescr>().map_or(Value::NONE, |s| s.name.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__qualname__",
            get: |vm, v| {
                Ok(v.get::<SlotDescr>().map_or(Value::NONE, |s| {
                    vm.str(&format!("{}.{}", vm.class_name(&s.owner), text(&s.name)))
                }))
            },
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__objclass__",
            get: |_, v| {
                Ok(v.get::<SlotDescr>()
                    .map_or(Value::NONE, |s| s.owner.clone()))
            },
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: |_, _| Ok(Value::NONE),
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

// ---- cells

fn cell_repr(vm: &Vm, v: &Value) -> Res {
    let Some(c) = v.get::<Cell_>() else {
        return Ok(Value::NONE);
    };
    let content = c.0.borrow().clone();
    Ok(vm.str(&if content.is_unbound() {
        format!("<cell at {:#x}: empty>", v.id())
    } else {
        format!(
            "<cell at {:#x}: {} object at {:#x}>",
            v.id(),
            vm.type_name(&content),
            content.id()
        )
    }))
}

fn cell_get(vm: &Vm, v: &Value) -> Res {
    match v.get::<Cell_>().map(|c| c.0.borrow().clone()) {
        Some(x) if !x.is_unbound() => Ok(x),
        _ => Err(vm.value_error("Cell is empty")),
    }
}

pub static CELL: TypeSpec = TypeSpec {
    name: "cell",
    kind: Kind::Cell,
    slots: |s| {
        s.repr = Some(cell_repr);
        s.new = Some(|vm, _, args| {
            let a = vm.bind_args("cell(contents=..., /)", args)?;
            Ok(vm.cell(a[0].clone()))
        });
        s.cmp = Some(|vm, a, b, op| {
            let (Some(x), Some(y)) = (a.get::<Cell_>(), b.get::<Cell_>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let (x, y) = (x.0.borrow().clone(), y.0.borrow().clone());
            if x.is_unbound() || y.is_unbound() {
                return vm.compare(
                    op,
                    &Value::bool(!x.is_unbound()),
                    &Value::bool(!y.is_unbound()),
                );
            }
            vm.compare(op, &x, &y)
        });
    },
    getset: &[GetSetDef {
        name: "cell_contents",
        get: cell_get,
        set: Some(|_, v, n| {
            if let Some(c) = v.get::<Cell_>() {
                drop(c.0.replace(n.cloned().unwrap_or(Value::UNBOUND)));
            }
            Ok(())
        }),
        doc: "",
    }],
    doc: "Create a new cell object.",
    ..TypeSpec::EMPTY
};

/// Makes the types of unbound native methods and of bound slot wrappers, which share their kinds with others.
pub fn make_extra_types(vm: &Vm) {
    let object = vm.kind_type(Kind::Object).clone();
    let parts = |name, kind, slots, getset| Parts {
        name,
        module: None,
        base: object.clone(),
        kind,
        flags: 0,
        slots,
        methods: &[],
        class_methods: &[],
        static_methods: &[],
        getset,
        doc: "",
    };
    let method_slots: fn(&mut Slots) = |s| {
        s.repr = Some(native_repr);
        s.call = Some(|vm, f, args| vm.call_args(f, args));
        s.descr_get = Some(native_get);
        s.cmp = Some(native_cmp);
        s.hash = Some(native_hash);
    };
    vm.type_state.set_extra(
        Extra::MethodDescriptor,
        vm.make_native_type(parts(
            "method_descriptor",
            Kind::Native,
            method_slots,
            &METHOD_DESCRIPTOR_GETSET,
        )),
    );
    vm.type_state.set_extra(
        Extra::MethodWrapper,
        vm.make_native_type(parts(
            "method-wrapper",
            Kind::SlotWrapper,
            wrapper_slots,
            &WRAPPER_GETSET,
        )),
    );
}

impl Vm {
    /// The name that error messages give a callable: `C.f()` or the repr.
    pub fn callable_name(&self, f: &Value) -> Res<String> {
        if let Some(n) = f.get::<Native>() {
            if is_native_new(n) {
                return Ok(format!("{}.__new__()", full_name(self, &n.self_)));
            }
            return Ok(format!("{}()", text(&native_qualname(self, f)?)));
        }
        match self.getattr_opt(f, &self.names.__qualname__)? {
            Some(q) if q.as_str().is_some() => Ok(format!("{}()", text(&q))),
            _ => self.str_string(f),
        }
    }
}
