//! Payloads of exceptions and tracebacks.
//!
//! A traceback entry is the code object and the offset of the instruction; the line is worked out only when asked for.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::value::Value;
use std::cell::{Cell, RefCell};

/// The payload of BaseException and all its subclasses. Fields that only some classes have (`errno`, `name`, `exceptions`, ...) are ordinary
/// attributes in `extra`.
pub struct Exception {
    /// Tuple.
    pub args: RefCell<Value>,
    /// None or an exception.
    pub cause: RefCell<Value>,
    pub context: RefCell<Value>,
    pub suppress_context: Cell<bool>,
    /// None or a traceback object.
    pub traceback: RefCell<Value>,
    /// Dict of class-specific fields and `__notes__`, or unbound.
    pub extra: RefCell<Value>,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Exception {
    const KIND: Kind = Kind::Exception;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            for c in [
                &self.args,
                &self.cause,
                &self.context,
                &self.traceback,
                &self.extra,
            ] {
                visit(&*c.as_ptr());
            }
        }
    }
    fn clear(&self) {
        let old = [
            self.cause.replace(Value::NONE),
            self.context.replace(Value::NONE),
            self.traceback.replace(Value::NONE),
            self.extra.replace(Value::UNBOUND),
        ];
        drop(old);
    }
}

impl Exception {
    pub fn new(args: Value) -> Exception {
        Exception {
            args: RefCell::new(args),
            cause: RefCell::new(Value::NONE),
            context: RefCell::new(Value::NONE),
            suppress_context: Cell::new(false),
            traceback: RefCell::new(Value::NONE),
            extra: RefCell::new(Value::UNBOUND),
        }
    }
}

/// One level of a traceback.
pub struct Traceback {
    /// The function that was running, until somebody asks for the frame object; then that (`Vm::traceback_frame`).
    pub frame: RefCell<Value>,
    /// Word offset of the instruction that was running.
    pub at: u32,
    /// The line, if it was set by hand (`types.TracebackType`); 0: ask the code.
    pub lineno: Cell<u32>,
    /// The next (inner) level, or None.
    pub next: RefCell<Value>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Traceback {
    const KIND: Kind = Kind::Traceback;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            visit(&*self.frame.as_ptr());
            visit(&*self.next.as_ptr());
        }
    }
}

/// A frame as scripts see it: a record of the function and where it was, not the running frame itself.
pub struct FrameObj {
    /// The code object.
    pub code: Value,
    pub globals: Value,
    /// Word offset of the instruction, as last known.
    pub at: Cell<u32>,
    /// The caller's frame object, None, or unbound if it was not recorded.
    pub back: RefCell<Value>,
    /// A dict of the locals as of the time it was made, or unbound.
    pub locals: RefCell<Value>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for FrameObj {
    const KIND: Kind = Kind::Frame;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.code);
        visit(&self.globals);
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            visit(&*self.back.as_ptr());
            visit(&*self.locals.as_ptr());
        }
    }
    fn clear(&self) {
        let old = (
            self.back.replace(Value::NONE),
            self.locals.replace(Value::UNBOUND),
        );
        drop(old);
    }
}
