//! Calling anything from native code.
//!
//! `call_args` is the one entry: script functions go to `run_function`, natives to `native_call`, classes and other callables through their type's slot.
//!
//! Rules:
//! 1. Arguments are borrowed for the length of the call; what a callee keeps, it clones.
//! 2. Every way into a deeper native frame checks the native stack first, so that endless recursion is a RecursionError.

#![allow(unsafe_code)]

use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::object::func::BoundMethod;
use crate::object::header::Kind;
use crate::object::native::{Args, Native};
use crate::object::value::Value;
use std::mem::MaybeUninit;

/// Calls with up to this many arguments need no allocation to put `self` in front.
const INLINE_ARGS: usize = 8;

/// Gives `f` the arguments with `first` put in front of them.
#[inline(always)]
pub fn with_first<R>(first: &Value, args: Args, f: impl FnOnce(Args) -> R) -> R {
    let n = args.all.len() + 1;
    if n <= INLINE_ARGS {
        let mut words = [const { MaybeUninit::<u64>::uninit() }; INLINE_ARGS];
        words[0].write(first.bits());
        for (w, a) in words[1..].iter_mut().zip(args.all) {
            w.write(a.bits());
        }
        // SAFETY: n words are written, each the bits of a Value that the caller keeps alive during `f`; the copies are never dropped.
        let all = unsafe { std::slice::from_raw_parts(words.as_ptr() as *const Value, n) };
        return f(Args {
            all,
            names: args.names,
        });
    }
    let mut all = Vec::with_capacity(n);
    all.push(first.clone());
    all.extend_from_slice(args.all);
    f(Args {
        all: &all,
        names: args.names,
    })
}

impl Vm {
    /// Calls with positional arguments.
    #[inline]
    pub fn call(&self, f: &Value, args: &[Value]) -> Res {
        self.call_args(f, Args::positional(args))
    }

    /// Calls any callable.
    pub fn call_args(&self, f: &Value, args: Args) -> Res {
        self.check_native_stack()?;
        match f.kind() {
            Kind::Function => self.run_function(f, args),
            Kind::Native => match f.get::<Native>() {
                Some(n) => self.native_call(n, args),
                None => Err(self.not_callable(f)),
            },
            Kind::BoundMethod => match f.get::<BoundMethod>() {
                Some(m) => with_first(&m.self_, args, |args| self.call_args(&m.func, args)),
                None => Err(self.not_callable(f)),
            },
            _ => match self.type_obj(f).slots().call {
                Some(call) => call(self, f, args),
                None => Err(self.not_callable(f)),
            },
        }
    }

    #[cold]
    pub fn not_callable(&self, f: &Value) -> Raised {
        self.type_error(format!("'{}' object is not callable", self.type_name(f)))
    }

    /// Calls with positional and keyword arguments.
    pub fn call_kw(&self, f: &Value, pos: &[Value], kw: &[(Value, Value)]) -> Res {
        if kw.is_empty() {
            return self.call(f, pos);
        }
        let mut all = pos.to_vec();
        all.extend(kw.iter().map(|(_, v)| v.clone()));
        let names: Vec<Value> = kw.iter().map(|(n, _)| n.clone()).collect();
        self.call_args(
            f,
            Args {
                all: &all,
                names: &names,
            },
        )
    }

    /// Calls `obj.name(*args)`.
    pub fn call_method(&self, obj: &Value, name: &Value, args: &[Value]) -> Res {
        match self.load_method(obj, name)? {
            (f, Some(this)) => with_first(&this, Args::positional(args), |args| {
                self.call_args(&f, args)
            }),
            (f, None) => self.call(&f, args),
        }
    }

    /// Calls a special method, looked up on the type; None if there is none.
    #[inline]
    pub fn call_special(&self, obj: &Value, name: &Value, args: &[Value]) -> Res<Option<Value>> {
        match self.lookup_special(obj, name) {
            Some(found) => self
                .call_found(&found, obj, Args::positional(args))
                .map(Some),
            None => Ok(None),
        }
    }

    /// Calls what a class holds under a method's name, with `obj` as self.
    #[inline]
    pub fn call_found(&self, found: &Value, obj: &Value, args: Args) -> Res {
        if self.takes_self(found) {
            with_first(obj, args, |args| self.call_args(found, args))
        } else {
            let bound = self.bind_descriptor(found, Some(obj), self.type_ref(obj))?;
            self.call_args(&bound, args)
        }
    }

    /// RecursionError if the native stack is nearly used up.
    #[inline(always)]
    pub fn check_native_stack(&self) -> Res<()> {
        let here = 0u8;
        if (&raw const here as usize) < self.native_limit.get() {
            Err(self.recursion_error())
        } else {
            Ok(())
        }
    }

    #[cold]
    #[inline(never)]
    pub fn recursion_error(&self) -> Raised {
        self.error(Exc::RecursionError, "maximum recursion depth exceeded")
    }
}
