//! What scripts see of Future (and, inherited, of Task and gather's future).

#![allow(unsafe_code)]

use super::future::{
    Future, State, cancel_plain, fail, fflag, finish, head, invalid_state, log_tb_off,
    make_cancelled_error, notify, result_of,
};
use super::lp::Loop;
use super::slot::Slot;
use super::task::subclassed;
use crate::builtins::support::alloc_as;
use crate::object::exception::Exception;
use crate::object::header::{Kind, Payload};
use crate::object::heap::Heap;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::resume::Step;
use crate::vm::{Raised, Res, Vm};

/// The head of `self`; natives are called with a future always.
pub fn fut<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Future> {
    match head(v) {
        Some(f) => Ok(f),
        None => Err(vm.type_error(format!(
            "descriptor requires a Future, not '{}'",
            vm.type_name(v)
        ))),
    }
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(vm, class, Future::new(Value::UNBOUND)))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("Future(*, loop=None)", args)?;
    let f = fut(vm, v)?;
    let lv = match a[0].non_none() {
        Some(l) => l.clone(),
        None => super::get_event_loop(vm)?,
    };
    start(vm, v, f, lv)
}

/// A future gets its loop.
pub fn start(vm: &Vm, v: &Value, f: &Future, lv: Value) -> Res<()> {
    let debug = match lv.get::<Loop>() {
        Some(lp) => lp.debug.get(),
        None => {
            let d = vm.getattr_str(&lv, "get_debug")?;
            let d = vm.call(&d, &[])?;
            vm.truth(&d)?
        }
    };
    f.loop_.set(lv);
    f.state.set(State::Pending);
    f.set_flag(fflag::SUBCLASS, subclassed(v));
    if debug {
        super::debug::note_source(vm, f)?;
    }
    Ok(())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let m = super::import(vm, "asyncio.base_futures")?;
    let f = vm.getattr_str(&m, "_future_repr")?;
    vm.call(&f, std::slice::from_ref(v))
}

fn done(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(fut(vm, &a[0])?.done()))
}
fn cancelled(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(fut(vm, &a[0])?.state.get() == State::Cancelled))
}
fn result(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    check_ready(vm, f)?;
    result_of(vm, &a[0], f)
}
/// A future whose `__init__` has not run.
fn check_ready(vm: &Vm, f: &Future) -> Res<()> {
    if f.loop_.is_set() || f.done() {
        Ok(())
    } else {
        Err(vm.runtime_error("Future object is not initialized."))
    }
}
fn exception(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    match f.state.get() {
        State::Pending => Err(invalid_state(vm, "Exception is not set.")),
        State::Cancelled => Err(Raised(make_cancelled_error(vm, f))),
        State::Finished => {
            log_tb_off(&a[0], f);
            Ok(f.exc().unwrap_or(Value::NONE))
        }
    }
}
fn set_result(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    check_pending(vm, &a[0], f)?;
    finish(vm, &a[0], f, a[1].clone())?;
    Ok(Value::NONE)
}
fn check_pending(vm: &Vm, v: &Value, f: &Future) -> Res<()> {
    check_ready(vm, f)?;
    if f.done() {
        let name = match f.state.get() {
            State::Cancelled => "CANCELLED",
            _ => "FINISHED",
        };
        return Err(invalid_state(
            vm,
            &format!("{name}: {}", vm.repr_string(v)?),
        ));
    }
    Ok(())
}
fn set_exception(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    check_pending(vm, &a[0], f)?;
    let mut exc = if a[1].is_kind::<TypeObj>() {
        vm.call(&a[1], &[])?
    } else {
        a[1].clone()
    };
    if !exc.is_kind::<Exception>() {
        return Err(vm.type_error("invalid exception object"));
    }
    if vm.is_exc_value(&exc, Exc::StopIteration) {
        let e = vm
            .runtime_error(
                "StopIteration interacts badly with generators and cannot be raised into a Future",
            )
            .0;
        if let Some(x) = e.get::<Exception>() {
            *x.cause.borrow_mut() = exc.clone();
            *x.context.borrow_mut() = exc.clone();
            x.suppress_context.set(true);
        }
        exc = e;
    }
    fail(vm, &a[0], f, exc)?;
    Ok(Value::NONE)
}
fn cancel(vm: &Vm, a: &[Value]) -> Res {
    let msg = a[1].non_none().cloned();
    let ok = match a[0].kind() {
        Kind::Gather => super::gather::cancel(vm, &a[0], msg)?,
        _ => cancel_plain(vm, &a[0], fut(vm, &a[0])?, msg)?,
    };
    Ok(Value::bool(ok))
}
fn add_done_callback(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    check_ready(vm, f)?;
    let ctx = match a[2].non_none() {
        Some(c) => c.clone(),
        None => super::context::current_object(vm),
    };
    if f.done() {
        notify(vm, f, &a[0], a[1].clone(), ctx)?;
    } else {
        f.push_callback(a[1].clone(), ctx);
    }
    Ok(Value::NONE)
}
fn remove_done_callback(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    // Comparisons may run scripts: look at a copy, then remove by identity.
    let all = f.waiters();
    let mut gone = 0i64;
    for (func, ctx) in all {
        let shown = if ctx.is_unbound() {
            super::task_type::waiter_method(vm, &func)
        } else {
            func.clone()
        };
        if !vm.eq(&shown, &a[1])? {
            continue;
        }
        if ctx.is_unbound() && f.waiter.peek().is(&func) {
            f.waiter.take();
            gone += 1;
            continue;
        }
        let old = f.rare_opt(|r| {
            r.callbacks
                .iter()
                .position(|(x, c)| x.is(&func) && c.is(&ctx))
                .map(|i| r.callbacks.remove(i))
        });
        gone += old.is_some() as i64;
    }
    Ok(vm.int(gone))
}
fn get_loop(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    check_ready(vm, f)?;
    Ok(f.loop_.or_none())
}
fn make_cancelled(vm: &Vm, a: &[Value]) -> Res {
    Ok(make_cancelled_error(vm, fut(vm, &a[0])?))
}
fn class_getitem(vm: &Vm, a: &[Value]) -> Res {
    let types = super::import(vm, "types")?;
    let alias = vm.getattr_str(&types, "GenericAlias")?;
    vm.call(&alias, &[a[0].clone(), a[1].clone()])
}

// ---- attributes that the script half and debuggers look at

fn get_state(vm: &Vm, v: &Value) -> Res {
    Ok(vm.intern(match fut(vm, v)?.state.get() {
        State::Pending => "PENDING",
        State::Cancelled => "CANCELLED",
        State::Finished => "FINISHED",
    }))
}
fn get_result(vm: &Vm, v: &Value) -> Res {
    let f = fut(vm, v)?;
    Ok(if f.has(fflag::EXC) {
        Value::NONE
    } else {
        f.result.or_none()
    })
}
fn get_exception(vm: &Vm, v: &Value) -> Res {
    Ok(fut(vm, v)?.exc().unwrap_or(Value::NONE))
}
fn get_loop_attr(vm: &Vm, v: &Value) -> Res {
    Ok(fut(vm, v)?.loop_.or_none())
}
/// `[(function, context)]`, or None.
fn get_callbacks(vm: &Vm, v: &Value) -> Res {
    let f = fut(vm, v)?;
    let all = f.waiters();
    if all.is_empty() {
        return Ok(Value::NONE);
    }
    let items = all
        .into_iter()
        .map(|(func, ctx)| {
            if ctx.is_unbound() {
                let m = super::task_type::waiter_method(vm, &func);
                vm.pair(m, Value::NONE)
            } else {
                vm.pair(func, ctx)
            }
        })
        .collect();
    Ok(vm.list(items))
}
fn get_source(vm: &Vm, v: &Value) -> Res {
    Ok(fut(vm, v)?
        .rare_opt(|r| r.source_tb.clone())
        .unwrap_or(Value::NONE))
}
fn get_message(vm: &Vm, v: &Value) -> Res {
    Ok(fut(vm, v)?.cancel_message().unwrap_or(Value::NONE))
}
fn set_message(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    fut(vm, v)?.set_cancel_message(new.cloned());
    Ok(())
}
fn get_log(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(fut(vm, v)?.has(fflag::LOG_TB)))
}
fn set_log(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    if vm.truth(new.unwrap_or(&Value::NONE))? {
        return Err(vm.value_error("_log_traceback can only be set to False"));
    }
    log_tb_off(v, fut(vm, v)?);
    Ok(())
}
fn get_blocking(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(fut(vm, v)?.has(fflag::BLOCKING)))
}
fn set_blocking(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let on = vm.truth(new.unwrap_or(&Value::NONE))?;
    fut(vm, v)?.set_flag(fflag::BLOCKING, on);
    Ok(())
}
/// Who awaits it: what was noted, and the tasks among its waiters. None if nobody.
fn get_awaited_by(vm: &Vm, v: &Value) -> Res {
    let f = fut(vm, v)?;
    let mut all = f
        .rare_opt(|r| Some(r.awaited_by.clone()))
        .unwrap_or_default();
    for (w, _) in f.waiters().into_iter().filter(|(_, c)| c.is_unbound()) {
        if w.kind() == Kind::Task && !all.iter().any(|x| x.is(&w)) {
            all.push(w);
        }
    }
    if all.is_empty() {
        return Ok(Value::NONE);
    }
    let set = vm.builtin("frozenset")?;
    vm.call(&set, &[vm.list(all)])
}
fn get_children(vm: &Vm, v: &Value) -> Res {
    Ok(match v.get::<super::gather::Gather>() {
        Some(g) => vm.list(g.children.borrow().clone()),
        None => Value::NONE,
    })
}

// ---- `__await__` and iteration

/// The iterator of a future, for scripts that ask for it.
pub struct FutureIter {
    fut: Slot,
}
// SAFETY: one type per kind; the future is visited once.
unsafe impl Payload for FutureIter {
    const KIND: Kind = Kind::FutureIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(self.fut.peek())
    }
}
pub fn iter(vm: &Vm, v: &Value) -> Res {
    Ok(vm.alloc(FutureIter {
        fut: Slot::new(v.clone()),
    }))
}
fn iter_step(vm: &Vm, v: &Value, sent: Result<Value, Raised>) -> Res<Option<Value>> {
    let Some(it) = v.get::<FutureIter>() else {
        return Ok(None);
    };
    let f = it.fut.get();
    if f.is_unbound() {
        return match sent {
            Err(e) => Err(e),
            Ok(_) => Ok(None),
        };
    }
    match super::coro::poll(vm, &f, sent) {
        Ok(Step::Yielded(x)) => Ok(Some(x)),
        Ok(Step::Returned(x)) => {
            it.fut.take();
            vm.set_iter_result(x);
            Ok(None)
        }
        Err(e) => {
            it.fut.take();
            Err(e)
        }
    }
}
fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    iter_step(vm, v, Ok(Value::NONE))
}
fn iter_send(vm: &Vm, a: &[Value]) -> Res {
    match iter_step(vm, &a[0], Ok(a[1].clone()))? {
        Some(v) => Ok(v),
        None => Err(vm.stop_iteration(vm.take_iter_result())),
    }
}
fn iter_throw(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.thrown(&a[1], &a[2], &a[3])?;
    match iter_step(vm, &a[0], Err(Raised(e)))? {
        Some(v) => Ok(v),
        None => Err(vm.stop_iteration(vm.take_iter_result())),
    }
}
fn iter_close(_: &Vm, a: &[Value]) -> Res {
    if let Some(it) = a[0].get::<FutureIter>() {
        it.fut.take();
    }
    Ok(Value::NONE)
}
pub static FUTURE_ITER: TypeSpec = TypeSpec {
    name: "_asyncio.FutureIter",
    kind: Kind::FutureIter,
    slots: |s| {
        s.iter = Some(|_, v| Ok(v.clone()));
        s.next = Some(iter_next);
    },
    methods: &[
        NativeDef {
            sig: "send(self, value, /)",
            f: iter_send,
            doc: "Go on.",
        },
        NativeDef {
            sig: "throw(self, typ, val=None, tb=None, /)",
            f: iter_throw,
            doc: "Raise an exception.",
        },
        NativeDef {
            sig: "close(self, /)",
            f: iter_close,
            doc: "Give up.",
        },
    ],
    ..TypeSpec::EMPTY
};

/// A future dies: an exception that nobody looked at is reported.
fn del(vm: &Vm, v: &Value) -> Res<()> {
    let f = fut(vm, v)?;
    if !f.has(fflag::LOG_TB) {
        return Ok(());
    }
    f.set_flag(fflag::LOG_TB, false);
    Heap::set_finalize(v, false);
    let mut facts = vec![
        (
            "message",
            vm.str(&format!(
                "{} exception was never retrieved",
                vm.type_name(v)
            )),
        ),
        ("exception", f.exc().unwrap_or(Value::NONE)),
        ("future", v.clone()),
    ];
    if let Some(s) = f.rare_opt(|r| r.source_tb.clone()) {
        facts.push(("source_traceback", s));
    }
    super::errors::report(vm, &f.loop_.get(), facts)
}

/// `isfuture`: any object whose class says so.
pub fn is_future(vm: &Vm, v: &Value) -> Res<bool> {
    if head(v).is_some() {
        return Ok(true);
    }
    if v.kind() != Kind::Object {
        return Ok(false);
    }
    let class = vm.type_of(v);
    if vm
        .lookup_type_attr(&class, &vm.names._asyncio_future_blocking)
        .is_none()
    {
        return Ok(false);
    }
    let b = vm.getattr(v, &vm.names._asyncio_future_blocking)?;
    Ok(!b.is_none())
}

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.await_ = Some(iter);
    s.iter = Some(iter);
    s.del = Some(del);
}
/// The slot behind `__del__`, for Task.
pub fn finalize(vm: &Vm, v: &Value) -> Res<()> {
    del(vm, v)
}

pub static FUTURE: TypeSpec = TypeSpec {
    name: "_asyncio.Future",
    kind: Kind::Future,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "result(self, /)",
            f: result,
            doc: "The result, or what it raised.",
        },
        NativeDef {
            sig: "exception(self, /)",
            f: exception,
            doc: "The exception it ended with, or None.",
        },
        NativeDef {
            sig: "set_result(self, result, /)",
            f: set_result,
            doc: "End with a result.",
        },
        NativeDef {
            sig: "set_exception(self, exception, /)",
            f: set_exception,
            doc: "End with an exception.",
        },
        NativeDef {
            sig: "add_done_callback(self, fn, /, *, context=...)",
            f: add_done_callback,
            doc: "Have fn(future) called when it is done.",
        },
        NativeDef {
            sig: "remove_done_callback(self, fn, /)",
            f: remove_done_callback,
            doc: "Take all callbacks equal to fn back; gives their number.",
        },
        NativeDef {
            sig: "cancel(self, msg=None)",
            f: cancel,
            doc: "Cancel it, if it is not done.",
        },
        NativeDef {
            sig: "cancelled(self, /)",
            f: cancelled,
            doc: "Whether it was cancelled.",
        },
        NativeDef {
            sig: "done(self, /)",
            f: done,
            doc: "Whether it is done.",
        },
        NativeDef {
            sig: "get_loop(self, /)",
            f: get_loop,
            doc: "Its loop.",
        },
        NativeDef {
            sig: "_make_cancelled_error(self, /)",
            f: make_cancelled,
            doc: "The CancelledError to raise.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: class_getitem,
        doc: "Future[int], for annotations.",
    }],
    getset: &[
        GetSetDef {
            name: "_state",
            get: get_state,
            set: None,
            doc: "PENDING, CANCELLED or FINISHED",
        },
        GetSetDef {
            name: "_result",
            get: get_result,
            set: None,
            doc: "the result",
        },
        GetSetDef {
            name: "_exception",
            get: get_exception,
            set: None,
            doc: "the exception",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop_attr,
            set: None,
            doc: "its loop",
        },
        GetSetDef {
            name: "_callbacks",
            get: get_callbacks,
            set: None,
            doc: "(function, context) of who is to be told",
        },
        GetSetDef {
            name: "_source_traceback",
            get: get_source,
            set: None,
            doc: "where it was made, in debug mode",
        },
        GetSetDef {
            name: "_cancel_message",
            get: get_message,
            set: Some(set_message),
            doc: "message of cancel()",
        },
        GetSetDef {
            name: "_log_traceback",
            get: get_log,
            set: Some(set_log),
            doc: "whether its exception is still to be looked at",
        },
        GetSetDef {
            name: "_asyncio_future_blocking",
            get: get_blocking,
            set: Some(set_blocking),
            doc: "yielded by an await",
        },
        GetSetDef {
            name: "_asyncio_awaited_by",
            get: get_awaited_by,
            set: None,
            doc: "who awaits it",
        },
    ],
    doc: "A result that will come.",
    ..TypeSpec::EMPTY
};
pub static GATHERING: TypeSpec = TypeSpec {
    name: "asyncio.tasks._GatheringFuture",
    base: Some(Kind::Future),
    kind: Kind::Gather,
    flags: tflag::WEAKREF,
    getset: &[GetSetDef {
        name: "_children",
        get: get_children,
        set: None,
        doc: "the futures it waits for",
    }],
    doc: "The future of a gather(): to cancel it is to cancel its children.",
    ..TypeSpec::EMPTY
};
