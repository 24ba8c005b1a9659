//! `type`: what classes are instances of. Calling a class, its attributes, its own properties and methods.

use crate::builtins::object::{full_name, merge_class_names, module_of};
use crate::object::dict::Dict;
use crate::object::func::Function;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::seq::Tuple;
use crate::object::types::{BinOp, GetSet, GetSetDef, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::call::with_first;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

/// The type payload of a `self` that is known to be a type.
fn this<'a>(vm: &Vm, v: &'a Value) -> Res<&'a TypeObj> {
    vm.expect_type(v, "a type was expected")
}

fn own(vm: &Vm, t: &TypeObj, name: &Value) -> Option<Value> {
    t.dict.get::<Dict>().and_then(|d| vm.dict_get_str(d, name))
}

/// `C(...)`: `__new__`, then `__init__` if that gave an instance of C.
#[inline(never)]
pub fn type_call(vm: &Vm, class: &Value, args: Args) -> Res {
    let t = this(vm, class)?;
    if class.is(vm.kind_type(Kind::Type)) && args.all.len() == 1 && !args.has_keywords() {
        return Ok(vm.type_of(&args.all[0]));
    }
    if t.has(tflag::SIMPLE_NEW) {
        let init = t.init_fn.borrow().clone();
        let obj = vm.new_instance(t);
        let r = with_first(&obj, args, |args| vm.run_function(&init, args))?;
        if !r.is_none() {
            return Err(vm.type_error(format!(
                "__init__() should return None, not '{}'",
                vm.type_name(&r)
            )));
        }
        return Ok(obj);
    }
    let Some(new) = t.slots().new else {
        return Err(vm.type_error(format!(
            "cannot create '{}' instances",
            full_name(vm, class)
        )));
    };
    let obj = new(vm, class, args)?;
    if !vm.type_ref(&obj).is(class) && !vm.type_obj(&obj).is_subtype(class) {
        return Ok(obj);
    }
    if let Some(init) = vm.type_obj(&obj).slots().init {
        init(vm, &obj, args)?;
    }
    Ok(obj)
}

/// `type(obj)` or `type(name, bases, dict, **kwargs)`.
#[inline(never)]
pub fn type_new(vm: &Vm, meta: &Value, args: Args) -> Res {
    let pos = args.pos();
    if meta.is(vm.kind_type(Kind::Type)) && pos.len() == 1 && !args.has_keywords() {
        return Ok(vm.type_of(&pos[0]));
    }
    if pos.len() != 3 {
        return Err(
            if meta.is(vm.kind_type(Kind::Type)) && pos.len() != 1 || pos.len() == 1 {
                vm.type_error("type() takes 1 or 3 arguments")
            } else {
                vm.type_error(format!(
                    "type.__new__() takes exactly 3 arguments ({} given)",
                    pos.len()
                ))
            },
        );
    }
    if pos[0].as_str().is_none() {
        return Err(vm.type_error(format!(
            "type.__new__() argument 1 must be str, not {}",
            vm.type_name(&pos[0])
        )));
    }
    if !pos[1].is_kind::<Tuple>() {
        return Err(vm.type_error(format!(
            "type.__new__() argument 2 must be tuple, not {}",
            vm.type_name(&pos[1])
        )));
    }
    if !pos[2].is_kind::<Dict>() {
        return Err(vm.type_error(format!(
            "type.__new__() argument 3 must be dict, not {}",
            vm.type_name(&pos[2])
        )));
    }
    let kwargs: Vec<(Value, Value)> = args
        .keywords()
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    vm.type_new(meta, &pos[0], &pos[1], &pos[2], &kwargs)
}

#[inline(never)]
fn type_init(vm: &Vm, _: &Value, args: Args) -> Res<()> {
    let n = args.pos().len();
    if args.has_keywords() && n == 1 {
        return Err(vm.type_error("type.__init__() takes no keyword arguments"));
    }
    if n != 1 && n != 3 {
        return Err(vm.type_error("type.__init__() takes 1 or 3 arguments"));
    }
    Ok(())
}

fn type_repr(vm: &Vm, v: &Value) -> Res {
    Ok(vm.str(&format!("<class '{}'>", full_name(vm, v))))
}

fn type_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    match vm.type_lookup(v, name)? {
        Some(r) => Ok(r),
        None => Err(vm.no_attribute(v, name)),
    }
}

fn type_setattr(vm: &Vm, v: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    let text = name.as_str().unwrap_or("?");
    if !t.has(tflag::HEAP) {
        return Err(vm.type_error(format!(
            "cannot set '{text}' attribute of immutable type '{}'",
            t.name_str()
        )));
    }
    if let Some(f) = vm.find(vm.type_obj(v), name).map(|f| Value::clone(&f))
        && let Some(set) = vm.type_obj(&f).slots().descr_set
    {
        return set(vm, &f, v, value);
    }
    // A generation of functions that a method's name gains may be wrapped, as in a class body: no, only class bodies do that.
    if vm.set_type_attr(t, name, value) {
        Ok(())
    } else {
        Err(vm.no_attribute(v, name))
    }
}

/// `int | None`.
fn type_or(vm: &Vm, a: &Value, b: &Value) -> Res {
    vm.union_of(a, b)
}

impl Vm {
    /// `C.name` for a class: a data descriptor of the metaclass, the class and its bases, anything else of the metaclass.
    pub fn type_lookup(&self, class: &Value, name: &Value) -> Res<Option<Value>> {
        let Some(t) = class.get::<TypeObj>() else {
            return self.generic_lookup(class, name);
        };
        let meta = self.type_of(class);
        let in_meta = meta
            .get::<TypeObj>()
            .and_then(|m| self.find(m, name))
            .map(|f| Value::clone(&f));
        if let Some(f) = &in_meta
            && self.is_data_descriptor(f)
            && self.type_obj(f).slots().descr_get.is_some()
        {
            return self.bind_descriptor(f, Some(class), &meta).map(Some);
        }
        if let Some(f) = self.find(t, name).map(|f| Value::clone(&f)) {
            return self.bind_descriptor(&f, None, class).map(Some);
        }
        match in_meta {
            Some(f) => self.bind_descriptor(&f, Some(class), &meta).map(Some),
            None => Ok(None),
        }
    }
}

// ---- properties

fn immutable(vm: &Vm, t: &TypeObj, name: &str, value: Option<&Value>) -> Res<()> {
    if !t.has(tflag::HEAP) {
        return Err(vm.type_error(format!(
            "cannot set '{name}' attribute of immutable type '{}'",
            t.name_str()
        )));
    }
    if value.is_none() {
        return Err(vm.type_error(format!(
            "cannot delete '{name}' attribute of immutable type '{}'",
            t.name_str()
        )));
    }
    Ok(())
}

fn set_name(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__name__", value)?;
    let Some(value) = value else { return Ok(()) };
    if value.as_str().is_none() {
        return Err(vm.type_error(format!(
            "can only assign string to {}.__name__, not '{}'",
            t.name_str(),
            vm.type_name(value)
        )));
    }
    drop(t.name.replace(vm.intern_value(value)));
    Ok(())
}

fn set_qualname(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__qualname__", value)?;
    let Some(value) = value else { return Ok(()) };
    if value.as_str().is_none() {
        return Err(vm.type_error(format!(
            "can only assign string to {}.__qualname__, not '{}'",
            t.name_str(),
            vm.type_name(value)
        )));
    }
    drop(t.qualname.replace(value.clone()));
    Ok(())
}

fn get_module(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    match module_of(vm, t) {
        Some(m) => Ok(m),
        None if t.has(tflag::HEAP) => Err(vm.no_attribute(v, &vm.names.__module__)),
        None => Ok(vm.intern("builtins")),
    }
}

fn set_module(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__module__", value)?;
    vm.set_type_attr(t, &vm.names.__module__, value);
    Ok(())
}

fn get_doc(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    let Some(d) = own(vm, t, &vm.names.__doc__) else {
        return Ok(Value::NONE);
    };
    if d.is_kind::<GetSet>() {
        return Ok(vm.str(TYPE.doc));
    }
    vm.bind_descriptor(&d, None, v)
}

fn set_doc(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__doc__", value)?;
    vm.set_type_attr(t, &vm.names.__doc__, value);
    Ok(())
}

fn set_bases(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__bases__", value)?;
    let Some(new) = value else { return Ok(()) };
    if !new.is_kind::<Tuple>() {
        return Err(vm.type_error(format!(
            "can only assign tuple to {}.__bases__, not {}",
            t.name_str(),
            vm.type_name(new)
        )));
    }
    if tuple_items(new).is_empty() {
        return Err(vm.type_error(format!(
            "can only assign non-empty tuple to {}.__bases__, not ()",
            t.name_str()
        )));
    }
    for b in tuple_items(new) {
        let Some(bt) = b.get::<TypeObj>() else {
            return Err(vm.type_error(format!(
                "{}.__bases__ must be tuple of classes, not '{}'",
                t.name_str(),
                vm.type_name(b)
            )));
        };
        if bt.is_subtype(v) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    vm.replace_bases(v, t, new)
}

fn get_annotate(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    if !t.has(tflag::HEAP) {
        return Err(vm.no_attribute(v, &vm.names.__annotate__));
    }
    let found =
        own(vm, t, &vm.names.__annotate_func__).or_else(|| own(vm, t, &vm.names.__annotate__));
    match found {
        Some(f) => vm.bind_descriptor(&f, None, v),
        None => Ok(Value::NONE),
    }
}

fn set_annotate(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    let Some(f) = value else {
        return Err(vm.type_error("cannot delete __annotate__ attribute"));
    };
    immutable(vm, t, "__annotate__", value)?;
    if !f.is_none() && vm.type_obj(f).slots().call.is_none() && !f.is_kind::<Function>() {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    vm.set_type_attr(t, &vm.names.__annotate_func__, value);
    vm.set_type_attr(t, &vm.names.__annotations_cache__, None);
    Ok(())
}

fn get_annotations(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    if !t.has(tflag::HEAP) {
        return Err(vm.no_attribute(v, &vm.names.__annotations__));
    }
    if let Some(a) = own(vm, t, &vm.names.__annotations__)
        .or_else(|| own(vm, t, &vm.names.__annotations_cache__))
    {
        return vm.bind_descriptor(&a, None, v);
    }
    let annotate = get_annotate(vm, v)?;
    let a = vm.compute_annotations(&annotate)?;
    vm.set_type_attr(t, &vm.names.__annotations_cache__, Some(&a));
    Ok(a)
}

fn set_annotations(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    if !t.has(tflag::HEAP) {
        return Err(vm.type_error(format!(
            "cannot set '__annotations__' attribute of immutable type '{}'",
            t.name_str()
        )));
    }
    let had = vm.set_type_attr(t, &vm.names.__annotations_cache__, None);
    if value.is_some() {
        vm.set_type_attr(t, &vm.names.__annotations__, value);
    } else if !vm.set_type_attr(t, &vm.names.__annotations__, None) && !had {
        return Err(vm.attribute_error("__annotations__", v, &vm.names.__annotations__));
    }
    vm.set_type_attr(t, &vm.names.__annotate_func__, None);
    vm.set_type_attr(t, &vm.names.__annotate__, None);
    Ok(())
}

fn get_abstract(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    match own(vm, t, &vm.names.__abstractmethods__).filter(|a| !a.is_kind::<GetSet>()) {
        Some(a) => Ok(a),
        None => Err(vm.attribute_error("__abstractmethods__", v, &vm.names.__abstractmethods__)),
    }
}

fn set_abstract(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    let on = match value {
        Some(a) => vm.truth(a)?,
        None => false,
    };
    if !vm.set_type_attr(t, &vm.names.__abstractmethods__, value) {
        return Err(vm.attribute_error("__abstractmethods__", v, &vm.names.__abstractmethods__));
    }
    t.set_flag(tflag::ABSTRACT, on);
    let slots = *t.slots();
    vm.fill_flags(t, &slots);
    Ok(())
}

fn get_type_params(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    Ok(own(vm, t, &vm.names.__type_params__)
        .filter(|p| !p.is_kind::<GetSet>())
        .unwrap_or_else(|| vm.tuple(vec![])))
}

fn set_type_params(vm: &Vm, v: &Value, value: Option<&Value>) -> Res<()> {
    let t = this(vm, v)?;
    immutable(vm, t, "__type_params__", value)?;
    vm.set_type_attr(t, &vm.names.__type_params__, value);
    Ok(())
}

fn get_text_signature(vm: &Vm, v: &Value) -> Res {
    let _ = this(vm, v)?;
    Ok(Value::NONE)
}

/// CPython's flag bits, as far as scripts look at them.
fn get_flags(vm: &Vm, v: &Value) -> Res {
    let t = this(vm, v)?;
    let mut f = 1 << 12 | 1 << 18;
    for (bit, ours) in [
        (9, tflag::HEAP),
        (10, tflag::BASETYPE),
        (20, tflag::ABSTRACT),
        (5, tflag::SEQUENCE),
        (6, tflag::MAPPING),
    ] {
        f |= if t.has(ours) { 1i64 << bit } else { 0 };
    }
    Ok(vm.int(f))
}

// ---- methods

fn mro(vm: &Vm, a: &[Value]) -> Res {
    let t = this(vm, &a[0])?;
    let bases = t.bases.borrow().clone();
    let mut out = vec![a[0].clone()];
    out.extend(vm.c3_merge(tuple_items(&bases))?);
    Ok(vm.list(out))
}

fn subclasses(vm: &Vm, a: &[Value]) -> Res {
    let t = this(vm, &a[0])?;
    Ok(vm.list(vm.subclasses_of(t)))
}

fn instancecheck(vm: &Vm, a: &[Value]) -> Res {
    vm.plain_isinstance(&a[1], &a[0]).map(Value::bool)
}

fn subclasscheck(vm: &Vm, a: &[Value]) -> Res {
    vm.plain_issubclass(&a[1], &a[0]).map(Value::bool)
}

fn prepare(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.dict())
}

fn dir(vm: &Vm, a: &[Value]) -> Res {
    let names = vm.dict();
    if let Some(n) = names.get::<Dict>() {
        merge_class_names(vm, n, &a[0])?;
        return Ok(vm.list(n.keys()));
    }
    Ok(Value::NONE)
}

impl Vm {
    /// Calls an annotate function for the values of annotations; an empty dict if there is none.
    pub fn compute_annotations(&self, annotate: &Value) -> Res {
        if annotate.is_none() {
            return Ok(self.dict());
        }
        let r = self.call(annotate, &[Value::small_unchecked(1)])?;
        if r.is_kind::<Dict>() {
            Ok(r)
        } else {
            Err(self.type_error(format!(
                "__annotate__() must return a dict, not {}",
                self.type_name(&r)
            )))
        }
    }

    /// `C.__bases__ = new`: MRO and slots of the class and all below it are worked out again.
    fn replace_bases(&self, class: &Value, t: &TypeObj, new: &Value) -> Res<()> {
        let mro = self.c3_merge(tuple_items(new))?;
        let base = new_base(new);
        let layout = |v: &Value| {
            v.get::<TypeObj>().map(|b| {
                (
                    b.kind,
                    b.nslots.get(),
                    b.flags.get() & (tflag::DICT | tflag::WEAKREF),
                )
            })
        };
        let old_base = t.base.borrow().clone();
        let same = match (&old_base, &base) {
            (Some(o), Some(n)) => layout(o).map(|l| (l.0, l.1)) == layout(n).map(|l| (l.0, l.1)),
            _ => false,
        };
        if !same {
            return Err(self.type_error(format!(
                "__bases__ assignment: '{}' object layout differs from '{}'",
                base.as_ref()
                    .map(|b| self.class_name(b))
                    .unwrap_or_default(),
                old_base
                    .as_ref()
                    .map(|b| self.class_name(b))
                    .unwrap_or_default()
            )));
        }
        let me = class.bits();
        for b in tuple_items(&t.bases.borrow()) {
            if let Some(b) = b.get::<TypeObj>() {
                b.subclasses.borrow_mut().retain(|&s| s as u64 != me);
            }
        }
        for b in tuple_items(new) {
            if let Some(b) = b.get::<TypeObj>() {
                b.subclasses.borrow_mut().push(me as *const _);
            }
        }
        let mut full = vec![class.clone()];
        full.extend(mro);
        let old = (
            t.bases.replace(new.clone()),
            t.base.replace(base),
            t.mro.replace(self.tuple(full)),
        );
        self.renew_mro_below(t)?;
        self.type_modified(t);
        self.refill_slots(t);
        drop(old);
        Ok(())
    }

    fn renew_mro_below(&self, t: &TypeObj) -> Res<()> {
        for sub in self.subclasses_of(t) {
            let Some(s) = sub.get::<TypeObj>() else {
                continue;
            };
            let bases = s.bases.borrow().clone();
            let mut full = vec![sub.clone()];
            full.extend(self.c3_merge(tuple_items(&bases))?);
            let old = s.mro.replace(self.tuple(full));
            self.renew_mro_below(s)?;
            drop(old);
        }
        Ok(())
    }
}

/// The base that decides the layout: the one with the most specific payload.
fn new_base(bases: &Value) -> Option<Value> {
    let items = tuple_items(bases);
    let deepest = |v: &&Value| {
        v.get::<TypeObj>().map_or(0, |t| {
            (t.kind != Kind::Object) as u32 * 1000 + t.nslots.get()
        })
    };
    let best = items.iter().map(|v| deepest(&v)).max()?;
    items.iter().find(|v| deepest(v) == best).cloned()
}

/// The error text for `Exc` values that a script class lacks; kept here so that all of `type` is in one file.
pub fn no_such(vm: &Vm, class: &Value, name: &str) -> crate::vm::Raised {
    vm.error(
        Exc::AttributeError,
        format!(
            "type object '{}' has no attribute '{name}'",
            vm.class_name(class)
        ),
    )
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "type",
    kind: Kind::Type,
    flags: tflag::BASETYPE | tflag::METACLASS | tflag::WEAKREF,
    slots: |s| {
        s.repr = Some(type_repr);
        s.call = Some(type_call);
        s.getattr = Some(type_getattr);
        s.setattr = Some(type_setattr);
        s.new = Some(type_new);
        s.init = Some(type_init);
        s.binary[BinOp::Or as usize] = Some(type_or);
    },
    methods: &[
        NativeDef {
            sig: "mro(self, /)",
            f: mro,
            doc: "Return a type's method resolution order.",
        },
        NativeDef {
            sig: "__subclasses__(self, /)",
            f: subclasses,
            doc: "Return a list of immediate subclasses.",
        },
        NativeDef {
            sig: "__instancecheck__(self, instance, /)",
            f: instancecheck,
            doc: "Check if an object is an instance.",
        },
        NativeDef {
            sig: "__subclasscheck__(self, subclass, /)",
            f: subclasscheck,
            doc: "Check if a class is a subclass.",
        },
        NativeDef {
            sig: "__dir__(self, /)",
            f: dir,
            doc: "Specialized __dir__ implementation for types.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__prepare__(cls, /, *args, **kwargs)",
        f: prepare,
        doc: "Create the namespace for the class statement",
    }],
    getset: &[
        GetSetDef {
            name: "__name__",
            get: |vm, v| Ok(this(vm, v)?.name.borrow().clone()),
            set: Some(set_name),
            doc: "",
        },
        GetSetDef {
            name: "__qualname__",
            get: |vm, v| Ok(this(vm, v)?.qualname.borrow().clone()),
            set: Some(set_qualname),
            doc: "",
        },
        GetSetDef {
            name: "__bases__",
            get: |vm, v| Ok(this(vm, v)?.bases.borrow().clone()),
            set: Some(set_bases),
            doc: "",
        },
        GetSetDef {
            name: "__base__",
            get: |vm, v| Ok(this(vm, v)?.base.borrow().clone().unwrap_or(Value::NONE)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__mro__",
            get: |vm, v| Ok(this(vm, v)?.mro.borrow().clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__dict__",
            get: |vm, v| Ok(vm.mapping_proxy(&this(vm, v)?.dict)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__module__",
            get: get_module,
            set: Some(set_module),
            doc: "",
        },
        GetSetDef {
            name: "__doc__",
            get: get_doc,
            set: Some(set_doc),
            doc: "",
        },
        GetSetDef {
            name: "__annotate__",
            get: get_annotate,
            set: Some(set_annotate),
            doc: "",
        },
        GetSetDef {
            name: "__annotations__",
            get: get_annotations,
            set: Some(set_annotations),
            doc: "",
        },
        GetSetDef {
            name: "__abstractmethods__",
            get: get_abstract,
            set: Some(set_abstract),
            doc: "",
        },
        GetSetDef {
            name: "__type_params__",
            get: get_type_params,
            set: Some(set_type_params),
            doc: "",
        },
        GetSetDef {
            name: "__text_signature__",
            get: get_text_signature,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__flags__",
            get: get_flags,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__basicsize__",
            get: |vm, v| Ok(vm.usize(vm.heap.info(this(vm, v)?.kind).size)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__itemsize__",
            get: |vm, _| Ok(vm.int(0)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__dictoffset__",
            get: |vm, v| Ok(vm.int(if this(vm, v)?.has(tflag::DICT) { -1 } else { 0 })),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__weakrefoffset__",
            get: |vm, v| {
                Ok(vm.int(if this(vm, v)?.has(tflag::WEAKREF) {
                    -1
                } else {
                    0
                }))
            },
            set: None,
            doc: "",
        },
    ],
    doc: "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    ..TypeSpec::EMPTY
};
