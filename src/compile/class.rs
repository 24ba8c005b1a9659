//! Class definitions: the call of `__build_class__` and the code of the body.
//!
//! Part of the statement code.
//!
//! Rules:
//! 1. The body's names live in the mapping in R[0]; the cells that methods share (`__class__`, `__classdict__`) are
//!    registers beside it and never names of the mapping.

use super::scope::{ClassCell, Role};
use super::unit::Opd;
use super::{Gen, Parts, Res};
use crate::bytecode::ops::Op;
use crate::bytecode::{Code, Const, flags};
use corun_grammar::ast::*;
use num_bigint::BigInt;
use std::rc::Rc;

impl<'a> Gen<'a> {
    pub fn class_def(&mut self, stmt: &'a Stmt, c: &'a ClassDef) -> Res {
        let span = super::function::definition_span(stmt.span, &c.decorators);
        self.decorated(&c.name, &c.decorators, stmt.span, |g, dst| {
            if c.type_params.is_empty() {
                return g.class_value(c, span, stmt.span, dst, false);
            }
            g.generic_class(c, span, stmt.span, dst)
        })
    }

    /// `__build_class__(body, name, *bases, **keywords)`; a generic class has one base more. `whole` begins at the first
    /// decorator.
    pub fn class_value(
        &mut self,
        c: &'a ClassDef,
        whole: Span,
        span: Span,
        dst: u8,
        generic: bool,
    ) -> Res {
        self.check_keywords(&c.keywords)?;
        let mark = self.u.mark();
        let stars = c
            .bases
            .iter()
            .any(|b| matches!(b.kind, ExprKind::Starred(_)))
            || c.keywords.iter().any(|k| k.name.is_none())
            || c.bases.len() + c.keywords.len() > 40;
        let window = self.u.window(dst, 2)?;
        // With stars, the arguments are a list.
        let first = if stars {
            self.u.temps(2)?
        } else {
            self.u.temp()? - 1
        };
        let code = self.class_code(c, whole)?;
        self.u.at(span);
        self.u.op(Op::BUILDCLASS, window, 0, 0);
        self.make_function(code, 0, first, first, span)?;
        self.u
            .load_const(first + 1, Const::Str(c.name.name.clone()), span)?;
        if stars {
            self.u.op(Op::LIST, window + 1, first, 2);
            self.u.release(first as u16);
            for base in &c.bases {
                let mark = self.u.mark();
                match &base.kind {
                    ExprKind::Starred(inner) => {
                        let value = self.operand(inner, None)?;
                        self.u.at(base.span);
                        self.u.op(Op::LISTEXTEND, window + 1, value.reg, 0);
                        self.u.clear(value);
                    }
                    _ => self.append(window + 1, base)?,
                }
                self.u.release(mark);
            }
            if generic {
                let base = self.u.temp()?;
                self.load_name(&".generic_base".into(), c.name.span, base)?;
                self.u.op(Op::LISTAPPENDT, window + 1, base, 0);
                self.u.release(base as u16);
            }
            if !c.keywords.is_empty() {
                let dict = self.u.temp()?;
                self.argument_dict(&c.keywords, dict, window, span)?;
            }
            self.u.at(span);
            self.u
                .op(Op::CALLEX, dst, window, !c.keywords.is_empty() as u8);
        } else {
            for base in &c.bases {
                let reg = self.u.temp()?;
                self.expr(base, reg)?;
            }
            if generic {
                let reg = self.u.temp()?;
                self.load_name(&".generic_base".into(), c.name.span, reg)?;
            }
            for keyword in &c.keywords {
                let reg = self.u.temp()?;
                self.expr(&keyword.value, reg)?;
            }
            let count = (2 + c.bases.len() + generic as usize + c.keywords.len()) as u8;
            self.u.at(span);
            if c.keywords.is_empty() {
                self.u.op(Op::CALL, dst, window, count);
            } else {
                let names = c
                    .keywords
                    .iter()
                    .filter_map(|k| k.name.clone())
                    .map(Const::Str)
                    .collect();
                let k = self.u.pool.constant(Const::Tuple(names), span)?;
                self.u.op_x(Op::CALLKW, dst, window, count, k as u32);
            }
        }
        self.u.release(mark);
        Ok(())
    }

    fn class_code(&mut self, c: &'a ClassDef, span: Span) -> Res<Rc<Code>> {
        let id = self.scope_of(c, Role::Body, span)?;
        let qualname = self.child_qualname(&c.name.name);
        let outer = self.enter(id, c.name.name.clone(), qualname.clone());
        let outer_class = self.class.replace(c.name.name.clone());
        self.static_attributes.push(Vec::new());
        self.u.at(span);
        self.prologue();
        self.class_body(c, span, qualname)?;
        self.static_attributes.pop();
        self.class = outer_class;
        let parts = Parts {
            span,
            ..Parts::default()
        };
        self.leave(outer, flags::NAME_MODE | flags::CLASS_BODY, parts)
    }

    fn class_body(&mut self, c: &'a ClassDef, span: Span, qualname: Name) -> Res {
        let scopes = self.scopes.clone();
        let scope = scopes.get(self.u.scope);
        let reg = self.u.temp()?;
        let module: Name = "__name__".into();
        let n = self.u.pool.name(&module, span)?;
        self.u.wide(Op::LOADNAME, reg, n);
        self.store_plain(&"__module__".into(), reg, span)?;
        self.u.op(Op::CLEAR, reg, 0, 0);
        self.u.load_const(reg, Const::Str(qualname), span)?;
        self.store_plain(&"__qualname__".into(), reg, span)?;
        let (line, _) = self.source.line_col(span.start);
        self.u
            .load_const(reg, Const::Int(BigInt::from(line)), span)?;
        self.store_plain(&"__firstlineno__".into(), reg, span)?;
        if !c.type_params.is_empty() {
            let cell = self
                .scopes
                .free_index(self.u.scope, ".type_params")
                .unwrap_or(0);
            self.u.wide(Op::LOADFREE, reg, cell);
            self.store_plain(&"__type_params__".into(), reg, span)?;
            self.u.op(Op::CLEAR, reg, 0, 0);
        }
        if let Some(cell) = scope.class_cells[ClassCell::Dict as usize] {
            self.u.op(Op::STORECELL, cell, 0, 0);
        }
        self.u.release(reg as u16);
        let annotations = self.begin_annotations(&c.body, self.u.scope)?;
        let body = match self.docstring(&c.body) {
            Some((doc, at)) => {
                let reg = self.u.temp()?;
                if let Some(doc) = doc {
                    self.u.load_const(reg, Const::Str(doc), at)?;
                    self.store_plain(&"__doc__".into(), reg, at)?;
                }
                self.u.release(reg as u16);
                &c.body[1..]
            }
            None => &c.body[..],
        };
        self.stmts(body)?;
        self.u.at(span);
        self.end_annotations(annotations)?;
        self.u.at(span);
        let reg = self.u.temp()?;
        let mut attributes = self
            .static_attributes
            .last_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        attributes.sort();
        attributes.dedup();
        let attributes = attributes.into_iter().map(Const::Str).collect();
        self.u.load_const(reg, Const::Tuple(attributes), span)?;
        self.store_plain(&"__static_attributes__".into(), reg, span)?;
        if let Some(cell) = scope.class_cells[ClassCell::Dict as usize] {
            self.u.op(Op::MOVE, reg, cell, 0);
            self.store_plain(&"__classdictcell__".into(), reg, span)?;
            self.u.clear(Opd::temp(reg));
        }
        match scope.class_cells[ClassCell::Class as usize] {
            Some(cell) => {
                self.u.op(Op::MOVE, reg, cell, 0);
                self.store_plain(&"__classcell__".into(), reg, span)?;
            }
            None => self.u.op(Op::LOADNONE, reg, 0, 0),
        }
        self.return_op(reg);
        self.u.release(reg as u16);
        Ok(())
    }
}
