//! Payloads around functions: code objects as loaded, functions, bound methods, cells, spill lists, and the small descriptors.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::value::Value;
use crate::bytecode::Code;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::rc::Rc;

/// The payload of code objects: a `Code` made ready to run. Its instructions are the VM's own copy, since quickening rewrites them.
pub struct CodeObj {
    pub code: Rc<Code>,
    pub instrs: UnsafeCell<Vec<u32>>,
    pub consts: Vec<Value>,
    /// Interned strs.
    pub names: Vec<Value>,
    /// Code objects of nested functions.
    pub codes: Vec<Value>,
    pub varnames: Vec<Value>,
    pub name: Value,
    pub qualname: Value,
    pub filename: Value,
    pub nregs: u32,
    pub nlocals: u32,
    /// `argcount` if calls with exactly that many positional arguments need no binding (no keyword-only parameters, no `*`), else u32::MAX.
    pub simple_argc: u32,
    pub flags: u32,
}
// SAFETY: one type per kind; constants cannot form cycles (strs, numbers, tuples of them, code objects).
unsafe impl Payload for CodeObj {
    const KIND: Kind = Kind::Code;
    const TRACED: bool = false;
}

/// The payload of script functions.
pub struct Function {
    pub code: RefCell<Value>,
    /// A dict.
    pub globals: Value,
    /// The builtins dict at the time of definition.
    pub builtins: Value,
    /// Tuple of cells, or None.
    pub closure: Value,
    /// Tuple or None.
    pub defaults: RefCell<Value>,
    /// Dict or None.
    pub kwdefaults: RefCell<Value>,
    pub name: RefCell<Value>,
    pub qualname: RefCell<Value>,
    pub doc: RefCell<Value>,
    pub module: RefCell<Value>,
    /// The annotate function, or None.
    pub annotate: RefCell<Value>,
    /// The dict of annotations once computed, or unbound.
    pub annotations: RefCell<Value>,
    /// Tuple.
    pub type_params: RefCell<Value>,
    /// The function's `__dict__`, made on demand (else unbound).
    pub dict: RefCell<Value>,
    /// As `CodeObj::simple_argc`, here so that a call reads one word; u32::MAX when binding is needed. Copied when `code` is set.
    pub simple_argc: Cell<u32>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Function {
    const KIND: Kind = Kind::Function;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            visit(&*self.code.as_ptr());
            visit(&self.globals);
            visit(&self.builtins);
            visit(&self.closure);
            for c in [
                &self.defaults,
                &self.kwdefaults,
                &self.name,
                &self.qualname,
                &self.doc,
                &self.module,
                &self.annotate,
                &self.annotations,
                &self.type_params,
                &self.dict,
            ] {
                visit(&*c.as_ptr());
            }
        }
    }
    fn clear(&self) {
        let old = [
            self.defaults.replace(Value::NONE),
            self.kwdefaults.replace(Value::NONE),
            self.annotations.replace(Value::UNBOUND),
            self.annotate.replace(Value::NONE),
            self.dict.replace(Value::UNBOUND),
        ];
        drop(old);
        for cell in super::native::tuple_items(&self.closure) {
            if let Some(c) = cell.get::<Cell_>() {
                drop(c.0.replace(Value::UNBOUND));
            }
        }
    }
}

impl Function {
    /// The code object's payload.
    #[inline(always)]
    pub fn code_obj(&self) -> &CodeObj {
        // SAFETY: `code` always holds a code object; it is replaced only by `__code__` assignment, not during a borrow.
        unsafe { (*self.code.as_ptr()).get_unchecked::<CodeObj>() }
    }
}

/// The payload of bound methods.
pub struct BoundMethod {
    pub func: Value,
    pub self_: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for BoundMethod {
    const KIND: Kind = Kind::BoundMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.func);
        visit(&self.self_)
    }
}

/// A variable shared between a function and those nested in it. Unbound when empty. (The trailing underscore keeps it apart from
/// `std::cell::Cell`.)
pub struct Cell_(pub RefCell<Value>);
// SAFETY: one type per kind; the content is visited once.
unsafe impl Payload for Cell_ {
    const KIND: Kind = Kind::Cell;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.0.as_ptr() })
    }
    fn clear(&self) {
        let old = self.0.replace(Value::UNBOUND);
        drop(old);
    }
}

/// Locals beyond the register file.
pub struct Spill(pub RefCell<Vec<Value>>);
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Spill {
    const KIND: Kind = Kind::Spill;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe { (*self.0.as_ptr()).iter().for_each(visit) }
    }
}

/// The payload of `property`; missing functions are None. (`property.__init__` may be called again, so all parts are in cells.)
pub struct Property {
    pub get: RefCell<Value>,
    pub set: RefCell<Value>,
    pub del: RefCell<Value>,
    pub doc: RefCell<Value>,
    pub name: RefCell<Value>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Property {
    const KIND: Kind = Kind::Property;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            for c in [&self.get, &self.set, &self.del, &self.doc, &self.name] {
                visit(&*c.as_ptr());
            }
        }
    }
}

/// The payload of `staticmethod`.
pub struct StaticMethod(pub Value);
// SAFETY: one type per kind; the value is visited once.
unsafe impl Payload for StaticMethod {
    const KIND: Kind = Kind::StaticMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.0)
    }
}

/// The payload of `classmethod`.
pub struct ClassMethod(pub Value);
// SAFETY: one type per kind; the value is visited once.
unsafe impl Payload for ClassMethod {
    const KIND: Kind = Kind::ClassMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.0)
    }
}

/// The payload of `super` objects: the class to start after, the instance or class, and the class whose MRO is used.
pub struct Super {
    pub this: Value,
    pub obj: Value,
    pub obj_type: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Super {
    const KIND: Kind = Kind::Super;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.this);
        visit(&self.obj);
        visit(&self.obj_type)
    }
}

/// The payload of modules: the namespace (`__name__` in it).
pub struct Module {
    pub dict: Value,
}
// SAFETY: one type per kind; the dict is visited once.
unsafe impl Payload for Module {
    const KIND: Kind = Kind::Module;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.dict)
    }
}

/// Instances of plain classes: nothing but attribute slots.
pub struct Object;
// SAFETY: one type per kind; it owns nothing (slots are visited by the collector itself).
unsafe impl Payload for Object {
    const KIND: Kind = Kind::Object;
}
