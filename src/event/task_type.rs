//! What scripts see of Task, and the small methods that stand for native waiters in lists of callbacks.

use super::coro::NativeCoro;
use super::future::{Future, State, fflag, head};
use super::future_type::{finalize, fut, start};
use super::lp::Loop;
use super::state::state;
use super::task::{self, Task, auto_name, cancel_any, register, subclassed};
use crate::builtins::support::{alloc_as, this};
use crate::object::header::Kind;
use crate::object::heap::Heap;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(
        vm,
        class,
        Task::new(Value::UNBOUND, Value::NONE, Value::NONE, Value::NONE),
    ))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args(
        "Task(coro, *, loop=None, name=None, context=None, eager_start=False)",
        args,
    )?;
    let t = this::<Task>(vm, v)?;
    let lv = match a[1].non_none() {
        Some(l) => l.clone(),
        None => super::get_event_loop(vm)?,
    };
    start(vm, v, &t.fut, lv)?;
    if !task::is_coroutine(vm, &a[0]) {
        t.fut.set_flag(fflag::LOG_DESTROY, false);
        return Err(vm.type_error(format!(
            "a coroutine was expected, got {}",
            vm.repr_string(&a[0])?
        )));
    }
    t.fut.set_flag(fflag::LOG_DESTROY, true);
    t.coro.set(a[0].clone());
    t.name.set(match a[2].non_none() {
        None => auto_name(vm),
        Some(n) if n.as_str().is_some() => n.clone(),
        Some(n) => vm.str_of(n)?,
    });
    t.context.set(match a[3].non_none() {
        Some(c) => c.clone(),
        None => super::context::copy_current(vm),
    });
    Heap::set_finalize(v, true);
    if vm.truth(&a[4])? && is_running(vm, t.fut.loop_.peek())? {
        return eager_start(vm, v, t);
    }
    task::begin(vm, v)
}

fn is_running(vm: &Vm, lv: &Value) -> Res<bool> {
    match lv.get::<Loop>() {
        Some(lp) => Ok(lp.running.get()),
        None => {
            let f = vm.getattr_str(lv, "is_running")?;
            let r = vm.call(&f, &[])?;
            vm.truth(&r)
        }
    }
}

/// Runs the first step at once, inside the task that makes this one.
pub fn eager_start(vm: &Vm, v: &Value, t: &Task) -> Res<()> {
    let lv = t.fut.loop_.get();
    let before = swap_current(vm, &lv, Value::UNBOUND);
    state(vm).eager_tasks.borrow_mut().push(v.clone());
    let r = task::step(vm, v, None);
    let mut eager = state(vm).eager_tasks.borrow_mut();
    let gone = eager.iter().position(|x| x.is(v)).map(|i| eager.remove(i));
    drop(eager);
    drop(gone);
    swap_current(vm, &lv, before);
    if !t.fut.done() {
        register(vm, v);
    }
    r
}

/// Sets the current task of a loop; gives the one before (unbound: none).
pub fn swap_current(vm: &Vm, lv: &Value, task: Value) -> Value {
    match lv.get::<Loop>() {
        Some(lp) => lp.current.replace(task),
        None => {
            let mut c = state(vm).foreign_current.borrow_mut();
            let old = c
                .iter()
                .position(|(l, _)| l.is(lv))
                .map(|i| c.remove(i).1)
                .unwrap_or(Value::UNBOUND);
            if !task.is_unbound() {
                c.push((lv.clone(), task));
            }
            old
        }
    }
}

/// The current task of a loop, or None.
pub fn current_of(vm: &Vm, lv: &Value) -> Value {
    match lv.get::<Loop>() {
        Some(lp) => lp.current.or_none(),
        None => state(vm)
            .foreign_current
            .borrow()
            .iter()
            .find(|(l, _)| l.is(lv))
            .map_or(Value::NONE, |(_, t)| t.clone()),
    }
}

fn base_tasks(vm: &Vm, name: &str, args: &[Value]) -> Res {
    let m = super::import(vm, "asyncio.base_tasks")?;
    let f = vm.getattr_str(&m, name)?;
    vm.call(&f, args)
}
fn repr(vm: &Vm, v: &Value) -> Res {
    base_tasks(vm, "_task_repr", std::slice::from_ref(v))
}
fn cancel(vm: &Vm, a: &[Value]) -> Res {
    task::cancel(
        vm,
        &a[0],
        this::<Task>(vm, &a[0])?,
        a[1].non_none().cloned(),
    )
    .map(Value::bool)
}
fn cancelling(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(fut(vm, &a[0])?.cancels.get() as i64))
}
fn uncancel(vm: &Vm, a: &[Value]) -> Res {
    let f = fut(vm, &a[0])?;
    if f.cancels.get() > 0 {
        f.cancels.set(f.cancels.get() - 1);
        if f.cancels.get() == 0 {
            f.set_flag(fflag::MUST_CANCEL, false);
        }
    }
    Ok(vm.int(f.cancels.get() as i64))
}
fn get_coro(vm: &Vm, a: &[Value]) -> Res {
    coro(vm, &a[0])
}
fn coro(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Task>(vm, v)?.coro.or_none())
}
fn get_context(vm: &Vm, a: &[Value]) -> Res {
    let t = this::<Task>(vm, &a[0])?;
    Ok(super::context::object(vm, &t.context))
}
/// A task's name as a str.
pub fn name_of(vm: &Vm, t: &Task) -> Value {
    match t.name.peek().as_small() {
        Some(n) => {
            let s = vm.str(&format!("Task-{n}"));
            t.name.set(s.clone());
            s
        }
        None => t.name.get(),
    }
}
fn get_name(vm: &Vm, a: &[Value]) -> Res {
    Ok(name_of(vm, this::<Task>(vm, &a[0])?))
}
fn set_name(vm: &Vm, a: &[Value]) -> Res {
    let s = vm.str_of(&a[1])?;
    this::<Task>(vm, &a[0])?.name.set(s);
    Ok(Value::NONE)
}
fn get_stack(vm: &Vm, a: &[Value]) -> Res {
    base_tasks(vm, "_task_get_stack", &[a[0].clone(), a[1].clone()])
}
fn print_stack(vm: &Vm, a: &[Value]) -> Res {
    base_tasks(
        vm,
        "_task_print_stack",
        &[a[0].clone(), a[1].clone(), a[2].clone()],
    )
}
fn set_result(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.runtime_error("Task does not support set_result operation"))
}
fn set_exception(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.runtime_error("Task does not support set_exception operation"))
}
/// What it waits for, as a future: native coroutines are shown as the pending future that they stand for.
fn waiter(vm: &Vm, v: &Value) -> Res {
    let t = this::<Task>(vm, v)?;
    let w = t.waits_on.or_none();
    if !w.is_kind::<NativeCoro>() {
        return Ok(w);
    }
    let shown = vm.new_future(t.fut.loop_.peek());
    if let Some(f) = head(&shown) {
        if super::coro::is_waiting(&w) {
            f.waiter.set(v.clone());
        } else if super::coro::is_cancelled(&w) {
            f.state.set(State::Cancelled);
        } else {
            f.state.set(State::Finished);
            f.result.set(Value::NONE);
        }
    }
    Ok(shown)
}
fn must_cancel(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(fut(vm, v)?.has(fflag::MUST_CANCEL)))
}
fn log_destroy(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(fut(vm, v)?.has(fflag::LOG_DESTROY)))
}
fn set_log_destroy(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let on = vm.truth(new.unwrap_or(&Value::NONE))?;
    fut(vm, v)?.set_flag(fflag::LOG_DESTROY, on);
    Ok(())
}
fn get_context_attr(vm: &Vm, v: &Value) -> Res {
    let t = this::<Task>(vm, v)?;
    Ok(super::context::object(vm, &t.context))
}
fn num_cancels(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(fut(vm, v)?.cancels.get() as i64))
}

/// A task dies: if it was pending, that is worth a message.
fn del(vm: &Vm, v: &Value) -> Res<()> {
    let t = this::<Task>(vm, v)?;
    if t.fut.state.get() == State::Pending && t.fut.has(fflag::LOG_DESTROY) && t.fut.loop_.is_set()
    {
        t.fut.set_flag(fflag::LOG_DESTROY, false);
        let mut facts = vec![
            ("task", v.clone()),
            ("message", vm.str("Task was destroyed but it is pending!")),
        ];
        if let Some(s) = t.fut.rare_opt(|r| r.source_tb.clone()) {
            facts.push(("source_traceback", s));
        }
        super::errors::report(vm, &t.fut.loop_.get(), facts)?;
    }
    finalize(vm, v)
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.del = Some(del);
}
pub static TASK: TypeSpec = TypeSpec {
    name: "_asyncio.Task",
    base: Some(Kind::Future),
    kind: Kind::Task,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "cancel(self, msg=None)",
            f: cancel,
            doc: "Have CancelledError raised in it at its next turn.",
        },
        NativeDef {
            sig: "cancelling(self, /)",
            f: cancelling,
            doc: "Requests to cancel, less those taken back.",
        },
        NativeDef {
            sig: "uncancel(self, /)",
            f: uncancel,
            doc: "Take one request to cancel back; gives those that are left.",
        },
        NativeDef {
            sig: "get_coro(self, /)",
            f: get_coro,
            doc: "The coroutine it runs.",
        },
        NativeDef {
            sig: "get_context(self, /)",
            f: get_context,
            doc: "The context it runs in.",
        },
        NativeDef {
            sig: "get_name(self, /)",
            f: get_name,
            doc: "Its name.",
        },
        NativeDef {
            sig: "set_name(self, value, /)",
            f: set_name,
            doc: "Give it a name.",
        },
        NativeDef {
            sig: "get_stack(self, *, limit=None)",
            f: get_stack,
            doc: "Its frames.",
        },
        NativeDef {
            sig: "print_stack(self, *, limit=None, file=None)",
            f: print_stack,
            doc: "Print its stack or traceback.",
        },
        NativeDef {
            sig: "set_result(self, result, /)",
            f: set_result,
            doc: "Not for tasks.",
        },
        NativeDef {
            sig: "set_exception(self, exception, /)",
            f: set_exception,
            doc: "Not for tasks.",
        },
    ],
    class_methods: &[
        NativeDef {
            sig: "all_tasks(cls, loop=None)",
            f: class_all_tasks,
            doc: "The tasks of a loop that are not done.",
        },
        NativeDef {
            sig: "current_task(cls, loop=None)",
            f: class_current_task,
            doc: "The task that is running.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_coro",
            get: coro,
            set: None,
            doc: "the coroutine",
        },
        GetSetDef {
            name: "_fut_waiter",
            get: waiter,
            set: None,
            doc: "what it waits for",
        },
        GetSetDef {
            name: "_must_cancel",
            get: must_cancel,
            set: None,
            doc: "whether the next step cancels it",
        },
        GetSetDef {
            name: "_log_destroy_pending",
            get: log_destroy,
            set: Some(set_log_destroy),
            doc: "whether its death while pending is reported",
        },
        GetSetDef {
            name: "_context",
            get: get_context_attr,
            set: None,
            doc: "its context",
        },
        GetSetDef {
            name: "_num_cancels_requested",
            get: num_cancels,
            set: None,
            doc: "requests to cancel",
        },
    ],
    doc: "A coroutine that runs in the loop.",
    ..TypeSpec::EMPTY
};

// ---- methods that stand for native waiters

fn run_step(vm: &Vm, a: &[Value]) -> Res {
    task::step(vm, &a[0], a[1].non_none().cloned())?;
    Ok(Value::NONE)
}
fn run_wakeup(vm: &Vm, a: &[Value]) -> Res {
    task::wake(vm, &a[0])?;
    Ok(Value::NONE)
}
fn run_child(vm: &Vm, a: &[Value]) -> Res {
    match a[0].kind() {
        Kind::Gather => super::gather::tell(vm, &a[0], &a[1])?,
        _ => super::ready::child_done(vm, &a[0], &a[1])?,
    }
    Ok(Value::NONE)
}
fn run_due(vm: &Vm, a: &[Value]) -> Res {
    super::coro::due(vm, &a[0])?;
    Ok(Value::NONE)
}
static STEP: NativeDef = NativeDef {
    sig: "task_step(self, exc=None, /)",
    f: run_step,
    doc: "One step of the task.",
};
static WAKEUP: NativeDef = NativeDef {
    sig: "task_wakeup(self, future=None, /)",
    f: run_wakeup,
    doc: "The task's wait is over.",
};
static GATHER_CHILD: NativeDef = NativeDef {
    sig: "gather.<locals>._done_callback(self, future, /)",
    f: run_child,
    doc: "A child is done.",
};
static GROUP_CHILD: NativeDef = NativeDef {
    sig: "_on_task_done(self, task, /)",
    f: run_child,
    doc: "A task of the group is done.",
};
static LOOP_CHILD: NativeDef = NativeDef {
    sig: "_run_until_complete_cb(self, future, /)",
    f: run_child,
    doc: "The main future is done.",
};
static DUE: NativeDef = NativeDef {
    sig: "wake_up(self, /)",
    f: run_due,
    doc: "A sleep is over.",
};

fn bound(vm: &Vm, def: &'static NativeDef, me: &Value, owner: Value) -> Value {
    vm.new_native(def, me.clone(), owner, Value::UNBOUND)
}
pub fn step_method(vm: &Vm, t: &Value) -> Value {
    bound(vm, &STEP, t, vm.kind_type(Kind::Task).clone())
}
pub fn wakeup_method(vm: &Vm, t: &Value) -> Value {
    bound(vm, &WAKEUP, t, vm.kind_type(Kind::Task).clone())
}
pub fn child_method(vm: &Vm, w: &Value) -> Value {
    match w.kind() {
        Kind::TaskGroup => bound(vm, &GROUP_CHILD, w, vm.kind_type(Kind::TaskGroup).clone()),
        Kind::Loop => bound(vm, &LOOP_CHILD, w, Value::UNBOUND),
        _ => bound(vm, &GATHER_CHILD, w, Value::UNBOUND),
    }
}
pub fn due_method(vm: &Vm, c: &Value) -> Value {
    bound(vm, &DUE, c, Value::UNBOUND)
}
/// What a native waiter looks like in `_callbacks`.
pub fn waiter_method(vm: &Vm, w: &Value) -> Value {
    if w.kind() == Kind::Task {
        wakeup_method(vm, w)
    } else {
        child_method(vm, w)
    }
}

// ---- functions of the module

fn loop_arg(vm: &Vm, v: &Value) -> Res {
    match v.non_none() {
        Some(l) => Ok(l.clone()),
        None => super::running_loop(vm),
    }
}
fn all_of(vm: &Vm, lv: &Value) -> Res {
    let mut out: Vec<Value> = lv.get::<Loop>().map(Loop::tasks).unwrap_or_default();
    let st = state(vm);
    for t in st
        .foreign_tasks
        .borrow()
        .iter()
        .chain(st.eager_tasks.borrow().iter())
    {
        if !out.iter().any(|x| x.is(t)) {
            out.push(t.clone());
        }
    }
    let mut live = Vec::new();
    for t in out {
        let (its, done) = match head(&t) {
            Some(f) => (f.loop_.get(), f.done()),
            None => {
                let l = vm.call_method(&t, &vm.names.get_loop.clone(), &[])?;
                let d = vm.call_method(&t, &vm.names.done.clone(), &[])?;
                (l, vm.truth(&d)?)
            }
        };
        if its.is(lv) && !done {
            live.push(t);
        }
    }
    let set = vm.builtin("set")?;
    vm.call(&set, &[vm.list(live)])
}
fn all_tasks(vm: &Vm, a: &[Value]) -> Res {
    let lv = loop_arg(vm, &a[0])?;
    all_of(vm, &lv)
}
fn class_all_tasks(vm: &Vm, a: &[Value]) -> Res {
    let lv = match a[1].non_none() {
        Some(l) => l.clone(),
        None => super::get_event_loop(vm)?,
    };
    all_of(vm, &lv)
}
fn current_task(vm: &Vm, a: &[Value]) -> Res {
    let lv = loop_arg(vm, &a[0])?;
    Ok(current_of(vm, &lv))
}
fn class_current_task(vm: &Vm, a: &[Value]) -> Res {
    let lv = match a[1].non_none() {
        Some(l) => l.clone(),
        None => super::get_event_loop(vm)?,
    };
    Ok(current_of(vm, &lv))
}
fn enter_task(vm: &Vm, a: &[Value]) -> Res {
    let now = current_of(vm, &a[0]);
    if !now.is_none() {
        let text = format!(
            "Cannot enter into task {} while another task {} is being executed.",
            vm.repr_string(&a[1])?,
            vm.repr_string(&now)?
        );
        return Err(vm.runtime_error(text));
    }
    swap_current(vm, &a[0], a[1].clone());
    Ok(Value::NONE)
}
fn leave_task(vm: &Vm, a: &[Value]) -> Res {
    let now = current_of(vm, &a[0]);
    if !now.is(&a[1]) {
        let text = format!(
            "Leaving task {} does not match the current task {}.",
            vm.repr_string(&a[1])?,
            vm.repr_string(&now)?
        );
        return Err(vm.runtime_error(text));
    }
    swap_current(vm, &a[0], Value::UNBOUND);
    Ok(Value::NONE)
}
fn swap_current_task(vm: &Vm, a: &[Value]) -> Res {
    let new = a[1].non_none().cloned().unwrap_or(Value::UNBOUND);
    let old = swap_current(vm, &a[0], new);
    Ok(if old.is_unbound() { Value::NONE } else { old })
}
fn register_task(vm: &Vm, a: &[Value]) -> Res {
    register(vm, &a[0]);
    Ok(Value::NONE)
}
fn unregister_task(vm: &Vm, a: &[Value]) -> Res {
    task::unregister(vm, &a[0]);
    Ok(Value::NONE)
}
fn register_eager(vm: &Vm, a: &[Value]) -> Res {
    state(vm).eager_tasks.borrow_mut().push(a[0].clone());
    Ok(Value::NONE)
}
fn unregister_eager(vm: &Vm, a: &[Value]) -> Res {
    let mut l = state(vm).eager_tasks.borrow_mut();
    let gone = l.iter().position(|x| x.is(&a[0])).map(|i| l.remove(i));
    drop(l);
    drop(gone);
    Ok(Value::NONE)
}
fn awaited_add(_: &Vm, a: &[Value]) -> Res {
    if let (Some(f), true) = (head(&a[0]), head(&a[1]).is_some()) {
        f.with_rare(|r| {
            if !r.awaited_by.iter().any(|x| x.is(&a[1])) {
                r.awaited_by.push(a[1].clone())
            }
        });
    }
    Ok(Value::NONE)
}
fn awaited_discard(_: &Vm, a: &[Value]) -> Res {
    if let Some(f) = head(&a[0]) {
        let old = f.rare_opt(|r| {
            r.awaited_by
                .iter()
                .position(|x| x.is(&a[1]))
                .map(|i| r.awaited_by.remove(i))
        });
        drop(old);
    }
    Ok(Value::NONE)
}
fn isfuture(vm: &Vm, a: &[Value]) -> Res {
    super::future_type::is_future(vm, &a[0]).map(Value::bool)
}
fn iscoroutine(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(task::is_coroutine(vm, &a[0])))
}
fn get_running_loop(vm: &Vm, _: &[Value]) -> Res {
    super::running_loop(vm)
}
fn running_or_none(vm: &Vm, _: &[Value]) -> Res {
    Ok(state(vm).running.or_none())
}
fn set_running_loop(vm: &Vm, a: &[Value]) -> Res {
    let l = a[0].non_none().cloned().unwrap_or(Value::UNBOUND);
    state(vm).running.set(l);
    Ok(Value::NONE)
}

/// Cancels as a script would; for the interrupt handler.
pub fn cancel_task(vm: &Vm, t: &Value) -> Res<bool> {
    cancel_any(vm, t, None)
}
/// True for an exact Task.
pub fn is_plain_task(v: &Value) -> Option<(&Task, &Future)> {
    v.get::<Task>()
        .filter(|_| !subclassed(v))
        .map(|t| (t, &t.fut))
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "all_tasks(loop=None)",
        f: all_tasks,
        doc: "The tasks of a loop that are not done.",
    },
    NativeDef {
        sig: "current_task(loop=None)",
        f: current_task,
        doc: "The task that is running, or None.",
    },
    NativeDef {
        sig: "get_running_loop()",
        f: get_running_loop,
        doc: "The running loop, or RuntimeError.",
    },
    NativeDef {
        sig: "_get_running_loop()",
        f: running_or_none,
        doc: "The running loop, or None.",
    },
    NativeDef {
        sig: "_set_running_loop(loop, /)",
        f: set_running_loop,
        doc: "Say which loop runs.",
    },
    NativeDef {
        sig: "_enter_task(loop, task)",
        f: enter_task,
        doc: "Make a task the current one.",
    },
    NativeDef {
        sig: "_leave_task(loop, task)",
        f: leave_task,
        doc: "Undo that.",
    },
    NativeDef {
        sig: "_swap_current_task(loop, task)",
        f: swap_current_task,
        doc: "Make a task the current one; gives the one before.",
    },
    NativeDef {
        sig: "_register_task(task)",
        f: register_task,
        doc: "Let all_tasks() know a task.",
    },
    NativeDef {
        sig: "_unregister_task(task)",
        f: unregister_task,
        doc: "Undo that.",
    },
    NativeDef {
        sig: "_register_eager_task(task)",
        f: register_eager,
        doc: "As _register_task(), while a task starts eagerly.",
    },
    NativeDef {
        sig: "_unregister_eager_task(task)",
        f: unregister_eager,
        doc: "Undo that.",
    },
    NativeDef {
        sig: "future_add_to_awaited_by(fut, waiter, /)",
        f: awaited_add,
        doc: "Note who awaits a future.",
    },
    NativeDef {
        sig: "future_discard_from_awaited_by(fut, waiter, /)",
        f: awaited_discard,
        doc: "Undo that.",
    },
    NativeDef {
        sig: "isfuture(obj, /)",
        f: isfuture,
        doc: "Whether it is a future.",
    },
    NativeDef {
        sig: "iscoroutine(obj, /)",
        f: iscoroutine,
        doc: "Whether a task can run it.",
    },
];
