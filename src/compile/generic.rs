//! Type parameters (PEP 695) and `type` statements.
//!
//! A generic definition is wrapped in a function that is called at once: it makes the type variables, whose bounds and
//! defaults are functions called when somebody asks, and returns what is defined.

use super::function::{HAS_DEFAULTS, HAS_KWDEFAULTS};
use super::scope::{Role, ScopeId};
use super::symbols::default_counts;
use super::unit::Opd;
use super::{Gen, Parts, Res, fail};
use crate::bytecode::ops::{Intrinsic, Op};
use crate::bytecode::{Const, flags};
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    /// Runs `body` in the code of a type-parameter scope; `argcount` registers of the caller are its arguments. The body
    /// gets the tuple of type variables and leaves the value to return in the register it names.
    #[expect(
        clippy::too_many_arguments,
        reason = "two calls, and a struct for them would say no more"
    )]
    fn with_type_params(
        &mut self,
        id: ScopeId,
        what: &Name,
        params: &'a [TypeParam],
        span: Span,
        window: u8,
        argcount: usize,
        dst: u8,
        body: impl FnOnce(&mut Self, u8) -> Res<u8>,
    ) -> Res {
        let name: Name = format!("<generic parameters of {what}>").into();
        let qualname = self.child_qualname(&name);
        let prefix = self.u.child_prefix.clone();
        let outer = self.enter(id, name, qualname);
        // What is defined is named as if this scope were not there.
        self.u.child_prefix = prefix;
        self.u.at(span);
        self.prologue();
        let tuple = self.u.temp()?;
        self.type_param_tuple(params, tuple, span)?;
        let value = body(self, tuple)?;
        self.u.at(span);
        self.return_op(value);
        let parts = Parts {
            span,
            argcount: argcount as u32,
            ..Parts::default()
        };
        let code = self.leave(outer, flags::OPTIMIZED | flags::NEWLOCALS, parts)?;
        let mark = self.u.mark();
        self.make_function(code, 0, window, window, span)?;
        self.u.release(mark);
        self.u.op(Op::CALL, dst, window, argcount as u8);
        Ok(())
    }

    pub fn generic_function(
        &mut self,
        f: &'a FunctionDef,
        whole: Span,
        span: Span,
        dst: u8,
    ) -> Res {
        let id = self.scope_of(f, Role::TypeParams, span)?;
        let (defaults, kwdefaults) = default_counts(&f.args);
        let window = self.u.window(dst, 2)?;
        self.default_parts(&f.args, window + 1, span)?;
        let argcount = (defaults > 0) as usize + (kwdefaults > 0) as usize;
        self.with_type_params(
            id,
            &f.name.name,
            &f.type_params,
            span,
            window,
            argcount,
            dst,
            |g, tuple| {
                let value = g.u.temps(2)?;
                let first = value;
                let mut bits = 0;
                // The parameters of this code are the parts of the inner function.
                let mark = g.u.mark();
                if defaults > 0 {
                    g.u.op(Op::MOVE, first, 0, 0);
                    bits |= HAS_DEFAULTS;
                }
                if kwdefaults > 0 {
                    let from = (defaults > 0) as u8;
                    g.u.op(Op::MOVE, first + from, from, 0);
                    bits |= HAS_KWDEFAULTS;
                }
                if bits == HAS_DEFAULTS || bits == HAS_KWDEFAULTS || bits == 0 {
                    g.u.release(first as u16 + 1);
                }
                g.function_value(f, whole, bits, first, value)?;
                g.u.release(mark);
                g.u.op(Op::MOVE, value + 1, tuple, 0);
                g.intrinsic(value, value, Intrinsic::SetTypeParams);
                Ok(value)
            },
        )
    }

    pub fn generic_class(&mut self, c: &'a ClassDef, whole: Span, span: Span, dst: u8) -> Res {
        let id = self.scope_of(c, Role::TypeParams, span)?;
        let window = self.u.window(dst, 1)?;
        self.with_type_params(
            id,
            &c.name.name,
            &c.type_params,
            span,
            window,
            0,
            dst,
            |g, tuple| {
                let params = Opd {
                    reg: tuple,
                    owned: false,
                    heap: true,
                };
                g.store_name(&".type_params".into(), params, c.name.span)?;
                let base = g.u.temp()?;
                g.intrinsic(base, tuple, Intrinsic::SubscriptGeneric);
                g.store_name(&".generic_base".into(), Opd::temp(base), c.name.span)?;
                g.u.release(base as u16);
                let value = g.u.temp()?;
                g.class_value(c, whole, span, value, true)?;
                Ok(value)
            },
        )
    }

    pub fn type_alias(
        &mut self,
        stmt: &'a Stmt,
        name: &'a Expr,
        params: &'a [TypeParam],
        value: &'a Expr,
    ) -> Res {
        let ExprKind::Name(text) = &name.kind else {
            return fail("type alias name must be an identifier", name.span);
        };
        let result = self.u.temp()?;
        if params.is_empty() {
            self.alias_value(stmt.span, text, value, None, result)?;
        } else {
            let id = self.scope_of(value, Role::TypeParams, stmt.span)?;
            self.with_type_params(
                id,
                text,
                params,
                stmt.span,
                result,
                0,
                result,
                |g, tuple| {
                    let made = g.u.temp()?;
                    g.alias_value(stmt.span, text, value, Some(tuple), made)?;
                    Ok(made)
                },
            )?;
        }
        self.store_name(text, Opd::temp(result), name.span)
    }

    fn alias_value(
        &mut self,
        span: Span,
        name: &Name,
        value: &'a Expr,
        params: Option<u8>,
        dst: u8,
    ) -> Res {
        let mark = self.u.mark();
        let trio = self.u.temps(3)?;
        self.u.load_const(trio, Const::Str(name.clone()), span)?;
        match params {
            Some(tuple) => self.u.op(Op::MOVE, trio + 1, tuple, 0),
            None => self.u.op(Op::LOADNONE, trio + 1, 0, 0),
        }
        let id = self.scope_of(value, Role::Value, span)?;
        self.lazy_value(id, name, value, trio + 2)?;
        self.u.at(span);
        self.intrinsic(dst, trio, Intrinsic::TypeAlias);
        self.u.clear_range(trio + 1, 2);
        self.u.release(mark);
        Ok(())
    }

    /// A function of `format` (1 by default) that gives the value of an expression.
    fn lazy_value(&mut self, id: ScopeId, name: &Name, e: &'a Expr, dst: u8) -> Res {
        let qualname = self.child_qualname(name);
        let outer = self.enter(id, name.clone(), qualname);
        self.u.at(e.span);
        self.prologue();
        self.check_format()?;
        // `**P = *defaults` of a TypeVarTuple unpacks.
        let reg = self.u.temp()?;
        self.starred_value(e, reg)?;
        self.return_op(reg);
        let parts = Parts {
            span: e.span,
            argcount: 1,
            posonlyargcount: 1,
            ..Parts::default()
        };
        let code = self.leave(outer, flags::OPTIMIZED | flags::NEWLOCALS, parts)?;
        let mark = self.u.mark();
        let first = self.u.temp()?;
        self.u
            .load_const(first, Const::Tuple(vec![Const::Int(1.into())]), e.span)?;
        self.make_function(code, HAS_DEFAULTS, first, dst, e.span)?;
        self.u.release(mark);
        Ok(())
    }

    /// `*value` stands for the only item of the iterable.
    pub fn starred_value(&mut self, e: &'a Expr, dst: u8) -> Res {
        if let ExprKind::Starred(inner) = &e.kind {
            let mark = self.u.mark();
            let reg = self.u.temp()?;
            self.expr(inner, reg)?;
            self.u.at(e.span);
            self.u.op(Op::UNPACK, dst, reg, 1);
            self.u.clear(Opd::temp(reg));
            self.u.release(mark);
            return Ok(());
        }
        self.expr(e, dst)?;
        Ok(())
    }

    /// The type variables, each stored under its name, as a tuple.
    fn type_param_tuple(&mut self, params: &'a [TypeParam], dst: u8, span: Span) -> Res {
        let mark = self.u.mark();
        let window = self.u.temps(params.len())?;
        for (i, param) in params.iter().enumerate() {
            let reg = window + i as u8;
            let inner = self.u.mark();
            let trio = self.u.temps(3)?;
            let name = &param.name.name;
            self.u
                .load_const(trio, Const::Str(name.clone()), param.span)?;
            for (at, e, role) in [
                (1, &param.bound, Role::Bound),
                (2, &param.default, Role::Default),
            ] {
                match e {
                    Some(e) => {
                        let id = self.scope_of(param, role, param.span)?;
                        self.lazy_value(id, name, e, trio + at)?;
                    }
                    None => self.u.op(Op::LOADNONE, trio + at, 0, 0),
                }
            }
            self.u.at(param.span);
            let what = match param.kind {
                TypeParamKind::TypeVar => Intrinsic::TypeVar,
                TypeParamKind::ParamSpec => Intrinsic::ParamSpec,
                TypeParamKind::TypeVarTuple => Intrinsic::TypeVarTuple,
            };
            self.intrinsic(reg, trio, what);
            self.u.clear_range(trio + 1, 2);
            self.u.release(inner);
            self.store_name(
                name,
                Opd {
                    reg,
                    owned: false,
                    heap: true,
                },
                param.span,
            )?;
        }
        self.u.at(span);
        self.u.op(Op::TUPLE, dst, window, params.len() as u8);
        self.u.release(mark);
        Ok(())
    }
}
