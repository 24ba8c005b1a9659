//! The script-visible methods of generators and coroutines, and the awaitable steps of async generators.

use super::resume::{Resumed, Step};
use super::{Raised, Res, Vm};
use crate::object::func::Function;
use crate::object::generator::GenState;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::types::{GetSetDef, Slots, TypeSpec};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use std::cell::{Cell, RefCell};

fn step(vm: &Vm, g: &Value, sent: Result<Value, Raised>) -> Res {
    match vm.resume(g, sent) {
        Resumed::Yielded(v) => Ok(v),
        Resumed::Returned(v) => Err(vm.stop_iteration(v)),
        Resumed::Raised(e) => Err(e),
    }
}

/// `send(value)`.
pub fn gen_send(vm: &Vm, a: &[Value]) -> Res {
    step(vm, &a[0], Ok(a[1].clone()))
}
/// `__next__()`.
pub fn gen_next(vm: &Vm, a: &[Value]) -> Res {
    step(vm, &a[0], Ok(Value::NONE))
}
fn gen_throw(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.thrown(&a[1], &a[2], &a[3])?;
    step(vm, &a[0], Err(Raised(e)))
}
fn gen_close(vm: &Vm, a: &[Value]) -> Res {
    vm.gen_close_value(&a[0])
}

/// The `next` slot: no StopIteration is made for a plain end.
fn slot_next(vm: &Vm, g: &Value) -> Res<Option<Value>> {
    match vm.resume(g, Ok(Value::NONE)) {
        Resumed::Yielded(v) => Ok(Some(v)),
        Resumed::Returned(v) => {
            vm.set_iter_result(v);
            Ok(None)
        }
        Resumed::Raised(e) => Err(e),
    }
}

impl Vm {
    /// The exception for `throw(type_or_value, value, traceback)`.
    pub fn thrown(&self, typ: &Value, val: &Value, tb: &Value) -> Res {
        let exc = if typ.is_kind::<crate::object::types::TypeObj>() {
            match val.non_none() {
                None => self.make_exception(typ)?,
                Some(v) if v.is_kind::<crate::object::exception::Exception>() => v.clone(),
                Some(v) => {
                    let args = if let Some(t) = v.get::<crate::object::seq::Tuple>() {
                        t.to_vec()
                    } else {
                        vec![v.clone()]
                    };
                    let e = self.call(typ, &args)?;
                    self.make_exception(&e)?
                }
            }
        } else if typ.is_kind::<crate::object::exception::Exception>() {
            if val.non_none().is_some() {
                return Err(self.type_error("instance exception may not have a separate value"));
            }
            typ.clone()
        } else {
            return Err(self.type_error(format!(
                "exceptions must be classes or instances deriving from BaseException, not {}",
                self.type_name(typ)
            )));
        };
        if let (Some(tb), Some(x)) = (
            tb.non_none(),
            exc.get::<crate::object::exception::Exception>(),
        ) {
            if !tb.is_kind::<crate::object::exception::Traceback>() {
                return Err(self.type_error("throw() third argument must be a traceback object"));
            }
            let old = x.traceback.replace(tb.clone());
            drop(old);
        }
        Ok(exc)
    }
}

// ---- attributes shared by the three kinds

fn names(vm: &Vm, g: &Value) -> (Value, Value) {
    let Some(x) = g.as_gen() else {
        let full = (vm.hooks.native_coro_name.get())(vm, g);
        return (
            vm.str(full.rsplit('.').next().unwrap_or(full)),
            vm.str(full),
        );
    };
    if let Some(n) = &*x.names.borrow() {
        return (n.0.clone(), n.1.clone());
    }
    match x.func().get::<Function>() {
        Some(f) => (f.name.borrow().clone(), f.qualname.borrow().clone()),
        None => (vm.str("?"), vm.str("?")),
    }
}
fn get_name(vm: &Vm, g: &Value) -> Res {
    Ok(names(vm, g).0)
}
fn get_qualname(vm: &Vm, g: &Value) -> Res {
    Ok(names(vm, g).1)
}
fn set_names(vm: &Vm, g: &Value, which: usize, v: Option<&Value>) -> Res<()> {
    let attr = if which == 0 {
        "__name__"
    } else {
        "__qualname__"
    };
    let Some(v) = v.filter(|v| v.as_str().is_some()) else {
        return Err(vm.type_error(format!("{attr} must be set to a string object")));
    };
    let mut n = names(vm, g);
    if which == 0 {
        n.0 = v.clone()
    } else {
        n.1 = v.clone()
    }
    if let Some(x) = g.as_gen() {
        *x.names.borrow_mut() = Some(Box::new(n));
    }
    Ok(())
}
fn set_name(vm: &Vm, g: &Value, v: Option<&Value>) -> Res<()> {
    set_names(vm, g, 0, v)
}
fn set_qualname(vm: &Vm, g: &Value, v: Option<&Value>) -> Res<()> {
    set_names(vm, g, 1, v)
}
fn get_running(_: &Vm, g: &Value) -> Res {
    Ok(Value::bool(
        g.as_gen().is_some_and(super::resume::is_running),
    ))
}
fn get_suspended(_: &Vm, g: &Value) -> Res {
    Ok(Value::bool(g.as_gen().is_some_and(|x| {
        x.state.get() == GenState::Suspended && !super::resume::is_running(x)
    })))
}
fn get_code(_: &Vm, g: &Value) -> Res {
    Ok(g.as_gen()
        .and_then(|x| x.func().get::<Function>())
        .map_or(Value::NONE, |f| f.code.borrow().clone()))
}
fn get_frame(vm: &Vm, g: &Value) -> Res {
    Ok(vm.generator_frame(g))
}
fn get_delegate(vm: &Vm, g: &Value) -> Res {
    Ok(vm.generator_delegate(g))
}
fn get_origin(_: &Vm, _: &Value) -> Res {
    Ok(Value::NONE)
}

macro_rules! common {
    ($running:literal $suspended:literal $code:literal $frame:literal $delegate:literal) => {
        [
            GetSetDef {
                name: "__name__",
                get: get_name,
                set: Some(set_name),
                doc: "name of the generator",
            },
            GetSetDef {
                name: "__qualname__",
                get: get_qualname,
                set: Some(set_qualname),
                doc: "qualified name of the generator",
            },
            GetSetDef {
                name: $running,
                get: get_running,
                set: None,
                doc: "True while its frame runs",
            },
            GetSetDef {
                name: $suspended,
                get: get_suspended,
                set: None,
                doc: "True while it waits at a yield or await",
            },
            GetSetDef {
                name: $code,
                get: get_code,
                set: None,
                doc: "its code object",
            },
            GetSetDef {
                name: $frame,
                get: get_frame,
                set: None,
                doc: "its frame, or None once it has ended",
            },
            GetSetDef {
                name: $delegate,
                get: get_delegate,
                set: None,
                doc: "what it delegates to, or None",
            },
            GetSetDef {
                name: "cr_origin",
                get: get_origin,
                set: None,
                doc: "where it was made, if tracked",
            },
        ]
    };
}
static GEN_GETSET: [GetSetDef; 8] =
    common!("gi_running" "gi_suspended" "gi_code" "gi_frame" "gi_yieldfrom");
static CORO_GETSET: [GetSetDef; 8] =
    common!("cr_running" "cr_suspended" "cr_code" "cr_frame" "cr_await");
static AGEN_GETSET: [GetSetDef; 8] =
    common!("ag_running" "ag_suspended" "ag_code" "ag_frame" "ag_await");

static GEN_METHODS: [NativeDef; 4] = [
    NativeDef {
        sig: "__next__(self, /)",
        f: gen_next,
        doc: "Run to the next yield.",
    },
    NativeDef {
        sig: "send(self, value, /)",
        f: gen_send,
        doc: "Resume with a value for the pending yield.",
    },
    NativeDef {
        sig: "throw(self, typ, val=None, tb=None, /)",
        f: gen_throw,
        doc: "Raise an exception at the pending yield.",
    },
    NativeDef {
        sig: "close(self, /)",
        f: gen_close,
        doc: "Raise GeneratorExit at the pending yield and end.",
    },
];

fn repr_of(vm: &Vm, g: &Value) -> Res {
    let what = match g.kind() {
        Kind::Coroutine | Kind::NativeCoro => "coroutine",
        Kind::AsyncGenerator => "async_generator",
        _ => "generator",
    };
    let q = vm.str_string(&names(vm, g).1)?;
    Ok(vm.str(&format!("<{what} object {q} at {:#x}>", g.id())))
}
fn itself(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn gen_slots(s: &mut Slots) {
    s.repr = Some(repr_of);
    s.iter = Some(itself);
    s.next = Some(slot_next);
}
pub static GENERATOR: TypeSpec = TypeSpec {
    name: "generator",
    kind: Kind::Generator,
    flags: crate::object::types::tflag::WEAKREF,
    slots: gen_slots,
    methods: &GEN_METHODS,
    getset: &GEN_GETSET,
    ..TypeSpec::EMPTY
};

fn coro_await(vm: &Vm, v: &Value) -> Res {
    if v.as_gen()
        .is_some_and(|g| g.state.get() == GenState::Closed)
    {
        return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
    }
    Ok(vm.alloc(CoroutineWrapper(v.clone())))
}
fn coro_slots(s: &mut Slots) {
    s.repr = Some(repr_of);
    s.await_ = Some(coro_await);
}
static CORO_METHODS: [NativeDef; 3] = [
    NativeDef {
        sig: "send(self, value, /)",
        f: gen_send,
        doc: "Resume with a value for the pending await.",
    },
    NativeDef {
        sig: "throw(self, typ, val=None, tb=None, /)",
        f: gen_throw,
        doc: "Raise an exception at the pending await.",
    },
    NativeDef {
        sig: "close(self, /)",
        f: gen_close,
        doc: "Raise GeneratorExit at the pending await and end.",
    },
];
pub static COROUTINE: TypeSpec = TypeSpec {
    name: "coroutine",
    kind: Kind::Coroutine,
    flags: crate::object::types::tflag::WEAKREF,
    slots: coro_slots,
    methods: &CORO_METHODS,
    getset: &CORO_GETSET,
    ..TypeSpec::EMPTY
};

/// What `coroutine.__await__()` gives: an iterator that drives the coroutine.
pub struct CoroutineWrapper(Value);
// SAFETY: one type per kind; the coroutine is visited once.
#[allow(unsafe_code)]
unsafe impl Payload for CoroutineWrapper {
    const KIND: Kind = Kind::CoroutineWrapper;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.0)
    }
}
fn inner(a: &Value) -> Value {
    a.get::<CoroutineWrapper>()
        .map_or(Value::NONE, |w| w.0.clone())
}
fn wrapper_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    slot_next(vm, &inner(v))
}
fn wrapper_send(vm: &Vm, a: &[Value]) -> Res {
    step(vm, &inner(&a[0]), Ok(a[1].clone()))
}
fn wrapper_throw(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.thrown(&a[1], &a[2], &a[3])?;
    step(vm, &inner(&a[0]), Err(Raised(e)))
}
fn wrapper_close(vm: &Vm, a: &[Value]) -> Res {
    vm.gen_close_value(&inner(&a[0]))
}
static WRAPPER_METHODS: [NativeDef; 3] = [
    NativeDef {
        sig: "send(self, value, /)",
        f: wrapper_send,
        doc: "Resume with a value.",
    },
    NativeDef {
        sig: "throw(self, typ, val=None, tb=None, /)",
        f: wrapper_throw,
        doc: "Raise an exception inside.",
    },
    NativeDef {
        sig: "close(self, /)",
        f: wrapper_close,
        doc: "End the coroutine.",
    },
];
fn wrapper_slots(s: &mut Slots) {
    s.iter = Some(itself);
    s.next = Some(wrapper_next);
}
pub static COROUTINE_WRAPPER: TypeSpec = TypeSpec {
    name: "coroutine_wrapper",
    kind: Kind::CoroutineWrapper,
    slots: wrapper_slots,
    methods: &WRAPPER_METHODS,
    ..TypeSpec::EMPTY
};

// ---- async generators

/// What `asend`, `athrow`, `aclose` and `__anext__` of an async generator give: one step, to be awaited.
pub struct AsyncGenStep {
    agen: Value,
    mode: Mode,
    /// What to send, or the exception.
    value: RefCell<Value>,
    state: Cell<StepState>,
}
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Send,
    Throw,
    Close,
}
#[derive(Clone, Copy, PartialEq)]
enum StepState {
    New,
    Running,
    Done,
}
// SAFETY: one type per kind; each value is visited once.
#[allow(unsafe_code)]
unsafe impl Payload for AsyncGenStep {
    const KIND: Kind = Kind::AsyncGenSend;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.agen);
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.value.as_ptr() })
    }
}

/// The mark around a value that an async generator yields to a native resumer, to tell it from a suspension of what it awaits.
pub struct Wrapped(Value);
// SAFETY: one type per kind; the value is visited once.
#[allow(unsafe_code)]
unsafe impl Payload for Wrapped {
    const KIND: Kind = Kind::Awaiter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.0)
    }
}

/// Registers the payload types of this file.
pub fn register(heap: &crate::object::heap::Heap) {
    heap.register::<CoroutineWrapper>();
    heap.register::<AsyncGenStep>();
    heap.register::<Wrapped>();
}

impl Vm {
    /// See `Wrapped`.
    pub(super) fn wrap_ayield(&self, v: Value) -> Value {
        self.heap
            .alloc(self.kind_shape(Kind::Object), Wrapped(v), 0)
    }

    /// The first iteration of an async generator tells the event loop's hook.
    pub fn asyncgen_first_iter(&self, agen: &Value) -> Res<()> {
        let Some(g) = agen.as_gen() else {
            return Ok(());
        };
        if !g.hooks_inited.replace(true) {
            (self.hooks.asyncgen_firstiter.get())(self, agen)?;
        }
        Ok(())
    }

    fn agen_step(&self, s: &Value, sent: Result<Value, Raised>) -> Res<Option<Value>> {
        let Some(x) = s.get::<AsyncGenStep>() else {
            return Err(self.type_error("an async generator step was expected"));
        };
        let Some(g) = x.agen.as_gen() else {
            return Err(self.type_error("an async generator was expected"));
        };
        let verb = match x.mode {
            Mode::Send => "__anext__()/asend()",
            Mode::Throw => "athrow()",
            Mode::Close => "aclose()",
        };
        let resume_with = match x.state.get() {
            StepState::Done => {
                return Err(self.runtime_error(format!("cannot reuse already awaited {verb}")));
            }
            StepState::New => {
                let short = match x.mode {
                    Mode::Send => "anext()",
                    Mode::Throw => "athrow()",
                    Mode::Close => "aclose()",
                };
                if g.running_async.get() {
                    x.state.set(StepState::Done);
                    return Err(self.runtime_error(format!(
                        "{short}: asynchronous generator is already running"
                    )));
                }
                if g.state.get() == GenState::Closed {
                    x.state.set(StepState::Done);
                    if x.mode == Mode::Close {
                        return Ok(None);
                    }
                    return Err(self.error_args(Exc::StopAsyncIteration, vec![]));
                }
                match sent {
                    Err(e) => {
                        x.state.set(StepState::Done);
                        Err(e)
                    }
                    Ok(v) => {
                        if !v.is_none() && x.mode != Mode::Send {
                            return Err(self.runtime_error(
                                "can't send non-None value to a just-started coroutine",
                            ));
                        }
                        x.state.set(StepState::Running);
                        g.running_async.set(true);
                        let arg = x.value.borrow().clone();
                        if x.mode == Mode::Send {
                            Ok(if v.is_none() { arg } else { v })
                        } else {
                            Err(Raised(arg))
                        }
                    }
                }
            }
            StepState::Running => sent,
        };
        let r = self.resume(&x.agen, resume_with);
        let end = || {
            x.state.set(StepState::Done);
            g.running_async.set(false);
        };
        match r {
            Resumed::Yielded(v) => match v.get::<Wrapped>() {
                Some(w) => {
                    end();
                    if x.mode == Mode::Close {
                        return Err(self.runtime_error("async generator ignored GeneratorExit"));
                    }
                    self.set_iter_result(w.0.clone());
                    Ok(None)
                }
                None => Ok(Some(v)),
            },
            Resumed::Returned(_) => {
                end();
                if x.mode == Mode::Close {
                    return Ok(None);
                }
                Err(self.error_args(Exc::StopAsyncIteration, vec![]))
            }
            Resumed::Raised(e) => {
                end();
                if x.mode == Mode::Close
                    && (self.is_exc(&e, Exc::StopAsyncIteration)
                        || self.is_exc(&e, Exc::GeneratorExit))
                {
                    return Ok(None);
                }
                Err(e)
            }
        }
    }

    fn new_step(&self, agen: &Value, mode: Mode, value: Value) -> Res {
        self.asyncgen_first_iter(agen)?;
        Ok(self.alloc(AsyncGenStep {
            agen: agen.clone(),
            mode,
            value: RefCell::new(value),
            state: Cell::new(StepState::New),
        }))
    }
}

fn as_result(vm: &Vm, r: Option<Value>) -> Res {
    match r {
        Some(v) => Ok(v),
        None => Err(vm.stop_iteration(vm.take_iter_result())),
    }
}
fn step_next(vm: &Vm, s: &Value) -> Res<Option<Value>> {
    vm.agen_step(s, Ok(Value::NONE))
}
fn step_send(vm: &Vm, a: &[Value]) -> Res {
    let r = vm.agen_step(&a[0], Ok(a[1].clone()))?;
    as_result(vm, r)
}
fn step_throw(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.thrown(&a[1], &a[2], &a[3])?;
    let r = vm.agen_step(&a[0], Err(Raised(e)))?;
    as_result(vm, r)
}
fn step_close(vm: &Vm, a: &[Value]) -> Res {
    let Some(x) = a[0].get::<AsyncGenStep>() else {
        return Ok(Value::NONE);
    };
    if x.state.get() == StepState::Running {
        let e = vm.error_args(Exc::GeneratorExit, vec![]);
        match vm.agen_step(&a[0], Err(e)) {
            Ok(Some(_)) => return Err(vm.runtime_error("coroutine ignored GeneratorExit")),
            Ok(None) => (),
            Err(e)
                if vm.is_exc(&e, Exc::GeneratorExit)
                    || vm.is_exc(&e, Exc::StopIteration)
                    || vm.is_exc(&e, Exc::StopAsyncIteration) => {}
            Err(e) => return Err(e),
        }
    }
    x.state.set(StepState::Done);
    Ok(Value::NONE)
}
static STEP_METHODS: [NativeDef; 3] = [
    NativeDef {
        sig: "send(self, value, /)",
        f: step_send,
        doc: "Go on with a value.",
    },
    NativeDef {
        sig: "throw(self, typ, val=None, tb=None, /)",
        f: step_throw,
        doc: "Raise an exception inside.",
    },
    NativeDef {
        sig: "close(self, /)",
        f: step_close,
        doc: "Give the step up.",
    },
];
fn step_slots(s: &mut Slots) {
    s.iter = Some(itself);
    s.next = Some(step_next);
    s.await_ = Some(itself);
}
pub static ASYNC_GEN_STEP: TypeSpec = TypeSpec {
    name: "async_generator_asend",
    kind: Kind::AsyncGenSend,
    slots: step_slots,
    methods: &STEP_METHODS,
    ..TypeSpec::EMPTY
};

fn agen_anext(vm: &Vm, v: &Value) -> Res {
    vm.new_step(v, Mode::Send, Value::NONE)
}
fn agen_asend(vm: &Vm, a: &[Value]) -> Res {
    vm.new_step(&a[0], Mode::Send, a[1].clone())
}
fn agen_athrow(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.thrown(&a[1], &a[2], &a[3])?;
    vm.new_step(&a[0], Mode::Throw, e)
}
fn agen_aclose(vm: &Vm, a: &[Value]) -> Res {
    let e = vm.error_args(Exc::GeneratorExit, vec![]);
    vm.new_step(&a[0], Mode::Close, e.0)
}
static AGEN_METHODS: [NativeDef; 3] = [
    NativeDef {
        sig: "asend(self, value, /)",
        f: agen_asend,
        doc: "An awaitable that resumes the generator with a value.",
    },
    NativeDef {
        sig: "athrow(self, typ, val=None, tb=None, /)",
        f: agen_athrow,
        doc: "An awaitable that raises an exception in the generator.",
    },
    NativeDef {
        sig: "aclose(self, /)",
        f: agen_aclose,
        doc: "An awaitable that ends the generator.",
    },
];
fn agen_slots(s: &mut Slots) {
    s.repr = Some(repr_of);
    s.aiter = Some(itself);
    s.anext = Some(agen_anext);
}
pub static ASYNC_GENERATOR: TypeSpec = TypeSpec {
    name: "async_generator",
    kind: Kind::AsyncGenerator,
    flags: crate::object::types::tflag::WEAKREF,
    slots: agen_slots,
    methods: &AGEN_METHODS,
    getset: &AGEN_GETSET,
    ..TypeSpec::EMPTY
};

impl Vm {
    /// `__anext__` of any async iterator, as an awaitable's iterator ready for SEND.
    pub(super) fn anext_awaitable(&self, it: &Value) -> Res {
        let Some(f) = self.type_obj(it).slots().anext else {
            return Err(self.type_error(format!(
                "'async for' requires an iterator with __anext__ method, got {}",
                self.type_name(it)
            )));
        };
        let aw = f(self, it)?;
        match self.awaitable_iter(&aw) {
            Ok(v) => Ok(v),
            Err(e) if self.is_exc(&e, Exc::TypeError) => {
                let new = self.type_error(format!(
                    "'async for' received an invalid object from __anext__: {}",
                    self.type_name(&aw)
                ));
                if let Some(x) = new.0.get::<crate::object::exception::Exception>() {
                    *x.cause.borrow_mut() = e.0;
                    x.suppress_context.set(true);
                }
                Err(new)
            }
            Err(e) => Err(e),
        }
    }

    /// The iterator that `await v` drives: a coroutine itself, else what `__await__` gives.
    pub fn awaitable_iter(&self, v: &Value) -> Res {
        match v.kind() {
            Kind::Coroutine | Kind::NativeCoro => return Ok(v.clone()),
            // Instances of script subclasses may have another `__await__`.
            Kind::Future | Kind::Task | Kind::Gather
                if v.header()
                    .is_some_and(|h| h.flags.get() & crate::object::header::flag::SLOTS == 0) =>
            {
                return Ok(v.clone());
            }
            Kind::Generator => {
                if let Some(f) = v.as_gen().and_then(|g| g.func().get::<Function>())
                    && f.code_obj().flags & crate::bytecode::flags::ITERABLE_COROUTINE != 0
                {
                    return Ok(v.clone());
                }
            }
            _ => (),
        }
        let Some(f) = self.type_obj(v).slots().await_ else {
            return Err(self.type_error(format!("'{}' object can't be awaited", self.type_name(v))));
        };
        let it = f(self, v)?;
        if matches!(it.kind(), Kind::Coroutine) {
            return Err(self.type_error("__await__() returned a coroutine"));
        }
        if self.type_obj(&it).slots().next.is_none() {
            return Err(self.type_error(format!(
                "__await__() returned non-iterator of type '{}'",
                self.type_name(&it)
            )));
        }
        Ok(it)
    }

    /// Steps of a delegate, for code outside the VM that drives coroutines by hand.
    pub fn drive(&self, it: &Value, sent: Result<Value, Raised>) -> Res<Step> {
        match sent {
            Ok(v) => self.send_to_iterator(it, v),
            Err(e) => self.throw_to_iterator(it, e),
        }
    }
}

/// The types of this file, for `builtins::boot`.
pub static TYPES: &[&TypeSpec] = &[
    &GENERATOR,
    &COROUTINE,
    &COROUTINE_WRAPPER,
    &ASYNC_GENERATOR,
    &ASYNC_GEN_STEP,
];
