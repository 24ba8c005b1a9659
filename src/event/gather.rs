//! `asyncio.gather()`: one future for the results of many.
//!
//! The gathering future is itself the waiter of each child, so a child needs no callback object; it is told of each child by an entry in the ready queue, as
//! CPython's callbacks would be.

#![allow(unsafe_code)]

use super::future::{
    Future, State, cancelled_error, fail, fflag, finish, head, log_tb_off, make_cancelled_error,
};
use super::state::state;
use super::task::{cancel_any, is_coroutine, subclassed};
use crate::object::header::{Kind, Payload};
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

/// The payload of gathering futures; begins as every future does.
#[repr(C)]
pub struct Gather {
    pub fut: Future,
    /// One per argument, in their order.
    pub children: RefCell<Vec<Value>>,
    /// Children that are not done.
    pub left: Cell<usize>,
    pub return_exceptions: bool,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Gather {
    const KIND: Kind = Kind::Gather;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.fut.trace_head(visit);
        // SAFETY: safe points only, no borrow is held.
        unsafe { (*self.children.as_ptr()).iter().for_each(visit) }
    }
    fn clear(&self) {
        self.fut.clear_head();
        let old = self.children.take();
        drop(old);
    }
}

/// `ensure_future`, without the script half where the argument is an ordinary one.
pub fn ensure(vm: &Vm, v: &Value, loop_: &Value) -> Res {
    if head(v).is_some() && (loop_.is_none() || head(v).is_some_and(|f| f.loop_.peek().is(loop_))) {
        return Ok(v.clone());
    }
    if is_coroutine(vm, v) {
        let lv = if loop_.is_none() {
            super::get_event_loop(vm)?
        } else {
            loop_.clone()
        };
        return super::loop_type::create_task_in(vm, &lv, v);
    }
    let tasks = super::import(vm, "asyncio.tasks")?;
    let f = vm.getattr_str(&tasks, "_ensure_awaitable")?;
    vm.call(&f, &[v.clone(), loop_.clone()])
}

fn loop_of(vm: &Vm, v: &Value) -> Res {
    if let Some(f) = head(v) {
        return Ok(f.loop_.get());
    }
    let name = vm.names.get_loop.clone();
    vm.call_method(v, &name, &[])
}

/// True if the native waiter of a future may be used: no method of a script stands between.
pub fn plain_future(v: &Value) -> Option<&Future> {
    head(v).filter(|_| !subclassed(v))
}

fn is_done(vm: &Vm, v: &Value) -> Res<bool> {
    match head(v) {
        Some(f) => Ok(f.done()),
        None => {
            let d = vm.call_method(v, &vm.names.done.clone(), &[])?;
            vm.truth(&d)
        }
    }
}

/// `gather(*coros_or_futures, return_exceptions=False, loop=None)`
fn gather(vm: &Vm, a: &[Value]) -> Res {
    let args = tuple_items(&a[0]);
    let return_exceptions = vm.truth(&a[1])?;
    let mut lv = a[2].clone();
    if args.is_empty() {
        let lv = if lv.is_none() {
            super::get_event_loop(vm)?
        } else {
            lv
        };
        let f = super::loop_type::create_future_in(vm, &lv)?;
        let empty = vm.list(vec![]);
        match head(&f) {
            Some(h) => finish(vm, &f, h, empty)?,
            None => drop(vm.call_method(&f, &vm.names.set_result.clone(), &[empty])?),
        }
        return Ok(f);
    }
    let mut children: Vec<Value> = Vec::with_capacity(args.len());
    let mut unique: Vec<Value> = Vec::with_capacity(args.len());
    // Arguments given twice run once. Identity settles that for futures and coroutines; a few arguments are compared in a loop.
    let mut seen: std::collections::HashMap<u64, usize> = std::collections::HashMap::new();
    for (i, arg) in args.iter().enumerate() {
        if args.len() <= 8 {
            if let Some(j) = args[..i].iter().position(|x| x.is(arg)) {
                let child = children[j].clone();
                children.push(child);
                continue;
            }
        } else if let Some(&j) = seen.get(&arg.id()) {
            let child = children[j].clone();
            children.push(child);
            continue;
        } else {
            seen.insert(arg.id(), i);
        }
        let child = ensure(vm, arg, &lv)?;
        if lv.is_none() {
            lv = loop_of(vm, &child)?;
        }
        if !child.is(arg)
            && let Some(f) = head(&child)
        {
            // Nobody else knows this task, so its destruction is nobody's mistake.
            f.set_flag(fflag::LOG_DESTROY, false);
        }
        unique.push(child.clone());
        children.push(child);
    }
    let outer = vm.alloc(Gather {
        fut: Future::new(lv),
        children: RefCell::new(children),
        left: Cell::new(unique.len()),
        return_exceptions,
    });
    let mut already = Vec::new();
    for child in unique {
        if is_done(vm, &child)? {
            already.push(child);
            continue;
        }
        match plain_future(&child) {
            Some(f) => f.add_waiter(&outer),
            None => {
                let cb = super::task_type::child_method(vm, &outer);
                let name = vm.names.add_done_callback.clone();
                vm.call_method(&child, &name, &[cb])?;
            }
        }
    }
    for child in already {
        tell(vm, &outer, &child)?;
    }
    Ok(outer)
}

/// A child is done, whatever it is.
pub fn tell(vm: &Vm, outer: &Value, child: &Value) -> Res<()> {
    match head(child) {
        Some(f) => child_done(vm, outer, child, f),
        None => foreign_done(vm, outer, child),
    }
}

/// A child of another make: its outcome is copied into a future of ours.
fn foreign_done(vm: &Vm, outer: &Value, child: &Value) -> Res<()> {
    let Some(g) = outer.get::<Gather>() else {
        return Ok(());
    };
    let copy = vm.new_future(g.fut.loop_.peek());
    let Some(f) = head(&copy) else { return Ok(()) };
    let cancelled = vm.call_method(child, &vm.names.cancelled.clone(), &[])?;
    if vm.truth(&cancelled)? {
        f.state.set(State::Cancelled);
    } else {
        let e = vm.call_method(child, &vm.names.exception.clone(), &[])?;
        if e.is_none() {
            let r = vm.call_method(child, &vm.names.result.clone(), &[])?;
            finish(vm, &copy, f, r)?;
        } else {
            fail(vm, &copy, f, e)?;
        }
    }
    for c in g.children.borrow_mut().iter_mut() {
        if c.is(child) {
            *c = copy.clone();
        }
    }
    child_done(vm, outer, &copy, f)
}

/// The entry for a child came up in the ready queue.
pub fn child_done(vm: &Vm, outer: &Value, child: &Value, f: &Future) -> Res<()> {
    let Some(g) = outer.get::<Gather>() else {
        return Ok(());
    };
    g.left.set(g.left.get().saturating_sub(1));
    if g.fut.done() {
        log_tb_off(child, f);
        return Ok(());
    }
    if !g.return_exceptions {
        let exc = match f.state.get() {
            State::Cancelled => Some(make_cancelled_error(vm, f)),
            _ => f.exc(),
        };
        if let Some(e) = exc {
            log_tb_off(child, f);
            return set_exception(vm, outer, g, e);
        }
    }
    if g.left.get() > 0 {
        return Ok(());
    }
    let children = g.children.borrow().clone();
    let mut results = Vec::with_capacity(children.len());
    for c in &children {
        let Some(f) = head(c) else {
            results.push(Value::NONE);
            continue;
        };
        log_tb_off(c, f);
        results.push(match f.state.get() {
            State::Cancelled => {
                cancelled_error(vm, Some(f.cancel_message().unwrap_or_else(|| vm.str(""))))
            }
            _ => f.result.get(),
        });
    }
    if g.fut.has(fflag::CANCEL_REQUESTED) {
        return set_exception(vm, outer, g, make_cancelled_error(vm, f));
    }
    g.fut.result.set(vm.list(results));
    g.fut.state.set(State::Finished);
    super::future::schedule_waiters(vm, outer, &g.fut)
}

fn set_exception(vm: &Vm, outer: &Value, g: &Gather, e: Value) -> Res<()> {
    fail(vm, outer, &g.fut, e)
}

/// `cancel()`: every child is asked; if one agrees, the gather will end as cancelled.
pub fn cancel(vm: &Vm, v: &Value, msg: Option<Value>) -> Res<bool> {
    let Some(g) = v.get::<Gather>() else {
        return Ok(false);
    };
    if g.fut.done() {
        return Ok(false);
    }
    let children = g.children.borrow().clone();
    let mut any = false;
    for c in &children {
        any |= cancel_any(vm, c, msg.clone())?;
    }
    if any {
        g.fut.set_flag(fflag::CANCEL_REQUESTED, true);
    }
    Ok(any)
}

/// `ensure_future` for scripts: the fast part; the rest is in the script half.
fn ensure_future(vm: &Vm, a: &[Value]) -> Res {
    let lv = a[1].clone();
    if let Some(f) = head(&a[0]) {
        if !lv.is_none() && !f.loop_.peek().is(&lv) {
            return Err(vm.value_error("The future belongs to a different loop than the one specified as the loop argument"));
        }
        return Ok(a[0].clone());
    }
    if is_coroutine(vm, &a[0]) {
        return ensure(vm, &a[0], &lv);
    }
    let tasks = super::import(vm, "asyncio.tasks")?;
    let f = vm.getattr_str(&tasks, "_ensure_awaitable")?;
    vm.call(&f, &[a[0].clone(), lv])
}

/// `create_task(coro, *, name=None, context=None)` in the running loop.
fn create_task(vm: &Vm, a: &[Value]) -> Res {
    let lv = super::running_loop(vm)?;
    super::loop_type::create_task_with(
        vm,
        &lv,
        &a[0],
        &a[1],
        &a[2],
        &a[3],
        a[4].get::<crate::object::dict::Dict>(),
    )
}

/// The message of no running loop is asked for in many places.
pub fn running(vm: &Vm) -> Value {
    state(vm).running.get()
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "gather(*coros_or_futures, return_exceptions=False, loop=None)",
        f: gather,
        doc: "A future for the results of all, in the order of the arguments.",
    },
    NativeDef {
        sig: "ensure_future(coro_or_future, *, loop=None)",
        f: ensure_future,
        doc: "A future as it is; anything else that can be awaited, as a task.",
    },
    NativeDef {
        sig: "create_task(coro, *, name=..., context=..., eager_start=..., **kwargs)",
        f: create_task,
        doc: "Start a coroutine as a task in the running loop.",
    },
];
