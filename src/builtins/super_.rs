//! `super`: attribute access that begins after a class in the MRO.
//!
//! The compiler turns `super().name` in methods into an op of its own (`LOADSUPERMETHOD`); this type serves the other uses.

#![allow(unsafe_code)]

use crate::object::dict::Dict;
use crate::object::func::{Cell_, Function, Super};
use crate::object::header::Kind;
use crate::object::native::{Args, tuple_items};
use crate::object::types::{GetSetDef, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::frame::word;
use crate::vm::{Res, Vm};

/// The class whose MRO is used for `super(this, obj)`.
fn check(vm: &Vm, this: &Value, obj: &Value) -> Res {
    if obj.get::<TypeObj>().is_some_and(|t| t.is_subtype(this)) {
        return Ok(obj.clone());
    }
    if vm.type_obj(obj).is_subtype(this) {
        return Ok(vm.type_of(obj));
    }
    if let Some(c) = vm.getattr_opt(obj, &vm.names.__class__)?
        && !c.is(vm.type_ref(obj))
        && c.get::<TypeObj>().is_some_and(|t| t.is_subtype(this))
    {
        return Ok(c);
    }
    let kind = if obj.is_kind::<TypeObj>() {
        "type"
    } else {
        "instance of"
    };
    let name = if obj.is_kind::<TypeObj>() {
        vm.class_name(obj)
    } else {
        vm.type_name(obj)
    };
    Err(vm.type_error(format!(
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        vm.class_name(this)
    )))
}

fn super_new(vm: &Vm, class: &Value, args: Args) -> Res {
    if args.has_keywords() {
        return Err(vm.type_error("super() takes no keyword arguments"));
    }
    let (this, obj) = match args.all {
        [] => implicit(vm)?,
        [this] => (this.clone(), Value::NONE),
        [this, obj] => (this.clone(), obj.clone()),
        _ => {
            return Err(vm.type_error(format!(
                "super() expected at most 2 arguments, got {}",
                args.all.len()
            )));
        }
    };
    if !this.is_kind::<TypeObj>() {
        return Err(vm.type_error(format!(
            "super() argument 1 must be a type, not {}",
            vm.type_name(&this)
        )));
    }
    let obj_type = if obj.is_none() {
        Value::NONE
    } else {
        check(vm, &this, &obj)?
    };
    Ok(vm.alloc_as(
        class,
        Super {
            this,
            obj,
            obj_type,
        },
    ))
}

/// The class and the first argument of the running method.
fn implicit(vm: &Vm) -> Res<(Value, Value)> {
    let base = vm.exec.base.get();
    if base.is_null() {
        return Err(vm.runtime_error("super(): no current frame"));
    }
    // SAFETY: exec.base is a live frame while natives run; its code, function and registers are alive with it.
    let (code, func, first) = unsafe {
        (
            word::code(base),
            word::func(base).clone(),
            word::reg(base, 0).clone(),
        )
    };
    let Some(f) = func
        .get::<Function>()
        .filter(|_| code.code.argcount > 0 || code.flags & crate::bytecode::flags::VARARGS != 0)
    else {
        return Err(vm.runtime_error("super(): no arguments"));
    };
    let first = match first.get::<Cell_>() {
        Some(c)
            if code
                .code
                .varnames
                .first()
                .is_some_and(|n| code.code.cellvars.contains(n)) =>
        {
            c.0.borrow().clone()
        }
        _ => first,
    };
    if first.is_unbound() {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    }
    let at = code.code.freevars.iter().position(|n| &**n == "__class__");
    let cell = at.and_then(|i| tuple_items(&f.closure).get(i).cloned());
    let Some(c) = cell.as_ref().and_then(|c| c.get::<Cell_>()) else {
        return Err(vm.runtime_error("super(): __class__ cell not found"));
    };
    let class = c.0.borrow().clone();
    if class.is_unbound() {
        return Err(vm.runtime_error("super(): empty __class__ cell"));
    }
    Ok((class, first))
}

fn super_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    let Some(s) = v.get::<Super>() else {
        return vm.generic_getattr(v, name);
    };
    if s.obj_type.is_none() || name.is(&vm.names.__class__) {
        return vm.generic_getattr(v, name);
    }
    let mro = s
        .obj_type
        .get::<TypeObj>()
        .map_or(Value::NONE, |t| t.mro.borrow().clone());
    let after = tuple_items(&mro)
        .iter()
        .skip_while(|c| !c.is(&s.this))
        .skip(1);
    for c in after {
        let found = c
            .get::<TypeObj>()
            .and_then(|t| t.dict.get::<Dict>())
            .and_then(|d| vm.dict_get_str(d, name));
        if let Some(f) = found {
            let obj = if s.obj.is(&s.obj_type) {
                None
            } else {
                Some(&s.obj)
            };
            return vm.bind_descriptor(&f, obj, &s.obj_type);
        }
    }
    vm.generic_getattr(v, name)
}

fn super_repr(vm: &Vm, v: &Value) -> Res {
    let Some(s) = v.get::<Super>() else {
        return Ok(Value::NONE);
    };
    let this = vm.class_name(&s.this);
    Ok(vm.str(&if s.obj_type.is_none() {
        format!("<super: <class '{this}'>, NULL>")
    } else {
        format!(
            "<super: <class '{this}'>, <{} object>>",
            vm.class_name(&s.obj_type)
        )
    }))
}

fn super_get(vm: &Vm, v: &Value, obj: Option<&Value>, _: &Value) -> Res {
    let Some(s) = v.get::<Super>() else {
        return Ok(v.clone());
    };
    match obj {
        Some(o) if !o.is_none() && s.obj.is_none() => {
            let obj_type = check(vm, &s.this, o)?;
            Ok(vm.alloc_as(
                vm.type_ref(v),
                Super {
                    this: s.this.clone(),
                    obj: o.clone(),
                    obj_type,
                },
            ))
        }
        _ => Ok(v.clone()),
    }
}

fn part(vm: &Vm, v: &Value, which: fn(&Super) -> &Value) -> Res {
    v.get::<Super>()
        .map(|s| which(s).clone())
        .ok_or_else(|| vm.type_error("a super object was expected"))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "super",
    kind: Kind::Super,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(super_new);
        s.getattr = Some(super_getattr);
        s.repr = Some(super_repr);
        s.descr_get = Some(super_get);
    },
    getset: &[
        GetSetDef {
            name: "__thisclass__",
            get: |vm, v| part(vm, v, |s| &s.this),
            set: None,
            doc: "the class invoking super()",
        },
        GetSetDef {
            name: "__self__",
            get: |vm, v| part(vm, v, |s| &s.obj),
            set: None,
            doc: "the instance invoking super(); may be None",
        },
        GetSetDef {
            name: "__self_class__",
            get: |vm, v| part(vm, v, |s| &s.obj_type),
            set: None,
            doc: "the type of the instance invoking super(); may be None",
        },
    ],
    doc: "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\nsuper(type, obj) -> bound super object; requires isinstance(obj, type)\nsuper(type, type2) -> bound super object; requires issubclass(type2, type)\nTypical use to call a cooperative superclass method:\nclass C(B):\n    def meth(self, arg):\n        super().meth(arg)\nThis works for class methods too:\nclass C(B):\n    @classmethod\n    def cmeth(cls, arg):\n        super().cmeth(arg)\n",
    ..TypeSpec::EMPTY
};
