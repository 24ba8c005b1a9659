//! `try` in all its forms, and `with`.
//!
//! Part of the statement code. Nothing is paid on the way that raises nothing: handlers are table rows.
//!
//! ```text
//! base      what the handled exception was before (PUSHEXC ... POPEXC)
//! base + 1  the exception, where its row says
//! base + 2  temporaries of the handler
//! ```
//!
//! Rules:
//! 1. A handler runs under a clean-up row: a new exception restores the handled one and goes on.
//! 2. A `finally` body is written once for each way into it, as in CPython.
//! 3. `with`: the exit method is looked up before the enter method is; its pair of registers lives below the body's temporaries.

use super::unit::{Block, Opd};
use super::{Gen, Res, fail};
use crate::bytecode::asm::{HandlerId, Label};
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    pub fn try_stmt(&mut self, stmt: &'a Stmt, t: &'a Try) -> Res {
        if t.finalbody.is_empty() {
            return self.try_except(stmt, t);
        }
        let base = self.u.top;
        let outer = self.u.asm.current_handler();
        let saved = self.u.temps(2)?;
        self.u.release(base);
        let handler = self.u.new_handler(saved + 1, saved);
        self.u.push_block(
            Block::Finally {
                body: &t.finalbody,
                outer,
            },
            stmt.span,
        )?;
        self.u.set_handler(Some(handler));
        if t.handlers.is_empty() {
            self.stmts(&t.body)?;
            self.stmts(&t.orelse)?;
        } else {
            self.try_except(stmt, t)?;
        }
        self.u.blocks.pop();
        self.u.set_handler(outer);
        self.finally_body(&t.finalbody)?;
        let done = self.u.new_label();
        self.u.jump(done);

        self.u.place_handler(handler);
        if !self.u.live {
            // Nothing can raise: the copy above is the only one. Nested ones would double each time.
            self.u.place(done);
            return Ok(());
        }
        self.u.temps(2)?;
        self.u.at(stmt.span);
        self.u.op(Op::PUSHEXC, saved, saved + 1, 0);
        let cleanup = self.u.new_handler(saved + 1, saved + 1);
        self.u
            .push_block(Block::FinallyEnd { saved, outer }, stmt.span)?;
        self.u.set_handler(Some(cleanup));
        self.finally_body(&t.finalbody)?;
        self.u.blocks.pop();
        self.u.set_handler(outer);
        self.reraise(saved);
        self.u.place_handler(cleanup);
        self.reraise(saved);
        self.u.release(base);
        self.u.place(done);
        Ok(())
    }

    /// Back to the exception handled before, and on with the one in the register after it.
    fn reraise(&mut self, saved: u8) {
        self.u.op(Op::POPEXC, saved, 0, 0);
        self.u.end_op(Op::RERAISE, saved + 1, 0, 0);
    }

    fn try_except(&mut self, stmt: &'a Stmt, t: &'a Try) -> Res {
        let base = self.u.top;
        let outer = self.u.asm.current_handler();
        let saved = self.u.temps(2)?;
        self.u.release(base);
        let handler = self.u.new_handler(saved + 1, saved);
        self.u.push_block(Block::Try { outer }, stmt.span)?;
        self.u.set_handler(Some(handler));
        self.stmts(&t.body)?;
        self.u.blocks.pop();
        self.u.set_handler(outer);
        self.stmts(&t.orelse)?;
        let done = self.u.new_label();
        self.u.jump(done);

        self.u.place_handler(handler);
        self.u.temps(2)?;
        self.u.at(stmt.span);
        self.u.op(Op::PUSHEXC, saved, saved + 1, 0);
        let cleanup = self.u.new_handler(saved + 1, saved + 1);
        self.u.set_handler(Some(cleanup));
        if t.is_star {
            self.star_clauses(t, saved, outer, done)?;
        } else {
            for (i, clause) in t.handlers.iter().enumerate() {
                if clause.typ.is_none() && i + 1 < t.handlers.len() {
                    return fail("default 'except:' must be last", clause.span);
                }
                self.clause(clause, saved, outer, cleanup, done)?;
            }
            self.u.at(stmt.span);
            self.u.set_handler(outer);
            self.reraise(saved);
        }
        self.u.set_handler(outer);
        self.u.place_handler(cleanup);
        self.u.at(stmt.span);
        self.reraise(saved);
        self.u.release(base);
        self.u.place(done);
        Ok(())
    }

    /// One `except`: falls through to the next clause if it does not match.
    fn clause(
        &mut self,
        clause: &'a ExceptHandler,
        saved: u8,
        outer: Option<HandlerId>,
        cleanup: HandlerId,
        done: Label,
    ) -> Res {
        let exc = saved + 1;
        let mark = self.u.mark();
        let next = self.u.new_label();
        let mut tested = None;
        if let Some(typ) = &clause.typ {
            let class = self.operand(typ, None)?;
            self.u.at(clause.span);
            self.u.jump_op(Op::JNOMATCH, exc, class.reg, 0, next);
            self.u.clear(class);
            tested = Some(class);
        }
        self.u.release(mark);
        let name = clause.name.as_ref().map(|n| (&n.name, n.span));
        self.u
            .push_block(Block::Except { saved, name, outer }, clause.span)?;
        let mut own_cleanup = None;
        match name {
            None => {
                self.u.at(clause.span);
                self.u.op(Op::CLEAR, exc, 0, 0);
            }
            Some((name, span)) => {
                self.store_name(name, Opd::temp(exc), span)?;
                // A new exception deletes the name, too.
                let handler = self.u.new_handler(exc, exc);
                self.u.set_handler(Some(handler));
                own_cleanup = Some(handler);
            }
        }
        self.u.release(exc as u16);
        self.stmts(&clause.body)?;
        self.u.blocks.pop();
        self.u.set_handler(outer);
        self.u.op(Op::POPEXC, saved, 0, 0);
        if let Some((name, span)) = name {
            self.forget_name(name, span)?;
        }
        self.u.jump(done);
        self.u.release(mark);
        if let (Some(handler), Some((name, span))) = (own_cleanup, name) {
            self.u.set_handler(Some(cleanup));
            self.u.place_handler(handler);
            self.forget_name(name, span)?;
            self.u.set_handler(outer);
            self.reraise(saved);
        }
        self.u.set_handler(Some(cleanup));
        self.u.place(next);
        if let Some(class) = tested {
            self.u.clear(class);
        }
        Ok(())
    }

    /// `except*`: each clause takes its part of the group; what is left over or raised is raised at the end.
    fn star_clauses(
        &mut self,
        t: &'a Try,
        saved: u8,
        outer: Option<HandlerId>,
        done: Label,
    ) -> Res {
        let exc = saved + 1;
        let list = self.u.temp()?;
        let rest = self.u.temp()?;
        self.u.op(Op::LIST, list, list, 0);
        self.u.op(Op::MOVE, rest, exc, 0);
        let outside = self.u.asm.current_handler();
        for clause in &t.handlers {
            let Some(typ) = &clause.typ else {
                return fail("expected one or more exception types", clause.span);
            };
            let mark = self.u.mark();
            let next = self.u.new_label();
            // The match, then what is left.
            let pair = self.u.temps(2)?;
            let class = self.operand(typ, None)?;
            self.u.at(clause.span);
            self.u.op(Op::EGMATCH, pair, rest, class.reg);
            self.u.clear(class);
            self.u.op(Op::MOVET, rest, pair + 1, 0);
            let test = pair + 1;
            self.u.op(Op::MOVE, test, pair, 0);
            self.u.jump_op(Op::JNONE, test, 0, 0, next);
            self.u.release(pair as u16);

            // The match is what the body handles.
            let inner = self.u.temps(2)?;
            let before = inner + 1;
            self.u.op(Op::PUSHEXC, before, inner, 0);
            let name = clause.name.as_ref();
            match name {
                Some(n) => self.store_name(&n.name, Opd::temp(inner), n.span)?,
                None => self.u.op(Op::CLEAR, inner, 0, 0),
            }
            let handler = self.u.new_handler(inner, before + 1);
            self.u.push_block(Block::Star, clause.span)?;
            self.u.set_handler(Some(handler));
            self.stmts(&clause.body)?;
            self.u.set_handler(outside);
            self.u.blocks.pop();
            self.u.op(Op::POPEXC, before, 0, 0);
            if let Some(n) = name {
                self.forget_name(&n.name, n.span)?;
            }
            self.u.jump(next);

            self.u.place_handler(handler);
            self.u.op(Op::POPEXC, before, 0, 0);
            if let Some(n) = name {
                self.forget_name(&n.name, n.span)?;
            }
            self.u.op(Op::LISTAPPENDT, list, inner, 0);
            self.u.place(next);
            self.u.release(mark);
        }
        let test = self.u.temp()?;
        let (whole, raise) = (self.u.new_label(), self.u.new_label());
        self.u.op(Op::MOVE, test, rest, 0);
        self.u.jump_op(Op::JNONE, test, 0, 0, whole);
        self.u.op(Op::LISTAPPENDT, list, rest, 0);
        self.u.place(whole);
        // The result takes the place of the left-over.
        self.u.op(Op::EGRERAISE, rest, exc, list);
        self.u.op(Op::CLEAR, list, 0, 0);
        self.u.op(Op::MOVE, test, rest, 0);
        self.u.jump_op(Op::JNOTNONE, test, 0, 0, raise);
        self.u.set_handler(outer);
        self.u.op(Op::POPEXC, saved, 0, 0);
        self.u.op(Op::CLEAR, exc, 0, 0);
        self.u.jump(done);
        self.u.place(raise);
        self.u.op(Op::MOVET, exc, rest, 0);
        self.reraise(saved);
        Ok(())
    }

    // ---- with

    pub fn with_stmt(
        &mut self,
        stmt: &'a Stmt,
        items: &'a [WithItem],
        body: &'a [Stmt],
        is_async: bool,
    ) -> Res {
        if is_async {
            self.check_async(stmt.span, "async with")?;
        }
        self.with_items(stmt, items, body, is_async)
    }

    fn with_items(
        &mut self,
        stmt: &'a Stmt,
        items: &'a [WithItem],
        body: &'a [Stmt],
        is_async: bool,
    ) -> Res {
        let Some((item, rest)) = items.split_first() else {
            return self.stmts(body);
        };
        let base = self.u.top;
        let span = item.context.span;
        let outer = self.u.asm.current_handler();
        let exit = self.u.temps(2)?;
        // The manager, then the enter method's pair, then the value entered.
        let enter = self.u.temp()?;
        let manager = self.operand(&item.context, Some(enter))?;
        self.u.temp()?;
        self.u.at(span);
        let (exit_kind, enter_kind) = if is_async { (3, 2) } else { (1, 0) };
        self.u.op(Op::WITHSPECIAL, exit, manager.reg, exit_kind);
        self.u.op(Op::WITHSPECIAL, enter, manager.reg, enter_kind);
        self.u.op(Op::CALLM, enter, enter, 0);
        if is_async {
            // The pair for awaiting: the result, the awaitable.
            self.u.op(Op::AWAITABLE, enter + 1, enter, 1);
            self.u.op(Op::LOADNONE, enter, 0, 0);
            self.u.op(Op::SEND, enter, enter + 1, 0);
        }
        let handler = self.u.new_handler(exit + 3, exit + 2);
        self.u.set_handler(Some(handler));
        self.u.push_block(
            Block::With {
                exit,
                is_async,
                span,
                outer,
            },
            stmt.span,
        )?;
        match &item.vars {
            Some(vars) => self.store(vars, Opd::temp(enter))?,
            None => self.u.op(Op::CLEAR, enter, 0, 0),
        }
        self.u.release(enter as u16);
        self.with_items(stmt, rest, body, is_async)?;
        self.u.blocks.pop();
        self.u.set_handler(outer);
        self.u.at(span);
        self.u.temps(3)?;
        self.call_exit(exit, exit, is_async)?;
        let done = self.u.new_label();
        self.u.jump(done);

        self.u.place_handler(handler);
        self.u.at(span);
        self.handle_in_with(exit, is_async, outer, done)?;
        self.u.release(base);
        self.u.place(done);
        Ok(())
    }

    /// Calls the exit method in the window with three Nones and drops its result.
    pub fn call_exit(&mut self, dst: u8, window: u8, is_async: bool) -> Res {
        for i in 2..5 {
            self.u.op(Op::LOADNONE, window + i, 0, 0);
        }
        self.u.op(Op::CALLM, dst, window, 3);
        if is_async {
            self.u.op(Op::AWAITABLE, dst + 1, dst, 2);
            self.u.op(Op::LOADNONE, dst, 0, 0);
            self.u.op(Op::SEND, dst, dst + 1, 0);
        }
        self.u.op(Op::CLEAR, dst, 0, 0);
        Ok(())
    }

    /// The exit method sees the exception and may swallow it.
    fn handle_in_with(
        &mut self,
        exit: u8,
        is_async: bool,
        outer: Option<HandlerId>,
        done: Label,
    ) -> Res {
        let (saved, exc) = (exit + 2, exit + 3);
        self.u.release(exit as u16 + 4);
        let result = self.u.temps(2)?;
        self.u.op(Op::PUSHEXC, saved, exc, 0);
        let cleanup = self.u.new_handler(exc, exc);
        self.u.set_handler(Some(cleanup));
        self.u.op(Op::WITHEXCEPT, result, exit, exc);
        if is_async {
            self.u.op(Op::AWAITABLE, result + 1, result, 2);
            self.u.op(Op::LOADNONE, result, 0, 0);
            self.u.op(Op::SEND, result, result + 1, 0);
        }
        let swallow = self.u.new_label();
        self.u.jump_op(Op::JT, result, 0, 0, swallow);
        self.u.set_handler(outer);
        self.reraise(saved);
        self.u.place(swallow);
        self.u.op(Op::POPEXC, saved, 0, 0);
        self.u.clear_range(exc, 1);
        self.u.clear_range(exit, 2);
        self.u.jump(done);
        self.u.place_handler(cleanup);
        self.reraise(saved);
        Ok(())
    }
}
