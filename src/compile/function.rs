//! Functions, lambdas and the values that make them: defaults, closures, docstrings.
//!
//! Part of the code generator; type parameters are in `generic.rs`, annotations in `annotations.rs`.
//!
//! Rules:
//! 1. The parts of a function value stand in a row, in the order that `MKFUNC` names.
//! 2. Defaults are evaluated in the scope around, before the annotations and the closure.

use super::scope::{ClassCell, Place, Role, ScopeId, ScopeKind, flag};
use super::symbols::{all_args, has_annotations};
use super::unit::Opd;
use super::{Gen, Parts, Res, fail};
use crate::bytecode::ops::Op;
use crate::bytecode::{Code, Const, flags};
use corun_grammar::ast::*;
use std::rc::Rc;

/// Bits of `MKFUNC`.
pub const HAS_DEFAULTS: u8 = 1;
pub const HAS_KWDEFAULTS: u8 = 2;
pub const HAS_ANNOTATE: u8 = 4;
pub const HAS_CLOSURE: u8 = 8;

impl<'a> Gen<'a> {
    pub fn function_def(&mut self, stmt: &'a Stmt, f: &'a FunctionDef) -> Res {
        let span = definition_span(stmt.span, &f.decorators);
        self.decorated(&f.name, &f.decorators, stmt.span, |g, dst| {
            if f.type_params.is_empty() {
                let first = g.u.window(dst, 1)?;
                let bits = g.default_parts(&f.args, first, f.name.span)?;
                return g.function_value(f, span, bits, first, dst);
            }
            g.generic_function(f, span, stmt.span, dst)
        })
    }

    /// Evaluates decorators, makes the value, calls the decorators from the inside out, stores the result.
    pub fn decorated(
        &mut self,
        name: &'a Ident,
        decorators: &'a [Expr],
        span: Span,
        make: impl FnOnce(&mut Self, u8) -> Res,
    ) -> Res {
        let mark = self.u.mark();
        let direct = self.direct_target(&name.name);
        let mut callees = Vec::with_capacity(decorators.len());
        for decorator in decorators {
            let reg = self.u.temp()?;
            self.expr(decorator, reg)?;
            callees.push((reg, decorator.span));
        }
        let result = match direct {
            Some(reg) if decorators.is_empty() => reg,
            _ => self.u.temp()?,
        };
        self.u.at(span);
        let inner = self.u.mark();
        make(self, result)?;
        self.u.release(inner);
        let mut value = result;
        for (i, &(callee, at)) in callees.iter().enumerate().rev() {
            let dst = match direct {
                Some(reg) if i == 0 => reg,
                _ => callee,
            };
            self.u.at(at);
            self.u.op(Op::CALL, dst, callee, 1);
            value = dst;
        }
        match direct {
            Some(reg) => self.u.bound.set(reg),
            None => self.store_name(&name.name, Opd::temp(value), span)?,
        }
        self.u.release(mark);
        Ok(())
    }

    /// Evaluates the defaults into registers from `first` on (which is already allocated). Gives the bits of the parts made.
    pub fn default_parts(&mut self, args: &'a Arguments, first: u8, span: Span) -> Res<u8> {
        let mut bits = 0;
        let positional: Vec<&'a Expr> = args
            .posonly
            .iter()
            .chain(&args.args)
            .filter_map(|a| a.default.as_ref())
            .collect();
        if !positional.is_empty() {
            bits |= HAS_DEFAULTS;
            match positional
                .iter()
                .map(|e| self.fold(e))
                .collect::<Option<Vec<_>>>()
            {
                Some(values) => self.u.load_const(first, Const::Tuple(values), span)?,
                None => {
                    let mark = self.u.mark();
                    let window = self.u.temps(positional.len())?;
                    for (i, e) in positional.iter().enumerate() {
                        self.expr(e, window + i as u8)?;
                    }
                    self.u.at(span);
                    self.u.op(Op::TUPLE, first, window, positional.len() as u8);
                    self.u.release(mark);
                }
            }
        }
        let named: Vec<(&Name, &'a Expr)> = args
            .kwonly
            .iter()
            .filter_map(|a| a.default.as_ref().map(|d| (&a.name, d)))
            .collect();
        if !named.is_empty() {
            let dst = if bits == 0 { first } else { self.u.temp()? };
            bits |= HAS_KWDEFAULTS;
            let mark = self.u.mark();
            let window = self.u.temps(named.len() * 2)?;
            for (i, (name, value)) in named.iter().enumerate() {
                let reg = window + 2 * i as u8;
                let name = self.mangled(name);
                self.u.load_const(reg, Const::Str(name), value.span)?;
                self.expr(value, reg + 1)?;
            }
            self.u.at(span);
            self.u.op(Op::DICT, dst, window, named.len() as u8);
            self.u.release(mark);
        }
        Ok(bits)
    }

    /// The register for the next part of a function value.
    pub fn next_part(&mut self, bits: u8, first: u8) -> Res<u8> {
        if bits == 0 { Ok(first) } else { self.u.temp() }
    }

    /// The function itself; its defaults (`bits`) stand from `first` on.
    pub fn function_value(
        &mut self,
        f: &'a FunctionDef,
        span: Span,
        mut bits: u8,
        first: u8,
        dst: u8,
    ) -> Res {
        if has_annotations(f) {
            let reg = self.next_part(bits, first)?;
            self.function_annotate(f, reg)?;
            bits |= HAS_ANNOTATE;
        }
        let code = self.function_code(f, span)?;
        self.make_function(code, bits, first, dst, span)
    }

    fn function_code(&mut self, f: &'a FunctionDef, span: Span) -> Res<Rc<Code>> {
        let Some(id) = self.scopes.of_node(f, Role::Body) else {
            return fail("function without a scope", span);
        };
        let in_class = self.scopes.get(self.u.cur).kind == ScopeKind::Class;
        let qualname = self.child_qualname(&f.name.name);
        let outer = self.enter(id, f.name.name.clone(), qualname);
        let generator = self.scopes.get(id).generator;
        self.u.is_async = f.is_async;
        self.u.suspends = generator || f.is_async;
        self.u.at(span);
        self.prologue();
        let (doc, body) = match self.docstring(&f.body) {
            Some((doc, _)) => (doc, &f.body[1..]),
            None => (None, &f.body[..]),
        };
        self.stmts(body)?;
        self.u.at(f.body.last().map_or(span, |s| s.span));
        self.return_none()?;
        let mut bits = match (f.is_async, generator) {
            (true, true) => flags::ASYNC_GENERATOR,
            (true, false) => flags::COROUTINE,
            (false, true) => flags::GENERATOR,
            (false, false) => 0,
        };
        if in_class {
            bits |= flags::METHOD;
        }
        if doc.is_some() {
            bits |= flags::HAS_DOCSTRING;
        }
        let (more, parts) = signature(&f.args, span, doc);
        self.leave(outer, bits | more, parts)
    }

    pub fn lambda(
        &mut self,
        e: &'a Expr,
        args: &'a Arguments,
        body: &'a Expr,
        dst: u8,
    ) -> Res<bool> {
        let Some(id) = self.scopes.of_node(e, Role::Expr) else {
            return fail("lambda without a scope", e.span);
        };
        let mark = self.u.mark();
        let first = self.u.window(dst, 1)?;
        let bits = self.default_parts(args, first, e.span)?;
        let name: Name = "<lambda>".into();
        let qualname = self.child_qualname(&name);
        let outer = self.enter(id, name, qualname);
        let generator = self.scopes.get(id).generator;
        self.u.suspends = generator;
        self.u.at(e.span);
        self.prologue();
        let value = self.operand(body, None)?;
        self.u.at(body.span);
        self.return_op(value.reg);
        let kind = if generator { flags::GENERATOR } else { 0 };
        let (more, parts) = signature(args, e.span, None);
        let code = self.leave(outer, kind | more, parts)?;
        self.make_function(code, bits, first, dst, e.span)?;
        self.u.release(mark);
        Ok(true)
    }

    /// `MKFUNC`, with the closure as the last part.
    pub fn make_function(
        &mut self,
        code: Rc<Code>,
        mut bits: u8,
        first: u8,
        dst: u8,
        span: Span,
    ) -> Res {
        self.u.at(span);
        if !code.freevars.is_empty() {
            let reg = self.next_part(bits, first)?;
            let mark = self.u.mark();
            let window = self.u.temps(code.freevars.len())?;
            for (i, name) in code.freevars.iter().enumerate() {
                self.load_cell(name, window + i as u8);
            }
            self.u.op(Op::TUPLE, reg, window, code.freevars.len() as u8);
            self.u.release(mark);
            bits |= HAS_CLOSURE;
        }
        let index = self.u.codes.len() as u32;
        if self.u.live {
            self.u.codes.push(code);
        }
        self.u.op_x(Op::MKFUNC, dst, first, bits, index);
        Ok(())
    }

    /// The cell itself of a variable that an inner function closes over.
    fn load_cell(&mut self, name: &Name, dst: u8) {
        let mut at = self.u.cur;
        loop {
            let scope = self.scopes.get(at);
            if scope.kind == ScopeKind::Class
                && let Some(cell) = ClassCell::of(name)
                && let Some(reg) = scope.class_cells[cell as usize]
            {
                return self.u.op(Op::MOVE, dst, reg, 0);
            }
            if scope.kind != ScopeKind::Class
                && let Some(symbol) = scope.table.get(name)
                && symbol.flags & flag::BOUND != 0
                && let Place::Cell(reg) = symbol.place
            {
                return self.u.op(Op::MOVE, dst, reg, 0);
            }
            match scope.parent {
                Some(parent) if at != self.u.scope => at = parent,
                _ => break,
            }
        }
        let cell = self.scopes.free_index(self.u.scope, name).unwrap_or(0);
        self.u.wide(Op::LOADCLOSURE, dst, cell);
    }

    // ---- names and docstrings

    /// The qualified name of a function or class defined here.
    pub fn child_qualname(&self, name: &Name) -> Name {
        let declared = self.scopes.get(self.u.cur).table.flags(&self.mangled(name));
        if declared & flag::GLOBAL != 0 || self.u.child_prefix.is_empty() {
            return name.clone();
        }
        format!("{}{name}", self.u.child_prefix).into()
    }

    /// The docstring that a body begins with: its text (None if they are dropped) and place.
    pub fn docstring(&self, body: &[Stmt]) -> Option<(Option<Rc<str>>, Span)> {
        let StmtKind::Expr(e) = &body.first()?.kind else {
            return None;
        };
        let ExprKind::Constant(Constant::Str(text)) = &e.kind else {
            return None;
        };
        Some(((self.opts.optimize < 2).then(|| clean_doc(text)), e.span))
    }

    // ---- checks

    pub fn in_async_function(&self) -> bool {
        self.u.is_async && self.scopes.get(self.u.scope).kind == ScopeKind::Function
    }

    pub fn may_await(&self) -> bool {
        self.u.is_async
    }

    pub fn check_await(&self, span: Span) -> Res {
        if self.u.is_async {
            return Ok(());
        }
        let kind = self.scopes.get(self.u.scope).kind;
        let functional = !matches!(kind, ScopeKind::Module | ScopeKind::Class);
        fail(
            if functional {
                "'await' outside async function"
            } else {
                "'await' outside function"
            },
            span,
        )
    }

    pub fn check_async(&self, span: Span, what: &str) -> Res {
        if self.u.is_async {
            Ok(())
        } else {
            fail(format!("'{what}' outside async function"), span)
        }
    }

    pub fn check_yield(&self, span: Span) -> Res {
        let kind = self.scopes.get(self.u.scope).kind;
        if kind.is_function() {
            Ok(())
        } else {
            fail("'yield' outside function", span)
        }
    }

    pub fn check_yield_from(&self, span: Span) -> Res {
        let kind = self.scopes.get(self.u.scope).kind;
        if !kind.is_function() {
            return fail("'yield from' outside function", span);
        }
        if self.u.is_async {
            return fail("'yield from' inside async function", span);
        }
        Ok(())
    }

    /// The scope of a node that surely has one.
    pub fn scope_of<T>(&self, node: &T, role: Role, span: Span) -> Res<ScopeId> {
        match self.scopes.of_node(node, role) {
            Some(id) => Ok(id),
            None => fail("definition without a scope", span),
        }
    }
}

/// From the first decorator on, as `co_firstlineno` wants it.
pub fn definition_span(span: Span, decorators: &[Expr]) -> Span {
    decorators.first().map_or(span, |d| span.to(d.span))
}

fn signature(args: &Arguments, span: Span, doc: Option<Rc<str>>) -> (u32, Parts) {
    let mut bits = flags::OPTIMIZED | flags::NEWLOCALS;
    if args.vararg.is_some() {
        bits |= flags::VARARGS;
    }
    if args.kwarg.is_some() {
        bits |= flags::VARKEYWORDS;
    }
    debug_assert!(all_args(args).count() >= args.kwonly.len());
    let parts = Parts {
        span,
        argcount: (args.posonly.len() + args.args.len()) as u32,
        posonlyargcount: args.posonly.len() as u32,
        kwonlyargcount: args.kwonly.len() as u32,
        doc,
    };
    (bits, parts)
}

/// Takes the common indentation off a docstring, as CPython 3.13 and later do.
fn clean_doc(text: &Rc<str>) -> Rc<str> {
    let expanded = if text.contains('\t') {
        expand_tabs(text)
    } else {
        text.to_string()
    };
    let mut lines = expanded.split('\n');
    let first = lines.next().unwrap_or("");
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let margin = lines
        .clone()
        .filter(|l| indent(l) < l.len())
        .map(indent)
        .min()
        .unwrap_or(0);
    let mut out = first.trim_start_matches(' ').to_string();
    for line in lines {
        out.push('\n');
        out.push_str(&line[indent(line).min(margin)..]);
    }
    out.into()
}

fn expand_tabs(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let count = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}
