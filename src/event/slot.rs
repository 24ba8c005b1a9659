//! `Slot`: a place for one Value inside a payload that changes.
//!
//! A `RefCell<Value>` would cost a word for its flag in every field of every task. Dropping a Value never runs script code (see `object::heap`), so a plain
//! place that is only read and replaced is safe as long as nobody keeps a reference to its content across a write.
//!
//! Rule: `peek` is for looking, at once: no call that could change the slot while the reference lives.

#![allow(unsafe_code)]

use crate::object::value::Value;
use std::cell::UnsafeCell;

/// See the module's head.
#[repr(transparent)]
pub struct Slot(UnsafeCell<Value>);

impl Slot {
    pub const fn new(v: Value) -> Slot {
        Slot(UnsafeCell::new(v))
    }
    /// An empty slot.
    pub const fn empty() -> Slot {
        Slot(UnsafeCell::new(Value::UNBOUND))
    }
    #[inline(always)]
    pub fn get(&self) -> Value {
        // SAFETY: one thread; a clone calls nothing.
        unsafe { (*self.0.get()).clone() }
    }
    /// The content, to look at (see the rule).
    #[inline(always)]
    pub fn peek(&self) -> &Value {
        // SAFETY: the rule.
        unsafe { &*self.0.get() }
    }
    #[inline(always)]
    pub fn replace(&self, v: Value) -> Value {
        // SAFETY: one thread; the old value is dropped by the caller, after the write.
        unsafe { std::mem::replace(&mut *self.0.get(), v) }
    }
    #[inline(always)]
    pub fn set(&self, v: Value) {
        drop(self.replace(v));
    }
    /// Empties the slot.
    #[inline(always)]
    pub fn take(&self) -> Value {
        self.replace(Value::UNBOUND)
    }
    #[inline(always)]
    pub fn is_set(&self) -> bool {
        !self.peek().is_unbound()
    }
    /// The content for a script: None if empty.
    pub fn or_none(&self) -> Value {
        if self.is_set() {
            self.get()
        } else {
            Value::NONE
        }
    }
}
