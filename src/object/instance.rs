//! Attribute slots of instances: the tail behind the payload of every object whose class was made by a script.
//!
//! ```text
//!   Obj<T> | payload's own tail | overflow ptr | slot 0 | slot 1 | ... | slot aux-1
//! ```
//! Slots beyond the inline ones are in the overflow vector. Which name has which slot is the shape's affair.

#![allow(unsafe_code)]

use super::header::{Header, Payload, flag};
use super::heap::Heap;
use super::shape::Shape;
use super::value::Value;

type Overflow = Vec<Value>;

/// Bytes of the slot tail.
pub(super) fn tail_bytes(h: &Header) -> usize {
    8 + h.aux.get() as usize * 8
}

/// Bytes that a tail with `n` inline slots adds to an object.
pub const fn tail_for(n: u16) -> usize {
    8 + n as usize * 8
}

/// Turns the last `tail_for(n)` bytes of a new object into empty slots.
///
/// # Safety
/// The object must have been allocated with that many bytes behind `Heap::slots_offset`, and its shape's type must be alive; the object
/// takes a reference to the type.
pub unsafe fn init_slots(heap: &Heap, v: &Value, n: u16) {
    let Some(h) = v.header() else { return };
    h.aux.set(n);
    h.flags.set(h.flags.get() | flag::SLOTS | flag::TRACED);
    // SAFETY: the caller's duty.
    unsafe {
        let base = (h as *const Header as *mut u8).add(heap.slots_offset(h));
        (base as *mut *mut Overflow).write(std::ptr::null_mut());
        for i in 0..n as usize {
            (base.add(8 + i * 8) as *mut u64).write(Value::UNBOUND_BITS);
        }
        // The object keeps its class alive.
        let ty = (*h.shape.get()).ty as *const Header;
        (*ty).count.set((*ty).count.get() + 1);
    }
}

/// The place of slot `i`, which the shape says exists.
#[inline(always)]
fn slot_ptr(heap: &Heap, h: &Header, i: u32) -> *mut Value {
    // SAFETY: the object has SLOTS, so the tail is there; the vector is made by `ensure`.
    unsafe {
        let base = (h as *const Header as *mut u8).add(heap.slots_offset(h));
        if i < h.aux.get() as u32 {
            base.add(8 + i as usize * 8) as *mut Value
        } else {
            let over = *(base as *mut *mut Overflow);
            if over.is_null() {
                return std::ptr::null_mut();
            }
            let k = i as usize - h.aux.get() as usize;
            if k < (*over).len() {
                (*over).as_mut_ptr().add(k)
            } else {
                std::ptr::null_mut()
            }
        }
    }
}

/// Slot `i` of an object (unbound if empty or not there).
pub fn get_slot(heap: &Heap, v: &Value, i: u32) -> Value {
    let Some(h) = v.header() else {
        return Value::UNBOUND;
    };
    if h.flags.get() & flag::SLOTS == 0 {
        return Value::UNBOUND;
    }
    let p = slot_ptr(heap, h, i);
    // SAFETY: a non-null place holds a Value.
    if p.is_null() {
        Value::UNBOUND
    } else {
        unsafe { (*p).clone() }
    }
}

/// Replaces slot `i`; gives the old value for the caller to drop. The object must have SLOTS.
pub fn set_slot(heap: &Heap, v: &Value, i: u32, new: Value) -> Value {
    let Some(h) = v.header() else { return new };
    debug_assert!(h.flags.get() & flag::SLOTS != 0);
    let mut p = slot_ptr(heap, h, i);
    if p.is_null() {
        // SAFETY: the tail is there; the vector is owned by the object and freed in `drop_slots`.
        unsafe {
            let base =
                (h as *const Header as *mut u8).add(heap.slots_offset(h)) as *mut *mut Overflow;
            if (*base).is_null() {
                *base = Box::into_raw(Box::default());
            }
            let k = i as usize - h.aux.get() as usize;
            while (**base).len() <= k {
                (**base).push(Value::UNBOUND);
            }
        }
        p = slot_ptr(heap, h, i);
    }
    // SAFETY: the place exists now and holds a Value.
    unsafe { std::mem::replace(&mut *p, new) }
}

/// The byte offset of slot `i` from the object's start, if it is inline (for inline caches; not for payloads with a tail of their own).
pub fn slot_offset(heap: &Heap, h: &Header, i: u32) -> Option<u32> {
    if i < h.aux.get() as u32
        && !matches!(
            h.kind,
            super::header::Kind::Str | super::header::Kind::Tuple
        )
    {
        Some((heap.info(h.kind).size + 8 + i as usize * 8) as u32)
    } else {
        None
    }
}

/// Visits all slots and the class.
pub fn trace_slots(heap: &Heap, h: &Header, visit: &mut dyn FnMut(&Value)) {
    // SAFETY: the object has SLOTS; the type's header address is a valid Value word, borrowed only.
    unsafe {
        let base = (h as *const Header as *mut u8).add(heap.slots_offset(h));
        for i in 0..h.aux.get() as usize {
            visit(&*(base.add(8 + i * 8) as *const Value));
        }
        let over = *(base as *mut *mut Overflow);
        if !over.is_null() {
            (*over).iter().for_each(&mut *visit);
        }
        let ty = std::mem::ManuallyDrop::new(Value::from_bits((*h.shape.get()).ty as u64));
        visit(&ty);
    }
}

/// Empties all slots (the collector breaks cycles with it).
pub fn clear_slots(heap: &Heap, h: &Header) {
    let mut old = Vec::new();
    // SAFETY: as in `trace_slots`.
    unsafe {
        let base = (h as *const Header as *mut u8).add(heap.slots_offset(h));
        for i in 0..h.aux.get() as usize {
            old.push(std::mem::replace(
                &mut *(base.add(8 + i * 8) as *mut Value),
                Value::UNBOUND,
            ));
        }
        let over = *(base as *mut *mut Overflow);
        if !over.is_null() {
            old.extend(
                (*over)
                    .iter_mut()
                    .map(|v| std::mem::replace(v, Value::UNBOUND)),
            );
        }
    }
    drop(old);
}

/// Drops slots, overflow and the reference to the class, when the object dies.
pub(super) fn drop_slots(heap: &Heap, h: &Header) {
    // SAFETY: called once, for a dead object with SLOTS.
    unsafe {
        let base = (h as *const Header as *mut u8).add(heap.slots_offset(h));
        for i in 0..h.aux.get() as usize {
            std::ptr::drop_in_place(base.add(8 + i * 8) as *mut Value);
        }
        let over = *(base as *mut *mut Overflow);
        if !over.is_null() {
            drop(Box::from_raw(over));
        }
        drop(Value::from_bits((*h.shape.get()).ty as u64));
    }
}

/// Allocates an instance of a script class: payload `data`, `extra` bytes of the payload's own tail, and slots.
///
/// # Safety
/// The caller fills the payload's own tail before anything can trace or drop the object; `data`'s own idea of its tail must be `extra`.
pub unsafe fn alloc_instance<T: Payload>(
    heap: &Heap,
    shape: *const Shape,
    data: T,
    extra: usize,
    slots: u16,
) -> Value {
    let v = heap.alloc(shape, data, extra + tail_for(slots));
    // SAFETY: allocated with that tail just now.
    unsafe { init_slots(heap, &v, slots) };
    v
}
