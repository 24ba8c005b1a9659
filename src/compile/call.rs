//! Calls: windows, keywords, star arguments, methods, `super()`.
//!
//! Part of the expression code. A window is a row of fresh temporaries: callee (and self), then the arguments; the call ops
//! take all of it.
//!
//! Rules:
//! 1. The callee is evaluated first, a method is looked up before the arguments are, positional arguments come before
//!    keyword ones: the order that CPython has.
//! 2. Calls with stars or very many arguments go through a list and a dict (`CALLEX`).

use super::expr::operand_name;
use super::scope::{Place, ScopeKind, flag};
use super::unit::Opd;
use super::{Gen, Res, fail};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// Calls with more arguments build a list, so that windows stay small.
const MAX_WINDOW: usize = 48;

impl<'a> Gen<'a> {
    /// Calls the value that a chain has reached.
    pub fn call_value(
        &mut self,
        node: &'a Expr,
        callee: Opd,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        out: u8,
    ) -> Res {
        self.check_keywords(keywords)?;
        if !fits_window(args, keywords) {
            return self.call_ex(node.span, callee, args, keywords, out);
        }
        let window = if callee.owned {
            self.u.window(callee.reg, 1)?
        } else {
            self.u.window(out, 1)?
        };
        self.u.move_to(window, callee);
        self.arguments(args, keywords)?;
        self.u.at(node.span);
        self.finish_call(Op::CALL, out, window, args, keywords, node.span)
    }

    /// The arguments into fresh temporaries at the top.
    fn arguments(&mut self, args: &'a [Expr], keywords: &'a [Keyword]) -> Res {
        for e in args.iter().chain(keywords.iter().map(|k| &k.value)) {
            let reg = self.u.temp()?;
            self.expr(e, reg)?;
        }
        Ok(())
    }

    fn finish_call(
        &mut self,
        plain: Op,
        out: u8,
        window: u8,
        args: &[Expr],
        keywords: &[Keyword],
        span: Span,
    ) -> Res {
        let count = (args.len() + keywords.len()) as u8;
        if keywords.is_empty() {
            self.u.op(plain, out, window, count);
            return Ok(());
        }
        let names = keywords
            .iter()
            .filter_map(|k| k.name.clone())
            .map(Const::Str)
            .collect();
        let k = self.u.pool.constant(Const::Tuple(names), span)?;
        let op = if plain == Op::CALL {
            Op::CALLKW
        } else {
            Op::CALLMKW
        };
        self.u.op_x(op, out, window, count, k as u32);
        Ok(())
    }

    pub fn method_call_fits(&self, args: &[Expr], keywords: &[Keyword]) -> bool {
        fits_window(args, keywords)
    }

    /// `object.attr(args)`; `object` is the value that a chain has reached.
    #[expect(clippy::too_many_arguments, reason = "two tree nodes taken apart")]
    pub fn call_method(
        &mut self,
        call: &'a Expr,
        attribute: &'a Expr,
        object: Opd,
        attr: &Ident,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        out: u8,
    ) -> Res {
        self.check_keywords(keywords)?;
        let mark = self.u.mark();
        let window = if object.owned {
            self.u.window(object.reg, 2)?
        } else {
            self.u.window(out, 2)?
        };
        let n = self.name_index(&attr.name, attr.span)?;
        self.u.at(self.attribute_span(attribute.span, attr));
        self.u.op_x(Op::LOADMETHOD, window, object.reg, 0, n as u32);
        if object.reg != window {
            self.u.clear(object);
        }
        self.arguments(args, keywords)?;
        self.u.at(self.attribute_span(call.span, attr));
        self.finish_call(Op::CALLM, out, window, args, keywords, call.span)?;
        self.u.release(mark);
        Ok(())
    }

    // ---- stars

    fn call_ex(
        &mut self,
        span: Span,
        callee: Opd,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        out: u8,
    ) -> Res {
        let window = if callee.owned {
            self.u.window(callee.reg, 2)?
        } else {
            self.u.window(out, 2)?
        };
        self.u.move_to(window, callee);
        self.argument_list(args, window + 1, span)?;
        if !keywords.is_empty() {
            self.u.temp()?;
            self.argument_dict(keywords, window + 2, window, span)?;
        }
        self.u.at(span);
        self.u
            .op(Op::CALLEX, out, window, !keywords.is_empty() as u8);
        Ok(())
    }

    /// The positional arguments as a list or tuple in `dst`, the last temporary.
    pub fn argument_list(&mut self, args: &'a [Expr], dst: u8, span: Span) -> Res {
        // `f(*args)` with this function's own `*args`, which nothing rebinds, is a tuple for sure.
        if let [
            Expr {
                kind: ExprKind::Starred(inner),
                ..
            },
        ] = args
            && let ExprKind::Name(name) = &inner.kind
            && self.is_var_args(name)
        {
            return self.load_name(name, inner.span, dst);
        }
        self.list_items(args, dst, span)
    }

    /// The name is the `*args` parameter of this function and nothing else is ever bound to it.
    fn is_var_args(&self, name: &Name) -> bool {
        let scope = self.scopes.get(self.u.cur);
        if self.u.cur != self.u.scope
            || scope.kind != ScopeKind::Function && scope.kind != ScopeKind::Lambda
        {
            return false;
        }
        let name = self.mangled(name);
        scope.vararg.as_ref() == Some(&name)
            && scope.table.flags(&name) & (flag::STORED | flag::LOCAL | flag::CELL) == 0
    }

    /// The keyword arguments as a dict in `dst`, the last temporary; `callee` is named in errors.
    pub fn argument_dict(
        &mut self,
        keywords: &'a [Keyword],
        dst: u8,
        callee: u8,
        span: Span,
    ) -> Res {
        let mark = self.u.mark();
        let mut at = 0;
        while at < keywords.len() {
            let group = keywords[at..]
                .iter()
                .take_while(|k| k.name.is_some())
                .count();
            // The first group is the dict itself; later ones are merged, so that repeated names are noticed.
            let target = if at == 0 { dst } else { self.u.temp()? };
            if at == 0 || group > 0 {
                self.keyword_group(&keywords[at..at + group], target, span)?;
            }
            if at > 0 && group > 0 {
                self.u.at(span);
                self.u.op(Op::DICTMERGE, dst, target, callee);
                self.u.clear(Opd::temp(target));
            }
            self.u.release(mark);
            at += group;
            if let Some(star) = keywords.get(at) {
                let value = self.operand(&star.value, None)?;
                self.u.at(span);
                self.u.op(Op::DICTMERGE, dst, value.reg, callee);
                self.u.clear(value);
                self.u.release(mark);
                at += 1;
            }
        }
        Ok(())
    }

    fn keyword_group(&mut self, keywords: &'a [Keyword], dst: u8, span: Span) -> Res {
        let mark = self.u.mark();
        let chunk = keywords.len().min(16);
        let window = if chunk == 0 {
            dst
        } else {
            self.u.temps(chunk * 2)?
        };
        for (i, keyword) in keywords.iter().take(chunk).enumerate() {
            let reg = window + 2 * i as u8;
            self.load_keyword_name(keyword, reg)?;
            self.expr(&keyword.value, reg + 1)?;
        }
        self.u.at(span);
        self.u.op(Op::DICT, dst, window, chunk as u8);
        self.u.release(mark);
        for keyword in keywords.iter().skip(chunk) {
            let pair = self.u.temps(2)?;
            self.load_keyword_name(keyword, pair)?;
            let heap = self.expr(&keyword.value, pair + 1)?;
            self.u.at(span);
            self.u.op(Op::DICTSET, dst, pair, pair + 1);
            self.u.clear(Opd {
                reg: pair + 1,
                owned: true,
                heap,
            });
            self.u.release(mark);
        }
        Ok(())
    }

    fn load_keyword_name(&mut self, keyword: &Keyword, reg: u8) -> Res {
        // Keywords of calls are not mangled.
        let name = keyword.name.clone().unwrap_or_else(|| "".into());
        self.u.load_const(reg, Const::Str(name), keyword.span)
    }

    pub fn check_keywords(&self, keywords: &[Keyword]) -> Res {
        for (i, keyword) in keywords.iter().enumerate() {
            let Some(name) = &keyword.name else { continue };
            let later = keywords[i + 1..]
                .iter()
                .find(|k| k.name.as_ref() == Some(name));
            // Quadratic, but for ever so few.
            if let Some(again) = later {
                let end = again.span.start + name.len() as u32;
                let span = if again.span.end > end {
                    again.span
                } else {
                    Span {
                        start: again.span.start,
                        end,
                    }
                };
                return fail(format!("keyword argument repeated: {name}"), span);
            }
        }
        Ok(())
    }

    // ---- super

    /// `super().name` and `super(A, b).name`, as a value or called: the whole access, if that is what the chain above the name
    /// `super` is. The nodes it consists of are taken off the spine.
    pub fn super_access(
        &mut self,
        leaf: &'a Expr,
        base: usize,
        scratch: &mut Option<u8>,
    ) -> Res<Option<Opd>> {
        let [.., attribute, call] = &self.spine[base..] else {
            return Ok(None);
        };
        let (attribute, call) = (*attribute, *call);
        let (ExprKind::Attribute { attr, .. }, ExprKind::Call { args, keywords, .. }) =
            (&attribute.kind, &call.kind)
        else {
            return Ok(None);
        };
        let ExprKind::Name(name) = &leaf.kind else {
            return Ok(None);
        };
        let ways = args.is_empty()
            || args.len() == 2 && !args.iter().any(|a| matches!(a.kind, ExprKind::Starred(_)));
        if !ways || !keywords.is_empty() || self.place_of(name) != Place::Global {
            return Ok(None);
        }
        if self.scopes.get(0).table.flags("super") & flag::BOUND != 0 {
            return Ok(None);
        }
        let own = if args.is_empty() {
            match self.own_class_and_self() {
                Some(own) => Some(own),
                None => return Ok(None),
            }
        } else {
            None
        };
        self.spine.truncate(self.spine.len() - 2);
        let method = match self.spine[base..].last() {
            Some(next) => match &next.kind {
                ExprKind::Call { args, keywords, .. } if fits_window(args, keywords) => {
                    Some((*next, args, keywords))
                }
                _ => None,
            },
            None => None,
        };
        let target = match *scratch {
            Some(reg) => reg,
            None => self.u.temp()?,
        };
        *scratch = Some(target);
        let mark = self.u.mark();
        let window = self.u.window(target, 2)?;
        self.load_name(name, leaf.span, window)?;
        let (class, this) = match own {
            Some((class, this)) => (
                self.place_operand(class, window + 1)?,
                self.first_parameter(this)?,
            ),
            None => {
                let class = self.operand(&args[0], Some(window + 1))?;
                let class = self.steady(class, operand_name(&args[0]), &args[1])?;
                (class, self.operand(&args[1], None)?)
            }
        };
        let n = self.name_index(&attr.name, attr.span)?;
        self.u.at(attribute.span);
        let op = if method.is_some() {
            Op::LOADSUPERMETHOD
        } else {
            Op::LOADSUPERATTR
        };
        self.u.op_x(op, window, class.reg, this.reg, n as u32);
        let mut dead = vec![this];
        // The method form overwrites the second register of the window.
        if method.is_none() || class.reg != window + 1 {
            dead.push(class);
        }
        self.u.clear_all(dead);
        if let Some((next, args, keywords)) = method {
            self.spine.pop();
            self.check_keywords(keywords)?;
            self.u.release(window as u16 + 2);
            self.arguments(args, keywords)?;
            self.u.at(self.attribute_span(next.span, attr));
            self.finish_call(Op::CALLM, target, window, args, keywords, next.span)?;
        } else if window != target {
            self.u.op(Op::MOVET, target, window, 0);
        }
        self.u.release(mark);
        Ok(Some(Opd::temp(target)))
    }

    /// Where a method finds its class and its first parameter, for `super()`.
    fn own_class_and_self(&self) -> Option<(Place, Place)> {
        let scope = self.scopes.get(self.u.scope);
        if !scope.kind.is_function() || !scope.has_positional {
            return None;
        }
        let class = self.scopes.place(self.u.cur, "__class__");
        if !matches!(class, Place::Free(_)) {
            return None;
        }
        let this = scope.table.get(scope.params.first()?)?.place;
        Some((class, this))
    }

    fn place_operand(&mut self, place: Place, reg: u8) -> Res<Opd> {
        if let Place::Free(cell) = place {
            self.u.wide(Op::LOADFREE, reg, cell);
        }
        Ok(Opd::temp(reg))
    }

    fn first_parameter(&mut self, place: Place) -> Res<Opd> {
        match place {
            Place::Local(reg) => {
                let span = self.u.asm.span();
                self.check_local(reg, span);
                Ok(Opd::local(reg))
            }
            Place::Cell(cell) => {
                let reg = self.u.temp()?;
                self.u.op(Op::LOADCELL, reg, cell, 0);
                Ok(Opd::temp(reg))
            }
            _ => Ok(Opd::local(0)),
        }
    }
}

fn fits_window(args: &[Expr], keywords: &[Keyword]) -> bool {
    args.len() + keywords.len() <= MAX_WINDOW
        && !args.iter().any(|a| matches!(a.kind, ExprKind::Starred(_)))
        && keywords.iter().all(|k| k.name.is_some())
}
