//! Calling natives: parsing of their signatures, once, and the binding of arguments to them.
//!
//! A native gets one value per parameter in the order of its signature text: positional parameters, the `*args` tuple, keyword-only parameters, the
//! `**kwargs` dict. When a call brings exactly the positional parameters, its arguments are passed on as they are; otherwise they are arranged in an
//! array on the native stack.
//!
//! Rule: error texts follow CPython's argument parsers: one wording for functions without keywords, another for those with.

#![allow(unsafe_code)]

use super::call::with_first;
use super::type_state::Extra;
use super::{Raised, Res, Vm};
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::native::{Args, Native, NativeDef, Param, Signature};
use crate::object::types::TypeObj;
use crate::object::value::Value;
use std::cell::OnceCell;
use std::rc::Rc;

/// Natives with up to this many parameters are called without allocation.
const INLINE_PARAMS: usize = 12;

/// Whose arguments are bound, for error texts.
#[derive(Clone, Copy)]
struct Callee<'a> {
    name: &'a str,
    /// The class of a method, or unbound.
    owner: &'a Value,
    /// A constructor (`list(...)`): never "takes exactly one argument".
    constructor: bool,
}

impl Signature {
    /// True if positional arguments in the number of the parameters need no arranging.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.positional == self.params.len() && !self.varargs && !self.varkw
    }
    /// Values that the native gets.
    fn width(&self) -> usize {
        self.params.len() + self.varargs as usize + self.varkw as usize
    }
    /// 1 if the first parameter is `self` or `cls`, which messages do not count.
    fn hidden(&self) -> usize {
        self.params
            .first()
            .is_some_and(|p| matches!(p.name.as_str(), Some("self" | "cls"))) as usize
    }
}

/// Splits a parameter list at its commas, minding quotes and brackets.
fn split_params(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                out.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        out.push(last);
    }
    out
}

impl Vm {
    /// The value that a default in a signature stands for; unbound for `...` and whatever has no literal form here.
    fn parse_default(&self, text: &str) -> Value {
        match text {
            "None" => Value::NONE,
            "True" => Value::TRUE,
            "False" => Value::FALSE,
            _ => {
                if let Ok(i) = text.parse::<i64>() {
                    return self.int(i);
                }
                let quoted = text.len() >= 2 && (text.starts_with('\'') || text.starts_with('"'));
                if quoted {
                    let inner = &text[1..text.len() - 1];
                    return self.intern(
                        &inner
                            .replace("\\n", "\n")
                            .replace("\\t", "\t")
                            .replace("\\\\", "\\"),
                    );
                }
                match text.parse::<f64>() {
                    Ok(f) => self.float(f),
                    Err(_) => Value::UNBOUND,
                }
            }
        }
    }

    /// Parses `name(a, b=None, /, *, c=...)`.
    pub fn parse_signature(&self, text: &str) -> Signature {
        let open = text.find('(').map_or(text.len(), |i| i + 1);
        let close = text.rfind(')').unwrap_or(text.len()).max(open);
        let mut s = Signature {
            params: Vec::new(),
            posonly: 0,
            positional: 0,
            required: 0,
            varargs: false,
            varkw: false,
        };
        let mut keyword_only = false;
        for part in split_params(&text[open..close]) {
            if part == "/" {
                s.posonly = s.params.len();
            } else if part == "*" {
                keyword_only = true;
            } else if part.starts_with("**") {
                s.varkw = true;
            } else if part.starts_with('*') {
                s.varargs = true;
                keyword_only = true;
            } else {
                let (name, default) = match part.split_once('=') {
                    Some((n, d)) => (n.trim(), Some(d.trim())),
                    None => (part, None),
                };
                let required = default.is_none();
                s.params.push(Param {
                    name: self.intern(name),
                    default: default.map_or(Value::UNBOUND, |d| self.parse_default(d)),
                    required,
                });
                if !keyword_only {
                    s.positional += 1;
                    s.required += required as usize;
                }
            }
        }
        s.posonly = s.posonly.max(s.hidden());
        s
    }

    #[inline(always)]
    fn signature<'a>(&self, n: &'a Native) -> &'a Signature {
        n.sig
            .get_or_init(|| Rc::new(self.parse_signature(n.def.sig)))
    }

    /// Makes a native function object. With an owner and no self it is a method of that type, still to be bound.
    pub fn new_native(
        &self,
        def: &'static NativeDef,
        self_: Value,
        owner: Value,
        module: Value,
    ) -> Value {
        let method = self_.is_unbound() && !owner.is_unbound();
        let data = Native {
            def,
            self_,
            owner,
            module,
            sig: OnceCell::new(),
        };
        if method
            && let Some(t) = self
                .type_state
                .extra(Extra::MethodDescriptor)
                .get::<TypeObj>()
        {
            return self.heap.alloc(t.root_shape.get(), data, 0);
        }
        self.alloc(data)
    }

    /// The native `n` bound to an object.
    pub fn bind_native(&self, n: &Native, self_: &Value) -> Value {
        let sig = match n.sig.get() {
            Some(s) => OnceCell::from(s.clone()),
            None => OnceCell::new(),
        };
        self.alloc(Native {
            def: n.def,
            self_: self_.clone(),
            owner: n.owner.clone(),
            module: n.module.clone(),
            sig,
        })
    }

    /// Calls a native function or method.
    #[inline]
    pub fn native_call(&self, n: &Native, args: Args) -> Res {
        if !n.self_.is_unbound() {
            if super::class::is_native_new(n) {
                return self.call_native_new(&n.self_, args);
            }
            return with_first(&n.self_, args, |args| self.native_call_full(n, args));
        }
        if !n.owner.is_unbound() {
            self.check_self(n, args)?;
        }
        self.native_call_full(n, args)
    }

    /// `T.__new__(class, ...)` of a native type: the class must derive from it, with the same payload.
    fn call_native_new(&self, owner: &Value, args: Args) -> Res {
        use crate::object::types::TypeObj;
        let Some(o) = owner.get::<TypeObj>() else {
            return Err(self.type_error("__new__ of no type"));
        };
        let name = o.name_str();
        let Some((class, rest)) = args.all.split_first().filter(|_| !args.pos().is_empty()) else {
            return Err(self.type_error(format!("{name}.__new__(): not enough arguments")));
        };
        let Some(t) = class.get::<TypeObj>() else {
            return Err(self.type_error(format!(
                "{name}.__new__(X): X is not a type object ({})",
                self.type_name(class)
            )));
        };
        if !t.is_subtype(owner) {
            let c = t.name_str();
            return Err(self.type_error(format!(
                "{name}.__new__({c}): {c} is not a subtype of {name}"
            )));
        }
        if t.kind != o.kind {
            let (c, base) = (
                t.name_str(),
                self.kind_type(t.kind)
                    .get::<TypeObj>()
                    .map_or(String::new(), TypeObj::name_str),
            );
            return Err(self.type_error(format!(
                "{name}.__new__({c}) is not safe, use {base}.__new__()"
            )));
        }
        match o.slots().new {
            Some(new) => new(
                self,
                class,
                Args {
                    all: rest,
                    names: args.names,
                },
            ),
            None => Err(self.type_error(format!("cannot create '{name}' instances"))),
        }
    }

    /// Calls with `self` among the arguments, known to be of the right type.
    #[inline(always)]
    fn native_call_full(&self, n: &Native, args: Args) -> Res {
        let sig = self.signature(n);
        if args.names.is_empty() && args.all.len() == sig.params.len() && sig.is_plain() {
            return (n.def.f)(self, args.all);
        }
        // A class method is named by the class that it was called on.
        let class = args
            .all
            .first()
            .filter(|a| n.owner.is_unbound() && sig.hidden() == 1 && a.is_kind::<TypeObj>());
        let callee = Callee {
            name: n.def.name(),
            owner: class.unwrap_or(&n.owner),
            constructor: false,
        };
        if sig.width() <= INLINE_PARAMS {
            let mut out = [Value::UNBOUND; INLINE_PARAMS];
            self.arrange(callee, sig, args, &mut out)?;
            (n.def.f)(self, &out[..sig.width()])
        } else {
            let mut out = vec![Value::UNBOUND; sig.width()];
            self.arrange(callee, sig, args, &mut out)?;
            (n.def.f)(self, &out)
        }
    }

    /// A method of a type, called through the class: the first argument must be an instance.
    fn check_self(&self, n: &Native, args: Args) -> Res<()> {
        let owner = n.owner.get::<TypeObj>();
        let Some(this) = args.pos().first() else {
            let owner = owner.map(TypeObj::name_str).unwrap_or_default();
            return Err(self.type_error(format!(
                "unbound method {owner}.{}() needs an argument",
                n.def.name()
            )));
        };
        if self.type_ref(this).is(&n.owner) || self.type_obj(this).is_subtype(&n.owner) {
            return Ok(());
        }
        let owner = owner.map(TypeObj::name_str).unwrap_or_default();
        Err(self.type_error(format!(
            "descriptor '{}' for '{owner}' objects doesn't apply to a '{}' object",
            n.def.name(),
            self.type_name(this)
        )))
    }

    /// Binds the arguments of a constructor (a `new` or `init` slot) to a signature: one value per parameter.
    pub fn bind_args(&self, sig: &'static str, args: Args) -> Res<Vec<Value>> {
        let cached = self
            .type_state
            .signatures
            .borrow()
            .get(&(sig.as_ptr() as usize))
            .cloned();
        let parsed = match cached {
            Some(p) => p,
            None => {
                let p = Rc::new(self.parse_signature(sig));
                self.type_state
                    .signatures
                    .borrow_mut()
                    .insert(sig.as_ptr() as usize, p.clone());
                p
            }
        };
        let mut out = vec![Value::UNBOUND; parsed.width()];
        let callee = Callee {
            name: sig.split('(').next().unwrap_or(sig),
            owner: &Value::UNBOUND,
            constructor: true,
        };
        self.arrange(callee, &parsed, args, &mut out)?;
        Ok(out)
    }

    /// Puts arguments and defaults where the native expects them. `out` is all unbound.
    fn arrange(&self, callee: Callee, sig: &Signature, args: Args, out: &mut [Value]) -> Res<()> {
        let pos = args.pos();
        let direct = pos.len().min(sig.positional);
        for (o, a) in out.iter_mut().zip(&pos[..direct]) {
            *o = a.clone();
        }
        // Parameter i stands at out[place(i)].
        let place = |i: usize| {
            if i >= sig.positional {
                i + sig.varargs as usize
            } else {
                i
            }
        };
        if sig.varargs {
            out[sig.positional] = self.tuple_from(pos[direct..].iter().cloned());
        } else if pos.len() > sig.positional {
            return Err(self.too_many(callee, sig, args));
        }
        let extra = if sig.varkw {
            self.dict()
        } else {
            Value::UNBOUND
        };
        for (name, value) in args.keywords() {
            let Some(text) = name.as_str() else {
                return Err(self.type_error("keywords must be strings"));
            };
            let named = &sig.params[sig.posonly..];
            let at = named
                .iter()
                .position(|p| p.name.is(name))
                .or_else(|| named.iter().position(|p| p.name.as_str() == Some(text)));
            match (at, extra.get::<Dict>()) {
                (Some(i), _) => {
                    let o = &mut out[place(sig.posonly + i)];
                    if !o.is_unbound() {
                        let shown = callee.name;
                        let at = sig.posonly + i + 1 - sig.hidden();
                        if sig.width() < args.all.len() && !sig.varargs {
                            return Err(self.too_many(callee, sig, args));
                        }
                        return Err(self.type_error(format!(
                            "argument for {shown}() given by name ('{text}') and position ({at})"
                        )));
                    }
                    *o = value.clone();
                }
                (None, Some(d)) => self.dict_set(d, name.clone(), value.clone())?,
                (None, None) => return Err(self.unknown_keyword(callee, sig, args, text)),
            }
        }
        for (i, p) in sig.params.iter().enumerate() {
            let o = &mut out[place(i)];
            if o.is_unbound() {
                if p.required {
                    return Err(self.missing_argument(callee, sig, args, i));
                }
                *o = p.default.clone();
            }
        }
        if sig.varkw {
            out[sig.width() - 1] = extra;
        }
        Ok(())
    }

    /// True if no parameter can be given by name.
    fn no_keywords(sig: &Signature) -> bool {
        sig.posonly == sig.params.len() && !sig.varkw
    }

    /// `list.append` for methods, `len` for functions.
    fn qualified(&self, callee: Callee) -> String {
        match callee.owner.get::<TypeObj>() {
            Some(t) => format!("{}.{}", t.name_str(), callee.name),
            None => callee.name.to_string(),
        }
    }

    /// The count of arguments is wrong for a function without keywords.
    #[cold]
    fn wrong_count(&self, callee: Callee, sig: &Signature, given: usize) -> Raised {
        let max = sig.positional.saturating_sub(sig.hidden());
        let min = sig.required.saturating_sub(sig.hidden());
        if !callee.constructor && !sig.varargs {
            if max == 0 {
                return self.type_error(format!(
                    "{}() takes no arguments ({given} given)",
                    self.qualified(callee)
                ));
            }
            if max == 1 && min == 1 {
                return self.type_error(format!(
                    "{}() takes exactly one argument ({given} given)",
                    self.qualified(callee)
                ));
            }
        }
        let (word, n) = if min == max && !sig.varargs {
            ("", max)
        } else if given < min {
            ("at least ", min)
        } else {
            ("at most ", max)
        };
        let s = if n == 1 { "" } else { "s" };
        self.type_error(format!(
            "{} expected {word}{n} argument{s}, got {given}",
            callee.name
        ))
    }

    #[cold]
    fn too_many(&self, callee: Callee, sig: &Signature, args: Args) -> Raised {
        let hidden = sig.hidden();
        let given = args.pos().len() - hidden.min(args.pos().len());
        if Vm::no_keywords(sig) {
            if args.has_keywords() {
                return self.type_error(format!(
                    "{}() takes no keyword arguments",
                    self.qualified(callee)
                ));
            }
            return self.wrong_count(callee, sig, given);
        }
        let (len, max) = (sig.params.len() - hidden, sig.positional - hidden);
        let all = given + args.names.len();
        let name = callee.name;
        let s = |n: usize| if n == 1 { "" } else { "s" };
        if all > len {
            let required = sig.params.iter().filter(|p| p.required).count() - hidden;
            let word = if required < len { "at most" } else { "exactly" };
            let kw = if given == 0 { "keyword " } else { "" };
            return self.type_error(format!(
                "{name}() takes {word} {len} {kw}argument{} ({all} given)",
                s(len)
            ));
        }
        if max == 0 {
            return self.type_error(format!("{name}() takes no positional arguments"));
        }
        let word = if sig.required - hidden < max {
            "at most"
        } else {
            "exactly"
        };
        self.type_error(format!(
            "{name}() takes {word} {max} positional argument{} ({given} given)",
            s(max)
        ))
    }

    #[cold]
    fn unknown_keyword(&self, callee: Callee, sig: &Signature, args: Args, name: &str) -> Raised {
        if Vm::no_keywords(sig) {
            return self.type_error(format!(
                "{}() takes no keyword arguments",
                self.qualified(callee)
            ));
        }
        if args.all.len() > sig.params.len() && !sig.varargs {
            return self.too_many(callee, sig, args);
        }
        let known = sig.params[sig.posonly..]
            .iter()
            .filter_map(|p| p.name.as_str());
        let hint = match super::suggest::closest(name, known) {
            Some(s) => format!(". Did you mean '{s}'?"),
            None => String::new(),
        };
        self.type_error(format!(
            "{}() got an unexpected keyword argument '{name}'{hint}",
            callee.name
        ))
    }

    #[cold]
    fn missing_argument(&self, callee: Callee, sig: &Signature, args: Args, at: usize) -> Raised {
        let hidden = sig.hidden();
        let given = args.pos().len() - hidden.min(args.pos().len());
        if Vm::no_keywords(sig) && at < sig.positional {
            return self.wrong_count(callee, sig, given);
        }
        let name = callee.name;
        if at < sig.posonly {
            let n = sig.params[..sig.posonly]
                .iter()
                .filter(|p| p.required)
                .count()
                - hidden;
            let word = if sig.required - hidden < sig.params.len() - hidden {
                "at least"
            } else {
                "exactly"
            };
            let s = if n == 1 { "" } else { "s" };
            return self.type_error(format!(
                "{name}() takes {word} {n} positional argument{s} ({given} given)"
            ));
        }
        let param = sig.params[at].name.as_str().unwrap_or("?");
        if callee.constructor && name == "enumerate" {
            return self.type_error(format!("enumerate() missing required argument '{param}'"));
        }
        self.type_error(format!(
            "{name}() missing required argument '{param}' (pos {})",
            at + 1 - hidden
        ))
    }

    /// True if calling this value with `self` as first argument is the same as binding it first: functions, methods of native types.
    #[inline(always)]
    pub fn takes_self(&self, v: &Value) -> bool {
        match v.kind() {
            Kind::Function => true,
            Kind::Native => v
                .get::<Native>()
                .is_some_and(|n| !n.owner.is_unbound() && n.self_.is_unbound()),
            Kind::SlotWrapper => v
                .get::<super::slot_wrappers::SlotWrapper>()
                .is_some_and(|w| w.self_.is_unbound()),
            _ => false,
        }
    }
}
