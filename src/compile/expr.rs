//! Expressions: values into registers.
//!
//! The heart of the code generator. `expr` puts a value into a given register, `operand` gives it wherever it is
//! cheapest (a local is read in place), `effect` drops it; conditions are in `cond.rs`.
//!
//! Rules:
//! 1. `dst` is a temporary that is free to scribble on, or a local that only the last op may write.
//! 2. Chains that lean left (operators, attributes, subscripts, calls) are walked by a loop over `spine`, each step
//!    leaving its result in the same temporary.

use super::fold;
use super::names::is_simple;
use super::unit::Opd;
use super::{Gen, Res, fail};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;
use num_traits::ToPrimitive;

/// The value that a chain has reached.
enum Reached {
    Const(Const, Span),
    Value(Opd),
}

impl<'a> Gen<'a> {
    pub fn debug(&self) -> bool {
        self.opts.optimize == 0
    }

    pub fn fold(&self, e: &Expr) -> Option<Const> {
        fold::fold(e, self.debug())
    }

    /// The value somewhere: a local in place, or a temporary (`hint` if that is one).
    pub fn operand(&mut self, e: &'a Expr, hint: Option<u8>) -> Res<Opd> {
        match &e.kind {
            ExprKind::Name(name) if name.as_ref() != "__debug__" => self.name_operand(name, e.span, hint),
            ExprKind::NamedExpr { target, value } if self.named_register(target).is_some() => {
                let reg = self.named_register(target).unwrap_or(0);
                self.expr(value, reg)?;
                self.u.bound.set(reg);
                Ok(Opd::local(reg))
            }
            _ => {
                let reg = match hint {
                    Some(reg) if self.u.is_temp(reg) => reg,
                    _ => self.u.temp()?,
                };
                let heap = self.expr(e, reg)?;
                Ok(Opd { reg, owned: true, heap })
            }
        }
    }

    fn named_register(&self, target: &Expr) -> Option<u8> {
        match &target.kind {
            ExprKind::Name(name) => self.direct_target(name),
            _ => None,
        }
    }

    /// The value in a fresh temporary, even if it is a local's.
    pub fn owned(&mut self, e: &'a Expr) -> Res<Opd> {
        let reg = self.u.temp()?;
        let heap = self.expr(e, reg)?;
        Ok(Opd { reg, owned: true, heap })
    }

    /// Evaluates and drops.
    pub fn effect(&mut self, e: &'a Expr) -> Res {
        let mark = self.u.mark();
        match &e.kind {
            ExprKind::Constant(_) => {}
            ExprKind::BoolOp { op, values } => {
                let done = self.u.new_label();
                if let Some((last, rest)) = values.split_last() {
                    for value in rest {
                        self.jump_if(value, *op == BoolOp::Or, done)?;
                    }
                    self.effect(last)?;
                }
                self.u.place(done);
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (other, done) = (self.u.new_label(), self.u.new_label());
                self.jump_if(test, false, other)?;
                self.effect(body)?;
                self.u.jump(done);
                self.u.place(other);
                self.effect(orelse)?;
                self.u.place(done);
            }
            _ => {
                let value = self.operand(e, None)?;
                self.u.clear(value);
            }
        }
        self.u.release(mark);
        Ok(())
    }

    /// The value into `dst`. True if it may be a heap object.
    pub fn expr(&mut self, e: &'a Expr, dst: u8) -> Res<bool> {
        match &e.kind {
            ExprKind::Constant(c) => {
                self.u.load_const(dst, fold::of_constant(c), e.span)?;
                Ok(false)
            }
            ExprKind::Name(name) => {
                if name.as_ref() == "__debug__" {
                    let value = if self.debug() { Const::True } else { Const::False };
                    self.u.load_const(dst, value, e.span)?;
                    return Ok(false);
                }
                self.load_name(name, e.span, dst)?;
                Ok(true)
            }
            ExprKind::BinOp { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } | ExprKind::Call { .. } => {
                self.chain(e, dst)
            }
            ExprKind::BoolOp { op, values } => self.bool_value(*op, values, dst),
            ExprKind::Compare { left, ops, comparators } => self.compare_value(e, left, ops, comparators, dst),
            ExprKind::UnaryOp { op, operand } => self.unary(e, *op, operand, dst),
            ExprKind::IfExp { test, body, orelse } => self.if_value(test, body, orelse, dst),
            ExprKind::NamedExpr { target, value } => self.named_value(target, value, dst),
            ExprKind::Tuple(items) => self.tuple(e, items, dst),
            ExprKind::List(items) => self.list(e, items, dst),
            ExprKind::Set(items) => self.set(e, items, dst),
            ExprKind::Dict { keys, values } => self.dict(e, keys, values, dst),
            ExprKind::Lambda { args, body } => self.lambda(e, args, body, dst),
            ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => {
                self.comprehension(e, dst)?;
                Ok(true)
            }
            ExprKind::GeneratorExp { elt, generators } => self.generator_expression(e, elt, generators, dst),
            ExprKind::Await(value) => self.await_value(e, value, dst),
            ExprKind::Yield(value) => self.yield_value(e, value.as_deref(), dst),
            ExprKind::YieldFrom(value) => self.yield_from(e, value, dst),
            ExprKind::JoinedStr(parts) => self.joined_str(e, parts, dst),
            ExprKind::FormattedValue { .. } => self.formatted_value(e, dst),
            ExprKind::TemplateStr(parts) => self.template(e, parts, dst),
            ExprKind::Interpolation { .. } => fail("interpolation outside a template string", e.span),
            ExprKind::Slice { lower, upper, step } => {
                self.slice_value(e, lower.as_deref(), upper.as_deref(), step.as_deref(), dst)
            }
            ExprKind::Starred(_) => fail("can't use starred expression here", e.span),
        }
    }

    // ---- chains

    fn chain(&mut self, e: &'a Expr, dst: u8) -> Res<bool> {
        let base = self.spine.len();
        let mark = self.u.mark();
        let mut leaf = e;
        loop {
            let next = match &leaf.kind {
                ExprKind::BinOp { left: next, .. }
                | ExprKind::Attribute { value: next, .. }
                | ExprKind::Subscript { value: next, .. } => next,
                ExprKind::Call { func: next, .. } => next,
                _ => break,
            };
            self.spine.push(leaf);
            leaf = next;
        }
        // Where the steps before the last leave their results.
        let mut scratch = self.u.is_temp(dst).then_some(dst);
        let mut name = operand_name(leaf);
        let mut reached = self.chain_start(leaf, base, &mut scratch)?;
        while self.spine.len() > base {
            let Some(node) = self.spine.pop() else { break };
            let above = if self.spine.len() > base { self.spine.last().copied() } else { None };
            if let (Reached::Const(left, _), ExprKind::BinOp { op, right, .. }) = (&reached, &node.kind)
                && let Some(right) = self.fold(right)
                && let Some(value) = fold::binary(*op, left, &right)
            {
                reached = Reached::Const(value, node.span);
                continue;
            }
            if let (Reached::Const(..), ExprKind::Subscript { .. }) = (&reached, &node.kind)
                && is_constant(leaf)
                && let Some(value) = self.fold(node)
            {
                reached = Reached::Const(value, node.span);
                continue;
            }
            let value = self.reached(reached, &mut scratch)?;
            // A method call is two nodes.
            if let (ExprKind::Attribute { attr, .. }, Some(call)) = (&node.kind, above)
                && let ExprKind::Call { args, keywords, .. } = &call.kind
                && self.method_call_fits(args, keywords)
            {
                self.spine.pop();
                let out = self.step_target(base, dst, &mut scratch)?;
                self.call_method(call, node, value, attr, args, keywords, out)?;
                reached = Reached::Value(Opd { reg: out, owned: self.u.is_temp(out), heap: true });
            } else {
                let out = self.step_target(base, dst, &mut scratch)?;
                let value = match &node.kind {
                    ExprKind::BinOp { right: later, .. } | ExprKind::Subscript { index: later, .. } => {
                        self.steady(value, name, later)?
                    }
                    _ => value,
                };
                let inner = self.u.mark();
                match &node.kind {
                    ExprKind::BinOp { op, right, .. } => self.binary_step(node, *op, value, right, out)?,
                    ExprKind::Attribute { attr, .. } => self.attribute_step(node, attr, value, out)?,
                    ExprKind::Subscript { index, .. } => self.subscript_step(node, value, index, out)?,
                    ExprKind::Call { args, keywords, .. } => self.call_value(node, value, args, keywords, out)?,
                    _ => {}
                }
                self.u.release(inner);
                reached = Reached::Value(Opd { reg: out, owned: self.u.is_temp(out), heap: true });
            }
            name = None;
        }
        let heap = match reached {
            Reached::Const(value, span) => {
                self.u.load_const(dst, value, span)?;
                false
            }
            Reached::Value(opd) => {
                self.u.move_to(dst, opd);
                true
            }
        };
        self.u.release(mark);
        Ok(heap)
    }

    /// The innermost value: a constant, a local in place, `super().name`, or whatever else.
    fn chain_start(&mut self, leaf: &'a Expr, base: usize, scratch: &mut Option<u8>) -> Res<Reached> {
        if let [.., first] = &self.spine[base..] {
            let first = *first;
            self.warn_leaf(first, leaf);
        }
        if let Some(value) = self.fold(leaf) {
            return Ok(Reached::Const(value, leaf.span));
        }
        if let ExprKind::Name(name) = &leaf.kind
            && name.as_ref() == "super"
            && let Some(value) = self.super_access(leaf, base, scratch)?
        {
            return Ok(Reached::Value(value));
        }
        if scratch.is_none() && !matches!(leaf.kind, ExprKind::Name(_)) {
            *scratch = Some(self.u.temp()?);
        }
        let value = self.operand(leaf, *scratch)?;
        if value.owned {
            *scratch = Some(value.reg);
        }
        Ok(Reached::Value(value))
    }

    fn reached(&mut self, reached: Reached, scratch: &mut Option<u8>) -> Res<Opd> {
        match reached {
            Reached::Value(opd) => Ok(opd),
            Reached::Const(value, span) => {
                let reg = self.scratch_register(scratch)?;
                self.u.load_const(reg, value, span)?;
                Ok(Opd { reg, owned: true, heap: false })
            }
        }
    }

    fn scratch_register(&mut self, scratch: &mut Option<u8>) -> Res<u8> {
        let reg = match *scratch {
            Some(reg) => reg,
            None => self.u.temp()?,
        };
        *scratch = Some(reg);
        Ok(reg)
    }

    /// Where the next step's result goes: `dst` if it is the last step.
    pub fn step_target(&mut self, base: usize, dst: u8, scratch: &mut Option<u8>) -> Res<u8> {
        if self.spine.len() == base { Ok(dst) } else { self.scratch_register(scratch) }
    }

    fn binary_step(&mut self, node: &Expr, op: BinOp, left: Opd, right: &'a Expr, out: u8) -> Res {
        if let Some(imm) = self.small_int(right)
            && let Some(op) = immediate_op(op)
        {
            self.u.at(node.span);
            self.u.op(op, out, left.reg, imm as u8);
            return Ok(());
        }
        let right = self.operand(right, None)?;
        self.u.at(node.span);
        self.u.op(binary_op(op), out, left.reg, right.reg);
        Ok(())
    }

    /// A constant int that fits an immediate operand.
    pub fn small_int(&self, e: &Expr) -> Option<i8> {
        match &e.kind {
            ExprKind::Constant(Constant::Int(n)) => n.to_i8(),
            ExprKind::UnaryOp { .. } => match self.fold(e)? {
                Const::Int(n) => n.to_i8(),
                _ => None,
            },
            _ => None,
        }
    }

    fn attribute_step(&mut self, node: &Expr, attr: &Ident, value: Opd, out: u8) -> Res {
        let n = self.name_index(&attr.name, attr.span)?;
        self.u.at(self.attribute_span(node.span, attr));
        self.u.op_x(Op::LOADATTR, out, value.reg, 0, n as u32);
        if value.reg != out {
            self.u.clear(value);
        }
        Ok(())
    }

    /// An attribute on a later line than the start of its expression is reported on its own line, as in CPython.
    pub fn attribute_span(&self, span: Span, attr: &Ident) -> Span {
        // Line ends are rare in attribute chains: look at the text between instead of searching the line table.
        let between = self.source.text.as_bytes().get(span.start as usize..attr.span.end as usize).unwrap_or(&[]);
        if !between.contains(&b'\n') {
            return span;
        }
        let rest = self.source.text.as_bytes().get(attr.span.end as usize..span.end as usize).unwrap_or(&[]);
        let end = if rest.contains(&b'\n') { span.end } else { attr.span.end };
        Span { start: attr.span.start, end }
    }

    fn subscript_step(&mut self, node: &Expr, value: Opd, index: &'a Expr, out: u8) -> Res {
        if let ExprKind::Slice { lower, upper, step: None } = &index.kind {
            let pair = self.u.temps(2)?;
            let low = self.expr_or_none(lower.as_deref(), pair, index.span)?;
            let high = self.expr_or_none(upper.as_deref(), pair + 1, index.span)?;
            self.u.at(node.span);
            self.u.op(Op::LOADSLICE, out, value.reg, pair);
            let mut dead = Vec::new();
            if value.reg != out {
                dead.push(value);
            }
            dead.push(Opd { reg: pair, owned: true, heap: low });
            dead.push(Opd { reg: pair + 1, owned: true, heap: high });
            self.u.clear_all(dead);
            return Ok(());
        }
        let index = self.operand(index, None)?;
        self.u.at(node.span);
        self.u.op(Op::LOADITEM, out, value.reg, index.reg);
        if value.reg != out {
            self.u.clear(value);
        }
        Ok(())
    }

    pub fn expr_or_none(&mut self, e: Option<&'a Expr>, dst: u8, span: Span) -> Res<bool> {
        match e {
            Some(e) => self.expr(e, dst),
            None => {
                self.u.at(span);
                self.u.op(Op::LOADNONE, dst, 0, 0);
                Ok(false)
            }
        }
    }

    fn slice_value(
        &mut self,
        e: &Expr,
        lower: Option<&'a Expr>,
        upper: Option<&'a Expr>,
        step: Option<&'a Expr>,
        dst: u8,
    ) -> Res<bool> {
        let mark = self.u.mark();
        let window = self.u.window(dst, 3)?;
        let mut parts = Vec::with_capacity(3);
        for (i, part) in [lower, upper, step].into_iter().enumerate() {
            let reg = window + i as u8;
            let heap = self.expr_or_none(part, reg, e.span)?;
            parts.push(Opd { reg, owned: reg != dst, heap });
        }
        self.u.at(e.span);
        self.u.op(Op::BUILDSLICE, dst, window, 0);
        self.u.clear_all(parts);
        self.u.release(mark);
        Ok(true)
    }

    // ---- operators outside chains

    fn unary(&mut self, e: &'a Expr, op: UnaryOp, operand: &'a Expr, dst: u8) -> Res<bool> {
        if let Some(value) = self.fold(e) {
            self.u.load_const(dst, value, e.span)?;
            return Ok(false);
        }
        if op == UnaryOp::Not
            && let ExprKind::Compare { left, ops, comparators } = &operand.kind
            && let ([inverse], [right]) = (ops.as_slice(), comparators.as_slice())
            && let Some(inverse) = inverted(*inverse)
        {
            self.warn_compare(operand, left, &[inverse], comparators);
            return self.compare_once(operand.span, left, inverse, right, dst);
        }
        let mark = self.u.mark();
        let value = self.operand(operand, Some(dst))?;
        self.u.at(e.span);
        let code = match op {
            UnaryOp::Not => Op::NOT,
            UnaryOp::Invert => Op::INVERT,
            UnaryOp::UAdd => Op::POS,
            UnaryOp::USub => Op::NEG,
        };
        self.u.op(code, dst, value.reg, 0);
        self.u.release(mark);
        Ok(op != UnaryOp::Not)
    }

    fn compare_value(&mut self, e: &'a Expr, left: &'a Expr, ops: &[CmpOp], rest: &'a [Expr], dst: u8) -> Res<bool> {
        self.warn_compare(e, left, ops, rest);
        if let ([op], [right]) = (ops, rest) {
            return self.compare_once(e.span, left, *op, right, dst);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let done = self.u.new_label();
        // Two places for operands in turn, one for the copy of the middle one.
        let slots = self.u.temps(3)?;
        let mut value = self.operand(left, Some(slots))?;
        let mut name = operand_name(left);
        let mut ends = Vec::new();
        let inner = self.u.mark();
        for (i, (op, right)) in ops.iter().zip(rest).enumerate() {
            value = self.steady(value, name, right)?;
            let last = i + 1 == ops.len();
            let right_value = self.comparand(*op, right, Some(slots + ((i + 1) % 2) as u8))?;
            self.u.at(e.span);
            // The op releases its operands, but the middle one is needed again.
            let shared = if !last && right_value.owned {
                self.u.op(Op::MOVE, slots + 2, right_value.reg, 0);
                slots + 2
            } else {
                right_value.reg
            };
            self.u.op(compare_op(*op), result, value.reg, shared);
            if !last && shared != right_value.reg {
                // False already: the middle value dies at the end.
                let end = self.u.new_label();
                self.u.jump_op(Op::JFK, result, 0, 0, end);
                ends.push((end, right_value));
            } else if !last {
                self.u.jump_op(Op::JFK, result, 0, 0, done);
            }
            value = right_value;
            name = operand_name(right);
            self.u.release(inner);
        }
        if !ends.is_empty() {
            self.u.jump(done);
        }
        for (end, middle) in ends {
            self.u.place(end);
            self.u.clear(middle);
            self.u.jump(done);
        }
        self.u.place(done);
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(true)
    }

    /// `a op b`, once.
    fn compare_once(&mut self, span: Span, left: &'a Expr, op: CmpOp, right: &'a Expr, dst: u8) -> Res<bool> {
        let mark = self.u.mark();
        let value = self.operand(left, Some(dst))?;
        let value = self.steady(value, operand_name(left), right)?;
        let right = self.comparand(op, right, None)?;
        self.u.at(span);
        self.u.op(compare_op(op), dst, value.reg, right.reg);
        self.u.release(mark);
        Ok(!matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn))
    }

    /// The right side of a comparison. `x in [constants]` looks into a constant.
    pub fn comparand(&mut self, op: CmpOp, e: &'a Expr, hint: Option<u8>) -> Res<Opd> {
        if matches!(op, CmpOp::In | CmpOp::NotIn)
            && let Some(value) = self.constant_members(e)
        {
            let reg = match hint {
                Some(reg) => reg,
                None => self.u.temp()?,
            };
            self.u.load_const(reg, value, e.span)?;
            return Ok(Opd { reg, owned: true, heap: false });
        }
        self.operand(e, hint)
    }

    /// A list or set display of constants, as a constant of the immutable kind.
    pub fn constant_members(&self, e: &Expr) -> Option<Const> {
        let (items, set) = match &e.kind {
            ExprKind::List(items) => (items, false),
            ExprKind::Set(items) => (items, true),
            _ => return None,
        };
        let items = items.iter().map(|i| self.fold(i)).collect::<Option<Vec<_>>>()?;
        Some(if set { Const::FrozenSet(items) } else { Const::Tuple(items) })
    }

    fn bool_value(&mut self, op: BoolOp, values: &'a [Expr], dst: u8) -> Res<bool> {
        let Some((last, rest)) = values.split_last() else { return Ok(false) };
        let keep = if op == BoolOp::Or { Op::JTK } else { Op::JFK };
        // `x = x or default`
        if let [Expr { kind: ExprKind::Name(name), span }] = rest
            && self.direct_target(name) == Some(dst)
        {
            let done = self.u.new_label();
            self.check_local(dst, *span);
            self.u.at(*span);
            self.u.jump_op(if op == BoolOp::Or { Op::JT } else { Op::JF }, dst, 0, 0, done);
            self.expr(last, dst)?;
            self.u.place(done);
            return Ok(true);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let done = self.u.new_label();
        let mut heap = false;
        for value in rest {
            if let Some(constant) = self.fold(value) {
                if fold::truth(&constant) == (op == BoolOp::And) {
                    continue;
                }
                self.u.load_const(result, constant, value.span)?;
                self.u.jump(done);
                break;
            }
            heap |= self.expr(value, result)?;
            self.u.at(value.span);
            self.u.jump_op(keep, result, 0, 0, done);
        }
        heap |= self.expr(last, result)?;
        self.u.place(done);
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(heap)
    }

    fn if_value(&mut self, test: &'a Expr, body: &'a Expr, orelse: &'a Expr, dst: u8) -> Res<bool> {
        let (other, done) = (self.u.new_label(), self.u.new_label());
        self.jump_if(test, false, other)?;
        let mut heap = self.expr(body, dst)?;
        self.u.jump(done);
        self.u.place(other);
        heap |= self.expr(orelse, dst)?;
        self.u.place(done);
        Ok(heap)
    }

    fn named_value(&mut self, target: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        let ExprKind::Name(name) = &target.kind else { return fail("cannot use assignment expressions here", target.span) };
        if let Some(reg) = self.direct_target(name) {
            let heap = self.expr(value, reg)?;
            self.u.bound.set(reg);
            self.u.move_to(dst, Opd::local(reg));
            return Ok(heap);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let heap = self.expr(value, result)?;
        self.store_name(name, Opd { reg: result, owned: false, heap: false }, target.span)?;
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(heap)
    }

    // ---- suspension

    fn await_value(&mut self, e: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        self.check_await(e.span)?;
        let mark = self.u.mark();
        let pair = self.u.window(dst, 2)?;
        let value = self.operand(value, Some(pair + 1))?;
        self.u.at(e.span);
        self.await_register(pair, value, 0);
        self.u.move_to(dst, Opd::temp(pair));
        self.u.release(mark);
        Ok(true)
    }

    /// Awaits a value: the result is in `R[pair]`; `R[pair + 1]` is used, too.
    pub fn await_register(&mut self, pair: u8, value: Opd, whose: u8) {
        self.u.op(Op::AWAITABLE, pair + 1, value.reg, whose);
        if value.reg != pair + 1 {
            self.u.clear(value);
        }
        self.u.op(Op::LOADNONE, pair, 0, 0);
        self.u.op(Op::SEND, pair, pair + 1, 0);
    }

    fn yield_value(&mut self, e: &'a Expr, value: Option<&'a Expr>, dst: u8) -> Res<bool> {
        self.check_yield(e.span)?;
        let mark = self.u.mark();
        let op = if self.in_async_function() { Op::AYIELD } else { Op::YIELD };
        let value = match value {
            Some(value) => self.operand(value, Some(dst))?,
            None => {
                let reg = self.u.scratch(dst)?;
                self.u.at(e.span);
                self.u.op(Op::LOADNONE, reg, 0, 0);
                Opd { reg, owned: true, heap: false }
            }
        };
        self.u.at(e.span);
        self.u.op(op, dst, value.reg, 0);
        if value.reg != dst {
            self.u.clear(value);
        }
        self.u.release(mark);
        Ok(true)
    }

    fn yield_from(&mut self, e: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        self.check_yield_from(e.span)?;
        let mark = self.u.mark();
        let pair = self.u.window(dst, 2)?;
        let value = self.operand(value, Some(pair + 1))?;
        self.u.at(e.span);
        self.u.op(Op::YIELDITER, pair + 1, value.reg, 0);
        if value.reg != pair + 1 {
            self.u.clear(value);
        }
        self.u.op(Op::LOADNONE, pair, 0, 0);
        self.u.op(Op::SEND, pair, pair + 1, 0);
        self.u.move_to(dst, Opd::temp(pair));
        self.u.release(mark);
        Ok(true)
    }
}

/// The variable that an operand read in place would be.
pub fn operand_name(e: &Expr) -> Option<&Name> {
    match &e.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::NamedExpr { target, .. } => operand_name(target),
        _ => None,
    }
}

fn is_constant(e: &Expr) -> bool {
    is_simple(e) || matches!(e.kind, ExprKind::Tuple(_))
}

fn inverted(op: CmpOp) -> Option<CmpOp> {
    Some(match op {
        CmpOp::Is => CmpOp::IsNot,
        CmpOp::IsNot => CmpOp::Is,
        CmpOp::In => CmpOp::NotIn,
        CmpOp::NotIn => CmpOp::In,
        _ => return None,
    })
}

pub fn binary_op(op: BinOp) -> Op {
    match op {
        BinOp::Add => Op::ADD,
        BinOp::Sub => Op::SUB,
        BinOp::Mul => Op::MUL,
        BinOp::MatMul => Op::MATMUL,
        BinOp::Div => Op::DIV,
        BinOp::Mod => Op::MOD,
        BinOp::Pow => Op::POW,
        BinOp::LShift => Op::LSHIFT,
        BinOp::RShift => Op::RSHIFT,
        BinOp::BitOr => Op::BITOR,
        BinOp::BitXor => Op::BITXOR,
        BinOp::BitAnd => Op::BITAND,
        BinOp::FloorDiv => Op::FLOORDIV,
    }
}

fn immediate_op(op: BinOp) -> Option<Op> {
    Some(match op {
        BinOp::Add => Op::ADDI,
        BinOp::Sub => Op::SUBI,
        BinOp::Mul => Op::MULI,
        BinOp::Mod => Op::MODI,
        BinOp::FloorDiv => Op::FLOORDIVI,
        BinOp::BitAnd => Op::BITANDI,
        _ => return None,
    })
}

pub fn compare_op(op: CmpOp) -> Op {
    match op {
        CmpOp::Eq => Op::EQ,
        CmpOp::NotEq => Op::NE,
        CmpOp::Lt => Op::LT,
        CmpOp::LtE => Op::LE,
        CmpOp::Gt => Op::GT,
        CmpOp::GtE => Op::GE,
        CmpOp::Is => Op::IS,
        CmpOp::IsNot => Op::ISNOT,
        CmpOp::In => Op::IN,
        CmpOp::NotIn => Op::NOTIN,
    }
}
