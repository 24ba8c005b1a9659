//! What scripts see of the event loop.

use super::future::head;
use super::lp::Loop;
use super::ready::Ready;
use super::run::{check_open, run_forever, run_until_complete};
use super::task::{is_coroutine, spawn};
use crate::builtins::support::{alloc_as, this};
use crate::host::clock::ClockSlot;
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// Methods whose override by a script makes the loop go by calls.
const DIRECT: [&str; 3] = ["call_soon", "create_task", "call_exception_handler"];

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let lp = Loop::new(vm.extension::<ClockSlot>());
    let base = vm.kind_type(Kind::Loop).clone();
    let same = |name: &str| {
        let n = vm.intern(name);
        match (
            vm.lookup_type_attr(class, &n),
            vm.lookup_type_attr(&base, &n),
        ) {
            (Some(a), Some(b)) => a.is(&b),
            _ => false,
        }
    };
    lp.direct.set(DIRECT.iter().all(|n| same(n)));
    lp.own_time.set(!same("time"));
    lp.debug
        .set(std::env::var_os("PYTHONASYNCIODEBUG").is_some_and(|v| !v.is_empty()));
    Ok(alloc_as(vm, class, lp))
}
fn init(vm: &Vm, v: &Value, _: Args) -> Res<()> {
    this::<Loop>(vm, v).map(|_| ())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let lp = this::<Loop>(vm, v)?;
    let b = |x: bool| if x { "True" } else { "False" };
    Ok(vm.str(&format!(
        "<{} running={} closed={} debug={}>",
        vm.type_name(v),
        b(lp.running.get()),
        b(lp.closed.get()),
        b(lp.debug.get())
    )))
}

// ---- callbacks

fn call_soon(vm: &Vm, a: &[Value]) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    check_open(vm, lp)?;
    if lp.debug.get() {
        super::debug::check_callback(vm, &a[1], "call_soon")?;
    }
    let h = super::handle::make(vm, &a[0], a[1].clone(), a[2].clone(), &a[3], f64::NAN);
    if lp.debug.get() {
        super::debug::note_handle(vm, &h)?;
    }
    lp.push(Ready::Handle(h.clone()));
    Ok(h)
}
fn call_soon_threadsafe(vm: &Vm, a: &[Value]) -> Res {
    let h = call_soon(vm, a)?;
    super::io::wake_up(this::<Loop>(vm, &a[0])?);
    Ok(h)
}
fn call_at_time(vm: &Vm, a: &[Value], when: f64, name: &str) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    check_open(vm, lp)?;
    if lp.debug.get() {
        super::debug::check_callback(vm, &a[2], name)?;
    }
    let h = super::handle::make(vm, &a[0], a[2].clone(), a[3].clone(), &a[4], when);
    if lp.debug.get() {
        super::debug::note_handle(vm, &h)?;
    }
    lp.timers.borrow_mut().push(when, h.clone());
    Ok(h)
}
fn call_later(vm: &Vm, a: &[Value]) -> Res {
    if a[1].is_none() {
        return Err(vm.type_error("delay must not be None"));
    }
    let delay = number(vm, &a[1])?;
    let lp = this::<Loop>(vm, &a[0])?;
    let when = lp.now(vm, &a[0])? + delay;
    call_at_time(vm, a, when, "call_later")
}
fn call_at(vm: &Vm, a: &[Value]) -> Res {
    if a[1].is_none() {
        return Err(vm.type_error("when cannot be None"));
    }
    let when = number(vm, &a[1])?;
    call_at_time(vm, a, when, "call_at")
}
fn number(vm: &Vm, v: &Value) -> Res<f64> {
    match v.as_small() {
        Some(i) => Ok(i as f64),
        None => match v.as_float() {
            Some(f) => Ok(f),
            None => vm.to_f64(v),
        },
    }
}
fn time(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(this::<Loop>(vm, &a[0])?.monotonic()))
}

// ---- running

fn method_run_forever(vm: &Vm, a: &[Value]) -> Res {
    run_forever(vm, &a[0])?;
    Ok(Value::NONE)
}
fn method_run_until_complete(vm: &Vm, a: &[Value]) -> Res {
    run_until_complete(vm, &a[0], &a[1])
}
fn stop(vm: &Vm, a: &[Value]) -> Res {
    this::<Loop>(vm, &a[0])?.stopping.set(true);
    Ok(Value::NONE)
}
fn stop_when_done(vm: &Vm, a: &[Value]) -> Res {
    stop(vm, a)
}
fn close(vm: &Vm, a: &[Value]) -> Res {
    super::run::close(vm, &a[0])?;
    Ok(Value::NONE)
}
fn is_running(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Loop>(vm, &a[0])?.running.get()))
}
fn is_closed(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Loop>(vm, &a[0])?.closed.get()))
}
fn check_closed(vm: &Vm, a: &[Value]) -> Res {
    check_open(vm, this::<Loop>(vm, &a[0])?)?;
    Ok(Value::NONE)
}

// ---- futures and tasks

fn create_future(vm: &Vm, a: &[Value]) -> Res {
    let f = vm.new_future(&a[0]);
    if this::<Loop>(vm, &a[0])?.debug.get()
        && let Some(h) = head(&f)
    {
        super::debug::note_source(vm, h)?;
    }
    Ok(f)
}
/// A future of any loop.
pub fn create_future_in(vm: &Vm, lv: &Value) -> Res {
    if lv.is_kind::<Loop>() && !super::task::subclassed(lv) {
        return Ok(vm.new_future(lv));
    }
    let f = vm.getattr_str(lv, "create_future")?;
    vm.call(&f, &[])
}

/// A task of any loop, for a coroutine.
#[inline]
pub fn create_task_in(vm: &Vm, lv: &Value, coro: &Value) -> Res {
    if let Some(lp) = lv.get::<Loop>()
        && lp.direct.get()
        && !lp.task_factory.is_set()
        && !lp.closed.get()
        && !lp.debug.get()
    {
        return spawn(vm, lv, coro.clone(), None, None);
    }
    create_task_with(
        vm,
        lv,
        coro,
        &Value::UNBOUND,
        &Value::UNBOUND,
        &Value::UNBOUND,
        None,
    )
}

/// `create_task` with what was given of its keywords.
pub fn create_task_with(
    vm: &Vm,
    lv: &Value,
    coro: &Value,
    name: &Value,
    ctx: &Value,
    eager: &Value,
    more: Option<&Dict>,
) -> Res {
    let more_items = more.map(Dict::items).unwrap_or_default();
    if let Some(lp) = lv.get::<Loop>()
        && lp.direct.get()
        && !lp.task_factory.is_set()
        && eager.is_unbound()
        && more_items.is_empty()
    {
        check_open(vm, lp)?;
        if !is_coroutine(vm, coro) {
            return Err(vm.type_error(format!(
                "a coroutine was expected, got {}",
                vm.repr_string(coro)?
            )));
        }
        return spawn(vm, lv, coro.clone(), name.non_none(), ctx.non_none());
    }
    let mut kw = Vec::new();
    for (k, v) in [("name", name), ("context", ctx), ("eager_start", eager)] {
        if !v.is_unbound() {
            kw.push((vm.intern(k), v.clone()));
        }
    }
    kw.extend(more_items);
    match lv.get::<Loop>() {
        Some(lp) if lp.direct.get() => make_task(vm, lv, lp, coro, kw),
        _ => {
            let f = vm.getattr_str(lv, "create_task")?;
            vm.call_kw(&f, std::slice::from_ref(coro), &kw)
        }
    }
}

fn make_task(vm: &Vm, lv: &Value, lp: &Loop, coro: &Value, mut kw: Vec<(Value, Value)>) -> Res {
    check_open(vm, lp)?;
    let factory = lp.task_factory.get();
    if !factory.is_unbound() {
        return vm.call_kw(&factory, &[lv.clone(), coro.clone()], &kw);
    }
    kw.push((vm.intern("loop"), lv.clone()));
    let class = vm.kind_type(Kind::Task).clone();
    vm.call_kw(&class, std::slice::from_ref(coro), &kw)
}

fn create_task(vm: &Vm, a: &[Value]) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    let more = a[5].get::<Dict>().map(Dict::items).unwrap_or_default();
    if !lp.task_factory.is_set() && a[4].is_unbound() && more.is_empty() {
        check_open(vm, lp)?;
        if !is_coroutine(vm, &a[1]) {
            return Err(vm.type_error(format!(
                "a coroutine was expected, got {}",
                vm.repr_string(&a[1])?
            )));
        }
        return spawn(vm, &a[0], a[1].clone(), a[2].non_none(), a[3].non_none());
    }
    let mut kw = Vec::new();
    for (k, v) in [("name", &a[2]), ("context", &a[3]), ("eager_start", &a[4])] {
        if !v.is_unbound() {
            kw.push((vm.intern(k), v.clone()));
        }
    }
    kw.extend(more);
    make_task(vm, &a[0], lp, &a[1], kw)
}
fn set_task_factory(vm: &Vm, a: &[Value]) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    match a[1].non_none() {
        None => drop(lp.task_factory.take()),
        Some(f) if vm.is_callable(f) => lp.task_factory.set(f.clone()),
        Some(_) => return Err(vm.type_error("task factory must be a callable or None")),
    }
    Ok(Value::NONE)
}
fn get_task_factory(vm: &Vm, a: &[Value]) -> Res {
    Ok(this::<Loop>(vm, &a[0])?.task_factory.or_none())
}

// ---- errors

fn set_exception_handler(vm: &Vm, a: &[Value]) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    match a[1].non_none() {
        None => drop(lp.exception_handler.take()),
        Some(f) if vm.is_callable(f) => lp.exception_handler.set(f.clone()),
        Some(f) => {
            return Err(vm.type_error(format!(
                "A callable object or None is expected, got {}",
                vm.repr_string(f)?
            )));
        }
    }
    Ok(Value::NONE)
}
fn get_exception_handler(vm: &Vm, a: &[Value]) -> Res {
    Ok(this::<Loop>(vm, &a[0])?.exception_handler.or_none())
}
fn call_exception_handler(vm: &Vm, a: &[Value]) -> Res {
    let lp = this::<Loop>(vm, &a[0])?;
    super::errors::call_handler(vm, &a[0], lp, &a[1])?;
    Ok(Value::NONE)
}
fn get_debug(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Loop>(vm, &a[0])?.debug.get()))
}
fn set_debug(vm: &Vm, a: &[Value]) -> Res {
    let on = vm.truth(&a[1])?;
    this::<Loop>(vm, &a[0])?.debug.set(on);
    Ok(Value::NONE)
}
fn take_asyncgens(vm: &Vm, a: &[Value]) -> Res {
    Ok(super::asyncgens::take(vm, this::<Loop>(vm, &a[0])?))
}
fn slow(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(this::<Loop>(vm, v)?.slow_duration.get()))
}
fn set_slow(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let f = vm.to_f64(new.unwrap_or(&Value::NONE))?;
    this::<Loop>(vm, v)?.slow_duration.set(f);
    Ok(())
}

// ---- descriptors

fn add_reader(vm: &Vm, a: &[Value]) -> Res {
    super::io::watch(vm, &a[0], &a[1], super::io::Side::Read, &a[2], &a[3])
}
fn add_writer(vm: &Vm, a: &[Value]) -> Res {
    super::io::watch(vm, &a[0], &a[1], super::io::Side::Write, &a[2], &a[3])
}
fn remove_reader(vm: &Vm, a: &[Value]) -> Res {
    super::io::unwatch(vm, &a[0], &a[1], super::io::Side::Read).map(Value::bool)
}
fn remove_writer(vm: &Vm, a: &[Value]) -> Res {
    super::io::unwatch(vm, &a[0], &a[1], super::io::Side::Write).map(Value::bool)
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
}
pub static LOOP: TypeSpec = TypeSpec {
    name: "_asyncio.EventLoop",
    kind: Kind::Loop,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "call_soon(self, callback, /, *args, context=None)",
            f: call_soon,
            doc: "Call it in the next turn.",
        },
        NativeDef {
            sig: "call_soon_threadsafe(self, callback, /, *args, context=None)",
            f: call_soon_threadsafe,
            doc: "call_soon() from another thread.",
        },
        NativeDef {
            sig: "call_later(self, delay, callback, /, *args, context=None)",
            f: call_later,
            doc: "Call it in `delay` seconds.",
        },
        NativeDef {
            sig: "call_at(self, when, callback, /, *args, context=None)",
            f: call_at,
            doc: "Call it at a loop time.",
        },
        NativeDef {
            sig: "time(self, /)",
            f: time,
            doc: "Loop time in seconds.",
        },
        NativeDef {
            sig: "run_forever(self, /)",
            f: method_run_forever,
            doc: "Run until stop().",
        },
        NativeDef {
            sig: "run_until_complete(self, future, /)",
            f: method_run_until_complete,
            doc: "Run until a future is done; gives its result.",
        },
        NativeDef {
            sig: "stop(self, /)",
            f: stop,
            doc: "End the run after this turn.",
        },
        NativeDef {
            sig: "_stop_when_done(self, future, /)",
            f: stop_when_done,
            doc: "stop(), as a done-callback.",
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Give everything up; the loop cannot be used any more.",
        },
        NativeDef {
            sig: "is_running(self, /)",
            f: is_running,
            doc: "Whether it runs.",
        },
        NativeDef {
            sig: "is_closed(self, /)",
            f: is_closed,
            doc: "Whether it is closed.",
        },
        NativeDef {
            sig: "_check_closed(self, /)",
            f: check_closed,
            doc: "RuntimeError if it is closed.",
        },
        NativeDef {
            sig: "create_future(self, /)",
            f: create_future,
            doc: "A new future of this loop.",
        },
        NativeDef {
            sig: "create_task(self, coro, *, name=..., context=..., eager_start=..., **kwargs)",
            f: create_task,
            doc: "Start a coroutine as a task.",
        },
        NativeDef {
            sig: "set_task_factory(self, factory, /)",
            f: set_task_factory,
            doc: "Have create_task() call factory(loop, coro).",
        },
        NativeDef {
            sig: "get_task_factory(self, /)",
            f: get_task_factory,
            doc: "The task factory, or None.",
        },
        NativeDef {
            sig: "set_exception_handler(self, handler, /)",
            f: set_exception_handler,
            doc: "Have errors that nobody awaits told to handler(loop, context).",
        },
        NativeDef {
            sig: "get_exception_handler(self, /)",
            f: get_exception_handler,
            doc: "The exception handler, or None.",
        },
        NativeDef {
            sig: "call_exception_handler(self, context, /)",
            f: call_exception_handler,
            doc: "Tell the exception handler.",
        },
        NativeDef {
            sig: "get_debug(self, /)",
            f: get_debug,
            doc: "Whether debug mode is on.",
        },
        NativeDef {
            sig: "set_debug(self, enabled, /)",
            f: set_debug,
            doc: "Turn debug mode on or off.",
        },
        NativeDef {
            sig: "_take_asyncgens(self, /)",
            f: take_asyncgens,
            doc: "The asynchronous generators that are open.",
        },
        NativeDef {
            sig: "add_reader(self, fd, callback, /, *args)",
            f: add_reader,
            doc: "Call it whenever the descriptor can be read.",
        },
        NativeDef {
            sig: "add_writer(self, fd, callback, /, *args)",
            f: add_writer,
            doc: "Call it whenever the descriptor can be written.",
        },
        NativeDef {
            sig: "remove_reader(self, fd, /)",
            f: remove_reader,
            doc: "Undo add_reader().",
        },
        NativeDef {
            sig: "remove_writer(self, fd, /)",
            f: remove_writer,
            doc: "Undo add_writer().",
        },
    ],
    getset: &[GetSetDef {
        name: "slow_callback_duration",
        get: slow,
        set: Some(set_slow),
        doc: "seconds that debug mode allows a callback",
    }],
    doc: "The event loop.",
    ..TypeSpec::EMPTY
};
