//! Binding the arguments of a call to the parameters of a script function.
//!
//! `call` and the interpreter loop come here when a call is not "exactly the positional parameters, all given". The parameters' registers are
//! filled in the order of `Code::varnames`: positional parameters, keyword-only ones, `*args`, `**kwargs`.
//!
//! Rules:
//! 1. No script code runs here: keyword names are strs, and defaults are values already.
//! 2. On an error some registers may be filled; the caller releases them all.

use super::{Raised, Res, Vm};
use crate::bytecode::flags;
use crate::object::dict::Dict;
use crate::object::func::{CodeObj, Function};
use crate::object::native::{Args, tuple_items};
use crate::object::value::Value;

/// How many parameters of each sort a code object has, and where their registers are.
struct Layout {
    argcount: usize,
    posonly: usize,
    /// Positional and keyword-only parameters.
    named: usize,
    /// The register of `*args`.
    varargs: Option<usize>,
    /// The register of `**kwargs`.
    varkw: Option<usize>,
}

impl Layout {
    fn of(c: &CodeObj) -> Layout {
        let argcount = c.code.argcount as usize;
        let named = argcount + c.code.kwonlyargcount as usize;
        let varargs = (c.flags & flags::VARARGS != 0).then_some(named);
        let varkw =
            (c.flags & flags::VARKEYWORDS != 0).then_some(named + varargs.is_some() as usize);
        Layout {
            argcount,
            posonly: c.code.posonlyargcount as usize,
            named,
            varargs,
            varkw,
        }
    }
}

/// True if two keyword names are the same str.
#[inline(always)]
fn same_name(a: &Value, b: &Value) -> bool {
    a.is(b) || (a.as_str().is_some() && a.as_str() == b.as_str())
}

impl Vm {
    /// Fills the parameter registers (all unbound when given) of a call of `f`.
    pub fn bind(&self, f: &Function, args: Args, regs: &mut [Value]) -> Res<()> {
        let code = f.code_obj();
        let l = Layout::of(code);
        let pos = args.pos();
        let direct = pos.len().min(l.argcount);
        for (r, a) in regs.iter_mut().zip(&pos[..direct]) {
            *r = a.clone();
        }
        if let Some(r) = l.varargs {
            regs[r] = self.tuple_from(pos[direct..].iter().cloned());
        }
        if l.varkw.is_some() || args.has_keywords() {
            self.bind_keywords(f, &l, args, regs)?;
        }
        if pos.len() > l.argcount && l.varargs.is_none() {
            return Err(self.too_many_positional(f, &l, pos.len(), regs));
        }
        if direct < l.argcount {
            self.bind_defaults(f, &l, direct, regs)?;
        }
        if l.named > l.argcount {
            self.bind_keyword_defaults(f, &l, regs)?;
        }
        Ok(())
    }

    fn bind_keywords(&self, f: &Function, l: &Layout, args: Args, regs: &mut [Value]) -> Res<()> {
        let code = f.code_obj();
        let params = &code.varnames[..l.named];
        let extra = l.varkw.map(|_| self.dict());
        for (name, value) in args.keywords() {
            if name.as_str().is_none() {
                return Err(self.type_error("keywords must be strings"));
            }
            let candidates = &params[l.posonly..];
            let at = candidates
                .iter()
                .position(|p| p.is(name))
                .or_else(|| candidates.iter().position(|p| same_name(p, name)));
            match (at, &extra) {
                (Some(i), _) => {
                    let r = &mut regs[l.posonly + i];
                    if !r.is_unbound() {
                        return Err(self.type_error(format!(
                            "{}() got multiple values for argument '{}'",
                            self.function_name(f),
                            text(name)
                        )));
                    }
                    *r = value.clone();
                }
                (None, Some(d)) => {
                    if let Some(d) = d.get::<Dict>() {
                        self.dict_set(d, name.clone(), value.clone())?;
                    }
                }
                (None, None) => return Err(self.unexpected_keyword(f, l, args, name)),
            }
        }
        if let (Some(r), Some(d)) = (l.varkw, extra) {
            regs[r] = d;
        }
        Ok(())
    }

    fn bind_defaults(&self, f: &Function, l: &Layout, from: usize, regs: &mut [Value]) -> Res<()> {
        let defaults = f.defaults.borrow();
        let defaults = tuple_items(&defaults);
        let first = l.argcount.saturating_sub(defaults.len());
        let skip = defaults.len().saturating_sub(l.argcount);
        for i in from.max(first)..l.argcount {
            if regs[i].is_unbound() {
                regs[i] = defaults[i - first + skip].clone();
            }
        }
        let missing: Vec<usize> = (from..first).filter(|&i| regs[i].is_unbound()).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(self.missing_arguments(f, "positional", &missing))
        }
    }

    fn bind_keyword_defaults(&self, f: &Function, l: &Layout, regs: &mut [Value]) -> Res<()> {
        let code = f.code_obj();
        let defaults = f.kwdefaults.borrow();
        let mut missing = Vec::new();
        for i in l.argcount..l.named {
            if !regs[i].is_unbound() {
                continue;
            }
            match defaults
                .get::<Dict>()
                .and_then(|d| self.dict_get_str(d, &code.varnames[i]))
            {
                Some(v) => regs[i] = v,
                None => missing.push(i),
            }
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(self.missing_arguments(f, "keyword-only", &missing))
        }
    }

    /// A function's qualified name, for messages.
    fn function_name(&self, f: &Function) -> String {
        text(&f.qualname.borrow()).to_string()
    }

    #[cold]
    fn missing_arguments(&self, f: &Function, kind: &str, which: &[usize]) -> Raised {
        let names: Vec<String> = which
            .iter()
            .map(|&i| format!("'{}'", text(&f.code_obj().varnames[i])))
            .collect();
        let list = match names.as_slice() {
            [one] => one.clone(),
            [a, b] => format!("{a} and {b}"),
            [most @ .., last] => format!("{}, and {last}", most.join(", ")),
            [] => String::new(),
        };
        let s = if names.len() == 1 { "" } else { "s" };
        self.type_error(format!(
            "{}() missing {} required {kind} argument{s}: {list}",
            self.function_name(f),
            names.len()
        ))
    }

    #[cold]
    fn too_many_positional(
        &self,
        f: &Function,
        l: &Layout,
        given: usize,
        regs: &[Value],
    ) -> Raised {
        let defaults = tuple_items(&f.defaults.borrow()).len();
        let (takes, plural) = if defaults > 0 {
            (
                format!(
                    "from {} to {}",
                    l.argcount.saturating_sub(defaults),
                    l.argcount
                ),
                true,
            )
        } else {
            (l.argcount.to_string(), l.argcount != 1)
        };
        let by_keyword = regs[l.argcount..l.named]
            .iter()
            .filter(|r| !r.is_unbound())
            .count();
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let more = if by_keyword > 0 {
            format!(
                " positional argument{} (and {by_keyword} keyword-only argument{})",
                s(given),
                s(by_keyword)
            )
        } else {
            String::new()
        };
        let was = if given == 1 && by_keyword == 0 {
            "was"
        } else {
            "were"
        };
        let plural = if plural { "s" } else { "" };
        self.type_error(format!(
            "{}() takes {takes} positional argument{plural} but {given}{more} {was} given",
            self.function_name(f)
        ))
    }

    #[cold]
    fn unexpected_keyword(&self, f: &Function, l: &Layout, args: Args, name: &Value) -> Raised {
        let params = &f.code_obj().varnames[..l.named];
        let posonly: Vec<&str> = params[..l.posonly]
            .iter()
            .filter(|p| args.names.iter().any(|n| same_name(n, p)))
            .map(text)
            .collect();
        let fname = self.function_name(f);
        if !posonly.is_empty() {
            return self.type_error(format!(
                "{fname}() got some positional-only arguments passed as keyword arguments: '{}'",
                posonly.join(", ")
            ));
        }
        let known = params[l.posonly..].iter().map(text);
        let hint = match super::suggest::closest(text(name), known) {
            Some(s) => format!(". Did you mean '{s}'?"),
            None => String::new(),
        };
        self.type_error(format!(
            "{fname}() got an unexpected keyword argument '{}'{hint}",
            text(name)
        ))
    }
}

/// The text of a name.
fn text(v: &Value) -> &str {
    v.as_str().unwrap_or("?")
}
