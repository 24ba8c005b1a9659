//! Types: making native ones from their specs, allocating instances, the method resolution order, what happens when a class changes, and
//! `isinstance`/`issubclass`. (`class_make` makes classes for scripts.)
//!
//! Rules:
//! 1. A type's dict changes only through `set_type_attr` (or before the type is first used): it renews the version and the shape ids, on which
//!    all caches stand.
//! 2. Native types cannot be changed by scripts, so their slots never change after `new_type`.

#![allow(unsafe_code)]

use super::slot_wrappers::{ROWS, Special, is_filled};
use super::{Raised, Res, Vm};
use crate::object::dict::Dict;
use crate::object::func::{ClassMethod, StaticMethod};
use crate::object::header::{Kind, Obj, Payload};
use crate::object::heap::Heap;
use crate::object::instance::alloc_instance;
use crate::object::native::{Args, Native, NativeDef, tuple_items};
use crate::object::seq::Tuple;
use crate::object::shape::Shape;
use crate::object::str::Str;
use crate::object::types::{GetSet, GetSetDef, Slots, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use std::cell::{Cell, RefCell};

/// Flags that a type has from its base.
pub const INHERITED: u32 = tflag::DICT
    | tflag::WEAKREF
    | tflag::SEQUENCE
    | tflag::MAPPING
    | tflag::MATCH_SELF
    | tflag::METACLASS;

/// `__new__` of native types, bound to the type. `native_call` knows it by its address, so the signature is for show.
pub static NEW_DEF: NativeDef = NativeDef {
    sig: "__new__(self, /, *args, **kwargs)",
    f: |vm, _| Err(vm.type_error("__new__ needs its arguments as they came")),
    doc: "Create and return a new object.  See help(type) for accurate signature.",
};

/// True for the `__new__` of a native type.
pub fn is_native_new(n: &Native) -> bool {
    std::ptr::eq(n.def, &NEW_DEF)
}

/// What a native type is made of, as far as it differs from "nothing".
pub struct Parts<'a> {
    pub name: &'a str,
    pub module: Option<&'a str>,
    /// Unbound for object itself.
    pub base: Value,
    pub kind: Kind,
    pub flags: u32,
    pub slots: fn(&mut Slots),
    pub methods: &'static [NativeDef],
    pub class_methods: &'static [NativeDef],
    pub static_methods: &'static [NativeDef],
    pub getset: &'static [GetSetDef],
    pub doc: &'static str,
}

impl Vm {
    // ---- native types

    /// Makes a native type. The first type made for a kind becomes the type of that kind.
    pub fn new_type(&self, spec: &'static TypeSpec, module: Option<&str>) -> Value {
        let (in_name, name) = match spec.name.rsplit_once('.') {
            Some((m, n)) => (Some(m), n),
            None => (None, spec.name),
        };
        let base = match spec.base {
            Some(k) => self.kind_type(k).clone(),
            None => self.kind_type(Kind::Object).clone(),
        };
        let ty = self.make_native_type(Parts {
            name,
            module: module.or(in_name),
            base,
            kind: spec.kind,
            flags: spec.flags,
            slots: spec.slots,
            methods: spec.methods,
            class_methods: spec.class_methods,
            static_methods: spec.static_methods,
            getset: spec.getset,
            doc: spec.doc,
        });
        if self.kind_type(spec.kind).is_unbound() {
            self.set_kind_type(spec.kind, ty.clone());
        }
        ty
    }

    /// Makes a native type from its parts.
    pub fn make_native_type(&self, p: Parts) -> Value {
        let base = p.base.get::<TypeObj>();
        let mut own = Slots::default();
        (p.slots)(&mut own);
        let mut slots = base.map_or_else(Slots::default, |b| *b.slots());
        if own.cmp.is_some() && own.hash.is_none() {
            own.hash = Some(super::slots::unhashable);
        }
        (p.slots)(&mut slots);
        if own.cmp.is_some() {
            slots.hash = own.hash;
        }
        // Only what says how can be instantiated; `object.__new__` would make an object without a payload.
        if own.new.is_none() && p.kind != Kind::Object {
            slots.new = slots.new.filter(|_| base.is_some_and(|b| b.kind == p.kind));
        }
        let name = self.intern(p.name);
        let flags = p.flags | base.map_or(0, |b| b.flags.get() & INHERITED);
        let ty = self.alloc(TypeObj {
            name: RefCell::new(name.clone()),
            qualname: RefCell::new(name),
            dict: self.dict(),
            bases: RefCell::new(if base.is_some() {
                self.tuple(vec![p.base.clone()])
            } else {
                self.tuple(vec![])
            }),
            mro: RefCell::new(Value::UNBOUND),
            base: RefCell::new(base.map(|_| p.base.clone())),
            kind: p.kind,
            flags: Cell::new(flags),
            slots: RefCell::new(slots),
            root_shape: Cell::new(std::ptr::null()),
            dict_shape: Cell::new(std::ptr::null()),
            shapes: RefCell::new(Vec::new()),
            nslots: Cell::new(0),
            slot_hint: Cell::new(0),
            version: Cell::new(self.type_state.fresh_version()),
            subclasses: RefCell::new(Vec::new()),
            init_fn: RefCell::new(Value::UNBOUND),
        });
        let Some(t) = ty.get::<TypeObj>() else {
            return ty;
        };
        let mut mro = vec![ty.clone()];
        if let Some(b) = base {
            mro.extend_from_slice(tuple_items(&b.mro.borrow()));
        }
        t.mro.replace(self.tuple(mro));
        self.link_type(&ty, t);
        self.fill_native_dict(&ty, t, &p, &own);
        let object_slots = if base.is_some() {
            self.kind_type(Kind::Object)
                .get::<TypeObj>()
                .map(|o| *o.slots())
        } else {
            Some(slots)
        };
        if let Some(o) = object_slots {
            t.set_flag(
                tflag::PLAIN_GETATTR,
                slots.getattr.map(|f| f as usize) == o.getattr.map(|f| f as usize),
            );
            t.set_flag(
                tflag::PLAIN_SETATTR,
                slots.setattr.map(|f| f as usize) == o.setattr.map(|f| f as usize),
            );
        }
        ty
    }

    /// Gives a new type its root shape and tells its bases of it.
    pub fn link_type(&self, ty: &Value, t: &TypeObj) {
        let me = ty.bits() as *const Obj<TypeObj>;
        let root = Shape::root(me, self.fresh_shape_id(), t.nslots.get(), false);
        t.root_shape.set(&*root);
        t.shapes.borrow_mut().push(root);
        for b in tuple_items(&t.bases.borrow()) {
            if let Some(b) = b.get::<TypeObj>() {
                b.subclasses.borrow_mut().push(me);
            }
        }
    }

    fn fill_native_dict(&self, ty: &Value, t: &TypeObj, p: &Parts, own: &Slots) {
        let Some(d) = t.dict.get::<Dict>() else {
            return;
        };
        let set = |name: &str, v: Value| self.dict_set_str(d, &self.intern(name), v);
        set(
            "__doc__",
            if p.doc.is_empty() {
                Value::NONE
            } else {
                self.str(p.doc)
            },
        );
        for row in ROWS.iter() {
            if !is_filled(own, row.special) || row.special == Special::Del {
                continue;
            }
            match row.special {
                Special::New => set(
                    row.name,
                    self.new_native(&NEW_DEF, ty.clone(), Value::UNBOUND, Value::UNBOUND),
                ),
                Special::Hash
                    if own.hash.map(|f| f as usize)
                        == Some(super::slots::unhashable as *const () as usize) =>
                {
                    set(row.name, Value::NONE)
                }
                // Concatenation has no reflected form.
                Special::Reflected(crate::object::types::BinOp::Add)
                    if is_sequence_kind(p.kind) => {}
                _ => set(row.name, self.new_slot_wrapper(row, ty)),
            }
        }
        for def in p.methods {
            set(
                def.name(),
                self.new_native(def, Value::UNBOUND, ty.clone(), Value::UNBOUND),
            );
        }
        for def in p.class_methods {
            let f = self.new_native(def, Value::UNBOUND, Value::UNBOUND, Value::UNBOUND);
            set(def.name(), self.alloc(ClassMethod(f)));
        }
        for def in p.static_methods {
            let f = self.new_native(def, Value::UNBOUND, Value::UNBOUND, Value::UNBOUND);
            set(def.name(), self.alloc(StaticMethod(f)));
        }
        let base_flags = p.base.get::<TypeObj>().map_or(0, |b| b.flags.get());
        if p.flags & tflag::DICT & !base_flags != 0 {
            set(
                "__dict__",
                self.alloc(GetSet {
                    def: &crate::builtins::object::DICT_GETSET,
                    owner: ty.clone(),
                }),
            );
        }
        for def in p.getset {
            set(
                def.name,
                self.alloc(GetSet {
                    def,
                    owner: ty.clone(),
                }),
            );
        }
        if let Some(m) = p.module {
            set("__module__", self.intern(m));
        }
    }

    /// Adds or replaces a method of a native type, at start-up.
    pub fn add_method(&self, ty: &Value, def: &'static NativeDef) {
        if let Some(t) = ty.get::<TypeObj>()
            && let Some(d) = t.dict.get::<Dict>()
        {
            self.dict_set_str(
                d,
                &self.intern(def.name()),
                self.new_native(def, Value::UNBOUND, ty.clone(), Value::UNBOUND),
            );
            self.type_modified(t);
        }
    }

    // ---- instances

    /// Allocates an instance of `class`, which is the payload's native type or derives from it.
    #[inline]
    pub fn alloc_as<T: Payload>(&self, class: &Value, data: T) -> Value {
        let Some(t) = class.get::<TypeObj>() else {
            return self.alloc(data);
        };
        if !t.has(tflag::HEAP | tflag::DICT) {
            return self.heap.alloc(t.root_shape.get(), data, 0);
        }
        // SAFETY: payloads with tails of their own are made by `tuple_as` and `str_as`.
        let v =
            unsafe { alloc_instance(&self.heap, t.root_shape.get(), data, 0, t.slot_hint.get()) };
        if t.slots().del.is_some() {
            Heap::set_finalize(&v, true);
        }
        v
    }

    /// A new instance of a plain script class (payload `Object`), without `__new__` or `__init__`.
    #[inline]
    pub fn new_instance(&self, t: &TypeObj) -> Value {
        // SAFETY: the payload has no tail of its own.
        let v = unsafe {
            alloc_instance(
                &self.heap,
                t.root_shape.get(),
                crate::object::func::Object,
                0,
                t.slot_hint.get(),
            )
        };
        if t.slots().del.is_some() {
            Heap::set_finalize(&v, true);
        }
        v
    }

    /// The type object that a payload belongs to.
    pub fn type_value(&self, t: &TypeObj) -> Value {
        let address = t as *const TypeObj as usize - std::mem::offset_of!(Obj<TypeObj>, data);
        // SAFETY: every TypeObj sits in an Obj behind its header; a new count is taken.
        unsafe {
            let h = &(*(address as *const Obj<TypeObj>)).header;
            h.count.set(h.count.get() + 1);
            Value::from_bits(address as u64)
        }
    }

    /// A tuple of class `class` (tuple or a subclass).
    pub fn tuple_as(&self, class: &Value, items: Vec<Value>) -> Value {
        match class.get::<TypeObj>() {
            Some(t) if t.has(tflag::HEAP) => {
                let v = Tuple::alloc_with_slots(
                    &self.heap,
                    t.root_shape.get(),
                    items.into_iter(),
                    t.slot_hint.get(),
                );
                Heap::set_finalize(&v, t.slots().del.is_some());
                v
            }
            Some(t) if !class.is(self.kind_type(Kind::Tuple)) => {
                Tuple::alloc(&self.heap, t.root_shape.get(), items.into_iter())
            }
            _ => self.tuple(items),
        }
    }

    /// A str of class `class` (str or a subclass).
    pub fn str_as(&self, class: &Value, text: &str) -> Value {
        match class.get::<TypeObj>() {
            Some(t) if t.has(tflag::HEAP) => {
                let chars = if text.is_ascii() {
                    text.len()
                } else {
                    text.chars().count()
                };
                let v = Str::alloc_with_slots(
                    &self.heap,
                    t.root_shape.get(),
                    text,
                    chars,
                    t.slot_hint.get(),
                );
                Heap::set_finalize(&v, t.slots().del.is_some());
                v
            }
            _ => self.str(text),
        }
    }

    /// Moves an instance to another class of the same layout.
    pub fn change_type(&self, obj: &Value, new: &TypeObj) {
        let Some(h) = obj.header() else { return };
        let me = self.type_value(new);
        let shape = if new.has(tflag::DICT) && !matches!(h.kind, Kind::Module | Kind::Type) {
            // Attribute slots follow the old class's shapes, so the attributes go to a dict.
            drop(self.dict_mode(obj));
            self.dict_shape(new, me.bits() as *const Obj<TypeObj>)
        } else {
            new.root_shape.get()
        };
        let old = self.type_of(obj);
        h.shape.set(shape);
        if h.flags.get() & crate::object::header::flag::SLOTS != 0 {
            // The instance owns a reference to its class: the old one is given up for the new.
            std::mem::forget(me);
            // SAFETY: that reference to the old class was the instance's; `old` is one more.
            unsafe { drop(Value::from_bits(old.bits())) };
        }
        Heap::set_finalize(obj, new.slots().del.is_some());
    }

    // ---- changes

    /// Renews everything that caches know of a type and of its subclasses.
    pub fn type_modified(&self, t: &TypeObj) {
        t.version.set(self.type_state.fresh_version());
        for s in t.shapes.borrow().iter() {
            s.id.set(self.fresh_shape_id());
        }
        for sub in self.subclasses_of(t) {
            if let Some(s) = sub.get::<TypeObj>() {
                self.type_modified(s);
            }
        }
    }

    /// The direct subclasses that are alive.
    pub fn subclasses_of(&self, t: &TypeObj) -> Vec<Value> {
        t.subclasses
            .borrow()
            .iter()
            .filter_map(|&p| {
                // SAFETY: a type leaves its bases' lists when it dies; one whose count is 0 is about to.
                unsafe {
                    let count = &(*p).header.count;
                    if count.get() == 0 {
                        return None;
                    }
                    count.set(count.get() + 1);
                    Some(Value::from_bits(p as u64))
                }
            })
            .collect()
    }

    /// Sets (or deletes) an entry of a script class's dict and keeps slots and caches right. False if there was nothing to delete.
    pub fn set_type_attr(&self, t: &TypeObj, name: &Value, value: Option<&Value>) -> bool {
        let Some(d) = t.dict.get::<Dict>() else {
            return false;
        };
        // The old value outlives the caches that borrow it.
        let old = self.dict_get_str(d, name);
        match value {
            Some(v) => self.dict_set_str(d, name, v.clone()),
            None => {
                if self.dict_del_str(d, name).is_none() {
                    return false;
                }
            }
        }
        self.type_modified(t);
        if name.as_str().is_some_and(|n| self.feeds_slot(n)) {
            self.refill_slots(t);
        }
        drop(old);
        true
    }

    /// Works out the slots of a script class and of its subclasses again.
    pub fn refill_slots(&self, t: &TypeObj) {
        if t.has(tflag::HEAP) {
            self.fill_slots(t);
        }
        for sub in self.subclasses_of(t) {
            if let Some(s) = sub.get::<TypeObj>() {
                self.refill_slots(s);
            }
        }
    }

    // ---- method resolution order

    /// The C3 linearisation for a class with these bases (the class itself goes in front).
    pub fn c3_merge(&self, bases: &[Value]) -> Res<Vec<Value>> {
        if let [only] = bases
            && let Some(b) = only.get::<TypeObj>()
        {
            return Ok(tuple_items(&b.mro.borrow()).to_vec());
        }
        for (i, b) in bases.iter().enumerate() {
            if bases[..i].iter().any(|x| x.is(b)) {
                return Err(self.type_error(format!("duplicate base class {}", self.class_name(b))));
            }
        }
        let mut lists: Vec<Vec<Value>> = bases
            .iter()
            .map(|b| {
                b.get::<TypeObj>()
                    .map_or(vec![], |t| tuple_items(&t.mro.borrow()).to_vec())
            })
            .collect();
        lists.push(bases.to_vec());
        let mut heads = vec![0usize; lists.len()];
        let mut out = Vec::new();
        loop {
            if lists.iter().zip(&heads).all(|(l, &h)| h >= l.len()) {
                return Ok(out);
            }
            let good = lists.iter().zip(&heads).find_map(|(l, &h)| {
                let candidate = l.get(h)?;
                let in_tail = lists
                    .iter()
                    .zip(&heads)
                    .any(|(m, &k)| m.iter().skip(k + 1).any(|x| x.is(candidate)));
                (!in_tail).then(|| candidate.clone())
            });
            let Some(next) = good else {
                let mut left: Vec<String> = Vec::new();
                for (l, &h) in lists.iter().zip(&heads) {
                    if let Some(b) = l.get(h) {
                        let n = self.class_name(b);
                        if !left.contains(&n) {
                            left.push(n);
                        }
                    }
                }
                return Err(self.type_error(format!(
                    "Cannot create a consistent method resolution order (MRO) for bases {}",
                    left.join(", ")
                )));
            };
            for (l, h) in lists.iter().zip(heads.iter_mut()) {
                if l.get(*h).is_some_and(|x| x.is(&next)) {
                    *h += 1;
                }
            }
            out.push(next);
        }
    }

    /// A class's name, for messages.
    pub fn class_name(&self, class: &Value) -> String {
        match class.get::<TypeObj>() {
            Some(t) => t.name_str(),
            None => self.type_name(class),
        }
    }

    // ---- isinstance, issubclass

    /// `isinstance(v, class)`: class, tuple of classes, union, or anything with `__instancecheck__`.
    pub fn isinstance(&self, v: &Value, class: &Value) -> Res<bool> {
        if self.type_ref(v).is(class) {
            return Ok(true);
        }
        if self.type_ref(class).is(self.kind_type(Kind::Type)) {
            return self.plain_isinstance(v, class);
        }
        if let Some(t) = class.get::<Tuple>() {
            self.check_native_stack()?;
            for c in t.iter() {
                if self.isinstance(v, c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match self.lookup_special(class, &self.names.__instancecheck__) {
            Some(check) => {
                self.check_native_stack()?;
                let r =
                    self.call_found(&check, class, Args::positional(std::slice::from_ref(v)))?;
                self.truth(&r)
            }
            None => self.plain_isinstance(v, class),
        }
    }

    /// `type.__instancecheck__`: by the MRO of the instance's type, or of what its `__class__` says.
    pub fn plain_isinstance(&self, v: &Value, class: &Value) -> Res<bool> {
        if !class.is_kind::<TypeObj>() {
            self.check_class(
                class,
                "isinstance() arg 2 must be a type, a tuple of types, or a union",
            )?;
            let c = self.getattr_opt(v, &self.names.__class__)?;
            return match c {
                Some(c) => self.abstract_issubclass(&c, class),
                None => Ok(false),
            };
        }
        let t = self.type_obj(v);
        if t.is_subtype(class) {
            return Ok(true);
        }
        let plain = t.has(tflag::PLAIN_GETATTR)
            && self.find(t, &self.names.__class__).is_some_and(|f| {
                f.get::<GetSet>()
                    .is_some_and(|g| g.owner.is(self.kind_type(Kind::Object)))
            });
        if plain || v.is_kind::<TypeObj>() && self.type_ref(v).is(self.kind_type(Kind::Type)) {
            return Ok(false);
        }
        match self.getattr_opt(v, &self.names.__class__)? {
            Some(c) if !c.is(self.type_ref(v)) => {
                Ok(c.get::<TypeObj>().is_some_and(|c| c.is_subtype(class)))
            }
            _ => Ok(false),
        }
    }

    /// `issubclass(c, class)`.
    pub fn issubclass(&self, c: &Value, class: &Value) -> Res<bool> {
        if self.type_ref(class).is(self.kind_type(Kind::Type)) {
            if c.is(class) {
                return Ok(true);
            }
            return self.plain_issubclass(c, class);
        }
        if let Some(t) = class.get::<Tuple>() {
            self.check_native_stack()?;
            for x in t.iter() {
                if self.issubclass(c, x)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match self.lookup_special(class, &self.names.__subclasscheck__) {
            Some(check) => {
                self.check_native_stack()?;
                let r =
                    self.call_found(&check, class, Args::positional(std::slice::from_ref(c)))?;
                self.truth(&r)
            }
            None => self.plain_issubclass(c, class),
        }
    }

    /// `type.__subclasscheck__`.
    pub fn plain_issubclass(&self, c: &Value, class: &Value) -> Res<bool> {
        if let (Some(t), true) = (c.get::<TypeObj>(), class.is_kind::<TypeObj>()) {
            return Ok(t.is_subtype(class));
        }
        self.check_class(c, "issubclass() arg 1 must be a class")?;
        self.check_class(
            class,
            "issubclass() arg 2 must be a class, a tuple of classes, or a union",
        )?;
        self.abstract_issubclass(c, class)
    }

    /// Follows `__bases__`.
    fn abstract_issubclass(&self, c: &Value, class: &Value) -> Res<bool> {
        if c.is(class) {
            return Ok(true);
        }
        self.check_native_stack()?;
        let Some(bases) = self.getattr_opt(c, &self.names.__bases__)? else {
            return Ok(false);
        };
        for b in tuple_items(&bases) {
            if self.abstract_issubclass(b, class)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// TypeError unless the value is a class or looks like one (a tuple as `__bases__`).
    fn check_class(&self, v: &Value, message: &str) -> Res<()> {
        if v.is_kind::<TypeObj>() {
            return Ok(());
        }
        match self.getattr_opt(v, &self.names.__bases__)? {
            Some(b) if b.is_kind::<Tuple>() => Ok(()),
            _ => Err(self.type_error(message)),
        }
    }

    /// AttributeError-free check that a value is a type.
    pub fn expect_type<'a>(&self, v: &'a Value, message: &str) -> Result<&'a TypeObj, Raised> {
        v.get::<TypeObj>().ok_or_else(|| self.type_error(message))
    }
}

/// Sequences concatenate by `+`, without a reflected form.
pub fn is_sequence_kind(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Str | Kind::Bytes | Kind::ByteArray | Kind::List | Kind::Tuple | Kind::Deque
    )
}
