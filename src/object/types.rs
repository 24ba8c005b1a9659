//! The payload of type objects (classes) and their slots: the native functions that implement each operation.
//!
//! A native type fills slots directly; the dunder methods that scripts see are made from them. A script class gets slots that look
//! its dunder methods up and call them. So every operation has one entry point, `type.slots.X`, whoever defines it (CPython's design:
//! `typeobject.c` describes the two directions).
//!
//! Rules:
//! 1. A type owns its shapes. Changing an attribute of a type gives new ids to its shapes and to those of all subclasses.
//! 2. `mro` starts with the type itself and is complete before the first instance is made.

#![allow(unsafe_code)]

use super::header::{Kind, Obj, Payload};
use super::native::Args;
use super::shape::Shape;
use super::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};

pub type Unary = fn(&Vm, &Value) -> Res;
pub type Binary = fn(&Vm, &Value, &Value) -> Res;

/// Index of a binary operation in `Slots::binary` and `Slots::inplace`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    MatMul,
    Div,
    Mod,
    Pow,
    LShift,
    RShift,
    Or,
    Xor,
    And,
    FloorDiv,
    /// No operator of its own: `divmod()`.
    DivMod,
}
pub const BINOPS: usize = 14;

/// A rich comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CmpOp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}

/// The operations of a type. A missing slot means that the type has no such operation (slots of bases are copied down when the
/// type is made, so there is no chain to follow).
#[derive(Clone, Copy, Default)]
pub struct Slots {
    pub repr: Option<Unary>,
    pub str: Option<Unary>,
    /// Unhashable types have a slot that raises.
    pub hash: Option<fn(&Vm, &Value) -> Res<i64>>,
    pub call: Option<fn(&Vm, &Value, Args) -> Res>,
    /// The whole of attribute access (`__getattribute__`, then `__getattr__`); the name is an interned str.
    pub getattr: Option<fn(&Vm, &Value, &Value) -> Res>,
    /// Sets, or deletes if the value is None.
    pub setattr: Option<fn(&Vm, &Value, &Value, Option<&Value>) -> Res<()>>,
    /// May answer NotImplemented.
    pub cmp: Option<fn(&Vm, &Value, &Value, CmpOp) -> Res>,
    pub iter: Option<Unary>,
    /// None at the end (no StopIteration is made); `Err` with StopIteration is also allowed and means the same.
    pub next: Option<fn(&Vm, &Value) -> Res<Option<Value>>>,
    pub bool: Option<fn(&Vm, &Value) -> Res<bool>>,
    pub len: Option<fn(&Vm, &Value) -> Res<usize>>,
    pub getitem: Option<Binary>,
    /// Sets, or deletes if the value is None.
    pub setitem: Option<fn(&Vm, &Value, &Value, Option<&Value>) -> Res<()>>,
    pub contains: Option<fn(&Vm, &Value, &Value) -> Res<bool>>,
    /// Called with the operands in their written order, from either operand's type; may answer NotImplemented.
    pub binary: [Option<Binary>; BINOPS],
    /// May answer NotImplemented: then the binary operation is tried.
    pub inplace: [Option<Binary>; BINOPS],
    /// Three-argument pow.
    pub pow3: Option<fn(&Vm, &Value, &Value, &Value) -> Res>,
    pub neg: Option<Unary>,
    pub pos: Option<Unary>,
    pub abs: Option<Unary>,
    pub invert: Option<Unary>,
    pub int: Option<Unary>,
    pub float: Option<Unary>,
    pub index: Option<Unary>,
    /// (descriptor, instance or None when reached through the class, owner class).
    pub descr_get: Option<fn(&Vm, &Value, Option<&Value>, &Value) -> Res>,
    /// (descriptor, instance, value or None to delete). Its presence makes the descriptor a data descriptor.
    pub descr_set: Option<fn(&Vm, &Value, &Value, Option<&Value>) -> Res<()>>,
    /// (class, arguments) -> instance.
    pub new: Option<fn(&Vm, &Value, Args) -> Res>,
    pub init: Option<fn(&Vm, &Value, Args) -> Res<()>>,
    /// `__await__`: gives the iterator.
    pub await_: Option<Unary>,
    pub aiter: Option<Unary>,
    pub anext: Option<Unary>,
    /// `__del__`.
    pub del: Option<fn(&Vm, &Value) -> Res<()>>,
}

/// Bits of `TypeObj::flags`.
pub mod tflag {
    /// Made by a class statement or `type()`; may be changed.
    pub const HEAP: u32 = 1;
    /// May be a base class.
    pub const BASETYPE: u32 = 2;
    /// Instances have a `__dict__`.
    pub const DICT: u32 = 4;
    /// Instances can be weakly referenced.
    pub const WEAKREF: u32 = 8;
    /// Has abstract methods left (`object.__new__` refuses).
    pub const ABSTRACT: u32 = 16;
    /// `match` treats instances as sequences / mappings.
    pub const SEQUENCE: u32 = 32;
    pub const MAPPING: u32 = 64;
    /// `getattr` is the generic one (no script `__getattribute__` or `__getattr__`), so inline caches may be used.
    pub const PLAIN_GETATTR: u32 = 128;
    /// `setattr` is the generic one.
    pub const PLAIN_SETATTR: u32 = 256;
    /// `__init__` is a script function found in the MRO and `__new__` is object's: calls may push a frame for it.
    pub const SIMPLE_NEW: u32 = 512;
    /// A match class pattern with one positional matches the subject itself (int, str, ...).
    pub const MATCH_SELF: u32 = 1024;
    /// Instances are themselves types.
    pub const METACLASS: u32 = 2048;
}

/// The payload of a type object.
pub struct TypeObj {
    pub name: RefCell<Value>,
    pub qualname: RefCell<Value>,
    /// A dict.
    pub dict: Value,
    /// Tuple of types.
    pub bases: RefCell<Value>,
    /// Tuple of types, this one first.
    pub mro: RefCell<Value>,
    /// The first base that decides the layout (None for object).
    pub base: RefCell<Option<Value>>,
    /// Kind of the instances' payload.
    pub kind: Kind,
    pub flags: Cell<u32>,
    pub slots: RefCell<Slots>,
    /// Shape of new instances.
    pub root_shape: Cell<*const Shape>,
    /// Shape of instances whose attributes are in a dict.
    pub dict_shape: Cell<*const Shape>,
    /// All shapes of this type (rule 1).
    pub shapes: RefCell<Vec<Box<Shape>>>,
    /// Slots given by `__slots__` here and in bases.
    pub nslots: Cell<u32>,
    /// Inline slots that a new instance gets: what past instances came to use.
    pub slot_hint: Cell<u16>,
    /// Changes with every change of this type or a base of it.
    pub version: Cell<u32>,
    /// Weak list of direct subclasses (addresses of their objects; they leave it when they die).
    pub subclasses: RefCell<Vec<*const Obj<TypeObj>>>,
    /// The script function `__init__`, if SIMPLE_NEW.
    pub init_fn: RefCell<Value>,
}

// SAFETY: one type per kind; each owned value is visited once.
unsafe impl Payload for TypeObj {
    const KIND: Kind = Kind::Type;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            visit(&*self.name.as_ptr());
            visit(&*self.qualname.as_ptr());
            visit(&self.dict);
            visit(&*self.bases.as_ptr());
            visit(&*self.mro.as_ptr());
            if let Some(b) = &*self.base.as_ptr() {
                visit(b)
            }
            visit(&*self.init_fn.as_ptr());
        }
    }
    fn clear(&self) {
        if let Some(d) = self.dict.get::<super::dict::Dict>() {
            d.clear();
        }
        let old = (
            self.init_fn.replace(Value::UNBOUND),
            self.mro.replace(Value::UNBOUND),
        );
        drop(old);
    }
}

impl Drop for TypeObj {
    fn drop(&mut self) {
        // The bases forget this subclass: they hold a bare address.
        let me = (self as *const TypeObj as usize) - std::mem::offset_of!(Obj<TypeObj>, data);
        if let Some(bases) = self.bases.get_mut().get::<super::seq::Tuple>() {
            for b in bases.iter() {
                if let Some(t) = b.get::<TypeObj>() {
                    t.subclasses.borrow_mut().retain(|&s| s as usize != me);
                }
            }
        }
    }
}

impl TypeObj {
    #[inline(always)]
    pub fn has(&self, bits: u32) -> bool {
        self.flags.get() & bits != 0
    }
    pub fn set_flag(&self, bits: u32, on: bool) {
        let f = self.flags.get();
        self.flags.set(if on { f | bits } else { f & !bits });
    }
    #[inline(always)]
    pub fn slots(&self) -> &Slots {
        // SAFETY: slots are written while a class is made or changed, never while a caller holds this reference across it: callers
        // copy the function pointer out at once.
        unsafe { &*self.slots.as_ptr() }
    }
    pub fn name_str(&self) -> String {
        self.name.borrow().as_str().unwrap_or("?").to_string()
    }
    /// True if this type is `other` or derives from it, by the MRO.
    pub fn is_subtype(&self, other: &Value) -> bool {
        // SAFETY: the MRO is not replaced during the loop, which calls nothing.
        let mro = unsafe { &*self.mro.as_ptr() };
        mro.get::<super::seq::Tuple>()
            .is_some_and(|m| m.iter().any(|t| t.is(other)))
    }
}

/// A property of native types: name, getter, setter (called with None to delete).
pub struct GetSetDef {
    pub name: &'static str,
    pub get: Unary,
    pub set: Option<fn(&Vm, &Value, Option<&Value>) -> Res<()>>,
    pub doc: &'static str,
}

/// The payload of getset descriptors.
pub struct GetSet {
    pub def: &'static GetSetDef,
    pub owner: Value,
}
// SAFETY: one type per kind; the owner is visited once.
unsafe impl Payload for GetSet {
    const KIND: Kind = Kind::GetSet;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.owner)
    }
}

/// The payload of member descriptors, made by `__slots__`.
pub struct SlotDescr {
    pub name: Value,
    pub slot: u32,
    pub owner: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for SlotDescr {
    const KIND: Kind = Kind::SlotDescr;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.name);
        visit(&self.owner)
    }
}

/// Which comparison methods, in `CmpOp` order.
pub const CMP_NAMES: [&str; 6] = ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"];
/// Names and reflected names of the binary operations, in `BinOp` order, with the operator as error messages write it.
pub const BIN_NAMES: [(&str, &str, &str, &str); BINOPS] = [
    ("__add__", "__radd__", "__iadd__", "+"),
    ("__sub__", "__rsub__", "__isub__", "-"),
    ("__mul__", "__rmul__", "__imul__", "*"),
    ("__matmul__", "__rmatmul__", "__imatmul__", "@"),
    ("__truediv__", "__rtruediv__", "__itruediv__", "/"),
    ("__mod__", "__rmod__", "__imod__", "%"),
    ("__pow__", "__rpow__", "__ipow__", "** or pow()"),
    ("__lshift__", "__rlshift__", "__ilshift__", "<<"),
    ("__rshift__", "__rrshift__", "__irshift__", ">>"),
    ("__or__", "__ror__", "__ior__", "|"),
    ("__xor__", "__rxor__", "__ixor__", "^"),
    ("__and__", "__rand__", "__iand__", "&"),
    ("__floordiv__", "__rfloordiv__", "__ifloordiv__", "//"),
    ("__divmod__", "__rdivmod__", "", "divmod()"),
];

/// What a native type is made of; one static per type.
pub struct TypeSpec {
    /// As scripts see it; a dot splits the module off (`collections.deque`).
    pub name: &'static str,
    /// None: object.
    pub base: Option<Kind>,
    pub kind: Kind,
    /// `tflag` bits.
    pub flags: u32,
    /// Fills the slots (those of the base are there already).
    pub slots: fn(&mut Slots),
    pub methods: &'static [super::native::NativeDef],
    /// Called with the class as first argument.
    pub class_methods: &'static [super::native::NativeDef],
    pub static_methods: &'static [super::native::NativeDef],
    pub getset: &'static [GetSetDef],
    pub doc: &'static str,
}

impl TypeSpec {
    /// A spec to fill in with `..`.
    pub const EMPTY: TypeSpec = TypeSpec {
        name: "",
        base: None,
        kind: Kind::Object,
        flags: 0,
        slots: |_| (),
        methods: &[],
        class_methods: &[],
        static_methods: &[],
        getset: &[],
        doc: "",
    };
}

/// Shorthand for the error side of slots.
pub type SlotErr = Raised;
