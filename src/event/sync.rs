//! Event and Lock.
//!
//! Rule: these are CPython's rules of order: who is woken still stands in line until it runs, and whoever is cancelled after having been woken wakes the next.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, make};
use super::line::{Line, bind_loop};
use super::slot::Slot;
use crate::builtins::support::{alloc_as, this};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::Cell;

/// The payload of asyncio.Event.
#[derive(Default)]
pub struct Event {
    pub value: Cell<bool>,
    pub line: Line,
    pub loop_: LoopSlot,
}

/// The loop of a primitive, as `_loop`.
pub struct LoopSlot(pub Slot);
impl Default for LoopSlot {
    fn default() -> LoopSlot {
        LoopSlot(Slot::empty())
    }
}

/// The payload of asyncio.Lock.
#[derive(Default)]
pub struct Lock {
    pub locked: Cell<bool>,
    pub line: Line,
    pub loop_: LoopSlot,
    /// The task that holds it, for the deadlock report.
    pub owner: LoopSlot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Event {
    const KIND: Kind = Kind::Event;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.line.trace(visit);
        visit(self.loop_.0.peek());
    }
    fn clear(&self) {
        self.line.clear();
    }
}
// SAFETY: as above.
unsafe impl Payload for Lock {
    const KIND: Kind = Kind::AioLock;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.line.trace(visit);
        visit(self.loop_.0.peek());
        visit(self.owner.0.peek());
    }
    fn clear(&self) {
        self.line.clear();
        self.owner.0.take();
    }
}

/// The task that is running now, or unbound.
pub fn current(vm: &Vm) -> Value {
    match super::state::state(vm)
        .running
        .peek()
        .get::<super::lp::Loop>()
    {
        Some(lp) => lp.current.get(),
        None => Value::UNBOUND,
    }
}

/// `<module.Class object at 0x... [state]>`, as CPython shows primitives.
pub fn describe(vm: &Vm, v: &Value, state: &str, waiters: usize) -> Res {
    let class = vm.type_of(v);
    let name = vm.str_string(&vm.getattr(&class, &vm.names.__qualname__)?)?;
    let module = vm.str_string(&vm.getattr(&class, &vm.names.__module__)?)?;
    let line = if waiters > 0 {
        format!(", waiters:{waiters}")
    } else {
        String::new()
    };
    Ok(vm.str(&format!(
        "<{module}.{name} object at {:#x} [{state}{line}]>",
        v.id()
    )))
}

/// The line as scripts may look at it: None for a line that never was.
pub fn waiters_list(vm: &Vm, line: &Line) -> Value {
    vm.list(line.to_vec())
}

// ---- Event

pub fn event_wait(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(e) = target.get::<Event>() else {
        return Err(vm.type_error("an Event was expected"));
    };
    if c.state.get() == CoState::Woken {
        e.line.remove(v);
        return Ok(Progress::Ready(Value::TRUE));
    }
    if e.value.get() {
        return Ok(Progress::Ready(Value::TRUE));
    }
    bind_loop(vm, &target, &e.loop_.0)?;
    e.line.push(v.clone());
    Ok(Progress::Wait)
}
pub fn event_give_up(v: &Value, c: &NativeCoro) -> Res<()> {
    if let Some(e) = c.target.peek().get::<Event>() {
        e.line.remove(v);
    }
    Ok(())
}

fn event_new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(vm, class, Event::default()))
}
fn event_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("Event(*, loop=None)", args)?;
    if let Some(l) = a[0].non_none() {
        this::<Event>(vm, v)?.loop_.0.set(l.clone());
    }
    Ok(())
}
fn event_repr(vm: &Vm, v: &Value) -> Res {
    let e = this::<Event>(vm, v)?;
    describe(
        vm,
        v,
        if e.value.get() { "set" } else { "unset" },
        e.line.len(),
    )
}
fn is_set(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Event>(vm, &a[0])?.value.get()))
}
fn set(vm: &Vm, a: &[Value]) -> Res {
    let e = this::<Event>(vm, &a[0])?;
    if !e.value.replace(true) {
        e.line.wake_all(vm)?;
    }
    Ok(Value::NONE)
}
fn clear(vm: &Vm, a: &[Value]) -> Res {
    this::<Event>(vm, &a[0])?.value.set(false);
    Ok(Value::NONE)
}
fn wait(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::EventWait, a[0].clone(), Value::UNBOUND)
}
fn event_value(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Event>(vm, v)?.value.get()))
}
fn event_set_value(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let on = vm.truth(new.unwrap_or(&Value::NONE))?;
    this::<Event>(vm, v)?.value.set(on);
    Ok(())
}
fn event_waiters(vm: &Vm, v: &Value) -> Res {
    Ok(waiters_list(vm, &this::<Event>(vm, v)?.line))
}
fn event_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Event>(vm, v)?.loop_.0.or_none())
}

fn event_slots(s: &mut Slots) {
    s.new = Some(event_new);
    s.init = Some(event_init);
    s.repr = Some(event_repr);
}
pub static EVENT: TypeSpec = TypeSpec {
    name: "asyncio.locks.Event",
    kind: Kind::Event,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: event_slots,
    methods: &[
        NativeDef {
            sig: "is_set(self, /)",
            f: is_set,
            doc: "Whether the flag is up.",
        },
        NativeDef {
            sig: "set(self, /)",
            f: set,
            doc: "Raise the flag and wake all that wait for it.",
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Lower the flag.",
        },
        NativeDef {
            sig: "wait(self, /)",
            f: wait,
            doc: "Wait until the flag is up.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_value",
            get: event_value,
            set: Some(event_set_value),
            doc: "the flag",
        },
        GetSetDef {
            name: "_waiters",
            get: event_waiters,
            set: None,
            doc: "who waits",
        },
        GetSetDef {
            name: "_loop",
            get: event_loop,
            set: None,
            doc: "the loop it was first waited on in",
        },
    ],
    doc: "A flag that tasks can wait for.",
    ..TypeSpec::EMPTY
};

// ---- Lock

pub fn lock_advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(l) = target.get::<Lock>() else {
        return Err(vm.type_error("a Lock was expected"));
    };
    if c.op == Op::LockExit {
        return release_lock(vm, &target, l).map(Progress::Ready);
    }
    if c.state.get() == CoState::Woken {
        l.line.remove(v);
    } else if l.locked.get() || !l.line.all_cancelled() {
        bind_loop(vm, &target, &l.loop_.0)?;
        l.line.push(v.clone());
        return Ok(Progress::Wait);
    }
    l.locked.set(true);
    l.owner.0.set(current(vm));
    Ok(Progress::Ready(if c.op == Op::LockEnter {
        Value::NONE
    } else {
        Value::TRUE
    }))
}

pub fn lock_give_up(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<()> {
    let target = c.target.get();
    let Some(l) = target.get::<Lock>() else {
        return Ok(());
    };
    l.line.remove(v);
    // It may have been the one that was woken.
    if !l.locked.get() {
        wake_first(vm, l)
    } else {
        Ok(())
    }
}

/// Only the first: if it is woken already, it will take the lock.
fn wake_first(vm: &Vm, l: &Lock) -> Res<()> {
    match l.line.first() {
        Some(v) => super::coro::wake(vm, &v).map(|_| ()),
        None => Ok(()),
    }
}

fn release_lock(vm: &Vm, _v: &Value, l: &Lock) -> Res {
    if !l.locked.replace(false) {
        return Err(vm.runtime_error("Lock is not acquired."));
    }
    l.owner.0.take();
    wake_first(vm, l)?;
    Ok(Value::NONE)
}

fn lock_new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(vm, class, Lock::default()))
}
fn lock_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("Lock(*, loop=None)", args)?;
    if let Some(l) = a[0].non_none() {
        this::<Lock>(vm, v)?.loop_.0.set(l.clone());
    }
    Ok(())
}
fn lock_repr(vm: &Vm, v: &Value) -> Res {
    let l = this::<Lock>(vm, v)?;
    describe(
        vm,
        v,
        if l.locked.get() { "locked" } else { "unlocked" },
        l.line.len(),
    )
}
fn locked(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Lock>(vm, &a[0])?.locked.get()))
}
fn acquire(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::LockAcquire, a[0].clone(), Value::UNBOUND)
}
fn release(vm: &Vm, a: &[Value]) -> Res {
    release_lock(vm, &a[0], this::<Lock>(vm, &a[0])?)
}
fn aenter(vm: &Vm, a: &[Value]) -> Res {
    if super::task::subclassed(&a[0]) {
        return scripted_enter(vm, &a[0]);
    }
    make(vm, Op::LockEnter, a[0].clone(), Value::UNBOUND)
}
fn aexit(vm: &Vm, a: &[Value]) -> Res {
    if super::task::subclassed(&a[0]) {
        return scripted_exit(vm, &a[0]);
    }
    make(vm, Op::LockExit, a[0].clone(), Value::UNBOUND)
}
/// `__aenter__` of a script's subclass: its own `acquire` counts.
pub fn scripted_enter(vm: &Vm, v: &Value) -> Res {
    let f = helper(vm, "_enter")?;
    vm.call(&f, std::slice::from_ref(v))
}
pub fn scripted_exit(vm: &Vm, v: &Value) -> Res {
    let f = helper(vm, "_exit")?;
    vm.call(&f, std::slice::from_ref(v))
}
/// A function of the script half of this module.
pub fn helper(vm: &Vm, name: &str) -> Res {
    let m = super::import(vm, "asyncio.locks")?;
    vm.getattr_str(&m, name)
}
/// `await lock` and `yield from lock`: an older form that gives a context manager.
pub fn legacy_await(vm: &Vm, v: &Value) -> Res {
    let f = helper(vm, "_acquire_guard")?;
    let coro = vm.call(&f, std::slice::from_ref(v))?;
    let name = vm.names.__await__.clone();
    vm.call_method(&coro, &name, &[])
}
fn lock_locked(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Lock>(vm, v)?.locked.get()))
}
fn lock_set_locked(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let on = vm.truth(new.unwrap_or(&Value::NONE))?;
    this::<Lock>(vm, v)?.locked.set(on);
    Ok(())
}
fn lock_waiters(vm: &Vm, v: &Value) -> Res {
    Ok(waiters_list(vm, &this::<Lock>(vm, v)?.line))
}
fn lock_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Lock>(vm, v)?.loop_.0.or_none())
}

fn lock_slots(s: &mut Slots) {
    s.new = Some(lock_new);
    s.init = Some(lock_init);
    s.repr = Some(lock_repr);
    s.await_ = Some(legacy_await);
    s.iter = Some(legacy_await);
}
pub static LOCK: TypeSpec = TypeSpec {
    name: "asyncio.locks.Lock",
    kind: Kind::AioLock,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: lock_slots,
    methods: &[
        NativeDef {
            sig: "locked(self, /)",
            f: locked,
            doc: "Whether some task holds it.",
        },
        NativeDef {
            sig: "acquire(self, /)",
            f: acquire,
            doc: "Wait until the lock is free, and hold it.",
        },
        NativeDef {
            sig: "release(self, /)",
            f: release,
            doc: "Give the lock up; the first in line takes it.",
        },
        NativeDef {
            sig: "__aenter__(self, /)",
            f: aenter,
            doc: "Acquire the lock.",
        },
        NativeDef {
            sig: "__aexit__(self, exc_type, exc, tb, /)",
            f: aexit,
            doc: "Release the lock.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_locked",
            get: lock_locked,
            set: Some(lock_set_locked),
            doc: "whether some task holds it",
        },
        GetSetDef {
            name: "_waiters",
            get: lock_waiters,
            set: None,
            doc: "who waits",
        },
        GetSetDef {
            name: "_loop",
            get: lock_loop,
            set: None,
            doc: "the loop it was first waited on in",
        },
    ],
    doc: "One task at a time holds it.",
    ..TypeSpec::EMPTY
};
