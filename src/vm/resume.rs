//! Generators, coroutines and async generators: entering, suspending, ending, delegating.
//!
//! See `object::generator` for the picture. A chain of frames that wait for each other is linked by return words, like calls; the
//! machine knows the root of the running chain (`exec.root`), and the root knows its leaf while suspended. So a resume goes straight to the leaf and
//! a yield straight to the root's resumer, at any depth. (CPython, PyPy and V8 walk the chain on each resume.)
//!
//! Rules:
//! 1. Only roots are in state Running; frames in the middle of a chain stay Suspended with `outer` set. `is_running` looks at the root.
//! 2. Whoever enters a generator owns a reference to it until it is left (a register, or the native's argument).
//! 3. `exec.root` always is the generator whose resumer gets the next yield; null outside generators.

#![allow(unsafe_code)]

use super::dispatch::*;
use super::frame::{Exit, Flow, kind, word};
use super::hooks::is_native_await;
use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::bytecode::ops::Op;
use crate::object::generator::{Gen, GenState, NO_REG};
use crate::object::header::Kind;
use crate::object::native::Native;
use crate::object::value::Value;

/// How a resumed generator stopped.
pub enum Resumed {
    Yielded(Value),
    Returned(Value),
    Raised(Raised),
}

/// True if the generator's chain is running now.
pub fn is_running(g: &Gen) -> bool {
    let mut at: *const Gen = g;
    // SAFETY: `outer` links point to live generators: each outer frame keeps its inner one, and is itself kept by its resumer.
    unsafe {
        while !(*at).outer.get().is_null() {
            at = (*at).outer.get();
        }
        (*at).state.get() == GenState::Running
    }
}

impl Vm {
    /// Cuts a generator out of the chain that waits for it, because it is resumed directly. Its root's leaf becomes the outer frame,
    /// which on its own resume takes the delegation up again.
    fn detach(&self, g: &Gen) {
        let outer = g.outer.replace(std::ptr::null());
        if outer.is_null() {
            return;
        }
        // SAFETY: outer links point to live generators.
        unsafe {
            let leaf_of_chain = {
                let mut at = outer;
                while !(*at).outer.get().is_null() {
                    at = (*at).outer.get();
                }
                (*at).leaf.replace((*outer).base())
            };
            g.leaf.set(leaf_of_chain);
            (*outer).delegate.set(std::ptr::null());
            (*outer).at_send.set(true);
        }
    }

    /// Makes `g` the running root; gives its leaf. The caller has filled the root's return words.
    #[inline(always)]
    unsafe fn start_root(&self, g: &Gen) -> *const Gen {
        g.saved_root.set(self.exec.root.replace(g));
        g.state.set(GenState::Running);
        // SAFETY: a suspended root's leaf is a live generator frame.
        let leaf = unsafe { Gen::of_base(g.leaf.get()) };
        // The exception being handled inside comes back; the resumer's is kept for later.
        // SAFETY: no reference into these cells is held.
        unsafe {
            let own = &mut *g.handled.get();
            if !own.is_unbound() {
                let own = std::mem::replace(own, Value::UNBOUND);
                *g.outer_handled.get() = std::mem::replace(&mut *self.handled.get(), own);
            } else if !(*self.handled.get()).is_unbound() {
                *g.outer_handled.get() = (*self.handled.get()).clone();
            }
        }
        leaf
    }

    /// Undoes `start_root` when the root stops. `keep`: it is suspended, so what it handles is put aside.
    #[inline(always)]
    pub(super) unsafe fn stop_root(&self, g: &Gen, keep: bool) {
        self.exec.root.set(g.saved_root.replace(std::ptr::null()));
        // SAFETY: no reference into these cells is held.
        unsafe {
            let now = &mut *self.handled.get();
            let outer = &mut *g.outer_handled.get();
            if now.is_unbound() && outer.is_unbound() {
                return;
            }
            let outer = std::mem::replace(outer, Value::UNBOUND);
            let inner = std::mem::replace(now, outer);
            if keep && !inner.is(now) {
                *g.handled.get() = inner;
            } else {
                drop(inner);
            }
        }
    }

    /// Resumes a generator from native code. `sent` is the value to send, or the exception to throw in.
    pub fn resume(&self, gen_value: &Value, sent: Result<Value, Raised>) -> Resumed {
        let Some(g) = gen_value.as_gen() else {
            return self.resume_native(gen_value, sent);
        };
        if is_running(g) {
            return Resumed::Raised(self.already_running(gen_value.kind()));
        }
        if let Err(e) = self.check_native_stack() {
            return Resumed::Raised(e);
        }
        self.detach(g);
        match g.state.get() {
            GenState::Closed => {
                return match (gen_value.kind(), sent) {
                    (Kind::Coroutine, _) => Resumed::Raised(
                        self.runtime_error("cannot reuse already awaited coroutine"),
                    ),
                    (_, Err(e)) => Resumed::Raised(e),
                    (_, Ok(_)) => Resumed::Returned(Value::NONE),
                };
            }
            GenState::Created => match &sent {
                Ok(v) if !v.is_none() => {
                    let what = self.kind_word(gen_value.kind());
                    return Resumed::Raised(self.type_error(format!(
                        "can't send non-None value to a just-started {what}"
                    )));
                }
                _ => (),
            },
            _ => (),
        }
        let _keep = gen_value.clone();
        // SAFETY: the generator is suspended or new; its frame words are filled here.
        unsafe {
            let caller = self.exec.base.get();
            let base = g.base();
            *base.sub(3) = self.exec.pc.get() as u64;
            *base.sub(2) = caller as u64;
            *base.sub(1) = word::pack(word::depth(caller) + 1, 0, kind::ENTRY, 0);
            if word::depth(caller) >= self.recursion_limit.get() {
                return Resumed::Raised(self.recursion_error());
            }
            let leaf = self.start_root(g);
            let flow = self.go_leaf(leaf, word::depth(caller) + 1, sent);
            let exit = if flow.pc.is_null() {
                self.exec.take_exit()
            } else {
                self.run(flow.pc, flow.base)
            };
            match exit {
                Exit::Yielded(v) => Resumed::Yielded(v),
                Exit::Returned(v) => Resumed::Returned(v),
                Exit::Raised(e) => Resumed::Raised(Raised(e)),
                Exit::None => {
                    Resumed::Raised(self.runtime_error("a generator stopped without a result"))
                }
            }
        }
    }

    /// Goes on in the leaf of the running chain with a sent value or a thrown exception.
    unsafe fn go_leaf(&self, leaf: *const Gen, depth: u32, sent: Result<Value, Raised>) -> Flow {
        // SAFETY: the leaf is a live, suspended generator frame.
        unsafe {
            let l = &*leaf;
            let base = l.base();
            *base.sub(1) = *base.sub(1) & !0xffff_ffff | depth as u64;
            let pc = l.resume_pc.get();
            match sent {
                Ok(v) => {
                    let r = l.resume_reg.get();
                    if r != NO_REG {
                        word::set(base, r as usize, v);
                    }
                    if l.state.get() == GenState::Created {
                        l.state.set(GenState::Suspended);
                    }
                    Flow { pc, base }
                }
                Err(e) => {
                    if l.state.get() == GenState::Created {
                        // Nothing in the frame can catch it; it is closed as it unwinds.
                        l.state.set(GenState::Suspended);
                        return self.unwind(pc, base, e.0);
                    }
                    if l.at_send.get() {
                        return self.throw_into_delegate(l, pc, base, e);
                    }
                    // `pc` is the word after the YIELD.
                    self.unwind(pc.sub(1), base, e.0)
                }
            }
        }
    }

    /// Throws into a frame that waits in SEND or ANEXT for something that is no generator frame: the delegate's own `throw` comes first.
    unsafe fn throw_into_delegate(
        &self,
        _g: &Gen,
        pc: *const u32,
        base: *mut u64,
        e: Raised,
    ) -> Flow {
        // SAFETY: pc is a SEND or ANEXT of this frame.
        unsafe {
            self.exec.base.set(base);
            self.exec.pc.set(pc);
            let w = *pc as u64;
            let anext = (w >> 8) as u8 == Op::ANEXT as u8;
            let reg = if anext { b(w) + 1 } else { b(w) };
            let delegate = word::reg(base, reg).clone();
            if self.is_exc(&e, Exc::GeneratorExit) {
                if let Err(e2) = self.close_iterator(&delegate) {
                    return self.unwind(pc, base, e2.0);
                }
                return self.unwind(pc, base, e.0);
            }
            match self.throw_to_iterator(&delegate, e) {
                Ok(Step::Yielded(v)) => self.suspend(base, v, pc, a(w), true),
                Ok(Step::Returned(v)) => {
                    word::clear(base, reg, 1);
                    word::set(base, a(w), v);
                    Flow {
                        pc: pc.add(if anext { 2 } else { 1 }),
                        base,
                    }
                }
                Err(e) => self.delegate_raised(pc, base, reg, e),
            }
        }
    }

    /// The delegate in register `reg` ended with an exception at the delegating op `pc`.
    unsafe fn delegate_raised(
        &self,
        pc: *const u32,
        base: *mut u64,
        reg: usize,
        e: Raised,
    ) -> Flow {
        // SAFETY: pc is a SEND or ANEXT of this frame.
        unsafe {
            word::clear(base, reg, 1);
            if (*pc >> 8) as u8 == Op::ANEXT as u8 && self.is_exc(&e, Exc::StopAsyncIteration) {
                return self.anext_end(pc, base);
            }
            self.unwind(pc, base, e.0)
        }
    }

    /// `async for` is over: the iterator is released, the op jumps.
    pub(super) unsafe fn anext_end(&self, pc: *const u32, base: *mut u64) -> Flow {
        // SAFETY: pc is an ANEXT of this frame.
        unsafe {
            let w = *pc as u64;
            word::clear(base, b(w), 1);
            Flow {
                pc: pc.add(2).offset(*pc.add(1) as i32 as isize),
                base,
            }
        }
    }

    /// Suspends the running chain at the frame `base`: `v` goes to the root's resumer. The frame goes on at `pc`, where the sent value is put in register `reg`.
    pub(super) unsafe fn suspend(
        &self,
        base: *mut u64,
        v: Value,
        pc: *const u32,
        reg: usize,
        at_send: bool,
    ) -> Flow {
        // SAFETY: base is a generator's frame and exec.root heads its chain.
        unsafe {
            let g = &*Gen::of_base(base);
            g.resume_pc.set(pc);
            g.resume_reg.set(reg as u16);
            g.at_send.set(at_send);
            let root = &*self.exec.root.get();
            root.leaf.set(base);
            root.state.set(GenState::Suspended);
            self.stop_root(root, true);
            self.to_resumer(root, v)
        }
    }

    /// Hands a yielded value to whoever resumed the root.
    unsafe fn to_resumer(&self, root: &Gen, v: Value) -> Flow {
        // SAFETY: the root's return words were filled when it was resumed.
        unsafe {
            let base = root.base();
            let flags = word::flags(base);
            let (pc, caller) = (word::ret_pc(base), word::ret_base(base));
            match word::kind_of(flags) {
                kind::FORITER => {
                    word::set(caller, word::dest_of(flags), v);
                    Flow { pc, base: caller }
                }
                kind::GENCALL => {
                    let g = word::take(caller, word::reg2_of(flags));
                    word::set(caller, word::dest_of(flags), v);
                    drop(g);
                    Flow { pc, base: caller }
                }
                _ => {
                    self.exec.set_exit(Exit::Yielded(v));
                    Flow::EXIT
                }
            }
        }
    }

    /// Ends a generator's frame with a result.
    pub(super) unsafe fn gen_return(&self, base: *mut u64, v: Value) -> Flow {
        // SAFETY: base is a running generator's frame.
        unsafe {
            let g = &*Gen::of_base(base);
            let flags = word::flags(base);
            let (pc, caller) = (word::ret_pc(base), word::ret_base(base));
            let is_root = std::ptr::eq(self.exec.root.get(), g);
            let async_gen = word::code(base).flags & crate::bytecode::flags::ASYNC_GENERATOR != 0;
            if is_root {
                self.stop_root(g, false);
            }
            // The generator must outlive the release of its registers.
            let hold = g.value();
            g.release_registers();
            let flow = if is_root {
                match word::kind_of(flags) {
                    kind::FORITER => {
                        // The iterator register goes, and the op jumps: its offset stands two words back.
                        let w = *pc.sub(3) as u64;
                        word::clear(caller, b(w), 1);
                        Flow {
                            pc: pc.offset(*pc.sub(2) as i32 as isize),
                            base: caller,
                        }
                    }
                    kind::GENCALL => {
                        word::clear(caller, word::reg2_of(flags), 1);
                        let e = self.stop_iteration(v);
                        self.unwind(pc.sub(1), caller, e.0)
                    }
                    _ => {
                        self.exec.set_exit(if async_gen {
                            Exit::Raised(self.error_args(Exc::StopAsyncIteration, vec![]).0)
                        } else {
                            Exit::Returned(v)
                        });
                        Flow::EXIT
                    }
                }
            } else {
                let outer = g.outer.replace(std::ptr::null());
                (*outer).delegate.set(std::ptr::null());
                *caller.sub(1) =
                    *caller.sub(1) & !0xffff_ffff | (flags & 0xffff_ffff).saturating_sub(1);
                let reg = word::reg2_of(flags);
                if word::kind_of(flags) == kind::ANEXT {
                    // An async generator came to its end.
                    word::clear(caller, reg, 1);
                    let e = self.error_args(Exc::StopAsyncIteration, vec![]);
                    self.delegate_ended_anext(pc, caller, reg, e)
                } else {
                    word::set(caller, word::dest_of(flags), v);
                    word::clear(caller, reg, 1);
                    Flow { pc, base: caller }
                }
            };
            drop(hold);
            flow
        }
    }

    /// An async generator reached through ANEXT or `asend` ended: the waiting op jumps (ANEXT) or raises (SEND).
    unsafe fn delegate_ended_anext(
        &self,
        after: *const u32,
        base: *mut u64,
        reg: usize,
        e: Raised,
    ) -> Flow {
        // SAFETY: `after` follows a SEND (one word) or an ANEXT (two words) of this frame.
        unsafe {
            let anext = after.sub(2);
            if (*anext >> 8) as u8 == Op::ANEXT as u8 && b(*anext as u64) + 1 == reg {
                return self.anext_end(anext, base);
            }
            self.unwind(after.sub(1), base, e.0)
        }
    }

    /// Links the generator in register `reg` of the frame `base` as its delegate and goes on in it (in its leaf, if it is itself a chain).
    unsafe fn enter_delegate(
        &self,
        base: *mut u64,
        pc: *const u32,
        after: *const u32,
        dest: usize,
        reg: usize,
        how: u8,
        sent: Value,
    ) -> Flow {
        // SAFETY: a slow op's frame, which is a generator's; the register holds an idle generator.
        unsafe {
            let outer = &*Gen::of_base(base);
            let Some(inner) = word::reg(base, reg).as_gen() else {
                return self.fail(pc.add(1), base, self.type_error("generator expected"));
            };
            inner.outer.set(outer);
            outer.delegate.set(inner);
            outer.resume_pc.set(pc);
            outer.resume_reg.set(dest as u16);
            outer.at_send.set(true);
            let depth = word::depth(base);
            let ib = inner.base();
            *ib.sub(3) = after as u64;
            *ib.sub(2) = base as u64;
            *ib.sub(1) = word::pack(depth + 1, dest as u8, how, reg as u8);
            if depth >= self.recursion_limit.get() {
                inner.outer.set(std::ptr::null());
                outer.delegate.set(std::ptr::null());
                return self.unwind(pc, base, self.recursion_error().0);
            }
            let leaf = Gen::of_base(inner.leaf.get());
            self.go_leaf(leaf, depth + 1, Ok(sent))
        }
    }

    fn kind_word(&self, k: Kind) -> &'static str {
        match k {
            Kind::Coroutine => "coroutine",
            Kind::AsyncGenerator => "async generator",
            _ => "generator",
        }
    }

    fn already_running(&self, k: Kind) -> Raised {
        self.value_error(format!("{} already executing", self.kind_word(k)))
    }

    // ---- calls of generator methods from bytecode

    /// The generator, if this native call is `g.send(x)`, `g.__next__()` or `next(g)` on one that may be entered as a frame of this loop.
    pub(super) fn gen_to_call(&self, native: &Native, args: &[Value]) -> Option<Value> {
        let enters = std::ptr::fn_addr_eq(
            native.def.f,
            crate::vm::gen_methods::gen_send as crate::object::native::NativeFn,
        ) && args.len() == 2
            || std::ptr::fn_addr_eq(
                native.def.f,
                crate::vm::gen_methods::gen_next as crate::object::native::NativeFn,
            ) && args.len() == 1;
        if !enters {
            return None;
        }
        let v = args.first()?;
        let g = v.as_gen()?;
        let idle = v.kind() == Kind::Generator
            && g.outer.get().is_null()
            && g.state.get() == GenState::Suspended;
        let fresh = v.kind() == Kind::Generator
            && g.state.get() == GenState::Created
            && args.get(1).is_none_or(Value::is_none);
        if idle || fresh { Some(v.clone()) } else { None }
    }

    /// Resumes the generator in register `win` as a frame of the running loop.
    pub(super) unsafe fn enter_gen_call(
        &self,
        pc: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        win: usize,
        sent: Value,
    ) -> Flow {
        // SAFETY: a slow op's frame; `gen_to_call` said the generator is idle.
        unsafe {
            let depth = word::depth(base) + 1;
            if depth > self.recursion_limit.get() {
                return self.fail(pc, base, self.recursion_error());
            }
            let Some(g) = word::reg(base, win).as_gen() else {
                return self.fail(pc, base, self.type_error("generator expected"));
            };
            let gb = g.base();
            *gb.sub(3) = after as u64;
            *gb.sub(2) = base as u64;
            *gb.sub(1) = word::pack(depth, dest as u8, kind::GENCALL, win as u8);
            let leaf = self.start_root(g);
            self.go_leaf(leaf, depth, Ok(sent))
        }
    }
}

/// One step of a delegate that is not a generator frame.
pub enum Step {
    Yielded(Value),
    Returned(Value),
}

impl Vm {
    /// The value that a native iterator returned at its end (see `Exec::iter_result`).
    pub fn take_iter_result(&self) -> Value {
        // SAFETY: no reference is held.
        unsafe { std::mem::replace(&mut *self.exec.iter_result.get(), Value::NONE) }
    }
    /// Sets what the end of a native iterator's `next` (`Ok(None)`) returns to `await` or `yield from`.
    pub fn set_iter_result(&self, v: Value) {
        // SAFETY: no reference is held.
        unsafe { *self.exec.iter_result.get() = v }
    }

    /// The value of a StopIteration, or the exception back.
    fn stop_value(&self, e: Raised) -> Res<Step> {
        if !self.is_exc(&e, Exc::StopIteration) {
            return Err(e);
        }
        Ok(Step::Returned(self.stop_iteration_value(&e.0)))
    }

    /// `value` of a StopIteration object.
    pub fn stop_iteration_value(&self, e: &Value) -> Value {
        e.get::<crate::object::exception::Exception>()
            .and_then(|x| {
                crate::object::native::tuple_items(&x.args.borrow())
                    .first()
                    .cloned()
            })
            .unwrap_or(Value::NONE)
    }

    /// Sends a value to any iterator: `next` for None, else its `send` method.
    pub fn send_to_iterator(&self, it: &Value, sent: Value) -> Res<Step> {
        if is_native_await(it.kind()) {
            return (self.hooks.native_await.get())(self, it, Ok(sent));
        }
        if it.as_gen().is_some() {
            return match self.resume(it, Ok(sent)) {
                Resumed::Yielded(v) => Ok(Step::Yielded(v)),
                Resumed::Returned(v) => Ok(Step::Returned(v)),
                Resumed::Raised(e) => Err(e),
            };
        }
        if sent.is_none()
            && let Some(next) = self.type_obj(it).slots().next
        {
            return match next(self, it) {
                Ok(Some(v)) => Ok(Step::Yielded(v)),
                Ok(None) => Ok(Step::Returned(self.take_iter_result())),
                Err(e) => self.stop_value(e),
            };
        }
        let name = self.names.send.clone();
        match self.call_method(it, &name, &[sent]) {
            Ok(v) => Ok(Step::Yielded(v)),
            Err(e) => self.stop_value(e),
        }
    }

    /// Throws into any iterator: its `throw`, or the exception straight back if it has none.
    pub fn throw_to_iterator(&self, it: &Value, e: Raised) -> Res<Step> {
        if is_native_await(it.kind()) {
            return (self.hooks.native_await.get())(self, it, Err(e));
        }
        if it.as_gen().is_some() {
            return match self.resume(it, Err(e)) {
                Resumed::Yielded(v) => Ok(Step::Yielded(v)),
                Resumed::Returned(v) => Ok(Step::Returned(v)),
                Resumed::Raised(e) => Err(e),
            };
        }
        let name = self.names.throw.clone();
        let Some(throw) = self.getattr_opt(it, &name)? else {
            return Err(e);
        };
        match self.call(&throw, &[e.0]) {
            Ok(v) => Ok(Step::Yielded(v)),
            Err(e) => self.stop_value(e),
        }
    }

    /// Closes any iterator: a generator, or by its `close` if it has one.
    pub fn close_iterator(&self, it: &Value) -> Res<()> {
        if is_native_await(it.kind()) {
            return self.close_native(it);
        }
        if it.as_gen().is_some() {
            return self.gen_close(it);
        }
        let name = self.names.close.clone();
        if let Some(close) = self.getattr_opt(it, &name)? {
            self.call(&close, &[])?;
        }
        Ok(())
    }

    /// `close()` of a generator or coroutine: GeneratorExit from the innermost delegate outwards. Gives what the generator returned, if
    /// it caught the exception and returned.
    pub fn gen_close_value(&self, gen_value: &Value) -> Res {
        let Some(g) = gen_value.as_gen() else {
            return self.close_native(gen_value).map(|()| Value::NONE);
        };
        if is_running(g) {
            return Err(self.already_running(gen_value.kind()));
        }
        match g.state.get() {
            GenState::Closed => return Ok(Value::NONE),
            GenState::Created => {
                g.release_registers();
                crate::object::heap::Heap::set_finalize(gen_value, false);
                return Ok(Value::NONE);
            }
            _ => (),
        }
        self.detach(g);
        // The chain below, innermost last. Each is closed on its own, so that one that swallows the exception does not hide it from the outer ones.
        let mut chain = vec![gen_value.clone()];
        // SAFETY: delegate links point to live generators.
        unsafe {
            let mut at = g.delegate.get();
            while !at.is_null() {
                chain.push((*at).value());
                at = (*at).delegate.get();
            }
        }
        let mut inner_error = None;
        while let Some(v) = chain.pop() {
            let Some(g) = v.as_gen() else { continue };
            if g.state.get() == GenState::Closed {
                continue;
            }
            // Inner delegates are closed by now: the frame stands alone.
            g.delegate.set(std::ptr::null());
            g.outer.set(std::ptr::null());
            g.leaf.set(g.base());
            let throw = inner_error
                .take()
                .unwrap_or_else(|| self.error_args(Exc::GeneratorExit, vec![]));
            if g.at_send.get() && !chain_tail_closed(self, g) {
                // The delegate is some other iterator: `throw_into_delegate` closes it.
            }
            match self.resume(&v, Err(throw)) {
                Resumed::Yielded(_) => {
                    let e = self.runtime_error(format!(
                        "{} ignored GeneratorExit",
                        self.kind_word(v.kind())
                    ));
                    if chain.is_empty() {
                        return Err(e);
                    }
                    inner_error = Some(e);
                }
                Resumed::Returned(r) => {
                    if chain.is_empty() {
                        return Ok(r);
                    }
                }
                Resumed::Raised(e) => {
                    let quiet =
                        self.is_exc(&e, Exc::GeneratorExit) || self.is_exc(&e, Exc::StopIteration);
                    if chain.is_empty() {
                        return if quiet { Ok(Value::NONE) } else { Err(e) };
                    }
                    if !quiet {
                        inner_error = Some(e);
                    }
                }
            }
        }
        Ok(Value::NONE)
    }

    /// `gen_close_value` without the value.
    pub fn gen_close(&self, gen_value: &Value) -> Res<()> {
        self.gen_close_value(gen_value).map(|_| ())
    }
}

impl Vm {
    /// One step of a coroutine of the event layer.
    fn resume_native(&self, v: &Value, sent: Result<Value, Raised>) -> Resumed {
        if v.kind() != Kind::NativeCoro {
            return Resumed::Raised(self.type_error("a generator was expected"));
        }
        match (self.hooks.native_await.get())(self, v, sent) {
            Ok(Step::Yielded(v)) => Resumed::Yielded(v),
            Ok(Step::Returned(v)) => Resumed::Returned(v),
            Err(e) => Resumed::Raised(e),
        }
    }

    /// Closes an awaitable of the event layer.
    fn close_native(&self, v: &Value) -> Res<()> {
        if v.kind() != Kind::NativeCoro {
            return Ok(());
        }
        let exit = self.error_args(Exc::GeneratorExit, vec![]);
        match (self.hooks.native_await.get())(self, v, Err(exit)) {
            Ok(Step::Yielded(_)) => Err(self.runtime_error("coroutine ignored GeneratorExit")),
            Ok(Step::Returned(_)) => Ok(()),
            Err(e) if self.is_exc(&e, Exc::GeneratorExit) || self.is_exc(&e, Exc::RuntimeError) => {
                Ok(())
            }
            Err(e) => Err(e),
        }
    }
}

/// True if the frame's delegating op no longer holds a live generator.
fn chain_tail_closed(_vm: &Vm, g: &Gen) -> bool {
    // SAFETY: the frame is suspended at a SEND or ANEXT.
    unsafe {
        let w = *g.resume_pc.get() as u64;
        let reg = if (w >> 8) as u8 == Op::ANEXT as u8 {
            b(w) + 1
        } else {
            b(w)
        };
        word::reg(g.base(), reg)
            .as_gen()
            .is_some_and(|d| d.state.get() == GenState::Closed)
    }
}

// ---- handlers

pub unsafe fn op_yield(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified code: this is a generator's frame, and exec.root heads its chain.
    unsafe {
        let root = (*vm).exec.root.get();
        let rb = (*root).base();
        let flags = word::flags(rb);
        let rv = b(w);
        if word::kind_of(flags) != kind::FORITER
            || *((*vm).handled.get() as *const u64) != Value::UNBOUND_BITS
        {
            return via(vm, pc, base, w, slow_yield);
        }
        let v = *base.add(rv);
        if rv >= word::code(base).nlocals as usize {
            *base.add(rv) = Value::UNBOUND_BITS;
        } else {
            incref(v);
        }
        let g = Gen::of_base(base);
        (*g).resume_pc.set(pc);
        (*g).resume_reg.set(a(w) as u16);
        (*g).at_send.set(false);
        (*root).leaf.set(base);
        (*root).state.set(GenState::Suspended);
        (*vm).exec.root.set((*root).saved_root.get());
        put_next(
            vm,
            word::ret_pc(rb),
            word::ret_base(rb),
            word::dest_of(flags),
            v,
        )
    }
}

unsafe fn slow_yield(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let v = if b(w) >= word::code(base).nlocals as usize {
            word::take(base, b(w))
        } else {
            word::reg(base, b(w)).clone()
        };
        vm.suspend(base, v, pc, a(w), false)
    }
}

/// FORITER over a generator: the frame is entered in place. Called when the register holds an idle exact generator.
#[inline(always)]
pub unsafe fn enter_for(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    w: u64,
    g: *const Gen,
) -> Flow {
    // SAFETY: FORITER's handler checked the generator.
    unsafe {
        let depth = word::depth(base) + 1;
        let gb = (*g).base();
        *gb.sub(3) = pc.add(2) as u64;
        *gb.sub(2) = base as u64;
        *gb.sub(1) = word::pack(depth, a(w) as u8, kind::FORITER, b(w) as u8);
        (*g).saved_root.set((*vm).exec.root.get());
        (*vm).exec.root.set(g);
        (*g).state.set(GenState::Running);
        let leaf = Gen::of_base((*g).leaf.get());
        let lb = (*leaf).base();
        *lb.sub(1) = *lb.sub(1) & !0xffff_ffff | depth as u64;
        let r = (*leaf).resume_reg.get();
        let to = (*leaf).resume_pc.get();
        if r != NO_REG {
            return put_next(vm, to, lb, r as usize, Value::NONE_BITS);
        }
        next(vm, to, lb)
    }
}

/// True if FORITER may enter this generator by `enter_for`.
#[inline(always)]
pub unsafe fn can_enter_for(vm: *const Vm, base: *mut u64, g: *const Gen) -> bool {
    // SAFETY: the caller has a live generator.
    unsafe {
        matches!((*g).state.get(), GenState::Suspended | GenState::Created)
            && (*g).outer.get().is_null()
            && *((*g).handled.get() as *const u64) == Value::UNBOUND_BITS
            && *((*vm).handled.get() as *const u64) == Value::UNBOUND_BITS
            && word::depth(base) < (*vm).recursion_limit.get()
    }
}

pub unsafe fn op_returngen(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(vm: &Vm, _: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: a slow op.
        unsafe {
            let v = word::take(base, a(w as u64));
            vm.gen_return(base, v)
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

/// SEND: see the op table.
pub unsafe fn slow_send(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op in a generator's frame.
    unsafe {
        let w = w as u64;
        let (dest, reg) = (a(w), b(w));
        let at = pc.sub(1);
        let d = word::reg(base, reg);
        if let Some(g) = d.as_gen() {
            // A generator that somebody is running, or that another frame waits for, answers with an error.
            match g.state.get() {
                GenState::Closed if d.kind() == Kind::Coroutine => {
                    return vm.fail(
                        pc,
                        base,
                        vm.runtime_error("cannot reuse already awaited coroutine"),
                    );
                }
                GenState::Closed => {
                    word::set(base, dest, Value::NONE);
                    word::clear(base, reg, 1);
                    return Flow { pc, base };
                }
                _ => (),
            }
            if is_running(g)
                || !g.outer.get().is_null() && !std::ptr::eq(g.outer.get(), Gen::of_base(base))
            {
                let e = if d.kind() == Kind::Coroutine {
                    vm.runtime_error("coroutine is being awaited already")
                } else {
                    vm.already_running(d.kind())
                };
                return vm.fail(pc, base, e);
            }
            let sent = word::take(base, dest);
            if g.state.get() == GenState::Created && !sent.is_none() {
                let what = vm.kind_word(d.kind());
                return vm.fail(
                    pc,
                    base,
                    vm.type_error(format!(
                        "can't send non-None value to a just-started {what}"
                    )),
                );
            }
            return vm.enter_delegate(base, at, pc, dest, reg, kind::SEND, sent);
        }
        let sent = word::take(base, dest);
        vm.send_other(at, pc, base, dest, reg, sent)
    }
}

impl Vm {
    /// One step of a delegate that is no generator, for SEND and ANEXT.
    unsafe fn send_other(
        &self,
        at: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        reg: usize,
        sent: Value,
    ) -> Flow {
        // SAFETY: a slow op in a generator's frame.
        unsafe {
            let d = word::reg(base, reg).clone();
            match self.send_to_iterator(&d, if sent.is_unbound() { Value::NONE } else { sent }) {
                Ok(Step::Yielded(v)) => self.suspend(base, v, at, dest, true),
                Ok(Step::Returned(v)) => {
                    word::clear(base, reg, 1);
                    word::set(base, dest, v);
                    Flow { pc: after, base }
                }
                Err(e) => self.delegate_raised(at, base, reg, e),
            }
        }
    }
}

/// ANEXT: see the op table. Register B+1 holds the awaitable under way.
pub unsafe fn slow_anext(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op in a generator's frame.
    unsafe {
        let w = w as u64;
        let (dest, iter, state) = (a(w), b(w), b(w) + 1);
        let (at, after) = (pc.sub(1), pc.add(1));
        let it = word::reg(base, iter);
        if word::reg(base, state).is_unbound() {
            if it.kind() == Kind::AsyncGenerator
                && let Some(g) = it.as_gen()
                && !g.running_async.get()
                && !is_running(g)
                && g.outer.get().is_null()
            {
                // The usual case: the generator's frame is entered without any object in between.
                if let Err(e) = vm.asyncgen_first_iter(it) {
                    return vm.fail(pc, base, e);
                }
                if g.state.get() == GenState::Closed {
                    return vm.anext_end(at, base);
                }
                let v = it.clone();
                word::set(base, state, v);
                return vm.enter_delegate(base, at, after, dest, state, kind::ANEXT, Value::NONE);
            }
            let aw = match vm.anext_awaitable(it) {
                Ok(v) => v,
                Err(e) => return vm.fail(pc, base, e),
            };
            word::set(base, state, aw);
            word::set(base, dest, Value::NONE);
        }
        let d = word::reg(base, state);
        if let Some(g) = d.as_gen()
            && d.kind() != Kind::AsyncGenerator
            && matches!(g.state.get(), GenState::Created | GenState::Suspended)
            && !is_running(g)
        {
            let sent = word::take(base, dest);
            let sent = if sent.is_unbound() || g.state.get() == GenState::Created {
                Value::NONE
            } else {
                sent
            };
            return vm.enter_delegate(base, at, after, dest, state, kind::SEND, sent);
        }
        let sent = word::take(base, dest);
        vm.send_other(at, after, base, dest, state, sent)
    }
}

/// AYIELD: an async generator's yield. The value goes to the frame or native that awaits the step.
pub unsafe fn slow_ayield(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op in an async generator's frame.
    unsafe {
        let w = w as u64;
        let v = if b(w) >= word::code(base).nlocals as usize {
            word::take(base, b(w))
        } else {
            word::reg(base, b(w)).clone()
        };
        let g = &*Gen::of_base(base);
        g.resume_pc.set(pc);
        g.resume_reg.set(a(w) as u16);
        g.at_send.set(false);
        let flags = word::flags(base);
        if std::ptr::eq(vm.exec.root.get(), g) {
            g.leaf.set(base);
            g.state.set(GenState::Suspended);
            vm.stop_root(g, true);
            // Resumed by a native (`asend` driven by hand): it tells the step's value from a suspension by the mark.
            g.running_async.set(false);
            vm.exec.set_exit(Exit::Yielded(vm.wrap_ayield(v)));
            return Flow::EXIT;
        }
        let (after, outer_base) = (word::ret_pc(base), word::ret_base(base));
        let outer = g.outer.replace(std::ptr::null());
        (*outer).delegate.set(std::ptr::null());
        g.leaf.set(base);
        *outer_base.sub(1) =
            *outer_base.sub(1) & !0xffff_ffff | (flags & 0xffff_ffff).saturating_sub(1);
        word::set(outer_base, word::dest_of(flags), v);
        word::clear(outer_base, word::reg2_of(flags), 1);
        Flow {
            pc: after,
            base: outer_base,
        }
    }
}
