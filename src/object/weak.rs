//! The payload of weak references. The heap keeps a table from targets to their references (see `heap`).

#![allow(unsafe_code)]

use super::header::{Header, Kind, Obj, Payload};
use super::heap::Heap;
use super::shape::Shape;
use super::value::Value;
use std::cell::{Cell, RefCell};

pub struct WeakRef {
    /// Address of the target's header; 0 once it is gone.
    pub target: Cell<usize>,
    /// Called with the reference when the target dies; None if there is none.
    pub callback: RefCell<Value>,
    /// The target's hash, once asked for.
    pub hash: Cell<Option<i64>>,
    heap: *const Heap,
}

// SAFETY: one type per kind; the callback is visited once, the target is not owned.
unsafe impl Payload for WeakRef {
    const KIND: Kind = Kind::WeakRef;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.callback.as_ptr() })
    }
    fn clear(&self) {
        let old = self.callback.replace(Value::NONE);
        drop(old);
    }
}

impl WeakRef {
    /// Makes a weak reference to a heap object (None for an immediate).
    pub fn alloc(
        heap: &Heap,
        shape: *const Shape,
        target: &Value,
        callback: Value,
    ) -> Option<Value> {
        WeakRef::alloc_with_slots(heap, shape, target, callback, None)
    }

    /// The same for an instance of a script subclass, with attribute slots.
    pub fn alloc_with_slots(
        heap: &Heap,
        shape: *const Shape,
        target: &Value,
        callback: Value,
        slots: Option<u16>,
    ) -> Option<Value> {
        let h = target.header()?;
        let data = WeakRef {
            target: Cell::new(h as *const Header as usize),
            callback: RefCell::new(callback),
            hash: Cell::new(None),
            heap,
        };
        let v = match slots {
            None => heap.alloc(shape, data, 0),
            // SAFETY: a weak reference has no tail of its own.
            Some(n) => unsafe { super::instance::alloc_instance(heap, shape, data, 0, n) },
        };
        heap.add_weak(h, v.bits() as *mut Header);
        Some(v)
    }

    /// The target, if it is still alive.
    pub fn get(&self) -> Option<Value> {
        let p = self.target.get();
        if p == 0 {
            return None;
        }
        // SAFETY: the heap sets `target` to 0 before it frees the object.
        unsafe {
            let h = &*(p as *const Header);
            h.count.set(h.count.get() + 1);
            Some(Value::from_bits(p as u64))
        }
    }

    pub fn has_callback(&self) -> bool {
        !self.callback.borrow().is_none()
    }
}

impl Drop for WeakRef {
    fn drop(&mut self) {
        if self.target.get() != 0 {
            let me = (self as *const WeakRef as usize) - std::mem::offset_of!(Obj<WeakRef>, data);
            // SAFETY: the heap outlives its objects.
            unsafe { (*self.heap).remove_weak(self.target.get(), me as *mut Header) }
        }
    }
}
