//! Futures: the head that Future, Task and gather's future share, and what happens when one is done.
//!
//! ```text
//!   Future:  state u8 | flags u8 | - | cancels u32 | loop | result | waiter | rare
//!   Task, Gather: the same, then their own fields
//! ```
//! `waiter` is the one native object that waits (a Task, a Gather, a TaskGroup), which is the usual case and costs nothing. A second one, or a callback of a
//! script, moves all of them to the list in `rare`, in order of registration.
//!
//! Rules:
//! 1. Completing a future runs no script code: its waiters are put in the ready queue of its loop. (A loop made by a script is called, last.)
//! 2. The three kinds begin with the same fields: `head` may be used for any of them.

#![allow(unsafe_code)]

use super::ready::Ready;
use super::slot::Slot;
use super::state::state;
use crate::object::exception::Exception;
use crate::object::header::{Kind, Obj, Payload};
use crate::object::heap::Heap;
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    Pending,
    Cancelled,
    Finished,
}

/// Bits of `Future::flags`.
pub mod fflag {
    /// The exception was not looked at yet: worth a message when the future dies.
    pub const LOG_TB: u8 = 1;
    /// Yielded by an `await`, not by a bare `yield`.
    pub const BLOCKING: u8 = 2;
    /// `result` is an exception.
    pub const EXC: u8 = 4;
    /// Task: the next step throws CancelledError.
    pub const MUST_CANCEL: u8 = 8;
    /// Task: a pending task that dies says so.
    pub const LOG_DESTROY: u8 = 16;
    /// Task: in its loop's list.
    pub const LISTED: u8 = 32;
    /// Gather: asked to cancel.
    pub const CANCEL_REQUESTED: u8 = 64;
    /// The class was made by a script.
    pub const SUBCLASS: u8 = 128;
}

/// What few futures need.
#[derive(Default)]
pub struct Rare {
    /// (function, context), or (native waiter, unbound).
    pub callbacks: Vec<(Value, Value)>,
    pub cancel_message: Option<Value>,
    pub cancelled_exc: Option<Value>,
    /// The exception's traceback when it was set.
    pub exc_tb: Option<Value>,
    pub source_tb: Option<Value>,
    pub awaited_by: Vec<Value>,
}

impl Rare {
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for (f, c) in &self.callbacks {
            visit(f);
            visit(c);
        }
        for v in [
            &self.cancel_message,
            &self.cancelled_exc,
            &self.exc_tb,
            &self.source_tb,
        ]
        .into_iter()
        .flatten()
        {
            visit(v);
        }
        self.awaited_by.iter().for_each(visit);
    }
}

/// See the module's head.
#[repr(C)]
pub struct Future {
    pub state: Cell<State>,
    pub flags: Cell<u8>,
    /// Task: requests to cancel, less those taken back.
    pub cancels: Cell<u32>,
    pub loop_: Slot,
    /// The result or the exception, once finished.
    pub result: Slot,
    pub waiter: Slot,
    pub rare: RefCell<Option<Box<Rare>>>,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Future {
    const KIND: Kind = Kind::Future;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.trace_head(visit)
    }
    fn clear(&self) {
        self.clear_head()
    }
}

/// The head of any future.
#[inline(always)]
pub fn head(v: &Value) -> Option<&Future> {
    match v.kind() {
        // SAFETY: rule 2.
        Kind::Future | Kind::Task | Kind::Gather => {
            Some(unsafe { &(*(v.bits() as *const Obj<Future>)).data })
        }
        _ => None,
    }
}

impl Future {
    pub fn new(loop_: Value) -> Future {
        Future {
            state: Cell::new(State::Pending),
            flags: Cell::new(0),
            cancels: Cell::new(0),
            loop_: Slot::new(loop_),
            result: Slot::empty(),
            waiter: Slot::empty(),
            rare: RefCell::new(None),
        }
    }
    pub fn trace_head(&self, visit: &mut dyn FnMut(&Value)) {
        visit(self.loop_.peek());
        visit(self.result.peek());
        visit(self.waiter.peek());
        // SAFETY: safe points only, no borrow is held.
        if let Some(r) = unsafe { &*self.rare.as_ptr() } {
            r.trace(visit)
        }
    }
    pub fn clear_head(&self) {
        let old = (
            self.result.take(),
            self.waiter.take(),
            self.loop_.take(),
            self.rare.take(),
        );
        drop(old);
    }
    #[inline(always)]
    pub fn has(&self, bit: u8) -> bool {
        self.flags.get() & bit != 0
    }
    #[inline(always)]
    pub fn set_flag(&self, bit: u8, on: bool) {
        let f = self.flags.get();
        self.flags.set(if on { f | bit } else { f & !bit });
    }
    #[inline(always)]
    pub fn done(&self) -> bool {
        self.state.get() != State::Pending
    }
    /// The exception it ended with, if any.
    pub fn exc(&self) -> Option<Value> {
        if self.state.get() == State::Finished && self.has(fflag::EXC) {
            Some(self.result.get())
        } else {
            None
        }
    }
    /// Changes the rare fields.
    pub fn with_rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> R {
        f(self.rare.borrow_mut().get_or_insert_with(Box::default))
    }
    /// Reads the rare fields, if there are any.
    pub fn rare_opt<R>(&self, f: impl FnOnce(&mut Rare) -> Option<R>) -> Option<R> {
        self.rare.borrow_mut().as_mut().and_then(|r| f(r))
    }
    pub fn cancel_message(&self) -> Option<Value> {
        self.rare_opt(|r| r.cancel_message.clone())
    }
    pub fn set_cancel_message(&self, msg: Option<Value>) {
        if msg.is_some() || self.rare.borrow().is_some() {
            let old = self.with_rare(|r| std::mem::replace(&mut r.cancel_message, msg));
            drop(old);
        }
    }

    /// The waiters in order: the native one, or the list.
    pub fn waiters(&self) -> Vec<(Value, Value)> {
        if self.waiter.is_set() {
            return vec![(self.waiter.get(), Value::UNBOUND)];
        }
        self.rare_opt(|r| Some(r.callbacks.clone()))
            .unwrap_or_default()
    }

    /// Adds a native waiter (a Task, Gather or TaskGroup).
    #[inline]
    pub fn add_waiter(&self, w: &Value) {
        if !self.waiter.is_set()
            && self
                .rare_opt(|r| {
                    if r.callbacks.is_empty() {
                        None
                    } else {
                        Some(())
                    }
                })
                .is_none()
        {
            self.waiter.set(w.clone());
            return;
        }
        self.push_callback(w.clone(), Value::UNBOUND);
    }

    /// Adds an entry to the list, behind those that are there.
    pub fn push_callback(&self, f: Value, ctx: Value) {
        let first = self.waiter.take();
        self.with_rare(|r| {
            if !first.is_unbound() {
                r.callbacks.push((first, Value::UNBOUND));
            }
            r.callbacks.push((f, ctx));
        });
    }

    /// Removes a native waiter.
    pub fn remove_waiter(&self, w: &Value) {
        if self.waiter.peek().is(w) {
            self.waiter.take();
            return;
        }
        let old = self.rare_opt(|r| {
            r.callbacks
                .iter()
                .position(|(f, c)| c.is_unbound() && f.is(w))
                .map(|i| r.callbacks.remove(i))
        });
        drop(old);
    }
}

impl Vm {
    /// A new pending future of the plain class.
    pub fn new_future(&self, loop_: &Value) -> Value {
        self.alloc(Future::new(loop_.clone()))
    }
}

/// "CancelledError" of a future, with its message.
pub fn make_cancelled_error(vm: &Vm, f: &Future) -> Value {
    if let Some(e) = f.rare_opt(|r| r.cancelled_exc.take()) {
        return e;
    }
    cancelled_error(vm, f.cancel_message())
}

/// A CancelledError with a message, if there is one.
pub fn cancelled_error(vm: &Vm, msg: Option<Value>) -> Value {
    let args = match msg {
        Some(m) if !m.is_none() => vec![m],
        _ => vec![],
    };
    vm.new_exception(state(vm).cancelled_error.peek(), args)
}

pub fn is_cancelled_error(vm: &Vm, e: &Value) -> bool {
    vm.type_obj(e).is_subtype(state(vm).cancelled_error.peek())
}

pub fn invalid_state(vm: &Vm, text: &str) -> Raised {
    let m = vm.str(text);
    Raised(vm.new_exception(state(vm).invalid_state.peek(), vec![m]))
}

/// Puts everyone that waits for a finished future in the ready queue.
pub fn schedule_waiters(vm: &Vm, fv: &Value, f: &Future) -> Res<()> {
    let w = f.waiter.take();
    if !w.is_unbound() {
        return notify(vm, f, fv, w, Value::UNBOUND);
    }
    if f.rare.borrow().is_none() {
        return Ok(());
    }
    let list = f
        .rare_opt(|r| Some(std::mem::take(&mut r.callbacks)))
        .unwrap_or_default();
    for (func, ctx) in list {
        notify(vm, f, fv, func, ctx)?;
    }
    Ok(())
}

/// Tells one waiter of a finished future.
pub fn notify(vm: &Vm, f: &Future, fv: &Value, func: Value, ctx: Value) -> Res<()> {
    let r = if ctx.is_unbound() {
        match func.kind() {
            Kind::Task => Ready::Wake(func),
            _ => Ready::Child(func, fv.clone()),
        }
    } else {
        Ready::Call(func, fv.clone(), ctx)
    };
    super::ready::push(vm, f.loop_.peek(), r)
}

/// Ends a future with a result. The caller has checked that it is pending.
#[inline]
pub fn finish(vm: &Vm, fv: &Value, f: &Future, result: Value) -> Res<()> {
    f.result.set(result);
    f.state.set(State::Finished);
    schedule_waiters(vm, fv, f)
}

/// Ends a future with an exception object.
pub fn fail(vm: &Vm, fv: &Value, f: &Future, exc: Value) -> Res<()> {
    if let Some(x) = exc.get::<Exception>() {
        let tb = x.traceback.borrow().clone();
        if !tb.is_none() {
            f.with_rare(|r| r.exc_tb = Some(tb));
        }
    }
    f.result.set(exc);
    f.state.set(State::Finished);
    f.set_flag(fflag::EXC | fflag::LOG_TB, true);
    Heap::set_finalize(fv, true);
    schedule_waiters(vm, fv, f)
}

/// Cancels a future that is nothing but a future. False if it is done.
pub fn cancel_plain(vm: &Vm, fv: &Value, f: &Future, msg: Option<Value>) -> Res<bool> {
    log_tb_off(fv, f);
    if f.done() {
        return Ok(false);
    }
    f.state.set(State::Cancelled);
    f.set_cancel_message(msg);
    schedule_waiters(vm, fv, f)?;
    Ok(true)
}

/// Somebody has looked at the exception.
#[inline(always)]
pub fn log_tb_off(fv: &Value, f: &Future) {
    if f.has(fflag::LOG_TB) {
        f.set_flag(fflag::LOG_TB, false);
        Heap::set_finalize(fv, false);
    }
}

/// The result of a finished future, or what it raised.
pub fn result_of(vm: &Vm, fv: &Value, f: &Future) -> Res {
    match f.state.get() {
        State::Finished if !f.has(fflag::EXC) => Ok(f.result.get()),
        State::Finished => {
            log_tb_off(fv, f);
            let e = f.result.get();
            if let Some(x) = e.get::<Exception>() {
                // Each look gives it as it was set: entries of earlier looks go.
                let tb = f.rare_opt(|r| r.exc_tb.clone()).unwrap_or(Value::NONE);
                let old = x.traceback.replace(tb);
                drop(old);
            }
            Err(Raised(e))
        }
        State::Cancelled => Err(Raised(make_cancelled_error(vm, f))),
        State::Pending => Err(invalid_state(vm, "Result is not set.")),
    }
}
