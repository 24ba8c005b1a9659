//! Annotations (PEP 649 and 749): functions named `__annotate__` that compute them when somebody asks.
//!
//! Part of the code generator.
//!
//! Rules:
//! 1. Annotations of parameters belong to the function; those of variables to the module or class; those of a function's
//!    locals are never evaluated.
//! 2. A variable annotated in a block that may not run counts only if the statement ran: its number is then in the set
//!    `__conditional_annotations__`.
//! 3. Under `from __future__ import annotations` they are strings, and those of variables are stored at once.

use super::function::HAS_ANNOTATE;
use super::hash::Map;
use super::scope::{ClassCell, Place, Role, ScopeId, ScopeKind};
use super::unit::Opd;
use super::{Gen, Parts, Res, unparse};
use crate::bytecode::ops::{Intrinsic, Op};
use crate::bytecode::{Code, Const, flags};
use corun_grammar::ast::*;
use num_bigint::BigInt;
use std::rc::Rc;

/// Numbers of the annotations of one module or class that may not run, by address of the annotation's node.
#[derive(Default)]
pub struct Conditional {
    numbers: Map<usize, u32>,
}

/// An annotated variable of a module or class.
pub struct Variable<'a> {
    name: &'a Name,
    annotation: &'a Expr,
    number: Option<u32>,
}

/// What `end_annotations` still has to do.
pub struct Pending<'a> {
    variables: Vec<Variable<'a>>,
}

impl<'a> Gen<'a> {
    /// At the start of the body of a module or class.
    pub fn begin_annotations(&mut self, body: &'a [Stmt], id: ScopeId) -> Res<Pending<'a>> {
        let scopes = self.scopes.clone();
        let scope = scopes.get(id);
        let mut conditional = Conditional::default();
        let mut pending = Pending {
            variables: Vec::new(),
        };
        if scope.annotated && self.opts.future_annotations {
            self.begin_string_annotations(scope.kind)?;
        } else if scope.annotations.is_some() {
            collect(body, false, &mut pending.variables);
            let mut count = 0;
            for variable in pending.variables.iter_mut().filter(|v| v.number.is_some()) {
                variable.number = Some(count);
                conditional
                    .numbers
                    .insert(std::ptr::from_ref(variable.annotation) as usize, count);
                count += 1;
            }
            if count > 0 {
                let set = self.u.temp()?;
                self.u.op(Op::SET, set, set, 0);
                match scope.class_cells[ClassCell::Conditional as usize] {
                    Some(cell) => self.u.op(Op::STORECELL, cell, set, 0),
                    None => self.store_plain(
                        &ClassCell::Conditional.name().into(),
                        set,
                        Span::default(),
                    )?,
                }
                self.u.op(Op::CLEAR, set, 0, 0);
                self.u.release(set as u16);
            }
        }
        self.conditional.push(conditional);
        if scope.kind == ScopeKind::Module && !pending.variables.is_empty() {
            // Importers see the annotations of a module that is still running.
            let variables = std::mem::take(&mut pending.variables);
            self.store_annotate(id, &variables, "__annotate__")?;
        }
        Ok(pending)
    }

    pub fn end_annotations(&mut self, pending: Pending<'a>) -> Res {
        self.conditional.pop();
        if pending.variables.is_empty() {
            return Ok(());
        }
        self.store_annotate(self.u.scope, &pending.variables, "__annotate_func__")
    }

    fn store_annotate(&mut self, owner: ScopeId, variables: &[Variable<'a>], name: &str) -> Res {
        let span = self.u.asm.span();
        let Some(id) = self.scopes.get(owner).annotations else {
            return Ok(());
        };
        let code = self.annotate_code(id, span, "", |g, dict| {
            let set: Name = ClassCell::Conditional.name().into();
            for variable in variables {
                let mark = g.u.mark();
                let skip = g.u.new_label();
                if let Some(number) = variable.number {
                    let pair = g.u.temps(2)?;
                    g.u.load_const(pair, Const::Int(BigInt::from(number)), span)?;
                    g.load_name(&set, span, pair + 1)?;
                    g.u.jump_op(Op::JIN, pair, pair + 1, 0, skip);
                }
                g.annotation_item(dict, variable.name, variable.annotation)?;
                g.u.place(skip);
                g.u.release(mark);
            }
            Ok(())
        })?;
        let reg = self.u.temp()?;
        self.make_function(code, 0, reg, reg, span)?;
        self.store_plain(&name.into(), reg, span)?;
        self.u.clear(Opd::temp(reg));
        self.u.release(reg as u16);
        Ok(())
    }

    fn annotation_item(&mut self, dict: u8, name: &Name, annotation: &'a Expr) -> Res {
        let mark = self.u.mark();
        let pair = self.u.temps(2)?;
        let name = self.mangled(name);
        self.u.load_const(pair, Const::Str(name), annotation.span)?;
        if self.opts.future_annotations {
            self.u.load_str(
                pair + 1,
                &unparse::unparse(annotation, &self.source.text),
                annotation.span,
            )?;
        } else {
            self.starred_value(annotation, pair + 1)?;
        }
        self.u.at(annotation.span);
        self.u.op(Op::DICTSET, dict, pair, pair + 1);
        self.u.clear(Opd::temp(pair + 1));
        self.u.release(mark);
        Ok(())
    }

    /// The code of an `__annotate__` function, whose dict `fill` fills.
    fn annotate_code(
        &mut self,
        id: ScopeId,
        span: Span,
        owner: &str,
        fill: impl FnOnce(&mut Self, u8) -> Res,
    ) -> Res<Rc<Code>> {
        let name: Name = "__annotate__".into();
        let qualname = match owner {
            "" => self.child_qualname(&name),
            _ => format!("{}{owner}.__annotate__", self.u.child_prefix).into(),
        };
        let outer = self.enter(id, name, qualname);
        self.u.at(span);
        self.prologue();
        self.check_format()?;
        let dict = self.u.temp()?;
        self.u.op(Op::DICT, dict, dict, 0);
        fill(self, dict)?;
        self.u.at(span);
        self.return_op(dict);
        let parts = Parts {
            span,
            argcount: 1,
            posonlyargcount: 1,
            ..Parts::default()
        };
        self.leave(outer, flags::OPTIMIZED | flags::NEWLOCALS, parts)
    }

    /// Annotation functions refuse formats that they do not know.
    pub fn check_format(&mut self) -> Res {
        let reg = self.u.temp()?;
        // The format may be captured by a function inside, in theory.
        let format = match self.scopes.place(self.u.scope, ".format") {
            Place::Cell(cell) => {
                self.u.op(Op::LOADCELL, reg, cell, 0);
                reg
            }
            _ => 0,
        };
        self.intrinsic(reg, format, Intrinsic::CheckFormat);
        self.u.op(Op::CLEAR, reg, 0, 0);
        self.u.release(reg as u16);
        Ok(())
    }

    /// The annotate function of a function, into `dst`.
    pub fn function_annotate(&mut self, f: &'a FunctionDef, dst: u8) -> Res {
        debug_assert_ne!(HAS_ANNOTATE, 0);
        let span = f.name.span;
        let id = self.scope_of(f, Role::Annotations, span)?;
        let code = self.annotate_code(id, span, &f.name.name, |g, dict| {
            let a = &f.args;
            let plain = a.posonly.iter().chain(&a.args);
            let all = plain
                .chain(a.vararg.as_deref())
                .chain(&a.kwonly)
                .chain(a.kwarg.as_deref());
            for arg in all {
                if let Some(annotation) = &arg.annotation {
                    g.annotation_item(dict, &arg.name, annotation)?;
                }
            }
            if let Some(returns) = &f.returns {
                g.annotation_item(dict, &"return".into(), returns)?;
            }
            Ok(())
        })?;
        let mark = self.u.mark();
        self.make_function(code, 0, dst, dst, span)?;
        self.u.release(mark);
        Ok(())
    }

    // ---- the statement

    pub fn ann_assign(
        &mut self,
        stmt: &Stmt,
        target: &'a Expr,
        annotation: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
    ) -> Res {
        if let Some(value) = value {
            self.assign_value(target, value)?;
        }
        let kind = self.scopes.get(self.u.cur).kind;
        let keeps = matches!(kind, ScopeKind::Module | ScopeKind::Class);
        match &target.kind {
            ExprKind::Name(name) if simple && keeps => {
                self.keep_annotation(stmt, name, annotation)?
            }
            ExprKind::Attribute { value: object, .. } if value.is_none() => self.effect(object)?,
            ExprKind::Subscript {
                value: object,
                index,
            } if value.is_none() => {
                self.effect(object)?;
                self.effect(index)?;
            }
            _ => {}
        }
        if !simple && keeps && !self.opts.future_annotations {
            self.effect(annotation)?;
        }
        Ok(())
    }

    fn keep_annotation(&mut self, stmt: &Stmt, name: &Name, annotation: &'a Expr) -> Res {
        let mark = self.u.mark();
        if self.opts.future_annotations {
            let trio = self.u.temps(3)?;
            self.load_annotations_dict(trio, annotation.span)?;
            let text = unparse::unparse(annotation, &self.source.text);
            let name = self.mangled(name);
            self.u
                .load_const(trio + 1, Const::Str(name), annotation.span)?;
            self.u.load_str(trio + 2, &text, annotation.span)?;
            self.u.op(Op::STOREITEM, trio, trio + 1, trio + 2);
            self.u.clear(Opd::temp(trio));
            self.u.release(mark);
            return Ok(());
        }
        let key = std::ptr::from_ref(annotation) as usize;
        let Some(&number) = self.conditional.last().and_then(|c| c.numbers.get(&key)) else {
            return Ok(());
        };
        let pair = self.u.temps(2)?;
        self.u.at(stmt.span);
        let name: Name = ClassCell::Conditional.name().into();
        match self.scopes.get(self.u.scope).class_cells[ClassCell::Conditional as usize] {
            Some(cell) => self.u.op(Op::LOADCELL, pair, cell, 0),
            None => {
                let n = self.u.pool.name(&name, stmt.span)?;
                let op = if self.opts.name_mode {
                    Op::LOADNAME
                } else {
                    Op::LOADGLOBAL
                };
                self.u.wide(op, pair, n);
            }
        }
        self.u
            .load_const(pair + 1, Const::Int(BigInt::from(number)), stmt.span)?;
        self.u.op(Op::SETADD, pair, pair + 1, 0);
        self.u.clear(Opd::temp(pair));
        self.u.release(mark);
        Ok(())
    }

    fn load_annotations_dict(&mut self, dst: u8, span: Span) -> Res {
        let n = self.u.pool.name(&"__annotations__".into(), span)?;
        let class = self.scopes.get(self.u.scope).kind == ScopeKind::Class;
        self.u.at(span);
        self.u.wide(
            if class || self.opts.name_mode {
                Op::LOADNAME
            } else {
                Op::LOADGLOBAL
            },
            dst,
            n,
        );
        Ok(())
    }

    /// `__annotations__` is made if there is none; a class has a fresh namespace.
    fn begin_string_annotations(&mut self, kind: ScopeKind) -> Res {
        let reg = self.u.temp()?;
        let done = self.u.new_label();
        let outer = self.u.asm.current_handler();
        if kind == ScopeKind::Module {
            let missing = self.u.new_handler(reg, reg);
            self.u.set_handler(Some(missing));
            self.load_annotations_dict(reg, Span::default())?;
            self.u.set_handler(outer);
            self.u.op(Op::CLEAR, reg, 0, 0);
            self.u.jump(done);
            self.u.place_handler(missing);
            self.u.op(Op::CLEAR, reg, 0, 0);
        }
        self.u.op(Op::DICT, reg, reg, 0);
        self.store_plain(&"__annotations__".into(), reg, Span::default())?;
        self.u.op(Op::CLEAR, reg, 0, 0);
        self.u.place(done);
        self.u.release(reg as u16);
        Ok(())
    }
}

/// The annotated variables of a body, in order.
fn collect<'a>(body: &'a [Stmt], conditional: bool, out: &mut Vec<Variable<'a>>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::AnnAssign {
                target,
                annotation,
                simple: true,
                ..
            } => {
                if let ExprKind::Name(name) = &target.kind {
                    out.push(Variable {
                        name,
                        annotation,
                        number: conditional.then_some(0),
                    });
                }
            }
            StmtKind::If { body, orelse, .. } => {
                collect(body, true, out);
                let mut rest = orelse;
                // `elif` chains are long.
                while let [
                    Stmt {
                        kind: StmtKind::If { body, orelse, .. },
                        ..
                    },
                ] = rest.as_slice()
                {
                    collect(body, true, out);
                    rest = orelse;
                }
                collect(rest, true, out);
            }
            StmtKind::While { body, orelse, .. } => {
                collect(body, true, out);
                collect(orelse, true, out);
            }
            StmtKind::For(f) => {
                collect(&f.body, true, out);
                collect(&f.orelse, true, out);
            }
            StmtKind::With { body, .. } => collect(body, true, out),
            StmtKind::Try(t) => {
                collect(&t.body, true, out);
                t.handlers.iter().for_each(|h| collect(&h.body, true, out));
                collect(&t.orelse, true, out);
                collect(&t.finalbody, true, out);
            }
            StmtKind::Match { cases, .. } => cases.iter().for_each(|c| collect(&c.body, true, out)),
            _ => {}
        }
    }
}
