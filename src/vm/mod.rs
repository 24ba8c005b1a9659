//! The virtual machine: runs code objects, and gives natives the operations of the language.
//!
//! A `Vm` is one interpreter with its heap, types and modules. All state that changes is in cells, so natives get a plain `&Vm` and may
//! call back into it. One thread at a time uses a Vm (the interpreter lock stands outside, in `host`).
//!
//! What is where:
//! - `make` makes values; `raise` makes exceptions; `names` are interned strs known to Rust;
//! - `protocol` are the operations by slot (repr, hash, iter, len, ...); `arith` and `compare` the operators; `attr` attribute access;
//! - `class` makes classes and keeps their slots; `native_call` binds arguments of natives; `call` calls anything;
//! - `dict_ops` look-ups that may call `__eq__`;
//! - `frame`, `dispatch`, `ops_*`, `unwind`, `resume` run bytecode.
//!
//! Rule: a function that can run script code takes `&Vm` and gives `Res`; no borrow of an object's inside is held across such a call.

use crate::object::header::{Kind, Payload};
use crate::object::heap::Heap;
use crate::object::value::Value;

/// A script exception on its way; one word.
pub struct Raised(pub Value);

/// The result of anything that may raise.
pub type Res<T = Value> = Result<T, Raised>;

impl std::fmt::Debug for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raised({:?})", self.0)
    }
}

pub mod arith;
pub mod attr;
pub mod bind;
pub mod call;
pub mod carets;
pub mod class;
pub mod class_make;
pub mod dict_ops;
pub mod dispatch;
pub mod frame;
pub mod gen_methods;
pub mod hooks;
pub mod make;
pub mod names;
pub mod native_call;
pub mod ops_arith;
pub mod ops_basic;
pub mod ops_build;
pub mod ops_call;
pub mod ops_names;
pub mod protocol;
pub mod raise;
pub mod resume;
pub mod set_ops;
pub mod slot_wrappers;
pub mod slots;
pub mod source;
pub mod suggest;
pub mod support;
pub mod table;
pub mod traceback;
pub mod type_state;
pub mod unwind;

use crate::object::shape::Shape;
use raise::EXC_COUNT;
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::HashMap;

/// One interpreter. See the module's head.
pub struct Vm {
    pub heap: Box<Heap>,
    /// Interned strs known to Rust code: `vm.names.__init__`.
    pub names: names::Names,
    /// The native type of each kind (unbound until made).
    kind_types: UnsafeCell<Vec<Value>>,
    /// The exception classes, by `raise::Exc`.
    exc_types: UnsafeCell<Vec<Value>>,
    interned: RefCell<hashbrown::HashTable<Value>>,
    /// One-character strs of ASCII.
    ascii: UnsafeCell<Vec<Value>>,
    empty_tuple: UnsafeCell<Value>,
    next_shape_id: Cell<u32>,
    /// `sys.modules`, a dict.
    pub modules: Value,
    /// The namespace of the module `builtins`, a dict.
    pub builtins: Value,
    /// The exception being handled (what `sys.exc_info()` and a bare `raise` see), or unbound.
    pub handled: UnsafeCell<Value>,
    /// What stands beside the VM (event loop, modules) keeps its state here, by type.
    extensions: RefCell<HashMap<TypeId, Box<dyn Any>>>,
    /// The machine's registers: stack top, current frame, current generator.
    pub exec: frame::Exec,
    /// Method cache, signatures, native types without a kind.
    pub type_state: type_state::TypeState,
    /// What other layers put in: see `hooks`.
    pub hooks: hooks::Hooks,
    /// Finalizers run now; nested safe points leave the queue alone.
    pub in_finalizer: Cell<bool>,
    /// Script-level recursion limit (`sys.setrecursionlimit`).
    pub recursion_limit: Cell<u32>,
    /// Address below which native frames must not grow.
    pub native_limit: Cell<usize>,
    /// Seed of str and bytes hashes.
    pub hash_seed: u64,
    /// Where the event layer keeps its state (an extension of this VM), or null: looked up on every task step.
    pub event_state: Cell<*const ()>,
    /// Depth of `repr` nesting objects under way (by identity), for `[...]`.
    pub repr_guard: RefCell<Vec<u64>>,
}

impl Vm {
    /// The native type for a kind of payload (`int` for `Kind::Int`, ...).
    #[inline(always)]
    pub fn kind_type(&self, kind: Kind) -> &Value {
        // SAFETY: the table is filled at start-up and has an entry for every kind.
        #[allow(unsafe_code)]
        unsafe {
            &(&(*self.kind_types.get()))[kind as usize]
        }
    }

    /// Sets the native type for a kind (start-up only).
    pub fn set_kind_type(&self, kind: Kind, ty: Value) {
        // SAFETY: start-up only; no reference into the table is held.
        #[allow(unsafe_code)]
        unsafe {
            (&mut (*self.kind_types.get()))[kind as usize] = ty
        }
    }

    /// The class of a builtin exception.
    pub fn exc_type(&self, e: raise::Exc) -> &Value {
        // SAFETY: the table is filled at start-up.
        #[allow(unsafe_code)]
        unsafe {
            &(&(*self.exc_types.get()))[e as usize]
        }
    }
    pub fn set_exc_type(&self, e: raise::Exc, ty: Value) {
        // SAFETY: start-up only; no reference into the table is held.
        #[allow(unsafe_code)]
        unsafe {
            (&mut (*self.exc_types.get()))[e as usize] = ty
        }
    }

    /// A number that no shape has had.
    pub fn fresh_shape_id(&self) -> u32 {
        let n = self.next_shape_id.get();
        self.next_shape_id.set(
            n.checked_add(1)
                .expect("four thousand million class changes"),
        );
        n
    }

    /// The shape of plain (exact) objects of a kind.
    #[inline(always)]
    pub fn kind_shape(&self, kind: Kind) -> *const Shape {
        match self.kind_type(kind).get::<crate::object::types::TypeObj>() {
            Some(t) => t.root_shape.get(),
            None => std::ptr::null(),
        }
    }

    /// Allocates an exact object of a native type.
    #[inline(always)]
    pub fn alloc<T: Payload>(&self, data: T) -> Value {
        self.heap.alloc(self.kind_shape(T::KIND), data, 0)
    }

    /// State of another layer, made on first use.
    pub fn extension<T: Default + 'static>(&self) -> std::rc::Rc<T> {
        let mut map = self.extensions.borrow_mut();
        let any = map
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(std::rc::Rc::new(T::default())));
        any.downcast_ref::<std::rc::Rc<T>>()
            .expect("stored under its own type")
            .clone()
    }

    /// An empty VM: no types yet, so only `builtins::boot` may use it.
    pub fn bare(hash_seed: u64) -> Box<Vm> {
        let heap = Heap::new();
        heap.make_current();
        crate::vm::make::register_kinds(&heap);
        let mut vm = Box::new(Vm {
            heap,
            names: names::Names::unset(),
            kind_types: UnsafeCell::new(vec![Value::UNBOUND; crate::object::header::KINDS]),
            exc_types: UnsafeCell::new(vec![Value::UNBOUND; EXC_COUNT]),
            interned: RefCell::default(),
            ascii: UnsafeCell::new(Vec::new()),
            empty_tuple: UnsafeCell::new(Value::UNBOUND),
            next_shape_id: Cell::new(1),
            modules: Value::UNBOUND,
            builtins: Value::UNBOUND,
            handled: UnsafeCell::new(Value::UNBOUND),
            extensions: RefCell::default(),
            exec: frame::Exec::new(),
            type_state: type_state::TypeState::default(),
            hooks: hooks::Hooks::default(),
            in_finalizer: Cell::new(false),
            recursion_limit: Cell::new(1000),
            native_limit: Cell::new(0),
            hash_seed,
            event_state: Cell::new(std::ptr::null()),
            repr_guard: RefCell::default(),
        });
        crate::vm::make::boot_strs(&mut vm);
        vm
    }
}
