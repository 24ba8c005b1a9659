//! Contexts (of context variables): their payloads, and which one is current.
//!
//! A context is a sorted list of (variable, value) behind a shared pointer: copying one is O(1), and a change copies the list first if others share it. (Programs
//! have a handful of variables; CPython's tree pays off beyond hundreds.)
//!
//! A task or callback keeps its context in a slot. An unbound slot stands for an empty context that nobody has looked at: most programs use no context variables,
//! and need no context objects then. The first change makes the object and puts it in the slot.
//!
//! Rule: `place` points to the slot of whatever runs; that slot lives until `leave`.

#![allow(unsafe_code)]

use super::slot::Slot;
use super::state::state;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A variable's value in a context.
#[derive(Clone)]
pub struct Binding {
    pub id: u64,
    pub var: Value,
    pub value: Value,
}

/// The payload of contextvars.Context.
pub struct Context {
    /// Sorted by the variable's number.
    pub vars: RefCell<Rc<Vec<Binding>>>,
    pub entered: Cell<bool>,
}

// SAFETY: one type per kind. Lists that several contexts share are visited by none of them but the only owner: the collector must not count a shared reference twice.
unsafe impl Payload for Context {
    const KIND: Kind = Kind::Context;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        let vars = unsafe { &*self.vars.as_ptr() };
        if Rc::strong_count(vars) == 1 {
            for b in vars.iter() {
                visit(&b.var);
                visit(&b.value);
            }
        }
    }
    fn clear(&self) {
        let old = self.vars.take();
        drop(old);
    }
}

/// The payload of contextvars.ContextVar.
pub struct ContextVar {
    pub id: u64,
    pub name: Value,
    /// Unbound: none.
    pub default: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for ContextVar {
    const KIND: Kind = Kind::ContextVar;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.name);
        visit(&self.default);
    }
}

/// Which context is current.
pub struct Current {
    /// The slot of whatever runs; null: the VM's own.
    place: Cell<*const Slot>,
    base: Slot,
    next_id: Cell<u64>,
}
impl Default for Current {
    fn default() -> Current {
        Current {
            place: Cell::new(std::ptr::null()),
            base: Slot::empty(),
            next_id: Cell::new(1),
        }
    }
}

/// A number for a new variable.
pub fn next_id(vm: &Vm) -> u64 {
    let n = &state(vm).contexts.next_id;
    n.set(n.get() + 1);
    n.get()
}

#[inline(always)]
fn place(vm: &Vm) -> &Slot {
    let c = &state(vm).contexts;
    let p = c.place.get();
    // SAFETY: the rule: whoever entered the slot keeps it until it leaves.
    if p.is_null() { &c.base } else { unsafe { &*p } }
}

/// What was current, for `leave`.
pub struct Before(*const Slot);

/// Makes the context in a slot current.
#[inline(always)]
pub fn enter(vm: &Vm, slot: &Slot) -> Before {
    Before(state(vm).contexts.place.replace(slot))
}
#[inline(always)]
pub fn leave(vm: &Vm, before: Before) {
    state(vm).contexts.place.set(before.0)
}

/// A copy of the current context, for a new task or callback; unbound if it is empty.
#[inline(always)]
pub fn copy_current(vm: &Vm) -> Value {
    match place(vm).peek().get::<Context>() {
        None => Value::UNBOUND,
        Some(c) => copy(vm, c),
    }
}
fn copy(vm: &Vm, c: &Context) -> Value {
    let vars = c.vars.borrow().clone();
    if vars.is_empty() {
        return Value::UNBOUND;
    }
    vm.alloc(Context {
        vars: RefCell::new(vars),
        entered: Cell::new(false),
    })
}
/// A copy of any context, as an object.
pub fn copy_object(vm: &Vm, c: &Context) -> Value {
    vm.alloc(Context {
        vars: RefCell::new(c.vars.borrow().clone()),
        entered: Cell::new(false),
    })
}
/// As `copy_current`, with None for an empty one (unbound marks native entries in lists of callbacks).
#[inline(always)]
pub fn current_object(vm: &Vm) -> Value {
    let c = copy_current(vm);
    if c.is_unbound() { Value::NONE } else { c }
}
/// The slot for a context given as a value; None stands for an empty one.
pub fn slot_of(v: &Value) -> Slot {
    Slot::new(v.non_none().cloned().unwrap_or(Value::UNBOUND))
}

pub fn new_context(vm: &Vm) -> Value {
    vm.alloc(Context {
        vars: RefCell::default(),
        entered: Cell::new(false),
    })
}

/// The context in a slot as scripts see it.
pub fn object(vm: &Vm, slot: &Slot) -> Value {
    if slot.peek().non_none().is_none() {
        slot.set(new_context(vm));
    }
    slot.get()
}
/// The current context as an object.
pub fn current(vm: &Vm) -> Value {
    object(vm, place(vm))
}

/// A variable's value in the current context.
#[inline]
pub fn lookup(vm: &Vm, id: u64) -> Option<Value> {
    lookup_in(place(vm).peek().get::<Context>()?, id)
}
pub fn lookup_in(c: &Context, id: u64) -> Option<Value> {
    let vars = c.vars.borrow();
    vars.binary_search_by_key(&id, |b| b.id)
        .ok()
        .map(|i| vars[i].value.clone())
}

/// Sets a variable in the current context (unbound: takes it out); gives the value before.
pub fn set(vm: &Vm, id: u64, var: &Value, value: Value) -> Option<Value> {
    let ctx = current(vm);
    let c = ctx.get::<Context>()?;
    let mut shared = c.vars.borrow_mut();
    let vars = Rc::make_mut(&mut shared);
    match vars.binary_search_by_key(&id, |b| b.id) {
        Ok(i) if value.is_unbound() => Some(vars.remove(i).value),
        Ok(i) => Some(std::mem::replace(&mut vars[i].value, value)),
        Err(_) if value.is_unbound() => None,
        Err(i) => {
            vars.insert(
                i,
                Binding {
                    id,
                    var: var.clone(),
                    value,
                },
            );
            None
        }
    }
}

/// `_copy_context()`: a copy of the current context, for a Runner.
fn copy_context(vm: &Vm, _: &[Value]) -> Res {
    let c = copy_current(vm);
    Ok(if c.is_unbound() { new_context(vm) } else { c })
}
pub static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "_copy_context()",
    f: copy_context,
    doc: "A copy of the current context.",
}];
