//! Shapes (hidden classes): which attribute lives in which slot of an instance, shared by all instances built alike.
//!
//! Every heap object points to a shape, and through it to its type. A type's shapes form a tree: the root has no attributes
//! (beyond `__slots__`), each edge adds one name. An inline cache remembers a shape's `id`; one comparison then proves the
//! type, the slot, and that the type (and its bases) have not changed since, because any change to a class gives new ids to all of
//! its shapes and those of its subclasses. (Self's maps: Chambers, Ungar, Lee 1989.)
//!
//! Rules:
//! 1. A shape never changes but for `id`. Deleting an attribute moves the instance to its type's dict shape.
//! 2. An instance with the dict shape keeps its attributes in the dict in slot 0.

#![allow(unsafe_code)]

use super::header::Obj;
use super::types::TypeObj;
use super::value::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A layout of attribute slots for instances of one type. See the module's head.
#[repr(C)]
pub struct Shape {
    /// Unique among all valid layouts and type versions; 0 never occurs.
    pub id: Cell<u32>,
    /// Slots in use by instances of this shape, `__slots__` included.
    pub nslots: u32,
    /// The type; it owns this shape.
    pub ty: *const Obj<TypeObj>,
    /// True for the shape of instances whose attributes are in a dict.
    pub dict_mode: bool,
    parent: *const Shape,
    /// The name this shape adds to its parent (unbound for a root).
    pub key: Value,
    children: RefCell<Vec<*const Shape>>,
    /// Names to slots, made when the shape has many.
    table: RefCell<Option<HashMap<u64, u32>>>,
}

/// Beyond this many slots a look-up uses a table.
const LINEAR_LIMIT: u32 = 8;
/// Instances with more attributes than this use a dict.
pub const MAX_SLOTS: u32 = 512;

impl Shape {
    /// The root shape of a type whose instances start with `nslots` slots (`__slots__`).
    pub fn root(ty: *const Obj<TypeObj>, id: u32, nslots: u32, dict_mode: bool) -> Box<Shape> {
        Box::new(Shape {
            id: Cell::new(id),
            nslots,
            ty,
            dict_mode,
            parent: std::ptr::null(),
            key: Value::UNBOUND,
            children: RefCell::new(Vec::new()),
            table: RefCell::new(None),
        })
    }

    /// The shape with `name` (an interned str) added, if it exists already.
    pub fn child(&self, name: &Value) -> Option<*const Shape> {
        // SAFETY: children live as long as the type that owns both.
        self.children
            .borrow()
            .iter()
            .copied()
            .find(|&c| unsafe { (*c).key.is(name) })
    }

    /// Makes the child shape for `name`; the caller (the type) owns it.
    pub fn make_child(&self, name: &Value, id: u32) -> Box<Shape> {
        let child = Box::new(Shape {
            id: Cell::new(id),
            nslots: self.nslots + 1,
            ty: self.ty,
            dict_mode: false,
            parent: self,
            key: name.clone(),
            children: RefCell::new(Vec::new()),
            table: RefCell::new(None),
        });
        self.children.borrow_mut().push(&*child);
        child
    }

    /// The slot of an interned name.
    pub fn slot(&self, name: &Value) -> Option<u32> {
        if self.nslots > LINEAR_LIMIT {
            let mut table = self.table.borrow_mut();
            let t = table.get_or_insert_with(|| {
                let mut t = HashMap::new();
                self.each(&mut |slot, key| {
                    t.insert(key.bits(), slot);
                });
                t
            });
            return t.get(&name.bits()).copied();
        }
        let mut at: *const Shape = self;
        while !at.is_null() {
            // SAFETY: a shape's parent lives as long as the shape: one type owns both.
            let s = unsafe { &*at };
            if s.key.is(name) {
                return Some(s.nslots - 1);
            }
            at = s.parent;
        }
        None
    }

    /// Calls `f(slot, name)` for every named slot, newest first.
    pub fn each(&self, f: &mut dyn FnMut(u32, &Value)) {
        let mut at: *const Shape = self;
        while !at.is_null() {
            // SAFETY: as in `slot`.
            let s = unsafe { &*at };
            if !s.key.is_unbound() {
                f(s.nslots - 1, &s.key);
            }
            at = s.parent;
        }
    }

    /// The names in the order they were added, with their slots.
    pub fn names(&self) -> Vec<(Value, u32)> {
        let mut out = Vec::new();
        self.each(&mut |slot, key| out.push((key.clone(), slot)));
        out.reverse();
        out
    }

    /// The type of the instances.
    pub fn type_obj(&self) -> &TypeObj {
        // SAFETY: the type owns the shape, so it is alive while the shape is.
        unsafe { &(*self.ty).data }
    }
}
