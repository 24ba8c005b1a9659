//! Payloads of sequences: tuple (items inline after the object), list, bytes, bytearray, range, slice.
//!
//! Rule: a `RefCell` borrow of a list's items is never held while script code can run (a call, a comparison, a `repr`). Copy what is
//! needed out first.

#![allow(unsafe_code)]

use super::header::{Kind, Obj, Payload};
use super::heap::Heap;
use super::shape::Shape;
use super::value::Value;
use std::cell::{Cell, RefCell};

/// The payload of tuple.
pub struct Tuple {
    len: usize,
}

// SAFETY: one type per kind; the items are visited once.
unsafe impl Payload for Tuple {
    const KIND: Kind = Kind::Tuple;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.iter().for_each(visit)
    }
}

impl Tuple {
    /// Allocates a tuple of the items.
    pub fn alloc(
        heap: &Heap,
        shape: *const Shape,
        items: impl ExactSizeIterator<Item = Value>,
    ) -> Value {
        let len = items.len();
        let v = heap.alloc(shape, Tuple { len }, len * 8);
        Tuple::fill(v, len, items)
    }

    /// Allocates an instance of a script class derived from tuple, with `slots` attribute slots.
    pub fn alloc_with_slots(
        heap: &Heap,
        shape: *const Shape,
        items: impl ExactSizeIterator<Item = Value>,
        slots: u16,
    ) -> Value {
        let len = items.len();
        let v = heap.alloc(
            shape,
            Tuple { len },
            len * 8 + super::instance::tail_for(slots),
        );
        let v = Tuple::fill(v, len, items);
        // SAFETY: allocated with that tail just now.
        unsafe { super::instance::init_slots(heap, &v, slots) };
        v
    }

    /// Writes the items of a new tuple.
    fn fill(v: Value, len: usize, items: impl Iterator<Item = Value>) -> Value {
        let p = (v.bits() as usize + size_of::<Obj<Tuple>>()) as *mut Value;
        let mut n = 0;
        for item in items.take(len) {
            // SAFETY: n < len, and the tail has room for len values.
            unsafe { p.add(n).write(item) };
            n += 1;
        }
        while n < len {
            // SAFETY: as above; an iterator that lied about its length leaves no hole.
            unsafe { p.add(n).write(Value::NONE) };
            n += 1;
        }
        v
    }
}

impl std::ops::Deref for Tuple {
    type Target = [Value];
    #[inline(always)]
    fn deref(&self) -> &[Value] {
        // SAFETY: every Tuple sits in an Obj with `len` values right behind.
        unsafe {
            std::slice::from_raw_parts((self as *const Tuple).add(1) as *const Value, self.len)
        }
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        let p = (self as *mut Tuple).wrapping_add(1) as *mut Value;
        for i in 0..self.len {
            // SAFETY: the items were written by `alloc` and are dropped once, here.
            unsafe { std::ptr::drop_in_place(p.add(i)) }
        }
    }
}

/// The payload of list.
#[derive(Default)]
pub struct List(pub RefCell<Vec<Value>>);

// SAFETY: one type per kind; the items are visited once.
unsafe impl Payload for List {
    const KIND: Kind = Kind::List;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: the collector runs at safe points only, when no borrow is held.
        unsafe { (*self.0.as_ptr()).iter().for_each(visit) }
    }
    fn clear(&self) {
        let items = std::mem::take(&mut *self.0.borrow_mut());
        drop(items);
    }
}

impl List {
    pub fn new(items: Vec<Value>) -> List {
        List(RefCell::new(items))
    }
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Item i, or None beyond the end (also when the list shrank meanwhile).
    pub fn get(&self, i: usize) -> Option<Value> {
        self.0.borrow().get(i).cloned()
    }
    pub fn push(&self, v: Value) {
        self.0.borrow_mut().push(v)
    }
    /// A copy of all items, for loops that may run script code.
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.borrow().clone()
    }
}

/// The payload of bytes.
pub struct Bytes {
    pub data: Box<[u8]>,
    /// 0 until computed.
    pub hash: Cell<u64>,
}
// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for Bytes {
    const KIND: Kind = Kind::Bytes;
    const TRACED: bool = false;
}

/// The payload of bytearray.
pub struct ByteArray {
    pub data: RefCell<Vec<u8>>,
    /// Memory views that are open on it; while there are any it cannot be resized.
    pub exports: Cell<usize>,
}
// SAFETY: as above.
unsafe impl Payload for ByteArray {
    const KIND: Kind = Kind::ByteArray;
    const TRACED: bool = false;
}

/// The payload of range; the parts are ints of any size.
pub struct Range {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}
// SAFETY: one type per kind; ints cannot be part of a cycle.
unsafe impl Payload for Range {
    const KIND: Kind = Kind::Range;
    const TRACED: bool = false;
}

/// The iterator of a range of small ints (others use `RangeIter` in `builtins`).
pub struct RangeIter {
    pub next: Cell<i64>,
    /// Items that remain.
    pub left: Cell<u64>,
    pub step: i64,
}
// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for RangeIter {
    const KIND: Kind = Kind::RangeIter;
    const TRACED: bool = false;
}

/// The iterator of a list: the list (unbound once exhausted) and the next index.
pub struct ListIter {
    pub list: RefCell<Value>,
    pub next: Cell<usize>,
}
// SAFETY: one type per kind; the list is visited once.
unsafe impl Payload for ListIter {
    const KIND: Kind = Kind::ListIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.list.as_ptr() })
    }
}

/// The iterator of a tuple.
pub struct TupleIter {
    pub tuple: RefCell<Value>,
    pub next: Cell<usize>,
}
// SAFETY: one type per kind; the tuple is visited once.
unsafe impl Payload for TupleIter {
    const KIND: Kind = Kind::TupleIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.tuple.as_ptr() })
    }
}

/// The payload of slice.
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}
// SAFETY: one type per kind; the parts are visited once each.
unsafe impl Payload for Slice {
    const KIND: Kind = Kind::Slice;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.start);
        visit(&self.stop);
        visit(&self.step);
    }
}
