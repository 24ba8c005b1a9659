//! Handlers that build values (displays, f-strings, functions), and of imports, `match`, `with` and `except*`.

#![allow(unsafe_code)]

use super::dispatch::*;
use super::frame::{Flow, word};
use super::raise::Exc;
use super::{Res, Vm};
use crate::bytecode::ops::Intrinsic;
use crate::object::dict::Dict;
use crate::object::exception::Exception;
use crate::object::func::Function;
use crate::object::header::Kind;
use crate::object::native::tuple_items;
use crate::object::seq::{List, Tuple};
use crate::object::str::Str;
use crate::object::types::{TypeObj, tflag};
use crate::object::value::Value;
use std::cell::{Cell, RefCell};

/// Moves registers out.
unsafe fn take_all(base: *mut u64, at: usize, n: usize) -> Vec<Value> {
    // SAFETY: a slow op's frame.
    (at..at + n)
        .map(|i| unsafe { word::take(base, i) })
        .collect()
}

macro_rules! slow {
    ($name:ident, |$vm:ident, $pc:ident, $base:ident, $w:ident| $extra:literal $body:expr) => {
        /// See the op table.
        pub unsafe fn $name($vm: &Vm, $pc: *const u32, $base: *mut u64, w: u32) -> Flow {
            let $w = w as u64;
            // SAFETY: a slow op: verified registers and operands.
            unsafe {
                let r: Res = $body;
                $vm.finish($pc, $pc.add($extra), $base, a($w), r)
            }
        }
    };
}
/// Ops without a result register.
macro_rules! effect {
    ($name:ident, |$vm:ident, $pc:ident, $base:ident, $w:ident| $extra:literal $body:expr) => {
        /// See the op table.
        pub unsafe fn $name($vm: &Vm, $pc: *const u32, $base: *mut u64, w: u32) -> Flow {
            let $w = w as u64;
            // SAFETY: a slow op: verified registers and operands.
            unsafe {
                let r: Res<()> = $body;
                match r {
                    Ok(()) => Flow {
                        pc: $pc.add($extra),
                        base: $base,
                    },
                    Err(e) => $vm.fail($pc, $base, e),
                }
            }
        }
    };
}

slow!(slow_list, |vm, pc, base, w| 0 Ok(vm.list(take_all(base, b(w), c(w)))));
slow!(slow_tuple, |vm, pc, base, w| 0 {
    let n = c(w);
    let at = b(w);
    Ok(vm.tuple_from((0..n).map(|i| word::take(base, at + i))))
});
slow!(slow_set, |vm, pc, base, w| 0 vm.set_of(take_all(base, b(w), c(w))));
slow!(slow_dict, |vm, pc, base, w| 0 {
    let d = if c(w) == 0 { vm.dict() } else { vm.alloc(Dict::with_capacity(c(w))) };
    let mut r = Ok(d);
    if let Ok(v) = &r
        && let Some(dict) = v.get::<Dict>()
    {
        let mut failed = None;
        for i in 0..c(w) {
            let (k, x) = (word::take(base, b(w) + 2 * i), word::take(base, b(w) + 2 * i + 1));
            if let Err(e) = vm.dict_set(dict, k, x) {
                failed = Some(e);
                break;
            }
        }
        if let Some(e) = failed {
            r = Err(e);
        }
    }
    r
});
effect!(slow_listappend, |vm, pc, base, w| 0 {
    match word::reg(base, a(w)).get::<List>() {
        Some(l) => { l.push(word::reg(base, b(w)).clone()); Ok(()) }
        None => Err(vm.runtime_error("LISTAPPEND to no list")),
    }
});
effect!(slow_listappendt, |vm, pc, base, w| 0 {
    match word::reg(base, a(w)).get::<List>() {
        Some(l) => { l.push(word::take(base, b(w))); Ok(()) }
        None => Err(vm.runtime_error("LISTAPPEND to no list")),
    }
});
effect!(slow_setadd, |vm, pc, base, w| 0 vm.add_to_set(word::reg(base, a(w)), word::reg(base, b(w)).clone()));
effect!(slow_dictset, |vm, pc, base, w| 0 {
    match word::reg(base, a(w)).get::<Dict>() {
        Some(d) => vm.dict_set(d, word::reg(base, b(w)).clone(), word::reg(base, c(w)).clone()),
        None => Err(vm.runtime_error("DICTSET on no dict")),
    }
});
effect!(slow_listextend, |vm, pc, base, w| 0 {
    let v = word::reg(base, b(w));
    if vm.type_obj(v).slots().iter.is_none() && vm.type_obj(v).slots().getitem.is_none() {
        Err(vm.type_error(format!("Value after * must be an iterable, not {}", vm.type_name(v))))
    } else {
        match vm.collect(v) {
            Ok(items) => {
                if let Some(l) = word::reg(base, a(w)).get::<List>() {
                    l.0.borrow_mut().extend(items);
                }
                Ok(())
            }
            Err(e) => Err(e),
        }
    }
});
effect!(slow_setupdate, |vm, pc, base, w| 0 {
    let set = word::reg(base, a(w));
    match vm.collect(word::reg(base, b(w))) {
        Ok(items) => items.into_iter().try_for_each(|x| vm.add_to_set(set, x)),
        Err(e) => Err(e),
    }
});
effect!(slow_dictupdate, |vm, pc, base, w| 0 vm.dict_display_update(word::reg(base, a(w)), word::reg(base, b(w))));
effect!(slow_dictmerge, |vm, pc, base, w| 0 vm.merge_keywords(word::reg(base, a(w)), word::reg(base, b(w)), word::reg(base, c(w))));
slow!(slow_listtotuple, |vm, pc, base, w| 0 Ok(vm.tuple(word::reg(base, b(w)).get::<List>().map_or(Vec::new(), List::to_vec))));

impl Vm {
    /// The pairs of any mapping.
    fn mapping_items(&self, m: &Value) -> Res<Option<Vec<(Value, Value)>>> {
        if let Some(d) = m.get::<Dict>()
            && crate::builtins::dict::plain_items(self, m)
        {
            return Ok(Some(d.items()));
        }
        let Some(keys) = self.getattr_opt(m, &self.names.keys)? else {
            return Ok(None);
        };
        let keys = self.call(&keys, &[])?;
        let mut out = Vec::new();
        for k in self.collect(&keys)? {
            let v = self.getitem(m, &k)?;
            out.push((k, v));
        }
        Ok(Some(out))
    }

    fn dict_display_update(&self, d: &Value, m: &Value) -> Res<()> {
        let Some(items) = self.mapping_items(m)? else {
            return Err(self.type_error(format!("'{}' object is not a mapping", self.type_name(m))));
        };
        if let Some(d) = d.get::<Dict>() {
            for (k, v) in items {
                self.dict_set(d, k, v)?;
            }
        }
        Ok(())
    }

    /// `**m` of a call: keys must be strs and new.
    fn merge_keywords(&self, d: &Value, m: &Value, f: &Value) -> Res<()> {
        let Some(items) = self.mapping_items(m)? else {
            let name = self.callee_name(f);
            return Err(self.type_error(format!(
                "{name} argument after ** must be a mapping, not {}",
                self.type_name(m)
            )));
        };
        let Some(d) = d.get::<Dict>() else {
            return Ok(());
        };
        for (k, v) in items {
            if k.as_str().is_none() {
                return Err(
                    self.type_error(format!("{} keywords must be strings", self.callee_name(f)))
                );
            }
            if self.dict_get(d, &k)?.is_some() {
                let name = self.callee_name(f);
                return Err(self.type_error(format!(
                    "{name} got multiple values for keyword argument '{}'",
                    k.as_str().unwrap_or("?")
                )));
            }
            self.dict_set(d, k, v)?;
        }
        Ok(())
    }

    /// A callable as error messages name it: `module.f()`, or its repr.
    fn callee_name(&self, f: &Value) -> String {
        let q = self.getattr_opt(f, &self.names.__qualname__).ok().flatten();
        let Some(q) = q.as_ref().and_then(Value::as_str) else {
            return self.str_string(f).unwrap_or_default();
        };
        let m = self.getattr_opt(f, &self.names.__module__).ok().flatten();
        match m.as_ref().and_then(Value::as_str) {
            Some(m) if m != "builtins" => format!("{m}.{q}()"),
            _ => format!("{q}()"),
        }
    }
}

// ---- strings

/// FSTR: the length is known, so the text is written once.
pub unsafe fn slow_fstr(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let (at, n) = (b(w), c(w));
        let (mut bytes, mut chars) = (0, 0);
        for i in at..at + n {
            if let Some(s) = word::reg(base, i).get::<Str>() {
                bytes += s.as_str().len();
                chars += s.char_len();
            }
        }
        if bytes > crate::object::str::MAX_LEN {
            return vm.fail(pc, base, vm.error(Exc::MemoryError, ""));
        }
        let out = vm.str_with("", 0, bytes);
        if let Some(o) = out.get::<Str>() {
            for i in at..at + n {
                if let Some(s) = word::reg(base, i).get::<Str>() {
                    o.grow_in_place(s);
                }
            }
            debug_assert_eq!(o.char_len(), chars);
        }
        word::clear(base, at, n);
        word::set(
            base,
            a(w),
            if bytes <= 1 {
                vm.str(out.as_str().unwrap_or(""))
            } else {
                out
            },
        );
        Flow { pc, base }
    }
}
unsafe fn converted(vm: &Vm, v: &Value, conversion: usize) -> Res {
    match conversion {
        1 => vm.str_of(v),
        2 => vm.repr(v),
        3 => vm.ascii(v),
        _ => Ok(v.clone()),
    }
}
slow!(slow_format, |vm, pc, base, w| 0 vm.format(word::reg(base, b(w)), word::reg(base, c(w))));
slow!(slow_formats, |vm, pc, base, w| 0 {
    let v = word::reg(base, b(w));
    if c(w) != 0 {
        converted(vm, v, c(w))
    } else if v.kind() == Kind::Str && vm.is_exact(v, Kind::Str) {
        Ok(v.clone())
    } else {
        vm.format(v, &vm.names_empty())
    }
});
slow!(slow_convert, |vm, pc, base, w| 0 converted(vm, word::reg(base, b(w)), c(w)));
slow!(slow_interpolation, |vm, pc, base, w| 1 {
    let text = word::code(base).consts[*pc as usize].clone();
    let spec = match word::reg(base, b(w) + 1) {
        s if s.is_unbound() => vm.names_empty(),
        s => s.clone(),
    };
    let conv = match c(w) { 1 => vm.str("s"), 2 => vm.str("r"), 3 => vm.str("a"), _ => Value::NONE };
    let v = word::reg(base, b(w)).clone();
    vm.import_call("string.templatelib", "Interpolation", &[v, text, conv, spec])
});
slow!(slow_template, |vm, pc, base, w| 0 {
    let parts = take_all(base, b(w), c(w));
    vm.import_call("string.templatelib", "Template", &parts)
});

// ---- functions

/// MKFUNC: see the op table.
pub unsafe fn slow_mkfunc(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let code_value = word::code(base).codes[*pc as usize].clone();
        let mut at = b(w);
        let mut part = |bit: usize| {
            if c(w) & bit != 0 {
                at += 1;
                word::take(base, at - 1)
            } else {
                Value::NONE
            }
        };
        let (defaults, kwdefaults, annotate, closure) = (part(1), part(2), part(4), part(8));
        let me = word::func(base).get_unchecked::<Function>();
        let f = vm.new_function(code_value, me.globals.clone(), me.builtins.clone(), closure);
        if let Some(x) = f.get::<Function>() {
            *x.defaults.borrow_mut() = defaults;
            *x.kwdefaults.borrow_mut() = kwdefaults;
            *x.annotate.borrow_mut() = annotate;
        }
        word::set(base, a(w), f);
        Flow {
            pc: pc.add(1),
            base,
        }
    }
}

impl Vm {
    /// A function object of a code object. `closure` is a tuple of cells or None.
    pub fn new_function(
        &self,
        code: Value,
        globals: Value,
        builtins: Value,
        closure: Value,
    ) -> Value {
        use crate::bytecode::flags as f;
        let Some(c) = code.get::<crate::object::func::CodeObj>() else {
            return Value::NONE;
        };
        let doc = c.code.doc.as_ref().map_or(Value::NONE, |d| self.str(d));
        let gen_like = c.flags & (f::GENERATOR | f::COROUTINE | f::ASYNC_GENERATOR) != 0;
        let (name, qualname, argc) = (
            c.name.clone(),
            c.qualname.clone(),
            if gen_like { u32::MAX } else { c.simple_argc },
        );
        let module = globals
            .get::<Dict>()
            .and_then(|d| self.dict_get_str(d, &self.names.__name__))
            .unwrap_or(Value::NONE);
        self.alloc(Function {
            code: RefCell::new(code),
            globals,
            builtins,
            closure,
            defaults: RefCell::new(Value::NONE),
            kwdefaults: RefCell::new(Value::NONE),
            name: RefCell::new(name),
            qualname: RefCell::new(qualname),
            doc: RefCell::new(doc),
            module: RefCell::new(module),
            annotate: RefCell::new(Value::NONE),
            annotations: RefCell::new(Value::UNBOUND),
            type_params: RefCell::new(Value::UNBOUND),
            dict: RefCell::new(Value::UNBOUND),
            simple_argc: Cell::new(argc),
        })
    }

    /// Runs a module's or `exec`'s code object in these namespaces.
    pub fn exec_code(&self, code: &Value, globals: &Value, locals: Option<&Value>) -> Res {
        use crate::bytecode::flags as f;
        let Some(c) = code.get::<crate::object::func::CodeObj>() else {
            return Err(self.type_error("a code object was expected"));
        };
        let Some(g) = globals.get::<Dict>() else {
            return Err(self.type_error("globals must be a dict"));
        };
        let builtins = match self.dict_get_str(g, &self.names.__builtins__) {
            Some(b) if b.is_kind::<Dict>() => b,
            Some(b) => b
                .get::<crate::object::func::Module>()
                .map_or(self.builtins.clone(), |m| m.dict.clone()),
            None => {
                self.dict_set(g, self.names.__builtins__.clone(), self.builtins_module())?;
                self.builtins.clone()
            }
        };
        let func = self.new_function(code.clone(), globals.clone(), builtins, Value::NONE);
        if c.flags & f::NAME_MODE != 0 {
            let ns = locals.unwrap_or(globals).clone();
            return self.run_name_mode(&func, ns);
        }
        self.run_function(&func, crate::object::native::Args::EMPTY)
    }

    /// Runs a function whose names live in a mapping in R[0].
    pub fn run_name_mode(&self, func: &Value, ns: Value) -> Res {
        let Some(f) = func.get::<Function>() else {
            return Err(self.type_error("a function was expected"));
        };
        if f.code_obj().flags
            & (crate::bytecode::flags::COROUTINE | crate::bytecode::flags::GENERATOR)
            != 0
        {
            let v = self.make_generator(func, crate::object::native::Args::EMPTY)?;
            if let Some(g) = v.as_gen() {
                // SAFETY: the frame is new; R[0] is its namespace.
                unsafe { word::set(g.base(), 0, ns) };
            }
            return Ok(v);
        }
        self.check_native_stack()?;
        // SAFETY: a function's entry frame; R[0] is its namespace.
        unsafe {
            let base = self.push_frame(
                func.clone(),
                self.exec.pc.get(),
                self.exec.base.get(),
                0,
                super::frame::kind::ENTRY,
                0,
            )?;
            word::set(base, 0, ns);
            self.finish_run((*word::code(base).instrs.get()).as_ptr(), base)
        }
    }
}

slow!(slow_buildclass, |vm, pc, base, w| 0 {
    let _ = base;
    let d = vm.builtins.get::<Dict>();
    d.and_then(|d| vm.dict_get_str(d, &vm.names.__build_class__)).ok_or_else(|| vm.name_error(&vm.names.__build_class__))
});
slow!(slow_asserterror, |vm, pc, base, w| 0 { let _ = base; Ok(vm.exc_type(Exc::AssertionError).clone()) });
slow!(slow_len, |vm, pc, base, w| 0 vm.len(word::reg(base, b(w))).map(|n| vm.usize(n)));

// ---- generators' small ops

slow!(slow_yielditer, |vm, pc, base, w| 0 {
    let v = word::reg(base, b(w));
    let in_coroutine = word::code(base).flags & (crate::bytecode::flags::COROUTINE | crate::bytecode::flags::ITERABLE_COROUTINE) != 0;
    match v.kind() {
        Kind::Coroutine if in_coroutine => Ok(v.clone()),
        Kind::Coroutine => Err(vm.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator")),
        Kind::Generator => Ok(v.clone()),
        _ => vm.iter(v),
    }
});
slow!(slow_awaitable, |vm, pc, base, w| 0 {
    let v = word::reg(base, b(w));
    match vm.awaitable_iter(v) {
        Err(e) if c(w) != 0 && vm.is_exc(&e, Exc::TypeError) && vm.type_obj(v).slots().await_.is_none() => {
            let (verb, method) = if c(w) == 1 { ("async with", "__aenter__") } else { ("async with", "__aexit__") };
            Err(vm.type_error(format!("'{verb}' received an object from {method} that does not implement __await__: {}", vm.type_name(v))))
        }
        r => r,
    }
});
slow!(slow_getaiter, |vm, pc, base, w| 0 {
    let v = word::reg(base, b(w));
    match vm.type_obj(v).slots().aiter {
        None => Err(vm.type_error(format!("'async for' requires an object with __aiter__ method, got {}", vm.type_name(v)))),
        Some(f) => match f(vm, v) {
            Ok(it) if vm.type_obj(&it).slots().anext.is_none() => Err(vm.type_error(format!(
                "'async for' received an object from __aiter__ that does not implement __anext__: {}",
                vm.type_name(&it)
            ))),
            r => r,
        },
    }
});

// ---- with

/// WITHSPECIAL: see the op table.
pub unsafe fn slow_withspecial(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let v = word::reg(base, b(w)).clone();
        let n = &vm.names;
        let (name, is_async) = match c(w) {
            0 => (&n.__enter__, false),
            1 => (&n.__exit__, false),
            2 => (&n.__aenter__, true),
            _ => (&n.__aexit__, true),
        };
        match vm.special_method(&v, name) {
            Ok(Some((f, me))) => {
                word::set(base, a(w), f);
                word::set(base, a(w) + 1, me.unwrap_or(Value::UNBOUND));
                Flow { pc, base }
            }
            Ok(None) => {
                let (kind, other, verb, hint) = if is_async {
                    (
                        "asynchronous context manager",
                        [&n.__enter__, &n.__exit__],
                        "with",
                        "with",
                    )
                } else {
                    (
                        "context manager",
                        [&n.__aenter__, &n.__aexit__],
                        "async with",
                        "async with",
                    )
                };
                let miss = name.as_str().unwrap_or("?");
                let mut text = format!(
                    "'{}' object does not support the {kind} protocol (missed {miss} method)",
                    vm.type_name(&v)
                );
                if other.iter().all(|o| vm.lookup_special(&v, o).is_some()) {
                    text.push_str(&format!(
                        " but it supports the {} protocol. Did you mean to use '{hint}'?",
                        if is_async {
                            "context manager"
                        } else {
                            "asynchronous context manager"
                        }
                    ));
                    let _ = verb;
                }
                vm.fail(pc, base, vm.type_error(text))
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
slow!(slow_withexcept, |vm, pc, base, w| 0 {
    let exc = word::reg(base, c(w)).clone();
    let mut args = Vec::with_capacity(4);
    let me = word::reg(base, b(w) + 1);
    if !me.is_unbound() {
        args.push(me.clone());
    }
    args.push(vm.type_of(&exc));
    args.push(exc.clone());
    args.push(vm.traceback_of(&exc));
    vm.call(word::reg(base, b(w)), &args)
});

// ---- except*

/// EGMATCH: see the op table.
pub unsafe fn slow_egmatch(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let (exc, types) = (word::reg(base, b(w)).clone(), word::reg(base, c(w)).clone());
        match vm.split_group(&exc, &types) {
            Ok((hit, rest)) => {
                word::set(base, a(w), hit);
                word::set(base, a(w) + 1, rest);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

impl Vm {
    /// The part of `exc` (a group, or one exception that counts as a group of one) that `except* types` handles, and the rest.
    fn split_group(&self, exc: &Value, types: &Value) -> Res<(Value, Value)> {
        let group = self.exc_type(Exc::BaseExceptionGroup);
        let forbidden = |t: &Value| t.get::<TypeObj>().is_some_and(|t| t.is_subtype(group));
        let list: Vec<Value> = if types.is_kind::<Tuple>() {
            tuple_items(types).to_vec()
        } else {
            vec![types.clone()]
        };
        for t in &list {
            if !t
                .get::<TypeObj>()
                .is_some_and(|t| t.is_subtype(self.exc_type(Exc::BaseException)))
            {
                return Err(self.type_error(
                    "catching classes that do not inherit from BaseException is not allowed",
                ));
            }
            if forbidden(t) {
                return Err(self.type_error(
                    "catching ExceptionGroup with except* is not allowed. Use except instead.",
                ));
            }
        }
        if exc.is_none() {
            return Ok((Value::NONE, Value::NONE));
        }
        if self.exception_matches(exc, types)? {
            if self.type_obj(exc).is_subtype(group) {
                return Ok((exc.clone(), Value::NONE));
            }
            // A naked exception is wrapped, with its own traceback kept.
            let wrapped = self.call(
                self.exc_type(Exc::ExceptionGroup),
                &[self.names_empty(), self.list(vec![exc.clone()])],
            );
            let wrapped = match wrapped {
                Ok(v) => v,
                Err(_) => self.call(group, &[self.names_empty(), self.list(vec![exc.clone()])])?,
            };
            if let (Some(x), Some(o)) = (wrapped.get::<Exception>(), exc.get::<Exception>()) {
                *x.traceback.borrow_mut() = o.traceback.borrow().clone();
            }
            return Ok((wrapped, Value::NONE));
        }
        if self.type_obj(exc).is_subtype(group) {
            let split = self.getattr_str(exc, "split")?;
            let pair = self.call(&split, std::slice::from_ref(types))?;
            let items = tuple_items(&pair);
            if items.len() < 2 {
                return Err(self.type_error(format!(
                    "{}.split must return a 2-tuple",
                    self.type_name(exc)
                )));
            }
            return Ok((items[0].clone(), items[1].clone()));
        }
        Ok((Value::NONE, exc.clone()))
    }

    /// What is left to raise after all `except*` clauses ran: exceptions raised in them, and the unhandled parts put together again.
    fn regroup(&self, original: &Value, list: &Value) -> Res {
        let items: Vec<Value> = list
            .get::<List>()
            .map_or(Vec::new(), List::to_vec)
            .into_iter()
            .filter(|v| !v.is_none())
            .collect();
        if items.is_empty() {
            return Ok(Value::NONE);
        }
        if !self
            .type_obj(original)
            .is_subtype(self.exc_type(Exc::BaseExceptionGroup))
        {
            // One naked exception: at most one clause ran.
            if items.len() == 1 {
                return Ok(items[0].clone());
            }
        }
        // Parts of the original (same metadata) are merged back into one group of its shape; exceptions raised anew stand beside it.
        let same = |v: &Value| match (v.get::<Exception>(), original.get::<Exception>()) {
            (Some(a), Some(b)) => {
                v.is(original)
                    || self
                        .type_obj(v)
                        .is_subtype(self.exc_type(Exc::BaseExceptionGroup))
                        && a.traceback.borrow().is(&b.traceback.borrow())
                        && a.cause.borrow().is(&b.cause.borrow())
                        && a.context.borrow().is(&b.context.borrow())
            }
            _ => false,
        };
        let (parts, mut raised): (Vec<Value>, Vec<Value>) = items.into_iter().partition(same);
        if !parts.is_empty() {
            let merged = if parts.len() == 1 {
                parts[0].clone()
            } else {
                self.project(original, &parts)?
            };
            if raised.is_empty() {
                return Ok(merged);
            }
            raised.push(merged);
        }
        if raised.len() == 1 {
            return Ok(raised[0].clone());
        }
        self.call(
            self.exc_type(Exc::BaseExceptionGroup),
            &[self.names_empty(), self.list(raised)],
        )
    }

    /// The subgroup of `original` with the leaves of all `parts`.
    fn project(&self, original: &Value, parts: &[Value]) -> Res {
        let mut leaves = Vec::new();
        for p in parts {
            self.leaves(p, &mut leaves)?;
        }
        self.keep_leaves(original, &leaves)
    }
    fn leaves(&self, v: &Value, out: &mut Vec<u64>) -> Res<()> {
        if self
            .type_obj(v)
            .is_subtype(self.exc_type(Exc::BaseExceptionGroup))
        {
            self.check_native_stack()?;
            let inner = self.getattr_str(v, "exceptions")?;
            for x in tuple_items(&inner) {
                self.leaves(x, out)?;
            }
        } else {
            out.push(v.id());
        }
        Ok(())
    }
    fn keep_leaves(&self, v: &Value, leaves: &[u64]) -> Res {
        if !self
            .type_obj(v)
            .is_subtype(self.exc_type(Exc::BaseExceptionGroup))
        {
            return Ok(if leaves.contains(&v.id()) {
                v.clone()
            } else {
                Value::NONE
            });
        }
        self.check_native_stack()?;
        let inner = self.getattr_str(v, "exceptions")?;
        let mut kept = Vec::new();
        for x in tuple_items(&inner) {
            let k = self.keep_leaves(x, leaves)?;
            if !k.is_none() {
                kept.push(k);
            }
        }
        if kept.is_empty() {
            return Ok(Value::NONE);
        }
        let derive = self.getattr_str(v, "derive")?;
        let g = self.call(&derive, &[self.list(kept)])?;
        if let (Some(n), Some(o)) = (g.get::<Exception>(), v.get::<Exception>()) {
            *n.traceback.borrow_mut() = o.traceback.borrow().clone();
            *n.cause.borrow_mut() = o.cause.borrow().clone();
            *n.context.borrow_mut() = o.context.borrow().clone();
            n.suppress_context.set(o.suppress_context.get());
        }
        if let Some(notes) = self.getattr_opt(v, &self.names.__notes__)? {
            let copy = self.collect(&notes)?;
            self.setattr(&g, &self.names.__notes__, &self.list(copy))?;
        }
        Ok(g)
    }
}
slow!(slow_egreraise, |vm, pc, base, w| 0 vm.regroup(word::reg(base, b(w)), word::reg(base, c(w))));

// ---- imports

slow!(slow_import, |vm, pc, base, w| 1 {
    let n = word::code(base).names[*pc as usize].clone();
    let globals = word::func(base).get_unchecked::<Function>().globals.clone();
    vm.import_name(&n, &globals, word::reg(base, b(w)), c(w) as u32)
});
slow!(slow_importfrom, |vm, pc, base, w| 1 {
    let n = word::code(base).names[*pc as usize].clone();
    vm.import_from(word::reg(base, b(w)), &n)
});
effect!(slow_importstar, |vm, pc, base, w| 0 {
    let m = word::reg(base, a(w)).clone();
    let code = word::code(base);
    let ns = if code.flags & crate::bytecode::flags::NAME_MODE != 0 {
        word::reg(base, 0).clone()
    } else {
        word::func(base).get_unchecked::<Function>().globals.clone()
    };
    vm.import_star(&m, &ns)
});

// ---- match

slow!(slow_matchseq, |vm, pc, base, w| 0 Ok(Value::bool(vm.type_obj(word::reg(base, b(w))).has(tflag::SEQUENCE))));
slow!(slow_matchmap, |vm, pc, base, w| 0 Ok(Value::bool(vm.type_obj(word::reg(base, b(w))).has(tflag::MAPPING))));
slow!(slow_matchkeys, |vm, pc, base, w| 0 vm.match_keys(word::reg(base, b(w)), word::reg(base, c(w))));
slow!(slow_matchrest, |vm, pc, base, w| 0 {
    let d = vm.dict();
    match vm.dict_display_update(&d, word::reg(base, b(w))) {
        Ok(()) => {
            let mut r = Ok(d);
            if let Ok(v) = &r
                && let Some(dict) = v.get::<Dict>()
            {
                for k in tuple_items(word::reg(base, c(w))) {
                    if let Err(e) = vm.dict_del(dict, k) {
                        r = Err(e);
                        break;
                    }
                }
            }
            r
        }
        Err(e) => Err(e),
    }
});
slow!(slow_matchclass, |vm, pc, base, w| 1 {
    let spec = word::code(base).consts[*pc as usize].clone();
    vm.match_class(word::reg(base, b(w)), word::reg(base, c(w)), tuple_items(&spec))
});

impl Vm {
    fn match_keys(&self, m: &Value, keys: &Value) -> Res {
        let keys = tuple_items(keys);
        let mut seen: Vec<Value> = Vec::new();
        let mut out = Vec::new();
        for k in keys {
            for s in &seen {
                if self.eq(s, k)? {
                    return Err(self.value_error(format!(
                        "mapping pattern checks duplicate key ({})",
                        self.repr_string(k)?
                    )));
                }
            }
            seen.push(k.clone());
            let v = if self.is_exact(m, Kind::Dict)
                && let Some(d) = m.get::<Dict>()
            {
                self.dict_get(d, k)?
            } else {
                // `get` with a fresh default, so that `__missing__` is not called.
                let default = self.alloc(crate::object::func::Cell_(RefCell::new(Value::NONE)));
                let v = self.call_method(m, &self.names.get, &[k.clone(), default.clone()])?;
                if v.is(&default) { None } else { Some(v) }
            };
            match v {
                Some(v) => out.push(v),
                None => return Ok(Value::NONE),
            }
        }
        Ok(self.tuple(out))
    }

    /// `spec`: number of positional patterns, then the keyword names.
    fn match_class(&self, subject: &Value, class: &Value, spec: &[Value]) -> Res {
        let Some(t) = class.get::<TypeObj>() else {
            return Err(self.type_error("called match pattern must be a class"));
        };
        if !self.isinstance(subject, class)? {
            return Ok(Value::NONE);
        }
        let npos = spec.first().and_then(Value::as_small).unwrap_or(0) as usize;
        let mut out = Vec::new();
        let mut seen: Vec<Value> = Vec::new();
        if npos > 0 {
            let names = self.getattr_opt(class, &self.names.__match_args__)?;
            let match_self = names.is_none() && t.has(tflag::MATCH_SELF);
            let names = match &names {
                None => Vec::new(),
                Some(n) if n.is_kind::<Tuple>() => tuple_items(n).to_vec(),
                Some(n) => {
                    return Err(self.type_error(format!(
                        "{}.__match_args__ must be a tuple (got {})",
                        t.name_str(),
                        self.type_name(n)
                    )));
                }
            };
            let allowed = if match_self { 1 } else { names.len() };
            if npos > allowed {
                let s = if allowed == 1 { "" } else { "s" };
                return Err(self.type_error(format!(
                    "{}() accepts {allowed} positional sub-pattern{s} ({npos} given)",
                    t.name_str()
                )));
            }
            if match_self {
                out.push(subject.clone());
            } else {
                for n in &names[..npos] {
                    if n.as_str().is_none() {
                        return Err(self.type_error(format!(
                            "__match_args__ elements must be strings (got {})",
                            self.type_name(n)
                        )));
                    }
                    let n = self.intern_value(n);
                    if seen.iter().any(|s| s.is(&n)) {
                        return Err(self.type_error(format!(
                            "{}() got multiple sub-patterns for attribute {}",
                            t.name_str(),
                            self.repr_string(&n)?
                        )));
                    }
                    match self.getattr_opt(subject, &n)? {
                        Some(v) => out.push(v),
                        None => return Ok(Value::NONE),
                    }
                    seen.push(n);
                }
            }
        }
        for n in spec.iter().skip(1) {
            let n = self.intern_value(n);
            if seen.iter().any(|s| s.is(&n)) {
                return Err(self.type_error(format!(
                    "{}() got multiple sub-patterns for attribute {}",
                    t.name_str(),
                    self.repr_string(&n)?
                )));
            }
            match self.getattr_opt(subject, &n)? {
                Some(v) => out.push(v),
                None => return Ok(Value::NONE),
            }
            seen.push(n);
        }
        Ok(self.tuple(out))
    }
}

// ---- intrinsics

/// INTRINSIC: see `Intrinsic`.
pub unsafe fn slow_intrinsic(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let v = word::reg(base, b(w)).clone();
        let extra = |i: usize| word::reg(base, b(w) + i).clone();
        let which = c(w) as u8;
        let is = |i: Intrinsic| which == i as u8;
        let r = if is(Intrinsic::PrintExpr) {
            vm.import_call("sys", "displayhook", &[v])
        } else if is(Intrinsic::TypeVar) {
            vm.import_call("_typing", "_make_typevar", &[v, extra(1), extra(2)])
        } else if is(Intrinsic::ParamSpec) {
            vm.import_call("_typing", "_make_paramspec", &[v, extra(2)])
        } else if is(Intrinsic::TypeVarTuple) {
            vm.import_call("_typing", "_make_typevartuple", &[v, extra(2)])
        } else if is(Intrinsic::TypeAlias) {
            vm.import_call("_typing", "_make_typealias", &[v, extra(1), extra(2)])
        } else if is(Intrinsic::SubscriptGeneric) {
            vm.import_call("_typing", "_subscript_generic", &[v])
        } else if is(Intrinsic::SetTypeParams) {
            if let Some(f) = v.get::<Function>() {
                let old = f.type_params.replace(extra(1));
                drop(old);
            }
            Ok(v)
        } else if is(Intrinsic::ClassDict) {
            Ok(word::reg(base, 0).clone())
        } else if is(Intrinsic::CheckFormat) {
            match vm.as_index(&v) {
                Ok(n) if n > 2 => Err(vm.error(Exc::NotImplementedError, "")),
                Ok(_) => Ok(Value::NONE),
                Err(e) => Err(e),
            }
        } else {
            Err(vm.runtime_error("unknown intrinsic"))
        };
        vm.finish(pc, pc, base, a(w), r)
    }
}
