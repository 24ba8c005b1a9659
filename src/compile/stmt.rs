//! Statements: simple ones, branches and loops, and the ways out of blocks.
//!
//! Part of the code generator; `try_with.rs`, `assign.rs`, `function.rs`, ... have the longer statements.
//!
//! Rules:
//! 1. No temporary outlives its statement, apart from those that a surrounding block owns.
//! 2. `unwind` leaves blocks from the inside out: at each, the code that must run runs under the handlers outside it.

use super::scope::ScopeKind;
use super::unit::Block;
use super::{Gen, Res, fail};
use crate::bytecode::ops::{Intrinsic, Op};
use corun_grammar::ast::*;

/// What leaves blocks, for messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    Return,
    Break,
    Continue,
}

impl<'a> Gen<'a> {
    pub fn stmts(&mut self, body: &'a [Stmt]) -> Res {
        for stmt in body {
            let mark = self.u.mark();
            self.stmt(stmt)?;
            self.u.release(mark);
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Res {
        match &stmt.kind {
            StmtKind::Expr(e) => self.expr_stmt(e),
            StmtKind::Assign { targets, value } => self.assign(targets, value),
            StmtKind::AugAssign { target, op, value } => self.aug_assign(stmt, target, *op, value),
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => self.ann_assign(stmt, target, annotation, value.as_deref(), *simple),
            StmtKind::Return(value) => self.return_stmt(stmt, value.as_deref()),
            StmtKind::If { test, body, orelse } => self.if_stmt(test, body, orelse),
            StmtKind::While { test, body, orelse } => self.while_stmt(stmt, test, body, orelse),
            StmtKind::For(f) => self.for_stmt(stmt, f),
            StmtKind::Try(t) => self.try_stmt(stmt, t),
            StmtKind::With {
                items,
                body,
                is_async,
            } => self.with_stmt(stmt, items, body, *is_async),
            StmtKind::FunctionDef(f) => self.function_def(stmt, f),
            StmtKind::ClassDef(c) => self.class_def(stmt, c),
            StmtKind::Match { subject, cases } => self.match_stmt(stmt, subject, cases),
            StmtKind::Raise { exc, cause } => {
                self.raise_stmt(stmt, exc.as_deref(), cause.as_deref())
            }
            StmtKind::Assert { test, msg } => self.assert_stmt(stmt, test, msg.as_deref()),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|t| self.delete(t)),
            StmtKind::Import(names) => self.import(stmt, names),
            StmtKind::ImportFrom {
                module,
                names,
                level,
            } => self.import_from(stmt, module.as_ref(), names, *level),
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => self.type_alias(stmt, name, type_params, value),
            StmtKind::Break => self.break_stmt(stmt.span),
            StmtKind::Continue => self.continue_stmt(stmt.span),
            StmtKind::Pass | StmtKind::Global(_) | StmtKind::Nonlocal(_) => Ok(()),
        }
    }

    fn expr_stmt(&mut self, e: &'a Expr) -> Res {
        if self.interactive && self.scopes.get(self.u.scope).kind == ScopeKind::Module {
            let value = self.owned(e)?;
            self.u.at(e.span);
            self.intrinsic(value.reg, value.reg, Intrinsic::PrintExpr);
            self.u.op(Op::CLEAR, value.reg, 0, 0);
            return Ok(());
        }
        self.effect(e)
    }

    fn raise_stmt(&mut self, stmt: &Stmt, exc: Option<&'a Expr>, cause: Option<&'a Expr>) -> Res {
        let Some(exc) = exc else {
            self.u.at(stmt.span);
            self.u.end_op(Op::RAISE, 0, 0, 0);
            return Ok(());
        };
        let value = self.operand(exc, None)?;
        match cause {
            None => {
                self.u.at(stmt.span);
                self.u.end_op(Op::RAISE, value.reg, 0, 1);
            }
            Some(cause) => {
                let value = self.steady(value, super::expr::operand_name(exc), cause)?;
                let cause = self.operand(cause, None)?;
                self.u.at(stmt.span);
                self.u.end_op(Op::RAISE, value.reg, cause.reg, 2);
            }
        }
        Ok(())
    }

    fn assert_stmt(&mut self, stmt: &Stmt, test: &'a Expr, msg: Option<&'a Expr>) -> Res {
        self.warn_assert(stmt, test);
        if self.opts.optimize > 0 {
            return Ok(());
        }
        let done = self.u.new_label();
        self.jump_if(test, true, done)?;
        let error = self.u.temp()?;
        self.u.at(stmt.span);
        self.u.op(Op::ASSERTERROR, error, 0, 0);
        if let Some(msg) = msg {
            let arg = self.u.temp()?;
            self.expr(msg, arg)?;
            self.u.at(stmt.span);
            self.u.op(Op::CALL, error, error, 1);
        }
        self.u.at(test.span);
        self.u.end_op(Op::RAISE, error, 0, 1);
        self.u.place(done);
        Ok(())
    }

    // ---- branches and loops

    fn if_stmt(&mut self, mut test: &'a Expr, mut body: &'a [Stmt], mut orelse: &'a [Stmt]) -> Res {
        let done = self.u.new_label();
        loop {
            let other = self.u.new_label();
            self.jump_if(test, false, other)?;
            self.stmts(body)?;
            if !orelse.is_empty() {
                self.u.jump(done);
            }
            self.u.place(other);
            match orelse {
                // An `elif`: by a loop, since chains are long.
                [
                    Stmt {
                        kind:
                            StmtKind::If {
                                test: t,
                                body: b,
                                orelse: o,
                            },
                        ..
                    },
                ] => (test, body, orelse) = (t, b, o),
                _ => {
                    self.stmts(orelse)?;
                    break;
                }
            }
        }
        self.u.place(done);
        Ok(())
    }

    fn while_stmt(
        &mut self,
        stmt: &Stmt,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
    ) -> Res {
        let (head, next, end, done) = (
            self.u.new_label(),
            self.u.new_label(),
            self.u.new_label(),
            self.u.new_label(),
        );
        self.u.place_head(head);
        self.jump_if(test, false, end)?;
        self.u.push_block(
            Block::Loop {
                next,
                done,
                iter: None,
            },
            stmt.span,
        )?;
        self.stmts(body)?;
        self.u.blocks.pop();
        self.u.place(next);
        self.u.at(test.span);
        self.u.jump_back(head);
        self.u.place(end);
        self.stmts(orelse)?;
        self.u.place(done);
        Ok(())
    }

    fn for_stmt(&mut self, stmt: &Stmt, f: &'a For) -> Res {
        if f.is_async {
            self.check_async(stmt.span, "async for")?;
        }
        // An async iterator needs the register after it, too.
        let iter = self.u.temps(1 + f.is_async as usize)?;
        let value = self.iterable(&f.iter, Some(iter))?;
        self.get_iterator(value, iter, f.is_async, f.iter.span);
        let (head, next, end, done) = (
            self.u.new_label(),
            self.u.new_label(),
            self.u.new_label(),
            self.u.new_label(),
        );
        self.u.place_head(head);
        self.next_item(&f.target, iter, f.is_async, f.iter.span, end)?;
        self.u.push_block(
            Block::Loop {
                next,
                done,
                iter: Some(iter),
            },
            stmt.span,
        )?;
        self.stmts(&f.body)?;
        self.u.blocks.pop();
        self.u.place(next);
        self.u.at(f.iter.span);
        self.u.jump_back(head);
        self.u.place(end);
        self.u.release(iter as u16);
        self.stmts(&f.orelse)?;
        self.u.place(done);
        Ok(())
    }

    // ---- ways out

    fn return_stmt(&mut self, stmt: &'a Stmt, value: Option<&'a Expr>) -> Res {
        let scope = self.scopes.get(self.u.scope);
        if !scope.kind.is_function() {
            return fail("'return' outside function", stmt.span);
        }
        if value.is_some() && self.u.is_async && scope.generator {
            return fail("'return' with value in async generator", stmt.span);
        }
        self.check_exit(Exit::Return, 0, stmt.span)?;
        let must_run = self
            .u
            .blocks
            .iter()
            .any(|b| !matches!(b, Block::Loop { .. } | Block::Try { .. } | Block::Comp));
        let Some(value) = value else {
            let handler = self.u.asm.current_handler();
            self.unwind(0)?;
            self.u.at(stmt.span);
            self.return_none()?;
            self.u.set_handler(handler);
            return Ok(());
        };
        if !must_run {
            let value = self.operand(value, None)?;
            self.u.at(stmt.span);
            self.return_op(value.reg);
            return Ok(());
        }
        // The value waits in a temporary while the blocks are left.
        let value = self.owned(value)?;
        let handler = self.u.asm.current_handler();
        self.unwind(0)?;
        self.u.at(stmt.span);
        self.return_op(value.reg);
        self.u.set_handler(handler);
        Ok(())
    }

    fn innermost_loop(&self) -> Option<usize> {
        self.u
            .blocks
            .iter()
            .rposition(|b| matches!(b, Block::Loop { .. }))
    }

    fn break_stmt(&mut self, span: Span) -> Res {
        let at = self.innermost_loop();
        self.check_exit(Exit::Break, at.map_or(0, |a| a + 1), span)?;
        let Some(at) = at else {
            return fail("'break' outside loop", span);
        };
        self.u.at(span);
        let handler = self.u.asm.current_handler();
        self.unwind(at + 1)?;
        if let Block::Loop { done, iter, .. } = self.u.blocks[at] {
            self.u.at(span);
            if let Some(iter) = iter {
                self.u.op(Op::CLEAR, iter, 0, 0);
            }
            self.u.jump(done);
        }
        self.u.set_handler(handler);
        Ok(())
    }

    fn continue_stmt(&mut self, span: Span) -> Res {
        let at = self.innermost_loop();
        self.check_exit(Exit::Continue, at.map_or(0, |a| a + 1), span)?;
        let Some(at) = at else {
            return fail("'continue' not properly in loop", span);
        };
        self.u.at(span);
        let handler = self.u.asm.current_handler();
        self.unwind(at + 1)?;
        if let Block::Loop { next, .. } = self.u.blocks[at] {
            self.u.at(span);
            self.u.jump(next);
        }
        self.u.set_handler(handler);
        Ok(())
    }

    /// What may not leave the blocks from `depth` on.
    fn check_exit(&mut self, exit: Exit, depth: usize, span: Span) -> Res {
        for block in self.u.blocks[depth..].iter().rev() {
            if let Block::Star = block {
                return fail(
                    "'break', 'continue' and 'return' cannot appear in an except* block",
                    span,
                );
            }
        }
        if self
            .in_finally
            .iter()
            .any(|&(unit, blocks)| unit == self.u.scope && blocks >= depth)
        {
            let what = match exit {
                Exit::Return => "return",
                Exit::Break => "break",
                Exit::Continue => "continue",
            };
            self.warn(format!("'{what}' in a 'finally' block"), span);
        }
        Ok(())
    }

    /// Runs what must run on the way out of the blocks from `depth` on. The jump that follows is written under the
    /// handlers outside; the caller sets the handler back afterwards.
    fn unwind(&mut self, depth: usize) -> Res {
        if !self.u.live {
            return Ok(());
        }
        let span = self.u.asm.span();
        let mut left = Vec::new();
        while self.u.blocks.len() > depth {
            let Some(block) = self.u.blocks.pop() else {
                break;
            };
            left.push(block);
            self.u.at(span);
            self.leave_block(block)?;
        }
        self.u.blocks.extend(left.into_iter().rev());
        Ok(())
    }

    fn leave_block(&mut self, block: Block<'a>) -> Res {
        match block {
            Block::Loop {
                iter: Some(iter), ..
            } => self.u.op(Op::CLEAR, iter, 0, 0),
            Block::Loop { .. } | Block::Comp | Block::Star => {}
            Block::Try { outer } => self.u.set_handler(outer),
            Block::Finally { body, outer } => {
                self.u.set_handler(outer);
                self.finally_body(body)?;
            }
            Block::FinallyEnd { saved, outer } => {
                self.u.set_handler(outer);
                self.u.op(Op::POPEXC, saved, 0, 0);
                self.u.op(Op::CLEAR, saved + 1, 0, 0);
            }
            Block::Except { saved, name, outer } => {
                self.u.set_handler(outer);
                self.u.op(Op::POPEXC, saved, 0, 0);
                if let Some((name, span)) = name {
                    self.forget_name(name, span)?;
                }
            }
            Block::With {
                exit,
                is_async,
                span,
                outer,
            } => {
                self.u.set_handler(outer);
                let mark = self.u.mark();
                // Above whatever waits to be returned.
                let window = self.u.temps(5)?;
                self.u.at(span);
                self.u.op(Op::MOVET, window, exit, 0);
                self.u.op(Op::MOVET, window + 1, exit + 1, 0);
                self.call_exit(window, window, is_async)?;
                self.u.release(mark);
            }
        }
        Ok(())
    }

    /// The body of a `finally`, once for each way into it.
    pub fn finally_body(&mut self, body: &'a [Stmt]) -> Res {
        self.in_finally.push((self.u.scope, self.u.blocks.len()));
        let result = self.stmts(body);
        self.in_finally.pop();
        result
    }
}
