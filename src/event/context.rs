//! The context (of context variables) that tasks and callbacks run in.
//!
//! A task or handle keeps its context in a slot. Unbound stands for "a copy of an empty context, not looked at yet": most programs use no context variables,
//! and need no context objects then.

use super::slot::Slot;
use crate::object::value::Value;
use crate::vm::Vm;

/// A copy of the current context, for a new task or callback.
#[inline(always)]
pub fn copy_current(_vm: &Vm) -> Value {
    Value::UNBOUND
}

/// Makes a context current; gives what was, for `leave`.
#[inline(always)]
pub fn enter(_vm: &Vm, _ctx: &Value) -> Value {
    Value::UNBOUND
}
#[inline(always)]
pub fn leave(_vm: &Vm, _before: Value) {}

/// The context in a slot as scripts see it.
pub fn object(_vm: &Vm, slot: &Slot) -> Value {
    slot.or_none()
}

/// The current context itself, for callbacks that are to run in it.
#[inline(always)]
pub fn current_object(_vm: &Vm) -> Value {
    Value::NONE
}
