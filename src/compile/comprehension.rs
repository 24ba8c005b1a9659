//! Comprehensions, inlined into the enclosing code (PEP 709), and generator expressions, which are functions.
//!
//! Part of the expression code.
//!
//! Rules:
//! 1. The first iterable is evaluated outside, in the scope around.
//! 2. The variables have registers of their own. They are cleared at the end, and also when the comprehension fails and
//!    something in this code catches that; so they are unbound whenever a comprehension begins.
//! 3. A variable that an inner function captures gets a new cell for each run of the comprehension.

use super::scope::{Place, Role, ScopeId, flag};
use super::unit::{Block, Opd};
use super::{Gen, Parts, Res, fail};
use crate::bytecode::asm::Label;
use crate::bytecode::flags;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// What the innermost loop does with each element.
#[derive(Clone, Copy)]
enum Element<'a> {
    List(&'a Expr),
    Set(&'a Expr),
    Dict(&'a Expr, &'a Expr),
    Yield(&'a Expr),
}

impl<'a> Gen<'a> {
    pub fn comprehension(&mut self, e: &'a Expr, dst: u8) -> Res {
        let (element, op, generators) = match &e.kind {
            ExprKind::ListComp { elt, generators } => (Element::List(elt), Op::LIST, generators),
            ExprKind::SetComp { elt, generators } => (Element::Set(elt), Op::SET, generators),
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => (Element::Dict(key, value), Op::DICT, generators),
            _ => return Ok(()),
        };
        let Some(id) = self.scopes.of_node(e, Role::Expr) else {
            return fail("comprehension without a scope", e.span);
        };
        if self.scopes.get(id).coroutine && !self.may_await() {
            return fail(
                "asynchronous comprehension outside of an asynchronous function",
                e.span,
            );
        }
        let Some(first) = generators.first() else {
            return Ok(());
        };
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        // An async iterator needs the register after it, too.
        let iter = self.u.temps(1 + first.is_async as usize)?;
        self.first_iterator(first, iter)?;
        let outer_scope = std::mem::replace(&mut self.u.cur, id);
        let slots = self.slots(id);
        let outer_handler = self.u.asm.current_handler();
        // Only if a failure may be caught here do the variables outlive it.
        let cleanup = match outer_handler {
            Some(_) if !slots.is_empty() => {
                let reg = self.u.top as u8;
                Some(self.u.new_handler(reg, iter))
            }
            _ => None,
        };
        if cleanup.is_some() {
            self.u.set_handler(cleanup);
        }
        self.u.push_block(Block::Comp, e.span)?;
        for &(reg, cell) in &slots {
            if cell {
                self.u.op(Op::MAKECELL, reg, 0, 0);
            }
        }
        self.u.at(e.span);
        self.u.op(op, result, result, 0);
        self.loops(generators, 0, iter, element, result)?;
        self.u.blocks.pop();
        self.u.set_handler(outer_handler);
        self.forget_slots(&slots, e.span);
        if let Some(handler) = cleanup {
            let done = self.u.new_label();
            self.u.jump(done);
            let exc = self.u.temp()?;
            self.u.place_handler(handler);
            self.forget_slots(&slots, e.span);
            self.u.end_op(Op::RERAISE, exc, 0, 0);
            self.u.place(done);
        }
        self.u.cur = outer_scope;
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(())
    }

    fn forget_slots(&mut self, slots: &[(u8, bool)], span: Span) {
        self.u.at(span);
        self.u
            .clear_all(slots.iter().map(|s| Opd::temp(s.0)).collect());
        for &(reg, _) in slots {
            self.u.bound.unset(reg);
        }
    }

    /// The registers of the comprehension's variables, and whether they hold cells.
    fn slots(&self, id: ScopeId) -> Vec<(u8, bool)> {
        let mut slots = Vec::new();
        for (_, symbol) in &self.scopes.get(id).table.entries {
            if symbol.flags & flag::BOUND != 0 {
                match symbol.place {
                    Place::Local(reg) => slots.push((reg, false)),
                    Place::Cell(reg) => slots.push((reg, true)),
                    _ => {}
                }
            }
        }
        slots
    }

    fn first_iterator(&mut self, first: &'a Comprehension, iter: u8) -> Res {
        let value = self.iterable(&first.iter, Some(iter))?;
        self.get_iterator(value, iter, first.is_async, first.iter.span);
        Ok(())
    }

    /// What a loop runs over: a list of constants is taken as a tuple.
    pub fn iterable(&mut self, e: &'a Expr, hint: Option<u8>) -> Res<Opd> {
        if let ExprKind::List(_) = &e.kind
            && let Some(value) = self.constant_members(e)
        {
            let reg = match hint {
                Some(reg) => reg,
                None => self.u.temp()?,
            };
            self.u.load_const(reg, value, e.span)?;
            return Ok(Opd {
                reg,
                owned: true,
                heap: false,
            });
        }
        self.operand(e, hint)
    }

    pub fn get_iterator(&mut self, value: Opd, iter: u8, is_async: bool, span: Span) {
        self.u.at(span);
        let op = if is_async { Op::GETAITER } else { Op::GETITER };
        self.u.op(op, iter, value.reg, 0);
        if value.reg != iter {
            self.u.clear(value);
        }
        if is_async {
            // The op's own register begins unbound.
            self.u.op(Op::CLEAR, iter + 1, 0, 0);
        }
    }

    /// The loops from generator `at` on; `iter` holds its iterator.
    fn loops(
        &mut self,
        generators: &'a [Comprehension],
        at: usize,
        iter: u8,
        element: Element<'a>,
        result: u8,
    ) -> Res {
        let generator = &generators[at];
        let mark = self.u.mark();
        let (head, next, end) = (self.u.new_label(), self.u.new_label(), self.u.new_label());
        self.u.place_head(head);
        self.next_item(
            &generator.target,
            iter,
            generator.is_async,
            generator.iter.span,
            end,
        )?;
        self.rest_of_loop(generators, at, element, result, next)?;
        self.u.place(next);
        self.u.jump_back(head);
        self.u.place(end);
        self.u.release(mark);
        Ok(())
    }

    /// Filters, inner loops and the element.
    fn rest_of_loop(
        &mut self,
        generators: &'a [Comprehension],
        at: usize,
        element: Element<'a>,
        result: u8,
        next: Label,
    ) -> Res {
        let mark = self.u.mark();
        for test in &generators[at].ifs {
            self.jump_if(test, false, next)?;
        }
        let Some(inner) = generators.get(at + 1) else {
            self.element(element, result)?;
            self.u.release(mark);
            return Ok(());
        };
        // `for x in [value]` is an assignment.
        if let ExprKind::List(items) | ExprKind::Tuple(items) = &inner.iter.kind
            && let [item] = items.as_slice()
            && !matches!(item.kind, ExprKind::Starred(_))
            && !inner.is_async
        {
            let skip = self.u.new_label();
            self.assign_value(&inner.target, item)?;
            self.rest_of_loop(generators, at + 1, element, result, skip)?;
            self.u.place(skip);
        } else {
            let iter = self.u.temps(1 + inner.is_async as usize)?;
            let value = self.iterable(&inner.iter, Some(iter))?;
            self.get_iterator(value, iter, inner.is_async, inner.iter.span);
            self.loops(generators, at + 1, iter, element, result)?;
        }
        self.u.release(mark);
        Ok(())
    }

    /// The next item of an iterator into a target, or to `end`.
    pub fn next_item(
        &mut self,
        target: &'a Expr,
        iter: u8,
        is_async: bool,
        span: Span,
        end: Label,
    ) -> Res {
        let op = if is_async { Op::ANEXT } else { Op::FORITER };
        if let ExprKind::Name(name) = &target.kind
            && let Some(reg) = self.direct_target(name)
        {
            self.u.at(span);
            self.u.jump_op(op, reg, iter, 0, end);
            self.u.bound.set(reg);
            return Ok(());
        }
        let mark = self.u.mark();
        let item = self.u.temp()?;
        self.u.at(span);
        self.u.jump_op(op, item, iter, 0, end);
        self.store(target, Opd::temp(item))?;
        self.u.release(mark);
        Ok(())
    }

    fn element(&mut self, element: Element<'a>, result: u8) -> Res {
        match element {
            Element::List(e) => self.append(result, e),
            Element::Set(e) => {
                let value = self.operand(e, None)?;
                self.u.at(e.span);
                self.u.op(Op::SETADD, result, value.reg, 0);
                self.u.clear(value);
                Ok(())
            }
            Element::Dict(key, value) => {
                self.dict_item(result, key, value, key.span.to(value.span))
            }
            Element::Yield(e) => {
                let value = self.operand(e, None)?;
                let sent = if value.owned {
                    value.reg
                } else {
                    self.u.temp()?
                };
                self.u.at(e.span);
                let op = if self.u.is_async {
                    Op::AYIELD
                } else {
                    Op::YIELD
                };
                self.u.op(op, sent, value.reg, 0);
                self.u.op(Op::CLEAR, sent, 0, 0);
                Ok(())
            }
        }
    }

    pub fn generator_expression(
        &mut self,
        e: &'a Expr,
        elt: &'a Expr,
        generators: &'a [Comprehension],
        dst: u8,
    ) -> Res<bool> {
        let Some(id) = self.scopes.of_node(e, Role::Expr) else {
            return fail("generator without a scope", e.span);
        };
        let Some(first) = generators.first() else {
            return Ok(false);
        };
        let is_async = self.scopes.get(id).coroutine;
        let name: Name = "<genexpr>".into();
        let qualname = self.child_qualname(&name);
        let outer = self.enter(id, name, qualname);
        // Inside, `await` and `async for` are as in an async generator.
        self.u.is_async = is_async;
        self.u.suspends = true;
        self.prologue();
        let iter = self.u.temps(1 + first.is_async as usize)?;
        self.get_iterator(Opd::local(0), iter, first.is_async, first.iter.span);
        self.loops(generators, 0, iter, Element::Yield(elt), 0)?;
        let kind = if is_async {
            flags::ASYNC_GENERATOR
        } else {
            flags::GENERATOR
        };
        let parts = Parts {
            span: e.span,
            argcount: 1,
            ..Parts::default()
        };
        let code = self.leave(outer, kind | flags::OPTIMIZED | flags::NEWLOCALS, parts)?;
        let mark = self.u.mark();
        let window = self.u.window(dst, 2)?;
        self.make_function(code, 0, window, window, e.span)?;
        let value = self.iterable(&first.iter, Some(window + 1))?;
        self.u.at(e.span);
        self.u.move_to(window + 1, value);
        self.u.op(Op::CALL, dst, window, 1);
        self.u.release(mark);
        Ok(true)
    }
}
