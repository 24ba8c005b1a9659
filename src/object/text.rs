//! Payloads around text and binary data: the iterators of str and of bytes, and memoryview.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::heap::Heap;
use super::seq::ByteArray;
use super::value::Value;
use std::cell::{Cell, RefCell};

/// The iterator of str: the str (unbound once exhausted) and where its next character begins.
pub struct StrIter {
    pub text: RefCell<Value>,
    /// Byte offset of the next character.
    pub byte: Cell<usize>,
    /// Characters given so far.
    pub given: Cell<usize>,
}
// SAFETY: one type per kind; the str is visited once.
unsafe impl Payload for StrIter {
    const KIND: Kind = Kind::StrIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.text.as_ptr() })
    }
}

/// The iterator of bytes and bytearray.
pub struct BytesIter {
    pub data: RefCell<Value>,
    pub next: Cell<usize>,
}
// SAFETY: one type per kind; the object is visited once.
unsafe impl Payload for BytesIter {
    const KIND: Kind = Kind::BytesIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.data.as_ptr() })
    }
}

/// A one-dimensional view of the bytes of `obj` (bytes or bytearray). A bytearray counts its views and refuses to change size meanwhile.
pub struct MemoryView {
    /// Unbound once released.
    pub obj: RefCell<Value>,
    /// Byte offset of item 0.
    pub start: isize,
    /// Number of items.
    pub len: usize,
    /// Bytes from one item to the next; negative for reversed views.
    pub stride: isize,
    pub readonly: bool,
    /// Code of the struct module: `B`, `b`, `c`, `i`, ...
    pub format: u8,
    pub itemsize: usize,
}
// SAFETY: one type per kind; the object is visited once.
unsafe impl Payload for MemoryView {
    const KIND: Kind = Kind::MemoryView;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.obj.as_ptr() })
    }
}

impl MemoryView {
    /// Lets go of the object; true if it was still held.
    pub fn release(&self) -> bool {
        let old = self.obj.replace(Value::UNBOUND);
        if let Some(b) = old.get::<ByteArray>() {
            b.exports.set(b.exports.get().saturating_sub(1));
        }
        !old.is_unbound()
    }
}

impl Drop for MemoryView {
    fn drop(&mut self) {
        self.release();
    }
}

/// Tells the heap about the payloads of this file.
pub fn register(heap: &Heap) {
    heap.register::<StrIter>();
    heap.register::<BytesIter>();
    heap.register::<MemoryView>();
}
