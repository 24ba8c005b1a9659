//! Raising: finding the handler, leaving frames, and the record of where it went (tracebacks).

#![allow(unsafe_code)]

use super::Vm;
use super::dispatch::*;
use super::frame::{Exit, Flow, kind, word};
use super::raise::Exc;
use super::{Raised, Res};
use crate::object::exception::{Exception, Traceback};
use crate::object::func::CodeObj;
use crate::object::generator::{Gen, GenState};
use crate::object::header::Kind;
use crate::object::value::Value;
use std::cell::{Cell, RefCell};

/// Word offset of an address in a code's instructions.
pub(super) unsafe fn offset(code: &CodeObj, pc: *const u32) -> u32 {
    // SAFETY: the address is in this code's instructions, which never move.
    unsafe { pc.offset_from((*code.instrs.get()).as_ptr()) as u32 }
}

impl Vm {
    /// Raises `exc` at the instruction `at` of the frame `base`: goes to the nearest handler, or out.
    ///
    /// # Safety
    /// `base` must be the running frame and `at` the first word (or any word) of its current instruction.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn unwind(&self, at: *const u32, base: *mut u64, exc: Value) -> Flow {
        self.set_context(&exc);
        // SAFETY: the caller's duty.
        unsafe { self.unwind_from(at, base, exc, true) }
    }

    /// Sets `__context__` of a fresh exception to the one being handled.
    fn set_context(&self, exc: &Value) {
        // SAFETY: no reference into the cell outlives the statement.
        let handled = unsafe { (*self.handled.get()).clone() };
        let Some(x) = exc.get::<Exception>() else {
            return;
        };
        if handled.is_unbound()
            || handled.is(exc)
            || !x.traceback.borrow().is_none()
            || !x.context.borrow().is_none()
        {
            return;
        }
        self.link_context(exc, &handled);
    }

    /// `exc.__context__ = handled`, cutting a loop that this would close.
    pub fn link_context(&self, exc: &Value, handled: &Value) {
        if exc.is(handled) {
            return;
        }
        let mut at = handled.clone();
        for _ in 0..10_000 {
            let Some(x) = at.get::<Exception>() else {
                break;
            };
            let next = x.context.borrow().clone();
            if next.is_none() {
                break;
            }
            if next.is(exc) {
                let old = x.context.replace(Value::NONE);
                drop(old);
                break;
            }
            at = next;
        }
        if let Some(x) = exc.get::<Exception>() {
            let old = x.context.replace(handled.clone());
            drop(old);
        }
    }

    /// Adds a traceback entry in front of what the exception has.
    unsafe fn note(&self, exc: &Value, base: *mut u64, at: *const u32) {
        // SAFETY: a live frame.
        unsafe {
            let Some(x) = exc.get::<Exception>() else {
                return;
            };
            let next = x.traceback.borrow().clone();
            let tb = self.alloc(Traceback {
                frame: RefCell::new(word::func(base).clone()),
                at: offset(word::code(base), at),
                lineno: Cell::new(0),
                next: RefCell::new(next),
            });
            let old = x.traceback.replace(tb);
            drop(old);
        }
    }

    /// `unwind`, optionally without an entry for the first frame (RERAISE).
    pub(super) unsafe fn unwind_from(
        &self,
        mut at: *const u32,
        mut base: *mut u64,
        mut exc: Value,
        mut entry: bool,
    ) -> Flow {
        // SAFETY: base is a live frame; registers hold Values; return words were filled when frames were made.
        unsafe {
            loop {
                if entry {
                    self.note(&exc, base, at);
                }
                entry = true;
                let code = word::code(base);
                let off = offset(code, at);
                if let Some(h) = code
                    .code
                    .handlers
                    .iter()
                    .find(|h| h.start <= off && off < h.end)
                {
                    let keep = h.keep as usize;
                    word::clear(base, keep, (code.nregs as usize).saturating_sub(keep));
                    word::set(base, h.reg as usize, exc);
                    return Flow {
                        pc: (*code.instrs.get()).as_ptr().add(h.target as usize),
                        base,
                    };
                }
                if self.exec.on_stack(base) {
                    let (pc, caller, flags) = self.pop_frame(base);
                    if word::kind_of(flags) == kind::ENTRY {
                        self.exec.set_exit(Exit::Raised(exc));
                        return Flow::EXIT;
                    }
                    if word::kind_of(flags) == kind::INIT {
                        word::clear(caller, word::reg2_of(flags), 1);
                    }
                    at = pc.sub(1);
                    base = caller;
                    continue;
                }
                // A generator ends with an exception.
                let g = &*Gen::of_base(base);
                let hold = g.value();
                let flags = word::flags(base);
                let (pc, caller) = (word::ret_pc(base), word::ret_base(base));
                let is_root = std::ptr::eq(self.exec.root.get(), g);
                exc = self.seal(&hold, exc);
                if is_root {
                    self.leave_root(g);
                }
                g.release_registers();
                if !is_root {
                    let outer = g.outer.replace(std::ptr::null());
                    (*outer).delegate.set(std::ptr::null());
                    *caller.sub(1) =
                        *caller.sub(1) & !0xffff_ffff | (flags & 0xffff_ffff).saturating_sub(1);
                    let reg = word::reg2_of(flags);
                    word::clear(caller, reg, 1);
                    base = caller;
                    at = pc.sub(1);
                    let anext = pc.sub(2);
                    if (*anext >> 8) as u8 == crate::bytecode::ops::Op::ANEXT as u8
                        && b(*anext as u64) + 1 == reg
                        && self.is_exc_value(&exc, Exc::StopAsyncIteration)
                    {
                        return self.anext_end(anext, base);
                    }
                    continue;
                }
                match word::kind_of(flags) {
                    kind::FORITER => {
                        at = pc.sub(1);
                        base = caller;
                    }
                    kind::GENCALL => {
                        word::clear(caller, word::reg2_of(flags), 1);
                        at = pc.sub(1);
                        base = caller;
                    }
                    _ => {
                        self.exec.set_exit(Exit::Raised(exc));
                        return Flow::EXIT;
                    }
                }
            }
        }
    }

    /// PEP 479: StopIteration must not leave a generator, nor StopAsyncIteration an async one.
    fn seal(&self, gen_value: &Value, exc: Value) -> Value {
        let what = match gen_value.kind() {
            Kind::Coroutine => "coroutine",
            Kind::AsyncGenerator => "async generator",
            _ => "generator",
        };
        let name = if self.is_exc_value(&exc, Exc::StopIteration) {
            "StopIteration"
        } else if gen_value.kind() == Kind::AsyncGenerator
            && self.is_exc_value(&exc, Exc::StopAsyncIteration)
        {
            "StopAsyncIteration"
        } else {
            return exc;
        };
        let e = self.runtime_error(format!("{what} raised {name}")).0;
        if let Some(x) = e.get::<Exception>() {
            *x.cause.borrow_mut() = exc.clone();
            *x.context.borrow_mut() = exc;
            x.suppress_context.set(true);
        }
        e
    }

    pub fn is_exc_value(&self, v: &Value, e: Exc) -> bool {
        self.type_of(v)
            .get::<crate::object::types::TypeObj>()
            .is_some_and(|t| t.is_subtype(self.exc_type(e)))
    }

    /// Ends a root's run by an exception.
    unsafe fn leave_root(&self, g: &Gen) {
        g.state.set(GenState::Suspended);
        // SAFETY: g is the running root.
        unsafe { self.stop_root(g, false) }
    }
}

// ---- ops

/// RAISE: see the op table.
pub unsafe fn slow_raise(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        if c(w) == 0 {
            let handled = (*vm.handled.get()).clone();
            if handled.is_unbound() {
                return vm.fail(pc, base, vm.runtime_error("No active exception to reraise"));
            }
            return vm.unwind_from(pc.sub(1), base, handled, true);
        }
        let exc = match vm.make_exception(word::reg(base, a(w))) {
            Ok(e) => e,
            Err(e) => return vm.fail(pc, base, e),
        };
        if c(w) == 2 {
            let cause = word::reg(base, b(w)).clone();
            let cause = if cause.is_none() {
                cause
            } else {
                let is_class = cause.is_kind::<crate::object::types::TypeObj>();
                match vm.make_exception(&cause) {
                    Ok(e) => e,
                    Err(e) if is_class && !vm.is_exc(&e, Exc::TypeError) => {
                        return vm.fail(pc, base, e);
                    }
                    Err(_) => {
                        return vm.fail(
                            pc,
                            base,
                            vm.type_error("exception causes must derive from BaseException"),
                        );
                    }
                }
            };
            if let Some(x) = exc.get::<Exception>() {
                let old = x.cause.replace(cause);
                x.suppress_context.set(true);
                drop(old);
            }
        }
        // Raising an object anew links it to what is being handled now, whatever it was linked to before.
        let handled = (*vm.handled.get()).clone();
        if !handled.is_unbound() {
            vm.link_context(&exc, &handled);
        }
        release(base, &[a(w), b(w)], c(w));
        vm.unwind_from(pc.sub(1), base, exc, true)
    }
}

/// Clears the temporaries that a RAISE read.
unsafe fn release(base: *mut u64, regs: &[usize], n: usize) {
    // SAFETY: a slow op's frame.
    unsafe { super::ops_arith::release_temps(base, usize::MAX, &regs[..n]) }
}

pub unsafe fn slow_reraise(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let exc = word::take(base, a(w as u64));
        vm.unwind_from(pc.sub(1), base, exc, false)
    }
}

pub unsafe fn slow_pushexc(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let exc = word::reg(base, b(w)).clone();
        let before = std::mem::replace(&mut *vm.handled.get(), exc);
        word::set(base, a(w), before);
        Flow { pc, base }
    }
}

pub unsafe fn slow_popexc(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let before = word::take(base, a(w as u64));
        let old = std::mem::replace(&mut *vm.handled.get(), before);
        drop(old);
        Flow { pc, base }
    }
}

/// JNOMATCH: see the op table.
pub unsafe fn slow_jnomatch(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        match vm.exception_matches(word::reg(base, a(w)), word::reg(base, b(w))) {
            Ok(t) => {
                super::ops_arith::release_temps(base, a(w), &[b(w)]);
                let off = if t { 0 } else { *pc as i32 as isize };
                Flow {
                    pc: pc.add(1).offset(off),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

impl Vm {
    /// `except types:` for an exception object.
    pub fn exception_matches(&self, exc: &Value, types: &Value) -> Res<bool> {
        use crate::object::native::tuple_items;
        use crate::object::seq::Tuple;
        use crate::object::types::TypeObj;
        let one = |t: &Value| -> Res<bool> {
            let ok = t
                .get::<TypeObj>()
                .is_some_and(|t| t.is_subtype(self.exc_type(Exc::BaseException)));
            if !ok {
                return Err(self.type_error(
                    "catching classes that do not inherit from BaseException is not allowed",
                ));
            }
            Ok(self.type_obj(exc).is_subtype(t))
        };
        if types.is_kind::<Tuple>() {
            let items = tuple_items(types);
            // All are checked before any counts, as CPython does.
            for t in items {
                one(t)?;
            }
            for t in items {
                if one(t)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        one(types)
    }

    /// Runs what waits for a safe point: finalizers, weak reference callbacks, a due collection, a pending signal.
    pub fn safe_point(&self) -> Res<()> {
        use std::sync::atomic::Ordering::Relaxed;
        self.heap.attention.store(false, Relaxed);
        if self.in_finalizer.replace(true) {
            self.heap.attention.store(true, Relaxed);
            return Ok(());
        }
        self.run_pending();
        if self.heap.gc_due() && self.heap.gc_enabled.get() {
            self.collect_garbage();
        }
        let r = (self.hooks.signal.get())(self);
        self.in_finalizer.set(false);
        r
    }

    /// Runs the queued finalizers and weak reference callbacks.
    pub fn run_pending(&self) {
        for _ in 0..1000 {
            let (dead, weak) = self.heap.take_pending();
            if dead.is_empty() && weak.is_empty() {
                return;
            }
            for w in weak {
                let cb = w
                    .get::<crate::object::weak::WeakRef>()
                    .map_or(Value::NONE, |r| r.callback.replace(Value::NONE));
                if !cb.is_none()
                    && let Err(e) = self.call(&cb, std::slice::from_ref(&w))
                {
                    self.unraisable(e, "Exception ignored while calling weakref callback", &cb);
                }
            }
            for v in dead {
                self.finalize(v);
            }
        }
    }

    /// Runs one object's finalizer; the object dies with the value unless the finalizer stored it somewhere.
    fn finalize(&self, v: Value) {
        use crate::object::header::flag;
        if let Some(h) = v.header() {
            h.flags.set(h.flags.get() | flag::FINALIZED);
        }
        match v.kind() {
            Kind::NativeCoro => (self.hooks.unawaited.get())(self, &v),
            Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => {
                if let Some(h) = v.header() {
                    // A generator may be finalized again: it is done once its frame is closed.
                    h.flags.set(h.flags.get() & !flag::FINALIZED);
                }
                self.finalize_generator(&v);
                if let Some(h) = v.header() {
                    h.flags.set(h.flags.get() | flag::FINALIZED);
                }
            }
            _ => {
                let saved = self.save_handled();
                if let Some(del) = self.type_obj(&v).slots().del
                    && let Err(e) = del(self, &v)
                {
                    let what = self
                        .lookup_special(&v, &self.names.__del__)
                        .unwrap_or(Value::NONE);
                    self.unraisable(e, "Exception ignored while calling deallocator", &what);
                }
                self.restore_handled(saved);
            }
        }
    }

    /// Puts the handled exception aside while code runs that is no part of the interrupted one.
    pub fn save_handled(&self) -> Value {
        // SAFETY: no reference is held.
        unsafe { std::mem::replace(&mut *self.handled.get(), Value::UNBOUND) }
    }
    pub fn restore_handled(&self, v: Value) {
        // SAFETY: no reference is held.
        let old = unsafe { std::mem::replace(&mut *self.handled.get(), v) };
        drop(old);
    }

    fn finalize_generator(&self, v: &Value) {
        let Some(g) = v.as_gen() else { return };
        let saved = self.save_handled();
        match (v.kind(), g.state.get()) {
            (Kind::Coroutine, GenState::Created) => {
                crate::object::heap::Heap::set_finalize(v, false);
                (self.hooks.unawaited.get())(self, v);
                g.release_registers();
            }
            (Kind::AsyncGenerator, GenState::Suspended) => {
                if !(self.hooks.asyncgen_finalizer.get())(self, v)
                    && let Err(e) = self.gen_close(v)
                {
                    self.unraisable(e, "Exception ignored while closing generator", v);
                }
            }
            (_, GenState::Suspended) => {
                if let Err(e) = self.gen_close(v) {
                    self.unraisable(e, "Exception ignored while closing generator", v);
                }
            }
            _ => (),
        }
        self.restore_handled(saved);
    }

    /// A full collection; gives the number of unreachable objects found.
    pub fn collect_garbage(&self) -> usize {
        use crate::object::cycles;
        if self.heap.collecting.replace(true) {
            return 0;
        }
        let mut g = cycles::find(&self.heap);
        if !g.finalize.is_empty() {
            // Finalizers may bring things back: run them, then look again.
            g.rest.clear();
            for v in std::mem::take(&mut g.finalize) {
                if v.as_gen().is_some_and(|x| !x.needs_finalizer(v.kind())) {
                    if let Some(h) = v.header() {
                        h.flags
                            .set(h.flags.get() | crate::object::header::flag::FINALIZED);
                    }
                    continue;
                }
                self.finalize(v);
            }
            g = cycles::find(&self.heap);
        }
        let mut all = g.rest;
        all.append(&mut g.finalize);
        let n = cycles::free(&self.heap, all);
        self.heap.collecting.set(false);
        n
    }

    /// Reports an exception that nobody can catch, as `sys.unraisablehook` does.
    pub fn unraisable(&self, e: Raised, message: &str, object: &Value) {
        (self.hooks.unraisable.get())(self, &e.0, message, object)
    }
}
