//! Handlers of calls and returns.
//!
//! A script function called with exactly its positional parameters gets a frame by a few moves; everything else is sorted out in `call_slow`:
//! binding of keywords and defaults, generators, natives, classes, bound methods, any object with `__call__`.

#![allow(unsafe_code)]

use super::Vm;
use super::dispatch::*;
use super::frame::{Exit, Flow, kind, word};
use crate::bytecode::flags;
use crate::object::exception;
use crate::object::func::{BoundMethod, Function};
use crate::object::generator::{FRAME_WORDS, Gen, GenState};
use crate::object::header::{Header, Kind, Obj};
use crate::object::native::{Args, Native, tuple_items};
use crate::object::seq::List;
use crate::object::types::{TypeObj, tflag};
use crate::object::value::Value;

const GEN_FLAGS: u32 = flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR;

/// The function payload, if the word is a script function.
#[inline(always)]
unsafe fn as_function<'a>(word: u64) -> Option<&'a Function> {
    // SAFETY: a word with tag 000 is the address of a live object.
    unsafe {
        if word & 7 == 0 && (*(word as *const Header)).kind == Kind::Function {
            Some(&(*(word as *const Obj<Function>)).data)
        } else {
            None
        }
    }
}

/// Pushes a frame for a function with exactly `n` positional arguments, moved from `args`; the function's word is taken over. Null if
/// there is no room or the limit is reached (nothing has changed then).
#[inline(always)]
unsafe fn enter(
    vm: *const Vm,
    f: &Function,
    func: u64,
    args: *mut u64,
    n: usize,
    pc: *const u32,
    base: *mut u64,
    dest: usize,
) -> *mut u64 {
    // SAFETY: a handler's contract.
    unsafe {
        let code = f.code_obj();
        let exec = &(*vm).exec;
        let depth = word::depth(base) + 1;
        let new = exec.top.get().add(FRAME_WORDS);
        let nregs = code.nregs as usize;
        let top = new.add(nregs);
        if depth > (*vm).recursion_limit.get() || !exec.has_room(top) {
            return std::ptr::null_mut();
        }
        let mut i = 0;
        while i < n {
            *new.add(i) = *args.add(i);
            *args.add(i) = Value::UNBOUND_BITS;
            i += 1;
        }
        while i < nregs {
            *new.add(i) = Value::UNBOUND_BITS;
            i += 1;
        }
        *new.sub(5) = code as *const _ as u64;
        *new.sub(4) = func;
        *new.sub(3) = pc as u64;
        *new.sub(2) = base as u64;
        *new.sub(1) = word::pack(depth, dest as u8, kind::CALL, 0);
        exec.top.set(top);
        new
    }
}

pub unsafe fn op_call(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let win = base.add(b(w));
        let fw = *win;
        if let Some(f) = as_function(fw)
            && f.simple_argc.get() == c(w) as u32
        {
            let new = enter(vm, f, fw, win.add(1), c(w), pc.add(1), base, a(w));
            if !new.is_null() {
                *win = Value::UNBOUND_BITS;
                return next(vm, (*f.code_obj().instrs.get()).as_ptr(), new);
            }
        }
        via(vm, pc, base, w, slow_call)
    }
}

pub unsafe fn op_callm(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let win = base.add(b(w));
        let fw = *win;
        if let Some(f) = as_function(fw) {
            // No self: the arguments begin one register later.
            let skip = (*win.add(1) == Value::UNBOUND_BITS) as usize;
            let n = c(w) + 1 - skip;
            if f.simple_argc.get() == n as u32 {
                let new = enter(vm, f, fw, win.add(1 + skip), n, pc.add(1), base, a(w));
                if !new.is_null() {
                    *win = Value::UNBOUND_BITS;
                    return next(vm, (*f.code_obj().instrs.get()).as_ptr(), new);
                }
            }
        }
        via(vm, pc, base, w, slow_callm)
    }
}

unsafe fn slow_call(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe { vm.call_window(pc, pc.add(1), base, a(w), b(w), b(w) + 1, c(w), &[]) }
}

unsafe fn slow_callm(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let skip = word::reg(base, b(w) + 1).is_unbound() as usize;
        vm.call_window(
            pc,
            pc.add(1),
            base,
            a(w),
            b(w),
            b(w) + 1 + skip,
            c(w) + 1 - skip,
            &[],
        )
    }
}

pub unsafe fn slow_callkw(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let names = tuple_items(&word::code(base).consts[*pc as usize]);
        vm.call_window(pc, pc.add(1), base, a(w), b(w), b(w) + 1, c(w), names)
    }
}

pub unsafe fn slow_callmkw(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let names = tuple_items(&word::code(base).consts[*pc as usize]);
        let skip = word::reg(base, b(w) + 1).is_unbound() as usize;
        vm.call_window(
            pc,
            pc.add(1),
            base,
            a(w),
            b(w),
            b(w) + 1 + skip,
            c(w) + 1 - skip,
            names,
        )
    }
}

pub unsafe fn slow_callex(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let seq = word::take(base, b(w) + 1);
        let mut all = match seq.get::<List>() {
            Some(l) => l.to_vec(),
            None => tuple_items(&seq).to_vec(),
        };
        let mut names = Vec::new();
        if c(w) == 1 {
            let kw = word::take(base, b(w) + 2);
            if let Some(d) = kw.get::<crate::object::dict::Dict>() {
                for (k, v) in d.items() {
                    if k.as_str().is_none() {
                        return vm.fail(pc, base, vm.type_error("keywords must be strings"));
                    }
                    names.push(vm.intern_value(&k));
                    all.push(v);
                }
            }
        }
        let f = word::take(base, b(w));
        vm.call_any(pc, pc, base, a(w), f, all, &names)
    }
}

impl Vm {
    /// A call whose arguments stand in registers `first .. first+n`, the callee in `win`; all of the window is taken.
    unsafe fn call_window(
        &self,
        pc: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        win: usize,
        first: usize,
        n: usize,
        names: &[Value],
    ) -> Flow {
        // SAFETY: a slow op's frame.
        unsafe {
            let f = word::reg(base, win);
            let args = Args {
                all: word::window(base, first, n),
                names,
            };
            match f.kind() {
                Kind::Native => {
                    let native = f.get_unchecked::<Native>();
                    // Generators resumed by a call of their methods run as frames of this loop.
                    if names.is_empty()
                        && let Some(g) = self.gen_to_call(native, args.all)
                    {
                        let sent = args.all.get(1).cloned().unwrap_or(Value::NONE);
                        word::clear(base, win, first + n - win);
                        word::set(base, win, g);
                        return self.enter_gen_call(pc, after, base, dest, win, sent);
                    }
                    match self.native_call(native, args) {
                        Ok(v) => {
                            word::clear(base, win, first + n - win);
                            word::set(base, dest, v);
                            Flow { pc: after, base }
                        }
                        Err(e) => {
                            word::clear(base, win, first + n - win);
                            self.fail(pc, base, e)
                        }
                    }
                }
                Kind::Function => self.call_function(
                    pc,
                    after,
                    base,
                    dest,
                    f.clone(),
                    args,
                    kind::CALL,
                    0,
                    win,
                    first + n - win,
                ),
                Kind::BoundMethod => {
                    let m = f.get_unchecked::<BoundMethod>();
                    let mut all = Vec::with_capacity(n + 1);
                    all.push(m.self_.clone());
                    let func = m.func.clone();
                    for i in 0..n {
                        all.push(word::take(base, first + i));
                    }
                    word::clear(base, win, first + n - win);
                    self.call_any(pc, after, base, dest, func, all, names)
                }
                Kind::Type => {
                    let t = f.get_unchecked::<TypeObj>();
                    // SAFETY (init_fn): replaced only when the class changes, which no code does during this op.
                    let init = &*t.init_fn.as_ptr();
                    if t.has(tflag::SIMPLE_NEW)
                        && init.is_kind::<Function>()
                        && init.get_unchecked::<Function>().code_obj().flags & GEN_FLAGS == 0
                    {
                        let obj = self.new_instance(t);
                        let func = init.clone();
                        let fobj = func.get_unchecked::<Function>();
                        if names.is_empty() && fobj.simple_argc.get() == n as u32 + 1 {
                            return match self.push_frame(
                                func,
                                after,
                                base,
                                dest as u8,
                                kind::INIT,
                                win as u8,
                            ) {
                                Ok(new) => {
                                    *new = obj.clone().into_bits();
                                    for i in 0..n {
                                        *new.add(1 + i) = word::take(base, first + i).into_bits();
                                    }
                                    word::set(base, win, obj);
                                    Flow {
                                        pc: (*word::code(new).instrs.get()).as_ptr(),
                                        base: new,
                                    }
                                }
                                Err(e) => self.fail(pc, base, e),
                            };
                        }
                        let mut all = Vec::with_capacity(n + 1);
                        all.push(obj.clone());
                        all.extend(args.all.iter().cloned());
                        word::clear(base, win, first + n - win);
                        word::set(base, win, obj);
                        return self.call_function(
                            pc,
                            after,
                            base,
                            dest,
                            func,
                            Args { all: &all, names },
                            kind::INIT,
                            win as u8,
                            0,
                            0,
                        );
                    }
                    let r = self.call_args(f, args);
                    word::clear(base, win, first + n - win);
                    self.finish(pc, after, base, dest, r)
                }
                _ => {
                    let r = self.call_args(f, args);
                    word::clear(base, win, first + n - win);
                    self.finish(pc, after, base, dest, r)
                }
            }
        }
    }

    /// Stores a native's result, or raises.
    pub(super) unsafe fn finish(
        &self,
        pc: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        r: super::Res,
    ) -> Flow {
        // SAFETY: a slow op's frame.
        unsafe {
            match r {
                Ok(v) => {
                    word::set(base, dest, v);
                    Flow { pc: after, base }
                }
                Err(e) => self.fail(pc, base, e),
            }
        }
    }

    /// A call with arguments in a vector.
    unsafe fn call_any(
        &self,
        pc: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        f: Value,
        all: Vec<Value>,
        names: &[Value],
    ) -> Flow {
        // SAFETY: a slow op's frame.
        unsafe {
            if f.is_kind::<Function>() {
                return self.call_function(
                    pc,
                    after,
                    base,
                    dest,
                    f,
                    Args { all: &all, names },
                    kind::CALL,
                    0,
                    0,
                    0,
                );
            }
            let r = self.call_args(&f, Args { all: &all, names });
            drop(all);
            self.finish(pc, after, base, dest, r)
        }
    }

    /// Calls a script function with any arguments by pushing a frame, or makes its generator. Then clears `clear_n` registers from `clear_at`.
    #[allow(clippy::too_many_arguments)]
    unsafe fn call_function(
        &self,
        pc: *const u32,
        after: *const u32,
        base: *mut u64,
        dest: usize,
        func: Value,
        args: Args,
        how: u8,
        reg2: u8,
        clear_at: usize,
        clear_n: usize,
    ) -> Flow {
        // SAFETY: a slow op's frame; `func` is a function.
        unsafe {
            let f: *const Function = func.get_unchecked::<Function>();
            if (*f).code_obj().flags & GEN_FLAGS != 0 {
                let r = self.make_generator(&func, args);
                word::clear(base, clear_at, clear_n);
                return self.finish(pc, after, base, dest, r);
            }
            let new = match self.push_frame(func, after, base, dest as u8, how, reg2) {
                Ok(n) => n,
                Err(e) => return self.fail(pc, base, e),
            };
            let nregs = (*f).code_obj().nregs as usize;
            match self.bind(
                &*f,
                args,
                std::slice::from_raw_parts_mut(new as *mut Value, nregs),
            ) {
                Ok(()) => {
                    word::clear(base, clear_at, clear_n);
                    Flow {
                        pc: (*word::code(new).instrs.get()).as_ptr(),
                        base: new,
                    }
                }
                Err(e) => {
                    self.pop_frame(new);
                    word::clear(base, clear_at, clear_n);
                    self.fail(pc, base, e)
                }
            }
        }
    }

    /// Makes the generator, coroutine or async generator that a call of `func` gives.
    pub(super) fn make_generator(&self, func: &Value, args: Args) -> super::Res {
        // SAFETY: the caller gives a script function; the new frame's registers are unbound Values.
        unsafe {
            let f = func.get_unchecked::<Function>();
            let code = f.code_obj();
            let kind = if code.flags & flags::COROUTINE != 0 {
                Kind::Coroutine
            } else if code.flags & flags::ASYNC_GENERATOR != 0 {
                Kind::AsyncGenerator
            } else {
                Kind::Generator
            };
            let v = Gen::alloc(&self.heap, self.kind_shape(kind), kind, code.nregs);
            let Some(g) = v.as_gen() else {
                return Err(self.runtime_error("generator expected"));
            };
            let base = g.base();
            *base.sub(5) = code as *const _ as u64;
            *base.sub(4) = func.clone().into_bits();
            *base.sub(1) = 0;
            g.leaf.set(base);
            g.resume_pc.set((*code.instrs.get()).as_ptr());
            let n = args.all.len();
            if args.names.is_empty() && code.simple_argc == n as u32 {
                for (i, v) in args.all.iter().enumerate() {
                    *base.add(i) = v.clone().into_bits();
                }
            } else if let Err(e) = self.bind(
                f,
                args,
                std::slice::from_raw_parts_mut(base as *mut Value, code.nregs as usize),
            ) {
                g.state.set(GenState::Closed);
                return Err(e);
            }
            crate::object::heap::Heap::set_finalize(&v, true);
            if kind == Kind::Coroutine && self.hooks.coroutine_origin_depth.get() > 0 {
                self.note_origin(g);
            }
            Ok(v)
        }
    }

    /// Runs a script function to its end, for natives.
    pub fn run_function(&self, func: &Value, args: Args) -> super::Res {
        // SAFETY: the caller gives a script function.
        unsafe {
            let f = func.get_unchecked::<Function>();
            if f.code_obj().flags & GEN_FLAGS != 0 {
                return self.make_generator(func, args);
            }
            self.check_native_stack()?;
            let (caller, caller_pc) = (self.exec.base.get(), self.exec.pc.get());
            let base = self.push_frame(func.clone(), caller_pc, caller, 0, kind::ENTRY, 0)?;
            if args.names.is_empty() && f.simple_argc.get() == args.all.len() as u32 {
                for (i, v) in args.all.iter().enumerate() {
                    *base.add(i) = v.clone().into_bits();
                }
            } else if let Err(e) = self.bind(
                f,
                args,
                std::slice::from_raw_parts_mut(base as *mut Value, f.code_obj().nregs as usize),
            ) {
                self.pop_frame(base);
                return Err(e);
            }
            self.finish_run((*word::code(base).instrs.get()).as_ptr(), base)
        }
    }

    /// Runs an entry frame and gives its result.
    pub(super) unsafe fn finish_run(&self, pc: *const u32, base: *mut u64) -> super::Res {
        let root = self.exec.root.replace(std::ptr::null());
        // SAFETY: the caller pushed an ENTRY frame.
        let exit = unsafe { self.run(pc, base) };
        self.exec.root.set(root);
        match exit {
            Exit::Returned(v) => Ok(v),
            Exit::Raised(e) => Err(super::Raised(e)),
            Exit::Yielded(_) | Exit::None => {
                Err(self.runtime_error("a frame ended without a result"))
            }
        }
    }
}

// ---- return

pub unsafe fn op_return(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers; every register holds a Value.
    unsafe {
        let flags = word::flags(base);
        if word::kind_of(flags) != kind::CALL {
            return via(vm, pc, base, w, slow_return);
        }
        let code = word::code(base);
        let n = code.nregs as usize;
        let ra = a(w);
        let v = *base.add(ra);
        // The result moves out, so its register must not count.
        *base.add(ra) = Value::UNBOUND_BITS;
        let mut i = 0;
        while i < n {
            let r = *base.add(i);
            if r & 7 == 0 {
                let h = r as *const Header;
                let k = (*h).count.get();
                if k == 1 {
                    *base.add(ra) = v;
                    return via(vm, pc, base, w, slow_return);
                }
                (*h).count.set(k.wrapping_sub(1));
                *base.add(i) = Value::UNBOUND_BITS;
            }
            i += 1;
        }
        let fw = *base.sub(4) as *const Header;
        let k = (*fw).count.get();
        if k == 1 {
            *base.add(ra) = v;
            return via(vm, pc, base, w, slow_return);
        }
        (*fw).count.set(k.wrapping_sub(1));
        (*vm).exec.top.set(base.sub(FRAME_WORDS));
        put_next(
            vm,
            word::ret_pc(base),
            word::ret_base(base),
            word::dest_of(flags),
            v,
        )
    }
}

unsafe fn slow_return(vm: &Vm, _: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let v = word::take(base, a(w as u64));
        vm.return_from(base, v)
    }
}

impl Vm {
    /// Ends a stack frame with a result.
    unsafe fn return_from(&self, base: *mut u64, v: Value) -> Flow {
        // SAFETY: a slow op's frame.
        unsafe {
            let (pc, caller, flags) = self.pop_frame(base);
            let dest = word::dest_of(flags);
            match word::kind_of(flags) {
                kind::CALL => {
                    word::set(caller, dest, v);
                    Flow { pc, base: caller }
                }
                kind::INIT => {
                    let obj = word::take(caller, word::reg2_of(flags));
                    if !v.is_none() {
                        let e = self.type_error(format!(
                            "__init__() should return None, not '{}'",
                            self.type_name(&v)
                        ));
                        return self.unwind(pc.sub(1), caller, e.0);
                    }
                    word::set(caller, dest, obj);
                    Flow { pc, base: caller }
                }
                kind::DISCARD => Flow { pc, base: caller },
                _ => {
                    self.exec.set_exit(Exit::Returned(v));
                    Flow::EXIT
                }
            }
        }
    }

    /// The traceback that an exception carries (None if it has none).
    pub fn traceback_of(&self, exc: &Value) -> Value {
        exc.get::<exception::Exception>()
            .map_or(Value::NONE, |e| e.traceback.borrow().clone())
    }
}
