//! The payload of the event loop: ready queue, timers, tasks, descriptors.
//!
//! ```text
//!            call_soon, wake-ups, done-callbacks
//!   ready:   [ Step | Wake | Call | Handle | ... ]    each turn runs exactly the entries that were there when it began
//!   timers:  heap of (when, Handle or sleeping coroutine)
//!   io:      poller, and who waits for which descriptor (made when the first one comes)
//!   outside: a locked queue and a waker, for other threads
//! ```
//! `run` is the loop itself, `loop_type` what scripts see.
//!
//! Rules:
//! 1. No borrow of a cell here is held while script code can run.
//! 2. `direct` says that no script overrides `call_soon` or `create_task`: then entries are pushed without a call.

#![allow(unsafe_code)]

use super::future::fflag;
use super::io::Io;
use super::ready::Ready;
use super::slot::Slot;
use super::task::Task;
use super::timers::Timers;
use crate::host::clock::ClockSlot;
use crate::object::header::{Kind, Obj, Payload};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// See the module's head.
pub struct Loop {
    ready: UnsafeCell<VecDeque<Ready>>,
    pub timers: RefCell<Timers>,
    /// The task that is running.
    pub current: Slot,
    /// The list of live tasks: the first (owned), and the last.
    first: Slot,
    last: Cell<*const Obj<Task>>,
    pub direct: Cell<bool>,
    /// A script's `time()`.
    pub own_time: Cell<bool>,
    pub running: Cell<bool>,
    pub stopping: Cell<bool>,
    pub closed: Cell<bool>,
    pub debug: Cell<bool>,
    pub slow_duration: Cell<f64>,
    pub task_factory: Slot,
    pub exception_handler: Slot,
    /// Weak references to async generators that have begun.
    pub asyncgens: RefCell<Vec<Value>>,
    pub asyncgens_closed: Cell<bool>,
    pub io: RefCell<Option<Box<Io>>>,
    pub clock: Rc<ClockSlot>,
}

// SAFETY: one type per kind; each value is visited once (tasks: the first here, each next one by its predecessor).
unsafe impl Payload for Loop {
    const KIND: Kind = Kind::Loop;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            (*self.ready.get()).iter().for_each(|r| r.trace(visit));
            (*self.timers.as_ptr()).trace(visit);
            (*self.asyncgens.as_ptr()).iter().for_each(&mut *visit);
            if let Some(io) = &*self.io.as_ptr() {
                io.trace(visit)
            }
        }
        for s in [
            &self.current,
            &self.first,
            &self.task_factory,
            &self.exception_handler,
        ] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        let old = (
            self.take_ready(),
            self.timers.borrow_mut().take(),
            self.task_factory.take(),
            self.exception_handler.take(),
            self.io.take(),
        );
        drop(old);
        drop(self.take_tasks());
    }
}

impl Loop {
    pub fn new(clock: Rc<ClockSlot>) -> Loop {
        Loop {
            ready: UnsafeCell::default(),
            timers: RefCell::default(),
            current: Slot::empty(),
            first: Slot::empty(),
            last: Cell::new(std::ptr::null()),
            direct: Cell::new(true),
            own_time: Cell::new(false),
            running: Cell::new(false),
            stopping: Cell::new(false),
            closed: Cell::new(false),
            debug: Cell::new(false),
            slow_duration: Cell::new(0.1),
            task_factory: Slot::empty(),
            exception_handler: Slot::empty(),
            asyncgens: RefCell::default(),
            asyncgens_closed: Cell::new(false),
            io: RefCell::new(None),
            clock,
        }
    }

    #[inline(always)]
    pub fn push(&self, r: Ready) {
        // SAFETY: one thread; pushing calls nothing that could come back here.
        unsafe { (*self.ready.get()).push_back(r) }
    }
    #[inline(always)]
    pub fn pop(&self) -> Option<Ready> {
        // SAFETY: as above.
        unsafe { (*self.ready.get()).pop_front() }
    }
    #[inline(always)]
    pub fn ready_len(&self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.ready.get()).len() }
    }
    pub fn take_ready(&self) -> VecDeque<Ready> {
        // SAFETY: as above; the entries are dropped by the caller.
        unsafe { std::mem::take(&mut *self.ready.get()) }
    }

    /// Loop time in seconds.
    pub fn monotonic(&self) -> f64 {
        self.clock.get().monotonic_ns() as f64 * 1e-9
    }
    /// `time()`, by the script's method if it has one.
    pub fn now(&self, vm: &Vm, lv: &Value) -> Res<f64> {
        if !self.own_time.get() {
            return Ok(self.monotonic());
        }
        let t = vm.call_method(lv, &vm.intern("time"), &[])?;
        vm.to_f64(&t)
    }

    /// Enters a task in the list.
    pub fn link(&self, tv: &Value, t: &Task) {
        if t.fut.has(fflag::LISTED) {
            return;
        }
        t.fut.set_flag(fflag::LISTED, true);
        let last = self.last.get();
        t.prev.set(last);
        self.last.set(tv.bits() as *const Obj<Task>);
        if last.is_null() {
            self.first.set(tv.clone());
        } else {
            // SAFETY: the list owns its tasks.
            unsafe { (*last).data.next.set(tv.clone()) }
        }
    }

    /// Takes a task out of the list.
    pub fn unlink(&self, t: &Task) {
        if !t.fut.has(fflag::LISTED) {
            return;
        }
        t.fut.set_flag(fflag::LISTED, false);
        let prev = t.prev.replace(std::ptr::null());
        let next = t.next.take();
        match next.get::<Task>() {
            Some(n) => n.prev.set(prev),
            None => self.last.set(prev),
        }
        // The reference that the list had to `t` is dropped here; callers hold their own.
        let mine = if prev.is_null() {
            self.first.replace(next)
        } else {
            // SAFETY: the list owns its tasks.
            unsafe { (*prev).data.next.replace(next) }
        };
        drop(mine);
    }

    /// The live tasks in order of creation.
    pub fn tasks(&self) -> Vec<Value> {
        let mut out = Vec::new();
        let mut at = self.first.get();
        while let Some(t) = at.get::<Task>() {
            let next = t.next.get();
            out.push(at.clone());
            at = next;
        }
        out
    }
    pub fn has_tasks(&self) -> bool {
        self.first.is_set()
    }
    /// Empties the list; gives the tasks.
    pub fn take_tasks(&self) -> Vec<Value> {
        let all = self.tasks();
        for t in &all {
            if let Some(t) = t.get::<Task>() {
                t.fut.set_flag(fflag::LISTED, false);
                t.prev.set(std::ptr::null());
                drop(t.next.take());
            }
        }
        self.last.set(std::ptr::null());
        drop(self.first.take());
        all
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // Tasks that outlive the loop must not find it in their links.
        drop(self.take_tasks());
    }
}
