//! Attribute access: the generic forms (`object.__getattribute__`, `object.__setattr__`), the entry points for natives, and the plans that the
//! interpreter's inline caches are filled from.
//!
//! The order is CPython's: a data descriptor of the class, then the instance, then anything else in the class. Instances keep their attributes in slots by shape,
//! until something makes a real dict necessary (`__dict__` asked for, an attribute deleted, too many of them): then the object is in "dict mode", with the
//! dict in the slot after those of `__slots__`.
//!
//! Rules:
//! 1. Names are interned strs from `getattr`/`setattr` on; the method cache compares them by identity.
//! 2. What `find` gives is borrowed from a class: it is cloned before script code can run.

#![allow(unsafe_code)]

use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::builtins::exceptions::set_field;
use crate::object::dict::Dict;
use crate::object::func::{BoundMethod, ClassMethod, Function, Module, Property, StaticMethod};
use crate::object::header::{Header, Kind, Obj, flag};
use crate::object::instance::{get_slot, set_slot, slot_offset};
use crate::object::native::Native;
use crate::object::seq::Tuple;
use crate::object::shape::{MAX_SLOTS, Shape};
use crate::object::str::Str;
use crate::object::types::{GetSet, SlotDescr, TypeObj, tflag};
use crate::object::value::Value;
use std::mem::ManuallyDrop;

/// A type with this many shapes stops making new ones: its instances' names follow no pattern, and dicts serve them better.
const MAX_SHAPES: usize = 1024;
/// Instances never get more inline slots than this.
const MAX_HINT: u16 = 48;

/// What an inline cache of LOADATTR or LOADMETHOD may hold for one shape and name; valid while the shape keeps its id.
pub enum AttrPlan {
    /// A slot of the instance at this byte offset. It may be unbound (a `__slots__` name not set): then the slow path gives the error.
    Slot {
        offset: u32,
    },
    /// A value in the class that is no descriptor, and nothing in the instance hides it.
    ClassValue(Value),
    /// A function or native method in the class.
    Method(Value),
    /// The getter of a property, a script function.
    Property(Value),
    None,
}

/// What an inline cache of STOREATTR may hold for one shape and name.
pub enum StorePlan {
    /// The slot at this byte offset.
    Slot {
        offset: u32,
    },
    /// The first free slot, and the shape that the instance then has.
    Add {
        offset: u32,
        new_shape: *const Shape,
    },
    None,
}

/// A value borrowed from a class (rule 2).
pub struct Found(ManuallyDrop<Value>);

impl std::ops::Deref for Found {
    type Target = Value;
    #[inline(always)]
    fn deref(&self) -> &Value {
        &self.0
    }
}

/// True for a method of a native type that is not yet bound.
#[inline(always)]
fn is_native_method(v: &Value) -> bool {
    v.get::<Native>()
        .is_some_and(|n| !n.owner.is_unbound() && n.self_.is_unbound())
}

impl Vm {
    /// The type of a value, without a new reference.
    #[inline(always)]
    pub fn type_ref<'a>(&'a self, v: &'a Value) -> &'a Value {
        match v.header() {
            Some(h) if !h.shape.get().is_null() => {
                // SAFETY: a shape lives as long as its type, which the object (or the VM) keeps alive; the address of a live object has the bits
                // of the Value that refers to it.
                unsafe { &*(&raw const (*h.shape.get()).ty as *const Value) }
            }
            _ => self.kind_type(v.kind()),
        }
    }
    /// The payload of a value's type.
    #[inline(always)]
    pub fn type_obj<'a>(&'a self, v: &'a Value) -> &'a TypeObj {
        // SAFETY: the type of every value is a type object.
        unsafe { self.type_ref(v).get_unchecked::<TypeObj>() }
    }
    /// The type of a value.
    #[inline(always)]
    pub fn type_of(&self, v: &Value) -> Value {
        self.type_ref(v).clone()
    }
    /// The name of a value's type, for messages.
    pub fn type_name(&self, v: &Value) -> String {
        self.type_obj(v).name_str()
    }
    /// True if the value is an instance of the native type itself, not of a subclass.
    #[inline(always)]
    pub fn is_exact(&self, v: &Value, kind: Kind) -> bool {
        v.kind() == kind && self.type_ref(v).is(self.kind_type(kind))
    }

    /// What the MRO of a type holds under an interned name.
    #[inline(always)]
    pub fn find(&self, t: &TypeObj, name: &Value) -> Option<Found> {
        let version = t.version.get();
        let bits = match self.type_state.cached(version, name.bits()) {
            Some(b) => b,
            None => self.find_slow(t, name),
        };
        // SAFETY: the bits are those of a Value in a class dict; they are forgotten (by a new version) before that one is dropped.
        if bits == 0 {
            None
        } else {
            Some(Found(ManuallyDrop::new(unsafe { Value::from_bits(bits) })))
        }
    }

    #[inline(never)]
    fn find_slow(&self, t: &TypeObj, name: &Value) -> u64 {
        let mut bits = 0;
        // SAFETY: the MRO is not replaced during the loop, which calls nothing.
        let mro = unsafe { &*t.mro.as_ptr() };
        for class in mro.get::<Tuple>().map_or(&[][..], |m| m) {
            let dict = class.get::<TypeObj>().and_then(|c| c.dict.get::<Dict>());
            if let Some(v) = dict.and_then(|d| self.dict_get_str(d, name)) {
                bits = v.bits();
                break;
            }
        }
        self.type_state.remember(t.version.get(), name.bits(), bits);
        bits
    }

    /// What the MRO of a type holds under a name.
    #[inline]
    pub fn lookup_type_attr(&self, ty: &Value, name: &Value) -> Option<Value> {
        let t = ty.get::<TypeObj>()?;
        match name.get::<Str>() {
            Some(s) if s.is_interned() => self.find(t, name).map(|f| Value::clone(&f)),
            _ => self
                .find(t, &self.intern_value(name))
                .map(|f| Value::clone(&f)),
        }
    }

    /// A special method as the type of `obj` has it, unbound.
    #[inline]
    pub fn lookup_special(&self, obj: &Value, name: &Value) -> Option<Value> {
        self.find(self.type_obj(obj), name)
            .map(|f| Value::clone(&f))
    }

    // ---- reading

    /// `obj.name`.
    #[inline]
    pub fn getattr(&self, obj: &Value, name: &Value) -> Res {
        let t = self.type_obj(obj);
        let interned;
        let name = match name.get::<Str>() {
            Some(s) if s.is_interned() => name,
            Some(_) => {
                interned = self.intern_value(name);
                &interned
            }
            None => return Err(self.name_not_str(name)),
        };
        if t.has(tflag::PLAIN_GETATTR) {
            return self.generic_getattr(obj, name);
        }
        match t.slots().getattr {
            Some(get) => get(self, obj, name),
            None => self.generic_getattr(obj, name),
        }
    }

    #[cold]
    fn name_not_str(&self, name: &Value) -> Raised {
        self.type_error(format!(
            "attribute name must be string, not '{}'",
            self.type_name(name)
        ))
    }

    /// `obj.name`, or None if that raises AttributeError; for plain objects no exception is made.
    pub fn getattr_opt(&self, obj: &Value, name: &Value) -> Res<Option<Value>> {
        if name.as_str().is_none() {
            return Err(self.name_not_str(name));
        }
        let name = self.intern_value(name);
        let t = self.type_obj(obj);
        let found = if t.has(tflag::PLAIN_GETATTR) {
            self.generic_lookup(obj, &name)
        } else if obj.is_kind::<TypeObj>() && self.type_ref(obj).is(self.kind_type(Kind::Type)) {
            self.type_lookup(obj, &name)
        } else {
            self.getattr(obj, &name).map(Some)
        };
        self.catch(found, Exc::AttributeError).map(Option::flatten)
    }

    /// `obj.name` for a name known to Rust.
    pub fn getattr_str(&self, obj: &Value, name: &str) -> Res {
        self.getattr(obj, &self.intern(name))
    }

    /// `object.__getattribute__`.
    #[inline]
    pub fn generic_getattr(&self, obj: &Value, name: &Value) -> Res {
        match self.generic_lookup(obj, name)? {
            Some(v) => Ok(v),
            None => Err(self.no_attribute(obj, name)),
        }
    }

    /// `object.__getattribute__`, with None for "no such attribute".
    pub fn generic_lookup(&self, obj: &Value, name: &Value) -> Res<Option<Value>> {
        let t = self.type_obj(obj);
        let found = self.find(t, name).map(|f| Value::clone(&f));
        if let Some(f) = &found
            && self.is_data_descriptor(f)
            && self.type_obj(f).slots().descr_get.is_some()
        {
            return self
                .bind_descriptor(f, Some(obj), self.type_ref(obj))
                .map(Some);
        }
        if let Some(v) = self.own_attr(obj, name)? {
            return Ok(Some(v));
        }
        match found {
            Some(f) => self
                .bind_descriptor(&f, Some(obj), self.type_ref(obj))
                .map(Some),
            None => Ok(None),
        }
    }

    /// True if the value overrides instance attributes when found in a class.
    #[inline(always)]
    pub fn is_data_descriptor(&self, v: &Value) -> bool {
        match v.kind() {
            Kind::Function
            | Kind::Native
            | Kind::Int
            | Kind::Str
            | Kind::ClassMethod
            | Kind::StaticMethod
            | Kind::None
            | Kind::Bool => false,
            Kind::Property | Kind::GetSet | Kind::SlotDescr => true,
            _ => self.type_obj(v).slots().descr_set.is_some(),
        }
    }

    /// What a class attribute gives when reached through an instance (or, with None, through the class).
    pub fn bind_descriptor(&self, d: &Value, obj: Option<&Value>, owner: &Value) -> Res {
        match (d.kind(), obj) {
            (
                Kind::Int
                | Kind::Str
                | Kind::None
                | Kind::Bool
                | Kind::Float
                | Kind::Tuple
                | Kind::List
                | Kind::Dict,
                _,
            ) if d.header().is_none_or(|h| h.flags.get() & flag::SLOTS == 0) => Ok(d.clone()),
            (Kind::Function, Some(o)) => Ok(self.alloc(BoundMethod {
                func: d.clone(),
                self_: o.clone(),
            })),
            (Kind::Native, Some(o)) => match d.get::<Native>() {
                Some(n) if is_native_method(d) => Ok(self.bind_native(n, o)),
                _ => Ok(d.clone()),
            },
            (Kind::Function | Kind::Native, None) => Ok(d.clone()),
            _ => match self.type_obj(d).slots().descr_get {
                Some(get) => get(self, d, obj, owner),
                None => Ok(d.clone()),
            },
        }
    }

    /// The dict of objects whose attributes live in their payload: modules and functions. (Types look after themselves.)
    fn payload_dict<'a>(&self, obj: &'a Value) -> Option<&'a Value> {
        match obj.kind() {
            Kind::Module => obj.get::<Module>().map(|m| &m.dict),
            Kind::Function => {
                // SAFETY: the dict, once made, is replaced only by `__dict__` assignment, not during this borrow.
                obj.get::<Function>()
                    .map(|f| unsafe { &*f.dict.as_ptr() })
                    .filter(|d| !d.is_unbound())
            }
            Kind::Type => obj.get::<TypeObj>().map(|t| &t.dict),
            _ => None,
        }
    }

    /// An attribute that the object itself has.
    #[inline]
    pub fn own_attr(&self, obj: &Value, name: &Value) -> Res<Option<Value>> {
        if let Kind::Module | Kind::Function | Kind::Type = obj.kind() {
            return match self.payload_dict(obj).and_then(|d| d.get::<Dict>()) {
                Some(d) => self.dict_get(d, name),
                None => Ok(None),
            };
        }
        let Some(h) = obj.header() else {
            return Ok(None);
        };
        if h.flags.get() & flag::SLOTS == 0 {
            return Ok(None);
        }
        // SAFETY: objects with slots have a shape, which lives as long as its type.
        let shape = unsafe { &*h.shape.get() };
        if !shape.dict_mode {
            return Ok(shape.slot(name).map(|i| get_slot(&self.heap, obj, i)));
        }
        let dict = get_slot(&self.heap, obj, shape.nslots - 1);
        match dict.get::<Dict>() {
            Some(d) => self.dict_get(d, name),
            None => Ok(None),
        }
    }

    /// The method to call for `obj.name(...)`: a callable and its `self`, if that is to be passed first. No bound method is made for functions
    /// and natives.
    pub fn load_method(&self, obj: &Value, name: &Value) -> Res<(Value, Option<Value>)> {
        let t = self.type_obj(obj);
        if t.has(tflag::PLAIN_GETATTR) {
            if let Some(f) = self.find(t, name)
                && self.takes_self(&f)
            {
                let f = Value::clone(&f);
                return match self.own_attr(obj, name)? {
                    Some(v) => Ok((v, None)),
                    None => Ok((f, Some(obj.clone()))),
                };
            }
            return Ok((self.generic_getattr(obj, name)?, None));
        }
        if let Some(c) = obj.get::<TypeObj>()
            && self.type_ref(obj).is(self.kind_type(Kind::Type))
            && self.find(t, name).is_none()
            && let Some(f) = self.find(c, name)
            && let Some(cm) = f.get::<ClassMethod>()
            && cm.0.is_kind::<Function>()
        {
            return Ok((cm.0.clone(), Some(obj.clone())));
        }
        Ok((self.getattr(obj, name)?, None))
    }

    // ---- writing

    /// `obj.name = value`.
    #[inline]
    pub fn setattr(&self, obj: &Value, name: &Value, value: &Value) -> Res<()> {
        self.set_or_del(obj, name, Some(value))
    }

    /// `del obj.name`.
    pub fn delattr(&self, obj: &Value, name: &Value) -> Res<()> {
        self.set_or_del(obj, name, None)
    }

    fn set_or_del(&self, obj: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
        if name.as_str().is_none() {
            return Err(self.name_not_str(name));
        }
        let name = self.intern_value(name);
        match self.type_obj(obj).slots().setattr {
            Some(set) => set(self, obj, &name, value),
            None => self.generic_setattr(obj, &name, value),
        }
    }

    /// `object.__setattr__`, or `object.__delattr__` if the value is None.
    pub fn generic_setattr(&self, obj: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
        let t = self.type_obj(obj);
        let found = self.find(t, name);
        if let Some(f) = &found
            && self.is_data_descriptor(f)
            && let Some(set) = self.type_obj(f).slots().descr_set
        {
            let f = Value::clone(f);
            return set(self, &f, obj, value);
        }
        if let Kind::Module | Kind::Function = obj.kind() {
            let dict = self.instance_dict(obj)?.unwrap_or(Value::NONE);
            return self.dict_store(obj, &dict, name, value);
        }
        let has_dict = t.has(tflag::DICT);
        let Some(h) = obj
            .header()
            .filter(|h| has_dict && h.flags.get() & flag::SLOTS != 0)
        else {
            return Err(self.cannot_set(obj, name, found.is_some(), value.is_none()));
        };
        // SAFETY: objects with slots have a shape, which lives as long as its type.
        let shape = unsafe { &*h.shape.get() };
        if !shape.dict_mode {
            match (shape.slot(name), value) {
                (Some(i), Some(v)) => {
                    drop(set_slot(&self.heap, obj, i, v.clone()));
                    return Ok(());
                }
                (None, Some(v)) => {
                    if let Some(next) = self.add_shape(t, shape, name) {
                        let old = set_slot(&self.heap, obj, shape.nslots, v.clone());
                        h.shape.set(next);
                        drop(old);
                        if shape.nslots >= h.aux.get() as u32 {
                            self.grow_hint(t, shape.nslots + 1);
                        }
                        return Ok(());
                    }
                }
                (None, None) => return Err(self.no_attribute(obj, name)),
                (Some(_), None) => {}
            }
        }
        let dict = self.dict_mode(obj);
        self.dict_store(obj, &dict, name, value)
    }

    fn dict_store(
        &self,
        obj: &Value,
        dict: &Value,
        name: &Value,
        value: Option<&Value>,
    ) -> Res<()> {
        let Some(d) = dict.get::<Dict>() else {
            return Err(self.no_attribute(obj, name));
        };
        match value {
            Some(v) => self.dict_set(d, name.clone(), v.clone()),
            None => match self.dict_del(d, name)? {
                Some(_) => Ok(()),
                None => Err(self.no_attribute(obj, name)),
            },
        }
    }

    /// The shape with one more name; None if the object should rather use a dict.
    fn add_shape(&self, t: &TypeObj, shape: &Shape, name: &Value) -> Option<*const Shape> {
        if let Some(next) = shape.child(name) {
            return Some(next);
        }
        if shape.nslots >= MAX_SLOTS || t.shapes.borrow().len() >= MAX_SHAPES {
            return None;
        }
        let next = shape.make_child(name, self.fresh_shape_id());
        let p: *const Shape = &*next;
        t.shapes.borrow_mut().push(next);
        Some(p)
    }

    /// New instances get more inline slots. They start a new tree of shapes, so that a shape still says where its slots are.
    fn grow_hint(&self, t: &TypeObj, needed: u32) {
        let hint = t.slot_hint.get();
        if hint >= MAX_HINT || needed <= hint as u32 {
            return;
        }
        t.slot_hint.set((hint.max(2) * 2).min(MAX_HINT));
        // SAFETY: the root shape belongs to the type.
        let old = unsafe { &*t.root_shape.get() };
        let root = Shape::root(old.ty, self.fresh_shape_id(), t.nslots.get(), false);
        t.root_shape.set(&*root);
        t.shapes.borrow_mut().push(root);
    }

    /// Moves an instance with slots to dict mode, if it is not there yet; gives its dict.
    pub fn dict_mode(&self, obj: &Value) -> Value {
        let Some(h) = obj.header() else {
            return self.dict();
        };
        // SAFETY: objects with slots have a shape, which lives as long as its type.
        let shape = unsafe { &*h.shape.get() };
        let t = shape.type_obj();
        let place = t.nslots.get();
        if shape.dict_mode {
            let dict = get_slot(&self.heap, obj, place);
            if dict.is_kind::<Dict>() {
                return dict;
            }
            let dict = self.dict();
            drop(set_slot(&self.heap, obj, place, dict.clone()));
            return dict;
        }
        let dict = self.dict();
        if let Some(d) = dict.get::<Dict>() {
            for (name, i) in shape.names() {
                let v = set_slot(&self.heap, obj, i, Value::UNBOUND);
                self.dict_set_str(d, &name, v);
            }
        }
        h.shape.set(self.dict_shape(t, shape.ty));
        drop(set_slot(&self.heap, obj, place, dict.clone()));
        dict
    }

    /// The shape of a type's instances in dict mode.
    pub fn dict_shape(&self, t: &TypeObj, ty: *const Obj<TypeObj>) -> *const Shape {
        if t.dict_shape.get().is_null() {
            let s = Shape::root(ty, self.fresh_shape_id(), t.nslots.get() + 1, true);
            t.dict_shape.set(&*s);
            t.shapes.borrow_mut().push(s);
        }
        t.dict_shape.get()
    }

    /// An object's `__dict__`, made if need be; None if it has none.
    pub fn instance_dict(&self, obj: &Value) -> Res<Option<Value>> {
        match obj.kind() {
            Kind::Function => {
                let Some(f) = obj.get::<Function>() else {
                    return Ok(None);
                };
                if f.dict.borrow().is_unbound() {
                    f.dict.replace(self.dict());
                }
                Ok(Some(f.dict.borrow().clone()))
            }
            Kind::Module | Kind::Type => Ok(self.payload_dict(obj).cloned()),
            _ => match obj.header() {
                Some(h)
                    if h.flags.get() & flag::SLOTS != 0 && self.type_obj(obj).has(tflag::DICT) =>
                {
                    Ok(Some(self.dict_mode(obj)))
                }
                _ => Ok(None),
            },
        }
    }

    /// Replaces an object's `__dict__`.
    pub fn set_instance_dict(&self, obj: &Value, dict: &Value) -> Res<()> {
        if !dict.is_kind::<Dict>() {
            return Err(self.type_error(format!(
                "__dict__ must be set to a dictionary, not a '{}'",
                self.type_name(dict)
            )));
        }
        match obj.get::<Function>() {
            Some(f) => drop(f.dict.replace(dict.clone())),
            None => {
                if let Some(h) = obj.header()
                    && h.flags.get() & flag::SLOTS != 0
                {
                    let old = self.dict_mode(obj);
                    drop(set_slot(
                        &self.heap,
                        obj,
                        self.type_obj(obj).nslots.get(),
                        dict.clone(),
                    ));
                    drop(old);
                }
            }
        }
        Ok(())
    }

    // ---- errors

    /// AttributeError with its `name` and `obj`.
    #[cold]
    pub fn attribute_error(&self, message: &str, obj: &Value, name: &Value) -> Raised {
        let e = self.error(Exc::AttributeError, message);
        set_field(self, &e.0, &self.names.name, name.clone());
        set_field(self, &e.0, &self.names.obj, obj.clone());
        e
    }

    #[cold]
    pub fn no_attribute(&self, obj: &Value, name: &Value) -> Raised {
        let text = name.as_str().unwrap_or("?");
        let message = match obj.get::<TypeObj>() {
            Some(t) => format!("type object '{}' has no attribute '{text}'", t.name_str()),
            None => format!("'{}' object has no attribute '{text}'", self.type_name(obj)),
        };
        self.attribute_error(&message, obj, name)
    }

    #[cold]
    fn cannot_set(&self, obj: &Value, name: &Value, found: bool, deleting: bool) -> Raised {
        let (ty, text) = (self.type_name(obj), name.as_str().unwrap_or("?"));
        let message = if found {
            format!("'{ty}' object attribute '{text}' is read-only")
        } else if self.type_obj(obj).has(tflag::DICT) && deleting {
            format!("'{ty}' object has no attribute '{text}'")
        } else {
            format!(
                "'{ty}' object has no attribute '{text}' and no __dict__ for setting new attributes"
            )
        };
        self.attribute_error(&message, obj, name)
    }

    // ---- plans for inline caches

    /// Where LOADATTR and LOADMETHOD find an attribute of all objects with this object's shape.
    pub fn attr_plan(&self, obj: &Value, name: &Value) -> (u32, AttrPlan) {
        let Some((h, shape, t)) = self.plain_shape(obj, tflag::PLAIN_GETATTR) else {
            return (0, AttrPlan::None);
        };
        let id = shape.id.get();
        let found = self.find(t, name);
        if let Some(f) = &found
            && self.is_data_descriptor(f)
        {
            if let Some(s) = f.get::<SlotDescr>() {
                return (
                    id,
                    self.slot_plan(h, s.slot)
                        .map_or(AttrPlan::None, |offset| AttrPlan::Slot { offset }),
                );
            }
            return match f.get::<Property>() {
                Some(p)
                    if p.get.borrow().is_kind::<Function>() && self.is_exact(f, Kind::Property) =>
                {
                    (id, AttrPlan::Property(p.get.borrow().clone()))
                }
                _ => (id, AttrPlan::None),
            };
        }
        if h.flags.get() & flag::SLOTS != 0 {
            if shape.dict_mode {
                return (id, AttrPlan::None);
            }
            if let Some(i) = shape.slot(name) {
                return (
                    id,
                    self.slot_plan(h, i)
                        .map_or(AttrPlan::None, |offset| AttrPlan::Slot { offset }),
                );
            }
        }
        match found {
            None => (id, AttrPlan::None),
            Some(f) if f.is_kind::<Function>() || is_native_method(&f) => {
                (id, AttrPlan::Method(Value::clone(&f)))
            }
            Some(f) if f.is_kind::<StaticMethod>() => match f.get::<StaticMethod>() {
                Some(s) if self.is_exact(&f, Kind::StaticMethod) => {
                    (id, AttrPlan::ClassValue(s.0.clone()))
                }
                _ => (id, AttrPlan::None),
            },
            Some(f) if self.type_obj(&f).slots().descr_get.is_some() => (id, AttrPlan::None),
            Some(f) => (id, AttrPlan::ClassValue(Value::clone(&f))),
        }
    }

    /// Where STOREATTR puts an attribute of all objects with this object's shape.
    pub fn store_plan(&self, obj: &Value, name: &Value) -> (u32, StorePlan) {
        let Some((h, shape, t)) = self.plain_shape(obj, tflag::PLAIN_SETATTR) else {
            return (0, StorePlan::None);
        };
        let id = shape.id.get();
        if let Some(f) = self.find(t, name)
            && self.is_data_descriptor(&f)
        {
            let slot = f.get::<SlotDescr>().and_then(|s| self.slot_plan(h, s.slot));
            return (
                id,
                slot.map_or(StorePlan::None, |offset| StorePlan::Slot { offset }),
            );
        }
        if h.flags.get() & flag::SLOTS == 0 || !t.has(tflag::DICT) || shape.dict_mode {
            return (id, StorePlan::None);
        }
        if let Some(i) = shape.slot(name) {
            return (
                id,
                self.slot_plan(h, i)
                    .map_or(StorePlan::None, |offset| StorePlan::Slot { offset }),
            );
        }
        match self.slot_plan(h, shape.nslots) {
            Some(offset) => match self.add_shape(t, shape, name) {
                Some(new_shape) => (id, StorePlan::Add { offset, new_shape }),
                None => (id, StorePlan::None),
            },
            None => (id, StorePlan::None),
        }
    }

    #[inline]
    fn slot_plan(&self, h: &Header, slot: u32) -> Option<u32> {
        slot_offset(&self.heap, h, slot)
    }

    /// The shape of an object whose attributes follow the generic rules.
    fn plain_shape<'a>(
        &self,
        obj: &'a Value,
        plain: u32,
    ) -> Option<(&'a Header, &'a Shape, &'a TypeObj)> {
        let h = obj.header()?;
        if h.shape.get().is_null() || matches!(h.kind, Kind::Module | Kind::Function | Kind::Type) {
            return None;
        }
        // SAFETY: a shape lives as long as its type, which the object keeps alive.
        let shape = unsafe { &*h.shape.get() };
        let t = shape.type_obj();
        t.has(plain).then_some((h, shape, t))
    }
}

/// The owner of a GetSet as text, for messages.
pub fn getset_owner(g: &GetSet) -> String {
    g.owner
        .get::<TypeObj>()
        .map(TypeObj::name_str)
        .unwrap_or_default()
}
