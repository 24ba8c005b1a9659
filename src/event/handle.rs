//! Handles: callbacks that stand in the ready queue or the timer heap, as scripts hold them.

#![allow(unsafe_code)]

use super::lp::Loop;
use super::slot::Slot;
use super::state::state;
use crate::builtins::support::this;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{CmpOp, GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use std::cell::Cell;

/// The payload of Handle and TimerHandle.
pub struct Handle {
    pub callback: Slot,
    /// A tuple.
    pub args: Slot,
    pub context: Slot,
    pub loop_: Slot,
    pub cancelled: Cell<bool>,
    /// Timers: in the heap.
    pub scheduled: Cell<bool>,
    /// Timers: loop time; NaN otherwise.
    pub when: Cell<f64>,
    /// Where it was made, in debug mode.
    pub source: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Handle {
    const KIND: Kind = Kind::Handle;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [
            &self.callback,
            &self.args,
            &self.context,
            &self.loop_,
            &self.source,
        ] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        let old = (
            self.callback.take(),
            self.args.take(),
            self.context.take(),
            self.loop_.take(),
        );
        drop(old);
    }
}

/// A new handle; `when` NaN for one that is no timer. An unbound context means a copy of the current one.
pub fn make(
    vm: &Vm,
    lv: &Value,
    callback: Value,
    args: Value,
    context: &Value,
    when: f64,
) -> Value {
    let context = match context.non_none() {
        Some(c) => c.clone(),
        None => super::context::copy_current(vm),
    };
    let h = Handle {
        callback: Slot::new(callback),
        args: Slot::new(args),
        context: Slot::new(context),
        loop_: Slot::new(lv.clone()),
        cancelled: Cell::new(false),
        scheduled: Cell::new(!when.is_nan()),
        when: Cell::new(when),
        source: Slot::empty(),
    };
    if when.is_nan() {
        vm.alloc(h)
    } else {
        vm.heap.alloc(state(vm).timer_handle_shape.get(), h, 0)
    }
}

/// Runs a handle's callback.
pub fn run(vm: &Vm, hv: &Value) -> Res<()> {
    let Some(h) = hv.get::<Handle>() else {
        return Ok(());
    };
    if h.cancelled.get() {
        return Ok(());
    }
    let (f, args) = (h.callback.get(), h.args.get());
    let outside = super::context::enter(vm, &h.context);
    let r = vm.call(&f, tuple_items(&args));
    super::context::leave(vm, outside);
    match r {
        Ok(_) => Ok(()),
        Err(e) => failed(vm, &h.loop_.get(), e, &f, &args, Some(hv)),
    }
}

/// Runs a done-callback.
pub fn call_back(vm: &Vm, lv: &Value, f: &Value, fut: &Value, ctx: &Value) -> Res<()> {
    let slot = super::context::slot_of(ctx);
    let outside = super::context::enter(vm, &slot);
    let r = vm.call(f, std::slice::from_ref(fut));
    super::context::leave(vm, outside);
    match r {
        Ok(_) => Ok(()),
        Err(e) => failed(vm, lv, e, f, &vm.tuple(vec![fut.clone()]), None),
    }
}

/// A callback raised: the loop's exception handler hears of it, unless the program is to end.
#[cold]
fn failed(
    vm: &Vm,
    lv: &Value,
    e: Raised,
    f: &Value,
    args: &Value,
    handle: Option<&Value>,
) -> Res<()> {
    if vm.is_exc(&e, Exc::SystemExit) || vm.is_exc(&e, Exc::KeyboardInterrupt) {
        return Err(e);
    }
    let text = source_text(vm, lv, f, args)?;
    let made;
    let handle = match handle {
        Some(h) => h,
        None => {
            made = make(vm, lv, f.clone(), args.clone(), &Value::NONE, f64::NAN);
            &made
        }
    };
    let mut ctx = vec![
        ("message", vm.str(&format!("Exception in callback {text}"))),
        ("exception", e.0),
        ("handle", handle.clone()),
    ];
    if let Some(s) = handle
        .get::<Handle>()
        .map(|h| h.source.get())
        .filter(|s| !s.is_unbound())
    {
        ctx.push(("source_traceback", s));
    }
    super::errors::report(vm, lv, ctx)
}

/// `name() at file:line`, with the arguments in debug mode.
fn source_text(vm: &Vm, lv: &Value, f: &Value, args: &Value) -> Res<String> {
    let helpers = super::import(vm, "asyncio.format_helpers")?;
    let show = vm.getattr_str(&helpers, "_format_callback_source")?;
    let debug = lv.get::<Loop>().is_some_and(|l| l.debug.get());
    let r = vm.call_kw(
        &show,
        &[f.clone(), args.clone()],
        &[(vm.intern("debug"), Value::bool(debug))],
    )?;
    vm.str_string(&r)
}

// ---- what scripts see

fn repr(vm: &Vm, v: &Value) -> Res {
    let h = this::<Handle>(vm, v)?;
    let mut info = vec![vm.type_name(v)];
    if h.cancelled.get() {
        info.push("cancelled".into());
    }
    if !h.when.get().is_nan() {
        info.push(format!("when={}", vm.repr_string(&vm.float(h.when.get()))?));
    }
    if h.callback.is_set() && !h.callback.peek().is_none() {
        info.push(source_text(
            vm,
            &h.loop_.get(),
            &h.callback.get(),
            &h.args.get(),
        )?);
    }
    if let Some(s) = h.source.get().non_none() {
        info.push(super::debug::created_at(vm, s)?);
    }
    Ok(vm.str(&format!("<{}>", info.join(" "))))
}

fn new_handle(vm: &Vm, class: &Value, args: Args) -> Res {
    let timer = class
        .get::<crate::object::types::TypeObj>()
        .is_some_and(|t| t.is_subtype(state(vm).timer_handle.peek()));
    let sig = if timer {
        "TimerHandle(when, callback, args, loop, context=None)"
    } else {
        "Handle(callback, args, loop, context=None)"
    };
    let mut a = vm.bind_args(sig, args)?;
    let when = if timer {
        vm.to_f64(&a.remove(0))?
    } else {
        f64::NAN
    };
    let args = vm.tuple(vm.collect(&a[1])?);
    let h = make(vm, &a[2], a[0].clone(), args, &a[3], when);
    if let Some(x) = h.get::<Handle>() {
        x.scheduled.set(false);
    }
    Ok(h)
}

/// Cancels a handle; the callback and its arguments go at once.
pub fn cancel_handle(vm: &Vm, hv: &Value) {
    let Some(h) = hv.get::<Handle>() else { return };
    if h.cancelled.replace(true) {
        return;
    }
    let lv = h.loop_.get();
    if let Some(lp) = lv.get::<Loop>() {
        if h.scheduled.get() {
            lp.timers.borrow_mut().note_cancelled();
        }
        if lp.debug.get() {
            return;
        }
    }
    let _ = vm;
    let old = (h.callback.replace(Value::NONE), h.args.replace(Value::NONE));
    drop(old);
}
fn cancel(vm: &Vm, a: &[Value]) -> Res {
    cancel_handle(vm, &a[0]);
    Ok(Value::NONE)
}
fn cancelled(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Handle>(vm, &a[0])?.cancelled.get()))
}
fn run_method(vm: &Vm, a: &[Value]) -> Res {
    run(vm, &a[0])?;
    Ok(Value::NONE)
}
fn get_context(vm: &Vm, a: &[Value]) -> Res {
    Ok(super::context::object(
        vm,
        &this::<Handle>(vm, &a[0])?.context,
    ))
}
fn when(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(this::<Handle>(vm, &a[0])?.when.get()))
}
fn get_cancelled(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Handle>(vm, v)?.cancelled.get()))
}
fn get_callback(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Handle>(vm, v)?.callback.or_none())
}
fn get_args(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Handle>(vm, v)?.args.or_none())
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Handle>(vm, v)?.loop_.or_none())
}
fn get_source(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Handle>(vm, v)?.source.or_none())
}
fn get_when(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(this::<Handle>(vm, v)?.when.get()))
}
fn get_scheduled(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Handle>(vm, v)?.scheduled.get()))
}

fn timer_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Handle>(), b.get::<Handle>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (p, q) = (x.when.get(), y.when.get());
    if p.is_nan() || q.is_nan() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let same = || -> Res<bool> {
        Ok(p == q
            && vm.eq(&x.callback.or_none(), &y.callback.or_none())?
            && vm.eq(&x.args.or_none(), &y.args.or_none())?
            && x.cancelled.get() == y.cancelled.get())
    };
    Ok(Value::bool(match op {
        CmpOp::Lt => p < q,
        CmpOp::Gt => p > q,
        CmpOp::Le => p < q || same()?,
        CmpOp::Ge => p > q || same()?,
        CmpOp::Eq => same()?,
        CmpOp::Ne => !same()?,
    }))
}
fn timer_hash(vm: &Vm, v: &Value) -> Res<i64> {
    vm.hash(&vm.float(this::<Handle>(vm, v)?.when.get()))
}

fn slots(s: &mut Slots) {
    s.new = Some(new_handle);
    s.init = Some(|_, _, _| Ok(()));
    s.repr = Some(repr);
}
fn timer_slots(s: &mut Slots) {
    s.cmp = Some(timer_cmp);
    s.hash = Some(timer_hash);
}
pub static HANDLE: TypeSpec = TypeSpec {
    name: "asyncio.events.Handle",
    kind: Kind::Handle,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "cancel(self, /)",
            f: cancel,
            doc: "Let the callback not be called.",
        },
        NativeDef {
            sig: "cancelled(self, /)",
            f: cancelled,
            doc: "Whether it was cancelled.",
        },
        NativeDef {
            sig: "get_context(self, /)",
            f: get_context,
            doc: "The context the callback runs in.",
        },
        NativeDef {
            sig: "_run(self, /)",
            f: run_method,
            doc: "Call the callback.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_cancelled",
            get: get_cancelled,
            set: None,
            doc: "whether it was cancelled",
        },
        GetSetDef {
            name: "_callback",
            get: get_callback,
            set: None,
            doc: "the callback, None once cancelled",
        },
        GetSetDef {
            name: "_args",
            get: get_args,
            set: None,
            doc: "its arguments",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "the loop",
        },
        GetSetDef {
            name: "_source_traceback",
            get: get_source,
            set: None,
            doc: "where it was made, in debug mode",
        },
    ],
    doc: "What call_soon() gives.",
    ..TypeSpec::EMPTY
};
pub static TIMER_HANDLE: TypeSpec = TypeSpec {
    name: "asyncio.events.TimerHandle",
    base: Some(Kind::Handle),
    kind: Kind::Handle,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: timer_slots,
    methods: &[NativeDef {
        sig: "when(self, /)",
        f: when,
        doc: "The loop time it is set for.",
    }],
    getset: &[
        GetSetDef {
            name: "_when",
            get: get_when,
            set: None,
            doc: "the loop time it is set for",
        },
        GetSetDef {
            name: "_scheduled",
            get: get_scheduled,
            set: None,
            doc: "whether it is in the loop's heap",
        },
    ],
    doc: "What call_later() and call_at() give.",
    ..TypeSpec::EMPTY
};
