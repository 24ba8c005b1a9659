//! Entries of the ready queue, and how they get there.
//!
//! Rule: pushing runs no script code, unless the loop (or its `call_soon`) was made by a script: then its `call_soon` is called.

use super::future::head;
use super::lp::Loop;
use super::task::{self, Task};
use crate::object::header::Kind;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// What the loop does next.
pub enum Ready {
    /// Run a task: its first step, or after a bare yield.
    Step(Value),
    /// Run a task by throwing an exception into its coroutine.
    Throw(Value, Value),
    /// Run a task whose wait is over.
    Wake(Value),
    /// Tell a native waiter (gather, task group) that a future of its is done.
    Child(Value, Value),
    /// A done-callback: function, future, context.
    Call(Value, Value, Value),
    Handle(Value),
    /// The timer of a sleeping native coroutine is due.
    Due(Value),
    /// A transport or listener can read or write.
    Io(Value, super::io::Side),
}

impl Ready {
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        match self {
            Ready::Step(a)
            | Ready::Wake(a)
            | Ready::Handle(a)
            | Ready::Due(a)
            | Ready::Io(a, _) => visit(a),
            Ready::Throw(a, b) | Ready::Child(a, b) => {
                visit(a);
                visit(b);
            }
            Ready::Call(a, b, c) => {
                visit(a);
                visit(b);
                visit(c);
            }
        }
    }
}

/// Puts an entry in a loop's ready queue.
#[inline(always)]
pub fn push(vm: &Vm, lv: &Value, r: Ready) -> Res<()> {
    if let Some(lp) = lv.get::<Loop>()
        && lp.direct.get()
    {
        lp.push(r);
        return Ok(());
    }
    push_foreign(vm, lv, r)
}

/// Hands an entry to a script's `call_soon`, as a function.
#[cold]
fn push_foreign(vm: &Vm, lv: &Value, r: Ready) -> Res<()> {
    let (f, args, ctx) = match r {
        Ready::Step(t) => (
            super::task_type::step_method(vm, &t),
            vec![],
            context_of(vm, &t),
        ),
        Ready::Throw(t, e) => (
            super::task_type::step_method(vm, &t),
            vec![e],
            context_of(vm, &t),
        ),
        Ready::Wake(t) => {
            let w = t
                .get::<Task>()
                .map_or(Value::NONE, |t| t.waits_on.or_none());
            (
                super::task_type::wakeup_method(vm, &t),
                vec![w],
                context_of(vm, &t),
            )
        }
        Ready::Child(w, f) => (
            super::task_type::child_method(vm, &w),
            vec![f],
            Value::UNBOUND,
        ),
        Ready::Call(f, fut, ctx) => (f, vec![fut], ctx),
        Ready::Handle(h) => (vm.getattr_str(&h, "_run")?, vec![], Value::UNBOUND),
        Ready::Due(c) => (super::task_type::due_method(vm, &c), vec![], Value::UNBOUND),
        Ready::Io(..) => return Ok(()),
    };
    if lv.is_unbound() || lv.is_none() {
        return Ok(());
    }
    let call_soon = vm.getattr_str(lv, "call_soon")?;
    let mut pos = vec![f];
    pos.extend(args);
    let kw = if ctx.is_unbound() {
        vec![]
    } else {
        vec![(vm.intern("context"), ctx)]
    };
    vm.call_kw(&call_soon, &pos, &kw)?;
    Ok(())
}

fn context_of(vm: &Vm, t: &Value) -> Value {
    t.get::<Task>()
        .map_or(Value::UNBOUND, |t| task::context_arg(vm, t))
}

/// Runs one entry. `Err` ends the loop.
#[inline]
pub fn run(vm: &Vm, lv: &Value, r: Ready) -> Res<()> {
    match r {
        Ready::Step(t) => task::step(vm, &t, None),
        Ready::Wake(t) => task::wake(vm, &t),
        Ready::Throw(t, e) => task::step(vm, &t, Some(e)),
        Ready::Child(w, f) => child_done(vm, &w, &f),
        Ready::Call(f, fut, ctx) => super::handle::call_back(vm, lv, &f, &fut, &ctx),
        Ready::Handle(h) => super::handle::run(vm, &h),
        Ready::Due(c) => super::coro::due(vm, &c),
        Ready::Io(v, side) => super::io::dispatch(vm, lv, &v, side),
    }
}

/// Tells a native waiter that one of its futures is done.
pub fn child_done(vm: &Vm, w: &Value, fut: &Value) -> Res<()> {
    let Some(f) = head(fut) else { return Ok(()) };
    match w.kind() {
        Kind::Gather => super::gather::child_done(vm, w, fut, f),
        Kind::TaskGroup => super::group::task_done(vm, w, fut, f),
        Kind::Loop => super::run::main_done(vm, w, f),
        Kind::Server => {
            super::net::attempt_over(w);
            Ok(())
        }
        _ => Ok(()),
    }
}
