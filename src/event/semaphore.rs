//! Semaphore; BoundedSemaphore is the same with a bound.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, make, wake};
use super::line::{Line, bind_loop};
use super::sync::{LoopSlot, describe, legacy_await, scripted_enter, scripted_exit, waiters_list};
use crate::builtins::support::{alloc_as, this};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::Cell;

/// The payload of both.
#[derive(Default)]
pub struct Semaphore {
    pub value: Cell<i64>,
    pub line: Line,
    pub loop_: LoopSlot,
    /// The last task that got a place, for the deadlock report.
    pub holder: LoopSlot,
    /// BoundedSemaphore: what the value may not exceed.
    pub bound: Cell<Option<i64>>,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Semaphore {
    const KIND: Kind = Kind::Semaphore;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.line.trace(visit);
        visit(self.loop_.0.peek());
        visit(self.holder.0.peek());
    }
    fn clear(&self) {
        self.line.clear();
        self.holder.0.take();
    }
}

fn is_locked(s: &Semaphore) -> bool {
    s.value.get() == 0 || !s.line.all_cancelled()
}

/// Gives a place to the first that waits, if there is one.
fn wake_next(vm: &Vm, s: &Semaphore) -> Res<bool> {
    match s.line.first_waiting() {
        Some(v) => {
            s.value.set(s.value.get() - 1);
            wake(vm, &v)?;
            Ok(true)
        }
        None => Ok(false),
    }
}
fn share_out(vm: &Vm, s: &Semaphore) -> Res<()> {
    while s.value.get() > 0 && wake_next(vm, s)? {}
    Ok(())
}

pub fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(s) = target.get::<Semaphore>() else {
        return Err(vm.type_error("a Semaphore was expected"));
    };
    if c.op == Op::SemExit {
        release_one(vm, s)?;
        return Ok(Progress::Ready(Value::NONE));
    }
    if c.state.get() == CoState::Woken {
        // Whoever woke us took the place on our behalf.
        s.line.remove(v);
        share_out(vm, s)?;
    } else if is_locked(s) {
        bind_loop(vm, &target, &s.loop_.0)?;
        s.line.push(v.clone());
        return Ok(Progress::Wait);
    } else {
        s.value.set(s.value.get() - 1);
    }
    s.holder.0.set(super::sync::current(vm));
    Ok(Progress::Ready(if c.op == Op::SemEnter {
        Value::NONE
    } else {
        Value::TRUE
    }))
}

pub fn give_up(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<()> {
    let target = c.target.get();
    let Some(s) = target.get::<Semaphore>() else {
        return Ok(());
    };
    s.line.remove(v);
    if c.state.get() == CoState::Woken {
        s.value.set(s.value.get() + 1);
    }
    share_out(vm, s)
}

fn release_one(vm: &Vm, s: &Semaphore) -> Res<()> {
    if s.bound.get().is_some_and(|b| s.value.get() >= b) {
        return Err(vm.value_error("BoundedSemaphore released too many times"));
    }
    s.value.set(s.value.get() + 1);
    wake_next(vm, s).map(|_| ())
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(vm, class, Semaphore::default()))
}
fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("Semaphore(value=1, *, loop=None)", args)?;
    let n = vm.as_index(&a[0])?;
    if n < 0 {
        return Err(vm.value_error("Semaphore initial value must be >= 0"));
    }
    let s = this::<Semaphore>(vm, v)?;
    s.value.set(n);
    if let Some(l) = a[1].non_none() {
        s.loop_.0.set(l.clone());
    }
    Ok(())
}
fn bounded_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    init(vm, v, args)?;
    let s = this::<Semaphore>(vm, v)?;
    s.bound.set(Some(s.value.get()));
    Ok(())
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let s = this::<Semaphore>(vm, v)?;
    let state = if is_locked(s) {
        "locked".to_string()
    } else {
        format!("unlocked, value:{}", s.value.get())
    };
    describe(vm, v, &state, s.line.len())
}
fn locked(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(is_locked(this::<Semaphore>(vm, &a[0])?)))
}
fn acquire(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::SemAcquire, a[0].clone(), Value::UNBOUND)
}
fn release(vm: &Vm, a: &[Value]) -> Res {
    release_one(vm, this::<Semaphore>(vm, &a[0])?)?;
    Ok(Value::NONE)
}
fn aenter(vm: &Vm, a: &[Value]) -> Res {
    if super::task::subclassed(&a[0]) {
        return scripted_enter(vm, &a[0]);
    }
    make(vm, Op::SemEnter, a[0].clone(), Value::UNBOUND)
}
fn aexit(vm: &Vm, a: &[Value]) -> Res {
    if super::task::subclassed(&a[0]) {
        return scripted_exit(vm, &a[0]);
    }
    make(vm, Op::SemExit, a[0].clone(), Value::UNBOUND)
}
fn get_value(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(this::<Semaphore>(vm, v)?.value.get()))
}
fn set_value(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let n = vm.as_index(new.unwrap_or(&Value::NONE))?;
    this::<Semaphore>(vm, v)?.value.set(n);
    Ok(())
}
fn get_waiters(vm: &Vm, v: &Value) -> Res {
    Ok(waiters_list(vm, &this::<Semaphore>(vm, v)?.line))
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Semaphore>(vm, v)?.loop_.0.or_none())
}
fn get_bound(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Semaphore>(vm, v)?
        .bound
        .get()
        .map_or(Value::NONE, |b| vm.int(b)))
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.await_ = Some(legacy_await);
    s.iter = Some(legacy_await);
}
fn bounded_slots(s: &mut Slots) {
    s.init = Some(bounded_init);
}
pub static SEMAPHORE: TypeSpec = TypeSpec {
    name: "asyncio.locks.Semaphore",
    kind: Kind::Semaphore,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "locked(self, /)",
            f: locked,
            doc: "Whether acquire() would wait.",
        },
        NativeDef {
            sig: "acquire(self, /)",
            f: acquire,
            doc: "Take one place, waiting for it if need be.",
        },
        NativeDef {
            sig: "release(self, /)",
            f: release,
            doc: "Give one place back; the first in line gets it.",
        },
        NativeDef {
            sig: "__aenter__(self, /)",
            f: aenter,
            doc: "Take one place.",
        },
        NativeDef {
            sig: "__aexit__(self, exc_type, exc, tb, /)",
            f: aexit,
            doc: "Give it back.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_value",
            get: get_value,
            set: Some(set_value),
            doc: "places that are free",
        },
        GetSetDef {
            name: "_waiters",
            get: get_waiters,
            set: None,
            doc: "who waits",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "the loop it was first waited on in",
        },
    ],
    doc: "Up to `value` tasks at a time hold it.",
    ..TypeSpec::EMPTY
};
pub static BOUNDED: TypeSpec = TypeSpec {
    name: "asyncio.locks.BoundedSemaphore",
    base: Some(Kind::Semaphore),
    kind: Kind::Semaphore,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: bounded_slots,
    getset: &[GetSetDef {
        name: "_bound_value",
        get: get_bound,
        set: None,
        doc: "the greatest value",
    }],
    doc: "A semaphore that cannot be released more often than acquired.",
    ..TypeSpec::EMPTY
};
