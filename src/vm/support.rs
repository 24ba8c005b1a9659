//! Small operations that the op handlers share.

#![allow(unsafe_code)]

use super::frame::word;
use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::object::dict::Dict;
use crate::object::exception::{Exception, FrameObj, Traceback};
use crate::object::func::{Function, Module, Super};
use crate::object::generator::{Gen, GenState};
use crate::object::header::Kind;
use crate::object::native::tuple_items;
use crate::object::set::SetTable;
use crate::object::types::{CmpOp, TypeObj};
use crate::object::value::Value;
use std::cell::{Cell, RefCell};

impl Vm {
    /// A comparison as a truth value.
    pub fn compare_truth(&self, op: CmpOp, x: &Value, y: &Value) -> Res<bool> {
        if op == CmpOp::Eq
            && let (Some(s), Some(t)) = (x.as_str(), y.as_str())
            && self.is_exact(x, Kind::Str)
            && self.is_exact(y, Kind::Str)
        {
            return Ok(s == t);
        }
        let r = self.compare(op, x, y)?;
        match r.as_bool() {
            Some(t) => Ok(t),
            None => self.truth(&r),
        }
    }

    pub(super) fn add_to_set(&self, set: &Value, item: Value) -> Res<()> {
        match set.get::<crate::object::set::Set>() {
            Some(s) => self.set_add(s.table(), item).map(|_| ()),
            None => Err(self.type_error("a set was expected")),
        }
    }

    /// `super(class, me).name`, split for a call: the function and its self.
    pub fn super_method(
        &self,
        class: &Value,
        me: &Value,
        name: &Value,
    ) -> Res<(Value, Option<Value>)> {
        // The usual case: `me` is an instance whose class has `class` in its MRO, and the attribute is a function.
        let ty = self.type_of(me);
        if let (Some(t), false) = (ty.get::<TypeObj>(), me.is_kind::<TypeObj>()) {
            let mro = t.mro.borrow().clone();
            let items = tuple_items(&mro);
            if let Some(at) = items.iter().position(|c| c.is(class)) {
                for c in &items[at + 1..] {
                    let found = c
                        .get::<TypeObj>()
                        .and_then(|c| c.dict.get::<Dict>())
                        .and_then(|d| self.dict_get_str(d, name));
                    if let Some(v) = found {
                        if v.is_kind::<Function>() {
                            return Ok((v, Some(me.clone())));
                        }
                        break;
                    }
                }
            }
        }
        let sup = self.call(self.kind_type(Kind::Super), &[class.clone(), me.clone()])?;
        debug_assert!(sup.is_kind::<Super>());
        Ok((self.getattr(&sup, name)?, None))
    }

    /// A special method looked up on the type, split for a call. None if the type has none.
    pub fn special_method(&self, obj: &Value, name: &Value) -> Res<Option<(Value, Option<Value>)>> {
        let Some(v) = self.lookup_special(obj, name) else {
            return Ok(None);
        };
        if matches!(v.kind(), Kind::Function | Kind::Native) {
            return Ok(Some((v, Some(obj.clone()))));
        }
        let owner = self.type_of(obj);
        Ok(Some((self.bind_descriptor(&v, Some(obj), &owner)?, None)))
    }

    // ---- imports

    /// `__import__` for the IMPORT op.
    pub fn import_name(&self, name: &Value, globals: &Value, fromlist: &Value, level: u32) -> Res {
        // A script may replace builtins.__import__; the hook is what stands there otherwise.
        (self.hooks.import.get())(self, name, globals, fromlist, level)
    }

    /// Imports a module by its full name and gives it (not its top package).
    pub fn import_module(&self, name: &str) -> Res {
        let n = self.str(name);
        let from = self.tuple(vec![self.str("*")]);
        let none = self.dict();
        self.import_name(&n, &none, &from, 0)
    }

    /// Calls a function of a module.
    pub fn import_call(&self, module: &str, function: &str, args: &[Value]) -> Res {
        let m = self.import_module(module)?;
        let f = self.getattr_str(&m, function)?;
        self.call(&f, args)
    }

    /// `from module import name`.
    pub fn import_from(&self, module: &Value, name: &Value) -> Res {
        if let Some(v) = self.getattr_opt(module, name)? {
            return Ok(v);
        }
        let mod_name = self
            .getattr_opt(module, &self.names.__name__)?
            .and_then(|n| n.as_str().map(str::to_string))
            .unwrap_or("<unknown module name>".into());
        let n = name.as_str().unwrap_or("?");
        // A submodule that is being imported is in sys.modules before it is an attribute.
        let full = self.str(&format!("{mod_name}.{n}"));
        if let Some(d) = self.modules.get::<Dict>()
            && let Some(m) = self.dict_get(d, &full)?
        {
            return Ok(m);
        }
        let file = self
            .getattr_opt(module, &self.names.__file__)?
            .and_then(|f| f.as_str().map(str::to_string));
        let place = file.map_or("unknown location".to_string(), |f| f);
        let e = self.error(
            Exc::ImportError,
            format!("cannot import name '{n}' from '{mod_name}' ({place})"),
        );
        let _ = self.setattr(&e.0, &self.names.name.clone(), &self.str(&mod_name));
        let _ = self.setattr(&e.0, &self.intern("name_from"), name);
        Err(e)
    }

    /// `from module import *` into a namespace mapping.
    pub fn import_star(&self, module: &Value, ns: &Value) -> Res<()> {
        let all = self.getattr_opt(module, &self.names.__all__)?;
        let explicit = all.is_some();
        let names: Vec<Value> = match all {
            Some(a) => self.collect(&a)?,
            None => {
                let d = self.getattr(module, &self.names.__dict__)?;
                let keys = self.getattr(&d, &self.names.keys)?;
                let keys = self.call(&keys, &[])?;
                self.collect(&keys)?
            }
        };
        for n in names {
            let Some(s) = n.as_str() else {
                return Err(self.type_error(format!(
                    "Item in __all__ must be str, not {}",
                    self.type_name(&n)
                )));
            };
            if !explicit && s.starts_with('_') {
                continue;
            }
            let n = self.intern(s);
            let v = match self.getattr_opt(module, &n)? {
                Some(v) => v,
                None => self
                    .import_from(module, &n)
                    .map_err(|_| self.no_attribute(module, &n))?,
            };
            self.setitem(ns, &n, &v)?;
        }
        Ok(())
    }

    /// The module object `builtins`.
    pub fn builtins_module(&self) -> Value {
        let found = self
            .modules
            .get::<Dict>()
            .and_then(|d| self.dict_get_str(d, &self.names.builtins));
        found.unwrap_or_else(|| {
            let m = self.alloc(Module {
                dict: self.builtins.clone(),
            });
            if let Some(d) = self.modules.get::<Dict>() {
                self.dict_set_str(d, &self.names.builtins, m.clone());
            }
            m
        })
    }

    // ---- frames as objects

    fn frame_record(&self, func: &Value, at: u32, back: Value) -> Value {
        let (code, globals) = match func.get::<Function>() {
            Some(f) => (f.code.borrow().clone(), f.globals.clone()),
            None => (Value::NONE, Value::NONE),
        };
        self.alloc(FrameObj {
            code,
            globals,
            at: Cell::new(at),
            back: RefCell::new(back),
            locals: RefCell::new(Value::UNBOUND),
        })
    }

    /// The frame object of a traceback entry, made when first asked for.
    pub fn traceback_frame(&self, tb: &Value) -> Value {
        let Some(t) = tb.get::<Traceback>() else {
            return Value::NONE;
        };
        let held = t.frame.borrow().clone();
        if held.is_kind::<FrameObj>() {
            return held;
        }
        let f = self.frame_record(&held, t.at, Value::NONE);
        *t.frame.borrow_mut() = f.clone();
        f
    }

    /// The running frame `depth` levels up as an object, with its locals as they are now.
    pub fn frame_object(&self, depth: usize) -> Option<Value> {
        let mut at = self.exec.base.get();
        let mut pc = self.exec.pc.get();
        let mut skip = depth;
        let mut frames: Vec<(*mut u64, *const u32)> = Vec::new();
        // SAFETY: the chain of return words leads through live frames to null.
        unsafe {
            while !at.is_null() {
                if skip == 0 {
                    frames.push((at, pc));
                } else {
                    skip -= 1;
                }
                pc = word::ret_pc(at);
                at = word::ret_base(at);
            }
            let mut back = Value::NONE;
            for (i, &(base, pc)) in frames.iter().enumerate().rev() {
                let code = word::code(base);
                let off = super::unwind::offset(code, pc);
                // A return pc points behind the call.
                let off = if i == 0 && depth == 0 {
                    off
                } else {
                    off.saturating_sub(1)
                };
                let f = self.frame_record(word::func(base), off, back);
                if i == 0
                    && let Some(x) = f.get::<FrameObj>()
                {
                    *x.locals.borrow_mut() = self.locals_of(base);
                }
                back = f;
            }
            if frames.is_empty() { None } else { Some(back) }
        }
    }

    /// A dict of a frame's locals; for class bodies and `exec` the namespace itself, for modules the globals.
    unsafe fn locals_of(&self, base: *mut u64) -> Value {
        use crate::bytecode::flags;
        // SAFETY: a live frame.
        unsafe {
            let code = word::code(base);
            if code.flags & flags::NAME_MODE != 0 {
                return word::reg(base, 0).clone();
            }
            if code.flags & flags::OPTIMIZED == 0
                && let Some(f) = word::func(base).get::<Function>()
            {
                return f.globals.clone();
            }
            let d = self.dict();
            if let Some(dict) = d.get::<Dict>() {
                for (i, n) in code.varnames.iter().enumerate() {
                    let v = if i < code.nlocals as usize {
                        word::reg(base, i).clone()
                    } else {
                        Value::UNBOUND
                    };
                    let v = match v.get::<crate::object::func::Cell_>() {
                        Some(c) => c.0.borrow().clone(),
                        None => v,
                    };
                    let hidden = n.as_str().is_none_or(|s| s.starts_with('.'));
                    if !v.is_unbound() && !hidden {
                        self.dict_set_str(dict, n, v);
                    }
                }
                if let Some(f) = word::func(base).get::<Function>() {
                    for (n, c) in code.code.freevars.iter().zip(tuple_items(&f.closure)) {
                        if let Some(c) = c.get::<crate::object::func::Cell_>() {
                            let v = c.0.borrow().clone();
                            if !v.is_unbound() && &**n != "__class__" {
                                self.dict_set_str(dict, &self.intern(n), v);
                            }
                        }
                    }
                }
            }
            d
        }
    }

    /// `locals()` of the running frame.
    pub fn locals_dict(&self) -> Option<Value> {
        let base = self.exec.base.get();
        // SAFETY: exec.base is a live frame during slow ops.
        if base.is_null() {
            None
        } else {
            Some(unsafe { self.locals_of(base) })
        }
    }
    /// `globals()` of the running frame.
    pub fn globals_dict(&self) -> Option<Value> {
        let base = self.exec.base.get();
        if base.is_null() {
            return None;
        }
        // SAFETY: as above.
        unsafe {
            word::func(base)
                .get::<Function>()
                .map(|f| f.globals.clone())
        }
    }

    /// `gi_frame`: a record of where the generator stands, or None once it has ended.
    pub fn generator_frame(&self, g: &Value) -> Value {
        let Some(x) = g.as_gen() else {
            return Value::NONE;
        };
        if x.state.get() == GenState::Closed {
            return Value::NONE;
        }
        // SAFETY: the frame is live until the generator is closed.
        unsafe {
            let off = super::unwind::offset(word::code(x.base()), x.resume_pc.get());
            let off = if x.at_send.get() || x.state.get() == GenState::Created {
                off
            } else {
                off.saturating_sub(1)
            };
            let f = self.frame_record(x.func(), off, Value::NONE);
            if let Some(fo) = f.get::<FrameObj>() {
                *fo.locals.borrow_mut() = self.locals_of(x.base());
            }
            f
        }
    }

    /// `gi_yieldfrom`, `cr_await`: what a suspended generator delegates to, or None.
    pub fn generator_delegate(&self, g: &Value) -> Value {
        let Some(x) = g.as_gen() else {
            return Value::NONE;
        };
        if !x.delegate.get().is_null() {
            // SAFETY: delegate links point to live generators.
            return unsafe { (*x.delegate.get()).value() };
        }
        if x.state.get() != GenState::Suspended || !x.at_send.get() {
            return Value::NONE;
        }
        // SAFETY: suspended at a SEND or ANEXT.
        unsafe {
            let w = *x.resume_pc.get() as u64;
            let anext = (w >> 8) as u8 == crate::bytecode::ops::Op::ANEXT as u8;
            let v = word::reg(x.base(), super::dispatch::b(w) + anext as usize).clone();
            if v.is_unbound() { Value::NONE } else { v }
        }
    }

    /// Where a suspended coroutine chain stands: (function, word offset) of its innermost generator frame. For reports.
    pub fn innermost(&self, g: &Value) -> Option<(Value, u32)> {
        let x = g.as_gen()?;
        if matches!(x.state.get(), GenState::Closed) {
            return None;
        }
        // SAFETY: a suspended root's leaf is a live generator frame.
        unsafe {
            let mut leaf: *const Gen = x;
            while !(*leaf).delegate.get().is_null() {
                leaf = (*leaf).delegate.get();
            }
            let l = &*leaf;
            let off = super::unwind::offset(word::code(l.base()), l.resume_pc.get());
            Some((
                l.func().clone(),
                if l.at_send.get() {
                    off
                } else {
                    off.saturating_sub(1)
                },
            ))
        }
    }

    /// The source line of a word offset in a function's code: (file name, line).
    pub fn line_of(&self, func: &Value, at: u32) -> Option<(String, u32)> {
        let f = func.get::<Function>()?;
        let code = &f.code_obj().code;
        let i = code.positions.partition_point(|p| p.at <= at);
        let span = code.positions.get(i.checked_sub(1)?)?.span;
        Some((
            code.source.name.to_string(),
            code.source.line_col(span.start).0,
        ))
    }

    pub(super) fn note_origin(&self, _g: &Gen) {}

    /// Fails unless the exception is of class `e` (for natives that swallow one kind).
    pub fn swallow(&self, r: Res<()>, e: Exc) -> Res<()> {
        match r {
            Err(x) if self.is_exc(&x, e) => Ok(()),
            r => r,
        }
    }

    /// The exception's own `__notes__` and such live in `extra`; this reads one by name.
    pub fn exception_extra(&self, exc: &Value, name: &Value) -> Option<Value> {
        let x = exc.get::<Exception>()?;
        let d = x.extra.borrow().clone();
        self.dict_get_str(d.get::<Dict>()?, name)
    }

    /// Wraps an exception for passing on.
    pub fn raised(&self, exc: Value) -> Raised {
        Raised(exc)
    }

    /// The table of a set or frozenset.
    pub fn table_of<'a>(&self, v: &'a Value) -> Option<&'a SetTable> {
        v.get::<crate::object::set::Set>().map(|s| s.table())
    }
}
