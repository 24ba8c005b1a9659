//! The cycle collector: finds objects that only each other keep alive, by trial deletion over the traced objects.
//!
//! Each object's count is copied, every reference from a traced object to a traced object is subtracted, and what is left above zero is held from outside;
//! everything reachable from there lives, the rest is garbage. (Bacon and Rajan, "Concurrent Cycle Collection in Reference Counted Systems",
//! 2001, in its synchronous, whole-heap form, as CPython's collector does it.) References held by native code or registers need no
//! list of roots: they simply are not subtracted.
//!
//! Rule: runs at safe points only, where no native holds a borrow into an object.

#![allow(unsafe_code)]

use super::header::{Header, flag};
use super::heap::Heap;
use super::instance;
use super::value::Value;
use std::collections::HashMap;

/// Visits everything that an object owns: payload and slots.
fn trace(heap: &Heap, h: *mut Header, visit: &mut dyn FnMut(&Value)) {
    // SAFETY: the heap gives live objects only.
    unsafe {
        (heap.info((*h).kind).trace)(h, visit);
        if (*h).flags.get() & flag::SLOTS != 0 {
            instance::trace_slots(heap, &*h, visit);
        }
    }
}

fn traced(v: &Value) -> Option<*mut Header> {
    v.header()
        .filter(|h| h.flags.get() & flag::TRACED != 0)
        .map(|h| h as *const Header as *mut Header)
}

/// The objects found unreachable, each with a reference, split into those whose finalizer must run first and the rest.
pub struct Garbage {
    pub finalize: Vec<Value>,
    pub rest: Vec<Value>,
}

/// Finds the garbage. The caller runs the finalizers, then calls `free` on what is still garbage.
pub fn find(heap: &Heap) -> Garbage {
    let mut refs: HashMap<*mut Header, i64> = HashMap::new();
    heap.each_object(&mut |h| {
        // SAFETY: the heap gives live objects only.
        unsafe {
            if (*h).flags.get() & flag::TRACED != 0 {
                refs.insert(h, (*h).count.get() as i64);
            }
        }
    });
    let all: Vec<*mut Header> = refs.keys().copied().collect();
    for &h in &all {
        trace(heap, h, &mut |v| {
            if let Some(n) = traced(v).and_then(|t| refs.get_mut(&t)) {
                *n -= 1;
            }
        });
    }
    // What is held from outside, and all it reaches, is marked.
    let mut work: Vec<*mut Header> = all.iter().copied().filter(|h| refs[h] > 0).collect();
    // SAFETY: all headers in the table are live objects.
    unsafe {
        for &h in &work {
            (*h).flags.set((*h).flags.get() | flag::MARK);
        }
        while let Some(h) = work.pop() {
            trace(heap, h, &mut |v| {
                if let Some(t) = traced(v)
                    && (*t).flags.get() & flag::MARK == 0
                {
                    (*t).flags.set((*t).flags.get() | flag::MARK);
                    work.push(t);
                }
            });
        }
        let mut g = Garbage {
            finalize: Vec::new(),
            rest: Vec::new(),
        };
        for &h in &all {
            let f = (*h).flags.get();
            if f & flag::MARK != 0 {
                (*h).flags.set(f & !flag::MARK);
                continue;
            }
            (*h).count.set((*h).count.get() + 1);
            let v = Value::from_bits(h as u64);
            if f & flag::FINALIZE != 0 && f & flag::FINALIZED == 0 {
                g.finalize.push(v)
            } else {
                g.rest.push(v)
            }
        }
        heap.threshold.set((all.len() as i64 / 2).max(20_000));
        heap.debt.set(0);
        g
    }
}

/// Breaks the cycles among garbage; gives the number of objects. Weak references to them end first.
pub fn free(heap: &Heap, garbage: Vec<Value>) -> usize {
    let n = garbage.len();
    // SAFETY: the values keep their objects alive through both loops.
    unsafe {
        for v in &garbage {
            if let Some(h) = v.header()
                && h.flags.get() & flag::WEAK != 0
            {
                heap.clear_weak(h as *const Header as *mut Header);
            }
        }
        for v in &garbage {
            if let Some(h) = v.header() {
                if h.flags.get() & flag::SLOTS != 0 {
                    instance::clear_slots(heap, h);
                }
                (heap.info(h.kind).clear)(h as *const Header as *mut Header);
            }
        }
    }
    drop(garbage);
    n
}
