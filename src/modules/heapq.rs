//! The module `_heapq`: binary heaps in lists, smallest or largest item first.
//!
//! Rule: comparisons may run script code that changes the list; places are checked again after each, and a changed size is an error, as in
//! CPython.

use crate::modules::math::rows;
use crate::object::native::NativeDef;
use crate::object::seq::List;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn heap<'a>(vm: &Vm, v: &'a Value) -> Res<&'a List> {
    match v.get::<List>() {
        Some(l) => Ok(l),
        None => Err(vm.type_error(format!(
            "heap argument must be a list, not {}",
            vm.type_name(v)
        ))),
    }
}

/// `a` comes before `b`.
#[inline(always)]
fn before(vm: &Vm, a: &Value, b: &Value, max: bool) -> Res<bool> {
    let (a, b) = if max { (b, a) } else { (a, b) };
    match (a.as_small(), b.as_small()) {
        (Some(x), Some(y)) => Ok(x < y),
        _ => vm.lt(a, b),
    }
}

#[cold]
fn changed<T>(vm: &Vm) -> Res<T> {
    Err(vm.runtime_error("list changed size during iteration"))
}

/// Items `i` and `j`, compared; the list must keep its size.
fn item_before(vm: &Vm, l: &List, i: usize, j: usize, n: usize, max: bool) -> Res<bool> {
    let (Some(a), Some(b)) = (l.get(i), l.get(j)) else {
        return changed(vm);
    };
    let r = before(vm, &a, &b, max)?;
    if l.len() != n { changed(vm) } else { Ok(r) }
}

fn swap(l: &List, i: usize, j: usize) {
    l.0.borrow_mut().swap(i, j);
}

/// Lets the item at `at` rise, but not above `start`.
fn rise(vm: &Vm, l: &List, start: usize, mut at: usize, max: bool) -> Res<()> {
    let n = l.len();
    while at > start {
        let parent = (at - 1) / 2;
        if !item_before(vm, l, at, parent, n, max)? {
            break;
        }
        swap(l, at, parent);
        at = parent;
    }
    Ok(())
}

/// Lets the item at `start` sink to a leaf, along the children that come first, then rise to its place: fewer comparisons than checking on
/// the way.
fn sink(vm: &Vm, l: &List, start: usize, max: bool) -> Res<()> {
    let n = l.len();
    let mut at = start;
    while 2 * at + 1 < n {
        let mut child = 2 * at + 1;
        if child + 1 < n && !item_before(vm, l, child, child + 1, n, max)? {
            child += 1;
        }
        swap(l, at, child);
        at = child;
    }
    rise(vm, l, start, at, max)
}

fn push(vm: &Vm, a: &[Value], max: bool) -> Res {
    let l = heap(vm, &a[0])?;
    l.push(a[1].clone());
    rise(vm, l, 0, l.len() - 1, max)?;
    Ok(Value::NONE)
}

fn pop(vm: &Vm, a: &[Value], max: bool) -> Res {
    let l = heap(vm, &a[0])?;
    let Some(last) = l.0.borrow_mut().pop() else {
        return Err(vm.index_error("index out of range"));
    };
    if l.is_empty() {
        return Ok(last);
    }
    let top = std::mem::replace(&mut l.0.borrow_mut()[0], last);
    sink(vm, l, 0, max)?;
    Ok(top)
}

fn replace(vm: &Vm, a: &[Value], max: bool) -> Res {
    let l = heap(vm, &a[0])?;
    if l.is_empty() {
        return Err(vm.index_error("index out of range"));
    }
    let top = std::mem::replace(&mut l.0.borrow_mut()[0], a[1].clone());
    sink(vm, l, 0, max)?;
    Ok(top)
}

fn pushpop(vm: &Vm, a: &[Value], max: bool) -> Res {
    let l = heap(vm, &a[0])?;
    let Some(top) = l.get(0) else {
        return Ok(a[1].clone());
    };
    if !before(vm, &top, &a[1], max)? {
        return Ok(a[1].clone());
    }
    if l.is_empty() {
        return Err(vm.index_error("index out of range"));
    }
    let top = std::mem::replace(&mut l.0.borrow_mut()[0], a[1].clone());
    sink(vm, l, 0, max)?;
    Ok(top)
}

fn heapify(vm: &Vm, a: &[Value], max: bool) -> Res {
    let l = heap(vm, &a[0])?;
    for i in (0..l.len() / 2).rev() {
        sink(vm, l, i, max)?;
    }
    Ok(Value::NONE)
}

static FUNCTIONS: &[NativeDef] = rows! {
    "heappush(heap, item, /)" |vm, a| push(vm, a, false), "Push item onto heap, maintaining the heap invariant.";
    "heappop(heap, /)" |vm, a| pop(vm, a, false), "Pop the smallest item off the heap, maintaining the heap invariant.";
    "heapreplace(heap, item, /)" |vm, a| replace(vm, a, false), "Pop and return the current smallest value, and add the new item.";
    "heappushpop(heap, item, /)" |vm, a| pushpop(vm, a, false), "Push item on the heap, then pop and return the smallest item from the heap.";
    "heapify(heap, /)" |vm, a| heapify(vm, a, false), "Transform list into a heap, in-place, in O(len(heap)) time.";
    "heappush_max(heap, item, /)" |vm, a| push(vm, a, true), "Push item onto max heap, maintaining the heap invariant.";
    "heappop_max(heap, /)" |vm, a| pop(vm, a, true), "Maxheap variant of heappop.";
    "heapreplace_max(heap, item, /)" |vm, a| replace(vm, a, true), "Maxheap variant of heapreplace.";
    "heappushpop_max(heap, item, /)" |vm, a| pushpop(vm, a, true), "Maxheap variant of heappushpop.";
    "heapify_max(heap, /)" |vm, a| heapify(vm, a, true), "Maxheap variant of heapify.";
};

pub fn init(vm: &Vm) -> Res {
    Ok(vm.native_module(
        "_heapq",
        "Heap queue algorithm (a.k.a. priority queue).",
        &[FUNCTIONS],
    ))
}
