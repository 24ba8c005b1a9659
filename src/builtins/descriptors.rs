//! `property`, `staticmethod`, `classmethod`.

use crate::object::func::{BoundMethod, ClassMethod, Function, Property, StaticMethod};
use crate::object::header::Kind;
use crate::object::native::{Args, Native, NativeDef};
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::RefCell;

// ---- property

fn prop<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Property> {
    v.get::<Property>()
        .ok_or_else(|| vm.type_error("a property was expected"))
}

fn property_new(vm: &Vm, class: &Value, _: Args) -> Res {
    let none = || RefCell::new(Value::NONE);
    Ok(vm.alloc_as(
        class,
        Property {
            get: none(),
            set: none(),
            del: none(),
            doc: none(),
            name: RefCell::new(Value::UNBOUND),
        },
    ))
}

fn property_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("property(fget=None, fset=None, fdel=None, doc=None)", args)?;
    let p = prop(vm, v)?;
    let mut doc = a[3].clone();
    if doc.is_none() && !a[0].is_none() {
        doc = vm
            .getattr_opt(&a[0], &vm.names.__doc__)?
            .unwrap_or(Value::NONE);
    }
    let old = (
        p.get.replace(a[0].clone()),
        p.set.replace(a[1].clone()),
        p.del.replace(a[2].clone()),
    );
    drop(old);
    // A subclass's instance has a dict, where CPython keeps the doc of such.
    if vm.is_exact(v, Kind::Property) {
        drop(p.doc.replace(doc));
    } else if !doc.is_none() {
        drop(p.doc.replace(doc.clone()));
        if vm.instance_dict(v)?.is_some() {
            vm.setattr(v, &vm.names.__doc__, &doc)?;
        }
    }
    Ok(())
}

/// The property's name: as set, or that of its getter.
fn property_name(vm: &Vm, p: &Property) -> Res<Option<Value>> {
    let name = p.name.borrow().clone();
    if !name.is_unbound() {
        return Ok(Some(name));
    }
    let get = p.get.borrow().clone();
    if get.is_none() {
        Ok(None)
    } else {
        vm.getattr_opt(&get, &vm.names.__name__)
    }
}

#[cold]
fn no_accessor(vm: &Vm, p: &Property, obj: &Value, what: &str) -> Raised {
    let name = match property_name(vm, p) {
        Ok(n) => n,
        Err(e) => return e,
    };
    let class = vm
        .type_obj(obj)
        .qualname
        .borrow()
        .as_str()
        .unwrap_or("?")
        .to_string();
    let message = match &name {
        Some(n) => match vm.repr_string(n) {
            Ok(n) => format!("property {n} of '{class}' object has no {what}"),
            Err(e) => return e,
        },
        None => format!("property of '{class}' object has no {what}"),
    };
    vm.error(crate::vm::raise::Exc::AttributeError, message)
}

fn property_get(vm: &Vm, v: &Value, obj: Option<&Value>, _: &Value) -> Res {
    let Some(obj) = obj.filter(|o| !o.is_none()) else {
        return Ok(v.clone());
    };
    let p = prop(vm, v)?;
    let get = p.get.borrow().clone();
    if get.is_none() {
        return Err(no_accessor(vm, p, obj, "getter"));
    }
    vm.call(&get, std::slice::from_ref(obj))
}

fn property_set(vm: &Vm, v: &Value, obj: &Value, value: Option<&Value>) -> Res<()> {
    let p = prop(vm, v)?;
    match value {
        Some(x) => {
            let set = p.set.borrow().clone();
            if set.is_none() {
                return Err(no_accessor(vm, p, obj, "setter"));
            }
            vm.call(&set, &[obj.clone(), x.clone()]).map(drop)
        }
        None => {
            let del = p.del.borrow().clone();
            if del.is_none() {
                return Err(no_accessor(vm, p, obj, "deleter"));
            }
            vm.call(&del, std::slice::from_ref(obj)).map(drop)
        }
    }
}

/// A copy of the property with one function replaced.
fn with(vm: &Vm, v: &Value, part: usize, f: &Value) -> Res {
    let p = prop(vm, v)?;
    let mut parts = [
        p.get.borrow().clone(),
        p.set.borrow().clone(),
        p.del.borrow().clone(),
        p.doc.borrow().clone(),
    ];
    parts[part] = f.clone();
    // The doc follows a new getter if it came from the old one.
    let old_get = p.get.borrow().clone();
    let from_getter = match vm.getattr_opt(&old_get, &vm.names.__doc__)? {
        Some(d) => d.is(&parts[3]),
        None => false,
    };
    if from_getter || part == 0 && parts[3].is_none() {
        parts[3] = Value::NONE;
    }
    let new = vm.call(vm.type_ref(v), &parts)?;
    if let (Some(n), name) = (new.get::<Property>(), p.name.borrow().clone()) {
        drop(n.name.replace(name));
    }
    Ok(new)
}

fn set_name(vm: &Vm, a: &[Value]) -> Res {
    drop(prop(vm, &a[0])?.name.replace(a[2].clone()));
    Ok(Value::NONE)
}

/// `__isabstractmethod__` of any of the functions.
fn is_abstract(vm: &Vm, fs: &[Value]) -> Res {
    for f in fs {
        if let Some(flag) = vm.getattr_opt(f, &vm.intern("__isabstractmethod__"))?
            && vm.truth(&flag)?
        {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub static PROPERTY: TypeSpec = TypeSpec {
    name: "property",
    kind: Kind::Property,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(property_new);
        s.init = Some(property_init);
        s.descr_get = Some(property_get);
        s.descr_set = Some(property_set);
    },
    methods: &[
        NativeDef {
            sig: "getter(self, object, /)",
            f: |vm, a| with(vm, &a[0], 0, &a[1]),
            doc: "Descriptor to obtain a copy of the property with a different getter.",
        },
        NativeDef {
            sig: "setter(self, object, /)",
            f: |vm, a| with(vm, &a[0], 1, &a[1]),
            doc: "Descriptor to obtain a copy of the property with a different setter.",
        },
        NativeDef {
            sig: "deleter(self, object, /)",
            f: |vm, a| with(vm, &a[0], 2, &a[1]),
            doc: "Descriptor to obtain a copy of the property with a different deleter.",
        },
        NativeDef {
            sig: "__set_name__(self, owner, name, /)",
            f: set_name,
            doc: "Method to set name of a property.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "fget",
            get: |vm, v| Ok(prop(vm, v)?.get.borrow().clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "fset",
            get: |vm, v| Ok(prop(vm, v)?.set.borrow().clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "fdel",
            get: |vm, v| Ok(prop(vm, v)?.del.borrow().clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: |vm, v| Ok(prop(vm, v)?.doc.borrow().clone()),
            set: Some(|vm, v, n| {
                drop(prop(vm, v)?.doc.replace(n.cloned().unwrap_or(Value::NONE)));
                Ok(())
            }),
            doc: "",
        },
        GetSetDef {
            name: "__name__",
            get: |vm, v| match property_name(vm, prop(vm, v)?)? {
                Some(n) => Ok(n),
                None => Err(vm.no_attribute(v, &vm.names.__name__)),
            },
            set: Some(|vm, v, n| {
                drop(
                    prop(vm, v)?
                        .name
                        .replace(n.cloned().unwrap_or(Value::UNBOUND)),
                );
                Ok(())
            }),
            doc: "",
        },
        GetSetDef {
            name: "__isabstractmethod__",
            get: |vm, v| {
                let p = prop(vm, v)?;
                let parts = [
                    p.get.borrow().clone(),
                    p.set.borrow().clone(),
                    p.del.borrow().clone(),
                ];
                is_abstract(vm, &parts)
            },
            set: None,
            doc: "",
        },
    ],
    doc: "Property attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to be used for setting an attribute value\n  fdel\n    function to be used for del'ing an attribute\n  doc\n    docstring\n\nTypical use is to define a managed attribute x:\n\nclass C(object):\n    def getx(self): return self._x\n    def setx(self, value): self._x = value\n    def delx(self): del self._x\n    x = property(getx, setx, delx, \"I'm the 'x' property.\")\n\nDecorators make defining new properties or modifying existing ones easy:\n\nclass C(object):\n    @property\n    def x(self):\n        \"I am the 'x' property.\"\n        return self._x\n    @x.setter\n    def x(self, value):\n        self._x = value\n    @x.deleter\n    def x(self):\n        del self._x",
    ..TypeSpec::EMPTY
};

// ---- staticmethod and classmethod

fn static_inner(vm: &Vm, v: &Value) -> Res {
    match v.get::<StaticMethod>() {
        Some(s) => Ok(s.0.clone()),
        None => match v.get::<ClassMethod>() {
            Some(c) => Ok(c.0.clone()),
            None => Err(vm.type_error("a staticmethod or classmethod was expected")),
        },
    }
}

/// Attributes that the wrapper shows of what it wraps.
const COPIED: [&str; 6] = [
    "__name__",
    "__qualname__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__annotate__",
];

fn wrapper_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    if name.as_str().is_some_and(|n| COPIED.contains(&n)) {
        if let Some(x) = vm.own_attr(v, name)? {
            return Ok(x);
        }
        let inner = static_inner(vm, v)?;
        return match vm.getattr_opt(&inner, name)? {
            Some(x) => Ok(x),
            None => vm.generic_getattr(v, name),
        };
    }
    vm.generic_getattr(v, name)
}

fn wrapper_repr(vm: &Vm, v: &Value) -> Res {
    let inner = vm.repr_string(&static_inner(vm, v)?)?;
    let name = if v.is_kind::<StaticMethod>() {
        "staticmethod"
    } else {
        "classmethod"
    };
    Ok(vm.str(&format!("<{name}({inner})>")))
}

/// One positional argument, which must be there.
fn one_arg<'a>(vm: &Vm, name: &str, args: Args<'a>) -> Res<&'a Value> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.all {
        [one] => Ok(one),
        _ => Err(vm.type_error(format!(
            "{name} expected 1 argument, got {}",
            args.all.len()
        ))),
    }
}

fn wrapped(vm: &Vm, v: &Value) -> Res {
    static_inner(vm, v)
}

static WRAPPER_GETSET: [GetSetDef; 4] = [
    GetSetDef {
        name: "__func__",
        get: wrapped,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__wrapped__",
        get: wrapped,
        set: None,
        doc: "",
    },
    GetSetDef {
        name: "__isabstractmethod__",
        get: |vm, v| is_abstract(vm, &[static_inner(vm, v)?]),
        set: None,
        doc: "",
    },
    crate::builtins::object::DICT_GETSET_CONST,
];

pub static STATICMETHOD: TypeSpec = TypeSpec {
    name: "staticmethod",
    kind: Kind::StaticMethod,
    flags: tflag::BASETYPE | tflag::DICT,
    slots: |s| {
        s.new = Some(|vm, class, args| {
            let f = one_arg(vm, "staticmethod", args)?;
            Ok(vm.alloc_as(class, StaticMethod(f.clone())))
        });
        s.repr = Some(wrapper_repr);
        s.getattr = Some(wrapper_getattr);
        s.call = Some(|vm, v, args| vm.call_args(&static_inner(vm, v)?, args));
        s.descr_get = Some(|vm, v, _, _| static_inner(vm, v));
    },
    getset: &WRAPPER_GETSET,
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: |vm, a| vm.generic_alias(&a[0], &a[1]),
        doc: "See PEP 585",
    }],
    doc: "Convert a function to be a static method.\n\nA static method does not receive an implicit first argument.",
    ..TypeSpec::EMPTY
};

fn classmethod_get(vm: &Vm, v: &Value, obj: Option<&Value>, owner: &Value) -> Res {
    let inner = static_inner(vm, v)?;
    let class = match obj {
        Some(o) if owner.is_none() => vm.type_of(o),
        _ => owner.clone(),
    };
    match inner.get::<Native>() {
        Some(n) if n.self_.is_unbound() => Ok(vm.bind_native(n, &class)),
        _ if inner.is_kind::<Function>() => Ok(vm.alloc(BoundMethod {
            func: inner,
            self_: class,
        })),
        _ => Ok(vm.alloc(BoundMethod {
            func: inner,
            self_: class,
        })),
    }
}

pub static CLASSMETHOD: TypeSpec = TypeSpec {
    name: "classmethod",
    kind: Kind::ClassMethod,
    flags: tflag::BASETYPE | tflag::DICT,
    slots: |s| {
        s.new = Some(|vm, class, args| {
            let f = one_arg(vm, "classmethod", args)?;
            Ok(vm.alloc_as(class, ClassMethod(f.clone())))
        });
        s.repr = Some(wrapper_repr);
        s.getattr = Some(wrapper_getattr);
        s.descr_get = Some(classmethod_get);
    },
    getset: &WRAPPER_GETSET,
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: |vm, a| vm.generic_alias(&a[0], &a[1]),
        doc: "See PEP 585",
    }],
    doc: "Convert a function to be a class method.\n\nA class method receives the class as implicit first argument,\njust like an instance method receives the instance.",
    ..TypeSpec::EMPTY
};
