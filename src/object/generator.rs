//! The payload of generators, coroutines and async generators: a frame that lives in its own heap object.
//!
//! ```text
//!   Obj<Gen> | code | func | ret pc | ret base | flags | R0 | R1 | ... | R(nregs-1)
//!                                                       ^ base
//! ```
//! The frame has the layout of a stack frame and runs in place, so resuming copies nothing. When a generator delegates (`await`,
//! `yield from`) to another one, the inner frame's return link points to the outer frame, as for a call; the outermost one (the root, which
//! somebody resumed) remembers the innermost (the leaf). So resuming and suspending a chain costs the same at any depth:
//!
//! ```text
//!   resume(root):  leaf = root.leaf; run leaf          yield in leaf:  vm.root.leaf = leaf; return to root's resumer
//! ```
//! Rules:
//! 1. `leaf` is meaningful for a suspended root only.
//! 2. `delegate` of an outer frame is the inner generator it waits for (borrowed: a register of the outer frame owns it); `outer` is the way back.

#![allow(unsafe_code)]

use super::header::{Header, Kind, Obj, Payload};
use super::heap::Heap;
use super::shape::Shape;
use super::value::Value;
use std::cell::{Cell, RefCell, UnsafeCell};

/// `Gen::resume_reg` before the start.
pub const NO_REG: u16 = u16::MAX;

/// Words of a frame header, below its base.
pub const FRAME_WORDS: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum GenState {
    /// Not started.
    Created,
    Suspended,
    Running,
    /// Returned, raised or closed; its registers are released.
    Closed,
}

/// The data of the three generator kinds. `Generator`, `Coroutine` and `AsyncGenerator` wrap it, so that each kind has its own type.
#[repr(C)]
pub struct Gen {
    pub state: Cell<GenState>,
    /// Async generators: an `asend`/`athrow`/`aclose` is under way; hooks have run.
    pub running_async: Cell<bool>,
    pub hooks_inited: Cell<bool>,
    pub nregs: u32,
    /// Base of the innermost frame of the chain that this root heads.
    pub leaf: Cell<*mut u64>,
    /// Where a suspended frame goes on: the next instruction (YIELD) or the same one (SEND).
    pub resume_pc: Cell<*const u32>,
    /// Suspended in a delegating op (SEND, ANEXT) on something that is not itself a generator frame.
    pub at_send: Cell<bool>,
    /// The register that receives the sent value, or NO_REG before the start.
    pub resume_reg: Cell<u16>,
    /// The generator that waits for this one, if it was reached by delegation.
    pub outer: Cell<*const Gen>,
    /// The generator that this one waits for.
    pub delegate: Cell<*const Gen>,
    /// The root that was current when this root was resumed.
    pub saved_root: Cell<*const Gen>,
    /// The exception being handled inside, while suspended (unbound if none).
    pub handled: UnsafeCell<Value>,
    /// The exception being handled by the resumer, while running.
    pub outer_handled: UnsafeCell<Value>,
    /// `__name__`, `__qualname__` if they were set, and for coroutines `cr_origin`.
    pub names: RefCell<Option<Box<(Value, Value)>>>,
}

#[repr(transparent)]
pub struct Generator(pub Gen);
#[repr(transparent)]
pub struct Coroutine(pub Gen);
#[repr(transparent)]
pub struct AsyncGenerator(pub Gen);

macro_rules! payload {
    ($($t:ident)*) => {$(
        // SAFETY: one type per kind; registers and saved values are visited once each.
        unsafe impl Payload for $t {
            const KIND: Kind = Kind::$t;
            fn trace(&self, visit: &mut dyn FnMut(&Value)) {
                self.0.trace(visit)
            }
            fn clear(&self) {
                self.0.release_registers()
            }
        }
    )*};
}
payload!(Generator Coroutine AsyncGenerator);

/// Bytes behind the payload.
pub(super) unsafe fn tail_bytes(h: *mut Header) -> usize {
    // SAFETY: the caller says that a generator lives here.
    unsafe { (FRAME_WORDS + (*(h as *const Obj<Gen>)).data.nregs as usize) * 8 }
}

impl Value {
    /// The generator data, for any of the three kinds.
    #[inline(always)]
    pub fn as_gen(&self) -> Option<&Gen> {
        match self.kind() {
            // SAFETY: the three payloads are transparent wrappers of Gen.
            Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => {
                Some(unsafe { &(*(self.bits() as *const Obj<Gen>)).data })
            }
            _ => None,
        }
    }
}

impl Gen {
    /// Allocates one of the three kinds with all registers unbound and an empty frame header (the VM fills it).
    pub fn alloc(heap: &Heap, shape: *const Shape, kind: Kind, nregs: u32) -> Value {
        let g = Gen {
            state: Cell::new(GenState::Created),
            running_async: Cell::new(false),
            hooks_inited: Cell::new(false),
            nregs,
            leaf: Cell::new(std::ptr::null_mut()),
            resume_pc: Cell::new(std::ptr::null()),
            at_send: Cell::new(false),
            resume_reg: Cell::new(NO_REG),
            outer: Cell::new(std::ptr::null()),
            delegate: Cell::new(std::ptr::null()),
            saved_root: Cell::new(std::ptr::null()),
            handled: UnsafeCell::new(Value::UNBOUND),
            outer_handled: UnsafeCell::new(Value::UNBOUND),
            names: RefCell::new(None),
        };
        let tail = (FRAME_WORDS + nregs as usize) * 8;
        let v = match kind {
            Kind::Generator => heap.alloc(shape, Generator(g), tail),
            Kind::Coroutine => heap.alloc(shape, Coroutine(g), tail),
            _ => heap.alloc(shape, AsyncGenerator(g), tail),
        };
        if let Some(g) = v.as_gen() {
            let base = g.base();
            // SAFETY: the tail has FRAME_WORDS + nregs words around the base.
            unsafe {
                for i in 1..=FRAME_WORDS {
                    *base.sub(i) = 0;
                }
                *base.sub(4) = Value::UNBOUND_BITS;
                for i in 0..nregs as usize {
                    *base.add(i) = Value::UNBOUND_BITS;
                }
            }
        }
        v
    }

    /// The address of register 0.
    #[inline(always)]
    pub fn base(&self) -> *mut u64 {
        // SAFETY: every Gen sits in an Obj with its frame right behind.
        unsafe { ((self as *const Gen).add(1) as *mut u64).add(FRAME_WORDS) }
    }

    /// The generator whose frame has this base.
    ///
    /// # Safety
    /// `base` must be the base of a generator's frame.
    #[inline(always)]
    pub unsafe fn of_base(base: *mut u64) -> *const Gen {
        // SAFETY: the caller's duty; see the drawing.
        unsafe { (base.sub(FRAME_WORDS) as *const Gen).sub(1) }
    }

    /// The object as a new reference.
    pub fn value(&self) -> Value {
        // SAFETY: every Gen sits in an Obj behind its header; a new count is taken.
        unsafe {
            let h =
                (self as *const Gen as *const u8).sub(super::header::HEADER_SIZE) as *const Header;
            (*h).count.set((*h).count.get() + 1);
            Value::from_bits(h as u64)
        }
    }

    /// The function the frame runs (unbound after release).
    pub fn func(&self) -> &Value {
        // SAFETY: the word below the base holds a Value always.
        unsafe { &*(self.base().sub(4) as *const Value) }
    }

    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: all registers hold Values always.
        unsafe {
            visit(self.func());
            for i in 0..self.nregs as usize {
                visit(&*(self.base().add(i) as *const Value));
            }
            visit(&*self.handled.get());
            visit(&*self.outer_handled.get());
            if let Some(n) = &*self.names.as_ptr() {
                visit(&n.0);
                visit(&n.1);
            }
        }
    }

    /// True if script code must run before this generator may die: a suspended frame inside a `try` or `with`, or a coroutine that was
    /// never awaited (which is worth a warning).
    pub fn needs_finalizer(&self, kind: Kind) -> bool {
        match self.state.get() {
            GenState::Created => kind == Kind::Coroutine,
            GenState::Suspended => {
                let Some(f) = self.func().get::<super::func::Function>() else {
                    return false;
                };
                let code = f.code_obj();
                // SAFETY: the instructions live as long as the code; `resume_pc` points into them or is at their start.
                let at = unsafe {
                    self.resume_pc
                        .get()
                        .offset_from((*code.instrs.get()).as_ptr())
                } as u32;
                // A yield's resume point is the word after it; a delegating op's is the op itself.
                code.code
                    .handlers
                    .iter()
                    .any(|h| (h.start < at && at <= h.end) || (h.start <= at && at < h.end))
            }
            _ => false,
        }
    }

    /// Releases all registers and the function, and closes the generator. It must not be running.
    pub fn release_registers(&self) {
        self.state.set(GenState::Closed);
        self.delegate.set(std::ptr::null());
        // SAFETY: each word is replaced before its old value is dropped.
        unsafe {
            for i in 0..self.nregs as usize {
                let old = std::ptr::replace(self.base().add(i) as *mut Value, Value::UNBOUND);
                drop(old);
            }
            let h = std::ptr::replace(self.handled.get(), Value::UNBOUND);
            drop(h);
        }
    }
}

impl Drop for Gen {
    fn drop(&mut self) {
        self.release_registers();
        // SAFETY: the function word is dropped once, here.
        unsafe {
            drop(std::ptr::replace(
                self.base().sub(4) as *mut Value,
                Value::UNBOUND,
            ))
        }
    }
}
