//! The line of native coroutines that wait at a primitive.
//!
//! Rule: no borrow is held while one is woken (waking may call a script's loop).

use super::coro::{is_cancelled, is_waiting, wake};
use super::slot::Slot;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::RefCell;
use std::collections::VecDeque;

/// See the module's head. Boxed on the first wait: most primitives never have a line.
#[derive(Default)]
#[allow(clippy::box_collection)]
pub struct Line(RefCell<Option<Box<VecDeque<Value>>>>);

impl Line {
    pub fn len(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |q| q.len())
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn push(&self, v: Value) {
        self.0
            .borrow_mut()
            .get_or_insert_with(Box::default)
            .push_back(v)
    }
    pub fn first(&self) -> Option<Value> {
        self.0.borrow().as_ref().and_then(|q| q.front().cloned())
    }
    pub fn pop(&self) -> Option<Value> {
        self.0.borrow_mut().as_mut().and_then(|q| q.pop_front())
    }
    /// Takes one out, wherever it stands (usually at the front).
    pub fn remove(&self, v: &Value) -> bool {
        let mut q = self.0.borrow_mut();
        let Some(q) = q.as_mut() else { return false };
        if q.front().is_some_and(|f| f.is(v)) {
            q.pop_front();
            return true;
        }
        let at = q.iter().position(|x| x.is(v));
        at.map(|i| q.remove(i)).is_some()
    }
    pub fn to_vec(&self) -> Vec<Value> {
        self.0
            .borrow()
            .as_ref()
            .map_or(Vec::new(), |q| q.iter().cloned().collect())
    }
    /// True if nobody in line still wants his turn (all were cancelled).
    pub fn all_cancelled(&self) -> bool {
        self.0
            .borrow()
            .as_ref()
            .is_none_or(|q| q.iter().all(is_cancelled))
    }
    /// The first that is neither woken nor cancelled.
    pub fn first_waiting(&self) -> Option<Value> {
        self.0
            .borrow()
            .as_ref()
            .and_then(|q| q.iter().find(|v| is_waiting(v)).cloned())
    }
    pub fn wake_all(&self, vm: &Vm) -> Res<()> {
        for v in self.to_vec() {
            wake(vm, &v)?;
        }
        Ok(())
    }
    /// Takes out from the front until one could be woken.
    pub fn wake_next(&self, vm: &Vm) -> Res<()> {
        while let Some(v) = self.pop() {
            if wake(vm, &v)? {
                break;
            }
        }
        Ok(())
    }
    /// SAFETY note: called by the collector at safe points, when no borrow is held.
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        if let Ok(q) = self.0.try_borrow()
            && let Some(q) = q.as_ref()
        {
            q.iter().for_each(visit)
        }
    }
    pub fn clear(&self) {
        let old = self.0.take();
        drop(old);
    }
}

/// The loop of a primitive: bound at the first wait.
pub fn bind_loop(vm: &Vm, me: &Value, slot: &Slot) -> Res<()> {
    let running = super::state::state(vm).running.peek();
    if slot.peek().is(running) && !running.is_unbound() {
        return Ok(());
    }
    let lv = super::running_loop(vm)?;
    if !slot.is_set() || slot.peek().is_none() {
        slot.set(lv);
        return Ok(());
    }
    let text = format!("{} is bound to a different event loop", vm.repr_string(me)?);
    Err(vm.runtime_error(text))
}
