//! `object`: the base of all classes, its default methods, and the `__dict__` and `__weakref__` attributes that classes add.

use crate::object::dict::Dict;
use crate::object::func::Object;
use crate::object::header::{Kind, flag};
use crate::object::instance::get_slot;
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{CmpOp, GetSetDef, SlotDescr, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};

/// `<module.Class object at 0x...>`.
#[inline(never)]
pub fn object_repr(vm: &Vm, v: &Value) -> Res {
    let name = full_name(vm, vm.type_ref(v));
    Ok(vm.str(&format!("<{name} object at {:#x}>", v.id())))
}

/// A class's name with its module, except for builtins.
pub fn full_name(vm: &Vm, class: &Value) -> String {
    let Some(t) = class.get::<TypeObj>() else {
        return vm.type_name(class);
    };
    let qualname = t.qualname.borrow().as_str().unwrap_or("?").to_string();
    match module_of(vm, t).as_ref().and_then(Value::as_str) {
        Some(m) if m != "builtins" => format!("{m}.{qualname}"),
        _ => qualname,
    }
}

/// A class's `__module__`, as its own dict has it.
pub fn module_of(vm: &Vm, t: &TypeObj) -> Option<Value> {
    t.dict
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &vm.names.__module__))
}

#[inline(never)]
pub fn object_str(vm: &Vm, v: &Value) -> Res {
    vm.repr(v)
}

/// By identity.
#[inline(never)]
pub fn object_hash(_: &Vm, v: &Value) -> Res<i64> {
    let h = v.id().rotate_right(4) as i64;
    Ok(if h == -1 { -2 } else { h })
}

/// `==` is identity; `!=` is the opposite of whatever `==` says.
#[inline(never)]
pub fn object_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    match op {
        CmpOp::Eq => Ok(if a.is(b) {
            Value::TRUE
        } else {
            Value::NOT_IMPLEMENTED
        }),
        CmpOp::Ne => {
            let Some(f) = vm.type_obj(a).slots().cmp else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let r = f(vm, a, b, CmpOp::Eq)?;
            if r.is_not_implemented() {
                Ok(r)
            } else {
                Ok(Value::bool(!vm.truth(&r)?))
            }
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

#[inline(never)]
pub fn object_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    vm.generic_getattr(v, name)
}

#[inline(never)]
pub fn object_setattr(vm: &Vm, v: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
    vm.generic_setattr(v, name, value)
}

/// `object.__new__`. Arguments are an error unless the class has an `__init__` for them.
#[inline(never)]
pub fn object_new(vm: &Vm, class: &Value, args: Args) -> Res {
    let t = vm.expect_type(class, "object.__new__(X): X is not a type object")?;
    if !args.all.is_empty() {
        let s = t.slots();
        if s.new.map(|f| f as usize) != Some(object_new as *const () as usize) {
            return Err(vm.type_error(
                "object.__new__() takes exactly one argument (the type to instantiate)",
            ));
        }
        if s.init.map(|f| f as usize) == Some(object_init as *const () as usize) {
            return Err(vm.type_error(format!("{}() takes no arguments", t.name_str())));
        }
    }
    if t.has(tflag::ABSTRACT) {
        return Err(vm.abstract_error(class));
    }
    if t.has(tflag::HEAP) {
        Ok(vm.new_instance(t))
    } else {
        Ok(vm.alloc_as(class, Object))
    }
}

/// `object.__init__`.
#[inline(never)]
pub fn object_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    if args.all.is_empty() {
        return Ok(());
    }
    let t = vm.type_obj(v);
    let s = t.slots();
    if s.init.map(|f| f as usize) != Some(object_init as *const () as usize) {
        return Err(vm.type_error(
            "object.__init__() takes exactly one argument (the instance to initialize)",
        ));
    }
    if s.new.map(|f| f as usize) == Some(object_new as *const () as usize) {
        return Err(vm.type_error(format!(
            "{}.__init__() takes exactly one argument (the instance to initialize)",
            t.name_str()
        )));
    }
    Ok(())
}

fn object_format(vm: &Vm, a: &[Value]) -> Res {
    let Some(spec) = a[1].as_str() else {
        return Err(vm.wrong_type("__format__() argument", "str", &a[1]));
    };
    if !spec.is_empty() {
        return Err(vm.type_error(format!(
            "unsupported format string passed to {}.__format__",
            vm.type_name(&a[0])
        )));
    }
    vm.str_of(&a[0])
}

/// Names of a class and its bases, into a dict used as an ordered set.
pub fn merge_class_names(vm: &Vm, names: &Dict, class: &Value) -> Res<()> {
    let Some(t) = class.get::<TypeObj>() else {
        return Ok(());
    };
    let mro = t.mro.borrow().clone();
    for c in tuple_items(&mro).iter().rev() {
        if let Some(d) = c.get::<TypeObj>().and_then(|c| c.dict.get::<Dict>()) {
            for k in d.keys() {
                vm.dict_set(names, k, Value::NONE)?;
            }
        }
    }
    Ok(())
}

fn object_dir(vm: &Vm, a: &[Value]) -> Res {
    let names = vm.dict();
    let Some(n) = names.get::<Dict>() else {
        return Ok(Value::NONE);
    };
    if let Some(d) = vm.getattr_opt(&a[0], &vm.names.__dict__)?
        && let Some(d) = d.get::<Dict>()
    {
        for k in d.keys() {
            vm.dict_set(n, k, Value::NONE)?;
        }
    }
    if let Some(class) = vm.getattr_opt(&a[0], &vm.names.__class__)? {
        merge_class_names(vm, n, &class)?;
    }
    Ok(vm.list(n.keys()))
}

fn object_sizeof(vm: &Vm, a: &[Value]) -> Res {
    let size = match a[0].header() {
        Some(h) => {
            vm.heap.info(h.kind).size
                + if h.flags.get() & flag::SLOTS != 0 {
                    8 + h.aux.get() as usize * 8
                } else {
                    0
                }
        }
        None => 8,
    };
    Ok(vm.usize(size))
}

/// The values of `__slots__` attributes of all classes in the MRO, as a dict; None if there are none.
fn slot_state(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let out = vm.dict();
    let Some(d) = out.get::<Dict>() else {
        return Ok(None);
    };
    let mro = vm.type_obj(v).mro.borrow().clone();
    for c in tuple_items(&mro) {
        let items = c
            .get::<TypeObj>()
            .and_then(|t| t.dict.get::<Dict>())
            .map_or(vec![], Dict::items);
        for (_, x) in items {
            if let Some(s) = x.get::<SlotDescr>() {
                let value = get_slot(&vm.heap, v, s.slot);
                if !value.is_unbound() {
                    vm.dict_set_str(d, &s.name, value);
                }
            }
        }
    }
    Ok(if d.is_empty() { None } else { Some(out) })
}

/// `object.__getstate__`: a copy of the dict, with the slots beside it if there are any.
fn object_getstate(vm: &Vm, a: &[Value]) -> Res {
    let dict = match vm.instance_dict(&a[0])? {
        Some(d) => match d.get::<Dict>() {
            Some(d) if !d.is_empty() => vm.alloc(d.copy()),
            _ => Value::NONE,
        },
        None => Value::NONE,
    };
    Ok(match slot_state(vm, &a[0])? {
        Some(slots) => vm.pair(dict, slots),
        None => dict,
    })
}

fn object_reduce(vm: &Vm, a: &[Value]) -> Res {
    vm.import_call("copyreg", "_reduce_ex", &[a[0].clone(), vm.int(0)])
}

fn object_reduce_ex(vm: &Vm, a: &[Value]) -> Res {
    let me = &a[0];
    let own = vm.lookup_special(me, &vm.names.__reduce__);
    let plain = vm.lookup_type_attr(vm.kind_type(Kind::Object), &vm.names.__reduce__);
    if let (Some(o), Some(p)) = (&own, &plain)
        && !o.is(p)
    {
        let f = vm.getattr(me, &vm.names.__reduce__)?;
        return vm.call(&f, &[]);
    }
    let protocol = vm.as_i64(&a[1], "int")?;
    if protocol < 2 {
        return vm.import_call("copyreg", "_reduce_ex", &[me.clone(), a[1].clone()]);
    }
    reduce_newobj(vm, me)
}

/// The protocol 2 form: `copyreg.__newobj__(cls, *args)`, state, list items, dict items.
fn reduce_newobj(vm: &Vm, me: &Value) -> Res {
    let class = vm.getattr(me, &vm.names.__class__)?;
    let (mut args, mut kwargs) = (vec![], None);
    if let Some(f) = vm.getattr_opt(me, &vm.intern("__getnewargs_ex__"))? {
        let r = vm.call(&f, &[])?;
        let items = tuple_items(&r);
        if items.len() != 2 {
            return Err(vm.type_error(format!(
                "__getnewargs_ex__ should return a tuple, not '{}'",
                vm.type_name(&r)
            )));
        }
        args = vm.collect(&items[0])?;
        kwargs = Some(items[1].clone()).filter(|k| k.get::<Dict>().is_some_and(|d| !d.is_empty()));
    } else if let Some(f) = vm.getattr_opt(me, &vm.intern("__getnewargs__"))? {
        args = vm.collect(&vm.call(&f, &[])?)?;
    }
    let copyreg = vm.import_module("copyreg")?;
    let (maker, call_args) = match kwargs {
        Some(k) => (
            vm.getattr_str(&copyreg, "__newobj_ex__")?,
            vm.tuple(vec![class, vm.tuple(args), k]),
        ),
        None => {
            args.insert(0, class);
            (vm.getattr_str(&copyreg, "__newobj__")?, vm.tuple(args))
        }
    };
    let getstate = vm.getattr(me, &vm.names.__getstate__)?;
    let state = vm.call(&getstate, &[])?;
    let list_items = if me.kind() == Kind::List {
        vm.iter(me)?
    } else {
        Value::NONE
    };
    let dict_items = if me.kind() == Kind::Dict {
        vm.iter(&vm.call_method(me, &vm.names.items, &[])?)?
    } else {
        Value::NONE
    };
    Ok(vm.tuple(vec![maker, call_args, state, list_items, dict_items]))
}

fn init_subclass(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::NONE)
}

fn subclasshook(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::NOT_IMPLEMENTED)
}

fn get_class(vm: &Vm, v: &Value) -> Res {
    Ok(vm.type_of(v))
}

fn set_class(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let Some(new) = new else {
        return Err(vm.type_error("can't delete __class__ attribute"));
    };
    vm.assign_class(v, new)
}

fn get_dict(vm: &Vm, v: &Value) -> Res {
    match vm.instance_dict(v)? {
        Some(d) => Ok(d),
        None => Err(vm.no_attribute(v, &vm.names.__dict__)),
    }
}

fn set_dict(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    match new {
        Some(d) => vm.set_instance_dict(v, d),
        None => vm.set_instance_dict(v, &vm.dict()),
    }
}

/// `__dict__` of classes whose instances have one.
pub static DICT_GETSET: GetSetDef = DICT_GETSET_CONST;
/// The same, to stand in tables.
pub const DICT_GETSET_CONST: GetSetDef = GetSetDef {
    name: "__dict__",
    get: get_dict,
    set: Some(set_dict),
    doc: "dictionary for instance variables",
};

/// `__weakref__`: the first weak reference to the object.
pub static WEAKREF_GETSET: GetSetDef = GetSetDef {
    name: "__weakref__",
    get: |vm, v| {
        Ok(vm
            .heap
            .weak_refs(v)
            .into_iter()
            .next()
            .unwrap_or(Value::NONE))
    },
    set: None,
    doc: "list of weak references to the object",
};

impl Vm {
    /// `obj.__class__ = new`.
    pub fn assign_class(&self, obj: &Value, new: &Value) -> Res<()> {
        let Some(n) = new.get::<TypeObj>() else {
            return Err(self.type_error(format!(
                "__class__ must be set to a class, not '{}' object",
                self.type_name(new)
            )));
        };
        let old = self.type_of(obj);
        let Some(o) = old.get::<TypeObj>() else {
            return Ok(());
        };
        if !o.has(tflag::HEAP) || !n.has(tflag::HEAP) {
            return Err(self.type_error(
                "__class__ assignment only supported for mutable types or ModuleType subclasses",
            ));
        }
        let layout = |t: &TypeObj| {
            (
                t.kind,
                t.nslots.get(),
                t.flags.get() & (tflag::DICT | tflag::WEAKREF),
            )
        };
        if layout(o) != layout(n) {
            return Err(self.layout_differs(&old, new));
        }
        self.change_type(obj, n);
        drop(old);
        Ok(())
    }

    fn layout_differs(&self, old: &Value, new: &Value) -> Raised {
        self.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            self.class_name(new),
            self.class_name(old)
        ))
    }
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "object",
    kind: Kind::Object,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.repr = Some(object_repr);
        s.str = Some(object_str);
        s.hash = Some(object_hash);
        s.cmp = Some(object_cmp);
        s.getattr = Some(object_getattr);
        s.setattr = Some(object_setattr);
        s.new = Some(object_new);
        s.init = Some(object_init);
    },
    methods: &[
        NativeDef {
            sig: "__format__(self, format_spec, /)",
            f: object_format,
            doc: "Default object formatter.\n\nReturn str(self) if format_spec is empty. Raise TypeError otherwise.",
        },
        NativeDef {
            sig: "__dir__(self, /)",
            f: object_dir,
            doc: "Default dir() implementation.",
        },
        NativeDef {
            sig: "__sizeof__(self, /)",
            f: object_sizeof,
            doc: "Size of object in memory, in bytes.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: object_reduce,
            doc: "Helper for pickle.",
        },
        NativeDef {
            sig: "__reduce_ex__(self, protocol, /)",
            f: object_reduce_ex,
            doc: "Helper for pickle.",
        },
        NativeDef {
            sig: "__getstate__(self, /)",
            f: object_getstate,
            doc: "Helper for pickle.",
        },
    ],
    class_methods: &[
        NativeDef {
            sig: "__init_subclass__(cls, /)",
            f: init_subclass,
            doc: "This method is called when a class is subclassed.\n\nThe default implementation does nothing. It may be\noverridden to extend subclasses.",
        },
        NativeDef {
            sig: "__subclasshook__(cls, subclass, /)",
            f: subclasshook,
            doc: "Abstract classes can override this to customize issubclass().\n\nThis is invoked early on by abc.ABCMeta.__subclasscheck__().\nIt should return True, False or NotImplemented.  If it returns\nNotImplemented, the normal algorithm is used.  Otherwise, it\noverrides the normal algorithm (and the outcome is cached).",
        },
    ],
    getset: &[GetSetDef {
        name: "__class__",
        get: get_class,
        set: Some(set_class),
        doc: "the object's class",
    }],
    doc: "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n",
    ..TypeSpec::EMPTY
};
