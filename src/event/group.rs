//! TaskGroup: the group is itself the waiter of each of its tasks, and its end is a native coroutine.
//!
//! Rules: as CPython's TaskGroup. `aborting` is set once, when the tasks are cancelled; `parent_cancelled` says that the group cancelled its parent and owes
//! it an `uncancel()`.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, make, wake};
use super::future::{Future, State, head, is_cancelled_error, log_tb_off};
use super::slot::Slot;
use super::task::{Task, cancel_any, subclassed};
use crate::builtins::support::{alloc_as, this};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::resume::Step;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};

/// The payload of TaskGroup.
pub struct Group {
    entered: Cell<bool>,
    exiting: Cell<bool>,
    aborting: Cell<bool>,
    parent_cancelled: Cell<bool>,
    loop_: Slot,
    parent: Slot,
    /// Tasks that are not done, in order of creation (unbound where one has gone), and how many.
    tasks: RefCell<Vec<Value>>,
    live: Cell<usize>,
    errors: RefCell<Vec<Value>>,
    /// SystemExit or KeyboardInterrupt of a task: it goes out bare.
    base_error: Slot,
    /// A cancellation from outside, which goes on when the tasks are done.
    cancelled: Slot,
    /// The native coroutine of `__aexit__`, while it waits.
    waiter: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Group {
    const KIND: Kind = Kind::TaskGroup;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [
            &self.loop_,
            &self.parent,
            &self.base_error,
            &self.cancelled,
            &self.waiter,
        ] {
            visit(s.peek());
        }
        // SAFETY: safe points only, no borrow is held.
        unsafe {
            (*self.tasks.as_ptr()).iter().for_each(&mut *visit);
            (*self.errors.as_ptr()).iter().for_each(visit);
        }
    }
    fn clear(&self) {
        let old = (
            self.parent.take(),
            self.base_error.take(),
            self.waiter.take(),
            self.tasks.take(),
            self.errors.take(),
        );
        drop(old);
    }
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let g = Group {
        entered: Cell::new(false),
        exiting: Cell::new(false),
        aborting: Cell::new(false),
        parent_cancelled: Cell::new(false),
        loop_: Slot::empty(),
        parent: Slot::empty(),
        tasks: RefCell::default(),
        live: Cell::new(0),
        errors: RefCell::default(),
        base_error: Slot::empty(),
        cancelled: Slot::empty(),
        waiter: Slot::empty(),
    };
    Ok(alloc_as(vm, class, g))
}
fn init(vm: &Vm, _: &Value, args: Args) -> Res<()> {
    vm.bind_args("TaskGroup()", args).map(|_| ())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let g = this::<Group>(vm, v)?;
    let mut out = format!("<{}", vm.type_name(v));
    if g.live.get() > 0 {
        out.push_str(&format!(" tasks={}", g.live.get()));
    }
    let errors = g.errors.borrow().len();
    if errors > 0 {
        out.push_str(&format!(" errors={errors}"));
    }
    if g.aborting.get() {
        out.push_str(" cancelling");
    } else if g.entered.get() {
        out.push_str(" entered");
    }
    out.push('>');
    Ok(vm.str(&out))
}

fn is_base_error(vm: &Vm, e: &Value) -> bool {
    vm.is_exc_value(e, Exc::SystemExit) || vm.is_exc_value(e, Exc::KeyboardInterrupt)
}

fn aenter(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::GroupEnter, a[0].clone(), Value::UNBOUND)
}
fn aexit(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::GroupExit, a[0].clone(), a[2].clone())
}

fn create_task(vm: &Vm, a: &[Value]) -> Res {
    let g = this::<Group>(vm, &a[0])?;
    let problem = if !g.entered.get() {
        "has not been entered"
    } else if g.exiting.get() && g.live.get() == 0 {
        "is finished"
    } else if g.aborting.get() {
        "is shutting down"
    } else {
        ""
    };
    if !problem.is_empty() {
        let name = vm.names.close.clone();
        vm.call_method(&a[1], &name, &[])?;
        return Err(vm.runtime_error(format!("TaskGroup {} {problem}", vm.repr_string(&a[0])?)));
    }
    let more = a[5].get::<crate::object::dict::Dict>();
    let tv =
        super::loop_type::create_task_with(vm, g.loop_.peek(), &a[1], &a[2], &a[3], &a[4], more)?;
    {
        let mut tasks = g.tasks.borrow_mut();
        if tasks.len() >= 32 && tasks.len() > 2 * g.live.get() {
            tasks.retain(|t| !t.is_unbound());
        }
        tasks.push(tv.clone());
    }
    g.live.set(g.live.get() + 1);
    match head(&tv) {
        // Through the queue even if it is done already: a failure must not cancel the parent before create_task() has returned.
        Some(f) if f.done() => super::future::notify(vm, f, &tv, a[0].clone(), Value::UNBOUND)?,
        Some(f) if !subclassed(&tv) => f.add_waiter(&a[0]),
        _ => {
            let cb = super::task_type::child_method(vm, &a[0]);
            let name = vm.names.add_done_callback.clone();
            vm.call_method(&tv, &name, &[cb])?;
        }
    }
    Ok(tv)
}

/// A task of the group is done.
pub fn task_done(vm: &Vm, gv: &Value, tv: &Value, f: &Future) -> Res<()> {
    let Some(g) = gv.get::<Group>() else {
        return Ok(());
    };
    {
        let mut tasks = g.tasks.borrow_mut();
        if let Some(t) = tasks.iter_mut().find(|t| t.is(tv)) {
            *t = Value::UNBOUND;
            g.live.set(g.live.get().saturating_sub(1));
        }
        if g.live.get() == 0 {
            tasks.clear();
        }
    }
    if g.live.get() == 0 {
        let w = g.waiter.get();
        wake(vm, &w)?;
    }
    let Some(exc) = f.exc() else { return Ok(()) };
    if f.state.get() == State::Cancelled {
        return Ok(());
    }
    log_tb_off(tv, f);
    g.errors.borrow_mut().push(exc.clone());
    if is_base_error(vm, &exc) && !g.base_error.is_set() {
        g.base_error.set(exc.clone());
    }
    let parent = g.parent.get();
    if head(&parent).is_none_or(Future::done) {
        let text = format!(
            "Task {} has errored out but its parent task {} is already completed",
            vm.repr_string(tv)?,
            if parent.is_unbound() {
                "None".to_string()
            } else {
                vm.str_string(&parent)?
            }
        );
        return super::errors::report(
            vm,
            &g.loop_.get(),
            vec![
                ("message", vm.str(&text)),
                ("exception", exc),
                ("task", tv.clone()),
            ],
        );
    }
    if !g.aborting.get() && !g.parent_cancelled.get() {
        // The block itself may still be running: it is stopped where it waits.
        abort(vm, g)?;
        g.parent_cancelled.set(true);
        cancel_any(vm, &parent, None)?;
    }
    Ok(())
}

/// Cancels the tasks.
fn abort(vm: &Vm, g: &Group) -> Res<()> {
    if g.aborting.replace(true) {
        return Ok(());
    }
    let tasks: Vec<Value> = g
        .tasks
        .borrow()
        .iter()
        .filter(|t| !t.is_unbound())
        .cloned()
        .collect();
    for t in tasks {
        if head(&t).is_none_or(|f| !f.done()) {
            cancel_any(vm, &t, None)?;
        }
    }
    Ok(())
}

/// Steps of `__aenter__` and `__aexit__`.
pub fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(g) = target.get::<Group>() else {
        return Err(vm.type_error("a TaskGroup was expected"));
    };
    if c.op == Op::GroupEnter {
        if g.entered.get() {
            return Err(vm.runtime_error(format!(
                "TaskGroup {} has already been entered",
                vm.repr_string(&target)?
            )));
        }
        let lv = super::running_loop(vm)?;
        let parent = super::task_type::current_of(vm, &lv);
        if parent.is_none() {
            return Err(vm.runtime_error(format!(
                "TaskGroup {} cannot determine the parent task",
                vm.repr_string(&target)?
            )));
        }
        g.loop_.set(lv);
        g.parent.set(parent);
        g.entered.set(true);
        return Ok(Progress::Ready(target.clone()));
    }
    if c.state.get() == CoState::Fresh {
        g.exiting.set(true);
        let exc = c.arg.or_none();
        if !exc.is_none() {
            if is_base_error(vm, &exc) && !g.base_error.is_set() {
                g.base_error.set(exc.clone());
            }
            abort(vm, g)?;
            if is_cancelled_error(vm, &exc) {
                g.cancelled.set(exc);
            }
        }
    }
    wait_or_end(vm, v, c, &target, g)
}

fn wait_or_end(vm: &Vm, v: &Value, c: &NativeCoro, target: &Value, g: &Group) -> Res<Progress> {
    if g.live.get() > 0 {
        g.waiter.set(v.clone());
        return Ok(Progress::Wait);
    }
    g.waiter.take();
    let r = end(vm, c, g);
    // The group is in the traceback of what it raises: the cycles are broken here.
    let old = (
        g.parent.take(),
        g.base_error.take(),
        g.errors.take(),
        g.cancelled.take(),
    );
    drop(old);
    let _ = target;
    r.map(|()| Progress::Ready(Value::NONE))
}

/// All tasks are done: what the block's end raises.
fn end(vm: &Vm, c: &NativeCoro, g: &Group) -> Res<()> {
    let base = g.base_error.get();
    if !base.is_unbound() {
        return Err(Raised(base));
    }
    let parent = g.parent.get();
    let p = head(&parent);
    if g.parent_cancelled.get()
        && let Some(p) = p
    {
        uncancel(p);
        if p.cancels.get() == 0 {
            // It was ours alone.
            g.cancelled.take();
        }
    }
    let exc = c.arg.or_none();
    let no_errors = g.errors.borrow().is_empty();
    if g.cancelled.is_set() && no_errors {
        return Err(Raised(g.cancelled.get()));
    }
    if !exc.is_none() && !is_cancelled_error(vm, &exc) {
        g.errors.borrow_mut().push(exc);
    }
    let errors = g.errors.take();
    if errors.is_empty() {
        return Ok(());
    }
    if let Some(p) = p
        && p.cancels.get() > 0
    {
        // Cancelled from outside as well: the parent's next wait must notice.
        uncancel(p);
        cancel_any(vm, &parent, None)?;
    }
    let class = vm.exc_type(Exc::BaseExceptionGroup).clone();
    let e = vm.call(
        &class,
        &[vm.str("unhandled errors in a TaskGroup"), vm.list(errors)],
    )?;
    if let Some(x) = e.get::<crate::object::exception::Exception>() {
        x.suppress_context.set(true);
    }
    Err(Raised(e))
}

fn uncancel(p: &Future) {
    if p.cancels.get() > 0 {
        p.cancels.set(p.cancels.get() - 1);
        if p.cancels.get() == 0 {
            p.set_flag(super::future::fflag::MUST_CANCEL, false);
        }
    }
}

/// An exception was thrown into the waiting end: a cancellation from outside stops the tasks first, then goes on.
pub fn exit_thrown(vm: &Vm, v: &Value, c: &NativeCoro, e: Raised) -> Res<Step> {
    let target = c.target.get();
    let Some(g) = target.get::<Group>() else {
        return Err(e);
    };
    if !is_cancelled_error(vm, &e.0) {
        c.state.set(CoState::Done);
        return Err(e);
    }
    if !g.aborting.get() {
        g.cancelled.set(e.0);
        abort(vm, g)?;
    }
    match wait_or_end(vm, v, c, &target, g) {
        Ok(Progress::Wait) => {
            c.state.set(CoState::Waiting);
            Ok(Step::Yielded(v.clone()))
        }
        Ok(Progress::Ready(x)) => {
            c.state.set(CoState::Done);
            Ok(Step::Returned(x))
        }
        Ok(Progress::Turn) => Ok(Step::Yielded(Value::NONE)),
        Err(e) => {
            c.state.set(CoState::Done);
            Err(e)
        }
    }
}

fn get_tasks(vm: &Vm, v: &Value) -> Res {
    let g = this::<Group>(vm, v)?;
    let all: Vec<Value> = g
        .tasks
        .borrow()
        .iter()
        .filter(|t| !t.is_unbound())
        .cloned()
        .collect();
    let set = vm.builtin("set")?;
    vm.call(&set, &[vm.list(all)])
}
fn get_parent(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Group>(vm, v)?.parent.or_none())
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Group>(vm, v)?.loop_.or_none())
}
fn get_errors(vm: &Vm, v: &Value) -> Res {
    Ok(vm.list(this::<Group>(vm, v)?.errors.borrow().clone()))
}

/// The tasks that a group waits for, for the deadlock report.
pub fn waits_for(v: &Value) -> Vec<Value> {
    v.get::<Group>().map_or(Vec::new(), |g| {
        g.tasks
            .borrow()
            .iter()
            .filter(|t| t.is_kind::<Task>())
            .cloned()
            .collect()
    })
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
}
pub static GROUP: TypeSpec = TypeSpec {
    name: "asyncio.taskgroups.TaskGroup",
    kind: Kind::TaskGroup,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "__aenter__(self, /)",
            f: aenter,
            doc: "Begin.",
        },
        NativeDef {
            sig: "__aexit__(self, exc_type, exc, tb, /)",
            f: aexit,
            doc: "Wait for the tasks.",
        },
        NativeDef {
            sig: "create_task(self, coro, *, name=..., context=..., eager_start=..., **kwargs)",
            f: create_task,
            doc: "Start a task in the group and return it.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_tasks",
            get: get_tasks,
            set: None,
            doc: "its tasks that are not done",
        },
        GetSetDef {
            name: "_parent_task",
            get: get_parent,
            set: None,
            doc: "the task whose block it is",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "its loop",
        },
        GetSetDef {
            name: "_errors",
            get: get_errors,
            set: None,
            doc: "what its tasks raised",
        },
    ],
    doc: "Waits at the end of the block for all its tasks; the first that fails cancels the others.",
    ..TypeSpec::EMPTY
};
