//! Tasks: a future that runs a coroutine, and the step that runs it.
//!
//! A task that can run stands in its loop's ready queue; a step resumes its coroutine's innermost frame (`Vm::resume`), whatever the depth, and looks at why it
//! stopped: it yielded something to wait for, returned, or raised. What it waits for keeps the task itself as waiter: no callback object is made.
//!
//! Rules:
//! 1. `waits_on` is set exactly while the task waits for something.
//! 2. A live task is in its loop's list, which owns it (tasks are never lost), and in order of creation.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro};
use super::future::{
    Future, State, cancelled_error, fail, fflag, finish, head, is_cancelled_error,
    make_cancelled_error, schedule_waiters,
};
use super::lp::Loop;
use super::ready::{Ready, push};
use super::slot::Slot;
use super::state::state;
use crate::object::header::{Kind, Obj, Payload};
use crate::object::heap::Heap;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::resume::{Resumed, Step};
use crate::vm::{Raised, Res, Vm};
use std::cell::Cell;

/// See the module's head.
#[repr(C)]
pub struct Task {
    pub fut: Future,
    pub coro: Slot,
    pub context: Slot,
    /// A future or NativeCoro, or unbound.
    pub waits_on: Slot,
    /// A str, or the number of "Task-N".
    pub name: Slot,
    /// The next task of the loop's list (owned), and the one before.
    pub next: Slot,
    pub prev: Cell<*const Obj<Task>>,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Task {
    const KIND: Kind = Kind::Task;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.fut.trace_head(visit);
        for s in [
            &self.coro,
            &self.context,
            &self.waits_on,
            &self.name,
            &self.next,
        ] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        self.fut.clear_head();
        let old = (self.coro.take(), self.context.take(), self.waits_on.take());
        drop(old);
    }
}

impl Task {
    pub fn new(loop_: Value, coro: Value, context: Value, name: Value) -> Task {
        let t = Task {
            fut: Future::new(loop_),
            coro: Slot::new(coro),
            context: Slot::new(context),
            waits_on: Slot::empty(),
            name: Slot::new(name),
            next: Slot::empty(),
            prev: Cell::new(std::ptr::null()),
        };
        t.fut.set_flag(fflag::LOG_DESTROY, true);
        t
    }
}

/// True for what a task can run.
pub fn is_coroutine(vm: &Vm, v: &Value) -> bool {
    match v.kind() {
        Kind::Coroutine | Kind::NativeCoro => true,
        Kind::Generator => v
            .as_gen()
            .and_then(|g| g.func().get::<crate::object::func::Function>())
            .is_some_and(|f| f.code_obj().flags & crate::bytecode::flags::ITERABLE_COROUTINE != 0),
        Kind::Object => [
            &vm.names.send,
            &vm.names.throw,
            &vm.names.close,
            &vm.names.__await__,
        ]
        .iter()
        .all(|n| vm.lookup_special(v, n).is_some()),
        _ => false,
    }
}

/// The name for a new task.
pub fn auto_name(vm: &Vm) -> Value {
    let n = &state(vm).next_task;
    n.set(n.get() + 1);
    vm.int(n.get() - 1)
}

/// Makes a task of the plain class and schedules its first step.
pub fn spawn(
    vm: &Vm,
    lv: &Value,
    coro: Value,
    name: Option<&Value>,
    context: Option<&Value>,
) -> Res {
    let name = match name {
        Some(n) if n.as_str().is_some() => n.clone(),
        Some(n) => vm.str_of(n)?,
        None => auto_name(vm),
    };
    let context = context
        .cloned()
        .unwrap_or_else(|| super::context::copy_current(vm));
    let tv = vm.alloc(Task::new(lv.clone(), coro, context, name));
    Heap::set_finalize(&tv, true);
    begin(vm, &tv)?;
    Ok(tv)
}

/// Puts a new task in its loop's list and schedules its first step.
pub fn begin(vm: &Vm, tv: &Value) -> Res<()> {
    let Some(t) = tv.get::<Task>() else {
        return Ok(());
    };
    if let Some(lp) = t.fut.loop_.peek().get::<Loop>()
        && lp.debug.get()
    {
        super::debug::note_source(vm, &t.fut)?;
    }
    push(vm, t.fut.loop_.peek(), Ready::Step(tv.clone()))?;
    register(vm, tv);
    Ok(())
}

/// Enters a task in the list of live ones.
pub fn register(vm: &Vm, tv: &Value) {
    match tv.get::<Task>() {
        Some(t) => match t.fut.loop_.peek().get::<Loop>() {
            Some(lp) => lp.link(tv, t),
            None => add_foreign(vm, tv),
        },
        None => add_foreign(vm, tv),
    }
}
fn add_foreign(vm: &Vm, tv: &Value) {
    let mut l = state(vm).foreign_tasks.borrow_mut();
    if !l.iter().any(|x| x.is(tv)) {
        l.push(tv.clone());
    }
}

/// Takes a task from the list of live ones.
pub fn unregister(vm: &Vm, tv: &Value) {
    if let Some(t) = tv.get::<Task>()
        && t.fut.has(fflag::LISTED)
    {
        if let Some(lp) = t.fut.loop_.peek().get::<Loop>() {
            lp.unlink(t);
        }
        return;
    }
    let mut l = state(vm).foreign_tasks.borrow_mut();
    if let Some(i) = l.iter().position(|x| x.is(tv)) {
        let old = l.remove(i);
        drop(l);
        drop(old);
    }
}

/// Cancels a task (`Task.cancel`).
pub fn cancel(vm: &Vm, tv: &Value, t: &Task, msg: Option<Value>) -> Res<bool> {
    super::future::log_tb_off(tv, &t.fut);
    if t.fut.done() {
        return Ok(false);
    }
    t.fut.cancels.set(t.fut.cancels.get().saturating_add(1));
    let w = t.waits_on.get();
    if !w.is_unbound() && cancel_any(vm, &w, msg.clone())? {
        return Ok(true);
    }
    t.fut.set_flag(fflag::MUST_CANCEL, true);
    t.fut.set_cancel_message(msg);
    Ok(true)
}

/// Cancels whatever a task waits for. False if that is done already.
pub fn cancel_any(vm: &Vm, v: &Value, msg: Option<Value>) -> Res<bool> {
    match v.kind() {
        Kind::NativeCoro => match v.get::<NativeCoro>() {
            Some(c) => super::coro::cancel(vm, v, c, msg),
            None => Ok(false),
        },
        Kind::Task if !subclassed(v) => match v.get::<Task>() {
            Some(t) => cancel(vm, v, t, msg),
            None => Ok(false),
        },
        Kind::Gather if !subclassed(v) => super::gather::cancel(vm, v, msg),
        Kind::Future if !subclassed(v) => match head(v) {
            Some(f) => super::future::cancel_plain(vm, v, f, msg),
            None => Ok(false),
        },
        _ => {
            let cancel = vm.getattr(v, &vm.names.cancel)?;
            let r = match msg {
                Some(m) => vm.call_kw(&cancel, &[], &[(vm.names.msg.clone(), m)])?,
                None => vm.call(&cancel, &[])?,
            };
            vm.truth(&r)
        }
    }
}

/// True if the object's class was made by a script.
#[inline(always)]
pub fn subclassed(v: &Value) -> bool {
    v.header()
        .is_some_and(|h| h.flags.get() & crate::object::header::flag::SLOTS != 0)
}

/// A woken task goes on: what it waited for is done.
pub fn wake(vm: &Vm, tv: &Value) -> Res<()> {
    let Some(t) = tv.get::<Task>() else {
        return Ok(());
    };
    let w = t.waits_on.take();
    let thrown = match w.kind() {
        Kind::NativeCoro => match w.get::<NativeCoro>() {
            Some(c) if c.state.get() == CoState::Cancelled => Some(cancelled_error(
                vm,
                t.fut.rare_opt(|r| r.cancelled_exc.take()),
            )),
            _ => None,
        },
        Kind::Unbound => None,
        _ => match head(&w) {
            Some(f) if f.state.get() == State::Finished && !f.has(fflag::EXC) => None,
            Some(f) => super::future::result_of(vm, &w, f).err().map(|e| e.0),
            // A future of another make.
            None => {
                let name = vm.names.result.clone();
                vm.call_method(&w, &name, &[]).err().map(|e| e.0)
            }
        },
    };
    drop(w);
    step(vm, tv, thrown)
}

/// Runs a task until it waits or ends. `Err` only for SystemExit and KeyboardInterrupt, which end the loop.
pub fn step(vm: &Vm, tv: &Value, mut thrown: Option<Value>) -> Res<()> {
    let Some(t) = tv.get::<Task>() else {
        return Ok(());
    };
    if t.fut.done() {
        return Err(super::future::invalid_state(
            vm,
            &format!("__step(): already done: {}", vm.repr_string(tv)?),
        ));
    }
    if t.fut.has(fflag::MUST_CANCEL) {
        if !thrown.as_ref().is_some_and(|e| is_cancelled_error(vm, e)) {
            thrown = Some(make_cancelled_error(vm, &t.fut));
        }
        t.fut.set_flag(fflag::MUST_CANCEL, false);
    }
    t.waits_on.take();
    let lv = t.fut.loop_.get();
    enter(vm, &lv, tv)?;
    let outside = super::context::enter(vm, &t.context);
    let r = resume(vm, t.coro.peek(), thrown);
    super::context::leave(vm, outside);
    leave(vm, &lv);
    match r {
        Resumed::Yielded(v) => stopped(vm, tv, t, v),
        Resumed::Returned(v) => ended(vm, tv, t, v),
        Resumed::Raised(e) => raised(vm, tv, t, e),
    }
}

/// One resume of whatever kind of coroutine the task runs.
#[inline(always)]
fn resume(vm: &Vm, coro: &Value, thrown: Option<Value>) -> Resumed {
    let sent = match thrown {
        None => Ok(Value::NONE),
        Some(e) => Err(Raised(e)),
    };
    if coro.as_gen().is_some() {
        return vm.resume(coro, sent);
    }
    let coro = coro.clone();
    let r = match (coro.kind(), sent) {
        (Kind::NativeCoro, sent) => super::coro::poll(vm, &coro, sent),
        (_, Ok(v)) => {
            let send = vm.names.send.clone();
            as_step(vm, vm.call_method(&coro, &send, &[v]))
        }
        (_, Err(e)) => {
            let throw = vm.names.throw.clone();
            as_step(vm, vm.call_method(&coro, &throw, &[e.0]))
        }
    };
    match r {
        Ok(Step::Yielded(v)) => Resumed::Yielded(v),
        Ok(Step::Returned(v)) => Resumed::Returned(v),
        Err(e) => Resumed::Raised(e),
    }
}
fn as_step(vm: &Vm, r: Res) -> Res<Step> {
    match r {
        Ok(v) => Ok(Step::Yielded(v)),
        Err(e) if vm.is_exc(&e, Exc::StopIteration) => {
            Ok(Step::Returned(vm.stop_iteration_value(&e.0)))
        }
        Err(e) => Err(e),
    }
}

/// The task becomes the current one of its loop.
pub fn enter(vm: &Vm, lv: &Value, tv: &Value) -> Res<()> {
    let busy = match lv.get::<Loop>() {
        Some(lp) if !lp.current.is_set() => {
            lp.current.set(tv.clone());
            return Ok(());
        }
        Some(lp) => lp.current.get(),
        None => {
            let mut c = state(vm).foreign_current.borrow_mut();
            match c.iter().find(|(l, _)| l.is(lv)) {
                None => {
                    c.push((lv.clone(), tv.clone()));
                    return Ok(());
                }
                Some((_, t)) => t.clone(),
            }
        }
    };
    let text = format!(
        "Cannot enter into task {} while another task {} is being executed.",
        vm.repr_string(tv)?,
        vm.repr_string(&busy)?
    );
    Err(vm.runtime_error(text))
}

/// No task is current any more.
pub fn leave(vm: &Vm, lv: &Value) {
    match lv.get::<Loop>() {
        Some(lp) => drop(lp.current.take()),
        None => {
            let mut c = state(vm).foreign_current.borrow_mut();
            let gone = c.iter().position(|(l, _)| l.is(lv)).map(|i| c.remove(i));
            drop(c);
            drop(gone);
        }
    }
}

/// The coroutine yielded `v`: the task waits for it.
fn stopped(vm: &Vm, tv: &Value, t: &Task, v: Value) -> Res<()> {
    if v.is_none() {
        return push(vm, t.fut.loop_.peek(), Ready::Step(tv.clone()));
    }
    if let Some(c) = v.get::<NativeCoro>() {
        let woken = c.state.get() != CoState::Waiting;
        if woken {
            push(vm, t.fut.loop_.peek(), Ready::Wake(tv.clone()))?;
        } else {
            c.task.set(tv.clone());
        }
        t.waits_on.set(v.clone());
        return maybe_cancel(vm, t, &v);
    }
    if let Some(f) = head(&v) {
        if !f.has(fflag::BLOCKING) {
            let text = format!(
                "yield was used instead of yield from in task {} with {}",
                vm.repr_string(tv)?,
                vm.repr_string(&v)?
            );
            return retry(vm, tv, t, vm.runtime_error(text));
        }
        f.set_flag(fflag::BLOCKING, false);
        if v.is(tv) {
            let text = format!("Task cannot await on itself: {}", vm.repr_string(tv)?);
            return retry(vm, tv, t, vm.runtime_error(text));
        }
        if !f.loop_.peek().is(t.fut.loop_.peek()) {
            return other_loop(vm, tv, t, &v);
        }
        if f.done() {
            push(vm, t.fut.loop_.peek(), Ready::Wake(tv.clone()))?;
        } else {
            f.add_waiter(tv);
        }
        t.waits_on.set(v.clone());
        return maybe_cancel(vm, t, &v);
    }
    foreign_wait(vm, tv, t, v)
}

/// A cancellation that came while the task ran reaches what it waits for now.
fn maybe_cancel(vm: &Vm, t: &Task, v: &Value) -> Res<()> {
    if t.fut.has(fflag::MUST_CANCEL) && cancel_any(vm, v, t.fut.cancel_message())? {
        t.fut.set_flag(fflag::MUST_CANCEL, false);
    }
    Ok(())
}

#[cold]
fn other_loop(vm: &Vm, tv: &Value, t: &Task, v: &Value) -> Res<()> {
    let text = format!(
        "Task {} got Future {} attached to a different loop",
        vm.repr_string(tv)?,
        vm.repr_string(v)?
    );
    retry(vm, tv, t, vm.runtime_error(text))
}

/// The task's next step throws an error into the coroutine.
fn retry(vm: &Vm, tv: &Value, t: &Task, e: Raised) -> Res<()> {
    push(vm, t.fut.loop_.peek(), Ready::Throw(tv.clone(), e.0))
}

/// Something that is none of our futures was yielded.
#[cold]
fn foreign_wait(vm: &Vm, tv: &Value, t: &Task, v: Value) -> Res<()> {
    let blocking = vm.names._asyncio_future_blocking.clone();
    match vm.getattr_opt(&v, &blocking)? {
        Some(b) if !b.is_none() => {
            if !vm.truth(&b)? {
                let text = format!(
                    "yield was used instead of yield from in task {} with {}",
                    vm.repr_string(tv)?,
                    vm.repr_string(&v)?
                );
                return retry(vm, tv, t, vm.runtime_error(text));
            }
            let get_loop = vm.names.get_loop.clone();
            let its = match vm.getattr_opt(&v, &get_loop)? {
                Some(f) => vm.call(&f, &[])?,
                None => vm.getattr_str(&v, "_loop")?,
            };
            if !its.is(t.fut.loop_.peek()) {
                return other_loop(vm, tv, t, &v);
            }
            vm.setattr(&v, &blocking, &Value::FALSE)?;
            let add = vm.getattr(&v, &vm.names.add_done_callback)?;
            let wakeup = super::task_type::wakeup_method(vm, tv);
            vm.call_kw(
                &add,
                &[wakeup],
                &[(vm.intern("context"), context_arg(vm, t))],
            )?;
            t.waits_on.set(v.clone());
            maybe_cancel(vm, t, &v)
        }
        _ => {
            let text = if v.as_gen().is_some() {
                format!(
                    "yield was used instead of yield from for generator in task {} with {}",
                    vm.repr_string(tv)?,
                    vm.repr_string(&v)?
                )
            } else {
                format!("Task got bad yield: {}", vm.repr_string(&v)?)
            };
            retry(vm, tv, t, vm.runtime_error(text))
        }
    }
}

/// A task's context as scripts see it.
pub fn context_arg(vm: &Vm, t: &Task) -> Value {
    super::context::object(vm, &t.context)
}

fn ended(vm: &Vm, tv: &Value, t: &Task, v: Value) -> Res<()> {
    if t.fut.has(fflag::MUST_CANCEL) {
        t.fut.set_flag(fflag::MUST_CANCEL, false);
        let msg = t.fut.cancel_message();
        return end_cancelled(vm, tv, t, msg);
    }
    unregister(vm, tv);
    Heap::set_finalize(tv, false);
    finish(vm, tv, &t.fut, v)
}

fn end_cancelled(vm: &Vm, tv: &Value, t: &Task, msg: Option<Value>) -> Res<()> {
    unregister(vm, tv);
    Heap::set_finalize(tv, false);
    t.fut.state.set(State::Cancelled);
    t.fut.set_cancel_message(msg);
    schedule_waiters(vm, tv, &t.fut)
}

fn raised(vm: &Vm, tv: &Value, t: &Task, e: Raised) -> Res<()> {
    if is_cancelled_error(vm, &e.0) {
        t.fut.with_rare(|r| r.cancelled_exc = Some(e.0));
        return end_cancelled(vm, tv, t, None);
    }
    unregister(vm, tv);
    let fatal = vm.is_exc(&e, Exc::KeyboardInterrupt) || vm.is_exc(&e, Exc::SystemExit);
    let exc = e.0;
    if vm.is_exc_value(&exc, Exc::StopIteration) {
        // Only a coroutine that is no generator frame can let it out.
        let e = vm.runtime_error("coroutine raised StopIteration");
        return fail(vm, tv, &t.fut, e.0);
    }
    fail(vm, tv, &t.fut, exc.clone())?;
    if fatal { Err(Raised(exc)) } else { Ok(()) }
}
